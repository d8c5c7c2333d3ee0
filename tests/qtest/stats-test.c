/*
 * The property `stats` (hw/xhci/stats.c): what was counted, exactly, and what
 * is reserved. It is for the host, and no requirement of the specification.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"
#include "compat.h"
#include "isolab/isoav.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */

static QDict *stats_of(Hcd *h)
{
    QDict *reply =
        qtest_qmp(h->qts, "{'execute': 'qom-get', 'arguments': {'path': "
                          "'/machine/peripheral/xhci', 'property': 'stats'}}");
    QDict *stats = qdict_get_qdict(reply, "return");

    hcd_check(stats, "qom-get stats: %s", qobject_to_json(QOBJECT(reply))->str);
    qobject_ref(stats);
    qobject_unref(reply);
    return stats;
}

/* The entry of a list whose `key` is `value`; NULL: none. */
static QDict *entry(QDict *stats, const char *list, const char *key,
                    int64_t value)
{
    QListEntry *e;

    QLIST_FOREACH_ENTRY(qdict_get_qlist(stats, list), e)
    {
        QDict *row = qobject_to(QDict, qlist_entry_obj(e));

        if (qdict_get_int(row, key) == value) {
            return row;
        }
    }
    return NULL;
}

static QDict *endpoint(QDict *stats, unsigned dci)
{
    QDict *row = entry(stats, "endpoints", "dci", dci);

    hcd_check(row, "no endpoint with DCI %u", dci);
    return row;
}

static void check_int(QDict *row, const char *key, int64_t want)
{
    int64_t got = qdict_get_try_int(row, key, -1);

    hcd_check(got == want, "%s is %" PRId64 ", expected %" PRId64, key, got,
              want);
}

static void check_text(QDict *row, const char *key, const char *want)
{
    const char *got = qdict_get_try_str(row, key);

    hcd_check(g_strcmp0(got, want) == 0, "%s is %s, expected %s", key, got,
              want);
}

/* Three TDs are late, five run, and the ring is dry. */
static void what_became_of_tds(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now;
    QDict *stats, *row, *codes;

    hcd_step_uf(h, 400);
    now = iso_frame_now(h);
    for (int i = 0; i < 3; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, i - 10));
    }
    for (int i = 0; i < 5; i++) {
        iso_in_queue_frame(in, iso_frame_id(now, 10 + i));
    }
    iso_in_doorbell(in);
    hcd_step_uf(h, 30 * 8);
    stats = stats_of(h);
    row = endpoint(stats, ISOAV_IN);
    codes = qdict_get_qdict(row, "codes");
    check_int(row, "tds", 8);
    check_int(row, "bytes", 5 * in->bytes);
    check_int(row, "missed", 3);
    check_int(row, "xruns", 1);
    check_int(codes, "missed-service", 3);
    check_int(codes, "success", 5);
    check_int(row, "slot", in->dev->slot_id);
    check_int(row, "port", in->dev->port_id);
    check_int(row, "endpoint", ISOAV_IN >> 1);
    check_int(row, "interval", 8);
    check_int(row, "mps", in->bytes);
    check_int(row, "payload", in->bytes);
    check_text(row, "direction", "in");
    check_text(row, "type", "isoch");
    check_text(row, "state", "running");
    check_text(endpoint(stats, 1), "type", "control");
    check_text(endpoint(stats, 1), "direction", "both");
    check_int(stats, "uf", hcd_now_uf(h));
    check_int(stats, "mfindex", hcd_mfindex(h));
    qobject_unref(stats);
    hcd_finish(h);
}

/* TDs without an event are served when somebody hears of them: so is this. */
static void silent_tds_are_counted(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_UF);
    uint64_t buf = hcd_alloc(h, 4096, 4096);
    QDict *stats;

    hcd_step_uf(h, 80);
    for (unsigned i = 0; i < 40; i++) {
        td_isoch(h, in->dev, ISOAV_IN, .buf = buf, .len = in->bytes,
                 .sia = true, .ioc = i == 39);
    }
    hcd_ring_ep(h, in->dev, ISOAV_IN);
    /* by the clock itself: the harness would look at a register */
    h->now_ns += 20 * HCD_UF_NS;
    qtest_clock_step(h->qts, 20 * HCD_UF_NS);
    stats = stats_of(h);
    hcd_check(qdict_get_int(endpoint(stats, ISOAV_IN), "tds") >= 19,
              "after 20 microframes %" PRId64 " TDs are counted",
              qdict_get_int(endpoint(stats, ISOAV_IN), "tds"));
    hcd_check(qdict_get_int(endpoint(stats, ISOAV_IN), "tds") <= 21,
              "after 20 microframes %" PRId64 " TDs are counted",
              qdict_get_int(endpoint(stats, ISOAV_IN), "tds"));
    qobject_unref(stats);
    hcd_finish(h);
}

