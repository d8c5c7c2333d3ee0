/*
 * What `isolab watch` shows, from JSON to lines of text. Pure.
 *
 *  1. A table's columns are dropped, the least important first, until it is
 *     as wide as the terminal; lines are never longer.
 *  2. Rates are differences of two samples over the guest's time between them.
 *     A counter that has gone back began anew, and all of it is new.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "watch.h"

#include "json.h"

#include <string.h>

#define UF_PER_SECOND 8000.0
#define BARS 8
/* "  7 ", and behind the bar " 12345 100%" */
#define BAR_LABELS 16

static JsonObject *find_endpoint(JsonObject *stats, int64_t slot, int64_t dci)
{
    JsonArray *all = isolab_json_array(stats, "endpoints");

    for (unsigned i = 0; all && i < json_array_get_length(all); i++) {
        JsonObject *ep = isolab_json_element(all, i);

        if (isolab_json_int(ep, "slot", -1) == slot &&
            isolab_json_int(ep, "dci", -1) == dci) {
            return ep;
        }
    }
    return NULL;
}

/* Rule 2. */
static double rate(JsonObject *now, JsonObject *before, const char *counter,
                   double seconds)
{
    int64_t to = isolab_json_int(now, counter, 0);
    int64_t from = isolab_json_int(before, counter, 0);

    return (to >= from ? to - from : to) / seconds;
}

static void add_rates(JsonObject *ep, JsonObject *before, double seconds)
{
    JsonObject *old = find_endpoint(before, isolab_json_int(ep, "slot", -1),
                                    isolab_json_int(ep, "dci", -1));

    json_object_set_double_member(ep, "tds-per-second",
                                  rate(ep, old, "tds", seconds));
    json_object_set_double_member(ep, "bytes-per-second",
                                  rate(ep, old, "bytes", seconds));
}

static void add_faults(JsonObject *sample, JsonObject *plan)
{
    JsonArray *rules = isolab_json_array(plan, "rules");
    JsonArray *faults = json_array_new();

    for (unsigned i = 0; rules && i < json_array_get_length(rules); i++) {
        JsonObject *rule = isolab_json_element(rules, i);
        JsonObject *fault = json_object_new();
        const char *name = isolab_json_text(rule, "name");
        const char *action = isolab_json_text(rule, "action");

        json_object_set_string_member(fault, "rule", name ? name : "");
        json_object_set_string_member(fault, "action", action ? action : "");
        json_object_set_int_member(fault, "hits",
                                   isolab_json_int(rule, "hits", 0));
        json_object_set_int_member(fault, "seen",
                                   isolab_json_int(rule, "seen", 0));
        json_array_add_object_element(faults, fault);
    }
    json_object_set_array_member(sample, "faults", faults);
}

static JsonObject *deep_copy(JsonObject *object)
{
    g_autofree char *text = isolab_json_line(object);

    return isolab_json_parse(text, NULL);
}

JsonObject *isolab_watch_sample(JsonObject *now, JsonObject *before,
                                JsonObject *plan)
{
    JsonObject *sample = deep_copy(now);
    JsonArray *all = isolab_json_array(sample, "endpoints");
    int64_t uf = isolab_json_int(now, "uf", 0);
    int64_t from = before ? isolab_json_int(before, "uf", 0) : uf;
    double seconds = (uf - from) / UF_PER_SECOND;

    json_object_set_double_member(sample, "seconds", uf / UF_PER_SECOND);
    json_object_set_double_member(sample, "interval-seconds", seconds);
    for (unsigned i = 0; all && i < json_array_get_length(all); i++) {
        JsonObject *ep = isolab_json_element(all, i);

        if (ep && seconds > 0) {
            add_rates(ep, before, seconds);
        }
    }
    if (plan) {
        add_faults(sample, plan);
    }
    return sample;
}

char *isolab_watch_number(double number)
{
    static const char units[] = " kMGTP";
    unsigned unit = 0;

    while (number >= 9999.5 && unit < strlen(units) - 1) {
        number /= 1000;
        unit++;
    }
    if (!unit) {
        return g_strdup_printf("%.0f", number);
    }
    return g_strdup_printf("%.*f %c", number < 99.95 ? 1 : 0, number,
                           units[unit]);
}

/* The first `width` characters of a line; text is UTF-8. */
static void add_line(GString *out, const char *text, int width)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    g_autofree char *cut = g_utf8_substring(
        valid, 0, MIN(g_utf8_strlen(valid, -1), (glong)MAX(width, 1)));

    g_string_append_printf(out, "%s\n", cut);
}

