/*
 * Building and checking packets. isolab/isoav.h converts the header; what
 * needs a CRC routine is here, because the users of that header have
 * different ones (the Windows kernel none at all).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/packet.h"

#include <glib.h>
#include <libdeflate.h>
#include <string.h>

uint32_t isoav_packet_crc_of(const uint8_t *head, const uint8_t *payload,
                             uint32_t payload_bytes)
{
    uint32_t crc = libdeflate_crc32(0, head, ISOAV_OFF_CRC);

    /* a pointer of NULL would ask for the CRC of nothing at all */
    return payload ? libdeflate_crc32(crc, payload, payload_bytes) : crc;
}

uint32_t isoav_packet_crc(const uint8_t *wire, uint32_t payload_bytes)
{
    return isoav_packet_crc_of(wire, wire + ISOAV_HEADER_BYTES, payload_bytes);
}

void isoav_packet_build_head(uint8_t *head, isoav_packet *header,
                             const uint8_t *payload)
{
    isoav_packet_store(head, header);
    header->crc = isoav_packet_crc_of(head, payload, header->length);
    isoav_put32(head + ISOAV_OFF_CRC, header->crc);
}

uint32_t isoav_packet_build(uint8_t *wire, isoav_packet *header)
{
    isoav_packet_build_head(wire, header, wire + ISOAV_HEADER_BYTES);
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

/* 0, 1, ... 255, 0, 1, ...: the payload of every sequence number begins
 * somewhere in the first 256 bytes. */
static const uint8_t *ramp(void)
{
    static uint8_t bytes[ISOAV_PACKET_MAX_SUPER + 256];
    static gsize ready;

    if (g_once_init_enter(&ready)) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)i;
        }
        g_once_init_leave(&ready, 1);
    }
    return bytes;
}

const uint8_t *isoav_packet_payload(uint32_t sequence)
{
    return ramp() + (uint8_t)sequence;
}

int isoav_packet_payload_ok(const uint8_t *payload, uint32_t bytes,
                            uint32_t sequence)
{
    return memcmp(payload, isoav_packet_payload(sequence), bytes) == 0;
}
