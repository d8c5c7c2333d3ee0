/*
 * URB_FUNCTION_ISOCH_TRANSFER.
 *
 * A request is checked as the stack of Windows checks it, before anything is
 * sent: a driver that gets through here gets through there. Packet i of a
 * transfer occupies the buffer from its Offset to the next packet's; libusb
 * lays packets out in just that way, so the driver's buffer is used in place.
 *
 * Frame numbers are synthesised (bridge.h says why): a frame is a millisecond
 * of the monotonic clock. The first transfer on an idle pipe is put two frames
 * ahead, each later one where the previous ends, and a pipe that ran dry
 * starts afresh.
 *
 * SPDX-License-Identifier: MIT
 */
#include "bridge.h"

#include <time.h>

/* Where a transfer on an idle pipe is put, in frames from now. */
#define ASAP_LEAD 2

ULONG isoch_current_frame(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (ULONG)((ULONG64)now.tv_sec * 1000 + (ULONG64)now.tv_nsec / 1000000);
}

/*
 * Packets per 1 ms frame. USB 2.0 §9.6.6: the period is 2^(bInterval - 1), in
 * microframes at high speed and above; Windows takes at most 8 of them, and
 * full speed as one packet a frame.
 */
static ULONG packets_per_frame(const Device *device, const Pipe *pipe)
{
    if (device->speed < LIBUSB_SPEED_HIGH) {
        return 1;
    }
    return pipe->interval >= 4 ? 1 : 8u >> (pipe->interval - 1);
}

static bool is_high_speed(const Device *device)
{
    return device->speed >= LIBUSB_SPEED_HIGH;
}

static ULONG packet_bytes(const struct _URB_ISOCH_TRANSFER *iso, ULONG i)
{
    ULONG end = i + 1 < iso->NumberOfPackets ? iso->IsoPacket[i + 1].Offset
                                             : iso->TransferBufferLength;

    return end - iso->IsoPacket[i].Offset;
}

/* Offsets ascend, stay in the buffer, and no packet exceeds the pipe's. */
static bool has_valid_packets(const struct _URB_ISOCH_TRANSFER *iso,
                              const Pipe *pipe)
{
    ULONG i;

    for (i = 0; i < iso->NumberOfPackets; i++) {
        ULONG offset = iso->IsoPacket[i].Offset;
        ULONG end = i + 1 < iso->NumberOfPackets ? iso->IsoPacket[i + 1].Offset
                                                 : iso->TransferBufferLength;

        if (end <= offset || end > iso->TransferBufferLength ||
            end - offset > pipe->max_bytes) {
            bridge_log("endpoint %02x: packet %u of %u: offset %u to %u of "
                       "%u, at most %u a packet",
                       pipe->address, (unsigned)i,
                       (unsigned)iso->NumberOfPackets, (unsigned)offset,
                       (unsigned)end, (unsigned)iso->TransferBufferLength,
                       (unsigned)pipe->max_bytes);
            return false;
        }
    }
    return true;
}

