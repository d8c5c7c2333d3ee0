/*
 * usb-isoav as a QEMU device: what all of its profiles share (profile.h).
 *
 *  1. The time of a packet is its microframe. A controller that knows it puts
 *     it into USBPacket.parameter, which is unused on isochronous packets;
 *     else the virtual clock is read.
 *  2. QEMU's descriptor code answers the standard requests it knows and keeps
 *     configuration and alternates; the profile hears of each request that was
 *     accepted. The set_interface callback is not used for that: QEMU does not
 *     call it when the present alternate is selected again, and that restarts
 *     a stream, too.
 *  3. A halted endpoint answers STALL until its halt is cleared, by request,
 *     by selecting an alternate or a configuration, or by a reset (USB 2.0
 *     §9.4.5). Isochronous endpoints never halt.
 *  4. `speed` is the fastest that the device can do; on a slower port it is a
 *     slower device.
 *  5. Nothing a guest does ends in an assertion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "qapi/error.h"
#include "qapi/visitor.h"
#include "qemu/cutils.h"
#include "qemu/module.h"
#include "qemu/timer.h"
#include "trace-hw_av.h"

#define NS_PER_UF 125000

/* By number in a saved file; the first is the default. */
static const isoav_profile *const profiles[] = {
    &isoav_profile_vendor,
    &isoav_profile_zero,
    &isoav_profile_av,
};

static const struct {
    const char *name;
    int mask;
} speeds[ISOAV_SPEEDS] = {
    [ISOAV_SPEED_FULL] = { "full", USB_SPEED_MASK_FULL },
    [ISOAV_SPEED_HIGH] = { "high", USB_SPEED_MASK_HIGH },
    [ISOAV_SPEED_SUPER] = { "super", USB_SPEED_MASK_SUPER },
};

uint64_t isoav_clock_uf(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) / NS_PER_UF;
}

/* Rule 1. */
uint64_t isoav_packet_uf(const USBPacket *p)
{
    return p->parameter ? p->parameter : isoav_clock_uf();
}

void isoav_packet_put(USBPacket *p, const uint8_t *bytes, size_t count)
{
    size_t room = usb_packet_size(p) - p->actual_length;

    usb_packet_copy(p, (void *)bytes, MIN(count, room));
}

/* QEMU's endpoint of an address; NULL: none in the present alternates. */
static USBEndpoint *find_endpoint(ISOAVDevice *s, int address)
{
    int token = address & USB_DIR_IN ? USB_TOKEN_IN : USB_TOKEN_OUT;
    int nr = address & 0x0f;
    USBEndpoint *ep;

    if (address & ~(USB_DIR_IN | 0x0f)) {
        return NULL;
    }
    ep = usb_ep_get(&s->dev, token, nr);
    return ep->type == USB_ENDPOINT_XFER_INVALID ? NULL : ep;
}

static uint16_t *halted(ISOAVDevice *s, bool is_in)
{
    return is_in ? &s->halted_in : &s->halted_out;
}

static bool is_halted(ISOAVDevice *s, int address)
{
    return *halted(s, address & USB_DIR_IN) >> (address & 0x0f) & 1;
}

static void isoav_handle_data(USBDevice *dev, USBPacket *p)
{
    ISOAVDevice *s = ISOAV(dev);
    int address = p->ep->nr | (p->pid == USB_TOKEN_IN ? USB_DIR_IN : 0);

    if (!find_endpoint(s, address)) {
        trace_isoav_no_endpoint(dev->addr, p->pid, p->ep->nr);
        p->status = USB_RET_STALL;
    } else if (is_halted(s, address)) {
        p->status = USB_RET_STALL;
    } else {
        s->profile->handle_data(s, p->pid, p->ep->nr, p);
    }
}

static void isoav_cancel_packet(USBDevice *dev, USBPacket *p)
{
    ISOAVDevice *s = ISOAV(dev);

    if (s->profile->cancel) {
        s->profile->cancel(s, p);
    }
}

