/*
 * Puts the shim's routines into a driver's import table.
 *
 * PsSetLoadImageNotifyRoutine calls back once an image has been loaded and
 * its imports have been resolved, before its DriverEntry runs. Every image
 * that imports from ntoskrnl.exe or hal.dll gets the routines of the tables
 * below in place of Wine's, and a gate before each whose IRQL is known
 * (shim-gate.c); the driver itself is not changed, on disk or in its code.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <string.h>
#include <strings.h>

static const ShimImport *const tables[] = {
    shim_irql_imports,  shim_dpc_imports,    shim_mdl_imports,
    shim_mutex_imports, shim_print_imports,  verify_pool_imports,
    verify_irp_imports, verify_work_imports, verify_send_imports,
    shim_cancel_imports
};

static void *find_routine(const char *name)
{
    size_t i;
    const ShimImport *entry;

    for (i = 0; i < ARRAYSIZE(tables); i++) {
        for (entry = tables[i]; entry->name; entry++) {
            if (!strcmp(entry->name, name)) {
                return entry->routine;
            }
        }
    }
    return NULL;
}

static unsigned patch_library(UCHAR *base,
                              const IMAGE_IMPORT_DESCRIPTOR *library)
{
    ULONG_PTR *names = (ULONG_PTR *)(base + library->OriginalFirstThunk);
    void **addresses = (void **)(base + library->FirstThunk);
    unsigned patched = 0;
    DWORD protection;
    void *routine;
    size_t i;

    for (i = 0; names[i]; i++) {
        const IMAGE_IMPORT_BY_NAME *by_name = (void *)(base + names[i]);

        if (names[i] & IMAGE_ORDINAL_FLAG64) {
            continue;
        }
        routine = find_routine((const char *)by_name->Name);
        routine = shim_gate((const char *)by_name->Name,
                            routine ? routine : addresses[i]);
        if (routine != addresses[i] &&
            VirtualProtect(&addresses[i], sizeof(void *), PAGE_READWRITE,
                           &protection)) {
            addresses[i] = routine;
            VirtualProtect(&addresses[i], sizeof(void *), protection,
                           &protection);
            patched++;
        }
    }
    return patched;
}

static void WINAPI image_loaded(UNICODE_STRING *name, HANDLE process,
                                IMAGE_INFO *info)
{
    UCHAR *base = info->ImageBase;
    const IMAGE_DOS_HEADER *dos = (void *)base;
    const IMAGE_NT_HEADERS64 *nt = (void *)(base + dos->e_lfanew);
    const IMAGE_IMPORT_DESCRIPTOR *library;
    const IMAGE_DATA_DIRECTORY *directory =
        &nt->OptionalHeader.DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT];
    unsigned patched = 0;

    if (!directory->VirtualAddress) {
        return;
    }
    for (library = (void *)(base + directory->VirtualAddress);
         library->FirstThunk; library++) {
        const char *dll = (const char *)base + library->Name;

        if (library->OriginalFirstThunk &&
            (!strcasecmp(dll, "ntoskrnl.exe") || !strcasecmp(dll, "hal.dll"))) {
            patched += patch_library(base, library);
        }
    }
    if (patched) {
        bridge_log("driver loaded, %u of its imports are the shim's", patched);
    }
}

void shim_install(void)
{
    shim_irql_install();
    shim_dpc_install();
    shim_mutex_install();
    shim_cleanup_install();
    verify_pool_install();
    verify_irp_install();
    verify_work_install();
    if (PsSetLoadImageNotifyRoutine(image_loaded)) {
        bridge_log("the shim cannot be installed");
    }
}
