/*
 * One isochronous TD on the bus (xHCI 1.2 §4.11.2.3, §4.14.2.1). Pure.
 *
 *  1. A service interval carries Mult + 1 bursts of Max Burst + 1 packets of
 *     Max Packet Size; of these bytes Max ESIT Payload are reserved.
 *  2. A TD of `bytes` takes TDPC packets, at least one; they form TBC + 1
 *     bursts, of which the last has TLBPC + 1 packets. Software says the same
 *     in the Isoch TRB. The bus follows the length; a TRB that disagrees is
 *     the driver's mistake and is traced.
 *  3. At SuperSpeed the host asks for the packets of the TD. Below, the device
 *     says how many follow in the microframe, up to what rule 1 allows.
 *  4. The device sees one packet for the whole TD. Its answer is judged by
 *     sizes: more than it could send is a babble; more than a TD that is
 *     smaller than the payload takes is an Isoch Buffer Overrun; a TD of which
 *     the payload is used up is a Bandwidth Overrun; less is short.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_ISOCH_H
#define IXHCI_ISOCH_H

#include "context.h"
#include "td.h"

/* Rule 2: TDPC; then TBC and TLBPC of that many packets. */
uint32_t ixhci_isoch_packets(uint32_t bytes, uint32_t max_packet_size);
uint32_t ixhci_isoch_burst_count(uint32_t packets, uint32_t max_burst);
uint32_t ixhci_isoch_last_burst(uint32_t packets, uint32_t max_burst);

/* Does the TD's Isoch TRB say so? `ete`: its TBC is where TD Size was. */
bool ixhci_isoch_says_bursts(const ixhci_ep_config *ep, const ixhci_td *td,
                             bool ete);

/* Bytes of the TD that the bus carries at most. */
uint32_t ixhci_isoch_carried(const ixhci_ep_config *ep, uint32_t td_bytes);

/* Rule 3: bytes that an IN device can send. `speed` is the slot's. */
uint32_t ixhci_isoch_room(const ixhci_ep_config *ep, unsigned speed,
                          uint32_t td_bytes);

/* Rule 4: the code when `moved` bytes went well; `moved` may be above what is
 * carried for an IN device. */
unsigned ixhci_isoch_judge(const ixhci_ep_config *ep, uint32_t td_bytes,
                           uint32_t moved);

#endif
