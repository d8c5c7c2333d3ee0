/*
 * Migration of usb-isoav: what all profiles have. Each profile adds a
 * subsection with its own state.
 *
 *  1. QEMU's own state of a USB device has neither its configuration nor its
 *     alternates, on which the endpoints depend. They are saved here; after
 *     loading, QEMU's side is told by the ordinary requests.
 *  2. Profile and speed are the user's to say, on both sides alike: they are
 *     saved to be compared.
 *  3. What comes in is checked before it is used: a saved file may be damaged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

static int isoav_pre_save(void *opaque)
{
    ISOAVDevice *s = opaque;

    s->configuration = s->dev.config ? s->dev.config->bConfigurationValue : 0;
    for (int i = 0; i < USB_MAX_INTERFACES; i++) {
        s->alternates[i] = s->dev.altsetting[i];
    }
    return 0;
}

static bool has_configuration(const USBDescDevice *device, int value)
{
    for (int i = 0; i < device->bNumConfigurations; i++) {
        if (device->confs[i].bConfigurationValue == value) {
            return true;
        }
    }
    return value == 0;
}

/* Rule 1. usb_desc_* knows nothing of the profile and leaves it alone. */
static bool restore_endpoints(ISOAVDevice *s)
{
    USBPacket p = { 0 };
    int ret;

    if (!has_configuration(s->dev.device, s->configuration)) {
        return false;
    }
    ret = usb_desc_handle_control(&s->dev, &p,
                                  DeviceOutRequest | USB_REQ_SET_CONFIGURATION,
                                  s->configuration, 0, 0, NULL);
    for (int i = 0; ret >= 0 && i < s->dev.ninterfaces; i++) {
        ret = usb_desc_handle_control(
            &s->dev, &p, InterfaceOutRequest | USB_REQ_SET_INTERFACE,
            s->alternates[i], i, 0, NULL);
    }
    return ret >= 0;
}

/* Before loading: a subsection that is absent leaves what it would bring. */
static int isoav_pre_load(void *opaque)
{
    ISOAVDevice *s = opaque;

    s->profile->reset(s);
    return 0;
}

static int isoav_post_load(void *opaque, int version_id)
{
    ISOAVDevice *s = opaque;

    if (!restore_endpoints(s) ||
        (s->profile->post_load && !s->profile->post_load(s))) {
        return -EINVAL;
    }
    return 0;
}

const VMStateDescription isoav_vmstate = {
    .name = "usb-isoav",
    .version_id = 2,
    .minimum_version_id = 2,
    .pre_save = isoav_pre_save,
    .pre_load = isoav_pre_load,
    .post_load = isoav_post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8_EQUAL(profile_id, ISOAVDevice,
                                "the two usb-isoav have different profiles"),
            VMSTATE_UINT8_EQUAL(speed_id, ISOAVDevice,
                                "the two usb-isoav have different speeds"),
            VMSTATE_USB_DEVICE(dev, ISOAVDevice),
            VMSTATE_UINT8(configuration, ISOAVDevice),
            VMSTATE_UINT8_ARRAY(alternates, ISOAVDevice, USB_MAX_INTERFACES),
            VMSTATE_UINT16(halted_in, ISOAVDevice),
            VMSTATE_UINT16(halted_out, ISOAVDevice),
            VMSTATE_END_OF_LIST(),
        },
    .subsections =
        (const VMStateDescription *[]){
            &isoav_vmstate_vendor,
            &isoav_vmstate_zero,
            &isoav_vmstate_av,
            NULL,
        },
};
