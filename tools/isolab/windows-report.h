/*
 * What a Windows guest says on COM1 (guest-driver/package/report.cmd): lines
 * that begin with "ISOLAB ", and files in base64 between them.
 *
 *  1. Everything here comes from the guest, and is bounded: a line, a name, a
 *     file, the number of files, all of them together. What is too long or
 *     does not fit is left out, and said so once as trouble.
 *  2. A file counts only when it is whole: EOF has come, its length is the one
 *     that was announced, and so is its SHA-256.
 *  3. A name is one of letters, digits, '-', '_' and '.', and begins with a
 *     letter or a digit: it cannot lead out of a folder.
 *  4. Lines that are not ours (a boot loader's, a kernel's) are no mistake.
 *  5. Bytes may come in any pieces. Pure: no files, no clock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WINDOWS_REPORT_H
#define ISOLAB_WINDOWS_REPORT_H

#include <glib.h>
#include <stdbool.h>

#define WINDOWS_LINE_MAX 1024
#define WINDOWS_NAME_MAX 64
#define WINDOWS_FILE_MAX (32u << 20)
#define WINDOWS_FILES_MAX 64
#define WINDOWS_TROUBLE_MAX 32

typedef enum {
    WINDOWS_SAID_NOTHING,
    WINDOWS_REPORT_BEGINS,
    WINDOWS_STEP_BEGINS,
    WINDOWS_STEP_ENDS,
    WINDOWS_RESTARTS,
    WINDOWS_IS_DONE,
} windows_mark;

/* A step that has ended. */
typedef struct {
    char *name;
    int code;
} windows_step;

typedef struct {
    windows_mark last;  /* of the marks, the newest */
    char *step;         /* that has begun; NULL: none */
    GPtrArray *ended;   /* windows_step, of this report */
    GHashTable *files;  /* name: GBytes, whole ones, of this report */
    GPtrArray *trouble; /* char *, for people */
    int code;           /* of DONE */
    bool done;
    bool installed; /* a report has begun: the desktop is there */
    char *line;     /* the newest that is not base64; may be "" */
    /* private */
    GString *partial;
    bool too_long; /* the rest of the line is left out */
    char *name;    /* of the file that comes; NULL: none */
    guint64 announced;
    char *sum;
    GString *base64;
    gsize total;
} windows_report;

windows_report *windows_report_new(void);
void windows_report_free(windows_report *r);
/* Calls back at each line of ours, when it has been taken. */
void windows_report_feed(windows_report *r, const char *bytes, gsize n,
                         void (*each)(const windows_report *r, void *opaque),
                         void *opaque);
/* Has the step ended? Its code, the newest; any is possible, -1 as well: a
 * program that crashed has a negative one. Untouched if it has not; may be
 * NULL. */
bool windows_report_ended(const windows_report *r, const char *step, int *code);
/* A file of the report, or NULL. */
GBytes *windows_report_file(const windows_report *r, const char *name);
bool windows_report_is_name(const char *name);

#endif
