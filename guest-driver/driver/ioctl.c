/*
 * The requests of isoav_ioctl.h: a row each, checked in one place.
 *
 * METHOD_BUFFERED means that input and output share one kernel buffer, so a
 * handler copies its input before it writes its output. The caller of a
 * handler has checked both lengths, zeroed the output and taken the device's
 * lock. *Bytes is the room for output and becomes what is there; a handler
 * whose output has one size leaves it alone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stream.h"

#include "isolab/isoav.h"

static NTSTATUS GetInfo(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;
    const ISOAV_CONFIG *config = &device->Config;
    UCHAR reply[ISOAV_INFO_BYTES];
    isoav_info *info = Buffer;
    NTSTATUS status;
    ULONG i;

    info->abi_version = ISOAV_ABI_VERSION;
    info->driver_version = ISOAV_DRIVER_VERSION;
    info->usb_version = device->Descriptor.bcdUSB;
    info->vendor = device->Descriptor.idVendor;
    info->product = device->Descriptor.idProduct;
    info->release = device->Descriptor.bcdDevice;
    info->speed = device->Speed;
    info->configuration_bytes = config->TotalBytes;
    info->interfaces = config->Interfaces;
    info->max_power = config->MaxPower;
    info->usbd_version = USBD_INTERFACE_VERSION_600;
    if (USBD_IsInterfaceVersionSupported(device->Usbd,
                                         USBD_INTERFACE_VERSION_602)) {
        info->usbd_version = USBD_INTERFACE_VERSION_602;
    }
    info->alternates = config->Endpoints;
    for (i = 0; i < config->Endpoints; i++) {
        const CONFIG_ENDPOINT *from = &config->Endpoint[i];
        isoav_alternate *to = &info->alternate[i];

        to->interface_number = from->Interface;
        to->alternate = from->Alternate;
        to->endpoint = from->Address;
        to->interval = from->Interval;
        to->packet_bytes = ConfigPacketBytes(from, device->Speed);
        to->period_uf = ConfigPeriod(from, device->Speed);
    }
    /* A device that does not answer this one has protocol 0. */
    status = DeviceVendorIn(device, ISOAV_REQ_INFO, ISOAV_IFACE_VIDEO, reply,
                            sizeof(reply));
    if (NT_SUCCESS(status)) {
        info->protocol = isoav_get16(reply);
        info->microframe = isoav_get64(reply + 8);
    }
    return status == STATUS_INSUFFICIENT_RESOURCES ? status : STATUS_SUCCESS;
}

static NTSTATUS GetDescriptors(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;
    ULONG first = sizeof(device->Descriptor);
    ULONG rest = device->Config.TotalBytes;

    if (rest > *Bytes - first) {
        rest = *Bytes - first;
    }
    RtlCopyMemory(Buffer, &device->Descriptor, first);
    RtlCopyMemory((PUCHAR)Buffer + first, device->ConfigBytes, rest);
    *Bytes = first + rest;
    return STATUS_SUCCESS;
}

static NTSTATUS GetFormat(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    UCHAR wire[ISOAV_FORMAT_BYTES];
    isoav_format *format = Buffer;
    NTSTATUS status = DeviceVendorIn(Stream->Device, ISOAV_REQ_FORMAT,
                                     ISOAV_IFACE_VIDEO, wire, sizeof(wire));

    if (NT_SUCCESS(status)) {
        format->width = isoav_get16(wire);
        format->height = isoav_get16(wire + 2);
        format->interval_100ns = isoav_get32(wire + 4);
    }
    return status;
}

