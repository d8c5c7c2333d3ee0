/*
 * Requests that Windows sends and Wine does not: power, and PnP's questions.
 * An order (verify.h) makes one happen; they go to the top of the first
 * device's stack, PnP's at PASSIVE_LEVEL, those of power at DISPATCH_LEVEL
 * unless the device is DO_POWER_PAGABLE.
 *
 * PoRequestPowerIrp, through which a driver asks for its own device power
 * request, aborts in Wine: it is here, too, and answers from another thread.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*Fill)(IO_STACK_LOCATION *stack, ULONG value);

static NTSTATUS WINAPI sent_is_done(DEVICE_OBJECT *object, IRP *irp,
                                    void *event)
{
    KeSetEvent(event, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

void verify_call(DEVICE_OBJECT *object, IRP *irp, KIRQL irql)
{
    KIRQL before = shim_irql();
    KEVENT done;

    KeInitializeEvent(&done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, sent_is_done, &done, TRUE, TRUE, TRUE);
    if (irql > before) {
        shim_raise_irql(irql);
    }
    IoCallDriver(object, irp);
    shim_lower_irql(before);
    KeWaitForSingleObject(&done, Executive, KernelMode, FALSE, NULL);
}

static DEVICE_OBJECT *top_of(DEVICE_OBJECT *pdo)
{
    while (pdo->AttachedDevice) {
        pdo = pdo->AttachedDevice;
    }
    return pdo;
}

/* A request of the kernel's to the top of a stack, waited for. */
static NTSTATUS send(DEVICE_OBJECT *pdo, UCHAR major, UCHAR minor, Fill fill,
                     ULONG value)
{
    DEVICE_OBJECT *top = top_of(pdo);
    IRP *irp = IoAllocateIrp(top->StackSize, FALSE);
    bool is_raised = major == IRP_MJ_POWER && !(top->Flags & DO_POWER_PAGABLE);
    IO_STACK_LOCATION *stack;
    NTSTATUS status;

    if (!irp) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
    stack = IoGetNextIrpStackLocation(irp);
    stack->MajorFunction = major;
    stack->MinorFunction = minor;
    if (fill) {
        fill(stack, value);
    }
    verify_call(top, irp, is_raised ? DISPATCH_LEVEL : PASSIVE_LEVEL);
    status = irp->IoStatus.Status;
    IoFreeIrp(irp);
    return status;
}

static void fill_device_power(IO_STACK_LOCATION *stack, ULONG state)
{
    stack->Parameters.Power.Type = DevicePowerState;
    stack->Parameters.Power.State.DeviceState = state;
}

static void fill_system_power(IO_STACK_LOCATION *stack, ULONG state)
{
    stack->Parameters.Power.Type = SystemPowerState;
    stack->Parameters.Power.State.SystemState = state;
}

/* --- PoRequestPowerIrp ------------------------------------------------------
 */

typedef void(WINAPI *PowerDone)(DEVICE_OBJECT *, UCHAR, POWER_STATE, void *,
                                IO_STATUS_BLOCK *);

typedef struct Wish {
    DEVICE_OBJECT *pdo;
    UCHAR minor;
    POWER_STATE state;
    PowerDone done;
    void *context;
} Wish;

static DWORD WINAPI grant(void *context)
{
    Wish *wish = context;
    IO_STATUS_BLOCK status = { 0 };

    status.Status = send(wish->pdo, IRP_MJ_POWER, wish->minor,
                         fill_device_power, wish->state.DeviceState);
    if (wish->done) {
        wish->done(wish->pdo, wish->minor, wish->state, wish->context, &status);
    }
    free(wish);
    return 0;
}

