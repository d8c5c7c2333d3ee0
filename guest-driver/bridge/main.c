/*
 * The driver object and the bus's own function device object.
 *
 * Wine's PnP finds the root-enumerated device ROOT\USBBRIDGE, loads this
 * driver and calls AddDevice with its physical device object. Starting the
 * bus starts two threads, both made by Wine so that they may call into its
 * kernel:
 *
 *   events    runs libusb: every URB is completed on this thread
 *   uevents   (enumerate.c) reports arrivals and removals to PnP; it may wait
 *             for URBs to end, which the first thread must never do
 *
 * The parameters VendorId and ProductId of the service's Parameters key say
 * which devices belong to the bus; the default is IsoLab's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"
#include "verify.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

DRIVER_OBJECT *bridge_driver;
static Bus *the_bus;

void bridge_log(const char *format, ...)
{
    char line[256];
    va_list args;
    int length;

    va_start(args, format);
    length = vsnprintf(line, sizeof(line) - 1, format, args);
    va_end(args);
    if (length > (int)sizeof(line) - 2) {
        length = sizeof(line) - 2;
    }
    /* One call, which is one write: lines of several threads do not mix. */
    line[length] = '\n';
    line[length + 1] = 0;
    fprintf(stderr, "usbbridge: %s", line);
}

NTSTATUS bridge_complete(IRP *irp, NTSTATUS status)
{
    irp->IoStatus.Status = status;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

bool bridge_on_event_thread(void)
{
    return the_bus && GetCurrentThreadId() == the_bus->event_thread_id;
}

bool bridge_any_device(bool (*visit)(Device *device, const void *context),
                       const void *context)
{
    Bus *bus = the_bus;
    bool found = false;
    int i;

    if (!bus) {
        return false;
    }
    EnterCriticalSection(&bus->lock);
    for (i = 0; i < BRIDGE_MAX_DEVICES && !found; i++) {
        found = bus->devices[i] && visit(bus->devices[i], context);
    }
    LeaveCriticalSection(&bus->lock);
    return found;
}

static DWORD WINAPI run_events(void *context)
{
    Bus *bus = context;
    struct timeval timeout = { 1, 0 };

    bus->event_thread_id = GetCurrentThreadId();
    while (!bus->stop) {
        libusb_handle_events_timeout(bus->usb, &timeout);
    }
    return 0;
}

static bool start_bus(Bus *bus)
{
    /* Devices are found by enumerate.c: libusb's own search needs udevd. */
    if (libusb_set_option(NULL, LIBUSB_OPTION_NO_DEVICE_DISCOVERY) ||
        libusb_init(&bus->usb)) {
        bridge_log("libusb does not start");
        return false;
    }
    bus->stop = 0;
    bus->event_thread = CreateThread(NULL, 0, run_events, bus, 0, NULL);
    verify_control_start();
    return bus->event_thread && enumerate_start(bus);
}

static void stop_bus(Bus *bus)
{
    if (!bus->usb) {
        return;
    }
    InterlockedExchange(&bus->stop, 1);
    enumerate_stop(bus);
    libusb_interrupt_event_handler(bus->usb);
    WaitForSingleObject(bus->event_thread, INFINITE);
    CloseHandle(bus->event_thread);
    libusb_exit(bus->usb);
    bus->usb = NULL;
}

static NTSTATUS query_relations(Bus *bus, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    DEVICE_RELATIONS *relations;
    ULONG i;

    if (stack->Parameters.QueryDeviceRelations.Type != BusRelations) {
        return irp->IoStatus.Status;
    }
    relations = ExAllocatePool(
        PagedPool, sizeof(*relations) + BRIDGE_MAX_DEVICES * sizeof(void *));
    if (!relations) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    relations->Count = 0;
    EnterCriticalSection(&bus->lock);
    for (i = 0; i < BRIDGE_MAX_DEVICES; i++) {
        Device *device = bus->devices[i];

        if (device && !device->gone) {
            device->reported = true;
            ObfReferenceObject(device->pdo);
            relations->Objects[relations->Count++] = device->pdo;
        }
    }
    LeaveCriticalSection(&bus->lock);
    irp->IoStatus.Information = (ULONG_PTR)relations;
    return STATUS_SUCCESS;
}

static NTSTATUS bus_pnp(Bus *bus, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status;

    switch (stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        irp->IoStatus.Status =
            start_bus(bus) ? STATUS_SUCCESS : STATUS_UNSUCCESSFUL;
        break;
    case IRP_MN_QUERY_DEVICE_RELATIONS:
        irp->IoStatus.Status = query_relations(bus, irp);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        irp->IoStatus.Status = STATUS_SUCCESS;
        break;
    case IRP_MN_REMOVE_DEVICE:
        stop_bus(bus);
        irp->IoStatus.Status = STATUS_SUCCESS;
        IoSkipCurrentIrpStackLocation(irp);
        status = IoCallDriver(bus->lower, irp);
        IoDetachDevice(bus->lower);
        the_bus = NULL;
        DeleteCriticalSection(&bus->lock);
        IoDeleteDevice(bus->fdo);
        return status;
    default:
        break;
    }
    IoSkipCurrentIrpStackLocation(irp);
    return IoCallDriver(bus->lower, irp);
}

static NTSTATUS WINAPI dispatch_pnp(DEVICE_OBJECT *object, IRP *irp)
{
    Extension *extension = object->DeviceExtension;

    return extension->is_bus ? bus_pnp(&extension->u.bus, irp)
                             : pnp_dispatch(&extension->u.device, irp);
}

static NTSTATUS WINAPI dispatch_internal(DEVICE_OBJECT *object, IRP *irp)
{
    Extension *extension = object->DeviceExtension;

    if (extension->is_bus) {
        return bridge_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    }
    return urb_ioctl(&extension->u.device, irp);
}

/* Power and WMI requests end here for a device and go on for the bus. */
static NTSTATUS WINAPI dispatch_other(DEVICE_OBJECT *object, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    Extension *extension = object->DeviceExtension;

    if (extension->is_bus) {
        IoSkipCurrentIrpStackLocation(irp);
        return IoCallDriver(extension->u.bus.lower, irp);
    }
    if (stack->MajorFunction == IRP_MJ_POWER) {
        if (stack->MinorFunction == IRP_MN_SET_POWER &&
            stack->Parameters.Power.Type == DevicePowerState) {
            extension->u.device.asleep =
                stack->Parameters.Power.State.DeviceState != PowerDeviceD0;
        }
        return bridge_complete(irp, STATUS_SUCCESS);
    }
    return bridge_complete(irp, irp->IoStatus.Status);
}

static USHORT read_parameter(const WCHAR *name, USHORT otherwise)
{
    static const WCHAR key[] =
        L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\usbbridge"
        L"\\Parameters";
    RTL_QUERY_REGISTRY_TABLE table[2];
    ULONG value = otherwise, fallback = otherwise;

    memset(table, 0, sizeof(table));
    table[0].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = (WCHAR *)name;
    table[0].EntryContext = &value;
    table[0].DefaultType = REG_DWORD;
    table[0].DefaultData = &fallback;
    table[0].DefaultLength = sizeof(fallback);
    if (RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, key, table, NULL, NULL)) {
        return otherwise;
    }
    return (USHORT)value;
}

