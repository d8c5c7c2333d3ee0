/*
 * The UVC camera of profile "av": the operations of a function (av.h), which
 * hand on to the parts: uvc-control.c the requests, uvc-data.c the packets.
 *
 *  1. The status endpoint has nothing to say (NAK) until a control changes or
 *     the still button is pressed; then the host is woken.
 *  2. Controls keep their values until a reset. A configuration ends a stream
 *     and what was negotiated for it.
 *  3. The button is the property `still-button`: a press, and when it is
 *     written again, its release.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/uvc.h"

#include "qapi/error.h"

static const isoav_uvc_speed *present_speed(const ISOAVDevice *s)
{
    switch (s->dev.speed) {
    case USB_SPEED_SUPER:
        return isoav_uvc_speed_of(ISOAV_SPEED_SUPER);
    case USB_SPEED_HIGH:
        return isoav_uvc_speed_of(ISOAV_SPEED_HIGH);
    default:
        return isoav_uvc_speed_of(ISOAV_SPEED_FULL);
    }
}

static void uvc_reset(ISOAVDevice *s)
{
    isoav_uvc *u = isoav_uvc_of(s);

    isoav_uvc_model_reset(&u->model, present_speed(s));
    memcpy(u->shown, u->model.values, sizeof(u->shown));
    u->wants_status = false;
    isoav_uvc_restart(s);
}

/* Rule 2. */
static void uvc_set_configuration(ISOAVDevice *s, int value)
{
    isoav_uvc *u = isoav_uvc_of(s);

    u->model.alternate = 0;
    u->model.is_committed = u->model.is_still_committed = false;
    isoav_uvc_restart(s);
}

static bool uvc_may_select(ISOAVDevice *s, int iface, int alternate)
{
    return iface != ISOAV_AV_IFACE_VIDEO ||
           isoav_uvc_may_select(&isoav_uvc_of(s)->model, alternate);
}

static void uvc_set_interface(ISOAVDevice *s, int iface, int alternate)
{
    if (iface == ISOAV_AV_IFACE_VIDEO) {
        isoav_uvc_of(s)->model.alternate = alternate;
        isoav_uvc_restart(s);
    }
}

/* Rule 1. */
static void wake_status(ISOAVDevice *s)
{
    isoav_uvc *u = isoav_uvc_of(s);

    if (u->wants_status && u->model.status.count) {
        u->wants_status = false;
        usb_wakeup(
            usb_ep_get(&s->dev, USB_TOKEN_IN, ISOAV_AV_EP_VIDEO_STATUS & 0x0f),
            0);
    }
}

static int uvc_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                              uint8_t *data)
{
    int bytes = isoav_uvc_request(&isoav_uvc_of(s)->model, setup, data);

    wake_status(s);
    return bytes;
}

static void status_packet(ISOAVDevice *s, USBPacket *p)
{
    isoav_uvc *u = isoav_uvc_of(s);
    uint8_t status[ISOAV_UVC_STATUS_ROOM];
    size_t length = isoav_uvc_take_status(&u->model, status);

    if (!length) {
        u->wants_status = true;
        p->status = USB_RET_NAK;
        return;
    }
    isoav_packet_put(p, status, length);
    if (length > usb_packet_size(p)) {
        p->status = USB_RET_BABBLE;
    }
}

static void uvc_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    if (nr == (ISOAV_AV_EP_VIDEO & 0x0f)) {
        isoav_uvc_packet(s, p);
    } else {
        status_packet(s, p);
    }
}

static void uvc_realize(ISOAVDevice *s, Error **errp)
{
    const char *spec = s->video_source ? s->video_source : "pattern";
    g_autofree char *why = NULL;

    isoav_uvc_of(s)->source = isoav_vsource_open(spec, &why);
    if (!isoav_uvc_of(s)->source) {
        error_setg(errp, "%s", why);
    }
}

static void uvc_unrealize(ISOAVDevice *s)
{
    isoav_vsource_close(isoav_uvc_of(s)->source);
}

