/*
 * PNG files from YUY2 pictures.
 *
 * YUY2 stores two pixels as Y0 U Y1 V: each has its own luma, both share the
 * chroma. BT.601 in video range (black 16, white 235) turns it into RGB. The
 * file is 8-bit RGB; each row is filtered as the difference to the row above
 * (PNG §9.2, filter type 2), which makes what repeats down the picture zero
 * and the file small.
 *
 * Pure: no Windows types, no I/O. Equal pictures give equal bytes.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_PNG_H
#define ISOAV_APP_PNG_H

#include <stddef.h>
#include <stdint.h>

/* Converts `pixels` pixels (even) of a row to 3 bytes each. */
void png_yuy2_to_rgb(uint8_t *rgb, const uint8_t *yuy2, uint32_t pixels);

/*
 * The whole file in memory that the caller frees with free(); NULL when there
 * is no memory.
 */
uint8_t *png_encode(const uint8_t *yuy2, uint32_t width, uint32_t height,
                    size_t *bytes);

#endif
