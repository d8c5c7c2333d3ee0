/*
 * The test picture as a source of frames.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource.h"

#include <glib.h>
#include <stdio.h>
#include <jpeglib.h>

#include "isolab/pattern.h"

#define QUALITY 85

struct isoav_vsource {
    isoav_vformat format;
    uint8_t *pixels; /* YUY2 */
    uint8_t *jpeg;
    unsigned long jpeg_bytes;
};

isoav_vsource *isoav_vsource_open(const char *spec, char **error)
{
    isoav_vsource *v;

    if (!g_str_equal(spec, "pattern")) {
        *error = g_strdup_printf("there is no video source '%s'", spec);
        return NULL;
    }
    v = g_new0(isoav_vsource, 1);
    v->pixels = g_malloc(ISOLAB_PATTERN_BYTES_MAX);
    return v;
}

void isoav_vsource_close(isoav_vsource *v)
{
    free(v->jpeg);
    g_free(v->pixels);
    g_free(v);
}

bool isoav_vsource_start(isoav_vsource *v, const isoav_vformat *format)
{
    v->format = *format;
    return isolab_pattern_size_ok(format->width, format->height);
}

void isoav_vsource_stop(isoav_vsource *v)
{
}

/* 4:2:2, row by row. */
static void encode(isoav_vsource *v)
{
    struct jpeg_compress_struct c;
    struct jpeg_error_mgr errors;
    g_autofree uint8_t *row = g_malloc(v->format.width * 3);

    free(v->jpeg);
    v->jpeg = NULL;
    v->jpeg_bytes = 0;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &v->jpeg, &v->jpeg_bytes);
    c.image_width = v->format.width;
    c.image_height = v->format.height;
    c.input_components = 3;
    c.in_color_space = JCS_YCbCr;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, QUALITY, TRUE);
    c.comp_info[0].h_samp_factor = 2;
    c.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&c, TRUE);
    while (c.next_scanline < c.image_height) {
        const uint8_t *from = v->pixels + c.next_scanline * v->format.width * 2;

        for (unsigned x = 0; x < v->format.width; x++) {
            row[3 * x] = from[2 * x];
            row[3 * x + 1] = from[4 * (x / 2) + 1];
            row[3 * x + 2] = from[4 * (x / 2) + 3];
        }
        jpeg_write_scanlines(&c, &(uint8_t *){ row }, 1);
    }
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
}

const uint8_t *isoav_vsource_frame(isoav_vsource *v, uint64_t n,
                                   const isoav_vcontrols *controls,
                                   uint32_t *bytes, bool *repeated)
{
    *repeated = false;
    isolab_pattern_fill(v->pixels, v->format.width, v->format.height, n,
                        v->format.interval_100ns);
    if (v->format.format == ISOAV_VIDEO_YUY2) {
        *bytes = isolab_pattern_frame_bytes(v->format.width, v->format.height);
        return v->pixels;
    }
    encode(v);
    *bytes = v->jpeg_bytes;
    return v->jpeg;
}
