/*
 * Root hub ports (xHCI 1.2 §4.19, §5.4.8).
 *
 *  1. A connector (a port of the USB bus) is one USB2 and one USB3 root port;
 *     the speed of the device decides which of them sees it.
 *  2. A USB2 port shows a device as Polling until software resets it; a USB3
 *     port trains its link by itself and goes to U0 (§4.19.1.1, §4.19.1.2).
 *  3. Resets and training take time on the virtual clock; PR and the old link
 *     state are visible until it has passed, and one step sets all results.
 *  4. One function sets change bits: PCD at each new one, a Port Status Change
 *     Event when the port had none before (§4.19.2). While the controller is
 *     halted events wait for R/S.
 *  5. Link states that software writes are a table; what it does not list is
 *     ignored (§5.4.8, PLS).
 *  6. What becomes of a link that is enabled is in link.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "port.h"
#include "trace-hw_xhci.h"

/* Rule 3, in microframes: USB 2.0 §7.1.7.5 TDRSTR; USB 3.2 §7.5.12, §6.9.3. */
#define RESET_USB2_UF (50 * 8)
#define RESET_HOT_UF (10 * 8)
#define RESET_WARM_UF (100 * 8)
#define TRAINING_UF 1

/* What a plain write keeps (§5.4.8): wake enables. */
#define PORTSC_RW (PORTSC_WCE | PORTSC_WDE | PORTSC_WOE)

void ixhci_port_set_link_state(ixhci_port *port, unsigned pls)
{
    trace_ixhci_port_link(port->port_id, ixhci_port_link_state(port), pls);
    port->portsc = xhci_set(port->portsc, PORTSC_PLS, pls);
}

static void announce(IxhciState *x, const ixhci_port *port)
{
    ixhci_event event = { .intr = 0 };

    event.trb.dw[0] = xhci_set(0, EVT_PORT_ID, port->port_id);
    event.trb.dw[2] = xhci_set(0, EVT_CC, CC_SUCCESS);
    event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_PORT_STATUS_CHANGE);
    x->event->post(x, &event);
}

/* xHCI 1.2 §4.23.1: what wakes a system whose controller sleeps in D3hot. */
static bool wakes(const ixhci_port *port, uint32_t bits)
{
    return ((bits & PORTSC_CSC) && (port->portsc & PORTSC_CCS) &&
            (port->portsc & PORTSC_WCE)) ||
           ((bits & PORTSC_CSC) && !(port->portsc & PORTSC_CCS) &&
            (port->portsc & PORTSC_WDE)) ||
           ((bits & PORTSC_OCC) && (port->portsc & PORTSC_WOE)) ||
           ((bits & PORTSC_PLC) && ixhci_port_link_state(port) == PLS_RESUME);
}

/* Rule 4. */
void ixhci_port_change(IxhciState *x, ixhci_port *port, uint32_t bits)
{
    uint32_t before = port->portsc & PORTSC_CHANGES;

    port->portsc |= bits;
    trace_ixhci_port_change(port->port_id, port->portsc);
    if (wakes(port, bits)) {
        ixhci_pci_wake(x);
    }
    if (bits & ~before) {
        x->usbsts |= USBSTS_PCD;
        if (!before && ixhci_is_running(x)) {
            announce(x, port);
        }
    }
}

/* xHCI 1.2 §4.19.2: what changed while halted is told when R/S is set. */
void ixhci_port_announce_all(IxhciState *x)
{
    for (unsigned i = 0; i < x->num_ports; i++) {
        if (x->ports[i].portsc & PORTSC_CHANGES) {
            announce(x, &x->ports[i]);
        }
    }
}

static unsigned speed_id(const USBDevice *dev)
{
    static const uint8_t ids[] = {
        [USB_SPEED_LOW] = SPEED_LOW,
        [USB_SPEED_FULL] = SPEED_FULL,
        [USB_SPEED_HIGH] = SPEED_HIGH,
        [USB_SPEED_SUPER] = SPEED_SUPER,
    };

    return ids[dev->speed];
}

