/*
 * What an application can send to the driver, and what comes back: create,
 * read, every request, wrong lengths, wrong codes, wrong states. The streams
 * behind the requests are the real ones; the device is made up here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "host/host.h"

#include "isolab/isoav.h"
#include "stream.h"

static DEVICE_EXTENSION device;
static DEVICE_OBJECT self = { .StackSize = 2, .DeviceExtension = &device };
static DEVICE_OBJECT lower = { .StackSize = 1 };
static FILE_OBJECT file;
static NTSTATUS ready;
static NTSTATUS vendor_status;
static GString *vendor; /* vendor requests, in order */
static GQueue bus;

/* --- the device
 * --------------------------------------------------------------- */

NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device)
{
    g_assert_cmpint(Device->Lock.Signalled, ==, 1);
    return ready;
}

NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, PINTERFACE_USE Use,
                               USBD_STATUS *UsbdStatus)
{
    g_assert_true(Device == &device);
    (void)Alternate;
    if (Use) {
        memset(Use->Pipe, 0, sizeof(Use->Pipe));
        Use->Pipes = 1;
        Use->Pipe[0].Information.EndpointAddress = Interface ? 0x02 : 0x81;
        Use->Pipe[0].Information.MaximumPacketSize = Interface ? 192 : 2048;
    }
    *UsbdStatus = 0;
    return STATUS_SUCCESS;
}

NTSTATUS DevicePrepareAlternate0(PDEVICE_EXTENSION Device, UCHAR Interface,
                                 PUSB_REQUEST Request)
{
    PURB urb;

    (void)Interface;
    g_assert_cmphex(USBD_UrbAllocate(Device->Usbd, &urb), ==, STATUS_SUCCESS);
    return UsbPrepare(Device, urb, Request);
}

/* Byte i of every answer is i. */
NTSTATUS DeviceVendorIn(PDEVICE_EXTENSION Device, UCHAR Request,
                        UCHAR Interface, PVOID Data, ULONG Bytes)
{
    ULONG i;

    g_assert_cmpint(Device->Lock.Signalled, ==, 1);
    g_string_append_printf(vendor, "in%u.%u.%u ", Request, Interface, Bytes);
    for (i = 0; i < Bytes && NT_SUCCESS(vendor_status); i++) {
        ((PUCHAR)Data)[i] = (UCHAR)i;
    }
    return vendor_status;
}

NTSTATUS DeviceVendorOut(PDEVICE_EXTENSION Device, UCHAR Request,
                         UCHAR Interface, const VOID *Data, ULONG Bytes)
{
    ULONG i;

    g_assert_cmpint(Device->Lock.Signalled, ==, 1);
    g_string_append_printf(vendor, "out%u.%u.", Request, Interface);
    for (i = 0; i < Bytes; i++) {
        g_string_append_printf(vendor, "%02x", ((const UCHAR *)Data)[i]);
    }
    return vendor_status;
}

VOID DeviceLock(PDEVICE_EXTENSION Device)
{
    g_assert_cmpint(Device->Lock.Signalled, ==, 0);
    Device->Lock.Signalled = 1;
}

