/*
 * The rig of test-stream.c and test-control.c: one device with one open file,
 * the driver's streaming files as they are, and below them a driver that
 * holds isochronous URBs until the test completes them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RIG_H
#define RIG_H

#include "host/host.h"

#include "driver.h"

#define RIG_READ_BYTES 65536
#define RIG_READS 4

typedef struct {
    IRP irp;
    UCHAR data[RIG_READ_BYTES];
} rig_read;

typedef struct {
    DEVICE_EXTENSION device;
    PSTREAM stream;
    isoav_started started; /* what the URBs must look like */
    bool names_frames;     /* they do not start as soon as possible */
    rig_read read[RIG_READS];

    GQueue bus;              /* IRPs that the driver below holds */
    GString *events;         /* what was asked of the device, in order */
    unsigned submissions;    /* isochronous URBs so far */
    unsigned depth, deepest; /* of IoCallDriver in itself */
    USBD_STATUS inline_fail; /* not 0: URBs fail with it at once */
    bool deaf;               /* aborting the pipe has no effect */
    NTSTATUS select_status;  /* of selecting an alternate but 0 */
    UCHAR most_alternate;    /* the bus has bandwidth for; 0: for all */
    ULONG frame;             /* the bus's clock */
    unsigned number;         /* of the next packet; its bytes are made of it */
} rig_state;

extern rig_state rig;

/* A new rig: device started, file open, nothing streams. */
void rig_begin(void);

/* And its stream runs: three URBs of eight packets, a millisecond each. */
void rig_begin_started(void);

/* Closes the file and checks that nothing is left behind. */
void rig_end(void);

/* ISOAV_IOCTL_STREAM_START and _STOP. */
NTSTATUS rig_start(isoav_start start);
void rig_stop(NTSTATUS expected);

/* What rig_begin_started asks for. */
isoav_start rig_small_start(void);

isoav_stats rig_stats(void);

/* The URB of an IRP on the bus. */
PURB rig_urb(PIRP irp);

/* The oldest URB on the bus ends, at DISPATCH_LEVEL as on Windows. */
void rig_complete(void);
void rig_complete_as(USBD_STATUS urb_status, NTSTATUS status,
                     USBD_STATUS packet_status);
void rig_cancel_all(void);

/* Only those of a pipe, by the endpoint's address. */
void rig_cancel_pipe(UCHAR address);

/* ReadFile number i. */
void rig_start_read(unsigned i, ULONG length);

/* Its record at byte `at`. */
isoav_record rig_record(unsigned i, ULONG_PTR at);

/* WriteFile number i, of what its data has. */
void rig_start_write(unsigned i, ULONG length);

/*
 * Appends a record of `length` bytes, all `fill`, to the data of transfer i at
 * byte `at`; returns where it ends.
 */
ULONG rig_put_record(unsigned i, ULONG at, ULONG length, UCHAR fill);

/* It ended well, with records first..first+count-1 and nothing else. */
void rig_check_read(unsigned i, uint64_t first, unsigned count);

/* It ended with this status and no data. */
void rig_check_ended(unsigned i, NTSTATUS status);

#endif
