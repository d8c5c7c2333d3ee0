/*
 * Profile "av": finds the function that a request or a packet is for, and
 * asks all of them where it concerns the whole device (av.h).
 *
 * A request names its function by the low byte of wIndex, which is an
 * interface, or the address of an endpoint.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/isoav.h"

#include "qapi/error.h"

#include "hw/av/av.h"

static const av_function *const functions[] = {
    &isoav_uvc_function,
    &isoav_uac_function,
};

/* The operation of each function that has it. */
#define EACH(operation, ...)                             \
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) { \
        if (functions[i]->operation) {                   \
            functions[i]->operation(__VA_ARGS__);        \
        }                                                \
    }

uint64_t isoav_av_epoch_uf(const ISOAVDevice *s)
{
    const isoav_av *av = s->state;

    return av->epoch_uf;
}

static const av_function *function_of_iface(int iface)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (iface >= functions[i]->first_iface &&
            iface < functions[i]->first_iface + functions[i]->ifaces) {
            return functions[i];
        }
    }
    return NULL;
}

static const av_function *function_of_endpoint(int address)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        for (size_t k = 0; k < ARRAY_SIZE(functions[i]->endpoints); k++) {
            if (address && functions[i]->endpoints[k] == address) {
                return functions[i];
            }
        }
    }
    return NULL;
}

static void av_add_properties(ObjectClass *klass)
{
    EACH(add_properties, klass)
}

static void **state_of(ISOAVDevice *s, size_t i)
{
    return (void **)((char *)s->state + functions[i]->state_at);
}

static void free_states(ISOAVDevice *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        g_free(*state_of(s, i));
    }
}

/* The functions before `count` were realized. */
static void unrealize(ISOAVDevice *s, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (functions[i]->unrealize) {
            functions[i]->unrealize(s);
        }
    }
    free_states(s);
}

static void av_realize(ISOAVDevice *s, Error **errp)
{
    Error *err = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        *state_of(s, i) = g_malloc0(functions[i]->state_bytes);
    }
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (functions[i]->realize) {
            functions[i]->realize(s, &err);
        }
        if (err) {
            unrealize(s, i);
            error_propagate(errp, err);
            return;
        }
    }
}

static void av_unrealize(ISOAVDevice *s)
{
    unrealize(s, ARRAY_SIZE(functions));
}

static void av_reset(ISOAVDevice *s)
{
    isoav_av *av = s->state;

    av->epoch_uf = 0;
    EACH(reset, s)
}

static void av_set_configuration(ISOAVDevice *s, int value)
{
    isoav_av *av = s->state;

    av->epoch_uf = isoav_clock_uf();
    EACH(set_configuration, s, value)
}

static bool av_may_select(ISOAVDevice *s, int iface, int alternate)
{
    const av_function *function = function_of_iface(iface);

    return !function || !function->may_select ||
           function->may_select(s, iface, alternate);
}

static void av_set_interface(ISOAVDevice *s, int iface, int alternate)
{
    const av_function *function = function_of_iface(iface);

    if (function && function->set_interface) {
        function->set_interface(s, iface, alternate);
    }
}

static void av_clear_halt(ISOAVDevice *s, int address)
{
    const av_function *function = function_of_endpoint(address);

    if (function && function->clear_halt) {
        function->clear_halt(s, address);
    }
}

static int av_handle_control(ISOAVDevice *s, const isoav_setup *setup,
                             uint8_t *data)
{
    int place = setup->wIndex & 0xff;
    const av_function *function = NULL;

    if (!s->dev.config) {
        return ISOAV_CONTROL_STALL;
    }
    switch (setup->bmRequestType & 0x1f) {
    case USB_RECIP_INTERFACE:
        function = function_of_iface(place);
        break;
    case USB_RECIP_ENDPOINT:
        function = function_of_endpoint(place);
        break;
    }
    return function ? function->handle_control(s, setup, data)
                    : ISOAV_CONTROL_STALL;
}

static void av_handle_data(ISOAVDevice *s, int token, int nr, USBPacket *p)
{
    int address = nr | (token == USB_TOKEN_IN ? USB_DIR_IN : 0);

    function_of_endpoint(address)->handle_data(s, token, nr, p);
}

static void av_cancel(ISOAVDevice *s, USBPacket *p)
{
    EACH(cancel, s, p)
}

static bool av_post_load(ISOAVDevice *s)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        if (functions[i]->post_load && !functions[i]->post_load(s)) {
            return false;
        }
    }
    return true;
}

static void av_stats(const ISOAVDevice *s, QDict *stats)
{
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        QDict *part = qdict_new();

        functions[i]->stats(s, part);
        qdict_put(stats, functions[i]->name, part);
    }
}

const isoav_profile isoav_profile_av = {
    .name = "av",
    .help = "a UVC camera and a UAC headset",
    .product = "IsoLab camera and headset",
    .descriptors = { [ISOAV_SPEED_FULL] = &isoav_descriptors_av_full,
                     [ISOAV_SPEED_HIGH] = &isoav_descriptors_av_high,
                     [ISOAV_SPEED_SUPER] = &isoav_descriptors_av_super },
    .state_bytes = sizeof(isoav_av),
    .add_properties = av_add_properties,
    .realize = av_realize,
    .unrealize = av_unrealize,
    .reset = av_reset,
    .set_configuration = av_set_configuration,
    .may_select = av_may_select,
    .set_interface = av_set_interface,
    .clear_halt = av_clear_halt,
    .handle_control = av_handle_control,
    .handle_data = av_handle_data,
    .cancel = av_cancel,
    .post_load = av_post_load,
    .stats = av_stats,
};

static bool av_is_present(void *opaque)
{
    ISOAVDevice *s = opaque;

    return s->profile == &isoav_profile_av;
}

static int av_pre_load(void *opaque)
{
    return av_is_present(opaque) ? 0 : -EINVAL;
}

static const VMStateDescription vmstate_av = {
    .name = "usb-isoav/av-state",
    .version_id = 1,
    .minimum_version_id = 1,
    .fields =
        (VMStateField[]){
            VMSTATE_UINT64(epoch_uf, isoav_av),
            VMSTATE_STRUCT_POINTER(uvc, isoav_av, isoav_uvc_vmstate, isoav_uvc),
            VMSTATE_STRUCT_POINTER(uac, isoav_av, isoav_uac_vmstate, isoav_uac),
            VMSTATE_END_OF_LIST(),
        },
};

const VMStateDescription isoav_vmstate_av = {
    .name = "usb-isoav/av",
    .version_id = 2,
    .minimum_version_id = 2,
    .needed = av_is_present,
    .pre_load = av_pre_load,
    .fields =
        (VMStateField[]){
            VMSTATE_STRUCT_POINTER(state, ISOAVDevice, vmstate_av, void),
            VMSTATE_END_OF_LIST(),
        },
};
