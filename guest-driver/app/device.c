/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <setupapi.h>
#include <stdio.h>

#include "isoav_ioctl.h"

static const GUID interface_guid = ISOAV_INTERFACE_GUID_INIT;

/* Packed in programs of 32 bits, and not in those of 64: Windows checks it. */
_Static_assert(sizeof(SP_DEVICE_INTERFACE_DETAIL_DATA_A) ==
                   (sizeof(void *) == 8 ? 8 : 5),
               "this is not Windows' SP_DEVICE_INTERFACE_DETAIL_DATA_A");

bool device_find(uint32_t index, char path[DEVICE_PATH_BYTES])
{
    union {
        SP_DEVICE_INTERFACE_DETAIL_DATA_A detail;
        char
            room[sizeof(SP_DEVICE_INTERFACE_DETAIL_DATA_A) + DEVICE_PATH_BYTES];
    } buffer;
    SP_DEVICE_INTERFACE_DATA entry = { .cbSize = sizeof(entry) };
    HDEVINFO set;
    bool found;

    set = SetupDiGetClassDevsA(&interface_guid, NULL, NULL,
                               DIGCF_PRESENT | DIGCF_DEVICEINTERFACE);
    if (set == INVALID_HANDLE_VALUE) {
        return false;
    }
    buffer.detail.cbSize = sizeof(buffer.detail);
    found = SetupDiEnumDeviceInterfaces(set, NULL, &interface_guid, index,
                                        &entry) &&
            SetupDiGetDeviceInterfaceDetailA(set, &entry, &buffer.detail,
                                             sizeof(buffer), NULL, NULL);
    if (found) {
        snprintf(path, DEVICE_PATH_BYTES, "%s", buffer.detail.DevicePath);
    }
    SetupDiDestroyDeviceInfoList(set);
    return found;
}

HANDLE device_open(uint32_t index)
{
    char path[DEVICE_PATH_BYTES], text[160];
    HANDLE device;

    if (!device_find(index, path)) {
        if (index == 0) {
            fprintf(stderr, "isoav: no device: is it plugged in, and is its "
                            "driver (isoav.inf) installed?\n");
        } else {
            fprintf(stderr, "isoav: there is no device %u; see isoav list\n",
                    (unsigned)index);
        }
        return NULL;
    }
    device = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
                         FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                         OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (device == INVALID_HANDLE_VALUE) {
        fprintf(stderr, "isoav: %s does not open: %s\n", path,
                device_error(GetLastError(), text));
        return NULL;
    }
    return device;
}

DWORD device_query(HANDLE device, uint32_t code, const void *in,
                   uint32_t in_bytes, void *out, uint32_t out_bytes,
                   DWORD *done)
{
    OVERLAPPED overlapped = { .hEvent = CreateEventA(NULL, TRUE, FALSE, NULL) };
    DWORD error = 0;

    *done = 0;
    if (!overlapped.hEvent) {
        return GetLastError();
    }
    if (!DeviceIoControl(device, code, (void *)in, in_bytes, out, out_bytes,
                         NULL, &overlapped) &&
        GetLastError() != ERROR_IO_PENDING) {
        error = GetLastError();
    } else if (!GetOverlappedResult(device, &overlapped, done, TRUE)) {
        error = GetLastError();
    }
    CloseHandle(overlapped.hEvent);
    return error;
}

DWORD device_control(HANDLE device, uint32_t code, const void *in,
                     uint32_t in_bytes, void *out, uint32_t out_bytes)
{
    DWORD done;
    DWORD error =
        device_query(device, code, in, in_bytes, out, out_bytes, &done);

    return !error && done != out_bytes ? ERROR_INVALID_DATA : error;
}

const char *device_error(DWORD error, char text[160])
{
    static const struct {
        DWORD error;
        const char *text;
    } known[] = {
        { ERROR_ACCESS_DENIED, "access is denied" },
        { ERROR_NOT_READY, "the device is not ready (stopped or asleep)" },
        { ERROR_SHARING_VIOLATION, "another program is streaming from it" },
        { ERROR_INVALID_PARAMETER, "the device refuses these values" },
        { ERROR_INVALID_FUNCTION, "the driver does not know the request; "
                                  "are program and driver of one version?" },
        { ERROR_NO_SYSTEM_RESOURCES,
          "not enough bandwidth on the bus, or memory" },
        { ERROR_DEVICE_REMOVED, "the device has been removed" },
        { ERROR_FILE_NOT_FOUND, "the device has been removed" },
        { ERROR_HANDLE_EOF, "the stream has ended" },
        { ERROR_SEM_TIMEOUT, "the device does not answer" },
        { ERROR_OPERATION_ABORTED, "the transfer was cancelled" },
    };
    size_t i;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].error == error) {
            snprintf(text, 160, "%s", known[i].text);
            return text;
        }
    }
    snprintf(text, 160, "Windows error %lu", error);
    return text;
}
