/*
 * The streams of the headset.
 *
 *  1. A packet of the microphone has the samples that have become due since the
 *     one before, however long that is: they come from the clock, not from a
 *     count of packets. What does not fit goes into the next one; what has
 *     waited for longer than the FIFO is deep is lost, and counted.
 *  2. The headphones begin to play once their FIFO holds PREFILL_MS. When they
 *     find it empty, that is one underrun, and they wait until it is filled
 *     again. A sound card has a buffer of its own, and may take all there is:
 *     only one that finds nothing when it begins to take has run dry. What it
 *     has in its buffer is not played yet: the feedback goes by that and the
 *     FIFO together, or a card that is off would be seen once its buffer is
 *     full, or empty, and too late.
 *  3. Volume and mute act on samples as they cross the bus.
 *  4. A rate that was set takes effect with the next packet: the stream begins
 *     anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uac-stream.h"

#include <string.h>

enum { PREFILL_MS = 40 };

static uint32_t prefill(const isoav_uac_stream *s)
{
    return s->rate * PREFILL_MS / 1000;
}

/* Rules 2 and 4. */
static void begin(isoav_uac_model *m, unsigned stream)
{
    isoav_uac_stream *s = &m->stream[stream];

    s->is_running = false;
    s->rate = m->settings.rate[stream];
    s->frames = 0;
    s->last_uf = 0;
    s->card_room = s->card_free = 0;
    isoav_uac_fifo_clear(&s->fifo);
    if (stream == ISOAV_UAC_PLAYBACK) {
        isoav_uac_loop_start(&m->loop, s->rate);
    }
}

void isoav_uac_reset(isoav_uac_model *m)
{
    isoav_uac_settings_reset(&m->settings);
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        isoav_uac_select(m, i, 0);
    }
}

void isoav_uac_select(isoav_uac_model *m, unsigned stream, unsigned alternate)
{
    m->stream[stream].alternate = alternate;
    begin(m, stream);
}

static void keep_up(isoav_uac_model *m, unsigned stream)
{
    if (m->stream[stream].rate != m->settings.rate[stream]) {
        begin(m, stream);
    }
}

static void gains(const isoav_uac_model *m, unsigned stream, uint32_t *gain)
{
    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        gain[i] = isoav_uac_gain(m->settings.volume[stream][i],
                                 m->settings.mute[stream]);
    }
}

static isoav_uac_frame amplify(isoav_uac_frame frame, const uint32_t *gain)
{
    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        frame.at[i] = isoav_uac_amplify(frame.at[i], gain[i]);
    }
    return frame;
}

/* The next sample of the card or of the tone; rule 1. */
static isoav_uac_frame next_sample(isoav_uac_stream *s)
{
    isoav_uac_frame frame = { { 0 } };

    if (!s->has_card) {
        return isoav_uac_tone(s->index + s->frames, s->rate,
                              s->alternate == 2 ? 24 : 16);
    }
    if (!isoav_uac_fifo_pop(&s->fifo, &frame)) {
        s->counters[ISOAV_UAC_UNDERRUNS] += s->is_running;
        s->is_running = false;
    }
    return frame;
}

static void count_packet(isoav_uac_stream *s, uint64_t uf, uint32_t bytes)
{
    s->counters[ISOAV_UAC_PACKETS]++;
    s->counters[ISOAV_UAC_BYTES] += bytes;
    s->counters[ISOAV_UAC_LATE] +=
        s->last_uf && uf > s->last_uf + ISOAV_UAC_UF_PER_PACKET;
    s->last_uf = uf;
}

/* Rule 1: samples that are due, and fit. */
static uint64_t due(isoav_uac_stream *s, uint64_t uf)
{
    uint64_t all =
        isoav_uac_samples(uf + ISOAV_UAC_UF_PER_PACKET - s->start_uf, s->rate);
    uint64_t max = s->rate / ISOAV_UAC_PACKETS_PER_S + 1, waiting;

    if (all < s->frames) {
        return 0; /* packets in another order: this one's were sent */
    }
    waiting = all - s->frames;
    if (waiting > ISOAV_UAC_FIFO_FRAMES) {
        s->counters[ISOAV_UAC_OVERRUNS] += waiting - max;
        s->frames = all - max;
        waiting = max;
    }
    return waiting < max ? waiting : max;
}

