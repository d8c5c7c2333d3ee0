/*
 * The clock's side of the pipeline: which endpoint has its turn, and when the
 * one timer fires.
 *
 *  1. An endpoint with work has a microframe at which it is due; it is on the
 *     work list. Everything that happens at a time happens in the order of
 *     time: ports, then MFINDEX wraps, then endpoints in the order of the list.
 *  2. What the guest can see of an isochronous TD is its event, its interrupt
 *     and its data. The timer therefore fires when an event will be signalled
 *     and not at each ESIT; ESITs that passed in silence are served then, each
 *     with its own microframe. Whatever else lets the guest look - a register,
 *     a doorbell, another device's packet - comes to ixhci_service_sync first.
 *     `coalesce=off` wakes up for each ESIT; the events are the same.
 *  3. No TD is executed before its ESIT. The look ahead (ahead.h) reads TRBs
 *     only to learn when to wake up, at most one TRB window at a time, and
 *     keeps nothing: what is executed is loaded again when it is due.
 *  4. A full event ring stops all fetching (§4.9.4). ESITs that pass meanwhile
 *     are lost to the TDs that were queued for them.
 *  5. The work of one microframe is bounded, in TRBs walked and in KiB moved,
 *     and so are the microframes of one call. What is left over waits for the
 *     next microframe, so that the virtual clock moves on; isochronous TDs
 *     whose ESIT passes meanwhile are missed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ahead.h"
#include "core.h"
#include "trace-hw_xhci.h"

/* Rule 5. */
#define WORK_PER_UF 32768
/* Rule 2: at most 8 ms are served in one call. */
#define BATCH_UF 64
/* Rule 3. */
#define WINDOW_TRBS 64

void ixhci_service_due(ixhci_ep *ep, uint64_t uf)
{
    bool listed = ep->due_uf != IXHCI_UF_NEVER;
    bool wanted = uf != IXHCI_UF_NEVER;

    if (listed && !wanted) {
        QTAILQ_REMOVE(&ep->x->work, ep, work);
    } else if (wanted && !listed) {
        QTAILQ_INSERT_TAIL(&ep->x->work, ep, work);
        ep->wake_uf = 0;
    }
    ep->due_uf = uf;
}

