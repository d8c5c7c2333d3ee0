/*
 * Faults of ports and of the controller as a whole (xHCI 1.2 §4.19, §4.10.2.6,
 * §5.4): what the registers show, and that a driver gets the device, or the
 * controller, back in the way that the specification gives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"
#include "lib/iso.h"

#define TABLET_ARGS "-device usb-tablet,id=tablet,bus=xhci.0 "
#define SETTLE_UF 1600

#define check_bits(h, port_id, mask, value)                                    \
    do {                                                                       \
        uint32_t portsc_ = hcd_portsc(h, port_id);                             \
        hcd_check((portsc_ & (mask)) == (uint32_t)(value),                     \
                  "PORTSC of port %u is %08x; of the bits %08x expected %08x", \
                  port_id, portsc_, (uint32_t)(mask), (uint32_t)(value));      \
    } while (0)

static uint32_t pls(unsigned state)
{
    return xhci_set(0, PORTSC_PLS, state);
}

#define PLS_MASK 0x1e0u

static uint64_t run_uf(Hcd *h)
{
    return hcd_now_uf(h);
}

/* A microframe since R/S that is a little ahead, from the plan's read-back. */
static unsigned soon(Hcd *h)
{
    static const char key[] = "\"microframe\":";
    g_autofree char *plan = NULL;
    const char *at;

    fault_plan(h, "{'rules': []}");
    plan = fault_get(h, "fault-plan");
    at = strstr(plan, key);
    hcd_check(at, "no microframe in %s", plan);
    return at ? g_ascii_strtoull(at + strlen(key), NULL, 10) + 16 : 0;
}

static unsigned usb2_device(Hcd *h)
{
    unsigned port_id = hcd_port_connected(h, 0);

    hcd_check(port_id, "no port shows the device");
    hcd_port_reset(h, port_id);
    hcd_step_uf(h, SETTLE_UF);
    hcd_event_drain(h);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    check_bits(h, port_id, PORTSC_PED, PORTSC_PED);
    return port_id;
}

static void expect_psce(Hcd *h, unsigned port_id, uint64_t within)
{
    HcdEvent event;

    hcd_check(hcd_event_wait(h, within, &event), "there is no event");
    hcd_check(event.type == EVT_PORT_STATUS_CHANGE && event.port_id == port_id,
              "%s", hcd_event_text(&event));
}

/* Pulled out at a microframe, and put back. */
static void unplug_clock(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = usb2_device(h), at = soon(h);
    uint64_t began = run_uf(h), gone;

    fault_rule(h,
               "'where': {'port': %u, 'microframe': %u}, 'action': "
               "'unplug', 'with': {'microframes': 40}",
               port_id, at);
    expect_psce(h, port_id, 24);
    gone = run_uf(h);
    hcd_check(gone - began >= 15 && gone - began <= 18,
              "it left after %" PRIu64 " microframes", gone - began);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_PED | PORTSC_CSC, PORTSC_CSC);
    hcd_portsc_clear(h, port_id, PORTSC_CSC);
    expect_psce(h, port_id, 60);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_CSC, PORTSC_CCS | PORTSC_CSC);
    fault_expect(h, "'seam':'clock','action':'unplug'", 1);
    hcd_portsc_clear(h, port_id, PORTSC_CSC);
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

