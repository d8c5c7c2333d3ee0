/*
 * The class requests of the UVC camera.
 *
 *  1. A request names an interface (wIndex, low byte), an entity of it (high
 *     byte; 0: the interface itself) and a control of that (wValue, high byte;
 *     the low one is 0). Each control is a row: its size, the requests that it
 *     takes, and two functions that read and write it.
 *  2. What does not fit is refused and changes nothing but the Request Error
 *     Code, which says why; a request that succeeds clears it (UVC 1.1
 *     §4.2.1.2).
 *  3. The data of SET_CUR has the control's size exactly. A GET returns as much
 *     as was asked for.
 *  4. While auto-exposure runs, exposure time can be read and not set; the
 *     host hears of the change on the status endpoint (UVC 1.1 §2.4.2.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/uvc-control.h"

#include <stddef.h>
#include <string.h>

enum {
    SET = 0x21, /* bmRequestType: class, interface */
    GET = 0xa1,

    SET_CUR = 0x01,
    GET_CUR = 0x81,
    GET_MIN = 0x82,
    GET_MAX = 0x83,
    GET_RES = 0x84,
    GET_LEN = 0x85,
    GET_INFO = 0x86,
    GET_DEF = 0x87,

    /* interfaces and entities, as the descriptors have them */
    VIDEO_CONTROL = 0,
    VIDEO_STREAMING = 1,
    ITSELF = 0,
    CAMERA = 1,
    PROCESSING = 2,
    OUTPUT = 3,

    /* GET_INFO */
    CAN_GET = 1 << 0,
    CAN_SET = 1 << 1,
    DISABLED = 1 << 2, /* because of an automatic mode */

    BYTES_MAX = ISOAV_UVC_PROBE_BYTES,
};

/* Sets of requests. */
#define BIT(request) (1u << ((request)&0x0f))
#define CUR (BIT(GET_CUR) | BIT(GET_INFO) | BIT(GET_LEN))
#define RANGE (BIT(GET_MIN) | BIT(GET_MAX) | BIT(GET_DEF))
#define WRITE (BIT(SET_CUR) << 16)

typedef struct row row;
struct row {
    uint8_t iface, entity, selector, size;
    uint32_t requests;
    int id; /* of a control with a value */
    void (*get)(isoav_uvc_model *m, const row *r, int request, uint8_t *data);
    int (*set)(isoav_uvc_model *m, const row *r, const uint8_t *data);
};

/* What a value may be. RES of the exposure mode is the set of its modes, and it
 * has no MIN and MAX. */
static const struct {
    int32_t min, max, res, def;
} ranges[ISOAV_UVC_CONTROLS] = {
    [ISOAV_UVC_BRIGHTNESS] = { -100, 100, 1, 0 },
    [ISOAV_UVC_CONTRAST] = { 0, 200, 1, 100 },
    [ISOAV_UVC_HUE] = { -180, 180, 1, 0 },
    [ISOAV_UVC_SATURATION] = { 0, 200, 1, 100 },
    [ISOAV_UVC_GAMMA] = { 40, 300, 1, 100 },
    [ISOAV_UVC_EXPOSURE_MODE] = { 0, 0,
                                  ISOAV_UVC_EXPOSURE_MANUAL |
                                      ISOAV_UVC_EXPOSURE_APERTURE_PRIORITY,
                                  ISOAV_UVC_EXPOSURE_APERTURE_PRIORITY },
    [ISOAV_UVC_EXPOSURE_TIME] = { 1, 1000, 1, 100 },
};

static bool is_manual(const isoav_uvc_model *m)
{
    return m->values[ISOAV_UVC_EXPOSURE_MODE] == ISOAV_UVC_EXPOSURE_MANUAL;
}

static bool is_disabled(const isoav_uvc_model *m, const row *r)
{
    return r->id == ISOAV_UVC_EXPOSURE_TIME && !is_manual(m);
}

