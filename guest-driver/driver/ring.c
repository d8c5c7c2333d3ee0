/*
 * The ring: isochronous URBs that follow each other without a gap.
 *
 * Isochronous time does not wait. While the controller works on one URB the
 * next ones must already be queued, so a ring keeps several in flight (four
 * of 8 ms by default) and submits each again from its own completion routine.
 * Each has its IRP, its URB from USBD_IsochUrbAllocate and its buffer from
 * the start; nothing is allocated while the stream runs.
 *
 * Rules:
 *
 *  1. Every field of an URB is filled in again before it is submitted, with
 *     USBD_START_ISO_TRANSFER_ASAP: the first one starts as soon as it can,
 *     the others follow back to back.
 *  2. A completion routine may run inside IoCallDriver. It then leaves the
 *     slot to the submitter's loop, so that a driver below which fails at
 *     once cannot make us recurse. Phase decides who goes on, atomically.
 *  3. Outstanding counts the URBs that are out, and one for the ring itself;
 *     it is raised before the state is looked at. Idle is signalled at 0 and
 *     is the last thing that a completion touches.
 *  4. Next counts the packets that were queued, as their URBs come back: URBs
 *     of one pipe come back in the order in which they were submitted, and one
 *     that was refused queued nothing.
 *  5. A URB that was rejected (no packet was tried) is tried again a few
 *     times; one that was cancelled, or whose device has gone, never.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

#define REJECTIONS_MAX 16
#define FRAME_MILLISECONDS(n) (-(LONGLONG)(n)*10 * 1000)

enum { RingRunning, RingStopping, RingFailed };
enum { SlotSubmitting, SlotPending, SlotCompleted };

typedef struct _RING_SLOT {
    PRING Ring;
    PIRP Irp;
    PURB Urb;
    PUCHAR Buffer;
    LONG Phase; /* rule 2 */
} RING_SLOT, *PRING_SLOT;

struct _RING {
    PDEVICE_EXTENSION Device;
    RING_PARAMETERS Parameters;
    LONG State;
    LONG Outstanding; /* rule 3 */
    LONG Rejections;  /* in a row */
    ULONGLONG Next;   /* rule 4: ordinal of the next packet, from 1 */
    KEVENT Idle;
    RING_SLOT Slot[ISOAV_URBS_MAX];
};

static IO_COMPLETION_ROUTINE UrbCompleted;

