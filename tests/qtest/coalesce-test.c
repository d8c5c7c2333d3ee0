/*
 * Service in batches (hw/xhci/service.c, rule 2): the controller may serve
 * ESITs that passed in silence together, but nobody may notice (lib/watch.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/trace.h"
#include "lib/watch.h"

static void same_log(const void *data)
{
    const Scenario *s = data;
    g_autofree char *batches = watch_play(s, "coalesce=on", 0);
    g_autofree char *one_by_one = watch_play(s, "coalesce=off", 0);

    hcd_check(strstr(one_by_one, "code"), "%s saw no event", s->name);
    hcd_check(g_str_equal(batches, one_by_one),
              "coalesce=on:\n%s\ncoalesce=off:\n%s", batches, one_by_one);
}

/* Wake-ups while 1600 TDs are served, an interrupt asked for every 8 ms. */
static unsigned wakeups(const char *coalesce)
{
    g_autofree char *log = NULL;
    g_autofree char *args = hcd_trace_args(ISOAV_ARGS, "ixhci_service", &log);
    Hcd *h = hcd_start(.args = args, .props = coalesce);
    HcdDev *dev = hcd_isoav_open_one(h, WATCH_EVERY_UF, ISOAV_IN);
    uint64_t buf = hcd_alloc_filled(h, 192, 0xaa);
    unsigned before, count;

    for (unsigned i = 1; i <= 192; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
                 .ioc = true, .bei = i % 64 != 0);
    }
    before = hcd_trace_count(log, "ixhci_service ");
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_step_uf(h, 192);
    count = hcd_trace_count(log, "ixhci_service ") - before;
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
    for (unsigned i = 0; i < watch_scenario_count; i++) {
        g_autofree char *name =
            g_strdup_printf("coalesce/same-log/%s", watch_scenarios[i].name);

        hcd_test_add_data(name, same_log, &watch_scenarios[i]);
    }
    hcd_test_add("coalesce/fewer-wakeups", fewer_wakeups);
    return hcd_test_main(argc, argv);
}
