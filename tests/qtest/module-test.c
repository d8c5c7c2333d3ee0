/*
 * The module is in the QEMU, and the test bench keeps time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "qapi/qmp/qdict.h"

#define MICROFRAME_NS 125000

static char *temporary_file(void)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int fd = g_file_open_tmp("isolab-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    return path;
}

static char *contents_of(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* The launcher starts a QEMU that has the module mapped. */
static void test_loaded(void)
{
    g_autofree char *pidfile = temporary_file();
    QTestState *qts = qtest_initf("-M q35 -pidfile %s", pidfile);
    g_autofree char *pid = contents_of(pidfile);
    g_autofree char *path = g_strdup_printf("/proc/%d/maps", atoi(pid));
    g_autofree char *maps = contents_of(path);

    g_assert_nonnull(strstr(maps, "/isolab-qemu.so"));
    qtest_quit(qts);
    unlink(pidfile);
}

/* A program that QEMU starts does not get the module. */
static void test_not_inherited(void)
{
    g_autofree char *out = temporary_file();
    g_autofree char *uri = g_strdup_printf(
        "exec:echo \"${LD_PRELOAD-none}\" >%s; cat >/dev/null", out);
    QTestState *qts = qtest_init("-M q35 -m 1");
    bool completed = false;
    g_autofree char *preload = NULL;

    qtest_qmp_assert_success(
        qts, "{'execute': 'migrate', 'arguments': {'uri': %s}}", uri);
    while (!completed) {
        QDict *reply = qtest_qmp(qts, "{'execute': 'query-migrate'}");
        const char *status =
            qdict_get_try_str(qdict_get_qdict(reply, "return"), "status");

        g_assert_cmpstr(status, !=, "failed");
        completed = g_strcmp0(status, "completed") == 0;
        qobject_unref(reply);
    }
    preload = contents_of(out);
    g_assert_cmpstr(preload, ==, "none\n");
    qtest_quit(qts);
    unlink(out);
}

/* clock_step moves the virtual clock by what it was told, to the nanosecond. */
static void test_clock(void)
{
    QTestState *qts = qtest_init("-M q35");
    int64_t start = qtest_clock_step(qts, 1);

    for (int i = 1; i <= 8; i++) {
        g_assert_cmpint(qtest_clock_step(qts, MICROFRAME_NS), ==,
                        start + i * MICROFRAME_NS);
    }
    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/module/loaded", test_loaded);
    qtest_add_func("/module/not-inherited", test_not_inherited);
    qtest_add_func("/module/clock", test_clock);
    return g_test_run();
}