/* Rule 1. */
static VOID FillSlot(PRING_SLOT Slot)
{
    const RING_PARAMETERS *parameters = &Slot->Ring->Parameters;
    ULONG bytes = GET_ISO_URB_SIZE(parameters->Packets);
    struct _URB_ISOCH_TRANSFER *urb = &Slot->Urb->UrbIsochronousTransfer;
    PIO_STACK_LOCATION stack;
    ULONG i;

    RtlZeroMemory(Slot->Urb, bytes);
    urb->Hdr.Length = (USHORT)bytes;
    urb->Hdr.Function = URB_FUNCTION_ISOCH_TRANSFER;
    urb->PipeHandle = parameters->Pipe;
    urb->TransferFlags =
        USBD_TRANSFER_DIRECTION_IN | USBD_START_ISO_TRANSFER_ASAP;
    urb->TransferBuffer = Slot->Buffer;
    urb->TransferBufferLength = parameters->Packets * parameters->PacketBytes;
    urb->NumberOfPackets = parameters->Packets;
    for (i = 0; i < parameters->Packets; i++) {
        urb->IsoPacket[i].Offset = i * parameters->PacketBytes;
    }

    IoReuseIrp(Slot->Irp, STATUS_NOT_SUPPORTED);
    stack = IoGetNextIrpStackLocation(Slot->Irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = ISOAV_IOCTL_SUBMIT_URB;
    USBD_AssignUrbToIoStackLocation(Slot->Ring->Device->Usbd, stack, Slot->Urb);
    IoSetCompletionRoutine(Slot->Irp, UrbCompleted, Slot, TRUE, TRUE, TRUE);
}

static VOID FailRing(PRING Ring, NTSTATUS Status)
{
    if (InterlockedCompareExchange(&Ring->State, RingFailed, RingRunning) ==
        RingRunning) {
        StreamFailed(Ring->Parameters.Stream, Status);
    }
}

/* An URB that no packet of was tried: rule 5. */
static VOID SlotRejected(PRING_SLOT Slot, NTSTATUS Status, USBD_STATUS Usbd)
{
    PRING ring = Slot->Ring;

    StreamUrbFailed(ring->Parameters.Stream, Slot->Urb);
    if (Usbd == USBD_STATUS_DEVICE_GONE || Status == STATUS_NO_SUCH_DEVICE ||
        Status == STATUS_DEVICE_NOT_CONNECTED ||
        Status == STATUS_DEVICE_REMOVED) {
        FailRing(ring, STATUS_DEVICE_REMOVED);
    } else if (Usbd == USBD_STATUS_CANCELED || Status == STATUS_CANCELLED) {
        FailRing(ring, STATUS_CANCELLED);
    } else if (InterlockedIncrement(&ring->Rejections) > REJECTIONS_MAX) {
        FailRing(ring, UsbStatusToNt(Usbd));
    }
}

/* What became of the packets goes to the log; rule 4. */
static VOID LogSlot(PRING_SLOT Slot, BOOLEAN WasQueued)
{
    PRING ring = Slot->Ring;
    PPACKET_LOG log = &ring->Device->Log;

    if (WasQueued) {
        LogUrb(log, &ring->Parameters.Place, ring->Next, Slot->Urb,
               ring->Parameters.Packets);
        ring->Next += ring->Parameters.Packets;
    } else {
        LogRefused(log, &ring->Parameters.Place, Slot->Urb);
    }
}

/* Takes the results of a completed slot. TRUE: submit it again. */
static BOOLEAN FinishSlot(PRING_SLOT Slot)
{
    const RING_PARAMETERS *parameters = &Slot->Ring->Parameters;
    USBD_STATUS usbd = Slot->Urb->UrbHeader.Status;
    NTSTATUS status = Slot->Irp->IoStatus.Status;

    if (usbd == USBD_STATUS_ISOCH_REQUEST_FAILED ||
        (NT_SUCCESS(status) && USBD_SUCCESS(usbd))) {
        InterlockedExchange(&Slot->Ring->Rejections, 0);
        LogSlot(Slot, TRUE);
        StreamReceive(parameters->Stream, Slot->Urb, parameters->Packets,
                      parameters->PacketBytes, Slot->Buffer);
    } else {
        LogSlot(Slot, usbd == USBD_STATUS_CANCELED);
        SlotRejected(Slot, status, usbd);
    }
    return Slot->Ring->State == RingRunning;
}

static VOID ReleaseRing(PRING Ring)
{
    if (InterlockedDecrement(&Ring->Outstanding) == 0) {
        KeSetEvent(&Ring->Idle, IO_NO_INCREMENT, FALSE);
    }
}

static VOID SubmitSlot(PRING_SLOT Slot)
{
    do {
        FillSlot(Slot);
        InterlockedExchange(&Slot->Phase, SlotSubmitting);
        IoCallDriver(Slot->Ring->Device->Lower, Slot->Irp);
        if (InterlockedCompareExchange(&Slot->Phase, SlotPending,
                                       SlotSubmitting) == SlotSubmitting) {
            return; /* UrbCompleted goes on */
        }
    } while (FinishSlot(Slot));
    ReleaseRing(Slot->Ring);
}

static NTSTATUS NTAPI UrbCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                   PVOID Context)
{
    PRING_SLOT slot = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    if (InterlockedExchange(&slot->Phase, SlotCompleted) == SlotPending) {
        if (FinishSlot(slot)) {
            SubmitSlot(slot);
        } else {
            ReleaseRing(slot->Ring);
        }
    }
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS CreateSlot(PRING Ring, PRING_SLOT Slot)
{
    const RING_PARAMETERS *parameters = &Ring->Parameters;
    NTSTATUS status;

    Slot->Ring = Ring;
    status = USBD_IsochUrbAllocate(Ring->Device->Usbd, parameters->Packets,
                                   &Slot->Urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Slot->Irp = IoAllocateIrp(Ring->Device->Lower->StackSize, FALSE);
    Slot->Buffer =
        PoolAllocate((SIZE_T)parameters->Packets * parameters->PacketBytes);
    if (Slot->Irp == NULL || Slot->Buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    return STATUS_SUCCESS;
}

NTSTATUS RingCreate(PDEVICE_EXTENSION Device, const RING_PARAMETERS *Parameters,
                    PRING *Ring)
{
    PRING ring = PoolAllocate(sizeof(*ring));
    NTSTATUS status;
    ULONG i;

    *Ring = NULL;
    if (ring == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    ring->Device = Device;
    ring->Parameters = *Parameters;
    ring->State = RingRunning;
    ring->Next = 1;
    ring->Outstanding = 1;
    KeInitializeEvent(&ring->Idle, NotificationEvent, FALSE);
    for (i = 0; i < Parameters->Urbs; i++) {
        status = CreateSlot(ring, &ring->Slot[i]);
        if (!NT_SUCCESS(status)) {
            RingFree(ring);
            return status;
        }
    }
    *Ring = ring;
    return STATUS_SUCCESS;
}

VOID RingStart(PRING Ring)
{
    ULONG i;

    for (i = 0; i < Ring->Parameters.Urbs; i++) {
        InterlockedIncrement(&Ring->Outstanding);
        if (Ring->State == RingRunning) {
            SubmitSlot(&Ring->Slot[i]);
        } else {
            ReleaseRing(Ring);
        }
    }
}

VOID RingStop(PRING Ring)
{
    LARGE_INTEGER timeout;
    ULONG i;

    InterlockedExchange(&Ring->State, RingStopping);
    UsbAbortPipe(Ring->Device, Ring->Parameters.Pipe);
    ReleaseRing(Ring);
    timeout.QuadPart = FRAME_MILLISECONDS(1000);
    if (KeWaitForSingleObject(&Ring->Idle, Executive, KernelMode, FALSE,
                              &timeout) != STATUS_TIMEOUT) {
        return;
    }
    DbgPrint("isoav: URBs outlive their aborted pipe, cancelling them\n");
    for (i = 0; i < Ring->Parameters.Urbs; i++) {
        IoCancelIrp(Ring->Slot[i].Irp);
    }
    KeWaitForSingleObject(&Ring->Idle, Executive, KernelMode, FALSE, NULL);
}

VOID RingFree(PRING Ring)
{
    ULONG i;

    for (i = 0; i < Ring->Parameters.Urbs; i++) {
        if (Ring->Slot[i].Irp != NULL) {
            IoFreeIrp(Ring->Slot[i].Irp);
        }
        USBD_UrbFree(Ring->Device->Usbd, Ring->Slot[i].Urb);
        PoolFree(Ring->Slot[i].Buffer);
    }
    PoolFree(Ring);
}
