/*
 * The command ring itself, and the commands that need no endpoint at work
 * (xHCI 1.2 §4.6.1 to §4.6.5, §4.6.11 on): order, stop, abort, slots,
 * addresses. The commands for endpoints are in epcmd-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define TABLET_ARGS "-device usb-tablet,id=tablet,bus=xhci.0 "

static uint64_t post_noop(Hcd *h)
{
    return hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
}

static HcdEvent expect_cce(Hcd *h, uint64_t ptr, unsigned cc)
{
    HcdEvent event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);

    hcd_check(event.ptr == ptr && event.cc == cc,
              "the event is: %s; expected code %u, pointer %" PRIx64,
              hcd_event_text(&event), cc, ptr);
    return event;
}

/* xHCI 1.2 §4.6.1: in order, one event each. */
static void cmd_01_order(void)
{
    Hcd *h = hcd_start();
    uint64_t trb[5];

    for (unsigned i = 0; i < 5; i++) {
        trb[i] = post_noop(h);
    }
    hcd_doorbell(h, 0, 0);
    for (unsigned i = 0; i < 5; i++) {
        expect_cce(h, trb[i], CC_SUCCESS);
    }
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.3: Link TRBs toggle the cycle and complete nothing. */
static void cmd_02_links(void)
{
    Hcd *h = hcd_start();

    hcd_halt(h);
    h->cmd = hcd_ring_new(h, 6);
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    for (unsigned lap = 0; lap < 15; lap++) {
        uint64_t trb[3];

        for (unsigned i = 0; i < 3; i++) {
            trb[i] = post_noop(h);
        }
        hcd_doorbell(h, 0, 0);
        for (unsigned i = 0; i < 3; i++) {
            expect_cce(h, trb[i], CC_SUCCESS);
        }
    }
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.2.2: the Slot ID of a No Op is 0, whatever came before. */
static void cmd_03_slot_id(void)
{
    Hcd *h = hcd_start();
    uint64_t enable = hcd_cmd_post(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));
    uint64_t noop = post_noop(h);
    HcdEvent event;

    hcd_doorbell(h, 0, 0);
    event = expect_cce(h, enable, CC_SUCCESS);
    hcd_check(event.slot_id, "Enable Slot returned slot 0");
    event = expect_cce(h, noop, CC_SUCCESS);
    hcd_check(event.slot_id == 0, "the completion of a No Op names slot %u",
              event.slot_id);
    hcd_finish(h);
}

static void check_crr(Hcd *h, bool want)
{
    uint32_t crcr = hcd_op_read(h, XHCI_CRCR_LO);

    hcd_check(!!(crcr & CRCR_CRR) == want, "CRCR is %08x, CRR should be %u",
              crcr, want);
}

/* xHCI 1.2 §4.6.1.1: Command Stop, and the doorbell that goes on. */
static void cmd_04_stop(void)
{
    Hcd *h = hcd_start();
    uint64_t next;

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    next = post_noop(h);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    expect_cce(h, next, CC_COMMAND_RING_STOPPED);
    check_crr(h, false);
    hcd_expect_quiet(h, 80);
    hcd_doorbell(h, 0, 0);
    expect_cce(h, next, CC_SUCCESS);
    check_crr(h, true);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.1.2: Command Abort between commands is a stop. */
static void cmd_05_abort(void)
{
    Hcd *h = hcd_start();
    uint64_t next;

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    next = post_noop(h);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CA);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    expect_cce(h, next, CC_COMMAND_RING_STOPPED);
    check_crr(h, false);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.5: CS and CA need CRR = 1. */
static void cmd_06_stop_when_idle(void)
{
    Hcd *h = hcd_start();

    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)h->cmd.base | CRCR_RCS | CRCR_CA);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)h->cmd.base | CRCR_RCS | CRCR_CS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.1.1: after a stop the ring may be somewhere else. */
