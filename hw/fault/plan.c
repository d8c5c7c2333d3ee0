/*
 * From JSON to a plan. Each object is a row of keys, and each key a function
 * that takes its value and says what is wrong with it; combinations that cannot
 * be are checked once the rule is whole (check.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan.h"
#include "check.h"
#include "match.h"

#include <string.h>

typedef struct {
    fault_plan *plan;
    fault_rule *rule; /* the one at hand */
    json_error *error;
} loader;

typedef struct {
    const char *key;
    bool (*take)(loader *l, const json_node *value);
} key_row;

static bool wrong(loader *l, const json_node *at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool wrong(loader *l, const json_node *at, const char *format, ...)
{
    g_autofree char *reason = NULL;
    va_list ap;

    va_start(ap, format);
    reason = g_strdup_vprintf(format, ap);
    va_end(ap);
    json_fail(l->error, at->line, at->column, "%s", reason);
    return false;
}

static bool is_a(loader *l, const json_node *value, json_type type)
{
    return value->type == type ||
           wrong(l, value, "'%s' should be %s and is %s",
                 value->key ? value->key : "this", json_type_name(type),
                 json_type_name(value->type));
}

/* At the key, which is what is wrong. */
static bool unknown_key(loader *l, const json_node *value)
{
    json_fail(l->error, value->key_line, value->key_column,
              "there is no key '%s' here", value->key);
    return false;
}

static bool take_object(loader *l, const json_node *object, const key_row *rows,
                        size_t count)
{
    if (!is_a(l, object, JSON_OBJECT)) {
        return false;
    }
    for (unsigned i = 0; i < object->children->len; i++) {
        const json_node *value = g_ptr_array_index(object->children, i);
        size_t k = 0;

        while (k < count && !g_str_equal(rows[k].key, value->key)) {
            k++;
        }
        if (k == count) {
            return unknown_key(l, value);
        }
        if (rows[k].take && !rows[k].take(l, value)) {
            return false;
        }
    }
    return true;
}

static bool take_number(loader *l, const json_node *value, uint64_t min,
                        uint64_t max, uint64_t *out)
{
    if (!is_a(l, value, JSON_NUMBER)) {
        return false;
    }
    if (!value->is_integer || value->integer < 0 ||
        (uint64_t)value->integer < min || (uint64_t)value->integer > max) {
        return wrong(l, value,
                     "'%s' should be a whole number from %" G_GUINT64_FORMAT
                     " to %" G_GUINT64_FORMAT,
                     value->key ? value->key : "this", min, max);
    }
    *out = value->integer;
    return true;
}

static bool take_text(loader *l, const json_node *value, const char **out)
{
    size_t length;

    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    length = strlen(value->string);
    if (length < 1 || length > FAULT_NAME_MAX) {
        return wrong(l, value, "a name has 1 to %u bytes", FAULT_NAME_MAX);
    }
    *out = value->string;
    return true;
}

static bool take_word(loader *l, const json_node *value,
                      const fault_words *words, uint64_t *out)
{
    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    for (unsigned i = 0; i < words->count; i++) {
        if (g_str_equal(words->words[i].name, value->string)) {
            *out = words->words[i].value;
            return true;
        }
    }
    return wrong(l, value, "'%s' cannot be '%s'", value->key, value->string);
}

static bool take_code(loader *l, const json_node *value, uint64_t min,
                      uint64_t *out)
{
    if (value->type == JSON_NUMBER) {
        return take_number(l, value, min, 255, out);
    }
    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    for (unsigned i = 0; i < fault_code_count; i++) {
        if (g_str_equal(fault_codes[i].name, value->string)) {
            *out = fault_codes[i].code;
            return true;
        }
    }
    return wrong(l, value, "there is no completion code '%s'", value->string);
}

static bool take_register(loader *l, const json_node *value, uint64_t *out)
{
    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    for (unsigned i = 0; i < fault_register_count; i++) {
        if (g_str_equal(fault_registers[i].name, value->string)) {
            *out = i;
            return true;
        }
    }
    return wrong(l, value, "there is no register '%s'", value->string);
}

static bool take_range(loader *l, const json_node *value,
                       const fault_key_row *row, fault_range *out)
{
    if (value->type != JSON_ARRAY) {
        out->last = 0;
        if (!take_number(l, value, row->min, row->max, &out->first)) {
            return false;
        }
        out->last = out->first;
        return true;
    }
    if (value->children->len != 2) {
        return wrong(l, value, "'%s' should be a number or [first, last]",
                     value->key);
    }
    if (!take_number(l, value->children->pdata[0], row->min, row->max,
                     &out->first) ||
        !take_number(l, value->children->pdata[1], row->min, row->max,
                     &out->last)) {
        return false;
    }
    return out->first <= out->last ||
           wrong(l, value, "the first of '%s' is behind the last", value->key);
}

/* One key of `where`. */
static bool take_where_key(loader *l, const json_node *value, fault_key key)
{
    const fault_key_row *row = &fault_keys[key];
    fault_range *into = &l->rule->where[key];
    bool done;

    if (row->is_range) {
        done = take_range(l, value, row, into);
    } else {
        if (key == FAULT_CODE) {
            done = take_code(l, value, 0, &into->first);
        } else if (key == FAULT_REGISTER_ID) {
            done = take_register(l, value, &into->first);
        } else if (row->words) {
            done = take_word(l, value, row->words, &into->first);
        } else {
            done = take_number(l, value, row->min, row->max, &into->first);
        }
        into->last = into->first;
    }
    l->rule->given |= 1u << key;
    return done;
}

/* A key of the table, of `where` or of its `request`. */
static bool take_named_key(loader *l, const json_node *value, bool of_request)
{
    for (unsigned key = 0; key < FAULT_KEYS; key++) {
        if (fault_keys[key].of_request == of_request &&
            g_str_equal(fault_keys[key].name, value->key)) {
            return take_where_key(l, value, key);
        }
    }
    return unknown_key(l, value);
}

static bool take_request(loader *l, const json_node *object)
{
    if (!is_a(l, object, JSON_OBJECT)) {
        return false;
    }
    for (unsigned i = 0; i < object->children->len; i++) {
        if (!take_named_key(l, object->children->pdata[i], true)) {
            return false;
        }
    }
    return object->children->len > 0 ||
           wrong(l, object, "a 'request' has at least one key");
}

static bool take_where(loader *l, const json_node *object)
{
    if (!is_a(l, object, JSON_OBJECT)) {
        return false;
    }
    for (unsigned i = 0; i < object->children->len; i++) {
        const json_node *value = g_ptr_array_index(object->children, i);
        uint64_t seam = l->rule->seam;
        bool done;

        if (g_str_equal(value->key, "seam")) {
            done = take_word(l, value, &fault_seam_words, &seam);
            l->rule->seam = seam;
        } else if (g_str_equal(value->key, FAULT_REQUEST_KEY)) {
            done = take_request(l, value);
        } else {
            done = take_named_key(l, value, false);
        }
        if (!done) {
            return false;
        }
    }
    return true;
}

static bool take_when_number(loader *l, const json_node *value, unsigned row,
                             uint64_t *out)
{
    return take_number(l, value, fault_whens[row].min, fault_whens[row].max,
                       out);
}

static bool take_nth(loader *l, const json_node *value)
{
    return take_when_number(l, value, FAULT_W_NTH, &l->rule->nth);
}

static bool take_every(loader *l, const json_node *value)
{
    return take_when_number(l, value, FAULT_W_EVERY, &l->rule->every);
}

static bool take_count(loader *l, const json_node *value)
{
    return take_when_number(l, value, FAULT_W_COUNT, &l->rule->count);
}

static bool take_probability(loader *l, const json_node *value)
{
    if (!is_a(l, value, JSON_NUMBER)) {
        return false;
    }
    if (value->number < 0 || value->number > 1) {
        return wrong(l, value, "a probability is from 0.0 to 1.0");
    }
    l->rule->by_chance = true;
    l->rule->probability = value->number;
    return true;
}

static int find_state(const fault_plan *plan, const char *name)
{
    for (unsigned i = 0; i < plan->state_count; i++) {
        if (g_str_equal(plan->states[i], name)) {
            return i;
        }
    }
    return -1;
}

static bool take_state_name(loader *l, const json_node *value, int *state)
{
    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    *state = find_state(l->plan, value->string);
    return *state >= 0 ||
           wrong(l, value, "'%s' is not one of the plan's states",
                 value->string);
}

static bool take_state(loader *l, const json_node *value)
{
    int state;

    if (value->type != JSON_ARRAY) {
        if (!take_state_name(l, value, &state)) {
            return false;
        }
        l->rule->states = FAULT_BIT(state);
        return true;
    }
    for (unsigned i = 0; i < value->children->len; i++) {
        if (!take_state_name(l, value->children->pdata[i], &state)) {
            return false;
        }
        l->rule->states |= FAULT_BIT(state);
    }
    return value->children->len > 0 || wrong(l, value, "no state is listed");
}

static int find_rule(const fault_plan *plan, const char *name)
{
    for (unsigned i = 0; i < plan->rule_count; i++) {
        if (plan->rules[i].name && g_str_equal(plan->rules[i].name, name)) {
            return i;
        }
    }
    return -1;
}

/* Names are known before rules are taken. */
static bool take_after(loader *l, const json_node *value)
{
    const char *name;

    if (!take_text(l, value, &name)) {
        return false;
    }
    l->rule->after = find_rule(l->plan, name);
    if (l->rule->after < 0) {
        return wrong(l, value, "there is no rule '%s'", name);
    }
    return &l->plan->rules[l->rule->after] != l->rule ||
           wrong(l, value, "a rule cannot come after itself");
}

static bool take_when(loader *l, const json_node *value)
{
    static const key_row rows[] = {
        { "nth", take_nth },     { "every", take_every },
        { "count", take_count }, { "probability", take_probability },
        { "state", take_state }, { "after", take_after },
    };

    return take_object(l, value, rows, G_N_ELEMENTS(rows));
}

static bool take_then(loader *l, const json_node *value)
{
    return take_state_name(l, value, &l->rule->then);
}

static bool take_action(loader *l, const json_node *value)
{
    if (!is_a(l, value, JSON_STRING)) {
        return false;
    }
    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        if (g_str_equal(fault_actions[i].name, value->string)) {
            l->rule->action = i;
            return true;
        }
    }
    return wrong(l, value, "there is no action '%s'", value->string);
}

