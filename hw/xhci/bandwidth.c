/*
 * Periodic bandwidth. The rules are in bandwidth.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bandwidth.h"

typedef struct {
    uint32_t total;    /* bytes in a microframe (high, super) or frame */
    uint32_t percent;  /* periodic share */
    uint32_t overhead; /* protocol bytes of an isochronous packet */
} bus;

/*
 * USB 2.0 §5.6.3 and §5.6.4 (overhead 9 and 38 bytes; 7500 bytes in a
 * microframe, 1500 in a frame, 187 at low speed); USB 3.2: 5 Gb/s in 8b/10b is
 * 62500 bytes, a data packet costs 20 bytes of header and framing.
 */
static const bus buses[] = {
    [SPEED_FULL] = { 1500, 90, 9 },
    [SPEED_LOW] = { 187, 90, 9 },
    [SPEED_HIGH] = { 7500, 80, 38 },
    [SPEED_SUPER] = { 62500, 90, 20 },
};

static const bus *bus_of(unsigned speed)
{
    return &buses[speed <= SPEED_SUPER ? speed : SPEED_SUPER];
}

uint32_t ixhci_bandwidth_cost(const ixhci_ep_config *ep, unsigned speed)
{
    uint32_t size = ep->max_packet_size;
    uint32_t packets = size ? (ep->max_esit_payload + size - 1) / size : 0;
    bool periodic = ep->type != EP_TYPE_CONTROL &&
                    ep->type != EP_TYPE_BULK_IN && ep->type != EP_TYPE_BULK_OUT;

    return periodic ? ep->max_esit_payload + packets * bus_of(speed)->overhead
                    : 0;
}

uint32_t ixhci_bandwidth_limit(unsigned speed)
{
    return bus_of(speed)->total * bus_of(speed)->percent / 100;
}

uint32_t ixhci_bandwidth_total(unsigned speed)
{
    return bus_of(speed)->total;
}
