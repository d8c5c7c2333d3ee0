/*
 * isolab report, in parts: what is read (report-read.c), the closed loop as
 * JSON and in words (report-loop.c), the numbers behind the charts
 * (report-charts.c), the page (report-html.c).
 *
 * The page is one file that needs nothing else: styles, scripts, data and
 * pictures are in it. Without scripts its tables say the same in numbers. It
 * stays below REPORT_BYTES_MAX: what is too much for that is summed up, and the
 * page says so.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_REPORT_H
#define ISOLAB_REPORT_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

#include "bus.h"
#include "join.h"

#define REPORT_BYTES_MAX (5u << 20)
#define REPORT_FRAME_BYTES_MAX (2u << 20) /* of pictures, as files */
#define REPORT_FRAMES_MAX 12
#define REPORT_ROWS_MAX 500 /* of a table; the rest is counted */

typedef struct {
    char *name;
    GBytes *png;
    unsigned width, height;
} report_frame;

typedef struct {
    char *title;
    bus *bus;             /* NULL: there was no capture */
    GArray *faults;       /* fault; empty: none */
    bool has_faults;      /* there was a fault log */
    GPtrArray *witnesses; /* witness */
    GPtrArray *joins;     /* join, one a witness */
    GPtrArray *frames;    /* report_frame */
    unsigned frames_left; /* pictures that are not in `frames` */
    JsonObject *run;      /* summary.json of `isolab run`, or NULL */
    JsonObject *capture;  /* capture.json of isoav.exe, or NULL */
} report;

/* Files that are named by hand; NULL: what DIR has. */
typedef struct {
    char *capture;
    char *fault_log;
    char **driver_logs;
    char *frames;
    char *title;
} report_files;

/* report-read.c. `dir` may be NULL. Clear in any case. */
bool report_read(report *r, const report_files *files, const char *dir,
                 GError **error);
void report_clear(report *r);

/* report-loop.c. Findings of all witnesses together. */
unsigned report_findings(const report *r, bool strict);
JsonObject *report_loop_json(const report *r, bool strict);
/* The verdict in one sentence. The caller frees it. */
char *report_verdict(const report *r, bool strict);
/* "complete: Babble Detected Error" */
char *report_fault_text(const fault *f);
/* "EP 1 IN, TD 57", "port 5", ... */
char *report_fault_place(const fault *f);
/* "57 transaction (XACT_ERROR)" of what a witness saw */
char *report_seen_text(const witness *w, const join_seen *seen);

/* report-charts.c: samples of one endpoint, for charts and tables. */
GArray *report_jitter_ns(const bus *b, unsigned lane);
GArray *report_latency_ns(const bus *b, unsigned lane);
/* The data of all charts as one JSON object. */
void report_chart_data(GString *out, const report *r);

/* report-html.c */
GString *report_html(const report *r, bool strict, GError **error);
/* Writes it aside and renames it. */
bool report_write(const report *r, bool strict, const char *path,
                  GError **error);

#endif
