/*
 * What an application and isoav.sys say to each other.
 *
 * Open the device interface ISOAV_INTERFACE_GUID (SetupDiGetClassDevs,
 * CreateFile). One open file drives at most one stream, of one endpoint:
 *
 *   ISOAV_IOCTL_STREAM_START  selects an alternate setting of an interface
 *                             and keeps a ring of isochronous URBs going
 *   ReadFile                  IN: returns *records*, one for each isochronous
 *                             packet, complete ones only, as many as are
 *                             there and fit; waits when there are none
 *   WriteFile                 OUT: takes whole records, one for each packet
 *                             to be sent, all of them or none; waits while
 *                             there is no room for them
 *   ISOAV_IOCTL_STREAM_STOP   takes the ring down, back to alternate 0; what
 *                             was received can still be read, then ReadFile
 *                             ends with end-of-file. What was written and
 *                             not sent yet is dropped: isoav_stats.packets
 *                             tells when all of it has been sent.
 *
 * Whatever becomes of the records, the driver keeps the fate of each packet in
 * the device's packet log, which any open file can read (ISOAV_IOCTL_LOG_READ),
 * also when the stream has ended and its program has gone.
 *
 * An URB of an OUT stream is submitted when there are records for all of its
 * packets. When there are not, nothing is sent, and nothing is made up: the
 * stream pauses, and goes on, as soon as it can, when more is written.
 *
 * Closing the file, or the death of the application, stops its stream. An
 * endpoint streams for one file at a time; the endpoints of an interface
 * stream together in one alternate setting. STATUS_SHARING_VIOLATION otherwise.
 *
 * Rules of the ABI:
 *
 *  1. All structures are fixed width, little endian, naturally aligned, with
 *     no pointers in them and no padding that a compiler would add.
 *  2. Every request is METHOD_BUFFERED. A wrong input length or a value out
 *     of range is STATUS_INVALID_PARAMETER, an output buffer that is too
 *     small STATUS_BUFFER_TOO_SMALL, an unknown code
 *     STATUS_INVALID_DEVICE_REQUEST. Reserved fields are 0 in both
 *     directions.
 *  3. While the device is held (stopped for a new resource assignment, about
 *     to be removed, asleep) requests that need it are refused with
 *     STATUS_DEVICE_NOT_READY; once it is gone, with STATUS_DEVICE_REMOVED.
 *
 * C99, no Windows types: tests compile it too.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_IOCTL_H
#define ISOAV_IOCTL_H

#include <stdint.h>

#define ISOAV_ABI_VERSION 2

/* {6B9FA3C4-5A0E-4E5B-9A41-7C2E6D1F0A15} */
#define ISOAV_INTERFACE_GUID_INIT                          \
    {                                                      \
        0x6b9fa3c4, 0x5a0e, 0x4e5b,                        \
        {                                                  \
            0x9a, 0x41, 0x7c, 0x2e, 0x6d, 0x1f, 0x0a, 0x15 \
        }                                                  \
    }

/*
 * CTL_CODE(FILE_DEVICE_UNKNOWN, 0x900 + n, METHOD_BUFFERED, access), spelt
 * out; access 1 is FILE_READ_DATA, 2 FILE_WRITE_DATA, 3 both.
 */
#define ISOAV_CTL(n, access) \
    (0x22u << 16 | (uint32_t)(access) << 14 | (0x900u + (n)) << 2)

/* no input; isoav_info */
#define ISOAV_IOCTL_GET_INFO ISOAV_CTL(0, 1)
/* no input; isoav_format of the video stream */
#define ISOAV_IOCTL_GET_FORMAT ISOAV_CTL(1, 1)
/* isoav_format; no output. Not while the video interface streams. */
#define ISOAV_IOCTL_SET_FORMAT ISOAV_CTL(2, 2)
/* isoav_interface; isoav_counters, which the device keeps */
#define ISOAV_IOCTL_GET_COUNTERS ISOAV_CTL(3, 1)
/* no input; isoav_mode of the test interface */
#define ISOAV_IOCTL_GET_MODE ISOAV_CTL(4, 1)
/* isoav_mode; no output. Not while the test interface streams. */
#define ISOAV_IOCTL_SET_MODE ISOAV_CTL(5, 2)
/* isoav_start; isoav_started */
#define ISOAV_IOCTL_STREAM_START ISOAV_CTL(6, 3)
/* nothing; nothing */
#define ISOAV_IOCTL_STREAM_STOP ISOAV_CTL(7, 3)
/* no input; isoav_stats of the last stream that this file started */
#define ISOAV_IOCTL_STREAM_STATS ISOAV_CTL(8, 1)
/* isoav_log_from; isoav_log_part, as many entries as there are and fit */
#define ISOAV_IOCTL_LOG_READ ISOAV_CTL(9, 1)
/* isoav_log_size; no output. Empties the log and gives it this many entries. */
#define ISOAV_IOCTL_LOG_RESIZE ISOAV_CTL(10, 2)
/* no input; the device descriptor, 18 bytes, then the configuration's, as far
 * as there is room */
