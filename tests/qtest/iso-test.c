/*
 * What becomes of isochronous TDs (xHCI 1.2 §4.10.3, §4.11.2.3, §4.14.2.1):
 * missed service, rings that run dry, lengths, errors, stop and restart. When
 * they run is in isotime-test.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"
#include "isolab/isoav.h"

enum { EVERY_UF = 1, THREE_KB = 3, EVERY_FRAME = 4 }; /* alternates */

static void check_running(Hcd *h, HcdDev *dev, unsigned dci)
{
    unsigned state = hcd_ep_state(h, dev, dci);

    hcd_check(state == EP_STATE_RUNNING, "DCI %u is in state %u, not Running",
              dci, state);
}

/* xHCI 1.2 §4.10.3.1: the pointer is the dequeue pointer, or 0 before 1.1. */
static HcdEvent expect_xrun(Hcd *h, HcdDev *dev, unsigned dci)
{
    HcdEvent event;

    hcd_check(hcd_event_wait(h, 80, &event), "no Ring Overrun or Underrun");
    hcd_check(event.type == EVT_TRANSFER && event.slot_id == dev->slot_id &&
                  event.dci == dci &&
                  event.cc == (dci & 1 ? CC_RING_OVERRUN : CC_RING_UNDERRUN),
              "the event is: %s; expected the ring of DCI %u to run dry",
              hcd_event_text(&event), dci);
    hcd_check(
        event.len == 0 && !event.ed &&
            (event.ptr == 0 || event.ptr == hcd_ring_next(&dev->ring[dci])),
        "ISO-25: the event is: %s; the ring is at %" PRIx64,
        hcd_event_text(&event), hcd_ring_next(&dev->ring[dci]));
    return event;
}

/* xHCI 1.2 §4.10.3.2: each missed TD is told, the next runs (ISO-19 to 21). */
static void iso_21_each_missed_td(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;

    hcd_step_uf(h, 400);
    now = iso_frame_now(h);
    for (int i = 0; i < 3; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, i - 10));
    }
    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_queue_frame(in, iso_frame_id(now, 11));
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 3; i++) {
        iso_in_expect_missed(in, i);
    }
    check_running(h, in->dev, ISOAV_IN);
    iso_in_expect(in, 3);
    iso_in_expect(in, 4);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5.2: IOC and Event Data of a skipped TD say [23]. */
static void iso_22_events_of_missed_td(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t buf = hcd_alloc_filled(h, 1024, 0xaa), last;
    bool seen_last = false, seen_data = false;
    IsoFrame now;
    HcdEvent event;

    hcd_step_uf(h, 400);
    now = iso_frame_now(h);
    td_isoch(h, in->dev, ISOAV_IN, .buf = buf, .len = 512, .ch = true,
             .frame_id = iso_frame_id(now, -5));
    last = td_normal(h, in->dev, ISOAV_IN, .buf = buf + 512, .len = 512,
                     .ch = true, .ioc = true);
    td_event_data(h, in->dev, ISOAV_IN, .buf = 0x7777, .ioc = true);
    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_doorbell(in);
    while (hcd_event_wait(h, 200, &event) && event.cc == CC_MISSED_SERVICE) {
        seen_last |= !event.ed && event.ptr == last;
        seen_data |= event.ed && event.ptr == 0x7777;
    }
    hcd_check(event.cc == CC_SUCCESS && event.ptr == in->trb[0],
              "the event is: %s", hcd_event_text(&event));
    hcd_check(seen_last, "no event for the last TRB of the missed TD");
    hcd_check(seen_data, "no event for the Event Data of the missed TD");
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: the ESIT after the last TD finds the ring empty. */
static void iso_24_in_runs_dry(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    HcdEvent event;
    uint64_t last = 0;

    hcd_step_uf(h, 80);
    iso_in_queue_sia(in, 4);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 4; i++) {
        last = iso_in_expect(in, i);
    }
    event = expect_xrun(h, in->dev, ISOAV_IN);
    hcd_check(event.uf >= last + 8 && event.uf <= last + 9,
              "the last TD ran at %" PRIu64 ", the overrun came at %" PRIu64
              ", expected one ESIT (8) later",
              last, event.uf);
    check_running(h, in->dev, ISOAV_IN);
    hcd_expect_quiet(h, 100 * 8);
    hcd_finish(h);
}

