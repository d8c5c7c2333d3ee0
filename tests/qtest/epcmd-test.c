/*
 * Commands that configure, stop, reset and move endpoints (xHCI 1.2 §4.6.6 to
 * §4.6.10). usb-kbd has an endpoint with a TD that waits, usb-storage one
 * that stalls.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

static void check_ep_state(Hcd *h, HcdDev *dev, unsigned dci, unsigned want)
{
    unsigned state = hcd_ep_state(h, dev, dci);

    hcd_check(state == want, "DCI %u is in state %u, expected %u", dci, state,
              want);
}

static HcdDev *addressed_msd(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_set_configuration(h, dev, 1);
    return dev;
}

static void prepare_bulk(Hcd *h, HcdDev *dev, unsigned dci)
{
    hcd_ep_prepare(
        h, dev,
        (HcdEp){ .dci = dci,
                 .type = dci & 1 ? EP_TYPE_BULK_IN : EP_TYPE_BULK_OUT,
                 .mps = dev->speed == SPEED_HIGH ? 512 : 1024 });
}

/* xHCI 1.2 §4.6.6: not before the device has an address. */
static void cmd_18_configure_in_default(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));

    hcd_expect_cc(hcd_cmd_address(h, dev, TRB_BSR), CC_SUCCESS);
    prepare_bulk(h, dev, MSD_IN);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << MSD_IN | 1, 0),
                  CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.5.1: the flags of the Input Control Context. */
static void cmd_19_flags(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = addressed_msd(h);

    prepare_bulk(h, dev, MSD_IN);
    hcd_check(hcd_cmd_configure(h, dev, 1u << MSD_IN, 0) != CC_SUCCESS,
              "A0 = 0 was accepted");
    hcd_check(hcd_cmd_configure(h, dev, 1u << MSD_IN | 3, 0) != CC_SUCCESS,
              "A1 = 1 was accepted");
    hcd_check(hcd_cmd_configure(h, dev, 1u << MSD_IN | 1, 1) != CC_SUCCESS,
              "D0 = 1 was accepted");
    hcd_check(hcd_cmd_configure(h, dev, 1u << MSD_IN | 1, 2) != CC_SUCCESS,
              "D1 = 1 was accepted");
    check_ep_state(h, dev, MSD_IN, EP_STATE_DISABLED);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 0), CC_SUCCESS);
    check_ep_state(h, dev, MSD_IN, EP_STATE_DISABLED);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.6: what Add does. */
static void cmd_20_add(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint32_t slot = hcd_out_read(h, dev, 0, 0);

    check_ep_state(h, dev, MSD_IN, EP_STATE_RUNNING);
    check_ep_state(h, dev, MSD_OUT, EP_STATE_RUNNING);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_CONFIGURED,
              "the slot is in state %u", hcd_slot_state(h, dev));
    hcd_check(xhci_get(slot, SLOT_CONTEXT_ENTRIES) == MSD_OUT,
              "Context Entries is %u", xhci_get(slot, SLOT_CONTEXT_ENTRIES));
    hcd_check(
        hcd_out_read(h, dev, MSD_OUT, 1) == hcd_in_read(h, dev, MSD_OUT + 1, 1),
        "DW1 of the endpoint is %08x, the input was %08x",
        hcd_out_read(h, dev, MSD_OUT, 1), hcd_in_read(h, dev, MSD_OUT + 1, 1));
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.6: what Drop does to a TD that waits. */
static void cmd_21_drop(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_step_uf(h, 16);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 1u << KBD_IN), CC_SUCCESS);
    check_ep_state(h, dev, KBD_IN, EP_STATE_DISABLED);
    hcd_kbd_key(h, true);
    hcd_expect_quiet(h, 800);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = KBD_INTERVAL, .esit = 8);
    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.6: Add of an endpoint that exists needs Drop. */
