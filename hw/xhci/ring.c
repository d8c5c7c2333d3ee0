/*
 * The ring walker. The rules are in ring.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ring.h"

ixhci_ring ixhci_ring_at(uint64_t pointer_and_cycle)
{
    ixhci_ring ring = {
        .dequeue_gpa = pointer_and_cycle & ~UINT64_C(0xf),
        .ccs = pointer_and_cycle & 1,
    };

    return ring;
}

uint64_t ixhci_ring_pack(const ixhci_ring *ring)
{
    return ring->dequeue_gpa | (ring->ccs ? 1 : 0);
}

ixhci_ring_result ixhci_ring_fetch(const ixhci_ring *ring, ixhci_load_trb load,
                                   void *opaque, xhci_trb *trb)
{
    if (!load(opaque, ring->dequeue_gpa, trb)) {
        return IXHCI_RING_DMA_ERROR;
    }
    return !!(trb->dw[3] & TRB_C) == ring->ccs ? IXHCI_RING_TRB
                                               : IXHCI_RING_EMPTY;
}

void ixhci_ring_advance(ixhci_ring *ring, const xhci_trb *trb)
{
    if (!ixhci_trb_is_link(trb)) {
        ring->dequeue_gpa += XHCI_TRB_BYTES;
        return;
    }
    ring->dequeue_gpa = ixhci_trb_pointer(trb) & ~UINT64_C(0xf);
    if (trb->dw[3] & TRB_TC) {
        ring->ccs = !ring->ccs;
    }
}
