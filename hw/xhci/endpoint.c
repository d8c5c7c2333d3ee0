/*
 * Endpoints: their state and what commands may do to it (xHCI 1.2 §4.8.3).
 *
 *  1. Which request is legal in which state is a table; what is not is a
 *     Context State Error and changes nothing.
 *  2. There is one setter. It writes the Output Endpoint Context, so that
 *     state and dequeue pointer in memory are exact whenever the endpoint is
 *     not Running (§6.2.3).
 *  3. Leaving Running takes the endpoint off the work list, takes its packet
 *     back from the device and ends its data flow.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

typedef enum {
    REQUEST_DOORBELL,
    REQUEST_STOP,
    REQUEST_UNHALT, /* Reset Endpoint */
    REQUEST_SET_DEQUEUE,
    REQUESTS,
} request;

#define ILLEGAL 0xff

/* xHCI 1.2 Figure 4-5: state that a request leads to. */
static const uint8_t transitions[][REQUESTS] = {
    [EP_STATE_DISABLED] = { ILLEGAL, ILLEGAL, ILLEGAL, ILLEGAL },
    [EP_STATE_RUNNING] = { EP_STATE_RUNNING, EP_STATE_STOPPED, ILLEGAL,
                           ILLEGAL },
    [EP_STATE_HALTED] = { ILLEGAL, ILLEGAL, EP_STATE_STOPPED, ILLEGAL },
    [EP_STATE_STOPPED] = { EP_STATE_RUNNING, ILLEGAL, ILLEGAL,
                           EP_STATE_STOPPED },
    [EP_STATE_ERROR] = { ILLEGAL, ILLEGAL, ILLEGAL, EP_STATE_STOPPED },
};

static bool is_legal(const ixhci_ep *ep, request r)
{
    return transitions[ep->state][r] != ILLEGAL;
}

static unsigned after(const ixhci_ep *ep, request r)
{
    return transitions[ep->state][r];
}

ixhci_ep *ixhci_endpoint_new(IxhciState *x, ixhci_slot *slot, unsigned dci,
                             const ixhci_ep_config *cfg)
{
    ixhci_ep *ep = g_new0(ixhci_ep, 1);

    ep->x = x;
    ep->slot = slot;
    ep->dci = dci;
    ep->cfg = *cfg;
    ep->ring = ixhci_ring_at(cfg->dequeue);
    ep->flow.base_uf = x->base_uf;
    ep->flow.interval = cfg->interval;
    ep->flow.first_only = !(x->caps.hcc1 & HCC1_CFC);
    ep->due_uf = IXHCI_UF_NEVER;
    QTAILQ_INIT(&ep->streams);
    ep->streams_allocated = cfg->max_pstreams;
    ixhci_td_init(&ep->td);
    usb_packet_init(&ep->packet);
    return ep;
}

/* Rule 3. */
void ixhci_endpoint_idle(ixhci_ep *ep)
{
    ixhci_ep *stream;

    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        ixhci_endpoint_idle(stream);
    }
    ixhci_packet_cancel(ep);
    if (ep->x->watch) {
        ep->x->watch->drop(ep->x, ep);
    }
    ixhci_service_due(ep, IXHCI_UF_NEVER);
    ep->wait = IXHCI_WAIT_NOTHING;
    ep->flow.in_flow = false;
    ep->missed_told = false;
    ep->errors = 0;
}

void ixhci_endpoint_free(ixhci_ep *ep)
{
    if (ep) {
        ixhci_stats_add(&ep->x->gone, &ep->counts);
        ixhci_stream_close_all(ep);
        ixhci_stream_release(ep);
        ixhci_endpoint_idle(ep);
        ixhci_td_clear(&ep->td);
        usb_packet_cleanup(&ep->packet);
        ixhci_retired_clear(&ep->retired);
        g_free(ep->buffer);
        g_free(ep);
    }
}

static bool store_streams(ixhci_ep *ep)
{
    bool done = true;
    ixhci_ep *stream;

    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        done = done && ixhci_stream_store(stream);
    }
    return done;
}

/*
 * xHCI 1.2 §6.2.3: state, dequeue pointer and DCS of the Output Context. With
 * streams the rings are theirs; that of the endpoint stays at their array.
 */
