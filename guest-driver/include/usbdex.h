/*
 * usbdex: the routines of Microsoft's usbdex.lib, written from their
 * documentation, for drivers that are built without Microsoft's kit.
 *
 * A Windows USB driver talks to the bus in URBs (USB request blocks). The
 * kit for Windows 8 moved their allocation into a library, usbdex.lib, so
 * that an URB can carry a hidden header that the USB 3 driver stack knows.
 * mingw-w64 has the URB structures but neither the library nor its
 * declarations. This header declares the routines under Microsoft's names;
 * ../usbdex/ implements them.
 *
 * The library always works in what the documentation calls the legacy mode:
 * URBs come from pool and the driver stack sees them as it sees URBs of older
 * drivers. Every Windows stack from Vista on accepts those. What the legacy
 * mode cannot do (static streams, chained MDLs) USBD_QueryUsbCapability
 * refuses, as it does on a stack without these features.
 *
 * The rules for a caller, from "Best Practices: Using URBs":
 *
 *  1. Call USBD_CreateHandle in AddDevice, before anything else goes to the
 *     stack, and USBD_CloseHandle in IRP_MN_REMOVE_DEVICE before that IRP is
 *     forwarded and after every URB has been freed.
 *  2. An isochronous URB comes from USBD_IsochUrbAllocate, a select-
 *     configuration or select-interface URB from its builder, every other one
 *     from USBD_UrbAllocate.
 *  3. Never reuse, change or free an URB while the stack owns it, that is
 *     from IoCallDriver to the completion routine.
 *  4. Fill in every field again before an URB is submitted again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_USBDEX_H
#define ISOLAB_USBDEX_H

#include <ntddk.h>
#include <usb.h>
#include <usbdlib.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * SAL annotations mean something to Microsoft's tools only; mingw's headers
 * lack some of them.
 */
#ifndef _In_
#define _In_
#endif
#ifndef _Out_
#define _Out_
#endif
#ifndef _Out_opt_
#define _Out_opt_
#endif
#ifndef _Inout_
#define _Inout_
#endif
#ifndef _Inout_opt_
#define _Inout_opt_
#endif
#ifndef _IRQL_requires_max_
#define _IRQL_requires_max_(irql)
#endif
#ifndef _Must_inspect_result_
#define _Must_inspect_result_
#endif

/* Opaque: what USBD_CreateHandle returns. */
DECLARE_HANDLE(USBD_HANDLE);

/* The set of rules that a client driver promises to keep. */
#define USBD_CLIENT_CONTRACT_VERSION_INVALID 0xFFFFFFFF
#define USBD_CLIENT_CONTRACT_VERSION_602 0x602

/* Versions of the interface between a client driver and the stack. */
#define USBD_INTERFACE_VERSION_600 0x600
#define USBD_INTERFACE_VERSION_602 0x602
#define USBD_INTERFACE_VERSION_603 0x603

/*
 * The most packets in one isochronous URB, at high speed and above (255 at
 * full speed).
 */
#define USBDEX_MAX_ISOCH_PACKETS 1024

/* Capabilities, for USBD_QueryUsbCapability. */
extern const GUID GUID_USB_CAPABILITY_CHAINED_MDLS;
extern const GUID GUID_USB_CAPABILITY_STATIC_STREAMS;
extern const GUID GUID_USB_CAPABILITY_SELECTIVE_SUSPEND;
extern const GUID GUID_USB_CAPABILITY_FUNCTION_SUSPEND;
extern const GUID GUID_USB_CAPABILITY_HIGH_BANDWIDTH_ISOCH;
extern const GUID GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE;
extern const GUID GUID_USB_CAPABILITY_DEVICE_CONNECTION_SUPER_SPEED_COMPATIBLE;
extern const GUID GUID_USB_CAPABILITY_TIME_SYNC;

/*
 * Each routine is described as its page in Microsoft's DDI reference does it
 * (usbdlib.h, nf-usbdlib- and the routine's name in small letters). What is
 * said under "Here" is this library's own: the page does not say it, so a
 * driver that is to work with Microsoft's library, too, does not count on it.
 * docs/usbdex.md names the test of each sentence.
 *
 * A pointer that receives something receives NULL when the routine fails,
 * unless it is NULL itself.
 */