VOID DeviceUnlock(PDEVICE_EXTENSION Device)
{
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

ULONG MapPriority(VOID)
{
    return 0;
}

NTSTATUS CompleteIrp(PIRP Irp, NTSTATUS Status, ULONG_PTR Information)
{
    Irp->IoStatus.Status = Status;
    Irp->IoStatus.Information = Information;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return Status;
}

static PURB urb_of(PIRP irp)
{
    return irp->Next.Parameters.Others.Argument1;
}

/* Holds isochronous URBs until their pipe is aborted. */
static NTSTATUS usb_driver(PIRP irp)
{
    USHORT function = urb_of(irp)->UrbHeader.Function;
    PIRP held;

    if (function == URB_FUNCTION_ISOCH_TRANSFER) {
        g_queue_push_tail(&bus, irp);
        return STATUS_PENDING;
    }
    while (function == URB_FUNCTION_ABORT_PIPE &&
           (held = g_queue_pop_head(&bus))) {
        urb_of(held)->UrbHeader.Status = USBD_STATUS_CANCELED;
        host_complete_below(held, STATUS_CANCELLED);
    }
    host_complete_below(irp, STATUS_SUCCESS);
    return STATUS_PENDING;
}

/* --- the I/O manager
 * ------------------------------------------------------------ */

static UCHAR buffer[4096]; /* METHOD_BUFFERED: input and output share it */
static ULONG_PTR information;

static NTSTATUS dispatch(DRIVER_DISPATCH *routine, PIRP irp)
{
    NTSTATUS status;

    irp->Current.FileObject = &file;
    status = routine(&self, irp);
    g_assert_true(irp->IsCompleted);
    g_assert_cmphex(status, ==, irp->IoStatus.Status);
    g_assert_cmpint(device.Lock.Signalled, ==, 0);
    information = irp->IoStatus.Information;
    return status;
}

static NTSTATUS control(ULONG code, const void *in, ULONG in_bytes,
                        ULONG out_bytes)
{
    IRP irp = { .AssociatedIrp.SystemBuffer = buffer };

    memset(buffer, 0xee, sizeof(buffer));
    if (in_bytes) {
        memcpy(buffer, in, in_bytes);
    }
    irp.Current.Parameters.DeviceIoControl.IoControlCode = code;
    irp.Current.Parameters.DeviceIoControl.InputBufferLength = in_bytes;
    irp.Current.Parameters.DeviceIoControl.OutputBufferLength = out_bytes;
    return dispatch(DispatchDeviceControl, &irp);
}

static NTSTATUS simple(DRIVER_DISPATCH *routine)
{
    IRP irp = { 0 };

    return dispatch(routine, &irp);
}

static NTSTATUS read_now(ULONG length, PVOID mdl)
{
    IRP irp = { .MdlAddress = mdl };

    irp.Current.Parameters.Read.Length = length;
    return dispatch(DispatchRead, &irp);
}

static void begin(void)
{
    host_reset();
    host.lower = usb_driver;
    memset(&device, 0, sizeof(device));
    memset(&file, 0, sizeof(file));
    g_queue_clear(&bus);
    ready = vendor_status = STATUS_SUCCESS;
    vendor = g_string_new("");
    device.Self = &self;
    device.Lower = &lower;
    device.State = DeviceStarted;
    device.Speed = ISOAV_SPEED_HIGH;
    InitializeListHead(&device.Streams);
    device.Descriptor.idVendor = 0x46f4;
    device.Config.Interfaces = 2;
    device.Config.Endpoints = 1;
    device.Config.Endpoint[0] = (CONFIG_ENDPOINT){ 0, 4, 0x81, 1, 0x0c00, 0 };
    g_assert_cmphex(USBD_CreateHandle(&self, &lower,
                                      USBD_CLIENT_CONTRACT_VERSION_602,
                                      ISOAV_TAG, &device.Usbd),
                    ==, STATUS_SUCCESS);
    g_assert_cmphex(simple(DispatchCreate), ==, STATUS_SUCCESS);
    g_assert_nonnull(file.FsContext);
}

static void end(void)
{
    g_assert_cmphex(simple(DispatchCleanup), ==, STATUS_SUCCESS);
    g_assert_cmphex(simple(DispatchClose), ==, STATUS_SUCCESS);
    g_assert_null(file.FsContext);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    LogFree(&device.Log);
    USBD_CloseHandle(device.Usbd);
    g_assert_cmpstr(host.log->str, ==, "");
    g_string_free(vendor, TRUE);
    host_check_clean();
}

static void start_stream(void)
{
    isoav_start start = { .alternate = 4, .fifo_bytes = 65536 };

    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_START, &start, sizeof(start),
                            sizeof(isoav_started)),
                    ==, STATUS_SUCCESS);
}

/* --- tests
 * ------------------------------------------------------------------------ */

