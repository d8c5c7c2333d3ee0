/*
 * isoav log: what became of the last packets, as the driver wrote it down.
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "packetlog.h"

#define ANSWER_BYTES (64u << 10)

static bool fail(const char *what, DWORD error)
{
    char text[160];

    fprintf(stderr, "isoav: %s: %s\n", what, device_error(error, text));
    return false;
}

/* The entries of one answer. False: it makes no sense. */
static bool print_part(const args_options *options, const uint8_t *answer,
                       DWORD bytes)
{
    isoav_log_entry entry;
    isoav_log_part part;
    uint32_t i;

    memcpy(&part, answer, sizeof(part));
    if (part.entries > (bytes - sizeof(part)) / sizeof(entry)) {
        fprintf(stderr, "isoav: the driver's log makes no sense\n");
        return false;
    }
    for (i = 0; i < part.entries; i++) {
        memcpy(&entry, answer + sizeof(part) + i * sizeof(entry),
               sizeof(entry));
        if (options->errors && packetlog_is_good(&entry)) {
            continue;
        }
        if (options->json) {
            packetlog_json(stdout, &entry);
        } else {
            packetlog_text(stdout, &entry);
        }
    }
    return true;
}

/* Up to what was there when it began: a running stream adds all the time. */
static bool print_log(const args_options *options, HANDLE device,
                      uint8_t *answer)
{
    isoav_log_from from = { 0 };
    isoav_log_part part;
    uint64_t end = UINT64_MAX;
    DWORD error, bytes;

    if (!options->json) {
        packetlog_heading(stdout);
    }
    do {
        error = device_query(device, ISOAV_IOCTL_LOG_READ, &from, sizeof(from),
                             answer, ANSWER_BYTES, &bytes);
        if (!error && bytes < sizeof(part)) {
            error = ERROR_INVALID_DATA;
        }
        if (error) {
            return fail("the log cannot be read", error);
        }
        memcpy(&part, answer, sizeof(part));
        if (end == UINT64_MAX) {
            end = part.end;
        }
        if (!print_part(options, answer, bytes)) {
            return false;
        }
        from.sequence = part.next;
    } while (part.entries != 0 && part.next < end);
    return true;
}

static bool resize_log(HANDLE device, uint32_t entries)
{
    isoav_log_size size = { .entries = entries };
    DWORD error = device_control(device, ISOAV_IOCTL_LOG_RESIZE, &size,
                                 sizeof(size), NULL, 0);

    return error ? fail("the log cannot be made", error) : true;
}

int app_log(const args_options *options)
{
    HANDLE device = device_open(options->device);
    uint8_t *answer = malloc(ANSWER_BYTES);
    bool good = device && answer;

    if (device && !answer) {
        fprintf(stderr, "isoav: no memory\n");
    } else if (good && options->size) {
        good = resize_log(device, options->size);
    } else if (good) {
        good = print_log(options, device, answer);
    }
    free(answer);
    if (device) {
        CloseHandle(device);
    }
    return good ? 0 : 1;
}
