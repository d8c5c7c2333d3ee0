/*
 * Descriptors of the headset: USB Audio Class 2 for high and SuperSpeed, class
 * 1 for full speed.
 *
 * All class-specific descriptors of an interface are members of one packed
 * struct, whose size is their wTotalLength. QEMU's descriptor code takes them
 * one by one; tests/unit/test-uac-descriptors.c holds the bytes against
 * reference arrays.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "hw/av/uac-descriptors.h"

#define LE16(v)                     \
    {                               \
        (v) & 0xff, (v) >> 8 & 0xff \
    }
#define LE24(v)                                       \
    {                                                 \
        (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff \
    }
#define LE32(v)                                                         \
    {                                                                   \
        (v) & 0xff, (v) >> 8 & 0xff, (v) >> 16 & 0xff, (v) >> 24 & 0xff \
    }

enum {
    CLASS_AUDIO = 1,
    SC_AUDIOCONTROL = 1,
    SC_AUDIOSTREAMING = 2,
    IP_VERSION_02_00 = 0x20,

    CS_INTERFACE = 0x24,
    CS_ENDPOINT = 0x25,

    /* UAC 2.0 A.9, UAC 1.0 A.5 */
    HEADER = 1,
    INPUT_TERMINAL = 2,
    OUTPUT_TERMINAL = 3,
    FEATURE_UNIT = 6,
    CLOCK_SOURCE = 0x0a,

    /* of an AudioStreaming interface and its endpoint */
    AS_GENERAL = 1,
    FORMAT_TYPE = 2,
    EP_GENERAL = 1,

    USB_STREAMING = 0x0101,
    MICROPHONE = 0x0201,
    HEADPHONES = 0x0302,

    FRONT_LEFT_RIGHT = 3,
    PCM = 1,

    CATEGORY_HEADSET = 4,
    CLOCK_PROGRAMMABLE = 3, /* internal; D1..0 */
    /* two bits for each control (UAC 2.0 §4.7.2): the host may set it */
    FREQUENCY_AND_VALID = 3 | 1 << 2,
    MUTE = 3,
    VOLUME = 3 << 2,

    ISOCH_ASYNCHRONOUS = USB_ENDPOINT_XFER_ISOC | 1 << 2,
    ISOCH_FEEDBACK = USB_ENDPOINT_XFER_ISOC | 1 << 4,

    FEEDBACK_BYTES = 4,
    FEEDBACK_BYTES_1 = 3,
};

/* Each: bLength, bDescriptorType, bDescriptorSubtype. */
#define HEAD(member, subtype) sizeof(member), CS_INTERFACE, subtype

/* Class 2 */

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bClockID;
    uint8_t bmAttributes;
    uint8_t bmControls;
    uint8_t bAssocTerminal;
    uint8_t iClockSource;
} clock_source;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bTerminalID;
    uint8_t wTerminalType[2];
    uint8_t bAssocTerminal;
    uint8_t bCSourceID;
    uint8_t bNrChannels;
    uint8_t bmChannelConfig[4];
    uint8_t iChannelNames;
    uint8_t bmControls[2];
    uint8_t iTerminal;
} input_terminal;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bUnitID;
    uint8_t bSourceID;
    uint8_t bmaControls[1 + ISOAV_UAC_CHANNELS][4];
    uint8_t iFeature;
} feature_unit;

typedef struct QEMU_PACKED {
    uint8_t head[3];
    uint8_t bTerminalID;
    uint8_t wTerminalType[2];
    uint8_t bAssocTerminal;
    uint8_t bSourceID;
    uint8_t bCSourceID;
    uint8_t bmControls[2];
    uint8_t iTerminal;
} output_terminal;

typedef struct QEMU_PACKED {
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bcdADC[2];
        uint8_t bCategory;
        uint8_t wTotalLength[2];
        uint8_t bmControls;
    } header;
    struct QEMU_PACKED {
        clock_source clock;
        input_terminal in;
        feature_unit unit;
        output_terminal out;
    } stream[ISOAV_UAC_STREAMS];
} audio_control;

