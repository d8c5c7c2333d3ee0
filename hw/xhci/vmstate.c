/*
 * Migration: everything that a driver could notice, in mid-stream.
 *
 *  1. Slots and endpoints travel as records that saving makes and loading
 *     takes apart. What a context says is parsed again from its words, by the
 *     parser that the commands use, so that nothing comes in that a command
 *     would have refused; a stream that does not fit is an error (-EINVAL)
 *     and nothing worse.
 *  2. Records are in the order of the work list: endpoints that are due in
 *     the same microframe keep their turns.
 *  3. A TD does not travel. It is on its ring, and an endpoint that waited for
 *     its device begins with it anew on the other side: of a packet that a
 *     device still holds when the machine stops, nothing has moved.
 *  4. ESITs that passed in silence are still due, and are served over there.
 *  5. Times are microframes of the virtual clock, which travels with the
 *     machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* Saving: records out of structures. */

static void save_ep(ixhci_saved *saved, const ixhci_ep *ep)
{
    saved->eps[saved->ep_count++] = (ixhci_saved_ep){
        .slot_id = ep->slot->slot_id,
        .dci = ep->dci,
        .state = ep->state,
        .waits = ep->wait != IXHCI_WAIT_NOTHING,
        .ccs = ep->ring.ccs,
        .dequeue_gpa = ep->ring.dequeue_gpa,
        .due_uf = ep->due_uf,
        .in_flow = ep->flow.in_flow,
        .missed_told = ep->missed_told,
        .next_uf = ep->flow.next_uf,
        .stale_uf = ep->flow.stale_uf,
    };
    memcpy(saved->eps[saved->ep_count - 1].words, ep->words, sizeof(ep->words));
}

/* Rule 2: first those on the work list, then the others. */
static void save_eps(IxhciState *x)
{
    ixhci_ep *ep;

    x->saved.eps = g_new0(ixhci_saved_ep, IXHCI_MAX_SLOTS * IXHCI_MAX_DCI);
    QTAILQ_FOREACH (ep, &x->work, work) {
        save_ep(&x->saved, ep);
    }
    for (unsigned i = 0; i < x->num_slots; i++) {
        for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
            ep = x->slots[i].eps[dci];
            if (ep && ep->due_uf == IXHCI_UF_NEVER) {
                save_ep(&x->saved, ep);
            }
        }
    }
}

static void save_events(IxhciState *x)
{
    ixhci_saved *saved = &x->saved;

    for (unsigned i = 0; i < x->num_intrs; i++) {
        saved->event_count += g_queue_get_length(x->intrs[i].waiting);
    }
    saved->events = g_new0(ixhci_event, saved->event_count);
    saved->event_count = 0;
    for (unsigned i = 0; i < x->num_intrs; i++) {
        for (GList *l = x->intrs[i].waiting->head; l; l = l->next) {
            saved->events[saved->event_count++] = *(ixhci_event *)l->data;
        }
    }
}

static void forget(IxhciState *x)
{
    g_free(x->saved.eps);
    g_free(x->saved.events);
    memset(&x->saved, 0, sizeof(x->saved));
}

static int pre_save(void *opaque)
{
    IxhciState *x = opaque;

    forget(x);
    save_eps(x);
    save_events(x);
    for (unsigned i = 0; i < x->num_slots; i++) {
        x->slots[i].has_device = x->slots[i].uport != NULL;
    }
    return 0;
}

static int post_save(void *opaque)
{
    forget(opaque);
    return 0;
}

/* Loading: structures out of records (rule 1). */

static int pre_load(void *opaque)
{
    IxhciState *x = opaque;

    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot_disable(&x->slots[i]);
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_forget(x, i);
    }
    forget(x);
    return 0;
}

static bool load_slot(IxhciState *x, ixhci_slot *slot)
{
    if (!slot->enabled) {
        ixhci_slot_disable(slot);
        return true;
    }
    if (slot->state > SLOT_STATE_CONFIGURED) {
        return false;
    }
    if (slot->state == SLOT_STATE_ENABLED) {
        return true;
    }
    if (ixhci_context_parse_slot(&slot->cfg, slot->words, x->num_ports,
                                 x->num_intrs) != CC_SUCCESS) {
        return false;
    }
    slot->uport =
        slot->has_device ? ixhci_slot_find_uport(x, &slot->cfg) : NULL;
    return true;
}

static bool load_ep(IxhciState *x, const ixhci_saved_ep *saved)
{
    ixhci_slot *slot = ixhci_slot_get(x, saved->slot_id);
    ixhci_ep_config cfg;
    ixhci_ep *ep;

    if (!slot || saved->dci < 1 || saved->dci > IXHCI_MAX_DCI ||
        slot->eps[saved->dci] || saved->state > EP_STATE_ERROR ||
        ixhci_context_parse_ep(&cfg, saved->words, saved->dci, slot->cfg.speed,
                               &x->caps) != CC_SUCCESS) {
        return false;
    }
    ep = ixhci_endpoint_new(x, slot, saved->dci, &cfg);
    slot->eps[saved->dci] = ep;
    memcpy(ep->words, saved->words, sizeof(ep->words));
    ep->state = saved->state;
    ep->ring.dequeue_gpa = saved->dequeue_gpa & ~UINT64_C(0xf);
    ep->ring.ccs = saved->ccs;
    ep->flow.in_flow = saved->in_flow;
    ep->missed_told = saved->missed_told;
    ep->flow.next_uf = saved->next_uf;
    ep->flow.stale_uf = saved->stale_uf;
    if (ep->state == EP_STATE_RUNNING) {
        /* rule 3; the look ahead waits until the machine runs */
        ixhci_service_due(ep, saved->waits ? ixhci_now_uf() : saved->due_uf);
        ep->wake_uf = ep->due_uf;
    }
    return true;
}

