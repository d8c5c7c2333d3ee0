/*
 * Migration: everything that a driver could notice, in mid-stream.
 *
 *  1. Slots and endpoints travel as records (records.c), which are checked
 *     when they come back; a stream that does not fit is an error (-EINVAL)
 *     and nothing worse.
 *  2. ESITs that passed in silence are still due, and are served over there.
 *  3. Times are microframes of the virtual clock, which travels with the
 *     machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

static void save_events(IxhciState *x)
{
    ixhci_travel *saved = &x->travel;

    for (unsigned i = 0; i < IXHCI_EVENT_RINGS; i++) {
        saved->event_count += g_queue_get_length(x->intrs[i].waiting);
    }
    saved->events = g_new0(ixhci_event, saved->event_count);
    saved->event_count = 0;
    for (unsigned i = 0; i < IXHCI_EVENT_RINGS; i++) {
        for (GList *l = x->intrs[i].waiting->head; l; l = l->next) {
            saved->events[saved->event_count++] = *(ixhci_event *)l->data;
        }
    }
}

static void forget(IxhciState *x)
{
    ixhci_records_free(&x->travel.records);
    g_free(x->travel.events);
    memset(&x->travel, 0, sizeof(x->travel));
}

static int pre_save(void *opaque)
{
    IxhciState *x = opaque;

    forget(x);
    ixhci_records_take(x, &x->travel.records);
    save_events(x);
    return 0;
}

static int post_save(void *opaque)
{
    forget(opaque);
    return 0;
}

static int pre_load(void *opaque)
{
    IxhciState *x = opaque;

    for (unsigned i = 0; i < IXHCI_EVENT_RINGS; i++) {
        ixhci_event_forget(x, i);
    }
    ixhci_save_forget(x);
    x->command_runs = false;
    x->command_stops = false;
    forget(x);
    return 0;
}

static bool load_event(IxhciState *x, const ixhci_event *event)
{
    bool debug = event->intr == IXHCI_EVENT_DBC;

    if (event->intr >= x->num_intrs && !debug) {
        return false;
    }
    g_queue_push_tail(x->intrs[debug ? IXHCI_DBC_RING : event->intr].waiting,
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
    if ((x->full_rings & ~(1u << IXHCI_DBC_RING)) >> x->num_intrs ||
        x->held_rings >> x->num_intrs ||
        !is_sane_ring(&x->intrs[IXHCI_DBC_RING]) || !ixhci_dbc_load(x)) {
        return false;
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        if (!is_sane_ring(&x->intrs[i])) {
            return false;
        }
    }
    for (int32_t i = 0; i < x->travel.event_count; i++) {
        if (!load_event(x, &x->travel.events[i])) {
            return false;
        }
    }
    return ixhci_records_give(x, &x->travel.records);
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
    const ixhci_travel *saved = &((IxhciState *)opaque)->travel;
    const ixhci_records *r = &saved->records;

    return r->slot_count >= 0 && r->slot_count <= IXHCI_MAX_SLOTS &&
           r->ep_count >= 0 && r->ep_count <= IXHCI_MAX_EPS &&
           saved->event_count >= 0 &&
           saved->event_count <= IXHCI_EVENT_RINGS * IXHCI_EVENTS_WAITING_MAX;
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
           VMSTATE_UINT32(portli, ixhci_port),
           VMSTATE_UINT32(porthlpmc, ixhci_port),
           VMSTATE_UINT64(done_uf, ixhci_port), VMSTATE_BOOL(warm, ixhci_port),
           VMSTATE_UINT64(used_uf, ixhci_port),
           VMSTATE_UINT64(up_uf, ixhci_port)),
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
    FIELDS(VMSTATE_UINT8(slot_id, ixhci_slot_record),
           VMSTATE_UINT8(state, ixhci_slot_record),
           VMSTATE_UINT8(address, ixhci_slot_record),
           VMSTATE_BOOL(has_device, ixhci_slot_record),
           VMSTATE_UINT64(context_gpa, ixhci_slot_record),
           VMSTATE_UINT32_ARRAY(words, ixhci_slot_record, IXHCI_CONTEXT_WORDS)),
};

static const VMStateDescription vmstate_ep = {
    .name = "ixhci/ep",
    FIELDS(VMSTATE_UINT8(slot_id, ixhci_ep_record),
           VMSTATE_UINT8(dci, ixhci_ep_record),
           VMSTATE_UINT8(state, ixhci_ep_record),
           VMSTATE_BOOL(waits, ixhci_ep_record),
           VMSTATE_UINT8(errors, ixhci_ep_record),
           VMSTATE_UINT16(stream_id, ixhci_ep_record),
           VMSTATE_UINT8(sct, ixhci_ep_record),
           VMSTATE_UINT64(stream_gpa, ixhci_ep_record),
           VMSTATE_BOOL(ccs, ixhci_ep_record),
           VMSTATE_BOOL(in_flow, ixhci_ep_record),
           VMSTATE_BOOL(missed_told, ixhci_ep_record),
           VMSTATE_UINT64(dequeue_gpa, ixhci_ep_record),
           VMSTATE_UINT64(due_uf, ixhci_ep_record),
           VMSTATE_UINT64(next_uf, ixhci_ep_record),
           VMSTATE_UINT64(stale_uf, ixhci_ep_record),
           VMSTATE_UINT64(tds, ixhci_ep_record),
           VMSTATE_UINT32_ARRAY(words, ixhci_ep_record, IXHCI_CONTEXT_WORDS)),
};

static const VMStateDescription vmstate_event = {
    .name = "ixhci/event",
    FIELDS(VMSTATE_UINT32_ARRAY(trb.dw, ixhci_event, 4),
           VMSTATE_UINT16(intr, ixhci_event), VMSTATE_BOOL(bei, ixhci_event)),
};

/* What the driver had saved when it was moved (save.c). */
static bool is_kept(void *opaque)
{
    return ((IxhciState *)opaque)->kept_crc != 0;
}

