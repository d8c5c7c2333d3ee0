/* SPDX-License-Identifier: MIT */
#include "usbdname.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const struct {
    uint32_t status;
    const char *name;
} names[] = {
    { 0x00000000, "SUCCESS" },
    { 0x40000000, "PENDING" },
    { 0xc0000001, "CRC" },
    { 0xc0000002, "BTSTUFF" },
    { 0xc0000003, "DATA_TOGGLE_MISMATCH" },
    { 0xc0000004, "STALL_PID" },
    { 0xc0000005, "DEV_NOT_RESPONDING" },
    { 0xc0000006, "PID_CHECK_FAILURE" },
    { 0xc0000007, "UNEXPECTED_PID" },
    { 0xc0000008, "DATA_OVERRUN" },
    { 0xc0000009, "DATA_UNDERRUN" },
    { 0xc000000c, "BUFFER_OVERRUN" },
    { 0xc000000d, "BUFFER_UNDERRUN" },
    { 0xc000000f, "NOT_ACCESSED" },
    { 0xc0000010, "FIFO" },
    { 0xc0000011, "XACT_ERROR" },
    { 0xc0000012, "BABBLE_DETECTED" },
    { 0xc0000013, "DATA_BUFFER_ERROR" },
    { 0xc0000014, "NO_PING_RESPONSE" },
    { 0xc0000030, "ENDPOINT_HALTED" },
    { 0x80000200, "INVALID_URB_FUNCTION" },
    { 0x80000300, "INVALID_PARAMETER" },
    { 0x80000400, "ERROR_BUSY" },
    { 0x80000600, "INVALID_PIPE_HANDLE" },
    { 0x80000700, "NO_BANDWIDTH" },
    { 0x80000800, "INTERNAL_HC_ERROR" },
    { 0x80000900, "ERROR_SHORT_TRANSFER" },
    { 0xc0000a00, "BAD_START_FRAME" },
    { 0xc0000b00, "ISOCH_REQUEST_FAILED" },
    { 0xc0000e00, "NOT_SUPPORTED" },
    { 0xc0001000, "INSUFFICIENT_RESOURCES" },
    { 0xc0002000, "SET_CONFIG_FAILED" },
    { 0xc0006000, "TIMEOUT" },
    { 0xc0007000, "DEVICE_GONE" },
    { 0xc0010000, "CANCELED" },
    { 0xc0020000, "ISO_NOT_ACCESSED_BY_HW" },
    { 0xc0030000, "ISO_TD_ERROR" },
    { 0xc0040000, "ISO_NA_LATE_USBPORT" },
    { 0xc0050000, "ISO_NOT_ACCESSED_LATE" },
    { 0xc0100000, "BAD_DESCRIPTOR" },
};

const char *usbd_status_name(uint32_t status)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].status == status) {
            return names[i].name;
        }
    }
    return NULL;
}

void usbd_status_text(char text[32], uint32_t status)
{
    const char *name = usbd_status_name(status);

    if (name) {
        snprintf(text, 32, "%s", name);
    } else {
        snprintf(text, 32, "%08" PRIX32, status);
    }
}
