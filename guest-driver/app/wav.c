/* SPDX-License-Identifier: MIT */
#include "wav.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "isolab/isoav.h"

static const char *check_format(const uint8_t *chunk, uint32_t bytes,
                                wav_format *format)
{
    if (bytes < 16) {
        return "its format is cut off";
    }
    format->channels = isoav_get16(chunk + 2);
    format->rate = isoav_get32(chunk + 4);
    format->bits = isoav_get16(chunk + 14);
    if (isoav_get16(chunk) != 1 || format->bits % 8 || format->bits < 8 ||
        format->bits > 32) {
        return "it is not PCM of 8, 16, 24 or 32 bits";
    }
    if (format->channels < 1 || format->channels > 8 || format->rate < 1000 ||
        format->rate > 192000) {
        return "it has a rate or a number of channels that nothing plays";
    }
    return NULL;
}

const char *wav_read_header(FILE *file, wav_format *format)
{
    uint8_t head[12], chunk[40];
    const char *why = NULL;
    uint32_t bytes, kept;

    memset(format, 0, sizeof(*format));
    if (fread(head, 1, 12, file) != 12 || memcmp(head, "RIFF", 4) ||
        memcmp(head + 8, "WAVE", 4)) {
        return "it is not a WAV file";
    }
    while (fread(head, 1, 8, file) == 8) {
        bytes = isoav_get32(head + 4);
        if (!memcmp(head, "data", 4)) {
            format->data_bytes = bytes;
            return format->rate ? NULL : "it has no format";
        }
        kept = bytes < sizeof(chunk) ? bytes : (uint32_t)sizeof(chunk);
        if (fread(chunk, 1, kept, file) != kept) {
            break;
        }
        if (!memcmp(head, "fmt ", 4)) {
            why = check_format(chunk, kept, format);
        }
        /* what is left of the chunk, and the byte that makes it even */
        if (why || bytes > INT32_MAX ||
            fseek(file, (long)(bytes - kept + (bytes & 1)), SEEK_CUR)) {
            break;
        }
    }
    return why ? why : "it has no sound";
}

void wav_header(uint8_t header[WAV_HEADER_BYTES], const wav_format *format)
{
    uint32_t frame = wav_frame_bytes(format);

    memcpy(header, "RIFF....WAVEfmt ", 16);
    isoav_put32(header + 4, format->data_bytes + WAV_HEADER_BYTES - 8);
    isoav_put32(header + 16, 16);
    isoav_put16(header + 20, 1);
    isoav_put16(header + 22, format->channels);
    isoav_put32(header + 24, format->rate);
    isoav_put32(header + 28, format->rate * frame);
    isoav_put16(header + 32, (uint16_t)frame);
    isoav_put16(header + 34, format->bits);
    memcpy(header + 36, "data", 4);
    isoav_put32(header + 40, format->data_bytes);
}

uint32_t wav_interval_bytes(const wav_format *format, uint32_t per_second,
                            uint32_t *rest)
{
    uint32_t frames = (format->rate + *rest) / per_second;

    *rest = (format->rate + *rest) % per_second;
    return frames * wav_frame_bytes(format);
}

void y4m_header(FILE *file, uint32_t width, uint32_t height,
                uint32_t interval_100ns)
{
    fprintf(file,
            "YUV4MPEG2 W%" PRIu32 " H%" PRIu32 " F10000000:%" PRIu32
            " Ip A1:1 C422\n",
            width, height, interval_100ns);
}

bool y4m_picture(FILE *file, const uint8_t *yuy2, uint32_t width,
                 uint32_t height)
{
    size_t pixels = (size_t)width * height, i;
    uint8_t *planes = malloc(2 * pixels);
    bool good;

    if (!planes) {
        return false;
    }
    for (i = 0; i < pixels; i += 2) {
        planes[i] = yuy2[2 * i];
        planes[i + 1] = yuy2[2 * i + 2];
        planes[pixels + i / 2] = yuy2[2 * i + 1];
        planes[pixels + pixels / 2 + i / 2] = yuy2[2 * i + 3];
    }
    good = fputs("FRAME\n", file) >= 0 &&
           fwrite(planes, 1, 2 * pixels, file) == 2 * pixels;
    free(planes);
    return good;
}
