/*
 * What a unit test sees of the small kernel in host.c, and what it can make
 * happen there: another IRQL, another Windows, memory that runs out, a driver
 * below that answers as the test likes.
 *
 * The kernel checks as it goes: memory that is freed with another tag or
 * twice, spin locks taken twice, waits above PASSIVE_LEVEL, IRPs completed
 * twice fail the test on the spot.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <glib.h>
#include <ntddk.h>
#include <stdbool.h>

/* A device power IRP that the driver has asked for. */
typedef struct {
    PDEVICE_OBJECT pdo;
    UCHAR minor;
    POWER_STATE state;
    REQUEST_POWER_COMPLETE *done;
    PVOID context;
} host_power_request;

typedef struct {
    KIRQL irql;
    ULONG major, minor;   /* of Windows: 6.1 unless changed */
    unsigned allocations; /* live */
    unsigned attempts;    /* of all kinds that fail_after counts */
    SIZE_T last_bytes;    /* of the last allocation */
    POOL_TYPE last_pool;
    ULONG last_tag;
    unsigned fail_after; /* fails allocation number n from now; 0: none */
    bool is_out;         /* fails all of them */
    UCHAR fill;          /* what fresh memory is filled with */
    GString *log;        /* of DbgPrint */
    /* The driver below. NULL: IRPs complete with the status they have. */
    NTSTATUS (*lower)(PIRP irp);
    /* Runs when a wait would block; what it does may end the wait. */
    void (*idle)(void);
    unsigned irps;       /* live, of IoAllocateIrp */
    unsigned completed;  /* IRPs, by IoCompleteRequest */
    unsigned devices;    /* of IoCreateDevice, live */
    unsigned work_items; /* live */
    PIO_WORKITEM work;   /* the one that is queued */
    /* The device interface, and what the driver says of its power. */
    BOOLEAN is_announced;
    NTSTATUS announce_status; /* of the next IoSetDeviceInterfaceState */
    DEVICE_POWER_STATE power;
    host_power_request request; /* of PoRequestPowerIrp; done = NULL: none */
} host_kernel;

extern host_kernel host;

/* Everything as new. Each test begins with it. */
void host_reset(void);

/* Runs the work item that is queued. FALSE: there is none. */
BOOLEAN host_run_work(void);

/* Nothing is left behind, and we are back at PASSIVE_LEVEL. */
void host_check_clean(void);

/* Completes an IRP that the driver below has: its completion routine runs. */
void host_complete_below(PIRP irp, NTSTATUS status);

/* The stack location of the driver below. */
PIO_STACK_LOCATION host_below(PIRP irp);

/* The allocation that host.fail_after is about: it fails. */
BOOLEAN host_fails(void);

#endif
