/*
 * Faults of commands (xHCI 1.2 §4.6): refused with a code, and nothing has
 * changed; late; or never done, and aborted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"

typedef struct {
    const char *name, *command, *code;
    unsigned cc;
} code_case;

static const code_case codes[] = {
    { "FP-04/address-device", "address-device", "usb-transaction-error", 4 },
    { "FP-05/configure-endpoint", "configure-endpoint", "trb-error", 5 },
    { "FP-07/configure-endpoint", "configure-endpoint", "resource-error", 7 },
    { "FP-07/address-device", "address-device", "resource-error", 7 },
    { "FP-08/configure-endpoint", "configure-endpoint", "bandwidth-error", 8 },
    { "FP-09/enable-slot", "enable-slot", "no-slots-available", 9 },
    { "FP-11/configure-endpoint", "configure-endpoint", "slot-not-enabled",
      11 },
    { "FP-17/configure-endpoint", "configure-endpoint", "parameter-error", 17 },
    { "FP-19/stop-endpoint", "stop-endpoint", "context-state-error", 19 },
    { "FP-22/address-device", "address-device", "incompatible-device", 22 },
    { "FP-22/configure-endpoint", "configure-endpoint", "incompatible-device",
      22 },
    { "FP-29/configure-endpoint", "configure-endpoint",
      "max-exit-latency-too-large", 29 },
    { "FP-33/no-op", "no-op", "undefined", 33 },
    { "FP-35/configure-endpoint", "configure-endpoint", "secondary-bandwidth",
      35 },
};

/* Runs each kind of command once; the code of it. */
static unsigned run(Hcd *h, HcdDev *dev, const char *command)
{
    if (g_str_equal(command, "enable-slot")) {
        HcdEvent event = hcd_cmd(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));

        hcd_check((event.cc == CC_SUCCESS) == (event.slot_id != 0), "%s",
                  hcd_event_text(&event));
        return event.cc;
    }
    if (g_str_equal(command, "address-device")) {
        return hcd_cmd_address(h, dev, 0);
    }
    if (g_str_equal(command, "configure-endpoint")) {
        return hcd_cmd_configure(h, dev, 1u << PUPPET_IN | 1, 0);
    }
    if (g_str_equal(command, "stop-endpoint")) {
        return hcd_cmd_stop(h, dev, 1);
    }
    return hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0);
}

/* The device as the command expects it. */
static HcdDev *prepare(Hcd *h, const char *command)
{
    HcdDev *dev;

    if (g_str_equal(command, "address-device")) {
        return hcd_dev_ready(h, hcd_port_connected(h, 0));
    }
    dev = hcd_puppet_configured(h);
    hcd_ep_prepare(
        h, dev,
        (HcdEp){ .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN, .mps = 512 });
    return dev;
}

static char *contexts(Hcd *h, HcdDev *dev)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i <= PUPPET_IN; i++) {
        for (unsigned dw = 0; dw < 8; dw++) {
            g_string_append_printf(text, "%08x ", hcd_out_read(h, dev, i, dw));
        }
    }
    return g_string_free(text, FALSE);
}

static void code(const void *data)
{
    const code_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = prepare(h, c->command);
    g_autofree char *before = contexts(h, dev);
    g_autofree char *after = NULL;

    fault_rule(h,
               "'where': {'command': '%s'}, 'when': {'nth': 1}, 'action': "
               "'command-code', 'with': {'code': '%s'}",
               c->command, c->code);
    hcd_expect_cc(run(h, dev, c->command), c->cc);
    after = contexts(h, dev);
    hcd_check(g_str_equal(before, after), "contexts:\n%s\nwere:\n%s", after,
              before);
    fault_expect(h, "'action':'command-code'", 1);
    hcd_expect_cc(run(h, dev, c->command), CC_SUCCESS);
    hcd_finish(h);
}

static void post(Hcd *h, uint64_t *trbs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        trbs[i] = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_doorbell(h, 0, 0);
}

