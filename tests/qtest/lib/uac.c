/*
 * A host of the headset (uac.h). Sample n that is sent has n in both channels,
 * as many bits of it as there is room for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "uac.h"
#include "compat.h"
#include "qemu/bswap.h"

enum { PACKET_ROOM = 1024, DATA_BYTES = 64 };

static unsigned frame_bytes(const Uac *u, unsigned stream)
{
    return ISOAV_UAC_FRAME_BYTES(u->alternate[stream]);
}

static unsigned packet_bytes(const Uac *u, unsigned stream)
{
    return ISOAV_UAC_PACKET_FRAMES * frame_bytes(u, stream);
}

Uac *uac_open(Hcd *h, HcdDev *dev)
{
    Uac *u = g_new0(Uac, 1);

    u->h = h;
    u->dev = dev;
    u->version = dev->speed == SPEED_FULL ? 1 : 2;
    u->data = hcd_alloc(h, DATA_BYTES, 64);
    u->recorded = g_byte_array_new();
    for (unsigned i = 0; i < UAC_IN_TDS; i++) {
        u->in.buf[i] = hcd_alloc(h, PACKET_ROOM, PACKET_ROOM);
    }
    for (unsigned i = 0; i < UAC_OUT_BATCHES; i++) {
        u->out.buf[i] =
            hcd_alloc(h, UAC_BATCH * PACKET_ROOM, UAC_BATCH * PACKET_ROOM);
    }
    u->feedback.buf[0] = hcd_alloc(h, 64, 64);
    hcd_set_configuration(h, dev, 1);
    u->epoch_uf = hcd_now_uf(h);
    u->rate[0] = u->rate[1] = 48000;
    return u;
}

void uac_close(Uac *u)
{
    hcd_finish(u->h);
    g_byte_array_free(u->recorded, true);
    g_free(u);
}

static void handle(Uac *u, const HcdEvent *event);

/* Streams may go on meanwhile: their events are handled. */
static unsigned control(Uac *u, HcdSetup setup)
{
    unsigned cc;

    for (HcdEvent event; hcd_event_take(u->h, &event);) {
        handle(u, &event);
    }
    cc = hcd_control(u->h, u->dev, setup, u->data);
    if (cc == CC_STALL_ERROR) {
        hcd_expect_cc(hcd_cmd_reset_ep(u->h, u->dev, 1), CC_SUCCESS);
        hcd_cmd_skip_all(u->h, u->dev, 1);
    }
    return cc;
}

unsigned uac_request(Uac *u, unsigned type, unsigned request, unsigned value,
                     unsigned index, void *data, unsigned bytes)
{
    HcdSetup setup = { type, request, value, index, bytes };
    unsigned cc;

    if (!(type & 0x80) && bytes) {
        qtest_bufwrite(u->h->qts, u->data, data, bytes);
    }
    cc = control(u, setup);
    if (type & 0x80) {
        qtest_bufread(u->h->qts, u->data, data, bytes);
    }
    return cc;
}

/* UAC 2.0 §5.2.5.1.1: of the clock; UAC 1.0 §5.2.3.2.3.1: of the endpoint. */
void uac_set_rate(Uac *u, unsigned stream, uint32_t rate)
{
    unsigned address = stream == ISOAV_UAC_CAPTURE ? ISOAV_AV_EP_CAPTURE
                                                   : ISOAV_AV_EP_PLAYBACK;
    unsigned clock =
        (ISOAV_UAC_CLOCK + stream) << 8 | ISOAV_AV_IFACE_AUDIO_CONTROL;

    rate = cpu_to_le32(rate);
    hcd_expect_cc(u->version == 1
                      ? uac_request(u, UAC_SET_EP, 1, 0x0100, address, &rate, 3)
                      : uac_request(u, UAC_SET, 1, 0x0100, clock, &rate, 4),
                  CC_SUCCESS);
    u->rate[stream] = le32_to_cpu(rate);
}

unsigned uac_select(Uac *u, unsigned stream, unsigned alternate)
{
    return control(u, (HcdSetup){ .type = 0x01,
                                  .request = 11,
                                  .value = alternate,
                                  .index = ISOAV_AV_IFACE_PLAYBACK + stream });
}

int64_t uac_counter(Uac *u, const char *stream, const char *name)
{
    QDict *reply = qtest_qmp(
        u->h->qts, "{'execute': 'qom-get', 'arguments': "
                   "{'path': '/machine/peripheral/av', 'property': 'stats'}}");
    QDict *audio = qdict_get_qdict(qdict_get_qdict(reply, "return"), "audio");
    int64_t value =
        qdict_get_int(stream ? qdict_get_qdict(audio, stream) : audio, name);

    qobject_unref(reply);
    return value;
}

