/*
 * Everything usb-isoav is, apart from QEMU: configuration, alternates,
 * streams, counters, as one plain struct that a unit test can drive.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_STREAMS_H
#define ISOLAB_AV_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/av/source.h"
#include "hw/av/testfn.h"
#include "hw/av/video.h"
#include "isolab/isoav.h"

enum {
    ISOAV_IFACES = 2,
    ISOAV_CONFIGURATION = 1, /* the one bConfigurationValue */
};

typedef struct {
    bool is_full; /* the owner's to set: at full speed, whose alternates differ
                   */
    bool is_configured;

    /* ISOAV_REQ_FORMAT and ISOAV_REQ_MODE */
    uint16_t width, height;
    uint32_t interval_100ns;
    uint8_t mode;

    /* by interface */
    uint8_t alternate[ISOAV_IFACES];
    uint32_t sequence[ISOAV_IFACES]; /* of the next packet to the host */
    uint64_t counters[ISOAV_IFACES][ISOAV_COUNTERS];

    isoav_video video;
    isoav_testfn test;
    isoav_source source; /* no state */

    /*
     * The picture of frame pixels_frame, ISOLAB_PATTERN_BYTES_MAX of room,
     * the owner's memory. It can be drawn again at any time and is no state.
     */
    uint8_t *pixels;
    uint64_t pixels_frame;
    bool has_pixels;
} isoav_streams;

/* The largest packet of an alternate (header and payload), 0 for none. */
uint32_t isoav_streams_packet_max(const isoav_streams *s, int iface,
                                  int alternate);

/* Unconfigured, default format and mode. */
void isoav_streams_reset(isoav_streams *s);

/* SET_CONFIGURATION and SET_INTERFACE, both already found to be legal. */
void isoav_streams_configure(isoav_streams *s, int configuration);
void isoav_streams_select(isoav_streams *s, int iface, int alternate);

/*
 * The answer to an IN token: a head and a payload, of which either may be
 * empty. The payload is where it was made and good until the next call, so
 * that it is copied once, by whoever sends it.
 */
typedef struct {
    isoav_packet header; /* what the packet says */
    uint8_t head[ISOAV_HEADER_BYTES];
    uint32_t head_bytes;
    const uint8_t *payload;
    uint32_t payload_bytes;
} isoav_reply;

/*
 * An IN token for this interface's endpoint. Returns false when the present
 * alternate has no such endpoint.
 */
bool isoav_streams_send(isoav_streams *s, int iface, uint64_t microframe,
                        isoav_reply *reply);

/*
 * A packet for 02h. bytes is what the host sent; only as many as fit were
 * stored in wire. *result says what became of it. Returns false when the
 * present alternate has no such endpoint.
 */
bool isoav_streams_receive(isoav_streams *s, const uint8_t *wire,
                           uint32_t bytes, isoav_testfn_result *result);

/* Can this state have come from isoav_streams_*? For migrated state. */
bool isoav_streams_is_sane(const isoav_streams *s);

#endif
