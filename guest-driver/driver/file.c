/*
 * Files: open, close, read, write.
 *
 * FsContext of a FILE_OBJECT is its STREAM. IRP_MJ_CLEANUP (the last handle
 * was closed) stops it and ends its transfers; IRP_MJ_CLOSE (nothing refers to
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
        StreamCancelTransfers(Stream);
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

/* What is wrong with a read or write of this length. */
static NTSTATUS CheckLength(PSTREAM Stream, BOOLEAN IsRead, ULONG Bytes)
{
    if (Stream == NULL || Stream->RecordBytes == 0) {
        return STATUS_INVALID_DEVICE_STATE;
    }
    if (IsRead != Stream->In) {
        return STATUS_INVALID_DEVICE_REQUEST;
    }
    if (IsRead) {
        return Bytes < Stream->RecordBytes ? STATUS_BUFFER_TOO_SMALL
                                           : STATUS_SUCCESS;
    }
    return Bytes == 0 || Bytes > Stream->WriteBytes ? STATUS_INVALID_PARAMETER
                                                    : STATUS_SUCCESS;
}

/* The remove lock is held, and goes with the IRP. */
static NTSTATUS Transfer(PSTREAM Stream, PIRP Irp, BOOLEAN IsRead, ULONG Bytes)
{
    NTSTATUS status = CheckLength(Stream, IsRead, Bytes);
    PVOID va;

    if (!NT_SUCCESS(status)) {
        return status;
    }
    if (Irp->MdlAddress == NULL) {
        return STATUS_BUFFER_TOO_SMALL;
    }
    va = MmGetSystemAddressForMdlSafe(Irp->MdlAddress, MapPriority());
    if (va == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    if (IsRead && Bytes > ISOAV_READ_BYTES_MAX) {
        Bytes = ISOAV_READ_BYTES_MAX;
    }
    return StreamTransfer(Stream, Irp, va, Bytes);
}

static NTSTATUS DispatchTransfer(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                 BOOLEAN IsRead, ULONG Bytes)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    status = Transfer(StreamOf(Irp), Irp, IsRead, Bytes);
    if (status != STATUS_PENDING) {
        CompleteIrp(Irp, status, 0);
        IoReleaseRemoveLock(&device->RemoveLock, Irp);
    }
    return status;
}

NTSTATUS NTAPI DispatchRead(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return DispatchTransfer(
        DeviceObject, Irp, TRUE,
        IoGetCurrentIrpStackLocation(Irp)->Parameters.Read.Length);
}

NTSTATUS NTAPI DispatchWrite(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    return DispatchTransfer(
        DeviceObject, Irp, FALSE,
        IoGetCurrentIrpStackLocation(Irp)->Parameters.Write.Length);
}
