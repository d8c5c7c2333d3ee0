/*
 * Requests to the headset.
 *
 *  1. A request names an entity, a control of it, and a channel; a row of the
 *     tables below has what it is there: how many bytes, which attributes may
 *     be read and which set. What no row has is refused.
 *  2. Each control has a value and a range; class 1 asks for the ends of the
 *     range one by one, class 2 for all of it (§5.2.1 of both).
 *  3. What is set has to have the control's length and be in its range: it is
 *     taken as a whole, or refused and nothing changes.
 *  4. The host may read less than there is: a range is asked for with two bytes
 *     first, for the number of its parts (UAC 2.0 §5.2.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uac-control.h"

#include <stddef.h>
#include <string.h>

#include "hw/av/av-ids.h"

/* bmRequestType: class requests, by recipient. */
enum {
    TO_INTERFACE = 0x21,
    TO_ENDPOINT = 0x22,
    IN = 0x80,
};

/* bRequest (UAC 2.0 A.14, UAC 1.0 A.9) */
enum {
    CUR = 0x01,
    RANGE = 0x02,
    SET_CUR1 = 0x01,
    GET_CUR1 = 0x81,
    GET_MIN1 = 0x82,
    GET_MAX1 = 0x83,
    GET_RES1 = 0x84,
};

typedef enum { SAM_FREQ, CLOCK_VALID, MUTE, VOLUME } control_kind;
typedef enum { GET, GET_MIN, GET_MAX, GET_RES, GET_RANGE, SET } attribute;

/* What a request is about. */
typedef struct {
    control_kind kind;
    unsigned bytes;
    unsigned stream;
    unsigned channel; /* 0: master; 1 and 2 */
} subject;

static const uint32_t rates[ISOAV_UAC_RATES] = {
#define RATE(hz) hz,
    ISOAV_UAC_RATE_LIST(RATE)
};

void isoav_uac_settings_reset(isoav_uac_settings *u)
{
    memset(u, 0, sizeof(*u));
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        u->rate[i] = 48000;
    }
}

static bool is_rate(uint32_t hz)
{
    for (unsigned i = 0; i < ISOAV_UAC_RATES; i++) {
        if (rates[i] == hz) {
            return true;
        }
    }
    return false;
}

static bool is_volume(int32_t volume)
{
    return volume == INT16_MIN ||
           (volume >= ISOAV_UAC_VOLUME_MIN && volume <= ISOAV_UAC_VOLUME_MAX);
}

bool isoav_uac_settings_are_sane(const isoav_uac_settings *u)
{
    for (unsigned i = 0; i < ISOAV_UAC_STREAMS; i++) {
        if (!is_rate(u->rate[i]) || !is_volume(u->volume[i][0]) ||
            !is_volume(u->volume[i][1])) {
            return false;
        }
    }
    return true;
}

static uint32_t get_le(const uint8_t *data, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = bytes; i > 0; i--) {
        value = value << 8 | data[i - 1];
    }
    return value;
}

static uint8_t *put_le(uint8_t *data, unsigned bytes, uint32_t value)
{
    for (unsigned i = 0; i < bytes; i++) {
        *data++ = value >> 8 * i;
    }
    return data;
}

/* Rule 2: the present value, or an end of the range. */
static uint32_t value_of(const isoav_uac_settings *u, const subject *c,
                         attribute a)
{
    switch (c->kind) {
    case SAM_FREQ:
        return u->rate[c->stream];
    case CLOCK_VALID:
        return 1;
    case MUTE:
        return u->mute[c->stream];
    case VOLUME:
        break;
    }
    switch (a) {
    case GET_MIN:
        return (uint16_t)ISOAV_UAC_VOLUME_MIN;
    case GET_MAX:
        return ISOAV_UAC_VOLUME_MAX;
    case GET_RES:
        return ISOAV_UAC_VOLUME_RES;
    default:
        return (uint16_t)u->volume[c->stream][c->channel - 1];
    }
}

/* UAC 2.0 §5.2.1: a count, and minimum, maximum and resolution of each part. */
static int put_range(const isoav_uac_settings *u, const subject *c,
                     uint8_t *data)
{
    uint8_t *at = data;

    if (c->kind == SAM_FREQ) {
        at = put_le(at, 2, ISOAV_UAC_RATES);
        for (unsigned i = 0; i < ISOAV_UAC_RATES; i++) {
            at = put_le(at, 4, rates[i]);
            at = put_le(at, 4, rates[i]);
            at = put_le(at, 4, 0);
        }
    } else {
        at = put_le(at, 2, 1);
        at = put_le(at, 2, value_of(u, c, GET_MIN));
        at = put_le(at, 2, value_of(u, c, GET_MAX));
        at = put_le(at, 2, value_of(u, c, GET_RES));
    }
    return at - data;
}