static void isoav_flush_ep_queue(USBDevice *dev, USBEndpoint *ep)
{
    ISOAVDevice *s = ISOAV(dev);

    if (s->profile->flush) {
        s->profile->flush(s, ep);
    }
}

void isoav_halt(ISOAVDevice *s, const USBEndpoint *ep)
{
    if (ep->type != USB_ENDPOINT_XFER_ISOC) {
        trace_isoav_halt(s->dev.addr, ep->nr, true);
        *halted(s, ep->pid == USB_TOKEN_IN) |= 1u << ep->nr;
    }
}

/* Rule 3. Endpoint zero and isochronous endpoints have nothing to clear. */
static int set_halt(ISOAVDevice *s, int address, bool on)
{
    USBEndpoint *ep = find_endpoint(s, address);
    uint16_t bit = 1u << (address & 0x0f);
    uint16_t *bits = halted(s, address & USB_DIR_IN);
    bool can_halt = ep && (ep->type == USB_ENDPOINT_XFER_BULK ||
                           ep->type == USB_ENDPOINT_XFER_INT);

    if (!ep || (on && !can_halt)) {
        return ISOAV_CONTROL_STALL;
    }
    trace_isoav_halt(s->dev.addr, address, on);
    *bits = on ? *bits | bit : *bits & ~bit;
    if (!on && s->profile->clear_halt) {
        s->profile->clear_halt(s, address);
    }
    return 0;
}

/*
 * The standard requests that QEMU leaves to the device, for an interface or
 * an endpoint (USB 2.0 §9.4.1, §9.4.5, §9.4.9).
 */
static int standard_request(ISOAVDevice *s, int request, int value, int index,
                            uint8_t *data)
{
    bool exists, status = false;

    switch (request) {
    case InterfaceRequest | USB_REQ_GET_STATUS:
        exists = index < s->dev.ninterfaces;
        break;
    case EndpointRequest | USB_REQ_GET_STATUS:
        exists = find_endpoint(s, index);
        status = exists && is_halted(s, index);
        break;
    case EndpointOutRequest | USB_REQ_CLEAR_FEATURE:
    case EndpointOutRequest | USB_REQ_SET_FEATURE:
        return value == 0 /* ENDPOINT_HALT */
                   ? set_halt(s, index, (request & 0xff) == USB_REQ_SET_FEATURE)
                   : ISOAV_CONTROL_STALL;
    default:
        return ISOAV_CONTROL_STALL;
    }
    data[0] = status;
    data[1] = 0;
    return exists ? 2 : ISOAV_CONTROL_STALL;
}

static void clear_halts(ISOAVDevice *s)
{
    s->halted_in = 0;
    s->halted_out = 0;
}

static void clear_halts_of(ISOAVDevice *s, const USBDescIface *iface)
{
    for (int i = 0; i < iface->bNumEndpoints; i++) {
        int address = iface->eps[i].bEndpointAddress;

        *halted(s, address & USB_DIR_IN) &= ~(1u << (address & 0x0f));
    }
}

/* Rule 2: what QEMU's descriptor code has accepted. */
static void follow_request(ISOAVDevice *s, int request, int value, int index)
{
    const isoav_profile *profile = s->profile;

    switch (request) {
    case DeviceOutRequest | USB_REQ_SET_CONFIGURATION:
        trace_isoav_configure(s->dev.addr, value);
        clear_halts(s);
        if (profile->set_configuration) {
            profile->set_configuration(s, value);
        }
        break;
    case InterfaceOutRequest | USB_REQ_SET_INTERFACE:
        trace_isoav_select(s->dev.addr, index, value);
        clear_halts_of(s, s->dev.ifaces[index]);
        if (profile->set_interface) {
            profile->set_interface(s, index, value);
        }
        break;
    }
}

/*
 * What QEMU would accept and is a Request Error: a configuration that is not
 * there (USB 2.0 §9.4.7), a BOS of a device that is older than it (§9.4.3).
 */
