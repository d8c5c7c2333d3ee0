/*
 * Checking a plan. See fault-check.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fault-check.h"

#include "command.h"
#include "fault-merge.h"

JsonObject *isolab_fault_check(const char *where, const char *text,
                               GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) own = NULL;
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, -1, &own)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s:%u:%u: %s", where,
                    json_parser_get_current_line(parser),
                    json_parser_get_current_pos(parser), own->message);
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s:1:1: a plan is a JSON object.", where);
        return NULL;
    }
    return isolab_fault_as_plan(json_node_get_object(root));
}
