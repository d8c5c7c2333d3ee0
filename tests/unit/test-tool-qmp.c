/*
 * The QMP client of isolab (tools/isolab/qmp.h) against a server that greets,
 * answers, and does not behave.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"
#include "json.h"
#include "qmp.h"

#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"
#define PATIENCE_MS 20000

/* What the server does, in turn. */
typedef enum {
    SAY,   /* the text */
    HEAR,  /* a line, which contains the text */
    DRAIN, /* wait until all that was said has been read */
    FLOOD, /* a line of so many bytes that it is no line */
    HANG_UP,
} act;

typedef struct {
    act act;
    const char *text;
} step;

typedef struct {
    int fd;
    const step *steps;
} server;

static void say(int fd, const char *text)
{
    size_t left = strlen(text);

    while (left) {
        ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

        if (n < 0) {
            return; /* the client has gone; the test will say why */
        }
        text += n;
        left -= n;
    }
}

static void hear(int fd, const char *text)
{
    g_autoptr(GString) line = g_string_new(NULL);
    char c = 0;

    while (c != '\n' && recv(fd, &c, 1, 0) == 1) {
        g_string_append_c(line, c);
    }
    if (!strstr(line->str, text)) {
        g_error("the client said %s, not %s", line->str, text);
    }
}

static void drain(int fd)
{
    int left;

    while (ioctl(fd, SIOCOUTQ, &left) == 0 && left) {
        g_thread_yield();
    }
}

static void flood(int fd)
{
    g_autofree char *text = g_strnfill(1 << 20, 'x');

    for (unsigned i = 0; i <= ISOLAB_QMP_LINE_MAX >> 20; i++) {
        say(fd, text);
    }
}

static gpointer serve(gpointer opaque)
{
    server *s = opaque;

    for (const step *step = s->steps; step->act != HANG_UP; step++) {
        switch (step->act) {
        case SAY:
            say(s->fd, step->text);
            break;
        case HEAR:
            hear(s->fd, step->text);
            break;
        case DRAIN:
            drain(s->fd);
            break;
        case FLOOD:
            flood(s->fd);
            break;
        case HANG_UP:
            break;
        }
    }
    close(s->fd);
    return NULL;
}

typedef struct {
    server server;
    GThread *thread;
    isolab_qmp *q;
    GError *error;
} session;

static void begin(session *s, const step *steps, int patience_ms)
{
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), ==, 0);
    *s = (session){ .server = { fds[1], steps } };
    s->thread = g_thread_new("server", serve, &s->server);
    s->q = isolab_qmp_new(fds[0], patience_ms, &s->error);
}

static void finish(session *s)
{
    isolab_qmp_free(s->q);
    g_thread_join(s->thread);
    g_clear_error(&s->error);
}

#define MEET                                         \
    { SAY, GREETING }, { HEAR, "qmp_capabilities" }, \
    {                                                \
        SAY, "{\"return\": {}, \"id\": 1}\r\n"       \
    }

static void meets(void)
{
    static const step steps[] = {
        MEET,
        { HEAR, "\"execute\":\"query-status\"" },
        { SAY, "{\"return\": {\"status\": \"running\"}, \"id\": 2}\r\n" },
        { HANG_UP, NULL },
    };
    session s;
    JsonNode *answer;

    begin(&s, steps, PATIENCE_MS);
    g_assert_no_error(s.error);
    answer = isolab_qmp_execute(s.q, "query-status", NULL, &s.error);
    g_assert_no_error(s.error);
    g_assert_cmpstr(isolab_json_text(json_node_get_object(answer), "status"),
                    ==, "running");
    json_node_unref(answer);
    finish(&s);
}

#define EVENT(n) "{\"event\": \"E" n "\", \"timestamp\": {}}\n"

