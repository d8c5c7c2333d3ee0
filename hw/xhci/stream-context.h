/*
 * Stream Context Arrays: where the transfer ring of a stream is (xHCI 1.2
 * §4.12.2, §6.2.4). Pure: memory is reached through a load function.
 *
 *  1. With Linear Stream Array (LSA) a Stream ID is an index into the Primary
 *     Stream Array. Without, its low bits are, and the others are an index into
 *     the Secondary Stream Array that the primary entry may point to.
 *  2. Entry 0 of the primary array is reserved, and so is every Stream ID that
 *     would lead to it, and FFFEh and FFFFh (USB 3.2 §8.12.1.4.2).
 *  3. Stream Context Type (SCT) says what a Stream Context points to. One that
 *     has no place where it stands is an Invalid Stream Type Error.
 *  4. An index is held against the size of its array before anything is
 *     loaded. Each Stream Context is loaded once: two at most for a stream.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_STREAM_CONTEXT_H
#define IXHCI_STREAM_CONTEXT_H

#include "ring.h"

#define IXHCI_STREAM_CONTEXT_BYTES 16

/* xHCI 1.2 §6.2.3: the arrays of an endpoint, from its Endpoint Context. */
typedef struct {
    uint64_t array_gpa;
    uint8_t max_pstreams; /* the primary array has 2^(it + 1) entries */
    bool lsa;
} ixhci_stream_arrays;

/* Where a stream's context is, and what it says. */
typedef struct {
    uint64_t gpa;
    bool is_secondary;
    uint8_t sct; /* SCT_* */
    ixhci_ring ring;
} ixhci_stream_place;

/* Entries of the primary array, the reserved one included. */
static inline unsigned ixhci_stream_primaries(unsigned max_pstreams)
{
    return 2u << max_pstreams;
}

/*
 * Finds the Stream Context of a stream. CC_SUCCESS, CC_INVALID_STREAM_ID,
 * CC_INVALID_STREAM_TYPE (of the primary entry on the way), or CC_UNDEFINED
 * when memory could not be read. place->sct is not judged.
 */
unsigned ixhci_stream_find(ixhci_stream_place *place,
                           const ixhci_stream_arrays *arrays,
                           unsigned stream_id, ixhci_load_trb load,
                           void *opaque);

/* Rule 3: does this SCT say, where it stands, that there is a ring? */
bool ixhci_stream_type_is_ring(const ixhci_stream_place *place, unsigned sct);

#endif
