/*
 * The internal device controls of a USB device's stack, above all
 * IOCTL_INTERNAL_USB_SUBMIT_URB: looks at the URB's function and gives it to
 * who does it. Every URB ends with a status in its header and the matching
 * one in the IRP; one that is malformed ends here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"
#include "verify.h"

#include <string.h>

/* Requests without a time-out of their own, in milliseconds. */
#define CONTROL_TIMEOUT 5000

struct urb_control_transfer_ex {
    struct _URB_HEADER Hdr;
    USBD_PIPE_HANDLE PipeHandle;
    ULONG TransferFlags;
    ULONG TransferBufferLength;
    PVOID TransferBuffer;
    PMDL TransferBufferMDL;
    ULONG Timeout;
    ULONG Pad;
    struct _URB_HCD_AREA hca;
    UCHAR SetupPacket[8];
};

/* The layouts that drivers for 64-bit Windows are compiled with. */
C_ASSERT(sizeof(URB) == 152);
C_ASSERT(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, StartFrame) == 0x80);
C_ASSERT(FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, IsoPacket) == 0x8c);
C_ASSERT(FIELD_OFFSET(struct _URB_CONTROL_TRANSFER, SetupPacket) == 0x80);
C_ASSERT(FIELD_OFFSET(struct urb_control_transfer_ex, SetupPacket) == 0x80);

NTSTATUS urb_nt_status(USBD_STATUS status)
{
    switch (status) {
    case USBD_STATUS_SUCCESS:
        return STATUS_SUCCESS;
    case USBD_STATUS_PENDING:
        return STATUS_PENDING;
    case USBD_STATUS_CANCELED:
        return STATUS_CANCELLED;
    case USBD_STATUS_DEVICE_GONE:
        return STATUS_NO_SUCH_DEVICE;
    case USBD_STATUS_INVALID_PARAMETER:
    case USBD_STATUS_INVALID_URB_FUNCTION:
    case USBD_STATUS_INVALID_PIPE_HANDLE:
    case USBD_STATUS_BAD_START_FRAME:
        return STATUS_INVALID_PARAMETER;
    case USBD_STATUS_INSUFFICIENT_RESOURCES:
    case USBD_STATUS_NO_BANDWIDTH:
        return STATUS_INSUFFICIENT_RESOURCES;
    case USBD_STATUS_NOT_SUPPORTED:
        return STATUS_NOT_SUPPORTED;
    case USBD_STATUS_TIMEOUT:
        return STATUS_IO_TIMEOUT;
    case USBD_STATUS_ERROR_BUSY:
        return STATUS_DEVICE_BUSY;
    case USBD_STATUS_BUFFER_TOO_SMALL:
        return STATUS_BUFFER_TOO_SMALL;
    default:
        return STATUS_UNSUCCESSFUL;
    }
}

/* Exactly one of buffer and mdl; the MDL must hold all of the bytes. */
UCHAR *urb_buffer(PVOID buffer, MDL *mdl, ULONG bytes, USBD_STATUS *status)
{
    if (bytes == 0 && !buffer && !mdl) {
        return NULL;
    }
    if (!buffer == !mdl || (mdl && mdl->ByteCount < bytes)) {
        bridge_log("a URB of %u bytes with %s", (unsigned)bytes,
                   buffer && mdl ? "both a buffer and an MDL"
                   : mdl         ? "an MDL that is too short"
                                 : "neither a buffer nor an MDL");
        *status = USBD_STATUS_INVALID_PARAMETER;
        return NULL;
    }
    return mdl ? (UCHAR *)mdl->StartVa + mdl->ByteOffset : buffer;
}

/* All functions with a data stage share the layout up to UrbLink. */
static USBD_STATUS send_control(Device *device, IRP *irp, URB *urb,
                                const UCHAR setup[8])
{
    struct _URB_CONTROL_TRANSFER *control = &urb->UrbControlTransfer;
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    UCHAR *data;

    if (urb->UrbHeader.Length < sizeof(*control) || control->UrbLink ||
        control->TransferBufferLength > 0xffff) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    data = urb_buffer(control->TransferBuffer, control->TransferBufferMDL,
                      control->TransferBufferLength, &status);
    if (status) {
        return status;
    }
    return request_control(device, irp, urb, setup, data,
                           &control->TransferBufferLength, CONTROL_TIMEOUT);
}

