/*
 * The packet log: what became of the last packets (isoav_ioctl.h).
 *
 * A ring of entries with a spin lock of its own, which is taken once for each
 * URB, never with another lock held. An URB's packets stay together.
 *
 * The memory is allocated when the first stream starts, and replaced by
 * LogResize; both run at PASSIVE_LEVEL under DEVICE_EXTENSION.Lock.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_LOG_H
#define ISOAV_LOG_H

#include "usbdex.h"

#include "isoav_ioctl.h"

typedef struct _PACKET_LOG {
    KSPIN_LOCK Lock;
    isoav_log_entry *Entry; /* NULL: not begun */
    ULONG Size;
    ULONGLONG Next;  /* number of the next entry */
    ULONGLONG First; /* numbers below are gone: the log was emptied there */
} PACKET_LOG, *PPACKET_LOG;

/*
 * The room of a packet, that is of an OUT packet its length. At the end of an
 * URB the stack may have put something else into TransferBufferLength: the
 * caller has given that back its value.
 */
ULONG UrbPacketBytes(const struct _URB_ISOCH_TRANSFER *Urb, ULONG Index,
                     ULONG Packets);

/* Where an URB's packets went; the fields that its entries have in common. */
typedef struct _LOG_PLACE {
    ULONG Selection;
    UCHAR Interface;
    UCHAR Alternate;
    UCHAR Endpoint;
} LOG_PLACE;

VOID LogInitialize(PPACKET_LOG Log);
VOID LogFree(PPACKET_LOG Log);

/*
 * An empty log of this many entries. Numbers go on. STATUS_INVALID_PARAMETER:
 * out of range; STATUS_INSUFFICIENT_RESOURCES: the old log stays.
 */
NTSTATUS LogResize(PPACKET_LOG Log, ULONG Entries);

/* LogResize with the default, if no log has been begun. */
NTSTATUS LogBegin(PPACKET_LOG Log);

/*
 * An URB that came back with packets; Ordinal is that of its first. Up to
 * DISPATCH_LEVEL.
 */
VOID LogUrb(PPACKET_LOG Log, const LOG_PLACE *Place, ULONGLONG Ordinal,
            PURB Urb, ULONG Packets);

/* An URB that was refused: one entry. Up to DISPATCH_LEVEL. */
VOID LogRefused(PPACKET_LOG Log, const LOG_PLACE *Place, PURB Urb);

/*
 * Up to Room entries, but at most LOG_READ_MOST, from number From on. Returns
 * their number.
 */
#define LOG_READ_MOST 2048

ULONG LogRead(PPACKET_LOG Log, ULONGLONG From, isoav_log_part *Part,
              isoav_log_entry *Entries, ULONG Room);

#endif
