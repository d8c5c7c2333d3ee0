/*
 * usbread: reads usb-isoav's video stream through libusb, with none of the
 * Windows parts in between, and checks every packet and every picture. It is
 * the second opinion: what the Windows driver reports about the stream must
 * be what this program sees.
 *
 *   usbread [FRAMES [ALTERNATE]]      300 frames, alternate 5
 *
 * What is checked, and the counter that grows when it is not so:
 *
 *   packets_failed   the controller completed the packet
 *   packets_damaged  header and CRC are right (isolab/isoav.h)
 *   packets_lost     `sequence` goes up by one
 *   packets_late     `microframe` goes up by the interval
 *   frames_damaged   a frame's payload is complete, in order, and is the
 *                    picture that isolab/pattern.h draws
 *   frames_lost      `frame` goes up by one
 *
 * The summary is one JSON object on standard output; the exit status is 0
 * when every counter is 0 and all frames came.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <libusb-1.0/libusb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "isolab/isoav.h"
#include "isolab/pattern.h"

enum {
    URBS = 4,
    PACKETS = 64, /* per URB: 8 ms */
    WIDTH = ISOAV_WIDTH_DEFAULT,
    HEIGHT = ISOAV_HEIGHT_DEFAULT,
    FRAME_BYTES = WIDTH * HEIGHT * 2,
};

typedef struct {
    unsigned long packets, payload_packets, bytes;
    unsigned long packets_failed, packets_damaged, packets_lost, packets_late;
    unsigned long frames, frames_damaged, frames_lost;
    uint64_t first_microframe, last_microframe;
} Counters;

typedef struct {
    unsigned long wanted; /* frames */
    Counters count;
    bool have_packet; /* next_* are valid */
    uint32_t next_sequence;
    uint64_t next_microframe;
    bool have_frame;
    uint32_t next_frame;
    bool in_frame;   /* between SOF and EOF, nothing missing so far */
    uint32_t filled; /* bytes of picture[] */
    uint8_t picture[FRAME_BYTES], expected[FRAME_BYTES];
    int in_flight;
} Reader;

static uint32_t crc_table[256];

static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++) {
            c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
        }
        crc_table[i] = c;
    }
}

/* CRC-32 of the packet as isoav.h rule 4 has it: all but the CRC field. */
static uint32_t packet_crc(const uint8_t *wire, uint32_t bytes)
{
    uint32_t c = ~0u;

    for (uint32_t i = 0; i < bytes; i++) {
        if (i == ISOAV_OFF_CRC) {
            i = ISOAV_HEADER_BYTES;
            if (i == bytes) {
                break;
            }
        }
        c = crc_table[(c ^ wire[i]) & 0xff] ^ c >> 8;
    }
    return ~c;
}

static void end_frame(Reader *r, uint32_t number)
{
    if (r->have_frame) {
        r->count.frames_lost += number - r->next_frame;
    }
    r->have_frame = true;
    r->next_frame = number + 1;
    isolab_pattern_fill(r->expected, WIDTH, HEIGHT, number,
                        ISOAV_INTERVAL_DEFAULT);
    if (r->filled == FRAME_BYTES &&
        memcmp(r->picture, r->expected, FRAME_BYTES) == 0) {
        r->count.frames++;
    } else {
        r->count.frames_damaged++;
    }
    if (r->count.frames % 30 == 0) {
        fprintf(stderr, "usbread: %lu of %lu frames\n", r->count.frames,
                r->wanted);
    }
}

static void take_payload(Reader *r, const isoav_packet *p, const uint8_t *data)
{
    r->count.payload_packets++;
    if (p->flags & ISOAV_FLAG_SOF) {
        if (r->in_frame) {
            r->count.frames_damaged++; /* the one before has no end */
        }
        r->in_frame = true;
        r->filled = 0;
    }
    if (!r->in_frame) {
        return;
    }
    if (p->offset != r->filled || p->length > FRAME_BYTES - r->filled) {
        r->count.frames_damaged++;
        r->in_frame = false;
        return;
    }
    memcpy(r->picture + r->filled, data, p->length);
    r->filled += p->length;
    if (p->flags & ISOAV_FLAG_EOF) {
        end_frame(r, p->frame);
        r->in_frame = false;
    }
}

static void take_packet(Reader *r, const uint8_t *wire, uint32_t bytes)
{
    isoav_packet p;

    if (isoav_packet_load(&p, wire, bytes) != ISOAV_PACKET_OK ||
        p.stream != ISOAV_STREAM_VIDEO || p.crc != packet_crc(wire, bytes)) {
        r->count.packets_damaged++;
        return;
    }
    if (r->have_packet) {
        r->count.packets_lost += p.sequence - r->next_sequence;
        r->count.packets_late += p.microframe != r->next_microframe;
    } else {
        r->count.first_microframe = p.microframe;
        r->count.packets_lost += p.sequence; /* it starts at 0 */
    }
    r->have_packet = true;
    r->next_sequence = p.sequence + 1;
    r->next_microframe = p.microframe + 1;
    r->count.last_microframe = p.microframe;
    r->count.bytes += bytes;
    if (p.length) {
        take_payload(r, &p, wire + ISOAV_HEADER_BYTES);
    }
}

