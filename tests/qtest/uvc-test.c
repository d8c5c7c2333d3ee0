/*
 * The UVC camera of usb-isoav, profile "av", as a driver sees it: frames are
 * put together from its packets and held, bit for bit, to what the source
 * draws; each leaves when it is due.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/uvc.h"
#include "compat.h"

typedef struct {
    const char *name, *args;
    unsigned speed, format, frame;
    uint32_t interval;
    unsigned payload, frames;
} Stream;

static const Stream streams[] = {
    { "full/YUY2-160x90-30", UVC_ARGS(",speed=full"), SPEED_FULL, 1, 1, 333333,
      1023, 3 },
    { "full/MJPEG-640x360-10", UVC_ARGS(",speed=full"), SPEED_FULL, 2, 2,
      1000000, 1023, 2 },
    { "high/YUY2-320x180-60", UVC_ARGS(""), SPEED_HIGH, 1, 1, 166666, 1024, 4 },
    { "high/YUY2-640x480-30", UVC_ARGS(""), SPEED_HIGH, 1, 3, 333333, 2400, 3 },
    { "high/YUY2-1280x720-10", UVC_ARGS(""), SPEED_HIGH, 1, 4, 1000000, 2400,
      2 },
    { "high/MJPEG-320x180-10", UVC_ARGS(""), SPEED_HIGH, 2, 1, 1000000, 192,
      2 },
    { "high/MJPEG-1280x720-30", UVC_ARGS(""), SPEED_HIGH, 2, 4, 333333, 1536,
      5 },
    { "high/MJPEG-1920x1080-25", UVC_ARGS(""), SPEED_HIGH, 2, 5, 400000, 3072,
      3 },
    { "super/YUY2-1920x1080-60", UVC_ARGS(",speed=super"), SPEED_SUPER, 1, 5,
      166666, 32768, 3 },
    { "super/MJPEG-1920x1080-50", UVC_ARGS(",speed=super"), SPEED_SUPER, 2, 5,
      200000, 8192, 3 },
};

/* The microframe in which frame n is due. */
static uint64_t due_uf(Uvc *u, uint64_t n)
{
    return u->epoch_uf + (n * u->format.interval_100ns + 1249) / 1250;
}

/* A frame of the video, at its time; the packets follow one another. */
static UvcFrame frame_in_time(Uvc *u)
{
    UvcFrame frame = uvc_frame(u);
    uint64_t due = due_uf(u, frame.number);

    hcd_check(frame.first_uf >= due &&
                  frame.first_uf < due + u->speed->interval_uf,
              "frame %" PRIu64 " was due in microframe %" PRIu64
              " and began in %" PRIu64,
              frame.number, due, frame.first_uf);
    hcd_check(frame.last_uf - frame.first_uf ==
                  (uint64_t)(frame.payloads - 1) * u->speed->interval_uf,
              "frame %" PRIu64 " has pauses", frame.number);
    hcd_check(!(frame.info & (UVC_ERR | UVC_STI)), "frame %" PRIu64 ": %02x",
              frame.number, frame.info);
    return frame;
}

/* `count` frames, none left out. */
static void expect_frames(Uvc *u, unsigned count)
{
    uint64_t first = 0;

    for (unsigned i = 0; i < count; i++) {
        UvcFrame frame = frame_in_time(u);

        first = i ? first : frame.number;
        hcd_check(frame.number == first + i,
                  "after frame %" PRIu64 " comes %" PRIu64, first + i - 1,
                  frame.number);
        uvc_expect_frame(u, frame);
    }
}

static void stream(const void *data)
{
    const Stream *s = data;
    Uvc *u = uvc_open(hcd_start(.args = s->args));

    hcd_check(u->dev->speed == s->speed, "it came up at speed %u",
              u->dev->speed);
    uvc_commit(u, s->format, s->frame, s->interval);
    hcd_check(u->payload_bytes == s->payload, "payloads have %u bytes",
              u->payload_bytes);
    uvc_start(u);
    expect_frames(u, s->frames);
    hcd_check(
        uvc_counter(u, "frames") == s->frames && uvc_counter(u, "late") == 0 &&
            uvc_counter(u, "skipped") == 0 &&
            uvc_counter(u, "underruns") == 0 && uvc_counter(u, "repeated") == 0,
        "the counters are wrong");
    uvc_close(u);
}

