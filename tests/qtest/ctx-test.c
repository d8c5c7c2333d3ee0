/*
 * Contexts in memory (xHCI 1.2 §6.2): what the controller writes into the
 * Output Context, when, and that it never writes the Input Context.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

/* xHCI 1.2 §4.5.2: Address Device copies the slot's description. */
static void ctx_01_address_copies(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint32_t dw3 = hcd_out_read(h, dev, 0, 3);

    for (unsigned i = 0; i < 3; i++) {
        hcd_check(hcd_out_read(h, dev, 0, i) == hcd_in_read(h, dev, 1, i),
                  "Slot Context DW%u is %08x, the input was %08x", i,
                  hcd_out_read(h, dev, 0, i), hcd_in_read(h, dev, 1, i));
    }
    hcd_check(xhci_get(dw3, SLOT_STATE) == SLOT_STATE_ADDRESSED &&
                  xhci_get(dw3, SLOT_ADDRESS) >= 1 &&
                  xhci_get(dw3, SLOT_ADDRESS) <= 127,
              "Slot Context DW3 is %08x", dw3);
    hcd_check(hcd_out_read(h, dev, 1, 1) == hcd_in_read(h, dev, 2, 1),
              "EP0 Context DW1 is %08x, the input was %08x",
              hcd_out_read(h, dev, 1, 1), hcd_in_read(h, dev, 2, 1));
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_RUNNING, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_finish(h);
}

/* xHCI 1.2 §4.5.3 */
static void ctx_02_slot_states(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_CONFIGURED, "state %u",
              hcd_slot_state(h, dev));
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 1u << KBD_IN), CC_SUCCESS);
    hcd_expect_cc(
        hcd_cmd_simple(h, CMD_CONFIGURE_ENDPOINT, dev->slot_id, 0, TRB_DC),
        CC_SUCCESS);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED, "state %u",
              hcd_slot_state(h, dev));
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.2.2: only Configure Endpoint sets the hub fields. */
static void ctx_03_hub_fields(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint32_t dw0 = hcd_out_read(h, dev, 0, 0);
    uint32_t dw1 = hcd_out_read(h, dev, 0, 1);

    hcd_in_write(h, dev, 1, 0, dw0 | SLOT_HUB);
    hcd_in_write(h, dev, 1, 1, xhci_set(dw1, SLOT_NUM_PORTS, 4));
    hcd_in_write(h, dev, 1, 2,
                 xhci_set(hcd_out_read(h, dev, 0, 2), SLOT_TTT, 2));
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 0), CC_SUCCESS);
    dw0 = hcd_out_read(h, dev, 0, 0);
    dw1 = hcd_out_read(h, dev, 0, 1);
    hcd_check(dw0 & SLOT_HUB, "Slot Context DW0 is %08x, Hub is 0", dw0);
    hcd_check(xhci_get(dw1, SLOT_NUM_PORTS) == 4, "Slot Context DW1 is %08x",
              dw1);
    hcd_check(xhci_get(hcd_out_read(h, dev, 0, 2), SLOT_TTT) == 2,
              "Slot Context DW2 is %08x", hcd_out_read(h, dev, 0, 2));
    hcd_finish(h);
}

/* xHCI 1.2 §4.8.3: EP State before the event of an error. */
static void ctx_04_ep_state(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t trb =
        td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_STALL_ERROR);
    hcd_check(hcd_ep_state(h, dev, MSD_IN) == EP_STATE_HALTED, "state %u",
              hcd_ep_state(h, dev, MSD_IN));
    hcd_check(hcd_ep_dequeue(h, dev, MSD_IN) == (trb | 1),
              "CTX-05: Halted with dequeue %" PRIx64 ", the TRB is at %" PRIx64,
              hcd_ep_dequeue(h, dev, MSD_IN), trb);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: DCS is the cycle of the TRB that the pointer names. */
static void ctx_05_dcs(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    HcdRing *ring = &dev->ring[KBD_IN];
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    for (unsigned i = 0; i < 63 + 5; i++) {
        td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
        hcd_ring_ep(h, dev, KBD_IN);
        hcd_kbd_key(h, i % 2 == 0);
        hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    }
    hcd_check(!ring->pcs, "the ring did not wrap once");
    hcd_expect_cc(hcd_cmd_stop(h, dev, KBD_IN), CC_SUCCESS);
    hcd_check(hcd_ep_dequeue(h, dev, KBD_IN) == hcd_ring_next(ring),
              "dequeue and DCS are %" PRIx64 ", expected %" PRIx64
              " with cycle 0",
              hcd_ep_dequeue(h, dev, KBD_IN), hcd_ring_next(ring));
    hcd_finish(h);
}

static GBytes *input_context(Hcd *h, HcdDev *dev)
{
    unsigned bytes = 33 * h->ctx_bytes;
    uint8_t *copy = g_malloc(bytes);

    qtest_bufread(h->qts, dev->in_ctx, copy, bytes);
    return g_bytes_new_take(copy, bytes);
}

