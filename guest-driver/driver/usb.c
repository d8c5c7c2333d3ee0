/*
 * One request to the driver below, waited for.
 *
 * What sends here blocks, so it runs at PASSIVE_LEVEL only. The IRP's
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

/* By an IRP that nobody has used yet. */
static NTSTATUS Send(PDEVICE_EXTENSION Device, PIRP Irp, PURB Urb)
{
    LARGE_INTEGER timeout;
    PIO_STACK_LOCATION stack;
    NTSTATUS status;
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(Irp);
    stack->MajorFunction = IRP_MJ_INTERNAL_DEVICE_CONTROL;
    stack->Parameters.DeviceIoControl.IoControlCode = ISOAV_IOCTL_SUBMIT_URB;
    USBD_AssignUrbToIoStackLocation(Device->Usbd, stack, Urb);
    IoSetCompletionRoutine(Irp, SignalCompletion, &done, TRUE, TRUE, TRUE);
    if (IoCallDriver(Device->Lower, Irp) == STATUS_PENDING) {
        timeout.QuadPart = SECONDS(5);
        if (KeWaitForSingleObject(&done, Executive, KernelMode, FALSE,
                                  &timeout) == STATUS_TIMEOUT) {
            IoCancelIrp(Irp);
            KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
        }
    }
    status = Irp->IoStatus.Status;
    if (NT_SUCCESS(status) && !USBD_SUCCESS(Urb->UrbHeader.Status)) {
        status = STATUS_UNSUCCESSFUL;
    }
    if (!NT_SUCCESS(status) && !USBD_SUCCESS(Urb->UrbHeader.Status)) {
        status = UsbStatusToNt(Urb->UrbHeader.Status);
    }
    return status;
}

NTSTATUS UsbSubmit(PDEVICE_EXTENSION Device, PURB Urb)
{
    PIRP irp = IoAllocateIrp(Device->Lower->StackSize, FALSE);
    NTSTATUS status;

    if (irp == NULL) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    status = Send(Device, irp, Urb);
    IoFreeIrp(irp);
    return status;
}

NTSTATUS UsbPrepare(PDEVICE_EXTENSION Device, PURB Urb, PUSB_REQUEST Request)
{
    PIRP irp = IoAllocateIrp(Device->Lower->StackSize, FALSE);

    if (irp == NULL) {
        USBD_UrbFree(Device->Usbd, Urb);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Request->Urb = Urb;
    Request->Irp = irp;
    return STATUS_SUCCESS;
}

NTSTATUS UsbSendPrepared(PDEVICE_EXTENSION Device, PUSB_REQUEST Request)
{
    NTSTATUS status = Send(Device, Request->Irp, Request->Urb);

    UsbForget(Device, Request);
    return status;
}

VOID UsbForget(PDEVICE_EXTENSION Device, PUSB_REQUEST Request)
{
    if (Request->Irp != NULL) {
        IoFreeIrp(Request->Irp);
        USBD_UrbFree(Device->Usbd, Request->Urb);
        Request->Irp = NULL;
        Request->Urb = NULL;
    }
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

NTSTATUS UsbPrepareAbort(PDEVICE_EXTENSION Device, USBD_PIPE_HANDLE Pipe,
                         PUSB_REQUEST Request)
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
    return UsbPrepare(Device, urb, Request);
}
