/*
 * Sources of the camera's pictures: files of each kind, whole and damaged, a
 * pipe, sizes and controls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <glib/gstdio.h>
#include <png.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "hw/av/vsource-kind.h"
#include "isolab/pattern.h"

enum { WIDTH = 320, HEIGHT = 180, FRAME = WIDTH * HEIGHT * 2, FRAMES = 3 };

static const isoav_vcontrols neutral = {
    .contrast = 100, .saturation = 100, .gamma = 100, .exposure_100us = 100
};
static const isoav_vformat yuy2 = { WIDTH, HEIGHT, 333333, ISOAV_VIDEO_YUY2 };
static const isoav_vformat mjpeg = { WIDTH, HEIGHT, 333333, ISOAV_VIDEO_MJPEG };
static char *folder;

static char *path_of(const char *name)
{
    return g_build_filename(folder, name, NULL);
}

static void picture(uint8_t *to, unsigned n)
{
    isolab_pattern_fill(to, WIDTH, HEIGHT, n, 333333);
}

static GByteArray *raw_clip(void)
{
    GByteArray *clip = g_byte_array_new();
    g_autofree uint8_t *frame = g_malloc(FRAME);

    for (unsigned n = 0; n < FRAMES; n++) {
        picture(frame, n + 100);
        g_byte_array_append(clip, frame, FRAME);
    }
    return clip;
}

/* The planes of 4:2:2: nothing of YUY2 is lost. */
static GByteArray *y4m_clip(void)
{
    static const char header[] = "YUV4MPEG2 W320 H180 F30:1 Ip C422\n";
    GByteArray *clip = g_byte_array_new();
    g_autofree uint8_t *frame = g_malloc(FRAME);

    g_byte_array_append(clip, (const uint8_t *)header, strlen(header));
    for (unsigned n = 0; n < FRAMES; n++) {
        picture(frame, n + 100);
        g_byte_array_append(clip, (const uint8_t *)"FRAME\n", 6);
        for (unsigned i = 0; i < FRAME; i += 2) {
            g_byte_array_append(clip, frame + i, 1);
        }
        for (unsigned i = 1; i < FRAME; i += 4) {
            g_byte_array_append(clip, frame + i, 1);
        }
        for (unsigned i = 3; i < FRAME; i += 4) {
            g_byte_array_append(clip, frame + i, 1);
        }
    }
    return clip;
}

static GByteArray *jpeg_clip(void)
{
    GByteArray *clip = g_byte_array_new();
    g_autofree uint8_t *frame = g_malloc(FRAME);

    for (unsigned n = 0; n < FRAMES; n++) {
        unsigned long bytes;
        uint8_t *jpeg;

        picture(frame, n + 100);
        jpeg = vjpeg_encode(frame, WIDTH, HEIGHT, &bytes);
        g_byte_array_append(clip, jpeg, bytes);
        free(jpeg);
    }
    return clip;
}

static GByteArray *png_clip(void)
{
    png_image image = { .version = PNG_IMAGE_VERSION,
                        .width = 5,
                        .height = 3,
                        .format = PNG_FORMAT_RGB };
    uint8_t rgb[5 * 3 * 3], png[1024];
    png_alloc_size_t bytes = sizeof(png);

    memset(rgb, 255, sizeof(rgb));
    g_assert_true(
        png_image_write_to_memory(&image, png, &bytes, 0, rgb, 15, NULL));
    return g_byte_array_append(g_byte_array_new(), png, bytes);
}

static char *save(const char *name, GByteArray *clip)
{
    char *path = path_of(name);

    g_assert_true(
        g_file_set_contents(path, (char *)clip->data, clip->len, NULL));
    g_byte_array_unref(clip);
    return path;
}

static isoav_vsource *open_as(const char *kind, const char *path,
                              const isoav_vformat *format)
{
    g_autofree char *spec = g_strdup_printf("%s:%s", kind, path);
    char *error = NULL;
    isoav_vsource *v = isoav_vsource_open(spec, &error);

    g_assert_cmpstr(error, ==, NULL);
    g_assert_true(isoav_vsource_start(v, format));
    return v;
}

