/*
 * Event rings: the producer's side (xHCI 1.2 §4.9.4).
 *
 *  1. The ring opens when ERSTBA is written: the segment table is read once,
 *     checked, and kept.
 *  2. A TRB is written in full before its cycle bit (§4.9.4); an event comes
 *     after the data and contexts that it reports.
 *  3. The last free TRB is for an Event Ring Full Error event. From then on
 *     events wait here, in order, rings are not fetched from, and a write to
 *     ERDP lets everything go on (§4.9.4). None is lost.
 *  4. An event for an interrupter that has no ring is dropped and traced.
 *  5. Events are counted. What the consumer leaves in the ring wants another
 *     interrupt (§4.17.2), unless all of it was posted with BEI (§4.17.5).
 *  6. A restore that finds ERSTBA, ERSTSZ and ERDP as they were saved goes on
 *     where the ring was; a driver that has made a new ring gets a new one.
 *  7. The Debug Capability's ring is made and filled like the others. Errors
 *     of it are its own, and it holds up nothing but its own data.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

static uint64_t enqueue_gpa(const ixhci_intr *intr)
{
    return intr->segments[intr->segment].base_gpa +
           (uint64_t)intr->index * XHCI_TRB_BYTES;
}

static void step_position(const ixhci_intr *intr, uint32_t *segment,
                          uint32_t *index)
{
    if (++*index == intr->segments[*segment].trbs) {
        *index = 0;
        *segment = (*segment + 1) % intr->segment_count;
    }
}

/* Free TRBs before the consumer, counted to 2 and no further. */
static unsigned count_free(const ixhci_intr *intr)
{
    uint32_t segment = intr->segment, index = intr->index;
    unsigned free = 0;

    while (free < 2) {
        step_position(intr, &segment, &index);
        if (intr->segments[segment].base_gpa +
                (uint64_t)index * XHCI_TRB_BYTES ==
            intr->erdp) {
            break;
        }
        free++;
    }
    return free;
}

/* Rule 7. */
static void ring_error(IxhciState *x, const ixhci_intr *intr,
                       ixhci_host_error_reason reason)
{
    if (intr == &x->intrs[IXHCI_DBC_RING]) {
        ixhci_dbc_error(x, "its event ring is not accessible, or bad");
    } else {
        ixhci_power_host_error(x, reason);
    }
}

/* Rule 2. */
static void write_trb(IxhciState *x, ixhci_intr *intr, const xhci_trb *trb)
{
    uint64_t gpa = enqueue_gpa(intr);
    xhci_trb posted = *trb;
    bool wrapped = intr->segment == intr->segment_count - 1;

    posted.dw[3] = (trb->dw[3] & ~TRB_C) | (intr->pcs ? TRB_C : 0);
    if (!ixhci_dma_store_trb(x, gpa, &posted)) {
        ring_error(x, intr, IXHCI_HSE_EVENT_RING);
        return;
    }
    intr->posted++;
    step_position(intr, &intr->segment, &intr->index);
    if (wrapped && intr->segment == 0 && intr->index == 0) {
        intr->pcs = !intr->pcs;
    }
}

/* Posts now, or says that there is no room. */
static bool try_post(IxhciState *x, unsigned i, const ixhci_event *event)
{
    ixhci_intr *intr = &x->intrs[i];

    if (count_free(intr) < 2) {
        return false;
    }
    trace_ixhci_event(i, xhci_get(event->trb.dw[3], TRB_TYPE),
                      xhci_get(event->trb.dw[2], EVT_CC),
                      ixhci_trb_pointer(&event->trb), event->trb.dw[2],
                      event->trb.dw[3]);
    write_trb(x, intr, &event->trb);
    if (!event->bei) {
        intr->loud = intr->posted;
        intr->ipe = true;
    }
    return true;
}

static bool is_full(const IxhciState *x, unsigned i)
{
    return x->full_rings >> i & 1;
}

static bool is_held(const IxhciState *x, unsigned i)
{
    return x->held_rings >> i & 1;
}

/* Rule 3. */
static void post_full(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];
    xhci_trb trb = { { 0 } };

    x->full_rings |= 1u << i;
    trace_ixhci_event_ring_full(i);
    if (count_free(intr) < 1) {
        return; /* an ERDP that points just ahead of us: no room at all */
    }
    trb.dw[2] = xhci_set(0, EVT_CC, CC_EVENT_RING_FULL);
    trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_HOST_CONTROLLER);
    write_trb(x, intr, &trb);
    intr->loud = intr->posted;
    intr->ipe = true;
    ixhci_intr_update(x, i);
}

/* May events for the interrupter, or ring, be posted at all? */
static bool is_taken(const IxhciState *x, const ixhci_event *event)
{
    return event->intr == IXHCI_EVENT_DBC ||
           (event->intr < x->num_intrs &&
            !(x->usbsts & (USBSTS_HCH | USBSTS_HCE | USBSTS_HSE)));
}

