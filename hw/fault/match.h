/*
 * Does a rule fire? Pure: an occurrence at a seam goes in, the rule that fires
 * comes out, and the plan's counters, state and generators move on. The order
 * of the questions is that of plan.h, rules 2 to 5.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_MATCH_H
#define FAULT_MATCH_H

#include "plan.h"

/* An occurrence. */
typedef struct {
    fault_seam seam;
    uint32_t has; /* bits: keys */
    uint64_t value[FAULT_KEYS];
    uint64_t allowed; /* actions that can be here; 0: all */
    uint64_t trb_gpa; /* for the log; 0: none */
} fault_site;

void fault_site_set(fault_site *site, fault_key key, uint64_t value);

/* The rule that fires, or NULL. */
fault_rule *fault_match(fault_plan *plan, const fault_site *site);

/* Sets the generators of all rules to their beginning. */
void fault_match_seed(fault_plan *plan);

/* May it fire once more, as far as counting goes? */
bool fault_match_is_spent(const fault_rule *rule);

#endif
