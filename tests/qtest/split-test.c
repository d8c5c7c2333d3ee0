/*
 * Devices of full and low speed behind a high-speed hub: whose transaction
 * translator they are behind (xHCI 1.2 §6.2.2), and how split transactions
 * stream and fail (§4.10.2, §6.4.5).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hub.h"
#include "lib/iso.h"

static Hcd *start(const char *args)
{
    return hcd_start(.args = args, .puppet_in_args = true);
}

/* xHCI 1.2 §6.2.2.1, §6.2.2.2: Address Device keeps where the TT is, and only
 * Configure Endpoint says that the hub has one for each port. */
static void ctx_03_tt_fields(void)
{
    Hcd *h = start(HUB_MTT_ARGS HUB_PUPPET_AT("1.2"));
    HcdDev *hub = hub_open(h), *dev;
    uint32_t dw2;

    hub_port_enable(h, hub, 2);
    dev = hub_child_ready(h, hub, 2);
    hcd_in_write(h, dev, 1, 0, hcd_in_read(h, dev, 1, 0) | SLOT_MTT);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    dw2 = hcd_out_read(h, dev, 0, 2);
    hcd_check(xhci_get(dw2, SLOT_TT_HUB) == hub->slot_id &&
                  xhci_get(dw2, SLOT_TT_PORT) == 2,
              "Slot Context DW2 is %08x", dw2);
    hcd_check(!(hcd_out_read(h, dev, 0, 0) & (SLOT_MTT | SLOT_HUB)),
              "Slot Context DW0 is %08x", hcd_out_read(h, dev, 0, 0));
    hcd_check(!(hcd_out_read(h, hub, 0, 0) & SLOT_MTT), "the hub has MTT");
    hub_configure(h, hub, HUB_PORTS, true);
    hcd_check(hcd_out_read(h, hub, 0, 0) & SLOT_MTT, "the hub has no MTT");
    hub_configure(h, hub, HUB_PORTS, false);
    hcd_check(!(hcd_out_read(h, hub, 0, 0) & SLOT_MTT), "the hub has MTT");
    hcd_finish(h);
}

/* What Address Device is told, and what it says to that. */
typedef struct {
    const char *name;
    unsigned hub; /* 0: none, 1: the hub, 2: no slot, 3: another device */
    unsigned port;
    unsigned cc;
} tt_case;

static const tt_case tt_cases[] = {
    { "CMD-16/tt-right", 1, 2, CC_SUCCESS },
    { "CMD-16/tt-wrong-port", 1, 3, CC_PARAMETER_ERROR },
    { "CMD-16/tt-port-0", 1, 0, CC_PARAMETER_ERROR },
    { "CMD-16/tt-no-slot", 2, 2, CC_PARAMETER_ERROR },
    { "CMD-16/tt-no-hub", 3, 2, CC_PARAMETER_ERROR },
    /* a full-speed packet on a high-speed bus: nobody answers */
    { "CMD-15/tt-missing", 0, 0, CC_USB_TRANSACTION_ERROR },
};

static void cmd_16_tt(const void *data)
{
    const tt_case *c = data;
    Hcd *h = start(HUB_PUPPET_ARGS "-device usb-kbd,bus=xhci.0,port=1.1");
    HcdDev *hub = hub_open(h), *kbd, *dev;

    hub_port_enable(h, hub, 1);
    kbd = hub_child_open(h, hub, 1);
    hub_port_enable(h, hub, 2);
    dev = hub_child_ready(h, hub, 2);
    dev->tt_hub = c->hub == 1   ? hub->slot_id
                  : c->hub == 2 ? dev->slot_id + 1
                  : c->hub == 3 ? kbd->slot_id
                                : 0;
    dev->tt_port = c->port;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), c->cc);
    hcd_check((hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED) ==
                  (c->cc == CC_SUCCESS),
              "after code %u the slot is in state %u", c->cc,
              hcd_slot_state(h, dev));
    hcd_finish(h);
}

/* A full-speed hub behind the high-speed one: what is behind it has the same
 * TT as itself, and the port of the high-speed hub. */
