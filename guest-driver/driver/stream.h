/*
 * The inside of a STREAM, for stream.c (data) and control.c (start, stop).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_STREAM_H
#define ISOAV_STREAM_H

#include "driver.h"

struct _STREAM {
    PDEVICE_EXTENSION Device;
    LONG References;

    /* Under DEVICE_EXTENSION.Lock. */
    LIST_ENTRY Link;
    BOOLEAN Wanted;
    BOOLEAN IsClosed;  /* IRP_MJ_CLEANUP has been here */
    isoav_start Start; /* with the defaults filled in */
    ULONG PeriodUf;
    PRING Ring; /* NULL: not running */
    PIO_WORKITEM Recovery;
    LONG IsRecovering; /* Recovery is queued */

    /* Under Lock. */
    KSPIN_LOCK Lock;
    IRP_QUEUE Transfers; /* reads or writes */
    ISOAV_FIFO Fifo;
    PVOID FifoMemory;
    BOOLEAN Ended;
    NTSTATUS EndStatus; /* of reads once the FIFO is empty */
    BOOLEAN In;
    BOOLEAN Starved;   /* OUT: there was nothing to send */
    ULONG PacketBytes; /* of the largest packet */
    ULONG RecordBytes; /* of the largest record; 0: never started */
    ULONG WriteBytes;  /* OUT: of the largest write */
    ULONG Recoveries;  /* since the last packet */
    ULONG FramesPerUrb;
    ULONG NextFrame;
    BOOLEAN NextFrameValid;
    isoav_stats Stats;
};

VOID StreamSetState(PSTREAM Stream, ULONG State);

/* Reads end with EndStatus once the FIFO is empty. */
VOID StreamEnd(PSTREAM Stream, NTSTATUS EndStatus);

#endif
