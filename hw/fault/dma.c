/*
 * Faults of the controller's accesses to guest memory.
 *
 * What an access is for is told by where it goes: a TD's buffers, the event
 * ring's segments, a TRB of a ring that is being walked; everything else is
 * called a context. Of an access that is made in an endpoint's turn, the
 * endpoint is known.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static bool is_buffer(const ixhci_ep *ep, uint64_t gpa)
{
    for (unsigned i = 0; i < ep->td.count; i++) {
        const xhci_trb *trb = &ep->td.trbs[i].trb;

        if (gpa >= ixhci_trb_pointer(trb) &&
            gpa - ixhci_trb_pointer(trb) < ixhci_td_trb_bytes(trb)) {
            return true;
        }
    }
    return false;
}

static bool is_event_ring(const IxhciState *x, uint64_t gpa)
{
    for (unsigned i = 0; i < x->num_intrs; i++) {
        const ixhci_intr *intr = &x->intrs[i];

        for (unsigned k = 0; k < intr->segment_count; k++) {
            uint64_t base = intr->segments[k].base_gpa;

            if (gpa >= base &&
                gpa - base < intr->segments[k].trbs * XHCI_TRB_BYTES) {
                return true;
            }
        }
    }
    return false;
}

static unsigned memory_of(const IxhciState *x, uint64_t gpa, size_t bytes,
                          bool writes)
{
    if (x->turn && is_buffer(x->turn, gpa)) {
        return FAULT_DATA;
    }
    if (writes && is_event_ring(x, gpa)) {
        return FAULT_EVENT_RING;
    }
    if (writes || bytes != XHCI_TRB_BYTES) {
        return FAULT_CONTEXT;
    }
    if (!x->turn && gpa == x->command_ring.dequeue_gpa) {
        return FAULT_COMMAND_RING;
    }
    return x->turn ? FAULT_TRANSFER_RING : FAULT_CONTEXT;
}

static fault_rule *fire(fault_engine *e, uint64_t gpa, size_t bytes,
                        bool writes)
{
    IxhciState *x = e->x;
    unsigned memory = memory_of(x, gpa, bytes, writes);
    fault_site site = { .seam = FAULT_DMA };
    fault_rule *rule;

    if (x->turn) {
        fault_site_of_ep(&site, FAULT_DMA, x->turn);
        site.has &= ~(1u << FAULT_TRB);
    }
    site.trb_gpa = gpa;
    fault_site_set(&site, FAULT_ACCESS, writes ? FAULT_WRITE : FAULT_READ);
    fault_site_set(&site, FAULT_MEMORY, memory);
    if (memory == FAULT_DATA || memory == FAULT_CONTEXT) {
        site.allowed = ~FAULT_BIT(FAULT_TORN_TRB);
    }
    rule = fault_fire(e, &site);
    if (rule) {
        fault_note(e, rule, &site, NULL);
    }
    return rule;
}

/* The type has not been written yet, the cycle bit has: DW3, little-endian. */
static void tear(uint8_t *trb)
{
    trb[12] &= TRB_C;
    memset(trb + 13, 0, 3);
}

static bool dma_load(IxhciState *x, uint64_t gpa, void *buf, size_t bytes)
{
    fault_engine *e = fault_engine_of(x);
    fault_rule *rule = fire(e, gpa, bytes, false);
    bool done;

    if (rule && rule->action == FAULT_DMA_READ_ERROR) {
        memset(buf, 0, bytes);
        return false;
    }
    done = e->inner.dma->load(x, gpa, buf, bytes);
    if (rule && rule->action == FAULT_TORN_TRB) {
        tear(buf);
    }
    return done;
}

/* Three dwords come after the one with the cycle bit. */
static bool store_torn(fault_engine *e, const fault_rule *rule, uint64_t gpa,
                       const void *buf)
{
    uint8_t trb[XHCI_TRB_BYTES] = { 0 };
    uint64_t w[3] = { gpa };

    memcpy(&w[1], buf, 12);
    if (!fault_later_add(e, FAULT_LATER_TORN, rule->params[0], w, ARRAY_SIZE(w),
                         NULL)) {
        return e->inner.dma->store(e->x, gpa, buf, sizeof(trb));
    }
    memcpy(trb + 12, (const uint8_t *)buf + 12, 4);
    return e->inner.dma->store(e->x, gpa, trb, sizeof(trb));
}

static bool dma_store(IxhciState *x, uint64_t gpa, const void *buf,
                      size_t bytes)
{
    fault_engine *e = fault_engine_of(x);
    fault_rule *rule = fire(e, gpa, bytes, true);

    if (rule && rule->action == FAULT_DMA_WRITE_ERROR) {
        return false;
    }
    if (rule && rule->action == FAULT_TORN_TRB) {
        return store_torn(e, rule, gpa, buf);
    }
    return e->inner.dma->store(x, gpa, buf, bytes);
}

/* engine.h, rule 5. */
static void *dma_lend(IxhciState *x, uint64_t gpa, size_t bytes)
{
    fault_engine *e = fault_engine_of(x);

    return e->plan ? NULL : e->inner.dma->lend(x, gpa, bytes);
}

static void dma_give_back(IxhciState *x, void *at, size_t bytes, size_t written)
{
    fault_engine_of(x)->inner.dma->give_back(x, at, bytes, written);
}

const ixhci_dma_ops fault_dma_ops = {
    .load = dma_load,
    .store = dma_store,
    .lend = dma_lend,
    .give_back = dma_give_back,
};
