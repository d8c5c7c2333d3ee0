/*
 * Isochronous URBs: each wrong one is a right one with one thing changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "urbtest.h"

typedef struct _URB_ISOCH_TRANSFER Isoch;

static PURB build(Device *device, PURB urb)
{
    Isoch *iso = &urb->UrbIsochronousTransfer;
    ULONG i;

    RtlZeroMemory(urb, GET_ISO_URB_SIZE(PACKETS));
    iso->Hdr.Length = (USHORT)GET_ISO_URB_SIZE(PACKETS);
    iso->Hdr.Function = URB_FUNCTION_ISOCH_TRANSFER;
    iso->PipeHandle = device->pipe;
    iso->TransferFlags =
        USBD_TRANSFER_DIRECTION_IN | USBD_START_ISO_TRANSFER_ASAP;
    iso->TransferBuffer = device->buffer;
    iso->TransferBufferLength = PACKETS * PIPE_BYTES;
    iso->NumberOfPackets = PACKETS;
    for (i = 0; i < PACKETS; i++) {
        iso->IsoPacket[i].Offset = i * PIPE_BYTES;
    }
    return urb;
}

static void no_packets(Device *device, Isoch *iso)
{
    iso->NumberOfPackets = 0;
}

static void too_many_packets(Device *device, Isoch *iso)
{
    iso->NumberOfPackets = 1032;
}

static void half_frame(Device *device, Isoch *iso)
{
    iso->NumberOfPackets = 12;
    iso->TransferBufferLength = 12 * PIPE_BYTES;
}

static void short_urb(Device *device, Isoch *iso)
{
    iso->Hdr.Length = sizeof(*iso);
}

static void equal_offsets(Device *device, Isoch *iso)
{
    iso->IsoPacket[5].Offset = iso->IsoPacket[4].Offset;
}

static void descending_offsets(Device *device, Isoch *iso)
{
    iso->IsoPacket[5].Offset = iso->IsoPacket[3].Offset;
}

static void offset_outside(Device *device, Isoch *iso)
{
    iso->IsoPacket[PACKETS - 1].Offset = iso->TransferBufferLength + 1;
}

static void large_packet(Device *device, Isoch *iso)
{
    iso->IsoPacket[PACKETS - 1].Offset -= 1;
}

static void wrong_direction(Device *device, Isoch *iso)
{
    iso->TransferFlags = USBD_START_ISO_TRANSFER_ASAP;
}

static void no_buffer(Device *device, Isoch *iso)
{
    iso->TransferBuffer = NULL;
}

static MDL a_mdl;

static void two_buffers(Device *device, Isoch *iso)
{
    a_mdl.StartVa = iso->TransferBuffer;
    a_mdl.ByteCount = iso->TransferBufferLength;
    iso->TransferBufferMDL = &a_mdl;
}

static void short_mdl(Device *device, Isoch *iso)
{
    two_buffers(device, iso);
    a_mdl.ByteCount--;
    iso->TransferBuffer = NULL;
}

static void linked(Device *device, Isoch *iso)
{
    iso->UrbLink = (PURB)iso;
}

static void stale_handle(Device *device, Isoch *iso)
{
    iso->PipeHandle = device->stale_pipe;
}

static void distant_start(Device *device, Isoch *iso)
{
    iso->TransferFlags = USBD_TRANSFER_DIRECTION_IN;
    iso->StartFrame = 0x70000000;
}

static const struct {
    const char *name;
    void (*change)(Device *, Isoch *);
    USBD_STATUS expected;
} wrong[] = {
    { "no packets", no_packets, USBD_STATUS_INVALID_PARAMETER },
    { "1032 packets", too_many_packets, USBD_STATUS_INVALID_PARAMETER },
    { "a frame and a half", half_frame, USBD_STATUS_INVALID_PARAMETER },
    { "an URB too short", short_urb, USBD_STATUS_INVALID_PARAMETER },
    { "equal offsets", equal_offsets, USBD_STATUS_INVALID_PARAMETER },
    { "descending offsets", descending_offsets, USBD_STATUS_INVALID_PARAMETER },
    { "an offset outside", offset_outside, USBD_STATUS_INVALID_PARAMETER },
    { "a packet too large", large_packet, USBD_STATUS_INVALID_PARAMETER },
    { "the other direction", wrong_direction, USBD_STATUS_INVALID_PARAMETER },
    { "no buffer", no_buffer, USBD_STATUS_INVALID_PARAMETER },
    { "a buffer and an MDL", two_buffers, USBD_STATUS_INVALID_PARAMETER },
    { "an MDL too short", short_mdl, USBD_STATUS_INVALID_PARAMETER },
    { "UrbLink", linked, USBD_STATUS_INVALID_PARAMETER },
    { "a stale pipe handle", stale_handle, USBD_STATUS_INVALID_PIPE_HANDLE },
    { "a distant StartFrame", distant_start, USBD_STATUS_BAD_START_FRAME },
};

static void wrong_cases(Device *device, PURB urb)
{
    ULONG i;

    for (i = 0; i < ARRAYSIZE(wrong); i++) {
        build(device, urb);
        wrong[i].change(device, &urb->UrbIsochronousTransfer);
        submit(device, urb);
        check(urb->UrbHeader.Status == wrong[i].expected, wrong[i].name,
              urb->UrbHeader.Status, wrong[i].expected);
    }
}

static void right_cases(Device *device, PURB first, PURB second)
{
    Isoch *iso = &first->UrbIsochronousTransfer;
    Isoch *next = &second->UrbIsochronousTransfer;
    Flight flights[2];
    ULONG i, good = 0, bytes = 0;

    launch(device, &flights[0], build(device, first));
    launch(device, &flights[1], build(device, second));
    land(&flights[0]);
    land(&flights[1]);
    check(first->UrbHeader.Status == USBD_STATUS_SUCCESS, "a right one",
          first->UrbHeader.Status, USBD_STATUS_SUCCESS);
    for (i = 0; i < PACKETS; i++) {
        good += iso->IsoPacket[i].Status == USBD_STATUS_SUCCESS &&
                iso->IsoPacket[i].Length >= ISOAV_HEADER_BYTES;
        bytes += iso->IsoPacket[i].Length;
    }
    check(good == PACKETS, "every packet has a status and a length", (LONG)good,
          PACKETS);
    check(iso->TransferBufferLength == bytes, "the sum of them comes back",
          (LONG)iso->TransferBufferLength, (LONG)bytes);
    check(iso->ErrorCount == 0, "no errors are counted", (LONG)iso->ErrorCount,
          0);
    check(isoav_get32(device->buffer + 3 * PIPE_BYTES) == ISOAV_MAGIC,
          "packet 3 is where its offset says",
          (LONG)isoav_get32(device->buffer + 3 * PIPE_BYTES), ISOAV_MAGIC);
    check(next->StartFrame == iso->StartFrame + PACKETS / 8,
          "the next one follows without a gap", (LONG)next->StartFrame,
          (LONG)(iso->StartFrame + PACKETS / 8));
    check(flights[0].irql == DISPATCH_LEVEL, "completion is at DISPATCH_LEVEL",
          flights[0].irql, DISPATCH_LEVEL);
}

static void cancel_cases(Device *device, PURB urb, PURB other)
{
    struct _URB_PIPE_REQUEST *abort = &other->UrbPipeRequest;
    Flight flight, again;
    NTSTATUS status;

    launch(device, &flight, build(device, urb));
    launch(device, &again, urb);
    land(&again);
    check(again.status == STATUS_INVALID_PARAMETER,
          "an active URB is not taken twice", again.status,
          STATUS_INVALID_PARAMETER);
    IoCancelIrp(flight.irp);
    status = land(&flight);
    check(status == STATUS_CANCELLED, "a cancelled IRP", status,
          STATUS_CANCELLED);
    check(urb->UrbHeader.Status == USBD_STATUS_CANCELED, "its URB",
          urb->UrbHeader.Status, USBD_STATUS_CANCELED);

    launch(device, &flight, build(device, urb));
    RtlZeroMemory(other, sizeof(*abort));
    abort->Hdr.Length = sizeof(*abort);
    abort->Hdr.Function = URB_FUNCTION_ABORT_PIPE;
    abort->PipeHandle = device->pipe;
    status = submit(device, other);
    check(status == STATUS_SUCCESS, "a pipe is aborted", status, 0);
    check(KeReadStateEvent(&flight.done) != 0,
          "what was on it has ended by then", 0, 1);
    status = land(&flight);
    check(status == STATUS_CANCELLED, "as cancelled", status, STATUS_CANCELLED);
    status = submit(device, build(device, urb));
    check(status == STATUS_SUCCESS, "the pipe works again", status, 0);
}

void isoch_cases(Device *device)
{
    PURB first = allocate(GET_ISO_URB_SIZE(PACKETS));
    PURB second = allocate(GET_ISO_URB_SIZE(PACKETS));

    if (first && second) {
        wrong_cases(device, first);
        right_cases(device, first, second);
        cancel_cases(device, first, second);
    }
    ExFreePoolWithTag(first, TAG);
    ExFreePoolWithTag(second, TAG);
}
