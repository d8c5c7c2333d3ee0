/*
 * The log of what fired: JSON lines, oldest first, and so many of them. A line
 * has its keys in the order of docs/fault-plans.md, so that two logs of the
 * same run are the same bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef FAULT_LOG_H
#define FAULT_LOG_H

#include "match.h"

#define FAULT_LOG_MAX 65536 /* lines */

typedef struct {
    GQueue lines;     /* char *, without newline */
    uint64_t dropped; /* older ones that had no room */
} fault_log;

/* What was done, besides what the occurrence says. */
typedef struct {
    bool has_code, has_bytes, has_value;
    uint8_t code;
    uint32_t bytes;
    uint32_t value; /* of a register */
} fault_done;

void fault_log_init(fault_log *log);
void fault_log_clear(fault_log *log);
void fault_log_add(fault_log *log, char *line); /* takes it */
char *fault_log_text(const fault_log *log);

/* A line for a rule that fired at microframe uf of the virtual clock. */
char *fault_log_line(const fault_plan *plan, const fault_rule *rule,
                     const fault_site *site, uint64_t uf,
                     const fault_done *done);

#endif
