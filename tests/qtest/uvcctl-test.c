/*
 * What the UVC camera of usb-isoav answers, and what it refuses: every request
 * to every control of every entity, and to some that there are not; values out
 * of range; commits and alternates out of turn. What is refused is a STALL
 * whose reason the Request Error Code has (UVC 1.1 §4.2.1.2), and nothing is
 * changed by it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/uvc.h"
#include "compat.h"
#include "qemu/bswap.h"

enum { INVALID_STATE = 2, OUT_OF_RANGE = 4, INVALID_UNIT = 5 };
enum { INVALID_CONTROL = 6, INVALID_REQUEST = 7 };

/* Requests that a control answers: bit n is GET 8nh, bit 0 is SET_CUR. */
enum {
    SET = 1 << 0,
    CUR = 1 << 1 | 1 << 5 | 1 << 6, /* with LEN and INFO */
    LIMITS = 1 << 2 | 1 << 3 | 1 << 7,
    RES = 1 << 4,
    ALL = SET | CUR | LIMITS | RES,
};

static const struct {
    uint16_t index;
    uint8_t selector, size;
    unsigned requests;
} controls[] = {
    { UVC_VC, 2, 1, CUR },
    { UVC_CAMERA, 2, 1, SET | CUR | RES | 1 << 7 },
    { UVC_CAMERA, 4, 4, ALL },
    { UVC_UNIT, 2, 2, ALL },
    { UVC_UNIT, 3, 2, ALL },
    { UVC_UNIT, 6, 2, ALL },
    { UVC_UNIT, 7, 2, ALL },
    { UVC_UNIT, 9, 2, ALL },
    { UVC_VS, 1, 34, SET | CUR | LIMITS },
    { UVC_VS, 2, 34, SET | CUR },
    { UVC_VS, 3, 11, SET | CUR | LIMITS },
    { UVC_VS, 4, 11, SET | CUR },
    { UVC_VS, 5, 1, SET | CUR },
    { UVC_VS, 6, 1, CUR },
};

/* All that can be set, as one string. */
static GByteArray *settings(Uvc *u)
{
    GByteArray *all = g_byte_array_new();

    for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
        uint8_t bytes[34];

        if (controls[i].requests & SET) {
            hcd_expect_cc(uvc_request(u, UVC_GET_CUR, controls[i].index,
                                      controls[i].selector, bytes,
                                      controls[i].size),
                          CC_SUCCESS);
            g_byte_array_append(all, bytes, controls[i].size);
        }
    }
    return all;
}

static void expect_same(Uvc *u, GByteArray *before)
{
    GByteArray *now = settings(u);

    hcd_check(now->len == before->len &&
                  memcmp(now->data, before->data, now->len) == 0,
              "a request that was refused changed something");
    g_byte_array_free(now, true);
}

static void expect_refused(Uvc *u, unsigned request, unsigned index,
                           unsigned selector, void *data, unsigned bytes,
                           unsigned reason)
{
    unsigned cc = uvc_request(u, request, index, selector, data, bytes), got;

    hcd_check(cc == CC_STALL_ERROR,
              "request %02x to %04x, control %u, %u bytes: code %u", request,
              index, selector, bytes, cc);
    got = uvc_error_code(u);
    hcd_check(got == reason,
              "request %02x to %04x, control %u, %u bytes: the reason is %u, "
              "not %u",
              request, index, selector, bytes, got, reason);
}

/* What a request has to end with; 0: well. */
static unsigned reason_for(unsigned index, unsigned selector, unsigned request)
{
    unsigned entity = index >> 8, iface = index & 0xff;
    unsigned bit = request == UVC_SET_CUR ? SET : 1u << (request & 0x0f);

    if (entity > (iface ? 0 : 3)) {
        return INVALID_UNIT;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
        if (controls[i].index == index && controls[i].selector == selector) {
            return (request == UVC_SET_CUR ||
                    (request >= UVC_GET_CUR && request <= 0x87)) &&
                           (controls[i].requests & bit)
                       ? 0
                       : INVALID_REQUEST;
        }
    }
    return INVALID_CONTROL;
}

