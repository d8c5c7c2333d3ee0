/*
 * What the engine remembers of endpoints: the rule of the packet that is on the
 * bus, a TD that is kept back, ESITs that are to be missed. An entry is made
 * when a rule fires, and its parts mean something only for the TD that they
 * were made for: a driver may have moved on meanwhile.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "engine.h"

static gpointer key_of(unsigned slot_id, unsigned dci, unsigned stream)
{
    return GUINT_TO_POINTER(slot_id << 24 | dci << 16 | stream);
}

void fault_ep_drop_stash(fault_engine *e, fault_ep *fe)
{
    e->stashed -= fe->count;
    e->late -= fe->is_late;
    g_clear_pointer(&fe->bytes, g_free);
    fe->count = 0;
    fe->is_late = false;
}

static void free_ep(fault_engine *e, fault_ep *fe)
{
    fault_ep_drop_stash(e, fe);
    g_free(fe);
}

fault_ep *fault_ep_new(fault_engine *e, unsigned slot_id, unsigned dci,
                       unsigned stream)
{
    gpointer key = key_of(slot_id, dci, stream);
    fault_ep *fe = g_hash_table_lookup(e->eps, key);

    if (!fe) {
        fe = g_new0(fault_ep, 1);
        fe->slot_id = slot_id;
        fe->dci = dci;
        fe->stream = stream;
        g_hash_table_insert(e->eps, key, fe);
    }
    return fe;
}

fault_ep *fault_ep_get(fault_engine *e, const ixhci_ep *ep, bool create)
{
    if (create) {
        return fault_ep_new(e, ep->slot->slot_id, ep->dci, ep->stream_id);
    }
    return g_hash_table_lookup(
        e->eps, key_of(ep->slot->slot_id, ep->dci, ep->stream_id));
}

void fault_ep_wake(fault_engine *e, unsigned slot_id, unsigned dci,
                   unsigned stream)
{
    ixhci_slot *slot = ixhci_slot_get(e->x, slot_id);

    if (slot && dci >= 1 && dci <= IXHCI_MAX_DCI && slot->eps[dci]) {
        ixhci_pipeline_wakeup(slot->eps[dci], stream);
    }
}

void fault_ep_forget_all(fault_engine *e)
{
    GHashTableIter iter;
    gpointer fe;

    g_hash_table_iter_init(&iter, e->eps);
    while (g_hash_table_iter_next(&iter, NULL, &fe)) {
        g_hash_table_iter_steal(&iter);
        free_ep(e, fe);
    }
}

/* The plan goes, and no TD is kept back. An answer that is kept stays until
 * its TD has asked for it. */
void fault_ep_wake_all(fault_engine *e)
{
    GHashTableIter iter;
    gpointer value;

    g_hash_table_iter_init(&iter, e->eps);
    while (g_hash_table_iter_next(&iter, NULL, &value)) {
        fault_ep *fe = value;
        bool waits = fe->held || fe->is_late;
        unsigned slot_id = fe->slot_id, dci = fe->dci, stream = fe->stream;

        fe->until_uf = 0;
        fe->held = fe->flight = fe->carried = fe->misses = NULL;
        if (!fe->is_late) {
            g_hash_table_iter_remove(&iter);
            free_ep(e, fe);
        }
        if (waits) {
            fault_ep_wake(e, slot_id, dci, stream);
        }
    }
}
