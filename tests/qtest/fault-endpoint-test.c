/*
 * Faults beside the TD, on each type and direction of endpoint: what a Stop
 * Endpoint Command says about it, an event ring that is full or has lost the
 * TD's event, a transaction that is tried again after a soft retry, and one
 * that fails behind a transaction translator; its TRBs and its data, which
 * cannot be read or written (xHCI 1.2 §4.6.8, §4.6.9, §4.9.4, §4.10.2.6,
 * §6.4.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"
#include "lib/hub.h"

typedef struct {
    const char *name;
    void (*run)(const void *data);
    const char *code; /* by the plan; or the memory that is meant */
    unsigned cc;
    bool queued_only; /* isochronous TDs do not wait, and have no second try */
    bool but_control;
} fault_row;

/* A row on one endpoint. */
typedef struct {
    const fault_row *row;
    unsigned which;
} fault_case;

typedef struct {
    Hcd *h;
    HcdDev *dev;
    const HcdPuppetEp *pe;
    unsigned which, dci;
    unsigned td; /* ordinal of the first that is queued here */
} endpoint;

static endpoint open_endpoint(const fault_case *c)
{
    endpoint e = { .which = c->which, .pe = &hcd_puppet_eps[c->which] };

    e.dci = e.pe->ep.dci;
    e.h = hcd_start(.puppet = true);
    e.dev = hcd_puppet_open_ep(e.h, c->which);
    e.td = e.dci == 1 ? 2 : 1; /* behind SET_CONFIGURATION */
    return e;
}

/* The same at full speed, behind a hub. */
static endpoint open_behind_tt(const fault_case *c, HcdDev **hub)
{
    endpoint e = { .which = c->which, .pe = &hcd_puppet_eps[c->which] };
    HcdEp ep = e.pe->ep;

    e.dci = ep.dci;
    e.h = hcd_start(.args = HUB_PUPPET_ARGS, .puppet_in_args = true);
    *hub = hub_open(e.h);
    e.dev = hub_puppet_configured(e.h, *hub);
    e.td = e.dci == 1 ? 2 : 1;
    if (e.dci != 1) {
        ep.mps = MIN(ep.mps, e.pe->bytes); /* bulk has at most 64 */
        hcd_ep_add_with(e.h, e.dev, ep);
    }
    return e;
}

static bool is_isoch(const endpoint *e)
{
    return e->which == PUPPET_EP_ISOCH_IN || e->which == PUPPET_EP_ISOCH_OUT;
}

static HcdPuppetTd queue(endpoint *e)
{
    return hcd_puppet_queue(e->h, e->dev, e->which);
}

static void doorbell(endpoint *e)
{
    hcd_ring_ep(e->h, e->dev, e->dci);
}

static void expect_good(endpoint *e, HcdPuppetTd td)
{
    hcd_expect_te(e->h, .dev = e->dev, .dci = e->dci, .cc = CC_SUCCESS,
                  .ptr = td.last, .len = HCD_LEN_0);
}

static void check_state(endpoint *e, unsigned want)
{
    unsigned state = hcd_ep_state(e->h, e->dev, e->dci);

    hcd_check(state == want, "the endpoint is in state %u, expected %u", state,
              want);
}

/* usb-puppet has had so many TDs; it does not count GET_DESCRIPTOR. */
static void check_device(endpoint *e, unsigned tds)
{
    uint64_t bytes = hcd_puppet_count(e->h, e->pe->in ? "sent" : "received");

    hcd_check(e->which == PUPPET_EP_CONTROL_IN || bytes == tds * e->pe->bytes,
              "the device has had %" PRIu64 " bytes, expected %u", bytes,
              tds * e->pe->bytes);
}

/* Nothing is served until the doorbell, and then what was queued is. */
static void starts_again(endpoint *e, HcdPuppetTd td)
{
    check_state(e, EP_STATE_STOPPED);
    hcd_expect_quiet(e->h, 80);
    doorbell(e);
    expect_good(e, td);
    check_state(e, EP_STATE_RUNNING);
}