#define ISOAV_IOCTL_GET_DESCRIPTORS ISOAV_CTL(11, 1)

enum {
    ISOAV_SPEED_UNKNOWN = 0,
    ISOAV_SPEED_FULL = 1,
    ISOAV_SPEED_HIGH = 2,
    ISOAV_SPEED_SUPER = 3,
};

/* An isochronous endpoint of an alternate setting. */
typedef struct {
    uint8_t interface_number;
    uint8_t alternate;
    uint8_t endpoint;      /* address, bit 7 set for IN */
    uint8_t interval;      /* bInterval */
    uint32_t packet_bytes; /* most bytes in one service interval */
    uint32_t period_uf;    /* service interval in microframes */
    uint32_t reserved;
} isoav_alternate;

#define ISOAV_MAX_ALTERNATES 24

typedef struct {
    uint32_t abi_version;    /* ISOAV_ABI_VERSION */
    uint32_t driver_version; /* major << 16 | minor */
    uint16_t usb_version;    /* bcdUSB */
    uint16_t vendor;
    uint16_t product;
    uint16_t release; /* bcdDevice */
    uint32_t speed;   /* ISOAV_SPEED_* */
    uint16_t configuration_bytes;
    uint8_t interfaces;
    uint8_t max_power;     /* in units of the descriptor */
    uint32_t usbd_version; /* newest USBD_INTERFACE_VERSION_* supported */
    uint32_t protocol;     /* of the device (isolab/isoav.h) */
    uint64_t microframe;   /* the device's clock */
    uint32_t alternates;   /* entries in use below */
    uint32_t reserved;
    isoav_alternate alternate[ISOAV_MAX_ALTERNATES];
} isoav_info;

typedef struct {
    uint16_t width;
    uint16_t height;
    uint32_t interval_100ns; /* of a frame */
} isoav_format;

typedef struct {
    uint32_t interface_number;
} isoav_interface;

typedef struct {
    uint64_t count[8]; /* ISOAV_COUNT_* of isolab/isoav.h */
} isoav_counters;

typedef struct {
    uint32_t mode; /* ISOAV_MODE_* of isolab/isoav.h */
} isoav_mode;

enum {
    ISOAV_URBS_DEFAULT = 4,
    ISOAV_URBS_MIN = 3,
    ISOAV_URBS_MAX = 32,
    ISOAV_PACKETS_DEFAULT = 64,
    ISOAV_PACKETS_MAX = 1024,
    ISOAV_FIFO_DEFAULT = 4 << 20,
    ISOAV_FIFO_MIN = 64 << 10,
    ISOAV_FIFO_MAX = 64 << 20,
};

enum {
    /*
     * URBs say at which frame they start, instead of "as soon as possible".
     * A stack that refuses that gets the other kind (isoav_stats.
     * frame_refusals).
     */
    ISOAV_START_FRAMES = 1 << 0,
    /*
     * Where the bus has no bandwidth left for the alternate setting, the next
     * smaller one with this endpoint is tried, and so on. With it, alternate
     * 0 stands for the largest.
     */
    ISOAV_START_FALL_BACK = 1 << 1,
};

typedef struct {
    uint8_t interface_number;
    uint8_t alternate;   /* not 0, but see ISOAV_START_FALL_BACK */
    uint8_t endpoint;    /* address; 0: the first IN endpoint */
    uint8_t flags;       /* ISOAV_START_* */
    uint32_t urbs;       /* in flight; 0: default */
    uint32_t packets;    /* of an URB, whole frames of 1 ms; 0: default */
    uint32_t fifo_bytes; /* room for records; 0: default */
} isoav_start;

typedef struct {
    uint32_t urbs;
    uint32_t packets;
    uint32_t packet_bytes; /* most bytes in one packet */
    uint32_t period_uf;
    uint32_t record_bytes; /* of the largest record: the smallest ReadFile */
    uint32_t fifo_bytes;
    uint32_t write_bytes; /* OUT: the largest WriteFile; IN: 0 */
    uint8_t alternate;    /* what was selected */
    uint8_t endpoint;
    uint16_t reserved;
} isoav_started;

/*
 * ReadFile never returns more than this at a time, however large the buffer.
 */
#define ISOAV_READ_BYTES_MAX (1u << 20)
#define ISOAV_WRITE_BYTES_MAX (1u << 20)