bool ixhci_endpoint_store(ixhci_ep *ep)
{
    uint64_t pointer = ixhci_ring_pack(&ep->ring);
    uint64_t gpa =
        ep->slot->context_gpa + (uint64_t)ep->dci * ep->x->context_bytes;

    ep->words[0] = xhci_set(ep->words[0], EP_STATE, ep->state);
    ep->words[2] = (uint32_t)pointer;
    ep->words[3] = (uint32_t)(pointer >> 32);
    if (!ixhci_dma_store_words(ep->x, gpa, ep->words, IXHCI_CONTEXT_WORDS)) {
        ixhci_power_host_error(ep->x, IXHCI_HSE_CONTEXT);
        return false;
    }
    return store_streams(ep);
}

/* Of the endpoint and all its streams, whichever of them is named. */
void ixhci_endpoint_set_state(ixhci_ep *ep, unsigned state)
{
    ixhci_ep *stream;

    ep = ep->of ? ep->of : ep;
    trace_ixhci_ep_state(ep->slot->slot_id, ep->dci, ep->state, state);
    ep->state = state;
    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        stream->state = state;
    }
    if (state != EP_STATE_RUNNING) {
        ixhci_endpoint_idle(ep);
    }
    ixhci_endpoint_store(ep);
}

/* In a TD that the device has not finished? */
static bool is_inside(const ixhci_ep *ep)
{
    return ep->wait != IXHCI_WAIT_NOTHING && ep->td.count;
}

/*
 * xHCI 1.2 §4.6.9: the Transfer Event that every successful Stop Endpoint
 * owes. A TD whose packet was with the device stops inside its first TRB, of
 * which nothing has moved; anywhere else the length means nothing.
 */
static void post_stopped(ixhci_ep *ep)
{
    const ixhci_td_trb *first = ep->td.trbs;

    if (is_inside(ep)) {
        ixhci_event_post_transfer(
            ep->x, ep, first->gpa, xhci_get(first->trb.dw[2], TRB_LENGTH),
            CC_STOPPED, xhci_get(first->trb.dw[2], TRB_INTR));
    } else {
        ixhci_event_post_transfer(ep->x, ep, ep->ring.dequeue_gpa, 0,
                                  CC_STOPPED_LENGTH_INVALID,
                                  ep->slot->cfg.intr);
    }
}

/* xHCI 1.2 §4.12: each stream in a TD is told; of none, that it was none. */
static void stop_streams(ixhci_ep *ep)
{
    ixhci_ep *stream;
    bool told = false;

    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        if (is_inside(stream)) {
            stream->ring = stream->td.start;
            post_stopped(stream);
            told = true;
        }
    }
    if (!told) {
        ixhci_event_post_transfer(ep->x, ep, 0, 0, CC_STOPPED_LENGTH_INVALID,
                                  ep->slot->cfg.intr);
    }
}

unsigned ixhci_endpoint_stop(ixhci_ep *ep)
{
    if (!is_legal(ep, REQUEST_STOP)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (ep->cfg.max_pstreams) {
        stop_streams(ep);
    } else {
        if (is_inside(ep)) {
            ep->ring = ep->td.start; /* behind Link TRBs that led to the TD */
        }
        post_stopped(ep);
    }
    ixhci_endpoint_set_state(ep, after(ep, REQUEST_STOP));
    return CC_SUCCESS;
}

unsigned ixhci_endpoint_unhalt(ixhci_ep *ep)
{
    if (!is_legal(ep, REQUEST_UNHALT)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    ixhci_endpoint_set_state(ep, after(ep, REQUEST_UNHALT));
    return CC_SUCCESS;
}

unsigned ixhci_endpoint_set_dequeue(ixhci_ep *ep, uint64_t pointer,
                                    unsigned stream_id, unsigned sct)
{
    unsigned cc = CC_SUCCESS;

    if (!is_legal(ep, REQUEST_SET_DEQUEUE)) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (ep->cfg.max_pstreams) {
        cc = ixhci_stream_set_dequeue(ep, stream_id, sct, pointer);
    } else {
        ep->ring = ixhci_ring_at(pointer);
    }
    if (cc != CC_SUCCESS) {
        return cc;
    }
    ixhci_endpoint_set_state(ep, after(ep, REQUEST_SET_DEQUEUE));
    return CC_SUCCESS;
}

/* A doorbell: true when the endpoint is Running now. */
bool ixhci_endpoint_start(ixhci_ep *ep)
{
    if (ep->of) {
        return ixhci_endpoint_start(ep->of);
    }
    if (!is_legal(ep, REQUEST_DOORBELL)) {
        return false;
    }
    if (ep->state != after(ep, REQUEST_DOORBELL)) {
        ixhci_endpoint_set_state(ep, after(ep, REQUEST_DOORBELL));
    }
    return true;
}
