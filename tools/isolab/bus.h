/*
 * The bus, as a capture shows it: one row a packet, in the order in which
 * packets were queued to their endpoint.
 *
 *  1. A packet is one isochronous descriptor, or the whole URB of another
 *     transfer. A record that says 'S' makes rows, the 'C' of the same id
 *     completes them; a 'C' without 'S' (the capture began later) makes and
 *     completes them at once.
 *  2. An endpoint's ordinals begin at 1, and anew when its interface's
 *     alternate setting or the device's configuration is selected (SET_
 *     INTERFACE, SET_CONFIGURATION), which is when the controller configures
 *     the endpoint. Which interface an endpoint is of is not in a record: one
 *     that goes on without a pause of QUIET_NS was not meant.
 *  3. An URB of n packets completes once, with the last; the others' time is
 *     counted back from it by the service interval.
 *  4. No more than BUS_PACKETS_MAX rows are kept; the rest is counted.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_BUS_H
#define ISOLAB_BUS_H

#include "effect.h"
#include "observation.h"
#include "pcap.h"

#define UF_NS 125000
#define BUS_PACKETS_MAX (8u << 20)
#define BUS_ENDPOINTS_MAX 4096
#define QUIET_NS (2 * 1000 * 1000)

typedef struct {
    int64_t submit_ns;   /* -1: not in the capture */
    int64_t complete_ns; /* -1: neither */
    uint64_t ordinal;
    uint32_t selection;
    uint32_t bytes;
    int32_t status; /* negative errno */
    uint16_t lane;  /* index of its endpoint */
} bus_packet;

/* An endpoint, with what is known of it in sum. */
typedef struct {
    uint16_t bus;
    uint8_t device;
    uint8_t address;
    uint8_t type;     /* USBMON_* */
    int32_t interval; /* as the last URB had it */
    uint64_t packets, bytes, failed, shortest, longest;
    uint64_t by_effect[EFFECTS];
    int64_t first_ns, last_ns; /* of completions */
    uint64_t next_ordinal;
    uint32_t selection;
    int64_t seen_ns;  /* of the last record */
    bool is_selected; /* an alternate was, since then */
} bus_lane;

typedef struct {
    GArray *packets; /* bus_packet, by time of queueing */
    GArray *lanes;   /* bus_lane */
    uint64_t records, dropped;
    int64_t first_ns, last_ns;
    bool truncated;
} bus;

/* Reads all records. NULL with an error. */
bus *bus_read(pcap *p, GError **error);
void bus_free(bus *b);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bus, bus_free)

static inline const bus_packet *bus_at(const bus *b, unsigned i)
{
    return &g_array_index(b->packets, bus_packet, i);
}

static inline const bus_lane *bus_lane_at(const bus *b, unsigned i)
{
    return &g_array_index(b->lanes, bus_lane, i);
}

/* "1.2 EP 1 IN isochronous". The caller frees it. */
char *bus_lane_name(const bus_lane *lane);

/*
 * The isochronous packets as a witness. From the bus, time is that of a fault
 * log, and what happens to events and interrupts is not to be seen; otherwise
 * the capture is one of the guest's own.
 */
witness *bus_witness(const bus *b, bool from_bus);

#endif