static void queue_in(Uac *u)
{
    unsigned i = u->in.td++ % UAC_IN_TDS;

    u->in.trb[i] = td_isoch(u->h, u->dev, UAC_IN, .buf = u->in.buf[i],
                            .len = packet_bytes(u, ISOAV_UAC_CAPTURE),
                            .sia = true, .ioc = true);
}

static void queue_feedback(Uac *u)
{
    u->awaits_feedback = true;
    td_isoch(u->h, u->dev, UAC_FEEDBACK, .buf = u->feedback.buf[0],
             .len = u->version == 1 ? 3 : 4, .sia = true, .ioc = true);
}

/* Samples of the next packet: Q16.16 of a microframe, Q10.14 of a frame. */
static unsigned next_count(Uac *u)
{
    unsigned shift = u->version == 1 ? 14 : 16, count;
    uint64_t nominal = ((uint64_t)u->rate[ISOAV_UAC_PLAYBACK] << shift) / 1000;

    if (u->is_greedy) {
        return ISOAV_UAC_PACKET_FRAMES;
    }
    u->fraction += !u->value         ? nominal
                   : u->version == 1 ? u->value
                                     : (uint64_t)u->value * 8;
    count = u->fraction >> shift;
    u->fraction &= (1u << shift) - 1;
    hcd_check(count <= ISOAV_UAC_PACKET_FRAMES,
              "the feedback asks for %u samples a packet", count);
    return count;
}

static isoav_uac_frame numbered(uint64_t n)
{
    int32_t value = (int32_t)((uint32_t)n << 16) >> 8;

    return (isoav_uac_frame){ { value, value } };
}

static void queue_batch(Uac *u)
{
    unsigned i = u->out.td++ % UAC_OUT_BATCHES, at = 0;
    unsigned alternate = u->alternate[ISOAV_UAC_PLAYBACK];
    unsigned bytes = frame_bytes(u, ISOAV_UAC_PLAYBACK);
    uint8_t wire[UAC_BATCH * PACKET_ROOM];

    for (unsigned k = 0; k < UAC_BATCH; k++) {
        unsigned count = next_count(u);

        td_isoch(u->h, u->dev, UAC_OUT, .buf = u->out.buf[i] + at,
                 .len = count * bytes, .sia = true, .ioc = k + 1 == UAC_BATCH);
        for (unsigned n = 0; n < count; n++, at += bytes) {
            isoav_uac_put(wire + at, alternate, numbered(u->sent++));
        }
    }
    qtest_bufwrite(u->h->qts, u->out.buf[i], wire, at);
}

static void take_packet(Uac *u, const HcdEvent *event)
{
    unsigned i = u->in.td % UAC_IN_TDS;
    unsigned bytes = packet_bytes(u, ISOAV_UAC_CAPTURE) - event->len;
    uint8_t wire[PACKET_ROOM];

    hcd_check(event->ptr == u->in.trb[i], "packets came in another order");
    u->first_uf = u->first_uf ? u->first_uf : event->uf;
    qtest_bufread(u->h->qts, u->in.buf[i], wire, bytes);
    g_byte_array_append(u->recorded, wire, bytes);
    queue_in(u);
    hcd_ring_ep(u->h, u->dev, UAC_IN);
}

static void take_feedback(Uac *u, const HcdEvent *event)
{
    hcd_check(event->len == 0, "the feedback is %u bytes short", event->len);
    u->value = qtest_readl(u->h->qts, u->feedback.buf[0]) &
               (u->version == 1 ? 0xffffff : ~0u);
    u->awaits_feedback = false;
}

static void handle(Uac *u, const HcdEvent *event)
{
    if (event->type != EVT_TRANSFER || event->slot_id != u->dev->slot_id ||
        !u->runs[event->dci]) {
        return;
    }
    if (event->cc == CC_RING_UNDERRUN || event->cc == CC_RING_OVERRUN) {
        hcd_check(u->is_mute || event->dci == UAC_FEEDBACK,
                  "the test is too slow: %s", hcd_event_text(event));
        return;
    }
    hcd_check(event->cc == CC_SUCCESS || event->cc == CC_SHORT_PACKET,
              "a packet ended with: %s", hcd_event_text(event));
    if (event->dci == UAC_IN) {
        take_packet(u, event);
    } else if (event->dci == UAC_FEEDBACK) {
        take_feedback(u, event);
    } else if (!u->is_mute) {
        queue_batch(u);
        hcd_ring_ep(u->h, u->dev, UAC_OUT);
        if (!u->awaits_feedback) {
            queue_feedback(u);
            hcd_ring_ep(u->h, u->dev, UAC_FEEDBACK);
        }
    }
}

