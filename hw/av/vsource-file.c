/*
 * Files as sources: a Y4M, JPEGs one after the other (or one), a PNG, or bare
 * YUY2 whose size is in its name.
 *
 *  1. The file is mapped, looked through once when it is opened, and refused
 *     with a sentence if it is not what it says. Picture n is frame n of it.
 *  2. After the last one it is repeated ("file:") or begins anew ("loop:").
 *  3. A file that changes while it is in use is the user's to explain; sizes
 *     are those of the mapping and never exceeded.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include <stdio.h>
#include <string.h>

typedef struct {
    GMappedFile *map;
    const uint8_t *bytes;
    size_t count;
    vpicture picture; /* of each frame, but for its place */
    GArray *places;   /* size_t: where frames begin, and the end */
    uint8_t *decoded; /* a PNG */
    bool loops;
} file;

static void add_place(file *f, size_t at)
{
    g_array_append_val(f->places, at);
}

static size_t place_of(const file *f, uint64_t n)
{
    return g_array_index(f->places, size_t, n);
}

/* "NAME_640x480.yuv": bare YUY2 does not say how large it is. */
static bool read_raw(file *f, const char *where, char **error)
{
    g_autofree char *name = g_path_get_basename(where);
    const char *at = strrchr(name, '_');
    unsigned width, height;
    size_t frame;

    if (!at || sscanf(at, "_%ux%u.", &width, &height) != 2 ||
        !vpicture_size_ok(width, height)) {
        *error = g_strdup("it is no Y4M, JPEG or PNG, and its name does not "
                          "end in a size, as in clip_640x480.yuv");
        return false;
    }
    frame = vpicture_bytes(VPICTURE_YUY2, width, height);
    if (f->count == 0 || f->count % frame != 0) {
        *error = g_strdup_printf("its %zu bytes are not whole frames of "
                                 "%ux%u YUY2, which have %zu",
                                 f->count, width, height, frame);
        return false;
    }
    f->picture = (vpicture){
        .form = VPICTURE_YUY2, .width = width, .height = height, .count = frame
    };
    for (size_t at_frame = 0; at_frame < f->count; at_frame += frame) {
        add_place(f, at_frame);
    }
    return true;
}

/* The line at `at`, and behind it; NULL: there is no end of line nearby. */
static char *take_line(const file *f, size_t *at)
{
    size_t left = MIN(f->count - *at, 1024);
    const uint8_t *end = memchr(f->bytes + *at, '\n', left);
    char *line;

    if (!end) {
        return NULL;
    }
    line = g_strndup((const char *)f->bytes + *at, end - f->bytes - *at);
    *at = end - f->bytes + 1;
    return line;
}

static bool read_y4m(file *f, const char *where, char **error)
{
    size_t at = 0;
    g_autofree char *header = take_line(f, &at);

    if (!header) {
        *error = g_strdup("its first line has no end");
        return false;
    }
    if (!vy4m_parse(header, &f->picture, error)) {
        return false;
    }
    while (at < f->count) {
        g_autofree char *line = take_line(f, &at);

        if (!line || !g_str_has_prefix(line, "FRAME") ||
            f->count - at < f->picture.count) {
            *error = g_strdup_printf("it is cut off or damaged after frame %u",
                                     f->places->len);
            return false;
        }
        add_place(f, at);
        at += f->picture.count;
    }
    return true;
}

/* The end of the JPEG at `at`: behind its EOI; 0: there is none. Marker
 * segments are skipped by their length (a thumbnail is a JPEG, too). */
static size_t find_end(const file *f, size_t at)
{
    at += 2;
    while (at + 2 <= f->count) {
        uint8_t marker = f->bytes[at + 1];

        if (f->bytes[at] != 0xff || marker == 0 || marker == 0xff ||
            (marker >= 0xd0 && marker <= 0xd7)) {
            at++; /* entropy-coded data, padding, a restart */
        } else if (marker == 0xd9) {
            return at + 2;
        } else if (at + 4 > f->count) {
            return 0;
        } else {
            at += 2 + (f->bytes[at + 2] << 8 | f->bytes[at + 3]);
        }
    }
    return 0;
}

