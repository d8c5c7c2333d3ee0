/*
 * usb-isohub (USB 2.0 chapter 11): its requests, its ports and their states in
 * time, the devices of three speeds behind them, and what becomes of a packet
 * when its port goes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hub.h"
#include "compat.h"

#define HUB_KBD_ARGS HUB_ARGS "-device usb-kbd,id=kbd,bus=xhci.0,port=1.1 "

static void check_status(Hcd *h, HcdDev *hub, unsigned port, uint32_t want)
{
    uint32_t status = hub_status(h, hub, port);

    hcd_check(status == want, "port %u is %08x, expected %08x", port, status,
              want);
}

/* The next Transfer Event of this endpoint, whatever others come before. */
static void expect_te(Hcd *h, HcdDev *dev, unsigned dci, unsigned cc)
{
    HcdEvent event;

    do {
        hcd_check(hcd_event_wait(h, 800, &event), "no event of slot %u, DCI %u",
                  dev->slot_id, dci);
    } while (event.type != EVT_TRANSFER || event.slot_id != dev->slot_id ||
             event.dci != dci);
    hcd_expect_cc(event.cc, cc);
}

/* The status change endpoint asks for a report; the buffer that it goes to. */
static uint64_t ask_report(Hcd *h, HcdDev *hub)
{
    uint64_t buf = hcd_alloc_filled(h, 8, 0);

    td_normal(h, hub, HUB_STATUS, .buf = buf, .len = 1, .ioc = true);
    hcd_ring_ep(h, hub, HUB_STATUS);
    return buf;
}

/* The report that was asked for; 0: none by then. */
static unsigned await_report(Hcd *h, HcdDev *hub, uint64_t buf)
{
    HcdEvent event;

    if (!hcd_event_wait(h, 4000, &event)) {
        hcd_expect_cc(hcd_cmd_stop(h, hub, HUB_STATUS), CC_SUCCESS);
        hcd_event_drain(h);
        hcd_cmd_skip_all(h, hub, HUB_STATUS);
        return 0;
    }
    hcd_check(event.type == EVT_TRANSFER && event.slot_id == hub->slot_id &&
                  event.dci == HUB_STATUS && event.cc == CC_SUCCESS,
              "the report came as: %s", hcd_event_text(&event));
    return qtest_readb(h->qts, buf);
}

static unsigned report(Hcd *h, HcdDev *hub)
{
    return await_report(h, hub, ask_report(h, hub));
}

static HcdDev *open_with_reports(Hcd *h)
{
    HcdDev *hub = hub_open(h);

    hcd_ep_add(h, hub, .dci = HUB_STATUS, .type = EP_TYPE_INTERRUPT_IN,
               .mps = 1, .interval = 11, .esit = 1);
    hub_configure(h, hub, HUB_PORTS, false);
    return hub;
}

/* USB 2.0 §11.23.2.1 */
static void hub_descriptor(void)
{
    static const uint8_t want[] = { 9, 0x29, 4, 0x91, 0, 1, 100, 0, 0xff };
    Hcd *h = hcd_start(.args = HUB_ARGS);
    HcdDev *hub = hub_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint8_t got[sizeof(want)];

    hcd_check(hub->speed == SPEED_HIGH, "the hub came up at speed %u",
              hub->speed);
    hcd_expect_cc(hcd_control(h, hub,
                              (HcdSetup){ .type = 0xa0,
                                          .request = 6,
                                          .value = 0x2900,
                                          .length = sizeof(want) },
                              buf),
                  CC_SUCCESS);
    qtest_bufread(h->qts, buf, got, sizeof(got));
    for (unsigned i = 0; i < sizeof(want); i++) {
        hcd_check(got[i] == want[i], "byte %u of the hub descriptor is %02x", i,
                  got[i]);
    }
    hcd_check(hcd_mem_is(h, buf + sizeof(want), 32, 0xaa),
              "the hub descriptor goes on");
    hcd_finish(h);
}

