/*
 * How host and camera agree on a stream.
 *
 *  1. "Unsupported streaming parameters shall be reset by the streaming
 *     interface to supported values" (UVC 1.1 §4.3.1.1): a probe is never
 *     refused. Zeros mean: as the device likes.
 *  2. An interval becomes the next slower one that the frame has, or its
 *     slowest: the data rate never grows, so that negotiation ends.
 *  3. dwMaxPayloadTransferSize is what an interval carries in the smallest
 *     alternate in which a frame of dwMaxVideoFrameSize leaves before the next
 *     one is due. The device then sends payloads of that size, in that
 *     alternate and in all larger ones.
 *  4. A commit is what a probe could have answered, or is refused: the test is
 *     that settling changes nothing. It need not be the last probe's answer:
 *     a host may try another format in between, and after a reset it may
 *     commit again what it still knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uvc-probe.h"

#include <string.h>

/* Offsets of the fields that are not 0 (UVC 1.1 table 4-75). */
enum {
    HINT = 0,
    FORMAT = 2,
    FRAME = 3,
    INTERVAL = 4,
    FRAME_SIZE = 18,
    PAYLOAD_SIZE = 22,
    CLOCK = 26,
    FRAMING = 30,
    VERSIONS = 31, /* preferred, minimum, maximum: of the payload's format */

    STILL_FORMAT = 0,
    STILL_FRAME = 1,
    STILL_FRAME_SIZE = 3,
    STILL_PAYLOAD_SIZE = 7,

    CLOCK_HZ = 48000000,
    FRAMING_FID_EOF = 3,
};

static uint32_t load32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = v >> 8 * i;
    }
}

void isoav_uvc_probe_load(isoav_uvc_probe *p, const uint8_t *bytes)
{
    p->bmHint = bytes[HINT] | bytes[HINT + 1] << 8;
    p->bFormatIndex = bytes[FORMAT];
    p->bFrameIndex = bytes[FRAME];
    p->dwFrameInterval = load32(bytes + INTERVAL);
    p->dwMaxVideoFrameSize = load32(bytes + FRAME_SIZE);
    p->dwMaxPayloadTransferSize = load32(bytes + PAYLOAD_SIZE);
}

void isoav_uvc_probe_store(uint8_t *bytes, const isoav_uvc_probe *p)
{
    memset(bytes, 0, ISOAV_UVC_PROBE_BYTES);
    bytes[HINT] = p->bmHint;
    bytes[HINT + 1] = p->bmHint >> 8;
    bytes[FORMAT] = p->bFormatIndex;
    bytes[FRAME] = p->bFrameIndex;
    store32(bytes + INTERVAL, p->dwFrameInterval);
    store32(bytes + FRAME_SIZE, p->dwMaxVideoFrameSize);
    store32(bytes + PAYLOAD_SIZE, p->dwMaxPayloadTransferSize);
    store32(bytes + CLOCK, CLOCK_HZ);
    bytes[FRAMING] = FRAMING_FID_EOF;
    memset(bytes + VERSIONS, 1, 3);
}

/* Rule 2; 0: the default. */
static uint32_t settle_interval(const isoav_uvc_frame *frame, uint32_t wanted)
{
    unsigned n = frame->rates > ISOAV_UVC_DEFAULT_RATES
                     ? frame->rates - ISOAV_UVC_DEFAULT_RATES
                     : 0;

    if (wanted == 0) {
        return isoav_uvc_interval(frame, n);
    }
    for (n = 0; n + 1 < frame->rates; n++) {
        if (isoav_uvc_interval(frame, n) >= wanted) {
            break;
        }
    }
    return isoav_uvc_interval(frame, n);
}

