/*
 * Isochronous TDs by their sizes. The rules are in isoch.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "isoch.h"

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

uint32_t ixhci_isoch_packets(uint32_t bytes, uint32_t max_packet_size)
{
    if (bytes == 0 || max_packet_size == 0) {
        return 1;
    }
    return (bytes - 1) / max_packet_size + 1;
}

uint32_t ixhci_isoch_burst_count(uint32_t packets, uint32_t max_burst)
{
    return (packets - 1) / (max_burst + 1);
}

uint32_t ixhci_isoch_last_burst(uint32_t packets, uint32_t max_burst)
{
    return (packets - 1) % (max_burst + 1);
}

/* xHCI 1.2 §6.4.1.3: where TBC is depends on ETE. */
static bool trb_says(const xhci_trb *trb, uint32_t tbc, uint32_t tlbpc,
                     bool ete)
{
    uint32_t said =
        ete ? xhci_get(trb->dw[2], TRB_TD_SIZE) : xhci_get(trb->dw[3], TRB_TBC);

    return said == tbc && xhci_get(trb->dw[3], TRB_TLBPC) == tlbpc;
}

bool ixhci_isoch_says_bursts(const ixhci_ep_config *ep, const ixhci_td *td,
                             bool ete)
{
    uint32_t packets = ixhci_isoch_packets(td->bytes, ep->max_packet_size);

    for (unsigned i = 0; i < td->count; i++) {
        const xhci_trb *trb = &td->trbs[i].trb;

        if (xhci_get(trb->dw[3], TRB_TYPE) == TRB_ISOCH) {
            return trb_says(
                trb, ixhci_isoch_burst_count(packets, ep->max_burst),
                ixhci_isoch_last_burst(packets, ep->max_burst), ete);
        }
    }
    return true;
}

uint32_t ixhci_isoch_carried(const ixhci_ep_config *ep, uint32_t td_bytes)
{
    return smaller(td_bytes, ep->max_esit_payload);
}

uint32_t ixhci_isoch_room(const ixhci_ep_config *ep, unsigned speed,
                          uint32_t td_bytes)
{
    uint32_t size = ep->max_packet_size;
    uint32_t most = (ep->max_burst + 1u) * (ep->mult + 1u);

    if (speed >= SPEED_SUPER) {
        uint32_t carried = ixhci_isoch_carried(ep, td_bytes);

        most = smaller(most, ixhci_isoch_packets(carried, size));
    }
    return most * size;
}

unsigned ixhci_isoch_judge(const ixhci_ep_config *ep, uint32_t td_bytes,
                           uint32_t moved)
{
    uint32_t payload = ep->max_esit_payload;

    if (moved > td_bytes) {
        return td_bytes < payload ? CC_ISOCH_BUFFER_OVERRUN
                                  : CC_BABBLE_DETECTED;
    }
    if (td_bytes > payload && moved >= payload) {
        return CC_BANDWIDTH_OVERRUN;
    }
    return moved < td_bytes ? CC_SHORT_PACKET : CC_SUCCESS;
}
