/*
 * Streaming, end to end inside the driver: ring, stream, read queue and FIFO
 * on the small kernel of host/, over a driver below that holds URBs until the
 * test completes them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "host/host.h"

#include "driver.h"

#define HANDLE_OF_PIPE ((PVOID)0x81)
#define READ_BYTES 65536

static DEVICE_OBJECT self = { .StackSize = 2 };
static DEVICE_OBJECT lower = { .StackSize = 1 };
static DEVICE_EXTENSION device;
static PSTREAM stream;
static isoav_started started;

/* --- the driver below and the device -------------------------------------- */

static GQueue bus;              /* IRPs that it holds */
static GString *events;         /* what was asked of the device, in order */
static unsigned submissions;    /* isochronous URBs so far */
static USBD_STATUS inline_fail; /* URBs fail at once with this */
static bool deaf;               /* abort has no effect */
static NTSTATUS select_status;
static ULONG frame;     /* the bus's clock */
static unsigned number; /* of the next packet, for its contents */
static unsigned depth, deepest;

/* Rule 1 of ring.c: every field, every time. */
static void check_urb(const struct _URB_ISOCH_TRANSFER *u)
{
    ULONG i;

    g_assert_cmpuint(u->Hdr.Function, ==, URB_FUNCTION_ISOCH_TRANSFER);
    g_assert_cmpuint(u->Hdr.Length, ==, GET_ISO_URB_SIZE(started.packets));
    g_assert_cmphex(u->Hdr.Status, ==, 0);
    g_assert_true(u->PipeHandle == HANDLE_OF_PIPE);
    g_assert_cmphex(u->TransferFlags, ==,
                    USBD_TRANSFER_DIRECTION_IN | USBD_START_ISO_TRANSFER_ASAP);
    g_assert_cmpuint(u->NumberOfPackets, ==, started.packets);
    g_assert_cmpuint(u->TransferBufferLength, ==,
                     started.packets * started.packet_bytes);
    g_assert_nonnull(u->TransferBuffer);
    g_assert_null(u->TransferBufferMDL);
    g_assert_null(u->UrbLink);
    g_assert_cmpuint(u->ErrorCount, ==, 0);
    for (i = 0; i < started.packets; i++) {
        g_assert_cmpuint(u->IsoPacket[i].Offset, ==, i * started.packet_bytes);
        g_assert_cmpuint(u->IsoPacket[i].Length, ==, 0);
        g_assert_cmphex(u->IsoPacket[i].Status, ==, 0);
    }
}

static PURB urb_of(PIRP irp)
{
    return irp->Next.Parameters.Others.Argument1;
}

static NTSTATUS usb_driver(PIRP irp)
{
    g_assert_cmphex(irp->Next.MajorFunction, ==,
                    IRP_MJ_INTERNAL_DEVICE_CONTROL);
    submissions++;
    if (++depth > deepest) {
        deepest = depth;
    }
    if (inline_fail) {
        urb_of(irp)->UrbHeader.Status = inline_fail;
        host_complete_below(irp, STATUS_UNSUCCESSFUL);
    } else {
        g_queue_push_tail(&bus, irp);
    }
    depth--;
    return STATUS_PENDING;
}

/* The next URB on the bus ends; its packets get packet_status. */
static void complete_as(USBD_STATUS urb_status, NTSTATUS status,
                        USBD_STATUS packet_status)
{
    PIRP irp = g_queue_pop_head(&bus);
    struct _URB_ISOCH_TRANSFER *u = &urb_of(irp)->UrbIsochronousTransfer;
    ULONG i;

    check_urb(u);
    u->Hdr.Status = urb_status;
    u->StartFrame = frame;
    u->ErrorCount = 77;
    frame += started.packets * started.period_uf / 8;
    for (i = 0; i < u->NumberOfPackets; i++) {
        UCHAR *data = (PUCHAR)u->TransferBuffer + u->IsoPacket[i].Offset;

        u->IsoPacket[i].Status = packet_status;
        u->IsoPacket[i].Length = packet_status ? 0 : 4 + number % 5;
        memset(data, (int)(number & 0xff), 16);
        number++;
    }
    host.irql = DISPATCH_LEVEL; /* where Windows completes URBs */
    host_complete_below(irp, status);
    host.irql = PASSIVE_LEVEL;
}

static void complete(void)
{
    complete_as(0, STATUS_SUCCESS, 0);
}

