/* SPDX-License-Identifier: MIT */
#include "whole.h"

#include <usbbusif.h>

whole_state whole;

DRIVER_INITIALIZE DriverEntry;

/* --- the device ----------------------------------------------------------- */

static const UCHAR device_descriptor[18] = { 18, 1,  0,    2,    0xff, 0,
                                             0,  64, 0xf4, 0x46, 0x0a, 0x15,
                                             0,  1,  0,    0,    0,    1 };

static const UCHAR configuration[] = {
    9, 2, 66,   0, 2,    1,    0, 0x80, 50, /* configuration */
    9, 4, 0,    0, 0,    0xff, 0, 0,    0,  /* interface 0 alternate 0 */
    9, 4, 0,    1, 1,    0xff, 0, 0,    0,  /* interface 0 alternate 1 */
    7, 5, 0x81, 5, 0x00, 0x04, 1,           /* 81h isochronous */
    9, 4, 1,    0, 0,    0xff, 0, 0,    0,  /* interface 1 alternate 0 */
    9, 4, 1,    1, 2,    0xff, 0, 0,    0,  /* interface 1 alternate 1 */
    7, 5, 0x02, 5, 0xc0, 0x00, 1,           /* 02h isochronous */
    7, 5, 0x82, 5, 0xc0, 0x00, 1,           /* 82h isochronous */
};
G_STATIC_ASSERT(sizeof(configuration) == 66);

static const UCHAR endpoints[2][2] = { { 0x81 }, { 0x02, 0x82 } };

static USBD_STATUS get_descriptor(PURB urb)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *r =
        &urb->UrbControlDescriptorRequest;
    bool is_device = r->DescriptorType == USB_DEVICE_DESCRIPTOR_TYPE;
    ULONG bytes = is_device ? sizeof(device_descriptor) : sizeof(configuration);

    r->TransferBufferLength = MIN(bytes, r->TransferBufferLength);
    memcpy(r->TransferBuffer, is_device ? device_descriptor : configuration,
           r->TransferBufferLength);
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS select_configuration(PURB urb)
{
    bool is_set = urb->UrbSelectConfiguration.ConfigurationDescriptor != NULL;

    g_assert_true(g_queue_is_empty(&whole.bus));
    whole.configuration = is_set;
    memset(whole.alternate, 0, sizeof(whole.alternate));
    urb->UrbSelectConfiguration.ConfigurationHandle = is_set ? &whole : NULL;
    g_string_append(whole.events, is_set ? "config " : "unconfig ");
    return USBD_STATUS_SUCCESS;
}

/* The handle of a pipe is its endpoint's address. */
static USBD_STATUS select_interface(PURB urb)
{
    PUSBD_INTERFACE_INFORMATION i = &urb->UrbSelectInterface.Interface;
    ULONG p;

    g_assert_true(urb->UrbSelectInterface.ConfigurationHandle == &whole);
    g_assert_cmpuint(whole.configuration, ==, 1);
    g_assert_cmpuint(i->InterfaceNumber, <, 2);
    g_assert_cmpuint(i->AlternateSetting, <, 2);
    g_string_append_printf(whole.events, "alt%u.%u ", i->InterfaceNumber,
                           i->AlternateSetting);
    whole.alternate[i->InterfaceNumber] = i->AlternateSetting;
    for (p = 0; p < i->NumberOfPipes; p++) {
        USBD_PIPE_INFORMATION *pipe = &i->Pipes[p];

        pipe->EndpointAddress = endpoints[i->InterfaceNumber][p];
        pipe->PipeHandle = (PVOID)(ULONG_PTR)pipe->EndpointAddress;
        pipe->MaximumPacketSize = i->InterfaceNumber ? 192 : 1024;
    }
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS vendor_request(PURB urb)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *r =
        &urb->UrbControlVendorClassRequest;

    if (r->TransferFlags & USBD_TRANSFER_DIRECTION_IN) {
        memset(r->TransferBuffer, 0, r->TransferBufferLength);
        return USBD_STATUS_SUCCESS;
    }
    return whole.alternate[0] ? USBD_STATUS_STALL_PID : USBD_STATUS_SUCCESS;
}

/* --- the bus -------------------------------------------------------------- */

