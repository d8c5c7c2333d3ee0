/*
 * The wire protocol of usb-isoav, profile "vendor": the one definition that
 * the device model, the qtests, the Windows driver and program and the
 * libusb client all compile.
 *
 * The device is class FFh with two interfaces.
 *
 *   interface 0, video     alternate 0 has no endpoint, alternates 1..5 have
 *                          one isochronous IN endpoint (81h) and differ in
 *                          bandwidth. It sends frames of the test pattern
 *                          (isolab/pattern.h), YUY2.
 *   interface 1, test      alternate 0 has no endpoint, alternates 1..4 have
 *                          one isochronous IN (82h) and one isochronous OUT
 *                          (02h) endpoint: source, sink or loopback.
 *
 * Rules of the wire:
 *
 *  1. What one service interval carries (up to 3 x 1024 bytes at high speed)
 *     is one *packet*: an isoav_packet header, then `length` payload bytes.
 *  2. A streaming IN endpoint always answers: when it has no payload due it
 *     sends a header with length 0 (and flags, frame and offset 0). A hole in
 *     `sequence` is therefore a packet that was lost after the device sent it;
 *     a step of `microframe` larger than the interval is a microframe in which
 *     nobody asked.
 *  3. `sequence` starts at 0 when an alternate other than 0 is selected (the
 *     present one again, too) and goes up by one for each packet the device
 *     sends on that endpoint, modulo 2^32.
 *  4. `crc` is CRC-32 (IEEE 802.3, what zlib's crc32() computes) of header
 *     bytes 0..31 followed by the payload.
 *  5. All fields are little endian.
 *  6. The payload of the test streams is byte i = (sequence + i) mod 256. On
 *     02h the host is the sender: sequence starts at 0, microframe is what it
 *     likes. In loopback the packets of 02h come back on 82h byte for byte,
 *     their own sequence numbers included; a header with stream
 *     ISOAV_STREAM_TEST_IN and length 0 fills the gaps. The device keeps up
 *     to 64 packets; when it has that many it drops new ones.
 *  7. Video frame k is due ceil(k x interval) microframes after the first IN
 *     token and is then sent without a pause, possibly late. If several
 *     frames are due at once only the newest is sent: `frame` steps over the
 *     others and its first packet has ISOAV_FLAG_SKIPPED.
 *
 * C99, no QEMU and no Windows types: only <stdint.h>.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_ISOAV_H
#define ISOLAB_ISOAV_H

#include <stdint.h>

#define ISOAV_VENDOR_ID 0x46f4
#define ISOAV_PRODUCT_ID 0x150a
#define ISOAV_PROTOCOL_VERSION 1

/* Interfaces and endpoint addresses (USB 2.0 §9.6.5, §9.6.6). */
enum {
    ISOAV_IFACE_VIDEO = 0,
    ISOAV_IFACE_TEST = 1,
    ISOAV_EP_VIDEO_IN = 0x81,
    ISOAV_EP_TEST_IN = 0x82,
    ISOAV_EP_TEST_OUT = 0x02,
};

/*
 * Alternates at high speed: wMaxPacketSize as transactions x bytes, bInterval
 * 1 (every microframe) unless said.
 *
 *   video: 1: 1 x 192   2: 1 x 512   3: 1 x 1024   4: 2 x 1024   5: 3 x 1024
 *   test:  1: 1 x 192   2: 1 x 1024  3: 3 x 1024   4: 1 x 1024, bInterval 4
 *          5: 2 x 1024
 *
 * The two endpoints of test alternate 3 ask for more than the 80 % of a
 * microframe that USB 2.0 §5.6.4 grants: a host that accounts for bandwidth
 * refuses the alternate, and its driver falls back to another.
 *
 * At full speed, one packet a frame (USB 2.0 §5.6.3):
 *
 *   video: 1: 192   2: 384   3: 512    4: 768   5: 1023
 *   test:  1: 96    2: 192   3: 1023   4: 512   5: 384
 *
 * where test alternate 3 again is more than the host may grant: two packets of
 * 1023 bytes do not fit into the 90 % of a frame of 1500.
 *
 * The device is also a SuperSpeed one if it is told to (speed=super). Its
 * alternates are then the same, as bursts, and there is one more:
 *
 *   test:  6: 48 x 1024, which is the most that a SuperSpeed interval carries;
 *          82h alone
 */
enum {
    ISOAV_VIDEO_ALT_MAX = 5,
    ISOAV_TEST_ALT_MAX = 5,
    ISOAV_TEST_ALT_SUPER = 6, /* at SuperSpeed only */
};

/* Streams, the `stream` field of a packet. */
enum {
    ISOAV_STREAM_VIDEO = 1,    /* device to host on 81h */
    ISOAV_STREAM_TEST_IN = 2,  /* device to host on 82h, mode source */
    ISOAV_STREAM_TEST_OUT = 3, /* host to device on 02h (and looped back) */
};

