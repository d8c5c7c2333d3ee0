/*
 * A host of the UVC camera (uvc.h). The clock of the headers is the virtual
 * one, 6000 ticks a microframe; the microframe of the first packet is that of
 * its event, or the one before, and each of the others an interval later.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "uvc.h"
#include "compat.h"

#define PROBE_BYTES 34

const isoav_vcontrols uvc_neutral = {
    .contrast = 100,
    .saturation = 100,
    .gamma = 100,
    .exposure_100us = 100,
    .auto_exposure = true,
};

static uint32_t load32(const uint8_t *p)
{
    return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

static const isoav_uvc_speed *speed_of(const HcdDev *dev)
{
    return isoav_uvc_speed_of(dev->speed == SPEED_SUPER  ? 2
                              : dev->speed == SPEED_HIGH ? 1
                                                         : 0);
}

Uvc *uvc_open(Hcd *h)
{
    Uvc *u = g_new0(Uvc, 1);
    char *error;

    u->h = h;
    u->dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    u->speed = speed_of(u->dev);
    u->source = isoav_vsource_open("pattern", &error);
    u->data = hcd_alloc(h, 64, 64);
    hcd_set_configuration(h, u->dev, 1);
    u->epoch_uf = hcd_now_uf(h);
    for (unsigned i = 0; i < UVC_TDS; i++) {
        u->buf[i] = hcd_alloc(h, 32768, 32768);
    }
    return u;
}

void uvc_close(Uvc *u)
{
    hcd_finish(u->h);
    isoav_vsource_close(u->source);
    g_free(u);
}

static unsigned control(Uvc *u, HcdSetup setup)
{
    unsigned cc = hcd_control(u->h, u->dev, setup, u->data);

    if (cc == CC_STALL_ERROR) {
        hcd_expect_cc(hcd_cmd_reset_ep(u->h, u->dev, 1), CC_SUCCESS);
        hcd_cmd_skip_all(u->h, u->dev, 1);
    }
    return cc;
}

unsigned uvc_request(Uvc *u, unsigned request, unsigned index,
                     unsigned selector, void *data, unsigned bytes)
{
    HcdSetup setup = { .type = request & 0x80 ? 0xa1 : 0x21,
                       .request = request,
                       .value = selector << 8,
                       .index = index,
                       .length = bytes };
    unsigned cc;

    if (!(request & 0x80) && bytes) {
        qtest_bufwrite(u->h->qts, u->data, data, bytes);
    }
    cc = control(u, setup);
    if (request & 0x80) {
        qtest_bufread(u->h->qts, u->data, data, bytes);
    }
    return cc;
}

unsigned uvc_select_interface(Uvc *u, unsigned alternate)
{
    HcdSetup setup = {
        .type = 0x01, .request = 11, .value = alternate, .index = 1
    };

    return control(u, setup);
}

unsigned uvc_error_code(Uvc *u)
{
    uint8_t code = 0xee;

    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VC, 2, &code, 1), CC_SUCCESS);
    return code;
}

uint64_t uvc_counter(Uvc *u, const char *name)
{
    QDict *reply = qtest_qmp(
        u->h->qts, "{'execute': 'qom-get', 'arguments': "
                   "{'path': '/machine/peripheral/av', 'property': 'stats'}}");
    QDict *stats = qdict_get_qdict(reply, "return");
    uint64_t value = qdict_get_int(qdict_get_qdict(stats, "video"), name);

    qobject_unref(reply);
    return value;
}

void uvc_commit(Uvc *u, unsigned format, unsigned frame, uint32_t interval)
{
    const isoav_uvc_frame *f =
        isoav_uvc_frame_of(&u->speed->formats[format - 1], frame);
    uint8_t probe[PROBE_BYTES] = { [2] = format,
                                   [3] = frame,
                                   [4] = interval,
                                   [5] = interval >> 8,
                                   [6] = interval >> 16 };

    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 1, probe, sizeof(probe)),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_request(u, UVC_GET_CUR, UVC_VS, 1, probe, sizeof(probe)),
                  CC_SUCCESS);
    hcd_check(probe[2] == format && probe[3] == frame &&
                  load32(probe + 4) == interval,
              "format %u, frame %u, interval %u became %u, %u, %u", format,
              frame, interval, probe[2], probe[3], load32(probe + 4));
    hcd_expect_cc(uvc_request(u, UVC_SET_CUR, UVC_VS, 2, probe, sizeof(probe)),
                  CC_SUCCESS);
    u->frame_bytes = load32(probe + 18);
    u->payload_bytes = load32(probe + 22);
    u->format = (isoav_vformat){
        .width = f->width,
        .height = f->height,
        .interval_100ns = interval,
        .format =
            format == ISOAV_UVC_YUY2 ? ISOAV_VIDEO_YUY2 : ISOAV_VIDEO_MJPEG,
    };
}

static void queue(Uvc *u)
{
    unsigned i = u->td++ % UVC_TDS;

    u->trb[i] = td_isoch(u->h, u->dev, UVC_VIDEO, .buf = u->buf[i],
                         .len = u->payload_bytes, .sia = true, .ioc = true);
}

/* Packets of an interval: high speed has one burst of up to 3. */
static void prepare_endpoint(Uvc *u, uint32_t bytes)
{
    unsigned packets = (bytes + 1023) / 1024;

    hcd_ep_prepare(u->h, u->dev,
                   (HcdEp){ .dci = UVC_VIDEO,
                            .type = EP_TYPE_ISOCH_IN,
                            .mps = bytes / packets,
                            .burst = MIN(packets, 16) - 1,
                            .mult = (packets - 1) / 16,
                            .interval = u->dev->speed == SPEED_FULL ? 3 : 0,
                            .esit = bytes,
                            .trbs = 256 });
}

