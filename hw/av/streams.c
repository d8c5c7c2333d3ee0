/*
 * The streams of usb-isoav between USB packets and the two schedulers.
 *
 *  1. A bus reset, a detach and every SET_CONFIGURATION put all of it back to
 *     the defaults; so a device that is not configured is in alternate 0, and
 *     that has no endpoints.
 *  2. Selecting an alternate, the present one too, restarts that interface's
 *     streams: sequence 0, counters 0, frame 0, an empty loopback queue.
 *  3. The size of a packet follows from the alternate, never from the buffer
 *     that the host happens to offer: so it is with real devices.
 *  4. `sequence` numbers what the device sends on an endpoint. A packet that
 *     is looped back keeps its own number but takes one of ours: a gap
 *     filler's number is how many packets have gone before it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/streams.h"

#include <string.h>

#include "hw/av/alternates.h"
#include "hw/av/packet.h"
#include "isolab/pattern.h"

uint32_t isoav_streams_packet_max(const isoav_streams *s, int iface,
                                  int alternate)
{
#define BYTES(number, transactions, bytes, interval) \
    [number] = (transactions) * (bytes),
    /* by is_full; what is not there is 0 */
    static const uint16_t video[2][ISOAV_VIDEO_ALT_MAX + 1] = {
        { ISOAV_VIDEO_ALTERNATES(BYTES) },
        { ISOAV_VIDEO_ALTERNATES_FULL(BYTES) },
    };
    static const uint16_t test[2][ISOAV_TEST_ALT_SUPER + 1] = {
        { ISOAV_TEST_ALTERNATES(BYTES) ISOAV_TEST_ALTERNATES_SUPER(BYTES) },
        { ISOAV_TEST_ALTERNATES_FULL(BYTES) },
    };
#undef BYTES

    if (iface == ISOAV_IFACE_VIDEO && alternate >= 0 &&
        alternate <= ISOAV_VIDEO_ALT_MAX) {
        return video[s->is_full][alternate];
    }
    if (iface == ISOAV_IFACE_TEST && alternate >= 0 &&
        alternate <= ISOAV_TEST_ALT_SUPER) {
        return test[s->is_full][alternate];
    }
    return 0;
}

/* Rule 2. */
void isoav_streams_select(isoav_streams *s, int iface, int alternate)
{
    uint32_t packet_max = isoav_streams_packet_max(s, iface, alternate);

    s->alternate[iface] = (uint8_t)alternate;
    s->sequence[iface] = 0;
    memset(s->counters[iface], 0, sizeof(s->counters[iface]));
    if (iface == ISOAV_IFACE_TEST) {
        isoav_testfn_start(&s->test);
        return;
    }
    s->has_pixels = false;
    isoav_video_start(&s->video, s->interval_100ns,
                      isolab_pattern_frame_bytes(s->width, s->height),
                      packet_max ? packet_max - ISOAV_HEADER_BYTES : 0);
}

/* Rule 1. */
void isoav_streams_reset(isoav_streams *s)
{
    s->is_configured = false;
    s->width = ISOAV_WIDTH_DEFAULT;
    s->height = ISOAV_HEIGHT_DEFAULT;
    s->interval_100ns = ISOAV_INTERVAL_DEFAULT;
    s->mode = ISOAV_MODE_SOURCE_SINK;
    isoav_streams_select(s, ISOAV_IFACE_VIDEO, 0);
    isoav_streams_select(s, ISOAV_IFACE_TEST, 0);
}

void isoav_streams_configure(isoav_streams *s, int configuration)
{
    isoav_streams_reset(s);
    s->is_configured = configuration == ISOAV_CONFIGURATION;
}

static const uint8_t *video_frame(isoav_streams *s, uint64_t frame)
{
    if (!s->has_pixels || s->pixels_frame != frame) {
        isolab_pattern_fill(s->pixels, s->width, s->height, (uint32_t)frame,
                            s->interval_100ns);
        s->pixels_frame = frame;
        s->has_pixels = true;
    }
    return s->pixels;
}

static void make_video(isoav_streams *s, isoav_reply *reply)
{
    isoav_packet *header = &reply->header;
    isoav_video_chunk chunk = isoav_video_next(&s->video, header->microframe);
    uint64_t *counters = s->counters[ISOAV_IFACE_VIDEO];

    header->stream = ISOAV_STREAM_VIDEO;
    if (chunk.length) {
        header->flags = chunk.flags;
        header->frame = (uint32_t)chunk.frame;
        header->offset = chunk.offset;
        header->length = (uint16_t)chunk.length;
        reply->payload = video_frame(s, chunk.frame) + chunk.offset;
    }
    isoav_packet_build_head(reply->head, header, reply->payload);
    counters[ISOAV_COUNT_SKIPPED] += chunk.skipped;
    if (chunk.flags & ISOAV_FLAG_EOF) {
        counters[ISOAV_COUNT_FRAMES]++;
    }
}

static void make_test(isoav_streams *s, uint32_t packet_max, isoav_reply *reply)
{
    isoav_packet *header = &reply->header;

    header->stream = ISOAV_STREAM_TEST_IN;
    if (s->mode == ISOAV_MODE_SOURCE_SINK) {
        header->length = (uint16_t)(packet_max - ISOAV_HEADER_BYTES);
        reply->payload = isoav_source_packet(&s->source, reply->head, header);
    } else {
        isoav_packet_build_head(reply->head, header, NULL);
    }
}

