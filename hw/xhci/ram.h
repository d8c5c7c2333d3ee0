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
 *  4. What was written must be said (ixhci_ram_written): for migration, for
 *     the display, and for code that QEMU has translated.
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
} ixhci_ram_view;

typedef struct {
    AddressSpace *as;
    MemoryListener listener; /* rule 2 */
    ixhci_ram_view views[IXHCI_RAM_VIEWS];
    unsigned oldest;
} ixhci_ram;

void ixhci_ram_init(ixhci_ram *ram, AddressSpace *as);
void ixhci_ram_exit(ixhci_ram *ram);

/*
 * The RAM at gpa..gpa + bytes - 1, or NULL. It is good until QEMU's memory
 * map can change: not beyond the call that asked. bytes is not 0.
 */
void *ixhci_ram_find(ixhci_ram *ram, uint64_t gpa, uint64_t bytes);

/* Rule 4, of memory that ixhci_ram_find has just found. */
void ixhci_ram_written(ixhci_ram *ram, uint64_t gpa, uint64_t bytes);

#endif
