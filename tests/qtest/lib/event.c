/*
 * The consumer's half of an event ring (xHCI 1.2 §4.9.4), and what the tests
 * say about events: the next one must be this, or there must be none.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

/* One segment of zeros, and the table that names it. */
HcdEventRing hcd_event_ring_new(Hcd *h, unsigned trbs)
{
    HcdEventRing ring = {
        .erst = hcd_alloc(h, 16, 64),
        .base = hcd_alloc(h, (uint64_t)trbs * XHCI_TRB_BYTES, 4096),
        .size = trbs,
        .ccs = true,
    };
    qtest_memset(h->qts, ring.base, 0, trbs * XHCI_TRB_BYTES);
    qtest_writeq(h->qts, ring.erst, ring.base);
    qtest_writel(h->qts, ring.erst + 8, trbs);
    qtest_writel(h->qts, ring.erst + 12, 0);
    return ring;
}

void hcd_event_ring_init(Hcd *h, unsigned trbs)
{
    HcdEventRing *ring = &h->evt;

    *ring = hcd_event_ring_new(h, trbs);
    hcd_intr_write(h, XHCI_ERSTSZ, 1);
    hcd_intr_write(h, XHCI_ERDP_LO, ring->base);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
    hcd_intr_write(h, XHCI_ERSTBA_LO, ring->erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
}

uint64_t hcd_event_dequeue(Hcd *h)
{
    return h->evt.base + h->evt.dequeue * XHCI_TRB_BYTES;
}

/* xHCI 1.2 §5.5.2.3.3: frees the space of what was taken, clears EHB. */
void hcd_event_ack(Hcd *h)
{
    hcd_intr_write(h, XHCI_ERDP_LO, hcd_event_dequeue(h) | ERDP_EHB);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
}

static HcdEvent decode(Hcd *h, xhci_trb trb)
{
    return (HcdEvent){
        .trb = trb,
        .type = xhci_get(trb.dw[3], TRB_TYPE),
        .cc = xhci_get(trb.dw[2], EVT_CC),
        .ptr = trb.dw[0] | (uint64_t)trb.dw[1] << 32,
        .len = xhci_get(trb.dw[2], EVT_LENGTH),
        .slot_id = xhci_get(trb.dw[3], TRB_SLOT_ID),
        .dci = xhci_get(trb.dw[3], TRB_EP_ID),
        .port_id = xhci_get(trb.dw[0], EVT_PORT_ID),
        .ed = trb.dw[3] & TRB_ED,
        .uf = hcd_now_uf(h),
    };
}

/* The next event of a ring, from memory; no register is touched. */
bool hcd_event_ring_take(Hcd *h, HcdEventRing *ring, HcdEvent *event)
{
    xhci_trb trb = hcd_trb_load(h, ring->base + ring->dequeue * XHCI_TRB_BYTES);

    if (!!(trb.dw[3] & TRB_C) != ring->ccs) {
        return false;
    }
    *event = decode(h, trb);
    hcd_check(event->cc != CC_INVALID || h->takes_zero,
              "FP-00: an event with code 0: %s", hcd_event_text(event));
    if (++ring->dequeue == ring->size) {
        ring->dequeue = 0;
        ring->ccs = !ring->ccs;
    }
    return true;
}

/* The next event that is in memory now; the clock does not move. */
bool hcd_event_take(Hcd *h, HcdEvent *event)
{
    HcdEvent *stashed = g_queue_pop_head(&h->stash);

    if (stashed) {
        *event = *stashed;
        g_free(stashed);
        return true;
    }
    if (!hcd_event_ring_take(h, &h->evt, event)) {
        return false;
    }
    if (!h->keep_erdp) {
        hcd_event_ack(h);
    }
    return true;
}

/* The same, moving the clock by at most limit_uf, a microframe at a time. */
bool hcd_event_wait(Hcd *h, uint64_t limit_uf, HcdEvent *event)
{
    for (uint64_t n = 0; !hcd_event_take(h, event); n++) {
        if (n == limit_uf) {
            return false;
        }
        hcd_step_uf(h, 1);
    }
    return true;
}

/* A lap at most: a ring without an end would give events without an end. */
void hcd_event_drain(Hcd *h)
{
    HcdEvent event;

    for (unsigned n = 0; n < h->evt.size && hcd_event_take(h, &event); n++) {
    }
}

char *hcd_event_text(const HcdEvent *event)
{
    return g_strdup_printf("type %u, code %u, pointer %" PRIx64
                           ", length %u, slot %u, DCI %u, ED %u"
                           ", at microframe %" PRIu64,
                           event->type, event->cc, event->ptr, event->len,
                           event->slot_id, event->dci, event->ed, event->uf);
}

void hcd_expect_quiet_at(Hcd *h, uint64_t microframes, const char *file,
                         int line)
{
    HcdEvent event;

    hcd_step_uf(h, microframes);
    if (hcd_event_take(h, &event)) {
        hcd_fail(file, line, "no event was expected, there is: %s",
                 hcd_event_text(&event));
    }
}

static char *want_text(const HcdExpect *want)
{
    return g_strdup_printf("code %u%s, pointer %" PRIx64 ", length %" PRId64
                           ", slot %u, DCI %u, ED %u",
                           want->cc, want->cc2 ? " (or another)" : "",
                           want->ptr, want->len < 0 ? 0 : want->len,
                           want->dev ? want->dev->slot_id : 0, want->dci,
                           want->ed);
}

HcdEvent hcd_expect_te_at(Hcd *h, const char *file, int line, HcdExpect want)
{
    HcdEvent event;
    bool good;

    if (!hcd_event_wait(h, want.limit_uf ? want.limit_uf : HCD_UF_PER_SECOND,
                        &event)) {
        hcd_fail(file, line, "there is no event; expected a Transfer Event: %s",
                 want_text(&want));
    }
    good = event.type == EVT_TRANSFER && event.ed == want.ed &&
           (!want.dev || event.slot_id == want.dev->slot_id) &&
           (!want.dci || event.dci == want.dci) &&
           (!want.cc || event.cc == want.cc ||
            (want.cc2 && event.cc == want.cc2)) &&
           (!want.ptr || event.ptr == want.ptr) &&
           (!want.len || event.len == (want.len < 0 ? 0 : want.len));
    if (!good) {
        hcd_fail(file, line, "the event is: %s;\n    expected type 32: %s",
                 hcd_event_text(&event), want_text(&want));
    }
    return event;
}

HcdEvent hcd_expect_type_at(Hcd *h, unsigned type, const char *file, int line)
{
    HcdEvent event;

    if (!hcd_event_wait(h, HCD_UF_PER_SECOND, &event)) {
        hcd_fail(file, line, "there is no event; expected one of type %u",
                 type);
    }
    if (event.type != type) {
        hcd_fail(file, line, "the event is: %s; expected type %u",
                 hcd_event_text(&event), type);
    }
    return event;
}
