/*
 * usbmon's records as bytes. The rules are in usbmon.h; the layout is that of
 * struct usbmon_packet in Linux's Documentation/usb/usbmon.rst.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/capture/usbmon.h"

#include <string.h>

#include "isolab/xhci.h"

enum {
    URB_ISO_ASAP = 0x0002,
    URB_DIR_IN = 0x0200,
};

static uint8_t *put(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        *to++ = value >> (8 * i);
    }
    return to;
}

void usbmon_store_file_header(uint8_t out[USBMON_FILE_HEADER_BYTES],
                              uint32_t snaplen)
{
    uint8_t *at = put(out, 0xa1b2c3d4, 4); /* times in microseconds */

    at = put(at, 2, 2); /* version 2.4 */
    at = put(at, 4, 2);
    at = put(at, 0, 8); /* no time zone, no accuracy */
    at = put(at, snaplen, 4);
    put(at, USBMON_LINKTYPE, 4);
}

/* Without data there is a sign that says why (usbmon.rst, flag_data). */
static char data_flag(const usbmon_record *r)
{
    if (r->is_end == r->is_in) {
        return 0;
    }
    return r->is_in ? '<' : '>';
}

static uint8_t *put_header(uint8_t *at, const usbmon_record *r, uint32_t length)
{
    bool is_isoch = r->xfer == USBMON_ISOCH;

    at = put(at, r->id, 8);
    at = put(at, r->is_end ? 'C' : 'S', 1);
    at = put(at, r->xfer, 1);
    at = put(at, r->ep | (r->is_in ? 0x80 : 0), 1);
    at = put(at, r->dev, 1);
    at = put(at, r->bus, 2);
    at = put(at, r->setup ? 0 : '-', 1);
    at = put(at, data_flag(r), 1);
    at = put(at, r->time_us / 1000000, 8);
    at = put(at, r->time_us % 1000000, 4);
    at = put(at, !r->is_end ? USBMON_EINPROGRESS : is_isoch ? 0 : r->status, 4);
    at = put(at, r->bytes, 4);
    at = put(at, length, 4);
    if (r->setup) {
        memcpy(at, r->setup, 8);
        at += 8;
    } else {
        at = put(at, is_isoch && r->is_end && r->status, 4); /* errors */
        at = put(at, is_isoch, 4);                           /* descriptors */
    }
    at = put(at, r->interval, 4);
    at = put(at, r->start_frame, 4);
    at = put(at, (r->is_in ? URB_DIR_IN : 0) | (r->is_asap ? URB_ISO_ASAP : 0),
             4);
    return put(at, is_isoch, 4);
}

size_t usbmon_store(uint8_t out[USBMON_HEAD_MAX], const usbmon_record *r)
{
    uint32_t iso = r->xfer == USBMON_ISOCH ? USBMON_ISO_BYTES : 0;
    uint32_t head = USBMON_HEADER_BYTES + iso;
    uint32_t whole = data_flag(r) ? 0 : r->bytes;
    uint8_t *at = put(out, r->time_us / 1000000, 4);

    at = put(at, r->time_us % 1000000, 4);
    at = put(at, head + r->captured, 4);
    at = put(at, head + (whole > r->captured ? whole : r->captured), 4);
    at = put_header(at, r, iso + r->captured);
    if (iso) {
        at = put(at, r->is_end ? r->status : USBMON_EXDEV, 4);
        at = put(at, 0, 4); /* where its data begins */
        at = put(at, r->bytes, 4);
        at = put(at, 0, 4);
    }
    return at - out;
}

uint32_t usbmon_room(uint32_t snaplen, usbmon_xfer xfer, uint32_t bytes)
{
    uint32_t room = snaplen - USBMON_HEADER_BYTES -
                    (xfer == USBMON_ISOCH ? USBMON_ISO_BYTES : 0);

    return bytes < room ? bytes : room;
}

/* As Linux's xhci-hcd has it; what is not here is a transaction that failed. */
static const struct {
    uint8_t cc;
    int8_t isoch, other;
} statuses[] = {
    { CC_SUCCESS, 0, 0 },
    { CC_SHORT_PACKET, 0, 0 },
    { CC_MISSED_SERVICE, USBMON_EXDEV, USBMON_EXDEV },
    { CC_STALL_ERROR, USBMON_EPROTO, USBMON_EPIPE },
    { CC_BABBLE_DETECTED, USBMON_EOVERFLOW, USBMON_EOVERFLOW },
    { CC_ISOCH_BUFFER_OVERRUN, USBMON_EOVERFLOW, USBMON_EOVERFLOW },
    { CC_BANDWIDTH_OVERRUN, USBMON_ECOMM, USBMON_ECOMM },
    { CC_DATA_BUFFER_ERROR, USBMON_ENOSR, USBMON_ENOSR },
};

int32_t usbmon_status(usbmon_xfer xfer, unsigned cc)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(*statuses); i++) {
        if (statuses[i].cc == cc) {
            return xfer == USBMON_ISOCH ? statuses[i].isoch : statuses[i].other;
        }
    }
    return USBMON_EPROTO;
}
