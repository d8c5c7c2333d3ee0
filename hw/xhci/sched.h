/*
 * When is an isochronous TD due? (xHCI 1.2 §4.11.2.5, §4.14.2.) Pure.
 *
 *  1. Time is an absolute microframe: 125 us units of the virtual clock, 64
 *     bits. MFINDEX is derived from it, never counted: (uf - base) mod 2^14.
 *  2. Service intervals (ESITs) start at multiples of 2^Interval microframes
 *     after the base; a TD is served at the start of one, and no other.
 *  3. A data flow begins with a doorbell and ends when the ring is dry at an
 *     ESIT or the endpoint leaves Running. In a flow, a TD with SIA takes the
 *     ESIT after the one before it.
 *  4. Without SIA the TD takes the first ESIT of the frame that its Frame ID
 *     names, or, within that frame, the ESIT after the TD before it. With
 *     the Contiguous Frame ID Capability (CFC) each TD of a flow is placed so,
 *     without it the first; the others then are as if they had SIA.
 *  5. The Valid Frame Window is a distance modulo 2048 from the current
 *     frame: up to 895 ahead is the future, everything else is the past, so
 *     that a late TD near the wrap is late and not two seconds early.
 *  6. Late is late: a TD in the past is missed and the next one is looked at.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_SCHED_H
#define IXHCI_SCHED_H

#include <stdbool.h>
#include <stdint.h>

#define IXHCI_UF_NS 125000
#define IXHCI_UF_NEVER UINT64_MAX

/* xHCI 1.2 §4.11.2.5: the last valid Frame ID is this far ahead. */
#define IXHCI_FRAME_WINDOW 895

/* xHCI 1.2 §6.2.3.6: the largest Interval, full-speed isochronous. */
#define IXHCI_INTERVAL_MAX 18

typedef struct {
    uint64_t base_uf;  /* where MFINDEX is 0 */
    uint8_t interval;  /* ESIT = 2^interval microframes */
    bool first_only;   /* rule 4: CFC is 0 */
    bool in_flow;      /* rule 3 */
    uint64_t next_uf;  /* in a flow: the ESIT that is to be served */
    uint64_t stale_uf; /* ESITs before this one were lost to a full ring */
} ixhci_flow;

typedef struct {
    bool sia;
    uint16_t frame_id;
} ixhci_td_time;

typedef enum {
    IXHCI_DUE_AT,     /* serve it at due_uf, now or later */
    IXHCI_DUE_MISSED, /* its ESIT has passed */
    IXHCI_DUE_DRY,    /* the ring is as good as empty: never said here */
} ixhci_due;

/* First ESIT start at or after uf. */
uint64_t ixhci_sched_align(const ixhci_flow *flow, uint64_t uf);

/* MFINDEX bits 13:3 at uf. */
unsigned ixhci_sched_frame(const ixhci_flow *flow, uint64_t uf);

/*
 * Places a TD. now_uf is the microframe as of which the question is asked:
 * that of a doorbell, or the ESIT in service. *due_uf is set for both
 * verdicts; for MISSED it is the ESIT that the next TD may take.
 */
ixhci_due ixhci_sched_place(const ixhci_flow *flow, const ixhci_td_time *td,
                            uint64_t now_uf, uint64_t *due_uf);

#endif
