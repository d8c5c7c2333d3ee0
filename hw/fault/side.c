/*
 * What happens to a port or to the controller as a whole. A rule of any seam
 * sets it off; it is done from the timer (engine.h, rule 3). What cannot happen
 * there now - an over-current that is there already, no device to pull out - is
 * no error: the log says that the rule fired.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static const uint64_t *param(const fault_rule *rule, const char *name)
{
    const fault_param *params = fault_actions[rule->action].params;

    for (unsigned i = 0; i < FAULT_PARAMS_MAX && params[i].name; i++) {
        if (g_str_equal(params[i].name, name)) {
            return FAULT_HAS(rule->params_given, i) ? &rule->params[i] : NULL;
        }
    }
    return NULL;
}

void fault_side_put_off(fault_engine *e, const fault_rule *rule,
                        const fault_site *site)
{
    const uint64_t *port = param(rule, "port");
    uint64_t w[3] = { rule - e->plan->rules };

    if (port) {
        w[1] = *port;
    } else if (FAULT_HAS(rule->given, FAULT_PORT_ID)) {
        w[1] = rule->where[FAULT_PORT_ID].first;
    } else if (FAULT_HAS(site->has, FAULT_PORT_ID)) {
        w[1] = site->value[FAULT_PORT_ID];
    }
    if (!port && FAULT_HAS(site->has, FAULT_SLOT)) {
        w[2] = site->value[FAULT_SLOT];
    }
    fault_later_add(e, FAULT_LATER_SIDE, 0, w, ARRAY_SIZE(w), NULL);
}

/* That of the occurrence, which may be behind a hub, or the root port's. */
static USBDevice *device_of(const IxhciState *x, unsigned port_id,
                            unsigned slot_id)
{
    USBPort *uport = x->ports[port_id - 1].uport;

    if (slot_id && slot_id <= x->num_slots && x->slots[slot_id - 1].uport) {
        uport = x->slots[slot_id - 1].uport;
    }
    return uport->dev;
}

static void unplug(fault_engine *e, const fault_rule *rule, unsigned port_id,
                   unsigned slot_id)
{
    USBDevice *dev = device_of(e->x, port_id, slot_id);
    const uint64_t *uf = param(rule, "microframes");
    g_autofree char *path = NULL;

    if (!dev || !dev->attached) {
        return;
    }
    path = object_get_canonical_path(OBJECT(dev));
    usb_device_detach(dev);
    if (uf) {
        fault_later_add(e, FAULT_LATER_REPLUG, *uf, NULL, 0, path);
    }
}

static void over_current(fault_engine *e, const fault_rule *rule,
                         unsigned port_id, unsigned slot_id)
{
    const uint64_t *uf = param(rule, "microframes");
    uint64_t w[] = { port_id };

    if (ixhci_port_over_current(e->x, port_id, true) && uf) {
        fault_later_add(e, FAULT_LATER_CURRENT, *uf, w, ARRAY_SIZE(w), NULL);
    }
}

static void link_inactive(fault_engine *e, const fault_rule *rule,
                          unsigned port_id, unsigned slot_id)
{
    ixhci_port_link_error(e->x, port_id);
}

static void link_compliance(fault_engine *e, const fault_rule *rule,
                            unsigned port_id, unsigned slot_id)
{
    ixhci_port_compliance(e->x, port_id);
}

static void config_error(fault_engine *e, const fault_rule *rule,
                         unsigned port_id, unsigned slot_id)
{
    ixhci_port_config_error(e->x, port_id);
}

static void port_error(fault_engine *e, const fault_rule *rule,
                       unsigned port_id, unsigned slot_id)
{
    ixhci_port_error(e->x, port_id);
}

static void hse(fault_engine *e, const fault_rule *rule, unsigned port_id,
                unsigned slot_id)
{
    ixhci_power_host_error(e->x, IXHCI_HSE_OUTSIDE);
}

static void hce(fault_engine *e, const fault_rule *rule, unsigned port_id,
                unsigned slot_id)
{
    ixhci_power_host_error(e->x, IXHCI_HCE_OUTSIDE);
}

static void not_ready(fault_engine *e, const fault_rule *rule, unsigned port_id,
                      unsigned slot_id)
{
    e->not_ready =
        fault_later_add(e, FAULT_LATER_READY, rule->params[0], NULL, 0, NULL);
}

/* Pulled out of its slot; it comes back as after power-on. */
static void all_ones(fault_engine *e, const fault_rule *rule, unsigned port_id,
                     unsigned slot_id)
{
    const uint64_t *uf = param(rule, "microframes");

    ixhci_power_chip_reset(e->x);
    fault_later_check_reset(e);
    e->all_ones =
        !uf || fault_later_add(e, FAULT_LATER_BACK, *uf, NULL, 0, NULL);
}

static void mfindex_jump(fault_engine *e, const fault_rule *rule,
                         unsigned port_id, unsigned slot_id)
{
    ixhci_power_jump(e->x, rule->params[0]);
    e->base_uf = e->x->base_uf;
}

typedef void (*side_function)(fault_engine *e, const fault_rule *rule,
                              unsigned port_id, unsigned slot_id);

static const struct {
    side_function run;
    bool needs_port;
} functions[FAULT_ACTIONS] = {
    [FAULT_UNPLUG] = { unplug, true },
    [FAULT_OVER_CURRENT] = { over_current, true },
    [FAULT_LINK_INACTIVE] = { link_inactive, true },
    [FAULT_LINK_COMPLIANCE] = { link_compliance, true },
    [FAULT_CONFIG_ERROR] = { config_error, true },
    [FAULT_PORT_ERROR] = { port_error, true },
    [FAULT_HSE] = { hse, false },
    [FAULT_HCE] = { hce, false },
    [FAULT_NOT_READY] = { not_ready, false },
    [FAULT_ALL_ONES] = { all_ones, false },
    [FAULT_MFINDEX_JUMP] = { mfindex_jump, false },
};

void fault_side_do(fault_engine *e, const fault_rule *rule, unsigned port_id,
                   unsigned slot_id)
{
    bool has_port = port_id >= 1 && port_id <= e->x->num_ports;

    if (functions[rule->action].run &&
        (has_port || !functions[rule->action].needs_port)) {
        functions[rule->action].run(e, rule, port_id, slot_id);
    }
}
