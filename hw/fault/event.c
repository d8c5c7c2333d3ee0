/*
 * Faults of events: dropped, late, twice, out of order, or saying something
 * else. What is posted goes through the controller's own producer, so that
 * cycle bits, full rings and interrupts are right.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

/* As FAULT_LATER_EVENT and _BEHIND keep it; w[3] is the latter's count. */
void fault_event_pack(const ixhci_event *event, uint64_t *w)
{
    w[0] = event->trb.dw[0] | (uint64_t)event->trb.dw[1] << 32;
    w[1] = event->trb.dw[2] | (uint64_t)event->trb.dw[3] << 32;
    w[2] = event->intr | (uint64_t)event->bei << 16;
}

void fault_event_post_packed(fault_engine *e, const uint64_t *w)
{
    ixhci_event event = {
        .trb = { { (uint32_t)w[0], w[0] >> 32, (uint32_t)w[1], w[1] >> 32 } },
        .intr = w[2] & 0xffff,
        .bei = w[2] >> 16 & 1,
    };

    e->inner.event->post(e->x, &event);
}

/* An event has been posted: those that wait for it are one nearer. */
static void let_others_follow(fault_engine *e, unsigned intr)
{
    GList *l = e->later.head, *next;

    for (; l; l = next) {
        fault_later *item = l->data;

        next = l->next;
        if (item->kind == FAULT_LATER_BEHIND && (item->w[2] & 0xffff) == intr &&
            --item->w[3] == 0) {
            g_queue_delete_link(&e->later, l);
            fault_event_post_packed(e, item->w);
            fault_later_free(item);
        }
    }
}

static void pass(fault_engine *e, const ixhci_event *event)
{
    e->inner.event->post(e->x, event);
    let_others_follow(e, event->intr);
}

/* The request that the event is about. Its TD has been retired by now, and its
 * SETUP is still there; when the ring was found empty since, nothing is. */
static void site_of_request(fault_site *site, const ixhci_ep *ep)
{
    if (ep->cfg.type == EP_TYPE_CONTROL && ep->td.has_data) {
        fault_site_of_setup(site, ep->td.setup);
    }
}

/* A Transfer Event has the keys of its endpoint, if there still is one. */
static void site_of_transfer(fault_engine *e, fault_site *site,
                             const xhci_trb *trb)
{
    unsigned slot_id = xhci_get(trb->dw[3], TRB_SLOT_ID);
    unsigned dci = xhci_get(trb->dw[3], TRB_EP_ID);
    ixhci_slot *slot = ixhci_slot_get(e->x, slot_id);

    if (slot && dci && slot->eps[dci]) {
        fault_site_of_ep(site, FAULT_EVENT, slot->eps[dci]);
        site->has &= ~(1u << FAULT_TRB);
        site_of_request(site, slot->eps[dci]);
    } else {
        fault_site_set(site, FAULT_SLOT, slot_id);
    }
    site->trb_gpa = ixhci_trb_pointer(trb);
}

static void site_of(fault_engine *e, fault_site *site, const ixhci_event *event)
{
    const xhci_trb *trb = &event->trb;
    unsigned type = xhci_get(trb->dw[3], TRB_TYPE);

    *site = (fault_site){ .seam = FAULT_EVENT };
    switch (type) {
    case EVT_TRANSFER:
        site_of_transfer(e, site, trb);
        break;
    case EVT_COMMAND_COMPLETION:
        fault_site_set(site, FAULT_SLOT, xhci_get(trb->dw[3], TRB_SLOT_ID));
        site->trb_gpa = ixhci_trb_pointer(trb);
        break;
    case EVT_PORT_STATUS_CHANGE:
        fault_site_set(site, FAULT_PORT_ID, xhci_get(trb->dw[0], EVT_PORT_ID));
        break;
    default:
        break;
    }
    fault_site_set(site, FAULT_EVENT_ID, type);
    fault_site_set(site, FAULT_CODE, xhci_get(trb->dw[2], EVT_CC));
    fault_site_set(site, FAULT_INTERRUPTER, event->intr);
}

static void drop(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
}

static void delay(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    uint64_t w[3];

    fault_event_pack(event, w);
    if (!fault_later_add(e, FAULT_LATER_EVENT, rule->params[0], w,
                         ARRAY_SIZE(w), NULL)) {
        pass(e, event);
    }
}

static void duplicate(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    pass(e, event);
    pass(e, event);
}

static void reorder(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    uint64_t w[4];

    fault_event_pack(event, w);
    w[3] = rule->params[0];
    if (!fault_later_add(e, FAULT_LATER_BEHIND, 0, w, ARRAY_SIZE(w), NULL)) {
        pass(e, event);
    }
}

/* xHCI 1.2 §4.7, Table 6-90: what a Disabled endpoint is told names no TRB. */
static bool names_no_trb(const xhci_trb *trb, unsigned cc)
{
    return cc == CC_ENDPOINT_NOT_ENABLED &&
           xhci_get(trb->dw[3], TRB_TYPE) == EVT_TRANSFER;
}

static void change_code(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    uint32_t *dw = event->trb.dw;

    if (names_no_trb(&event->trb, rule->params[0])) {
        dw[0] = dw[1] = dw[2] = 0;
        dw[3] &= ~TRB_ED;
    }
    dw[2] = xhci_set(dw[2], EVT_CC, rule->params[0]);
    if (FAULT_HAS(rule->params_given, 1)) {
        dw[2] = xhci_set(dw[2], EVT_LENGTH, rule->params[1]);
    }
    pass(e, event);
}

static void fill_ring(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    uint64_t w[] = { event->intr };

    if (fault_later_add(e, FAULT_LATER_RING, rule->params[0], w, ARRAY_SIZE(w),
                        NULL)) {
        ixhci_event_hold(e->x, event->intr);
    }
    pass(e, event);
}

/* xHCI 1.2 §6.4.2.6: the carrier is a Host Controller Event. */
static void lose(fault_engine *e, fault_rule *rule, ixhci_event *event)
{
    ixhci_event lost = { .intr = event->intr };

    lost.trb.dw[2] = xhci_set(0, EVT_CC, CC_EVENT_LOST);
    lost.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_HOST_CONTROLLER);
    pass(e, &lost);
}

typedef void (*event_function)(fault_engine *e, fault_rule *rule,
                               ixhci_event *event);

static const event_function functions[FAULT_ACTIONS] = {
    [FAULT_DROP_EVENT] = drop,           [FAULT_DELAY_EVENT] = delay,
    [FAULT_DUPLICATE_EVENT] = duplicate, [FAULT_REORDER_EVENT] = reorder,
    [FAULT_EVENT_CODE] = change_code,    [FAULT_EVENT_RING_FULL] = fill_ring,
    [FAULT_EVENT_LOST] = lose,
};

static void event_post(IxhciState *x, const ixhci_event *event)
{
    fault_engine *e = fault_engine_of(x);
    ixhci_event mine = *event;
    fault_done done = { .has_code = true };
    fault_rule *rule = NULL;
    fault_site site;

    if (event->intr < x->num_intrs) { /* and not the Debug Capability's */
        site_of(e, &site, event);
        rule = fault_fire(e, &site);
    }
    if (!rule) {
        pass(e, event);
        return;
    }
    done.code = rule->action == FAULT_EVENT_CODE ? rule->params[0]
                                                 : site.value[FAULT_CODE];
    fault_note(e, rule, &site, &done);
    functions[rule->action](e, rule, &mine);
}

const ixhci_event_ops fault_event_ops = {
    .post = event_post,
};
