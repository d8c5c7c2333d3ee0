/*
 * What outlives what. A packet is in a device's hands, an event waits for
 * room, a TD for its frame, and then its endpoint, its ring, its port, its
 * device, the controller's run or the controller itself comes to an end. The
 * packet must come back, the event and the TD must get what the specification
 * says, and nobody may be asked who is no longer there.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "compat.h"

#define TABLET_ARGS "-device usb-tablet,id=tablet,bus=xhci.0 "
#define SETTLE_UF 800 /* 100 ms: longer than a reset or link training takes */

static unsigned portsc_offset(unsigned port_id)
{
    return XHCI_PORT_SET + XHCI_PORT_STRIDE * (port_id - 1);
}

static uint32_t pls(unsigned state)
{
    return xhci_set(0, PORTSC_PLS, state) | PORTSC_LWS;
}

/* All that the test has given to the controller. */
typedef struct {
    uint64_t end;
    uint8_t *bytes;
} Snapshot;

static Snapshot take_snapshot(Hcd *h)
{
    Snapshot s = { .end = h->heap, .bytes = g_malloc(h->heap) };

    qtest_bufread(h->qts, 0, s.bytes, s.end);
    return s;
}

static void check_unchanged(Hcd *h, const Snapshot *s, const char *what)
{
    g_autofree uint8_t *now = g_malloc(s->end);

    qtest_bufread(h->qts, 0, now, s->end);
    for (uint64_t i = 0; i < s->end; i++) {
        hcd_check(now[i] == s->bytes[i],
                  "%s: memory at %" PRIx64 " was written", what, i);
    }
}

/* Ways to take an endpoint away whose packet the device holds. */
static void stop(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
}

static void drop(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 1u << PUPPET_IN), CC_SUCCESS);
}

static void deconfigure(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(
        hcd_cmd_simple(h, CMD_CONFIGURE_ENDPOINT, dev->slot_id, 0, TRB_DC),
        CC_SUCCESS);
}

static void reset_device(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0),
                  CC_SUCCESS);
}

static void disable_slot(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
}

static void halt(Hcd *h, HcdDev *dev)
{
    hcd_halt(h);
}

static void host_error(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, XHCI_DCBAAP_HI, 0x7fffffff);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));
    hcd_cmd_post(h, hcd_trb_ptr(CMD_ADDRESS_DEVICE, UINT64_C(1) << 60, 0,
                                xhci_set(0, TRB_SLOT_ID, 2)));
    hcd_doorbell(h, 0, 0);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HSE, "no Host System Error");
}

static void port_reset(Hcd *h, HcdDev *dev)
{
    hcd_portsc_write(h, dev->port_id, PORTSC_PR);
}

static void port_disable(Hcd *h, HcdDev *dev)
{
    hcd_portsc_write(h, dev->port_id, PORTSC_PED);
}

static void port_power(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, portsc_offset(dev->port_id), 0);
}

static void system_reset(Hcd *h, HcdDev *dev)
{
    qtest_qmp_assert_success(h->qts, "{'execute': 'system_reset'}");
    qtest_qmp_eventwait(h->qts, "RESET");
    hcd_pci_enable(h);
}

static void host_reset(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
}

static void unplug(Hcd *h, HcdDev *dev)
{
    hcd_unplug(h, "puppet");
}

typedef struct {
    const char *name;
    void (*take)(Hcd *h, HcdDev *dev);
    unsigned cc; /* of the TD's event; 0: none */
    bool gone;   /* the device, too */
} take_case;

static const take_case take_cases[] = {
    { "LIFE/held-stop", stop, CC_STOPPED, false },
    { "LIFE/held-drop", drop, 0, false },
    { "LIFE/held-deconfigure", deconfigure, 0, false },
    { "LIFE/held-reset-device", reset_device, 0, false },
    { "LIFE/held-disable-slot", disable_slot, 0, false },
    { "LIFE/held-halt", halt, 0, false },
    { "LIFE/held-host-error", host_error, 0, false },
    { "LIFE/held-host-reset", host_reset, 0, false },
    { "LIFE/held-system-reset", system_reset, 0, false },
    { "LIFE/held-port-reset", port_reset, CC_USB_TRANSACTION_ERROR, false },
    { "LIFE/held-port-disable", port_disable, CC_USB_TRANSACTION_ERROR, false },
    { "LIFE/held-port-power", port_power, CC_USB_TRANSACTION_ERROR, false },
    { "LIFE/held-unplug", unplug, CC_USB_TRANSACTION_ERROR, true },
};

