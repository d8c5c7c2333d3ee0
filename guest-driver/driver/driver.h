/*
 * isoav.sys: a WDM driver that streams through isochronous URBs.
 *
 *   entry.c   DriverEntry, AddDevice, the dispatch table
 *   pnp.c     the device's life: start, stop, surprise removal, removal
 *   power.c   its sleep
 *   device.c  descriptors, configuration, interfaces in use
 *   usb.c     one URB, waited for
 *   file.c    create, cleanup, close, read, write
 *   ioctl.c   the requests of isoav_ioctl.h
 *   stream.c  a stream: records from a ring of URBs to pending reads, or
 *             from pending writes to a ring
 *   control.c starting and stopping streams
 *   interface.c  the alternate setting that the streams of an interface share
 *   ring.c    the ring of URBs
 *   queue.c   the queue of pending reads or writes
 *   log.c     what became of the last packets
 *   fifo.c    records between ring and reads        (pure)
 *   config.c  the configuration descriptor          (pure)
 *
 * Rules:
 *
 *  1. DEVICE_EXTENSION.Lock, a mutex taken at PASSIVE_LEVEL, serialises
 *     everything that changes what the device does: PnP, power, starting and
 *     stopping streams, vendor requests.
 *  2. STREAM.Lock, a spin lock, covers FIFO, queue and statistics;
 *     PACKET_LOG.Lock covers the log. They are the only spin locks, never held
 *     together, and nothing is called with one held but memory copies.
 *  3. Every dispatch routine holds the remove lock; so does every pending
 *     read or write (tag: the IRP), every stream with a ring (tag: the
 *     stream) and every work item that is queued (tag: the work item).
 *  4. A STREAM belongs to a FILE_OBJECT and is counted: one reference for the
 *     file, one for each pending read or write, one for its work item.
 *  5. A ring's URBs are submitted only while the ring is RUNNING. To take it
 *     down: STOPPING, abort the pipe, wait until no URB is out, only then
 *     select alternate 0 and free them.
 *  6. The way down needs no memory, which may be out just then: what it sends
 *     (abort, alternate 0, unconfigure) is made on the way up (USB_REQUEST).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_DRIVER_H
#define ISOAV_DRIVER_H

#include "usbdex.h"

#include "config.h"
#include "fifo.h"
#include "isoav_ioctl.h"
#include "log.h"

#define ISOAV_TAG 0x76417349u /* 'I' 's' 'A' 'v' */
#define ISOAV_DRIVER_VERSION 0x00010000

/* usbioctl.h: CTL_CODE(FILE_DEVICE_USB, 0, METHOD_NEITHER, any access). */
#define ISOAV_IOCTL_SUBMIT_URB 0x220003

typedef enum {
    DeviceStopped, /* not started yet, or stopped */
    DeviceStarted,
    DeviceHeld, /* a query is pending: streams are down */
    DeviceGone, /* surprise removal */
    DeviceRemoved,
} DEVICE_STATE;

typedef struct _STREAM STREAM, *PSTREAM;
typedef struct _RING RING, *PRING;

/* An URB and its IRP, made before they are needed (rule 6). Irp = NULL: none.
 */
typedef struct _USB_REQUEST {
    PURB Urb;
    PIRP Irp;
} USB_REQUEST, *PUSB_REQUEST;

/* A pipe of the alternate setting that is selected. */
typedef struct _PIPE_USE {
    USBD_PIPE_INFORMATION Information;
    LONGLONG Next; /* ordinal of the next packet since the selection, from 1 */
} PIPE_USE, *PPIPE_USE;

/* An interface: what of it streams. Streams = 0: alternate 0, no pipes. */
typedef struct _INTERFACE_USE {
    ULONG Streams; /* with a ring */
    ULONG Selection;
    UCHAR Alternate;
    USB_REQUEST Release; /* selects alternate 0; there while Streams is not 0 */
    ULONG Pipes;
    PIPE_USE Pipe[CONFIG_MAX_PIPES];
} INTERFACE_USE, *PINTERFACE_USE;

typedef struct _DEVICE_EXTENSION {
    PDEVICE_OBJECT Self;
    PDEVICE_OBJECT Pdo;
    PDEVICE_OBJECT Lower;
    USBD_HANDLE Usbd;
    UNICODE_STRING LinkName;
    BOOLEAN IsLinkOn; /* of PnP's requests, which come one at a time */
    IO_REMOVE_LOCK RemoveLock;
    PIO_WORKITEM PowerWork;
    PIRP PowerIrp; /* the device power IRP that PowerWork is for */
    PACKET_LOG Log;

    KMUTEX Lock; /* rule 1; everything below */
    DEVICE_STATE State;
    BOOLEAN Awake; /* D0 */
    LIST_ENTRY Streams;
    INTERFACE_USE Interface[CONFIG_MAX_INTERFACES]; /* by number */
    ULONG Selections; /* of alternates with endpoints, so far */
    USB_DEVICE_DESCRIPTOR Descriptor;
    PUCHAR ConfigBytes;
    USBD_CONFIGURATION_HANDLE ConfigHandle;
    USB_REQUEST Unconfigure; /* there at least while ConfigHandle is */
    ULONG Speed;
    ISOAV_CONFIG Config;
} DEVICE_EXTENSION, *PDEVICE_EXTENSION;

