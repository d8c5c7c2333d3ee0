/*
 * The wire format: where each field of the header stands, in figures, and
 * what is refused.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "hw/av/packet.h"

static const isoav_packet example = {
    .version = ISOAV_PROTOCOL_VERSION,
    .stream = ISOAV_STREAM_VIDEO,
    .flags = ISOAV_FLAG_SOF | ISOAV_FLAG_SKIPPED,
    .sequence = 0x11223344,
    .frame = 0x55667788,
    .microframe = 0x0102030405060708,
    .offset = 0x99aabbcc,
    .length = 4,
};

/* The example with the payload "data". */
static const uint8_t example_wire[] = {
    0x49, 0x53, 0x4f, 0x50,                         /*  0 "ISOP" */
    0x01,                                           /*  4 version */
    0x01,                                           /*  5 stream */
    0x05,                                           /*  6 flags */
    0x24,                                           /*  7 header size */
    0x44, 0x33, 0x22, 0x11,                         /*  8 sequence */
    0x88, 0x77, 0x66, 0x55,                         /* 12 frame */
    0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01, /* 16 microframe */
    0xcc, 0xbb, 0xaa, 0x99,                         /* 24 offset */
    0x04, 0x00,                                     /* 28 length */
    0x00, 0x00,                                     /* 30 reserved */
    0x71, 0x54, 0x93, 0x2c,                         /* 32 crc */
    'd',  'a',  't',  'a',
};

static void test_layout(void)
{
    uint8_t wire[sizeof(example_wire)];
    isoav_packet header = example;

    memset(wire, 0xee, sizeof(wire));
    memcpy(wire + ISOAV_HEADER_BYTES, "data", 4);
    g_assert_cmpuint(isoav_packet_build(wire, &header), ==, sizeof(wire));
    g_assert_cmpmem(wire, sizeof(wire), example_wire, sizeof(example_wire));
}

static void test_loads_what_was_stored(void)
{
    isoav_packet header = { 0 };

    g_assert_cmpint(
        isoav_packet_check(&header, example_wire, sizeof(example_wire)), ==,
        ISOAV_PACKET_OK);
    g_assert_cmpuint(header.version, ==, example.version);
    g_assert_cmpuint(header.stream, ==, example.stream);
    g_assert_cmpuint(header.flags, ==, example.flags);
    g_assert_cmphex(header.sequence, ==, example.sequence);
    g_assert_cmphex(header.frame, ==, example.frame);
    g_assert_cmphex(header.microframe, ==, example.microframe);
    g_assert_cmphex(header.offset, ==, example.offset);
    g_assert_cmpuint(header.length, ==, example.length);
}

/*
 * The figure is Python's zlib.crc32(bytes(32) + b"123456789"): the CRC field
 * itself is left out.
 */
static void test_crc_leaves_its_own_field_out(void)
{
    uint8_t wire[ISOAV_HEADER_BYTES + 9] = { 0 };

    memset(wire + ISOAV_OFF_CRC, 0xff, 4);
    memcpy(wire + ISOAV_HEADER_BYTES, "123456789", 9);
    g_assert_cmphex(isoav_packet_crc(wire, 9), ==, 0x4370ad22);
}

/* isoav.h names zlib's crc32, which drivers use. Every length that fits, so
 * that whatever a routine does in steps of so many bytes has been done. */
static void test_crc_is_that_of_zlib(void)
{
    static uint8_t wire[ISOAV_PACKET_MAX];
    uint32_t payload_max = sizeof(wire) - ISOAV_HEADER_BYTES;

    for (size_t i = 0; i < sizeof(wire); i++) {
        wire[i] = i * i >> 3;
    }
    for (uint32_t n = 0; n <= payload_max; n++) {
        uLong crc = crc32(0, wire, ISOAV_OFF_CRC);

        crc = crc32(crc, wire + ISOAV_HEADER_BYTES, n);
        g_assert_cmphex(isoav_packet_crc(wire, n), ==, crc);
    }
}

static void expect(uint32_t offset, uint8_t value, uint32_t bytes, int verdict)
{
    uint8_t wire[sizeof(example_wire)];
    isoav_packet header;

    memcpy(wire, example_wire, sizeof(wire));
    wire[offset] = value;
    g_assert_cmpint(isoav_packet_check(&header, wire, bytes), ==, verdict);
}

static void test_refuses_bad_packets(void)
{
    uint32_t all = sizeof(example_wire);

    expect(0, 0x49, all, ISOAV_PACKET_OK);
    expect(0, 0x49, 0, ISOAV_PACKET_TOO_SHORT);
    expect(0, 0x49, ISOAV_HEADER_BYTES - 1, ISOAV_PACKET_TOO_SHORT);
    expect(0, 0x48, all, ISOAV_PACKET_BAD_MAGIC);
    expect(3, 0x00, all, ISOAV_PACKET_BAD_MAGIC);
    expect(4, 2, all, ISOAV_PACKET_BAD_VERSION);
    expect(7, 32, all, ISOAV_PACKET_BAD_VERSION);
    expect(28, 3, all, ISOAV_PACKET_BAD_LENGTH);
    expect(29, 1, all, ISOAV_PACKET_BAD_LENGTH);
    expect(0, 0x49, all - 1, ISOAV_PACKET_BAD_LENGTH);
}

/* No bit of a packet is without a check. */
static void test_notices_each_flipped_bit(void)
{
    for (uint32_t bit = 0; bit < sizeof(example_wire) * 8; bit++) {
        uint8_t wire[sizeof(example_wire)];
        isoav_packet header;

        memcpy(wire, example_wire, sizeof(wire));
        wire[bit / 8] ^= 1 << bit % 8;
        g_assert_cmpint(isoav_packet_check(&header, wire, sizeof(wire)), !=,
                        ISOAV_PACKET_OK);
    }
}

static void test_payload_pattern(void)
{
    uint8_t payload[600];

    memcpy(payload, isoav_packet_payload(0x1fe), sizeof(payload));
    g_assert_cmphex(payload[0], ==, 0xfe);
    g_assert_cmphex(payload[1], ==, 0xff);
    g_assert_cmphex(payload[2], ==, 0x00);
    g_assert_cmphex(payload[258], ==, 0x00);
    g_assert_true(isoav_packet_payload_ok(payload, sizeof(payload), 0x1fe));
    g_assert_false(isoav_packet_payload_ok(payload, sizeof(payload), 0x1ff));
    payload[599] ^= 1;
    g_assert_false(isoav_packet_payload_ok(payload, sizeof(payload), 0x1fe));
    g_assert_true(isoav_packet_payload_ok(payload, 599, 0x1fe));
    g_assert_true(isoav_packet_payload_ok(payload, 0, 0));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/av/packet/layout", test_layout);
    g_test_add_func("/av/packet/loads-what-was-stored",
                    test_loads_what_was_stored);
    g_test_add_func("/av/packet/crc-leaves-its-own-field-out",
                    test_crc_leaves_its_own_field_out);
    g_test_add_func("/av/packet/crc-is-that-of-zlib", test_crc_is_that_of_zlib);
    g_test_add_func("/av/packet/refuses-bad-packets", test_refuses_bad_packets);
    g_test_add_func("/av/packet/notices-each-flipped-bit",
                    test_notices_each_flipped_bit);
    g_test_add_func("/av/packet/payload-pattern", test_payload_pattern);
    return g_test_run();
}