static void expect_frame(isoav_vsource *v, uint64_t n, unsigned shown,
                         bool is_repeated)
{
    g_autofree uint8_t *ideal = g_malloc(FRAME);
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, n, &neutral, &bytes, &repeated);

    picture(ideal, shown);
    g_assert_cmpmem(frame, bytes, ideal, FRAME);
    g_assert_cmpint(repeated, ==, is_repeated);
}

static void expect_clip(const char *path)
{
    isoav_vsource *v = open_as("file", path, &yuy2);

    for (unsigned n = 0; n < FRAMES; n++) {
        expect_frame(v, n, 100 + n, false);
    }
    expect_frame(v, FRAMES, 102, true);
    expect_frame(v, 1000000, 102, true);
    expect_frame(v, 1, 101, false);
    isoav_vsource_close(v);
    v = open_as("loop", path, &yuy2);
    expect_frame(v, FRAMES + 1, 101, false);
    isoav_vsource_close(v);
}

static void test_raw(void)
{
    g_autofree char *path = save("clip_320x180.yuv", raw_clip());

    expect_clip(path);
}

static void test_y4m(void)
{
    g_autofree char *path = save("clip.y4m", y4m_clip());

    expect_clip(path);
}

/* 4:2:0: a row of chroma for two of luma. */
static void test_y4m_420(void)
{
    static const uint8_t file[] = "YUV4MPEG2 W2 H4 F25:1\nFRAME\nabcdefghUVuv";
    static const uint8_t ideal[] = "aUbucUdueVfvgVhv";
    g_autofree char *path =
        save("small.y4m",
             g_byte_array_append(g_byte_array_new(), file, sizeof(file) - 1));
    isoav_vformat format = { 2, 4, 333333, ISOAV_VIDEO_YUY2 };
    isoav_vsource *v = open_as("file", path, &format);
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, 0, &neutral, &bytes, &repeated);

    /* planes: U is "UV", V is "uv", a value to each two rows */
    g_assert_cmpmem(frame, bytes, ideal, sizeof(ideal) - 1);
    isoav_vsource_close(v);
}

static void test_mjpeg(void)
{
    GByteArray *clip = jpeg_clip();
    g_autofree uint8_t *all = g_memdup2(clip->data, clip->len);
    size_t count = clip->len, at = 0;
    g_autofree char *path = save("clip.mjpeg", clip);
    isoav_vsource *v = open_as("file", path, &mjpeg);

    for (unsigned n = 0; n < FRAMES; n++) {
        uint32_t bytes;
        bool repeated;
        const uint8_t *frame =
            isoav_vsource_frame(v, n, &neutral, &bytes, &repeated);

        g_assert_cmpmem(frame, bytes, all + at, bytes);
        at += bytes;
    }
    g_assert_cmpuint(at, ==, count);
    isoav_vsource_close(v);
}

/* What is lost by compression is little. */
static void test_mjpeg_decoded(void)
{
    g_autofree char *path = save("clip.mjpeg", jpeg_clip());
    isoav_vsource *v = open_as("file", path, &yuy2);
    g_autofree uint8_t *ideal = g_malloc(FRAME);
    uint64_t off = 0;
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, 1, &neutral, &bytes, &repeated);
    uint32_t number = 0;

    picture(ideal, 101);
    g_assert_cmpuint(bytes, ==, FRAME);
    for (unsigned i = 0; i < FRAME; i++) {
        off += abs(frame[i] - ideal[i]);
    }
    g_assert_cmpuint(off, <, 3 * FRAME);
    g_assert_cmpint(isolab_pattern_read(frame, WIDTH, HEIGHT, &number), ==,
                    ISOLAB_PATTERN_OK);
    g_assert_cmpuint(number, ==, 101);
    isoav_vsource_close(v);
}

static void test_png(void)
{
    g_autofree char *path = save("white.png", png_clip());
    isoav_vformat format = { 4, 2, 333333, ISOAV_VIDEO_YUY2 };
    isoav_vsource *v = open_as("file", path, &format);
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame =
        isoav_vsource_frame(v, 7, &neutral, &bytes, &repeated);

    g_assert_false(repeated);
    g_assert_cmpuint(bytes, ==, 16);
    for (unsigned i = 0; i < bytes; i++) {
        g_assert_cmpuint(frame[i], ==, i % 2 ? 128 : 235);
    }
    isoav_vsource_close(v);
}

