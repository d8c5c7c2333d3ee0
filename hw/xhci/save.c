/*
 * The driver's Save State and Restore State (xHCI 1.2 §4.23.2).
 *
 *  1. What is saved is what no register shows: slots, addresses, endpoints and
 *     their contexts, and where each event ring goes on. Registers are written
 *     again by the driver, root ports are not part of it.
 *  2. It is written into the Scratchpad Buffers if there are any (§4.20; SPR
 *     is 1 then, so that the driver keeps them), else kept in the controller.
 *     It does not outlive a chip reset, or R/S = 1.
 *  3. A page that comes back is a page that a guest could write: length and
 *     checksum are compared, and each record is checked like a command's input
 *     (records.c). What does not fit leaves the controller as it was: SRE.
 *  4. An endpoint that was Running is Running again, at the saved dequeue
 *     pointer, and starts at its doorbell.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

#include <libdeflate.h>

#define SAVE_MAGIC 0x32535849 /* "IXS2" */
#define PAD_BYTES 4096
#define SLOT_WORDS (3 + IXHCI_CONTEXT_WORDS)
#define EP_WORDS (3 + IXHCI_CONTEXT_WORDS)
#define PLACE_WORDS 10
#define HEAD_WORDS 3

/* A row of little-endian words, written or read from the front. */
typedef struct {
    uint32_t *words;
    size_t count;
    size_t at;
} words;

static void put(words *w, uint32_t value)
{
    w->words[w->at++] = cpu_to_le32(value);
}

static uint32_t get(words *w)
{
    return w->at < w->count ? le32_to_cpu(w->words[w->at++]) : 0;
}

static void put_contexts(words *w, uint64_t gpa, const uint32_t *context)
{
    put(w, (uint32_t)gpa);
    put(w, gpa >> 32);
    for (unsigned i = 0; i < IXHCI_CONTEXT_WORDS; i++) {
        put(w, context[i]);
    }
}

static void get_contexts(words *w, uint64_t *gpa, uint32_t *context)
{
    *gpa = get(w);
    *gpa |= (uint64_t)get(w) << 32;
    for (unsigned i = 0; i < IXHCI_CONTEXT_WORDS; i++) {
        context[i] = get(w);
    }
}

static void put64(words *w, uint64_t value)
{
    put(w, (uint32_t)value);
    put(w, value >> 32);
}

static uint64_t get64(words *w)
{
    uint64_t low = get(w);

    return low | (uint64_t)get(w) << 32;
}

static void put_place(words *w, const ixhci_event_place *place)
{
    put64(w, place->erstba);
    put64(w, place->erdp);
    put(w, place->segment_count | place->pcs << 16);
    put(w, place->segment << 16 | place->index);
    put64(w, place->posted);
    put64(w, place->loud);
}

static void get_place(words *w, ixhci_event_place *place)
{
    uint32_t word;

    place->erstba = get64(w);
    place->erdp = get64(w);
    word = get(w);
    place->segment_count = word & 0xffff;
    place->pcs = word >> 16 & 1;
    word = get(w);
    place->segment = word >> 16;
    place->index = word & 0xffff;
    place->posted = get64(w);
    place->loud = get64(w);
}

static words encode(const ixhci_records *r, const ixhci_event_place *places,
                    unsigned place_count)
{
    words w = { .count = HEAD_WORDS + place_count * PLACE_WORDS +
                         r->slot_count * SLOT_WORDS + r->ep_count * EP_WORDS };

    w.words = g_new0(uint32_t, w.count);
    put(&w, SAVE_MAGIC);
    put(&w, r->slot_count);
    put(&w, r->ep_count);
    for (unsigned i = 0; i < place_count; i++) {
        put_place(&w, &places[i]);
    }
    for (int32_t i = 0; i < r->slot_count; i++) {
        const ixhci_slot_record *slot = &r->slots[i];

        put(&w, slot->slot_id | slot->state << 8 | slot->address << 16 |
                    slot->has_device << 24);
        put_contexts(&w, slot->context_gpa, slot->words);
    }
    for (int32_t i = 0; i < r->ep_count; i++) {
        const ixhci_ep_record *ep = &r->eps[i];

        put(&w, ep->slot_id | ep->dci << 8 | ep->state << 16 | ep->ccs << 24);
        put_contexts(&w, ep->dequeue_gpa, ep->words);
    }
    return w;
}

