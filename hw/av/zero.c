/*
 * Profile "zero": a device like Linux's Gadget Zero, on which the kernel's own
 * usbtest tries out controllers.
 *
 *  1. Source and sink never make the host wait: IN endpoints have a packet
 *     whenever they are asked, OUT endpoints take what comes.
 *  2. A bulk or interrupt source fills what the host offers, to the byte, and
 *     so never is short. The isochronous source sends the packet of its
 *     descriptor; what does not fit is babble (USB 2.0 §8.7.4).
 *  3. A bulk or interrupt packet that is not the pattern halts its endpoint
 *     (USB 2.0 §8.4.5), after it was taken: the host sees it with the next
 *     one. An isochronous one is counted, no more.
 *  4. Loopback: what comes in on the bulk OUT endpoint goes out on the IN one,
 *     transfer by transfer. Where there is nothing to send, or no room, the
 *     device answers NAK and wakes the endpoint when there is. A transfer that
 *     is larger than the whole queue halts the endpoint.
 *  5. A zero-length packet that ends a transfer of whole packets is no
 *     transfer by itself.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "qapi/error.h"
#include "qapi/visitor.h"

#include "hw/av/descriptors.h"
#include "hw/av/fifo.h"
#include "hw/av/zero.h"

typedef struct {
    uint64_t packets;
    uint64_t bytes;
    uint64_t bad; /* OUT: not the pattern. IN: babble */
} zero_counters;

typedef struct {
    uint8_t buffer[ISOAV_ZERO_BUFFER]; /* of the vendor requests */
    zero_counters in[ISOAV_ZERO_EPS], out[ISOAV_ZERO_EPS];
    bool is_whole; /* the last bulk OUT transfer may have an end to come */
    bool wants_in, wants_out; /* answered NAK */
    isoav_fifo fifo;
} zero_state;

static bool is_loopback(const ISOAVDevice *s)
{
    return s->dev.configuration == ISOAV_ZERO_LOOPBACK;
}

static void count(zero_counters *c, const USBPacket *p)
{
    c->packets++;
    c->bytes += MAX(p->actual_length, 0);
}

/* A packet's bytes at a time: the pattern begins anew with each. */
static size_t step_bytes(const USBPacket *p, size_t left)
{
    size_t max = p->ep->max_packet_size;

    return MIN(left, MIN(max ? max : 1, ISOAV_ZERO_PACKET_MAX));
}

/* Rules 1 and 2. */
static void source(ISOAVDevice *s, USBPacket *p)
{
    zero_state *z = s->state;
    zero_counters *c = &z->in[p->ep->nr];
    size_t room = usb_packet_size(p), left = room;

    if (p->ep->type == USB_ENDPOINT_XFER_ISOC) {
        left = p->ep->max_packet_size;
    }
    if (left > room) {
        c->bad++;
        p->status = USB_RET_BABBLE;
        left = room;
    }
    while (left > 0) {
        size_t bytes = step_bytes(p, left);

        isoav_packet_put(p, isoav_zero_packet(s->zero_pattern), bytes);
        left -= bytes;
    }
    count(c, p);
}

/* Rules 1 and 3. */
static void sink(ISOAVDevice *s, USBPacket *p)
{
    zero_state *z = s->state;
    zero_counters *c = &z->out[p->ep->nr];
    size_t left = usb_packet_size(p);
    uint8_t bytes[ISOAV_ZERO_PACKET_MAX];
    bool ok = true;

    while (left > 0) {
        size_t step = step_bytes(p, left);

        usb_packet_copy(p, bytes, step);
        ok = isoav_zero_packet_ok(s->zero_pattern, bytes, step) && ok;
        left -= step;
    }
    count(c, p);
    if (!ok) {
        c->bad++;
        isoav_halt(s, p->ep);
    }
}

static void wake(ISOAVDevice *s, int token, bool *wants)
{
    if (*wants) {
        *wants = false;
        usb_wakeup(usb_ep_get(&s->dev, token, ISOAV_ZERO_BULK), 0);
    }
}

