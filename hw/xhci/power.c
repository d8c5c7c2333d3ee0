/*
 * Run, stop, reset, and giving up (xHCI 1.2 §4.2, §5.4.1, §4.10.2.6).
 *
 *  1. R/S 1 to 0 parks every endpoint at the TD it was at: packets come back
 *     from the devices, dequeue pointers go to memory, then HCH is set and
 *     nothing more is written.
 *  2. HCRST ends in the state after power-on, except for PCI configuration
 *     space; nothing of what ran before is left.
 *  3. A failed access to guest memory is a Host System Error and stops the
 *     controller; an inconsistency that has no event to carry it is a Host
 *     Controller Error. Only a reset leaves the latter.
 *  4. Since halting writes all contexts (FSC), save only has to keep what no
 *     register shows (save.c); a restore that has nothing good to bring back
 * sets SRE, and the driver starts afresh (§4.23.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* xHCI 1.2 §5.4.1: what a write keeps. */
#define USBCMD_RW \
    (USBCMD_RS | USBCMD_INTE | USBCMD_HSEE | USBCMD_EWE | USBCMD_EU3S)

/* Rule 3: what each reason does to USBSTS, and its name for the trace. */
typedef struct {
    uint32_t status;
    const char *name;
} error_row;

static const error_row errors[] = {
    [IXHCI_HSE_COMMAND_RING] = { USBSTS_HSE, "command ring not accessible" },
    [IXHCI_HSE_TRANSFER_RING] = { USBSTS_HSE, "transfer ring not accessible" },
    [IXHCI_HSE_DATA] = { USBSTS_HSE, "data buffer not accessible" },
    [IXHCI_HSE_CONTEXT] = { USBSTS_HSE, "context not accessible" },
    [IXHCI_HSE_EVENT_RING] = { USBSTS_HSE, "event ring not accessible" },
    [IXHCI_HSE_ERST] = { USBSTS_HSE, "event ring table not accessible" },
    [IXHCI_HCE_ERST_ENTRY] = { USBSTS_HCE, "event ring segment out of range" },
    [IXHCI_HCE_COMMAND_RING_LOOP] = { USBSTS_HCE, "command ring of links" },
    [IXHCI_HSE_OUTSIDE] = { USBSTS_HSE, "the host's, from outside" },
    [IXHCI_HCE_OUTSIDE] = { USBSTS_HCE, "the controller's, from outside" },
};

typedef void (*ep_function)(ixhci_ep *ep);

static void for_each_ep(IxhciState *x, ep_function f)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
            if (x->slots[i].enabled && x->slots[i].eps[dci]) {
                f(x->slots[i].eps[dci]);
            }
        }
    }
}

/* The TD that a device still had will run again from its start. */
static void park(ixhci_ep *ep)
{
    ixhci_endpoint_idle(ep);
}

/* Streams are in memory then, and opened again from there. */
static void save(ixhci_ep *ep)
{
    ixhci_endpoint_store(ep);
    ixhci_stream_close_all(ep);
}

static void stop_commands(IxhciState *x)
{
    x->crr = false;
    x->command_waits = false;
    x->command_runs = false;
    x->command_stops = false;
}

void ixhci_power_host_error(IxhciState *x, ixhci_host_error_reason reason)
{
    const error_row *row = &errors[reason];

    trace_ixhci_host_error(row->name);
    qemu_log_mask(LOG_GUEST_ERROR, "ixhci: host error: %s\n", row->name);
    x->usbsts |= row->status;
    if (row->status == USBSTS_HSE) {
        x->usbcmd &= ~USBCMD_RS;
        x->usbsts |= USBSTS_HCH;
    }
    stop_commands(x);
    for_each_ep(x, park);
}

/* From now on: the next time that MFINDEX is 0. */
static void await_wrap(IxhciState *x)
{
    uint64_t now_uf = ixhci_now_uf();

    x->wrap_uf =
        now_uf - ((now_uf - x->base_uf) & MFINDEX_MASK) + MFINDEX_MASK + 1;
}

static void run(IxhciState *x)
{
    if (x->usbsts & (USBSTS_HCE | USBSTS_HSE)) {
        x->usbcmd &= ~USBCMD_RS;
        return;
    }
    x->usbsts &= ~USBSTS_HCH;
    x->run_uf = ixhci_now_uf();
    ixhci_save_forget(x);
    trace_ixhci_run(true);
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_resume(x, i);
    }
    ixhci_port_announce_all(x);
}

