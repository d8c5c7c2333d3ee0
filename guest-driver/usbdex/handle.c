/*
 * The USBD handle: registration of a client driver.
 *
 * In legacy mode there is nobody to register with. The handle remembers what
 * the later calls need (pool tag, kind of pool, target device) and counts the
 * URBs that are out, so that a driver that forgets one hears of it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "internal.h"

/*
 * Pool that cannot be executed exists from Windows 8 (6.2) on. An older kernel
 * does not know the number, so ask which kernel this is.
 */
static POOL_TYPE ChoosePool(VOID)
{
    RTL_OSVERSIONINFOW version;

    RtlZeroMemory(&version, sizeof(version));
    version.dwOSVersionInfoSize = sizeof(version);
    if (!NT_SUCCESS(RtlGetVersion(&version))) {
        return NonPagedPool;
    }
    if (version.dwMajorVersion > 6 ||
        (version.dwMajorVersion == 6 && version.dwMinorVersion >= 2)) {
        return USBDEX_POOL_NX;
    }
    return NonPagedPool;
}

NTSTATUS NTAPI USBD_CreateHandle(PDEVICE_OBJECT DeviceObject,
                                 PDEVICE_OBJECT TargetDeviceObject,
                                 ULONG USBDClientContractVersion, ULONG PoolTag,
                                 USBD_HANDLE *USBDHandle)
{
    PUSBDEX_HANDLE object;
    POOL_TYPE pool;

    if (KeGetCurrentIrql() != PASSIVE_LEVEL) {
        if (USBDHandle != NULL) {
            *USBDHandle = NULL;
        }
        return STATUS_INVALID_LEVEL;
    }
    if (USBDHandle == NULL) {
        return STATUS_INVALID_PARAMETER;
    }
    *USBDHandle = NULL;
    if (DeviceObject == NULL || TargetDeviceObject == NULL || PoolTag == 0 ||
        USBDClientContractVersion != USBD_CLIENT_CONTRACT_VERSION_602) {
        return STATUS_INVALID_PARAMETER;
    }

    pool = ChoosePool();
    object = ExAllocatePoolWithTag(pool, sizeof(*object), PoolTag);
    if (object == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    RtlZeroMemory(object, sizeof(*object));
    object->Magic = USBDEX_HANDLE_MAGIC;
    object->PoolTag = PoolTag;
    object->PoolType = pool;
    object->References = 1;
    object->DeviceObject = DeviceObject;
    object->TargetDeviceObject = TargetDeviceObject;
    *USBDHandle = (USBD_HANDLE)object;
    return STATUS_SUCCESS;
}

PUSBDEX_HANDLE UsbdexHandleLookUp(USBD_HANDLE Handle)
{
    PUSBDEX_HANDLE object = (PUSBDEX_HANDLE)Handle;

    if (object == NULL || object->Magic != USBDEX_HANDLE_MAGIC) {
        return NULL;
    }
    return object;
}

VOID UsbdexHandleReference(PUSBDEX_HANDLE Object)
{
    InterlockedIncrement(&Object->References);
}

VOID UsbdexHandleDereference(PUSBDEX_HANDLE Object)
{
    if (InterlockedDecrement(&Object->References) == 0) {
        ExFreePoolWithTag(Object, Object->PoolTag);
    }
}

VOID NTAPI USBD_CloseHandle(USBD_HANDLE USBDHandle)
{
    PUSBDEX_HANDLE object = UsbdexHandleLookUp(USBDHandle);
    LONG leaked;

    if (object == NULL) {
        if (USBDHandle != NULL) {
            DbgPrint("usbdex: USBD_CloseHandle: %p is not an open handle\n",
                     USBDHandle);
        }
        return;
    }
    leaked = object->References - 1;
    if (leaked != 0) {
        DbgPrint("usbdex: USBD_CloseHandle: %d URB(s) were not freed\n",
                 (int)leaked);
    }
    object->Magic = USBDEX_FREED_MAGIC;
    UsbdexHandleDereference(object);
}

BOOLEAN NTAPI USBD_IsInterfaceVersionSupported(USBD_HANDLE USBDHandle,
                                               ULONG USBDInterfaceVersion)
{
    if (UsbdexHandleLookUp(USBDHandle) == NULL) {
        return FALSE;
    }
    return USBDInterfaceVersion <= USBD_INTERFACE_VERSION_600;
}