static void refuse(const char *spec, const char *why)
{
    char *error = NULL;

    g_assert_null(isoav_vsource_open(spec, &error));
    g_assert_nonnull(error);
    if (!strstr(error, why)) {
        g_error("'%s' does not say '%s'", error, why);
    }
    g_free(error);
}

static void refuse_file(const char *name, const char *bytes, size_t count,
                        const char *why)
{
    g_autofree char *path =
        save(name, g_byte_array_append(g_byte_array_new(),
                                       (const uint8_t *)bytes, count));
    g_autofree char *spec = g_strdup_printf("file:%s", path);

    refuse(spec, why);
}

static void test_refused(void)
{
    static const char bomb[] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\x7f\xff\xff\xff"
                               "\x7f\xff\xff\xff\x08\x02\0\0\0\0\0\0\0";
    g_autofree char *here = g_strdup_printf("file:%s", folder);
    g_autofree char *no_pipe = g_strdup_printf("pipe:%s", folder);

    refuse("camera", "there is no video source");
    refuse("file:/nowhere/at/all.y4m", "there is no such file");
    refuse(here, "there is no such file");
    refuse(no_pipe, "it is no pipe");
    refuse("pipe:/nowhere/at/all", "No such file");
    refuse("pipe:641x480:/tmp", "not an even one");
    refuse_file("empty_320x180.yuv", "", 0, "it is empty");
    refuse_file("clip.yuv", "12345678", 8, "does not end in a size");
    refuse_file("clip_4x2.yuv", "12345678901234567", 17, "17 bytes");
    refuse_file("clip_3x2.yuv", "123456789012", 12, "does not end in a size");
    refuse_file("a.y4m", "YUV4MPEG2 W4 H2", 15, "no end");
    refuse_file("b.y4m", "YUV4MPEG2 W4 H3\n", 16, "even");
    refuse_file("c.y4m", "YUV4MPEG2 W4 H2 C444\n", 21, "444");
    refuse_file("d.y4m", "YUV4MPEG2 W4 H2 C420p10\n", 24, "420p10");
    refuse_file("e.y4m", "YUV4MPEG2 W4 H2\n", 16, "no frame");
    refuse_file("f.y4m", "YUV4MPEG2 W4 H2\nFRAME\n12345", 27, "after frame 0");
    refuse_file("g.y4m", "YUV4MPEG2 W99998 H99998\n", 24, "even");
    refuse_file("a.jpg", "\xff\xd8\xff\xe0", 4, "after frame 0");
    refuse_file("a.png", bomb, sizeof(bomb) - 1, "damaged PNG");
}

/* Whatever bytes a file has: it is refused, or shows something. */
static void damage(const char *name, GByteArray *whole)
{
    GRand *random = g_rand_new_with_seed(7);

    for (unsigned round = 0; round < 300; round++) {
        g_autofree uint8_t *bytes = g_memdup2(whole->data, whole->len);
        unsigned count = whole->len;
        g_autofree char *path = path_of(name), *error = NULL;
        g_autofree char *spec = g_strdup_printf("file:%s", path);
        isoav_vsource *v;

        if (round % 3 == 0) {
            count = g_rand_int_range(random, 1, whole->len);
        }
        for (unsigned i = 0; i < round % 8; i++) {
            unsigned at = g_rand_int_range(random, 0, MIN(count, 700));

            bytes[at] = g_rand_int(random);
        }
        g_assert_true(g_file_set_contents(path, (char *)bytes, count, NULL));
        v = isoav_vsource_open(spec, &error);
        if (!v) {
            g_assert_nonnull(error);
            continue;
        }
        for (unsigned n = 0; n < 2 * FRAMES; n++) {
            uint32_t size = 0;
            bool repeated;

            g_assert_true(isoav_vsource_start(v, n % 2 ? &mjpeg : &yuy2));
            g_assert_nonnull(
                isoav_vsource_frame(v, n, &neutral, &size, &repeated));
            g_assert_cmpuint(size, >, 0);
        }
        isoav_vsource_close(v);
    }
    g_rand_free(random);
    g_byte_array_unref(whole);
}

static void test_damaged(void)
{
    damage("bad.y4m", y4m_clip());
    damage("bad.mjpeg", jpeg_clip());
    damage("bad.png", png_clip());
}

