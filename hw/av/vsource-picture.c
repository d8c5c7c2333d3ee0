/*
 * Pictures: from planes to YUY2, to another size, through the camera's
 * controls.
 *
 *  1. Rows and columns come in pairs; sizes are even and bounded, so that no
 *     product overflows.
 *  2. The controls are one table for luma and one matrix for chroma. Contrast
 *     and gamma turn about the middle and the ends of the video range,
 *     saturation and hue are a rotation and a length of (U, V).
 *  3. Neutral controls are no operation at all: to the bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include <math.h>
#include <string.h>

enum { BLACK_LUMA = 16, WHITE_LUMA = 235, GREY_CHROMA = 128 };

bool vpicture_size_ok(uint64_t width, uint64_t height)
{
    return width >= 2 && height >= 2 && width <= VPICTURE_SIDE_MAX &&
           height <= VPICTURE_SIDE_MAX && width % 2 == 0 && height % 2 == 0;
}

size_t vpicture_bytes(vpicture_form form, unsigned width, unsigned height)
{
    size_t pixels = (size_t)width * height;

    return form == VPICTURE_I420 ? pixels * 3 / 2 : pixels * 2;
}

/* shift: rows of luma to a row of chroma, as a power of two */
static void weave(const vpicture *from, unsigned shift, uint8_t *to)
{
    unsigned half = from->width / 2;
    const uint8_t *luma = from->bytes;
    const uint8_t *u = luma + (size_t)from->width * from->height;
    const uint8_t *v = u + (size_t)half * (from->height >> shift);

    for (unsigned y = 0; y < from->height; y++) {
        const uint8_t *row_u = u + (size_t)half * (y >> shift);
        const uint8_t *row_v = v + (size_t)half * (y >> shift);

        for (unsigned x = 0; x < half; x++) {
            *to++ = *luma++;
            *to++ = row_u[x];
            *to++ = *luma++;
            *to++ = row_v[x];
        }
    }
}

bool vpicture_to_yuy2(const vpicture *from, uint8_t *to)
{
    switch (from->form) {
    case VPICTURE_JPEG:
        return vjpeg_decode(from->bytes, from->count, from->width, from->height,
                            to);
    case VPICTURE_YUY2:
        memcpy(to, from->bytes,
               vpicture_bytes(VPICTURE_YUY2, from->width, from->height));
        return true;
    case VPICTURE_I420:
        weave(from, 1, to);
        return true;
    case VPICTURE_I422:
        weave(from, 0, to);
        return true;
    }
    return false;
}

/* One row of samples `stride` apart in a picture: where and how much of the
 * next one, in 1/256. */
typedef struct {
    unsigned at, next, part;
} place;

static place find(unsigned i, unsigned count, unsigned of)
{
    /* the middles of samples meet, not their edges */
    int64_t at = ((int64_t)(2 * i + 1) * of * 256 / count - 256) / 2;
    place p;

    at = at < 0 ? 0 : at;
    p.at = MIN(at / 256, of - 1);
    p.next = MIN(p.at + 1, of - 1);
    p.part = at % 256;
    return p;
}

static unsigned mix(unsigned a, unsigned b, unsigned part)
{
    return (a * (256 - part) + b * part + 128) / 256;
}

/* Samples of one kind: every `step` bytes from `first`, `count` in a row. */
static void scale_samples(const uint8_t *from, unsigned width, unsigned height,
                          uint8_t *to, unsigned to_width, unsigned to_rows,
                          unsigned to_stride, unsigned first, unsigned step)
{
    unsigned count = width * 2 / step, to_count = to_width * 2 / step;

    for (unsigned y = 0; y < to_rows; y++) {
        place row = find(y, to_rows, height);
        const uint8_t *upper = from + (size_t)row.at * width * 2 + first;
        const uint8_t *lower = from + (size_t)row.next * width * 2 + first;
        uint8_t *out = to + (size_t)y * to_stride + first;

        for (unsigned x = 0; x < to_count; x++) {
            place p = find(x, to_count, count);

            out[x * step] =
                mix(mix(upper[p.at * step], upper[p.next * step], p.part),
                    mix(lower[p.at * step], lower[p.next * step], p.part),
                    row.part);
        }
    }
}

void vpicture_scale(const uint8_t *from, unsigned width, unsigned height,
                    uint8_t *to, unsigned to_width, unsigned to_height)
{
    uint64_t wide = (uint64_t)to_width * height;
    uint64_t high = (uint64_t)to_height * width;
    unsigned inner_width = wide <= high ? to_width : high / height & ~1u;
    unsigned inner_height = wide <= high ? wide / width & ~1u : to_height;
    size_t left = (to_width - inner_width) / 4 * 2;
    size_t top = (to_height - inner_height) / 2;
    uint8_t *inner = to + top * to_width * 2 + left * 2;

    for (size_t i = 0; i < (size_t)to_width * to_height; i++) {
        to[2 * i] = BLACK_LUMA;
        to[2 * i + 1] = GREY_CHROMA;
    }
    if (inner_width == 0 || inner_height == 0) {
        return;
    }
    scale_samples(from, width, height, inner, inner_width, inner_height,
                  to_width * 2, 0, 2);
    scale_samples(from, width, height, inner, inner_width, inner_height,
                  to_width * 2, 1, 4);
    scale_samples(from, width, height, inner, inner_width, inner_height,
                  to_width * 2, 3, 4);
}

bool vcontrols_are_neutral(const isoav_vcontrols *c)
{
    return c->brightness == 0 && c->contrast == 100 && c->saturation == 100 &&
           c->hue == 0 && c->gamma == 100 &&
           (c->auto_exposure || c->exposure_100us == 100);
}

static uint8_t clamp(double value)
{
    return value <= 0 ? 0 : value >= 255 ? 255 : (uint8_t)(value + 0.5);
}

/* Rule 2: light, gamma, contrast, brightness, in this order. */
static void fill_luma(const isoav_vcontrols *c, uint8_t *table)
{
    double range = WHITE_LUMA - BLACK_LUMA;
    double light = c->auto_exposure ? 1.0 : c->exposure_100us / 100.0;

    for (unsigned i = 0; i < 256; i++) {
        double y = MAX((i - (double)BLACK_LUMA) / range * light, 0.0);

        y = pow(y, 100.0 / MAX(c->gamma, 1));
        y = (y - 0.5) * c->contrast / 100.0 + 0.5 + c->brightness / 200.0;
        table[i] = clamp(BLACK_LUMA + y * range);
    }
}

void vcontrols_apply(const isoav_vcontrols *c, uint8_t *yuy2, size_t count)
{
    double turn = c->hue * G_PI / 180, length = c->saturation / 100.0;
    double cosine = cos(turn) * length, sine = sin(turn) * length;
    uint8_t luma[256];

    if (vcontrols_are_neutral(c)) {
        return;
    }
    fill_luma(c, luma);
    for (size_t i = 0; i + 4 <= count; i += 4) {
        double u = yuy2[i + 1] - (double)GREY_CHROMA;
        double v = yuy2[i + 3] - (double)GREY_CHROMA;

        yuy2[i] = luma[yuy2[i]];
        yuy2[i + 1] = clamp(GREY_CHROMA + u * cosine - v * sine);
        yuy2[i + 2] = luma[yuy2[i + 2]];
        yuy2[i + 3] = clamp(GREY_CHROMA + u * sine + v * cosine);
    }
}
