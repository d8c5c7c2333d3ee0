/*
 * The ring: isochronous URBs that follow each other without a gap.
 *
 * Isochronous time does not wait. While the controller works on one URB the
 * next ones must already be queued, so a ring keeps several in flight (four
 * of 8 ms by default) and submits each again as soon as it has come back.
 * Each has its IRP, its URB from USBD_IsochUrbAllocate and its buffer from
 * the start; nothing is allocated while the stream runs, or to end it.
 *
 * Rules:
 *
 *  1. Every field of an URB is filled in again before it is submitted. It
 *     starts as soon as it can (USBD_START_ISO_TRANSFER_ASAP), which puts it
 *     right behind the one before, or at the frame that we name.
 *  2. Slots are submitted one after the other, round and round, by RingPump
 *     alone. Only one thread pumps at a time; whoever comes meanwhile leaves
 *     word and goes. So the order of the data is that of the URBs, no lock is
 *     held across IoCallDriver, and a driver below that completes an URB
 *     inside IoCallDriver cannot make us recurse.
 *  3. Outstanding counts the URBs that are out, and one for the ring itself;
 *     it is raised before the state is looked at. Idle is signalled at 0 and
 *     is the last thing that a completion touches.
 *  4. PIPE_USE.Next counts the packets that were queued, as their URBs come
 *     back: URBs of one pipe come back in the order in which they were
 *     submitted, and one that was refused queued nothing.
 *  5. The ladder of errors: a packet that failed is counted; so is an URB all
 *     of whose packets failed. An URB that was refused is tried again a few
 *     times; then the stream takes the ring down and makes a new one, a few
 *     times; then it ends. A start frame that is refused ends the naming of
 *     frames, whatever was queued with a name by then. An URB that was
 *     cancelled, or whose device has gone, is never submitted again. When URBs
 *     come back before IoCallDriver does, again and again, whatever they say,
 *     no time passes on that bus, and the stream ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

#define REJECTIONS_MAX 16
#define AT_ONCE_MAX 64
#define START_LEAD 8 /* frames from now to the first one that we name */
#define FRAME_MILLISECONDS(n) (-(LONGLONG)(n)*10 * 1000)

enum { RingRunning, RingStopping, RingFailed };

typedef struct _RING_SLOT {
    PRING Ring;
    PIRP Irp;
    PURB Urb;
    PUCHAR Buffer;
    ULONG Bytes; /* TransferBufferLength, as it was submitted */
    LONG Busy;   /* the stack has it, or its results are being taken */
    BOOLEAN NamesFrame;
} RING_SLOT, *PRING_SLOT;

struct _RING {
    PDEVICE_EXTENSION Device;
    RING_PARAMETERS Parameters;
    USB_REQUEST Abort; /* of the pipe */
    LONG State;
    LONG Outstanding; /* rule 3 */
    LONG Rejections;  /* in a row */
    LONG Pumping;     /* rule 2: calls of RingPump that are being served */
    KEVENT Idle;
    LONG NamesFrames;
    /* Of the thread that pumps: */
    ULONG NextSlot;
    ULONG NextFrame;
    ULONG AtOnce; /* rule 5: URBs in a row that IoCallDriver completed */
    RING_SLOT Slot[ISOAV_URBS_MAX];
};

static IO_COMPLETION_ROUTINE UrbCompleted;

static BOOLEAN IsIn(const RING *Ring)
{
    return (Ring->Parameters.Place.Endpoint & 0x80) != 0;
}

/* The packets of an IN URB: equal parts of the buffer. */
static VOID LayOutPackets(PRING Ring, struct _URB_ISOCH_TRANSFER *Urb)
{
    const RING_PARAMETERS *parameters = &Ring->Parameters;
    ULONG i;

    Urb->TransferBufferLength = parameters->Packets * parameters->PacketBytes;
    for (i = 0; i < parameters->Packets; i++) {
        Urb->IsoPacket[i].Offset = i * parameters->PacketBytes;
    }
}