/* Before the greeting's answer, before a command's, and behind it. */
static void events_come_between(void)
{
    static const step steps[] = {
        { SAY, GREETING EVENT("1") },
        { HEAR, "qmp_capabilities" },
        { SAY, EVENT("2") "{\"return\": {}, \"id\": 1}\n" },
        { HEAR, "stop" },
        { SAY,
          EVENT("3") EVENT("4") "{\"return\": {}, \"id\": 2}\n" EVENT("5") },
        { HANG_UP, NULL },
    };
    session s;
    JsonNode *answer;

    begin(&s, steps, PATIENCE_MS);
    g_assert_no_error(s.error);
    answer = isolab_qmp_execute(s.q, "stop", NULL, &s.error);
    g_assert_no_error(s.error);
    json_node_unref(answer);
    g_thread_join(s.thread); /* so that all is there */
    for (unsigned i = 1; i <= 5; i++) {
        g_autofree char *name = g_strdup_printf("E%u", i);
        JsonObject *event = isolab_qmp_next_event(s.q, &s.error);

        g_assert_no_error(s.error);
        g_assert_nonnull(event);
        g_assert_cmpstr(isolab_json_text(event, "event"), ==, name);
        json_object_unref(event);
    }
    g_assert_null(isolab_qmp_next_event(s.q, &s.error));
    g_assert_error(s.error, ISOLAB_ERROR, ISOLAB_NO_GUEST);
    isolab_qmp_free(s.q);
    g_clear_error(&s.error);
}

static void refusals_are_qemus_words(void)
{
    static const step steps[] = {
        MEET,
        { HEAR, "qom-set" },
        { SAY, "{\"error\": {\"class\": \"GenericError\", \"desc\": "
               "\"3:7: no such action\"}, \"id\": 2}\n" },
        { HEAR, "qom-get" },
        { SAY, "{\"return\": \"text\", \"id\": 3}\n" },
        { HANG_UP, NULL },
    };
    g_autofree char *text = NULL;
    session s;

    begin(&s, steps, PATIENCE_MS);
    g_assert_false(
        isolab_qmp_set_text(s.q, "/x", "fault-plan", "{}", &s.error));
    g_assert_error(s.error, ISOLAB_QMP_ERROR, ISOLAB_QMP_REFUSED);
    g_assert_cmpstr(s.error->message, ==, "3:7: no such action");
    g_clear_error(&s.error);
    /* the connection lives on */
    text = isolab_qmp_get_text(s.q, "/x", "fault-plan", &s.error);
    g_assert_no_error(s.error);
    g_assert_cmpstr(text, ==, "text");
    finish(&s);
}

/* Each piece has been read before the next one is sent. */
static void lines_come_in_pieces(void)
{
    static const step steps[] = {
        { SAY, "{\"QMP\"" },
        { DRAIN, NULL },
        { SAY, ": {}}" },
        { DRAIN, NULL },
        { SAY, "\r\n" },
        { HEAR, "qmp_capabilities" },
        { SAY, "{\"return\": {}, \"id\": 1}\n" },
        { HEAR, "qom-get" },
        { SAY, "{\"event\": \"E\"}\n{\"retu" },
        { DRAIN, NULL },
        { SAY, "rn\": \"caf\xc3" },
        { DRAIN, NULL },
        { SAY, "\xa9\", \"id\": 2}\n" },
        { HANG_UP, NULL },
    };
    g_autofree char *text = NULL;
    session s;

    begin(&s, steps, PATIENCE_MS);
    text = isolab_qmp_get_text(s.q, "/x", "y", &s.error);
    g_assert_no_error(s.error);
    g_assert_cmpstr(text, ==, "caf\xc3\xa9");
    finish(&s);
}

static void lines_may_be_long(void)
{
    g_autofree char *log = g_strnfill(8 << 20, 'l');
    g_autofree char *line =
        g_strdup_printf("{\"return\": \"%s\", \"id\": 2}\n", log);
    const step steps[] = {
        MEET,
        { HEAR, "fault-log" },
        { SAY, line },
        { HANG_UP, NULL },
    };
    g_autofree char *text = NULL;
    session s;

    begin(&s, steps, PATIENCE_MS);
    text = isolab_qmp_get_text(s.q, "/x", "fault-log", &s.error);
    g_assert_no_error(s.error);
    g_assert_cmpstr(text, ==, log);
    finish(&s);
}

static void lines_have_a_limit(void)
{
    static const step steps[] = {
        MEET,
        { HEAR, "stop" },
        { FLOOD, NULL },
        { HANG_UP, NULL },
    };
    session s;

    begin(&s, steps, PATIENCE_MS);
    g_assert_null(isolab_qmp_execute(s.q, "stop", NULL, &s.error));
    g_assert_error(s.error, ISOLAB_ERROR, ISOLAB_NO_GUEST);
    g_assert_nonnull(strstr(s.error->message, "too long"));
    finish(&s);
}

