/*
 * The IRQL of a thread, and the spin locks that raise it.
 *
 * Wine runs drivers in user mode, where there is no IRQL. Here each thread has
 * one: completion routines and DPCs run at DISPATCH_LEVEL, a spin lock raises
 * to it, and CR8, through which 64-bit drivers read and write the IRQL inline,
 * is emulated: in user mode each access faults, and the handler gives the
 * thread's own value. It excludes nobody, though: two threads can be at
 * DISPATCH_LEVEL at once, as two processors can on Windows.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <sched.h>

/*
 * Initial-exec: the other model calls __tls_get_addr(), and gcc 12 forgets in a
 * function with the Windows calling convention that the call changes RSI.
 */
static __thread KIRQL current_irql __attribute__((tls_model("initial-exec")));

KIRQL shim_irql(void)
{
    return current_irql;
}

KIRQL shim_raise_irql(KIRQL irql)
{
    KIRQL before = current_irql;

    if (irql < before) {
        bridge_log("verifier: IRQL raised from %u to %u", before, irql);
    }
    current_irql = irql;
    return before;
}

void shim_lower_irql(KIRQL irql)
{
    if (irql > current_irql) {
        bridge_log("verifier: IRQL lowered from %u to %u", current_irql, irql);
    }
    current_irql = irql;
}

/* The spin locks that the thread holds, the last one at the end. */
#define MAX_HELD 8
static __thread KSPIN_LOCK *held[MAX_HELD]
    __attribute__((tls_model("initial-exec")));
static __thread unsigned held_locks __attribute__((tls_model("initial-exec")));

void shim_check_no_lock(const char *what)
{
    if (held_locks) {
        bridge_log("verifier: %s with %u spin locks held", what, held_locks);
    }
}

static bool is_held(const KSPIN_LOCK *lock)
{
    unsigned i;

    for (i = 0; i < held_locks && held[i] != lock; i++) {
    }
    return i < held_locks;
}

