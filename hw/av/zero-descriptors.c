/*
 * Descriptors of usb-isoav, profile "zero": those of Linux's Gadget Zero, in
 * which usbtest looks for what it can test. Two configurations of one
 * interface each: source and sink, the first, and loopback.
 *
 * The alternates of source and sink have the bulk pair; 1 an isochronous pair
 * as well, 2 an interrupt pair.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/descriptors.h"

#include "hw/usb/desc.h"

#include "hw/av/zero.h"

enum {
    STR_MANUFACTURER = 1,
    STR_PRODUCT,
    STR_SERIAL,
    STR_SOURCE_SINK,
    STR_LOOPBACK,
};

/* clang-format off */
static const USBDescStrings strings = {
    [STR_MANUFACTURER] = "IsoLab",
    [STR_PRODUCT] = "Gadget Zero of IsoLab",
    [STR_SERIAL] = "zero", /* QEMU adds the port, or `serial` replaces it */
    [STR_SOURCE_SINK] = "source and sink data",
    [STR_LOOPBACK] = "loop input to output",
};
/* clang-format on */

/* Both directions of an endpoint number. wBytesPerInterval is of periodic
 * endpoints at SuperSpeed. */
#define ENDPOINT(address, type, bytes, interval, per_interval) \
    {                                                          \
        .bEndpointAddress = (address), .bmAttributes = (type), \
        .wMaxPacketSize = (bytes), .bInterval = (interval),    \
        .wBytesPerInterval = (per_interval),                   \
    }
#define PAIR(number, ...) \
    ENDPOINT(0x80 | (number), __VA_ARGS__), ENDPOINT((number), __VA_ARGS__)

/* wMaxPacketSize and bInterval (USB 2.0 §5.6.3, §5.7.3, §5.8.3, USB 3.2
 * §9.6.6): an isochronous packet each 8 frames at full speed, else each 8
 * microframes, an interrupt packet each frame or each 8 microframes.
 * The two isochronous packets of full speed have to fit into one frame: a
 * controller may well serve both in the same one. */
#define FULL_BULK PAIR(ISOAV_ZERO_BULK, USB_ENDPOINT_XFER_BULK, 64, 0, 0)
#define FULL_ISOCH PAIR(ISOAV_ZERO_ISOCH, USB_ENDPOINT_XFER_ISOC, 512, 4, 0)
#define FULL_INT PAIR(ISOAV_ZERO_INTERRUPT, USB_ENDPOINT_XFER_INT, 64, 1, 0)
#define HIGH_BULK PAIR(ISOAV_ZERO_BULK, USB_ENDPOINT_XFER_BULK, 512, 0, 0)
#define HIGH_ISOCH PAIR(ISOAV_ZERO_ISOCH, USB_ENDPOINT_XFER_ISOC, 1024, 4, 0)
#define HIGH_INT PAIR(ISOAV_ZERO_INTERRUPT, USB_ENDPOINT_XFER_INT, 64, 4, 0)
#define SUPER_BULK PAIR(ISOAV_ZERO_BULK, USB_ENDPOINT_XFER_BULK, 1024, 0, 0)
#define SUPER_ISOCH \
    PAIR(ISOAV_ZERO_ISOCH, USB_ENDPOINT_XFER_ISOC, 1024, 4, 1024)
#define SUPER_INT PAIR(ISOAV_ZERO_INTERRUPT, USB_ENDPOINT_XFER_INT, 64, 4, 64)

#define INTERFACE(alternate, string, ...)                                 \
    {                                                                     \
        .bAlternateSetting = (alternate),                                 \
        .bInterfaceClass = USB_CLASS_VENDOR_SPEC, .iInterface = (string), \
        .bNumEndpoints = sizeof((USBDescEndpoint[]){ __VA_ARGS__ }) /     \
                         sizeof(USBDescEndpoint),                         \
        .eps = (USBDescEndpoint[]){ __VA_ARGS__ },                        \
    }

#define SPEED(name, KIND)                                                 \
    static const USBDescIface source_sink_##name[] = {                    \
        INTERFACE(ISOAV_ZERO_ALT_BULK, STR_SOURCE_SINK, KIND##_BULK),     \
        INTERFACE(ISOAV_ZERO_ALT_ISOCH, STR_SOURCE_SINK, KIND##_BULK,     \
                  KIND##_ISOCH),                                          \
        INTERFACE(ISOAV_ZERO_ALT_INTERRUPT, STR_SOURCE_SINK, KIND##_BULK, \
                  KIND##_INT),                                            \
    };                                                                    \
    static const USBDescIface loopback_##name[] = {                       \
        INTERFACE(0, STR_LOOPBACK, KIND##_BULK),                          \
    };

SPEED(full, FULL)
SPEED(high, HIGH)
SPEED(super, SUPER)

#define CONFIGURATION(value, string, interfaces)                            \
    {                                                                       \
        .bNumInterfaces = 1, .bConfigurationValue = (value),                \
        .iConfiguration = (string),                                         \
        .bmAttributes = USB_CFG_ATT_ONE | USB_CFG_ATT_SELFPOWER,            \
        .bMaxPower = 1, .nif = ARRAY_SIZE(interfaces), .ifs = (interfaces), \
    }

#define CONFIGURATIONS(name)                                                   \
    .bDeviceClass = USB_CLASS_VENDOR_SPEC, .bNumConfigurations = 2,            \
    .confs = (USBDescConfig[])                                                 \
    {                                                                          \
        CONFIGURATION(ISOAV_ZERO_SOURCE_SINK, STR_SOURCE_SINK,                 \
                      source_sink_##name),                                     \
            CONFIGURATION(ISOAV_ZERO_LOOPBACK, STR_LOOPBACK, loopback_##name), \
    }

static const USBDescDevice device_full = {
    .bcdUSB = 0x0200,
    .bMaxPacketSize0 = 64,
    CONFIGURATIONS(full),
};
static const USBDescDevice device_high = {
    .bcdUSB = 0x0200,
    .bMaxPacketSize0 = 64,
    CONFIGURATIONS(high),
};

/* USB 3.2 §9.2.6.6: on a slower bus it says that it could do more. */
static const USBDescDevice device_full_of_super = {
    .bcdUSB = 0x0210,
    .bMaxPacketSize0 = 64,
    CONFIGURATIONS(full),
};
static const USBDescDevice device_high_of_super = {
    .bcdUSB = 0x0210,
    .bMaxPacketSize0 = 64,
    CONFIGURATIONS(high),
};
static const USBDescDevice device_super = {
    .bcdUSB = 0x0300,
    .bMaxPacketSize0 = 9 /* 2^9 */,
    CONFIGURATIONS(super),
};

#define IDENTITY                                                      \
    {                                                                 \
        .idVendor = 0x0525, .idProduct = 0xa4a0, .bcdDevice = 0x0100, \
        .iManufacturer = STR_MANUFACTURER, .iProduct = STR_PRODUCT,   \
        .iSerialNumber = STR_SERIAL,                                  \
    }

const USBDesc isoav_descriptors_zero_full = {
    .id = IDENTITY,
    .full = &device_full,
    .str = strings,
};

const USBDesc isoav_descriptors_zero_high = {
    .id = IDENTITY,
    .full = &device_full,
    .high = &device_high,
    .str = strings,
};

const USBDesc isoav_descriptors_zero_super = {
    .id = IDENTITY,
    .full = &device_full_of_super,
    .high = &device_high_of_super,
    .super = &device_super,
    .str = strings,
};