/* What a dropped endpoint has counted stays in the sum. */
static void dropped_endpoints_stay_in_the_sum(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    QDict *stats;

    hcd_step_uf(h, 80);
    iso_in_queue_sia(in, 4);
    iso_in_doorbell(in);
    hcd_step_uf(h, 20 * 8);
    stats = stats_of(h);
    check_int(qdict_get_qdict(stats, "gone"), "bytes", 0);
    qobject_unref(stats);
    hcd_cmd_stop(h, in->dev, ISOAV_IN);
    hcd_expect_cc(hcd_cmd_configure(h, in->dev, 1, 1u << ISOAV_IN), CC_SUCCESS);
    stats = stats_of(h);
    hcd_check(!entry(stats, "endpoints", "dci", ISOAV_IN),
              "the endpoint is still there");
    check_int(qdict_get_qdict(stats, "gone"), "bytes", 4 * in->bytes);
    check_int(qdict_get_qdict(stats, "gone"), "xruns", 1);
    qobject_unref(stats);
    hcd_finish(h);
}

static int64_t reserved(QDict *bus, unsigned unit)
{
    QList *list = qdict_get_qlist(bus, "reserved");
    QListEntry *e;

    QLIST_FOREACH_ENTRY(list, e)
    {
        if (!unit--) {
            return qnum_get_int(qobject_to(QNum, qlist_entry_obj(e)));
        }
    }
    return -1;
}

/* USB 2.0 §5.6.4: 80 % of 7500 bytes; 38 more for each packet. */
static void reserved_bandwidth(const void *alternate)
{
    unsigned every = GPOINTER_TO_UINT(alternate) == EVERY_UF ? 1 : 8;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, GPOINTER_TO_UINT(alternate));
    QDict *stats = stats_of(h);
    QDict *bus = entry(stats, "buses", "port", in->dev->port_id);

    hcd_check(bus, "no bus at port %u", in->dev->port_id);
    check_text(bus, "speed", "high");
    check_text(bus, "unit", "microframe");
    check_text(bus, "direction", "both");
    check_int(bus, "limit", 6000);
    for (unsigned i = 0; i < 8; i++) {
        /* IN and OUT are the same size */
        int64_t want = i % every ? 0 : 2 * (in->bytes + 38);

        hcd_check(reserved(bus, i) == want,
                  "microframe %u has %" PRId64 " bytes, expected %" PRId64, i,
                  reserved(bus, i), want);
    }
    hcd_check(reserved(bus, 8) == -1, "more than eight units");
    qobject_unref(stats);
    hcd_finish(h);
}

static void ports(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "p2=3,p3=2");
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    QDict *stats = stats_of(h);
    QDict *port = entry(stats, "ports", "port", dev->port_id);

    hcd_check(qlist_size(qdict_get_qlist(stats, "ports")) == 5,
              "%zu ports, expected 5",
              qlist_size(qdict_get_qlist(stats, "ports")));
    hcd_check(qdict_get_bool(port, "connected") &&
                  qdict_get_bool(port, "enabled") &&
                  qdict_get_bool(stats, "running"),
              "%s", qobject_to_json(QOBJECT(stats))->str);
    check_text(port, "speed", "high");
    check_text(port, "link", "U0");
    check_int(port, "usb", 2);
    qobject_unref(stats);
    hcd_halt(h);
    stats = stats_of(h);
    hcd_check(!qdict_get_bool(stats, "running"), "it runs while HCH is 1");
    qobject_unref(stats);
    hcd_finish(h);
}

/* The endpoint is there, and what it has counted is not (rule 4). */
static void counters_begin_anew_after_migration(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    QDict *stats;

    hcd_step_uf(h, 80);
    iso_in_queue_sia(in, 4);
    iso_in_doorbell(in);
    hcd_step_uf(h, 20 * 8);
    hcd_migrate(h);
    stats = stats_of(h);
    check_int(endpoint(stats, ISOAV_IN), "interval", 8);
    check_int(endpoint(stats, ISOAV_IN), "tds", 0);
    qobject_unref(stats);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("stats/what_became_of_tds", what_became_of_tds);
    hcd_test_add("stats/silent_tds_are_counted", silent_tds_are_counted);
    hcd_test_add("stats/dropped_endpoints_stay_in_the_sum",
                 dropped_endpoints_stay_in_the_sum);
    hcd_test_add_data("stats/reserved_bandwidth/every_microframe",
                      reserved_bandwidth, GUINT_TO_POINTER(EVERY_UF));
    hcd_test_add_data("stats/reserved_bandwidth/every_frame",
                      reserved_bandwidth, GUINT_TO_POINTER(EVERY_FRAME));
    hcd_test_add("stats/ports", ports);
    hcd_test_add("stats/counters_begin_anew_after_migration",
                 counters_begin_anew_after_migration);
    return hcd_test_main(argc, argv);
}