/* USB 2.0 §11.5.1: power, connection, reset, enabled; each when it is due. */
static void hub_port_states(void)
{
    Hcd *h = hcd_start(.args = HUB_KBD_ARGS);
    HcdDev *hub = open_with_reports(h);

    check_status(h, hub, 1, 0);
    hcd_check(report(h, hub) == 0, "a port without power has news");
    hub_set(h, hub, 1, HUB_PORT_POWER);
    check_status(h, hub, 1, HUB_POWER);
    hcd_step_uf(h, 2 * 8);
    check_status(h, hub, 1, HUB_POWER | HUB_CONNECTION | HUB_C_CONNECTION);
    hcd_check(report(h, hub) == 2, "the connection is not reported");
    hub_clear(h, hub, 1, HUB_C_PORT_CONNECTION);
    hcd_check(report(h, hub) == 0, "a change that was cleared is reported");

    hub_set(h, hub, 1, HUB_PORT_RESET);
    check_status(h, hub, 1, HUB_POWER | HUB_CONNECTION | HUB_RESET);
    hcd_step_uf(h, 9 * 8);
    check_status(h, hub, 1, HUB_POWER | HUB_CONNECTION | HUB_RESET);
    hcd_step_uf(h, 8);
    check_status(h, hub, 1,
                 HUB_POWER | HUB_CONNECTION | HUB_ENABLE | HUB_HIGH_SPEED |
                     HUB_C_RESET);
    hcd_check(report(h, hub) == 2, "the end of the reset is not reported");
    hub_clear(h, hub, 1, HUB_C_PORT_RESET);

    hub_clear(h, hub, 1, HUB_PORT_ENABLE);
    check_status(h, hub, 1, HUB_POWER | HUB_CONNECTION);
    hub_clear(h, hub, 1, HUB_PORT_POWER);
    check_status(h, hub, 1, 0);
    hcd_check(report(h, hub) == 0, "what software did itself is reported");
    hcd_finish(h);
}

/* USB 2.0 §11.9: suspend at once, resume in 20 ms, and then a change. */
static void hub_suspend(void)
{
    uint32_t enabled = HUB_POWER | HUB_CONNECTION | HUB_ENABLE | HUB_HIGH_SPEED;
    Hcd *h = hcd_start(.args = HUB_KBD_ARGS);
    HcdDev *hub = open_with_reports(h);
    HcdDev *dev;

    hub_port_enable(h, hub, 1);
    dev = hub_child_open(h, hub, 1);
    hub_set(h, hub, 1, HUB_PORT_SUSPEND);
    check_status(h, hub, 1, enabled | HUB_SUSPEND);
    td_setup(h, dev, (HcdSetup){ .type = 0, .request = 9, .value = 1 });
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_USB_TRANSACTION_ERROR);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, 1);

    hub_clear(h, hub, 1, HUB_PORT_SUSPEND);
    hcd_step_uf(h, 19 * 8);
    check_status(h, hub, 1, enabled | HUB_SUSPEND);
    hcd_step_uf(h, 8);
    check_status(h, hub, 1, enabled | HUB_C_SUSPEND);
    hcd_check(report(h, hub) == 2, "the end of the resume is not reported");
    hub_clear(h, hub, 1, HUB_C_PORT_SUSPEND);
    hcd_set_configuration(h, dev, 1);
    hcd_finish(h);
}

/* USB 2.0 §11.9: the device wakes its port, and the hub tells. */
static void hub_remote_wakeup(void)
{
    Hcd *h = hcd_start(.args = HUB_KBD_ARGS);
    HcdDev *hub = open_with_reports(h);
    HcdDev *dev;

    hub_port_enable(h, hub, 1);
    dev = hub_child_open(h, hub, 1);
    hcd_set_configuration(h, dev, 1);
    hcd_expect_cc(hcd_control(h, dev,
                              (HcdSetup){ .type = 0, .request = 3, .value = 1 },
                              0),
                  CC_SUCCESS);
    hub_set(h, hub, 1, HUB_PORT_SUSPEND);
    hcd_kbd_key(h, true);
    hcd_step_uf(h, 20 * 8);
    hcd_check(hub_status(h, hub, 1) & HUB_C_SUSPEND,
              "the port did not resume: %08x", hub_status(h, hub, 1));
    hcd_check(report(h, hub) == 2, "the resume is not reported");
    hcd_finish(h);
}

