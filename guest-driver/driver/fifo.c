/* SPDX-License-Identifier: MIT */
#include "fifo.h"

#include <stddef.h>
#include <string.h>

void FifoInitialize(ISOAV_FIFO *Fifo, void *Memory, uint32_t Bytes)
{
    Fifo->Memory = Memory;
    Fifo->Bytes = Bytes & ~(ISOAV_RECORD_ALIGN - 1);
    Fifo->Head = 0;
    Fifo->Used = 0;
    Fifo->Records = 0;
}

/* Copies in at `At` bytes behind the head, around the end (rule 3). */
static void copy_in(ISOAV_FIFO *Fifo, uint32_t At, const void *From,
                    uint32_t Bytes)
{
    uint32_t start = (Fifo->Head + At) % Fifo->Bytes;
    uint32_t first = Fifo->Bytes - start;

    if (first > Bytes) {
        first = Bytes;
    }
    memcpy(Fifo->Memory + start, From, first);
    memcpy(Fifo->Memory, (const uint8_t *)From + first, Bytes - first);
}

static void copy_out(const ISOAV_FIFO *Fifo, uint32_t At, void *To,
                     uint32_t Bytes)
{
    uint32_t start = (Fifo->Head + At) % Fifo->Bytes;
    uint32_t first = Fifo->Bytes - start;

    if (first > Bytes) {
        first = Bytes;
    }
    memcpy(To, Fifo->Memory + start, first);
    memcpy((uint8_t *)To + first, Fifo->Memory, Bytes - first);
}

bool FifoPut(ISOAV_FIFO *Fifo, const isoav_record *Record, const void *Data)
{
    static const uint8_t zero[ISOAV_RECORD_ALIGN];
    isoav_record record = *Record;
    uint32_t bytes = ISOAV_RECORD_BYTES(record.length);
    uint32_t at = Fifo->Used;

    if (bytes > Fifo->Bytes - Fifo->Used) {
        return false;
    }
    record.record_bytes = bytes;
    copy_in(Fifo, at, &record, sizeof(record));
    at += sizeof(record);
    copy_in(Fifo, at, Data, record.length);
    at += record.length;
    copy_in(Fifo, at, zero, Fifo->Used + bytes - at);
    Fifo->Used += bytes;
    Fifo->Records++;
    return true;
}

uint32_t FifoGet(ISOAV_FIFO *Fifo, void *Buffer, uint32_t Room)
{
    uint32_t bytes = 0, records = 0;

    while (bytes < Fifo->Used) {
        uint32_t record_bytes;

        copy_out(Fifo, bytes + offsetof(isoav_record, record_bytes),
                 &record_bytes, sizeof(record_bytes));
        if (record_bytes > Room - bytes) {
            break;
        }
        bytes += record_bytes;
        records++;
    }
    if (bytes != 0) {
        copy_out(Fifo, 0, Buffer, bytes);
        Fifo->Head = (Fifo->Head + bytes) % Fifo->Bytes;
        Fifo->Used -= bytes;
        Fifo->Records -= records;
    }
    return bytes;
}

uint32_t FifoTake(ISOAV_FIFO *Fifo, void *Data, uint32_t Room)
{
    isoav_record record;

    if (Fifo->Used == 0) {
        return 0;
    }
    copy_out(Fifo, 0, &record, sizeof(record));
    if (record.length > Room) {
        record.length = 0;
    }
    copy_out(Fifo, sizeof(record), Data, record.length);
    Fifo->Head = (Fifo->Head + record.record_bytes) % Fifo->Bytes;
    Fifo->Used -= record.record_bytes;
    Fifo->Records--;
    return record.length;
}

FIFO_RESULT FifoPutAll(ISOAV_FIFO *Fifo, const void *Data, uint32_t Bytes,
                       uint32_t Most)
{
    const uint32_t used = Fifo->Used, records = Fifo->Records;
    const uint8_t *from = Data;
    isoav_record record;
    uint32_t at = 0;

    if (Bytes > Fifo->Bytes - Fifo->Used) {
        return Bytes > Fifo->Bytes ? FIFO_BAD : FIFO_FULL;
    }
    while (at < Bytes) {
        if (Bytes - at < sizeof(record)) {
            break;
        }
        memcpy(&record, from + at, sizeof(record));
        if (record.length == 0 || record.length > Most ||
            record.record_bytes != ISOAV_RECORD_BYTES(record.length) ||
            record.record_bytes > Bytes - at ||
            !FifoPut(Fifo, &record, from + at + sizeof(record))) {
            break;
        }
        at += record.record_bytes;
    }
    if (at < Bytes || Bytes == 0) {
        Fifo->Used = used; /* Head has not moved */
        Fifo->Records = records;
        return FIFO_BAD;
    }
    return FIFO_OK;
}