static USBD_STATUS validate(const Device *device, const URB *urb,
                            const Pipe *pipe)
{
    const struct _URB_ISOCH_TRANSFER *iso = &urb->UrbIsochronousTransfer;
    ULONG packets = iso->NumberOfPackets;
    ULONG most = is_high_speed(device) ? 1024 : 255;
    bool in = pipe->address & USB_ENDPOINT_DIRECTION_MASK;

    if (packets == 0 || packets > most ||
        packets % packets_per_frame(device, pipe) != 0) {
        bridge_log("endpoint %02x: %u packets: 1..%u and a multiple of %u",
                   pipe->address, (unsigned)packets, (unsigned)most,
                   (unsigned)packets_per_frame(device, pipe));
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (urb->UrbHeader.Length <
            FIELD_OFFSET(struct _URB_ISOCH_TRANSFER, IsoPacket) +
                packets * sizeof(iso->IsoPacket[0]) ||
        iso->UrbLink) {
        bridge_log("endpoint %02x: URB of %u bytes for %u packets",
                   pipe->address, urb->UrbHeader.Length, (unsigned)packets);
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (in != !!(iso->TransferFlags & USBD_TRANSFER_DIRECTION_IN)) {
        bridge_log("endpoint %02x: the transfer has the other direction",
                   pipe->address);
        return USBD_STATUS_INVALID_PARAMETER;
    }
    if (is_high_speed(device) && pipe->interval > 4) {
        return USBD_STATUS_NOT_SUPPORTED;
    }
    return has_valid_packets(iso, pipe) ? USBD_STATUS_SUCCESS
                                        : USBD_STATUS_INVALID_PARAMETER;
}

/* StartFrame for an ASAP transfer; the device's lock is held. */
static ULONG schedule(const Device *device, Pipe *pipe, ULONG packets)
{
    ULONG now = isoch_current_frame();
    ULONG start = pipe->next_frame;

    if (!pipe->scheduled || (LONG)(start - now) < 0) {
        start = now + ASAP_LEAD;
    }
    pipe->scheduled = true;
    pipe->next_frame = start + packets / packets_per_frame(device, pipe);
    return start;
}

static USBD_STATUS check_start(Device *device, URB *urb, Pipe *pipe)
{
    struct _URB_ISOCH_TRANSFER *iso = &urb->UrbIsochronousTransfer;
    LONG ahead = (LONG)(iso->StartFrame - isoch_current_frame());

    if (iso->TransferFlags & USBD_START_ISO_TRANSFER_ASAP) {
        EnterCriticalSection(&device->lock);
        iso->StartFrame = schedule(device, pipe, iso->NumberOfPackets);
        LeaveCriticalSection(&device->lock);
        return USBD_STATUS_SUCCESS;
    }
    if (ahead < -USBD_ISO_START_FRAME_RANGE ||
        ahead > USBD_ISO_START_FRAME_RANGE) {
        return USBD_STATUS_BAD_START_FRAME;
    }
    bridge_log("endpoint %02x: a StartFrame of the driver's own cannot be "
               "kept through libusb",
               pipe->address);
    return USBD_STATUS_NOT_SUPPORTED;
}

static USBD_STATUS finish_isoch(Request *request)
{
    struct _URB_ISOCH_TRANSFER *iso = &request->urb->UrbIsochronousTransfer;
    struct libusb_transfer *transfer = request->transfer;
    bool in = request->pipe->address & USB_ENDPOINT_DIRECTION_MASK;
    ULONG i, bytes = 0;

    iso->ErrorCount = 0;
    for (i = 0; i < iso->NumberOfPackets; i++) {
        struct libusb_iso_packet_descriptor *packet =
            &transfer->iso_packet_desc[i];
        USBD_ISO_PACKET_DESCRIPTOR *out = &iso->IsoPacket[i];

        out->Status = request_usbd_status(packet->status);
        if (packet->status == LIBUSB_TRANSFER_CANCELLED ||
            (packet->status != LIBUSB_TRANSFER_COMPLETED &&
             transfer->status == LIBUSB_TRANSFER_CANCELLED)) {
            out->Status = USBD_STATUS_ISO_NOT_ACCESSED_BY_HW;
        }
        if (in) {
            out->Length = packet->actual_length;
        }
        bytes += packet->actual_length;
        iso->ErrorCount += out->Status != USBD_STATUS_SUCCESS;
    }
    if (transfer->status != LIBUSB_TRANSFER_COMPLETED) {
        return request_usbd_status(transfer->status);
    }
    iso->TransferBufferLength = bytes;
    return iso->ErrorCount == iso->NumberOfPackets
               ? USBD_STATUS_ISOCH_REQUEST_FAILED
               : USBD_STATUS_SUCCESS;
}

USBD_STATUS isoch_submit(Device *device, IRP *irp, URB *urb)
{
    struct _URB_ISOCH_TRANSFER *iso = &urb->UrbIsochronousTransfer;
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    Request *request;
    UCHAR *buffer;
    Pipe *pipe;
    ULONG i;

    if (urb->UrbHeader.Length < sizeof(*iso)) {
        return USBD_STATUS_INVALID_PARAMETER;
    }
    pipe = config_pipe(device, iso->PipeHandle);
    if (!pipe || pipe->type != UsbdPipeTypeIsochronous) {
        return USBD_STATUS_INVALID_PIPE_HANDLE;
    }
    status = validate(device, urb, pipe);
    if (status) {
        return status;
    }
    buffer = urb_buffer(iso->TransferBuffer, iso->TransferBufferMDL,
                        iso->TransferBufferLength, &status);
    if (!status) {
        status = check_start(device, urb, pipe);
    }
    if (status) {
        return status;
    }
    request = request_new(device, pipe, irp, urb, (int)iso->NumberOfPackets);
    if (!request) {
        return USBD_STATUS_INSUFFICIENT_RESOURCES;
    }
    request->finish = finish_isoch;
    libusb_fill_iso_transfer(
        request->transfer, device->handle, pipe->address,
        buffer + iso->IsoPacket[0].Offset,
        (int)(iso->TransferBufferLength - iso->IsoPacket[0].Offset),
        (int)iso->NumberOfPackets, NULL, NULL, 0);
    for (i = 0; i < iso->NumberOfPackets; i++) {
        request->transfer->iso_packet_desc[i].length = packet_bytes(iso, i);
    }
    return request_submit(request);
}
