/*
 * usb-isohub as a QEMU device: a high-speed hub, which QEMU has none of.
 *
 *  1. A port is a small state machine (ports.h). What happens to one comes in
 *     at isohub_happen and nowhere else: requests, devices that come and go,
 *     devices that wake up, time.
 *  2. A device behind a port that does not carry is not on the bus: the hub
 *     does not find it (find_device), and what its endpoints had in work ends
 *     with an error, as a host's transactions would that nobody answers.
 *  3. Time is the virtual clock; one timer for all ports, and none when no
 *     port waits for anything.
 *  4. The transaction translators are the host controller's business: it knows
 *     when a full-speed packet would cross one. QEMU's packets know no splits
 *     and go to the device.
 *  5. In a port that is itself of full speed the hub is a full-speed hub.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/hub/hub.h"

#include "hw/compat.h"
#include "hw/usb/desc.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "trace-hw_hub.h"

#include "hw/hub/descriptors.h"

/* USB 2.0 §4.1.1: hubs in a row, below the root. */
#define HUBS_IN_A_ROW 5

static uint64_t now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

/* The device that stands at a port, if it has been attached. */
static USBDevice *device_at(const USBPort *uport)
{
    return uport->dev && uport->dev->attached ? uport->dev : NULL;
}

/* USB 2.0 §11.12.4: the host asks again when it has been answered NAK. */
void isohub_notify(ISOHub *s)
{
    bool news = s->change;

    for (unsigned i = 0; i < s->num_ports; i++) {
        news = news || s->ports[i].change;
    }
    if (news && s->is_configured) {
        usb_wakeup(s->status, 0);
    }
}

/* Rule 3. */
void isohub_arm(ISOHub *s)
{
    uint64_t due_ns = ISOHUB_NEVER;

    for (unsigned i = 0; i < s->num_ports; i++) {
        due_ns = MIN(due_ns, s->ports[i].due_ns);
    }
    if (due_ns == ISOHUB_NEVER) {
        timer_del(s->timer);
    } else {
        timer_mod_ns(s->timer, due_ns);
    }
}

/* Rule 2: nobody answers the endpoint any more. */
static void abandon_endpoint(USBBus *bus, USBEndpoint *ep)
{
    USBPacket *p;

    while ((p = QTAILQ_FIRST(&ep->queue))) {
        usb_cancel_packet(p);
        p->status = USB_RET_IOERROR;
        p->actual_length = 0;
        ep->dev->port->ops->complete(ep->dev->port, p);
    }
    if (bus->ops->wakeup_endpoint) {
        bus->ops->wakeup_endpoint(bus, ep, 0); /* it waits after a NAK */
    }
}

static void abandon_device(USBBus *bus, USBDevice *dev)
{
    trace_isohub_abandon(dev->port->path);
    abandon_endpoint(bus, &dev->ep_ctl);
    for (unsigned i = 0; i < USB_MAX_ENDPOINTS; i++) {
        abandon_endpoint(bus, &dev->ep_in[i]);
        abandon_endpoint(bus, &dev->ep_out[i]);
    }
}

/* Is a port the one with this path, or behind it? */
static bool is_below(const USBPort *uport, const char *path)
{
    size_t length = strlen(path);

    return strncmp(uport->path, path, length) == 0 &&
           (uport->path[length] == '\0' || uport->path[length] == '.');
}

/* Rule 2, for the device at a port and all that is behind it. */
static void abandon(ISOHub *s, unsigned i)
{
    USBBus *bus = usb_bus_from_device(&s->dev);
    USBPort *uport;

    QTAILQ_FOREACH (uport, &bus->used, next) {
        if (is_below(uport, s->uports[i].path) && device_at(uport)) {
            abandon_device(bus, uport->dev);
        }
    }
}

static uint8_t speed_of(const USBDevice *dev)
{
    switch (dev->speed) {
    case USB_SPEED_LOW:
        return ISOHUB_LOW;
    case USB_SPEED_FULL:
        return ISOHUB_FULL;
    default:
        return ISOHUB_HIGH;
    }
}

