/*
 * isolab fault: the fault plan of a guest that runs, over QMP.
 *
 *  1. What is wrong with a plan is said with the line and column of the file
 *     that it came from, by the loader that the controller itself has
 *     (fault-check.c).
 *  2. A plan is set as a whole. Counters begin anew with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "fault-check.h"
#include "fault-merge.h"
#include "json.h"
#include "library.h"
#include "vm.h"

#include <stdio.h>
#include <string.h>

static int refused(GError **error)
{
    /* QEMU's words, for whatever reason */
    if (error && *error && (*error)->domain == ISOLAB_QMP_ERROR) {
        g_prefix_error(error, "The controller refused that: ");
    }
    return error && *error && (*error)->domain == ISOLAB_ERROR ? (*error)->code
                                                               : ISOLAB_FAILED;
}

/* The plan that runs; NULL without an error: none. */
static JsonObject *running_plan(isolab_qmp *q, const char *controller,
                                GError **error)
{
    g_autofree char *text =
        isolab_qmp_get_text(q, controller, "fault-plan", error);

    return text && *text ? isolab_json_parse(text, error) : NULL;
}

/* A file's text, that of a plan of the library, or JSON that stands on the
 * command line itself. */
static char *read_plan(const char *word, const char **where, GError **error)
{
    g_autofree char *path = NULL;
    char *text;

    if (word[strspn(word, " \t\r\n")] == '{') {
        *where = "RULE";
        return g_strdup(word);
    }
    *where = word;
    path = isolab_library_plan(word);
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        isolab_library_refuse(word, error);
        return NULL;
    }
    return text;
}

static bool set_plan(isolab_qmp *q, const char *controller, JsonObject *plan,
                     GError **error)
{
    g_autofree char *text = isolab_json_line(plan);

    return isolab_qmp_set_text(q, controller, "fault-plan", text, error);
}

/*
 * What `add` sets: the plan of the command line, or with one that runs, both.
 * A rule may name a state of the plan that runs; so what is not good alone may
 * be good there, and if it is not, the mistake is said as it is alone.
 */
static JsonObject *plan_with(JsonObject *running, const char *where,
                             const char *text, GError **error)
{
    g_autoptr(GError) alone = NULL;
    g_autoptr(JsonObject) plan = isolab_fault_check(where, text, &alone);
    g_autoptr(JsonObject) given =
        plan || !running ? NULL : isolab_json_parse(text, NULL);
    g_autoptr(JsonObject) merged = NULL;
    g_autofree char *line = NULL;
    g_autoptr(JsonObject) good = NULL;

    if (given) {
        plan = isolab_fault_as_plan(given);
    }
    if (!plan) {
        g_propagate_error(error, g_steal_pointer(&alone));
        return NULL;
    }
    if (!running) {
        return g_steal_pointer(&plan);
    }
    merged = isolab_fault_merge(running, plan, alone ? NULL : error);
    line = merged ? isolab_json_line(merged) : NULL;
    good =
        line ? isolab_fault_check("the whole plan", line, alone ? NULL : error)
             : NULL;
    if (!good && alone) {
        g_propagate_error(error, g_steal_pointer(&alone));
    }
    return good ? g_steal_pointer(&merged) : NULL;
}

static void report_plan(const isolab_call *call, JsonObject *plan)
{
    unsigned all = json_array_get_length(isolab_json_array(plan, "rules"));

    if (call->json) {
        isolab_json_print(plan);
    } else if (!call->quiet) {
        fprintf(stderr, "isolab: the plan has %u rule%s now.\n", all,
                all == 1 ? "" : "s");
    }
}

static int add(const isolab_call *call, GError **error)
{
    const char *where;
    g_autofree char *text = read_plan(call->operands[0], &where, error);
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = NULL;
    g_autoptr(JsonObject) running = NULL;
    g_autoptr(JsonObject) plan = NULL;
    g_autoptr(GError) own = NULL;

    if (!text) {
        return ISOLAB_USAGE;
    }
    q = isolab_vm_connect(call, &controller, error);
    if (!q) {
        return ISOLAB_NO_GUEST;
    }
    running = running_plan(q, controller, &own);
    if (own) {
        g_propagate_error(error, g_steal_pointer(&own));
        return refused(error);
    }
    plan = plan_with(running, where, text, error);
    if (!plan || !set_plan(q, controller, plan, error)) {
        return refused(error);
    }
    report_plan(call, plan);
    return ISOLAB_OK;
}

