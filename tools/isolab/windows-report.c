/*
 * COM1 of a Windows guest. The rules are in windows-report.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows-report.h"

#include <string.h>

#define MARK "ISOLAB "
/* Of base64 with its line ends, for a file of WINDOWS_FILE_MAX. */
#define BASE64_MAX (WINDOWS_FILE_MAX / 3 * 4 + WINDOWS_FILE_MAX / 16)
#define TOTAL_MAX (8 * (gsize)WINDOWS_FILE_MAX)

static void free_step(gpointer opaque)
{
    windows_step *step = opaque;

    g_free(step->name);
    g_free(step);
}

static GHashTable *new_files(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                 (GDestroyNotify)g_bytes_unref);
}

windows_report *windows_report_new(void)
{
    windows_report *r = g_new0(windows_report, 1);

    r->ended = g_ptr_array_new_with_free_func(free_step);
    r->files = new_files();
    r->trouble = g_ptr_array_new_with_free_func(g_free);
    r->partial = g_string_new(NULL);
    r->base64 = g_string_new(NULL);
    r->line = g_strdup("");
    return r;
}

void windows_report_free(windows_report *r)
{
    if (!r) {
        return;
    }
    g_ptr_array_unref(r->ended);
    g_hash_table_unref(r->files);
    g_ptr_array_unref(r->trouble);
    g_string_free(r->partial, TRUE);
    g_string_free(r->base64, TRUE);
    g_free(r->line);
    g_free(r->step);
    g_free(r->name);
    g_free(r->sum);
    g_free(r);
}

static void complain(windows_report *r, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static void complain(windows_report *r, const char *format, ...)
{
    va_list ap;

    if (r->trouble->len < WINDOWS_TROUBLE_MAX) {
        va_start(ap, format);
        g_ptr_array_add(r->trouble, g_strdup_vprintf(format, ap));
        va_end(ap);
    }
}

/* Rule 3. */
bool windows_report_is_name(const char *name)
{
    size_t length = strlen(name);

    return length && length <= WINDOWS_NAME_MAX && g_ascii_isalnum(*name) &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == length;
}

static void drop_file(windows_report *r)
{
    g_clear_pointer(&r->name, g_free);
    g_clear_pointer(&r->sum, g_free);
    g_string_truncate(r->base64, 0);
}

static bool is_number(const char *text, guint64 most, guint64 *number)
{
    return g_ascii_string_to_unsigned(text, 10, 0, most, number, NULL);
}

static void begin_report(windows_report *r, char **words)
{
    g_ptr_array_set_size(r->ended, 0);
    g_ptr_array_set_size(r->trouble, 0);
    if (g_strcmp0(words[0], "1") != 0) {
        complain(r, "the report's version is not 1: the disc is of another "
                    "IsoLab");
    }
    g_hash_table_remove_all(r->files);
    g_clear_pointer(&r->step, g_free);
    r->total = 0;
    r->installed = true;
    r->done = false;
    r->last = WINDOWS_REPORT_BEGINS;
}

static void begin_step(windows_report *r, char **words)
{
    if (!words[0] || !windows_report_is_name(words[0])) {
        complain(r, "a step without a name has begun");
        return;
    }
    g_free(r->step);
    r->step = g_strdup(words[0]);
    r->last = WINDOWS_STEP_BEGINS;
}

static void end_step(windows_report *r, char **words)
{
    gint64 code;
    windows_step *step;

    if (!words[0] || g_strcmp0(words[0], r->step) != 0 || !words[1] ||
        !g_ascii_string_to_signed(words[1], 10, G_MININT, G_MAXINT, &code,
                                  NULL)) {
        complain(r, "a step has ended that had not begun, or without a code");
        return;
    }
    step = g_new0(windows_step, 1);
    step->name = g_steal_pointer(&r->step);
    step->code = code;
    if (r->ended->len < WINDOWS_FILES_MAX) {
        g_ptr_array_add(r->ended, step);
    } else {
        free_step(step);
    }
    r->last = WINDOWS_STEP_ENDS;
}

static void begin_file(windows_report *r, char **words)
{
    guint64 bytes;

    if (g_strv_length(words) != 3 || !windows_report_is_name(words[0]) ||
        !is_number(words[1], G_MAXUINT64, &bytes)) {
        complain(r, "a file without a good name, length and sum was left out");
        return;
    }
    if (bytes > WINDOWS_FILE_MAX || r->total + bytes > TOTAL_MAX ||
        g_hash_table_size(r->files) >= WINDOWS_FILES_MAX) {
        complain(r, "%s is one file too many, or too large", words[0]);
        return;
    }
    r->name = g_strdup(words[0]);
    r->announced = bytes;
    r->sum = g_ascii_strdown(words[2], -1);
}

/* Rule 2. */
static void end_file(windows_report *r, char **words)
{
    g_autofree char *sum = NULL;
    guchar *data;
    gsize bytes = 0;

    if (!r->name || g_strcmp0(words[0], r->name) != 0) {
        return; /* its beginning was refused, and that was said */
    }
    data = g_base64_decode(r->base64->str, &bytes);
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, bytes);
    if (bytes != r->announced) {
        complain(r,
                 "%s is torn: %" G_GSIZE_FORMAT " of %" G_GUINT64_FORMAT
                 " bytes came",
                 r->name, bytes, r->announced);
        g_free(data);
    } else if (bytes && !g_str_equal(sum, r->sum)) {
        complain(r, "%s is damaged: its SHA-256 is another", r->name);
        g_free(data);
    } else {
        r->total += bytes;
        g_hash_table_replace(r->files, g_strdup(r->name),
                             g_bytes_new_take(data, bytes));
    }
    drop_file(r);
}