/* The ABI, as numbers: it must not change by accident. */
static void test_abi(void)
{
    g_assert_cmphex(ISOAV_IOCTL_GET_INFO, ==, 0x226400);
    g_assert_cmphex(ISOAV_IOCTL_GET_FORMAT, ==, 0x226404);
    g_assert_cmphex(ISOAV_IOCTL_SET_FORMAT, ==, 0x22a408);
    g_assert_cmphex(ISOAV_IOCTL_GET_COUNTERS, ==, 0x22640c);
    g_assert_cmphex(ISOAV_IOCTL_GET_MODE, ==, 0x226410);
    g_assert_cmphex(ISOAV_IOCTL_SET_MODE, ==, 0x22a414);
    g_assert_cmphex(ISOAV_IOCTL_STREAM_START, ==, 0x22e418);
    g_assert_cmphex(ISOAV_IOCTL_STREAM_STOP, ==, 0x22e41c);
    g_assert_cmphex(ISOAV_IOCTL_STREAM_STATS, ==, 0x226420);
    g_assert_cmphex(ISOAV_IOCTL_LOG_READ, ==, 0x226424);
    g_assert_cmphex(ISOAV_IOCTL_LOG_RESIZE, ==, 0x22a428);
    g_assert_cmphex(ISOAV_IOCTL_GET_DESCRIPTORS, ==, 0x22642c);
    g_assert_cmpuint(sizeof(isoav_log_entry), ==, 48);
    g_assert_cmpuint(offsetof(isoav_log_entry, ordinal), ==, 8);
    g_assert_cmpuint(offsetof(isoav_log_entry, start_frame), ==, 24);
    g_assert_cmpuint(offsetof(isoav_log_entry, length), ==, 40);
    g_assert_cmpuint(sizeof(isoav_log_part), ==, 32);
    g_assert_cmpuint(sizeof(isoav_log_size), ==, 8);
    g_assert_cmpuint(sizeof(isoav_alternate), ==, 16);
    g_assert_cmpuint(sizeof(isoav_info), ==, 48 + 24 * 16);
    g_assert_cmpuint(offsetof(isoav_info, microframe), ==, 32);
    g_assert_cmpuint(sizeof(isoav_format), ==, 8);
    g_assert_cmpuint(sizeof(isoav_counters), ==, 64);
    g_assert_cmpuint(sizeof(isoav_start), ==, 16);
    g_assert_cmpuint(sizeof(isoav_started), ==, 32);
    g_assert_cmpuint(sizeof(isoav_stats), ==, 344);
    g_assert_cmpuint(offsetof(isoav_stats, status), ==, 96);
}

static const struct {
    ULONG code, in, out;
} requests[] = {
    { ISOAV_IOCTL_GET_INFO, 0, sizeof(isoav_info) },
    { ISOAV_IOCTL_GET_FORMAT, 0, sizeof(isoav_format) },
    { ISOAV_IOCTL_SET_FORMAT, sizeof(isoav_format), 0 },
    { ISOAV_IOCTL_GET_COUNTERS, sizeof(isoav_interface),
      sizeof(isoav_counters) },
    { ISOAV_IOCTL_GET_MODE, 0, sizeof(isoav_mode) },
    { ISOAV_IOCTL_SET_MODE, sizeof(isoav_mode), 0 },
    { ISOAV_IOCTL_STREAM_START, sizeof(isoav_start), sizeof(isoav_started) },
    { ISOAV_IOCTL_STREAM_STOP, 0, 0 },
    { ISOAV_IOCTL_STREAM_STATS, 0, sizeof(isoav_stats) },
    { ISOAV_IOCTL_LOG_READ, sizeof(isoav_log_from), sizeof(isoav_log_part) },
    { ISOAV_IOCTL_LOG_RESIZE, sizeof(isoav_log_size), 0 },
    { ISOAV_IOCTL_GET_DESCRIPTORS, 0, sizeof(USB_DEVICE_DESCRIPTOR) },
};