static void push_status(isoav_uvc_model *m, const uint8_t *bytes, int length)
{
    isoav_uvc_status *q = &m->status;
    unsigned place = (q->first + q->count) % ISOAV_UVC_STATUS_MAX;

    if (q->count == ISOAV_UVC_STATUS_MAX) {
        q->first = (q->first + 1) % ISOAV_UVC_STATUS_MAX;
    } else {
        q->count++;
    }
    memcpy(q->bytes[place], bytes, length);
    q->lengths[place] = length;
}

static void get_value(isoav_uvc_model *m, const row *r, int request,
                      uint8_t *data)
{
    int32_t value = request == GET_MIN   ? ranges[r->id].min
                    : request == GET_MAX ? ranges[r->id].max
                    : request == GET_RES ? ranges[r->id].res
                    : request == GET_DEF ? ranges[r->id].def
                                         : m->values[r->id];

    for (int i = 0; i < r->size; i++) {
        data[i] = (uint32_t)value >> 8 * i;
    }
}

/* Values of two bytes have a sign; longer ones beyond 2^31 are none. */
static int64_t load_value(const uint8_t *data, int size)
{
    uint32_t value = 0;

    for (int i = 0; i < size; i++) {
        value |= (uint32_t)data[i] << 8 * i;
    }
    return size == 2 ? (int16_t)value : (int64_t)value;
}

static int set_value(isoav_uvc_model *m, const row *r, const uint8_t *data)
{
    int64_t value = load_value(data, r->size);

    if (is_disabled(m, r)) {
        return ISOAV_UVC_WRONG_STATE;
    }
    if (value < ranges[r->id].min || value > ranges[r->id].max) {
        return ISOAV_UVC_OUT_OF_RANGE;
    }
    m->values[r->id] = value;
    return ISOAV_UVC_NO_ERROR;
}

/* Rule 4: bStatusType, bOriginator, bEvent, bSelector, bAttribute, bValue. */
static int set_exposure_mode(isoav_uvc_model *m, const row *r,
                             const uint8_t *data)
{
    bool was_manual = is_manual(m);
    uint8_t status[] = { 1, CAMERA, 0, 4, 1, CAN_GET | CAN_SET };

    if (data[0] != ISOAV_UVC_EXPOSURE_MANUAL &&
        data[0] != ISOAV_UVC_EXPOSURE_APERTURE_PRIORITY) {
        return ISOAV_UVC_OUT_OF_RANGE;
    }
    m->values[r->id] = data[0];
    if (was_manual != is_manual(m)) {
        status[5] |= was_manual ? DISABLED : 0;
        push_status(m, status, sizeof(status));
    }
    return ISOAV_UVC_NO_ERROR;
}

static void get_request_error(isoav_uvc_model *m, const row *r, int request,
                              uint8_t *data)
{
    data[0] = m->request_error;
}

/* The code of the last error, until it was read. */
static void get_stream_error(isoav_uvc_model *m, const row *r, int request,
                             uint8_t *data)
{
    data[0] = m->stream_error;
    m->stream_error = 0;
}

/* The limits of what the speed has, and not of the present format. */
static void get_probe(isoav_uvc_model *m, const row *r, int request,
                      uint8_t *data)
{
    const isoav_uvc_format *last = &m->speed->formats[ISOAV_UVC_FORMATS - 1];
    isoav_uvc_probe p = m->probe;

    switch (request) {
    case GET_DEF:
        p = isoav_uvc_probe_default(m->speed);
        break;
    case GET_MIN:
        p = (isoav_uvc_probe){ 0, 1, 1, 1, 0, 0 };
        break;
    case GET_MAX:
        p = (isoav_uvc_probe){ 0, ISOAV_UVC_FORMATS, last->count, UINT32_MAX, 0,
                               0 };
        break;
    }
    isoav_uvc_probe_settle(m->speed, &p);
    isoav_uvc_probe_store(data, &p);
}

static int set_probe(isoav_uvc_model *m, const row *r, const uint8_t *data)
{
    isoav_uvc_probe_load(&m->probe, data);
    isoav_uvc_probe_settle(m->speed, &m->probe);
    return ISOAV_UVC_NO_ERROR;
}

