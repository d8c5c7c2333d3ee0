/*
 * Makes captures of USB for tests: a pcap file in memory, field by field, in
 * either byte order.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pcap.h"

typedef struct {
    GByteArray *bytes;
    bool big; /* byte order */
    bool nano;
} capture;

typedef struct {
    int64_t ns;
    uint64_t id;
    char event;
    uint8_t type, address, device;
    int32_t status, interval;
    uint32_t length;
    const uint8_t *setup;         /* 8 bytes or NULL */
    const usbmon_packet *packets; /* NULL: none */
    uint32_t count;
} capture_record;

static inline void capture_put(capture *c, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        unsigned shift = 8 * (c->big ? bytes - 1 - i : i);
        uint8_t byte = (uint8_t)(value >> shift);

        g_byte_array_append(c->bytes, &byte, 1);
    }
}

static inline void capture_begin(capture *c, uint32_t link)
{
    c->bytes = g_byte_array_new();
    capture_put(c, c->nano ? 0xa1b23c4d : 0xa1b2c3d4, 4);
    capture_put(c, 2, 2);
    capture_put(c, 4, 2);
    capture_put(c, 0, 8);
    capture_put(c, 0x40000, 4);
    capture_put(c, link, 4);
}

static inline void capture_add(capture *c, const capture_record *r)
{
    uint32_t bytes = 64 + 16 * r->count;

    capture_put(c, r->ns / 1000000000, 4);
    capture_put(c, r->ns % 1000000000 / (c->nano ? 1 : 1000), 4);
    capture_put(c, bytes, 4);
    capture_put(c, bytes, 4);
    capture_put(c, r->id, 8);
    capture_put(c, (uint8_t)r->event, 1);
    capture_put(c, r->type, 1);
    capture_put(c, r->address, 1);
    capture_put(c, r->device, 1);
    capture_put(c, 1, 2);                  /* bus */
    capture_put(c, r->setup ? 0 : '-', 1); /* flag_setup */
    capture_put(c, '=', 1);
    capture_put(c, r->ns / 1000000000, 8);
    capture_put(c, r->ns % 1000000000 / 1000, 4);
    capture_put(c, (uint32_t)r->status, 4);
    capture_put(c, r->length, 4);
    capture_put(c, 16 * r->count, 4);
    if (r->setup) {
        g_byte_array_append(c->bytes, r->setup, 8);
    } else {
        capture_put(c, 0, 4);
        capture_put(c, r->count, 4);
    }
    capture_put(c, (uint32_t)r->interval, 4);
    capture_put(c, 0, 4);
    capture_put(c, 0, 4);
    capture_put(c, r->count, 4);
    for (uint32_t i = 0; i < r->count; i++) {
        capture_put(c, (uint32_t)r->packets[i].status, 4);
        capture_put(c, r->packets[i].offset, 4);
        capture_put(c, r->packets[i].length, 4);
        capture_put(c, 0, 4);
    }
}

/* A reader of it; the capture is spent. */
static inline pcap *capture_read(capture *c, GError **error)
{
    GBytes *bytes = g_byte_array_free_to_bytes(c->bytes);
    pcap *p = pcap_new(bytes, "test.pcap", error);

    g_bytes_unref(bytes);
    c->bytes = NULL;
    return p;
}

#endif
