/*
 * The two builders: URBs that select a configuration or an alternate setting.
 *
 * Both URBs end in USBD_INTERFACE_INFORMATION structures, one for each
 * interface, each with one USBD_PIPE_INFORMATION an endpoint. The structure
 * is declared with one pipe, so an interface without endpoints is *smaller*
 * than its type: GET_USBD_INTERFACE_SIZE(0) subtracts. The next interface
 * starts where Length of this one ends.
 *
 * A descriptor comes from the device: bNumEndpoints may be any byte. The sums
 * are made in SIZE_T and must fit the 16-bit length of the URB's header.
 *
 * SPDX-License-Identifier: MIT
 */
#include "internal.h"

#define CONFIG_FIXED_BYTES \
    ((SIZE_T)FIELD_OFFSET(struct _URB_SELECT_CONFIGURATION, Interface))

static SIZE_T InterfaceBytes(PUSB_INTERFACE_DESCRIPTOR Descriptor)
{
    return sizeof(USBD_INTERFACE_INFORMATION) - sizeof(USBD_PIPE_INFORMATION) +
           (SIZE_T)Descriptor->bNumEndpoints * sizeof(USBD_PIPE_INFORMATION);
}

/* Everything but the pipes' handles and sizes, which the stack fills in. */
static VOID DescribeInterface(PUSBD_INTERFACE_INFORMATION Information,
                              PUSB_INTERFACE_DESCRIPTOR Descriptor)
{
    ULONG i;

    Information->Length = (USHORT)InterfaceBytes(Descriptor);
    Information->InterfaceNumber = Descriptor->bInterfaceNumber;
    Information->AlternateSetting = Descriptor->bAlternateSetting;
    Information->Class = Descriptor->bInterfaceClass;
    Information->SubClass = Descriptor->bInterfaceSubClass;
    Information->Protocol = Descriptor->bInterfaceProtocol;
    Information->NumberOfPipes = Descriptor->bNumEndpoints;
    for (i = 0; i < Descriptor->bNumEndpoints; i++) {
        Information->Pipes[i].MaximumTransferSize =
            USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE;
    }
}

/*
 * Bytes of the URB for the interfaces in the list; 0 when the list is empty,
 * longer than the configuration or too much for one URB.
 */
static SIZE_T ConfigurationBytes(PUSB_CONFIGURATION_DESCRIPTOR Configuration,
                                 PUSBD_INTERFACE_LIST_ENTRY List)
{
    SIZE_T bytes = CONFIG_FIXED_BYTES;
    ULONG i;

    for (i = 0; List[i].InterfaceDescriptor != NULL; i++) {
        if (i == Configuration->bNumInterfaces) {
            return 0;
        }
        bytes += InterfaceBytes(List[i].InterfaceDescriptor);
    }
    if (i == 0 || bytes > 0xFFFF) {
        return 0;
    }
    return bytes;
}

NTSTATUS NTAPI USBD_SelectConfigUrbAllocateAndBuild(
    USBD_HANDLE USBDHandle,
    PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
    PUSBD_INTERFACE_LIST_ENTRY InterfaceList, PURB *Urb)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);
    PUSBD_INTERFACE_INFORMATION information;
    NTSTATUS status;
    SIZE_T bytes;
    ULONG i;

    if (Urb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *Urb = NULL;
    if (object == NULL || ConfigurationDescriptor == NULL ||
        InterfaceList == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    bytes = ConfigurationBytes(ConfigurationDescriptor, InterfaceList);
    if (bytes == 0) {
        return STATUS_INVALID_PARAMETER;
    }
    status = UsbdexUrbAllocate(object, bytes, Urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    (*Urb)->UrbHeader.Function = URB_FUNCTION_SELECT_CONFIGURATION;
    (*Urb)->UrbHeader.Length = (USHORT)bytes;
    (*Urb)->UrbSelectConfiguration.ConfigurationDescriptor =
        ConfigurationDescriptor;
    information = &(*Urb)->UrbSelectConfiguration.Interface;
    for (i = 0; InterfaceList[i].InterfaceDescriptor != NULL; i++) {
        DescribeInterface(information, InterfaceList[i].InterfaceDescriptor);
        InterfaceList[i].Interface = information;
        information = (PUSBD_INTERFACE_INFORMATION)((PUCHAR)information +
                                                    information->Length);
    }
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI USBD_SelectInterfaceUrbAllocateAndBuild(
    USBD_HANDLE USBDHandle, USBD_CONFIGURATION_HANDLE ConfigurationHandle,
    PUSBD_INTERFACE_LIST_ENTRY InterfaceListEntry, PURB *Urb)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);
    PUSB_INTERFACE_DESCRIPTOR descriptor;
    NTSTATUS status;
    SIZE_T bytes;

    if (Urb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *Urb = NULL;
    if (object == NULL || ConfigurationHandle == NULL ||
        InterfaceListEntry == NULL ||
        InterfaceListEntry->InterfaceDescriptor == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    descriptor = InterfaceListEntry->InterfaceDescriptor;
    bytes = FIELD_OFFSET(struct _URB_SELECT_INTERFACE, Interface) +
            InterfaceBytes(descriptor);
    status = UsbdexUrbAllocate(object, bytes, Urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }

    (*Urb)->UrbHeader.Function = URB_FUNCTION_SELECT_INTERFACE;
    (*Urb)->UrbHeader.Length = (USHORT)bytes;
    (*Urb)->UrbSelectInterface.ConfigurationHandle = ConfigurationHandle;
    DescribeInterface(&(*Urb)->UrbSelectInterface.Interface, descriptor);
    InterfaceListEntry->Interface = &(*Urb)->UrbSelectInterface.Interface;
    return STATUS_SUCCESS;
}
