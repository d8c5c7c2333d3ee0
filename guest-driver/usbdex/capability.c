/*
 * What the stack and the controller can do.
 *
 * Only one question has a documented answer outside the private interface of
 * the USB 3 stack: whether the device runs at high speed. A driver gets it by
 * asking the bus for USB_BUS_INTERFACE_USBDI, version 1 or, where the bus is
 * older, finding that version 0 does not know.
 *
 * SPDX-License-Identifier: MIT
 */
#include "internal.h"

#include <usbbusif.h>

const GUID GUID_USB_CAPABILITY_CHAINED_MDLS = { 0xf5ceeb23,
                                                0xad90,
                                                0x458c,
                                                { 0x97, 0x9a, 0xd5, 0x9b, 0x3a,
                                                  0xd6, 0x88, 0x4f } };
const GUID GUID_USB_CAPABILITY_STATIC_STREAMS = { 0x09051e1f,
                                                  0x0dc9,
                                                  0x4e6b,
                                                  { 0x8b, 0x12, 0x96, 0x0c,
                                                    0xbd, 0x81, 0xaa, 0x8f } };
const GUID GUID_USB_CAPABILITY_SELECTIVE_SUSPEND = {
    0x755c630d,
    0xc8a0,
    0x4765,
    { 0x94, 0x6f, 0x90, 0xcc, 0x70, 0x38, 0x56, 0xa4 }
};
const GUID GUID_USB_CAPABILITY_FUNCTION_SUSPEND = {
    0xf4563183,
    0xd66e,
    0x42bd,
    { 0xbd, 0x53, 0x1a, 0xc7, 0xb0, 0x4c, 0xd5, 0x9d }
};
const GUID GUID_USB_CAPABILITY_HIGH_BANDWIDTH_ISOCH = {
    0x9c8a8a27,
    0x15f9,
    0x42e3,
    { 0xa3, 0x56, 0xcd, 0xa6, 0xae, 0x97, 0xa8, 0xc8 }
};
const GUID GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE = {
    0x81a885a6,
    0xf239,
    0x42a2,
    { 0x83, 0x97, 0xa5, 0xd9, 0x5b, 0xea, 0x69, 0x53 }
};
const GUID GUID_USB_CAPABILITY_DEVICE_CONNECTION_SUPER_SPEED_COMPATIBLE = {
    0x8a2f776c,
    0x9bd0,
    0x4f29,
    { 0x97, 0x71, 0xc7, 0xa3, 0x88, 0x46, 0xd4, 0xc7 }
};
const GUID GUID_USB_CAPABILITY_TIME_SYNC = { 0xbb6e6472,
                                             0x4be5,
                                             0x44a3,
                                             { 0x96, 0x41, 0x34, 0x5e, 0x56,
                                               0xac, 0x34, 0x85 } };

static const GUID BusInterfaceUsbdi = { 0xb1a96a13,
                                        0x3de0,
                                        0x4574,
                                        { 0x9b, 0x01, 0xc0, 0x8f, 0xea, 0xb3,
                                          0x18, 0xd6 } };

static NTSTATUS NTAPI QueryCompleted(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                     PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* IRP_MN_QUERY_INTERFACE for USB_BUS_INTERFACE_USBDI version 1. */
static NTSTATUS QueryBusInterface(PDEVICE_OBJECT Target,
                                  PUSB_BUS_INTERFACE_USBDI_V1 Interface)
{
    PIO_STACK_LOCATION stack;
    NTSTATUS status;
    KEVENT done;
    PIRP irp;

    RtlZeroMemory(Interface, sizeof(*Interface));
    irp = IoAllocateIrp(Target->StackSize, FALSE);
    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    irp->IoStatus.Information = 0;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_PNP;
    stack->MinorFunction = IRP_MN_QUERY_INTERFACE;
    stack->Parameters.QueryInterface.InterfaceType = &BusInterfaceUsbdi;
    stack->Parameters.QueryInterface.Size = sizeof(*Interface);
    stack->Parameters.QueryInterface.Version = USB_BUSIF_USBDI_VERSION_1;
    stack->Parameters.QueryInterface.Interface = (PINTERFACE)Interface;
    stack->Parameters.QueryInterface.InterfaceSpecificData = NULL;
    IoSetCompletionRoutine(irp, QueryCompleted, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Target, irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    return status;
}

static NTSTATUS QueryHighSpeed(PUSBDEX_HANDLE Object)
{
    USB_BUS_INTERFACE_USBDI_V1 bus;
    NTSTATUS status;

    status = QueryBusInterface(Object->TargetDeviceObject, &bus);
    if (!NT_SUCCESS(status)) {
        return status == STATUS_INSUFFICIENT_RESOURCES ? status
                                                       : STATUS_NOT_IMPLEMENTED;
    }
    status = STATUS_NOT_IMPLEMENTED;
    if (bus.IsDeviceHighSpeed != NULL) {
        status = bus.IsDeviceHighSpeed(bus.BusContext) ? STATUS_SUCCESS
                                                       : STATUS_NOT_SUPPORTED;
    }
    if (bus.InterfaceDereference != NULL) {
        bus.InterfaceDereference(bus.BusContext);
    }
    return status;
}

static BOOLEAN SameGuid(const GUID *A, const GUID *B)
{
    return RtlCompareMemory(A, B, sizeof(GUID)) == sizeof(GUID);
}

NTSTATUS NTAPI USBD_QueryUsbCapability(USBD_HANDLE USBDHandle,
                                       const GUID *CapabilityType,
                                       ULONG OutputBufferLength,
                                       PUCHAR OutputBuffer, PULONG ResultLength)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);

    if (ResultLength != NULL) {
        *ResultLength = 0;
    }
    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        return STATUS_INVALID_LEVEL;
    }
    if (object == NULL || CapabilityType == NULL ||
        (OutputBuffer == NULL) != (OutputBufferLength == 0)) {
        return STATUS_INVALID_PARAMETER;
    }
    if (SameGuid(
            CapabilityType,
            &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE)) {
        return QueryHighSpeed(object);
    }
    return STATUS_NOT_IMPLEMENTED;
}
