/*
 * What isolab watch shows, and how fault plans are put together: pure parts of
 * tools/isolab.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "fault-merge.h"
#include "json.h"
#include "watch.h"

#include <string.h>

#define ENDPOINT(tds, bytes, more)                                         \
    "{'slot': 1, 'port': 5, 'dci': 5, 'type': 'isoch', 'direction': 'in'," \
    " 'interval': 1, 'payload': 3072, 'state': 'running', 'missed': 2,"    \
    " 'xruns': 1, 'tds': " tds ", 'bytes': " bytes more "}"
#define STATS(uf, endpoints)                                                  \
    "{'uf': " uf ", 'mfindex': 77, 'running': true, 'ports': [{'port': 5,"    \
    " 'connected': true, 'enabled': true, 'speed': 'high', 'link': 'U0'},"    \
    " {'port': 6, 'connected': false}, {'port': 7, 'connected': true,"        \
    " 'enabled': true, 'link': 'polling'}], 'buses': [{'port': 5, 'speed':"   \
    " 'high', 'direction': 'both', 'unit': 'microframe', 'limit': 6000,"      \
    " 'reserved': [3000, 6000, 0, 1, 0, 0, 0, 0]}], 'endpoints': [" endpoints \
    "]}"

static JsonObject *object(const char *text)
{
    g_autofree char *quoted = g_strdup(text);
    g_autoptr(GError) error = NULL;
    JsonObject *parsed;

    g_strdelimit(quoted, "'", '"');
    parsed = isolab_json_parse(quoted, &error);
    g_assert_no_error(error);
    return parsed;
}

static JsonObject *sample_of(const char *now, const char *before,
                             const char *plan)
{
    g_autoptr(JsonObject) n = object(now);
    g_autoptr(JsonObject) b = before ? object(before) : NULL;
    g_autoptr(JsonObject) p = plan ? object(plan) : NULL;

    return isolab_watch_sample(n, b, p);
}

static double rate_of(JsonObject *sample, const char *name)
{
    JsonObject *ep =
        isolab_json_element(isolab_json_array(sample, "endpoints"), 0);
    JsonNode *node = isolab_json_get(ep, name);

    return node ? json_node_get_double(node) : -1;
}

static void rates_are_of_the_guests_time(void)
{
    g_autoptr(JsonObject) sample =
        sample_of(STATS("12000", ENDPOINT("5000", "9000000", "")),
                  STATS("8000", ENDPOINT("1000", "1000000", "")), NULL);

    /* half a second */
    g_assert_cmpfloat(rate_of(sample, "tds-per-second"), ==, 8000);
    g_assert_cmpfloat(rate_of(sample, "bytes-per-second"), ==, 16e6);
}

static void counters_that_began_anew(void)
{
    g_autoptr(JsonObject) sample =
        sample_of(STATS("16000", ENDPOINT("500", "1500", "")),
                  STATS("8000", ENDPOINT("1000", "1000000", "")), NULL);

    g_assert_cmpfloat(rate_of(sample, "tds-per-second"), ==, 500);
    g_assert_cmpfloat(rate_of(sample, "bytes-per-second"), ==, 1500);
}

static void no_time_no_rate(void)
{
    g_autoptr(JsonObject) first =
        sample_of(STATS("8000", ENDPOINT("5", "5", "")), NULL, NULL);
    g_autoptr(JsonObject) paused =
        sample_of(STATS("8000", ENDPOINT("5", "5", "")),
                  STATS("8000", ENDPOINT("5", "5", "")), NULL);

    g_assert_cmpfloat(rate_of(first, "tds-per-second"), ==, -1);
    g_assert_cmpfloat(rate_of(paused, "tds-per-second"), ==, -1);
}

static void an_endpoint_that_is_new(void)
{
    g_autoptr(JsonObject) sample = sample_of(
        STATS("16000", ENDPOINT("500", "1500", "")), STATS("8000", ""), NULL);

    g_assert_cmpfloat(rate_of(sample, "tds-per-second"), ==, 500);
}

#define CODES ", 'codes': {'success': 90, 'short-packet': 7}"
#define PLAN                                                              \
    "{'rules': [{'name': 'loose', 'action': 'babble', 'hits': 3, 'seen':" \
    " 40}, {'name': 'other', 'action': 'stall'}]}"

static void the_view_has_it_all(void)
{
    g_autoptr(JsonObject) sample =
        sample_of(STATS("12000", ENDPOINT("5000", "9000000", CODES)),
                  STATS("8000", ENDPOINT("1000", "1000000", "")), PLAN);
    g_autofree char *view = isolab_watch_view(sample, 140, false);
    static const char *const parts[] = {
        "1.500 s",
        "MFINDEX 77",
        "5: high, U0",
        "7: not reset, polling",
        "running",
        "microframe",
        "short-packet 7",
        "16.0 M",
        "8000",
        "loose (babble)",
        "       3       40",
        "other (stall)",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        if (!strstr(view, parts[i])) {
            g_error("no \"%s\" in:\n%s", parts[i], view);
        }
    }
    g_assert_null(strstr(view, "6: "));
    g_assert_null(strstr(view, "success 90"));
}

/* How many of a character are in the line that begins so. */
static unsigned count_in_line(const char *view, const char *begin, char c)
{
    const char *line = strstr(view, begin);
    unsigned count = 0;

    g_assert_nonnull(line);
    for (line += strlen(begin); *line && *line != '\n'; line++) {
        count += *line == c;
    }
    return count;
}

