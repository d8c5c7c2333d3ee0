/*
 * Commands and checks that deal in bandwidth (xHCI 1.2 §4.6.13, §4.6.15,
 * §4.16): who is on a bus is gathered here, what fits is computed in
 * bandwidth.c.
 *
 *  1. A device that was addressed with a TT Hub Slot ID is behind that hub's
 *     transaction translator: one for each port if the hub's Slot Context says
 *     MTT, else one for all. TT Think Time is the hub's, too.
 *  2. Nothing is kept: bandwidth is in use as long as an endpoint is there
 *     that uses it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* xHCI 1.2 §6.2.2: TT Think Time counts in 8 full-speed bit times, from 1. */
static uint8_t think_bytes(const ixhci_slot *hub)
{
    return xhci_get(hub->words[2], SLOT_TTT) + 1;
}

/* Rule 1, for the TT of hub that serves tt_port. */
static ixhci_domain domain_behind(const ixhci_slot *hub, unsigned tt_port)
{
    return (ixhci_domain){
        .root_port = hub->cfg.root_port,
        .tt_hub = hub->slot_id,
        .tt_port = hub->words[0] & SLOT_MTT ? tt_port : 0,
        .think_bytes = think_bytes(hub),
    };
}

static ixhci_domain domain_of(IxhciState *x, const ixhci_slot *slot)
{
    const ixhci_slot *hub = ixhci_slot_tt(x, &slot->cfg);

    if (hub) {
        return domain_behind(hub, slot->cfg.tt_port);
    }
    return (ixhci_domain){
        .root_port = slot->cfg.root_port,
        .tt_hub = slot->cfg.tt_hub, /* of a hub that software took away */
    };
}

static void add_share(GArray *all, const ixhci_slot *slot,
                      const ixhci_domain *domain, unsigned dci,
                      const ixhci_ep_config *cfg)
{
    ixhci_share share = {
        .domain = *domain,
        .speed = slot->cfg.speed,
        .in = dci & 1,
        .cfg = cfg,
    };

    if (ixhci_ep_is_periodic(cfg->type)) {
        g_array_append_val(all, share);
    }
}

static bool is_on_bus(const ixhci_slot *slot, unsigned root_port)
{
    return slot->enabled && slot->state != SLOT_STATE_ENABLED &&
           slot->cfg.root_port == root_port;
}

/* All periodic endpoints of a root port's bus; those of `but` are left out. */
static GArray *gather(IxhciState *x, unsigned root_port, const ixhci_slot *but)
{
    GArray *all = g_array_new(false, false, sizeof(ixhci_share));

    for (unsigned i = 0; i < x->num_slots; i++) {
        const ixhci_slot *slot = &x->slots[i];
        ixhci_domain domain;

        if (slot == but || !is_on_bus(slot, root_port)) {
            continue;
        }
        domain = domain_of(x, slot);
        for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
            if (slot->eps[dci]) {
                add_share(all, slot, &domain, dci, &slot->eps[dci]->cfg);
            }
        }
    }
    return all;
}

/* xHCI 1.2 §4.16: does the bus carry what there is, less drop, plus add? */
unsigned ixhci_command_judge_bandwidth(IxhciState *x, const ixhci_slot *slot,
                                       uint32_t drop, uint32_t add,
                                       const ixhci_ep_config *eps)
{
    unsigned root_port = slot->cfg.root_port;
    g_autoptr(GArray) all = gather(x, root_port, slot);
    ixhci_domain domain = domain_of(x, slot);
    bool asks = false;

    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        uint32_t flag = UINT32_C(1) << dci;

        if (add & flag) {
            add_share(all, slot, &domain, dci, &eps[dci]);
            asks = asks || ixhci_ep_is_periodic(eps[dci].type);
        } else if (slot->eps[dci] && !(drop & flag)) {
            add_share(all, slot, &domain, dci, &slot->eps[dci]->cfg);
        }
    }
    if (!asks) {
        return CC_SUCCESS;
    }
    return ixhci_bandwidth_judge((ixhci_share *)all->data, all->len, &domain,
                                 ixhci_port_bus_speed(x, root_port));
}

/* For a person who looks: what is granted of each unit. */
void ixhci_command_bus_units(IxhciState *x, unsigned root_port, bool in,
                             uint32_t units[IXHCI_BANDWIDTH_UNITS])
{
    g_autoptr(GArray) all = gather(x, root_port, NULL);

    ixhci_bandwidth_bus_units((ixhci_share *)all->data, all->len, root_port,
                              ixhci_port_bus_speed(x, root_port), in, units);
}

/* What a bus has left for devices of its own speed. */
static unsigned bus_free(IxhciState *x, unsigned root_port, unsigned bus_speed)
{
    g_autoptr(GArray) all = gather(x, root_port, NULL);
    const ixhci_share *shares = (ixhci_share *)all->data;
    uint32_t out, in;

    out = ixhci_bandwidth_bus_load(shares, all->len, root_port, bus_speed, 0);
    in = ixhci_bandwidth_bus_load(shares, all->len, root_port, bus_speed, 1);
    return ixhci_bandwidth_free(bus_speed, MAX(out, in));
}

static unsigned tt_free(IxhciState *x, const ixhci_domain *domain)
{
    g_autoptr(GArray) all = gather(x, domain->root_port, NULL);

    return ixhci_bandwidth_free(
        SPEED_FULL,
        ixhci_bandwidth_tt_load((ixhci_share *)all->data, all->len, domain));
}

