/*
 * One TD on the bus: from a TD to a USBPacket, and from its status to a
 * completion code.
 *
 *  1. The bytes are buffer.c's; the device never writes past what it gets.
 *  2. For a control transfer that is wLength, for others the TD, or of an
 *     isochronous one what an ESIT carries.
 *  3. No status of a device is unexpected: each has a completion code, also
 *     NAK and "asynchronous" on an isochronous endpoint (§4.10.2).
 *  4. The microframe of an isochronous packet travels in its `parameter`,
 *     which USB devices use on control endpoints only.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "isoch.h"
#include "trace-hw_xhci.h"

typedef struct {
    int status; /* USB_RET_* */
    uint8_t cc;
} status_row;

/* xHCI 1.2 §4.10.2; what is not here is a transaction that failed. */
static const status_row statuses[] = {
    { USB_RET_SUCCESS, CC_SUCCESS },
    { USB_RET_STALL, CC_STALL_ERROR },
    { USB_RET_BABBLE, CC_BABBLE_DETECTED },
};

/*
 * xHCI 1.2 §4.10.2, §6.4.5: a transaction that failed. Behind a TT it is the
 * split transaction that did, as long as the hub is there to say so.
 */
unsigned ixhci_packet_no_answer(const ixhci_ep *ep)
{
    const ixhci_slot *hub = ixhci_slot_tt(ep->x, &ep->slot->cfg);

    return hub && ep->x->usb->find(ep->x, hub) ? CC_SPLIT_TRANSACTION
                                               : CC_USB_TRANSACTION_ERROR;
}

static unsigned cc_of_status(const ixhci_ep *ep, int status)
{
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        if (statuses[i].status == status) {
            return statuses[i].cc;
        }
    }
    return ixhci_packet_no_answer(ep);
}

bool ixhci_ep_is_in(const ixhci_ep *ep)
{
    return ep->cfg.type == EP_TYPE_CONTROL ? ep->td.dir_in : ep->cfg.type & 4;
}

static unsigned setup_length(const ixhci_td *td)
{
    return td->setup[6] | td->setup[7] << 8;
}

/* Bytes of the TD that the bus carries: rule 2, and the ESIT's limit. */
static uint32_t bus_bytes(const ixhci_ep *ep)
{
    if (ep->cfg.type == EP_TYPE_CONTROL) {
        return setup_length(&ep->td);
    }
    if (ixhci_ep_is_isoch(ep->cfg.type)) {
        return ixhci_isoch_carried(&ep->cfg, ep->td.bytes);
    }
    return ep->td.bytes;
}

/* Bytes that the device has room for, or sends at most. */
static uint32_t room_bytes(const ixhci_ep *ep)
{
    if (ixhci_ep_is_isoch(ep->cfg.type) && ixhci_ep_is_in(ep)) {
        return ixhci_isoch_room(&ep->cfg, ep->slot->cfg.speed, ep->td.bytes);
    }
    return bus_bytes(ep);
}

/* Behind hubs: they find the device only if all ports on the way carry. */
static bool is_reached(IxhciState *x, const ixhci_slot *slot, USBDevice *dev)
{
    USBPort *root = x->ports[slot->cfg.root_port - 1].uport;

    return dev->port == root || usb_find_device(root, dev->addr) == dev;
}

static USBDevice *usb_find(IxhciState *x, const ixhci_slot *slot)
{
    USBDevice *dev = slot->uport ? slot->uport->dev : NULL;

    if (!ixhci_port_carries(x, slot->cfg.root_port) ||
        (slot->cfg.tt_hub && !ixhci_slot_tt(x, &slot->cfg))) {
        return NULL;
    }
    /* the core hands packets only to a device that was reset */
    return dev && dev->attached && dev->state == USB_STATE_DEFAULT &&
                   is_reached(x, slot, dev)
               ? dev
               : NULL;
}

static void usb_submit(IxhciState *x, ixhci_ep *ep, USBDevice *dev)
{
    ixhci_port_used(x, ep->slot->cfg.root_port);
    usb_handle_packet(dev, &ep->packet);
}

/* SETUP bytes as the USB core wants them in USBPacket.parameter. */
static uint64_t setup_parameter(const uint8_t *setup)
{
    return ldq_le_p(setup);
}