/* Rule 3. */
static int set(isoav_uac_settings *u, const subject *c, const uint8_t *data,
               unsigned bytes)
{
    uint32_t value;

    if (bytes != c->bytes) {
        return ISOAV_CONTROL_STALL;
    }
    value = get_le(data, bytes);
    switch (c->kind) {
    case SAM_FREQ:
        if (!is_rate(value)) {
            return ISOAV_CONTROL_STALL;
        }
        u->rate[c->stream] = value;
        return 0;
    case MUTE:
        if (value > 1) {
            return ISOAV_CONTROL_STALL;
        }
        u->mute[c->stream] = value;
        return 0;
    case VOLUME:
        if (!is_volume((int16_t)value)) {
            return ISOAV_CONTROL_STALL;
        }
        u->volume[c->stream][c->channel - 1] = (int16_t)value;
        return 0;
    case CLOCK_VALID:
        break;
    }
    return ISOAV_CONTROL_STALL;
}

/* Rule 4: `data` has room for wLength bytes, and the answer may be longer. */
static int answer(isoav_uac_settings *u, const subject *c, attribute a,
                  const isoav_setup *setup, uint8_t *data)
{
    uint8_t all[2 + ISOAV_UAC_RATES * 12];
    unsigned bytes;

    if (a == SET) {
        return set(u, c, data, setup->wLength);
    }
    if (a == GET_RANGE) {
        if (c->kind != SAM_FREQ && c->kind != VOLUME) {
            return ISOAV_CONTROL_STALL;
        }
        bytes = put_range(u, c, all);
    } else {
        if (a != GET && c->kind != VOLUME) {
            return ISOAV_CONTROL_STALL;
        }
        put_le(all, c->bytes, value_of(u, c, a));
        bytes = c->bytes;
    }
    bytes = bytes < setup->wLength ? bytes : setup->wLength;
    memcpy(data, all, bytes);
    return bytes;
}

/* Rule 1: controls by entity, control selector and channel. */
typedef struct {
    uint8_t class; /* of the request; 0: both */
    uint8_t entity[ISOAV_UAC_STREAMS];
    uint8_t selector;
    uint8_t first_channel, last_channel;
    uint8_t kind, bytes;
} control_row;

static const control_row rows[] = {
    { 2, { ISOAV_UAC_CLOCK, ISOAV_UAC_CLOCK + 1 }, 1, 0, 0, SAM_FREQ, 4 },
    { 2, { ISOAV_UAC_CLOCK, ISOAV_UAC_CLOCK + 1 }, 2, 0, 0, CLOCK_VALID, 1 },
    { 0,
      { ISOAV_UAC_PLAYBACK_UNIT, ISOAV_UAC_CAPTURE_UNIT },
      1,
      0,
      0,
      MUTE,
      1 },
    { 0,
      { ISOAV_UAC_PLAYBACK_UNIT, ISOAV_UAC_CAPTURE_UNIT },
      2,
      1,
      2,
      VOLUME,
      2 },
};

static bool find_entity(subject *c, unsigned class, const isoav_setup *setup)
{
    unsigned entity = setup->wIndex >> 8, selector = setup->wValue >> 8;

    c->channel = setup->wValue & 0xff;
    if ((setup->wIndex & 0xff) != ISOAV_AV_IFACE_AUDIO_CONTROL) {
        return false;
    }
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const control_row *row = &rows[i];

        c->stream = entity == row->entity[ISOAV_UAC_CAPTURE];
        if (entity == row->entity[c->stream] && selector == row->selector &&
            c->channel >= row->first_channel &&
            c->channel <= row->last_channel &&
            (row->class == 0 || row->class == class)) {
            c->kind = row->kind;
            c->bytes = row->bytes;
            return true;
        }
    }
    return false;
}

/* UAC 1.0 §5.2.3.2.3.1: the rate is a control of the streams' endpoints. */
static bool find_endpoint(subject *c, const isoav_setup *setup)
{
    c->kind = SAM_FREQ;
    c->bytes = 3;
    c->stream = setup->wIndex == ISOAV_AV_EP_CAPTURE;
    return setup->wValue == 0x0100 && (setup->wIndex == ISOAV_AV_EP_CAPTURE ||
                                       setup->wIndex == ISOAV_AV_EP_PLAYBACK);
}

static bool find_attribute(attribute *a, unsigned class,
                           const isoav_setup *setup)
{
    static const struct {
        uint8_t class, request, in, attribute;
    } attributes[] = {
        { 2, CUR, IN, GET },          { 2, RANGE, IN, GET_RANGE },
        { 2, CUR, 0, SET },           { 1, SET_CUR1, 0, SET },
        { 1, GET_CUR1, IN, GET },     { 1, GET_MIN1, IN, GET_MIN },
        { 1, GET_MAX1, IN, GET_MAX }, { 1, GET_RES1, IN, GET_RES },
    };

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (attributes[i].class == class &&
            attributes[i].request == setup->bRequest &&
            attributes[i].in == (setup->bmRequestType & IN)) {
            *a = attributes[i].attribute;
            return true;
        }
    }
    return false;
}

int isoav_uac_request(isoav_uac_settings *u, unsigned class,
                      const isoav_setup *setup, uint8_t *data)
{
    unsigned recipient = setup->bmRequestType & ~IN;
    subject c = { 0 };
    attribute a;
    bool found = recipient == TO_INTERFACE
                     ? find_entity(&c, class, setup)
                     : recipient == TO_ENDPOINT && class == 1 &&
                           find_endpoint(&c, setup);

    if (!found || !find_attribute(&a, class, setup)) {
        return ISOAV_CONTROL_STALL;
    }
    return answer(u, &c, a, setup, data);
}