static void get_commit(isoav_uvc_model *m, const row *r, int request,
                       uint8_t *data)
{
    isoav_uvc_probe_store(data, &m->commit);
}

/* A stream that runs keeps its format. */
static int set_commit(isoav_uvc_model *m, const row *r, const uint8_t *data)
{
    isoav_uvc_probe p;

    isoav_uvc_probe_load(&p, data);
    if (m->alternate) {
        return ISOAV_UVC_WRONG_STATE;
    }
    if (!isoav_uvc_probe_is_settled(m->speed, &p)) {
        return ISOAV_UVC_OUT_OF_RANGE;
    }
    m->commit = p;
    m->is_committed = true;
    return ISOAV_UVC_NO_ERROR;
}

static void get_still_probe(isoav_uvc_model *m, const row *r, int request,
                            uint8_t *data)
{
    isoav_uvc_still_probe p = m->still_probe;

    switch (request) {
    case GET_DEF:
        p = (isoav_uvc_still_probe){ 0 };
        break;
    case GET_MIN:
        p = (isoav_uvc_still_probe){ 1, 1, 0, 0 };
        break;
    case GET_MAX:
        p = (isoav_uvc_still_probe){ ISOAV_UVC_FORMATS, m->speed->stills.count,
                                     0, 0 };
        break;
    }
    isoav_uvc_still_settle(m->speed, m->commit.dwMaxPayloadTransferSize, &p);
    isoav_uvc_still_store(data, &p);
}

static int set_still_probe(isoav_uvc_model *m, const row *r,
                           const uint8_t *data)
{
    isoav_uvc_still_load(&m->still_probe, data);
    isoav_uvc_still_settle(m->speed, m->commit.dwMaxPayloadTransferSize,
                           &m->still_probe);
    return ISOAV_UVC_NO_ERROR;
}

static void get_still_commit(isoav_uvc_model *m, const row *r, int request,
                             uint8_t *data)
{
    isoav_uvc_still_store(data, &m->still_commit);
}

static int set_still_commit(isoav_uvc_model *m, const row *r,
                            const uint8_t *data)
{
    isoav_uvc_still_probe p;

    isoav_uvc_still_load(&p, data);
    if (m->trigger != ISOAV_UVC_TRIGGER_NORMAL) {
        return ISOAV_UVC_WRONG_STATE;
    }
    if (!isoav_uvc_still_is_settled(m->speed,
                                    m->commit.dwMaxPayloadTransferSize, &p)) {
        return ISOAV_UVC_OUT_OF_RANGE;
    }
    m->still_commit = p;
    m->is_still_committed = true;
    return ISOAV_UVC_NO_ERROR;
}

static void get_trigger(isoav_uvc_model *m, const row *r, int request,
                        uint8_t *data)
{
    data[0] = m->trigger;
}

/* UVC 1.1 §4.3.1.4: a still image needs a stream to interrupt; method 2 has no
 * bulk endpoint for it. */
static int set_trigger(isoav_uvc_model *m, const row *r, const uint8_t *data)
{
    switch (data[0]) {
    case ISOAV_UVC_TRIGGER_NORMAL:
    case ISOAV_UVC_TRIGGER_ABORT:
        m->trigger = ISOAV_UVC_TRIGGER_NORMAL;
        return ISOAV_UVC_NO_ERROR;
    case ISOAV_UVC_TRIGGER_STILL:
        if (!m->alternate || !m->is_committed || !m->is_still_committed) {
            return ISOAV_UVC_WRONG_STATE;
        }
        m->trigger = ISOAV_UVC_TRIGGER_STILL;
        return ISOAV_UVC_NO_ERROR;
    default:
        return ISOAV_UVC_OUT_OF_RANGE;
    }
}

#define VALUE(entity, selector, size, id)                                \
    {                                                                    \
        VIDEO_CONTROL, entity, selector, size,                           \
            CUR | RANGE | BIT(GET_RES) | WRITE, id, get_value, set_value \
    }
