/*
 * The driver of watch.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch.h"

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

void watch_look(Watcher *w)
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
void watch_run(Watcher *w, unsigned microframes)
{
    while (microframes--) {
        if (w->migrate_uf && hcd_now_uf(w->h) == w->begin_uf + w->migrate_uf) {
            hcd_migrate(w->h);
        }
        hcd_step_uf(w->h, 1);
        if (hcd_msix_take(w->h, 0)) {
            note(w, "interrupt");
            watch_look(w);
        }
    }
}

void watch_queue(Watcher *w, unsigned dci, HcdTd td)
{
    unsigned i = w->count++;

    g_assert_cmpuint(i, <, WATCH_TDS);
    td.type = TRB_ISOCH;
    td.len = td.len ? td.len : w->bytes;
    td.buf = w->buf[i] = dci == ISOAV_OUT
                             ? hcd_isoav_out_packet(w->h, i, td.len)
                             : hcd_alloc_filled(w->h, w->bytes, 0xaa);
    w->trb[i] = hcd_td(w->h, w->dev, dci, td);
}

void watch_queue_row(Watcher *w, unsigned dci, unsigned n, unsigned every)
{
    for (unsigned i = 1; i <= n; i++) {
        watch_queue(w, dci,
                    (HcdTd){ .sia = true, .ioc = true, .bei = i % every != 0 });
    }
}

void watch_log_data(Watcher *w)
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
