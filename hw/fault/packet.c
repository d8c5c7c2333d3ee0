/*
 * Faults of packets: before the bus, and when its verdict is asked for.
 *
 *  1. A rule is looked for once a packet, when it is submitted; what needs the
 *     device's answer is done when the controller asks how it ended.
 *  2. A TD that is kept back (nak, delay) is answered with NAK until its time
 *     has come, whoever wakes the endpoint meanwhile, and has no further rule.
 *  3. `delay`: the device has had the packet; its answer is kept and given
 *     to the packet that asks again.
 *  4. SET_ADDRESS belongs to a command. Its packet has no TD and no verdict:
 *     only what is decided before the bus can happen to it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

#include "qemu/iov.h"

static void note_code(fault_engine *e, const fault_rule *rule,
                      const fault_site *site, unsigned cc, uint32_t bytes)
{
    fault_done done = {
        .has_code = true, .code = cc, .has_bytes = true, .bytes = bytes
    };

    fault_note(e, rule, site, &done);
}

/* Rule 4. */
static uint64_t before_the_bus(void)
{
    uint64_t actions = FAULT_BIT(FAULT_SILENCE) | FAULT_BIT(FAULT_STALL);

    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        actions |= fault_actions[i].on_side ? FAULT_BIT(i) : 0;
    }
    return actions;
}

static void site_of_set_address(fault_site *site, const USBPacket *p)
{
    uint8_t setup[8];

    stq_le_p(setup, p->parameter);
    fault_site_of_setup(site, setup);
    fault_site_set(site, FAULT_DIRECTION, FAULT_OUT);
    site->has &= ~(1u << FAULT_TD | 1u << FAULT_TRB);
    site->trb_gpa = 0;
    site->allowed = before_the_bus();
}

static bool is_same_td(const fault_ep *fe, const ixhci_ep *ep)
{
    return ep->td.count && fe->td == ep->tds + 1 &&
           fe->trb_gpa == ep->td.trbs[0].gpa;
}

static void keep(fault_ep *fe, const ixhci_ep *ep, fault_rule *rule)
{
    fe->held = rule;
    fe->td = ep->tds + 1;
    fe->trb_gpa = ep->td.trbs[0].gpa;
    fe->until_uf = ixhci_now_uf() + rule->params[0];
}

/* False: there is no room to keep it. */
static bool wake_later(fault_engine *e, const ixhci_ep *ep, uint64_t uf)
{
    uint64_t w[] = { ep->slot->slot_id, ep->dci, ep->stream_id };

    return fault_later_add(e, FAULT_LATER_WAKE, uf, w, ARRAY_SIZE(w), NULL);
}

/* Rule 3: the answer that was kept. */
static void deliver(fault_engine *e, fault_ep *fe, USBPacket *p)
{
    uint32_t count = MIN(fe->count, p->iov.size);

    if (fe->bytes) {
        iov_from_buf(p->iov.iov, p->iov.niov, 0, fe->bytes, count);
    }
    p->status = fe->status;
    p->actual_length = count;
    fault_ep_drop_stash(e, fe);
    fe->held = NULL;
}

typedef enum {
    GOES_ON,  /* no TD is kept back */
    WAITS,    /* the packet is answered */
    HAS_BEEN, /* kept back until now: to the device, without a rule */
} kept_state;

/* Rule 2. */
static kept_state look_at_kept(fault_engine *e, fault_ep *fe, ixhci_ep *ep)
{
    if (!fe->held && !fe->is_late) {
        return GOES_ON;
    }
    if (!is_same_td(fe, ep)) {
        fault_ep_drop_stash(e, fe); /* the driver has moved on */
        fe->held = NULL;
        return GOES_ON;
    }
    if (ixhci_now_uf() < fe->until_uf) {
        ep->packet.status = USB_RET_NAK;
        return WAITS;
    }
    if (fe->is_late) {
        deliver(e, fe, &ep->packet);
        return WAITS;
    }
    return HAS_BEEN;
}