static NTSTATUS WINAPI add_device(DRIVER_OBJECT *driver, DEVICE_OBJECT *pdo)
{
    Extension *extension;
    DEVICE_OBJECT *fdo;
    Bus *bus;
    NTSTATUS status;

    if (the_bus) {
        return STATUS_DEVICE_BUSY;
    }
    status = IoCreateDevice(driver, sizeof(*extension), NULL,
                            FILE_DEVICE_CONTROLLER, 0, FALSE, &fdo);
    if (status) {
        return status;
    }
    extension = fdo->DeviceExtension;
    memset(extension, 0, sizeof(*extension));
    extension->is_bus = true;
    bus = &extension->u.bus;
    bus->fdo = fdo;
    bus->pdo = pdo;
    bus->vendor = read_parameter(L"VendorId", 0x46f4);
    bus->product = read_parameter(L"ProductId", 0x150a);
    InitializeCriticalSection(&bus->lock);
    bus->lower = IoAttachDeviceToDeviceStack(fdo, pdo);
    if (!bus->lower) {
        DeleteCriticalSection(&bus->lock);
        IoDeleteDevice(fdo);
        return STATUS_NO_SUCH_DEVICE;
    }
    the_bus = bus;
    fdo->Flags &= ~DO_DEVICE_INITIALIZING;
    bridge_log("bus for USB devices %04x:%04x", bus->vendor, bus->product);
    return STATUS_SUCCESS;
}

static void WINAPI unload(DRIVER_OBJECT *driver)
{
}

NTSTATUS WINAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path)
{
    bridge_driver = driver;
    driver->DriverExtension->AddDevice = add_device;
    driver->DriverUnload = unload;
    driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    driver->MajorFunction[IRP_MJ_POWER] = dispatch_other;
    driver->MajorFunction[IRP_MJ_SYSTEM_CONTROL] = dispatch_other;
    driver->MajorFunction[IRP_MJ_INTERNAL_DEVICE_CONTROL] = dispatch_internal;
    driver->MajorFunction[IRP_MJ_CREATE] = verify_control_dispatch;
    driver->MajorFunction[IRP_MJ_CLEANUP] = verify_control_dispatch;
    driver->MajorFunction[IRP_MJ_CLOSE] = verify_control_dispatch;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = verify_control_dispatch;
    shim_install();
    verify_control_install(driver);
    return STATUS_SUCCESS;
}
