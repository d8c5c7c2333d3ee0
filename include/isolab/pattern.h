/*
 * The generated test picture: what usb-isoav sends and what a receiver
 * regenerates and compares. YUY2 (bytes Y0 U Y1 V for two pixels), BT.601
 * video range, any size and frame interval that isolab/isoav.h allows.
 *
 * From top to bottom, where one unit is height / 12 rows:
 *
 *   the rest    75 % colour bars: white, yellow, cyan, green, magenta, red,
 *               blue; on them a black box with text for a person, the frame
 *               number (its last six digits) and the time code hh:mm:ss:ff
 *   one unit    the same hues in reverse between black
 *   one unit    a luma ramp from black to white
 *   one unit    a white block that crosses the picture once a second
 *   one unit    the strip: 64 luma cells for a program, below
 *
 * Rules of the strip:
 *
 *  1. It has 64 cells of width / 64 pixels each, centred, most significant
 *     bit of each field first; black (16) is 0, white (235) is 1:
 *
 *       cells  0..7    B4h, to find out whether this is a strip at all
 *       cells  8..39   frame number, 32 bits
 *       cells 40..55   check: CRC-16 (polynomial 1021h, start FFFFh) of the
 *                      frame number's four bytes, most significant first
 *       cells 56..63   4Bh, the complement of the first eight
 *
 *  2. A reader takes the mean luma of the middle of each cell, so noise,
 *     rounding and compression do not matter.
 *  3. The strip depends on the frame number alone, the text on the frame
 *     interval too. Nothing else enters: the same arguments give the same
 *     bytes, on every machine, and a receiver may compare with memcmp.
 *
 * C99 and <string.h>, nothing else.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PATTERN_H
#define ISOLAB_PATTERN_H

#include <stdint.h>
#include <string.h>

#include "isoav.h"

enum {
    ISOLAB_PATTERN_BYTES_MAX = ISOAV_WIDTH_MAX * ISOAV_HEIGHT_MAX * 2,
    ISOLAB_PATTERN_CELLS = 64,
    ISOLAB_PATTERN_SYNC = 0xb4,
    ISOLAB_PATTERN_TIME_CODE_BYTES = 12, /* "hh:mm:ss:ff" and its NUL */
};

/* What isolab_pattern_read says. */
enum {
    ISOLAB_PATTERN_OK = 0,
    ISOLAB_PATTERN_BAD_SIZE,  /* not a size that isoav.h allows */
    ISOLAB_PATTERN_BAD_SYNC,  /* no strip there */
    ISOLAB_PATTERN_BAD_CHECK, /* a strip, but its frame number is damaged */
};

enum {
    ISOLAB_LUMA_BLACK = 16,
    ISOLAB_LUMA_WHITE = 235,
    ISOLAB_LUMA_THRESHOLD = (ISOLAB_LUMA_BLACK + ISOLAB_LUMA_WHITE) / 2,
    ISOLAB_CHROMA_NONE = 128,
};

typedef struct {
    uint8_t y, u, v;
} isolab_colour;

/* The picture being drawn; only the functions of this file look inside. */
typedef struct {
    uint8_t *pixels;
    uint32_t width, height;
    uint32_t unit; /* rows of each band below the bars */
} isolab_picture;

static inline int isolab_pattern_size_ok(uint32_t width, uint32_t height)
{
    return width >= ISOAV_WIDTH_MIN && width <= ISOAV_WIDTH_MAX &&
           width % ISOAV_WIDTH_STEP == 0 && height >= ISOAV_HEIGHT_MIN &&
           height <= ISOAV_HEIGHT_MAX && height % ISOAV_HEIGHT_STEP == 0;
}

static inline uint32_t isolab_pattern_frame_bytes(uint32_t width,
                                                  uint32_t height)
{
    return width * height * 2;
}

/* Frames a second, rounded: 30 for an interval of 333333. */
static inline uint32_t isolab_pattern_rate(uint32_t interval_100ns)
{
    uint32_t rate = (10000000 + interval_100ns / 2) / interval_100ns;

    return rate ? rate : 1;
}

