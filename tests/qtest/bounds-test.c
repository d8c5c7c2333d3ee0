/*
 * How much the controller does at once. A guest can write rings that have no
 * end and TDs that have no measure; what is set in motion by one register
 * write or one tick of the timer must be finite, whatever the ring says:
 *
 *  - the write comes back, and so does the clock: MFINDEX goes on,
 *  - other endpoints and the command ring get their turn meanwhile,
 *  - what was left over is done later, in order, and nothing is lost.
 *
 * Each test checks these by what a guest can see. Where the model forgets a
 * bound QEMU is never heard of again, and harness.c ends the test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "qemu/bswap.h"

#define SOON_UF 16 /* enough for a turn among a few busy endpoints */
#define NO_RING 5  /* an interrupter that has none: its events are dropped */

static xhci_trb link_to(uint64_t target)
{
    return hcd_trb_ptr(TRB_LINK, target, 0, TRB_C);
}

/* One microframe at a time, and the clock that the guest reads moves so. */
static void check_clock(Hcd *h, unsigned microframes)
{
    for (unsigned n = 0; n < microframes; n++) {
        unsigned before = hcd_mfindex(h);

        hcd_step_uf(h, 1);
        hcd_check(hcd_mfindex(h) == ((before + 1) & MFINDEX_MASK),
                  "a microframe took MFINDEX from %04x to %04x", before,
                  hcd_mfindex(h));
    }
}

static void check_commands(Hcd *h)
{
    uint64_t now = hcd_now_uf(h);

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_check(hcd_now_uf(h) <= now + SOON_UF,
              "a No Op command took %" PRIu64 " microframes",
              hcd_now_uf(h) - now);
}

/* The next event of one endpoint; those of others keep their places. */
static HcdEvent take_event_of(Hcd *h, HcdDev *dev, unsigned dci)
{
    GQueue before = G_QUEUE_INIT;
    uint64_t end = hcd_now_uf(h) + SOON_UF;
    HcdEvent event, *copy;

    for (;;) {
        hcd_check(hcd_event_wait(h, end - MIN(end, hcd_now_uf(h)), &event),
                  "DCI %u had no turn in %u microframes", dci, SOON_UF);
        if (event.type == EVT_TRANSFER && event.dci == dci) {
            break;
        }
        g_queue_push_tail(&before, g_memdup2(&event, sizeof(event)));
    }
    while ((copy = g_queue_pop_tail(&before))) {
        g_queue_push_head(&h->stash, copy);
    }
    return event;
}

/* A transfer of another endpoint: a descriptor through EP0, or bulk OUT. */
static void check_other_endpoint(Hcd *h, HcdDev *dev, unsigned busy)
{
    HcdSetup get_descriptor = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    unsigned dci = busy == 1 ? PUPPET_OUT : 1;

    if (dci == 1) {
        td_setup(h, dev, get_descriptor);
        td_data(h, dev, .buf = buf, .len = 18, .in = true);
        td_status(h, dev, .ioc = true);
    } else {
        td_normal(h, dev, PUPPET_OUT, .buf = buf, .len = 64, .ioc = true);
    }
    hcd_ring_ep(h, dev, dci);
    hcd_expect_cc(take_event_of(h, dev, dci).cc, CC_SUCCESS);
}

typedef struct {
    const char *name;
    unsigned dci;
    unsigned type; /* of the one TRB before the Link that leads back to it */
    uint32_t flags;
} loop_case;

/* TDs that are no work for the bus, so that nothing ever slows them down. */
static const loop_case loop_cases[] = {
    { "BOUND/no-op-loop-bulk", PUPPET_OUT, TRB_NOOP, 0 },
    { "BOUND/no-op-loop-control", 1, TRB_NOOP, 0 },
    { "BOUND/no-op-loop-isoch", PUPPET_ISOCH_IN, TRB_NOOP, 0 },
    { "BOUND/event-data-loop-bulk", PUPPET_IN, TRB_EVENT_DATA, 0 },
    { "BOUND/event-loop-no-ring", PUPPET_OUT, TRB_NOOP, TRB_IOC },
};

