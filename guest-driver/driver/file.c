/*
 * Files: open, close, read.
 *
 * FsContext of a FILE_OBJECT is its STREAM. IRP_MJ_CLEANUP (the last handle
 * was closed) stops it and ends its reads; IRP_MJ_CLOSE (nothing refers to
 * the file any more) does the same again, for a kernel that sends no cleanup,
 * and drops the file's reference.
 *
 * SPDX-License-Identifier: MIT
 */
#include "stream.h"

static PSTREAM StreamOf(PIRP Irp)
{
    return IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext;
}

NTSTATUS NTAPI DispatchCreate(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);
    PSTREAM stream;

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    DeviceLock(device);
    status = DeviceIsReady(device);
    DeviceUnlock(device);
    if (NT_SUCCESS(status)) {
        status = StreamCreate(device, &stream);
    }
    if (NT_SUCCESS(status)) {
        IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext = stream;
    }
    CompleteIrp(Irp, status, 0);
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
    return status;
}

/*
 * Takes the stream from the device. After the device's removal there is
 * nothing to take it from: removal has ended it.
 */
static VOID Shut(PDEVICE_EXTENSION Device, PSTREAM Stream, PIRP Irp)
{
    if (NT_SUCCESS(IoAcquireRemoveLock(&Device->RemoveLock, Irp))) {
        StreamCancelReads(Stream);
        StreamClose(Stream);
        IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    }
}

NTSTATUS NTAPI DispatchCleanup(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSTREAM stream = StreamOf(Irp);

    if (stream != NULL) {
        Shut(DeviceObject->DeviceExtension, stream, Irp);
    }
    return CompleteIrp(Irp, STATUS_SUCCESS, 0);
}

NTSTATUS NTAPI DispatchClose(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PSTREAM stream = StreamOf(Irp);

    if (stream != NULL) {
        Shut(DeviceObject->DeviceExtension, stream, Irp);
        IoGetCurrentIrpStackLocation(Irp)->FileObject->FsContext = NULL;
        StreamDereference(stream);
    }
    return CompleteIrp(Irp, STATUS_SUCCESS, 0);
}

/* Where a read's buffer is, in Va; the checks on the way. */
static NTSTATUS CheckRead(PSTREAM Stream, PIRP Irp, PVOID *Va)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    if (Stream == NULL || Stream->RecordBytes == 0) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (stack->Parameters.Read.Length < Stream->RecordBytes ||
        Irp->MdlAddress == NULL) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    *Va = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, MapPriority());
    return *Va == NULL ? STATUS_INSUFFICIENT_RESOURCES : STATUS_SUCCESS;
}

NTSTATUS NTAPI DispatchRead(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);
    PSTREAM stream = StreamOf(Irp);
    PVOID va;

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    status = CheckRead(stream, Irp, &va);
    if (!NT_SUCCESS(status)) {
        CompleteIrp(Irp, status, 0);
        IoReleaseRemoveLock(&device->RemoveLock, Irp);
        return status;
    }
    return StreamRead(stream, Irp, va); /* which releases the lock */
}
