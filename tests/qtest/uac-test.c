/*
 * The headset of usb-isoav, profile "av", as a driver sees it: each sample of
 * the microphone is the tone's, the headphones lose none, the feedback holds
 * to the clock that takes them; and what the headset is asked for wrongly it
 * refuses, with nothing changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/uac.h"
#include "compat.h"
#include "qemu/bswap.h"

typedef struct {
    const char *name, *args;
    uint32_t rate;
    unsigned alternate;
} Format;

#define FORMATS(speed)                                              \
    { speed "/44100-16", UAC_ARGS(",speed=" speed), 44100, 1 },     \
        { speed "/44100-24", UAC_ARGS(",speed=" speed), 44100, 2 }, \
        { speed "/48000-16", UAC_ARGS(",speed=" speed), 48000, 1 }, \
        { speed "/48000-24", UAC_ARGS(",speed=" speed), 48000, 2 }, \
        { speed "/96000-16", UAC_ARGS(",speed=" speed), 96000, 1 }, \
    {                                                               \
        speed "/96000-24", UAC_ARGS(",speed=" speed), 96000, 2      \
    }

static const Format formats[] = { FORMATS("full"), FORMATS("high"),
                                  FORMATS("super") };

static Uac *open_with(const char *args)
{
    Hcd *h = hcd_start(.args = args);

    return uac_open(h, hcd_dev_open(h, hcd_port_connected(h, 0)));
}

static void start_both(Uac *u, uint32_t rate, unsigned alternate)
{
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        uac_set_rate(u, i, rate);
        uac_start(u, i, alternate);
    }
}

/* None lost, none doubled, none late; what is not played yet is in the FIFO,
 * in QEMU's USB or on the ring. */
static void expect_all_played(Uac *u)
{
    static const char *const none[] = { "underruns", "overruns", "bad",
                                        "late" };
    uint64_t ahead = UAC_OUT_BATCHES * UAC_BATCH * ISOAV_UAC_PACKET_FRAMES;
    uint64_t got = uac_counter(u, "playback", "samples");

    for (unsigned i = 0; i < ARRAY_SIZE(none); i++) {
        hcd_check(uac_counter(u, "playback", none[i]) == 0 &&
                      uac_counter(u, "capture", none[i]) == 0,
                  "there are %s", none[i]);
    }
    hcd_check(got <= u->sent && got + ahead >= u->sent,
              "%" PRIu64 " samples came of %" PRIu64, got, u->sent);
}

static void duplex(const void *data)
{
    const Format *f = data;
    Uac *u = open_with(f->args);
    unsigned bytes = ISOAV_UAC_FRAME_BYTES(f->alternate);
    int64_t packets, level;

    start_both(u, f->rate, f->alternate);
    uac_run(u, 300);
    uac_expect_tone(u);
    expect_all_played(u);
    hcd_check(ABS(uac_feedback_ppm(u)) < 50, "the feedback is off by %f ppm",
              uac_feedback_ppm(u));
    packets = uac_counter(u, "capture", "packets");
    hcd_check(ABS(packets - 300) <= 2 &&
                  uac_counter(u, "capture", "bytes") ==
                      bytes * uac_counter(u, "capture", "samples") &&
                  uac_counter(u, "playback", "bytes") ==
                      bytes * uac_counter(u, "playback", "samples") &&
                  uac_counter(u, "capture", "rate") == f->rate &&
                  uac_counter(u, "capture", "alternate") == f->alternate,
              "the counters are wrong");
    level = uac_counter(u, "playback", "fifo-level");
    hcd_check(ABS(level - (int64_t)f->rate * 40 / 1000) <=
                  2 * ISOAV_UAC_PACKET_FRAMES,
              "%" PRId64 " samples wait to be played", level);
    uac_close(u);
}

/* Saved, loaded, and on: at each of some places of a millisecond. */
static void migration(const void *data)
{
    const Format *f = data;
    Uac *u = open_with(f->args);
    int64_t level;

    start_both(u, f->rate, f->alternate);
    uac_run(u, 100);
    for (unsigned i = 0; i < 3; i++) {
        level = uac_counter(u, "playback", "fifo-level");
        hcd_migrate(u->h);
        hcd_check(uac_counter(u, "playback", "fifo-level") == level,
                  "the FIFO was not migrated");
        uac_run(u, 20);
        hcd_step_uf(u->h, 3);
    }
    uac_expect_tone(u);
    expect_all_played(u);
    uac_close(u);
}