#define STREAM(index, from, from_type, through, to, to_type)                   \
    {                                                                          \
        .clock = { { HEAD(clock_source, CLOCK_SOURCE) },                       \
                   .bClockID = ISOAV_UAC_CLOCK + (index),                      \
                   .bmAttributes = CLOCK_PROGRAMMABLE,                         \
                   .bmControls = FREQUENCY_AND_VALID },                        \
        .in = { { HEAD(input_terminal, INPUT_TERMINAL) },                      \
                .bTerminalID = (from),                                         \
                .wTerminalType = LE16(from_type),                              \
                .bCSourceID = ISOAV_UAC_CLOCK + (index),                       \
                .bNrChannels = ISOAV_UAC_CHANNELS,                             \
                .bmChannelConfig = LE32(FRONT_LEFT_RIGHT) },                   \
        .unit = { { HEAD(feature_unit, FEATURE_UNIT) },                        \
                  .bUnitID = (through),                                        \
                  .bSourceID = (from),                                         \
                  .bmaControls = { LE32(MUTE), LE32(VOLUME), LE32(VOLUME) } }, \
        .out = { { HEAD(output_terminal, OUTPUT_TERMINAL) },                   \
                 .bTerminalID = (to),                                          \
                 .wTerminalType = LE16(to_type),                               \
                 .bSourceID = (through),                                       \
                 .bCSourceID = ISOAV_UAC_CLOCK + (index) },                    \
    }

static const audio_control control = {
    .header = { { HEAD(control.header, HEADER) },
                .bcdADC = LE16(0x0200),
                .bCategory = CATEGORY_HEADSET,
                .wTotalLength = LE16(sizeof(audio_control)) },
    .stream = { STREAM(ISOAV_UAC_PLAYBACK, ISOAV_UAC_PLAYBACK_IN, USB_STREAMING,
                       ISOAV_UAC_PLAYBACK_UNIT, ISOAV_UAC_PLAYBACK_OUT,
                       HEADPHONES),
                STREAM(ISOAV_UAC_CAPTURE, ISOAV_UAC_CAPTURE_IN, MICROPHONE,
                       ISOAV_UAC_CAPTURE_UNIT, ISOAV_UAC_CAPTURE_OUT,
                       USB_STREAMING) },
};

#define OTHER(member)                      \
    {                                      \
        .data = (const uint8_t *)&(member) \
    }
#define STREAM_OTHERS(c, i) \
    OTHER(c.stream[i].in), OTHER(c.stream[i].unit), OTHER(c.stream[i].out)

static USBDescOther control_descs[] = {
    OTHER(control.header),
    OTHER(control.stream[ISOAV_UAC_PLAYBACK].clock),
    STREAM_OTHERS(control, ISOAV_UAC_PLAYBACK),
    OTHER(control.stream[ISOAV_UAC_CAPTURE].clock),
    STREAM_OTHERS(control, ISOAV_UAC_CAPTURE),
};

typedef struct QEMU_PACKED {
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bTerminalLink;
        uint8_t bmControls;
        uint8_t bFormatType;
        uint8_t bmFormats[4];
        uint8_t bNrChannels;
        uint8_t bmChannelConfig[4];
        uint8_t iChannelNames;
    } general;
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bFormatType;
        uint8_t bSubslotSize;
        uint8_t bBitResolution;
    } format;
} audio_streaming;

#define FORMAT(terminal, bytes)                                             \
    {                                                                       \
        .general = { { HEAD(((audio_streaming *)0)->general, AS_GENERAL) }, \
                     .bTerminalLink = (terminal),                           \
                     .bFormatType = 1,                                      \
                     .bmFormats = LE32(PCM),                                \
                     .bNrChannels = ISOAV_UAC_CHANNELS,                     \
                     .bmChannelConfig = LE32(FRONT_LEFT_RIGHT) },           \
        .format = { { HEAD(((audio_streaming *)0)->format, FORMAT_TYPE) },  \
                    .bFormatType = 1,                                       \
                    .bSubslotSize = (bytes),                                \
                    .bBitResolution = 8 * (bytes) },                        \
    }

/* by stream and alternate - 1 */
static const audio_streaming streaming[ISOAV_UAC_STREAMS][2] = {
    { FORMAT(ISOAV_UAC_PLAYBACK_IN, 2), FORMAT(ISOAV_UAC_PLAYBACK_IN, 3) },
    { FORMAT(ISOAV_UAC_CAPTURE_OUT, 2), FORMAT(ISOAV_UAC_CAPTURE_OUT, 3) },
};