static void iso_24_out_runs_dry(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, EVERY_FRAME);

    for (unsigned i = 0; i < 4; i++) {
        td_isoch(h, dev, ISOAV_OUT, .buf = hcd_isoav_out_packet(h, i, 200),
                 .len = 200, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < 4; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_SUCCESS,
                      .len = HCD_LEN_0);
    }
    expect_xrun(h, dev, ISOAV_OUT);
    hcd_expect_quiet(h, 100 * 8);
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_PACKETS_OUT) == 4 &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT) == 0 &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_LOST_OUT) == 0,
              "the device did not receive four good packets");
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: one event for each dry stretch (ISO-26). */
static void iso_26_once_per_dry_stretch(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    for (unsigned i = 0; i < 5; i++) {
        iso_in_queue_sia(in, 1);
        iso_in_doorbell(in);
        iso_in_expect(in, i);
        expect_xrun(h, in->dev, ISOAV_IN);
        hcd_expect_quiet(h, 100 * 8);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: off the schedule until the doorbell. */
static void iso_27_doorbell_restarts(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    iso_in_queue_sia(in, 1);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    expect_xrun(h, in->dev, ISOAV_IN);
    check_running(h, in->dev, ISOAV_IN);
    iso_in_queue_sia(in, 2);
    hcd_expect_quiet(h, 100 * 8);
    iso_in_doorbell(in);
    iso_in_expect(in, 1);
    iso_in_expect(in, 2);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3: dry, and then a TD for a frame that is over. */
static void iso_28_stale_td_after_dry(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;

    iso_in_queue_sia(in, 1);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    expect_xrun(h, in->dev, ISOAV_IN);
    hcd_step_uf(h, 80);
    now = iso_frame_now(h);
    iso_in_queue_frame(in, iso_frame_id(now, -3));
    iso_in_queue_frame(in, iso_frame_id(now, 5));
    iso_in_doorbell(in);
    iso_in_expect_missed(in, 1);
    hcd_check(iso_in_expect(in, 2) == iso_frame_uf(now, 5),
              "the TD after the missed one ran in the wrong frame");
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: no doorbell, no schedule, no overrun. */
static void iso_30_silent_when_not_started(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    iso_in_queue_sia(in, 1);
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
    hcd_event_drain(h);
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: a Link before the enqueue position is followed, and a
 * No-op is done with; then the ring is empty. */
static void iso_30_link_before_empty(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_UF);
    uint64_t noop;

    iso_in_queue_sia(in, 254);
    noop = td_noop(h, in->dev, ISOAV_IN, .ioc = true);
    hcd_check(hcd_ring_next(&in->dev->ring[ISOAV_IN]) ==
                  in->dev->ring[ISOAV_IN].base,
              "the ring did not wrap");
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 254; i++) {
        iso_in_expect(in, i);
    }
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                  .ptr = noop, .len = HCD_LEN_0);
    expect_xrun(h, in->dev, ISOAV_IN);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.3: Isoch TRB and Normal TRBs, across 64 KB. */
static void iso_31_multi_trb_in(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, THREE_KB, ISOAV_IN);
    uint64_t area = hcd_alloc(h, 0x20000, 0x10000);
    uint64_t buf = area + 0x10000 - 1500, last;

    qtest_memset(h->qts, area, 0xaa, 0x20000);
    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 700, .ch = true, .sia = true);
    td_normal(h, dev, ISOAV_IN, .buf = buf + 700, .len = 800, .ch = true);
    last = td_normal(h, dev, ISOAV_IN, .buf = buf + 1500, .len = 1572,
                     .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    hcd_isoav_sequence(h, buf, 3072);
    hcd_check(hcd_mem_is(h, buf - 64, 64, 0xaa) &&
                  hcd_mem_is(h, buf + 3072, 64, 0xaa),
              "bytes around the buffer were written");
    hcd_finish(h);
}

static void iso_31_multi_trb_out(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, THREE_KB, ISOAV_OUT);

    for (unsigned i = 0; i < 3; i++) {
        uint64_t packet = hcd_isoav_out_packet(h, i, 3072);

        td_isoch(h, dev, ISOAV_OUT, .buf = packet, .len = 1, .ch = true,
                 .sia = true);
        td_normal(h, dev, ISOAV_OUT, .buf = packet + 1, .len = 3000,
                  .ch = true);
        td_normal(h, dev, ISOAV_OUT, .buf = packet + 3001, .len = 71,
                  .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < 3; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_SUCCESS,
                      .len = HCD_LEN_0);
    }
    expect_xrun(h, dev, ISOAV_OUT);
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_BYTES_OUT) == 3 * 3072 &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT) == 0,
              "the device did not receive three good packets");
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2.1: a TD of length 0 takes its turn like any other. */
static void iso_32_zero_length(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, EVERY_FRAME);
    uint64_t packet = hcd_isoav_out_packet(h, 0, 192), last = 0;

    for (unsigned i = 0; i < 8; i++) {
        td_isoch(h, dev, ISOAV_OUT, .buf = packet, .len = i % 2 ? 192 : 0,
                 .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < 8; i++) {
        HcdEvent event = hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT,
                                       .cc = CC_SUCCESS, .len = HCD_LEN_0);

        hcd_check(i == 0 || event.uf == last + 8,
                  "TD %u was done at %" PRIu64 ", the one before at %" PRIu64,
                  i, event.uf, last);
        last = event.uf;
    }
    hcd_finish(h);
}

