/*
 * The USBDI bus interface: a driver asks for it with IRP_MN_QUERY_INTERFACE
 * and may then call it at DISPATCH_LEVEL. It is how a driver learns on every
 * Windows whether its device runs at high speed.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include <string.h>

static const GUID usbdi_guid = { 0xb1a96a13,
                                 0x3de0,
                                 0x4574,
                                 { 0x9b, 0x01, 0xc0, 0x8f, 0xea, 0xb3, 0x18,
                                   0xd6 } };

/* Versions 0 and 1; each is a prefix of the next. */
typedef struct Usbdi {
    USHORT Size;
    USHORT Version;
    PVOID Context;
    void(WINAPI *Reference)(PVOID);
    void(WINAPI *Dereference)(PVOID);
    void(WINAPI *GetVersion)(PVOID, USBD_VERSION_INFORMATION *, ULONG *);
    NTSTATUS(WINAPI *QueryBusTime)(PVOID, ULONG *);
    NTSTATUS(WINAPI *SubmitIsoOutUrb)(PVOID, URB *);
    NTSTATUS(WINAPI *QueryBusInformation)
    (PVOID, ULONG, PVOID, ULONG *, ULONG *);
    BOOLEAN(WINAPI *IsHighSpeed)(PVOID);
} Usbdi;

#define USBDI_BYTES_V0 ((USHORT)FIELD_OFFSET(Usbdi, IsHighSpeed))
#define USBDI_BYTES_V1 ((USHORT)sizeof(Usbdi))

/* The interface lives as long as the device object, which PnP holds. */
static void WINAPI no_reference(PVOID context)
{
}

static void WINAPI get_version(PVOID context, USBD_VERSION_INFORMATION *info,
                               ULONG *capabilities)
{
    Device *device = context;

    if (info) {
        info->USBDI_Version = 0x600;
        info->Supported_USB_Version = device->descriptor.bcdUSB;
    }
    if (capabilities) {
        *capabilities = 0;
    }
}

static NTSTATUS WINAPI query_bus_time(PVOID context, ULONG *frame)
{
    *frame = isoch_current_frame();
    return STATUS_SUCCESS;
}

static NTSTATUS WINAPI submit_iso_out(PVOID context, URB *urb)
{
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS WINAPI query_bus_information(PVOID context, ULONG level,
                                             PVOID buffer, ULONG *length,
                                             ULONG *actual)
{
    return STATUS_NOT_SUPPORTED;
}

static BOOLEAN WINAPI is_high_speed(PVOID context)
{
    return ((Device *)context)->speed == LIBUSB_SPEED_HIGH;
}

NTSTATUS busif_query(Device *device, IO_STACK_LOCATION *stack)
{
    const Usbdi answer = {
        .Version = stack->Parameters.QueryInterface.Version,
        .Context = device,
        .Reference = no_reference,
        .Dereference = no_reference,
        .GetVersion = get_version,
        .QueryBusTime = query_bus_time,
        .SubmitIsoOutUrb = submit_iso_out,
        .QueryBusInformation = query_bus_information,
        .IsHighSpeed = is_high_speed,
    };
    USHORT bytes = answer.Version ? USBDI_BYTES_V1 : USBDI_BYTES_V0;
    Usbdi *out = (Usbdi *)stack->Parameters.QueryInterface.Interface;

    if (memcmp(stack->Parameters.QueryInterface.InterfaceType, &usbdi_guid,
               sizeof(usbdi_guid)) ||
        answer.Version > 1) {
        return STATUS_NOT_SUPPORTED;
    }
    if (stack->Parameters.QueryInterface.Size < bytes) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    memcpy(out, &answer, bytes);
    out->Size = bytes;
    return STATUS_SUCCESS;
}
