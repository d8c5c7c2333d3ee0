/*
 * Migration of usb-isoav.
 *
 *  1. QEMU's own state of a USB device has neither its configuration nor its
 *     alternates, on which the endpoints depend. The stream state has them;
 *     after loading, QEMU's side is told by the ordinary requests.
 *  2. The picture is drawn again when it is wanted (isoav_streams.has_pixels).
 *  3. What comes in is checked before it is used: a saved file may be damaged.
 *  4. The loopback queue is large and usually empty: a subsection.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "hw/usb/desc.h"

/* Rule 1. usb_desc_* knows nothing of the streams and leaves them alone. */
static bool restore_endpoints(ISOAVDevice *s)
{
    const isoav_streams *streams = &s->streams;
    USBPacket p = { 0 };
    int i, ret;

    ret = usb_desc_handle_control(&s->dev, &p,
                                  DeviceOutRequest | USB_REQ_SET_CONFIGURATION,
                                  streams->is_configured, 0, 0, NULL);
    for (i = 0; ret >= 0 && streams->is_configured && i < ISOAV_IFACES; i++) {
        ret = usb_desc_handle_control(
            &s->dev, &p, InterfaceOutRequest | USB_REQ_SET_INTERFACE,
            streams->alternate[i], i, 0, NULL);
    }
    return ret >= 0;
}

/* Before loading: the subsection is absent when the queue was empty. */
static int isoav_pre_load(void *opaque)
{
    ISOAVDevice *s = opaque;

    isoav_streams_reset(&s->streams);
    return 0;
}

static int isoav_post_load(void *opaque, int version_id)
{
    ISOAVDevice *s = opaque;

    /* Rules 2 and 3. */
    s->streams.has_pixels = false;
    if (!isoav_streams_is_sane(&s->streams) || !restore_endpoints(s)) {
        return -EINVAL;
    }
    return 0;
}

static bool isoav_loopback_needed(void *opaque)
{
    ISOAVDevice *s = opaque;

    return s->streams.test.count > 0;
}

static const VMStateDescription vmstate_loopback_packet = {
    .name = "usb-isoav/loopback-packet",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT16(bytes, isoav_loopback_packet),
            VMSTATE_UINT8_ARRAY(wire, isoav_loopback_packet, ISOAV_PACKET_MAX),
            VMSTATE_END_OF_LIST(),
        },
};

static const VMStateDescription vmstate_loopback = {
    .name = "usb-isoav/loopback",
    .version_id = 1,
    .minimum_version_id = 1,
    .needed = isoav_loopback_needed,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT32(streams.test.first, ISOAVDevice),
            VMSTATE_UINT32(streams.test.count, ISOAVDevice),
            VMSTATE_STRUCT_ARRAY(
                streams.test.queue, ISOAVDevice, ISOAV_LOOPBACK_PACKETS, 1,
                vmstate_loopback_packet, isoav_loopback_packet),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription isoav_vmstate = {
    .name = "usb-isoav",
    .version_id = 1,
    .minimum_version_id = 1,
    .pre_load = isoav_pre_load,
    .post_load = isoav_post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_USB_DEVICE(dev, ISOAVDevice),
            VMSTATE_BOOL(streams.is_configured, ISOAVDevice),
            VMSTATE_UINT16(streams.width, ISOAVDevice),
            VMSTATE_UINT16(streams.height, ISOAVDevice),
            VMSTATE_UINT32(streams.interval_100ns, ISOAVDevice),
            VMSTATE_UINT8(streams.mode, ISOAVDevice),
            VMSTATE_UINT8_ARRAY(streams.alternate, ISOAVDevice, ISOAV_IFACES),
            VMSTATE_UINT32_ARRAY(streams.sequence, ISOAVDevice, ISOAV_IFACES),
            VMSTATE_UINT64_2DARRAY(streams.counters, ISOAVDevice, ISOAV_IFACES,
                                   ISOAV_COUNTERS),
            VMSTATE_UINT32(streams.video.interval_100ns, ISOAVDevice),
            VMSTATE_UINT32(streams.video.frame_bytes, ISOAVDevice),
            VMSTATE_UINT32(streams.video.chunk_bytes, ISOAVDevice),
            VMSTATE_BOOL(streams.video.is_started, ISOAVDevice),
            VMSTATE_BOOL(streams.video.is_sending, ISOAVDevice),
            VMSTATE_UINT64(streams.video.start_uf, ISOAVDevice),
            VMSTATE_UINT64(streams.video.frame, ISOAVDevice),
            VMSTATE_UINT32(streams.video.offset, ISOAVDevice),
            VMSTATE_UINT32(streams.test.expected, ISOAVDevice),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *[]){
            &vmstate_loopback,
            NULL,
        },
};