static void test_lengths(void)
{
    UCHAR zero[64] = { 0 };
    unsigned i;

    begin();
    for (i = 0; i < G_N_ELEMENTS(requests); i++) {
        ULONG code = requests[i].code;
        ULONG in = requests[i].in, out = requests[i].out;

        g_assert_cmphex(control(code, zero, in + 1, out), ==,
                        STATUS_INVALID_PARAMETER);
        if (in) {
            g_assert_cmphex(control(code, zero, in - 1, out), ==,
                            STATUS_INVALID_PARAMETER);
            g_assert_cmphex(control(code, zero, 0, out), ==,
                            STATUS_INVALID_PARAMETER);
        }
        if (out) {
            g_assert_cmphex(control(code, zero, in, out - 1), ==,
                            STATUS_BUFFER_TOO_SMALL);
            g_assert_cmphex(control(code, zero, in, 0), ==,
                            STATUS_BUFFER_TOO_SMALL);
        }
        g_assert_cmpuint(information, ==, 0);
    }
    g_assert_cmpstr(vendor->str, ==, "");
    end();
}

static void test_codes(void)
{
    unsigned function, access, method;

    begin();
    for (function = 0x8f0; function < 0x920; function++) {
        for (access = 0; access < 4; access++) {
            for (method = 0; method < 4; method++) {
                ULONG code =
                    0x22u << 16 | access << 14 | function << 2 | method;
                unsigned i;

                for (i = 0; i < G_N_ELEMENTS(requests); i++) {
                    if (requests[i].code == code) {
                        break;
                    }
                }
                if (i == G_N_ELEMENTS(requests)) {
                    g_assert_cmphex(control(code, NULL, 0, 4096), ==,
                                    STATUS_INVALID_DEVICE_REQUEST);
                }
            }
        }
    }
    end();
}

static void test_info(void)
{
    const isoav_info *info = (const isoav_info *)buffer;
    const isoav_alternate *first = &info->alternate[0];
    unsigned i;

    begin();
    g_assert_cmphex(control(ISOAV_IOCTL_GET_INFO, NULL, 0, 4096), ==, 0);
    g_assert_cmpuint(information, ==, sizeof(*info));
    g_assert_cmpuint(info->abi_version, ==, ISOAV_ABI_VERSION);
    g_assert_cmphex(info->vendor, ==, 0x46f4);
    g_assert_cmpuint(info->speed, ==, ISOAV_SPEED_HIGH);
    g_assert_cmphex(info->usbd_version, ==, 0x600);
    g_assert_cmphex(info->protocol, ==, 0x0100);
    g_assert_cmphex(info->microframe, ==, 0x0f0e0d0c0b0a0908);
    g_assert_cmpuint(info->alternates, ==, 1);
    g_assert_cmpuint(first->packet_bytes, ==, 2048);
    g_assert_cmpuint(first->period_uf, ==, 1);
    g_assert_cmphex(first->endpoint, ==, 0x81);
    /* what is not in use is zero, and nothing behind is touched */
    for (i = offsetof(isoav_info, alternate[1]); i < sizeof(*info); i++) {
        g_assert_cmphex(buffer[i], ==, 0);
    }
    g_assert_cmphex(buffer[sizeof(*info)], ==, 0xee);
    g_assert_cmpstr(vendor->str, ==, "in1.0.16 ");

    vendor_status = STATUS_INVALID_PARAMETER;
    g_assert_cmphex(control(ISOAV_IOCTL_GET_INFO, NULL, 0, 4096), ==, 0);
    g_assert_cmpuint(info->protocol, ==, 0);
    end();
}

