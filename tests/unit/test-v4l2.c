/*
 * A V4L2 camera as a source, on a camera that is the test: what it offers,
 * what it refuses, buffers that lie, and a thread that nobody waits for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <stdlib.h>

#include "fake-camera.h"

static const offer small_yuyv[] = { { V4L2_PIX_FMT_YUYV, 4, 2, 30 } };
static const isoav_vformat small = { 4, 2, 333333, ISOAV_VIDEO_YUY2 };

static void refuse(const char *why)
{
    char *error = NULL;
    v4l2_camera *c = v4l2_camera_open(&ops, "/dev/video7", &error);

    g_assert_null(c);
    g_assert_true(g_str_has_prefix(
        error, "/dev/video7 cannot be the camera's pictures: "));
    if (!strstr(error, why)) {
        g_error("'%s' does not say '%s'", error, why);
    }
    g_free(error);
    g_assert_cmpuint(cam.opened, ==, 0);
}

static void test_refused(void)
{
    static const offer other[] = { { V4L2_PIX_FMT_H264, 4, 2, 30 },
                                   { V4L2_PIX_FMT_NV12, 4, 2, 30 } };

    plug_in(small_yuyv, 1);
    cam.is_unplugged = true;
    refuse("No such file");
    plug_in(small_yuyv, 1);
    cam.fails = VIDIOC_QUERYCAP;
    cam.fails_with = ENOTTY;
    refuse("it is no V4L2 device");
    plug_in(small_yuyv, 1);
    cam.caps = V4L2_CAP_VIDEO_OUTPUT | V4L2_CAP_STREAMING;
    refuse("captures no video");
    cam.caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE;
    refuse("cannot stream");
    plug_in(other, 2);
    refuse("neither MJPEG nor YUYV, only H264 NV12");
    cam.is_endless = true;
    refuse("only H264 H264 H264");
    plug_in(other, 0);
    refuse("only nothing");
}

/* The real one: what is no camera, and what is not there. */
static void test_system(void)
{
    char *error = NULL;

    g_assert_null(vsource_v4l2.open("/dev/null", &error));
    g_assert_nonnull(strstr(error, "it is no V4L2 device"));
    g_free(error);
    g_assert_null(isoav_vsource_open("v4l2:/nowhere/video0", &error));
    g_assert_nonnull(strstr(error, "No such file"));
    g_free(error);
}

static v4l2_camera *open_camera(const offer *offers, size_t count)
{
    char *error = NULL;
    v4l2_camera *c;

    plug_in(offers, count);
    c = v4l2_camera_open(&ops, "camera", &error);
    g_assert_cmpstr(error, ==, NULL);
    return c;
}

static void close_camera(v4l2_camera *c)
{
    v4l2_camera_close(c);
    g_assert_cmpuint(cam.opened, ==, 0);
    g_assert_cmpuint(cam.mapped, ==, 0);
}

static void expect_choice(const offer *offers, size_t count,
                          isoav_vformat wanted, uint32_t fourcc, unsigned width,
                          unsigned height)
{
    v4l2_camera *c = open_camera(offers, count);

    g_assert_true(v4l2_camera_start(c, &wanted));
    g_assert_cmphex(cam.format.pixelformat, ==, fourcc);
    g_assert_cmpuint(cam.format.width, ==, width);
    g_assert_cmpuint(cam.format.height, ==, height);
    g_assert_cmpuint(cam.interval_100ns, ==, wanted.interval_100ns);
    g_assert_cmpuint(cam.streaming, ==, 1);
    g_assert_cmpuint(cam.mapped, ==, MAPS);
    close_camera(c);
}

#define YUYV V4L2_PIX_FMT_YUYV
#define MJPG V4L2_PIX_FMT_MJPEG

