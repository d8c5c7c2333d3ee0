/*
 * The descriptors of profile "av" and of its camera as a host reads them, byte
 * for byte, through QEMU's own descriptor code.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/av.h"
#include "hw/av/uvc-descriptors.h"
#include "hw/usb/desc.h"

#define U16(v) (v) & 0xff, (v) >> 8
#define U32(v) \
    (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, (uint32_t)(v) >> 24

/* clang-format off */
static const uint8_t device_high[] = {
    0x12,       /* bLength */
    0x01,       /* bDescriptorType: device */
    0x01, 0x02, /* bcdUSB 2.01 */
    0xef,       /* bDeviceClass: miscellaneous */
    0x02,       /* bDeviceSubClass: common */
    0x01,       /* bDeviceProtocol: interface associations */
    0x40,       /* bMaxPacketSize0 */
    0xf4, 0x46, /* idVendor */
    0x0b, 0x15, /* idProduct */
    0x00, 0x01, /* bcdDevice 1.00 */
    0x01,       /* iManufacturer */
    0x02,       /* iProduct */
    0x03,       /* iSerialNumber */
    0x01,       /* bNumConfigurations */
};

/* The interface association and the VideoControl interface. */
#define ASSOCIATION \
    0x08,       /* bLength */ \
    0x0b,       /* bDescriptorType: interface association */ \
    0x00, 0x02, /* bFirstInterface, bInterfaceCount */ \
    0x0e,       /* bFunctionClass: video */ \
    0x03,       /* bFunctionSubClass: interface collection */ \
    0x00,       /* bFunctionProtocol */ \
    0x04        /* iFunction */

#define CONTROL \
    0x09, 0x04, /* bLength, interface */ \
    0x00, 0x00, /* bInterfaceNumber, bAlternateSetting */ \
    0x01,       /* bNumEndpoints */ \
    0x0e,       /* bInterfaceClass: video */ \
    0x01,       /* bInterfaceSubClass: VideoControl */ \
    0x00,       /* bInterfaceProtocol: 00h before UVC 1.5 */ \
    0x04,       /* iInterface */ \
    \
    0x0d, 0x24, 0x01, /* bLength, CS_INTERFACE, VC_HEADER */ \
    0x10, 0x01, /* bcdUVC 1.10 */ \
    U16(52),    /* wTotalLength 13 + 18 + 12 + 9 */ \
    U32(48000000), /* dwClockFrequency */ \
    0x01, 0x01, /* bInCollection, baInterfaceNr */ \
    \
    0x12, 0x24, 0x02, /* VC_INPUT_TERMINAL */ \
    0x01,       /* bTerminalID */ \
    0x01, 0x02, /* wTerminalType: camera */ \
    0x00, 0x00, /* bAssocTerminal, iTerminal */ \
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, /* no zoom lens */ \
    0x03,       /* bControlSize */ \
    0x0a, 0x00, 0x00, /* bmControls: exposure mode, time (absolute) */ \
    \
    0x0c, 0x24, 0x05, /* VC_PROCESSING_UNIT */ \
    0x02, 0x01, /* bUnitID, bSourceID */ \
    0x00, 0x00, /* wMaxMultiplier */ \
    0x02,       /* bControlSize */ \
    0x2f, 0x00, /* brightness, contrast, hue, saturation, gamma */ \
    0x00, 0x00, /* iProcessing, bmVideoStandards */ \
    \
    0x09, 0x24, 0x03, /* VC_OUTPUT_TERMINAL */ \
    0x03,       /* bTerminalID */ \
    0x01, 0x01, /* wTerminalType: USB streaming */ \
    0x00, 0x02, 0x00, /* bAssocTerminal, bSourceID, iTerminal */ \
    \
    0x07, 0x05, 0x81, 0x03, /* endpoint 81h, interrupt */ \
    0x10, 0x00, 0x04  /* wMaxPacketSize, bInterval: 8 microframes */

#define STATUS_EXTRA \
    0x05, 0x25, 0x03, 0x10, 0x00 /* CS_ENDPOINT, EP_INTERRUPT, its size */

