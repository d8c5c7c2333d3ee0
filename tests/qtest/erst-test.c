/*
 * Event rings in memory (xHCI 1.2 §6.5, §5.5.2.3): segments of all sizes, as
 * many as there may be, for the first interrupter and for the last, and what
 * becomes of events that have nowhere to go.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

static void run_noop(Hcd *h)
{
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
}

static void write_erst_entry(Hcd *h, uint64_t erst, unsigned i, uint64_t base,
                             unsigned size)
{
    qtest_writeq(h->qts, erst + 16 * i, base);
    qtest_writeq(h->qts, erst + 16 * i + 8, size);
}

#define SEGMENTS 16

/* An event ring of segments, in place of the one that INIT made. */
typedef struct {
    unsigned count;
    unsigned size[SEGMENTS];
    uint64_t base[SEGMENTS];
    unsigned erstsz; /* 0: count */
} Segments;

static void use_segments(Hcd *h, Segments *s)
{
    uint64_t erst = hcd_alloc(h, 16 * s->count, 64);

    hcd_halt(h);
    for (unsigned i = 0; i < s->count; i++) {
        s->base[i] = hcd_alloc(h, s->size[i] * 16, 64);
        write_erst_entry(h, erst, i, s->base[i], s->size[i]);
    }
    hcd_intr_write(h, XHCI_ERSTSZ, s->erstsz ? s->erstsz : s->count);
    hcd_intr_write(h, XHCI_ERDP_LO, s->base[0]);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
    hcd_intr_write(h, XHCI_ERSTBA_LO, erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    hcd_run(h);
}

/* One command after the other, each event where it must be. */
static void check_laps(Hcd *h, const Segments *s, unsigned laps)
{
    bool cycle = true;

    for (unsigned lap = 0; lap < laps; lap++) {
        for (unsigned seg = 0; seg < s->count; seg++) {
            for (unsigned i = 0; i < s->size[seg]; i++) {
                uint64_t gpa = s->base[seg] + 16 * i;
                xhci_trb trb;

                run_noop(h);
                hcd_step_uf(h, 1);
                trb = hcd_trb_load(h, gpa);
                hcd_check(!!(trb.dw[3] & TRB_C) == cycle &&
                              xhci_get(trb.dw[3], TRB_TYPE) ==
                                  EVT_COMMAND_COMPLETION,
                          "lap %u, segment %u, TRB %u: DW3 is %08x", lap, seg,
                          i, trb.dw[3]);
                hcd_intr_write(h, XHCI_ERDP_LO, gpa | ERDP_EHB | (seg & 7));
                hcd_intr_write(h, XHCI_ERDP_HI, 0);
            }
        }
        cycle = !cycle;
    }
}

/* xHCI 1.2 §6.5: three segments of different sizes, in table order. */
static void evt_03_segments(void)
{
    Segments s = { .count = 3, .size = { 16, 32, 16 } };
    Hcd *h = hcd_start();

    use_segments(h, &s);
    check_laps(h, &s, 3);
    hcd_finish(h);
}

/* xHCI 1.2 §6.5: 4096 TRBs are the largest segment. */
static void evt_03_largest_segment(void)
{
    Segments s = { .count = 2, .size = { 4096, 16 } };
    Hcd *h = hcd_start();
    uint64_t last;

    use_segments(h, &s);
    for (unsigned i = 0; i < 4096 + 16; i++) {
        run_noop(h);
        if (i % 32 == 31) {
            uint64_t at =
                i < 4096 ? s.base[0] + 16 * i : s.base[1] + 16 * (i - 4096);

            hcd_intr_write(h, XHCI_ERDP_LO, at | ERDP_EHB);
            hcd_intr_write(h, XHCI_ERDP_HI, 0);
        }
    }
    hcd_step_uf(h, 1);
    last = s.base[1] + 16 * 15;
    hcd_check((hcd_trb_load(h, s.base[0] + 16 * 4095).dw[3] & TRB_C) &&
                  (hcd_trb_load(h, last).dw[3] & TRB_C),
              "the last TRBs of the segments have cycle 0");
    hcd_intr_write(h, XHCI_ERDP_LO, last | ERDP_EHB);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
    run_noop(h);
    hcd_step_uf(h, 1);
    hcd_check(!(hcd_trb_load(h, s.base[0]).dw[3] & TRB_C),
              "the second lap began with cycle 1");
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.4: as many segments as ERST Max says, all sizes different. */
static void evt_04_erst_max(void)
{
    Hcd *h = hcd_start();
    Segments s = { 0 };

    s.count =
        1u << xhci_get(hcd_cap_read(h, XHCI_HCSPARAMS2), HCSPARAMS2_ERSTMAX);
    hcd_check(s.count <= SEGMENTS, "ERST Max allows %u segments", s.count);
    for (unsigned i = 0; i < s.count; i++) {
        s.size[i] = 16 + i;
    }
    use_segments(h, &s);
    check_laps(h, &s, 2);
    hcd_finish(h);
}

/* A ring of one segment for interrupter `intr`; its first TRB. */
static uint64_t give_ring(Hcd *h, unsigned intr)
{
    uint32_t set = XHCI_INTR_SET + XHCI_INTR_STRIDE * intr;
    uint64_t erst = hcd_alloc(h, 16, 64), base = hcd_alloc(h, 256, 64);

    qtest_memset(h->qts, base, 0, 256);
    write_erst_entry(h, erst, 0, base, 16);
    hcd_rt_write(h, set + XHCI_ERSTSZ, 1);
    hcd_rt_write(h, set + XHCI_ERDP_LO, base);
    hcd_rt_write(h, set + XHCI_ERDP_HI, 0);
    hcd_rt_write(h, set + XHCI_ERSTBA_LO, erst);
    hcd_rt_write(h, set + XHCI_ERSTBA_HI, 0);
    hcd_rt_write(h, set + XHCI_IMAN, IMAN_IE);
    return base;
}

/* A key is pressed or let go; the report's event goes to `target`. */
static void report_to(Hcd *h, HcdDev *dev, unsigned target)
{
    static bool down;

    td_normal(h, dev, KBD_IN, .buf = hcd_alloc(h, 8, 8), .len = 8, .ioc = true,
              .target = target);
    hcd_ring_ep(h, dev, KBD_IN);
    down = !down;
    hcd_kbd_key(h, down);
    hcd_step_uf(h, 24);
}

/* xHCI 1.2 §5.5.2.3.1: ERSTSZ = 0 disables a secondary interrupter. */
static void evt_04_disabled(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t base = give_ring(h, 1);

    report_to(h, dev, 1);
    hcd_check(hcd_trb_load(h, base).dw[3] & TRB_C, "no event on interrupter 1");
    hcd_rt_write(h, XHCI_INTR_SET + XHCI_INTR_STRIDE + XHCI_ERSTSZ, 0);
    report_to(h, dev, 1);
    hcd_check(hcd_trb_load(h, base + 16).dw[3] == 0,
              "an event on an interrupter that is disabled");
    hcd_expect_quiet(h, 80);
    report_to(h, dev, 0);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    base = give_ring(h, 1);
    report_to(h, dev, 1);
    hcd_check(hcd_trb_load(h, base).dw[3] & TRB_C,
              "no event on interrupter 1 after it was enabled again");
    hcd_finish(h);
}

/* Interrupters that do not exist. */
static void evt_04_no_interrupter(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .props = "intrs=2");
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t base;

    report_to(h, dev, 2);
    report_to(h, dev, 1023);
    hcd_expect_quiet(h, 80);
    base = give_ring(h, 2);
    report_to(h, dev, 2);
    hcd_check(hcd_trb_load(h, base).dw[3] == 0,
              "an event on an interrupter that does not exist");
    report_to(h, dev, 0);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* More segments than ERST Max: those behind it are not there. */
static void evt_04_past_erst_max(void)
{
    Hcd *h = hcd_start();
    Segments s = { .count = SEGMENTS, .erstsz = 0xffff };

    for (unsigned i = 0; i < s.count; i++) {
        s.size[i] = 16;
    }
    use_segments(h, &s);
    check_laps(h, &s, 2);
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.1: the last of 16 has a ring and a vector of its own. */
static void evt_13_last_interrupter(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    unsigned last = h->max_intrs - 1;
    uint64_t base = give_ring(h, last);

    hcd_check(last == 15, "MaxIntrs is %u", h->max_intrs);
    hcd_rt_write(h, XHCI_INTR_SET + XHCI_INTR_STRIDE * last + XHCI_IMOD, 0);
    hcd_msix_take(h, 0);
    report_to(h, dev, last);
    hcd_check((hcd_trb_load(h, base).dw[3] & TRB_C) &&
                  xhci_get(hcd_trb_load(h, base).dw[3], TRB_TYPE) ==
                      EVT_TRANSFER,
              "no event on interrupter %u", last);
    hcd_check(hcd_msix_take(h, last), "no message from vector %u", last);
    hcd_check(!hcd_msix_take(h, 0), "a message from vector 0");
    hcd_expect_quiet(h, 8);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("EVT-03/segments", evt_03_segments);
    hcd_test_add("EVT-03/largest-segment", evt_03_largest_segment);
    hcd_test_add("EVT-04/erst-max", evt_04_erst_max);
    hcd_test_add("EVT-04/disabled", evt_04_disabled);
    hcd_test_add("EVT-04/no-interrupter", evt_04_no_interrupter);
    hcd_test_add("EVT-04/past-erst-max", evt_04_past_erst_max);
    hcd_test_add("EVT-13/last-interrupter", evt_13_last_interrupter);
    return hcd_test_main(argc, argv);
}