static void test_choice(void)
{
    static const offer typical[] = {
        { MJPG, 1280, 720, 30 }, { MJPG, 640, 480, 30 }, { MJPG, 320, 240, 30 },
        { YUYV, 1280, 720, 10 }, { YUYV, 640, 480, 30 }, { YUYV, 320, 240, 30 },
        { YUYV, 641, 481, 30 },
    };
    static const offer silent[] = { { V4L2_PIX_FMT_JPEG, 0, 0, 0 } };
    const isoav_vformat yuy2_vga = { 640, 480, 333333, ISOAV_VIDEO_YUY2 };
    const isoav_vformat jpeg_vga = { 640, 480, 333333, ISOAV_VIDEO_MJPEG };
    const isoav_vformat yuy2_hd = { 1280, 720, 333333, ISOAV_VIDEO_YUY2 };
    const isoav_vformat slow_hd = { 1280, 720, 1000000, ISOAV_VIDEO_YUY2 };
    const isoav_vformat yuy2_180 = { 320, 180, 333333, ISOAV_VIDEO_YUY2 };
    const isoav_vformat full_hd = { 1920, 1080, 333333, ISOAV_VIDEO_MJPEG };

    /* the same size, in what the guest wants */
    expect_choice(typical, 7, yuy2_vga, YUYV, 640, 480);
    expect_choice(typical, 7, jpeg_vga, MJPG, 640, 480);
    /* as fast as it wants, or else in what it wants */
    expect_choice(typical, 7, yuy2_hd, MJPG, 1280, 720);
    expect_choice(typical, 7, slow_hd, YUYV, 1280, 720);
    /* the smallest that covers it; the largest, if none does */
    expect_choice(typical, 7, yuy2_180, YUYV, 320, 240);
    expect_choice(typical, 7, full_hd, MJPG, 1280, 720);
    /* nothing is said: as asked for */
    expect_choice(silent, 1, full_hd, V4L2_PIX_FMT_JPEG, 1920, 1080);
}

static void expect_in_range(unsigned width, unsigned height, unsigned is_width,
                            unsigned is_height)
{
    static const offer any[] = { { YUYV, 0, 0, 0 } };
    const isoav_vformat wanted = { width, height, 333333, ISOAV_VIDEO_YUY2 };
    v4l2_camera *c = open_camera(any, 1);

    cam.range = (struct v4l2_frmsize_stepwise){ 48, 1000, 16, 32, 800, 8 };
    g_assert_true(v4l2_camera_start(c, &wanted));
    g_assert_cmpuint(cam.format.width, ==, is_width);
    g_assert_cmpuint(cam.format.height, ==, is_height);
    close_camera(c);
}

static void test_ranges(void)
{
    expect_in_range(320, 240, 320, 240);
    expect_in_range(330, 241, 336, 248);
    expect_in_range(2, 2, 48, 32);
    expect_in_range(1920, 1080, 1000, 800);
}

/* Lists without an end have one here. */
static void test_endless(void)
{
    v4l2_camera *c = open_camera(small_yuyv, 1);
    const isoav_vformat fast = { 4, 2, 1, ISOAV_VIDEO_YUY2 };

    cam.is_endless = true;
    g_assert_true(v4l2_camera_start(c, &fast));
    close_camera(c);
}

static void expect_no_start(v4l2_camera *c)
{
    g_assert_false(v4l2_camera_start(c, &small));
    g_assert_cmpuint(cam.mapped, ==, 0);
    g_assert_cmpuint(cam.requested, ==, 0);
}

/* What fails on the way leaves nothing behind, and the next start works. */
static void test_no_start(void)
{
    static const struct {
        unsigned long request;
        int with, spares;
    } failures[] = {
        { VIDIOC_S_FMT, EBUSY, 0 },     { VIDIOC_REQBUFS, ENOMEM, 0 },
        { VIDIOC_QUERYBUF, EINVAL, 2 }, { VIDIOC_QBUF, EIO, 3 },
        { VIDIOC_STREAMON, ENOSPC, 0 },
    };
    static const struct v4l2_pix_format lies[] = {
        { .pixelformat = V4L2_PIX_FMT_NV12 },
        { .width = 1 },
        { .height = 100000 },
        { .bytesperline = 1u << 31 },
        { .field = V4L2_FIELD_ALTERNATE },
        { .field = V4L2_FIELD_TOP },
    };
    v4l2_camera *c = open_camera(small_yuyv, 1);

    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        cam.fails = failures[i].request;
        cam.fails_with = failures[i].with;
        cam.spares = failures[i].spares;
        g_assert_false(v4l2_camera_start(c, &small));
        g_assert_cmpuint(cam.mapped, ==, 0);
        cam.fails = 0;
        cam.requested = 0;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lies); i++) {
        cam.answer = lies[i];
        expect_no_start(c);
    }
    memset(&cam.answer, 0, sizeof(cam.answer));
    cam.has_no_memory = true;
    expect_no_start(c);
    cam.has_no_memory = false;
    g_assert_true(v4l2_camera_start(c, &small));
    close_camera(c);
}