static USBD_STATUS send_control_ex(Device *device, IRP *irp, URB *urb)
{
    struct urb_control_transfer_ex *control = (void *)urb;
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    UCHAR *data;

    if (urb->UrbHeader.Length < sizeof(*control) ||
        control->TransferBufferLength > 0xffff) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    data = urb_buffer(control->TransferBuffer, control->TransferBufferMDL,
                      control->TransferBufferLength, &status);
    if (status) {
        return status;
    }
    return request_control(device, irp, urb, control->SetupPacket, data,
                           &control->TransferBufferLength, control->Timeout);
}

/* USB 2.0 §9.4.3, with the recipient that the function names. */
static USBD_STATUS get_descriptor(Device *device, IRP *irp, URB *urb,
                                  UCHAR recipient)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *d =
        &urb->UrbControlDescriptorRequest;
    const UCHAR setup[8] = { 0x80 | recipient,
                             LIBUSB_REQUEST_GET_DESCRIPTOR,
                             d->Index,
                             d->DescriptorType,
                             (UCHAR)d->LanguageId,
                             (UCHAR)(d->LanguageId >> 8) };

    return send_control(device, irp, urb, setup);
}

static USBD_STATUS get_status(Device *device, IRP *irp, URB *urb,
                              UCHAR recipient)
{
    USHORT index = urb->UrbControlGetStatusRequest.Index;
    const UCHAR setup[8] = { 0x80 | recipient, LIBUSB_REQUEST_GET_STATUS, 0, 0,
                             (UCHAR)index,     (UCHAR)(index >> 8) };

    return send_control(device, irp, urb, setup);
}

/* type is 20h (class) or 40h (vendor); recipient as in USB 2.0 §9.3.1. */
static USBD_STATUS class_or_vendor(Device *device, IRP *irp, URB *urb,
                                   UCHAR type, UCHAR recipient)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *r =
        &urb->UrbControlVendorClassRequest;
    UCHAR in = r->TransferFlags & USBD_TRANSFER_DIRECTION_IN ? 0x80 : 0;
    const UCHAR setup[8] = { in | type | recipient, r->Request,
                             (UCHAR)r->Value,       (UCHAR)(r->Value >> 8),
                             (UCHAR)r->Index,       (UCHAR)(r->Index >> 8) };

    return send_control(device, irp, urb, setup);
}

