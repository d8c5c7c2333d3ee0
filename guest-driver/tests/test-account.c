/*
 * Accounting: each way in which a packet goes wrong grows its own counter,
 * and no other.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "account.h"

#define START_UF ((uint64_t)1000000)

static account a;
static uint64_t next_number;
static uint8_t wire[ISOAV_PACKET_MAX];

static void begin(void)
{
    account_init(&a, ISOAV_STREAM_VIDEO, 1);
    next_number = 0;
}

/* A packet as the device builds it; returns its bytes. */
static uint32_t build(uint32_t sequence, uint64_t microframe, uint16_t length)
{
    isoav_packet p = { .version = ISOAV_PROTOCOL_VERSION,
                       .stream = ISOAV_STREAM_VIDEO,
                       .sequence = sequence,
                       .microframe = microframe,
                       .length = length };
    uLong crc;

    isoav_packet_store(wire, &p);
    memset(wire + ISOAV_HEADER_BYTES, 0x5a, length);
    crc = crc32(0, wire, ISOAV_OFF_CRC);
    if (length) {
        crc = crc32(crc, wire + ISOAV_HEADER_BYTES, length);
    }
    isoav_put32(wire + ISOAV_OFF_CRC, (uint32_t)crc);
    return ISOAV_HEADER_BYTES + length;
}

static bool feed(uint32_t bytes, uint32_t status)
{
    isoav_record record = { .packet_status = status,
                            .length = bytes,
                            .packet_number = next_number++ };
    isoav_packet packet;

    return account_record(&a, &record, wire, &packet);
}

/* Sequence number s, sent in the microframe that belongs to it. */
static bool good(uint32_t s)
{
    return feed(build(s, START_UF + s, 100), 0);
}

/*
 * The counters that are not zero, as text: what a test compares, so that an
 * unexpected counter shows too.
 */
static char *troubles(void)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        { "failed", a.failed },
        { "silent", a.silent },
        { "bad_header", a.bad_header },
        { "bad_crc", a.bad_crc },
        { "lost", a.lost },
        { "duplicated", a.duplicated },
        { "out_of_order", a.out_of_order },
        { "late", a.late },
        { "early", a.early },
        { "overflow", a.overflow },
        { "restarts", a.restarts },
    };
    GString *text = g_string_new("");
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (rows[i].value) {
            g_string_append_printf(text, "%s%s=%u", text->len ? " " : "",
                                   rows[i].name, (unsigned)rows[i].value);
        }
    }
    g_assert_cmpint(account_is_perfect(&a), ==, text->len == 0);
    return g_string_free(text, FALSE);
}

#define assert_troubles(expected)           \
    do {                                    \
        char *got = troubles();             \
        g_assert_cmpstr(got, ==, expected); \
        g_free(got);                        \
    } while (0)

static void test_perfect(void)
{
    uint32_t s;

    begin();
    for (s = 0; s < 3000; s++) {
        g_assert_true(good(s));
    }
    assert_troubles("");
    g_assert_cmpuint(a.packets, ==, 3000);
    g_assert_cmpuint(a.bytes, ==, 300000);
    g_assert_cmpuint(a.statuses, ==, 1);
    g_assert_cmpuint(a.status[0].packets, ==, 3000);
}

static void test_empty_packet(void)
{
    begin();
    g_assert_true(feed(build(0, START_UF, 0), 0));
    assert_troubles("");
}

static void test_status(void)
{
    uint32_t i;

    begin();
    good(0);
    /* The device did not send in these microframes: two late. */
    g_assert_false(feed(0, 0xc0000011));
    g_assert_false(feed(0, 0xc0030000));
    feed(build(1, START_UF + 3, 0), 0);
    assert_troubles("failed=2 late=2");
    g_assert_cmpuint(a.statuses, ==, 3);
    g_assert_cmphex(a.status[1].status, ==, 0xc0000011);
    g_assert_cmpuint(a.status[1].packets, ==, 1);
    for (i = 0; i < 20; i++) {
        feed(0, 0xc0000100 + i);
    }
    g_assert_cmpuint(a.statuses, ==, ACCOUNT_STATUSES);
    g_assert_cmpuint(a.other_statuses, ==, 23 - ACCOUNT_STATUSES);
}

/* Data that came with an error is not used, even if it looks right. */
static void test_failed_with_data(void)
{
    begin();
    good(0);
    g_assert_false(feed(build(1, START_UF + 1, 10), 0xc0000011));
    good(2);
    assert_troubles("failed=1 lost=1");
}

static void test_silent(void)
{
    begin();
    good(0);
    g_assert_false(feed(0, 0));
    feed(build(1, START_UF + 2, 0), 0);
    assert_troubles("silent=1 late=1");
}

static void test_bad_header(void)
{
    begin();
    good(0);
    build(1, START_UF + 1, 10);
    g_assert_false(feed(20, 0)); /* less than a header */
    build(2, START_UF + 2, 10);
    g_assert_false(feed(ISOAV_HEADER_BYTES + 9, 0)); /* a byte short */
    build(3, START_UF + 3, 10);
    wire[0] ^= 1;
    g_assert_false(feed(ISOAV_HEADER_BYTES + 10, 0)); /* magic */
    build(4, START_UF + 4, 10);
    wire[ISOAV_OFF_STREAM] = ISOAV_STREAM_TEST_IN;
    g_assert_false(feed(ISOAV_HEADER_BYTES + 10, 0));
    good(5);
    assert_troubles("bad_header=4 lost=4");
}

