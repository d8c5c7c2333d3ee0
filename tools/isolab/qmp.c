/*
 * The QMP client. The rules are in qmp.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qmp.h"

#include "command.h"
#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

GQuark isolab_qmp_error_quark(void)
{
    return g_quark_from_static_string("isolab-qmp-error");
}

#define READ_BYTES 65536
/* Events that nobody fetched; more are dropped, oldest first. */
#define EVENTS_MAX 1024

struct isolab_qmp {
    int fd;
    int patience_ms;
    bool (*is_enough)(void *opaque); /* instead, or NULL */
    void *opaque;
    uint64_t id;     /* of the last command */
    GString *input;  /* read, not yet parsed */
    size_t searched; /* of it: no line break up to here */
    GQueue *events;  /* JsonObject */
};

static void fail(GError **error, const char *why)
{
    g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST, "QEMU %s.", why);
}

static int left_ms(int64_t until_us)
{
    return MAX((until_us - g_get_monotonic_time() + 999) / 1000, 0);
}

/* Rule 3. False: it took too long, or poll itself failed. */
static bool wait_for(const isolab_qmp *q, short what, int64_t until_us,
                     GError **error)
{
    struct pollfd fd = { .fd = q->fd, .events = what };

    for (;;) {
        int n;

        if (q->is_enough && q->is_enough(q->opaque)) {
            g_set_error_literal(error, ISOLAB_ERROR, ISOLAB_INTERRUPTED,
                                "it was interrupted");
            return false;
        }
        n = poll(&fd, 1, q->is_enough ? ISOLAB_QMP_ASK_MS : left_ms(until_us));
        if (n > 0) {
            return true;
        }
        if (n == 0 && !q->is_enough) {
            fail(error, "does not answer; if another program holds its QMP "
                        "socket, end that first");
            return false;
        }
        if (n < 0 && errno != EINTR) {
            fail(error, g_strerror(errno));
            return false;
        }
    }
}

static bool write_all(isolab_qmp *q, const char *text, int64_t until_us,
                      GError **error)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = send(q->fd, text, left, MSG_NOSIGNAL);

        if (n >= 0) {
            text += n;
            left -= n;
        } else if (errno == EAGAIN) {
            if (!wait_for(q, POLLOUT, until_us, error)) {
                return false;
            }
        } else if (errno != EINTR) {
            fail(error, "has ended");
            return false;
        }
    }
    return true;
}

/* Reads what is there. False: the end, or an error. *none: nothing was. */
static bool read_some(isolab_qmp *q, bool *none, GError **error)
{
    size_t before = q->input->len;
    ssize_t n;

    *none = false;
    g_string_set_size(q->input, before + READ_BYTES);
    n = recv(q->fd, q->input->str + before, READ_BYTES, 0);
    g_string_set_size(q->input, before + MAX(n, 0));
    if (n > 0) {
        return true;
    }
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        *none = true;
        return true;
    }
    fail(error, "has ended");
    return false;
}

/* One line out of what was read. NULL without an error: there is none yet. */
static JsonObject *take_line(isolab_qmp *q, GError **error)
{
    g_autoptr(GError) own = NULL;
    JsonObject *object;
    char *end;

    do {
        end = memchr(q->input->str + q->searched, '\n',
                     q->input->len - q->searched);
        if (!end) {
            q->searched = q->input->len;
            if (q->input->len > ISOLAB_QMP_LINE_MAX) {
                fail(error, "sent a line that is too long");
            }
            return NULL;
        }
        *end = '\0';
        object = NULL;
        if (end > q->input->str && *q->input->str != '\r') {
            object = isolab_json_parse(q->input->str, &own);
        }
        g_string_erase(q->input, 0, end + 1 - q->input->str);
        q->searched = 0;
    } while (!object && !own);
    if (own) {
        fail(error, "said what is no QMP; is that socket another one?");
    }
    return object;
}

static void keep_event(isolab_qmp *q, JsonObject *event)
{
    if (q->events->length == EVENTS_MAX) {
        json_object_unref(g_queue_pop_head(q->events));
    }
    g_queue_push_tail(q->events, event);
}

/* The next line that is no event. */
static JsonObject *read_answer(isolab_qmp *q, int64_t until_us, GError **error)
{
    g_autoptr(GError) own = NULL;
    JsonObject *object;
    bool none;

    for (;;) {
        object = take_line(q, &own);
        if (own) {
            g_propagate_error(error, g_steal_pointer(&own));
            return NULL;
        }
        if (object && json_object_has_member(object, "event")) {
            keep_event(q, object);
        } else if (object) {
            return object;
        } else if (!wait_for(q, POLLIN, until_us, error) ||
                   !read_some(q, &none, error)) {
            return NULL;
        }
    }
}

static int64_t deadline(const isolab_qmp *q)
{
    return g_get_monotonic_time() + q->patience_ms * INT64_C(1000);
}

/* Rule 1. */
static bool negotiate(isolab_qmp *q, GError **error)
{
    g_autoptr(JsonObject) greeting = read_answer(q, deadline(q), error);
    JsonNode *answer;

    if (!greeting) {
        return false;
    }
    if (!isolab_json_object(greeting, "QMP")) {
        fail(error, "did not greet; is that socket another one?");
        return false;
    }
    answer = isolab_qmp_execute(q, "qmp_capabilities", NULL, error);
    if (!answer) {
        return false;
    }
    json_node_unref(answer);
    return true;
}

