/*
 * The frame assembler, and the choice of an alternate setting.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>

#include "choose.h"
#include "frame.h"
#include "isolab/pattern.h"

enum { WIDTH = 64, HEIGHT = 48, BYTES = WIDTH * HEIGHT * 2, CHUNK = 1000 };
#define INTERVAL 333333

static frame_assembler f;
static uint8_t picture[BYTES];
static unsigned done_count;
static frame_picture last;
static bool last_is_black;

static void on_done(void *context, const frame_picture *p)
{
    g_assert_true(context == &done_count);
    done_count++;
    last = *p;
    last_is_black = p->pixels[BYTES - 2] == 16 && p->pixels[BYTES - 1] == 128;
}

static void begin(uint32_t wanted)
{
    g_assert_true(frame_init(&f, WIDTH, HEIGHT, INTERVAL, wanted));
    f.done = on_done;
    f.context = &done_count;
    done_count = 0;
}

static uint64_t start_of(uint32_t number)
{
    return 5000 + ((uint64_t)number * INTERVAL + 1249) / 1250;
}

/* The packet of frame `number` that starts at `offset`. */
static void piece(uint32_t number, uint32_t offset)
{
    isoav_packet p = { .frame = number,
                       .offset = offset,
                       .length =
                           BYTES - offset < CHUNK ? BYTES - offset : CHUNK,
                       .microframe = start_of(number) + offset / CHUNK };

    p.flags = (offset == 0 ? ISOAV_FLAG_SOF : 0) |
              (offset + p.length == BYTES ? ISOAV_FLAG_EOF : 0);
    isolab_pattern_fill(picture, WIDTH, HEIGHT, number, INTERVAL);
    frame_packet(&f, &p, picture + offset);
}

/* All pieces but the one at `without`. */
static void send(uint32_t number, uint32_t without)
{
    isoav_packet nothing = { 0 };
    uint32_t offset;

    for (offset = 0; offset < BYTES; offset += CHUNK) {
        if (offset != without) {
            piece(number, offset);
        }
    }
    frame_packet(&f, &nothing, NULL);
}

#define ALL 0xffffffffu

static void assert_counts(uint64_t complete, uint64_t damaged,
                          uint64_t mismatched, uint64_t missing)
{
    g_assert_cmpuint(f.complete, ==, complete);
    g_assert_cmpuint(f.damaged, ==, damaged);
    g_assert_cmpuint(f.mismatched, ==, mismatched);
    g_assert_cmpuint(f.missing, ==, missing);
}

static void test_perfect(void)
{
    uint32_t i;

    begin(31);
    for (i = 0; i < 31; i++) {
        g_assert_false(frame_is_done(&f));
        send(i, ALL);
        g_assert_true(last.is_complete);
        g_assert_cmpuint(last.number, ==, i);
        g_assert_cmpuint(last.start_uf, ==, start_of(i));
    }
    g_assert_true(frame_is_done(&f));
    assert_counts(31, 0, 0, 0);
    g_assert_cmpuint(done_count, ==, 31);
    /* 30 frames in 8000 microframes */
    g_assert_cmpuint(frame_rate_milli(&f), ==, 30000);
    send(31, ALL); /* not wanted any more */
    assert_counts(31, 0, 0, 0);
    frame_free(&f);
}

static void test_hole(void)
{
    begin(3);
    send(0, ALL);
    send(1, 2 * CHUNK);
    g_assert_false(last.is_complete);
    send(2, ALL);
    assert_counts(2, 1, 0, 0);
    frame_free(&f);
}

static void test_no_first_piece(void)
{
    begin(2);
    send(0, 0);
    send(1, ALL);
    assert_counts(1, 1, 0, 0);
    /* The time of frame 0 is not known, so there is no rate. */
    g_assert_cmpuint(frame_rate_milli(&f), ==, 0);
    frame_free(&f);
}

/* Without its last piece a frame ends when the next one begins. */
static void test_no_last_piece(void)
{
    begin(2);
    send(0, BYTES / CHUNK * CHUNK);
    g_assert_cmpuint(done_count, ==, 0);
    piece(1, 0);
    g_assert_cmpuint(done_count, ==, 1);
    g_assert_cmpuint(last.number, ==, 0);
    g_assert_true(last_is_black);
    assert_counts(0, 1, 0, 0);
    frame_free(&f);
}

static void test_mismatch(void)
{
    isoav_packet p = { .frame = 0, .flags = ISOAV_FLAG_SOF, .length = CHUNK };
    uint32_t offset;

    begin(1);
    isolab_pattern_fill(picture, WIDTH, HEIGHT, 0, INTERVAL);
    picture[500] ^= 1;
    frame_packet(&f, &p, picture);
    for (offset = CHUNK; offset < BYTES; offset += CHUNK) {
        piece(0, offset);
    }
    assert_counts(0, 1, 1, 0);
    g_assert_false(last.is_complete);
    frame_free(&f);
}

static void test_missing(void)
{
    begin(10);
    send(0, ALL);
    send(3, ALL);
    assert_counts(2, 0, 0, 2);
    g_assert_cmpuint(f.skipped, ==, 0);
    frame_free(&f);
}

