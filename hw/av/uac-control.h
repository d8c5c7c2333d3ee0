/*
 * Requests to the headset: clocks, volume and mute, in both classes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_CONTROL_H
#define ISOLAB_AV_UAC_CONTROL_H

#include "hw/av/setup.h"
#include "hw/av/uac.h"

/* What requests read and set, by stream; isoav_uac_settings_reset sets it. */
typedef struct {
    uint32_t rate[ISOAV_UAC_STREAMS]; /* Hz, one of ISOAV_UAC_RATE_LIST */
    int16_t volume[ISOAV_UAC_STREAMS][ISOAV_UAC_CHANNELS];
    bool mute[ISOAV_UAC_STREAMS];
} isoav_uac_settings;

void isoav_uac_settings_reset(isoav_uac_settings *u);

/* Can they be? For migrated state. */
bool isoav_uac_settings_are_sane(const isoav_uac_settings *u);

/*
 * A request of USB Audio Class 2 (§5.2) or 1 (§5.2.1) to an interface or an
 * endpoint of the headset. data is as for isoav_profile.handle_control; the
 * bytes to send, or ISOAV_CONTROL_STALL, and then nothing has changed.
 */
int isoav_uac_request(isoav_uac_settings *u, unsigned class,
                      const isoav_setup *setup, uint8_t *data);

#endif
