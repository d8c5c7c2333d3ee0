/*
 * Configurations, alternate settings and the pipe handles that they give.
 *
 * A pipe handle is not a pointer: it is the endpoint's address and the number
 * of the selection that made it. Selecting an alternate setting gives the
 * interface's pipes new numbers, so that a handle from before is found out
 * instead of working by accident (on Windows it would be a stale pointer).
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <string.h>
#include <sys/ioctl.h>

#define PIPE_HANDLE_TAG 0x15a0000000000000ull
#define CONFIG_HANDLE_TAG 0x15c0000000000000ull

static ULONG_PTR pipe_handle(const Pipe *pipe)
{
    return (ULONG_PTR)(PIPE_HANDLE_TAG | (ULONG64)pipe->generation << 8 |
                       pipe->address);
}

static Pipe *pipe_slot(Device *device, UCHAR address)
{
    return &device->pipes[(address & 0x0f) | (address & 0x80) >> 3];
}

Pipe *config_pipe(Device *device, USBD_PIPE_HANDLE handle)
{
    ULONG_PTR value = (ULONG_PTR)handle;
    Pipe *pipe = pipe_slot(device, (UCHAR)value);

    return pipe->open && pipe_handle(pipe) == value ? pipe : NULL;
}

static const struct libusb_interface_descriptor *find_alternate(
    const struct libusb_config_descriptor *config, UCHAR iface, UCHAR alternate)
{
    int i, j;

    for (i = 0; i < config->bNumInterfaces; i++) {
        const struct libusb_interface *entry = &config->interface[i];

        for (j = 0; j < entry->num_altsetting; j++) {
            if (entry->altsetting[j].bInterfaceNumber == iface &&
                entry->altsetting[j].bAlternateSetting == alternate) {
                return &entry->altsetting[j];
            }
        }
    }
    return NULL;
}

/*
 * Bytes in one service interval. USB 2.0 §9.6.6: bits 12..11 of wMaxPacketSize
 * are the additional transactions of a high-bandwidth endpoint; USB 3.2
 * §9.6.7: wBytesPerInterval of the companion.
 */
static ULONG interval_bytes(Device *device,
                            const struct libusb_endpoint_descriptor *endpoint)
{
    struct libusb_ss_endpoint_companion_descriptor *companion;
    ULONG bytes = endpoint->wMaxPacketSize & 0x7ff;

    if (device->speed >= LIBUSB_SPEED_SUPER &&
        libusb_get_ss_endpoint_companion_descriptor(NULL, endpoint,
                                                    &companion) == 0) {
        if (endpoint->bmAttributes & 1) {
            bytes = companion->wBytesPerInterval;
        }
        libusb_free_ss_endpoint_companion_descriptor(companion);
        return bytes;
    }
    if (endpoint->bmAttributes & 1) {
        bytes *= 1 + (endpoint->wMaxPacketSize >> 11 & 3);
    }
    return bytes;
}

static void close_pipes(Device *device, UCHAR iface)
{
    int i;

    for (i = 0; i < BRIDGE_MAX_PIPES; i++) {
        if (device->pipes[i].open && device->pipes[i].iface == iface) {
            request_abort(device, &device->pipes[i]);
            device->pipes[i].open = false;
        }
    }
}

static void open_pipe(Device *device, UCHAR iface,
                      const struct libusb_endpoint_descriptor *endpoint)
{
    Pipe *pipe = pipe_slot(device, endpoint->bEndpointAddress);

    memset(pipe, 0, sizeof(*pipe));
    pipe->open = true;
    pipe->address = endpoint->bEndpointAddress;
    pipe->type = endpoint->bmAttributes & 3;
    pipe->interval = endpoint->bInterval;
    pipe->iface = iface;
    pipe->max_bytes = interval_bytes(device, endpoint);
    pipe->generation = device->generation;
}

/* Claims an interface and sets its alternate; the device's answer decides. */
static USBD_STATUS set_alternate(Device *device, UCHAR iface, UCHAR alternate)
{
    struct usbdevfs_setinterface setting = { iface, alternate };
    int ret = 0;

    if (iface >= 8) {
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    }
    if (!(device->claimed & 1 << iface)) {
        ret = libusb_claim_interface(device->handle, iface);
        if (!ret) {
            device->claimed |= (UCHAR)(1 << iface);
        }
    }
    if (ret) {
        bridge_log("interface %u: %s", iface, libusb_error_name(ret));
        return request_usbd_error(ret);
    }
    /* Not through libusb, which hides the one error that matters here. */
    if (ioctl(device->fd, USBDEVFS_SETINTERFACE, &setting) == 0) {
        return USBD_STATUS_SUCCESS;
    }
    bridge_log("interface %u alternate %u: %s", iface, alternate,
               strerror(errno));
    switch (errno) {
    case ENOSPC:
        return USBD_STATUS_NO_BANDWIDTH;
    case ENODEV:
        enumerate_gone(device);
        return USBD_STATUS_DEVICE_GONE;
    case EPIPE:
        return USBD_STATUS_STALL_PID;
    default:
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    }
}

static void fill_pipe(USBD_PIPE_INFORMATION *info, const Pipe *pipe)
{
    info->MaximumPacketSize = (USHORT)pipe->max_bytes;
    info->EndpointAddress = pipe->address;
    info->Interval = pipe->interval;
    info->PipeType = (USBD_PIPE_TYPE)pipe->type;
    info->PipeHandle = (USBD_PIPE_HANDLE)pipe_handle(pipe);
}