/* By the TD of a stream: the device's own port, and its TDs fail. */
static void unplug_td(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, 4);
    unsigned port_id = in->dev->port_id;
    HcdEvent event;

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    fault_rule(h, "'where': {'type': 'isoch', 'td': 3}, 'action': 'unplug', "
                  "'with': {'microframes': 800}");
    iso_in_queue_sia(in, 8);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 3; i++) {
        iso_in_expect(in, i);
    }
    do {
        hcd_check(hcd_event_wait(h, 80, &event), "there is no event");
        hcd_check(event.type == EVT_PORT_STATUS_CHANGE ||
                      event.cc == CC_USB_TRANSACTION_ERROR,
                  "%s", hcd_event_text(&event));
    } while (event.type != EVT_PORT_STATUS_CHANGE);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_CSC, PORTSC_CSC);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, in->dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_portsc_clear(h, port_id, PORTSC_CSC);
    hcd_step_uf(h, 900);
    hcd_event_drain(h);
    check_bits(h, port_id, PORTSC_CCS, PORTSC_CCS);
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1: OCA, OCC, no power; software powers the port again. */
static void over_current(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = usb2_device(h);

    fault_rule(h,
               "'where': {'port': %u, 'microframe': %u}, 'action': "
               "'over-current', 'with': {'microframes': 40}",
               port_id, soon(h));
    expect_psce(h, port_id, 24);
    check_bits(h, port_id, PORTSC_OCA | PORTSC_OCC | PORTSC_PP | PORTSC_CCS,
               PORTSC_OCA | PORTSC_OCC);
    hcd_portsc_clear(h, port_id, PORTSC_OCC);
    expect_psce(h, port_id, 60);
    check_bits(h, port_id, PORTSC_OCA | PORTSC_OCC, PORTSC_OCC);
    hcd_portsc_clear(h, port_id, PORTSC_OCC);
    hcd_portsc_write(h, port_id, PORTSC_PP);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

typedef struct {
    const char *name, *action;
    uint32_t mask, value; /* of PORTSC */
    bool usb3;
    bool lives; /* the port stays enabled */
} port_case;

static const port_case ports[] = {
    { "PORT-21/link-inactive", "link-inactive", PORTSC_PED | PLS_MASK, 0xc0,
      true, false },
    { "PORT-17/link-compliance", "link-compliance",
      PORTSC_CCS | PORTSC_PED | PLS_MASK | PORTSC_PLC, 0x140 | PORTSC_PLC, true,
      false },
    { "PORT-21/config-error", "config-error", PORTSC_CEC | PORTSC_PED,
      PORTSC_CEC | PORTSC_PED, true, true },
    { "PORT-05/port-error", "port-error", PORTSC_PEC | PORTSC_PED | PORTSC_CCS,
      PORTSC_PEC | PORTSC_CCS, false, false },
};

/* A USB3 port is brought back by a warm reset, a USB2 port by a reset. */
static void port_happens(const void *data)
{
    const port_case *c = data;
    Hcd *h = hcd_start(.args = c->usb3 ? MSD_ARGS : TABLET_ARGS);
    unsigned port_id;

    if (c->usb3) {
        hcd_step_uf(h, 80);
        port_id = hcd_port_connected(h, 0);
        hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
        hcd_event_drain(h);
    } else {
        port_id = usb2_device(h);
    }
    fault_rule(h, "'where': {'port': %u, 'microframe': %u}, 'action': '%s'",
               port_id, soon(h), c->action);
    expect_psce(h, port_id, 24);
    check_bits(h, port_id, c->mask, c->value);
    fault_plan(h, "%s", "");
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    if (c->usb3 && !c->lives) {
        hcd_portsc_write(h, port_id, PORTSC_WPR);
        hcd_step_uf(h, SETTLE_UF);
        hcd_event_drain(h);
        check_bits(h, port_id, PORTSC_CCS | PORTSC_PED | PLS_MASK,
                   PORTSC_CCS | PORTSC_PED | pls(PLS_U0));
        hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    }
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

static void reset_fails(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    fault_rule(h,
               "'where': {'port': %u}, 'when': {'nth': 1}, 'action': "
               "'reset-fails'",
               port_id);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    expect_psce(h, port_id, SETTLE_UF);
    check_bits(h, port_id,
               PORTSC_PR | PORTSC_PRC | PORTSC_PED | PORTSC_CCS | PLS_MASK,
               PORTSC_PRC | pls(PLS_RX_DETECT));
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_op_write(h, XHCI_PORT_SET + XHCI_PORT_STRIDE * (port_id - 1), 0);
    hcd_portsc_write(h, port_id, PORTSC_PP);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

static void reset_hangs(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    fault_rule(h,
               "'where': {'port': %u}, 'when': {'nth': 1}, 'action': "
               "'reset-hangs'",
               port_id);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_expect_quiet(h, 8000);
    check_bits(h, port_id, PORTSC_PR | PORTSC_PRC, PORTSC_PR);
    hcd_reset(h); /* what is left to a driver */
    hcd_init(h);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_dev_open(h, port_id);
    hcd_finish(h);
}

static void works_again(Hcd *h)
{
    fault_plan(h, "%s", "");
    hcd_reset(h);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

typedef struct {
    const char *name, *action;
    uint32_t status, mask;
} death;

static const death deaths[] = {
    { "OP-18/hse", "hse", USBSTS_HSE | USBSTS_HCH, USBSTS_HSE | USBSTS_HCH },
    { "OP-17/hce", "hce", USBSTS_HCE, USBSTS_HCE },
};

/* Set off by a command, which still has its event. */
static void dies(const void *data)
{
    const death *c = data;
    Hcd *h = hcd_start(.args = "");

    hcd_event_drain(h);
    fault_rule(h,
               "'where': {'command': 'no-op'}, 'when': {'nth': 2}, "
               "'action': '%s'",
               c->action);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_step_uf(h, 1);
    hcd_check((hcd_op_read(h, XHCI_USBSTS) & c->mask) == c->status,
              "USBSTS is %08x", hcd_op_read(h, XHCI_USBSTS));
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 80);
    works_again(h);
}

typedef struct {
    const char *name, *memory, *access;
} dma_case;

static const dma_case dmas[] = {
    { "OP-18/command-ring", "command-ring", "read" },
    { "OP-18/event-ring", "event-ring", "write" },
    { "OP-18/context", "context", "read" },
};

static void dma_error(const void *data)
{
    const dma_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));

    fault_rule(h, "'where': {'memory': '%s'}, 'action': 'dma-%s-error'",
               c->memory, c->access);
    hcd_cmd_post(h, hcd_trb_ptr(CMD_ADDRESS_DEVICE, dev->in_ctx, 0,
                                xhci_set(0, TRB_SLOT_ID, dev->slot_id)));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 2);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HSE, "USBSTS is %08x",
              hcd_op_read(h, XHCI_USBSTS));
    works_again(h);
}

