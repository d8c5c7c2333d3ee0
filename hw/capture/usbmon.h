/*
 * The records of a capture: pcap with link type 220, USB_LINUX_MMAPPED, which
 * is what Linux's usbmon gives and Wireshark reads. Pure: bytes out of a
 * struct.
 *
 *  1. A transfer is two records with one id: 'S' when it begins, with what the
 *     host sends, and 'C' when it ends, with what the device sent. All fields
 *     are little-endian, whatever the host is.
 *  2. An isochronous TD is one URB with one descriptor: its own status, length
 *     and start frame, and nothing that belongs to another microframe.
 *  3. Status is an errno of Linux, as xhci-hcd makes it of a completion code
 *     (docs/capture.md).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_CAPTURE_USBMON_H
#define ISOLAB_CAPTURE_USBMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    USBMON_LINKTYPE = 220,
    USBMON_SNAPLEN_MIN = 128,
    USBMON_SNAPLEN_MAX = 262144, /* Wireshark takes no more */
    USBMON_FILE_HEADER_BYTES = 24,
    USBMON_RECORD_BYTES = 16, /* pcap's, before each record */
    USBMON_HEADER_BYTES = 64, /* usbmon's, in it */
    USBMON_ISO_BYTES = 16,    /* an isochronous descriptor */
    USBMON_HEAD_MAX =
        USBMON_RECORD_BYTES + USBMON_HEADER_BYTES + USBMON_ISO_BYTES,
};

/* Linux's numbers, on every host. */
enum {
    USBMON_ENOENT = -2,
    USBMON_EXDEV = -18,
    USBMON_EPIPE = -32,
    USBMON_ENOSR = -63,
    USBMON_ECOMM = -70,
    USBMON_EPROTO = -71,
    USBMON_EOVERFLOW = -75,
    USBMON_EINPROGRESS = -115,
};

typedef enum {
    USBMON_ISOCH = 0,
    USBMON_INTERRUPT = 1,
    USBMON_CONTROL = 2,
    USBMON_BULK = 3,
} usbmon_xfer;

typedef struct {
    uint64_t id;
    uint64_t time_us;
    bool is_end; /* 'C', not 'S' */
    bool is_in;
    usbmon_xfer xfer;
    uint8_t ep;           /* number, without direction */
    uint8_t dev;          /* USB address */
    uint16_t bus;         /* 1-based */
    const uint8_t *setup; /* 8 bytes, of a control transfer that begins */
    int32_t status;       /* of an isochronous one, its descriptor's */
    uint32_t bytes;       /* asked for, or at the end moved */
    uint32_t interval;    /* periodic: microframes, frames below high speed */
    uint32_t start_frame; /* isochronous: in the same unit */
    bool is_asap;         /* isochronous: SIA */
    /* what is behind the head; less than `bytes` if it was cut off */
    uint32_t captured;
} usbmon_record;

void usbmon_store_file_header(uint8_t out[USBMON_FILE_HEADER_BYTES],
                              uint32_t snaplen);

/* All of a record but its data; the bytes stored. */
size_t usbmon_store(uint8_t out[USBMON_HEAD_MAX], const usbmon_record *r);

/* How much of `bytes` a record of this snap length has room for. */
uint32_t usbmon_room(uint32_t snaplen, usbmon_xfer xfer, uint32_t bytes);

/* Rule 3: of a TD's completion code (CC_*). */
int32_t usbmon_status(usbmon_xfer xfer, unsigned cc);

#endif