/* USB 2.0 §11.24.2: what is no feature, no port and no request. */
static void hub_refuses(void)
{
    static const HcdSetup bad[] = {
        { .type = 0x23, .request = 3, .value = 8, .index = 0 },
        { .type = 0x23, .request = 3, .value = 8, .index = 5 },
        { .type = 0x23, .request = 3, .value = 3, .index = 1 },
        { .type = 0x23, .request = 3, .value = 16, .index = 1 },
        { .type = 0x23, .request = 3, .value = HUB_PORT_TEST, .index = 0x101 },
        { .type = 0x23, .request = 3, .value = 22, .index = 0x401 },
        { .type = 0x23, .request = 1, .value = 4, .index = 1 },
        { .type = 0x23, .request = 1, .value = 15, .index = 1 },
        { .type = 0x23, .request = 1, .value = 21, .index = 1 },
        { .type = 0x20, .request = 3, .value = 2 },
        { .type = 0x20, .request = 1, .value = 2 },
        { .type = 0xa3, .request = 0, .index = 5, .length = 4 },
        { .type = 0xa0, .request = 6, .value = 0x2a00, .length = 9 },
        { .type = 0x00, .request = 9, .value = 2 },
        { .type = 0x01, .request = 11, .value = 1 },
        { .type = 0x23, .request = 8, .value = 1, .index = 2 },
        { .type = 0x02, .request = 3, .value = 0, .index = 0x82 },
        { .type = 0x43, .request = 3, .value = 8, .index = 1 },
    };
    Hcd *h = hcd_start(.args = HUB_ARGS);
    HcdDev *hub = hub_open(h);

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        unsigned cc = hub_request(h, hub, bad[i]);

        hcd_check(cc == CC_STALL_ERROR, "bad request %u: code %u", i, cc);
    }
    for (unsigned port = 1; port <= HUB_PORTS; port++) {
        check_status(h, hub, port, 0);
    }
    /* §11.5.1.1: a hub that is not configured has no ports */
    hcd_set_configuration(h, hub, 0);
    hcd_expect_cc(hub_set(h, hub, 1, HUB_PORT_POWER), CC_STALL_ERROR);
    hcd_finish(h);
}

/* USB 2.0 §11.24.2.7.1.10, §11.24.2.12, §11.24.2.3: indicators, changes of the
 * hub that software makes to test itself, and the translators' requests. */
static void hub_small_requests(void)
{
    static const HcdSetup good[] = {
        { .type = 0x23, .request = 8, .value = 0x1234, .index = 1 },
        { .type = 0x23, .request = 9, .index = 1 },
        { .type = 0x23, .request = 11, .index = 1 },
        { .type = 0x02, .request = 1, .value = 0, .index = 0x81 },
    };
    Hcd *h = hcd_start(.args = HUB_ARGS);
    HcdDev *hub = open_with_reports(h);

    for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
        unsigned cc = hub_request(h, hub, good[i]);

        hcd_check(cc == CC_SUCCESS, "request %u: code %u", i, cc);
    }
    hub_set(h, hub, 2, HUB_PORT_POWER);
    hcd_step_uf(h, 16);
    hub_set(h, hub, 2 | 1 << 8, HUB_PORT_INDICATOR);
    check_status(h, hub, 2, HUB_POWER | HUB_INDICATOR);
    hub_clear(h, hub, 2, HUB_PORT_INDICATOR);
    check_status(h, hub, 2, HUB_POWER);
    hub_request(h, hub, (HcdSetup){ .type = 0x20, .request = 3, .value = 1 });
    hcd_check(report(h, hub) == 1, "the hub's own change is not reported");
    hub_request(h, hub, (HcdSetup){ .type = 0x20, .request = 1, .value = 1 });
    hcd_check(report(h, hub) == 0, "the hub's change is still reported");
    hcd_finish(h);
}