static void expect_cce(Hcd *h, uint64_t trb, unsigned cc)
{
    HcdEvent event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);

    hcd_check(event.ptr == trb && event.cc == cc,
              "the event is: %s; expected %" PRIx64 " with %u",
              hcd_event_text(&event), trb, cc);
}

static Hcd *start_with(const char *action)
{
    Hcd *h = hcd_start(.args = "");

    hcd_event_drain(h);
    fault_rule(h,
               "'where': {'command': 'no-op'}, 'when': {'nth': 2}, "
               "'action': %s",
               action);
    return h;
}

/* xHCI 1.2 §4.6.1.2: [25] for the command, [24] for the ring. */
static void abort_hung(void)
{
    Hcd *h = start_with("'command-hang'");
    uint64_t trbs[3];

    post(h, trbs, 3);
    expect_cce(h, trbs[0], CC_SUCCESS);
    hcd_expect_quiet(h, 800);
    hcd_check(hcd_op_read(h, XHCI_CRCR_LO) & CRCR_CRR, "CRR is 0");
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 8);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CA);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    expect_cce(h, trbs[1], CC_COMMAND_ABORTED);
    expect_cce(h, trbs[2], CC_COMMAND_RING_STOPPED);
    hcd_check(!(hcd_op_read(h, XHCI_CRCR_LO) & CRCR_CRR), "CRR is 1");
    hcd_doorbell(h, 0, 0);
    expect_cce(h, trbs[2], CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.1.1: a stop waits for the command. */
static void stop_delayed(void)
{
    Hcd *h = start_with("'command-delay', 'with': {'microframes': 40}");
    uint64_t trbs[3];

    post(h, trbs, 3);
    expect_cce(h, trbs[0], CC_SUCCESS);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_expect_quiet(h, 38);
    expect_cce(h, trbs[1], CC_SUCCESS);
    expect_cce(h, trbs[2], CC_COMMAND_RING_STOPPED);
    hcd_doorbell(h, 0, 0);
    expect_cce(h, trbs[2], CC_SUCCESS);
    hcd_finish(h);
}

/* In order, and the work is done when the event says so. */
static void delayed(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    uint64_t trb;

    fault_rule(h, "'where': {'command': 'address-device'}, 'action': "
                  "'command-delay', 'with': {'microframes': 40}");
    trb = hcd_cmd_post(h, hcd_trb_ptr(CMD_ADDRESS_DEVICE, dev->in_ctx, 0,
                                      xhci_set(0, TRB_SLOT_ID, dev->slot_id)));
    qtest_writeq(h->qts, h->dcbaa + 8 * dev->slot_id, dev->out_ctx);
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 38);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ENABLED,
              "the command has been executed");
    expect_cce(h, trb, CC_SUCCESS);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED,
              "the command has not been executed");
    hcd_finish(h);
}

/* HCRST ends whatever runs. */
static void reset_hung(void)
{
    Hcd *h = start_with("'command-hang'");
    uint64_t trbs[2];

    post(h, trbs, 2);
    expect_cce(h, trbs[0], CC_SUCCESS);
    hcd_expect_quiet(h, 8);
    fault_plan(h, "%s", "");
    hcd_reset(h);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* The slot that is being delayed is gone when its command ends. */
static void reset_delayed(void)
{
    Hcd *h = start_with("'command-delay', 'with': {'microframes': 40}");
    uint64_t trbs[2];

    post(h, trbs, 2);
    expect_cce(h, trbs[0], CC_SUCCESS);
    hcd_reset(h);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        hcd_test_add_data(codes[i].name, code, &codes[i]);
    }
    hcd_test_add("FP-25/abort-of-a-hung-command", abort_hung);
    hcd_test_add("FP-24/stop-of-a-late-command", stop_delayed);
    hcd_test_add("CMD-05/late-command", delayed);
    hcd_test_add("CMD-05/reset-while-hung", reset_hung);
    hcd_test_add("CMD-05/reset-while-late", reset_delayed);
    return hcd_test_main(argc, argv);
}
