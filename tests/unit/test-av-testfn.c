/*
 * The test function: what the sink calls good, bad and lost, and the bounds
 * of the loopback queue.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/packet.h"
#include "hw/av/testfn.h"

typedef struct {
    uint8_t wire[ISOAV_PACKET_MAX];
    uint32_t bytes;
} packet;

static packet make(uint32_t sequence, uint16_t length)
{
    isoav_packet header = {
        .version = ISOAV_PROTOCOL_VERSION,
        .stream = ISOAV_STREAM_TEST_OUT,
        .sequence = sequence,
        .length = length,
    };
    packet p;

    memcpy(p.wire + ISOAV_HEADER_BYTES, isoav_packet_payload(sequence), length);
    p.bytes = isoav_packet_build(p.wire, &header);
    return p;
}

static isoav_testfn *start(void)
{
    isoav_testfn *t = g_new0(isoav_testfn, 1);

    isoav_testfn_start(t);
    return t;
}

static void expect(isoav_testfn *t, packet p, int verdict, uint32_t lost)
{
    isoav_testfn_result r = isoav_testfn_check(t, p.wire, p.bytes);

    g_assert_cmpint(r.verdict, ==, verdict);
    g_assert_cmpuint(r.lost, ==, lost);
}

static void test_takes_packets_in_order(void)
{
    g_autofree isoav_testfn *t = start();

    for (uint32_t i = 0; i < 1000; i++) {
        expect(t, make(i, i % 2 ? 156 : 0), ISOAV_PACKET_OK, 0);
    }
}

static void test_counts_lost_packets(void)
{
    g_autofree isoav_testfn *t = start();

    expect(t, make(3, 10), ISOAV_PACKET_OK, 3);
    expect(t, make(4, 10), ISOAV_PACKET_OK, 0);
    expect(t, make(10, 10), ISOAV_PACKET_OK, 5);
}

static void test_a_repeated_packet_is_bad(void)
{
    g_autofree isoav_testfn *t = start();

    expect(t, make(0, 10), ISOAV_PACKET_OK, 0);
    expect(t, make(1, 10), ISOAV_PACKET_OK, 0);
    expect(t, make(1, 10), ISOAV_PACKET_BAD_SEQUENCE, 0);
    expect(t, make(0, 10), ISOAV_PACKET_BAD_SEQUENCE, 0);
    expect(t, make(2, 10), ISOAV_PACKET_OK, 0);
}

static void test_the_sequence_wraps(void)
{
    g_autofree isoav_testfn *t = start();

    t->expected = UINT32_MAX;
    expect(t, make(UINT32_MAX, 10), ISOAV_PACKET_OK, 0);
    expect(t, make(0, 10), ISOAV_PACKET_OK, 0);
    t->expected = UINT32_MAX;
    expect(t, make(2, 10), ISOAV_PACKET_OK, 3);
}

/* A damaged packet is bad, and its number missing afterwards. */
static void test_bad_packets_are_not_believed(void)
{
    g_autofree isoav_testfn *t = start();
    packet p = make(0, 10);

    expect(t, p, ISOAV_PACKET_OK, 0);

    p = make(1, 10);
    p.wire[40] ^= 1;
    expect(t, p, ISOAV_PACKET_BAD_CRC, 0);
    p.bytes = 20;
    expect(t, p, ISOAV_PACKET_TOO_SHORT, 0);
    p.bytes = 0;
    expect(t, p, ISOAV_PACKET_TOO_SHORT, 0);

    expect(t, make(2, 10), ISOAV_PACKET_OK, 1);
}

/* Rebuilds the CRC after a change, so that only the change is wrong. */
static packet change(packet p, uint32_t offset, uint8_t value)
{
    p.wire[offset] = value;
    isoav_put32(p.wire + ISOAV_OFF_CRC,
                isoav_packet_crc(p.wire, p.bytes - ISOAV_HEADER_BYTES));
    return p;
}

static void test_checks_stream_and_payload(void)
{
    g_autofree isoav_testfn *t = start();
    packet p = make(0, 10);

    expect(t, change(p, ISOAV_OFF_STREAM, ISOAV_STREAM_TEST_IN),
           ISOAV_PACKET_BAD_STREAM, 0);
    expect(t, change(p, ISOAV_HEADER_BYTES + 9, 0x55), ISOAV_PACKET_BAD_PAYLOAD,
           0);
    expect(t, change(p, ISOAV_HEADER_BYTES + 9, 9), ISOAV_PACKET_OK, 0);
}

static void expect_pop(isoav_testfn *t, const packet *want)
{
    const isoav_loopback_packet *got = isoav_testfn_pop(t);

    g_assert_nonnull(got);
    g_assert_cmpmem(got->wire, got->bytes, want->wire, want->bytes);
}

static void test_loopback_keeps_order_and_bytes(void)
{
    g_autofree isoav_testfn *t = start();
    uint8_t wire[ISOAV_PACKET_MAX];

    g_assert_null(isoav_testfn_pop(t));
    for (uint32_t i = 0; i < 200; i++) {
        packet a = make(i, i), b = make(i + 1, 3036 - i);

        g_assert_true(isoav_testfn_push(t, a.wire, a.bytes));
        g_assert_true(isoav_testfn_push(t, b.wire, b.bytes));
        g_assert_true(isoav_testfn_push(t, wire, 0));
        expect_pop(t, &a);
        expect_pop(t, &b);
        expect_pop(t, &(packet){ .bytes = 0 });
        g_assert_null(isoav_testfn_pop(t));
    }
}

static void test_loopback_is_bounded(void)
{
    g_autofree isoav_testfn *t = start();
    packet p = make(0, 8);

    for (uint32_t i = 0; i < 64; i++) {
        p = make(i, 8);
        g_assert_true(isoav_testfn_push(t, p.wire, p.bytes));
    }
    g_assert_false(isoav_testfn_push(t, p.wire, p.bytes));
    p = make(0, 8);
    expect_pop(t, &p);
    p = make(99, 8);
    g_assert_true(isoav_testfn_push(t, p.wire, p.bytes));
    g_assert_false(isoav_testfn_push(t, p.wire, p.bytes));
    for (uint32_t i = 1; i < 64; i++) {
        p = make(i, 8);
        expect_pop(t, &p);
    }
    p = make(99, 8);
    expect_pop(t, &p);
    g_assert_null(isoav_testfn_pop(t));
    g_assert_false(isoav_testfn_push(t, p.wire, ISOAV_PACKET_MAX + 1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/av/testfn/takes-packets-in-order",
                    test_takes_packets_in_order);
    g_test_add_func("/av/testfn/counts-lost-packets", test_counts_lost_packets);
    g_test_add_func("/av/testfn/a-repeated-packet-is-bad",
                    test_a_repeated_packet_is_bad);
    g_test_add_func("/av/testfn/the-sequence-wraps", test_the_sequence_wraps);
    g_test_add_func("/av/testfn/bad-packets-are-not-believed",
                    test_bad_packets_are_not_believed);
    g_test_add_func("/av/testfn/checks-stream-and-payload",
                    test_checks_stream_and_payload);
    g_test_add_func("/av/testfn/loopback-keeps-order-and-bytes",
                    test_loopback_keeps_order_and_bytes);
    g_test_add_func("/av/testfn/loopback-is-bounded", test_loopback_is_bounded);
    return g_test_run();
}
