/*
 * The camera's payload scheduler: when each frame leaves, in which pieces, and
 * the headers in front of them, bit by bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/uvc-stream.h"

enum {
    INTERVAL = 333333, /* 266.67 microframes */
    PAYLOAD = 1024,
    ROOM = PAYLOAD - 12,
};

static isoav_uvc_stream started(uint64_t epoch)
{
    isoav_uvc_stream s = { 0 };

    isoav_uvc_stream_start(&s, epoch, INTERVAL, PAYLOAD);
    return s;
}

static uint32_t load32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* A token; a frame that is due begins, with `bytes`. */
static isoav_uvc_payload token(isoav_uvc_stream *s, uint64_t uf, uint32_t bytes,
                               isoav_uvc_due *due)
{
    isoav_uvc_payload payload;

    *due = isoav_uvc_stream_due(s, uf);
    if (due->is_due) {
        isoav_uvc_stream_begin(s, s->frame, bytes, false);
    }
    isoav_uvc_stream_next(s, uf, &payload);
    return payload;
}

/* Microframe 16 of the clock is microframe 0 of the stream. */
static void test_the_header(void)
{
    isoav_uvc_stream s = started(16);
    isoav_uvc_due due;
    isoav_uvc_payload p = token(&s, 16, 3000, &due);

    g_assert_true(due.is_due);
    g_assert_cmpuint(p.header[0], ==, 12);
    g_assert_cmphex(p.header[1], ==, 0x8d); /* EOH, SCR, PTS, FID */
    g_assert_cmpuint(load32(p.header + 2), ==, 16 * 6000);     /* PTS */
    g_assert_cmpuint(load32(p.header + 6), ==, 16 * 6000);     /* SCR: clock */
    g_assert_cmpuint(p.header[10] | p.header[11] << 8, ==, 2); /* SOF */
    p = token(&s, 17, 0, &due);
    g_assert_cmpuint(load32(p.header + 2), ==, 16 * 6000);
    g_assert_cmpuint(load32(p.header + 6), ==, 17 * 6000);
}

/* 32 bits of the clock and 11 of the frame number wrap. */
static void test_the_header_wraps(void)
{
    uint64_t epoch = (UINT64_C(1) << 32) / 6000 + 1;
    isoav_uvc_stream s = started(epoch);
    isoav_uvc_due due;
    isoav_uvc_payload p = token(&s, epoch, 3000, &due);

    g_assert_cmpuint(load32(p.header + 2), ==, (uint32_t)(epoch * 6000));
    g_assert_cmpuint(load32(p.header + 2), <, 6000);
    g_assert_cmpuint(p.header[10] | p.header[11] << 8, ==, epoch / 8 % 2048);
}

/* The first piece to the last; FID of the next frame is the other one. */
static void test_pieces(void)
{
    static const struct {
        uint32_t bytes;
        unsigned packets, last;
    } frames[] = {
        { 1, 1, 1 },        { ROOM - 1, 1, ROOM - 1 }, { ROOM, 1, ROOM },
        { ROOM + 1, 2, 1 }, { 10 * ROOM, 10, ROOM },   { 10 * ROOM + 5, 11, 5 },
    };
    isoav_uvc_stream s = started(0);
    uint64_t uf = 0;

    for (unsigned i = 0; i < G_N_ELEMENTS(frames); i++) {
        uint64_t begin = (i * (uint64_t)INTERVAL + 1249) / 1250;
        isoav_uvc_due due;
        isoav_uvc_payload p;

        for (; uf < begin; uf++) {
            p = token(&s, uf, 0, &due);
            g_assert_false(due.is_due);
            g_assert_cmpuint(p.bytes, ==, 0);
            g_assert_false(p.header[1] & ISOAV_UVC_EOF);
            g_assert_cmpuint(!!(p.header[1] & ISOAV_UVC_FID), ==, i % 2);
        }
        for (unsigned k = 1; k <= frames[i].packets; k++, uf++) {
            bool is_last = k == frames[i].packets;

            p = token(&s, uf, frames[i].bytes, &due);
            g_assert_cmpuint(p.offset, ==, (k - 1) * ROOM);
            g_assert_cmpuint(p.bytes, ==, is_last ? frames[i].last : ROOM);
            g_assert_cmpuint(p.is_end, ==, is_last);
            g_assert_cmpuint(!!(p.header[1] & ISOAV_UVC_EOF), ==, is_last);
            g_assert_cmpuint(!!(p.header[1] & ISOAV_UVC_FID), ==, 1 - i % 2);
            g_assert_false(p.header[1] & (ISOAV_UVC_STI | ISOAV_UVC_ERR));
        }
    }
}