isolab_qmp *isolab_qmp_new(int fd, int patience_ms, GError **error)
{
    isolab_qmp *q = g_new0(isolab_qmp, 1);
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    q->fd = fd;
    q->patience_ms = patience_ms;
    q->input = g_string_new(NULL);
    q->events = g_queue_new();
    if (!negotiate(q, error)) {
        isolab_qmp_free(q);
        return NULL;
    }
    q->patience_ms = MIN(patience_ms, ISOLAB_QMP_PATIENCE_MS);
    return q;
}

isolab_qmp *isolab_qmp_connect(const char *path, GError **error)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int fd;

    if (strlen(path) >= sizeof(address.sun_path)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "The socket's path %s is longer than %zu bytes.", path,
                    sizeof(address.sun_path) - 1);
        return NULL;
    }
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 ||
        connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST,
                    "No QEMU listens at %s (%s).", path, g_strerror(errno));
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    return isolab_qmp_new(fd, ISOLAB_QMP_PATIENCE_MS, error);
}

void isolab_qmp_free(isolab_qmp *q)
{
    if (!q) {
        return;
    }
    close(q->fd);
    g_string_free(q->input, TRUE);
    g_queue_free_full(q->events, (GDestroyNotify)json_object_unref);
    g_free(q);
}

void isolab_qmp_wait_until(isolab_qmp *q, bool (*is_enough)(void *opaque),
                           void *opaque)
{
    q->is_enough = is_enough;
    q->opaque = opaque;
}

int isolab_qmp_fd(const isolab_qmp *q)
{
    return q->fd;
}

static char *command_text(isolab_qmp *q, const char *command,
                          JsonObject *arguments)
{
    g_autoptr(JsonObject) message = json_object_new();
    g_autofree char *line = NULL;

    json_object_set_string_member(message, "execute", command);
    json_object_set_int_member(message, "id", ++q->id);
    if (arguments) {
        json_object_set_object_member(message, "arguments", arguments);
    }
    line = isolab_json_line(message);
    return g_strconcat(line, "\n", NULL);
}

JsonNode *isolab_qmp_execute(isolab_qmp *q, const char *command,
                             JsonObject *arguments, GError **error)
{
    g_autofree char *text = command_text(q, command, arguments);
    int64_t until_us = deadline(q);
    g_autoptr(JsonObject) answer = NULL;
    JsonObject *refusal;
    JsonNode *result;

    if (!write_all(q, text, until_us, error)) {
        return NULL;
    }
    do {
        g_clear_pointer(&answer, json_object_unref);
        answer = read_answer(q, until_us, error);
        if (!answer) {
            return NULL;
        }
        /* an answer that nobody waited for any more */
    } while (isolab_json_int(answer, "id", q->id) != (int64_t)q->id);
    refusal = isolab_json_object(answer, "error");
    if (refusal) {
        const char *words = isolab_json_text(refusal, "desc");

        g_set_error_literal(error, ISOLAB_QMP_ERROR, ISOLAB_QMP_REFUSED,
                            words ? words : "QEMU gives no reason");
        return NULL;
    }
    result = isolab_json_get(answer, "return");
    if (!result) {
        fail(error, "answered what is no QMP");
        return NULL;
    }
    return json_node_copy(result);
}

JsonObject *isolab_qmp_next_event(isolab_qmp *q, GError **error)
{
    g_autoptr(GError) own = NULL;
    bool none;

    while (!q->events->length) {
        JsonObject *object = take_line(q, &own);

        if (own) {
            g_propagate_error(error, g_steal_pointer(&own));
            return NULL;
        }
        if (object && json_object_has_member(object, "event")) {
            keep_event(q, object);
        } else if (object) {
            json_object_unref(object); /* nobody waits for it */
        } else if (!read_some(q, &none, error) || none) {
            return NULL;
        }
    }
    return g_queue_pop_head(q->events);
}

static JsonNode *qom_get(isolab_qmp *q, const char *path, const char *property,
                         GError **error)
{
    JsonObject *arguments = json_object_new();

    json_object_set_string_member(arguments, "path", path);
    json_object_set_string_member(arguments, "property", property);
    return isolab_qmp_execute(q, "qom-get", arguments, error);
}

static bool is_of_type(JsonNode *node, bool fits, const char *property,
                       GError **error)
{
    if (!fits) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED,
                    "QEMU's property '%s' is not what this isolab expects; "
                    "use the isolab that was built with the module.",
                    property);
    }
    return fits;
}

char *isolab_qmp_get_text(isolab_qmp *q, const char *path, const char *property,
                          GError **error)
{
    g_autoptr(JsonNode) node = qom_get(q, path, property, error);

    if (!node ||
        !is_of_type(node,
                    JSON_NODE_HOLDS_VALUE(node) && json_node_get_string(node),
                    property, error)) {
        return NULL;
    }
    return json_node_dup_string(node);
}

JsonObject *isolab_qmp_get_object(isolab_qmp *q, const char *path,
                                  const char *property, GError **error)
{
    g_autoptr(JsonNode) node = qom_get(q, path, property, error);

    if (!node ||
        !is_of_type(node, JSON_NODE_HOLDS_OBJECT(node), property, error)) {
        return NULL;
    }
    return json_node_dup_object(node);
}

bool isolab_qmp_set_text(isolab_qmp *q, const char *path, const char *property,
                         const char *value, GError **error)
{
    JsonObject *arguments = json_object_new();
    g_autoptr(JsonNode) answer = NULL;

    json_object_set_string_member(arguments, "path", path);
    json_object_set_string_member(arguments, "property", property);
    json_object_set_string_member(arguments, "value", value);
    answer = isolab_qmp_execute(q, "qom-set", arguments, error);
    return answer != NULL;
}
