/*
 * urbtest.sys: a driver that takes the place of isoav.sys in the guest and
 * does what a driver must not do. When its device is started it sends the bus
 * driver below (guest-driver/bridge) URBs that are right and URBs that are
 * wrong, and uses the parts of the kernel that the bridge supplies. Results
 * are TAP lines through DbgPrint, and so in wine.log.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef URBTEST_H
#define URBTEST_H

#include <ntddk.h>
#include <usb.h>
#include <usbdlib.h>

#include "isolab/isoav.h"

#define TAG 0x74627255 /* "Urbt" */
#define PACKETS 16u
#define PIPE_BYTES 3072u

typedef struct {
    PDEVICE_OBJECT lower;
    USBD_CONFIGURATION_HANDLE configuration;
    USBD_PIPE_HANDLE pipe;       /* 81h in alternate 5 */
    USBD_PIPE_HANDLE stale_pipe; /* of the selection before */
    PUCHAR buffer;               /* PACKETS x PIPE_BYTES */
} Device;

/* An URB on its way. */
typedef struct {
    PIRP irp;
    PURB urb;
    KEVENT done;
    NTSTATUS status;
    KIRQL irql; /* at completion */
} Flight;

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path);

/* urbtest.c */
void check(BOOLEAN good, const char *name, LONG got, LONG expected);
BOOLEAN launch(Device *device, Flight *flight, PURB urb);
NTSTATUS land(Flight *flight);
NTSTATUS submit(Device *device, PURB urb);
void *allocate(SIZE_T bytes);

/* config-cases.c */
BOOLEAN config_cases(Device *device);
/* isoch-cases.c */
void isoch_cases(Device *device);
/* usbdex-cases.c */
void usbdex_cases(Device *device, PDEVICE_OBJECT object);
/* kernel-cases.c */
void kernel_cases(Device *device);

#endif
