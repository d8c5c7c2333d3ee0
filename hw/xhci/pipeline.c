/*
 * The straight line: what a doorbell, a wake-up, a completed packet or the
 * clock set in motion.
 *
 *   load the TD -> place it in time -> put it on the bus -> retire it
 *
 *  1. An endpoint with work has a microframe at which it is due; it is on the
 *     work list, and the one timer fires at the smallest of them.
 *  2. A TD is loaded when it is due and not before, even if it was looked at
 *     earlier to learn when that is: drivers rewrite rings late.
 *  3. Isochronous: one TD per ESIT (§4.14.2.1); missed TDs are retired at once;
 *     a dry ring is one xrun event and the end of the data flow (§4.10.3.1).
 *  4. Bulk and control run until the ring is empty or the device has no
 *     answer; interrupt endpoints the same, a TD per ESIT.
 *  5. A full event ring stops all fetching (§4.9.4). ESITs that pass meanwhile
 *     are lost to the TDs that were queued for them.
 *  6. The work of one call is bounded: in TRBs walked, and in KiB moved. What
 *     is left over waits for the next microframe, so that the virtual clock
 *     moves on; isochronous TDs whose ESIT passes meanwhile are missed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* Rule 6. A turn is what one endpoint may do before the next one has its own.
 */
#define WORK_PER_SERVICE 32768
#define TDS_PER_TURN 64

static ixhci_due clock_place(IxhciState *x, const ixhci_ep *ep,
                             const ixhci_td_time *td, uint64_t now_uf,
                             uint64_t *due_uf)
{
    return ixhci_sched_place(&ep->flow, td, now_uf, due_uf);
}

const ixhci_sched_ops ixhci_sched_clock = {
    .place = clock_place,
};

void ixhci_pipeline_due(ixhci_ep *ep, uint64_t uf)
{
    bool listed = ep->due_uf != IXHCI_UF_NEVER;
    bool wanted = uf != IXHCI_UF_NEVER;

    if (listed && !wanted) {
        QTAILQ_REMOVE(&ep->x->work, ep, work);
    } else if (wanted && !listed) {
        QTAILQ_INSERT_TAIL(&ep->x->work, ep, work);
    }
    ep->due_uf = uf;
}

/* Retire: decide, then act. State and data go before the events (§4.9.4). */
static void retire(ixhci_ep *ep, const ixhci_outcome *how)
{
    IxhciState *x = ep->x;

    trace_ixhci_retire(how->slot_id, how->dci, ep->td.start.dequeue_gpa,
                       how->cc, how->bytes);
    ixhci_retire_td(&ep->retired, &ep->td, how);
    ep->ring = ep->retired.ring;
    ep->td.count = 0;
    if (ep->retired.ep_state != EP_STATE_RUNNING) {
        ixhci_endpoint_set_state(ep, ep->retired.ep_state);
    }
    for (unsigned i = 0; i < ep->retired.count; i++) {
        x->event->post(x, &ep->retired.events[i]);
    }
}

static void retire_as(ixhci_ep *ep, unsigned cc)
{
    ixhci_outcome how = {
        .slot_id = ep->slot->slot_id,
        .dci = ep->dci,
        .ep_type = ep->cfg.type,
        .cc = cc,
    };

    retire(ep, &how);
}

/*
 * Loads the TD at the ring's head. True: it is ready for the bus. What is not
 * is dealt with here, except an empty ring; *empty tells.
 */
static bool load(ixhci_ep *ep, bool *empty)
{
    ixhci_td_verdict verdict = ixhci_td_load(&ep->td, &ep->ring, ep->cfg.type,
                                             ixhci_dma_load_trb, ep->x);

    *empty = false;
    ixhci_service_charge(ep->x, ep->td.count + 1);
    switch (verdict) {
    case IXHCI_TD_READY:
        return true;
    case IXHCI_TD_EMPTY:
        ep->ring = ep->td.start; /* behind Link TRBs */
        *empty = true;
        break;
    case IXHCI_TD_PARTIAL:
        *empty = true;
        break;
    case IXHCI_TD_BAD:
        retire_as(ep, CC_TRB_ERROR);
        break;
    case IXHCI_TD_DMA_ERROR:
        ixhci_power_host_error(ep->x, IXHCI_HSE_TRANSFER_RING);
        break;
    }
    return false;
}

/* xHCI 1.2 §4.10.3.1: once per dry stretch, and only out of a data flow. */
static void run_dry(ixhci_ep *ep, uint64_t uf)
{
    ixhci_pipeline_due(ep, IXHCI_UF_NEVER);
    if (!ep->flow.in_flow) {
        return;
    }
    ep->flow.in_flow = false;
    trace_ixhci_xrun(ep->slot->slot_id, ep->dci, uf);
    ixhci_event_post_transfer(
        ep->x, ep, ep->ring.dequeue_gpa, 0,
        ep->cfg.type == EP_TYPE_ISOCH_IN ? CC_RING_OVERRUN : CC_RING_UNDERRUN,
        ep->slot->cfg.intr);
}

/*
 * Places the loaded TD. True: it is due at uf and goes on the bus; otherwise
 * it was missed and is retired, or waits for its time.
 */