/* USB 2.0 §9.4.5: the status change endpoint halts and is cleared. */
static void hub_endpoint_halt(void)
{
    HcdSetup set = { .type = 0x02, .request = 3, .index = 0x81 };
    HcdSetup clear = { .type = 0x02, .request = 1, .index = 0x81 };
    HcdSetup get = { .type = 0x82, .request = 0, .index = 0x81, .length = 2 };
    Hcd *h = hcd_start(.args = HUB_ARGS);
    HcdDev *hub = open_with_reports(h);
    uint64_t buf = hcd_alloc_filled(h, 2, 0xaa);

    hcd_expect_cc(hub_request(h, hub, set), CC_SUCCESS);
    hcd_expect_cc(hcd_control(h, hub, get, buf), CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 1, "the endpoint's status is %04x",
              qtest_readw(h->qts, buf));
    td_normal(h, hub, HUB_STATUS, .buf = buf, .len = 1, .ioc = true);
    hcd_ring_ep(h, hub, HUB_STATUS);
    hcd_expect_te(h, .dev = hub, .dci = HUB_STATUS, .cc = CC_STALL_ERROR);
    hcd_expect_cc(hub_request(h, hub, clear), CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_reset_ep(h, hub, HUB_STATUS), CC_SUCCESS);
    hcd_cmd_skip_all(h, hub, HUB_STATUS);
    hcd_check(report(h, hub) == 0, "there is no news, and a report");
    hcd_finish(h);
}

/* A device of each speed, and of the one that its port shows. */
typedef struct {
    const char *name;
    const char *speed;
    unsigned want;
} speed_case;

static const speed_case speeds[] = {
    { "HUB/low-speed", "low", SPEED_LOW },
    { "HUB/full-speed", "full", SPEED_FULL },
    { "HUB/high-speed", "high", SPEED_HIGH },
};

static void hub_speed(const void *data)
{
    const speed_case *c = data;
    g_autofree char *args = g_strdup_printf(
        HUB_ARGS "-device usb-puppet,id=puppet,port=1.3,speed=%s", c->speed);
    Hcd *h = hcd_start(.args = args, .puppet_in_args = true);
    HcdDev *hub = hub_open(h);
    unsigned speed = hub_port_enable(h, hub, 3);
    HcdDev *dev;

    hcd_check(speed == c->want, "the port says speed %u", speed);
    dev = hub_child_open(h, hub, 3);
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = PUPPET_INT, .type = EP_TYPE_INTERRUPT_IN,
               .mps = 8, .interval = 3, .esit = 8);
    td_normal(h, dev, PUPPET_INT, .buf = hcd_alloc_filled(h, 8, 0xaa), .len = 8,
              .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_INT);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_INT, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* Requests to the port that take the device off the bus. */
typedef struct {
    const char *name;
    unsigned feature;
    bool set;
} leave_case;

static const leave_case leaves[] = {
    { "HUB/held-port-reset", HUB_PORT_RESET, true },
    { "HUB/held-port-suspend", HUB_PORT_SUSPEND, true },
    { "HUB/held-port-disable", HUB_PORT_ENABLE, false },
    { "HUB/held-port-power", HUB_PORT_POWER, false },
};

/* USB 2.0 §11.5.1: nobody answers any more, neither the packet that the device
 * has nor the endpoint that was answered NAK. */
static void hub_held(const void *data)
{
    const leave_case *c = data;
    Hcd *h = hcd_start(.args = HUB_ARGS "-device usb-puppet,id=puppet,port=1.2",
                       .puppet_in_args = true);
    HcdDev *hub = hub_open(h), *dev;
    uint64_t buf = hcd_alloc_filled(h, 512, 0xaa);

    hub_port_enable(h, hub, 2);
    dev = hub_child_open(h, hub, 2);
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN, .mps = 512);
    hcd_ep_add(h, dev, .dci = PUPPET_INT, .type = EP_TYPE_INTERRUPT_IN,
               .mps = 64, .interval = 3, .esit = 64);
    hcd_puppet_answer(h, "hold");
    td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 512, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    td_normal(h, dev, PUPPET_INT, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_INT);
    hcd_expect_quiet(h, 80);
    hcd_check(hcd_puppet_holds(h), "the device does not have the packet");
    td_setup(h, hub,
             (HcdSetup){ .type = 0x23,
                         .request = c->set ? 3 : 1,
                         .value = c->feature,
                         .index = 2 });
    td_status(h, hub, .in = true, .ioc = true);
    hcd_ring_ep(h, hub, 1);
    hcd_check(!hcd_puppet_holds(h) && hcd_puppet_count(h, "cancelled") == 1,
              "the device still has the packet");
    expect_te(h, hub, 1, CC_SUCCESS);
    expect_te(h, dev, PUPPET_IN, CC_USB_TRANSACTION_ERROR);
    expect_te(h, dev, PUPPET_INT, CC_USB_TRANSACTION_ERROR);
    hcd_check(hcd_mem_is(h, buf, 512, 0xaa), "data came all the same");
    hcd_finish(h);
}

