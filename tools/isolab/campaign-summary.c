/*
 * What came of a campaign: a table, JSON and a page, each the same after the
 * same cells, whoever ran them and in whichever order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "campaign.h"

#include <string.h>

#include "html.h"
#include "json.h"

GResource *isolab_report_get_resource(void);

static cell_result *result_at(const campaign_summary *s, unsigned i)
{
    return &g_array_index(s->results, cell_result, i);
}

static void clear_result(gpointer opaque)
{
    cell_result *result = opaque;

    g_free(result->words);
}

/* What a cell is held against: the baseline's of the same name, or the first
 * repeat of itself. NULL: nothing. */
static char *other_run(const campaign_summary *s, unsigned i)
{
    const campaign_cell *cell = s->cells->pdata[i];
    char *folder;

    if (s->options->baseline) {
        folder = campaign_run_folder(s->options->baseline, cell);
        if (g_file_test(folder, G_FILE_TEST_IS_DIR)) {
            return folder;
        }
        g_free(folder);
    }
    /* repeats follow each other (campaign-matrix.c) */
    if (cell->repeat > 1 &&
        result_at(s, i - cell->repeat + 1)->verdict != CELL_MISSING) {
        return campaign_run_folder(s->options->out,
                                   s->cells->pdata[i - cell->repeat + 1]);
    }
    return NULL;
}

static void hold_against(campaign_summary *s, unsigned i)
{
    g_autofree char *ours =
        campaign_run_folder(s->options->out, s->cells->pdata[i]);
    char *other =
        result_at(s, i)->verdict == CELL_MISSING ? NULL : other_run(s, i);
    divergence *d = other ? divergence_find(ours, other) : NULL;

    s->diverged += d != NULL;
    g_ptr_array_add(s->divergences, d);
    g_ptr_array_add(s->against, other);
}

static void free_divergence(gpointer d)
{
    divergence_free(d);
}

campaign_summary *campaign_summarise(const campaign_options *o,
                                     const GPtrArray *cells, GError **error)
{
    campaign_summary *s = g_new0(campaign_summary, 1);

    s->options = o;
    s->cells = cells;
    s->results = g_array_new(FALSE, TRUE, sizeof(cell_result));
    g_array_set_clear_func(s->results, clear_result);
    s->divergences = g_ptr_array_new_with_free_func(free_divergence);
    s->against = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < cells->len; i++) {
        cell_result result;

        if (!campaign_load(o, cells->pdata[i], &result, error)) {
            campaign_summary_free(s);
            return NULL;
        }
        g_array_append_val(s->results, result);
        s->count[result.verdict]++;
    }
    for (unsigned i = 0; i < cells->len; i++) {
        hold_against(s, i);
    }
    return s;
}

void campaign_summary_free(campaign_summary *s)
{
    if (s) {
        g_array_unref(s->results);
        g_ptr_array_unref(s->divergences);
        g_ptr_array_unref(s->against);
        g_free(s);
    }
}

bool campaign_is_good(const campaign_summary *s)
{
    return !s->count[CELL_MISSING] && !s->count[CELL_HUNG] &&
           !s->count[CELL_UNEXPLAINED] && !s->count[CELL_ERROR] && !s->diverged;
}

static char *divergence_text(const divergence *d)
{
    GString *text = g_string_new(d->file);

    g_string_append_printf(text, ":%" G_GINT64_FORMAT, d->place);
    if (d->uf >= 0) {
        g_string_append_printf(text, ", microframe %" G_GINT64_FORMAT, d->uf);
    }
    return g_string_free(text, FALSE);
}

static JsonObject *divergence_json(const divergence *d, const char *against)
{
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "against", against);
    json_object_set_string_member(o, "file", d->file);
    json_object_set_int_member(o, "place", d->place);
    if (d->uf >= 0) {
        json_object_set_int_member(o, "uf", d->uf);
    }
    json_object_set_string_member(o, "ours", d->ours);
    json_object_set_string_member(o, "theirs", d->theirs);
    return o;
}

static JsonObject *cell_json(const campaign_summary *s, unsigned i)
{
    const campaign_cell *cell = s->cells->pdata[i];
    const cell_result *result = result_at(s, i);
    JsonObject *o = json_object_new();

    json_object_set_string_member(o, "name", cell->name);
    json_object_set_string_member(o, "plan", cell->plan_name);
    json_object_set_string_member(o, "guest", cell->guest);
    if (cell->alternate >= 0) {
        json_object_set_int_member(o, "alternate", cell->alternate);
    }
    json_object_set_int_member(o, "seed", cell->seed);
    json_object_set_int_member(o, "repeat", cell->repeat);
    json_object_set_string_member(o, "verdict",
                                  cell_verdict_name(result->verdict));
    if (result->verdict != CELL_MISSING) {
        json_object_set_int_member(o, "status", result->status);
        json_object_set_int_member(o, "fired", result->fired);
        json_object_set_int_member(o, "findings", result->findings);
        json_object_set_string_member(o, "words", result->words);
    }
    if (s->divergences->pdata[i]) {
        json_object_set_object_member(
            o, "divergence",
            divergence_json(s->divergences->pdata[i], s->against->pdata[i]));
    }
    return o;
}

