/*
 * The device leaves, at each moment that there is. What it had ends with a
 * code, once; then the driver, which does not know yet, does all that it
 * could do with what it believes to have, and must hear about it; and the
 * next device at the same port works.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define SETTLE_UF 800
#define EVERY_DCI (1u << PUPPET_IN | 1u << PUPPET_OUT | 1u << PUPPET_ISOCH_IN)

typedef struct {
    Hcd *h;
    HcdDev *dev;
    uint64_t trb[256]; /* each may have one event that is not of a stop */
    unsigned count;
} Scene;

static void queue(Scene *s, unsigned dci, unsigned n)
{
    bool isoch = dci == PUPPET_ISOCH_IN;

    for (unsigned i = 0; i < n; i++) {
        s->trb[s->count++] =
            hcd_td(s->h, s->dev, dci,
                   (HcdTd){ .type = isoch ? TRB_ISOCH : TRB_NORMAL,
                            .buf = hcd_alloc(s->h, 192, 64),
                            .len = 192,
                            .sia = isoch,
                            .ioc = true });
    }
    hcd_ring_ep(s->h, s->dev, dci);
}

static void open_puppet(Scene *s)
{
    s->dev = hcd_puppet_open(s->h);
    hcd_ep_add(s->h, s->dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .esit = 192);
    hcd_event_drain(s->h);
}

/* The moments. */

static void when_connected(Scene *s)
{
}

static void when_port_resets(Scene *s)
{
    hcd_portsc_write(s->h, hcd_port_connected(s->h, 0), PORTSC_PR);
    hcd_step_uf(s->h, 40);
}

static void when_slot_is_enabled(Scene *s)
{
    s->dev = hcd_dev_ready(s->h, hcd_port_connected(s->h, 0));
}

static void when_default(Scene *s)
{
    when_slot_is_enabled(s);
    hcd_expect_cc(hcd_cmd_address(s->h, s->dev, TRB_BSR), CC_SUCCESS);
}

static void when_addressed(Scene *s)
{
    s->dev = hcd_puppet_configured(s->h);
}

static void when_idle(Scene *s)
{
    open_puppet(s);
    hcd_ring_ep(s->h, s->dev, PUPPET_IN);
}

static void when_naked(Scene *s)
{
    open_puppet(s);
    hcd_puppet_answer(s->h, "nak");
    queue(s, PUPPET_IN, 3);
    queue(s, PUPPET_OUT, 3);
}

static void when_held(Scene *s)
{
    open_puppet(s);
    hcd_puppet_answer(s->h, "hold");
    queue(s, PUPPET_IN, 3);
}

/* usb-puppet holds this vendor request on endpoint 0. */
static void when_control_is_held(Scene *s)
{
    open_puppet(s);
    td_setup(s->h, s->dev, (HcdSetup){ .type = 0x40, .request = 0x50 });
    s->trb[s->count++] = td_status(s->h, s->dev, .in = true, .ioc = true);
    hcd_ring_ep(s->h, s->dev, 1);
    hcd_check(hcd_puppet_holds(s->h), "the request is not held");
}

static void when_streaming(Scene *s)
{
    open_puppet(s);
    queue(s, PUPPET_ISOCH_IN, 60);
    hcd_step_uf(s->h, 10);
}

static void when_halted_by_stall(Scene *s)
{
    open_puppet(s);
    hcd_puppet_answer(s->h, "stall");
    queue(s, PUPPET_IN, 2);
    queue(s, PUPPET_OUT, 2);
}

static void when_stopped(Scene *s)
{
    when_held(s);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
}

static void when_suspended(Scene *s)
{
    when_naked(s);
    hcd_portsc_write(s->h, s->dev->port_id, PORTSC_LWS | PLS_U3 << 5);
}

static void when_disabled(Scene *s)
{
    when_naked(s);
    hcd_portsc_write(s->h, s->dev->port_id, PORTSC_PED);
}

