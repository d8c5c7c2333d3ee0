/*
 * Fault plans in tests (fault.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "fault.h"
#include "compat.h"

#define CONTROLLER_PATH "/machine/peripheral/xhci"

static char *quoted(const char *text)
{
    return g_strdelimit(g_strdup(text), "'", '"');
}

static void set(Hcd *h, const char *plan)
{
    g_autofree char *text = quoted(plan);

    qtest_qmp_assert_success(h->qts,
                             "{'execute': 'qom-set', 'arguments': {'path': %s,"
                             " 'property': 'fault-plan', 'value': %s}}",
                             CONTROLLER_PATH, text);
}

void fault_plan(Hcd *h, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    set(h, text);
}

void fault_rule(Hcd *h, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *plan = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    plan = g_strdup_printf("{'rules': [{%s}]}", text);
    set(h, plan);
}

char *fault_refusal(Hcd *h, const char *plan)
{
    g_autofree char *text = quoted(plan);
    QDict *reply = qtest_qmp(h->qts,
                             "{'execute': 'qom-set', 'arguments': {'path': %s,"
                             " 'property': 'fault-plan', 'value': %s}}",
                             CONTROLLER_PATH, text);
    char *why;

    hcd_check(qdict_haskey(reply, "error"), "it was taken: %s", plan);
    why = g_strdup(qdict_get_str(qdict_get_qdict(reply, "error"), "desc"));
    qobject_unref(reply);
    return why;
}

char *fault_get(Hcd *h, const char *property)
{
    QDict *reply = qtest_qmp(
        h->qts,
        "{'execute': 'qom-get', 'arguments': {'path': %s, 'property': %s}}",
        CONTROLLER_PATH, property);
    char *text;

    hcd_check(qdict_haskey(reply, "return"), "%s cannot be read", property);
    text = g_strdup(qdict_get_str(reply, "return"));
    qobject_unref(reply);
    return text;
}

unsigned fault_count(Hcd *h, const char *text)
{
    g_autofree char *wanted = quoted(text);
    g_autofree char *log = fault_get(h, "fault-log");
    g_auto(GStrv) lines = g_strsplit(log, "\n", 0);
    unsigned count = 0;

    for (unsigned i = 0; lines[i]; i++) {
        count += strstr(lines[i], wanted) != NULL;
    }
    return count;
}
