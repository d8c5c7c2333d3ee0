/*
 * lipsync VIDEO AUDIO RATE BEGAN: how far sound and picture are apart, as a
 * program in the guest sees them. VIDEO is what v4lread printed, AUDIO 16-bit
 * stereo samples, RATE their rate, BEGAN when the first of them was recorded,
 * in microseconds of the clock that VIDEO has.
 *
 * Once a second the camera's picture is white for a frame, and the headset's
 * tone beeps. Both are found in what was recorded: a frame is a flash when it
 * is as bright as white, a beep begins where the left channel becomes loud
 * after it was quiet.
 *
 * Prints each pair. Exit status 1 when one is a video frame apart or more, or
 * when there are fewer than three.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    EVENTS_MAX = 1000,
    FRAME_US = 33333,
    PAIRS_MIN = 3,
    WHITE = 150,    /* a flash has 182, the test picture itself 96 */
    LOUD = 0x2000,  /* a beep has twice as much, the tone a quarter */
    QUIET_MS = 100, /* for so long before a beep */
};

typedef struct {
    int64_t us[EVENTS_MAX];
    unsigned count;
} events;

static void add(events *e, int64_t us)
{
    if (e->count < EVENTS_MAX) {
        e->us[e->count++] = us;
    }
}

static events find_flashes(FILE *video)
{
    events found = { .count = 0 };
    int64_t us;
    unsigned luma;

    while (fscanf(video, "%*u %*u %*x %" SCNd64 " %*u %u", &us, &luma) == 2) {
        if (luma >= WHITE) {
            add(&found, us);
        }
    }
    return found;
}

static events find_beeps(FILE *audio, unsigned rate, int64_t began_us)
{
    events found = { .count = 0 };
    int16_t frame[2];
    uint64_t quiet = 0;

    for (uint64_t i = 0; fread(frame, sizeof(frame), 1, audio) == 1; i++) {
        if (abs(frame[0]) < LOUD) {
            quiet++;
            continue;
        }
        if (quiet > (uint64_t)rate * QUIET_MS / 1000) {
            add(&found, began_us + (int64_t)(i * 1000000 / rate));
        }
        quiet = 0;
    }
    return found;
}

/* The beep next to a flash; false: none within half a second. */
static bool pair(const events *beeps, int64_t flash_us, int64_t *apart_us)
{
    bool found = false;

    for (unsigned i = 0; i < beeps->count; i++) {
        int64_t apart = beeps->us[i] - flash_us;

        if (llabs(apart) < 500000 &&
            (!found || llabs(apart) < llabs(*apart_us))) {
            *apart_us = apart;
            found = true;
        }
    }
    return found;
}

static FILE *open_file(const char *name)
{
    FILE *file = fopen(name, "rb");

    if (!file) {
        perror(name);
        exit(2);
    }
    return file;
}

int main(int argc, char **argv)
{
    events flashes, beeps;
    unsigned pairs = 0;
    bool apart = false;

    if (argc != 5 || !atoi(argv[3])) {
        fputs("usage: lipsync VIDEO AUDIO RATE BEGAN\n", stderr);
        return 2;
    }
    flashes = find_flashes(open_file(argv[1]));
    beeps = find_beeps(open_file(argv[2]), atoi(argv[3]), atoll(argv[4]));
    for (unsigned i = 0; i < flashes.count; i++) {
        int64_t by_us = 0;

        if (pair(&beeps, flashes.us[i], &by_us)) {
            printf("flash at %" PRId64 " us, beep %+" PRId64 " us\n",
                   flashes.us[i], by_us);
            apart = apart || llabs(by_us) >= FRAME_US;
            pairs++;
        }
    }
    if (pairs < PAIRS_MIN) {
        printf("%u flashes, %u beeps, %u pairs\n", flashes.count, beeps.count,
               pairs);
    }
    return apart || pairs < PAIRS_MIN;
}