/* Locks: the value 1 is "held", as in Wine, which may hold one as well. */
static void take(KSPIN_LOCK *lock)
{
    if (is_held(lock)) {
        bridge_log("verifier: a spin lock acquired by the thread that holds "
                   "it, which would wait for ever");
        return;
    }
    if (held_locks < MAX_HELD) {
        held[held_locks++] = lock;
    }
    while (__atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
}

static void give(KSPIN_LOCK *lock)
{
    verify_irp_watch();
    if (!is_held(lock)) {
        bridge_log("verifier: a spin lock released by a thread that does not "
                   "hold it");
    } else if (held[--held_locks] != lock) {
        bridge_log("verifier: spin locks released in the order in which they "
                   "were acquired");
    }
    if (!__atomic_exchange_n(lock, 0, __ATOMIC_RELEASE)) {
        bridge_log("verifier: a spin lock released that nobody holds");
    }
}

static KIRQL WINAPI acquire_raise(KSPIN_LOCK *lock)
{
    KIRQL irql;

    irql = shim_raise_irql(DISPATCH_LEVEL);
    take(lock);
    return irql;
}

static void WINAPI acquire_spin_lock(KSPIN_LOCK *lock, KIRQL *irql)
{
    *irql = acquire_raise(lock);
}

static void WINAPI release_spin_lock(KSPIN_LOCK *lock, KIRQL irql)
{
    give(lock);
    shim_lower_irql(irql);
}

static void WINAPI acquire_at_dpc(KSPIN_LOCK *lock)
{
    take(lock);
}

static void WINAPI release_from_dpc(KSPIN_LOCK *lock)
{
    give(lock);
}

static KIRQL WINAPI get_irql(void)
{
    return shim_irql();
}

static KIRQL WINAPI raise_irql(KIRQL irql)
{
    return shim_raise_irql(irql);
}

static void WINAPI lower_irql(KIRQL irql)
{
    shim_lower_irql(irql);
}

static NTSTATUS WINAPI wait_single(void *object, KWAIT_REASON reason,
                                   KPROCESSOR_MODE mode, BOOLEAN alertable,
                                   LARGE_INTEGER *timeout)
{
    /* At DISPATCH_LEVEL only a look at the object's state is allowed. */
    if (!timeout || timeout->QuadPart) {
        shim_check_case("KeWaitForSingleObject:wait");
    }
    if (shim_is_mutex(object)) {
        return shim_mutex_wait(object, timeout);
    }
    return KeWaitForSingleObject(object, reason, mode, alertable, timeout);
}

/* Not for mutexes: no driver here waits for one together with other objects. */
static NTSTATUS WINAPI wait_multiple(ULONG count, void *objects[],
                                     WAIT_TYPE type, KWAIT_REASON reason,
                                     KPROCESSOR_MODE mode, BOOLEAN alertable,
                                     LARGE_INTEGER *timeout,
                                     KWAIT_BLOCK *blocks)
{
    ULONG i;

    if (!timeout || timeout->QuadPart) {
        shim_check_case("KeWaitForMultipleObjects:wait");
    }
    for (i = 0; i < count; i++) {
        if (shim_is_mutex(objects[i])) {
            bridge_log("KeWaitForMultipleObjects does not know mutexes here");
            return STATUS_NOT_IMPLEMENTED;
        }
    }
    return KeWaitForMultipleObjects(count, objects, type, reason, mode,
                                    alertable, timeout, blocks);
}

static LONG WINAPI set_event(KEVENT *event, KPRIORITY increment, BOOLEAN wait)
{
    if (wait) {
        shim_check_case("KeSetEvent:wait");
    }
    return KeSetEvent(event, increment, wait);
}

const ShimImport shim_irql_imports[] = {
    { "KeAcquireSpinLock", acquire_spin_lock },
    { "KeAcquireSpinLockAtDpcLevel", acquire_at_dpc },
    { "KeAcquireSpinLockRaiseToDpc", acquire_raise },
    { "KeGetCurrentIrql", get_irql },
    { "KeReleaseSpinLock", release_spin_lock },
    { "KeReleaseSpinLockFromDpcLevel", release_from_dpc },
    { "KeSetEvent", set_event },
    { "KeWaitForMultipleObjects", wait_multiple },
    { "KeWaitForMutexObject", wait_single },
    { "KeWaitForSingleObject", wait_single },
    { "KeLowerIrql", lower_irql },
    { "KfAcquireSpinLock", acquire_raise },
    { "KfLowerIrql", lower_irql },
    { "KfRaiseIrql", raise_irql },
    { "KfReleaseSpinLock", release_spin_lock },
    { NULL, NULL },
};

/* The register that the low three bits of ModRM and REX.B name. */
static DWORD64 *general_register(CONTEXT *context, unsigned number)
{
    DWORD64 *const registers[16] = {
        &context->Rax, &context->Rcx, &context->Rdx, &context->Rbx,
        &context->Rsp, &context->Rbp, &context->Rsi, &context->Rdi,
        &context->R8,  &context->R9,  &context->R10, &context->R11,
        &context->R12, &context->R13, &context->R14, &context->R15,
    };

    return registers[number];
}

/*
 * MOV r64, CR8 is REX.R 0F 20 /0 and MOV CR8, r64 is REX.R 0F 22 /0 (Intel
 * SDM volume 2, MOV to and from control registers).
 */
static LONG CALLBACK emulate_cr8(EXCEPTION_POINTERS *info)
{
    CONTEXT *context = info->ContextRecord;
    const UCHAR *code = (const UCHAR *)context->Rip;
    DWORD64 *reg;

    if (info->ExceptionRecord->ExceptionCode !=
            (DWORD)EXCEPTION_PRIV_INSTRUCTION ||
        (code[0] & 0xf4) != 0x44 || code[1] != 0x0f ||
        (code[2] != 0x20 && code[2] != 0x22) || (code[3] & 0xf8) != 0xc0) {
        return EXCEPTION_CONTINUE_SEARCH;
    }
    reg = general_register(context, (code[3] & 7) | (code[0] & 1) << 3);
    if (code[2] == 0x20) {
        *reg = current_irql;
    } else {
        current_irql = (KIRQL)*reg;
    }
    context->Rip += 4;
    return EXCEPTION_CONTINUE_EXECUTION;
}

void shim_irql_install(void)
{
    AddVectoredExceptionHandler(TRUE, emulate_cr8);
}
