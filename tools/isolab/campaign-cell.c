/*
 * One cell: a child that runs it, in a folder aside; the verdict; the rename
 * that makes it count (campaign.h, rules 2 to 4).
 *
 *   cell.json    what it was made of and what became of it
 *   output.log   what the child said
 *   run/         the results of `isolab run`
 *   report.html  with --reports
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "campaign.h"

#include <errno.h>
#include <ftw.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "json.h"
#include "report.h"

struct campaign_child {
    const campaign_options *o;
    const campaign_cell *cell;
    campaign_ended *ended;
    void *opaque;
    GPid pid;
    char *aside; /* its folder until it has ended */
    bool stopped;
};

static const char *const verdicts[CELL_VERDICTS] = {
    [CELL_MISSING] = "missing",     [CELL_CLEAN] = "clean",
    [CELL_RECOVERED] = "recovered", [CELL_FAILED] = "failed",
    [CELL_HUNG] = "hung",           [CELL_UNEXPLAINED] = "unexplained",
    [CELL_ERROR] = "error",
};

const char *cell_verdict_name(cell_verdict verdict)
{
    return verdicts[verdict];
}

static cell_verdict verdict_of(const char *name)
{
    for (cell_verdict v = 0; name && v < CELL_VERDICTS; v++) {
        if (g_str_equal(verdicts[v], name)) {
            return v;
        }
    }
    return CELL_ERROR;
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static char *cell_folder(const char *out, const char *name)
{
    return g_build_filename(out, "cells", name, NULL);
}

char *campaign_run_folder(const char *out, const campaign_cell *cell)
{
    return g_build_filename(out, "cells", cell->name, "run", NULL);
}

static char *aside_folder(const campaign_options *o, const campaign_cell *cell)
{
    g_autofree char *name = g_strdup_printf(".%s.%d@%s", cell->name,
                                            (int)getpid(), g_get_host_name());

    return cell_folder(o->out, name);
}

/* ".NAME.PID@HOST": left by a process of this machine that is no more. */
static bool is_left(const char *name)
{
    const char *at = strrchr(name, '@');
    const char *dot = at ? g_strrstr_len(name, at - name, ".") : NULL;
    long pid;

    if (name[0] != '.' || !dot || !g_str_equal(at + 1, g_get_host_name())) {
        return false;
    }
    pid = strtol(dot + 1, NULL, 10);
    return pid > 0 && pid != getpid() && kill((pid_t)pid, 0) < 0 &&
           errno == ESRCH;
}

void campaign_sweep(const campaign_options *o)
{
    g_autofree char *folder = g_build_filename(o->out, "cells", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        if (is_left(name)) {
            g_autofree char *path = g_build_filename(folder, name, NULL);

            remove_tree(path);
        }
    }
}

static int64_t count_fired(const report *r)
{
    return r->faults ? r->faults->len : 0;
}

/* The verdict of a child that ended with a status of `isolab run`. */
static void judge_results(const campaign_options *o, const char *aside,
                          cell_result *result)
{
    g_autofree char *run = g_build_filename(aside, "run", NULL);
    g_autofree char *page = g_build_filename(aside, "report.html", NULL);
    g_autoptr(GError) error = NULL;
    report_files files = { NULL };
    report r;

    if (!report_read(&r, &files, run, &error) ||
        (o->reports && !report_write(&r, false, page, &error))) {
        result->verdict = CELL_ERROR;
        result->words = g_strdup(error->message);
        report_clear(&r);
        return;
    }
    result->fired = count_fired(&r);
    result->findings = report_findings(&r, false);
    if (result->status == ISOLAB_NO_END) {
        result->verdict = CELL_HUNG;
    } else if (result->findings) {
        result->verdict = CELL_UNEXPLAINED;
        result->words = report_verdict(&r, false);
    } else if (result->status == ISOLAB_FAILED) {
        result->verdict = CELL_FAILED;
    } else {
        result->verdict = result->fired ? CELL_RECOVERED : CELL_CLEAN;
    }
    report_clear(&r);
}

/* The last line that the child said, with the folder where the cell will be. */
static char *last_words(const campaign_child *child)
{
    g_autofree char *path = g_build_filename(child->aside, "output.log", NULL);
    g_autofree char *place = cell_folder(child->o->out, child->cell->name);
    g_autofree char *text = NULL;
    g_autoptr(GString) words = NULL;
    const char *line;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return g_strdup("");
    }
    g_strchomp(text);
    line = strrchr(text, '\n');
    words = g_string_new(line ? line + 1 : text);
    g_string_replace(words, child->aside, place, 0);
    return g_utf8_make_valid(words->str, -1);
}

static void judge(const campaign_child *child, int wait_status,
                  cell_result *result)
{
    result->status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                            : 128 + WTERMSIG(wait_status);
    if (result->status == ISOLAB_OK || result->status == ISOLAB_FAILED ||
        result->status == ISOLAB_NO_END) {
        judge_results(child->o, child->aside, result);
    } else {
        result->verdict = CELL_ERROR;
    }
    if (!result->words) {
        result->words = result->status ? last_words(child) : g_strdup("");
    }
}