/* xHCI 1.2 §4.6.4, §4.6.6, §4.6.9, §4.6.11, §4.10.2.3, §5.4.1: the packet
 * comes back once, the TD has one event or none, and the buffer is left. */
static void held_packet(const void *data)
{
    const take_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, 512, 0xaa), trb;
    HcdEvent event;
    unsigned cc = 0;

    hcd_event_drain(h);
    hcd_puppet_answer(h, "hold");
    trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 512, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_check(hcd_puppet_holds(h), "the device does not have the packet");
    c->take(h, dev);
    hcd_check(c->gone || (!hcd_puppet_holds(h) &&
                          hcd_puppet_count(h, "cancelled") == 1),
              "the device still has the packet");
    hcd_step_uf(h, SETTLE_UF);
    while (hcd_event_take(h, &event)) {
        if (event.type == EVT_TRANSFER) {
            hcd_check(!cc && event.ptr == trb, "the event is: %s",
                      hcd_event_text(&event));
            cc = event.cc;
        }
    }
    hcd_check(cc == c->cc, "the TD ended with code %u, expected %u", cc, c->cc);
    hcd_check(hcd_mem_is(h, buf - 64, 512 + 128, 0xaa), "the buffer was used");
    hcd_pci_enable_msix(h);
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* What a controller that is pulled out may be in the middle of. */
static void while_streaming(Hcd *h)
{
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t buf = hcd_alloc(h, 192, 64);

    for (unsigned i = 0; i < 200; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
                 .ioc = true);
        td_isoch(h, dev, ISOAV_OUT, .buf = buf, .len = 192, .sia = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    hcd_step_uf(h, 20);
}

static void while_port_resets(Hcd *h)
{
    hcd_portsc_write(h, hcd_port_connected(h, 0), PORTSC_PR);
}

/* The second interrupt waits for the end of the first one's interval. */
static void while_moderating(Hcd *h)
{
    hcd_intr_write(h, XHCI_IMOD, 4000);
    hcd_step_uf(h, 16);
    for (unsigned i = 0; i < 2; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    }
}

typedef struct {
    const char *name;
    const char *args;
    void (*begin)(Hcd *h);
} unplug_case;

static const unplug_case unplug_cases[] = {
    { "LIFE/controller-unplug-streaming", ISOAV_ARGS, while_streaming },
    { "LIFE/controller-unplug-port-reset", TABLET_ARGS, while_port_resets },
    { "LIFE/controller-unplug-moderating", "", while_moderating },
};

/* PCI hot unplug: no timer, no device, no packet outlives the controller. */
static void controller_unplug(const void *data)
{
    enum { ACPI_PCI_EJECT = 0xae08, PCI_SLOT = 4 };
    const unplug_case *c = data;
    Hcd *h = hcd_start(.machine = "pc", .args = c->args);

    c->begin(h);
    qtest_qmp_assert_success(
        h->qts, "{'execute': 'device_del', 'arguments': {'id': 'xhci'}}");
    qtest_outl(h->qts, ACPI_PCI_EJECT, 1u << PCI_SLOT);
    for (unsigned i = 0; i < 4; i++) {
        hcd_step_uf(h, HCD_UF_PER_SECOND / 4);
    }
    hcd_check(hcd_pci_read(h, 0) == 0xffffffffu, "the controller is there");
    qtest_quit(h->qts);
}

/*
 * xHCI 1.2 §4.10.2.3: a hub goes, and a device behind it that was created but
 * never attached goes without a word. Nobody may have it for a device.
 */
static void hub_unplug(void)
{
    Hcd *h = hcd_start(.args = "-device usb-hub,id=hub,bus=xhci.0,port=1 ");
    HcdDev *dev;
    unsigned cc;

    qtest_qmp_device_add(h->qts, "usb-bot", "bot",
                         "{'bus': 'xhci.0', 'port': '1.1'}");
    dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    hcd_in_write(h, dev, 1, 0,
                 xhci_set(hcd_in_read(h, dev, 1, 0), SLOT_ROUTE, 1));
    cc = hcd_cmd_address(h, dev, TRB_BSR);
    hcd_unplug(h, "hub");
    hcd_step_uf(h, 80);
    td_setup(h, dev, (HcdSetup){ .type = 0x80, .request = 6, .value = 0x100 });
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_step_uf(h, 80);
    hcd_expect_cc(cc, CC_USB_TRANSACTION_ERROR);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.2: DCI 1 is the control endpoint, there is no second. */
static void cmd_24_second_control_endpoint(void)
{
    static const unsigned dcis[] = { 2, 3, 5, 31 };
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);

    for (unsigned i = 0; i < ARRAY_SIZE(dcis); i++) {
        hcd_ep_prepare(
            h, dev,
            (HcdEp){ .dci = dcis[i], .type = EP_TYPE_CONTROL, .mps = 64 });
        hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << dcis[i] | 1, 0),
                      CC_PARAMETER_ERROR);
        hcd_check(hcd_ep_state(h, dev, dcis[i]) == EP_STATE_DISABLED,
                  "DCI %u is in state %u", dcis[i],
                  hcd_ep_state(h, dev, dcis[i]));
    }
    hcd_finish(h);
}

