/*
 * The endpoint state machine and its doorbell (xHCI 1.2 §4.7, §4.8.3).
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

/* xHCI 1.2 §5.6: doorbells read 0; bad targets are no work. */
static void ep_01_doorbells(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    static const uint32_t bad[] = { 0, 32, 0x80, 0xff };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        hcd_doorbell(h, dev->slot_id, bad[i]);
    }
    hcd_doorbell(h, h->max_slots, 1);
    hcd_expect_quiet(h, 80);
    hcd_check(hcd_cap_read(h, h->db) == 0 &&
                  hcd_cap_read(h, h->db + 4 * dev->slot_id) == 0,
              "a doorbell does not read 0");
    hcd_finish(h);
}

/* xHCI 1.2 §4.8.3: an empty ring that is not isochronous says nothing. */
static void ep_02_empty_ring(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_quiet(h, 800);
    hcd_msd_command(h, dev, MSD_INQUIRY, 36);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9, §4.8.3: a TD whose packet is with the device is taken back
 * whole; the doorbell sends it again, and no byte is lost or repeated. */
static void ep_03_stop_in_flight(const void *data)
{
    unsigned dci = GPOINTER_TO_UINT(data);
    bool in = dci == PUPPET_IN;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, 4096, 0xaa), first, last;
    uint8_t got[4096];

    hcd_puppet_answer(h, "hold");
    first = td_normal(h, dev, dci, .buf = buf, .len = 2048, .ch = true);
    last = td_normal(h, dev, dci, .buf = buf + 2048, .len = 2048, .ioc = true);
    hcd_ring_ep(h, dev, dci);
    hcd_expect_quiet(h, 80);
    hcd_check(hcd_puppet_holds(h), "the device does not have the packet");
    hcd_expect_cc(hcd_cmd_stop(h, dev, dci), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_STOPPED, .ptr = first,
                  .len = 2048);
    hcd_check(hcd_ep_dequeue(h, dev, dci) == (first | 1),
              "stopped at %" PRIx64 ", the TD begins at %" PRIx64,
              hcd_ep_dequeue(h, dev, dci), first);
    check_ep_state(h, dev, dci, EP_STATE_STOPPED);
    hcd_check(!hcd_puppet_holds(h) && hcd_puppet_count(h, "cancelled") == 1,
              "the device still has the packet");
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    hcd_check(hcd_mem_is(h, buf, 4096, 0xaa),
              "data arrived at an endpoint that is stopped");

    hcd_puppet_answer(h, "success");
    hcd_ring_ep(h, dev, dci);
    hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    hcd_check(hcd_puppet_count(h, in ? "sent" : "received") == 4096,
              "%" PRIu64 " bytes moved",
              hcd_puppet_count(h, in ? "sent" : "received"));
    qtest_bufread(h->qts, buf, got, sizeof(got));
    for (unsigned i = 0; in && i < sizeof(got); i++) {
        hcd_check(got[i] == (uint8_t)i, "byte %u is %02x", i, got[i]);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.7: a halted endpoint does not hear its doorbell. */
static void ep_04_halted_ignores_doorbell(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);

    td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_STALL_ERROR);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_quiet(h, 800);
    check_ep_state(h, dev, MSD_IN, EP_STATE_HALTED);
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.5: [12] with everything 0, or silence. */
static void ep_05_disabled(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    HcdEvent event;

    hcd_doorbell(h, dev->slot_id, 7);
    hcd_step_uf(h, 80);
    if (hcd_event_take(h, &event)) {
        hcd_check(event.type == EVT_TRANSFER &&
                      event.cc == CC_ENDPOINT_NOT_ENABLED && !event.ptr &&
                      !event.len && !event.ed,
                  "the event is: %s", hcd_event_text(&event));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: STALL halts, and the three steps of recovery. */
static void ep_06_halt_and_recover(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t bad =
        td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);

    td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_STALL_ERROR,
                  .ptr = bad, .len = 64);
    check_ep_state(h, dev, MSD_IN, EP_STATE_HALTED);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, MSD_IN), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, MSD_IN);
    hcd_msd_command(h, dev, MSD_INQUIRY, 36);
    bad = td_normal(h, dev, MSD_IN, .buf = buf, .len = 36, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = bad,
                  .len = HCD_LEN_0);
    check_ep_state(h, dev, MSD_IN, EP_STATE_RUNNING);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: the device is gone: a Transaction Error. */
static void ep_06_detach(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    HcdEvent event;
    bool te = false;

    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_quiet(h, 80);
    hcd_unplug(h, "kbd");
    while (hcd_event_wait(h, 800, &event)) {
        if (event.type == EVT_TRANSFER) {
            hcd_check(!te && event.cc == CC_USB_TRANSACTION_ERROR &&
                          event.ptr == trb,
                      "the event is: %s", hcd_event_text(&event));
            te = true;
        }
    }
    hcd_check(te, "a TD was waiting when the device went, and got no event");
    check_ep_state(h, dev, KBD_IN, EP_STATE_HALTED);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: EP0 halts like any other. */
static void ep_06_ep0(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    HcdSetup unknown = { .type = 0x40, .request = 0x77 };
    HcdSetup get_descriptor = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };
    uint64_t buf = hcd_alloc_filled(h, 18, 0);

    hcd_expect_cc(hcd_control(h, dev, unknown, 0), CC_STALL_ERROR);
    check_ep_state(h, dev, 1, EP_STATE_HALTED);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, 1);
    hcd_expect_cc(hcd_control(h, dev, get_descriptor, buf), CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112, "no device descriptor");
    hcd_finish(h);
}

