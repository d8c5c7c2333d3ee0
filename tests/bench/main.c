/*
 * The benchmark's command line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"

static const struct {
    const char *id;
    void (*measure)(Bench *b);
} sections[] = {
    { "isoch", bench_isoch },
    { "super", bench_super },
    { "wakeups", bench_wakeups },
    { "idle", bench_idle },
    { "commands", bench_commands },
    { "bulk", bench_bulk },
    { "av", bench_av },
};

static bool knows(const char *id)
{
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        if (g_str_equal(sections[i].id, id)) {
            return true;
        }
    }
    return false;
}

static bool is_wanted(char **only, const char *id)
{
    return !only || !only[0] || g_strv_contains((const char **)only, id);
}

/* libqtest would print the command line of each QEMU. */
static void say_nothing(const char *text)
{
}

static int complain(const char *text)
{
    fprintf(stderr, "bench: %s\n", text);
    return 2;
}

int main(int argc, char **argv)
{
    Bench b = { .pairs = 7, .rows = g_ptr_array_new() };
    g_autofree char *json = NULL;
    g_auto(GStrv) only = NULL;
    gboolean strict = FALSE;
    const GOptionEntry options[] = {
        { "pairs", 0, 0, G_OPTION_ARG_INT, &b.pairs,
          "measure each controller N times (default: 7)", "N" },
        { "json", 0, 0, G_OPTION_ARG_FILENAME, &json,
          "write the results there as well", "FILE" },
        { "strict", 0, 0, G_OPTION_ARG_NONE, &strict,
          "exit status 1 when a target is missed", NULL },
        { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &only, NULL,
          "[SECTION...]" },
        { NULL },
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_set_summary(
        context, "Measures ixhci beside qemu-xhci. Sections (default: all): "
                 "isoch, super, wakeups, idle, commands, bulk, av.");
    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        return complain(error->message);
    }
    if (b.pairs < 1 || b.pairs > BENCH_PAIRS_MAX) {
        return complain("--pairs is a number from 1 to 64");
    }
    for (char **id = only; id && *id; id++) {
        if (!knows(*id)) {
            g_autofree char *text = g_strdup_printf(
                "there is no section '%s'; --help lists them", *id);

            return complain(text);
        }
    }
    if (!g_getenv("QTEST_QEMU_BINARY")) {
        return complain("QTEST_QEMU_BINARY names no QEMU; start this with "
                        "`make bench`");
    }
    g_set_print_handler(say_nothing);
    for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
        if (is_wanted(only, sections[i].id)) {
            sections[i].measure(&b);
        }
    }
    bench_print(&b);
    if (json && !bench_write_json(&b, json)) {
        fprintf(stderr, "bench: %s cannot be written\n", json);
        return 2;
    }
    return strict && !bench_targets_met(&b);
}
