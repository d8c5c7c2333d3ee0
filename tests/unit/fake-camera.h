/*
 * A V4L2 camera that is the test: what it offers, what fails, the frame that it
 * has. For test-v4l2.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_UNIT_FAKE_CAMERA_H
#define TESTS_UNIT_FAKE_CAMERA_H

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <string.h>
#include <unistd.h>

#include "hw/av/vsource-v4l2.h"

enum { MAPS = 4, ROOM = 1 << 20, OFFERS = 8 };

typedef struct {
    uint32_t fourcc;
    unsigned width, height; /* 0: a range, or what it is asked for */
    unsigned rate;          /* 0: it does not say */
} offer;

/* The camera. What it is asked is under the lock, for a thread asks, too. */
static struct {
    GMutex lock;
    GCond changed;
    uint32_t caps;
    offer offers[OFFERS];
    struct v4l2_frmsize_stepwise range;
    bool is_endless;
    /* what fails: a request, and how */
    unsigned long fails;
    int fails_with, spares; /* it fails only after so many */
    bool has_no_memory, hung;
    unsigned long hangs;           /* a request, 0: none */
    struct v4l2_pix_format answer; /* of S_FMT, where it is not 0 */
    /* the stream */
    struct v4l2_pix_format format;
    unsigned interval_100ns;
    uint8_t *memory;
    bool queued[MAPS];
    struct {
        const uint8_t *bytes;
        unsigned count, flags, index;
    } frame;
    bool has_frame, is_unplugged, lies_about_index;
    unsigned opened, mapped, requested, streaming, starts;
    int ready[2]; /* a pipe, with a byte when there is a frame */
} cam;

static void plug_in(const offer *offers, size_t count)
{
    g_mutex_lock(&cam.lock);
    cam.caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    memset(cam.offers, 0, sizeof(cam.offers));
    memcpy(cam.offers, offers, count * sizeof(*offers));
    memset(&cam.range, 0, sizeof(cam.range));
    memset(&cam.answer, 0, sizeof(cam.answer));
    cam.is_endless = cam.has_no_memory = cam.hung = false;
    cam.has_frame = cam.is_unplugged = cam.lies_about_index = false;
    cam.fails = cam.hangs = 0;
    cam.spares = 0;
    g_mutex_unlock(&cam.lock);
}

static int fail(int why)
{
    errno = why;
    return -1;
}

static int cam_open(const char *path)
{
    int fd = -1;

    g_mutex_lock(&cam.lock);
    if (!cam.is_unplugged) {
        if (cam.ready[0] == 0) {
            g_assert_cmpint(pipe2(cam.ready, O_NONBLOCK), ==, 0);
        }
        fd = dup(cam.ready[0]);
        cam.opened++;
    }
    g_mutex_unlock(&cam.lock);
    return fd < 0 ? fail(ENOENT) : fd;
}

static void cam_close(int fd)
{
    g_mutex_lock(&cam.lock);
    cam.opened--;
    cam.requested = cam.streaming = 0;
    g_mutex_unlock(&cam.lock);
    close(fd);
}

static void *cam_map(int fd, size_t bytes, off_t offset)
{
    if (cam.has_no_memory && offset) {
        return NULL;
    }
    cam.mapped++;
    return cam.memory + offset;
}

static void cam_unmap(void *at, size_t bytes)
{
    cam.mapped--;
}

static int enum_formats(struct v4l2_fmtdesc *desc)
{
    unsigned i = cam.is_endless ? 0 : desc->index;

    if (i >= OFFERS || !cam.offers[i].fourcc) {
        return fail(EINVAL);
    }
    desc->pixelformat = cam.offers[i].fourcc;
    return 0;
}

/* Each offer is one size of its format; there may be several. */
static const offer *nth_size(uint32_t fourcc, unsigned n)
{
    for (unsigned i = 0; i < OFFERS && cam.offers[i].fourcc; i++) {
        if (cam.offers[i].fourcc == fourcc && cam.offers[i].width &&
            (cam.is_endless || n-- == 0)) {
            return &cam.offers[i];
        }
    }
    return NULL;
}

static int enum_sizes(struct v4l2_frmsizeenum *e)
{
    const offer *o = nth_size(e->pixel_format, e->index);

    if (!o && cam.range.max_width && e->index == 0) {
        e->type = V4L2_FRMSIZE_TYPE_STEPWISE;
        e->stepwise = cam.range;
        return 0;
    }
    if (!o) {
        return fail(EINVAL);
    }
    e->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    e->discrete.width = o->width;
    e->discrete.height = o->height;
    return 0;
}

static int enum_intervals(struct v4l2_frmivalenum *e)
{
    const offer *o;

    for (unsigned n = 0; (o = nth_size(e->pixel_format, n)); n++) {
        if (o->width == e->width && o->height == e->height) {
            break;
        }
        if (cam.is_endless) {
            return fail(EINVAL);
        }
    }
    if (!o || !o->rate || (e->index && !cam.is_endless)) {
        return fail(EINVAL);
    }
    e->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    e->discrete = (struct v4l2_fract){ 1, o->rate };
    return 0;
}

