/*
 * usb-isoav as a QEMU device: USB requests and packets in, calls of
 * isoav_streams_* out.
 *
 *  1. The time of a packet is its microframe. A controller that knows it puts
 *     it into USBPacket.parameter, which is unused on isochronous packets;
 *     else the virtual clock is read.
 *  2. The device sends what its alternate says, whatever buffer the
 *     controller has. What does not fit is babble (USB 2.0 §8.7.4): as much
 *     as fits is delivered and the status says so.
 *  3. An isochronous OUT packet has no handshake: it is always taken, and
 *     judged in the counters.
 *  4. QEMU keeps the configuration and the alternates that GET_CONFIGURATION
 *     and GET_INTERFACE report, the streams keep those they work by; both
 *     change in the same place. The set_interface callback is not used: QEMU
 *     does not call it when the present alternate is selected again, and that
 *     restarts a stream, too.
 *  5. Nothing a guest does ends in an assertion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "hw/usb/desc.h"
#include "trace-hw_av.h"

#include "hw/av/control.h"
#include "hw/av/descriptors.h"
#include "isolab/pattern.h"

#define TYPE_ISOAV "usb-isoav"
#define PROFILE_VENDOR "vendor"
#define SPEED_HIGH "high"
#define SPEED_SUPER "super"
#define NS_PER_UF 125000

DECLARE_INSTANCE_CHECKER(ISOAVDevice, ISOAV, TYPE_ISOAV)

static uint64_t clock_uf(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) / NS_PER_UF;
}

/* Rule 1. */
static uint64_t packet_uf(const USBPacket *p)
{
    return p->parameter ? p->parameter : clock_uf();
}

static void no_endpoint(ISOAVDevice *s, USBPacket *p)
{
    trace_isoav_no_endpoint(s->dev.addr, p->pid, p->ep->nr);
    p->status = USB_RET_STALL;
}

/* Rule 2: what there is room for. */
static void put(USBPacket *p, const uint8_t *bytes, size_t count)
{
    size_t room = usb_packet_size(p) - p->actual_length;

    usb_packet_copy(p, (void *)bytes, MIN(count, room));
}

static void packet_in(ISOAVDevice *s, USBPacket *p, int iface)
{
    isoav_streams *streams = &s->streams;
    uint64_t microframe = packet_uf(p);
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
    put(p, reply.head, reply.head_bytes);
    put(p, reply.payload, reply.payload_bytes);
    if (bytes > room) {
        trace_isoav_packet_babble(s->dev.addr, p->ep->nr, bytes, room);
        p->status = USB_RET_BABBLE;
    }
}

/* Rule 3. */
static void packet_out(ISOAVDevice *s, USBPacket *p)
{
    size_t bytes = usb_packet_size(p);
    size_t stored = MIN(bytes, ISOAV_PACKET_MAX);
    uint8_t wire[ISOAV_PACKET_MAX];
    isoav_testfn_result result;

    usb_packet_copy(p, wire, stored);
    if (!isoav_streams_receive(&s->streams, wire, MIN(bytes, UINT32_MAX),
                               &result)) {
        p->actual_length = 0;
        no_endpoint(s, p);
        return;
    }
    usb_packet_skip(p, bytes - stored);
    trace_isoav_packet_out(s->dev.addr, result.header.sequence, packet_uf(p),
                           bytes, result.verdict, result.lost);
}

static void isoav_handle_data(USBDevice *dev, USBPacket *p)
{
    ISOAVDevice *s = ISOAV(dev);

    if (p->pid == USB_TOKEN_IN && p->ep->nr == (ISOAV_EP_VIDEO_IN & 0x0f)) {
        packet_in(s, p, ISOAV_IFACE_VIDEO);
    } else if (p->pid == USB_TOKEN_IN &&
               p->ep->nr == (ISOAV_EP_TEST_IN & 0x0f)) {
        packet_in(s, p, ISOAV_IFACE_TEST);
    } else if (p->pid == USB_TOKEN_OUT && p->ep->nr == ISOAV_EP_TEST_OUT) {
        packet_out(s, p);
    } else {
        no_endpoint(s, p);
    }
}

/* Does this endpoint exist in the present alternates (address 0: always)? */
static bool has_endpoint(const isoav_streams *s, int address)
{
    switch (address) {
    case 0x00:
    case 0x80:
        return true;
    case ISOAV_EP_VIDEO_IN:
        return s->is_configured && s->alternate[ISOAV_IFACE_VIDEO] != 0;
    case ISOAV_EP_TEST_IN:
        return s->is_configured && s->alternate[ISOAV_IFACE_TEST] != 0;
    case ISOAV_EP_TEST_OUT:
        return s->is_configured && s->alternate[ISOAV_IFACE_TEST] != 0 &&
               s->alternate[ISOAV_IFACE_TEST] != ISOAV_TEST_ALT_SUPER;
    default:
        return false;
    }
}

/*
 * The standard requests that QEMU leaves to the device, for an interface or
 * an endpoint (USB 2.0 §9.4.1, §9.4.5). An isochronous endpoint never halts,
 * so its status is 0 and clearing its halt is no work.
 */
static int standard_request(ISOAVDevice *s, int request, int value, int index,
                            uint8_t *data)
{
    bool exists;

    switch (request) {
    case InterfaceRequest | USB_REQ_GET_STATUS:
        exists = s->streams.is_configured && index < ISOAV_IFACES;
        break;
    case EndpointRequest | USB_REQ_GET_STATUS:
        exists = has_endpoint(&s->streams, index);
        break;
    case EndpointOutRequest | USB_REQ_CLEAR_FEATURE:
        return value == 0 && has_endpoint(&s->streams, index) ? 0 : -1;
    default:
        return -1;
    }
    memset(data, 0, 2);
    return exists ? 2 : -1;
}

