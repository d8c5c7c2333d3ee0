/*
 * Power states of a link that is enabled: U1 and U2 of USB3, L1 of USB2, and
 * the port registers that control them (xHCI 1.2 §4.23.5, §5.4.9 to §5.4.11).
 *
 *  1. What hardware enters by itself (U1, U2, and L1 with HLE) is entered by a
 *     link that has been idle for long enough, and left for the next packet.
 *     Nobody is woken up for that: which state it is is worked out when
 *     software reads it, or when the next packet comes. PLC tells of none.
 *  2. L1 that software asks for (PLS = 2) is in PORTSC. The answer to the LPM
 *     transaction is in L1S; unless it is Success, the link is still in U0 and
 *     PLC says that it was rejected. Software ends it (PLS = 0), or the device
 *     does if RWE lets it; PLC tells when the resume is over.
 *  3. QEMU's USB has no LPM transaction. What the device would answer is known
 *     nevertheless: nobody answers if the L1 Device Slot is not that of a
 *     device here; it is Not Supported for a device whose descriptors do not
 *     say LPM, Not Yet while it holds a transfer, and else Success.
 *  4. A packet that is due while its link is in L1 waits for the end of the
 *     resume: in L1 of rule 1 the controller begins it, in L1 of rule 2 it is
 *     somebody else's turn. A periodic packet finds the link up: the
 *     controller knows when it is due and begins early enough.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lpm.h"
#include "port.h"
#include "trace-hw_xhci.h"

#include "hw/usb/desc.h"

/* xHCI 1.2 §5.4.9: U1/U2 timeouts and FLA; RWE, BESL, L1 Device Slot, and,
 * with HLC, HLE (§5.4.9.2). */
#define PMSC_USB3_RW 0x0001ffffu
#define PMSC_USB2_RW 0xf000fff8u
#define HLPMC_RW 0x00003fffu

/* A device's own resume: USB 2.0 LPM, TL1DevDrvResume is within a microframe */
#define DEVICE_RESUME_UF 1

/* USB 2.0 LPM §2.3, rule 3: QEMU's descriptor code makes a BOS for devices
 * that have high speed, and it says LPM; only from 2.01 on is there a BOS. */
static bool has_lpm(USBDevice *dev)
{
    const USBDesc *desc = usb_device_get_usb_desc(dev);

    return dev->device && dev->device->bcdUSB >= 0x0201 && desc && desc->high;
}

static bool holds_packet(const ixhci_slot *slot)
{
    const ixhci_ep *stream;

    for (unsigned dci = 1; dci <= IXHCI_MAX_DCI; dci++) {
        const ixhci_ep *ep = slot->eps[dci];

        if (!ep) {
            continue;
        }
        if (ep->wait == IXHCI_WAIT_PACKET) {
            return true;
        }
        QTAILQ_FOREACH (stream, &ep->streams, sibling) {
            if (stream->wait == IXHCI_WAIT_PACKET) {
                return true;
            }
        }
    }
    return false;
}

/* Rule 3: L1S of an LPM transaction now. */
static unsigned lpm_answer(IxhciState *x, const ixhci_port *port)
{
    const ixhci_slot *slot =
        ixhci_slot_get(x, xhci_get(port->portpmsc, PORTPMSC_L1DS));
    USBDevice *dev = ixhci_port_device(port);

    if (!dev || !slot || slot->uport != port->uport ||
        slot->cfg.root_port != port->port_id || slot->cfg.route) {
        return L1S_TIMEOUT;
    }
    if (!has_lpm(dev)) {
        return L1S_NOT_SUPPORTED;
    }
    return holds_packet(slot) ? L1S_NOT_YET : L1S_SUCCESS;
}

/* Of the end of the last packet, or of the resume for the next one. */
static uint64_t idle_uf(const ixhci_port *port)
{
    uint64_t now_uf = ixhci_now_uf();

    return now_uf > port->used_uf ? now_uf - port->used_uf : 0;
}

/* Rule 1. */
static bool is_in_hardware_l1(IxhciState *x, const ixhci_port *port)
{
    return !port->is_usb3 && ixhci_port_link_state(port) == PLS_U0 &&
           (port->portsc & PORTSC_PED) && (port->portpmsc & PORTPMSC_HLE) &&
           idle_uf(port) >= ixhci_lpm_l1_timeout_uf(port->porthlpmc) &&
           lpm_answer(x, port) == L1S_SUCCESS;
}

static bool is_resuming(const ixhci_port *port)
{
    return port->up_uf > ixhci_now_uf();
}

void ixhci_link_up(ixhci_port *port)
{
    port->used_uf = ixhci_now_uf();
    port->up_uf = 0;
}

/* xHCI 1.2 §5.4.9.1, §5.4.10: what a reset of the port sets to 0. */
void ixhci_link_clear(ixhci_port *port)
{
    if (port->is_usb3) {
        port->portpmsc = 0;
        port->portli = 0;
    }
}

unsigned ixhci_link_shown(IxhciState *x, const ixhci_port *port)
{
    if (ixhci_port_link_state(port) != PLS_U0) {
        return ixhci_port_link_state(port);
    }
    if (port->is_usb3) {
        return ixhci_lpm_usb3_state(port->portpmsc, idle_uf(port) * 125);
    }
    return is_resuming(port) || is_in_hardware_l1(x, port) ? PLS_U2 : PLS_U0;
}