/* Non-drop-frame time code: the nominal rate counts, a day is 24 hours. */
static inline void isolab_pattern_time_code(char *text, uint32_t frame,
                                            uint32_t interval_100ns)
{
    uint32_t rate = isolab_pattern_rate(interval_100ns);
    uint32_t seconds = frame / rate;
    uint32_t field[4];
    int i;

    field[0] = seconds / 3600 % 24;
    field[1] = seconds / 60 % 60;
    field[2] = seconds % 60;
    field[3] = frame % rate;
    for (i = 0; i < 4; i++) {
        text[i * 3] = (char)('0' + field[i] / 10 % 10);
        text[i * 3 + 1] = (char)('0' + field[i] % 10);
        text[i * 3 + 2] = i < 3 ? ':' : '\0';
    }
}

/* Fills pixels x..x_end-1 of one row; both are even. */
static inline void isolab_pattern_run(uint8_t *row, uint32_t x, uint32_t x_end,
                                      isolab_colour c)
{
    for (; x < x_end; x += 2) {
        row[x * 2] = c.y;
        row[x * 2 + 1] = c.u;
        row[x * 2 + 2] = c.y;
        row[x * 2 + 3] = c.v;
    }
}

/* Repeats row y of the picture down to row y_end-1. */
static inline void isolab_pattern_repeat(isolab_picture *p, uint32_t y,
                                         uint32_t y_end)
{
    uint32_t row_bytes = p->width * 2;
    const uint8_t *first = p->pixels + y * row_bytes;

    while (++y < y_end) {
        memcpy(p->pixels + y * row_bytes, first, row_bytes);
    }
}

static inline isolab_colour isolab_pattern_black(void)
{
    isolab_colour c = { ISOLAB_LUMA_BLACK, ISOLAB_CHROMA_NONE,
                        ISOLAB_CHROMA_NONE };
    return c;
}

static inline isolab_colour isolab_pattern_white(void)
{
    isolab_colour c = { ISOLAB_LUMA_WHITE, ISOLAB_CHROMA_NONE,
                        ISOLAB_CHROMA_NONE };
    return c;
}

/* Seven bars over the width, each on a pixel pair. */
static inline void isolab_pattern_bars(isolab_picture *p, uint32_t y,
                                       uint32_t y_end, const uint8_t *order)
{
    /* BT.601 of R, G, B in {0, 75 %}: index 0 is black, 7 white. */
    static const isolab_colour hue[8] = {
        { 16, 128, 128 }, { 35, 212, 114 }, { 65, 100, 212 }, { 84, 184, 198 },
        { 112, 72, 58 },  { 131, 156, 44 }, { 162, 44, 142 }, { 180, 128, 128 },
    };
    uint8_t *row = p->pixels + y * p->width * 2;
    uint32_t i;

    for (i = 0; i < 7; i++) {
        isolab_pattern_run(row, p->width * i / 7 & ~1u,
                           p->width * (i + 1) / 7 & ~1u, hue[order[i]]);
    }
    isolab_pattern_repeat(p, y, y_end);
}

static inline void isolab_pattern_ramp(isolab_picture *p, uint32_t y,
                                       uint32_t y_end)
{
    uint8_t *row = p->pixels + y * p->width * 2;
    uint32_t span = ISOLAB_LUMA_WHITE - ISOLAB_LUMA_BLACK;
    uint32_t x;

    for (x = 0; x < p->width; x++) {
        row[x * 2] = (uint8_t)(ISOLAB_LUMA_BLACK + span * x / (p->width - 1));
        row[x * 2 + 1] = ISOLAB_CHROMA_NONE;
    }
    isolab_pattern_repeat(p, y, y_end);
}

