/*
 * A pipe as a source: what another program writes, in its own time.
 *
 *     mkfifo video; ffmpeg … -f yuv4mpegpipe video      pipe:video
 *     mkfifo video; ffmpeg … -pix_fmt yuyv422 -f rawvideo video
 *                                                       pipe:640x480:video
 *
 *  1. A thread reads, and QEMU never waits for it: a stream's next picture is
 *     the oldest whole one that has come, and the last one again if none has.
 *  2. It keeps QUEUE pictures and then stops to read, so that the writer waits
 *     in its turn: a file through a pipe is not overrun, and memory is bounded.
 *  3. A writer that ends is waited for: another may open the pipe. One that
 *     writes what is no Y4M is not listened to any more. Both repeat the last
 *     picture; before the first, the pictures are black. Where one writer's
 *     bytes end and the next one's begin a pipe does not say if they overlap.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { QUEUE = 4, LINE_MAX_BYTES = 1024 };

typedef struct {
    vpicture picture;
    uint8_t *bytes;
} entry;

typedef struct {
    char *path;
    int fd;
    int stop[2]; /* a pipe: closed at its end, the thread stops */
    GThread *thread;
    vpicture raw; /* the size that was given; count 0: Y4M says it */
    GMutex lock;
    GCond changed;
    GQueue *queue; /* entry */
    bool stops;
    entry last; /* the stream's */
} pipe_source;

static void free_entry(entry *e)
{
    g_free(e->bytes);
    g_free(e);
}

/* False: the source is closed, or the writer has (*ended). */
static bool read_all(pipe_source *p, uint8_t *to, size_t count, bool *ended)
{
    while (count > 0) {
        struct pollfd fds[] = { { p->fd, POLLIN, 0 },
                                { p->stop[0], POLLIN, 0 } };
        ssize_t got;

        if (poll(fds, 2, -1) < 0 && errno != EINTR) {
            return false;
        }
        if (fds[1].revents) {
            return false;
        }
        if (!fds[0].revents) {
            continue;
        }
        got = read(p->fd, to, count);
        if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
            *ended = true;
            return false;
        }
        if (got > 0) {
            to += got;
            count -= got;
        }
    }
    return true;
}

/* Rule 2. */
static bool push(pipe_source *p, entry *e)
{
    bool stops;

    g_mutex_lock(&p->lock);
    while (g_queue_get_length(p->queue) >= QUEUE && !p->stops) {
        g_cond_wait(&p->changed, &p->lock);
    }
    stops = p->stops;
    if (stops) {
        free_entry(e);
    } else {
        g_queue_push_tail(p->queue, e);
        g_cond_broadcast(&p->changed);
    }
    g_mutex_unlock(&p->lock);
    return !stops;
}

static bool read_line(pipe_source *p, char *line, bool *ended)
{
    for (size_t i = 0; i < LINE_MAX_BYTES; i++) {
        if (!read_all(p, (uint8_t *)line + i, 1, ended)) {
            return false;
        }
        if (line[i] == '\n') {
            line[i] = 0;
            return true;
        }
    }
    return false;
}

/* The lines before a Y4M's next frame; a header may come at any time, from
 * another writer. */
static bool read_header(pipe_source *p, vpicture *picture, bool *ended)
{
    char line[LINE_MAX_BYTES];

    while (read_line(p, line, ended)) {
        g_autofree char *error = NULL;

        if (g_str_has_prefix(line, "FRAME")) {
            return picture->count > 0;
        }
        if (!g_str_has_prefix(line, "YUV4MPEG2 ") ||
            !vy4m_parse(line, picture, &error)) {
            return false;
        }
    }
    return false;
}

/* What one writer writes, to its end. False: there will be no other. */
static bool read_stream(pipe_source *p)
{
    vpicture picture = p->raw;
    bool ended = false;

    for (;;) {
        entry *e;

        if (p->raw.count == 0 && !read_header(p, &picture, &ended)) {
            return ended;
        }
        e = g_new0(entry, 1);
        e->picture = picture;
        e->bytes = g_malloc(picture.count);
        if (!read_all(p, e->bytes, picture.count, &ended)) {
            free_entry(e);
            return ended;
        }
        if (!push(p, e)) {
            return false;
        }
    }
}

