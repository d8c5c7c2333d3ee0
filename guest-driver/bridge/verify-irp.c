/*
 * The verifier's view of IRPs.
 *
 * Every dispatch routine of the driver is entered through dispatch() here, from
 * the moment the driver attaches its first device object on.
 *
 * Rules that a driver must keep:
 *
 *  1. A dispatch routine completes its IRP, passes it on, or marks it pending
 *     and returns STATUS_PENDING.
 *  2. It returns at the IRQL at which it was called, with no spin lock held
 *     and the mutexes that it had.
 *  3. An IRP is completed once, by who has it, with a status that is final, no
 *     cancel routine and no spin lock held.
 *  4. No spin lock is held across IoCallDriver.
 *  5. An IRP that the stack has is not freed.
 *  6. IRP_MN_REMOVE_DEVICE comes when the last file has been closed: Windows
 *     holds it back until then. Wine does not, and sends no close at all to a
 *     device that has been removed; so it is held back here.
 *  7. A driver that its last device has left has no pool, IRPs or work items.
 *  8. A device interface is disabled when it is enabled, and so by one of
 *     surprise removal and removal only (nf-wdm-iosetdeviceinterfacestate).
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#define MAX_DRIVERS 4
#define MAX_IRPS 256

enum { FREE_ENTRY, WITH_DRIVER, PASSED_ON };

static struct {
    DRIVER_OBJECT *driver;
    PDRIVER_DISPATCH major[IRP_MJ_MAXIMUM_FUNCTION + 1];
    LONG devices; /* attached */
} drivers[MAX_DRIVERS];

static CRITICAL_SECTION lock;
static struct {
    IRP *irp;
    int state;
    PDRIVER_CANCEL cancel; /* the driver's, in whose place run_cancel is */
} entries[MAX_IRPS];
static int top; /* entries from here on have never been used */
static LONG allocated_irps;

/* The entry of an IRP, or with NULL a free one; -1: none. The lock is held. */
static int find_entry(const IRP *irp)
{
    int i;

    for (i = 0; i < MAX_IRPS; i++) {
        if (irp ? entries[i].state != FREE_ENTRY && entries[i].irp == irp
                : entries[i].state == FREE_ENTRY) {
            return i;
        }
    }
    return -1;
}

static void WINAPI run_cancel(DEVICE_OBJECT *object, IRP *irp)
{
    PDRIVER_CANCEL routine = NULL;
    int i;

    EnterCriticalSection(&lock);
    i = find_entry(irp);
    if (i >= 0) {
        routine = entries[i].cancel;
    }
    LeaveCriticalSection(&lock);
    if (routine) {
        shim_run_cancel(routine, object, irp);
    } else {
        verify_report("an IRP is cancelled that the driver does not have");
        IoReleaseCancelSpinLock(irp->CancelIrql);
    }
}

/* What the driver has it may cancel; what it does not have may be gone. */
void verify_irp_watch(void)
{
    PDRIVER_CANCEL routine;
    int i;

    EnterCriticalSection(&lock);
    for (i = 0; i < top; i++) {
        if (entries[i].state != WITH_DRIVER) {
            continue;
        }
        routine = entries[i].irp->CancelRoutine;
        if (routine && routine != run_cancel) {
            entries[i].cancel = routine; /* run_cancel waits for the lock */
            __sync_bool_compare_and_swap(&entries[i].irp->CancelRoutine,
                                         routine, run_cancel);
        }
    }
    LeaveCriticalSection(&lock);
}

/* A free entry, or that of an IRP that went on and is not coming back. */
static int new_entry(void)
{
    int i = find_entry(NULL);

    for (; i < 0; i = find_entry(NULL)) {
        for (i = 0; i < MAX_IRPS - 1 && entries[i].state != PASSED_ON; i++) {
        }
        entries[i].state = FREE_ENTRY;
    }
    if (i >= top) {
        top = i + 1;
    }
    return i;
}

