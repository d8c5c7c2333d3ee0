/*
 * Profile "vendor": USB packets in, calls of isoav_streams_* out.
 *
 *  1. The device sends what its alternate says, whatever buffer the
 *     controller has. What does not fit is babble (USB 2.0 §8.7.4): as much
 *     as fits is delivered and the status says so.
 *  2. An isochronous OUT packet has no handshake: it is always taken, and
 *     judged in the counters.
 *  3. QEMU keeps the configuration and the alternates that GET_CONFIGURATION
 *     and GET_INTERFACE report, the streams keep those they work by; both
 *     change in the same place, and a saved file must have both alike.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "trace-hw_av.h"

#include "hw/av/control.h"
#include "hw/av/descriptors.h"
#include "hw/av/streams.h"
#include "isolab/pattern.h"

static void no_endpoint(ISOAVDevice *s, USBPacket *p)
{
    trace_isoav_no_endpoint(s->dev.addr, p->pid, p->ep->nr);
    p->status = USB_RET_STALL;
}

static void packet_in(ISOAVDevice *s, USBPacket *p, int iface)
{
    isoav_streams *streams = s->state;
    uint64_t microframe = isoav_packet_uf(p);
    size_t room = usb_packet_size(p), bytes;
    isoav_reply reply;

    if (!isoav_streams_send(streams, iface, microframe, &reply)) {
        no_endpoint(s, p);
        return;
    }
    if (reply.header.flags & ISOAV_FLAG_SOF && iface == ISOAV_IFACE_VIDEO) {
        trace_isoav_frame_begin(s->dev.addr, reply.header.frame, microframe,
                                streams->counters[iface][ISOAV_COUNT_SKIPPED]);
    }
    bytes = reply.head_bytes + reply.payload_bytes;
    trace_isoav_packet_in(s->dev.addr, reply.header.stream,
                          reply.header.sequence, microframe, reply.header.frame,
                          bytes);
    isoav_packet_put(p, reply.head, reply.head_bytes);
    isoav_packet_put(p, reply.payload, reply.payload_bytes);
    if (bytes > room) {
        trace_isoav_packet_babble(s->dev.addr, p->ep->nr, bytes, room);
        p->status = USB_RET_BABBLE;
    }
}

/* Rule 2. */
static void packet_out(ISOAVDevice *s, USBPacket *p)
{
    size_t bytes = usb_packet_size(p);
    size_t stored = MIN(bytes, ISOAV_PACKET_MAX);
    uint8_t wire[ISOAV_PACKET_MAX];
    isoav_testfn_result result;

    usb_packet_copy(p, wire, stored);
    if (!isoav_streams_receive(s->state, wire, MIN(bytes, UINT32_MAX),
                               &result)) {
        p->actual_length = 0;
        no_endpoint(s, p);
        return;
    }
    usb_packet_skip(p, bytes - stored);
    trace_isoav_packet_out(s->dev.addr, result.header.sequence,
                           isoav_packet_uf(p), bytes, result.verdict,
                           result.lost);
}

static void vendor_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    if (token == USB_TOKEN_OUT) {
        packet_out(s, p);
    } else if (nr == (ISOAV_EP_VIDEO_IN & 0x0f)) {
        packet_in(s, p, ISOAV_IFACE_VIDEO);
    } else {
        packet_in(s, p, ISOAV_IFACE_TEST);
    }
}

static int vendor_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                                 uint8_t *data)
{
    return isoav_control_request(s->state, setup, isoav_clock_uf(), data);
}

static void vendor_set_configuration(ISOAVDevice *s, int value)
{
    isoav_streams_configure(s->state, value);
}

static void vendor_set_interface(ISOAVDevice *s, int iface, int alternate)
{
    isoav_streams_select(s->state, iface, alternate);
}

/* The bus may be a slower one than the last time. */
static void vendor_reset(ISOAVDevice *s)
{
    isoav_streams *streams = s->state;

    streams->is_full = s->dev.speed == USB_SPEED_FULL;
    isoav_streams_reset(streams);
}

static void vendor_realize(ISOAVDevice *s, Error **errp)
{
    isoav_streams *streams = s->state;

    streams->pixels = g_malloc(ISOLAB_PATTERN_BYTES_MAX);
}

static void vendor_unrealize(ISOAVDevice *s)
{
    isoav_streams *streams = s->state;

    g_free(streams->pixels);
}

/* Rule 3. The picture is drawn again when it is wanted. */
static bool vendor_post_load(ISOAVDevice *s)
{
    isoav_streams *streams = s->state;

    streams->has_pixels = false;
    return isoav_streams_is_sane(streams) &&
           streams->is_configured == !!s->dev.config &&
           streams->alternate[ISOAV_IFACE_VIDEO] ==
               s->dev.altsetting[ISOAV_IFACE_VIDEO] &&
           streams->alternate[ISOAV_IFACE_TEST] ==
               s->dev.altsetting[ISOAV_IFACE_TEST];
}

