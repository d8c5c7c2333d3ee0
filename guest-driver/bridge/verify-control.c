/*
 * How a test gives the verifier its orders (verify-send.c): a shell writes
 * lines to a named pipe, a program of Windows opens \\.\UsbBridge. Its order is
 * a request that pends while it is carried out, so that the program's other
 * requests go on meanwhile, and ends with the order's own status.
 *
 *     during-abort ORDER   is carried out in the middle of the next
 *                          URB_FUNCTION_ABORT_PIPE: that goes on once the
 *                          driver waits for one of its mutexes, or after a
 *                          second
 *     result               waits for it; its status
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdio.h>
#include <string.h>

#define ORDER_BYTES 80
#define PATIENCE_MS 1000

#define DURING_ABORT "during-abort "

static DEVICE_OBJECT *control;

/* --- orders that come true in an abort ------------------------------------ */

enum { NONE, WAITS_FOR_ABORT, IN_ABORT, HAS_ENDED };

static CRITICAL_SECTION lock;
static CONDITION_VARIABLE changed;
static struct {
    int state;
    NTSTATUS status;
    char order[ORDER_BYTES];
} delayed;

static DWORD WINAPI obey_delayed(void *context)
{
    NTSTATUS status = verify_obey(delayed.order);

    EnterCriticalSection(&lock);
    delayed.status = status;
    delayed.state = HAS_ENDED;
    WakeAllConditionVariable(&changed);
    LeaveCriticalSection(&lock);
    return 0;
}

void verify_at_abort(void)
{
    unsigned waits = shim_mutex_waits();
    bool is_due;

    EnterCriticalSection(&lock);
    is_due = delayed.state == WAITS_FOR_ABORT;
    if (is_due) {
        delayed.state = IN_ABORT;
    }
    LeaveCriticalSection(&lock);
    if (is_due) {
        CloseHandle(CreateThread(NULL, 0, obey_delayed, NULL, 0, NULL));
        if (!shim_mutex_await_waiter(waits, PATIENCE_MS)) {
            bridge_log("%s: nobody waits for it", delayed.order);
        }
    }
}

static NTSTATUS delay(const char *order)
{
    EnterCriticalSection(&lock);
    snprintf(delayed.order, sizeof(delayed.order), "%s", order);
    delayed.state = WAITS_FOR_ABORT;
    LeaveCriticalSection(&lock);
    return STATUS_SUCCESS;
}

/* Of one whose abort has not come nothing will be seen: it is taken back. */
static NTSTATUS delayed_result(void)
{
    NTSTATUS status;

    EnterCriticalSection(&lock);
    while (delayed.state == IN_ABORT) {
        SleepConditionVariableCS(&changed, &lock, INFINITE);
    }
    status = delayed.state == HAS_ENDED ? delayed.status : STATUS_NOT_FOUND;
    delayed.state = NONE;
    LeaveCriticalSection(&lock);
    return status;
}

static NTSTATUS carry_out(const char *order)
{
    NTSTATUS status;

    if (!strncmp(order, DURING_ABORT, strlen(DURING_ABORT))) {
        status = delay(order + strlen(DURING_ABORT));
    } else if (!strcmp(order, "result")) {
        status = delayed_result();
    } else {
        status = verify_obey(order);
    }
    bridge_log("done: %s: %08x", order, (unsigned)status);
    return status;
}

/* --- a program's ---------------------------------------------------------- */

typedef struct Order {
    IRP *irp;
    char text[ORDER_BYTES];
} Order;

static DWORD WINAPI carry_out_request(void *context)
{
    Order *order = context;
    NTSTATUS status = carry_out(order->text);

    *(ULONG *)order->irp->AssociatedIrp.SystemBuffer = (ULONG)status;
    order->irp->IoStatus.Information = sizeof(ULONG);
    bridge_complete(order->irp, STATUS_SUCCESS);
    ExFreePool(order);
    return 0;
}

static NTSTATUS take_request(IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG bytes = stack->Parameters.DeviceIoControl.InputBufferLength;
    Order *order;

    if (stack->Parameters.DeviceIoControl.IoControlCode != VERIFY_IOCTL_ORDER ||
        bytes >= ORDER_BYTES ||
        stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(ULONG)) {
        return bridge_complete(irp, STATUS_INVALID_PARAMETER);
    }
    order = ExAllocatePool(NonPagedPool, sizeof(*order));
    if (!order) {
        return bridge_complete(irp, STATUS_INSUFFICIENT_RESOURCES);
    }
    memset(order, 0, sizeof(*order));
    memcpy(order->text, irp->AssociatedIrp.SystemBuffer, bytes);
    order->irp = irp;
    IoMarkIrpPending(irp);
    CloseHandle(CreateThread(NULL, 0, carry_out_request, order, 0, NULL));
    return STATUS_PENDING;
}

NTSTATUS WINAPI verify_control_dispatch(DEVICE_OBJECT *object, IRP *irp)
{
    if (object != control) {
        return bridge_complete(irp, STATUS_INVALID_DEVICE_REQUEST);
    }
    if (IoGetCurrentIrpStackLocation(irp)->MajorFunction ==
        IRP_MJ_DEVICE_CONTROL) {
        return take_request(irp);
    }
    return bridge_complete(irp, STATUS_SUCCESS);
}

/* --- the shell's ---------------------------------------------------------- */

static DWORD WINAPI read_orders(void *context)
{
    char line[ORDER_BYTES];
    FILE *file;

    /* Opened for writing, too: the end of one writer is not that of all. */
    file = fopen(VERIFY_PIPE, "r+");
    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = 0;
        carry_out(line);
    }
    return 0;
}

void verify_control_start(void)
{
    CloseHandle(CreateThread(NULL, 0, read_orders, NULL, 0, NULL));
}

void verify_control_install(DRIVER_OBJECT *driver)
{
    UNICODE_STRING name, link;

    InitializeCriticalSection(&lock);
    InitializeConditionVariable(&changed);
    RtlInitUnicodeString(&name, L"\\Device\\UsbBridge");
    RtlInitUnicodeString(&link, L"\\DosDevices\\UsbBridge");
    if (IoCreateDevice(driver, 0, &name, FILE_DEVICE_UNKNOWN, 0, FALSE,
                       &control) ||
        IoCreateSymbolicLink(&link, &name)) {
        bridge_log("programs cannot give orders");
        return;
    }
    control->Flags &= ~DO_DEVICE_INITIALIZING;
}
