/*
 * Vendor requests: a table row each, checked in one place.
 *
 *  1. What does not fit is answered with STALL and changes nothing: another
 *     interface, wValue not 0, a wrong wLength, a value out of range, a
 *     format or mode while its interface streams, no configuration.
 *  2. wLength of an OUT request is exactly the size of its data. An IN
 *     request gets at most wLength bytes, as USB 2.0 §9.3.5 has it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/control.h"

#include <stddef.h>

#include "isolab/pattern.h"

static void get_info(const isoav_streams *s, int iface, uint64_t now_uf,
                     uint8_t *data)
{
    isoav_put16(data, ISOAV_PROTOCOL_VERSION);
    isoav_put16(data + 2, 0);
    isoav_put32(data + 4, 0);
    isoav_put64(data + 8, now_uf);
}

static void get_format(const isoav_streams *s, int iface, uint64_t now_uf,
                       uint8_t *data)
{
    isoav_put16(data, s->width);
    isoav_put16(data + 2, s->height);
    isoav_put32(data + 4, s->interval_100ns);
}

static bool set_format(isoav_streams *s, const uint8_t *data)
{
    uint16_t width = isoav_get16(data);
    uint16_t height = isoav_get16(data + 2);
    uint32_t interval_100ns = isoav_get32(data + 4);

    if (!isolab_pattern_size_ok(width, height) ||
        interval_100ns < ISOAV_INTERVAL_MIN ||
        interval_100ns > ISOAV_INTERVAL_MAX) {
        return false;
    }
    s->width = width;
    s->height = height;
    s->interval_100ns = interval_100ns;
    return true;
}

static void get_counters(const isoav_streams *s, int iface, uint64_t now_uf,
                         uint8_t *data)
{
    int i;

    for (i = 0; i < ISOAV_COUNTERS; i++) {
        isoav_put64(data + i * 8, s->counters[iface][i]);
    }
}

static void get_mode(const isoav_streams *s, int iface, uint64_t now_uf,
                     uint8_t *data)
{
    data[0] = s->mode;
    data[1] = 0;
}

static bool set_mode(isoav_streams *s, const uint8_t *data)
{
    if (data[0] > ISOAV_MODE_LOOPBACK || data[1] != 0) {
        return false;
    }
    s->mode = data[0];
    return true;
}

#define ON_VIDEO (1 << ISOAV_IFACE_VIDEO)
#define ON_TEST (1 << ISOAV_IFACE_TEST)

static const struct request {
    uint8_t number;
    uint8_t ifaces;
    uint16_t bytes;
    void (*get)(const isoav_streams *s, int iface, uint64_t now_uf,
                uint8_t *data);
    bool (*set)(isoav_streams *s, const uint8_t *data);
} requests[] = {
    { ISOAV_REQ_INFO, ON_VIDEO | ON_TEST, ISOAV_INFO_BYTES, get_info, NULL },
    { ISOAV_REQ_FORMAT, ON_VIDEO, ISOAV_FORMAT_BYTES, get_format, set_format },
    { ISOAV_REQ_COUNTERS, ON_VIDEO | ON_TEST, ISOAV_COUNTERS_BYTES,
      get_counters, NULL },
    { ISOAV_REQ_MODE, ON_TEST, ISOAV_MODE_BYTES, get_mode, set_mode },
};

/* Finds the row for a request that fits it as far as the row knows. */
static const struct request *find_request(const isoav_setup *setup)
{
    size_t i;

    if (setup->wValue != 0 || setup->wIndex >= ISOAV_IFACES) {
        return NULL;
    }
    for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (requests[i].number == setup->bRequest &&
            requests[i].ifaces >> setup->wIndex & 1) {
            return &requests[i];
        }
    }
    return NULL;
}

int isoav_control_request(isoav_streams *s, const isoav_setup *setup,
                          uint64_t now_uf, uint8_t *data)
{
    const struct request *r = find_request(setup);
    int iface = setup->wIndex;

    if (!r || !s->is_configured) {
        return ISOAV_CONTROL_STALL;
    }
    if (setup->bmRequestType == ISOAV_REQUEST_IN) {
        r->get(s, iface, now_uf, data);
        return setup->wLength < r->bytes ? setup->wLength : r->bytes;
    }
    if (setup->bmRequestType == ISOAV_REQUEST_OUT && r->set &&
        setup->wLength == r->bytes && s->alternate[iface] == 0 &&
        r->set(s, data)) {
        return 0;
    }
    return ISOAV_CONTROL_STALL;
}