#define FORMAT_OTHERS(s, i, k)                        \
    {                                                 \
        OTHER(s[i][k].general), OTHER(s[i][k].format) \
    }
static USBDescOther streaming_descs[ISOAV_UAC_STREAMS][2][2] = {
    { FORMAT_OTHERS(streaming, 0, 0), FORMAT_OTHERS(streaming, 0, 1) },
    { FORMAT_OTHERS(streaming, 1, 0), FORMAT_OTHERS(streaming, 1, 1) },
};

/* bmAttributes: packets may be short; no controls, no lock delay */
static const uint8_t data_extra[] = {
    8, CS_ENDPOINT, EP_GENERAL, 0, 0, 0, 0, 0
};

/* Class 1 */

typedef struct QEMU_PACKED {
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bcdADC[2];
        uint8_t wTotalLength[2];
        uint8_t bInCollection;
        uint8_t baInterfaceNr[ISOAV_UAC_STREAMS];
    } header;
    struct QEMU_PACKED {
        struct QEMU_PACKED {
            uint8_t head[3];
            uint8_t bTerminalID;
            uint8_t wTerminalType[2];
            uint8_t bAssocTerminal;
            uint8_t bNrChannels;
            uint8_t wChannelConfig[2];
            uint8_t iChannelNames;
            uint8_t iTerminal;
        } in;
        struct QEMU_PACKED {
            uint8_t head[3];
            uint8_t bUnitID;
            uint8_t bSourceID;
            uint8_t bControlSize;
            uint8_t bmaControls[1 + ISOAV_UAC_CHANNELS];
            uint8_t iFeature;
        } unit;
        struct QEMU_PACKED {
            uint8_t head[3];
            uint8_t bTerminalID;
            uint8_t wTerminalType[2];
            uint8_t bAssocTerminal;
            uint8_t bSourceID;
            uint8_t iTerminal;
        } out;
    } stream[ISOAV_UAC_STREAMS];
} audio_control_1;

/* bmaControls: one bit each (UAC 1.0 §4.3.2.5) */
#define STREAM_1(from, from_type, through, to, to_type)          \
    {                                                            \
        .in = { { HEAD(((audio_control_1 *)0)->stream[0].in,     \
                       INPUT_TERMINAL) },                        \
                .bTerminalID = (from),                           \
                .wTerminalType = LE16(from_type),                \
                .bNrChannels = ISOAV_UAC_CHANNELS,               \
                .wChannelConfig = LE16(FRONT_LEFT_RIGHT) },      \
        .unit = { { HEAD(((audio_control_1 *)0)->stream[0].unit, \
                         FEATURE_UNIT) },                        \
                  .bUnitID = (through),                          \
                  .bSourceID = (from),                           \
                  .bControlSize = 1,                             \
                  .bmaControls = { 1, 2, 2 } },                  \
        .out = { { HEAD(((audio_control_1 *)0)->stream[0].out,   \
                        OUTPUT_TERMINAL) },                      \
                 .bTerminalID = (to),                            \
                 .wTerminalType = LE16(to_type),                 \
                 .bSourceID = (through) },                       \
    }

static const audio_control_1 control_1 = {
    .header = { { HEAD(control_1.header, HEADER) },
                .bcdADC = LE16(0x0100),
                .wTotalLength = LE16(sizeof(audio_control_1)),
                .bInCollection = ISOAV_UAC_STREAMS,
                .baInterfaceNr = { ISOAV_AV_IFACE_PLAYBACK,
                                   ISOAV_AV_IFACE_CAPTURE } },
    .stream = { STREAM_1(ISOAV_UAC_PLAYBACK_IN, USB_STREAMING,
                         ISOAV_UAC_PLAYBACK_UNIT, ISOAV_UAC_PLAYBACK_OUT,
                         HEADPHONES),
                STREAM_1(ISOAV_UAC_CAPTURE_IN, MICROPHONE,
                         ISOAV_UAC_CAPTURE_UNIT, ISOAV_UAC_CAPTURE_OUT,
                         USB_STREAMING) },
};

static USBDescOther control_1_descs[] = {
    OTHER(control_1.header),
    STREAM_OTHERS(control_1, ISOAV_UAC_PLAYBACK),
    STREAM_OTHERS(control_1, ISOAV_UAC_CAPTURE),
};

