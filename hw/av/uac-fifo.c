/*
 * A queue of samples: a ring of frames.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uac-fifo.h"

#include <string.h>

void isoav_uac_fifo_clear(isoav_uac_fifo *f)
{
    f->first = f->level = 0;
}

bool isoav_uac_fifo_push(isoav_uac_fifo *f, isoav_uac_frame frame)
{
    uint32_t at = (f->first + f->level) % ISOAV_UAC_FIFO_FRAMES;

    if (f->level == ISOAV_UAC_FIFO_FRAMES) {
        return false;
    }
    memcpy(&f->samples[at * ISOAV_UAC_CHANNELS], frame.at, sizeof(frame.at));
    f->level++;
    return true;
}

bool isoav_uac_fifo_pop(isoav_uac_fifo *f, isoav_uac_frame *frame)
{
    if (f->level == 0) {
        return false;
    }
    memcpy(frame->at, &f->samples[f->first * ISOAV_UAC_CHANNELS],
           sizeof(frame->at));
    isoav_uac_fifo_drop(f, 1);
    return true;
}

uint32_t isoav_uac_fifo_drop(isoav_uac_fifo *f, uint64_t frames)
{
    uint32_t dropped = frames < f->level ? frames : f->level;

    f->first = (f->first + dropped) % ISOAV_UAC_FIFO_FRAMES;
    f->level -= dropped;
    return dropped;
}

bool isoav_uac_fifo_is_sane(const isoav_uac_fifo *f)
{
    return f->first < ISOAV_UAC_FIFO_FRAMES &&
           f->level <= ISOAV_UAC_FIFO_FRAMES;
}
