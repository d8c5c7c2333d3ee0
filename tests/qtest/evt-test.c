/*
 * Event rings and the interrupter (xHCI 1.2 §4.9.4, §4.17, §5.5.2): where
 * events go, when an interrupt follows, and what a full ring does.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

static uint64_t post_noop(Hcd *h)
{
    return hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
}

static void run_noop(Hcd *h)
{
    post_noop(h);
    hcd_doorbell(h, 0, 0);
}

/* xHCI 1.2 §4.9.4: ERSTBA starts the ring at its first TRB, cycle 1. */
static void evt_01_start(void)
{
    Hcd *h = hcd_start();
    xhci_trb trb;

    run_noop(h);
    hcd_step_uf(h, 8);
    trb = hcd_trb_load(h, h->evt.base);
    hcd_check(trb.dw[3] & TRB_C, "the first TRB of the ring has cycle 0");
    hcd_check(xhci_get(trb.dw[3], TRB_TYPE) == EVT_COMMAND_COMPLETION,
              "the first event is of type %u", xhci_get(trb.dw[3], TRB_TYPE));
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.4: the cycle toggles after the last TRB; hcd_event_take
 * follows it for three laps. */
static void evt_02_laps(void)
{
    Hcd *h = hcd_start(.event_trbs = 16);

    for (unsigned i = 0; i < 50; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    }
    hcd_check((hcd_trb_load(h, h->evt.base + 15 * 16).dw[3] & TRB_C) &&
                  !(hcd_trb_load(h, h->evt.base).dw[3] & TRB_C),
              "the third lap did not write cycle 1 or the fourth not 0");
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.3.3: EHB is RW1C. */
static void evt_05_ehb(void)
{
    Hcd *h = hcd_start();

    h->keep_erdp = true;
    run_noop(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_intr_read(h, XHCI_ERDP_LO) & ERDP_EHB,
              "EHB is 0 after an interrupt");
    hcd_intr_write(h, XHCI_ERDP_LO, (uint32_t)h->evt.base);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
    hcd_check(hcd_intr_read(h, XHCI_ERDP_LO) & ERDP_EHB,
              "EHB was cleared by a write of 0");
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_event_ack(h);
    hcd_check((hcd_intr_read(h, XHCI_ERDP_LO) & ~7u) ==
                  (uint32_t)hcd_event_dequeue(h),
              "ERDP is %08x, written was %08x", hcd_intr_read(h, XHCI_ERDP_LO),
              (uint32_t)hcd_event_dequeue(h) | ERDP_EHB);
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.2: no second interrupt while the handler is busy. */
static void evt_06_no_interrupt_while_busy(void)
{
    Hcd *h = hcd_start();

    h->keep_erdp = true;
    run_noop(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_msix_take(h, 0), "no interrupt for the first event");
    for (unsigned i = 0; i < 5; i++) {
        run_noop(h);
        hcd_step_uf(h, 8);
        hcd_check(!hcd_msix_take(h, 0), "an interrupt while EHB is 1");
        hcd_check(!(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP),
                  "IP was set while EHB is 1");
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.2: events that are left over interrupt again. */
static void evt_07_left_over_events(void)
{
    Hcd *h = hcd_start();

    h->keep_erdp = true;
    for (unsigned i = 0; i < 3; i++) {
        run_noop(h);
        hcd_step_uf(h, 8);
    }
    hcd_msix_take(h, 0);
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_event_ack(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_msix_take(h, 0), "two events are left, and no interrupt");
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_event_ack(h);
    hcd_step_uf(h, 8);
    hcd_check(!hcd_msix_take(h, 0), "the ring is empty, and an interrupt");
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.1: with messages IP is cleared when one is sent. */
static void evt_08_ip_with_msix(void)
{
    Hcd *h = hcd_start();

    run_noop(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_msix_take(h, 0), "no interrupt");
    hcd_check(!(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP),
              "IP is 1 after the message was sent");
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.1: with the pin it stays until software clears it. */
static void evt_08_ip_with_pin(void)
{
    Hcd *h = hcd_start(.no_msix = true);

    hcd_check((hcd_pci_read(h, 0x3c) >> 8 & 0xff) != 0,
              "PCI-06: Interrupt Pin is 0");
    run_noop(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP, "IP is 0 after an event");
    hcd_step_uf(h, 800);
    hcd_check(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP, "IP went away");
    hcd_check(hcd_pci_read(h, 0x04) & 1u << 19,
              "PCI Status says that the pin is not asserted");
    hcd_intr_write(h, XHCI_IMAN, IMAN_IP | IMAN_IE);
    hcd_check(!(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP), "IP is not RW1C");
    hcd_check(!(hcd_pci_read(h, 0x04) & 1u << 19), "the pin is still asserted");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1, §5.5.2.1: IE and INTE gate interrupts, not events. */
static void evt_09_gates(const void *data)
{
    bool inte = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start();
    HcdEvent event;

    if (inte) {
        hcd_op_write(h, XHCI_USBCMD, USBCMD_RS);
    } else {
        hcd_intr_write(h, XHCI_IMAN, 0);
    }
    h->keep_erdp = true;
    run_noop(h);
    hcd_step_uf(h, 8);
    hcd_check(!hcd_msix_take(h, 0), "an interrupt through a closed gate");
    hcd_check(hcd_event_take(h, &event), "no event with the gate closed");
    if (inte) {
        hcd_op_write(h, XHCI_USBCMD, USBCMD_RS | USBCMD_INTE);
    } else {
        hcd_intr_write(h, XHCI_IMAN, IMAN_IE);
    }
    hcd_step_uf(h, 8);
    hcd_check(hcd_msix_take(h, 0), "no interrupt when the gate opened");
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.2: 1 ms between interrupts, every event in place. */
static void evt_10_moderation(void)
{
    Hcd *h = hcd_start();
    unsigned interrupts = 0, events = 0;
    HcdEvent event;

    hcd_intr_write(h, XHCI_IMOD, 4000);
    hcd_step_uf(h, 16);
    run_noop(h);
    hcd_step_uf(h, 1);
    hcd_check(hcd_msix_take(h, 0),
              "the first interrupt after a quiet time did not come at once");
    while (hcd_event_take(h, &event)) {
        events++;
    }
    for (unsigned i = 0; i < 80; i++) {
        run_noop(h);
        hcd_step_uf(h, 1);
        if (hcd_msix_take(h, 0)) {
            interrupts++;
            while (hcd_event_take(h, &event)) {
                events++;
            }
        }
    }
    hcd_step_uf(h, 16);
    while (hcd_event_take(h, &event)) {
        events++;
    }
    hcd_check(events == 81, "%u events, expected 81", events);
    hcd_check(interrupts >= 8 && interrupts <= 11,
              "%u interrupts in 10 ms, expected about 10", interrupts);
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.2: the reset value is 1 ms. */
static void evt_10_reset_value(void)
{
    Hcd *h = hcd_start(.halted = true);

    hcd_reset(h);
    hcd_check(xhci_get(hcd_intr_read(h, XHCI_IMOD), IMOD_IMODI) == 4000,
              "IMOD is %08x after HCRST, expected IMODI = 4000",
              hcd_intr_read(h, XHCI_IMOD));
    hcd_finish(h);
}

/* xHCI 1.2 §5.5.2.2: IMODC counts down to 0. */
static void evt_11_counter(void)
{
    Hcd *h = hcd_start();
    unsigned at_once, later;

    hcd_intr_write(h, XHCI_IMOD, 4000);
    hcd_step_uf(h, 16);
    run_noop(h);
    hcd_step_uf(h, 1);
    hcd_event_drain(h);
    at_once = xhci_get(hcd_intr_read(h, XHCI_IMOD), IMOD_IMODC);
    hcd_step_uf(h, 4);
    later = xhci_get(hcd_intr_read(h, XHCI_IMOD), IMOD_IMODC);
    hcd_check(at_once >= 3000 && at_once <= 4000, "IMODC is %u", at_once);
    hcd_check(at_once - later == 2000,
              "IMODC went from %u to %u in 500 us, which is 2000 ticks",
              at_once, later);
    hcd_step_uf(h, 8);
    hcd_check(xhci_get(hcd_intr_read(h, XHCI_IMOD), IMOD_IMODC) == 0,
              "IMODC did not stop at 0: %08x", hcd_intr_read(h, XHCI_IMOD));
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.5: BEI: an event and no interrupt. */
static void evt_12_bei(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t buf = hcd_alloc_filled(h, 8 * 192, 0xaa);
    unsigned events = 0, interrupts = 0;
    HcdEvent event;

    h->keep_erdp = true;
    hcd_msix_take(h, 0);
    for (unsigned i = 0; i < 8; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = buf + 192 * i, .len = 192,
                 .ioc = true, .sia = true, .bei = i < 7);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned uf = 0; uf < 80; uf++) {
        hcd_step_uf(h, 1);
        interrupts += hcd_msix_take(h, 0);
        while (hcd_event_take(h, &event) && event.cc == CC_SUCCESS) {
            events++;
        }
        hcd_check(interrupts == (events == 8), "%u interrupts after %u events",
                  interrupts, events);
    }
    hcd_check(events == 8, "%u events, expected 8", events);
    hcd_check(interrupts == 1, "%u interrupts, expected 1", interrupts);
    hcd_finish(h);
}

enum { RINGS = 3 };

static void expect_on(Hcd *h, HcdEventRing *rings, unsigned n, uint64_t ptr,
                      unsigned cc)
{
    HcdEvent event;

    hcd_step_uf(h, 8);
    for (unsigned i = 0; i < RINGS; i++) {
        HcdEventRing *ring = i ? &rings[i] : &h->evt;

        while (hcd_event_ring_take(h, ring, &event)) {
            if (event.type != EVT_TRANSFER) {
                hcd_check(i == 0, "on ring %u: %s", i, hcd_event_text(&event));
                continue;
            }
            hcd_check(i == n && event.ptr == ptr && event.cc == cc,
                      "on ring %u: %s; expected on ring %u code %u, %" PRIx64,
                      i, hcd_event_text(&event), n, cc, ptr);
            n = RINGS;
        }
    }
    hcd_check(n == RINGS, "no event for %" PRIx64, ptr);
}

static HcdDev *open_with_rings(Hcd *h, HcdEventRing *rings)
{
    HcdDev *dev = hcd_puppet_open(h);

    hcd_event_drain(h);
    for (unsigned i = 1; i < RINGS; i++) {
        rings[i] = hcd_intr_n_open(h, i, 64);
    }
    return dev;
}

/* xHCI 1.2 §4.17.1: each TRB names the interrupter of its event, Event Data
 * its own. */
static void evt_13_targets(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdEventRing rings[RINGS];
    HcdDev *dev = open_with_rings(h, rings);
    uint64_t buf = hcd_alloc(h, 64, 64), trb;

    for (unsigned n = 0; n < RINGS; n++) {
        trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true,
                        .target = n);
        hcd_ring_ep(h, dev, PUPPET_IN);
        expect_on(h, rings, n, trb, CC_SUCCESS);
        td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ch = true,
                  .target = (n + 1) % RINGS);
        td_event_data(h, dev, PUPPET_IN, .buf = 0x1234, .ioc = true,
                      .target = n);
        hcd_ring_ep(h, dev, PUPPET_IN);
        expect_on(h, rings, n, 0x1234, CC_SUCCESS);
    }
    hcd_finish(h);
}

static void stop_quietly(Hcd *h, HcdDev *dev)
{
    hcd_cmd_post(h, hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, PUPPET_IN, 0));
    hcd_doorbell(h, 0, 0);
}

/* xHCI 1.2 §4.6.9, §4.17.1: the Stopped event goes where the event of the
 * stopped TRB would have gone; without a TRB to the slot's interrupter. */
static void evt_13_stopped_event(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdEventRing rings[RINGS];
    HcdDev *dev = open_with_rings(h, rings);
    uint64_t buf = hcd_alloc(h, 64, 64), trb;

    hcd_puppet_answer(h, "hold");
    for (unsigned n = 0; n < RINGS; n++) {
        trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true,
                        .target = n);
        hcd_ring_ep(h, dev, PUPPET_IN);
        stop_quietly(h, dev);
        expect_on(h, rings, n, trb, CC_STOPPED);
        hcd_cmd_skip_all(h, dev, PUPPET_IN);
    }
    hcd_in_write(h, dev, 1, 2,
                 xhci_set(hcd_out_read(h, dev, 0, 2), SLOT_INTR, 2));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1), CC_SUCCESS);
    hcd_ring_ep(h, dev, PUPPET_IN);
    stop_quietly(h, dev);
    expect_on(h, rings, 2, hcd_ring_next(&dev->ring[PUPPET_IN]),
              CC_STOPPED_LENGTH_INVALID);
    hcd_finish(h);
}

static void check_full(Hcd *h, unsigned free_trbs)
{
    unsigned last = h->evt.size - 1 - free_trbs;
    xhci_trb trb = hcd_trb_load(h, h->evt.base + 16 * last);

    hcd_check((trb.dw[3] & TRB_C) &&
                  xhci_get(trb.dw[3], TRB_TYPE) == EVT_HOST_CONTROLLER &&
                  xhci_get(trb.dw[2], EVT_CC) == CC_EVENT_RING_FULL,
              "TRB %u of the full ring is %08x %08x", last, trb.dw[2],
              trb.dw[3]);
    trb = hcd_trb_load(h, h->evt.base + 16 * (last + 1));
    hcd_check(!(trb.dw[3] & TRB_C), "the last free TRB was written");
}

/* xHCI 1.2 §4.9.4: Event Ring Full, and everything comes afterwards. */
static void evt_14_ring_full(void)
{
    Hcd *h = hcd_start(.event_trbs = 16);
    uint64_t trb[40];
    unsigned done = 0;
    HcdEvent event;

    h->keep_erdp = true;
    for (unsigned i = 0; i < 40; i++) {
        trb[i] = post_noop(h);
    }
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 80);
    check_full(h, 1);
    h->keep_erdp = false;
    while (done < 40) {
        hcd_check(hcd_event_wait(h, 800, &event),
                  "EVT-15: the completion of command %u is lost", done);
        if (event.type == EVT_HOST_CONTROLLER) {
            hcd_expect_cc(event.cc, CC_EVENT_RING_FULL);
            continue;
        }
        hcd_check(event.ptr == trb[done] && event.cc == CC_SUCCESS,
                  "EVT-15: the event is: %s; expected pointer %" PRIx64,
                  hcd_event_text(&event), trb[done]);
        done++;
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.4: the same with transfers. */
static void evt_15_transfers(void)
{
    Hcd *h = hcd_start(.event_trbs = 16, .args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 512 * 40, 0xaa);
    uint64_t trb[40];
    unsigned done = 0;
    HcdEvent event;

    hcd_msd_command(h, dev, MSD_READ10, 512 * 40);
    h->keep_erdp = true;
    for (unsigned i = 0; i < 40; i++) {
        trb[i] = td_normal(h, dev, MSD_IN, .buf = buf + 512 * i, .len = 512,
                           .ioc = true);
    }
    hcd_ring_ep(h, dev, MSD_IN);
    for (unsigned i = 0; i < 200; i++) {
        hcd_step_uf(h, 8);
    }
    h->keep_erdp = false;
    while (done < 40) {
        hcd_check(hcd_event_wait(h, 800, &event), "event %u is lost", done);
        if (event.type == EVT_HOST_CONTROLLER) {
            continue;
        }
        hcd_check(event.ptr == trb[done] && event.cc == CC_SUCCESS,
                  "the event is: %s; expected pointer %" PRIx64,
                  hcd_event_text(&event), trb[done]);
        done++;
    }
    hcd_check(hcd_mem_is(h, buf, 512 * 40, 0), "data is missing");
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("EVT-01/start", evt_01_start);
    hcd_test_add("EVT-02/laps", evt_02_laps);
    hcd_test_add("EVT-05/ehb", evt_05_ehb);
    hcd_test_add("EVT-06/no-interrupt-while-busy",
                 evt_06_no_interrupt_while_busy);
    hcd_test_add("EVT-07/left-over-events", evt_07_left_over_events);
    hcd_test_add("EVT-08/ip-with-msix", evt_08_ip_with_msix);
    hcd_test_add("EVT-08/PCI-06/ip-with-pin", evt_08_ip_with_pin);
    hcd_test_add_data("EVT-09/ie", evt_09_gates, GUINT_TO_POINTER(0));
    hcd_test_add_data("EVT-09/inte", evt_09_gates, GUINT_TO_POINTER(1));
    hcd_test_add("EVT-10/moderation", evt_10_moderation);
    hcd_test_add("EVT-10/reset-value", evt_10_reset_value);
    hcd_test_add("EVT-11/counter", evt_11_counter);
    hcd_test_add("EVT-12/bei", evt_12_bei);
    hcd_test_add("EVT-13/targets", evt_13_targets);
    hcd_test_add("EVT-13/stopped-event", evt_13_stopped_event);
    hcd_test_add("EVT-14/ring-full", evt_14_ring_full);
    hcd_test_add("EVT-15/transfers", evt_15_transfers);
    return hcd_test_main(argc, argv);
}
