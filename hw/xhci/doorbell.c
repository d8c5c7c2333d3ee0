/*
 * Doorbells: where the line begins (xHCI 1.2 §4.7, §5.6).
 *
 * Doorbell 0 is the command ring's and knows target 0 only; doorbell n is slot
 * n's, and its target is a DCI. Anything else is a mistake of the driver: it is
 * traced, and answered where the specification has an answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

static void ring_command(IxhciState *x, unsigned target)
{
    if (target == 0) {
        ixhci_command_doorbell(x);
    } else {
        trace_ixhci_doorbell_bad(0, target);
    }
}

/* xHCI 1.2 §4.7: an endpoint that is not enabled. Pointer and length are 0. */
static void answer_disabled(IxhciState *x, const ixhci_slot *slot, unsigned dci)
{
    ixhci_event event = {
        .trb = ixhci_transfer_event(0, 0, CC_ENDPOINT_NOT_ENABLED, false,
                                    slot->slot_id, dci),
        .intr = slot->cfg.intr,
    };

    trace_ixhci_doorbell_bad(slot->slot_id, dci);
    x->event->post(x, &event);
}

/* Without streams a Stream ID means nothing (§5.6). */
static void ring_endpoint(ixhci_ep *ep, unsigned stream_id)
{
    if (ep->cfg.max_pstreams) {
        ep = ixhci_stream_rung(ep, stream_id);
    }
    if (ep) {
        ixhci_pipeline_doorbell(ep);
    }
}

static void ring_slot(IxhciState *x, unsigned slot_id, unsigned dci,
                      unsigned stream_id)
{
    ixhci_slot *slot = ixhci_slot_get(x, slot_id);

    if (!slot || dci < 1 || dci > IXHCI_MAX_DCI) {
        trace_ixhci_doorbell_bad(slot_id, dci);
        return;
    }
    if (!slot->eps[dci]) {
        answer_disabled(x, slot, dci);
        return;
    }
    trace_ixhci_doorbell(slot_id, dci);
    ring_endpoint(slot->eps[dci], stream_id);
}

void ixhci_doorbell_write(IxhciState *x, unsigned index, uint32_t value)
{
    unsigned target = xhci_get(value, DB_TARGET);

    if (x->strict) {
        ixhci_strict_doorbell(x, index, value);
    }
    if (!ixhci_is_running(x)) {
        trace_ixhci_doorbell_bad(index, target);
    } else if (index == 0) {
        ring_command(x, target);
    } else {
        ring_slot(x, index, target, xhci_get(value, DB_STREAM_ID));
    }
}