/* Frame n leaves at ceil(n x interval): no error adds up in a day. */
static void test_times(void)
{
    isoav_uvc_stream s = started(1000);
    isoav_uvc_due due;

    for (uint64_t n = 0; n < 1000; n++) {
        uint64_t frame = n < 500 ? n : 2592000 + n;
        uint64_t at = 1000 + (frame * INTERVAL + 1249) / 1250;
        isoav_uvc_payload p;

        if (n == 500) { /* a day later */
            s.frame = frame;
        }
        if (n > 0) {
            token(&s, at - 1, 0, &due);
            g_assert_false(due.is_due);
        }
        p = token(&s, at, 100, &due);
        g_assert_true(due.is_due);
        g_assert_cmpuint(due.late_uf, ==, 0);
        g_assert_cmpuint(due.skipped, ==, 0);
        g_assert_cmpuint(s.shown, ==, frame);
        /* PTS: the ideal time, less than a microframe before the packet */
        g_assert_cmpuint(load32(p.header + 2), ==,
                         (uint32_t)(1000 * 6000 + frame * INTERVAL * 24 / 5));
        g_assert_cmpuint(load32(p.header + 6) - load32(p.header + 2), <, 6000);
    }
}

/* A stream that starts in between waits for the next frame. */
static void test_a_later_start(void)
{
    isoav_uvc_stream s = started(0);
    isoav_uvc_due due;
    isoav_uvc_payload p = token(&s, 268, 100, &due); /* frame 1 was at 267 */

    g_assert_false(due.is_due);
    g_assert_cmpuint(p.bytes, ==, 0);
    for (uint64_t uf = 269; uf < 534; uf++) {
        token(&s, uf, 100, &due);
        g_assert_false(due.is_due);
    }
    token(&s, 534, 100, &due);
    g_assert_true(due.is_due);
    g_assert_cmpuint(s.shown, ==, 2);

    /* just in time */
    s = started(0);
    token(&s, 267, 100, &due);
    g_assert_true(due.is_due);
    g_assert_cmpuint(s.shown, ==, 1);
}

/* A host that asks too seldom gets whole frames, late, and fewer of them. */
static void test_a_slow_host(void)
{
    isoav_uvc_stream s = started(0);
    isoav_uvc_due due;

    token(&s, 0, 2 * ROOM, &due);
    token(&s, 900, 0, &due); /* the end of frame 0 */
    g_assert_false(due.is_due);
    token(&s, 901, 100, &due); /* 3 was due at 800 */
    g_assert_true(due.is_due);
    g_assert_cmpuint(s.shown, ==, 3);
    g_assert_cmpuint(due.skipped, ==, 2);
    g_assert_cmpuint(due.late_uf, ==, 101);
    token(&s, 1067, 100, &due);
    g_assert_true(due.is_due);
    g_assert_cmpuint(s.shown, ==, 4);
    g_assert_cmpuint(due.skipped, ==, 0);
}

/* What the source has not is not sent, and its time passes. */
static void test_a_dropped_frame(void)
{
    isoav_uvc_stream s = started(0);
    isoav_uvc_payload p;
    isoav_uvc_due due = isoav_uvc_stream_due(&s, 0);

    g_assert_true(due.is_due);
    isoav_uvc_stream_drop(&s);
    isoav_uvc_stream_next(&s, 0, &p);
    g_assert_cmpuint(p.bytes, ==, 0);
    g_assert_false(p.header[1] & (ISOAV_UVC_EOF | ISOAV_UVC_FID));
    p = token(&s, 1, 100, &due);
    g_assert_false(due.is_due);
    p = token(&s, 267, 100, &due);
    g_assert_true(due.is_due);
    g_assert_cmpuint(due.skipped, ==, 0);
    g_assert_true(p.header[1] & ISOAV_UVC_FID);
}

