/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "isolab/pattern.h"

#define UF_PER_SECOND 8000

bool frame_init(frame_assembler *f, uint32_t width, uint32_t height,
                uint32_t interval_100ns, uint32_t wanted)
{
    memset(f, 0, sizeof(*f));
    f->width = width;
    f->height = height;
    f->interval_100ns = interval_100ns;
    f->bytes = isolab_pattern_frame_bytes(width, height);
    f->wanted = wanted;
    f->pixels = malloc(f->bytes);
    f->expected = malloc(f->bytes);
    if (!f->pixels || !f->expected) {
        frame_free(f);
        return false;
    }
    return true;
}

void frame_free(frame_assembler *f)
{
    free(f->pixels);
    free(f->expected);
    f->pixels = NULL;
    f->expected = NULL;
}

bool frame_is_done(const frame_assembler *f)
{
    return f->complete + f->damaged + f->missing >= f->wanted;
}

static void paint_black(uint8_t *pixels, uint32_t bytes)
{
    uint32_t i;

    for (i = 0; i + 1 < bytes; i += 2) {
        pixels[i] = ISOLAB_LUMA_BLACK;
        pixels[i + 1] = ISOLAB_CHROMA_NONE;
    }
}

/* Ends the open frame, for better or worse. */
static void close_frame(frame_assembler *f)
{
    frame_picture picture = { f->number, false, f->pixels, f->start_uf };

    f->is_open = false;
    if (!f->has_hole && f->filled == f->bytes) {
        isolab_pattern_fill(f->expected, f->width, f->height, f->number,
                            f->interval_100ns);
        picture.is_complete = memcmp(f->pixels, f->expected, f->bytes) == 0;
        f->mismatched += !picture.is_complete;
    }
    if (picture.is_complete) {
        f->complete++;
    } else {
        f->damaged++;
    }
    f->number++;
    if (f->done) {
        f->done(f->context, &picture);
    }
}

static void note_time(frame_assembler *f, const isoav_packet *packet)
{
    if (packet->offset != 0) {
        return;
    }
    if (!f->has_first) {
        f->has_first = true;
        f->first_number = packet->frame;
        f->first_uf = packet->microframe;
    }
    f->last_number = packet->frame;
    f->last_uf = packet->microframe;
}

static void open_frame(frame_assembler *f, const isoav_packet *packet)
{
    uint64_t room = f->wanted - (f->complete + f->damaged + f->missing);
    uint32_t gap = packet->frame - f->number;

    if (gap >= 0x80000000u) { /* the device began again */
        gap = 0;
    }
    if (packet->flags & ISOAV_FLAG_SKIPPED) {
        f->skipped += gap;
    }
    f->missing += gap < room ? gap : room;
    f->number = packet->frame;
    f->is_open = true;
    f->filled = 0;
    f->has_hole = false;
    f->start_uf = packet->microframe;
    paint_black(f->pixels, f->bytes);
    note_time(f, packet);
}

void frame_packet(frame_assembler *f, const isoav_packet *packet,
                  const uint8_t *payload)
{
    if (frame_is_done(f) || packet->length == 0) {
        return;
    }
    if (f->is_open && packet->frame != f->number) {
        close_frame(f);
        if (frame_is_done(f)) {
            return;
        }
    }
    if (!f->is_open) {
        open_frame(f, packet);
        if (frame_is_done(f)) {
            f->is_open = false;
            return;
        }
    }
    if (packet->offset != f->filled) {
        f->has_hole = true;
    }
    if (packet->offset > f->bytes ||
        packet->length > f->bytes - packet->offset) {
        f->has_hole = true;
    } else {
        memcpy(f->pixels + packet->offset, payload, packet->length);
        f->filled = packet->offset + packet->length;
    }
    if (packet->flags & ISOAV_FLAG_EOF) {
        close_frame(f);
    }
}

uint64_t frame_rate_milli(const frame_assembler *f)
{
    uint64_t frames, uf;

    if (!f->has_first || f->last_uf <= f->first_uf) {
        return 0;
    }
    frames = f->last_number - f->first_number;
    uf = f->last_uf - f->first_uf;
    return (frames * UF_PER_SECOND * 1000 + uf / 2) / uf;
}
