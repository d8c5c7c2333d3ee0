/*
 * Fault plans (hw/fault/plan.h): what is taken, what is refused and where, and
 * which occurrence fires.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/fault/log.h"
#include "isolab/xhci.h"

/* ' stands for ". */
static fault_plan *parse(const char *text, json_error *error)
{
    g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');

    *error = (json_error){ 0 };
    return fault_plan_parse(quoted, strlen(quoted), error);
}

static fault_plan *good(const char *text)
{
    json_error error;
    fault_plan *plan = parse(text, &error);

    if (!plan) {
        g_test_message("%s: %u:%u: %s", text, error.line, error.column,
                       error.reason);
    }
    g_assert_nonnull(plan);
    return plan;
}

typedef struct {
    const char *name, *text;
    unsigned line, column;
    const char *reason; /* a part of it */
} bad_row;

#define RULE(text) "{'rules': [{" text "}]}"
#define ACT(text, action) RULE("'where': {" text "}, 'action': '" action "'")

/* Columns are those of the value, or of the key if that is what is wrong. */
static const bad_row bad[] = {
    { "empty", "", 1, 1, "ends where a value" },
    { "blank", " \n ", 2, 2, "ends where a value" },
    { "not-closed", "{'rules': [", 1, 12, "ends where a value" },
    { "trailing", "{'rules': []} x", 1, 15, "follows" },
    { "comma", "{'rules': [],}", 1, 14, "key in quotes" },
    { "comment", "{ // no\n}", 1, 3, "key in quotes" },
    { "no-colon", "{'rules' 1}", 1, 10, "':'" },
    { "twice", "{'rules': [],\n 'rules': []}", 2, 2, "twice" },
    { "number", "{'seed': 01}", 1, 12, "number" },
    { "number-2", "{'seed': 1.}", 1, 12, "number" },
    { "huge", "{'seed': 1e999}", 1, 15, "too large" },
    { "escape", "{'name': '\\q'}", 1, 12, "escape" },
    { "surrogate", "{'name': '\\ud800'}", 1, 17, "escape" },
    { "nul", "{'name': '\\u0000'}", 1, 17, "escape" },
    { "control", "{'name': 'a\nb'}", 1, 12, "control character" },
    { "deep", "[[[[[[[[[[[[[[[[[[[[[[", 1, 17, "deeply" },
    { "list", "[]", 1, 1, "object" },
    { "no-rules", "{}", 1, 1, "'rules'" },
    { "unknown", "{'rules': [],\n  'roles': 1}", 2, 3, "'roles'" },
    { "type", "{'rules': {}}", 1, 11, "a list" },
    { "rule-type", "{'rules': [1]}", 1, 12, "an object" },
    { "seed", "{'seed': -1, 'rules': []}", 1, 10, "whole number" },
    { "seed-2", "{'seed': 1.5, 'rules': []}", 1, 10, "whole number" },
    { "long-name",
      "{'name': "
      "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
      ", 'rules': []}",
      1, 10, "64" },
    { "no-action", RULE("'name': 'a'"), 1, 12, "'action'" },
    { "action", RULE("'action': 'explode'"), 1, 23, "'explode'" },
    { "where-key", RULE("'where': {'plot': 1}, 'action': 'stall'"), 1, 23,
      "'plot'" },
    { "when-key", RULE("'when': {'nht': 1}, 'action': 'stall'"), 1, 22,
      "'nht'" },
    { "slot-0", ACT("'slot': 0", "stall"), 1, 31, "1 to 127" },
    { "port", ACT("'port': 31", "stall"), 1, 31, "1 to 30" },
    { "endpoint", ACT("'endpoint': 16", "stall"), 1, 35, "0 to 15" },
    { "td-0", ACT("'td': 0", "stall"), 1, 29, "1 to" },
    { "td-order", ACT("'td': [2, 1]", "stall"), 1, 29, "behind" },
    { "td-three", ACT("'td': [1, 2, 3]", "stall"), 1, 29, "[first, last]" },
    { "word", ACT("'type': 'isoc'", "silence"), 1, 31, "'isoc'" },
    { "control-isoch", ACT("'endpoint': 0, 'type': 'isoch'", "silence"), 1, 46,
      "control" },
    { "stall-isoch", ACT("'type': 'isoch'", "stall"), 1, 31, "'isoch'" },
    { "nak-isoch",
      RULE("'where': {'type': 'isoch'}, 'action': 'nak', 'with': "
           "{'microframes': 1}"),
      1, 31, "'isoch'" },
    { "miss-bulk", ACT("'type': 'bulk'", "miss"), 1, 31, "'bulk'" },
    { "stall-code-isoch",
      RULE("'where': {'type': 'isoch'},\n 'action': 'complete',\n 'with': "
           "{'code': 'stall-error'}"),
      3, 19, "'isoch'" },
    { "overrun-bulk",
      RULE("'where': {'type': 'bulk'}, 'action': 'complete', 'with': "
           "{'code': 31}"),
      1, 79, "'bulk'" },
    { "overrun-out",
      RULE("'where': {'direction': 'out'}, 'action': 'complete', 'with': "
           "{'code': 'ring-overrun'}"),
      1, 36, "IN" },
    { "babble-out", ACT("'direction': 'out'", "babble"), 1, 36, "IN" },
    { "stream-isoch", ACT("'type': 'isoch', 'stream': 1", "silence"), 1, 50,
      "bulk" },
    { "trb", ACT("'type': 'bulk', 'trb': 'setup'", "silence"), 1, 46, "TRB" },
    { "request-type", ACT("'request': 11", "stall"), 1, 34, "an object" },
    { "request-empty", ACT("'request': {}", "stall"), 1, 34, "at least one" },
    { "request-key", ACT("'request': {'slot': 1}", "stall"), 1, 35, "'slot'" },
    { "request-outside", ACT("'wValue': 1", "stall"), 1, 23, "'wValue'" },
    { "request-name", ACT("'request': {'name': 'set-face'}", "stall"), 1, 43,
      "'set-face'" },
    { "request-range", ACT("'request': {'wIndex': 65536}", "stall"), 1, 45,
      "65535" },
    { "request-number",
      ACT("'request': {'name': 'set-interface', 'bRequest': 10}", "stall"), 1,
      72, "set-interface" },
    { "request-class",
      ACT("'request': {'name': 'set-interface', 'bmRequestType': 33}", "stall"),
      1, 77, "standard" },
    { "request-isoch",
      ACT("'request': {'wIndex': 1}, 'type': 'isoch'", "silence"), 1, 57,
      "control" },
    { "request-direction",
      ACT("'direction': 'in', 'request': {'name': 'set-interface'}", "stall"),
      1, 36, "direction" },
    { "request-at-seam",
      ACT("'command': 'no-op', 'request': {'wIndex': 1}", "command-hang"), 1,
      65, "means" },
    { "key-at-seam", ACT("'command': 'no-op'", "stall"), 1, 34, "means" },
    { "seam", ACT("'seam': 'dma'", "stall"), 1, 31, "seam" },
    { "no-code", RULE("'action': 'complete'"), 1, 12, "'code'" },
    { "code", RULE("'action': 'complete', 'with': {'code': 'oops'}"), 1, 52,
      "'oops'" },
    { "reserved-code", RULE("'action': 'complete', 'with': {'code': 40}"), 1,
      52, "reserved" },
    { "command-of-td",
      RULE("'action': 'complete', 'with': {'code': 'no-slots-available'}"), 1,
      52, "no TD" },
    { "td-of-command",
      RULE("'action': 'command-code', 'with': {'code': 'short-packet'}"), 1, 56,
      "no command" },
    { "param", RULE("'action': 'stall', 'with': {'bytes': 1}"), 1, 41,
      "'bytes'" },
    { "param-range", RULE("'action': 'nak', 'with': {'microframes': 0}"), 1, 54,
      "1 to" },
    { "no-port", ACT("'microframe': 8", "unplug"), 1, 22, "'port'" },
    { "access", ACT("'access': 'write'", "dma-read-error"), 1, 33, "where" },
    { "state", RULE("'when': {'state': 'a'}, 'action': 'stall'"), 1, 31,
      "'a'" },
    { "then", RULE("'action': 'stall', 'then': 'a'"), 1, 40, "'a'" },
    { "no-state", "{'states': [], 'rules': []}", 1, 12, "1 to 64" },
    { "two-states", "{'states': ['a', 'a'], 'rules': []}", 1, 18, "two" },
    { "after", RULE("'when': {'after': 'x'}, 'action': 'stall'"), 1, 31,
      "'x'" },
    { "after-itself",
      RULE("'name': 'x', 'when': {'after': 'x'}, 'action': 'stall'"), 1, 44,
      "itself" },
    { "two-rules",
      "{'rules': [{'name': 'x', 'action': 'stall'},\n {'name': 'x', "
      "'action': 'stall'}]}",
      2, 11, "two rules" },
    { "two-rules-2",
      "{'rules': [{'name': 'rule-2', 'action': 'stall'},\n "
      "{'action': 'stall'}]}",
      2, 2, "two rules" },
    { "probability", RULE("'when': {'probability': 1.1}, 'action': 'stall'"), 1,
      37, "0.0 to 1.0" },
    { "column-of-a-character", "{'name': 'äöü€', 'x': 1}", 1, 18, "'x'" },
};