/* Between TDs; or the plan has the driver told that it was in one, or in one
 * that was short, with a length. */
static void stopped(const void *data)
{
    const fault_case *c = data;
    endpoint e = open_endpoint(c);
    HcdPuppetTd td;
    uint64_t next;

    fault_rule(e.h,
               "'where': {'event': 'transfer', 'endpoint': %u, 'code': "
               "'stopped-length-invalid'}, 'action': 'event-code', 'with': "
               "{'code': '%s', 'length': 10}",
               e.dci / 2, c->row->code);
    td = queue(&e);
    doorbell(&e);
    expect_good(&e, td);
    if (is_isoch(&e)) {
        hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci,
                      .cc = e.pe->in ? CC_RING_OVERRUN : CC_RING_UNDERRUN);
    }
    next = hcd_ring_next(&e.dev->ring[e.dci]);
    hcd_expect_cc(hcd_cmd_stop(e.h, e.dev, e.dci), CC_SUCCESS);
    hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci, .cc = c->row->cc,
                  .ptr = next, .len = 10);
    fault_expect(e.h, "'action':'event-code'", 1);
    starts_again(&e, queue(&e));
    check_device(&e, 2);
    hcd_finish(e.h);
}

/* In a TD that the device does not answer: its first TRB, all of it. */
static void stopped_inside(const void *data)
{
    endpoint e = open_endpoint(data);
    HcdPuppetTd td;

    fault_rule(e.h,
               "'where': {'endpoint': %u, 'td': %u}, 'action': 'nak', 'with': "
               "{'microframes': 40}",
               e.dci / 2, e.td);
    td = queue(&e);
    doorbell(&e);
    hcd_expect_quiet(e.h, 10);
    hcd_expect_cc(hcd_cmd_stop(e.h, e.dev, e.dci), CC_SUCCESS);
    hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci, .cc = CC_STOPPED,
                  .ptr = td.first, .len = e.dci == 1 ? 8 : e.pe->bytes);
    starts_again(&e, td);
    check_device(&e, 1);
    fault_expect(e.h, "'action':'nak'", 1);
    hcd_finish(e.h);
}

enum { FULL_UF = 40, TDS = 10 };

/* Events and rings wait; TDs too, or, isochronous, they are missed, each. */
static void ring_full(const void *data)
{
    endpoint e = open_endpoint(data);
    HcdPuppetTd td[TDS];
    unsigned missed = 0;
    HcdEvent event;

    fault_rule(e.h,
               "'where': {'event': 'transfer', 'endpoint': %u, 'td': %u}, "
               "'action': 'event-ring-full', 'with': {'microframes': %u}",
               e.dci / 2, e.td + 1, FULL_UF);
    for (unsigned i = 0; i < TDS; i++) {
        td[i] = queue(&e);
    }
    doorbell(&e);
    expect_good(&e, td[0]);
    event = hcd_expect_type(e.h, EVT_HOST_CONTROLLER);
    hcd_expect_cc(event.cc, CC_EVENT_RING_FULL);
    hcd_expect_quiet(e.h, FULL_UF - 4);
    check_device(&e, 2); /* nor is it asked for more */
    expect_good(&e, td[1]);
    for (unsigned i = 2; i < TDS; i++) {
        event = hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci,
                              .ptr = td[i].last, .cc = CC_SUCCESS,
                              .cc2 = is_isoch(&e) ? CC_MISSED_SERVICE : 0);
        missed += event.cc == CC_MISSED_SERVICE;
    }
    hcd_check(missed == (is_isoch(&e) ? FULL_UF / 8 - 1 : 0),
              "%u TDs were missed", missed);
    hcd_expect_cc(event.cc, CC_SUCCESS);
    check_device(&e, TDS - missed);
    check_state(&e, EP_STATE_RUNNING);
    hcd_finish(e.h);
}

