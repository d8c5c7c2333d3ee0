/*
 * The guest's console: what its init says (tests/guest/init), on its way.
 * QEMU writes a file, so that nobody who reads slowly holds the guest up, and
 * inotify tells when it has grown.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "run.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#define MARK "isolab: "

struct isolab_console {
    int file;
    int notify;
    guint source;
    GString *line; /* begun, not yet ended */
};

static void say(const char *line)
{
    if (g_str_has_prefix(line, MARK)) {
        fprintf(stderr, "guest: %s\n", line + strlen(MARK));
    }
}

static void take(isolab_console *c, const char *text, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (text[i] == '\n') {
            say(c->line->str);
            g_string_truncate(c->line, 0);
        } else if (text[i] != '\r' && c->line->len < 4096) {
            g_string_append_c(c->line, text[i]);
        }
    }
}

static void read_more(isolab_console *c)
{
    char text[4096];
    ssize_t n;

    while ((n = read(c->file, text, sizeof(text))) > 0) {
        take(c, text, n);
    }
}

static gboolean has_grown(gint fd, GIOCondition condition, gpointer opaque)
{
    char events[4096];

    if (read(fd, events, sizeof(events)) > 0) {
        read_more(opaque);
    }
    return G_SOURCE_CONTINUE;
}

isolab_console *isolab_console_follow(const char *path)
{
    isolab_console *c = g_new0(isolab_console, 1);

    c->line = g_string_new(NULL);
    c->file = open(path, O_RDONLY | O_CLOEXEC);
    c->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (c->notify >= 0 && inotify_add_watch(c->notify, path, IN_MODIFY) >= 0) {
        c->source = g_unix_fd_add(c->notify, G_IO_IN, has_grown, c);
    }
    return c;
}

void isolab_console_free(isolab_console *c)
{
    if (!c) {
        return;
    }
    read_more(c);
    if (c->source) {
        g_source_remove(c->source);
    }
    if (c->notify >= 0) {
        close(c->notify);
    }
    if (c->file >= 0) {
        close(c->file);
    }
    g_string_free(c->line, TRUE);
    g_free(c);
}

int isolab_console_end(const char *text)
{
    static const char mark[] = MARK "end ";
    int status = -1;

    while ((text = strstr(text, mark))) {
        text += strlen(mark);
        if (g_ascii_isdigit(*text)) {
            status = atoi(text);
        }
    }
    return status;
}

char *isolab_console_panic(const char *text)
{
    const char *at = strstr(text, "Kernel panic");

    return at ? g_strndup(at, strcspn(at, "\r\n")) : NULL;
}