static PURB urb_of(PIRP irp)
{
    return irp->Next.Parameters.Others.Argument1;
}

/* As its driver does: at DISPATCH_LEVEL. */
static void end_urb(PIRP irp, USBD_STATUS usbd)
{
    KIRQL before = host.irql;

    urb_of(irp)->UrbHeader.Status = usbd;
    host.irql = DISPATCH_LEVEL;
    host_complete_below(irp, USBD_SUCCESS(usbd) ? STATUS_SUCCESS
                                                : STATUS_UNSUCCESSFUL);
    host.irql = before;
}

static USBD_STATUS abort_pipe(PURB urb)
{
    USBD_PIPE_HANDLE pipe = urb->UrbPipeRequest.PipeHandle;
    GList *link, *next;

    g_string_append_printf(whole.events, "abort%02x ",
                           (unsigned)(ULONG_PTR)pipe);
    for (link = whole.bus.head; link; link = next) {
        PIRP irp = link->data;

        next = link->next;
        if (urb_of(irp)->UrbIsochronousTransfer.PipeHandle == pipe) {
            g_queue_delete_link(&whole.bus, link);
            end_urb(irp, USBD_STATUS_CANCELED);
        }
    }
    return USBD_STATUS_SUCCESS;
}

static USBD_STATUS get_frame(PURB urb)
{
    urb->UrbGetCurrentFrameNumber.FrameNumber = 1000;
    return USBD_STATUS_SUCCESS;
}

static const struct {
    USHORT function;
    USBD_STATUS (*run)(PURB urb);
} functions[] = {
    { URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE, get_descriptor },
    { URB_FUNCTION_SELECT_CONFIGURATION, select_configuration },
    { URB_FUNCTION_SELECT_INTERFACE, select_interface },
    { URB_FUNCTION_VENDOR_INTERFACE, vendor_request },
    { URB_FUNCTION_ABORT_PIPE, abort_pipe },
    { URB_FUNCTION_GET_CURRENT_FRAME_NUMBER, get_frame },
};

static NTSTATUS submit_urb(PIRP irp)
{
    USHORT function = urb_of(irp)->UrbHeader.Function;
    unsigned i;

    g_assert_false(whole.is_asleep);
    if (function == URB_FUNCTION_ISOCH_TRANSFER) {
        g_queue_push_tail(&whole.bus, irp);
        return STATUS_PENDING;
    }
    for (i = 0; functions[i].function != function; i++) {
        g_assert_cmpuint(i + 1, <, G_N_ELEMENTS(functions));
    }
    end_urb(irp, functions[i].run(urb_of(irp)));
    return STATUS_PENDING;
}

static BOOLEAN says_high_speed(PVOID context)
{
    g_assert_true(context == &whole);
    return TRUE;
}

static NTSTATUS query_interface(PIO_STACK_LOCATION stack)
{
    USB_BUS_INTERFACE_USBDI_V1 *bus =
        (PVOID)stack->Parameters.QueryInterface.Interface;

    if (!whole.is_high_speed) {
        return STATUS_NOT_SUPPORTED;
    }
    bus->BusContext = &whole;
    bus->IsDeviceHighSpeed = says_high_speed;
    return STATUS_SUCCESS;
}

static NTSTATUS power_below(PIO_STACK_LOCATION stack)
{
    const POWER_STATE state = stack->Parameters.Power.State;
    bool is_device = stack->Parameters.Power.Type == DevicePowerState;

    g_string_append_printf(whole.events, "%c%d ", is_device ? 'D' : 'S',
                           (int)state.DeviceState - 1);
    if (is_device && NT_SUCCESS(whole.power_status)) {
        whole.is_asleep = state.DeviceState != PowerDeviceD0;
    }
    return whole.power_status;
}

/* What has no answer here keeps the status that it came with. */
static NTSTATUS pnp_below(PIRP irp, PIO_STACK_LOCATION stack)
{
    UCHAR minor = stack->MinorFunction;

    if (minor == IRP_MN_QUERY_INTERFACE) {
        return query_interface(stack);
    }
    g_string_append_printf(whole.events, "pnp%02x ", minor);
    if (minor == IRP_MN_START_DEVICE && NT_SUCCESS(whole.pnp_status)) {
        whole.is_asleep = false; /* a device that starts is in D0 */
    }
    return minor <= IRP_MN_CANCEL_STOP_DEVICE ||
                   minor == IRP_MN_SURPRISE_REMOVAL
               ? whole.pnp_status
               : irp->IoStatus.Status;
}