static bool is_error(const USBDevice *dev, int request, int value)
{
    if (request == (DeviceRequest | USB_REQ_GET_DESCRIPTOR) &&
        value >> 8 == USB_DT_BOS) {
        return dev->device->bcdUSB < 0x0201;
    }
    if (request != (DeviceOutRequest | USB_REQ_SET_CONFIGURATION)) {
        return false;
    }
    for (int i = 0; i < dev->device->bNumConfigurations; i++) {
        if (dev->device->confs[i].bConfigurationValue == value) {
            return false;
        }
    }
    return value != 0;
}

/* An alternate that the profile does not let be selected. */
static bool is_refused(ISOAVDevice *s, int request, int value, int index)
{
    return request == (InterfaceOutRequest | USB_REQ_SET_INTERFACE) &&
           s->profile->may_select && !s->profile->may_select(s, index, value);
}

static int profile_request(ISOAVDevice *s, int request, int value, int index,
                           int length, uint8_t *data)
{
    isoav_setup setup = {
        .bmRequestType = request >> 8,
        .bRequest = request & 0xff,
        .wValue = value,
        .wIndex = index,
        .wLength = length,
    };
    int bytes = ISOAV_CONTROL_STALL;

    if (s->profile->handle_control) {
        bytes = s->profile->handle_control(s, &setup, data);
    }
    trace_isoav_request(s->dev.addr, request, index, length, bytes);
    return bytes;
}

static void isoav_handle_control(USBDevice *dev, USBPacket *p, int request,
                                 int value, int index, int length,
                                 uint8_t *data)
{
    ISOAVDevice *s = ISOAV(dev);
    int bytes = ISOAV_CONTROL_STALL;

    if (!is_error(dev, request, value) &&
        !is_refused(s, request, value, index)) {
        if (usb_desc_handle_control(dev, p, request, value, index, length,
                                    data) >= 0) {
            follow_request(s, request, value, index);
            return;
        }
        bytes = standard_request(s, request, value, index, data);
        if (bytes < 0) {
            bytes = profile_request(s, request, value, index, length, data);
        }
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
    clear_halts(s);
    s->profile->reset(s);
}

void isoav_property_is_for(ISOAVDevice *s, const isoav_profile *profile,
                           const char *property)
{
    s->owner = profile;
    s->owned_property = g_intern_string(property);
}

static bool check_properties(ISOAVDevice *s, Error **errp)
{
    if (s->owner && s->owner != s->profile) {
        error_setg(errp, "property '%s' of usb-isoav is for profile '%s' only",
                   s->owned_property, s->owner->name);
        return false;
    }
    return true;
}

/* Rule 4; NULL with an error: the port has none of its speeds. */
static const USBDesc *choose_descriptors(ISOAVDevice *s, Error **errp)
{
    const USBDesc *desc = s->profile->descriptors[s->speed];
    const USBPort *port = s->dev.port;
    int can = 0;

    can |= desc->full ? USB_SPEED_MASK_FULL : 0;
    can |= desc->high ? USB_SPEED_MASK_HIGH : 0;
    can |= desc->super ? USB_SPEED_MASK_SUPER : 0;
    if (!(port->speedmask & can)) {
        error_setg(errp,
                   "port %s has no speed of usb-isoav with profile '%s' "
                   "and speed '%s'",
                   port->path, s->profile->name, speeds[s->speed].name);
        return NULL;
    }
    return desc;
}

static void isoav_realize(USBDevice *dev, Error **errp)
{
    ISOAVDevice *s = ISOAV(dev);
    Error *err = NULL;

    if (!check_properties(s, errp)) {
        return;
    }
    dev->usb_desc = choose_descriptors(s, errp);
    if (!dev->usb_desc) {
        return;
    }
    pstrcpy(dev->product_desc, sizeof(dev->product_desc), s->profile->product);
    s->speed_id = s->speed;
    s->state = g_malloc0(s->profile->state_bytes);
    if (s->profile->realize) {
        s->profile->realize(s, &err);
    }
    if (err) {
        g_free(s->state);
        s->state = NULL;
        error_propagate(errp, err);
        return;
    }
    usb_desc_create_serial(dev);
    usb_desc_init(dev);
    s->profile->reset(s);
}

static void isoav_unrealize(USBDevice *dev)
{
    ISOAVDevice *s = ISOAV(dev);

    if (s->profile->unrealize) {
        s->profile->unrealize(s);
    }
    g_free(s->state);
    s->state = NULL;
}

static bool is_settable(ISOAVDevice *s, const char *property, Error **errp)
{
    if (s->dev.qdev.realized) {
        error_setg(errp, "the %s of a usb-isoav cannot change any more",
                   property);
        return false;
    }
    return true;
}

static char *isoav_get_profile(Object *obj, Error **errp)
{
    return g_strdup(ISOAV(obj)->profile->name);
}

static void isoav_set_profile(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);
    g_autoptr(GString) names = g_string_new(NULL);

    if (!is_settable(s, "profile", errp)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        if (g_str_equal(value, profiles[i]->name)) {
            s->profile = profiles[i];
            s->profile_id = i;
            return;
        }
        g_string_append_printf(names, " '%s'", profiles[i]->name);
    }
    error_setg(errp, "usb-isoav has no profile '%s', only%s", value,
               names->str);
}