static void test_missing_at_start(void)
{
    begin(10);
    send(2, ALL);
    assert_counts(1, 0, 0, 2);
    frame_free(&f);
}

/* A gap past the end counts only as far as frames were wanted. */
static void test_missing_past_end(void)
{
    begin(5);
    send(0, ALL);
    send(100, ALL);
    assert_counts(1, 0, 0, 4);
    g_assert_true(frame_is_done(&f));
    g_assert_cmpuint(done_count, ==, 1);
    frame_free(&f);
}

static void test_offset_out_of_range(void)
{
    isoav_packet p = { .frame = 0, .offset = BYTES - 10, .length = 100 };

    begin(2);
    piece(0, 0);
    frame_packet(&f, &p, picture);
    p.offset = 0xffffffff;
    frame_packet(&f, &p, picture);
    p.flags = ISOAV_FLAG_EOF;
    frame_packet(&f, &p, picture);
    assert_counts(0, 1, 0, 0);
    frame_free(&f);
}

/* --- choose -----------------------------------------------------------------
 */

static isoav_info device_info(void)
{
    static const uint32_t packet_bytes[] = { 192, 512, 1024, 2048, 3072 };
    isoav_info info = { .alternates = 7 };
    unsigned i;

    /* A large one of the other interface comes first and must not count. */
    info.alternate[0] = (isoav_alternate){ 1, 3, 0x82, 1, 3072, 1, 0 };
    info.alternate[6] = (isoav_alternate){ 1, 1, 0x02, 1, 192, 1, 0 };
    for (i = 0; i < 5; i++) {
        info.alternate[5 - i] =
            (isoav_alternate){ 0, (uint8_t)(i + 1), 0x81, 1, packet_bytes[i], 1,
                               0 };
    }
    return info;
}

static void test_choose(void)
{
    static const struct {
        uint32_t width, height, fps, alternate;
    } rows[] = {
        { 640, 360, 30, 4 }, /* 13.8 MB/s */
        { 640, 360, 15, 3 }, /*  6.9 */
        { 320, 180, 30, 2 }, /*  3.5 */
        { 64, 48, 1, 1 },    { 640, 480, 30, 5 }, { 1920, 1080, 60, 0 },
    };
    isoav_info info = device_info();
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        const isoav_alternate *a =
            choose_alternate(&info, rows[i].width * rows[i].height * 2,
                             10000000 / rows[i].fps, NULL);

        g_assert_cmpuint(a ? a->alternate : 0, ==, rows[i].alternate);
    }
}

/* 229 packets of 2012 bytes and 228: a frame of 460800 takes 230 microframes.
 */
static void test_choose_exact(void)
{
    isoav_info info = device_info();
    const isoav_alternate *four = choose_number(&info, 4);

    g_assert_cmpuint(choose_frame_uf(four, 460800), ==, 230);
    g_assert_true(choose_is_enough(four, 460800, 230 * 1250));
    g_assert_false(choose_is_enough(four, 460800, 230 * 1250 - 1));
}

static void test_choose_next(void)
{
    isoav_info info = device_info();
    const isoav_alternate *a = choose_alternate(&info, 460800, 333333, NULL);

    a = choose_alternate(&info, 460800, 333333, a);
    g_assert_cmpuint(a->alternate, ==, 5);
    g_assert_null(choose_alternate(&info, 460800, 333333, a));
    g_assert_null(choose_number(&info, 6));
    info.alternates = 0xffffffff; /* no more than there is room for */
    g_assert_null(choose_number(&info, 6));
}

/* isolab/isoav.h: the alternates at full speed, and one pair at high speed. */
static isoav_info full_info(void)
{
    static const uint32_t video[] = { 192, 384, 512, 768, 1023 };
    static const uint32_t test[] = { 96, 192, 1023, 512, 384 };
    isoav_info info = { .speed = ISOAV_SPEED_FULL, .alternates = 15 };
    unsigned i;

    for (i = 0; i < 5; i++) {
        uint8_t n = (uint8_t)(i + 1);

        info.alternate[i] = (isoav_alternate){ 0, n, 0x81, 1, video[i], 8, 0 };
        info.alternate[5 + 2 * i] =
            (isoav_alternate){ 1, n, 0x82, 1, test[i], 8, 0 };
        info.alternate[6 + 2 * i] =
            (isoav_alternate){ 1, n, 0x02, 1, test[i], 8, 0 };
    }
    return info;
}

