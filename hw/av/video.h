/*
 * The frame scheduler of the video stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_VIDEO_H
#define ISOLAB_AV_VIDEO_H

#include <stdbool.h>
#include <stdint.h>

/* All of the scheduler's state; isoav_video_start sets it. */
typedef struct {
    uint32_t interval_100ns;
    uint32_t frame_bytes;
    uint32_t chunk_bytes; /* payload of one packet */

    bool is_started; /* the first token has come, start_uf is valid */
    bool is_sending; /* `frame` is under way, offset bytes of it are out */
    uint64_t start_uf;
    uint64_t frame; /* being sent, else the next one to be sent */
    uint32_t offset;
} isoav_video;

/* What the packet of one microframe carries; length 0: no payload is due. */
typedef struct {
    uint64_t frame;
    uint64_t skipped; /* frames that were dropped just before this one */
    uint32_t offset;
    uint32_t length;
    uint8_t flags; /* ISOAV_FLAG_* */
} isoav_video_chunk;

void isoav_video_start(isoav_video *v, uint32_t interval_100ns,
                       uint32_t frame_bytes, uint32_t chunk_bytes);

/* The IN token of this microframe has come: what is the answer? */
isoav_video_chunk isoav_video_next(isoav_video *v, uint64_t microframe);

#endif
