/*
 * The payload scheduler of the UVC camera: which frame is due, which piece of
 * it a packet carries, and the header in front of that piece.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_STREAM_H
#define ISOLAB_AV_UVC_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/av/uvc-formats.h"

/* bmHeaderInfo (UVC 1.1 §2.4.3.3) */
enum {
    ISOAV_UVC_FID = 1 << 0, /* the other value with each frame */
    ISOAV_UVC_EOF = 1 << 1, /* the last piece of a frame */
    ISOAV_UVC_PTS = 1 << 2, /* the fields are there */
    ISOAV_UVC_SCR = 1 << 3,
    ISOAV_UVC_STI = 1 << 5, /* of a still image */
    ISOAV_UVC_ERR = 1 << 6, /* the frame is damaged */
    ISOAV_UVC_EOH = 1 << 7, /* the end of the header: always */
};

/* Ticks of dwClockFrequency, 48 MHz, in a microframe, and in 500 ns. */
#define ISOAV_UVC_TICKS_UF 6000
#define ISOAV_UVC_TICKS_500NS 24

typedef struct {
    uint64_t epoch_uf;       /* when frame 0 was due */
    uint32_t interval_100ns; /* 0: nothing has been negotiated */
    uint32_t payload_bytes;  /* of a packet, its header included */
    bool is_started;         /* a packet was asked for */
    bool is_sending;         /* a frame has begun */
    bool is_still, is_damaged, fid;
    uint64_t frame; /* that is being sent as video, or is next */
    uint64_t shown; /* whose picture is being sent, or was */
    uint32_t offset, bytes;
} isoav_uvc_stream;

/* What a packet carries: the header, then bytes of the frame. */
typedef struct {
    uint8_t header[ISOAV_UVC_HEADER_BYTES];
    uint32_t offset, bytes;
    bool is_end; /* of a frame */
} isoav_uvc_payload;

/* How a frame begins. */
typedef struct {
    bool is_due;      /* the stream's frame is due now */
    uint64_t late_uf; /* it was due before */
    uint64_t skipped; /* frames that were not sent, because it was too late */
} isoav_uvc_due;

void isoav_uvc_stream_start(isoav_uvc_stream *s, uint64_t epoch_uf,
                            uint32_t interval_100ns, uint32_t payload_bytes);

/* Which frame begins with the packet of this microframe? It is then to begin,
 * or to be dropped. */
isoav_uvc_due isoav_uvc_stream_due(isoav_uvc_stream *s, uint64_t microframe);
void isoav_uvc_stream_begin(isoav_uvc_stream *s, uint64_t frame, uint32_t bytes,
                            bool is_still);
void isoav_uvc_stream_drop(isoav_uvc_stream *s);

/* The packet of this microframe. */
void isoav_uvc_stream_next(isoav_uvc_stream *s, uint64_t microframe,
                           isoav_uvc_payload *payload);

/* The newest frame that is due: the number of a still image. */
uint64_t isoav_uvc_stream_newest(const isoav_uvc_stream *s,
                                 uint64_t microframe);

/* Bytes of the frame being sent that wait for packets. */
uint32_t isoav_uvc_stream_left(const isoav_uvc_stream *s);

/* Can it be, after loading? */
bool isoav_uvc_stream_is_sane(const isoav_uvc_stream *s);

#endif
