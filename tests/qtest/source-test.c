/*
 * What a person can give the camera for its pictures: what cannot be used is
 * one sentence, at the start and when a device is plugged in, and what can is
 * on the bus, bit for bit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/uvc.h"
#include "compat.h"

#include <glib/gstdio.h>
#include <sys/stat.h>

enum { WIDTH = 160, HEIGHT = 90, FRAME = WIDTH * HEIGHT * 2, FRAMES = 2 };

static char *folder;

typedef struct {
    const char *name; /* the test's */
    const char *spec; /* %s: the folder */
    const char *file; /* what is in it; NULL: nothing */
    unsigned count;
    const char *why;
} Bad;

#define BYTES(s) s, sizeof(s) - 1

static const Bad bad[] = {
    { "kind", "camera", NULL, 0, "there is no video source 'camera'" },
    { "file-absent", "file:%s/none", NULL, 0, "there is no such file" },
    { "file-empty", "file:%s/bad", BYTES(""), "it is empty" },
    { "file-text", "loop:%s/bad", BYTES("hello, world\n"),
      "it is no Y4M, JPEG or PNG" },
    { "raw-cut-off", "file:%s/bad_4x2.yuv", BYTES("01234567890123456789012"),
      "its 23 bytes are not whole frames of 4x2 YUY2, which have 16" },
    { "raw-odd", "file:%s/bad_5x2.yuv", BYTES("01234567890123456789"),
      "does not end in a size" },
    { "y4m-cut-off", "file:%s/bad.y4m",
      BYTES("YUV4MPEG2 W2 H2\nFRAME\n012345FRAME\n0123"),
      "cut off or damaged after frame 1" },
    { "y4m-no-frames", "file:%s/bad.y4m", BYTES("YUV4MPEG2 W2 H2\n"),
      "it has no frame" },
    { "y4m-odd", "file:%s/bad.y4m", BYTES("YUV4MPEG2 W3 H2\nFRAME\n"),
      "its size is not an even one" },
    { "y4m-colours", "file:%s/bad.y4m", BYTES("YUV4MPEG2 W2 H2 C444\nFRAME\n"),
      "its colours are 444" },
    { "jpeg-cut-off", "file:%s/bad.jpg", BYTES("\xff\xd8\xff\xdb\x00\x43\x00"),
      "after frame 0" },
    { "png-cut-off", "file:%s/bad.png",
      BYTES("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x04"), "a damaged PNG" },
    { "pipe-file", "pipe:%s/bad", BYTES("YUV4MPEG2 W2 H2\n"),
      "it is no pipe (mkfifo makes one)" },
    { "pipe-absent", "pipe:%s/none", NULL, 0, "No such file or directory" },
    { "pipe-odd", "pipe:3x2:%s/none", NULL, 0, "is not an even one" },
    { "v4l2-absent", "v4l2:%s/video0", NULL, 0, "No such file or directory" },
    { "v4l2-file", "v4l2:%s/bad", BYTES("x"), "it is no V4L2 device" },
};

static char *spec_of(const Bad *b)
{
    const char *at = strstr(b->spec, "%s");

    if (!at) {
        return g_strdup(b->spec);
    }
    return g_strdup_printf("%.*s%s%s", (int)(at - b->spec), b->spec, folder,
                           at + 2);
}

/* The name in the specification is the file's. */
static char *make_file(const Bad *b, const char *spec)
{
    char *path = b->file ? g_strdup(strchr(spec, '/')) : NULL;

    if (path) {
        g_assert_true(g_file_set_contents(path, b->file, b->count, NULL));
    }
    return path;
}

static void check_sentence(const char *said, const char *why)
{
    hcd_check(strstr(said, why) && !strchr(said, '\n'),
              "it is '%s' and not '%s'", said, why);
}

/* What QEMU has said; a sanitizer speaks between. */
static char *lines_of_qemu(const char *said)
{
    g_auto(GStrv) lines = g_strsplit(said, "\n", -1);
    g_autoptr(GString) own = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        if (g_str_has_prefix(*line, "qemu-system")) {
            g_string_append_printf(own, "%s%s", own->len ? "\n" : "", *line);
        }
    }
    return g_strdup(own->str);
}

