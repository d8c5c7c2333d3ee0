/*
 * A sound card whose clock is off: where the environment has ISOLAB_CARD_PPM
 * (and ISOLAB_CARD_FRAMES, for the size of its buffer),
 * `-audiodev none` is a card that takes so many parts per million more samples
 * of QEMU's virtual clock than it should, or fewer. QEMU's own cards are never
 * off, and no test of a feedback endpoint is worth anything with them.
 *
 *  1. It takes what it is due and throws it away; it records nothing. What was
 *     not there in time it does not take later: it has played silence.
 *  2. QEMU looks for a driver by its name and takes the one that was registered
 *     last, which is this one: QEMU has registered its own by then.
 *  3. What puppet.c says of the dynamic loader goes here as well: no function
 *     of QEMU has its address taken.
 *  4. A driver's description has a field more in a QEMU that was built with
 *     D-Bus. The headers are of one without, the binary tells by a symbol.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "audio/audio.h"
#include "qemu/module.h"
#include "qemu/timer.h"

#define AUDIO_CAP "isolab-card"
#include "audio/audio_int.h"

#pragma weak register_module_init

/* Of util/dbus.c, which only such a QEMU has. */
extern char qemu_dbus_get_queued_owners[];
#pragma weak qemu_dbus_get_queued_owners

#define MILLION 1000000

typedef struct {
    HWVoiceOut hw;
    int64_t began_ns;
    uint64_t frames; /* taken since then, silence included */
    uint64_t due;    /* of them by now */
} VoiceOut;

static int64_t ppm;
static int buffer_frames = 1024;

static int64_t now_ns(void)
{
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL);
}

static int card_init_out(HWVoiceOut *hw, struct audsettings *as, void *opaque)
{
    audio_pcm_init_info(&hw->info, as);
    hw->samples = buffer_frames;
    return 0;
}

static void card_fini_out(HWVoiceOut *hw)
{
}

static void card_enable_out(HWVoiceOut *hw, bool enable)
{
    VoiceOut *voice = (VoiceOut *)hw;

    voice->began_ns = now_ns();
    voice->frames = voice->due = 0;
}

static size_t card_write(HWVoiceOut *hw, void *buf, size_t size)
{
    VoiceOut *voice = (VoiceOut *)hw;
    uint64_t frames =
        MIN(voice->due - voice->frames, size / hw->info.bytes_per_frame);

    voice->frames += frames;
    return frames * hw->info.bytes_per_frame;
}

static size_t card_get_free(HWVoiceOut *hw)
{
    return audio_generic_buffer_get_free(hw);
}

/* Rule 1: what it was due before and did not get is silence. */
static void card_run_out(HWVoiceOut *hw)
{
    VoiceOut *voice = (VoiceOut *)hw;
    uint64_t due = muldiv64(now_ns() - voice->began_ns, hw->info.freq,
                            NANOSECONDS_PER_SECOND);

    voice->frames = voice->due;
    voice->due = due + (int64_t)due * ppm / MILLION;
    audio_generic_run_buffer_out(hw);
}

static int card_init_in(HWVoiceIn *hw, struct audsettings *as, void *opaque)
{
    audio_pcm_init_info(&hw->info, as);
    hw->samples = buffer_frames;
    return 0;
}

static void card_fini_in(HWVoiceIn *hw)
{
}

static size_t card_read(HWVoiceIn *hw, void *buf, size_t size)
{
    return 0;
}

static void card_run_in(HWVoiceIn *hw)
{
}

static void card_enable_in(HWVoiceIn *hw, bool enable)
{
}

#if QEMU_VERSION_MAJOR > 8 || \
    (QEMU_VERSION_MAJOR == 8 && QEMU_VERSION_MINOR > 1)
static void *card_init(Audiodev *dev, Error **errp)
#else
static void *card_init(Audiodev *dev)
#endif
{
    return &ppm;
}

static void card_fini(void *opaque)
{
}

static void card_register(void)
{
    static struct audio_pcm_ops ops = {
        .init_out = card_init_out,
        .fini_out = card_fini_out,
        .write = card_write,
        .buffer_get_free = card_get_free,
        .run_buffer_out = card_run_out,
        .enable_out = card_enable_out,
        .init_in = card_init_in,
        .fini_in = card_fini_in,
        .read = card_read,
        .run_buffer_in = card_run_in,
        .enable_in = card_enable_in,
    };
    static struct {
        struct audio_driver driver;
        void *room;
    } card = {
        .driver = { .name = "none",
                    .descr = "a card whose clock is off",
                    .init = card_init,
                    .fini = card_fini,
                    .pcm_ops = &ops,
                    .max_voices_out = 1,
                    .max_voices_in = 1,
                    .voice_size_out = sizeof(VoiceOut),
                    .voice_size_in = sizeof(HWVoiceIn) },
    };
    char *tail = (char *)&card.driver.pcm_ops;
    size_t field = sizeof(card.room);

    /* rule 4 */
    if (qemu_dbus_get_queued_owners) {
        memmove(tail + field, tail,
                sizeof(card.driver) - offsetof(struct audio_driver, pcm_ops));
        memset(tail, 0, field);
    }
    audio_driver_register(&card.driver);
}

/* Rule 2: migration's turn is after that of QOM, where QEMU's register. */
static void __attribute__((constructor)) card_announce(void)
{
    const char *text = getenv("ISOLAB_CARD_PPM");

    if (text && register_module_init) {
        ppm = strtol(text, NULL, 10);
        text = getenv("ISOLAB_CARD_FRAMES");
        buffer_frames = text ? strtol(text, NULL, 10) : buffer_frames;
        register_module_init(card_register, MODULE_INIT_MIGRATION);
    }
}