static void guest_post(IxhciState *x, const ixhci_event *event)
{
    unsigned i = event->intr == IXHCI_EVENT_DBC ? IXHCI_DBC_RING : event->intr;
    ixhci_intr *intr;

    if (!is_taken(x, event) || x->intrs[i].segment_count == 0) {
        trace_ixhci_event_dropped(i, xhci_get(event->trb.dw[3], TRB_TYPE));
        return;
    }
    intr = &x->intrs[i];
    if (!is_full(x, i) && try_post(x, i, event)) {
        ixhci_intr_update(x, i);
        return;
    }
    if (g_queue_get_length(intr->waiting) < IXHCI_EVENTS_WAITING_MAX) {
        g_queue_push_tail(intr->waiting, g_memdup2(event, sizeof(*event)));
    }
    if (!is_full(x, i)) {
        post_full(x, i);
    }
}

const ixhci_event_ops ixhci_event_guest = {
    .post = guest_post,
};

/* What waits is lost (§4.9.4: a stop while the ring is full may lose it). */
void ixhci_event_forget(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];
    gpointer event;

    while ((event = g_queue_pop_head(intr->waiting))) {
        g_free(event);
    }
    x->full_rings &= ~(1u << i);
    x->held_rings &= ~(1u << i);
}

void ixhci_event_reset(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];

    ixhci_event_forget(x, i);
    intr->erstsz = 0;
    intr->erstba = 0;
    intr->erdp = 0;
    intr->desi = 0;
    intr->segment_count = 0;
}

/* xHCI 1.2 §5.5.2.3.1: no ring; others no longer wait for this one. */
void ixhci_event_close(IxhciState *x, unsigned i)
{
    bool held = is_full(x, i) && i != IXHCI_DBC_RING;

    x->intrs[i].segment_count = 0;
    ixhci_event_forget(x, i);
    if (held) {
        ixhci_service_resume(x);
    }
}

static bool load_segment(IxhciState *x, const ixhci_intr *intr, uint64_t gpa,
                         ixhci_segment *segment)
{
    uint32_t words[4];

    if (!ixhci_dma_load_words(x, gpa, words, ARRAY_SIZE(words))) {
        ring_error(x, intr, IXHCI_HSE_ERST);
        return false;
    }
    segment->base_gpa = words[0] | (uint64_t)words[1] << 32;
    segment->trbs = words[2] & 0xffff;
    /* xHCI 1.2 §6.5: 64-byte aligned, 16 to 4096 TRBs */
    if ((segment->base_gpa & 0x3f) || segment->trbs < 16 ||
        segment->trbs > 4096) {
        ring_error(x, intr, IXHCI_HCE_ERST_ENTRY);
        return false;
    }
    return true;
}

void ixhci_event_open(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];
    uint32_t count = MIN(intr->erstsz, IXHCI_ERST_MAX);

    /* it has a ring in any case, and Linux's driver leaves DCERSTSZ at 0 */
    if (i == IXHCI_DBC_RING) {
        count = MAX(count, 1);
    }
    ixhci_event_close(x, i);
    intr->segment = 0;
    intr->index = 0;
    intr->pcs = true;
    intr->posted = 0;
    intr->loud = 0;
    for (uint32_t k = 0; k < count; k++) {
        if (!load_segment(x, intr, intr->erstba + k * 16, &intr->segments[k])) {
            return;
        }
    }
    intr->segment_count = count;
}

/* A pointer of which one half is still to be written may be anywhere. If it
 * is in the ring, *trbs says how many TRBs precede it there. */
static bool is_in_ring(const ixhci_intr *intr, uint64_t gpa, uint32_t *trbs)
{
    *trbs = 0;
    for (uint32_t i = 0; i < intr->segment_count; i++) {
        const ixhci_segment *segment = &intr->segments[i];

        if (gpa >= segment->base_gpa &&
            gpa - segment->base_gpa <
                (uint64_t)segment->trbs * XHCI_TRB_BYTES) {
            *trbs += (gpa - segment->base_gpa) / XHCI_TRB_BYTES;
            return true;
        }
        *trbs += segment->trbs;
    }
    return false;
}

/* Rule 5: is there an event without BEI that the consumer has not taken? */
static bool is_loud(const ixhci_intr *intr)
{
    uint32_t consumer, producer, all = 0;

    if (!is_in_ring(intr, intr->erdp, &consumer)) {
        return true;
    }
    is_in_ring(intr, enqueue_gpa(intr), &producer);
    for (uint32_t i = 0; i < intr->segment_count; i++) {
        all += intr->segments[i].trbs;
    }
    return intr->loud + (producer + all - consumer) % all > intr->posted;
}

