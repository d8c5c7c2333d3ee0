/*
 * Self-tests of the test function: a source, a sink, a loopback.
 *
 * SPDX-License-Identifier: MIT
 */
#include "selftest.h"

#include <string.h>

#include "testdata.h"

#define LOOPS 512u /* packets that go around */

static const char *start(selftest *t, unsigned n, uint8_t endpoint,
                         uint8_t alternate, DWORD expected)
{
    isoav_start s = { .interface_number = ISOAV_IFACE_TEST,
                      .alternate = alternate,
                      .endpoint = endpoint };

    TRY(selftest_open(t, n));
    return selftest_error(t, "start", stream_start(&t->s[n], &s), expected);
}

static const char *set_mode(selftest *t, uint32_t value)
{
    isoav_mode mode = { value };
    stream s;
    DWORD error = stream_open(&s, t->index);

    if (!error) {
        error = device_control(s.device, ISOAV_IOCTL_SET_MODE, &mode,
                               sizeof(mode), NULL, 0);
    }
    stream_close(&s);
    return selftest_error(t, "mode", error, 0);
}

/* The bus need not have the bandwidth of alternate 3 (isolab/isoav.h). */
static const char *each_alternate(selftest *t, uint8_t endpoint,
                                  const char *(*run)(selftest *))
{
    isoav_start s = { .interface_number = ISOAV_IFACE_TEST,
                      .endpoint = endpoint };
    unsigned done = 0;
    uint32_t i;
    DWORD error;

    TRY(set_mode(t, ISOAV_MODE_SOURCE_SINK));
    for (i = 0; i < t->info.alternates; i++) {
        const isoav_alternate *a = &t->info.alternate[i];

        if (a->endpoint != endpoint || a->packet_bytes > ISOAV_PACKET_MAX) {
            continue;
        }
        TRY(selftest_open(t, 0));
        s.alternate = a->alternate;
        error = stream_start(&t->s[0], &s);
        if (error != ERROR_NO_SYSTEM_RESOURCES) {
            TRY(selftest_error(t, "start", error, 0));
            TRY(run(t));
            done++;
        }
        stream_close(&t->s[0]);
    }
    CHECK(done, "no alternate works");
    return NULL;
}

static const char *check_source(selftest *t)
{
    return selftest_receive(t, 0, ISOAV_STREAM_TEST_IN, 256);
}

static const char *source(selftest *t)
{
    return each_alternate(t, ISOAV_EP_TEST_IN, check_source);
}

/* Writes packets first..first+count-1, of all sizes that fit. */
static const char *write_packets(selftest *t, unsigned n, uint32_t first,
                                 uint32_t count)
{
    uint32_t most = t->s[n].started.packet_bytes - ISOAV_HEADER_BYTES, at = 0,
             i;

    for (i = first; i < first + count; i++) {
        if (at + ISOAV_RECORD_BYTES(ISOAV_PACKET_MAX) > SELFTEST_DATA_BYTES) {
            TRY(selftest_error(t, "write", stream_write(&t->s[n], t->out, at),
                               0));
            at = 0;
        }
        at = testdata_put(t->out, at, i, NULL, i % (most + 1));
    }
    return selftest_error(t, "write", stream_write(&t->s[n], t->out, at), 0);
}

/* A number of packets that is whole URBs. */
static uint32_t whole_urbs(const stream *s, uint32_t packets)
{
    return (packets + s->started.packets - 1) / s->started.packets *
           s->started.packets;
}

static const char *check_sink(selftest *t)
{
    uint32_t packets = whole_urbs(&t->s[0], 256);
    isoav_interface which = { ISOAV_IFACE_TEST };
    isoav_counters counters;
    const uint64_t *c = counters.count;

    TRY(write_packets(t, 0, 0, packets));
    TRY(selftest_error(t, "drain", stream_drain(&t->s[0], packets), 0));
    TRY(selftest_error(t, "counters",
                       device_control(t->s[0].device, ISOAV_IOCTL_GET_COUNTERS,
                                      &which, sizeof(which), &counters,
                                      sizeof(counters)),
                       0));
    CHECK(c[ISOAV_COUNT_PACKETS_OUT] == packets &&
              c[ISOAV_COUNT_BAD_OUT] == 0 && c[ISOAV_COUNT_LOST_OUT] == 0,
          "alternate %u: of %u packets the device has %u, %u bad, %u lost",
          t->s[0].started.alternate, packets,
          (unsigned)c[ISOAV_COUNT_PACKETS_OUT],
          (unsigned)c[ISOAV_COUNT_BAD_OUT], (unsigned)c[ISOAV_COUNT_LOST_OUT]);
    return NULL;
}

static const char *sink(selftest *t)
{
    return each_alternate(t, ISOAV_EP_TEST_OUT, check_sink);
}

static const char *sink_pauses(selftest *t)
{
    isoav_stats stats;
    uint32_t packets, i;

    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    packets = t->s[0].started.packets;
    for (i = 0; i < 5; i++) {
        TRY(write_packets(t, 0, i * packets, packets));
        TRY(selftest_error(t, "drain",
                           stream_drain(&t->s[0], (i + 1) * packets), 0));
    }
    TRY(selftest_error(t, "stats", stream_stats(&t->s[0], &stats), 0));
    CHECK(stats.starved == 5, "it says so %llu times",
          (unsigned long long)stats.starved);
    return NULL;
}