/* QEMU does not start; its sentence is the only line, its status is not 0. */
static void expect_no_start(const char *controller, const char *device,
                            const char *why)
{
    g_autofree char *said = NULL, *own = NULL;
    const char *argv[] = { getenv("QTEST_QEMU_BINARY"),
                           "-accel",
                           "qtest",
                           "-display",
                           "none",
                           "-nodefaults",
                           "-device",
                           controller,
                           "-device",
                           device,
                           NULL };
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL, NULL,
                               &said, &status, NULL));
    hcd_check(WIFEXITED(status) && WEXITSTATUS(status) == 1,
              "QEMU ended with status %x", status);
    own = lines_of_qemu(said);
    check_sentence(own, why);
}

static void refused(const void *data)
{
    const Bad *b = data;
    g_autofree char *spec = spec_of(b), *path = make_file(b, spec);
    g_autofree char *device =
        g_strdup_printf("usb-isoav,profile=av,video-source=%s", spec);
    Hcd *h = hcd_start(.halted = true);
    QDict *reply;

    expect_no_start("ixhci", device, b->why);
    reply = qtest_qmp(
        h->qts,
        "{'execute': 'device_add', 'arguments': {'driver': 'usb-isoav',"
        " 'bus': 'xhci.0', 'profile': 'av', 'video-source': %s}}",
        spec);
    hcd_check(qdict_haskey(reply, "error"), "it was plugged in");
    check_sentence(qdict_get_str(qdict_get_qdict(reply, "error"), "desc"),
                   b->why);
    qobject_unref(reply);
    /* and another one can be */
    hcd_plug(h, "usb-isoav", "good");
    if (path) {
        g_unlink(path);
    }
    hcd_finish(h);
}

/* The same of a capture. */
static void capture_refused(void)
{
    expect_no_start("ixhci,capture=/nowhere/at/all", "usb-isoav",
                    "/nowhere/at/all cannot be a capture: No such file");
    expect_no_start("ixhci,capture-snaplen=127", "usb-isoav",
                    "capture-snaplen must be 128 to 262144, not 127");
}

/* A Y4M of two frames that differ in each pixel. */
static char *make_clip(void)
{
    char *path = g_build_filename(folder, "clip.y4m", NULL);
    g_autoptr(GString) clip = g_string_new("YUV4MPEG2 W160 H90 C422\n");

    for (unsigned n = 0; n < FRAMES; n++) {
        g_string_append(clip, "FRAME\n");
        for (unsigned i = 0; i < FRAME; i++) {
            g_string_append_c(clip, 16 + (i * 7 + i / 333 + n * 50) % 200);
        }
    }
    g_assert_true(g_file_set_contents(path, clip->str, clip->len, NULL));
    return path;
}

/* A clip is on the bus as the source gives it; at its end it is repeated, and
 * each repeated frame is counted. */
static void shown(const void *data)
{
    const char *kind = data;
    g_autofree char *path = make_clip();
    g_autofree char *spec = g_strdup_printf("%s:%s", kind, path);
    g_autofree char *args =
        g_strdup_printf(UVC_ARGS(",speed=full,video-source=%s"), spec);
    Uvc *u = uvc_open(hcd_start(.args = args));
    uint64_t repeated = 0;
    char *error = NULL;

    isoav_vsource_close(u->source);
    u->source = isoav_vsource_open(spec, &error);
    g_assert_cmpstr(error, ==, NULL);
    uvc_commit(u, 1, 1, 333333);
    uvc_start(u);
    for (unsigned i = 0; i < 4; i++) {
        UvcFrame frame = uvc_frame(u);

        repeated += frame.number >= FRAMES;
        uvc_expect_frame(u, frame);
    }
    hcd_check(repeated > 0, "the clip did not end");
    if (g_str_equal(kind, "file")) {
        hcd_check(uvc_counter(u, "repeated") >= repeated,
                  "%" PRIu64 " frames were repeated, %" PRIu64 " counted",
                  repeated, uvc_counter(u, "repeated"));
    } else {
        hcd_check(uvc_counter(u, "repeated") == 0, "a loop repeats nothing");
    }
    uvc_close(u);
    g_unlink(path);
}

int main(int argc, char **argv)
{
    int status;

    folder = g_dir_make_tmp("isolab-source-XXXXXX", NULL);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        g_autofree char *name =
            g_strdup_printf("source/refused/%s", bad[i].name);

        hcd_test_add_data(name, refused, &bad[i]);
    }
    hcd_test_add("source/refused/capture", capture_refused);
    hcd_test_add_data("source/shown/file", shown, "file");
    hcd_test_add_data("source/shown/loop", shown, "loop");
    status = hcd_test_main(argc, argv);
    g_rmdir(folder);
    g_free(folder);
    return status;
}
