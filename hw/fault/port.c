/*
 * Faults of a port's reset: it fails, or does not end. What happens to a port
 * at other times is in side.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static ixhci_link_fate port_end(IxhciState *x, ixhci_port *port)
{
    fault_engine *e = fault_engine_of(x);
    fault_site site = { .seam = FAULT_PORT };
    fault_rule *rule = NULL;

    if (port->portsc & PORTSC_PR) {
        fault_site_set(&site, FAULT_PORT_ID, port->port_id);
        rule = fault_fire(e, &site);
    }
    if (!rule) {
        return e->inner.link->end(x, port);
    }
    fault_note(e, rule, &site, NULL);
    return rule->action == FAULT_RESET_FAILS ? IXHCI_LINK_FAILED
                                             : IXHCI_LINK_SILENT;
}

const ixhci_link_ops fault_port_ops = {
    .end = port_end,
};