static void expect_taken(v4l2_camera *c, const void *ideal, size_t count)
{
    vpicture p;
    uint8_t *bytes = NULL;

    g_assert_cmpint(v4l2_camera_take(c, &p, &bytes), ==, V4L2_TAKEN);
    g_assert_cmpmem(bytes, p.count, ideal, count);
    g_free(bytes);
}

static void expect_verdict(v4l2_camera *c, v4l2_verdict verdict)
{
    vpicture p;
    uint8_t *bytes = NULL;

    g_assert_cmpint(v4l2_camera_take(c, &p, &bytes), ==, verdict);
    g_assert_null(bytes);
}

static void test_buffers(void)
{
    static const char picture[] = "aUbVcUdVeUfVgUhV";
    v4l2_camera *c = open_camera(small_yuyv, 1);

    g_assert_true(v4l2_camera_start(c, &small));
    expect_verdict(c, V4L2_NOTHING);
    /* more often than there are buffers: each goes back */
    for (unsigned i = 0; i < 3 * MAPS; i++) {
        show(picture, 16, 0);
        expect_taken(c, picture, 16);
        show(picture, 15, 0);
        expect_verdict(c, V4L2_BAD);
        show(picture, 0, 0);
        expect_verdict(c, V4L2_BAD);
        show(picture, 16, V4L2_BUF_FLAG_ERROR);
        expect_verdict(c, V4L2_BAD);
    }
    g_assert_true(cam.queued[0] && cam.queued[MAPS - 1]);
    close_camera(c);
}

/* A row may be longer than its pixels; the last one need not be. */
static void test_stride(void)
{
    static const char rows[] = "aUbVcUdV....eUfVgUhV";
    v4l2_camera *c = open_camera(small_yuyv, 1);

    cam.answer.bytesperline = 12;
    cam.answer.width = 5; /* and its odd column is left out */
    g_assert_true(v4l2_camera_start(c, &small));
    show(rows, 20, 0);
    expect_taken(c, "aUbVcUdVeUfVgUhV", 16);
    show(rows, 19, 0);
    expect_verdict(c, V4L2_BAD);
    close_camera(c);
}

/* bytesused is larger than the buffer: what is behind it is not read. */
static void test_too_long(void)
{
    g_autofree uint8_t *large = g_malloc0(ROOM);
    v4l2_camera *c = open_camera(small_yuyv, 1);

    cam.answer.width = 1024;
    cam.answer.height = 1024; /* 2 MiB, in a buffer of 1 */
    g_assert_true(v4l2_camera_start(c, &small));
    show(large, UINT32_MAX, 0);
    expect_verdict(c, V4L2_BAD);
    close_camera(c);
}

static void test_jpeg(void)
{
    static const offer jpegs[] = { { MJPG, 4, 2, 30 } };
    unsigned long count;
    uint8_t *jpeg =
        vjpeg_encode((const uint8_t *)"aUbVcUdVeUfVgUhV", 4, 2, &count);
    v4l2_camera *c = open_camera(jpegs, 1);

    g_assert_true(v4l2_camera_start(c, &small));
    show(jpeg, count, 0);
    expect_taken(c, jpeg, count);
    show("no JPEG at all", 14, 0);
    expect_verdict(c, V4L2_BAD);
    show(jpeg, 20, 0);
    expect_verdict(c, V4L2_BAD);
    close_camera(c);
    free(jpeg);
}

