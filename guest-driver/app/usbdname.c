/* SPDX-License-Identifier: MIT */
#include "usbdname.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>

static const struct {
    uint32_t status;
    const char *name;
    const char *meaning;
} names[] = {
    { 0x00000000, "SUCCESS", "" },
    { 0x40000000, "PENDING", "not finished" },
    { 0xc0000001, "CRC", "the data arrived damaged" },
    { 0xc0000002, "BTSTUFF", "a bit stuffing error on the bus" },
    { 0xc0000003, "DATA_TOGGLE_MISMATCH",
      "a packet was repeated or lost on the bus" },
    { 0xc0000004, "STALL_PID", "the device refused (STALL)" },
    { 0xc0000005, "DEV_NOT_RESPONDING", "the device did not answer" },
    { 0xc0000006, "PID_CHECK_FAILURE", "a damaged packet identifier" },
    { 0xc0000007, "UNEXPECTED_PID", "a packet of another kind than expected" },
    { 0xc0000008, "DATA_OVERRUN", "the device sent more than asked for" },
    { 0xc0000009, "DATA_UNDERRUN", "the device sent less than asked for" },
    { 0xc000000c, "BUFFER_OVERRUN",
      "the controller could not store the data in time" },
    { 0xc000000d, "BUFFER_UNDERRUN",
      "the controller did not get the data in time" },
    { 0xc000000f, "NOT_ACCESSED", "not tried" },
    { 0xc0000010, "FIFO", "a FIFO error in the controller" },
    { 0xc0000011, "XACT_ERROR", "no answer, or a damaged one" },
    { 0xc0000012, "BABBLE_DETECTED",
      "the device sent more than the packet has room for" },
    { 0xc0000013, "DATA_BUFFER_ERROR", "memory was too slow" },
    { 0xc0000014, "NO_PING_RESPONSE",
      "a link that slept did not wake in time" },
    { 0xc0000030, "ENDPOINT_HALTED", "the endpoint is halted" },
    { 0x80000200, "INVALID_URB_FUNCTION",
      "the USB stack does not know the request" },
    { 0x80000300, "INVALID_PARAMETER", "the USB stack refuses the request" },
    { 0x80000400, "ERROR_BUSY", "the pipe is busy" },
    { 0x80000600, "INVALID_PIPE_HANDLE",
      "the pipe is one of an earlier selection" },
    { 0x80000700, "NO_BANDWIDTH", "the bus has no bandwidth left" },
    { 0x80000800, "INTERNAL_HC_ERROR", "an error in the controller" },
    { 0x80000900, "ERROR_SHORT_TRANSFER", "less came than asked for" },
    { 0xc0000a00, "BAD_START_FRAME", "the start frame is too far away" },
    { 0xc0000b00, "ISOCH_REQUEST_FAILED", "every packet failed" },
    { 0xc0000e00, "NOT_SUPPORTED", "not supported" },
    { 0xc0001000, "INSUFFICIENT_RESOURCES", "no memory" },
    { 0xc0002000, "SET_CONFIG_FAILED", "the configuration was refused" },
    { 0xc0006000, "TIMEOUT", "it took too long" },
    { 0xc0007000, "DEVICE_GONE", "the device has gone" },
    { 0xc0010000, "CANCELED", "cancelled" },
    { 0xc0020000, "ISO_NOT_ACCESSED_BY_HW",
      "the controller did not get to it" },
    { 0xc0030000, "ISO_TD_ERROR", "the controller missed its interval" },
    { 0xc0040000, "ISO_NA_LATE_USBPORT", "it was submitted too late" },
    { 0xc0050000, "ISO_NOT_ACCESSED_LATE", "it was submitted too late" },
    { 0xc0100000, "BAD_DESCRIPTOR", "a descriptor makes no sense" },
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

const char *usbd_status_meaning(uint32_t status)
{
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].status == status) {
            return names[i].meaning;
        }
    }
    return "a status without a name";
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
