/*
 * The frame scheduler: when frames begin, what the packets carry, what a slow
 * host misses. Microframes are counted from the start of the stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/av/video.h"
#include "isolab/isoav.h"

#define RATE_30 333333

/* isoav.h rule 7, written down again. */
static uint64_t due_uf(uint64_t frame, uint32_t interval_100ns)
{
    uint64_t time_100ns = frame * interval_100ns;

    return time_100ns / 1250 + (time_100ns % 1250 != 0);
}

static void expect_nothing(isoav_video *v, uint64_t uf)
{
    isoav_video_chunk c = isoav_video_next(v, uf);

    g_assert_cmpuint(c.length, ==, 0);
    g_assert_cmpuint(c.flags, ==, 0);
    g_assert_cmpuint(c.offset, ==, 0);
    g_assert_cmpuint(c.frame, ==, 0);
}

static void expect_begin(isoav_video *v, uint64_t uf, uint64_t frame,
                         uint64_t skipped)
{
    isoav_video_chunk c = isoav_video_next(v, uf);

    g_assert_cmpuint(c.length, >, 0);
    g_assert_cmpuint(c.offset, ==, 0);
    g_assert_cmpuint(c.frame, ==, frame);
    g_assert_cmpuint(c.skipped, ==, skipped);
    g_assert_cmpuint(c.flags & ~ISOAV_FLAG_EOF, ==,
                     ISOAV_FLAG_SOF | (skipped ? ISOAV_FLAG_SKIPPED : 0));
}

/* The rest of the frame under way, one packet a microframe from uf on. */
static uint64_t expect_rest(isoav_video *v, uint64_t uf, uint64_t frame)
{
    isoav_video_chunk c;
    uint32_t offset = v->offset;

    do {
        c = isoav_video_next(v, uf++);
        g_assert_cmpuint(c.frame, ==, frame);
        g_assert_cmpuint(c.offset, ==, offset);
        g_assert_cmpuint(c.skipped, ==, 0);
        g_assert_cmpuint(c.flags & ~ISOAV_FLAG_EOF, ==, 0);
        offset += c.length;
        g_assert_cmpuint(c.flags & ISOAV_FLAG_EOF, ==,
                         offset == v->frame_bytes ? ISOAV_FLAG_EOF : 0);
        g_assert_cmpuint(c.length, ==,
                         offset == v->frame_bytes && offset % v->chunk_bytes
                             ? offset % v->chunk_bytes
                             : v->chunk_bytes);
    } while (offset < v->frame_bytes);
    return uf;
}

typedef struct {
    const char *name;
    uint32_t chunk_bytes; /* the alternate's packet without the header */
    uint32_t frame_bytes; /* of a picture that it can carry 30 times a second */
    uint32_t packets;     /* that such a frame takes */
} pacing;

static const pacing pacings[] = {
    { "/av/video/pacing/1x192", 192 - 36, 64 * 48 * 2, 40 },
    { "/av/video/pacing/1x512", 512 - 36, 160 * 120 * 2, 81 },
    { "/av/video/pacing/1x1024", 1024 - 36, 320 * 240 * 2, 156 },
    { "/av/video/pacing/2x1024", 2048 - 36, 640 * 360 * 2, 230 },
    { "/av/video/pacing/3x1024", 3072 - 36, 640 * 360 * 2, 152 },
};

/* 300 frames, each at its microframe and complete, nothing in between. */
static void test_pacing(gconstpointer opaque)
{
    const pacing *p = opaque;
    const uint64_t start = UINT64_C(0x123456789a); /* beyond 32 bits */
    uint64_t uf = start;
    isoav_video v;

    isoav_video_start(&v, RATE_30, p->frame_bytes, p->chunk_bytes);
    for (uint64_t frame = 0; frame < 300; frame++) {
        uint64_t due = start + due_uf(frame, RATE_30);

        while (uf < due) {
            expect_nothing(&v, uf++);
        }
        g_assert_cmpuint(uf, ==, due);
        expect_begin(&v, uf++, frame, 0);
        uf = expect_rest(&v, uf, frame);
        g_assert_cmpuint(uf, ==, due + p->packets);
    }
}

/* 30/s is not a whole number of microframes: 266.6664. In figures. */
static void test_due_times(void)
{
    static const struct {
        uint64_t frame, uf;
    } due[] = { { 0, 0 },       { 1, 267 },          { 2, 534 },
                { 3, 800 },     { 30, 8000 },        { 299, 79734 },
                { 300, 80000 }, { 375000, 99999900 } };

    for (size_t i = 1; i < G_N_ELEMENTS(due); i++) {
        isoav_video v;

        isoav_video_start(&v, RATE_30, 100, 100);
        expect_begin(&v, 0, 0, 0);
        isoav_video_next(&v, due[i].uf - 1);
        expect_begin(&v, due[i].uf, due[i].frame, 0);
    }
}