static bool take_param(loader *l, const json_node *value)
{
    const fault_param *params = fault_actions[l->rule->action].params;

    for (unsigned i = 0; i < FAULT_PARAMS_MAX && params[i].name; i++) {
        if (g_str_equal(params[i].name, value->key)) {
            l->rule->params_given |= 1u << i;
            return params[i].kind == FAULT_P_CODE
                       ? take_code(l, value, params[i].min, &l->rule->params[i])
                       : take_number(l, value, params[i].min, params[i].max,
                                     &l->rule->params[i]);
        }
    }
    json_fail(l->error, value->key_line, value->key_column,
              "%s has no parameter '%s'", fault_actions[l->rule->action].name,
              value->key);
    return false;
}

static bool take_params(loader *l, const json_node *rule, const json_node *with)
{
    const fault_action *action = &fault_actions[l->rule->action];

    for (unsigned i = 0; i < FAULT_PARAMS_MAX; i++) {
        l->rule->params[i] = action->params[i].value;
    }
    if (with && !is_a(l, with, JSON_OBJECT)) {
        return false;
    }
    for (unsigned i = 0; with && i < with->children->len; i++) {
        if (!take_param(l, with->children->pdata[i])) {
            return false;
        }
    }
    for (unsigned i = 0; i < FAULT_PARAMS_MAX; i++) {
        if (action->params[i].required && !(l->rule->params_given >> i & 1)) {
            return wrong(l, with ? with : rule, "%s needs '%s'", action->name,
                         action->params[i].name);
        }
    }
    return true;
}

