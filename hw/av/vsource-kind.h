/*
 * Inside of a source of frames: kinds of sources, and what they share.
 *
 * A kind finds picture n; what is the same for all of them, decoding, size,
 * the camera's controls, encoding, is done in vsource.c.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_VSOURCE_KIND_H
#define ISOLAB_AV_VSOURCE_KIND_H

#include <glib.h>
#include <stddef.h>

#include "hw/av/vsource.h"

/* What a picture is made of. */
typedef enum {
    VPICTURE_YUY2,
    VPICTURE_I420, /* planes: Y, U, V; chroma of half the width and height */
    VPICTURE_I422, /* chroma of half the width */
    VPICTURE_JPEG,
} vpicture_form;

enum { VPICTURE_SIDE_MAX = 8192 };

typedef struct {
    vpicture_form form;
    unsigned width, height; /* even, VPICTURE_SIDE_MAX at most */
    const uint8_t *bytes;
    size_t count;
} vpicture;

typedef struct {
    const char *name; /* what a specification begins with, before ':' */
    /* NULL: not to be opened, and *error says why */
    void *(*open)(const char *where, char **error);
    void (*close)(void *state);
    /* The stream starts; NULL if that is nothing to the kind. */
    bool (*start)(void *state, const isoav_vformat *format);
    void (*stop)(void *state); /* and ends; NULL as well */
    /* Picture n, good until the next call. False: there is none at all.
     * *repeated: it is an older one. */
    bool (*picture)(void *state, uint64_t n, vpicture *picture, bool *repeated);
} vsource_kind;

extern const vsource_kind vsource_pattern; /* vsource-pattern.c */
extern const vsource_kind vsource_file;    /* vsource-file.c */
extern const vsource_kind vsource_loop;
extern const vsource_kind vsource_pipe; /* vsource-pipe.c */
extern const vsource_kind vsource_v4l2; /* vsource-v4l2.c */

/* The bytes of a picture without compression. */
size_t vpicture_bytes(vpicture_form form, unsigned width, unsigned height);
bool vpicture_size_ok(uint64_t width, uint64_t height);

/* Pictures as YUY2, width x height. False: a damaged JPEG. */
bool vpicture_to_yuy2(const vpicture *from, uint8_t *to);

/* Bilinear, the whole picture in the middle, black around it. */
void vpicture_scale(const uint8_t *from, unsigned width, unsigned height,
                    uint8_t *to, unsigned to_width, unsigned to_height);

/* What the controls do to YUY2, in place. */
bool vcontrols_are_neutral(const isoav_vcontrols *c);
void vcontrols_apply(const isoav_vcontrols *c, uint8_t *yuy2, size_t count);

/* vsource-jpeg.c. Encodes YUY2 as 4:2:2; the result is for free(). */
uint8_t *vjpeg_encode(const uint8_t *yuy2, unsigned width, unsigned height,
                      unsigned long *bytes);
bool vjpeg_decode(const uint8_t *jpeg, size_t count, unsigned width,
                  unsigned height, uint8_t *yuy2);
/* The size that a JPEG has; false: it is none, or damaged. */
bool vjpeg_size(const uint8_t *jpeg, size_t count, unsigned *width,
                unsigned *height);
/* A PNG as a JPEG's equal: YUY2 for g_free; NULL: it is none, or damaged. */
uint8_t *vpng_decode(const uint8_t *png, size_t count, unsigned *width,
                     unsigned *height);

/* vsource-y4m.c: "YUV4MPEG2 W640 H480 F30:1 C420jpeg" up to its line's end.
 * False: it is none that is understood, and *error says why. */
bool vy4m_parse(const char *line, vpicture *picture, char **error);

#endif