/* The stream that was saved belongs to the alternate and the commit. */
static bool uvc_post_load(ISOAVDevice *s)
{
    isoav_uvc *u = isoav_uvc_of(s);
    const isoav_uvc_probe *commit = &u->model.commit;
    bool runs = u->model.alternate && u->model.is_committed;

    u->format = (isoav_vformat){ 0 };
    u->frame = NULL;
    return isoav_uvc_model_is_sane(&u->model) &&
           isoav_uvc_values_are_sane(u->shown) &&
           isoav_uvc_stream_is_sane(&u->stream) &&
           u->model.alternate == s->dev.altsetting[ISOAV_AV_IFACE_VIDEO] &&
           u->stream.interval_100ns == (runs ? commit->dwFrameInterval : 0) &&
           u->stream.payload_bytes ==
               (runs ? commit->dwMaxPayloadTransferSize : 0);
}

static const char *const counter_names[ISOAV_UVC_COUNTERS] = {
    [ISOAV_UVC_COUNT_FRAMES] = "frames",
    [ISOAV_UVC_COUNT_STILLS] = "stills",
    [ISOAV_UVC_COUNT_PACKETS] = "packets",
    [ISOAV_UVC_COUNT_BYTES] = "bytes",
    [ISOAV_UVC_COUNT_UNDERRUN] = "underruns",
    [ISOAV_UVC_COUNT_OVERRUN] = "overruns",
    [ISOAV_UVC_COUNT_REPEATED] = "repeated",
    [ISOAV_UVC_COUNT_LATE] = "late",
    [ISOAV_UVC_COUNT_SKIPPED] = "skipped",
};

static void uvc_stats(const ISOAVDevice *s, QDict *stats)
{
    const isoav_uvc *u = isoav_uvc_of(s);

    qdict_put_int(stats, "alternate", u->model.alternate);
    for (int i = 0; i < ISOAV_UVC_COUNTERS; i++) {
        qdict_put_int(stats, counter_names[i], u->counters[i]);
    }
    qdict_put_int(stats, "fifo-level", isoav_uvc_stream_left(&u->stream));
}

static char *get_video_source(Object *obj, Error **errp)
{
    const char *spec = ISOAV(obj)->video_source;

    return g_strdup(spec ? spec : "pattern");
}

static void set_video_source(Object *obj, const char *value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (s->dev.qdev.realized) {
        error_setg(errp, "the video-source of a usb-isoav cannot change any "
                         "more");
        return;
    }
    g_free(s->video_source);
    s->video_source = g_strdup(value);
    isoav_property_is_for(s, &isoav_profile_av, "video-source");
}

/* Rule 3. */
static void set_still_button(Object *obj, bool value, Error **errp)
{
    ISOAVDevice *s = ISOAV(obj);

    if (s->profile != &isoav_profile_av || !s->dev.qdev.realized) {
        error_setg(errp, "only a usb-isoav with profile 'av' that is plugged "
                         "in has a still-button");
        return;
    }
    isoav_uvc_press(&isoav_uvc_of(s)->model, value);
    wake_status(s);
}

static void uvc_add_properties(ObjectClass *klass)
{
    object_class_property_add_str(klass, "video-source", get_video_source,
                                  set_video_source);
    object_class_property_set_description(
        klass, "video-source",
        "profile av: where the frames come from: 'pattern' (default), "
        "'file:NAME' "
        "(Y4M, JPEGs, PNG, or YUY2 in clip_640x480.yuv), 'loop:NAME', "
        "'pipe:NAME' (Y4M) or 'pipe:640x480:NAME' (YUY2), 'v4l2:/dev/video0'");
    object_class_property_add_bool(klass, "still-button", NULL,
                                   set_still_button);
    object_class_property_set_description(
        klass, "still-button",
        "profile av, at run time: 'on' presses the camera's button, 'off' "
        "releases it");
}

const av_function isoav_uvc_function = {
    .name = "video",
    .first_iface = ISOAV_AV_IFACE_VIDEO_CONTROL,
    .ifaces = 2,
    .endpoints = { ISOAV_AV_EP_VIDEO_STATUS, ISOAV_AV_EP_VIDEO },
    .state_bytes = sizeof(isoav_uvc),
    .state_at = offsetof(isoav_av, uvc),
    .add_properties = uvc_add_properties,
    .realize = uvc_realize,
    .unrealize = uvc_unrealize,
    .reset = uvc_reset,
    .set_configuration = uvc_set_configuration,
    .may_select = uvc_may_select,
    .set_interface = uvc_set_interface,
    .handle_control = uvc_handle_control,
    .handle_data = uvc_handle_data,
    .post_load = uvc_post_load,
    .stats = uvc_stats,
};
