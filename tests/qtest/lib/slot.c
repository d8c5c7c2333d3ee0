/*
 * Device slots (xHCI 1.2 §4.3, §6.2): the contexts in memory, ADDR and CFG.
 * A context is named by its index: in the Device Context 0 is the slot and
 * n the endpoint with DCI n; the Input Context has its control context first.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

static uint64_t in_gpa(Hcd *h, HcdDev *dev, unsigned index, unsigned dw)
{
    return dev->in_ctx + h->ctx_bytes * index + 4 * dw;
}

uint32_t hcd_in_read(Hcd *h, HcdDev *dev, unsigned index, unsigned dw)
{
    return qtest_readl(h->qts, in_gpa(h, dev, index, dw));
}

void hcd_in_write(Hcd *h, HcdDev *dev, unsigned index, unsigned dw,
                  uint32_t value)
{
    qtest_writel(h->qts, in_gpa(h, dev, index, dw), value);
}

uint32_t hcd_out_read(Hcd *h, HcdDev *dev, unsigned index, unsigned dw)
{
    return qtest_readl(h->qts, dev->out_ctx + h->ctx_bytes * index + 4 * dw);
}

unsigned hcd_slot_state(Hcd *h, HcdDev *dev)
{
    return xhci_get(hcd_out_read(h, dev, 0, 3), SLOT_STATE);
}

unsigned hcd_ep_state(Hcd *h, HcdDev *dev, unsigned dci)
{
    return xhci_get(hcd_out_read(h, dev, dci, 0), EP_STATE);
}

/* TR Dequeue Pointer of the Output Context, DCS in bit 0. */
uint64_t hcd_ep_dequeue(Hcd *h, HcdDev *dev, unsigned dci)
{
    return hcd_out_read(h, dev, dci, 2) | (uint64_t)hcd_out_read(h, dev, dci, 3)
                                              << 32;
}

/* An enabled slot with contexts of zeros for the device at port_id. */
HcdDev *hcd_dev_new(Hcd *h, unsigned port_id)
{
    HcdDev *dev = g_new0(HcdDev, 1);

    dev->port_id = port_id;
    dev->speed = xhci_get(hcd_portsc(h, port_id), PORTSC_SPEED);
    dev->slot_id = hcd_cmd_enable_slot(h);
    dev->in_ctx = hcd_alloc(h, 64 * 33, 4096);
    dev->out_ctx = hcd_alloc(h, 64 * 32, 4096);
    qtest_writeq(h->qts, h->dcbaa + 8 * dev->slot_id, dev->out_ctx);
    return dev;
}

/* USB 2.0 §5.5.3, USB 3.2 §8.12.2.3: what every device of a speed accepts. */
static unsigned default_mps0(unsigned speed)
{
    switch (speed) {
    case SPEED_HIGH:
        return 64;
    case SPEED_FULL:
    case SPEED_LOW:
        return 8;
    default:
        return 512;
    }
}

/* xHCI 1.2 §4.3.3: the Input Context of Address Device, and EP0's ring. */
void hcd_dev_prepare_address(Hcd *h, HcdDev *dev)
{
    HcdRing *ring = &dev->ring[1];

    *ring = hcd_ring_new(h, 64);
    hcd_in_write(h, dev, 0, 0, 0);
    hcd_in_write(h, dev, 0, 1, 3);
    hcd_in_write(h, dev, 1, 0,
                 dev->route | xhci_set(xhci_set(0, SLOT_CONTEXT_ENTRIES, 1),
                                       SLOT_SPEED, dev->speed));
    hcd_in_write(h, dev, 1, 1, xhci_set(0, SLOT_ROOT_PORT, dev->port_id));
    hcd_in_write(h, dev, 1, 2,
                 xhci_set(xhci_set(0, SLOT_TT_HUB, dev->tt_hub), SLOT_TT_PORT,
                          dev->tt_port));
    hcd_in_write(h, dev, 1, 3, 0);
    hcd_in_write(h, dev, 2, 0, 0);
    hcd_in_write(
        h, dev, 2, 1,
        xhci_set(xhci_set(xhci_set(0, EP_CERR, 3), EP_TYPE, EP_TYPE_CONTROL),
                 EP_MAX_PACKET_SIZE, default_mps0(dev->speed)));
    hcd_in_write(h, dev, 2, 2, (uint32_t)ring->base | EP_DCS);
    hcd_in_write(h, dev, 2, 3, ring->base >> 32);
    hcd_in_write(h, dev, 2, 4, 8);
}

