/*
 * Migration in the middle of a test: the machine is saved into a file, a new
 * QEMU loads it, and the test goes on with that one. Neither moves the clock;
 * the new one's is set to where the old one's stood, since qtest's clock,
 * unlike a real one, does not travel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "hcd.h"
#include "compat.h"

/* True: it came to its end; false: it failed. */
static bool await_end(QTestState *qts)
{
    for (;;) {
        QDict *event = qtest_qmp_eventwait_ref(qts, "MIGRATION");
        g_autofree char *status =
            g_strdup(qdict_get_str(qdict_get_qdict(event, "data"), "status"));

        qobject_unref(event);
        if (g_str_equal(status, "completed") || g_str_equal(status, "failed")) {
            return g_str_equal(status, "completed");
        }
    }
}

static void want_events(QTestState *qts)
{
    qtest_qmp_assert_success(
        qts,
        "{ 'execute': 'migrate-set-capabilities', 'arguments': { "
        "'capabilities': [ { 'capability': 'events', 'state': true } ] } }");
}

/* QEMU says that it is complete when all is in the pipe: whoever reads it may
 * not have written it yet, and says so by opening a FIFO. */
void hcd_save(Hcd *h, const char *file)
{
    g_autofree char *written = g_strconcat(file, "-written", NULL);
    g_autofree char *uri =
        g_strdup_printf("exec:cat > %s; : > %s", file, written);
    int fifo;

    g_unlink(written);
    g_assert_cmpint(mkfifo(written, 0600), ==, 0);
    want_events(h->qts);
    qtest_qmp_assert_success(
        h->qts, "{ 'execute': 'migrate', 'arguments': { 'uri': %s } }", uri);
    hcd_check(await_end(h->qts), "the machine cannot be saved");
    fifo = open(written, O_RDONLY);
    g_assert_cmpint(fifo, >=, 0);
    close(fifo);
    g_unlink(written);
}

QTestState *hcd_load(Hcd *h, const char *file)
{
    g_autofree char *uri = g_strdup_printf("exec:cat %s", file);
    QTestState *qts = hcd_launch(&h->options, "-incoming defer");

    qtest_clock_set(qts, h->now_ns);
    want_events(qts);
    qtest_qmp_assert_success(
        qts, "{ 'execute': 'migrate-incoming', 'arguments': { 'uri': %s } }",
        uri);
    /* QEMU says that it is complete when the machine runs, not before */
    if (!await_end(qts)) {
        qtest_set_expected_status(qts, 1); /* it said why and left */
        qtest_quit(qts);
        return NULL;
    }
    return qts;
}

void hcd_migrate(Hcd *h)
{
    g_autofree char *name = g_strdup_printf("ixhci-migrate-%d", getpid());
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), name, NULL);
    QTestState *qts;

    hcd_save(h, file);
    qts = hcd_load(h, file);
    g_unlink(file);
    hcd_check(qts, "the machine that was saved cannot be loaded");
    qtest_quit(h->qts);
    h->qts = qts;
}
