/*
 * What QEMU's libqtest needs from the rest of QEMU besides its JSON code.
 * These would bring in QEMU's monitor, tracing and sockets.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"

#include <fcntl.h>

void error_report(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

void warn_report(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
}

int error_printf(const char *fmt, ...)
{
    va_list args;
    int length;

    va_start(args, fmt);
    length = vfprintf(stderr, fmt, args);
    va_end(args);
    return length;
}

void qemu_set_cloexec(int fd)
{
    fcntl(fd, F_SETFD, fcntl(fd, F_GETFD) | FD_CLOEXEC);
}
