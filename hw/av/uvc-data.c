/*
 * The video endpoint of the UVC camera: payloads in, USB packets out.
 *
 *  1. A packet never waits: a source without a frame in time is an underrun,
 *     counted and put into the Stream Error Code, and that frame is not sent.
 *  2. A frame is fetched once, when it begins, with the controls as they are
 *     then; packets carry slices of it.
 *  3. What is fetched anew, after migration, and is not what it was (a live
 *     source), is sent as a damaged frame. So is a frame that is larger than
 *     what was negotiated: its end is cut off.
 *  4. A still image is fetched from the same source, which is started in the
 *     still image's format for it and in the video's again afterwards.
 *  5. Before a commit the endpoint has packets of no bytes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/uvc.h"

#include "trace-hw_av.h"

/* Rule 4: what the frame being sent has to be. */
static isoav_vformat wanted_format(const isoav_uvc *u)
{
    const isoav_uvc_model *m = &u->model;
    bool is_still = u->stream.is_still;
    int index =
        is_still ? m->still_commit.bFormatIndex : m->commit.bFormatIndex;
    const isoav_uvc_frame *frame =
        is_still
            ? isoav_uvc_frame_of(&m->speed->stills, m->still_commit.bFrameIndex)
            : isoav_uvc_frame_of(&m->speed->formats[index - 1],
                                 m->commit.bFrameIndex);

    return (isoav_vformat){
        .width = frame->width,
        .height = frame->height,
        .interval_100ns = m->commit.dwFrameInterval,
        .format =
            index == ISOAV_UVC_YUY2 ? ISOAV_VIDEO_YUY2 : ISOAV_VIDEO_MJPEG,
    };
}

static bool is_same(const isoav_vformat *a, const isoav_vformat *b)
{
    return a->width == b->width && a->height == b->height &&
           a->interval_100ns == b->interval_100ns && a->format == b->format;
}

static isoav_vcontrols shown_controls(const isoav_uvc *u)
{
    const int32_t *v = u->shown;

    return (isoav_vcontrols){
        .brightness = v[ISOAV_UVC_BRIGHTNESS],
        .contrast = v[ISOAV_UVC_CONTRAST],
        .saturation = v[ISOAV_UVC_SATURATION],
        .hue = v[ISOAV_UVC_HUE],
        .gamma = v[ISOAV_UVC_GAMMA],
        .exposure_100us = v[ISOAV_UVC_EXPOSURE_TIME],
        .auto_exposure =
            v[ISOAV_UVC_EXPOSURE_MODE] != ISOAV_UVC_EXPOSURE_MANUAL,
    };
}

/* Frame `number` of the format that is wanted; its size, 0: there is none. */
static uint32_t fetch(isoav_uvc *u, uint64_t number, bool *repeated)
{
    isoav_vformat format = wanted_format(u);
    isoav_vcontrols controls = shown_controls(u);
    uint32_t bytes = 0;

    *repeated = false;
    u->frame = NULL;
    if (!is_same(&format, &u->format)) {
        u->format = format;
        if (!isoav_vsource_start(u->source, &format)) {
            u->format = (isoav_vformat){ 0 };
            return 0;
        }
    }
    u->frame =
        isoav_vsource_frame(u->source, number, &controls, &bytes, repeated);
    return u->frame ? bytes : 0;
}

/* Rules 1 to 3. */
static void begin(ISOAVDevice *s, uint64_t number, bool is_still)
{
    isoav_uvc *u = isoav_uvc_of(s);
    isoav_uvc_model *m = &u->model;
    uint32_t max = is_still ? m->still_commit.dwMaxVideoFrameSize
                            : m->commit.dwMaxVideoFrameSize;
    uint32_t bytes;
    bool repeated;

    memcpy(u->shown, m->values, sizeof(u->shown));
    u->stream.is_still = is_still;
    bytes = fetch(u, number, &repeated);
    if (bytes == 0) {
        u->counters[ISOAV_UVC_COUNT_UNDERRUN]++;
        m->stream_error = ISOAV_UVC_STREAM_UNDERRUN;
        if (!is_still) {
            isoav_uvc_stream_drop(&u->stream);
        }
        return;
    }
    u->counters[ISOAV_UVC_COUNT_REPEATED] += repeated;
    isoav_uvc_stream_begin(&u->stream, number, MIN(bytes, max), is_still);
    if (bytes > max) {
        u->counters[ISOAV_UVC_COUNT_OVERRUN]++;
        u->stream.is_damaged = true;
        m->stream_error = ISOAV_UVC_STREAM_OVERRUN;
    }
}

