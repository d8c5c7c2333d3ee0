/*
 * URBs: allocation, release, and the way into an IRP.
 *
 * USBD_IsochUrbAllocate is the reason for the library. An isochronous URB has
 * one descriptor of 12 bytes for each packet behind its fixed part, so its
 * size depends on the packet count; URB.UrbHeader.Length, which holds the
 * size, is 16 bits wide; and no stack takes more than 1024 packets. The size
 * is therefore computed in SIZE_T from a count that was checked before.
 *
 * SPDX-License-Identifier: MIT
 */
#include "internal.h"

/* The largest isochronous URB fits the 16-bit length in its header. */
C_ASSERT(GET_ISO_URB_SIZE(USBDEX_MAX_ISOCH_PACKETS) <= 0xFFFF);

static PUSBDEX_URB_PREFIX PrefixOf(PURB Urb)
{
    return (PUSBDEX_URB_PREFIX)((PUCHAR)Urb - sizeof(USBDEX_URB_PREFIX));
}

/* Looks at the memory before the URB: pool, or stack, wherever it is from. */
static BOOLEAN IsUrbOf(PURB Urb, USBD_HANDLE Handle)
{
    PUSBDEX_URB_PREFIX prefix = PrefixOf(Urb);

    return prefix->Magic == USBDEX_URB_MAGIC &&
           prefix->Owner == (PUSBDEX_HANDLE)Handle;
}

NTSTATUS UsbdexUrbAllocate(PUSBDEX_HANDLE Object, SIZE_T UrbBytes, PURB *Urb)
{
    PUSBDEX_URB_PREFIX prefix;
    SIZE_T bytes;

    *Urb = NULL;
    if (UrbBytes < sizeof(URB)) {
        UrbBytes = sizeof(URB);
    }
    bytes = sizeof(*prefix) + UrbBytes;
    prefix = ExAllocatePoolWithTag(Object->PoolType, bytes, Object->PoolTag);
    if (prefix == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(prefix, bytes);
    prefix->Magic = USBDEX_URB_MAGIC;
    prefix->PoolTag = Object->PoolTag;
    prefix->Owner = Object;
    prefix->UrbBytes = UrbBytes;
    UsbdexHandleReference(Object);
    *Urb = (PURB)(prefix + 1);
    return STATUS_SUCCESS;
}

NTSTATUS NTAPI USBD_UrbAllocate(USBD_HANDLE USBDHandle, PURB *Urb)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);

    if (Urb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *Urb = NULL;
    if (object == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    return UsbdexUrbAllocate(object, sizeof(URB), Urb);
}

NTSTATUS NTAPI USBD_IsochUrbAllocate(USBD_HANDLE USBDHandle,
                                     ULONG NumberOfIsochPackets, PURB *Urb)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);

    if (Urb == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *Urb = NULL;
    if (object == NULL || NumberOfIsochPackets == 0 ||
        NumberOfIsochPackets > USBDEX_MAX_ISOCH_PACKETS) {
        return STATUS_INVALID_PARAMETER;
    }
    return UsbdexUrbAllocate(
        object, GET_ISO_URB_SIZE((SIZE_T)NumberOfIsochPackets), Urb);
}

VOID NTAPI USBD_UrbFree(USBD_HANDLE USBDHandle, PURB Urb)
{
    PUSBDEX_HANDLE object = (PUSBDEX_HANDLE)USBDHandle;
    PUSBDEX_URB_PREFIX prefix;

    if (Urb == NULL) {
        return;
    }
    prefix = PrefixOf(Urb);
    if (!IsUrbOf(Urb, USBDHandle)) {
        DbgPrint("usbdex: USBD_UrbFree: %p is not an URB of handle %p\n", Urb,
                 USBDHandle);
        return;
    }
    prefix->Magic = USBDEX_FREED_MAGIC;
    ExFreePoolWithTag(prefix, prefix->PoolTag);
    UsbdexHandleDereference(object);
}

VOID NTAPI USBD_AssignUrbToIoStackLocation(USBD_HANDLE USBDHandle,
                                           PIO_STACK_LOCATION IoStackLocation,
                                           PURB Urb)
{
    if (UsbdexHandleLookUp(USBDHandle) == NULL || IoStackLocation == NULL ||
        Urb == NULL) {
        DbgPrint("usbdex: USBD_AssignUrbToIoStackLocation: no handle, no "
                 "stack location or no URB\n");
        return;
    }
    if (!IsUrbOf(Urb, USBDHandle)) {
        DbgPrint("usbdex: USBD_AssignUrbToIoStackLocation: %p is not an URB of "
                 "handle %p\n",
                 Urb, USBDHandle);
    }
    IoStackLocation->Parameters.Others.Argument1 = Urb;
}
