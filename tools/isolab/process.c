/*
 * QEMU as a process of ours.
 *
 *  1. It never outlives us: the kernel kills it when we are gone
 *     (PR_SET_PDEATHSIG), be it by SIGKILL.
 *  2. It has a process group of its own: Ctrl-C at the terminal comes to us,
 *     and we end QEMU in order, with its files written.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct isolab_process {
    GSubprocess *child;
    bool ended;
    void (*on_end)(void *opaque);
    void *opaque;
};

/* Rules 1 and 2. Between fork and exec: system calls only. */
static void in_child(gpointer opaque)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != GPOINTER_TO_INT(opaque)) {
        _exit(127); /* we were gone before the kernel was asked */
    }
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
}

isolab_process *isolab_process_start(const char *program,
                                     char *const *arguments, int own,
                                     int listener, const char *log,
                                     GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
    g_autoptr(GPtrArray) line = g_ptr_array_new();
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    isolab_process *p;
    GSubprocess *child;

    g_subprocess_launcher_take_fd(launcher, own, ISOLAB_FD_OWN);
    g_subprocess_launcher_take_fd(launcher, listener, ISOLAB_FD_PUBLIC);
    if (fd < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END, "Cannot write %s: %s.",
                    log, g_strerror(errno));
        return NULL;
    }
    g_subprocess_launcher_take_stdout_fd(launcher, fd);
    g_subprocess_launcher_take_stderr_fd(launcher,
                                         fcntl(fd, F_DUPFD_CLOEXEC, 0));
    g_subprocess_launcher_set_child_setup(launcher, in_child,
                                          GINT_TO_POINTER(getpid()), NULL);
    g_ptr_array_add(line, (char *)program);
    for (; *arguments; arguments++) {
        g_ptr_array_add(line, *arguments);
    }
    g_ptr_array_add(line, NULL);
    child = g_subprocess_launcher_spawnv(
        launcher, (const char *const *)line->pdata, error);
    if (!child) {
        return NULL;
    }
    p = g_new0(isolab_process, 1);
    p->child = child;
    return p;
}

static void note_end(GObject *source, GAsyncResult *result, gpointer opaque)
{
    isolab_process *p = opaque;

    g_subprocess_wait_finish(p->child, result, NULL);
    p->ended = true;
    if (p->on_end) {
        p->on_end(p->opaque);
    }
}

void isolab_process_watch(isolab_process *p, void (*ended)(void *opaque),
                          void *opaque)
{
    p->on_end = ended;
    p->opaque = opaque;
    g_subprocess_wait_async(p->child, NULL, note_end, p);
}

int isolab_process_id(const isolab_process *p)
{
    const char *id = g_subprocess_get_identifier(p->child);

    return id ? atoi(id) : 0;
}

bool isolab_process_has_ended(const isolab_process *p)
{
    return p->ended;
}

static gboolean run_out(gpointer opaque)
{
    isolab_process *p = opaque;

    g_subprocess_force_exit(p->child);
    return G_SOURCE_REMOVE;
}

void isolab_process_stop(isolab_process *p, unsigned patience_s)
{
    guint timer;

    if (p->ended) {
        return;
    }
    timer = g_timeout_add_seconds(patience_s, run_out, p);
    while (!p->ended) {
        g_main_context_iteration(NULL, TRUE);
    }
    if (g_main_context_find_source_by_id(NULL, timer)) {
        g_source_remove(timer);
    }
}

char *isolab_process_end(const isolab_process *p)
{
    if (g_subprocess_get_if_signaled(p->child)) {
        return g_strdup_printf(
            "QEMU ended by signal %d (%s)", g_subprocess_get_term_sig(p->child),
            g_strsignal(g_subprocess_get_term_sig(p->child)));
    }
    return g_strdup_printf("QEMU ended with status %d",
                           g_subprocess_get_exit_status(p->child));
}

void isolab_process_free(isolab_process *p)
{
    if (p) {
        g_object_unref(p->child);
        g_free(p);
    }
}
