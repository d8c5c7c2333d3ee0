/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "driver.h"

VOID LogInitialize(PPACKET_LOG Log)
{
    RtlZeroMemory(Log, sizeof(*Log));
    KeInitializeSpinLock(&Log->Lock);
}

VOID LogFree(PPACKET_LOG Log)
{
    PoolFree(Log->Entry);
    Log->Entry = NULL;
    Log->Size = 0;
}

NTSTATUS LogResize(PPACKET_LOG Log, ULONG Entries)
{
    isoav_log_entry *entry, *old;
    KIRQL irql;

    if (Entries < ISOAV_LOG_ENTRIES_MIN || Entries > ISOAV_LOG_ENTRIES_MAX) {
        return STATUS_INVALID_PARAMETER;
    }
    entry = PoolAllocate(Entries * sizeof(*entry));
    if (entry == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeAcquireSpinLock(&Log->Lock, &irql);
    old = Log->Entry;
    Log->Entry = entry;
    Log->Size = Entries;
    Log->First = Log->Next;
    KeReleaseSpinLock(&Log->Lock, irql);
    PoolFree(old);
    return STATUS_SUCCESS;
}

NTSTATUS LogBegin(PPACKET_LOG Log)
{
    return Log->Entry != NULL ? STATUS_SUCCESS
                              : LogResize(Log, ISOAV_LOG_ENTRIES_DEFAULT);
}

/* The next entry, with what the entries of an URB have in common. */
static isoav_log_entry *AddLocked(PPACKET_LOG Log, const LOG_PLACE *Place,
                                  const struct _URB_ISOCH_TRANSFER *Urb)
{
    isoav_log_entry *entry = &Log->Entry[Log->Next % Log->Size];

    RtlZeroMemory(entry, sizeof(*entry));
    entry->sequence = Log->Next++;
    entry->selection = Place->Selection;
    entry->interface_number = Place->Interface;
    entry->alternate = Place->Alternate;
    entry->endpoint = Place->Endpoint;
    entry->start_frame = Urb->StartFrame;
    entry->urb_status = (ULONG)Urb->Hdr.Status;
    return entry;
}

ULONG UrbPacketBytes(const struct _URB_ISOCH_TRANSFER *Urb, ULONG Index,
                     ULONG Packets)
{
    ULONG end = Index + 1 < Packets ? Urb->IsoPacket[Index + 1].Offset
                                    : Urb->TransferBufferLength;

    return end - Urb->IsoPacket[Index].Offset;
}

VOID LogUrb(PPACKET_LOG Log, const LOG_PLACE *Place, ULONGLONG Ordinal,
            PURB Urb, ULONG Packets)
{
    const struct _URB_ISOCH_TRANSFER *urb = &Urb->UrbIsochronousTransfer;
    BOOLEAN in = (Place->Endpoint & 0x80) != 0;
    isoav_log_entry *entry;
    KIRQL irql;
    ULONG i;

    KeAcquireSpinLock(&Log->Lock, &irql);
    for (i = 0; i < Packets && Log->Size != 0; i++) {
        entry = AddLocked(Log, Place, urb);
        entry->ordinal = Ordinal + i;
        entry->packet_index = i;
        entry->packet_status = (ULONG)urb->IsoPacket[i].Status;
        entry->length =
            in ? urb->IsoPacket[i].Length : UrbPacketBytes(urb, i, Packets);
    }
    KeReleaseSpinLock(&Log->Lock, irql);
}

VOID LogRefused(PPACKET_LOG Log, const LOG_PLACE *Place, PURB Urb)
{
    isoav_log_entry *entry;
    KIRQL irql;

    KeAcquireSpinLock(&Log->Lock, &irql);
    if (Log->Size != 0) {
        entry = AddLocked(Log, Place, &Urb->UrbIsochronousTransfer);
        entry->packet_status = entry->urb_status;
    }
    KeReleaseSpinLock(&Log->Lock, irql);
}

ULONG LogRead(PPACKET_LOG Log, ULONGLONG From, isoav_log_part *Part,
              isoav_log_entry *Entries, ULONG Room)
{
    ULONGLONG at = From;
    ULONG count = 0;
    KIRQL irql;

    if (Room > LOG_READ_MOST) {
        Room = LOG_READ_MOST;
    }
    KeAcquireSpinLock(&Log->Lock, &irql);
    Part->oldest = Log->First;
    if (Log->Next - Log->First > Log->Size) {
        Part->oldest = Log->Next - Log->Size;
    }
    if (at < Part->oldest) {
        at = Part->oldest;
    }
    if (at > Log->Next) {
        at = Log->Next;
    }
    for (; at < Log->Next && count < Room; at++) {
        Entries[count++] = Log->Entry[at % Log->Size];
    }
    Part->next = at;
    Part->end = Log->Next;
    Part->entries = count;
    Part->size = Log->Size;
    KeReleaseSpinLock(&Log->Lock, irql);
    return count;
}
