/*
 * Commands (xHCI 1.2 §4.6): one TRB on the command ring, doorbell 0, one
 * Command Completion Event. Other events that come first are put aside and
 * are the next that the test sees.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

uint64_t hcd_cmd_post(Hcd *h, xhci_trb trb)
{
    return hcd_ring_put(h, &h->cmd, trb);
}

xhci_trb hcd_cmd_trb(unsigned type, unsigned slot_id, unsigned dci,
                     uint32_t flags)
{
    uint32_t dw3 = xhci_set(flags, TRB_SLOT_ID, slot_id);

    if (dci) {
        dw3 = xhci_set(dw3, TRB_EP_ID, dci);
    }
    return hcd_trb_ptr(type, 0, 0, dw3);
}

HcdEvent hcd_cmd(Hcd *h, xhci_trb trb)
{
    uint64_t gpa = hcd_cmd_post(h, trb);
    unsigned type = xhci_get(trb.dw[3], TRB_TYPE);
    GQueue before = G_QUEUE_INIT;
    HcdEvent event, *copy;

    hcd_doorbell(h, 0, 0);
    for (;;) {
        hcd_check(hcd_event_wait(h, HCD_UF_PER_SECOND, &event),
                  "a command of type %u was never completed", type);
        if (event.type == EVT_COMMAND_COMPLETION) {
            break;
        }
        g_queue_push_tail(&before, g_memdup2(&event, sizeof(event)));
    }
    hcd_check(event.ptr == gpa,
              "the completion of a command of type %u names %" PRIx64
              ", its TRB is at %" PRIx64,
              type, event.ptr, gpa);
    while ((copy = g_queue_pop_tail(&before))) {
        g_queue_push_head(&h->stash, copy);
    }
    return event;
}

unsigned hcd_cmd_simple(Hcd *h, unsigned type, unsigned slot_id, unsigned dci,
                        uint32_t flags)
{
    return hcd_cmd(h, hcd_cmd_trb(type, slot_id, dci, flags)).cc;
}

unsigned hcd_cmd_enable_slot(Hcd *h)
{
    HcdEvent event = hcd_cmd(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));

    hcd_expect_cc(event.cc, CC_SUCCESS);
    hcd_check(event.slot_id >= 1 && event.slot_id <= h->max_slots,
              "Enable Slot returned slot %u", event.slot_id);
    return event.slot_id;
}

static unsigned with_input(Hcd *h, HcdDev *dev, unsigned type, uint32_t flags)
{
    xhci_trb trb = hcd_trb_ptr(type, dev->in_ctx, 0,
                               xhci_set(flags, TRB_SLOT_ID, dev->slot_id));

    return hcd_cmd(h, trb).cc;
}

unsigned hcd_cmd_address(Hcd *h, HcdDev *dev, uint32_t flags)
{
    return with_input(h, dev, CMD_ADDRESS_DEVICE, flags);
}

static void set_flags(Hcd *h, HcdDev *dev, uint32_t add, uint32_t drop)
{
    hcd_in_write(h, dev, 0, 0, drop);
    hcd_in_write(h, dev, 0, 1, add);
}

unsigned hcd_cmd_configure(Hcd *h, HcdDev *dev, uint32_t add, uint32_t drop)
{
    set_flags(h, dev, add, drop);
    return with_input(h, dev, CMD_CONFIGURE_ENDPOINT, 0);
}

unsigned hcd_cmd_evaluate(Hcd *h, HcdDev *dev, uint32_t add)
{
    set_flags(h, dev, add, 0);
    return with_input(h, dev, CMD_EVALUATE_CONTEXT, 0);
}

unsigned hcd_cmd_stop(Hcd *h, HcdDev *dev, unsigned dci)
{
    return hcd_cmd_simple(h, CMD_STOP_ENDPOINT, dev->slot_id, dci, 0);
}

unsigned hcd_cmd_reset_ep(Hcd *h, HcdDev *dev, unsigned dci)
{
    return hcd_cmd_simple(h, CMD_RESET_ENDPOINT, dev->slot_id, dci, 0);
}

unsigned hcd_cmd_set_dequeue(Hcd *h, HcdDev *dev, unsigned dci, uint64_t ptr,
                             bool dcs)
{
    xhci_trb trb = hcd_cmd_trb(CMD_SET_TR_DEQUEUE, dev->slot_id, dci, 0);

    trb.dw[0] = (uint32_t)ptr | dcs;
    trb.dw[1] = ptr >> 32;
    return hcd_cmd(h, trb).cc;
}

/* Moves the dequeue pointer behind everything that is queued. */
void hcd_cmd_skip_all(Hcd *h, HcdDev *dev, unsigned dci)
{
    HcdRing *ring = &dev->ring[dci];

    hcd_expect_cc(
        hcd_cmd_set_dequeue(h, dev, dci, hcd_ring_next(ring), ring->pcs),
        CC_SUCCESS);
}
