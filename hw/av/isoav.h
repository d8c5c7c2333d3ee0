/*
 * The QEMU side of usb-isoav.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_ISOAV_H
#define ISOLAB_AV_ISOAV_H

#include "hw/usb.h"
#include "migration/vmstate.h"

#include "hw/av/streams.h"

typedef struct {
    USBDevice dev;
    bool is_super; /* property speed=super */
    isoav_streams streams;
} ISOAVDevice;

extern const VMStateDescription isoav_vmstate;

#endif
