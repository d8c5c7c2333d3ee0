/*
 * The frame assembler: packets in, pictures out.
 *
 * A video frame comes in packets that carry its number, their offset in it,
 * a first and a last mark. A frame is *complete* when its payload came from
 * first to last without a hole and the picture is the test pattern, byte for
 * byte; *damaged* when anything of it is missing or its bytes differ
 * (`mismatched` of these: all bytes came, and not the right ones); *missing*
 * when its number was stepped over.
 *
 * Pure: no Windows types, no I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_FRAME_H
#define ISOAV_APP_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "isolab/isoav.h"

typedef struct {
    uint32_t number;
    bool is_complete;
    const uint8_t *pixels; /* YUY2; what is missing is black */
    uint64_t start_uf;     /* of the first packet that came */
} frame_picture;

typedef struct {
    uint32_t width;
    uint32_t height;
    uint32_t interval_100ns;
    uint32_t bytes;  /* of a frame */
    uint32_t wanted; /* frames */
    void (*done)(void *context, const frame_picture *picture);
    void *context;

    /* Results. */
    uint64_t complete;
    uint64_t damaged;
    uint64_t mismatched;
    uint64_t missing;
    uint64_t skipped; /* frames that the device says it dropped */
    bool has_first;   /* the next four are valid */
    uint32_t first_number;
    uint32_t last_number;
    uint64_t first_uf; /* of packet 0 of the first and the last frame that */
    uint64_t last_uf;  /* came with it */

    /* State. */
    bool is_open;
    uint32_t number; /* of the open frame, else of the next */
    uint32_t filled; /* bytes that came without a hole */
    bool has_hole;
    uint64_t start_uf;
    uint8_t *pixels;
    uint8_t *expected;
} frame_assembler;

/* False: no memory. */
bool frame_init(frame_assembler *f, uint32_t width, uint32_t height,
                uint32_t interval_100ns, uint32_t wanted);
void frame_free(frame_assembler *f);

/* A good packet; packets without payload are welcome. */
void frame_packet(frame_assembler *f, const isoav_packet *packet,
                  const uint8_t *payload);

/* All wanted frames are complete, damaged or missing. */
bool frame_is_done(const frame_assembler *f);

/*
 * Frames a second in units of 1/1000, by the device's clock, rounded; 0 when
 * fewer than two frames came.
 */
uint64_t frame_rate_milli(const frame_assembler *f);

#endif