/* Rule 1, and what the device notices of it. */
void isohub_happen(ISOHub *s, unsigned i, isohub_event event)
{
    isohub_port *port = &s->ports[i];
    isohub_state before = port->state;
    bool carried = isohub_port_carries(port);
    USBDevice *dev = device_at(&s->uports[i]);

    if (!s->is_configured || !isohub_port_event(port, event, now_ns())) {
        return;
    }
    trace_isohub_port_state(s->dev.port->path, i + 1, event, before,
                            port->state, port->change);
    if (before == ISOHUB_RESETTING && port->state == ISOHUB_ENABLED && dev) {
        usb_device_reset(dev);
    }
    if (carried && !isohub_port_carries(port)) {
        abandon(s, i);
    }
    if (port->state == ISOHUB_DISCONNECTED && event == ISOHUB_TIME && dev) {
        port->speed = speed_of(dev);
        isohub_happen(s, i, ISOHUB_ATTACH);
        return;
    }
    isohub_arm(s);
    isohub_notify(s);
}

static void timer_fired(void *opaque)
{
    ISOHub *s = opaque;
    uint64_t now = now_ns();

    for (unsigned i = 0; i < s->num_ports; i++) {
        if (s->ports[i].due_ns <= now) {
            isohub_happen(s, i, ISOHUB_TIME);
        }
    }
    isohub_arm(s);
}

/* USB 2.0 §11.5.1.1: what the hub is not configured for, it does not do. */
void isohub_configure(ISOHub *s, bool on)
{
    for (unsigned i = 0; i < s->num_ports && !on; i++) {
        isohub_happen(s, i, ISOHUB_POWER_OFF);
        s->ports[i].indicator = 0;
    }
    s->is_configured = on;
    s->is_halted = false;
    s->alternate = 0;
    s->change = 0;
}

static void hub_handle_reset(USBDevice *dev)
{
    ISOHub *s = ISOHUB(dev);

    trace_isohub_reset(dev->port->path);
    usb_desc_attach(dev);
    isohub_configure(s, false);
}

static void port_attach(USBPort *uport)
{
    ISOHub *s = uport->opaque;

    s->ports[uport->index].speed = speed_of(uport->dev);
    isohub_happen(s, uport->index, ISOHUB_ATTACH);
}

static void port_detach(USBPort *uport)
{
    ISOHub *s = uport->opaque;

    /* first the controller: it must not use the device once more */
    s->dev.port->ops->child_detach(s->dev.port, uport->dev);
    isohub_happen(s, uport->index, ISOHUB_DETACH);
}

static void port_child_detach(USBPort *uport, USBDevice *child)
{
    ISOHub *s = uport->opaque;

    s->dev.port->ops->child_detach(s->dev.port, child);
}

/* USB 2.0 §11.9: resume goes to the port, and, from a hub that is itself
 * suspended and may wake up its host, upstream. */
static void port_wakeup(USBPort *uport)
{
    ISOHub *s = uport->opaque;

    isohub_happen(s, uport->index, ISOHUB_RESUME);
    if (s->dev.remote_wakeup && s->dev.port->ops->wakeup) {
        s->dev.port->ops->wakeup(s->dev.port);
    }
}

/* Rule 4. The packet has no owner any more: this is the way upstream. */
static void port_complete(USBPort *uport, USBPacket *p)
{
    ISOHub *s = uport->opaque;

    s->dev.port->ops->complete(s->dev.port, p);
}

static USBPortOps port_ops = {
    .attach = port_attach,
    .detach = port_detach,
    .child_detach = port_child_detach,
    .wakeup = port_wakeup,
    .complete = port_complete,
};

/* Rule 2. */
static USBDevice *hub_find_device(USBDevice *dev, uint8_t addr)
{
    ISOHub *s = ISOHUB(dev);
    USBDevice *found = NULL;

    for (unsigned i = 0; i < s->num_ports && !found; i++) {
        if (isohub_port_carries(&s->ports[i])) {
            found = usb_find_device(&s->uports[i], addr);
        }
    }
    return found;
}

/* USB 2.0 §11.12.4: bit 0 is the hub, bit n port n; no news is a NAK. */
static void report_changes(ISOHub *s, USBPacket *p)
{
    unsigned bytes = isohub_report_bytes(s->num_ports);
    unsigned bits = s->change ? 1 : 0;
    uint8_t report[2];

    for (unsigned i = 0; i < s->num_ports; i++) {
        bits |= s->ports[i].change ? 2u << i : 0;
    }
    if (!bits) {
        p->status = USB_RET_NAK;
        return;
    }
    trace_isohub_report(s->dev.port->path, bits);
    report[0] = bits;
    report[1] = bits >> 8;
    if (usb_packet_size(p) < bytes) {
        bytes = usb_packet_size(p);
        p->status = USB_RET_BABBLE;
    }
    usb_packet_copy(p, report, bytes);
}

