/*
 * The camera's class requests: what they answer, what they change, and that a
 * request that does not fit is refused, changes nothing, and leaves the right
 * code behind.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/uvc-control.h"

enum {
    SET_CUR = 0x01,
    GET_CUR = 0x81,
    GET_MIN,
    GET_MAX,
    GET_RES,
    GET_LEN,
    GET_INFO,
    GET_DEF,

    /* wIndex: entity and interface */
    VC = 0x0000,
    CAMERA = 0x0100,
    UNIT = 0x0200,
    OUTPUT = 0x0300,
    VS = 0x0001,

    STALL = ISOAV_CONTROL_STALL,
};

typedef struct {
    isoav_uvc_model m;
    uint8_t data[64];
} fixture;

static fixture *start(void)
{
    fixture *f = g_new0(fixture, 1);

    isoav_uvc_model_reset(&f->m, isoav_uvc_speed_of(1));
    return f;
}

static int request(fixture *f, uint8_t number, uint16_t index, uint8_t selector,
                   uint16_t length)
{
    isoav_setup setup = { number == SET_CUR ? 0x21 : 0xa1, number,
                          selector << 8, index, length };

    return isoav_uvc_request(&f->m, &setup, f->data);
}

static int64_t get(fixture *f, uint8_t number, uint16_t index, uint8_t selector,
                   int size)
{
    memset(f->data, 0xee, sizeof(f->data));
    g_assert_cmpint(request(f, number, index, selector, 64), ==, size);
    g_assert_cmphex(f->data[size], ==, 0xee);
    return size == 1 ? f->data[0]
           : size == 2
               ? (int16_t)(f->data[0] | f->data[1] << 8)
               : (int32_t)(f->data[0] | f->data[1] << 8 | f->data[2] << 16 |
                           (uint32_t)f->data[3] << 24);
}

static int set(fixture *f, uint16_t index, uint8_t selector, int size,
               int32_t value)
{
    for (int i = 0; i < size; i++) {
        f->data[i] = (uint32_t)value >> 8 * i;
    }
    return request(f, SET_CUR, index, selector, size);
}

static int last_error(fixture *f)
{
    int64_t code = get(f, GET_CUR, VC, 2, 1);

    g_assert_cmpint(get(f, GET_CUR, VC, 2, 1), ==, 0); /* it was read */
    return code;
}

/* Selector, size, minimum, maximum, default. */
static const struct {
    uint16_t index;
    uint8_t selector;
    int size;
    int min, max, def;
} values[] = {
    { UNIT, 2, 2, -100, 100, 0 }, { UNIT, 3, 2, 0, 200, 100 },
    { UNIT, 6, 2, -180, 180, 0 }, { UNIT, 7, 2, 0, 200, 100 },
    { UNIT, 9, 2, 40, 300, 100 }, { CAMERA, 4, 4, 1, 1000, 100 },
};

static void test_values(void)
{
    g_autofree fixture *f = start();

    g_assert_cmpint(set(f, CAMERA, 2, 1, 1), ==, 0); /* manual */
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        uint16_t index = values[i].index;
        uint8_t selector = values[i].selector;
        int size = values[i].size;

        g_assert_cmpint(get(f, GET_MIN, index, selector, size), ==,
                        values[i].min);
        g_assert_cmpint(get(f, GET_MAX, index, selector, size), ==,
                        values[i].max);
        g_assert_cmpint(get(f, GET_RES, index, selector, size), ==, 1);
        g_assert_cmpint(get(f, GET_DEF, index, selector, size), ==,
                        values[i].def);
        g_assert_cmpint(get(f, GET_CUR, index, selector, size), ==,
                        values[i].def);
        g_assert_cmpint(get(f, GET_LEN, index, selector, 2), ==, size);
        g_assert_cmpint(get(f, GET_INFO, index, selector, 1), ==, 3);
        for (int k = 0; k < 2; k++) {
            int value = k ? values[i].max : values[i].min;
            int beyond = k ? value + 1 : value - 1;

            g_assert_cmpint(set(f, index, selector, size, value), ==, 0);
            g_assert_cmpint(get(f, GET_CUR, index, selector, size), ==, value);
            g_assert_cmpint(set(f, index, selector, size, beyond), ==, STALL);
            g_assert_cmpint(last_error(f), ==, 4 /* out of range */);
            g_assert_cmpint(get(f, GET_CUR, index, selector, size), ==, value);
        }
    }
    isoav_uvc_model_reset(&f->m, isoav_uvc_speed_of(1));
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        g_assert_cmpint(get(f, GET_CUR, values[i].index, values[i].selector,
                            values[i].size),
                        ==, values[i].def);
    }
}