static void refused(const void *data)
{
    const bad_row *row = data;
    json_error error;
    fault_plan *plan = parse(row->text, &error);

    g_assert_null(plan);
    g_test_message("%u:%u: %s", error.line, error.column, error.reason);
    g_assert_nonnull(strstr(error.reason, row->reason));
    g_assert_cmpuint(error.line, ==, row->line);
    g_assert_cmpuint(error.column, ==, row->column);
    g_free(error.reason);
}

static void too_large(void)
{
    g_autofree char *text = g_strnfill(JSON_TEXT_MAX + 1, ' ');
    g_autoptr(GString) many = g_string_new("{'rules': [");
    json_error error = { 0 };

    g_assert_null(fault_plan_parse(text, JSON_TEXT_MAX + 1, &error));
    g_assert_nonnull(strstr(error.reason, "1 MiB"));
    g_free(error.reason);
    for (unsigned i = 0; i < FAULT_RULES_MAX + 1; i++) {
        g_string_append(many, i ? ",{'action':'stall'}" : "{'action':'stall'}");
    }
    g_string_append(many, "]}");
    g_assert_null(parse(many->str, &error));
    g_assert_nonnull(strstr(error.reason, "256"));
    g_free(error.reason);
}

static void not_utf8(void)
{
    json_error error = { 0 };

    g_assert_null(fault_plan_parse("{\"a\": \"\xff\"}", 10, &error));
    g_assert_cmpuint(error.column, ==, 8);
    g_free(error.reason);
}