static void cancel_all(void)
{
    while (!g_queue_is_empty(&bus)) {
        complete_as(USBD_STATUS_CANCELED, STATUS_CANCELLED,
                    USBD_STATUS_CANCELED);
    }
}

/* What device.c, usb.c and entry.c do, as far as streams can tell. */

NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device)
{
    return Device->State == DeviceStarted ? STATUS_SUCCESS
                                          : STATUS_DEVICE_NOT_READY;
}

NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, UCHAR Address,
                               PUSBD_PIPE_INFORMATION Pipe,
                               USBD_STATUS *UsbdStatus)
{
    g_assert_true(Device == &device);
    g_assert_true(g_queue_is_empty(&bus)); /* drained before */
    g_string_append_printf(events, "alt%u.%u ", Interface, Alternate);
    *UsbdStatus = 0;
    if (Alternate && !NT_SUCCESS(select_status)) {
        *UsbdStatus = USBD_STATUS_NO_BANDWIDTH;
        return select_status;
    }
    if (Pipe) {
        memset(Pipe, 0, sizeof(*Pipe));
        Pipe->EndpointAddress = Address;
        Pipe->PipeHandle = HANDLE_OF_PIPE;
        Pipe->MaximumPacketSize = 2048;
    }
    return STATUS_SUCCESS;
}

NTSTATUS UsbAbortPipe(PDEVICE_EXTENSION Device, USBD_PIPE_HANDLE Pipe)
{
    g_assert_true(Device == &device && Pipe == HANDLE_OF_PIPE);
    g_string_append(events, "abort ");
    if (!deaf) {
        cancel_all();
    }
    return STATUS_SUCCESS;
}

NTSTATUS UsbStatusToNt(USBD_STATUS Status)
{
    return Status == USBD_STATUS_BAD_START_FRAME ? STATUS_DEVICE_DATA_ERROR
                                                 : STATUS_UNSUCCESSFUL;
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

/* --- a file and its reads ---------------------------------------------------
 */

typedef struct {
    IRP irp;
    UCHAR data[READ_BYTES];
} read_request;

static read_request reads[4];

static void start_read(unsigned i, ULONG length)
{
    read_request *r = &reads[i];

    memset(r, 0, sizeof(*r));
    r->irp.Current.Parameters.Read.Length = length;
    g_assert_cmphex(IoAcquireRemoveLock(&device.RemoveLock, &r->irp), ==, 0);
    g_assert_cmphex(StreamRead(stream, &r->irp, r->data), ==, STATUS_PENDING);
    g_assert_true(r->irp.PendingReturned);
}

static isoav_record record_at(unsigned i, ULONG_PTR at)
{
    isoav_record record;

    memcpy(&record, reads[i].data + at, sizeof(record));
    return record;
}

/* Read i ended well with records first..first+count-1. */
static void check_read(unsigned i, uint64_t first, unsigned count)
{
    ULONG_PTR at = 0;
    unsigned n;

    g_assert_true(reads[i].irp.IsCompleted);
    g_assert_cmphex(reads[i].irp.IoStatus.Status, ==, STATUS_SUCCESS);
    for (n = 0; n < count; n++) {
        isoav_record r = record_at(i, at);

        g_assert_cmpuint(r.packet_number, ==, first + n);
        g_assert_cmpuint(r.packet_index, ==, (first + n) % started.packets);
        g_assert_cmpuint(r.length, ==, 4 + (first + n) % 5);
        g_assert_cmphex(r.packet_status, ==, 0);
        g_assert_cmphex(reads[i].data[at + sizeof(r)], ==, (first + n) & 0xff);
        at += r.record_bytes;
    }
    g_assert_cmpuint(reads[i].irp.IoStatus.Information, ==, at);
}

static isoav_stats stats(void)
{
    isoav_stats s;

    StreamGetStats(stream, &s);
    return s;
}

static NTSTATUS start_with(isoav_start start)
{
    NTSTATUS status;

    DeviceLock(&device);
    status = StreamStart(stream, &start, &started);
    DeviceUnlock(&device);
    return status;
}

static void begin(void)
{
    host_reset();
    host.lower = usb_driver;
    memset(&device, 0, sizeof(device));
    g_queue_clear(&bus);
    events = g_string_new("");
    submissions = deepest = number = 0;
    inline_fail = 0;
    deaf = false;
    select_status = STATUS_SUCCESS;
    frame = 1000;
    device.Self = &self;
    device.Lower = &lower;
    device.State = DeviceStarted;
    device.Speed = ISOAV_SPEED_HIGH;
    InitializeListHead(&device.Streams);
    device.Config.Endpoints = 3;
    device.Config.Endpoint[0] = (CONFIG_ENDPOINT){ 0, 4, 0x81, 1, 0x0c00, 0 };
    device.Config.Endpoint[1] = (CONFIG_ENDPOINT){ 1, 1, 0x02, 1, 0x00c0, 0 };
    device.Config.Endpoint[2] = (CONFIG_ENDPOINT){ 1, 4, 0x82, 5, 0x0400, 0 };
    g_assert_cmphex(USBD_CreateHandle(&self, &lower,
                                      USBD_CLIENT_CONTRACT_VERSION_602,
                                      ISOAV_TAG, &device.Usbd),
                    ==, STATUS_SUCCESS);
    g_assert_cmphex(StreamCreate(&device, &stream), ==, STATUS_SUCCESS);
}

/* A ring of three URBs with eight packets: one millisecond each. */
static void begin_started(void)
{
    /* Known before, so that usb_driver can check the first URBs. */
    const isoav_started expected = { 3, 8, 2048, 1, 2080, 65536 };

    begin();
    started = expected;
    g_assert_cmphex(
        start_with((isoav_start){
            .alternate = 4, .urbs = 3, .packets = 8, .fifo_bytes = 65536 }),
        ==, STATUS_SUCCESS);
    g_assert_cmpmem(&started, sizeof(started), &expected, sizeof(expected));
    g_assert_cmpuint(submissions, ==, 3);
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_RUNNING);
}

