/*
 * The consumer's side of a TRB ring (xHCI 1.2 §4.9): one walker for command
 * and transfer rings. Pure: memory is reached through a load function.
 *
 *  1. A ring is a dequeue pointer and the Consumer Cycle State (CCS).
 *  2. fetch loads the TRB at the dequeue pointer and moves nothing. The TRB
 *     belongs to the producer, and the ring is empty, when its cycle bit
 *     differs from CCS (§4.9.2).
 *  3. advance steps over a fetched TRB; over a Link TRB it follows the
 *     segment pointer and toggles CCS when TC is set (§4.11.5.1).
 *  4. Each TRB is loaded once per fetch; what was loaded is what is used.
 *  5. The walker never loops by itself: whoever calls it bounds the walk.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_RING_H
#define IXHCI_RING_H

#include <stdbool.h>

#include "isolab/xhci.h"

typedef struct {
    uint64_t dequeue_gpa;
    bool ccs;
} ixhci_ring;

/* Loads one TRB of guest memory into host form; false: the access failed. */
typedef bool (*ixhci_load_trb)(void *opaque, uint64_t gpa, xhci_trb *trb);

typedef enum {
    IXHCI_RING_TRB,
    IXHCI_RING_EMPTY,
    IXHCI_RING_DMA_ERROR,
} ixhci_ring_result;

/* A ring whose pointer and cycle are packed as in CRCR and DW2 of an EP. */
ixhci_ring ixhci_ring_at(uint64_t pointer_and_cycle);

/* The pointer and cycle of a ring, packed again. */
uint64_t ixhci_ring_pack(const ixhci_ring *ring);

ixhci_ring_result ixhci_ring_fetch(const ixhci_ring *ring, ixhci_load_trb load,
                                   void *opaque, xhci_trb *trb);

void ixhci_ring_advance(ixhci_ring *ring, const xhci_trb *trb);

static inline bool ixhci_trb_is_link(const xhci_trb *trb)
{
    return xhci_get(trb->dw[3], TRB_TYPE) == TRB_LINK;
}

static inline uint64_t ixhci_trb_pointer(const xhci_trb *trb)
{
    return trb->dw[0] | (uint64_t)trb->dw[1] << 32;
}

#endif
