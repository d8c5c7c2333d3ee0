/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "windows-saved.h"

#include "command.h"
#include "json.h"
#include "windows.h"

#define JOB "isolab-saved"
#define TAG "isolab"
#define LOOK_EVERY_US 50000

static JsonObject *job_arguments(bool with_tag)
{
    JsonObject *arguments = json_object_new();

    json_object_set_string_member(arguments, with_tag ? "job-id" : "id", JOB);
    return arguments;
}

/* 1 it has ended, 0 it goes on, -1 with an error. */
static int look(isolab_qmp *q, GError **error)
{
    g_autoptr(JsonNode) all = isolab_qmp_execute(q, "query-jobs", NULL, error);
    JsonArray *jobs =
        all && JSON_NODE_HOLDS_ARRAY(all) ? json_node_get_array(all) : NULL;

    for (unsigned i = 0; jobs && i < json_array_get_length(jobs); i++) {
        JsonObject *job = isolab_json_element(jobs, i);
        const char *why = isolab_json_text(job, "error");

        if (g_strcmp0(isolab_json_text(job, "id"), JOB) != 0) {
            continue;
        }
        if (g_strcmp0(isolab_json_text(job, "status"), "concluded") != 0) {
            return 0;
        }
        if (why) {
            g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED, "%s", why);
        }
        return why ? -1 : 1;
    }
    if (error && !*error) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED, "QEMU began no job");
    }
    return -1;
}

static bool wait_for_job(isolab_qmp *q, GError **error)
{
    JsonNode *answer;
    int state;

    while ((state = look(q, error)) == 0) {
        g_usleep(LOOK_EVERY_US);
    }
    answer = isolab_qmp_execute(q, "job-dismiss", job_arguments(false), NULL);
    g_clear_pointer(&answer, json_node_unref);
    return state == 1;
}

/* Takes the arguments, but for those that both jobs have. */
static bool carry_out(isolab_qmp *q, const char *command, JsonObject *arguments,
                      GError **error)
{
    JsonArray *nodes = json_array_new();
    g_autoptr(JsonNode) begun = NULL;

    json_array_add_string_element(nodes, WINDOWS_DISK_NODE);
    json_object_set_array_member(arguments, "devices", nodes);
    json_object_set_string_member(arguments, "tag", TAG);
    begun = isolab_qmp_execute(q, command, arguments, error);
    return begun && wait_for_job(q, error);
}

/* True also if there is none. */
static bool remove_tag(isolab_qmp *q, GError **error)
{
    return carry_out(q, "snapshot-delete", job_arguments(true), error);
}

static bool stop_and_save(isolab_qmp *q, GError **error)
{
    g_autoptr(JsonNode) stopped = isolab_qmp_execute(q, "stop", NULL, error);
    JsonObject *arguments;

    if (!stopped) {
        return false;
    }
    remove_tag(q, NULL); /* an earlier one, which would be in the way */
    arguments = job_arguments(true);
    json_object_set_string_member(arguments, "vmstate", WINDOWS_DISK_NODE);
    return carry_out(q, "snapshot-save", arguments, error);
}

bool windows_saved_write(isolab_qmp *q, bool (*is_enough)(void *opaque),
                         void *opaque, GError **error)
{
    bool saved;

    isolab_qmp_wait_until(q, is_enough, opaque);
    saved = stop_and_save(q, error);
    isolab_qmp_wait_until(q, NULL, NULL);
    return saved;
}

bool windows_saved_remove(isolab_qmp *q, bool (*is_enough)(void *opaque),
                          void *opaque, GError **error)
{
    bool removed;

    isolab_qmp_wait_until(q, is_enough, opaque);
    removed = remove_tag(q, error);
    isolab_qmp_wait_until(q, NULL, NULL);
    return removed;
}
