/*
 * A queue of transfers: what goes in as one comes out as one, or in pieces if
 * it is asked for in pieces.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_FIFO_H
#define ISOLAB_AV_FIFO_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ISOAV_FIFO_BYTES = 256 * 1024,
    ISOAV_FIFO_TRANSFERS = 64,
};

/* Zeros: empty. */
typedef struct {
    uint32_t first; /* place of the oldest byte */
    uint32_t bytes; /* in the queue, from there on without a gap */
    uint32_t first_length;
    uint32_t transfers;
    uint32_t lengths[ISOAV_FIFO_TRANSFERS]; /* of transfers, round */
    uint8_t data[ISOAV_FIFO_BYTES];
} isoav_fifo;

/* Room for a transfer of `count` bytes, now in the queue for the caller to
 * fill; NULL: there is none until something is taken out. */
uint8_t *isoav_fifo_push(isoav_fifo *f, uint32_t count);

/*
 * Takes up to `max` bytes of the oldest transfer and sets *count; good until
 * the next push. NULL: the queue is empty.
 */
const uint8_t *isoav_fifo_pop(isoav_fifo *f, uint32_t max, uint32_t *count);

/* Can this have come from the calls above? For migrated state. */
bool isoav_fifo_is_sane(const isoav_fifo *f);

#endif