static bool load_event(IxhciState *x, const ixhci_event *event)
{
    if (event->intr >= x->num_intrs) {
        return false;
    }
    g_queue_push_tail(x->intrs[event->intr].waiting,
                      g_memdup2(event, sizeof(*event)));
    return true;
}

/* The producer's side of an event ring is used without further checks. */
static bool is_sane_ring(const ixhci_intr *intr)
{
    if (intr->segment_count > IXHCI_ERST_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < intr->segment_count; i++) {
        if (intr->segments[i].trbs < 16 || intr->segments[i].trbs > 4096) {
            return false;
        }
    }
    return intr->segment_count == 0 ||
           (intr->segment < intr->segment_count &&
            intr->index < intr->segments[intr->segment].trbs);
}

static bool load_all(IxhciState *x)
{
    ixhci_xcap_check(x);
    if (x->full_rings >> x->num_intrs) {
        return false;
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        if (!is_sane_ring(&x->intrs[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < x->num_slots; i++) {
        x->slots[i].slot_id = i + 1;
        if (!load_slot(x, &x->slots[i])) {
            return false;
        }
    }
    for (int32_t i = 0; i < x->saved.ep_count; i++) {
        if (!load_ep(x, &x->saved.eps[i])) {
            return false;
        }
    }
    for (int32_t i = 0; i < x->saved.event_count; i++) {
        if (!load_event(x, &x->saved.events[i])) {
            return false;
        }
    }
    return true;
}

static int post_load(void *opaque, int version_id)
{
    IxhciState *x = opaque;
    bool sane = load_all(x);

    forget(x);
    if (!sane) {
        pre_load(x);
        return -EINVAL;
    }
    ixhci_service_arm(x);
    return 0;
}

/* Before the arrays are allocated: how long may they be? */
static bool counts_are_sane(void *opaque, int version_id)
{
    const ixhci_saved *saved = &((IxhciState *)opaque)->saved;

    return saved->ep_count >= 0 &&
           saved->ep_count <= IXHCI_MAX_SLOTS * IXHCI_MAX_DCI &&
           saved->event_count >= 0 &&
           saved->event_count <= IXHCI_MAX_INTRS * IXHCI_EVENTS_WAITING_MAX;
}

#define FIELDS(...)                                                      \
    .version_id = 1, .minimum_version_id = 1, .fields = (VMStateField[]) \
    {                                                                    \
        __VA_ARGS__, VMSTATE_END_OF_LIST()                               \
    }

static const VMStateDescription vmstate_ring = {
    .name = "ixhci/ring",
    FIELDS(VMSTATE_UINT64(dequeue_gpa, ixhci_ring),
           VMSTATE_BOOL(ccs, ixhci_ring)),
};

static const VMStateDescription vmstate_port = {
    .name = "ixhci/port",
    FIELDS(VMSTATE_UINT32(portsc, ixhci_port),
           VMSTATE_UINT32(portpmsc, ixhci_port),
           VMSTATE_UINT64(done_uf, ixhci_port), VMSTATE_BOOL(warm, ixhci_port)),
};

static const VMStateDescription vmstate_segment = {
    .name = "ixhci/segment",
    FIELDS(VMSTATE_UINT64(base_gpa, ixhci_segment),
           VMSTATE_UINT32(trbs, ixhci_segment)),
};

static const VMStateDescription vmstate_intr = {
    .name = "ixhci/intr",
    FIELDS(VMSTATE_UINT32(iman, ixhci_intr), VMSTATE_UINT32(imodi, ixhci_intr),
           VMSTATE_UINT32(erstsz, ixhci_intr),
           VMSTATE_UINT64(erstba, ixhci_intr), VMSTATE_UINT64(erdp, ixhci_intr),
           VMSTATE_UINT32(desi, ixhci_intr), VMSTATE_BOOL(ehb, ixhci_intr),
           VMSTATE_STRUCT_ARRAY(segments, ixhci_intr, IXHCI_ERST_MAX, 1,
                                vmstate_segment, ixhci_segment),
           VMSTATE_UINT32(segment_count, ixhci_intr),
           VMSTATE_UINT32(segment, ixhci_intr),
           VMSTATE_UINT32(index, ixhci_intr), VMSTATE_BOOL(pcs, ixhci_intr),
           VMSTATE_UINT64(posted, ixhci_intr), VMSTATE_UINT64(loud, ixhci_intr),
           VMSTATE_BOOL(ipe, ixhci_intr),
           VMSTATE_UINT64(moderate_ns, ixhci_intr)),
};

static const VMStateDescription vmstate_slot = {
    .name = "ixhci/slot",
    FIELDS(VMSTATE_BOOL(enabled, ixhci_slot), VMSTATE_UINT8(state, ixhci_slot),
           VMSTATE_UINT8(address, ixhci_slot),
           VMSTATE_UINT64(context_gpa, ixhci_slot),
           VMSTATE_UINT32_ARRAY(words, ixhci_slot, IXHCI_CONTEXT_WORDS),
           VMSTATE_BOOL(has_device, ixhci_slot)),
};

static const VMStateDescription vmstate_ep = {
    .name = "ixhci/ep",
    FIELDS(VMSTATE_UINT8(slot_id, ixhci_saved_ep),
           VMSTATE_UINT8(dci, ixhci_saved_ep),
           VMSTATE_UINT8(state, ixhci_saved_ep),
           VMSTATE_BOOL(waits, ixhci_saved_ep),
           VMSTATE_BOOL(ccs, ixhci_saved_ep),
           VMSTATE_BOOL(in_flow, ixhci_saved_ep),
           VMSTATE_BOOL(missed_told, ixhci_saved_ep),
           VMSTATE_UINT64(dequeue_gpa, ixhci_saved_ep),
           VMSTATE_UINT64(due_uf, ixhci_saved_ep),
           VMSTATE_UINT64(next_uf, ixhci_saved_ep),
           VMSTATE_UINT64(stale_uf, ixhci_saved_ep),
           VMSTATE_UINT32_ARRAY(words, ixhci_saved_ep, IXHCI_CONTEXT_WORDS)),
};

static const VMStateDescription vmstate_event = {
    .name = "ixhci/event",
    FIELDS(VMSTATE_UINT32_ARRAY(trb.dw, ixhci_event, 4),
           VMSTATE_UINT16(intr, ixhci_event), VMSTATE_BOOL(bei, ixhci_event)),
};

const VMStateDescription ixhci_vmstate = {
    .name = "ixhci",
    .pre_save = pre_save,
    .post_save = post_save,
    .pre_load = pre_load,
    .post_load = post_load,
    FIELDS(
        VMSTATE_PCI_DEVICE(parent_obj, IxhciState),
        VMSTATE_MSIX(parent_obj, IxhciState),
        VMSTATE_UINT32_EQUAL(num_usb2, IxhciState, "it has other USB2 ports"),
        VMSTATE_UINT32_EQUAL(num_usb3, IxhciState, "it has other USB3 ports"),
        VMSTATE_UINT32_EQUAL(num_slots, IxhciState, "it has other slots"),
        VMSTATE_UINT32_EQUAL(num_intrs, IxhciState,
                             "it has other interrupters"),
        VMSTATE_UINT32_EQUAL(caps.hcc1, IxhciState,
                             "its hci-version or csz is another"),
        VMSTATE_UINT32_EQUAL(caps.hcc2, IxhciState,
                             "its hci-version is another"),
        VMSTATE_UINT32_ARRAY(xecp, IxhciState, IXHCI_XECP_WORDS),
        VMSTATE_UINT32(usbcmd, IxhciState), VMSTATE_UINT32(usbsts, IxhciState),
        VMSTATE_UINT32(dnctrl, IxhciState), VMSTATE_UINT64(dcbaap, IxhciState),
        VMSTATE_UINT32(config, IxhciState),
        VMSTATE_STRUCT(command_ring, IxhciState, 1, vmstate_ring, ixhci_ring),
        VMSTATE_BOOL(crr, IxhciState), VMSTATE_BOOL(command_waits, IxhciState),
        VMSTATE_BOOL(crcr_hi_is_old, IxhciState),
        VMSTATE_STRUCT_ARRAY(ports, IxhciState, IXHCI_MAX_PORTS, 1,
                             vmstate_port, ixhci_port),
        VMSTATE_STRUCT_ARRAY(intrs, IxhciState, IXHCI_MAX_INTRS, 1,
                             vmstate_intr, ixhci_intr),
        VMSTATE_UINT32(full_rings, IxhciState),
        VMSTATE_STRUCT_ARRAY(slots, IxhciState, IXHCI_MAX_SLOTS, 1,
                             vmstate_slot, ixhci_slot),
        VMSTATE_UINT64(base_uf, IxhciState),
        VMSTATE_UINT64(wrap_uf, IxhciState),
        VMSTATE_UINT64(pause_uf, IxhciState),
        VMSTATE_INT32(saved.ep_count, IxhciState),
        VMSTATE_INT32(saved.event_count, IxhciState),
        VMSTATE_VALIDATE("as many records as there can be", counts_are_sane),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved.eps, IxhciState, saved.ep_count, 1,
                                    vmstate_ep, ixhci_saved_ep),
        VMSTATE_STRUCT_VARRAY_ALLOC(saved.events, IxhciState, saved.event_count,
                                    1, vmstate_event, ixhci_event)),
};