static void every_request(void)
{
    static const uint8_t requests[] = { 0x01, 0x81, 0x82, 0x83, 0x84,
                                        0x85, 0x86, 0x87, 0x00, 0x02,
                                        0x80, 0x88, 0x91 };
    static const uint16_t indices[] = { 0x0000, 0x0100, 0x0200, 0x0300,
                                        0x0400, 0xff00, 0x0001, 0x0101 };
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    GByteArray *before = settings(u);
    unsigned good = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(indices); i++) {
        for (unsigned n = 0; n < 12 * ARRAY_SIZE(requests); n++) {
            unsigned request = requests[n % ARRAY_SIZE(requests)];
            unsigned selector = n / ARRAY_SIZE(requests);
            unsigned reason = reason_for(indices[i], selector, request);
            uint8_t bytes[34] = { 0 };

            if (reason) {
                expect_refused(u, request, indices[i], selector, bytes, 34,
                               reason);
            } else if (request != UVC_SET_CUR) {
                hcd_expect_cc(
                    uvc_request(u, request, indices[i], selector, bytes, 34),
                    CC_SUCCESS);
                good++;
            }
        }
    }
    hcd_check(good == 74, "%u requests are good", good);
    expect_same(u, before);
    g_byte_array_free(before, true);
    uvc_close(u);
}

/* SET_CUR of each control with each length but its own. */
static void every_length(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    GByteArray *before = settings(u);

    for (unsigned i = 0; i < ARRAY_SIZE(controls); i++) {
        for (unsigned bytes = 0; bytes <= 36; bytes++) {
            uint8_t data[36] = { 1, 1, 1 };

            if (bytes != controls[i].size || !(controls[i].requests & SET)) {
                expect_refused(u, UVC_SET_CUR, controls[i].index,
                               controls[i].selector, data, bytes,
                               INVALID_REQUEST);
            }
        }
    }
    expect_same(u, before);
    g_byte_array_free(before, true);
    uvc_close(u);
}

/* Values, the exposure being manual. */
static const struct {
    uint16_t index;
    uint8_t selector, size;
    int32_t value;
    unsigned reason;
} values[] = {
    { UVC_CAMERA, 2, 1, 0, OUT_OF_RANGE },
    { UVC_CAMERA, 2, 1, 3, OUT_OF_RANGE },
    { UVC_CAMERA, 2, 1, 2, OUT_OF_RANGE },
    { UVC_CAMERA, 2, 1, 4, OUT_OF_RANGE },
    { UVC_CAMERA, 4, 4, 0, OUT_OF_RANGE },
    { UVC_CAMERA, 4, 4, 1001, OUT_OF_RANGE },
    { UVC_CAMERA, 4, 4, -1, OUT_OF_RANGE },
    { UVC_UNIT, 2, 2, -101, OUT_OF_RANGE },
    { UVC_UNIT, 2, 2, 101, OUT_OF_RANGE },
    { UVC_UNIT, 3, 2, -1, OUT_OF_RANGE },
    { UVC_UNIT, 3, 2, 201, OUT_OF_RANGE },
    { UVC_UNIT, 6, 2, -181, OUT_OF_RANGE },
    { UVC_UNIT, 6, 2, 181, OUT_OF_RANGE },
    { UVC_UNIT, 7, 2, 201, OUT_OF_RANGE },
    { UVC_UNIT, 9, 2, 39, OUT_OF_RANGE },
    { UVC_UNIT, 9, 2, 301, OUT_OF_RANGE },
    { UVC_VS, 2, 34, 0, OUT_OF_RANGE },
    { UVC_VS, 4, 11, 0, OUT_OF_RANGE },
    { UVC_VS, 5, 1, 1, INVALID_STATE }, /* no stream to interrupt */
    { UVC_VS, 5, 1, 2, OUT_OF_RANGE },  /* no bulk endpoint */
    { UVC_VS, 5, 1, 4, OUT_OF_RANGE },
};

static void every_value(void)
{
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint8_t mode = 1, data[34] = { 100 };
    GByteArray *before;

    expect_refused(u, UVC_SET_CUR, UVC_CAMERA, 4, data, 4, INVALID_STATE);
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_CAMERA, 2, &mode, 1),
                  CC_SUCCESS);
    before = settings(u);
    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        memset(data, 0, sizeof(data));
        stl_le_p(data, values[i].value);
        expect_refused(u, UVC_SET_CUR, values[i].index, values[i].selector,
                       data, values[i].size, values[i].reason);
    }
    expect_same(u, before);
    g_byte_array_free(before, true);
    uvc_close(u);
}

