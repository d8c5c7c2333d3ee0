/*
 * The descriptors as a host reads them, byte for byte, through QEMU's own
 * descriptor code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/descriptors.h"
#include "hw/usb/desc.h"

/* clang-format off */
static const uint8_t device[] = {
    0x12,       /* bLength */
    0x01,       /* bDescriptorType: device */
    0x01, 0x02, /* bcdUSB 2.01 */
    0x00,       /* bDeviceClass: in the interfaces */
    0x00,       /* bDeviceSubClass */
    0x00,       /* bDeviceProtocol */
    0x40,       /* bMaxPacketSize0 */
    0xf4, 0x46, /* idVendor */
    0x0a, 0x15, /* idProduct */
    0x00, 0x01, /* bcdDevice 1.00 */
    0x01,       /* iManufacturer */
    0x02,       /* iProduct */
    0x03,       /* iSerialNumber */
    0x01,       /* bNumConfigurations */
};

/* bLength, type, number, alternate, endpoints, class, sub, protocol, string */
#define IFACE(number, alternate, endpoints, string) \
    0x09, 0x04, number, alternate, endpoints, 0xff, 0x00, 0x00, string

/* bLength, type, address, bmAttributes, wMaxPacketSize, bInterval; IN is
 * isochronous and synchronous (0Dh), OUT isochronous and adaptive (09h). */
#define EP_IN(address, lo, hi, interval) \
    0x07, 0x05, address, 0x0d, lo, hi, interval
#define EP_OUT(address, lo, hi, interval) \
    0x07, 0x05, address, 0x09, lo, hi, interval

static const uint8_t configuration[] = {
    0x09,       /* bLength */
    0x02,       /* bDescriptorType: configuration */
    0xde, 0x00, /* wTotalLength 9 + 12 x 9 + (5 + 5 x 2) x 7 = 222 */
    0x02,       /* bNumInterfaces */
    0x01,       /* bConfigurationValue */
    0x00,       /* iConfiguration */
    0x80,       /* bmAttributes: bus powered */
    0x32,       /* bMaxPower 100 mA */

    IFACE(0, 0, 0, 4),
    IFACE(0, 1, 1, 4), EP_IN(0x81, 0xc0, 0x00, 1), /* 1 x 192 */
    IFACE(0, 2, 1, 4), EP_IN(0x81, 0x00, 0x02, 1), /* 1 x 512 */
    IFACE(0, 3, 1, 4), EP_IN(0x81, 0x00, 0x04, 1), /* 1 x 1024 */
    IFACE(0, 4, 1, 4), EP_IN(0x81, 0x00, 0x0c, 1), /* 2 x 1024 */
    IFACE(0, 5, 1, 4), EP_IN(0x81, 0x00, 0x14, 1), /* 3 x 1024 */

    IFACE(1, 0, 0, 5),
    IFACE(1, 1, 2, 5), EP_IN(0x82, 0xc0, 0x00, 1), EP_OUT(0x02, 0xc0, 0x00, 1),
    IFACE(1, 2, 2, 5), EP_IN(0x82, 0x00, 0x04, 1), EP_OUT(0x02, 0x00, 0x04, 1),
    IFACE(1, 3, 2, 5), EP_IN(0x82, 0x00, 0x14, 1), EP_OUT(0x02, 0x00, 0x14, 1),
    IFACE(1, 4, 2, 5), EP_IN(0x82, 0x00, 0x04, 4), EP_OUT(0x02, 0x00, 0x04, 4),
    IFACE(1, 5, 2, 5), EP_IN(0x82, 0x00, 0x0c, 1), EP_OUT(0x02, 0x00, 0x0c, 1),
};

