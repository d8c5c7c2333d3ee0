/*
 * Packets of the wire protocol as whole units: header, payload and CRC.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_PACKET_H
#define ISOLAB_AV_PACKET_H

#include "isolab/isoav.h"

/* What isoav_packet_check adds to the verdicts of isoav_packet_load. */
enum {
    ISOAV_PACKET_BAD_CRC = ISOAV_PACKET_BAD_LENGTH + 1,
    ISOAV_PACKET_BAD_STREAM,
    ISOAV_PACKET_BAD_SEQUENCE, /* a number that has been seen before */
    ISOAV_PACKET_BAD_PAYLOAD,  /* not the pattern of isoav.h rule 6 */
    ISOAV_PACKET_BABBLE,       /* more bytes than the endpoint may carry */
};

/* The CRC over wire[0..31] and the payload that follows the header. */
uint32_t isoav_packet_crc(const uint8_t *wire, uint32_t payload_bytes);

/* The same of a header and a payload that lies elsewhere. */
uint32_t isoav_packet_crc_of(const uint8_t *head, const uint8_t *payload,
                             uint32_t payload_bytes);

/*
 * Makes the header of a packet with header->length bytes of payload, which may
 * lie elsewhere. Sets header->crc.
 */
void isoav_packet_build_head(uint8_t *head, isoav_packet *header,
                             const uint8_t *payload);

/*
 * Finishes a packet whose payload, header->length bytes, is in place after
 * the header. Sets header->crc; returns the packet's size.
 */
uint32_t isoav_packet_build(uint8_t *wire, isoav_packet *header);

/* Loads a received packet and checks all of it; an ISOAV_PACKET_* verdict. */
int isoav_packet_check(isoav_packet *header, const uint8_t *wire,
                       uint32_t bytes);

/*
 * The payload of the test streams (isoav.h rule 6), at most
 * ISOAV_PACKET_MAX_SUPER bytes of it: constant data, not to be freed.
 */
const uint8_t *isoav_packet_payload(uint32_t sequence);
int isoav_packet_payload_ok(const uint8_t *payload, uint32_t bytes,
                            uint32_t sequence);

#endif
