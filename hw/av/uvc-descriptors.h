/*
 * The class-specific descriptors of a UVC camera as packed structs (UVC 1.1
 * §3.7, §3.9, the payload documents for YUY2 and MJPEG). Fields of several
 * bytes are arrays of them, little endian, so that the structs are what is on
 * the wire, on every host.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_DESCRIPTORS_H
#define ISOLAB_AV_UVC_DESCRIPTORS_H

#include "hw/av/av.h"
#include "hw/av/uvc-formats.h"

#define ISOAV_UVC_CLOCK_HZ 48000000 /* 6000 ticks a microframe */
#define ISOAV_UVC_STATUS_BYTES 16

/* Entities of the VideoControl interface. */
enum {
    ISOAV_UVC_CAMERA = 1,
    ISOAV_UVC_PROCESSING = 2,
    ISOAV_UVC_OUTPUT = 3,
};

/* Interfaces with all of their alternates, for the configurations. */
enum {
    ISOAV_UVC_IFACES_FULL = 1 + 1 + 4,
    ISOAV_UVC_IFACES_HIGH = 1 + 1 + 7,
    ISOAV_UVC_IFACES_SUPER = 1 + 1 + 6,
};
extern const USBDescIface isoav_uvc_ifaces_full[ISOAV_UVC_IFACES_FULL];
extern const USBDescIface isoav_uvc_ifaces_high[ISOAV_UVC_IFACES_HIGH];
extern const USBDescIface isoav_uvc_ifaces_super[ISOAV_UVC_IFACES_SUPER];

/* An interface association of them (UVC 1.1 §3.6). */
#define ISOAV_UVC_GROUP(speed)                                                 \
    {                                                                          \
        .bFirstInterface = ISOAV_AV_IFACE_VIDEO_CONTROL, .bInterfaceCount = 2, \
        .bFunctionClass = 0x0e,                                                \
        .bFunctionSubClass = 0x03, /* interface collection */                  \
            .iFunction = ISOAV_AV_STR_CAMERA,                                  \
        .nif = ARRAY_SIZE(isoav_uvc_ifaces_##speed),                           \
        .ifs = isoav_uvc_ifaces_##speed,                                       \
    }

#endif
