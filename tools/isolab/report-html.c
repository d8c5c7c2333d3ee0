/*
 * The page: a heading with the verdict, the figures in short, the closed loop,
 * the charts, the pictures. What a chart shows is in a table as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "html.h"
#include "histogram.h"
#include "json.h"
#include "report.h"

#define RESOURCES "/isolab/report/"

GResource *isolab_report_get_resource(void);

/* A file of report/, without the line that names its source map: a debugger
 * would look for that file. */
static bool put_resource(GString *out, const char *name, GError **error)
{
    g_autofree char *path = g_strconcat(RESOURCES, name, NULL);
    g_autoptr(GBytes) bytes =
        g_resource_lookup_data(isolab_report_get_resource(), path,
                               G_RESOURCE_LOOKUP_FLAGS_NONE, error);
    gsize size;
    const char *data, *map;

    if (!bytes) {
        return false;
    }
    data = g_bytes_get_data(bytes, &size);
    map = g_strrstr_len(data, (gssize)size, "\n//# sourceMappingURL");
    map =
        map ? map : g_strrstr_len(data, (gssize)size, "\n/*# sourceMappingURL");
    g_string_append_len(out, data, map ? map - data : (gssize)size);
    g_string_append_c(out, '\n');
    return true;
}

static bool put_head(GString *out, const report *r, GError **error)
{
    bool good;

    g_string_append(out, "<!doctype html>\n<html lang=\"en\">\n<head>\n"
                         "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                         "content=\"width=device-width, initial-scale=1\">\n"
                         "<meta name=\"color-scheme\" content=\"light dark\">\n"
                         "<title>");
    html_text(out, r->title);
    g_string_append(out, "</title>\n<!--\n");
    good = put_resource(out, "dygraphs-licence.txt", error);
    g_string_append(out, "-->\n<style>\n");
    good = good && put_resource(out, "dygraph.min.css", error) &&
           put_resource(out, "report.css", error);
    g_string_append(out, "</style>\n</head>\n<body>\n");
    return good;
}

static void put_tile(GString *out, const char *name, const char *value)
{
    if (value) {
        g_string_append(out, "<div><dt>");
        html_text(out, name);
        g_string_append(out, "</dt><dd>");
        html_text(out, value);
        g_string_append(out, "</dd></div>\n");
    }
}

static void put_number(GString *out, const char *name, JsonObject *from,
                       const char *member)
{
    int64_t value = isolab_json_int(from, member, -1);
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, value);

    put_tile(out, name, value < 0 ? NULL : text);
}

static double json_double(JsonObject *from, const char *name)
{
    JsonNode *node = isolab_json_get(from, name);

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_double(node) : 0;
}

static void put_capture_tiles(GString *out, JsonObject *capture)
{
    JsonObject *frames = isolab_json_object(capture, "frames");
    JsonObject *packets = isolab_json_object(capture, "packets");
    double rate = json_double(capture, "frames_per_second");
    g_autofree char *text = g_strdup_printf("%.3f", rate);

    put_number(out, "frames asked", frames, "asked");
    put_number(out, "frames complete", frames, "complete");
    put_number(out, "frames damaged", frames, "damaged");
    put_number(out, "frames missing", frames, "missing");
    put_tile(out, "frames a second", rate > 0 ? text : NULL);
    put_number(out, "packets lost", packets, "lost");
    put_number(out, "packets late", packets, "late");
}

static void put_bus_tiles(GString *out, const bus *b)
{
    double seconds = (double)(b->last_ns - b->first_ns) / 1e9;
    uint64_t packets = 0, bytes = 0, failed = 0;
    g_autofree char *length = g_strdup_printf("%.3f s", seconds);
    g_autofree char *count = NULL, *rate = NULL, *bad = NULL;

    for (unsigned i = 0; i < b->lanes->len; i++) {
        packets += bus_lane_at(b, i)->packets;
        bytes += bus_lane_at(b, i)->bytes;
        failed += bus_lane_at(b, i)->failed;
    }
    count = g_strdup_printf("%" G_GUINT64_FORMAT, packets);
    bad = g_strdup_printf("%" G_GUINT64_FORMAT, failed);
    rate = g_strdup_printf("%.2f MB/s",
                           seconds > 0 ? (double)bytes / seconds / 1e6 : 0);
    put_tile(out, "captured, by the guest's clock", length);
    put_tile(out, "packets on the bus", count);
    put_tile(out, "of those failed", bad);
    put_tile(out, "payload", rate);
}