JsonObject *campaign_json(const campaign_summary *s)
{
    JsonObject *o = json_object_new();
    JsonArray *cells = json_array_new();

    json_object_set_int_member(o, "cells", s->cells->len);
    for (cell_verdict v = 0; v < CELL_VERDICTS; v++) {
        json_object_set_int_member(o, cell_verdict_name(v), s->count[v]);
    }
    json_object_set_int_member(o, "diverged", s->diverged);
    json_object_set_boolean_member(o, "good", campaign_is_good(s));
    for (unsigned i = 0; i < s->cells->len; i++) {
        json_array_add_object_element(cells, cell_json(s, i));
    }
    json_object_set_array_member(o, "results", cells);
    return o;
}

/* Cells of one plan and one guest, which follow each other. */
typedef struct {
    unsigned first, cells, count[CELL_VERDICTS], diverged;
} group;

static bool is_of_group(const campaign_summary *s, const group *g, unsigned i)
{
    const campaign_cell *one = s->cells->pdata[g->first];
    const campaign_cell *other = s->cells->pdata[i];

    return g_str_equal(one->plan_name, other->plan_name) &&
           g_str_equal(one->guest, other->guest);
}

static GArray *make_groups(const campaign_summary *s)
{
    GArray *groups = g_array_new(FALSE, TRUE, sizeof(group));

    for (unsigned i = 0; i < s->cells->len; i++) {
        group *last =
            groups->len ? &g_array_index(groups, group, groups->len - 1) : NULL;

        if (!last || !is_of_group(s, last, i)) {
            group new = { .first = i };

            g_array_append_val(groups, new);
            last = &g_array_index(groups, group, groups->len - 1);
        }
        last->cells++;
        last->count[result_at(s, i)->verdict]++;
        last->diverged += s->divergences->pdata[i] != NULL;
    }
    return groups;
}

/* The columns of the table, between plan and guest and "diverged". */
static const cell_verdict columns[] = { CELL_CLEAN,       CELL_RECOVERED,
                                        CELL_FAILED,      CELL_HUNG,
                                        CELL_UNEXPLAINED, CELL_MISSING };

static bool is_bad(cell_verdict v)
{
    return v == CELL_HUNG || v == CELL_UNEXPLAINED || v == CELL_ERROR;
}

static bool is_worth_a_line(const campaign_summary *s, unsigned i)
{
    return is_bad(result_at(s, i)->verdict) || s->divergences->pdata[i];
}

static void add_line(GString *text, const campaign_summary *s, unsigned i)
{
    const campaign_cell *cell = s->cells->pdata[i];
    const cell_result *result = result_at(s, i);
    const divergence *d = s->divergences->pdata[i];

    g_string_append_printf(text, "%s: %s%s%s\n", cell->name,
                           cell_verdict_name(result->verdict),
                           *result->words ? ": " : "", result->words);
    if (d) {
        g_autofree char *place = divergence_text(d);

        g_string_append_printf(text, "  parts from %s at %s\n",
                               (char *)s->against->pdata[i], place);
        if (*d->ours || *d->theirs) {
            g_string_append_printf(text, "  - %s\n  + %s\n", d->theirs,
                                   d->ours);
        }
    }
}

char *campaign_text(const campaign_summary *s)
{
    g_autoptr(GArray) groups = make_groups(s);
    GString *text = g_string_new(NULL);

    g_string_append_printf(text, "%-24s %-16s %6s", "PLAN", "GUEST", "CELLS");
    for (size_t c = 0; c < G_N_ELEMENTS(columns); c++) {
        g_autofree char *name =
            g_ascii_strup(cell_verdict_name(columns[c]), -1);

        g_string_append_printf(text, " %11s", name);
    }
    g_string_append(text, "    DIVERGED\n");
    for (unsigned i = 0; i < groups->len; i++) {
        const group *g = &g_array_index(groups, group, i);
        const campaign_cell *cell = s->cells->pdata[g->first];

        g_string_append_printf(text, "%-24s %-16s %6u", cell->plan_name,
                               cell->guest, g->cells);
        for (size_t c = 0; c < G_N_ELEMENTS(columns); c++) {
            g_string_append_printf(text, " %11u", g->count[columns[c]]);
        }
        g_string_append_printf(text, " %11u\n", g->diverged);
    }
    for (unsigned i = 0; i < s->cells->len; i++) {
        if (is_worth_a_line(s, i)) {
            add_line(text, s, i);
        }
    }
    return g_string_free(text, FALSE);
}

