/*
 * Accounting: what happened to every packet of a stream.
 *
 * The driver hands out a record for each isochronous packet (isoav_ioctl.h),
 * the device numbers and time-stamps what it sends and adds a CRC
 * (isolab/isoav.h). Put together they tell every way in which a packet can go
 * wrong from every other:
 *
 *   status       the controller says that the packet failed
 *   silent       it says all is well, and nothing was received
 *   bad header   what was received is no packet of this stream
 *   bad CRC      it is one, and damaged
 *   lost         a hole in `sequence`: sent by the device, never seen
 *   duplicated   a sequence number for the second time
 *   out of order a sequence number after a later one (not lost then)
 *   late         microframes in which nobody asked the device, seen as a step
 *                of `microframe` that the sequence does not explain
 *   early        a step that is too small: the clock of device or bus jumped
 *   overflow     a hole in the driver's numbering: the program was too slow
 *   restart      the device began a new sequence
 *
 * Pure: no Windows types, no I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_ACCOUNT_H
#define ISOAV_APP_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "isoav_ioctl.h"
#include "isolab/isoav.h"

/* How far back a sequence number is remembered. */
#define ACCOUNT_WINDOW 1024
#define ACCOUNT_STATUSES 16

typedef struct {
    uint32_t status; /* USBD_STATUS */
    uint64_t packets;
} account_status;

typedef struct {
    uint8_t stream;     /* the ISOAV_STREAM_* that is expected */
    uint32_t period_uf; /* service interval */

    /* Results. */
    uint64_t packets; /* records */
    uint64_t bytes;   /* payload of good packets */
    uint64_t failed;  /* status is an error */
    uint64_t silent;
    uint64_t bad_header;
    uint64_t bad_crc;
    uint64_t lost;
    uint64_t duplicated;
    uint64_t out_of_order;
    uint64_t late;
    uint64_t early;
    uint64_t overflow;
    uint64_t restarts;
    uint64_t other_statuses; /* packets whose status did not fit */
    uint32_t statuses;
    account_status status[ACCOUNT_STATUSES];

    /* State. */
    bool has_packet;
    uint32_t next_sequence;
    uint64_t last_uf;
    uint64_t next_number; /* of a record */
    uint64_t seen[ACCOUNT_WINDOW / 64];
} account;

void account_init(account *a, uint8_t stream, uint32_t period_uf);

/*
 * Accounts for a record and the record->length bytes at data. True: *packet
 * is a good packet, seen for the first time; its payload, packet->length
 * bytes, starts at data + ISOAV_HEADER_BYTES.
 */
bool account_record(account *a, const isoav_record *record, const uint8_t *data,
                    isoav_packet *packet);

/* True while nothing at all has gone wrong. */
bool account_is_perfect(const account *a);

#endif