/*
 * Selects what info asks for and fills it. `room` is what is left of the URB
 * from info on: the lengths in it come from the driver above.
 */
static USBD_STATUS select_interface(Device *device,
                                    USBD_INTERFACE_INFORMATION *info,
                                    ULONG room)
{
    const ULONG head = FIELD_OFFSET(USBD_INTERFACE_INFORMATION, Pipes);
    const struct libusb_interface_descriptor *d;
    USBD_STATUS status;
    ULONG needed;
    int i;

    if (room < head || info->Length < head || info->Length > room) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    d = find_alternate(device->config, info->InterfaceNumber,
                       info->AlternateSetting);
    if (!d) {
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    }
    needed = head + d->bNumEndpoints * sizeof(USBD_PIPE_INFORMATION);
    if (info->Length < needed) {
        return USBD_STATUS_BUFFER_TOO_SMALL;
    }
    close_pipes(device, info->InterfaceNumber);
    status =
        set_alternate(device, info->InterfaceNumber, info->AlternateSetting);
    if (status) {
        return status;
    }
    device->generation++;
    info->Class = d->bInterfaceClass;
    info->SubClass = d->bInterfaceSubClass;
    info->Protocol = d->bInterfaceProtocol;
    info->InterfaceHandle =
        (USBD_INTERFACE_HANDLE)((ULONG_PTR)CONFIG_HANDLE_TAG | 0x100u |
                                info->InterfaceNumber);
    info->NumberOfPipes = d->bNumEndpoints;
    for (i = 0; i < d->bNumEndpoints; i++) {
        open_pipe(device, info->InterfaceNumber, &d->endpoint[i]);
        fill_pipe(&info->Pipes[i],
                  pipe_slot(device, d->endpoint[i].bEndpointAddress));
    }
    return USBD_STATUS_SUCCESS;
}

void config_release(Device *device)
{
    int i;

    for (i = 0; i < 8; i++) {
        close_pipes(device, (UCHAR)i);
        if (device->claimed & 1 << i) {
            if (!device->gone) {
                libusb_set_interface_alt_setting(device->handle, i, 0);
            }
            libusb_release_interface(device->handle, i);
        }
    }
    device->claimed = 0;
    if (device->config) {
        libusb_free_config_descriptor(device->config);
        device->config = NULL;
    }
}

static USBD_STATUS set_configuration(Device *device, UCHAR value)
{
    int current = 0, ret;

    config_release(device);
    ret = libusb_get_configuration(device->handle, &current);
    if (!ret && current != value) {
        ret = libusb_set_configuration(device->handle, value);
    }
    if (!ret) {
        ret = libusb_get_config_descriptor_by_value(
            libusb_get_device(device->handle), value, &device->config);
    }
    if (ret) {
        bridge_log("configuration %u: %s", value, libusb_error_name(ret));
        return ret == LIBUSB_ERROR_NO_DEVICE ? USBD_STATUS_DEVICE_GONE
                                             : USBD_STATUS_SET_CONFIG_FAILED;
    }
    return USBD_STATUS_SUCCESS;
}

USBD_STATUS config_select(Device *device, URB *urb)
{
    struct _URB_SELECT_CONFIGURATION *select = &urb->UrbSelectConfiguration;
    const ULONG head =
        FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface);
    ULONG length = urb->UrbHeader.Length, at = head;
    USBD_STATUS status;
    int i;

    if (length < head) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (!select->ConfigurationDescriptor) {
        config_release(device);
        return USBD_STATUS_SUCCESS;
    }
    if (select->ConfigurationDescriptor->bLength <
            sizeof(USB_CONFIGURATION_DESCRIPTOR) ||
        select->ConfigurationDescriptor->bDescriptorType !=
            USB_CONFIGURATION_DESCRIPTOR_TYPE) {
        return USBD_STATUS_INVALID_CONFIGURATION_DESCRIPTOR;
    }
    status = set_configuration(
        device, select->ConfigurationDescriptor->bConfigurationValue);
    for (i = 0; !status && i < device->config->bNumInterfaces; i++) {
        USBD_INTERFACE_INFORMATION *info = (void *)((UCHAR *)urb + at);

        if (at >= length) {
            break; /* fewer interfaces than the device has: allowed */
        }
        status = select_interface(device, info, length - at);
        at += info->Length;
    }
    if (status) {
        config_release(device);
        return status;
    }
    select->ConfigurationHandle =
        (USBD_CONFIGURATION_HANDLE)((ULONG_PTR)CONFIG_HANDLE_TAG |
                                    device->config->bConfigurationValue);
    return USBD_STATUS_SUCCESS;
}

USBD_STATUS config_select_interface(Device *device, URB *urb)
{
    struct _URB_SELECT_INTERFACE *select = &urb->UrbSelectInterface;
    const ULONG head = FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface);

    if (urb->UrbHeader.Length < head) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (!device->config || (ULONG_PTR)select->ConfigurationHandle !=
                               ((ULONG_PTR)CONFIG_HANDLE_TAG |
                                device->config->bConfigurationValue)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    return select_interface(device, &select->Interface,
                            urb->UrbHeader.Length - head);
}
