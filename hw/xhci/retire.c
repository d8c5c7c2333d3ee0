/*
 * Retiring TDs. The rules are in retire.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "retire.h"

/* The walk over a TD's TRBs: what is left to hand out, and what went wrong. */
typedef struct {
    ixhci_retired *out;
    const ixhci_outcome *how;
    uint32_t left;    /* bytes moved, not yet attributed to a TRB */
    uint32_t edtla;   /* Event Data Transfer Length Accumulator */
    uint32_t residue; /* of the TRB where `cc` struck, 0 until then */
    uint8_t cc;       /* CC_SUCCESS until the walk reaches that TRB */
} walk;

void ixhci_retired_init(ixhci_retired *out)
{
    memset(out, 0, sizeof(*out));
}

void ixhci_retired_clear(ixhci_retired *out)
{
    g_free(out->events);
    ixhci_retired_init(out);
}

xhci_trb ixhci_transfer_event(uint64_t pointer, uint32_t length, unsigned cc,
                              bool event_data, unsigned slot_id, unsigned dci)
{
    xhci_trb trb = { { (uint32_t)pointer, (uint32_t)(pointer >> 32), 0, 0 } };

    trb.dw[2] = xhci_set(trb.dw[2], EVT_LENGTH, length);
    trb.dw[2] = xhci_set(trb.dw[2], EVT_CC, cc);
    trb.dw[3] = event_data ? TRB_ED : 0;
    trb.dw[3] = xhci_set(trb.dw[3], TRB_TYPE, EVT_TRANSFER);
    trb.dw[3] = xhci_set(trb.dw[3], TRB_EP_ID, dci);
    trb.dw[3] = xhci_set(trb.dw[3], TRB_SLOT_ID, slot_id);
    return trb;
}

static void add(walk *w, const ixhci_td_trb *at, uint64_t pointer,
                uint32_t length, bool event_data)
{
    ixhci_retired *out = w->out;

    if (out->count == out->capacity) {
        out->capacity = out->capacity ? out->capacity * 2 : 8;
        out->events = g_renew(ixhci_event, out->events, out->capacity);
    }
    out->events[out->count++] = (ixhci_event){
        .trb = ixhci_transfer_event(pointer, length, w->cc, event_data,
                                    w->how->slot_id, w->how->dci),
        .intr = (uint16_t)xhci_get(at->trb.dw[2], TRB_INTR),
        /* xHCI 1.2 §4.17.5: BEI lives in TRBs that may interrupt */
        .bei = at->trb.dw[3] & TRB_BEI,
    };
}

/* xHCI 1.2 §4.11.5.2: the event carries the TRB's parameter and the EDTLA. */
static void retire_event_data(walk *w, const ixhci_td_trb *at)
{
    if (at->trb.dw[3] & TRB_IOC) {
        add(w, at, ixhci_trb_pointer(&at->trb), w->edtla, true);
    }
    w->edtla = 0;
}

/* The TRB at which the TD went short or failed. */
static void strike(walk *w, const ixhci_td_trb *at, uint32_t residue)
{
    uint32_t wanted = TRB_IOC;

    w->cc = w->how->cc;
    w->residue = residue;
    if (w->cc == CC_SHORT_PACKET) {
        wanted |= TRB_ISP;
    }
    if (w->cc != CC_SHORT_PACKET || (at->trb.dw[3] & wanted)) {
        add(w, at, at->gpa, residue, false);
    }
}

/* Does the TD's trouble belong to this TRB, of which `moved` bytes moved? */
static bool strikes_here(const walk *w, const ixhci_td *td, unsigned i,
                         uint32_t moved)
{
    const xhci_trb *trb = &td->trbs[i].trb;
    unsigned type = xhci_get(trb->dw[3], TRB_TYPE);

    if (w->how->cc == CC_SUCCESS || w->cc != CC_SUCCESS) {
        return false;
    }
    if (type == TRB_STATUS_STAGE) {
        return w->how->cc != CC_SHORT_PACKET; /* the status stage ran */
    }
    if (!ixhci_td_trb_has_buffer(trb)) {
        return false;
    }
    if (moved < ixhci_td_trb_bytes(trb)) {
        return true;
    }
    /* all bytes moved, still an error: the last TRB with a buffer */
    for (unsigned k = i + 1; k < td->count; k++) {
        if (ixhci_td_trb_has_buffer(&td->trbs[k].trb)) {
            return false;
        }
    }
    return w->how->cc != CC_SHORT_PACKET;
}