static inline void isolab_pattern_sweep(isolab_picture *p, uint32_t y,
                                        uint32_t y_end, uint32_t frame,
                                        uint32_t rate)
{
    uint32_t row_bytes = p->width * 2;
    uint32_t inset = p->unit / 4;
    uint32_t block = (p->width / 24 & ~1u) + 2;
    uint32_t steps = rate > 1 ? rate - 1 : 1;
    uint32_t x = (p->width - block) * (frame % rate) / steps & ~1u;

    isolab_pattern_run(p->pixels + y * row_bytes, 0, p->width,
                       isolab_pattern_black());
    isolab_pattern_repeat(p, y, y_end);
    y += inset;
    isolab_pattern_run(p->pixels + y * row_bytes, x, x + block,
                       isolab_pattern_white());
    isolab_pattern_repeat(p, y, y_end - inset);
}

static inline uint16_t isolab_pattern_check(uint32_t frame)
{
    uint32_t crc = 0xffff;
    int i;

    for (i = 31; i >= 0; i--) {
        uint32_t out = crc >> 15 ^ (frame >> i & 1);

        crc = (crc << 1 & 0xffff) ^ (out ? 0x1021 : 0);
    }
    return (uint16_t)crc;
}

/* The strip's 64 cells, cell 0 in bit 63 (rule 1). */
static inline uint64_t isolab_pattern_cells(uint32_t frame)
{
    return (uint64_t)ISOLAB_PATTERN_SYNC << 56 | (uint64_t)frame << 24 |
           (uint64_t)isolab_pattern_check(frame) << 8 |
           (ISOLAB_PATTERN_SYNC ^ 0xff);
}

static inline void isolab_pattern_strip(isolab_picture *p, uint32_t y,
                                        uint32_t y_end, uint32_t frame)
{
    uint8_t *row = p->pixels + y * p->width * 2;
    uint32_t cell = p->width / ISOLAB_PATTERN_CELLS;
    uint32_t left = (p->width - cell * ISOLAB_PATTERN_CELLS) / 2;
    uint64_t cells = isolab_pattern_cells(frame);
    uint32_t x;

    isolab_pattern_run(row, 0, p->width, isolab_pattern_black());
    for (x = 0; x < cell * ISOLAB_PATTERN_CELLS; x++) {
        if (cells >> (ISOLAB_PATTERN_CELLS - 1 - x / cell) & 1) {
            row[(left + x) * 2] = ISOLAB_LUMA_WHITE;
        }
    }
    isolab_pattern_repeat(p, y, y_end);
}

/* A small font of our own: 7 x 11 dots, a row a byte, leftmost dot 40h. */
enum {
    ISOLAB_GLYPH_WIDTH = 7,
    ISOLAB_GLYPH_HEIGHT = 11,
    ISOLAB_GLYPH_ADVANCE = 8,
};

