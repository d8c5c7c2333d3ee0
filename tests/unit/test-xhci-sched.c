/*
 * When an isochronous TD is due: ESIT boundaries, MFINDEX and its wrap, every
 * Frame ID of the Valid Frame Window, data flows with and without CFC, and
 * what was lost to a full ring; then all of it at random against a reference
 * that looks at one microframe after the other (ISO-01, ISO-04 to ISO-12,
 * ISO-15 to ISO-19).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/sched.h"

#define DUE IXHCI_DUE_AT
#define MISSED IXHCI_DUE_MISSED

/* xHCI 1.2 §4.14.2: ESITs start at multiples of 2^Interval. */
static const struct {
    uint64_t base, uf;
    unsigned interval;
    uint64_t start;
} aligns[] = {
    { 0, 0, 0, 0 },
    { 0, 5, 0, 5 },
    { 0, 0, 3, 0 },
    { 0, 1, 3, 8 },
    { 0, 8, 3, 8 },
    { 0, 9, 3, 16 },
    { 0, 15, 3, 16 },
    { 0, 16383, 15, 32768 },
    { 0, 262143, 18, 262144 },
    { 0, 262144, 18, 262144 },
    { 0, 262145, 18, 524288 },
    /* the base is where MFINDEX is 0, wherever that was */
    { 1001, 1001, 3, 1001 },
    { 1001, 1002, 3, 1009 },
    { 1001, 1009, 3, 1009 },
    { 1001, 1010, 0, 1010 },
    { 1001, 7, 3, 1001 },
    { UINT64_C(0x100000000), UINT64_C(0x1000000ff), 8, UINT64_C(0x100000100) },
};

static void iso_05_boundaries(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(aligns); i++) {
        ixhci_flow flow = { .base_uf = aligns[i].base,
                            .interval = aligns[i].interval };

        g_assert_cmpuint(ixhci_sched_align(&flow, aligns[i].uf), ==,
                         aligns[i].start);
    }
    /* ISO-04: 125 us, and Interval up to 18 */
    g_assert_cmpint(IXHCI_UF_NS, ==, 125000);
    g_assert_cmpint(IXHCI_INTERVAL_MAX, ==, 18);
}