static char *line_of(JsonNode *node)
{
    return node ? json_to_string(node, FALSE) : g_strdup("{}");
}

static void print_rule(JsonObject *rule)
{
    const char *name = isolab_json_text(rule, "name");
    const char *action = isolab_json_text(rule, "action");
    g_autofree char *where = line_of(isolab_json_get(rule, "where"));

    printf("%8" PRId64 " %8" PRId64 "  %-24s %-20s %s\n",
           isolab_json_int(rule, "hits", 0), isolab_json_int(rule, "seen", 0),
           name ? name : "-", action ? action : "-", where);
}

static void print_plan(JsonObject *plan)
{
    JsonArray *rules = isolab_json_array(plan, "rules");
    const char *name = isolab_json_text(plan, "name");
    const char *state = isolab_json_text(plan, "state");

    if (name || state) {
        printf("plan %s%s%s\n", name ? name : "without a name",
               state ? ", state " : "", state ? state : "");
    }
    printf("%8s %8s  %-24s %-20s %s\n", "HITS", "SEEN", "RULE", "ACTION",
           "WHERE");
    for (unsigned i = 0; rules && i < json_array_get_length(rules); i++) {
        print_rule(isolab_json_element(rules, i));
    }
}

static int list(const isolab_call *call, GError **error)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(call, &controller, error);
    g_autoptr(GError) own = NULL;
    g_autoptr(JsonObject) plan = NULL;

    if (!q) {
        return ISOLAB_NO_GUEST;
    }
    plan = running_plan(q, controller, &own);
    if (own) {
        g_propagate_error(error, g_steal_pointer(&own));
        return refused(error);
    }
    if (call->json) {
        if (!plan) {
            plan = json_object_new();
        }
        isolab_json_print(plan);
    } else if (plan) {
        print_plan(plan);
    } else {
        fprintf(stderr, "isolab: there is no fault plan.\n");
    }
    return ISOLAB_OK;
}

static int clear(const isolab_call *call, GError **error)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(call, &controller, error);

    if (!q) {
        return ISOLAB_NO_GUEST;
    }
    if (!isolab_qmp_set_text(q, controller, "fault-plan", "", error)) {
        return refused(error);
    }
    if (!call->quiet) {
        fprintf(stderr, "isolab: there is no fault plan any more.\n");
    }
    return ISOLAB_OK;
}

static void print_fault(JsonObject *fault)
{
    const char *action = isolab_json_text(fault, "action");
    const char *rule = isolab_json_text(fault, "rule");
    const char *code = isolab_json_text(fault, "code-name");
    static const struct {
        const char *name, *title;
    } numbers[] = {
        { "port", "port" },
        { "slot", "slot" },
        { "dci", "dci" },
        { "td", "TD" },
    };

    printf("%12.6f  %-24s %-20s", isolab_json_int(fault, "uf", 0) / 8000.0,
           rule ? rule : "-", action ? action : "-");
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        int64_t number = isolab_json_int(fault, numbers[i].name, -1);

        if (number >= 0) {
            printf(" %s %" PRId64, numbers[i].title, number);
        }
    }
    printf("%s%s\n", code ? "  " : "", code ? code : "");
}

static int show_log(const isolab_call *call, GError **error)
{
    g_autofree char *controller = NULL;
    g_autoptr(isolab_qmp) q = isolab_vm_connect(call, &controller, error);
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;

    if (!q) {
        return ISOLAB_NO_GUEST;
    }
    text = isolab_qmp_get_text(q, controller, "fault-log", error);
    if (!text) {
        return refused(error);
    }
    if (call->json) {
        fputs(text, stdout);
        return ISOLAB_OK;
    }
    lines = g_strsplit(text, "\n", -1);
    if (*text) {
        printf("%12s  %-24s %-20s %s\n", "SECONDS", "RULE", "ACTION", "WHERE");
    }
    for (char **line = lines; *line; line++) {
        g_autoptr(JsonObject) fault =
            **line ? isolab_json_parse(*line, NULL) : NULL;

        if (fault) {
            print_fault(fault);
        }
    }
    return ISOLAB_OK;
}

