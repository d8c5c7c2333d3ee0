/*
 * Descriptors of usb-isoav, profile "vendor": one configuration, two
 * interfaces of class FFh. QEMU's descriptor code turns these tables into
 * bytes; tests/unit/test-av-descriptors.c holds the bytes against a reference
 * array.
 *
 * At SuperSpeed the endpoints are the same, with bursts; at full speed there
 * are as many, of what a frame has room for. The device's data leaves in step
 * with the bus's microframes, so the IN endpoints call themselves synchronous;
 * 02h takes whatever rate comes: adaptive (USB 2.0 §9.6.6, §5.12.4.1).
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

#define HIGH_ENDPOINT(address, kind, transactions, bytes, interval)     \
    {                                                                   \
        .bEndpointAddress = (address), .bmAttributes = (kind),          \
        .wMaxPacketSize = ISOAV_W_MAX_PACKET_SIZE(transactions, bytes), \
        .bInterval = (interval),                                        \
    }

#define SUPER_ENDPOINT(address, kind, transactions, bytes, interval) \
    {                                                                \
        .bEndpointAddress = (address), .bmAttributes = (kind),       \
        .wMaxPacketSize = (bytes), .bInterval = (interval),          \
        .bMaxBurst = ISOAV_MAX_BURST(transactions),                  \
        .bmAttributes_super = ISOAV_MULT(transactions),              \
        .wBytesPerInterval = (transactions) * (bytes),               \
    }

#define INTERFACE(number, alternate, string)                        \
    .bInterfaceNumber = (number), .bAlternateSetting = (alternate), \
    .bInterfaceClass = USB_CLASS_VENDOR_SPEC, .iInterface = (string)

#define VIDEO_ALTERNATE(ENDPOINT, alternate, transactions, bytes, interval)  \
    {                                                                        \
        INTERFACE(ISOAV_IFACE_VIDEO, alternate, STR_VIDEO),                  \
        .bNumEndpoints = 1,                                                  \
        .eps =                                                               \
            (USBDescEndpoint[]){                                             \
                ENDPOINT(ISOAV_EP_VIDEO_IN, ISOCH_SYNCHRONOUS, transactions, \
                         bytes, interval),                                   \
            },                                                               \
    },

#define TEST_ALTERNATE(ENDPOINT, alternate, transactions, bytes, interval)  \
    {                                                                       \
        INTERFACE(ISOAV_IFACE_TEST, alternate, STR_TEST),                   \
        .bNumEndpoints = 2,                                                 \
        .eps =                                                              \
            (USBDescEndpoint[]){                                            \
                ENDPOINT(ISOAV_EP_TEST_IN, ISOCH_SYNCHRONOUS, transactions, \
                         bytes, interval),                                  \
                ENDPOINT(ISOAV_EP_TEST_OUT, ISOCH_ADAPTIVE, transactions,   \
                         bytes, interval),                                  \
            },                                                              \
    },

#define TEST_SOURCE_SUPER(alternate, transactions, bytes, interval) \
    {                                                               \
        INTERFACE(ISOAV_IFACE_TEST, alternate, STR_TEST),           \
        .bNumEndpoints = 1,                                         \
        .eps =                                                      \
            (USBDescEndpoint[]){                                    \
                SUPER_ENDPOINT(ISOAV_EP_TEST_IN, ISOCH_SYNCHRONOUS, \
                               transactions, bytes, interval),      \
            },                                                      \
    },

/* clang-format off */
#define VIDEO_HIGH(...) VIDEO_ALTERNATE(HIGH_ENDPOINT, __VA_ARGS__)
#define TEST_HIGH(...) TEST_ALTERNATE(HIGH_ENDPOINT, __VA_ARGS__)
static const USBDescIface interfaces_high[] = {
    { INTERFACE(ISOAV_IFACE_VIDEO, 0, STR_VIDEO) },
    ISOAV_VIDEO_ALTERNATES(VIDEO_HIGH)
    { INTERFACE(ISOAV_IFACE_TEST, 0, STR_TEST) },
    ISOAV_TEST_ALTERNATES(TEST_HIGH)
};

