/*
 * The module is in the QEMU, and the test bench keeps time.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "libqtest.h"
#include "compat.h"

#include <glib/gstdio.h>

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

/* A file of a running QEMU's folder in /proc. */
static char *proc_file_of(const char *pidfile, const char *name)
{
    g_autofree char *pid = contents_of(pidfile);
    g_autofree char *path = g_strdup_printf("/proc/%d/%s", atoi(pid), name);

    return contents_of(path);
}

/* The launcher starts a QEMU that has the module mapped. */
static void test_loaded(void)
{
    g_autofree char *pidfile = temporary_file();
    QTestState *qts = qtest_initf("-M q35 -pidfile %s", pidfile);
    g_autofree char *maps = proc_file_of(pidfile, "maps");

    g_assert_nonnull(strstr(maps, "/isolab-qemu.so"));
    qtest_quit(qts);
    unlink(pidfile);
}

static void assert_help_has(const char *option, const char *word)
{
    const char *argv[] = { g_getenv("QTEST_QEMU_BINARY"), option, "help",
                           NULL };
    g_autofree char *out = NULL;
    int status;

    g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL,
                               G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out,
                               NULL, &status, NULL));
    g_assert_cmpint(status, ==, 0);
    g_assert_nonnull(strstr(out, word));
}

/* QEMU lists what the module brings: devices and trace events. */
static void test_help(void)
{
    assert_help_has("-device", "\"ixhci\", bus PCI");
    assert_help_has("-device", "\"usb-isoav\", bus usb-bus");
    assert_help_has("-trace", "\nixhci_");
    assert_help_has("-trace", "\nisoav_");
}

/* What is on the command line reaches QEMU as it is, argv[0] included. */
static void test_arguments(void)
{
    const char *launcher = g_getenv("QTEST_QEMU_BINARY");
    g_autofree char *pidfile = temporary_file();
    QTestState *qts =
        qtest_initf("-name 'two  words,,and a comma' -pidfile %s", pidfile);
    g_autofree char *name = NULL;
    g_autofree char *argv0 = proc_file_of(pidfile, "cmdline");
    QDict *reply = qtest_qmp(qts, "{'execute': 'query-name'}");

    name = g_strdup(qdict_get_str(qdict_get_qdict(reply, "return"), "name"));
    g_assert_cmpstr(name, ==, "two  words,and a comma");
    g_assert_cmpstr(argv0, ==, launcher);
    qobject_unref(reply);
    qtest_quit(qts);
    unlink(pidfile);
}

/*
 * The value of LD_PRELOAD in a program that QEMU starts: an outgoing
 * migration to a command is one that needs no privilege.
 */
static char *preload_of_child(void)
{
    g_autofree char *out = temporary_file();
    g_autofree char *uri = g_strdup_printf(
        "exec:printf %%s \"${LD_PRELOAD-none}\" >%s; cat >/dev/null", out);
    QTestState *qts = qtest_init("-M q35 -m 1");
    bool completed = false;
    char *preload;

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
    qtest_quit(qts);
    unlink(out);
    return preload;
}

static void test_not_inherited(void)
{
    g_autofree char *preload = preload_of_child();

    g_assert_cmpstr(preload, ==, "none");
}

static void test_user_preload_kept(void)
{
    g_autofree char *preload = NULL;

    g_setenv("LD_PRELOAD", "libm.so.6:libdl.so.2", 1);
    preload = preload_of_child();
    g_unsetenv("LD_PRELOAD");
    g_assert_cmpstr(preload, ==, "libm.so.6:libdl.so.2");
}

static void copy_program(const char *from, const char *to)
{
    g_autofree char *data = NULL;
    gsize size;

    g_assert_true(g_file_get_contents(from, &data, &size, NULL));
    g_assert_true(g_file_set_contents(to, data, size, NULL));
    g_assert_cmpint(chmod(to, 0755), ==, 0);
}

/* A folder whose name LD_PRELOAD cannot express. */
static void test_awkward_folder(void)
{
    const char *launcher = g_getenv("QTEST_QEMU_BINARY");
    g_autofree char *home = g_path_get_dirname(launcher);
    g_autofree char *module = g_build_filename(home, "isolab-qemu.so", NULL);
    g_autofree char *top = g_dir_make_tmp("isolab-XXXXXX", NULL);
    g_autofree char *dir = g_build_filename(top, "a b:$c", NULL);
    g_autofree char *program = g_build_filename(dir, "launcher", NULL);
    g_autofree char *copy = g_build_filename(dir, "isolab-qemu.so", NULL);
    g_autofree char *link = g_build_filename(top, "link", NULL);
    g_autofree char *pidfile = g_build_filename(top, "pid", NULL);
    g_autofree char *user_launcher = g_strdup(launcher);
    g_autofree char *maps = NULL;
    g_autofree char *preload = NULL;
    QTestState *qts;

    g_assert_cmpint(g_mkdir(dir, 0755), ==, 0);
    copy_program(launcher, program);
    g_assert_cmpint(symlink(module, copy), ==, 0);
    g_assert_cmpint(symlink(program, link), ==, 0);
    g_setenv("QTEST_QEMU_BINARY", link, 1);
    qts = qtest_initf("-M q35 -pidfile %s", pidfile);
    maps = proc_file_of(pidfile, "maps");
    g_assert_nonnull(strstr(maps, "/isolab-qemu.so"));
    qtest_quit(qts);
    preload = preload_of_child();
    g_assert_cmpstr(preload, ==, "none");
    g_setenv("QTEST_QEMU_BINARY", user_launcher, 1);

    unlink(program);
    unlink(copy);
    unlink(link);
    unlink(pidfile);
    g_rmdir(dir);
    g_rmdir(top);
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
    qtest_add_func("/module/help", test_help);
    qtest_add_func("/module/arguments", test_arguments);
    qtest_add_func("/module/not-inherited", test_not_inherited);
    qtest_add_func("/module/user-preload-kept", test_user_preload_kept);
    qtest_add_func("/module/awkward-folder", test_awkward_folder);
    qtest_add_func("/module/clock", test_clock);
    return g_test_run();
}