/* Each control its own value. */
static void test_values_do_not_mix(void)
{
    g_autofree fixture *f = start();

    set(f, CAMERA, 2, 1, 1);
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        set(f, values[i].index, values[i].selector, values[i].size, 50 + i);
    }
    g_assert_cmpint(f->m.values[ISOAV_UVC_BRIGHTNESS], ==, 50);
    g_assert_cmpint(f->m.values[ISOAV_UVC_CONTRAST], ==, 51);
    g_assert_cmpint(f->m.values[ISOAV_UVC_HUE], ==, 52);
    g_assert_cmpint(f->m.values[ISOAV_UVC_SATURATION], ==, 53);
    g_assert_cmpint(f->m.values[ISOAV_UVC_GAMMA], ==, 54);
    g_assert_cmpint(f->m.values[ISOAV_UVC_EXPOSURE_TIME], ==, 55);
}

static void expect_status(fixture *f, const char *bytes, int length)
{
    uint8_t got[ISOAV_UVC_STATUS_ROOM];
    int count = isoav_uvc_take_status(&f->m, got);

    g_assert_cmpmem(got, count, bytes, length);
}

/* UVC 1.1 §4.2.2.1.2: the automatic mode takes the exposure time away. */
static void test_exposure(void)
{
    g_autofree fixture *f = start();

    g_assert_cmpint(get(f, GET_CUR, CAMERA, 2, 1), ==, 8);
    g_assert_cmpint(get(f, GET_DEF, CAMERA, 2, 1), ==, 8);
    g_assert_cmpint(get(f, GET_RES, CAMERA, 2, 1), ==, 9);
    g_assert_cmpint(request(f, GET_MIN, CAMERA, 2, 1), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 7 /* invalid request */);
    g_assert_cmpint(get(f, GET_INFO, CAMERA, 4, 1), ==, 7);
    g_assert_cmpint(set(f, CAMERA, 4, 4, 200), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 2 /* wrong state */);
    g_assert_cmpint(get(f, GET_CUR, CAMERA, 4, 4), ==, 100);
    expect_status(f, "", 0);

    g_assert_cmpint(set(f, CAMERA, 2, 1, 1), ==, 0);
    g_assert_cmpint(get(f, GET_INFO, CAMERA, 4, 1), ==, 3);
    expect_status(f, "\1\1\0\4\1\3", 6);
    g_assert_cmpint(set(f, CAMERA, 2, 1, 1), ==, 0); /* no change */
    expect_status(f, "", 0);
    g_assert_cmpint(set(f, CAMERA, 4, 4, 200), ==, 0);
    g_assert_cmpint(set(f, CAMERA, 2, 1, 8), ==, 0);
    expect_status(f, "\1\1\0\4\1\7", 6);
    for (int mode = 0; mode < 256; mode++) {
        if (mode != 1 && mode != 8) {
            g_assert_cmpint(set(f, CAMERA, 2, 1, mode), ==, STALL);
            g_assert_cmpint(last_error(f), ==, 4);
        }
    }
    g_assert_cmpint(get(f, GET_CUR, CAMERA, 2, 1), ==, 8);
}

static void test_the_button(void)
{
    g_autofree fixture *f = start();

    isoav_uvc_press(&f->m, true);
    isoav_uvc_press(&f->m, false);
    expect_status(f, "\2\1\0\1", 4);
    expect_status(f, "\2\1\0\0", 4);
    expect_status(f, "", 0);
    /* a host that does not listen finds the newest */
    for (int i = 0; i < 21; i++) {
        isoav_uvc_press(&f->m, i % 2);
    }
    g_assert_true(isoav_uvc_model_is_sane(&f->m));
    for (int i = 13; i < 21; i++) {
        expect_status(f, i % 2 ? "\2\1\0\1" : "\2\1\0\0", 4);
    }
    expect_status(f, "", 0);
}

