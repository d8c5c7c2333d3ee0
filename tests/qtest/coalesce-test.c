/*
 * Service in batches (design of hw/xhci/service.c, rule 2): the controller may
 * serve ESITs that passed in silence together, but nobody may notice.
 *
 * Each scenario is played twice, with coalesce=on and off, by a driver that
 * looks at its event ring when an interrupt comes and at nothing else, except
 * where the scenario says so. What it saw, and when, is written to a log; the
 * two logs must be equal. The data of a TD says in which microframe it was
 * served, so that is in the log as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/iso.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */
#define TDS 200

/* A driver that waits for interrupts, and what it saw. */
typedef struct {
    Hcd *h;
    HcdDev *dev;
    GString *log;
    uint64_t begin_uf;
    unsigned bytes;
    unsigned count;
    uint64_t trb[TDS];
    uint64_t buf[TDS];
} Watcher;

typedef struct {
    const char *name;
    const char *args;
    unsigned alternate;
    unsigned usbcmd;
    void (*play)(Watcher *w);
} Scenario;

static void note(Watcher *w, const char *what)
{
    g_string_append_printf(w->log, "%" PRIu64 " %s\n",
                           hcd_now_uf(w->h) - w->begin_uf, what);
}

/* Which TD an event names: addresses are the same in both runs, but a log is
 * read by people. */
static int td_of(const Watcher *w, uint64_t trb)
{
    for (unsigned i = 0; i < w->count; i++) {
        if (w->trb[i] == trb) {
            return i;
        }
    }
    return -1;
}

static void look(Watcher *w)
{
    HcdEvent event;

    /* as interrupt handlers do, to know whose interrupt it was */
    hcd_op_read(w->h, XHCI_USBSTS);
    while (hcd_event_take(w->h, &event)) {
        int td = td_of(w, event.ptr);

        g_string_append_printf(
            w->log, "  type %u code %u td %d len %u dci %u port %u\n",
            event.type, event.cc, td, event.len, event.dci, event.port_id);
    }
    hcd_event_ack(w->h);
}

/* The driver at rest: interrupts, and nothing else, make it look. */
static void watch(Watcher *w, unsigned microframes)
{
    while (microframes--) {
        hcd_step_uf(w->h, 1);
        if (hcd_msix_take(w->h, 0)) {
            note(w, "interrupt");
            look(w);
        }
    }
}

static void queue(Watcher *w, unsigned dci, HcdTd td)
{
    unsigned i = w->count++;

    g_assert_cmpuint(i, <, TDS);
    td.type = TRB_ISOCH;
    td.len = td.len ? td.len : w->bytes;
    td.buf = w->buf[i] = dci == ISOAV_OUT
                             ? hcd_isoav_out_packet(w->h, i, td.len)
                             : hcd_alloc_filled(w->h, w->bytes, 0xaa);
    w->trb[i] = hcd_td(w->h, w->dev, dci, td);
}

/* n TDs that ask for events; each `every`th for an interrupt as well. */
static void queue_row(Watcher *w, unsigned dci, unsigned n, unsigned every)
{
    for (unsigned i = 1; i <= n; i++) {
        queue(w, dci,
              (HcdTd){ .sia = true, .ioc = true, .bei = i % every != 0 });
    }
}

static void log_data(Watcher *w)
{
    for (unsigned i = 0; i < w->count; i++) {
        bool untouched = hcd_mem_is(w->h, w->buf[i], w->bytes, 0xaa);

        g_string_append_printf(
            w->log, "td %u: %" PRId64 "\n", i,
            untouched
                ? -1
                : (int64_t)(hcd_isoav_microframe(w->h, w->buf[i], w->bytes) -
                            w->begin_uf));
    }
}

static void play_in(Watcher *w)
{
    queue_row(w, ISOAV_IN, 64, 16);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 200);
    log_data(w);
}

/* The last TDs are silent: the xrun must still come in its ESIT. */
static void play_dry(Watcher *w)
{
    queue_row(w, ISOAV_IN, 20, 8);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 100);
    queue_row(w, ISOAV_IN, 3, 8);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 100);
    log_data(w);
}

