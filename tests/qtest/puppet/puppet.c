/*
 * usb-puppet: a USB device that does what a test tells it, and nothing by
 * itself. What a real device does now and then (keep a packet, refuse it,
 * answer what no device should) it does always and at once, so that a test
 * needs neither luck nor the host's clock to meet it.
 *
 *  1. The property `answer` says how data packets end from now on; a row of
 *     the table is a word and a status. Standard requests are always answered.
 *  2. "hold" keeps a packet until it is cancelled, or let go by writing true
 *     to `release`. QEMU's USB core allows that on control and bulk endpoints
 *     only; elsewhere it is a NAK. Vendor request 50h is held, too; 51h takes
 *     its data, as much as there is.
 *  3. A packet that was answered NAK is asked for again when true is written
 *     to `wake`.
 *  4. IN data counts on: byte n that was ever sent is n modulo 256, so that a
 *     lost or repeated byte shows. OUT data is counted.
 *  5. The property `speed`, on the command line, is the one that it has: high,
 *     full or low, with the same endpoints, of which a test uses those it may;
 *     or super, with the two bulk endpoints, 16 streams each.
 *  6. Of each stream it holds a packet, and `release-stream` lets the one go
 *     that is named. IN data of a stream is its ID, over and over.
 *  7. It migrates as a USB device and forgets what the test has told it.
 *
 * It is a shared object of its own, beside the module under test. The dynamic
 * loader puts it into the shell and the launcher that start QEMU as well, so
 * it needs nothing of QEMU before it finds that it is in one: functions are
 * bound when they are called, none has its address taken, and data is weak.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"

#include "hw/usb.h"
#include "hw/usb/desc.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#include "qemu/module.h"

#pragma weak register_module_init
#pragma weak vmstate_usb_device

#define TYPE_PUPPET "usb-puppet"
#define HOLD_REQUEST (VendorDeviceOutRequest | 0x50)
#define TAKE_REQUEST (VendorDeviceOutRequest | 0x51)

#define STREAMS_LOG2 4
#define STREAMS (1 << STREAMS_LOG2)

typedef struct {
    const char *word;
    int status;
} answer_row;

/* Rule 1. The last two are no answers that the USB core knows. */
static const answer_row answers[] = {
    { "success", USB_RET_SUCCESS },
    { "short", USB_RET_SUCCESS },
    { "hold", USB_RET_ASYNC },
    { "nak", USB_RET_NAK },
    { "stall", USB_RET_STALL },
    { "babble", USB_RET_BABBLE },
    { "ioerror", USB_RET_IOERROR },
    { "broken", USB_RET_IOERROR },
    { "nodev", USB_RET_NODEV },
    { "unknown", -42 },
    { "positive", 42 },
};

/* Rule 5. */
typedef struct {
    const char *word;
    int mask;
} speed_row;

static const speed_row speeds[] = {
    { "high", USB_SPEED_MASK_HIGH },
    { "full", USB_SPEED_MASK_FULL },
    { "low", USB_SPEED_MASK_LOW },
    { "super", USB_SPEED_MASK_SUPER },
};

typedef struct {
    USBDevice dev;
    const answer_row *answer;
    const speed_row *speed;
    USBPacket *held[STREAMS + 1]; /* 0: of no stream */
    USBEndpoint *nakked;
    unsigned nakked_stream;
    uint64_t packets;
    uint64_t cancelled;
    uint64_t sent;
    uint64_t received;
} Puppet;

DECLARE_INSTANCE_CHECKER(Puppet, PUPPET, TYPE_PUPPET)

#define ENDPOINT(address, type, bytes, interval)               \
    {                                                          \
        .bEndpointAddress = (address), .bmAttributes = (type), \
        .wMaxPacketSize = (bytes), .bInterval = (interval),    \
    }

static const USBDescIface interface = {
    .bInterfaceClass = USB_CLASS_VENDOR_SPEC,
    .bNumEndpoints = 6,
    .eps =
        (USBDescEndpoint[]){
            ENDPOINT(0x81, USB_ENDPOINT_XFER_BULK, 512, 0),
            ENDPOINT(0x02, USB_ENDPOINT_XFER_BULK, 512, 0),
            ENDPOINT(0x83, USB_ENDPOINT_XFER_ISOC, 192, 1),
            ENDPOINT(0x04, USB_ENDPOINT_XFER_ISOC, 192, 1),
            ENDPOINT(0x85, USB_ENDPOINT_XFER_INT, 64, 4),
            ENDPOINT(0x06, USB_ENDPOINT_XFER_INT, 64, 4),
        },
};