/* Guest memory is not touched: engine.h, rule 5. */
static uint32_t turn_bits_over(const fault_rule *rule, ixhci_ep *ep,
                               uint32_t bytes)
{
    uint32_t first = MIN(rule->params[0], bytes);
    uint32_t count = MIN(rule->params[2], bytes - first);

    for (uint32_t i = first; i < first + count && !ep->lent; i++) {
        ep->buffer[i] ^= rule->params[1];
    }
    return count;
}

static void silence(fault_engine *e, fault_rule *rule, fault_site *site,
                    ixhci_ep *ep, USBDevice *dev)
{
    ep->packet.status = USB_RET_IOERROR;
    note_code(e, rule, site, ixhci_packet_no_answer(ep), 0);
}

static void stall(fault_engine *e, fault_rule *rule, fault_site *site,
                  ixhci_ep *ep, USBDevice *dev)
{
    ep->packet.status = USB_RET_STALL;
    note_code(e, rule, site, CC_STALL_ERROR, 0);
}

static void nak(fault_engine *e, fault_rule *rule, fault_site *site,
                ixhci_ep *ep, USBDevice *dev)
{
    fault_note(e, rule, site, NULL);
    if (wake_later(e, ep, rule->params[0])) {
        keep(fault_ep_get(e, ep, true), ep, rule);
        ep->packet.status = USB_RET_NAK;
    } else {
        e->inner.usb->submit(e->x, ep, dev);
    }
}

/* Its verdict is what counts. */
static void watch(fault_engine *e, fault_rule *rule, fault_site *site,
                  ixhci_ep *ep, USBDevice *dev)
{
    fault_ep *fe = fault_ep_get(e, ep, true);

    fe->flight = rule;
    fe->site = *site;
    e->inner.usb->submit(e->x, ep, dev);
}

static void corrupt(fault_engine *e, fault_rule *rule, fault_site *site,
                    ixhci_ep *ep, USBDevice *dev)
{
    fault_done done = { .has_bytes = true };

    if (ixhci_ep_is_in(ep)) {
        watch(e, rule, site, ep, dev);
        return;
    }
    done.bytes = turn_bits_over(rule, ep, usb_packet_size(&ep->packet));
    fault_note(e, rule, site, &done);
    e->inner.usb->submit(e->x, ep, dev);
}

typedef void (*submit_function)(fault_engine *e, fault_rule *rule,
                                fault_site *site, ixhci_ep *ep, USBDevice *dev);

static const submit_function submits[FAULT_ACTIONS] = {
    [FAULT_COMPLETE] = watch,  [FAULT_SHORT] = watch,
    [FAULT_BABBLE] = watch,    [FAULT_DELAY] = watch,
    [FAULT_CORRUPT] = corrupt, [FAULT_STALL] = stall,
    [FAULT_SILENCE] = silence, [FAULT_NAK] = nak,
};

static void packet_submit(IxhciState *x, ixhci_ep *ep, USBDevice *dev)
{
    fault_engine *e = fault_engine_of(x);
    fault_ep *fe = fault_ep_get(e, ep, false);
    kept_state kept = fe ? look_at_kept(e, fe, ep) : GOES_ON;
    fault_rule *rule = NULL;
    fault_site site;

    if (kept == WAITS) {
        fault_engine_unwrap(e);
        return;
    }
    fault_site_of_ep(&site, FAULT_PACKET, ep);
    if (!ep->td.count) {
        site_of_set_address(&site, &ep->packet);
    }
    if (fe && fe->carried && is_same_td(fe, ep)) {
        rule = fe->carried; /* it fired before the machine was moved */
    } else if (kept == GOES_ON) {
        rule = fault_fire(e, &site);
    }
    if (fe) {
        fe->flight = fe->carried = NULL;
    }
    if (rule) {
        submits[rule->action](e, rule, &site, ep, dev);
    } else {
        e->inner.usb->submit(x, ep, dev);
    }
}

