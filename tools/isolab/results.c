/*
 * What a run leaves in its folder:
 *
 *   guest.log        the guest's console
 *   qemu.err         what QEMU said
 *   job, ...         the job, and what it left in the guest
 *   stats.json       what the controller has counted
 *   fault-plan.json  the plan with its hits, if there was one
 *   faults.jsonl     a line for each fault that fired
 *   summary.json     all of it in short; the same after two runs of the same
 *
 * A folder that holds anything else is not emptied.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"
#include "run.h"

#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SUMMARY "summary.json"

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    return at->level == 0 ? 0 : remove(path);
}

static bool is_empty(const char *folder)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);

    return dir && !g_dir_read_name(dir);
}

bool isolab_results_prepare(const char *out, GError **error)
{
    g_autofree char *mark = g_build_filename(out, SUMMARY, NULL);

    if (g_mkdir_with_parents(out, 0777) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Cannot make the folder %s: %s.", out, g_strerror(errno));
        return false;
    }
    if (is_empty(out)) {
        return g_file_set_contents(mark, "{}\n", -1, error);
    }
    if (access(mark, F_OK) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s holds other things than the results of a run; name "
                    "another folder with --out.",
                    out);
        return false;
    }
    if (nftw(out, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) != 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "Cannot empty %s: %s.",
                    out, g_strerror(errno));
        return false;
    }
    /* a run that is killed leaves the mark, too */
    return g_file_set_contents(mark, "{}\n", -1, error);
}

char *isolab_results_path(const isolab_guest *g, const char *name)
{
    return g_build_filename(g->out, name, NULL);
}

static void write_text(const isolab_guest *g, const char *name,
                       const char *text)
{
    g_autofree char *path = isolab_results_path(g, name);
    g_autoptr(GError) error = NULL;

    if (!g_file_set_contents(path, text, -1, &error)) {
        fprintf(stderr, "isolab: %s\n", error->message);
    }
}

static void write_object(const isolab_guest *g, const char *name,
                         JsonObject *object)
{
    g_autofree char *text = isolab_json_pretty(object);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    write_text(g, name, line);
}

/* Without its time, which is that of the question: a second run asks a
 * microframe sooner or later. The guest has stopped the controller by then, so
 * all else stands still. */
static void collect_stats(const isolab_guest *g, isolab_qmp *q,
                          const char *controller)
{
    g_autoptr(JsonObject) stats =
        isolab_qmp_get_object(q, controller, "stats", NULL);

    if (stats) {
        json_object_remove_member(stats, "uf");
        json_object_remove_member(stats, "mfindex");
        write_object(g, "stats.json", stats);
    }
}

static int64_t sum_of_hits(JsonObject *plan)
{
    JsonArray *rules = isolab_json_array(plan, "rules");
    int64_t sum = 0;

    for (unsigned i = 0; rules && i < json_array_get_length(rules); i++) {
        sum += isolab_json_int(isolab_json_element(rules, i), "hits", 0);
    }
    return sum;
}

static void collect_faults(const isolab_guest *g, isolab_qmp *q,
                           const char *controller, JsonObject *summary)
{
    g_autofree char *text =
        isolab_qmp_get_text(q, controller, "fault-plan", NULL);
    g_autofree char *log =
        isolab_qmp_get_text(q, controller, "fault-log", NULL);
    g_autoptr(JsonObject) plan =
        text && *text ? isolab_json_parse(text, NULL) : NULL;
    JsonObject *faults;

    if (!plan) {
        return;
    }
    write_object(g, "fault-plan.json", plan);
    write_text(g, "faults.jsonl", log ? log : "");
    faults = json_object_new();
    if (isolab_json_text(plan, "name")) {
        json_object_set_string_member(faults, "plan",
                                      isolab_json_text(plan, "name"));
    }
    json_object_set_int_member(faults, "fired", sum_of_hits(plan));
    json_object_set_object_member(summary, "faults", faults);
}

void isolab_results_collect(const isolab_guest *g, isolab_qmp *q,
                            JsonObject *summary)
{
    static const char controller[] = "/machine/peripheral/xhci";

    if (g->timed) {
        collect_stats(g, q, controller);
        collect_faults(g, q, controller, summary);
    }
}

bool isolab_results_unpack(const isolab_guest *g, GError **error)
{
    g_autofree char *tar = isolab_results_path(g, "results.tar");
    g_autoptr(GSubprocess) child = NULL;
    GStatBuf st;

    if (g_stat(tar, &st) < 0 || st.st_size == 0) {
        return true;
    }
    child = g_subprocess_new(G_SUBPROCESS_FLAGS_NONE, error, "tar", "-x", "-f",
                             tar, "-C", g->out, "--strip-components=1", NULL);
    if (!child || !g_subprocess_wait_check(child, NULL, error)) {
        g_prefix_error(error, "The results in %s cannot be unpacked: ", tar);
        return false;
    }
    return true;
}

bool isolab_results_write(const isolab_guest *g, JsonObject *summary,
                          GError **error)
{
    g_autofree char *path = isolab_results_path(g, SUMMARY);
    g_autofree char *text = isolab_json_pretty(summary);
    g_autofree char *line = g_strconcat(text, "\n", NULL);

    return g_file_set_contents(path, line, -1, error);
}
