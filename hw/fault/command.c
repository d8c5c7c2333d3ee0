/*
 * Faults of commands: refused with any code, late, or never done. The command
 * ring waits meanwhile, and CS and CA find it so (command.c of the core).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static void site_of(fault_site *site, const IxhciState *x,
                    const ixhci_command *c)
{
    unsigned slot_id = xhci_get(c->trb.dw[3], TRB_SLOT_ID);
    unsigned type = xhci_get(c->trb.dw[3], TRB_TYPE);

    *site = (fault_site){ .seam = FAULT_COMMAND, .trb_gpa = x->command_gpa };
    fault_site_set(site, FAULT_COMMAND_ID, type);
    if (slot_id && type != CMD_FORCE_HEADER) {
        fault_site_set(site, FAULT_SLOT, slot_id);
    }
}

static unsigned refuse(fault_engine *e, fault_rule *rule,
                       const fault_site *site, ixhci_command *c)
{
    fault_done done = { .has_code = true, .code = rule->params[0] };

    fault_note(e, rule, site, &done);
    if (FAULT_HAS(site->has, FAULT_SLOT)) {
        c->slot_id = site->value[FAULT_SLOT];
    }
    return rule->params[0];
}

static unsigned command_run(IxhciState *x, ixhci_command *c)
{
    fault_engine *e = fault_engine_of(x);
    uint64_t w[] = { x->command_serial };
    fault_rule *rule;
    fault_site site;

    site_of(&site, x, c);
    rule = fault_fire(e, &site);
    if (rule && rule->action == FAULT_COMMAND_CODE) {
        return refuse(e, rule, &site, c);
    }
    if (rule) {
        fault_note(e, rule, &site, NULL);
    }
    if (rule && (rule->action == FAULT_COMMAND_HANG ||
                 fault_later_add(e, FAULT_LATER_COMMAND, rule->params[0], w,
                                 ARRAY_SIZE(w), NULL))) {
        return CC_INVALID;
    }
    return e->inner.commands->run(x, c);
}

const ixhci_command_ops fault_command_ops = {
    .run = command_run,
};

/* Unless it was aborted. */
void fault_command_finish(fault_engine *e, uint32_t serial)
{
    IxhciState *x = e->x;

    if (x->command_runs && x->command_serial == serial) {
        ixhci_command_end(x, e->inner.commands->run(x, &x->command));
    }
}