/* An IN endpoint that the host opens wider than the device sends. */
static HcdDev *open_wide(Hcd *h, unsigned esit)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_ep_add(h, dev, .dci = ISOAV_IN, .type = EP_TYPE_ISOCH_IN, .mps = esit,
               .esit = esit, .interval = 3);
    hcd_isoav_select(h, dev, EVERY_UF);
    return dev;
}

/* xHCI 1.2 §4.10.1.1: short packets, with the rules of any short TD. */
static void iso_33_short(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_wide(h, 512);
    uint64_t buf = hcd_alloc_filled(h, 3 * 400, 0xaa), trb[3];

    for (unsigned i = 0; i < 3; i++) {
        trb[i] = td_isoch(h, dev, ISOAV_IN, .buf = buf + 400 * i, .len = 400,
                          .sia = true, .isp = i == 1, .ioc = i != 1);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < 3; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SHORT_PACKET,
                      .ptr = trb[i], .len = 400 - 192);
        hcd_isoav_sequence(h, buf + 400 * i, 192);
        hcd_check(hcd_mem_is(h, buf + 400 * i + 192, 208, 0xaa),
                  "bytes past the short packet were written");
    }
    check_running(h, dev, ISOAV_IN);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1.2: two events for one short multi-TRB TD. */
static void iso_33_short_multi_trb(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_wide(h, 512);
    uint64_t buf = hcd_alloc_filled(h, 400, 0xaa), second, last;

    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 100, .sia = true, .isp = true,
             .ch = true);
    second = td_normal(h, dev, ISOAV_IN, .buf = buf + 100, .len = 100,
                       .isp = true, .ch = true);
    last =
        td_normal(h, dev, ISOAV_IN, .buf = buf + 200, .len = 200, .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SHORT_PACKET,
                  .ptr = second, .len = 8);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SHORT_PACKET,
                  .ptr = last, .len = 8);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: a device that does not answer is [4], not [13]. */
static void iso_35_device_gone(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);
    HcdEvent event;

    iso_in_queue_frame(in, iso_frame_id(now, 20));
    iso_in_doorbell(in);
    hcd_unplug(h, "av");
    hcd_check(hcd_event_wait(h, 80, &event) &&
                  event.type == EVT_PORT_STATUS_CHANGE,
              "no port event after the device went");
    while (hcd_event_wait(h, 8 * 30, &event)) {
        hcd_check(event.type == EVT_TRANSFER, "the event is: %s",
                  hcd_event_text(&event));
        if (event.ptr == in->trb[0] && event.cc != CC_RING_OVERRUN) {
            hcd_check(event.cc == CC_USB_TRANSACTION_ERROR &&
                          event.len == in->bytes,
                      "the event is: %s", hcd_event_text(&event));
            check_running(h, in->dev, ISOAV_IN);
            hcd_finish(h);
            return;
        }
    }
    hcd_fail(__FILE__, __LINE__, "no event for a TD whose device is gone");
}