/* An occurrence on a bulk IN endpoint. */
static fault_site a_packet(uint64_t td)
{
    fault_site site = { .seam = FAULT_PACKET };

    fault_site_set(&site, FAULT_SLOT, 1);
    fault_site_set(&site, FAULT_ENDPOINT, 1);
    fault_site_set(&site, FAULT_DIRECTION, FAULT_IN);
    fault_site_set(&site, FAULT_TYPE, FAULT_BULK);
    fault_site_set(&site, FAULT_TD, td);
    fault_site_set(&site, FAULT_MICROFRAME, td * 8);
    fault_site_set(&site, FAULT_TRB, FAULT_BIT(TRB_NORMAL));
    return site;
}

/* The TDs of 1 to n at which a rule fires, "2 4 ". */
static char *firings(fault_plan *plan, unsigned n)
{
    GString *out = g_string_new(NULL);

    for (unsigned td = 1; td <= n; td++) {
        fault_site site = a_packet(td);
        fault_rule *rule = fault_match(plan, &site);

        if (rule) {
            g_string_append_printf(out, "%s%u ",
                                   rule == plan->rules ? "" : rule->name, td);
        }
    }
    return g_string_free(out, FALSE);
}

typedef struct {
    const char *name, *text, *fired;
} when_row;

#define WHEN(text) RULE("'when': {" text "}, 'action': 'stall'")

