/*
 * The command ring (xHCI 1.2 §4.6, §4.9.3).
 *
 *  1. Commands run one at a time, in order, and each gives exactly one Command
 *     Completion Event that names its TRB.
 *  2. What a command is, is a row: type, the work, whether it names an
 *     enabled slot, and the capability it needs. A type without a row is a TRB
 *     Error, and the ring goes on.
 *  3. CRR is set by the first doorbell and cleared by a stop, an abort or R/S.
 *     While it is set the pointer cannot be written (§5.4.5).
 *  4. The walk is bounded; Link TRBs that lead nowhere are an internal error.
 *  5. A command that takes time keeps the ring from the next one. A stop waits
 *     for its end (§4.6.1.1), an abort ends it (§4.6.1.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

/* Rule 4. */
#define COMMANDS_PER_TURN 256 /* a ring of one page */
#define LINKS_IN_A_ROW 16

static unsigned no_op(IxhciState *x, ixhci_command *c)
{
    return CC_SUCCESS;
}

static ixhci_ep *find_ep(IxhciState *x, const ixhci_command *c)
{
    unsigned dci = xhci_get(c->trb.dw[3], TRB_EP_ID);

    return ixhci_slot_get(x, c->slot_id)->eps[dci];
}

/* xHCI 1.2 §4.6.8: the model keeps no toggle, so that TSP changes nothing. */
static unsigned reset_endpoint(IxhciState *x, ixhci_command *c)
{
    ixhci_ep *ep = find_ep(x, c);

    return ep ? ixhci_endpoint_unhalt(ep) : CC_CONTEXT_STATE_ERROR;
}

static unsigned stop_endpoint(IxhciState *x, ixhci_command *c)
{
    ixhci_ep *ep = find_ep(x, c);

    return ep ? ixhci_endpoint_stop(ep) : CC_CONTEXT_STATE_ERROR;
}

static unsigned set_tr_dequeue(IxhciState *x, ixhci_command *c)
{
    uint64_t pointer = ixhci_trb_pointer(&c->trb) & ~UINT64_C(0xe);
    ixhci_ep *ep = find_ep(x, c);

    if (!ep) {
        return CC_CONTEXT_STATE_ERROR;
    }
    if (!(pointer & ~UINT64_C(1))) {
        return CC_TRB_ERROR;
    }
    return ixhci_endpoint_set_dequeue(ep, pointer,
                                      xhci_get(c->trb.dw[2], TRB_STREAM_ID),
                                      xhci_get(c->trb.dw[0], TRB_SCT));
}

/*
 * xHCI 1.2 §4.6.16: a header on the link of a USB3 port. What devices are made
 * of here begins above the link: none of them notices it.
 */
static unsigned force_header(IxhciState *x, ixhci_command *c)
{
    unsigned port_id = xhci_get(c->trb.dw[3], TRB_ROOT_PORT);
    unsigned type = xhci_get(c->trb.dw[0], TRB_PACKET_TYPE);

    if (port_id < 1 || port_id > x->num_ports ||
        !x->ports[port_id - 1].is_usb3 ||
        (type != USB3_LINK_MANAGEMENT && type != USB3_TRANSACTION)) {
        return CC_TRB_ERROR;
    }
    if (!ixhci_port_carries(x, port_id)) {
        return CC_USB_TRANSACTION_ERROR; /* nobody acknowledges it */
    }
    trace_ixhci_force_header(port_id, c->trb.dw[0], c->trb.dw[1], c->trb.dw[2]);
    return CC_SUCCESS;
}

/* Rule 2. */
typedef struct {
    uint8_t type;
    bool names_slot;
    uint32_t hcc1; /* the capability without which there is no such type */
    unsigned (*run)(IxhciState *x, ixhci_command *c);
} command_row;

static const command_row commands[] = {
    { CMD_ENABLE_SLOT, false, 0, ixhci_command_enable_slot },
    { CMD_DISABLE_SLOT, true, 0, ixhci_command_disable_slot },
    { CMD_ADDRESS_DEVICE, true, 0, ixhci_command_address_device },
    { CMD_CONFIGURE_ENDPOINT, true, 0, ixhci_command_configure_endpoint },
    { CMD_EVALUATE_CONTEXT, true, 0, ixhci_command_evaluate_context },
    { CMD_RESET_ENDPOINT, true, 0, reset_endpoint },
    { CMD_STOP_ENDPOINT, true, 0, stop_endpoint },
    { CMD_SET_TR_DEQUEUE, true, 0, set_tr_dequeue },
    { CMD_RESET_DEVICE, true, 0, ixhci_command_reset_device },
    { CMD_GET_PORT_BANDWIDTH, false, 0, ixhci_command_get_port_bandwidth },
    { CMD_NEGOTIATE_BANDWIDTH, true, HCC1_BNC,
      ixhci_command_negotiate_bandwidth },
    { CMD_FORCE_HEADER, false, 0, force_header },
    { CMD_NOOP, false, 0, no_op },
};

