/*
 * Guest memory: the one border between its byte order and ours.
 *
 * Everything the controller loads or stores passes here. dma_depth marks the
 * time in which an access to our own registers can only be the echo of such
 * an access, and is dropped (rule 5 of core.h). Plain RAM, which is all that a
 * driver ever uses, is accessed where it lies (ram.h).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"
#include "trace-hw_xhci.h"

static bool guest_load(IxhciState *x, uint64_t gpa, void *buf, size_t bytes)
{
    MemTxResult result;

    if (ixhci_ram_load(&x->ram, gpa, buf, bytes)) {
        return true;
    }
    x->dma_depth++;
    result = pci_dma_read(&x->parent_obj, gpa, buf, bytes);
    x->dma_depth--;
    if (result != MEMTX_OK) {
        trace_ixhci_dma_error(gpa, bytes, "load");
        memset(buf, 0, bytes);
    }
    return result == MEMTX_OK;
}

static bool guest_store(IxhciState *x, uint64_t gpa, const void *buf,
                        size_t bytes)
{
    /* of a TRB the cycle bit comes last, here too (ram.h) */
    size_t first = bytes == XHCI_TRB_BYTES ? bytes - sizeof(uint32_t) : bytes;
    MemTxResult result;

    if (ixhci_ram_store(&x->ram, gpa, buf, bytes)) {
        return true;
    }
    x->dma_depth++;
    result = pci_dma_write(&x->parent_obj, gpa, buf, first);
    if (result == MEMTX_OK && first < bytes) {
        result = pci_dma_write(&x->parent_obj, gpa + first,
                               (const uint8_t *)buf + first, bytes - first);
    }
    x->dma_depth--;
    if (result != MEMTX_OK) {
        trace_ixhci_dma_error(gpa, bytes, "store");
    }
    return result == MEMTX_OK;
}

static void *guest_lend(IxhciState *x, uint64_t gpa, size_t bytes)
{
    return ixhci_ram_lend(&x->ram, gpa, bytes);
}

static void guest_give_back(IxhciState *x, void *at, size_t bytes,
                            size_t written)
{
    ixhci_ram_give_back(&x->ram, at, bytes, written);
}

const ixhci_dma_ops ixhci_dma_guest = {
    .load = guest_load,
    .store = guest_store,
    .lend = guest_lend,
    .give_back = guest_give_back,
};

bool ixhci_dma_load_words(IxhciState *x, uint64_t gpa, uint32_t *words,
                          size_t count)
{
    bool done = x->dma->load(x, gpa, words, count * sizeof(*words));

    for (size_t i = 0; i < count; i++) {
        words[i] = le32_to_cpu(words[i]);
    }
    return done;
}

bool ixhci_dma_store_words(IxhciState *x, uint64_t gpa, const uint32_t *words,
                           size_t count)
{
    uint32_t wire[16];

    g_assert(count <= ARRAY_SIZE(wire));
    for (size_t i = 0; i < count; i++) {
        wire[i] = cpu_to_le32(words[i]);
    }
    return x->dma->store(x, gpa, wire, count * sizeof(*wire));
}

/*
 * TRBs as they are in memory, only to learn when to load them. Not a part of
 * the bus's traffic: a failure is silent and no filter sees it.
 */
bool ixhci_dma_peek(IxhciState *x, uint64_t gpa, xhci_trb *trbs, size_t count)
{
    MemTxResult result;

    if (ixhci_ram_load(&x->ram, gpa, trbs, count * sizeof(*trbs))) {
        return true;
    }
    x->dma_depth++;
    result = pci_dma_read(&x->parent_obj, gpa, trbs, count * sizeof(*trbs));
    x->dma_depth--;
    return result == MEMTX_OK;
}

bool ixhci_dma_load_trb(void *opaque, uint64_t gpa, xhci_trb *trb)
{
    return ixhci_dma_load_words(opaque, gpa, trb->dw, ARRAY_SIZE(trb->dw));
}

/* xHCI 1.2 §4.9.2: the cycle bit becomes visible last. */
bool ixhci_dma_store_trb(IxhciState *x, uint64_t gpa, const xhci_trb *trb)
{
    return ixhci_dma_store_words(x, gpa, trb->dw, ARRAY_SIZE(trb->dw));
}