uint32_t isoav_uac_record(isoav_uac_model *m, uint64_t uf, uint64_t epoch_uf,
                          uint8_t *wire)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_CAPTURE];
    uint32_t gain[ISOAV_UAC_CHANNELS], bytes = 0;
    uint64_t count;

    keep_up(m, ISOAV_UAC_CAPTURE);
    if (s->alternate == 0) {
        return 0;
    }
    if (s->frames == 0 && !s->is_running) {
        s->start_uf = uf;
        s->index =
            isoav_uac_samples(uf > epoch_uf ? uf - epoch_uf : 0, s->rate);
    }
    if (!s->is_running) {
        s->is_running = !s->has_card || s->fifo.level >= prefill(s);
    }
    gains(m, ISOAV_UAC_CAPTURE, gain);
    count = due(s, uf);
    for (uint64_t i = 0; i < count; i++) {
        isoav_uac_put(wire + bytes, s->alternate,
                      amplify(next_sample(s), gain));
        bytes += ISOAV_UAC_FRAME_BYTES(s->alternate);
        s->frames++;
    }
    count_packet(s, uf, bytes);
    s->counters[ISOAV_UAC_FRAMES] += count;
    return bytes;
}

/* Rule 2, of a device that plays by the virtual clock. */
static void consume(isoav_uac_stream *s, uint64_t uf)
{
    uint64_t all, dropped;

    if (!s->is_running || uf <= s->start_uf) {
        return;
    }
    all = isoav_uac_samples(uf - s->start_uf, s->rate);
    if (all <= s->frames) {
        return;
    }
    dropped = isoav_uac_fifo_drop(&s->fifo, all - s->frames);
    if (dropped < all - s->frames) {
        s->counters[ISOAV_UAC_UNDERRUNS]++;
        s->is_running = false;
    }
    s->frames += dropped;
}

static void start_when_full(isoav_uac_stream *s, uint64_t uf)
{
    if (!s->is_running && s->fifo.level >= prefill(s)) {
        s->is_running = true;
        s->start_uf = uf;
        s->frames = 0;
    }
}

void isoav_uac_play(isoav_uac_model *m, uint64_t uf, const uint8_t *wire,
                    uint32_t bytes)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_PLAYBACK];
    uint32_t frame_bytes = ISOAV_UAC_FRAME_BYTES(s->alternate);
    uint32_t gain[ISOAV_UAC_CHANNELS];

    keep_up(m, ISOAV_UAC_PLAYBACK);
    if (s->alternate == 0) {
        return;
    }
    count_packet(s, uf, bytes);
    s->counters[ISOAV_UAC_BAD] += bytes % frame_bytes != 0;
    if (!s->has_card) {
        consume(s, uf);
    }
    gains(m, ISOAV_UAC_PLAYBACK, gain);
    for (uint32_t at = 0; at + frame_bytes <= bytes; at += frame_bytes) {
        isoav_uac_frame frame = isoav_uac_get(wire + at, s->alternate);

        s->counters[ISOAV_UAC_FRAMES]++;
        s->counters[ISOAV_UAC_OVERRUNS] +=
            !isoav_uac_fifo_push(&s->fifo, amplify(frame, gain));
    }
    start_when_full(s, uf);
    if (s->is_running) {
        isoav_uac_loop_level(&m->loop,
                             s->fifo.level + s->card_room - s->card_free);
    }
}

uint32_t isoav_uac_feedback_packet(const isoav_uac_model *m, bool full_speed,
                                   uint8_t *wire)
{
    uint32_t value = isoav_uac_feedback(&m->loop, full_speed);
    uint32_t bytes = full_speed ? 3 : 4;

    for (uint32_t i = 0; i < bytes; i++) {
        wire[i] = value >> 8 * i;
    }
    return bytes;
}

void isoav_uac_begin_take(isoav_uac_model *m, uint32_t frames)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_PLAYBACK];

    s->card_free = frames;
    if (s->card_room < frames) {
        s->card_room = frames;
    }
    if (s->is_running && s->fifo.level == 0) {
        s->counters[ISOAV_UAC_UNDERRUNS]++;
        s->is_running = false;
    }
}

bool isoav_uac_take(isoav_uac_model *m, isoav_uac_frame *frame)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_PLAYBACK];

    if (!s->is_running || !isoav_uac_fifo_pop(&s->fifo, frame)) {
        return false;
    }
    s->frames++;
    s->card_free -= s->card_free > 0;
    return true;
}

void isoav_uac_change_card(isoav_uac_model *m)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_PLAYBACK];

    s->card_room = s->card_free = 0;
    isoav_uac_loop_settle(&m->loop);
}

void isoav_uac_give(isoav_uac_model *m, isoav_uac_frame frame)
{
    isoav_uac_stream *s = &m->stream[ISOAV_UAC_CAPTURE];

    s->counters[ISOAV_UAC_OVERRUNS] += !isoav_uac_fifo_push(&s->fifo, frame);
}

bool isoav_uac_is_sane(const isoav_uac_model *m)
{
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        const isoav_uac_stream *s = &m->stream[i];

        if (s->alternate > 2 || s->rate == 0 || s->rate > ISOAV_UAC_RATE_MAX ||
            !isoav_uac_fifo_is_sane(&s->fifo)) {
            return false;
        }
    }
    return isoav_uac_settings_are_sane(&m->settings) && m->loop.rate > 0 &&
           m->loop.rate <= ISOAV_UAC_RATE_MAX;
}
