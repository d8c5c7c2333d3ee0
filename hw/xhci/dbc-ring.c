/*
 * The Debug Capability's endpoints: between two transfer rings and a chardev
 * (xHCI 1.2 §7.6.3, §7.6.9).
 *
 *  1. A TD is loaded, and retired, by what loads and retires all TDs. The OUT
 *     ring's data goes to the chardev as fast as that takes it; what it has not
 *     taken of a TD is loaded again when it has room, and goes on from there.
 *  2. What the chardev has to say goes into the TD at the head of the IN ring;
 *     there is no more read than fits. The debug host's packets end where the
 *     chardev's data does: a TD with room left is a short one.
 *  3. A call does a bounded amount of work, in TRBs and in KiB. What is left
 *     waits for the next microframe. While the event ring has no room nothing
 *     is done.
 *  4. A chardev may call back while it is written to: nobody serves twice, and
 *     after each write it is asked whether the pipes are still there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

#define FIRST_DCI 2 /* of endpoint 1: OUT, and IN behind it */
#define CONTEXT_BYTES 64
#define CHUNK_BYTES 4096
/* Rule 3, in TRBs and KiB. */
#define WORK_PER_UF 4096
/* How long a halt lasts before the host clears it: 1 ms. */
#define UNHALT_UF 8

static unsigned type_of(unsigned i)
{
    return i == IXHCI_DBC_IN ? EP_TYPE_BULK_IN : EP_TYPE_BULK_OUT;
}

static uint64_t context_gpa(const IxhciState *x, unsigned i)
{
    return x->dbc.dccp + (i + 1) * CONTEXT_BYTES;
}

/* Its context in memory says what it is and where it stands. */
static bool store(IxhciState *x, unsigned i)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];
    uint64_t pointer = ixhci_ring_pack(&ep->ring);

    ep->words[0] = xhci_set(ep->words[0], EP_STATE, ep->state);
    ep->words[2] = (uint32_t)pointer;
    ep->words[3] = pointer >> 32;
    return ixhci_dma_store_words(x, context_gpa(x, i), ep->words,
                                 IXHCI_CONTEXT_WORDS);
}

static void set_state(IxhciState *x, unsigned i, unsigned state)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];

    trace_ixhci_dbc_ep(i, ep->state, state);
    ep->state = state;
    if (!store(x, i)) {
        ixhci_dbc_error(x, "an endpoint context is not accessible");
    }
}

/* What an endpoint's context says, and where its ring begins. */
static bool load_context(IxhciState *x, unsigned i)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];

    if (!ixhci_dma_load_words(x, context_gpa(x, i), ep->words,
                              IXHCI_CONTEXT_WORDS)) {
        return false;
    }
    ep->ring = ixhci_ring_at(ep->words[2] | (uint64_t)ep->words[3] << 32);
    ep->sent = 0;
    return xhci_get(ep->words[1], EP_TYPE) == type_of(i);
}

bool ixhci_dbc_open(IxhciState *x)
{
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        if (!load_context(x, i)) {
            return false;
        }
    }
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        x->dbc.eps[i].state = EP_STATE_RUNNING;
        if (!store(x, i)) {
            return false;
        }
    }
    return true;
}

void ixhci_dbc_close(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    if (dbc->watch) {
        g_source_remove(dbc->watch);
        dbc->watch = 0;
    }
    dbc->work_uf = IXHCI_UF_NEVER;
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        dbc->eps[i].state = EP_STATE_DISABLED;
        dbc->eps[i].rung = false;
        dbc->eps[i].ready = false;
        dbc->eps[i].sent = 0;
        dbc->eps[i].unhalt_uf = IXHCI_UF_NEVER;
    }
}

/* May TDs of it be executed now? */
static bool is_working(IxhciState *x, unsigned i)
{
    const ixhci_dbc_ep *ep = &x->dbc.eps[i];

    return x->dbc.state == IXHCI_DBC_CONFIGURED && ep->rung &&
           ep->state == EP_STATE_RUNNING &&
           ixhci_event_ring_has_room(x, IXHCI_DBC_RING);
}