static bool kept_is_sane(void *opaque, int version_id)
{
    return ((IxhciState *)opaque)->kept_bytes <= IXHCI_KEPT_MAX_BYTES;
}

static const VMStateDescription vmstate_kept = {
    .name = "ixhci/kept",
    .needed = is_kept,
    FIELDS(VMSTATE_UINT32(kept_crc, IxhciState),
           VMSTATE_UINT32(kept_bytes, IxhciState),
           VMSTATE_VALIDATE("no more than there can be", kept_is_sane),
           VMSTATE_VBUFFER_ALLOC_UINT32(kept, IxhciState, 0, NULL, kept_bytes)),
};

static const VMStateDescription vmstate_dbc_ep = {
    .name = "ixhci/dbc-ep",
    FIELDS(VMSTATE_UINT8(state, ixhci_dbc_ep), VMSTATE_BOOL(rung, ixhci_dbc_ep),
           VMSTATE_UINT32(sent, ixhci_dbc_ep),
           VMSTATE_UINT64(unhalt_uf, ixhci_dbc_ep),
           VMSTATE_STRUCT(ring, ixhci_dbc_ep, 1, vmstate_ring, ixhci_ring),
           VMSTATE_UINT32_ARRAY(words, ixhci_dbc_ep, IXHCI_CONTEXT_WORDS)),
};

static bool has_dbc(void *opaque)
{
    return ixhci_dbc_is_there(opaque);
}

static const VMStateDescription vmstate_dbc = {
    .name = "ixhci/dbc",
    .needed = has_dbc,
    FIELDS(VMSTATE_UINT8(dbc.state, IxhciState),
           VMSTATE_UINT32(dbc.ctrl, IxhciState),
           VMSTATE_UINT32(dbc.portsc, IxhciState),
           VMSTATE_UINT64(dbc.dccp, IxhciState),
           VMSTATE_UINT32_ARRAY(dbc.ddi, IxhciState, 2),
           VMSTATE_UINT64(dbc.next_uf, IxhciState),
           VMSTATE_STRUCT_ARRAY(dbc.eps, IxhciState, IXHCI_DBC_EPS, 1,
                                vmstate_dbc_ep, ixhci_dbc_ep),
           VMSTATE_STRUCT(intrs[IXHCI_DBC_RING], IxhciState, 1, vmstate_intr,
                          ixhci_intr)),
};

/* A command that takes time (command.c, rule 5). */
static bool command_runs(void *opaque)
{
    return ((IxhciState *)opaque)->command_runs;
}

static const VMStateDescription vmstate_command = {
    .name = "ixhci/command",
    .needed = command_runs,
    FIELDS(VMSTATE_BOOL(command_runs, IxhciState),
           VMSTATE_BOOL(command_stops, IxhciState),
           VMSTATE_UINT32(command_serial, IxhciState),
           VMSTATE_UINT64(command_gpa, IxhciState),
           VMSTATE_UINT32_ARRAY(command.trb.dw, IxhciState, 4),
           VMSTATE_UINT8(command.slot_id, IxhciState)),
};

static bool rings_are_held(void *opaque)
{
    return ((IxhciState *)opaque)->held_rings != 0;
}

static const VMStateDescription vmstate_held = {
    .name = "ixhci/held",
    .needed = rings_are_held,
    FIELDS(VMSTATE_UINT32(held_rings, IxhciState)),
};

/* The core's, and those of filters. */
static const VMStateDescription *subsections[4 + IXHCI_FILTERS_MAX + 1] = {
    &vmstate_kept,
    &vmstate_dbc,
    &vmstate_command,
    &vmstate_held,
};

void ixhci_vmstate_add(const VMStateDescription *subsection)
{
    size_t i = 0;

    while (subsections[i]) {
        i++;
    }
    g_assert(i + 1 < ARRAY_SIZE(subsections));
    subsections[i] = subsection;
}

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
        VMSTATE_STRUCT_SUB_ARRAY(intrs, IxhciState, 0, IXHCI_MAX_INTRS, 1,
                                 vmstate_intr, ixhci_intr),
        VMSTATE_UINT32(full_rings, IxhciState),
        VMSTATE_UINT64(base_uf, IxhciState),
        VMSTATE_UINT64(wrap_uf, IxhciState), VMSTATE_UINT64(run_uf, IxhciState),
        VMSTATE_UINT64(pause_uf, IxhciState),
        VMSTATE_INT32(travel.records.slot_count, IxhciState),
        VMSTATE_INT32(travel.records.ep_count, IxhciState),
        VMSTATE_INT32(travel.event_count, IxhciState),
        VMSTATE_VALIDATE("as many records as there can be", counts_are_sane),
        VMSTATE_STRUCT_VARRAY_ALLOC(travel.records.slots, IxhciState,
                                    travel.records.slot_count, 1, vmstate_slot,
                                    ixhci_slot_record),
        VMSTATE_STRUCT_VARRAY_ALLOC(travel.records.eps, IxhciState,
                                    travel.records.ep_count, 1, vmstate_ep,
                                    ixhci_ep_record),
        VMSTATE_STRUCT_VARRAY_ALLOC(travel.events, IxhciState,
                                    travel.event_count, 1, vmstate_event,
                                    ixhci_event)),
    .subsections = subsections,
};
