/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <stdbool.h>
#include <string.h>

#include "device.h"

DWORD stream_open(stream *s, uint32_t index)
{
    char path[DEVICE_PATH_BYTES];

    memset(s, 0, sizeof(*s));
    if (!device_find(index, path)) {
        return ERROR_FILE_NOT_FOUND;
    }
    s->event = CreateEventA(NULL, TRUE, FALSE, NULL);
    s->device = CreateFileA(path, GENERIC_READ | GENERIC_WRITE,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                            OPEN_EXISTING, FILE_FLAG_OVERLAPPED, NULL);
    if (s->device == INVALID_HANDLE_VALUE) {
        s->device = NULL;
        return device_failed();
    }
    return s->event ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

void stream_close(stream *s)
{
    if (s->device) {
        CloseHandle(s->device);
    }
    if (s->event) {
        CloseHandle(s->event);
    }
    memset(s, 0, sizeof(*s));
}

DWORD stream_start(stream *s, const isoav_start *start)
{
    return device_control(s->device, ISOAV_IOCTL_STREAM_START, start,
                          sizeof(*start), &s->started, sizeof(s->started));
}

DWORD stream_stop(stream *s)
{
    return device_control(s->device, ISOAV_IOCTL_STREAM_STOP, NULL, 0, NULL, 0);
}

DWORD stream_stats(stream *s, isoav_stats *stats)
{
    return device_control(s->device, ISOAV_IOCTL_STREAM_STATS, NULL, 0, stats,
                          sizeof(*stats));
}

/* The end of a transfer that has been begun. */
static DWORD finish(stream *s, OVERLAPPED *overlapped, BOOL is_done,
                    DWORD *bytes)
{
    DWORD error = is_done ? 0 : device_failed();
    bool is_late = false;

    if (error && error != ERROR_IO_PENDING) {
        return error;
    }
    if (WaitForSingleObject(s->event, STREAM_SILENCE_MS) == WAIT_TIMEOUT) {
        CancelIo(s->device);
        is_late = true;
    }
    if (!GetOverlappedResult(s->device, overlapped, bytes, TRUE)) {
        return is_late ? ERROR_SEM_TIMEOUT : device_failed();
    }
    return 0;
}

DWORD stream_read(stream *s, void *data, DWORD room, DWORD *bytes)
{
    OVERLAPPED overlapped = { .hEvent = s->event };

    *bytes = 0;
    ResetEvent(s->event);
    return finish(s, &overlapped,
                  ReadFile(s->device, data, room, NULL, &overlapped), bytes);
}

/* How many of the bytes are whole records that one write takes. */
static DWORD take_records(const stream *s, const uint8_t *data, DWORD bytes)
{
    isoav_record record;
    DWORD at = 0;

    while (at < bytes) {
        memcpy(&record, data + at, sizeof(record));
        if (record.record_bytes == 0 || record.record_bytes > bytes - at) {
            return bytes; /* the driver will say what it thinks of that */
        }
        if (record.record_bytes > s->started.write_bytes - at) {
            break;
        }
        at += record.record_bytes;
    }
    return at;
}

DWORD stream_write(stream *s, const void *data, DWORD bytes)
{
    const uint8_t *from = data;
    DWORD error = 0, part, done;

    while (bytes && !error) {
        OVERLAPPED overlapped = { .hEvent = s->event };

        part = take_records(s, from, bytes);
        if (!part) {
            return ERROR_INVALID_PARAMETER;
        }
        done = 0;
        ResetEvent(s->event);
        error =
            finish(s, &overlapped,
                   WriteFile(s->device, from, part, NULL, &overlapped), &done);
        if (!error && done != part) {
            error = ERROR_WRITE_FAULT;
        }
        from += part;
        bytes -= part;
    }
    return error;
}

DWORD stream_drain(stream *s, uint64_t packets)
{
    ULONGLONG begin = GetTickCount64();
    uint64_t before = 0;
    isoav_stats stats;
    DWORD error;

    for (;;) {
        error = stream_stats(s, &stats);
        if (error || stats.packets >= packets) {
            return error;
        }
        if (stats.state != ISOAV_STATE_RUNNING &&
            stats.state != ISOAV_STATE_HELD) {
            return ERROR_HANDLE_EOF;
        }
        if (stats.packets != before) {
            before = stats.packets;
            begin = GetTickCount64();
        }
        if (GetTickCount64() - begin > STREAM_SILENCE_MS) {
            return ERROR_SEM_TIMEOUT;
        }
        Sleep(1);
    }
}