static void retire(IxhciState *x, unsigned i, unsigned cc, uint32_t bytes)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];
    ixhci_outcome how = {
        .dci = FIRST_DCI + i,
        .ep_type = type_of(i),
        .cc = cc,
        .bytes = bytes,
    };

    trace_ixhci_dbc_retire(i, ep->td.start.dequeue_gpa, cc, bytes);
    ixhci_retire_td(&ep->retired, &ep->td, &how);
    ep->ring = ep->retired.ring;
    ep->sent = 0;
    if (ep->retired.ep_state != EP_STATE_RUNNING) {
        set_state(x, i, ep->retired.ep_state);
    }
    for (unsigned k = 0; k < ep->retired.count; k++) {
        ep->retired.events[k].intr = IXHCI_EVENT_DBC;
        x->event->post(x, &ep->retired.events[k]);
    }
}

/* The TD at the ring's head. True: it has bytes to move; else it is dealt
 * with, or the ring is empty. */
static bool load(IxhciState *x, unsigned i)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];

    switch (
        ixhci_td_load(&ep->td, &ep->ring, type_of(i), ixhci_dma_load_trb, x)) {
    case IXHCI_TD_READY:
        if (ep->td.bytes) {
            return true;
        }
        retire(x, i, CC_SUCCESS, 0);
        return false;
    case IXHCI_TD_EMPTY:
        ep->ring = ep->td.start;
        ep->rung = false;
        ep->sent = 0;
        return false;
    case IXHCI_TD_PARTIAL:
        ep->rung = false;
        ep->sent = 0;
        return false;
    case IXHCI_TD_BAD:
        retire(x, i, CC_TRB_ERROR, 0);
        return false;
    case IXHCI_TD_DMA_ERROR:
        ixhci_dbc_error(x, "a transfer ring is not accessible");
        return false;
    }
    return false;
}

static gboolean has_room(void *do_not_use, GIOCondition condition, void *opaque)
{
    IxhciState *x = opaque;

    x->dbc.watch = 0;
    x->dbc.work_uf = ixhci_now_uf();
    ixhci_service_arm(x);
    return G_SOURCE_REMOVE;
}

/* Rule 1: where the chardev cannot say when, it is asked again soon. */
static void await_room(IxhciState *x)
{
    ixhci_dbc *dbc = &x->dbc;

    if (!dbc->watch) {
        dbc->watch =
            qemu_chr_fe_add_watch(&dbc->chr, G_IO_OUT | G_IO_HUP, has_room, x);
    }
    if (!dbc->watch) {
        dbc->work_uf = ixhci_now_uf() + 1;
    }
}

/* Rule 1: a chunk of the loaded TD. True: there may be more to do. */
static bool send_chunk(IxhciState *x, ixhci_dbc_ep *ep)
{
    uint8_t chunk[CHUNK_BYTES];
    uint32_t now = MIN(sizeof(chunk), ep->td.bytes - ep->sent);
    int written;

    if (!ixhci_buffer_copy(x, &ep->td, ep->sent, chunk, now, false)) {
        ixhci_dbc_error(x, "a data buffer is not accessible");
        return false;
    }
    written = qemu_chr_fe_write(&x->dbc.chr, chunk, now);
    if (x->dbc.state != IXHCI_DBC_CONFIGURED) {
        return false;
    }
    ep->sent += MAX(written, 0);
    if (written < (int)now) {
        await_room(x);
        return false;
    }
    return true;
}

static void spend(unsigned *left, unsigned units)
{
    *left -= MIN(*left, units);
}

/* Rule 3: the rest waits. */
static void put_off(IxhciState *x)
{
    x->dbc.work_uf = ixhci_now_uf() + 1;
}

static void serve_out(IxhciState *x)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[IXHCI_DBC_OUT];
    unsigned left = WORK_PER_UF;

    while (!x->dbc.watch && is_working(x, IXHCI_DBC_OUT)) {
        bool loaded;

        if (!left) {
            put_off(x);
            return;
        }
        loaded = load(x, IXHCI_DBC_OUT);
        spend(&left, ep->td.count + 1);
        if (!loaded) {
            continue;
        }
        /* a guest may have made it shorter meanwhile */
        while (ep->sent < ep->td.bytes) {
            if (!send_chunk(x, ep)) {
                return;
            }
            spend(&left, CHUNK_BYTES / 1024);
            if (!left && ep->sent < ep->td.bytes) {
                put_off(x);
                return;
            }
        }
        retire(x, IXHCI_DBC_OUT, CC_SUCCESS, ep->td.bytes);
    }
}