/* --- entry.c ---------------------------------------------------------- */

/* Completes an IRP; returns Status. */
NTSTATUS CompleteIrp(PIRP Irp, NTSTATUS Status, ULONG_PTR Information);

VOID DeviceLock(PDEVICE_EXTENSION Device);
VOID DeviceUnlock(PDEVICE_EXTENSION Device);

/* Nonpaged memory, zeroed and not executable where the kernel can. */
PVOID PoolAllocate(SIZE_T Bytes);
VOID PoolFree(PVOID Memory);

/* The MM_PAGE_PRIORITY for mapping a buffer that will not be executed. */
ULONG MapPriority(VOID);

/* --- pnp.c, power.c, file.c, ioctl.c ---------------------------------- */

DRIVER_DISPATCH DispatchPnp, DispatchPower, DispatchCreate, DispatchCleanup,
    DispatchClose, DispatchRead, DispatchWrite, DispatchDeviceControl;

/* --- device.c --------------------------------------------------------- */

/* Descriptors, speed, configuration at alternate 0. */
NTSTATUS DeviceConfigure(PDEVICE_EXTENSION Device);
VOID DeviceUnconfigure(PDEVICE_EXTENSION Device);

/* STATUS_SUCCESS, or why a request that needs the device is refused. */
NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device);

/* Selects an alternate setting; Pipes and Pipe of Use become its own. */
NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, PINTERFACE_USE Use,
                               USBD_STATUS *UsbdStatus);

/* What selects alternate 0 of an interface, for later. */
NTSTATUS DevicePrepareAlternate0(PDEVICE_EXTENSION Device, UCHAR Interface,
                                 PUSB_REQUEST Request);

/*
 * A vendor request to an interface. Bytes is what must be sent or what must
 * come back, exactly.
 */
NTSTATUS DeviceVendorIn(PDEVICE_EXTENSION Device, UCHAR Request,
                        UCHAR Interface, PVOID Data, ULONG Bytes);
NTSTATUS DeviceVendorOut(PDEVICE_EXTENSION Device, UCHAR Request,
                         UCHAR Interface, const VOID *Data, ULONG Bytes);

/* --- usb.c ------------------------------------------------------------ */

/* Sends an URB and waits, five seconds at most; then it is cancelled. */
NTSTATUS UsbSubmit(PDEVICE_EXTENSION Device, PURB Urb);

/*
 * Gives an URB its IRP, ahead of the time when it is sent. On failure the URB
 * has been freed.
 */
NTSTATUS UsbPrepare(PDEVICE_EXTENSION Device, PURB Urb, PUSB_REQUEST Request);

/* UsbSubmit without an allocation. Afterwards the request is gone. */
NTSTATUS UsbSendPrepared(PDEVICE_EXTENSION Device, PUSB_REQUEST Request);

/* Frees what was prepared and will not be sent, if there is anything. */
VOID UsbForget(PDEVICE_EXTENSION Device, PUSB_REQUEST Request);

/* Sends an IRP to the lower driver and waits for it. */
NTSTATUS UsbForwardAndWait(PDEVICE_EXTENSION Device, PIRP Irp);

/* The NTSTATUS that says best what a USBD_STATUS says. */
NTSTATUS UsbStatusToNt(USBD_STATUS Status);

/* URB_FUNCTION_ABORT_PIPE, for later. */
NTSTATUS UsbPrepareAbort(PDEVICE_EXTENSION Device, USBD_PIPE_HANDLE Pipe,
                         PUSB_REQUEST Request);

/* URB_FUNCTION_GET_CURRENT_FRAME_NUMBER: the bus's frame of 1 ms. */
NTSTATUS UsbCurrentFrame(PDEVICE_EXTENSION Device, PULONG Frame);

/* --- interface.c ------------------------------------------------------ */

/*
 * Joins the streams of an interface in an alternate setting, which the first
 * one selects, and gives the pipe of the endpoint. On failure *UsbdStatus is
 * what the USB stack said, or USBD_STATUS_SUCCESS.
 */
NTSTATUS InterfaceAcquire(PDEVICE_EXTENSION Device, const isoav_start *Start,
                          PPIPE_USE *Pipe, USBD_STATUS *UsbdStatus);

/* Leaves them; the last one selects alternate 0, if there is a device. */
VOID InterfaceRelease(PDEVICE_EXTENSION Device, UCHAR Interface);

/* --- queue.c ---------------------------------------------------------- */