/* xHCI 1.2 §4.11.2.3: TBC and TLBPC are for the driver to get right. */
static void trace_bursts(const ixhci_ep *ep, uint64_t uf)
{
    bool ete = ep->x->usbcmd & USBCMD_ETE;

    if (trace_event_get_state_backends(TRACE_IXHCI_ISOCH_BURSTS) &&
        ixhci_ep_is_isoch(ep->cfg.type) &&
        !ixhci_isoch_says_bursts(&ep->cfg, &ep->td, ete)) {
        trace_ixhci_isoch_bursts(ep->slot->slot_id, ep->dci,
                                 ep->td.start.dequeue_gpa, uf, ep->td.bytes);
    }
}

static void set_up(ixhci_ep *ep, USBDevice *dev, uint64_t uf)
{
    int pid = ixhci_ep_is_in(ep) ? USB_TOKEN_IN : USB_TOKEN_OUT;
    USBPacket *p = &ep->packet;

    USBEndpoint *usb_ep = usb_ep_get(dev, pid, ep->dci >> 1);

    usb_packet_setup(p, pid, usb_ep, usb_ep->max_streams ? ep->stream_id : 0,
                     ep->td.start.dequeue_gpa, false, true);
    if (ep->cfg.type == EP_TYPE_CONTROL) {
        p->parameter = setup_parameter(ep->td.setup);
    } else if (ixhci_ep_is_isoch(ep->cfg.type)) {
        p->parameter = uf;
    }
}

/* xHCI 1.2 §4.10.1.1, §6.4.5: short, babble, and what isoch.h adds. */
static unsigned verdict(const ixhci_ep *ep, unsigned cc, uint32_t moved)
{
    const ixhci_td *td = &ep->td;

    if (cc != CC_SUCCESS) {
        return cc;
    }
    if (ixhci_ep_is_isoch(ep->cfg.type)) {
        return ixhci_isoch_judge(&ep->cfg, td->bytes,
                                 ixhci_ep_is_in(ep) ? moved : bus_bytes(ep));
    }
    if (moved > td->bytes) {
        return CC_BABBLE_DETECTED;
    }
    return ixhci_ep_is_in(ep) && moved < td->bytes ? CC_SHORT_PACKET
                                                   : CC_SUCCESS;
}

static bool usb_judge(IxhciState *x, ixhci_ep *ep, ixhci_outcome *how)
{
    USBPacket *p = &ep->packet;
    uint32_t moved = MAX(p->actual_length, 0);

    how->cc = verdict(ep, cc_of_status(ep, p->status), moved);
    how->bytes = MIN(moved, MIN(bus_bytes(ep), ep->td.bytes));
    if (!ixhci_ep_is_in(ep) && p->status == USB_RET_SUCCESS) {
        how->bytes = MIN(bus_bytes(ep), ep->td.bytes);
    }
    return true;
}

const ixhci_bus_ops ixhci_bus_usb = {
    .find = usb_find,
    .submit = usb_submit,
    .judge = usb_judge,
};

/* The packet's status is final: code and length, data to the guest. False: it
 * is not. */
static bool conclude(ixhci_ep *ep, ixhci_outcome *how)
{
    ixhci_service_charge(ep->x, MAX(ep->packet.actual_length, 0) / 1024);
    if (!ep->x->usb->judge(ep->x, ep, how)) {
        ixhci_buffer_detach(ep, 0);
        return false;
    }
    if (ep->x->watch) {
        ep->x->watch->data(ep->x, ep, how->bytes);
    }
    if (!ixhci_buffer_detach(ep, ixhci_ep_is_in(ep) ? how->bytes : 0)) {
        how->cc = CC_DATA_BUFFER_ERROR;
    }
    return true;
}

static void begin_outcome(const ixhci_ep *ep, ixhci_outcome *how)
{
    *how = (ixhci_outcome){
        .slot_id = ep->slot->slot_id,
        .dci = ep->dci,
        .ep_type = ep->cfg.type,
        .cc = ixhci_packet_no_answer(ep),
    };
}

