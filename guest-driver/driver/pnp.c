/*
 * Plug and Play: the device's life in requests.
 *
 *                    START                    QUERY_STOP, QUERY_REMOVE
 *      Stopped ----------------> Started <---------------------------> Held
 *         ^                         |       CANCEL_STOP, CANCEL_REMOVE   |
 *         |                         |                                    |
 *         +------------------------ | ------------- STOP ---------------+
 *                                   |
 *         any --- SURPRISE_REMOVAL ---> Gone       any --- REMOVE ---> Removed
 *
 * Going up (START, the cancels) the drivers below come first, so the IRP is
 * forwarded and waited for before we act. Going down we act first. Streams
 * are held over Held and Stopped and run again on Started. A device that has
 * been started is in D0, wherever it was before.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

static NTSTATUS Forward(PDEVICE_EXTENSION Device, PIRP Irp)
{
    IoSkipCurrentIrpStackLocation(Irp);
    return IoCallDriver(Device->Lower, Irp);
}

static NTSTATUS Configure(PDEVICE_EXTENSION Device)
{
    const POWER_STATE d0 = { .DeviceState = PowerDeviceD0 };
    NTSTATUS status;

    DeviceLock(Device);
    status = DeviceConfigure(Device);
    if (NT_SUCCESS(status)) {
        PoSetPowerState(Device->Self, DevicePowerState, d0);
        Device->Awake = TRUE;
        Device->State = DeviceStarted;
        StreamsResume(Device);
    }
    DeviceUnlock(Device);
    return status;
}

static NTSTATUS StartDevice(PDEVICE_EXTENSION Device, PIRP Irp)
{
    NTSTATUS status = UsbForwardAndWait(Device, Irp);

    if (NT_SUCCESS(status)) {
        status = Configure(Device);
    }
    if (NT_SUCCESS(status)) {
        status = IoSetDeviceInterfaceState(&Device->LinkName, TRUE);
        if (NT_SUCCESS(status)) {
            Device->IsLinkOn = TRUE;
            status = STATUS_SUCCESS; /* it may have been on all the time */
        }
    }
    if (!NT_SUCCESS(status)) {
        DbgPrint("isoav: start: %08x\n", (unsigned)status);
    }
    return CompleteIrp(Irp, status, 0);
}

/* QUERY_STOP and QUERY_REMOVE: nothing speaks against either. */
static NTSTATUS QueryDevice(PDEVICE_EXTENSION Device, PIRP Irp)
{
    DeviceLock(Device);
    if (Device->State == DeviceStarted) {
        StreamsHold(Device);
        Device->State = DeviceHeld;
    }
    DeviceUnlock(Device);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Forward(Device, Irp);
}

/* Also comes without a query before it. */
static NTSTATUS CancelQuery(PDEVICE_EXTENSION Device, PIRP Irp)
{
    NTSTATUS status;

    Irp->IoStatus.Status = STATUS_SUCCESS;
    status = UsbForwardAndWait(Device, Irp);
    DeviceLock(Device);
    if (Device->State == DeviceHeld) {
        Device->State = DeviceStarted;
        StreamsResume(Device);
    }
    DeviceUnlock(Device);
    return CompleteIrp(Irp, status, 0);
}

static NTSTATUS StopDevice(PDEVICE_EXTENSION Device, PIRP Irp)
{
    DeviceLock(Device);
    StreamsHold(Device);
    DeviceUnconfigure(Device);
    Device->State = DeviceStopped;
    DeviceUnlock(Device);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Forward(Device, Irp);
}

/* Interface off, streams down, reads ended; State says why. */
static VOID EndDevice(PDEVICE_EXTENSION Device, DEVICE_STATE State)
{
    if (Device->IsLinkOn) { /* not once more after a surprise removal */
        IoSetDeviceInterfaceState(&Device->LinkName, FALSE);
        Device->IsLinkOn = FALSE;
    }
    DeviceLock(Device);
    if (State == DeviceGone || Device->State != DeviceGone) {
        Device->State = State;
    }
    StreamsEnd(Device, STATUS_DEVICE_REMOVED);
    if (State == DeviceRemoved) {
        Device->State = DeviceRemoved;
    }
    DeviceUnlock(Device);
}

static NTSTATUS SurpriseRemoval(PDEVICE_EXTENSION Device, PIRP Irp)
{
    EndDevice(Device, DeviceGone);
    Irp->IoStatus.Status = STATUS_SUCCESS;
    return Forward(Device, Irp);
}

static NTSTATUS RemoveDevice(PDEVICE_EXTENSION Device, PIRP Irp)
{
    PDEVICE_OBJECT self = Device->Self;
    PDEVICE_OBJECT lower = Device->Lower;
    NTSTATUS status;

    EndDevice(Device, DeviceRemoved);
    IoReleaseRemoveLockAndWait(&Device->RemoveLock, Irp);
    PoolFree(Device->ConfigBytes);
    Device->ConfigBytes = NULL;
    LogFree(&Device->Log);
    UsbForget(Device, &Device->Unconfigure);
    USBD_CloseHandle(Device->Usbd);
    Device->Usbd = NULL;
    IoFreeWorkItem(Device->PowerWork);
    RtlFreeUnicodeString(&Device->LinkName);

    Irp->IoStatus.Status = STATUS_SUCCESS;
    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(lower, Irp);
    IoDetachDevice(lower);
    IoDeleteDevice(self);
    return status;
}

NTSTATUS NTAPI DispatchPnp(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    switch (stack->MinorFunction) {
    case IRP_MN_START_DEVICE:
        status = StartDevice(device, Irp);
        break;
    case IRP_MN_QUERY_STOP_DEVICE:
    case IRP_MN_QUERY_REMOVE_DEVICE:
        status = QueryDevice(device, Irp);
        break;
    case IRP_MN_CANCEL_STOP_DEVICE:
    case IRP_MN_CANCEL_REMOVE_DEVICE:
        status = CancelQuery(device, Irp);
        break;
    case IRP_MN_STOP_DEVICE:
        status = StopDevice(device, Irp);
        break;
    case IRP_MN_SURPRISE_REMOVAL:
        status = SurpriseRemoval(device, Irp);
        break;
    case IRP_MN_REMOVE_DEVICE:
        return RemoveDevice(device, Irp); /* took the lock with it */
    default:
        status = Forward(device, Irp);
        break;
    }
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
    return status;
}