static NTSTATUS SetFormat(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    const isoav_format *format = Buffer;
    UCHAR wire[ISOAV_FORMAT_BYTES];

    if (StreamsUse(Stream->Device, ISOAV_IFACE_VIDEO)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    isoav_put16(wire, format->width);
    isoav_put16(wire + 2, format->height);
    isoav_put32(wire + 4, format->interval_100ns);
    return DeviceVendorOut(Stream->Device, ISOAV_REQ_FORMAT, ISOAV_IFACE_VIDEO,
                           wire, sizeof(wire));
}

static NTSTATUS GetCounters(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    ULONG number = ((const isoav_interface *)Buffer)->interface_number;
    isoav_counters *counters = Buffer;
    UCHAR wire[ISOAV_COUNTERS_BYTES];
    NTSTATUS status;
    ULONG i;

    if (number >= CONFIG_MAX_INTERFACES) {
        return STATUS_INVALID_PARAMETER;
    }
    status = DeviceVendorIn(Stream->Device, ISOAV_REQ_COUNTERS, (UCHAR)number,
                            wire, sizeof(wire));
    if (NT_SUCCESS(status)) {
        for (i = 0; i < ISOAV_COUNTERS; i++) {
            counters->count[i] = isoav_get64(wire + 8 * i);
        }
    }
    return status;
}

static NTSTATUS GetMode(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    UCHAR wire[ISOAV_MODE_BYTES];
    NTSTATUS status = DeviceVendorIn(Stream->Device, ISOAV_REQ_MODE,
                                     ISOAV_IFACE_TEST, wire, sizeof(wire));

    if (NT_SUCCESS(status)) {
        ((isoav_mode *)Buffer)->mode = wire[0];
    }
    return status;
}

static NTSTATUS SetMode(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    const isoav_mode *mode = Buffer;
    UCHAR wire[ISOAV_MODE_BYTES] = { 0 };

    if (StreamsUse(Stream->Device, ISOAV_IFACE_TEST)) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (mode->mode > 0xff) {
        return STATUS_INVALID_PARAMETER;
    }
    wire[0] = (UCHAR)mode->mode;
    return DeviceVendorOut(Stream->Device, ISOAV_REQ_MODE, ISOAV_IFACE_TEST,
                           wire, sizeof(wire));
}

static NTSTATUS Start(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    return StreamStart(Stream, Buffer, Buffer); /* which copies first */
}

static NTSTATUS Stop(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    return StreamStop(Stream, STATUS_END_OF_FILE);
}

static NTSTATUS GetStats(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    StreamGetStats(Stream, Buffer);
    return STATUS_SUCCESS;
}

/* How many entries go into an answer whose buffer has `room` bytes. */
static ULONG LogRoom(ULONG Room)
{
    return (Room - sizeof(isoav_log_part)) / sizeof(isoav_log_entry);
}

static NTSTATUS ReadLog(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    ULONGLONG from = ((const isoav_log_from *)Buffer)->sequence;
    isoav_log_part *part = Buffer;
    ULONG entries = LogRead(&Stream->Device->Log, from, part,
                            (isoav_log_entry *)(part + 1), LogRoom(*Bytes));

    *Bytes = sizeof(*part) + entries * sizeof(isoav_log_entry);
    return STATUS_SUCCESS;
}

static NTSTATUS ResizeLog(PSTREAM Stream, PVOID Buffer, PULONG Bytes)
{
    const isoav_log_size *size = Buffer;

    if (size->reserved != 0) {
        return STATUS_INVALID_PARAMETER;
    }
    return LogResize(&Stream->Device->Log, size->entries);
}

typedef struct {
    ULONG Code;
    ULONG InputBytes;
    ULONG OutputBytes;   /* at least */
    BOOLEAN NeedsDevice; /* rule 3 of isoav_ioctl.h */
    BOOLEAN TakesRoom;   /* the output has as many bytes as there is room for */
    NTSTATUS (*Handle)(PSTREAM Stream, PVOID Buffer, PULONG Bytes);
} REQUEST;

static const REQUEST Requests[] = {
    { ISOAV_IOCTL_GET_INFO, 0, sizeof(isoav_info), TRUE, FALSE, GetInfo },
    { ISOAV_IOCTL_GET_FORMAT, 0, sizeof(isoav_format), TRUE, FALSE, GetFormat },
    { ISOAV_IOCTL_SET_FORMAT, sizeof(isoav_format), 0, TRUE, FALSE, SetFormat },
    { ISOAV_IOCTL_GET_COUNTERS, sizeof(isoav_interface), sizeof(isoav_counters),
      TRUE, FALSE, GetCounters },
    { ISOAV_IOCTL_GET_MODE, 0, sizeof(isoav_mode), TRUE, FALSE, GetMode },
    { ISOAV_IOCTL_SET_MODE, sizeof(isoav_mode), 0, TRUE, FALSE, SetMode },
    { ISOAV_IOCTL_STREAM_START, sizeof(isoav_start), sizeof(isoav_started),
      TRUE, FALSE, Start },
    { ISOAV_IOCTL_STREAM_STOP, 0, 0, FALSE, FALSE, Stop },
    { ISOAV_IOCTL_STREAM_STATS, 0, sizeof(isoav_stats), FALSE, FALSE,
      GetStats },
    { ISOAV_IOCTL_GET_DESCRIPTORS, 0, sizeof(USB_DEVICE_DESCRIPTOR), TRUE, TRUE,
      GetDescriptors },
    { ISOAV_IOCTL_LOG_READ, sizeof(isoav_log_from), sizeof(isoav_log_part),
      FALSE, TRUE, ReadLog },
    { ISOAV_IOCTL_LOG_RESIZE, sizeof(isoav_log_size), 0, FALSE, FALSE,
      ResizeLog },
};

static const REQUEST *FindRequest(ULONG Code)
{
    ULONG i;

    for (i = 0; i < sizeof(Requests) / sizeof(Requests[0]); i++) {
        if (Requests[i].Code == Code) {
            return &Requests[i];
        }
    }
    return NULL;
}

static NTSTATUS Execute(PSTREAM Stream, const REQUEST *Request, PVOID Buffer,
                        PULONG Bytes)
{
    PDEVICE_EXTENSION device = Stream->Device;
    NTSTATUS status = STATUS_SUCCESS;

    DeviceLock(device);
    if (Request->NeedsDevice) {
        status = DeviceIsReady(device);
    }
    if (NT_SUCCESS(status)) {
        status = Request->Handle(Stream, Buffer, Bytes);
    }
    DeviceUnlock(device);
    return status;
}

/* The whole request; *Bytes is what goes back to the caller. */
static NTSTATUS Control(PSTREAM Stream, PIRP Irp, PULONG Bytes)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    ULONG in = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG out = stack->Parameters.DeviceIoControl.OutputBufferLength;
    PUCHAR buffer = Irp->AssociatedIrp.SystemBuffer;
    const REQUEST *request =
        FindRequest(stack->Parameters.DeviceIoControl.IoControlCode);
    NTSTATUS status;

    *Bytes = 0;
    if (request == NULL || Stream == NULL) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (in != request->InputBytes) {
        return STATUS_INVALID_PARAMETER;
    }
    if (out < request->OutputBytes) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    if (request->OutputBytes > in) {
        RtlZeroMemory(buffer + in, request->OutputBytes - in);
    }
    *Bytes = request->TakesRoom ? out : request->OutputBytes;
    status = Execute(Stream, request, buffer, Bytes);
    if (!NT_SUCCESS(status)) {
        *Bytes = 0;
    }
    return status;
}

NTSTATUS NTAPI DispatchDeviceControl(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);
    ULONG bytes;

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    status = Control(IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext,
                     Irp, &bytes);
    CompleteIrp(Irp, status, bytes);
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
    return status;
}
