/*
 * The queue of pending reads or writes, which may be cancelled at any moment.
 *
 * An IRP in the queue has a cancel routine. IoSetCancelRoutine is atomic, so
 * exactly one of two sides gets to take the IRP out: whoever removes it from
 * the head swaps the routine for NULL, and if it was NULL already, the cancel
 * routine is running and will complete the IRP. The remover then only unlinks
 * it and turns its link into an empty list, on which the cancel routine's own
 * removal has no effect.
 *
 * Tail.Overlay.DriverContext[0] of a queued IRP is the queue.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

VOID QueueInitialize(PIRP_QUEUE Queue, PKSPIN_LOCK Lock,
                     VOID (*Cancelled)(PIRP_QUEUE Queue, PIRP Irp))
{
    InitializeListHead(&Queue->Irps);
    Queue->Lock = Lock;
    Queue->Cancelled = Cancelled;
}

static VOID NTAPI CancelQueued(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIRP_QUEUE queue = Irp->Tail.Overlay.DriverContext[0];
    KIRQL irql;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    KeAcquireSpinLock(queue->Lock, &irql);
    RemoveEntryList(&Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(queue->Lock, irql);
    queue->Cancelled(queue, Irp);
}

BOOLEAN QueueInsert(PIRP_QUEUE Queue, PIRP Irp)
{
    KIRQL irql;

    Irp->Tail.Overlay.DriverContext[0] = Queue;
    KeAcquireSpinLock(Queue->Lock, &irql);
    IoSetCancelRoutine(Irp, CancelQueued);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        KeReleaseSpinLock(Queue->Lock, irql);
        return FALSE;
    }
    /* Or cancelled, its routine waiting for the lock to unlink it. */
    InsertTailList(&Queue->Irps, &Irp->Tail.Overlay.ListEntry);
    KeReleaseSpinLock(Queue->Lock, irql);
    return TRUE;
}

BOOLEAN QueuePutBackLocked(PIRP_QUEUE Queue, PIRP Irp)
{
    IoSetCancelRoutine(Irp, CancelQueued);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL) != NULL) {
        return FALSE;
    }
    InsertHeadList(&Queue->Irps, &Irp->Tail.Overlay.ListEntry);
    return TRUE;
}

PIRP QueueRemoveLocked(PIRP_QUEUE Queue)
{
    PLIST_ENTRY link;
    PIRP irp;

    while (!IsListEmpty(&Queue->Irps)) {
        link = RemoveHeadList(&Queue->Irps);
        irp = CONTAINING_RECORD(link, IRP, Tail.Overlay.ListEntry);
        if (IoSetCancelRoutine(irp, NULL) != NULL) {
            return irp;
        }
        InitializeListHead(link);
    }
    return NULL;
}