/* Rule 3: what was opened after a writer has gone waits for the next one. The
 * new descriptor comes first, or what that one has written would be lost. */
static gpointer run(gpointer data)
{
    pipe_source *p = data;

    while (read_stream(p)) {
        int fd = open(p->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

        if (fd < 0) {
            break;
        }
        close(p->fd);
        p->fd = fd;
    }
    return NULL;
}

static void pipe_close(void *state)
{
    pipe_source *p = state;

    g_mutex_lock(&p->lock);
    p->stops = true;
    g_cond_broadcast(&p->changed);
    g_mutex_unlock(&p->lock);
    close(p->stop[1]);
    g_thread_join(p->thread);
    close(p->stop[0]);
    close(p->fd);
    g_queue_free_full(p->queue, (GDestroyNotify)free_entry);
    g_free(p->last.bytes);
    g_free(p->path);
    g_mutex_clear(&p->lock);
    g_cond_clear(&p->changed);
    g_free(p);
}

/* "640x480:WHERE" has a size, "WHERE" none. False: a size that cannot be. */
static bool take_size(const char **where, vpicture *raw)
{
    unsigned width, height;
    int length = 0;

    if (sscanf(*where, "%ux%u:%n", &width, &height, &length) < 2 ||
        length == 0) {
        return true;
    }
    if (!vpicture_size_ok(width, height)) {
        return false;
    }
    *where += length;
    *raw = (vpicture){ .form = VPICTURE_YUY2,
                       .width = width,
                       .height = height,
                       .count = vpicture_bytes(VPICTURE_YUY2, width, height) };
    return true;
}

static void *pipe_open(const char *where, char **error)
{
    vpicture raw = { 0 };
    struct stat st;
    pipe_source *p;
    int fd;

    if (!take_size(&where, &raw)) {
        *error = g_strdup_printf("the size in pipe:%s is not an even one up to "
                                 "%u",
                                 where, VPICTURE_SIDE_MAX);
        return NULL;
    }
    fd = open(where, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
        *error = g_strdup_printf(
            "%s cannot be the camera's pictures: %s", where,
            fd < 0 ? g_strerror(errno) : "it is no pipe (mkfifo makes one)");
        if (fd >= 0) {
            close(fd);
        }
        return NULL;
    }
    p = g_new0(pipe_source, 1);
    p->fd = fd;
    p->path = g_strdup(where);
    p->raw = raw;
    p->queue = g_queue_new();
    g_mutex_init(&p->lock);
    g_cond_init(&p->changed);
    if (pipe(p->stop) < 0) {
        *error = g_strdup_printf("there is no pipe for the camera: %s",
                                 g_strerror(errno));
        g_queue_free(p->queue);
        close(fd);
        g_free(p->path);
        g_free(p);
        return NULL;
    }
    p->thread = g_thread_new("isoav-pipe", run, p);
    return p;
}

/* Rule 1. */
static bool pipe_picture(void *state, uint64_t n, vpicture *picture,
                         bool *repeated)
{
    pipe_source *p = state;
    entry *e;

    g_mutex_lock(&p->lock);
    e = g_queue_pop_head(p->queue);
    g_cond_broadcast(&p->changed);
    g_mutex_unlock(&p->lock);
    *repeated = e == NULL;
    if (e) {
        g_free(p->last.bytes);
        p->last = *e;
        g_free(e);
    }
    if (!p->last.bytes) {
        return false;
    }
    *picture = p->last.picture;
    picture->bytes = p->last.bytes;
    return true;
}

const vsource_kind vsource_pipe = {
    .name = "pipe",
    .open = pipe_open,
    .close = pipe_close,
    .picture = pipe_picture,
};
