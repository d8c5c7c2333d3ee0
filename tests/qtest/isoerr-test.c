/*
 * Isochronous errors and where their events go (xHCI 1.2 §4.10.2, §4.10.3,
 * §4.17.1): none of them stops the endpoint, each names the TRB it struck, and
 * the TD behind it runs in the next ESIT.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */
#define SENT 192 /* bytes that usb-isoav sends in alternate 1 */

static void check_running(Hcd *h, HcdDev *dev)
{
    hcd_check(hcd_ep_state(h, dev, ISOAV_IN) == EP_STATE_RUNNING,
              "the endpoint is in state %u, not Running",
              hcd_ep_state(h, dev, ISOAV_IN));
}

/* An IN endpoint every frame, of which the host has its own idea. */
static HcdDev *open_as(Hcd *h, unsigned mps, unsigned esit)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_ep_add(h, dev, .dci = ISOAV_IN, .type = EP_TYPE_ISOCH_IN, .mps = mps,
               .esit = esit, .interval = 3);
    hcd_isoav_select(h, dev, EVERY_UF);
    return dev;
}

/* xHCI 1.2 §4.14.2.1: no later than IST and one ESIT after the doorbell. */
static void iso_14_first_td(const void *data)
{
    unsigned phase = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;
    uint64_t rung, uf;

    hcd_step_uf(h, 80);
    now = iso_frame_now(h);
    hcd_step_to_uf(h, now.start_uf + 16 + phase);
    iso_in_queue_sia(in, 1);
    rung = hcd_now_uf(h);
    iso_in_doorbell(in);
    uf = iso_in_expect(in, 0);
    hcd_check((uf - now.start_uf) % 8 == 0, "the TD ran off the ESIT grid");
    hcd_check(uf >= rung && uf <= rung + h->ist_uf + 8,
              "rung in microframe %" PRIu64 ", run in %" PRIu64, rung, uf);
    hcd_finish(h);
}

/*
 * xHCI 1.2 §4.9.4, §4.10.3.2: a full event ring keeps the controller from TDs
 * whose ESITs pass. Their data is lost, each is told, and the stream goes on.
 */
static void iso_19_held_up(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .event_trbs = 16);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    unsigned good = 0, missed = 0, i = 0;
    uint64_t resumed;
    HcdEvent event;

    hcd_event_drain(h);
    iso_in_queue_sia(in, 40);
    h->keep_erdp = true;
    iso_in_doorbell(in);
    hcd_step_uf(h, 25 * 8);
    h->keep_erdp = false;
    resumed = hcd_now_uf(h);
    while (i < 40 && hcd_event_wait(h, 80, &event)) {
        if (event.type == EVT_HOST_CONTROLLER) {
            continue;
        }
        hcd_check(event.ptr == in->trb[i], "after TD %u: %s", i,
                  hcd_event_text(&event));
        if (event.cc == CC_MISSED_SERVICE) {
            hcd_check(hcd_mem_is(h, in->buf[i], in->bytes, 0xaa),
                      "missed TD %u has data", i);
            missed++;
        } else {
            uint64_t uf = hcd_isoav_microframe(h, in->buf[i], in->bytes);

            hcd_check(event.cc == CC_SUCCESS, "%s", hcd_event_text(&event));
            hcd_check(!missed || uf >= resumed,
                      "TD %u ran while the ring was full", i);
            good++;
        }
        i++;
    }
    hcd_check(i == 40, "%u of 40 TDs have an event", i);
    hcd_check(missed >= 8 && missed <= 14 && good == 40 - missed,
              "%u missed, %u good", missed, good);
    check_running(h, in->dev);
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.4, §4.11.2.5: what the full ring held up is lost; a TD for a
 * frame that was still to come is not. */