static void stop(NTSTATUS expected)
{
    DeviceLock(&device);
    g_assert_cmphex(StreamStop(stream, STATUS_END_OF_FILE), ==, expected);
    DeviceUnlock(&device);
}

static void end(void)
{
    StreamCancelReads(stream);
    StreamClose(stream);
    StreamDereference(stream);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    g_assert_true(IsListEmpty(&device.Streams));
    USBD_CloseHandle(device.Usbd);
    g_assert_cmpstr(host.log->str, ==, "");
    g_string_free(events, TRUE);
    host_check_clean();
}

/* --- tests -------------------------------------------------------------------
 */

static void test_records(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    g_assert_false(reads[0].irp.IsCompleted);
    complete();
    check_read(0, 0, 8);
    g_assert_cmpuint(record_at(0, 0).start_frame, ==, 1000);
    complete();
    complete();
    start_read(1, READ_BYTES);
    check_read(1, 8, 16);
    end();
}

static void test_ring_goes_on(void)
{
    unsigned i;

    begin_started();
    for (i = 0; i < 50; i++) {
        g_assert_cmpuint(g_queue_get_length(&bus), ==, 3);
        complete();
        start_read(0, READ_BYTES);
        check_read(0, i * 8, 8);
    }
    g_assert_cmpuint(submissions, ==, 53);
    g_assert_cmpuint(stats().urbs, ==, 50);
    g_assert_cmpuint(stats().packets, ==, 400);
    g_assert_cmpuint(stats().xruns, ==, 0);
    g_assert_cmpuint(stats().statuses, ==, 1);
    g_assert_cmpuint(stats().status[0].packets, ==, 400);
    end();
}

/* Only what fits, only whole records, the rest stays. */
static void test_small_reads(void)
{
    begin_started();
    complete();
    start_read(0, 2080);
    check_read(0, 0, 8);
    complete();
    start_read(0, 100); /* two records of 40 bytes */
    check_read(0, 8, 2);
    start_read(1, READ_BYTES);
    check_read(1, 10, 6);
    end();
}

static void test_reads_in_order(void)
{
    begin_started();
    start_read(0, 40);
    start_read(1, READ_BYTES);
    start_read(2, READ_BYTES);
    complete();
    check_read(0, 0, 1);
    check_read(1, 1, 7);
    g_assert_false(reads[2].irp.IsCompleted);
    complete();
    check_read(2, 8, 8);
    end();
}

static void test_read_too_small(void)
{
    begin_started();
    start_read(0, 39);
    complete();
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmpuint(reads[0].irp.IoStatus.Information, ==, 0);
    start_read(1, READ_BYTES);
    check_read(1, 0, 8); /* nothing was lost */
    end();
}