/* A rate that is set while the stream runs: it begins anew. */
static void rate_change(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    start_both(u, 48000, 1);
    uac_run(u, 100);
    uac_expect_tone(u);
    start_both(u, 96000, 2);
    uac_run(u, 100);
    uac_expect_tone(u);
    start_both(u, 44100, 1);
    uac_run(u, 100);
    uac_expect_tone(u);
    hcd_check(uac_counter(u, "capture", "overruns") == 0 &&
                  uac_counter(u, "playback", "bad") == 0,
              "the counters are wrong");
    uac_close(u);
}

/* Alternates come and go while the other stream runs. */
static void alternates(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    start_both(u, 48000, 1);
    for (unsigned i = 0; i < 20; i++) {
        uac_start(u, ISOAV_UAC_PLAYBACK, 1 + i % 2);
        uac_run(u, 10);
    }
    uac_expect_tone(u);
    for (unsigned i = 0; i < 20; i++) {
        uac_start(u, ISOAV_UAC_CAPTURE, 1 + i % 2);
        uac_run(u, 10);
        uac_expect_tone(u);
    }
    uac_close(u);
}

/* A host that stops sending: one underrun, however long it lasts. */
static void underrun(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    start_both(u, 48000, 1);
    uac_run(u, 100);
    expect_all_played(u);
    u->is_mute = true;
    uac_run(u, 200);
    u->is_mute = false;
    uac_start(u, ISOAV_UAC_PLAYBACK, 1);
    uac_run(u, 100);
    uac_expect_tone(u);
    hcd_check(uac_counter(u, "playback", "underruns") == 0,
              "an alternate that was chosen anew does not forget");
    uac_close(u);
}

/* The same, but in the same stream: the device waits until it is filled. */
static void pause_(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    start_both(u, 48000, 1);
    uac_run(u, 100);
    u->is_mute = true;
    uac_run(u, 200);
    u->is_mute = false;
    td_isoch(u->h, u->dev, UAC_OUT, .buf = u->out.buf[0], .len = 192,
             .sia = true, .ioc = true);
    hcd_ring_ep(u->h, u->dev, UAC_OUT);
    uac_run(u, 200);
    hcd_check(uac_counter(u, "playback", "underruns") == 1 &&
                  uac_counter(u, "playback", "late") == 1,
              "%" PRId64 " underruns, %" PRId64 " late packets",
              uac_counter(u, "playback", "underruns"),
              uac_counter(u, "playback", "late"));
    uac_expect_tone(u);
    uac_close(u);
}

/* A host that does not heed the feedback. */
static void overrun(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    uac_start(u, ISOAV_UAC_PLAYBACK, 1);
    uac_run(u, 50);
    u->is_greedy = true;
    uac_run(u, 300);
    hcd_check(uac_counter(u, "playback", "overruns") > 0 &&
                  uac_counter(u, "playback", "fifo-level") > 8000,
              "nothing ran over");
    uac_close(u);
}

/* Half a sample is left out, the rest is played. */
static void half_a_sample(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    uac_start(u, ISOAV_UAC_PLAYBACK, 1);
    uac_run(u, 20);
    td_isoch(u->h, u->dev, UAC_OUT, .buf = u->out.buf[0], .len = 190,
             .sia = true, .ioc = true);
    hcd_ring_ep(u->h, u->dev, UAC_OUT);
    uac_run(u, 100);
    hcd_check(uac_counter(u, "playback", "bad") == 1 &&
                  uac_counter(u, "playback", "bytes") % 4 == 2 &&
                  uac_counter(u, "playback", "samples") ==
                      uac_counter(u, "playback", "bytes") / 4,
              "the counters are wrong");
    uac_close(u);
}

/* The card that takes the samples is fast or slow (puppet/card.c), its buffer
 * small or larger than the device's own: the host, which heeds the feedback,
 * sends at its pace. */
typedef struct {
    const char *name, *ppm, *frames;
} Card;

static const Card cards[] = {
    { "fast", "300", "1024" },
    { "slow", "-300", "1024" },
    { "fast-large", "300", "4096" },
};

