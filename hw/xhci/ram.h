/*
 * Guest RAM as memory of this process.
 *
 * Most of what a controller touches is RAM, again and again the same stretch
 * of it, and finding it through QEMU's memory map costs more than the access.
 * A *view* remembers where a stretch of RAM lies.
 *
 *  1. A view is a whole section of the memory map, so that there are few: on a
 *     PC the RAM below 4 GiB and that above it.
 *  2. When the memory map changes (a BAR moves, Bus Master Enable is cleared,
 *     a memory device goes) all views are closed, and opened again by the next
 *     access.
 *  3. What is not plain RAM has no view: registers of a device, ROM, memory
 *     behind an IOMMU, memory of a Xen guest. Whoever asks for it gets NULL
 *     and goes through the memory map.
 *  4. What is written is reported to QEMU: for migration, for the display, and
 *     for code that it has translated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_RAM_H
#define IXHCI_RAM_H

#include "compat.h"

#define IXHCI_RAM_VIEWS 4

typedef struct {
    MemoryRegionCache cache;
    uint64_t gpa;
    uint64_t bytes; /* 0: closed */
    unsigned lent;  /* rule 5 */
} ixhci_ram_view;

typedef struct {
    AddressSpace *as;
    MemoryListener listener; /* rule 2 */
    ixhci_ram_view views[IXHCI_RAM_VIEWS];
    unsigned oldest;
} ixhci_ram;

void ixhci_ram_init(ixhci_ram *ram, AddressSpace *as);
void ixhci_ram_exit(ixhci_ram *ram);

/* Copies from or to RAM; false: not all of it is RAM, nothing was copied. An
 * aligned TRB is loaded from its end and stored from its beginning, so that
 * whoever sees its cycle bit sees the rest of it. bytes is not 0. */
bool ixhci_ram_load(ixhci_ram *ram, uint64_t gpa, void *buf, size_t bytes);
bool ixhci_ram_store(ixhci_ram *ram, uint64_t gpa, const void *buf,
                     size_t bytes);

/*
 * The same for longer: nothing happens to the memory before it is given back,
 * and is then said to be written as far as it was.
 */
void *ixhci_ram_lend(ixhci_ram *ram, uint64_t gpa, uint64_t bytes);
void ixhci_ram_give_back(ixhci_ram *ram, void *at, uint64_t bytes,
                         uint64_t written);

#endif