static void test_cancel_read(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    start_read(1, READ_BYTES);
    g_assert_true(IoCancelIrp(&reads[0].irp));
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_CANCELLED);
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    memset(&reads[0], 0xdd, sizeof(reads[0])); /* its owner may */
    complete();
    check_read(1, 0, 8);
    g_assert_false(IoCancelIrp(&reads[1].irp));
    end();
}

static void test_cancelled_before_queued(void)
{
    begin_started();
    memset(&reads[0], 0, sizeof(reads[0]));
    reads[0].irp.Cancel = TRUE;
    IoAcquireRemoveLock(&device.RemoveLock, &reads[0].irp);
    g_assert_cmphex(StreamRead(stream, &reads[0].irp, reads[0].data), ==,
                    STATUS_PENDING);
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_CANCELLED);
    end();
}

/*
 * The cancel routine has been taken by IoCancelIrp on another processor and
 * waits for the lock, while the queue gives reads out.
 */
static void test_cancel_races_with_service(void)
{
    PDRIVER_CANCEL routine;

    begin_started();
    start_read(0, READ_BYTES);
    start_read(1, READ_BYTES);
    reads[0].irp.Cancel = TRUE;
    routine = IoSetCancelRoutine(&reads[0].irp, NULL);
    complete();
    g_assert_false(reads[0].irp.IsCompleted); /* the routine's */
    check_read(1, 0, 8);
    host.irql = DISPATCH_LEVEL;
    reads[0].irp.CancelIrql = PASSIVE_LEVEL;
    routine(NULL, &reads[0].irp);
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_CANCELLED);
    end();
}

static void test_close_ends_reads(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    start_read(1, READ_BYTES);
    StreamCancelReads(stream);
    StreamClose(stream);
    g_assert_true(reads[0].irp.IsCompleted && reads[1].irp.IsCompleted);
    g_assert_cmphex(reads[1].irp.IoStatus.Status, ==, STATUS_CANCELLED);
    end(); /* closing twice does no harm */
}

static void test_overflow(void)
{
    unsigned i, room = 65536 / 40;

    begin_started();
    for (i = 0; i < 300; i++) {
        complete();
    }
    g_assert_cmpuint(stats().packets, ==, 2400);
    g_assert_cmpuint(stats().overflow_packets, ==, 2400 - room);
    g_assert_cmpuint(stats().fifo_bytes_used, ==, room * 40);
    start_read(0, 65536);
    check_read(0, 0, room);
    complete();
    start_read(0, READ_BYTES);
    check_read(0, 2400, 8); /* the numbers tell what is gone */
    end();
}

static void test_packet_status(void)
{
    isoav_record r;

    begin_started();
    complete_as(0, STATUS_SUCCESS, USBD_STATUS_XACT_ERROR);
    start_read(0, READ_BYTES);
    r = record_at(0, 0);
    g_assert_cmphex(r.packet_status, ==, (ULONG)USBD_STATUS_XACT_ERROR);
    g_assert_cmpuint(r.length, ==, 0);
    g_assert_cmpuint(r.record_bytes, ==, 32);
    complete();
    g_assert_cmpuint(stats().statuses, ==, 2);
    g_assert_cmphex(stats().status[0].status, ==,
                    (ULONG)USBD_STATUS_XACT_ERROR);
    g_assert_cmpuint(stats().status[0].packets, ==, 8);
    end();
}

/* Every packet failed: the URB says so, the packets still count. */
static void test_request_failed(void)
{
    unsigned i;

    begin_started();
    for (i = 0; i < 100; i++) {
        complete_as(USBD_STATUS_ISOCH_REQUEST_FAILED, STATUS_UNSUCCESSFUL,
                    USBD_STATUS_XACT_ERROR);
    }
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(stats().urbs_failed, ==, 100);
    g_assert_cmpuint(stats().packets, ==, 800);
    start_read(0, READ_BYTES);
    g_assert_cmphex(record_at(0, 0).urb_status, ==,
                    (ULONG)USBD_STATUS_ISOCH_REQUEST_FAILED);
    end();
}

static void test_oversized_length(void)
{
    struct _URB_ISOCH_TRANSFER *u;
    PIRP irp;

    begin_started();
    irp = g_queue_pop_head(&bus);
    u = &urb_of(irp)->UrbIsochronousTransfer;
    u->IsoPacket[7].Length = 0xffffffff;
    host_complete_below(irp, STATUS_SUCCESS);
    start_read(0, READ_BYTES);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_SUCCESS);
    g_assert_cmpuint(record_at(0, 7 * 32).length, ==, 2048);
    end();
}

