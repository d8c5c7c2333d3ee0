/*
 * A V4L2 camera of the host, as far as a source of pictures needs one: what it
 * is, how its stream starts and stops, the next picture. One thread at a time;
 * vsource-v4l2.c is the one that waits.
 *
 * The system is behind a table, so that a test can be the camera.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_VSOURCE_V4L2_H
#define ISOLAB_AV_VSOURCE_V4L2_H

#include <sys/types.h>

#include "hw/av/vsource-kind.h"

/* As the system calls: -1 and errno. The descriptor can be polled. */
typedef struct {
    int (*open)(const char *path); /* read and write, nonblocking */
    void (*close)(int fd);
    int (*ioctl)(int fd, unsigned long request, void *argument);
    void *(*map)(int fd, size_t bytes, off_t offset); /* NULL: it failed */
    void (*unmap)(void *at, size_t bytes);
    int retry_ms; /* a camera that is not there: when to look again */
} v4l2_ops;

extern const v4l2_ops v4l2_ops_system;

typedef struct v4l2_camera v4l2_camera;

/* NULL: it is no camera that can be used, and *error says why. */
v4l2_camera *v4l2_camera_open(const v4l2_ops *ops, const char *path,
                              char **error);
void v4l2_camera_close(v4l2_camera *c);

/* Streams in the size and format that is closest. False: it refuses. */
bool v4l2_camera_start(v4l2_camera *c, const isoav_vformat *wanted);
void v4l2_camera_stop(v4l2_camera *c);
int v4l2_camera_fd(const v4l2_camera *c);

typedef enum {
    V4L2_TAKEN,
    V4L2_NOTHING, /* there is no picture yet */
    V4L2_BAD,     /* there was one, damaged or cut off */
    V4L2_GONE,    /* the stream has ended */
} v4l2_verdict;

/* The oldest picture of the stream; *bytes, what it is made of, for g_free. */
v4l2_verdict v4l2_camera_take(v4l2_camera *c, vpicture *picture,
                              uint8_t **bytes);

/* The source on another system than the real one. */
void *v4l2_source_open(const v4l2_ops *ops, const char *path, char **error);

#endif