/* xHCI 1.2 §5.5.1: MFINDEX 13:3. */
static void iso_01_frames(void)
{
    static const struct {
        uint64_t base, uf;
        unsigned frame;
    } rows[] = {
        { 0, 0, 0 },
        { 0, 7, 0 },
        { 0, 8, 1 },
        { 0, 16383, 2047 },
        { 0, 16384, 0 },
        { 0, 16391, 0 },
        { 0, 16392, 1 },
        { 3, 3, 0 },
        { 3, 10, 0 },
        { 3, 11, 1 },
        { 3, 16386, 2047 },
        { 3, 16387, 0 },
        { 0, UINT64_C(0x123456789), 0x4f1 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ixhci_flow flow = { .base_uf = rows[i].base };

        g_assert_cmpuint(ixhci_sched_frame(&flow, rows[i].uf), ==,
                         rows[i].frame);
    }
}

/*
 * ISO-09 to ISO-12: xHCI 1.2 §4.11.2.5. Of 2048 Frame IDs the 895 behind the
 * current frame are the future and the others are the past, at each place of
 * the wrap.
 */
static void iso_09_window(void)
{
    static const unsigned frames[] = { 0, 1, 100, 1152, 1153, 2040, 2047 };

    for (size_t i = 0; i < G_N_ELEMENTS(frames); i++) {
        for (unsigned uf = 0; uf < 8; uf++) {
            ixhci_flow flow = { .base_uf = 77, .interval = 0 };
            uint64_t frame_uf = 77 + (5 * 2048 + frames[i]) * 8;
            uint64_t now = frame_uf + uf;

            for (unsigned id = 0; id < 2048; id++) {
                ixhci_td_time td = { .frame_id = id };
                unsigned ahead = (id + 2048 - frames[i]) % 2048;
                uint64_t due = 0;
                bool valid = ahead >= 1 && ahead <= 895;

                g_assert_cmpint(ixhci_sched_place(&flow, &td, now, &due), ==,
                                valid ? DUE : MISSED);
                /* what was missed leaves the next ESIT to the next TD */
                g_assert_cmpuint(due, ==,
                                 valid ? frame_uf + ahead * 8 : now + 1);
            }
        }
    }
}

/* One TD after the other, from a doorbell on: where each is placed. */
typedef struct {
    bool sia;
    unsigned frame_id;
    ixhci_due verdict;
    uint64_t due;
} placed;

typedef struct {
    const char *name;
    unsigned interval;
    bool first_only; /* CFC = 0 */
    uint64_t doorbell;
    placed tds[12]; /* ends with due 0 */
} sequence;

#define SIA(uf)          \
    {                    \
        true, 0, DUE, uf \
    }
#define FRAME(id, uf)      \
    {                      \
        false, id, DUE, uf \
    }
#define LATE(id, uf)          \
    {                         \
        false, id, MISSED, uf \
    }

static const sequence sequences[] = {
    /* ISO-14, ISO-17: the next boundary, then one ESIT after the other */
    { "SIA, each microframe", 0, false, 100, { SIA(101), SIA(102), SIA(103) } },
    { "SIA, each frame", 3, false, 100, { SIA(104), SIA(112), SIA(120) } },
    { "SIA, rung on a boundary", 3, false, 104, { SIA(112), SIA(120) } },
    { "SIA, 4 s", 15, false, 100, { SIA(32768), SIA(65536) } },
    /* ISO-08: the TDs of a frame run in its ESITs, from the first on */
    { "eight a frame",
      0,
      false,
      83,
      { FRAME(12, 96), FRAME(12, 97), FRAME(12, 98), FRAME(12, 99),
        FRAME(12, 100), FRAME(12, 101), FRAME(12, 102), FRAME(12, 103),
        LATE(12, 104), FRAME(13, 104), FRAME(13, 105) } },
    { "two a frame",
      2,
      false,
      83,
      { FRAME(12, 96), FRAME(12, 100), LATE(12, 104), FRAME(13, 104),
        FRAME(14, 112) } },
    { "one a frame",
      3,
      false,
      83,
      { FRAME(11, 88), LATE(11, 96), FRAME(12, 96), FRAME(13, 104) } },
    { "one in four frames",
      5,
      false,
      83,
      { FRAME(12, 96), FRAME(16, 128), LATE(16, 160), FRAME(20, 160) } },
    /* ISO-15: CFC, so a gap stays a gap */
    { "a gap", 3, false, 83, { FRAME(12, 96), FRAME(20, 160), SIA(168) } },
    { "a gap, then the same frame",
      0,
      false,
      83,
      { FRAME(12, 96), FRAME(20, 160), FRAME(20, 161), SIA(162) } },
    /* ISO-16: without CFC the first TD of a flow alone is placed */
    { "no CFC",
      3,
      true,
      83,
      { FRAME(12, 96), FRAME(20, 104), FRAME(2, 112), SIA(120) } },
    { "no CFC, the first is late",
      3,
      true,
      83,
      { LATE(10, 88), FRAME(20, 160), FRAME(7, 168) } },
    /* ISO-11: late TDs are passed over, and nobody waits 2 s */
    { "late, late, in time",
      3,
      false,
      83,
      { LATE(5, 88), LATE(10, 88), FRAME(11, 88), LATE(5, 96),
        FRAME(12, 96) } },
    { "behind SIA", 3, false, 83, { SIA(88), FRAME(12, 96), LATE(12, 104) } },
    /* ISO-10 */
    { "over the wrap",
      3,
      false,
      16383 - 7,
      { FRAME(2047 - 2047, 16384), FRAME(1, 16392), LATE(2047, 16400),
        FRAME(2, 16400) } },
};

static void iso_08_sequences(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(sequences); i++) {
        const sequence *s = &sequences[i];
        ixhci_flow flow = { .interval = s->interval,
                            .first_only = s->first_only };
        uint64_t now = s->doorbell;

        g_test_message("%s", s->name);
        for (const placed *td = s->tds; td->due; td++) {
            ixhci_td_time time = { td->sia, td->frame_id };
            uint64_t due = 0;

            g_assert_cmpint(ixhci_sched_place(&flow, &time, now, &due), ==,
                            td->verdict);
            g_assert_cmpuint(due, ==, td->due);
            if (td->verdict == DUE) {
                /* served at its time; the next is asked about an ESIT on */
                flow.in_flow = true;
                flow.next_uf = now = due + (UINT64_C(1) << s->interval);
            }
        }
    }
}

/* A TD that waits is asked about again at its time, in its flow (ISO-18). */
static void iso_18_asked_twice(void)
{
    ixhci_flow flow = { .interval = 0, .in_flow = true, .next_uf = 96 };
    ixhci_td_time td = { .frame_id = 12 };
    uint64_t due;

    for (uint64_t now = 84; now <= 96; now++) {
        g_assert_cmpint(ixhci_sched_place(&flow, &td, now, &due), ==, DUE);
        g_assert_cmpuint(due, ==, 96);
    }
}

