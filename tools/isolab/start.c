/*
 * A QEMU that is started with its two QMP sockets, and the sources of the main
 * loop that look after it: what `run` and `windows` share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include "vm.h"

#include <sys/socket.h>
#include <unistd.h>

char *isolab_start_said(const char *log)
{
    g_autofree char *said = NULL;

    return g_file_get_contents(log, &said, NULL, NULL) && *g_strstrip(said)
               ? g_steal_pointer(&said)
               : NULL;
}

/* For a QEMU that said nothing over QMP. */
static void explain(const char *log, GError **error)
{
    g_autofree char *said = isolab_start_said(log);

    if (said) {
        g_clear_error(error);
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END,
                    "QEMU did not start: %s", said);
    } else if (error && *error) {
        (*error)->code = ISOLAB_NO_END;
    }
}

bool isolab_start(isolab_start_plan *s, GError **error)
{
    int own[2], listener = isolab_vm_listen(s->vm, error);

    if (listener < 0) {
        return false;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, own) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END,
                    "Cannot make a socket.");
        close(listener);
        return false;
    }
    s->process = isolab_process_start(s->program, s->arguments, own[1],
                                      listener, s->log, error);
    if (!s->process) {
        close(own[0]);
        return false;
    }
    isolab_process_watch(s->process, s->ended, s->opaque);
    s->qmp = isolab_qmp_new(own[0], s->patience_ms, error);
    if (!s->qmp) {
        isolab_process_stop(s->process, 1);
        explain(s->log, error);
    }
    return s->qmp;
}

void isolab_sources_free(GArray *sources)
{
    for (unsigned i = 0; i < sources->len; i++) {
        GSource *source = g_main_context_find_source_by_id(
            NULL, g_array_index(sources, guint, i));

        if (source) {
            g_source_destroy(source);
        }
    }
    g_array_unref(sources);
}
