/*
 * Frames for the camera: a kind of source finds a picture (vsource-kind.h), and
 * here it becomes what the host has negotiated.
 *
 *  1. A JPEG of the right size goes through untouched while the controls are
 *     neutral. Everything else is YUY2 in between: decoded, scaled, turned by
 *     the controls, encoded again if that is wanted.
 *  2. A picture that cannot be decoded is the one before it once more.
 *  3. A source that has no picture yet shows black.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource.h"

#include <stdlib.h>
#include <string.h>

#include "hw/av/vsource-kind.h"

static const vsource_kind *const kinds[] = {
    &vsource_pattern, &vsource_file, &vsource_loop,
    &vsource_pipe,    &vsource_v4l2,
};

struct isoav_vsource {
    const vsource_kind *kind;
    void *state;
    isoav_vformat format;
    uint8_t *pixels;  /* YUY2 of the format */
    uint8_t *picture; /* YUY2 of another size */
    size_t picture_room;
    uint8_t *jpeg;
    unsigned long jpeg_bytes;
};

static const vsource_kind *find_kind(const char *spec, const char **where)
{
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        size_t length = strlen(kinds[i]->name);

        if (strncmp(spec, kinds[i]->name, length) == 0 &&
            (spec[length] == ':' || spec[length] == 0)) {
            *where = spec + length + (spec[length] == ':');
            return kinds[i];
        }
    }
    return NULL;
}

isoav_vsource *isoav_vsource_open(const char *spec, char **error)
{
    const char *where;
    const vsource_kind *kind = find_kind(spec, &where);
    isoav_vsource *v;
    void *state;

    if (!kind) {
        *error = g_strdup_printf(
            "there is no video source '%s': it is pattern, file:NAME, "
            "loop:NAME, pipe:NAME, pipe:WIDTHxHEIGHT:NAME or v4l2:DEVICE",
            spec);
        return NULL;
    }
    state = kind->open(where, error);
    if (!state) {
        return NULL;
    }
    v = g_new0(isoav_vsource, 1);
    v->kind = kind;
    v->state = state;
    return v;
}

void isoav_vsource_close(isoav_vsource *v)
{
    v->kind->close(v->state);
    free(v->jpeg);
    g_free(v->picture);
    g_free(v->pixels);
    g_free(v);
}

static void fill_black(isoav_vsource *v)
{
    for (size_t i = 0; i < (size_t)v->format.width * v->format.height; i++) {
        v->pixels[2 * i] = 16;
        v->pixels[2 * i + 1] = 128;
    }
}

/* Rule 3. */
bool isoav_vsource_start(isoav_vsource *v, const isoav_vformat *format)
{
    if (!vpicture_size_ok(format->width, format->height)) {
        return false;
    }
    v->format = *format;
    v->pixels =
        g_realloc(v->pixels,
                  vpicture_bytes(VPICTURE_YUY2, format->width, format->height));
    fill_black(v);
    return !v->kind->start || v->kind->start(v->state, format);
}

void isoav_vsource_stop(isoav_vsource *v)
{
    if (v->kind->stop) {
        v->kind->stop(v->state);
    }
}

static bool fits(const isoav_vsource *v, const vpicture *p)
{
    return p->width == v->format.width && p->height == v->format.height;
}

/* Into pixels. Rule 2. */
static bool show(isoav_vsource *v, const vpicture *p)
{
    size_t bytes = vpicture_bytes(VPICTURE_YUY2, p->width, p->height);

    if (bytes > v->picture_room) {
        v->picture = g_realloc(v->picture, bytes);
        v->picture_room = bytes;
    }
    if (!vpicture_to_yuy2(p, v->picture)) {
        return false;
    }
    if (fits(v, p)) {
        memcpy(v->pixels, v->picture, bytes);
    } else {
        vpicture_scale(v->picture, p->width, p->height, v->pixels,
                       v->format.width, v->format.height);
    }
    return true;
}

static const uint8_t *as_jpeg(isoav_vsource *v, uint32_t *bytes)
{
    free(v->jpeg);
    v->jpeg = vjpeg_encode(v->pixels, v->format.width, v->format.height,
                           &v->jpeg_bytes);
    *bytes = v->jpeg_bytes;
    return v->jpeg;
}

const uint8_t *isoav_vsource_frame(isoav_vsource *v, uint64_t n,
                                   const isoav_vcontrols *controls,
                                   uint32_t *bytes, bool *repeated)
{
    size_t frame_bytes =
        vpicture_bytes(VPICTURE_YUY2, v->format.width, v->format.height);
    bool neutral = vcontrols_are_neutral(controls), found, shown;
    vpicture p = { 0 };

    *repeated = false;
    found = v->kind->picture(v->state, n, &p, repeated);
    /* rule 1 */
    if (found && neutral && fits(v, &p) && p.form == VPICTURE_JPEG &&
        v->format.format == ISOAV_VIDEO_MJPEG) {
        *bytes = p.count;
        return p.bytes;
    }
    if (found && neutral && fits(v, &p) && p.form == VPICTURE_YUY2 &&
        v->format.format == ISOAV_VIDEO_YUY2) {
        *bytes = frame_bytes;
        return p.bytes;
    }
    shown = found && show(v, &p);
    *repeated |= !shown;
    if (shown) {
        vcontrols_apply(controls, v->pixels, frame_bytes);
    }
    if (v->format.format == ISOAV_VIDEO_MJPEG) {
        return as_jpeg(v, bytes);
    }
    *bytes = frame_bytes;
    return v->pixels;
}
