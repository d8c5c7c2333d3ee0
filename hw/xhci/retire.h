/*
 * What a finished TD tells the driver (xHCI 1.2 §4.10, §4.11). Pure: from a
 * TD and its outcome to the list of Transfer Events, in ring order, and the
 * endpoint state that follows. Posting them is somebody else's job.
 *
 *  1. Success: an event for each TRB with IOC, length 0; an Event Data TRB
 *     reports the bytes accumulated since the TD began (§4.11.5.2), where a
 *     Status Stage is a TD of its own.
 *  2. Short packet: one event on the TRB where it happened if ISP or IOC is
 *     set there; then the TD's further IOC and Event Data TRBs also report
 *     Short Packet, with the residue of that TRB (§4.10.1.1.2).
 *  3. Error: always an event on the TRB where it happened. Control, bulk and
 *     interrupt endpoints halt on it (§4.10.2). Isochronous endpoints run on
 *     and further IOC and Event Data TRBs report the same code.
 *  4. Missed Service Error: every IOC and Event Data TRB of the TD reports
 *     it; without any, its last TRB does, so that each missed TD is seen
 *     (§4.10.3.2, §4.11.2.5.2). Before xHCI 1.1 one event that names no TRB
 *     stands for a row of missed TDs.
 *  5. TRB Error: an event on the TRB to blame, endpoint state Error, every
 *     endpoint type (§4.8.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_RETIRE_H
#define IXHCI_RETIRE_H

#include "td.h"

typedef struct {
    xhci_trb trb; /* without cycle bit */
    uint16_t intr;
    bool bei;
} ixhci_event;

typedef struct {
    ixhci_event *events; /* owned; room for `capacity` */
    unsigned count;
    unsigned capacity;
    uint8_t ep_state;
    ixhci_ring ring; /* where the endpoint stands afterwards */
} ixhci_retired;

/* How a TD ended. */
typedef struct {
    uint8_t slot_id;
    uint8_t dci;
    uint8_t ep_type;
    uint8_t cc;     /* CC_SUCCESS, CC_SHORT_PACKET, CC_MISSED_SERVICE, error */
    uint32_t bytes; /* moved, at most td->bytes */
    enum {
        IXHCI_MISSED_EACH,
        IXHCI_MISSED_ROW, /* rule 4, before 1.1: the first of a row */
        IXHCI_MISSED_IN_ROW,
    } missed;
} ixhci_outcome;

void ixhci_retired_init(ixhci_retired *out);
void ixhci_retired_clear(ixhci_retired *out); /* frees what it owns */

/* Appends to `out`, whose earlier contents are dropped. */
void ixhci_retire_td(ixhci_retired *out, const ixhci_td *td,
                     const ixhci_outcome *how);

/* A Transfer Event TRB (§6.4.2.1), without cycle bit. */
xhci_trb ixhci_transfer_event(uint64_t pointer, uint32_t length, unsigned cc,
                              bool event_data, unsigned slot_id, unsigned dci);

static inline bool ixhci_ep_is_isoch(unsigned ep_type)
{
    return ep_type == EP_TYPE_ISOCH_IN || ep_type == EP_TYPE_ISOCH_OUT;
}

static inline bool ixhci_ep_is_periodic(unsigned ep_type)
{
    return ixhci_ep_is_isoch(ep_type) || ep_type == EP_TYPE_INTERRUPT_IN ||
           ep_type == EP_TYPE_INTERRUPT_OUT;
}

#endif