/* False: not what encode wrote. The records are the caller's to free. */
static bool decode(words *w, ixhci_records *r, ixhci_event_place *places,
                   unsigned place_count)
{
    uint32_t magic = get(w), slots = get(w), eps = get(w);

    if (magic != SAVE_MAGIC || slots > IXHCI_MAX_SLOTS || eps > IXHCI_MAX_EPS ||
        w->count != HEAD_WORDS + place_count * PLACE_WORDS +
                        slots * SLOT_WORDS + eps * EP_WORDS) {
        return false;
    }
    for (unsigned i = 0; i < place_count; i++) {
        get_place(w, &places[i]);
    }
    r->slots = g_new0(ixhci_slot_record, slots);
    r->eps = g_new0(ixhci_ep_record, eps);
    for (; r->slot_count < (int32_t)slots; r->slot_count++) {
        ixhci_slot_record *slot = &r->slots[r->slot_count];
        uint32_t head = get(w);

        slot->slot_id = head;
        slot->state = head >> 8;
        slot->address = head >> 16;
        slot->has_device = head >> 24 & 1;
        get_contexts(w, &slot->context_gpa, slot->words);
    }
    for (; r->ep_count < (int32_t)eps; r->ep_count++) {
        ixhci_ep_record *ep = &r->eps[r->ep_count];
        uint32_t head = get(w);

        ep->slot_id = head;
        ep->dci = head >> 8;
        ep->state = head >> 16;
        ep->ccs = head >> 24 & 1;
        ep->due_uf = IXHCI_UF_NEVER; /* rule 4 */
        get_contexts(w, &ep->dequeue_gpa, ep->words);
    }
    return true;
}

/*
 * Moves bytes to or from the Scratchpad Buffers (§6.6): entry 0 of the DCBAA
 * names an array of pages.
 */
static bool move_pads(IxhciState *x, uint8_t *at, size_t bytes, bool out)
{
    uint32_t array[2], page[2];
    uint64_t gpa;

    if (bytes > (size_t)x->scratchpads * PAD_BYTES ||
        !ixhci_dma_load_words(x, x->dcbaap, array, 2)) {
        return false;
    }
    gpa = (array[0] | (uint64_t)array[1] << 32) & ~UINT64_C(0x3f);
    for (size_t done = 0; done < bytes; done += PAD_BYTES, gpa += 8) {
        size_t now = MIN(bytes - done, PAD_BYTES);
        uint64_t pad;

        if (!ixhci_dma_load_words(x, gpa, page, 2)) {
            return false;
        }
        pad = (page[0] | (uint64_t)page[1] << 32) & ~(uint64_t)(PAD_BYTES - 1);
        if (!(out ? x->dma->store(x, pad, at + done, now)
                  : x->dma->load(x, pad, at + done, now))) {
            return false;
        }
    }
    return true;
}

void ixhci_save_forget(IxhciState *x)
{
    g_free(x->kept);
    x->kept = NULL;
    x->kept_bytes = 0;
    x->kept_crc = 0;
}

bool ixhci_save_state(IxhciState *x)
{
    ixhci_event_place places[IXHCI_MAX_INTRS];
    ixhci_records r = { 0 };
    bool done = true;
    words w;

    ixhci_save_forget(x);
    ixhci_records_take(x, &r);
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_take_place(x, i, &places[i]);
    }
    w = encode(&r, places, x->num_intrs);
    ixhci_records_free(&r);
    if (x->scratchpads) {
        done = move_pads(x, (uint8_t *)w.words, w.count * 4, true);
    }
    if (done) {
        x->kept_bytes = w.count * 4;
        x->kept_crc = libdeflate_crc32(0, w.words, x->kept_bytes) | 1;
    }
    if (done && !x->scratchpads) {
        x->kept = (uint8_t *)w.words;
    } else {
        g_free(w.words);
    }
    trace_ixhci_save(x->kept_bytes, done);
    return done;
}

static bool fetch(IxhciState *x, words *w)
{
    w->count = x->kept_bytes / 4;
    w->words = g_new0(uint32_t, w->count);
    if (!x->scratchpads) {
        memcpy(w->words, x->kept, x->kept_bytes);
        return true;
    }
    return move_pads(x, (uint8_t *)w->words, x->kept_bytes, false) &&
           (libdeflate_crc32(0, w->words, x->kept_bytes) | 1) == x->kept_crc;
}

static bool give(IxhciState *x, const ixhci_records *r,
                 const ixhci_event_place *places)
{
    for (unsigned i = 0; i < x->num_intrs; i++) {
        if (!ixhci_event_is_place(x, i, &places[i])) {
            return false;
        }
    }
    if (!ixhci_records_give(x, r)) {
        return false;
    }
    for (unsigned i = 0; i < x->num_intrs; i++) {
        ixhci_event_give_place(x, i, &places[i]);
    }
    return true;
}

bool ixhci_save_restore(IxhciState *x)
{
    ixhci_event_place places[IXHCI_MAX_INTRS];
    ixhci_records r = { 0 };
    words w = { 0 };
    bool done = x->kept_crc && fetch(x, &w) &&
                decode(&w, &r, places, x->num_intrs) && give(x, &r, places);

    g_free(w.words);
    ixhci_records_free(&r);
    ixhci_save_forget(x);
    trace_ixhci_restore(done);
    return done;
}
