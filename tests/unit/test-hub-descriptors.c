/*
 * The hub's descriptors as a host reads them, byte for byte, through QEMU's
 * own descriptor code (USB 2.0 §11.23).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/hub/descriptors.h"
#include "hw/usb/desc.h"

/* clang-format off */
#define DEVICE(protocol)                                                   \
    0x12,       /* bLength */                                              \
    0x01,       /* bDescriptorType: device */                              \
    0x00, 0x02, /* bcdUSB 2.00 */                                          \
    0x09,       /* bDeviceClass: hub */                                    \
    0x00,       /* bDeviceSubClass */                                      \
    protocol,   /* bDeviceProtocol */                                      \
    0x40,       /* bMaxPacketSize0 */                                      \
    0xf4, 0x46, /* idVendor */                                             \
    0x11, 0x15, /* idProduct */                                            \
    0x00, 0x01, /* bcdDevice 1.00 */                                       \
    0x01, 0x02, 0x03, /* strings */                                        \
    0x01        /* bNumConfigurations */

/* self-powered, can wake up its host, takes nothing from the bus */
#define CONFIGURATION(total) \
    0x09, 0x02, total, 0x00, 0x01, 0x01, 0x00, 0xe0, 0x00

#define IFACE(alternate, protocol) \
    0x09, 0x04, 0x00, alternate, 0x01, 0x09, 0x00, protocol, 0x00

#define STATUS(bytes, interval) \
    0x07, 0x05, 0x81, 0x03, bytes, 0x00, interval

static const uint8_t full_device[] = { DEVICE(0) };
static const uint8_t single_device[] = { DEVICE(1) };
static const uint8_t multiple_device[] = { DEVICE(2) };

static const uint8_t full_4[] = {
    CONFIGURATION(25), IFACE(0, 0), STATUS(1, 0xff)
};
static const uint8_t single_4[] = {
    CONFIGURATION(25), IFACE(0, 0), STATUS(1, 12)
};
static const uint8_t single_15[] = {
    CONFIGURATION(25), IFACE(0, 0), STATUS(2, 12)
};
static const uint8_t multiple_4[] = {
    CONFIGURATION(41), IFACE(0, 1), STATUS(1, 12), IFACE(1, 2), STATUS(1, 12)
};
/* clang-format on */

static void check(const USBDesc *desc, const USBDescDevice *dev,
                  const uint8_t *device, const uint8_t *config,
                  size_t config_bytes)
{
    uint8_t bytes[256];
    int length = usb_desc_device(&desc->id, dev, false, bytes, sizeof(bytes));

    g_assert_cmpmem(bytes, length, device, 18);
    length = usb_desc_config(dev->confs, 0, bytes, sizeof(bytes));
    g_assert_cmpmem(bytes, length, config, config_bytes);
}

static void test_single_tt(void)
{
    const USBDesc *desc = isohub_descriptors(4, false);

    check(desc, desc->high, single_device, single_4, sizeof(single_4));
    check(desc, desc->full, full_device, full_4, sizeof(full_4));
    g_assert_null(desc->super);
}

static void test_multiple_tt(void)
{
    const USBDesc *desc = isohub_descriptors(4, true);

    check(desc, desc->high, multiple_device, multiple_4, sizeof(multiple_4));
    check(desc, desc->full, full_device, full_4, sizeof(full_4));
}

static void test_many_ports(void)
{
    const USBDesc *desc = isohub_descriptors(15, false);

    g_assert_true(isohub_descriptors(7, false) == isohub_descriptors(1, false));
    g_assert_true(isohub_descriptors(8, false) == desc);
    check(desc, desc->high, single_device, single_15, sizeof(single_15));
}

/* USB 2.0 Table 11-13 */
static void test_hub_descriptor(void)
{
    static const uint8_t of_1[] = { 9, 0x29, 1, 0x91, 0, 1, 100, 0, 0xff };
    static const uint8_t of_15[] = { 11,  0x29, 15, 0x91, 0,   1,
                                     100, 0,    0,  0xff, 0xff };
    uint8_t bytes[ISOHUB_DESCRIPTOR_BYTES_MAX];

    g_assert_cmpmem(bytes, isohub_descriptor(1, bytes), of_1, sizeof(of_1));
    g_assert_cmpmem(bytes, isohub_descriptor(15, bytes), of_15, sizeof(of_15));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hub/descriptors/single-tt", test_single_tt);
    g_test_add_func("/hub/descriptors/multiple-tt", test_multiple_tt);
    g_test_add_func("/hub/descriptors/many-ports", test_many_ports);
    g_test_add_func("/hub/descriptors/hub", test_hub_descriptor);
    return g_test_run();
}
