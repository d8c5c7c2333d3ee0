/*
 * The whole driver, from DriverEntry on, on the small kernel in host/: the test
 * is the I/O manager, PnP and the power manager above it, and below it is a
 * device that is made up here, with two interfaces. Interface 0 has an IN
 * endpoint, interface 1 one of each direction. As the real one, the device
 * takes no format while an alternate of interface 0 is selected.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WHOLE_H
#define WHOLE_H

#include "host/host.h"

#include "driver.h"

#define WHOLE_FILES 2

typedef struct {
    DRIVER_OBJECT driver;
    DEVICE_OBJECT pdo;
    FILE_OBJECT file[WHOLE_FILES];
    IRP transfer[WHOLE_FILES];        /* a read or write of each */
    UCHAR data[WHOLE_FILES][8192];    /* its buffer */
    UCHAR buffer[sizeof(isoav_info)]; /* of the last whole_control */
    GQueue bus;                       /* isochronous IRPs, below us */
    GString *events;                  /* requests that came down */
    UCHAR configuration;              /* of the device; 0: none */
    UCHAR alternate[CONFIG_MAX_INTERFACES];
    bool is_high_speed;                /* the bus says so; else it is mute */
    bool is_asleep;                    /* the device, and takes no URB */
    NTSTATUS pnp_status, power_status; /* the bus's answers */
} whole_state;

extern whole_state whole;

/* A new machine; the driver is loaded and has no device. */
void whole_begin(void);

/* DriverUnload; nothing is left. */
void whole_end(void);

/* AddDevice */
NTSTATUS whole_add(void);

/* Our device object: the top of the stack. NULL: none. */
PDEVICE_OBJECT whole_top(void);

/* IRP_MJ_PNP; what becomes of the IRP. */
NTSTATUS whole_pnp(UCHAR minor);

/* IRP_MN_SET_POWER, at DISPATCH_LEVEL, and what follows of it. */
NTSTATUS whole_device_power(DEVICE_POWER_STATE state);
NTSTATUS whole_system_power(SYSTEM_POWER_STATE state);

/* IRP_MJ_CREATE, _CLEANUP, _CLOSE of file i. */
NTSTATUS whole_file(UCHAR major, unsigned i);

/* IRP_MJ_DEVICE_CONTROL of file i; the answer is in whole.buffer. */
NTSTATUS whole_control(unsigned i, ULONG code, const void *in, ULONG in_bytes,
                       ULONG out_bytes);
NTSTATUS whole_set_format(void); /* by file 0 */
isoav_stats whole_stats(unsigned i);

/*
 * STREAM_START of file i: three URBs of 8 packets. File 0 receives from
 * interface 0, file 1 sends to interface 1.
 */
NTSTATUS whole_start(unsigned i, ULONG flags);
NTSTATUS whole_stop(unsigned i);

/* IRP_MJ_READ of file 0, IRP_MJ_WRITE of eight packets to file 1. */
NTSTATUS whole_transfer(unsigned i);

/* Each URB that is on the bus now ends well. */
void whole_complete(void);

#endif