void uvc_start_in(Uvc *u, unsigned alternate)
{
    bool had = hcd_ep_state(u->h, u->dev, UVC_VIDEO) != EP_STATE_DISABLED;

    prepare_endpoint(u, isoav_uvc_alternate_bytes(u->speed, alternate));
    hcd_expect_cc(hcd_cmd_configure(u->h, u->dev, 1u << UVC_VIDEO | 1,
                                    had ? 1u << UVC_VIDEO : 0),
                  CC_SUCCESS);
    hcd_expect_cc(uvc_select_interface(u, alternate), CC_SUCCESS);
    u->alternate = alternate;
    u->fid = -1;
    u->next_uf = 0;
    u->td = 0;
    hcd_event_drain(u->h);
    while (u->td < UVC_TDS) {
        queue(u);
    }
    hcd_ring_ep(u->h, u->dev, UVC_VIDEO);
}

void uvc_start(Uvc *u)
{
    unsigned alternate = 1;

    while (isoav_uvc_alternate_bytes(u->speed, alternate) < u->payload_bytes) {
        alternate++;
    }
    uvc_start_in(u, alternate);
}

/* UVC 1.1 §2.4.3.3, table 2-5; header[1]: EOH, SCR and PTS are always there. */
static void check_header(Uvc *u, const uint8_t *header, unsigned bytes,
                         const HcdEvent *event, UvcPayload *p)
{
    uint32_t scr = load32(header + 6), sof = header[10] | header[11] << 8;

    hcd_check(bytes >= 12 && header[0] == 12 && (header[1] & 0x9c) == 0x8c,
              "a packet of %u bytes begins with %02x %02x", bytes, header[0],
              header[1]);
    p->uf = u->next_uf;
    if (!p->uf || u->is_loose) {
        p->uf = event->uf - ((uint32_t)(event->uf * 6000) != scr);
    }
    u->next_uf = p->uf + u->speed->interval_uf;
    hcd_check((uint32_t)(p->uf * 6000) == scr,
              "SCR is %u in microframe %" PRIu64, scr, event->uf);
    hcd_check(sof == p->uf / 8 % 2048, "SOF is %u in microframe %" PRIu64, sof,
              p->uf);
}