static void test_scale(void)
{
    g_autofree uint8_t *from = g_malloc(FRAME), *same = g_malloc(FRAME);
    uint8_t small[8 * 8 * 2];

    picture(from, 5);
    vpicture_scale(from, WIDTH, HEIGHT, same, WIDTH, HEIGHT);
    g_assert_cmpmem(from, FRAME, same, FRAME);
    /* 16:9 into a square: 8 x 4 of it, black above and below */
    memset(from, 200, FRAME);
    vpicture_scale(from, WIDTH, HEIGHT, small, 8, 8);
    for (unsigned i = 0; i < sizeof(small); i++) {
        bool inside = i / 16 >= 2 && i / 16 < 6;

        g_assert_cmpuint(small[i], ==, inside ? 200 : i % 2 ? 128 : 16);
    }
    /* into a column: 4 of 16 wide, on both sides black */
    vpicture_scale(from, 2, 8, small, 8, 8);
    for (unsigned i = 0; i < sizeof(small); i++) {
        unsigned x = i % 16 / 2;
        bool inside = x >= 2 && x < 4;

        g_assert_cmpuint(small[i], ==, inside ? 200 : i % 2 ? 128 : 16);
    }
    /* a ramp stays one */
    for (unsigned i = 0; i < 4; i++) {
        from[2 * i] = 40 * i;
        from[2 * i + 1] = 100;
    }
    vpicture_scale(from, 4, 2, small, 8, 4);
    for (unsigned x = 1; x < 8; x++) {
        g_assert_cmpuint(small[2 * x], >=, small[2 * x - 2]);
    }
    g_assert_cmpuint(small[0], ==, 0);
    g_assert_cmpuint(small[2 * 3], ==, 50);
    g_assert_cmpuint(small[2 * 7], ==, 120);
}

static void expect_controls(isoav_vcontrols c, const char *from, const char *to)
{
    uint8_t bytes[4];

    memcpy(bytes, from, 4);
    vcontrols_apply(&c, bytes, 4);
    g_assert_cmpmem(bytes, 4, to, 4);
}

#define WITH(...)                                         \
    (isoav_vcontrols)                                     \
    {                                                     \
        .contrast = 100, .saturation = 100, .gamma = 100, \
        .exposure_100us = 100, __VA_ARGS__                \
    }
#pragma GCC diagnostic ignored "-Woverride-init"

static void test_controls(void)
{
    static const char in[] = { 16, 100, 126, (char)150 };

    /* neutral, to the bit, and whatever the exposure is set to */
    expect_controls(neutral, in, in);
    expect_controls(WITH(.exposure_100us = 1, .auto_exposure = true), in, in);
    /* half of the range: 109.5 */
    expect_controls(WITH(.brightness = 100), in, "\x7e\x64\xec\x96");
    expect_controls(WITH(.contrast = 0), in, "\x7e\x64\x7e\x96");
    expect_controls(WITH(.saturation = 0), in, "\x10\x80\x7e\x80");
    expect_controls(WITH(.saturation = 200), in, "\x10\x48\x7e\xac");
    expect_controls(WITH(.hue = 180), in, "\x10\x9c\x7e\x6a");
    expect_controls(WITH(.hue = 90), in, "\x10\x6a\x7e\x64");
    /* half the light: (126 - 16) / 2 + 16 */
    expect_controls(WITH(.exposure_100us = 50), in, "\x10\x64\x47\x96");
    /* the root of 110/219 of 219 */
    expect_controls(WITH(.gamma = 200), in, "\x10\x64\xab\x96");
}

typedef struct {
    const char *path;
    GByteArray *bytes;
} writer;

static gpointer write_pipe(gpointer data)
{
    writer *w = data;
    FILE *file = fopen(w->path, "wb");

    g_assert_nonnull(file);
    fwrite(w->bytes->data, 1, w->bytes->len, file);
    fclose(file);
    return NULL;
}

/* What comes next; it is up to the writer when. */
static void expect_next(isoav_vsource *v, unsigned shown)
{
    g_autofree uint8_t *ideal = g_malloc(FRAME);
    const uint8_t *frame;
    uint32_t bytes;
    bool repeated;

    do {
        g_thread_yield();
        frame = isoav_vsource_frame(v, 0, &neutral, &bytes, &repeated);
    } while (repeated);
    picture(ideal, shown);
    g_assert_cmpmem(frame, bytes, ideal, FRAME);
}

