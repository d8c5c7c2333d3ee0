/*
 * share/plans and docs/plans.md: each plan is one that the controller takes,
 * has its file's name, says what it is about, and has a section; each section
 * has a plan and says what is injected, what a good driver does, and what ours
 * did.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>
#include <string.h>

#include "hw/fault/json.h"
#include "hw/fault/plan.h"

#define LIBRARY SOURCE_ROOT "/share/plans"
#define REFERENCE SOURCE_ROOT "/docs/plans.md"
#define PLANS_MIN 11

static char *read_file(const char *name)
{
    GError *error = NULL;
    char *text = NULL;

    g_file_get_contents(name, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Names of the files, without ".json". */
static GPtrArray *list_plans(void)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(LIBRARY, 0, NULL);
    const char *file;

    g_assert_nonnull(dir);
    while ((file = g_dir_read_name(dir))) {
        g_assert_true(g_str_has_suffix(file, ".json"));
        g_ptr_array_add(names, g_strndup(file, strlen(file) - 5));
    }
    g_assert_cmpuint(names->len, >=, PLANS_MIN);
    return names;
}

static void says_what_it_is_about(const char *text)
{
    json_error error = { 0 };
    json_node *root = json_parse(text, strlen(text), &error);
    const json_node *about = json_member(root, "about");

    g_assert_nonnull(about);
    g_assert_cmpuint(strlen(about->string), >=, 100);
    json_free(root);
}

static void loads(void)
{
    g_autoptr(GPtrArray) names = list_plans();

    for (unsigned i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *path = g_strdup_printf(LIBRARY "/%s.json", name);
        g_autofree char *text = read_file(path);
        json_error error = { 0 };
        fault_plan *plan = fault_plan_parse(text, strlen(text), &error);

        if (!plan) {
            g_test_message("%s:%u:%u: %s", name, error.line, error.column,
                           error.reason);
            g_test_fail();
            g_free(error.reason);
            continue;
        }
        g_assert_cmpstr(plan->name, ==, name);
        says_what_it_is_about(text);
        fault_plan_free(plan);
    }
}

/* The section's text, from "## `NAME`" to the next; NULL: there is none. */
static char *section_of(const char *text, const char *name)
{
    g_autofree char *heading = g_strdup_printf("\n## `%s`\n", name);
    const char *at = strstr(text, heading);
    const char *end = at ? strstr(at + 1, "\n## ") : NULL;

    return !at ? NULL : end ? g_strndup(at, end - at) : g_strdup(at);
}

static void is_told_of(void)
{
    static const char *const parts[] = { "*Injected*", "*A good driver*",
                                         "*isoav.sys*" };
    g_autofree char *text = read_file(REFERENCE);
    g_autoptr(GPtrArray) names = list_plans();

    for (unsigned i = 0; i < names->len; i++) {
        g_autofree char *section = section_of(text, names->pdata[i]);

        for (unsigned p = 0; p < G_N_ELEMENTS(parts); p++) {
            if (!section || !strstr(section, parts[p])) {
                g_test_message("docs/plans.md does not say %s of %s", parts[p],
                               (char *)names->pdata[i]);
                g_test_fail();
            }
        }
    }
}

static void is_there(void)
{
    g_autofree char *text = read_file(REFERENCE);
    g_autoptr(GPtrArray) names = list_plans();
    unsigned sections = 0;

    for (char *at = text; (at = strstr(at, "\n## `")); at += 4) {
        sections++;
    }
    g_assert_cmpuint(sections, ==, names->len);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/plans/loads", loads);
    g_test_add_func("/plans/is-told-of", is_told_of);
    g_test_add_func("/plans/is-there", is_there);
    return g_test_run();
}
