/*
 * isolab campaign, in parts: which cells there are (campaign-matrix.c), one
 * cell, from its child to its verdict (campaign-cell.c), where two results part
 * (divergence.c), what came of it all (campaign-summary.c), and the course of
 * it (campaign.c).
 *
 *  1. A cell is a fault plan, a seed, an alternate setting, a guest and the
 *     number of the repeat. It is one `isolab run`, in a folder of its own.
 *  2. A cell is atomic: it is made in OUT/cells/.NAME.PID@HOST and becomes
 *     OUT/cells/NAME by a rename, once it has ended. What is there has ended,
 *     and is not run again.
 *  3. A cell's key says what it was made of. One of the same name and another
 *     key is refused: a folder holds one campaign.
 *  4. Several processes, on several machines, may work on one OUT. They share
 *     nothing but the file system; who comes second throws its cell away.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_CAMPAIGN_H
#define ISOLAB_CAMPAIGN_H

#include <json-glib/json-glib.h>

#include "command.h"

#define CAMPAIGN_CELLS_MAX 100000u

/* The options of the command line. */
typedef struct {
    char *seeds;
    char *alternates;
    char *guests;
    int64_t repeats;
    int64_t jobs;
    char *out;
    char *baseline;
    bool emit;
    char *cell;
    char *job;
    char **set;
    double timeout;
    double host_timeout;
    char *build;
    char *run_with;
    bool capture;
    bool reports;
} campaign_options;

typedef struct {
    char *name;      /* of its folder; letters, digits, ".-_" */
    char *plan;      /* absolute path; NULL: no faults */
    char *plan_name; /* "none" for that */
    int64_t seed;
    int64_t alternate; /* -1: the job's own */
    char *guest;
    unsigned repeat; /* from 1 */
    char *key;       /* rule 3 */
} campaign_cell;

typedef enum {
    CELL_MISSING,     /* not run, or not yet */
    CELL_CLEAN,       /* nothing was injected, all went well */
    CELL_RECOVERED,   /* faults fired, all is explained, the job succeeded */
    CELL_FAILED,      /* the same, but the job failed and said so */
    CELL_HUNG,        /* the guest did not come to an end */
    CELL_UNEXPLAINED, /* the closed loop has findings */
    CELL_ERROR,       /* it could not be run, or its results not be read */
    CELL_VERDICTS,
} cell_verdict;

/* What became of a cell: its cell.json. */
typedef struct {
    cell_verdict verdict;
    int status; /* of isolab run */
    int64_t fired, findings;
    char *words; /* one sentence, or "" */
} cell_result;

/* campaign-matrix.c */
/* "3,5-7" to a GArray of int64_t; with `count`, "4" alone is 1 to 4. NULL with
 * an error that says what. Pure. */
GArray *campaign_list(const char *text, bool count, const char *what,
                      GError **error);
/* GPtrArray of campaign_cell. NULL with an error. */
GPtrArray *campaign_matrix(const campaign_options *o, char *const *plans,
                           GError **error);
const campaign_cell *campaign_find(const GPtrArray *cells, const char *name);
/* Words of an `isolab run` that leaves its results in `out`. */
char **campaign_run_words(const campaign_options *o, const campaign_cell *cell,
                          const char *out);
/* jobs.txt, a cell a line, and array.sbatch in OUT. */
bool campaign_emit(const campaign_options *o, const GPtrArray *cells,
                   char *const *plans, GError **error);

/* campaign-cell.c */
typedef struct campaign_child campaign_child;
typedef void campaign_ended(const campaign_cell *cell,
                            const cell_result *result, void *opaque);
/* Starts it; calls back from the main loop, once it is in its place. NULL with
 * an error. */
campaign_child *campaign_start(const campaign_options *o,
                               const campaign_cell *cell, campaign_ended *ended,
                               void *opaque, GError **error);
/* Asks it to end; with `hard` makes it. Calls back, too, but keeps nothing. */
void campaign_stop(campaign_child *child, bool hard);
/* What is on disk. False with an error: rule 3. Free result->words. */
bool campaign_load(const campaign_options *o, const campaign_cell *cell,
                   cell_result *result, GError **error);
/* The folder of a cell's results: OUT/cells/NAME/run. */
char *campaign_run_folder(const char *out, const campaign_cell *cell);
/* Folders that processes of this machine have left and will not come back to.
 */
void campaign_sweep(const campaign_options *o);
const char *cell_verdict_name(cell_verdict verdict);

/* divergence.c */
typedef struct {
    char *file;
    int64_t place;       /* line, or byte of a file that is no text; from 1 */
    int64_t uf;          /* microframe; -1: not known */
    char *ours, *theirs; /* what is there; may be "" (there is nothing) */
} divergence;
/* The first place in which two folders of results differ, by the guest's time
 * where both files have it; NULL: nowhere. */
divergence *divergence_find(const char *ours, const char *theirs);
void divergence_free(divergence *d);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(divergence, divergence_free)

/* campaign-summary.c */
typedef struct {
    const campaign_options *options;
    const GPtrArray *cells;
    GArray *results;        /* cell_result, one a cell */
    GPtrArray *divergences; /* divergence or NULL, one a cell */
    GPtrArray *against;     /* its name, or NULL: what it was held against */
    unsigned count[CELL_VERDICTS], diverged;
} campaign_summary;
/* Reads all cells. NULL with an error. */
campaign_summary *campaign_summarise(const campaign_options *o,
                                     const GPtrArray *cells, GError **error);
void campaign_summary_free(campaign_summary *s);
/* Every cell is there, and nothing hung, diverged or is unexplained. */
bool campaign_is_good(const campaign_summary *s);
JsonObject *campaign_json(const campaign_summary *s);
char *campaign_text(const campaign_summary *s);
bool campaign_write(const campaign_summary *s, GError **error);

#endif