/* Two writers, one after the other; the first has a frame less. */
static void pipe_case(const char *prefix, GByteArray *clip,
                      unsigned frame_bytes)
{
    g_autofree char *path = path_of("pipe");
    g_autofree char *where = g_strconcat(prefix, path, NULL);
    g_autofree uint8_t *black = g_malloc(FRAME);
    writer w = { path, clip };
    isoav_vsource *v;
    uint32_t bytes;
    bool repeated;
    const uint8_t *frame;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    v = open_as("pipe", where, &yuy2);
    frame = isoav_vsource_frame(v, 0, &neutral, &bytes, &repeated);
    for (unsigned i = 0; i < FRAME; i++) {
        black[i] = i % 2 ? 128 : 16;
    }
    g_assert_true(repeated);
    g_assert_cmpmem(frame, bytes, black, FRAME);
    for (unsigned part = 0; part < 2; part++) {
        unsigned len = w.bytes->len;
        GThread *thread;

        w.bytes->len -= part ? 0 : frame_bytes;
        thread = g_thread_new("writer", write_pipe, &w);
        for (unsigned n = 0; n < FRAMES - !part; n++) {
            expect_next(v, 100 + n);
        }
        g_thread_join(thread);
        w.bytes->len = len;
    }
    frame = isoav_vsource_frame(v, 0, &neutral, &bytes, &repeated);
    g_assert_true(repeated);
    isoav_vsource_close(v);
    g_unlink(path);
    g_byte_array_unref(clip);
}

static void test_pipe(void)
{
    pipe_case("", y4m_clip(), FRAME + 6);
    pipe_case("320x180:", raw_clip(), FRAME);
}

/* Not a Y4M: nothing is shown, nothing waits, the writer is let go. */
static void test_pipe_lies(void)
{
    g_autofree char *path = path_of("pipe");
    writer w = { path, g_byte_array_append(g_byte_array_new(),
                                           (const uint8_t *)"no video\n", 9) };
    isoav_vsource *v;
    uint32_t bytes;
    bool repeated;

    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    v = open_as("pipe", path, &yuy2);
    g_thread_join(g_thread_new("writer", write_pipe, &w));
    g_assert_nonnull(isoav_vsource_frame(v, 0, &neutral, &bytes, &repeated));
    g_assert_true(repeated);
    isoav_vsource_close(v);
    g_unlink(path);
    g_byte_array_unref(w.bytes);
}

static void test_flash(void)
{
    char *error = NULL;
    isoav_vsource *v = isoav_vsource_open("pattern", &error);
    uint32_t bytes, number = 0;
    bool repeated;

    g_assert_true(isoav_vsource_start(v, &yuy2));
    for (unsigned n = 0; n < 100; n++) {
        const uint8_t *frame =
            isoav_vsource_frame(v, n, &neutral, &bytes, &repeated);

        /* 30.00003 a second: frame 30 is due 1 us before the second */
        g_assert_cmpint(frame[0] == 235 && frame[1] == 128, ==, n % 30 == 0);
        g_assert_cmpint(isolab_pattern_read(frame, WIDTH, HEIGHT, &number), ==,
                        ISOLAB_PATTERN_OK);
        g_assert_cmpuint(number, ==, n);
    }
    isoav_vsource_close(v);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    folder = g_dir_make_tmp("isolab-vsource-XXXXXX", NULL);
    g_test_add_func("/vsource/pattern-flashes", test_flash);
    g_test_add_func("/vsource/raw", test_raw);
    g_test_add_func("/vsource/y4m", test_y4m);
    g_test_add_func("/vsource/y4m-420", test_y4m_420);
    g_test_add_func("/vsource/mjpeg-untouched", test_mjpeg);
    g_test_add_func("/vsource/mjpeg-decoded", test_mjpeg_decoded);
    g_test_add_func("/vsource/png", test_png);
    g_test_add_func("/vsource/refused", test_refused);
    g_test_add_func("/vsource/damaged", test_damaged);
    g_test_add_func("/vsource/scale", test_scale);
    g_test_add_func("/vsource/controls", test_controls);
    g_test_add_func("/vsource/pipe", test_pipe);
    g_test_add_func("/vsource/pipe-lies", test_pipe_lies);
    status = g_test_run();
    g_free(folder);
    return status;
}