static void cmd_07_new_ring_after_stop(void)
{
    Hcd *h = hcd_start();

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    expect_cce(h, hcd_ring_next(&h->cmd), CC_COMMAND_RING_STOPPED);
    h->cmd = hcd_ring_new(h, 16);
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.2 */
static void cmd_08_no_op(void)
{
    Hcd *h = hcd_start();
    HcdEvent event = hcd_cmd(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));

    hcd_expect_cc(event.cc, CC_SUCCESS);
    hcd_check(event.len == 0, "Command Completion Parameter is %u", event.len);
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.5: a TRB that is no command here is a TRB Error. */
static void cmd_09_unsupported(void)
{
    static const unsigned types[] = { 0, 1, 5, 26, 31, 32, 34, 40, 48, 63 };
    Hcd *h = hcd_start();

    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        unsigned cc = hcd_cmd_simple(h, types[i], 0, 0, 0);

        hcd_check(cc == CC_TRB_ERROR,
                  "a TRB of type %u on the command ring: code %u", types[i],
                  cc);
    }
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.12 to §4.6.18: optional commands, where not advertised. */
static void cmd_36_optional(void)
{
    Hcd *h = hcd_start();
    uint32_t hcc1 = hcd_cap_read(h, XHCI_HCCPARAMS1);
    uint32_t hcc2 = hcd_cap_read(h, XHCI_HCCPARAMS2);
    const struct {
        unsigned type;
        bool advertised;
    } optional[] = {
        { CMD_FORCE_EVENT, false },
        { CMD_NEGOTIATE_BANDWIDTH, hcc1 & HCC1_BNC },
        { CMD_SET_LTV, hcc1 & 1u << 6 },
        { 24, hcc2 & 1u << 8 },
        { 25, hcc2 & 1u << 8 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(optional); i++) {
        unsigned cc;

        if (optional[i].advertised) {
            continue;
        }
        cc = hcd_cmd_simple(h, optional[i].type, 0, 0, 0);
        hcd_check(cc == CC_TRB_ERROR, "command %u: code %u, expected 5",
                  optional[i].type, cc);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.3: every slot once, then [9], then the freed one again. */
static void cmd_10_slots_run_out(void)
{
    Hcd *h = hcd_start();
    bool seen[256] = { false };
    HcdEvent event;

    for (unsigned i = 0; i < h->max_slots; i++) {
        unsigned slot_id = hcd_cmd_enable_slot(h);

        hcd_check(!seen[slot_id], "slot %u was given twice", slot_id);
        seen[slot_id] = true;
    }
    event = hcd_cmd(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));
    hcd_expect_cc(event.cc, CC_NO_SLOTS_AVAILABLE);
    hcd_check(event.slot_id == 0, "code 9 with slot %u", event.slot_id);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, 3, 0, 0), CC_SUCCESS);
    hcd_check(hcd_cmd_enable_slot(h) == 3, "slot 3 was free");
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.4: with a TD waiting. */
static void cmd_11_disable_slot(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_step_uf(h, 16);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_kbd_key(h, true);
    hcd_expect_quiet(h, 800);
    hcd_check(hcd_mem_is(h, buf, 8, 0xaa),
              "data arrived for a slot that is disabled");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SLOT_NOT_ENABLED);
    hcd_finish(h);
}

static const unsigned slot_commands[] = {
    CMD_DISABLE_SLOT,     CMD_ADDRESS_DEVICE, CMD_CONFIGURE_ENDPOINT,
    CMD_EVALUATE_CONTEXT, CMD_RESET_ENDPOINT, CMD_STOP_ENDPOINT,
    CMD_SET_TR_DEQUEUE,   CMD_RESET_DEVICE,
};

static unsigned slot_command(Hcd *h, unsigned type, unsigned slot_id)
{
    xhci_trb trb = hcd_cmd_trb(type, slot_id, 2, 0);

    trb.dw[0] = 0x200000;
    return hcd_cmd(h, trb).cc;
}

/* xHCI 1.2 §6.4.5: Slot Not Enabled. */
static void cmd_12_disabled_slot(void)
{
    Hcd *h = hcd_start();

    for (unsigned i = 0; i < ARRAY_SIZE(slot_commands); i++) {
        unsigned type = slot_commands[i];
        unsigned cc = slot_command(h, type, 1);

        hcd_check(cc == CC_SLOT_NOT_ENABLED,
                  "command %u on a disabled slot: code %u", type, cc);
        cc = slot_command(h, type, 0);
        hcd_check(cc == CC_SLOT_NOT_ENABLED || cc == CC_TRB_ERROR,
                  "command %u on slot 0: code %u", type, cc);
        if (h->max_slots < 255) {
            cc = slot_command(h, type, 255);
            hcd_check(cc == CC_SLOT_NOT_ENABLED || cc == CC_TRB_ERROR,
                      "command %u on slot 255: code %u", type, cc);
        }
    }
    hcd_finish(h);
}

static HcdDev *enabled_tablet(Hcd *h)
{
    return hcd_dev_ready(h, hcd_port_connected(h, 0));
}

static void check_slot(Hcd *h, HcdDev *dev, unsigned state, bool addressed)
{
    uint32_t dw3 = hcd_out_read(h, dev, 0, 3);

    hcd_check(xhci_get(dw3, SLOT_STATE) == state &&
                  !!xhci_get(dw3, SLOT_ADDRESS) == addressed,
              "Slot Context DW3 is %08x, expected state %u%s", dw3, state,
              addressed ? " and an address" : ", no address");
}

/* xHCI 1.2 §4.6.5: BSR = 1, from Enabled only. */
static void cmd_13_address_bsr(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = enabled_tablet(h);

    hcd_expect_cc(hcd_cmd_address(h, dev, TRB_BSR), CC_SUCCESS);
    check_slot(h, dev, SLOT_STATE_DEFAULT, false);
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_RUNNING, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_expect_cc(hcd_cmd_address(h, dev, TRB_BSR), CC_CONTEXT_STATE_ERROR);
    check_slot(h, dev, SLOT_STATE_DEFAULT, false);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.5: BSR = 0, from Enabled and Default. */
static void cmd_14_address(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = enabled_tablet(h);

    hcd_expect_cc(hcd_cmd_address(h, dev, TRB_BSR), CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    check_slot(h, dev, SLOT_STATE_ADDRESSED, true);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_CONTEXT_STATE_ERROR);
    hcd_expect_cc(hcd_cmd_address(h, dev, TRB_BSR), CC_CONTEXT_STATE_ERROR);
    check_slot(h, dev, SLOT_STATE_ADDRESSED, true);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.5: nobody answers SET_ADDRESS. */
static void cmd_15_address_fails(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = enabled_tablet(h);

    hcd_unplug(h, "tablet");
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_USB_TRANSACTION_ERROR);
    check_slot(h, dev, SLOT_STATE_ENABLED, false);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.2.1, §6.2.3.1: one bad field at a time. */
static void cmd_16_bad_input(const void *data)
{
    const unsigned *bad = data; /* context index, dword, field, value */
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = enabled_tablet(h);
    uint32_t old = hcd_in_read(h, dev, bad[0], bad[1]);

    hcd_in_write(h, dev, bad[0], bad[1], xhci_set(old, bad[2], bad[3]));
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_PARAMETER_ERROR);
    hcd_check(hcd_mem_is(h, dev->out_ctx, h->ctx_bytes * 2, 0),
              "a refused Address Device wrote the Output Context");
    hcd_in_write(h, dev, bad[0], bad[1], old);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.5.4.1: addresses are the controller's business; the Setup Stage
 * TRB is the one to blame. */
static void cmd_17_set_address_on_ep0(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    HcdSetup set_address = { .type = 0, .request = 5, .value = 9 };
    HcdSetup get_descriptor = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };
    uint64_t setup;

    setup = td_setup(h, dev, set_address);
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_TRB_ERROR, .ptr = setup);
    hcd_cmd_skip_all(h, dev, 1);
    hcd_expect_cc(
        hcd_control(h, dev, get_descriptor, hcd_alloc_filled(h, 18, 0)),
        CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.11: back to Default. */
static void cmd_34_reset_device(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    check_slot(h, dev, SLOT_STATE_DEFAULT, false);
    hcd_check(xhci_get(hcd_out_read(h, dev, 0, 0), SLOT_CONTEXT_ENTRIES) == 1,
              "Context Entries is %u",
              xhci_get(hcd_out_read(h, dev, 0, 0), SLOT_CONTEXT_ENTRIES));
    hcd_check(hcd_ep_state(h, dev, KBD_IN) == EP_STATE_DISABLED,
              "an endpoint is in state %u after Reset Device",
              hcd_ep_state(h, dev, KBD_IN));
    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0),
                  CC_CONTEXT_STATE_ERROR);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 0), CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.11 */
static void cmd_34_reset_device_enabled(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    HcdDev *dev = enabled_tablet(h);

    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, dev->slot_id, 0, 0),
                  CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.15: a percentage for each port. */
static void cmd_35_port_bandwidth(void)
{
    Hcd *h = hcd_start();
    uint64_t context = hcd_alloc_filled(h, 256, 0xff);
    xhci_trb trb = hcd_trb_ptr(CMD_GET_PORT_BANDWIDTH, context, 0,
                               xhci_set(0, TRB_DEV_SPEED, SPEED_HIGH));
    HcdEvent event = hcd_cmd(h, trb);

    hcd_expect_cc(event.cc, CC_SUCCESS);
    hcd_check(event.slot_id == 0, "the completion names slot %u",
              event.slot_id);
    hcd_check(qtest_readb(h->qts, context) == 0, "byte 0 is %02x",
              qtest_readb(h->qts, context));
    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        unsigned percent = qtest_readb(h->qts, context + port_id);

        hcd_check(percent <= 100, "port %u has %u%%", port_id, percent);
        hcd_check(hcd_port_protocol(h, port_id) != 2 || percent > 0,
                  "nothing runs on port %u and no bandwidth is left", port_id);
    }
    hcd_finish(h);
}

