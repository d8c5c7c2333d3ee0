/*
 * isolab campaign: many runs, a few at a time.
 *
 *  1. Cells that are there are not run again; the others are, in the order of
 *     the matrix, N at a time.
 *  2. Ctrl-C and SIGTERM end the children that run, each in order, and keep
 *     what has ended; a second one does not wait. The next call goes on.
 *  3. A cell that cannot be run is said and left out; if the first ERRORS_MAX
 *     all cannot, no more are tried.
 *  4. The summary is of what is there, whoever made it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "campaign.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "json.h"
#include "terminal.h"

#define ERRORS_MAX 5
/* A child that was told to end. */
#define STOP_PATIENCE_S 30

typedef struct {
    const campaign_options *o;
    GPtrArray *queue;     /* campaign_cell, those that are to be run */
    unsigned next;        /* of the queue */
    GHashTable *children; /* cell, campaign_child */
    GMainLoop *loop;
    unsigned ended, errors;
    unsigned count[CELL_VERDICTS];
    gint64 began_us; /* of the host's clock, for the time that is left */
    bool shows;      /* a line of progress, on a terminal */
    bool quiet;
    int signal;
    guint patience;
    GError *error;
} campaign;

static void show_progress(const campaign *c)
{
    double took = (double)(g_get_monotonic_time() - c->began_us) / 1e6;
    double left = c->ended ? took / c->ended * (c->queue->len - c->ended) : 0;

    if (!c->shows) {
        return;
    }
    fprintf(stderr,
            "\r\033[K%u of %u ended, %u running: %u recovered, %u failed, %u "
            "hung, %u unexplained",
            c->ended, c->queue->len, g_hash_table_size(c->children),
            c->count[CELL_RECOVERED] + c->count[CELL_CLEAN],
            c->count[CELL_FAILED], c->count[CELL_HUNG],
            c->count[CELL_UNEXPLAINED]);
    if (c->ended && c->ended < c->queue->len) {
        fprintf(stderr, "; about %.0f min left", left / 60 + 0.5);
    }
    fflush(stderr);
}

static void say(const campaign *c, const campaign_cell *cell,
                const cell_result *result)
{
    if (result->verdict == CELL_ERROR || (!c->shows && !c->quiet)) {
        fprintf(stderr, "%sisolab: %s: %s%s%s\n", c->shows ? "\r\033[K" : "",
                cell->name, cell_verdict_name(result->verdict),
                *result->words ? ": " : "", result->words);
    }
}

static void fill(campaign *c);

static void ended(const campaign_cell *cell, const cell_result *result,
                  void *opaque)
{
    campaign *c = opaque;

    g_hash_table_remove(c->children, cell);
    if (!c->signal) {
        c->ended++;
        c->count[result->verdict]++;
        c->errors += result->verdict == CELL_ERROR;
        say(c, cell, result);
    }
    fill(c);
}

/* Rule 3 */
static bool is_hopeless(const campaign *c)
{
    return c->errors >= ERRORS_MAX && c->errors == c->ended;
}

/* Rule 1: as many as may run at a time. */
static void fill(campaign *c)
{
    while (!c->signal && !c->error && !is_hopeless(c) &&
           c->next < c->queue->len &&
           g_hash_table_size(c->children) < (guint)MAX(c->o->jobs, 1)) {
        campaign_cell *cell = c->queue->pdata[c->next++];
        campaign_child *child = campaign_start(c->o, cell, ended, c, &c->error);

        if (child) {
            g_hash_table_insert(c->children, cell, child);
        }
    }
    show_progress(c);
    if (!g_hash_table_size(c->children)) {
        g_main_loop_quit(c->loop);
    }
}

static void stop_children(campaign *c, bool hard)
{
    GHashTableIter iter;
    gpointer child;

    g_hash_table_iter_init(&iter, c->children);
    while (g_hash_table_iter_next(&iter, NULL, &child)) {
        campaign_stop(child, hard);
    }
}

static gboolean out_of_patience(gpointer opaque)
{
    stop_children(opaque, true);
    return G_SOURCE_CONTINUE;
}

/* Rule 2 */
static gboolean got_signal(campaign *c, int number)
{
    bool again = c->signal;

    c->signal = number;
    stop_children(c, again);
    if (!again) {
        c->patience =
            g_timeout_add_seconds(STOP_PATIENCE_S, out_of_patience, c);
        if (!c->quiet) {
            fprintf(stderr,
                    "%sisolab: ending %u guests; what has ended is kept.\n",
                    c->shows ? "\r\033[K" : "", g_hash_table_size(c->children));
        }
    }
    return G_SOURCE_CONTINUE;
}

static gboolean got_sigint(gpointer opaque)
{
    return got_signal(opaque, SIGINT);
}

static gboolean got_sigterm(gpointer opaque)
{
    return got_signal(opaque, SIGTERM);
}

