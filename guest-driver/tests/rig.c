/* SPDX-License-Identifier: MIT */
#include "rig.h"

/* A pipe's handle is its endpoint's address. */
#define PIPE_HANDLE(address) ((PVOID)(ULONG_PTR)(address))

rig_state rig;

static DEVICE_OBJECT self = { .StackSize = 2 };
static DEVICE_OBJECT lower = { .StackSize = 1 };

/* --- the driver below ------------------------------------------------------
 */

static bool is_in(const struct _URB_ISOCH_TRANSFER *u)
{
    return (ULONG_PTR)u->PipeHandle & 0x80;
}

/* Packets that follow each other without a hole, each with something in it. */
static void check_out_packets(const struct _URB_ISOCH_TRANSFER *u)
{
    ULONG i, end;

    g_assert_cmpuint(u->IsoPacket[0].Offset, ==, 0);
    for (i = 0; i < u->NumberOfPackets; i++) {
        end = i + 1 < u->NumberOfPackets ? u->IsoPacket[i + 1].Offset
                                         : u->TransferBufferLength;
        g_assert_cmpuint(end, >, u->IsoPacket[i].Offset);
        g_assert_cmpuint(end - u->IsoPacket[i].Offset, <=,
                         rig.started.packet_bytes);
    }
}

/* Rule 1 of ring.c: every field, every time. */
static void check_urb(const struct _URB_ISOCH_TRANSFER *u)
{
    ULONG i, flags = is_in(u) ? USBD_TRANSFER_DIRECTION_IN : 0;

    g_assert_cmpuint(u->Hdr.Function, ==, URB_FUNCTION_ISOCH_TRANSFER);
    g_assert_cmpuint(u->Hdr.Length, ==, GET_ISO_URB_SIZE(rig.started.packets));
    g_assert_cmphex(u->Hdr.Status, ==, 0);
    flags |= rig.names_frames ? 0 : USBD_START_ISO_TRANSFER_ASAP;
    g_assert_cmphex(u->TransferFlags, ==, flags);
    g_assert_cmpuint(u->NumberOfPackets, ==, rig.started.packets);
    g_assert_nonnull(u->TransferBuffer);
    g_assert_null(u->TransferBufferMDL);
    g_assert_null(u->UrbLink);
    g_assert_cmpuint(u->ErrorCount, ==, 0);
    if (!is_in(u)) {
        check_out_packets(u);
    } else {
        g_assert_cmpuint(u->TransferBufferLength, ==,
                         rig.started.packets * rig.started.packet_bytes);
    }
    for (i = 0; i < rig.started.packets; i++) {
        if (is_in(u)) {
            g_assert_cmpuint(u->IsoPacket[i].Offset, ==,
                             i * rig.started.packet_bytes);
        }
        g_assert_cmpuint(u->IsoPacket[i].Length, ==, 0);
        g_assert_cmphex(u->IsoPacket[i].Status, ==, 0);
    }
}

PURB rig_urb(PIRP irp)
{
    return irp->Next.Parameters.Others.Argument1;
}

/* What is not isochronous is done at once. FALSE: it is isochronous. */
static bool usb_request(PIRP irp)
{
    PURB urb = rig_urb(irp);

    urb->UrbHeader.Status = USBD_STATUS_SUCCESS;
    switch (urb->UrbHeader.Function) {
    case URB_FUNCTION_SELECT_INTERFACE:
        g_assert_true(g_queue_is_empty(&rig.bus)); /* drained before */
        g_string_append_printf(
            rig.events, "alt%u.%u ",
            urb->UrbSelectInterface.Interface.InterfaceNumber,
            urb->UrbSelectInterface.Interface.AlternateSetting);
        break;
    case URB_FUNCTION_ABORT_PIPE:
        g_string_append(rig.events, "abort ");
        if (!rig.deaf) {
            rig_cancel_pipe((UCHAR)(ULONG_PTR)urb->UrbPipeRequest.PipeHandle);
        }
        break;
    case URB_FUNCTION_GET_CURRENT_FRAME_NUMBER:
        urb->UrbGetCurrentFrameNumber.FrameNumber = rig.frame;
        break;
    default:
        return false;
    }
    host_complete_below(irp, STATUS_SUCCESS);
    return true;
}

