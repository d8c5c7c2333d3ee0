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

/* What is wrong with a request, whatever the device has. */
static BOOLEAN IsWellFormed(const isoav_start *Start)
{
    if (Start->flags & ~(ISOAV_START_FRAMES | ISOAV_START_FALL_BACK)) {
        return FALSE;
    }
    return Start->interface_number < CONFIG_MAX_INTERFACES &&
           (Start->alternate != 0 || Start->flags & ISOAV_START_FALL_BACK);
}

static const CONFIG_ENDPOINT *FirstEndpoint(PDEVICE_EXTENSION Device,
                                            const isoav_start *Start)
{
    return Start->alternate != 0
               ? ConfigFindEndpoint(&Device->Config, Start->interface_number,
                                    Start->alternate, Start->endpoint)
               : ConfigNextSmaller(&Device->Config, Start->interface_number,
                                   Start->endpoint, Device->Speed, NULL);
}

/*
 * Fills in defaults for an endpoint and refuses what no ring can be made of.
 */
static NTSTATUS CheckStart(PDEVICE_EXTENSION Device,
                           const CONFIG_ENDPOINT *Endpoint, isoav_start *Start,
                           ULONG *PeriodUf)
{
    ULONG most = Device->Speed == ISOAV_SPEED_FULL ? 255 : ISOAV_PACKETS_MAX;

    if (Endpoint == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    Start->endpoint = Endpoint->Address;
    Start->alternate = Endpoint->Alternate;
    *PeriodUf = ConfigPeriod(Endpoint, Device->Speed);
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
    if (Start->urbs < ISOAV_URBS_MIN || Start->urbs > ISOAV_URBS_MAX ||
        Start->packets > most || Start->packets % (FRAME_UF / *PeriodUf) != 0 ||
        Start->fifo_bytes < ISOAV_FIFO_MIN ||
        Start->fifo_bytes > ISOAV_FIFO_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    return STATUS_SUCCESS;
}

/* OUT: half of the FIFO, and not more than a spin lock should be held for. */
static ULONG WriteBytes(const isoav_start *Start)
{
    ULONG bytes = Start->fifo_bytes / 2;

    return bytes < ISOAV_WRITE_BYTES_MAX ? bytes : ISOAV_WRITE_BYTES_MAX;
}

/*
 * Records of an URB must fit one half of the FIFO while a write takes the
 * other: else the ring and a pending write would wait for each other.
 */
static BOOLEAN IsFifoLargeEnough(const isoav_start *Start, ULONG PacketBytes)
{
    return Start->endpoint & 0x80 ||
           (ULONGLONG)Start->packets * ISOAV_RECORD_BYTES(PacketBytes) <=
               Start->fifo_bytes / 2;
}

/* The pipe and its ring, or nothing. */
static NTSTATUS MakeRing(PSTREAM Stream, USBD_STATUS *UsbdStatus)
{
    PDEVICE_EXTENSION device = Stream->Device;
    const isoav_start *start = &Stream->Start;
    RING_PARAMETERS parameters = { 0 };
    NTSTATUS status;

    status = InterfaceAcquire(device, start, &parameters.Pipe, UsbdStatus);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    parameters.Stream = Stream;
    parameters.Place.Selection =
        device->Interface[start->interface_number].Selection;
    parameters.Place.Interface = start->interface_number;
    parameters.Place.Alternate = start->alternate;
    parameters.Place.Endpoint = start->endpoint;
    parameters.Urbs = start->urbs;
    parameters.Packets = start->packets;
    parameters.PacketBytes = parameters.Pipe->Information.MaximumPacketSize;
    parameters.Frames = start->packets * Stream->PeriodUf / FRAME_UF;
    parameters.NamesFrames = (start->flags & ISOAV_START_FRAMES) != 0;
    Stream->PacketBytes = parameters.PacketBytes;
    if (!IsFifoLargeEnough(start, parameters.PacketBytes)) {
        status = STATUS_INVALID_PARAMETER;
    } else {
        status = RingCreate(device, &parameters, &Stream->Ring);
    }
    if (!NT_SUCCESS(status)) {
        InterfaceRelease(device, start->interface_number);
    }
    return status;
}

static NTSTATUS BringUp(PSTREAM Stream, USBD_STATUS *UsbdStatus)
{
    PDEVICE_EXTENSION device = Stream->Device;
    NTSTATUS status;

    *UsbdStatus = USBD_STATUS_SUCCESS;
    status = IoAcquireRemoveLock(&device->RemoveLock, Stream);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = MakeRing(Stream, UsbdStatus);
    if (!NT_SUCCESS(status)) {
        Stream->Stats.usbd_status = (ULONG)*UsbdStatus;
        IoReleaseRemoveLock(&device->RemoveLock, Stream);
    }
    return status;
}

static VOID TakeDown(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;

    if (Stream->Ring == NULL) {
        return;
    }
    RingStop(Stream->Ring);
    InterfaceRelease(device, Stream->Start.interface_number);
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
    Stream->Starved = TRUE; /* nothing has been written yet */
    Stream->Recoveries = 0;
    KeReleaseSpinLock(&Stream->Lock, irql);
    PoolFree(old);
    return STATUS_SUCCESS;
}

/* Reads wait from here on, and the ring runs. */
static VOID Run(PSTREAM Stream)
{
    KIRQL irql;

    KeAcquireSpinLock(&Stream->Lock, &irql);
    Stream->Ended = FALSE;
    Stream->In = (Stream->Start.endpoint & 0x80) != 0;
    Stream->RecordBytes = ISOAV_RECORD_BYTES(Stream->PacketBytes);
    Stream->WriteBytes = Stream->In ? 0 : WriteBytes(&Stream->Start);
    Stream->FramesPerUrb = Stream->Start.packets * Stream->PeriodUf / FRAME_UF;
    Stream->NextFrameValid = FALSE;
    Stream->Stats.state = ISOAV_STATE_RUNNING;
    KeReleaseSpinLock(&Stream->Lock, irql);
    RingStart(Stream->Ring);
}

static PSTREAM NextStream(PDEVICE_EXTENSION Device, PLIST_ENTRY *Link)
{
    *Link = (*Link)->Flink;
    return *Link == &Device->Streams ? NULL
                                     : CONTAINING_RECORD(*Link, STREAM, Link);
}

BOOLEAN StreamsUse(PDEVICE_EXTENSION Device, UCHAR Interface)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Wanted && stream->Start.interface_number == Interface) {
            return TRUE;
        }
    }
    return FALSE;
}