static void test_xrun(void)
{
    begin_started();
    complete();
    complete();
    frame += 5;
    complete();
    complete();
    g_assert_cmpuint(stats().xruns, ==, 1);
    g_assert_cmpuint(stats().xrun_frames, ==, 5);
    end();
}

static void test_stop(void)
{
    begin_started();
    complete();
    stop(STATUS_SUCCESS);
    g_assert_cmpstr(events->str, ==, "alt0.4 abort alt0.0 ");
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_IDLE);
    g_assert_cmpuint(stats().packets, ==, 8); /* not the aborted ones */
    start_read(0, 40);
    check_read(0, 0, 1); /* what came before can still be read */
    start_read(0, READ_BYTES);
    check_read(0, 1, 7);
    start_read(0, READ_BYTES);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_END_OF_FILE);
    stop(STATUS_INVALID_DEVICE_STATE);
    end();
}

static void test_stop_ends_waiting_read(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    stop(STATUS_SUCCESS);
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_END_OF_FILE);
    end();
}

/* URBs that finish in their own time while the pipe is being aborted. */
static void finish_all(void)
{
    while (!g_queue_is_empty(&bus)) {
        complete();
    }
}

static void test_stop_waits(void)
{
    begin_started();
    deaf = true;
    host.idle = finish_all;
    stop(STATUS_SUCCESS);
    g_assert_cmpuint(submissions, ==, 3); /* none again */
    g_assert_cmpuint(stats().packets, ==, 24);
    end();
}

/* Nothing in the first second; then what IoCancelIrp has marked. */
static void finish_cancelled(void)
{
    static bool is_second;

    if (is_second) {
        GList *link;

        for (link = bus.head; link; link = link->next) {
            g_assert_true(((PIRP)link->data)->Cancel);
        }
        cancel_all();
    }
    is_second = !is_second;
}

static void test_stop_cancels(void)
{
    begin_started();
    deaf = true;
    host.idle = finish_cancelled;
    stop(STATUS_SUCCESS);
    g_assert_cmpstr(events->str, ==, "alt0.4 abort alt0.0 ");
    g_assert_nonnull(strstr(host.log->str, "outlive their aborted pipe"));
    g_string_truncate(host.log, 0);
    end();
}

static void test_start_again(void)
{
    begin_started();
    complete();
    stop(STATUS_SUCCESS);
    started.packets = 8;
    g_assert_cmphex(
        start_with((isoav_start){
            .alternate = 4, .urbs = 3, .packets = 8, .fifo_bytes = 65536 }),
        ==, STATUS_SUCCESS);
    g_assert_cmpuint(stats().packets, ==, 0);
    start_read(0, READ_BYTES);
    g_assert_false(reads[0].irp.IsCompleted); /* the old records are gone */
    number = 0;
    complete();
    check_read(0, 0, 8);
    end();
}

static void test_start_twice(void)
{
    begin_started();
    g_assert_cmphex(start_with((isoav_start){ .alternate = 4 }), ==,
                    STATUS_INVALID_DEVICE_STATE);
    end();
}

static void test_sharing(void)
{
    PSTREAM first;

    begin_started();
    first = stream;
    g_assert_cmphex(StreamCreate(&device, &stream), ==, STATUS_SUCCESS);
    g_assert_cmphex(start_with((isoav_start){ .alternate = 4 }), ==,
                    STATUS_SHARING_VIOLATION);
    StreamClose(stream);
    StreamDereference(stream);
    stream = first;
    end();
}

static void test_bad_start(void)
{
    static const struct {
        isoav_start start;
        NTSTATUS status;
    } rows[] = {
        { { .alternate = 0 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 3 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 8, .alternate = 1 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 255, .alternate = 1 },
          STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .reserved0 = 1 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .endpoint = 0x82 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 1, .alternate = 1, .endpoint = 0x02 },
          STATUS_INVALID_PARAMETER }, /* OUT */
        { { .interface_number = 1, .alternate = 4 }, STATUS_NOT_SUPPORTED },
        { { .alternate = 4, .urbs = 2 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .urbs = 33 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 12 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 1032 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 0xfffffff8 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .fifo_bytes = 1000 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .fifo_bytes = 0xffffffff },
          STATUS_INVALID_PARAMETER },
    };
    unsigned i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %u", i);
        g_assert_cmphex(start_with(rows[i].start), ==, rows[i].status);
    }
    g_assert_cmpstr(events->str, ==, "");
    g_assert_cmpuint(submissions, ==, 0);
    end();
}