/* xHCI 1.2 §4.10.2: more than the TD holds; ISO-34: and on it goes. */
static void iso_36_buffer_overrun(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_wide(h, 192);
    uint64_t small = hcd_alloc_filled(h, 100, 0xaa), trb, next;
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa);

    trb = td_isoch(h, dev, ISOAV_IN, .buf = small, .len = 100, .sia = true,
                   .ioc = true);
    next = td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
                    .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_ISOCH_BUFFER_OVERRUN,
                  .ptr = trb);
    hcd_check(hcd_mem_is(h, small + 100, 64, 0xaa),
              "bytes past the buffer were written");
    check_running(h, dev, ISOAV_IN);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, ISOAV_IN), CC_CONTEXT_STATE_ERROR);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS, .ptr = next,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2.1: more than Max ESIT Payload. */
static void iso_37_bandwidth_overrun(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_wide(h, 192);
    uint64_t buf = hcd_alloc_filled(h, 600, 0xaa), trb, next;

    trb = td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 400, .sia = true,
                   .ioc = true);
    next = td_isoch(h, dev, ISOAV_IN, .buf = buf + 400, .len = 192, .sia = true,
                    .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_BANDWIDTH_OVERRUN,
                  .ptr = trb);
    hcd_check(hcd_mem_is(h, buf + 192, 208, 0xaa),
              "more than Max ESIT Payload was moved");
    check_running(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS, .ptr = next,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.8.3: the one error that stops an isochronous endpoint. */
static void iso_39_trb_error(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t bad = hcd_td(h, in->dev, ISOAV_IN,
                          (HcdTd){ .type = 45, .len = 8, .ioc = true });

    iso_in_doorbell(in);
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_TRB_ERROR,
                  .ptr = bad);
    hcd_check(hcd_ep_state(h, in->dev, ISOAV_IN) == EP_STATE_ERROR,
              "the endpoint is in state %u, not Error",
              hcd_ep_state(h, in->dev, ISOAV_IN));
    iso_in_queue_sia(in, 2);
    iso_in_doorbell(in);
    hcd_expect_quiet(h, 80);
    hcd_expect_cc(hcd_cmd_set_dequeue(h, in->dev, ISOAV_IN, in->trb[0], true),
                  CC_SUCCESS);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    iso_in_expect(in, 1);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.4: three transactions of 1024 in each microframe. */
static void iso_44_high_bandwidth(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, THREE_KB);
    uint64_t first;

    iso_in_queue_sia(in, 200);
    iso_in_doorbell(in);
    first = iso_in_expect(in, 0);
    for (unsigned i = 1; i < 200; i++) {
        uint64_t uf = iso_in_expect(in, i);

        hcd_check(uf == first + i,
                  "packet %u was sent in microframe %" PRIu64
                  ", the first in %" PRIu64,
                  i, uf, first);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.16: 80% of a microframe; refused, the rest is as before. */
static void iso_45_bandwidth(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, THREE_KB, ISOAV_IN);
    uint64_t buf = hcd_alloc_filled(h, 3072, 0xaa);
    HcdEp out = { .dci = ISOAV_OUT,
                  .type = EP_TYPE_ISOCH_OUT,
                  .mps = 1024,
                  .burst = 2,
                  .esit = 3072 };

    hcd_ep_prepare(h, dev, out);
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << ISOAV_OUT | 1, 0),
                  CC_BANDWIDTH_ERROR);
    hcd_check(hcd_ep_state(h, dev, ISOAV_OUT) == EP_STATE_DISABLED,
              "a refused endpoint is in state %u",
              hcd_ep_state(h, dev, ISOAV_OUT));
    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 3072, .sia = true,
             .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS);
    expect_xrun(h, dev, ISOAV_IN);
    hcd_expect_cc(
        hcd_cmd_configure(h, dev, 1u << ISOAV_OUT | 1, 1u << ISOAV_IN),
        CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: the Stopped event, then silence. */
static void iso_47_stop_mid_stream(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t dequeue;
    HcdEvent te;

    iso_in_queue_sia(in, 20);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 5; i++) {
        iso_in_expect(in, i);
    }
    hcd_step_uf(h, 3);
    hcd_cmd_post(h,
                 hcd_cmd_trb(CMD_STOP_ENDPOINT, in->dev->slot_id, ISOAV_IN, 0));
    hcd_doorbell(h, 0, 0);
    te = hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN,
                       .cc = CC_STOPPED_LENGTH_INVALID, .cc2 = CC_STOPPED);
    hcd_check(te.ptr == in->trb[5],
              "stopped at %" PRIx64 ", TD 5 is at %" PRIx64, te.ptr,
              in->trb[5]);
    hcd_expect_cc(hcd_expect_type(h, EVT_COMMAND_COMPLETION).cc, CC_SUCCESS);
    dequeue = hcd_ep_dequeue(h, in->dev, ISOAV_IN);
    hcd_check(dequeue == (in->trb[5] | 1), "the Output Context says %" PRIx64,
              dequeue);
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    hcd_check(hcd_mem_is(h, in->buf[5], in->bytes, 0xaa),
              "a TD of a stopped endpoint ran");
    hcd_finish(h);
}

