/*
 * Root hub ports. Writing PORTSC is delicate: change bits clear when they are
 * written as 1, PED disables, and PP is plain, so that a write is made from
 * the bits that hold their value and the ones that are meant.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

#define PATIENCE_UF 1600 /* 200 ms */

static unsigned portsc_offset(unsigned port_id)
{
    return XHCI_PORT_SET + XHCI_PORT_STRIDE * (port_id - 1) + XHCI_PORTSC;
}

uint32_t hcd_portsc(Hcd *h, unsigned port_id)
{
    return hcd_op_read(h, portsc_offset(port_id));
}

void hcd_portsc_write(Hcd *h, unsigned port_id, uint32_t set)
{
    uint32_t keep = PORTSC_PP | PORTSC_WCE | PORTSC_WDE | PORTSC_WOE |
                    xhci_set(0, PORTSC_PIC, 3);

    hcd_op_write(h, portsc_offset(port_id),
                 (hcd_portsc(h, port_id) & keep) | set);
}

void hcd_portsc_clear(Hcd *h, unsigned port_id, uint32_t changes)
{
    hcd_portsc_write(h, port_id, changes);
}

/* xHCI 1.2 §7.2: the major revision of the protocol that port speaks, or 0. */
unsigned hcd_port_protocol(Hcd *h, unsigned port_id)
{
    uint32_t offset = h->xecp;

    for (unsigned n = 0; offset && n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);

        if (xhci_get(header, XECP_ID) == XECP_SUPPORTED_PROTOCOL) {
            uint32_t range = hcd_cap_read(h, offset + 8);
            unsigned first = range & 0xff;

            if (port_id >= first && port_id < first + (range >> 8 & 0xff)) {
                return header >> 24;
            }
        }
        if (xhci_get(header, XECP_NEXT) == 0) {
            break;
        }
        offset += xhci_get(header, XECP_NEXT) * 4;
    }
    return 0;
}

/* The port of the nth (from 0) connected device, in port order; or 0. */
unsigned hcd_port_connected(Hcd *h, unsigned nth)
{
    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        if ((hcd_portsc(h, port_id) & PORTSC_CCS) && nth-- == 0) {
            return port_id;
        }
    }
    return 0;
}

/* xHCI 1.2 §4.3.1: a USB2 port is enabled by a reset, a USB3 port by itself. */
void hcd_port_reset(Hcd *h, unsigned port_id)
{
    if (!(hcd_portsc(h, port_id) & PORTSC_PED)) {
        hcd_portsc_write(h, port_id, PORTSC_PR);
    }
    for (unsigned n = 0; n < PATIENCE_UF; n++) {
        uint32_t portsc = hcd_portsc(h, port_id);

        if ((portsc & (PORTSC_PED | PORTSC_PR)) == PORTSC_PED) {
            hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
            return;
        }
        hcd_step_uf(h, 1);
    }
    hcd_fail(__FILE__, __LINE__, "port %u is %08x 200 ms after its reset",
             port_id, hcd_portsc(h, port_id));
}
