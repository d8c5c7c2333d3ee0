/*
 * Interfaces and endpoints of profile "av".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_AV_IDS_H
#define ISOLAB_AV_AV_IDS_H

/* Interfaces and endpoint addresses (USB 2.0 §9.6.5, §9.6.6). */
enum {
    ISOAV_AV_IFACE_VIDEO_CONTROL = 0,
    ISOAV_AV_IFACE_VIDEO = 1,
    ISOAV_AV_IFACE_AUDIO_CONTROL = 2,
    ISOAV_AV_IFACE_PLAYBACK = 3,
    ISOAV_AV_IFACE_CAPTURE = 4,

    ISOAV_AV_EP_VIDEO_STATUS = 0x81,
    ISOAV_AV_EP_VIDEO = 0x82,
    ISOAV_AV_EP_PLAYBACK = 0x03,
    ISOAV_AV_EP_FEEDBACK = 0x83,
    ISOAV_AV_EP_CAPTURE = 0x84,
    ISOAV_AV_EP_AUDIO_STATUS = 0x85,
};

#endif
