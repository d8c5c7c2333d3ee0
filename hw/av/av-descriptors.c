/*
 * Descriptors of usb-isoav, profile "av": one configuration, an interface
 * association for each function (USB 2.0 ECN on interface associations: the
 * device's class is EFh/02h/01h then).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/av.h"

#include "hw/av/uac-descriptors.h"
#include "hw/av/uvc-descriptors.h"

enum { IFACES = 5 };

/* clang-format off */
static const USBDescStrings strings = {
    [ISOAV_AV_STR_MANUFACTURER] = "IsoLab",
    [ISOAV_AV_STR_PRODUCT] = "IsoLab camera and headset",
    [ISOAV_AV_STR_SERIAL] = "av", /* QEMU adds the port, or `serial` replaces it */
    [ISOAV_AV_STR_CAMERA] = "IsoLab camera",
    [ISOAV_AV_STR_HEADSET] = "IsoLab headset",
};
/* clang-format on */

/* bMaxPower: 100 mA, in units of 2 mA or, at SuperSpeed, of 8 mA. */
#define DEVICE(speed, bcd, mps0, max_power)                          \
    {                                                                \
        .bcdUSB = (bcd), .bDeviceClass = 0xef, .bDeviceSubClass = 2, \
        .bDeviceProtocol = 1, .bMaxPacketSize0 = (mps0),             \
        .bNumConfigurations = 1,                                     \
        .confs = (USBDescConfig[]){                                  \
            {                                                        \
                .bNumInterfaces = IFACES,                            \
                .bConfigurationValue = 1,                            \
                .bmAttributes = USB_CFG_ATT_ONE,                     \
                .bMaxPower = (max_power),                            \
                .nif_groups = ARRAY_SIZE(groups_##speed),            \
                .if_groups = groups_##speed,                         \
            },                                                       \
        },                                                           \
    }

static const USBDescIfaceAssoc groups_full[] = { ISOAV_UVC_GROUP(full),
                                                 ISOAV_UAC_GROUP_1(full) };
static const USBDescIfaceAssoc groups_high[] = { ISOAV_UVC_GROUP(high),
                                                 ISOAV_UAC_GROUP_2(high) };
static const USBDescIfaceAssoc groups_super[] = { ISOAV_UVC_GROUP(super),
                                                  ISOAV_UAC_GROUP_2(super) };

static const USBDescDevice full = DEVICE(full, 0x0200, 64, 50);
/* USB 2.0 LPM: 2.01 says that there is a BOS, and in it that L1 is known. */
static const USBDescDevice high = DEVICE(high, 0x0201, 64, 50);

/* USB 3.2 §9.2.6.6: on a slower bus it says that it could do more. */
static const USBDescDevice full_of_super = DEVICE(full, 0x0210, 64, 50);
static const USBDescDevice high_of_super = DEVICE(high, 0x0210, 64, 50);
static const USBDescDevice super = DEVICE(super, 0x0300, 9 /* 2^9 */, 13);

#define IDENTITY                                                          \
    {                                                                     \
        .idVendor = ISOAV_AV_VENDOR_ID, .idProduct = ISOAV_AV_PRODUCT_ID, \
        .bcdDevice = 0x0100, .iManufacturer = ISOAV_AV_STR_MANUFACTURER,  \
        .iProduct = ISOAV_AV_STR_PRODUCT,                                 \
        .iSerialNumber = ISOAV_AV_STR_SERIAL,                             \
    }

const USBDesc isoav_descriptors_av_full = {
    .id = IDENTITY,
    .full = &full,
    .str = strings,
};

const USBDesc isoav_descriptors_av_high = {
    .id = IDENTITY,
    .full = &full,
    .high = &high,
    .str = strings,
};

const USBDesc isoav_descriptors_av_super = {
    .id = IDENTITY,
    .full = &full_of_super,
    .high = &high_of_super,
    .super = &super,
    .str = strings,
};