static void test_format(void)
{
    isoav_format format = { 0x1234, 0x5678, 0x9abcdef0 };

    begin();
    g_assert_cmphex(control(ISOAV_IOCTL_SET_FORMAT, &format, sizeof(format), 0),
                    ==, 0);
    g_assert_cmpstr(vendor->str, ==, "out2.0.34127856f0debc9a");
    g_assert_cmphex(control(ISOAV_IOCTL_GET_FORMAT, NULL, 0, 8), ==, 0);
    memcpy(&format, buffer, sizeof(format));
    g_assert_cmphex(format.width, ==, 0x0100);
    g_assert_cmphex(format.height, ==, 0x0302);
    g_assert_cmphex(format.interval_100ns, ==, 0x07060504);
    vendor_status = STATUS_INVALID_PARAMETER;
    g_assert_cmphex(control(ISOAV_IOCTL_GET_FORMAT, NULL, 0, 8), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_cmpuint(information, ==, 0);
    end();
}

static void test_mode(void)
{
    isoav_mode mode = { ISOAV_MODE_LOOPBACK };

    begin();
    g_assert_cmphex(control(ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), 0), ==,
                    0);
    g_assert_cmpstr(vendor->str, ==, "out4.1.0100");
    g_assert_cmphex(control(ISOAV_IOCTL_GET_MODE, NULL, 0, 4), ==, 0);
    g_assert_cmpuint(((isoav_mode *)buffer)->mode, ==, 0);
    mode.mode = 256; /* must not become 0 on the wire */
    g_assert_cmphex(control(ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), 0), ==,
                    STATUS_INVALID_PARAMETER);
    end();
}

static void test_counters(void)
{
    isoav_interface which = { 1 };

    begin();
    g_assert_cmphex(
        control(ISOAV_IOCTL_GET_COUNTERS, &which, sizeof(which), 64), ==, 0);
    g_assert_cmpstr(vendor->str, ==, "in3.1.64 ");
    g_assert_cmphex(((isoav_counters *)buffer)->count[1], ==,
                    0x0f0e0d0c0b0a0908);
    which.interface_number = 256; /* must not become 0 */
    g_assert_cmphex(
        control(ISOAV_IOCTL_GET_COUNTERS, &which, sizeof(which), 64), ==,
        STATUS_INVALID_PARAMETER);
    end();
}

/* The format cannot change under a running stream; the mode can. */
static void test_while_streaming(void)
{
    isoav_format format = { 640, 360, 333333 };
    isoav_mode mode = { 0 };

    begin();
    start_stream();
    g_assert_cmphex(control(ISOAV_IOCTL_SET_FORMAT, &format, sizeof(format), 0),
                    ==, STATUS_INVALID_DEVICE_STATE);
    g_assert_cmpstr(vendor->str, ==, "");
    g_assert_cmphex(control(ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), 0), ==,
                    0);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STATS, NULL, 0, 344), ==, 0);
    g_assert_cmpuint(((isoav_stats *)buffer)->state, ==, ISOAV_STATE_RUNNING);
    end(); /* which stops the stream */
}

static void test_started(void)
{
    begin();
    start_stream();
    g_assert_cmpuint(information, ==, sizeof(isoav_started));
    g_assert_cmpuint(((isoav_started *)buffer)->urbs, ==, 4);
    g_assert_cmpuint(((isoav_started *)buffer)->packets, ==, 64);
    g_assert_cmpuint(((isoav_started *)buffer)->record_bytes, ==, 2080);
    g_assert_cmpuint(((isoav_started *)buffer)->fifo_bytes, ==, 65536);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0), ==, 0);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0), ==,
                    STATUS_INVALID_DEVICE_STATE);
    end();
}

/* Input and output share a buffer; the answer has what there is, no more. */
static void test_log(void)
{
    const isoav_log_part *part = (const isoav_log_part *)buffer;
    isoav_log_from from = { 0 };
    isoav_log_size size = { .entries = 64 };
    unsigned i;

    begin();
    g_assert_cmphex(control(ISOAV_IOCTL_LOG_RESIZE, &size, sizeof(size), 0), ==,
                    0);
    size.reserved = 1;
    g_assert_cmphex(control(ISOAV_IOCTL_LOG_RESIZE, &size, sizeof(size), 0), ==,
                    STATUS_INVALID_PARAMETER);
    start_stream();
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0), ==, 0);
    /* four URBs of 64 packets were cancelled; room for two entries */
    from.sequence = 200;
    g_assert_cmphex(control(ISOAV_IOCTL_LOG_READ, &from, sizeof(from),
                            sizeof(*part) + 2 * 48 + 47),
                    ==, 0);
    g_assert_cmpuint(information, ==, sizeof(*part) + 2 * 48);
    g_assert_cmpuint(part->entries, ==, 2);
    g_assert_cmpuint(part->next, ==, 202);
    g_assert_cmpuint(part->oldest, ==, 192);
    g_assert_cmpuint(part->end, ==, 256);
    g_assert_cmpuint(part->size, ==, 64);
    g_assert_cmpuint(((const isoav_log_entry *)(part + 1))->ordinal, ==, 201);
    for (i = 0; i < 47; i++) {
        g_assert_cmphex(buffer[information + i], ==, 0xee);
    }
    end();
}