static void set_state(IRP *irp, int state)
{
    int i;

    EnterCriticalSection(&lock);
    i = find_entry(irp);
    if (i < 0 && state == WITH_DRIVER) {
        i = new_entry();
    }
    if (i >= 0) {
        entries[i].irp = irp;
        entries[i].state = state;
    }
    LeaveCriticalSection(&lock);
}

static int find_driver(const DRIVER_OBJECT *driver)
{
    int i;

    for (i = 0; i < MAX_DRIVERS; i++) {
        if (drivers[i].driver == driver) {
            return i;
        }
    }
    return -1;
}

/* Rule 7; the driver has removed a device. */
static void device_left(int driver)
{
    if (drivers[driver].devices) {
        return;
    }
    verify_pool_at_end();
    if (allocated_irps) {
        verify_report("%d IRPs were never freed", (int)allocated_irps);
    }
    verify_work_at_end();
    bridge_log("the driver's last device has left");
}

/* Rule 1, for an IRP that the driver has still and that is still there. */
static void check_result(IRP *irp, const IO_STACK_LOCATION *stack,
                         NTSTATUS status)
{
    bool has_it, is_marked;
    int i;

    EnterCriticalSection(&lock);
    i = find_entry(irp);
    has_it = i >= 0 && entries[i].state == WITH_DRIVER;
    is_marked = has_it && stack->Control & SL_PENDING_RETURNED;
    LeaveCriticalSection(&lock);
    if (has_it && status != STATUS_PENDING) {
        verify_report("a dispatch routine returned %08x and did nothing with "
                      "its IRP",
                      (unsigned)status);
    } else if (has_it && !is_marked) {
        verify_report("a dispatch routine returned STATUS_PENDING for an IRP "
                      "that it did not mark");
    }
}

/* Rule 6; not for ever, if a program does not care that its device has gone. */
static void wait_for_files(const DRIVER_OBJECT *driver)
{
    int tries;

    for (tries = 1000; shim_has_files(driver) && tries; tries--) {
        Sleep(10);
    }
}

static NTSTATUS WINAPI dispatch(DEVICE_OBJECT *object, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    UCHAR major = stack->MajorFunction, minor = stack->MinorFunction;
    int driver = find_driver(object->DriverObject);
    VerifyBalance before = verify_balance();
    NTSTATUS status;

    if (driver < 0 || !drivers[driver].major[major]) {
        return bridge_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    }
    if (verify_sweep(object, irp)) {
        return bridge_complete(irp, irp->IoStatus.Status);
    }
    if (major == IRP_MJ_PNP && minor == IRP_MN_REMOVE_DEVICE) {
        wait_for_files(object->DriverObject);
    }
    set_state(irp, WITH_DRIVER);
    status = drivers[driver].major[major](object, irp);
    verify_check_balance("a dispatch routine", before);
    verify_irp_watch();
    check_result(irp, stack, status);
    if (major == IRP_MJ_PNP && minor == IRP_MN_REMOVE_DEVICE) {
        device_left(driver);
    }
    return status;
}

/* The kernel's own routine stands where the driver has none. */
static bool is_of_driver(const DRIVER_OBJECT *driver, PDRIVER_DISPATCH routine)
{
    HMODULE its, drivers_own;

    return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                  GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                              (const WCHAR *)routine, &its) &&
           GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                  GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                              (const WCHAR *)driver->DriverExtension->AddDevice,
                              &drivers_own) &&
           its == drivers_own;
}

/* Who attaches has come through its DriverEntry: the table is filled in. */
static DEVICE_OBJECT *WINAPI attach(DEVICE_OBJECT *source,
                                    DEVICE_OBJECT *target)
{
    DEVICE_OBJECT *below = IoAttachDeviceToDeviceStack(source, target);
    DRIVER_OBJECT *driver = source->DriverObject;
    int i = find_driver(driver), major;

    if (i < 0 && (i = find_driver(NULL)) >= 0) {
        drivers[i].driver = driver;
        for (major = 0; major <= IRP_MJ_MAXIMUM_FUNCTION; major++) {
            drivers[i].major[major] = driver->MajorFunction[major];
            if (is_of_driver(driver, drivers[i].major[major])) {
                driver->MajorFunction[major] = dispatch;
            }
        }
    }
    if (i >= 0 && below) {
        InterlockedIncrement(&drivers[i].devices);
    }
    return below;
}

