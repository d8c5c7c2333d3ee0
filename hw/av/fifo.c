/*
 * A queue of transfers.
 *
 *  1. The bytes lie in a row, so that both sides copy once. When there is no
 *     room behind them, but in front, they move to the front.
 *  2. A transfer of no bytes is one, too.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/av/fifo.h"

#include <string.h>

uint8_t *isoav_fifo_push(isoav_fifo *f, uint32_t count)
{
    uint32_t last = (f->first_length + f->transfers) % ISOAV_FIFO_TRANSFERS;
    uint8_t *place;

    if (f->transfers == ISOAV_FIFO_TRANSFERS ||
        count > ISOAV_FIFO_BYTES - f->bytes) {
        return NULL;
    }
    if (count > ISOAV_FIFO_BYTES - f->bytes - f->first) {
        memmove(f->data, f->data + f->first, f->bytes); /* rule 1 */
        f->first = 0;
    }
    place = f->data + f->first + f->bytes;
    f->lengths[last] = count;
    f->transfers++;
    f->bytes += count;
    return place;
}

const uint8_t *isoav_fifo_pop(isoav_fifo *f, uint32_t max, uint32_t *count)
{
    uint32_t *length = &f->lengths[f->first_length];
    const uint8_t *place = f->data + f->first;

    if (f->transfers == 0) {
        return NULL;
    }
    *count = max < *length ? max : *length;
    *length -= *count;
    f->bytes -= *count;
    f->first += *count;
    if (*length == 0) {
        f->first_length = (f->first_length + 1) % ISOAV_FIFO_TRANSFERS;
        f->transfers--;
    }
    return place;
}

bool isoav_fifo_is_sane(const isoav_fifo *f)
{
    uint64_t bytes = 0;

    if (f->first > ISOAV_FIFO_BYTES || f->bytes > ISOAV_FIFO_BYTES - f->first ||
        f->first_length >= ISOAV_FIFO_TRANSFERS ||
        f->transfers > ISOAV_FIFO_TRANSFERS) {
        return false;
    }
    for (uint32_t i = 0; i < f->transfers; i++) {
        bytes += f->lengths[(f->first_length + i) % ISOAV_FIFO_TRANSFERS];
    }
    return bytes == f->bytes;
}
