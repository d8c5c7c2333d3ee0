/*
 * Descriptors of usb-isoav, profile "vendor": one configuration, two
 * interfaces of class FFh. QEMU's descriptor code turns these tables into
 * bytes; tests/unit/test-av-descriptors.c holds the bytes against a reference
 * array.
 *
 * The device exists at high speed only. Its data leaves in step with the
 * bus's microframes, so the IN endpoints call themselves synchronous; 02h
 * takes whatever rate comes: adaptive (USB 2.0 §9.6.6, §5.12.4.1).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/descriptors.h"

#include "hw/usb/desc.h"

#include "hw/av/alternates.h"
#include "hw/av/streams.h"

enum {
    STR_MANUFACTURER = 1,
    STR_PRODUCT,
    STR_SERIAL,
    STR_VIDEO,
    STR_TEST,
};

/* clang-format off */
static const USBDescStrings strings = {
    [STR_MANUFACTURER] = "IsoLab",
    [STR_PRODUCT] = "IsoLab A/V test device",
    [STR_SERIAL] = "isoav", /* QEMU adds the port, or `serial` replaces it */
    [STR_VIDEO] = "Test picture",
    [STR_TEST] = "Source, sink and loopback",
};
/* clang-format on */

/* bmAttributes: isochronous, data, and how the endpoint keeps time. */
enum {
    ISOCH_ADAPTIVE = USB_ENDPOINT_XFER_ISOC | 2 << 2,
    ISOCH_SYNCHRONOUS = USB_ENDPOINT_XFER_ISOC | 3 << 2,
};

#define ISOCH_ENDPOINT(address, kind, transactions, bytes, interval)    \
    {                                                                   \
        .bEndpointAddress = (address), .bmAttributes = (kind),          \
        .wMaxPacketSize = ISOAV_W_MAX_PACKET_SIZE(transactions, bytes), \
        .bInterval = (interval),                                        \
    }

#define INTERFACE(number, alternate, string)                        \
    .bInterfaceNumber = (number), .bAlternateSetting = (alternate), \
    .bInterfaceClass = USB_CLASS_VENDOR_SPEC, .iInterface = (string)

#define VIDEO_ALTERNATE(alternate, transactions, bytes, interval)    \
    {                                                                \
        INTERFACE(ISOAV_IFACE_VIDEO, alternate, STR_VIDEO),          \
        .bNumEndpoints = 1,                                          \
        .eps =                                                       \
            (USBDescEndpoint[]){                                     \
                ISOCH_ENDPOINT(ISOAV_EP_VIDEO_IN, ISOCH_SYNCHRONOUS, \
                               transactions, bytes, interval),       \
            },                                                       \
    },

#define TEST_ALTERNATE(alternate, transactions, bytes, interval)    \
    {                                                               \
        INTERFACE(ISOAV_IFACE_TEST, alternate, STR_TEST),           \
        .bNumEndpoints = 2,                                         \
        .eps =                                                      \
            (USBDescEndpoint[]){                                    \
                ISOCH_ENDPOINT(ISOAV_EP_TEST_IN, ISOCH_SYNCHRONOUS, \
                               transactions, bytes, interval),      \
                ISOCH_ENDPOINT(ISOAV_EP_TEST_OUT, ISOCH_ADAPTIVE,   \
                               transactions, bytes, interval),      \
            },                                                      \
    },

/* clang-format off */
static const USBDescIface interfaces[] = {
    { INTERFACE(ISOAV_IFACE_VIDEO, 0, STR_VIDEO) },
    ISOAV_VIDEO_ALTERNATES(VIDEO_ALTERNATE)
    { INTERFACE(ISOAV_IFACE_TEST, 0, STR_TEST) },
    ISOAV_TEST_ALTERNATES(TEST_ALTERNATE)
};
/* clang-format on */

static const USBDescDevice device_high = {
    .bcdUSB = 0x0200,
    .bMaxPacketSize0 = 64,
    .bNumConfigurations = 1,
    .confs =
        (USBDescConfig[]){
            {
                .bNumInterfaces = ISOAV_IFACES,
                .bConfigurationValue = ISOAV_CONFIGURATION,
                .bmAttributes = USB_CFG_ATT_ONE,
                .bMaxPower = 50, /* 100 mA */
                .nif = ARRAY_SIZE(interfaces),
                .ifs = interfaces,
            },
        },
};

const USBDesc isoav_descriptors_vendor = {
    .id = {
        .idVendor = ISOAV_VENDOR_ID,
        .idProduct = ISOAV_PRODUCT_ID,
        .bcdDevice = 0x0100,
        .iManufacturer = STR_MANUFACTURER,
        .iProduct = STR_PRODUCT,
        .iSerialNumber = STR_SERIAL,
    },
    .high = &device_high,
    .str = strings,
};
