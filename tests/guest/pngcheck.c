/*
 * pngcheck: are these files the pictures that the device drew?
 *
 *   pngcheck INTERVAL FILE.png...     INTERVAL in units of 100 ns
 *
 * Each file is decoded by libpng, which knows nothing of the program that
 * wrote it. The strip at its foot names the frame; the pattern of that frame
 * is drawn again, converted to RGB by the textbook formula of BT.601, and
 * every pixel must agree within rounding. One line a file on standard output:
 * its name and its frame number. Exit status 1 when a file is not a picture,
 * or not the right one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isolab/pattern.h"

#define TOLERANCE 2 /* of 255, for rounding */

/* 8-bit RGB of the whole file, or NULL with a sentence on stderr. */
static uint8_t *load(const char *name, uint32_t *width, uint32_t *height)
{
    png_image image = { .version = PNG_IMAGE_VERSION };
    uint8_t *rgb;

    if (!png_image_begin_read_from_file(&image, name)) {
        fprintf(stderr, "pngcheck: %s: %s\n", name, image.message);
        return NULL;
    }
    image.format = PNG_FORMAT_RGB;
    rgb = malloc(PNG_IMAGE_SIZE(image));
    if (!png_image_finish_read(&image, NULL, rgb, 0, NULL)) {
        fprintf(stderr, "pngcheck: %s: %s\n", name, image.message);
        free(rgb);
        return NULL;
    }
    *width = image.width;
    *height = image.height;
    return rgb;
}

static int to_byte(double value)
{
    return value < 0 ? 0 : value > 255 ? 255 : (int)(value + 0.5);
}

/* BT.601, video range: Y 16..235, Cb and Cr 16..240 around 128. */
static void yuv_to_rgb(int rgb[3], int y, int u, int v)
{
    double luma = (y - 16) * 255.0 / 219.0;
    double cb = (u - 128) * 255.0 / 224.0;
    double cr = (v - 128) * 255.0 / 224.0;

    rgb[0] = to_byte(luma + 1.402 * cr);
    rgb[1] = to_byte(luma - 0.344136 * cb - 0.714136 * cr);
    rgb[2] = to_byte(luma + 1.772 * cb);
}

/* Enough of YUY2 for isolab_pattern_read: the luma of grey pixels. */
static bool read_number(const uint8_t *rgb, uint32_t width, uint32_t height,
                        uint32_t *number)
{
    uint8_t *grey = malloc(isolab_pattern_frame_bytes(width, height));
    int result;

    for (uint32_t i = 0; i < width * height; i++) {
        grey[i * 2] = (uint8_t)(16 + rgb[i * 3 + 1] * 219 / 255);
        grey[i * 2 + 1] = ISOLAB_CHROMA_NONE;
    }
    result = isolab_pattern_read(grey, width, height, number);
    free(grey);
    return result == ISOLAB_PATTERN_OK;
}

/* The pixels that differ by more than rounding. */
static uint32_t count_differences(const uint8_t *rgb, uint32_t width,
                                  uint32_t height, uint32_t number,
                                  uint32_t interval)
{
    uint8_t *pattern = malloc(isolab_pattern_frame_bytes(width, height));
    uint32_t differences = 0;

    isolab_pattern_fill(pattern, width, height, number, interval);
    for (uint32_t i = 0; i < width * height; i++) {
        const uint8_t *pair = pattern + i / 2 * 4;
        int expected[3];
        bool differs = false;

        yuv_to_rgb(expected, pattern[i * 2], pair[1], pair[3]);
        for (int c = 0; c < 3; c++) {
            differs |= abs(rgb[i * 3 + c] - expected[c]) > TOLERANCE;
        }
        differences += differs;
    }
    free(pattern);
    return differences;
}

static bool check(const char *name, uint32_t interval)
{
    uint32_t width, height, number = 0, differences;
    uint8_t *rgb = load(name, &width, &height);

    if (!rgb) {
        return false;
    }
    if (!isolab_pattern_size_ok(width, height) ||
        !read_number(rgb, width, height, &number)) {
        fprintf(stderr, "pngcheck: %s: no frame number in the picture\n", name);
        free(rgb);
        return false;
    }
    differences = count_differences(rgb, width, height, number, interval);
    free(rgb);
    if (differences) {
        fprintf(stderr, "pngcheck: %s: %u of %u pixels of frame %u differ\n",
                name, differences, width * height, number);
        return false;
    }
    printf("%s %u\n", name, number);
    return true;
}

int main(int argc, char **argv)
{
    bool good = true;

    if (argc < 3 || atoi(argv[1]) <= 0) {
        fprintf(stderr, "usage: pngcheck INTERVAL FILE.png...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        good = check(argv[i], (uint32_t)atoi(argv[1])) && good;
    }
    return good ? 0 : 1;
}