/* Silent TDs with no IOC at all. */
static void play_mute(Watcher *w)
{
    for (unsigned i = 0; i < 150; i++) {
        queue(w, ISOAV_IN, (HcdTd){ .sia = true });
    }
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 200);
    log_data(w);
}

/* Frame IDs: in a row, then a gap, then one that is late. */
static void play_frames(Watcher *w)
{
    static const int frames[] = { 4, 5, 6, 10, 11, 3, 12, 13, 20, 21 };
    IsoFrame now = iso_frame_now(w->h);

    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        bool late = frames[i] == 3;

        /* a missed TD is told even if no event was asked for (§4.10.3.2) */
        queue(w, ISOAV_IN,
              (HcdTd){ .frame_id = iso_frame_id(now, frames[i]),
                       .ioc = !late,
                       .bei = !late && i != 1 && i != 9 });
    }
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 300);
    log_data(w);
}

/* Both directions, each with its own rhythm. */
static void play_both(Watcher *w)
{
    queue_row(w, ISOAV_IN, 60, 12);
    queue_row(w, ISOAV_OUT, 60, 20);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 5);
    hcd_ring_ep(w->h, w->dev, ISOAV_OUT);
    watch(w, 100);
}

/* New TDs and a doorbell in the middle of a batch. */
static void play_refill(Watcher *w)
{
    queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 7);
    queue_row(w, ISOAV_IN, 40, 10);
    watch(w, 7);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 200);
    log_data(w);
}

/* A driver that thinks again: an interrupt for a TD that was to be silent. */
static void play_rewrite(Watcher *w)
{
    xhci_trb trb;

    queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 7);
    trb = hcd_trb_load(w->h, w->trb[20]);
    trb.dw[3] &= ~TRB_BEI;
    hcd_trb_store(w->h, w->trb[20], trb);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 60);
    log_data(w);
}

/* A driver that polls: any register brings the ring up to date. */
static void play_poll(Watcher *w)
{
    queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    for (unsigned i = 0; i < 10; i++) {
        hcd_step_uf(w->h, 3);
        g_string_append_printf(w->log, "MFINDEX %u\n", hcd_mfindex(w->h));
        look(w);
    }
    watch(w, 50);
}

/* Stop Endpoint, then on again. */
static void play_stop(Watcher *w)
{
    queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 21);
    hcd_cmd_post(w->h,
                 hcd_cmd_trb(CMD_STOP_ENDPOINT, w->dev->slot_id, ISOAV_IN, 0));
    hcd_doorbell(w->h, 0, 0);
    watch(w, 30);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 100);
    log_data(w);
}

/* R/S is cleared in the middle of a batch. */
static void play_halt(Watcher *w)
{
    queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 21);
    hcd_halt(w->h);
    look(w);
    watch(w, 50);
    log_data(w);
}

/* The device leaves in the middle of a batch. */
static void play_unplug(Watcher *w)
{
    queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 21);
    hcd_unplug(w->h, "av");
    watch(w, 80);
    log_data(w);
}

/* Bus Master Enable is cleared in the middle of a batch: the next TRB cannot
 * be fetched (§4.10.2.6). */
static void play_bus_master(Watcher *w)
{
    w->h->may_be_dead = true;
    queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 21);
    hcd_pci_set_bus_master(w->h, false);
    watch(w, 40);
    hcd_pci_set_bus_master(w->h, true);
    g_string_append_printf(w->log, "USBSTS %x\n",
                           hcd_op_read(w->h, XHCI_USBSTS));
    look(w);
    log_data(w);
}

/* MFINDEX Wrap Events take their place among the others. */
static void play_wrap(Watcher *w)
{
    unsigned to_wrap = MFINDEX_MASK + 1 - hcd_mfindex(w->h);

    watch(w, to_wrap - 20);
    queue_row(w, ISOAV_IN, 50, 50);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch(w, 80);
    log_data(w);
}