static NTSTATUS usb_driver(PIRP irp)
{
    g_assert_cmphex(irp->Next.MajorFunction, ==,
                    IRP_MJ_INTERNAL_DEVICE_CONTROL);
    if (usb_request(irp)) {
        return STATUS_PENDING;
    }
    rig.submissions++;
    g_assert_cmpuint(rig.submissions, <, 10000); /* for ever */
    if (++rig.depth > rig.deepest) {
        rig.deepest = rig.depth;
    }
    if (rig.inline_fail) {
        rig_urb(irp)->UrbHeader.Status = rig.inline_fail;
        host_complete_below(irp, STATUS_UNSUCCESSFUL);
    } else {
        g_queue_push_tail(&rig.bus, irp);
    }
    rig.depth--;
    return STATUS_PENDING;
}

/* An URB ends; its packets get packet_status. */
static void complete(PIRP irp, USBD_STATUS urb_status, NTSTATUS status,
                     USBD_STATUS packet_status)
{
    struct _URB_ISOCH_TRANSFER *u = &rig_urb(irp)->UrbIsochronousTransfer;
    ULONG i;

    check_urb(u);
    u->Hdr.Status = urb_status;
    if (!rig.names_frames) {
        u->StartFrame = rig.frame;
    }
    u->ErrorCount = 77;
    rig.frame += rig.started.packets * rig.started.period_uf / 8;
    for (i = 0; i < u->NumberOfPackets; i++) {
        UCHAR *data = (PUCHAR)u->TransferBuffer + u->IsoPacket[i].Offset;

        u->IsoPacket[i].Status = packet_status;
        if (!is_in(u)) {
            continue;
        }
        u->IsoPacket[i].Length = packet_status ? 0 : 4 + rig.number % 5;
        memset(data, (int)(rig.number & 0xff), 16);
        rig.number++;
    }
    if (!is_in(u)) {
        u->TransferBufferLength = 0; /* what is left there is the stack's */
    }
    host.irql = DISPATCH_LEVEL; /* where Windows completes URBs */
    host_complete_below(irp, status);
    host.irql = PASSIVE_LEVEL;
}

void rig_complete_as(USBD_STATUS urb_status, NTSTATUS status,
                     USBD_STATUS packet_status)
{
    complete(g_queue_pop_head(&rig.bus), urb_status, status, packet_status);
}

void rig_complete(void)
{
    rig_complete_as(0, STATUS_SUCCESS, 0);
}

void rig_cancel_all(void)
{
    while (!g_queue_is_empty(&rig.bus)) {
        rig_complete_as(USBD_STATUS_CANCELED, STATUS_CANCELLED,
                        USBD_STATUS_CANCELED);
    }
}

void rig_cancel_pipe(UCHAR address)
{
    GList *link = rig.bus.head, *next;

    for (; link; link = next) {
        PIRP irp = link->data;

        next = link->next;
        if (rig_urb(irp)->UrbIsochronousTransfer.PipeHandle ==
            PIPE_HANDLE(address)) {
            g_queue_delete_link(&rig.bus, link);
            complete(irp, USBD_STATUS_CANCELED, STATUS_CANCELLED,
                     USBD_STATUS_CANCELED);
        }
    }
}

/* What device.c and entry.c do, as far as streams can tell. */

NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device)
{
    return Device->State == DeviceStarted ? STATUS_SUCCESS
                                          : STATUS_DEVICE_NOT_READY;
}

/* Interface 0 has one endpoint, interface 1 two. */
static void give_pipes(UCHAR interface, PINTERFACE_USE use)
{
    static const UCHAR addresses[2][2] = { { 0x81 }, { 0x02, 0x82 } };
    ULONG i;

    memset(use->Pipe, 0, sizeof(use->Pipe));
    use->Pipes = interface ? 2 : 1;
    for (i = 0; i < use->Pipes; i++) {
        USBD_PIPE_INFORMATION *pipe = &use->Pipe[i].Information;

        pipe->EndpointAddress = addresses[interface][i];
        pipe->PipeHandle = PIPE_HANDLE(pipe->EndpointAddress);
        pipe->MaximumPacketSize = interface ? 192 : 2048;
    }
}

NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, PINTERFACE_USE Use,
                               USBD_STATUS *UsbdStatus)
{
    g_assert_true(Device == &rig.device);
    g_assert_true(g_queue_is_empty(&rig.bus)); /* drained before */
    g_string_append_printf(rig.events, "alt%u.%u ", Interface, Alternate);
    *UsbdStatus = 0;
    if (Alternate && (!NT_SUCCESS(rig.select_status) ||
                      (rig.most_alternate && Alternate > rig.most_alternate))) {
        *UsbdStatus = USBD_STATUS_NO_BANDWIDTH;
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (Use) {
        give_pipes(Interface, Use);
    }
    return STATUS_SUCCESS;
}

NTSTATUS DevicePrepareAlternate0(PDEVICE_EXTENSION Device, UCHAR Interface,
                                 PUSB_REQUEST Request)
{
    PURB urb;
    NTSTATUS status = USBD_UrbAllocate(Device->Usbd, &urb);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    urb->UrbHeader.Function = URB_FUNCTION_SELECT_INTERFACE;
    urb->UrbSelectInterface.Interface.InterfaceNumber = Interface;
    return UsbPrepare(Device, urb, Request);
}

VOID DeviceLock(PDEVICE_EXTENSION Device)
{
    g_assert_cmpint(Device->Lock.Signalled, ==, 0);
    Device->Lock.Signalled = 1;
}

VOID DeviceUnlock(PDEVICE_EXTENSION Device)
{
    g_assert_cmpint(Device->Lock.Signalled, ==, 1);
    Device->Lock.Signalled = 0;
}

PVOID PoolAllocate(SIZE_T Bytes)
{
    PVOID memory = ExAllocatePoolWithTag(NonPagedPool, Bytes, ISOAV_TAG);

    return memory ? memset(memory, 0, Bytes) : NULL;
}

VOID PoolFree(PVOID Memory)
{
    if (Memory) {
        ExFreePoolWithTag(Memory, ISOAV_TAG);
    }
}

NTSTATUS CompleteIrp(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

/* --- a file and its reads */

static void transfer(unsigned i, ULONG length)
{
    rig_read *r = &rig.read[i];

    memset(&r->irp, 0, sizeof(r->irp));
    g_assert_cmphex(IoAcquireRemoveLock(&rig.device.RemoveLock, &r->irp), ==,
                    0);
    g_assert_cmphex(StreamTransfer(rig.stream, &r->irp, r->data, length), ==,
                    STATUS_PENDING);
    g_assert_true(r->irp.PendingReturned);
}

void rig_start_read(unsigned i, ULONG length)
{
    memset(rig.read[i].data, 0, sizeof(rig.read[i].data));
    transfer(i, length);
}

void rig_start_write(unsigned i, ULONG length)
{
    transfer(i, length);
}

ULONG rig_put_record(unsigned i, ULONG at, ULONG length, UCHAR fill)
{
    isoav_record record = { .record_bytes = ISOAV_RECORD_BYTES(length),
                            .length = length };

    memcpy(rig.read[i].data + at, &record, sizeof(record));
    memset(rig.read[i].data + at + sizeof(record), fill, length);
    return at + record.record_bytes;
}

isoav_record rig_record(unsigned i, ULONG_PTR at)
{
    isoav_record record;

    memcpy(&record, rig.read[i].data + at, sizeof(record));
    return record;
}

void rig_check_read(unsigned i, uint64_t first, unsigned count)
{
    ULONG_PTR at = 0;
    unsigned n;

    g_assert_true(rig.read[i].irp.IsCompleted);
    g_assert_cmphex(rig.read[i].irp.IoStatus.Status, ==, STATUS_SUCCESS);
    for (n = 0; n < count; n++) {
        isoav_record r = rig_record(i, at);

        g_assert_cmpuint(r.packet_number, ==, first + n);
        g_assert_cmpuint(r.packet_index, ==, (first + n) % rig.started.packets);
        g_assert_cmpuint(r.length, ==, 4 + (first + n) % 5);
        g_assert_cmphex(r.packet_status, ==, 0);
        g_assert_cmphex(rig.read[i].data[at + sizeof(r)], ==,
                        (first + n) & 0xff);
        at += r.record_bytes;
    }
    g_assert_cmpuint(rig.read[i].irp.IoStatus.Information, ==, at);
}

void rig_check_ended(unsigned i, NTSTATUS status)
{
    g_assert_true(rig.read[i].irp.IsCompleted);
    g_assert_cmphex(rig.read[i].irp.IoStatus.Status, ==, status);
    g_assert_cmpuint(rig.read[i].irp.IoStatus.Information, ==, 0);
}

isoav_stats rig_stats(void)
{
    isoav_stats s;

    StreamGetStats(rig.stream, &s);
    return s;
}

NTSTATUS rig_start(isoav_start start)
{
    NTSTATUS status;

    DeviceLock(&rig.device);
    status = StreamStart(rig.stream, &start, &rig.started);
    DeviceUnlock(&rig.device);
    return status;
}

void rig_begin(void)
{
    host_reset();
    host.lower = usb_driver;
    memset(&rig, 0, sizeof(rig));
    rig.events = g_string_new("");
    rig.frame = 1000;
    rig.device.Self = &self;
    rig.device.Lower = &lower;
    rig.device.State = DeviceStarted;
    rig.device.Speed = ISOAV_SPEED_HIGH;
    InitializeListHead(&rig.device.Streams);
    rig.device.Config.Endpoints = 6;
    rig.device.Config.Endpoint[0] =
        (CONFIG_ENDPOINT){ 0, 4, 0x81, 1, 0x0c00, 0 };
    rig.device.Config.Endpoint[1] =
        (CONFIG_ENDPOINT){ 1, 1, 0x02, 1, 0x00c0, 0 };
    rig.device.Config.Endpoint[2] =
        (CONFIG_ENDPOINT){ 1, 4, 0x82, 5, 0x0400, 0 };
    rig.device.Config.Endpoint[3] =
        (CONFIG_ENDPOINT){ 1, 1, 0x82, 1, 0x00c0, 0 };
    rig.device.Config.Endpoint[4] =
        (CONFIG_ENDPOINT){ 0, 1, 0x81, 1, 0x00c0, 0 };
    rig.device.Config.Endpoint[5] =
        (CONFIG_ENDPOINT){ 0, 3, 0x81, 1, 0x0400, 0 };
    g_assert_cmphex(USBD_CreateHandle(&self, &lower,
                                      USBD_CLIENT_CONTRACT_VERSION_602,
                                      ISOAV_TAG, &rig.device.Usbd),
                    ==, STATUS_SUCCESS);
    g_assert_cmphex(StreamCreate(&rig.device, &rig.stream), ==, STATUS_SUCCESS);
}

isoav_start rig_small_start(void)
{
    return (isoav_start){
        .alternate = 4, .urbs = 3, .packets = 8, .fifo_bytes = 65536
    };
}

void rig_begin_started(void)
{
    /* Known before, so that usb_driver can check the first URBs. */
    const isoav_started expected = {
        3, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0
    };

    rig_begin();
    rig.started = expected;
    g_assert_cmphex(rig_start(rig_small_start()), ==, STATUS_SUCCESS);
    g_assert_cmpmem(&rig.started, sizeof(rig.started), &expected,
                    sizeof(expected));
    g_assert_cmpuint(rig.submissions, ==, 3);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
}

void rig_stop(NTSTATUS expected)
{
    DeviceLock(&rig.device);
    g_assert_cmphex(StreamStop(rig.stream, STATUS_END_OF_FILE), ==, expected);
    DeviceUnlock(&rig.device);
}

void rig_end(void)
{
    StreamCancelTransfers(rig.stream);
    StreamClose(rig.stream);
    StreamDereference(rig.stream);
    g_assert_cmpint(rig.device.RemoveLock.Count, ==, 0);
    g_assert_true(IsListEmpty(&rig.device.Streams));
    LogFree(&rig.device.Log);
    USBD_CloseHandle(rig.device.Usbd);
    g_assert_cmpstr(host.log->str, ==, "");
    g_string_free(rig.events, TRUE);
    host_check_clean();
}
