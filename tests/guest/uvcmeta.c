/*
 * uvcmeta DEVICE FRAMES: reads what Linux's uvcvideo keeps of the headers of
 * each frame's packets (V4L2_META_FMT_UVC) from the camera's second video
 * device, and prints a line for each frame: its number in the kernel's count,
 * the PTS, and the clock and frame number of the SCR of its first packet.
 *
 * It has to be started before the stream is; the kernel's buffers have room for
 * the first packets of a frame, and it says so, which is no error here.
 *
 * Exit status 1 when the device cannot do it, with one sentence on standard
 * error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum {
    BUFFERS = 16,
    /* struct uvc_meta_buf: time of the host (8), its frame number (2), then
     * the header as it was sent (UVC 1.1 §2.4.3.3) */
    HEADER = 10,
    INFO = HEADER + 1,
    PTS = HEADER + 2,
    CLOCK = HEADER + 6,
    SOF = HEADER + 10,
    BYTES = HEADER + 12,
    PTS_AND_SCR = 0x0c,
};

static void ask(int fd, unsigned long request, void *argument, const char *what)
{
    if (ioctl(fd, request, argument) < 0) {
        fprintf(stderr, "uvcmeta: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void start(int fd, const uint8_t **map)
{
    int type = V4L2_BUF_TYPE_META_CAPTURE;
    struct v4l2_requestbuffers request = {
        .count = BUFFERS,
        .type = type,
        .memory = V4L2_MEMORY_MMAP,
    };

    ask(fd, VIDIOC_REQBUFS, &request, "no buffers");
    for (unsigned i = 0; i < request.count && i < BUFFERS; i++) {
        struct v4l2_buffer buffer = {
            .index = i,
            .type = type,
            .memory = V4L2_MEMORY_MMAP,
        };

        ask(fd, VIDIOC_QUERYBUF, &buffer, "no buffer");
        map[i] = mmap(NULL, buffer.length, PROT_READ, MAP_SHARED, fd,
                      buffer.m.offset);
        if (map[i] == MAP_FAILED) {
            perror("uvcmeta: mmap");
            exit(1);
        }
        ask(fd, VIDIOC_QBUF, &buffer, "a buffer is refused");
    }
    ask(fd, VIDIOC_STREAMON, &type, "the stream does not start");
}

static uint32_t load(const uint8_t *bytes, unsigned count)
{
    uint32_t value = 0;

    while (count--) {
        value = value << 8 | bytes[count];
    }
    return value;
}

static void take(int fd, const uint8_t *const *map)
{
    struct v4l2_buffer buffer = {
        .type = V4L2_BUF_TYPE_META_CAPTURE,
        .memory = V4L2_MEMORY_MMAP,
    };
    const uint8_t *bytes;

    ask(fd, VIDIOC_DQBUF, &buffer, "no headers");
    bytes = map[buffer.index];
    if (buffer.bytesused < BYTES ||
        (bytes[INFO] & PTS_AND_SCR) != PTS_AND_SCR) {
        fputs("uvcmeta: a header without PTS or SCR\n", stderr);
        exit(1);
    }
    printf("%u %u %u %u\n", buffer.sequence, load(bytes + PTS, 4),
           load(bytes + CLOCK, 4), load(bytes + SOF, 2));
    ask(fd, VIDIOC_QBUF, &buffer, "a buffer is refused");
}

int main(int argc, char **argv)
{
    const uint8_t *map[BUFFERS];
    int fd;

    if (argc != 3) {
        fputs("usage: uvcmeta DEVICE FRAMES\n", stderr);
        return 2;
    }
    fd = open(argv[1], O_RDWR);
    if (fd < 0) {
        perror(argv[1]);
        return 1;
    }
    start(fd, map);
    fputs("uvcmeta: started\n", stderr);
    for (int i = 0; i < atoi(argv[2]); i++) {
        take(fd, map);
    }
    return fflush(stdout) ? 1 : 0;
}