static void put_group_row(GString *out, const campaign_summary *s,
                          const group *g)
{
    const campaign_cell *cell = s->cells->pdata[g->first];

    g_string_append(out, "<tr>");
    html_cells(out, "td", cell->plan_name, cell->guest, NULL);
    g_string_append_printf(out, "<td class=\"number\">%u</td>", g->cells);
    for (size_t c = 0; c < G_N_ELEMENTS(columns); c++) {
        bool bad = g->count[columns[c]] &&
                   (columns[c] == CELL_HUNG || columns[c] == CELL_UNEXPLAINED);

        g_string_append_printf(out, "<td class=\"number%s\">%u</td>",
                               bad ? " wrong" : "", g->count[columns[c]]);
    }
    g_string_append_printf(out, "<td class=\"number%s\">%u</td></tr>\n",
                           g->diverged ? " wrong" : "", g->diverged);
}

static void put_cell_row(GString *out, const campaign_summary *s, unsigned i)
{
    const campaign_cell *cell = s->cells->pdata[i];
    const cell_result *result = result_at(s, i);
    const divergence *d = s->divergences->pdata[i];
    g_autofree char *place = d ? divergence_text(d) : g_strdup("");
    g_autofree char *fired =
        g_strdup_printf("%" G_GINT64_FORMAT, result->fired);
    g_autofree char *findings =
        g_strdup_printf("%" G_GINT64_FORMAT, result->findings);

    g_string_append(out, "<tr><td><a href=\"cells/");
    html_text(out, cell->name);
    g_string_append(out, s->options->reports ? "/report.html\">" : "/\">");
    html_text(out, cell->name);
    g_string_append_printf(out, "</a></td><td class=\"%s\">",
                           is_bad(result->verdict) ? "wrong" : "");
    html_text(out, cell_verdict_name(result->verdict));
    g_string_append(out, "</td>");
    html_cells(out, "td class=\"number\"", fired, findings, NULL);
    html_cells(out, "td", result->words, NULL);
    html_cells(out, d ? "td class=\"wrong\"" : "td", place, NULL);
    g_string_append(out, "</tr>\n");
}

static void put_style(GString *out)
{
    g_autoptr(GBytes) style = g_resource_lookup_data(
        isolab_report_get_resource(), "/isolab/report/report.css",
        G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    gsize bytes = 0;
    const char *data = style ? g_bytes_get_data(style, &bytes) : "";

    g_string_append_len(out, data, (gssize)bytes);
}

static char *make_page(const campaign_summary *s)
{
    g_autoptr(GArray) groups = make_groups(s);
    GString *out = g_string_new(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">"
        "\n<meta name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\">\n<title>IsoLab campaign</title>\n<style>\n");

    put_style(out);
    g_string_append_printf(
        out,
        "</style>\n</head>\n<body>\n<main>\n<h1>Campaign of %u cells</h1>"
        "\n<p class=\"verdict %s\">%u clean, %u recovered, %u failed "
        "cleanly, %u hung, %u unexplained, %u diverged, %u not run</p>\n"
        "<section><h2>By plan</h2><div class=\"scroll\" tabindex=\"0\">"
        "<table><thead><tr>",
        s->cells->len, campaign_is_good(s) ? "good" : "bad",
        s->count[CELL_CLEAN], s->count[CELL_RECOVERED], s->count[CELL_FAILED],
        s->count[CELL_HUNG], s->count[CELL_UNEXPLAINED], s->diverged,
        s->count[CELL_MISSING]);
    html_cells(out, "th scope=\"col\"", "plan", "guest", "cells", NULL);
    for (size_t c = 0; c < G_N_ELEMENTS(columns); c++) {
        html_cells(out, "th scope=\"col\"", cell_verdict_name(columns[c]),
                   NULL);
    }
    html_cells(out, "th scope=\"col\"", "diverged", NULL);
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < groups->len; i++) {
        put_group_row(out, s, &g_array_index(groups, group, i));
    }
    g_string_append(out,
                    "</tbody></table></div></section>\n<section>"
                    "<h2>Cells</h2><div class=\"scroll all\" tabindex=\"0\">"
                    "<table><thead><tr>");
    html_cells(out, "th scope=\"col\"", "cell", "verdict", "faults fired",
               "findings", "in words", "first divergence", NULL);
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < s->cells->len; i++) {
        put_cell_row(out, s, i);
    }
    g_string_append(out, "</tbody></table></div></section>\n</main>\n</body>\n"
                         "</html>\n");
    return g_string_free(out, FALSE);
}

bool campaign_write(const campaign_summary *s, GError **error)
{
    g_autofree char *json =
        g_build_filename(s->options->out, "campaign.json", NULL);
    g_autofree char *html =
        g_build_filename(s->options->out, "campaign.html", NULL);
    g_autoptr(JsonObject) object = campaign_json(s);
    g_autofree char *text = isolab_json_pretty(object);
    g_autofree char *page = make_page(s);
    g_autoptr(GError) why = NULL;

    if (!g_file_set_contents(json, text, -1, &why) ||
        !g_file_set_contents(html, page, -1, &why)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "Cannot write the summary: %s.", why->message);
        return false;
    }
    return true;
}