/* Rules 4 and 5. */
static void loop_out(ISOAVDevice *s, USBPacket *p)
{
    zero_state *z = s->state;
    size_t bytes = usb_packet_size(p);
    uint8_t *place = NULL;

    if (bytes == 0 && z->is_whole) {
        z->is_whole = false;
        return;
    }
    if (bytes > ISOAV_FIFO_BYTES) {
        isoav_halt(s, p->ep);
        p->status = USB_RET_STALL;
        return;
    }
    place = isoav_fifo_push(&z->fifo, bytes);
    if (!place) {
        z->wants_out = true;
        p->status = USB_RET_NAK;
        return;
    }
    usb_packet_copy(p, place, bytes);
    z->is_whole = bytes > 0 && bytes % p->ep->max_packet_size == 0;
    count(&z->out[p->ep->nr], p);
    wake(s, USB_TOKEN_IN, &z->wants_in);
}

static void loop_in(ISOAVDevice *s, USBPacket *p)
{
    zero_state *z = s->state;
    size_t room = MIN(usb_packet_size(p), ISOAV_FIFO_BYTES);
    uint32_t bytes;
    const uint8_t *place = isoav_fifo_pop(&z->fifo, room, &bytes);

    if (!place) {
        z->wants_in = true;
        p->status = USB_RET_NAK;
        return;
    }
    isoav_packet_put(p, place, bytes);
    count(&z->in[p->ep->nr], p);
    wake(s, USB_TOKEN_OUT, &z->wants_out);
}

static void zero_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    if (is_loopback(s)) {
        (token == USB_TOKEN_IN ? loop_in : loop_out)(s, p);
    } else {
        (token == USB_TOKEN_IN ? source : sink)(s, p);
    }
}

static int zero_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                               uint8_t *data)
{
    zero_state *z = s->state;

    return isoav_zero_request(z->buffer, setup, data);
}

/* Another configuration or alternate: nothing is under way. */
static void forget_transfers(ISOAVDevice *s)
{
    zero_state *z = s->state;

    z->is_whole = z->wants_in = z->wants_out = false;
    z->fifo.first = z->fifo.bytes = 0;
    z->fifo.first_length = z->fifo.transfers = 0;
}

static void zero_set_configuration(ISOAVDevice *s, int value)
{
    forget_transfers(s);
}

static void zero_set_interface(ISOAVDevice *s, int iface, int alternate)
{
    forget_transfers(s);
}

static void zero_reset(ISOAVDevice *s)
{
    forget_transfers(s);
}

static bool zero_post_load(ISOAVDevice *s)
{
    zero_state *z = s->state;

    return isoav_fifo_is_sane(&z->fifo);
}

static void put_counters(QDict *stats, const char *name, const zero_counters *c)
{
    QDict *counters = qdict_new();

    qdict_put_int(counters, "packets", c->packets);
    qdict_put_int(counters, "bytes", c->bytes);
    qdict_put_int(counters, "bad", c->bad);
    qdict_put(stats, name, counters);
}

static void zero_stats(const ISOAVDevice *s, QDict *stats)
{
    const zero_state *z = s->state;

    put_counters(stats, "bulk-in", &z->in[ISOAV_ZERO_BULK]);
    put_counters(stats, "bulk-out", &z->out[ISOAV_ZERO_BULK]);
    put_counters(stats, "isoch-in", &z->in[ISOAV_ZERO_ISOCH]);
    put_counters(stats, "isoch-out", &z->out[ISOAV_ZERO_ISOCH]);
    put_counters(stats, "interrupt-in", &z->in[ISOAV_ZERO_INTERRUPT]);
    put_counters(stats, "interrupt-out", &z->out[ISOAV_ZERO_INTERRUPT]);
    qdict_put_int(stats, "fifo-level", z->fifo.bytes);
}

static void zero_get_pattern(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    visit_type_uint8(v, name, &ISOAV(obj)->zero_pattern, errp);
}