/* xHCI 1.2 §6.2.5: the Input Context is the driver's. */
static void ctx_07_input_is_read_only(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    GBytes *before = input_context(h, dev);

    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_check(g_bytes_equal(before, input_context(h, dev)),
              "Address Device wrote the Input Context");
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = KBD_INTERVAL, .esit = 8);
    hcd_in_write(h, dev, 0, 0, 1u << KBD_IN);
    before = input_context(h, dev);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << KBD_IN | 1, 1u << KBD_IN),
                  CC_SUCCESS);
    hcd_check(g_bytes_equal(before, input_context(h, dev)),
              "Configure Endpoint wrote the Input Context");
    hcd_in_write(h, dev, 0, 0, 0);
    hcd_in_write(h, dev, 0, 1, 1);
    before = input_context(h, dev);
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1), CC_SUCCESS);
    hcd_check(g_bytes_equal(before, input_context(h, dev)),
              "Evaluate Context wrote the Input Context");
    hcd_finish(h);
}

/* The bytes behind the 32 of each Output Context; they are not used. */
static void fill_gaps(Hcd *h, HcdDev *dev, uint8_t value)
{
    for (unsigned i = 0; i < 32; i++) {
        qtest_memset(h->qts, dev->out_ctx + 64 * i + 32, value, 32);
    }
}

static void check_gaps(Hcd *h, HcdDev *dev, uint8_t value)
{
    for (unsigned i = 0; i < 32; i++) {
        hcd_check(hcd_mem_is(h, dev->out_ctx + 64 * i + 32, 32, value),
                  "bytes 32 to 63 of Output Context %u were written", i);
    }
}

/* xHCI 1.2 §5.3.6, §6.2.1: with CSZ a context is 64 bytes apart from the
 * next, in both directions and for each command that reads or writes one. */
static void ctx_06_64_bytes(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .props = "csz=on");
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa), trb;
    GBytes *before;

    hcd_check(h->ctx_bytes == 64, "csz=on and CSZ is 0");
    fill_gaps(h, dev, 0xa5);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ADDRESSED &&
                  hcd_ep_state(h, dev, 1) == EP_STATE_RUNNING,
              "Slot State %u, EP0 in state %u", hcd_slot_state(h, dev),
              hcd_ep_state(h, dev, 1));
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = KBD_INTERVAL, .esit = 8);
    hcd_check(
        hcd_out_read(h, dev, KBD_IN, 1) == hcd_in_read(h, dev, KBD_IN + 1, 1),
        "Endpoint Context DW1 is %08x, the input was %08x",
        hcd_out_read(h, dev, KBD_IN, 1), hcd_in_read(h, dev, KBD_IN + 1, 1));
    trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb);
    hcd_in_write(h, dev, 1, 2, xhci_set(0, SLOT_INTR, 1));
    hcd_in_write(h, dev, 0, 0, 0);
    hcd_in_write(h, dev, 0, 1, 1);
    before = input_context(h, dev);
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1), CC_SUCCESS);
    hcd_check(g_bytes_equal(before, input_context(h, dev)),
              "Evaluate Context wrote the Input Context");
    hcd_check(xhci_get(hcd_out_read(h, dev, 0, 2), SLOT_INTR) == 1,
              "Slot Context DW2 is %08x", hcd_out_read(h, dev, 0, 2));
    hcd_expect_cc(hcd_cmd_stop(h, dev, KBD_IN), CC_SUCCESS);
    hcd_check(hcd_ep_state(h, dev, KBD_IN) == EP_STATE_STOPPED &&
                  hcd_ep_dequeue(h, dev, KBD_IN) ==
                      (hcd_ring_next(&dev->ring[KBD_IN]) | 1),
              "EP State %u, dequeue %" PRIx64, hcd_ep_state(h, dev, KBD_IN),
              hcd_ep_dequeue(h, dev, KBD_IN));
    check_gaps(h, dev, 0xa5);
    hcd_finish(h);
}

/* The same for the last context, and with isochronous transfers. */
static void ctx_06_isochronous(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "csz=on");
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t buf = hcd_alloc_filled(h, 20 * 192, 0xaa), trb[20];

    for (unsigned i = 0; i < 20; i++) {
        trb[i] = td_isoch(h, dev, ISOAV_IN, .buf = buf + 192 * i, .len = 192,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < 20; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                      .ptr = trb[i]);
        hcd_isoav_sequence(h, buf + 192 * i, 192);
    }
    hcd_ep_add(h, dev, .dci = 31, .type = EP_TYPE_BULK_IN, .mps = 512);
    hcd_check(hcd_ep_state(h, dev, 31) == EP_STATE_RUNNING,
              "DCI 31 is in state %u", hcd_ep_state(h, dev, 31));
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("CTX-01/address-copies", ctx_01_address_copies);
    hcd_test_add("CTX-02/slot-states", ctx_02_slot_states);
    hcd_test_add("CTX-03/hub-fields", ctx_03_hub_fields);
    hcd_test_add("CTX-04/ep-state", ctx_04_ep_state);
    hcd_test_add("CTX-05/dcs", ctx_05_dcs);
    hcd_test_add("CTX-06/64-bytes", ctx_06_64_bytes);
    hcd_test_add("CTX-06/isochronous", ctx_06_isochronous);
    hcd_test_add("CTX-07/input-is-read-only", ctx_07_input_is_read_only);
    return hcd_test_main(argc, argv);
}