/*
 * USBD_CreateHandle
 *
 * Registers a client driver with the USB driver stack and returns the handle
 * that every other routine here takes.
 *
 * Parameters
 *   DeviceObject      the driver's own device object
 *   TargetDeviceObject
 *                     the next lower one: what IoAttachDeviceToDeviceStack
 *                     returned
 *   USBDClientContractVersion
 *                     the rules that the driver keeps:
 *                     USBD_CLIENT_CONTRACT_VERSION_602
 *   PoolTag           the tag of the memory that the library allocates for this
 *                     handle and its URBs
 *   USBDHandle        receives the handle
 *
 * Return value
 *   STATUS_SUCCESS    The driver is registered.
 *   STATUS_INVALID_LEVEL
 *                     The caller is not at PASSIVE_LEVEL.
 *   STATUS_INVALID_PARAMETER
 *                     DeviceObject, TargetDeviceObject or USBDHandle is NULL,
 *                     the contract version is another one, or PoolTag is 0.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     There is no memory for the handle.
 *
 * IRQL: PASSIVE_LEVEL
 *
 * Remarks: called in AddDevice, before any other request goes to the stack. A
 * driver may fail AddDevice when this fails. The handle is closed by
 * USBD_CloseHandle.
 *
 * Here: there is nobody to register with, and the routine sends no request. The
 * handle's memory and that of its URBs cannot be executed on Windows 8 and
 * later.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_CreateHandle(_In_ PDEVICE_OBJECT DeviceObject,
                      _In_ PDEVICE_OBJECT TargetDeviceObject,
                      _In_ ULONG USBDClientContractVersion, _In_ ULONG PoolTag,
                      _Out_ USBD_HANDLE *USBDHandle);

/*
 * USBD_CloseHandle
 *
 * Closes a handle and gives back what the registration holds.
 *
 * Parameters
 *   USBDHandle        the handle
 *
 * Return value: none
 *
 * IRQL: PASSIVE_LEVEL
 *
 * Remarks: called when the driver handles IRP_MN_REMOVE_DEVICE, before it sends
 * that IRP down, and after each URB of the handle has been freed.
 *
 * Here: NULL is ignored. URBs that are still allocated are a mistake of the
 * caller's, and DbgPrint says how many there are. Such an URB can be freed
 * later, and until the last one is, the handle is known to be closed: every
 * routine but USBD_UrbFree refuses it.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) VOID NTAPI
    USBD_CloseHandle(_In_ USBD_HANDLE USBDHandle);

/*
 * USBD_IsInterfaceVersionSupported
 *
 * Tells whether the USB driver stack speaks a version of the USBD interface.
 *
 * Parameters
 *   USBDHandle        the handle
 *   USBDInterfaceVersion
 *                     USBD_INTERFACE_VERSION_600, that of Windows 7 and before,
 *                     _602, of Windows 8, or _603
 *
 * Return value
 *   TRUE              The stack speaks it.
 *   FALSE             It does not.
 *
 * IRQL: PASSIVE_LEVEL
 *
 * Remarks: a version does not say what the stack can do;
 * USBD_QueryUsbCapability does.
 *
 * Here: TRUE up to USBD_INTERFACE_VERSION_600, whatever the stack, because that
 * is the interface that URBs from pool belong to. FALSE for a handle that is
 * NULL. No IRQL is refused.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) BOOLEAN NTAPI
    USBD_IsInterfaceVersionSupported(_In_ USBD_HANDLE USBDHandle,
                                     _In_ ULONG USBDInterfaceVersion);

/*
 * USBD_UrbAllocate
 *
 * Allocates an URB.
 *
 * Parameters
 *   USBDHandle        the handle
 *   Urb               receives the URB: sizeof(URB) bytes, all of them zero
 *
 * Return value
 *   STATUS_SUCCESS    The URB is the caller's.
 *   STATUS_INVALID_PARAMETER
 *                     USBDHandle or Urb is NULL.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     There is no memory for it.
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: for each request but those whose URBs vary in length: isochronous
 * transfers (USBD_IsochUrbAllocate) and the two selections, which have
 * builders. The driver frees the URB by USBD_UrbFree when the request has been
 * completed, and puts it into an IRP by USBD_AssignUrbToIoStackLocation.
 *
 * Here: the URB is on a multiple of 16 bytes.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_UrbAllocate(_In_ USBD_HANDLE USBDHandle, _Out_ PURB *Urb);

/*
 * USBD_IsochUrbAllocate
 *
 * Allocates an URB for an isochronous transfer.
 *
 * Parameters
 *   USBDHandle        the handle
 *   NumberOfIsochPackets
 *                     the largest number of packets that the driver will put
 *                     into this URB. The transfer buffer is described by the
 *                     array UrbIsochronousTransfer.IsoPacket, an element a
 *                     packet: its offset in the buffer going in, its length and
 *                     status coming out.
 *   Urb               receives the URB: large enough for that array, every byte
 *                     zero, UrbHeader.Length and UrbHeader.Function included
 *
 * Return value
 *   STATUS_SUCCESS    The URB is the caller's.
 *   STATUS_INVALID_PARAMETER
 *                     USBDHandle or Urb is NULL. Here: or NumberOfIsochPackets
 *                     is 0 or above 1024, which no stack takes.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     There is no memory for it.
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: the driver sets UrbHeader.Length to GET_ISO_URB_SIZE(packets) and
 * UrbHeader.Function to URB_FUNCTION_ISOCH_TRANSFER, fills in the rest, and all
 * of it again before each submission. It may use fewer packets than it has
 * allocated. It frees the URB by USBD_UrbFree. A full-speed pipe takes up to
 * 255 packets in one URB, one of high speed or more 1024 and a multiple of
 * those in a frame. A driver on WDF calls WdfUsbTargetDeviceCreateIsochUrb
 * instead (docs/wdf.md).
 *
 * Here: the URB is on a multiple of 16 bytes, and never smaller than
 * sizeof(URB).
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_IsochUrbAllocate(_In_ USBD_HANDLE USBDHandle,
                          _In_ ULONG NumberOfIsochPackets, _Out_ PURB *Urb);

/*
 * USBD_UrbFree
 *
 * Frees an URB that a routine of this library allocated.
 *
 * Parameters
 *   USBDHandle        the handle that it was allocated with
 *   Urb               the URB; the stack does not have it
 *
 * Return value: none
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: an URB that is not freed is a leak.
 *
 * Here: NULL is ignored. An URB that is not this handle's, or was freed before,
 * is reported by DbgPrint and left alone. To see that, the routine looks at the
 * 32 bytes before it, which must be memory that can be read.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) VOID NTAPI
    USBD_UrbFree(_In_ USBD_HANDLE USBDHandle, _In_ PURB Urb);

/*
 * USBD_SelectConfigUrbAllocateAndBuild
 *
 * Allocates an URB that selects a configuration and fills it in completely, the
 * header included.
 *
 * Parameters
 *   USBDHandle        the handle
 *   ConfigurationDescriptor
 *                     the configuration's descriptor; the URB points at it
 *   InterfaceList     bNumInterfaces + 1 entries. InterfaceDescriptor of each
 *                     is the descriptor of an interface, or of an alternate
 *                     setting of it; that of the last entry is NULL. Coming
 *                     out, Interface of each is the interface's
 *                     USBD_INTERFACE_INFORMATION in the URB, where the stack
 *                     will put the pipes.
 *   Urb               receives the URB
 *
 * Return value
 *   STATUS_SUCCESS    The URB is the caller's.
 *   STATUS_INVALID_PARAMETER
 *                     USBDHandle or Urb is NULL. Here: or another argument is,
 *                     or the list is empty, longer than bNumInterfaces, or
 *                     describes more endpoints than an URB of 65535 bytes can
 *                     hold.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     There is no memory for it.
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: the driver sends the URB, then takes UrbSelectConfiguration.
 * ConfigurationHandle and the pipe handles from it, and frees it by
 * USBD_UrbFree.
 *
 * Here: fewer entries than interfaces are taken. The list is not changed by a
 * call that fails. bNumEndpoints is believed: compare the descriptors with
 * wTotalLength before. MaximumTransferSize of each pipe is
 * USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_SelectConfigUrbAllocateAndBuild(
        _In_ USBD_HANDLE USBDHandle,
        _In_ PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
        _In_ PUSBD_INTERFACE_LIST_ENTRY InterfaceList, _Out_ PURB *Urb);

/*
 * USBD_SelectInterfaceUrbAllocateAndBuild
 *
 * Allocates an URB that selects an alternate setting of one interface and fills
 * it in completely, the header included.
 *
 * Parameters
 *   USBDHandle        the handle
 *   ConfigurationHandle
 *                     UrbSelectConfiguration.ConfigurationHandle of the URB
 *                     that selected the configuration, once it has been
 *                     completed
 *   InterfaceListEntry
 *                     InterfaceDescriptor is the descriptor of the alternate
 *                     setting to select, Interface is NULL. Coming out,
 *                     Interface is the interface's USBD_INTERFACE_INFORMATION
 *                     in the URB, where the stack will put the pipes.
 *   Urb               receives the URB
 *
 * Return value
 *   STATUS_SUCCESS    The URB is the caller's.
 *   STATUS_INVALID_PARAMETER
 *                     An argument is NULL. Here: or InterfaceDescriptor is.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     There is no memory for it.
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: one URB selects a setting of one interface. It may be sent again,
 * but for the same setting only. It is freed by USBD_UrbFree.
 *
 * Here: an Interface that is not NULL is replaced, not refused. The entry is
 * not changed by a call that fails.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_SelectInterfaceUrbAllocateAndBuild(
        _In_ USBD_HANDLE USBDHandle,
        _In_ USBD_CONFIGURATION_HANDLE ConfigurationHandle,
        _In_ PUSBD_INTERFACE_LIST_ENTRY InterfaceListEntry, _Out_ PURB *Urb);

/*
 * USBD_AssignUrbToIoStackLocation
 *
 * Puts an URB of this library into an IRP.
 *
 * Parameters
 *   USBDHandle        the handle
 *   IoStackLocation   the IRP's next stack location, from
 *                     IoGetNextIrpStackLocation
 *   Urb               the URB
 *
 * Return value: none
 *
 * IRQL: <= DISPATCH_LEVEL
 *
 * Remarks: called before IoCallDriver; the driver itself sets MajorFunction to
 * IRP_MJ_INTERNAL_DEVICE_CONTROL and IoControlCode to
 * IOCTL_INTERNAL_USB_SUBMIT_URB. Not for URBs from elsewhere, for which
 * Windows' stack stops the machine.
 *
 * Here: it sets Parameters.Others.Argument1 and nothing else. (Microsoft's sets
 * FileObject as well, which belongs to URBs with a hidden header.) When an
 * argument is NULL, DbgPrint says so, and nothing is set. An URB from elsewhere
 * is assigned, and reported by DbgPrint; as for USBD_UrbFree, what is before it
 * is looked at.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) VOID NTAPI
    USBD_AssignUrbToIoStackLocation(_In_ USBD_HANDLE USBDHandle,
                                    _In_ PIO_STACK_LOCATION IoStackLocation,
                                    _In_ PURB Urb);

/*
 * USBD_QueryUsbCapability
 *
 * Asks whether the USB driver stack and the host controller support a
 * capability.
 *
 * Parameters
 *   USBDHandle        the handle
 *   CapabilityType    a GUID_USB_CAPABILITY_*
 *   OutputBufferLength
 *                     bytes of OutputBuffer; 0 when there is none
 *   OutputBuffer      a buffer for what is said beside yes or no: a USHORT for
 *                     GUID_USB_CAPABILITY_STATIC_STREAMS. NULL for the others.
 *   ResultLength      receives the bytes that were put into OutputBuffer; may
 *                     be NULL
 *
 * Return value
 *   STATUS_SUCCESS    The capability is supported.
 *   STATUS_INVALID_PARAMETER
 *                     USBDHandle or CapabilityType is NULL, or there is a
 *                     buffer and no length, or a length and no buffer.
 *   STATUS_NOT_IMPLEMENTED
 *                     The driver stack does not support it.
 *   STATUS_NOT_SUPPORTED
 *                     The host controller or the stack does not support it.
 *   STATUS_INVALID_LEVEL
 *                     Here: the caller is not at PASSIVE_LEVEL.
 *   STATUS_INSUFFICIENT_RESOURCES
 *                     Here: there is no memory to ask the bus.
 *
 * IRQL: PASSIVE_LEVEL
 *
 * Remarks: the answer of the stack, never a version of it, says what a driver
 * may use. It is asked when the device has been started, not in AddDevice.
 *
 * Here: one question has an answer, that for
 * GUID_USB_CAPABILITY_DEVICE_CONNECTION_HIGH_SPEED_COMPATIBLE. The bus gives it
 * by the documented interface USB_BUS_INTERFACE_USBDI: STATUS_SUCCESS,
 * STATUS_NOT_SUPPORTED, or STATUS_NOT_IMPLEMENTED when the bus has no version 1
 * of the interface. Each other capability is STATUS_NOT_IMPLEMENTED; of these,
 * static streams and chained MDLs cannot be had with URBs from pool.
 * *ResultLength is 0.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_QueryUsbCapability(_In_ USBD_HANDLE USBDHandle,
                            _In_ const GUID *CapabilityType,
                            _In_ ULONG OutputBufferLength,
                            _Inout_opt_ PUCHAR OutputBuffer,
                            _Out_opt_ PULONG ResultLength);

#ifdef __cplusplus
}
#endif

#endif
