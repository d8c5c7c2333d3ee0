/*
 * Slots and endpoints as records: what has to be kept of them while the
 * controller itself is away, for migration (vmstate.c) and for the driver's
 * own save and restore (save.c).
 *
 *  1. What a context says is parsed again from its words when a record comes
 *     back, by the parser that the commands use: nothing comes in that a
 *     command would have refused.
 *  2. Records are in the order of the work list: endpoints that are due in
 *     the same microframe keep their turns. A stream comes after the endpoint
 *     whose it is.
 *  3. A TD is no part of a record. It is on its ring, and an endpoint that
 *     waited for its device begins with it anew: of a packet that a device
 *     still holds nothing has moved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"

static void take_slot(ixhci_records *r, const ixhci_slot *slot)
{
    ixhci_slot_record *record = &r->slots[r->slot_count++];

    *record = (ixhci_slot_record){
        .slot_id = slot->slot_id,
        .state = slot->state,
        .address = slot->address,
        .has_device = slot->uport != NULL,
        .context_gpa = slot->context_gpa,
    };
    memcpy(record->words, slot->words, sizeof(record->words));
}

static void take_ep(ixhci_records *r, const ixhci_ep *ep)
{
    ixhci_ep_record *record = &r->eps[r->ep_count++];

    *record = (ixhci_ep_record){
        .slot_id = ep->slot->slot_id,
        .dci = ep->dci,
        .state = ep->state,
        .waits = ep->wait != IXHCI_WAIT_NOTHING,
        .errors = ep->errors,
        .stream_id = ep->stream_id,
        .sct = ep->sct,
        .stream_gpa = ep->stream_gpa,
        .ccs = ep->ring.ccs,
        .dequeue_gpa = ep->ring.dequeue_gpa,
        .due_uf = ep->due_uf,
        .in_flow = ep->flow.in_flow,
        .missed_told = ep->missed_told,
        .next_uf = ep->flow.next_uf,
        .stale_uf = ep->flow.stale_uf,
        .tds = ep->tds,
    };
    memcpy(record->words, ep->words, sizeof(record->words));
}

static void take_idle_streams(ixhci_records *r, const ixhci_ep *ep)
{
    const ixhci_ep *stream;

    QTAILQ_FOREACH (stream, &ep->streams, sibling) {
        if (stream->due_uf == IXHCI_UF_NEVER) {
            take_ep(r, stream);
        }
    }
}

typedef void (*ep_taker)(ixhci_records *r, const ixhci_ep *ep);

static void take_each(IxhciState *x, ixhci_records *r, ep_taker take)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
            if (x->slots[i].eps[dci]) {
                take(r, x->slots[i].eps[dci]);
            }
        }
    }
}

static void take_idle(ixhci_records *r, const ixhci_ep *ep)
{
    if (ep->due_uf == IXHCI_UF_NEVER) {
        take_ep(r, ep);
    }
}

/* Rule 2: an endpoint with streams is itself never on the work list. */
static void take_eps(IxhciState *x, ixhci_records *r)
{
    ixhci_ep *ep;

    take_each(x, r, take_idle);
    QTAILQ_FOREACH (ep, &x->work, work) {
        take_ep(r, ep);
    }
    take_each(x, r, take_idle_streams);
}

void ixhci_records_take(IxhciState *x, ixhci_records *r)
{
    r->slots = g_new0(ixhci_slot_record, IXHCI_MAX_SLOTS);
    r->eps = g_new0(ixhci_ep_record, IXHCI_MAX_EPS);
    r->slot_count = 0;
    r->ep_count = 0;
    for (unsigned i = 0; i < x->num_slots; i++) {
        if (x->slots[i].enabled) {
            take_slot(r, &x->slots[i]);
        }
    }
    take_eps(x, r);
}

void ixhci_records_free(ixhci_records *r)
{
    g_free(r->slots);
    g_free(r->eps);
    memset(r, 0, sizeof(*r));
}