/* Packets are sent in the size that was agreed, in a larger alternate, too. */
static void alternates(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    g_autofree UvcPayload *p = g_new(UvcPayload, 1);

    uvc_commit(u, 1, 1, 333333);
    hcd_check(u->payload_bytes == 512, "payloads have %u bytes",
              u->payload_bytes);
    uvc_start_in(u, 2);
    expect_frames(u, 1);
    for (unsigned i = 0; i < 40; i++) { /* into the next one */
        uvc_payload(u, p);
    }
    uvc_start_in(u, 7);
    expect_frames(u, 2);
    uvc_start_in(u, 7); /* the same again */
    expect_frames(u, 1);
    hcd_expect_cc(uvc_select_interface(u, 0), CC_SUCCESS);
    uvc_commit(u, 2, 3, 200000);
    uvc_start(u);
    expect_frames(u, 2);
    uvc_close(u);
}

/* In the middle of a frame, at its very beginning and before it. */
static void migration(const void *data)
{
    const Stream *s = data;
    Uvc *u = uvc_open(hcd_start(.args = s->args));

    uvc_commit(u, s->format, s->frame, s->interval);
    uvc_start(u);
    u->migrate_after = 12;
    expect_frames(u, 1);
    u->migrate_after = 1;
    expect_frames(u, 1);
    hcd_migrate(u->h);
    expect_frames(u, 1);
    hcd_check(uvc_counter(u, "frames") == 3 && uvc_counter(u, "skipped") == 0,
              "the counters were not migrated");
    uvc_close(u);
}

/* What was negotiated, and controls, as well. */
static void migration_of_settings(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint16_t value = 33;
    uint8_t mode = 1;

    uvc_commit(u, 2, 4, 333333);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_UNIT, 2, &value, 2),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_CAMERA, 2, &mode, 1),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_select_interface(u, 1), CC_STALL_ERROR);
    hcd_migrate(u->h);
    hcd_check(uvc_error_code(u) == 2, "the error code was not migrated");
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_UNIT, 2, &value, 2),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_GET_INFO, UVC_CAMERA, 4, &mode, 1),
                  CC_SUCCESS);
    hcd_check(value == 33 && mode == 3, "brightness %u, exposure's INFO %u",
              value, mode);
    hcd_expect_cc(uvc_select_interface(u, 1), CC_STALL_ERROR);
    hcd_expect_cc(uvc_select_interface(u, 4), CC_SUCCESS);
    uvc_close(u);
}

/* A control changes the picture from the next frame on. */
static void controls(void)
{
    static const struct {
        unsigned selector;
        int16_t value;
    } set[] = { { 2, 25 }, { 3, 150 }, { 6, 90 }, { 7, 40 }, { 9, 150 } };
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    isoav_vcontrols turned = uvc_neutral;
    int *values[] = { &turned.brightness, &turned.contrast, &turned.hue,
                      &turned.saturation, &turned.gamma };
    uint8_t manual = 1;
    uint32_t exposure = 50;

    uvc_commit(u, 1, 1, 333333);
    uvc_start(u);
    expect_frames(u, 1);
    for (unsigned i = 0; i < ARRAY_SIZE(set); i++) {
        int16_t value = set[i].value;

        hcd_expect_cc(
            uvc_request(u, UVC_SET_CUR, UVC_UNIT, set[i].selector, &value, 2),
            CC_SUCCESS);
        *values[i] = value;
        uvc_expect_frame_at(u, uvc_frame(u), &u->format, &turned, __FILE__,
                            __LINE__);
    }
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_CAMERA, 2, &manual, 1),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_CAMERA, 4, &exposure, 4),
                  CC_SUCCESS);
    turned.auto_exposure = false;
    turned.exposure_100us = exposure;
    uvc_expect_frame_at(u, uvc_frame(u), &u->format, &turned, __FILE__,
                        __LINE__);
    uvc_close(u);
}

/* Method 2: the still image comes in the stream, which goes on after it. */
static void still_image(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint8_t probe[11] = { 1, 1 }, trigger = 1;
    isoav_vformat format;
    UvcFrame frame;

    uvc_commit(u, 2, 1, 333333);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 3, probe, 11),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 3, probe, 11),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 4, probe, 11),
                  CC_SUCCESS);
    uvc_start_in(u, 7);
    expect_frames(u, 1);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 5, &trigger, 1),
                  CC_SUCCESS);
    frame = uvc_frame(u);
    hcd_check(frame.info & UVC_STI, "the next frame is no still image");
    format = u->format;
    format.format = ISOAV_VIDEO_YUY2;
    format.width = 640;
    format.height = 480;
    uvc_expect_frame_at(u, frame, &format, &uvc_neutral, __FILE__, __LINE__);
    frame = uvc_frame(u);
    hcd_check(!(frame.info & UVC_STI), "there are two still images");
    uvc_expect_frame(u, frame);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 5, &trigger, 1),
                  CC_SUCCESS);
    hcd_check(trigger == 0, "the trigger is still %u", trigger);
    hcd_check(uvc_counter(u, "stills") == 1, "the counters are wrong");
    uvc_close(u);
}

