/*
 * A control request as the profiles get it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_SETUP_H
#define ISOLAB_AV_SETUP_H

#include <stdint.h>

/* The fields of a SETUP packet (USB 2.0 §9.3). */
typedef struct {
    uint8_t bmRequestType;
    uint8_t bRequest;
    uint16_t wValue;
    uint16_t wIndex;
    uint16_t wLength;
} isoav_setup;

/* The answer to a request that is refused; else it is the bytes to send. */
enum { ISOAV_CONTROL_STALL = -1 };

#endif
