/*
 * Where QEMU's interface for sound cards changed between 7.2 and 10.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_COMPAT_AUDIO_H
#define ISOLAB_COMPAT_AUDIO_H

#include "qemu/osdep.h"

#include "audio/audio.h"
#include "qapi/error.h"

/* Makes `card` one of the audiodev with this ID; false: there is none. */
static inline bool isolab_audio_open(const char *name, const char *audiodev,
                                     QEMUSoundCard *card, Error **errp)
{
#if QEMU_VERSION_MAJOR > 8 || \
    (QEMU_VERSION_MAJOR == 8 && QEMU_VERSION_MINOR > 1)
    card->state = audio_state_by_name(audiodev, errp);
    return card->state && AUD_register_card(name, card, errp);
#else
    card->state = audio_state_by_name(audiodev);
    if (!card->state) {
        error_setg(errp, "there is no -audiodev with the ID '%s'", audiodev);
        return false;
    }
    AUD_register_card(name, card);
    return true;
#endif
}

#endif
