/*
 * Samples: the test tone, volume, and the forms that samples have on the bus
 * and in QEMU's audio.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_SOUND_H
#define ISOLAB_AV_UAC_SOUND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/av/uac.h"

/* A sample of each channel, 24 bits, left first. */
typedef struct {
    int32_t at[ISOAV_UAC_CHANNELS];
} isoav_uac_frame;

/*
 * Sample `index` of stream time (av.h) at `rate` Hz. Left: a quiet 440 Hz, and
 * in the first 50 ms of each second a loud 1 kHz. Right: the number of the
 * sample, its low `bits` bits, so that a loss shows wherever it is.
 */
isoav_uac_frame isoav_uac_tone(uint64_t index, uint32_t rate, unsigned bits);

/* What a channel's volume and the mute do to it; 65536: nothing. */
uint32_t isoav_uac_gain(int16_t volume, bool mute);
int32_t isoav_uac_amplify(int32_t sample, uint32_t gain);

/* A frame as it is on the bus, ISOAV_UAC_FRAME_BYTES. Little-endian; what 16
 * bits have no room for is cut off. */
void isoav_uac_put(uint8_t *wire, unsigned alternate, isoav_uac_frame frame);
isoav_uac_frame isoav_uac_get(const uint8_t *wire, unsigned alternate);

#endif
