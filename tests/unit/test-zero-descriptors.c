/*
 * The descriptors of profile "zero" as a host reads them, byte for byte,
 * through QEMU's own descriptor code. usbtest takes its endpoints from them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/descriptors.h"
#include "hw/usb/desc.h"

/* clang-format off */
static const uint8_t device_high[] = {
    0x12,       /* bLength */
    0x01,       /* bDescriptorType: device */
    0x00, 0x02, /* bcdUSB 2.00 */
    0xff,       /* bDeviceClass: of the vendor */
    0x00,       /* bDeviceSubClass */
    0x00,       /* bDeviceProtocol */
    0x40,       /* bMaxPacketSize0 */
    0x25, 0x05, /* idVendor: NetChip, as Linux's gadgets have it */
    0xa0, 0xa4, /* idProduct: Gadget Zero */
    0x00, 0x01, /* bcdDevice 1.00 */
    0x01,       /* iManufacturer */
    0x02,       /* iProduct */
    0x03,       /* iSerialNumber */
    0x02,       /* bNumConfigurations */
};

/* bcdUSB 3.00, bMaxPacketSize0 2^9. */
static const uint8_t device_super[] = {
    0x12, 0x01, 0x00, 0x03, 0xff, 0x00, 0x00, 0x09, 0x25,
    0x05, 0xa0, 0xa4, 0x00, 0x01, 0x01, 0x02, 0x03, 0x02,
};

/* bLength, type, wTotalLength, bNumInterfaces, bConfigurationValue, string,
 * self powered, bMaxPower */
#define CONFIGURATION(total, value, string) \
    0x09, 0x02, (total) & 0xff, (total) >> 8, 0x01, value, string, 0xc0, 0x01

/* bLength, type, number, alternate, endpoints, class, sub, protocol, string */
#define IFACE(alternate, endpoints, string) \
    0x09, 0x04, 0x00, alternate, endpoints, 0xff, 0x00, 0x00, string

/* bLength, type, address, bmAttributes, wMaxPacketSize, bInterval */
#define EP(address, type, lo, hi, interval) \
    0x07, 0x05, address, type, lo, hi, interval

/* bLength, type, bMaxBurst, bmAttributes, wBytesPerInterval */
#define COMPANION(lo, hi) 0x06, 0x30, 0x00, 0x00, lo, hi

#define FULL_BULK EP(0x81, 2, 0x40, 0x00, 0), EP(0x01, 2, 0x40, 0x00, 0)
static const uint8_t source_sink_full[] = {
    CONFIGURATION(106, 3, 4), /* 9 + 3 x 9 + 10 x 7 */
    IFACE(0, 2, 4), FULL_BULK,
    IFACE(1, 4, 4), FULL_BULK,
    EP(0x82, 1, 0x00, 0x02, 4), EP(0x02, 1, 0x00, 0x02, 4), /* 8 frames */
    IFACE(2, 4, 4), FULL_BULK,
    EP(0x83, 3, 0x40, 0x00, 1), EP(0x03, 3, 0x40, 0x00, 1),
};

#define HIGH_BULK EP(0x81, 2, 0x00, 0x02, 0), EP(0x01, 2, 0x00, 0x02, 0)
static const uint8_t source_sink_high[] = {
    CONFIGURATION(106, 3, 4),
    IFACE(0, 2, 4), HIGH_BULK,
    IFACE(1, 4, 4), HIGH_BULK,
    EP(0x82, 1, 0x00, 0x04, 4), EP(0x02, 1, 0x00, 0x04, 4), /* 8 microframes */
    IFACE(2, 4, 4), HIGH_BULK,
    EP(0x83, 3, 0x40, 0x00, 4), EP(0x03, 3, 0x40, 0x00, 4),
};

static const uint8_t loopback_high[] = {
    CONFIGURATION(32, 2, 5), IFACE(0, 2, 5), HIGH_BULK, /* 9 + 9 + 2 x 7 */
};

#define SUPER_BULK \
    EP(0x81, 2, 0x00, 0x04, 0), COMPANION(0x00, 0x00), \
    EP(0x01, 2, 0x00, 0x04, 0), COMPANION(0x00, 0x00)
static const uint8_t source_sink_super[] = {
    CONFIGURATION(166, 3, 4), /* 9 + 3 x 9 + 10 x 13 */
    IFACE(0, 2, 4), SUPER_BULK,
    IFACE(1, 4, 4), SUPER_BULK,
    EP(0x82, 1, 0x00, 0x04, 4), COMPANION(0x00, 0x04),
    EP(0x02, 1, 0x00, 0x04, 4), COMPANION(0x00, 0x04),
    IFACE(2, 4, 4), SUPER_BULK,
    EP(0x83, 3, 0x40, 0x00, 4), COMPANION(0x40, 0x00),
    EP(0x03, 3, 0x40, 0x00, 4), COMPANION(0x40, 0x00),
};
/* clang-format on */

static void expect_device(const USBDesc *desc, const USBDescDevice *dev,
                          const uint8_t *want, size_t count)
{
    uint8_t bytes[256];
    int length = usb_desc_device(&desc->id, dev, false, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, want, count);
}

static void expect_configuration(const USBDescConfig *conf, int flags,
                                 const uint8_t *want, size_t count)
{
    uint8_t bytes[512];
    int length = usb_desc_config(conf, flags, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, want, count);
    g_assert_cmpint(bytes[2] | bytes[3] << 8, ==, count);
}

static void test_devices(void)
{
    const USBDesc *desc = &isoav_descriptors_zero_super;
    uint8_t slower[sizeof(device_high)];

    expect_device(&isoav_descriptors_zero_high,
                  isoav_descriptors_zero_high.high, device_high,
                  sizeof(device_high));
    expect_device(&isoav_descriptors_zero_full,
                  isoav_descriptors_zero_full.full, device_high,
                  sizeof(device_high));
    expect_device(desc, desc->super, device_super, sizeof(device_super));
    /* on a slower bus: bcdUSB 2.10 */
    memcpy(slower, device_high, sizeof(slower));
    slower[2] = 0x10;
    expect_device(desc, desc->high, slower, sizeof(slower));
    expect_device(desc, desc->full, slower, sizeof(slower));
}

static void test_full(void)
{
    expect_configuration(isoav_descriptors_zero_full.full->confs, 0,
                         source_sink_full, sizeof(source_sink_full));
    g_assert_null(isoav_descriptors_zero_full.high);
    g_assert_null(isoav_descriptors_zero_full.super);
}

static void test_high(void)
{
    const USBDescDevice *high = isoav_descriptors_zero_high.high;

    expect_configuration(&high->confs[0], 0, source_sink_high,
                         sizeof(source_sink_high));
    expect_configuration(&high->confs[1], 0, loopback_high,
                         sizeof(loopback_high));
    g_assert_null(isoav_descriptors_zero_high.super);
}

static void test_super(void)
{
    expect_configuration(isoav_descriptors_zero_super.super->confs,
                         USB_DESC_FLAG_SUPER, source_sink_super,
                         sizeof(source_sink_super));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/zero/descriptors/devices", test_devices);
    g_test_add_func("/zero/descriptors/full", test_full);
    g_test_add_func("/zero/descriptors/high", test_high);
    g_test_add_func("/zero/descriptors/super", test_super);
    return g_test_run();
}