static void bars(void)
{
    g_autoptr(JsonObject) sample = sample_of(STATS("1", ""), NULL, NULL);
    g_autofree char *view = isolab_watch_view(sample, 56, false);

    /* 40 columns for 6000 bytes; a little is not nothing */
    g_assert_cmpuint(count_in_line(view, "\n  0 ", '#'), ==, 20);
    g_assert_cmpuint(count_in_line(view, "\n  1 ", '#'), ==, 40);
    g_assert_cmpuint(count_in_line(view, "\n  2 ", '#'), ==, 0);
    g_assert_cmpuint(count_in_line(view, "\n  2 ", '.'), ==, 40);
    g_assert_cmpuint(count_in_line(view, "\n  3 ", '#'), ==, 1);
}

/* Never wider than the terminal, and what matters most stays. */
static void every_width(void)
{
    g_autoptr(JsonObject) sample =
        sample_of(STATS("12000", ENDPOINT("5000", "9000000", CODES)),
                  STATS("8000", ENDPOINT("1000", "1000000", "")), PLAN);

    for (int width = 1; width < 200; width++) {
        for (int utf8 = 0; utf8 < 2; utf8++) {
            g_autofree char *view = isolab_watch_view(sample, width, utf8);
            g_auto(GStrv) lines = g_strsplit(view, "\n", -1);

            for (char **line = lines; *line; line++) {
                g_assert_cmpint(g_utf8_strlen(*line, -1), <=, width);
            }
            if (width >= 40) {
                g_assert_nonnull(strstr(view, "BYTES/S"));
            }
            g_assert_cmpint(!!strstr(view, "PAYLOAD"), ==, width >= 80);
        }
    }
}

/* Whatever QEMU says, nothing crashes. */
static void strange_objects(void)
{
    static const char *const rows[] = {
        "{}",
        "{'endpoints': [1, null, {}], 'ports': {}, 'buses': [5, {}]}",
        "{'uf': 'x', 'buses': [{'reserved': ['a', null]}]}",
        "{'buses': [{'reserved': [5], 'limit': -1}], 'ports': [0]}",
        "{'endpoints': [{'codes': [], 'type': 5, 'tds': {}}]}",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(JsonObject) sample =
            sample_of(rows[i], rows[i], "{'rules': [1, {'name': 2}]}");
        g_autofree char *view = isolab_watch_view(sample, 80, true);

        g_assert_nonnull(view);
    }
}

static void numbers(void)
{
    static const struct {
        double number;
        const char *text;
    } rows[] = {
        { 0, "0" },
        { 9999, "9999" },
        { 10000, "10.0 k" },
        { 99940, "99.9 k" },
        { 123456, "123 k" },
        { 9999499, "9999 k" },
        { 24576000, "24.6 M" },
        { 1e13, "10.0 T" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text = isolab_watch_number(rows[i].number);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

static char *merged(const char *a, const char *b, GError **error)
{
    g_autoptr(JsonObject) running = object(a);
    g_autoptr(JsonObject) given = object(b);
    g_autoptr(JsonObject) added = isolab_fault_as_plan(given);
    g_autoptr(JsonObject) both = isolab_fault_merge(running, added, error);
    char *text = both ? isolab_json_line(both) : NULL;

    return text ? g_strdelimit(text, "\"", '\'') : NULL;
}

static void plans_are_put_together(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text =
        merged("{'name': 'n', 'seed': 4, 'states': ['calm'], 'rules': "
               "[{'name': 'a'}]}",
               "{'name': 'm', 'seed': 9, 'states': ['calm', 'storm'],"
               " 'rules': [{'name': 'b'}, {'action': 'stall'}]}",
               &error);
    g_autofree char *one = merged("{}", "{'action': 'babble'}", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==,
                    "{'name':'n','seed':4,'states':['calm','storm'],'rules':"
                    "[{'name':'a'},{'name':'b'},{'action':'stall'}]}");
    g_assert_cmpstr(one, ==, "{'rules':[{'action':'babble'}]}");
}

static void a_rule_twice_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(merged("{'rules': [{'name': 'a'}]}",
                         "{'name': 'a', 'action': 'stall'}", &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_FAILED);
    g_assert_nonnull(strstr(error->message, "'a'"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/watch/rates_are_of_the_guests_time",
                    rates_are_of_the_guests_time);
    g_test_add_func("/tool/watch/counters_that_began_anew",
                    counters_that_began_anew);
    g_test_add_func("/tool/watch/no_time_no_rate", no_time_no_rate);
    g_test_add_func("/tool/watch/an_endpoint_that_is_new",
                    an_endpoint_that_is_new);
    g_test_add_func("/tool/watch/the_view_has_it_all", the_view_has_it_all);
    g_test_add_func("/tool/watch/bars", bars);
    g_test_add_func("/tool/watch/every_width", every_width);
    g_test_add_func("/tool/watch/strange_objects", strange_objects);
    g_test_add_func("/tool/watch/numbers", numbers);
    g_test_add_func("/tool/fault/plans_are_put_together",
                    plans_are_put_together);
    g_test_add_func("/tool/fault/a_rule_twice_is_refused",
                    a_rule_twice_is_refused);
    return g_test_run();
}