static void hub_handle_data(USBDevice *dev, USBPacket *p)
{
    ISOHub *s = ISOHUB(dev);

    if (p->pid == USB_TOKEN_IN && p->ep->nr == ISOHUB_STATUS_ENDPOINT &&
        s->is_configured && !s->is_halted) {
        report_changes(s, p);
    } else {
        p->status = USB_RET_STALL;
    }
}

/* The longest path that QEMU has room for is 15 characters. */
static bool path_fits(const ISOHub *s)
{
    g_autofree char *path =
        g_strdup_printf("%s.%u", s->dev.port->path, s->num_ports);

    return strlen(path) < sizeof(s->dev.port->path);
}

static bool check_properties(const ISOHub *s, Error **errp)
{
    if (s->num_ports < 1 || s->num_ports > ISOHUB_PORTS_MAX) {
        error_setg(errp, TYPE_ISOHUB ": ports must be 1 to %d, not %u",
                   ISOHUB_PORTS_MAX, s->num_ports);
        return false;
    }
    if (s->dev.port->hubcount >= HUBS_IN_A_ROW) {
        error_setg(errp, TYPE_ISOHUB ": USB has at most %d hubs in a row",
                   HUBS_IN_A_ROW);
        return false;
    }
    if (!path_fits(s)) {
        error_setg(errp,
                   TYPE_ISOHUB ": QEMU has no names for ports as far down as "
                               "%s.%u; use lower port numbers or fewer ports",
                   s->dev.port->path, s->num_ports);
        return false;
    }
    return true;
}

static void hub_realize(USBDevice *dev, Error **errp)
{
    ISOHub *s = ISOHUB(dev);
    int speeds = USB_SPEED_MASK_LOW | USB_SPEED_MASK_FULL;

    if (!check_properties(s, errp)) {
        return;
    }
    /* rule 5 */
    speeds |= dev->port->speedmask & USB_SPEED_MASK_HIGH;
    dev->usb_desc = isohub_descriptors(s->num_ports, s->mtt);
    usb_desc_create_serial(dev);
    usb_desc_init(dev);
    s->status = usb_ep_get(dev, USB_TOKEN_IN, ISOHUB_STATUS_ENDPOINT);
    s->timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, timer_fired, s);
    for (unsigned i = 0; i < s->num_ports; i++) {
        isohub_port_init(&s->ports[i]);
        usb_register_port(usb_bus_from_device(dev), &s->uports[i], s, i,
                          &port_ops, speeds);
        usb_port_location(&s->uports[i], dev->port, i + 1);
    }
}

static void hub_unrealize(USBDevice *dev)
{
    ISOHub *s = ISOHUB(dev);

    for (unsigned i = 0; i < s->num_ports; i++) {
        usb_unregister_port(usb_bus_from_device(dev), &s->uports[i]);
    }
    timer_free(s->timer);
}

static ISOLABProperty properties[] = {
    DEFINE_PROP_UINT32("ports", ISOHub, num_ports, 4),
    DEFINE_PROP_BOOL("mtt", ISOHub, mtt, false), ISOLAB_PROPERTIES_END
};

static void hub_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);

    uc->realize = hub_realize;
    uc->unrealize = hub_unrealize;
    uc->find_device = hub_find_device;
    uc->handle_attach = hub_handle_reset;
    uc->handle_reset = hub_handle_reset;
    uc->handle_control = isohub_handle_control;
    uc->handle_data = hub_handle_data;
    uc->product_desc = "IsoLab hub";

    dc->desc = "USB 2.0 hub with transaction translators (IsoLab)";
    dc->fw_name = "hub";
    dc->vmsd = &isohub_vmstate;
    device_class_set_props(dc, properties);
    object_class_property_set_description(klass, "ports", "1 to 15");
    object_class_property_set_description(
        klass, "mtt", "a transaction translator for each port, in alternate 1");
    set_bit(DEVICE_CATEGORY_BRIDGE, dc->categories);
}

static const TypeInfo hub_type_info = {
    .name = TYPE_ISOHUB,
    .parent = TYPE_USB_DEVICE,
    .instance_size = sizeof(ISOHub),
    .class_init = hub_class_init,
};

static void hub_register_types(void)
{
    type_register_static(&hub_type_info);
}

type_init(hub_register_types)
