/*
 * The headset of profile "av", and QEMU's audio behind it.
 *
 *  1. Without `audiodev` the headphones play into nothing, by the virtual
 *     clock, and the microphone hears the test tone. With it a voice is open
 *     while the host has chosen an alternate, in the format of the alternate.
 *  2. `audio-source=tone` keeps the tone with an `audiodev`, too.
 *  3. The sound card takes from the FIFO in its own time, in the callbacks
 *     below: they are entered from a timer and touch nothing of USB.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "qapi/error.h"

#include "hw/av/av.h"
#include "hw/av/uac-stream.h"
#include "hw/compat-audio.h"

struct isoav_uac {
    isoav_uac_model model;
    QEMUSoundCard card;
    SWVoiceOut *out;
    SWVoiceIn *in;
};

static isoav_uac *uac_of(const ISOAVDevice *s)
{
    const isoav_av *av = s->state;

    return av->uac;
}

/* A frame as QEMU's audio has it: 16 bits, or 32 for the 24 of alternate 2. */
static size_t put_voice(uint8_t *at, unsigned alternate, isoav_uac_frame frame)
{
    size_t bytes = alternate == 2 ? 4 : 2;

    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        if (bytes == 4) {
            stl_le_p(at + 4 * i, (uint32_t)frame.at[i] << 8);
        } else {
            stw_le_p(at + 2 * i, frame.at[i] >> 8);
        }
    }
    return bytes * ISOAV_UAC_CHANNELS;
}

static isoav_uac_frame get_voice(const uint8_t *at, unsigned alternate)
{
    isoav_uac_frame frame;

    for (unsigned i = 0; i < ISOAV_UAC_CHANNELS; i++) {
        frame.at[i] = alternate == 2 ? ldl_le_p(at + 4 * i) >> 8
                                     : lduw_le_p(at + 2 * i) << 8;
        frame.at[i] = (int32_t)((uint32_t)frame.at[i] << 8) >> 8;
    }
    return frame;
}

enum { VOICE_FRAME_MAX = 4 * ISOAV_UAC_CHANNELS, VOICE_FRAMES = 512 };

static size_t voice_frame_bytes(unsigned alternate)
{
    return (alternate == 2 ? 4 : 2) * ISOAV_UAC_CHANNELS;
}

/* Rule 3: `avail` bytes are wanted. */
static void card_takes(void *opaque, int avail)
{
    isoav_uac *u = opaque;
    unsigned alternate = u->model.stream[ISOAV_UAC_PLAYBACK].alternate;
    uint8_t bytes[VOICE_FRAME_MAX * VOICE_FRAMES];
    size_t frame_bytes = voice_frame_bytes(alternate);
    size_t frames = MAX(avail, 0) / frame_bytes;

    if (frames > 0) {
        isoav_uac_begin_take(&u->model, frames);
    }
    while (frames > 0 && u->out) {
        size_t count = 0;
        isoav_uac_frame frame;

        while (count < MIN(frames, VOICE_FRAMES) &&
               isoav_uac_take(&u->model, &frame)) {
            put_voice(bytes + count++ * frame_bytes, alternate, frame);
        }
        if (count == 0 || AUD_write(u->out, bytes, count * frame_bytes) <
                              count * frame_bytes) {
            return;
        }
        frames -= count;
    }
}

static void card_gives(void *opaque, int avail)
{
    isoav_uac *u = opaque;
    unsigned alternate = u->model.stream[ISOAV_UAC_CAPTURE].alternate;
    uint8_t bytes[VOICE_FRAME_MAX * VOICE_FRAMES];
    size_t frame_bytes = voice_frame_bytes(alternate);
    size_t left = MAX(avail, 0) / frame_bytes * frame_bytes;

    while (left > 0 && u->in) {
        size_t max = frame_bytes * VOICE_FRAMES;
        size_t got = AUD_read(u->in, bytes, MIN(left, max));

        if (got == 0) {
            return;
        }
        for (size_t at = 0; at + frame_bytes <= got; at += frame_bytes) {
            isoav_uac_give(&u->model, get_voice(bytes + at, alternate));
        }
        left -= MIN(left, got);
    }
}

