/*
 * TD loader. The rules are in td.h.
 *
 * Which TRB may stand where is a table: a position in the transfer, the TRB
 * type, and the position that follows. One loop walks it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "td.h"

/* Positions: where in a TD or control transfer the walk stands. */
enum {
    AT_TD,     /* first TRB of a bulk or interrupt TD */
    AT_ISOCH,  /* first TRB of an isochronous TD */
    AT_SETUP,  /* first TRB of a control transfer */
    AT_DATA,   /* Data or Status Stage TRB is due */
    AT_STATUS, /* Status Stage TRB is due */
    IN_TD,     /* behind a chained TRB of a TD */
    IN_DATA,   /* behind a chained TRB of a data stage */
    IN_STATUS, /* behind a chained Status Stage TRB */
    AT_END,
    POSITIONS,
    BAD = 0xff,
};

/* After a TRB: the position if CH is 1, and if it is 0. */
typedef struct {
    uint8_t at;
    uint8_t type;
    uint8_t chained;
    uint8_t ended;
} step;

/* xHCI 1.2 §4.11.2, §4.11.3, §4.11.4: TRB types by place in a transfer. */
static const step steps[] = {
    { AT_TD, TRB_NORMAL, IN_TD, AT_END },
    { AT_TD, TRB_NOOP, IN_TD, AT_END },
    { AT_TD, TRB_EVENT_DATA, IN_TD, AT_END },
    { AT_ISOCH, TRB_ISOCH, IN_TD, AT_END },
    { AT_ISOCH, TRB_NOOP, BAD, AT_END },
    { AT_ISOCH, TRB_EVENT_DATA, BAD, AT_END },
    { IN_TD, TRB_NORMAL, IN_TD, AT_END },
    { IN_TD, TRB_NOOP, IN_TD, AT_END },
    { IN_TD, TRB_EVENT_DATA, IN_TD, AT_END },
    { AT_SETUP, TRB_SETUP_STAGE, BAD, AT_DATA },
    { AT_SETUP, TRB_NOOP, BAD, AT_END },
    { AT_DATA, TRB_DATA_STAGE, IN_DATA, AT_STATUS },
    { AT_DATA, TRB_STATUS_STAGE, IN_STATUS, AT_END },
    { IN_DATA, TRB_NORMAL, IN_DATA, AT_STATUS },
    { IN_DATA, TRB_EVENT_DATA, IN_DATA, AT_STATUS },
    { AT_STATUS, TRB_STATUS_STAGE, IN_STATUS, AT_END },
    { IN_STATUS, TRB_EVENT_DATA, BAD, AT_END },
};

void ixhci_td_init(ixhci_td *td)
{
    memset(td, 0, sizeof(*td));
}

void ixhci_td_clear(ixhci_td *td)
{
    g_free(td->trbs);
    ixhci_td_init(td);
}

bool ixhci_td_trb_has_buffer(const xhci_trb *trb)
{
    switch (xhci_get(trb->dw[3], TRB_TYPE)) {
    case TRB_NORMAL:
    case TRB_DATA_STAGE:
    case TRB_ISOCH:
        return true;
    default:
        return false;
    }
}

uint32_t ixhci_td_trb_bytes(const xhci_trb *trb)
{
    return ixhci_td_trb_has_buffer(trb) ? xhci_get(trb->dw[2], TRB_LENGTH) : 0;
}

/* Where the next TRB is loaded, and from; it is the TD's once it is kept. */
static xhci_trb *make_room(ixhci_td *td)
{
    if (td->count == td->capacity) {
        td->capacity = td->capacity ? td->capacity * 2 : 8;
        td->trbs = g_renew(ixhci_td_trb, td->trbs, td->capacity);
    }
    td->trbs[td->count].gpa = td->next.dequeue_gpa;
    return &td->trbs[td->count].trb;
}

static unsigned next_position(unsigned at, const xhci_trb *trb)
{
    unsigned type = xhci_get(trb->dw[3], TRB_TYPE);

    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (steps[i].at == at && steps[i].type == type) {
            return trb->dw[3] & TRB_CH ? steps[i].chained : steps[i].ended;
        }
    }
    return BAD;
}

/*
 * xHCI 1.2 §6.4.1.2.1, §4.11.2.2: IDT is set, the length is 8, and TRT agrees
 * with the direction and wLength of the SETUP bytes. A Setup Stage whose
 * wLength is not 0 but that has no Data Stage is left to the device.
 */
