/*
 * framecheck FORMAT WIDTH HEIGHT RATE FRAMES FILE: holds what v4lread printed
 * to what the camera's source draws: each frame is there, in order, bit for
 * bit, a frame interval after the one before. The number of the first frame is
 * found by trial: a stream begins when the host asks for it.
 *
 * framecheck --recording FORMAT ...: FILE is the frames themselves, one behind
 * the other, as v4l2-ctl and ffmpeg write them.
 *
 * Exit status 1 with a sentence when it is not so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "hw/av/vsource.h"
#include "v4lread.h"

enum { FIRST_MAX = 3000 }; /* 100 s after the device was configured */

static const isoav_vcontrols neutral = {
    .contrast = 100,
    .saturation = 100,
    .gamma = 100,
    .exposure_100us = 100,
    .auto_exposure = true,
};

typedef struct {
    unsigned sequence, bytes, flags;
    uint64_t hash, time_us;
} line;

static bool is_frame(isoav_vsource *v, uint64_t n, const line *l)
{
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, n, &neutral, &bytes, &repeated);

    return frame && bytes == l->bytes && frame_hash(frame, bytes) == l->hash;
}

/* The kernel stamps a frame when it looks at a URB with its first packet, and
 * a URB has up to 32: at full speed 32 ms. What is seen is a drift. */
static bool is_in_time(const line *l, const line *first, unsigned i,
                       uint32_t interval_100ns)
{
    int64_t due = first->time_us + (uint64_t)i * interval_100ns / 10;

    return llabs((int64_t)l->time_us - due) <= 33000;
}

static int check(isoav_vsource *v, FILE *file, unsigned frames,
                 uint32_t interval_100ns)
{
    line first = { 0 }, l;
    uint64_t n = 0;
    unsigned i = 0;

    for (; fscanf(file, "%u %u %" SCNx64 " %" SCNu64 " %u %*u", &l.sequence,
                  &l.bytes, &l.hash, &l.time_us, &l.flags) == 5;
         i++) {
        if (i == 0) {
            first = l;
            while (n < FIRST_MAX && !is_frame(v, n, &l)) {
                n++;
            }
        }
        if (!is_frame(v, n + i, &l)) {
            printf("frame %u is not what the source drew\n", i);
            return 1;
        }
        if (l.flags || l.sequence != first.sequence + i) {
            printf("frame %u has number %u and flags %x\n", i, l.sequence,
                   l.flags);
            return 1;
        }
        if (!is_in_time(&l, &first, i, interval_100ns)) {
            printf("frame %u came at %" PRIu64 " us, the first one at %" PRIu64
                   "\n",
                   i, l.time_us, first.time_us);
            return 1;
        }
    }
    if (i != frames) {
        printf("%u frames, expected %u\n", i, frames);
        return 1;
    }
    return 0;
}

/* Frame n of the source stands at the file's place, and is read then. */
static bool is_next(isoav_vsource *v, uint64_t n, FILE *file)
{
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, n, &neutral, &bytes, &repeated);
    uint8_t *read = malloc(bytes + 1);
    long at = ftell(file);
    bool same = frame && read && fread(read, 1, bytes, file) == bytes &&
                memcmp(read, frame, bytes) == 0;

    free(read);
    if (!same) {
        fseek(file, at, SEEK_SET);
    }
    return same;
}

static int check_recording(isoav_vsource *v, FILE *file, unsigned frames)
{
    uint64_t first = 0;

    while (first < FIRST_MAX && !is_next(v, first, file)) {
        first++;
    }
    for (unsigned i = 1; i < frames; i++) {
        if (!is_next(v, first + i, file)) {
            printf("frame %u is not what the source drew\n", i);
            return 1;
        }
    }
    if (fgetc(file) != EOF) {
        printf("there are more than %u frames\n", frames);
        return 1;
    }
    return 0;
}

static int usage(void)
{
    fputs("usage: framecheck [--recording] FORMAT WIDTH HEIGHT RATE FRAMES "
          "FILE\n",
          stderr);
    return 2;
}

int main(int argc, char **argv)
{
    bool recording = argc > 1 && !strcmp(argv[1], "--recording");
    isoav_vformat format;
    isoav_vsource *v;
    char *error;
    FILE *file;
    int status;

    argv += recording;
    if (argc - recording != 7) {
        return usage();
    }
    format = (isoav_vformat){
        .width = atoi(argv[2]),
        .height = atoi(argv[3]),
        .interval_100ns = 10000000 / atoi(argv[4]),
        .format =
            strcmp(argv[1], "MJPG") ? ISOAV_VIDEO_YUY2 : ISOAV_VIDEO_MJPEG,
    };
    v = isoav_vsource_open("pattern", &error);
    if (!isoav_vsource_start(v, &format)) {
        printf("the source has no such format\n");
        return 1;
    }
    file = fopen(argv[6], "rb");
    if (!file) {
        perror(argv[6]);
        return 1;
    }
    status = recording ? check_recording(v, file, atoi(argv[5]))
                       : check(v, file, atoi(argv[5]), format.interval_100ns);
    fclose(file);
    isoav_vsource_close(v);
    return status;
}