static bool read_jpegs(file *f, const char *where, char **error)
{
    size_t at = 0;

    f->picture.form = VPICTURE_JPEG;
    while (at + 2 <= f->count) {
        unsigned width, height;
        size_t end = f->bytes[at] == 0xff && f->bytes[at + 1] == 0xd8
                         ? find_end(f, at)
                         : 0;

        if (!end || !vjpeg_size(f->bytes + at, end - at, &width, &height) ||
            (f->places->len > 0 &&
             (width != f->picture.width || height != f->picture.height))) {
            *error = g_strdup_printf("it is cut off, damaged, of an odd size, "
                                     "or of another one, after frame %u",
                                     f->places->len);
            return false;
        }
        f->picture.width = width;
        f->picture.height = height;
        add_place(f, at);
        at = end;
    }
    f->count = at;
    return true;
}

static bool read_png(file *f, const char *where, char **error)
{
    unsigned width, height;

    f->decoded = vpng_decode(f->bytes, f->count, &width, &height);
    if (!f->decoded) {
        *error = g_strdup("it is a damaged PNG, or one that is too large");
        return false;
    }
    f->bytes = f->decoded;
    f->picture = (vpicture){
        .form = VPICTURE_YUY2,
        .width = width,
        .height = height,
        .count = vpicture_bytes(VPICTURE_YUY2, width, height),
    };
    f->count = f->picture.count;
    add_place(f, 0);
    return true;
}

static const struct {
    const char *begins; /* what the file begins with */
    size_t count;
    bool (*read)(file *f, const char *where, char **error);
} readers[] = {
    { "YUV4MPEG2 ", 10, read_y4m },
    { "\xff\xd8", 2, read_jpegs },
    { "\x89PNG\r\n\x1a\n", 8, read_png },
    { "", 0, read_raw },
};

static bool read_file(file *f, const char *where, char **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(readers); i++) {
        if (f->count >= readers[i].count &&
            memcmp(f->bytes, readers[i].begins, readers[i].count) == 0) {
            if (!readers[i].read(f, where, error)) {
                return false;
            }
            if (f->places->len == 0) {
                *error = g_strdup("it has no frame");
                return false;
            }
            add_place(f, f->count);
            return true;
        }
    }
    return false;
}

static void file_close(void *state)
{
    file *f = state;

    if (f->map) {
        g_mapped_file_unref(f->map);
    }
    g_array_unref(f->places);
    g_free(f->decoded);
    g_free(f);
}

static void *open_file(const char *where, bool loops, char **error)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *reason = NULL;
    file *f = g_new0(file, 1);

    f->loops = loops;
    f->places = g_array_new(FALSE, FALSE, sizeof(size_t));
    if (!g_file_test(where, G_FILE_TEST_IS_REGULAR)) {
        reason = g_strdup("there is no such file");
    } else if (!(f->map = g_mapped_file_new(where, FALSE, &why))) {
        reason = g_strdup(why->message);
    } else {
        f->bytes = (const uint8_t *)g_mapped_file_get_contents(f->map);
        f->count = g_mapped_file_get_length(f->map);
        if (f->count == 0) {
            reason = g_strdup("it is empty");
        } else if (read_file(f, where, &reason)) {
            return f;
        }
    }
    *error = g_strdup_printf("%s cannot be the camera's pictures: %s", where,
                             reason);
    file_close(f);
    return NULL;
}

static void *file_open(const char *where, char **error)
{
    return open_file(where, false, error);
}

static void *loop_open(const char *where, char **error)
{
    return open_file(where, true, error);
}

/* Rule 2. */
static bool file_picture(void *state, uint64_t n, vpicture *picture,
                         bool *repeated)
{
    const file *f = state;
    uint64_t frames = f->places->len - 1;
    uint64_t at = n < frames ? n : f->loops ? n % frames : frames - 1;

    *repeated = n >= frames && !f->loops && frames > 1;
    *picture = f->picture;
    picture->bytes = f->bytes + place_of(f, at);
    if (picture->form == VPICTURE_JPEG) {
        picture->count = place_of(f, at + 1) - place_of(f, at);
    }
    return true;
}

const vsource_kind vsource_file = {
    .name = "file",
    .open = file_open,
    .close = file_close,
    .picture = file_picture,
};

const vsource_kind vsource_loop = {
    .name = "loop",
    .open = loop_open,
    .close = file_close,
    .picture = file_picture,
};