/* What a capture takes when nothing is said goes through, at each speed. */
static void test_choose_size(void)
{
    isoav_info infos[] = { device_info(), full_info() };
    static const uint32_t sizes[][2] = { { 640, 360 }, { 160, 90 } };
    unsigned i;

    for (i = 0; i < 2; i++) {
        uint32_t width = 0, height = 0;

        choose_size(infos[i].speed, &width, &height);
        g_assert_cmpuint(width, ==, sizes[i][0]);
        g_assert_cmpuint(height, ==, sizes[i][1]);
        g_assert_nonnull(
            choose_alternate(&infos[i], width * height * 2, 333333, NULL));
        width = 320;
        choose_size(infos[i].speed, &width, &height);
        g_assert_cmpuint(width, ==, 320);
    }
    /* 467 frames of the bus for one of these; 987 bytes in each of them */
    g_assert_cmpuint(choose_most_fps(&infos[1], 640 * 360 * 2), ==, 2);
    g_assert_cmpuint(choose_most_fps(&infos[1], 160 * 90 * 2), ==, 33);
    g_assert_cmpuint(choose_most_fps(&infos[1], 1920 * 1080 * 2), ==, 0);
    g_assert_cmpuint(choose_most_fps(&infos[0], 640 * 360 * 2), ==, 52);
}

/* Each packet has room for its interval's sound, and all of it gets out. */
static void test_choose_sound(void)
{
    static const struct {
        uint32_t rate, frame_bytes, full, high; /* alternates */
    } rows[] = {
        { 8000, 1, 1, 1 },  { 44100, 4, 5, 1 }, /* 45 frames of 4 bytes in a
                                                   millisecond */
        { 48000, 6, 5, 1 }, { 96000, 6, 3, 1 }, { 192000, 32, 0, 3 },
    };
    isoav_info full = full_info(), high = device_info();
    unsigned i;

    high.alternate[1] = (isoav_alternate){ 1, 3, 0x02, 1, 3072, 1, 0 };
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        const isoav_alternate *f =
            choose_sound(&full, 0, rows[i].rate, rows[i].frame_bytes);
        const isoav_alternate *h =
            choose_sound(&high, 0, rows[i].rate, rows[i].frame_bytes);

        g_assert_cmpuint(f ? f->alternate : 0, ==, rows[i].full);
        g_assert_cmpuint(h ? h->alternate : 0, ==, rows[i].high);
        g_assert_true(!f || f->endpoint == 0x02);
    }
    g_assert_cmpuint(choose_sound(&full, 4, 8000, 1)->alternate, ==, 4);
    g_assert_null(choose_sound(&full, 6, 8000, 1));
}

static void test_choose_sound_packets(void)
{
    static const isoav_alternate tight = { 1, 1, 0x02, 1, 192, 1, 0 };
    static const isoav_alternate frame = { 1, 5, 0x02, 1, 384, 8, 0 };

    /* a second: 8000 packets, or 1000 */
    g_assert_cmpuint(choose_sound_packets(&tight, 44100, 4, 176400), ==, 8002);
    g_assert_cmpuint(choose_sound_packets(&frame, 44100, 4, 176400), ==, 1002);
    /* 24 frames of 32 bytes in an interval, of which 4 fit: it takes longer */
    g_assert_cmpuint(choose_sound_packets(&tight, 192000, 32, 128000), ==,
                     1002);
    g_assert_cmpuint(choose_sound_packets(&tight, 1000, 157, 157000), ==, 0);
}

static void expect_refusal(uint32_t speed, const isoav_alternate *alternate,
                           uint32_t packets, const char *said)
{
    char text[160];
    const char *why = choose_refuse_packets(text, speed, alternate, packets);

    g_assert_nonnull(why);
    g_assert_nonnull(strstr(why, said));
}

static void test_choose_packets(void)
{
    static const isoav_alternate each = { .period_uf = 1 },
                                 fourth = { .period_uf = 4 },
                                 frame = { .period_uf = 8 };
    char text[160];

    g_assert_null(choose_refuse_packets(text, 2, &each, 0));
    g_assert_null(choose_refuse_packets(text, 2, &each, 1024));
    g_assert_null(choose_refuse_packets(text, 2, &fourth, 2));
    g_assert_null(choose_refuse_packets(text, 2, &frame, 7));
    g_assert_null(choose_refuse_packets(text, 1, &frame, 255));
    expect_refusal(2, &each, 12, "a multiple of 8 up to 1024");
    expect_refusal(2, &fourth, 3, "a multiple of 2 ");
    expect_refusal(1, &frame, 256, "a multiple of 1 up to 255");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/frame/perfect", test_perfect);
    g_test_add_func("/frame/hole", test_hole);
    g_test_add_func("/frame/no-first-piece", test_no_first_piece);
    g_test_add_func("/frame/no-last-piece", test_no_last_piece);
    g_test_add_func("/frame/mismatch", test_mismatch);
    g_test_add_func("/frame/missing", test_missing);
    g_test_add_func("/frame/missing-at-start", test_missing_at_start);
    g_test_add_func("/frame/missing-past-end", test_missing_past_end);
    g_test_add_func("/frame/offset-out-of-range", test_offset_out_of_range);
    g_test_add_func("/choose/formats", test_choose);
    g_test_add_func("/choose/exact", test_choose_exact);
    g_test_add_func("/choose/next", test_choose_next);
    g_test_add_func("/choose/size", test_choose_size);
    g_test_add_func("/choose/sound", test_choose_sound);
    g_test_add_func("/choose/sound-packets", test_choose_sound_packets);
    g_test_add_func("/choose/packets", test_choose_packets);
    return g_test_run();
}
