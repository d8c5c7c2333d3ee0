/*
 * When isochronous TDs run (xHCI 1.2 §4.11.2.5, §4.14.2): the time base, SIA,
 * the Frame ID and its window, and the TD that comes too late. The device
 * stamps each packet with the microframe in which it was asked, so a test
 * compares what software asked for with what the bus saw.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates: ESIT 125 us, 1 ms */

#define check_uf(got, want)                                       \
    do {                                                          \
        uint64_t got_ = (got), want_ = (want);                    \
        hcd_check(got_ == want_,                                  \
                  "%s: microframe %" PRIu64 ", expected %" PRIu64 \
                  " (%+" PRId64 ")",                              \
                  #got, got_, want_, (int64_t)(got_ - want_));    \
    } while (0)

/* xHCI 1.2 §5.5.1 */
static void iso_01_mfindex(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    unsigned before;

    hcd_isoav_configured(h);
    before = hcd_mfindex(h);
    hcd_step_uf(h, 8);
    hcd_check(hcd_mfindex(h) == ((before + 8) & MFINDEX_MASK),
              "MFINDEX went from %u to %u in 1 ms", before, hcd_mfindex(h));
    hcd_step_uf(h, 16384 - 8);
    hcd_check(hcd_mfindex(h) == before, "MFINDEX went from %u to %u in 2.048 s",
              before, hcd_mfindex(h));
    hcd_rt_write(h, XHCI_MFINDEX, 0xffffffffu);
    hcd_check(hcd_rt_read(h, XHCI_MFINDEX) == before,
              "MFINDEX is %08x after a write", hcd_rt_read(h, XHCI_MFINDEX));
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2: one enabled port keeps it counting. */
static void iso_02_counts(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    unsigned before;

    hcd_kbd_open(h);
    for (unsigned i = 0; i < 10; i++) {
        before = hcd_mfindex(h);
        hcd_step_uf(h, 80);
        hcd_check(hcd_mfindex(h) == ((before + 80) & MFINDEX_MASK),
                  "MFINDEX went from %u to %u in 10 ms", before,
                  hcd_mfindex(h));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.2.8: MFINDEX Wrap Events, if EWE and running. */
static void iso_03_wrap_events(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .usbcmd = USBCMD_EWE);
    HcdEvent event;

    hcd_kbd_open(h);
    hcd_event_drain(h);
    hcd_step_uf(h, 5 * 16384);
    for (unsigned i = 0; i < 5; i++) {
        hcd_check(hcd_event_take(h, &event), "%u wrap events in 10.24 s", i);
        hcd_check(event.type == EVT_MFINDEX_WRAP && event.cc == CC_SUCCESS,
                  "the event is: %s", hcd_event_text(&event));
    }
    hcd_expect_quiet(h, 0);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_RS | USBCMD_INTE);
    hcd_expect_quiet(h, 2 * 16384);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_EWE);
    hcd_expect_quiet(h, 2 * 16384);
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.6: the period is 2^Interval microframes. */
static void iso_04_interval(const void *data)
{
    unsigned interval = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);
    uint64_t last = 0;

    hcd_ep_add(h, dev, .dci = ISOAV_IN, .type = EP_TYPE_ISOCH_IN, .mps = 192,
               .esit = 192, .interval = interval);
    hcd_isoav_select(h, dev, 1);
    for (unsigned i = 0; i < 6; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = hcd_alloc_filled(h, 192, 0),
                 .len = 192, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < 6; i++) {
        HcdEvent event =
            hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                          .limit_uf = 3u << interval);

        if (i) {
            check_uf(event.uf, last + (1u << interval));
        }
        last = event.uf;
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2: ESITs lie on multiples of their length. */
static void iso_05_common_grid(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    unsigned mfindex;

    for (unsigned start = 0; start < 8; start += 3) {
        uint64_t uf;
        HcdEvent event;

        hcd_step_to_uf(h, iso_frame_uf(iso_frame_now(h), 4) + start);
        iso_in_queue_sia(in, 1);
        iso_in_doorbell(in);
        uf = iso_in_expect(in, in->count - 1);
        mfindex = hcd_mfindex(h) - (hcd_now_uf(h) - uf);
        hcd_check(mfindex % 8 == 0, "a 1 ms ESIT began at MFINDEX %x", mfindex);
        hcd_check(hcd_event_wait(h, 16, &event), "no Ring Overrun");
        hcd_expect_cc(event.cc, CC_RING_OVERRUN);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2.1: one TD for each ESIT. */
static void iso_06_one_td_per_esit(const void *data)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, GPOINTER_TO_UINT(data));
    uint64_t first;

    iso_in_queue_sia(in, 64);
    iso_in_doorbell(in);
    first = iso_in_expect(in, 0);
    for (unsigned i = 1; i < 64; i++) {
        check_uf(iso_in_expect(in, i), first + i * in->esit_uf);
        hcd_check(hcd_isoav_sequence(h, in->buf[i], in->bytes) ==
                      hcd_isoav_sequence(h, in->buf[0], in->bytes) + i,
                  "a packet was lost before TD %u", i);
    }
    hcd_finish(h);
}

/* The same when nobody looks in between: one event for 64 TDs, the clock
 * moved at one go. Each packet was still sent in its own microframe. */
static void iso_06_nobody_looks(const void *data)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, GPOINTER_TO_UINT(data));
    unsigned bytes = hcd_isoav_packet_bytes(GPOINTER_TO_UINT(data));
    unsigned esit_uf = GPOINTER_TO_UINT(data) == EVERY_FRAME ? 8 : 1;
    uint64_t buf = hcd_alloc_filled(h, 64 * bytes, 0xaa), first, last = 0;
    HcdEvent event;

    for (unsigned i = 0; i < 64; i++) {
        last = td_isoch(h, dev, ISOAV_IN, .buf = buf + i * bytes, .len = bytes,
                        .sia = true, .ioc = i == 63);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_step_uf(h, 2000);
    hcd_check(hcd_event_take(h, &event) && event.cc == CC_SUCCESS &&
                  event.ptr == last,
              "the one event that was asked for is not there");
    first = hcd_isoav_microframe(h, buf, bytes);
    for (unsigned i = 1; i < 64; i++) {
        check_uf(hcd_isoav_microframe(h, buf + i * bytes, bytes),
                 first + i * esit_uf);
    }
    hcd_check(hcd_event_take(h, &event) && event.cc == CC_RING_OVERRUN,
              "the ring ran dry and there is no event");
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* What is in the ring counts when its time comes: a driver that rewrites a
 * TD before its Isochronous Scheduling Threshold gets what it wrote. */
static void iso_13_ring_is_read_late(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);
    uint64_t buf = hcd_alloc_filled(h, in->bytes, 0xaa);
    xhci_trb trb;

    for (unsigned i = 0; i < 8; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, 10 + i));
    }
    iso_in_doorbell(in);
    hcd_step_to_uf(h, iso_frame_uf(now, 14) - h->ist_uf - 2);
    hcd_event_drain(h);
    trb = hcd_trb_load(h, in->trb[4]);
    trb.dw[0] = buf;
    hcd_trb_store(h, in->trb[4], trb);
    hcd_step_to_uf(h, iso_frame_uf(now, 14) + 1);
    check_uf(hcd_isoav_microframe(h, buf, in->bytes), iso_frame_uf(now, 14));
    hcd_check(hcd_mem_is(h, in->buf[4], in->bytes, 0xaa),
              "the TD ran as it was before it was rewritten");
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: not earlier, not later. */
static void iso_07_frame_id(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    iso_in_queue_frame(in, iso_frame_id(now, 20));
    iso_in_doorbell(in);
    check_uf(iso_in_expect(in, 0), iso_frame_uf(now, 20));
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.1.3: with SIA the Frame ID is not looked at. */
static void iso_07_sia_ignores_frame_id(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t start = hcd_now_uf(h), buf = hcd_alloc_filled(h, in->bytes, 0);
    uint64_t uf;

    td_isoch(h, in->dev, ISOAV_IN, .buf = buf, .len = in->bytes, .sia = true,
             .frame_id = iso_frame_id(iso_frame_now(h), -7), .ioc = true);
    iso_in_doorbell(in);
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                  .limit_uf = 40);
    uf = hcd_isoav_microframe(h, buf, in->bytes);
    hcd_check(uf >= start && uf <= start + h->ist_uf + 16,
              "the doorbell was at %" PRIu64 ", the TD ran at %" PRIu64, start,
              uf);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: eight TDs share a Frame ID when the ESIT is 125 us. */
static void iso_08_same_frame_id(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_UF);
    IsoFrame now = iso_frame_now(h);

    for (unsigned i = 0; i < 24; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, 20 + i / 8));
    }
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 24; i++) {
        check_uf(iso_in_expect(in, i), iso_frame_uf(now, 20) + i);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: first and last frame of the valid window. */
static void iso_09_window(const void *data)
{
    bool last = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;
    int distance;

    for (unsigned phase = 0; phase < 8; phase += 7) {
        HcdEvent event;

        hcd_step_to_uf(h, iso_frame_uf(iso_frame_now(h), 3) + phase);
        now = iso_frame_now(h);
        distance = last ? 895 : (int)DIV_ROUND_UP(h->ist_uf, 8) + 1;
        iso_in_queue_frame(in, iso_frame_id(now, distance));
        iso_in_doorbell(in);
        check_uf(iso_in_expect(in, in->count - 1), iso_frame_uf(now, distance));
        hcd_check(hcd_event_wait(h, 16, &event), "no Ring Overrun");
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: the window across the wrap of the Frame ID. */
static void iso_10_window_wraps(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    hcd_step_to_uf(h, iso_frame_uf(now, 2040 - (int)now.id));
    now = iso_frame_now(h);
    hcd_check(now.id == 2040, "the frame is %u, not 2040", now.id);
    for (unsigned i = 0; i < 9; i++) {
        iso_in_queue_frame(in, (2044 + i) & 0x7ff);
    }
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 9; i++) {
        check_uf(iso_in_expect(in, i), iso_frame_uf(now, 4 + i));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.2: late is late, and the next TD is on time. */
static void iso_11_late(const void *data)
{
    int late = GPOINTER_TO_INT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;

    hcd_step_uf(h, 8 * 1100);
    now = iso_frame_now(h);
    iso_in_queue_frame(in, iso_frame_id(now, -late));
    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_doorbell(in);
    iso_in_expect_missed(in, 0);
    check_uf(iso_in_expect(in, 1), iso_frame_uf(now, 10));
    hcd_finish(h);
}

/* The same when MFINDEX wrapped in between: frame 1, Frame ID 7FFh. */
static void iso_11_late_across_wrap(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    hcd_step_to_uf(h, iso_frame_uf(now, 2049 - (int)now.id));
    now = iso_frame_now(h);
    hcd_check(now.id == 1, "the frame is %u, not 1", now.id);
    iso_in_queue_frame(in, 0x7ff);
    iso_in_queue_frame(in, 10);
    iso_in_doorbell(in);
    iso_in_expect_missed(in, 0);
    check_uf(iso_in_expect(in, 1), iso_frame_uf(now, 9));
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: a Frame ID beyond the window hurts nobody else. */
static void iso_12_beyond_window(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t buf = hcd_isoav_out_packet(h, 0, 64);
    IsoFrame now = iso_frame_now(h);
    unsigned cc;

    iso_in_queue_frame(in, iso_frame_id(now, 1000));
    for (unsigned i = 0; i < 50; i++) {
        td_isoch(h, in->dev, ISOAV_OUT, .buf = buf, .len = 64, .sia = true,
                 .ioc = i == 49);
    }
    iso_in_doorbell(in);
    hcd_ring_ep(h, in->dev, ISOAV_OUT);
    for (unsigned n = 0; n < 53 * 8; n++) {
        HcdEvent event;

        hcd_step_uf(h, 1);
        while (hcd_event_take(h, &event)) {
            hcd_check(event.dci == ISOAV_IN || event.cc == CC_SUCCESS ||
                          event.cc == CC_RING_UNDERRUN,
                      "the event is: %s", hcd_event_text(&event));
            buf = event.dci == ISOAV_OUT ? 0 : buf;
        }
    }
    hcd_check(buf == 0, "the other endpoint did not keep its rate");
    cc = hcd_cmd_stop(h, in->dev, ISOAV_IN);
    hcd_expect_cc(cc, CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2.1.4: queued IST + 1 microframe ahead is in time. */
static void iso_13_ist_is_honest(void)
{
    enum { TDS = 250 };
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);
    int lead_uf = h->ist_uf + 1;
    unsigned in_flight = lead_uf / 8, first = in_flight + 3;

    iso_in_queue_frame(in, iso_frame_id(now, first));
    iso_in_doorbell(in);
    for (unsigned i = 1; i <= TDS + in_flight; i++) {
        if (i > in_flight) {
            unsigned done = i - in_flight - 1;

            check_uf(iso_in_expect(in, done), iso_frame_uf(now, first + done));
        }
        if (i < TDS) {
            hcd_step_to_uf(h, iso_frame_uf(now, first + i) - lead_uf);
            iso_in_queue_sia(in, 1);
            iso_in_doorbell(in);
        }
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: with CFC each Frame ID counts. */
static void iso_15_gap(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_queue_frame(in, iso_frame_id(now, 11));
    iso_in_queue_frame(in, iso_frame_id(now, 14));
    iso_in_doorbell(in);
    check_uf(iso_in_expect(in, 0), iso_frame_uf(now, 10));
    check_uf(iso_in_expect(in, 1), iso_frame_uf(now, 11));
    if (h->cfc) {
        check_uf(iso_in_expect(in, 2), iso_frame_uf(now, 14));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: SIA behind a Frame ID goes on without gaps. */
static void iso_17_sia_follows(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_queue_sia(in, 20);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 21; i++) {
        check_uf(iso_in_expect(in, i), iso_frame_uf(now, 10 + i));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: waiting for a frame is no overrun. */
static void iso_18_waiting_is_silent(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    iso_in_queue_frame(in, iso_frame_id(now, 50));
    iso_in_doorbell(in);
    hcd_expect_quiet(h, 8 * 49);
    check_uf(iso_in_expect(in, 0), iso_frame_uf(now, 50));
    hcd_finish(h);
}

/* 2^32 microframes are 6.2 days: pacing must not depend on 32-bit time. */
static void iso_06_after_six_days(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint64_t first;

    hcd_step_to_uf(h, (UINT64_C(1) << 32) - 80);
    hcd_event_drain(h);
    iso_in_queue_sia(in, 30);
    iso_in_doorbell(in);
    first = iso_in_expect(in, 0);
    for (unsigned i = 1; i < 30; i++) {
        check_uf(iso_in_expect(in, i), first + 8 * i);
    }
    hcd_check(hcd_now_uf(h) > UINT64_C(1) << 32, "the clock did not cross");
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    static const unsigned intervals[] = { 0, 1, 2, 3, 5, 8 };
    static const int late[] = { 1, 5, 40, 1000 };

    hcd_test_add("ISO-01/mfindex", iso_01_mfindex);
    hcd_test_add("ISO-02/counts", iso_02_counts);
    hcd_test_add("ISO-03/wrap-events", iso_03_wrap_events);
    for (unsigned i = 0; i < ARRAY_SIZE(intervals); i++) {
        g_autofree char *name =
            g_strdup_printf("ISO-04/interval-%u", intervals[i]);

        hcd_test_add_data(name, iso_04_interval,
                          GUINT_TO_POINTER(intervals[i]));
    }
    hcd_test_add("ISO-05/common-grid", iso_05_common_grid);
    hcd_test_add_data("ISO-06/one-td-per-microframe", iso_06_one_td_per_esit,
                      GUINT_TO_POINTER(EVERY_UF));
    hcd_test_add_data("ISO-06/one-td-per-frame", iso_06_one_td_per_esit,
                      GUINT_TO_POINTER(EVERY_FRAME));
    hcd_test_add_data("ISO-06/nobody-looks-microframe", iso_06_nobody_looks,
                      GUINT_TO_POINTER(EVERY_UF));
    hcd_test_add_data("ISO-06/nobody-looks-frame", iso_06_nobody_looks,
                      GUINT_TO_POINTER(EVERY_FRAME));
    hcd_test_add("ISO-06/after-six-days", iso_06_after_six_days);
    hcd_test_add("ISO-07/frame-id", iso_07_frame_id);
    hcd_test_add("ISO-07/sia-ignores-frame-id", iso_07_sia_ignores_frame_id);
    hcd_test_add("ISO-08/same-frame-id", iso_08_same_frame_id);
    hcd_test_add_data("ISO-09/first-of-window", iso_09_window,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("ISO-09/last-of-window", iso_09_window,
                      GUINT_TO_POINTER(1));
    hcd_test_add("ISO-10/window-wraps", iso_10_window_wraps);
    for (unsigned i = 0; i < ARRAY_SIZE(late); i++) {
        g_autofree char *name = g_strdup_printf("ISO-11/late-by-%d", late[i]);

        hcd_test_add_data(name, iso_11_late, GINT_TO_POINTER(late[i]));
    }
    hcd_test_add("ISO-11/late-across-wrap", iso_11_late_across_wrap);
    hcd_test_add("ISO-12/beyond-window", iso_12_beyond_window);
    hcd_test_add("ISO-13/ist-is-honest", iso_13_ist_is_honest);
    hcd_test_add("ISO-13/ring-is-read-late", iso_13_ring_is_read_late);
    hcd_test_add("ISO-15/gap", iso_15_gap);
    hcd_test_add("ISO-17/sia-follows", iso_17_sia_follows);
    hcd_test_add("ISO-18/waiting-is-silent", iso_18_waiting_is_silent);
    return hcd_test_main(argc, argv);
}