/* Rule 4: the oldest packet of the queue as it is; false: there is none. */
static bool loop_back(isoav_streams *s, isoav_reply *reply)
{
    const isoav_loopback_packet *packet = NULL;

    if (s->mode == ISOAV_MODE_LOOPBACK) {
        packet = isoav_testfn_pop(&s->test);
    }
    if (packet) {
        *reply = (isoav_reply){ .payload = packet->wire,
                                .payload_bytes = packet->bytes };
        isoav_packet_load(&reply->header, packet->wire, packet->bytes);
    }
    return packet;
}

static void make_packet(isoav_streams *s, int iface, uint64_t microframe,
                        uint32_t packet_max, isoav_reply *reply)
{
    reply->header = (isoav_packet){
        .version = ISOAV_PROTOCOL_VERSION,
        .sequence = s->sequence[iface],
        .microframe = microframe,
    };
    reply->payload = NULL;
    if (iface == ISOAV_IFACE_VIDEO) {
        make_video(s, reply);
    } else {
        make_test(s, packet_max, reply);
    }
    reply->head_bytes = ISOAV_HEADER_BYTES;
    reply->payload_bytes = reply->header.length;
}

bool isoav_streams_send(isoav_streams *s, int iface, uint64_t microframe,
                        isoav_reply *reply)
{
    uint32_t packet_max =
        isoav_streams_packet_max(s, iface, s->alternate[iface]);
    uint64_t *counters = s->counters[iface];

    if (packet_max == 0) {
        return false;
    }
    if (iface != ISOAV_IFACE_TEST || !loop_back(s, reply)) {
        make_packet(s, iface, microframe, packet_max, reply);
    }
    s->sequence[iface]++;
    counters[ISOAV_COUNT_PACKETS_IN]++;
    counters[ISOAV_COUNT_BYTES_IN] += reply->head_bytes + reply->payload_bytes;
    return true;
}

bool isoav_streams_receive(isoav_streams *s, const uint8_t *wire,
                           uint32_t bytes, isoav_testfn_result *result)
{
    uint64_t *counters = s->counters[ISOAV_IFACE_TEST];
    uint32_t packet_max = isoav_streams_packet_max(
        s, ISOAV_IFACE_TEST, s->alternate[ISOAV_IFACE_TEST]);

    if (packet_max == 0 ||
        s->alternate[ISOAV_IFACE_TEST] == ISOAV_TEST_ALT_SUPER) {
        return false;
    }
    if (bytes > packet_max) {
        *result = (isoav_testfn_result){ .verdict = ISOAV_PACKET_BABBLE };
    } else {
        *result = isoav_testfn_check(&s->test, wire, bytes);
        if (s->mode == ISOAV_MODE_LOOPBACK) {
            isoav_testfn_push(&s->test, wire, bytes);
        }
    }
    counters[ISOAV_COUNT_PACKETS_OUT]++;
    counters[ISOAV_COUNT_BYTES_OUT] += bytes;
    counters[ISOAV_COUNT_LOST_OUT] += result->lost;
    if (result->verdict != ISOAV_PACKET_OK) {
        counters[ISOAV_COUNT_BAD_OUT]++;
    }
    return true;
}

static bool is_format_sane(const isoav_streams *s)
{
    return isolab_pattern_size_ok(s->width, s->height) &&
           s->interval_100ns >= ISOAV_INTERVAL_MIN &&
           s->interval_100ns <= ISOAV_INTERVAL_MAX;
}

static bool is_video_sane(const isoav_streams *s)
{
    const isoav_video *v = &s->video;
    uint32_t packet_max = isoav_streams_packet_max(
        s, ISOAV_IFACE_VIDEO, s->alternate[ISOAV_IFACE_VIDEO]);

    return s->alternate[ISOAV_IFACE_VIDEO] == 0 ||
           (v->interval_100ns == s->interval_100ns &&
            v->frame_bytes == isolab_pattern_frame_bytes(s->width, s->height) &&
            v->chunk_bytes == packet_max - ISOAV_HEADER_BYTES &&
            (!v->is_sending || v->offset < v->frame_bytes));
}

static bool is_test_sane(const isoav_testfn *t)
{
    uint32_t i;

    if (t->first >= ISOAV_LOOPBACK_PACKETS ||
        t->count > ISOAV_LOOPBACK_PACKETS) {
        return false;
    }
    for (i = 0; i < ISOAV_LOOPBACK_PACKETS; i++) {
        if (t->queue[i].bytes > ISOAV_PACKET_MAX) {
            return false;
        }
    }
    return true;
}

bool isoav_streams_is_sane(const isoav_streams *s)
{
    bool is_streaming = s->alternate[ISOAV_IFACE_VIDEO] != 0 ||
                        s->alternate[ISOAV_IFACE_TEST] != 0;

    return (s->is_configured || !is_streaming) && is_format_sane(s) &&
           s->mode <= ISOAV_MODE_LOOPBACK &&
           s->alternate[ISOAV_IFACE_VIDEO] <= ISOAV_VIDEO_ALT_MAX &&
           s->alternate[ISOAV_IFACE_TEST] <= ISOAV_TEST_ALT_SUPER &&
           is_video_sane(s) && is_test_sane(&s->test);
}
