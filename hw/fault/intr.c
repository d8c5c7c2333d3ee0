/*
 * Faults of interrupts: a message that is lost, late or doubled; of the pin,
 * its rising edge.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static fault_rule *fire(fault_engine *e, unsigned intr)
{
    fault_site site = { .seam = FAULT_INTERRUPT };
    fault_rule *rule;

    fault_site_set(&site, FAULT_INTERRUPTER, intr);
    rule = fault_fire(e, &site);
    if (rule) {
        fault_note(e, rule, &site, NULL);
    }
    return rule;
}

static void intr_signal(IxhciState *x, unsigned intr)
{
    fault_engine *e = fault_engine_of(x);
    fault_rule *rule = fire(e, intr);
    uint64_t w[] = { intr };

    if (rule && rule->action == FAULT_LOSE_INTERRUPT) {
        return;
    }
    if (rule && rule->action == FAULT_DELAY_INTERRUPT &&
        fault_later_add(e, FAULT_LATER_SIGNAL, rule->params[0], w,
                        ARRAY_SIZE(w), NULL)) {
        return;
    }
    e->inner.irq->signal(x, intr);
    if (rule && rule->action == FAULT_DOUBLE_INTERRUPT) {
        e->inner.irq->signal(x, intr);
    }
}

/* A late edge comes if the level still is what it was. */
void fault_intr_level(fault_engine *e, bool level)
{
    if (e->level == level) {
        e->level_lost = false;
        e->inner.irq->level(e->x, level);
    }
}

static void rise(fault_engine *e)
{
    fault_rule *rule = fire(e, 0);
    uint64_t w[] = { true };

    e->level_lost =
        rule && (rule->action == FAULT_LOSE_INTERRUPT ||
                 (rule->action == FAULT_DELAY_INTERRUPT &&
                  fault_later_add(e, FAULT_LATER_LEVEL, rule->params[0], w,
                                  ARRAY_SIZE(w), NULL)));
    if (rule && rule->action == FAULT_DOUBLE_INTERRUPT) {
        e->inner.irq->level(e->x, true);
        e->inner.irq->level(e->x, false);
    }
}

static void intr_level(IxhciState *x, bool level)
{
    fault_engine *e = fault_engine_of(x);
    bool rises = level && !e->level;

    e->level = level;
    if (!level) {
        e->level_lost = false;
    } else if (rises) {
        rise(e);
    }
    if (!e->level_lost) {
        e->inner.irq->level(x, level);
    }
}

const ixhci_intr_ops fault_intr_ops = {
    .signal = intr_signal,
    .level = intr_level,
};
