/*
 * Faults of the schedule: an ESIT that passes its TD by.
 *
 * An occurrence is a TD whose ESIT has come. A TD that waits for its frame is
 * none, however often it is looked at, and neither is one that was missed
 * without our help.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static void note_code(fault_engine *e, const fault_rule *rule,
                      const fault_site *site, unsigned cc)
{
    fault_done done = { .has_code = true, .code = cc };

    fault_note(e, rule, site, &done);
}

static bool is_dry(const fault_rule *rule)
{
    return rule->action == FAULT_COMPLETE &&
           rule->params[0] != CC_MISSED_SERVICE;
}

/* The rule that has this ESIT, an earlier one's or a new one's. */
static fault_rule *rule_of(fault_engine *e, ixhci_ep *ep, fault_site *site,
                           uint64_t uf)
{
    fault_ep *fe = fault_ep_get(e, ep, false);
    fault_rule *rule;

    if (fe && fe->misses && uf < fe->misses_until_uf) {
        return fe->misses;
    }
    rule = fault_fire(e, site);
    if (rule && !is_dry(rule)) {
        uint64_t esits = rule->action == FAULT_MISS ? rule->params[0] : 1;

        fe = fault_ep_get(e, ep, true);
        fe->misses = rule;
        fe->misses_until_uf = uf + (esits << ep->flow.interval);
    }
    return rule;
}

static ixhci_due schedule_place(IxhciState *x, const ixhci_ep *ep,
                                const ixhci_td_time *td, uint64_t now_uf,
                                uint64_t *due_uf)
{
    fault_engine *e = fault_engine_of(x);
    ixhci_due due = e->inner.sched->place(x, ep, td, now_uf, due_uf);
    fault_rule *rule;
    fault_site site;

    if (due != IXHCI_DUE_AT || *due_uf > now_uf || !e->plan) {
        return due;
    }
    fault_site_of_ep(&site, FAULT_SCHEDULE, ep);
    rule = rule_of(e, (ixhci_ep *)ep, &site, *due_uf);
    if (!rule) {
        return due;
    }
    if (is_dry(rule)) {
        note_code(e, rule, &site, rule->params[0]);
        return IXHCI_DUE_DRY;
    }
    note_code(e, rule, &site, CC_MISSED_SERVICE);
    *due_uf += UINT64_C(1) << ep->flow.interval;
    return IXHCI_DUE_MISSED;
}

const ixhci_sched_ops fault_schedule_ops = {
    .place = schedule_place,
};