static void test_defaults(void)
{
    begin();
    started = (isoav_started){ 4, 64, 2048, 1, 2080, 4 << 20 };
    g_assert_cmphex(start_with((isoav_start){ .alternate = 4 }), ==,
                    STATUS_SUCCESS);
    g_assert_cmpuint(started.urbs, ==, 4);
    g_assert_cmpuint(started.packets, ==, 64);
    g_assert_cmpuint(started.fifo_bytes, ==, 4 << 20);
    g_assert_cmpuint(submissions, ==, 4);
    end();
}

static void test_no_bandwidth(void)
{
    begin();
    select_status = STATUS_INSUFFICIENT_RESOURCES;
    g_assert_cmphex(start_with((isoav_start){ .alternate = 4 }), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpstr(events->str, ==, "alt0.4 alt0.0 ");
    g_assert_cmphex(stats().usbd_status, ==, (ULONG)USBD_STATUS_NO_BANDWIDTH);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    end();
}

/* Memory runs out at each allocation in turn. */
static void test_no_memory(void)
{
    unsigned n;
    NTSTATUS status;

    for (n = 1;; n++) {
        begin();
        started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536 };
        host.fail_after = n;
        status = start_with((isoav_start){
            .alternate = 4, .urbs = 3, .packets = 8, .fifo_bytes = 65536 });
        if (NT_SUCCESS(status)) {
            break;
        }
        g_assert_cmphex(status, ==, STATUS_INSUFFICIENT_RESOURCES);
        g_assert_cmpuint(submissions, ==, 0);
        end();
    }
    host.fail_after = 0;
    g_assert_cmpuint(n, ==, 1 + 8); /* FIFO, ring, three URBs and buffers */
    end();
}

/* A driver below that fails at once, for ever: no recursion, and an end. */
static void test_inline_failure(void)
{
    begin();
    started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536 };
    inline_fail = USBD_STATUS_BAD_START_FRAME;
    g_assert_cmphex(
        start_with((isoav_start){
            .alternate = 4, .urbs = 3, .packets = 8, .fifo_bytes = 65536 }),
        ==, STATUS_SUCCESS);
    g_assert_cmpuint(submissions, ==, 17);
    g_assert_cmpuint(deepest, ==, 1);
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_FAILED);
    g_assert_cmphex(stats().usbd_status, ==,
                    (ULONG)USBD_STATUS_BAD_START_FRAME);
    start_read(0, READ_BYTES);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_DEVICE_DATA_ERROR);
    stop(STATUS_SUCCESS);
    end();
}

/* A few rejections are forgotten when an URB works again. */
static void test_rejections_forgotten(void)
{
    unsigned i, n;

    begin_started();
    for (n = 0; n < 5; n++) {
        for (i = 0; i < 10; i++) {
            complete_as(USBD_STATUS_BAD_START_FRAME, STATUS_UNSUCCESSFUL, 0);
        }
        complete();
    }
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(stats().urbs_failed, ==, 50);
    g_assert_cmpuint(stats().packets, ==, 40);
    end();
}

static void gone_with(USBD_STATUS usbd, NTSTATUS status, NTSTATUS expected)
{
    begin_started();
    start_read(0, READ_BYTES);
    complete_as(usbd, status, 0);
    g_assert_cmpuint(submissions, ==, 3); /* never again */
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, expected);
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_FAILED);
    complete();
    g_assert_cmpuint(submissions, ==, 3);
    end();
}

static void test_gone(void)
{
    gone_with(USBD_STATUS_DEVICE_GONE, STATUS_UNSUCCESSFUL,
              STATUS_DEVICE_REMOVED);
    gone_with(0, STATUS_NO_SUCH_DEVICE, STATUS_DEVICE_REMOVED);
    gone_with(0, STATUS_DEVICE_NOT_CONNECTED, STATUS_DEVICE_REMOVED);
    gone_with(USBD_STATUS_CANCELED, STATUS_CANCELLED, STATUS_CANCELLED);
}