static void when_event_ring_is_full(Scene *s)
{
    open_puppet(s);
    s->h->keep_erdp = true;
    for (unsigned i = 0; i < 300; i++) {
        hcd_cmd_post(s->h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
        hcd_doorbell(s->h, 0, 0);
    }
    queue(s, PUPPET_IN, 2);
}

static void when_halted(Scene *s)
{
    when_held(s);
    hcd_halt(s->h);
}

typedef struct {
    const char *name;
    void (*moment)(Scene *s);
} unplug_case;

static const unplug_case unplug_cases[] = {
    { "UNPLUG/connected", when_connected },
    { "UNPLUG/port-resets", when_port_resets },
    { "UNPLUG/slot-enabled", when_slot_is_enabled },
    { "UNPLUG/default", when_default },
    { "UNPLUG/addressed", when_addressed },
    { "UNPLUG/idle", when_idle },
    { "UNPLUG/naked", when_naked },
    { "UNPLUG/held", when_held },
    { "UNPLUG/control-held", when_control_is_held },
    { "UNPLUG/streaming", when_streaming },
    { "UNPLUG/halted-endpoints", when_halted_by_stall },
    { "UNPLUG/stopped", when_stopped },
    { "UNPLUG/suspended", when_suspended },
    { "UNPLUG/disabled-port", when_disabled },
    { "UNPLUG/event-ring-full", when_event_ring_is_full },
    { "UNPLUG/halted-controller", when_halted },
};

/* Takes all events; a TD's own event comes once. */
static void take_events(Scene *s)
{
    HcdEvent event;

    while (hcd_event_take(s->h, &event)) {
        bool of_td = event.type == EVT_TRANSFER && event.cc != CC_STOPPED &&
                     event.cc != CC_STOPPED_LENGTH_INVALID &&
                     event.cc != CC_RING_OVERRUN &&
                     event.cc != CC_ENDPOINT_NOT_ENABLED;

        for (unsigned i = 0; of_td && i < s->count; i++) {
            if (s->trb[i] == event.ptr) {
                s->trb[i] = 0;
                of_td = false;
            }
        }
        hcd_check(!of_td, "an event for no TD, or a second one: %s",
                  hcd_event_text(&event));
    }
}

static void settle(Scene *s)
{
    for (unsigned i = 0; i < 20; i++) {
        hcd_step_uf(s->h, SETTLE_UF / 20);
        take_events(s);
    }
}

static bool is_waiting(Scene *s, unsigned dci)
{
    return hcd_ep_state(s->h, s->dev, dci) == EP_STATE_RUNNING;
}

/* One more TD for each ring that the driver has. */
static void queue_more(Scene *s, unsigned dci)
{
    if (dci == 1 && s->dev->ring[1].size) {
        td_setup(s->h, s->dev, (HcdSetup){ .type = 0x00, .request = 9 });
        s->trb[s->count++] = td_status(s->h, s->dev, .in = true, .ioc = true);
    } else if (s->dev->ring[dci].size) {
        queue(s, dci, 1);
    }
}

/* All commands and doorbells that name the slot; none may be without answer. */
static void go_on_believing(Scene *s)
{
    static const unsigned types[] = { CMD_STOP_ENDPOINT, CMD_RESET_ENDPOINT };
    Hcd *h = s->h;
    HcdDev *dev = s->dev;

    for (unsigned dci = 1; dci <= PUPPET_ISOCH_IN; dci++) {
        queue_more(s, dci);
        hcd_ring_ep(h, dev, dci);
        hcd_step_uf(h, 2);
        for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
            hcd_cmd_simple(h, types[i], dev->slot_id, dci, 0);
        }
    }
    settle(s);
    hcd_cmd_evaluate(h, dev, 1);
    hcd_cmd_configure(h, dev, 1, EVERY_DCI);
    hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0);
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_USB_TRANSACTION_ERROR);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
}

static void check_ports_are_empty(Hcd *h)
{
    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        uint32_t portsc = hcd_portsc(h, port_id);

        hcd_check(!(portsc & (PORTSC_CCS | PORTSC_PED | PORTSC_PR)),
                  "the device is gone and PORTSC %u is %08x", port_id, portsc);
    }
}

