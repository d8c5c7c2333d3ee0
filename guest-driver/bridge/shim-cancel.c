/*
 * Cancel routines, and the cancel spin lock.
 *
 * Windows calls a cancel routine at DISPATCH_LEVEL with the cancel spin lock
 * held, which the routine releases, to the IRQL in Irp->CancelIrql. Wine holds
 * that lock, too, but knows no IRQL. A driver sets a routine by an exchange in
 * the IRP that nobody sees; so when it gives up a spin lock, and when its
 * dispatch routine returns, the routine of each IRP that it has is put aside
 * and one of the verifier's takes its place (verify-irp.c), which comes here.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

/* Of this thread: it holds the lock; it is in so many cancel routines. */
static __thread bool holds_lock __attribute__((tls_model("initial-exec")));
static __thread unsigned depth __attribute__((tls_model("initial-exec")));

void shim_run_cancel(PDRIVER_CANCEL routine, DEVICE_OBJECT *object, IRP *irp)
{
    const KIRQL before = shim_raise_irql(DISPATCH_LEVEL);

    irp->CancelIrql = before;
    holds_lock = true;
    depth++;
    routine(object, irp);
    depth--;
    if (holds_lock) {
        bridge_log("verifier: a cancel routine returned with the cancel spin "
                   "lock held");
        holds_lock = false;
        IoReleaseCancelSpinLock(before);
        shim_lower_irql(before);
    }
    if (shim_irql() != before) {
        bridge_log("verifier: a cancel routine began at IRQL %u and ended at "
                   "%u",
                   before, shim_irql());
        shim_lower_irql(before);
    }
    shim_check_no_lock("a cancel routine ended");
}

static void WINAPI acquire_cancel_lock(KIRQL *irql)
{
    KIRQL wines;

    IoAcquireCancelSpinLock(&wines);
    *irql = shim_raise_irql(DISPATCH_LEVEL);
    holds_lock = true;
}

/*
 * A routine that Wine has called before it could be put aside does not hold the
 * lock as far as is known here.
 */
static void WINAPI release_cancel_lock(KIRQL irql)
{
    if (!holds_lock && depth) {
        bridge_log("verifier: the cancel spin lock released by a thread that "
                   "does not hold it");
        return;
    }
    if (holds_lock) {
        shim_check_case("IoReleaseCancelSpinLock");
    }
    IoReleaseCancelSpinLock(irql);
    if (holds_lock) {
        holds_lock = false;
        shim_lower_irql(irql);
    }
}

const ShimImport shim_cancel_imports[] = {
    { "IoAcquireCancelSpinLock", acquire_cancel_lock },
    { "IoReleaseCancelSpinLock", release_cancel_lock },
    { NULL, NULL },
};