static void expect_status(Uvc *u, uint64_t trb, uint64_t buf, const char *bytes,
                          unsigned length)
{
    uint8_t got[16];

    hcd_expect_te(u->h, .dev = u->dev, .dci = UVC_STATUS, .cc = CC_SHORT_PACKET,
                  .ptr = trb, .len = 16 - length);
    qtest_bufread(u->h->qts, buf, got, 16);
    hcd_check(memcmp(got, bytes, length) == 0, "%02x %02x %02x %02x %02x %02x",
              got[0], got[1], got[2], got[3], got[4], got[5]);
}

static void press(Uvc *u, bool on)
{
    qtest_qmp_assert_success(
        u->h->qts,
        "{'execute': 'qom-set', 'arguments': {'path': '/machine/peripheral/av',"
        " 'property': 'still-button', 'value': %i}}",
        on);
}

/* The status endpoint says nothing until there is something to say. */
static void status(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint64_t buf = hcd_alloc_filled(u->h, 64, 0xee), trb[3];
    uint8_t manual = 1;

    hcd_ep_add(u->h, u->dev, .dci = UVC_STATUS, .type = EP_TYPE_INTERRUPT_IN,
               .mps = 16, .interval = 3, .esit = 16);
    for (unsigned i = 0; i < 3; i++) {
        trb[i] = td_normal(u->h, u->dev, UVC_STATUS, .buf = buf + 16 * i,
                           .len = 16, .ioc = true);
    }
    hcd_ring_ep(u->h, u->dev, UVC_STATUS);
    hcd_expect_quiet(u->h, 800);
    press(u, true);
    expect_status(u, trb[0], buf, "\2\1\0\1", 4);
    hcd_expect_quiet(u->h, 80);
    hcd_migrate(u->h);
    press(u, false);
    expect_status(u, trb[1], buf + 16, "\2\1\0\0", 4);
    hcd_expect_quiet(u->h, 80);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_CAMERA, 2, &manual, 1),
                  CC_SUCCESS);
    expect_status(u, trb[2], buf + 32, "\1\1\0\4\1\3", 6);
    uvc_close(u);
}

/* What does not fit is a STALL with its reason, and the stream stays whole. */
static void refused(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint8_t bytes[34] = { 0 };

    uvc_commit(u, 2, 4, 333333);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, 0x0400, 2, bytes, 2),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 5, "not: invalid unit");
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_UNIT, 4, bytes, 2),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 6, "not: invalid control");
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_UNIT, 2, bytes, 1),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 7, "not: invalid request");
    bytes[1] = 0x7f;
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_UNIT, 2, bytes, 2),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 4, "not: out of range");
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, 0x0002, 1, bytes, 1),
                  CC_STALL_ERROR); /* interface 2 */
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 2, bytes, 34),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 4, "not: out of range");
    hcd_expect_cc(uvc_select_interface(u, 3), CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 2, "not: wrong state");
    hcd_expect_cc(uvc_select_interface(u, 8), CC_STALL_ERROR);
    uvc_start(u);
    expect_frames(u, 1);
    hcd_expect_cc(uvc_select_interface(u, 3), CC_STALL_ERROR);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 2, bytes, 34),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 2, bytes, 34),
                  CC_STALL_ERROR);
    hcd_check(uvc_error_code(u) == 2, "not: wrong state");
    uvc_expect_frame(u, uvc_frame(u));
    uvc_close(u);
}

/* Before a commit there is nothing to send, and the packets say so. */
static void nothing_committed(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint64_t trb;

    u->payload_bytes = 1024;
    uvc_start_in(u, 3);
    trb = u->trb[0];
    hcd_expect_te(u->h, .dev = u->dev, .dci = UVC_VIDEO, .cc = CC_SHORT_PACKET,
                  .ptr = trb, .len = 1024);
    uvc_close(u);
}

/* A host that does not ask for a while: frames are left out, whole ones. */
static void slow_host(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint64_t last;
    UvcFrame frame;

    uvc_commit(u, 1, 1, 333333);
    uvc_start(u);
    frame = uvc_frame(u);
    last = frame.number;
    uvc_expect_frame(u, frame);
    hcd_step_uf(u->h, 900); /* the TDs that are queued are used up */
    hcd_event_drain(u->h);
    uvc_start_in(u, 7);
    frame = uvc_frame(u);
    hcd_check(frame.number > last + 2, "frame %" PRIu64 " came after %" PRIu64,
              frame.number, last);
    uvc_expect_frame(u, frame);
    uvc_close(u);
}