static const when_row whens[] = {
    { "always", RULE("'action': 'stall'"), "1 2 3 4 5 6 7 8 9 10 11 12 " },
    { "nth", WHEN("'nth': 3"), "3 " },
    { "every", WHEN("'every': 5"), "5 10 " },
    { "nth-every", WHEN("'nth': 2, 'every': 5"), "2 7 12 " },
    { "count", WHEN("'count': 2"), "1 2 " },
    { "every-count", WHEN("'every': 3, 'count': 2"), "3 6 " },
    { "never", WHEN("'probability': 0"), "" },
    { "surely", WHEN("'probability': 1, 'count': 1"), "1 " },
    { "td", RULE("'where': {'td': [4, 6]}, 'action': 'stall'"), "4 5 6 " },
    { "microframe",
      RULE("'where': {'microframe': [0, 17]}, 'action': "
           "'stall'"),
      "1 2 " },
    { "microframe-one", RULE("'where': {'microframe': 16}, 'action': 'stall'"),
      "2 " },
    { "nth-of-where",
      RULE("'where': {'td': [4, 9]}, 'when': {'nth': 2}, "
           "'action': 'stall'"),
      "5 " },
    { "trb", RULE("'where': {'trb': 'normal', 'td': 1}, 'action': 'stall'"),
      "1 " },
    { "trb-other", RULE("'where': {'trb': 'isoch'}, 'action': 'silence'"), "" },
    { "not-there", RULE("'where': {'stream': 1}, 'action': 'stall'"), "" },
    { "not-legal",
      RULE("'action': 'complete', 'with': {'code': "
           "'isoch-buffer-overrun'}"),
      "" },
    { "first-wins",
      "{'rules': [{'name': 'a', 'where': {'td': 2}, 'action': 'stall'}, "
      "{'name': 'b', 'where': {'td': [1, 3]}, 'action': 'silence'}]}",
      "b1 2 b3 " },
    { "after",
      "{'rules': [{'name': 'a', 'where': {'td': 4}, 'action': 'stall'}, "
      "{'name': 'b', 'when': {'after': 'a', 'nth': 2}, 'action': "
      "'silence'}]}",
      "4 b6 " },
    { "states",
      "{'states': ['calm', 'storm'], 'rules': ["
      "{'name': 'a', 'when': {'state': 'calm', 'nth': 3}, 'action': 'stall', "
      "'then': 'storm'}, "
      "{'name': 'b', 'when': {'state': ['storm'], 'every': 2}, 'action': "
      "'silence'}]}",
      "3 b5 b7 b9 b11 " },
};

static void fires(const void *data)
{
    const when_row *row = data;
    g_autoptr(fault_plan) plan = good(row->text);
    g_autofree char *fired = firings(plan, 12);

    g_assert_cmpstr(fired, ==, row->fired);
}

typedef struct {
    const char *name, *request;
    bool hits;
} request_row;

/* Against SET_INTERFACE of interface 1, alternate 4. */
static const request_row requests[] = {
    { "name", "'name': 'set-interface'", true },
    { "other-name", "'name': 'get-interface'", false },
    { "number", "'bRequest': 11", true },
    { "type", "'bmRequestType': 1", true },
    { "other-type", "'bmRequestType': 0", false },
    { "index", "'name': 'set-interface', 'wIndex': 1", true },
    { "other-index", "'name': 'set-interface', 'wIndex': 0", false },
    { "value", "'name': 'set-interface', 'wValue': [1, 255]", true },
    { "other-value", "'name': 'set-interface', 'wValue': 0", false },
    { "length", "'name': 'set-interface', 'wLength': 0", true },
    { "other-length", "'wLength': [1, 65535]", false },
};

