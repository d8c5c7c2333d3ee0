/*
 * Periodic bandwidth as a driver sees it (xHCI 1.2 §4.6.6, §4.6.13, §4.6.15,
 * §4.16): what Configure Endpoint admits on a bus and behind a transaction
 * translator, what a refusal leaves alone, what gives bandwidth back, how much
 * there is, and who is asked for more.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hub.h"

#define PUPPET_AT(id, port, speed) \
    "-device usb-puppet,id=" id ",bus=xhci.0,port=" port ",speed=" speed " "
#define TWO_FULL                       \
    PUPPET_AT("puppet", "1.1", "full") \
    PUPPET_AT("puppet2", "1.2", "full")

static Hcd *start(const char *args)
{
    return hcd_start(.args = args, .puppet_in_args = true);
}

static HcdEp isoch(unsigned dci, unsigned interval, unsigned mps)
{
    return (HcdEp){ .dci = dci,
                    .type = dci & 1 ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT,
                    .mps = mps,
                    .interval = interval,
                    .esit = mps };
}

static unsigned add(Hcd *h, HcdDev *dev, HcdEp ep)
{
    hcd_ep_prepare(h, dev, ep);
    return hcd_cmd_configure(h, dev, 1u << ep.dci | 1, 0);
}

/* 1023 bytes a frame: two thirds of a full-speed bus. */
static unsigned add_most(Hcd *h, HcdDev *dev, unsigned dci)
{
    return add(h, dev, isoch(dci, 3, 1023));
}

static HcdDev *open_behind(Hcd *h, HcdDev *hub, unsigned port)
{
    HcdDev *dev;

    hub_port_enable(h, hub, port);
    dev = hub_child_open(h, hub, port);
    hcd_set_configuration(h, dev, 1);
    return dev;
}

/* USB 2.0 §5.6.3: a full-speed root port is a full-speed bus. */
static void iso_45_full_speed(void)
{
    Hcd *h = start("-device usb-puppet,id=puppet,bus=xhci.0,speed=full");
    HcdDev *dev = hcd_puppet_configured(h);

    hcd_check(dev->speed == SPEED_FULL, "the device is of speed %u",
              dev->speed);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_OUT), CC_BANDWIDTH_ERROR);
    /* what the command drops is there for what it adds */
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << PUPPET_ISOCH_OUT | 1,
                                    1u << PUPPET_ISOCH_IN),
                  CC_SUCCESS);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_BANDWIDTH_ERROR);
    hcd_expect_cc(add(h, dev, isoch(PUPPET_ISOCH_IN, 3, 300)), CC_SUCCESS);
    hcd_finish(h);
}

/* USB 3.2: a share for each direction; 48 KiB are more than half of one. */
static void iso_45_super_speed(void)
{
    HcdEp in = { .dci = 5,
                 .type = EP_TYPE_ISOCH_IN,
                 .mps = 1024,
                 .burst = 15,
                 .mult = 2,
                 .esit = 49152 };
    HcdEp out = in;
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);

    hcd_check(dev->speed == SPEED_SUPER, "the device is of speed %u",
              dev->speed);
    out.dci = 6;
    out.type = EP_TYPE_ISOCH_OUT;
    hcd_expect_cc(add(h, dev, in), CC_SUCCESS);
    hcd_expect_cc(add(h, dev, out), CC_SUCCESS);
    in.dci = 7;
    hcd_expect_cc(add(h, dev, in), CC_BANDWIDTH_ERROR);
    out.dci = 8;
    hcd_expect_cc(add(h, dev, out), CC_BANDWIDTH_ERROR);
    hcd_finish(h);
}

/* The contexts of a device, to see that they are as before. */
static GBytes *contexts(Hcd *h, HcdDev *dev)
{
    unsigned bytes = 32 * h->ctx_bytes;
    uint8_t *copy = g_malloc(bytes);

    qtest_bufread(h->qts, dev->out_ctx, copy, bytes);
    return g_bytes_new_take(copy, bytes);
}

/*
 * xHCI 1.2 §4.6.6: of a command that asks for one endpoint too many nothing is
 * done: not its small endpoint, not its drop, and a running endpoint streams
 * on through it.
 */
typedef struct {
    const char *name;
    const char *args;
    bool behind; /* a hub */
    unsigned cc;
} refusal_case;

static const refusal_case refusals[] = {
    { "CMD-25/FP-08-contexts",
      "-device usb-puppet,id=puppet,bus=xhci.0,speed=full", false,
      CC_BANDWIDTH_ERROR },
    { "CMD-25/FP-35-contexts", HUB_ARGS PUPPET_AT("puppet", "1.1", "full"),
      true, CC_SECONDARY_BANDWIDTH },
};