void ixhci_service_look_again(ixhci_ep *ep)
{
    ep->wake_uf = 0;
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

/* A stretch of a ring, for the look ahead only. */
typedef struct {
    IxhciState *x;
    uint64_t gpa;
    unsigned count;
    xhci_trb trbs[WINDOW_TRBS];
} window;

/* xHCI 1.2 §6: a ring segment does not cross a 64 KiB boundary. */
static bool window_load(void *opaque, uint64_t gpa, xhci_trb *trb)
{
    window *w = opaque;
    uint64_t boundary = (gpa | 0xffff) + 1;

    if (!w->count || gpa < w->gpa ||
        gpa - w->gpa >= w->count * XHCI_TRB_BYTES) {
        w->gpa = gpa;
        w->count = MIN(WINDOW_TRBS, (boundary - gpa) / XHCI_TRB_BYTES);
        if (!ixhci_dma_peek(w->x, gpa, w->trbs, w->count)) {
            w->count = 0;
            return false;
        }
    }
    *trb = w->trbs[(gpa - w->gpa) / XHCI_TRB_BYTES];
    for (unsigned i = 0; i < ARRAY_SIZE(trb->dw); i++) {
        trb->dw[i] = le32_to_cpu(trb->dw[i]);
    }
    return true;
}

/* Rule 2: when the timer has to fire for an endpoint. */
static uint64_t wake_time(ixhci_ep *ep)
{
    IxhciState *x = ep->x;
    window w = { .x = x, .count = 0 };
    ixhci_ahead ahead = {
        .ring = ep->ring,
        .flow = &ep->flow,
        .ep_type = ep->cfg.type,
        .max_esit_payload = ep->cfg.max_esit_payload,
        .due_uf = ep->due_uf,
        .limit_uf = ep->due_uf + BATCH_UF,
    };

    if (!x->coalesce || !ixhci_ep_is_isoch(ep->cfg.type) || !ep->flow.in_flow ||
        ep->due_uf <= ixhci_now_uf()) {
        return ep->due_uf;
    }
    return ixhci_ahead_event(&ahead, window_load, &w);
}

/* The first time at which the timer has to fire for the endpoints. */
static uint64_t next_wake(IxhciState *x)
{
    uint64_t first = IXHCI_UF_NEVER;
    ixhci_ep *ep;

    QTAILQ_FOREACH (ep, &x->work, work) {
        if (ep->wake_uf < ep->due_uf) {
            ep->wake_uf = wake_time(ep);
        }
        first = MIN(first, ep->wake_uf);
    }
    return first;
}

/* Events that wait for the end of a moderation interval (§4.17.2). */
static uint64_t next_interrupt_ns(const IxhciState *x)
{
    uint64_t ns = UINT64_MAX;

    for (unsigned i = 0; i < x->num_intrs; i++) {
        if (x->intrs[i].ipe && !x->intrs[i].ehb) {
            ns = MIN(ns, x->intrs[i].moderate_ns);
        }
    }
    return ns;
}

static bool is_fetching(const IxhciState *x)
{
    return ixhci_is_running(x) && ixhci_event_has_room(x);
}

void ixhci_service_arm(IxhciState *x)
{
    uint64_t uf = IXHCI_UF_NEVER, ns;

    x->ports_uf = MIN(ixhci_port_next_uf(x), ixhci_dbc_next_uf(x));
    if (x->serving) {
        return;
    }
    if (is_fetching(x)) {
        uf = next_wake(x);
        uf = uf == IXHCI_UF_NEVER ? uf : MAX(uf, x->pause_uf);
        uf = x->command_waits ? MIN(uf, x->pause_uf) : uf;
    }
    uf = MIN(uf, x->ports_uf);
    if (ixhci_is_running(x) && (x->usbcmd & USBCMD_EWE)) {
        uf = MIN(uf, x->wrap_uf);
    }
    ns = uf == IXHCI_UF_NEVER ? UINT64_MAX : uf * IXHCI_UF_NS;
    ns = MIN(ns, next_interrupt_ns(x));
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

/* Rules 4 and 5: what was due before now and is isochronous is late. */
static void lose_the_past(IxhciState *x)
{
    uint64_t now_uf = ixhci_now_uf();
    ixhci_ep *ep;

    QTAILQ_FOREACH (ep, &x->work, work) {
        ep->flow.stale_uf = now_uf;
    }
}

/* What is left is due now and not before: no backlog keeps others waiting. */
static void hold_up(IxhciState *x)
{
    uint64_t now_uf = ixhci_now_uf();
    ixhci_ep *ep;

    trace_ixhci_hold_up(now_uf);
    lose_the_past(x);
    QTAILQ_FOREACH (ep, &x->work, work) {
        ep->due_uf = MAX(ep->due_uf, now_uf);
    }
    ixhci_service_pause(x);
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

/* Rule 1: what comes before the endpoints that are due at uf. */
static void serve_clock(IxhciState *x, uint64_t uf)
{
    if (x->ports_uf <= uf) {
        ixhci_port_service(x, uf);
        ixhci_dbc_service(x, uf);
    }
    report_wraps(x, uf);
}

/* Rules 1, 4 and 5. */
static void serve_endpoints(IxhciState *x, uint64_t now_uf)
{
    uint64_t uf = 0;
    unsigned batch = 0;
    ixhci_ep *ep;

    while (is_fetching(x)) {
        ep = earliest(x);
        if (!ep || ep->due_uf > now_uf) {
            break;
        }
        if (ep->due_uf > uf && batch < BATCH_UF) {
            x->work_left = WORK_PER_UF;
            uf = ep->due_uf;
            x->at_uf = uf;
            batch++;
            serve_clock(x, uf);
            continue; /* a port may have taken a device away */
        }
        if (!x->work_left) {
            hold_up(x);
            break;
        }
        ixhci_pipeline_serve(ep, ep->due_uf);
    }
}

void ixhci_service(void *opaque)
{
    IxhciState *x = opaque;
    uint64_t now_uf = ixhci_now_uf();

    if (x->serving) {
        return; /* whoever is above us sees the work list again */
    }
    trace_ixhci_service(now_uf);
    x->serving = true;
    x->at_uf = now_uf;
    x->work_left = WORK_PER_UF;
    if (now_uf >= x->pause_uf) {
        if (x->command_waits) {
            ixhci_command_doorbell(x);
        }
        serve_endpoints(x, now_uf);
    }
    x->at_uf = now_uf;
    serve_clock(x, now_uf);
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_intr_update(x, i);
    }
    x->serving = false;
    ixhci_service_arm(x);
}

/* Rule 2. */
void ixhci_service_sync(IxhciState *x)
{
    ixhci_ep *ep;

    if (!x->coalesce || x->serving || x->dma_depth || !is_fetching(x)) {
        return;
    }
    ep = earliest(x);
    if (ep && ep->due_uf <= ixhci_now_uf()) {
        ixhci_service(x);
    }
}

/* Rule 4. */
void ixhci_service_resume(IxhciState *x)
{
    lose_the_past(x);
    ixhci_service_arm(x);
}
