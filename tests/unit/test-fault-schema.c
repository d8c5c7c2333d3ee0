/*
 * share/schema/fault-plan.schema.json is what the loader's tables say, and
 * docs/fault-plans.md leaves out none of them.
 *
 * `test-fault-schema --write` writes the schema anew.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/fault/plan.h"

#define SCHEMA SOURCE_ROOT "/share/schema/fault-plan.schema.json"
#define REFERENCE SOURCE_ROOT "/docs/fault-plans.md"

static char *read_file(const char *name)
{
    GError *error = NULL;
    char *text = NULL;

    g_file_get_contents(name, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

static void schema_is_the_tables(void)
{
    g_autofree char *want = fault_schema_print();
    g_autofree char *have = read_file(SCHEMA);

    g_assert_cmpstr(have, ==, want);
}

/* It is JSON, and has a place for each thing that the loader knows. */
static void schema_is_whole(void)
{
    g_autofree char *text = fault_schema_print();
    json_error error = { 0 };
    g_autoptr(json_node) root = json_parse(text, strlen(text), &error);
    const json_node *rule, *actions;

    g_assert_nonnull(root);
    rule = json_member(json_member(root, "$defs"), "rule");
    actions = json_member(rule, "oneOf");
    g_assert_cmpuint(actions->children->len, ==, FAULT_ACTIONS);
}

static void has(const char *text, const char *before, const char *name,
                const char *after)
{
    g_autofree char *wanted = g_strconcat(before, name, after, NULL);

    if (!strstr(text, wanted)) {
        g_test_message("docs/fault-plans.md has no %s", wanted);
        g_test_fail();
    }
}

static void reference_is_whole(void)
{
    g_autofree char *text = read_file(REFERENCE);

    for (unsigned i = 0; i < FAULT_ACTIONS; i++) {
        const fault_action *a = &fault_actions[i];

        has(text, "| `", a->name, "` |");
        for (unsigned k = 0; k < FAULT_PARAMS_MAX && a->params[k].name; k++) {
            has(text, "`", a->params[k].name, "`");
        }
    }
    for (unsigned i = 0; i < FAULT_KEYS; i++) {
        has(text, "| `", fault_keys[i].name, "` |");
    }
    for (unsigned i = 0; i < fault_request_words.count; i++) {
        has(text, "`", fault_request_words.words[i].name, "`");
    }
    for (unsigned i = 0; i < FAULT_WHENS; i++) {
        has(text, "| `", fault_whens[i].name, "` |");
    }
    for (unsigned i = 0; i < fault_code_count; i++) {
        has(text, "`", fault_codes[i].name, "`");
    }
    for (unsigned i = 0; i < fault_register_count; i++) {
        has(text, "`", fault_registers[i].name, "`");
    }
}

/* Every example of the reference is a plan. */
static void examples_are_plans(void)
{
    g_autofree char *text = read_file(REFERENCE);
    unsigned count = 0;

    for (char *at = text; (at = strstr(at, "```json\n")); count++) {
        char *end = strstr(at + 8, "```");
        json_error error = { 0 };
        fault_plan *plan = fault_plan_parse(at + 8, end - at - 8, &error);

        if (!plan) {
            g_test_message("example %u: %u:%u: %s", count + 1, error.line,
                           error.column, error.reason);
            g_test_fail();
            g_free(error.reason);
        }
        fault_plan_free(plan);
        at = end;
    }
    g_assert_cmpuint(count, >=, 3);
}

int main(int argc, char **argv)
{
    if (argc == 2 && g_str_equal(argv[1], "--write")) {
        g_autofree char *text = fault_schema_print();

        return !g_file_set_contents(SCHEMA, text, -1, NULL);
    }
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/schema/is-the-tables", schema_is_the_tables);
    g_test_add_func("/schema/is-whole", schema_is_whole);
    g_test_add_func("/reference/is-whole", reference_is_whole);
    g_test_add_func("/reference/examples-are-plans", examples_are_plans);
    return g_test_run();
}
