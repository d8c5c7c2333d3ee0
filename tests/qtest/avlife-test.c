/*
 * usb-isoav, profile "av", in the middle of its streams: it leaves and comes
 * back, its port is reset, alternates come and go, it is saved and loaded while
 * a still image is sent; on a controller with a second one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/uac.h"
#include "lib/uvc.h"
#include "compat.h"
#include "qemu/bswap.h"

static void expect_one_frame(Uvc *u)
{
    UvcFrame frame = uvc_frame(u);

    hcd_check(!(frame.info & UVC_ERR), "a frame is damaged");
    uvc_expect_frame(u, frame);
}

static void start_stream(Uvc *u)
{
    uvc_commit(u, 2, 1, 333333);
    uvc_start(u);
    expect_one_frame(u);
}

/* The driver gives up the slot; what was running is over. */
static void forget(Uvc *u)
{
    hcd_step_uf(u->h, 100);
    hcd_event_drain(u->h);
    hcd_expect_cc(hcd_cmd_simple(u->h, CMD_DISABLE_SLOT, u->dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_event_drain(u->h);
}

/* In the middle of a frame. */
static void unplug(const void *args)
{
    Hcd *h = hcd_start(.args = args);
    g_autofree UvcPayload *p = g_new(UvcPayload, 1);

    for (unsigned i = 0; i < 5; i++) {
        Uvc *u = uvc_open(h);

        start_stream(u);
        do {
            uvc_payload(u, p);
        } while (!p->bytes);
        hcd_step_uf(h, i);
        hcd_unplug(h, "av");
        forget(u);
        isoav_vsource_close(u->source);
        g_free(u);
        qtest_qmp_device_add(h->qts, "usb-isoav", "av",
                             "{'bus': 'xhci.0', 'profile': 'av'}");
        hcd_step_uf(h, 800);
        hcd_event_drain(h);
    }
    start_stream(uvc_open(h));
    hcd_finish(h);
}

/* A reset of the port in mid-stream: unconfigured, silent, as new. */
static void reset(void)
{
    Hcd *h = hcd_start(.args = UVC_ARGS(""));
    Uvc *u = uvc_open(h), *again;
    int16_t brightness = 50;

    start_stream(u);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_UNIT, 2, &brightness, 2),
                  CC_SUCCESS);
    hcd_step_uf(h, 11);
    hcd_portsc_write(h, hcd_port_connected(h, 0), PORTSC_PR);
    forget(u);
    again = uvc_open(h);
    hcd_check(uvc_counter(again, "alternate") == 0, "it streams on");
    hcd_expect_cc(uvc_request(again, UVC_GET_CUR, UVC_UNIT, 2, &brightness, 2),
                  CC_SUCCESS);
    hcd_check(brightness == 0, "the reset left a brightness of %d", brightness);
    start_stream(again);
    hcd_finish(h);
}

/* On and off again, in each place of a frame: a stream begins with a whole
 * frame. */
static void on_and_off(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));

    uvc_commit(u, 2, 1, 333333);
    for (unsigned i = 0; i < 40; i++) {
        uvc_start_in(u, i % 7 + 1 < 3 ? 3 : i % 7 + 1);
        hcd_step_uf(u->h, 7 * i);
        if (i % 4 == 0) {
            hcd_event_drain(u->h);
            uvc_start_in(u, 7);
            expect_one_frame(u);
        }
        hcd_expect_cc(hcd_cmd_stop(u->h, u->dev, UVC_VIDEO), CC_SUCCESS);
        hcd_event_drain(u->h);
        hcd_expect_cc(uvc_select_interface(u, 0), CC_SUCCESS);
    }
    uvc_start_in(u, 7);
    expect_one_frame(u);
    uvc_close(u);
}

