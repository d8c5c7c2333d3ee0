/*
 * isoav loopback and isoav play: both send packets to the device and hold what
 * comes back against what was sent. The first one sends a pattern, as fast as
 * the device returns it; the second one the sound of a WAV file, in packets
 * of as many samples as belong into an interval.
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "choose.h"
#include "device.h"
#include "loop.h"
#include "wav.h"

/* --- loopback --------------------------------------------------------------
 */

/* A generator on either side; the two agree as long as nothing is lost. */
typedef struct {
    uint32_t sent, returned;
} pattern;

static uint32_t next_byte(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 24;
}

static uint32_t fill_pattern(void *context, uint8_t *data, uint32_t most)
{
    pattern *p = context;
    uint32_t bytes = next_byte(&p->sent) % (most + 1), i;

    for (i = 0; i < bytes; i++) {
        data[i] = (uint8_t)next_byte(&p->sent);
    }
    return bytes;
}

static bool take_pattern(void *context, const uint8_t *data, uint32_t bytes)
{
    pattern *p = context;
    uint32_t i, wrong = 0;

    next_byte(&p->returned);
    for (i = 0; i < bytes; i++) {
        wrong |= data[i] ^ (uint8_t)next_byte(&p->returned);
    }
    return wrong == 0;
}

int app_loopback(const args_options *options)
{
    static pattern p;
    static loop l = { .fill = fill_pattern,
                      .take = take_pattern,
                      .context = &p };
    bool good;

    l.packets = options->count;
    good = loop_run(&l, options);
    loop_report(&l, options, "loopback");
    return good ? 0 : 1;
}

/* --- play ------------------------------------------------------------------
 */

typedef struct {
    wav_format format;
    uint8_t *sound;
    uint32_t rest; /* of wav_interval_bytes */
    uint32_t sent, returned;
    uint32_t intervals; /* a second */
    FILE *record;       /* NULL: nowhere */
    bool is_full;       /* record could not be written */
} player;

static uint32_t fill_sound(void *context, uint8_t *data, uint32_t most)
{
    player *p = context;
    uint32_t bytes = wav_interval_bytes(&p->format, p->intervals, &p->rest);
    uint32_t left = p->format.data_bytes - p->sent;

    if (bytes > most) {
        bytes =
            most / wav_frame_bytes(&p->format) * wav_frame_bytes(&p->format);
    }
    if (bytes > left) {
        bytes = left;
    }
    memcpy(data, p->sound + p->sent, bytes);
    p->sent += bytes;
    return bytes;
}

static bool take_sound(void *context, const uint8_t *data, uint32_t bytes)
{
    player *p = context;
    bool good = bytes <= p->format.data_bytes - p->returned &&
                memcmp(data, p->sound + p->returned, bytes) == 0;

    p->returned += good ? bytes : 0;
    if (p->record && fwrite(data, 1, bytes, p->record) != bytes) {
        p->is_full = true;
    }
    return good;
}

static const char *load(player *p, const char *name)
{
    FILE *file = fopen(name, "rb");
    const char *why;

    if (!file) {
        return "it cannot be opened";
    }
    why = wav_read_header(file, &p->format);
    if (!why && p->format.data_bytes > 64u << 20) {
        why = "it has more than 64 MiB";
    }
    if (!why) {
        p->sound = malloc(p->format.data_bytes + 1);
        why = p->sound ? NULL : "there is no memory for it";
    }
    if (!why) {
        p->format.data_bytes =
            (uint32_t)fread(p->sound, 1, p->format.data_bytes, file);
        p->format.data_bytes -=
            p->format.data_bytes % wav_frame_bytes(&p->format);
    }
    fclose(file);
    return why;
}

static bool open_record(player *p, const char *name)
{
    uint8_t header[WAV_HEADER_BYTES];

    wav_header(header, &p->format);
    p->record = fopen(name, "wb");
    return p->record &&
           fwrite(header, 1, sizeof(header), p->record) == sizeof(header);
}

/* The alternate for the sound, and the packets for all of it. False: it has
 * been said why there are none. */
static bool settle(player *p, loop *l, args_options *options)
{
    HANDLE device = device_open(options->device);
    uint32_t frame_bytes = wav_frame_bytes(&p->format);
    const isoav_alternate *a;
    isoav_info info;
    char text[160];
    DWORD error;

    if (!device) {
        return false;
    }
    error = device_control(device, ISOAV_IOCTL_GET_INFO, NULL, 0, &info,
                           sizeof(info));
    CloseHandle(device);
    if (error) {
        fprintf(stderr, "isoav: the device cannot be asked: %s\n",
                device_error(error, text));
        return false;
    }
    a = choose_sound(&info, options->alternate, p->format.rate, frame_bytes);
    if (a) {
        l->packets = choose_sound_packets(a, p->format.rate, frame_bytes,
                                          p->format.data_bytes);
    }
    if (!l->packets) {
        fprintf(stderr, "isoav: %s; see isoav info\n",
                options->alternate ? "this alternate setting cannot take it"
                                   : "no alternate setting has room for it: it "
                                     "is too much sound for this bus");
        return false;
    }
    options->alternate = a->alternate;
    p->intervals = 8000 / a->period_uf;
    return true;
}

int app_play(const args_options *options)
{
    static player p;
    static loop l = { .fill = fill_sound, .take = take_sound, .context = &p };
    args_options settled = *options;
    const char *why;
    bool good;

    if (!options->file) {
        fprintf(stderr,
                "isoav: play needs a WAV file; see isoav play --help\n");
        return 2;
    }
    why = load(&p, options->file);
    if (why) {
        fprintf(stderr, "isoav: %s: %s\n", options->file, why);
        return 1;
    }
    if (!settle(&p, &l, &settled)) {
        return 1;
    }
    if (options->record && !open_record(&p, options->record)) {
        fprintf(stderr, "isoav: %s cannot be written\n", options->record);
        return 1;
    }
    good = loop_run(&l, &settled);
    if (p.record && (fclose(p.record) != 0 || p.is_full)) {
        snprintf(l.trouble, sizeof(l.trouble), "%s cannot be written",
                 options->record);
    }
    if (good && p.returned != p.format.data_bytes) {
        snprintf(l.trouble, sizeof(l.trouble),
                 "of %" PRIu32 " bytes of sound %" PRIu32 " came back",
                 p.format.data_bytes, p.returned);
    }
    loop_report(&l, &settled, "play");
    free(p.sound);
    return good && !l.trouble[0] ? 0 : 1;
}
