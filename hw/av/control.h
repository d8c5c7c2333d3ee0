/*
 * The vendor requests of usb-isoav.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_CONTROL_H
#define ISOLAB_AV_CONTROL_H

#include <stdint.h>

#include "hw/av/setup.h"
#include "hw/av/streams.h"

enum {
    ISOAV_REQUEST_IN = 0xc1,  /* vendor, interface, device to host */
    ISOAV_REQUEST_OUT = 0x41, /* the same, host to device */
};

/*
 * Performs a vendor request. data holds the bytes of an OUT request, or
 * receives those of an IN request (at least 64 bytes of room). Returns the
 * bytes to send, 0 for a completed OUT request, or ISOAV_CONTROL_STALL.
 */
int isoav_control_request(isoav_streams *s, const isoav_setup *setup,
                          uint64_t now_uf, uint8_t *data);

#endif