static void iso_15_future_td(void)
{
    enum { TDS = 40, AHEAD = 200 };
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .event_trbs = 16);
    IsoIn *in = iso_in_open(h, EVERY_UF);
    IsoFrame now;
    unsigned missed = 0;
    HcdEvent event;
    uint64_t uf;

    hcd_event_drain(h);
    now = iso_frame_now(h);
    for (unsigned i = 0; i < TDS; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, 4 + i / 8));
    }
    iso_in_queue_frame(in, iso_frame_id(now, AHEAD));
    h->keep_erdp = true;
    iso_in_doorbell(in);
    hcd_step_uf(h, 20 * 8);
    h->keep_erdp = false;
    for (unsigned i = 0; i <= TDS; i++) {
        do {
            hcd_check(hcd_event_wait(h, AHEAD * 8, &event),
                      "no event for TD %u", i);
        } while (event.type == EVT_HOST_CONTROLLER);
        hcd_check(event.ptr == in->trb[i], "TD %u: %s", i,
                  hcd_event_text(&event));
        missed += event.cc == CC_MISSED_SERVICE;
    }
    hcd_check(missed > 0, "the ring held up nothing");
    hcd_check(event.cc == CC_SUCCESS, "the TD for a future frame: %s",
              hcd_event_text(&event));
    uf = hcd_isoav_microframe(h, in->buf[TDS], in->bytes);
    hcd_check(uf == iso_frame_uf(now, AHEAD),
              "it ran in microframe %" PRIu64 ", its frame begins at %" PRIu64,
              uf, iso_frame_uf(now, AHEAD));
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.2: valid since 1.1, and within the TD; not Event Data. */
static void iso_20_pointer(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t buf = hcd_alloc_filled(h, 300, 0xaa), first, last;
    IsoFrame now;
    HcdEvent event;

    hcd_step_uf(h, 400);
    now = iso_frame_now(h);
    first = td_isoch(h, in->dev, ISOAV_IN, .buf = buf, .len = 100, .ch = true,
                     .frame_id = iso_frame_id(now, -4));
    last = td_normal(h, in->dev, ISOAV_IN, .buf = buf + 100, .len = 92,
                     .ioc = true);
    iso_in_queue_frame(in, iso_frame_id(now, 4));
    iso_in_doorbell(in);
    event = hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN,
                          .cc = CC_MISSED_SERVICE);
    hcd_check(event.ptr == first || event.ptr == last,
              "the event is: %s; the TD is at %" PRIx64, hcd_event_text(&event),
              first);
    iso_in_expect(in, 0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.2: a missed TD of several TRBs that asks for no event is
 * told once, and its Normal TRBs are not taken for the next TD. */
static void iso_23_multi_trb(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t buf = hcd_alloc_filled(h, 300, 0xaa);
    IsoFrame now;

    hcd_step_uf(h, 400);
    now = iso_frame_now(h);
    td_isoch(h, in->dev, ISOAV_IN, .buf = buf, .len = 100, .ch = true,
             .frame_id = iso_frame_id(now, -4));
    td_normal(h, in->dev, ISOAV_IN, .buf = buf + 100, .len = 50, .ch = true);
    td_normal(h, in->dev, ISOAV_IN, .buf = buf + 150, .len = 42);
    iso_in_queue_frame(in, iso_frame_id(now, 4));
    iso_in_doorbell(in);
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_MISSED_SERVICE);
    hcd_check(iso_in_expect(in, 0) == iso_frame_uf(now, 4),
              "the next TD ran in the wrong frame");
    hcd_check(hcd_mem_is(h, buf, 300, 0xaa), "a missed TD has data");
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: length 0, ED 0, and where the ring was found empty. */
static void iso_25_xrun_fields(const void *data)
{
    unsigned dci = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, EVERY_FRAME);
    uint64_t buf = hcd_isoav_out_packet(h, 0, 1024);
    HcdEvent event;

    for (unsigned i = 0; i < 3; i++) {
        td_isoch(h, dev, dci, .buf = buf, .len = 1024, .sia = true);
    }
    hcd_ring_ep(h, dev, dci);
    event = hcd_expect_te(h, .dev = dev, .dci = dci, .len = HCD_LEN_0,
                          .cc = dci == ISOAV_IN ? CC_RING_OVERRUN
                                                : CC_RING_UNDERRUN);
    hcd_check(event.ptr == hcd_ring_next(&dev->ring[dci]),
              "the event is: %s; the ring was empty at %" PRIx64,
              hcd_event_text(&event), hcd_ring_next(&dev->ring[dci]));
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.1: the Slot Context's interrupter, not a TRB's. */
static void iso_29_xrun_interrupter(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);
    uint64_t erst = hcd_alloc(h, 16, 64), base = hcd_alloc(h, 512, 64), buf;
    unsigned one = XHCI_INTR_STRIDE;
    xhci_trb trb;

    qtest_memset(h->qts, base, 0, 512);
    qtest_writeq(h->qts, erst, base);
    qtest_writeq(h->qts, erst + 8, 32);
    hcd_intr_write(h, one + XHCI_ERSTSZ, 1);
    hcd_intr_write(h, one + XHCI_ERDP_LO, base);
    hcd_intr_write(h, one + XHCI_ERDP_HI, 0);
    hcd_intr_write(h, one + XHCI_ERSTBA_LO, erst);
    hcd_intr_write(h, one + XHCI_ERSTBA_HI, 0);
    /* Evaluate Context with A0 moves the slot to interrupter 1 (§4.6.7) */
    hcd_in_write(h, dev, 1, 2,
                 xhci_set(hcd_in_read(h, dev, 1, 2), SLOT_INTR, 1));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1), CC_SUCCESS);
    hcd_isoav_add_ep(h, dev, EVERY_FRAME, ISOAV_IN);
    hcd_isoav_select(h, dev, EVERY_FRAME);
    buf = hcd_alloc_filled(h, 1024, 0xaa);
    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 1024, .sia = true,
             .ioc = true, .target = 0);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS);
    hcd_expect_quiet(h, 80);
    trb = hcd_trb_load(h, base);
    hcd_check(xhci_get(trb.dw[3], TRB_TYPE) == EVT_TRANSFER &&
                  xhci_get(trb.dw[2], EVT_CC) == CC_RING_OVERRUN,
              "interrupter 1's first event is %08x %08x", trb.dw[2], trb.dw[3]);
    hcd_finish(h);
}