static void cmd_25_refused(const void *data)
{
    const refusal_case *c = data;
    Hcd *h = start(c->args);
    HcdDev *dev =
        c->behind ? open_behind(h, hub_open(h), 1) : hcd_puppet_configured(h);
    uint64_t buf = hcd_alloc_filled(h, 300, 0xaa);
    HcdEp small = { .dci = PUPPET_INT,
                    .type = EP_TYPE_INTERRUPT_IN,
                    .mps = 8,
                    .interval = 3,
                    .esit = 8 };
    GBytes *before, *after;

    hcd_expect_cc(add(h, dev, isoch(PUPPET_ISOCH_IN, 3, 300)), CC_SUCCESS);
    for (unsigned i = 0; i < 20; i++) {
        td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf, .len = 300, .sia = true,
                 .ioc = true);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = CC_SUCCESS);
    before = contexts(h, dev);
    hcd_ep_prepare(h, dev, isoch(PUPPET_ISOCH_OUT, 3, 1023));
    hcd_ep_prepare(h, dev, isoch(9, 3, 400));
    hcd_ep_prepare(h, dev, small);
    hcd_expect_cc(hcd_cmd_configure(h, dev,
                                    1u << PUPPET_ISOCH_OUT | 1u << 9 |
                                        1u << PUPPET_INT | 1,
                                    1u << PUPPET_ISOCH_IN),
                  c->cc);
    after = contexts(h, dev);
    hcd_check(g_bytes_equal(before, after), "the contexts are not as before");
    for (unsigned i = 1; i < 20; i++) {
        hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = CC_SUCCESS);
    }
    /* the bandwidth, too: one that fits beside the first, and no more */
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_event_drain(h);
    hcd_expect_cc(add(h, dev, isoch(PUPPET_ISOCH_OUT, 3, 1022)), CC_SUCCESS);
    hcd_expect_cc(add(h, dev, isoch(9, 3, 8)), c->cc);
    hcd_finish(h);
}

static void drop(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 1u << PUPPET_ISOCH_IN),
                  CC_SUCCESS);
}

static void deconfigure(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(
        hcd_cmd_simple(h, CMD_CONFIGURE_ENDPOINT, dev->slot_id, 0, TRB_DC),
        CC_SUCCESS);
}

static void disable_slot(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
}

static void reset_device(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0),
                  CC_SUCCESS);
}

typedef struct {
    const char *name;
    void (*give_back)(Hcd *h, HcdDev *dev);
} release_case;

static const release_case releases[] = {
    { "ISO-46/FP-35-drop", drop },
    { "ISO-46/FP-35-deconfigure", deconfigure },
    { "ISO-46/FP-35-disable-slot", disable_slot },
    { "ISO-46/FP-35-reset-device", reset_device },
};

