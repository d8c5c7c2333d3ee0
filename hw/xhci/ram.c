/*
 * Views of guest RAM. The rules are in ram.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "ram.h"

#include "isolab/xhci.h"

/* Rule 5. */
static void close_view(ixhci_ram_view *view)
{
    if (view->bytes) {
        for (; view->lent; view->lent--) {
            memory_region_ref(view->cache.mrs.mr);
        }
        address_space_cache_destroy(&view->cache);
        view->bytes = 0;
    }
}

/* Rule 2. */
static void map_has_changed(MemoryListener *listener)
{
    ixhci_ram *ram = container_of(listener, ixhci_ram, listener);

    for (unsigned i = 0; i < IXHCI_RAM_VIEWS; i++) {
        close_view(&ram->views[i]);
    }
}

void ixhci_ram_init(ixhci_ram *ram, AddressSpace *as)
{
    ram->as = as;
    ram->listener.commit = map_has_changed;
    ram->listener.name = "ixhci";
    memory_listener_register(&ram->listener, as);
}

void ixhci_ram_exit(ixhci_ram *ram)
{
    memory_listener_unregister(&ram->listener);
    map_has_changed(&ram->listener);
}

static bool holds(const ixhci_ram_view *view, uint64_t gpa, uint64_t bytes)
{
    uint64_t offset = gpa - view->gpa;

    return offset < view->bytes && bytes <= view->bytes - offset;
}

/* Rule 3. Is the memory the same for reading and for writing, and ours? */
static bool is_plain(const MemoryRegionCache *cache)
{
    return cache->ptr && qemu_ram_get_host_addr(cache->mrs.mr->ram_block);
}

/* Rule 1: the section that gpa lies in, from its beginning to its end. */
static bool open_view(ixhci_ram *ram, ixhci_ram_view *view, uint64_t gpa)
{
    MemoryRegionCache cache;
    uint64_t start, bytes;
    bool plain;

    address_space_cache_init(&cache, ram->as, gpa, 1, true);
    start = cache.mrs.offset_within_address_space;
    bytes = int128_get64(int128_min(cache.mrs.size, int128_make64(INT64_MAX)));
    plain = is_plain(&cache);
    address_space_cache_destroy(&cache);
    if (!plain) {
        return false;
    }
    close_view(view);
    view->gpa = start;
    view->bytes =
        address_space_cache_init(&view->cache, ram->as, start, bytes, true);
    return true;
}

static ixhci_ram_view *find_view(ixhci_ram *ram, uint64_t gpa, uint64_t bytes)
{
    ixhci_ram_view *view;

    for (unsigned i = 0; i < IXHCI_RAM_VIEWS; i++) {
        if (holds(&ram->views[i], gpa, bytes)) {
            return &ram->views[i];
        }
    }
    view = &ram->views[ram->oldest];
    if (!open_view(ram, view, gpa)) {
        return NULL;
    }
    ram->oldest = (ram->oldest + 1) % IXHCI_RAM_VIEWS;
    return holds(view, gpa, bytes) ? view : NULL;
}

static bool is_trb(const void *ram, size_t bytes)
{
    return bytes == XHCI_TRB_BYTES && QEMU_PTR_IS_ALIGNED(ram, XHCI_TRB_BYTES);
}

bool ixhci_ram_load(ixhci_ram *ram, uint64_t gpa, void *buf, size_t bytes)
{
    ixhci_ram_view *view = find_view(ram, gpa, bytes);
    const void *from;
    uint64_t trb[2];

    if (!view) {
        return false;
    }
    from = (uint8_t *)view->cache.ptr + (gpa - view->gpa);
    if (is_trb(from, bytes)) {
        trb[1] = qatomic_read((const uint64_t *)from + 1);
        smp_rmb();
        trb[0] = qatomic_read((const uint64_t *)from);
        memcpy(buf, trb, sizeof(trb));
    } else {
        smp_rmb();
        memcpy(buf, from, bytes);
    }
    return true;
}

bool ixhci_ram_store(ixhci_ram *ram, uint64_t gpa, const void *buf,
                     size_t bytes)
{
    ixhci_ram_view *view = find_view(ram, gpa, bytes);
    uint64_t trb[2];
    void *to;

    if (!view) {
        return false;
    }
    to = (uint8_t *)view->cache.ptr + (gpa - view->gpa);
    smp_wmb();
    if (is_trb(to, bytes)) {
        memcpy(trb, buf, sizeof(trb));
        qatomic_set((uint64_t *)to, trb[0]);
        smp_wmb();
        qatomic_set((uint64_t *)to + 1, trb[1]);
    } else {
        memcpy(to, buf, bytes);
    }
    /* rule 4 */
    address_space_cache_invalidate(&view->cache, gpa - view->gpa, bytes);
    return true;
}

void *ixhci_ram_lend(ixhci_ram *ram, uint64_t gpa, uint64_t bytes)
{
    ixhci_ram_view *view = find_view(ram, gpa, bytes);

    if (!view) {
        return NULL;
    }
    view->lent++;
    return (uint8_t *)view->cache.ptr + (gpa - view->gpa);
}

/* Where `at` is seen now; of two such views the one that has lent (rule 5). */
static ixhci_ram_view *view_of(ixhci_ram *ram, const void *at)
{
    ixhci_ram_view *found = NULL;

    for (unsigned i = 0; i < IXHCI_RAM_VIEWS; i++) {
        ixhci_ram_view *view = &ram->views[i];
        uint64_t offset = (uint8_t *)at - (uint8_t *)view->cache.ptr;

        if (offset < view->bytes && (!found || !found->lent)) {
            found = view;
        }
    }
    return found;
}

/* The memory may have moved since; QEMU then finds out what it was. */
void ixhci_ram_give_back(ixhci_ram *ram, void *at, uint64_t bytes,
                         uint64_t written)
{
    ixhci_ram_view *view = view_of(ram, at);

    if (!view) {
        address_space_unmap(ram->as, at, bytes, written > 0, written);
        return;
    }
    if (written) {
        address_space_cache_invalidate(
            &view->cache, (uint8_t *)at - (uint8_t *)view->cache.ptr, written);
    }
    if (view->lent) {
        view->lent--;
    } else {
        memory_region_unref(view->cache.mrs.mr);
    }
}
