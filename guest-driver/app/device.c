/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <setupapi.h>
#include <stdio.h>

#include "isoav_ioctl.h"
#include "ntname.h"

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
                device_error(device_failed(), text));
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
        error = device_failed();
    } else if (!GetOverlappedResult(device, &overlapped, done, TRUE)) {
        error = device_failed();
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

/*
 * What failed last: Windows keeps the NTSTATUS behind a Win32 error for the
 * thread, until the next call fails.
 */
static struct {
    DWORD error;
    uint32_t status;
} last;

DWORD device_failed(void)
{
    typedef uint32_t(WINAPI * get_status)(void);
    static get_status get_last_status;
    DWORD error = GetLastError();

    if (!get_last_status) {
        get_last_status = (get_status)(void (*)(void))GetProcAddress(
            GetModuleHandleA("ntdll.dll"), "RtlGetLastNtStatus");
    }
    last.error = error;
    last.status = get_last_status ? get_last_status() : 0;
    SetLastError(error);
    return error;
}

uint32_t device_last_status(DWORD error)
{
    return error == last.error ? last.status : 0;
}

const char *device_error(DWORD error, char text[160])
{
    return nt_status_text(text, 160, device_last_status(error), error);
}

bool device_trouble(char trouble[DEVICE_TROUBLE_BYTES], const char *what,
                    DWORD error)
{
    char text[160];

    if (!trouble[0]) {
        snprintf(trouble, DEVICE_TROUBLE_BYTES, "%s%s", what,
                 error ? device_error(error, text) : "");
    }
    return false;
}