/* xHCI 1.2 §4.16.2: two devices behind one TT, which is too small for both. */
static void iso_46_release(const void *data)
{
    const release_case *c = data;
    Hcd *h = start(HUB_ARGS TWO_FULL);
    HcdDev *hub = hub_open(h);
    HcdDev *first = open_behind(h, hub, 1), *second = open_behind(h, hub, 2);

    hcd_expect_cc(add_most(h, first, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_expect_cc(add_most(h, second, PUPPET_ISOCH_OUT),
                  CC_SECONDARY_BANDWIDTH);
    hcd_check(hcd_ep_state(h, second, PUPPET_ISOCH_OUT) == EP_STATE_DISABLED,
              "a refused endpoint is in state %u",
              hcd_ep_state(h, second, PUPPET_ISOCH_OUT));
    c->give_back(h, first);
    hcd_expect_cc(add_most(h, second, PUPPET_ISOCH_OUT), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.2: after HCRST nobody has any. */
static void iso_46_host_reset(void)
{
    Hcd *h = start(HUB_ARGS TWO_FULL);
    HcdDev *hub = hub_open(h);
    HcdDev *dev = open_behind(h, hub, 1);

    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_reset(h);
    hcd_init(h);
    hub = hub_open(h);
    dev = open_behind(h, hub, 2);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_expect_cc(add_most(h, open_behind(h, hub, 1), PUPPET_ISOCH_IN),
                  CC_SECONDARY_BANDWIDTH);
    hcd_finish(h);
}

/* A hub with a TT for each port has a domain for each, if software says so. */
static void iso_46_multiple_tt(void)
{
    HcdSetup select = { .type = 0x01, .request = 11, .value = 1 };
    Hcd *h = start(HUB_MTT_ARGS TWO_FULL);
    HcdDev *hub = hub_open(h);
    HcdDev *first = open_behind(h, hub, 1), *second = open_behind(h, hub, 2);

    hcd_expect_cc(add_most(h, first, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_expect_cc(add_most(h, second, PUPPET_ISOCH_IN), CC_SECONDARY_BANDWIDTH);
    hcd_expect_cc(hub_request(h, hub, select), CC_SUCCESS);
    hub_configure(h, hub, HUB_PORTS, true);
    hcd_expect_cc(add_most(h, second, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_expect_cc(add_most(h, second, PUPPET_ISOCH_OUT),
                  CC_SECONDARY_BANDWIDTH);
    hcd_finish(h);
}

/* xHCI 1.2 §4.16: split transactions are traffic of the high-speed bus, too:
 * the bus is full before the TT is. */
static void iso_45_splits_count(void)
{
    HcdEp three_kb = { .dci = PUPPET_ISOCH_IN,
                       .type = EP_TYPE_ISOCH_IN,
                       .mps = 1024,
                       .burst = 2,
                       .esit = 3072 };
    HcdEp rest = { .dci = PUPPET_ISOCH_OUT,
                   .type = EP_TYPE_ISOCH_OUT,
                   .mps = 1024,
                   .burst = 2,
                   .esit = 2600 };
    Hcd *h = start(HUB_ARGS PUPPET_AT("puppet", "1.1", "high")
                       PUPPET_AT("puppet2", "1.2", "full"));
    HcdDev *hub = hub_open(h);
    HcdDev *high = open_behind(h, hub, 1), *full = open_behind(h, hub, 2);

    hcd_expect_cc(add(h, high, three_kb), CC_SUCCESS);
    hcd_expect_cc(add(h, high, rest), CC_SUCCESS); /* 5900 of 6000 bytes */
    hcd_expect_cc(add_most(h, full, PUPPET_ISOCH_IN), CC_BANDWIDTH_ERROR);
    hcd_expect_cc(hcd_cmd_configure(h, high, 1, 1u << PUPPET_ISOCH_OUT),
                  CC_SUCCESS);
    hcd_expect_cc(add_most(h, full, PUPPET_ISOCH_IN), CC_SUCCESS);
    hcd_finish(h);
}

/* Get Port Bandwidth; percent by port, byte 0 first. */
static unsigned port_bandwidth(Hcd *h, unsigned slot_id, unsigned speed,
                               uint8_t percent[16])
{
    uint64_t context = hcd_alloc_filled(h, 64, 0xff);
    xhci_trb trb = hcd_trb_ptr(
        CMD_GET_PORT_BANDWIDTH, context, 0,
        xhci_set(xhci_set(0, TRB_DEV_SPEED, speed), TRB_SLOT_ID, slot_id));
    HcdEvent event = hcd_cmd(h, trb);

    hcd_check(event.slot_id == 0, "the completion names slot %u",
              event.slot_id);
    qtest_bufread(h->qts, context, percent, 16);
    return event.cc;
}

static void check_percent(Hcd *h, unsigned slot_id, unsigned speed,
                          unsigned port, unsigned want)
{
    uint8_t percent[16];

    hcd_expect_cc(port_bandwidth(h, slot_id, speed, percent), CC_SUCCESS);
    hcd_check(percent[0] == 0, "byte 0 is %02x", percent[0]);
    hcd_check(percent[port] == want,
              "slot %u, speed %u: port %u has %u%%, expected %u%%", slot_id,
              speed, port, percent[port], want);
}

/* xHCI 1.2 §6.2.6: of the bus that the port is, for devices of its speed. */
static void cmd_35_root(void)
{
    Hcd *h = start("-device usb-puppet,id=puppet,bus=xhci.0,speed=full");
    unsigned port = hcd_port_connected(h, 0);
    HcdDev *dev;

    check_percent(h, 0, SPEED_FULL, port, 90);
    check_percent(h, 0, SPEED_HIGH, port, 80);
    dev = hcd_puppet_configured(h);
    check_percent(h, 0, SPEED_HIGH, port, 0);
    check_percent(h, 0, SPEED_SUPER, port, 0);
    check_percent(h, 0, SPEED_FULL, port, 90);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    check_percent(h, 0, SPEED_FULL, port, 21); /* 1350 - 1032 of 1500 */
    check_percent(h, 0, SPEED_LOW, port, 21);
    check_percent(h, 0, SPEED_FULL, port + 1, 90);
    drop(h, dev);
    check_percent(h, 0, SPEED_FULL, port, 90);
    hcd_finish(h);
}

/* Of a hub: its TT for slow devices, its bus for fast ones. */
static void cmd_35_hub(const void *data)
{
    bool mtt = data;
    Hcd *h = start(mtt ? HUB_MTT_ARGS TWO_FULL : HUB_ARGS TWO_FULL);
    HcdDev *hub = hub_open(h);
    HcdDev *dev = open_behind(h, hub, 1);

    hub_configure(h, hub, HUB_PORTS, mtt);
    check_percent(h, hub->slot_id, SPEED_FULL, 1, 90);
    check_percent(h, hub->slot_id, SPEED_HIGH, 1, 80);
    check_percent(h, hub->slot_id, SPEED_SUPER, 1, 0);
    hcd_expect_cc(add_most(h, dev, PUPPET_ISOCH_IN), CC_SUCCESS);
    check_percent(h, hub->slot_id, SPEED_FULL, 1, 21);
    check_percent(h, hub->slot_id, SPEED_LOW, 1, 21);
    check_percent(h, hub->slot_id, SPEED_FULL, 4, mtt ? 90 : 21);
    /* the splits: 188 + 38 + 20 of 7500 bytes, on hub and root port alike */
    check_percent(h, hub->slot_id, SPEED_HIGH, 4, 76);
    check_percent(h, 0, SPEED_HIGH, hub->port_id, 76);
    check_percent(h, 0, SPEED_FULL, hub->port_id, 0);
    hcd_finish(h);
}

/* What is no hub, and no speed. Nothing is written. */
static void cmd_35_refused(void)
{
    Hcd *h = start(HUB_ARGS TWO_FULL);
    HcdDev *hub = hub_open(h), *dev = open_behind(h, hub, 1);
    const struct {
        unsigned slot_id, speed, cc;
    } rows[] = {
        { 0, 0, CC_TRB_ERROR },
        { 0, 5, CC_TRB_ERROR },
        { h->max_slots + 1, SPEED_HIGH, CC_TRB_ERROR },
        { dev->slot_id + 1, SPEED_HIGH, CC_SLOT_NOT_ENABLED },
        { dev->slot_id, SPEED_FULL, CC_CONTEXT_STATE_ERROR },
    };
    uint8_t percent[16];

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        hcd_expect_cc(
            port_bandwidth(h, rows[i].slot_id, rows[i].speed, percent),
            rows[i].cc);
        hcd_check(percent[0] == 0xff, "row %u: something was written", i);
    }
    hcd_expect_cc(add(h, dev, isoch(PUPPET_ISOCH_IN, 3, 8)), CC_SUCCESS);
    hcd_expect_cc(port_bandwidth(h, dev->slot_id, SPEED_FULL, percent),
                  CC_PARAMETER_ERROR);
    hcd_finish(h);
}

/* Events that interrupter n has got, and which slots they name. */
static uint32_t requests_at(Hcd *h, HcdEventRing *ring)
{
    uint32_t slots = 0;
    HcdEvent event;

    while (hcd_event_ring_take(h, ring, &event)) {
        hcd_check(event.type == EVT_BANDWIDTH_REQUEST &&
                      event.cc == CC_SUCCESS && event.ptr == 0,
                  "the event is: %s", hcd_event_text(&event));
        hcd_check(!(slots & 1u << event.slot_id), "slot %u is asked twice",
                  event.slot_id);
        slots |= 1u << event.slot_id;
    }
    return slots;
}

/*
 * xHCI 1.2 §4.6.13, §4.17.1, §6.4.2.4: the others on the bus that have periodic
 * endpoints, at the interrupter of their slot; not the one that asks, not one
 * without such endpoints, not one on another bus.
 */
static void cmd_36_negotiate(void)
{
    Hcd *h = start(HUB_ARGS TWO_FULL PUPPET_AT("puppet3", "1.3", "high")
                       PUPPET_AT("puppet4", "2", "high"));
    HcdDev *hub = hub_open(h), *other, *dev[3];
    HcdEventRing one = hcd_intr_n_open(h, 1, 32);
    HcdEvent event;

    for (unsigned i = 0; i < 3; i++) {
        dev[i] = open_behind(h, hub, i + 1);
        hcd_in_write(h, dev[i], 1, 1, hcd_out_read(h, dev[i], 0, 1));
        hcd_in_write(h, dev[i], 1, 2, xhci_set(0, SLOT_INTR, 1));
        hcd_expect_cc(hcd_cmd_evaluate(h, dev[i], 1), CC_SUCCESS);
    }
    other = hcd_dev_open(h, hcd_port_connected(h, 1));
    hcd_set_configuration(h, other, 1);
    hcd_expect_cc(add(h, other, isoch(PUPPET_ISOCH_IN, 0, 192)), CC_SUCCESS);
    hcd_expect_cc(add(h, dev[0], isoch(PUPPET_ISOCH_IN, 3, 192)), CC_SUCCESS);
    hcd_expect_cc(add(h, dev[1], isoch(PUPPET_ISOCH_IN, 3, 192)), CC_SUCCESS);
    hcd_ep_add(h, dev[2], .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN,
               .mps = 512);
    event =
        hcd_cmd(h, hcd_cmd_trb(CMD_NEGOTIATE_BANDWIDTH, dev[0]->slot_id, 0, 0));
    hcd_check(event.cc == CC_SUCCESS && event.slot_id == dev[0]->slot_id,
              "the completion is: %s", hcd_event_text(&event));
    hcd_expect_quiet(h, 8);
    hcd_check(requests_at(h, &one) == 1u << dev[1]->slot_id,
              "other slots than %u were asked", dev[1]->slot_id);
    hcd_expect_cc(
        hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, dev[2]->slot_id, 0, 0),
        CC_SUCCESS);
    hcd_check(requests_at(h, &one) ==
                  (1u << dev[0]->slot_id | 1u << dev[1]->slot_id),
              "not both were asked");
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.13: a slot that there is; and without BNC no such command. */
static void cmd_36_negotiate_refused(void)
{
    Hcd *h = hcd_start();
    unsigned slot_id = hcd_cmd_enable_slot(h);

    hcd_check(hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_BNC, "BNC is 0");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, 0, 0, 0),
                  CC_TRB_ERROR);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, slot_id + 1, 0, 0),
                  CC_SLOT_NOT_ENABLED);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, slot_id, 0, 0),
                  CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
    h = hcd_start(.props = "hci-version=1.0");
    hcd_check(!(hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_BNC), "BNC is 1");
    slot_id = hcd_cmd_enable_slot(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, slot_id, 0, 0),
                  CC_TRB_ERROR);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NEGOTIATE_BANDWIDTH, slot_id + 1, 0, 0),
                  CC_TRB_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.7, §4.23.5.2: no link wakes up within 125 us that needs 65 ms;
 * the context stays, and the stream runs on. */
static void fp_29_isoch(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa);
    GBytes *before;

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .interval = 0, .esit = 192);
    for (unsigned i = 0; i < 40; i++) {
        td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf, .len = 192, .sia = true,
                 .ioc = i == 39);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    hcd_step_uf(h, 8);
    before = contexts(h, dev);
    hcd_in_write(
        h, dev, 1, 1,
        xhci_set(hcd_out_read(h, dev, 0, 1), SLOT_MAX_EXIT_LATENCY, 0xffff));
    hcd_in_write(h, dev, 1, 2, xhci_set(0, SLOT_INTR, 1));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1), CC_MAX_EXIT_LATENCY_TOO_LARGE);
    hcd_check(g_bytes_equal(before, contexts(h, dev)),
              "the contexts are not as before");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("ISO-45/FP-08-full-speed", iso_45_full_speed);
    hcd_test_add("ISO-45/FP-08-super-speed", iso_45_super_speed);
    hcd_test_add("ISO-45/FP-08-splits-count", iso_45_splits_count);
    for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
        hcd_test_add_data(refusals[i].name, cmd_25_refused, &refusals[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(releases); i++) {
        hcd_test_add_data(releases[i].name, iso_46_release, &releases[i]);
    }
    hcd_test_add("ISO-46/FP-35-host-reset", iso_46_host_reset);
    hcd_test_add("ISO-46/FP-35-multiple-tt", iso_46_multiple_tt);
    hcd_test_add("CMD-35/root", cmd_35_root);
    hcd_test_add_data("CMD-35/hub-one-tt", cmd_35_hub, NULL);
    hcd_test_add_data("CMD-35/hub-many-tts", cmd_35_hub, "mtt");
    hcd_test_add("CMD-35/refused", cmd_35_refused);
    hcd_test_add("CMD-36/negotiate", cmd_36_negotiate);
    hcd_test_add("CMD-36/negotiate-refused", cmd_36_negotiate_refused);
    hcd_test_add("CMD-27/FP-29-isoch", fp_29_isoch);
    return hcd_test_main(argc, argv);
}
