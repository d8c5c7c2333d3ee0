/* SPDX-License-Identifier: MIT */
#include "choose.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

#include "isolab/isoav.h"

#define UF_100NS 1250 /* a microframe in units of 100 ns */
#define UF_PER_SECOND 8000u
#define UF_PER_FRAME 8u /* of the bus, 1 ms */

/* At full speed: 30 packets of 1023 bytes, of the 33 frames that there are. */
enum { FULL_WIDTH = 160, FULL_HEIGHT = 90 };

static bool is_video(const isoav_alternate *a)
{
    return a->interface_number == ISOAV_IFACE_VIDEO &&
           a->endpoint == ISOAV_EP_VIDEO_IN;
}

/* The device's packets never exceed ISOAV_PACKET_MAX. */
static uint32_t payload_bytes(const isoav_alternate *a)
{
    uint32_t bytes =
        a->packet_bytes < ISOAV_PACKET_MAX ? a->packet_bytes : ISOAV_PACKET_MAX;

    return bytes > ISOAV_HEADER_BYTES ? bytes - ISOAV_HEADER_BYTES : 0;
}

uint32_t choose_frame_uf(const isoav_alternate *alternate, uint32_t frame_bytes)
{
    uint32_t payload = payload_bytes(alternate);

    if (payload == 0 || alternate->period_uf == 0) {
        return 0;
    }
    return (frame_bytes + payload - 1) / payload * alternate->period_uf;
}

bool choose_is_enough(const isoav_alternate *alternate, uint32_t frame_bytes,
                      uint32_t interval_100ns)
{
    uint32_t uf = choose_frame_uf(alternate, frame_bytes);

    return uf != 0 && (uint64_t)uf * UF_100NS <= interval_100ns;
}

/* Orders alternates by bandwidth: a carries less than b. */
static bool is_smaller(const isoav_alternate *a, const isoav_alternate *b)
{
    return (uint64_t)a->packet_bytes * b->period_uf <
           (uint64_t)b->packet_bytes * a->period_uf;
}

const isoav_alternate *choose_alternate(const isoav_info *info,
                                        uint32_t frame_bytes,
                                        uint32_t interval_100ns,
                                        const isoav_alternate *after)
{
    const isoav_alternate *best = NULL;
    uint32_t i;

    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        const isoav_alternate *a = &info->alternate[i];

        if (!is_video(a) || (after && !is_smaller(after, a)) ||
            !choose_is_enough(a, frame_bytes, interval_100ns)) {
            continue;
        }
        if (!best || is_smaller(a, best)) {
            best = a;
        }
    }
    return best;
}

const isoav_alternate *choose_number(const isoav_info *info, uint32_t number)
{
    uint32_t i;

    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        if (is_video(&info->alternate[i]) &&
            info->alternate[i].alternate == number) {
            return &info->alternate[i];
        }
    }
    return NULL;
}

uint32_t choose_most_fps(const isoav_info *info, uint32_t frame_bytes)
{
    uint32_t most = 0, i;

    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        uint32_t uf = is_video(&info->alternate[i])
                          ? choose_frame_uf(&info->alternate[i], frame_bytes)
                          : 0;

        if (uf && UF_PER_SECOND / uf > most) {
            most = UF_PER_SECOND / uf;
        }
    }
    return most;
}

void choose_size(uint32_t speed, uint32_t *width, uint32_t *height)
{
    bool is_full = speed == ISOAV_SPEED_FULL;

    if (!*width) {
        *width = is_full ? FULL_WIDTH : ISOAV_WIDTH_DEFAULT;
    }
    if (!*height) {
        *height = is_full ? FULL_HEIGHT : ISOAV_HEIGHT_DEFAULT;
    }
}

/* Whole frames of sound that a packet has room for, in bytes. */
static uint32_t sound_bytes(const isoav_alternate *a, uint32_t frame_bytes)
{
    return payload_bytes(a) / frame_bytes * frame_bytes;
}

const isoav_alternate *choose_sound(const isoav_info *info, uint32_t number,
                                    uint32_t rate, uint32_t frame_bytes)
{
    const isoav_alternate *best = NULL;
    uint32_t i;

    for (i = 0; i < info->alternates && i < ISOAV_MAX_ALTERNATES; i++) {
        const isoav_alternate *a = &info->alternate[i];
        /* of the fullest interval */
        uint64_t frames =
            ((uint64_t)rate * a->period_uf + UF_PER_SECOND - 1) / UF_PER_SECOND;

        if (a->interface_number != ISOAV_IFACE_TEST ||
            a->endpoint != ISOAV_EP_TEST_OUT || a->period_uf == 0) {
            continue;
        }
        if (number ? a->alternate == number
                   : frames * frame_bytes <= payload_bytes(a) &&
                         (!best || is_smaller(a, best))) {
            best = a;
        }
    }
    return best;
}

uint64_t choose_sound_packets(const isoav_alternate *alternate, uint32_t rate,
                              uint32_t frame_bytes, uint32_t bytes)
{
    uint32_t most = sound_bytes(alternate, frame_bytes);
    uint64_t in_time, in_room;

    if (most == 0) {
        return 0;
    }
    in_time = (uint64_t)bytes * (UF_PER_SECOND / alternate->period_uf) /
              ((uint64_t)rate * frame_bytes);
    in_room = bytes / most;
    return (in_time > in_room ? in_time : in_room) + 2;
}

const char *choose_refuse_packets(char text[160], uint32_t speed,
                                  const isoav_alternate *alternate,
                                  uint32_t packets)
{
    uint32_t most = speed == ISOAV_SPEED_FULL ? 255 : ISOAV_PACKETS_MAX;
    uint32_t step = alternate->period_uf && alternate->period_uf < UF_PER_FRAME
                        ? UF_PER_FRAME / alternate->period_uf
                        : 1;

    if (packets <= most && packets % step == 0) {
        return NULL;
    }
    snprintf(text, 160,
             "an URB is whole frames of 1 ms: here --packets takes a multiple "
             "of %" PRIu32 " up to %" PRIu32,
             step, most);
    return text;
}