static void zero_set_pattern(Object *obj, Visitor *v, const char *name,
                             void *opaque, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);
    uint8_t value;

    if (!visit_type_uint8(v, name, &value, errp)) {
        return;
    }
    if (value >= ISOAV_ZERO_PATTERNS) {
        error_setg(errp, "usb-isoav has no pattern %u, only 0, 1 and 2", value);
        return;
    }
    s->zero_pattern = value;
    isoav_property_is_for(s, &isoav_profile_zero, name);
}

static void zero_add_properties(ObjectClass *klass)
{
    object_class_property_add(klass, "pattern", "uint8", zero_get_pattern,
                              zero_set_pattern, NULL, NULL);
    object_class_property_set_description(
        klass, "pattern",
        "profile zero: data of source and sink, 0 (default): zeros, 1: modulo "
        "63, 2: the sink takes anything");
}

const isoav_profile isoav_profile_zero = {
    .name = "zero",
    .help = "Linux's Gadget Zero, for its usbtest",
    .product = "Gadget Zero of IsoLab",
    .descriptors = { [ISOAV_SPEED_FULL] = &isoav_descriptors_zero_full,
                     [ISOAV_SPEED_HIGH] = &isoav_descriptors_zero_high,
                     [ISOAV_SPEED_SUPER] = &isoav_descriptors_zero_super },
    .state_bytes = sizeof(zero_state),
    .add_properties = zero_add_properties,
    .reset = zero_reset,
    .set_configuration = zero_set_configuration,
    .set_interface = zero_set_interface,
    .handle_control = zero_handle_control,
    .handle_data = zero_handle_data,
    .post_load = zero_post_load,
    .stats = zero_stats,
};

static bool zero_is_present(void *opaque)
{
    ISOAVDevice *s = opaque;

    return s->profile == &isoav_profile_zero;
}

static int zero_pre_load(void *opaque)
{
    return zero_is_present(opaque) ? 0 : -EINVAL;
}

static bool fifo_is_present(void *opaque)
{
    zero_state *z = opaque;

    return z->fifo.transfers > 0;
}

static const VMStateDescription vmstate_counters = {
    .name = "usb-isoav/zero-counters",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT64(packets, zero_counters),
            VMSTATE_UINT64(bytes, zero_counters),
            VMSTATE_UINT64(bad, zero_counters),
            VMSTATE_END_OF_LIST(),
        },
};

/* Large and usually empty: a subsection. */
static const VMStateDescription vmstate_fifo = {
    .name = "usb-isoav/zero-state/fifo",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = fifo_is_present,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT32(fifo.first, zero_state),
            VMSTATE_UINT32(fifo.bytes, zero_state),
            VMSTATE_UINT32(fifo.first_length, zero_state),
            VMSTATE_UINT32(fifo.transfers, zero_state),
            VMSTATE_UINT32_ARRAY(fifo.lengths, zero_state,
                                 ISOAV_FIFO_TRANSFERS),
            VMSTATE_UINT8_ARRAY(fifo.data, zero_state, ISOAV_FIFO_BYTES),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_zero = {
    .name = "usb-isoav/zero-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8_ARRAY(buffer, zero_state, ISOAV_ZERO_BUFFER),
            VMSTATE_STRUCT_ARRAY(in, zero_state, ISOAV_ZERO_EPS, 1,
                                 vmstate_counters, zero_counters),
            VMSTATE_STRUCT_ARRAY(out, zero_state, ISOAV_ZERO_EPS, 1,
                                 vmstate_counters, zero_counters),
            VMSTATE_BOOL(is_whole, zero_state),
            VMSTATE_BOOL(wants_in, zero_state),
            VMSTATE_BOOL(wants_out, zero_state),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *[]){
            &vmstate_fifo,
            NULL,
        },
};

const VMStateDescription isoav_vmstate_zero = {
    .name = "usb-isoav/zero",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = zero_is_present,
    .pre_load = zero_pre_load,
    .fields =
        (VMStateField[]){
            VMSTATE_STRUCT_POINTER(state, ISOAVDevice, vmstate_zero, void),
            VMSTATE_END_OF_LIST(),
        },
};