/* A buffer that is too small for a payload gets no more than it holds. */
static void small_buffer(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    HcdEvent event;

    uvc_commit(u, 1, 1, 333333); /* 512 */
    u->payload_bytes = 100;
    uvc_start_in(u, 2);
    do {
        event = hcd_expect_te(u->h, .dev = u->dev, .dci = UVC_VIDEO);
        hcd_check(event.cc == CC_SHORT_PACKET ||
                      event.cc == CC_ISOCH_BUFFER_OVERRUN,
                  "512 bytes into 100: %s", hcd_event_text(&event));
        td_isoch(u->h, u->dev, UVC_VIDEO, .buf = u->buf[0], .len = 100,
                 .sia = true, .ioc = true);
        hcd_ring_ep(u->h, u->dev, UVC_VIDEO);
    } while (event.cc == CC_SHORT_PACKET);
    uvc_close(u);
}

/* Bytes of the device's part of a saved machine are changed: it is loaded or
 * refused, and QEMU lives. */
static void damaged_file(const void *data)
{
    g_autofree char *name = g_strdup_printf("uvc-damaged-%d", getpid());
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_autoptr(GRand) dice = g_rand_new_with_seed(GPOINTER_TO_UINT(data));
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    g_autofree char *good = NULL;
    const char marker[] = "usb-isoav/av";
    gsize bytes, section = 0;
    unsigned refused = 0;

    uvc_commit(u, 1, 3, 333333);
    uvc_start(u);
    hcd_step_uf(u->h, 30);
    hcd_save(u->h, file);
    g_assert_true(g_file_get_contents(file, &good, &bytes, NULL));
    while (memcmp(good + section, marker, strlen(marker))) {
        g_assert_cmpuint(++section, <, bytes - 600);
    }
    for (unsigned i = 0; i < 12; i++) {
        g_autofree char *bad = g_memdup2(good, bytes);
        QTestState *qts;

        for (unsigned k = 0; k <= i; k++) {
            bad[section + g_rand_int_range(dice, strlen(marker), 300)] ^=
                1 << g_rand_int_range(dice, 0, 8);
        }
        g_assert_true(g_file_set_contents(file, bad, bytes, NULL));
        qts = hcd_load(u->h, file);
        if (qts) {
            qtest_clock_step(qts, 100 * HCD_UF_NS);
            qtest_quit(qts);
        } else {
            refused++;
        }
    }
    hcd_check(refused, "no file was refused: nothing was damaged");
    g_unlink(file);
    uvc_close(u);
}

static const Stream elsewhere = { "qemu-xhci", UVC_ARGS(""), SPEED_HIGH, 1,
                                  1,           333333,       512,        3 };

/* QEMU's own controller tells no microframe: the clock is read. */
static void qemu_xhci(void)
{
    Uvc *u =
        uvc_open(hcd_start(.controller = "qemu-xhci", .args = elsewhere.args));
    u->is_loose = true;

    uvc_commit(u, elsewhere.format, elsewhere.frame, elsewhere.interval);
    uvc_start(u);
    for (unsigned i = 0; i < elsewhere.frames; i++) {
        uvc_expect_frame(u, uvc_frame(u));
    }
    uvc_close(u);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(streams); i++) {
        g_autofree char *name =
            g_strdup_printf("uvc/stream/%s", streams[i].name);

        hcd_test_add_data(name, stream, &streams[i]);
    }
    hcd_test_add_data("uvc/migrate/full", migration, &streams[0]);
    hcd_test_add_data("uvc/migrate/high", migration, &streams[3]);
    hcd_test_add_data("uvc/migrate/high-MJPEG", migration, &streams[6]);
    hcd_test_add_data("uvc/migrate/super", migration, &streams[8]);
    hcd_test_add("uvc/migrate/settings", migration_of_settings);
    for (unsigned seed = 1; seed <= 2; seed++) {
        g_autofree char *name =
            g_strdup_printf("uvc/migrate/damaged-file-%u", seed);

        hcd_test_add_data(name, damaged_file, GUINT_TO_POINTER(seed));
    }
    hcd_test_add("uvc/alternates", alternates);
    hcd_test_add("uvc/controls", controls);
    hcd_test_add("uvc/still-image", still_image);
    hcd_test_add("uvc/status", status);
    hcd_test_add("uvc/refused", refused);
    hcd_test_add("uvc/nothing-committed", nothing_committed);
    hcd_test_add("uvc/slow-host", slow_host);
    hcd_test_add("uvc/small-buffer", small_buffer);
    hcd_test_add("uvc/qemu-xhci", qemu_xhci);
    return hcd_test_main(argc, argv);
}