/* States in which a port carries nothing. */
typedef struct {
    const char *name;
    uint32_t written[2]; /* to PORTSC, one after the other */
} port_case;

#define LINK(state) (PORTSC_PP | PORTSC_LWS | (state) << 5)

static const port_case port_cases[] = {
    { "EP-06/port-disabled", { PORTSC_PP | PORTSC_PED } },
    { "EP-06/port-unpowered", { 0 } },
    { "EP-06/port-resets", { PORTSC_PP | PORTSC_PR } },
    { "EP-06/port-suspended", { LINK(PLS_U3) } },
    { "EP-06/port-resumes", { LINK(PLS_U3), LINK(PLS_RESUME) } },
};

static void expect_no_answer(Hcd *h, HcdDev *dev, unsigned dci)
{
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa), trb;
    bool isoch = dci == PUPPET_ISOCH_IN;

    if (dci == 1) {
        td_setup(h, dev, (HcdSetup){ .type = 0x00, .request = 9, .value = 1 });
        trb = td_status(h, dev, .in = true, .ioc = true);
    } else {
        trb = hcd_td(h, dev, dci,
                     (HcdTd){ .type = isoch ? TRB_ISOCH : TRB_NORMAL,
                              .buf = buf,
                              .len = 64,
                              .sia = isoch,
                              .ioc = true });
    }
    hcd_ring_ep(h, dev, dci);
    hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_USB_TRANSACTION_ERROR,
                  .ptr = trb);
    check_ep_state(h, dev, dci, isoch ? EP_STATE_RUNNING : EP_STATE_HALTED);
    if (isoch) {
        hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_RING_OVERRUN);
    }
}

/* xHCI 1.2 §4.10.2.3, §4.19.1.1: the device is there, the bus is not; and
 * after a reset of the port it answers again. */
static void ep_06_port_is_off(const void *data)
{
    const port_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    unsigned portsc = XHCI_PORT_SET + XHCI_PORT_STRIDE * (dev->port_id - 1);
    HcdSetup get_descriptor = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .esit = 192);
    hcd_portsc_clear(h, dev->port_id, PORTSC_CHANGES);
    for (unsigned i = 0; i == 0 || (i < 2 && c->written[i]); i++) {
        hcd_op_write(h, portsc, c->written[i]);
    }
    expect_no_answer(h, dev, 1);
    expect_no_answer(h, dev, PUPPET_OUT);
    expect_no_answer(h, dev, PUPPET_ISOCH_IN);
    hcd_check(hcd_puppet_count(h, "packets") == 0,
              "%" PRIu64 " packets came through",
              hcd_puppet_count(h, "packets"));

    hcd_op_write(h, portsc, PORTSC_PP | PORTSC_PR);
    hcd_step_uf(h, 800);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, 1);
    hcd_expect_cc(
        hcd_control(h, dev, get_descriptor, hcd_alloc_filled(h, 18, 0)),
        CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.8.3: a malformed TRB leads to Error, not to Halted. */
static void ep_07_error_state(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t bad =
        hcd_td(h, dev, MSD_OUT, (HcdTd){ .type = 40, .len = 8, .ioc = true });

    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_TRB_ERROR,
                  .ptr = bad);
    check_ep_state(h, dev, MSD_OUT, EP_STATE_ERROR);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, MSD_OUT), CC_CONTEXT_STATE_ERROR);
    hcd_cmd_skip_all(h, dev, MSD_OUT);
    check_ep_state(h, dev, MSD_OUT, EP_STATE_STOPPED);
    hcd_msd_command(h, dev, MSD_INQUIRY, 36);
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.3.1: NAK is no answer, for as long as it takes. */
static void ep_09_nak(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);

    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_quiet(h, 10 * HCD_UF_PER_SECOND);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0, .limit_uf = 80);
    hcd_check(qtest_readb(h->qts, buf + 2) == 4, "usage %02x, not the key a",
              qtest_readb(h->qts, buf + 2));
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("EP-01/doorbells", ep_01_doorbells);
    hcd_test_add("EP-02/empty-ring", ep_02_empty_ring);
    hcd_test_add_data("EP-03/stop-in-flight-in", ep_03_stop_in_flight,
                      GUINT_TO_POINTER(PUPPET_IN));
    hcd_test_add_data("EP-03/stop-in-flight-out", ep_03_stop_in_flight,
                      GUINT_TO_POINTER(PUPPET_OUT));
    hcd_test_add("EP-04/halted-ignores-doorbell",
                 ep_04_halted_ignores_doorbell);
    hcd_test_add("EP-05/disabled", ep_05_disabled);
    hcd_test_add("EP-06/halt-and-recover", ep_06_halt_and_recover);
    hcd_test_add("EP-06/detach", ep_06_detach);
    hcd_test_add("EP-06/ep0", ep_06_ep0);
    for (unsigned i = 0; i < ARRAY_SIZE(port_cases); i++) {
        hcd_test_add_data(port_cases[i].name, ep_06_port_is_off,
                          &port_cases[i]);
    }
    hcd_test_add("EP-07/error-state", ep_07_error_state);
    hcd_test_add("EP-09/nak", ep_09_nak);
    return hcd_test_main(argc, argv);
}
