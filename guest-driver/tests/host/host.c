/* SPDX-License-Identifier: MIT */
#include "host.h"

#include <stdarg.h>
#include <stdlib.h>

host_kernel host;
BOOLEAN host_map_fails;

#define POOL_MAGIC 0x506f6f6cu
#define GUARD_BYTES 16
#define GUARD 0xa5

typedef struct pool_header {
    ULONG magic;
    ULONG tag;
    SIZE_T bytes;
    struct pool_header *next; /* among the freed */
    SIZE_T reserved;          /* pool is aligned to 16 bytes */
} pool_header;

/* Freed memory stays until the test's end: what looks at it sees DDh. */
static pool_header *freed;

void host_reset(void)
{
    while (freed) {
        pool_header *header = freed;

        freed = header->next;
        free(header);
    }
    if (host.log) {
        g_string_free(host.log, TRUE);
    }
    memset(&host, 0, sizeof(host));
    host_map_fails = FALSE;
    host.major = 6;
    host.minor = 1;
    host.fill = 0xcc;
    host.log = g_string_new("");
}

void host_check_clean(void)
{
    g_assert_cmpuint(host.allocations, ==, 0);
    g_assert_cmpuint(host.irps, ==, 0);
    g_assert_cmpuint(host.work_items, ==, 0);
    g_assert_cmpuint(host.devices, ==, 0);
    g_assert_null(host.request.done);
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
}

BOOLEAN host_fails(void)
{
    host.attempts++;
    return host.is_out || (host.fail_after && --host.fail_after == 0);
}

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM item;

    g_assert_nonnull(DeviceObject);
    if (host_fails()) {
        return NULL;
    }
    item = g_new0(IO_WORKITEM, 1);
    item->Object = DeviceObject;
    host.work_items++;
    return item;
}

void IoFreeWorkItem(PIO_WORKITEM Item)
{
    g_assert_null(Item->Routine);
    host.work_items--;
    g_free(Item);
}

void IoQueueWorkItem(PIO_WORKITEM Item, IO_WORKITEM_ROUTINE *Routine,
                     WORK_QUEUE_TYPE Queue, PVOID Context)
{
    (void)Queue;
    g_assert_null(Item->Routine);
    g_assert_null(host.work); /* one at a time is enough for the tests */
    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    Item->Routine = Routine;
    Item->Context = Context;
    host.work = Item;
}

BOOLEAN host_run_work(void)
{
    PIO_WORKITEM item = host.work;
    IO_WORKITEM_ROUTINE *routine;

    if (!item) {
        return FALSE;
    }
    host.work = NULL;
    routine = item->Routine;
    item->Routine = NULL;
    routine(item->Object, item->Context);
    return TRUE;
}

KIRQL KeGetCurrentIrql(void)
{
    return host.irql;
}

void KeRaiseIrql(KIRQL Irql, PKIRQL Old)
{
    g_assert_cmpuint(Irql, >=, host.irql);
    *Old = host.irql;
    host.irql = Irql;
}

void KeLowerIrql(KIRQL Irql)
{
    g_assert_cmpuint(Irql, <=, host.irql);
    host.irql = Irql;
}

NTSTATUS RtlGetVersion(RTL_OSVERSIONINFOW *Version)
{
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    g_assert_cmpuint(Version->dwOSVersionInfoSize, ==, sizeof(*Version));
    Version->dwMajorVersion = host.major;
    Version->dwMinorVersion = host.minor;
    return STATUS_SUCCESS;
}

PVOID ExAllocatePoolWithTag(POOL_TYPE Type, SIZE_T Bytes, ULONG Tag)
{
    pool_header *header;

    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    g_assert_cmpuint(Tag, !=, 0);
    host.last_bytes = Bytes;
    host.last_pool = Type;
    host.last_tag = Tag;
    if (host_fails()) {
        return NULL;
    }
    header = malloc(sizeof(*header) + Bytes + GUARD_BYTES);
    header->magic = POOL_MAGIC;
    header->tag = Tag;
    header->bytes = Bytes;
    memset(header + 1, host.fill, Bytes);
    memset((PUCHAR)(header + 1) + Bytes, GUARD, GUARD_BYTES);
    host.allocations++;
    return header + 1;
}

void ExFreePoolWithTag(PVOID Memory, ULONG Tag)
{
    pool_header *header = (pool_header *)Memory - 1;
    SIZE_T i;

    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    g_assert_cmphex(header->magic, ==, POOL_MAGIC);
    g_assert_cmphex(header->tag, ==, Tag);
    for (i = 0; i < GUARD_BYTES; i++) {
        g_assert_cmphex(((PUCHAR)Memory)[header->bytes + i], ==, GUARD);
    }
    header->magic = 0;
    memset(Memory, 0xdd, header->bytes);
    header->next = freed;
    freed = header;
    host.allocations--;
}

ULONG DbgPrint(const char *Format, ...)
{
    va_list args;

    va_start(args, Format);
    g_string_append_vprintf(host.log, Format, args);
    va_end(args);
    return 0;
}

SIZE_T RtlCompareMemory(const void *A, const void *B, SIZE_T Bytes)
{
    SIZE_T i;

    for (i = 0; i < Bytes && ((PUCHAR)A)[i] == ((PUCHAR)B)[i]; i++) {
    }
    return i;
}

void KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN Signalled)
{
    (void)Type;
    Event->Signalled = Signalled;
    Event->IsMutex = FALSE;
}

void KeInitializeMutex(PKMUTEX Mutex, ULONG Level)
{
    g_assert_cmpuint(Level, ==, 0);
    Mutex->Signalled = TRUE;
    Mutex->IsMutex = TRUE;
}

LONG KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait)
{
    g_assert_false(Wait);
    g_assert_true(Mutex->IsMutex);
    g_assert_false(Mutex->Signalled);
    Mutex->Signalled = TRUE;
    return 0;
}

LONG KeSetEvent(PKEVENT Event, LONG Increment, BOOLEAN Wait)
{
    (void)Increment;
    g_assert_false(Wait);
    Event->Signalled = 1;
    return 0;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON Reason,
                               KPROCESSOR_MODE Mode, BOOLEAN Alertable,
                               PLARGE_INTEGER Timeout)
{
    PKEVENT event = Object;

    (void)Reason;
    (void)Mode;
    (void)Alertable;
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    if (!event->Signalled && host.idle) {
        host.idle();
    }
    if (!event->Signalled && Timeout) {
        return STATUS_TIMEOUT;
    }
    g_assert_true(event->Signalled); /* else: a wait for ever */
    event->Signalled = !event->IsMutex;
    return STATUS_SUCCESS;
}

void KeAcquireSpinLockHost(PKSPIN_LOCK Lock, PKIRQL Old)
{
    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    g_assert_cmpuint(*Lock, ==, 0);
    *Lock = 1;
    *Old = host.irql;
    host.irql = DISPATCH_LEVEL;
}

void KeReleaseSpinLock(PKSPIN_LOCK Lock, KIRQL Old)
{
    g_assert_cmpuint(*Lock, ==, 1);
    *Lock = 0;
    host.irql = Old;
}

NTSTATUS IoAcquireRemoveLock(IO_REMOVE_LOCK *Lock, PVOID Tag)
{
    (void)Tag;
    if (Lock->Removed) {
        return STATUS_DELETE_PENDING;
    }
    Lock->Count++;
    return STATUS_SUCCESS;
}

void IoReleaseRemoveLock(IO_REMOVE_LOCK *Lock, PVOID Tag)
{
    (void)Tag;
    g_assert_cmpint(Lock->Count, >, 0);
    Lock->Count--;
}

/* Who holds the lock still cannot give it up while we wait: one thread. */
void IoReleaseRemoveLockAndWait(IO_REMOVE_LOCK *Lock, PVOID Tag)
{
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    IoReleaseRemoveLock(Lock, Tag);
    g_assert_cmpint(Lock->Count, ==, 0);
    Lock->Removed = TRUE;
}

PIRP IoAllocateIrp(CCHAR StackSize, BOOLEAN ChargeQuota)
{
    g_assert_cmpint(StackSize, >, 0);
    g_assert_false(ChargeQuota);
    if (host_fails()) {
        return NULL;
    }
    host.irps++;
    return g_new0(IRP, 1);
}

void IoFreeIrp(PIRP Irp)
{
    host.irps--;
    g_free(Irp);
}

void IoReuseIrp(PIRP Irp, NTSTATUS Status)
{
    memset(Irp, 0, sizeof(*Irp));
    Irp->IoStatus.Status = Status;
}

BOOLEAN IoCancelIrp(PIRP Irp)
{
    PDRIVER_CANCEL routine;

    Irp->Cancel = TRUE;
    routine = IoSetCancelRoutine(Irp, NULL);
    if (!routine) {
        return FALSE;
    }
    Irp->CancelIrql = host.irql;
    host.irql = DISPATCH_LEVEL;
    routine(NULL, Irp);
    return TRUE;
}

void IoReleaseCancelSpinLock(KIRQL Irql)
{
    g_assert_cmpuint(host.irql, ==, DISPATCH_LEVEL);
    host.irql = Irql;
}

PIO_STACK_LOCATION host_below(PIRP irp)
{
    return irp->IsSkipped ? &irp->Current : &irp->Next;
}

NTSTATUS IoCallDriver(PDEVICE_OBJECT Target, PIRP Irp)
{
    NTSTATUS status;

    g_assert_nonnull(Target);
    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    if (host.lower) {
        return host.lower(Irp);
    }
    status = Irp->IoStatus.Status;
    host_complete_below(Irp, status);
    return status;
}

void host_complete_below(PIRP irp, NTSTATUS status)
{
    NTSTATUS result = STATUS_CONTINUE_COMPLETION;

    irp->IoStatus.Status = status;
    if (!irp->IsSkipped) {
        g_assert_nonnull(irp->Next.CompletionRoutine);
        result = irp->Next.CompletionRoutine(irp->Current.DeviceObject, irp,
                                             irp->Next.Context);
    }
    if (result != STATUS_MORE_PROCESSING_REQUIRED) {
        g_assert_cmphex(result, ==, STATUS_CONTINUE_COMPLETION);
        IoCompleteRequest(irp, IO_NO_INCREMENT);
    }
}

void IoCompleteRequest(PIRP Irp, CCHAR Increment)
{
    (void)Increment;
    g_assert_null(Irp->CancelRoutine);
    g_assert_false(Irp->IsCompleted);
    Irp->IsCompleted = TRUE;
    host.completed++;
}
