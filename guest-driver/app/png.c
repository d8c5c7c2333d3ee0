/* SPDX-License-Identifier: MIT */
#include "png.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* PNG §9.2: the row above is subtracted */
#define FILTER_UP 2

static uint8_t clamp(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

/* BT.601, video range, in units of 1/256. */
static void convert(uint8_t *rgb, int y, int u, int v)
{
    int c = 298 * (y - 16) + 128;

    rgb[0] = clamp((c + 409 * (v - 128)) >> 8);
    rgb[1] = clamp((c - 100 * (u - 128) - 208 * (v - 128)) >> 8);
    rgb[2] = clamp((c + 516 * (u - 128)) >> 8);
}

void png_yuy2_to_rgb(uint8_t *rgb, const uint8_t *yuy2, uint32_t pixels)
{
    uint32_t i;

    for (i = 0; i + 1 < pixels; i += 2, yuy2 += 4, rgb += 6) {
        convert(rgb, yuy2[0], yuy2[1], yuy2[3]);
        convert(rgb + 3, yuy2[2], yuy2[1], yuy2[3]);
    }
}

static void store32(uint8_t *p, uint32_t value)
{
    p[0] = (uint8_t)(value >> 24);
    p[1] = (uint8_t)(value >> 16);
    p[2] = (uint8_t)(value >> 8);
    p[3] = (uint8_t)value;
}

/* PNG §5.3: length, type, data, CRC of type and data. The data is there. */
static uint8_t *finish_chunk(uint8_t *chunk, const char *type, uint32_t bytes)
{
    store32(chunk, bytes);
    memcpy(chunk + 4, type, 4);
    store32(chunk + 8 + bytes, (uint32_t)crc32(0, chunk + 4, bytes + 4));
    return chunk + 12 + bytes;
}

/* Every row: filter type, then three bytes a pixel. */
static uint8_t *filter_rows(const uint8_t *yuy2, uint32_t width,
                            uint32_t height)
{
    size_t row_bytes = (size_t)width * 3;
    uint8_t *rows = malloc((row_bytes + 1) * height);
    uint8_t *rgb = calloc(2, row_bytes); /* this row and the one above */
    uint32_t x, y;

    if (!rows || !rgb) {
        free(rows);
        free(rgb);
        return NULL;
    }
    for (y = 0; y < height; y++) {
        uint8_t *now = rgb + (y & 1) * row_bytes;
        const uint8_t *above = rgb + (~y & 1) * row_bytes;
        uint8_t *row = rows + (row_bytes + 1) * y;

        png_yuy2_to_rgb(now, yuy2 + (size_t)width * 2 * y, width);
        row[0] = FILTER_UP;
        for (x = 0; x < row_bytes; x++) {
            row[1 + x] = (uint8_t)(now[x] - above[x]);
        }
    }
    free(rgb);
    return rows;
}

uint8_t *png_encode(const uint8_t *yuy2, uint32_t width, uint32_t height,
                    size_t *bytes)
{
    static const uint8_t signature[8] = { 0x89, 'P',  'N',  'G',
                                          '\r', '\n', 0x1a, '\n' };
    uLong raw = ((uLong)width * 3 + 1) * height;
    uLongf packed = compressBound(raw);
    uint8_t *rows = filter_rows(yuy2, width, height);
    uint8_t *file = malloc(packed + 128);
    uint8_t *at = file;

    if (!rows || !file ||
        compress2(file + 8 + 25 + 8, &packed, rows, raw, Z_BEST_SPEED) !=
            Z_OK) {
        free(rows);
        free(file);
        return NULL;
    }
    free(rows);

    memcpy(at, signature, sizeof(signature));
    at += sizeof(signature);
    store32(at + 8, width);
    store32(at + 12, height);
    memcpy(at + 16, "\x08\x02\x00\x00\x00", 5); /* 8-bit RGB */
    at = finish_chunk(at, "IHDR", 13);
    at = finish_chunk(at, "IDAT", (uint32_t)packed);
    at = finish_chunk(at, "IEND", 0);
    *bytes = (size_t)(at - file);
    return file;
}