/* Rule 2: up to a TD that has room for data. */
static void find_room(IxhciState *x)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[IXHCI_DBC_IN];
    unsigned left = WORK_PER_UF;

    while (!ep->ready && is_working(x, IXHCI_DBC_IN)) {
        if (!left) {
            put_off(x);
            return;
        }
        ep->ready = load(x, IXHCI_DBC_IN);
        spend(&left, ep->td.count + 1);
    }
}

static void serve(IxhciState *x)
{
    if (!x->dbc.serving) {
        x->dbc.serving = true;
        serve_out(x);
        find_room(x);
        x->dbc.serving = false;
        ixhci_service_arm(x);
        if (x->dbc.eps[IXHCI_DBC_IN].ready) {
            qemu_chr_fe_accept_input(&x->dbc.chr);
        }
    }
}

/* Rule 2. */
int ixhci_dbc_can_read(void *opaque)
{
    IxhciState *x = opaque;
    const ixhci_dbc_ep *ep = &x->dbc.eps[IXHCI_DBC_IN];

    return ep->ready && is_working(x, IXHCI_DBC_IN) && runstate_is_running()
               ? ep->td.bytes
               : 0;
}

void ixhci_dbc_read(void *opaque, const uint8_t *data, int bytes)
{
    IxhciState *x = opaque;
    ixhci_dbc_ep *ep = &x->dbc.eps[IXHCI_DBC_IN];
    uint32_t now = MIN((uint32_t)bytes, ep->td.bytes);

    if (!ep->ready || !is_working(x, IXHCI_DBC_IN)) {
        return;
    }
    ep->ready = false;
    if (!ixhci_buffer_copy(x, &ep->td, 0, (uint8_t *)data, now, true)) {
        ixhci_dbc_error(x, "a data buffer is not accessible");
        return;
    }
    retire(x, IXHCI_DBC_IN, now < ep->td.bytes ? CC_SHORT_PACKET : CC_SUCCESS,
           now);
    find_room(x);
    ixhci_service_arm(x);
}

/* xHCI 1.2 §7.6.8.2: no doorbell where there is no configuration, or while
 * nobody has seen that there was none. */
void ixhci_dbc_doorbell(IxhciState *x, unsigned target)
{
    if (target >= IXHCI_DBC_EPS || x->dbc.state != IXHCI_DBC_CONFIGURED ||
        (x->dbc.ctrl & DCCTRL_DRC)) {
        trace_ixhci_doorbell_bad(0, target);
        return;
    }
    x->dbc.eps[target].rung = true;
    serve(x);
}

/* xHCI 1.2 §7.6.8.4, HOT and HIT: the pipe answers STALL until the host has
 * cleared the halt; then its context, where the driver may have moved the
 * dequeue pointer, is read again. */
void ixhci_dbc_halt(IxhciState *x, unsigned i)
{
    ixhci_dbc_ep *ep = &x->dbc.eps[i];

    if (ep->state == EP_STATE_RUNNING || ep->state == EP_STATE_ERROR) {
        ep->rung = false;
        ep->ready = false;
        ep->sent = 0;
        ep->unhalt_uf = ixhci_now_uf() + UNHALT_UF;
        set_state(x, i, EP_STATE_HALTED);
        ixhci_service_arm(x);
    }
}

static void unhalt(IxhciState *x, unsigned i)
{
    x->dbc.eps[i].unhalt_uf = IXHCI_UF_NEVER;
    if (!load_context(x, i)) {
        ixhci_dbc_error(x, "an endpoint context is not accessible, or bad");
        return;
    }
    set_state(x, i, EP_STATE_RUNNING);
}

void ixhci_dbc_serve_due(IxhciState *x, uint64_t now_uf)
{
    for (unsigned i = 0; i < IXHCI_DBC_EPS; i++) {
        if (x->dbc.eps[i].unhalt_uf <= now_uf) {
            unhalt(x, i);
        }
    }
    if (x->dbc.work_uf <= now_uf) {
        x->dbc.work_uf = IXHCI_UF_NEVER;
        serve(x);
    }
}

/* The event ring has room again. */
void ixhci_dbc_resume(IxhciState *x)
{
    x->dbc.work_uf = ixhci_now_uf();
    ixhci_service_arm(x);
}