static const USBDescDevice device = {
    .bcdUSB = 0x0201, /* LPM, says QEMU's BOS */
    .bMaxPacketSize0 = 64,
    .bNumConfigurations = 1,
    .confs =
        (USBDescConfig[]){
            {
                .bNumInterfaces = 1,
                .bConfigurationValue = 1,
                .bmAttributes = USB_CFG_ATT_ONE,
                .nif = 1,
                .ifs = &interface,
            },
        },
};

#define ENDPOINT_SUPER(address)                                                \
    {                                                                          \
        .bEndpointAddress = (address), .bmAttributes = USB_ENDPOINT_XFER_BULK, \
        .wMaxPacketSize = 1024, .bMaxBurst = 15,                               \
        .bmAttributes_super = STREAMS_LOG2,                                    \
    }

static const USBDescIface interface_super = {
    .bInterfaceClass = USB_CLASS_VENDOR_SPEC,
    .bNumEndpoints = 2,
    .eps = (USBDescEndpoint[]){ ENDPOINT_SUPER(0x81), ENDPOINT_SUPER(0x02) },
};

static const USBDescDevice device_super = {
    .bcdUSB = 0x0300,
    .bMaxPacketSize0 = 9,
    .bNumConfigurations = 1,
    .confs =
        (USBDescConfig[]){
            {
                .bNumInterfaces = 1,
                .bConfigurationValue = 1,
                .bmAttributes = USB_CFG_ATT_ONE,
                .nif = 1,
                .ifs = &interface_super,
            },
        },
};

static const USBDescStrings strings = { [1] = "IsoLab", [2] = "Puppet" };

static const USBDesc descriptors = {
    .id = { .idVendor = 0x46f4,
            .idProduct = 0x150f,
            .iManufacturer = 1,
            .iProduct = 2 },
    .full = &device,
    .high = &device,
    .super = &device_super,
    .str = strings,
};

static bool answer_is(const Puppet *s, const char *word)
{
    return g_str_equal(s->answer->word, word);
}

/* Rule 4: all of the packet, or half of it and perhaps an error then. */
static void move(Puppet *s, USBPacket *p)
{
    size_t bytes = usb_packet_size(p);

    if (answer_is(s, "short") || answer_is(s, "broken")) {
        bytes /= 2;
    }
    if (p->pid == USB_TOKEN_OUT) {
        usb_packet_skip(p, bytes);
        s->received += bytes;
        return;
    }
    for (size_t i = 0; i < bytes; i++) {
        uint8_t byte = p->stream ? p->stream : s->sent;

        s->sent++;

        usb_packet_copy(p, &byte, 1);
    }
}

static void puppet_handle_data(USBDevice *dev, USBPacket *p)
{
    Puppet *s = PUPPET(dev);

    s->packets++;
    p->status = s->answer->status;
    if (p->status == USB_RET_ASYNC && p->ep->type != USB_ENDPOINT_XFER_BULK) {
        p->status = USB_RET_NAK;
    }
    if (p->status == USB_RET_SUCCESS || answer_is(s, "broken")) {
        move(s, p);
    } else if (p->status == USB_RET_ASYNC) {
        s->held[p->stream] = p;
    } else if (p->status == USB_RET_NAK) {
        s->nakked = p->ep;
        s->nakked_stream = p->stream;
    }
}

static void puppet_handle_control(USBDevice *dev, USBPacket *p, int request,
                                  int value, int index, int length,
                                  uint8_t *data)
{
    Puppet *s = PUPPET(dev);

    if (request == HOLD_REQUEST) {
        p->status = USB_RET_ASYNC;
        s->held[0] = p;
    } else if (request == TAKE_REQUEST) {
        s->received += length;
    } else if (usb_desc_handle_control(dev, p, request, value, index, length,
                                       data) < 0) {
        p->status = USB_RET_STALL;
    }
}

static void puppet_cancel_packet(USBDevice *dev, USBPacket *p)
{
    Puppet *s = PUPPET(dev);

    s->cancelled++;
    if (s->held[p->stream] == p) {
        s->held[p->stream] = NULL;
    }
}

static void puppet_handle_reset(USBDevice *dev)
{
    usb_desc_attach(dev);
}

static void puppet_realize(USBDevice *dev, Error **errp)
{
    usb_desc_init(dev);
    dev->speedmask = PUPPET(dev)->speed->mask;
}

static char *puppet_get_answer(Object *obj, Error **errp)
{
    return g_strdup(PUPPET(obj)->answer->word);
}

static void puppet_set_answer(Object *obj, const char *word, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        if (g_str_equal(answers[i].word, word)) {
            PUPPET(obj)->answer = &answers[i];
            return;
        }
    }
    error_setg(errp, "usb-puppet has no answer '%s'", word);
}

static char *puppet_get_speed(Object *obj, Error **errp)
{
    return g_strdup(PUPPET(obj)->speed->word);
}

