/*
 * The verifier: holds the driver above to the rules of the Windows kernel, as
 * Driver Verifier does there. It lives in the driver's import table (shim.h)
 * and in its dispatch table, and runs in every guest.
 *
 *   verify.c       reports, and what must be left when the last device goes
 *   verify-pool.c  memory
 *   verify-irp.c   IRPs: dispatch, completion, forwarding
 *   verify-work.c  work items
 *   verify-send.c  requests that Wine never sends, on demand
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
/* Of anything: whether this is the one. bytes = 0: it has no size. */
bool verify_allocation_fails(const char *what, SIZE_T bytes);
VerifyCounts verify_pool_counts(void);
/* Reports what is left. */
void verify_pool_at_end(void);

/* verify-irp.c */
extern const ShimImport verify_irp_imports[];
void verify_irp_install(void);
/* IRPs that the driver has allocated and not freed. */
LONG verify_irp_allocated(void);

/* verify-work.c */
extern const ShimImport verify_work_imports[];
void verify_work_install(void);
LONG verify_work_items(void);
/* Reports what is left. */
void verify_work_at_end(void);

/*
 * verify-send.c: reads commands from the named pipe VERIFY_CONTROL, if that is
 * there when the bus starts, a line each:
 *
 *   pnp MINOR      query-stop, cancel-stop, stop, start, query-remove,
 *                  cancel-remove, surprise-removal
 *   power STATE    D0, D3: a device power request; S0, S3: a system one
 *   cleanup        IRP_MJ_CLEANUP to each file that is open, which goes on
 *   fail N         verify_pool_fail()
 *   counts         log what is allocated
 *
 * Each is answered by a line "usbbridge: done: COMMAND: STATUS" in the log.
 */
#define VERIFY_CONTROL "/tmp/usbbridge"
extern const ShimImport verify_send_imports[];
void verify_send_start(Bus *bus);

#endif
