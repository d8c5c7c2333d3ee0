/*
 * The formats, frame sizes, rates and alternates of the UVC camera: one list
 * by speed, from which both the descriptors and the negotiation are made.
 *
 *  1. A speed offers what its fastest alternate carries, no more: each size
 *     has the slowest `rates` of the seven frame intervals, so that a frame of
 *     the largest kind leaves before the next one is due. A unit test holds
 *     the lists to that.
 *  2. What an interval carries, in one packet or in a burst of them, is one
 *     payload transfer: a header of 12 bytes and a piece of a frame (UVC 1.1
 *     §2.4.3.2).
 *  3. A frame of MJPEG has at most 3 bits a pixel.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_FORMATS_H
#define ISOLAB_AV_UVC_FORMATS_H

#include <stdbool.h>
#include <stdint.h>

/* bFormatIndex */
enum {
    ISOAV_UVC_YUY2 = 1,
    ISOAV_UVC_MJPEG = 2,
    ISOAV_UVC_FORMATS = 2,
};

/* F(bFrameIndex, width, height, rates) */
/* clang-format off */
#define ISOAV_UVC_YUY2_FULL(F) \
    F(1, 160, 90, 5)
#define ISOAV_UVC_MJPEG_FULL(F) \
    F(1, 320, 180, 5) F(2, 640, 360, 1)
#define ISOAV_UVC_YUY2_HIGH(F) \
    F(1, 320, 180, 7) F(2, 640, 360, 6) F(3, 640, 480, 5) F(4, 1280, 720, 1)
#define ISOAV_UVC_MJPEG_HIGH(F) \
    F(1, 320, 180, 7) F(2, 640, 360, 7) F(3, 640, 480, 7) F(4, 1280, 720, 7) \
    F(5, 1920, 1080, 5)
#define ISOAV_UVC_YUY2_SUPER(F) \
    F(1, 320, 180, 7) F(2, 640, 360, 7) F(3, 640, 480, 7) F(4, 1280, 720, 7) \
    F(5, 1920, 1080, 7)
#define ISOAV_UVC_MJPEG_SUPER(F) ISOAV_UVC_YUY2_SUPER(F)

/* Still images, at every speed: they take the time that they need.
 * S(index, width, height) */
#define ISOAV_UVC_STILLS(S) \
    S(1, 640, 480) S(2, 1920, 1080)

/* A(bAlternateSetting, packets, bytes of each) */
#define ISOAV_UVC_ALTERNATES_FULL(A) \
    A(1, 1, 192) A(2, 1, 512) A(3, 1, 768) A(4, 1, 1023)
#define ISOAV_UVC_ALTERNATES_HIGH(A) \
    A(1, 1, 192) A(2, 1, 512) A(3, 1, 1024) A(4, 2, 768) A(5, 2, 1024) \
    A(6, 3, 800) A(7, 3, 1024)
#define ISOAV_UVC_ALTERNATES_SUPER(A) \
    A(1, 1, 1024) A(2, 2, 1024) A(3, 4, 1024) A(4, 8, 1024) A(5, 16, 1024) \
    A(6, 32, 1024)
/* clang-format on */

/* The slowest n frame intervals, the fastest of them first (100 ns). */
#define ISOAV_UVC_INTERVALS(V, n) ISOAV_UVC_INTERVALS_##n(V)
#define ISOAV_UVC_INTERVALS_1(V) V(1000000)
#define ISOAV_UVC_INTERVALS_2(V) V(666666) ISOAV_UVC_INTERVALS_1(V)
#define ISOAV_UVC_INTERVALS_3(V) V(500000) ISOAV_UVC_INTERVALS_2(V)
#define ISOAV_UVC_INTERVALS_4(V) V(400000) ISOAV_UVC_INTERVALS_3(V)
#define ISOAV_UVC_INTERVALS_5(V) V(333333) ISOAV_UVC_INTERVALS_4(V)
#define ISOAV_UVC_INTERVALS_6(V) V(200000) ISOAV_UVC_INTERVALS_5(V)
#define ISOAV_UVC_INTERVALS_7(V) V(166666) ISOAV_UVC_INTERVALS_6(V)

enum {
    ISOAV_UVC_RATES = 7,
    ISOAV_UVC_DEFAULT_RATES = 5, /* 30 a second, where that is offered */
    ISOAV_UVC_HEADER_BYTES = 12,
    ISOAV_UVC_PAYLOAD_MAX = 32 * 1024,
    ISOAV_UVC_BYTES_MAX = 1920 * 1080 * 2,
};

/* Frames a second of the fastest of n rates; the interval of that. */
#define ISOAV_UVC_FASTEST_RATE(n) \
    ((n) == 7   ? 60              \
     : (n) == 6 ? 50              \
     : (n) == 5 ? 30              \
     : (n) == 4 ? 25              \
     : (n) == 3 ? 20              \
     : (n) == 2 ? 15              \
                : 10)
#define ISOAV_UVC_DEFAULT_INTERVAL(n)        \
    ((n) >= ISOAV_UVC_DEFAULT_RATES ? 333333 \
                                    : 10000000 / ISOAV_UVC_FASTEST_RATE(n))

/* Rule 3. */
#define ISOAV_UVC_YUY2_BYTES(width, height) ((width) * (height)*2)
#define ISOAV_UVC_MJPEG_BYTES(width, height) ((width) * (height)*3 / 8)

typedef struct {
    uint8_t index;
    uint16_t width, height;
    uint8_t rates; /* 0: a still image */
} isoav_uvc_frame;

typedef struct {
    const isoav_uvc_frame *frames;
    unsigned count;
    uint8_t default_index;
} isoav_uvc_format;

/* What a speed has. */
typedef struct {
    isoav_uvc_format formats[ISOAV_UVC_FORMATS]; /* by bFormatIndex - 1 */
    isoav_uvc_format stills;
    const uint16_t *alternates; /* bytes of an interval, alternate 1 first */
    unsigned alternate_count;
    unsigned interval_uf; /* of a packet */
} isoav_uvc_speed;

/* By the values of isoav_speed: full, high, super. */
const isoav_uvc_speed *isoav_uvc_speed_of(int speed);

/* Its frame; NULL: there is none. */
const isoav_uvc_frame *isoav_uvc_frame_of(const isoav_uvc_format *format,
                                          uint8_t index);

/* The largest frame. */
uint32_t isoav_uvc_frame_bytes(int format, const isoav_uvc_frame *frame);

/* The nth interval of a frame, 0 the fastest one. */
uint32_t isoav_uvc_interval(const isoav_uvc_frame *frame, unsigned n);

/* Bytes of an interval in an alternate; 0: none there. */
uint32_t isoav_uvc_alternate_bytes(const isoav_uvc_speed *speed, int alternate);

/* Of the smallest alternate that carries so large frames in such an interval;
 * 0: none does. */
uint32_t isoav_uvc_payload_for(const isoav_uvc_speed *speed, uint32_t bytes,
                               uint32_t interval_100ns);

#endif