static void drift(const void *data)
{
    const Card *card = data;
    int ppm = atoi(card->ppm);
    int64_t level;
    Uac *u;
    Hcd *h;

    g_setenv("ISOLAB_CARD_PPM", card->ppm, true);
    g_setenv("ISOLAB_CARD_FRAMES", card->frames, true);
    h = hcd_start(
            .args = UAC_ARGS(
                ",audiodev=card,audio-source=tone") "-audiodev none,id=card ",
            .puppet_in_args = true);
    u = uac_open(h, hcd_dev_open(h, hcd_port_connected(h, 0)));
    uac_start(u, ISOAV_UAC_PLAYBACK, 1);
    uac_run(u, 30000);
    level = uac_counter(u, "playback", "fifo-level") +
            uac_counter(u, "playback", "card-level");
    g_test_message("%+d ppm: the feedback is %+.1f ppm, %" PRId64 " wait", ppm,
                   uac_feedback_ppm(u), level);
    hcd_check(ABS(uac_feedback_ppm(u) - ppm) < 50,
              "the card is off by %d ppm, the feedback by %f", ppm,
              uac_feedback_ppm(u));
    expect_all_played(u);
    uac_close(u);
}

/* Controls: who has which, and how long they are (UAC 2.0 §5.2.5, UAC 1.0
 * §5.2.2). */
typedef struct {
    uint8_t entity, selector, first_channel, last_channel, bytes;
    bool can_set, has_range;
} Control;

static const Control controls_2[] = { { 1, 1, 0, 0, 4, true, true },
                                      { 2, 1, 0, 0, 4, true, true },
                                      { 1, 2, 0, 0, 1, false, false },
                                      { 2, 2, 0, 0, 1, false, false },
                                      { 5, 1, 0, 0, 1, true, false },
                                      { 8, 1, 0, 0, 1, true, false },
                                      { 5, 2, 1, 2, 2, true, true },
                                      { 8, 2, 1, 2, 2, true, true },
                                      { 0 } };
static const Control controls_1[] = { { 5, 1, 0, 0, 1, true, false },
                                      { 8, 1, 0, 0, 1, true, false },
                                      { 5, 2, 1, 2, 2, true, true },
                                      { 8, 2, 1, 2, 2, true, true },
                                      { 0 } };

static const Control *find_control(const Uac *u, unsigned entity,
                                   unsigned selector, unsigned channel)
{
    const Control *c = u->version == 1 ? controls_1 : controls_2;

    while (c->bytes &&
           (c->entity != entity || c->selector != selector ||
            channel < c->first_channel || channel > c->last_channel)) {
        c++;
    }
    return c->bytes ? c : NULL;
}

/* All that can be set, as one string. */
static GByteArray *settings(Uac *u)
{
    const Control *c = u->version == 1 ? controls_1 : controls_2;
    unsigned get = u->version == 1 ? 0x81 : 1;
    GByteArray *all = g_byte_array_new();
    uint8_t bytes[4];

    for (; c->bytes; c++) {
        for (unsigned ch = c->first_channel; ch <= c->last_channel; ch++) {
            hcd_expect_cc(uac_request(u, UAC_GET, get, c->selector << 8 | ch,
                                      c->entity << 8 | 2, bytes, c->bytes),
                          CC_SUCCESS);
            g_byte_array_append(all, bytes, c->bytes);
        }
    }
    return all;
}

static void expect_same(Uac *u, GByteArray *before)
{
    GByteArray *now = settings(u);

    hcd_check(now->len == before->len &&
                  memcmp(now->data, before->data, now->len) == 0,
              "a request that was refused changed something");
    g_byte_array_free(now, true);
}

static bool is_good(const Uac *u, const Control *c, bool is_in,
                    unsigned request)
{
    if (!c) {
        return false;
    }
    if (u->version == 2) {
        return (request == 1 && (is_in || c->can_set)) ||
               (request == 2 && is_in && c->has_range);
    }
    return is_in ? request == 0x81 ||
                       (c->has_range && request >= 0x82 && request <= 0x84)
                 : request == 1 && c->can_set;
}

/* Each request to each control of each entity, and of some that there are not:
 * those of the tables are answered, all others are STALLs. */
