/*
 * The headset's part of the descriptors (uac-descriptors.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_DESCRIPTORS_H
#define ISOLAB_AV_UAC_DESCRIPTORS_H

#include "hw/av/av.h"
#include "hw/av/uac.h"

/* AudioControl, and each stream with its three alternates. */
enum { ISOAV_UAC_IFACES = 3, ISOAV_UAC_ALTERNATES = 7 };

extern const USBDescIface isoav_uac_ifaces_full[ISOAV_UAC_ALTERNATES];
extern const USBDescIface isoav_uac_ifaces_high[ISOAV_UAC_ALTERNATES];
extern const USBDescIface isoav_uac_ifaces_super[ISOAV_UAC_ALTERNATES];

/* bFunctionProtocol: of class 1 none, of class 2 its version (UAC 2.0 A.2) */
#define ISOAV_UAC_GROUP(speed, protocol)                                    \
    {                                                                       \
        .bFirstInterface = ISOAV_AV_IFACE_AUDIO_CONTROL,                    \
        .bInterfaceCount = ISOAV_UAC_IFACES, .bFunctionClass = 1,           \
        .bFunctionProtocol = (protocol), .iFunction = ISOAV_AV_STR_HEADSET, \
        .nif = ISOAV_UAC_ALTERNATES, .ifs = isoav_uac_ifaces_##speed,       \
    }
#define ISOAV_UAC_GROUP_1(speed) ISOAV_UAC_GROUP(speed, 0)
#define ISOAV_UAC_GROUP_2(speed) ISOAV_UAC_GROUP(speed, 0x20)

#endif