/* Each byte of a good commit changed: refused, but where it says nothing. */
static void every_commit(void)
{
    static const uint8_t matters[] = { 2,  3,  4,  5,  6,  7,  18,
                                       19, 20, 21, 22, 23, 24, 25 };
    Uvc *u = uvc_open(hcd_start(.args = UVC_ARGS("")));
    uint8_t good[34], bad[34];
    GByteArray *before;

    uvc_commit(u, 2, 4, 333333);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 2, good, 34), CC_SUCCESS);
    before = settings(u);
    for (unsigned i = 0; i < ARRAY_SIZE(matters); i++) {
        memcpy(bad, good, sizeof(bad));
        bad[matters[i]] ^= 0x80;
        expect_refused(u, UVC_SET_CUR, UVC_VS, 2, bad, 34, OUT_OF_RANGE);
    }
    expect_same(u, before);
    uvc_start(u);
    expect_refused(u, UVC_SET_CUR, UVC_VS, 2, good, 34, INVALID_STATE);
    uvc_expect_frame(u, uvc_frame(u));
    expect_same(u, before);
    g_byte_array_free(before, true);
    uvc_close(u);
}

/* Each format, size and rate of a speed is agreed to as it was asked for; a
 * smaller alternate than it needs has no bandwidth for it. */
static void every_format(const void *args)
{
    Uvc *u = uvc_open(hcd_start(.args = args));
    const isoav_uvc_speed *s = u->speed;
    uint8_t probe[34];

    for (unsigned format = 1; format <= ISOAV_UVC_FORMATS; format++) {
        const isoav_uvc_format *f = &s->formats[format - 1];

        for (unsigned n = 0; n < f->count * ISOAV_UVC_RATES; n++) {
            const isoav_uvc_frame *frame = &f->frames[n / ISOAV_UVC_RATES];
            unsigned rate = n % ISOAV_UVC_RATES, alternate = 1;
            uint32_t interval, got;

            if (rate >= frame->rates) {
                continue;
            }
            interval = isoav_uvc_interval(frame, rate);
            uvc_commit(u, format, frame->index, interval);
            hcd_check((uint64_t)(u->payload_bytes - 12) *
                              (interval / 1250 / s->interval_uf) >=
                          u->frame_bytes,
                      "%ux%u does not go into its payloads", frame->width,
                      frame->height);
            for (; isoav_uvc_alternate_bytes(s, alternate) < u->payload_bytes;
                 alternate++) {
                hcd_expect_cc(uvc_select_interface(u, alternate),
                              CC_STALL_ERROR);
                hcd_check(uvc_error_code(u) == INVALID_STATE,
                          "not for the bandwidth");
            }
            hcd_expect_cc(uvc_select_interface(u, alternate), CC_SUCCESS);
            hcd_expect_cc(uvc_select_interface(u, 0), CC_SUCCESS);
            /* faster than there is: the next slower one */
            memset(probe, 0, sizeof(probe));
            probe[2] = format;
            probe[3] = frame->index;
            stl_le_p(probe + 4, interval - 1);
            hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 1, probe, 34),
                          CC_SUCCESS);
            hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 1, probe, 34),
                          CC_SUCCESS);
            got = ldl_le_p(probe + 4);
            hcd_check(got == interval, "%u became %u", interval - 1, got);
        }
    }
    uvc_close(u);
}

int main(int argc, char **argv)
{
    hcd_test_add("uvcctl/every-request", every_request);
    hcd_test_add("uvcctl/every-length", every_length);
    hcd_test_add("uvcctl/every-value", every_value);
    hcd_test_add("uvcctl/every-commit", every_commit);
    hcd_test_add_data("uvcctl/formats/full", every_format,
                      UVC_ARGS(",speed=full"));
    hcd_test_add_data("uvcctl/formats/high", every_format, UVC_ARGS(""));
    hcd_test_add_data("uvcctl/formats/super", every_format,
                      UVC_ARGS(",speed=super"));
    return hcd_test_main(argc, argv);
}
