/*
 * What a fault may lead to: for each action of a fault plan the effects that a
 * driver may report, where, and whether it may have noticed nothing.
 *
 * Windows and Linux do not say the same of one completion code, and Linux
 * stands below isoav.sys when Wine runs it, so a row allows what either says.
 * What a row does not allow is a finding: of the driver, of the controller, or
 * of this table.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_EXPECT_H
#define ISOLAB_EXPECT_H

#include "faultlog.h"
#include "effect.h"

/* How far a fault reaches. */
typedef enum {
    REACH_PACKET,    /* its own packet */
    REACH_FOLLOWING, /* and those that follow it without a good one between */
    REACH_STREAM,    /* its endpoint, until that has gone well for a while */
    REACH_BUS,       /* every endpoint, from then on */
} reach;

typedef struct {
    uint32_t legal; /* mask of effects */
    bool silent;    /* the driver may have noticed nothing */
    reach reach;
} expectation;

/* from_bus: of a witness that sees the bus only, and not events. */
expectation expect_of(const fault *f, bool from_bus);

#endif
