/*
 * Descriptors of the UVC camera: what is the same at each speed, the terminals
 * and units, and the formats and alternates of a speed, made from the lists of
 * uvc-formats.h.
 *
 * All class-specific descriptors of an interface are members of one packed
 * struct, whose size is their wTotalLength. QEMU's descriptor code takes them
 * one by one; tests/unit/test-uvc-descriptors.c holds the bytes against
 * reference arrays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/uvc-descriptors.h"

#define LE16(v)                     \
    {                               \
        (v) & 0xff, (v) >> 8 & 0xff \
    }
#define LE32(v)                                                         \
    {                                                                   \
        (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, (v) >> 24 & 0xff \
    }

enum {
    CLASS_VIDEO = 0x0e,
    SC_VIDEOCONTROL = 1,
    SC_VIDEOSTREAMING = 2,

    CS_INTERFACE = 0x24,
    CS_ENDPOINT = 0x25,

    VC_HEADER = 1,
    VC_INPUT_TERMINAL = 2,
    VC_OUTPUT_TERMINAL = 3,
    VC_PROCESSING_UNIT = 5,
    EP_INTERRUPT = 3,

    VS_INPUT_HEADER = 1,
    VS_STILL_IMAGE_FRAME = 3,
    VS_FORMAT_UNCOMPRESSED = 4,
    VS_FRAME_UNCOMPRESSED = 5,
    VS_FORMAT_MJPEG = 6,
    VS_FRAME_MJPEG = 7,
    VS_COLORFORMAT = 13,

    ISOCH_ASYNCHRONOUS = USB_ENDPOINT_XFER_ISOC | 1 << 2,
};

/* Each: bLength, bDescriptorType, bDescriptorSubtype. */
#define HEAD(type, subtype) sizeof(type), CS_INTERFACE, subtype

typedef struct QEMU_PACKED {
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bcdUVC[2];
        uint8_t wTotalLength[2];
        uint8_t dwClockFrequency[4];
        uint8_t bInCollection;
        uint8_t baInterfaceNr;
    } header;
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bTerminalID;
        uint8_t wTerminalType[2];
        uint8_t bAssocTerminal;
        uint8_t iTerminal;
        uint8_t wObjectiveFocalLengthMin[2];
        uint8_t wObjectiveFocalLengthMax[2];
        uint8_t wOcularFocalLength[2];
        uint8_t bControlSize;
        uint8_t bmControls[3];
    } camera;
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bUnitID;
        uint8_t bSourceID;
        uint8_t wMaxMultiplier[2];
        uint8_t bControlSize;
        uint8_t bmControls[2];
        uint8_t iProcessing;
        uint8_t bmVideoStandards;
    } processing;
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bTerminalID;
        uint8_t wTerminalType[2];
        uint8_t bAssocTerminal;
        uint8_t bSourceID;
        uint8_t iTerminal;
    } output;
} video_control;

static const video_control control = {
    .header = { { HEAD(control.header, VC_HEADER) },
                .bcdUVC = LE16(0x0110),
                .wTotalLength = LE16(sizeof(video_control)),
                .dwClockFrequency = LE32(ISOAV_UVC_CLOCK_HZ),
                .bInCollection = 1,
                .baInterfaceNr = ISOAV_AV_IFACE_VIDEO },
    .camera = { { HEAD(control.camera, VC_INPUT_TERMINAL) },
                .bTerminalID = ISOAV_UVC_CAMERA,
                .wTerminalType = LE16(0x0201), /* ITT_CAMERA */
                .bControlSize = 3,
                /* auto-exposure mode, exposure time (absolute) */
                .bmControls = { 1 << 1 | 1 << 3 } },
    .processing = { { HEAD(control.processing, VC_PROCESSING_UNIT) },
                    .bUnitID = ISOAV_UVC_PROCESSING,
                    .bSourceID = ISOAV_UVC_CAMERA,
                    .bControlSize = 2,
                    /* brightness, contrast, hue, saturation, gamma */
                    .bmControls =
                        LE16(1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 5) },
    .output = { { HEAD(control.output, VC_OUTPUT_TERMINAL) },
                .bTerminalID = ISOAV_UVC_OUTPUT,
                .wTerminalType = LE16(0x0101), /* TT_STREAMING */
                .bSourceID = ISOAV_UVC_PROCESSING },
};

