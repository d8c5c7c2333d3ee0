/*
 * A URB on its way through libusb.
 *
 * Rules:
 *
 *  1. A request is on its device's list from submission until its IRP has
 *     been completed; an abort waits for exactly that.
 *  2. The IRP is marked pending before libusb gets the transfer, and from then
 *     on only the event thread completes it.
 *  3. Cancelling an IRP cancels the transfer; the completion that follows
 *     says CANCELED, or success if the transfer was faster.
 *  4. The request is freed only after its cancel routine, if that has been
 *     called, is through with it.
 *  5. A driver does not submit from the completion routine of a request that
 *     was cancelled, nor to a pipe that is being aborted: it would never end.
 *     The verifier says so, and the URB fails as if the device had gone.
 *  6. Completion routines run at DISPATCH_LEVEL, as they do above a real host
 *     controller's driver.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"
#include "verify.h"

#include <stdlib.h>
#include <string.h>

USBD_STATUS request_usbd_status(enum libusb_transfer_status status)
{
    switch (status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return USBD_STATUS_SUCCESS;
    case LIBUSB_TRANSFER_TIMED_OUT:
        return USBD_STATUS_TIMEOUT;
    case LIBUSB_TRANSFER_CANCELLED:
        return USBD_STATUS_CANCELED;
    case LIBUSB_TRANSFER_STALL:
        return USBD_STATUS_STALL_PID;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return USBD_STATUS_DEVICE_GONE;
    case LIBUSB_TRANSFER_OVERFLOW:
        return USBD_STATUS_BABBLE_DETECTED;
    case LIBUSB_TRANSFER_ERROR:
    default:
        return USBD_STATUS_XACT_ERROR;
    }
}

USBD_STATUS request_usbd_error(int libusb_error)
{
    switch (libusb_error) {
    case LIBUSB_SUCCESS:
        return USBD_STATUS_SUCCESS;
    case LIBUSB_ERROR_NO_DEVICE:
        return USBD_STATUS_DEVICE_GONE;
    case LIBUSB_ERROR_NO_MEM:
        return USBD_STATUS_INSUFFICIENT_RESOURCES;
    case LIBUSB_ERROR_BUSY:
        return USBD_STATUS_ERROR_BUSY;
    case LIBUSB_ERROR_NOT_FOUND:
        return USBD_STATUS_INTERFACE_NOT_FOUND;
    case LIBUSB_ERROR_INVALID_PARAM:
        return USBD_STATUS_INVALID_PARAMETER;
    case LIBUSB_ERROR_PIPE:
        return USBD_STATUS_STALL_PID;
    default:
        return USBD_STATUS_INTERNAL_HC_ERROR;
    }
}

void request_free(Request *request)
{
    libusb_free_transfer(request->transfer);
    free(request->setup);
    free(request);
}

Request *request_new(Device *device, Pipe *pipe, IRP *irp, URB *urb,
                     int packets)
{
    Request *request = calloc(1, sizeof(*request));

    if (!request) {
        return NULL;
    }
    request->device = device;
    request->pipe = pipe;
    request->irp = irp;
    request->urb = urb;
    request->transfer = libusb_alloc_transfer(packets);
    if (!request->transfer) {
        free(request);
        return NULL;
    }
    return request;
}

/* The device's lock is held. */
static void unlink_request(Request *request)
{
    Request **at = &request->device->requests;

    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    request->linked = false;
    if (request->pipe) {
        request->pipe->active--;
    }
    WakeAllConditionVariable(&request->device->changed);
}

/*
 * Takes the cancel routine off the IRP; when it has been called already, waits
 * until it is through (rule 4). The device's lock is held.
 */
static void end_cancel(Request *request)
{
    if (IoSetCancelRoutine(request->irp, NULL)) {
        return;
    }
    while (!request->cancel_ran) {
        SleepConditionVariableCS(&request->device->changed,
                                 &request->device->lock, INFINITE);
    }
}

static void WINAPI cancel_irp(DEVICE_OBJECT *pdo, IRP *irp)
{
    Request *request = irp->Tail.Overlay.DriverContext[0];
    Device *device = request->device;

    IoReleaseCancelSpinLock(irp->CancelIrql);
    EnterCriticalSection(&device->lock);
    if (request->linked) {
        libusb_cancel_transfer(request->transfer);
    }
    request->cancel_ran = true;
    WakeAllConditionVariable(&device->changed);
    LeaveCriticalSection(&device->lock);
}

/* The pipe whose cancelled request this thread completes; NULL: none. */
static __thread Pipe *cancelled_pipe __attribute__((tls_model("initial-exec")));

