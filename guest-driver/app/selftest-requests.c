/*
 * Self-tests of the requests: answers, and what must be refused.
 *
 * SPDX-License-Identifier: MIT
 */
#include "selftest.h"

#include <string.h>

#include "isolab/isoav.h"

static DWORD request(selftest *t, uint32_t code, const void *in,
                     uint32_t in_bytes, void *out, uint32_t out_bytes)
{
    return device_control(t->s[0].device, code, in, in_bytes, out, out_bytes);
}

static const char *versions(selftest *t)
{
    CHECK(t->info.abi_version == ISOAV_ABI_VERSION, "the driver's ABI is %u",
          t->info.abi_version);
    CHECK(t->info.protocol == ISOAV_PROTOCOL_VERSION,
          "the device's protocol is %u", t->info.protocol);
    return NULL;
}

static const char *speed(selftest *t)
{
    CHECK(t->info.speed >= ISOAV_SPEED_FULL &&
              t->info.speed <= ISOAV_SPEED_SUPER,
          "speed %u", t->info.speed);
    return NULL;
}

static const char *alternates(selftest *t)
{
    uint32_t i, video = 0, test_in = 0, test_out = 0;

    for (i = 0; i < t->info.alternates; i++) {
        const isoav_alternate *a = &t->info.alternate[i];

        CHECK(a->packet_bytes && a->alternate, "alternate %u.%u has %u bytes",
              a->interface_number, a->alternate, a->packet_bytes);
        CHECK(a->period_uf && a->period_uf <= 8 &&
                  !(a->period_uf & (a->period_uf - 1)),
              "alternate %u.%u has a period of %u", a->interface_number,
              a->alternate, a->period_uf);
        video += a->endpoint == ISOAV_EP_VIDEO_IN;
        test_in += a->endpoint == ISOAV_EP_TEST_IN;
        test_out += a->endpoint == ISOAV_EP_TEST_OUT;
    }
    CHECK(video && test_in && test_out, "%u video, %u and %u test endpoints",
          video, test_in, test_out);
    return NULL;
}

static const char *clock_runs(selftest *t)
{
    isoav_info later;

    TRY(selftest_open(t, 0));
    TRY(selftest_error(
        t, "info",
        request(t, ISOAV_IOCTL_GET_INFO, NULL, 0, &later, sizeof(later)), 0));
    CHECK(later.microframe > t->info.microframe, "it went from %llu to %llu",
          (unsigned long long)t->info.microframe,
          (unsigned long long)later.microframe);
    return NULL;
}

static const char *descriptors(selftest *t)
{
    uint8_t *d = t->in;
    DWORD bytes, at;

    TRY(selftest_open(t, 0));
    TRY(selftest_error(t, "descriptors",
                       device_query(t->s[0].device, ISOAV_IOCTL_GET_DESCRIPTORS,
                                    NULL, 0, d, 8192, &bytes),
                       0));
    CHECK(bytes == 18u + t->info.configuration_bytes, "%lu bytes", bytes);
    CHECK(d[0] == 18 && d[1] == 1 && isoav_get16(d + 8) == t->info.vendor &&
              isoav_get16(d + 10) == t->info.product,
          "the device descriptor is another one");
    for (at = 18; at + 2 <= bytes && d[at] >= 2; at += d[at]) {
    }
    CHECK(at == bytes, "the chain breaks at byte %lu", at);
    return NULL;
}

static const char *set_format(selftest *t, uint16_t width, uint16_t height,
                              uint32_t interval, DWORD expected)
{
    isoav_format format = { width, height, interval };

    return selftest_error(
        t, "format",
        request(t, ISOAV_IOCTL_SET_FORMAT, &format, sizeof(format), NULL, 0),
        expected);
}

static const char *format_round_trip(selftest *t)
{
    isoav_format format;

    TRY(selftest_open(t, 0));
    TRY(set_format(t, 320, 180, 666666, 0));
    TRY(selftest_error(
        t, "format",
        request(t, ISOAV_IOCTL_GET_FORMAT, NULL, 0, &format, sizeof(format)),
        0));
    CHECK(format.width == 320 && format.height == 180 &&
              format.interval_100ns == 666666,
          "it is %ux%u", format.width, format.height);
    return set_format(t, ISOAV_WIDTH_DEFAULT, ISOAV_HEIGHT_DEFAULT,
                      ISOAV_INTERVAL_DEFAULT, 0);
}

