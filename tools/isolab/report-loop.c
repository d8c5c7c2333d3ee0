/*
 * The closed loop in words and as JSON.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report.h"

static const fault *fault_at(const report *r, unsigned i)
{
    return &g_array_index(r->faults, fault, i);
}

unsigned report_findings(const report *r, bool strict)
{
    unsigned sum = 0;

    for (unsigned i = 0; i < r->joins->len; i++) {
        sum += join_findings(r->joins->pdata[i], strict);
    }
    return sum;
}

char *report_fault_text(const fault *f)
{
    GString *text = g_string_new(f->action);

    if (*f->code_name) {
        g_string_append_printf(text, ": %s", f->code_name);
    } else if (f->code >= 0) {
        g_string_append_printf(text, ": %s",
                               effect_code_text((unsigned)(f->code & 0xff)));
    }
    if (f->span >= 0) {
        g_string_append_printf(text, " (%" G_GINT64_FORMAT ")", f->span);
    }
    return g_string_free(text, FALSE);
}

char *report_fault_place(const fault *f)
{
    GString *text = g_string_new(NULL);

    if (f->address) {
        g_string_append_printf(text, "EP %u %s", f->address & 0x0f,
                               f->address & 0x80 ? "IN" : "OUT");
    } else if (f->port >= 0) {
        g_string_append_printf(text, "port %" G_GINT64_FORMAT, f->port);
    } else {
        g_string_append(text, f->seam);
    }
    if (f->td) {
        g_string_append_printf(text, ", TD %" G_GUINT64_FORMAT, f->td);
    }
    return g_string_free(text, FALSE);
}

char *report_seen_text(const witness *w, const join_seen *seen)
{
    g_autofree char *effects = NULL;
    const observation *row;

    if (seen->row < 0) {
        return g_strdup("-");
    }
    row = witness_row(w, (unsigned)seen->row);
    if (!seen->rows) {
        return g_strdup(row->effects ? row->text : "ok");
    }
    if (!seen->effects) {
        return g_strdup_printf("%" G_GINT64_FORMAT " bytes (%s)", row->length,
                               row->text);
    }
    effects = effect_names(seen->effects);
    if (seen->rows > 1) {
        return g_strdup_printf("%u: %s (first %s)", seen->rows, effects,
                               row->text);
    }
    return g_strdup_printf("%s (%s)", effects, row->text);
}

static void add_row(JsonObject *to, const witness *w, uint32_t index,
                    uint32_t rows)
{
    const observation *row = witness_row(w, index);
    g_autofree char *effects = effect_names(row->effects);

    json_object_set_int_member(to, "rows", rows);
    json_object_set_int_member(to, "line", row->line);
    json_object_set_string_member(to, "status", row->text);
    json_object_set_string_member(to, "effect", effects);
    if (row->ordinal) {
        json_object_set_int_member(to, "endpoint", row->address & 0x0f);
        json_object_set_string_member(to, "direction",
                                      row->address & 0x80 ? "in" : "out");
        json_object_set_int_member(to, "ordinal", (gint64)row->ordinal);
    }
    if (row->selection) {
        json_object_set_int_member(to, "selection", row->selection);
    }
    if (row->uf >= 0) {
        json_object_set_int_member(to, "uf", row->uf);
    }
}

static JsonObject *seen_json(const witness *w, const join_seen *seen)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "witness", w->name);
    json_object_set_string_member(o, "outcome",
                                  join_outcome_name(seen->outcome));
    if (seen->row >= 0) {
        add_row(o, w, (uint32_t)seen->row, seen->rows);
    }
    if (seen->others) {
        json_object_set_int_member(o, "others", seen->others);
    }
    if (seen->effects && witness_row(w, (unsigned)seen->row)->ordinal) {
        json_object_set_int_member(o, "recovered_after", seen->recovered);
    }
    return o;
}

static JsonObject *fault_json(const report *r, unsigned i)
{
    const fault *f = fault_at(r, i);
    JsonObject *o = json_object_new();
    JsonArray *seen = json_array_new();

    json_object_set_int_member(o, "uf", f->uf);
    json_object_set_string_member(o, "plan", f->plan);
    json_object_set_string_member(o, "rule", f->rule);
    json_object_set_int_member(o, "hit", f->hit);
    json_object_set_string_member(o, "action", f->action);
    if (f->code >= 0) {
        json_object_set_int_member(o, "code", f->code);
    }
    if (f->address) {
        json_object_set_int_member(o, "endpoint", f->address & 0x0f);
        json_object_set_string_member(o, "direction",
                                      f->address & 0x80 ? "in" : "out");
    }
    if (f->td) {
        json_object_set_int_member(o, "td", (gint64)f->td);
    }
    for (unsigned w = 0; w < r->joins->len; w++) {
        json_array_add_object_element(
            seen,
            seen_json(r->witnesses->pdata[w], join_at(r->joins->pdata[w], i)));
    }
    json_object_set_array_member(o, "seen", seen);
    return o;
}

static void add_orphans(JsonArray *to, const witness *w, const join *j)
{
    for (unsigned i = 0; i < j->orphans->len; i++) {
        const join_orphan *orphan = &g_array_index(j->orphans, join_orphan, i);
        JsonObject *o = json_object_new();

        json_object_set_string_member(o, "witness", w->name);
        add_row(o, w, orphan->row, orphan->rows);
        json_array_add_object_element(to, o);
    }
}

static JsonObject *summary_json(const witness *w, const join *j)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "witness", w->name);
    json_object_set_int_member(o, "rows", w->rows->len);
    json_object_set_int_member(o, "forgotten", (gint64)w->forgotten);
    for (unsigned i = 0; i < JOIN_OUTCOMES; i++) {
        json_object_set_int_member(o, join_outcome_name(i), j->outcome[i]);
    }
    json_object_set_int_member(o, "unexplained", j->orphan_rows);
    return o;
}

JsonObject *report_loop_json(const report *r, bool strict)
{
    JsonObject *o = json_object_new();
    JsonArray *witnesses = json_array_new();
    JsonArray *faults = json_array_new();
    JsonArray *orphans = json_array_new();

    for (unsigned i = 0; i < r->joins->len; i++) {
        json_array_add_object_element(
            witnesses,
            summary_json(r->witnesses->pdata[i], r->joins->pdata[i]));
        add_orphans(orphans, r->witnesses->pdata[i], r->joins->pdata[i]);
    }
    for (unsigned i = 0; i < r->faults->len; i++) {
        json_array_add_object_element(faults, fault_json(r, i));
    }
    json_object_set_int_member(o, "findings", report_findings(r, strict));
    json_object_set_array_member(o, "witnesses", witnesses);
    json_object_set_array_member(o, "faults", faults);
    json_object_set_array_member(o, "unexplained", orphans);
    return o;
}

static const char *plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

/* Faults of which each log says that it does not reach there. */
static unsigned count_unreached(const report *r)
{
    unsigned count = 0;

    for (unsigned f = 0; f < r->faults->len; f++) {
        unsigned in = 0;

        for (unsigned i = 0; i < r->joins->len; i++) {
            const join *j = r->joins->pdata[i];

            in += join_at(j, f)->outcome != JOIN_UNRECORDED;
        }
        count += !in;
    }
    return count;
}