/* Rules 1 and 3. */
void isoav_uvc_probe_settle(const isoav_uvc_speed *speed, isoav_uvc_probe *p)
{
    const isoav_uvc_format *format;
    const isoav_uvc_frame *frame;

    if (p->bFormatIndex < 1 || p->bFormatIndex > ISOAV_UVC_FORMATS) {
        p->bFormatIndex = 1;
    }
    format = &speed->formats[p->bFormatIndex - 1];
    frame = isoav_uvc_frame_of(format, p->bFrameIndex);
    if (!frame) {
        p->bFrameIndex = format->default_index;
        frame = isoav_uvc_frame_of(format, p->bFrameIndex);
    }
    p->dwFrameInterval = settle_interval(frame, p->dwFrameInterval);
    p->dwMaxVideoFrameSize = isoav_uvc_frame_bytes(p->bFormatIndex, frame);
    p->dwMaxPayloadTransferSize = isoav_uvc_payload_for(
        speed, p->dwMaxVideoFrameSize, p->dwFrameInterval);
}

/* Rule 4. */
bool isoav_uvc_probe_is_settled(const isoav_uvc_speed *speed,
                                const isoav_uvc_probe *p)
{
    isoav_uvc_probe settled = *p;

    isoav_uvc_probe_settle(speed, &settled);
    return settled.bFormatIndex == p->bFormatIndex &&
           settled.bFrameIndex == p->bFrameIndex &&
           settled.dwFrameInterval == p->dwFrameInterval &&
           settled.dwMaxVideoFrameSize == p->dwMaxVideoFrameSize &&
           settled.dwMaxPayloadTransferSize == p->dwMaxPayloadTransferSize;
}

isoav_uvc_probe isoav_uvc_probe_default(const isoav_uvc_speed *speed)
{
    isoav_uvc_probe p = { 0 };

    isoav_uvc_probe_settle(speed, &p);
    return p;
}

void isoav_uvc_still_load(isoav_uvc_still_probe *p, const uint8_t *bytes)
{
    p->bFormatIndex = bytes[STILL_FORMAT];
    p->bFrameIndex = bytes[STILL_FRAME];
    p->dwMaxVideoFrameSize = load32(bytes + STILL_FRAME_SIZE);
    p->dwMaxPayloadTransferSize = load32(bytes + STILL_PAYLOAD_SIZE);
}

void isoav_uvc_still_store(uint8_t *bytes, const isoav_uvc_still_probe *p)
{
    memset(bytes, 0, ISOAV_UVC_STILL_PROBE_BYTES);
    bytes[STILL_FORMAT] = p->bFormatIndex;
    bytes[STILL_FRAME] = p->bFrameIndex;
    store32(bytes + STILL_FRAME_SIZE, p->dwMaxVideoFrameSize);
    store32(bytes + STILL_PAYLOAD_SIZE, p->dwMaxPayloadTransferSize);
}

void isoav_uvc_still_settle(const isoav_uvc_speed *speed, uint32_t payload,
                            isoav_uvc_still_probe *p)
{
    const isoav_uvc_frame *frame =
        isoav_uvc_frame_of(&speed->stills, p->bFrameIndex);

    if (p->bFormatIndex < 1 || p->bFormatIndex > ISOAV_UVC_FORMATS) {
        p->bFormatIndex = 1;
    }
    if (!frame) {
        p->bFrameIndex = speed->stills.default_index;
        frame = isoav_uvc_frame_of(&speed->stills, p->bFrameIndex);
    }
    p->dwMaxVideoFrameSize = isoav_uvc_frame_bytes(p->bFormatIndex, frame);
    p->dwMaxPayloadTransferSize = payload;
}

bool isoav_uvc_still_is_settled(const isoav_uvc_speed *speed, uint32_t payload,
                                const isoav_uvc_still_probe *p)
{
    isoav_uvc_still_probe settled = *p;

    isoav_uvc_still_settle(speed, payload, &settled);
    return settled.bFormatIndex == p->bFormatIndex &&
           settled.bFrameIndex == p->bFrameIndex &&
           settled.dwMaxVideoFrameSize == p->dwMaxVideoFrameSize &&
           settled.dwMaxPayloadTransferSize == p->dwMaxPayloadTransferSize;
}
