/*
 * Control transfers, configurations, interfaces, pipe handles.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "urbtest.h"

#define INFO_BYTES(pipes)                                       \
    ((USHORT)(FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes) + \
              (pipes) * sizeof(USBD_PIPE_INFORMATION)))

static void expect(Device *device, PURB urb, USBD_STATUS wanted,
                   const char *name)
{
    submit(device, urb);
    check(urb->UrbHeader.Status == wanted, name, urb->UrbHeader.Status, wanted);
}

static void descriptor_cases(Device *device, PURB urb)
{
    PUSB_DEVICE_DESCRIPTOR d = (PUSB_DEVICE_DESCRIPTOR)device->buffer;

    UsbBuildGetDescriptorRequest(
        urb, sizeof(struct _URB_CONTROL_DESCRIPTOR_REQUEST),
        USB_DEVICE_DESCRIPTOR_TYPE, 0, 0, d, NULL, 255, NULL);
    expect(device, urb, USBD_STATUS_SUCCESS, "a descriptor is read");
    check(urb->UrbControlDescriptorRequest.TransferBufferLength == 18,
          "its length comes back",
          (LONG)urb->UrbControlDescriptorRequest.TransferBufferLength, 18);
    check(d->idProduct == ISOAV_PRODUCT_ID, "it is this device's", d->idProduct,
          ISOAV_PRODUCT_ID);

    UsbBuildGetDescriptorRequest(urb,
                                 sizeof(struct _URB_CONTROL_DESCRIPTOR_REQUEST),
                                 0x77, 0, 0, d, NULL, 255, NULL);
    expect(device, urb, USBD_STATUS_STALL_PID, "a stall is a stall");

    RtlZeroMemory(urb, sizeof(*urb));
    urb->UrbHeader.Length = sizeof(struct _URB_HEADER);
    urb->UrbHeader.Function = 0x7f;
    expect(device, urb, USBD_STATUS_INVALID_URB_FUNCTION,
           "an unknown function is refused");
}

static void build_select_interface(Device *device, PURB urb, UCHAR alternate,
                                   USHORT info_bytes)
{
    struct _URB_SELECT_INTERFACE *select = &urb->UrbSelectInterface;

    RtlZeroMemory(urb, sizeof(*urb));
    select->Hdr.Function = URB_FUNCTION_SELECT_INTERFACE;
    select->Hdr.Length =
        (USHORT)(FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface) +
                 info_bytes);
    select->ConfigurationHandle = device->configuration;
    select->Interface.Length = info_bytes;
    select->Interface.InterfaceNumber = ISOAV_IFACE_VIDEO;
    select->Interface.AlternateSetting = alternate;
}

static void interface_cases(Device *device, PURB urb)
{
    USBD_PIPE_INFORMATION *pipe = &urb->UrbSelectInterface.Interface.Pipes[0];

    build_select_interface(device, urb, 5, INFO_BYTES(0));
    expect(device, urb, USBD_STATUS_BUFFER_TOO_SMALL,
           "no room for the pipes is refused");
    build_select_interface(device, urb, 99, INFO_BYTES(1));
    expect(device, urb, USBD_STATUS_INTERFACE_NOT_FOUND,
           "an unknown alternate is refused");
    build_select_interface(device, urb, 4, INFO_BYTES(1));
    expect(device, urb, USBD_STATUS_SUCCESS, "alternate 4 is selected");
    device->stale_pipe = pipe->PipeHandle;
    build_select_interface(device, urb, 5, INFO_BYTES(1));
    expect(device, urb, USBD_STATUS_SUCCESS, "alternate 5 is selected");
    device->pipe = pipe->PipeHandle;
    check(pipe->MaximumPacketSize == PIPE_BYTES,
          "MaximumPacketSize counts all transactions", pipe->MaximumPacketSize,
          PIPE_BYTES);
    check(device->pipe != device->stale_pipe, "the pipe handle is a new one", 0,
          1);
}

BOOLEAN config_cases(Device *device)
{
    PUSB_CONFIGURATION_DESCRIPTOR d =
        (PUSB_CONFIGURATION_DESCRIPTOR)device->buffer;
    struct _URB_SELECT_CONFIGURATION *select;
    PURB urb = allocate(sizeof(URB) + 4 * INFO_BYTES(1));

    if (!urb) {
        return FALSE;
    }
    descriptor_cases(device, urb);
    UsbBuildGetDescriptorRequest(
        urb, sizeof(struct _URB_CONTROL_DESCRIPTOR_REQUEST),
        USB_CONFIGURATION_DESCRIPTOR_TYPE, 0, 0, d, NULL, 1024, NULL);
    submit(device, urb);

    RtlZeroMemory(urb, sizeof(*urb));
    select = &urb->UrbSelectConfiguration;
    select->Hdr.Function = URB_FUNCTION_SELECT_CONFIGURATION;
    select->Hdr.Length =
        (USHORT)(FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface) +
                 INFO_BYTES(0));
    select->ConfigurationDescriptor = d;
    select->Interface.Length = INFO_BYTES(0);
    expect(device, urb, USBD_STATUS_SUCCESS, "the configuration is selected");
    device->configuration = select->ConfigurationHandle;
    interface_cases(device, urb);
    ExFreePoolWithTag(urb, TAG);
    return device->pipe != NULL;
}