static bool take_rule(loader *l, const json_node *value)
{
    static const key_row rows[] = {
        { "name", NULL }, /* it has been taken */
        { "action", take_action },
        { "where", take_where },
        { "when", take_when },
        { "with", NULL }, /* once the action is known */
        { "then", take_then },
        { "hits", NULL }, /* of a plan that was read back */
        { "seen", NULL },
    };

    l->rule->seam = FAULT_SEAMS;
    l->rule->action = FAULT_ACTIONS;
    l->rule->after = -1;
    l->rule->then = -1;
    if (!take_object(l, value, rows, G_N_ELEMENTS(rows))) {
        return false;
    }
    if (l->rule->action == FAULT_ACTIONS) {
        return wrong(l, value, "a rule needs an 'action'");
    }
    return take_params(l, value, json_member(value, "with")) &&
           fault_check_rule(l->rule, value, l->error);
}

/* First, because `after` may name a rule that comes later. */
static bool take_rule_name(loader *l, const json_node *rule, unsigned i)
{
    const json_node *value;
    const char *name = NULL;

    if (!is_a(l, rule, JSON_OBJECT)) {
        return false;
    }
    value = json_member(rule, "name");
    if (value && !take_text(l, value, &name)) {
        return false;
    }
    l->plan->rules[i].name =
        name ? g_strdup(name) : g_strdup_printf("rule-%u", i + 1);
    if (find_rule(l->plan, l->plan->rules[i].name) != (int)i) {
        return wrong(l, value ? value : rule, "there are two rules '%s'",
                     l->plan->rules[i].name);
    }
    return true;
}