/* What is left of the controller, or was given up, is reset, and works. */
static void works_after_reset(endpoint *e)
{
    HcdPuppetTd td;

    hcd_reset(e->h);
    hcd_init(e->h);
    hcd_event_drain(e->h);
    e->dev = hcd_puppet_open_ep(e->h, e->which);
    td = queue(e);
    doorbell(e);
    expect_good(e, td);
    hcd_finish(e->h);
}

/* The TD was done, and all after it are; a driver that gives the controller up
 * for it gets a new one. */
static void event_lost(const void *data)
{
    endpoint e = open_endpoint(data);
    HcdPuppetTd td[3];
    HcdEvent event;

    fault_rule(e.h,
               "'where': {'event': 'transfer', 'endpoint': %u, 'td': %u}, "
               "'action': 'event-lost'",
               e.dci / 2, e.td + 1);
    for (unsigned i = 0; i < 3; i++) {
        td[i] = queue(&e);
    }
    doorbell(&e);
    expect_good(&e, td[0]);
    event = hcd_expect_type(e.h, EVT_HOST_CONTROLLER);
    hcd_expect_cc(event.cc, CC_EVENT_LOST);
    expect_good(&e, td[2]);
    check_device(&e, 3);
    check_state(&e, EP_STATE_RUNNING);
    works_after_reset(&e);
}

/* The TRB cannot be read, or the data not be moved, of the second TD: the
 * controller is dead (xHCI 1.2 §4.10.2.6). */
static void dma_error(const void *data)
{
    const fault_case *c = data;
    endpoint e = open_endpoint(c);
    bool writes = e.pe->in && g_str_equal(c->row->code, "data");
    HcdPuppetTd td[2];
    uint32_t usbsts;

    fault_rule(e.h,
               "'where': {'memory': '%s', 'endpoint': %u, 'td': %u}, "
               "'action': 'dma-%s-error'",
               c->row->code, e.dci / 2, e.td + 1, writes ? "write" : "read");
    td[0] = queue(&e);
    td[1] = queue(&e);
    doorbell(&e);
    expect_good(&e, td[0]);
    hcd_expect_quiet(e.h, 20);
    usbsts = hcd_op_read(e.h, XHCI_USBSTS);
    hcd_check((usbsts & (USBSTS_HSE | USBSTS_HCH)) == (USBSTS_HSE | USBSTS_HCH),
              "USBSTS is %08x", usbsts);
    hcd_check(hcd_mem_is(e.h, td[1].buf, e.pe->bytes + PUPPET_BEYOND, 0xaa),
              "the buffer was written");
    doorbell(&e);
    hcd_expect_quiet(e.h, 80);
    fault_plan(e.h, "%s", "");
    works_after_reset(&e);
}

/* A TRB that is fetched half written is none: TRB Error, and no wild DMA. When
 * it is whole the driver points at it again. */
static void torn_trb(const void *data)
{
    endpoint e = open_endpoint(data);
    HcdPuppetTd td;

    fault_rule(e.h,
               "'where': {'memory': 'transfer-ring', 'endpoint': %u, 'td': "
               "%u}, 'when': {'nth': 1}, 'action': 'torn-trb'",
               e.dci / 2, e.td);
    td = queue(&e);
    doorbell(&e);
    hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci, .cc = CC_TRB_ERROR,
                  .ptr = td.first);
    check_state(&e, EP_STATE_ERROR);
    hcd_check(hcd_mem_is(e.h, td.buf, e.pe->bytes, 0xaa),
              "the buffer was written");
    hcd_expect_cc(hcd_cmd_set_dequeue(e.h, e.dev, e.dci, td.first, true),
                  CC_SUCCESS);
    starts_again(&e, td);
    check_device(&e, 1);
    hcd_finish(e.h);
}