/* What of a TD can be refused before anything is on the bus. */
static bool refuse(ixhci_ep *ep, ixhci_outcome *how)
{
    if (ep->cfg.type != EP_TYPE_CONTROL) {
        return false;
    }
    /* xHCI 1.2 §4.5.4.1: SET_ADDRESS belongs to Address Device */
    if (ep->td.setup[0] == 0 && ep->td.setup[1] == USB_REQ_SET_ADDRESS) {
        ep->td.count = 1; /* the Setup Stage TRB is the one to blame */
        how->cc = CC_TRB_ERROR;
        return true;
    }
    /* USB 2.0 §8.5.3: a data stage that ends early is stalled */
    if (!ep->td.dir_in && setup_length(&ep->td) > ep->td.bytes) {
        how->cc = CC_STALL_ERROR;
        return true;
    }
    return false;
}

ixhci_packet_fate ixhci_packet_submit(ixhci_ep *ep, uint64_t uf,
                                      ixhci_outcome *how)
{
    USBDevice *dev = ep->x->usb->find(ep->x, ep->slot);
    uint32_t bytes = bus_bytes(ep), room = room_bytes(ep);

    if (ep->x->strict) {
        ixhci_strict_td(ep);
    }
    begin_outcome(ep, how);
    if (!dev || refuse(ep, how)) {
        return IXHCI_PACKET_DONE;
    }
    trace_bursts(ep, uf);
    ixhci_service_charge(ep->x, bytes / 1024);
    set_up(ep, dev, uf);
    if (!ixhci_stream_is_known(ep, ep->packet.ep)) {
        return IXHCI_PACKET_NAK;
    }
    if (!ixhci_buffer_attach(ep, room, MIN(bytes, ep->td.bytes))) {
        how->cc = CC_DATA_BUFFER_ERROR;
        return IXHCI_PACKET_DONE;
    }
    if (ep->x->watch) {
        ep->x->watch->begin(ep->x, ep);
    }
    ep->x->usb->submit(ep->x, ep, dev);
    trace_ixhci_packet(ep->slot->slot_id, ep->dci, ep->td.start.dequeue_gpa, uf,
                       ep->packet.status, ep->packet.actual_length);
    switch (ep->packet.status) {
    case USB_RET_NAK:
        ixhci_buffer_detach(ep, 0);
        /* an isochronous transaction has no second try (§4.10.2) */
        return ixhci_ep_is_isoch(ep->cfg.type) ? IXHCI_PACKET_DONE
                                               : IXHCI_PACKET_NAK;
    case USB_RET_ASYNC:
        if (!ixhci_ep_is_isoch(ep->cfg.type)) {
            return IXHCI_PACKET_ASYNC;
        }
        ixhci_packet_cancel(ep);
        return IXHCI_PACKET_DONE;
    default:
        return conclude(ep, how) ? IXHCI_PACKET_DONE : IXHCI_PACKET_NAK;
    }
}

bool ixhci_packet_finish(ixhci_ep *ep, ixhci_outcome *how)
{
    begin_outcome(ep, how);
    if (ep->packet.status == USB_RET_REMOVE_FROM_QUEUE) {
        /* the core asks until the packet has left its queue */
        ixhci_packet_cancel(ep);
        return false;
    }
    return conclude(ep, how);
}

void ixhci_packet_cancel(ixhci_ep *ep)
{
    if (usb_packet_is_inflight(&ep->packet)) {
        usb_cancel_packet(&ep->packet);
        ixhci_buffer_detach(ep, 0);
    }
}

unsigned ixhci_packet_set_address(IxhciState *x, ixhci_slot *slot,
                                  unsigned address)
{
    const uint8_t setup[8] = { 0, USB_REQ_SET_ADDRESS, address };
    USBDevice *dev = x->usb->find(x, slot);
    ixhci_ep *ep = slot->eps[1];
    ixhci_outcome how = { 0 };

    if (!dev) {
        return CC_USB_TRANSACTION_ERROR;
    }
    usb_packet_setup(&ep->packet, USB_TOKEN_OUT,
                     usb_ep_get(dev, USB_TOKEN_OUT, 0), 0, 0, false, false);
    ep->packet.parameter = setup_parameter(setup);
    if (x->watch) {
        x->watch->begin(x, ep);
    }
    x->usb->submit(x, ep, dev);
    if (ep->packet.status == USB_RET_ASYNC) {
        usb_cancel_packet(&ep->packet);
        how.cc = CC_USB_TRANSACTION_ERROR;
    } else {
        how.cc = cc_of_status(ep, ep->packet.status);
    }
    if (x->watch) {
        x->watch->end(x, ep, &how);
    }
    return how.cc;
}