/* The device that this root port sees (rule 1). */
USBDevice *ixhci_port_device(const ixhci_port *port)
{
    USBDevice *dev = port->uport->dev;

    if (!dev || !dev->attached) {
        return NULL;
    }
    return (dev->speed == USB_SPEED_SUPER) == port->is_usb3 ? dev : NULL;
}

/* Nothing is connected, or nothing can be seen. */
static void detach_device(ixhci_port *port, unsigned pls)
{
    port->done_uf = IXHCI_UF_NEVER;
    port->portsc &= ~(PORTSC_CCS | PORTSC_PED | PORTSC_PR);
    port->portsc = xhci_set(port->portsc, PORTSC_SPEED, 0);
    ixhci_port_set_link_state(port, pls);
}

/* Rule 2. At reset time the USB3 link is up at once. */
static void attach_device(IxhciState *x, ixhci_port *port)
{
    if (port->is_usb3) {
        ixhci_port_set_link_state(port, PLS_RX_DETECT);
        port->done_uf = ixhci_now_uf() + TRAINING_UF;
        ixhci_service_arm(x);
        return;
    }
    port->portsc |= PORTSC_CCS;
    ixhci_port_set_link_state(port, PLS_POLLING);
    ixhci_port_change(x, port, PORTSC_CSC);
}

static void enable(ixhci_port *port, USBDevice *dev)
{
    usb_device_reset(dev);
    port->portsc |= PORTSC_CCS | PORTSC_PED;
    port->portsc = xhci_set(port->portsc, PORTSC_SPEED, speed_id(dev));
    ixhci_port_set_link_state(port, PLS_U0);
    ixhci_link_up(port);
}

static ixhci_link_fate model_end(IxhciState *x, ixhci_port *port)
{
    return IXHCI_LINK_UP;
}

const ixhci_link_ops ixhci_link_model = {
    .end = model_end,
};

/* Rule 3: a reset, or link training, is over. */
static void finish(IxhciState *x, ixhci_port *port)
{
    bool training = !(port->portsc & PORTSC_PR);
    uint32_t bits = PORTSC_PRC | (port->warm ? PORTSC_WRC : 0);
    USBDevice *dev = ixhci_port_device(port);
    ixhci_link_fate fate = x->link->end(x, port);

    port->done_uf = IXHCI_UF_NEVER;
    if (fate == IXHCI_LINK_SILENT) {
        return;
    }
    port->portsc &= ~PORTSC_PR;
    if (!dev || fate == IXHCI_LINK_FAILED) {
        /* xHCI 1.2 §4.19.5: of one that failed, too */
        bits |= port->portsc & PORTSC_CCS && dev ? PORTSC_CSC : 0;
        detach_device(port, PLS_RX_DETECT);
    } else {
        bits |= port->portsc & PORTSC_CCS ? 0 : PORTSC_CSC;
        enable(port, dev);
    }
    ixhci_port_change(x, port, training ? bits & PORTSC_CSC : bits);
    port->warm = false;
}

/* What ends is then its resume and not a reset. */
static bool is_in_l1(const ixhci_port *port)
{
    return !(port->portsc & PORTSC_PR) && ixhci_port_link_state(port) == PLS_U2;
}

void ixhci_port_service(IxhciState *x, uint64_t now_uf)
{
    for (unsigned i = 0; i < x->num_ports; i++) {
        ixhci_port *port = &x->ports[i];

        if (port->done_uf > now_uf) {
            continue;
        }
        if (is_in_l1(port)) {
            ixhci_link_resumed(x, port);
        } else {
            finish(x, port);
        }
    }
}

uint64_t ixhci_port_next_uf(const IxhciState *x)
{
    uint64_t next = IXHCI_UF_NEVER;

    for (unsigned i = 0; i < x->num_ports; i++) {
        next = MIN(next, x->ports[i].done_uf);
    }
    return next;
}

unsigned ixhci_port_bus_speed(const IxhciState *x, unsigned port_id)
{
    const ixhci_port *port = &x->ports[port_id - 1];
    unsigned speed = xhci_get(port->portsc, PORTSC_SPEED);

    return speed ? speed : port->is_usb3 ? SPEED_SUPER : SPEED_HIGH;
}