static USBD_STATUS pipe_request(Device *device, URB *urb)
{
    struct _URB_PIPE_REQUEST *request = &urb->UrbPipeRequest;
    Pipe *pipe;
    int ret;

    if (urb->UrbHeader.Length < sizeof(*request)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    pipe = config_pipe(device, request->PipeHandle);
    if (!pipe) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    if (urb->UrbHeader.Function == URB_FUNCTION_ABORT_PIPE) {
        verify_at_abort();
        request_abort(device, pipe);
        return USBD_STATUS_SUCCESS;
    }
    if (pipe->active) {
        return USBD_STATUS_ERROR_BUSY;
    }
    pipe->scheduled = false;
    if (urb->UrbHeader.Function == URB_FUNCTION_SYNC_RESET_PIPE ||
        pipe->type == UsbdPipeTypeIsochronous) {
        return USBD_STATUS_SUCCESS; /* isochronous pipes never halt */
    }
    ret = libusb_clear_halt(device->handle, pipe->address);
    return request_usbd_error(ret);
}

static USBD_STATUS dispatch(Device *device, IRP *irp, URB *urb)
{
    switch (urb->UrbHeader.Function) {
    case URB_FUNCTION_SELECT_CONFIGURATION:
        return config_select(device, urb);
    case URB_FUNCTION_SELECT_INTERFACE:
        return config_select_interface(device, urb);
    case URB_FUNCTION_ABORT_PIPE:
    case URB_FUNCTION_SYNC_RESET_PIPE:
    case URB_FUNCTION_SYNC_CLEAR_STALL:
    case URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL:
        return pipe_request(device, urb);
    case URB_FUNCTION_GET_CURRENT_FRAME_NUMBER:
        if (urb->UrbHeader.Length < sizeof(urb->UrbGetCurrentFrameNumber)) {
            return USBD_STATUS_INVALID_PARAMETER;
        }
        urb->UrbGetCurrentFrameNumber.FrameNumber = isoch_current_frame();
        return USBD_STATUS_SUCCESS;
    case URB_FUNCTION_ISOCH_TRANSFER:
        return isoch_submit(device, irp, urb);
    case URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER:
        return request_bulk(device, irp, urb);
    case URB_FUNCTION_CONTROL_TRANSFER:
        return send_control(device, irp, urb,
                            urb->UrbControlTransfer.SetupPacket);
    case URB_FUNCTION_CONTROL_TRANSFER_EX:
        return send_control_ex(device, irp, urb);
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE:
        return get_descriptor(device, irp, urb, 0);
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_INTERFACE:
        return get_descriptor(device, irp, urb, 1);
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_ENDPOINT:
        return get_descriptor(device, irp, urb, 2);
    case URB_FUNCTION_GET_STATUS_FROM_DEVICE:
        return get_status(device, irp, urb, 0);
    case URB_FUNCTION_GET_STATUS_FROM_INTERFACE:
        return get_status(device, irp, urb, 1);
    case URB_FUNCTION_GET_STATUS_FROM_ENDPOINT:
        return get_status(device, irp, urb, 2);
    case URB_FUNCTION_VENDOR_DEVICE:
        return class_or_vendor(device, irp, urb, 0x40, 0);
    case URB_FUNCTION_VENDOR_INTERFACE:
        return class_or_vendor(device, irp, urb, 0x40, 1);
    case URB_FUNCTION_VENDOR_ENDPOINT:
        return class_or_vendor(device, irp, urb, 0x40, 2);
    case URB_FUNCTION_VENDOR_OTHER:
        return class_or_vendor(device, irp, urb, 0x40, 3);
    case URB_FUNCTION_CLASS_DEVICE:
        return class_or_vendor(device, irp, urb, 0x20, 0);
    case URB_FUNCTION_CLASS_INTERFACE:
        return class_or_vendor(device, irp, urb, 0x20, 1);
    case URB_FUNCTION_CLASS_ENDPOINT:
        return class_or_vendor(device, irp, urb, 0x20, 2);
    case URB_FUNCTION_CLASS_OTHER:
        return class_or_vendor(device, irp, urb, 0x20, 3);
    default:
        bridge_log("URB function %04xh is not supported",
                   urb->UrbHeader.Function);
        return USBD_STATUS_INVALID_URB_FUNCTION;
    }
}

static NTSTATUS submit(Device *device, IRP *irp)
{
    URB *urb = IoGetCurrentIrpStackLocation(irp)->Parameters.Others.Argument1;
    USBD_STATUS status;

    if (!urb || urb->UrbHeader.Length < sizeof(struct _URB_HEADER)) {
        return bridge_complete(irp, STATUS_INVALID_PARAMETER);
    }
    if (device->gone) {
        status = USBD_STATUS_DEVICE_GONE;
    } else if (!device->started) {
        status = USBD_STATUS_REQUEST_FAILED;
    } else {
        if (device->asleep) {
            verify_report("URB function %04xh was sent to a device that sleeps",
                          urb->UrbHeader.Function);
        }
        status = dispatch(device, irp, urb);
    }
    if (status == USBD_STATUS_PENDING) {
        return STATUS_PENDING; /* the event thread owns the IRP now */
    }
    urb->UrbHeader.Status = status;
    if (status && status != USBD_STATUS_DEVICE_GONE) {
        bridge_log("URB function %04xh: status %08x", urb->UrbHeader.Function,
                   (unsigned)status);
    }
    return bridge_complete(irp, urb_nt_status(status));
}

NTSTATUS urb_ioctl(Device *device, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG *out = stack->Parameters.Others.Argument1;

    switch (stack->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_INTERNAL_USB_SUBMIT_URB:
        return submit(device, irp);
    case IOCTL_INTERNAL_USB_GET_PORT_STATUS:
        if (!out) {
            return bridge_complete(irp, STATUS_INVALID_PARAMETER);
        }
        /* USBD_PORT_ENABLED | USBD_PORT_CONNECTED */
        *out = device->gone ? 0 : 3;
        return bridge_complete(irp, STATUS_SUCCESS);
    case IOCTL_INTERNAL_USB_RESET_PORT:
        if (device->gone || libusb_reset_device(device->handle)) {
            return bridge_complete(irp, STATUS_UNSUCCESSFUL);
        }
        return bridge_complete(irp, STATUS_SUCCESS);
    default:
        return bridge_complete(irp, STATUS_NOT_SUPPORTED);
    }
}