/* bLength, type, number, alternate, endpoints, class, sub, protocol, string */
#define STREAMING(alternate, endpoints) \
    0x09, 0x04, 0x01, alternate, endpoints, 0x0e, 0x02, 0x00, 0x00

#define INPUT_HEADER(total) \
    0x0f, 0x24, 0x01, /* VS_INPUT_HEADER */ \
    0x02,       /* bNumFormats */ \
    U16(total), /* wTotalLength */ \
    0x82,       /* bEndpointAddress */ \
    0x00,       /* bmInfo */ \
    0x03,       /* bTerminalLink */ \
    0x02,       /* bStillCaptureMethod */ \
    0x01, 0x00, /* bTriggerSupport, bTriggerUsage */ \
    0x01,       /* bControlSize */ \
    0x00, 0x00  /* bmaControls of each format */

#define YUY2(frames, first) \
    0x1b, 0x24, 0x04, /* VS_FORMAT_UNCOMPRESSED */ \
    0x01, frames, /* bFormatIndex, bNumFrameDescriptors */ \
    'Y', 'U', 'Y', '2', 0x00, 0x00, 0x10, 0x00, /* guidFormat */ \
    0x80, 0x00, 0x00, 0xaa, 0x00, 0x38, 0x9b, 0x71, \
    0x10,       /* bBitsPerPixel */ \
    first,      /* bDefaultFrameIndex */ \
    0x00, 0x00, 0x00, 0x00 /* aspect, interlace, copy protection: none */

#define MJPEG(frames, first) \
    0x0b, 0x24, 0x06, /* VS_FORMAT_MJPEG */ \
    0x02, frames, /* bFormatIndex, bNumFrameDescriptors */ \
    0x00,       /* bmFlags: samples differ in size */ \
    first,      /* bDefaultFrameIndex */ \
    0x00, 0x00, 0x00, 0x00

/* Length, subtype, index, size, bits a second at 10 frames a second and at
 * the fastest rate, bytes of a frame, default interval, number of them; the
 * intervals follow. */
#define FRAME(length, subtype, index, w, h, slow, fast, bytes, first, count) \
    length, 0x24, subtype, index, 0x00, U16(w), U16(h), U32(slow), U32(fast), \
    U32(bytes), U32(first), count
#define EVERY10 U32(1000000)
#define TO15 U32(666666), EVERY10
#define TO30 U32(333333), U32(400000), U32(500000), TO15
#define TO50 U32(200000), TO30
#define TO60 U32(166666), TO50

#define STILL \
    0x0e, 0x24, 0x03, /* VS_STILL_IMAGE_FRAME */ \
    0x00, 0x02, /* bEndpointAddress, bNumImageSizePatterns */ \
    U16(640), U16(480), U16(1920), U16(1080), \
    0x00        /* bNumCompressionPattern */
#define COLOR \
    0x06, 0x24, 0x0d, /* VS_COLORFORMAT */ \
    0x01, 0x01, 0x04  /* BT.709, BT.709, SMPTE 170M */

/* Endpoint 82h, isochronous and asynchronous (05h), each (micro)frame. */
#define EP(bytes) 0x07, 0x05, 0x82, 0x05, U16(bytes), 0x01

static const uint8_t camera_full[] = {
    ASSOCIATION,
    CONTROL, STATUS_EXTRA,
    STREAMING(0, 0),
    INPUT_HEADER(215), /* 15 + 27 + 46 + 14 + 6 + 11 + 46 + 30 + 14 + 6 */
    YUY2(1, 1),
    FRAME(46, 5, 1, 160, 90, 2304000, 6912000, 28800, 333333, 5), TO30,
    STILL, COLOR,
    MJPEG(2, 1),
    FRAME(46, 7, 1, 320, 180, 1728000, 5184000, 21600, 333333, 5), TO30,
    FRAME(30, 7, 2, 640, 360, 6912000, 6912000, 86400, 1000000, 1), EVERY10,
    STILL, COLOR,
    STREAMING(1, 1), EP(192),
    STREAMING(2, 1), EP(512),
    STREAMING(3, 1), EP(768),
    STREAMING(4, 1), EP(1023),
};

