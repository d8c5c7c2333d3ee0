/*
 * Starting and stopping streams. Everything here runs at PASSIVE_LEVEL with
 * DEVICE_EXTENSION.Lock held.
 *
 * Bringing a stream up: select the alternate setting, which reserves the
 * bandwidth and yields the pipe; build a ring for that pipe; submit. Taking it
 * down is the reverse, and alternate 0 gives the bandwidth back.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stream.h"

#define FRAME_UF 8 /* microframes in a frame of 1 ms */

/* Fills in defaults and refuses what no ring can be made of. */
static NTSTATUS CheckStart(PDEVICE_EXTENSION Device, isoav_start *Start,
                           ULONG *PeriodUf)
{
    const CONFIG_ENDPOINT *endpoint;
    ULONG most;

    if (Start->reserved0 != 0 || Start->alternate == 0 ||
        Start->interface_number >= CONFIG_MAX_INTERFACES) {
        return STATUS_INVALID_PARAMETER;
    }
    endpoint = ConfigFindEndpoint(&Device->Config, Start->interface_number,
                                  Start->alternate, Start->endpoint);
    if (endpoint == NULL || !(endpoint->Address & 0x80)) {
        return STATUS_INVALID_PARAMETER;
    }
    Start->endpoint = endpoint->Address;
    *PeriodUf = ConfigPeriod(endpoint, Device->Speed);
    if (*PeriodUf == 0) {
        return STATUS_NOT_SUPPORTED;
    }
    if (Start->urbs == 0) {
        Start->urbs = ISOAV_URBS_DEFAULT;
    }
    if (Start->packets == 0) {
        Start->packets = ISOAV_PACKETS_DEFAULT / *PeriodUf;
    }
    if (Start->fifo_bytes == 0) {
        Start->fifo_bytes = ISOAV_FIFO_DEFAULT;
    }
    most = Device->Speed == ISOAV_SPEED_FULL ? 255 : ISOAV_PACKETS_MAX;
    if (Start->urbs < ISOAV_URBS_MIN || Start->urbs > ISOAV_URBS_MAX ||
        Start->packets > most || Start->packets % (FRAME_UF / *PeriodUf) != 0 ||
        Start->fifo_bytes < ISOAV_FIFO_MIN ||
        Start->fifo_bytes > ISOAV_FIFO_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS BringUp(PSTREAM Stream, PUSBD_PIPE_INFORMATION Pipe)
{
    PDEVICE_EXTENSION device = Stream->Device;
    const isoav_start *start = &Stream->Start;
    RING_PARAMETERS parameters;
    USBD_STATUS usbd;
    NTSTATUS status;

    status = IoAcquireRemoveLock(&device->RemoveLock, Stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status =
        DeviceSelectAlternate(device, start->interface_number, start->alternate,
                              start->endpoint, Pipe, &usbd);
    if (NT_SUCCESS(status) && Pipe->MaximumPacketSize == 0) {
        status = STATUS_DEVICE_DATA_ERROR;
    }
    if (NT_SUCCESS(status)) {
        parameters.Stream = Stream;
        parameters.Pipe = Pipe->PipeHandle;
        parameters.Place.Selection = ++device->Selections;
        parameters.Place.Interface = start->interface_number;
        parameters.Place.Alternate = start->alternate;
        parameters.Place.Endpoint = start->endpoint;
        parameters.Urbs = start->urbs;
        parameters.Packets = start->packets;
        parameters.PacketBytes = Pipe->MaximumPacketSize;
        status = RingCreate(device, &parameters, &Stream->Ring);
    }
    if (!NT_SUCCESS(status)) {
        Stream->Stats.usbd_status = (ULONG)usbd;
        DeviceSelectAlternate(device, start->interface_number, 0, 0, NULL,
                              &usbd);
        IoReleaseRemoveLock(&device->RemoveLock, Stream);
    }
    return status;
}

static VOID TakeDown(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;
    USBD_STATUS usbd;

    if (Stream->Ring == NULL) {
        return;
    }
    RingStop(Stream->Ring);
    if (device->State != DeviceGone && device->State != DeviceRemoved) {
        DeviceSelectAlternate(device, Stream->Start.interface_number, 0, 0,
                              NULL, &usbd);
    }
    RingFree(Stream->Ring);
    Stream->Ring = NULL;
    IoReleaseRemoveLock(&device->RemoveLock, Stream);
}

/* A fresh FIFO and fresh counters; records of an earlier start are gone. */
static NTSTATUS PrepareFifo(PSTREAM Stream)
{
    ULONG bytes = Stream->Start.fifo_bytes;
    PVOID memory = PoolAllocate(bytes);
    PVOID old;
    KIRQL irql;

    if (memory == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Stream->Lock, &irql);
    old = Stream->FifoMemory;
    Stream->FifoMemory = memory;
    FifoInitialize(&Stream->Fifo, memory, bytes);
    RtlZeroMemory(&Stream->Stats, sizeof(Stream->Stats));
    KeReleaseSpinLock(&Stream->Lock, irql);
    PoolFree(old);
    return STATUS_SUCCESS;
}

/* Reads wait from here on, and the ring runs. */
static VOID Run(PSTREAM Stream, ULONG PeriodUf, ULONG PacketBytes)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Ended = FALSE;
    Stream->RecordBytes = ISOAV_RECORD_BYTES(PacketBytes);
    Stream->FramesPerUrb = Stream->Start.packets * PeriodUf / FRAME_UF;
    Stream->NextFrameValid = FALSE;
    Stream->Stats.state = ISOAV_STATE_RUNNING;
    KeReleaseSpinLock(&Stream->Lock, irql);
    RingStart(Stream->Ring);
}

NTSTATUS StreamStart(PSTREAM Stream, const isoav_start *Start,
                     isoav_started *Started)
{
    PDEVICE_EXTENSION device = Stream->Device;
    USBD_PIPE_INFORMATION pipe;
    isoav_start start = *Start;
    ULONG period_uf;
    NTSTATUS status;

    if (Stream->Wanted) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    status = CheckStart(device, &start, &period_uf);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (device->Owner[start.interface_number] != NULL) {
        return STATUS_SHARING_VIOLATION;
    }
    Stream->Start = start;
    status = LogBegin(&device->Log);
    if (NT_SUCCESS(status)) {
        status = PrepareFifo(Stream);
    }
    if (NT_SUCCESS(status)) {
        status = BringUp(Stream, &pipe);
    }
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Stream->Wanted = TRUE;
    device->Owner[start.interface_number] = Stream;
    Started->urbs = start.urbs;
    Started->packets = start.packets;
    Started->packet_bytes = pipe.MaximumPacketSize;
    Started->period_uf = period_uf;
    Started->record_bytes = ISOAV_RECORD_BYTES(pipe.MaximumPacketSize);
    Started->fifo_bytes = start.fifo_bytes;
    Run(Stream, period_uf, pipe.MaximumPacketSize);
    return STATUS_SUCCESS;
}

NTSTATUS StreamStop(PSTREAM Stream, NTSTATUS EndStatus)
{
    if (!Stream->Wanted) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    StreamSetState(Stream, ISOAV_STATE_STOPPING);
    TakeDown(Stream);
    Stream->Wanted = FALSE;
    Stream->Device->Owner[Stream->Start.interface_number] = NULL;
    StreamEnd(Stream, EndStatus);
    return STATUS_SUCCESS;
}

static PSTREAM NextStream(PDEVICE_EXTENSION Device, PLIST_ENTRY *Link)
{
    *Link = (*Link)->Flink;
    return *Link == &Device->Streams ? NULL
                                     : CONTAINING_RECORD(*Link, STREAM, Link);
}

VOID StreamsHold(PDEVICE_EXTENSION Device)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Ring != NULL) {
            TakeDown(stream);
            StreamSetState(stream, ISOAV_STATE_HELD);
        }
    }
}

static VOID Resume(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;
    USBD_PIPE_INFORMATION pipe;
    ULONG period_uf;
    NTSTATUS status;

    status = CheckStart(device, &Stream->Start, &period_uf);
    if (NT_SUCCESS(status)) {
        status = BringUp(Stream, &pipe);
    }
    if (!NT_SUCCESS(status)) {
        StreamEnd(Stream, status);
        return;
    }
    Stream->Stats.restarts++;
    Run(Stream, period_uf, pipe.MaximumPacketSize);
}

VOID StreamsResume(PDEVICE_EXTENSION Device)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    if (!NT_SUCCESS(DeviceIsReady(Device))) {
        return;
    }
    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Wanted && stream->Ring == NULL) {
            Resume(stream);
        }
    }
}

VOID StreamsEnd(PDEVICE_EXTENSION Device, NTSTATUS EndStatus)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    while ((stream = NextStream(Device, &link)) != NULL) {
        StreamStop(stream, EndStatus);
    }
}
