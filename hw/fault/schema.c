/*
 * The published schema (JSON Schema 2020-12), printed from the tables that the
 * loader uses: what one takes the other allows. share/schema/ has it as a
 * file; a test compares the two. What a schema cannot say - combinations - is
 * in check.c and in docs/fault-plans.md.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan.h"

typedef struct {
    GString *out;
    unsigned depth;
    bool first; /* within its brackets */
} writer;

static void begin_item(writer *w, const char *key)
{
    g_string_append(w->out, w->first ? "\n" : ",\n");
    g_string_append_printf(w->out, "%*s", (int)w->depth * 2, "");
    if (key) {
        json_put_string(w->out, key);
        g_string_append(w->out, ": ");
    }
    w->first = false;
}

static void open_bracket(writer *w, const char *key, char bracket)
{
    begin_item(w, key);
    g_string_append_c(w->out, bracket);
    w->depth++;
    w->first = true;
}

static void close_bracket(writer *w, char bracket)
{
    w->depth--;
    g_string_append_printf(w->out, "\n%*s%c", (int)w->depth * 2, "", bracket);
    w->first = false;
}

static void put_text(writer *w, const char *key, const char *text)
{
    begin_item(w, key);
    json_put_string(w->out, text);
}

static void put_number(writer *w, const char *key, uint64_t value)
{
    begin_item(w, key);
    g_string_append_printf(w->out, "%" G_GUINT64_FORMAT, value);
}

static void put_closed(writer *w)
{
    begin_item(w, "additionalProperties");
    g_string_append(w->out, "false");
}

static void put_range(writer *w, uint64_t min, uint64_t max)
{
    put_text(w, "type", "integer");
    put_number(w, "minimum", min);
    put_number(w, "maximum", max);
}

static void put_name(writer *w, const char *key, const char *text)
{
    open_bracket(w, key, '{');
    put_text(w, "description", text);
    put_text(w, "type", "string");
    put_number(w, "minLength", 1);
    put_number(w, "maxLength", FAULT_NAME_MAX);
    close_bracket(w, '}');
}

/* A name, or one of several. */
static void put_names(writer *w, const char *key, const char *text)
{
    open_bracket(w, key, '{');
    put_text(w, "description", text);
    open_bracket(w, "anyOf", '[');
    open_bracket(w, NULL, '{');
    put_text(w, "type", "string");
    close_bracket(w, '}');
    open_bracket(w, NULL, '{');
    put_text(w, "type", "array");
    put_number(w, "minItems", 1);
    open_bracket(w, "items", '{');
    put_text(w, "type", "string");
    close_bracket(w, '}');
    close_bracket(w, '}');
    close_bracket(w, ']');
    close_bracket(w, '}');
}

static void put_code(writer *w)
{
    begin_item(w, "$ref");
    g_string_append(w->out, "\"#/$defs/code\"");
}

static void put_words(writer *w, const fault_words *words)
{
    open_bracket(w, "enum", '[');
    for (unsigned i = 0; i < words->count; i++) {
        put_text(w, NULL, words->words[i].name);
    }
    close_bracket(w, ']');
}

static void put_range_of_two(writer *w, const fault_key_row *row)
{
    open_bracket(w, "anyOf", '[');
    open_bracket(w, NULL, '{');
    put_range(w, row->min, row->max);
    close_bracket(w, '}');
    open_bracket(w, NULL, '{');
    put_text(w, "type", "array");
    put_number(w, "minItems", 2);
    put_number(w, "maxItems", 2);
    open_bracket(w, "items", '{');
    put_range(w, row->min, row->max);
    close_bracket(w, '}');
    close_bracket(w, '}');
    close_bracket(w, ']');
}

static void put_registers(writer *w)
{
    open_bracket(w, "enum", '[');
    for (unsigned i = 0; i < fault_register_count; i++) {
        put_text(w, NULL, fault_registers[i].name);
    }
    close_bracket(w, ']');
}

