/*
 * The device as its descriptors describe it: reading them, configuring,
 * selecting alternate settings, and its vendor requests.
 *
 * All of it runs at PASSIVE_LEVEL with DEVICE_EXTENSION.Lock held. Buffers
 * that the controller writes into come from nonpaged pool, never from the
 * stack.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

static NTSTATUS GetDescriptor(PDEVICE_EXTENSION Device, UCHAR Type,
                              PVOID Buffer, ULONG Bytes, PULONG Received)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *request;
    NTSTATUS status;
    PURB urb;

    *Received = 0;
    status = USBD_UrbAllocate(Device->Usbd, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    request = &urb->UrbControlDescriptorRequest;
    request->Hdr.Function = URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE;
    request->Hdr.Length = sizeof(*request);
    request->TransferBuffer = Buffer;
    request->TransferBufferLength = Bytes;
    request->DescriptorType = Type;
    status = UsbSubmit(Device, urb);
    if (NT_SUCCESS(status)) {
        *Received = request->TransferBufferLength;
        if (*Received > Bytes) {
            status = STATUS_DEVICE_DATA_ERROR;
        }
    }
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}

static NTSTATUS ReadDescriptors(PDEVICE_EXTENSION Device)
{
    CONFIG_RESULT result;
    ULONG received;
    NTSTATUS status;

    PoolFree(Device->ConfigBytes);
    Device->ConfigBytes = PoolAllocate(CONFIG_MAX_BYTES);
    if (Device->ConfigBytes == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status =
        GetDescriptor(Device, USB_DEVICE_DESCRIPTOR_TYPE, Device->ConfigBytes,
                      sizeof(Device->Descriptor), &received);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (received < sizeof(Device->Descriptor)) {
        return STATUS_DEVICE_DATA_ERROR;
    }
    RtlCopyMemory(&Device->Descriptor, Device->ConfigBytes,
                  sizeof(Device->Descriptor));
    RtlZeroMemory(Device->ConfigBytes, CONFIG_MAX_BYTES);
    status = GetDescriptor(Device, USB_CONFIGURATION_DESCRIPTOR_TYPE,
                           Device->ConfigBytes, CONFIG_MAX_BYTES, &received);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    result = ConfigParse(&Device->Config, Device->ConfigBytes, received);
    if (result != CONFIG_OK) {
        DbgPrint("isoav: bad configuration descriptor, reason %d\n", result);
        return STATUS_DEVICE_DATA_ERROR;
    }
    return STATUS_SUCCESS;
}

/* The stack's word where it has one, else what the descriptors allow. */
static NTSTATUS FindSpeed(PDEVICE_EXTENSION Device)
{
    NTSTATUS status;

    Device->Speed = ConfigGuessSpeed(&Device->Config);
    if (Device->Speed == ISOAV_SPEED_SUPER) {
        return STATUS_SUCCESS;
    }
    status = USBD_QueryUsbCapability(
        Device->Usbd,
        &GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE, 0, NULL,
        NULL);
    if (NT_SUCCESS(status)) {
        Device->Speed = ISOAV_SPEED_HIGH;
    } else if (status == STATUS_NOT_SUPPORTED) {
        Device->Speed = ISOAV_SPEED_FULL;
    }
    return status == STATUS_INSUFFICIENT_RESOURCES ? status : STATUS_SUCCESS;
}

static PUSB_INTERFACE_DESCRIPTOR InterfaceDescriptor(PDEVICE_EXTENSION Device,
                                                     UCHAR Interface,
                                                     UCHAR Alternate)
{
    const CONFIG_ALTERNATE *entry =
        ConfigFindAlternate(&Device->Config, Interface, Alternate);

    return entry == NULL ? NULL
                         : (PUSB_INTERFACE_DESCRIPTOR)(Device->ConfigBytes +
                                                       entry->Offset);
}

