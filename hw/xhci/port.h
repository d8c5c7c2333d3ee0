/*
 * What port.c (a port and its device) and link.c (the power states of its
 * link) share. The rules are in each.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_PORT_H
#define IXHCI_PORT_H

#include "core.h"

/* The state in PORTSC; U1, U2 and L1 that the hardware enters are not there. */
static inline unsigned ixhci_port_link_state(const ixhci_port *port)
{
    return xhci_get(port->portsc, PORTSC_PLS);
}

/* port.c */
void ixhci_port_set_link_state(ixhci_port *port, unsigned pls);
void ixhci_port_change(IxhciState *x, ixhci_port *port, uint32_t bits);
USBDevice *ixhci_port_device(const ixhci_port *port);

/* link.c */
void ixhci_link_up(ixhci_port *port);    /* a reset or training is over */
void ixhci_link_clear(ixhci_port *port); /* PR was set */
unsigned ixhci_link_shown(IxhciState *x, const ixhci_port *port);
/* PLS was written to a port in U0 or L1; true: that is all. */
bool ixhci_link_write_l1(IxhciState *x, ixhci_port *port, unsigned pls);
void ixhci_link_resumed(IxhciState *x, ixhci_port *port); /* from L1 */
uint32_t ixhci_link_read(IxhciState *x, const ixhci_port *port, unsigned reg);
void ixhci_link_write(IxhciState *x, ixhci_port *port, unsigned reg,
                      uint32_t value);

#endif
