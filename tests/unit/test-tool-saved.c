/*
 * Saving a machine of isolab windows (windows-saved.c), with a QEMU that is
 * played here: it answers only when the one who waits has been asked so often
 * whether it is enough, which is after the client's limit.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "json.h"
#include "windows-saved.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MEETS                                              \
    "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n" \
    "{\"return\": {}, \"id\": 1}\n"
/* The client's; what is there already is read without it. */
#define PATIENCE_MS 1
#define LATE 2

typedef struct {
    int fd;
    isolab_qmp *q;
    GString *heard;     /* the commands, in turn */
    const char *silent; /* the command that is not answered */
    int64_t id;         /* of the command that waits; 0: none does */
    char *command;
    unsigned asked; /* since then */
    unsigned jobs;  /* query-jobs, of this job */
} server;

static void begin(server *s, const char *silent)
{
    g_autoptr(GError) error = NULL;
    char text[4096];
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    *s = (server){ .fd = fds[1], .silent = silent };
    s->heard = g_string_new(NULL);
    g_assert_cmpint(write(s->fd, MEETS, strlen(MEETS)), ==, strlen(MEETS));
    s->q = isolab_qmp_new(fds[0], PATIENCE_MS, &error);
    g_assert_no_error(error);
    g_assert_cmpint(recv(s->fd, text, sizeof(text), 0), >, 0);
}

static void finish(server *s)
{
    isolab_qmp_free(s->q);
    close(s->fd);
    g_string_free(s->heard, TRUE);
    g_free(s->command);
}

/* A command that has come: it is a line, in one piece. */
static void hear(server *s)
{
    char text[4096];
    ssize_t n = recv(s->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
    g_autoptr(JsonObject) command = NULL;

    if (n <= 0) {
        return;
    }
    text[n] = '\0';
    command = isolab_json_parse(text, NULL);
    g_assert_nonnull(command);
    g_free(s->command);
    s->command = g_strdup(isolab_json_text(command, "execute"));
    s->id = isolab_json_int(command, "id", 0);
    s->asked = 0;
    g_string_append_printf(s->heard, "%s ", s->command);
}

/* Each job is seen running once. */
static const char *answer_to(server *s)
{
    if (g_str_equal(s->command, "job-dismiss")) {
        s->jobs = 0;
    }
    if (!g_str_equal(s->command, "query-jobs")) {
        return "{}";
    }
    return s->jobs++ ? "[{\"id\": \"isolab-saved\", \"status\": \"concluded\"}]"
                     : "[{\"id\": \"isolab-saved\", \"status\": \"running\"}]";
}

/* What the client asks while it waits. */
static bool is_enough(void *opaque)
{
    server *s = opaque;
    g_autofree char *answer = NULL;

    hear(s);
    if (!s->id || ++s->asked < LATE) {
        return false;
    }
    if (g_strcmp0(s->command, s->silent) == 0) {
        return true;
    }
    answer = g_strdup_printf("{\"return\": %s, \"id\": %d}\n", answer_to(s),
                             (int)s->id);
    g_assert_cmpint(write(s->fd, answer, strlen(answer)), ==, strlen(answer));
    s->id = 0;
    return false;
}

#define REMOVED "snapshot-delete query-jobs query-jobs job-dismiss "
#define SAVED "snapshot-save query-jobs query-jobs job-dismiss "

/* As QEMU does, which writes the memory before it answers. */
static void answers_may_be_late(void)
{
    g_autoptr(GError) error = NULL;
    server s;

    begin(&s, NULL);
    g_assert_true(windows_saved_write(s.q, is_enough, &s, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(s.heard->str, ==, "stop " REMOVED SAVED);
    g_assert_true(windows_saved_remove(s.q, is_enough, &s, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(s.heard->str, ==, "stop " REMOVED SAVED REMOVED);
    finish(&s);
}

/* Whoever asks something else afterwards does not wait for ever. */
static void then_there_is_a_limit(void)
{
    g_autoptr(GError) error = NULL;
    server s;

    begin(&s, NULL);
    g_assert_true(windows_saved_write(s.q, is_enough, &s, &error));
    g_assert_null(isolab_qmp_execute(s.q, "quit", NULL, &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST);
    finish(&s);
}

static void gives_up(gconstpointer command)
{
    g_autoptr(GError) error = NULL;
    server s;

    begin(&s, command);
    g_assert_false(windows_saved_write(s.q, is_enough, &s, &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_INTERRUPTED);
    finish(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/saved/answers-may-be-late", answers_may_be_late);
    g_test_add_func("/saved/then-there-is-a-limit", then_there_is_a_limit);
    g_test_add_data_func("/saved/gives-up/stop", "stop", gives_up);
    g_test_add_data_func("/saved/gives-up/snapshot-save", "snapshot-save",
                         gives_up);
    g_test_add_data_func("/saved/gives-up/query-jobs", "query-jobs", gives_up);
    return g_test_run();
}