/* Saved and loaded within a still image: its rest comes, then the video. */
static void still_migrates(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint8_t probe[11] = { 1, 1 }, trigger = 1;
    isoav_vformat format;
    UvcFrame frame;
    uint64_t last;

    uvc_commit(u, 2, 1, 333333);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 3, probe, 11),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 3, probe, 11),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 4, probe, 11),
                  CC_SUCCESS);
    uvc_start_in(u, 7);
    expect_one_frame(u);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 5, &trigger, 1),
                  CC_SUCCESS);
    hcd_migrate(u->h);
    u->migrate_after = 100;
    frame = uvc_frame(u);
    hcd_check((frame.info & UVC_STI) && !(frame.info & UVC_ERR) &&
                  u->migrate_after == 0,
              "no still image came across");
    last = frame.number;
    format = u->format;
    format.format = ISOAV_VIDEO_YUY2;
    format.width = 640;
    format.height = 480;
    uvc_expect_frame_at(u, frame, &format, &uvc_neutral, __FILE__, __LINE__);
    frame = uvc_frame(u);
    hcd_check(!(frame.info & (UVC_STI | UVC_ERR)) && frame.number >= last,
              "the video does not go on");
    uvc_expect_frame(u, frame);
    hcd_check(uvc_counter(u, "stills") == 1, "the counters are wrong");
    uvc_close(u);
}

/* Sound, too: it leaves while both streams run. */
static void unplug_sound(void)
{
    Hcd *h = hcd_start(.args = UAC_ARGS(""));

    for (unsigned i = 0; i < 4; i++) {
        Uac *u = uac_open(h, hcd_dev_open(h, hcd_port_connected(h, 0)));

        uac_start(u, ISOAV_UAC_CAPTURE, 1);
        uac_start(u, ISOAV_UAC_PLAYBACK, 2);
        uac_run(u, 50);
        uac_expect_tone(u);
        hcd_step_uf(h, i);
        hcd_unplug(h, "av");
        hcd_step_uf(h, 100);
        hcd_event_drain(h);
        hcd_expect_cc(
            hcd_cmd_simple(h, CMD_DISABLE_SLOT, u->dev->slot_id, 0, 0),
            CC_SUCCESS);
        g_byte_array_free(u->recorded, true);
        g_free(u);
        qtest_qmp_device_add(h->qts, "usb-isoav", "av",
                             "{'bus': 'xhci.0', 'profile': 'av'}");
        hcd_step_uf(h, 800);
        hcd_event_drain(h);
    }
    hcd_finish(h);
}

/* QEMU's own recorder, in front of the device. */
static void pcap(void)
{
    g_autofree char *name = g_strdup_printf("avlife-pcap-%d", getpid());
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_autofree char *args = g_strdup_printf(
        "-device usb-isoav,id=av,bus=xhci.0,profile=av,pcap=%s ", file);
    Uvc *u = uvc_open(hcd_start(.args = args));
    g_autofree char *bytes = NULL;
    gsize count, at = 24;
    unsigned records = 0;

    start_stream(u);
    uvc_close(u);
    g_assert_true(g_file_get_contents(file, &bytes, &count, NULL));
    unlink(file);
    hcd_check(count > 24 && (uint32_t)ldl_le_p(bytes) == 0xa1b2c3d4,
              "that is no pcap file");
    while (at + 16 <= count) {
        uint32_t captured = ldl_le_p(bytes + at + 8);

        hcd_check(captured <= count - at - 16, "record %u is cut off", records);
        at += 16 + captured;
        records++;
    }
    hcd_check(at == count && records > 10, "%u records, %zu bytes are left",
              records, count - at);
}

int main(int argc, char **argv)
{
    hcd_test_add_data("avlife/unplug/high", unplug, UVC_ARGS(""));
    hcd_test_add_data("avlife/unplug/super", unplug, UVC_ARGS(",speed=super"));
    hcd_test_add_data("avlife/unplug/full", unplug, UVC_ARGS(",speed=full"));
    hcd_test_add("avlife/unplug/sound", unplug_sound);
    hcd_test_add("avlife/reset", reset);
    hcd_test_add("avlife/on-and-off", on_and_off);
    hcd_test_add("avlife/migrate/still", still_migrates);
    hcd_test_add("avlife/pcap", pcap);
    return hcd_test_main(argc, argv);
}
