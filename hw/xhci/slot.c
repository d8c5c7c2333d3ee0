/*
 * Device slots: what the controller knows of an addressed device (§4.5).
 *
 *  1. A slot finds its device by root port and Route String once, when it is
 *     addressed, and loses it when the device leaves (uport is NULL then).
 *  2. One device, one slot: a second slot for the same port is refused, so
 *     that a device never sees two owners of one endpoint.
 *  3. When a device leaves, what was in its hands ends with a USB Transaction
 *     Error (§4.10.2.3); the slot stays until software disables it.
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

/* Rule 1: the port with the path "root.tier1.tier2…" on our bus. */
USBPort *ixhci_slot_find_uport(IxhciState *x, const ixhci_slot_config *cfg)
{
    const ixhci_port *root = &x->ports[cfg->root_port - 1];
    g_autoptr(GString) path = g_string_new(NULL);
    USBPort *uport;

    if (!(root->portsc & PORTSC_CCS)) {
        return NULL;
    }
    g_string_printf(path, "%d", root->uport->index + 1);
    for (unsigned tier = 0; tier < 5; tier++) {
        unsigned hub_port = cfg->route >> (4 * tier) & 0xf;

        if (!hub_port) {
            break;
        }
        g_string_append_printf(path, ".%u", hub_port);
    }
    QTAILQ_FOREACH (uport, &x->bus.used, next) {
        if (g_str_equal(uport->path, path->str)) {
            /* only a device that is there will be announced when it leaves */
            return uport->dev && uport->dev->attached ? uport : NULL;
        }
    }
    return NULL;
}

/* Rule 3. */
static void give_back(ixhci_slot *slot)
{
    for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
        ixhci_ep *ep = slot->eps[dci];

        if (ep && ep->wait != IXHCI_WAIT_NOTHING) {
            ixhci_pipeline_device_left(ep);
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