static void add_head(GString *out, JsonObject *sample, int width)
{
    double seconds = isolab_json_int(sample, "uf", 0) / UF_PER_SECOND;
    g_autofree char *line = g_strdup_printf(
        "ixhci  %.3f s  MFINDEX %" PRId64 "  %s", seconds,
        isolab_json_int(sample, "mfindex", 0),
        isolab_json_bool(sample, "running") ? "running" : "halted");

    add_line(out, line, width);
}

static void add_ports(GString *out, JsonObject *sample, int width)
{
    JsonArray *ports = isolab_json_array(sample, "ports");
    g_autoptr(GString) line = g_string_new("ports");

    for (unsigned i = 0; ports && i < json_array_get_length(ports); i++) {
        JsonObject *port = isolab_json_element(ports, i);
        const char *link = isolab_json_text(port, "link");
        const char *speed = isolab_json_text(port, "speed");

        if (isolab_json_bool(port, "connected")) {
            g_string_append_printf(
                line, "  %" PRId64 ": %s, %s%s",
                isolab_json_int(port, "port", 0), speed ? speed : "not reset",
                link ? link : "?",
                isolab_json_bool(port, "enabled") ? "" : ", disabled");
        }
        if (isolab_json_bool(port, "over-current")) {
            g_string_append(line, ", over-current");
        }
    }
    if (line->len == strlen("ports")) {
        g_string_append(line, "  nothing is connected");
    }
    add_line(out, line->str, width);
}

static void add_bar(GString *out, unsigned unit, int64_t bytes, int64_t limit,
                    int width, bool utf8)
{
    int room = CLAMP(width - BAR_LABELS, 4, 60);
    int full = limit > 0 ? (int)(CLAMP(bytes, 0, limit) * room / limit) : 0;
    g_autoptr(GString) line = g_string_new(NULL);

    full = bytes > 0 ? MAX(full, 1) : full;
    g_string_append_printf(line, "  %u ", unit);
    for (int i = 0; i < room; i++) {
        g_string_append(line, i < full ? (utf8 ? "\u2588" : "#")
                                       : (utf8 ? "\u2591" : "."));
    }
    g_string_append_printf(line, " %5" PRId64 " %3" PRId64 "%%", bytes,
                           limit > 0 ? bytes * 100 / limit : 0);
    add_line(out, line->str, width);
}

static int64_t element(JsonArray *array, unsigned i)
{
    JsonNode *node = array && i < json_array_get_length(array)
                         ? json_array_get_element(array, i)
                         : NULL;

    return node && JSON_NODE_HOLDS_VALUE(node) ? json_node_get_int(node) : 0;
}

static void add_bus(GString *out, JsonObject *bus, int width, bool utf8)
{
    JsonArray *reserved = isolab_json_array(bus, "reserved");
    const char *unit = isolab_json_text(bus, "unit");
    const char *speed = isolab_json_text(bus, "speed");
    const char *direction = isolab_json_text(bus, "direction");
    int64_t limit = isolab_json_int(bus, "limit", 0), sum = 0;
    bool both = g_strcmp0(direction, "both") == 0;
    g_autofree char *title = g_strdup_printf(
        "port %" PRId64 " (%s speed%s%s): reserved of %" PRId64 " bytes a %s",
        isolab_json_int(bus, "port", 0), speed ? speed : "?", both ? "" : ", ",
        both || !direction ? "" : direction, limit, unit ? unit : "?");

    for (unsigned i = 0; i < BARS; i++) {
        sum += element(reserved, i);
    }
    if (!sum) {
        return; /* nothing periodic */
    }
    g_string_append_c(out, '\n');
    add_line(out, title, width);
    for (unsigned i = 0; i < BARS; i++) {
        add_bar(out, i, element(reserved, i), limit, width, utf8);
    }
}

/* A column of the table of endpoints; `rank` 0 is never dropped. */
typedef struct {
    const char *title;
    int columns; /* negative: to the left */
    unsigned rank;
    char *(*cell)(JsonObject *ep);
} column;

static char *integer(JsonObject *ep, const char *name)
{
    int64_t number = isolab_json_int(ep, name, -1);

    return number < 0 ? g_strdup("-") : g_strdup_printf("%" PRId64, number);
}

static char *text(JsonObject *ep, const char *name)
{
    const char *words = isolab_json_text(ep, name);

    return g_strdup(words ? words : "-");
}

static char *per_second(JsonObject *ep, const char *name)
{
    JsonNode *node = isolab_json_get(ep, name);

    return node && JSON_NODE_HOLDS_VALUE(node)
               ? isolab_watch_number(json_node_get_double(node))
               : g_strdup("-");
}

#define CELL(name, get, member)              \
    static char *name##_cell(JsonObject *ep) \
    {                                        \
        return get(ep, member);              \
    }