/* Held or gone: what needs the device is refused, the rest is not. */
static void test_not_ready(void)
{
    UCHAR zero[64] = { 0 };
    unsigned i;

    begin();
    ready = STATUS_DEVICE_NOT_READY;
    for (i = 0; i < 7; i++) {
        g_assert_cmphex(
            control(requests[i].code, zero, requests[i].in, requests[i].out),
            ==, STATUS_DEVICE_NOT_READY);
    }
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STATS, NULL, 0, 344), ==, 0);
    g_assert_cmpstr(vendor->str, ==, "");
    end();
}

static void test_create_not_ready(void)
{
    begin();
    end();
    host_reset();
    ready = STATUS_DEVICE_NOT_READY;
    g_assert_cmphex(simple(DispatchCreate), ==, STATUS_DEVICE_NOT_READY);
    g_assert_null(file.FsContext);
    ready = STATUS_SUCCESS;
    host.fail_after = 1;
    g_assert_cmphex(simple(DispatchCreate), ==, STATUS_INSUFFICIENT_RESOURCES);
    g_assert_null(file.FsContext);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    host_check_clean();
}

static void test_removed(void)
{
    begin();
    device.RemoveLock.Removed = 1;
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STATS, NULL, 0, 344), ==,
                    STATUS_DELETE_PENDING);
    g_assert_cmphex(read_now(4096, buffer), ==, STATUS_DELETE_PENDING);
    g_assert_cmphex(simple(DispatchCreate), ==, STATUS_DELETE_PENDING);
    end(); /* cleanup and close work all the same */
}

static void test_reads(void)
{
    begin();
    g_assert_cmphex(read_now(4096, buffer), ==, STATUS_INVALID_DEVICE_STATE);
    start_stream();
    g_assert_cmphex(read_now(2079, buffer), ==, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmphex(read_now(0, NULL), ==, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmphex(read_now(4096, NULL), ==, STATUS_BUFFER_TOO_SMALL);
    host_map_fails = TRUE;
    g_assert_cmphex(read_now(4096, buffer), ==, STATUS_INSUFFICIENT_RESOURCES);
    host_map_fails = FALSE;
    g_assert_cmpint(device.RemoveLock.Count, ==, 1); /* the stream's */
    end();
}

static NTSTATUS write_now(ULONG length, PVOID mdl)
{
    IRP irp = { .MdlAddress = mdl };

    irp.Current.Parameters.Write.Length = length;
    return dispatch(DispatchWrite, &irp);
}

static void test_writes(void)
{
    isoav_start start = { .interface_number = 1,
                          .alternate = 1,
                          .endpoint = 0x02,
                          .packets = 8,
                          .fifo_bytes = 65536 };

    begin();
    device.Config.Endpoints = 2;
    device.Config.Endpoint[1] = (CONFIG_ENDPOINT){ 1, 1, 0x02, 1, 0x00c0, 0 };
    g_assert_cmphex(write_now(40, buffer), ==, STATUS_INVALID_DEVICE_STATE);
    start_stream();
    g_assert_cmphex(write_now(40, buffer), ==, STATUS_INVALID_DEVICE_REQUEST);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0), ==, 0);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_START, &start, sizeof(start),
                            sizeof(isoav_started)),
                    ==, STATUS_SUCCESS);
    g_assert_cmpuint(((isoav_started *)buffer)->write_bytes, ==, 32768);
    g_assert_cmphex(read_now(4096, buffer), ==, STATUS_INVALID_DEVICE_REQUEST);
    g_assert_cmphex(write_now(0, buffer), ==, STATUS_INVALID_PARAMETER);
    g_assert_cmphex(write_now(32769, buffer), ==, STATUS_INVALID_PARAMETER);
    g_assert_cmphex(write_now(40, NULL), ==, STATUS_BUFFER_TOO_SMALL);
    host_map_fails = TRUE;
    g_assert_cmphex(write_now(40, buffer), ==, STATUS_INSUFFICIENT_RESOURCES);
    host_map_fails = FALSE;
    g_assert_cmpint(device.RemoveLock.Count, ==, 1); /* the stream's */
    end();
}

