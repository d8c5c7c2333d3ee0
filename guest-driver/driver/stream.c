/*
 * A stream: what one open file receives, or sends.
 *
 *     IN   ring --StreamReceive--> FIFO of records --Pump--> pending reads
 *     OUT  pending writes --Pump--> FIFO of records --StreamSupply--> ring
 *
 * The ring's completion routine turns each packet into a record. Pump gives
 * records to reads whenever there are both, and takes those of writes whenever
 * there is room; it runs after every change of either side. The IRPs that it
 * served are completed after the spin lock has been released.
 *
 * A stream that was started is *wanted* until it is stopped or its file is
 * closed. Whether it has a ring depends on the device too: PnP and power take
 * rings away (StreamsHold) and bring them back (StreamsResume).
 *
 * SPDX-License-Identifier: MIT
 */
#include "stream.h"

/* --- life -------------------------------------------------------------- */

static VOID FinishTransfer(PSTREAM Stream, PIRP Irp, NTSTATUS Status,
                           ULONG_PTR Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;

    CompleteIrp(Irp, Status, Bytes);
    StreamDereference(Stream);
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
}

static VOID TransferCancelled(PIRP_QUEUE Queue, PIRP Irp)
{
    FinishTransfer(CONTAINING_RECORD(Queue, STREAM, Transfers), Irp,
                   STATUS_CANCELLED, 0);
}

