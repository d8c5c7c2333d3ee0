/*
 * usbdex on Wine's kernel: the rules that test-usbdex.c has on the small one
 * (guest-driver/tests/usbdex-rules.h), a case each. The verifier lets
 * allocations fail, counts them, fills and guards them, and knows what was said
 * (bridge/shim-print.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "usbdex-rules.h"

#include "urbtest.h"

static BOOLEAN is_kept;

VOID RuleCheck(BOOLEAN Holds, const char *What, ULONG Got, ULONG Wanted)
{
    if (!Holds) {
        is_kept = FALSE;
        DbgPrint("urbtest: # %s: %08x, wanted %08x\n", What, Got, Wanted);
    }
}

VOID RuleFailAllocation(VOID)
{
    DbgPrint("verifier: fail 1");
}

ULONG RuleBlocks(VOID)
{
    return DbgPrint("verifier: blocks");
}

BOOLEAN RuleSaid(const char *Text)
{
    return DbgPrint("verifier: said %s", Text) != 0;
}

static void run_rules(const RULE_STAGE *stage, const USBDEX_RULE *rules)
{
    for (; rules->Name; rules++) {
        ULONG blocks = RuleBlocks();

        is_kept = TRUE;
        RuleSaid(""); /* whatever that was */
        rules->Run(stage, rules->Argument);
        RuleCheck(!RuleSaid("usbdex: "), "nothing is said at the end", 0, 0);
        RULE_IS(RuleBlocks(), blocks);
        RULE_IS(KeGetCurrentIrql(), PASSIVE_LEVEL);
        check(is_kept, rules->Name, 0, 0);
    }
}

void usbdex_cases(Device *device, PDEVICE_OBJECT object)
{
    const RULE_STAGE stage = { object, device->lower };

    check(RuleBlocks() != 0, "the verifier counts blocks of pool", 0, 1);
    run_rules(&stage, UsbdexUrbRules);
    run_rules(&stage, UsbdexSelectRules);
}