static void put_tiles(GString *out, const report *r)
{
    g_string_append(out, "<dl class=\"tiles\">\n");
    put_tile(out, "guest", isolab_json_text(r->run, "guest"));
    put_tile(out, "job", isolab_json_text(r->run, "job"));
    put_tile(out, "result", isolab_json_text(r->run, "result"));
    put_tile(out, "fault plan", isolab_json_text(r->run, "fault-plan"));
    put_number(out, "seed", r->run, "seed");
    if (r->bus) {
        put_bus_tiles(out, r->bus);
    }
    if (r->capture) {
        put_capture_tiles(out, r->capture);
    }
    g_string_append(out, "</dl>\n");
}

static void begin_table(GString *out, const char *caption)
{
    g_string_append(out, "<div class=\"scroll\" tabindex=\"0\"><table>"
                         "<caption>");
    html_text(out, caption);
    g_string_append(out, "</caption>\n<thead><tr>");
}

static void end_table(GString *out, unsigned shown, unsigned all)
{
    g_string_append(out, "</tbody></table></div>\n");
    if (shown < all) {
        g_string_append_printf(out,
                               "<p class=\"note\">The first %u of %u; `isolab "
                               "report --json` has all.</p>\n",
                               shown, all);
    }
}

/* One fault, and what each witness saw of it. */
static void put_fault_row(GString *out, const report *r, unsigned i)
{
    const fault *f = &g_array_index(r->faults, fault, i);
    g_autofree char *uf = g_strdup_printf("%" G_GINT64_FORMAT, f->uf);
    g_autofree char *what = report_fault_text(f);
    g_autofree char *where = report_fault_place(f);

    g_string_append(out, "<tr>");
    html_cells(out, "td class=\"number\"", uf, NULL);
    html_cells(out, "td", f->rule, what, where, NULL);
    for (unsigned w = 0; w < r->joins->len; w++) {
        const join_seen *seen = join_at(r->joins->pdata[w], i);
        g_autofree char *text = report_seen_text(r->witnesses->pdata[w], seen);
        g_autofree char *after =
            seen->recovered > 0
                ? g_strdup_printf(", good again after %" G_GINT64_FORMAT,
                                  seen->recovered)
                : g_strdup(seen->recovered < 0 ? ", and none good after it"
                                               : "");

        g_string_append_printf(out, "<td class=\"%s\">",
                               join_outcome_name(seen->outcome));
        html_printf(out, "%s%s", text, after);
        g_string_append(out, "<br><small>");
        html_text(out, join_outcome_text(seen->outcome));
        if (seen->others) {
            html_printf(out, "; or of another of %u faults", seen->others);
        }
        g_string_append(out, "</small></td>");
    }
    g_string_append(out, "</tr>\n");
}

static void put_faults(GString *out, const report *r)
{
    unsigned shown = MIN(r->faults->len, REPORT_ROWS_MAX);

    begin_table(out, "Each fault, and what was seen of it");
    html_cells(out, "th scope=\"col\"", "microframe", "rule", "injected",
               "where", NULL);
    for (unsigned w = 0; w < r->witnesses->len; w++) {
        const witness *from = r->witnesses->pdata[w];

        html_cells(out, "th scope=\"col\"", from->name, NULL);
    }
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < shown; i++) {
        put_fault_row(out, r, i);
    }
    end_table(out, shown, r->faults->len);
}

static void put_orphan_row(GString *out, const witness *w,
                           const join_orphan *orphan)
{
    const observation *row = witness_row(w, orphan->row);
    g_autofree char *effects = effect_names(row->effects);
    g_autofree char *count = g_strdup_printf("%u", orphan->rows);
    g_autofree char *line = g_strdup_printf("%u", row->line);
    g_autofree char *place =
        row->ordinal
            ? g_strdup_printf("EP %u %s, packet %" G_GUINT64_FORMAT,
                              row->address & 0x0f,
                              row->address & 0x80 ? "IN" : "OUT", row->ordinal)
            : g_strdup("-");

    g_string_append(out, "<tr>");
    html_cells(out, "td", w->name, NULL);
    html_cells(out, "td class=\"number\"", line, count, NULL);
    html_cells(out, "td", place, effects, row->text, NULL);
    g_string_append(out, "</tr>\n");
}

static void put_orphans(GString *out, const report *r)
{
    unsigned shown = 0, all = 0;

    for (unsigned w = 0; w < r->joins->len; w++) {
        const join *j = r->joins->pdata[w];

        all += j->orphans->len;
    }
    if (!all) {
        return;
    }
    begin_table(out, "Errors that no fault explains");
    html_cells(out, "th scope=\"col\"", "seen by", "row", "how many", "where",
               "effect", "in its words", NULL);
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned w = 0; w < r->joins->len; w++) {
        const join *j = r->joins->pdata[w];

        for (unsigned i = 0; i < j->orphans->len && shown < REPORT_ROWS_MAX;
             i++, shown++) {
            put_orphan_row(out, r->witnesses->pdata[w],
                           &g_array_index(j->orphans, join_orphan, i));
        }
    }
    end_table(out, shown, all);
}