static const char *format_refused(selftest *t)
{
    TRY(selftest_open(t, 0));
    TRY(set_format(t, 321, 180, 333333, ERROR_INVALID_PARAMETER));
    TRY(set_format(t, 320, 46, 333333, ERROR_INVALID_PARAMETER));
    return set_format(t, 320, 180, 1, ERROR_INVALID_PARAMETER);
}

static const char *mode_round_trip(selftest *t)
{
    isoav_mode mode = { ISOAV_MODE_LOOPBACK }, back = { 99 };

    TRY(selftest_open(t, 0));
    TRY(selftest_error(
        t, "mode",
        request(t, ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), NULL, 0), 0));
    TRY(selftest_error(
        t, "mode",
        request(t, ISOAV_IOCTL_GET_MODE, NULL, 0, &back, sizeof(back)), 0));
    CHECK(back.mode == ISOAV_MODE_LOOPBACK, "it is %u", back.mode);
    mode.mode = ISOAV_MODE_SOURCE_SINK;
    return selftest_error(
        t, "mode",
        request(t, ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), NULL, 0), 0);
}

static const char *mode_refused(selftest *t)
{
    isoav_mode mode = { 77 };

    TRY(selftest_open(t, 0));
    TRY(selftest_error(
        t, "mode 77",
        request(t, ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), NULL, 0),
        ERROR_INVALID_PARAMETER));
    mode.mode = 256;
    return selftest_error(
        t, "mode 256",
        request(t, ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), NULL, 0),
        ERROR_INVALID_PARAMETER);
}

static const char *counters_refused(selftest *t)
{
    isoav_interface which = { 99 };
    isoav_counters counters;

    TRY(selftest_open(t, 0));
    return selftest_error(t, "counters of interface 99",
                          request(t, ISOAV_IOCTL_GET_COUNTERS, &which,
                                  sizeof(which), &counters, sizeof(counters)),
                          ERROR_INVALID_PARAMETER);
}

static const char *unknown_request(selftest *t)
{
    uint8_t nothing[8] = { 0 };

    TRY(selftest_open(t, 0));
    return selftest_error(t, "an unknown request",
                          request(t, ISOAV_CTL(200, 3), nothing, 8, nothing, 8),
                          ERROR_INVALID_FUNCTION);
}

static const char *short_answer(selftest *t)
{
    uint8_t part[16];

    TRY(selftest_open(t, 0));
    return selftest_error(
        t, "16 bytes for the info",
        request(t, ISOAV_IOCTL_GET_INFO, NULL, 0, part, sizeof(part)),
        ERROR_INSUFFICIENT_BUFFER);
}

static const char *long_question(selftest *t)
{
    uint8_t format[sizeof(isoav_format) + 1] = { 0 };

    TRY(selftest_open(t, 0));
    return selftest_error(
        t, "a format and a byte",
        request(t, ISOAV_IOCTL_SET_FORMAT, format, sizeof(format), NULL, 0),
        ERROR_INVALID_PARAMETER);
}

static const char *start(selftest *t, isoav_start start, DWORD expected,
                         const char *what)
{
    TRY(selftest_open(t, 0));
    return selftest_error(t, what, stream_start(&t->s[0], &start), expected);
}

static const char *start_alternate_0(selftest *t)
{
    return start(t, (isoav_start){ 0 }, ERROR_INVALID_PARAMETER, "alternate 0");
}

static const char *start_unknown(selftest *t)
{
    return start(t, (isoav_start){ .alternate = 99 }, ERROR_INVALID_PARAMETER,
                 "alternate 99");
}

static const char *start_flags(selftest *t)
{
    return start(t, (isoav_start){ .alternate = 1, .flags = 0x40 },
                 ERROR_INVALID_PARAMETER, "an unknown flag");
}

static const char *start_two_urbs(selftest *t)
{
    return start(t, (isoav_start){ .alternate = 1, .urbs = 2 },
                 ERROR_INVALID_PARAMETER, "two URBs");
}

static const char *start_too_many_packets(selftest *t)
{
    return start(t, (isoav_start){ .alternate = 1, .packets = 1032 },
                 ERROR_INVALID_PARAMETER, "1032 packets");
}

static const char *start_half_frame(selftest *t)
{
    if (t->info.speed == ISOAV_SPEED_FULL) {
        return NULL; /* a packet is a frame there */
    }
    return start(t, (isoav_start){ .alternate = 1, .packets = 12 },
                 ERROR_INVALID_PARAMETER, "one frame and a half");
}