static void complete_request(Request *request, USBD_STATUS status)
{
    Device *device = request->device;
    IRP *irp = request->irp;
    KIRQL irql;

    request->urb->UrbHeader.Status = status;
    EnterCriticalSection(&device->lock);
    end_cancel(request);
    request->urb = NULL; /* the driver may submit it again at once */
    LeaveCriticalSection(&device->lock);
    irp->IoStatus.Information = 0;
    irql = shim_raise_irql(DISPATCH_LEVEL);
    cancelled_pipe = status == USBD_STATUS_CANCELED ? request->pipe : NULL;
    bridge_complete(irp, urb_nt_status(status));
    cancelled_pipe = NULL;
    if (shim_irql() != DISPATCH_LEVEL) {
        verify_report("a completion routine ended at IRQL %u", shim_irql());
    }
    shim_check_no_lock("a completion routine ended");
    shim_lower_irql(irql);
    EnterCriticalSection(&device->lock);
    unlink_request(request);
    LeaveCriticalSection(&device->lock);
    request_free(request);
}

static void LIBUSB_CALL transfer_done(struct libusb_transfer *transfer)
{
    Request *request = transfer->user_data;
    USBD_STATUS status = request->finish(request);

    if (transfer->status == LIBUSB_TRANSFER_NO_DEVICE) {
        enumerate_gone(request->device);
    }
    complete_request(request, status);
}

static bool is_active(const Device *device, const URB *urb)
{
    const Request *r;

    for (r = device->requests; r; r = r->next) {
        if (r->urb == urb) {
            return true;
        }
    }
    return false;
}

typedef struct Extent {
    const UCHAR *from, *end;
} Extent;

static bool is_in(const void *memory, const Extent *extent)
{
    return (const UCHAR *)memory >= extent->from &&
           (const UCHAR *)memory < extent->end;
}

static bool uses_extent(Device *device, const void *extent)
{
    const Request *r;
    bool found = false;

    EnterCriticalSection(&device->lock);
    for (r = device->requests; r && !found; r = r->next) {
        found = r->urb &&
                (is_in(r->urb, extent) || is_in(r->transfer->buffer, extent));
    }
    LeaveCriticalSection(&device->lock);
    return found;
}

/* An URB that has not ended is there, or transfers to there. */
bool request_uses(const void *memory, SIZE_T bytes)
{
    const Extent extent = { memory, (const UCHAR *)memory + bytes };

    return bridge_any_device(uses_extent, &extent);
}

static bool has_irp(Device *device, const void *irp)
{
    const Request *r;
    bool found = false;

    EnterCriticalSection(&device->lock);
    for (r = device->requests; r && !found; r = r->next) {
        found = r->urb && r->irp == irp;
    }
    LeaveCriticalSection(&device->lock);
    return found;
}

bool request_has_irp(const IRP *irp)
{
    return bridge_any_device(has_irp, irp);
}

/* Rule 5. */
static bool is_welcome(const Request *request)
{
    const Pipe *pipe = request->pipe;

    if (pipe && (pipe == cancelled_pipe || pipe->aborting)) {
        verify_report("endpoint %02x: submitted again after a cancellation",
                      pipe->address);
        return false;
    }
    return true;
}

/*
 * Gives the transfer to libusb. USBD_STATUS_PENDING: the event thread
 * completes the IRP; anything else: nothing has happened, the caller does.
 */
USBD_STATUS request_submit(Request *request)
{
    Device *device = request->device;
    USBD_STATUS status = USBD_STATUS_PENDING;
    IRP *irp = request->irp;
    int ret;

    request->transfer->user_data = request;
    request->transfer->callback = transfer_done;
    EnterCriticalSection(&device->lock);
    if (!is_welcome(request)) {
        LeaveCriticalSection(&device->lock);
        request_free(request);
        return USBD_STATUS_DEVICE_GONE;
    }
    if (is_active(device, request->urb)) {
        bridge_log("a URB that is still active was submitted again");
        LeaveCriticalSection(&device->lock);
        request_free(request);
        return USBD_STATUS_INVALID_PARAMETER;
    }
    request->linked = true;
    request->next = device->requests;
    device->requests = request;
    if (request->pipe) {
        request->pipe->active++;
    }
    request->urb->UrbHeader.Status = USBD_STATUS_PENDING;
    irp->Tail.Overlay.DriverContext[0] = request;
    IoMarkIrpPending(irp);
    IoSetCancelRoutine(irp, cancel_irp);
    if (irp->Cancel && IoSetCancelRoutine(irp, NULL)) {
        status = USBD_STATUS_CANCELED; /* before it began */
    } else {
        ret = libusb_submit_transfer(request->transfer);
        if (ret) {
            bridge_log("endpoint %02x: submit: %s", request->transfer->endpoint,
                       libusb_error_name(ret));
            end_cancel(request);
            status = request_usbd_error(ret);
        }
    }
    if (status != USBD_STATUS_PENDING) {
        unlink_request(request);
        IoGetCurrentIrpStackLocation(irp)->Control &= ~SL_PENDING_RETURNED;
    }
    LeaveCriticalSection(&device->lock);
    if (status == USBD_STATUS_DEVICE_GONE) {
        enumerate_gone(device);
    }
    if (status != USBD_STATUS_PENDING) {
        request_free(request);
    }
    return status;
}

