/*
 * The USB descriptors of usb-isohub.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_HUB_DESCRIPTORS_H
#define ISOLAB_HUB_DESCRIPTORS_H

#include "hw/usb.h"

#define ISOHUB_VENDOR_ID 0x46f4
#define ISOHUB_PRODUCT_ID 0x1511
#define ISOHUB_CONFIGURATION 1
#define ISOHUB_STATUS_ENDPOINT 1 /* 81h */

/* USB 2.0 §11.23.2.1: what a hub descriptor can be as long as, and its type. */
#define ISOHUB_DESCRIPTOR_TYPE 0x29
#define ISOHUB_DESCRIPTOR_BYTES_MAX 11

/* Bytes of a status change report: a bit for each port and one for the hub. */
static inline unsigned isohub_report_bytes(unsigned ports)
{
    return ports / 8 + 1;
}

/* The descriptors of a hub with so many ports, and a TT for each or for all. */
const USBDesc *isohub_descriptors(unsigned ports, bool mtt);

/* USB 2.0 §11.23.2.1: the hub descriptor; its length. */
unsigned isohub_descriptor(unsigned ports, uint8_t *out);

#endif