/* What a GET of the probe says is put into a SET of the commit. */
static int commit(fixture *f, uint8_t format, uint8_t frame, uint32_t interval)
{
    memset(f->data, 0, sizeof(f->data));
    f->data[2] = format;
    f->data[3] = frame;
    for (int i = 0; i < 4; i++) {
        f->data[4 + i] = interval >> 8 * i;
    }
    g_assert_cmpint(request(f, SET_CUR, VS, 1, 34), ==, 0);
    g_assert_cmpint(request(f, GET_CUR, VS, 1, 34), ==, 34);
    return request(f, SET_CUR, VS, 2, 34);
}

static void test_negotiation(void)
{
    g_autofree fixture *f = start();
    uint8_t committed[34];

    g_assert_cmpint(commit(f, 2, 4, 333333), ==, 0);
    g_assert_true(f->m.is_committed);
    g_assert_cmpuint(f->m.commit.bFormatIndex, ==, 2);
    g_assert_cmpuint(f->m.commit.dwMaxPayloadTransferSize, ==, 1536);
    g_assert_cmpint(request(f, GET_CUR, VS, 2, 34), ==, 34);
    memcpy(committed, f->data, 34);
    /* a probe alone changes nothing; then the first one is committed again */
    f->data[2] = 1;
    g_assert_cmpint(request(f, SET_CUR, VS, 1, 34), ==, 0);
    g_assert_cmpuint(f->m.commit.bFormatIndex, ==, 2);
    memcpy(f->data, committed, 34);
    g_assert_cmpint(request(f, SET_CUR, VS, 2, 34), ==, 0);
    /* limits of the speed */
    g_assert_cmpint(request(f, GET_MIN, VS, 1, 34), ==, 34);
    g_assert_cmpmem(f->data + 2, 6, "\1\1\x0a\x8b\2\0", 6); /* 166666 */
    g_assert_cmpint(request(f, GET_MAX, VS, 1, 34), ==, 34);
    g_assert_cmpmem(f->data + 2, 6, "\2\5\x40\x42\x0f\0", 6); /* 1000000 */
    g_assert_cmpint(request(f, GET_DEF, VS, 1, 34), ==, 34);
    g_assert_cmpmem(f->data + 2, 6, "\1\3\x15\x16\5\0", 6); /* 333333 */
    g_assert_cmpint(get(f, GET_LEN, VS, 1, 2), ==, 34);
    g_assert_cmpint(get(f, GET_INFO, VS, 2, 1), ==, 3);
}

static void test_a_bad_commit(void)
{
    g_autofree fixture *f = start();
    isoav_uvc_probe before;

    g_assert_cmpint(commit(f, 2, 4, 333333), ==, 0);
    before = f->m.commit;
    request(f, GET_CUR, VS, 1, 34);
    f->data[3] = 6; /* no such frame */
    g_assert_cmpint(request(f, SET_CUR, VS, 2, 34), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 4);
    request(f, GET_CUR, VS, 1, 34);
    f->data[23] = 12; /* more than was agreed */
    g_assert_cmpint(request(f, SET_CUR, VS, 2, 34), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 4);
    /* while it streams */
    g_assert_true(isoav_uvc_may_select(&f->m, 5));
    f->m.alternate = 5;
    g_assert_cmpint(commit(f, 1, 1, 333333), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 2);
    g_assert_cmpmem(&f->m.commit, sizeof(before), &before, sizeof(before));
    f->m.alternate = 0;
    g_assert_cmpint(commit(f, 1, 1, 333333), ==, 0);
}

/* An alternate has to carry what was committed. */
static void test_alternates(void)
{
    g_autofree fixture *f = start();

    for (int i = 0; i <= 7; i++) { /* nothing is sent before a commit */
        g_assert_true(isoav_uvc_may_select(&f->m, i));
    }
    g_assert_cmpint(commit(f, 2, 4, 333333), ==, 0); /* 1536: alternate 4 */
    for (int i = 0; i < 10; i++) {
        bool ok = i == 0 || (i >= 4 && i <= 7);

        g_assert_cmpint(isoav_uvc_may_select(&f->m, i), ==, ok);
        g_assert_cmpint(last_error(f), ==, ok ? 0 : 2);
    }
}

static void commit_still(fixture *f, uint8_t frame, int result)
{
    memset(f->data, 0, sizeof(f->data));
    f->data[0] = 1;
    f->data[1] = frame;
    g_assert_cmpint(request(f, SET_CUR, VS, 3, 11), ==, 0);
    g_assert_cmpint(request(f, GET_CUR, VS, 3, 64), ==, 11);
    g_assert_cmpint(request(f, SET_CUR, VS, 4, 11), ==, result);
}