/* Another file's stream has the endpoint, or the interface in another way. */
static BOOLEAN IsTaken(PDEVICE_EXTENSION Device, const isoav_start *Start)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Wanted &&
            stream->Start.interface_number == Start->interface_number &&
            (stream->Start.endpoint == Start->endpoint ||
             stream->Start.alternate != Start->alternate)) {
            return TRUE;
        }
    }
    return FALSE;
}

/* One alternate setting; *UsbdStatus tells whether a smaller one may do. */
static NTSTATUS TryStart(PSTREAM Stream, const isoav_start *Start,
                         const CONFIG_ENDPOINT *Endpoint,
                         USBD_STATUS *UsbdStatus)
{
    PDEVICE_EXTENSION device = Stream->Device;
    isoav_start start = *Start;
    NTSTATUS status;

    *UsbdStatus = USBD_STATUS_SUCCESS;
    status = CheckStart(device, Endpoint, &start, &Stream->PeriodUf);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (IsTaken(device, &start)) {
        return STATUS_SHARING_VIOLATION;
    }
    Stream->Start = start;
    status = LogBegin(&device->Log);
    if (NT_SUCCESS(status)) {
        status = PrepareFifo(Stream);
    }
    return NT_SUCCESS(status) ? BringUp(Stream, UsbdStatus) : status;
}

static VOID DescribeStart(PSTREAM Stream, isoav_started *Started)
{
    const isoav_start *start = &Stream->Start;

    RtlZeroMemory(Started, sizeof(*Started));
    Started->urbs = start->urbs;
    Started->packets = start->packets;
    Started->packet_bytes = Stream->PacketBytes;
    Started->period_uf = Stream->PeriodUf;
    Started->record_bytes = ISOAV_RECORD_BYTES(Stream->PacketBytes);
    Started->fifo_bytes = start->fifo_bytes;
    Started->write_bytes = start->endpoint & 0x80 ? 0 : WriteBytes(start);
    Started->alternate = start->alternate;
    Started->endpoint = start->endpoint;
}