static void fill_ring_1(Hcd *h, HcdDev *dev)
{
    for (unsigned i = 0; i < 20; i++) {
        td_noop(h, dev, PUPPET_OUT, .ioc = true, .target = 1);
    }
    hcd_ring_ep(h, dev, PUPPET_OUT);
    hcd_step_uf(h, 8);
}

/* xHCI 1.2 §5.5.2.3.1, §4.9.4: a full ring holds everybody up; when it is
 * closed nobody waits for it any more. */
static void evt_04_full_ring_closed(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    HcdEventRing ring = hcd_intr_n_open(h, 1, 16);
    uint64_t noop;
    HcdEvent event;

    fill_ring_1(h, dev);
    noop = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 80);
    hcd_intr_n_write(h, 1, XHCI_ERSTSZ, 0);
    hcd_check(hcd_event_wait(h, 8, &event) && event.ptr == noop,
              "no command runs after the full ring was closed");
    hcd_intr_n_write(h, 1, XHCI_ERDP_LO, ring.base | ERDP_EHB);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.4: another ring in place of the full one is room enough. */
static void evt_01_full_ring_opened_again(void)
{
    Hcd *h = hcd_start(.event_trbs = 16);
    uint64_t last = 0, noop = 0;
    HcdEvent event;

    h->keep_erdp = true;
    for (unsigned i = 0; i < 30; i++) {
        noop = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 8);
    hcd_event_ring_init(h, 64);
    h->keep_erdp = false;
    while (last != noop) {
        event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);
        hcd_check(!last || event.ptr == last + XHCI_TRB_BYTES,
                  "the event is: %s; the one before was for %" PRIx64,
                  hcd_event_text(&event), last);
        last = event.ptr;
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.3.3: a pointer that names no place in the full ring, such
 * as one of which the other half is still to come, frees no room. */
static void evt_05_pointer_outside(void)
{
    Hcd *h = hcd_start(.event_trbs = 16);
    uint64_t outside = hcd_alloc(h, 4096, 4096), trb[30];
    unsigned done = 0;
    HcdEvent event;
    Snapshot before;

    h->keep_erdp = true;
    for (unsigned i = 0; i < 30; i++) {
        trb[i] = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 8);
    before = take_snapshot(h);
    hcd_intr_write(h, XHCI_ERDP_LO, outside);
    hcd_step_uf(h, 8);
    check_unchanged(h, &before, "ERDP outside the ring");
    h->keep_erdp = false;
    while (done < 30) {
        hcd_check(hcd_event_wait(h, 80, &event), "event %u is lost", done);
        if (event.type == EVT_COMMAND_COMPLETION) {
            hcd_check(event.ptr == trb[done++], "the event is: %s",
                      hcd_event_text(&event));
        }
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1.1: with HCH = 1 memory is left alone, whatever waits and
 * whatever happens; what waited for room when it stopped may be lost. */
static void op_03_nothing_written_while_halted(void)
{
    Hcd *h = hcd_start(.event_trbs = 16, .puppet = true, .args = TABLET_ARGS);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, 512, 0xaa);
    HcdEvent event;
    Snapshot before;

    hcd_puppet_answer(h, "nak");
    td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 512, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    h->keep_erdp = true;
    for (unsigned i = 0; i < 30; i++) {
        hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 8);
    hcd_halt(h);
    while (hcd_event_take(h, &event)) {
    }
    before = take_snapshot(h);
    hcd_event_ack(h);
    check_unchanged(h, &before, "ERDP");
    hcd_doorbell(h, 0, 0);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "wake");
    hcd_portsc_write(h, dev->port_id, PORTSC_PR);
    hcd_unplug(h, "tablet");
    hcd_step_uf(h, SETTLE_UF);
    check_unchanged(h, &before, "doorbells, a device, a port");
    hcd_unplug(h, "puppet");
    hcd_step_uf(h, SETTLE_UF);
    check_unchanged(h, &before, "unplug");
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.2.8: EWE = 1 asks for the wraps to come. */
static void iso_03_late_ewe(void)
{
    Hcd *h = hcd_start();
    uint64_t left;
    HcdEvent event;

    hcd_step_uf(h, 3 * HCD_UF_PER_SECOND);
    hcd_event_drain(h);
    hcd_op_write(h, XHCI_USBCMD, hcd_op_read(h, XHCI_USBCMD) | USBCMD_EWE);
    left = MFINDEX_MASK + 1 - hcd_mfindex(h);
    hcd_expect_quiet(h, left - 1);
    event = hcd_expect_type(h, EVT_MFINDEX_WRAP);
    hcd_check(hcd_mfindex(h) <= 1, "at MFINDEX %04x: %s", hcd_mfindex(h),
              hcd_event_text(&event));
    hcd_expect_quiet(h, MFINDEX_MASK);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.4, §5.4.8: without power a port has no link to speak of. */
static void port_17_no_power(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id = hcd_port_connected(h, 0), portsc;

    hcd_step_uf(h, SETTLE_UF);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    hcd_op_write(h, portsc_offset(port_id), 0);
    portsc = hcd_portsc(h, port_id);
    for (unsigned state = 0; state < 16; state++) {
        hcd_op_write(h, portsc_offset(port_id), pls(state));
        hcd_expect_quiet(h, 80);
        hcd_check(hcd_portsc(h, port_id) == portsc,
                  "PLS = %u: PORTSC went from %08x to %08x without power",
                  state, portsc, hcd_portsc(h, port_id));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.2.1: a disabled USB3 port sees no device come or go. */
static void port_18_blind(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    uint32_t portsc;

    hcd_step_uf(h, SETTLE_UF);
    hcd_portsc_write(h, port_id, PORTSC_PED);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_step_uf(h, 8);
    hcd_event_drain(h);
    portsc = hcd_portsc(h, port_id);
    hcd_unplug(h, "msd");
    hcd_expect_quiet(h, SETTLE_UF);
    hcd_check(hcd_portsc(h, port_id) == portsc,
              "a device left: PORTSC went from %08x to %08x", portsc,
              hcd_portsc(h, port_id));
    qtest_qmp_device_add(h->qts, "usb-storage", "again",
                         "{'bus': 'xhci.0', 'port': '1', 'drive': 'disk'}");
    hcd_expect_quiet(h, SETTLE_UF);
    hcd_check(hcd_portsc(h, port_id) == portsc,
              "a device came: PORTSC went from %08x to %08x", portsc,
              hcd_portsc(h, port_id));
    hcd_portsc_write(h, port_id, pls(PLS_RX_DETECT));
    hcd_step_uf(h, SETTLE_UF);
    portsc = hcd_portsc(h, port_id);
    hcd_check((portsc & PORTSC_CCS) && (portsc & PORTSC_PED) &&
                  (portsc & PORTSC_CSC),
              "after RxDetect PORTSC is %08x", portsc);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(take_cases); i++) {
        hcd_test_add_data(take_cases[i].name, held_packet, &take_cases[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(unplug_cases); i++) {
        hcd_test_add_data(unplug_cases[i].name, controller_unplug,
                          &unplug_cases[i]);
    }
    hcd_test_add("LIFE/hub-unplug", hub_unplug);
    hcd_test_add("CMD-24/second-control-endpoint",
                 cmd_24_second_control_endpoint);
    hcd_test_add("EVT-01/full-ring-opened-again",
                 evt_01_full_ring_opened_again);
    hcd_test_add("EVT-04/full-ring-closed", evt_04_full_ring_closed);
    hcd_test_add("EVT-05/pointer-outside", evt_05_pointer_outside);
    hcd_test_add("OP-03/nothing-written-while-halted",
                 op_03_nothing_written_while_halted);
    hcd_test_add("ISO-03/late-ewe", iso_03_late_ewe);
    hcd_test_add("PORT-17/no-power", port_17_no_power);
    hcd_test_add("PORT-18/blind", port_18_blind);
    return hcd_test_main(argc, argv);
}