static NTSTATUS driver_below(PIRP irp)
{
    PIO_STACK_LOCATION stack = host_below(irp);
    NTSTATUS status = irp->IoStatus.Status;

    switch (stack->MajorFunction) {
    case IRP_MJ_INTERNAL_DEVICE_CONTROL:
        return submit_urb(irp);
    case IRP_MJ_POWER:
        status = power_below(stack);
        break;
    case IRP_MJ_PNP:
        status = pnp_below(irp, stack);
        break;
    default:
        g_assert_cmphex(stack->MajorFunction, ==, IRP_MJ_SYSTEM_CONTROL);
        break;
    }
    host_complete_below(irp, status);
    return status;
}

void whole_complete(void)
{
    unsigned n = g_queue_get_length(&whole.bus);
    ULONG i;

    for (; n; n--) {
        PIRP irp = g_queue_pop_head(&whole.bus);
        struct _URB_ISOCH_TRANSFER *u = &urb_of(irp)->UrbIsochronousTransfer;

        for (i = 0; i < u->NumberOfPackets; i++) {
            u->IsoPacket[i].Length = 4;
        }
        end_urb(irp, USBD_STATUS_SUCCESS);
    }
}

/* --- above the driver ----------------------------------------------------- */

PDEVICE_OBJECT whole_top(void)
{
    return whole.pdo.AttachedDevice;
}

static NTSTATUS call(PIRP irp)
{
    PDEVICE_OBJECT top = whole_top();

    g_assert_nonnull(top);
    g_assert_false(top->Flags & DO_DEVICE_INITIALIZING);
    irp->Current.DeviceObject = top;
    return whole.driver.MajorFunction[irp->Current.MajorFunction](top, irp);
}

/* The IRP's own status; it has ended by the time the routine returns. */
static NTSTATUS send(PIRP irp)
{
    NTSTATUS status = call(irp);

    g_assert_true(irp->IsCompleted);
    g_assert_cmphex(status, ==, irp->IoStatus.Status);
    return status;
}

NTSTATUS whole_pnp(UCHAR minor)
{
    IRP irp = { .IoStatus.Status = STATUS_NOT_SUPPORTED };

    irp.Current.MajorFunction = IRP_MJ_PNP;
    irp.Current.MinorFunction = minor;
    return send(&irp);
}

static NTSTATUS set_power(POWER_STATE_TYPE type, POWER_STATE state)
{
    IRP irp = { .IoStatus.Status = STATUS_NOT_SUPPORTED };
    NTSTATUS status;

    irp.Current.MajorFunction = IRP_MJ_POWER;
    irp.Current.MinorFunction = IRP_MN_SET_POWER;
    irp.Current.Parameters.Power.Type = type;
    irp.Current.Parameters.Power.State = state;
    host.irql = DISPATCH_LEVEL; /* the device is not DO_POWER_PAGABLE */
    status = call(&irp);
    g_assert_cmphex(status, ==, STATUS_PENDING);
    g_assert_true(irp.PendingReturned);
    host.irql = PASSIVE_LEVEL;
    while (host_run_work()) {
    }
    if (host.request.done) {
        host_power_request request = host.request;
        IO_STATUS_BLOCK block = { 0 };

        g_assert_false(irp.IsCompleted); /* it waits for the other one */
        g_assert_true(request.pdo == &whole.pdo);
        host.request.done = NULL;
        block.Status = whole_device_power(request.state.DeviceState);
        request.done(request.pdo, request.minor, request.state, request.context,
                     &block);
    }
    g_assert_true(irp.IsCompleted);
    return irp.IoStatus.Status;
}

NTSTATUS whole_device_power(DEVICE_POWER_STATE state)
{
    return set_power(DevicePowerState, (POWER_STATE){ .DeviceState = state });
}

NTSTATUS whole_system_power(SYSTEM_POWER_STATE state)
{
    return set_power(SystemPowerState, (POWER_STATE){ .SystemState = state });
}

