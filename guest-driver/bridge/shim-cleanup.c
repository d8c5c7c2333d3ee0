/*
 * IRP_MJ_CLEANUP, which Windows sends when the last handle to a file is
 * closed and Wine never sends. When a device of the bus is started, the close
 * routine of the driver on top of it is replaced by one that sends the
 * clean-up first. It comes later than on Windows, where requests can still be
 * pending at that point; the order of the two is the same.
 *
 * SPDX-License-Identifier: MIT
 */
#include "shim.h"

#define MAX_DRIVERS 4

static struct {
    DRIVER_OBJECT *driver;
    PDRIVER_DISPATCH close;
} hooked[MAX_DRIVERS];

static NTSTATUS WINAPI cleanup_done(DEVICE_OBJECT *object, IRP *irp,
                                    void *event)
{
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static void send_cleanup(DEVICE_OBJECT *object, FILE_OBJECT *file)
{
    IRP *irp = IoAllocateIrp(object->StackSize, FALSE);
    IO_STACK_LOCATION *stack;
    KEVENT done;

    if (!irp) {
        return;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    irp->RequestorMode = KernelMode;
    irp->Tail.Overlay.OriginalFileObject = file;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_CLEANUP;
    stack->FileObject = file;
    IoSetCompletionRoutine(irp, cleanup_done, &done, TRUE, TRUE, TRUE);
    IoCallDriver(object, irp);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    IoFreeIrp(irp);
}

static NTSTATUS WINAPI close_after_cleanup(DEVICE_OBJECT *object, IRP *irp)
{
    DRIVER_OBJECT *driver = object->DriverObject;
    unsigned i;

    if (driver->MajorFunction[IRP_MJ_CLEANUP]) {
        send_cleanup(object, IoGetCurrentIrpStackLocation(irp)->FileObject);
    }
    for (i = 0; i < MAX_DRIVERS; i++) {
        if (hooked[i].driver == driver) {
            return hooked[i].close(object, irp);
        }
    }
    return bridge_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
}

void shim_cleanup_attach(DEVICE_OBJECT *pdo)
{
    DEVICE_OBJECT *top = pdo->AttachedDevice;
    DRIVER_OBJECT *driver = top ? top->DriverObject : NULL;
    unsigned i;

    for (i = 0; driver && i < MAX_DRIVERS; i++) {
        if (hooked[i].driver == driver) {
            return;
        }
        if (!hooked[i].driver) {
            hooked[i].driver = driver;
            hooked[i].close = driver->MajorFunction[IRP_MJ_CLOSE];
            driver->MajorFunction[IRP_MJ_CLOSE] = close_after_cleanup;
            return;
        }
    }
}