static void puppet_set_speed(Object *obj, const char *word, Error **errp)
{
    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        if (g_str_equal(speeds[i].word, word)) {
            PUPPET(obj)->speed = &speeds[i];
            return;
        }
    }
    error_setg(errp, "usb-puppet has no speed '%s'", word);
}

static bool puppet_get_held(Object *obj, Error **errp)
{
    return PUPPET(obj)->held[0];
}

/* Rules 2 and 6. */
static void release(Puppet *s, unsigned stream, Error **errp)
{
    USBPacket *p = stream <= STREAMS ? s->held[stream] : NULL;

    if (!p) {
        error_setg(errp, "usb-puppet holds no packet of stream %u", stream);
        return;
    }
    s->held[stream] = NULL;
    p->status = s->answer->status == USB_RET_ASYNC ? USB_RET_SUCCESS
                                                   : s->answer->status;
    if (p->ep->nr == 0) {
        usb_generic_async_ctrl_complete(&s->dev, p);
        return;
    }
    if (p->status == USB_RET_SUCCESS) {
        move(s, p);
    }
    usb_packet_complete(&s->dev, p);
}

static void puppet_set_release(Object *obj, bool value, Error **errp)
{
    release(PUPPET(obj), 0, errp);
}

static void puppet_set_release_stream(Object *obj, const char *stream,
                                      Error **errp)
{
    release(PUPPET(obj), g_ascii_strtoull(stream, NULL, 10), errp);
}

/* Rule 3. */
static void puppet_set_wake(Object *obj, bool value, Error **errp)
{
    Puppet *s = PUPPET(obj);

    if (!s->nakked) {
        error_setg(errp, "usb-puppet has answered no packet with NAK");
        return;
    }
    usb_wakeup(s->nakked, s->nakked_stream);
}

static void puppet_instance_init(Object *obj)
{
    Puppet *s = PUPPET(obj);

    s->answer = &answers[0];
    s->speed = &speeds[0];
    object_property_add_uint64_ptr(obj, "packets", &s->packets,
                                   OBJ_PROP_FLAG_READ);
    object_property_add_uint64_ptr(obj, "cancelled", &s->cancelled,
                                   OBJ_PROP_FLAG_READ);
    object_property_add_uint64_ptr(obj, "sent", &s->sent, OBJ_PROP_FLAG_READ);
    object_property_add_uint64_ptr(obj, "received", &s->received,
                                   OBJ_PROP_FLAG_READ);
}

/* Rule 7; that endpoints have streams is not in VMSTATE_USB_DEVICE. */
static int puppet_post_load(void *opaque, int version_id)
{
    Puppet *s = opaque;

    if (s->dev.speed == USB_SPEED_SUPER) {
        usb_ep_set_max_streams(&s->dev, USB_TOKEN_IN, 1, STREAMS_LOG2);
        usb_ep_set_max_streams(&s->dev, USB_TOKEN_OUT, 2, STREAMS_LOG2);
    }
    return 0;
}

static const VMStateDescription vmstate = {
    .name = TYPE_PUPPET,
    .post_load = puppet_post_load,
    .fields =
        (VMStateField[]){
            VMSTATE_USB_DEVICE(dev, Puppet),
            VMSTATE_END_OF_LIST(),
        },
};

static void puppet_class_init(ObjectClass *klass, void *data)
{
    USBDeviceClass *uc = USB_DEVICE_CLASS(klass);

    DEVICE_CLASS(klass)->vmsd = &vmstate;
    uc->realize = puppet_realize;
    uc->handle_attach = puppet_handle_reset;
    uc->handle_reset = puppet_handle_reset;
    uc->handle_control = puppet_handle_control;
    uc->handle_data = puppet_handle_data;
    uc->cancel_packet = puppet_cancel_packet;
    uc->product_desc = "puppet of a test";
    uc->usb_desc = &descriptors;
    object_class_property_add_str(klass, "answer", puppet_get_answer,
                                  puppet_set_answer);
    object_class_property_add_str(klass, "speed", puppet_get_speed,
                                  puppet_set_speed);
    object_class_property_add_bool(klass, "held", puppet_get_held, NULL);
    object_class_property_add_bool(klass, "release", NULL, puppet_set_release);
    object_class_property_add_str(klass, "release-stream", NULL,
                                  puppet_set_release_stream);
    object_class_property_add_bool(klass, "wake", NULL, puppet_set_wake);
}

static void puppet_register(void)
{
    static const TypeInfo info = {
        .name = TYPE_PUPPET,
        .parent = TYPE_USB_DEVICE,
        .instance_size = sizeof(Puppet),
        .instance_init = puppet_instance_init,
        .class_init = puppet_class_init,
    };

    type_register_static(&info);
}

static void __attribute__((constructor)) puppet_announce(void)
{
    if (register_module_init) {
        register_module_init(puppet_register, MODULE_INIT_QOM);
    }
}
