/*
 * The file of a capture (file.h).
 *
 *  1. The descriptor does not block: a pipe whose reader is too slow ends the
 *     capture, and not the machine's time.
 *  2. The first error stays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/capture/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

enum { PIECE_BYTES = 65536 };

struct isolab_capture_file {
    int fd;
    char *path;
    GByteArray *waiting;
    int error; /* errno */
};

isolab_capture_file *isolab_capture_file_open(const char *path, char **error)
{
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0644);
    isolab_capture_file *f;

    if (fd < 0) {
        *error = g_strdup_printf("%s cannot be a capture: %s", path,
                                 errno == ENXIO ? "nobody reads this pipe"
                                                : g_strerror(errno));
        return NULL;
    }
    f = g_new0(isolab_capture_file, 1);
    f->fd = fd;
    f->path = g_strdup(path);
    f->waiting = g_byte_array_sized_new(2 * PIECE_BYTES);
    return f;
}

bool isolab_capture_file_flush(isolab_capture_file *f)
{
    size_t at = 0;

    while (!f->error && at < f->waiting->len) {
        ssize_t written =
            write(f->fd, f->waiting->data + at, f->waiting->len - at);

        if (written >= 0) {
            at += written;
        } else if (errno != EINTR) {
            f->error = errno;
        }
    }
    g_byte_array_set_size(f->waiting, 0);
    return !f->error;
}

bool isolab_capture_file_add(isolab_capture_file *f, const void *bytes,
                             size_t count)
{
    if (f->error) {
        return false;
    }
    g_byte_array_append(f->waiting, bytes, count);
    return f->waiting->len < PIECE_BYTES || isolab_capture_file_flush(f);
}

char *isolab_capture_file_error(const isolab_capture_file *f)
{
    return f->error
               ? g_strdup_printf("the capture into %s has ended: %s", f->path,
                                 f->error == EAGAIN ? "its reader is too slow"
                                                    : g_strerror(f->error))
               : NULL;
}

bool isolab_capture_file_close(isolab_capture_file *f)
{
    bool good = isolab_capture_file_flush(f);

    close(f->fd);
    g_byte_array_unref(f->waiting);
    g_free(f->path);
    g_free(f);
    return good;
}
