/*
 * isoav stats: the device's own counters, and what the packet log has by
 * endpoint and status.
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "isoav_ioctl.h"
#include "usbdname.h"
#include "isolab/isoav.h"

#define ANSWER_BYTES (64u << 10)
#define ROWS 64

typedef struct {
    uint8_t endpoint;
    uint32_t status;
    uint64_t packets, bytes;
} row;

typedef struct {
    row rows[ROWS];
    uint32_t count;
    uint64_t others; /* packets for which there was no row */
} table;

static void add(table *t, const isoav_log_entry *entry)
{
    uint32_t i;

    for (i = 0; i < t->count && (t->rows[i].endpoint != entry->endpoint ||
                                 t->rows[i].status != entry->packet_status);
         i++) {
    }
    if (i == ROWS) {
        t->others++;
        return;
    }
    if (i == t->count) {
        t->rows[t->count++] =
            (row){ entry->endpoint, entry->packet_status, 0, 0 };
    }
    t->rows[i].packets++;
    t->rows[i].bytes += entry->length;
}

static DWORD read_log(HANDLE device, uint8_t *answer, table *t)
{
    isoav_log_from from = { 0 };
    isoav_log_entry entry;
    isoav_log_part part;
    DWORD error, bytes;
    uint64_t end = 0;
    uint32_t i;

    do {
        error = device_query(device, ISOAV_IOCTL_LOG_READ, &from, sizeof(from),
                             answer, ANSWER_BYTES, &bytes);
        if (error) {
            return error;
        }
        memcpy(&part, answer, sizeof(part));
        if (bytes < sizeof(part) ||
            part.entries > (bytes - sizeof(part)) / sizeof(entry)) {
            return ERROR_INVALID_DATA;
        }
        end = end ? end : part.end;
        for (i = 0; i < part.entries; i++) {
            memcpy(&entry, answer + sizeof(part) + i * sizeof(entry),
                   sizeof(entry));
            add(t, &entry);
        }
        from.sequence = part.next;
    } while (part.entries && part.next < end);
    return 0;
}

static const char *const counter_names[ISOAV_COUNTERS] = {
    [ISOAV_COUNT_FRAMES] = "frames",
    [ISOAV_COUNT_PACKETS_IN] = "packets_in",
    [ISOAV_COUNT_BYTES_IN] = "bytes_in",
    [ISOAV_COUNT_SKIPPED] = "skipped",
    [ISOAV_COUNT_PACKETS_OUT] = "packets_out",
    [ISOAV_COUNT_BYTES_OUT] = "bytes_out",
    [ISOAV_COUNT_BAD_OUT] = "bad_out",
    [ISOAV_COUNT_LOST_OUT] = "lost_out",
};

static void print_counters(bool json, uint32_t number, const isoav_counters *c)
{
    int i;

    printf(json ? "\"interface_%" PRIu32 "\": {" : "interface %" PRIu32 "\n",
           number);
    for (i = 0; i < ISOAV_COUNTERS; i++) {
        printf(json ? "%s\"%s\": %" PRIu64 : "%s  %-14s %14" PRIu64 "\n",
               json && i ? ", " : "", counter_names[i], c->count[i]);
    }
    fputs(json ? "}, " : "", stdout);
}

static void print_table(bool json, const table *t)
{
    char status[32];
    uint32_t i;

    fputs(json ? "\"packets\": [" : "packets in the log\n", stdout);
    for (i = 0; i < t->count; i++) {
        const row *r = &t->rows[i];

        usbd_status_text(status, r->status);
        printf(json ? "%s{\"endpoint\": %u, \"direction\": \"%s\", "
                      "\"status\": \"%s\", \"packets\": %" PRIu64
                      ", \"bytes\": %" PRIu64 "}"
                    : "%s  endpoint %u %-3s  %-24s %12" PRIu64
                      " packets %14" PRIu64 " bytes\n",
               json && i ? ", " : "", r->endpoint & 0xfu,
               r->endpoint & 0x80 ? "in" : "out", status, r->packets, r->bytes);
    }
    if (json) {
        printf("], \"packets_other\": %" PRIu64, t->others);
    } else if (t->others) {
        printf("  and %" PRIu64 " of other statuses\n", t->others);
    }
}

int app_stats(const args_options *options)
{
    HANDLE device = device_open(options->device);
    uint8_t *answer = malloc(ANSWER_BYTES);
    isoav_counters counters[2];
    static table t;
    char text[160];
    DWORD error = 0;
    uint32_t i;

    if (!device || !answer) {
        if (device) {
            fprintf(stderr, "isoav: no memory\n");
            CloseHandle(device);
        }
        free(answer);
        return 1;
    }
    for (i = 0; i < 2 && !error; i++) {
        isoav_interface which = { i };

        error =
            device_control(device, ISOAV_IOCTL_GET_COUNTERS, &which,
                           sizeof(which), &counters[i], sizeof(counters[i]));
    }
    if (!error) {
        error = read_log(device, answer, &t);
    }
    free(answer);
    CloseHandle(device);
    if (error) {
        fprintf(stderr, "isoav: the device cannot be asked: %s\n",
                device_error(error, text));
        return 1;
    }
    fputs(options->json ? "{" : "", stdout);
    for (i = 0; i < 2; i++) {
        print_counters(options->json, i, &counters[i]);
    }
    print_table(options->json, &t);
    fputs(options->json ? "}\n" : "", stdout);
    return 0;
}