static bool is_slow(unsigned speed)
{
    return speed == SPEED_FULL || speed == SPEED_LOW;
}

/*
 * xHCI 1.2 §6.2.6: a root port. One that has no device yet can become a bus of
 * any speed of its protocol; others are of one speed, and have nothing for
 * devices of another, but that a full-speed bus takes low-speed devices.
 */
static unsigned root_port_free(IxhciState *x, unsigned port_id, unsigned speed)
{
    const ixhci_port *port = &x->ports[port_id - 1];
    unsigned bus_speed = xhci_get(port->portsc, PORTSC_SPEED);

    if (port->is_usb3 != (speed == SPEED_SUPER)) {
        return 0;
    }
    if (!bus_speed) {
        return ixhci_bandwidth_free(speed, 0);
    }
    if (bus_speed != speed && !(bus_speed == SPEED_FULL && is_slow(speed))) {
        return 0;
    }
    return bus_free(x, port_id, bus_speed);
}

/* A port of a hub: the bus that the hub is on, or the TT before its ports. */
static unsigned hub_port_free(IxhciState *x, const ixhci_slot *hub,
                              unsigned port, unsigned speed)
{
    ixhci_domain domain;

    if (hub->cfg.speed == SPEED_HIGH && is_slow(speed)) {
        domain = domain_behind(hub, port);
        return tt_free(x, &domain);
    }
    if (hub->cfg.speed != speed &&
        !(is_slow(hub->cfg.speed) && is_slow(speed))) {
        return 0;
    }
    domain = domain_of(x, hub);
    return domain.tt_hub ? tt_free(x, &domain)
                         : bus_free(x, domain.root_port, hub->cfg.speed);
}

/* The hub that the command names; NULL and a code if it is none. */
static const ixhci_slot *find_hub(IxhciState *x, unsigned slot_id, unsigned *cc)
{
    const ixhci_slot *hub = ixhci_slot_get(x, slot_id);

    *cc = slot_id > x->num_slots                ? CC_TRB_ERROR
          : !hub                                ? CC_SLOT_NOT_ENABLED
          : hub->state != SLOT_STATE_CONFIGURED ? CC_CONTEXT_STATE_ERROR
          : !(hub->words[0] & SLOT_HUB)         ? CC_PARAMETER_ERROR
                                                : CC_SUCCESS;
    return *cc == CC_SUCCESS ? hub : NULL;
}

/* xHCI 1.2 §4.6.15, §6.2.6: percent of periodic bandwidth that is free. */
unsigned ixhci_command_get_port_bandwidth(IxhciState *x, ixhci_command *c)
{
    uint64_t gpa = ixhci_trb_pointer(&c->trb) & ~UINT64_C(0xf);
    unsigned speed = xhci_get(c->trb.dw[3], TRB_DEV_SPEED);
    unsigned slot_id = xhci_get(c->trb.dw[3], TRB_SLOT_ID);
    unsigned ports = x->num_ports, cc = CC_SUCCESS;
    const ixhci_slot *hub = NULL;
    uint8_t percent[1 + UINT8_MAX] = { 0 };

    if (speed < SPEED_FULL || speed > SPEED_SUPER) {
        return CC_TRB_ERROR;
    }
    if (slot_id) {
        hub = find_hub(x, slot_id, &cc);
        if (!hub) {
            return cc;
        }
        ports = MIN(xhci_get(hub->words[1], SLOT_NUM_PORTS), 15);
    }
    for (unsigned port = 1; port <= ports; port++) {
        percent[port] = hub ? hub_port_free(x, hub, port, speed)
                            : root_port_free(x, port, speed);
    }
    if (!x->dma->store(x, gpa, percent, 1 + ports)) {
        ixhci_power_host_error(x, IXHCI_HSE_CONTEXT);
    }
    return CC_SUCCESS;
}

static bool has_periodic(const ixhci_slot *slot)
{
    for (unsigned dci = 2; dci <= IXHCI_MAX_DCI; dci++) {
        if (slot->eps[dci] && ixhci_ep_is_periodic(slot->eps[dci]->cfg.type)) {
            return true;
        }
    }
    return false;
}

/*
 * xHCI 1.2 §4.6.13, §4.16.1, §6.4.2.4: whoever else has periodic endpoints on
 * the bus is asked to make room, at the interrupter of its slot.
 */
unsigned ixhci_command_negotiate_bandwidth(IxhciState *x, ixhci_command *c)
{
    const ixhci_slot *asks = ixhci_slot_get(x, c->slot_id);

    if (asks->state == SLOT_STATE_ENABLED) {
        return CC_CONTEXT_STATE_ERROR;
    }
    for (unsigned i = 0; i < x->num_slots; i++) {
        const ixhci_slot *slot = &x->slots[i];
        ixhci_event event = { .intr = slot->cfg.intr };

        if (slot == asks || !is_on_bus(slot, asks->cfg.root_port) ||
            !has_periodic(slot)) {
            continue;
        }
        event.trb.dw[2] = xhci_set(0, EVT_CC, CC_SUCCESS);
        event.trb.dw[3] = xhci_set(0, TRB_TYPE, EVT_BANDWIDTH_REQUEST);
        event.trb.dw[3] = xhci_set(event.trb.dw[3], TRB_SLOT_ID, slot->slot_id);
        x->event->post(x, &event);
    }
    return CC_SUCCESS;
}