static void cmd_22_add_twice(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t dequeue = hcd_ep_dequeue(h, dev, MSD_OUT);
    unsigned cc;

    prepare_bulk(h, dev, MSD_OUT);
    cc = hcd_cmd_configure(h, dev, 1u << MSD_OUT | 1, 0);
    hcd_check(cc == CC_TRB_ERROR || cc == CC_PARAMETER_ERROR ||
                  cc == CC_CONTEXT_STATE_ERROR,
              "code %u", cc);
    hcd_check(hcd_ep_dequeue(h, dev, MSD_OUT) == dequeue,
              "the endpoint was replaced");
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << MSD_OUT | 1, 1u << MSD_OUT),
                  CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.6: Deconfigure needs no Input Context. */
static void cmd_23_deconfigure(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    xhci_trb trb = hcd_cmd_trb(CMD_CONFIGURE_ENDPOINT, dev->slot_id, 0, TRB_DC);

    trb.dw[0] = 0x70000000;
    hcd_expect_cc(hcd_cmd(h, trb).cc, CC_SUCCESS);
    check_ep_state(h, dev, MSD_IN, EP_STATE_DISABLED);
    check_ep_state(h, dev, MSD_OUT, EP_STATE_DISABLED);
    check_ep_state(h, dev, 1, EP_STATE_RUNNING);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED,
              "the slot is in state %u", hcd_slot_state(h, dev));
    hcd_check(xhci_get(hcd_out_read(h, dev, 0, 0), SLOT_CONTEXT_ENTRIES) == 1,
              "Context Entries is %u",
              xhci_get(hcd_out_read(h, dev, 0, 0), SLOT_CONTEXT_ENTRIES));
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.2: one bad field at a time; one good endpoint beside it
 * must not come through either (CMD-25). */
static void cmd_24_bad_endpoint(const void *data)
{
    const unsigned *bad = data; /* dword, field, value */
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    HcdEp kbd = { .dci = KBD_IN,
                  .type = EP_TYPE_INTERRUPT_IN,
                  .mps = 8,
                  .interval = KBD_INTERVAL,
                  .esit = 8 };
    HcdEp bulk = { .dci = 2, .type = EP_TYPE_BULK_OUT, .mps = 512 };
    uint32_t old;

    hcd_set_configuration(h, dev, 1);
    hcd_ep_prepare(h, dev, bulk);
    hcd_ep_prepare(h, dev, kbd);
    old = hcd_in_read(h, dev, KBD_IN + 1, bad[0]);
    hcd_in_write(h, dev, KBD_IN + 1, bad[0], xhci_set(old, bad[1], bad[2]));
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << KBD_IN | 1u << 2 | 1, 0),
                  CC_PARAMETER_ERROR);
    check_ep_state(h, dev, KBD_IN, EP_STATE_DISABLED);
    check_ep_state(h, dev, 2, EP_STATE_DISABLED);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED,
              "the slot is in state %u", hcd_slot_state(h, dev));
    hcd_in_write(h, dev, KBD_IN + 1, bad[0], old);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << KBD_IN | 1u << 2 | 1, 0),
                  CC_SUCCESS);
    hcd_finish(h);
}

/*
 * xHCI 1.2 §4.6.6: of a command that is refused, for a bad context or for want
 * of bandwidth, nothing is done: not the Drop, not the good half of the Add,
 * and what was running runs on.
 */