static bool take_setup(ixhci_td *td, const xhci_trb *trb)
{
    unsigned trt = xhci_get(trb->dw[3], TRB_TRT);

    for (int i = 0; i < 8; i++) {
        td->setup[i] = (uint8_t)(trb->dw[i / 4] >> (8 * (i % 4)));
    }
    td->dir_in = td->setup[0] & 0x80;
    td->has_data = true;
    if (!(trb->dw[3] & TRB_IDT) || xhci_get(trb->dw[2], TRB_LENGTH) != 8) {
        return false;
    }
    return trt == TRT_NONE || trt == (td->dir_in ? TRT_IN : TRT_OUT);
}

/* What a TRB adds to the TD; false when its fields contradict its place. */
static bool take(ixhci_td *td, const xhci_trb *trb)
{
    uint32_t bytes = ixhci_td_trb_bytes(trb);

    switch (xhci_get(trb->dw[3], TRB_TYPE)) {
    case TRB_SETUP_STAGE:
        return take_setup(td, trb);
    case TRB_DATA_STAGE:
        if (!!(trb->dw[3] & TRB_DIR) != td->dir_in) {
            return false;
        }
        break;
    case TRB_ISOCH:
        td->sia = trb->dw[3] & TRB_SIA;
        td->frame_id = (uint16_t)xhci_get(trb->dw[3], TRB_FRAME_ID);
        break;
    default:
        break;
    }
    /* xHCI 1.2 §6.4.1.1: Immediate Data carries at most 8 bytes */
    if (ixhci_td_trb_has_buffer(trb)) {
        if ((trb->dw[3] & TRB_IDT) && bytes > 8) {
            return false;
        }
        td->has_data = true;
    }
    td->bytes += bytes;
    return td->bytes <= IXHCI_TD_MAX_BYTES;
}

static unsigned first_position(unsigned ep_type)
{
    switch (ep_type) {
    case EP_TYPE_CONTROL:
        return AT_SETUP;
    case EP_TYPE_ISOCH_IN:
    case EP_TYPE_ISOCH_OUT:
        return AT_ISOCH;
    default:
        return AT_TD;
    }
}

/* IDT is for OUT only (§6.4.1.1): on an IN endpoint the TD is bad. */
static bool idt_is_legal(const ixhci_td *td, unsigned ep_type,
                         const xhci_trb *trb)
{
    bool in = ep_type == EP_TYPE_CONTROL ? td->dir_in : ep_type & 4;

    return !(trb->dw[3] & TRB_IDT) || !ixhci_td_trb_has_buffer(trb) || !in;
}

/* Rule 1. True: this Link TRB is all of the TD. */
static bool pass_link(ixhci_td *td, const xhci_trb *trb)
{
    bool inside = td->count, wants_event = trb->dw[3] & TRB_IOC;

    if (inside || wants_event) {
        td->count++;
    }
    ixhci_ring_advance(&td->next, trb);
    if (!td->count) {
        td->start = td->next;
    }
    return !inside && wants_event;
}

ixhci_td_verdict ixhci_td_load(ixhci_td *td, const ixhci_ring *ring,
                               unsigned ep_type, ixhci_load_trb load,
                               void *opaque)
{
    unsigned at = first_position(ep_type);
    unsigned most =
        at == AT_ISOCH ? IXHCI_TD_MAX_ISOCH_TRBS : IXHCI_TD_MAX_TRBS;
    xhci_trb *trb;

    td->count = 0;
    td->bytes = 0;
    td->has_data = false;
    td->sia = false;
    td->start = td->next = *ring;
    for (unsigned walked = 0; walked < most; walked++) {
        trb = make_room(td);
        switch (ixhci_ring_fetch(&td->next, load, opaque, trb)) {
        case IXHCI_RING_DMA_ERROR:
            return IXHCI_TD_DMA_ERROR;
        case IXHCI_RING_EMPTY:
            return td->count ? IXHCI_TD_PARTIAL : IXHCI_TD_EMPTY;
        case IXHCI_RING_TRB:
            break;
        }
        if (ixhci_trb_is_link(trb)) {
            if (pass_link(td, trb)) {
                return IXHCI_TD_READY;
            }
            continue;
        }
        td->count++;
        ixhci_ring_advance(&td->next, trb);
        unsigned next = next_position(at, trb);
        if (next == BAD || !take(td, trb) || !idt_is_legal(td, ep_type, trb)) {
            return IXHCI_TD_BAD;
        }
        at = next;
        if (at == AT_END) {
            return IXHCI_TD_READY;
        }
    }
    if (!td->count) {
        /* nothing but Link TRBs: a loop; blame the last one */
        td->count++;
    }
    return IXHCI_TD_BAD;
}
