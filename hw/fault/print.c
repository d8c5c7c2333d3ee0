/*
 * A plan as text again, with what has become of it.
 *
 * What is printed is the tree that was read, so that nothing of what a person
 * wrote is lost; the counters are put into it. The result can be set again:
 * the loader knows these keys and does not look at them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "plan.h"

static bool is_counter(const char *key)
{
    static const char *const keys[] = { "seen", "hits", "state", "microframe",
                                        "dropped" };

    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        if (g_str_equal(keys[i], key)) {
            return true;
        }
    }
    return false;
}

static void put_key(GString *out, const char *key)
{
    g_string_append(out, out->str[out->len - 1] == '{' ? "" : ",");
    json_put_string(out, key);
    g_string_append_c(out, ':');
}

static void put_number(GString *out, const char *key, uint64_t value)
{
    put_key(out, key);
    g_string_append_printf(out, "%" G_GUINT64_FORMAT, value);
}

static void put_rule(GString *out, const fault_rule *rule,
                     const json_node *text)
{
    g_string_append_c(out, '{');
    put_key(out, "name");
    json_put_string(out, rule->name);
    for (unsigned i = 0; i < text->children->len; i++) {
        const json_node *member = g_ptr_array_index(text->children, i);

        if (!is_counter(member->key) && !g_str_equal(member->key, "name")) {
            put_key(out, member->key);
            json_put(out, member);
        }
    }
    put_number(out, "seen", rule->seen);
    put_number(out, "hits", rule->hits);
    g_string_append_c(out, '}');
}

static void put_rules(GString *out, const fault_plan *plan)
{
    const json_node *rules = json_member(plan->text, "rules");

    put_key(out, "rules");
    g_string_append_c(out, '[');
    for (unsigned i = 0; i < plan->rule_count; i++) {
        g_string_append(out, i ? "," : "");
        put_rule(out, &plan->rules[i], rules->children->pdata[i]);
    }
    g_string_append_c(out, ']');
}

char *fault_plan_print(const fault_plan *plan, uint64_t microframe,
                       uint64_t dropped)
{
    GString *out = g_string_new("{");

    for (unsigned i = 0; i < plan->text->children->len; i++) {
        const json_node *member = g_ptr_array_index(plan->text->children, i);

        if (g_str_equal(member->key, "rules")) {
            put_rules(out, plan);
        } else if (!is_counter(member->key)) {
            put_key(out, member->key);
            json_put(out, member);
        }
    }
    if (plan->state_count) {
        put_key(out, "state");
        json_put_string(out, plan->states[plan->state]);
    }
    put_number(out, "microframe", microframe);
    put_number(out, "dropped", dropped);
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
