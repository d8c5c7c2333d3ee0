/*
 * One request to the driver below, waited for.
 *
 * Both functions here block, so they run at PASSIVE_LEVEL only. The IRP's
 * completion routine stops its completion (STATUS_MORE_PROCESSING_REQUIRED)
 * and signals; from then on the IRP is the waiter's again.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

#define SECONDS(n) (-(LONGLONG)(n)*10 * 1000 * 1000)

static NTSTATUS NTAPI SignalCompletion(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                       PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS UsbForwardAndWait(PDEVICE_EXTENSION Device, PIRP Irp)
{
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SignalCompletion, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Device->Lower, Irp) == STATUS_PENDING) {
        KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
    }
    return Irp->IoStatus.Status;
}

NTSTATUS UsbSubmit(PDEVICE_EXTENSION Device, PURB Urb)
{
    LARGE_INTEGER timeout;
    PIO_STACK_LOCATION stack;
    NTSTATUS status;
    KEVENT done;
    PIRP irp;

    irp = IoAllocateIrp(Device->Lower->StackSize, FALSE);
    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    KeInitializeEvent(&done, NotificationEvent, FALSE);
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = ISOAV_IOCTL_SUBMIT_URB;
    USBD_AssignUrbToIoStackLocation(Device->Usbd, stack, Urb);
    IoSetCompletionRoutine(irp, SignalCompletion, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Device->Lower, irp) == STATUS_PENDING) {
        timeout.QuadPart = SECONDS(5);
        if (KeWaitForSingleObject(&done, Executive, KernelMode, FALSE,
                                  &timeout) == STATUS_TIMEOUT) {
            IoCancelIrp(irp);
            KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        }
    }
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    if (NT_SUCCESS(status) && !USBD_SUCCESS(Urb->UrbHeader.Status)) {
        status = STATUS_UNSUCCESSFUL;
    }
    if (!NT_SUCCESS(status) && !USBD_SUCCESS(Urb->UrbHeader.Status)) {
        status = UsbStatusToNt(Urb->UrbHeader.Status);
    }
    return status;
}

NTSTATUS UsbStatusToNt(USBD_STATUS Status)
{
    switch ((ULONG)Status) {
    case (ULONG)USBD_STATUS_SUCCESS:
        return STATUS_SUCCESS;
    case (ULONG)USBD_STATUS_STALL_PID:
    case (ULONG)USBD_STATUS_ENDPOINT_HALTED:
    case (ULONG)USBD_STATUS_INVALID_PARAMETER:
        return STATUS_INVALID_PARAMETER;
    case (ULONG)USBD_STATUS_DEVICE_GONE:
        return STATUS_DEVICE_REMOVED;
    case (ULONG)USBD_STATUS_CANCELED:
        return STATUS_CANCELLED;
    case (ULONG)USBD_STATUS_TIMEOUT:
        return STATUS_IO_TIMEOUT;
    case (ULONG)USBD_STATUS_NO_BANDWIDTH:
    case (ULONG)USBD_STATUS_INSUFFICIENT_RESOURCES:
        return STATUS_INSUFFICIENT_RESOURCES;
    case (ULONG)USBD_STATUS_NOT_SUPPORTED:
    case (ULONG)USBD_STATUS_INVALID_URB_FUNCTION:
        return STATUS_NOT_SUPPORTED;
    default:
        return STATUS_DEVICE_DATA_ERROR;
    }
}

NTSTATUS UsbCurrentFrame(PDEVICE_EXTENSION Device, PULONG Frame)
{
    NTSTATUS status;
    PURB urb;

    status = USBD_UrbAllocate(Device->Usbd, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    urb->UrbHeader.Function = URB_FUNCTION_GET_CURRENT_FRAME_NUMBER;
    urb->UrbHeader.Length = sizeof(struct _URB_GET_CURRENT_FRAME_NUMBER);
    status = UsbSubmit(Device, urb);
    *Frame = urb->UrbGetCurrentFrameNumber.FrameNumber;
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}

NTSTATUS UsbAbortPipe(PDEVICE_EXTENSION Device, USBD_PIPE_HANDLE Pipe)
{
    NTSTATUS status;
    PURB urb;

    status = USBD_UrbAllocate(Device->Usbd, &urb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    urb->UrbHeader.Function = URB_FUNCTION_ABORT_PIPE;
    urb->UrbHeader.Length = sizeof(struct _URB_PIPE_REQUEST);
    urb->UrbPipeRequest.PipeHandle = Pipe;
    status = UsbSubmit(Device, urb);
    USBD_UrbFree(Device->Usbd, urb);
    return status;
}