static inline const uint8_t *isolab_pattern_glyph(char c)
{
    static const char have[] = "0123456789:FRAME";
    static const uint8_t dots[][ISOLAB_GLYPH_HEIGHT] = {
        /* 0 */
        { 0x3e, 0x63, 0x63, 0x63, 0x63, 0x63, 0x63, 0x63, 0x63, 0x63, 0x3e },
        /* 1 */
        { 0x0c, 0x1c, 0x3c, 0x0c, 0x0c, 0x0c, 0x0c, 0x0c, 0x0c, 0x0c, 0x3f },
        /* 2 */
        { 0x3e, 0x63, 0x03, 0x03, 0x06, 0x0c, 0x18, 0x30, 0x60, 0x60, 0x7f },
        /* 3 */
        { 0x3e, 0x63, 0x03, 0x03, 0x03, 0x1e, 0x03, 0x03, 0x03, 0x63, 0x3e },
        /* 4 */
        { 0x06, 0x0e, 0x1e, 0x36, 0x66, 0x66, 0x7f, 0x06, 0x06, 0x06, 0x06 },
        /* 5 */
        { 0x7f, 0x60, 0x60, 0x60, 0x7e, 0x03, 0x03, 0x03, 0x03, 0x63, 0x3e },
        /* 6 */
        { 0x1e, 0x30, 0x60, 0x60, 0x7e, 0x63, 0x63, 0x63, 0x63, 0x63, 0x3e },
        /* 7 */
        { 0x7f, 0x03, 0x03, 0x06, 0x06, 0x0c, 0x0c, 0x18, 0x18, 0x18, 0x18 },
        /* 8 */
        { 0x3e, 0x63, 0x63, 0x63, 0x63, 0x3e, 0x63, 0x63, 0x63, 0x63, 0x3e },
        /* 9 */
        { 0x3e, 0x63, 0x63, 0x63, 0x63, 0x3f, 0x03, 0x03, 0x03, 0x06, 0x3c },
        /* : */
        { 0x00, 0x00, 0x0c, 0x0c, 0x0c, 0x00, 0x00, 0x0c, 0x0c, 0x0c, 0x00 },
        /* F */
        { 0x7f, 0x60, 0x60, 0x60, 0x60, 0x7c, 0x60, 0x60, 0x60, 0x60, 0x60 },
        /* R */
        { 0x7e, 0x63, 0x63, 0x63, 0x63, 0x7e, 0x6c, 0x66, 0x66, 0x63, 0x63 },
        /* A */
        { 0x1c, 0x36, 0x63, 0x63, 0x63, 0x63, 0x7f, 0x63, 0x63, 0x63, 0x63 },
        /* M */
        { 0x63, 0x77, 0x7f, 0x6b, 0x6b, 0x6b, 0x63, 0x63, 0x63, 0x63, 0x63 },
        /* E */
        { 0x7f, 0x60, 0x60, 0x60, 0x60, 0x7c, 0x60, 0x60, 0x60, 0x60, 0x7f },
    };
    const char *at = c ? strchr(have, c) : NULL;

    return at ? dots[at - have] : NULL;
}

/* Writes text into a black area, each dot scale x scale pixels of luma. */
static inline void isolab_pattern_text(isolab_picture *p, uint32_t left,
                                       uint32_t top, uint32_t scale,
                                       const char *text)
{
    for (; *text; text++, left += ISOLAB_GLYPH_ADVANCE * scale) {
        const uint8_t *dots = isolab_pattern_glyph(*text);
        uint32_t x, y;

        if (!dots) {
            continue;
        }
        for (y = 0; y < ISOLAB_GLYPH_HEIGHT * scale; y++) {
            uint8_t *row = p->pixels + ((top + y) * p->width + left) * 2;

            for (x = 0; x < ISOLAB_GLYPH_WIDTH * scale; x++) {
                if (dots[y / scale] & 0x40 >> x / scale) {
                    row[x * 2] = ISOLAB_LUMA_WHITE;
                }
            }
        }
    }
}

/* Pixels that `count` characters take, without the gap after the last. */
static inline uint32_t isolab_pattern_text_width(uint32_t count, uint32_t scale)
{
    return (count * ISOLAB_GLYPH_ADVANCE - 1) * scale;
}

/*
 * The box stands in the middle of the bars. A picture that is too small for
 * both lines gets the digits of the frame number alone, which fit into any.
 */
static inline void isolab_pattern_caption(isolab_picture *p, uint32_t frame,
                                          uint32_t interval_100ns)
{
    enum { FRAME_CHARS = 12, CODE_CHARS = 11, DIGITS = 6, GAP = 7, PAD = 6 };
    char line[FRAME_CHARS + 1] = "FRAME 000000";
    char code[ISOLAB_PATTERN_TIME_CODE_BYTES];
    uint32_t bars = p->height - 4 * p->unit;
    int both = p->width >= 144 && bars >= 56;
    uint32_t scale, high, wide, left, top, pad, i, number = frame;

    for (i = FRAME_CHARS; i > FRAME_CHARS - DIGITS; i--) {
        line[i - 1] = (char)('0' + number % 10);
        number /= 10;
    }
    scale = p->width / 176 < bars / 54 ? p->width / 176 : bars / 54;
    scale = scale && both ? scale : 1;
    pad = both ? PAD * scale : 4;
    wide = isolab_pattern_text_width(both ? FRAME_CHARS : DIGITS, scale);
    high = (both ? 2 * ISOLAB_GLYPH_HEIGHT + GAP : ISOLAB_GLYPH_HEIGHT) * scale;

    left = (p->width - wide) / 2;
    top = (bars - high) / 2;
    for (i = top - pad; i < top + high + pad; i++) {
        isolab_pattern_run(p->pixels + i * p->width * 2, (left - pad) & ~1u,
                           (left + wide + pad + 1) & ~1u,
                           isolab_pattern_black());
    }
    isolab_pattern_text(p, left, top, scale,
                        both ? line : line + FRAME_CHARS - DIGITS);
    if (both) {
        isolab_pattern_time_code(code, frame, interval_100ns);
        left = (p->width - isolab_pattern_text_width(CODE_CHARS, scale)) / 2;
        top += (ISOLAB_GLYPH_HEIGHT + GAP) * scale;
        isolab_pattern_text(p, left, top, scale, code);
    }
}

