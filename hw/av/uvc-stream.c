/*
 * When each frame leaves, and with which headers.
 *
 *  1. Time is the microframe of the IN token, 64 bits; nothing here reads a
 *     clock. Frame n is due at epoch + ceil(n * interval), computed from n
 *     alone, so no rounding error adds up.
 *  2. A stream begins with the first frame that is due when its first packet
 *     is asked for, or later; until then, and whenever no frame is due,
 *     packets are a header and nothing else, of the frame before.
 *  3. A frame that has begun is sent to its end, a packet a token, full
 *     packets and a rest. Then the newest frame that is due begins; the ones
 *     in between are skipped.
 *  4. PTS is the ideal time of the frame, not the microframe in which it
 *     began, and the same in all of its headers. SCR is the device's clock at
 *     the start of the packet's microframe, and the number of its 1-ms frame
 *     (UVC 1.1 §2.4.3.3).
 *  5. A still image is a frame out of turn: it begins as soon as the frame
 *     before it has ended, and its headers have STI. Video goes on with what is
 *     due after it.
 *  6. FID changes with each frame that begins, still images as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uvc-stream.h"

#include <string.h>

#define UF_100NS 1250 /* a microframe in units of 100 ns */

void isoav_uvc_stream_start(isoav_uvc_stream *s, uint64_t epoch_uf,
                            uint32_t interval_100ns, uint32_t payload_bytes)
{
    *s = (isoav_uvc_stream){
        .epoch_uf = epoch_uf,
        .interval_100ns = interval_100ns,
        .payload_bytes = payload_bytes,
        .fid = s->fid,
    };
}

static uint64_t elapsed(const isoav_uvc_stream *s, uint64_t microframe)
{
    return microframe > s->epoch_uf ? microframe - s->epoch_uf : 0;
}

/* Rule 1. */
static uint64_t due_uf(const isoav_uvc_stream *s, uint64_t frame)
{
    return (frame * s->interval_100ns + UF_100NS - 1) / UF_100NS;
}

/* Rule 1, turned round: ceil(n * i / u) <= e says n * i <= e * u. */
uint64_t isoav_uvc_stream_newest(const isoav_uvc_stream *s, uint64_t microframe)
{
    return elapsed(s, microframe) * UF_100NS / s->interval_100ns;
}

/* Rule 2: the smallest n with ceil(n * i / u) >= e. */
static uint64_t first_frame(const isoav_uvc_stream *s, uint64_t microframe)
{
    uint64_t e = elapsed(s, microframe);

    return e ? (e - 1) * UF_100NS / s->interval_100ns + 1 : 0;
}

isoav_uvc_due isoav_uvc_stream_due(isoav_uvc_stream *s, uint64_t microframe)
{
    isoav_uvc_due due = { 0 };
    uint64_t newest;

    if (!s->is_started) {
        s->is_started = true;
        s->frame = s->shown = first_frame(s, microframe);
    }
    newest = isoav_uvc_stream_newest(s, microframe);
    if (s->is_sending || newest < s->frame) {
        return due;
    }
    due.is_due = true;
    due.skipped = newest - s->frame;
    due.late_uf = elapsed(s, microframe) - due_uf(s, newest);
    s->frame = newest;
    return due;
}

/* Rules 5 and 6. */
void isoav_uvc_stream_begin(isoav_uvc_stream *s, uint64_t frame, uint32_t bytes,
                            bool is_still)
{
    s->shown = frame;
    s->bytes = bytes;
    s->offset = 0;
    s->is_sending = true;
    s->is_still = is_still;
    s->is_damaged = false;
    s->fid = !s->fid;
}

void isoav_uvc_stream_drop(isoav_uvc_stream *s)
{
    s->frame++;
}

static void store32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        p[i] = v >> 8 * i;
    }
}

/* Rule 4. */
static uint32_t presentation_time(const isoav_uvc_stream *s)
{
    return s->epoch_uf * ISOAV_UVC_TICKS_UF +
           s->shown * s->interval_100ns * ISOAV_UVC_TICKS_500NS / 5;
}

static void build_header(const isoav_uvc_stream *s, uint64_t microframe,
                         uint8_t info, uint8_t *header)
{
    uint32_t sof = microframe / 8 & 0x7ff;

    header[0] = ISOAV_UVC_HEADER_BYTES;
    header[1] = info | (s->fid ? ISOAV_UVC_FID : 0) | ISOAV_UVC_PTS |
                ISOAV_UVC_SCR | ISOAV_UVC_EOH;
    store32(header + 2, presentation_time(s));
    store32(header + 6, microframe * ISOAV_UVC_TICKS_UF);
    header[10] = sof;
    header[11] = sof >> 8;
}

/* Rule 3. */
void isoav_uvc_stream_next(isoav_uvc_stream *s, uint64_t microframe,
                           isoav_uvc_payload *payload)
{
    uint32_t room = s->payload_bytes - ISOAV_UVC_HEADER_BYTES;
    uint8_t info = 0;

    payload->offset = s->offset;
    payload->bytes = 0;
    payload->is_end = false;
    if (s->is_sending) {
        uint32_t left = s->bytes - s->offset;

        payload->bytes = left < room ? left : room;
        payload->is_end = left <= room;
        info |= s->is_still ? ISOAV_UVC_STI : 0;
        info |= payload->is_end ? ISOAV_UVC_EOF : 0;
        info |= payload->is_end && s->is_damaged ? ISOAV_UVC_ERR : 0;
        s->offset += payload->bytes;
    }
    build_header(s, microframe, info, payload->header);
    if (payload->is_end) {
        s->is_sending = false;
        s->frame += !s->is_still;
    }
}

uint32_t isoav_uvc_stream_left(const isoav_uvc_stream *s)
{
    return s->is_sending ? s->bytes - s->offset : 0;
}

bool isoav_uvc_stream_is_sane(const isoav_uvc_stream *s)
{
    return s->interval_100ns == 0
               ? !s->is_sending && !s->is_started
               : s->payload_bytes > ISOAV_UVC_HEADER_BYTES &&
                     s->payload_bytes <= ISOAV_UVC_PAYLOAD_MAX &&
                     s->bytes <= ISOAV_UVC_BYTES_MAX && s->offset <= s->bytes;
}