/* Do packets pass? Enabled, in U0, and no reset under way. */
bool ixhci_port_carries(const IxhciState *x, unsigned port_id)
{
    const ixhci_port *port = &x->ports[port_id - 1];

    return (port->portsc & PORTSC_PED) && !(port->portsc & PORTSC_PR) &&
           ixhci_port_link_state(port) == PLS_U0;
}

static void begin_reset(IxhciState *x, ixhci_port *port, bool warm)
{
    uint64_t length = !port->is_usb3 ? RESET_USB2_UF
                      : warm         ? RESET_WARM_UF
                                     : RESET_HOT_UF;

    port->warm = warm;
    port->portsc |= PORTSC_PR;
    ixhci_link_clear(port);
    if (!port->is_usb3) {
        port->portsc &= ~PORTSC_PED;
    }
    port->done_uf = ixhci_now_uf() + length;
    ixhci_slot_port_down(x, port->port_id);
    ixhci_service_arm(x);
}

/* xHCI 1.2 §4.19.5: where PR and WPR have an effect. */
static void write_resets(IxhciState *x, ixhci_port *port, uint32_t value)
{
    if (port->portsc & PORTSC_PR || !(port->portsc & PORTSC_PP)) {
        return;
    }
    if (port->is_usb3 && (value & PORTSC_WPR)) {
        if (ixhci_port_link_state(port) != PLS_DISABLED) {
            begin_reset(x, port, true);
        }
    } else if ((value & PORTSC_PR) && (port->portsc & PORTSC_CCS)) {
        begin_reset(x, port, false);
    }
}

/* xHCI 1.2 §5.4.8, PED: software disables; no PEC. A USB3 port disappears. */
static void write_disable(IxhciState *x, ixhci_port *port)
{
    if (!(port->portsc & (PORTSC_PED | PORTSC_PR))) {
        return;
    }
    if (port->is_usb3) {
        detach_device(port, PLS_DISABLED);
        ixhci_port_change(x, port, PORTSC_CSC);
    } else {
        port->done_uf = IXHCI_UF_NEVER;
        port->portsc &= ~(PORTSC_PED | PORTSC_PR);
        ixhci_port_set_link_state(port, PLS_POLLING);
    }
    ixhci_slot_port_down(x, port->port_id);
}

static void write_power(IxhciState *x, ixhci_port *port, uint32_t value)
{
    if (!((port->portsc ^ value) & PORTSC_PP) || (port->portsc & PORTSC_OCA)) {
        return;
    }
    port->portsc ^= PORTSC_PP;
    if (!(port->portsc & PORTSC_PP)) {
        detach_device(port, PLS_DISABLED);
        ixhci_slot_port_down(x, port->port_id);
        return;
    }
    ixhci_port_set_link_state(port, PLS_RX_DETECT);
    if (ixhci_port_device(port)) {
        attach_device(x, port);
    }
}

/* Rule 5. `usb` is 2, 3, or 0 for both; PLC as the flag says. */
typedef struct {
    uint8_t from;
    uint8_t written;
    uint8_t usb;
    uint8_t to;
    enum { NO_PLC, PLC, PLC_IF_U3E } plc;
} link_row;

/* xHCI 1.2 §4.15.1, §4.15.2, §4.19.1.2. */
static const link_row link_rows[] = {
    { PLS_U0, PLS_U3, 0, PLS_U3, PLC_IF_U3E },
    { PLS_U3, PLS_RESUME, 2, PLS_RESUME, NO_PLC },
    { PLS_RESUME, PLS_U0, 0, PLS_U0, PLC },
    { PLS_U3, PLS_U0, 3, PLS_U0, PLC },
    { PLS_DISABLED, PLS_RX_DETECT, 3, PLS_RX_DETECT, NO_PLC },
    { PLS_RX_DETECT, PLS_COMPLIANCE, 3, PLS_COMPLIANCE, NO_PLC },
};