static void close_voice(isoav_uac *u, unsigned stream)
{
    if (stream == ISOAV_UAC_PLAYBACK && u->out) {
        AUD_close_out(&u->card, u->out);
        u->out = NULL;
    } else if (stream == ISOAV_UAC_CAPTURE && u->in) {
        AUD_close_in(&u->card, u->in);
        u->in = NULL;
    }
}

/* Rule 1. A voice that cannot be opened is one that nobody hears. */
static void open_voice(ISOAVDevice *s, unsigned stream)
{
    isoav_uac *u = uac_of(s);
    isoav_uac_stream *of = &u->model.stream[stream];
    struct audsettings as = {
        .freq = u->model.settings.rate[stream],
        .nchannels = ISOAV_UAC_CHANNELS,
        .fmt = of->alternate == 2 ? AUDIO_FORMAT_S32 : AUDIO_FORMAT_S16,
        .endianness = 0,
    };

    close_voice(u, stream);
    of->has_card = false;
    if (!s->audiodev || of->alternate == 0) {
        return;
    }
    if (stream == ISOAV_UAC_PLAYBACK) {
        u->out = AUD_open_out(&u->card, u->out, "isoav-playback", u, card_takes,
                              &as);
        AUD_set_active_out(u->out, true);
        of->has_card = u->out != NULL;
    } else if (!s->plays_tone) {
        u->in =
            AUD_open_in(&u->card, u->in, "isoav-capture", u, card_gives, &as);
        AUD_set_active_in(u->in, true);
        of->has_card = u->in != NULL;
    }
}

/* Before a packet: a rate that was set since the voice was opened. */
static void follow_rate(ISOAVDevice *s, unsigned stream)
{
    isoav_uac_model *m = &uac_of(s)->model;

    if (m->stream[stream].rate != m->settings.rate[stream]) {
        isoav_uac_select(m, stream, m->stream[stream].alternate);
        open_voice(s, stream);
    }
}

static void uac_realize(ISOAVDevice *s, Error **errp)
{
    isoav_uac *u = uac_of(s);

    if (s->audiodev &&
        !isolab_audio_open("usb-isoav", s->audiodev, &u->card, errp)) {
        return;
    }
    isoav_uac_reset(&u->model);
}

static void uac_unrealize(ISOAVDevice *s)
{
    isoav_uac *u = uac_of(s);

    close_voice(u, ISOAV_UAC_PLAYBACK);
    close_voice(u, ISOAV_UAC_CAPTURE);
    if (s->audiodev) {
        AUD_remove_card(&u->card);
    }
}

static void uac_reset(ISOAVDevice *s)
{
    isoav_uac *u = uac_of(s);

    close_voice(u, ISOAV_UAC_PLAYBACK);
    close_voice(u, ISOAV_UAC_CAPTURE);
    isoav_uac_reset(&u->model);
}

static void uac_set_configuration(ISOAVDevice *s, int value)
{
    uac_reset(s);
}

static void uac_set_interface(ISOAVDevice *s, int iface, int alternate)
{
    unsigned stream = iface - ISOAV_AV_IFACE_PLAYBACK;

    if (iface >= ISOAV_AV_IFACE_PLAYBACK) {
        isoav_uac_select(&uac_of(s)->model, stream, alternate);
        open_voice(s, stream);
    }
}

static bool is_full_speed(const ISOAVDevice *s)
{
    return s->dev.speed == USB_SPEED_FULL;
}

static int uac_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                              uint8_t *data)
{
    return isoav_uac_request(&uac_of(s)->model.settings,
                             is_full_speed(s) ? 1 : 2, setup, data);
}

