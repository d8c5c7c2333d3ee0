/*
 * v4lread DEVICE FORMAT WIDTH HEIGHT RATE FRAMES [PICTURE]: records frames
 * from a V4L2 device into buffers that it shares with the kernel, and prints a
 * line for each: its number in the kernel's count, size, hash, time stamp in
 * microseconds, the flags that say it is damaged, and the mean of its luma (0
 * to 255; of YUYV only). The bytes of the fifth frame go to the file PICTURE.
 * FORMAT is YUYV or MJPG.
 *
 * Exit status 1 when the device cannot do it, with one sentence on standard
 * error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/videodev2.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "v4lread.h"

enum { BUFFERS = 8, PICTURE_FRAME = 4 };

typedef struct {
    int fd;
    uint8_t *map[BUFFERS];
    size_t bytes[BUFFERS];
} device;

static void ask(const device *d, unsigned long request, void *argument,
                const char *what)
{
    if (ioctl(d->fd, request, argument) < 0) {
        fprintf(stderr, "v4lread: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void set_format(const device *d, char **args)
{
    struct v4l2_format format = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
    struct v4l2_streamparm parm = { .type = V4L2_BUF_TYPE_VIDEO_CAPTURE };
    struct v4l2_fract *interval = &parm.parm.capture.timeperframe;
    unsigned width = atoi(args[1]), height = atoi(args[2]);
    uint32_t fourcc;

    memcpy(&fourcc, args[0], 4);
    format.fmt.pix.width = width;
    format.fmt.pix.height = height;
    format.fmt.pix.pixelformat = fourcc;
    ask(d, VIDIOC_S_FMT, &format, "the format is refused");
    *interval = (struct v4l2_fract){ 1, atoi(args[3]) };
    ask(d, VIDIOC_S_PARM, &parm, "the rate is refused");
    if (format.fmt.pix.width != width || format.fmt.pix.height != height ||
        format.fmt.pix.pixelformat != fourcc) {
        fprintf(stderr, "v4lread: the device has another format\n");
        exit(1);
    }
    fprintf(stderr, "v4lread: %u/%u s, at most %u bytes\n", interval->numerator,
            interval->denominator, format.fmt.pix.sizeimage);
}

static void start(device *d)
{
    struct v4l2_requestbuffers request = {
        .count = BUFFERS,
        .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
        .memory = V4L2_MEMORY_MMAP,
    };
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;

    ask(d, VIDIOC_REQBUFS, &request, "no buffers");
    for (unsigned i = 0; i < request.count && i < BUFFERS; i++) {
        struct v4l2_buffer buffer = {
            .index = i,
            .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
            .memory = V4L2_MEMORY_MMAP,
        };

        ask(d, VIDIOC_QUERYBUF, &buffer, "no buffer");
        d->bytes[i] = buffer.length;
        d->map[i] = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, d->fd,
                         buffer.m.offset);
        if (d->map[i] == MAP_FAILED) {
            perror("v4lread: mmap");
            exit(1);
        }
        ask(d, VIDIOC_QBUF, &buffer, "a buffer is refused");
    }
    ask(d, VIDIOC_STREAMON, &type, "the stream does not start");
}

/* Of each eighth pixel. */
static unsigned mean_luma(const uint8_t *yuy2, size_t bytes)
{
    uint64_t sum = 0;
    size_t count = 0;

    for (size_t i = 0; i < bytes; i += 16, count++) {
        sum += yuy2[i];
    }
    return count ? sum / count : 0;
}

static void save(const char *file, const uint8_t *bytes, size_t count)
{
    FILE *f = fopen(file, "wb");

    if (!f || fwrite(bytes, 1, count, f) != count || fclose(f)) {
        perror(file);
        exit(1);
    }
}

static void take(const device *d, unsigned n, bool is_yuy2, const char *picture)
{
    struct v4l2_buffer buffer = {
        .type = V4L2_BUF_TYPE_VIDEO_CAPTURE,
        .memory = V4L2_MEMORY_MMAP,
    };
    const uint8_t *bytes;

    ask(d, VIDIOC_DQBUF, &buffer, "no frame");
    bytes = d->map[buffer.index];
    printf("%u %u %016" PRIx64 " %" PRIu64 " %u %u\n", buffer.sequence,
           buffer.bytesused, frame_hash(bytes, buffer.bytesused),
           (uint64_t)buffer.timestamp.tv_sec * 1000000 +
               buffer.timestamp.tv_usec,
           buffer.flags & V4L2_BUF_FLAG_ERROR,
           is_yuy2 ? mean_luma(bytes, buffer.bytesused) : 0);
    if (n == PICTURE_FRAME && picture) {
        save(picture, bytes, buffer.bytesused);
    }
    ask(d, VIDIOC_QBUF, &buffer, "a buffer is refused");
}

int main(int argc, char **argv)
{
    int type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    device d;

    if (argc < 7 || argc > 8 || strlen(argv[2]) != 4) {
        fprintf(stderr, "usage: v4lread DEVICE FORMAT WIDTH HEIGHT RATE "
                        "FRAMES [PICTURE]\n");
        return 2;
    }
    d.fd = open(argv[1], O_RDWR);
    if (d.fd < 0) {
        perror(argv[1]);
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_format(&d, argv + 2);
    start(&d);
    for (int i = 0; i < atoi(argv[6]); i++) {
        take(&d, i, !strcmp(argv[2], "YUYV"), argv[7]);
    }
    ask(&d, VIDIOC_STREAMOFF, &type, "the stream does not stop");
    return 0;
}