/* Rule 1. FALSE: there is nothing to send. */
static BOOLEAN FillSlot(PRING_SLOT Slot)
{
    PRING ring = Slot->Ring;
    const RING_PARAMETERS *parameters = &ring->Parameters;
    ULONG bytes = GET_ISO_URB_SIZE(parameters->Packets);
    struct _URB_ISOCH_TRANSFER *urb = &Slot->Urb->UrbIsochronousTransfer;
    PIO_STACK_LOCATION stack;

    RtlZeroMemory(Slot->Urb, bytes);
    urb->Hdr.Length = (USHORT)bytes;
    urb->Hdr.Function = URB_FUNCTION_ISOCH_TRANSFER;
    urb->PipeHandle = parameters->Pipe->Information.PipeHandle;
    urb->TransferBuffer = Slot->Buffer;
    urb->NumberOfPackets = parameters->Packets;
    if (IsIn(ring)) {
        urb->TransferFlags = USBD_TRANSFER_DIRECTION_IN;
        LayOutPackets(ring, urb);
    } else if (!StreamSupply(parameters->Stream, Slot->Urb, parameters->Packets,
                             parameters->PacketBytes, Slot->Buffer)) {
        return FALSE;
    }
    Slot->NamesFrame = ring->NamesFrames != 0;
    if (Slot->NamesFrame) {
        urb->StartFrame = ring->NextFrame;
        ring->NextFrame += parameters->Frames;
    } else {
        urb->TransferFlags |= USBD_START_ISO_TRANSFER_ASAP;
    }

    Slot->Bytes = urb->TransferBufferLength;
    IoReuseIrp(Slot->Irp, STATUS_NOT_SUPPORTED);
    stack = IoGetNextIrpStackLocation(Slot->Irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = ISOAV_IOCTL_SUBMIT_URB;
    USBD_AssignUrbToIoStackLocation(ring->Device->Usbd, stack, Slot->Urb);
    IoSetCompletionRoutine(Slot->Irp, UrbCompleted, Slot, TRUE, TRUE, TRUE);
    return TRUE;
}

static VOID ReleaseRing(PRING Ring)
{
    if (InterlockedDecrement(&Ring->Outstanding) == 0) {
        KeSetEvent(&Ring->Idle, IO_NO_INCREMENT, FALSE);
    }
}

static VOID FailRing(PRING Ring, NTSTATUS Status, BOOLEAN MayRecover)
{
    if (InterlockedCompareExchange(&Ring->State, RingFailed, RingRunning) !=
        RingRunning) {
        return;
    }
    if (MayRecover) {
        StreamRecover(Ring->Parameters.Stream, Status);
    } else {
        StreamFailed(Ring->Parameters.Stream, Status);
    }
}

/* Rule 5: the bus takes a millisecond at least for an URB. */
static VOID CheckPace(PRING Ring, PRING_SLOT Slot)
{
    if (InterlockedCompareExchange(&Slot->Busy, 0, 0) != 0) {
        Ring->AtOnce = 0;
    } else if (++Ring->AtOnce > AT_ONCE_MAX) {
        FailRing(Ring, STATUS_DEVICE_DATA_ERROR, FALSE);
    }
}

/* FALSE: its slot is out, there is nothing to send, or the ring is at an end */
static BOOLEAN SubmitNext(PRING Ring)
{
    PRING_SLOT slot = &Ring->Slot[Ring->NextSlot];

    if (InterlockedCompareExchange(&slot->Busy, 0, 0) != 0) {
        return FALSE;
    }
    InterlockedIncrement(&Ring->Outstanding);
    if (Ring->State != RingRunning || !FillSlot(slot)) {
        ReleaseRing(Ring);
        return FALSE;
    }
    InterlockedExchange(&slot->Busy, 1);
    Ring->NextSlot = (Ring->NextSlot + 1) % Ring->Parameters.Urbs;
    IoCallDriver(Ring->Device->Lower, slot->Irp);
    CheckPace(Ring, slot);
    return TRUE;
}

VOID RingPump(PRING Ring)
{
    LONG served;

    if (InterlockedIncrement(&Ring->Pumping) != 1) {
        return; /* the thread that pumps sees that we were here */
    }
    do {
        served = InterlockedCompareExchange(&Ring->Pumping, 0, 0);
        while (SubmitNext(Ring)) {
        }
    } while (InterlockedExchangeAdd(&Ring->Pumping, -served) != served);
}

/* --- completion ----------------------------------------------------------- */

/* An URB that no packet of was tried: rule 5. */
static VOID SlotRejected(PRING_SLOT Slot, NTSTATUS Status, USBD_STATUS Usbd)
{
    PRING ring = Slot->Ring;

    StreamUrbFailed(ring->Parameters.Stream, Slot->Urb);
    if (Usbd == USBD_STATUS_DEVICE_GONE || Status == STATUS_NO_SUCH_DEVICE ||
        Status == STATUS_DEVICE_NOT_CONNECTED ||
        Status == STATUS_DEVICE_REMOVED) {
        FailRing(ring, STATUS_DEVICE_REMOVED, FALSE);
    } else if (Usbd == USBD_STATUS_CANCELED || Status == STATUS_CANCELLED) {
        FailRing(ring, STATUS_CANCELLED, FALSE);
    } else if (Slot->NamesFrame && (Usbd == USBD_STATUS_BAD_START_FRAME ||
                                    Usbd == USBD_STATUS_NOT_SUPPORTED)) {
        if (InterlockedExchange(&ring->NamesFrames, FALSE)) {
            StreamFrameRefused(ring->Parameters.Stream);
        }
    } else if (InterlockedIncrement(&ring->Rejections) > REJECTIONS_MAX) {
        FailRing(ring, UsbStatusToNt(Usbd), TRUE);
    }
}

/* What became of the packets goes to the log; rule 4. */
static VOID LogSlot(PRING_SLOT Slot, BOOLEAN WasQueued)
{
    const RING_PARAMETERS *parameters = &Slot->Ring->Parameters;
    PPACKET_LOG log = &Slot->Ring->Device->Log;
    LONGLONG ordinal;

    if (WasQueued) {
        ordinal = InterlockedExchangeAdd64(&parameters->Pipe->Next,
                                           parameters->Packets);
        LogUrb(log, &parameters->Place, (ULONGLONG)ordinal, Slot->Urb,
               parameters->Packets);
    } else {
        LogRefused(log, &parameters->Place, Slot->Urb);
    }
}

static VOID FinishSlot(PRING_SLOT Slot)
{
    PRING ring = Slot->Ring;
    const RING_PARAMETERS *parameters = &ring->Parameters;
    USBD_STATUS usbd = Slot->Urb->UrbHeader.Status;
    NTSTATUS status = Slot->Irp->IoStatus.Status;

    Slot->Urb->UrbIsochronousTransfer.TransferBufferLength = Slot->Bytes;
    if (usbd != USBD_STATUS_ISOCH_REQUEST_FAILED &&
        (!NT_SUCCESS(status) || !USBD_SUCCESS(usbd))) {
        LogSlot(Slot, usbd == USBD_STATUS_CANCELED);
        SlotRejected(Slot, status, usbd);
        return;
    }
    InterlockedExchange(&ring->Rejections, 0);
    LogSlot(Slot, TRUE);
    if (IsIn(ring)) {
        StreamReceive(parameters->Stream, Slot->Urb, parameters->Packets,
                      parameters->PacketBytes, Slot->Buffer);
    } else {
        StreamSent(parameters->Stream, Slot->Urb, parameters->Packets);
    }
}

static NTSTATUS NTAPI UrbCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                   PVOID Context)
{
    PRING_SLOT slot = Context;
    PRING ring = slot->Ring;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    FinishSlot(slot);
    InterlockedExchange(&slot->Busy, 0);
    RingPump(ring);
    ReleaseRing(ring);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* --- life ------------------------------------------------------------------
 */

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
    ring->Outstanding = 1;
    KeInitializeEvent(&ring->Idle, NotificationEvent, FALSE);
    status = UsbPrepareAbort(Device, Parameters->Pipe->Information.PipeHandle,
                             &ring->Abort);
    for (i = 0; i < Parameters->Urbs && NT_SUCCESS(status); i++) {
        status = CreateSlot(ring, &ring->Slot[i]);
    }
    if (!NT_SUCCESS(status)) {
        RingFree(ring);
        return status;
    }
    *Ring = ring;
    return STATUS_SUCCESS;
}

VOID RingStart(PRING Ring)
{
    ULONG frame;

    if (Ring->Parameters.NamesFrames) {
        if (NT_SUCCESS(UsbCurrentFrame(Ring->Device, &frame))) {
            Ring->NamesFrames = TRUE;
            Ring->NextFrame = frame + START_LEAD;
        } else {
            StreamFrameRefused(Ring->Parameters.Stream);
        }
    }
    RingPump(Ring);
}

VOID RingStop(PRING Ring)
{
    LARGE_INTEGER timeout;
    ULONG i;

    InterlockedExchange(&Ring->State, RingStopping);
    UsbSendPrepared(Ring->Device, &Ring->Abort);
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

BOOLEAN RingHasFailed(PRING Ring)
{
    return Ring->State == RingFailed;
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
    UsbForget(Ring->Device, &Ring->Abort);
    PoolFree(Ring);
}