static void cmd_25_nothing_done(const void *data)
{
    bool bandwidth = GPOINTER_TO_UINT(data) == CC_BANDWIDTH_ERROR;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, 1, ISOAV_IN);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa), dequeue;
    HcdEp good = { .dci = 2, .type = EP_TYPE_BULK_OUT, .mps = 512 };
    HcdEp bad = { .dci = ISOAV_OUT,
                  .type = EP_TYPE_ISOCH_OUT,
                  .mps = 1024,
                  .burst = 2,
                  .interval = bandwidth ? 0 : 16,
                  .esit = 3072 };
    HcdEp more = { .dci = 7,
                   .type = EP_TYPE_ISOCH_IN,
                   .mps = 1024,
                   .burst = 2,
                   .esit = 3072 };

    dequeue = hcd_ep_dequeue(h, dev, ISOAV_IN);
    hcd_ep_prepare(h, dev, good);
    hcd_ep_prepare(h, dev, bad);
    hcd_ep_prepare(h, dev, more);
    hcd_expect_cc(hcd_cmd_configure(h, dev,
                                    1u << 2 | 1u << ISOAV_OUT | 1u << 7 | 1,
                                    1u << ISOAV_IN),
                  GPOINTER_TO_UINT(data));
    check_ep_state(h, dev, 2, EP_STATE_DISABLED);
    check_ep_state(h, dev, ISOAV_OUT, EP_STATE_DISABLED);
    check_ep_state(h, dev, ISOAV_IN, EP_STATE_RUNNING);
    hcd_check(hcd_ep_dequeue(h, dev, ISOAV_IN) == dequeue,
              "the running endpoint's context has changed");
    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
             .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.7: two fields of the slot, one of EP0, nothing else. At full
 * speed, where EP0 may have packets of 8, 16, 32 or 64 bytes. */
static void cmd_26_evaluate(void)
{
    Hcd *h = hcd_start(.args = "-device usb-kbd,usb_version=1,bus=xhci.0");
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint32_t slot[3];

    for (unsigned i = 0; i < 3; i++) {
        slot[i] = hcd_out_read(h, dev, 0, i);
        hcd_in_write(h, dev, 1, i, ~slot[i]);
    }
    hcd_in_write(h, dev, 1, 1, xhci_set(~slot[1], SLOT_MAX_EXIT_LATENCY, 7));
    hcd_in_write(h, dev, 1, 2, xhci_set(~slot[2], SLOT_INTR, 0));
    hcd_in_write(h, dev, 2, 1,
                 xhci_set(hcd_out_read(h, dev, 1, 1), EP_MAX_PACKET_SIZE, 64));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 3), CC_SUCCESS);
    hcd_check(hcd_out_read(h, dev, 0, 0) == slot[0], "DW0 went %08x to %08x",
              slot[0], hcd_out_read(h, dev, 0, 0));
    hcd_check(hcd_out_read(h, dev, 0, 1) ==
                  xhci_set(slot[1], SLOT_MAX_EXIT_LATENCY, 7),
              "DW1 went %08x to %08x", slot[1], hcd_out_read(h, dev, 0, 1));
    hcd_check(hcd_out_read(h, dev, 0, 2) == xhci_set(slot[2], SLOT_INTR, 0),
              "DW2 went %08x to %08x", slot[2], hcd_out_read(h, dev, 0, 2));
    hcd_check(xhci_get(hcd_out_read(h, dev, 1, 1), EP_MAX_PACKET_SIZE) == 64,
              "EP0's DW1 is %08x", hcd_out_read(h, dev, 1, 1));
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.7 */
static void cmd_26_evaluate_in_enabled(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_new(h, hcd_port_connected(h, 0));

    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 2), CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* An IN transfer that usb-storage has not been asked for. */
static uint64_t stall_bulk_in(Hcd *h, HcdDev *dev)
{
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t trb =
        td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_STALL_ERROR,
                  .ptr = trb, .len = 64);
    return trb;
}

/* xHCI 1.2 §4.6.8 */
static void cmd_28_reset_endpoint(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t trb;

    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, MSD_IN), CC_CONTEXT_STATE_ERROR);
    trb = stall_bulk_in(h, dev);
    check_ep_state(h, dev, MSD_IN, EP_STATE_HALTED);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, MSD_IN), CC_SUCCESS);
    check_ep_state(h, dev, MSD_IN, EP_STATE_STOPPED);
    hcd_check((hcd_ep_dequeue(h, dev, MSD_IN) & ~0xfull) == trb,
              "the dequeue pointer is %" PRIx64 ", the TRB at %" PRIx64,
              hcd_ep_dequeue(h, dev, MSD_IN), trb);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, MSD_IN), CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: legal in Running only. */
