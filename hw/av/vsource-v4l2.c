/*
 * A V4L2 camera of the host as a source: v4l2:/dev/video0
 *
 *  1. A thread has the camera and waits for it; QEMU never does, not even for
 *     the camera's stream to start. What is shown is the newest picture that
 *     has come, or the last one again: black before the first.
 *  2. The camera streams while the guest's stream does. For a still image, in
 *     the middle of a stream, it is not set to another size and back: the
 *     still is the newest picture, too.
 *  3. A camera that is in use elsewhere, or was unplugged, is looked for again
 *     while the guest wants pictures. What it is was checked when QEMU started.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-v4l2.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    vpicture picture;
    uint8_t *bytes; /* NULL: there is none */
} image;

typedef struct {
    const v4l2_ops *ops;
    char *path;
    int wake[2]; /* a pipe: the thread has something to obey */
    GThread *thread;
    GMutex lock;
    /* under the lock */
    bool ends;
    bool runs;
    unsigned serial; /* of what was last wanted */
    isoav_vformat wanted;
    image fresh;
    /* the stream's */
    image last;
    /* the thread's */
    v4l2_camera *camera; /* NULL: it is gone */
    bool streams;
    bool waits; /* rule 3: until it is time to look again */
    unsigned obeyed;
} source;

static int system_open(const char *path)
{
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void system_close(int fd)
{
    close(fd);
}

static int system_ioctl(int fd, unsigned long request, void *argument)
{
    return ioctl(fd, request, argument);
}

static void *system_map(int fd, size_t bytes, off_t offset)
{
    void *at =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);

    return at == MAP_FAILED ? NULL : at;
}

static void system_unmap(void *at, size_t bytes)
{
    munmap(at, bytes);
}

const v4l2_ops v4l2_ops_system = {
    .open = system_open,
    .close = system_close,
    .ioctl = system_ioctl,
    .map = system_map,
    .unmap = system_unmap,
    .retry_ms = 1000,
};

static void drop(image *i)
{
    g_free(i->bytes);
    i->bytes = NULL;
}

/* Rule 3. */
static void start_camera(source *s, const isoav_vformat *wanted)
{
    g_autofree char *why = NULL;

    if (!s->camera) {
        s->camera = v4l2_camera_open(s->ops, s->path, &why);
    }
    s->streams = s->camera && v4l2_camera_start(s->camera, wanted);
    s->waits = !s->streams;
}

static void stop_camera(source *s)
{
    if (s->camera) {
        v4l2_camera_stop(s->camera);
    }
    s->streams = false;
}

static void lose_camera(source *s)
{
    v4l2_camera_close(s->camera);
    s->camera = NULL;
    s->streams = false;
    s->waits = true;
}

/* Brings the camera to what is wanted. False: the source is closed. */
static bool obey(source *s, bool *runs)
{
    isoav_vformat wanted;
    unsigned serial;
    bool ends;

    g_mutex_lock(&s->lock);
    ends = s->ends;
    *runs = s->runs;
    serial = s->serial;
    wanted = s->wanted;
    g_mutex_unlock(&s->lock);
    if (serial != s->obeyed) {
        stop_camera(s);
        s->obeyed = serial;
        s->waits = false;
    }
    if (!ends && *runs && !s->streams && !s->waits) {
        start_camera(s, &wanted);
    }
    return !ends;
}

/* Rule 1. What comes after the guest's stream has ended is nobody's. */
static void show(source *s, image *i)
{
    g_mutex_lock(&s->lock);
    if (s->serial == s->obeyed) {
        drop(&s->fresh);
        s->fresh = *i;
    } else {
        drop(i);
    }
    g_mutex_unlock(&s->lock);
}

static void take(source *s)
{
    image i = { 0 };

    switch (v4l2_camera_take(s->camera, &i.picture, &i.bytes)) {
    case V4L2_TAKEN:
        show(s, &i);
        break;
    case V4L2_NOTHING:
    case V4L2_BAD:
        break;
    case V4L2_GONE:
        lose_camera(s);
        break;
    }
}

