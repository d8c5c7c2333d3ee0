/* SPDX-License-Identifier: MIT */
#include "account.h"

#include <string.h>
#include <zlib.h>

void account_init(account *a, uint8_t stream, uint32_t period_uf)
{
    memset(a, 0, sizeof(*a));
    a->stream = stream;
    a->period_uf = period_uf;
}

static void count_status(account *a, uint32_t status)
{
    uint32_t i;

    for (i = 0; i < a->statuses; i++) {
        if (a->status[i].status == status) {
            a->status[i].packets++;
            return;
        }
    }
    if (i == ACCOUNT_STATUSES) {
        a->other_statuses++;
        return;
    }
    a->status[i].status = status;
    a->status[i].packets = 1;
    a->statuses++;
}

static uint64_t *seen_word(account *a, uint32_t sequence)
{
    return &a->seen[sequence % ACCOUNT_WINDOW / 64];
}

static uint64_t seen_bit(uint32_t sequence)
{
    return (uint64_t)1 << sequence % 64;
}

static bool was_seen(account *a, uint32_t sequence)
{
    return (*seen_word(a, sequence) & seen_bit(sequence)) != 0;
}

/* The packet of `sequence` is the newest: everything before it is past. */
static void advance(account *a, uint32_t sequence)
{
    uint32_t holes = sequence - a->next_sequence;
    uint32_t i;

    for (i = 0; i < holes && i < ACCOUNT_WINDOW; i++) {
        uint32_t hole = sequence - 1 - i;

        *seen_word(a, hole) &= ~seen_bit(hole);
    }
    *seen_word(a, sequence) |= seen_bit(sequence);
    a->next_sequence = sequence + 1;
}

/* Microframes between this packet and the last, `steps` packets apart. */
static void check_time(account *a, uint64_t microframe, uint64_t steps)
{
    uint64_t expected = a->last_uf + steps * a->period_uf;

    if (microframe > expected) {
        a->late += (microframe - expected) / a->period_uf;
        a->late += (microframe - expected) % a->period_uf != 0;
    } else if (microframe < expected) {
        a->early++;
    }
}

static void restart(account *a, const isoav_packet *packet)
{
    a->restarts++;
    a->lost += packet->sequence;
    memset(a->seen, 0, sizeof(a->seen));
    a->next_sequence = 0;
    advance(a, packet->sequence);
}

/* A sequence number that is behind the newest. False: not usable. */
static bool take_old(account *a, const isoav_packet *packet, uint32_t behind)
{
    if (behind > ACCOUNT_WINDOW && packet->microframe > a->last_uf) {
        restart(a, packet);
        a->last_uf = packet->microframe;
        return true;
    }
    if (behind > ACCOUNT_WINDOW || was_seen(a, packet->sequence)) {
        a->duplicated++;
        return false;
    }
    *seen_word(a, packet->sequence) |= seen_bit(packet->sequence);
    a->out_of_order++;
    a->lost--;
    return true;
}

/* Order and time of a good packet. False: seen before. */
static bool check_sequence(account *a, const isoav_packet *packet)
{
    uint32_t ahead = packet->sequence - a->next_sequence;

    if (ahead >= 0x80000000u) {
        return take_old(a, packet, a->next_sequence - packet->sequence);
    }
    a->lost += ahead;
    if (a->has_packet) {
        check_time(a, packet->microframe, (uint64_t)ahead + 1);
    }
    advance(a, packet->sequence);
    a->has_packet = true;
    a->last_uf = packet->microframe;
    return true;
}

static uint32_t packet_crc(const uint8_t *wire, uint32_t bytes)
{
    uLong crc = crc32(0, wire, ISOAV_OFF_CRC);

    /* zlib takes a NULL buffer as "start again", so nothing is no buffer */
    if (bytes > ISOAV_HEADER_BYTES) {
        crc = crc32(crc, wire + ISOAV_HEADER_BYTES, bytes - ISOAV_HEADER_BYTES);
    }
    return (uint32_t)crc;
}

bool account_record(account *a, const isoav_record *record, const uint8_t *data,
                    isoav_packet *packet)
{
    a->packets++;
    a->overflow += record->packet_number - a->next_number;
    a->next_number = record->packet_number + 1;
    count_status(a, record->packet_status);
    /* The topmost bit of a USBD_STATUS says error. */
    if (record->packet_status & 0x80000000u) {
        a->failed++;
        return false;
    }
    if (record->length == 0) {
        a->silent++;
        return false;
    }
    if (isoav_packet_load(packet, data, record->length) != ISOAV_PACKET_OK ||
        packet->stream != a->stream) {
        a->bad_header++;
        return false;
    }
    if (packet->crc != packet_crc(data, record->length)) {
        a->bad_crc++;
        return false;
    }
    if (!check_sequence(a, packet)) {
        return false;
    }
    a->bytes += packet->length;
    return true;
}

bool account_is_perfect(const account *a)
{
    return !a->failed && !a->silent && !a->bad_header && !a->bad_crc &&
           !a->lost && !a->duplicated && !a->out_of_order && !a->late &&
           !a->early && !a->overflow && !a->restarts;
}