static void cmd_29_stop_states(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);

    hcd_expect_cc(hcd_cmd_stop(h, dev, MSD_OUT), CC_SUCCESS);
    hcd_event_drain(h);
    check_ep_state(h, dev, MSD_OUT, EP_STATE_STOPPED);
    hcd_expect_cc(hcd_cmd_stop(h, dev, MSD_OUT), CC_CONTEXT_STATE_ERROR);
    stall_bulk_in(h, dev);
    hcd_expect_cc(hcd_cmd_stop(h, dev, MSD_IN), CC_CONTEXT_STATE_ERROR);
    check_ep_state(h, dev, MSD_IN, EP_STATE_HALTED);
    hcd_expect_cc(hcd_cmd_stop(h, dev, 9), CC_CONTEXT_STATE_ERROR);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

static HcdEvent stop_and_get_te(Hcd *h, HcdDev *dev, unsigned dci)
{
    HcdEvent te, cce;

    hcd_cmd_post(h, hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, dci, 0));
    hcd_doorbell(h, 0, 0);
    te = hcd_expect_type(h, EVT_TRANSFER);
    hcd_check(te.slot_id == dev->slot_id && te.dci == dci,
              "the Stopped event is: %s", hcd_event_text(&te));
    cce = hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_expect_cc(cce.cc, CC_SUCCESS);
    check_ep_state(h, dev, dci, EP_STATE_STOPPED);
    return te;
}