/* The cells that are not there yet. */
static bool make_queue(campaign *c, const GPtrArray *cells, GError **error)
{
    for (unsigned i = 0; i < cells->len; i++) {
        cell_result result;
        bool good = campaign_load(c->o, cells->pdata[i], &result, error);

        if (!good) {
            return false;
        }
        if (result.verdict == CELL_MISSING) {
            g_ptr_array_add(c->queue, cells->pdata[i]);
        }
        g_free(result.words);
    }
    return true;
}

static void run_queue(campaign *c)
{
    guint sources[] = { g_unix_signal_add(SIGINT, got_sigint, c),
                        g_unix_signal_add(SIGTERM, got_sigterm, c),
                        g_unix_signal_add(SIGHUP, got_sigterm, c) };

    c->began_us = g_get_monotonic_time();
    fill(c);
    if (g_hash_table_size(c->children)) {
        g_main_loop_run(c->loop);
    }
    if (c->shows) {
        fprintf(stderr, "\r\033[K");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(sources); i++) {
        g_source_remove(sources[i]);
    }
    if (c->patience) {
        g_source_remove(c->patience);
    }
}

/* Runs what is missing. The exit status, or ISOLAB_OK. */
static int run_cells(const campaign_options *o, const isolab_call *call,
                     const GPtrArray *cells, GError **error)
{
    campaign c = { .o = o,
                   .queue = g_ptr_array_new(),
                   .children = g_hash_table_new(NULL, NULL),
                   .loop = g_main_loop_new(NULL, FALSE),
                   .shows = !call->quiet && isolab_terminal_is(STDERR_FILENO),
                   .quiet = call->quiet };
    int status = ISOLAB_USAGE;

    campaign_sweep(o);
    if (make_queue(&c, cells, error)) {
        run_queue(&c);
        status = ISOLAB_OK;
    }
    if (c.error) {
        status = c.error->code;
        g_propagate_error(error, c.error);
    } else if (c.signal) {
        status = c.signal == SIGINT ? ISOLAB_INTERRUPTED : ISOLAB_TERMINATED;
    } else if (status == ISOLAB_OK && is_hopeless(&c)) {
        status = ISOLAB_FAILED;
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "The first %u cells could not be run; nothing more was "
                    "tried.",
                    c.errors);
    }
    g_ptr_array_unref(c.queue);
    g_hash_table_destroy(c.children);
    g_main_loop_unref(c.loop);
    return status;
}

/* Rule 4 */
static int summarise(const campaign_options *o, const isolab_call *call,
                     const GPtrArray *cells, GError **error)
{
    campaign_summary *s = campaign_summarise(o, cells, error);
    g_autofree char *text = s ? campaign_text(s) : NULL;
    int status = ISOLAB_FAILED;

    if (s && campaign_write(s, error)) {
        if (call->json) {
            g_autoptr(JsonObject) object = campaign_json(s);

            isolab_json_print(object);
        } else {
            fputs(text, stdout);
        }
        status = campaign_is_good(s) ? ISOLAB_OK : ISOLAB_FAILED;
    } else if (!s) {
        status = ISOLAB_USAGE;
    }
    campaign_summary_free(s);
    return status;
}

/* --cell: one of them, with no summary. */
static int run_one(const campaign_options *o, const isolab_call *call,
                   const GPtrArray *cells, GError **error)
{
    const campaign_cell *cell = campaign_find(cells, o->cell);
    g_autoptr(GPtrArray) one = g_ptr_array_new();
    cell_result result;
    int status;

    if (!cell) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "The campaign has no cell %s.", o->cell);
        return ISOLAB_USAGE;
    }
    g_ptr_array_add(one, (gpointer)cell);
    status = run_cells(o, call, one, error);
    if (status == ISOLAB_OK && campaign_load(o, cell, &result, error)) {
        status = result.verdict == CELL_MISSING ? ISOLAB_FAILED : ISOLAB_OK;
        g_free(result.words);
    }
    return status;
}

static bool make_out(campaign_options *o, GError **error)
{
    g_autofree char *cells = NULL;

    if (!o->out) {
        o->out = g_strdup("isolab-campaign");
    }
    cells = g_build_filename(o->out, "cells", NULL);
    if (g_mkdir_with_parents(cells, 0777) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Cannot make the folder %s: %s.", cells, g_strerror(errno));
        return false;
    }
    return true;
}

static int run(const isolab_call *call, GError **error)
{
    campaign_options *o = call->options;
    g_autoptr(GPtrArray) cells = campaign_matrix(o, call->operands, error);
    int status;

    if (!cells || !make_out(o, error)) {
        return ISOLAB_USAGE;
    }
    if (o->emit) {
        status = campaign_emit(o, cells, call->operands, error) ? ISOLAB_OK
                                                                : ISOLAB_FAILED;
        if (status == ISOLAB_OK && !call->quiet) {
            printf("%s/jobs.txt\n%s/array.sbatch\n", o->out, o->out);
        }
        return status;
    }
    if (o->cell) {
        return run_one(o, call, cells, error);
    }
    status = run_cells(o, call, cells, error);
    if (*error || status != ISOLAB_OK) {
        return status;
    }
    return summarise(o, call, cells, error);
}

