/*
 * A V4L2 camera: streaming I/O with buffers of the kernel that are mapped
 * (V4L2 API, "Streaming I/O (Memory Mapping)").
 *
 *  1. What a driver says is bounded and checked like a file's bytes: lists end
 *     here if they do not end there, a format is what S_FMT gave and not what
 *     was asked for, a buffer has no more bytes than its mapping.
 *  2. Of all that a camera offers, MJPEG or YUYV in whatever sizes, the size
 *     decides first: the one that was asked for, else the smallest that covers
 *     it, else the one that leaves the least out. Then, whether it is as fast
 *     as was asked; then, whether it is what the guest wants.
 *  3. A picture is copied and its buffer goes back at once: the camera does
 *     not wait for the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-v4l2.h"

#include <errno.h>
#include <linux/videodev2.h>
#include <string.h>

enum {
    BUFFERS = 4,
    /* rule 1 */
    FORMATS_MAX = 64,
    SIZES_MAX = 256,
    INTERVALS_MAX = 128,
    ERRORS_MAX = 30, /* in a row: a second of a camera without a signal */
    TYPE = V4L2_BUF_TYPE_VIDEO_CAPTURE,
};

static const struct {
    uint32_t fourcc;
    int format; /* ISOAV_VIDEO_* */
} usable[] = {
    { V4L2_PIX_FMT_MJPEG, ISOAV_VIDEO_MJPEG },
    { V4L2_PIX_FMT_JPEG, ISOAV_VIDEO_MJPEG },
    { V4L2_PIX_FMT_YUYV, ISOAV_VIDEO_YUY2 },
};

struct v4l2_camera {
    const v4l2_ops *ops;
    int fd;
    uint32_t fourccs[G_N_ELEMENTS(usable)];
    unsigned fourcc_count;
    /* of the stream */
    int format; /* ISOAV_VIDEO_* */
    unsigned width, height, stride;
    struct {
        uint8_t *at;
        size_t bytes;
    } buffers[BUFFERS];
    unsigned buffer_count;
    unsigned errors;
};

/* Rule 2. */
typedef struct {
    uint32_t fourcc;
    unsigned width, height;
    uint64_t cost; /* of its size */
    bool keeps_up;
    bool is_wanted;
} choice;

static int format_of(uint32_t fourcc)
{
    for (size_t i = 0; i < G_N_ELEMENTS(usable); i++) {
        if (usable[i].fourcc == fourcc) {
            return usable[i].format;
        }
    }
    return -1;
}