typedef struct QEMU_PACKED {
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bTerminalLink;
        uint8_t bDelay;
        uint8_t wFormatTag[2];
    } general;
    struct QEMU_PACKED {
        uint8_t head[3];
        uint8_t bFormatType;
        uint8_t bNrChannels;
        uint8_t bSubframeSize;
        uint8_t bBitResolution;
        uint8_t bSamFreqType;
        uint8_t tSamFreq[ISOAV_UAC_RATES][3];
    } format;
} audio_streaming_1;

#define RATE_1(hz) LE24(hz),
#define FORMAT_1(terminal, bytes)                                             \
    {                                                                         \
        .general = { { HEAD(((audio_streaming_1 *)0)->general, AS_GENERAL) }, \
                     .bTerminalLink = (terminal),                             \
                     .bDelay = 1,                                             \
                     .wFormatTag = LE16(PCM) },                               \
        .format = { { HEAD(((audio_streaming_1 *)0)->format, FORMAT_TYPE) },  \
                    .bFormatType = 1,                                         \
                    .bNrChannels = ISOAV_UAC_CHANNELS,                        \
                    .bSubframeSize = (bytes),                                 \
                    .bBitResolution = 8 * (bytes),                            \
                    .bSamFreqType = ISOAV_UAC_RATES,                          \
                    .tSamFreq = { ISOAV_UAC_RATE_LIST(RATE_1) } },            \
    }

static const audio_streaming_1 streaming_1[ISOAV_UAC_STREAMS][2] = {
    { FORMAT_1(ISOAV_UAC_PLAYBACK_IN, 2), FORMAT_1(ISOAV_UAC_PLAYBACK_IN, 3) },
    { FORMAT_1(ISOAV_UAC_CAPTURE_OUT, 2), FORMAT_1(ISOAV_UAC_CAPTURE_OUT, 3) },
};

static USBDescOther streaming_1_descs[ISOAV_UAC_STREAMS][2][2] = {
    { FORMAT_OTHERS(streaming_1, 0, 0), FORMAT_OTHERS(streaming_1, 0, 1) },
    { FORMAT_OTHERS(streaming_1, 1, 0), FORMAT_OTHERS(streaming_1, 1, 1) },
};

/* bmAttributes: there is a sampling frequency control (UAC 1.0 §4.6.1.2) */
static const uint8_t data_1_extra[] = {
    7, CS_ENDPOINT, EP_GENERAL, 1, 0, 0, 0
};

/* Interfaces */

#define IFACE(number, alternate, subclass, protocol)                  \
    .bInterfaceNumber = (number), .bAlternateSetting = (alternate),   \
    .bInterfaceClass = CLASS_AUDIO, .bInterfaceSubClass = (subclass), \
    .bInterfaceProtocol = (protocol)

#define DESCS(array) .ndesc = ARRAY_SIZE(array), .descs = (array)

#define PACKET_MAX(alternate) \
    (ISOAV_UAC_PACKET_FRAMES * ISOAV_UAC_FRAME_BYTES(alternate))

/* bInterval 4: a millisecond of microframes (USB 2.0 §9.6.6) */
#define DATA_EP(address, alternate)                                        \
    {                                                                      \
        .bEndpointAddress = (address), .bmAttributes = ISOCH_ASYNCHRONOUS, \
        .wMaxPacketSize = PACKET_MAX(alternate), .bInterval = 4,           \
        .wBytesPerInterval = PACKET_MAX(alternate),                        \
        .extra = (uint8_t *)data_extra,                                    \
    }
#define FEEDBACK_EP                                                       \
    {                                                                     \
        .bEndpointAddress = ISOAV_AV_EP_FEEDBACK,                         \
        .bmAttributes = ISOCH_FEEDBACK, .wMaxPacketSize = FEEDBACK_BYTES, \
        .bInterval = 4, .wBytesPerInterval = FEEDBACK_BYTES,              \
    }

/* bRefresh: the feedback is a new one each 2^3 ms (UAC 1.0 §4.6.2.1) */
#define DATA_EP_1(address, alternate, synch)                               \
    {                                                                      \
        .bEndpointAddress = (address), .bmAttributes = ISOCH_ASYNCHRONOUS, \
        .wMaxPacketSize = PACKET_MAX(alternate), .bInterval = 1,           \
        .is_audio = 1, .bSynchAddress = (synch),                           \
        .extra = (uint8_t *)data_1_extra,                                  \
    }
