/*
 * The page: text from elsewhere stays text, the numbers are JSON, and a long
 * run does not make a large page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "capture.h"
#include "command.h"
#include "driverlog.h"
#include "html.h"
#include "report.h"

static void expect_text(const char *text, const char *want)
{
    g_autoptr(GString) out = g_string_new(NULL);

    html_text(out, text);
    g_assert_cmpstr(out->str, ==, want);
}

static void test_escape(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    expect_text("a < b && c > \"d\" 'e'",
                "a &lt; b &amp;&amp; c &gt; &quot;d&quot; &#39;e&#39;");
    expect_text("</title><script>", "&lt;/title&gt;&lt;script&gt;");
    expect_text("\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9");
    expect_text("bad \xff\xc3", "bad \xef\xbf\xbd\xef\xbf\xbd");
    expect_text("bell\x07"
                "del\x7f"
                "c1\xc2\x85",
                "bell\xef\xbf\xbd"
                "del\xef\xbf\xbd"
                "c1\xef\xbf\xbd");
    html_cells(out, "td class=\"number\"", "<1>", "2", NULL);
    g_assert_cmpstr(out->str, ==,
                    "<td class=\"number\">&lt;1&gt;</td>"
                    "<td class=\"number\">2</td>");
    g_string_truncate(out, 0);
    html_json_text(out, "</script><!-- \"\\\n\xe2\x80\xa8");
    g_assert_cmpstr(out->str, ==,
                    "\"\\u003c/script\\u003e\\u003c!-- "
                    "\\u0022\\u005c\\u000a\\u2028\"");
    g_string_truncate(out, 0);
    html_data(out, "image/png", "\x89PNG", 4);
    g_assert_cmpstr(out->str, ==, "data:image/png;base64,iVBORw==");
}

static const char evil[] = "</script><img src=x onerror=alert(1)>\"'&";

/* A capture of one endpoint: `packets`, of which each 100th fails. */
static bus *make_bus(unsigned packets)
{
    static const usbmon_packet good = { 0, 0, 3072 };
    static const usbmon_packet bad = { -EPROTO, 0, 0 };
    capture c = { 0 };
    g_autoptr(pcap) p = NULL;

    capture_begin(&c, 220);
    for (unsigned i = 0; i < packets; i++) {
        capture_record r = { .ns = (int64_t)(100000 + i) * UF_NS,
                             .id = i,
                             .event = 'C',
                             .type = USBMON_ISOCH,
                             .address = 0x81,
                             .device = 1,
                             .interval = 1,
                             .length = 3072,
                             .packets = i % 100 == 99 ? &bad : &good,
                             .count = 1 };

        capture_add(&c, &r);
    }
    p = capture_read(&c, NULL);
    return bus_read(p, NULL);
}

static void add_fault(report *r, int64_t uf, uint64_t td, const char *rule)
{
    fault f = { .uf = uf,
                .plan = rule,
                .rule = rule,
                .seam = rule,
                .action = rule,
                .code_name = rule,
                .code = 4,
                .bytes = -1,
                .span = -1,
                .slot = -1,
                .endpoint = 1,
                .td = td,
                .address = 0x81,
                .isochronous = true };

    g_array_append_val(r->faults, f);
}

static report start(unsigned packets, unsigned faults, const char *words)
{
    report r = { .title = g_strdup(words),
                 .bus = make_bus(packets),
                 .faults = g_array_new(FALSE, FALSE, sizeof(fault)),
                 .has_faults = true };
    GPtrArray **lists[] = { &r.witnesses, &r.joins, &r.frames };
    witness *w;

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        *lists[i] = g_ptr_array_new();
    }
    for (unsigned i = 0; i < faults; i++) {
        add_fault(&r, 100000 + 100 * i + 99, 100 * i + 100, words);
    }
    g_ptr_array_add(r.witnesses, bus_witness(r.bus, true));
    w = r.witnesses->pdata[0];
    g_free(w->name);
    w->name = g_strdup(words);
    g_ptr_array_add(r.joins, join_new(r.faults, r.witnesses->pdata[0]));
    return r;
}

static char *make_page(const report *r)
{
    g_autoptr(GError) error = NULL;
    GString *page = report_html(r, false, &error);

    g_assert_no_error(error);
    return g_string_free(page, FALSE);
}