static void test_still_images(void)
{
    g_autofree fixture *f = start();

    g_assert_cmpint(set(f, VS, 5, 1, 1), ==, STALL); /* no stream */
    g_assert_cmpint(last_error(f), ==, 2);
    g_assert_cmpint(commit(f, 2, 4, 333333), ==, 0);
    commit_still(f, 2, 0);
    g_assert_cmpuint(f->m.still_commit.dwMaxVideoFrameSize, ==, 4147200);
    g_assert_cmpint(set(f, VS, 5, 1, 1), ==, STALL);
    f->m.alternate = 4;
    g_assert_cmpint(set(f, VS, 5, 1, 2), ==, STALL); /* by bulk */
    g_assert_cmpint(last_error(f), ==, 4);
    g_assert_cmpint(set(f, VS, 5, 1, 4), ==, STALL);
    g_assert_cmpint(get(f, GET_CUR, VS, 5, 1), ==, 0);
    g_assert_cmpint(set(f, VS, 5, 1, 1), ==, 0);
    g_assert_cmpint(get(f, GET_CUR, VS, 5, 1), ==, 1);
    commit_still(f, 1, STALL); /* one is on its way */
    g_assert_cmpint(last_error(f), ==, 2);
    g_assert_cmpint(set(f, VS, 5, 1, 3), ==, 0); /* abort */
    g_assert_cmpint(get(f, GET_CUR, VS, 5, 1), ==, 0);
    g_assert_cmpint(request(f, GET_CUR, VS, 3, 64), ==, 11);
    f->data[6]++;
    g_assert_cmpint(request(f, SET_CUR, VS, 4, 11), ==, STALL);
    g_assert_cmpint(last_error(f), ==, 4);
}

static void test_the_stream_error_is_read_once(void)
{
    g_autofree fixture *f = start();

    f->m.stream_error = ISOAV_UVC_STREAM_UNDERRUN;
    g_assert_cmpint(get(f, GET_INFO, VS, 6, 1), ==, 1);
    g_assert_cmpint(get(f, GET_CUR, VS, 6, 1), ==, 2);
    g_assert_cmpint(get(f, GET_CUR, VS, 6, 1), ==, 0);
}

/* bmRequestType, bRequest, wValue, wIndex, wLength, and the code. */
static const struct {
    isoav_setup setup;
    int code;
} misfits[] = {
    { { 0xa1, GET_CUR, 0x0200, 0x0400, 2 }, 5 }, /* unit 4 */
    { { 0xa1, GET_CUR, 0x0200, 0xff00, 2 }, 5 },
    { { 0xa1, GET_CUR, 0x0100, 0x0201, 34 }, 5 }, /* units are in VC */
    { { 0xa1, GET_CUR, 0x0000, UNIT, 2 }, 6 },    /* selector 0 */
    { { 0xa1, GET_CUR, 0x0400, UNIT, 2 }, 6 },    /* gain: not there */
    { { 0xa1, GET_CUR, 0x0201, UNIT, 2 }, 6 },    /* wValue's low byte */
    { { 0xa1, GET_CUR, 0x0200, OUTPUT, 2 }, 6 },
    { { 0xa1, GET_CUR, 0x0100, VC, 1 }, 6 }, /* no power mode */
    { { 0xa1, GET_CUR, 0x0300, CAMERA, 1 }, 6 },
    { { 0xa1, GET_CUR, 0x0900, VS, 1 }, 6 },
    { { 0xa1, 0x80, 0x0200, UNIT, 2 }, 7 }, /* no such request */
    { { 0xa1, 0x88, 0x0200, UNIT, 2 }, 7 },
    { { 0xa1, 0x91, 0x0200, UNIT, 2 }, 7 }, /* GET_CUR_ALL is UVC 1.5 */
    { { 0xa1, 0x01, 0x0200, UNIT, 2 }, 7 }, /* SET_CUR that reads */
    { { 0x21, 0x81, 0x0200, UNIT, 2 }, 7 }, /* GET_CUR that writes */
    { { 0x21, 0x02, 0x0200, UNIT, 2 }, 7 },
    { { 0x21, 0x01, 0x0200, UNIT, 1 }, 7 }, /* length */
    { { 0x21, 0x01, 0x0200, UNIT, 3 }, 7 },
    { { 0x21, 0x01, 0x0200, UNIT, 0 }, 7 },
    { { 0x21, 0x01, 0x0400, CAMERA, 2 }, 7 },
    { { 0x21, 0x01, 0x0100, VS, 26 }, 7 }, /* UVC 1.0's probe */
    { { 0x21, 0x01, 0x0200, VS, 48 }, 7 }, /* UVC 1.5's */
    { { 0x21, 0x01, 0x0500, VS, 2 }, 7 },
    { { 0x21, 0x01, 0x0200, VC, 1 }, 7 }, /* read only */
    { { 0x21, 0x01, 0x0600, VS, 1 }, 7 },
    { { 0xa1, GET_MIN, 0x0200, VS, 34 }, 7 }, /* a commit has no limits */
    { { 0xa1, GET_RES, 0x0100, VS, 34 }, 7 },
    { { 0xa1, GET_DEF, 0x0200, VC, 1 }, 7 },
    { { 0x41, 0x01, 0x0200, UNIT, 2 }, 7 }, /* of the vendor */
    { { 0x22, 0x01, 0x0200, UNIT, 2 }, 7 }, /* to an endpoint */
};

