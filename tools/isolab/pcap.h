/*
 * Reading a capture of USB: pcap files of usbmon records.
 *
 *  1. The file is the classic pcap format, either byte order, micro- or
 *     nanoseconds, with link type USB_LINUX_MMAPPED (220: 64-byte headers and
 *     isochronous descriptors), as `capture=FILE` of ixhci, Linux's usbmon and
 *     tcpdump write it, or USB_LINUX (189: 48-byte headers, without).
 *  2. The file is untrusted: every length in it is held against what there is.
 *     A record that ends early (the writer was killed) ends the reading and
 *     sets `truncated`; one that contradicts itself is an error that names
 *     its offset.
 *  3. Nothing is copied: a record points into the reader's bytes.
 *
 * Pure, but for pcap_open.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_PCAP_H
#define ISOLAB_PCAP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* xfer_type of usbmon */
enum { USBMON_ISOCH, USBMON_INTERRUPT, USBMON_CONTROL, USBMON_BULK };

typedef struct {
    int64_t ns;   /* time stamp */
    uint64_t id;  /* of the URB: the same when it is submitted and comes back */
    char event;   /* 'S' submitted, 'C' completed, 'E' refused */
    uint8_t type; /* USBMON_* */
    uint8_t address; /* endpoint, bit 7 set for IN */
    uint8_t device;
    uint16_t bus;
    int32_t status; /* of the URB, a negative errno */
    uint32_t length;
    int32_t interval; /* microframes, or frames below high speed */
    int32_t start_frame;
    const uint8_t *setup; /* 8 bytes, or NULL */
    uint32_t packets;     /* isochronous descriptors that are in the file */
} usbmon_record;

typedef struct {
    int32_t status; /* negative errno */
    uint32_t offset;
    uint32_t length;
} usbmon_packet;

typedef struct pcap pcap;

/* NULL with an error: no capture of USB. `bytes` is shared. */
pcap *pcap_new(GBytes *bytes, const char *name, GError **error);
pcap *pcap_open(const char *path, GError **error);
void pcap_free(pcap *p);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(pcap, pcap_free)

/* The next record. False at the end, or with an error. */
bool pcap_next(pcap *p, usbmon_record *record, GError **error);

/* Descriptor i of the record that pcap_next gave last, i < record.packets. */
usbmon_packet pcap_packet(const pcap *p, unsigned i);

/* Rule 2, once pcap_next has returned false. */
bool pcap_is_truncated(const pcap *p);

/* True if the bytes begin as a pcap file does. */
bool pcap_is_magic(const void *data, size_t bytes);

#endif
