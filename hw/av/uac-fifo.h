/*
 * A queue of samples between the bus and a sound card.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_FIFO_H
#define ISOLAB_AV_UAC_FIFO_H

#include "hw/av/uac-sound.h"

enum { ISOAV_UAC_FIFO_FRAMES = 8192 }; /* 85 ms at 96 kHz */

/* Zeros: empty. */
typedef struct {
    uint32_t first; /* place of the oldest frame */
    uint32_t level; /* frames in the queue */
    int32_t samples[ISOAV_UAC_FIFO_FRAMES * ISOAV_UAC_CHANNELS];
} isoav_uac_fifo;

void isoav_uac_fifo_clear(isoav_uac_fifo *f);

/* False: the queue is full, or empty. */
bool isoav_uac_fifo_push(isoav_uac_fifo *f, isoav_uac_frame frame);
bool isoav_uac_fifo_pop(isoav_uac_fifo *f, isoav_uac_frame *frame);

/* Takes out up to `frames`; how many there were. */
uint32_t isoav_uac_fifo_drop(isoav_uac_fifo *f, uint64_t frames);

/* Can this have come from the calls above? For migrated state. */
bool isoav_uac_fifo_is_sane(const isoav_uac_fifo *f);

#endif
