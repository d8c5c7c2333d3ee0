/*
 * Power: streams go down before the device sleeps and come back after it has
 * woken.
 *
 * We own the device's power policy, so a system power IRP (the machine goes
 * to sleep) makes us ask for the device power IRP that belongs to it. Device
 * power IRPs may arrive where nothing can be waited for; a work item does the
 * waiting:
 *
 *   D0 -> Dx   work item: hold the streams, then forward the IRP
 *   Dx -> D0   forward; completion queues the work item, which completes the
 *              IRP and then brings the streams back
 *
 * Device power IRPs come one at a time, so one work item is enough.
 *
 * SPDX-License-Identifier: MIT
 */
#include "driver.h"

static NTSTATUS Forward(PDEVICE_EXTENSION Device, PIRP Irp)
{
    NTSTATUS status;

    IoSkipCurrentIrpStackLocation(Irp);
    status = IoCallDriver(Device->Lower, Irp);
    IoReleaseRemoveLock(&Device->RemoveLock, Irp);
    return status;
}

static VOID NTAPI PowerDownWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PDEVICE_EXTENSION device = Context;
    PIRP irp = device->PowerIrp;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);

    UNREFERENCED_PARAMETER(DeviceObject);
    DeviceLock(device);
    StreamsHold(device);
    device->Awake = FALSE;
    DeviceUnlock(device);
    PoSetPowerState(device->Self, DevicePowerState,
                    stack->Parameters.Power.State);
    Forward(device, irp);
}

static VOID NTAPI PowerUpWork(PDEVICE_OBJECT DeviceObject, PVOID Context)
{
    PDEVICE_EXTENSION device = Context;
    PIRP irp = device->PowerIrp;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
    NTSTATUS status = irp->IoStatus.Status;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (NT_SUCCESS(status)) {
        PoSetPowerState(device->Self, DevicePowerState,
                        stack->Parameters.Power.State);
    }
    /* The next power IRP may come at once; its work waits for the lock. */
    DeviceLock(device);
    CompleteIrp(irp, status, 0);
    if (NT_SUCCESS(status)) {
        device->Awake = TRUE;
        StreamsResume(device);
    }
    DeviceUnlock(device);
    IoReleaseRemoveLock(&device->RemoveLock, irp);
}

static NTSTATUS NTAPI DevicePoweredUp(PDEVICE_OBJECT DeviceObject, PIRP Irp,
                                      PVOID Context)
{
    PDEVICE_EXTENSION device = Context;

    UNREFERENCED_PARAMETER(DeviceObject);
    UNREFERENCED_PARAMETER(Irp);
    IoQueueWorkItem(device->PowerWork, PowerUpWork, DelayedWorkQueue, device);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS SetDevicePower(PDEVICE_EXTENSION Device, PIRP Irp)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);

    IoMarkIrpPending(Irp);
    Device->PowerIrp = Irp;
    if (stack->Parameters.Power.State.DeviceState != PowerDeviceD0) {
        IoQueueWorkItem(Device->PowerWork, PowerDownWork, DelayedWorkQueue,
                        Device);
        return STATUS_PENDING;
    }
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, DevicePoweredUp, Device, TRUE, TRUE, TRUE);
    IoCallDriver(Device->Lower, Irp);
    return STATUS_PENDING;
}

/* The device power IRP that a system power IRP asked for is done. */
static VOID NTAPI DevicePowerDone(PDEVICE_OBJECT Pdo, UCHAR MinorFunction,
                                  POWER_STATE State, PVOID Context,
                                  PIO_STATUS_BLOCK IoStatus)
{
    PIRP irp = Context;
    PDEVICE_EXTENSION device =
        IoGetCurrentIrpStackLocation(irp)->DeviceObject->DeviceExtension;

    UNREFERENCED_PARAMETER(Pdo);
    UNREFERENCED_PARAMETER(MinorFunction);
    UNREFERENCED_PARAMETER(State);
    CompleteIrp(irp, IoStatus->Status, 0);
    IoReleaseRemoveLock(&device->RemoveLock, irp);
}

static NTSTATUS NTAPI SystemPowerForwarded(PDEVICE_OBJECT DeviceObject,
                                           PIRP Irp, PVOID Context)
{
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    PDEVICE_EXTENSION device = Context;
    NTSTATUS status = Irp->IoStatus.Status;
    POWER_STATE state;

    UNREFERENCED_PARAMETER(DeviceObject);
    if (NT_SUCCESS(status)) {
        state.DeviceState =
            stack->Parameters.Power.State.SystemState == PowerSystemWorking
                ? PowerDeviceD0
                : PowerDeviceD3;
        status = PoRequestPowerIrp(device->Pdo, IRP_MN_SET_POWER, state,
                                   DevicePowerDone, Irp, NULL);
        if (status == STATUS_PENDING) {
            return STATUS_MORE_PROCESSING_REQUIRED;
        }
        Irp->IoStatus.Status = status;
    }
    IoReleaseRemoveLock(&device->RemoveLock, Irp);
    return STATUS_CONTINUE_COMPLETION;
}

static NTSTATUS SetSystemPower(PDEVICE_EXTENSION Device, PIRP Irp)
{
    IoMarkIrpPending(Irp);
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, SystemPowerForwarded, Device, TRUE, TRUE, TRUE);
    IoCallDriver(Device->Lower, Irp);
    return STATUS_PENDING;
}

NTSTATUS NTAPI DispatchPower(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PDEVICE_EXTENSION device = DeviceObject->DeviceExtension;
    PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(Irp);
    NTSTATUS status = IoAcquireRemoveLock(&device->RemoveLock, Irp);

    if (!NT_SUCCESS(status)) {
        return CompleteIrp(Irp, status, 0);
    }
    if (stack->MinorFunction != IRP_MN_SET_POWER) {
        return Forward(device, Irp);
    }
    return stack->Parameters.Power.Type == DevicePowerState
               ? SetDevicePower(device, Irp)
               : SetSystemPower(device, Irp);
}
