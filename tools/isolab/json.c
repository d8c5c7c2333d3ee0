/*
 * Members of JSON objects, and text. See json.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "json.h"

#include "command.h"

#include <stdio.h>

JsonNode *isolab_json_get(JsonObject *object, const char *name)
{
    return object ? json_object_get_member(object, name) : NULL;
}

JsonObject *isolab_json_object(JsonObject *object, const char *name)
{
    JsonNode *node = isolab_json_get(object, name);

    return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node)
                                                : NULL;
}

JsonArray *isolab_json_array(JsonObject *object, const char *name)
{
    JsonNode *node = isolab_json_get(object, name);

    return node && JSON_NODE_HOLDS_ARRAY(node) ? json_node_get_array(node)
                                               : NULL;
}

static bool holds(JsonNode *node, GType type)
{
    return node && JSON_NODE_HOLDS_VALUE(node) &&
           json_node_get_value_type(node) == type;
}

const char *isolab_json_text(JsonObject *object, const char *name)
{
    JsonNode *node = isolab_json_get(object, name);

    return holds(node, G_TYPE_STRING) ? json_node_get_string(node) : NULL;
}

int64_t isolab_json_int(JsonObject *object, const char *name, int64_t none)
{
    JsonNode *node = isolab_json_get(object, name);

    return holds(node, G_TYPE_INT64) ? json_node_get_int(node) : none;
}

bool isolab_json_bool(JsonObject *object, const char *name)
{
    JsonNode *node = isolab_json_get(object, name);

    return holds(node, G_TYPE_BOOLEAN) && json_node_get_boolean(node);
}

JsonObject *isolab_json_element(JsonArray *array, unsigned i)
{
    JsonNode *node = json_array_get_element(array, i);

    return JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

JsonObject *isolab_json_parse(const char *text, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, -1, error)) {
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (!root || !JSON_NODE_HOLDS_OBJECT(root)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "not a JSON object: it has to begin with '{'");
        return NULL;
    }
    return json_object_ref(json_node_get_object(root));
}

static char *to_text(JsonObject *object, bool pretty)
{
    g_autoptr(JsonNode) node = json_node_new(JSON_NODE_OBJECT);

    json_node_set_object(node, object);
    return json_to_string(node, pretty);
}

char *isolab_json_line(JsonObject *object)
{
    return to_text(object, false);
}

char *isolab_json_pretty(JsonObject *object)
{
    return to_text(object, true);
}

void isolab_json_print(JsonObject *object)
{
    g_autofree char *text = isolab_json_line(object);

    puts(text);
    fflush(stdout);
}
