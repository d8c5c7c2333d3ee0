/*
 * What the bridge's shim supplies: IRQL, spin locks, DPCs, MDLs.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "urbtest.h"

static KDPC dpc;
static KEVENT dpc_ran;
static KIRQL dpc_irql;
static ULONG dpc_runs;

static void NTAPI run_dpc(PKDPC self, PVOID context, PVOID arg1, PVOID arg2)
{
    dpc_irql = KeGetCurrentIrql();
    dpc_runs++;
    if (context == &dpc_runs && arg1 == &dpc && arg2 == NULL) {
        KeSetEvent(&dpc_ran, IO_NO_INCREMENT, FALSE);
    }
}

static void dpc_cases(void)
{
    LARGE_INTEGER second = { .QuadPart = -10 * 1000 * 1000 };
    NTSTATUS status;

    KeInitializeEvent(&dpc_ran, NotificationEvent, FALSE);
    KeInitializeDpc(&dpc, run_dpc, &dpc_runs);
    KeInsertQueueDpc(&dpc, &dpc, NULL);
    status =
        KeWaitForSingleObject(&dpc_ran, Executive, KernelMode, FALSE, &second);
    check(status == STATUS_SUCCESS, "a DPC runs, with its arguments", status,
          STATUS_SUCCESS);
    KeFlushQueuedDpcs();
    check(dpc_runs == 1, "once", (LONG)dpc_runs, 1);
    check(dpc_irql == DISPATCH_LEVEL, "at DISPATCH_LEVEL", dpc_irql,
          DISPATCH_LEVEL);
}

static void lock_cases(void)
{
    KSPIN_LOCK lock;
    KIRQL before = KeGetCurrentIrql(), held, irql;

    check(before == PASSIVE_LEVEL, "a device is started at PASSIVE_LEVEL",
          before, PASSIVE_LEVEL);
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    held = KeGetCurrentIrql();
    KeReleaseSpinLock(&lock, irql);
    check(held == DISPATCH_LEVEL, "a spin lock raises the IRQL", held,
          DISPATCH_LEVEL);
    check(KeGetCurrentIrql() == before, "and gives it back", KeGetCurrentIrql(),
          before);
}

static void mdl_cases(Device *device)
{
    PUCHAR at = device->buffer + 100;
    PMDL whole = IoAllocateMdl(at, 10000, FALSE, FALSE, NULL);
    PMDL part = IoAllocateMdl(at + 5000, 200, FALSE, FALSE, NULL);
    PVOID address;

    MmBuildMdlForNonPagedPool(whole);
    address = MmGetSystemAddressForMdlSafe(whole, NormalPagePriority);
    check(address == at, "an MDL of pool is mapped", (LONG)(LONG_PTR)address,
          (LONG)(LONG_PTR)at);
    IoBuildPartialMdl(whole, part, at + 5000, 200);
    address = MmGetSystemAddressForMdlSafe(part, NormalPagePriority);
    check(address == at + 5000, "and so is a part of it",
          (LONG)(LONG_PTR)address, (LONG)(LONG_PTR)(at + 5000));
    check(MmGetMdlByteCount(part) == 200, "of the size asked for",
          (LONG)MmGetMdlByteCount(part), 200);
    IoFreeMdl(part);
    IoFreeMdl(whole);
}

/* The last case breaks a rule on purpose: the verifier must say so. */
static void verifier_case(void)
{
    KSPIN_LOCK lock;
    KIRQL irql;

    DbgPrint("urbtest: a paged allocation at DISPATCH_LEVEL follows\n");
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    ExFreePoolWithTag(ExAllocatePoolWithTag(PagedPool, 16, TAG), TAG);
    KeReleaseSpinLock(&lock, irql);
}

void kernel_cases(Device *device)
{
    lock_cases();
    dpc_cases();
    mdl_cases(device);
    verifier_case();
}
