/*
 * The verifier's work items.
 *
 *  1. An item is queued once, until its routine has begun; in there it may be
 *     queued again, or freed.
 *  2. One that is queued is not freed.
 *  3. Its routine returns as a dispatch routine does: at the IRQL at which it
 *     was called, with no spin lock held and the mutexes that it had.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#define MAX_WORK 64

/* An item that has been queued and not begun. */
typedef struct Work {
    PIO_WORKITEM item; /* NULL: free */
    PIO_WORKITEM_ROUTINE routine;
    void *context;
} Work;

static CRITICAL_SECTION lock;
static Work queued[MAX_WORK];
static LONG work_items;

/* The entry of an item, or with NULL a free one; NULL: none. */
static Work *find_work(PIO_WORKITEM item)
{
    int i;

    for (i = 0; i < MAX_WORK; i++) {
        if (queued[i].item == item) {
            return &queued[i];
        }
    }
    return NULL;
}

static void WINAPI run_work(DEVICE_OBJECT *device, void *context)
{
    VerifyBalance before = verify_balance();
    Work work;

    EnterCriticalSection(&lock);
    work = *(Work *)context;
    ((Work *)context)->item = NULL;
    LeaveCriticalSection(&lock);
    work.routine(device, work.context);
    verify_check_balance("a work item", before);
}

static void WINAPI queue_work_item(PIO_WORKITEM item,
                                   PIO_WORKITEM_ROUTINE routine,
                                   WORK_QUEUE_TYPE queue, void *context)
{
    Work *work = NULL;

    EnterCriticalSection(&lock);
    if (find_work(item)) {
        verify_report("a work item was queued that is queued already");
    } else if ((work = find_work(NULL))) {
        *work = (Work){ item, routine, context };
    } else {
        verify_report("more than %d work items are queued", MAX_WORK);
    }
    LeaveCriticalSection(&lock);
    if (work) {
        IoQueueWorkItem(item, run_work, queue, work);
    }
}

static PIO_WORKITEM WINAPI allocate_work_item(DEVICE_OBJECT *device)
{
    PIO_WORKITEM item;

    if (verify_allocation_fails("a work item", 0)) {
        return NULL;
    }
    item = IoAllocateWorkItem(device);
    if (item) {
        InterlockedIncrement(&work_items);
    }
    return item;
}

static void WINAPI free_work_item(PIO_WORKITEM item)
{
    bool is_queued;

    EnterCriticalSection(&lock);
    is_queued = find_work(item) != NULL;
    LeaveCriticalSection(&lock);
    if (is_queued) {
        verify_report("a work item was freed that is queued");
        return;
    }
    InterlockedDecrement(&work_items);
    IoFreeWorkItem(item);
}

LONG verify_work_items(void)
{
    return work_items;
}

void verify_work_at_end(void)
{
    if (work_items) {
        verify_report("%d work items were never freed", (int)work_items);
    }
}

void verify_work_install(void)
{
    InitializeCriticalSection(&lock);
}

const ShimImport verify_work_imports[] = {
    { "IoAllocateWorkItem", allocate_work_item },
    { "IoFreeWorkItem", free_work_item },
    { "IoQueueWorkItem", queue_work_item },
    { NULL, NULL },
};
