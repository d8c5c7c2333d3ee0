/*
 * When will the guest next hear of an isochronous endpoint? Pure.
 *
 *  1. The answer is the ESIT of the first TD whose event will be signalled: a
 *     TRB with IOC, or with ISP on an IN endpoint, whose BEI is clear (xHCI
 *     1.2 §4.17.5). Between now and then the endpoint may be left alone.
 *  2. It is also the ESIT at which something else than the next TD happens:
 *     the ring is empty, the TD is not complete, is not isochronous, has a TRB
 *     that the TD loader may refuse, is larger than an ESIT carries, or asks
 *     for another frame.
 *  3. What a device does cannot be foreseen: an error in a TD that nobody
 *     was to hear of is heard of at the ESIT found here.
 *  4. The TRBs are looked at, not consumed: the driver may still change them,
 *     and they are loaded again when they are due. The walk is bounded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_AHEAD_H
#define IXHCI_AHEAD_H

#include "ring.h"
#include "sched.h"

typedef struct {
    ixhci_ring ring;        /* at the TD that is due next */
    const ixhci_flow *flow; /* in a flow */
    unsigned ep_type;       /* EP_TYPE_ISOCH_IN or _OUT */
    uint32_t max_esit_payload;
    uint64_t due_uf;   /* the ESIT of that TD */
    uint64_t limit_uf; /* look no further */
} ixhci_ahead;

/* The microframe, from due_uf to limit_uf, by which it must be served. */
uint64_t ixhci_ahead_event(const ixhci_ahead *ahead, ixhci_load_trb load,
                           void *opaque);

#endif