/* EVT-16's opposite: the cycle bit is there before the rest. */
static void torn_event(void)
{
    Hcd *h = hcd_start(.args = "");
    uint64_t gpa, trb;
    xhci_trb event;

    hcd_event_drain(h);
    gpa = hcd_event_dequeue(h);
    fault_rule(h, "'where': {'memory': 'event-ring'}, 'when': {'nth': 1}, "
                  "'action': 'torn-trb', 'with': {'microframes': 8}");
    trb = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 4);
    event = hcd_trb_load(h, gpa);
    hcd_check(!!(event.dw[3] & TRB_C) == h->evt.ccs && !event.dw[0] &&
                  !event.dw[2],
              "the event is %08x %08x %08x %08x", event.dw[0], event.dw[1],
              event.dw[2], event.dw[3]);
    hcd_step_uf(h, 8);
    event = hcd_trb_load(h, gpa);
    hcd_check(event.dw[0] == (uint32_t)trb &&
                  xhci_get(event.dw[2], EVT_CC) == CC_SUCCESS,
              "the event is %08x %08x %08x %08x", event.dw[0], event.dw[1],
              event.dw[2], event.dw[3]);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("PORT-06/unplugged-at-a-microframe", unplug_clock);
    hcd_test_add("PORT-06/unplugged-by-a-td", unplug_td);
    hcd_test_add("PORT-20/over-current", over_current);
    for (size_t i = 0; i < G_N_ELEMENTS(ports); i++) {
        hcd_test_add_data(ports[i].name, port_happens, &ports[i]);
    }
    hcd_test_add("PORT-10/reset-fails", reset_fails);
    hcd_test_add("PORT-10/reset-hangs", reset_hangs);
    for (size_t i = 0; i < G_N_ELEMENTS(deaths); i++) {
        hcd_test_add_data(deaths[i].name, dies, &deaths[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(dmas); i++) {
        hcd_test_add_data(dmas[i].name, dma_error, &dmas[i]);
    }
    hcd_test_add("EVT-16/torn-event", torn_event);
    return hcd_test_main(argc, argv);
}