static void unplug(const void *data)
{
    const unplug_case *c = data;
    Scene s = { .h = hcd_start(.puppet = true) };
    Hcd *h = s.h;
    uint64_t buf;

    c->moment(&s);
    hcd_unplug(h, "puppet");
    check_ports_are_empty(h);
    h->keep_erdp = false;
    if (hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH) {
        hcd_run(h);
    }
    settle(&s);
    if (s.dev) {
        for (unsigned i = 0; i < s.count; i++) {
            hcd_check(!s.trb[i] || !is_waiting(&s, PUPPET_IN) ||
                          c->moment == when_halted,
                      "TD %u waits for a device that is gone", i);
        }
        go_on_believing(&s);
    }
    qtest_qmp_device_add(h->qts, "usb-puppet", "puppet",
                         "{'bus': 'xhci.0', 'port': '1'}");
    hcd_step_uf(h, SETTLE_UF);
    hcd_event_drain(h);
    s.dev = hcd_puppet_open(h);
    buf = hcd_alloc(h, 64, 64);
    td_normal(h, s.dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, s.dev, PUPPET_IN);
    hcd_expect_te(h, .dev = s.dev, .dci = PUPPET_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* A full-speed keyboard at port 1 of a hub, and a TD that waits for a key. */
static HcdDev *open_behind_hub(Hcd *h)
{
    enum { PORT_RESET = 4 };
    HcdDev *hub = hcd_dev_open(h, hcd_port_connected(h, 0)), *kbd;
    HcdSetup reset = {
        .type = 0x23, .request = 3, .value = PORT_RESET, .index = 1
    };

    hcd_set_configuration(h, hub, 1);
    hcd_expect_cc(hcd_control(h, hub, reset, 0), CC_SUCCESS);
    kbd = hcd_dev_new(h, hub->port_id);
    kbd->speed = SPEED_FULL;
    hcd_dev_prepare_address(h, kbd);
    hcd_in_write(h, kbd, 1, 0,
                 xhci_set(hcd_in_read(h, kbd, 1, 0), SLOT_ROUTE, 1));
    hcd_expect_cc(hcd_cmd_address(h, kbd, 0), CC_SUCCESS);
    hcd_set_configuration(h, kbd, 1);
    hcd_ep_add(h, kbd, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN,
               .mps = KBD_REPORT_BYTES, .interval = KBD_INTERVAL,
               .esit = KBD_REPORT_BYTES);
    td_normal(h, kbd, KBD_IN, .buf = hcd_alloc(h, 8, 8), .len = 8, .ioc = true);
    hcd_ring_ep(h, kbd, KBD_IN);
    hcd_expect_quiet(h, 80);
    return kbd;
}

/* The hub goes, or the device behind it. */
static void unplug_behind_hub(const void *id)
{
    Hcd *h = hcd_start(
            .args =
                "-device usb-hub,id=hub,bus=xhci.0,port=1 "
                "-device usb-kbd,id=kbd,bus=xhci.0,port=1.1,usb_version=1 ");
    HcdDev *kbd = open_behind_hub(h);
    HcdEvent event;
    unsigned errors = 0;

    hcd_unplug(h, id);
    hcd_step_uf(h, SETTLE_UF);
    while (hcd_event_take(h, &event)) {
        errors += event.slot_id == kbd->slot_id && event.dci == KBD_IN &&
                  event.cc == CC_USB_TRANSACTION_ERROR;
    }
    hcd_check(errors == 1, "the TD that waited has %u errors", errors);
    hcd_ring_ep(h, kbd, 1);
    hcd_ring_ep(h, kbd, KBD_IN);
    hcd_step_uf(h, SETTLE_UF);
    for (unsigned slot_id = 1; slot_id <= kbd->slot_id; slot_id++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, slot_id, 0, 0),
                      CC_SUCCESS);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(unplug_cases); i++) {
        hcd_test_add_data(unplug_cases[i].name, unplug, &unplug_cases[i]);
    }
    hcd_test_add_data("UNPLUG/hub", unplug_behind_hub, "hub");
    hcd_test_add_data("UNPLUG/behind-hub", unplug_behind_hub, "kbd");
    return hcd_test_main(argc, argv);
}