static const Scenario scenarios[] = {
    { "in", ISOAV_ARGS, EVERY_UF, 0, play_in },
    { "in-every-frame", ISOAV_ARGS, EVERY_FRAME, 0, play_in },
    { "runs-dry", ISOAV_ARGS, EVERY_UF, 0, play_dry },
    { "mute", ISOAV_ARGS, EVERY_UF, 0, play_mute },
    { "frames", ISOAV_ARGS, EVERY_FRAME, 0, play_frames },
    { "frames-of-microframes", ISOAV_ARGS, EVERY_UF, 0, play_frames },
    { "both-ways", ISOAV_ARGS, EVERY_UF, 0, play_both },
    { "refill", ISOAV_ARGS, EVERY_UF, 0, play_refill },
    { "rewrite", ISOAV_ARGS, EVERY_UF, 0, play_rewrite },
    { "poll", ISOAV_ARGS, EVERY_UF, 0, play_poll },
    { "stop", ISOAV_ARGS, EVERY_UF, 0, play_stop },
    { "halt", ISOAV_ARGS, EVERY_UF, 0, play_halt },
    { "unplug", ISOAV_ARGS, EVERY_UF, 0, play_unplug },
    { "bus-master", ISOAV_ARGS, EVERY_UF, 0, play_bus_master },
    { "wrap", ISOAV_ARGS, EVERY_UF, USBCMD_EWE, play_wrap },
};

static char *play(const Scenario *s, const char *props)
{
    Hcd *h = hcd_start(.args = s->args, .props = props, .usbcmd = s->usbcmd);
    Watcher w = { .h = h, .log = g_string_new(NULL) };

    hcd_intr_write(h, XHCI_IMOD, 0);
    w.dev = hcd_isoav_open(h, s->alternate);
    w.bytes = hcd_isoav_packet_bytes(s->alternate);
    hcd_event_drain(h);
    hcd_step_uf(h, 80);
    hcd_msix_take(h, 0);
    h->keep_erdp = true;
    w.begin_uf = hcd_now_uf(h);
    s->play(&w);
    hcd_finish(h);
    return g_string_free(w.log, false);
}

static void same_log(const void *data)
{
    const Scenario *s = data;
    g_autofree char *batches = play(s, "coalesce=on");
    g_autofree char *one_by_one = play(s, "coalesce=off");

    hcd_check(strstr(one_by_one, "code"), "%s saw no event", s->name);
    hcd_check(g_str_equal(batches, one_by_one),
              "coalesce=on:\n%s\ncoalesce=off:\n%s", batches, one_by_one);
}

/* Wake-ups while 1600 TDs are served, an interrupt asked for every 8 ms. */
static unsigned wakeups(const char *coalesce)
{
    g_autofree char *name = g_strdup_printf("ixhci-wakeups-%d", getpid());
    g_autofree char *log = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_autofree char *args =
        g_strdup_printf(ISOAV_ARGS "-trace ixhci_service -D %s", log);
    g_autofree char *text = NULL;
    Hcd *h = hcd_start(.args = args, .props = coalesce);
    HcdDev *dev = hcd_isoav_open_one(h, EVERY_UF, ISOAV_IN);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa);
    unsigned before, count = 0;

    for (unsigned i = 1; i <= 192; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
                 .ioc = true, .bei = i % 64 != 0);
    }
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    before = strlen(text);
    g_free(text);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_step_uf(h, 192);
    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    for (char *at = text + before; (at = strstr(at, "ixhci_service ")); at++) {
        count++;
    }
    g_unlink(log);
    hcd_finish(h);
    return count;
}

static void fewer_wakeups(void)
{
    unsigned batches = wakeups("coalesce=on");
    unsigned one_by_one = wakeups("coalesce=off");

    hcd_check(one_by_one >= 192, "%u wake-ups for 192 ESITs", one_by_one);
    hcd_check(batches * 8 <= one_by_one, "%u wake-ups in batches, %u without",
              batches, one_by_one);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(scenarios); i++) {
        g_autofree char *name =
            g_strdup_printf("coalesce/same-log/%s", scenarios[i].name);

        hcd_test_add_data(name, same_log, &scenarios[i]);
    }
    hcd_test_add("coalesce/fewer-wakeups", fewer_wakeups);
    return hcd_test_main(argc, argv);
}