static void test_a_still_image(void)
{
    isoav_uvc_stream s = started(0);
    isoav_uvc_payload p;
    isoav_uvc_due due;

    token(&s, 0, 100, &due);
    isoav_uvc_stream_begin(&s, isoav_uvc_stream_newest(&s, 1), 2 * ROOM, true);
    isoav_uvc_stream_next(&s, 1, &p);
    g_assert_cmphex(p.header[1], ==,
                    ISOAV_UVC_EOH | ISOAV_UVC_STI | ISOAV_UVC_SCR |
                        ISOAV_UVC_PTS);
    g_assert_cmpuint(s.shown, ==, 0);
    isoav_uvc_stream_next(&s, 300, &p); /* it takes its time */
    g_assert_cmphex(p.header[1], ==,
                    ISOAV_UVC_EOH | ISOAV_UVC_STI | ISOAV_UVC_SCR |
                        ISOAV_UVC_PTS | ISOAV_UVC_EOF);
    p = token(&s, 301, 100, &due);
    g_assert_true(due.is_due);
    g_assert_cmpuint(s.shown, ==, 1);
    g_assert_cmpuint(due.late_uf, ==, 34);
    g_assert_true(p.header[1] & ISOAV_UVC_FID);
    g_assert_false(p.header[1] & ISOAV_UVC_STI);
}

/* ERR stands in the last header, where the host looks. */
static void test_a_damaged_frame(void)
{
    isoav_uvc_stream s = started(0);
    isoav_uvc_payload p;
    isoav_uvc_due due;

    p = token(&s, 0, 3 * ROOM, &due);
    s.is_damaged = true;
    p = token(&s, 1, 0, &due);
    g_assert_false(p.header[1] & ISOAV_UVC_ERR);
    p = token(&s, 2, 0, &due);
    g_assert_true(p.header[1] & ISOAV_UVC_ERR);
    p = token(&s, 267, 100, &due);
    g_assert_false(p.header[1] & ISOAV_UVC_ERR);
}

/* At full speed tokens are 8 microframes apart. */
static void test_full_speed(void)
{
    isoav_uvc_stream s = started(3);
    isoav_uvc_due due;
    uint64_t frames = 0;

    for (uint64_t uf = 8; uf < 8000 + 8; uf += 8) {
        token(&s, uf, 100, &due);
        if (due.is_due) {
            g_assert_cmpuint(due.late_uf, <, 8);
            g_assert_cmpuint(due.skipped, ==, 0);
            frames++;
        }
    }
    g_assert_cmpuint(frames, ==, 29); /* 1 to 29: 30 is due at 8003 */
}

static void test_sanity(void)
{
    isoav_uvc_stream s = started(0), bad[5];

    g_assert_true(isoav_uvc_stream_is_sane(&s));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        bad[i] = s;
    }
    bad[0].payload_bytes = 12;
    bad[1].payload_bytes = 32769;
    bad[2].bytes = 4147201;
    bad[3].offset = 1;
    bad[4].interval_100ns = 0;
    bad[4].is_sending = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(isoav_uvc_stream_is_sane(&bad[i]));
    }
    s = (isoav_uvc_stream){ 0 };
    g_assert_true(isoav_uvc_stream_is_sane(&s));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uvc/stream/header", test_the_header);
    g_test_add_func("/uvc/stream/header-wraps", test_the_header_wraps);
    g_test_add_func("/uvc/stream/pieces", test_pieces);
    g_test_add_func("/uvc/stream/times", test_times);
    g_test_add_func("/uvc/stream/later-start", test_a_later_start);
    g_test_add_func("/uvc/stream/slow-host", test_a_slow_host);
    g_test_add_func("/uvc/stream/dropped", test_a_dropped_frame);
    g_test_add_func("/uvc/stream/still", test_a_still_image);
    g_test_add_func("/uvc/stream/damaged", test_a_damaged_frame);
    g_test_add_func("/uvc/stream/full-speed", test_full_speed);
    g_test_add_func("/uvc/stream/sane", test_sanity);
    return g_test_run();
}
