/*
 * Where the bytes of a packet are while it is on the bus.
 *
 *  1. A TD whose buffers are all plain RAM, and shall have all that the device
 *     may send, lends them to it: nothing is copied on the way. The packet's
 * I/O vector says what is lent, and what is lent stays where it is until it is
 *     given back, whatever becomes of the guest's memory map meanwhile.
 *  2. Every other TD passes through a buffer of the endpoint: guest memory is
 *     touched once per TRB, and a failed access is seen. So does a small TD,
 *     because to copy it costs less than to lend it.
 *  3. The buffer is at least as large as what the device may send: for a
 *     control transfer that is wLength, whatever the data stage's TRBs say. A
 *     control transfer therefore lends nothing.
 *  4. What a guest can make an endpoint keep is bounded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "isoch.h"

/* Rule 2. */
#define LENT_BYTES_MIN 1024

/* Rule 4: a buffer that is larger is given back after each TD; of a stream,
 * of which there may be many, each is. */
#define BUFFER_KEPT_BYTES 65536

static void give_back(ixhci_ep *ep)
{
    QEMUIOVector *iov = &ep->packet.iov;
    size_t written = 0;

    if (ixhci_ep_is_in(ep)) {
        written = MAX(ep->packet.actual_length, 0);
    }
    for (int i = 0; i < iov->niov; i++) {
        size_t bytes = iov->iov[i].iov_len;
        size_t now = MIN(written, bytes);

        ep->x->dma->give_back(ep->x, iov->iov[i].iov_base, bytes, now);
        written -= now;
    }
    qemu_iovec_reset(iov);
    ep->lent = false;
}

/* Rule 1. */
static bool lend(ixhci_ep *ep, uint32_t bytes)
{
    uint32_t wanted = ixhci_ep_is_isoch(ep->cfg.type)
                          ? ixhci_isoch_carried(&ep->cfg, ep->td.bytes)
                          : ep->td.bytes;

    if (ep->cfg.type == EP_TYPE_CONTROL || bytes < LENT_BYTES_MIN ||
        bytes > wanted) {
        return false;
    }
    ep->lent = true;
    for (unsigned i = 0; i < ep->td.count && bytes; i++) {
        const xhci_trb *trb = &ep->td.trbs[i].trb;
        uint32_t now = MIN(bytes, ixhci_td_trb_bytes(trb));
        void *at = NULL;

        if (!now) {
            continue;
        }
        if (!(trb->dw[3] & TRB_IDT)) {
            at = ep->x->dma->lend(ep->x, ixhci_trb_pointer(trb), now);
        }
        if (!at) {
            give_back(ep);
            return false;
        }
        usb_packet_addbuf(&ep->packet, at, now);
        bytes -= now;
    }
    return true;
}

/* Immediate Data: at most 8 bytes, says td.c. */
static void load_immediate(const xhci_trb *trb, uint32_t skip, uint8_t *at,
                           uint32_t bytes)
{
    uint32_t words[2] = { cpu_to_le32(trb->dw[0]), cpu_to_le32(trb->dw[1]) };

    memcpy(at, (uint8_t *)words + skip, MIN(bytes, sizeof(words) - skip));
}

bool ixhci_buffer_copy(IxhciState *x, const ixhci_td *td, uint32_t offset,
                       uint8_t *at, uint32_t bytes, bool to_guest)
{
    for (unsigned i = 0; i < td->count && bytes; i++) {
        const xhci_trb *trb = &td->trbs[i].trb;
        uint32_t skip = MIN(offset, ixhci_td_trb_bytes(trb));
        uint32_t now = MIN(bytes, ixhci_td_trb_bytes(trb) - skip);
        uint64_t gpa = ixhci_trb_pointer(trb) + skip;
        bool done = true;

        offset -= skip;
        if (!now) {
            continue;
        }
        if (to_guest) {
            done = x->dma->store(x, gpa, at, now);
        } else if (trb->dw[3] & TRB_IDT) {
            load_immediate(trb, skip, at, now);
        } else {
            done = x->dma->load(x, gpa, at, now);
        }
        if (!done) {
            return false;
        }
        at += now;
        bytes -= now;
    }
    return true;
}

/* Between the TD's buffers and ep->buffer. */
static bool move(ixhci_ep *ep, uint32_t bytes, bool to_guest)
{
    if (!ixhci_buffer_copy(ep->x, &ep->td, 0, ep->buffer, bytes, to_guest)) {
        ixhci_power_host_error(ep->x, IXHCI_HSE_DATA);
        return false;
    }
    return true;
}

static bool reserve(ixhci_ep *ep, size_t bytes)
{
    uint8_t *larger;

    if (ep->buffer_bytes < bytes) {
        larger = g_try_realloc(ep->buffer, bytes);
        if (!larger) {
            return false;
        }
        ep->buffer = larger;
        ep->buffer_bytes = bytes;
    }
    return true;
}

/* Rule 4. */
static void release(ixhci_ep *ep)
{
    if (ep->buffer_bytes > (ep->of ? 0 : BUFFER_KEPT_BYTES)) {
        g_free(ep->buffer);
        ep->buffer = NULL;
        ep->buffer_bytes = 0;
    }
}

/* Rule 2. */
static bool fill(ixhci_ep *ep, uint32_t room, uint32_t send)
{
    if (!reserve(ep, MAX(room, 1))) {
        return false;
    }
    usb_packet_addbuf(&ep->packet, ep->buffer, room);
    return ixhci_ep_is_in(ep) || move(ep, send, false);
}

bool ixhci_buffer_attach(ixhci_ep *ep, uint32_t room, uint32_t send)
{
    return lend(ep, room) || fill(ep, room, send);
}

bool ixhci_buffer_detach(ixhci_ep *ep, uint32_t received)
{
    bool done = true;

    if (ep->lent) {
        give_back(ep);
    } else {
        done = move(ep, received, true);
        release(ep);
    }
    return done;
}
