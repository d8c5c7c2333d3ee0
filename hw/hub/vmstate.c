/*
 * Migration of usb-isohub.
 *
 *  1. QEMU's own state of a USB device has neither its configuration nor its
 *     alternate; after loading, its descriptor code is told by the ordinary
 *     requests.
 *  2. What comes in is checked before it is used: a saved file may be damaged.
 *  3. The timer follows from the ports.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hw/hub/hub.h"

#include "hw/usb/desc.h"

#include "hw/hub/descriptors.h"

/* Rule 1. */
static bool restore_endpoints(ISOHub *s)
{
    USBPacket none = { 0 };
    int ret;

    ret = usb_desc_handle_control(
        &s->dev, &none, DeviceOutRequest | USB_REQ_SET_CONFIGURATION,
        s->is_configured ? ISOHUB_CONFIGURATION : 0, 0, 0, NULL);
    if (ret >= 0 && s->is_configured) {
        ret = usb_desc_handle_control(
            &s->dev, &none, InterfaceOutRequest | USB_REQ_SET_INTERFACE,
            s->alternate, 0, 0, NULL);
    }
    return ret >= 0;
}

static bool is_sane(const ISOHub *s)
{
    for (unsigned i = 0; i < s->num_ports; i++) {
        if (!isohub_port_is_sane(&s->ports[i])) {
            return false;
        }
    }
    return s->alternate <= s->mtt;
}

static int post_load(void *opaque, int version_id)
{
    ISOHub *s = opaque;

    if (!is_sane(s) || !restore_endpoints(s)) {
        for (unsigned i = 0; i < s->num_ports; i++) {
            isohub_port_init(&s->ports[i]);
        }
        return -EINVAL;
    }
    isohub_arm(s);
    return 0;
}

static const VMStateDescription vmstate_port = {
    .name = "usb-isohub/port",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT8(state, isohub_port),
            VMSTATE_UINT8(speed, isohub_port),
            VMSTATE_UINT8(indicator, isohub_port),
            VMSTATE_UINT16(change, isohub_port),
            VMSTATE_UINT64(due_ns, isohub_port),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription isohub_vmstate = {
    .name = TYPE_ISOHUB,
    .version_id = 1,
    .minimum_version_id = 1,
    .post_load = post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_USB_DEVICE(dev, ISOHub),
            VMSTATE_UINT32_EQUAL(num_ports, ISOHub, "the hub has other ports"),
            VMSTATE_BOOL(is_configured, ISOHub),
            VMSTATE_BOOL(is_halted, ISOHub),
            VMSTATE_UINT8(alternate, ISOHub),
            VMSTATE_UINT8(change, ISOHub),
            VMSTATE_STRUCT_ARRAY(ports, ISOHub, ISOHUB_PORTS_MAX, 1,
                                 vmstate_port, isohub_port),
            VMSTATE_END_OF_LIST(),
        },
};