static bool place(ixhci_ep *ep, uint64_t uf)
{
    ixhci_td_time time = { ep->td.sia, ep->td.frame_id };
    uint64_t due_uf;

    if (ep->x->sched->place(ep->x, ep, &time, uf, &due_uf) ==
        IXHCI_DUE_MISSED) {
        trace_ixhci_missed(ep->slot->slot_id, ep->dci, ep->td.start.dequeue_gpa,
                           uf, ep->td.frame_id);
        if (ep->flow.in_flow) {
            ep->flow.next_uf = due_uf;
        }
        ixhci_pipeline_due(ep, uf);
        retire_as(ep, CC_MISSED_SERVICE);
        return false;
    }
    ep->flow.in_flow = true;
    ep->flow.next_uf = due_uf;
    ixhci_pipeline_due(ep, due_uf);
    return due_uf <= uf;
}

/* Rule 3. True: the endpoint is still due at uf. */
static bool serve_isoch(ixhci_ep *ep, uint64_t uf)
{
    ixhci_outcome how;
    bool empty;

    if (!load(ep, &empty)) {
        if (empty) {
            run_dry(ep, uf);
        }
        return false;
    }
    if (!ep->td.has_data) {
        retire_as(ep, CC_SUCCESS);
        return true;
    }
    if (!place(ep, uf)) {
        return ep->due_uf <= uf;
    }
    ep->flow.next_uf = uf + (UINT64_C(1) << ep->flow.interval);
    ixhci_pipeline_due(ep, ep->flow.next_uf);
    ixhci_packet_submit(ep, uf, &how);
    retire(ep, &how);
    return false;
}

/* Rule 4: an interrupt endpoint takes its next ESIT; true if that is uf. */
static bool is_its_turn(ixhci_ep *ep, uint64_t uf)
{
    uint64_t turn;

    if (!ixhci_ep_is_periodic(ep->cfg.type)) {
        return true;
    }
    turn = ixhci_sched_align(&ep->flow, MAX(uf, ep->flow.next_uf));
    ixhci_pipeline_due(ep, turn);
    return turn == uf;
}

/* Rule 4. True: the endpoint is still due at uf. */
static bool serve_queue(ixhci_ep *ep, uint64_t uf)
{
    ixhci_outcome how;
    bool empty;

    if (!is_its_turn(ep, uf)) {
        return false;
    }
    if (!load(ep, &empty)) {
        ixhci_pipeline_due(ep, IXHCI_UF_NEVER);
        return false;
    }
    if (!ep->td.has_data) {
        retire_as(ep, CC_SUCCESS);
        return true;
    }
    ep->flow.next_uf = uf + (UINT64_C(1) << ep->flow.interval);
    switch (ixhci_packet_submit(ep, uf, &how)) {
    case IXHCI_PACKET_DONE:
        retire(ep, &how);
        return ep->state == EP_STATE_RUNNING;
    case IXHCI_PACKET_NAK:
        ep->wait = IXHCI_WAIT_DEVICE;
        break;
    case IXHCI_PACKET_ASYNC:
        ep->wait = IXHCI_WAIT_PACKET;
        break;
    }
    ixhci_pipeline_due(ep, IXHCI_UF_NEVER);
    return false;
}

/* One turn of one endpoint. */
static void serve(ixhci_ep *ep, uint64_t uf)
{
    IxhciState *x = ep->x;
    bool isoch = ixhci_ep_is_isoch(ep->cfg.type);

    for (unsigned i = 0; i < TDS_PER_TURN && x->work_left; i++) {
        if (!ixhci_is_running(x) || !ixhci_event_has_room(x) ||
            ep->state != EP_STATE_RUNNING) {
            return;
        }
        if (!(isoch ? serve_isoch(ep, uf) : serve_queue(ep, uf))) {
            return;
        }
    }
    if (ixhci_is_running(x) && ep->state == EP_STATE_RUNNING) {
        /* its turn is over: behind the others */
        ixhci_pipeline_due(ep, IXHCI_UF_NEVER);
        ixhci_pipeline_due(ep, uf);
    }
}

static ixhci_ep *earliest(IxhciState *x)
{
    ixhci_ep *ep, *first = NULL;

    QTAILQ_FOREACH (ep, &x->work, work) {
        if (!first || ep->due_uf < first->due_uf) {
            first = ep;
        }
    }
    return first;
}

/* xHCI 1.2 §6.4.2.8: MFINDEX Wrap Event, when EWE asks for it. */
static void report_wraps(IxhciState *x, uint64_t now_uf)
{
    ixhci_event event = { .intr = 0 };

    while (now_uf >= x->wrap_uf) {
        /* a clock that leapt reports the last wrap only */
        x->wrap_uf += ((now_uf - x->wrap_uf) & ~(uint64_t)MFINDEX_MASK) +
                      MFINDEX_MASK + 1;
        if (ixhci_is_running(x) && (x->usbcmd & USBCMD_EWE)) {
            event.trb.dw[2] = xhci_set(0, EVT_CC, CC_SUCCESS);
            event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_MFINDEX_WRAP);
            x->event->post(x, &event);
        }
    }
}

