/*
 * The whole device without QEMU: packets as a host sees them, counters,
 * restarts, loopback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/av/packet.h"
#include "hw/av/streams.h"
#include "isolab/pattern.h"

#define START_UF UINT64_C(0x100000000f)

typedef struct {
    isoav_streams s;
    uint8_t wire[ISOAV_PACKET_MAX_SUPER];
    isoav_packet header;
    isoav_packet sent; /* what isoav_streams_send says that it sent */
} fixture;

static fixture *start(void)
{
    fixture *f = g_new0(fixture, 1);

    f->s.pixels = g_malloc(ISOLAB_PATTERN_BYTES_MAX);
    isoav_streams_configure(&f->s, ISOAV_CONFIGURATION);
    return f;
}

static void stop(fixture *f)
{
    g_free(f->s.pixels);
    g_free(f);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(fixture, stop)

/* The packet of one IN token in one piece; its size, or -1 for none. */
static int receive(fixture *f, int iface, uint64_t uf)
{
    isoav_reply reply;

    if (!isoav_streams_send(&f->s, iface, uf, &reply)) {
        return -1;
    }
    f->sent = reply.header;
    memcpy(f->wire, reply.head, reply.head_bytes);
    if (reply.payload_bytes) {
        memcpy(f->wire + reply.head_bytes, reply.payload, reply.payload_bytes);
    }
    return (int)(reply.head_bytes + reply.payload_bytes);
}

/* One IN token; the packet must be sound. Returns its payload. */
static const uint8_t *token_in(fixture *f, int iface, uint64_t uf)
{
    int bytes = receive(f, iface, uf);

    g_assert_cmpint(bytes, >, 0);
    g_assert_cmpint(isoav_packet_check(&f->header, f->wire, bytes), ==,
                    ISOAV_PACKET_OK);
    g_assert_cmpmem(&f->header, sizeof(f->header), &f->sent, sizeof(f->sent));
    return f->wire + ISOAV_HEADER_BYTES;
}

static void expect_none(fixture *f, int iface)
{
    g_assert_cmpint(receive(f, iface, START_UF), ==, -1);
}

static uint64_t counter(fixture *f, int iface, int which)
{
    return f->s.counters[iface][which];
}

static void set_picture(fixture *f, uint16_t width, uint16_t height)
{
    f->s.width = width;
    f->s.height = height;
    isoav_streams_select(&f->s, ISOAV_IFACE_VIDEO, 0);
}

static void test_packet_sizes(void)
{
    static const uint32_t video[] = { 0, 192, 512, 1024, 2048, 3072 };
    static const uint32_t test[] = { 0, 192, 1024, 3072, 1024, 2048, 49152 };

    static const uint32_t video_full[] = { 0, 192, 384, 512, 768, 1023 };
    static const uint32_t test_full[] = { 0, 96, 192, 1023, 512, 384, 0 };
    isoav_streams full = { .is_full = true }, s = { 0 };

    for (int i = 0; i < 6; i++) {
        g_assert_cmpuint(isoav_streams_packet_max(&s, 0, i), ==, video[i]);
        g_assert_cmpuint(isoav_streams_packet_max(&full, 0, i), ==,
                         video_full[i]);
    }
    for (int i = 0; i < 7; i++) {
        g_assert_cmpuint(isoav_streams_packet_max(&s, 1, i), ==, test[i]);
        g_assert_cmpuint(isoav_streams_packet_max(&full, 1, i), ==,
                         test_full[i]);
    }
    g_assert_cmpuint(isoav_streams_packet_max(&s, 0, 6), ==, 0);
    g_assert_cmpuint(isoav_streams_packet_max(&s, 0, -1), ==, 0);
    g_assert_cmpuint(isoav_streams_packet_max(&s, 1, 7), ==, 0);
    g_assert_cmpuint(isoav_streams_packet_max(&s, 2, 1), ==, 0);
}

static void test_no_endpoint_no_packet(void)
{
    g_autoptr(fixture) f = start();
    isoav_testfn_result r;

    expect_none(f, 0);
    expect_none(f, 1);
    g_assert_false(isoav_streams_receive(&f->s, f->wire, 36, &r));

    isoav_streams_select(&f->s, 0, 5);
    token_in(f, 0, START_UF);
    expect_none(f, 1);
    g_assert_false(isoav_streams_receive(&f->s, f->wire, 36, &r));

    isoav_streams_configure(&f->s, 0);
    expect_none(f, 0);
}

/* As a receiver does it: reassembles, regenerates, compares. */
static void receive_frames(fixture *f, int alternate, uint32_t frames)
{
    uint32_t bytes = isolab_pattern_frame_bytes(f->s.width, f->s.height);
    g_autofree uint8_t *got = g_malloc(bytes);
    g_autofree uint8_t *want = g_malloc(bytes);
    uint64_t uf = START_UF, wire_bytes = 0;
    uint32_t sequence = 0, offset = 0, frame = 0;

    isoav_streams_select(&f->s, ISOAV_IFACE_VIDEO, alternate);
    while (frame < frames) {
        const uint8_t *payload = token_in(f, ISOAV_IFACE_VIDEO, uf);

        g_assert_cmpuint(f->header.stream, ==, ISOAV_STREAM_VIDEO);
        g_assert_cmpuint(f->header.sequence, ==, sequence++);
        g_assert_cmpuint(f->header.microframe, ==, uf++);
        wire_bytes += ISOAV_HEADER_BYTES + f->header.length;
        if (f->header.length == 0) {
            continue;
        }
        g_assert_cmpuint(f->header.frame, ==, frame);
        g_assert_cmpuint(f->header.offset, ==, offset);
        memcpy(got + offset, payload, f->header.length);
        offset += f->header.length;
        if (f->header.flags & ISOAV_FLAG_EOF) {
            g_assert_cmpuint(offset, ==, bytes);
            isolab_pattern_fill(want, f->s.width, f->s.height, frame++,
                                f->s.interval_100ns);
            g_assert_cmpmem(got, bytes, want, bytes);
            offset = 0;
        }
    }
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_FRAMES), ==, frames);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_PACKETS_IN), ==, sequence);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_BYTES_IN), ==, wire_bytes);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_SKIPPED), ==, 0);
}