static void WINAPI detach(DEVICE_OBJECT *target)
{
    DEVICE_OBJECT *source = target->AttachedDevice;
    int i = source ? find_driver(source->DriverObject) : -1;

    if (i >= 0) {
        InterlockedDecrement(&drivers[i].devices);
    }
    IoDetachDevice(target);
}

static NTSTATUS WINAPI call_driver(DEVICE_OBJECT *device, IRP *irp)
{
    shim_check_no_lock("IoCallDriver");
    set_state(irp, PASSED_ON);
    return IoCallDriver(device, irp);
}

static void WINAPI complete_request(IRP *irp, UCHAR boost)
{
    bool is_known;
    int i;

    shim_check_no_lock("IoCompleteRequest");
    EnterCriticalSection(&lock);
    i = find_entry(irp);
    is_known = i >= 0;
    if (is_known) {
        entries[i].state = FREE_ENTRY;
    }
    LeaveCriticalSection(&lock);
    if (!is_known) {
        verify_report("an IRP was completed that the driver does not have "
                      "(twice?)");
        return; /* it may be gone already */
    }
    if (irp->IoStatus.Status == STATUS_PENDING) {
        verify_report("an IRP was completed with STATUS_PENDING");
    }
    if (irp->CancelRoutine) {
        verify_report("an IRP was completed with its cancel routine set");
    }
    IoCompleteRequest(irp, boost);
}

static IRP *WINAPI allocate_irp(CCHAR stack_size, BOOLEAN charge)
{
    IRP *irp;

    if (verify_allocation_fails("an IRP", 0)) {
        return NULL;
    }
    irp = IoAllocateIrp(stack_size, charge);
    if (irp) {
        InterlockedIncrement(&allocated_irps);
    }
    return irp;
}

static void WINAPI free_irp(IRP *irp)
{
    if (request_has_irp(irp)) {
        verify_report("an IRP was freed while the USB stack has it");
        return;
    }
    InterlockedDecrement(&allocated_irps);
    IoFreeIrp(irp);
}

/* Rule 8. The interfaces that are enabled, by their names' memory. */
#define MAX_LINKS 8
static const WCHAR *links[MAX_LINKS];

static NTSTATUS WINAPI set_interface_state(UNICODE_STRING *link, BOOLEAN enable)
{
    bool was_enabled = false;
    int i;

    EnterCriticalSection(&lock);
    for (i = 0; i < MAX_LINKS; i++) {
        if (links[i] == link->Buffer) {
            links[i] = NULL;
            was_enabled = true;
        }
    }
    for (i = 0; enable && i < MAX_LINKS; i++) {
        if (!links[i]) {
            links[i] = link->Buffer;
            break;
        }
    }
    LeaveCriticalSection(&lock);
    if (!enable && !was_enabled) {
        verify_report("a device interface was disabled that is not enabled");
    }
    return IoSetDeviceInterfaceState(link, enable);
}

LONG verify_irp_allocated(void)
{
    return allocated_irps;
}

void verify_irp_install(void)
{
    InitializeCriticalSection(&lock);
}

const ShimImport verify_irp_imports[] = {
    { "IoAllocateIrp", allocate_irp },
    { "IoAttachDeviceToDeviceStack", attach },
    { "IoDetachDevice", detach },
    { "IoFreeIrp", free_irp },
    { "IoSetDeviceInterfaceState", set_interface_state },
    { "IofCallDriver", call_driver },
    { "IofCompleteRequest", complete_request },
    { NULL, NULL },
};
