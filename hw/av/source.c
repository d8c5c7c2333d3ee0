/*
 * The test source. CRCs are linear: that of a head and a payload is that of the
 * payload and, for each byte of the head's, what it has become after so many
 * bytes of zeros. zlib's crc32_combine tells what that is; here it is looked
 * up.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/source.h"

#include <libdeflate.h>
#include <string.h>
#include <zlib.h>

#include "hw/av/packet.h"

static void know_nothing(isoav_source *s, uint16_t length)
{
    uLong op = crc32_combine_gen(length);

    s->length = length;
    memset(s->is_known, 0, sizeof(s->is_known));
    for (int k = 0; k < 4; k++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            s->carried[k][byte] =
                (uint32_t)crc32_combine_op(byte << (8 * k), 0, op);
        }
    }
}

static uint32_t join(const isoav_source *s, uint32_t head, uint32_t payload)
{
    return payload ^ s->carried[0][head & 0xff] ^
           s->carried[1][head >> 8 & 0xff] ^ s->carried[2][head >> 16 & 0xff] ^
           s->carried[3][head >> 24];
}

const uint8_t *isoav_source_packet(isoav_source *s, uint8_t *head,
                                   isoav_packet *header)
{
    const uint8_t *payload = isoav_packet_payload(header->sequence);
    uint8_t i = (uint8_t)header->sequence;

    if (s->length != header->length) {
        know_nothing(s, header->length);
    }
    if (!s->is_known[i]) {
        s->crc[i] = libdeflate_crc32(0, payload, header->length);
        s->is_known[i] = true;
    }
    isoav_packet_store(head, header);
    header->crc = join(s, libdeflate_crc32(0, head, ISOAV_OFF_CRC), s->crc[i]);
    isoav_put32(head + ISOAV_OFF_CRC, header->crc);
    return payload;
}
