/*
 * A bounded ring of records (isoav_ioctl.h), between the completion routine
 * that receives packets and the reads that fetch them.
 *
 * Rules:
 *
 *  1. Records go in whole or not at all, and come out whole and in order.
 *  2. What does not fit is refused, and the caller counts it: nothing is
 *     overwritten.
 *  3. A record may wrap around the end of the memory; nobody outside sees it.
 *  4. No locking here: the stream's spin lock covers every call.
 *
 * Pure: no Windows types, so that unit tests compile it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_FIFO_H
#define ISOAV_FIFO_H

#include <stdbool.h>
#include <stdint.h>

#include "isoav_ioctl.h"

typedef struct {
    uint8_t *Memory;
    uint32_t Bytes; /* of Memory; a multiple of ISOAV_RECORD_ALIGN */
    uint32_t Head;  /* where the oldest record starts */
    uint32_t Used;  /* bytes */
    uint32_t Records;
} ISOAV_FIFO;

void FifoInitialize(ISOAV_FIFO *Fifo, void *Memory, uint32_t Bytes);

static inline bool FifoIsEmpty(const ISOAV_FIFO *Fifo)
{
    return Fifo->Used == 0;
}

/*
 * Appends Record, whose record_bytes is computed here, and the
 * Record->length bytes at Data. False: no room (rule 2).
 */
bool FifoPut(ISOAV_FIFO *Fifo, const isoav_record *Record, const void *Data);

/*
 * Moves as many whole records as fit into Buffer and returns their bytes; 0
 * when there is none or the first does not fit.
 */
uint32_t FifoGet(ISOAV_FIFO *Fifo, void *Buffer, uint32_t Room);

/*
 * Takes the oldest record out, its data into the Room bytes at Data, and
 * returns their number; 0 when there is no record or its data do not fit.
 */
uint32_t FifoTake(ISOAV_FIFO *Fifo, void *Data, uint32_t Room);

/*
 * Appends the records at Data, Bytes of them, each with 1 to Most bytes of
 * data; all or none. The memory may change while it is looked at, so that
 * each header is copied before it is believed.
 */
typedef enum { FIFO_OK, FIFO_FULL, FIFO_BAD } FIFO_RESULT;
FIFO_RESULT FifoPutAll(ISOAV_FIFO *Fifo, const void *Data, uint32_t Bytes,
                       uint32_t Most);

#endif
