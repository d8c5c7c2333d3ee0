/*
 * Vendor requests: what they answer, and that those that do not fit are
 * refused and change nothing.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/control.h"

#define NOW_UF UINT64_C(0x0123456789abcdef)

typedef struct {
    isoav_streams s;
    uint8_t data[64];
} fixture;

static fixture *start(void)
{
    fixture *f = g_new0(fixture, 1);

    isoav_streams_configure(&f->s, ISOAV_CONFIGURATION);
    return f;
}

static int request(fixture *f, uint8_t type, uint8_t number, uint16_t value,
                   uint16_t index, uint16_t length)
{
    isoav_setup setup = { type, number, value, index, length };

    return isoav_control_request(&f->s, &setup, NOW_UF, f->data);
}

/* An IN request that must answer these bytes. */
static void expect_in(fixture *f, uint8_t number, uint16_t iface,
                      const uint8_t *want, int bytes)
{
    memset(f->data, 0xee, sizeof(f->data));
    g_assert_cmpint(request(f, 0xc1, number, 0, iface, 64), ==, bytes);
    g_assert_cmpmem(f->data, bytes, want, bytes);
}

static int set_format(fixture *f, uint16_t width, uint16_t height,
                      uint32_t interval)
{
    isoav_put16(f->data, width);
    isoav_put16(f->data + 2, height);
    isoav_put32(f->data + 4, interval);
    return request(f, 0x41, ISOAV_REQ_FORMAT, 0, 0, 8);
}

static const uint8_t default_format[] = { 0x80, 0x02, 0x68, 0x01,
                                          0x15, 0x16, 0x05, 0x00 };

static void test_info(void)
{
    static const uint8_t info[16] = { 1,    0,    0,    0,    0,    0,
                                      0,    0,    0xef, 0xcd, 0xab, 0x89,
                                      0x67, 0x45, 0x23, 0x01 };
    g_autofree fixture *f = start();

    expect_in(f, 0x01, 0, info, 16);
    expect_in(f, 0x01, 1, info, 16);
}

static void test_in_requests_return_no_more_than_asked(void)
{
    g_autofree fixture *f = start();

    g_assert_cmpint(request(f, 0xc1, ISOAV_REQ_INFO, 0, 0, 15), ==, 15);
    g_assert_cmpint(request(f, 0xc1, ISOAV_REQ_INFO, 0, 0, 0), ==, 0);
    g_assert_cmpint(request(f, 0xc1, ISOAV_REQ_INFO, 0, 0, 65535), ==, 16);
}

static void test_format(void)
{
    static const uint8_t hd[] = {
        0x80, 0x07, 0x38, 0x04, 0x0a, 0x8b, 0x02, 0x00
    };
    g_autofree fixture *f = start();

    expect_in(f, 0x02, 0, default_format, 8);
    g_assert_cmpint(set_format(f, 1920, 1080, 166666), ==, 0);
    expect_in(f, 0x02, 0, hd, 8);
    g_assert_cmpint(set_format(f, 64, 48, 10000000), ==, 0);
}

static void test_a_format_outside_the_limits_is_refused(void)
{
    static const struct {
        uint16_t width, height;
        uint32_t interval;
    } bad[] = {
        { 48, 360, 333333 },    { 1936, 360, 333333 },    { 648, 360, 333333 },
        { 640, 46, 333333 },    { 640, 1082, 333333 },    { 640, 361, 333333 },
        { 640, 360, 166665 },   { 640, 360, 0 },          { 0, 0, 333333 },
        { 640, 360, 10000001 }, { 640, 360, UINT32_MAX },
    };
    g_autofree fixture *f = start();

    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_cmpint(
            set_format(f, bad[i].width, bad[i].height, bad[i].interval), ==,
            ISOAV_CONTROL_STALL);
        expect_in(f, 0x02, 0, default_format, 8);
    }
}

static void test_format_and_mode_are_fixed_while_streaming(void)
{
    static const uint8_t source_sink[] = { 0, 0 }, loopback[] = { 1, 0 };
    g_autofree fixture *f = start();

    isoav_streams_select(&f->s, ISOAV_IFACE_VIDEO, 1);
    g_assert_cmpint(set_format(f, 320, 240, 333333), ==, ISOAV_CONTROL_STALL);
    expect_in(f, 0x02, 0, default_format, 8);
    /* The other interface is not streaming. */
    memcpy(f->data, loopback, 2);
    g_assert_cmpint(request(f, 0x41, ISOAV_REQ_MODE, 0, 1, 2), ==, 0);
    expect_in(f, 0x04, 1, loopback, 2);

    isoav_streams_select(&f->s, ISOAV_IFACE_VIDEO, 0);
    isoav_streams_select(&f->s, ISOAV_IFACE_TEST, 1);
    g_assert_cmpint(set_format(f, 320, 240, 333333), ==, 0);
    memcpy(f->data, source_sink, 2);
    g_assert_cmpint(request(f, 0x41, ISOAV_REQ_MODE, 0, 1, 2), ==,
                    ISOAV_CONTROL_STALL);
    expect_in(f, 0x04, 1, loopback, 2);
}