NTSTATUS whole_file(UCHAR major, unsigned i)
{
    IRP irp = { .IoStatus.Status = STATUS_NOT_SUPPORTED };

    irp.Current.MajorFunction = major;
    irp.Current.FileObject = &whole.file[i];
    return send(&irp);
}

NTSTATUS whole_control(unsigned i, ULONG code, const void *in, ULONG in_bytes,
                       ULONG out_bytes)
{
    IRP irp = { .AssociatedIrp.SystemBuffer = whole.buffer };

    g_assert_cmpuint(in_bytes, <=, sizeof(whole.buffer));
    g_assert_cmpuint(out_bytes, <=, sizeof(whole.buffer));
    if (in_bytes) {
        memcpy(whole.buffer, in, in_bytes);
    }
    irp.Current.MajorFunction = IRP_MJ_DEVICE_CONTROL;
    irp.Current.FileObject = &whole.file[i];
    irp.Current.Parameters.DeviceIoControl.IoControlCode = code;
    irp.Current.Parameters.DeviceIoControl.InputBufferLength = in_bytes;
    irp.Current.Parameters.DeviceIoControl.OutputBufferLength = out_bytes;
    return send(&irp);
}

NTSTATUS whole_set_format(void)
{
    const isoav_format format = { 640, 480, 333333 };

    return whole_control(0, ISOAV_IOCTL_SET_FORMAT, &format, sizeof(format), 0);
}

isoav_stats whole_stats(unsigned i)
{
    isoav_stats stats;

    g_assert_cmphex(
        whole_control(i, ISOAV_IOCTL_STREAM_STATS, NULL, 0, sizeof(stats)), ==,
        STATUS_SUCCESS);
    memcpy(&stats, whole.buffer, sizeof(stats));
    return stats;
}

NTSTATUS whole_start(unsigned i, ULONG flags)
{
    const isoav_start start = { .interface_number = (UCHAR)i,
                                .alternate = 1,
                                .endpoint = endpoints[i][0],
                                .urbs = 3,
                                .packets = 8,
                                .fifo_bytes = 65536,
                                .flags = flags };

    return whole_control(i, ISOAV_IOCTL_STREAM_START, &start, sizeof(start),
                         sizeof(isoav_started));
}

NTSTATUS whole_stop(unsigned i)
{
    return whole_control(i, ISOAV_IOCTL_STREAM_STOP, NULL, 0, 0);
}

NTSTATUS whole_transfer(unsigned i)
{
    PIRP irp = &whole.transfer[i];
    isoav_record record = { .record_bytes = ISOAV_RECORD_BYTES(4),
                            .length = 4 };
    ULONG at;

    memset(irp, 0, sizeof(*irp));
    irp->Current.MajorFunction = i ? IRP_MJ_WRITE : IRP_MJ_READ;
    irp->Current.FileObject = &whole.file[i];
    irp->MdlAddress = whole.data[i];
    irp->Current.Parameters.Read.Length = sizeof(whole.data[i]);
    if (i) {
        irp->Current.Parameters.Write.Length = 8 * record.record_bytes;
        for (at = 0; at < 8 * record.record_bytes; at += record.record_bytes) {
            memcpy(whole.data[i] + at, &record, sizeof(record));
        }
    }
    return call(irp);
}

NTSTATUS whole_add(void)
{
    return whole.driver.DriverExtension->AddDevice(&whole.driver, &whole.pdo);
}

void whole_begin(void)
{
    static DRIVER_EXTENSION extension;

    host_reset();
    host.lower = driver_below;
    host.power = PowerDeviceD0;
    memset(&whole, 0, sizeof(whole));
    whole.events = g_string_new("");
    whole.pdo.StackSize = 1;
    whole.is_high_speed = true;
    whole.driver.DriverExtension = &extension;
    g_assert_cmphex(DriverEntry(&whole.driver, NULL), ==, STATUS_SUCCESS);
}

void whole_end(void)
{
    g_assert_null(whole_top());
    g_assert_true(g_queue_is_empty(&whole.bus));
    g_assert_false(host.is_announced);
    whole.driver.DriverUnload(&whole.driver);
    g_string_free(whole.events, TRUE);
    host_check_clean();
}
