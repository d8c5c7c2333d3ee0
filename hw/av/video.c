/*
 * When each video frame is due, and which piece of it a packet carries.
 *
 *  1. Time is the microframe number of the IN token, 64 bits; nothing here
 *     reads a clock. The stream starts with its first token.
 *  2. Frame k is due at start + ceil(k * interval). It is computed from
 *     k alone, so no rounding error adds up.
 *  3. A frame that has begun is sent to its end, chunk_bytes a packet, one
 *     packet a token, whatever the time.
 *  4. Then the newest frame that is due begins. Usually that is the next
 *     one, perhaps late. Older ones that are due as well are dropped: the
 *     frame number steps over them, `skipped` counts them and the first
 *     packet after the gap has ISOAV_FLAG_SKIPPED.
 *  5. No frame due: a chunk of length 0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/video.h"

#include "isolab/isoav.h"

#define UF_100NS 1250 /* a microframe in units of 100 ns */

void isoav_video_start(isoav_video *v, uint32_t interval_100ns,
                       uint32_t frame_bytes, uint32_t chunk_bytes)
{
    *v = (isoav_video){
        .interval_100ns = interval_100ns,
        .frame_bytes = frame_bytes,
        .chunk_bytes = chunk_bytes,
    };
}

/*
 * Rule 2, turned round: the newest k with ceil(k * i / u) <= e, which is to
 * say with k * i <= e * u.
 */
static uint64_t newest_due(const isoav_video *v, uint64_t elapsed_uf)
{
    return elapsed_uf * UF_100NS / v->interval_100ns;
}

/* Rule 4. Returns false when no frame is due. */
static bool begin_frame(isoav_video *v, isoav_video_chunk *chunk,
                        uint64_t microframe)
{
    uint64_t elapsed_uf = 0;
    uint64_t newest;

    if (microframe > v->start_uf) {
        elapsed_uf = microframe - v->start_uf;
    }
    newest = newest_due(v, elapsed_uf);
    if (newest < v->frame) {
        return false;
    }
    chunk->flags = ISOAV_FLAG_SOF;
    if (newest > v->frame) {
        chunk->skipped = newest - v->frame;
        chunk->flags |= ISOAV_FLAG_SKIPPED;
    }
    v->frame = newest;
    v->offset = 0;
    v->is_sending = true;
    return true;
}

isoav_video_chunk isoav_video_next(isoav_video *v, uint64_t microframe)
{
    isoav_video_chunk chunk = { 0 };

    if (!v->is_started) {
        v->is_started = true;
        v->start_uf = microframe;
    }
    if (!v->is_sending && !begin_frame(v, &chunk, microframe)) {
        return chunk;
    }
    chunk.frame = v->frame;
    chunk.offset = v->offset;
    chunk.length = v->frame_bytes - v->offset;
    if (chunk.length > v->chunk_bytes) {
        chunk.length = v->chunk_bytes;
    }
    v->offset += chunk.length;
    if (v->offset == v->frame_bytes) {
        chunk.flags |= ISOAV_FLAG_EOF;
        v->is_sending = false;
        v->frame++;
    }
    return chunk;
}
