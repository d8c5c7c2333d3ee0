/*
 * What the bridge's shim supplies: IRQL, spin locks, mutexes, DPCs, MDLs.
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

static KMUTEX mutex;
static KEVENT worker_began, worker_has_it;
static NTSTATUS worker_status;

#define MILLISECONDS(n) (-(LONGLONG)(n)*10 * 1000)

/* A look at the mutex, then a wait for it. */
static void NTAPI worker(PDEVICE_OBJECT device, PVOID context)
{
    LARGE_INTEGER none = { .QuadPart = 0 };

    worker_status =
        KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, &none);
    KeSetEvent(&worker_began, IO_NO_INCREMENT, FALSE);
    KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL);
    KeSetEvent(&worker_has_it, IO_NO_INCREMENT, FALSE);
    KeReleaseMutex(&mutex, FALSE);
}

static NTSTATUS wait_for(PVOID object, ULONG milliseconds)
{
    LARGE_INTEGER timeout = { .QuadPart = MILLISECONDS(milliseconds) };

    return KeWaitForSingleObject(object, Executive, KernelMode, FALSE,
                                 &timeout);
}

/* Held twice by one thread, with another one waiting. */
static void mutex_cases(Device *device)
{
    PIO_WORKITEM item = IoAllocateWorkItem(device->lower);
    NTSTATUS status;

    KeInitializeEvent(&worker_began, NotificationEvent, FALSE);
    KeInitializeEvent(&worker_has_it, NotificationEvent, FALSE);
    KeInitializeMutex(&mutex, 0);
    wait_for(&mutex, 1000);
    status = wait_for(&mutex, 1000);
    check(status == STATUS_SUCCESS, "a mutex's owner acquires it again", status,
          STATUS_SUCCESS);
    check(KeReadStateMutex(&mutex) == -1, "and its state says how often",
          KeReadStateMutex(&mutex), -1);
    IoQueueWorkItem(item, worker, DelayedWorkQueue, NULL);
    wait_for(&worker_began, 1000);
    check(worker_status == STATUS_TIMEOUT, "another thread does not get it",
          worker_status, STATUS_TIMEOUT);
    KeReleaseMutex(&mutex, FALSE);
    status = wait_for(&worker_has_it, 50);
    check(status == STATUS_TIMEOUT, "not before its last release", status,
          STATUS_TIMEOUT);
    KeReleaseMutex(&mutex, FALSE);
    status = wait_for(&worker_has_it, 1000);
    check(status == STATUS_SUCCESS, "then it does", status, STATUS_SUCCESS);
    status = wait_for(&mutex, 1000);
    check(status == STATUS_SUCCESS, "and gives it back", status,
          STATUS_SUCCESS);
    KeReleaseMutex(&mutex, FALSE);
    check(KeReadStateMutex(&mutex) == 1, "and it is free",
          KeReadStateMutex(&mutex), 1);
    IoFreeWorkItem(item);
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

static void NTAPI keep_mutex(PDEVICE_OBJECT device, PVOID context)
{
    wait_for(&mutex, 1000);
    KeSetEvent(&worker_has_it, IO_NO_INCREMENT, FALSE);
}

/*
 * The last cases break rules on purpose: the verifier must say so, of routines
 * that are its own and of one that is Wine's.
 */
static void verifier_cases(Device *device)
{
    RTL_OSVERSIONINFOW version = { .dwOSVersionInfoSize = sizeof(version) };
    PIO_WORKITEM item = IoAllocateWorkItem(device->lower);
    KSPIN_LOCK lock;
    KIRQL irql;

    DbgPrint("urbtest: a mutex that is kept, and released by another thread\n");
    KeInitializeEvent(&worker_has_it, NotificationEvent, FALSE);
    IoQueueWorkItem(item, keep_mutex, DelayedWorkQueue, NULL);
    wait_for(&worker_has_it, 1000);
    KeReleaseMutex(&mutex, FALSE);
    IoFreeWorkItem(item);
    DbgPrint("urbtest: rules of IRQL are broken from here on\n");
    KeInitializeSpinLock(&lock);
    KeAcquireSpinLock(&lock, &irql);
    ExFreePoolWithTag(ExAllocatePoolWithTag(PagedPool, 16, TAG), TAG);
    RtlGetVersion(&version);
    KeReleaseSpinLock(&lock, irql);
    check(version.dwMajorVersion >= 5, "a routine is called all the same",
          (LONG)version.dwMajorVersion, 5);
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
}

void kernel_cases(Device *device)
{
    lock_cases();
    dpc_cases();
    mutex_cases(device);
    mdl_cases(device);
    verifier_cases(device);
}