static HcdDev *open_all(Hcd *h)
{
    HcdDev *dev = hcd_puppet_open(h);

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .esit = 192);
    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_OUT, .type = EP_TYPE_ISOCH_OUT,
               .mps = 192, .esit = 192);
    return dev;
}

/* At the ring's head, so that the library's next TRB follows the loop. */
static void store_loop(Hcd *h, HcdDev *dev, const loop_case *loop)
{
    uint64_t base = hcd_ring_next(&dev->ring[loop->dci]);

    hcd_ring_put(h, &dev->ring[loop->dci],
                 hcd_trb_ptr(loop->type, 0, xhci_set(0, TRB_INTR, NO_RING),
                             loop->flags));
    hcd_ring_put(h, &dev->ring[loop->dci], link_to(base));
}

/* xHCI 1.2 §4.9.2: a ring that comes back to itself is full for ever. */
static void transfer_loop(const void *data)
{
    const loop_case *loop = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_all(h);
    unsigned mfindex;

    store_loop(h, dev, loop);
    mfindex = hcd_mfindex(h);
    hcd_ring_ep(h, dev, loop->dci);
    hcd_check(hcd_mfindex(h) == mfindex, "a doorbell moved the clock");
    check_clock(h, 8);
    check_commands(h);
    check_other_endpoint(h, dev, loop->dci);
    check_clock(h, 8);
    hcd_expect_cc(hcd_cmd_stop(h, dev, loop->dci), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .dci = loop->dci,
                  .cc = CC_STOPPED_LENGTH_INVALID);
    hcd_cmd_skip_all(h, dev, loop->dci);
    td_noop(h, dev, loop->dci, .ioc = true);
    hcd_ring_ep(h, dev, loop->dci);
    hcd_expect_te(h, .dev = dev, .dci = loop->dci, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/*
 * xHCI 1.2 §4.10.3.2: TDs whose frame has passed are retired at once, and
 * these come again and again; their events go nowhere. A stream beside them
 * keeps its rate: a TD each microframe, none missed.
 */
static void stale_isoch_loop(void)
{
    enum { TDS = 40 };
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_all(h);
    uint64_t buf = hcd_alloc(h, 192, 64), base, trb[TDS], last = 0;

    hcd_step_uf(h, 160);
    base = hcd_ring_next(&dev->ring[PUPPET_ISOCH_IN]);
    td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf, .len = 192, .ioc = true,
             .target = NO_RING, .frame_id = (hcd_frame(h) - 5) & 0x7ff);
    hcd_ring_put(h, &dev->ring[PUPPET_ISOCH_IN], link_to(base));
    for (unsigned i = 0; i < TDS; i++) {
        trb[i] = td_isoch(h, dev, PUPPET_ISOCH_OUT, .buf = buf, .len = 192,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    hcd_step_uf(h, 2);
    hcd_ring_ep(h, dev, PUPPET_ISOCH_OUT);
    for (unsigned i = 0; i < TDS; i++) {
        HcdEvent event =
            hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_OUT,
                          .cc = CC_SUCCESS, .ptr = trb[i], .limit_uf = SOON_UF);

        hcd_check(i == 0 || event.uf <= last + 1,
                  "TD %u was done at %" PRIu64 ", the one before at %" PRIu64,
                  i, event.uf, last);
        last = event.uf;
    }
    check_commands(h);
    check_other_endpoint(h, dev, PUPPET_ISOCH_IN);
    hcd_finish(h);
}

/* A finite piece of work, larger than one call may do. */
typedef struct {
    const char *name;
    unsigned tds;
    unsigned trbs;   /* of a TD */
    uint32_t bytes;  /* of a TRB; 0: a No-op */
    unsigned events; /* one for every so many TDs */
} work_case;

static const work_case work_cases[] = {
    { "BOUND/doorbell-many-tds", 60000, 1, 0, 1000 },
    { "BOUND/doorbell-long-tds", 100, 1000, 0, 1 },
    { "BOUND/doorbell-much-data", 16, 96, 65536, 1 },
};

/* All of it in one piece of memory; TRBs with IOC get their address into trb.
 */
static uint64_t store_work(Hcd *h, const work_case *work, uint64_t *trb)
{
    size_t count = (size_t)work->tds * work->trbs;
    g_autofree uint32_t *words = g_new0(uint32_t, 4 * (count + 1));
    uint64_t base = hcd_alloc(h, 16 * (count + 1), 4096);
    uint64_t buf = hcd_alloc(h, 65536, 65536);
    unsigned type = work->bytes ? TRB_NORMAL : TRB_NOOP, events = 0;

    for (size_t i = 0; i < count; i++) {
        bool last = i % work->trbs == work->trbs - 1;
        bool ioc = last && (i / work->trbs + 1) % work->events == 0;

        words[4 * i] = cpu_to_le32(buf);
        words[4 * i + 2] = cpu_to_le32(work->bytes);
        words[4 * i + 3] = cpu_to_le32(xhci_set(
            TRB_C | (last ? 0 : TRB_CH) | (ioc ? TRB_IOC : 0), TRB_TYPE, type));
        if (ioc) {
            trb[events++] = base + 16 * i;
        }
    }
    qtest_bufwrite(h->qts, base, words, 16 * (count + 1));
    return base;
}

static void expect_done(Hcd *h, HcdDev *dev, uint64_t trb, HcdEvent *event)
{
    hcd_check(event->type == EVT_TRANSFER && event->dci == PUPPET_OUT &&
                  event->slot_id == dev->slot_id && event->cc == CC_SUCCESS &&
                  event->ptr == trb,
              "the event is: %s; expected pointer %" PRIx64,
              hcd_event_text(event), trb);
}

/* A doorbell sets all of it in motion, does a part, and the clock the rest. */
static void one_doorbell(const void *data)
{
    const work_case *work = data;
    unsigned total = work->tds / work->events, done = 0, uf = 0;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    g_autofree uint64_t *trb = g_new0(uint64_t, total);
    uint64_t base = store_work(h, work, trb);
    HcdEvent event;

    hcd_ring_put(h, &dev->ring[PUPPET_OUT], link_to(base));
    hcd_ring_ep(h, dev, PUPPET_OUT);
    while (hcd_event_take(h, &event)) {
        expect_done(h, dev, trb[done++], &event);
    }
    hcd_check(done < total, "one register write did all the work");
    check_commands(h);
    check_other_endpoint(h, dev, PUPPET_OUT);
    for (; done < total; uf++) {
        hcd_check(uf < 100, "%u of %u events in %u microframes", done, total,
                  uf);
        check_clock(h, 1);
        while (hcd_event_take(h, &event)) {
            expect_done(h, dev, trb[done++], &event);
        }
    }
    hcd_check(hcd_puppet_count(h, "received") ==
                  (uint64_t)work->tds * work->trbs * work->bytes,
              "the device received %" PRIu64 " bytes",
              hcd_puppet_count(h, "received"));
    hcd_finish(h);
}

/* A TD of n TRBs; what becomes of it. */
typedef struct {
    const char *name;
    unsigned dci;
    unsigned trbs;
    uint32_t bytes; /* of each TRB but the last */
    uint32_t last_bytes;
    unsigned cc;
} giant_case;

/* What is beyond these limits no driver has a use for. */
static const giant_case giant_cases[] = {
    { "BOUND/td-of-257-trbs", PUPPET_OUT, 257, 16384, 16384, CC_SUCCESS },
    { "BOUND/td-of-5000-trbs", PUPPET_OUT, 5000, 16, 16, CC_TRB_ERROR },
    { "BOUND/td-of-16-mib", PUPPET_OUT, 256, 65536, 65536, CC_SUCCESS },
    { "BOUND/td-of-40-mib", PUPPET_OUT, 640, 65536, 65536, CC_TRB_ERROR },
    { "BOUND/isoch-td-of-48-trbs", PUPPET_ISOCH_OUT, 48, 4, 4, CC_SUCCESS },
    { "BOUND/isoch-td-of-200-trbs", PUPPET_ISOCH_OUT, 200, 0, 0, CC_TRB_ERROR },
    { "BOUND/isoch-td-of-4000-trbs", PUPPET_ISOCH_OUT, 4000, 0, 0,
      CC_TRB_ERROR },
};

static uint64_t store_giant(Hcd *h, const giant_case *giant)
{
    uint64_t base = hcd_alloc(h, 16 * (giant->trbs + 1), 4096);
    uint64_t buf = hcd_alloc(h, 65536, 65536);
    bool isoch = giant->dci == PUPPET_ISOCH_OUT;

    for (unsigned i = 0; i < giant->trbs; i++) {
        bool last = i == giant->trbs - 1;

        hcd_trb_store(h, base + 16 * i,
                      hcd_trb_ptr(isoch && i == 0 ? TRB_ISOCH : TRB_NORMAL, buf,
                                  last ? giant->last_bytes : giant->bytes,
                                  TRB_C | (last ? TRB_IOC : TRB_CH) |
                                      (isoch && i == 0 ? TRB_SIA : 0)));
    }
    return base;
}

/* xHCI 1.2 §4.9.1: a TD may be long; one that is absurd is a TRB Error. */
static void giant_td(const void *data)
{
    const giant_case *giant = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_all(h);
    uint64_t base = store_giant(h, giant);
    uint64_t last = base + 16 * (giant->trbs - 1);
    bool good = giant->cc == CC_SUCCESS;
    HcdEvent event;

    hcd_ring_put(h, &dev->ring[giant->dci], link_to(base));
    hcd_ring_ep(h, dev, giant->dci);
    event = hcd_expect_te(h, .dev = dev, .dci = giant->dci, .cc = giant->cc,
                          .limit_uf = SOON_UF);
    hcd_check(good ? event.ptr == last : event.ptr > base && event.ptr < last,
              "the event is: %s; the TD is at %" PRIx64 " to %" PRIx64,
              hcd_event_text(&event), base, last);
    hcd_check(hcd_ep_state(h, dev, giant->dci) ==
                  (good ? EP_STATE_RUNNING : EP_STATE_ERROR),
              "the endpoint is in state %u", hcd_ep_state(h, dev, giant->dci));
    hcd_check(good || hcd_puppet_count(h, "received") == 0,
              "a part of the TD went to the device");
    check_other_endpoint(h, dev, giant->dci);
    hcd_finish(h);
}

/*
 * xHCI 1.2 §4.6.1: a command ring without an end, and no event ring 0 that
 * would fill up. An endpoint's events go to interrupter 1.
 */
static void command_loop(const void *data)
{
    unsigned type = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    HcdEventRing ring = hcd_intr_n_open(h, 1, 256);
    uint64_t loop = hcd_alloc(h, 64, 64), buf = hcd_alloc(h, 64, 64), trb;
    HcdEvent event;

    hcd_halt(h);
    hcd_trb_store(h, loop, hcd_trb_ptr(type, 0, 0, TRB_C));
    hcd_trb_store(h, loop + 16, link_to(loop));
    hcd_op_write(h, XHCI_CRCR_LO, loop | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_intr_write(h, XHCI_ERSTSZ, 0);
    hcd_run(h);
    hcd_doorbell(h, 0, 0);
    check_clock(h, 8);
    for (unsigned i = 0; i < 10; i++) {
        unsigned n = 0;

        trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true,
                        .target = 1);
        hcd_ring_ep(h, dev, PUPPET_IN);
        while (!hcd_event_ring_take(h, &ring, &event)) {
            hcd_check(n++ < SOON_UF, "no transfer while commands run");
            check_clock(h, 1);
        }
        hcd_check(event.ptr == trb && event.cc == CC_SUCCESS,
                  "the event is: %s", hcd_event_text(&event));
    }
    hcd_init(h);
    check_commands(h);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(loop_cases); i++) {
        hcd_test_add_data(loop_cases[i].name, transfer_loop, &loop_cases[i]);
    }
    hcd_test_add("BOUND/stale-isoch-loop", stale_isoch_loop);
    for (unsigned i = 0; i < ARRAY_SIZE(work_cases); i++) {
        hcd_test_add_data(work_cases[i].name, one_doorbell, &work_cases[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(giant_cases); i++) {
        hcd_test_add_data(giant_cases[i].name, giant_td, &giant_cases[i]);
    }
    hcd_test_add_data("BOUND/command-loop-no-op", command_loop,
                      GUINT_TO_POINTER(CMD_NOOP));
    hcd_test_add_data("BOUND/command-loop-bad-type", command_loop,
                      GUINT_TO_POINTER(26));
    return hcd_test_main(argc, argv);
}
