/*
 * Faults of commands (xHCI 1.2 §4.6): refused with a code, and nothing has
 * changed; late; or never done, and aborted.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"

/* The commands, as bits of a row of the table below. */
enum {
    ENABLE_SLOT,
    DISABLE_SLOT,
    ADDRESS_DEVICE,
    CONFIGURE_ENDPOINT,
    EVALUATE_CONTEXT,
    RESET_ENDPOINT,
    STOP_ENDPOINT,
    SET_TR_DEQUEUE,
    RESET_DEVICE,
    GET_PORT_BANDWIDTH,
    NO_OP,
    COMMANDS
};

typedef struct {
    const char *name;
    unsigned type;
    bool names_slot; /* so does its event */
} command;

static const command commands[COMMANDS] = {
    [ENABLE_SLOT] = { "enable-slot", CMD_ENABLE_SLOT, false },
    [DISABLE_SLOT] = { "disable-slot", CMD_DISABLE_SLOT, true },
    [ADDRESS_DEVICE] = { "address-device", CMD_ADDRESS_DEVICE, true },
    [CONFIGURE_ENDPOINT] = { "configure-endpoint", CMD_CONFIGURE_ENDPOINT,
                             true },
    [EVALUATE_CONTEXT] = { "evaluate-context", CMD_EVALUATE_CONTEXT, true },
    [RESET_ENDPOINT] = { "reset-endpoint", CMD_RESET_ENDPOINT, true },
    [STOP_ENDPOINT] = { "stop-endpoint", CMD_STOP_ENDPOINT, true },
    [SET_TR_DEQUEUE] = { "set-tr-dequeue-pointer", CMD_SET_TR_DEQUEUE, true },
    [RESET_DEVICE] = { "reset-device", CMD_RESET_DEVICE, true },
    [GET_PORT_BANDWIDTH] = { "get-port-bandwidth", CMD_GET_PORT_BANDWIDTH,
                             false },
    [NO_OP] = { "no-op", CMD_NOOP, false },
};

#define ON(command) (1u << (command))
#define EACH ((1u << COMMANDS) - 1)
#define OF_EP (ON(RESET_ENDPOINT) | ON(STOP_ENDPOINT) | ON(SET_TR_DEQUEUE))
#define WITH_INPUT \
    (ON(ADDRESS_DEVICE) | ON(CONFIGURE_ENDPOINT) | ON(EVALUATE_CONTEXT))
#define OF_SLOT (WITH_INPUT | OF_EP | ON(DISABLE_SLOT) | ON(RESET_DEVICE))

/* xHCI 1.2 §4.6, Table 6-90: which commands may end with a code. The Force
 * Event Command, whose [16] is, is for virtual functions, and not there: the
 * plan takes another. */
typedef struct {
    const char *name, *code;
    unsigned cc;
    unsigned on;
} code_row;

static const code_row codes[] = {
    { "FP-04", "'usb-transaction-error'", 4, ON(ADDRESS_DEVICE) },
    { "FP-05", "'trb-error'", 5, EACH },
    { "FP-07", "'resource-error'", 7,
      ON(ADDRESS_DEVICE) | ON(CONFIGURE_ENDPOINT) },
    { "FP-08", "'bandwidth-error'", 8, ON(CONFIGURE_ENDPOINT) },
    { "FP-09", "'no-slots-available'", 9, ON(ENABLE_SLOT) },
    { "FP-11", "'slot-not-enabled'", 11, OF_SLOT },
    { "FP-16", "'vf-event-ring-full'", 16, ON(NO_OP) },
    { "FP-17", "'parameter-error'", 17, WITH_INPUT },
    { "FP-19", "'context-state-error'", 19, OF_SLOT & ~ON(DISABLE_SLOT) },
    { "FP-22", "'incompatible-device'", 22,
      ON(ADDRESS_DEVICE) | ON(CONFIGURE_ENDPOINT) },
    { "FP-29", "'max-exit-latency-too-large'", 29,
      ON(CONFIGURE_ENDPOINT) | ON(EVALUATE_CONTEXT) },
    { "FP-33", "'undefined'", 33, EACH },
    { "FP-35", "'secondary-bandwidth'", 35, ON(CONFIGURE_ENDPOINT) },
    { "FP-V1", "192", 192, ON(NO_OP) },
    { "FP-V2", "224", 224, ON(NO_OP) },
};

/* A row on one command. */
typedef struct {
    const code_row *row;
    unsigned which;
} code_case;

/* An endpoint beside the one that the command is for. */
#define OTHER PUPPET_EP_INTERRUPT_OUT
#define OTHER_DCI PUPPET_INT_OUT

