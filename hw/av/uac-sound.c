/*
 * The sound of the headset.
 *
 *  1. Everything here is arithmetic with integers: the same samples on each
 *     machine, to the bit. A volume of 0 dB changes nothing.
 *  2. The sine is Bhaskara's, whose error is below 0.2 %; a person hears a
 * sine, a program compares with the same function.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uac-sound.h"

enum {
    HALF_TURN = 1 << 15,
    LOUD = 1 << 22, /* of 2^23: -6 dB */
    QUIET = 1 << 19,
    TONE_HZ = 440,
    BEEP_HZ = 1000,
    BEEPS_PER_S = 20, /* as many beeps would fill a second: 50 ms each */
};

/* phase: 2^16 is a full turn. The result is up to `peak`. */
static int32_t sine(uint32_t phase, int32_t peak)
{
    int64_t x = phase & (HALF_TURN - 1);
    int64_t hump = x * (HALF_TURN - x);
    int64_t value =
        16 * hump * peak / (5 * ((int64_t)HALF_TURN * HALF_TURN) - 4 * hump);

    return phase & HALF_TURN ? -value : value;
}

isoav_uac_frame isoav_uac_tone(uint64_t index, uint32_t rate, unsigned bits)
{
    uint64_t within = index % rate;
    bool beeps = within < rate / BEEPS_PER_S;
    uint32_t phase = within * (beeps ? BEEP_HZ : TONE_HZ) * 65536 / rate;
    uint32_t number = (uint32_t)(index & ((UINT64_C(1) << bits) - 1))
                      << (24 - bits);

    return (isoav_uac_frame){ { sine(phase, beeps ? LOUD : QUIET),
                                (int32_t)(number ^ 0x800000) - 0x800000 } };
}

/*
 * 10^(dB/20) as Q16, dB in units of 1/256: halves of a decibel from a table of
 * twelve (a factor of two is 6.0206 dB; the table repeats after 6 dB, and so is
 * 0.2 dB too loud at -60 dB).
 */
uint32_t isoav_uac_gain(int16_t volume, bool mute)
{
    static const uint32_t down[12] = {
        65536, 61870, 58409, 55142, 52057, 49145,
        46396, 43801, 41350, 39037, 36854, 34792
    };
    unsigned halves;

    if (mute || volume == INT16_MIN) {
        return 0;
    }
    if (volume >= 0) {
        return 65536;
    }
    halves = -(volume - ISOAV_UAC_VOLUME_RES / 2) / ISOAV_UAC_VOLUME_RES;
    return down[halves % 12] >> halves / 12;
}

int32_t isoav_uac_amplify(int32_t sample, uint32_t gain)
{
    return gain == 65536 ? sample : (int64_t)sample * gain / 65536;
}

void isoav_uac_put(uint8_t *wire, unsigned alternate, isoav_uac_frame frame)
{
    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        if (alternate == 2) {
            *wire++ = frame.at[i];
        }
        *wire++ = frame.at[i] >> 8;
        *wire++ = frame.at[i] >> 16;
    }
}

isoav_uac_frame isoav_uac_get(const uint8_t *wire, unsigned alternate)
{
    isoav_uac_frame frame;

    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        uint32_t value = 0;

        if (alternate == 2) {
            value = *wire++;
        }
        value |= *wire++ << 8;
        value |= (uint32_t)*wire++ << 16;
        frame.at[i] = (int32_t)(value ^ 0x800000) - 0x800000;
    }
    return frame;
}
