/*
 * A fault plan from a seed: rules of any action, with keys and parameters that
 * may make sense. Whether they do is for the loader to say.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/fault/plan.h"
#include "plan.h"

#define RULES_MAX 6

static uint64_t number(GRand *rand, uint64_t min, uint64_t max)
{
    uint64_t span = MIN(max - min, 64);

    if (g_rand_int_range(rand, 0, 16) == 0) {
        return max;
    }
    return min + (span ? g_rand_int_range(rand, 0, span + 1) : 0);
}

/* A device that stays out would be missed by the next input. */
static bool is_wanted(GRand *rand, const fault_param *p)
{
    return p->required || g_str_equal(p->name, "microframes") ||
           g_rand_boolean(rand);
}

static void put_params(GRand *rand, GString *out, const fault_action *action)
{
    const char *comma = "";

    g_string_append(out, ",\"with\":{");
    for (unsigned i = 0; i < FAULT_PARAMS_MAX && action->params[i].name; i++) {
        const fault_param *p = &action->params[i];

        if (is_wanted(rand, p)) {
            g_string_append_printf(out, "%s\"%s\":%" G_GUINT64_FORMAT, comma,
                                   p->name, number(rand, p->min, p->max));
            comma = ",";
        }
    }
    g_string_append(out, "}");
}

static void put_where(GRand *rand, GString *out)
{
    static const fault_key keys[] = { FAULT_SLOT, FAULT_PORT_ID, FAULT_ENDPOINT,
                                      FAULT_INTERRUPTER };
    static const fault_key fields[] = { FAULT_BM_REQUEST_TYPE, FAULT_B_REQUEST,
                                        FAULT_W_VALUE, FAULT_W_INDEX,
                                        FAULT_W_LENGTH };

    g_string_append(out, ",\"where\":{");
    if (g_rand_int_range(rand, 0, 8) == 0) {
        const fault_key_row *row = &fault_keys[fields[g_rand_int_range(
            rand, 0, G_N_ELEMENTS(fields))]];

        g_string_append_printf(out,
                               "\"request\":{\"%s\":%" G_GUINT64_FORMAT "}",
                               row->name, number(rand, 0, 11));
    } else if (g_rand_boolean(rand)) {
        const fault_key_row *row =
            &fault_keys[keys[g_rand_int_range(rand, 0, G_N_ELEMENTS(keys))]];

        g_string_append_printf(out, "\"%s\":%" G_GUINT64_FORMAT, row->name,
                               number(rand, row->min, MIN(row->max, 6)));
    }
    g_string_append(out, "}");
}

static void put_when(GRand *rand, GString *out)
{
    g_string_append(out, ",\"when\":{");
    switch (g_rand_int_range(rand, 0, 4)) {
    case 0:
        g_string_append_printf(out, "\"probability\":%g",
                               g_rand_int_range(rand, 1, 10) / 10.0);
        break;
    case 1:
        g_string_append_printf(out, "\"every\":%d",
                               g_rand_int_range(rand, 1, 9));
        break;
    case 2:
        g_string_append_printf(out, "\"nth\":%d",
                               g_rand_int_range(rand, 1, 20));
        break;
    default:
        break;
    }
    g_string_append(out, "}");
}

char *fuzz_plan(uint32_t seed)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(seed);
    GString *out = g_string_new("{\"rules\":[");
    int rules = g_rand_int_range(rand, 1, RULES_MAX + 1);

    for (int i = 0; i < rules; i++) {
        const fault_action *action =
            &fault_actions[g_rand_int_range(rand, 0, FAULT_ACTIONS)];

        g_string_append_printf(out, "%s{\"action\":\"%s\"", i ? "," : "",
                               action->name);
        put_params(rand, out, action);
        put_where(rand, out);
        put_when(rand, out);
        g_string_append(out, "}");
    }
    g_string_append(out, "]}");
    return g_string_free(out, FALSE);
}