/* Packet header, ISOAV_HEADER_BYTES long; offsets, sizes in the comments. */
#define ISOAV_HEADER_BYTES 36
#define ISOAV_PACKET_MAX 3072        /* but for ISOAV_TEST_ALT_SUPER */
#define ISOAV_PACKET_MAX_SUPER 49152 /* there */
#define ISOAV_MAGIC 0x504f5349u      /* bytes 'I' 'S' 'O' 'P' */

enum {
    ISOAV_OFF_MAGIC = 0,       /* u32 */
    ISOAV_OFF_VERSION = 4,     /* u8, ISOAV_PROTOCOL_VERSION */
    ISOAV_OFF_STREAM = 5,      /* u8, ISOAV_STREAM_* */
    ISOAV_OFF_FLAGS = 6,       /* u8, ISOAV_FLAG_* */
    ISOAV_OFF_HEADER = 7,      /* u8, ISOAV_HEADER_BYTES */
    ISOAV_OFF_SEQUENCE = 8,    /* u32 */
    ISOAV_OFF_FRAME = 12,      /* u32, video frame number, else 0 */
    ISOAV_OFF_MICROFRAME = 16, /* u64, units of 125 us on the device's clock */
    ISOAV_OFF_OFFSET = 24,     /* u32, of the payload in its video frame */
    ISOAV_OFF_LENGTH = 28,     /* u16, payload bytes */
    ISOAV_OFF_RESERVED = 30,   /* u16, 0 */
    ISOAV_OFF_CRC = 32,        /* u32 */
};

enum {
    ISOAV_FLAG_SOF = 1 << 0,     /* first payload of a video frame */
    ISOAV_FLAG_EOF = 1 << 1,     /* last payload of a video frame */
    ISOAV_FLAG_SKIPPED = 1 << 2, /* frames were dropped before this one
                                    because the host took data too slowly */
};

/* The header in host form; isoav_packet_load/store convert. */
typedef struct {
    uint8_t version;
    uint8_t stream;
    uint8_t flags;
    uint32_t sequence;
    uint32_t frame;
    uint64_t microframe;
    uint32_t offset;
    uint16_t length;
    uint32_t crc;
} isoav_packet;

static inline uint16_t isoav_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t isoav_get32(const uint8_t *p)
{
    return isoav_get16(p) | (uint32_t)isoav_get16(p + 2) << 16;
}

static inline uint64_t isoav_get64(const uint8_t *p)
{
    return isoav_get32(p) | (uint64_t)isoav_get32(p + 4) << 32;
}

static inline void isoav_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}

static inline void isoav_put32(uint8_t *p, uint32_t v)
{
    isoav_put16(p, (uint16_t)v);
    isoav_put16(p + 2, (uint16_t)(v >> 16));
}

static inline void isoav_put64(uint8_t *p, uint64_t v)
{
    isoav_put32(p, (uint32_t)v);
    isoav_put32(p + 4, (uint32_t)(v >> 32));
}

/*
 * Stores every field but the CRC into wire[0..31]. The caller then computes
 * the CRC of wire[0..31] and the payload and stores it at ISOAV_OFF_CRC.
 */
static inline void isoav_packet_store(uint8_t *wire, const isoav_packet *p)
{
    isoav_put32(wire + ISOAV_OFF_MAGIC, ISOAV_MAGIC);
    wire[ISOAV_OFF_VERSION] = p->version;
    wire[ISOAV_OFF_STREAM] = p->stream;
    wire[ISOAV_OFF_FLAGS] = p->flags;
    wire[ISOAV_OFF_HEADER] = ISOAV_HEADER_BYTES;
    isoav_put32(wire + ISOAV_OFF_SEQUENCE, p->sequence);
    isoav_put32(wire + ISOAV_OFF_FRAME, p->frame);
    isoav_put64(wire + ISOAV_OFF_MICROFRAME, p->microframe);
    isoav_put32(wire + ISOAV_OFF_OFFSET, p->offset);
    isoav_put16(wire + ISOAV_OFF_LENGTH, p->length);
    isoav_put16(wire + ISOAV_OFF_RESERVED, 0);
}

/* Why isoav_packet_load refused; ISOAV_PACKET_OK is 0. */
enum {
    ISOAV_PACKET_OK = 0,
    ISOAV_PACKET_TOO_SHORT, /* fewer bytes than a header */
    ISOAV_PACKET_BAD_MAGIC,
    ISOAV_PACKET_BAD_VERSION, /* version or header size unknown */
    ISOAV_PACKET_BAD_LENGTH,  /* length field and received bytes differ */
};

/*
 * Loads and validates the header of a received packet of `bytes` bytes. The
 * CRC is returned in p->crc, not checked: the caller has the routine for it.
 */
