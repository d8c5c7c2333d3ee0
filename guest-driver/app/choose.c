/* SPDX-License-Identifier: MIT */
#include "choose.h"

#include <stddef.h>

#include "isolab/isoav.h"

#define UF_100NS 1250 /* a microframe in units of 100 ns */

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