static void request(const void *data)
{
    const request_row *row = data;
    g_autofree char *text = g_strdup_printf(
        "{'rules': [{'where': {'request': {%s}}, 'action': 'stall'}]}",
        row->request);
    g_autoptr(fault_plan) plan = good(text);
    fault_site site = a_packet(1);

    g_assert_null(fault_match(plan, &site)); /* it has no SETUP */
    fault_site_set(&site, FAULT_TYPE, FAULT_CONTROL);
    fault_site_set(&site, FAULT_DIRECTION, FAULT_OUT);
    fault_site_set(&site, FAULT_REQUEST, 11);
    fault_site_set(&site, FAULT_BM_REQUEST_TYPE, 1);
    fault_site_set(&site, FAULT_B_REQUEST, 11);
    fault_site_set(&site, FAULT_W_VALUE, 4);
    fault_site_set(&site, FAULT_W_INDEX, 1);
    fault_site_set(&site, FAULT_W_LENGTH, 0);
    g_assert_cmpint(fault_match(plan, &site) != NULL, ==, row->hits);
}

/* The same seed, the same rule, the same draws, whatever else there is. */
static void chance(void)
{
    static const char one[] =
        "{'seed': 7, 'rules': [{'name': 'a', 'when': {'probability': 0.25}, "
        "'action': 'stall'}]}";
    static const char two[] =
        "{'seed': 7, 'rules': [{'name': 'z', 'where': {'stream': 3}, 'when': "
        "{'probability': 0.5}, 'action': 'stall'}, {'name': 'a', 'when': "
        "{'probability': 0.25}, 'action': 'stall'}]}";
    static const char other[] =
        "{'seed': 8, 'rules': [{'name': 'a', 'when': {'probability': 0.25}, "
        "'action': 'stall'}]}";
    g_autoptr(fault_plan) a = good(one);
    g_autoptr(fault_plan) b = good(two);
    g_autoptr(fault_plan) c = good(other);

    g_free(firings(a, 10000));
    g_free(firings(b, 10000));
    g_free(firings(c, 10000));
    g_assert_cmpuint(a->rules[0].hits, >, 2300);
    g_assert_cmpuint(a->rules[0].hits, <, 2700);
    g_assert_cmpuint(a->rules[0].random, ==, b->rules[1].random);
    g_assert_cmpuint(a->rules[0].hits, ==, b->rules[1].hits);
    g_assert_cmpuint(a->rules[0].random, !=, c->rules[0].random);
}

/* What is read back is the plan, can be set again, and tells the counters. */
static void read_back(void)
{
    g_autoptr(fault_plan) plan =
        good("{'about': 'x', 'states': ['a', 'b'], 'rules': [{'where': {'td': "
             "[2, 3]}, 'when': {'probability': 0.5}, 'action': 'stall', "
             "'then': 'b'}]}");
    g_autoptr(fault_plan) again = NULL;
    g_autofree char *text = NULL;
    json_error error = { 0 };

    plan->rules[0].seen = 5;
    plan->rules[0].hits = 3;
    plan->state = 1;
    text = fault_plan_print(plan, 77, 9);
    g_assert_cmpstr(
        text, ==,
        "{\"about\":\"x\",\"states\":[\"a\",\"b\"],\"rules\":[{\"name\":"
        "\"rule-1\",\"where\":{\"td\":[2,3]},\"when\":{\"probability\":0.5},"
        "\"action\":\"stall\",\"then\":\"b\",\"seen\":5,\"hits\":3}],"
        "\"state\":\"b\",\"microframe\":77,\"dropped\":9}");
    again = fault_plan_parse(text, strlen(text), &error);
    g_assert_nonnull(again);
    g_assert_cmpuint(again->rules[0].hits, ==, 0);
    g_assert_cmpuint(again->state, ==, 0);
}