static const struct {
    const char *name;
    unsigned bad[4];
} bad_inputs[] = {
    { "CMD-16/root-port-0", { 1, 1, SLOT_ROOT_PORT, 0 } },
    { "CMD-16/root-port-255", { 1, 1, SLOT_ROOT_PORT, 255 } },
    { "CMD-16/no-context-entries", { 1, 0, SLOT_CONTEXT_ENTRIES, 0 } },
    { "CMD-16/ep0-is-bulk", { 2, 1, EP_TYPE, EP_TYPE_BULK_OUT } },
    { "CMD-16/ep0-has-no-type", { 2, 1, EP_TYPE, EP_TYPE_INVALID } },
    { "CMD-16/interrupter-16", { 1, 2, SLOT_INTR, 16 } },
    { "CMD-16/interrupter-1023", { 1, 2, SLOT_INTR, 1023 } },
    { "CMD-16/mps-0", { 2, 1, EP_MAX_PACKET_SIZE, 0 } },
    { "CMD-16/mps-odd", { 2, 1, EP_MAX_PACKET_SIZE, 63 } },
};

int main(int argc, char **argv)
{
    hcd_test_add("CMD-01/order", cmd_01_order);
    hcd_test_add("CMD-02/links", cmd_02_links);
    hcd_test_add("CMD-03/slot-id", cmd_03_slot_id);
    hcd_test_add("CMD-04/stop", cmd_04_stop);
    hcd_test_add("CMD-05/abort", cmd_05_abort);
    hcd_test_add("CMD-06/stop-when-idle", cmd_06_stop_when_idle);
    hcd_test_add("CMD-07/new-ring-after-stop", cmd_07_new_ring_after_stop);
    hcd_test_add("CMD-08/no-op", cmd_08_no_op);
    hcd_test_add("CMD-09/unsupported", cmd_09_unsupported);
    hcd_test_add("CMD-10/slots-run-out", cmd_10_slots_run_out);
    hcd_test_add("CMD-11/disable-slot", cmd_11_disable_slot);
    hcd_test_add("CMD-12/disabled-slot", cmd_12_disabled_slot);
    hcd_test_add("CMD-13/address-bsr", cmd_13_address_bsr);
    hcd_test_add("CMD-14/address", cmd_14_address);
    hcd_test_add("CMD-15/address-fails", cmd_15_address_fails);
    for (unsigned i = 0; i < ARRAY_SIZE(bad_inputs); i++) {
        hcd_test_add_data(bad_inputs[i].name, cmd_16_bad_input,
                          bad_inputs[i].bad);
    }
    hcd_test_add("CMD-17/set-address-on-ep0", cmd_17_set_address_on_ep0);
    hcd_test_add("CMD-34/reset-device", cmd_34_reset_device);
    hcd_test_add("CMD-34/reset-device-enabled", cmd_34_reset_device_enabled);
    hcd_test_add("CMD-35/port-bandwidth", cmd_35_port_bandwidth);
    hcd_test_add("CMD-36/optional", cmd_36_optional);
    return hcd_test_main(argc, argv);
}