static void put_loop(GString *out, const report *r, bool strict)
{
    g_autofree char *verdict = report_verdict(r, strict);
    bool bad = report_findings(r, strict);

    if (!r->has_faults && !r->witnesses->len) {
        return;
    }
    g_string_append_printf(
        out,
        "<section>\n<h2>The closed loop</h2>\n<p class=\"verdict %s\">"
        "<span aria-hidden=\"true\">%s</span> ",
        bad ? "bad" : "good", bad ? "\u2717" : "\u2713");
    html_text(out, verdict);
    g_string_append(out, "</p>\n");
    if (r->faults->len) {
        put_faults(out, r);
    }
    put_orphans(out, r);
    g_string_append(out, "</section>\n");
}

/* A place for a chart; the script fills it. */
static void put_figure(GString *out, const char *id, const char *title,
                       const char *text)
{
    g_string_append_printf(out,
                           "<figure class=\"chart\" id=\"%s\">"
                           "<figcaption><strong>%s.</strong> %s</figcaption>"
                           "<div class=\"legend\" aria-live=\"polite\"></div>"
                           "<div class=\"plot\" role=\"img\" aria-label=\"%s. "
                           "The tables below have the same in numbers.\">"
                           "</div></figure>\n",
                           id, title, text, title);
}

static void put_lane_row(GString *out, const bus_lane *lane)
{
    double seconds = (double)(lane->last_ns - lane->first_ns) / 1e9;
    g_autofree char *name = bus_lane_name(lane);
    g_autofree char *packets =
        g_strdup_printf("%" G_GUINT64_FORMAT, lane->packets);
    g_autofree char *bytes = g_strdup_printf("%" G_GUINT64_FORMAT, lane->bytes);
    g_autofree char *rate =
        seconds > 0
            ? g_strdup_printf("%.3f", (double)lane->bytes / seconds / 1e6)
            : g_strdup("-");
    g_autofree char *sizes =
        lane->packets
            ? g_strdup_printf("%" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                              lane->shortest, lane->longest)
            : g_strdup("-");
    g_autofree char *failed =
        g_strdup_printf("%" G_GUINT64_FORMAT, lane->failed);
    g_autoptr(GString) by = g_string_new(NULL);

    for (effect e = 0; e < EFFECTS; e++) {
        if (lane->by_effect[e]) {
            g_string_append_printf(by, "%s%s %" G_GUINT64_FORMAT,
                                   by->len ? ", " : "", effect_name(e),
                                   lane->by_effect[e]);
        }
    }
    g_string_append(out, "<tr>");
    html_cells(out, "td", name, NULL);
    html_cells(out, "td class=\"number\"", packets, bytes, rate, sizes, failed,
               NULL);
    html_cells(out, "td", by->str, NULL);
    g_string_append(out, "</tr>\n");
}

static void put_lanes(GString *out, const bus *b)
{
    unsigned shown = MIN(b->lanes->len, REPORT_ROWS_MAX);

    begin_table(out, "Endpoints");
    html_cells(out, "th scope=\"col\"", "endpoint", "packets", "bytes", "MB/s",
               "bytes a packet", "failed", "by status", NULL);
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < shown; i++) {
        put_lane_row(out, bus_lane_at(b, i));
    }
    end_table(out, shown, b->lanes->len);
}

static void put_summary_row(GString *out, const bus_lane *lane,
                            const char *what, GArray *samples)
{
    histogram_summary s = histogram_summarise(samples);
    int64_t values[] = { s.least, s.p50, s.p90, s.p99, s.p999, s.most };
    g_autofree char *name = bus_lane_name(lane);
    g_autofree char *count = g_strdup_printf("%u", s.samples);

    if (!s.samples) {
        return;
    }
    g_string_append(out, "<tr>");
    html_cells(out, "td", name, what, NULL);
    html_cells(out, "td class=\"number\"", count, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_string_append_printf(out, "<td class=\"number\">%.3f</td>",
                               (double)values[i] / 1000);
    }
    g_string_append_printf(out,
                           "<td class=\"number\">%.3f</td>"
                           "<td class=\"number\">%.3f</td></tr>\n",
                           s.mean / 1000, s.deviation / 1000);
}