static void every_request(const void *args)
{
    static const uint8_t requests[] = { 0, 1, 2, 3, 0x81, 0x82, 0x84, 0x85 };
    Uac *u = open_with(args);
    GByteArray *before = settings(u);
    uint8_t bytes[64] = { 0 };
    unsigned good = 0;

    for (unsigned n = 0; n < 10 * 4 * 4 * ARRAY_SIZE(requests) * 2; n++) {
        bool is_in = n & 1;
        unsigned request = requests[n / 2 % ARRAY_SIZE(requests)];
        unsigned place = n / 2 / ARRAY_SIZE(requests);
        unsigned channel = place % 4, selector = place / 4 % 4,
                 entity = place / 16;
        const Control *c = find_control(u, entity, selector, channel);
        bool want = is_good(u, c, is_in, request);
        unsigned cc;

        if (want && !is_in) {
            continue; /* values have a test of their own */
        }
        cc = uac_request(u, is_in ? UAC_GET : UAC_SET, request,
                         selector << 8 | channel, entity << 8 | 2, bytes,
                         is_in ? 38 : 4);
        good += want;
        hcd_check(want ? cc == CC_SUCCESS || cc == CC_SHORT_PACKET
                       : cc == CC_STALL_ERROR,
                  "%s %02x of control %u, channel %u, entity %u: code %u",
                  is_in ? "GET" : "SET", request, selector, channel, entity,
                  cc);
    }
    hcd_check(good > 5, "only %u requests are good", good);
    expect_same(u, before);
    g_byte_array_free(before, true);
    uac_close(u);
}

/* A control's values: the last is refused, the ones before are taken. */
static const struct {
    uint8_t version, entity, selector, channel, bytes;
    uint32_t good, bad;
} values[] = {
    { 2, 1, 1, 0, 4, 44100, 44101 },   { 2, 2, 1, 0, 4, 96000, 0 },
    { 2, 1, 1, 0, 4, 48000, 192000 },  { 2, 2, 1, 0, 4, 48000, 0xffffffff },
    { 0, 5, 1, 0, 1, 1, 2 },           { 0, 8, 1, 0, 1, 0, 0xff },
    { 0, 5, 2, 1, 2, 0xc400, 0xc3ff }, { 0, 5, 2, 2, 2, 0x8000, 0x8001 },
    { 0, 8, 2, 1, 2, 0xff00, 0x0001 }, { 0, 8, 2, 2, 2, 0, 0x7fff },
};

static void every_value(const void *args)
{
    Uac *u = open_with(args);

    for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
        unsigned value = values[i].selector << 8 | values[i].channel;
        unsigned index = values[i].entity << 8 | 2;
        unsigned get = u->version == 1 ? 0x81 : 1, bytes = values[i].bytes;
        uint32_t data = cpu_to_le32(values[i].good);
        GByteArray *before;

        if (values[i].version && values[i].version != u->version) {
            continue;
        }
        hcd_expect_cc(uac_request(u, UAC_SET, 1, value, index, &data, bytes),
                      CC_SUCCESS);
        data = 0;
        hcd_expect_cc(uac_request(u, UAC_GET, get, value, index, &data, bytes),
                      CC_SUCCESS);
        hcd_check(le32_to_cpu(data) == values[i].good,
                  "row %u: %x was set, %x is there", i, values[i].good,
                  le32_to_cpu(data));
        before = settings(u);
        data = cpu_to_le32(values[i].bad);
        hcd_expect_cc(uac_request(u, UAC_SET, 1, value, index, &data, bytes),
                      CC_STALL_ERROR);
        data = cpu_to_le32(values[i].good ? 0 : 1);
        for (unsigned wrong = 0; wrong <= 6; wrong++) {
            uint8_t much[8] = { 0 };

            if (wrong != bytes) {
                hcd_expect_cc(
                    uac_request(u, UAC_SET, 1, value, index, much, wrong),
                    CC_STALL_ERROR);
            }
        }
        expect_same(u, before);
        g_byte_array_free(before, true);
    }
    uac_close(u);
}

