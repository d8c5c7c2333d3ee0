/*
 * Device slots: what the controller knows of an addressed device (§4.5).
 *
 *  1. A slot finds its device by root port and Route String once, when it is
 *     addressed, and loses it when the device leaves (uport is NULL then).
 *  2. One device, one slot: a second slot for the same port is refused, so
 *     that a device never sees two owners of one endpoint.
 *  3. When a device leaves, what was in its hands ends with a USB Transaction
 *     Error (§4.10.2.3); the slot stays until software disables it.
 *  4. Packets for a full- or low-speed device cross to it from a high-speed bus
 *     at the last high-speed hub on the way, by a split transaction to that
 *     hub's transaction translator (USB 2.0 §11.14): the slot must say so, and
 *     only then.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

ixhci_slot *ixhci_slot_get(IxhciState *x, unsigned slot_id)
{
    if (slot_id < 1 || slot_id > x->num_slots) {
        return NULL;
    }
    return x->slots[slot_id - 1].enabled ? &x->slots[slot_id - 1] : NULL;
}

/* xHCI 1.2 §6.2.2: the Output Slot Context. */
bool ixhci_slot_store(IxhciState *x, ixhci_slot *slot)
{
    slot->words[3] = xhci_set(0, SLOT_ADDRESS, slot->address);
    slot->words[3] = xhci_set(slot->words[3], SLOT_STATE, slot->state);
    if (!ixhci_dma_store_words(x, slot->context_gpa, slot->words,
                               IXHCI_CONTEXT_WORDS)) {
        ixhci_power_host_error(x, IXHCI_HSE_CONTEXT);
        return false;
    }
    return true;
}

static void drop_from(ixhci_slot *slot, unsigned dci)
{
    for (; dci <= IXHCI_MAX_DCI; dci++) {
        ixhci_endpoint_free(slot->eps[dci]);
        slot->eps[dci] = NULL;
    }
}

/* Every endpoint but the default control endpoint, also in memory. */
void ixhci_slot_drop_endpoints(ixhci_slot *slot)
{
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if (slot->eps[dci]) {
            ixhci_endpoint_set_state(slot->eps[dci], EP_STATE_DISABLED);
        }
    }
    drop_from(slot, 2);
}

void ixhci_slot_disable(ixhci_slot *slot)
{
    unsigned slot_id = slot->slot_id;

    drop_from(slot, 1);
    memset(slot, 0, sizeof(*slot));
    slot->slot_id = slot_id;
}

static USBPort *port_with_path(IxhciState *x, const char *path)
{
    USBPort *uport;

    QTAILQ_FOREACH (uport, &x->bus.used, next) {
        if (uport->dev && g_str_equal(uport->path, path)) {
            return uport;
        }
    }
    return NULL;
}

static bool is_slow(unsigned speed)
{
    return speed == SPEED_FULL || speed == SPEED_LOW;
}

/* xHCI 1.2 §6.2.2: the slot of the hub whose TT a device is behind, if the
 * slot that the device names is one that can be it. */
const ixhci_slot *ixhci_slot_tt(IxhciState *x, const ixhci_slot_config *cfg)
{
    const ixhci_slot *hub = ixhci_slot_get(x, cfg->tt_hub);

    return hub && ixhci_context_tt_is_legal(cfg, &hub->cfg) ? hub : NULL;
}

/* Rule 4: the tier at which a slot has its packets split, or none. */
static unsigned tt_tier_of(IxhciState *x, const ixhci_slot_config *cfg)
{
    const ixhci_slot *hub = ixhci_slot_tt(x, cfg);

    return hub ? ixhci_context_tiers(hub->cfg.route) : IXHCI_MAX_TIERS;
}

/*
 * Rules 1 and 4: the port with the path "root.tier1.tier2…" on our bus. NULL:
 * there is no device, or packets in the way that the slot wants them would not
 * come to it.
 */
USBPort *ixhci_slot_find_uport(IxhciState *x, const ixhci_slot_config *cfg)
{
    const ixhci_port *root = &x->ports[cfg->root_port - 1];
    unsigned tiers = ixhci_context_tiers(cfg->route), tt = IXHCI_MAX_TIERS;
    g_autoptr(GString) path = g_string_new(NULL);
    USBPort *uport;

    if (!(root->portsc & PORTSC_CCS)) {
        return NULL;
    }
    g_string_printf(path, "%d", root->uport->index + 1);
    for (unsigned tier = 0; tier < tiers; tier++) {
        uport = port_with_path(x, path->str);
        if (uport && uport->dev->speed == USB_SPEED_HIGH &&
            is_slow(cfg->speed)) {
            tt = tier;
        }
        g_string_append_printf(path, ".%u",
                               ixhci_context_hub_port(cfg->route, tier));
    }
    uport = port_with_path(x, path->str);
    /* only a device that is there will be announced when it leaves */
    return uport && uport->dev->attached && tt == tt_tier_of(x, cfg) ? uport
                                                                     : NULL;
}

/* Rule 3. */
static void give_back(ixhci_slot *slot)
{
    for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
        ixhci_ep *ep = slot->eps[dci], *stream;

        if (!ep) {
            continue;
        }
        if (ep->wait != IXHCI_WAIT_NOTHING) {
            ixhci_pipeline_device_left(ep);
        }
        QTAILQ_FOREACH (stream, &ep->streams, sibling) {
            if (stream->wait != IXHCI_WAIT_NOTHING) {
                ixhci_pipeline_device_left(stream);
            }
        }
    }
}

/* The slot of the device on a root port itself; NULL if there is none. */
ixhci_slot *ixhci_slot_on_port(IxhciState *x, unsigned port_id)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot *slot = &x->slots[i];

        if (slot->enabled && slot->state >= SLOT_STATE_DEFAULT &&
            slot->cfg.root_port == port_id && !slot->cfg.route) {
            return slot;
        }
    }
    return NULL;
}

/* A root port carries nothing any more; its devices may still be there. */
void ixhci_slot_port_down(IxhciState *x, unsigned port_id)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        if (x->slots[i].enabled && x->slots[i].cfg.root_port == port_id) {
            give_back(&x->slots[i]);
        }
    }
}

/* And again: what was held up is asked for. */
void ixhci_slot_port_up(IxhciState *x, unsigned port_id)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot *slot = &x->slots[i];

        if (!slot->enabled || slot->cfg.root_port != port_id) {
            continue;
        }
        for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
            if (slot->eps[dci]) {
                ixhci_pipeline_wakeup(slot->eps[dci], 0);
            }
        }
    }
}

void ixhci_slot_device_left(IxhciState *x, USBPort *uport)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot *slot = &x->slots[i];

        if (!slot->enabled || slot->uport != uport) {
            continue;
        }
        trace_ixhci_slot_device_left(slot->slot_id);
        give_back(slot);
        slot->uport = NULL;
    }
}

ixhci_ep *ixhci_slot_find_endpoint(IxhciState *x, const USBEndpoint *usb_ep)
{
    unsigned dci = xhci_dci(usb_ep->nr, usb_ep->pid == USB_TOKEN_IN);

    if (dci > IXHCI_MAX_DCI) {
        return NULL;
    }
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot *slot = &x->slots[i];

        if (slot->enabled && slot->uport && slot->uport->dev == usb_ep->dev) {
            return slot->eps[dci];
        }
    }
    return NULL;
}
