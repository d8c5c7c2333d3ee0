/*
 * MDLs. A driver under Wine shares one address space with everything that its
 * MDLs describe, so mapping one means giving the address that it was made
 * from; nothing is ever paged in a way that the driver could see. Wine leaves
 * these routines empty, and a NULL system address would follow.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

static void *mdl_address(const MDL *mdl)
{
    return (UCHAR *)mdl->StartVa + mdl->ByteOffset;
}

static void WINAPI build_nonpaged(MDL *mdl)
{
    mdl->MappedSystemVa = mdl_address(mdl);
    mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

static void *WINAPI map_locked(MDL *mdl, KPROCESSOR_MODE mode,
                               MEMORY_CACHING_TYPE cache, void *base,
                               ULONG bug_check, MM_PAGE_PRIORITY priority)
{
    if (mode == UserMode) {
        shim_check_case("MmMapLockedPagesSpecifyCache:user");
    }
    mdl->MappedSystemVa = mdl_address(mdl);
    mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
    return mdl->MappedSystemVa;
}

static void *WINAPI map_locked_cached(MDL *mdl, KPROCESSOR_MODE mode)
{
    return map_locked(mdl, mode, MmCached, NULL, FALSE, NormalPagePriority);
}

static void WINAPI unmap_locked(void *address, MDL *mdl)
{
    mdl->MdlFlags &= ~MDL_MAPPED_TO_SYSTEM_VA;
}

static void WINAPI probe_and_lock(MDL *mdl, KPROCESSOR_MODE mode,
                                  LOCK_OPERATION operation)
{
    mdl->MdlFlags |= MDL_PAGES_LOCKED;
}

static void WINAPI unlock(MDL *mdl)
{
    mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}

static void WINAPI build_partial(MDL *source, MDL *target, void *address,
                                 ULONG bytes)
{
    ULONG_PTR end = (ULONG_PTR)mdl_address(source) + source->ByteCount;
    ULONG_PTR start = (ULONG_PTR)address;

    if (bytes == 0) {
        bytes = (ULONG)(end - start);
    }
    if (start < (ULONG_PTR)mdl_address(source) || start + bytes > end) {
        bridge_log("verifier: IoBuildPartialMdl outside its source");
    }
    target->StartVa = (void *)(start & ~(ULONG_PTR)(PAGE_SIZE - 1));
    target->ByteOffset = start & (PAGE_SIZE - 1);
    target->ByteCount = bytes;
    target->MappedSystemVa = address;
    target->MdlFlags |= MDL_PARTIAL | MDL_MAPPED_TO_SYSTEM_VA;
}

const ShimImport shim_mdl_imports[] = {
    { "IoBuildPartialMdl", build_partial },
    { "MmBuildMdlForNonPagedPool", build_nonpaged },
    { "MmMapLockedPages", map_locked_cached },
    { "MmMapLockedPagesSpecifyCache", map_locked },
    { "MmProbeAndLockPages", probe_and_lock },
    { "MmUnlockPages", unlock },
    { "MmUnmapLockedPages", unmap_locked },
    { NULL, NULL },
};
