/*
 * WAV files of 16-bit PCM, and Y4M video files, as far as this program has to
 * do with them.
 *
 * Pure: no Windows types.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_WAV_H
#define ISOAV_APP_WAV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define WAV_HEADER_BYTES 44

typedef struct {
    uint32_t rate; /* frames a second */
    uint16_t channels;
    uint16_t bits;
    uint32_t data_bytes;
} wav_format;

/*
 * Reads up to the first byte of sound. NULL: it is PCM of 8 to 32 bits, 1 to
 * 8 channels and 1000 to 192000 Hz; else one sentence.
 */
const char *wav_read_header(FILE *file, wav_format *format);

void wav_header(uint8_t header[WAV_HEADER_BYTES], const wav_format *format);

/* Bytes of a frame: a sample of each channel. */
static inline uint32_t wav_frame_bytes(const wav_format *format)
{
    return format->channels * (format->bits / 8u);
}

/*
 * How much sound an interval of 1/per_second takes: whole frames, whose
 * number is that of the rate in the long run. *rest is the remainder, 0 to
 * begin with.
 */
uint32_t wav_interval_bytes(const wav_format *format, uint32_t per_second,
                            uint32_t *rest);

/* The line that begins a Y4M file, and a picture of YUY2 in it. */
void y4m_header(FILE *file, uint32_t width, uint32_t height,
                uint32_t interval_100ns);
bool y4m_picture(FILE *file, const uint8_t *yuy2, uint32_t width,
                 uint32_t height);

#endif