char *report_verdict(const report *r, bool strict)
{
    unsigned findings = report_findings(r, strict);
    unsigned faults = r->faults->len, orphans = 0, missed = 0;
    GString *text;

    if (!r->joins->len) {
        return g_strdup_printf("%u fault%s, and no log to hold them against",
                               faults, plural(faults));
    }
    if (!findings) {
        unsigned unreached = count_unreached(r);

        text = g_string_new(NULL);
        g_string_append_printf(text, "%u fault%s, nothing unexplained", faults,
                               plural(faults));
        if (unreached) {
            g_string_append_printf(text, "; no log reaches %u of them",
                                   unreached);
        }
        return g_string_free(text, FALSE);
    }
    for (unsigned i = 0; i < r->joins->len; i++) {
        const join *j = r->joins->pdata[i];

        orphans += j->orphan_rows;
        missed += join_findings(j, strict) - j->orphans->len;
    }
    text = g_string_new(NULL);
    g_string_append_printf(text, "%u fault%s", faults, plural(faults));
    if (missed) {
        g_string_append_printf(text, ", %u without the consequence that %s",
                               missed,
                               missed == 1 ? "it must have" : "they must have");
    }
    if (orphans) {
        g_string_append_printf(text, "%s %u error%s that no fault explains",
                               missed ? ", and" : ",", orphans,
                               plural(orphans));
    }
    return g_string_free(text, FALSE);
}