static void cmd_16_tt_two_tiers(void)
{
    Hcd *h = start(HUB_ARGS "-device usb-hub,bus=xhci.0,port=1.3,ports=4 "
                            "-device usb-kbd,bus=xhci.0,port=1.3.1,id=kbd");
    HcdDev *hub = hub_open(h), *hub2 = hub_open_behind(h, hub, 3), *dev;

    hcd_check(hub2->speed == SPEED_FULL, "the hub is of speed %u", hub2->speed);
    hub_port_enable(h, hub2, 1);
    dev = hub_child_ready(h, hub2, 1);
    hcd_check(dev->tt_hub == hub->slot_id && dev->tt_port == 3 &&
                  dev->route == 0x13,
              "route %x, TT %u port %u", dev->route, dev->tt_hub, dev->tt_port);
    dev->tt_hub = hub2->slot_id;
    dev->tt_port = 1;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_PARAMETER_ERROR);
    dev->tt_hub = hub->slot_id;
    dev->tt_port = 3;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_set_configuration(h, dev, 1);
    hcd_finish(h);
}

/* A hub that is on no way to the device, if it has a port of the same number.
 */
static void cmd_16_tt_other_hub(void)
{
    Hcd *h =
        start(HUB_ARGS
              "-device usb-isohub,bus=xhci.0,port=1.1 "
              "-device usb-isohub,bus=xhci.0,port=1.3 " HUB_PUPPET_AT("1.1.2"));
    HcdDev *hub = hub_open(h), *near = hub_open_behind(h, hub, 1);
    HcdDev *other = hub_open_behind(h, hub, 3), *dev;

    hub_port_enable(h, near, 2);
    dev = hub_child_ready(h, near, 2);
    hcd_check(dev->tt_hub == near->slot_id && dev->tt_port == 2,
              "TT %u port %u", dev->tt_hub, dev->tt_port);
    dev->tt_hub = other->slot_id;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_PARAMETER_ERROR);
    /* on the way, but not where the way leaves high speed */
    dev->tt_hub = hub->slot_id;
    dev->tt_port = 1;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_USB_TRANSACTION_ERROR);
    dev->tt_hub = near->slot_id;
    dev->tt_port = 2;
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_finish(h);
}

static void check_ep(Hcd *h, HcdDev *dev, unsigned dci, unsigned want)
{
    hcd_check(hcd_ep_state(h, dev, dci) == want,
              "DCI %u is in state %u, expected %u", dci,
              hcd_ep_state(h, dev, dci), want);
}

/* xHCI 1.2 §4.10.2, §4.6.8: after CErr tries, Halted; the driver clears the
 * TT's buffer, resets the endpoint, and the same TD runs. */
static void fp_36_bulk(void)
{
    HcdSetup clear_tt = { .type = 0x23, .request = 8, .index = 1 };
    Hcd *h = start(HUB_PUPPET_ARGS);
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa), trb;

    hcd_ep_add(h, dev, .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN, .mps = 64,
               .cerr = 2);
    hcd_puppet_answer(h, "ioerror");
    trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SPLIT_TRANSACTION,
                  .ptr = trb, .len = 64);
    check_ep(h, dev, PUPPET_IN, EP_STATE_HALTED);
    hcd_check(hcd_puppet_count(h, "packets") == 2, "there were %u tries",
              (unsigned)hcd_puppet_count(h, "packets"));
    hcd_expect_cc(hub_request(h, hub, clear_tt), CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, PUPPET_IN), CC_SUCCESS);
    hcd_puppet_answer(h, "success");
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: isochronous: one try, and the next TD in the next ESIT. */
static void fp_36_isoch(void)
{
    Hcd *h = start(HUB_PUPPET_ARGS);
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa), trb[4], last = 0;

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .interval = 3, .esit = 192);
    for (unsigned i = 0; i < 4; i++) {
        trb[i] = td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf, .len = 192,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    for (unsigned i = 0; i < 4; i++) {
        unsigned cc = i == 1 || i == 2 ? CC_SPLIT_TRANSACTION : CC_SUCCESS;
        HcdEvent event;

        hcd_puppet_answer(h, cc == CC_SUCCESS ? "success" : "ioerror");
        event = hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = cc,
                              .ptr = trb[i],
                              .len = cc == CC_SUCCESS ? HCD_LEN_0 : 192);
        hcd_check(!last || event.uf == last + 8,
                  "TD %u at %" PRIu64 ", the one before at %" PRIu64, i,
                  event.uf, last);
        last = event.uf;
        check_ep(h, dev, PUPPET_ISOCH_IN, EP_STATE_RUNNING);
    }
    hcd_finish(h);
}