/* USB 2.0 §11.5.1.3, §11.12.4: plug, unplug, and once more behind the same
 * port, each told to the TD that waits. The slot of a device that has left is
 * not that of the next one. */
static void hub_hotplug(void)
{
    Hcd *h = hcd_start(.args = HUB_ARGS);
    HcdDev *hub = open_with_reports(h), *dev = NULL;
    uint64_t asked;

    hub_set(h, hub, 4, HUB_PORT_POWER);
    hcd_step_uf(h, 16);
    for (unsigned i = 0; i < 3; i++) {
        asked = ask_report(h, hub);
        hcd_expect_quiet(h, 4000);
        qtest_qmp_device_add(h->qts, "usb-kbd", "kbd",
                             "{'bus': 'xhci.0', 'port': '1.4'}");
        hcd_check(await_report(h, hub, asked) == 1 << 4,
                  "the plug is not reported");
        check_status(h, hub, 4, HUB_POWER | HUB_CONNECTION | HUB_C_CONNECTION);
        hub_port_enable(h, hub, 4);
        if (dev) {
            hcd_expect_cc(
                hcd_control(h, dev, (HcdSetup){ .request = 9, .value = 1 }, 0),
                CC_USB_TRANSACTION_ERROR);
            hcd_expect_cc(
                hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                CC_SUCCESS);
        }
        dev = hub_child_open(h, hub, 4);
        hcd_set_configuration(h, dev, 1);
        asked = ask_report(h, hub);
        hcd_expect_quiet(h, 4000);
        qtest_qmp_device_del(h->qts, "kbd");
        hcd_check(await_report(h, hub, asked) == 1 << 4,
                  "the unplug is not reported");
        check_status(h, hub, 4, HUB_POWER | HUB_C_CONNECTION);
        hub_clear(h, hub, 4, HUB_C_PORT_CONNECTION);
    }
    hcd_finish(h);
}

/* The hub goes with all that is behind it, in two tiers. */
static void hub_unplug_tree(void)
{
    Hcd *h = hcd_start(.args = HUB_ARGS "-device usb-isohub,id=hub2,port=1.2 "
                                        "-device usb-kbd,id=kbd,port=1.2.3 ");
    HcdDev *hub = hub_open(h), *hub2 = hub_open_behind(h, hub, 2), *dev;

    hub_port_enable(h, hub2, 3);
    dev = hub_child_open(h, hub2, 3);
    hcd_check(dev->route == 0x32, "the route is %x", dev->route);
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = 3, .esit = 8);
    td_normal(h, dev, KBD_IN, .buf = hcd_alloc_filled(h, 8, 0xaa), .len = 8,
              .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    td_normal(h, dev, KBD_IN, .buf = hcd_alloc_filled(h, 8, 0xaa), .len = 8,
              .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_quiet(h, 80);
    hcd_unplug(h, "hub");
    expect_te(h, dev, KBD_IN, CC_USB_TRANSACTION_ERROR);
    hcd_check(!(hcd_portsc(h, hub->port_id) & PORTSC_CCS), "the hub is there");
    hcd_finish(h);
}

/* A port in the middle of its reset, and a stream through another. */
static void hub_migrates(void)
{
    Hcd *h =
        hcd_start(.args = HUB_MTT_ARGS
                  "-device usb-kbd,id=kbd,bus=xhci.0,port=1.1 "
                  "-device usb-kbd,id=kbd2,bus=xhci.0,port=1.2,usb_version=1 ");
    HcdDev *hub = hub_open(h), *dev;
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    HcdSetup select = { .type = 0x01, .request = 11, .value = 1 };
    HcdSetup selected = { .type = 0x81, .request = 10, .length = 1 };

    hcd_expect_cc(hcd_control(h, hub, select, 0), CC_SUCCESS);
    hub_configure(h, hub, HUB_PORTS, true);
    hub_port_enable(h, hub, 1);
    dev = hub_child_open(h, hub, 1);
    hcd_set_configuration(h, dev, 1);
    hub_set(h, hub, 2, HUB_PORT_POWER);
    hcd_step_uf(h, 16);
    hub_set(h, hub, 2, HUB_PORT_RESET);
    hcd_step_uf(h, 4 * 8);
    hcd_migrate(h);
    check_status(h, hub, 2,
                 HUB_POWER | HUB_CONNECTION | HUB_C_CONNECTION | HUB_RESET);
    hcd_step_uf(h, 6 * 8);
    check_status(h, hub, 2,
                 HUB_POWER | HUB_CONNECTION | HUB_C_CONNECTION | HUB_ENABLE |
                     HUB_C_RESET);
    hcd_expect_cc(hcd_control(h, hub, selected, buf), CC_SUCCESS);
    hcd_check(qtest_readb(h->qts, buf) == 1, "the alternate is %u",
              qtest_readb(h->qts, buf));
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = 3, .esit = 8);
    hcd_set_configuration(h, hub_child_open(h, hub, 2), 1);
    hcd_finish(h);
}

