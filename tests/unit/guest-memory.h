/*
 * Guest memory for the unit tests: TRBs at the addresses where a test puts
 * them and nothing anywhere else, so that a load from a wrong address fails.
 * The words are written as in the tables of xHCI 1.2 §6.4, in hex.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_UNIT_GUEST_MEMORY_H
#define ISOLAB_UNIT_GUEST_MEMORY_H

#include <glib.h>
#include <string.h>

#include "hw/xhci/ring.h"

/* DW3, from the figures of §6.4 and not from xhci.h. */
#define D3_C 0x001u
#define D3_TC 0x002u
#define D3_ENT 0x002u
#define D3_ISP 0x004u
#define D3_CH 0x010u
#define D3_IOC 0x020u
#define D3_IDT 0x040u
#define D3_BEI 0x200u
#define D3_IN 0x10000u
#define D3_SIA 0x80000000u
#define D3_FRAME(id) ((uint32_t)(id) << 20)
#define D3_TYPE(type) ((uint32_t)(type) << 10)
#define D3_NORMAL D3_TYPE(1)
#define D3_SETUP D3_TYPE(2)
#define D3_DATA D3_TYPE(3)
#define D3_STATUS D3_TYPE(4)
#define D3_ISOCH D3_TYPE(5)
#define D3_LINK D3_TYPE(6)
#define D3_EVENT_DATA D3_TYPE(7)
#define D3_NOOP D3_TYPE(8)

/* Endpoint types, Table 6-9. */
enum { ISO_OUT = 1, BULK_OUT, INT_OUT, CONTROL, ISO_IN, BULK_IN, INT_IN };

typedef struct {
    GHashTable *trbs;
    unsigned loads;
    uint64_t last_gpa;
} guest_memory;

static inline void guest_memory_init(guest_memory *m)
{
    memset(m, 0, sizeof(*m));
    m->trbs =
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
}

static inline void guest_memory_free(guest_memory *m)
{
    g_hash_table_destroy(m->trbs);
}

static inline void guest_put(guest_memory *m, uint64_t gpa, xhci_trb trb)
{
    uint64_t *key = g_new(uint64_t, 1);
    xhci_trb *value = g_new(xhci_trb, 1);

    *key = gpa;
    *value = trb;
    g_hash_table_replace(m->trbs, key, value);
}

static inline void guest_put_link(guest_memory *m, uint64_t gpa, uint64_t to,
                                  uint32_t dw3)
{
    guest_put(
        m, gpa,
        (xhci_trb){ { (uint32_t)to, (uint32_t)(to >> 32), 0, D3_LINK | dw3 } });
}

/* An ixhci_load_trb. */
static inline bool guest_load(void *opaque, uint64_t gpa, xhci_trb *trb)
{
    guest_memory *m = opaque;
    const xhci_trb *found = g_hash_table_lookup(m->trbs, &gpa);

    m->loads++;
    m->last_gpa = gpa;
    if (found) {
        *trb = *found;
    }
    return found;
}

#endif