/* One error after the other, told apart by what the host believes of the
 * endpoint and asks of it; the device always sends 192 bytes. */
typedef struct {
    unsigned mps, esit, len;
    unsigned cc;
} ErrorCase;

static const ErrorCase babble = { 100, 100, 100, CC_BABBLE_DETECTED };
static const ErrorCase buffer_overrun = { SENT, SENT, 100,
                                          CC_ISOCH_BUFFER_OVERRUN };
static const ErrorCase bandwidth_overrun = { SENT, SENT, 400,
                                             CC_BANDWIDTH_OVERRUN };

/* xHCI 1.2 §4.10.2: Running, one TD an ESIT, nothing behind the buffer. */
static void iso_34_runs_on(const void *data)
{
    const ErrorCase *c = data;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_as(h, c->mps, c->esit);
    uint64_t buf[4], trb[4], last = 0;
    HcdEvent event;

    for (unsigned i = 0; i < 4; i++) {
        buf[i] = hcd_alloc_filled(h, c->len + 256, 0xaa);
        trb[i] = td_isoch(h, dev, ISOAV_IN, .buf = buf[i], .len = c->len,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < 4; i++) {
        event = hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = c->cc,
                              .ptr = trb[i]);
        hcd_check(!last || event.uf == last + 8,
                  "TD %u was done at %" PRIu64 ", the one before at %" PRIu64,
                  i, event.uf, last);
        last = event.uf;
        check_running(h, dev);
        hcd_check(hcd_mem_is(h, buf[i] + c->len, 256, 0xaa),
                  "bytes behind the buffer were written");
    }
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, ISOAV_IN), CC_CONTEXT_STATE_ERROR);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: the event names the TRB; what asks for an event behind it
 * in the TD still gets one. */
