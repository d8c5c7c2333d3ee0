/*
 * Profile "zero" as its parts see it: the numbers of its descriptors, and
 * what of it needs no QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_ZERO_H
#define ISOLAB_AV_ZERO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hw/av/setup.h"

enum {
    /* bConfigurationValue */
    ISOAV_ZERO_SOURCE_SINK = 3,
    ISOAV_ZERO_LOOPBACK = 2,

    /* endpoint numbers, each IN and OUT */
    ISOAV_ZERO_BULK = 1,
    ISOAV_ZERO_ISOCH = 2,
    ISOAV_ZERO_INTERRUPT = 3,
    ISOAV_ZERO_EPS = 4,

    /* alternates of source and sink; all of them have the bulk endpoints */
    ISOAV_ZERO_ALT_BULK = 0,
    ISOAV_ZERO_ALT_ISOCH = 1,
    ISOAV_ZERO_ALT_INTERRUPT = 2,

    /* vendor requests to the device: write a buffer, read it back */
    ISOAV_ZERO_REQ_WRITE = 0x5b,
    ISOAV_ZERO_REQ_READ = 0x5c,
    ISOAV_ZERO_BUFFER = 4096,

    ISOAV_ZERO_PACKET_MAX = 1024,
};

/* What the source sends and the sink expects; usbtest's `pattern`. */
typedef enum {
    ISOAV_ZERO_PATTERN_ZEROS = 0,
    ISOAV_ZERO_PATTERN_MOD63 = 1, /* byte i of a packet is i modulo 63 */
    ISOAV_ZERO_PATTERN_ANY = 2,   /* zeros are sent, nothing is checked */
    ISOAV_ZERO_PATTERNS,
} isoav_zero_pattern;

/* ISOAV_ZERO_PACKET_MAX bytes, the beginning of every packet. */
const uint8_t *isoav_zero_packet(isoav_zero_pattern pattern);

/* Is this the beginning of a packet as the sink expects it? */
bool isoav_zero_packet_ok(isoav_zero_pattern pattern, const uint8_t *bytes,
                          size_t count);

/* A vendor request; the result is that of isoav_profile.handle_control. */
int isoav_zero_request(uint8_t *buffer, const isoav_setup *setup,
                       uint8_t *data);

#endif