/* Cleanup ends the read that waits; so does close, where no cleanup comes. */
static void read_ends_by(DRIVER_DISPATCH *routine)
{
    IRP irp = { .MdlAddress = buffer };

    begin();
    start_stream();
    irp.Current.FileObject = &file;
    irp.Current.Parameters.Read.Length = 4096;
    g_assert_cmphex(DispatchRead(&self, &irp), ==, STATUS_PENDING);
    g_assert_false(irp.IsCompleted);
    g_assert_cmphex(simple(routine), ==, STATUS_SUCCESS);
    g_assert_true(irp.IsCompleted);
    g_assert_cmphex(irp.IoStatus.Status, ==, STATUS_CANCELLED);
    end();
}

static void test_cleanup(void)
{
    read_ends_by(DispatchCleanup);
    read_ends_by(DispatchClose);
}

/*
 * Between IRP_MJ_CLEANUP and IRP_MJ_CLOSE come requests that were on their way
 * when the handle was closed. None makes the file stream again, which nobody
 * would hear of before its close, and none waits.
 */
static void test_between_cleanup_and_close(void)
{
    isoav_start start = { .alternate = 4, .fifo_bytes = 65536 };
    IRP read = { .MdlAddress = buffer };

    begin();
    start_stream();
    g_assert_cmphex(simple(DispatchCleanup), ==, STATUS_SUCCESS);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_START, &start, sizeof(start),
                            sizeof(isoav_started)),
                    ==, STATUS_FILE_CLOSED);
    g_assert_cmpint(device.RemoveLock.Count, ==, 0);
    read.Current.FileObject = &file;
    read.Current.Parameters.Read.Length = 4096;
    g_assert_cmphex(DispatchRead(&self, &read), ==, STATUS_PENDING);
    g_assert_true(read.IsCompleted);
    g_assert_cmphex(read.IoStatus.Status, ==, STATUS_FILE_CLOSED);
    g_assert_cmphex(control(ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0), ==,
                    STATUS_INVALID_DEVICE_STATE);
    g_assert_cmphex(
        control(ISOAV_IOCTL_STREAM_STATS, NULL, 0, sizeof(isoav_stats)), ==,
        STATUS_SUCCESS);
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/file/abi", test_abi);
    g_test_add_func("/file/lengths", test_lengths);
    g_test_add_func("/file/codes", test_codes);
    g_test_add_func("/file/info", test_info);
    g_test_add_func("/file/format", test_format);
    g_test_add_func("/file/mode", test_mode);
    g_test_add_func("/file/counters", test_counters);
    g_test_add_func("/file/while-streaming", test_while_streaming);
    g_test_add_func("/file/started", test_started);
    g_test_add_func("/file/log", test_log);
    g_test_add_func("/file/not-ready", test_not_ready);
    g_test_add_func("/file/create/not-ready", test_create_not_ready);
    g_test_add_func("/file/removed", test_removed);
    g_test_add_func("/file/reads", test_reads);
    g_test_add_func("/file/writes", test_writes);
    g_test_add_func("/file/cleanup", test_cleanup);
    g_test_add_func("/file/cleanup/before-close",
                    test_between_cleanup_and_close);
    return g_test_run();
}
