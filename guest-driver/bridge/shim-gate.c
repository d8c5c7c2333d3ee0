/*
 * The gate before each routine of the kernel: is the caller's IRQL one at which
 * Windows has the routine called? What is allowed is not said here but in
 * driver/imports.txt, with the page of Microsoft's reference that says so; the
 * build makes facts.inc of it.
 *
 * A driver's import of a routine that has a row there points at a stub of its
 * own. A stub names its gate, which has the row and the routine that is meant:
 * the shim's, or Wine's where the shim has none. What the row allows at some
 * calls only, such as a paged allocation, is a row of its own ("Routine:case"),
 * for which the shim's routine asks by shim_check_case().
 *
 * IoReleaseCancelSpinLock has no gate: shim-cancel.c, which knows whether Wine
 * has called a cancel routine by itself and at PASSIVE_LEVEL, judges it by its
 * row.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

typedef struct ShimFact {
    const char *name;
    KIRQL least, most;
} ShimFact;

/* Sorted by name. */
static const ShimFact facts[] = {
#include "facts.inc"
};

/* Routines that do what one with a row does. */
static const struct {
    const char *name, *judged_as;
} aliases[] = {
    { "ExAllocatePool", "ExAllocatePoolWithTag" },
    { "ExFreePool", "ExFreePoolWithTag" },
    { "KeAcquireSpinLock", "KeAcquireSpinLockRaiseToDpc" },
    { "KeWaitForMutexObject", "KeWaitForSingleObject" },
    { "KfAcquireSpinLock", "KeAcquireSpinLockRaiseToDpc" },
    { "KfReleaseSpinLock", "KeReleaseSpinLock" },
    { "MmMapLockedPages", "MmMapLockedPagesSpecifyCache" },
};

/* Gate n belongs to stub n; the stubs know that a gate has 16 bytes. */
#define GATES 128
#define TEXT_OF(number) #number
#define DECIMAL(macro) TEXT_OF(macro)
typedef struct Gate {
    const ShimFact *fact;
    void *routine;
} Gate;
C_ASSERT(sizeof(Gate) == 16);
static Gate gates[GATES] __attribute__((used));
static unsigned used_gates;

/*
 * A stub leaves its gate's address in R10, which no caller counts on (Windows'
 * x64 calling convention: RAX, R10 and R11 are volatile and hold no argument).
 * The arguments are kept; those in XMM registers would not be, and no routine
 * of the kernel takes one there.
 */
__asm__(
    ".text\n"
    "gate_common:\n"
    "    push %rcx\n"
    "    push %rdx\n"
    "    push %r8\n"
    "    push %r9\n"
    "    push %r10\n"
    "    sub $32, %rsp\n" /* the callee's home space; RSP is aligned again */
    "    mov %r10, %rcx\n"
    "    call gate_judge\n"
    "    add $32, %rsp\n"
    "    pop %r10\n"
    "    pop %r9\n"
    "    pop %r8\n"
    "    pop %rdx\n"
    "    pop %rcx\n"
    "    jmp *8(%r10)\n"
    "    .balign 16\n"
    "gate_stubs:\n"
    "    .set gate_number, 0\n"
    "    .rept " DECIMAL(GATES) "\n"
                                "    .balign 16\n"
                                "    lea gates + 16 * gate_number(%rip), %r10\n"
                                "    jmp gate_common\n"
                                "    .set gate_number, gate_number + 1\n"
                                "    .endr\n");

extern const UCHAR gate_stubs[] __attribute__((visibility("hidden")));

static void judge(const ShimFact *fact)
{
    const char *colon = strchr(fact->name, ':');
    KIRQL irql = shim_irql();

    if (irql >= fact->least && irql <= fact->most) {
        return;
    }
    if (colon) {
        verify_report("%.*s called at IRQL %u (%s)", (int)(colon - fact->name),
                      fact->name, irql, colon + 1);
    } else {
        verify_report("%s called at IRQL %u", fact->name, irql);
    }
}

static void WINAPI gate_judge(const Gate *gate) __attribute__((used));
static void WINAPI gate_judge(const Gate *gate)
{
    judge(gate->fact);
}

static int compare(const void *name, const void *fact)
{
    return strcmp(name, ((const ShimFact *)fact)->name);
}

static const ShimFact *find_fact(const char *name)
{
    size_t i;

    for (i = 0; i < ARRAYSIZE(aliases); i++) {
        if (!strcmp(name, aliases[i].name)) {
            name = aliases[i].judged_as;
        }
    }
    return bsearch(name, facts, ARRAYSIZE(facts), sizeof(facts[0]), compare);
}

void shim_check_case(const char *routine_and_case)
{
    judge(find_fact(routine_and_case));
}

void *shim_gate(const char *name, void *routine)
{
    const ShimFact *fact = find_fact(name);
    unsigned i;

    if (!fact || !strcmp(name, "IoReleaseCancelSpinLock")) {
        return routine;
    }
    for (i = 0; i < used_gates; i++) {
        if (gates[i].fact == fact && gates[i].routine == routine) {
            break;
        }
    }
    if (i == GATES) {
        bridge_log("no gate left for %s, whose IRQL is not looked at", name);
        return routine;
    }
    if (i == used_gates) {
        gates[used_gates++] = (Gate){ fact, routine };
    }
    return (void *)(gate_stubs + 16 * i);
}