static void write_link(IxhciState *x, ixhci_port *port, unsigned pls)
{
    if (!(port->portsc & PORTSC_PP) || ixhci_link_write_l1(x, port, pls)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(link_rows); i++) {
        const link_row *row = &link_rows[i];

        if (row->from != ixhci_port_link_state(port) || row->written != pls ||
            (row->usb && (row->usb == 3) != port->is_usb3)) {
            continue;
        }
        /* xHCI 1.2 §4.19.1.2.4.1: without CTC it enters by itself */
        if (row->to == PLS_COMPLIANCE && !(x->caps.hcc2 & HCC2_CTC)) {
            return;
        }
        ixhci_port_set_link_state(port, row->to);
        if (row->plc == PLC ||
            (row->plc == PLC_IF_U3E && (x->config & CONFIG_U3E))) {
            ixhci_port_change(x, port, PORTSC_PLC);
        }
        if (row->to == PLS_RX_DETECT && ixhci_port_device(port)) {
            attach_device(x, port);
        }
        return;
    }
}

static void write_portsc(IxhciState *x, ixhci_port *port, uint32_t value)
{
    port->portsc &= ~(value & PORTSC_CHANGES);
    port->portsc = (port->portsc & ~PORTSC_RW) | (value & PORTSC_RW);
    write_power(x, port, value);
    if (value & PORTSC_PED) {
        write_disable(x, port);
    }
    if (value & PORTSC_LWS) {
        write_link(x, port, xhci_get(value, PORTSC_PLS));
    }
    write_resets(x, port, value);
}

uint32_t ixhci_port_read(IxhciState *x, unsigned port_id, unsigned reg)
{
    const ixhci_port *port = &x->ports[port_id - 1];

    if (reg != XHCI_PORTSC) {
        return ixhci_link_read(x, port, reg);
    }
    return xhci_set(port->portsc, PORTSC_PLS, ixhci_link_shown(x, port));
}

void ixhci_port_write(IxhciState *x, unsigned port_id, unsigned reg,
                      uint32_t value)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (reg == XHCI_PORTSC) {
        write_portsc(x, port, value);
    } else {
        ixhci_link_write(x, port, reg, value);
    }
}

/* xHCI 1.2 §4.2, §4.19.4: all ports powered, devices found anew. */
void ixhci_port_reset_all(IxhciState *x)
{
    for (unsigned i = 0; i < x->num_ports; i++) {
        ixhci_port *port = &x->ports[i];
        USBDevice *dev = ixhci_port_device(port);

        port->portsc = PORTSC_PP;
        port->portpmsc = 0;
        port->portli = 0;
        port->porthlpmc = 0;
        port->warm = false;
        detach_device(port, PLS_RX_DETECT);
        if (dev && port->is_usb3) {
            enable(port, dev);
            ixhci_port_change(x, port, PORTSC_CSC);
        } else if (dev) {
            attach_device(x, port);
        }
    }
}

/* What happens to a port from outside. */

/* xHCI 1.2 §4.19.1, §5.4.8: OCA, and the port loses its power. */
bool ixhci_port_over_current(IxhciState *x, unsigned port_id, bool active)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!!(port->portsc & PORTSC_OCA) == active) {
        return false;
    }
    port->portsc ^= PORTSC_OCA;
    if (active) {
        port->portsc &= ~PORTSC_PP;
        detach_device(port, PLS_DISABLED);
        ixhci_slot_port_down(x, port_id);
    }
    ixhci_port_change(x, port, PORTSC_OCC);
    return true;
}

/* xHCI 1.2 §4.19.1.2.6: the link of an enabled USB3 port goes to Inactive. */
bool ixhci_port_link_error(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!port->is_usb3 || !(port->portsc & PORTSC_PED)) {
        return false;
    }
    port->portsc &= ~PORTSC_PED;
    port->portli = MIN(port->portli + 1, xhci_get(UINT32_MAX, PORTLI_ERRORS));
    ixhci_port_set_link_state(port, PLS_INACTIVE);
    ixhci_slot_port_down(x, port_id);
    ixhci_port_change(x, port, PORTSC_PLC);
    return true;
}

/* xHCI 1.2 §5.4.8, CEC: the ends of a USB3 link do not agree. */
bool ixhci_port_config_error(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!port->is_usb3 || !(port->portsc & PORTSC_CCS)) {
        return false;
    }
    ixhci_port_change(x, port, PORTSC_CEC);
    return true;
}

