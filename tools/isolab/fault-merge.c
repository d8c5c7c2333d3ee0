/*
 * Putting plans together. See fault-merge.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fault-merge.h"

#include "command.h"
#include "json.h"

static JsonObject *copy(JsonObject *object)
{
    g_autofree char *text = isolab_json_line(object);

    return isolab_json_parse(text, NULL);
}

static bool has_rule(JsonArray *rules, const char *name)
{
    for (unsigned i = 0; i < json_array_get_length(rules); i++) {
        JsonObject *rule = isolab_json_element(rules, i);

        if (g_strcmp0(isolab_json_text(rule, "name"), name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_state(JsonArray *states, const char *name)
{
    for (unsigned i = 0; i < json_array_get_length(states); i++) {
        JsonNode *state = json_array_get_element(states, i);

        if (JSON_NODE_HOLDS_VALUE(state) &&
            g_strcmp0(json_node_get_string(state), name) == 0) {
            return true;
        }
    }
    return false;
}

static JsonArray *array_of(JsonObject *plan, const char *name)
{
    JsonArray *array = isolab_json_array(plan, name);

    if (!array) {
        array = json_array_new();
        json_object_set_array_member(plan, name, array);
    }
    return array;
}

static void add_states(JsonObject *plan, JsonObject *added)
{
    JsonArray *more = isolab_json_array(added, "states");
    JsonArray *states = more ? array_of(plan, "states") : NULL;

    for (unsigned i = 0; more && i < json_array_get_length(more); i++) {
        JsonNode *state = json_array_get_element(more, i);

        if (!JSON_NODE_HOLDS_VALUE(state) ||
            !has_state(states, json_node_get_string(state))) {
            json_array_add_element(states, json_node_copy(state));
        }
    }
}

JsonObject *isolab_fault_merge(JsonObject *running, JsonObject *added,
                               GError **error)
{
    g_autoptr(JsonObject) plan = copy(running);
    JsonArray *rules = array_of(plan, "rules");
    JsonArray *more = isolab_json_array(added, "rules");

    for (unsigned i = 0; more && i < json_array_get_length(more); i++) {
        JsonObject *rule = isolab_json_element(more, i);
        const char *name = isolab_json_text(rule, "name");

        if (name && has_rule(rules, name)) {
            g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                        "There is a rule '%s' already; give the new one "
                        "another name, or clear the plan first.",
                        name);
            return NULL;
        }
        json_array_add_element(rules,
                               json_node_copy(json_array_get_element(more, i)));
    }
    add_states(plan, added);
    return g_steal_pointer(&plan);
}

JsonObject *isolab_fault_as_plan(JsonObject *given)
{
    JsonObject *plan;
    JsonArray *rules;

    if (!isolab_json_get(given, "action") || isolab_json_get(given, "rules")) {
        return json_object_ref(given);
    }
    plan = json_object_new();
    rules = array_of(plan, "rules");
    json_array_add_object_element(rules, json_object_ref(given));
    return plan;
}
