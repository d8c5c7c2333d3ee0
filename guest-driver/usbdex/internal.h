/*
 * What the files of usbdex share: the object behind a USBD_HANDLE and the
 * prefix in front of every URB.
 *
 * Rules:
 *
 *  1. A handle counts references: one of its own, dropped by
 *     USBD_CloseHandle, and one for each live URB. The last one frees the
 *     memory, so a late USBD_UrbFree meets a handle and not a hole.
 *  2. An URB is preceded by a prefix of a multiple of 16 bytes: the URB keeps
 *     the alignment that pool gives (16 bytes on x64), and the prefix tells
 *     an URB of ours from any other memory.
 *  3. Everything an URB is made of is zero before the caller sees it, also
 *     the padding behind it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USBDEX_INTERNAL_H
#define USBDEX_INTERNAL_H

#include "usbdex.h"

/* NonPagedPoolNx, of Windows 8 and later; older kernels know 0 only. */
#define USBDEX_POOL_NX ((POOL_TYPE)512)

#define USBDEX_HANDLE_MAGIC 0x44425355u /* 'U' 'S' 'B' 'D' */
#define USBDEX_URB_MAGIC 0x55425255u    /* 'U' 'R' 'B' 'U' */
#define USBDEX_FREED_MAGIC 0x45455246u  /* 'F' 'R' 'E' 'E' */

typedef struct _USBDEX_HANDLE {
    ULONG Magic;
    ULONG PoolTag;
    POOL_TYPE PoolType;
    LONG References; /* rule 1 */
    PDEVICE_OBJECT DeviceObject;
    PDEVICE_OBJECT TargetDeviceObject;
} USBDEX_HANDLE, *PUSBDEX_HANDLE;

typedef struct _USBDEX_URB_PREFIX {
    ULONG Magic;
    ULONG PoolTag;
    PUSBDEX_HANDLE Owner;
    SIZE_T UrbBytes;
    SIZE_T Reserved;
} USBDEX_URB_PREFIX, *PUSBDEX_URB_PREFIX;

C_ASSERT(sizeof(USBDEX_URB_PREFIX) % 16 == 0);

/* The object of a handle; NULL when it is not one (or a closed one). */
PUSBDEX_HANDLE UsbdexHandleLookUp(USBD_HANDLE Handle);

VOID UsbdexHandleReference(PUSBDEX_HANDLE Object);
VOID UsbdexHandleDereference(PUSBDEX_HANDLE Object);

/*
 * Allocates an URB of at least UrbBytes and at least sizeof(URB) bytes, all
 * zero. *Urb is NULL on failure.
 */
NTSTATUS UsbdexUrbAllocate(PUSBDEX_HANDLE Object, SIZE_T UrbBytes, PURB *Urb);

#endif
