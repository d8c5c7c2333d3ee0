/*
 * The closed loop: what was injected, put beside what was seen.
 *
 *  1. Each fault has one outcome: seen as it may be, rightly unnoticed, or a
 *     finding: not noticed though it must be, or noticed as something else.
 *  2. Each bad observation has a cause, or is a finding too. One that the
 *     driver's side asked for (a packet that it took back) needs none, but can
 *     be the consequence of a fault.
 *  3. A fault of a packet is matched by endpoint and ordinal. Ordinals begin
 *     anew with each selection: in a capture of the bus, whose time is that of
 *     the faults, time decides; otherwise selections are taken in the order of
 *     the fault log, and one in which the packet was seen as the fault allows
 *     is preferred.
 *  4. Other faults (a port, an interrupt) explain what is allowed of them from
 *     the place of the last fault before them that has one.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_JOIN_H
#define ISOLAB_JOIN_H

#include "expect.h"
#include "observation.h"

typedef enum {
    JOIN_SEEN,       /* as it may be */
    JOIN_UNNOTICED,  /* and that is all right */
    JOIN_UNRECORDED, /* the log does not reach there */
    JOIN_MISSING,    /* finding: not noticed */
    JOIN_WRONG,      /* finding: noticed as something else */
    JOIN_OUTCOMES,
} join_outcome;

typedef struct {
    join_outcome outcome;
    int64_t row;       /* of the witness, the first that shows it; -1 */
    uint32_t rows;     /* that it explains */
    uint32_t effects;  /* of those */
    uint32_t others;   /* faults that the first row may be of as well: lines of
                          a kernel say what, and not of which */
    int64_t recovered; /* packets from the first bad to the next good one; 0:
                          nothing was bad; -1: none came */
} join_seen;

/* Bad rows that have no cause: `rows` of one kind, one after another. */
typedef struct {
    uint32_t row, rows;
} join_orphan;

typedef struct {
    GArray *seen;    /* join_seen, one a fault */
    GArray *orphans; /* join_orphan */
    unsigned outcome[JOIN_OUTCOMES];
    unsigned orphan_rows;
} join;

/* faults: GArray of fault, in the order of the log. */
join *join_new(const GArray *faults, const witness *w);
void join_free(join *j);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(join, join_free)

static inline const join_seen *join_at(const join *j, unsigned fault_index)
{
    return &g_array_index(j->seen, join_seen, fault_index);
}

/* "seen", "unnoticed", ... and the same as a sentence for people. */
const char *join_outcome_name(join_outcome outcome);
const char *join_outcome_text(join_outcome outcome);

/* Findings: rule 1 and rule 2. Strict: what was not recorded is one, too. */
unsigned join_findings(const join *j, bool strict);

#endif