#define AT(field) offsetof(campaign_options, field)

static const isolab_option options[] = {
    { "seeds", 0, ISOLAB_TEXT, AT(seeds), "N",
      "seeds 1 to N; or a list such as 7,9-12 (1)", NULL },
    { "alternates", 0, ISOLAB_TEXT, AT(alternates), "LIST",
      "alternate settings, as 3,5-7; the job's variable ALTERNATE", NULL },
    { "guests", 0, ISOLAB_TEXT, AT(guests), "LIST",
      "guests, with commas between (windows-driver)", NULL },
    { "repeats", 0, ISOLAB_NUMBER, AT(repeats), "N",
      "run each cell N times, and hold the results against each other (1)",
      NULL },
    { "jobs", 'j', ISOLAB_NUMBER, AT(jobs), "N", "guests at a time (1)", NULL },
    { "out", 'o', ISOLAB_FOLDER, AT(out), "DIR",
      "where everything goes (isolab-campaign)", NULL },
    { "baseline", 0, ISOLAB_FOLDER, AT(baseline), "DIR",
      "an earlier campaign to hold the results against", NULL },
    { "emit", 0, ISOLAB_FLAG, AT(emit), NULL,
      "run nothing; write jobs.txt for GNU parallel and array.sbatch for "
      "Slurm",
      NULL },
    { "cell", 0, ISOLAB_TEXT, AT(cell), "NAME", "run this one only", NULL },
    { "job", 0, ISOLAB_FILE, AT(job), "NAME", "what the guest does, as in run",
      NULL },
    { "set", 0, ISOLAB_TEXTS, AT(set), "NAME=VALUE",
      "a variable of the job; may be repeated", NULL },
    { "timeout", 0, ISOLAB_SECONDS, AT(timeout), "SECONDS",
      "a guest that takes longer by its own clock hangs", NULL },
    { "host-timeout", 0, ISOLAB_SECONDS, AT(host_timeout), "SECONDS",
      "the same by the host's", NULL },
    { "capture", 0, ISOLAB_FLAG, AT(capture), NULL,
      "keep a capture of the bus with each cell", NULL },
    { "reports", 0, ISOLAB_FLAG, AT(reports), NULL,
      "make a report with each cell", NULL },
    { "build", 0, ISOLAB_FOLDER, AT(build), "DIR",
      "the build folder to take QEMU and guest from", NULL },
    { "run-with", 0, ISOLAB_FILE, AT(run_with), "PROGRAM",
      "what to run in place of isolab; it gets the same words", NULL },
    { .name = NULL },
};

const isolab_command isolab_campaign = {
    .name = "campaign",
    .summary = "run fault plans with many seeds and guests",
    .operands = "PLAN...",
    .about =
        "Runs each PLAN (a file, or 'none') with each seed, alternate setting\n"
        "and guest, some at a time, and says for each of these cells what\n"
        "became of it:\n"
        "\n"
        "  clean        nothing was injected, and all went well\n"
        "  recovered    faults fired, all is explained, the job succeeded\n"
        "  failed       the same, but the job failed, and said so\n"
        "  hung         the guest did not come to an end\n"
        "  unexplained  a fault without consequence, or an error without "
        "cause\n"
        "               (see isolab report)\n"
        "\n"
        "A cell that is in DIR is not run again: after Ctrl-C, or with more\n"
        "seeds, the same command goes on. Results of repeats, and those of a\n"
        "baseline, are held against each other byte for byte; the first place\n"
        "where they part is named. Leaves campaign.json, campaign.html and\n"
        "cells/ in DIR. The exit status is 1 if a cell hung, is unexplained,\n"
        "parts from another or is not there.\n"
        "\n"
        "Several machines can work on one DIR that they share: see --emit.",
    .examples =
        "  $ isolab campaign loose.json late.json --seeds 20 -j 4\n"
        "  # 40 runs, 4 at a time\n"
        "  $ isolab campaign none --repeats 2 --alternates 1-9 --guests linux\n"
        "  # does each alternate give the same twice?\n"
        "  $ isolab campaign loose.json --seeds 500 --out big --emit\n"
        "  $ parallel -j 8 <big/jobs.txt\n"
        "  $ isolab campaign loose.json --seeds 500 --out big\n"
        "  # the same by GNU parallel; the last line sums up\n",
    .takes_files = true,
    .min_operands = 1,
    .max_operands = 1000,
    .options = options,
    .options_bytes = sizeof(campaign_options),
    .run = run,
};