NTSTATUS StreamStart(PSTREAM Stream, const isoav_start *Start,
                     isoav_started *Started)
{
    PDEVICE_EXTENSION device = Stream->Device;
    const CONFIG_ENDPOINT *endpoint;
    isoav_start start = *Start;
    USBD_STATUS usbd;
    NTSTATUS status;

    if (Stream->IsClosed) {
        return STATUS_FILE_CLOSED;
    }
    if (Stream->Wanted) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (!IsWellFormed(&start)) {
        return STATUS_INVALID_PARAMETER;
    }
    endpoint = FirstEndpoint(device, &start);
    do {
        status = TryStart(Stream, &start, endpoint, &usbd);
        if (usbd != USBD_STATUS_NO_BANDWIDTH ||
            !(start.flags & ISOAV_START_FALL_BACK)) {
            break;
        }
        endpoint =
            ConfigNextSmaller(&device->Config, start.interface_number,
                              endpoint->Address, device->Speed, endpoint);
    } while (endpoint != NULL);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    Stream->Wanted = TRUE;
    DescribeStart(Stream, Started);
    Run(Stream);
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
    StreamEnd(Stream, EndStatus);
    return STATUS_SUCCESS;
}

/* A new ring for a stream that has none. */
static NTSTATUS Resume(PSTREAM Stream)
{
    PDEVICE_EXTENSION device = Stream->Device;
    const CONFIG_ENDPOINT *endpoint = FirstEndpoint(device, &Stream->Start);
    USBD_STATUS usbd;
    NTSTATUS status;

    status = CheckStart(device, endpoint, &Stream->Start, &Stream->PeriodUf);
    if (NT_SUCCESS(status)) {
        status = BringUp(Stream, &usbd);
    }
    if (!NT_SUCCESS(status)) {
        StreamEnd(Stream, status);
        return status;
    }
    Stream->Stats.restarts++;
    Run(Stream);
    return STATUS_SUCCESS;
}

/* --- recovery ------------------------------------------------------------- */

#define RECOVERIES_MAX 3

/* The ring that failed is taken down here, where one can wait for it. */
static VOID NTAPI RecoverWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PSTREAM stream = Context;
    PDEVICE_EXTENSION device = stream->Device;

    UNREFERENCED_PARAMETER(DeviceObject);
    DeviceLock(device);
    InterlockedExchange(&stream->IsRecovering, FALSE);
    if (stream->Wanted && stream->Ring != NULL && RingHasFailed(stream->Ring)) {
        TakeDown(stream);
        if (NT_SUCCESS(DeviceIsReady(device))) {
            Resume(stream);
        } else {
            StreamSetState(stream, ISOAV_STATE_HELD);
        }
    }
    DeviceUnlock(device);
    StreamDereference(stream);
    IoReleaseRemoveLock(&device->RemoveLock, RecoverWork);
}

VOID StreamRecover(PSTREAM Stream, NTSTATUS Status)
{
    PDEVICE_EXTENSION device = Stream->Device;

    if (Stream->Recoveries++ >= RECOVERIES_MAX ||
        !NT_SUCCESS(IoAcquireRemoveLock(&device->RemoveLock, RecoverWork))) {
        StreamFailed(Stream, Status);
        return;
    }
    if (InterlockedExchange(&Stream->IsRecovering, TRUE)) {
        IoReleaseRemoveLock(&device->RemoveLock, RecoverWork);
        return;
    }
    InterlockedIncrement(&Stream->References);
    IoQueueWorkItem(Stream->Recovery, RecoverWork, DelayedWorkQueue, Stream);
}

/* --- all streams of a device ----------------------------------------------
 *
 * One that has failed has said so to who reads, or writes: it stays failed
 * until it is started again.
 */

VOID StreamsHold(PDEVICE_EXTENSION Device)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Ring != NULL) {
            TakeDown(stream);
            if (!stream->Ended) {
                StreamSetState(stream, ISOAV_STATE_HELD);
            }
        }
    }
}

VOID StreamsResume(PDEVICE_EXTENSION Device)
{
    PLIST_ENTRY link = &Device->Streams;
    PSTREAM stream;

    if (!NT_SUCCESS(DeviceIsReady(Device))) {
        return;
    }
    while ((stream = NextStream(Device, &link)) != NULL) {
        if (stream->Wanted && !stream->Ended && stream->Ring == NULL) {
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