/* Port reset and Enable Slot: everything that Address Device needs. */
HcdDev *hcd_dev_ready(Hcd *h, unsigned port_id)
{
    HcdDev *dev;

    hcd_check(port_id, "no port shows the device");
    hcd_port_reset(h, port_id);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    dev = hcd_dev_new(h, port_id);
    hcd_dev_prepare_address(h, dev);
    return dev;
}

/* A device in the Addressed state. */
HcdDev *hcd_dev_open(Hcd *h, unsigned port_id)
{
    HcdDev *dev = hcd_dev_ready(h, port_id);

    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED,
              "after Address Device the Slot State is %u, not Addressed",
              hcd_slot_state(h, dev));
    return dev;
}

static bool is_isoch(unsigned type)
{
    return type == EP_TYPE_ISOCH_IN || type == EP_TYPE_ISOCH_OUT;
}

/* Fills the Input Endpoint Context and gives the endpoint a new ring. */
void hcd_ep_prepare(Hcd *h, HcdDev *dev, HcdEp ep)
{
    unsigned index = ep.dci + 1;
    unsigned entries = ep.dci;
    uint32_t dw0 =
        xhci_set(xhci_set(0, EP_MULT, ep.mult), EP_INTERVAL, ep.interval);
    uint32_t dw1 = xhci_set(xhci_set(0, EP_TYPE, ep.type), EP_CERR,
                            is_isoch(ep.type) ? 0
                            : ep.cerr         ? ep.cerr
                                              : 3);
    HcdRing *ring = &dev->ring[ep.dci];

    dw0 = xhci_set(dw0, EP_MAX_ESIT_PAYLOAD_HI, ep.esit >> 16);
    for (unsigned dci = ep.dci; dci < 32; dci++) {
        entries = hcd_ep_state(h, dev, dci) ? MAX(entries, dci) : entries;
    }
    *ring = hcd_ring_new(h, ep.trbs ? ep.trbs : 64);
    dw1 = xhci_set(xhci_set(dw1, EP_MAX_PACKET_SIZE, ep.mps), EP_MAX_BURST,
                   ep.burst);
    hcd_in_write(
        h, dev, 1, 0,
        xhci_set(hcd_out_read(h, dev, 0, 0), SLOT_CONTEXT_ENTRIES, entries));
    hcd_in_write(h, dev, 1, 1, hcd_out_read(h, dev, 0, 1));
    hcd_in_write(h, dev, 1, 2, hcd_out_read(h, dev, 0, 2));
    hcd_in_write(h, dev, 1, 3, 0);
    hcd_in_write(h, dev, index, 0, dw0);
    hcd_in_write(h, dev, index, 1, dw1);
    hcd_in_write(h, dev, index, 2, (uint32_t)ring->base | EP_DCS);
    hcd_in_write(h, dev, index, 3, ring->base >> 32);
    hcd_in_write(h, dev, index, 4,
                 xhci_set(ep.mps, EP_MAX_ESIT_PAYLOAD_LO, ep.esit));
}

void hcd_ep_add_with(Hcd *h, HcdDev *dev, HcdEp ep)
{
    hcd_ep_prepare(h, dev, ep);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << ep.dci | 1, 0), CC_SUCCESS);
}