typedef struct {
    const char *name;
    const step *steps;
    const char *says;
    int patience_ms;
} failure;

static const step ends_at_once[] = { { HANG_UP, NULL } };
static const step ends_in_greeting[] = { { SAY, "{\"QMP\"" },
                                         { HANG_UP, NULL } };
static const step ends_before_answer[] = { { SAY, GREETING },
                                           { HEAR, "qmp_capabilities" },
                                           { HANG_UP, NULL } };
static const step is_no_qmp[] = { { SAY, "220 mail.example ESMTP\r\n" },
                                  { DRAIN, NULL },
                                  { HANG_UP, NULL } };
static const step does_not_greet[] = { { SAY, "{\"return\": {}}\n" },
                                       { DRAIN, NULL },
                                       { HANG_UP, NULL } };
/* it waits for the client, which gives up */
static const step says_nothing[] = { { HEAR, "" }, { HANG_UP, NULL } };

static const failure failures[] = {
    { "ends_at_once", ends_at_once, "has ended", PATIENCE_MS },
    { "ends_in_greeting", ends_in_greeting, "has ended", PATIENCE_MS },
    { "ends_before_answer", ends_before_answer, "has ended", PATIENCE_MS },
    { "is_no_qmp", is_no_qmp, "no QMP", PATIENCE_MS },
    { "does_not_greet", does_not_greet, "did not greet", PATIENCE_MS },
    { "says_nothing", says_nothing, "does not answer", 10 },
};

static void fails(gconstpointer opaque)
{
    const failure *f = opaque;
    session s;

    begin(&s, f->steps, f->patience_ms);
    g_assert_null(s.q);
    g_assert_error(s.error, ISOLAB_ERROR, ISOLAB_NO_GUEST);
    g_assert_nonnull(strstr(s.error->message, f->says));
    finish(&s);
}

static void nobody_listens(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *longer = g_strnfill(200, 'x');

    g_assert_null(isolab_qmp_connect("/nowhere/qmp", &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_NO_GUEST);
    g_clear_error(&error);
    g_assert_null(isolab_qmp_connect(longer, &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_USAGE);
}

/* A property of another type than expected is an error and no crash. */
static void properties_of_another_type(void)
{
    static const step steps[] = {
        MEET,
        { HEAR, "stats" },
        { SAY, "{\"return\": \"text\", \"id\": 2}\n" },
        { HEAR, "fault-log" },
        { SAY, "{\"return\": {\"a\": 1}, \"id\": 3}\n" },
        { HEAR, "fault-log" },
        { SAY, "{\"return\": 5, \"id\": 4}\n" },
        { HANG_UP, NULL },
    };
    session s;

    begin(&s, steps, PATIENCE_MS);
    g_assert_null(isolab_qmp_get_object(s.q, "/x", "stats", &s.error));
    g_assert_error(s.error, ISOLAB_ERROR, ISOLAB_FAILED);
    g_clear_error(&s.error);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_null(isolab_qmp_get_text(s.q, "/x", "fault-log", &s.error));
        g_assert_error(s.error, ISOLAB_ERROR, ISOLAB_FAILED);
        g_clear_error(&s.error);
    }
    finish(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tool/qmp/meets", meets);
    g_test_add_func("/tool/qmp/events_come_between", events_come_between);
    g_test_add_func("/tool/qmp/refusals_are_qemus_words",
                    refusals_are_qemus_words);
    g_test_add_func("/tool/qmp/lines_come_in_pieces", lines_come_in_pieces);
    g_test_add_func("/tool/qmp/lines_may_be_long", lines_may_be_long);
    g_test_add_func("/tool/qmp/lines_have_a_limit", lines_have_a_limit);
    for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
        g_autofree char *path =
            g_strdup_printf("/tool/qmp/fails/%s", failures[i].name);

        g_test_add_data_func(path, &failures[i], fails);
    }
    g_test_add_func("/tool/qmp/nobody_listens", nobody_listens);
    g_test_add_func("/tool/qmp/properties_of_another_type",
                    properties_of_another_type);
    return g_test_run();
}
