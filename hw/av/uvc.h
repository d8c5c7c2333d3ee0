/*
 * The UVC camera's state, for its own files.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_H
#define ISOLAB_AV_UVC_H

#include "hw/av/isoav.h"

#include "hw/av/av.h"
#include "hw/av/uvc-control.h"
#include "hw/av/uvc-stream.h"
#include "hw/av/vsource.h"

enum {
    ISOAV_UVC_COUNT_FRAMES,   /* sent to their end */
    ISOAV_UVC_COUNT_STILLS,   /* the same, still images */
    ISOAV_UVC_COUNT_PACKETS,  /* of the stream, empty ones as well */
    ISOAV_UVC_COUNT_BYTES,    /* of them, headers included */
    ISOAV_UVC_COUNT_UNDERRUN, /* frames that the source did not have */
    ISOAV_UVC_COUNT_OVERRUN,  /* frames larger than what was negotiated */
    ISOAV_UVC_COUNT_REPEATED, /* frames that it had to repeat */
    ISOAV_UVC_COUNT_LATE,     /* begun later than one packet after their time */
    ISOAV_UVC_COUNT_SKIPPED,  /* not sent, because it was too late */
    ISOAV_UVC_COUNTERS,
};

struct isoav_uvc {
    isoav_uvc_model model;
    isoav_uvc_stream stream;
    int32_t shown[ISOAV_UVC_CONTROLS]; /* as the frame being sent has them */
    uint64_t counters[ISOAV_UVC_COUNTERS];
    bool wants_status; /* the host was told that there is none */

    /* not migrated: the frame is fetched again */
    isoav_vsource *source;
    isoav_vformat format; /* that the source was started with */
    const uint8_t *frame; /* NULL: to be fetched */
};

static inline isoav_uvc *isoav_uvc_of(const ISOAVDevice *s)
{
    const isoav_av *av = s->state;

    return av->uvc;
}

/* uvc-data.c: a packet for the video endpoint; the stream (re)starts, or
 * stops. */
void isoav_uvc_packet(ISOAVDevice *s, USBPacket *p);
void isoav_uvc_restart(ISOAVDevice *s);

#endif