/*
 * A record: this header, `length` bytes of data, zeroes up to a multiple of
 * 8 bytes. packet_number counts the packets of the ring from 0; a hole means
 * records that the application was too slow to fetch (overflow_packets).
 *
 * WriteFile looks at record_bytes and length, 1 to packet_bytes, alone.
 */
typedef struct {
    uint32_t record_bytes;  /* header, data and padding */
    uint32_t packet_status; /* USBD_STATUS of the packet */
    uint32_t length;        /* bytes of data */
    uint32_t start_frame;   /* of the URB */
    uint32_t packet_index;  /* in the URB */
    uint32_t urb_status;    /* USBD_STATUS of the URB */
    uint64_t packet_number;
} isoav_record;

#define ISOAV_RECORD_ALIGN 8u
#define ISOAV_RECORD_BYTES(length) \
    (((uint32_t)sizeof(isoav_record) + (uint32_t)(length) + 7u) & ~7u)

enum {
    ISOAV_STATE_IDLE = 0,
    ISOAV_STATE_RUNNING = 1,
    ISOAV_STATE_STOPPING = 2,
    ISOAV_STATE_HELD = 3,   /* will run again when the device does */
    ISOAV_STATE_FAILED = 4, /* gave up; usbd_status says why */
};

#define ISOAV_STATUS_KINDS 15

typedef struct {
    uint32_t status; /* USBD_STATUS */
    uint32_t reserved;
    uint64_t packets;
} isoav_status_count;

typedef struct {
    uint32_t state;            /* ISOAV_STATE_* */
    uint32_t usbd_status;      /* of the last request that failed, or 0 */
    uint64_t urbs;             /* completed */
    uint64_t urbs_failed;      /* of those: URB status not success */
    uint64_t packets;          /* completed */
    uint64_t bytes;            /* received, or sent */
    uint64_t overflow_packets; /* dropped: the application was too slow */
    uint64_t xruns;            /* URBs that did not follow their predecessor */
    uint64_t xrun_frames;      /* frames of 1 ms between them */
    uint64_t restarts;         /* times the ring was taken down and up again */
    uint64_t starved;          /* OUT: times there was nothing to send */
    uint64_t frame_refusals;   /* of the stack, see ISOAV_START_FRAMES */
    uint32_t fifo_bytes_used;
    uint32_t statuses; /* entries in use below */
    isoav_status_count status[ISOAV_STATUS_KINDS];
    uint64_t packets_other; /* of further statuses */
} isoav_stats;

/*
 * The packet log: the last packets of the device's isochronous endpoints, one
 * entry each, in the order in which their URBs came back. It belongs to the
 * device, begins with the first stream and ends with the device's removal.
 */
enum {
    ISOAV_LOG_ENTRIES_DEFAULT = 16384,
    ISOAV_LOG_ENTRIES_MIN = 64,
    ISOAV_LOG_ENTRIES_MAX = 262144,
};

/*
 * `ordinal` counts the packets that were queued to the endpoint since its
 * alternate setting was selected, from 1: it is the number of the
 * isochronous TD that a host controller makes of the packet, counted since
 * the endpoint was configured. The packets of an URB that the stack refused
 * were never queued; such an URB is one entry with ordinal 0 and packet_index
 * 0, which says why (urb_status). Those of a cancelled URB were queued.
 *
 * `length`: IN, what was received; OUT, what was to be sent.
 */
typedef struct {
    uint64_t sequence;  /* number of the entry, from 0 */
    uint64_t ordinal;   /* of the packet, from 1; 0: none, see above */
    uint32_t selection; /* of an alternate setting on this device, from 1 */
    uint8_t interface_number;
    uint8_t alternate;
    uint8_t endpoint; /* address, bit 7 set for IN */
    uint8_t reserved0;
    uint32_t start_frame;   /* of the URB */
    uint32_t packet_index;  /* in the URB */
    uint32_t packet_status; /* USBD_STATUS of the packet */
    uint32_t urb_status;    /* USBD_STATUS of the URB */
    uint32_t length;
    uint32_t reserved;
} isoav_log_entry;

typedef struct {
    uint64_t sequence; /* of the first entry that is wanted */
} isoav_log_from;

/*
 * `entries` isoav_log_entry follow. They begin with the entry that was asked
 * for or, when that has been overwritten already, with the oldest there is.
 */
typedef struct {
    uint64_t next;    /* sequence number of the next read */
    uint64_t oldest;  /* of the oldest entry that is kept */
    uint64_t end;     /* the number that the next new entry gets */
    uint32_t entries; /* in this answer */
    uint32_t size;    /* entries that the log can hold; 0: none begun */
} isoav_log_part;

typedef struct {
    uint32_t entries; /* ISOAV_LOG_ENTRIES_* */
    uint32_t reserved;
} isoav_log_size;

#endif