/* The slowest and the fastest rate that the protocol has. */
static void test_rate_limits(void)
{
    isoav_video v;

    isoav_video_start(&v, ISOAV_INTERVAL_MAX, 100, 100);
    expect_begin(&v, 5, 0, 0);
    expect_nothing(&v, 5 + 7999);
    expect_begin(&v, 5 + 8000, 1, 0);

    isoav_video_start(&v, ISOAV_INTERVAL_MIN, 100, 100);
    expect_begin(&v, 5, 0, 0);
    expect_nothing(&v, 5 + 133);
    expect_begin(&v, 5 + 134, 1, 0);
}

/* A frame that takes 400 microframes of an interval of 267. */
static void test_finishes_a_frame_and_starts_the_next_late(void)
{
    isoav_video v;

    isoav_video_start(&v, RATE_30, 40000, 100);
    expect_begin(&v, 0, 0, 0);
    g_assert_cmpuint(expect_rest(&v, 1, 0), ==, 400);
    /* Frame 1 was due at 267, frame 2 is not before 534. */
    expect_begin(&v, 400, 1, 0);
    g_assert_cmpuint(expect_rest(&v, 401, 1), ==, 800);
    /* Frames 2 (534) and 3 (800) are due. */
    expect_begin(&v, 800, 3, 1);
    g_assert_cmpuint(expect_rest(&v, 801, 3), ==, 1200);
    /* Frame 4 (1067) is due, frame 5 (1334) is not. */
    expect_begin(&v, 1200, 4, 0);
}

static void test_a_pause_within_a_frame_skips_after_it(void)
{
    isoav_video v;

    isoav_video_start(&v, RATE_30, 1000, 100);
    expect_begin(&v, 0, 0, 0);
    /* Nobody asks for a second. The frame goes on where it was. */
    g_assert_cmpuint(expect_rest(&v, 8000, 0), ==, 8009);
    expect_begin(&v, 8009, 30, 29);
    expect_rest(&v, 8010, 30);
    expect_nothing(&v, 8266);
    expect_begin(&v, 8267, 31, 0);
}

static void test_a_pause_between_frames_skips(void)
{
    isoav_video v;

    isoav_video_start(&v, RATE_30, 100, 100);
    expect_begin(&v, 0, 0, 0);
    expect_nothing(&v, 1);
    expect_begin(&v, 600, 2, 1);
    expect_nothing(&v, 601);
    expect_begin(&v, 800, 3, 0);
}

/* Ten days later: no overflow, no drift. */
static void test_counts_on_for_days(void)
{
    const uint64_t days_10 = UINT64_C(864000) * 8000;
    const uint64_t frame = UINT64_C(25920025);
    isoav_video v;

    isoav_video_start(&v, RATE_30, 100, 100);
    expect_begin(&v, 1, 0, 0);
    g_assert_cmpuint(due_uf(frame, RATE_30), <=, days_10);
    g_assert_cmpuint(due_uf(frame + 1, RATE_30), >, days_10);
    expect_begin(&v, 1 + days_10, frame, frame - 1);
}

/* A controller may ask twice in one microframe; time may even run back. */
static void test_odd_time_stamps_are_harmless(void)
{
    isoav_video v;

    isoav_video_start(&v, RATE_30, 100, 100);
    expect_begin(&v, 1000, 0, 0);
    expect_nothing(&v, 1000);
    expect_nothing(&v, 3);
    expect_nothing(&v, 0);
    expect_begin(&v, 1267, 1, 0);
    isoav_video_next(&v, UINT64_MAX);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(pacings); i++) {
        g_test_add_data_func(pacings[i].name, &pacings[i], test_pacing);
    }
    g_test_add_func("/av/video/due-times", test_due_times);
    g_test_add_func("/av/video/rate-limits", test_rate_limits);
    g_test_add_func("/av/video/finishes-a-frame-and-starts-the-next-late",
                    test_finishes_a_frame_and_starts_the_next_late);
    g_test_add_func("/av/video/a-pause-within-a-frame-skips-after-it",
                    test_a_pause_within_a_frame_skips_after_it);
    g_test_add_func("/av/video/a-pause-between-frames-skips",
                    test_a_pause_between_frames_skips);
    g_test_add_func("/av/video/counts-on-for-days", test_counts_on_for_days);
    g_test_add_func("/av/video/odd-time-stamps-are-harmless",
                    test_odd_time_stamps_are_harmless);
    return g_test_run();
}