/* xHCI 1.2 §4.6.9: an idle endpoint owes a Stopped event too. */
static void cmd_30_stop_idle(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    HcdEvent te = stop_and_get_te(h, dev, MSD_OUT);

    hcd_expect_cc(te.cc, CC_STOPPED_LENGTH_INVALID);
    hcd_check(te.ptr == hcd_ring_next(&dev->ring[MSD_OUT]),
              "pointer %" PRIx64 ", the ring is at %" PRIx64, te.ptr,
              hcd_ring_next(&dev->ring[MSD_OUT]));
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: in a data TRB of which nothing has been moved. */
static void cmd_31_stop_in_trb(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    HcdEvent te;

    hcd_ring_ep(h, dev, KBD_IN);
    hcd_step_uf(h, 80);
    te = stop_and_get_te(h, dev, KBD_IN);
    hcd_check(te.cc == CC_STOPPED || te.cc == CC_STOPPED_LENGTH_INVALID,
              "the Stopped event is: %s", hcd_event_text(&te));
    hcd_check(te.ptr == trb, "pointer %" PRIx64 ", the TRB is at %" PRIx64,
              te.ptr, trb);
    hcd_check(te.cc != CC_STOPPED || te.len == 8, "the residue is %u", te.len);
    hcd_check(hcd_ep_dequeue(h, dev, KBD_IN) == (trb | 1),
              "CMD-32: the Output Context says %" PRIx64
              ", the TRB is at %" PRIx64 " with cycle 1",
              hcd_ep_dequeue(h, dev, KBD_IN), trb);
    hcd_kbd_key(h, true);
    hcd_expect_quiet(h, 800);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: on a Link TRB that waits to be followed. */
static void cmd_31_stop_at_link(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t next;
    HcdEvent te;

    for (unsigned i = 0; i < 63; i++) {
        td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
        hcd_ring_ep(h, dev, KBD_IN);
        hcd_kbd_key(h, i % 2 == 0);
        hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    }
    next = hcd_ring_next(&dev->ring[KBD_IN]);
    te = stop_and_get_te(h, dev, KBD_IN);
    hcd_expect_cc(te.cc, CC_STOPPED_LENGTH_INVALID);
    hcd_check(te.ptr == next || te.ptr == next + 63 * XHCI_TRB_BYTES,
              "the Stopped event is: %s; the ring begins at %" PRIx64,
              hcd_event_text(&te), next);
    hcd_check(hcd_ep_dequeue(h, dev, KBD_IN) == (te.ptr | (te.ptr != next)),
              "CTX-05: the Output Context says %" PRIx64 ", the event %" PRIx64,
              hcd_ep_dequeue(h, dev, KBD_IN), te.ptr);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.10: past a TD that waits. */
static void cmd_33_set_dequeue(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 16, 0xaa);
    uint64_t second;

    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    second = td_normal(h, dev, KBD_IN, .buf = buf + 8, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_step_uf(h, 16);
    hcd_expect_cc(hcd_cmd_set_dequeue(h, dev, KBD_IN, second, true),
                  CC_CONTEXT_STATE_ERROR);
    stop_and_get_te(h, dev, KBD_IN);
    hcd_expect_cc(hcd_cmd_set_dequeue(h, dev, KBD_IN, second, true),
                  CC_SUCCESS);
    hcd_check(hcd_ep_dequeue(h, dev, KBD_IN) == (second | 1),
              "the Output Context says %" PRIx64 ", expected %" PRIx64,
              hcd_ep_dequeue(h, dev, KBD_IN), second | 1);
    check_ep_state(h, dev, KBD_IN, EP_STATE_STOPPED);
    hcd_kbd_key(h, true);
    hcd_expect_quiet(h, 80);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = second,
                  .len = HCD_LEN_0);
    hcd_check(hcd_mem_is(h, buf, 8, 0xaa), "the TD that was skipped ran");
    hcd_finish(h);
}

static const struct {
    const char *name;
    unsigned bad[3];
} bad_endpoints[] = {
    { "CMD-24/no-type", { 1, EP_TYPE, EP_TYPE_INVALID } },
    { "CMD-24/wrong-direction", { 1, EP_TYPE, EP_TYPE_INTERRUPT_OUT } },
    { "CMD-24/interval-16", { 0, EP_INTERVAL, 16 } },
    { "CMD-24/interval-255", { 0, EP_INTERVAL, 255 } },
    { "CMD-24/mps-0", { 1, EP_MAX_PACKET_SIZE, 0 } },
    { "CMD-24/mps-1025", { 1, EP_MAX_PACKET_SIZE, 1025 } },
    { "CMD-24/max-pstreams", { 0, EP_MAX_PSTREAMS, 15 } },
};

int main(int argc, char **argv)
{
    hcd_test_add("CMD-18/configure-in-default", cmd_18_configure_in_default);
    hcd_test_add("CMD-19/flags", cmd_19_flags);
    hcd_test_add("CMD-20/add", cmd_20_add);
    hcd_test_add("CMD-21/drop", cmd_21_drop);
    hcd_test_add("CMD-22/add-twice", cmd_22_add_twice);
    hcd_test_add("CMD-23/deconfigure", cmd_23_deconfigure);
    for (unsigned i = 0; i < ARRAY_SIZE(bad_endpoints); i++) {
        hcd_test_add_data(bad_endpoints[i].name, cmd_24_bad_endpoint,
                          bad_endpoints[i].bad);
    }
    hcd_test_add_data("CMD-25/bad-context", cmd_25_nothing_done,
                      GUINT_TO_POINTER(CC_PARAMETER_ERROR));
    hcd_test_add_data("CMD-25/no-bandwidth", cmd_25_nothing_done,
                      GUINT_TO_POINTER(CC_BANDWIDTH_ERROR));
    hcd_test_add("CMD-26/evaluate", cmd_26_evaluate);
    hcd_test_add("CMD-26/evaluate-in-enabled", cmd_26_evaluate_in_enabled);
    hcd_test_add("CMD-28/reset-endpoint", cmd_28_reset_endpoint);
    hcd_test_add("CMD-29/stop-states", cmd_29_stop_states);
    hcd_test_add("CMD-30/stop-idle", cmd_30_stop_idle);
    hcd_test_add("CMD-31/stop-in-trb", cmd_31_stop_in_trb);
    hcd_test_add("CMD-31/stop-at-link", cmd_31_stop_at_link);
    hcd_test_add("CMD-33/set-dequeue", cmd_33_set_dequeue);
    return hcd_test_main(argc, argv);
}
