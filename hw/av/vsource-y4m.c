/*
 * The header of YUV4MPEG2, which mjpegtools and ffmpeg write: one line of
 * fields, each a letter and a value.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include <string.h>

static const struct {
    const char *chroma; /* the beginning of field C */
    vpicture_form form;
} forms[] = {
    { "420", VPICTURE_I420 },
    { "422", VPICTURE_I422 },
};

static bool find_form(const char *chroma, vpicture_form *form)
{
    for (size_t i = 0; i < G_N_ELEMENTS(forms); i++) {
        size_t length = strlen(forms[i].chroma);

        /* 420p10 and the like have more than eight bits */
        if (strncmp(chroma, forms[i].chroma, length) == 0 &&
            strncmp(chroma + length, "p", 1) != 0) {
            *form = forms[i].form;
            return true;
        }
        if (g_str_equal(chroma, "420paldv")) {
            *form = VPICTURE_I420;
            return true;
        }
    }
    return false;
}

bool vy4m_parse(const char *line, vpicture *picture, char **error)
{
    g_auto(GStrv) fields = g_strsplit(line, " ", 64);
    uint64_t width = 0, height = 0;

    picture->form = VPICTURE_I420;
    for (char **field = fields + 1; fields[0] && *field; field++) {
        const char *value = *field + 1;

        if (**field == 'W') {
            width = g_ascii_strtoull(value, NULL, 10);
        } else if (**field == 'H') {
            height = g_ascii_strtoull(value, NULL, 10);
        } else if (**field == 'C' && !find_form(value, &picture->form)) {
            *error = g_strdup_printf("its colours are %s, and not 420 or 422 "
                                     "of eight bits",
                                     value);
            return false;
        }
    }
    if (!vpicture_size_ok(width, height)) {
        *error = g_strdup_printf("its size is not an even one up to %u",
                                 VPICTURE_SIDE_MAX);
        return false;
    }
    picture->width = width;
    picture->height = height;
    picture->count = vpicture_bytes(picture->form, width, height);
    return true;
}