static void prepare(Uac *u, unsigned dci, unsigned type, unsigned bytes)
{
    hcd_ep_prepare(u->h, u->dev,
                   (HcdEp){ .dci = dci,
                            .type = type,
                            .mps = bytes,
                            .interval = 3,
                            .esit = bytes,
                            .trbs = 256 });
}

void uac_start(Uac *u, unsigned stream, unsigned alternate)
{
    bool plays = stream == ISOAV_UAC_PLAYBACK;
    unsigned dci = plays ? UAC_OUT : UAC_IN;
    uint32_t eps = 1u << dci | (plays ? 1u << UAC_FEEDBACK : 0);
    bool had = hcd_ep_state(u->h, u->dev, dci) != EP_STATE_DISABLED;

    u->runs[dci] = false; /* what comes now is of the old endpoint */
    u->runs[UAC_FEEDBACK] &= !plays;
    u->alternate[stream] = alternate;
    prepare(u, dci, plays ? EP_TYPE_ISOCH_OUT : EP_TYPE_ISOCH_IN,
            packet_bytes(u, stream));
    if (plays) {
        prepare(u, UAC_FEEDBACK, EP_TYPE_ISOCH_IN, u->version == 1 ? 3 : 4);
    }
    hcd_expect_cc(hcd_cmd_configure(u->h, u->dev, eps | 1, had ? eps : 0),
                  CC_SUCCESS);
    hcd_expect_cc(uac_select(u, stream, alternate), CC_SUCCESS);
    u->runs[dci] = true;
    if (plays) {
        u->runs[UAC_FEEDBACK] = true;
        u->value = u->fraction = u->sent = 0;
        for (unsigned i = 0; i < UAC_OUT_BATCHES; i++) {
            queue_batch(u);
        }
        queue_feedback(u);
        hcd_ring_ep(u->h, u->dev, UAC_FEEDBACK);
    } else {
        u->first_uf = u->in.td = 0;
        g_byte_array_set_size(u->recorded, 0);
        for (unsigned i = 0; i < UAC_IN_TDS; i++) {
            queue_in(u);
        }
    }
    hcd_ring_ep(u->h, u->dev, dci);
}

void uac_run(Uac *u, unsigned ms)
{
    uint64_t end_uf = hcd_now_uf(u->h) + ms * 8;
    HcdEvent event;

    while (hcd_now_uf(u->h) < end_uf) {
        while (hcd_event_take(u->h, &event)) {
            handle(u, &event);
        }
        hcd_step_uf(u->h, 8);
    }
}

/* The number that stands in the right channel says where to begin. */
uint64_t uac_expect_tone(Uac *u)
{
    unsigned alternate = u->alternate[ISOAV_UAC_CAPTURE];
    unsigned bits = alternate == 2 ? 24 : 16;
    unsigned bytes = frame_bytes(u, ISOAV_UAC_CAPTURE);
    uint32_t rate = u->rate[ISOAV_UAC_CAPTURE];
    uint64_t frames = u->recorded->len / bytes;
    /* the sample that is due when the first packet is asked for, or so */
    uint64_t about = (u->first_uf - u->epoch_uf) * rate / HCD_UF_PER_SECOND,
             first;

    hcd_check(frames > 0, "nothing was recorded");
    first = (uint32_t)isoav_uac_get(u->recorded->data, alternate).at[1] >>
            (24 - bits);
    first &= (1u << bits) - 1;
    first |= about >> bits << bits;
    for (uint64_t i = 0; i < frames; i++) {
        uint8_t want[ISOAV_UAC_FRAME_BYTES(2)];

        isoav_uac_put(want, alternate, isoav_uac_tone(first + i, rate, bits));
        hcd_check(memcmp(want, u->recorded->data + i * bytes, bytes) == 0,
                  "sample %" PRIu64 " of %" PRIu64 " is not the tone's", i,
                  frames);
    }
    hcd_check(first + rate / 100 > about && first < about + rate / 100,
              "sample %" PRIu64 " came when %" PRIu64 " was due", first, about);
    return first;
}

double uac_feedback_ppm(Uac *u)
{
    double nominal = u->rate[ISOAV_UAC_PLAYBACK];

    hcd_check(u->value, "there was no feedback");
    return ((u->version == 1 ? u->value * 1000.0 / (1 << 14)
                             : u->value * 8000.0 / (1 << 16)) /
                nominal -
            1) *
           1e6;
}