static gpointer run(gpointer data)
{
    source *s = data;
    bool runs;

    while (obey(s, &runs)) {
        struct pollfd fds[] = {
            { s->wake[0], POLLIN, 0 },
            { s->streams ? v4l2_camera_fd(s->camera) : -1, POLLIN, 0 },
        };
        uint8_t words[16];
        int count = poll(fds, 2, runs && s->waits ? s->ops->retry_ms : -1);

        if (count <= 0) {
            s->waits &= count < 0; /* a signal says nothing */
            continue;
        }
        if (fds[0].revents && read(s->wake[0], words, sizeof(words)) < 0 &&
            errno != EAGAIN) {
            break;
        }
        if (fds[1].revents & POLLIN) {
            take(s);
        } else if (fds[1].revents) {
            lose_camera(s);
        }
    }
    if (s->camera) {
        v4l2_camera_close(s->camera);
    }
    return NULL;
}

/* With the lock. A pipe that is full wakes, too. */
static void wake(source *s)
{
    ssize_t written = write(s->wake[1], "", 1);

    (void)written;
}

/* Rule 2. */
static bool v4l2_start(void *state, const isoav_vformat *format)
{
    source *s = state;

    g_mutex_lock(&s->lock);
    if (!s->runs) {
        s->runs = true;
        s->wanted = *format;
        s->serial++;
        wake(s);
    }
    g_mutex_unlock(&s->lock);
    return true;
}

static void v4l2_stop(void *state)
{
    source *s = state;

    g_mutex_lock(&s->lock);
    if (s->runs) {
        s->runs = false;
        s->serial++;
        wake(s);
    }
    drop(&s->fresh);
    g_mutex_unlock(&s->lock);
    drop(&s->last);
}

/* Rule 1. */
static bool v4l2_picture(void *state, uint64_t n, vpicture *picture,
                         bool *repeated)
{
    source *s = state;
    image fresh;

    g_mutex_lock(&s->lock);
    fresh = s->fresh;
    s->fresh.bytes = NULL;
    g_mutex_unlock(&s->lock);
    *repeated = fresh.bytes == NULL;
    if (fresh.bytes) {
        drop(&s->last);
        s->last = fresh;
    }
    if (!s->last.bytes) {
        return false;
    }
    *picture = s->last.picture;
    picture->bytes = s->last.bytes;
    return true;
}

static void free_source(source *s)
{
    drop(&s->fresh);
    drop(&s->last);
    close(s->wake[0]);
    close(s->wake[1]);
    g_mutex_clear(&s->lock);
    g_free(s->path);
    g_free(s);
}

void *v4l2_source_open(const v4l2_ops *ops, const char *path, char **error)
{
    v4l2_camera *camera = v4l2_camera_open(ops, path, error);
    source *s;

    if (!camera) {
        return NULL;
    }
    s = g_new0(source, 1);
    if (pipe2(s->wake, O_NONBLOCK | O_CLOEXEC) < 0) {
        *error = g_strdup_printf("there is no pipe for the camera: %s",
                                 g_strerror(errno));
        v4l2_camera_close(camera);
        g_free(s);
        return NULL;
    }
    s->ops = ops;
    s->path = g_strdup(path);
    s->camera = camera;
    g_mutex_init(&s->lock);
    s->thread = g_thread_new("isoav-v4l2", run, s);
    return s;
}

static void *v4l2_open(const char *where, char **error)
{
    return v4l2_source_open(&v4l2_ops_system, where, error);
}

static void v4l2_close(void *state)
{
    source *s = state;

    g_mutex_lock(&s->lock);
    s->ends = true;
    wake(s);
    g_mutex_unlock(&s->lock);
    g_thread_join(s->thread);
    free_source(s);
}

const vsource_kind vsource_v4l2 = {
    .name = "v4l2",
    .open = v4l2_open,
    .close = v4l2_close,
    .start = v4l2_start,
    .stop = v4l2_stop,
    .picture = v4l2_picture,
};