static void test_frames_are_the_pattern(void)
{
    g_autoptr(fixture) f = start();

    receive_frames(f, 5, 60);
    receive_frames(f, 4, 10);
    set_picture(f, 64, 48);
    receive_frames(f, 1, 300);
}

static void test_skipped_frames_are_counted(void)
{
    g_autoptr(fixture) f = start();

    set_picture(f, 64, 48); /* 3 packets at alternate 5 */
    isoav_streams_select(&f->s, 0, 5);
    token_in(f, 0, START_UF);
    token_in(f, 0, START_UF + 1);
    token_in(f, 0, START_UF + 8000);
    g_assert_cmpuint(f->header.flags, ==, ISOAV_FLAG_EOF);
    token_in(f, 0, START_UF + 8001);
    g_assert_cmpuint(f->header.flags, ==, ISOAV_FLAG_SOF | ISOAV_FLAG_SKIPPED);
    g_assert_cmpuint(f->header.frame, ==, 30);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_SKIPPED), ==, 29);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_FRAMES), ==, 1);
}

static void test_selecting_again_restarts(void)
{
    g_autoptr(fixture) f = start();

    isoav_streams_select(&f->s, 0, 3);
    isoav_streams_select(&f->s, 1, 2);
    for (uint64_t uf = 0; uf < 1000; uf++) {
        token_in(f, 0, uf);
        token_in(f, 1, uf);
    }
    isoav_streams_select(&f->s, 0, 3);
    g_assert_cmpuint(counter(f, 0, ISOAV_COUNT_PACKETS_IN), ==, 0);
    token_in(f, 0, 5000);
    g_assert_cmpuint(f->header.sequence, ==, 0);
    g_assert_cmpuint(f->header.frame, ==, 0);
    g_assert_cmpuint(f->header.flags, ==, ISOAV_FLAG_SOF);
    /* The other interface goes on. */
    token_in(f, 1, 5000);
    g_assert_cmpuint(f->header.sequence, ==, 1000);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_PACKETS_IN), ==, 1001);
}