void uvc_payload(Uvc *u, UvcPayload *p)
{
    unsigned i = u->td % UVC_TDS, bytes;
    g_autofree uint8_t *packet = g_malloc(u->payload_bytes);
    HcdEvent event =
        hcd_expect_te(u->h, .dev = u->dev, .dci = UVC_VIDEO, .cc = CC_SUCCESS,
                      .cc2 = CC_SHORT_PACKET, .ptr = u->trb[i]);

    bytes = u->payload_bytes - event.len;
    qtest_bufread(u->h->qts, u->buf[i], packet, MAX(bytes, 12));
    check_header(u, packet, bytes, &event, p);
    p->info = packet[1];
    p->pts = load32(packet + 2);
    p->bytes = bytes - 12;
    memcpy(p->data, packet + 12, p->bytes);
    queue(u);
    hcd_ring_ep(u->h, u->dev, UVC_VIDEO);
}

/* The number of the frame that is due at a time stamp, which is exact. */
static uint64_t number_of(Uvc *u, uint32_t pts)
{
    uint32_t ticks = pts - (uint32_t)(u->epoch_uf * 6000);
    uint64_t n = ((uint64_t)ticks * 5 / 24 + u->format.interval_100ns / 2) /
                 u->format.interval_100ns;

    hcd_check(ticks == (uint32_t)(n * u->format.interval_100ns * 24 / 5),
              "PTS %u is not the time of a frame", pts);
    return n;
}

/* FID is the same in all headers of a frame and another one in the next; EOF
 * stands in the last. */
UvcFrame uvc_frame(Uvc *u)
{
    UvcFrame frame = { .bytes = g_byte_array_new() };
    g_autofree UvcPayload *p = g_new(UvcPayload, 1);

    do {
        uvc_payload(u, p);
        if (frame.payloads == 0) {
            if (p->bytes == 0) {
                continue;
            }
            hcd_check(u->fid != (p->info & UVC_FID),
                      "a frame begins and FID is still %d", u->fid);
            u->fid = p->info & UVC_FID;
            frame.first_uf = p->uf;
            frame.number = number_of(u, p->pts);
        }
        hcd_check((p->info & UVC_FID) == u->fid && p->bytes > 0,
                  "frame %" PRIu64 " has a hole", frame.number);
        hcd_check(frame.number == number_of(u, p->pts), "PTS changed");
        g_byte_array_append(frame.bytes, p->data, p->bytes);
        frame.info |= p->info;
        frame.payloads++;
        frame.last_uf = p->uf;
        if (frame.payloads == u->migrate_after) {
            u->migrate_after = 0;
            hcd_migrate(u->h);
        }
    } while (!(p->info & UVC_EOF));
    return frame;
}

void uvc_expect_frame_at(Uvc *u, UvcFrame frame, const isoav_vformat *format,
                         const isoav_vcontrols *controls, const char *file,
                         int line)
{
    const uint8_t *want;
    uint32_t bytes, i;
    bool repeated;

    g_assert_true(isoav_vsource_start(u->source, format));
    want = isoav_vsource_frame(u->source, frame.number, controls, &bytes,
                               &repeated);
    for (i = 0; i < MIN(bytes, frame.bytes->len); i++) {
        if (want[i] != frame.bytes->data[i]) {
            hcd_fail(file, line, "frame %" PRIu64 ": byte %u is %02x, not %02x",
                     frame.number, i, frame.bytes->data[i], want[i]);
        }
    }
    if (frame.bytes->len != bytes) {
        hcd_fail(file, line, "frame %" PRIu64 " has %u bytes, not %u",
                 frame.number, frame.bytes->len, bytes);
    }
    g_byte_array_free(frame.bytes, true);
}