static void test_an_unknown_mode_is_refused(void)
{
    static const uint8_t source_sink[] = { 0, 0 };
    g_autofree fixture *f = start();

    memcpy(f->data, "\2\0", 2);
    g_assert_cmpint(request(f, 0x41, ISOAV_REQ_MODE, 0, 1, 2), ==,
                    ISOAV_CONTROL_STALL);
    memcpy(f->data, "\1\1", 2);
    g_assert_cmpint(request(f, 0x41, ISOAV_REQ_MODE, 0, 1, 2), ==,
                    ISOAV_CONTROL_STALL);
    expect_in(f, 0x04, 1, source_sink, 2);
}

static void test_counters(void)
{
    uint8_t want[64] = { 0 };
    g_autofree fixture *f = start();

    for (int i = 0; i < ISOAV_COUNTERS; i++) {
        f->s.counters[1][i] = UINT64_C(0x0101010101010101) * i;
        memset(want + i * 8, i, 8);
    }
    expect_in(f, 0x03, 1, want, 64);
    memset(want, 0, 64);
    expect_in(f, 0x03, 0, want, 64);
}

/* Type, number, wValue, wIndex, wLength of requests that nobody answers. */
static const isoav_setup misfits[] = {
    { 0xc1, 0x00, 0, 0, 64 },     { 0xc1, 0x05, 0, 0, 64 },
    { 0xc1, 0xff, 0, 0, 64 },     { 0xc0, 0x01, 0, 0, 64 }, /* recipient */
    { 0xc2, 0x01, 0, 0, 64 },     { 0xa1, 0x01, 0, 0, 64 }, /* class */
    { 0x81, 0x01, 0, 0, 64 },     { 0xc1, 0x01, 1, 0, 64 }, /* wValue */
    { 0xc1, 0x01, 0, 2, 64 },     { 0xc1, 0x01, 0, 0x100, 64 },
    { 0xc1, 0x01, 0, 65535, 64 }, { 0xc1, 0x02, 0, 1, 8 },  /* interface */
    { 0xc1, 0x04, 0, 0, 2 },      { 0x41, 0x01, 0, 0, 16 }, /* read only */
    { 0x41, 0x03, 0, 0, 64 },     { 0x41, 0x02, 0, 0, 7 },  /* length */
    { 0x41, 0x02, 0, 0, 9 },      { 0x41, 0x02, 0, 0, 0 },
    { 0x41, 0x04, 0, 1, 1 },      { 0x41, 0x04, 0, 1, 3 },
};

static void test_misfits_are_refused(void)
{
    static const uint8_t mode[8] = { 1, 0 };
    static const uint8_t format[8] = { 0x40, 0x01, 0xf0, 0x00,
                                       0x15, 0x16, 0x05, 0x00 };
    g_autofree fixture *f = start();
    isoav_streams before = f->s;

    for (size_t i = 0; i < G_N_ELEMENTS(misfits); i++) {
        /* Data that would be valid. */
        memcpy(f->data, misfits[i].bRequest == ISOAV_REQ_MODE ? mode : format,
               8);
        g_assert_cmpint(
            isoav_control_request(&f->s, &misfits[i], NOW_UF, f->data), ==,
            ISOAV_CONTROL_STALL);
    }
    g_assert_cmpmem(&f->s, sizeof(f->s), &before, sizeof(before));
}

static void test_an_unconfigured_device_refuses_all(void)
{
    g_autofree fixture *f = start();

    isoav_streams_reset(&f->s);
    g_assert_cmpint(request(f, 0xc1, ISOAV_REQ_INFO, 0, 0, 16), ==,
                    ISOAV_CONTROL_STALL);
    isoav_streams_configure(&f->s, ISOAV_CONFIGURATION);
    g_assert_cmpint(request(f, 0xc1, ISOAV_REQ_INFO, 0, 0, 16), ==, 16);
    isoav_streams_configure(&f->s, 0);
    for (uint8_t number = 1; number <= 4; number++) {
        for (uint16_t iface = 0; iface < 2; iface++) {
            g_assert_cmpint(request(f, 0xc1, number, 0, iface, 64), ==,
                            ISOAV_CONTROL_STALL);
        }
    }
    g_assert_cmpint(set_format(f, 320, 240, 333333), ==, ISOAV_CONTROL_STALL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/av/control/info", test_info);
    g_test_add_func("/av/control/in-requests-return-no-more-than-asked",
                    test_in_requests_return_no_more_than_asked);
    g_test_add_func("/av/control/format", test_format);
    g_test_add_func("/av/control/a-format-outside-the-limits-is-refused",
                    test_a_format_outside_the_limits_is_refused);
    g_test_add_func("/av/control/format-and-mode-are-fixed-while-streaming",
                    test_format_and_mode_are_fixed_while_streaming);
    g_test_add_func("/av/control/an-unknown-mode-is-refused",
                    test_an_unknown_mode_is_refused);
    g_test_add_func("/av/control/counters", test_counters);
    g_test_add_func("/av/control/misfits-are-refused",
                    test_misfits_are_refused);
    g_test_add_func("/av/control/an-unconfigured-device-refuses-all",
                    test_an_unconfigured_device_refuses_all);
    return g_test_run();
}