static void log_line(void)
{
    g_autoptr(fault_plan) plan =
        good("{'name': 'loose', 'rules': [{'name': 'r', 'action': 'complete', "
             "'with': {'code': 3}}]}");
    fault_done done = { .has_code = true, .code = 3, .has_bytes = true };
    fault_site site = a_packet(57);
    g_autofree char *line = NULL;

    fault_site_set(&site, FAULT_PORT_ID, 5);
    site.trb_gpa = 0x1234560;
    plan->rules[0].hits = 1;
    line = fault_log_line(plan, &plan->rules[0], &site, 12345, &done);
    g_assert_cmpstr(
        line, ==,
        "{\"uf\":12345,\"plan\":\"loose\",\"rule\":\"r\",\"hit\":1,\"seam\":"
        "\"packet\",\"slot\":1,\"port\":5,\"dci\":3,\"endpoint\":1,"
        "\"direction\":\"in\",\"type\":\"bulk\",\"td\":57,\"trb\":"
        "\"0x1234560\",\"action\":\"complete\",\"code\":3,\"code-name\":"
        "\"Babble Detected Error\",\"bytes\":0}");
}

/* The request that was hit; a vendor's has no name. */
static void log_request(void)
{
    g_autoptr(fault_plan) plan =
        good("{'name': 'p', 'rules': [{'name': 'r', 'action': 'stall'}]}");
    fault_done done = { 0 };
    fault_site site = { .seam = FAULT_PACKET };
    g_autofree char *vendor = NULL;
    g_autofree char *named = NULL;

    fault_site_set(&site, FAULT_ENDPOINT, 0);
    fault_site_set(&site, FAULT_BM_REQUEST_TYPE, 0x40);
    fault_site_set(&site, FAULT_B_REQUEST, 11);
    fault_site_set(&site, FAULT_W_VALUE, 4);
    fault_site_set(&site, FAULT_W_INDEX, 1);
    fault_site_set(&site, FAULT_W_LENGTH, 0);
    vendor = fault_log_line(plan, &plan->rules[0], &site, 9, &done);
    g_assert_cmpstr(
        vendor, ==,
        "{\"uf\":9,\"plan\":\"p\",\"rule\":\"r\",\"hit\":0,\"seam\":"
        "\"packet\",\"dci\":1,\"endpoint\":0,\"request\":{"
        "\"bmRequestType\":64,\"bRequest\":11,\"wValue\":4,\"wIndex\":1,"
        "\"wLength\":0},\"action\":\"stall\"}");
    fault_site_set(&site, FAULT_BM_REQUEST_TYPE, 1);
    fault_site_set(&site, FAULT_REQUEST, 11);
    named = fault_log_line(plan, &plan->rules[0], &site, 9, &done);
    g_assert_nonnull(
        strstr(named, "\"wLength\":0,\"name\":\"set-interface\"}"));
}

static void log_is_bounded(void)
{
    fault_log log;

    fault_log_init(&log);
    for (unsigned i = 0; i < FAULT_LOG_MAX + 10; i++) {
        fault_log_add(&log, g_strdup_printf("%u", i));
    }
    g_assert_cmpuint(g_queue_get_length(&log.lines), ==, FAULT_LOG_MAX);
    g_assert_cmpuint(log.dropped, ==, 10);
    g_assert_cmpstr(g_queue_peek_head(&log.lines), ==, "10");
    fault_log_clear(&log);
}

/* Every action has a row, a line that says what it does, and sane bounds. */
static void tables(void)
{
    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        const fault_action *a = &fault_actions[i];

        g_assert_nonnull(a->name);
        g_assert_nonnull(a->text);
        g_assert_cmpuint(a->seams, !=, 0);
        for (unsigned k = 0; k < FAULT_PARAMS_MAX && a->params[k].name; k++) {
            g_assert_nonnull(a->params[k].text);
            g_assert_cmpuint(a->params[k].min, <=, a->params[k].max);
        }
    }
    for (unsigned i = 1; i < fault_code_count; i++) {
        g_assert_cmpuint(fault_codes[i - 1].code, <, fault_codes[i].code);
    }
}

