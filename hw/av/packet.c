/*
 * Building and checking packets. isolab/isoav.h converts the header; what
 * needs a CRC routine is here, because the users of that header have
 * different ones (the Windows kernel none at all).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/packet.h"

#include <libdeflate.h>

uint32_t isoav_packet_crc(const uint8_t *wire, uint32_t payload_bytes)
{
    uint32_t crc = libdeflate_crc32(0, wire, ISOAV_OFF_CRC);

    return libdeflate_crc32(crc, wire + ISOAV_HEADER_BYTES, payload_bytes);
}

uint32_t isoav_packet_build(uint8_t *wire, isoav_packet *header)
{
    isoav_packet_store(wire, header);
    header->crc = isoav_packet_crc(wire, header->length);
    isoav_put32(wire + ISOAV_OFF_CRC, header->crc);
    return ISOAV_HEADER_BYTES + (uint32_t)header->length;
}

int isoav_packet_check(isoav_packet *header, const uint8_t *wire,
                       uint32_t bytes)
{
    int verdict = isoav_packet_load(header, wire, bytes);

    if (verdict == ISOAV_PACKET_OK &&
        header->crc != isoav_packet_crc(wire, header->length)) {
        verdict = ISOAV_PACKET_BAD_CRC;
    }
    return verdict;
}

void isoav_packet_fill_payload(uint8_t *payload, uint32_t bytes,
                               uint32_t sequence)
{
    uint32_t i;

    for (i = 0; i < bytes; i++) {
        payload[i] = (uint8_t)(sequence + i);
    }
}

int isoav_packet_payload_ok(const uint8_t *payload, uint32_t bytes,
                            uint32_t sequence)
{
    uint8_t difference = 0;
    uint32_t i;

    /* No early exit: the compiler makes vectors of this. */
    for (i = 0; i < bytes; i++) {
        difference |= payload[i] ^ (uint8_t)(sequence + i);
    }
    return difference == 0;
}
