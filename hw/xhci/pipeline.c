/*
 * The straight line: what a doorbell, a wake-up, a completed packet or the
 * clock set in motion.
 *
 *   load the TD -> place it in time -> put it on the bus -> retire it
 *
 *  1. An endpoint with work has a microframe at which it is due; service.c
 *     gives it its turn.
 *  2. A TD is loaded when it is due and not before, even if it was looked at
 *     earlier to learn when that is: drivers rewrite rings late.
 *  3. Isochronous: one TD per ESIT (§4.14.2.1); missed TDs are retired at once;
 *     a dry ring is one xrun event and the end of the data flow (§4.10.3.1).
 *  4. Bulk and control run until the ring is empty or the device has no
 *     answer; interrupt endpoints the same, a TD per ESIT.
 *  5. A transaction that failed is tried again, an interrupt endpoint's in its
 *     next ESIT, others in the next microframe, until it has failed CErr times
 *     in a row (§4.10.2). A TD is one transaction here: what moved a part of
 *     its bytes cannot be tried again.
 *  6. Where the link is asleep a bulk, control or interrupt TD waits for it
 *     (link.c, rule 4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* A turn is what one endpoint may do before the next one has its own. */
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

/* Retire: decide, then act. State and data go before the events (§4.9.4). */
static void retire(ixhci_ep *ep, const ixhci_outcome *how)
{
    IxhciState *x = ep->x;

    trace_ixhci_retire(how->slot_id, how->dci, ep->td.start.dequeue_gpa,
                       how->cc, how->bytes);
    /* what a TRB Error stops was never on the bus */
    if (x->watch && ep->td.count && ep->td.has_data &&
        how->cc != CC_TRB_ERROR) {
        x->watch->end(x, ep, how);
    }
    ixhci_stats_retired(ep, how);
    ixhci_retire_td(&ep->retired, &ep->td, how);
    ep->ring = ep->retired.ring;
    ep->td.count = 0;
    if (ep->retired.ep_state != EP_STATE_RUNNING) {
        ixhci_endpoint_set_state(ep, ep->retired.ep_state);
    }
    for (unsigned i = 0; i < ep->retired.count; i++) {
        x->event->post(x, &ep->retired.events[i]);
    }
    ep->tds += ep->td.has_data;
}

static ixhci_outcome outcome_of(const ixhci_ep *ep, unsigned cc)
{
    return (ixhci_outcome){
        .slot_id = ep->slot->slot_id,
        .dci = ep->dci,
        .ep_type = ep->cfg.type,
        .cc = cc,
    };
}

static void retire_as(ixhci_ep *ep, unsigned cc)
{
    ixhci_outcome how = outcome_of(ep, cc);

    retire(ep, &how);
}

/* xHCI 1.2 §4.10.3.2: each missed TD is told, or, before 1.1, a row of them. */
static void retire_missed(ixhci_ep *ep)
{
    ixhci_outcome how = outcome_of(ep, CC_MISSED_SERVICE);

    if (!ixhci_caps_locates_misses(&ep->x->caps)) {
        how.missed = ep->missed_told ? IXHCI_MISSED_IN_ROW : IXHCI_MISSED_ROW;
    }
    ep->missed_told = true;
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
    bool located = ixhci_caps_locates_misses(&ep->x->caps);

    ixhci_service_due(ep, IXHCI_UF_NEVER);
    if (!ep->flow.in_flow) {
        return;
    }
    ep->flow.in_flow = false;
    ep->missed_told = false;
    ep->counts.xruns++;
    trace_ixhci_xrun(ep->slot->slot_id, ep->dci, uf);
    ixhci_event_post_transfer(
        ep->x, ep, located ? ep->ring.dequeue_gpa : 0, 0,
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
    ixhci_due due = ep->x->sched->place(ep->x, ep, &time, uf, &due_uf);

    if (ep->x->strict) {
        ixhci_strict_frame_id(ep, uf);
    }
    if (due == IXHCI_DUE_DRY) {
        run_dry(ep, uf);
        return false;
    }
    if (due == IXHCI_DUE_MISSED) {
        trace_ixhci_missed(ep->slot->slot_id, ep->dci, ep->td.start.dequeue_gpa,
                           uf, ep->td.frame_id);
        if (ep->flow.in_flow) {
            ep->flow.next_uf = due_uf;
        }
        ixhci_service_due(ep, uf);
        retire_missed(ep);
        return false;
    }
    ep->flow.in_flow = true;
    ep->flow.next_uf = due_uf;
    ixhci_service_due(ep, due_uf);
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
    ixhci_service_due(ep, ep->flow.next_uf);
    ep->missed_told = false;
    ixhci_packet_submit(ep, uf, &how);
    retire(ep, &how);
    return false;
}

/* Rule 5: does the TD that ended so have another try? Not isochronous. */
static bool tries_again(ixhci_ep *ep, const ixhci_outcome *how)
{
    bool failed =
        how->cc == CC_USB_TRANSACTION_ERROR || how->cc == CC_SPLIT_TRANSACTION;

    if (!failed || how->bytes) {
        ep->errors = 0;
        return false;
    }
    ep->errors = MIN(ep->errors + 1, UINT8_MAX);
    if (ep->cfg.cerr && ep->errors >= ep->cfg.cerr) {
        ep->errors = 0;
        return false;
    }
    trace_ixhci_retry(ep->slot->slot_id, ep->dci, ep->errors);
    ixhci_service_due(ep, ixhci_now_uf() + 1);
    return true;
}

/* Rule 4: an interrupt endpoint takes its next ESIT; true if that is uf. */
static bool is_its_turn(ixhci_ep *ep, uint64_t uf)
{
    uint64_t turn;

    if (!ixhci_ep_is_periodic(ep->cfg.type)) {
        return true;
    }
    turn = ixhci_sched_align(&ep->flow, MAX(uf, ep->flow.next_uf));
    ixhci_service_due(ep, turn);
    return turn == uf;
}

/* Rule 6. */
static bool awaits_link(ixhci_ep *ep)
{
    uint64_t up_uf = ixhci_port_wake(ep->x, ep->slot->cfg.root_port);

    if (up_uf <= ixhci_now_uf()) {
        return false;
    }
    if (up_uf == IXHCI_UF_NEVER) {
        ep->wait = IXHCI_WAIT_DEVICE;
    }
    ixhci_service_due(ep, up_uf);
    return true;
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
        ixhci_service_due(ep, IXHCI_UF_NEVER);
        return false;
    }
    if (!ep->td.has_data) {
        retire_as(ep, CC_SUCCESS);
        return true;
    }
    if (awaits_link(ep)) {
        return false;
    }
    ep->flow.next_uf = uf + (UINT64_C(1) << ep->flow.interval);
    switch (ixhci_packet_submit(ep, uf, &how)) {
    case IXHCI_PACKET_DONE:
        if (tries_again(ep, &how)) {
            return false;
        }
        retire(ep, &how);
        return ep->state == EP_STATE_RUNNING;
    case IXHCI_PACKET_NAK:
        ep->wait = IXHCI_WAIT_DEVICE;
        break;
    case IXHCI_PACKET_ASYNC:
        ep->wait = IXHCI_WAIT_PACKET;
        break;
    }
    ixhci_service_due(ep, IXHCI_UF_NEVER);
    return false;
}

