/*
 * The tables of uvc-formats.h, and what is looked up in them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uvc-formats.h"

#include <stddef.h>

#define UF_100NS 1250 /* a microframe in units of 100 ns */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define VALUE(interval) interval,
static const uint32_t intervals[ISOAV_UVC_RATES] = { ISOAV_UVC_INTERVALS(VALUE,
                                                                         7) };

#define FRAME(index, width, height, rates) { index, width, height, rates },
#define STILL(index, width, height) { index, width, height, 0 },
static const isoav_uvc_frame yuy2_full[] = { ISOAV_UVC_YUY2_FULL(FRAME) };
static const isoav_uvc_frame mjpeg_full[] = { ISOAV_UVC_MJPEG_FULL(FRAME) };
static const isoav_uvc_frame yuy2_high[] = { ISOAV_UVC_YUY2_HIGH(FRAME) };
static const isoav_uvc_frame mjpeg_high[] = { ISOAV_UVC_MJPEG_HIGH(FRAME) };
static const isoav_uvc_frame yuy2_super[] = { ISOAV_UVC_YUY2_SUPER(FRAME) };
static const isoav_uvc_frame mjpeg_super[] = { ISOAV_UVC_MJPEG_SUPER(FRAME) };
static const isoav_uvc_frame stills[] = { ISOAV_UVC_STILLS(STILL) };

#define BYTES(alternate, packets, bytes) (packets) * (bytes),
static const uint16_t alternates_full[] = { ISOAV_UVC_ALTERNATES_FULL(BYTES) };
static const uint16_t alternates_high[] = { ISOAV_UVC_ALTERNATES_HIGH(BYTES) };
static const uint16_t alternates_super[] = { ISOAV_UVC_ALTERNATES_SUPER(
    BYTES) };

#define SPEED(name, first, uf)                                            \
    {                                                                     \
        .formats = { { yuy2_##name, COUNT(yuy2_##name), first },          \
                     { mjpeg_##name, COUNT(mjpeg_##name), first } },      \
        .stills = { stills, COUNT(stills), 1 },                           \
        .alternates = alternates_##name,                                  \
        .alternate_count = COUNT(alternates_##name), .interval_uf = (uf), \
    }
static const isoav_uvc_speed speeds[] = {
    SPEED(full, 1, 8),
    SPEED(high, 3, 1),
    SPEED(super, 3, 1),
};

const isoav_uvc_speed *isoav_uvc_speed_of(int speed)
{
    return &speeds[speed];
}

const isoav_uvc_frame *isoav_uvc_frame_of(const isoav_uvc_format *format,
                                          uint8_t index)
{
    return index >= 1 && index <= format->count ? &format->frames[index - 1]
                                                : NULL;
}

uint32_t isoav_uvc_frame_bytes(int format, const isoav_uvc_frame *frame)
{
    return format == ISOAV_UVC_YUY2
               ? ISOAV_UVC_YUY2_BYTES(frame->width, frame->height)
               : ISOAV_UVC_MJPEG_BYTES(frame->width, frame->height);
}

uint32_t isoav_uvc_interval(const isoav_uvc_frame *frame, unsigned n)
{
    return intervals[ISOAV_UVC_RATES - frame->rates + n];
}

uint32_t isoav_uvc_alternate_bytes(const isoav_uvc_speed *speed, int alternate)
{
    return alternate >= 1 && (unsigned)alternate <= speed->alternate_count
               ? speed->alternates[alternate - 1]
               : 0;
}

uint32_t isoav_uvc_payload_for(const isoav_uvc_speed *speed, uint32_t bytes,
                               uint32_t interval_100ns)
{
    uint64_t packets = interval_100ns / (UF_100NS * speed->interval_uf);

    for (unsigned i = 0; i < speed->alternate_count; i++) {
        uint32_t payload = speed->alternates[i];

        if ((payload - ISOAV_UVC_HEADER_BYTES) * packets >= bytes) {
            return payload;
        }
    }
    return 0;
}