/* Names of ISOAV_COUNT_*. */
static const char *const counter_names[ISOAV_COUNTERS] = {
    [ISOAV_COUNT_FRAMES] = "frames",
    [ISOAV_COUNT_PACKETS_IN] = "packets-in",
    [ISOAV_COUNT_BYTES_IN] = "bytes-in",
    [ISOAV_COUNT_SKIPPED] = "frames-skipped",
    [ISOAV_COUNT_PACKETS_OUT] = "packets-out",
    [ISOAV_COUNT_BYTES_OUT] = "bytes-out",
    [ISOAV_COUNT_BAD_OUT] = "bad-out",
    [ISOAV_COUNT_LOST_OUT] = "lost-out",
};

static QDict *iface_stats(const isoav_streams *streams, int iface)
{
    QDict *stats = qdict_new();

    qdict_put_int(stats, "alternate", streams->alternate[iface]);
    for (int i = 0; i < ISOAV_COUNTERS; i++) {
        qdict_put_int(stats, counter_names[i], streams->counters[iface][i]);
    }
    return stats;
}

static void vendor_stats(const ISOAVDevice *s, QDict *stats)
{
    const isoav_streams *streams = s->state;
    QDict *test = iface_stats(streams, ISOAV_IFACE_TEST);

    qdict_put_int(test, "fifo-level", streams->test.count);
    qdict_put(stats, "video", iface_stats(streams, ISOAV_IFACE_VIDEO));
    qdict_put(stats, "test", test);
}

const isoav_profile isoav_profile_vendor = {
    .name = "vendor",
    .help = "test picture and test function under class FFh",
    .product = "IsoLab A/V test device",
    .descriptors = { [ISOAV_SPEED_FULL] = &isoav_descriptors_vendor_full,
                     [ISOAV_SPEED_HIGH] = &isoav_descriptors_vendor,
                     [ISOAV_SPEED_SUPER] = &isoav_descriptors_vendor_super },
    .state_bytes = sizeof(isoav_streams),
    .realize = vendor_realize,
    .unrealize = vendor_unrealize,
    .reset = vendor_reset,
    .set_configuration = vendor_set_configuration,
    .set_interface = vendor_set_interface,
    .handle_control = vendor_handle_control,
    .handle_data = vendor_handle_data,
    .post_load = vendor_post_load,
    .stats = vendor_stats,
};

static bool vendor_is_present(void *opaque)
{
    ISOAVDevice *s = opaque;

    return s->profile == &isoav_profile_vendor;
}

static int vendor_pre_load(void *opaque)
{
    return vendor_is_present(opaque) ? 0 : -EINVAL;
}

static bool loopback_is_present(void *opaque)
{
    isoav_streams *streams = opaque;

    return streams->test.count > 0;
}

static const VMStateDescription vmstate_loopback_packet = {
    .name = "usb-isoav/loopback-packet",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT16(bytes, isoav_loopback_packet),
            VMSTATE_UINT8_ARRAY(wire, isoav_loopback_packet, ISOAV_PACKET_MAX),
            VMSTATE_END_OF_LIST(),
        },
};

/* The loopback queue is large and usually empty: a subsection. */
static const VMStateDescription vmstate_loopback = {
    .name = "usb-isoav/streams/loopback",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = loopback_is_present,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT32(test.first, isoav_streams),
            VMSTATE_UINT32(test.count, isoav_streams),
            VMSTATE_STRUCT_ARRAY(
                test.queue, isoav_streams, ISOAV_LOOPBACK_PACKETS, 1,
                vmstate_loopback_packet, isoav_loopback_packet),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_streams = {
    .name = "usb-isoav/streams",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_BOOL(is_configured, isoav_streams),
            VMSTATE_UINT16(width, isoav_streams),
            VMSTATE_UINT16(height, isoav_streams),
            VMSTATE_UINT32(interval_100ns, isoav_streams),
            VMSTATE_UINT8(mode, isoav_streams),
            VMSTATE_UINT8_ARRAY(alternate, isoav_streams, ISOAV_IFACES),
            VMSTATE_UINT32_ARRAY(sequence, isoav_streams, ISOAV_IFACES),
            VMSTATE_UINT64_2DARRAY(counters, isoav_streams, ISOAV_IFACES,
                                   ISOAV_COUNTERS),
            VMSTATE_UINT32(video.interval_100ns, isoav_streams),
            VMSTATE_UINT32(video.frame_bytes, isoav_streams),
            VMSTATE_UINT32(video.chunk_bytes, isoav_streams),
            VMSTATE_BOOL(video.is_started, isoav_streams),
            VMSTATE_BOOL(video.is_sending, isoav_streams),
            VMSTATE_UINT64(video.start_uf, isoav_streams),
            VMSTATE_UINT64(video.frame, isoav_streams),
            VMSTATE_UINT32(video.offset, isoav_streams),
            VMSTATE_UINT32(test.expected, isoav_streams),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *[]){
            &vmstate_loopback,
            NULL,
        },
};

const VMStateDescription isoav_vmstate_vendor = {
    .name = "usb-isoav/vendor",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = vendor_is_present,
    .pre_load = vendor_pre_load,
    .fields =
        (VMStateField[]){
            VMSTATE_STRUCT_POINTER(state, ISOAVDevice, vmstate_streams, void),
            VMSTATE_END_OF_LIST(),
        },
};
