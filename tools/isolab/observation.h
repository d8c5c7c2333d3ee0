/*
 * What somebody saw of a packet: one row of a driver's log, of a capture or
 * of the kernel's messages, in a form that they have in common.
 *
 * `ordinal` counts the packets that were queued to an endpoint since it was
 * configured, from 1, which is also the number of the isochronous TD (one
 * packet, one TD): `td` in the log of a fault plan. It begins anew with each
 * `selection` of an alternate setting or a configuration.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_OBSERVATION_H
#define ISOLAB_OBSERVATION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t uf;         /* microframe of virtual time; -1: not known */
    uint64_t ordinal;   /* 0: of no packet */
    uint32_t selection; /* 0: not known */
    uint32_t effects;   /* mask of EFFECT_BIT; none: all is well */
    uint32_t line;      /* of the source, from 1 */
    uint8_t device;     /* USB address; 0: not known */
    uint8_t address;    /* endpoint, bit 7 set for IN; 0: not known */
    bool requested;     /* a status that the driver's side made itself: a
                           packet that it took back, a stream that it stopped */
    int64_t length;     /* bytes; -1: not known */
    const char *text;   /* the source's own words; interned or static */
} observation;

/* One source: where it is from, and what it saw, in its own order. */
typedef struct {
    char *name;         /* "isoav.sys", "capture", "dmesg" */
    GArray *rows;       /* observation */
    uint64_t forgotten; /* rows that were overwritten before they were read */
    bool every_packet;  /* also those that went well are in it */
    bool partial;       /* what is not in it may have been all the same */
    bool is_bus;        /* sees the bus, and not what becomes of events */
} witness;

witness *witness_new(const char *name, bool every_packet);
void witness_free(witness *w);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(witness, witness_free)

static inline const observation *witness_row(const witness *w, unsigned i)
{
    return &g_array_index(w->rows, observation, i);
}

#endif