/* One transaction of up to 1023 bytes is written as at high speed. */
static const USBDescIface interfaces_full[] = {
    { INTERFACE(ISOAV_IFACE_VIDEO, 0, STR_VIDEO) },
    ISOAV_VIDEO_ALTERNATES_FULL(VIDEO_HIGH)
    { INTERFACE(ISOAV_IFACE_TEST, 0, STR_TEST) },
    ISOAV_TEST_ALTERNATES_FULL(TEST_HIGH)
};

#define VIDEO_SUPER(...) VIDEO_ALTERNATE(SUPER_ENDPOINT, __VA_ARGS__)
#define TEST_SUPER(...) TEST_ALTERNATE(SUPER_ENDPOINT, __VA_ARGS__)
static const USBDescIface interfaces_super[] = {
    { INTERFACE(ISOAV_IFACE_VIDEO, 0, STR_VIDEO) },
    ISOAV_VIDEO_ALTERNATES(VIDEO_SUPER)
    { INTERFACE(ISOAV_IFACE_TEST, 0, STR_TEST) },
    ISOAV_TEST_ALTERNATES(TEST_SUPER)
    ISOAV_TEST_ALTERNATES_SUPER(TEST_SOURCE_SUPER)
};
/* clang-format on */

/* bMaxPower: 100 mA, in units of 2 mA or, at SuperSpeed, of 8 mA. */
#define CONFIGURATION(interfaces, max_power)                           \
    .bNumConfigurations = 1, .confs = (USBDescConfig[])                \
    {                                                                  \
        {                                                              \
            .bNumInterfaces = ISOAV_IFACES,                            \
            .bConfigurationValue = ISOAV_CONFIGURATION,                \
            .bmAttributes = USB_CFG_ATT_ONE, .bMaxPower = (max_power), \
            .nif = ARRAY_SIZE(interfaces), .ifs = (interfaces),        \
        }                                                              \
    }

static const USBDescDevice device_full_only = {
    .bcdUSB = 0x0200,
    .bMaxPacketSize0 = 64,
    CONFIGURATION(interfaces_full, 50),
};

/* USB 2.0 LPM: 2.01 says that there is a BOS, and in it that L1 is known. */
static const USBDescDevice device_full = {
    .bcdUSB = 0x0201,
    .bMaxPacketSize0 = 64,
    CONFIGURATION(interfaces_full, 50),
};

static const USBDescDevice device_high = {
    .bcdUSB = 0x0201,
    .bMaxPacketSize0 = 64,
    CONFIGURATION(interfaces_high, 50),
};

/* USB 3.2 §9.2.6.6: on a slower bus it says that it could do more. */
static const USBDescDevice device_full_of_super = {
    .bcdUSB = 0x0210,
    .bMaxPacketSize0 = 64,
    CONFIGURATION(interfaces_full, 50),
};

static const USBDescDevice device_high_of_super = {
    .bcdUSB = 0x0210,
    .bMaxPacketSize0 = 64,
    CONFIGURATION(interfaces_high, 50),
};

static const USBDescDevice device_super = {
    .bcdUSB = 0x0300,
    .bMaxPacketSize0 = 9, /* 2^9 */
    CONFIGURATION(interfaces_super, 13),
};

#define IDENTITY                                                    \
    {                                                               \
        .idVendor = ISOAV_VENDOR_ID, .idProduct = ISOAV_PRODUCT_ID, \
        .bcdDevice = 0x0100, .iManufacturer = STR_MANUFACTURER,     \
        .iProduct = STR_PRODUCT, .iSerialNumber = STR_SERIAL,       \
    }

const USBDesc isoav_descriptors_vendor_super = {
    .id = IDENTITY,
    .full = &device_full_of_super,
    .high = &device_high_of_super,
    .super = &device_super,
    .str = strings,
};

const USBDesc isoav_descriptors_vendor_full = {
    .id = IDENTITY,
    .full = &device_full_only,
    .str = strings,
};

const USBDesc isoav_descriptors_vendor = {
    .id = IDENTITY,
    .full = &device_full,
    .high = &device_high,
    .str = strings,
};
