/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "windows-saved.h"

#include "command.h"
#include "json.h"

#define JOB "isolab-saved"
#define TAG "isolab"
#define NODE "isolab-disk"
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

static bool wait_for_job(isolab_qmp *q, bool (*is_enough)(void *opaque),
                         void *opaque, GError **error)
{
    JsonNode *answer;
    int state;

    while ((state = look(q, error)) == 0) {
        if (is_enough && is_enough(opaque)) {
            g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                        "it was interrupted");
            return false;
        }
        g_usleep(LOOK_EVERY_US);
    }
    answer = isolab_qmp_execute(q, "job-dismiss", job_arguments(false), NULL);
    g_clear_pointer(&answer, json_node_unref);
    return state == 1;
}

static JsonArray *nodes(void)
{
    JsonArray *array = json_array_new();

    json_array_add_string_element(array, NODE);
    return array;
}

/* True also if there is none. */
static bool remove_tag(isolab_qmp *q, bool (*is_enough)(void *opaque),
                       void *opaque, GError **error)
{
    JsonObject *arguments = job_arguments(true);
    g_autoptr(JsonNode) begun = NULL;

    json_object_set_string_member(arguments, "tag", TAG);
    json_object_set_array_member(arguments, "devices", nodes());
    begun = isolab_qmp_execute(q, "snapshot-delete", arguments, error);
    return begun && wait_for_job(q, is_enough, opaque, error);
}

bool windows_saved_write(isolab_qmp *q, bool (*is_enough)(void *opaque),
                         void *opaque, GError **error)
{
    g_autoptr(JsonNode) stopped = isolab_qmp_execute(q, "stop", NULL, error);
    g_autoptr(JsonNode) begun = NULL;
    JsonObject *arguments;

    if (!stopped) {
        return false;
    }
    remove_tag(q, is_enough, opaque, NULL); /* one that could not be removed */
    arguments = job_arguments(true);
    json_object_set_string_member(arguments, "tag", TAG);
    json_object_set_string_member(arguments, "vmstate", NODE);
    json_object_set_array_member(arguments, "devices", nodes());
    begun = isolab_qmp_execute(q, "snapshot-save", arguments, error);
    return begun && wait_for_job(q, is_enough, opaque, error);
}

bool windows_saved_remove(isolab_qmp *q, GError **error)
{
    return remove_tag(q, NULL, NULL, error);
}