static void test_misfits(void)
{
    g_autofree fixture *f = start();
    isoav_uvc_model before;

    for (unsigned i = 0; i < G_N_ELEMENTS(misfits); i++) {
        memset(f->data, 1, sizeof(f->data));
        before = f->m;
        g_assert_cmpint(isoav_uvc_request(&f->m, &misfits[i].setup, f->data),
                        ==, STALL);
        before.request_error = misfits[i].code;
        g_assert_cmpmem(&f->m, sizeof(before), &before, sizeof(before));
        g_assert_cmpint(last_error(f), ==, misfits[i].code);
    }
    /* any request that succeeds clears the code (UVC 1.1 §4.2.1.2) */
    g_assert_cmpint(isoav_uvc_request(&f->m, &misfits[0].setup, f->data), ==,
                    STALL);
    get(f, GET_CUR, UNIT, 2, 2);
    g_assert_cmpint(last_error(f), ==, 0);
}

static void test_answers_are_cut_to_what_was_asked(void)
{
    g_autofree fixture *f = start();

    memset(f->data, 0xee, sizeof(f->data));
    g_assert_cmpint(request(f, GET_CUR, VS, 1, 26), ==, 26);
    g_assert_cmphex(f->data[26], ==, 0xee);
    g_assert_cmpint(request(f, GET_CUR, UNIT, 2, 0), ==, 0);
    g_assert_cmpint(request(f, GET_CUR, UNIT, 2, 65535), ==, 2);
}

static void test_sanity(void)
{
    g_autofree fixture *f = start();
    isoav_uvc_model bad[9];

    g_assert_true(isoav_uvc_model_is_sane(&f->m));
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        bad[i] = f->m;
    }
    bad[0].values[ISOAV_UVC_GAMMA] = 0;
    bad[1].values[ISOAV_UVC_EXPOSURE_MODE] = 2;
    bad[2].probe.bFormatIndex = 3;
    bad[3].commit.bFrameIndex = 0;
    bad[4].still_commit.bFrameIndex = 9;
    bad[5].status.first = ISOAV_UVC_STATUS_MAX;
    bad[6].status.count = ISOAV_UVC_STATUS_MAX + 1;
    bad[7].status.lengths[3] = ISOAV_UVC_STATUS_ROOM + 1;
    bad[8].trigger = 3;
    for (unsigned i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_assert_false(isoav_uvc_model_is_sane(&bad[i]));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uvc/control/values", test_values);
    g_test_add_func("/uvc/control/no-mix", test_values_do_not_mix);
    g_test_add_func("/uvc/control/exposure", test_exposure);
    g_test_add_func("/uvc/control/button", test_the_button);
    g_test_add_func("/uvc/control/negotiation", test_negotiation);
    g_test_add_func("/uvc/control/bad-commit", test_a_bad_commit);
    g_test_add_func("/uvc/control/alternates", test_alternates);
    g_test_add_func("/uvc/control/still", test_still_images);
    g_test_add_func("/uvc/control/stream-error",
                    test_the_stream_error_is_read_once);
    g_test_add_func("/uvc/control/misfits", test_misfits);
    g_test_add_func("/uvc/control/cut", test_answers_are_cut_to_what_was_asked);
    g_test_add_func("/uvc/control/sane", test_sanity);
    return g_test_run();
}