static bool write_cell(const campaign_child *child, const cell_result *result)
{
    const campaign_cell *cell = child->cell;
    g_autoptr(JsonObject) o = json_object_new();
    g_autofree char *path = g_build_filename(child->aside, "cell.json", NULL);
    g_autofree char *text = NULL;

    json_object_set_string_member(o, "name", cell->name);
    json_object_set_string_member(o, "key", cell->key);
    json_object_set_string_member(o, "verdict", verdicts[result->verdict]);
    json_object_set_int_member(o, "status", result->status);
    json_object_set_int_member(o, "fired", result->fired);
    json_object_set_int_member(o, "findings", result->findings);
    json_object_set_string_member(o, "words", result->words);
    text = isolab_json_pretty(o);
    return g_file_set_contents(path, text, -1, NULL);
}

/* Rules 2 and 4. A cell that could not be run does not count. */
static void keep(const campaign_child *child, cell_result *result)
{
    g_autofree char *place = cell_folder(child->o->out, child->cell->name);
    bool counts = !child->stopped && result->verdict != CELL_ERROR;

    if (counts && write_cell(child, result) &&
        rename(child->aside, place) == 0) {
        return;
    }
    if (counts && errno != EEXIST && errno != ENOTEMPTY) {
        result->verdict = CELL_ERROR;
        g_free(result->words);
        result->words = g_strdup_printf("Cannot keep the cell in %s: %s", place,
                                        g_strerror(errno));
    }
    remove_tree(child->aside);
}

static void free_child(campaign_child *child)
{
    g_free(child->aside);
    g_free(child);
}

static void child_ended(GPid pid, gint wait_status, gpointer opaque)
{
    campaign_child *child = opaque;
    cell_result result = { CELL_MISSING };

    g_spawn_close_pid(pid);
    if (!child->stopped) {
        judge(child, wait_status, &result);
    }
    keep(child, &result);
    child->ended(child->cell, &result, child->opaque);
    g_free(result.words);
    free_child(child);
}

/* In the child: a group of its own, so that Ctrl-C reaches it through us
 * alone, and an end with ours. */
static void set_up_child(gpointer opaque)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
}

static bool spawn(campaign_child *child, GError **error)
{
    g_autofree char *run = g_build_filename(child->aside, "run", NULL);
    g_autofree char *log = g_build_filename(child->aside, "output.log", NULL);
    g_auto(GStrv) words = campaign_run_words(child->o, child->cell, run);
    g_autoptr(GError) why = NULL;
    FILE *to;
    bool good;

    if (g_mkdir_with_parents(child->aside, 0777) < 0 ||
        !(to = fopen(log, "we"))) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Cannot write in %s: %s.", child->aside, g_strerror(errno));
        return false;
    }
    good = g_spawn_async_with_pipes_and_fds(
        NULL, (const char *const *)words, NULL,
        G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH, set_up_child, NULL, -1,
        fileno(to), fileno(to), NULL, NULL, 0, &child->pid, NULL, NULL, NULL,
        &why);
    fclose(to);
    if (!good) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "Cannot run %s: %s.",
                    words[0], why->message);
        remove_tree(child->aside);
    }
    return good;
}

campaign_child *campaign_start(const campaign_options *o,
                               const campaign_cell *cell, campaign_ended *ended,
                               void *opaque, GError **error)
{
    campaign_child *child = g_new0(campaign_child, 1);

    child->o = o;
    child->cell = cell;
    child->ended = ended;
    child->opaque = opaque;
    child->aside = aside_folder(o, cell);
    if (!spawn(child, error)) {
        free_child(child);
        return NULL;
    }
    g_child_watch_add(child->pid, child_ended, child);
    return child;
}

void campaign_stop(campaign_child *child, bool hard)
{
    child->stopped = true;
    kill(hard ? -child->pid : child->pid, hard ? SIGKILL : SIGTERM);
}

bool campaign_load(const campaign_options *o, const campaign_cell *cell,
                   cell_result *result, GError **error)
{
    g_autofree char *folder = cell_folder(o->out, cell->name);
    g_autofree char *path = g_build_filename(folder, "cell.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) json = NULL;
    const char *words;

    *result = (cell_result){ .verdict = CELL_MISSING };
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        result->words = g_strdup("");
        return true;
    }
    json = isolab_json_parse(text, NULL);
    if (g_strcmp0(isolab_json_text(json, "key"), cell->key) != 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is of another campaign (its plan or its options were "
                    "others); name another folder with --out, or remove it.",
                    folder);
        return false;
    }
    words = isolab_json_text(json, "words");
    result->verdict = verdict_of(isolab_json_text(json, "verdict"));
    result->status = (int)isolab_json_int(json, "status", 0);
    result->fired = isolab_json_int(json, "fired", 0);
    result->findings = isolab_json_int(json, "findings", 0);
    result->words = g_strdup(words ? words : "");
    return true;
}
