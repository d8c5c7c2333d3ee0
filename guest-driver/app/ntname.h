/*
 * Names for what the driver answers.
 *
 * A driver completes a request with an NTSTATUS; a program gets the Win32 error
 * that Windows makes of it, and several make the same one:
 * STATUS_NO_SUCH_DEVICE and a missing file are both ERROR_FILE_NOT_FOUND. So
 * the NTSTATUS is what a message names, wherever it is known.
 *
 * Pure: no Windows types, no I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_NTNAME_H
#define ISOAV_APP_NTNAME_H

#include <stddef.h>
#include <stdint.h>

/* "STATUS_CANCELLED" for C0000120h; NULL for an unknown one. */
const char *nt_status_name(uint32_t status);

/*
 * What went wrong, in a sentence, and its name: of the NTSTATUS or, where that
 * is 0 or unknown, of the Win32 error. Cut at `room` bytes; returns text.
 */
const char *nt_status_text(char *text, size_t room, uint32_t status,
                           uint32_t win32_error);

#endif