static bool has_blc(const IxhciState *x)
{
    return x->caps.usb2_protocol & XECP_BLC;
}

/* Rule 2: the end of L1 begins. */
static void begin_resume(IxhciState *x, ixhci_port *port, uint64_t length_uf)
{
    if (port->done_uf == IXHCI_UF_NEVER) {
        port->done_uf = ixhci_now_uf() + length_uf;
        ixhci_service_arm(x);
    }
}

void ixhci_link_resumed(IxhciState *x, ixhci_port *port)
{
    port->done_uf = IXHCI_UF_NEVER;
    ixhci_port_set_link_state(port, PLS_U0);
    ixhci_link_up(port);
    ixhci_port_change(x, port, PORTSC_PLC);
    ixhci_slot_port_up(x, port->port_id);
}

/* xHCI 1.2 §4.23.5.1.1: only a link that is not the hardware's to send. */
static void enter_l1(IxhciState *x, ixhci_port *port)
{
    unsigned answer = lpm_answer(x, port);

    port->portpmsc = xhci_set(port->portpmsc, PORTPMSC_L1S, answer);
    trace_ixhci_port_l1(port->port_id, answer);
    if (answer == L1S_SUCCESS) {
        ixhci_port_set_link_state(port, PLS_U2);
    } else {
        ixhci_port_change(x, port, PORTSC_PLC);
    }
}

bool ixhci_link_write_l1(IxhciState *x, ixhci_port *port, unsigned pls)
{
    unsigned state = ixhci_port_link_state(port);

    if (port->is_usb3 || !(port->portsc & PORTSC_PED) ||
        (port->portsc & PORTSC_PR)) {
        return false;
    }
    if (state == PLS_U0 && pls == PLS_U2) {
        if (!(port->portpmsc & PORTPMSC_HLE)) {
            enter_l1(x, port);
        }
        return true;
    }
    if (state == PLS_U2 && pls == PLS_U0) {
        begin_resume(x, port,
                     ixhci_lpm_resume_uf(port->portpmsc, port->porthlpmc,
                                         has_blc(x), false));
        return true;
    }
    return state == PLS_U2;
}

/* Rule 4: when a packet can pass; NEVER: that is not known. */
uint64_t ixhci_port_wake(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!port->is_usb3 && ixhci_port_link_state(port) == PLS_U2) {
        return IXHCI_UF_NEVER;
    }
    if (is_in_hardware_l1(x, port) && !is_resuming(port)) {
        port->up_uf = ixhci_now_uf() + ixhci_lpm_resume_uf(port->portpmsc,
                                                           port->porthlpmc,
                                                           has_blc(x), true);
        port->used_uf = port->up_uf;
    }
    return port->up_uf;
}

/* USB 2.0 LPM: the device has something to say. In L1 of rule 1 it is heard in
 * any case: where RWE is 0 the host comes and asks. */
void ixhci_port_device_wakes(IxhciState *x, unsigned port_id)
{
    ixhci_port *port = &x->ports[port_id - 1];

    if (!port->is_usb3 && ixhci_port_link_state(port) == PLS_U2 &&
        (port->portpmsc & PORTPMSC_RWE)) {
        begin_resume(x, port, DEVICE_RESUME_UF);
    } else if (is_in_hardware_l1(x, port) && (port->portpmsc & PORTPMSC_RWE)) {
        port->up_uf = ixhci_now_uf() + DEVICE_RESUME_UF;
        port->used_uf = port->up_uf;
    }
}

void ixhci_port_used(IxhciState *x, unsigned port_id)
{
    x->ports[port_id - 1].used_uf = ixhci_now_uf();
}

uint32_t ixhci_link_read(IxhciState *x, const ixhci_port *port, unsigned reg)
{
    switch (reg) {
    case XHCI_PORTPMSC:
        return is_in_hardware_l1(x, port)
                   ? xhci_set(port->portpmsc, PORTPMSC_L1S, L1S_SUCCESS)
                   : port->portpmsc;
    case XHCI_PORTLI:
        return port->portli; /* one lane: RLC and TLC are 0 */
    default:
        return port->porthlpmc;
    }
}

void ixhci_link_write(IxhciState *x, ixhci_port *port, unsigned reg,
                      uint32_t value)
{
    bool hlc = x->caps.usb2_protocol & XECP_HLC;
    uint32_t pmsc_rw =
        port->is_usb3 ? PMSC_USB3_RW : PMSC_USB2_RW | (hlc ? PORTPMSC_HLE : 0);

    switch (reg) {
    case XHCI_PORTPMSC:
        if (!port->is_usb3 && (value & PORTPMSC_HLE & ~port->portpmsc)) {
            ixhci_link_up(port); /* idle from now on */
        }
        port->portpmsc = (port->portpmsc & ~pmsc_rw) | (value & pmsc_rw);
        break;
    case XHCI_PORTLI:
        /* xHCI 1.2 §5.4.10.1: RW since 1.1 */
        if (port->is_usb3 && x->caps.hciversion >= 0x0110) {
            port->portli = xhci_get(value, PORTLI_ERRORS);
        }
        break;
    default:
        /* xHCI 1.2 §5.4.11.2: with BESL there is a choice to make */
        if (!port->is_usb3 && has_blc(x)) {
            port->porthlpmc = value & HLPMC_RW;
        }
        break;
    }
}
