/*
 * Streams in all kinds of trouble, to be watched (watch.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch.h"

static void play_in(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 64, 16);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 200);
    watch_log_data(w);
}

/* The last TDs are silent: the xrun must still come in its ESIT. */
static void play_dry(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 20, 8);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 100);
    watch_queue_row(w, ISOAV_IN, 3, 8);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 100);
    watch_log_data(w);
}

/* Silent TDs with no IOC at all. */
static void play_mute(Watcher *w)
{
    for (unsigned i = 0; i < 150; i++) {
        watch_queue(w, ISOAV_IN, (HcdTd){ .sia = true });
    }
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 200);
    watch_log_data(w);
}

/* Frame IDs: in a row, then a gap, then one that is late. */
static void play_frames(Watcher *w)
{
    static const int frames[] = { 4, 5, 6, 10, 11, 3, 12, 13, 20, 21 };
    IsoFrame now = iso_frame_now(w->h);

    for (unsigned i = 0; i < ARRAY_SIZE(frames); i++) {
        bool late = frames[i] == 3;

        /* a missed TD is told even if no event was asked for (§4.10.3.2) */
        watch_queue(w, ISOAV_IN,
                    (HcdTd){ .frame_id = iso_frame_id(now, frames[i]),
                             .ioc = !late,
                             .bei = !late && i != 1 && i != 9 });
    }
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 300);
    watch_log_data(w);
}

/* Both directions, each with its own rhythm. */
static void play_both(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 60, 12);
    watch_queue_row(w, ISOAV_OUT, 60, 20);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 5);
    hcd_ring_ep(w->h, w->dev, ISOAV_OUT);
    watch_run(w, 100);
}

/* New TDs and a doorbell in the middle of a batch. */
static void play_refill(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 7);
    watch_queue_row(w, ISOAV_IN, 40, 10);
    watch_run(w, 7);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 200);
    watch_log_data(w);
}

/* A driver that thinks again: an interrupt for a TD that was to be silent. */
static void play_rewrite(Watcher *w)
{
    xhci_trb trb;

    watch_queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 7);
    trb = hcd_trb_load(w->h, w->trb[20]);
    trb.dw[3] &= ~TRB_BEI;
    hcd_trb_store(w->h, w->trb[20], trb);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 60);
    watch_log_data(w);
}

/* A driver that polls: any register brings the ring up to date. */
static void play_poll(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 40, 40);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    for (unsigned i = 0; i < 10; i++) {
        hcd_step_uf(w->h, 3);
        g_string_append_printf(w->log, "MFINDEX %u\n", hcd_mfindex(w->h));
        watch_look(w);
    }
    watch_run(w, 50);
}

/* Stop Endpoint, then on again. */
static void play_stop(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 21);
    hcd_cmd_post(w->h,
                 hcd_cmd_trb(CMD_STOP_ENDPOINT, w->dev->slot_id, ISOAV_IN, 0));
    hcd_doorbell(w->h, 0, 0);
    watch_run(w, 30);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 100);
    watch_log_data(w);
}

/* R/S is cleared in the middle of a batch. */
static void play_halt(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 21);
    hcd_halt(w->h);
    watch_look(w);
    watch_run(w, 50);
    watch_log_data(w);
}

/* The device leaves in the middle of a batch. */
static void play_unplug(Watcher *w)
{
    watch_queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 21);
    hcd_unplug(w->h, "av");
    watch_run(w, 80);
    watch_log_data(w);
}

/* Bus Master Enable is cleared in the middle of a batch: the next TRB cannot
 * be fetched (§4.10.2.6). */
static void play_bus_master(Watcher *w)
{
    w->h->may_be_dead = true;
    watch_queue_row(w, ISOAV_IN, 60, 60);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 21);
    hcd_pci_set_bus_master(w->h, false);
    watch_run(w, 40);
    hcd_pci_set_bus_master(w->h, true);
    g_string_append_printf(w->log, "USBSTS %x\n",
                           hcd_op_read(w->h, XHCI_USBSTS));
    watch_look(w);
    watch_log_data(w);
}

/* MFINDEX Wrap Events take their place among the others. */
static void play_wrap(Watcher *w)
{
    unsigned to_wrap = MFINDEX_MASK + 1 - hcd_mfindex(w->h);

    watch_run(w, to_wrap - 20);
    watch_queue_row(w, ISOAV_IN, 50, 50);
    hcd_ring_ep(w->h, w->dev, ISOAV_IN);
    watch_run(w, 80);
    watch_log_data(w);
}

const Scenario watch_scenarios[] = {
    { "in", WATCH_EVERY_UF, 0, false, play_in },
    { "in-every-frame", WATCH_EVERY_FRAME, 0, false, play_in },
    { "runs-dry", WATCH_EVERY_UF, 0, false, play_dry },
    { "mute", WATCH_EVERY_UF, 0, false, play_mute },
    { "frames", WATCH_EVERY_FRAME, 0, false, play_frames },
    { "frames-of-microframes", WATCH_EVERY_UF, 0, false, play_frames },
    { "both-ways", WATCH_EVERY_UF, 0, false, play_both },
    { "refill", WATCH_EVERY_UF, 0, false, play_refill },
    { "rewrite", WATCH_EVERY_UF, 0, false, play_rewrite },
    { "poll", WATCH_EVERY_UF, 0, false, play_poll },
    { "stop", WATCH_EVERY_UF, 0, false, play_stop },
    { "halt", WATCH_EVERY_UF, 0, false, play_halt },
    { "unplug", WATCH_EVERY_UF, 0, true, play_unplug },
    { "bus-master", WATCH_EVERY_UF, 0, false, play_bus_master },
    { "wrap", WATCH_EVERY_UF, USBCMD_EWE, false, play_wrap },
};

const unsigned watch_scenario_count = ARRAY_SIZE(watch_scenarios);

char *watch_play(const Scenario *s, const char *props, uint64_t migrate_uf)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = props, .usbcmd = s->usbcmd);
    Watcher w = { .h = h, .log = g_string_new(NULL), .migrate_uf = migrate_uf };

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