#define FEEDBACK_EP_1                                                      \
    {                                                                      \
        .bEndpointAddress = ISOAV_AV_EP_FEEDBACK,                          \
        .bmAttributes = USB_ENDPOINT_XFER_ISOC,                            \
        .wMaxPacketSize = FEEDBACK_BYTES_1, .bInterval = 1, .is_audio = 1, \
        .bRefresh = 3,                                                     \
    }

#define PLAYBACK(alternate)                                                    \
    {                                                                          \
        IFACE(ISOAV_AV_IFACE_PLAYBACK, alternate, SC_AUDIOSTREAMING,           \
              IP_VERSION_02_00),                                               \
            DESCS(streaming_descs[ISOAV_UAC_PLAYBACK][(alternate)-1]),         \
            .bNumEndpoints = 2,                                                \
            .eps =                                                             \
                (USBDescEndpoint[]){ DATA_EP(ISOAV_AV_EP_PLAYBACK, alternate), \
                                     FEEDBACK_EP },                            \
    }
#define CAPTURE(alternate)                                            \
    {                                                                 \
        IFACE(ISOAV_AV_IFACE_CAPTURE, alternate, SC_AUDIOSTREAMING,   \
              IP_VERSION_02_00),                                      \
            DESCS(streaming_descs[ISOAV_UAC_CAPTURE][(alternate)-1]), \
            .bNumEndpoints = 1,                                       \
            .eps = (USBDescEndpoint[]){ DATA_EP(ISOAV_AV_EP_CAPTURE,  \
                                                alternate) },         \
    }
#define IDLE(number, protocol)                        \
    {                                                 \
        IFACE(number, 0, SC_AUDIOSTREAMING, protocol) \
    }
#define CONTROL(array, protocol)                                           \
    {                                                                      \
        IFACE(ISOAV_AV_IFACE_AUDIO_CONTROL, 0, SC_AUDIOCONTROL, protocol), \
            .iInterface = ISOAV_AV_STR_HEADSET, DESCS(array)               \
    }

#define IFACES_2                                                          \
    {                                                                     \
        CONTROL(control_descs, IP_VERSION_02_00),                         \
            IDLE(ISOAV_AV_IFACE_PLAYBACK, IP_VERSION_02_00), PLAYBACK(1), \
            PLAYBACK(2), IDLE(ISOAV_AV_IFACE_CAPTURE, IP_VERSION_02_00),  \
            CAPTURE(1), CAPTURE(2)                                        \
    }

const USBDescIface isoav_uac_ifaces_high[] = IFACES_2;
const USBDescIface isoav_uac_ifaces_super[] = IFACES_2;

#define PLAYBACK_1(alternate)                                            \
    {                                                                    \
        IFACE(ISOAV_AV_IFACE_PLAYBACK, alternate, SC_AUDIOSTREAMING, 0), \
            DESCS(streaming_1_descs[ISOAV_UAC_PLAYBACK][(alternate)-1]), \
            .bNumEndpoints = 2,                                          \
            .eps = (USBDescEndpoint[]){ DATA_EP_1(ISOAV_AV_EP_PLAYBACK,  \
                                                  alternate,             \
                                                  ISOAV_AV_EP_FEEDBACK), \
                                        FEEDBACK_EP_1 },                 \
    }
#define CAPTURE_1(alternate)                                            \
    {                                                                   \
        IFACE(ISOAV_AV_IFACE_CAPTURE, alternate, SC_AUDIOSTREAMING, 0), \
            DESCS(streaming_1_descs[ISOAV_UAC_CAPTURE][(alternate)-1]), \
            .bNumEndpoints = 1,                                         \
            .eps = (USBDescEndpoint[]){ DATA_EP_1(ISOAV_AV_EP_CAPTURE,  \
                                                  alternate, 0) },      \
    }

const USBDescIface isoav_uac_ifaces_full[] = {
    CONTROL(control_1_descs, 0),
    IDLE(ISOAV_AV_IFACE_PLAYBACK, 0),
    PLAYBACK_1(1),
    PLAYBACK_1(2),
    IDLE(ISOAV_AV_IFACE_CAPTURE, 0),
    CAPTURE_1(1),
    CAPTURE_1(2),
};