static int set_format(struct v4l2_pix_format *f)
{
    const struct v4l2_pix_format *a = &cam.answer;

    f->width = a->width ? a->width : f->width;
    f->height = a->height ? a->height : f->height;
    f->pixelformat = a->pixelformat ? a->pixelformat : f->pixelformat;
    f->field = a->field ? a->field : V4L2_FIELD_NONE;
    f->bytesperline = a->bytesperline;
    cam.format = *f;
    return 0;
}

static int query_buffer(struct v4l2_buffer *b)
{
    b->length = ROOM;
    b->m.offset = b->index * ROOM;
    return 0;
}

static int queue_buffer(struct v4l2_buffer *b)
{
    g_assert_cmpuint(b->index, <, MAPS);
    cam.queued[b->index] = true;
    return 0;
}

static int take_buffer(struct v4l2_buffer *b)
{
    uint8_t byte;

    if (cam.is_unplugged) {
        return fail(ENODEV);
    }
    if (read(cam.ready[0], &byte, 1) != 1) {
        return fail(EAGAIN);
    }
    g_assert_true(cam.has_frame);
    cam.has_frame = false;
    b->index = 0;
    while (!cam.queued[b->index]) {
        b->index++;
    }
    cam.queued[b->index] = false;
    memcpy(cam.memory + b->index * ROOM, cam.frame.bytes,
           MIN(cam.frame.count, ROOM));
    b->bytesused = cam.frame.count;
    b->flags = cam.frame.flags;
    if (cam.lies_about_index) {
        b->index = 17;
    }
    g_cond_broadcast(&cam.changed);
    return 0;
}

static int answer(unsigned long request, void *argument)
{
    switch (request) {
    case VIDIOC_QUERYCAP: {
        struct v4l2_capability *cap = argument;

        cap->capabilities =
            V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        cap->device_caps = cam.caps;
        return 0;
    }
    case VIDIOC_ENUM_FMT:
        return enum_formats(argument);
    case VIDIOC_ENUM_FRAMESIZES:
        return enum_sizes(argument);
    case VIDIOC_ENUM_FRAMEINTERVALS:
        return enum_intervals(argument);
    case VIDIOC_S_FMT:
        g_assert_cmpuint(cam.requested, ==, 0); /* EBUSY */
        return set_format(&((struct v4l2_format *)argument)->fmt.pix);
    case VIDIOC_S_PARM: {
        const struct v4l2_fract *f =
            &((struct v4l2_streamparm *)argument)->parm.capture.timeperframe;

        cam.interval_100ns = UINT64_C(10000000) * f->numerator / f->denominator;
        return 0;
    }
    case VIDIOC_REQBUFS:
        cam.requested = ((struct v4l2_requestbuffers *)argument)->count;
        return 0;
    case VIDIOC_QUERYBUF:
        return query_buffer(argument);
    case VIDIOC_QBUF:
        return queue_buffer(argument);
    case VIDIOC_DQBUF:
        return take_buffer(argument);
    case VIDIOC_STREAMON:
        cam.streaming++;
        cam.starts++;
        g_cond_broadcast(&cam.changed);
        return 0;
    case VIDIOC_STREAMOFF:
        cam.streaming = 0;
        memset(cam.queued, 0, sizeof(cam.queued));
        return 0;
    }
    return fail(ENOTTY);
}

static int cam_ioctl(int fd, unsigned long request, void *argument)
{
    int result;

    g_mutex_lock(&cam.lock);
    while (cam.hangs == request) {
        cam.hung = true;
        g_cond_broadcast(&cam.changed);
        g_cond_wait(&cam.changed, &cam.lock);
    }
    if (request == cam.fails && cam.spares-- <= 0) {
        result = fail(cam.fails_with);
    } else {
        result = answer(request, argument);
    }
    g_mutex_unlock(&cam.lock);
    return result;
}

static const v4l2_ops ops = {
    .open = cam_open,
    .close = cam_close,
    .ioctl = cam_ioctl,
    .map = cam_map,
    .unmap = cam_unmap,
    .retry_ms = 1,
};

static void show(const void *bytes, unsigned count, unsigned flags)
{
    g_mutex_lock(&cam.lock);
    cam.frame.bytes = bytes;
    cam.frame.count = count;
    cam.frame.flags = flags;
    cam.has_frame = true;
    g_assert_cmpint(write(cam.ready[1], "", 1), ==, 1);
    g_mutex_unlock(&cam.lock);
}

/* Waits until the camera has been asked for its frame. */
static void wait_taken(void)
{
    g_mutex_lock(&cam.lock);
    while (cam.has_frame) {
        g_cond_wait(&cam.changed, &cam.lock);
    }
    g_mutex_unlock(&cam.lock);
}

#endif