void ixhci_event_take_place(const IxhciState *x, unsigned i,
                            ixhci_event_place *place)
{
    const ixhci_intr *intr = &x->intrs[i];

    *place = (ixhci_event_place){
        .erstba = intr->erstba,
        .erdp = intr->erdp,
        .segment_count = intr->segment_count,
        .segment = intr->segment,
        .index = intr->index,
        .pcs = intr->pcs,
        .posted = intr->posted,
        .loud = intr->loud,
    };
}

/* Rule 6. */
static bool is_same_ring(const ixhci_intr *intr, const ixhci_event_place *place)
{
    return intr->segment_count > 0 &&
           intr->segment_count == place->segment_count &&
           intr->erstba == place->erstba && intr->erdp == place->erdp;
}

bool ixhci_event_is_place(const IxhciState *x, unsigned i,
                          const ixhci_event_place *place)
{
    const ixhci_intr *intr = &x->intrs[i];

    return !is_same_ring(intr, place) ||
           (place->segment < intr->segment_count &&
            place->index < intr->segments[place->segment].trbs);
}

void ixhci_event_give_place(IxhciState *x, unsigned i,
                            const ixhci_event_place *place)
{
    ixhci_intr *intr = &x->intrs[i];

    if (is_same_ring(intr, place)) {
        intr->segment = place->segment;
        intr->index = place->index;
        intr->pcs = place->pcs;
        intr->posted = place->posted;
        intr->loud = place->loud;
    }
}

void ixhci_event_resume(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];

    intr->ipe |= intr->segment_count > 0 && is_loud(intr);
    ixhci_intr_update(x, i);
}

/* Rule 3: posts what waits; false while something still does. */
static bool post_waiting(IxhciState *x, unsigned i)
{
    ixhci_intr *intr = &x->intrs[i];
    ixhci_event *event;
    bool posted = false;

    while ((event = g_queue_peek_head(intr->waiting)) &&
           try_post(x, i, event)) {
        g_free(g_queue_pop_head(intr->waiting));
        posted = true;
    }
    if (g_queue_is_empty(intr->waiting)) {
        return true;
    }
    if (posted) {
        post_full(x, i);
    }
    return false;
}

void ixhci_event_drain(IxhciState *x, unsigned i, bool clears_ehb)
{
    ixhci_intr *intr = &x->intrs[i];
    uint32_t trbs;

    if (clears_ehb) {
        intr->ehb = false;
    }
    if (intr->segment_count == 0) {
        return;
    }
    intr->ipe = (intr->ipe || clears_ehb) && is_loud(intr);
    if (is_full(x, i) && !is_held(x, i) &&
        (i == IXHCI_DBC_RING || ixhci_is_running(x)) &&
        is_in_ring(intr, intr->erdp, &trbs) && post_waiting(x, i)) {
        x->full_rings &= ~(1u << i);
        if (i == IXHCI_DBC_RING) {
            ixhci_dbc_resume(x);
        } else {
            ixhci_service_resume(x);
        }
    }
    ixhci_intr_update(x, i);
}

/* Rule 3, as if the ring had just been filled. */
void ixhci_event_hold(IxhciState *x, unsigned i)
{
    if (ixhci_is_running(x) && i < x->num_intrs && x->intrs[i].segment_count) {
        x->held_rings |= 1u << i;
        if (!is_full(x, i)) {
            post_full(x, i);
        }
    }
}

void ixhci_event_let_go(IxhciState *x, unsigned i)
{
    x->held_rings &= ~(1u << i);
    ixhci_event_drain(x, i, false);
}

bool ixhci_event_has_room(const IxhciState *x)
{
    return !(x->full_rings & ~(1u << IXHCI_DBC_RING));
}

bool ixhci_event_ring_has_room(const IxhciState *x, unsigned i)
{
    return !is_full(x, i);
}

/* Is there an event that the consumer has not taken? */
bool ixhci_event_is_pending(const IxhciState *x, unsigned i)
{
    const ixhci_intr *intr = &x->intrs[i];

    return intr->segment_count > 0 && enqueue_gpa(intr) != intr->erdp;
}

void ixhci_event_post_command(IxhciState *x, uint64_t trb_gpa, unsigned cc,
                              unsigned slot_id)
{
    ixhci_event event = { .intr = 0 };

    event.trb.dw[0] = (uint32_t)trb_gpa;
    event.trb.dw[1] = (uint32_t)(trb_gpa >> 32);
    event.trb.dw[2] = xhci_set(0, EVT_CC, cc);
    event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_COMMAND_COMPLETION);
    event.trb.dw[3] = xhci_set(event.trb.dw[3], TRB_SLOT_ID, slot_id);
    x->event->post(x, &event);
}

void ixhci_event_post_transfer(IxhciState *x, const ixhci_ep *ep,
                               uint64_t pointer, uint32_t length, unsigned cc,
                               unsigned intr)
{
    ixhci_event event = {
        .trb = ixhci_transfer_event(pointer, length, cc, false,
                                    ep->slot->slot_id, ep->dci),
        .intr = intr,
    };

    x->event->post(x, &event);
}