/*
 * Draws frame `frame` of a stream with this interval into pixels, which has
 * room for isolab_pattern_frame_bytes(). The size must be one that
 * isolab_pattern_size_ok() accepts.
 */
static inline void isolab_pattern_fill(uint8_t *pixels, uint32_t width,
                                       uint32_t height, uint32_t frame,
                                       uint32_t interval_100ns)
{
    static const uint8_t bars[7] = { 7, 6, 5, 4, 3, 2, 1 };
    static const uint8_t reverse[7] = { 1, 0, 3, 0, 5, 0, 7 };
    isolab_picture p;
    uint32_t y;

    p.pixels = pixels;
    p.width = width;
    p.height = height;
    p.unit = height / 12;
    y = height - 4 * p.unit;

    isolab_pattern_bars(&p, 0, y, bars);
    isolab_pattern_caption(&p, frame, interval_100ns);
    isolab_pattern_bars(&p, y, y + p.unit, reverse);
    y += p.unit;
    isolab_pattern_ramp(&p, y, y + p.unit);
    y += p.unit;
    isolab_pattern_sweep(&p, y, y + p.unit, frame,
                         isolab_pattern_rate(interval_100ns));
    y += p.unit;
    isolab_pattern_strip(&p, y, height, frame);
}

/* Is the middle of this cell of the strip white? (rule 2) */
static inline int isolab_pattern_cell(const uint8_t *pixels, uint32_t width,
                                      uint32_t height, uint32_t index)
{
    uint32_t unit = height / 12;
    uint32_t cell = width / ISOLAB_PATTERN_CELLS;
    uint32_t left = (width - cell * ISOLAB_PATTERN_CELLS) / 2 + index * cell;
    uint32_t sum = 0, count = 0, x, y;

    for (y = height - unit + unit / 4; y < height - unit / 4; y++) {
        for (x = left + cell / 4; x < left + cell - cell / 4; x++) {
            sum += pixels[(y * width + x) * 2];
            count++;
        }
    }
    return sum > count * ISOLAB_LUMA_THRESHOLD;
}

/* Reads the frame number off the strip; *frame is set only with _OK. */
static inline int isolab_pattern_read(const uint8_t *pixels, uint32_t width,
                                      uint32_t height, uint32_t *frame)
{
    uint64_t cells = 0;
    uint32_t i, number;

    if (!isolab_pattern_size_ok(width, height)) {
        return ISOLAB_PATTERN_BAD_SIZE;
    }
    for (i = 0; i < ISOLAB_PATTERN_CELLS; i++) {
        cells = cells << 1 |
                (uint64_t)isolab_pattern_cell(pixels, width, height, i);
    }
    number = (uint32_t)(cells >> 24);
    if (cells >> 56 != ISOLAB_PATTERN_SYNC ||
        (cells & 0xff) != (ISOLAB_PATTERN_SYNC ^ 0xff)) {
        return ISOLAB_PATTERN_BAD_SYNC;
    }
    if ((cells >> 8 & 0xffff) != isolab_pattern_check(number)) {
        return ISOLAB_PATTERN_BAD_CHECK;
    }
    *frame = number;
    return ISOLAB_PATTERN_OK;
}

#endif
