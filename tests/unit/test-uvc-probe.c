/*
 * The camera's negotiation: what each speed offers is carried, what is not
 * supported becomes what is, a commit is what a probe could have answered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/uvc-probe.h"

enum { FULL, HIGH, SUPER, SPEEDS };

static isoav_uvc_probe settled(int speed, uint8_t format, uint8_t frame,
                               uint32_t interval)
{
    isoav_uvc_probe p = { .bFormatIndex = format,
                          .bFrameIndex = frame,
                          .dwFrameInterval = interval };

    isoav_uvc_probe_settle(isoav_uvc_speed_of(speed), &p);
    return p;
}

/* Bytes that an interval's packets bring, one of them late by a little. */
static uint64_t carried(const isoav_uvc_speed *s, uint32_t payload,
                        uint32_t interval)
{
    return (uint64_t)(payload - 12) * (interval / (1250 * s->interval_uf));
}

static void expect_carried(const isoav_uvc_speed *s, const isoav_uvc_probe *p)
{
    unsigned i = 0;

    g_assert_cmpuint(
        carried(s, p->dwMaxPayloadTransferSize, p->dwFrameInterval), >=,
        p->dwMaxVideoFrameSize);
    while (s->alternates[i] != p->dwMaxPayloadTransferSize) {
        g_assert_cmpuint(++i, <, s->alternate_count);
    }
    if (i > 0) { /* not in the next smaller one */
        g_assert_cmpuint(carried(s, s->alternates[i - 1], p->dwFrameInterval),
                         <, p->dwMaxVideoFrameSize);
    }
}

/* Each rate of each size fits, in the smallest alternate; the next faster one
 * would not. */
static void test_what_is_offered_fits(void)
{
    static const uint32_t all[] = { 166666, 200000, 333333, 400000,
                                    500000, 666666, 1000000 };

    for (int speed = 0; speed < SPEEDS; speed++) {
        const isoav_uvc_speed *s = isoav_uvc_speed_of(speed);
        uint32_t most = s->alternates[s->alternate_count - 1];

        for (int f = 1; f <= ISOAV_UVC_FORMATS; f++) {
            const isoav_uvc_format *format = &s->formats[f - 1];

            for (unsigned i = 0; i < format->count; i++) {
                const isoav_uvc_frame *frame = &format->frames[i];

                g_assert_cmpint(frame->index, ==, i + 1);
                for (unsigned n = 0; n < frame->rates; n++) {
                    uint32_t interval = isoav_uvc_interval(frame, n);
                    isoav_uvc_probe p =
                        settled(speed, f, frame->index, interval);

                    g_assert_cmpuint(interval, ==, all[7 - frame->rates + n]);
                    g_assert_cmpuint(p.dwFrameInterval, ==, interval);
                    expect_carried(s, &p);
                }
                if (frame->rates < 7) {
                    g_assert_cmpuint(carried(s, most, all[6 - frame->rates]), <,
                                     isoav_uvc_frame_bytes(f, frame));
                }
            }
        }
    }
}

static void test_payloads_of_well_known_streams(void)
{
    static const struct {
        int speed;
        uint8_t format, frame;
        uint32_t interval, bytes, payload;
    } streams[] = {
        { FULL, 1, 1, 333333, 28800, 1023 },
        { HIGH, 1, 3, 333333, 614400, 2400 },
        { HIGH, 1, 4, 1000000, 1843200, 2400 },
        { HIGH, 2, 1, 1000000, 21600, 192 },
        { HIGH, 2, 4, 333333, 345600, 1536 },
        { HIGH, 2, 5, 333333, 777600, 3072 },
        { SUPER, 1, 5, 166666, 4147200, 32768 },
        { SUPER, 1, 3, 333333, 614400, 4096 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(streams); i++) {
        isoav_uvc_probe p = settled(streams[i].speed, streams[i].format,
                                    streams[i].frame, streams[i].interval);

        g_assert_cmpuint(p.dwMaxVideoFrameSize, ==, streams[i].bytes);
        g_assert_cmpuint(p.dwMaxPayloadTransferSize, ==, streams[i].payload);
    }
}

/* UVC 1.1 §4.3.1.1: reset to supported values, never at a higher rate. */
static void test_unsupported_values_become_supported(void)
{
    static const struct {
        uint8_t format, frame;
        uint32_t interval;
        uint8_t want_format, want_frame;
        uint32_t want_interval;
    } probes[] = {
        { 0, 0, 0, 1, 3, 333333 },
        { 3, 1, 333333, 1, 1, 333333 },
        { 255, 255, UINT32_MAX, 1, 3, 1000000 },
        { 2, 6, 333333, 2, 3, 333333 },
        { 2, 1, 1, 2, 1, 166666 },
        { 2, 1, 166667, 2, 1, 200000 },
        { 2, 1, 333334, 2, 1, 400000 },
        { 2, 1, 1000001, 2, 1, 1000000 },
        { 1, 3, 166666, 1, 3, 333333 }, /* has no 60 a second */
        { 1, 4, 0, 1, 4, 1000000 },     /* nor 30 */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(probes); i++) {
        isoav_uvc_probe p = settled(HIGH, probes[i].format, probes[i].frame,
                                    probes[i].interval);

        g_assert_cmpuint(p.bFormatIndex, ==, probes[i].want_format);
        g_assert_cmpuint(p.bFrameIndex, ==, probes[i].want_frame);
        g_assert_cmpuint(p.dwFrameInterval, ==, probes[i].want_interval);
        g_assert_true(isoav_uvc_probe_is_settled(isoav_uvc_speed_of(HIGH), &p));
    }
}

static void test_the_default(void)
{
    isoav_uvc_probe p = isoav_uvc_probe_default(isoav_uvc_speed_of(FULL));

    g_assert_cmpuint(p.bFormatIndex, ==, 1);
    g_assert_cmpuint(p.bFrameIndex, ==, 1);
    g_assert_cmpuint(p.dwFrameInterval, ==, 333333);
    p = isoav_uvc_probe_default(isoav_uvc_speed_of(SUPER));
    g_assert_cmpuint(p.bFrameIndex, ==, 3);
}

/* Each field that a host can get wrong. */
static void test_only_what_was_settled_can_be_committed(void)
{
    const isoav_uvc_speed *s = isoav_uvc_speed_of(HIGH);
    const isoav_uvc_probe good = settled(HIGH, 2, 4, 333333);
    isoav_uvc_probe bad[] = { good, good, good, good, good, good };
    isoav_uvc_probe hint = good;

    bad[0].bFormatIndex = 3;
    bad[1].bFrameIndex = 6;
    bad[2].dwFrameInterval = 333334;
    bad[3].dwMaxVideoFrameSize--;
    bad[4].dwMaxPayloadTransferSize = 3072;
    bad[5].bFormatIndex = 1; /* another format's sizes */
    g_assert_true(isoav_uvc_probe_is_settled(s, &good));
    hint.bmHint = 1;
    g_assert_true(isoav_uvc_probe_is_settled(s, &hint));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(isoav_uvc_probe_is_settled(s, &bad[i]));
    }
    /* what one speed has, another has not */
    g_assert_false(isoav_uvc_probe_is_settled(isoav_uvc_speed_of(FULL), &good));
}