/* One turn of one endpoint. */
void ixhci_pipeline_serve(ixhci_ep *ep, uint64_t uf)
{
    IxhciState *x = ep->x;
    bool isoch = ixhci_ep_is_isoch(ep->cfg.type), goes_on = true;

    x->turn = ep;
    for (unsigned i = 0; i < TDS_PER_TURN && x->work_left && goes_on; i++) {
        goes_on = ixhci_is_running(x) && ixhci_event_has_room(x) &&
                  ep->state == EP_STATE_RUNNING &&
                  (isoch ? serve_isoch(ep, uf) : serve_queue(ep, uf));
    }
    x->turn = NULL;
    if (goes_on && ixhci_is_running(x) && ep->state == EP_STATE_RUNNING) {
        /* its turn is over: behind the others */
        ixhci_service_due(ep, IXHCI_UF_NEVER);
        ixhci_service_due(ep, uf);
    }
}

void ixhci_pipeline_doorbell(ixhci_ep *ep)
{
    if (!ixhci_endpoint_start(ep)) {
        trace_ixhci_doorbell_ignored(ep->slot->slot_id, ep->dci, ep->state);
        return;
    }
    if (ep->wait != IXHCI_WAIT_NOTHING || ep->due_uf != IXHCI_UF_NEVER) {
        /* it is at work and will come to the new TDs */
        ixhci_service_look_again(ep);
        ixhci_service_arm(ep->x);
        return;
    }
    ixhci_service_due(ep, ixhci_now_uf());
    ixhci_service(ep->x);
}

static void wake(ixhci_ep *ep)
{
    if (ep->state == EP_STATE_RUNNING && ep->wait == IXHCI_WAIT_DEVICE) {
        ep->wait = IXHCI_WAIT_NOTHING;
        ixhci_service_due(ep, ixhci_now_uf());
        ixhci_service_arm(ep->x);
    }
}

/* The device has something to say after a NAK; 0: whatever stream it is. */
void ixhci_pipeline_wakeup(ixhci_ep *ep, unsigned stream_id)
{
    ixhci_ep *stream;

    wake(ep);
    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        if (!stream_id || stream->stream_id == stream_id) {
            wake(stream);
        }
    }
}

/* A packet came back. The next one is not sent from here: the device may be
 * in the middle of giving back others. */
void ixhci_pipeline_complete(ixhci_ep *ep)
{
    ixhci_outcome how;
    bool finished;

    if (ep->wait != IXHCI_WAIT_PACKET) {
        return;
    }
    ep->wait = IXHCI_WAIT_NOTHING;
    ixhci_port_used(ep->x, ep->slot->cfg.root_port);
    ep->x->turn = ep;
    finished = ixhci_packet_finish(ep, &how);
    ep->x->turn = NULL;
    if (!finished) {
        ixhci_service_due(ep, ixhci_now_uf());
    } else if (!tries_again(ep, &how)) {
        retire(ep, &how);
        if (ep->state == EP_STATE_RUNNING) {
            ixhci_service_due(ep, ixhci_now_uf());
        }
    }
    ixhci_service_arm(ep->x);
}

/* xHCI 1.2 §4.10.2.3: the device is gone; what it had has failed once. */
void ixhci_pipeline_device_left(ixhci_ep *ep)
{
    ixhci_outcome how = outcome_of(ep, ixhci_packet_no_answer(ep));

    ixhci_packet_cancel(ep);
    ep->wait = IXHCI_WAIT_NOTHING;
    if (!tries_again(ep, &how)) {
        retire(ep, &how);
    }
    ixhci_service_arm(ep->x);
}
