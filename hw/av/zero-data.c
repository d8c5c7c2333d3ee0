/*
 * The data of profile "zero": patterns of packets, and a buffer for control
 * transfers. Both are those that Linux's usbtest module writes and checks.
 *
 * A pattern begins anew with each packet, so that host and device agree about
 * it however a transfer is cut into packets and whatever went before.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/zero.h"

#include <glib.h>
#include <string.h>

static const uint8_t *mod63(void)
{
    static uint8_t bytes[ISOAV_ZERO_PACKET_MAX];
    static gsize ready;

    if (g_once_init_enter(&ready)) {
        for (size_t i = 0; i < sizeof(bytes); i++) {
            bytes[i] = (uint8_t)(i % 63);
        }
        g_once_init_leave(&ready, 1);
    }
    return bytes;
}

const uint8_t *isoav_zero_packet(isoav_zero_pattern pattern)
{
    static const uint8_t zeros[ISOAV_ZERO_PACKET_MAX];

    return pattern == ISOAV_ZERO_PATTERN_MOD63 ? mod63() : zeros;
}

bool isoav_zero_packet_ok(isoav_zero_pattern pattern, const uint8_t *bytes,
                          size_t count)
{
    return pattern == ISOAV_ZERO_PATTERN_ANY ||
           memcmp(bytes, isoav_zero_packet(pattern), count) == 0;
}

enum { VENDOR_DEVICE_OUT = 0x40, VENDOR_DEVICE_IN = 0xc0 };

int isoav_zero_request(uint8_t *buffer, const isoav_setup *setup, uint8_t *data)
{
    uint16_t bytes = setup->wLength;

    if (setup->wValue != 0 || setup->wIndex != 0 || bytes > ISOAV_ZERO_BUFFER) {
        return ISOAV_CONTROL_STALL;
    }
    if (setup->bmRequestType == VENDOR_DEVICE_OUT &&
        setup->bRequest == ISOAV_ZERO_REQ_WRITE) {
        memcpy(buffer, data, bytes);
        return 0;
    }
    if (setup->bmRequestType == VENDOR_DEVICE_IN &&
        setup->bRequest == ISOAV_ZERO_REQ_READ) {
        memcpy(data, buffer, bytes);
        return bytes;
    }
    return ISOAV_CONTROL_STALL;
}
