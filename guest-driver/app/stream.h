/*
 * A stream: one open file, one endpoint.
 *
 * Every function returns 0 or a Win32 error (device_error). A transfer that
 * has not ended after STREAM_SILENCE_MS is cancelled and ends with
 * ERROR_SEM_TIMEOUT.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_STREAM_H
#define ISOAV_APP_STREAM_H

#include <windows.h>

#include "isoav_ioctl.h"

#define STREAM_SILENCE_MS 5000
#define STREAM_READ_BYTES (256u << 10)

typedef struct {
    HANDLE device;
    HANDLE event;
    isoav_started started;
} stream;

/* Opens the index-th device for it; nothing is started yet. */
DWORD stream_open(stream *s, uint32_t index);
/* Stops, too. */
void stream_close(stream *s);

DWORD stream_start(stream *s, const isoav_start *start);
DWORD stream_stop(stream *s);
DWORD stream_stats(stream *s, isoav_stats *stats);

/* Some records; STREAM_READ_BYTES at data are enough for any. */
DWORD stream_read(stream *s, void *data, DWORD room, DWORD *bytes);

/* All of the records at data, however many bytes they have together. */
DWORD stream_write(stream *s, const void *data, DWORD bytes);

/* Waits until `packets` packets of an OUT stream have been sent. */
DWORD stream_drain(stream *s, uint64_t packets);

#endif
