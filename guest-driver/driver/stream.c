/*
 * A stream: what one open file receives.
 *
 *     ring --StreamReceive--> FIFO of records --Pump--> pending reads
 *
 * The ring's completion routine turns each packet into a record. Pump gives
 * records to reads whenever there are both; it runs after every change of
 * either side. The IRPs that it served are completed after the spin lock has
 * been released.
 *
 * A stream that was started is *wanted* until it is stopped or its file is
 * closed. Whether it has a ring depends on the device too: PnP and power take
 * rings away (StreamsHold) and bring them back (StreamsResume).
 *
 * SPDX-License-Identifier: MIT
 */
#include "stream.h"

/* --- life -------------------------------------------------------------- */

static VOID FinishRead(PSTREAM Stream, PIRP Irp, NTSTATUS Status,
                       ULONG_PTR Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;

    CompleteIrp(Irp, Status, Bytes);
    StreamDereference(Stream);
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
}

static VOID ReadCancelled(PREAD_QUEUE Queue, PIRP Irp)
{
    FinishRead(CONTAINING_RECORD(Queue, STREAM, Reads), Irp, STATUS_CANCELLED,
               0);
}

NTSTATUS StreamCreate(PDEVICE_EXTENSION Device, PSTREAM *Stream)
{
    PSTREAM stream = PoolAllocate(sizeof(*stream));

    *Stream = stream;
    if (stream == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    stream->Device = Device;
    stream->References = 1;
    KeInitializeSpinLock(&stream->Lock);
    QueueInitialize(&stream->Reads, &stream->Lock, ReadCancelled);
    stream->EndStatus = STATUS_INVALID_DEVICE_STATE;
    DeviceLock(Device);
    InsertTailList(&Device->Streams, &stream->Link);
    DeviceUnlock(Device);
    return STATUS_SUCCESS;
}

VOID StreamDereference(PSTREAM Stream)
{
    if (InterlockedDecrement(&Stream->References) == 0) {
        PoolFree(Stream->FifoMemory);
        PoolFree(Stream);
    }
}

VOID StreamClose(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;

    DeviceLock(device);
    StreamStop(Stream, STATUS_FILE_CLOSED);
    RemoveEntryList(&Stream->Link);
    InitializeListHead(&Stream->Link);
    DeviceUnlock(device);
}

/* --- reads -------------------------------------------------------------- */

/*
 * Serves one read from the FIFO, or ends it. FALSE: it must wait. The lock is
 * held.
 */
static BOOLEAN ServeLocked(PSTREAM Stream, PIRP *Served)
{
    PIO_STACK_LOCATION stack;
    PIRP irp;

    if (FifoIsEmpty(&Stream->Fifo) && !Stream->Ended) {
        return FALSE;
    }
    irp = QueueRemoveLocked(&Stream->Reads);
    *Served = irp;
    if (irp == NULL) {
        return FALSE;
    }
    stack = IoGetCurrentIrpStackLocation(irp);
    if (FifoIsEmpty(&Stream->Fifo)) {
        irp->IoStatus.Information = 0;
        irp->IoStatus.Status = Stream->EndStatus;
        return TRUE;
    }
    irp->IoStatus.Information =
        FifoGet(&Stream->Fifo, irp->Tail.Overlay.DriverContext[1],
                stack->Parameters.Read.Length);
    irp->IoStatus.Status = irp->IoStatus.Information != 0
                               ? STATUS_SUCCESS
                               : STATUS_BUFFER_TOO_SMALL;
    return TRUE;
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
        FinishRead(Stream, irp, irp->IoStatus.Status,
                   irp->IoStatus.Information);
    }
}

NTSTATUS StreamRead(PSTREAM Stream, PIRP Irp, PVOID Va)
{
    Irp->Tail.Overlay.DriverContext[1] = Va;
    InterlockedIncrement(&Stream->References);
    InterlockedIncrement(&Stream->References);
    IoMarkIrpPending(Irp);
    if (QueueInsert(&Stream->Reads, Irp)) {
        Pump(Stream);
    } else {
        FinishRead(Stream, Irp, STATUS_CANCELLED, 0);
    }
    StreamDereference(Stream); /* the IRP had the other one */
    return STATUS_PENDING;
}

VOID StreamCancelReads(PSTREAM Stream)
{
    KIRQL irql;
    PIRP irp;

    for (;;) {
        KeAcquireSpinLock(&Stream->Lock, &irql);
        irp = QueueRemoveLocked(&Stream->Reads);
        KeReleaseSpinLock(&Stream->Lock, irql);
        if (irp == NULL) {
            return;
        }
        FinishRead(Stream, irp, STATUS_CANCELLED, 0);
    }
}

/* No more records will come: reads end once the FIFO is empty. */
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
    Stream->Stats.urbs++;
    if (!USBD_SUCCESS(urb->Hdr.Status)) {
        Stream->Stats.urbs_failed++;
    }
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
        CountStatusLocked(&Stream->Stats, urb->IsoPacket[i].Status);
        Stream->Stats.bytes += record.length;
        if (!FifoPut(&Stream->Fifo, &record, Data + i * PacketBytes)) {
            Stream->Stats.overflow_packets++;
        }
    }
    KeReleaseSpinLock(&Stream->Lock, irql);
    Pump(Stream);
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