static NTSTATUS SelectConfiguration(PDEVICE_EXTENSION Device)
{
    USBD_INTERFACE_LIST_ENTRY list[CONFIG_MAX_INTERFACES + 1];
    const CONFIG_ALTERNATE *entry;
    ULONG i, count = 0;
    NTSTATUS status;
    PURB urb;

    RtlZeroMemory(list, sizeof(list));
    for (i = 0; i < Device->Config.Alternates; i++) {
        entry = &Device->Config.Alternate[i];
        if (entry->Alternate == 0) {
            list[count].InterfaceDescriptor =
                InterfaceDescriptor(Device, entry->Interface, 0);
            count++; /* as many as Config.Interfaces, the parser saw to it */
        }
    }
    status = USBD_SelectConfigUrbAllocateAndBuild(
        Device->Usbd, (PUSB_CONFIGURATION_DESCRIPTOR)Device->ConfigBytes, list,
        &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = UsbSubmit(Device, urb);
    if (NT_SUCCESS(status)) {
        Device->ConfigHandle = urb->UrbSelectConfiguration.ConfigurationHandle;
    }
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}

/* A select-configuration request without a descriptor unconfigures. */
static NTSTATUS PrepareUnconfigure(PDEVICE_EXTENSION Device)
{
    NTSTATUS status;
    PURB urb;

    if (Device->Unconfigure.Irp != NULL) {
        return STATUS_SUCCESS; /* of a start that failed afterwards */
    }
    status = USBD_UrbAllocate(Device->Usbd, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    urb->UrbHeader.Function = URB_FUNCTION_SELECT_CONFIGURATION;
    urb->UrbHeader.Length = sizeof(struct _URB_SELECT_CONFIGURATION);
    return UsbPrepare(Device, urb, &Device->Unconfigure);
}

NTSTATUS DeviceConfigure(PDEVICE_EXTENSION Device)
{
    NTSTATUS status = ReadDescriptors(Device);

    if (NT_SUCCESS(status)) {
        status = FindSpeed(Device);
    }
    if (NT_SUCCESS(status)) {
        status = PrepareUnconfigure(Device);
    }
    return NT_SUCCESS(status) ? SelectConfiguration(Device) : status;
}

/* A device that sleeps takes no request; its next start configures it anew. */
VOID DeviceUnconfigure(PDEVICE_EXTENSION Device)
{
    if (Device->ConfigHandle != NULL && Device->Awake) {
        UsbSendPrepared(Device, &Device->Unconfigure);
    }
    Device->ConfigHandle = NULL;
}

NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device)
{
    if (Device->State == DeviceGone || Device->State == DeviceRemoved) {
        return STATUS_DEVICE_REMOVED;
    }
    if (Device->State != DeviceStarted || !Device->Awake ||
        Device->ConfigHandle == NULL) {
        return STATUS_DEVICE_NOT_READY;
    }
    return STATUS_SUCCESS;
}

/* The pipes of a completed select-interface URB. */
static VOID TakePipes(PUSBD_INTERFACE_INFORMATION Information,
                      PINTERFACE_USE Use)
{
    ULONG i;

    Use->Pipes = 0;
    for (i = 0; i < Information->NumberOfPipes && i < CONFIG_MAX_PIPES; i++) {
        Use->Pipe[i].Information = Information->Pipes[i];
        Use->Pipes++;
    }
}

static NTSTATUS BuildSelection(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, PURB *Urb)
{
    USBD_INTERFACE_LIST_ENTRY entry;

    entry.Interface = NULL;
    entry.InterfaceDescriptor =
        InterfaceDescriptor(Device, Interface, Alternate);
    if (entry.InterfaceDescriptor == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return USBD_SelectInterfaceUrbAllocateAndBuild(
        Device->Usbd, Device->ConfigHandle, &entry, Urb);
}

NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, PINTERFACE_USE Use,
                               USBD_STATUS *UsbdStatus)
{
    NTSTATUS status;
    PURB urb;

    *UsbdStatus = USBD_STATUS_SUCCESS;
    status = BuildSelection(Device, Interface, Alternate, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    status = UsbSubmit(Device, urb);
    *UsbdStatus = urb->UrbHeader.Status;
    if (NT_SUCCESS(status)) {
        TakePipes(&urb->UrbSelectInterface.Interface, Use);
    }
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}

NTSTATUS DevicePrepareAlternate0(PDEVICE_EXTENSION Device, UCHAR Interface,
                                 PUSB_REQUEST Request)
{
    NTSTATUS status;
    PURB urb;

    status = BuildSelection(Device, Interface, 0, &urb);
    return NT_SUCCESS(status) ? UsbPrepare(Device, urb, Request) : status;
}

static NTSTATUS VendorRequest(PDEVICE_EXTENSION Device, UCHAR Request,
                              UCHAR Interface, PVOID Buffer, PULONG Bytes,
                              ULONG Flags)
{
    struct _URB_CONTROL_VENDOR_OR_CLASS_REQUEST *request;
    NTSTATUS status;
    PURB urb;

    status = USBD_UrbAllocate(Device->Usbd, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    request = &urb->UrbControlVendorClassRequest;
    request->Hdr.Function = URB_FUNCTION_VENDOR_INTERFACE;
    request->Hdr.Length = sizeof(*request);
    request->TransferFlags = Flags;
    request->TransferBuffer = Buffer;
    request->TransferBufferLength = *Bytes;
    request->Request = Request;
    request->Index = Interface;
    status = UsbSubmit(Device, urb);
    *Bytes = request->TransferBufferLength;
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}

NTSTATUS DeviceVendorIn(PDEVICE_EXTENSION Device, UCHAR Request,
                        UCHAR Interface, PVOID Data, ULONG Bytes)
{
    PVOID buffer = PoolAllocate(Bytes);
    ULONG received = Bytes;
    NTSTATUS status;

    if (buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = VendorRequest(Device, Request, Interface, buffer, &received,
                           USBD_TRANSFER_DIRECTION_IN | USBD_SHORT_TRANSFER_OK);
    if (NT_SUCCESS(status) && received != Bytes) {
        status = STATUS_DEVICE_DATA_ERROR;
    }
    if (NT_SUCCESS(status)) {
        RtlCopyMemory(Data, buffer, Bytes);
    }
    PoolFree(buffer);
    return status;
}

NTSTATUS DeviceVendorOut(PDEVICE_EXTENSION Device, UCHAR Request,
                         UCHAR Interface, const VOID *Data, ULONG Bytes)
{
    PVOID buffer = PoolAllocate(Bytes);
    ULONG sent = Bytes;
    NTSTATUS status;

    if (buffer == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlCopyMemory(buffer, Data, Bytes);
    status = VendorRequest(Device, Request, Interface, buffer, &sent,
                           USBD_TRANSFER_DIRECTION_OUT);
    PoolFree(buffer);
    return status;
}
