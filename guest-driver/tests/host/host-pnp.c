/*
 * Device objects, device interfaces and power, as far as a driver sees them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "host.h"

NTSTATUS IoCreateDevice(PDRIVER_OBJECT Driver, ULONG ExtensionBytes,
                        PUNICODE_STRING Name, ULONG Type, ULONG Flags,
                        BOOLEAN Exclusive, PDEVICE_OBJECT *Device)
{
    PDEVICE_OBJECT object;

    (void)Name;
    (void)Exclusive;
    g_assert_cmphex(Type, ==, FILE_DEVICE_UNKNOWN);
    g_assert_true(Flags & FILE_DEVICE_SECURE_OPEN);
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    if (host_fails()) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    object = g_new0(DEVICE_OBJECT, 1);
    object->DriverObject = Driver;
    object->DeviceExtension = g_malloc(ExtensionBytes);
    memset(object->DeviceExtension, host.fill, ExtensionBytes);
    object->Flags = DO_DEVICE_INITIALIZING;
    object->StackSize = 1;
    host.devices++;
    *Device = object;
    return STATUS_SUCCESS;
}

void IoDeleteDevice(PDEVICE_OBJECT Device)
{
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    host.devices--;
    g_free(Device->DeviceExtension);
    g_free(Device);
}

PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT Source,
                                           PDEVICE_OBJECT Target)
{
    g_assert_null(Target->AttachedDevice);
    Target->AttachedDevice = Source;
    Source->StackSize = Target->StackSize + 1;
    return Target;
}

void IoDetachDevice(PDEVICE_OBJECT Target)
{
    g_assert_nonnull(Target->AttachedDevice);
    Target->AttachedDevice = NULL;
}

/* --- device interfaces ---------------------------------------------------- */

NTSTATUS IoRegisterDeviceInterface(PDEVICE_OBJECT Pdo, const GUID *Class,
                                   PUNICODE_STRING Reference,
                                   PUNICODE_STRING Link)
{
    g_assert_nonnull(Pdo);
    g_assert_nonnull(Class);
    g_assert_null(Reference);
    if (host_fails()) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    Link->Length = Link->MaximumLength = 2;
    Link->Buffer = g_new0(WCHAR, 2);
    host.allocations++;
    return STATUS_SUCCESS;
}

NTSTATUS IoSetDeviceInterfaceState(PUNICODE_STRING Link, BOOLEAN Enable)
{
    NTSTATUS status = host.announce_status;

    g_assert_nonnull(Link->Buffer);
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    host.announce_status = STATUS_SUCCESS;
    if (status) {
        return status;
    }
    if (host.is_announced == Enable) {
        return Enable ? STATUS_OBJECT_NAME_EXISTS
                      : STATUS_OBJECT_NAME_NOT_FOUND;
    }
    host.is_announced = Enable;
    return STATUS_SUCCESS;
}

void RtlFreeUnicodeString(PUNICODE_STRING String)
{
    if (String->Buffer) {
        host.allocations--;
        g_free(String->Buffer);
    }
    memset(String, 0, sizeof(*String));
}

/* --- power ---------------------------------------------------------------- */

POWER_STATE PoSetPowerState(PDEVICE_OBJECT Device, POWER_STATE_TYPE Type,
                            POWER_STATE State)
{
    const POWER_STATE before = { .DeviceState = host.power };

    g_assert_nonnull(Device);
    g_assert_cmpint(Type, ==, DevicePowerState);
    host.power = State.DeviceState;
    return before;
}

NTSTATUS PoRequestPowerIrp(PDEVICE_OBJECT Pdo, UCHAR Minor, POWER_STATE State,
                           REQUEST_POWER_COMPLETE *Done, PVOID Context,
                           PIRP *Irp)
{
    g_assert_null(Irp);
    g_assert_null(host.request.done); /* one is enough for the tests */
    g_assert_cmpuint(host.irql, <=, DISPATCH_LEVEL);
    if (host_fails()) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    host.request = (host_power_request){ Pdo, Minor, State, Done, Context };
    return STATUS_PENDING;
}
