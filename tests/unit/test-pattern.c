/*
 * The test picture: what is drawn can be read back, damage is noticed, and
 * the bytes of one frame are these and no others.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <zlib.h>

#include "isolab/pattern.h"

#define INTERVAL ISOAV_INTERVAL_DEFAULT

typedef struct {
    uint32_t width, height;
} size;

static const size sizes[] = {
    { ISOAV_WIDTH_MIN, ISOAV_HEIGHT_MIN },
    { ISOAV_WIDTH_MIN, ISOAV_HEIGHT_MAX },
    { ISOAV_WIDTH_MAX, ISOAV_HEIGHT_MIN },
    { ISOAV_WIDTH_MAX, ISOAV_HEIGHT_MAX },
    { ISOAV_WIDTH_DEFAULT, ISOAV_HEIGHT_DEFAULT },
    { 80, 50 },  /* cells of one pixel, margins of 8 */
    { 144, 84 }, /* the smallest with both lines of text */
    { 176, 144 },
    { 1904, 1078 },
};

static uint8_t *draw(size s, uint32_t frame)
{
    uint8_t *pixels = g_malloc(isolab_pattern_frame_bytes(s.width, s.height));

    isolab_pattern_fill(pixels, s.width, s.height, frame, INTERVAL);
    return pixels;
}

static void test_reads_back_in_every_size(void)
{
    static const uint32_t frames[] = { 0, 1, 299, 0x12345678, UINT32_MAX };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (size_t k = 0; k < G_N_ELEMENTS(frames); k++) {
            g_autofree uint8_t *pixels = draw(sizes[i], frames[k]);
            uint32_t frame = ~frames[k];

            g_assert_cmpint(isolab_pattern_read(pixels, sizes[i].width,
                                                sizes[i].height, &frame),
                            ==, ISOLAB_PATTERN_OK);
            g_assert_cmpuint(frame, ==, frames[k]);
        }
    }
}

/* Every byte is drawn, none beyond the end, in every size and rate. */
static void test_fills_exactly_the_frame(void)
{
    static const uint32_t intervals[] = { ISOAV_INTERVAL_MIN, INTERVAL,
                                          ISOAV_INTERVAL_MAX };

    for (uint32_t w = ISOAV_WIDTH_MIN; w <= ISOAV_WIDTH_MAX; w += 208) {
        for (uint32_t h = ISOAV_HEIGHT_MIN; h <= ISOAV_HEIGHT_MAX; h += 86) {
            uint32_t bytes = isolab_pattern_frame_bytes(w, h);
            g_autofree uint8_t *a = g_malloc(bytes + 16);
            g_autofree uint8_t *b = g_malloc(bytes + 16);
            uint32_t interval = intervals[(w + h) % G_N_ELEMENTS(intervals)];

            memset(a, 0x00, bytes + 16);
            memset(b, 0xff, bytes + 16);
            isolab_pattern_fill(a, w, h, w * h, interval);
            isolab_pattern_fill(b, w, h, w * h, interval);
            g_assert_cmpmem(a, bytes, b, bytes);
            for (uint32_t i = bytes; i < bytes + 16; i++) {
                g_assert_cmphex(a[i], ==, 0x00);
                g_assert_cmphex(b[i], ==, 0xff);
            }
        }
    }
}

static void test_rejects_sizes_outside_the_protocol(void)
{
    static const size bad[] = { { 0, 0 },       { 48, 48 },     { 64, 46 },
                                { 1936, 1080 }, { 1920, 1082 }, { 648, 360 },
                                { 640, 361 } };
    uint32_t frame;

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(
            isolab_pattern_read(NULL, bad[i].width, bad[i].height, &frame), ==,
            ISOLAB_PATTERN_BAD_SIZE);
    }
}

/* Inverts the luma of one cell over the strip's whole height. */
static void flip_cell(uint8_t *pixels, size s, uint32_t cell)
{
    uint32_t wide = s.width / ISOLAB_PATTERN_CELLS;
    uint32_t left = (s.width - wide * ISOLAB_PATTERN_CELLS) / 2 + cell * wide;

    for (uint32_t y = s.height - s.height / 12; y < s.height; y++) {
        for (uint32_t x = left; x < left + wide; x++) {
            uint8_t *luma = &pixels[(y * s.width + x) * 2];

            *luma = ISOLAB_LUMA_BLACK + ISOLAB_LUMA_WHITE - *luma;
        }
    }
}

