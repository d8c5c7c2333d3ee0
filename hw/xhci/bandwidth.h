/*
 * Periodic bandwidth (xHCI 1.2 §4.14.2, §4.16). Pure.
 *
 *  1. Each root port is a bus of its own, and a SuperSpeed one has a share for
 *     each direction.
 *  2. All service intervals start at multiples of their length, so that every
 *     periodic endpoint of a bus meets the others in one microframe: the load
 *     of a bus is the sum over its endpoints, whatever their interval.
 *  3. The share of periodic traffic is 80 % of a microframe at high speed (USB
 *     2.0 §5.6.4), 90 % of a frame at full and low speed (§5.6.3), and 90 % of
 *     a microframe for a SuperSpeed direction.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_BANDWIDTH_H
#define IXHCI_BANDWIDTH_H

#include "context.h"

/* Bytes of the bus that one service interval of the endpoint takes. */
uint32_t ixhci_bandwidth_cost(const ixhci_ep_config *ep, unsigned speed);

/* Bytes that periodic endpoints may take, and that the bus has in all. */
uint32_t ixhci_bandwidth_limit(unsigned speed);
uint32_t ixhci_bandwidth_total(unsigned speed);

#endif