#define STREAMING(selector, size, requests, name)                      \
    {                                                                  \
        VIDEO_STREAMING, ITSELF, selector, size, requests | WRITE, -1, \
            get_##name, set_##name                                     \
    }

static const row rows[] = {
    { VIDEO_CONTROL, ITSELF, 2, 1, CUR, -1, get_request_error, NULL },
    { VIDEO_CONTROL, CAMERA, 2, 1, CUR | BIT(GET_DEF) | BIT(GET_RES) | WRITE,
      ISOAV_UVC_EXPOSURE_MODE, get_value, set_exposure_mode },
    VALUE(CAMERA, 4, 4, ISOAV_UVC_EXPOSURE_TIME),
    VALUE(PROCESSING, 2, 2, ISOAV_UVC_BRIGHTNESS),
    VALUE(PROCESSING, 3, 2, ISOAV_UVC_CONTRAST),
    VALUE(PROCESSING, 6, 2, ISOAV_UVC_HUE),
    VALUE(PROCESSING, 7, 2, ISOAV_UVC_SATURATION),
    VALUE(PROCESSING, 9, 2, ISOAV_UVC_GAMMA),
    STREAMING(1, ISOAV_UVC_PROBE_BYTES, CUR | RANGE, probe),
    STREAMING(2, ISOAV_UVC_PROBE_BYTES, CUR, commit),
    STREAMING(3, ISOAV_UVC_STILL_PROBE_BYTES, CUR | RANGE, still_probe),
    STREAMING(4, ISOAV_UVC_STILL_PROBE_BYTES, CUR, still_commit),
    STREAMING(5, 1, CUR, trigger),
    { VIDEO_STREAMING, ITSELF, 6, 1, CUR, -1, get_stream_error, NULL },
};

static bool is_entity(const isoav_setup *setup)
{
    int iface = setup->wIndex & 0xff, entity = setup->wIndex >> 8;

    return entity == ITSELF || (iface == VIDEO_CONTROL && entity <= OUTPUT);
}

static const row *find_row(const isoav_setup *setup)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (setup->wIndex == (rows[i].entity << 8 | rows[i].iface) &&
            setup->wValue == rows[i].selector << 8) {
            return &rows[i];
        }
    }
    return NULL;
}

static int get(isoav_uvc_model *m, const row *r, const isoav_setup *setup,
               uint8_t *data)
{
    uint8_t bytes[BYTES_MAX];
    int size = r->size;

    switch (setup->bRequest) {
    case GET_LEN:
        bytes[0] = r->size;
        bytes[1] = 0;
        size = 2;
        break;
    case GET_INFO:
        bytes[0] = CAN_GET | (r->set ? CAN_SET : 0) |
                   (is_disabled(m, r) ? DISABLED : 0);
        size = 1;
        break;
    default:
        r->get(m, r, setup->bRequest, bytes);
    }
    size = size < setup->wLength ? size : setup->wLength;
    memcpy(data, bytes, size);
    return size;
}

/* Rules 1 and 3; the result is a Request Error Code. */
static int perform(isoav_uvc_model *m, const isoav_setup *setup, uint8_t *data,
                   int *bytes)
{
    const row *r = find_row(setup);
    bool is_set = setup->bmRequestType == SET;
    uint32_t bit = BIT(setup->bRequest) << (is_set ? 16 : 0);

    if (!is_set && setup->bmRequestType != GET) {
        return ISOAV_UVC_INVALID_REQUEST;
    }
    if (!is_entity(setup)) {
        return ISOAV_UVC_INVALID_UNIT;
    }
    if (!r) {
        return ISOAV_UVC_INVALID_CONTROL;
    }
    if ((setup->bRequest & 0xf0) != (is_set ? 0 : 0x80) ||
        !(r->requests & bit) || (is_set && setup->wLength != r->size)) {
        return ISOAV_UVC_INVALID_REQUEST;
    }
    if (is_set) {
        *bytes = 0;
        return r->set(m, r, data);
    }
    *bytes = get(m, r, setup, data);
    return ISOAV_UVC_NO_ERROR;
}