static void put_keys(writer *w, bool of_request)
{
    for (unsigned i = 0; i < FAULT_KEYS; i++) {
        const fault_key_row *row = &fault_keys[i];

        if (row->of_request != of_request) {
            continue;
        }
        open_bracket(w, row->name, '{');
        put_text(w, "description", row->text);
        if (row->is_range) {
            put_range_of_two(w, row);
        } else if (i == FAULT_CODE) {
            put_code(w);
        } else if (i == FAULT_REGISTER_ID) {
            put_registers(w);
        } else if (row->words) {
            put_words(w, row->words);
        } else {
            put_range(w, row->min, row->max);
        }
        close_bracket(w, '}');
    }
}

static void put_request(writer *w)
{
    open_bracket(w, FAULT_REQUEST_KEY, '{');
    put_text(w, "description", "of a control transfer, what its SETUP asks");
    put_text(w, "type", "object");
    put_number(w, "minProperties", 1);
    put_closed(w);
    open_bracket(w, "properties", '{');
    put_keys(w, true);
    close_bracket(w, '}');
    close_bracket(w, '}');
}

static void put_where(writer *w)
{
    open_bracket(w, "where", '{');
    put_text(w, "description", "of which occurrences; all that is here");
    put_text(w, "type", "object");
    put_closed(w);
    open_bracket(w, "properties", '{');
    open_bracket(w, "seam", '{');
    put_text(w, "description", "what passes; implied by most actions");
    put_words(w, &fault_seam_words);
    close_bracket(w, '}');
    put_keys(w, false);
    put_request(w);
    close_bracket(w, '}');
    close_bracket(w, '}');
}

static void put_when(writer *w)
{
    open_bracket(w, "when", '{');
    put_text(w, "description", "at which of them; all that is here");
    put_text(w, "type", "object");
    put_closed(w);
    open_bracket(w, "properties", '{');
    for (unsigned i = 0; i < FAULT_WHENS; i++) {
        const fault_when_row *row = &fault_whens[i];

        if (i == FAULT_W_STATE) {
            put_names(w, row->name, row->text);
            continue;
        }
        if (i == FAULT_W_AFTER) {
            put_name(w, row->name, row->text);
            continue;
        }
        open_bracket(w, row->name, '{');
        put_text(w, "description", row->text);
        if (i == FAULT_W_PROBABILITY) {
            put_text(w, "type", "number");
            put_number(w, "minimum", row->min);
            put_number(w, "maximum", row->max);
        } else {
            put_range(w, row->min, row->max);
        }
        close_bracket(w, '}');
    }
    close_bracket(w, '}');
    close_bracket(w, '}');
}

static void put_params(writer *w, const fault_action *action)
{
    bool needs = false;

    open_bracket(w, "with", '{');
    put_text(w, "type", "object");
    put_closed(w);
    open_bracket(w, "properties", '{');
    for (unsigned i = 0; i < FAULT_PARAMS_MAX && action->params[i].name; i++) {
        const fault_param *p = &action->params[i];

        needs |= p->required;
        open_bracket(w, p->name, '{');
        put_text(w, "description", p->text);
        if (p->kind == FAULT_P_CODE) {
            put_code(w);
        } else {
            put_range(w, p->min, p->max);
        }
        close_bracket(w, '}');
    }
    close_bracket(w, '}');
    if (needs) {
        open_bracket(w, "required", '[');
        for (unsigned i = 0; i < FAULT_PARAMS_MAX; i++) {
            if (action->params[i].required) {
                put_text(w, NULL, action->params[i].name);
            }
        }
        close_bracket(w, ']');
    }
    close_bracket(w, '}');
}

static bool is_needy(const fault_action *action)
{
    for (unsigned i = 0; i < FAULT_PARAMS_MAX; i++) {
        if (action->params[i].required) {
            return true;
        }
    }
    return false;
}

/* Each action, and its parameters. */
static void put_actions(writer *w)
{
    open_bracket(w, "oneOf", '[');
    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        const fault_action *action = &fault_actions[i];

        open_bracket(w, NULL, '{');
        put_text(w, "description", action->text);
        open_bracket(w, "properties", '{');
        open_bracket(w, "action", '{');
        put_text(w, "const", action->name);
        close_bracket(w, '}');
        put_params(w, action);
        close_bracket(w, '}');
        if (is_needy(action)) {
            open_bracket(w, "required", '[');
            put_text(w, NULL, "with");
            close_bracket(w, ']');
        }
        close_bracket(w, '}');
    }
    close_bracket(w, ']');
}

