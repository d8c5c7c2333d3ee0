/*
 * Checking a plan, with the controller's own loader (hw/fault). See
 * fault-check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fault-check.h"

#include "command.h"
#include "fault-merge.h"
#include "hw/fault/plan.h"

#include <string.h>

/* A rule alone becomes a plan by this. */
#define BEFORE "{\"rules\": ["
#define BEHIND "]}"

/* The object that the text is, if it is JSON at all. */
static JsonObject *parse(const char *text)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, -1, NULL)) {
        return NULL;
    }
    root = json_parser_get_root(parser);
    return root && JSON_NODE_HOLDS_OBJECT(root)
               ? json_object_ref(json_node_get_object(root))
               : NULL;
}

JsonObject *isolab_fault_check(const char *where, const char *text,
                               GError **error)
{
    g_autoptr(JsonObject) given = parse(text);
    g_autoptr(JsonObject) as_plan = given ? isolab_fault_as_plan(given) : NULL;
    bool is_rule = as_plan != given;
    g_autofree char *whole =
        is_rule ? g_strconcat(BEFORE, text, BEHIND, NULL) : g_strdup(text);
    json_error wrong = { 0 };
    g_autoptr(fault_plan) plan = fault_plan_parse(whole, strlen(whole), &wrong);

    if (!plan) {
        unsigned shift = is_rule && wrong.line == 1 ? strlen(BEFORE) : 0;

        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s:%u:%u: %s", where,
                    wrong.line, wrong.column - MIN(shift, wrong.column - 1),
                    wrong.reason);
        g_free(wrong.reason);
        return NULL;
    }
    if (!as_plan) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "%s: json-glib does not read what the controller does.",
                    where);
    }
    return g_steal_pointer(&as_plan);
}
