/*
 * The driver around the cases: attaches, waits for the start of the device,
 * runs them all, prints the plan.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "urbtest.h"

#define SUBMIT_URB 0x220003 /* IOCTL_INTERNAL_USB_SUBMIT_URB */

static unsigned cases;

void check(BOOLEAN good, const char *name, LONG got, LONG expected)
{
    cases++;
    if (good) {
        DbgPrint("urbtest: ok %u - %s\n", cases, name);
    } else {
        DbgPrint("urbtest: not ok %u - %s: %08x, expected %08x\n", cases, name,
                 (unsigned)got, (unsigned)expected);
    }
}

void *allocate(SIZE_T bytes)
{
    void *memory = ExAllocatePoolWithTag(NonPagedPool, bytes, TAG);

    if (memory) {
        RtlZeroMemory(memory, bytes);
    }
    return memory;
}

static NTSTATUS NTAPI flight_done(PDEVICE_OBJECT object, PIRP irp,
                                  PVOID context)
{
    Flight *flight = context;

    flight->irql = KeGetCurrentIrql();
    flight->status = irp->IoStatus.Status;
    KeSetEvent(&flight->done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

BOOLEAN launch(Device *device, Flight *flight, PURB urb)
{
    PIO_STACK_LOCATION stack;

    flight->urb = urb;
    flight->irp = IoAllocateIrp(device->lower->StackSize, FALSE);
    if (!flight->irp) {
        return FALSE;
    }
    KeInitializeEvent(&flight->done, NotificationEvent, FALSE);
    flight->irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(flight->irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = SUBMIT_URB;
    stack->Parameters.Others.Argument1 = urb;
    IoSetCompletionRoutine(flight->irp, flight_done, flight, TRUE, TRUE, TRUE);
    IoCallDriver(device->lower, flight->irp);
    return TRUE;
}

NTSTATUS land(Flight *flight)
{
    KeWaitForSingleObject(&flight->done, Executive, KernelMode, FALSE, NULL);
    IoFreeIrp(flight->irp);
    return flight->status;
}

NTSTATUS submit(Device *device, PURB urb)
{
    Flight flight;

    return launch(device, &flight, urb) ? land(&flight)
                                        : STATUS_INSUFFICIENT_RESOURCES;
}

static NTSTATUS NTAPI start_done(PDEVICE_OBJECT object, PIRP irp, PVOID event)
{
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS start(PDEVICE_OBJECT object, Device *device, PIRP irp)
{
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(irp);
    IoSetCompletionRoutine(irp, start_done, &done, TRUE, TRUE, TRUE);
    IoCallDriver(device->lower, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    device->buffer = allocate(PACKETS * PIPE_BYTES);
    if (NT_SUCCESS(irp->IoStatus.Status) && device->buffer) {
        if (config_cases(device)) {
            isoch_cases(device);
            usbdex_cases(device, object);
            kernel_cases(device);
        }
        DbgPrint("urbtest: 1..%u\n", cases);
        DbgPrint("urbtest: done\n");
        ExFreePoolWithTag(device->buffer, TAG);
    }
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return irp->IoStatus.Status;
}

static NTSTATUS NTAPI dispatch_pnp(PDEVICE_OBJECT object, PIRP irp)
{
    Device *device = object->DeviceExtension;
    PDEVICE_OBJECT lower = device->lower;
    NTSTATUS status;

    switch (IoGetCurrentIrpStackLocation(irp)->MinorFunction) {
    case IRP_MN_START_DEVICE:
        return start(object, device, irp);
    case IRP_MN_REMOVE_DEVICE:
        IoSkipCurrentIrpStackLocation(irp);
        status = IoCallDriver(lower, irp);
        IoDetachDevice(lower);
        IoDeleteDevice(object);
        return status;
    default:
        IoSkipCurrentIrpStackLocation(irp);
        return IoCallDriver(lower, irp);
    }
}

static NTSTATUS NTAPI add_device(PDRIVER_OBJECT driver, PDEVICE_OBJECT pdo)
{
    PDEVICE_OBJECT object;
    Device *device;
    NTSTATUS status = IoCreateDevice(driver, sizeof(Device), NULL,
                                     FILE_DEVICE_UNKNOWN, 0, FALSE, &object);

    if (!NT_SUCCESS(status)) {
        return status;
    }
    device = object->DeviceExtension;
    RtlZeroMemory(device, sizeof(*device));
    device->lower = IoAttachDeviceToDeviceStack(object, pdo);
    object->Flags &= ~DO_DEVICE_INITIALIZING;
    return STATUS_SUCCESS;
}

static void NTAPI unload(PDRIVER_OBJECT driver)
{
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING path)
{
    driver->DriverExtension->AddDevice = add_device;
    driver->DriverUnload = unload;
    driver->MajorFunction[IRP_MJ_PNP] = dispatch_pnp;
    return STATUS_SUCCESS;
}
