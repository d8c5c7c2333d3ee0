/*
 * The driver, seen from a program: finding its devices, opening one, its
 * requests.
 *
 * The file is opened for overlapped I/O, so that a read which never ends can
 * be given up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_DEVICE_H
#define ISOAV_APP_DEVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#define DEVICE_PATH_BYTES 512

/* The path of the index-th device; false: there is none. */
bool device_find(uint32_t index, char path[DEVICE_PATH_BYTES]);

/* Opens it; NULL: an error has been printed. */
HANDLE device_open(uint32_t index);

/*
 * One request of isoav_ioctl.h. Returns 0 or a Win32 error; *out is written
 * completely or not at all.
 */
DWORD device_control(HANDLE device, uint32_t code, const void *in,
                     uint32_t in_bytes, void *out, uint32_t out_bytes);

/* The same for an answer of any size up to out_bytes; *done is what came. */
DWORD device_query(HANDLE device, uint32_t code, const void *in,
                   uint32_t in_bytes, void *out, uint32_t out_bytes,
                   DWORD *done);

/*
 * GetLastError, right after a call that failed: the NTSTATUS behind it is kept
 * for the two below.
 */
DWORD device_failed(void);

/* The NTSTATUS behind the last failure if it had this error, else 0. */
uint32_t device_last_status(DWORD error);

/* What a Win32 error means here, and the name of the NTSTATUS behind it. */
const char *device_error(DWORD error, char text[160]);

/*
 * Writes down why something ends early: `what`, and the error's meaning if it
 * is not 0. The first reason is kept. Returns false.
 */
#define DEVICE_TROUBLE_BYTES 200
bool device_trouble(char trouble[DEVICE_TROUBLE_BYTES], const char *what,
                    DWORD error);

#endif
