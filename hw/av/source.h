/*
 * The test source: payloads that begin somewhere in a ramp (isoav.h rule 6), so
 * that there are 256 of each size, and a packet that repeats one of them need
 * not compute its CRC again.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_SOURCE_H
#define ISOLAB_AV_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "isolab/isoav.h"

/* What is known of the payloads of one size; zeros: nothing. No state. */
typedef struct {
    uint16_t length;
    uint32_t carried[4][256]; /* a CRC's bytes, so many bytes later */
    uint32_t crc[256];
    bool is_known[256];
} isoav_source;

/*
 * Makes the head of a packet with header->length bytes of payload, by its
 * sequence number, and returns the payload. Sets header->crc.
 */
const uint8_t *isoav_source_packet(isoav_source *s, uint8_t *head,
                                   isoav_packet *header);

#endif