static void hold_and_resume(void)
{
    DeviceLock(&device);
    StreamsHold(&device);
    device.State = DeviceHeld;
    StreamsResume(&device); /* not yet */
    g_assert_cmpuint(submissions, ==, 3);
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_HELD);
    device.State = DeviceStarted;
    StreamsResume(&device);
    DeviceUnlock(&device);
}

static void test_hold(void)
{
    begin_started();
    complete();
    submissions = 3;
    start_read(0, READ_BYTES);
    start_read(1, READ_BYTES);
    hold_and_resume();
    g_assert_cmpstr(events->str, ==, "alt0.4 abort alt0.0 alt0.4 ");
    g_assert_false(reads[1].irp.IsCompleted); /* it just waits */
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(stats().restarts, ==, 1);
    frame += 1000;
    number = 8;
    complete();
    check_read(1, 8, 8);
    g_assert_cmpuint(stats().xruns, ==, 0); /* a restart is none */
    end();
}

static void test_hold_fails_to_resume(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    select_status = STATUS_INSUFFICIENT_RESOURCES;
    hold_and_resume();
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpuint(stats().state, ==, ISOAV_STATE_FAILED);
    stop(STATUS_SUCCESS);
    end();
}

static void test_surprise_removal(void)
{
    begin_started();
    start_read(0, READ_BYTES);
    device.State = DeviceGone;
    DeviceLock(&device);
    StreamsEnd(&device, STATUS_DEVICE_REMOVED);
    DeviceUnlock(&device);
    g_assert_cmpstr(events->str, ==, "alt0.4 abort "); /* no alternate 0 */
    g_assert_true(reads[0].irp.IsCompleted);
    g_assert_cmphex(reads[0].irp.IoStatus.Status, ==, STATUS_DEVICE_REMOVED);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    end();
}

/* The device is being removed: no stream gets going. */
static void test_removed_lock(void)
{
    begin();
    device.RemoveLock.Removed = 1;
    g_assert_cmphex(start_with((isoav_start){ .alternate = 4 }), ==,
                    STATUS_DELETE_PENDING);
    g_assert_cmpstr(events->str, ==, "");
    device.RemoveLock.Removed = 0;
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/records", test_records);
    g_test_add_func("/stream/ring-goes-on", test_ring_goes_on);
    g_test_add_func("/stream/read/small", test_small_reads);
    g_test_add_func("/stream/read/in-order", test_reads_in_order);
    g_test_add_func("/stream/read/too-small", test_read_too_small);
    g_test_add_func("/stream/read/cancel", test_cancel_read);
    g_test_add_func("/stream/read/cancelled-before",
                    test_cancelled_before_queued);
    g_test_add_func("/stream/read/cancel-race", test_cancel_races_with_service);
    g_test_add_func("/stream/read/close", test_close_ends_reads);
    g_test_add_func("/stream/overflow", test_overflow);
    g_test_add_func("/stream/packet-status", test_packet_status);
    g_test_add_func("/stream/request-failed", test_request_failed);
    g_test_add_func("/stream/oversized-length", test_oversized_length);
    g_test_add_func("/stream/xrun", test_xrun);
    g_test_add_func("/stream/stop", test_stop);
    g_test_add_func("/stream/stop/waiting-read", test_stop_ends_waiting_read);
    g_test_add_func("/stream/stop/waits", test_stop_waits);
    g_test_add_func("/stream/stop/cancels", test_stop_cancels);
    g_test_add_func("/stream/start/again", test_start_again);
    g_test_add_func("/stream/start/twice", test_start_twice);
    g_test_add_func("/stream/start/sharing", test_sharing);
    g_test_add_func("/stream/start/bad", test_bad_start);
    g_test_add_func("/stream/start/defaults", test_defaults);
    g_test_add_func("/stream/start/no-bandwidth", test_no_bandwidth);
    g_test_add_func("/stream/start/no-memory", test_no_memory);
    g_test_add_func("/stream/start/removed", test_removed_lock);
    g_test_add_func("/stream/fail/inline", test_inline_failure);
    g_test_add_func("/stream/fail/rejections", test_rejections_forgotten);
    g_test_add_func("/stream/fail/gone", test_gone);
    g_test_add_func("/stream/hold", test_hold);
    g_test_add_func("/stream/hold/fails", test_hold_fails_to_resume);
    g_test_add_func("/stream/surprise-removal", test_surprise_removal);
    return g_test_run();
}