static void play(ISOAVDevice *s, USBPacket *p)
{
    isoav_uac_model *m = &uac_of(s)->model;
    uint8_t wire[ISOAV_UAC_PACKET_FRAMES * ISOAV_UAC_FRAME_BYTES(2)];
    size_t bytes = usb_packet_size(p);

    if (bytes > sizeof(wire)) {
        m->stream[ISOAV_UAC_PLAYBACK].counters[ISOAV_UAC_BAD]++;
        bytes = sizeof(wire);
    }
    usb_packet_copy(p, wire, bytes);
    p->actual_length = usb_packet_size(p);
    follow_rate(s, ISOAV_UAC_PLAYBACK);
    isoav_uac_play(m, isoav_packet_uf(p), wire, bytes);
}

static void uac_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    isoav_uac_model *m = &uac_of(s)->model;
    uint8_t wire[ISOAV_UAC_PACKET_FRAMES * ISOAV_UAC_FRAME_BYTES(2)];
    size_t bytes;

    if (token == USB_TOKEN_OUT) {
        play(s, p);
        return;
    }
    if ((nr | USB_DIR_IN) == ISOAV_AV_EP_FEEDBACK) {
        bytes = isoav_uac_feedback_packet(m, is_full_speed(s), wire);
    } else {
        follow_rate(s, ISOAV_UAC_CAPTURE);
        bytes =
            isoav_uac_record(m, isoav_packet_uf(p), isoav_av_epoch_uf(s), wire);
    }
    if (bytes > usb_packet_size(p)) {
        p->status = USB_RET_BABBLE;
    }
    isoav_packet_put(p, wire, bytes);
}

static bool uac_post_load(ISOAVDevice *s)
{
    isoav_uac_model *m = &uac_of(s)->model;

    if (!isoav_uac_is_sane(m)) {
        return false;
    }
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        open_voice(s, i);
    }
    if (m->stream[ISOAV_UAC_PLAYBACK].has_card) {
        isoav_uac_change_card(m);
    }
    return true;
}

static void stream_stats(const isoav_uac_stream *stream, QDict *stats)
{
    static const char *const names[ISOAV_UAC_COUNTERS] = {
        [ISOAV_UAC_PACKETS] = "packets",   [ISOAV_UAC_BYTES] = "bytes",
        [ISOAV_UAC_FRAMES] = "samples",    [ISOAV_UAC_UNDERRUNS] = "underruns",
        [ISOAV_UAC_OVERRUNS] = "overruns", [ISOAV_UAC_BAD] = "bad",
        [ISOAV_UAC_LATE] = "late",
    };

    for (unsigned i = 0; i < ISOAV_UAC_COUNTERS; i++) {
        qdict_put_int(stats, names[i], stream->counters[i]);
    }
    qdict_put_int(stats, "alternate", stream->alternate);
    qdict_put_int(stats, "rate", stream->rate);
    qdict_put_int(stats, "fifo-level", stream->fifo.level);
    qdict_put_int(stats, "card-level", stream->card_room - stream->card_free);
}

static void uac_stats(const ISOAVDevice *s, QDict *stats)
{
    static const char *const names[] = { "playback", "capture" };
    const isoav_uac_model *m = &uac_of(s)->model;

    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        QDict *part = qdict_new();

        stream_stats(&m->stream[i], part);
        qdict_put(stats, names[i], part);
    }
    qdict_put_int(stats, "feedback",
                  m->loop.rate ? isoav_uac_feedback(&m->loop, false) : 0);
}

static char *get_audiodev(Object *obj, Error **errp)
{
    return g_strdup(ISOAV(obj)->audiodev ? ISOAV(obj)->audiodev : "");
}

static bool may_change(ISOAVDevice *s, const char *name, Error **errp)
{
    if (s->dev.qdev.realized) {
        error_setg(errp, "the %s of a usb-isoav cannot change any more", name);
        return false;
    }
    isoav_property_is_for(s, &isoav_profile_av, name);
    return true;
}

static void set_audiodev(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (may_change(s, "audiodev", errp)) {
        g_free(s->audiodev);
        s->audiodev = g_strdup(value);
    }
}

static char *get_source(Object *obj, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    return g_strdup(s->plays_tone || !s->audiodev ? "tone" : "audiodev");
}