static unsigned run_row(IxhciState *x, const command_row *row, ixhci_command *c)
{
    if ((x->caps.hcc1 & row->hcc1) != row->hcc1) {
        return CC_TRB_ERROR;
    }
    if (row->names_slot) {
        c->slot_id = xhci_get(c->trb.dw[3], TRB_SLOT_ID);
        if (c->slot_id == 0 || c->slot_id > x->num_slots) {
            return CC_TRB_ERROR;
        }
        if (!ixhci_slot_get(x, c->slot_id)) {
            return CC_SLOT_NOT_ENABLED;
        }
    }
    return row->run(x, c);
}

static unsigned table_run(IxhciState *x, ixhci_command *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].type == xhci_get(c->trb.dw[3], TRB_TYPE)) {
            return run_row(x, &commands[i], c);
        }
    }
    return CC_TRB_ERROR;
}

const ixhci_command_ops ixhci_command_table = {
    .run = table_run,
};

static void complete(IxhciState *x, unsigned cc)
{
    x->command_runs = false;
    trace_ixhci_command(x->command_gpa,
                        xhci_get(x->command.trb.dw[3], TRB_TYPE),
                        x->command.slot_id, cc);
    ixhci_event_post_command(x, x->command_gpa, cc, x->command.slot_id);
}

static void execute(IxhciState *x, const xhci_trb *trb, uint64_t gpa)
{
    unsigned cc;

    if (x->strict) {
        ixhci_strict_command(x, trb, gpa);
    }
    x->command = (ixhci_command){ .trb = *trb };
    x->command_gpa = gpa;
    x->command_serial++;
    x->command_runs = true;
    cc = x->commands->run(x, &x->command);
    if (cc != CC_INVALID) {
        complete(x, cc);
    }
}

void ixhci_command_doorbell(IxhciState *x)
{
    unsigned links = 0;
    xhci_trb trb;

    x->command_waits = false;
    if (!ixhci_is_running(x) || x->command_runs) {
        return; /* rule 5: its end looks at the ring */
    }
    x->crr = true;
    for (unsigned run = 0; run < COMMANDS_PER_TURN && x->crr;) {
        uint64_t gpa = x->command_ring.dequeue_gpa;

        if (!ixhci_is_running(x) || x->command_runs) {
            return;
        }
        if (!ixhci_event_has_room(x)) {
            break;
        }
        switch (
            ixhci_ring_fetch(&x->command_ring, ixhci_dma_load_trb, x, &trb)) {
        case IXHCI_RING_EMPTY:
            return;
        case IXHCI_RING_DMA_ERROR:
            ixhci_power_host_error(x, IXHCI_HSE_COMMAND_RING);
            return;
        case IXHCI_RING_TRB:
            break;
        }
        ixhci_ring_advance(&x->command_ring, &trb);
        if (!ixhci_trb_is_link(&trb)) {
            links = 0;
            run++;
            execute(x, &trb, gpa);
        } else if (++links > LINKS_IN_A_ROW) {
            ixhci_power_host_error(x, IXHCI_HCE_COMMAND_RING_LOOP);
            return;
        }
    }
    x->command_waits = x->crr;
    ixhci_service_pause(x);
    ixhci_service_arm(x);
}

/* xHCI 1.2 §4.6.1.1: between two commands. */
static void stop_ring(IxhciState *x)
{
    x->crr = false;
    x->command_waits = false;
    x->command_stops = false;
    x->crcr_hi_is_old = true;
    ixhci_event_post_command(x, x->command_ring.dequeue_gpa,
                             CC_COMMAND_RING_STOPPED, 0);
}

/* Rule 5. */
static void stop_or_abort(IxhciState *x, bool aborts)
{
    x->crcr_hi_is_old = true;
    if (x->command_runs && !aborts) {
        x->command_stops = true;
        return;
    }
    if (x->command_runs) {
        complete(x, CC_COMMAND_ABORTED);
    }
    stop_ring(x);
}

/* The command that takes time is done. */
void ixhci_command_end(IxhciState *x, unsigned cc)
{
    if (!x->command_runs) {
        return;
    }
    complete(x, cc);
    if (x->command_stops) {
        stop_ring(x);
    } else {
        ixhci_command_doorbell(x);
    }
}

void ixhci_command_write_crcr_lo(IxhciState *x, uint32_t value)
{
    x->crcr_hi_is_old = false;
    if (x->crr) {
        if (value & (CRCR_CS | CRCR_CA)) {
            stop_or_abort(x, value & CRCR_CA);
        }
        return;
    }
    x->command_ring.dequeue_gpa =
        deposit64(x->command_ring.dequeue_gpa, 0, 32, value & ~0x3fu);
    x->command_ring.ccs = value & CRCR_RCS;
}

/* The other half of a write that stopped the ring is not a new pointer. */
void ixhci_command_write_crcr_hi(IxhciState *x, uint32_t value)
{
    if (!x->crr && !x->crcr_hi_is_old) {
        x->command_ring.dequeue_gpa =
            deposit64(x->command_ring.dequeue_gpa, 32, 32, value);
    }
    x->crcr_hi_is_old = false;
}
