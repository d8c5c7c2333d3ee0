/*
 * The UVC camera of profile "av".
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "hw/av/av.h"

struct isoav_uvc {
    bool is_streaming;
};

static void uvc_reset(ISOAVDevice *s)
{
    isoav_av *av = s->state;

    av->uvc->is_streaming = false;
}

static int uvc_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                              uint8_t *data)
{
    return ISOAV_CONTROL_STALL;
}

/* Nothing to say: no status; packets of no bytes. */
static void uvc_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    if (p->ep->type == USB_ENDPOINT_XFER_INT) {
        p->status = USB_RET_NAK;
    }
}

static void uvc_stats(const ISOAVDevice *s, QDict *stats)
{
    const isoav_av *av = s->state;

    qdict_put_bool(stats, "streaming", av->uvc->is_streaming);
}

const av_function isoav_uvc_function = {
    .name = "video",
    .first_iface = ISOAV_AV_IFACE_VIDEO_CONTROL,
    .ifaces = 2,
    .endpoints = { ISOAV_AV_EP_VIDEO_STATUS, ISOAV_AV_EP_VIDEO },
    .state_bytes = sizeof(isoav_uvc),
    .state_at = offsetof(isoav_av, uvc),
    .reset = uvc_reset,
    .handle_control = uvc_handle_control,
    .handle_data = uvc_handle_data,
    .stats = uvc_stats,
};

const VMStateDescription isoav_uvc_vmstate = {
    .name = "usb-isoav/uvc",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_BOOL(is_streaming, isoav_uvc),
            VMSTATE_END_OF_LIST(),
        },
};