/* Class 1 has the rate at the endpoints, and only there. */
static void endpoint_rates(void)
{
    Uac *u = open_with(UAC_ARGS(",speed=full"));
    static const struct {
        uint8_t type, request;
        uint16_t value, index;
        uint8_t bytes;
        uint32_t rate;
    } bad[] = {
        { UAC_SET_EP, 1, 0x0100, 0x84, 3, 44101 },
        { UAC_SET_EP, 1, 0x0100, 0x84, 2, 44100 },
        { UAC_SET_EP, 1, 0x0100, 0x84, 4, 44100 },
        { UAC_SET_EP, 1, 0x0200, 0x84, 3, 44100 },
        { UAC_SET_EP, 1, 0x0101, 0x84, 3, 44100 },
        { UAC_SET_EP, 1, 0x0100, 0x83, 3, 44100 },
        { UAC_SET_EP, 1, 0x0100, 0x04, 3, 44100 },
        { UAC_SET_EP, 2, 0x0100, 0x84, 3, 44100 },
        { UAC_SET, 1, 0x0100, 0x84, 3, 44100 },
        { UAC_GET_EP, 0x82, 0x0100, 0x84, 3, 0 },
    };
    uint32_t rate = 0;

    uac_set_rate(u, ISOAV_UAC_CAPTURE, 96000);
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        uint32_t data = cpu_to_le32(bad[i].rate);

        hcd_check(uac_request(u, bad[i].type, bad[i].request, bad[i].value,
                              bad[i].index, &data,
                              bad[i].bytes) == CC_STALL_ERROR,
                  "row %u was not refused", i);
    }
    hcd_expect_cc(uac_request(u, UAC_GET_EP, 0x81, 0x0100, 0x84, &rate, 3),
                  CC_SUCCESS);
    hcd_check(le32_to_cpu(rate) == 96000, "the rate is %u", rate);
    uac_close(u);
}

/* SET_INTERFACE to what is not there. */
static void no_such_alternate(void)
{
    Uac *u = open_with(UAC_ARGS(""));

    hcd_expect_cc(uac_select(u, ISOAV_UAC_PLAYBACK, 3), CC_STALL_ERROR);
    hcd_expect_cc(uac_select(u, ISOAV_UAC_CAPTURE, 255), CC_STALL_ERROR);
    hcd_expect_cc(uac_select(u, 2, 1), CC_STALL_ERROR); /* interface 5 */
    start_both(u, 48000, 1);
    uac_run(u, 20);
    hcd_expect_cc(uac_select(u, ISOAV_UAC_CAPTURE, 3), CC_STALL_ERROR);
    uac_run(u, 20);
    uac_expect_tone(u);
    uac_close(u);
}

/* Volume and mute act on what is recorded. */
static void mute(void)
{
    Uac *u = open_with(UAC_ARGS(""));
    uint8_t on = 1;

    uac_start(u, ISOAV_UAC_CAPTURE, 1);
    uac_run(u, 20);
    uac_expect_tone(u);
    hcd_expect_cc(uac_request(u, UAC_SET, 1, 0x0100, 0x0802, &on, 1),
                  CC_SUCCESS);
    uac_run(u, 20);
    g_byte_array_set_size(u->recorded, 0);
    uac_run(u, 20);
    hcd_check(u->recorded->len > 0, "nothing is recorded");
    for (unsigned i = 0; i < u->recorded->len; i++) {
        hcd_check(u->recorded->data[i] == 0, "byte %u is not silent", i);
    }
    uac_close(u);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        g_autofree char *name =
            g_strdup_printf("uac/duplex/%s", formats[i].name);

        hcd_test_add_data(name, duplex, &formats[i]);
    }
    for (unsigned i = 2; i < ARRAY_SIZE(formats); i += 6) {
        g_autofree char *name =
            g_strdup_printf("uac/migrate/%s", formats[i].name);

        hcd_test_add_data(name, migration, &formats[i]);
    }
    hcd_test_add("uac/rate-change", rate_change);
    hcd_test_add("uac/alternates", alternates);
    hcd_test_add("uac/no-such-alternate", no_such_alternate);
    hcd_test_add("uac/underrun", underrun);
    hcd_test_add("uac/pause", pause_);
    hcd_test_add("uac/overrun", overrun);
    hcd_test_add("uac/half-a-sample", half_a_sample);
    hcd_test_add("uac/mute", mute);
    for (unsigned i = 0; i < ARRAY_SIZE(cards); i++) {
        g_autofree char *name = g_strdup_printf("uac/drift/%s", cards[i].name);

        hcd_test_add_data(name, drift, &cards[i]);
    }
    hcd_test_add_data("uac/requests/1", every_request, UAC_ARGS(",speed=full"));
    hcd_test_add_data("uac/requests/2", every_request, UAC_ARGS(""));
    hcd_test_add_data("uac/values/1", every_value, UAC_ARGS(",speed=full"));
    hcd_test_add_data("uac/values/2", every_value, UAC_ARGS(""));
    hcd_test_add("uac/endpoint-rates", endpoint_rates);
    return hcd_test_main(argc, argv);
}