/* ISO-19: ESITs that passed while nothing was served are lost, one TD each. */
static void iso_19_stale(void)
{
    static const struct {
        bool in_flow, sia;
        unsigned interval, frame_id;
        uint64_t next, stale;
        ixhci_due verdict;
        uint64_t due;
    } rows[] = {
        { true, true, 3, 0, 80, 100, MISSED, 88 },
        { true, true, 3, 0, 96, 100, MISSED, 104 },
        { true, true, 3, 0, 104, 104, DUE, 104 },
        { true, true, 3, 0, 104, 100, DUE, 104 },
        { true, true, 0, 0, 99, 100, MISSED, 100 },
        { true, true, 0, 0, 100, 100, DUE, 100 },
        { true, false, 3, 12, 96, 100, MISSED, 104 },
        { true, false, 3, 13, 96, 100, DUE, 104 },
        /* no flow, nothing that could have been lost */
        { false, true, 3, 0, 0, 1000, DUE, 104 },
        { false, false, 3, 20, 0, 1000, DUE, 160 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        ixhci_flow flow = { .interval = rows[i].interval,
                            .in_flow = rows[i].in_flow,
                            .next_uf = rows[i].next,
                            .stale_uf = rows[i].stale };
        ixhci_td_time td = { rows[i].sia, rows[i].frame_id };
        uint64_t due = 0;

        g_assert_cmpint(ixhci_sched_place(&flow, &td, 100, &due), ==,
                        rows[i].verdict);
        g_assert_cmpuint(due, ==, rows[i].due);
    }
}

/*
 * The reference: from the microframe of the question on, one at a time. An
 * ESIT can be had if it is the flow's next or a later one; a TD with a Frame ID
 * takes the first ESIT to be had that is in that frame, or, when ESITs are
 * longer than frames, the first at or after the frame's start.
 */
static bool is_esit(const ixhci_flow *flow, uint64_t uf)
{
    return (uf - flow->base_uf) % (UINT64_C(1) << flow->interval) == 0;
}

static bool reference(const ixhci_flow *flow, const ixhci_td_time *td,
                      uint64_t now, uint64_t *due)
{
    bool placed = !td->sia && !(flow->first_only && flow->in_flow);
    uint64_t uf = flow->in_flow ? flow->next_uf : now + 1, frame = now;

    while (!is_esit(flow, uf)) {
        uf++;
    }
    *due = uf;
    if (!placed) {
        return true;
    }
    /* the frame's first microframe, up to 895 frames away */
    while ((frame - flow->base_uf) % 8) {
        frame--;
    }
    for (unsigned n = 0; (frame - flow->base_uf) / 8 % 2048 != td->frame_id;
         n++) {
        if (n == 895) {
            return false;
        }
        frame += 8;
    }
    for (uint64_t at = frame; at < frame + 8; at++) {
        if (is_esit(flow, at) && at >= uf && (flow->in_flow || at == frame)) {
            *due = at;
            return true;
        }
    }
    if (flow->interval <= 3) {
        return false;
    }
    for (; !is_esit(flow, frame); frame++) {
    }
    if (frame < uf) {
        return false;
    }
    *due = frame;
    return true;
}

static void iso_07_random(void)
{
    GRand *rand = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < 200000; i++) {
        ixhci_flow flow = {
            .base_uf = g_rand_int_range(rand, 0, 100000),
            .interval = g_rand_int_range(rand, 0, i % 16 ? 6 : 12),
            .first_only = g_rand_int_range(rand, 0, 4) == 0,
            .in_flow = g_rand_boolean(rand),
        };
        uint64_t now = flow.base_uf + g_rand_int_range(rand, 0, 40000);
        unsigned frame = (now - flow.base_uf) / 8;
        ixhci_td_time td = {
            .sia = g_rand_int_range(rand, 0, 8) == 0,
            /* mostly near the current frame */
            .frame_id = (frame + (i % 3 ? g_rand_int_range(rand, -4, 8)
                                        : g_rand_int_range(rand, 0, 2048))) &
                        2047,
        };
        uint64_t due = 0, wanted;
        bool ok;

        for (flow.next_uf = now; !is_esit(&flow, flow.next_uf);) {
            flow.next_uf++;
        }
        flow.next_uf += (uint64_t)g_rand_int_range(rand, 0, 3) << flow.interval;
        ok = reference(&flow, &td, now, &wanted);
        g_assert_cmpint(ixhci_sched_place(&flow, &td, now, &due), ==,
                        ok ? DUE : MISSED);
        g_assert_cmpuint(due, ==, wanted);
    }
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ISO-01/frames", iso_01_frames);
    g_test_add_func("/ISO-05/boundaries", iso_05_boundaries);
    g_test_add_func("/ISO-07/random", iso_07_random);
    g_test_add_func("/ISO-08/sequences", iso_08_sequences);
    g_test_add_func("/ISO-09/window", iso_09_window);
    g_test_add_func("/ISO-18/asked-twice", iso_18_asked_twice);
    g_test_add_func("/ISO-19/stale", iso_19_stale);
    return g_test_run();
}