static const uint8_t camera_high[] = {
    ASSOCIATION,
    CONTROL, STATUS_EXTRA,
    STREAMING(0, 0),
    INPUT_HEADER(535), /* 15 + 27 + 180 + 20 + 11 + 262 + 20 */
    YUY2(4, 3),
    FRAME(54, 5, 1, 320, 180, 9216000, 55296000, 115200, 333333, 7), TO60,
    FRAME(50, 5, 2, 640, 360, 36864000, 184320000, 460800, 333333, 6), TO50,
    FRAME(46, 5, 3, 640, 480, 49152000, 147456000, 614400, 333333, 5), TO30,
    FRAME(30, 5, 4, 1280, 720, 147456000, 147456000, 1843200, 1000000, 1),
    EVERY10,
    STILL, COLOR,
    MJPEG(5, 3),
    FRAME(54, 7, 1, 320, 180, 1728000, 10368000, 21600, 333333, 7), TO60,
    FRAME(54, 7, 2, 640, 360, 6912000, 41472000, 86400, 333333, 7), TO60,
    FRAME(54, 7, 3, 640, 480, 9216000, 55296000, 115200, 333333, 7), TO60,
    FRAME(54, 7, 4, 1280, 720, 27648000, 165888000, 345600, 333333, 7), TO60,
    FRAME(46, 7, 5, 1920, 1080, 62208000, 186624000, 777600, 333333, 5), TO30,
    STILL, COLOR,
    STREAMING(1, 1), EP(192),
    STREAMING(2, 1), EP(512),
    STREAMING(3, 1), EP(1024),
    STREAMING(4, 1), EP(0x0b00), /* 2 x 768 */
    STREAMING(5, 1), EP(0x0c00), /* 2 x 1024 */
    STREAMING(6, 1), EP(0x1320), /* 3 x 800 */
    STREAMING(7, 1), EP(0x1400), /* 3 x 1024 */
};

/* The companion follows: bLength, type, bMaxBurst, bmAttributes (Mult),
 * wBytesPerInterval. */
#define SUPER_EP(burst, mult, bytes) \
    EP(1024), 0x06, 0x30, burst, mult, U16(bytes)

static const uint8_t camera_super[] = {
    ASSOCIATION,
    CONTROL, 0x06, 0x30, 0x00, 0x00, 0x10, 0x00, STATUS_EXTRA,
    STREAMING(0, 0),
    INPUT_HEADER(633), /* 15 + 27 + 270 + 20 + 11 + 270 + 20 */
    YUY2(5, 3),
    FRAME(54, 5, 1, 320, 180, 9216000, 55296000, 115200, 333333, 7), TO60,
    FRAME(54, 5, 2, 640, 360, 36864000, 221184000, 460800, 333333, 7), TO60,
    FRAME(54, 5, 3, 640, 480, 49152000, 294912000, 614400, 333333, 7), TO60,
    FRAME(54, 5, 4, 1280, 720, 147456000, 884736000, 1843200, 333333, 7), TO60,
    FRAME(54, 5, 5, 1920, 1080, 331776000, 1990656000, 4147200, 333333, 7),
    TO60,
    STILL, COLOR,
    MJPEG(5, 3),
    FRAME(54, 7, 1, 320, 180, 1728000, 10368000, 21600, 333333, 7), TO60,
    FRAME(54, 7, 2, 640, 360, 6912000, 41472000, 86400, 333333, 7), TO60,
    FRAME(54, 7, 3, 640, 480, 9216000, 55296000, 115200, 333333, 7), TO60,
    FRAME(54, 7, 4, 1280, 720, 27648000, 165888000, 345600, 333333, 7), TO60,
    FRAME(54, 7, 5, 1920, 1080, 62208000, 373248000, 777600, 333333, 7), TO60,
    STILL, COLOR,
    STREAMING(1, 1), SUPER_EP(0, 0, 1024),
    STREAMING(2, 1), SUPER_EP(1, 0, 2048),
    STREAMING(3, 1), SUPER_EP(3, 0, 4096),
    STREAMING(4, 1), SUPER_EP(7, 0, 8192),
    STREAMING(5, 1), SUPER_EP(15, 0, 16384),
    STREAMING(6, 1), SUPER_EP(15, 1, 32768),
};
/* clang-format on */

