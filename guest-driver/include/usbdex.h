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
 * USBD_CreateHandle registers a client driver and returns the handle that
 * every other routine here takes.
 *
 *   DeviceObject        the driver's own device object
 *   TargetDeviceObject  the next lower one: what IoAttachDeviceToDeviceStack
 *                       returned
 *   USBDClientContractVersion
 *                       USBD_CLIENT_CONTRACT_VERSION_602
 *   PoolTag             the tag of the memory that the library allocates for
 *                       this handle and its URBs; not 0
 *   USBDHandle          receives the handle, or NULL
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_LEVEL when the caller is not at
 * PASSIVE_LEVEL; STATUS_INVALID_PARAMETER when a pointer is NULL, the
 * contract version is another one or the tag is 0;
 * STATUS_INSUFFICIENT_RESOURCES.
 *
 * IRQL: PASSIVE_LEVEL.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_CreateHandle(_In_ PDEVICE_OBJECT DeviceObject,
                      _In_ PDEVICE_OBJECT TargetDeviceObject,
                      _In_ ULONG USBDClientContractVersion, _In_ ULONG PoolTag,
                      _Out_ USBD_HANDLE *USBDHandle);

/*
 * USBD_CloseHandle ends a registration.
 *
 *   USBDHandle          the handle; NULL is ignored
 *
 * URBs that are still allocated are a bug of the caller. It is reported by
 * DbgPrint; such an URB can still be freed later.
 *
 * IRQL: PASSIVE_LEVEL.
 */
_IRQL_requires_max_(PASSIVE_LEVEL) VOID NTAPI
    USBD_CloseHandle(_In_ USBD_HANDLE USBDHandle);

/*
 * USBD_IsInterfaceVersionSupported tells whether the driver stack speaks a
 * version of its interface.
 *
 *   USBDHandle          the handle
 *   USBDInterfaceVersion  a USBD_INTERFACE_VERSION_*
 *
 * Returns TRUE for versions up to USBD_INTERFACE_VERSION_600, the one that
 * legacy URBs belong to, FALSE for later ones and for a NULL handle. What the
 * stack can *do* is USBD_QueryUsbCapability's business.
 *
 * IRQL: up to DISPATCH_LEVEL (documented: PASSIVE_LEVEL).
 */
_IRQL_requires_max_(DISPATCH_LEVEL) BOOLEAN NTAPI
    USBD_IsInterfaceVersionSupported(_In_ USBD_HANDLE USBDHandle,
                                     _In_ ULONG USBDInterfaceVersion);

