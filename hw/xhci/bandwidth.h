/*
 * Periodic bandwidth (xHCI 1.2 §4.14.2, §4.16). Pure.
 *
 *  1. Each root port is a bus of its own, and a SuperSpeed one has a share for
 *     each direction: the primary domain. A transaction translator (TT) is a
 *     full-speed bus behind a high-speed one: a secondary domain. A device
 *     behind a TT takes of both, of the high-speed bus what its split
 *     transactions cost (USB 2.0 §11.14, §11.18).
 *  2. The share of periodic traffic is 80 % of a microframe at high speed (USB
 *     2.0 §5.6.4), 90 % of a frame at full and low speed (§5.6.3), and 90 % of
 *     a microframe for a SuperSpeed direction.
 *  3. A bus is a row of units of time, microframes or frames. An endpoint with
 *     a service interval (ESIT) of 2^n units is served in every 2^n-th. All
 *     isochronous ESITs start at multiples of their length, so that all of
 *     them meet in one unit; interrupt endpoints go where there is most room.
 *     The load of a bus is that of its fullest unit.
 *  4. A TT moves at most 188 bytes a microframe and direction to or from its
 *     bus (USB 2.0 §11.18.1), whatever the sum of its endpoints.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_BANDWIDTH_H
#define IXHCI_BANDWIDTH_H

#include <stddef.h>

#include "context.h"

/* Where periodic traffic goes: a bus, and a TT if there is one on the way. */
typedef struct {
    uint8_t root_port;
    uint8_t tt_hub;      /* slot of the TT's hub; 0: none */
    uint8_t tt_port;     /* its port; 0: the hub has one TT for all of them */
    uint8_t think_bytes; /* TT Think Time, in bytes of the full-speed bus */
} ixhci_domain;

/* A periodic endpoint, and where it is. */
typedef struct {
    ixhci_domain domain;
    uint8_t speed; /* of its device */
    bool in;
    const ixhci_ep_config *cfg;
} ixhci_share;

/*
 * The bytes that a unit of the bus has to carry in the worst case: of a root
 * port that works at bus_speed (`in` counts at SuperSpeed only), and of a TT.
 */
uint32_t ixhci_bandwidth_bus_load(const ixhci_share *all, size_t count,
                                  unsigned root_port, unsigned bus_speed,
                                  bool in);
uint32_t ixhci_bandwidth_tt_load(const ixhci_share *all, size_t count,
                                 const ixhci_domain *domain);

/* The same by unit: rule 3's row, as far as it repeats. */
#define IXHCI_BANDWIDTH_UNITS 32
void ixhci_bandwidth_bus_units(const ixhci_share *all, size_t count,
                               unsigned root_port, unsigned bus_speed, bool in,
                               uint32_t units[IXHCI_BANDWIDTH_UNITS]);

/* Bytes that periodic endpoints may take of a unit. */
uint32_t ixhci_bandwidth_limit(unsigned bus_speed);

/* Percent of the bus that a load leaves to more periodic endpoints (§6.2.6). */
unsigned ixhci_bandwidth_free(unsigned bus_speed, uint32_t load);

/*
 * Can everything be served, as far as the domain is concerned? CC_SUCCESS,
 * CC_BANDWIDTH_ERROR (the bus is full) or CC_SECONDARY_BANDWIDTH (the TT is).
 */
unsigned ixhci_bandwidth_judge(const ixhci_share *all, size_t count,
                               const ixhci_domain *domain, unsigned bus_speed);

#endif
