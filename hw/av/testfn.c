/*
 * The test function's two halves.
 *
 * Sink: every packet of 02h is judged by itself (header, CRC, payload), then
 * its sequence number by those before it.
 *
 *  1. A bad packet counts as bad and its sequence number is not believed, so
 *     the number that it should have brought shows up as lost as soon as the
 *     next good packet steps over it.
 *  2. A number from the past (a repeated packet) is bad, too; it changes
 *     nothing. "Past" is the nearer half of the circle of 2^32.
 *
 * Loopback: a queue of packets, byte for byte, bad ones included. It is
 * bounded: when it is full a new packet is dropped, and the host sees a step
 * in the sequence numbers that come back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/testfn.h"

#include <string.h>

#include "hw/av/packet.h"

void isoav_testfn_start(isoav_testfn *t)
{
    t->expected = 0;
    t->first = 0;
    t->count = 0;
}

isoav_testfn_result isoav_testfn_check(isoav_testfn *t, const uint8_t *wire,
                                       uint32_t bytes)
{
    isoav_testfn_result r = { 0 };
    isoav_packet *header = &r.header;
    uint32_t step;

    r.verdict = isoav_packet_check(header, wire, bytes);
    if (r.verdict != ISOAV_PACKET_OK) {
        return r;
    }
    if (header->stream != ISOAV_STREAM_TEST_OUT) {
        r.verdict = ISOAV_PACKET_BAD_STREAM;
        return r;
    }
    if (!isoav_packet_payload_ok(wire + ISOAV_HEADER_BYTES, header->length,
                                 header->sequence)) {
        r.verdict = ISOAV_PACKET_BAD_PAYLOAD;
        return r;
    }
    /* Rule 2. */
    step = header->sequence - t->expected;
    if (step >= UINT32_C(1) << 31) {
        r.verdict = ISOAV_PACKET_BAD_SEQUENCE;
        return r;
    }
    r.lost = step;
    t->expected = header->sequence + 1;
    return r;
}

bool isoav_testfn_push(isoav_testfn *t, const uint8_t *wire, uint32_t bytes)
{
    isoav_loopback_packet *slot;

    if (t->count == ISOAV_LOOPBACK_PACKETS || bytes > ISOAV_PACKET_MAX) {
        return false;
    }
    slot = &t->queue[(t->first + t->count) % ISOAV_LOOPBACK_PACKETS];
    memcpy(slot->wire, wire, bytes);
    slot->bytes = (uint16_t)bytes;
    t->count++;
    return true;
}

const isoav_loopback_packet *isoav_testfn_pop(isoav_testfn *t)
{
    const isoav_loopback_packet *oldest = &t->queue[t->first];

    if (t->count == 0) {
        return NULL;
    }
    t->first = (t->first + 1) % ISOAV_LOOPBACK_PACKETS;
    t->count--;
    return oldest;
}
