/*
 * isoav.sys: a WDM driver that streams through isochronous URBs.
 *
 *   entry.c   DriverEntry, AddDevice, the dispatch table
 *   pnp.c     the device's life: start, stop, surprise removal, removal
 *   power.c   its sleep
 *   device.c  descriptors, configuration, interfaces in use
 *   usb.c     one URB, waited for
 *   file.c    create, cleanup, close, read
 *   ioctl.c   the requests of isoav_ioctl.h
 *   stream.c  a stream: records from a ring of URBs to pending reads
 *   control.c starting and stopping streams
 *   ring.c    the ring of URBs
 *   queue.c   the queue of pending reads
 *   log.c     what became of the last packets
 *   fifo.c    records between ring and reads        (pure)
 *   config.c  the configuration descriptor          (pure)
 *
 * Rules:
 *
 *  1. DEVICE_EXTENSION.Lock, a mutex taken at PASSIVE_LEVEL, serialises
 *     everything that changes what the device does: PnP, power, starting and
 *     stopping streams, vendor requests.
 *  2. STREAM.Lock, a spin lock, covers FIFO, read queue and statistics;
 *     PACKET_LOG.Lock covers the log. They are the only spin locks, never held
 *     together, and nothing is called with one held but memory copies.
 *  3. Every dispatch routine holds the remove lock; so does every pending
 *     read (tag: the IRP) and every stream with a ring (tag: the stream).
 *  4. A STREAM belongs to a FILE_OBJECT and is counted: one reference for the
 *     file, one for each pending read.
 *  5. A ring's URBs are submitted only while the ring is RUNNING. To take it
 *     down: STOPPING, abort the pipe, wait until no URB is out, only then
 *     select alternate 0 and free them.
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

typedef struct _DEVICE_EXTENSION {
    PDEVICE_OBJECT Self;
    PDEVICE_OBJECT Pdo;
    PDEVICE_OBJECT Lower;
    USBD_HANDLE Usbd;
    UNICODE_STRING LinkName;
    IO_REMOVE_LOCK RemoveLock;
    PIO_WORKITEM PowerWork;
    PIRP PowerIrp; /* the device power IRP that PowerWork is for */
    PACKET_LOG Log;

    KMUTEX Lock; /* rule 1; everything below */
    DEVICE_STATE State;
    BOOLEAN Awake; /* D0 */
    LIST_ENTRY Streams;
    PSTREAM Owner[CONFIG_MAX_INTERFACES]; /* by interface number */
    ULONG Selections; /* of alternates with endpoints, so far */
    USB_DEVICE_DESCRIPTOR Descriptor;
    PUCHAR ConfigBytes;
    USBD_CONFIGURATION_HANDLE ConfigHandle;
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
    DispatchClose, DispatchRead, DispatchDeviceControl;

/* --- device.c --------------------------------------------------------- */

/* Descriptors, speed, configuration at alternate 0. */
NTSTATUS DeviceConfigure(PDEVICE_EXTENSION Device);
VOID DeviceUnconfigure(PDEVICE_EXTENSION Device);

/* STATUS_SUCCESS, or why a request that needs the device is refused. */
NTSTATUS DeviceIsReady(PDEVICE_EXTENSION Device);

/*
 * Selects an alternate setting. When Pipe is not NULL it receives the pipe of
 * the endpoint at Address.
 */
NTSTATUS DeviceSelectAlternate(PDEVICE_EXTENSION Device, UCHAR Interface,
                               UCHAR Alternate, UCHAR Address,
                               PUSBD_PIPE_INFORMATION Pipe,
                               USBD_STATUS *UsbdStatus);

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

/* Sends an IRP to the lower driver and waits for it. */
NTSTATUS UsbForwardAndWait(PDEVICE_EXTENSION Device, PIRP Irp);

/* The NTSTATUS that says best what a USBD_STATUS says. */
NTSTATUS UsbStatusToNt(USBD_STATUS Status);

/* URB_FUNCTION_ABORT_PIPE */
NTSTATUS UsbAbortPipe(PDEVICE_EXTENSION Device, USBD_PIPE_HANDLE Pipe);

/* --- queue.c ---------------------------------------------------------- */

typedef struct _READ_QUEUE {
    LIST_ENTRY Irps;
    PKSPIN_LOCK Lock; /* of the owner */
    VOID (*Cancelled)(struct _READ_QUEUE *Queue, PIRP Irp);
} READ_QUEUE, *PREAD_QUEUE;

VOID QueueInitialize(PREAD_QUEUE Queue, PKSPIN_LOCK Lock,
                     VOID (*Cancelled)(PREAD_QUEUE Queue, PIRP Irp));

/*
 * Appends an IRP that has been marked pending. FALSE: it was cancelled
 * before, the caller completes it.
 */
BOOLEAN QueueInsert(PREAD_QUEUE Queue, PIRP Irp);

/* Takes the oldest IRP out; the lock is held. NULL: empty. */
PIRP QueueRemoveLocked(PREAD_QUEUE Queue);

/* --- ring.c ----------------------------------------------------------- */

typedef struct _RING_PARAMETERS {
    PSTREAM Stream;
    USBD_PIPE_HANDLE Pipe;
    LOG_PLACE Place; /* what the packet log calls the pipe */
    ULONG Urbs;
    ULONG Packets;     /* of an URB */
    ULONG PacketBytes; /* most bytes of one packet */
} RING_PARAMETERS;

NTSTATUS RingCreate(PDEVICE_EXTENSION Device, const RING_PARAMETERS *Parameters,
                    PRING *Ring);

/* Submits every URB. */
VOID RingStart(PRING Ring);

/* Rule 5 up to the wait; afterwards no URB is out. */
VOID RingStop(PRING Ring);

VOID RingFree(PRING Ring);

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

/* Queues a read (Va: its buffer) and serves what can be served. */
NTSTATUS StreamRead(PSTREAM Stream, PIRP Irp, PVOID Va);

/* Ends every pending read. */
VOID StreamCancelReads(PSTREAM Stream);

/* From the ring, up to DISPATCH_LEVEL: an URB has come back with packets. */
VOID StreamReceive(PSTREAM Stream, PURB Urb, ULONG Packets, ULONG PacketBytes,
                   const UCHAR *Data);

/* From the ring: an URB has failed as a whole. */
VOID StreamUrbFailed(PSTREAM Stream, PURB Urb);

/* From the ring: it gave up. */
VOID StreamFailed(PSTREAM Stream, NTSTATUS Status);

#endif
