/*
 * Which combinations there can be: a rule that could never fire, or would make
 * a controller do what no controller does, is refused when it is loaded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_CHECK_H
#define FAULT_CHECK_H

#include "plan.h"

/* Settles the rule's seam, too. `node` is the rule's text, for positions. */
bool fault_check_rule(fault_rule *rule, const json_node *node,
                      json_error *error);

/* May a TD of that type and direction end so? For rules that do not say for
 * which endpoint they are. */
bool fault_check_is_legal(const fault_rule *rule, unsigned type,
                          unsigned direction);

#endif
