/*
 * What profile "zero" is made of: patterns, vendor requests, and the queue of
 * its loopback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/fifo.h"
#include "hw/av/zero.h"

static void test_patterns(void)
{
    const uint8_t *zeros = isoav_zero_packet(ISOAV_ZERO_PATTERN_ZEROS);
    const uint8_t *mod63 = isoav_zero_packet(ISOAV_ZERO_PATTERN_MOD63);

    for (int i = 0; i < ISOAV_ZERO_PACKET_MAX; i++) {
        g_assert_cmpint(zeros[i], ==, 0);
        g_assert_cmpint(mod63[i], ==, i % 63);
    }
}

static void test_checks(void)
{
    uint8_t bytes[ISOAV_ZERO_PACKET_MAX];

    memcpy(bytes, isoav_zero_packet(ISOAV_ZERO_PATTERN_MOD63), sizeof(bytes));
    g_assert_true(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_MOD63, bytes, 512));
    g_assert_false(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_ZEROS, bytes, 512));
    g_assert_true(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_ANY, bytes, 512));
    /* only as far as the packet goes */
    bytes[511] ^= 1;
    g_assert_false(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_MOD63, bytes, 512));
    g_assert_true(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_MOD63, bytes, 511));
    g_assert_true(isoav_zero_packet_ok(ISOAV_ZERO_PATTERN_ZEROS, bytes, 0));
}

static int request(uint8_t *buffer, uint8_t type, uint8_t number,
                   uint16_t value, uint16_t index, uint16_t length,
                   uint8_t *data)
{
    isoav_setup setup = { type, number, value, index, length };

    return isoav_zero_request(buffer, &setup, data);
}

static void test_requests(void)
{
    uint8_t buffer[ISOAV_ZERO_BUFFER] = { 0 }, data[ISOAV_ZERO_BUFFER];

    memset(data, 0x5a, sizeof(data));
    g_assert_cmpint(request(buffer, 0x40, 0x5b, 0, 0, 4096, data), ==, 0);
    memset(data, 0, sizeof(data));
    g_assert_cmpint(request(buffer, 0xc0, 0x5c, 0, 0, 100, data), ==, 100);
    g_assert_cmpint(data[0], ==, 0x5a);
    g_assert_cmpint(data[99], ==, 0x5a);
    g_assert_cmpint(data[100], ==, 0);
    g_assert_cmpint(request(buffer, 0xc0, 0x5c, 0, 0, 0, data), ==, 0);
}

/* Each is wrong in one thing, and none of them writes. */
static void test_requests_refused(void)
{
    static const isoav_setup wrong[] = {
        { 0x40, 0x5b, 1, 0, 16 },   { 0x40, 0x5b, 0, 1, 16 },
        { 0x41, 0x5b, 0, 0, 16 },   { 0xc0, 0x5b, 0, 0, 16 },
        { 0x40, 0x5c, 0, 0, 16 },   { 0xc0, 0x5c, 1, 0, 16 },
        { 0x40, 0x5b, 0, 0, 4097 }, { 0xc0, 0x5c, 0, 0, 4097 },
        { 0x40, 0x5d, 0, 0, 16 },
    };
    uint8_t buffer[ISOAV_ZERO_BUFFER] = { 0 }, data[ISOAV_ZERO_BUFFER];

    memset(data, 0x5a, sizeof(data));
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_assert_cmpint(isoav_zero_request(buffer, &wrong[i], data), ==,
                        ISOAV_CONTROL_STALL);
        g_assert_cmpint(buffer[0], ==, 0);
        g_assert_cmpint(data[0], ==, 0x5a);
    }
}

static void push(isoav_fifo *f, uint32_t count, uint8_t value)
{
    uint8_t *place = isoav_fifo_push(f, count);

    g_assert_nonnull(place);
    memset(place, value, count);
    g_assert_true(isoav_fifo_is_sane(f));
}