/* Of a plan that was read back. */
static void put_counter(writer *w, const char *key, const char *type)
{
    open_bracket(w, key, '{');
    put_text(w, "type", type);
    begin_item(w, "readOnly");
    g_string_append(w->out, "true");
    close_bracket(w, '}');
}

static void put_rule(writer *w)
{
    open_bracket(w, "rule", '{');
    put_text(w, "type", "object");
    open_bracket(w, "required", '[');
    put_text(w, NULL, "action");
    close_bracket(w, ']');
    put_closed(w);
    open_bracket(w, "properties", '{');
    put_name(w, "name", "no other rule has it; rule-N when it is not given");
    put_where(w);
    put_when(w);
    open_bracket(w, "action", '{');
    put_text(w, "type", "string");
    close_bracket(w, '}');
    open_bracket(w, "with", '{');
    put_text(w, "type", "object");
    close_bracket(w, '}');
    put_name(w, "then", "the state in which the plan is afterwards");
    put_counter(w, "seen", "integer");
    put_counter(w, "hits", "integer");
    close_bracket(w, '}');
    put_actions(w);
    close_bracket(w, '}');
}

static void put_code_def(writer *w)
{
    open_bracket(w, "code", '{');
    put_text(w, "description", "a completion code of xHCI 1.2 Table 6-90");
    open_bracket(w, "anyOf", '[');
    open_bracket(w, NULL, '{');
    put_range(w, 0, 255);
    close_bracket(w, '}');
    open_bracket(w, NULL, '{');
    open_bracket(w, "enum", '[');
    for (unsigned i = 0; i < fault_code_count; i++) {
        put_text(w, NULL, fault_codes[i].name);
    }
    close_bracket(w, ']');
    close_bracket(w, '}');
    close_bracket(w, ']');
    close_bracket(w, '}');
}

static void put_states(writer *w)
{
    open_bracket(w, "states", '{');
    put_text(w, "description", "of the plan; the first is where it begins");
    put_text(w, "type", "array");
    put_number(w, "minItems", 1);
    put_number(w, "maxItems", FAULT_STATES_MAX);
    begin_item(w, "uniqueItems");
    g_string_append(w->out, "true");
    open_bracket(w, "items", '{');
    put_text(w, "type", "string");
    put_number(w, "minLength", 1);
    put_number(w, "maxLength", FAULT_NAME_MAX);
    close_bracket(w, '}');
    close_bracket(w, '}');
}

static void put_plan(writer *w)
{
    open_bracket(w, "properties", '{');
    put_name(w, "name", "of the plan, for the log");
    open_bracket(w, "about", '{');
    put_text(w, "description", "what it is for, in a paragraph");
    put_text(w, "type", "string");
    close_bracket(w, '}');
    open_bracket(w, "seed", '{');
    put_text(w, "description", "of the rules' generators");
    put_range(w, 0, INT64_MAX);
    close_bracket(w, '}');
    put_states(w);
    open_bracket(w, "rules", '{');
    put_text(w, "description", "in order: the first that is to fire does");
    put_text(w, "type", "array");
    put_number(w, "maxItems", FAULT_RULES_MAX);
    open_bracket(w, "items", '{');
    put_text(w, "$ref", "#/$defs/rule");
    close_bracket(w, '}');
    close_bracket(w, '}');
    put_counter(w, "state", "string");
    put_counter(w, "microframe", "integer");
    put_counter(w, "dropped", "integer");
    close_bracket(w, '}');
}

char *fault_schema_print(void)
{
    writer w = { g_string_new("{"), 1, true };

    put_text(&w, "$schema", "https://json-schema.org/draft/2020-12/schema");
    put_text(&w, "$comment", "SPDX-License-Identifier: GPL-2.0-or-later");
    put_text(&w, "title", "IsoLab fault plan");
    put_text(&w, "type", "object");
    open_bracket(&w, "required", '[');
    put_text(&w, NULL, "rules");
    close_bracket(&w, ']');
    put_closed(&w);
    put_plan(&w);
    open_bracket(&w, "$defs", '{');
    put_code_def(&w);
    put_rule(&w);
    close_bracket(&w, '}');
    close_bracket(&w, '}');
    g_string_append_c(w.out, '\n');
    return g_string_free(w.out, FALSE);
}
