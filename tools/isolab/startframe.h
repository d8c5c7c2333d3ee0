/*
 * What StartFrame says of a stream: a hole that no packet tells of.
 *
 * The port driver writes the frame in which an ASAP URB began into its
 * StartFrame. The URBs of a stream that is never out of them follow one another
 * without a gap, so that each begins as many frames behind the one before as
 * its packets take. One that begins later was preceded by frames in which the
 * bus was the device's and nobody listened.
 *
 *  1. What is usual is what most URBs of a selection do; of two as frequent
 *     ones the smaller.
 *  2. IN only. An OUT stream begins anew whenever its writer had nothing to
 *     say, and that is no error.
 *  3. Behind an URB that failed the jump is part of what became of that one.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_STARTFRAME_H
#define ISOLAB_STARTFRAME_H

#include "observation.h"

/* The row of an URB's first packet. */
typedef struct {
    uint32_t row;
    uint32_t start_frame;
} startframe_urb;

/* urbs: GArray of startframe_urb, in the order of the log. Rows behind a jump
 * get EFFECT_LOST. */
void startframe_mark(witness *w, const GArray *urbs);

#endif