static void note(windows_report *r, char **words)
{
    g_autofree char *text = g_strjoinv(" ", words);

    complain(r, "the guest says: %s", text);
}

static void restart(windows_report *r, char **words)
{
    r->last = WINDOWS_RESTARTS;
}

static void end_report(windows_report *r, char **words)
{
    guint64 files;
    gint64 code;

    if (g_strv_length(words) != 2 ||
        !g_ascii_string_to_signed(words[0], 10, G_MININT, G_MAXUINT32, &code,
                                  NULL) ||
        !is_number(words[1], G_MAXINT, &files)) {
        complain(r, "the report's last line is torn");
        return;
    }
    if (files != g_hash_table_size(r->files)) {
        complain(r, "%u of %u files came whole", g_hash_table_size(r->files),
                 (unsigned)files);
    }
    if (!r->installed) {
        complain(r, "a report has ended that had not begun");
    }
    g_clear_pointer(&r->step, g_free);
    r->code = MIN(code, G_MAXINT);
    r->done = true;
    r->last = WINDOWS_IS_DONE;
}

static const struct {
    const char *word;
    void (*take)(windows_report *r, char **words);
} marks[] = {
    { "REPORT", begin_report }, { "BEGIN", begin_step }, { "END", end_step },
    { "FILE", begin_file },     { "EOF", end_file },     { "NOTE", note },
    { "RESTART", restart },     { "DONE", end_report },
};

/* The words of a mark, without empty ones. */
static void take_mark(windows_report *r, const char *line)
{
    g_auto(GStrv) words = g_strsplit_set(line, " \t", -1);
    unsigned kept = 0;

    for (unsigned i = 0; words[i]; i++) {
        if (*words[i]) {
            words[kept++] = words[i];
        } else {
            g_free(words[i]);
        }
    }
    words[kept] = NULL;
    for (size_t i = 0; kept && i < G_N_ELEMENTS(marks); i++) {
        if (!g_str_equal(marks[i].word, words[0])) {
            continue;
        }
        if (r->name && marks[i].take != end_file) {
            complain(r, "%s is torn: its end did not come", r->name);
            drop_file(r);
        }
        marks[i].take(r, words + 1);
        return;
    }
}

static bool is_base64(const char *line)
{
    return g_str_has_prefix(line, "-----") ||
           strspn(line, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789+/=") == strlen(line);
}

static void take_base64(windows_report *r, const char *line)
{
    if (*line == '-') {
        return; /* certutil's frame */
    }
    if (r->base64->len + strlen(line) > BASE64_MAX) {
        complain(r, "%s is larger than it was to be", r->name);
        drop_file(r);
        return;
    }
    g_string_append(r->base64, line);
}

static void take_line(windows_report *r)
{
    const char *line = r->partial->str;

    r->last = WINDOWS_SAID_NOTHING;
    if (g_str_has_prefix(line, MARK)) {
        take_mark(r, line + strlen(MARK));
    } else if (r->name && is_base64(line)) {
        take_base64(r, line);
        return;
    }
    if (*line) {
        g_free(r->line);
        r->line = g_strdup(line);
    }
}

/* Text for a terminal: nothing that moves its cursor. */
static void add_byte(windows_report *r, char byte)
{
    if (r->partial->len >= WINDOWS_LINE_MAX) {
        if (!r->too_long && g_str_has_prefix(r->partial->str, MARK)) {
            complain(r, "a line is longer than %d bytes", WINDOWS_LINE_MAX);
        }
        r->too_long = true;
    } else {
        g_string_append_c(r->partial, g_ascii_isprint(byte) ? byte : '?');
    }
}

void windows_report_feed(windows_report *r, const char *bytes, gsize n,
                         void (*each)(const windows_report *r, void *opaque),
                         void *opaque)
{
    for (gsize i = 0; i < n; i++) {
        bool is_mark;

        if (bytes[i] == '\r' || bytes[i] == '\t') {
            continue;
        }
        if (bytes[i] != '\n') {
            add_byte(r, bytes[i]);
            continue;
        }
        is_mark = g_str_has_prefix(r->partial->str, MARK);
        take_line(r);
        g_string_truncate(r->partial, 0);
        r->too_long = false;
        if (each && is_mark) {
            each(r, opaque);
        }
    }
}

bool windows_report_ended(const windows_report *r, const char *step, int *code)
{
    for (unsigned i = r->ended->len; i > 0; i--) {
        const windows_step *s = r->ended->pdata[i - 1];

        if (g_str_equal(s->name, step)) {
            if (code) {
                *code = s->code;
            }
            return true;
        }
    }
    return false;
}

GBytes *windows_report_file(const windows_report *r, const char *name)
{
    return g_hash_table_lookup(r->files, name);
}
