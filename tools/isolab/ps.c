/*
 * isolab ps: the guests that run.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "json.h"
#include "vm.h"

#include <stdio.h>

static const char *text_of(JsonObject *entry, const char *name)
{
    const char *text = isolab_json_text(entry, name);

    return text ? text : "-";
}

static int run(const isolab_call *call, GError **error)
{
    g_autoptr(GPtrArray) all = isolab_vm_list(error);

    if (!all) {
        return ISOLAB_FAILED;
    }
    if (!call->json && all->len) {
        printf("%-24s %8s  %-16s %s\n", "NAME", "PID", "GUEST", "RESULTS");
    }
    for (unsigned i = 0; i < all->len; i++) {
        JsonObject *entry = all->pdata[i];

        if (call->json) {
            isolab_json_print(entry);
            continue;
        }
        printf("%-24s %8" PRId64 "  %-16s %s\n", text_of(entry, "name"),
               isolab_json_int(entry, "pid", 0), text_of(entry, "guest"),
               text_of(entry, "out"));
    }
    if (!call->json && !all->len) {
        fprintf(stderr, "isolab: no guest runs; `isolab run` starts one.\n");
    }
    return ISOLAB_OK;
}

const isolab_command isolab_ps = {
    .name = "ps",
    .summary = "list the guests that run",
    .about = "Lists the guests that `isolab run` has started and that still\n"
             "run: name (for --vm), process, what runs, where results go.\n"
             "With --json one object a line, with the QMP socket of each.",
    .examples = "  $ isolab ps\n"
                "  $ isolab ps --json\n",
    .run = run,
};
