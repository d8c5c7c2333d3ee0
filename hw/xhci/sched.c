/*
 * Placing isochronous TDs in time. The rules are in sched.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "sched.h"

uint64_t ixhci_sched_align(const ixhci_flow *flow, uint64_t uf)
{
    uint64_t esit = UINT64_C(1) << flow->interval;
    /* modulo 2^64: MFINDEX may have been 0 before the clock was */
    uint64_t since = (int64_t)(uf - flow->base_uf) > 0 ? uf - flow->base_uf : 0;

    return flow->base_uf + ((since + esit - 1) & ~(esit - 1));
}

unsigned ixhci_sched_frame(const ixhci_flow *flow, uint64_t uf)
{
    return (uf - flow->base_uf) >> 3 & 0x7ff;
}

/* Rules 4 and 5; false: the frame is in the past. */
static bool frame_start(const ixhci_flow *flow, unsigned frame_id,
                        uint64_t now_uf, uint64_t *start_uf)
{
    unsigned ahead = (frame_id - ixhci_sched_frame(flow, now_uf)) & 0x7ff;
    uint64_t this_frame = (now_uf - flow->base_uf) & ~UINT64_C(7);

    if (ahead > IXHCI_FRAME_WINDOW) {
        return false;
    }
    *start_uf = flow->base_uf + this_frame + ((uint64_t)ahead << 3);
    return true;
}

static ixhci_due place_in_frame(const ixhci_flow *flow, unsigned frame_id,
                                uint64_t now_uf, uint64_t earliest_uf,
                                uint64_t *due_uf)
{
    uint64_t start;

    *due_uf = earliest_uf;
    if (!frame_start(flow, frame_id, now_uf, &start)) {
        return IXHCI_DUE_MISSED;
    }
    start = ixhci_sched_align(flow, start);
    if (start >= earliest_uf) {
        *due_uf = start;
        return IXHCI_DUE_AT;
    }
    /* rule 4: later ESITs of the frame belong to a flow that is in it */
    if (flow->in_flow && earliest_uf < start + 8) {
        return IXHCI_DUE_AT;
    }
    return IXHCI_DUE_MISSED;
}

ixhci_due ixhci_sched_place(const ixhci_flow *flow, const ixhci_td_time *td,
                            uint64_t now_uf, uint64_t *due_uf)
{
    uint64_t earliest =
        flow->in_flow ? flow->next_uf : ixhci_sched_align(flow, now_uf + 1);

    ixhci_due due = IXHCI_DUE_AT;

    *due_uf = earliest;
    if (!td->sia && !(flow->first_only && flow->in_flow)) {
        due = place_in_frame(flow, td->frame_id, now_uf, earliest, due_uf);
    }
    /* a flow that was held up: an ESIT that passed then is lost (rule 6) */
    if (due == IXHCI_DUE_AT && flow->in_flow && *due_uf < flow->stale_uf) {
        *due_uf = ixhci_sched_align(flow, *due_uf + 1);
        due = IXHCI_DUE_MISSED;
    }
    return due;
}
