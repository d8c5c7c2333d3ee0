/*
 * Interrupters other than 0, each with an event ring of its own (xHCI 1.2
 * §4.17.1). The test reads what is there; ERDP is written only when it says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

static unsigned set_of(unsigned n, unsigned offset)
{
    return XHCI_INTR_SET + XHCI_INTR_STRIDE * n + offset;
}

void hcd_intr_n_write(Hcd *h, unsigned n, unsigned offset, uint32_t value)
{
    hcd_rt_write(h, set_of(n, offset), value);
}

uint32_t hcd_intr_n_read(Hcd *h, unsigned n, unsigned offset)
{
    return hcd_rt_read(h, set_of(n, offset));
}

HcdEventRing hcd_intr_n_open(Hcd *h, unsigned n, unsigned trbs)
{
    HcdEventRing ring = hcd_event_ring_new(h, trbs);

    hcd_intr_n_write(h, n, XHCI_ERSTSZ, 1);
    hcd_intr_n_write(h, n, XHCI_ERDP_LO, ring.base);
    hcd_intr_n_write(h, n, XHCI_ERDP_HI, 0);
    hcd_intr_n_write(h, n, XHCI_ERSTBA_LO, ring.erst);
    hcd_intr_n_write(h, n, XHCI_ERSTBA_HI, 0);
    return ring;
}

/* Frees the space of what was taken. */
void hcd_intr_n_ack(Hcd *h, unsigned n, const HcdEventRing *ring)
{
    hcd_intr_n_write(h, n, XHCI_ERDP_LO,
                     (ring->base + ring->dequeue * XHCI_TRB_BYTES) | ERDP_EHB);
    hcd_intr_n_write(h, n, XHCI_ERDP_HI, 0);
}
