/* SPDX-License-Identifier: MIT */
#include "ntname.h"

#include <inttypes.h>
#include <stdio.h>

/* Of several with one Win32 error, the first speaks for that error alone. */
static const struct {
    uint32_t status;
    uint32_t win32_error;
    const char *name;
    const char *meaning;
} names[] = {
    { 0xc0000010, 1, "STATUS_INVALID_DEVICE_REQUEST",
      "the driver does not know the request; are program and driver of one "
      "version?" },
    { 0xc0000002, 1, "STATUS_NOT_IMPLEMENTED",
      "this Windows does not have what the driver asks it for" },
    { 0xc000000e, 2, "STATUS_NO_SUCH_DEVICE", "the device has been removed" },
    { 0xc0000034, 2, "STATUS_OBJECT_NAME_NOT_FOUND",
      "the device has been removed" },
    { 0xc0000022, 5, "STATUS_ACCESS_DENIED",
      "access is denied; start this as administrator" },
    { 0xc0000056, 5, "STATUS_DELETE_PENDING",
      "the device is being removed; plug it in again" },
    { 0xc0000008, 6, "STATUS_INVALID_HANDLE",
      "the device was closed meanwhile" },
    { 0xc0000128, 6, "STATUS_FILE_CLOSED", "the device was closed meanwhile" },
    { 0xc00000a3, 21, "STATUS_DEVICE_NOT_READY",
      "the device is not ready (stopped or asleep); try again later" },
    { 0xc0000184, 22, "STATUS_INVALID_DEVICE_STATE",
      "nothing streams that this could be done to" },
    { 0xc000009c, 23, "STATUS_DEVICE_DATA_ERROR",
      "what the device answers makes no sense" },
    { 0xc0000001, 31, "STATUS_UNSUCCESSFUL",
      "the USB stack failed, and says no more" },
    { 0xc0000043, 32, "STATUS_SHARING_VIOLATION",
      "another program is streaming from it, or this one is" },
    { 0xc0000011, 38, "STATUS_END_OF_FILE", "the stream has ended" },
    { 0xc00000bb, 50, "STATUS_NOT_SUPPORTED",
      "the device or the USB stack cannot do that" },
    { 0xc000000d, 87, "STATUS_INVALID_PARAMETER",
      "the device refuses these values" },
    { 0xc00000b5, 121, "STATUS_IO_TIMEOUT", "the device does not answer" },
    { 0xc0000023, 122, "STATUS_BUFFER_TOO_SMALL",
      "the buffer is too small for the answer; are program and driver of one "
      "version?" },
    { 0xc0000148, 124, "STATUS_INVALID_LEVEL",
      "the driver called Windows at the wrong IRQL" },
    { 0x80000005, 234, "STATUS_BUFFER_OVERFLOW",
      "there is more than the buffer has room for" },
    { 0xc0000120, 995, "STATUS_CANCELLED", "the transfer was cancelled" },
    { 0xc0000185, 1117, "STATUS_IO_DEVICE_ERROR",
      "the USB stack reports an error of the device" },
    { 0xc000009d, 1167, "STATUS_DEVICE_NOT_CONNECTED",
      "the device is not connected" },
    { 0xc000009a, 1450, "STATUS_INSUFFICIENT_RESOURCES",
      "not enough bandwidth on the bus, or memory" },
    { 0xc00002b6, 1617, "STATUS_DEVICE_REMOVED",
      "the device has been removed" },
};

#define NAMES (sizeof(names) / sizeof(names[0]))

static size_t find_status(uint32_t status)
{
    size_t i;

    for (i = 0; i < NAMES && names[i].status != status; i++) {
    }
    return i;
}

static size_t find_error(uint32_t win32_error)
{
    size_t i;

    for (i = 0; i < NAMES && names[i].win32_error != win32_error; i++) {
    }
    return i;
}

const char *nt_status_name(uint32_t status)
{
    size_t i = find_status(status);

    return i < NAMES ? names[i].name : NULL;
}

const char *nt_status_text(char *text, size_t room, uint32_t status,
                           uint32_t win32_error)
{
    size_t i = find_status(status);

    if (i < NAMES) {
        snprintf(text, room, "%s (%s)", names[i].meaning, names[i].name);
        return text;
    }
    i = find_error(win32_error);
    if (status) {
        snprintf(text, room,
                 "%s%sNTSTATUS %08" PRIX32 ", Windows error %" PRIu32 "%s",
                 i < NAMES ? names[i].meaning : "", i < NAMES ? " (" : "",
                 status, win32_error, i < NAMES ? ")" : "");
    } else if (i < NAMES) {
        snprintf(text, room, "%s (Windows error %" PRIu32 ")", names[i].meaning,
                 win32_error);
    } else {
        snprintf(text, room,
                 "Windows error %" PRIu32 "; net helpmsg %" PRIu32 " says more",
                 win32_error, win32_error);
    }
    return text;
}