static void other_works(Hcd *h, HcdDev *dev)
{
    HcdPuppetTd td = hcd_puppet_queue(h, dev, OTHER);

    hcd_ring_ep(h, dev, OTHER_DCI);
    hcd_expect_te(h, .dev = dev, .dci = OTHER_DCI, .cc = CC_SUCCESS,
                  .ptr = td.last, .len = HCD_LEN_0);
}

static void halt_ep(Hcd *h, HcdDev *dev)
{
    hcd_puppet_answer(h, "stall");
    hcd_puppet_queue(h, dev, PUPPET_EP_BULK_IN);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_STALL_ERROR);
    hcd_puppet_answer(h, "success");
}

static void stop_ep(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN,
                  .cc = CC_STOPPED_LENGTH_INVALID);
}

/* The device as the command expects it. */
static HcdDev *prepare(Hcd *h, unsigned which)
{
    HcdEp bulk = hcd_puppet_eps[PUPPET_EP_BULK_IN].ep;
    HcdDev *dev;

    if (which == ADDRESS_DEVICE) {
        return hcd_dev_ready(h, hcd_port_connected(h, 0));
    }
    dev = hcd_puppet_open_ep(h, OTHER);
    hcd_ep_prepare(h, dev, bulk);
    if (ON(which) & OF_EP) {
        hcd_ep_add_with(h, dev, bulk);
    }
    if (which == RESET_ENDPOINT) {
        halt_ep(h, dev);
    } else if (which == SET_TR_DEQUEUE) {
        stop_ep(h, dev);
    }
    other_works(h, dev);
    return dev;
}

/* The Port Bandwidth Context is in the page of the Input Context, behind it. */
#define PORT_BANDWIDTH 2048
#define PORT_BANDWIDTH_BYTES 16

static xhci_trb trb_of(Hcd *h, HcdDev *dev, unsigned which)
{
    const command *c = &commands[which];
    xhci_trb trb = hcd_cmd_trb(c->type, c->names_slot ? dev->slot_id : 0,
                               ON(which) & OF_EP ? PUPPET_IN : 0, 0);

    if (ON(which) & WITH_INPUT) {
        trb.dw[0] = (uint32_t)dev->in_ctx;
        trb.dw[1] = dev->in_ctx >> 32;
    } else if (which == SET_TR_DEQUEUE) {
        uint64_t other = dev->ring[PUPPET_IN].base + 8 * XHCI_TRB_BYTES;

        trb.dw[0] = (uint32_t)other | EP_DCS;
        trb.dw[1] = other >> 32;
    } else if (which == GET_PORT_BANDWIDTH) {
        trb.dw[0] = (uint32_t)(dev->in_ctx + PORT_BANDWIDTH);
        trb.dw[1] = (dev->in_ctx + PORT_BANDWIDTH) >> 32;
        trb.dw[3] = xhci_set(trb.dw[3], TRB_DEV_SPEED, SPEED_HIGH);
    }
    return trb;
}

/* What the command takes of the Input Context; it would change something. */
static void fill_input(Hcd *h, HcdDev *dev, unsigned which)
{
    hcd_in_write(h, dev, 0, 0, 0);
    hcd_in_write(h, dev, 0, 1,
                 which == ADDRESS_DEVICE       ? 3
                 : which == CONFIGURE_ENDPOINT ? 1u << PUPPET_IN | 1
                                               : 1);
    if (which == EVALUATE_CONTEXT) {
        hcd_in_write(
            h, dev, 1, 1,
            xhci_set(hcd_in_read(h, dev, 1, 1), SLOT_MAX_EXIT_LATENCY, 100));
    }
}

static HcdEvent run(Hcd *h, HcdDev *dev, unsigned which, unsigned cc)
{
    HcdEvent event;

    fill_input(h, dev, which);
    event = hcd_cmd(h, trb_of(h, dev, which));
    hcd_check(event.cc == cc, "%s; expected code %u", hcd_event_text(&event),
              cc);
    if (which != ENABLE_SLOT) {
        hcd_check(event.slot_id ==
                      (commands[which].names_slot ? dev->slot_id : 0),
                  "%s", hcd_event_text(&event));
    }
    return event;
}

static char *contexts(Hcd *h, HcdDev *dev)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < PORT_BANDWIDTH_BYTES; i++) {
        g_string_append_printf(
            text, "%02x ",
            qtest_readb(h->qts, dev->in_ctx + PORT_BANDWIDTH + i));
    }
    for (unsigned i = 0; i <= PUPPET_INT_OUT; i++) {
        for (unsigned dw = 0; dw < 8; dw++) {
            g_string_append_printf(text, "%08x ", hcd_out_read(h, dev, i, dw));
        }
    }
    return g_string_free(text, FALSE);
}