static void iso_47_stop_when_dry(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    iso_in_queue_sia(in, 1);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    expect_xrun(h, in->dev, ISOAV_IN);
    hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN,
                  .cc = CC_STOPPED_LENGTH_INVALID,
                  .ptr = hcd_ring_next(&in->dev->ring[ISOAV_IN]));
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: after a stop Frame IDs count again. */
static void iso_48_restart_with_frame_ids(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    for (unsigned i = 0; i < 4; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, 10 + i));
    }
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
    hcd_event_drain(h);
    hcd_step_uf(h, 80);
    now = iso_frame_now(h);
    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_doorbell(in);
    for (unsigned i = 1; i < 4; i++) {
        iso_in_expect_missed(in, i);
    }
    hcd_check(iso_in_expect(in, 4) == iso_frame_uf(now, 10),
              "the TD after the restart ran in the wrong frame");
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.10: skipped TDs are gone without a word, and it streams. */
static void iso_48_skip_and_restart(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    for (unsigned round = 0; round < 4; round++) {
        unsigned base = round * 16;

        iso_in_queue_sia(in, 16);
        iso_in_doorbell(in);
        iso_in_expect(in, base);
        iso_in_expect(in, base + 1);
        hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
        hcd_event_drain(h);
        hcd_expect_cc(
            hcd_cmd_set_dequeue(h, in->dev, ISOAV_IN, in->trb[base + 7], true),
            CC_SUCCESS);
        iso_in_doorbell(in);
        for (unsigned i = 7; i < 16; i++) {
            iso_in_expect(in, base + i);
        }
        expect_xrun(h, in->dev, ISOAV_IN);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("ISO-21/each-missed-td", iso_21_each_missed_td);
    hcd_test_add("ISO-22/events-of-missed-td", iso_22_events_of_missed_td);
    hcd_test_add("ISO-24/in-runs-dry", iso_24_in_runs_dry);
    hcd_test_add("ISO-24/out-runs-dry", iso_24_out_runs_dry);
    hcd_test_add("ISO-26/once-per-dry-stretch", iso_26_once_per_dry_stretch);
    hcd_test_add("ISO-27/doorbell-restarts", iso_27_doorbell_restarts);
    hcd_test_add("ISO-28/stale-td-after-dry", iso_28_stale_td_after_dry);
    hcd_test_add("ISO-30/silent-when-not-started",
                 iso_30_silent_when_not_started);
    hcd_test_add("ISO-30/link-before-empty", iso_30_link_before_empty);
    hcd_test_add("ISO-31/multi-trb-in", iso_31_multi_trb_in);
    hcd_test_add("ISO-31/multi-trb-out", iso_31_multi_trb_out);
    hcd_test_add("ISO-32/zero-length", iso_32_zero_length);
    hcd_test_add("ISO-33/short", iso_33_short);
    hcd_test_add("ISO-33/short-multi-trb", iso_33_short_multi_trb);
    hcd_test_add("ISO-35/device-gone", iso_35_device_gone);
    hcd_test_add("ISO-36/buffer-overrun", iso_36_buffer_overrun);
    hcd_test_add("ISO-37/bandwidth-overrun", iso_37_bandwidth_overrun);
    hcd_test_add("ISO-39/trb-error", iso_39_trb_error);
    hcd_test_add("ISO-44/high-bandwidth", iso_44_high_bandwidth);
    hcd_test_add("ISO-45/bandwidth", iso_45_bandwidth);
    hcd_test_add("ISO-47/stop-mid-stream", iso_47_stop_mid_stream);
    hcd_test_add("ISO-47/stop-when-dry", iso_47_stop_when_dry);
    hcd_test_add("ISO-48/restart-with-frame-ids",
                 iso_48_restart_with_frame_ids);
    hcd_test_add("ISO-48/skip-and-restart", iso_48_skip_and_restart);
    return hcd_test_main(argc, argv);
}
