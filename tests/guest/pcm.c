/*
 * pcm: plays or records samples through a sound card of Linux, with the
 * kernel's own interface (<sound/asound.h>) and nothing in between: what a
 * file holds is what the driver gets, and the other way round.
 *
 *   pcm play|record DEVICE RATE BITS FRAMES <input >output
 *
 * DEVICE is /dev/snd/pcmC0D0p or the like; two channels, 16 or 24 (3-byte)
 * bits. An underrun or overrun is an error, not something to recover from. When
 * a recording began goes to standard error, in microseconds of the monotonic
 * clock, as V4L2 gives it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <sound/asound.h>

enum { CHANNELS = 2, PERIOD_FRAMES = 480, PERIODS = 8 };

static int fail(const char *what)
{
    fprintf(stderr, "pcm: %s: %s\n", what, strerror(errno));
    return 1;
}

static void set_mask(struct snd_pcm_hw_params *p, int parameter, unsigned bit)
{
    struct snd_mask *mask =
        &p->masks[parameter - SNDRV_PCM_HW_PARAM_FIRST_MASK];

    memset(mask, 0, sizeof(*mask));
    mask->bits[bit / 32] = 1u << bit % 32;
}

static void set_interval(struct snd_pcm_hw_params *p, int parameter,
                         unsigned value)
{
    struct snd_interval *interval =
        &p->intervals[parameter - SNDRV_PCM_HW_PARAM_FIRST_INTERVAL];

    interval->min = interval->max = value;
    interval->integer = 1;
}

/* All that the hardware can, but for what is set. */
static int set_hardware(int fd, unsigned rate, unsigned bits)
{
    struct snd_pcm_hw_params p;

    memset(&p, 0, sizeof(p));
    memset(p.masks, 0xff, sizeof(p.masks));
    for (size_t i = 0; i < sizeof(p.intervals) / sizeof(p.intervals[0]); i++) {
        p.intervals[i].max = ~0u;
    }
    p.rmask = ~0u;
    p.info = ~0u;
    set_mask(&p, SNDRV_PCM_HW_PARAM_ACCESS, SNDRV_PCM_ACCESS_RW_INTERLEAVED);
    set_mask(&p, SNDRV_PCM_HW_PARAM_FORMAT,
             bits == 16 ? SNDRV_PCM_FORMAT_S16_LE : SNDRV_PCM_FORMAT_S24_3LE);
    set_interval(&p, SNDRV_PCM_HW_PARAM_CHANNELS, CHANNELS);
    set_interval(&p, SNDRV_PCM_HW_PARAM_RATE, rate);
    set_interval(&p, SNDRV_PCM_HW_PARAM_PERIOD_SIZE, PERIOD_FRAMES);
    set_interval(&p, SNDRV_PCM_HW_PARAM_PERIODS, PERIODS);
    return ioctl(fd, SNDRV_PCM_IOCTL_HW_PARAMS, &p);
}

/* Playback starts once half of the buffer is full, and drains at the end. */
static int set_software(int fd, bool play)
{
    struct snd_pcm_sw_params p = {
        .avail_min = PERIOD_FRAMES,
        .start_threshold = play ? PERIOD_FRAMES * PERIODS / 2 : 1,
        .stop_threshold = PERIOD_FRAMES * PERIODS,
        .boundary = PERIOD_FRAMES * PERIODS,
    };

    return ioctl(fd, SNDRV_PCM_IOCTL_SW_PARAMS, &p);
}

static int say_beginning(int fd)
{
    struct snd_pcm_status status;

    memset(&status, 0, sizeof(status));
    if (ioctl(fd, SNDRV_PCM_IOCTL_STATUS, &status) < 0) {
        return fail("its status");
    }
    fprintf(stderr, "began %lld\n",
            status.trigger_tstamp.tv_sec * 1000000LL +
                status.trigger_tstamp.tv_nsec / 1000);
    return 0;
}

static int play(int fd, size_t frame_bytes, unsigned long frames)
{
    char buffer[PERIOD_FRAMES * 6];
    size_t got;

    while (frames > 0 &&
           (got = fread(buffer, frame_bytes,
                        frames < PERIOD_FRAMES ? frames : PERIOD_FRAMES,
                        stdin)) > 0) {
        struct snd_xferi part = { .buf = buffer, .frames = got };

        if (ioctl(fd, SNDRV_PCM_IOCTL_WRITEI_FRAMES, &part) < 0) {
            return fail("playing");
        }
        frames -= got;
    }
    return ioctl(fd, SNDRV_PCM_IOCTL_DRAIN) < 0 ? fail("draining") : 0;
}

static int record(int fd, size_t frame_bytes, unsigned long frames)
{
    char buffer[PERIOD_FRAMES * 6] = { 0 };
    bool said = false;

    while (frames > 0) {
        struct snd_xferi part = {
            .buf = buffer,
            .frames = frames < PERIOD_FRAMES ? frames : PERIOD_FRAMES,
        };

        if (ioctl(fd, SNDRV_PCM_IOCTL_READI_FRAMES, &part) < 0) {
            return fail("recording");
        }
        if (!said && say_beginning(fd)) {
            return 1;
        }
        said = true;
        if (fwrite(buffer, frame_bytes, part.result, stdout) !=
            (size_t)part.result) {
            return fail("standard output");
        }
        frames -= part.result;
    }
    return fflush(stdout) ? fail("standard output") : 0;
}

int main(int argc, char **argv)
{
    bool plays = argc == 6 && !strcmp(argv[1], "play");
    unsigned rate, bits;
    unsigned long frames;
    int clock = SNDRV_PCM_TSTAMP_TYPE_MONOTONIC, fd;

    if (argc != 6 || (!plays && strcmp(argv[1], "record"))) {
        fputs("usage: pcm play|record DEVICE RATE BITS FRAMES\n", stderr);
        return 2;
    }
    rate = strtoul(argv[3], NULL, 10);
    bits = strtoul(argv[4], NULL, 10);
    frames = strtoul(argv[5], NULL, 10);
    fd = open(argv[2], O_RDWR);
    if (fd < 0) {
        return fail(argv[2]);
    }
    if (set_hardware(fd, rate, bits) < 0) {
        return fail("the card does not do that");
    }
    if (set_software(fd, plays) < 0 ||
        ioctl(fd, SNDRV_PCM_IOCTL_TTSTAMP, &clock) < 0 ||
        ioctl(fd, SNDRV_PCM_IOCTL_PREPARE) < 0) {
        return fail("preparing");
    }
    return plays ? play(fd, CHANNELS * bits / 8, frames)
                 : record(fd, CHANNELS * bits / 8, frames);
}
