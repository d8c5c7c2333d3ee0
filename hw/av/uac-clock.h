/*
 * How many samples a stretch of time has, and what the host is told about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_CLOCK_H
#define ISOLAB_AV_UAC_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Samples of a clock of `rate` Hz that have begun before `uf` microframes have
 * passed. The residue of an uneven rate is in the difference of two calls: at
 * 44.1 kHz a millisecond has 44 samples, and each tenth one 45.
 */
uint64_t isoav_uac_samples(uint64_t uf, uint32_t rate);

/*
 * The loop that keeps the FIFO of the playback at its level (UAC 2.0
 * §3.16.2.1): an average over about a second, so that neither the millisecond
 * of a packet nor the bursts of a sound card show in the feedback. The level to
 * keep is that of the second second: the card has filled its own buffers then.
 */
typedef struct {
    uint32_t rate;   /* nominal, Hz */
    uint32_t target; /* frames; 0: not known yet */
    bool is_settled; /* the first second has passed */
    int64_t level_sum;
    uint32_t level_count;
    int32_t drift; /* what the consumer's clock is off, 1/256 Hz */
    int32_t trim;  /* what brings the level back, 1/256 Hz */
} isoav_uac_loop;

void isoav_uac_loop_start(isoav_uac_loop *l, uint32_t rate);

/* The consumer's buffer is another one: its level is to be learnt anew, what
 * its clock is off is known. */
void isoav_uac_loop_settle(isoav_uac_loop *l);

/* The FIFO's level, in frames, once for each millisecond. */
void isoav_uac_loop_level(isoav_uac_loop *l, uint32_t level);

/*
 * The feedback value Ff: samples for each microframe as Q16.16 at high and
 * SuperSpeed, for each frame as Q10.14 at full speed (USB 2.0 §5.12.4.2).
 */
uint32_t isoav_uac_feedback(const isoav_uac_loop *l, bool full_speed);

#endif