/* clang-format off */
static const uint8_t wire[] = {
    0x01, 0x00,             /* bmHint: the interval is fixed */
    0x02, 0x04,             /* bFormatIndex, bFrameIndex */
    0x15, 0x16, 0x05, 0x00, /* dwFrameInterval 333333 */
    0x00, 0x00, 0x00, 0x00, /* wKeyFrameRate, wPFrameRate */
    0x00, 0x00, 0x00, 0x00, /* wCompQuality, wCompWindowSize */
    0x00, 0x00,             /* wDelay */
    0x00, 0x46, 0x05, 0x00, /* dwMaxVideoFrameSize 345600 */
    0x00, 0x06, 0x00, 0x00, /* dwMaxPayloadTransferSize 1536 */
    0x00, 0x6c, 0xdc, 0x02, /* dwClockFrequency 48 MHz */
    0x03,                   /* bmFramingInfo: FID and EOF */
    0x01, 0x01, 0x01,       /* bPreferedVersion, bMinVersion, bMaxVersion */
};

static const uint8_t still_wire[] = {
    0x01, 0x02, 0x00,       /* bFormatIndex, bFrameIndex, bCompressionIndex */
    0x00, 0x48, 0x3f, 0x00, /* dwMaxVideoFrameSize 1920 x 1080 x 2 */
    0x00, 0x0c, 0x00, 0x00, /* dwMaxPayloadTransferSize 3072 */
};
/* clang-format on */

static void test_the_bytes(void)
{
    isoav_uvc_probe p = settled(HIGH, 2, 4, 333333), back;
    uint8_t bytes[ISOAV_UVC_PROBE_BYTES];

    p.bmHint = 1;
    isoav_uvc_probe_store(bytes, &p);
    g_assert_cmpmem(bytes, sizeof(bytes), wire, sizeof(wire));
    isoav_uvc_probe_load(&back, bytes);
    g_assert_cmpmem(&back, sizeof(back), &p, sizeof(p));
}

static void test_still_images(void)
{
    const isoav_uvc_speed *s = isoav_uvc_speed_of(HIGH);
    isoav_uvc_still_probe p = { .bFormatIndex = 1, .bFrameIndex = 2 };
    uint8_t bytes[ISOAV_UVC_STILL_PROBE_BYTES];

    isoav_uvc_still_settle(s, 3072, &p);
    isoav_uvc_still_store(bytes, &p);
    g_assert_cmpmem(bytes, sizeof(bytes), still_wire, sizeof(still_wire));
    isoav_uvc_still_load(&p, bytes);
    g_assert_true(isoav_uvc_still_is_settled(s, 3072, &p));
    g_assert_false(isoav_uvc_still_is_settled(s, 2048, &p));
    p.dwMaxVideoFrameSize++;
    g_assert_false(isoav_uvc_still_is_settled(s, 3072, &p));
    p = (isoav_uvc_still_probe){ 0, 3, 0, 0 };
    g_assert_false(isoav_uvc_still_is_settled(s, 3072, &p));
    isoav_uvc_still_settle(s, 3072, &p);
    g_assert_cmpuint(p.bFormatIndex, ==, 1);
    g_assert_cmpuint(p.bFrameIndex, ==, 1);
    g_assert_cmpuint(p.dwMaxVideoFrameSize, ==, 640 * 480 * 2);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uvc/probe/offers", test_what_is_offered_fits);
    g_test_add_func("/uvc/probe/payloads", test_payloads_of_well_known_streams);
    g_test_add_func("/uvc/probe/unsupported",
                    test_unsupported_values_become_supported);
    g_test_add_func("/uvc/probe/default", test_the_default);
    g_test_add_func("/uvc/probe/commit",
                    test_only_what_was_settled_can_be_committed);
    g_test_add_func("/uvc/probe/bytes", test_the_bytes);
    g_test_add_func("/uvc/probe/still", test_still_images);
    return g_test_run();
}
