/*
 * One test, one process: the test binary runs each test by starting itself
 * again, with a time limit, so that a model that hangs or takes QEMU down
 * costs one row and the others still get their verdict.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

#define TIME_LIMIT_US (60 * G_USEC_PER_SEC)

typedef struct {
    void (*fn)(void);
    void (*fn_data)(const void *);
    const void *data;
} Entry;

static void run_entry(const void *opaque)
{
    const Entry *entry = opaque;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, TIME_LIMIT_US,
                               G_TEST_SUBPROCESS_INHERIT_STDERR);
        if (g_test_trap_reached_timeout()) {
            g_test_message("no answer within a minute");
            g_test_fail();
        } else if (!g_test_trap_has_passed()) {
            g_test_fail();
        }
    } else if (entry->fn) {
        entry->fn();
    } else {
        entry->fn_data(entry->data);
    }
}

static void add_entry(const char *name, Entry value)
{
    g_autofree char *path = g_strdup_printf("/%s", name);

    g_test_add_data_func_full(path, g_memdup2(&value, sizeof(value)), run_entry,
                              g_free);
}

void hcd_test_add(const char *name, void (*fn)(void))
{
    add_entry(name, (Entry){ .fn = fn });
}

void hcd_test_add_data(const char *name, void (*fn)(const void *),
                       const void *data)
{
    add_entry(name, (Entry){ .fn_data = fn, .data = data });
}

int hcd_test_main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    return g_test_run();
}

void hcd_fail(const char *file, int line, const char *fmt, ...)
{
    g_autofree char *base = g_path_get_basename(file);
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    text = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    fprintf(stderr, "%s:%d: %s\n", base, line, text);
    abort();
}

const char *hcd_controller_name(void)
{
    const char *name = g_getenv("IXHCI_TEST_CONTROLLER");

    return name && *name ? name : "ixhci";
}
