/* SPDX-License-Identifier: MIT */
#include "testdata.h"

#include <string.h>
#include <zlib.h>

static uint32_t packet_crc(const uint8_t *wire, uint32_t payload_bytes)
{
    uLong crc = crc32(0, wire, ISOAV_OFF_CRC);

    return (uint32_t)crc32(crc, wire + ISOAV_HEADER_BYTES, payload_bytes);
}

uint32_t testdata_put(uint8_t *buffer, uint32_t at, uint32_t sequence,
                      const uint8_t *payload, uint32_t bytes)
{
    isoav_record record = { .length = ISOAV_HEADER_BYTES + bytes };
    isoav_packet packet = { .version = ISOAV_PROTOCOL_VERSION,
                            .stream = ISOAV_STREAM_TEST_OUT,
                            .sequence = sequence,
                            .length = (uint16_t)bytes };
    uint8_t *wire = buffer + at + sizeof(record);
    uint32_t i;

    record.record_bytes = ISOAV_RECORD_BYTES(record.length);
    memset(buffer + at, 0, record.record_bytes);
    memcpy(buffer + at, &record, sizeof(record));
    isoav_packet_store(wire, &packet);
    for (i = 0; i < bytes; i++) {
        wire[ISOAV_HEADER_BYTES + i] =
            payload ? payload[i] : (uint8_t)(sequence + i);
    }
    isoav_put32(wire + ISOAV_OFF_CRC, packet_crc(wire, bytes));
    return at + record.record_bytes;
}

bool testdata_has_crc(const uint8_t *wire, const isoav_packet *packet)
{
    return packet->crc == packet_crc(wire, packet->length);
}

bool testdata_is_right(const uint8_t *wire, uint32_t bytes,
                       isoav_packet *packet)
{
    uint32_t i;

    if (isoav_packet_load(packet, wire, bytes) != ISOAV_PACKET_OK ||
        !testdata_has_crc(wire, packet)) {
        return false;
    }
    for (i = 0; i < packet->length; i++) {
        if (wire[ISOAV_HEADER_BYTES + i] != (uint8_t)(packet->sequence + i)) {
            return false;
        }
    }
    return true;
}
