/*
 * Contexts as the driver writes them, checked once (xHCI 1.2 §6.2). Pure.
 *
 *  1. A context is an array of 32-bit words in host form. What it says is
 *     parsed into a struct here; nothing later looks at the words again.
 *  2. A field out of its legal range is a Parameter Error, before anything
 *     is changed: interval, packet size, burst, type against direction.
 *  3. It is no stricter than the drivers in the field: what a firmware driver
 *     leaves 0 (Max ESIT Payload, Average TRB Length, CErr) is filled in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_CONTEXT_H
#define IXHCI_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "caps.h"
#include "isolab/xhci.h"

#define IXHCI_CONTEXT_WORDS 8 /* with CSZ the other 8 are reserved */
#define IXHCI_MAX_DCI 31
#define IXHCI_MAX_TIERS 5 /* hubs in a row (USB 2.0 §4.1.1) */

/* What an Endpoint Context asks for. */
typedef struct {
    uint8_t type;     /* EP_TYPE_* */
    uint8_t interval; /* exponent, 0 unless periodic */
    uint8_t mult;     /* bursts in a service interval, less one */
    uint8_t max_burst;
    uint8_t max_pstreams; /* 0: no streams (§4.12) */
    bool lsa;             /* Linear Stream Array */
    uint8_t cerr; /* tries of a transaction, 0: no limit; not isochronous */
    uint16_t max_packet_size;
    uint32_t max_esit_payload; /* bytes in a service interval, periodic */
    uint64_t dequeue; /* with DCS in bit 0; with streams, of their array */
} ixhci_ep_config;

/* What a Slot Context asks for. */
typedef struct {
    uint32_t route;
    uint8_t speed; /* SPEED_* */
    uint8_t entries;
    uint8_t root_port;
    uint8_t tt_hub;  /* behind a TT: the slot of its hub, else 0 */
    uint8_t tt_port; /* and the port of that hub */
    uint16_t intr;
} ixhci_slot_config;

/*
 * Parse and check. Return CC_SUCCESS, or CC_PARAMETER_ERROR with *out
 * undefined. `speed` is the slot's, `caps`, `ports` and `intrs` are the
 * controller's.
 */
unsigned ixhci_context_parse_ep(ixhci_ep_config *out, const uint32_t *words,
                                unsigned dci, unsigned speed,
                                const ixhci_caps *caps);
unsigned ixhci_context_parse_slot(ixhci_slot_config *out, const uint32_t *words,
                                  unsigned ports, unsigned intrs);

/*
 * xHCI 1.2 §6.2.2: can the hub of this slot be the one whose TT the device is
 * behind? It is on the path to the device, and of high speed.
 */
bool ixhci_context_tt_is_legal(const ixhci_slot_config *dev,
                               const ixhci_slot_config *hub);

/* Hubs that a Route String leads through, 0 to 5; the port of each. */
unsigned ixhci_context_tiers(uint32_t route);
unsigned ixhci_context_hub_port(uint32_t route, unsigned tier);

/* Is this a legal Max Packet Size of a default control endpoint? */
bool ixhci_context_ep0_size_is_legal(unsigned speed, unsigned bytes);

#endif