static bool is_done(const Reader *r)
{
    const Counters *c = &r->count;

    return c->frames + c->frames_damaged + c->frames_lost >= r->wanted ||
           c->packets_failed > 8000;
}

static void LIBUSB_CALL transfer_done(struct libusb_transfer *t)
{
    Reader *r = t->user_data;

    for (int i = 0; i < t->num_iso_packets && !is_done(r); i++) {
        const struct libusb_iso_packet_descriptor *d = &t->iso_packet_desc[i];

        r->count.packets++;
        if (d->status != LIBUSB_TRANSFER_COMPLETED) {
            r->count.packets_failed++;
            continue;
        }
        take_packet(r, libusb_get_iso_packet_buffer_simple(t, (unsigned)i),
                    d->actual_length);
    }
    if (t->status != LIBUSB_TRANSFER_COMPLETED) {
        fprintf(stderr, "usbread: transfer ended with status %d\n", t->status);
        r->wanted = 0;
    }
    /* At the end the ring runs dry: nothing needs to be cancelled. */
    if (is_done(r) || libusb_submit_transfer(t) != 0) {
        r->in_flight--;
        libusb_free_transfer(t);
    }
}

static bool start(Reader *r, libusb_device_handle *handle, int most)
{
    for (int i = 0; i < URBS; i++) {
        struct libusb_transfer *t = libusb_alloc_transfer(PACKETS);
        int bytes = PACKETS * most;

        libusb_fill_iso_transfer(t, handle, ISOAV_EP_VIDEO_IN,
                                 malloc((size_t)bytes), bytes, PACKETS,
                                 transfer_done, r, 0);
        t->flags = LIBUSB_TRANSFER_FREE_BUFFER;
        libusb_set_iso_packet_lengths(t, (unsigned)most);
        if (libusb_submit_transfer(t) != 0) {
            fprintf(stderr, "usbread: a transfer is refused\n");
            return false;
        }
        r->in_flight++;
    }
    return true;
}

static void print_summary(const Reader *r, int alternate)
{
    const Counters *c = &r->count;

    printf("{\"alternate\": %d, \"frames\": %lu, \"frames_damaged\": %lu, "
           "\"frames_lost\": %lu,\n \"packets\": %lu, "
           "\"payload_packets\": %lu, \"bytes\": %lu, "
           "\"packets_failed\": %lu,\n \"packets_damaged\": %lu, "
           "\"packets_lost\": %lu, \"packets_late\": %lu,\n "
           "\"microframes\": %llu}\n",
           alternate, c->frames, c->frames_damaged, c->frames_lost, c->packets,
           c->payload_packets, c->bytes, c->packets_failed, c->packets_damaged,
           c->packets_lost, c->packets_late,
           (unsigned long long)(c->last_microframe - c->first_microframe + 1));
}

/* What each alternate carries in a service interval (isoav.h). */
static const int packet_bytes[] = { 0, 192, 512, 1024, 2048, 3072 };

int main(int argc, char **argv)
{
    static Reader r;
    int alternate = argc > 2 ? atoi(argv[2]) : ISOAV_VIDEO_ALT_MAX;
    libusb_device_handle *handle;

    r.wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 300;
    if (argc > 3 || alternate < 1 || alternate > ISOAV_VIDEO_ALT_MAX ||
        r.wanted == 0) {
        fprintf(stderr, "usage: usbread [FRAMES [ALTERNATE]]\n");
        return 2;
    }
    crc_init();
    if (libusb_init(NULL) != 0 ||
        !(handle = libusb_open_device_with_vid_pid(NULL, ISOAV_VENDOR_ID,
                                                   ISOAV_PRODUCT_ID))) {
        fprintf(stderr, "usbread: no device %04x:%04x\n", ISOAV_VENDOR_ID,
                ISOAV_PRODUCT_ID);
        return 1;
    }
    if (libusb_claim_interface(handle, ISOAV_IFACE_VIDEO) != 0 ||
        libusb_set_interface_alt_setting(handle, ISOAV_IFACE_VIDEO,
                                         alternate) != 0 ||
        !start(&r, handle, packet_bytes[alternate])) {
        fprintf(stderr, "usbread: the stream does not start\n");
        return 1;
    }
    while (r.in_flight) {
        libusb_handle_events(NULL);
    }
    libusb_set_interface_alt_setting(handle, ISOAV_IFACE_VIDEO, 0);
    libusb_release_interface(handle, ISOAV_IFACE_VIDEO);
    libusb_close(handle);
    libusb_exit(NULL);
    print_summary(&r, alternate);
    return r.count.frames >= r.wanted && !r.count.frames_damaged &&
                   !r.count.frames_lost && !r.count.packets_failed &&
                   !r.count.packets_damaged && !r.count.packets_lost &&
                   !r.count.packets_late
               ? 0
               : 1;
}