/* USB 2.0's endpoint descriptor is followed by the class's own. */
static const uint8_t status_extra[] = {
    5, CS_ENDPOINT, EP_INTERRUPT, ISOAV_UVC_STATUS_BYTES,
    0, /* wMaxTransferSize */
};

#define OTHER(member)                      \
    {                                      \
        .data = (const uint8_t *)&(member) \
    }
static USBDescOther control_descs[] = {
    OTHER(control.header),
    OTHER(control.camera),
    OTHER(control.processing),
    OTHER(control.output),
};

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bNumFormats;
    uint8_t wTotalLength[2];
    uint8_t bEndpointAddress;
    uint8_t bmInfo;
    uint8_t bTerminalLink;
    uint8_t bStillCaptureMethod;
    uint8_t bTriggerSupport;
    uint8_t bTriggerUsage;
    uint8_t bControlSize;
    uint8_t bmaControls[ISOAV_UVC_FORMATS];
} input_header;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bFormatIndex;
    uint8_t bNumFrameDescriptors;
    uint8_t guidFormat[16];
    uint8_t bBitsPerPixel;
    uint8_t bDefaultFrameIndex;
    uint8_t bAspectRatioX;
    uint8_t bAspectRatioY;
    uint8_t bmInterlaceFlags;
    uint8_t bCopyProtect;
} format_uncompressed;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bFormatIndex;
    uint8_t bNumFrameDescriptors;
    uint8_t bmFlags;
    uint8_t bDefaultFrameIndex;
    uint8_t bAspectRatioX;
    uint8_t bAspectRatioY;
    uint8_t bmInterlaceFlags;
    uint8_t bCopyProtect;
} format_mjpeg;

/* Of both formats, with n intervals. */
#define FRAME_STRUCT(n)                       \
    typedef struct QEMU_PACKED {              \
        uint8_t head[3];                      \
        uint8_t bFrameIndex;                  \
        uint8_t bmCapabilities;               \
        uint8_t wWidth[2];                    \
        uint8_t wHeight[2];                   \
        uint8_t dwMinBitRate[4];              \
        uint8_t dwMaxBitRate[4];              \
        uint8_t dwMaxVideoFrameBufferSize[4]; \
        uint8_t dwDefaultFrameInterval[4];    \
        uint8_t bFrameIntervalType;           \
        uint8_t dwFrameInterval[n][4];        \
    } frame_##n;
FRAME_STRUCT(1)
FRAME_STRUCT(5)
FRAME_STRUCT(6)
FRAME_STRUCT(7)

/* bEndpointAddress 0: by the video's endpoint, method 2. */
#define ONE(...) +1
#define STILLS (0 ISOAV_UVC_STILLS(ONE))
typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bEndpointAddress;
    uint8_t bNumImageSizePatterns;
    struct QEMU_PACKED {
        uint8_t wWidth[2];
        uint8_t wHeight[2];
    } size[STILLS];
    uint8_t bNumCompressionPattern;
} still_frame;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bColorPrimaries;
    uint8_t bTransferCharacteristics;
    uint8_t bMatrixCoefficients;
} color_matching;

#define FRAME_MEMBER(index, width, height, rates) frame_##rates f##index;
#define STREAMING_STRUCT(speed, SPEED)                               \
    typedef struct QEMU_PACKED {                                     \
        input_header header;                                         \
        struct QEMU_PACKED {                                         \
            format_uncompressed format;                              \
            ISOAV_UVC_YUY2_##SPEED(FRAME_MEMBER) still_frame still;  \
            color_matching color;                                    \
        } yuy2;                                                      \
        struct QEMU_PACKED {                                         \
            format_mjpeg format;                                     \
            ISOAV_UVC_MJPEG_##SPEED(FRAME_MEMBER) still_frame still; \
            color_matching color;                                    \
        } mjpeg;                                                     \
    } streaming_##speed##_struct;
STREAMING_STRUCT(full, FULL)
STREAMING_STRUCT(high, HIGH)
STREAMING_STRUCT(super, SUPER)

