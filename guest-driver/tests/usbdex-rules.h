/*
 * The rules of usbdex's routines, one case each: what include/usbdex.h says
 * after Microsoft's documentation. The same cases run on two kernels, on the
 * small one in host/ by test-usbdex.c, and on Wine's, as part of a driver, by
 * tests/guest/urbtest/usbdex-cases.c. docs/usbdex.md has a row for each.
 *
 * The kernels differ in what a test can do to them and see of them; the
 * functions below are each kernel's own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef USBDEX_RULES_H
#define USBDEX_RULES_H

#include <ntddk.h>
#include <usb.h>
#include <usbdlib.h>

#include "usbdex.h"

#define RULE_TAG 0x656c7552u /* "Rule" */

/* The device that the cases are about; its bus says "high speed". */
typedef struct _RULE_STAGE {
    PDEVICE_OBJECT Self;
    PDEVICE_OBJECT Target;
} RULE_STAGE;

typedef struct _USBDEX_RULE {
    const char *Name; /* "/usbdex/routine/rule" */
    VOID (*Run)(const RULE_STAGE *Stage, ULONG Argument);
    ULONG Argument;
} USBDEX_RULE;

/* Each ends with a NULL name. A case leaves nothing behind. */
extern const USBDEX_RULE UsbdexUrbRules[];
extern const USBDEX_RULE UsbdexSelectRules[];

/* A handle for the stage's device; NULL, and a check that failed. */
USBD_HANDLE RuleOpen(const RULE_STAGE *Stage);

/* --- of each kernel ------------------------------------------------------- */

/* What: in the words of the source. */
VOID RuleCheck(BOOLEAN Holds, const char *What, ULONG Got, ULONG Wanted);
/* The next allocation of pool fails. */
VOID RuleFailAllocation(VOID);
/* Blocks of pool that are allocated. */
ULONG RuleBlocks(VOID);
/* The last line of DbgPrint has this text. It is then forgotten. */
BOOLEAN RuleSaid(const char *Text);

#define RULE(condition) RuleCheck((condition) != 0, #condition, 0, 0)
#define RULE_IS(value, wanted) \
    RuleCheck((value) == (wanted), #value, (ULONG)(value), (ULONG)(wanted))
/* Evaluates the call once. */
#define RULE_STATUS(call, wanted)                                            \
    do {                                                                     \
        NTSTATUS status_ = (call);                                           \
        RuleCheck(status_ == (wanted), #call " is " #wanted, (ULONG)status_, \
                  (ULONG)(wanted));                                          \
    } while (0)

#endif