static NTSTATUS WINAPI request_power(DEVICE_OBJECT *pdo, UCHAR minor,
                                     POWER_STATE state, PowerDone done,
                                     void *context, IRP **irp)
{
    Wish *wish = calloc(1, sizeof(*wish));
    HANDLE thread;

    if (!wish) {
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    *wish = (Wish){ pdo, minor, state, done, context };
    thread = CreateThread(NULL, 0, grant, wish, 0, NULL);
    if (!thread) {
        free(wish);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    CloseHandle(thread);
    return STATUS_PENDING;
}

static POWER_STATE WINAPI set_power_state(DEVICE_OBJECT *device,
                                          POWER_STATE_TYPE type,
                                          POWER_STATE state)
{
    if (state.DeviceState != PowerDeviceD0) {
        shim_check_case("PoSetPowerState:down");
    }
    return PoSetPowerState(device, type, state);
}

const ShimImport verify_send_imports[] = {
    { "PoRequestPowerIrp", request_power },
    { "PoSetPowerState", set_power_state },
    { NULL, NULL },
};

/* --- commands --------------------------------------------------------------
 */

static const struct {
    const char *command;
    UCHAR major, minor;
    Fill fill;
    ULONG value;
} commands[] = {
    { "pnp query-stop", IRP_MJ_PNP, IRP_MN_QUERY_STOP_DEVICE, NULL, 0 },
    { "pnp cancel-stop", IRP_MJ_PNP, IRP_MN_CANCEL_STOP_DEVICE, NULL, 0 },
    { "pnp stop", IRP_MJ_PNP, IRP_MN_STOP_DEVICE, NULL, 0 },
    { "pnp start", IRP_MJ_PNP, IRP_MN_START_DEVICE, NULL, 0 },
    { "pnp query-remove", IRP_MJ_PNP, IRP_MN_QUERY_REMOVE_DEVICE, NULL, 0 },
    { "pnp cancel-remove", IRP_MJ_PNP, IRP_MN_CANCEL_REMOVE_DEVICE, NULL, 0 },
    { "pnp surprise-removal", IRP_MJ_PNP, IRP_MN_SURPRISE_REMOVAL, NULL, 0 },
    { "power D0", IRP_MJ_POWER, IRP_MN_SET_POWER, fill_device_power,
      PowerDeviceD0 },
    { "power D3", IRP_MJ_POWER, IRP_MN_SET_POWER, fill_device_power,
      PowerDeviceD3 },
    { "power S0", IRP_MJ_POWER, IRP_MN_SET_POWER, fill_system_power,
      PowerSystemWorking },
    { "power S3", IRP_MJ_POWER, IRP_MN_SET_POWER, fill_system_power,
      PowerSystemSleeping3 },
    { "power query-S3", IRP_MJ_POWER, IRP_MN_QUERY_POWER, fill_system_power,
      PowerSystemSleeping3 },
};

/* The first device that PnP knows of. */
static bool take_pdo(Device *device, const void *out)
{
    if (device->reported) {
        *(DEVICE_OBJECT **)(ULONG_PTR)out = device->pdo;
    }
    return device->reported;
}

static void log_counts(void)
{
    VerifyCounts c = verify_pool_counts();

    bridge_log("allocated: %u blocks, %llu bytes (at most %llu), %d IRPs, "
               "%d work items",
               (unsigned)c.blocks, (unsigned long long)c.bytes,
               (unsigned long long)c.most_bytes, (int)verify_irp_allocated(),
               (int)verify_work_items());
}

NTSTATUS verify_obey(const char *command)
{
    DEVICE_OBJECT *pdo = NULL;
    size_t i;

    bridge_any_device(take_pdo, &pdo);
    if (!strcmp(command, "counts")) {
        log_counts();
        return STATUS_SUCCESS;
    }
    if (!strncmp(command, "fail ", 5)) {
        verify_pool_fail(atoi(command + 5));
        return STATUS_SUCCESS;
    }
    if (!strcmp(command, "sweep on") || !strcmp(command, "sweep off")) {
        verify_sweep_set(!strcmp(command, "sweep on"));
        return STATUS_SUCCESS;
    }
    if (!strcmp(command, "cleanup")) {
        return shim_cleanup_now();
    }
    for (i = 0; i < ARRAYSIZE(commands); i++) {
        if (!strcmp(command, commands[i].command)) {
            return pdo ? send(pdo, commands[i].major, commands[i].minor,
                              commands[i].fill, commands[i].value)
                       : STATUS_NO_SUCH_DEVICE;
        }
    }
    return STATUS_NOT_IMPLEMENTED;
}