/*
 * USBD_UrbAllocate allocates an URB for any request but isochronous ones and
 * the two select requests.
 *
 *   USBDHandle          the handle
 *   Urb                 receives an URB of sizeof(URB) bytes, all of them
 *                       zero; NULL on failure
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER when USBDHandle or Urb is
 * NULL; STATUS_INSUFFICIENT_RESOURCES.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_UrbAllocate(_In_ USBD_HANDLE USBDHandle, _Out_ PURB *Urb);

/*
 * USBD_IsochUrbAllocate allocates an URB for an isochronous transfer.
 *
 *   USBDHandle          the handle
 *   NumberOfIsochPackets
 *                       the largest number of packets that the caller will
 *                       put into this URB, 1..1024. The transfer buffer is
 *                       described by the array UrbIsochronousTransfer.
 *                       IsoPacket, one element a packet: the offset of the
 *                       packet going in, its length and status coming out.
 *   Urb                 receives an URB that is large enough for the array,
 *                       every byte zero, UrbHeader.Length and .Function
 *                       included; NULL on failure
 *
 * The caller sets UrbHeader.Length to GET_ISO_URB_SIZE(packets) and
 * UrbHeader.Function to URB_FUNCTION_ISOCH_TRANSFER, fills in the rest and
 * frees the URB with USBD_UrbFree.
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER when USBDHandle or Urb is
 * NULL, and for a packet count that no stack would take (0 or above 1024;
 * the documentation does not say); STATUS_INSUFFICIENT_RESOURCES.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_IsochUrbAllocate(_In_ USBD_HANDLE USBDHandle,
                          _In_ ULONG NumberOfIsochPackets, _Out_ PURB *Urb);

/*
 * USBD_UrbFree frees an URB of this library.
 *
 *   USBDHandle          the handle that it was allocated with
 *   Urb                 the URB; the stack must not own it. NULL is ignored.
 *
 * An URB that is not this handle's (freed before, of another handle, not
 * from this library) is reported by DbgPrint and left alone.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) VOID NTAPI
    USBD_UrbFree(_In_ USBD_HANDLE USBDHandle, _In_ PURB Urb);

/*
 * USBD_SelectConfigUrbAllocateAndBuild allocates an URB that selects a
 * configuration and fills it in completely, the header included.
 *
 *   USBDHandle          the handle
 *   ConfigurationDescriptor
 *                       the descriptor of the configuration
 *   InterfaceList       one entry for each interface, its InterfaceDescriptor
 *                       set and inside the configuration, then one entry
 *                       with a NULL InterfaceDescriptor; at most
 *                       bNumInterfaces + 1 entries. Coming out, Interface of
 *                       each entry points at its description in the URB.
 *   Urb                 receives the URB, NULL on failure
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER when an argument is NULL,
 * the list is empty, longer than bNumInterfaces, or describes more than an
 * URB's 16-bit length can hold; STATUS_INSUFFICIENT_RESOURCES. The list is
 * not changed on failure.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_SelectConfigUrbAllocateAndBuild(
        _In_ USBD_HANDLE USBDHandle,
        _In_ PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
        _In_ PUSBD_INTERFACE_LIST_ENTRY InterfaceList, _Out_ PURB *Urb);

/*
 * USBD_SelectInterfaceUrbAllocateAndBuild allocates an URB that selects an
 * alternate setting of one interface and fills it in completely.
 *
 *   USBDHandle          the handle
 *   ConfigurationHandle from the select-configuration URB, once it completed
 *   InterfaceListEntry  InterfaceDescriptor: the alternate setting to select;
 *                       Interface: NULL going in, coming out the description
 *                       in the URB, where the pipe handles will be
 *   Urb                 receives the URB, NULL on failure
 *
 * Returns STATUS_SUCCESS; STATUS_INVALID_PARAMETER when an argument or
 * InterfaceDescriptor is NULL; STATUS_INSUFFICIENT_RESOURCES.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) _Must_inspect_result_ NTSTATUS NTAPI
    USBD_SelectInterfaceUrbAllocateAndBuild(
        _In_ USBD_HANDLE USBDHandle,
        _In_ USBD_CONFIGURATION_HANDLE ConfigurationHandle,
        _In_ PUSBD_INTERFACE_LIST_ENTRY InterfaceListEntry, _Out_ PURB *Urb);

/*
 * USBD_AssignUrbToIoStackLocation puts an URB of this library into an IRP.
 *
 *   USBDHandle          the handle
 *   IoStackLocation     the IRP's next stack location
 *   Urb                 the URB
 *
 * The caller sets MajorFunction to IRP_MJ_INTERNAL_DEVICE_CONTROL and
 * IoControlCode to IOCTL_INTERNAL_USB_SUBMIT_URB. FileObject stays as it is:
 * setting it belongs to the other mode.
 *
 * IRQL: up to DISPATCH_LEVEL.
 */
_IRQL_requires_max_(DISPATCH_LEVEL) VOID NTAPI
    USBD_AssignUrbToIoStackLocation(_In_ USBD_HANDLE USBDHandle,
                                    _In_ PIO_STACK_LOCATION IoStackLocation,
                                    _In_ PURB Urb);

/*
 * USBD_QueryUsbCapability asks for one feature of the stack and the
 * controller. Not before IRP_MN_START_DEVICE has succeeded below.
 *
 *   USBDHandle          the handle
 *   CapabilityType      a GUID_USB_CAPABILITY_*
 *   OutputBufferLength, OutputBuffer
 *                       a buffer for capabilities that return data: both 0
 *                       and NULL, or neither
 *   ResultLength        receives the bytes returned; may be NULL
 *
 * Returns STATUS_SUCCESS when the feature is there; STATUS_NOT_SUPPORTED when
 * the device or controller lacks it; STATUS_NOT_IMPLEMENTED when the stack
 * does not know it: every capability but HIGH_SPEED_COMPATIBLE, which is
 * answered by the documented interface USB_BUS_INTERFACE_USBDI;
 * STATUS_INVALID_PARAMETER when the handle or CapabilityType is NULL or only
 * one of buffer and length is given; STATUS_INVALID_LEVEL above
 * PASSIVE_LEVEL.
 *
 * IRQL: PASSIVE_LEVEL.
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