/* Rule 1. */
static void halt(IxhciState *x)
{
    for_each_ep(x, park);
    for_each_ep(x, save);
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_forget(x, i);
    }
    stop_commands(x);
    x->usbsts |= USBSTS_HCH;
    trace_ixhci_run(false);
}

/* Rule 2: everything but the ports' devices and PCI configuration space. */
static void reset(IxhciState *x)
{
    for (unsigned i = 0; i < x->num_slots; i++) {
        ixhci_slot_disable(&x->slots[i]);
    }
    x->usbcmd = 0;
    x->usbsts = USBSTS_HCH;
    x->dnctrl = 0;
    x->dcbaap = 0;
    x->config = 0;
    x->command_ring = ixhci_ring_at(0);
    stop_commands(x);
    x->crcr_hi_is_old = false;
    x->base_uf = ixhci_now_uf();
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_reset(x, i);
        ixhci_intr_reset(x, i);
    }
    ixhci_port_reset_all(x);
    x->usbsts &= ~USBSTS_PCD;
    ixhci_service_arm(x);
    trace_ixhci_reset();
}

void ixhci_power_chip_reset(IxhciState *x)
{
    ixhci_save_forget(x);
    reset(x);
}

/* The data flows go on in the ESITs that there are now. */
static void follow_jump(ixhci_ep *ep)
{
    uint64_t now_uf = ixhci_now_uf();

    ep->flow.base_uf = ep->x->base_uf;
    if (!ep->flow.in_flow) {
        return;
    }
    ep->flow.next_uf = ixhci_sched_align(&ep->flow, ep->flow.next_uf);
    if (ep->due_uf != IXHCI_UF_NEVER && ep->due_uf > now_uf) {
        /* the TD is placed anew when it is looked at */
        ixhci_service_due(ep, now_uf);
        ixhci_service_look_again(ep);
    }
}

void ixhci_power_jump(IxhciState *x, uint64_t microframes)
{
    ixhci_service_sync(x);
    x->base_uf -= microframes;
    for_each_ep(x, follow_jump);
    await_wrap(x);
    ixhci_service_arm(x);
}

/* Rule 4. */
static void save_or_restore(IxhciState *x, uint32_t value)
{
    if (!(x->usbsts & USBSTS_HCH) || (value & USBCMD_RS)) {
        return;
    }
    if (value & (USBCMD_CSS | USBCMD_CRS)) {
        x->usbsts &= ~USBSTS_SRE;
    }
    if (value & USBCMD_CSS) {
        x->usbsts |= ixhci_save_state(x) ? 0 : USBSTS_SRE;
    }
    if (value & USBCMD_CRS) {
        x->usbsts |= ixhci_save_restore(x) ? 0 : USBSTS_SRE;
    }
}

/* xHCI 1.2 §5.3.9: and what it keeps with the capability for it only. */
static uint32_t kept_bits(const IxhciState *x)
{
    static const struct {
        uint32_t hcc2, usbcmd;
    } optional[] = {
        { HCC2_CMC, USBCMD_CME },
        { HCC2_ETC, USBCMD_ETE },
    };
    uint32_t kept = USBCMD_RW;

    for (size_t i = 0; i < ARRAY_SIZE(optional); i++) {
        kept |= x->caps.hcc2 & optional[i].hcc2 ? optional[i].usbcmd : 0;
    }
    return kept;
}

void ixhci_power_write_usbcmd(IxhciState *x, uint32_t value)
{
    uint32_t kept = kept_bits(x);
    uint32_t changed = (x->usbcmd ^ value) & kept;

    if (value & USBCMD_HCRST) {
        reset(x);
        return;
    }
    save_or_restore(x, value);
    x->usbcmd = value & kept;
    if (changed & USBCMD_RS) {
        if (value & USBCMD_RS) {
            run(x);
        } else {
            halt(x);
        }
    }
    if (changed & (USBCMD_RS | USBCMD_EWE)) {
        await_wrap(x);
    }
    if (changed & USBCMD_INTE) {
        for (unsigned i = 0; i < x->num_intrs; i++) {
            ixhci_intr_update(x, i);
        }
    }
    ixhci_service_arm(x);
}