static void begin_what_is_due(ISOAVDevice *s, uint64_t microframe)
{
    isoav_uvc *u = isoav_uvc_of(s);
    isoav_uvc_model *m = &u->model;
    isoav_uvc_due due;

    if (m->trigger == ISOAV_UVC_TRIGGER_STILL && u->stream.is_started &&
        !u->stream.is_sending) {
        m->trigger = ISOAV_UVC_TRIGGER_NORMAL;
        begin(s, isoav_uvc_stream_newest(&u->stream, microframe), true);
        return;
    }
    due = isoav_uvc_stream_due(&u->stream, microframe);
    if (!due.is_due) {
        return;
    }
    u->counters[ISOAV_UVC_COUNT_SKIPPED] += due.skipped;
    u->counters[ISOAV_UVC_COUNT_LATE] += due.late_uf >= m->speed->interval_uf;
    trace_isoav_frame_begin(s->dev.addr, u->stream.frame, microframe,
                            u->counters[ISOAV_UVC_COUNT_SKIPPED]);
    begin(s, u->stream.frame, false);
}

/* Rule 3, after loading. */
static void fetch_again(isoav_uvc *u)
{
    isoav_uvc_stream *stream = &u->stream;
    bool repeated;
    uint32_t bytes = fetch(u, stream->shown, &repeated);

    if (bytes != stream->bytes) {
        stream->bytes = MAX(MIN(bytes, stream->bytes), stream->offset);
        stream->is_damaged = true;
        u->model.stream_error = ISOAV_UVC_STREAM_DISCONTINUITY;
    }
}

static void send_payload(ISOAVDevice *s, USBPacket *p,
                         const isoav_uvc_payload *payload)
{
    isoav_uvc *u = isoav_uvc_of(s);
    size_t room = usb_packet_size(p);
    size_t bytes = ISOAV_UVC_HEADER_BYTES + payload->bytes;

    isoav_packet_put(p, payload->header, ISOAV_UVC_HEADER_BYTES);
    if (payload->bytes) {
        isoav_packet_put(p, u->frame + payload->offset, payload->bytes);
    }
    if (bytes > room) {
        trace_isoav_packet_babble(s->dev.addr, p->ep->nr, bytes, room);
        p->status = USB_RET_BABBLE;
    }
    u->counters[ISOAV_UVC_COUNT_PACKETS]++;
    u->counters[ISOAV_UVC_COUNT_BYTES] += bytes;
    if (payload->is_end) {
        u->counters[u->stream.is_still ? ISOAV_UVC_COUNT_STILLS
                                       : ISOAV_UVC_COUNT_FRAMES]++;
    }
}

void isoav_uvc_packet(ISOAVDevice *s, USBPacket *p)
{
    isoav_uvc *u = isoav_uvc_of(s);
    uint64_t microframe = isoav_packet_uf(p);
    isoav_uvc_payload payload;

    if (!u->stream.interval_100ns) {
        return;
    }
    if (!u->stream.is_sending) {
        begin_what_is_due(s, microframe);
    } else if (!u->frame) {
        fetch_again(u);
    }
    isoav_uvc_stream_next(&u->stream, microframe, &payload);
    send_payload(s, p, &payload);
}

void isoav_uvc_restart(ISOAVDevice *s)
{
    isoav_uvc *u = isoav_uvc_of(s);
    bool runs = u->model.alternate && u->model.is_committed;

    isoav_vsource_stop(u->source);
    u->format = (isoav_vformat){ 0 };
    u->frame = NULL;
    u->model.trigger = ISOAV_UVC_TRIGGER_NORMAL;
    isoav_uvc_stream_start(&u->stream, isoav_av_epoch_uf(s),
                           runs ? u->model.commit.dwFrameInterval : 0,
                           runs ? u->model.commit.dwMaxPayloadTransferSize : 0);
}