static void test_configuring_restores_the_defaults(void)
{
    g_autoptr(fixture) f = start();

    set_picture(f, 64, 48);
    f->s.interval_100ns = 400000;
    f->s.mode = ISOAV_MODE_LOOPBACK;
    isoav_streams_select(&f->s, 0, 1);
    isoav_streams_select(&f->s, 1, 1);
    isoav_streams_configure(&f->s, ISOAV_CONFIGURATION);
    g_assert_cmpuint(f->s.width, ==, 640);
    g_assert_cmpuint(f->s.height, ==, 360);
    g_assert_cmpuint(f->s.interval_100ns, ==, 333333);
    g_assert_cmpuint(f->s.mode, ==, ISOAV_MODE_SOURCE_SINK);
    expect_none(f, 0);
    expect_none(f, 1);
}

static void test_source(void)
{
    static const uint32_t lengths[] = { 0, 156, 988, 3036, 988, 2012, 49116 };

    for (int alternate = 1; alternate <= 6; alternate++) {
        g_autoptr(fixture) f = start();

        isoav_streams_select(&f->s, 1, alternate);
        for (uint32_t i = 0; i < 600; i++) {
            const uint8_t *payload = token_in(f, 1, START_UF + i);

            g_assert_cmpuint(f->header.stream, ==, ISOAV_STREAM_TEST_IN);
            g_assert_cmpuint(f->header.sequence, ==, i);
            g_assert_cmpuint(f->header.length, ==, lengths[alternate]);
            for (uint32_t k = 0; k < f->header.length; k++) {
                if (payload[k] != (i + k) % 256) {
                    g_error("byte %u of packet %u is %02x", k, i, payload[k]);
                }
            }
        }
    }
}

/* Alternate 6 has no 02h. */
static void test_super_alternate_is_a_source(void)
{
    g_autoptr(fixture) f = start();
    isoav_testfn_result r;

    isoav_streams_select(&f->s, 1, 6);
    g_assert_false(isoav_streams_receive(&f->s, f->wire, 36, &r));
    token_in(f, 1, START_UF);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_BYTES_IN), ==, 49152);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_PACKETS_OUT), ==, 0);
    g_assert_true(isoav_streams_is_sane(&f->s));
}

/* The source remembers CRCs: not those of another size, and not for longer than
 * the sequence numbers of one round. */
static void test_source_changes_its_size(void)
{
    g_autoptr(fixture) f = start();

    for (uint32_t round = 0; round < 3; round++) {
        for (int alternate = 1; alternate <= 5; alternate++) {
            isoav_streams_select(&f->s, 1, alternate);
            for (uint32_t i = 0; i < 300; i++) {
                token_in(f, 1, START_UF + round * 1000 + i);
            }
        }
    }
}

static uint32_t make_out(uint8_t *wire, uint32_t sequence, uint16_t length)
{
    isoav_packet header = {
        .version = ISOAV_PROTOCOL_VERSION,
        .stream = ISOAV_STREAM_TEST_OUT,
        .sequence = sequence,
        .length = length,
    };

    memcpy(wire + ISOAV_HEADER_BYTES, isoav_packet_payload(sequence), length);
    return isoav_packet_build(wire, &header);
}

static void test_sink_counts(void)
{
    g_autoptr(fixture) f = start();
    isoav_testfn_result r;
    uint32_t bytes;

    isoav_streams_select(&f->s, 1, 1);
    for (uint32_t i = 0; i < 10; i++) {
        bytes = make_out(f->wire, i, 100);
        g_assert_true(isoav_streams_receive(&f->s, f->wire, bytes, &r));
    }
    bytes = make_out(f->wire, 14, 100);
    f->wire[ISOAV_HEADER_BYTES] ^= 1;
    g_assert_true(isoav_streams_receive(&f->s, f->wire, bytes, &r));
    bytes = make_out(f->wire, 15, 100);
    g_assert_true(isoav_streams_receive(&f->s, f->wire, bytes, &r));
    /* More than 192 bytes: not even looked at. */
    g_assert_true(isoav_streams_receive(&f->s, f->wire, 193, &r));
    g_assert_cmpint(r.verdict, ==, ISOAV_PACKET_BABBLE);
    g_assert_true(isoav_streams_receive(&f->s, f->wire, UINT32_MAX, &r));

    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_PACKETS_OUT), ==, 14);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_BYTES_OUT), ==,
                     12 * 136 + 193 + UINT64_C(0xffffffff));
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_BAD_OUT), ==, 3);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_LOST_OUT), ==, 5);
    g_assert_cmpuint(counter(f, 1, ISOAV_COUNT_PACKETS_IN), ==, 0);
}