static void test_notices_each_damaged_cell(void)
{
    size s = { 640, 360 };

    for (uint32_t cell = 0; cell < ISOLAB_PATTERN_CELLS; cell++) {
        g_autofree uint8_t *pixels = draw(s, 123);
        uint32_t frame = 77;
        int expect = cell < 8 || cell >= 56 ? ISOLAB_PATTERN_BAD_SYNC
                                            : ISOLAB_PATTERN_BAD_CHECK;

        flip_cell(pixels, s, cell);
        g_assert_cmpint(isolab_pattern_read(pixels, 640, 360, &frame), ==,
                        expect);
        g_assert_cmpuint(frame, ==, 77);
    }
}

/* Noise of +-60 and a picture that is too dark do not matter. */
static void test_reads_through_noise(void)
{
    size s = { 640, 360 };
    g_autofree uint8_t *pixels = draw(s, 4242);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    uint32_t frame = 0;

    for (uint32_t i = 0; i < isolab_pattern_frame_bytes(640, 360); i++) {
        int noisy = pixels[i] * 8 / 10 + g_rand_int_range(rand, -60, 61);

        pixels[i] = CLAMP(noisy, 0, 255);
    }
    g_assert_cmpint(isolab_pattern_read(pixels, 640, 360, &frame), ==,
                    ISOLAB_PATTERN_OK);
    g_assert_cmpuint(frame, ==, 4242);
}

static void test_a_plain_picture_has_no_strip(void)
{
    g_autofree uint8_t *pixels = g_malloc0(640 * 360 * 2);
    uint32_t frame;

    g_assert_cmpint(isolab_pattern_read(pixels, 640, 360, &frame), ==,
                    ISOLAB_PATTERN_BAD_SYNC);
}

/* The text, in the rows of the bars, differs from each frame to the next. */
static void test_text_changes_with_the_frame(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        uint32_t rows = sizes[i].height - 4 * (sizes[i].height / 12);
        uint32_t bytes = rows * sizes[i].width * 2;
        g_autofree uint8_t *a = draw(sizes[i], 122);
        g_autofree uint8_t *b = draw(sizes[i], 123);

        g_assert_cmpint(memcmp(a, b, bytes), !=, 0);
    }
}

static void time_code_is(uint32_t frame, uint32_t interval, const char *want)
{
    char text[ISOLAB_PATTERN_TIME_CODE_BYTES];

    isolab_pattern_time_code(text, frame, interval);
    g_assert_cmpstr(text, ==, want);
}

static void test_time_code(void)
{
    time_code_is(0, 333333, "00:00:00:00");
    time_code_is(123, 333333, "00:00:04:03");
    time_code_is(29, 333333, "00:00:00:29");
    time_code_is(30, 333333, "00:00:01:00");
    time_code_is(59, 166666, "00:00:00:59");
    time_code_is(25 * 3661 + 24, 400000, "01:01:01:24");
    time_code_is(86400, 10000000, "00:00:00:00");
}

/* Receivers elsewhere regenerate frames: their bytes must never change. */
static void test_golden_frame(void)
{
    g_autofree uint8_t *pixels = draw((size){ 640, 360 }, 123);
    static const uint8_t white_bar[4] = { 180, 128, 180, 128 };

    g_assert_cmpmem(pixels, 4, white_bar, 4);
    g_assert_cmphex(isolab_pattern_cells(0x12345678), ==, 0xb41234567830ec4b);
    g_assert_cmphex(crc32(0, pixels, 640 * 360 * 2), ==, 0xff8bb094);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pattern/reads-back-in-every-size",
                    test_reads_back_in_every_size);
    g_test_add_func("/pattern/fills-exactly-the-frame",
                    test_fills_exactly_the_frame);
    g_test_add_func("/pattern/rejects-sizes-outside-the-protocol",
                    test_rejects_sizes_outside_the_protocol);
    g_test_add_func("/pattern/notices-each-damaged-cell",
                    test_notices_each_damaged_cell);
    g_test_add_func("/pattern/reads-through-noise", test_reads_through_noise);
    g_test_add_func("/pattern/a-plain-picture-has-no-strip",
                    test_a_plain_picture_has_no_strip);
    g_test_add_func("/pattern/text-changes-with-the-frame",
                    test_text_changes_with_the_frame);
    g_test_add_func("/pattern/time-code", test_time_code);
    g_test_add_func("/pattern/golden-frame", test_golden_frame);
    return g_test_run();
}