/* The one timer (rule 1). */
void ixhci_service_arm(IxhciState *x)
{
    uint64_t ns = UINT64_MAX;
    bool fetches = ixhci_is_running(x) && ixhci_event_has_room(x);
    ixhci_ep *ep = fetches ? earliest(x) : NULL;
    uint64_t port_uf = ixhci_port_next_uf(x);

    if (x->serving) {
        return;
    }
    if (fetches && x->command_waits) {
        ns = x->pause_uf * IXHCI_UF_NS;
    }
    if (ep) {
        ns = MIN(ns, MAX(ep->due_uf, x->pause_uf) * IXHCI_UF_NS);
    }
    if (port_uf != IXHCI_UF_NEVER) {
        ns = MIN(ns, port_uf * IXHCI_UF_NS);
    }
    if (ixhci_is_running(x) && (x->usbcmd & USBCMD_EWE)) {
        ns = MIN(ns, x->wrap_uf * IXHCI_UF_NS);
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        if (x->intrs[i].ipe && !x->intrs[i].ehb) {
            ns = MIN(ns, x->intrs[i].moderate_ns);
        }
    }
    if (ns == UINT64_MAX) {
        timer_del(x->timer);
    } else {
        timer_mod_ns(x->timer, ns);
    }
}

void ixhci_service_charge(IxhciState *x, unsigned units)
{
    x->work_left -= MIN(x->work_left, units);
}

void ixhci_service_pause(IxhciState *x)
{
    x->pause_uf = ixhci_now_uf() + 1;
}

/* Rules 5 and 6: what was due before now and is isochronous is late. */
static void lose_the_past(IxhciState *x)
{
    uint64_t now_uf = ixhci_now_uf();
    ixhci_ep *ep;

    QTAILQ_FOREACH (ep, &x->work, work) {
        ep->flow.stale_uf = now_uf;
    }
}

static void hold_up(IxhciState *x)
{
    trace_ixhci_hold_up(ixhci_now_uf());
    lose_the_past(x);
    ixhci_service_pause(x);
}

void ixhci_service(void *opaque)
{
    IxhciState *x = opaque;
    uint64_t now_uf = ixhci_now_uf();
    ixhci_ep *ep;

    if (x->serving) {
        return; /* whoever is above us sees the work list again */
    }
    x->serving = true;
    x->work_left = WORK_PER_SERVICE;
    ixhci_port_service(x, now_uf);
    report_wraps(x, now_uf);
    if (x->command_waits && now_uf >= x->pause_uf) {
        ixhci_command_doorbell(x);
    }
    while (now_uf >= x->pause_uf) {
        ep = earliest(x);
        if (!ep || ep->due_uf > now_uf || !ixhci_is_running(x) ||
            !ixhci_event_has_room(x)) {
            break;
        }
        if (!x->work_left) {
            hold_up(x);
            break;
        }
        serve(ep, ep->due_uf);
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_intr_update(x, i);
    }
    x->serving = false;
    ixhci_service_arm(x);
}

/* Rule 5. */
void ixhci_service_resume(IxhciState *x)
{
    lose_the_past(x);
    ixhci_service_arm(x);
}

void ixhci_pipeline_doorbell(ixhci_ep *ep)
{
    if (!ixhci_endpoint_start(ep)) {
        trace_ixhci_doorbell_ignored(ep->slot->slot_id, ep->dci, ep->state);
        return;
    }
    if (ep->wait != IXHCI_WAIT_NOTHING || ep->due_uf != IXHCI_UF_NEVER) {
        return; /* it is at work; it will come to the new TDs */
    }
    ixhci_pipeline_due(ep, ixhci_now_uf());
    ixhci_service(ep->x);
}

/* The device has something to say after a NAK. */
void ixhci_pipeline_wakeup(ixhci_ep *ep)
{
    if (ep->state == EP_STATE_RUNNING && ep->wait == IXHCI_WAIT_DEVICE) {
        ep->wait = IXHCI_WAIT_NOTHING;
        ixhci_pipeline_due(ep, ixhci_now_uf());
        ixhci_service_arm(ep->x);
    }
}

/* A packet came back. The next one is not sent from here: the device may be
 * in the middle of giving back others. */
void ixhci_pipeline_complete(ixhci_ep *ep)
{
    ixhci_outcome how;

    if (ep->wait != IXHCI_WAIT_PACKET) {
        return;
    }
    ep->wait = IXHCI_WAIT_NOTHING;
    if (ixhci_packet_finish(ep, &how)) {
        retire(ep, &how);
    }
    if (ep->state == EP_STATE_RUNNING) {
        ixhci_pipeline_due(ep, ixhci_now_uf());
    }
    ixhci_service_arm(ep->x);
}

/* xHCI 1.2 §4.10.2.3: the device is gone, and the TD it had fails. */
void ixhci_pipeline_device_left(ixhci_ep *ep)
{
    ixhci_packet_cancel(ep);
    ep->wait = IXHCI_WAIT_NOTHING;
    retire_as(ep, CC_USB_TRANSACTION_ERROR);
}
