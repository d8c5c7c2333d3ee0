/*
 * v4lsource DEVICE FORMAT WIDTH HEIGHT RATE FRAMES: takes frames from a V4L2
 * device by the code with which usb-isoav takes a camera of its host, and holds
 * them to what the test picture is, bit for bit. In the guest, where the device
 * is usb-isoav itself, through uvcvideo: real system calls, and a camera whose
 * every pixel is known. FORMAT is YUYV or MJPG.
 *
 * Exit status 1, with a sentence, when it is not so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "hw/av/vsource-kind.h"
#include "isolab/pattern.h"

/* Of a whole run, in frame intervals: a camera takes a while to start. */
enum { PATIENCE = 100 };

static const isoav_vcontrols neutral = {
    .contrast = 100,
    .saturation = 100,
    .gamma = 100,
    .exposure_100us = 100,
    .auto_exposure = true,
};

static isoav_vsource *open_source(const char *spec, const isoav_vformat *format)
{
    char *error = NULL;
    isoav_vsource *v = isoav_vsource_open(spec, &error);

    if (!v || !isoav_vsource_start(v, format)) {
        printf("%s\n", error ? error : "the format is refused");
        exit(1);
    }
    return v;
}

/* The number that a frame has in the picture. */
static bool read_number(const isoav_vformat *f, const uint8_t *frame,
                        uint32_t bytes, uint32_t *number)
{
    g_autofree uint8_t *yuy2 =
        g_malloc(vpicture_bytes(VPICTURE_YUY2, f->width, f->height));

    if (f->format == ISOAV_VIDEO_MJPEG) {
        if (!vjpeg_decode(frame, bytes, f->width, f->height, yuy2)) {
            return false;
        }
        frame = yuy2;
    }
    return isolab_pattern_read(frame, f->width, f->height, number) ==
           ISOLAB_PATTERN_OK;
}

static bool check(isoav_vsource *ideal, const isoav_vformat *f,
                  const uint8_t *frame, uint32_t bytes, int64_t *last)
{
    uint32_t number = 0, ideal_bytes;
    const uint8_t *drawn;
    bool repeated;

    if (!read_number(f, frame, bytes, &number)) {
        printf("a frame of %u bytes has no number\n", bytes);
        return false;
    }
    drawn =
        isoav_vsource_frame(ideal, number, &neutral, &ideal_bytes, &repeated);
    if (bytes != ideal_bytes || memcmp(frame, drawn, bytes)) {
        printf("frame %u is not what was drawn\n", number);
        return false;
    }
    if (number <= *last) {
        printf("frame %u came after %" PRId64 "\n", number, *last);
        return false;
    }
    *last = number;
    return true;
}

static bool run(isoav_vsource *camera, isoav_vsource *ideal,
                const isoav_vformat *f, unsigned frames)
{
    const struct timespec pause = { .tv_nsec = f->interval_100ns * 100 };
    unsigned got = 0, waits = 0;
    int64_t last = -1;

    while (got < frames && waits < frames + PATIENCE) {
        uint32_t bytes;
        bool repeated;
        const uint8_t *frame =
            isoav_vsource_frame(camera, waits++, &neutral, &bytes, &repeated);

        if (!repeated) {
            if (!check(ideal, f, frame, bytes, &last)) {
                return false;
            }
            got++;
        }
        nanosleep(&pause, NULL);
    }
    printf("%u frames in %u intervals, the last one is %" PRId64 "\n", got,
           waits, last);
    return got == frames;
}

int main(int argc, char **argv)
{
    g_autofree char *spec = NULL;
    isoav_vformat format;
    isoav_vsource *camera, *ideal;
    bool good;

    if (argc != 7) {
        fprintf(stderr,
                "usage: v4lsource DEVICE FORMAT WIDTH HEIGHT RATE FRAMES\n");
        return 2;
    }
    format = (isoav_vformat){
        .width = atoi(argv[3]),
        .height = atoi(argv[4]),
        .interval_100ns = 10000000 / atoi(argv[5]),
        .format =
            strcmp(argv[2], "MJPG") ? ISOAV_VIDEO_YUY2 : ISOAV_VIDEO_MJPEG,
    };
    spec = g_strdup_printf("v4l2:%s", argv[1]);
    camera = open_source(spec, &format);
    ideal = open_source("pattern", &format);
    good = run(camera, ideal, &format, atoi(argv[6]));
    isoav_vsource_stop(camera);
    isoav_vsource_close(camera);
    isoav_vsource_close(ideal);
    return !good;
}
