/*
 * usbbridge.sys: a USB bus for Wine's NT kernel, on libusb.
 *
 * An unmodified WDM driver for Windows, loaded by Wine's winedevice, sits on
 * the device objects that this bus driver makes and sends them URBs; the
 * bridge carries the URBs out on a real USB device of the Linux system
 * below. Where one thing is done:
 *
 *   main.c      the driver object, the bus's own function device
 *   enumerate.c which devices are there: sysfs and the kernel's uevents
 *   pnp.c       the physical device object of one USB device
 *   urb.c       IOCTL_INTERNAL_USB_SUBMIT_URB: checks and hands out
 *   config.c    descriptors, configurations, interfaces, pipe handles
 *   request.c   a URB on its way through libusb: submit, complete, cancel
 *   isoch.c     isochronous transfers: validation, packets, frame numbers
 *   busif.c     the USBDI bus interface (speed, frame time)
 *   shim*.c     what Wine's kernel lacks and the driver above needs
 *   verify*.c   whether the driver above keeps the kernel's rules
 *
 * What it cannot do, because libusb does not offer it: isochronous transfers
 * at a given StartFrame (only USBD_START_ISO_TRANSFER_ASAP; the other form
 * is refused with USBD_STATUS_NOT_SUPPORTED); true frame numbers (they are
 * synthesised: milliseconds of the monotonic clock, and a transfer's
 * StartFrame is where a back-to-back schedule would put it); the exact cause
 * of a failed isochronous packet (libusb has one "error" for a missed
 * interval, a CRC error and a time-out; it becomes USBD_STATUS_XACT_ERROR);
 * power states; static streams and chained MDLs.
 *
 * What it never does is to make anything up: without the device there is no
 * device object, and once the device has gone every URB fails.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USBBRIDGE_H
#define USBBRIDGE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2() */
#endif

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <ntstatus.h>
#define WIN32_NO_STATUS
#include <windef.h>
#include <winbase.h>
#include <winioctl.h>
#include <winternl.h>
#include <ddk/ntddk.h>
#include <ddk/usb.h>
#include <ddk/usbioctl.h>

/*
 * winegcc defines _WIN32, which would make libusb.h declare the calling
 * convention of a Windows DLL; the library here is the system's own.
 */
#pragma push_macro("_WIN32")
#undef _WIN32
#include <libusb-1.0/libusb.h>
#pragma pop_macro("_WIN32")

/* Names that Wine's usb.h lacks. */
#define USBD_START_ISO_TRANSFER_ASAP 4
#define USBD_ISO_START_FRAME_RANGE 1024
#define USB_ENDPOINT_DIRECTION_MASK 0x80
#define URB_FUNCTION_CONTROL_TRANSFER_EX 0x0032
#define IOCTL_INTERNAL_USB_RESET_PORT 0x220007
#define IOCTL_INTERNAL_USB_GET_PORT_STATUS 0x220013

#define BRIDGE_MAX_DEVICES 8
#define BRIDGE_MAX_PIPES 32 /* per device: 15 IN, 15 OUT, rounded up */

/* One endpoint of the selected alternate settings. */
typedef struct Pipe {
    bool open;
    UCHAR address;    /* bEndpointAddress */
    UCHAR type;       /* bmAttributes, transfer type */
    UCHAR interval;   /* bInterval */
    UCHAR iface;      /* bInterfaceNumber */
    ULONG max_bytes;  /* per service interval, high bandwidth included */
    ULONG generation; /* part of the handle: stale handles are found */
    ULONG next_frame; /* where the next ASAP transfer would start */
    bool scheduled;   /* next_frame is valid */
    ULONG active;     /* requests in libusb's hands */
    ULONG aborting;   /* calls of request_abort that wait for them */
} Pipe;

typedef struct Device Device;

/* A URB in libusb's hands. */
typedef struct Request {
    struct Request *next;
    Device *device;
    Pipe *pipe; /* NULL for the default pipe */
    IRP *irp;
    URB *urb;
    struct libusb_transfer *transfer;
    bool linked;      /* on the device's list: libusb still has it */
    bool cancel_ran;  /* the cancel routine is through with it */
    UCHAR *data;      /* control transfers: the caller's buffer */
    ULONG *bytes_out; /* control transfers: where the URB wants the count */
    UCHAR *setup;     /* control transfers: setup packet and data stage */
    USBD_STATUS (*finish)(struct Request *); /* fills the URB */
} Request;

