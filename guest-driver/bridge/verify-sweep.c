/*
 * Requests with memory that runs out. While the verifier sweeps, each create
 * and each device control (METHOD_BUFFERED) of a program is sent several times:
 * with its first allocation failing, with its second, and so on until one gets
 * through that has no such allocation. The program gets the answer to that one.
 *
 *  1. A request whose allocation failed ends with
 * STATUS_INSUFFICIENT_RESOURCES.
 *  2. It has left nothing behind that stands in the way of the next try.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

#define MOST_TRIES 1000

static volatile bool is_on;
/* This thread is inside a try already. */
static __thread bool is_trying __attribute__((tls_model("initial-exec")));

void verify_sweep_set(bool on)
{
    is_on = on;
}

static ULONG buffer_bytes(const IO_STACK_LOCATION *stack)
{
    ULONG in = stack->Parameters.DeviceIoControl.InputBufferLength;
    ULONG out = stack->Parameters.DeviceIoControl.OutputBufferLength;

    if (stack->MajorFunction != IRP_MJ_DEVICE_CONTROL) {
        return 0;
    }
    return in > out ? in : out;
}

/* A copy of the IRP, but for its buffer. */
static IRP *copy_irp(DEVICE_OBJECT *object, IRP *irp, void *buffer)
{
    IRP *copy = IoAllocateIrp(object->StackSize, FALSE);
    IO_STACK_LOCATION *stack;

    if (!copy) {
        return NULL;
    }
    copy->IoStatus.Status = irp->IoStatus.Status;
    copy->RequestorMode = irp->RequestorMode;
    copy->AssociatedIrp.SystemBuffer = buffer;
    copy->Tail.Overlay.OriginalFileObject =
        irp->Tail.Overlay.OriginalFileObject;
    stack = IoGetNextIrpStackLocation(copy);
    *stack = *IoGetCurrentIrpStackLocation(irp);
    return copy;
}

/* False: no allocation number n; *status and the buffer are the answer. */
static bool attempt(DEVICE_OBJECT *object, IRP *irp, void *buffer, LONG n,
                    IO_STATUS_BLOCK *status)
{
    IRP *copy = copy_irp(object, irp, buffer);
    bool failed;

    if (!copy) {
        status->Status = STATUS_INSUFFICIENT_RESOURCES;
        status->Information = 0;
        return false;
    }
    is_trying = true;
    verify_pool_fail_here(n);
    verify_call(object, copy, PASSIVE_LEVEL);
    failed = !verify_pool_fail_here(0);
    is_trying = false;
    *status = copy->IoStatus;
    IoFreeIrp(copy);
    return failed;
}

static void check_try(const IO_STACK_LOCATION *stack, LONG n, NTSTATUS status)
{
    if (status != STATUS_INSUFFICIENT_RESOURCES) {
        verify_report("request %02x/%08x without its allocation %d: %08x",
                      stack->MajorFunction,
                      (unsigned)stack->Parameters.DeviceIoControl.IoControlCode,
                      (int)n, (unsigned)status);
    }
}

bool verify_sweep(DEVICE_OBJECT *object, IRP *irp)
{
    IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG code = stack->Parameters.DeviceIoControl.IoControlCode;
    ULONG bytes = buffer_bytes(stack);
    UCHAR *buffer;
    LONG n;

    if (!is_on || is_trying ||
        (stack->MajorFunction != IRP_MJ_CREATE &&
         (stack->MajorFunction != IRP_MJ_DEVICE_CONTROL ||
          (code & 3) != METHOD_BUFFERED))) {
        return false;
    }
    buffer = malloc(bytes + 1);
    if (!buffer) {
        return false;
    }
    for (n = 1;; n++) {
        memcpy(buffer, irp->AssociatedIrp.SystemBuffer, bytes);
        if (!attempt(object, irp, buffer, n, &irp->IoStatus) ||
            n == MOST_TRIES) {
            break;
        }
        check_try(stack, n, irp->IoStatus.Status);
    }
    memcpy(irp->AssociatedIrp.SystemBuffer, buffer, bytes);
    free(buffer);
    if (n > 1) {
        bridge_log("swept: %02x/%08x has %d allocations", stack->MajorFunction,
                   stack->MajorFunction == IRP_MJ_CREATE ? 0 : (unsigned)code,
                   (int)n - 1);
    }
    return true;
}