/* The numbers between the script's tags. */
static JsonNode *data_of(const char *page)
{
    static const char tag[] = "id=\"data\">";
    const char *from = strstr(page, tag) + strlen(tag);
    g_autofree char *text = g_strndup(from, strstr(from, "</script>") - from);
    g_autoptr(GError) error = NULL;
    JsonNode *node = json_from_string(text, &error);

    g_assert_no_error(error);
    return node;
}

static unsigned column(JsonNode *data, const char *chart, const char *name)
{
    JsonObject *o =
        json_object_get_object_member(json_node_get_object(data), chart);

    return json_array_get_length(json_object_get_array_member(o, name));
}

static void clear(report *r)
{
    g_ptr_array_set_free_func(r->witnesses, (GDestroyNotify)witness_free);
    g_ptr_array_set_free_func(r->joins, (GDestroyNotify)join_free);
    report_clear(r);
}

/* Whoever names plans, files and rules writes no HTML and no script. */
static void test_evil(void)
{
    report r = start(1000, 3, evil);
    g_autofree char *page = make_page(&r);
    g_autoptr(JsonNode) data = data_of(page);

    g_assert_null(strstr(page, "<img src=x"));
    g_assert_null(strstr(page, "onerror=alert(1)>\"'"));
    g_assert_nonnull(strstr(page, "&lt;img src=x"));
    g_assert_cmpint(column(data, "timeline", "x"), ==, 1000);
    clear(&r);
}

/* No address but those of names (XML namespaces, licences) is in the page. */
static void test_alone(void)
{
    report r = start(100, 1, "run");
    g_autofree char *page = make_page(&r);
    g_autoptr(GRegex) loads =
        g_regex_new("(src|href)=[\"']?(?!data:)|@import|url\\(", 0, 0, NULL);
    const char *styles = strstr(page, "<style>");
    const char *scripts = strstr(page, "<script>");
    g_autofree char *body = g_strndup(page, scripts - page);

    g_assert_nonnull(styles);
    g_assert_false(g_regex_match(loads, body, 0, NULL));
    g_assert_null(strstr(page, "sourceMappingURL"));
    g_assert_nonnull(strstr(page, "Permission is hereby granted"));
    clear(&r);
}

/* Half a minute of packets at each microframe. */
static void test_long(void)
{
    report r = start(250000, 1000, "run");
    g_autofree char *page = make_page(&r);
    g_autoptr(JsonNode) data = data_of(page);
    JsonObject *first = json_array_get_object_element(
        json_object_get_array_member(json_node_get_object(data), "histograms"),
        0);

    g_assert_cmpint(strlen(page), <, REPORT_BYTES_MAX);
    g_assert_cmpint(column(data, "timeline", "x"), >, 10000);
    g_assert_cmpint(column(data, "timeline", "x"), <, 60000);
    g_assert_cmpint(column(data, "bandwidth", "x"), <=, 801);
    g_assert_nonnull(json_object_get_object_member(first, "jitter"));
    g_assert_nonnull(strstr(page, "The first 500 of 1000"));
    clear(&r);
}

/* Packets near a fault are single in a timeline that is summed up. */
static void test_near(void)
{
    report r = start(100000, 0, "run");
    g_autofree char *page = NULL;
    g_autoptr(JsonNode) data = NULL;
    JsonArray *x, *w;
    JsonObject *timeline;
    unsigned single = 0;

    add_fault(&r, 150050, 50051, "r");
    join_free(r.joins->pdata[0]);
    witness_free(r.witnesses->pdata[0]);
    g_ptr_array_set_size(r.joins, 0);
    g_ptr_array_set_size(r.witnesses, 0);
    page = make_page(&r);
    data = data_of(page);
    timeline =
        json_object_get_object_member(json_node_get_object(data), "timeline");
    x = json_object_get_array_member(timeline, "x");
    w = json_object_get_array_member(timeline, "w");
    for (unsigned i = 0; i < json_array_get_length(x); i++) {
        gint64 at = json_array_get_int_element(x, i);

        single +=
            json_array_get_int_element(w, i) == 1 && at >= 50000 && at <= 50100;
    }
    g_assert_cmpint(single, ==, 101);
    clear(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/html/escape", test_escape);
    g_test_add_func("/report/html/evil", test_evil);
    g_test_add_func("/report/html/alone", test_alone);
    g_test_add_func("/report/html/long", test_long);
    g_test_add_func("/report/html/near", test_near);
    return g_test_run();
}
