/*
 * The verdict on a Windows guest. See windows-verdict.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows-verdict.h"

#include "json.h"

#include <string.h>

#define REASON_MAX 200

typedef struct {
    const windows_report *report;
    JsonObject *object;
    JsonArray *reasons;
    bool failed;
    bool incomplete;
} judgement;

static void take_tap_line(windows_tap *tap, const char *line)
{
    if (g_str_has_prefix(line, "1..")) {
        tap->planned = MIN(g_ascii_strtoull(line + 3, NULL, 10), 1000000);
    } else if (g_str_has_prefix(line, "ok ")) {
        tap->passed++;
        tap->skipped += strstr(line, "# SKIP") != NULL;
    } else if (g_str_has_prefix(line, "not ok ") ||
               g_str_has_prefix(line, "Bail out!")) {
        tap->failed++;
        if (!tap->first) {
            tap->first = g_strdup(line);
        }
    }
}

windows_tap windows_tap_parse(const char *text, gsize bytes)
{
    g_autofree char *copy = g_strndup(text, bytes);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    windows_tap tap = { 0 };

    for (char **line = lines; *line; line++) {
        take_tap_line(&tap, g_strchomp(*line));
    }
    return tap;
}

static void add_reason(judgement *j, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

/* It may have words of the guest's, and goes to a terminal. */
static void add_reason(judgement *j, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    for (size_t i = 0; text[i]; i++) {
        if (i == REASON_MAX) {
            text[i] = '\0';
            break;
        }
        if (!g_ascii_isprint(text[i])) {
            text[i] = '?';
        }
    }
    json_array_add_string_element(j->reasons, text);
}

static GBytes *need(judgement *j, const char *name)
{
    GBytes *file = windows_report_file(j->report, name);

    if (!file) {
        j->incomplete = true;
        add_reason(j, "%s did not come", name);
    }
    return file;
}

static void judge_install(judgement *j)
{
    int code = 0;
    bool ended = windows_report_ended(j->report, "install", &code);

    if (ended && code == 0) {
        return;
    }
    j->failed = true;
    if (!ended) {
        add_reason(j, "the driver's installation did not end");
    } else if (code == 3010) {
        add_reason(j, "test signing is not on, after a restart, either");
    } else {
        add_reason(j, "install.cmd failed with %d: see install.txt", code);
    }
}

static void judge_selftest(judgement *j)
{
    GBytes *file = need(j, "selftest.tap");
    int code = -1;
    JsonObject *object;
    windows_tap tap;
    gsize bytes;
    const char *text;

    windows_report_ended(j->report, "selftest", &code);
    if (!file) {
        return;
    }
    text = g_bytes_get_data(file, &bytes);
    tap = windows_tap_parse(text ? text : "", bytes);
    object = json_object_new();
    json_object_set_int_member(object, "tests", tap.planned);
    json_object_set_int_member(object, "passed", tap.passed);
    json_object_set_int_member(object, "failed", tap.failed);
    json_object_set_int_member(object, "skipped", tap.skipped);
    json_object_set_object_member(j->object, "selftest", object);
    if (tap.failed) {
        add_reason(j, "isoav selftest: %u of %u tests failed, the first: %s",
                   tap.failed, tap.planned, tap.first);
    } else if (!tap.planned || tap.passed != tap.planned) {
        add_reason(j, "isoav selftest ended early: %u of %u tests", tap.passed,
                   tap.planned);
    } else if (code != 0) {
        add_reason(j, "isoav selftest ended with %d", code);
    } else {
        g_free(tap.first);
        return;
    }
    j->failed = true;
    g_free(tap.first);
}

static void judge_capture(judgement *j)
{
    GBytes *file = need(j, "capture.json");
    int code = -1;
    g_autofree char *text = NULL;
    JsonObject *object;
    gsize bytes;
    const char *data;

    windows_report_ended(j->report, "capture", &code);
    if (!file) {
        return;
    }
    data = g_bytes_get_data(file, &bytes);
    text = g_strndup(data ? data : "", bytes);
    object = isolab_json_parse(text, NULL);
    if (!object) {
        j->failed = true;
        add_reason(j,
                   "isoav capture ended with %d and no result: see "
                   "capture.json and capture.txt",
                   code);
        return;
    }
    if (!isolab_json_bool(object, "perfect") || code != 0) {
        j->failed = true;
        add_reason(j,
                   "isoav capture: the stream was not perfect (exit code "
                   "%d): see capture.json",
                   code);
    }
    json_object_set_object_member(j->object, "capture", object);
}

JsonObject *windows_verdict(const windows_report *r)
{
    judgement j = {
        .report = r,
        .object = json_object_new(),
        .reasons = json_array_new(),
    };

    judge_install(&j);
    if (!j.failed) {
        judge_selftest(&j);
        judge_capture(&j);
    }
    for (unsigned i = 0; i < r->trouble->len; i++) {
        j.incomplete = true;
        add_reason(&j, "%s", (const char *)r->trouble->pdata[i]);
    }
    if (!j.failed && !j.incomplete && r->code != 0) {
        j.failed = true;
        add_reason(&j, "report.cmd ended with %d", r->code);
    }
    json_object_set_string_member(j.object, "verdict",
                                  j.failed       ? "failed"
                                  : j.incomplete ? "incomplete"
                                                 : "passed");
    json_object_set_array_member(j.object, "reasons", j.reasons);
    return j.object;
}