/* xHCI 1.2 §4.19.1.1, §5.4.8, PEC: an error of a USB2 port disables it. */
bool ixhci_port_error(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (port->is_usb3 || !(port->portsc & PORTSC_PED)) {
        return false;
    }
    port->portsc &= ~PORTSC_PED;
    ixhci_port_set_link_state(port, PLS_POLLING);
    ixhci_slot_port_down(x, port_id);
    ixhci_port_change(x, port, PORTSC_PEC);
    return true;
}

/* xHCI 1.2 §4.19.1.2.4.1: no partner answers the link's training. */
bool ixhci_port_compliance(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!port->is_usb3 || !(port->portsc & PORTSC_PP) ||
        ixhci_port_link_state(port) == PLS_COMPLIANCE) {
        return false;
    }
    detach_device(port, PLS_COMPLIANCE);
    ixhci_slot_port_down(x, port_id);
    ixhci_port_change(x, port, PORTSC_PLC);
    return true;
}

/* xHCI 1.2 §4.13: Function Wake, a Device Notification TP of type 1. */
bool ixhci_port_function_wake(IxhciState *x, unsigned port_id)
{
    ixhci_slot *slot = ixhci_slot_on_port(x, port_id);
    ixhci_event event = { 0 };

    if (!slot || !ixhci_is_running(x) || !(x->dnctrl & 1 << 1)) {
        return false;
    }
    event.intr = slot->cfg.intr;
    event.trb.dw[0] = xhci_set(0, EVT_NOTIFICATION_TYPE, 1);
    event.trb.dw[2] = xhci_set(0, EVT_CC, CC_SUCCESS);
    event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_DEVICE_NOTIFICATION);
    event.trb.dw[3] = xhci_set(event.trb.dw[3], TRB_SLOT_ID, slot->slot_id);
    x->event->post(x, &event);
    return true;
}

static ixhci_port *port_of(IxhciState *x, const USBPort *uport)
{
    for (unsigned i = 0; i < x->num_ports; i++) {
        if (x->ports[i].uport == uport && ixhci_port_device(&x->ports[i])) {
            return &x->ports[i];
        }
    }
    return NULL;
}

/* xHCI 1.2 §4.19.1.2.1: a disabled USB3 port is blind until it is revived. */
static bool sees_devices(const ixhci_port *port)
{
    return (port->portsc & PORTSC_PP) &&
           !(port->is_usb3 && ixhci_port_link_state(port) == PLS_DISABLED);
}

static void bus_attach(USBPort *uport)
{
    IxhciState *x = uport->opaque;
    ixhci_port *port = port_of(x, uport);

    ixhci_service_sync(x);
    if (port && sees_devices(port)) {
        attach_device(x, port);
    }
}

static void bus_detach(USBPort *uport)
{
    IxhciState *x = uport->opaque;
    ixhci_port *port = port_of(x, uport);

    ixhci_service_sync(x);
    ixhci_slot_device_left(x, uport);
    if (port && sees_devices(port)) {
        bool seen = port->portsc & PORTSC_CCS;

        detach_device(port, PLS_RX_DETECT);
        ixhci_port_change(x, port, seen ? PORTSC_CSC : 0);
    }
}

static void bus_child_detach(USBPort *uport, USBDevice *child)
{
    ixhci_service_sync(uport->opaque);
    ixhci_slot_device_left(uport->opaque, child->port);
}

/* xHCI 1.2 §4.15.2.1: a device signals resume; software completes it. */
static void bus_wakeup(USBPort *uport)
{
    IxhciState *x = uport->opaque;
    ixhci_port *port = port_of(x, uport);

    if (port && ixhci_port_link_state(port) == PLS_U3) {
        ixhci_port_set_link_state(port, PLS_RESUME);
        ixhci_port_change(x, port, PORTSC_PLC);
    }
}

static void bus_complete(USBPort *uport, USBPacket *packet)
{
    ixhci_pipeline_complete(container_of(packet, ixhci_ep, packet));
}

USBPortOps ixhci_port_ops = {
    .attach = bus_attach,
    .detach = bus_detach,
    .child_detach = bus_child_detach,
    .wakeup = bus_wakeup,
    .complete = bus_complete,
};