NTSTATUS StreamCreate(PDEVICE_EXTENSION Device, PSTREAM *Stream)
{
    PSTREAM stream = PoolAllocate(sizeof(*stream));

    *Stream = stream;
    if (stream == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stream->Recovery = IoAllocateWorkItem(Device->Self);
    if (stream->Recovery == NULL) {
        PoolFree(stream);
        *Stream = NULL;
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stream->Device = Device;
    stream->References = 1;
    KeInitializeSpinLock(&stream->Lock);
    QueueInitialize(&stream->Transfers, &stream->Lock, TransferCancelled);
    stream->EndStatus = STATUS_INVALID_DEVICE_STATE;
    DeviceLock(Device);
    InsertTailList(&Device->Streams, &stream->Link);
    DeviceUnlock(Device);
    return STATUS_SUCCESS;
}

VOID StreamDereference(PSTREAM Stream)
{
    if (InterlockedDecrement(&Stream->References) == 0) {
        IoFreeWorkItem(Stream->Recovery);
        PoolFree(Stream->FifoMemory);
        PoolFree(Stream);
    }
}

VOID StreamClose(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;

    DeviceLock(device);
    Stream->IsClosed = TRUE; /* a request may still be on its way */
    StreamStop(Stream, STATUS_FILE_CLOSED);
    RemoveEntryList(&Stream->Link);
    InitializeListHead(&Stream->Link);
    DeviceUnlock(device);
}

/* --- reads and writes -----------------------------------------------------
 */

/*
 * What a transfer has in DriverContext, beside the queue's [0]: [1] its
 * buffer, [2] its bytes.
 */
static PVOID BufferOf(PIRP Irp)
{
    return Irp->Tail.Overlay.DriverContext[1];
}

static ULONG BytesOf(PIRP Irp)
{
    return (ULONG)(ULONG_PTR)Irp->Tail.Overlay.DriverContext[2];
}

static VOID SetResult(PIRP Irp, NTSTATUS Status, ULONG_PTR Bytes)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Bytes;
}

/*
 * Serves one read from the FIFO, or ends it. FALSE: it must wait. The lock is
 * held.
 */
static BOOLEAN ServeReadLocked(PSTREAM Stream, PIRP *Served)
{
    ULONG bytes;
    PIRP irp;

    if (FifoIsEmpty(&Stream->Fifo) && !Stream->Ended) {
        return FALSE;
    }
    irp = QueueRemoveLocked(&Stream->Transfers);
    *Served = irp;
    if (irp == NULL) {
        return FALSE;
    }
    if (FifoIsEmpty(&Stream->Fifo)) {
        SetResult(irp, Stream->EndStatus, 0);
        return TRUE;
    }
    bytes = FifoGet(&Stream->Fifo, BufferOf(irp), BytesOf(irp));
    SetResult(irp, bytes != 0 ? STATUS_SUCCESS : STATUS_BUFFER_TOO_SMALL,
              bytes);
    return TRUE;
}

/*
 * Takes one write into the FIFO, or ends it. It is taken out of the queue
 * first: nobody can cancel it then. The lock is held.
 */
static BOOLEAN ServeWriteLocked(PSTREAM Stream, PIRP *Served)
{
    PIRP irp = QueueRemoveLocked(&Stream->Transfers);

    *Served = irp;
    if (irp == NULL) {
        return FALSE;
    }
    if (Stream->Ended) {
        SetResult(irp, Stream->EndStatus, 0);
        return TRUE;
    }
    switch (FifoPutAll(&Stream->Fifo, BufferOf(irp), BytesOf(irp),
                       Stream->PacketBytes)) {
    case FIFO_OK:
        SetResult(irp, STATUS_SUCCESS, BytesOf(irp));
        return TRUE;
    case FIFO_BAD:
        SetResult(irp, STATUS_INVALID_PARAMETER, 0);
        return TRUE;
    default:
        SetResult(irp, STATUS_CANCELLED, 0);
        return !QueuePutBackLocked(&Stream->Transfers, irp);
    }
}

static BOOLEAN ServeLocked(PSTREAM Stream, PIRP *Served)
{
    return Stream->In ? ServeReadLocked(Stream, Served)
                      : ServeWriteLocked(Stream, Served);
}

static VOID Pump(PSTREAM Stream)
{
    LIST_ENTRY served;
    KIRQL irql;
    PIRP irp;

    InitializeListHead(&served);
    KeAcquireSpinLock(&Stream->Lock, &irql);
    while (ServeLocked(Stream, &irp)) {
        InsertTailList(&served, &irp->Tail.Overlay.ListEntry);
    }
    KeReleaseSpinLock(&Stream->Lock, irql);
    while (!IsListEmpty(&served)) {
        irp = CONTAINING_RECORD(RemoveHeadList(&served), IRP,
                                Tail.Overlay.ListEntry);
        FinishTransfer(Stream, irp, irp->IoStatus.Status,
                       irp->IoStatus.Information);
    }
}

/* What was written may be what the ring waits for. */
static VOID PumpRing(PSTREAM Stream)
{
    DeviceLock(Stream->Device);
    if (Stream->Ring != NULL) {
        RingPump(Stream->Ring);
    }
    DeviceUnlock(Stream->Device);
}

NTSTATUS StreamTransfer(PSTREAM Stream, PIRP Irp, PVOID Va, ULONG Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;
    BOOLEAN isLocked = FALSE;

    /* The IRP's lock and reference go with it, and it may go at once. */
    if (!Stream->In) {
        isLocked = NT_SUCCESS(IoAcquireRemoveLock(&device->RemoveLock, Va));
    }
    Irp->Tail.Overlay.DriverContext[1] = Va;
    Irp->Tail.Overlay.DriverContext[2] = (PVOID)(ULONG_PTR)Bytes;
    InterlockedIncrement(&Stream->References);
    InterlockedIncrement(&Stream->References);
    IoMarkIrpPending(Irp);
    if (QueueInsert(&Stream->Transfers, Irp)) {
        Pump(Stream);
    } else {
        FinishTransfer(Stream, Irp, STATUS_CANCELLED, 0);
    }
    if (isLocked) {
        PumpRing(Stream);
    }
    StreamDereference(Stream);
    if (isLocked) {
        IoReleaseRemoveLock(&device->RemoveLock, Va);
    }
    return STATUS_PENDING;
}

VOID StreamCancelTransfers(PSTREAM Stream)
{
    KIRQL irql;
    PIRP irp;

    for (;;) {
        KeAcquireSpinLock(&Stream->Lock, &irql);
        irp = QueueRemoveLocked(&Stream->Transfers);
        KeReleaseSpinLock(&Stream->Lock, irql);
        if (irp == NULL) {
            return;
        }
        FinishTransfer(Stream, irp, STATUS_CANCELLED, 0);
    }
}

/*
 * No more records will come, or go: reads end once the FIFO is empty, writes
 * at once.
 */
static VOID EndReads(PSTREAM Stream, ULONG State, NTSTATUS EndStatus)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Stats.state = State;
    if (!Stream->Ended) {
        Stream->Ended = TRUE;
        Stream->EndStatus = EndStatus;
    }
    KeReleaseSpinLock(&Stream->Lock, irql);
    Pump(Stream);
}

/* --- the ring's side ----------------------------------------------------- */

static VOID CountStatusLocked(isoav_stats *Stats, USBD_STATUS Status)
{
    ULONG i;

    for (i = 0; i < Stats->statuses; i++) {
        if (Stats->status[i].status == (ULONG)Status) {
            Stats->status[i].packets++;
            return;
        }
    }
    if (i == ISOAV_STATUS_KINDS) {
        Stats->packets_other++;
        return;
    }
    Stats->status[i].status = (ULONG)Status;
    Stats->status[i].packets = 1;
    Stats->statuses++;
}

/* What the statistics have of every URB that came back with packets. */
static VOID CountUrbLocked(PSTREAM Stream,
                           const struct _URB_ISOCH_TRANSFER *Urb, ULONG Packets)
{
    ULONG i;

    Stream->Recoveries = 0;
    Stream->Stats.urbs++;
    if (!USBD_SUCCESS(Urb->Hdr.Status)) {
        Stream->Stats.urbs_failed++;
    }
    for (i = 0; i < Packets; i++) {
        CountStatusLocked(&Stream->Stats, Urb->IsoPacket[i].Status);
    }
}