static bool cut_short(fault_engine *e, fault_ep *fe, ixhci_ep *ep,
                      ixhci_outcome *how)
{
    const fault_rule *rule = fe->flight;
    USBPacket *p = &ep->packet;

    if (p->status == USB_RET_SUCCESS && p->actual_length > 0) {
        p->actual_length = MIN((uint64_t)p->actual_length, rule->params[0]);
    }
    e->inner.usb->judge(e->x, ep, how);
    note_code(e, rule, &fe->site, how->cc, how->bytes);
    return true;
}

static bool corrupt_in(fault_engine *e, fault_ep *fe, ixhci_ep *ep,
                       ixhci_outcome *how)
{
    fault_done done = { .has_bytes = true };

    e->inner.usb->judge(e->x, ep, how);
    done.bytes = turn_bits_over(fe->flight, ep, how->bytes);
    fault_note(e, fe->flight, &fe->site, &done);
    return true;
}

static bool complete(fault_engine *e, fault_ep *fe, ixhci_ep *ep,
                     ixhci_outcome *how)
{
    const fault_rule *rule = fe->flight;
    bool babbles = rule->action == FAULT_BABBLE;
    unsigned cc = babbles ? CC_BABBLE_DETECTED : rule->params[0];
    const fault_code *code = fault_code_find(cc);

    e->inner.usb->judge(e->x, ep, how);
    how->cc = cc;
    if (!babbles && FAULT_HAS(rule->params_given, 1)) {
        how->bytes = MIN(how->bytes, rule->params[1]);
    } else if (!code || !code->has_data) {
        how->bytes = 0;
    }
    note_code(e, rule, &fe->site, how->cc, how->bytes);
    return true;
}

/* Rule 3. */
static bool delay(fault_engine *e, fault_ep *fe, ixhci_ep *ep,
                  ixhci_outcome *how)
{
    fault_rule *rule = fe->flight;
    USBPacket *p = &ep->packet;
    uint32_t count = MIN(MAX(p->actual_length, 0), p->iov.size);

    fault_note(e, rule, &fe->site, NULL);
    if (e->stashed + count > FAULT_STASH_MAX ||
        !wake_later(e, ep, rule->params[0])) {
        return e->inner.usb->judge(e->x, ep, how);
    }
    keep(fe, ep, rule);
    fe->is_late = true;
    e->late++;
    fe->status = p->status;
    fe->count = count;
    e->stashed += count;
    if (ixhci_ep_is_in(ep)) {
        fe->bytes = g_malloc(count);
        iov_to_buf(p->iov.iov, p->iov.niov, 0, fe->bytes, count);
    }
    return false;
}

typedef bool (*judge_function)(fault_engine *e, fault_ep *fe, ixhci_ep *ep,
                               ixhci_outcome *how);

static const judge_function judges[FAULT_ACTIONS] = {
    [FAULT_COMPLETE] = complete, [FAULT_BABBLE] = complete,
    [FAULT_SHORT] = cut_short,   [FAULT_CORRUPT] = corrupt_in,
    [FAULT_DELAY] = delay,
};

static bool packet_judge(IxhciState *x, ixhci_ep *ep, ixhci_outcome *how)
{
    fault_engine *e = fault_engine_of(x);
    fault_ep *fe = fault_ep_get(e, ep, false);
    bool over;

    if (!fe || !fe->flight || !e->plan) {
        return e->inner.usb->judge(x, ep, how);
    }
    over = judges[fe->flight->action](e, fe, ep, how);
    fe->flight = NULL;
    return over;
}

static USBDevice *packet_find(IxhciState *x, const ixhci_slot *slot)
{
    return fault_engine_of(x)->inner.usb->find(x, slot);
}

const ixhci_bus_ops fault_packet_ops = {
    .find = packet_find,
    .submit = packet_submit,
    .judge = packet_judge,
};