static void test_gone(void)
{
    static const char picture[] = "aUbVcUdVeUfVgUhV";
    v4l2_camera *c = open_camera(small_yuyv, 1);

    g_assert_true(v4l2_camera_start(c, &small));
    /* no signal, for a second; a picture, and it counts anew */
    cam.fails = VIDIOC_DQBUF;
    cam.fails_with = EIO;
    for (unsigned i = 0; i < 30; i++) {
        expect_verdict(c, V4L2_BAD);
    }
    cam.fails = 0;
    show(picture, 16, 0);
    expect_taken(c, picture, 16);
    cam.fails = VIDIOC_DQBUF;
    for (unsigned i = 0; i < 30; i++) {
        expect_verdict(c, V4L2_BAD);
    }
    expect_verdict(c, V4L2_GONE);
    cam.fails = VIDIOC_QBUF;
    show(picture, 16, 0);
    expect_verdict(c, V4L2_GONE);
    cam.fails = 0;
    cam.lies_about_index = true;
    show(picture, 16, 0);
    expect_verdict(c, V4L2_GONE);
    cam.is_unplugged = true;
    expect_verdict(c, V4L2_GONE);
    close_camera(c);
}

static void *open_source(void)
{
    char *error = NULL;
    void *s;

    plug_in(small_yuyv, 1);
    s = v4l2_source_open(&ops, "camera", &error);
    g_assert_cmpstr(error, ==, NULL);
    return s;
}

/* Until a new picture has come: at once, or never. */
static void expect_new(void *s, const char *ideal)
{
    int64_t end = g_get_monotonic_time() + 10 * G_TIME_SPAN_SECOND;
    vpicture p;
    bool repeated;

    do {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        g_thread_yield();
        vsource_v4l2.picture(s, 0, &p, &repeated);
    } while (repeated);
    g_assert_cmpmem(p.bytes, p.count, ideal, 16);
}

static void expect_old(void *s, const char *ideal)
{
    vpicture p;
    bool repeated = false;

    g_assert_true(vsource_v4l2.picture(s, 0, &p, &repeated));
    g_assert_true(repeated);
    g_assert_cmpmem(p.bytes, p.count, ideal, 16);
}

static void expect_none(void *s)
{
    vpicture p;
    bool repeated = false;

    g_assert_false(vsource_v4l2.picture(s, 0, &p, &repeated));
    g_assert_true(repeated);
}

static void wait_streams(bool on)
{
    bool is;

    do {
        g_thread_yield();
        g_mutex_lock(&cam.lock);
        is = cam.streaming;
        g_mutex_unlock(&cam.lock);
    } while (is != on);
}

static const char first[] = "aUbVcUdVeUfVgUhV";
static const char second[] = "AUBVCUDVEUFVGUHV";

static void test_source(void)
{
    void *s = open_source();
    const isoav_vformat still = { 8, 4, 333333, ISOAV_VIDEO_MJPEG };

    cam.starts = 0;
    expect_none(s);
    g_assert_cmpuint(cam.streaming, ==, 0);
    vsource_v4l2.start(s, &small);
    show(first, 16, 0);
    expect_new(s, first);
    expect_old(s, first);
    /* a damaged one is none */
    show(second, 3, 0);
    wait_taken();
    expect_old(s, first);
    /* the newest one */
    show(first, 16, 0);
    wait_taken();
    show(second, 16, 0);
    wait_taken();
    expect_new(s, second);
    /* a still image in between: the camera streams on */
    g_assert_true(vsource_v4l2.start(s, &still));
    expect_old(s, second);
    show(first, 16, 0);
    expect_new(s, first);
    g_assert_cmpuint(cam.streaming, ==, 1);
    g_assert_cmpuint(cam.starts, ==, 1);
    vsource_v4l2.stop(s);
    wait_streams(false);
    expect_none(s);
    vsource_v4l2.start(s, &small);
    show(first, 16, 0);
    expect_new(s, first);
    vsource_v4l2.close(s);
    g_assert_cmpuint(cam.mapped, ==, 0);
    g_assert_cmpuint(cam.opened, ==, 0);
}

