/*
 * The USB descriptors of usb-isoav.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_DESCRIPTORS_H
#define ISOLAB_AV_DESCRIPTORS_H

#include "hw/usb.h"

/* descriptors.c */
extern const USBDesc isoav_descriptors_vendor_full;
extern const USBDesc isoav_descriptors_vendor;       /* high and full speed */
extern const USBDesc isoav_descriptors_vendor_super; /* all three */

/* zero-descriptors.c */
extern const USBDesc isoav_descriptors_zero_full;
extern const USBDesc isoav_descriptors_zero_high;
extern const USBDesc isoav_descriptors_zero_super;

#endif