#define INTERVAL(value) LE32(value),
#define FRAME(subtype, bytes, index, width, height, rates)                   \
    .f##index = {                                                            \
        { HEAD(frame_##rates, subtype) },                                    \
        .bFrameIndex = (index),                                              \
        .wWidth = LE16(width),                                               \
        .wHeight = LE16(height),                                             \
        .dwMinBitRate = LE32(bytes(width, height) * 8u * 10),                \
        .dwMaxBitRate =                                                      \
            LE32(bytes(width, height) * 8u * ISOAV_UVC_FASTEST_RATE(rates)), \
        .dwMaxVideoFrameBufferSize = LE32(bytes(width, height)),             \
        .dwDefaultFrameInterval = LE32(ISOAV_UVC_DEFAULT_INTERVAL(rates)),   \
        .bFrameIntervalType = (rates),                                       \
        .dwFrameInterval = { ISOAV_UVC_INTERVALS(INTERVAL, rates) },         \
    },
#define YUY2_FRAME(...) \
    FRAME(VS_FRAME_UNCOMPRESSED, ISOAV_UVC_YUY2_BYTES, __VA_ARGS__)
#define MJPEG_FRAME(...) \
    FRAME(VS_FRAME_MJPEG, ISOAV_UVC_MJPEG_BYTES, __VA_ARGS__)

#define STILL_SIZE(index, width, height) { LE16(width), LE16(height) },
#define STILL_FRAME                                         \
    .still = { { HEAD(still_frame, VS_STILL_IMAGE_FRAME) }, \
               .bNumImageSizePatterns = STILLS,             \
               .size = { ISOAV_UVC_STILLS(STILL_SIZE) } },

/* BT.709 primaries and transfer, BT.601's matrix (SMPTE 170M). */
#define COLOR                                            \
    .color = { { HEAD(color_matching, VS_COLORFORMAT) }, \
               .bColorPrimaries = 1,                     \
               .bTransferCharacteristics = 1,            \
               .bMatrixCoefficients = 4 },

#define STREAMING(speed, SPEED, default_index)                                \
    static const streaming_##speed##_struct streaming_##speed = {             \
        .header = { { HEAD(input_header, VS_INPUT_HEADER) },                  \
                    .bNumFormats = ISOAV_UVC_FORMATS,                         \
                    .wTotalLength = LE16(sizeof(streaming_##speed)),          \
                    .bEndpointAddress = ISOAV_AV_EP_VIDEO,                    \
                    .bTerminalLink = ISOAV_UVC_OUTPUT,                        \
                    .bStillCaptureMethod = 2,                                 \
                    .bTriggerSupport = 1,                                     \
                    .bControlSize = 1 },                                      \
        .yuy2 = { .format = { { HEAD(format_uncompressed,                     \
                                     VS_FORMAT_UNCOMPRESSED) },               \
                              .bFormatIndex = ISOAV_UVC_YUY2,                 \
                              .bNumFrameDescriptors =                         \
                                  0 ISOAV_UVC_YUY2_##SPEED(ONE),              \
                              .guidFormat = { 'Y', 'U', 'Y', '2', 0, 0, 0x10, \
                                              0, 0x80, 0, 0, 0xaa, 0, 0x38,   \
                                              0x9b, 0x71 },                   \
                              .bBitsPerPixel = 16,                            \
                              .bDefaultFrameIndex = (default_index) },        \
                  ISOAV_UVC_YUY2_##SPEED(YUY2_FRAME) STILL_FRAME COLOR },     \
        .mjpeg = { .format = { { HEAD(format_mjpeg, VS_FORMAT_MJPEG) },       \
                               .bFormatIndex = ISOAV_UVC_MJPEG,               \
                               .bNumFrameDescriptors =                        \
                                   0 ISOAV_UVC_MJPEG_##SPEED(ONE),            \
                               .bDefaultFrameIndex = (default_index) },       \
                   ISOAV_UVC_MJPEG_##SPEED(MJPEG_FRAME) STILL_FRAME COLOR },  \
    };
STREAMING(full, FULL, 1)
STREAMING(high, HIGH, 3)
STREAMING(super, SUPER, 3)

#define YUY2_OTHER_full(index, ...) OTHER(streaming_full.yuy2.f##index),
#define MJPEG_OTHER_full(index, ...) OTHER(streaming_full.mjpeg.f##index),
#define YUY2_OTHER_high(index, ...) OTHER(streaming_high.yuy2.f##index),
#define MJPEG_OTHER_high(index, ...) OTHER(streaming_high.mjpeg.f##index),
#define YUY2_OTHER_super(index, ...) OTHER(streaming_super.yuy2.f##index),
#define MJPEG_OTHER_super(index, ...) OTHER(streaming_super.mjpeg.f##index),
#define STREAMING_DESCS(speed, SPEED)                   \
    static USBDescOther streaming_##speed##_descs[] = { \
        OTHER(streaming_##speed.header),                \
        OTHER(streaming_##speed.yuy2.format),           \
        ISOAV_UVC_YUY2_##SPEED(YUY2_OTHER_##speed)      \
            OTHER(streaming_##speed.yuy2.still),        \
        OTHER(streaming_##speed.yuy2.color),            \
        OTHER(streaming_##speed.mjpeg.format),          \
        ISOAV_UVC_MJPEG_##SPEED(MJPEG_OTHER_##speed)    \
            OTHER(streaming_##speed.mjpeg.still),       \
        OTHER(streaming_##speed.mjpeg.color),           \
    };
STREAMING_DESCS(full, FULL)
STREAMING_DESCS(high, HIGH)
STREAMING_DESCS(super, SUPER)

#define EPS(...)                                   \
    .bNumEndpoints = 1, .eps = (USBDescEndpoint[]) \
    {                                              \
        {                                          \
            __VA_ARGS__                            \
        }                                          \
    }

/* bInterval: 4 frames, or 8 microframes (USB 2.0 §9.6.6). */
#define STATUS(speed)                                                          \
    {                                                                          \
        .bInterfaceNumber = ISOAV_AV_IFACE_VIDEO_CONTROL,                      \
        .bInterfaceClass = CLASS_VIDEO, .bInterfaceSubClass = SC_VIDEOCONTROL, \
        .iInterface = ISOAV_AV_STR_CAMERA, .ndesc = ARRAY_SIZE(control_descs), \
        .descs = control_descs,                                                \
        EPS(.bEndpointAddress = ISOAV_AV_EP_VIDEO_STATUS,                      \
            .bmAttributes = USB_ENDPOINT_XFER_INT,                             \
            .wMaxPacketSize = ISOAV_UVC_STATUS_BYTES, .bInterval = 4,          \
            .wBytesPerInterval = ISOAV_UVC_STATUS_BYTES,                       \
            .extra = (uint8_t *)status_extra),                                 \
    }

#define VIDEO(alternate)                                              \
    .bInterfaceNumber = ISOAV_AV_IFACE_VIDEO,                         \
    .bAlternateSetting = (alternate), .bInterfaceClass = CLASS_VIDEO, \
    .bInterfaceSubClass = SC_VIDEOSTREAMING

#define VIDEO_EP                                                               \
    .bEndpointAddress = ISOAV_AV_EP_VIDEO, .bmAttributes = ISOCH_ASYNCHRONOUS, \
    .bInterval = 1

/* USB 2.0 §9.6.6: more transactions of a microframe in bits 12:11. */
#define USB2_ALTERNATE(alternate, packets, bytes)                       \
    {                                                                   \
        VIDEO(alternate),                                               \
        EPS(VIDEO_EP, .wMaxPacketSize = ((packets)-1) << 11 | (bytes)), \
    },

/* USB 3.2 §9.6.7: bMaxBurst up to 16 packets, Mult such bursts. */
#define SUPER_ALTERNATE(alternate, packets, bytes)              \
    {                                                           \
        VIDEO(alternate),                                       \
        EPS(VIDEO_EP, .wMaxPacketSize = (bytes),                \
            .bMaxBurst = ((packets) > 16 ? 16 : (packets)) - 1, \
            .bmAttributes_super = ((packets)-1) / 16,           \
            .wBytesPerInterval = (packets) * (bytes)),          \
    },

#define IFACES(speed, ALTERNATES, ALTERNATE)                            \
    {                                                                   \
        STATUS(speed),                                                  \
            { VIDEO(0), .ndesc = ARRAY_SIZE(streaming_##speed##_descs), \
              .descs = streaming_##speed##_descs },                     \
            ALTERNATES(ALTERNATE)                                       \
    }
const USBDescIface isoav_uvc_ifaces_full[ISOAV_UVC_IFACES_FULL] =
    IFACES(full, ISOAV_UVC_ALTERNATES_FULL, USB2_ALTERNATE);
const USBDescIface isoav_uvc_ifaces_high[ISOAV_UVC_IFACES_HIGH] =
    IFACES(high, ISOAV_UVC_ALTERNATES_HIGH, USB2_ALTERNATE);
const USBDescIface isoav_uvc_ifaces_super[ISOAV_UVC_IFACES_SUPER] =
    IFACES(super, ISOAV_UVC_ALTERNATES_SUPER, SUPER_ALTERNATE);
