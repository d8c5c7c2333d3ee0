/*
 * JPEG (libjpeg-turbo) and PNG (libpng) for the sources of frames.
 *
 *  1. A file that lies is refused, not believed: errors of the libraries come
 *     back here by longjmp, warnings (a cut-off end) too, and sizes are bounded
 *     before anything is allocated for them.
 *  2. What is encoded is baseline 4:2:2 with its tables in each frame, as UVC's
 *     MJPEG wants it (UVC 1.1, payload MJPEG §2.2.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/vsource-kind.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

#define QUALITY 85

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf back;
} error_manager;

/* Rule 1. */
static void give_up(j_common_ptr c)
{
    error_manager *errors = (error_manager *)c->err;

    longjmp(errors->back, 1);
}

static void say_nothing(j_common_ptr c, int level)
{
    if (level < 0) {
        give_up(c);
    }
}

static void set_errors(j_common_ptr c, error_manager *errors)
{
    c->err = jpeg_std_error(&errors->base);
    errors->base.error_exit = give_up;
    errors->base.emit_message = say_nothing;
}

static void write_rows(j_compress_ptr c, const uint8_t *yuy2, uint8_t *row)
{
    while (c->next_scanline < c->image_height) {
        const uint8_t *from =
            yuy2 + (size_t)c->next_scanline * c->image_width * 2;

        for (unsigned x = 0; x < c->image_width; x++) {
            row[3 * x] = from[2 * x];
            row[3 * x + 1] = from[4 * (x / 2) + 1];
            row[3 * x + 2] = from[4 * (x / 2) + 3];
        }
        jpeg_write_scanlines(c, &row, 1);
    }
}

uint8_t *vjpeg_encode(const uint8_t *yuy2, unsigned width, unsigned height,
                      unsigned long *bytes)
{
    struct jpeg_compress_struct c = { 0 };
    struct jpeg_error_mgr errors;
    g_autofree uint8_t *row = g_malloc((size_t)width * 3);
    uint8_t *jpeg = NULL;

    *bytes = 0;
    c.err = jpeg_std_error(&errors);
    jpeg_create_compress(&c);
    jpeg_mem_dest(&c, &jpeg, bytes);
    c.image_width = width;
    c.image_height = height;
    c.input_components = 3;
    c.in_color_space = JCS_YCbCr;
    jpeg_set_defaults(&c);
    jpeg_set_quality(&c, QUALITY, TRUE);
    c.comp_info[0].h_samp_factor = 2;
    c.comp_info[0].v_samp_factor = 1;
    jpeg_start_compress(&c, TRUE);
    write_rows(&c, yuy2, row);
    jpeg_finish_compress(&c);
    jpeg_destroy_compress(&c);
    return jpeg;
}

bool vjpeg_size(const uint8_t *jpeg, size_t count, unsigned *width,
                unsigned *height)
{
    struct jpeg_decompress_struct d = { 0 };
    error_manager errors;

    set_errors((j_common_ptr)&d, &errors);
    if (setjmp(errors.back)) {
        jpeg_destroy_decompress(&d);
        return false;
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, jpeg, count);
    jpeg_read_header(&d, TRUE);
    *width = d.image_width;
    *height = d.image_height;
    jpeg_destroy_decompress(&d);
    return vpicture_size_ok(*width, *height);
}

/* Two pixels have one U and one V: their mean. */
static void pack_row(const uint8_t *row, unsigned width, uint8_t *to)
{
    for (unsigned x = 0; x + 1 < width; x += 2, row += 6) {
        *to++ = row[0];
        *to++ = (row[1] + row[4] + 1) / 2;
        *to++ = row[3];
        *to++ = (row[2] + row[5] + 1) / 2;
    }
}

bool vjpeg_decode(const uint8_t *jpeg, size_t count, unsigned width,
                  unsigned height, uint8_t *yuy2)
{
    struct jpeg_decompress_struct d = { 0 };
    error_manager errors;
    uint8_t *volatile row = g_malloc((size_t)width * 3);
    uint8_t *rows;

    set_errors((j_common_ptr)&d, &errors);
    if (setjmp(errors.back)) {
        jpeg_destroy_decompress(&d);
        g_free(row);
        return false;
    }
    jpeg_create_decompress(&d);
    jpeg_mem_src(&d, jpeg, count);
    jpeg_read_header(&d, TRUE);
    if (d.image_width != width || d.image_height != height) {
        give_up((j_common_ptr)&d);
    }
    d.out_color_space = JCS_YCbCr;
    jpeg_start_decompress(&d);
    rows = row;
    while (d.output_scanline < height) {
        uint8_t *to = yuy2 + (size_t)d.output_scanline * width * 2;

        jpeg_read_scanlines(&d, &rows, 1);
        pack_row(row, width, to);
    }
    jpeg_finish_decompress(&d);
    jpeg_destroy_decompress(&d);
    g_free(row);
    return true;
}

/* RGB becomes Y, U, V: BT.601, video range, in 1/65536. */
static void rgb_to_ycc(uint8_t *ycc)
{
    int r = ycc[0], g = ycc[1], b = ycc[2];

    ycc[0] = 16 + (16829 * r + 33039 * g + 6416 * b + 32768) / 65536;
    ycc[1] = (128 * 65536 - 9714 * r - 19070 * g + 28784 * b + 32768) / 65536;
    ycc[2] = (128 * 65536 + 28784 * r - 24103 * g - 4681 * b + 32768) / 65536;
}

uint8_t *vpng_decode(const uint8_t *png, size_t count, unsigned *width,
                     unsigned *height)
{
    const png_color black = { 0, 0, 0 };
    png_image image;
    g_autofree uint8_t *rgb = NULL;
    uint8_t *yuy2;

    memset(&image, 0, sizeof(image));
    image.version = PNG_IMAGE_VERSION;
    if (!png_image_begin_read_from_memory(&image, png, count)) {
        return NULL;
    }
    /* an odd column or row is left out */
    *width = image.width & ~1u;
    *height = image.height & ~1u;
    image.format = PNG_FORMAT_RGB;
    if (!vpicture_size_ok(*width, *height)) {
        png_image_free(&image);
        return NULL;
    }
    rgb = g_malloc((size_t)image.width * image.height * 3);
    if (!png_image_finish_read(&image, &black, rgb, image.width * 3, NULL)) {
        png_image_free(&image);
        return NULL;
    }
    yuy2 = g_malloc(vpicture_bytes(VPICTURE_YUY2, *width, *height));
    for (unsigned y = 0; y < *height; y++) {
        uint8_t *row = rgb + (size_t)y * image.width * 3;

        for (unsigned x = 0; x < *width; x++) {
            rgb_to_ycc(row + 3 * x);
        }
        pack_row(row, *width, yuy2 + (size_t)y * *width * 2);
    }
    return yuy2;
}