static bool give_slot(IxhciState *x, const ixhci_slot_record *record)
{
    ixhci_slot *slot;

    if (record->slot_id < 1 || record->slot_id > x->num_slots ||
        record->state > SLOT_STATE_CONFIGURED) {
        return false;
    }
    slot = &x->slots[record->slot_id - 1];
    slot->enabled = true;
    slot->state = record->state;
    slot->address = record->address;
    slot->context_gpa = record->context_gpa;
    memcpy(slot->words, record->words, sizeof(slot->words));
    if (slot->state == SLOT_STATE_ENABLED) {
        return true;
    }
    return ixhci_context_parse_slot(&slot->cfg, slot->words, x->num_ports,
                                    x->num_intrs) == CC_SUCCESS;
}

/* Once all slots are known: the hub of a TT may come behind its devices. */
static void find_device(IxhciState *x, const ixhci_slot_record *record)
{
    ixhci_slot *slot = &x->slots[record->slot_id - 1];

    if (record->has_device && slot->state != SLOT_STATE_ENABLED) {
        slot->uport = ixhci_slot_find_uport(x, &slot->cfg);
    }
}

static void give_work(ixhci_ep *ep, const ixhci_ep_record *record)
{
    ep->flow.in_flow = record->in_flow;
    ep->missed_told = record->missed_told;
    ep->errors = record->errors;
    ep->tds = record->tds;
    ep->flow.next_uf = record->next_uf;
    ep->flow.stale_uf = record->stale_uf;
    /* rule 3; the look ahead waits until the machine runs */
    ixhci_service_due(ep, record->waits ? ixhci_now_uf() : record->due_uf);
    ep->wake_uf = ep->due_uf;
}

static void give_ring(ixhci_ep *ep, const ixhci_ep_record *record)
{
    ep->ring.dequeue_gpa = record->dequeue_gpa & ~UINT64_C(0xf);
    ep->ring.ccs = record->ccs;
    if (ep->state == EP_STATE_RUNNING) {
        give_work(ep, record);
    }
}

static bool give_stream(ixhci_ep *ep, const ixhci_ep_record *record)
{
    ixhci_ep *stream;

    if (!ep || !ep->cfg.max_pstreams ||
        ixhci_stream_is_open(ep, record->stream_id)) {
        return false;
    }
    stream = ixhci_stream_new(ep, record->stream_id, record->stream_gpa,
                              record->sct);
    if (stream) {
        give_ring(stream, record);
    }
    return stream;
}

static bool give_ep(IxhciState *x, const ixhci_ep_record *record)
{
    ixhci_slot *slot = ixhci_slot_get(x, record->slot_id);
    ixhci_ep_config cfg;
    ixhci_ep *ep;

    if (!slot || record->dci < 1 || record->dci > IXHCI_MAX_DCI) {
        return false;
    }
    if (record->stream_id) {
        return give_stream(slot->eps[record->dci], record);
    }
    if (slot->eps[record->dci] || record->state > EP_STATE_ERROR ||
        ixhci_context_parse_ep(&cfg, record->words, record->dci,
                               slot->cfg.speed, &x->caps) != CC_SUCCESS) {
        return false;
    }
    ep = ixhci_endpoint_new(x, slot, record->dci, &cfg);
    slot->eps[record->dci] = ep;
    memcpy(ep->words, record->words, sizeof(ep->words));
    ep->state = record->state;
    give_ring(ep, record);
    return true;
}

/* All slots are gone before, and again when something does not fit. */
bool ixhci_records_give(IxhciState *x, const ixhci_records *r)
{
    bool fits = true;

    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot_disable(&x->slots[i]);
    }
    for (int32_t i = 0; fits && i < r->slot_count; i++) {
        fits = give_slot(x, &r->slots[i]);
    }
    for (int32_t i = 0; fits && i < r->slot_count; i++) {
        find_device(x, &r->slots[i]);
    }
    for (int32_t i = 0; fits && i < r->ep_count; i++) {
        fits = give_ep(x, &r->eps[i]);
    }
    for (unsigned i = 0; !fits && i < x->num_slots; i++) {
        ixhci_slot_disable(&x->slots[i]);
    }
    return fits;
}