typedef struct _IRP_QUEUE {
    LIST_ENTRY Irps;
    PKSPIN_LOCK Lock; /* of the owner */
    VOID (*Cancelled)(struct _IRP_QUEUE *Queue, PIRP Irp);
} IRP_QUEUE, *PIRP_QUEUE;

VOID QueueInitialize(PIRP_QUEUE Queue, PKSPIN_LOCK Lock,
                     VOID (*Cancelled)(PIRP_QUEUE Queue, PIRP Irp));

/*
 * Appends an IRP that has been marked pending. FALSE: it was cancelled
 * before, the caller completes it.
 */
BOOLEAN QueueInsert(PIRP_QUEUE Queue, PIRP Irp);

/*
 * Gives back what QueueRemoveLocked took; the lock is held. FALSE: it was
 * cancelled meanwhile, the caller completes it.
 */
BOOLEAN QueuePutBackLocked(PIRP_QUEUE Queue, PIRP Irp);

/* Takes the oldest IRP out; the lock is held. NULL: empty. */
PIRP QueueRemoveLocked(PIRP_QUEUE Queue);

/* --- ring.c ----------------------------------------------------------- */

typedef struct _RING_PARAMETERS {
    PSTREAM Stream;
    PPIPE_USE Pipe;
    LOG_PLACE Place; /* what the packet log calls the pipe */
    ULONG Urbs;
    ULONG Packets; /* of an URB */
    ULONG Frames;  /* of an URB: how long it takes */
    BOOLEAN NamesFrames;
    ULONG PacketBytes; /* most bytes of one packet */
} RING_PARAMETERS;

NTSTATUS RingCreate(PDEVICE_EXTENSION Device, const RING_PARAMETERS *Parameters,
                    PRING *Ring);

/* Submits every URB that there is something for. */
VOID RingStart(PRING Ring);

/*
 * There may be something to send now. Up to DISPATCH_LEVEL; the caller sees to
 * it that the ring does not go meanwhile.
 */
VOID RingPump(PRING Ring);

/* Aborts the pipe and waits; afterwards no URB is out. */
VOID RingStop(PRING Ring);

VOID RingFree(PRING Ring);

/* It has given up, and something else has been asked to do something. */
BOOLEAN RingHasFailed(PRING Ring);

/* --- stream.c, control.c ---------------------------------------------- */

NTSTATUS StreamCreate(PDEVICE_EXTENSION Device, PSTREAM *Stream);
VOID StreamDereference(PSTREAM Stream);

/* The file is being closed: stop, leave the device. Reads have been ended. */
VOID StreamClose(PSTREAM Stream);

/* With DEVICE_EXTENSION.Lock held: */
NTSTATUS StreamStart(PSTREAM Stream, const isoav_start *Start,
                     isoav_started *Started);
NTSTATUS StreamStop(PSTREAM Stream, NTSTATUS EndStatus);

/* All streams of the device: down for a while, up again, or down for good. */
VOID StreamsHold(PDEVICE_EXTENSION Device);
VOID StreamsResume(PDEVICE_EXTENSION Device);
VOID StreamsEnd(PDEVICE_EXTENSION Device, NTSTATUS EndStatus);

VOID StreamGetStats(PSTREAM Stream, isoav_stats *Stats);

/* TRUE: a stream of the interface has been started, also if it is held. */
BOOLEAN StreamsUse(PDEVICE_EXTENSION Device, UCHAR Interface);

/*
 * Queues a read, or a write, of Bytes bytes at Va and serves what can be
 * served. Always STATUS_PENDING.
 */
NTSTATUS StreamTransfer(PSTREAM Stream, PIRP Irp, PVOID Va, ULONG Bytes);

/* Ends every pending read and write. */
VOID StreamCancelTransfers(PSTREAM Stream);

/*
 * From the ring, up to DISPATCH_LEVEL: data of Packets packets goes to Data,
 * one behind the other; offsets and length go into the URB. FALSE: there are
 * not that many.
 */
BOOLEAN StreamSupply(PSTREAM Stream, PURB Urb, ULONG Packets, ULONG PacketBytes,
                     PUCHAR Data);

/* From the ring, up to DISPATCH_LEVEL: an URB has sent its packets. */
VOID StreamSent(PSTREAM Stream, PURB Urb, ULONG Packets);

/* From the ring, up to DISPATCH_LEVEL: an URB has come back with packets. */
VOID StreamReceive(PSTREAM Stream, PURB Urb, ULONG Packets, ULONG PacketBytes,
                   const UCHAR *Data);

/* From the ring: an URB has failed as a whole. */
VOID StreamUrbFailed(PSTREAM Stream, PURB Urb);

/* From the ring: no URB names its frame any more. */
VOID StreamFrameRefused(PSTREAM Stream);

/* From the ring: it is worth a try with a new one. */
VOID StreamRecover(PSTREAM Stream, NTSTATUS Status);

/* From the ring: it gave up. */
VOID StreamFailed(PSTREAM Stream, NTSTATUS Status);

#endif