static void retire_trb(walk *w, const ixhci_td *td, unsigned i)
{
    const ixhci_td_trb *at = &td->trbs[i];
    uint32_t bytes = ixhci_td_trb_bytes(&at->trb);
    uint32_t moved = MIN(bytes, w->left);

    if (xhci_get(at->trb.dw[3], TRB_TYPE) == TRB_EVENT_DATA) {
        retire_event_data(w, at);
        return;
    }
    if (xhci_get(at->trb.dw[3], TRB_TYPE) == TRB_STATUS_STAGE) {
        /* a short data stage does not colour the status stage (§4.10.1.1) */
        w->cc = w->cc == CC_SHORT_PACKET ? CC_SUCCESS : w->cc;
        w->residue = 0;
        w->edtla = 0; /* §4.11.5.2: of this TD, not of the data stage */
    }
    w->left -= moved;
    w->edtla += moved;
    if (strikes_here(w, td, i, moved)) {
        strike(w, at, bytes - moved);
    } else if (at->trb.dw[3] & TRB_IOC) {
        add(w, at, at->gpa, w->residue, false);
    }
}

static bool halts(const ixhci_outcome *how)
{
    return how->cc != CC_SUCCESS && how->cc != CC_SHORT_PACKET &&
           !ixhci_ep_is_isoch(how->ep_type);
}

/* A non-isochronous error ends the walk; nothing behind it has run. */
static void retire_walk(walk *w, const ixhci_td *td)
{
    for (unsigned i = 0; i < td->count; i++) {
        retire_trb(w, td, i);
        if (w->cc != CC_SUCCESS && halts(w->how)) {
            w->out->ep_state = EP_STATE_HALTED;
            w->out->ring.dequeue_gpa = td->trbs[i].gpa;
            w->out->ring.ccs = td->trbs[i].trb.dw[3] & TRB_C;
            return;
        }
    }
}

/* Rule 4: nothing moved, and nothing of the TD goes unreported. */
static void retire_missed(walk *w, const ixhci_td *td)
{
    const ixhci_td_trb *last = &td->trbs[td->count - 1];

    w->cc = CC_MISSED_SERVICE;
    if (w->how->missed != IXHCI_MISSED_EACH) {
        if (w->how->missed == IXHCI_MISSED_ROW) {
            add(w, last, 0, 0, false);
        }
        return;
    }
    for (unsigned i = 0; i < td->count; i++) {
        const ixhci_td_trb *at = &td->trbs[i];

        if (xhci_get(at->trb.dw[3], TRB_TYPE) == TRB_EVENT_DATA) {
            retire_event_data(w, at);
        } else if (at->trb.dw[3] & TRB_IOC) {
            add(w, at, at->gpa, ixhci_td_trb_bytes(&at->trb), false);
        }
    }
    if (!w->out->count) {
        add(w, last, last->gpa, ixhci_td_trb_bytes(&last->trb), false);
    }
}

static void retire_bad(walk *w, const ixhci_td *td)
{
    const ixhci_td_trb *bad = &td->trbs[td->count - 1];

    w->cc = CC_TRB_ERROR;
    add(w, bad, bad->gpa, ixhci_td_trb_bytes(&bad->trb), false);
    w->out->ep_state = EP_STATE_ERROR;
    w->out->ring.dequeue_gpa = bad->gpa;
    w->out->ring.ccs = bad->trb.dw[3] & TRB_C;
}

void ixhci_retire_td(ixhci_retired *out, const ixhci_td *td,
                     const ixhci_outcome *how)
{
    walk w = { .out = out, .how = how, .left = how->bytes, .cc = CC_SUCCESS };

    out->count = 0;
    out->ep_state = EP_STATE_RUNNING;
    out->ring = td->next;
    if (!td->count) {
        return;
    }
    switch (how->cc) {
    case CC_MISSED_SERVICE:
        retire_missed(&w, td);
        break;
    case CC_TRB_ERROR:
        retire_bad(&w, td);
        break;
    default:
        retire_walk(&w, td);
        break;
    }
}