static void iso_40_error_in_the_middle(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_as(h, SENT, SENT);
    uint64_t buf = hcd_alloc_filled(h, 1024, 0xaa), second, last, next;

    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 100, .sia = true, .ch = true);
    second =
        td_normal(h, dev, ISOAV_IN, .buf = buf + 100, .len = 150, .ch = true);
    last =
        td_normal(h, dev, ISOAV_IN, .buf = buf + 250, .len = 100, .ioc = true);
    next = td_isoch(h, dev, ISOAV_IN, .buf = buf + 512, .len = SENT,
                    .sia = true, .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_BANDWIDTH_OVERRUN,
                  .ptr = second);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_BANDWIDTH_OVERRUN,
                  .ptr = last);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS, .ptr = next,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: state 3, pointer and DCS are in memory before the CCE, in
 * each lap of the ring. */
static void cmd_32_stopped_context(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, EVERY_UF, ISOAV_IN);
    uint64_t buf = hcd_alloc_filled(h, SENT, 0xaa), dequeue;
    HcdRing *ring = &dev->ring[ISOAV_IN];
    HcdEvent te;

    for (unsigned round = 0; round < 6; round++) {
        bool pcs = ring->pcs;

        for (unsigned i = 0; i < 100; i++) {
            td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = SENT, .sia = true);
        }
        hcd_ring_ep(h, dev, ISOAV_IN);
        hcd_step_uf(h, 60);
        hcd_cmd_post(h,
                     hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, ISOAV_IN, 0));
        hcd_doorbell(h, 0, 0);
        te = hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN,
                           .cc = CC_STOPPED_LENGTH_INVALID, .cc2 = CC_STOPPED);
        dequeue = hcd_ep_dequeue(h, dev, ISOAV_IN);
        hcd_check(hcd_ep_state(h, dev, ISOAV_IN) == EP_STATE_STOPPED &&
                      (dequeue & ~UINT64_C(0xf)) == te.ptr,
                  "the Output Context says %" PRIx64 ", the event is: %s",
                  dequeue, hcd_event_text(&te));
        hcd_check((hcd_trb_load(h, te.ptr).dw[3] & TRB_C) == (dequeue & 1),
                  "DCS is %u, round %u began with PCS %u",
                  (unsigned)dequeue & 1, round, pcs);
        hcd_expect_cc(hcd_expect_type(h, EVT_COMMAND_COMPLETION).cc,
                      CC_SUCCESS);
        hcd_cmd_skip_all(h, dev, ISOAV_IN);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned phase = 0; phase < 8; phase += 7) {
        g_autofree char *name =
            g_strdup_printf("ISO-14/first-td-phase-%u", phase);

        hcd_test_add_data(name, iso_14_first_td, GUINT_TO_POINTER(phase));
    }
    hcd_test_add("ISO-19/held-up-by-a-full-event-ring", iso_19_held_up);
    hcd_test_add("ISO-15/future-td-after-full-ring", iso_15_future_td);
    hcd_test_add("ISO-20/pointer-of-missed-service", iso_20_pointer);
    hcd_test_add("ISO-23/missed-multi-trb", iso_23_multi_trb);
    hcd_test_add_data("ISO-25/xrun-fields-in", iso_25_xrun_fields,
                      GUINT_TO_POINTER(ISOAV_IN));
    hcd_test_add_data("ISO-25/xrun-fields-out", iso_25_xrun_fields,
                      GUINT_TO_POINTER(ISOAV_OUT));
    hcd_test_add("ISO-29/xrun-interrupter", iso_29_xrun_interrupter);
    hcd_test_add_data("ISO-34/babble", iso_34_runs_on, &babble);
    hcd_test_add_data("ISO-34/buffer-overrun", iso_34_runs_on, &buffer_overrun);
    hcd_test_add_data("ISO-34/bandwidth-overrun", iso_34_runs_on,
                      &bandwidth_overrun);
    hcd_test_add("ISO-40/error-in-the-middle", iso_40_error_in_the_middle);
    hcd_test_add("CMD-32/stopped-context", cmd_32_stopped_context);
    return hcd_test_main(argc, argv);
}