/* Reset Endpoint with TSP: the TD that failed is where the ring goes on. */
static void soft_retry(const void *data)
{
    endpoint e = open_endpoint(data);
    HcdPuppetTd td[2];

    fault_rule(e.h,
               "'where': {'endpoint': %u, 'td': %u}, 'when': {'count': 3}, "
               "'action': 'silence'",
               e.dci / 2, e.td);
    td[0] = queue(&e);
    td[1] = queue(&e);
    doorbell(&e);
    hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci, .ptr = td[0].last,
                  .cc = CC_USB_TRANSACTION_ERROR, .len = e.pe->bytes);
    check_state(&e, EP_STATE_HALTED);
    hcd_expect_cc(
        hcd_cmd_simple(e.h, CMD_RESET_ENDPOINT, e.dev->slot_id, e.dci, TRB_TSP),
        CC_SUCCESS);
    starts_again(&e, td[0]);
    expect_good(&e, td[1]);
    check_device(&e, 2);
    hcd_finish(e.h);
}

/* USB 2.0 §11.24.2.3: the driver clears the TT's buffer, too. */
static void clear_tt(endpoint *e, HcdDev *hub)
{
    HcdSetup clear = { .type = 0x23, .request = 8, .index = 1 };

    check_state(e, EP_STATE_HALTED);
    doorbell(e);
    hcd_expect_quiet(e->h, 80);
    hcd_expect_cc(hub_request(e->h, hub, clear), CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_reset_ep(e->h, e->dev, e->dci), CC_SUCCESS);
    hcd_cmd_skip_all(e->h, e->dev, e->dci);
    starts_again(e, queue(e));
}

/* The transaction that got no answer is the split one, and the log says so. */
static void split_silence(const void *data)
{
    HcdDev *hub;
    endpoint e = open_behind_tt(data, &hub);
    HcdPuppetTd td[2];

    fault_rule(e.h,
               "'where': {'slot': %u, 'endpoint': %u, 'td': %u}, 'action': "
               "'silence'",
               e.dev->slot_id, e.dci / 2, e.td);
    td[0] = queue(&e);
    td[1] = queue(&e);
    doorbell(&e);
    hcd_expect_te(e.h, .dev = e.dev, .dci = e.dci, .ptr = td[0].data,
                  .cc = CC_SPLIT_TRANSACTION, .len = e.pe->bytes);
    fault_expect(e.h, "'code':36,", is_isoch(&e) ? 1 : 3);
    if (is_isoch(&e)) {
        check_state(&e, EP_STATE_RUNNING);
        expect_good(&e, td[1]);
    } else {
        clear_tt(&e, hub);
    }
    check_device(&e, 1);
    hcd_finish(e.h);
}

static const fault_row rows[] = {
    { "FP-04/soft-retry", soft_retry, .queued_only = true,
      .but_control = true },
    { "FP-05/torn-trb", .run = torn_trb },
    { "FP-21/ring-full", .run = ring_full },
    { "FP-26/event-code", stopped, "stopped", .cc = CC_STOPPED },
    { "FP-26/in-a-td", stopped_inside, .queued_only = true },
    { "FP-27/event-code", stopped, "stopped-length-invalid",
      .cc = CC_STOPPED_LENGTH_INVALID },
    { "FP-28/event-code", stopped, "stopped-short-packet",
      .cc = CC_STOPPED_SHORT_PACKET },
    { "FP-32/event-lost", .run = event_lost },
    { "FP-36/silence", .run = split_silence },
    { "OP-18/transfer-ring", dma_error, .code = "transfer-ring" },
    { "OP-18/data", dma_error, .code = "data" },
};

static bool is_for(const fault_row *row, unsigned ep)
{
    bool isoch = ep == PUPPET_EP_ISOCH_IN || ep == PUPPET_EP_ISOCH_OUT;
    bool control = ep == PUPPET_EP_CONTROL_IN || ep == PUPPET_EP_CONTROL_OUT;

    return !(row->queued_only && isoch) && !(row->but_control && control);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned ep = 0; ep < PUPPET_EPS; ep++) {
            fault_case *c = g_new0(fault_case, 1);
            g_autofree char *name =
                g_strdup_printf("%s/%s", rows[i].name, hcd_puppet_eps[ep].name);

            *c = (fault_case){ .row = &rows[i], .which = ep };
            if (is_for(&rows[i], ep)) {
                hcd_test_add_data(name, rows[i].run, c);
            }
        }
    }
    return hcd_test_main(argc, argv);
}
