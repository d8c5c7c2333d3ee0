/*
 * The producer's half of a command or transfer ring (xHCI 1.2 §4.9): TRBs go
 * in at the enqueue pointer with the Producer Cycle State; the last TRB of
 * the segment is a Link with Toggle Cycle, handed over when the ring wraps.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

HcdRing hcd_ring_new(Hcd *h, unsigned size)
{
    return (HcdRing){
        .base = hcd_alloc(h, (uint64_t)size * XHCI_TRB_BYTES, 4096),
        .size = size,
        .pcs = true,
    };
}

xhci_trb hcd_trb_ptr(unsigned type, uint64_t ptr, uint32_t dw2, uint32_t dw3)
{
    return (xhci_trb){ { (uint32_t)ptr, ptr >> 32, dw2,
                         xhci_set(dw3, TRB_TYPE, type) } };
}

/* xHCI 1.2 §4.11.5.1: inside a TD the Link's chain bit is that of the TD. */
static void put_link(Hcd *h, HcdRing *ring, bool chain)
{
    uint32_t flags = TRB_TC | (ring->pcs ? TRB_C : 0) | (chain ? TRB_CH : 0);

    hcd_trb_store(h, ring->base + ring->enqueue * XHCI_TRB_BYTES,
                  hcd_trb_ptr(TRB_LINK, ring->base, 0, flags));
    ring->enqueue = 0;
    ring->pcs = !ring->pcs;
}

uint64_t hcd_ring_put(Hcd *h, HcdRing *ring, xhci_trb trb)
{
    uint64_t gpa = ring->base + ring->enqueue * XHCI_TRB_BYTES;

    trb.dw[3] = (trb.dw[3] & ~TRB_C) | (ring->pcs ? TRB_C : 0);
    hcd_trb_store(h, gpa, trb);
    if (++ring->enqueue == ring->size - 1) {
        unsigned type = xhci_get(trb.dw[3], TRB_TYPE);
        bool is_command = type >= CMD_ENABLE_SLOT;

        put_link(h, ring, !is_command && (trb.dw[3] & TRB_CH));
    }
    return gpa;
}

/* Where the next TRB will go. */
uint64_t hcd_ring_next(const HcdRing *ring)
{
    return ring->base + ring->enqueue * XHCI_TRB_BYTES;
}