/* One USB device; lives in the extension of its physical device object. */
struct Device {
    struct Bus *bus;
    DEVICE_OBJECT *pdo;
    int fd; /* of /dev/bus/usb/BBB/DDD */
    libusb_device_handle *handle;
    unsigned busnum, devnum;
    char name[32]; /* in sysfs, for example "1-2" */
    struct libusb_device_descriptor descriptor;
    int speed;             /* LIBUSB_SPEED_* */
    bool gone;             /* no longer on the bus */
    bool started;          /* IRP_MN_START_DEVICE has been seen */
    bool asleep;           /* and a power state other than D0 */
    bool reported;         /* in the last answer to QUERY_DEVICE_RELATIONS */
    CRITICAL_SECTION lock; /* everything below */
    CONDITION_VARIABLE changed; /* a request ended or was cancelled */
    struct libusb_config_descriptor *config; /* NULL: not configured */
    UCHAR claimed;                           /* bit per interface number */
    Pipe pipes[BRIDGE_MAX_PIPES];
    ULONG generation;
    Request *requests;
};

/* The bus; lives in the extension of its function device object. */
typedef struct Bus {
    DEVICE_OBJECT *fdo, *pdo, *lower;
    libusb_context *usb;
    HANDLE event_thread, uevent_thread;
    DWORD event_thread_id;
    volatile LONG stop;
    int uevent_fd;
    int wake[2]; /* a pipe: wakes the thread that reads uevents */
    USHORT vendor, product;
    CRITICAL_SECTION lock; /* devices */
    Device *devices[BRIDGE_MAX_DEVICES];
} Bus;

/* First member of each device extension tells the two kinds apart. */
typedef struct Extension {
    bool is_bus;
    union {
        Bus bus;
        Device device;
    } u;
} Extension;

/* main.c */
void bridge_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
NTSTATUS bridge_complete(IRP *irp, NTSTATUS status);
bool bridge_on_event_thread(void);
extern DRIVER_OBJECT *bridge_driver;

/* Calls `visit` with each device until it returns true; returns that. */
bool bridge_any_device(bool (*visit)(Device *device, const void *context),
                       const void *context);

/* enumerate.c */
bool enumerate_start(Bus *bus);
void enumerate_stop(Bus *bus);
void enumerate_gone(Device *device);

/* pnp.c */
NTSTATUS pnp_create(Bus *bus, Device **out);
void pnp_destroy(Device *device);
NTSTATUS pnp_dispatch(Device *device, IRP *irp);

/* urb.c */
NTSTATUS urb_ioctl(Device *device, IRP *irp);
NTSTATUS urb_nt_status(USBD_STATUS status);
UCHAR *urb_buffer(PVOID buffer, MDL *mdl, ULONG bytes, USBD_STATUS *status);

/* config.c */
USBD_STATUS config_select(Device *device, URB *urb);
USBD_STATUS config_select_interface(Device *device, URB *urb);
void config_release(Device *device);
Pipe *config_pipe(Device *device, USBD_PIPE_HANDLE handle);

/* request.c */
USBD_STATUS request_control(Device *device, IRP *irp, URB *urb,
                            const UCHAR setup[8], UCHAR *data,
                            ULONG *data_bytes, ULONG timeout_ms);
USBD_STATUS request_bulk(Device *device, IRP *irp, URB *urb);
Request *request_new(Device *device, Pipe *pipe, IRP *irp, URB *urb,
                     int packets);
USBD_STATUS request_submit(Request *request);
void request_free(Request *request);
void request_abort(Device *device, Pipe *pipe);
bool request_uses(const void *memory, SIZE_T bytes);
bool request_has_irp(const IRP *irp);
USBD_STATUS request_usbd_status(enum libusb_transfer_status status);
USBD_STATUS request_usbd_error(int libusb_error);

/* isoch.c */
USBD_STATUS isoch_submit(Device *device, IRP *irp, URB *urb);
ULONG isoch_current_frame(void);

/* busif.c */
NTSTATUS busif_query(Device *device, IO_STACK_LOCATION *stack);

/* shim.c */
void shim_install(void);

#endif
