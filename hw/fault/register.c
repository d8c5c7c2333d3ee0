/*
 * Faults of registers: other values, and a controller that does not do what its
 * registers ask for. The engine also sees here when the controller is stopped
 * or reset: what was put off for the life before is then dropped.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

#define USBCMD_OFFSET (IXHCI_CAP_BYTES + XHCI_USBCMD)
#define USBSTS_OFFSET (IXHCI_CAP_BYTES + XHCI_USBSTS)

/* A window of BAR 0: where, how often, how far apart, and what counts. */
typedef struct {
    uint32_t base, stride;
    unsigned count;
    int key; /* of an occurrence, or -1 */
    unsigned first;
} window;

static window window_of(const IxhciState *x, fault_window which)
{
    switch (which) {
    case FAULT_REG_CAP:
        return (window){ 0, 0, 1, -1, 0 };
    case FAULT_REG_OP:
        return (window){ IXHCI_CAP_BYTES, 0, 1, -1, 0 };
    case FAULT_REG_PORT:
        return (window){ IXHCI_CAP_BYTES + XHCI_PORT_SET, XHCI_PORT_STRIDE,
                         x->num_ports, FAULT_PORT_ID, 1 };
    case FAULT_REG_RUNTIME:
        return (window){ IXHCI_RUNTIME_OFFSET, 0, 1, -1, 0 };
    case FAULT_REG_INTERRUPTER:
        return (window){ IXHCI_RUNTIME_OFFSET + XHCI_INTR_SET, XHCI_INTR_STRIDE,
                         x->num_intrs, FAULT_INTERRUPTER, 0 };
    default:
        return (window){ IXHCI_DOORBELL_OFFSET, 4, x->num_slots + 1, FAULT_SLOT,
                         0 };
    }
}

static bool is_at(const IxhciState *x, const fault_register *reg,
                  uint32_t offset, fault_site *site)
{
    window w = window_of(x, reg->window);
    uint32_t within = offset - w.base - reg->offset;
    unsigned n = w.stride ? within / w.stride : 0;

    if (offset < w.base + reg->offset || n >= w.count ||
        (w.stride ? within % w.stride : within)) {
        return false;
    }
    if (w.key >= 0) {
        fault_site_set(site, w.key, n + w.first);
    }
    return true;
}

static void site_of(fault_site *site, const IxhciState *x, uint32_t offset,
                    unsigned access)
{
    *site = (fault_site){ .seam = FAULT_REGISTER };
    fault_site_set(site, FAULT_ACCESS, access);
    for (unsigned i = 0; i < fault_register_count; i++) {
        if (is_at(x, &fault_registers[i], offset, site)) {
            fault_site_set(site, FAULT_REGISTER_ID, i);
            break;
        }
    }
}

static uint32_t change(fault_engine *e, const fault_rule *rule,
                       const fault_site *site, uint32_t value)
{
    uint32_t mask = rule->params[1];
    fault_done done = { .has_value = true };

    done.value = (value & ~mask) | (rule->params[0] & mask);
    fault_note(e, rule, site, &done);
    return done.value;
}

static uint32_t reg_read(IxhciState *x, uint32_t offset)
{
    fault_engine *e = fault_engine_of(x);
    fault_rule *rule;
    fault_site site;
    uint32_t value;

    if (e->all_ones) {
        return UINT32_MAX;
    }
    value = e->inner.regs->read(x, offset);
    if (offset == USBSTS_OFFSET && e->not_ready) {
        value |= USBSTS_CNR;
    }
    if (offset == USBCMD_OFFSET) {
        value |= e->hcrst_hangs ? USBCMD_HCRST : 0;
        value &= e->halt_hangs ? ~USBCMD_RS : UINT32_MAX;
    }
    site_of(&site, x, offset, FAULT_READ);
    rule = fault_fire(e, &site);
    return rule ? change(e, rule, &site, value) : value;
}

/* What of the actions such a write can set off. */
static uint64_t allowed(const IxhciState *x, uint32_t offset, uint32_t value)
{
    bool command = offset == USBCMD_OFFSET;
    uint64_t actions = ~UINT64_C(0);

    if (!command || !(value & USBCMD_HCRST)) {
        actions &= ~FAULT_BIT(FAULT_HCRST_HANGS);
    }
    if (!command || (value & (USBCMD_RS | USBCMD_HCRST)) ||
        !(x->usbcmd & USBCMD_RS)) {
        actions &= ~FAULT_BIT(FAULT_HALT_HANGS);
    }
    if (!command || !(value & (USBCMD_CSS | USBCMD_CRS))) {
        actions &= ~FAULT_BIT(FAULT_SRE);
    }
    return actions;
}

/* True: the controller does not do it. */
static bool hang(fault_engine *e, const fault_rule *rule,
                 const fault_site *site)
{
    fault_note(e, rule, site, NULL);
    if (rule->action == FAULT_HALT_HANGS) {
        e->halt_hangs = true;
        return true;
    }
    if (rule->action == FAULT_HCRST_HANGS) {
        e->hcrst_hangs = true;
        if (rule->params[0]) {
            fault_later_add(e, FAULT_LATER_HCRST, rule->params[0], NULL, 0,
                            NULL);
        }
        return true;
    }
    return false;
}

static void pass(fault_engine *e, uint32_t offset, uint32_t value)
{
    bool ran = ixhci_is_running(e->x);

    if (offset == USBCMD_OFFSET) {
        e->halt_hangs = false;
    }
    e->inner.regs->write(e->x, offset, value);
    if (offset == USBCMD_OFFSET && ran != ixhci_is_running(e->x)) {
        if (ran) {
            fault_later_forget(e);
        }
        fault_later_arm(e);
    }
    fault_later_check_reset(e);
}

static void reg_write(IxhciState *x, uint32_t offset, uint32_t value)
{
    fault_engine *e = fault_engine_of(x);
    fault_rule *rule;
    fault_site site;

    if (e->all_ones || e->not_ready || e->hcrst_hangs) {
        return;
    }
    site_of(&site, x, offset, FAULT_WRITE);
    site.allowed = allowed(x, offset, value);
    rule = fault_fire(e, &site);
    if (rule && rule->action == FAULT_REGISTER_VALUE) {
        value = change(e, rule, &site, value);
    } else if (rule && hang(e, rule, &site)) {
        return;
    }
    pass(e, offset, value);
    if (rule && rule->action == FAULT_SRE) {
        x->usbsts |= USBSTS_SRE;
    }
}

const ixhci_reg_ops fault_register_ops = {
    .read = reg_read,
    .write = reg_write,
};

/* The reset that hung is done at last. */
void fault_register_reset(fault_engine *e)
{
    e->hcrst_hangs = false;
    pass(e, USBCMD_OFFSET, USBCMD_HCRST);
}