/* Rule 2. */
int isoav_uvc_request(isoav_uvc_model *m, const isoav_setup *setup,
                      uint8_t *data)
{
    int bytes = 0;

    m->request_error = perform(m, setup, data, &bytes);
    return m->request_error ? ISOAV_CONTROL_STALL : bytes;
}

/* An alternate that is smaller than what was committed has no bandwidth for
 * it. Before a commit nothing is sent, in any alternate. */
bool isoav_uvc_may_select(isoav_uvc_model *m, int alternate)
{
    bool ok = alternate == 0 || !m->is_committed ||
              isoav_uvc_alternate_bytes(m->speed, alternate) >=
                  m->commit.dwMaxPayloadTransferSize;

    m->request_error = ok ? ISOAV_UVC_NO_ERROR : ISOAV_UVC_WRONG_STATE;
    return ok;
}

/* UVC 1.1 §2.4.2.2: bStatusType, bOriginator, bEvent, bValue. */
void isoav_uvc_press(isoav_uvc_model *m, bool is_pressed)
{
    const uint8_t status[] = { 2, VIDEO_STREAMING, 0, is_pressed };

    push_status(m, status, sizeof(status));
}

uint8_t isoav_uvc_take_status(isoav_uvc_model *m, uint8_t *bytes)
{
    isoav_uvc_status *q = &m->status;
    uint8_t length = 0;

    if (q->count > 0) {
        length = q->lengths[q->first];
        memcpy(bytes, q->bytes[q->first], length);
        q->first = (q->first + 1) % ISOAV_UVC_STATUS_MAX;
        q->count--;
    }
    return length;
}

void isoav_uvc_model_reset(isoav_uvc_model *m, const isoav_uvc_speed *speed)
{
    *m = (isoav_uvc_model){ .speed = speed };
    for (int i = 0; i < ISOAV_UVC_CONTROLS; i++) {
        m->values[i] = ranges[i].def;
    }
    m->probe = m->commit = isoav_uvc_probe_default(speed);
    isoav_uvc_still_settle(speed, m->commit.dwMaxPayloadTransferSize,
                           &m->still_probe);
    m->still_commit = m->still_probe;
}

bool isoav_uvc_values_are_sane(const int32_t *values)
{
    int32_t mode = values[ISOAV_UVC_EXPOSURE_MODE];

    for (int i = 0; i < ISOAV_UVC_CONTROLS; i++) {
        if (i != ISOAV_UVC_EXPOSURE_MODE &&
            (values[i] < ranges[i].min || values[i] > ranges[i].max)) {
            return false;
        }
    }
    return mode == ISOAV_UVC_EXPOSURE_MANUAL ||
           mode == ISOAV_UVC_EXPOSURE_APERTURE_PRIORITY;
}

bool isoav_uvc_model_is_sane(const isoav_uvc_model *m)
{
    const isoav_uvc_status *q = &m->status;

    for (int i = 0; i < ISOAV_UVC_STATUS_MAX; i++) {
        if (q->lengths[i] > ISOAV_UVC_STATUS_ROOM) {
            return false;
        }
    }
    return q->first < ISOAV_UVC_STATUS_MAX &&
           q->count <= ISOAV_UVC_STATUS_MAX &&
           isoav_uvc_values_are_sane(m->values) &&
           isoav_uvc_probe_is_settled(m->speed, &m->probe) &&
           isoav_uvc_probe_is_settled(m->speed, &m->commit) &&
           m->still_commit.bFormatIndex >= 1 &&
           m->still_commit.bFormatIndex <= ISOAV_UVC_FORMATS &&
           isoav_uvc_frame_of(&m->speed->stills, m->still_commit.bFrameIndex) &&
           m->trigger <= ISOAV_UVC_TRIGGER_STILL;
}