/* Who goes, and what the TD that waits behind the TT is told: as long as the
 * hub answers, it says that the split failed. */
typedef struct {
    const char *name;
    const char *gone;
    unsigned cc;
} gone_case;

static const gone_case gone_cases[] = {
    { "FP-36/device-unplugged", "kbd", CC_SPLIT_TRANSACTION },
    { "FP-36/hub-unplugged", "hub", CC_USB_TRANSACTION_ERROR },
};

static void fp_36_gone(const void *data)
{
    const gone_case *c = data;
    Hcd *h = start(HUB_ARGS
                   "-device usb-kbd,id=kbd,bus=xhci.0,port=1.2,usb_version=1");
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);
    HcdEvent event;

    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = 3, .esit = 8);
    td_normal(h, dev, KBD_IN, .buf = hcd_alloc_filled(h, 8, 0), .len = 8,
              .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_quiet(h, 80);
    hcd_unplug(h, c->gone);
    do {
        hcd_check(hcd_event_wait(h, 80, &event), "no event for the TD");
    } while (event.type != EVT_TRANSFER);
    hcd_expect_cc(event.cc, c->cc);
    check_ep(h, dev, KBD_IN, EP_STATE_HALTED);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.4: without its hub's slot there is no way to the device. */
static void fp_36_slot_gone(void)
{
    Hcd *h = start(HUB_PUPPET_ARGS);
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);

    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, hub->slot_id, 0, 0),
                  CC_SUCCESS);
    td_setup(h, dev, (HcdSetup){ .type = 0, .request = 9, .value = 1 });
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_USB_TRANSACTION_ERROR);
    hcd_finish(h);
}

/* The hub of a TT may have a higher slot than what is behind it; both come
 * along, and are put together again. */
