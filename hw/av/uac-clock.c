/*
 * The clocks of the headset.
 *
 *  1. Time is counted in microframes of 125 us, samples from the stream's own
 *     beginning. No state: two calls with the same time agree, so that
 *     nothing is lost or doubled however late a packet is.
 *  2. The feedback is the nominal rate, corrected by a proportional part, which
 *     brings the level back within seconds, and an integral part, which learns
 *     how far off the consumer's clock is.
 *  3. It never leaves the nominal rate by more than one sample a millisecond,
 *     which is all that a packet has room for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uac-clock.h"

enum {
    UF_PER_S = 8000,
    LEVELS = 1024,   /* of an average: about a second */
    TRIM_PER_S = 64, /* of 256: a quarter of what the level is off */
    DRIFT_PER_S = 8, /* of 256 */
    OFF_MAX = 1000 * 256,
};

uint64_t isoav_uac_samples(uint64_t uf, uint32_t rate)
{
    return uf / UF_PER_S * rate +
           (uf % UF_PER_S * rate + UF_PER_S - 1) / UF_PER_S;
}

void isoav_uac_loop_start(isoav_uac_loop *l, uint32_t rate)
{
    *l = (isoav_uac_loop){ .rate = rate };
}

void isoav_uac_loop_settle(isoav_uac_loop *l)
{
    l->target = 0;
    l->is_settled = false;
    l->level_sum = 0;
    l->level_count = 0;
    l->trim = 0;
}

static int32_t clamp(int64_t value)
{
    return value > OFF_MAX ? OFF_MAX : value < -OFF_MAX ? -OFF_MAX : value;
}

/* Rule 2. */
void isoav_uac_loop_level(isoav_uac_loop *l, uint32_t now)
{
    int64_t off, level;

    l->level_sum += now;
    if (++l->level_count < LEVELS) {
        return;
    }
    level = l->level_sum / LEVELS;
    l->level_sum = 0;
    l->level_count = 0;
    if (!l->is_settled) {
        l->is_settled = true;
        return;
    }
    if (l->target == 0) {
        l->target = level > 0 ? level : 1;
    }
    off = (int64_t)l->target - level;
    l->drift = clamp(l->drift + off * DRIFT_PER_S);
    l->trim = clamp(off * TRIM_PER_S);
}

uint32_t isoav_uac_feedback(const isoav_uac_loop *l, bool full_speed)
{
    /* rule 3; 1/256 Hz */
    uint64_t rate =
        (uint64_t)l->rate * 256 + clamp((int64_t)l->drift + l->trim);

    if (full_speed) {
        return ((rate << 14) / 1000 + 128) / 256;
    }
    return ((rate << 16) / UF_PER_S + 128) / 256;
}
