/*
 * A host of the UVC camera of usb-isoav: it negotiates, takes payloads, checks
 * the header of each and puts frames together.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_UVC_H
#define TESTS_QTEST_LIB_UVC_H

#include "hcd.h"

#include "hw/av/uvc-formats.h"
#include "hw/av/vsource.h"

enum {
    UVC_STATUS = 3, /* DCIs of 81h and 82h */
    UVC_VIDEO = 5,
    UVC_TDS = 32, /* that are queued ahead */

    UVC_SET_CUR = 0x01,
    UVC_GET_CUR = 0x81,
    UVC_GET_INFO = 0x86,

    /* wIndex: entity and interface */
    UVC_VC = 0x0000,
    UVC_CAMERA = 0x0100,
    UVC_UNIT = 0x0200,
    UVC_VS = 0x0001,

    UVC_FID = 0x01,
    UVC_EOF = 0x02,
    UVC_STI = 0x20,
    UVC_ERR = 0x40,
};

#define UVC_ARGS(more) "-device usb-isoav,id=av,bus=xhci.0,profile=av" more " "

/* Neutral, as after a reset. */
extern const isoav_vcontrols uvc_neutral;

typedef struct {
    Hcd *h;
    HcdDev *dev;
    const isoav_uvc_speed *speed;
    isoav_vsource *source; /* what frames are held to */
    uint64_t data;         /* of control transfers */
    uint64_t epoch_uf;     /* when the device was configured */
    /* as committed */
    isoav_vformat format;
    uint32_t payload_bytes, frame_bytes;
    /* the stream */
    unsigned alternate;
    uint64_t buf[UVC_TDS], trb[UVC_TDS];
    unsigned td;
    int fid;                /* of the last frame; -1: none yet */
    uint64_t next_uf;       /* of the next packet; 0: not known yet */
    bool is_loose;          /* the controller does not keep to the microframe */
    unsigned migrate_after; /* payloads of a frame; 0: no more */
} Uvc;

typedef struct {
    uint8_t info;
    uint32_t pts;
    uint64_t uf;         /* of its packet */
    uint8_t data[32768]; /* behind the header */
    unsigned bytes;
} UvcPayload;

typedef struct {
    uint64_t number; /* by its time stamp */
    uint64_t first_uf, last_uf;
    uint8_t info; /* all of its headers, or-ed */
    unsigned payloads;
    GByteArray *bytes;
} UvcFrame;

/* Configured, nothing negotiated. */
Uvc *uvc_open(Hcd *h);
void uvc_close(Uvc *u);

/* A class request; the code of the event that ended it. A STALL is cleared. */
unsigned uvc_request(Uvc *u, unsigned request, unsigned index,
                     unsigned selector, void *data, unsigned bytes);
unsigned uvc_select_interface(Uvc *u, unsigned alternate);
unsigned uvc_error_code(Uvc *u);
uint64_t uvc_counter(Uvc *u, const char *name);

/* Probe, commit; what comes out is in u. */
void uvc_commit(Uvc *u, unsigned format, unsigned frame, uint32_t interval);

/* The smallest alternate that carries it, or this one: a new endpoint. */
void uvc_start(Uvc *u);
void uvc_start_in(Uvc *u, unsigned alternate);

/* The next packet; and the next frame, from its first to its last. */
void uvc_payload(Uvc *u, UvcPayload *p);
UvcFrame uvc_frame(Uvc *u);

/* Is it what the source draws? It is freed. */
void uvc_expect_frame_at(Uvc *u, UvcFrame frame, const isoav_vformat *format,
                         const isoav_vcontrols *controls, const char *file,
                         int line);
#define uvc_expect_frame(u, frame)                                      \
    uvc_expect_frame_at(u, frame, &(u)->format, &uvc_neutral, __FILE__, \
                        __LINE__)

#endif
