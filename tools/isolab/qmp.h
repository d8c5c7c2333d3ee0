/*
 * A client of QMP, the QEMU Machine Protocol: a JSON object a line, over a
 * UNIX socket.
 *
 *  1. QEMU greets; the client negotiates (qmp_capabilities); after that each
 *     command has one answer, in order. Events come between, at any time.
 *  2. A QMP socket serves one client at a time, others wait in its queue. Who
 *     wants to look for a while connects for each look and lets others in
 *     between; only `isolab run` keeps a connection, on a socket of its own.
 *  3. Nothing waits for ever: an answer that does not come in
 *     ISOLAB_QMP_PATIENCE_MS of the host's clock is an error. For what may take
 *     minutes, in which QEMU answers nothing, the caller is asked instead.
 *  4. A line may come in pieces and may be long (a fault log is megabytes); one
 *     of more than ISOLAB_QMP_LINE_MAX bytes is an error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_QMP_H
#define ISOLAB_QMP_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>

#define ISOLAB_QMP_PATIENCE_MS 10000
#define ISOLAB_QMP_LINE_MAX (64u << 20)

typedef struct isolab_qmp isolab_qmp;

/* Rule 1, up to the answer to qmp_capabilities. */
isolab_qmp *isolab_qmp_connect(const char *path, GError **error);
/* The same on a connected socket, which the client closes from now on. The
 * patience (rule 3) is for its start; a command has ISOLAB_QMP_PATIENCE_MS, or
 * less if that is less. */
isolab_qmp *isolab_qmp_new(int fd, int patience_ms, GError **error);
void isolab_qmp_free(isolab_qmp *q);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(isolab_qmp, isolab_qmp_free)

/* To wait for: readable means that isolab_qmp_next_event may have one. */
int isolab_qmp_fd(const isolab_qmp *q);

/*
 * One command. Takes the arguments, which may be NULL. The answer's "return",
 * for the caller to unref; NULL with an error of domain ISOLAB_QMP_ERROR if
 * QEMU refused (its words), of ISOLAB_ERROR if there is no QEMU any more.
 */
JsonNode *isolab_qmp_execute(isolab_qmp *q, const char *command,
                             JsonObject *arguments, GError **error);

/*
 * Rule 3, the other way: from now on a command waits until its answer is there
 * or `is_enough`, asked before each wait and every ISOLAB_QMP_ASK_MS, says so,
 * which is an error, ISOLAB_INTERRUPTED. It must not use this client. NULL: a
 * limit again.
 */
#define ISOLAB_QMP_ASK_MS 50
void isolab_qmp_wait_until(isolab_qmp *q, bool (*is_enough)(void *opaque),
                           void *opaque);

/*
 * An event that has come, oldest first, for the caller to unref. NULL: none
 * now, or, with an error, the connection has ended. Does not wait.
 */
JsonObject *isolab_qmp_next_event(isolab_qmp *q, GError **error);

/* qom-get and qom-set of text. The caller frees. */
char *isolab_qmp_get_text(isolab_qmp *q, const char *path, const char *property,
                          GError **error);
bool isolab_qmp_set_text(isolab_qmp *q, const char *path, const char *property,
                         const char *value, GError **error);
/* qom-get of an object, for the caller to unref. */
JsonObject *isolab_qmp_get_object(isolab_qmp *q, const char *path,
                                  const char *property, GError **error);

typedef enum {
    ISOLAB_QMP_REFUSED, /* QEMU's own error */
} isolab_qmp_error;
#define ISOLAB_QMP_ERROR isolab_qmp_error_quark()
GQuark isolab_qmp_error_quark(void);

#endif