static void send_out(fixture *f, uint32_t sequence, uint16_t length)
{
    uint8_t wire[ISOAV_PACKET_MAX];
    uint32_t bytes = make_out(wire, sequence, length);
    isoav_testfn_result r;

    g_assert_true(isoav_streams_receive(&f->s, wire, bytes, &r));
}

static void expect_filler(fixture *f, uint32_t sequence)
{
    token_in(f, 1, START_UF);
    g_assert_cmpuint(f->header.stream, ==, ISOAV_STREAM_TEST_IN);
    g_assert_cmpuint(f->header.length, ==, 0);
    g_assert_cmpuint(f->header.sequence, ==, sequence);
}

static void expect_echo(fixture *f, uint32_t sequence, uint16_t length)
{
    uint8_t wire[ISOAV_PACKET_MAX];
    uint32_t bytes = make_out(wire, sequence, length);

    token_in(f, 1, START_UF);
    g_assert_cmpmem(f->wire, ISOAV_HEADER_BYTES + f->header.length, wire,
                    bytes);
}

static void test_loopback(void)
{
    g_autoptr(fixture) f = start();
    isoav_testfn_result r;

    f->s.mode = ISOAV_MODE_LOOPBACK;
    isoav_streams_select(&f->s, 1, 3);
    expect_filler(f, 0);
    send_out(f, 0, 0);
    send_out(f, 1, 3036);
    send_out(f, 7, 1);
    expect_echo(f, 0, 0);
    expect_echo(f, 1, 3036);
    expect_echo(f, 7, 1);
    expect_filler(f, 4);
    /* What is bad comes back as it is, an empty packet too. */
    memcpy(f->wire, "rubbish", 7);
    g_assert_true(isoav_streams_receive(&f->s, f->wire, 7, &r));
    g_assert_true(isoav_streams_receive(&f->s, f->wire, 0, &r));
    memset(f->wire, 0, 7);
    g_assert_cmpint(receive(f, 1, 1), ==, 7);
    g_assert_cmpmem(f->wire, 7, "rubbish", 7);
    g_assert_cmpint(receive(f, 1, 1), ==, 0);
    expect_filler(f, 7);
    /* Selecting an alternate empties the queue. */
    send_out(f, 8, 1);
    isoav_streams_select(&f->s, 1, 3);
    expect_filler(f, 0);
}

/* Migration leaves the drawn picture behind: it is drawn again mid-frame. */
static void test_a_lost_picture_is_drawn_again(void)
{
    g_autoptr(fixture) f = start();
    g_autofree uint8_t *want = g_malloc(640 * 360 * 2);

    isolab_pattern_fill(want, 640, 360, 0, f->s.interval_100ns);
    isoav_streams_select(&f->s, 0, 5);
    for (uint64_t uf = 0; uf < 152; uf++) {
        const uint8_t *payload = token_in(f, 0, uf);

        g_assert_cmpmem(payload, f->header.length, want + f->header.offset,
                        f->header.length);
        if (uf == 77) {
            memset(f->s.pixels, 0, 640 * 360 * 2);
            f->s.has_pixels = false;
        }
    }
    g_assert_cmpuint(f->header.flags, ==, ISOAV_FLAG_EOF);
}