/*
 * Cancels what is on a pipe (all pipes if NULL) and waits until it has ended.
 * On the event thread nothing could end: there the requests end later.
 */
void request_abort(Device *device, Pipe *pipe)
{
    Request *r;
    bool busy;

    EnterCriticalSection(&device->lock);
    if (pipe) {
        pipe->aborting++;
    }
    for (r = device->requests; r; r = r->next) {
        if (!pipe || r->pipe == pipe) {
            libusb_cancel_transfer(r->transfer);
        }
    }
    do {
        busy = false;
        for (r = device->requests; r; r = r->next) {
            busy = busy || !pipe || r->pipe == pipe;
        }
        if (busy && !bridge_on_event_thread()) {
            SleepConditionVariableCS(&device->changed, &device->lock, INFINITE);
        }
    } while (busy && !bridge_on_event_thread());
    if (pipe) {
        pipe->scheduled = false;
        pipe->aborting--;
    }
    LeaveCriticalSection(&device->lock);
}

static USBD_STATUS finish_control(Request *request)
{
    struct libusb_transfer *transfer = request->transfer;

    if (transfer->status == LIBUSB_TRANSFER_COMPLETED &&
        request->setup[0] & LIBUSB_ENDPOINT_IN && request->data) {
        memcpy(request->data, request->setup + LIBUSB_CONTROL_SETUP_SIZE,
               (size_t)transfer->actual_length);
    }
    if (request->bytes_out) {
        *request->bytes_out = (ULONG)transfer->actual_length;
    }
    return request_usbd_status(transfer->status);
}

/* data_bytes, in the URB, gets the bytes that were transferred. */
USBD_STATUS request_control(Device *device, IRP *irp, URB *urb,
                            const UCHAR setup[8], UCHAR *data,
                            ULONG *data_bytes, ULONG timeout_ms)
{
    ULONG bytes = data_bytes ? *data_bytes : 0;
    Request *request = request_new(device, NULL, irp, urb, 0);

    if (!request) {
        return USBD_STATUS_INSUFFICIENT_RESOURCES;
    }
    request->setup = calloc(1, LIBUSB_CONTROL_SETUP_SIZE + bytes);
    if (!request->setup) {
        request_free(request);
        return USBD_STATUS_INSUFFICIENT_RESOURCES;
    }
    memcpy(request->setup, setup, LIBUSB_CONTROL_SETUP_SIZE);
    request->setup[6] = (UCHAR)bytes; /* wLength, USB 2.0 §9.3.5 */
    request->setup[7] = (UCHAR)(bytes >> 8);
    if (bytes && !(setup[0] & LIBUSB_ENDPOINT_IN)) {
        memcpy(request->setup + LIBUSB_CONTROL_SETUP_SIZE, data, bytes);
    }
    request->data = data;
    request->bytes_out = data_bytes;
    request->finish = finish_control;
    libusb_fill_control_transfer(request->transfer, device->handle,
                                 request->setup, NULL, NULL, timeout_ms);
    return request_submit(request);
}

static USBD_STATUS finish_bulk(Request *request)
{
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *bulk =
        &request->urb->UrbBulkOrInterruptTransfer;
    ULONG wanted = bulk->TransferBufferLength;

    bulk->TransferBufferLength = (ULONG)request->transfer->actual_length;
    if (request->transfer->status == LIBUSB_TRANSFER_COMPLETED &&
        bulk->TransferBufferLength < wanted &&
        !(bulk->TransferFlags & USBD_SHORT_TRANSFER_OK)) {
        return USBD_STATUS_ERROR_SHORT_TRANSFER;
    }
    return request_usbd_status(request->transfer->status);
}

USBD_STATUS request_bulk(Device *device, IRP *irp, URB *urb)
{
    struct _URB_BULK_OR_INTERRUPT_TRANSFER *bulk =
        &urb->UrbBulkOrInterruptTransfer;
    Pipe *pipe = config_pipe(device, bulk->PipeHandle);
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    Request *request;
    UCHAR *buffer;

    if (urb->UrbHeader.Length < sizeof(*bulk) || bulk->UrbLink) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (!pipe || (pipe->type != UsbdPipeTypeBulk &&
                  pipe->type != UsbdPipeTypeInterrupt)) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    buffer = urb_buffer(bulk->TransferBuffer, bulk->TransferBufferMDL,
                        bulk->TransferBufferLength, &status);
    if (status) {
        return status;
    }
    request = request_new(device, pipe, irp, urb, 0);
    if (!request) {
        return USBD_STATUS_INSUFFICIENT_RESOURCES;
    }
    request->finish = finish_bulk;
    libusb_fill_bulk_transfer(request->transfer, device->handle, pipe->address,
                              buffer, (int)bulk->TransferBufferLength, NULL,
                              NULL, 0);
    if (pipe->type == UsbdPipeTypeInterrupt) {
        request->transfer->type = LIBUSB_TRANSFER_TYPE_INTERRUPT;
    }
    return request_submit(request);
}
