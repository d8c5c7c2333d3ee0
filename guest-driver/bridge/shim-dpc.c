/*
 * DPCs. Wine accepts a DPC and never runs it; here one thread, made when the
 * bridge starts, runs them in the order in which they were queued, at
 * DISPATCH_LEVEL. A DPC that is queued already is not queued again; its
 * KDPC serves as the list entry, as on Windows.
 *
 * A timer's DPC is not among them: Wine runs it itself, at PASSIVE_LEVEL.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

static CRITICAL_SECTION lock;
static CONDITION_VARIABLE changed;
static LIST_ENTRY queue;
static KDPC *running;

/* Lock, unused otherwise, marks a KDPC as queued. */
static BOOLEAN WINAPI insert_dpc(KDPC *dpc, void *arg1, void *arg2)
{
    BOOLEAN inserted = FALSE;

    EnterCriticalSection(&lock);
    if (!dpc->Lock) {
        dpc->SystemArgument1 = arg1;
        dpc->SystemArgument2 = arg2;
        dpc->Lock = (ULONG_PTR *)&queue;
        InsertTailList(&queue, &dpc->DpcListEntry);
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

    EnterCriticalSection(&lock);
    if (dpc->Lock) {
        RemoveEntryList(&dpc->DpcListEntry);
        dpc->Lock = NULL;
        removed = TRUE;
    }
    LeaveCriticalSection(&lock);
    return removed;
}

static void WINAPI flush_dpcs(void)
{
    shim_check_irql("KeFlushQueuedDpcs", PASSIVE_LEVEL);
    EnterCriticalSection(&lock);
    while (running || !IsListEmpty(&queue)) {
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

        while (IsListEmpty(&queue)) {
            SleepConditionVariableCS(&changed, &lock, INFINITE);
        }
        dpc = CONTAINING_RECORD(RemoveHeadList(&queue), KDPC, DpcListEntry);
        dpc->Lock = NULL;
        arg1 = dpc->SystemArgument1;
        arg2 = dpc->SystemArgument2;
        running = dpc;
        LeaveCriticalSection(&lock);
        irql = shim_raise_irql(DISPATCH_LEVEL);
        dpc->DeferredRoutine(dpc, dpc->DeferredContext, arg1, arg2);
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
    InitializeListHead(&queue);
    CloseHandle(CreateThread(NULL, 0, run_dpcs, NULL, 0, NULL));
}

const ShimImport shim_dpc_imports[] = {
    { "KeFlushQueuedDpcs", flush_dpcs },
    { "KeInitializeDpc", initialize_dpc },
    { "KeInsertQueueDpc", insert_dpc },
    { "KeRemoveQueueDpc", remove_dpc },
    { NULL, NULL },
};