/* An URB that did not start where the one before ended. */
static VOID CheckFrameLocked(PSTREAM Stream, ULONG StartFrame)
{
    ULONG gap = StartFrame - Stream->NextFrame;

    if (Stream->NextFrameValid && gap != 0) {
        Stream->Stats.xruns++;
        Stream->Stats.xrun_frames += gap < 0x80000000 ? gap : 0;
    }
    Stream->NextFrame = StartFrame + Stream->FramesPerUrb;
    Stream->NextFrameValid = TRUE;
}

VOID StreamReceive(PSTREAM Stream, PURB Urb, ULONG Packets, ULONG PacketBytes,
                   const UCHAR *Data)
{
    const struct _URB_ISOCH_TRANSFER *urb = &Urb->UrbIsochronousTransfer;
    isoav_record record;
    KIRQL irql;
    ULONG i;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    CountUrbLocked(Stream, urb, Packets);
    CheckFrameLocked(Stream, urb->StartFrame);
    record.start_frame = urb->StartFrame;
    record.urb_status = (ULONG)urb->Hdr.Status;
    for (i = 0; i < Packets; i++) {
        record.packet_status = (ULONG)urb->IsoPacket[i].Status;
        record.packet_index = i;
        record.length = urb->IsoPacket[i].Length;
        record.packet_number = Stream->Stats.packets++;
        if (record.length > PacketBytes) {
            record.length = PacketBytes;
        }
        Stream->Stats.bytes += record.length;
        if (!FifoPut(&Stream->Fifo, &record, Data + i * PacketBytes)) {
            Stream->Stats.overflow_packets++;
        }
    }
    KeReleaseSpinLock(&Stream->Lock, irql);
    Pump(Stream);
}

BOOLEAN StreamSupply(PSTREAM Stream, PURB Urb, ULONG Packets, ULONG PacketBytes,
                     PUCHAR Data)
{
    struct _URB_ISOCH_TRANSFER *urb = &Urb->UrbIsochronousTransfer;
    BOOLEAN enough;
    ULONG i, at = 0;
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    enough = Stream->Fifo.Records >= Packets;
    if (!enough && !Stream->Starved) {
        Stream->Stats.starved++;
    }
    Stream->Starved = !enough;
    for (i = 0; enough && i < Packets; i++) {
        urb->IsoPacket[i].Offset = at;
        at += FifoTake(&Stream->Fifo, Data + at, PacketBytes);
    }
    urb->TransferBufferLength = at;
    KeReleaseSpinLock(&Stream->Lock, irql);
    if (enough) {
        Pump(Stream); /* there is room now */
    }
    return enough;
}

VOID StreamSent(PSTREAM Stream, PURB Urb, ULONG Packets)
{
    const struct _URB_ISOCH_TRANSFER *urb = &Urb->UrbIsochronousTransfer;
    KIRQL irql;
    ULONG i;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    CountUrbLocked(Stream, urb, Packets);
    CheckFrameLocked(Stream, urb->StartFrame);
    Stream->Stats.packets += Packets;
    for (i = 0; i < Packets; i++) {
        if (USBD_SUCCESS(urb->IsoPacket[i].Status)) {
            Stream->Stats.bytes += UrbPacketBytes(urb, i, Packets);
        }
    }
    KeReleaseSpinLock(&Stream->Lock, irql);
}

VOID StreamFrameRefused(PSTREAM Stream)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Stats.frame_refusals++;
    KeReleaseSpinLock(&Stream->Lock, irql);
}

VOID StreamUrbFailed(PSTREAM Stream, PURB Urb)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Stats.urbs++;
    Stream->Stats.urbs_failed++;
    Stream->Stats.usbd_status = (ULONG)Urb->UrbHeader.Status;
    KeReleaseSpinLock(&Stream->Lock, irql);
}

VOID StreamFailed(PSTREAM Stream, NTSTATUS Status)
{
    EndReads(Stream, ISOAV_STATE_FAILED, Status);
}

VOID StreamGetStats(PSTREAM Stream, isoav_stats *Stats)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    *Stats = Stream->Stats;
    Stats->fifo_bytes_used = Stream->Fifo.Used;
    KeReleaseSpinLock(&Stream->Lock, irql);
}

VOID StreamSetState(PSTREAM Stream, ULONG State)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Stats.state = State;
    KeReleaseSpinLock(&Stream->Lock, irql);
}

VOID StreamEnd(PSTREAM Stream, NTSTATUS EndStatus)
{
    EndReads(Stream,
             EndStatus == STATUS_END_OF_FILE ? ISOAV_STATE_IDLE
                                             : ISOAV_STATE_FAILED,
             EndStatus);
}
