/*
 * Stream Context Arrays. The rules are in stream-context.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "stream-context.h"

/* xHCI 1.2 Table 6-13: entries of a Secondary Stream Array, 8 to 256. */
static unsigned secondary_entries(unsigned sct)
{
    return sct >= SCT_SECONDARY_8 ? 8u << (sct - SCT_SECONDARY_8) : 0;
}

static bool load_context(ixhci_stream_place *place, uint64_t gpa,
                         ixhci_load_trb load, void *opaque)
{
    xhci_trb words;

    if (!load(opaque, gpa, &words)) {
        return false;
    }
    place->gpa = gpa;
    place->sct = (uint8_t)xhci_get(words.dw[0], STREAM_SCT);
    place->ring = ixhci_ring_at(ixhci_trb_pointer(&words));
    return true;
}

static uint64_t entry_gpa(uint64_t array_gpa, unsigned index)
{
    return array_gpa + (uint64_t)index * IXHCI_STREAM_CONTEXT_BYTES;
}

unsigned ixhci_stream_find(ixhci_stream_place *place,
                           const ixhci_stream_arrays *arrays,
                           unsigned stream_id, ixhci_load_trb load,
                           void *opaque)
{
    unsigned primaries = ixhci_stream_primaries(arrays->max_pstreams);
    unsigned primary = stream_id, secondary = 0;

    if (!arrays->lsa) {
        primary = stream_id % primaries;
        secondary = stream_id / primaries;
    }
    if (primary == 0 || primary >= primaries || stream_id >= STREAM_ID_PRIME) {
        return CC_INVALID_STREAM_ID;
    }
    place->is_secondary = false;
    if (!load_context(place, entry_gpa(arrays->array_gpa, primary), load,
                      opaque)) {
        return CC_UNDEFINED;
    }
    if (arrays->lsa || (!secondary && place->sct < SCT_SECONDARY_8)) {
        return CC_SUCCESS;
    }
    if (place->sct < SCT_SECONDARY_8) {
        return CC_INVALID_STREAM_TYPE; /* no array to look into */
    }
    if (secondary >= secondary_entries(place->sct)) {
        return CC_INVALID_STREAM_ID;
    }
    place->is_secondary = true;
    return load_context(place, entry_gpa(place->ring.dequeue_gpa, secondary),
                        load, opaque)
               ? CC_SUCCESS
               : CC_UNDEFINED;
}

bool ixhci_stream_type_is_ring(const ixhci_stream_place *place, unsigned sct)
{
    return sct == (place->is_secondary ? SCT_SECONDARY_RING : SCT_PRIMARY_RING);
}