static void test_bad_crc(void)
{
    begin();
    good(0);
    build(1, START_UF + 1, 10);
    wire[ISOAV_HEADER_BYTES + 9] ^= 0x80; /* last byte of the payload */
    g_assert_false(feed(ISOAV_HEADER_BYTES + 10, 0));
    build(2, START_UF + 2, 10);
    wire[ISOAV_OFF_FRAME] ^= 1; /* in the header */
    g_assert_false(feed(ISOAV_HEADER_BYTES + 10, 0));
    good(3);
    assert_troubles("bad_crc=2 lost=2");
}

static void test_lost(void)
{
    begin();
    good(0);
    good(1);
    good(5);
    good(6);
    assert_troubles("lost=3");
}

static void test_lost_at_start(void)
{
    begin();
    good(2);
    assert_troubles("lost=2");
}

static void test_duplicated(void)
{
    begin();
    good(0);
    good(1);
    g_assert_false(good(1));
    good(2);
    g_assert_false(good(0));
    assert_troubles("duplicated=2");
    g_assert_cmpuint(a.bytes, ==, 300);
}

static void test_out_of_order(void)
{
    begin();
    good(0);
    good(3);
    g_assert_true(good(1));
    g_assert_true(good(2));
    good(4);
    assert_troubles("out_of_order=2");
    g_assert_false(good(2));
    assert_troubles("duplicated=1 out_of_order=2");
}

/* A slot of the window that was used a turn ago says nothing about now. */
static void test_window_is_cleared(void)
{
    uint32_t s;

    begin();
    for (s = 0; s < ACCOUNT_WINDOW; s++) {
        good(s);
    }
    good(ACCOUNT_WINDOW + 3);
    g_assert_true(good(ACCOUNT_WINDOW + 1));
    assert_troubles("lost=2 out_of_order=1");
    for (s = ACCOUNT_WINDOW + 4; s < 4 * ACCOUNT_WINDOW; s++) {
        good(s);
    }
    good(9 * ACCOUNT_WINDOW);
    g_assert_true(good(9 * ACCOUNT_WINDOW - 1));
}

static void test_late(void)
{
    begin();
    feed(build(0, START_UF, 0), 0);
    feed(build(1, START_UF + 4, 0), 0);
    feed(build(2, START_UF + 5, 0), 0);
    assert_troubles("late=3");
}

/* With an interval of 8 microframes, one missed interval is one late. */
static void test_late_in_intervals(void)
{
    begin();
    a.period_uf = 8;
    feed(build(0, START_UF, 0), 0);
    feed(build(1, START_UF + 8, 0), 0);
    feed(build(2, START_UF + 24, 0), 0);
    assert_troubles("late=1");
    feed(build(3, START_UF + 33, 0), 0);
    assert_troubles("late=2");
}

static void test_early(void)
{
    begin();
    feed(build(0, START_UF, 0), 0);
    feed(build(1, START_UF, 0), 0);
    assert_troubles("early=1");
}

/* Lost packets explain their microframes. */
static void test_lost_is_not_late(void)
{
    begin();
    feed(build(0, START_UF, 0), 0);
    feed(build(4, START_UF + 4, 0), 0);
    assert_troubles("lost=3");
}

static void test_overflow(void)
{
    begin();
    good(0);
    next_number += 5;
    good(6);
    assert_troubles("lost=5 overflow=5");
}

static void test_restart(void)
{
    uint32_t s;

    begin();
    for (s = 0; s < 2 * ACCOUNT_WINDOW; s++) {
        good(s);
    }
    g_assert_true(feed(build(0, START_UF + 50000, 10), 0));
    g_assert_true(feed(build(1, START_UF + 50001, 10), 0));
    assert_troubles("restarts=1");
}

static void test_sequence_wraps(void)
{
    begin();
    good(0);
    a.next_sequence = 0xffffffff;
    a.last_uf = START_UF + 0xfffffffeu;
    g_assert_true(good(0xffffffff));
    g_assert_true(feed(build(0, START_UF + 0x100000000u, 10), 0));
    g_assert_true(feed(build(1, START_UF + 0x100000001u, 10), 0));
    assert_troubles("");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/account/perfect", test_perfect);
    g_test_add_func("/account/empty-packet", test_empty_packet);
    g_test_add_func("/account/status", test_status);
    g_test_add_func("/account/failed-with-data", test_failed_with_data);
    g_test_add_func("/account/silent", test_silent);
    g_test_add_func("/account/bad-header", test_bad_header);
    g_test_add_func("/account/bad-crc", test_bad_crc);
    g_test_add_func("/account/lost", test_lost);
    g_test_add_func("/account/lost-at-start", test_lost_at_start);
    g_test_add_func("/account/duplicated", test_duplicated);
    g_test_add_func("/account/out-of-order", test_out_of_order);
    g_test_add_func("/account/window", test_window_is_cleared);
    g_test_add_func("/account/late", test_late);
    g_test_add_func("/account/late-in-intervals", test_late_in_intervals);
    g_test_add_func("/account/early", test_early);
    g_test_add_func("/account/lost-is-not-late", test_lost_is_not_late);
    g_test_add_func("/account/overflow", test_overflow);
    g_test_add_func("/account/restart", test_restart);
    g_test_add_func("/account/sequence-wraps", test_sequence_wraps);
    return g_test_run();
}