static const char *bad_record(selftest *t)
{
    isoav_record record = { .record_bytes = 40, .length = 9 };

    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    memset(t->out, 0, 64);
    memcpy(t->out, &record, sizeof(record));
    return selftest_error(t, "a record of 9 bytes in 8",
                          stream_write(&t->s[0], t->out, 40),
                          ERROR_INVALID_PARAMETER);
}

static const char *empty_record(selftest *t)
{
    isoav_record record = { .record_bytes = sizeof(record) };

    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    memcpy(t->out, &record, sizeof(record));
    return selftest_error(t, "a record without data",
                          stream_write(&t->s[0], t->out, sizeof(record)),
                          ERROR_INVALID_PARAMETER);
}

static const char *read_refused(selftest *t)
{
    DWORD bytes;

    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    return selftest_error(
        t, "read", stream_read(&t->s[0], t->in, STREAM_READ_BYTES, &bytes),
        ERROR_INVALID_FUNCTION);
}

/* Records that came back: ours are counted in *next, in order. */
static const char *take_looped(selftest *t, DWORD bytes, uint32_t *next)
{
    isoav_record record;
    isoav_packet packet;
    DWORD at;

    for (at = 0; at < bytes; at += record.record_bytes) {
        memcpy(&record, t->in + at, sizeof(record));
        CHECK(record.packet_status == 0, "a packet has status %08x",
              record.packet_status);
        CHECK(testdata_is_right(t->in + at + sizeof(record), record.length,
                                &packet),
              "a packet of %u bytes is damaged", record.length);
        if (packet.stream == ISOAV_STREAM_TEST_OUT) {
            CHECK(packet.sequence == *next, "packet %u instead of %u",
                  packet.sequence, *next);
            (*next)++;
        }
    }
    return NULL;
}

/* Ring by ring, so that the device's store of 64 packets is never full. */
static const char *loop(selftest *t, uint32_t packets)
{
    uint32_t at_once = t->s[0].started.packets, written = 0, next = 0;
    DWORD bytes;

    while (next < packets) {
        if (written == next && written < packets) {
            TRY(write_packets(t, 0, written, at_once));
            written += at_once;
        }
        TRY(selftest_error(
            t, "read", stream_read(&t->s[1], t->in, STREAM_READ_BYTES, &bytes),
            0));
        TRY(take_looped(t, bytes, &next));
    }
    return NULL;
}

static const char *start_loop(selftest *t)
{
    isoav_start s = { .interface_number = ISOAV_IFACE_TEST,
                      .alternate = 1,
                      .endpoint = ISOAV_EP_TEST_OUT,
                      .packets = 32 };

    TRY(set_mode(t, ISOAV_MODE_LOOPBACK));
    TRY(selftest_open(t, 0));
    TRY(selftest_error(t, "start OUT", stream_start(&t->s[0], &s), 0));
    TRY(selftest_open(t, 1));
    s.endpoint = ISOAV_EP_TEST_IN;
    return selftest_error(t, "start IN", stream_start(&t->s[1], &s), 0);
}

static const char *loopback(selftest *t)
{
    TRY(start_loop(t));
    return loop(t, LOOPS);
}

static const char *one_alternate(selftest *t)
{
    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    TRY(start(t, 1, ISOAV_EP_TEST_IN, 2, ERROR_SHARING_VIOLATION));
    stream_close(&t->s[1]);
    TRY(start(t, 1, ISOAV_EP_TEST_OUT, 1, ERROR_SHARING_VIOLATION));
    stream_close(&t->s[1]);
    return start(t, 1, ISOAV_EP_TEST_IN, 1, 0);
}

static const char *one_leaves(selftest *t)
{
    TRY(set_mode(t, ISOAV_MODE_SOURCE_SINK));
    TRY(start(t, 0, ISOAV_EP_TEST_OUT, 1, 0));
    TRY(start(t, 1, ISOAV_EP_TEST_IN, 1, 0));
    stream_close(&t->s[0]);
    return selftest_receive(t, 1, ISOAV_STREAM_TEST_IN, 256);
}

static const char *all_at_once(selftest *t)
{
    isoav_start s = { .alternate = 1 };

    TRY(start_loop(t));
    TRY(selftest_open(t, 2));
    TRY(selftest_error(t, "start video", stream_start(&t->s[2], &s), 0));
    TRY(loop(t, LOOPS));
    return selftest_receive(t, 2, ISOAV_STREAM_VIDEO, 256);
}

static const char *mode_back(selftest *t)
{
    return set_mode(t, ISOAV_MODE_SOURCE_SINK);
}

const selftest_case selftest_test[] = {
    { "source: every alternate streams", source },
    { "sink: the device gets what is written, on every alternate", sink },
    { "sink: it pauses when nothing is written, and goes on", sink_pauses },
    { "sink: a record that does not add up is refused", bad_record },
    { "sink: a record without data is refused", empty_record },
    { "sink: a read is refused", read_refused },
    { "loopback: what is sent comes back, byte for byte", loopback },
    { "sharing: two endpoints, one alternate", one_alternate },
    { "sharing: one leaves, the other goes on", one_leaves },
    { "three streams at once", all_at_once },
    { "mode: as it was", mode_back },
    { NULL, NULL },
};