static bool take_rules(loader *l, const json_node *value)
{
    unsigned count;

    if (!is_a(l, value, JSON_ARRAY)) {
        return false;
    }
    count = value->children->len;
    if (count > FAULT_RULES_MAX) {
        return wrong(l, value, "a plan has at most %u rules", FAULT_RULES_MAX);
    }
    l->plan->rules = g_new0(fault_rule, count);
    l->plan->rule_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (!take_rule_name(l, value->children->pdata[i], i)) {
            return false;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        l->rule = &l->plan->rules[i];
        if (!take_rule(l, value->children->pdata[i])) {
            return false;
        }
    }
    return true;
}

static bool take_states(loader *l, const json_node *value)
{
    const char *name;

    if (!is_a(l, value, JSON_ARRAY)) {
        return false;
    }
    if (value->children->len < 1 || value->children->len > FAULT_STATES_MAX) {
        return wrong(l, value, "a plan has 1 to %u states", FAULT_STATES_MAX);
    }
    for (unsigned i = 0; i < value->children->len; i++) {
        const json_node *state = value->children->pdata[i];

        if (!take_text(l, state, &name)) {
            return false;
        }
        if (find_state(l->plan, name) >= 0) {
            return wrong(l, state, "there are two states '%s'", name);
        }
        l->plan->states[l->plan->state_count++] = g_strdup(name);
    }
    return true;
}

static bool take_seed(loader *l, const json_node *value)
{
    return take_number(l, value, 0, INT64_MAX, &l->plan->seed);
}

static bool take_name(loader *l, const json_node *value)
{
    const char *name;

    if (!take_text(l, value, &name)) {
        return false;
    }
    l->plan->name = g_strdup(name);
    return true;
}

static bool take_about(loader *l, const json_node *value)
{
    return is_a(l, value, JSON_STRING);
}

static bool take_plan(loader *l, const json_node *root)
{
    static const key_row rows[] = {
        { "name", take_name },  { "about", take_about }, { "seed", take_seed },
        { "states", NULL }, /* before the rules, which name them */
        { "rules", NULL },      { "state", NULL }, /* of a plan that was read
                                                      back */
        { "microframe", NULL }, { "dropped", NULL },
    };
    const json_node *states, *rules;

    if (!take_object(l, root, rows, G_N_ELEMENTS(rows))) {
        return false;
    }
    states = json_member(root, "states");
    rules = json_member(root, "rules");
    if (!rules) {
        return wrong(l, root, "a plan needs 'rules'");
    }
    return (!states || take_states(l, states)) && take_rules(l, rules);
}

fault_plan *fault_plan_parse(const char *text, size_t bytes, json_error *error)
{
    json_node *root = json_parse(text, bytes, error);
    loader l = { .error = error };

    if (!root) {
        return NULL;
    }
    l.plan = g_new0(fault_plan, 1);
    l.plan->text = root;
    if (!take_plan(&l, root)) {
        fault_plan_free(l.plan);
        return NULL;
    }
    l.plan->name = l.plan->name ? l.plan->name : g_strdup("plan");
    fault_match_seed(l.plan);
    return l.plan;
}

void fault_plan_free(fault_plan *plan)
{
    if (!plan) {
        return;
    }
    for (unsigned i = 0; i < plan->rule_count; i++) {
        g_free(plan->rules[i].name);
    }
    for (unsigned i = 0; i < plan->state_count; i++) {
        g_free(plan->states[i]);
    }
    g_free(plan->rules);
    g_free(plan->name);
    json_free(plan->text);
    g_free(plan);
}

bool fault_plan_has(const fault_plan *plan, fault_seam seam)
{
    for (unsigned i = 0; i < plan->rule_count; i++) {
        if (plan->rules[i].seam == seam) {
            return true;
        }
    }
    return false;
}
