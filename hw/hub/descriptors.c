/*
 * Descriptors of usb-isohub (USB 2.0 §11.23): a hub with a transaction
 * translator for all of its ports, or, in alternate 1, one for each. At full
 * speed, behind a full-speed hub, it is an ordinary hub with none.
 *
 * QEMU's descriptor code turns these tables into bytes;
 * tests/unit/test-hub-descriptors.c holds the bytes against reference arrays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/hub/descriptors.h"

#include "hw/usb/desc.h"

enum {
    STR_MANUFACTURER = 1,
    STR_PRODUCT,
    STR_SERIAL,
};

static const USBDescStrings strings = {
    [STR_MANUFACTURER] = "IsoLab",
    [STR_PRODUCT] = "IsoLab hub",
    [STR_SERIAL] = "isohub", /* QEMU adds the port, or `serial` replaces it */
};

/* USB 2.0 §11.23.1: what a hub says that it is, as device and as interface. */
enum {
    PROTOCOL_FULL = 0,
    PROTOCOL_SINGLE_TT = 1,
    PROTOCOL_MULTIPLE_TT = 2,
    IFACE_ONLY = 0, /* the one interface of a hub that has no choice */
    IFACE_SINGLE_TT = 1,
    IFACE_MULTIPLE_TT = 2,
};

/* USB 2.0 §11.23.1: the slowest that the speed has: 255 ms, or 2^11 x 125 us */
enum { INTERVAL_FULL = 0xff, INTERVAL_HIGH = 12 };

#define HUB_INTERFACE(alternate, protocol, bytes, interval)               \
    {                                                                     \
        .bAlternateSetting = (alternate), .bNumEndpoints = 1,             \
        .bInterfaceClass = USB_CLASS_HUB, .bInterfaceProtocol = protocol, \
        .eps = (USBDescEndpoint[])                                        \
        {                                                                 \
            {                                                             \
                .bEndpointAddress = USB_DIR_IN | ISOHUB_STATUS_ENDPOINT,  \
                .bmAttributes = USB_ENDPOINT_XFER_INT,                    \
                .wMaxPacketSize = (bytes),                                \
                .bInterval = (interval),                                  \
            },                                                            \
        }                                                                 \
    }

#define HUB_DEVICE(protocol, interfaces)                                  \
    {                                                                     \
        .bcdUSB = 0x0200, .bDeviceClass = USB_CLASS_HUB,                  \
        .bDeviceProtocol = (protocol), .bMaxPacketSize0 = 64,             \
        .bNumConfigurations = 1, .confs = (USBDescConfig[])               \
        {                                                                 \
            {                                                             \
                .bNumInterfaces = 1,                                      \
                .bConfigurationValue = ISOHUB_CONFIGURATION,              \
                .bmAttributes = USB_CFG_ATT_ONE | USB_CFG_ATT_SELFPOWER | \
                                USB_CFG_ATT_WAKEUP,                       \
                .nif = ARRAY_SIZE(interfaces),                            \
                .ifs = (interfaces),                                      \
            },                                                            \
        }                                                                 \
    }

#define HUB_ID                                                        \
    {                                                                 \
        .idVendor = ISOHUB_VENDOR_ID, .idProduct = ISOHUB_PRODUCT_ID, \
        .bcdDevice = 0x0100, .iManufacturer = STR_MANUFACTURER,       \
        .iProduct = STR_PRODUCT, .iSerialNumber = STR_SERIAL,         \
    }

/* The report of up to 7 ports is one byte, of more ports it is two. */
#define HUB_TABLES(bytes)                                          \
    static const USBDescIface full_##bytes[] = {                   \
        HUB_INTERFACE(0, IFACE_ONLY, bytes, INTERVAL_FULL),        \
    };                                                             \
    static const USBDescIface single_##bytes[] = {                 \
        HUB_INTERFACE(0, IFACE_ONLY, bytes, INTERVAL_HIGH),        \
    };                                                             \
    static const USBDescIface multiple_##bytes[] = {               \
        HUB_INTERFACE(0, IFACE_SINGLE_TT, bytes, INTERVAL_HIGH),   \
        HUB_INTERFACE(1, IFACE_MULTIPLE_TT, bytes, INTERVAL_HIGH), \
    };                                                             \
    static const USBDescDevice device_full_##bytes =               \
        HUB_DEVICE(PROTOCOL_FULL, full_##bytes);                   \
    static const USBDescDevice device_single_##bytes =             \
        HUB_DEVICE(PROTOCOL_SINGLE_TT, single_##bytes);            \
    static const USBDescDevice device_multiple_##bytes =           \
        HUB_DEVICE(PROTOCOL_MULTIPLE_TT, multiple_##bytes);

HUB_TABLES(1)
HUB_TABLES(2)

#define HUB_DESC(kind, bytes)                            \
    {                                                    \
        .id = HUB_ID, .full = &device_full_##bytes,      \
        .high = &device_##kind##_##bytes, .str = strings \
    }

static const USBDesc descriptors[][2] = {
    { HUB_DESC(single, 1), HUB_DESC(multiple, 1) },
    { HUB_DESC(single, 2), HUB_DESC(multiple, 2) },
};

const USBDesc *isohub_descriptors(unsigned ports, bool mtt)
{
    return &descriptors[isohub_report_bytes(ports) - 1][mtt];
}

/*
 * USB 2.0 §11.23.2.1, wHubCharacteristics: power is switched for each port, the
 * hub is no compound device and does not notice over-current, a TT needs at
 * most 8 bit times to think, and there are indicators.
 */
enum {
    INDIVIDUAL_POWER = 1 << 0,
    NO_OVER_CURRENT = 2 << 3,
    THINK_8_BITS = 0 << 5,
    PORT_INDICATORS = 1 << 7,
    CHARACTERISTICS =
        INDIVIDUAL_POWER | NO_OVER_CURRENT | THINK_8_BITS | PORT_INDICATORS,
    POWER_GOOD_2MS = 1,
    CURRENT_MA = 100, /* what the hub itself takes, from its own supply */
};

unsigned isohub_descriptor(unsigned ports, uint8_t *out)
{
    unsigned bitmap = isohub_report_bytes(ports);
    unsigned bytes = 7 + 2 * bitmap;
    const uint8_t fixed[] = {
        bytes, ISOHUB_DESCRIPTOR_TYPE, ports,      CHARACTERISTICS,
        0,     POWER_GOOD_2MS,         CURRENT_MA,
    };

    memcpy(out, fixed, sizeof(fixed));
    memset(out + 7, 0x00, bitmap);          /* DeviceRemovable: all of them */
    memset(out + 7 + bitmap, 0xff, bitmap); /* PortPwrCtrlMask, of USB 1.0 */
    return bytes;
}