/* Unplugged in mid-stream; another one is found where it was. */
static void test_source_unplugged(void)
{
    void *s = open_source();
    unsigned opened;

    vsource_v4l2.start(s, &small);
    show(first, 16, 0);
    expect_new(s, first);
    g_mutex_lock(&cam.lock);
    cam.is_unplugged = true;
    g_mutex_unlock(&cam.lock);
    g_assert_cmpint(write(cam.ready[1], "", 1), ==, 1);
    do {
        g_thread_yield();
        g_mutex_lock(&cam.lock);
        opened = cam.opened;
        g_mutex_unlock(&cam.lock);
    } while (opened);
    expect_old(s, first);
    g_assert_cmpint(read(cam.ready[0], &opened, 1), ==, 1);
    g_mutex_lock(&cam.lock);
    cam.is_unplugged = false;
    g_mutex_unlock(&cam.lock);
    wait_streams(true);
    show(second, 16, 0);
    expect_new(s, second);
    vsource_v4l2.close(s);
    g_assert_cmpuint(cam.mapped, ==, 0);
}

static void hang_at(unsigned long request)
{
    g_mutex_lock(&cam.lock);
    cam.hangs = request;
    cam.hung = false;
    g_mutex_unlock(&cam.lock);
}

static void wait_hung(void)
{
    g_mutex_lock(&cam.lock);
    while (!cam.hung) {
        g_cond_wait(&cam.changed, &cam.lock);
    }
    g_mutex_unlock(&cam.lock);
}

/* With the lock. */
static void let_go(void)
{
    cam.hangs = 0;
    g_cond_broadcast(&cam.changed);
}

/* A camera that takes its time: nobody waits for it. */
static void test_source_hangs(void)
{
    void *s = open_source();

    hang_at(VIDIOC_STREAMON);
    cam.starts = 0;
    vsource_v4l2.start(s, &small);
    wait_hung();
    expect_none(s);
    vsource_v4l2.stop(s);
    vsource_v4l2.start(s, &small);
    expect_none(s);
    g_mutex_lock(&cam.lock);
    let_go();
    /* for the first stream, and for the one that followed meanwhile */
    while (cam.starts < 2) {
        g_cond_wait(&cam.changed, &cam.lock);
    }
    g_mutex_unlock(&cam.lock);
    show(first, 16, 0);
    expect_new(s, first);
    vsource_v4l2.close(s);
}

/* A picture that was on its way when its stream ended is not the next one's. */
static void test_source_late(void)
{
    void *s = open_source();

    cam.starts = 0;
    vsource_v4l2.start(s, &small);
    wait_streams(true);
    hang_at(VIDIOC_QBUF);
    show(first, 16, 0);
    wait_hung();
    vsource_v4l2.stop(s);
    vsource_v4l2.start(s, &small);
    g_mutex_lock(&cam.lock);
    let_go();
    while (cam.starts < 2) {
        g_cond_wait(&cam.changed, &cam.lock);
    }
    g_mutex_unlock(&cam.lock);
    expect_none(s);
    vsource_v4l2.close(s);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    cam.memory = g_malloc0((size_t)MAPS * ROOM);
    g_test_add_func("/v4l2/refused", test_refused);
    g_test_add_func("/v4l2/system", test_system);
    g_test_add_func("/v4l2/choice", test_choice);
    g_test_add_func("/v4l2/ranges", test_ranges);
    g_test_add_func("/v4l2/endless-lists", test_endless);
    g_test_add_func("/v4l2/no-start", test_no_start);
    g_test_add_func("/v4l2/buffers", test_buffers);
    g_test_add_func("/v4l2/stride", test_stride);
    g_test_add_func("/v4l2/too-long", test_too_long);
    g_test_add_func("/v4l2/jpeg", test_jpeg);
    g_test_add_func("/v4l2/gone", test_gone);
    g_test_add_func("/v4l2/source", test_source);
    g_test_add_func("/v4l2/source-unplugged", test_source_unplugged);
    g_test_add_func("/v4l2/source-hangs", test_source_hangs);
    g_test_add_func("/v4l2/source-late", test_source_late);
    status = g_test_run();
    g_free(cam.memory);
    return status;
}
