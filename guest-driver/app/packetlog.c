/* SPDX-License-Identifier: MIT */
#include "packetlog.h"

#include <inttypes.h>

#include "usbdname.h"

bool packetlog_is_good(const isoav_log_entry *entry)
{
    return entry->packet_status == 0 && entry->urb_status == 0;
}

static const char *direction(const isoav_log_entry *entry)
{
    return entry->endpoint & 0x80 ? "in" : "out";
}

void packetlog_heading(FILE *to)
{
    fputs("  selection  endpoint      ordinal       frame packet  length  "
          "packet status (URB status)\n",
          to);
}

void packetlog_text(FILE *to, const isoav_log_entry *entry)
{
    char packet[32], urb[32];

    usbd_status_text(packet, entry->packet_status);
    usbd_status_text(urb, entry->urb_status);
    fprintf(to,
            "%6" PRIu32 " %u.%u  %2u %-3s %16" PRIu64 " %11" PRIu32 " %6" PRIu32
            " %7" PRIu32 "  %s (%s)\n",
            entry->selection, entry->interface_number, entry->alternate,
            entry->endpoint & 0x0fu, direction(entry), entry->ordinal,
            entry->start_frame, entry->packet_index, entry->length, packet,
            urb);
}

void packetlog_json(FILE *to, const isoav_log_entry *entry)
{
    char packet[32], urb[32];

    usbd_status_text(packet, entry->packet_status);
    usbd_status_text(urb, entry->urb_status);
    fprintf(to,
            "{\"sequence\":%" PRIu64 ",\"selection\":%" PRIu32
            ",\"interface\":%u,\"alternate\":%u,\"endpoint\":%u,"
            "\"direction\":\"%s\",\"ordinal\":%" PRIu64
            ",\"start_frame\":%" PRIu32 ",\"packet\":%" PRIu32
            ",\"status\":\"%s\",\"status_code\":\"%08" PRIx32
            "\",\"length\":%" PRIu32 ",\"urb_status\":\"%s\","
            "\"urb_status_code\":\"%08" PRIx32 "\"}\n",
            entry->sequence, entry->selection, entry->interface_number,
            entry->alternate, entry->endpoint & 0x0fu, direction(entry),
            entry->ordinal, entry->start_frame, entry->packet_index, packet,
            entry->packet_status, entry->length, urb, entry->urb_status);
}