static inline int isoav_packet_load(isoav_packet *p, const uint8_t *wire,
                                    uint32_t bytes)
{
    if (bytes < ISOAV_HEADER_BYTES) {
        return ISOAV_PACKET_TOO_SHORT;
    }
    if (isoav_get32(wire + ISOAV_OFF_MAGIC) != ISOAV_MAGIC) {
        return ISOAV_PACKET_BAD_MAGIC;
    }
    p->version = wire[ISOAV_OFF_VERSION];
    p->stream = wire[ISOAV_OFF_STREAM];
    p->flags = wire[ISOAV_OFF_FLAGS];
    p->sequence = isoav_get32(wire + ISOAV_OFF_SEQUENCE);
    p->frame = isoav_get32(wire + ISOAV_OFF_FRAME);
    p->microframe = isoav_get64(wire + ISOAV_OFF_MICROFRAME);
    p->offset = isoav_get32(wire + ISOAV_OFF_OFFSET);
    p->length = isoav_get16(wire + ISOAV_OFF_LENGTH);
    p->crc = isoav_get32(wire + ISOAV_OFF_CRC);
    if (p->version != ISOAV_PROTOCOL_VERSION ||
        wire[ISOAV_OFF_HEADER] != ISOAV_HEADER_BYTES) {
        return ISOAV_PACKET_BAD_VERSION;
    }
    if (bytes != ISOAV_HEADER_BYTES + (uint32_t)p->length) {
        return ISOAV_PACKET_BAD_LENGTH;
    }
    return ISOAV_PACKET_OK;
}

/*
 * Vendor requests (bmRequestType C1h device-to-host, 41h host-to-device,
 * recipient interface, wIndex = interface, wValue = 0). A request that does
 * not fit (interface, length, value out of range, wrong state) is answered
 * with STALL and changes nothing. wLength of an out request is the size of its
 * data exactly; an in request returns at most wLength bytes.
 */
enum {
    ISOAV_REQ_INFO = 0x01,     /* in,  either interface, isoav info */
    ISOAV_REQ_FORMAT = 0x02,   /* in and out, video; out only in alternate 0 */
    ISOAV_REQ_COUNTERS = 0x03, /* in,  either interface */
    ISOAV_REQ_MODE = 0x04,     /* in and out, test; out only in alternate 0 */
};

/* ISOAV_REQ_INFO, 16 bytes: u16 protocol version, u16 0, u32 reserved 0,
 * u64 microframe (the device's clock now). */
#define ISOAV_INFO_BYTES 16

/* ISOAV_REQ_FORMAT, 8 bytes: u16 width, u16 height, u32 frame interval in
 * units of 100 ns. Width 64..1920 and a multiple of 16, height 48..1080 and
 * even, interval 166666..10000000 (60 to 1 frames a second).
 * Default 640, 360, 333333. */
#define ISOAV_FORMAT_BYTES 8
enum {
    ISOAV_WIDTH_MIN = 64,
    ISOAV_WIDTH_MAX = 1920,
    ISOAV_WIDTH_STEP = 16,
    ISOAV_HEIGHT_MIN = 48,
    ISOAV_HEIGHT_MAX = 1080,
    ISOAV_HEIGHT_STEP = 2,
    ISOAV_INTERVAL_MIN = 166666,
    ISOAV_INTERVAL_MAX = 10000000,
    ISOAV_WIDTH_DEFAULT = 640,
    ISOAV_HEIGHT_DEFAULT = 360,
    ISOAV_INTERVAL_DEFAULT = 333333,
};

/* ISOAV_REQ_MODE, 2 bytes: u8 mode, u8 0. Default ISOAV_MODE_SOURCE_SINK. */
#define ISOAV_MODE_BYTES 2
enum {
    ISOAV_MODE_SOURCE_SINK = 0, /* 82h sends a generated stream, 02h checks */
    ISOAV_MODE_LOOPBACK = 1,    /* 82h sends back what 02h received, in order */
};

/* ISOAV_REQ_COUNTERS, 64 bytes: eight u64 in this order, counted since the
 * alternate was last selected. */
#define ISOAV_COUNTERS_BYTES 64
enum {
    ISOAV_COUNT_FRAMES = 0,      /* video frames sent in full */
    ISOAV_COUNT_PACKETS_IN = 1,  /* packets sent to the host */
    ISOAV_COUNT_BYTES_IN = 2,    /* bytes of them, headers included */
    ISOAV_COUNT_SKIPPED = 3,     /* video frames dropped: host too slow */
    ISOAV_COUNT_PACKETS_OUT = 4, /* packets received from the host */
    ISOAV_COUNT_BYTES_OUT = 5,
    ISOAV_COUNT_BAD_OUT = 6,  /* of those: header, CRC or payload wrong,
                                 or a sequence number seen before */
    ISOAV_COUNT_LOST_OUT = 7, /* sequence numbers of 02h never seen */
    ISOAV_COUNTERS = 8,
};

#endif
