/*
 * The look ahead. The rules are in ahead.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ahead.h"
#include "td.h"

/* Rule 4: TRBs, Links included, of one look. */
#define LOOK_TRBS 256

typedef struct {
    const ixhci_ahead *ahead;
    ixhci_load_trb load;
    void *opaque;
    ixhci_ring ring;
    unsigned trbs_left;
} look;

/* The next TRB that is not a Link; false: none, or not to be looked at. */
static bool next_trb(look *l, xhci_trb *trb)
{
    while (l->trbs_left) {
        l->trbs_left--;
        if (ixhci_ring_fetch(&l->ring, l->load, l->opaque, trb) !=
            IXHCI_RING_TRB) {
            return false;
        }
        ixhci_ring_advance(&l->ring, trb);
        if (!ixhci_trb_is_link(trb)) {
            return true;
        }
        if (trb->dw[3] & TRB_IOC) {
            return false; /* §4.11.5.1: it has an event of its own */
        }
    }
    return false;
}

/* Rule 1. */
static bool is_heard_of(const look *l, const xhci_trb *trb)
{
    uint32_t asks = TRB_IOC;

    if (l->ahead->ep_type == EP_TYPE_ISOCH_IN) {
        asks |= TRB_ISP;
    }
    return (trb->dw[3] & asks) && !(trb->dw[3] & TRB_BEI);
}

/* Rule 2. */
static bool is_next_in_flow(const look *l, const xhci_trb *trb, uint64_t uf)
{
    return xhci_get(trb->dw[3], TRB_TYPE) == TRB_ISOCH &&
           ((trb->dw[3] & TRB_SIA) || l->ahead->flow->first_only ||
            xhci_get(trb->dw[3], TRB_FRAME_ID) ==
                ixhci_sched_frame(l->ahead->flow, uf));
}

/* Rule 2: what the TD loader may refuse is looked at when it is due. */
static bool is_plain(const xhci_trb *trb, bool is_first)
{
    unsigned type = xhci_get(trb->dw[3], TRB_TYPE);

    return !(trb->dw[3] & TRB_IDT) &&
           (is_first || type == TRB_NORMAL || type == TRB_NOOP ||
            type == TRB_EVENT_DATA);
}

/* Is the TD served at uf without a word to the guest? */
static bool is_silent(look *l, uint64_t uf)
{
    unsigned trbs_left = l->trbs_left;
    uint32_t bytes = 0;
    xhci_trb trb;

    if (!next_trb(l, &trb) || !is_next_in_flow(l, &trb, uf)) {
        return false;
    }
    for (bool is_first = true;; is_first = false) {
        if (!is_plain(&trb, is_first) || is_heard_of(l, &trb) ||
            trbs_left - l->trbs_left > IXHCI_TD_MAX_ISOCH_TRBS) {
            return false;
        }
        bytes += xhci_get(trb.dw[2], TRB_LENGTH);
        if (bytes > l->ahead->max_esit_payload) {
            return false;
        }
        if (!(trb.dw[3] & TRB_CH)) {
            return true;
        }
        if (!next_trb(l, &trb)) {
            return false;
        }
    }
}

uint64_t ixhci_ahead_event(const ixhci_ahead *ahead, ixhci_load_trb load,
                           void *opaque)
{
    uint64_t esit = UINT64_C(1) << ahead->flow->interval;
    uint64_t uf = ahead->due_uf;
    look l = { ahead, load, opaque, ahead->ring, LOOK_TRBS };

    while (uf + esit <= ahead->limit_uf && is_silent(&l, uf)) {
        uf += esit;
    }
    return uf;
}
