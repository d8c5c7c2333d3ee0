/*
 * The verifier: holds the driver above to the rules of the Windows kernel, as
 * Driver Verifier does there. It lives in the driver's import table (shim.h)
 * and in its dispatch table, and runs in every guest.
 *
 *   verify.c       reports, and what must be left when the last device goes
 *   verify-pool.c  memory
 *   verify-irp.c   IRPs: dispatch, completion, forwarding
 *   verify-work.c  work items
 *   verify-sweep.c a program's requests, with memory that runs out
 *   verify-send.c  requests that Wine never sends, on demand
 *   verify-control.c  how that is demanded
 *
 * IRQL and spin locks are shim-irql.c's. What is found is a line that begins
 * "usbbridge: verifier: "; nothing is stopped, unless going on would end the
 * kernel.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USBBRIDGE_VERIFY_H
#define USBBRIDGE_VERIFY_H

#include "bridge.h"
#include "shim.h"

typedef struct VerifyCounts {
    ULONG blocks;
    ULONG64 bytes, most_bytes;
} VerifyCounts;

void verify_report(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/*
 * Around a routine of the driver: it returns at its IRQL, with no spin lock and
 * the mutexes that it had.
 */
typedef struct VerifyBalance {
    KIRQL irql;
    unsigned mutexes;
} VerifyBalance;
VerifyBalance verify_balance(void);
void verify_check_balance(const char *what, VerifyBalance before);

/* verify-pool.c */
extern const ShimImport verify_pool_imports[];
void verify_pool_install(void);
/* Allocation number nth from now fails; 0: none does. */
void verify_pool_fail(LONG nth);
/* The same for the calling thread; returns how many were still to come. */
LONG verify_pool_fail_here(LONG nth);
/* Of anything: whether this is the one. bytes = 0: it has no size. */
bool verify_allocation_fails(const char *what, SIZE_T bytes);
VerifyCounts verify_pool_counts(void);
/* Reports what is left. */
void verify_pool_at_end(void);

/* verify-irp.c */
extern const ShimImport verify_irp_imports[];
void verify_irp_install(void);
/* The driver may have set cancel routines: see shim-cancel.c. */
void verify_irp_watch(void);
/* IRPs that the driver has allocated and not freed. */
LONG verify_irp_allocated(void);

/* verify-work.c */
extern const ShimImport verify_work_imports[];
void verify_work_install(void);
LONG verify_work_items(void);
/* Reports what is left. */
void verify_work_at_end(void);

/* verify-sweep.c */
void verify_sweep_set(bool on);
/* True: the request has been made, and irp has the answer; not yet completed.
 */
bool verify_sweep(DEVICE_OBJECT *object, IRP *irp);

/*
 * verify-send.c: carries out an order:
 *
 *   pnp MINOR      query-stop, cancel-stop, stop, start, query-remove,
 *                  cancel-remove, surprise-removal
 *   power STATE    D0, D3: a device power request; S0, S3: a system one
 *   cleanup        IRP_MJ_CLEANUP to each file that is open, which goes on
 *   fail N         verify_pool_fail()
 *   sweep on, off  verify_sweep_set()
 *   counts         log what is allocated
 */
extern const ShimImport verify_send_imports[];
/* IoCallDriver, at this IRQL at least, for an IRP of our own; waited for. */
void verify_call(DEVICE_OBJECT *object, IRP *irp, KIRQL irql);
NTSTATUS verify_obey(const char *order);

/*
 * verify-control.c: takes orders, from the named pipe VERIFY_PIPE, if that is
 * there when the bus starts, a line each, and from programs: input of
 * VERIFY_IOCTL_ORDER is the order, output its NTSTATUS. The log has a line
 * "usbbridge: done: ORDER: STATUS" for each.
 */
#define VERIFY_PIPE "/tmp/usbbridge"
#define VERIFY_IOCTL_ORDER 0x222400 /* METHOD_BUFFERED, any access */
void verify_control_install(DRIVER_OBJECT *driver);
void verify_control_start(void);
NTSTATUS WINAPI verify_control_dispatch(DEVICE_OBJECT *object, IRP *irp);
/* A pipe is being aborted: an order may wait for that. */
void verify_at_abort(void);

#endif