static void put_timing(GString *out, const bus *b)
{
    begin_table(out, "Timing, in microseconds");
    html_cells(out, "th scope=\"col\"", "endpoint", "what", "samples", "least",
               "median", "90 %", "99 %", "99.9 %", "most", "mean", "deviation",
               NULL);
    g_string_append(out, "</tr></thead><tbody>\n");
    for (unsigned i = 0; i < b->lanes->len; i++) {
        g_autoptr(GArray) jitter = NULL;
        g_autoptr(GArray) latency = NULL;

        if (bus_lane_at(b, i)->type == USBMON_ISOCH) {
            jitter = report_jitter_ns(b, i);
            latency = report_latency_ns(b, i);
            put_summary_row(out, bus_lane_at(b, i), "jitter", jitter);
            put_summary_row(out, bus_lane_at(b, i), "latency", latency);
        }
    }
    end_table(out, 0, 0);
}

static void put_bus(GString *out, const report *r)
{
    if (!r->bus) {
        return;
    }
    g_string_append(out, "<section>\n<h2>The bus</h2>\n");
    if (r->bus->truncated) {
        g_string_append(out, "<p class=\"note\">The capture ends within a "
                             "record; all before it is here.</p>\n");
    }
    if (r->bus->dropped) {
        g_string_append_printf(out,
                               "<p class=\"note\">%" G_GUINT64_FORMAT
                               " packets more than a report holds are left "
                               "out.</p>\n",
                               r->bus->dropped);
    }
    g_string_append(out, "<noscript><p class=\"note\">The charts need "
                         "JavaScript; the tables have the same in "
                         "numbers.</p></noscript>\n");
    put_figure(out, "timeline", "Packets by microframe",
               "A bar for each packet, as high as its bytes; dashed lines are "
               "faults. Drag to zoom, shift and drag to move, double-click for "
               "all; the charts over time move together.");
    put_figure(out, "bandwidth", "Bytes a microframe",
               "All endpoints together.");
    put_figure(out, "status", "Failed packets over time",
               "By what became of them.");
    put_lanes(out, r->bus);
    g_string_append(out, "</section>\n<section>\n<h2>Timing</h2>\n"
                         "<div class=\"histograms\"></div>\n"
                         "<p class=\"note\">Jitter: time between completions "
                         "of neighbouring packets, less the service interval. "
                         "Latency: from submission to completion.</p>\n");
    put_timing(out, r->bus);
    g_string_append(out, "</section>\n");
}

static void put_frames(GString *out, const report *r)
{
    if (!r->frames->len) {
        return;
    }
    g_string_append(out, "<section>\n<h2>Frames</h2>\n<div class=\"frames\">");
    for (unsigned i = 0; i < r->frames->len; i++) {
        const report_frame *frame = r->frames->pdata[i];
        gsize bytes;
        const void *data = g_bytes_get_data(frame->png, &bytes);

        g_string_append_printf(out,
                               "<figure><img width=\"%u\" height=\"%u\" alt=\"",
                               frame->width, frame->height);
        html_printf(out, "captured frame %s", frame->name);
        g_string_append(out, "\" src=\"");
        html_data(out, "image/png", data, bytes);
        g_string_append(out, "\"><figcaption>");
        html_text(out, frame->name);
        g_string_append(out, "</figcaption></figure>\n");
    }
    g_string_append(out, "</div>\n");
    if (r->frames_left) {
        g_string_append_printf(out,
                               "<p class=\"note\">%u more are in the folder."
                               "</p>\n",
                               r->frames_left);
    }
    g_string_append(out, "</section>\n");
}

GString *report_html(const report *r, bool strict, GError **error)
{
    GString *out = g_string_new(NULL);
    bool good = put_head(out, r, error);

    g_string_append(out, "<main>\n<h1>");
    html_text(out, r->title);
    g_string_append(out, "</h1>\n");
    put_tiles(out, r);
    put_loop(out, r, strict);
    put_bus(out, r);
    put_frames(out, r);
    g_string_append(out, "<footer>Made by isolab " ISOLAB_VERSION
                         ". Charts: dygraphs, MIT licence (in the source of "
                         "this page).</footer>\n</main>\n"
                         "<script type=\"application/json\" id=\"data\">");
    report_chart_data(out, r);
    g_string_append(out, "</script>\n<script>\n");
    good = good && put_resource(out, "dygraph.min.js", error) &&
           put_resource(out, "report.js", error);
    g_string_append(out, "</script>\n</body>\n</html>\n");
    if (!good) {
        g_string_free(out, TRUE);
        return NULL;
    }
    return out;
}

bool report_write(const report *r, bool strict, const char *path,
                  GError **error)
{
    g_autoptr(GError) why = NULL;
    GString *page = report_html(r, strict, error);
    bool good;

    if (!page) {
        return false;
    }
    good = g_file_set_contents(path, page->str, (gssize)page->len, &why);
    if (!good) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "Cannot write the report: %s.", why->message);
    }
    g_string_free(page, TRUE);
    return good;
}