static void set_source(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (!g_str_equal(value, "tone") && !g_str_equal(value, "audiodev")) {
        error_setg(errp, "audio-source is 'tone' or 'audiodev', not '%s'",
                   value);
    } else if (may_change(s, "audio-source", errp)) {
        s->plays_tone = g_str_equal(value, "tone");
    }
}

static void uac_add_properties(ObjectClass *klass)
{
    object_class_property_add_str(klass, "audiodev", get_audiodev,
                                  set_audiodev);
    object_class_property_set_description(
        klass, "audiodev",
        "profile av: the ID of an -audiodev that plays and records; without "
        "it sound is counted and the microphone hears a tone");
    object_class_property_add_str(klass, "audio-source", get_source,
                                  set_source);
    object_class_property_set_description(
        klass, "audio-source",
        "profile av: what the microphone hears: 'audiodev' (default with one) "
        "or 'tone'");
}

const av_function isoav_uac_function = {
    .name = "audio",
    .first_iface = ISOAV_AV_IFACE_AUDIO_CONTROL,
    .ifaces = 3,
    .endpoints = { ISOAV_AV_EP_PLAYBACK, ISOAV_AV_EP_FEEDBACK,
                   ISOAV_AV_EP_CAPTURE },
    .state_bytes = sizeof(isoav_uac),
    .state_at = offsetof(isoav_av, uac),
    .add_properties = uac_add_properties,
    .realize = uac_realize,
    .unrealize = uac_unrealize,
    .reset = uac_reset,
    .set_configuration = uac_set_configuration,
    .set_interface = uac_set_interface,
    .handle_control = uac_handle_control,
    .handle_data = uac_handle_data,
    .post_load = uac_post_load,
    .stats = uac_stats,
};

#define SETTING(field) model.settings.field
static const VMStateDescription vmstate_stream = {
    .name = "usb-isoav/uac-stream",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8(alternate, isoav_uac_stream),
            VMSTATE_BOOL(is_running, isoav_uac_stream),
            VMSTATE_UINT32(rate, isoav_uac_stream),
            VMSTATE_UINT64(start_uf, isoav_uac_stream),
            VMSTATE_UINT64(last_uf, isoav_uac_stream),
            VMSTATE_UINT64(frames, isoav_uac_stream),
            VMSTATE_UINT64(index, isoav_uac_stream),
            VMSTATE_UINT64_ARRAY(counters, isoav_uac_stream,
                                 ISOAV_UAC_COUNTERS),
            VMSTATE_UINT32(fifo.first, isoav_uac_stream),
            VMSTATE_UINT32(fifo.level, isoav_uac_stream),
            VMSTATE_INT32_ARRAY(fifo.samples, isoav_uac_stream,
                                ISOAV_UAC_FIFO_FRAMES *ISOAV_UAC_CHANNELS),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription isoav_uac_vmstate = {
    .name = "usb-isoav/uac",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT32_ARRAY(SETTING(rate), isoav_uac, ISOAV_UAC_STREAMS),
            VMSTATE_INT16_ARRAY(SETTING(volume[0]), isoav_uac,
                                ISOAV_UAC_CHANNELS),
            VMSTATE_INT16_ARRAY(SETTING(volume[1]), isoav_uac,
                                ISOAV_UAC_CHANNELS),
            VMSTATE_BOOL_ARRAY(SETTING(mute), isoav_uac, ISOAV_UAC_STREAMS),
            VMSTATE_STRUCT_ARRAY(model.stream, isoav_uac, ISOAV_UAC_STREAMS, 1,
                                 vmstate_stream, isoav_uac_stream),
            VMSTATE_UINT32(model.loop.rate, isoav_uac),
            VMSTATE_UINT32(model.loop.target, isoav_uac),
            VMSTATE_BOOL(model.loop.is_settled, isoav_uac),
            VMSTATE_INT64(model.loop.level_sum, isoav_uac),
            VMSTATE_UINT32(model.loop.level_count, isoav_uac),
            VMSTATE_INT32(model.loop.drift, isoav_uac),
            VMSTATE_INT32(model.loop.trim, isoav_uac),
            VMSTATE_END_OF_LIST(),
        },
};