/* device_add of a hub that cannot be; QEMU's answer. */
static char *plug_error(Hcd *h, const char *port, unsigned ports)
{
    QDict *reply = qtest_qmp(
        h->qts,
        "{'execute': 'device_add', 'arguments': {'driver': 'usb-isohub',"
        " 'bus': 'xhci.0', 'port': %s, 'ports': %u}}",
        port, ports);
    QDict *error = qdict_get_qdict(reply, "error");
    char *text = g_strdup(error ? qdict_get_str(error, "desc") : "none");

    qobject_unref(reply);
    return text;
}

/* A sentence for each of them, and no abort. */
static void hub_bad_properties(void)
{
    Hcd *h = hcd_start(.props = "p2=15,p3=0");
    static const char *const chain[] = { "15", "15.15", "15.15.15",
                                         "15.15.15.15" };
    static const char *const deep[] = { "1", "1.1", "1.1.1", "1.1.1.1",
                                        "1.1.1.1.1" };
    const struct {
        const char *port;
        unsigned ports;
        const char *text;
    } bad[] = {
        { "2", 0, "usb-isohub: ports must be 1 to 15, not 0" },
        { "2", 16, "usb-isohub: ports must be 1 to 15, not 16" },
        { "2", 4000000000u,
          "usb-isohub: ports must be 1 to 15, not 4000000000" },
        { "15.15.15.15.15", 4,
          "usb-isohub: QEMU has no names for ports as far down as "
          "15.15.15.15.15.4; use lower port numbers or fewer ports" },
        { "1.1.1.1.1.1", 4, "usb-isohub: USB has at most 5 hubs in a row" },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(chain); i++) {
        g_free(plug_error(h, chain[i], 15));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(deep); i++) {
        g_free(plug_error(h, deep[i], 4));
    }
    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        char *text = plug_error(h, bad[i].port, bad[i].ports);

        hcd_check(g_str_equal(text, bad[i].text), "QEMU says: %s", text);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("HUB/descriptor", hub_descriptor);
    hcd_test_add("HUB/port-states", hub_port_states);
    hcd_test_add("HUB/suspend", hub_suspend);
    hcd_test_add("HUB/remote-wakeup", hub_remote_wakeup);
    hcd_test_add("HUB/refuses", hub_refuses);
    hcd_test_add("HUB/small-requests", hub_small_requests);
    hcd_test_add("HUB/endpoint-halt", hub_endpoint_halt);
    for (unsigned i = 0; i < ARRAY_SIZE(speeds); i++) {
        hcd_test_add_data(speeds[i].name, hub_speed, &speeds[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
        hcd_test_add_data(leaves[i].name, hub_held, &leaves[i]);
    }
    hcd_test_add("HUB/hotplug", hub_hotplug);
    hcd_test_add("HUB/unplug-tree", hub_unplug_tree);
    hcd_test_add("HUB/migrates", hub_migrates);
    hcd_test_add("HUB/bad-properties", hub_bad_properties);
    return hcd_test_main(argc, argv);
}