static void expect_device(const USBDescDevice *dev, unsigned bcd_usb,
                          unsigned mps0)
{
    const USBDesc *desc = &isoav_descriptors_av_super;
    uint8_t bytes[256], want[sizeof(device_high)];
    int length = usb_desc_device(&desc->id, dev, false, bytes, sizeof(bytes));

    memcpy(want, device_high, sizeof(want));
    want[2] = bcd_usb & 0xff;
    want[3] = bcd_usb >> 8;
    want[7] = mps0;
    g_assert_cmpmem(bytes, length, want, sizeof(want));
}

static void test_devices(void)
{
    expect_device(isoav_descriptors_av_full.full, 0x0200, 64);
    g_assert_null(isoav_descriptors_av_full.high);
    g_assert_null(isoav_descriptors_av_full.super);
    expect_device(isoav_descriptors_av_high.full, 0x0200, 64);
    expect_device(isoav_descriptors_av_high.high, 0x0201, 64);
    g_assert_null(isoav_descriptors_av_high.super);
    expect_device(isoav_descriptors_av_super.full, 0x0210, 64);
    expect_device(isoav_descriptors_av_super.high, 0x0210, 64);
    expect_device(isoav_descriptors_av_super.super, 0x0300, 9);
}

/* The first function of the configuration. */
static void expect_camera(const USBDescDevice *dev, int flags,
                          const uint8_t *want, size_t count)
{
    uint8_t bytes[4096];
    int length = usb_desc_iface_group(&dev->confs->if_groups[0], flags, bytes,
                                      sizeof(bytes));

    for (size_t i = 0; i < MIN((size_t)length, count); i++) {
        if (bytes[i] != want[i]) {
            g_error("byte %zu is %02x, expected %02x", i, bytes[i], want[i]);
        }
    }
    g_assert_cmpint(length, ==, count);
}

static void test_full(void)
{
    expect_camera(isoav_descriptors_av_full.full, 0, camera_full,
                  sizeof(camera_full));
}

static void test_high(void)
{
    expect_camera(isoav_descriptors_av_high.high, 0, camera_high,
                  sizeof(camera_high));
}

static void test_super(void)
{
    expect_camera(isoav_descriptors_av_super.super, USB_DESC_FLAG_SUPER,
                  camera_super, sizeof(camera_super));
}

/* wTotalLength is the sum of what it stands before. */
static void test_total_lengths(void)
{
    static const struct {
        const uint8_t *bytes;
        size_t count;
    } all[] = {
        { camera_full, sizeof(camera_full) },
        { camera_high, sizeof(camera_high) },
        { camera_super, sizeof(camera_super) },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        size_t at = 0, header = 0, sum = 0;

        for (; at < all[i].count; at += all[i].bytes[at]) {
            const uint8_t *d = all[i].bytes + at;

            g_assert_cmpint(d[0], >=, 2);
            if (d[1] == 0x24 && d[2] == 0x01) {
                header = at;
                sum = 0;
            }
            sum += d[1] == 0x24 ? d[0] : 0;
            if (header && (at + d[0] == all[i].count || d[d[0] + 1] != 0x24)) {
                const uint8_t *h = all[i].bytes + header;

                /* behind bcdUVC, or bNumFormats */
                h += h[0] == 13 ? 5 : 4;
                g_assert_cmpint(h[0] | h[1] << 8, ==, sum);
                header = 0;
            }
        }
        g_assert_cmpint(at, ==, all[i].count);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/uvc/descriptors/devices", test_devices);
    g_test_add_func("/uvc/descriptors/full", test_full);
    g_test_add_func("/uvc/descriptors/high", test_high);
    g_test_add_func("/uvc/descriptors/super", test_super);
    g_test_add_func("/uvc/descriptors/total-lengths", test_total_lengths);
    return g_test_run();
}