static int ask(const v4l2_camera *c, unsigned long request, void *argument)
{
    int result;

    do {
        result = c->ops->ioctl(c->fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result;
}

/* NULL: it captures; otherwise why it does not. */
static const char *check_capabilities(const v4l2_camera *c)
{
    struct v4l2_capability cap = { 0 };
    uint32_t can;

    if (ask(c, VIDIOC_QUERYCAP, &cap) < 0) {
        return "it is no V4L2 device";
    }
    can = cap.capabilities & V4L2_CAP_DEVICE_CAPS ? cap.device_caps
                                                  : cap.capabilities;
    if (!(can & V4L2_CAP_VIDEO_CAPTURE)) {
        return "it is a V4L2 device that captures no video";
    }
    return can & V4L2_CAP_STREAMING ? NULL : "it cannot stream into memory";
}

static bool is_known(const v4l2_camera *c, uint32_t fourcc)
{
    for (unsigned i = 0; i < c->fourcc_count; i++) {
        if (c->fourccs[i] == fourcc) {
            return true;
        }
    }
    return false;
}

/* False: none can be used; *others is what there is. */
static bool find_formats(v4l2_camera *c, GString *others)
{
    for (unsigned i = 0; i < FORMATS_MAX; i++) {
        struct v4l2_fmtdesc desc = { .index = i, .type = TYPE };
        uint32_t f;

        if (ask(c, VIDIOC_ENUM_FMT, &desc) < 0) {
            break;
        }
        f = desc.pixelformat;
        if (format_of(f) < 0) {
            g_string_append_printf(others, "%s%c%c%c%c", others->len ? " " : "",
                                   f & 0x7f, f >> 8 & 0x7f, f >> 16 & 0x7f,
                                   f >> 24 & 0x7f);
        } else if (!is_known(c, f)) {
            c->fourccs[c->fourcc_count++] = f;
        }
    }
    return c->fourcc_count > 0;
}

static char *check(v4l2_camera *c)
{
    g_autoptr(GString) others = g_string_new(NULL);
    const char *why = check_capabilities(c);

    if (why) {
        return g_strdup(why);
    }
    if (!find_formats(c, others)) {
        return g_strdup_printf("it has neither MJPEG nor YUYV, only %s",
                               others->len ? others->str : "nothing");
    }
    return NULL;
}

v4l2_camera *v4l2_camera_open(const v4l2_ops *ops, const char *path,
                              char **error)
{
    g_autofree char *why = NULL;
    v4l2_camera *c = g_new0(v4l2_camera, 1);

    c->ops = ops;
    c->fd = ops->open(path);
    why = c->fd < 0 ? g_strdup(g_strerror(errno)) : check(c);
    if (!why) {
        return c;
    }
    *error =
        g_strdup_printf("%s cannot be the camera's pictures: %s", path, why);
    if (c->fd >= 0) {
        ops->close(c->fd);
    }
    g_free(c);
    return NULL;
}

void v4l2_camera_close(v4l2_camera *c)
{
    v4l2_camera_stop(c);
    c->ops->close(c->fd);
    g_free(c);
}

int v4l2_camera_fd(const v4l2_camera *c)
{
    return c->fd;
}

/* Is an interval of the camera's as short as the one wanted, or nearly? */
static bool is_fast(const struct v4l2_fract *interval, uint32_t wanted_100ns)
{
    return interval->denominator &&
           (uint64_t)interval->numerator * 10000000 / interval->denominator <=
               wanted_100ns + (uint64_t)wanted_100ns / 50;
}

/* A driver that lists no intervals is given the benefit of the doubt. */
static bool keeps_up(const v4l2_camera *c, const choice *at,
                     const isoav_vformat *wanted)
{
    for (unsigned i = 0; i < INTERVALS_MAX; i++) {
        struct v4l2_frmivalenum e = {
            .index = i,
            .pixel_format = at->fourcc,
            .width = at->width,
            .height = at->height,
        };
        bool is_list;

        if (ask(c, VIDIOC_ENUM_FRAMEINTERVALS, &e) < 0) {
            return i == 0;
        }
        is_list = e.type == V4L2_FRMIVAL_TYPE_DISCRETE;
        if (is_fast(is_list ? &e.discrete : &e.stepwise.min,
                    wanted->interval_100ns)) {
            return true;
        }
        if (!is_list) {
            break;
        }
    }
    return false;
}

static uint64_t cost_of(const isoav_vformat *wanted, unsigned width,
                        unsigned height)
{
    uint64_t area = (uint64_t)wanted->width * wanted->height;

    if (width >= wanted->width && height >= wanted->height) {
        return (uint64_t)width * height - area;
    }
    return (UINT64_C(1) << 62) + area -
           (uint64_t)MIN(width, wanted->width) * MIN(height, wanted->height);
}

static void consider(const v4l2_camera *c, choice *best, uint32_t fourcc,
                     unsigned width, unsigned height,
                     const isoav_vformat *wanted)
{
    choice now = { .fourcc = fourcc, .width = width, .height = height };

    if (!vpicture_size_ok(width, height)) {
        return;
    }
    now.cost = cost_of(wanted, width, height);
    if (best->fourcc && now.cost > best->cost) {
        return;
    }
    now.keeps_up = keeps_up(c, &now, wanted);
    now.is_wanted = format_of(fourcc) == wanted->format;
    if (!best->fourcc || now.cost < best->cost ||
        now.keeps_up * 2 + now.is_wanted >
            best->keeps_up * 2 + best->is_wanted) {
        *best = now;
    }
}

/* The side of a range that is closest: wanted, or the next step above. */
static unsigned step_to(unsigned wanted, unsigned min, unsigned max,
                        unsigned step)
{
    uint64_t side;

    if (wanted <= min) {
        return min;
    }
    step = MAX(step, 1);
    side = min + ((uint64_t)wanted - min + step - 1) / step * step;
    return MIN(side, max);
}

static void consider_sizes(const v4l2_camera *c, choice *best, uint32_t fourcc,
                           const isoav_vformat *wanted)
{
    for (unsigned i = 0; i < SIZES_MAX; i++) {
        struct v4l2_frmsizeenum e = { .index = i, .pixel_format = fourcc };
        const struct v4l2_frmsize_stepwise *s = &e.stepwise;

        if (ask(c, VIDIOC_ENUM_FRAMESIZES, &e) < 0) {
            if (i == 0) {
                consider(c, best, fourcc, wanted->width, wanted->height,
                         wanted);
            }
            return;
        }
        if (e.type != V4L2_FRMSIZE_TYPE_DISCRETE) {
            consider(c, best, fourcc,
                     step_to(wanted->width, s->min_width, s->max_width,
                             s->step_width),
                     step_to(wanted->height, s->min_height, s->max_height,
                             s->step_height),
                     wanted);
            return;
        }
        consider(c, best, fourcc, e.discrete.width, e.discrete.height, wanted);
    }
}

/* Rule 1. */
static bool set_format(v4l2_camera *c, const choice *chosen)
{
    struct v4l2_format f = { .type = TYPE };
    struct v4l2_pix_format *pix = &f.fmt.pix;

    pix->width = chosen->width;
    pix->height = chosen->height;
    pix->pixelformat = chosen->fourcc;
    pix->field = V4L2_FIELD_NONE;
    if (ask(c, VIDIOC_S_FMT, &f) < 0) {
        return false;
    }
    c->format = format_of(pix->pixelformat);
    c->width = pix->width & ~1u;
    c->height = pix->height & ~1u;
    c->stride = MAX(pix->bytesperline, pix->width * 2);
    return c->format >= 0 && vpicture_size_ok(c->width, c->height) &&
           c->stride <= 4 * VPICTURE_SIDE_MAX &&
           (pix->field == V4L2_FIELD_NONE || pix->field == V4L2_FIELD_ANY ||
            V4L2_FIELD_IS_INTERLACED(pix->field));
}

/* Not every camera can be told how fast to be. */
static void set_interval(const v4l2_camera *c, const isoav_vformat *wanted)
{
    struct v4l2_streamparm parm = { .type = TYPE };

    parm.parm.capture.timeperframe =
        (struct v4l2_fract){ wanted->interval_100ns, 10000000 };
    ask(c, VIDIOC_S_PARM, &parm);
}

static struct v4l2_buffer buffer_at(unsigned index)
{
    return (struct v4l2_buffer){
        .index = index,
        .type = TYPE,
        .memory = V4L2_MEMORY_MMAP,
    };
}

static bool add_buffer(v4l2_camera *c, unsigned index)
{
    struct v4l2_buffer b = buffer_at(index);

    if (ask(c, VIDIOC_QUERYBUF, &b) < 0 || b.length == 0) {
        return false;
    }
    c->buffers[index].at = c->ops->map(c->fd, b.length, b.m.offset);
    if (!c->buffers[index].at) {
        return false;
    }
    c->buffers[index].bytes = b.length;
    c->buffer_count = index + 1;
    return ask(c, VIDIOC_QBUF, &b) == 0;
}

static bool begin(v4l2_camera *c)
{
    struct v4l2_requestbuffers request = {
        .count = BUFFERS,
        .type = TYPE,
        .memory = V4L2_MEMORY_MMAP,
    };
    int type = TYPE;

    if (ask(c, VIDIOC_REQBUFS, &request) < 0 || request.count == 0) {
        return false;
    }
    for (unsigned i = 0; i < MIN(request.count, BUFFERS); i++) {
        if (!add_buffer(c, i)) {
            return false;
        }
    }
    return ask(c, VIDIOC_STREAMON, &type) == 0;
}

bool v4l2_camera_start(v4l2_camera *c, const isoav_vformat *wanted)
{
    choice best = { 0 };

    v4l2_camera_stop(c);
    for (unsigned i = 0; i < c->fourcc_count; i++) {
        consider_sizes(c, &best, c->fourccs[i], wanted);
    }
    if (!best.fourcc || !set_format(c, &best)) {
        return false;
    }
    set_interval(c, wanted);
    c->errors = 0;
    if (!begin(c)) {
        v4l2_camera_stop(c);
        return false;
    }
    return true;
}

/* STREAMOFF takes all buffers out of the queue; the kernel's memory goes with
 * its last mapping. */
void v4l2_camera_stop(v4l2_camera *c)
{
    struct v4l2_requestbuffers none = {
        .type = TYPE,
        .memory = V4L2_MEMORY_MMAP,
    };
    int type = TYPE;

    if (!c->buffer_count) {
        return;
    }
    ask(c, VIDIOC_STREAMOFF, &type);
    for (unsigned i = 0; i < c->buffer_count; i++) {
        c->ops->unmap(c->buffers[i].at, c->buffers[i].bytes);
    }
    c->buffer_count = 0;
    ask(c, VIDIOC_REQBUFS, &none);
}

static bool copy_rows(const v4l2_camera *c, const uint8_t *from, size_t count,
                      vpicture *picture, uint8_t **bytes)
{
    size_t row = (size_t)c->width * 2;

    if (count < (size_t)c->stride * (c->height - 1) + row) {
        return false;
    }
    *picture = (vpicture){
        .form = VPICTURE_YUY2,
        .width = c->width,
        .height = c->height,
        .count = vpicture_bytes(VPICTURE_YUY2, c->width, c->height),
    };
    *bytes = g_malloc(picture->count);
    for (unsigned y = 0; y < c->height; y++) {
        memcpy(*bytes + y * row, from + (size_t)y * c->stride, row);
    }
    return true;
}

static bool copy_jpeg(const uint8_t *from, size_t count, vpicture *picture,
                      uint8_t **bytes)
{
    *picture = (vpicture){ .form = VPICTURE_JPEG, .count = count };
    if (!vjpeg_size(from, count, &picture->width, &picture->height)) {
        return false;
    }
    *bytes = g_memdup2(from, count);
    return true;
}

/* Rules 1 and 3. */
v4l2_verdict v4l2_camera_take(v4l2_camera *c, vpicture *picture,
                              uint8_t **bytes)
{
    struct v4l2_buffer b = buffer_at(0);
    const uint8_t *from;
    size_t count;
    bool good;

    if (ask(c, VIDIOC_DQBUF, &b) < 0) {
        if (errno == EAGAIN) {
            return V4L2_NOTHING;
        }
        /* EIO: no signal, for now */
        return errno == EIO && ++c->errors <= ERRORS_MAX ? V4L2_BAD : V4L2_GONE;
    }
    if (b.index >= c->buffer_count) {
        return V4L2_GONE;
    }
    c->errors = 0;
    from = c->buffers[b.index].at;
    count = MIN(b.bytesused, c->buffers[b.index].bytes);
    good = !(b.flags & V4L2_BUF_FLAG_ERROR) &&
           (c->format == ISOAV_VIDEO_MJPEG
                ? copy_jpeg(from, count, picture, bytes)
                : copy_rows(c, from, count, picture, bytes));
    if (ask(c, VIDIOC_QBUF, &b) < 0) {
        if (good) {
            g_clear_pointer(bytes, g_free);
        }
        return V4L2_GONE;
    }
    return good ? V4L2_TAKEN : V4L2_BAD;
}