/* What QEMU's descriptor code has accepted, for the streams (rule 4). */
static void follow_request(ISOAVDevice *s, int request, int value, int index)
{
    switch (request) {
    case DeviceOutRequest | USB_REQ_SET_CONFIGURATION:
        trace_isoav_configure(s->dev.addr, value);
        isoav_streams_configure(&s->streams, value);
        break;
    case InterfaceOutRequest | USB_REQ_SET_INTERFACE:
        trace_isoav_select(s->dev.addr, index, value);
        isoav_streams_select(&s->streams, index, value);
        break;
    }
}

static void isoav_handle_control(USBDevice *dev, USBPacket *p, int request,
                                 int value, int index, int length,
                                 uint8_t *data)
{
    ISOAVDevice *s = ISOAV(dev);
    isoav_setup setup = {
        .bmRequestType = request >> 8,
        .bRequest = request & 0xff,
        .wValue = value,
        .wIndex = index,
        .wLength = length,
    };
    bool is_unknown_configuration =
        request == (DeviceOutRequest | USB_REQ_SET_CONFIGURATION) &&
        value != 0 && value != ISOAV_CONFIGURATION;
    int bytes;

    /* USB 2.0 §9.4.7: a Request Error; QEMU would accept it. */
    if (!is_unknown_configuration &&
        usb_desc_handle_control(dev, p, request, value, index, length, data) >=
            0) {
        follow_request(s, request, value, index);
        return;
    }
    bytes = standard_request(s, request, value, index, data);
    if (bytes < 0) {
        bytes = isoav_control_request(&s->streams, &setup, clock_uf(), data);
        trace_isoav_request(dev->addr, request, index, length, bytes);
    }
    if (bytes < 0) {
        p->status = USB_RET_STALL;
        return;
    }
    p->actual_length = MIN(bytes, length);
}

/* USB 2.0 §9.1.1.3: after a reset the device is not configured. */
static void isoav_handle_reset(USBDevice *dev)
{
    ISOAVDevice *s = ISOAV(dev);

    trace_isoav_reset(dev->addr);
    usb_desc_attach(dev);
    isoav_streams_reset(&s->streams);
}

static void isoav_realize(USBDevice *dev, Error **errp)
{
    ISOAVDevice *s = ISOAV(dev);

    dev->usb_desc = s->is_super ? &isoav_descriptors_vendor_super
                                : &isoav_descriptors_vendor;
    usb_desc_create_serial(dev);
    usb_desc_init(dev);
    s->streams.pixels = g_malloc(ISOLAB_PATTERN_BYTES_MAX);
    isoav_streams_reset(&s->streams);
}

static void isoav_unrealize(USBDevice *dev)
{
    ISOAVDevice *s = ISOAV(dev);

    g_free(s->streams.pixels);
    s->streams.pixels = NULL;
}

static char *isoav_get_profile(Object *obj, Error **errp)
{
    return g_strdup(PROFILE_VENDOR);
}

static void isoav_set_profile(Object *obj, const char *value, Error **errp)
{
    if (!g_str_equal(value, PROFILE_VENDOR)) {
        error_setg(errp,
                   "usb-isoav has no profile '%s', only '" PROFILE_VENDOR "'",
                   value);
    }
}

static char *isoav_get_speed(Object *obj, Error **errp)
{
    return g_strdup(ISOAV(obj)->is_super ? SPEED_SUPER : SPEED_HIGH);
}

static void isoav_set_speed(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (s->dev.qdev.realized) {
        error_setg(errp, "the speed of a usb-isoav cannot change any more");
    } else if (g_str_equal(value, SPEED_HIGH) ||
               g_str_equal(value, SPEED_SUPER)) {
        s->is_super = g_str_equal(value, SPEED_SUPER);
    } else {
        error_setg(errp,
                   "usb-isoav has no speed '%s', only '" SPEED_HIGH
                   "' and '" SPEED_SUPER "'",
                   value);
    }
}

static void isoav_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);

    uc->realize = isoav_realize;
    uc->unrealize = isoav_unrealize;
    uc->handle_attach = isoav_handle_reset;
    uc->handle_reset = isoav_handle_reset;
    uc->handle_control = isoav_handle_control;
    uc->handle_data = isoav_handle_data;
    uc->product_desc = "IsoLab A/V test device";
    uc->usb_desc = &isoav_descriptors_vendor;

    dc->desc = "USB isochronous audio/video test device (IsoLab)";
    dc->vmsd = &isoav_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);

    object_class_property_add_str(klass, "profile", isoav_get_profile,
                                  isoav_set_profile);
    object_class_property_set_description(
        klass, "profile",
        "what the device is to its host; '" PROFILE_VENDOR
        "': test picture and test function under class FFh");
    object_class_property_add_str(klass, "speed", isoav_get_speed,
                                  isoav_set_speed);
    object_class_property_set_description(
        klass, "speed",
        "the fastest that the device can do, '" SPEED_HIGH
        "' (default) or '" SPEED_SUPER "'");
}

static const TypeInfo isoav_type_info = {
    .name = TYPE_ISOAV,
    .parent = TYPE_USB_DEVICE,
    .instance_size = sizeof(ISOAVDevice),
    .class_init = isoav_class_init,
};

static void isoav_register_types(void)
{
    type_register_static(&isoav_type_info);
}

type_init(isoav_register_types)