static bool leaves_no_trace(unsigned which)
{
    return which == ENABLE_SLOT || which == DISABLE_SLOT || which == NO_OP;
}

/* Refused, as if it had not been: contexts and endpoints are as they were. Then
 * it is done, and gets what it would have got before. */
static void code(const void *data)
{
    const code_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = prepare(h, c->which);
    g_autofree char *before = contexts(h, dev);
    g_autofree char *after = NULL;
    g_autofree char *done = NULL;
    HcdEvent event;

    fault_rule(h,
               "'where': {'command': '%s'}, 'when': {'nth': 1}, 'action': "
               "'command-code', 'with': {'code': %s}",
               commands[c->which].name, c->row->code);
    event = run(h, dev, c->which, c->row->cc);
    hcd_check(c->which != ENABLE_SLOT || !event.slot_id, "%s",
              hcd_event_text(&event));
    after = contexts(h, dev);
    hcd_check(g_str_equal(before, after), "contexts:\n%s\nwere:\n%s", after,
              before);
    fault_expect(h, "'action':'command-code'", 1);
    if (c->which != ADDRESS_DEVICE) {
        other_works(h, dev);
    }
    event = run(h, dev, c->which, CC_SUCCESS);
    hcd_check(c->which != ENABLE_SLOT || event.slot_id == dev->slot_id + 1,
              "the slot is %u", event.slot_id);
    done = contexts(h, dev);
    hcd_check(!g_str_equal(before, done) || leaves_no_trace(c->which),
              "nothing was done");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

static void add_codes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        for (unsigned which = 0; which < COMMANDS; which++) {
            code_case *c = g_new0(code_case, 1);
            g_autofree char *name =
                g_strdup_printf("%s/%s", codes[i].name, commands[which].name);

            *c = (code_case){ &codes[i], which };
            if (codes[i].on & ON(which)) {
                hcd_test_add_data(name, code, c);
            }
        }
    }
}

static void post(Hcd *h, uint64_t *trbs, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        trbs[i] = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_doorbell(h, 0, 0);
}

static void expect_cce(Hcd *h, uint64_t trb, unsigned cc, unsigned slot_id)
{
    HcdEvent event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);

    hcd_check(event.ptr == trb && event.cc == cc,
              "the event is: %s; expected %" PRIx64 " with %u",
              hcd_event_text(&event), trb, cc);
    hcd_check(event.slot_id == slot_id, "%s", hcd_event_text(&event));
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
    expect_cce(h, trbs[0], CC_SUCCESS, 0);
    hcd_expect_quiet(h, 800);
    hcd_check(hcd_op_read(h, XHCI_CRCR_LO) & CRCR_CRR, "CRR is 0");
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 8);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CA);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    expect_cce(h, trbs[1], CC_COMMAND_ABORTED, 0);
    expect_cce(h, trbs[2], CC_COMMAND_RING_STOPPED, 0);
    hcd_check(!(hcd_op_read(h, XHCI_CRCR_LO) & CRCR_CRR), "CRR is 1");
    hcd_doorbell(h, 0, 0);
    expect_cce(h, trbs[2], CC_SUCCESS, 0);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.1.1: a stop waits for the command. */
static void stop_delayed(void)
{
    Hcd *h = start_with("'command-delay', 'with': {'microframes': 40}");
    uint64_t trbs[3];

    post(h, trbs, 3);
    expect_cce(h, trbs[0], CC_SUCCESS, 0);
    hcd_op_write(h, XHCI_CRCR_LO, CRCR_CS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_expect_quiet(h, 38);
    expect_cce(h, trbs[1], CC_SUCCESS, 0);
    expect_cce(h, trbs[2], CC_COMMAND_RING_STOPPED, 0);
    hcd_doorbell(h, 0, 0);
    expect_cce(h, trbs[2], CC_SUCCESS, 0);
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
    expect_cce(h, trb, CC_SUCCESS, dev->slot_id);
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
    expect_cce(h, trbs[0], CC_SUCCESS, 0);
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
    expect_cce(h, trbs[0], CC_SUCCESS, 0);
    hcd_reset(h);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    add_codes();
    hcd_test_add("FP-25/abort-of-a-hung-command", abort_hung);
    hcd_test_add("FP-24/stop-of-a-late-command", stop_delayed);
    hcd_test_add("CMD-05/late-command", delayed);
    hcd_test_add("CMD-05/reset-while-hung", reset_hung);
    hcd_test_add("CMD-05/reset-while-late", reset_delayed);
    return hcd_test_main(argc, argv);
}
