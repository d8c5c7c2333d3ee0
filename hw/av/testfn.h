/*
 * The test function: sink checker and loopback queue. (Its source needs no
 * state but the sequence number that every IN stream has.)
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_TESTFN_H
#define ISOLAB_AV_TESTFN_H

#include <stdbool.h>
#include <stdint.h>

#include "isolab/isoav.h"

/* Packets that the loopback keeps: 8 ms of a host that only sends. */
#define ISOAV_LOOPBACK_PACKETS 64

typedef struct {
    uint16_t bytes;
    uint8_t wire[ISOAV_PACKET_MAX];
} isoav_loopback_packet;

typedef struct {
    uint32_t expected; /* sequence number that 02h should bring next */
    uint32_t first;    /* the oldest packet in the queue, then `count` */
    uint32_t count;
    isoav_loopback_packet queue[ISOAV_LOOPBACK_PACKETS];
} isoav_testfn;

/* What isoav_testfn_check found. */
typedef struct {
    int verdict;         /* ISOAV_PACKET_OK or what is wrong (hw/av/packet.h) */
    uint32_t lost;       /* sequence numbers that were stepped over */
    isoav_packet header; /* valid if the verdict is about later things */
} isoav_testfn_result;

void isoav_testfn_start(isoav_testfn *t);

/* A packet came from the host: judge it. */
isoav_testfn_result isoav_testfn_check(isoav_testfn *t, const uint8_t *wire,
                                       uint32_t bytes);

/* Queues a packet to go back; false: the queue is full and it is dropped. */
bool isoav_testfn_push(isoav_testfn *t, const uint8_t *wire, uint32_t bytes);

/* Takes the oldest packet, or NULL; it stays as it is until the next push. */
const isoav_loopback_packet *isoav_testfn_pop(isoav_testfn *t);

#endif