/* Frame 0 of a new format is not frame 0 of the old one. */
static void test_a_new_format_draws_anew(void)
{
    g_autoptr(fixture) f = start();
    g_autofree uint8_t *want = g_malloc(320 * 240 * 2);
    const uint8_t *payload;

    isoav_streams_select(&f->s, 0, 5);
    token_in(f, 0, START_UF);
    set_picture(f, 320, 240);
    isoav_streams_select(&f->s, 0, 5);
    isolab_pattern_fill(want, 320, 240, 0, f->s.interval_100ns);
    for (uint64_t uf = 0; uf < 51; uf++) {
        payload = token_in(f, 0, uf);
        g_assert_cmpmem(payload, f->header.length, want + f->header.offset,
                        f->header.length);
    }
    g_assert_cmpuint(f->header.flags, ==, ISOAV_FLAG_EOF);
}

static void test_sane_states(void)
{
    g_autoptr(fixture) f = start();

    g_assert_true(isoav_streams_is_sane(&f->s));
    for (int i = 1; i <= 5; i++) {
        isoav_streams_select(&f->s, 0, i);
        g_assert_true(isoav_streams_is_sane(&f->s));
        token_in(f, 0, START_UF);
        g_assert_true(isoav_streams_is_sane(&f->s));
    }
    isoav_streams_select(&f->s, 0, 0);
    f->s.interval_100ns = 400000;
    g_assert_true(isoav_streams_is_sane(&f->s));
    isoav_streams_configure(&f->s, 0);
    g_assert_true(isoav_streams_is_sane(&f->s));
}

#define EXPECT_INSANE(field, value)                   \
    do {                                              \
        g_autoptr(fixture) f = start();               \
        isoav_streams_select(&f->s, 0, 3);            \
        token_in(f, 0, START_UF);                     \
        g_assert_true(isoav_streams_is_sane(&f->s));  \
        f->s.field = (value);                         \
        g_assert_false(isoav_streams_is_sane(&f->s)); \
    } while (0)

static void test_states_that_would_do_harm(void)
{
    EXPECT_INSANE(width, 1936);
    EXPECT_INSANE(height, 0);
    EXPECT_INSANE(interval_100ns, 0);
    EXPECT_INSANE(mode, 2);
    EXPECT_INSANE(is_configured, false);
    EXPECT_INSANE(alternate[0], 6);
    EXPECT_INSANE(alternate[0], 5);
    EXPECT_INSANE(alternate[1], 7);
    EXPECT_INSANE(video.interval_100ns, 0);
    EXPECT_INSANE(video.frame_bytes, 1920 * 1080 * 2);
    EXPECT_INSANE(video.chunk_bytes, 3036);
    EXPECT_INSANE(video.offset, 640 * 360 * 2);
    EXPECT_INSANE(test.first, 64);
    EXPECT_INSANE(test.count, 65);
    EXPECT_INSANE(test.queue[63].bytes, 3073);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/av/streams/packet-sizes", test_packet_sizes);
    g_test_add_func("/av/streams/no-endpoint-no-packet",
                    test_no_endpoint_no_packet);
    g_test_add_func("/av/streams/frames-are-the-pattern",
                    test_frames_are_the_pattern);
    g_test_add_func("/av/streams/skipped-frames-are-counted",
                    test_skipped_frames_are_counted);
    g_test_add_func("/av/streams/selecting-again-restarts",
                    test_selecting_again_restarts);
    g_test_add_func("/av/streams/configuring-restores-the-defaults",
                    test_configuring_restores_the_defaults);
    g_test_add_func("/av/streams/source", test_source);
    g_test_add_func("/av/streams/super-alternate-is-a-source",
                    test_super_alternate_is_a_source);
    g_test_add_func("/av/streams/source-changes-its-size",
                    test_source_changes_its_size);
    g_test_add_func("/av/streams/sink-counts", test_sink_counts);
    g_test_add_func("/av/streams/loopback", test_loopback);
    g_test_add_func("/av/streams/a-lost-picture-is-drawn-again",
                    test_a_lost_picture_is_drawn_again);
    g_test_add_func("/av/streams/a-new-format-draws-anew",
                    test_a_new_format_draws_anew);
    g_test_add_func("/av/streams/sane-states", test_sane_states);
    g_test_add_func("/av/streams/states-that-would-do-harm",
                    test_states_that_would_do_harm);
    return g_test_run();
}