static char *isoav_get_speed(Object *obj, Error **errp)
{
    return g_strdup(speeds[ISOAV(obj)->speed].name);
}

static void isoav_set_speed(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (!is_settable(s, "speed", errp)) {
        return;
    }
    for (int i = 0; i < ISOAV_SPEEDS; i++) {
        if (g_str_equal(value, speeds[i].name)) {
            s->speed = i;
            return;
        }
    }
    error_setg(errp,
               "usb-isoav has no speed '%s', only 'full', 'high' and 'super'",
               value);
}

/* What has been counted, as an object. */
static void isoav_get_stats(Object *obj, Visitor *v, const char *name,
                            void *opaque, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);
    QDict *stats = qdict_new();
    QObject *any = QOBJECT(stats);

    qdict_put_str(stats, "profile", s->profile->name);
    if (s->profile->stats && s->dev.qdev.realized) {
        s->profile->stats(s, stats);
    }
    visit_type_any(v, name, &any, errp);
    qobject_unref(stats);
}

static void isoav_instance_init(Object *obj)
{
    ISOAVDevice *s = ISOAV(obj);

    s->profile = profiles[0];
    s->speed = ISOAV_SPEED_HIGH;
}

static void isoav_instance_finalize(Object *obj)
{
    g_free(ISOAV(obj)->video_source);
    g_free(ISOAV(obj)->audiodev);
}

static void add_properties(ObjectClass *klass)
{
    g_autoptr(GString) help = g_string_new("what the device is to its host");

    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        g_string_append_printf(help, "; '%s': %s", profiles[i]->name,
                               profiles[i]->help);
        if (profiles[i]->add_properties) {
            profiles[i]->add_properties(klass);
        }
    }
    object_class_property_add_str(klass, "profile", isoav_get_profile,
                                  isoav_set_profile);
    object_class_property_set_description(klass, "profile", help->str);
    object_class_property_add_str(klass, "speed", isoav_get_speed,
                                  isoav_set_speed);
    object_class_property_set_description(
        klass, "speed",
        "the fastest that the device can do: 'full', 'high' (default) or "
        "'super'");
    object_class_property_add(klass, "stats", "object", isoav_get_stats, NULL,
                              NULL, NULL);
    object_class_property_set_description(klass, "stats",
                                          "what has been counted");
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
    uc->cancel_packet = isoav_cancel_packet;
    uc->flush_ep_queue = isoav_flush_ep_queue;
    uc->product_desc = profiles[0]->product;

    dc->desc = "USB isochronous audio/video test device (IsoLab)";
    dc->vmsd = &isoav_vmstate;
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    add_properties(klass);
}

static const TypeInfo isoav_type_info = {
    .name = TYPE_ISOAV,
    .parent = TYPE_USB_DEVICE,
    .instance_size = sizeof(ISOAVDevice),
    .instance_init = isoav_instance_init,
    .instance_finalize = isoav_instance_finalize,
    .class_init = isoav_class_init,
};

static void isoav_register_types(void)
{
    type_register_static(&isoav_type_info);
}

type_init(isoav_register_types)