static int check(const isolab_call *call, GError **error)
{
    for (char **word = call->operands; *word; word++) {
        const char *where;
        g_autofree char *text = read_plan(*word, &where, error);
        g_autoptr(JsonObject) plan =
            text ? isolab_fault_check(where, text, error) : NULL;

        if (!plan) {
            return ISOLAB_USAGE;
        }
        if (call->json) {
            isolab_json_print(plan);
        } else if (!call->quiet) {
            printf("%s: good, rules: %u\n", where,
                   json_array_get_length(isolab_json_array(plan, "rules")));
        }
    }
    return ISOLAB_OK;
}

static const isolab_command fault_add = {
    .name = "add",
    .summary = "add the rules of a plan, or one rule",
    .operands = "FILE|RULE",
    .about =
        "Adds rules to the plan of a guest that runs, behind those that are\n"
        "there. FILE is a plan, or the name of one of the library\n"
        "(docs/plans.md); RULE is JSON on the command line, a plan or one\n"
        "rule. A rule whose name there is already is refused. The plan's\n"
        "counters begin anew.",
    .examples =
        "  $ isolab fault add loose-cable\n"
        "  $ isolab fault add '{\"name\": \"b\", \"action\": \"babble\",\n"
        "        \"where\": {\"type\": \"isoch\", \"direction\": \"in\"},\n"
        "        \"when\": {\"every\": 100}}'\n"
        "  # each hundredth packet of an isochronous IN endpoint babbles\n",
    .takes_files = true,
    .talks = true,
    .min_operands = 1,
    .max_operands = 1,
    .run = add,
};

static const isolab_command fault_list = {
    .name = "list",
    .summary = "the rules, and how often each has fired",
    .about = "Shows the plan that runs: for each rule how often it has fired\n"
             "(HITS), and how often something was where it looks (SEEN).\n"
             "With --json the plan itself.",
    .examples = "  $ isolab fault list\n",
    .talks = true,
    .run = list,
};

static const isolab_command fault_clear = {
    .name = "clear",
    .summary = "no more faults",
    .about = "Takes the plan away: from now on nothing fails.",
    .examples = "  $ isolab fault clear\n",
    .talks = true,
    .run = clear,
};

static const isolab_command fault_log = {
    .name = "log",
    .summary = "what has fired, and when",
    .about = "Shows each fault that has fired, oldest first, by the guest's\n"
             "time in seconds. With --json the log itself, an object a line.",
    .examples = "  $ isolab fault log\n"
                "  $ isolab fault log --json >faults.jsonl\n",
    .talks = true,
    .run = show_log,
};

static const isolab_command fault_check = {
    .name = "check",
    .summary = "is a plan good? needs no guest",
    .operands = "FILE...",
    .about = "Reads plans as the controller does, and says of the first that\n"
             "is not good where and why: FILE:LINE:COLUMN: reason.",
    .examples = "  $ isolab fault check plans/*.json\n",
    .takes_files = true,
    .min_operands = 1,
    .max_operands = 100000,
    .run = check,
};

static const isolab_command *const verbs[] = {
    &fault_add, &fault_list, &fault_clear, &fault_log, &fault_check, NULL,
};

const isolab_command isolab_fault = {
    .name = "fault",
    .summary = "make faults happen, see which did",
    .about =
        "Faults are rules: where (which packet, event, command, port), when\n"
        "(each n-th, by chance, ...), and what happens then. A plan is a file\n"
        "of such rules (docs/fault-plans.md); docs/plans.md has those of\n"
        "the library. These commands work on a guest that runs; `isolab run\n"
        "--fault-plan` is for one that starts.",
    .examples = "  $ isolab fault add loose-cable\n"
                "  $ isolab fault list\n"
                "  $ isolab fault clear\n",
    .verbs = verbs,
};