static void hub_split_migrates(void)
{
    Hcd *h = start(HUB_ARGS
                   "-device usb-kbd,id=kbd,bus=xhci.0,port=1.2,usb_version=1");
    unsigned low = hcd_cmd_enable_slot(h);
    HcdDev *hub = hub_open(h), *dev;
    uint64_t trb;

    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, low, 0, 0), CC_SUCCESS);
    dev = hub_puppet_configured(h, hub);
    hcd_check(dev->slot_id < hub->slot_id, "slot %u behind slot %u",
              dev->slot_id, hub->slot_id);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = 3, .esit = 8);
    trb = td_normal(h, dev, KBD_IN, .buf = hcd_alloc_filled(h, 8, 0), .len = 8,
                    .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_quiet(h, 80);
    hcd_migrate(h);
    hcd_expect_quiet(h, 80);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.6, §4.14.2: legal Intervals by type and speed. */
typedef struct {
    const char *name;
    const char *speed;
    unsigned type, dci, first, last;
} interval_case;

static const interval_case interval_cases[] = {
    { "ISO-04/full-isoch-range", "full", EP_TYPE_ISOCH_IN, PUPPET_ISOCH_IN, 3,
      18 },
    { "ISO-04/full-interrupt-range", "full", EP_TYPE_INTERRUPT_IN, PUPPET_INT,
      3, 10 },
    { "ISO-04/low-interrupt-range", "low", EP_TYPE_INTERRUPT_IN, PUPPET_INT, 3,
      10 },
    { "ISO-04/high-isoch-range", "high", EP_TYPE_ISOCH_IN, PUPPET_ISOCH_IN, 0,
      15 },
    { "ISO-04/high-interrupt-range", "high", EP_TYPE_INTERRUPT_IN, PUPPET_INT,
      0, 15 },
};

static void iso_04_range(const void *data)
{
    const interval_case *c = data;
    g_autofree char *args = g_strdup_printf(
        HUB_ARGS "-device usb-puppet,id=puppet,port=1.2,speed=%s", c->speed);
    Hcd *h = start(args);
    HcdDev *hub = hub_open(h), *dev;

    hub_port_enable(h, hub, 2);
    dev = hub_child_open(h, hub, 2);
    hcd_set_configuration(h, dev, 1);
    for (unsigned interval = 0; interval < 20; interval++) {
        bool legal = interval >= c->first && interval <= c->last;
        HcdEp ep = { .dci = c->dci,
                     .type = c->type,
                     .mps = 8,
                     .interval = interval,
                     .esit = 8 };
        unsigned cc;

        hcd_ep_prepare(h, dev, ep);
        cc = hcd_cmd_configure(h, dev, 1u << c->dci | 1, 1u << c->dci);
        hcd_check(cc == (legal ? CC_SUCCESS : CC_PARAMETER_ERROR),
                  "Interval %u: code %u", interval, cc);
    }
    hcd_finish(h);
}

/* 2^Interval microframes from TD to TD, through the TT, from a frame's first
 * microframe on. */
static void iso_04_full_period(const void *data)
{
    unsigned interval = GPOINTER_TO_UINT(data);
    Hcd *h = start(HUB_PUPPET_ARGS);
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);
    uint64_t buf = hcd_alloc_filled(h, 8 * 100, 0xaa), trb[8], last = 0;
    uint8_t got[8 * 100];

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 100, .interval = interval, .esit = 100);
    for (unsigned i = 0; i < 8; i++) {
        trb[i] = td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf + 100 * i,
                          .len = 100, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    for (unsigned i = 0; i < 8; i++) {
        HcdEvent event =
            hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN,
                          .cc = CC_SUCCESS, .ptr = trb[i], .len = HCD_LEN_0);

        hcd_check(!last || event.uf == last + (1u << interval),
                  "TD %u at %" PRIu64 ", the one before at %" PRIu64, i,
                  event.uf, last);
        hcd_check((hcd_mfindex(h) & ((1u << interval) - 1)) <= 1,
                  "TD %u was done at MFINDEX %x", i, hcd_mfindex(h));
        last = event.uf;
    }
    qtest_bufread(h->qts, buf, got, sizeof(got));
    for (unsigned i = 0; i < sizeof(got); i++) {
        hcd_check(got[i] == (uint8_t)i, "byte %u is %02x", i, got[i]);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: Frame IDs count for split streams as for others. */
static void iso_07_split(void)
{
    Hcd *h = start(HUB_PUPPET_ARGS);
    HcdDev *hub = hub_open(h), *dev = hub_puppet_configured(h, hub);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa), trb;
    IsoFrame now;
    HcdEvent event;

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_OUT, .type = EP_TYPE_ISOCH_OUT,
               .mps = 192, .interval = 3, .esit = 192);
    now = iso_frame_now(h);
    trb = td_isoch(h, dev, PUPPET_ISOCH_OUT, .buf = buf, .len = 192,
                   .frame_id = iso_frame_id(now, 20), .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_ISOCH_OUT);
    event = hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_OUT,
                          .cc = CC_SUCCESS, .ptr = trb);
    hcd_check(event.uf >= iso_frame_uf(now, 20) &&
                  event.uf <= iso_frame_uf(now, 20) + 8,
              "the TD was done at %" PRIu64 ", its frame begins at %" PRIu64,
              event.uf, iso_frame_uf(now, 20));
    hcd_check(hcd_puppet_count(h, "received") == 192, "%u bytes arrived",
              (unsigned)hcd_puppet_count(h, "received"));
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("CTX-03/tt-fields", ctx_03_tt_fields);
    for (unsigned i = 0; i < ARRAY_SIZE(tt_cases); i++) {
        hcd_test_add_data(tt_cases[i].name, cmd_16_tt, &tt_cases[i]);
    }
    hcd_test_add("CMD-16/tt-two-tiers", cmd_16_tt_two_tiers);
    hcd_test_add("CMD-16/tt-other-hub", cmd_16_tt_other_hub);
    hcd_test_add("FP-36/bulk", fp_36_bulk);
    hcd_test_add("FP-36/isoch", fp_36_isoch);
    for (unsigned i = 0; i < ARRAY_SIZE(gone_cases); i++) {
        hcd_test_add_data(gone_cases[i].name, fp_36_gone, &gone_cases[i]);
    }
    hcd_test_add("FP-36/slot-gone", fp_36_slot_gone);
    hcd_test_add("HUB/split-migrates", hub_split_migrates);
    for (unsigned i = 0; i < ARRAY_SIZE(interval_cases); i++) {
        hcd_test_add_data(interval_cases[i].name, iso_04_range,
                          &interval_cases[i]);
    }
    hcd_test_add_data("ISO-04/full-period-3", iso_04_full_period,
                      GUINT_TO_POINTER(3));
    hcd_test_add_data("ISO-04/full-period-5", iso_04_full_period,
                      GUINT_TO_POINTER(5));
    hcd_test_add("ISO-07/split", iso_07_split);
    return hcd_test_main(argc, argv);
}