CELL(slot, integer, "slot")
CELL(port, integer, "port")
CELL(dci, integer, "dci")
CELL(type, text, "type")
CELL(direction, text, "direction")
CELL(interval, integer, "interval")
CELL(payload, integer, "payload")
CELL(state, text, "state")
CELL(tds, integer, "tds")
CELL(td_rate, per_second, "tds-per-second")
CELL(byte_rate, per_second, "bytes-per-second")
CELL(missed, integer, "missed")
CELL(xruns, integer, "xruns")

static char *codes_cell(JsonObject *ep)
{
    JsonObject *codes = isolab_json_object(ep, "codes");
    g_autoptr(GList) names = codes ? json_object_get_members(codes) : NULL;
    GString *list = g_string_new(NULL);

    for (GList *l = names; l; l = l->next) {
        if (!g_str_equal(l->data, "success")) {
            g_string_append_printf(list, "%s%s %" PRId64, list->len ? ", " : "",
                                   (char *)l->data,
                                   isolab_json_int(codes, l->data, 0));
        }
    }
    return g_string_free(list, FALSE);
}

static const column columns[] = {
    { "SLOT", 4, 0, slot_cell },
    { "PORT", 4, 4, port_cell },
    { "DCI", 3, 0, dci_cell },
    { "TYPE", -9, 0, type_cell },
    { "DIR", -4, 2, direction_cell },
    { "UF", 5, 6, interval_cell },
    { "PAYLOAD", 7, 7, payload_cell },
    { "STATE", -8, 5, state_cell },
    { "TDS", 9, 8, tds_cell },
    { "TD/S", 7, 1, td_rate_cell },
    { "BYTES/S", 7, 1, byte_rate_cell },
    { "MISSED", 6, 3, missed_cell },
    { "XRUNS", 5, 3, xruns_cell },
    { "OTHER THAN SUCCESS", -18, 9, codes_cell },
};

static int columns_up_to(unsigned rank)
{
    int sum = 0;

    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        if (columns[i].rank <= rank) {
            sum += ABS(columns[i].columns) + 1;
        }
    }
    return sum;
}

/* Rule 1. */
static unsigned rank_that_fits(int width)
{
    unsigned rank = 9;

    while (rank && columns_up_to(rank) - 1 > width) {
        rank--;
    }
    return rank;
}

static void add_row(GString *out, JsonObject *ep, unsigned rank, int width)
{
    g_autoptr(GString) line = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(columns); i++) {
        const column *c = &columns[i];
        g_autofree char *cell = ep ? c->cell(ep) : g_strdup(c->title);

        if (c->rank <= rank) {
            g_string_append_printf(line, "%s%*s", line->len ? " " : "",
                                   c->columns, cell);
        }
    }
    g_strchomp(line->str);
    add_line(out, line->str, width);
}

static void add_endpoints(GString *out, JsonObject *sample, int width)
{
    JsonArray *all = isolab_json_array(sample, "endpoints");
    unsigned rank = rank_that_fits(width);

    if (!all || !json_array_get_length(all)) {
        return;
    }
    g_string_append_c(out, '\n');
    add_row(out, NULL, rank, width);
    for (unsigned i = 0; i < json_array_get_length(all); i++) {
        JsonObject *ep = isolab_json_element(all, i);

        if (ep) {
            add_row(out, ep, rank, width);
        }
    }
}

static void add_fault_table(GString *out, JsonObject *sample, int width)
{
    JsonArray *all = isolab_json_array(sample, "faults");

    if (!all || !json_array_get_length(all)) {
        return;
    }
    g_string_append_c(out, '\n');
    add_line(out, "    HITS     SEEN FAULT", width);
    for (unsigned i = 0; i < json_array_get_length(all); i++) {
        JsonObject *fault = isolab_json_element(all, i);
        g_autofree char *line = g_strdup_printf(
            "%8" PRId64 " %8" PRId64 " %s (%s)",
            isolab_json_int(fault, "hits", 0),
            isolab_json_int(fault, "seen", 0), isolab_json_text(fault, "rule"),
            isolab_json_text(fault, "action"));

        add_line(out, line, width);
    }
}

char *isolab_watch_view(JsonObject *sample, int width, bool utf8)
{
    JsonArray *buses = isolab_json_array(sample, "buses");
    GString *out = g_string_new(NULL);

    add_head(out, sample, width);
    add_ports(out, sample, width);
    for (unsigned i = 0; buses && i < json_array_get_length(buses); i++) {
        add_bus(out, isolab_json_element(buses, i), width, utf8);
    }
    add_endpoints(out, sample, width);
    add_fault_table(out, sample, width);
    return g_string_free(out, FALSE);
}
