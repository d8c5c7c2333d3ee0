/*
 * soundcheck: holds what a guest has recorded to the headset's test tone.
 *
 *   soundcheck RATE BITS FRAMES <recording
 *
 * Each sample is compared. Where the recording begins in stream time its right
 * channel says, but for the bits that it has no room for: what is left to try
 * is a start in each of so many turns.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/av/uac-sound.h"

enum { TURNS = 4096, PROBE = 2000 };

static bool is_at(const uint8_t *wire, size_t count, uint64_t index,
                  uint32_t rate, unsigned bits, size_t *wrong)
{
    unsigned alternate = bits == 24 ? 2 : 1;

    for (size_t i = 0; i < count; i++) {
        uint8_t ideal[ISOAV_UAC_FRAME_BYTES(2)];

        isoav_uac_put(ideal, alternate, isoav_uac_tone(index + i, rate, bits));
        if (memcmp(wire + i * ISOAV_UAC_FRAME_BYTES(alternate), ideal,
                   ISOAV_UAC_FRAME_BYTES(alternate)) != 0) {
            *wrong = i;
            return false;
        }
    }
    return true;
}

static int check(const uint8_t *wire, size_t frames, uint32_t rate,
                 unsigned bits)
{
    unsigned alternate = bits == 24 ? 2 : 1;
    size_t wrong = 0, probe = frames < PROBE ? frames : PROBE;
    uint32_t first =
        ((uint32_t)isoav_uac_get(wire, alternate).at[1] & 0xffffff) >>
        (24 - bits);

    for (uint64_t turn = 0; turn < TURNS; turn++) {
        uint64_t index = first + (turn << bits);

        if (!is_at(wire, probe, index, rate, bits, &wrong)) {
            continue;
        }
        if (!is_at(wire, frames, index, rate, bits, &wrong)) {
            printf("frame %zu of %zu is not that of the tone\n", wrong, frames);
            return 1;
        }
        printf("%zu frames from sample %llu on\n", frames,
               (unsigned long long)index);
        return 0;
    }
    printf("frame %zu of the beginning is not that of the tone\n", wrong);
    return 1;
}

int main(int argc, char **argv)
{
    uint32_t rate = argc == 4 ? strtoul(argv[1], NULL, 10) : 0;
    unsigned bits = argc == 4 ? strtoul(argv[2], NULL, 10) : 0;
    size_t frames = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    size_t frame_bytes = ISOAV_UAC_FRAME_BYTES(bits == 24 ? 2 : 1), got;
    uint8_t *wire;
    int status;

    if (!rate || (bits != 16 && bits != 24) || !frames || frames > 1000000000) {
        fputs("usage: soundcheck RATE 16|24 FRAMES <recording\n", stderr);
        return 2;
    }
    wire = malloc((frames + 1) * frame_bytes);
    if (!wire) {
        fputs("soundcheck: no memory for a recording of that size\n", stderr);
        return 2;
    }
    got = fread(wire, frame_bytes, frames + 1, stdin);
    if (got != frames) {
        printf("there are %s than %zu frames\n", got < frames ? "less" : "more",
               frames);
        free(wire);
        return 1;
    }
    status = check(wire, frames, rate, bits);
    free(wire);
    return status;
}