static const char *start_small_fifo(selftest *t)
{
    return start(t, (isoav_start){ .alternate = 1, .fifo_bytes = 4096 },
                 ERROR_INVALID_PARAMETER, "a FIFO of 4096 bytes");
}

static const char *read_before_start(selftest *t)
{
    DWORD bytes;

    TRY(selftest_open(t, 0));
    return selftest_error(
        t, "read", stream_read(&t->s[0], t->in, STREAM_READ_BYTES, &bytes),
        ERROR_BAD_COMMAND);
}

static const char *stop_before_start(selftest *t)
{
    TRY(selftest_open(t, 0));
    return selftest_error(t, "stop", stream_stop(&t->s[0]), ERROR_BAD_COMMAND);
}

static const char *open_and_close(selftest *t)
{
    int i;

    for (i = 0; i < 20; i++) {
        TRY(selftest_open(t, 0));
        stream_close(&t->s[0]);
    }
    return NULL;
}

static const char *log_resize(selftest *t)
{
    isoav_log_size size = { .entries = 63 };
    isoav_log_from from = { 0 };
    isoav_log_part part;
    DWORD bytes;

    TRY(selftest_open(t, 0));
    TRY(selftest_error(
        t, "a log of 63 entries",
        request(t, ISOAV_IOCTL_LOG_RESIZE, &size, sizeof(size), NULL, 0),
        ERROR_INVALID_PARAMETER));
    size.entries = ISOAV_LOG_ENTRIES_DEFAULT;
    TRY(selftest_error(
        t, "a log",
        request(t, ISOAV_IOCTL_LOG_RESIZE, &size, sizeof(size), NULL, 0), 0));
    TRY(selftest_error(t, "log",
                       device_query(t->s[0].device, ISOAV_IOCTL_LOG_READ, &from,
                                    sizeof(from), t->in, SELFTEST_DATA_BYTES,
                                    &bytes),
                       0));
    memcpy(&part, t->in, sizeof(part));
    CHECK(part.entries == 0 && part.size == size.entries,
          "it has %u of %u entries", part.entries, part.size);
    return NULL;
}

/* Also where Win32 has one error for several: 1 is four things elsewhere. */
static const char *refusal_names(selftest *t)
{
    const uint32_t invalid_parameter = 0xc000000d;
    const uint32_t invalid_device_request = 0xc0000010;
    const uint32_t unknown = ISOAV_CTL(0xff, 1);
    isoav_mode mode = { 77 };
    uint32_t status;
    DWORD error;

    TRY(selftest_open(t, 0));
    error = request(t, ISOAV_IOCTL_SET_MODE, &mode, sizeof(mode), NULL, 0);
    status = device_last_status(error);
    CHECK(status == invalid_parameter, "mode 77: NTSTATUS %08x", status);
    error = request(t, unknown, NULL, 0, NULL, 0);
    status = device_last_status(error);
    CHECK(status == invalid_device_request, "an unknown code: NTSTATUS %08x",
          status);
    return NULL;
}

const selftest_case selftest_requests[] = {
    { "info: program and driver are of one version", versions },
    { "info: the device has a speed", speed },
    { "info: every alternate carries something", alternates },
    { "info: the device's clock runs", clock_runs },
    { "info: the descriptors are those of the device", descriptors },
    { "format: what is set comes back", format_round_trip },
    { "format: sizes that the device cannot do are refused", format_refused },
    { "mode: what is set comes back", mode_round_trip },
    { "mode: unknown ones are refused", mode_refused },
    { "counters: an unknown interface is refused", counters_refused },
    { "request: an unknown code is refused", unknown_request },
    { "request: a buffer that is too small is refused", short_answer },
    { "request: an input that is too long is refused", long_question },
    { "request: a refusal has the driver's NTSTATUS", refusal_names },
    { "start: alternate 0 is refused", start_alternate_0 },
    { "start: an unknown alternate is refused", start_unknown },
    { "start: an unknown flag is refused", start_flags },
    { "start: fewer than three URBs are refused", start_two_urbs },
    { "start: more packets than an URB has are refused",
      start_too_many_packets },
    { "start: a part of a frame is refused", start_half_frame },
    { "start: a FIFO without room is refused", start_small_fifo },
    { "file: no read before the start", read_before_start },
    { "file: no stop before the start", stop_before_start },
    { "file: opened and closed twenty times", open_and_close },
    { "log: a new one is empty", log_resize },
    { NULL, NULL },
};