static void expect_pop(isoav_fifo *f, uint32_t max, uint32_t want,
                       uint8_t value)
{
    uint32_t count = 0;
    const uint8_t *place = isoav_fifo_pop(f, max, &count);

    g_assert_nonnull(place);
    g_assert_cmpint(count, ==, want);
    for (uint32_t i = 0; i < count; i++) {
        g_assert_cmpint(place[i], ==, value);
    }
    g_assert_true(isoav_fifo_is_sane(f));
}

static void test_fifo_keeps_transfers(void)
{
    g_autofree isoav_fifo *f = g_new0(isoav_fifo, 1);
    uint32_t count;

    g_assert_null(isoav_fifo_pop(f, 100, &count));
    push(f, 100, 1);
    push(f, 0, 0);
    push(f, 50, 2);
    expect_pop(f, 60, 60, 1); /* in pieces */
    expect_pop(f, 60, 40, 1); /* and no further than to its end */
    expect_pop(f, 60, 0, 0);
    expect_pop(f, 60, 50, 2);
    g_assert_null(isoav_fifo_pop(f, 100, &count));
}

static void test_fifo_is_bounded(void)
{
    g_autofree isoav_fifo *f = g_new0(isoav_fifo, 1);

    push(f, ISOAV_FIFO_BYTES, 1);
    g_assert_null(isoav_fifo_push(f, 1));
    expect_pop(f, UINT32_MAX, ISOAV_FIFO_BYTES, 1);
    for (int i = 0; i < ISOAV_FIFO_TRANSFERS; i++) {
        push(f, 1, (uint8_t)i);
    }
    g_assert_null(isoav_fifo_push(f, 1));
    expect_pop(f, 1, 1, 0);
    push(f, 1, 64);
    for (int i = 1; i <= ISOAV_FIFO_TRANSFERS; i++) {
        expect_pop(f, 1, 1, (uint8_t)i);
    }
}

/* There is room in all, but not behind the bytes that wait. */
static void test_fifo_moves_to_front(void)
{
    g_autofree isoav_fifo *f = g_new0(isoav_fifo, 1);

    push(f, ISOAV_FIFO_BYTES - 10, 1);
    push(f, 10, 2);
    expect_pop(f, UINT32_MAX, ISOAV_FIFO_BYTES - 10, 1);
    push(f, 100, 3);
    expect_pop(f, 100, 10, 2);
    expect_pop(f, 100, 100, 3);
}

static void test_fifo_sanity(void)
{
    g_autofree isoav_fifo *f = g_new0(isoav_fifo, 1);

    g_assert_true(isoav_fifo_is_sane(f));
    f->first = ISOAV_FIFO_BYTES + 1;
    g_assert_false(isoav_fifo_is_sane(f));
    f->first = 1;
    f->bytes = ISOAV_FIFO_BYTES;
    g_assert_false(isoav_fifo_is_sane(f));
    f->bytes = 5;
    g_assert_false(isoav_fifo_is_sane(f));
    f->transfers = 1;
    f->lengths[0] = 5;
    g_assert_true(isoav_fifo_is_sane(f));
    f->first_length = ISOAV_FIFO_TRANSFERS;
    g_assert_false(isoav_fifo_is_sane(f));
    f->first_length = 0;
    f->transfers = ISOAV_FIFO_TRANSFERS + 1;
    g_assert_false(isoav_fifo_is_sane(f));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/zero/patterns", test_patterns);
    g_test_add_func("/zero/checks", test_checks);
    g_test_add_func("/zero/requests", test_requests);
    g_test_add_func("/zero/requests-refused", test_requests_refused);
    g_test_add_func("/zero/fifo/keeps-transfers", test_fifo_keeps_transfers);
    g_test_add_func("/zero/fifo/is-bounded", test_fifo_is_bounded);
    g_test_add_func("/zero/fifo/moves-to-front", test_fifo_moves_to_front);
    g_test_add_func("/zero/fifo/sanity", test_fifo_sanity);
    return g_test_run();
}