static const uint8_t configuration_full[] = {
    0x09, 0x02,
    0xde, 0x00, /* wTotalLength, as at high speed */
    0x02, 0x01, 0x00, 0x80, 0x32,

    IFACE(0, 0, 0, 4),
    IFACE(0, 1, 1, 4), EP_IN(0x81, 0xc0, 0x00, 1), /* 192 */
    IFACE(0, 2, 1, 4), EP_IN(0x81, 0x80, 0x01, 1), /* 384 */
    IFACE(0, 3, 1, 4), EP_IN(0x81, 0x00, 0x02, 1), /* 512 */
    IFACE(0, 4, 1, 4), EP_IN(0x81, 0x00, 0x03, 1), /* 768 */
    IFACE(0, 5, 1, 4), EP_IN(0x81, 0xff, 0x03, 1), /* 1023 */

    IFACE(1, 0, 0, 5),
    IFACE(1, 1, 2, 5), EP_IN(0x82, 0x60, 0x00, 1), EP_OUT(0x02, 0x60, 0x00, 1),
    IFACE(1, 2, 2, 5), EP_IN(0x82, 0xc0, 0x00, 1), EP_OUT(0x02, 0xc0, 0x00, 1),
    IFACE(1, 3, 2, 5), EP_IN(0x82, 0xff, 0x03, 1), EP_OUT(0x02, 0xff, 0x03, 1),
    IFACE(1, 4, 2, 5), EP_IN(0x82, 0x00, 0x02, 1), EP_OUT(0x02, 0x00, 0x02, 1),
    IFACE(1, 5, 2, 5), EP_IN(0x82, 0x80, 0x01, 1), EP_OUT(0x02, 0x80, 0x01, 1),
};

static const uint8_t device_super[] = {
    0x12, 0x01, 0x00, 0x03, 0x00, 0x00, 0x00,
    0x09, /* bMaxPacketSize0: 2^9 */
    0xf4, 0x46, 0x0a, 0x15, 0x00, 0x01, 0x01, 0x02, 0x03, 0x01,
};

/* The companion follows: bLength, type, bMaxBurst, bmAttributes (Mult),
 * wBytesPerInterval. */
#define SUPER_IN(address, lo, hi, interval, burst, mult, bytes_lo, bytes_hi) \
    0x07, 0x05, address, 0x0d, lo, hi, interval, \
    0x06, 0x30, burst, mult, bytes_lo, bytes_hi
#define SUPER_OUT(address, lo, hi, interval, burst, mult, bytes_lo, bytes_hi) \
    0x07, 0x05, address, 0x09, lo, hi, interval, \
    0x06, 0x30, burst, mult, bytes_lo, bytes_hi
#define SUPER_PAIR(...) SUPER_IN(0x82, __VA_ARGS__), SUPER_OUT(0x02, __VA_ARGS__)

static const uint8_t configuration_super[] = {
    0x09, 0x02,
    0x4e, 0x01, /* wTotalLength 9 + 13 x 9 + (5 + 5 x 2 + 1) x 13 = 334 */
    0x02, 0x01, 0x00, 0x80,
    0x0d,       /* bMaxPower 104 mA */

    IFACE(0, 0, 0, 4),
    IFACE(0, 1, 1, 4), SUPER_IN(0x81, 0xc0, 0x00, 1, 0, 0, 0xc0, 0x00),
    IFACE(0, 2, 1, 4), SUPER_IN(0x81, 0x00, 0x02, 1, 0, 0, 0x00, 0x02),
    IFACE(0, 3, 1, 4), SUPER_IN(0x81, 0x00, 0x04, 1, 0, 0, 0x00, 0x04),
    IFACE(0, 4, 1, 4), SUPER_IN(0x81, 0x00, 0x04, 1, 1, 0, 0x00, 0x08),
    IFACE(0, 5, 1, 4), SUPER_IN(0x81, 0x00, 0x04, 1, 2, 0, 0x00, 0x0c),

    IFACE(1, 0, 0, 5),
    IFACE(1, 1, 2, 5), SUPER_PAIR(0xc0, 0x00, 1, 0, 0, 0xc0, 0x00),
    IFACE(1, 2, 2, 5), SUPER_PAIR(0x00, 0x04, 1, 0, 0, 0x00, 0x04),
    IFACE(1, 3, 2, 5), SUPER_PAIR(0x00, 0x04, 1, 2, 0, 0x00, 0x0c),
    IFACE(1, 4, 2, 5), SUPER_PAIR(0x00, 0x04, 4, 0, 0, 0x00, 0x04),
    IFACE(1, 5, 2, 5), SUPER_PAIR(0x00, 0x04, 1, 1, 0, 0x00, 0x08),
    IFACE(1, 6, 1, 5), SUPER_IN(0x82, 0x00, 0x04, 1, 15, 2, 0x00, 0xc0),
};
/* clang-format on */

