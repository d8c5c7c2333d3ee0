/*
 * DPCs. Wine accepts a DPC and never runs it; here one thread, made when the
 * bridge starts, runs them in the order in which they were queued, at
 * DISPATCH_LEVEL. A DPC that is queued already is not queued again. The queue
 * has entries of its own: what a KDPC has for it differs between Wines.
 *
 * A timer's DPC is not among them: Wine runs it itself, at PASSIVE_LEVEL.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

#include <stdlib.h>

static CRITICAL_SECTION lock;
static CONDITION_VARIABLE changed;

typedef struct Entry {
    struct Entry *next;
    KDPC *dpc;
} Entry;
static Entry *queue;
static KDPC *running;

/* Where the queue points to the entry of a DPC, or to its end. */
static Entry **find(const KDPC *dpc)
{
    Entry **at = &queue;

    while (*at && (*at)->dpc != dpc) {
        at = &(*at)->next;
    }
    return at;
}

/* Takes out what `at` points to. */
static KDPC *take(Entry **at)
{
    Entry *entry = *at;
    KDPC *dpc = entry->dpc;

    *at = entry->next;
    free(entry);
    return dpc;
}

static BOOLEAN WINAPI insert_dpc(KDPC *dpc, void *arg1, void *arg2)
{
    BOOLEAN inserted = FALSE;
    Entry **at;

    EnterCriticalSection(&lock);
    at = find(dpc);
    if (!*at && (*at = calloc(1, sizeof(**at)))) {
        dpc->SystemArgument1 = arg1;
        dpc->SystemArgument2 = arg2;
        (*at)->dpc = dpc;
        WakeAllConditionVariable(&changed);
        inserted = TRUE;
    }
    LeaveCriticalSection(&lock);
    return inserted;
}

static void WINAPI initialize_dpc(KDPC *dpc, PKDEFERRED_ROUTINE routine,
                                  void *context)
{
    *dpc = (KDPC){ .DeferredRoutine = routine, .DeferredContext = context };
}

static BOOLEAN WINAPI remove_dpc(KDPC *dpc)
{
    BOOLEAN removed = FALSE;
    Entry **at;

    EnterCriticalSection(&lock);
    at = find(dpc);
    if (*at) {
        take(at);
        removed = TRUE;
    }
    LeaveCriticalSection(&lock);
    return removed;
}

static void WINAPI flush_dpcs(void)
{
    EnterCriticalSection(&lock);
    while (running || queue) {
        SleepConditionVariableCS(&changed, &lock, INFINITE);
    }
    LeaveCriticalSection(&lock);
}

static DWORD WINAPI run_dpcs(void *context)
{
    EnterCriticalSection(&lock);
    for (;;) {
        KDPC *dpc;
        void *arg1, *arg2;
        KIRQL irql;

        while (!queue) {
            SleepConditionVariableCS(&changed, &lock, INFINITE);
        }
        dpc = take(&queue);
        arg1 = dpc->SystemArgument1;
        arg2 = dpc->SystemArgument2;
        running = dpc;
        LeaveCriticalSection(&lock);
        irql = shim_raise_irql(DISPATCH_LEVEL);
        dpc->DeferredRoutine(dpc, dpc->DeferredContext, arg1, arg2);
        shim_check_no_lock("a DPC ended");
        shim_lower_irql(irql);
        EnterCriticalSection(&lock);
        running = NULL;
        WakeAllConditionVariable(&changed);
    }
    return 0;
}

void shim_dpc_install(void)
{
    InitializeCriticalSection(&lock);
    InitializeConditionVariable(&changed);
    CloseHandle(CreateThread(NULL, 0, run_dpcs, NULL, 0, NULL));
}

const ShimImport shim_dpc_imports[] = {
    { "KeFlushQueuedDpcs", flush_dpcs },
    { "KeInitializeDpc", initialize_dpc },
    { "KeInsertQueueDpc", insert_dpc },
    { "KeRemoveQueueDpc", remove_dpc },
    { NULL, NULL },
};
