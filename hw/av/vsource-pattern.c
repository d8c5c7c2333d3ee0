/*
 * The generated test picture as a source.
 *
 * At each whole second of stream time one frame is white, but for the rows
 * that a program reads: the headset beeps at the same time (av.h), and what a
 * host records of both says how far they are apart.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include "isolab/pattern.h"

enum { TICKS_PER_S = 10000000, UNITS = 12, READ_UNITS = 4 };

typedef struct {
    isoav_vformat format;
    uint8_t *pixels;
} pattern;

static void *pattern_open(const char *where, char **error)
{
    pattern *p = g_new0(pattern, 1);

    p->pixels = g_malloc(ISOLAB_PATTERN_BYTES_MAX);
    return p;
}

static void pattern_close(void *state)
{
    pattern *p = state;

    g_free(p->pixels);
    g_free(p);
}

static bool pattern_start(void *state, const isoav_vformat *format)
{
    pattern *p = state;

    p->format = *format;
    return isolab_pattern_size_ok(format->width, format->height);
}

/* The frame that is next to a whole second: an interval is seldom a divisor of
 * it, and 333333 not quite that of 30 a second. */
static bool flashes(uint64_t n, uint32_t interval)
{
    uint64_t middle = n * interval + interval / 2;

    return n == 0 || middle / TICKS_PER_S != (middle - interval) / TICKS_PER_S;
}

static void flash(pattern *p)
{
    unsigned rows = p->format.height - READ_UNITS * (p->format.height / UNITS);
    uint8_t *at = p->pixels;

    for (size_t i = 0; i < (size_t)rows * p->format.width; i++) {
        *at++ = ISOLAB_LUMA_WHITE;
        *at++ = ISOLAB_CHROMA_NONE;
    }
}

static bool pattern_picture(void *state, uint64_t n, vpicture *picture,
                            bool *repeated)
{
    pattern *p = state;

    isolab_pattern_fill(p->pixels, p->format.width, p->format.height, n,
                        p->format.interval_100ns);
    if (flashes(n, p->format.interval_100ns)) {
        flash(p);
    }
    *picture = (vpicture){
        .form = VPICTURE_YUY2,
        .width = p->format.width,
        .height = p->format.height,
        .bytes = p->pixels,
        .count = isolab_pattern_frame_bytes(p->format.width, p->format.height),
    };
    return true;
}

const vsource_kind vsource_pattern = {
    .name = "pattern",
    .open = pattern_open,
    .close = pattern_close,
    .start = pattern_start,
    .picture = pattern_picture,
};