static const USBDesc *desc = &isoav_descriptors_vendor;

static void test_device(void)
{
    uint8_t bytes[256];
    int length =
        usb_desc_device(&desc->id, desc->high, false, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, device, sizeof(device));
}

static void test_configuration(void)
{
    uint8_t bytes[512];
    int length = usb_desc_config(desc->high->confs, 0, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, configuration, sizeof(configuration));
    g_assert_cmpint(bytes[2] | bytes[3] << 8, ==, sizeof(configuration));
}

/* The same configuration, whether the device could be faster or not; a device
 * of full speed alone knows nothing of LPM. */
static void test_full(void)
{
    const USBDesc *only = &isoav_descriptors_vendor_full;
    const USBDesc *all = &isoav_descriptors_vendor_super;
    uint8_t bytes[512];
    int length = usb_desc_config(only->full->confs, 0, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, configuration_full,
                    sizeof(configuration_full));
    g_assert_cmpint(bytes[2] | bytes[3] << 8, ==, sizeof(configuration_full));
    g_assert_null(only->high);
    g_assert_null(only->super);
    g_assert_cmphex(only->full->bcdUSB, ==, 0x0200);
    g_assert_cmphex(desc->full->bcdUSB, ==, desc->high->bcdUSB);
    g_assert_cmphex(all->full->bcdUSB, ==, all->high->bcdUSB);
    g_assert_true(desc->full->confs->ifs == only->full->confs->ifs);
    g_assert_true(all->full->confs->ifs == only->full->confs->ifs);
    g_assert_cmpint(only->full->bMaxPacketSize0, ==, 64);
}

static void test_no_super_speed(void)
{
    g_assert_null(desc->super);
    g_assert_cmpint(desc->high->bNumConfigurations, ==, 1);
}

static void test_super(void)
{
    const USBDesc *both = &isoav_descriptors_vendor_super;
    uint8_t bytes[512];
    int length =
        usb_desc_device(&both->id, both->super, false, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, device_super, sizeof(device_super));
    length = usb_desc_config(both->super->confs, USB_DESC_FLAG_SUPER, bytes,
                             sizeof(bytes));
    g_assert_cmpmem(bytes, length, configuration_super,
                    sizeof(configuration_super));
    g_assert_cmpint(bytes[2] | bytes[3] << 8, ==, sizeof(configuration_super));
    g_assert_cmphex(both->high->bcdUSB, ==, 0x0210);
    g_assert_true(both->high->confs->ifs == desc->high->confs->ifs);
}

static void test_strings(void)
{
    g_assert_cmpstr(desc->str[1], ==, "IsoLab");
    g_assert_cmpstr(desc->str[2], ==, "IsoLab A/V test device");
    for (int i = 1; i <= 5; i++) {
        g_assert_nonnull(desc->str[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/av/descriptors/device", test_device);
    g_test_add_func("/av/descriptors/configuration", test_configuration);
    g_test_add_func("/av/descriptors/full", test_full);
    g_test_add_func("/av/descriptors/no-super-speed", test_no_super_speed);
    g_test_add_func("/av/descriptors/super", test_super);
    g_test_add_func("/av/descriptors/strings", test_strings);
    return g_test_run();
}