/* The parser under random mutations of a plan that has everything. */
static const char everything[] =
    "{'name':'n','about':'\\u00e4','seed':1,'states':['a','b'],'rules':["
    "{'name':'x','where':{'seam':'packet','slot':1,'port':2,'endpoint':1,"
    "'direction':'in','type':'bulk','stream':1,'trb':'normal','td':[1,9],"
    "'microframe':[0,8]},'when':{'nth':1,'every':2,'count':3,'probability':"
    "0.5e0,'state':['a'],'after':'y'},'action':'complete','with':{'code':"
    "'babble-detected','bytes':0},'then':'b'},"
    "{'name':'y','where':{'event':'transfer','code':13,'interrupter':0},"
    "'action':'event-code','with':{'code':255,'length':1}},"
    "{'where':{'register':'PORTSC','access':'read'},'action':"
    "'register-value','with':{'value':4294967295}},"
    "{'where':{'request':{'name':'set-interface','bmRequestType':1,"
    "'bRequest':11,'wValue':[1,9],'wIndex':1,'wLength':0}},"
    "'action':'stall'},"
    "{'where':{'memory':'data'},'action':'dma-read-error'},"
    "{'where':{'command':'no-op'},'action':'command-hang'},"
    "{'where':{'port':1,'microframe':9},'action':'unplug'}]}";

static void mutate(GRand *rand, GString *text)
{
    static const char pieces[][12] = { "{",    "}",  "[",    "]",    ",",
                                       ":",    "\"", "\\u",  "-1",   "1e9",
                                       "null", "\n", "true", "\xc3", "0" };
    gsize at = g_rand_int_range(rand, 0, MAX(text->len, 1));
    gsize length = g_rand_int_range(rand, 0, 20);

    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        g_string_erase(text, at, MIN(text->len - at, length));
        break;
    case 1:
        g_string_insert(
            text, at, pieces[g_rand_int_range(rand, 0, G_N_ELEMENTS(pieces))]);
        break;
    case 2:
        if (text->len) {
            text->str[at] = g_rand_int_range(rand, 1, 256);
        }
        break;
    default:
        g_string_insert_len(text, at, text->str + at / 2,
                            MIN(text->len - at / 2, 30));
        break;
    }
}

static void fuzz(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    unsigned taken = 0;

    for (unsigned i = 0; i < 20000; i++) {
        g_autoptr(GString) text = g_string_new(everything);
        json_error error = { 0 };
        fault_plan *plan;

        g_strdelimit(text->str, "'", '"');
        for (int n = g_rand_int_range(rand, 0, 6); n > 0; n--) {
            mutate(rand, text);
        }
        plan = fault_plan_parse(text->str, text->len, &error);
        if (plan) {
            g_autofree char *again = fault_plan_print(plan, 0, 0);

            g_free(firings(plan, 4));
            fault_plan_free(plan);
            plan = fault_plan_parse(again, strlen(again), &error);
            g_assert_nonnull(plan);
            fault_plan_free(plan);
            taken++;
        } else {
            g_assert_nonnull(error.reason);
            g_assert_cmpuint(error.line, >=, 1);
            g_free(error.reason);
        }
    }
    g_assert_cmpuint(taken, >, 1000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *name = g_strdup_printf("/refused/%s", bad[i].name);

        g_test_add_data_func(name, &bad[i], refused);
    }
    g_test_add_func("/refused/too-large", too_large);
    g_test_add_func("/refused/not-utf8", not_utf8);
    for (size_t i = 0; i < G_N_ELEMENTS(whens); i++) {
        g_autofree char *name = g_strdup_printf("/fires/%s", whens[i].name);

        g_test_add_data_func(name, &whens[i], fires);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autofree char *name =
            g_strdup_printf("/request/%s", requests[i].name);

        g_test_add_data_func(name, &requests[i], request);
    }
    g_test_add_func("/fires/chance", chance);
    g_test_add_func("/read-back", read_back);
    g_test_add_func("/log/line", log_line);
    g_test_add_func("/log/request", log_request);
    g_test_add_func("/log/bounded", log_is_bounded);
    g_test_add_func("/tables", tables);
    g_test_add_func("/fuzz", fuzz);
    return g_test_run();
}
