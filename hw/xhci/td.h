/*
 * From TRBs to a Transfer Descriptor (xHCI 1.2 §4.11). Pure: a TD is loaded
 * through the ring walker and judged here, once; later stages trust it.
 *
 *  1. A TD is a run of TRBs that ends with the first one whose CH is 0; a
 *     Link TRB inside it is followed and kept, for its IOC (§4.11.5.1). Between
 *     two TDs, a Link TRB with IOC is a TD of its own, and has its event before
 *     anything is known of the next; one without is stepped over.
 *  2. For a control endpoint the unit is the whole transfer: Setup Stage,
 *     optional Data Stage and Status Stage TDs (§4.11.2.2).
 *  3. A TD whose last TRB the producer has not yet published is PARTIAL:
 *     nothing of it runs, and the ring stays where it was.
 *  4. A TRB that has no place where it stands makes the TD BAD (TRB Error);
 *     the last TRB kept is the one to blame.
 *  5. A walk is bounded by TRBs and by bytes; beyond either it is BAD.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_TD_H
#define IXHCI_TD_H

#include "ring.h"

/* Rule 5. Linux and Windows stay far below; an isochronous TD has at most 32
 * bursts (context.c), 512 KiB, and its TRBs are walked within a microframe. */
#define IXHCI_TD_MAX_TRBS 4096
#define IXHCI_TD_MAX_ISOCH_TRBS 128
#define IXHCI_TD_MAX_BYTES (32u << 20)

typedef struct {
    xhci_trb trb;
    uint64_t gpa;
} ixhci_td_trb;

typedef enum {
    IXHCI_TD_READY,
    IXHCI_TD_EMPTY,
    IXHCI_TD_PARTIAL,
    IXHCI_TD_BAD,
    IXHCI_TD_DMA_ERROR,
} ixhci_td_verdict;

typedef struct {
    ixhci_td_trb *trbs; /* owned; room for `capacity` */
    unsigned count;
    unsigned capacity;
    uint32_t bytes; /* of all data TRBs */
    bool has_data;  /* false: nothing goes on the bus (No-op, Link) */
    bool dir_in;    /* control: direction of the data stage */
    uint8_t setup[8];
    bool sia; /* isochronous: DW3 of the Isoch TRB */
    uint16_t frame_id;
    ixhci_ring start; /* the ring at the first TRB kept */
    ixhci_ring next;  /* the ring behind the TD */
} ixhci_td;

void ixhci_td_init(ixhci_td *td);
void ixhci_td_clear(ixhci_td *td); /* frees what it owns */

/*
 * Loads the TD at `ring` for an endpoint of type ep_type (EP_TYPE_*). td->start
 * is behind the Link TRBs that were stepped over, also when the verdict is
 * EMPTY.
 */
ixhci_td_verdict ixhci_td_load(ixhci_td *td, const ixhci_ring *ring,
                               unsigned ep_type, ixhci_load_trb load,
                               void *opaque);

/* Does the TRB move bytes between the bus and its buffer? */
bool ixhci_td_trb_has_buffer(const xhci_trb *trb);

/* TRB Transfer Length of a TRB with a buffer, else 0. */
uint32_t ixhci_td_trb_bytes(const xhci_trb *trb);

#endif
