/*
 * A host of the headset of usb-isoav: it sets the rate, chooses alternates,
 * keeps both streams and the feedback going, takes what is recorded and sends
 * a count, as many samples as the feedback asks for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_UAC_H
#define TESTS_QTEST_LIB_UAC_H

#include "hcd.h"

#include "hw/av/av-ids.h"
#include "hw/av/uac-sound.h"

enum {
    UAC_OUT = 6, /* DCIs of 03h, 83h and 84h */
    UAC_FEEDBACK = 7,
    UAC_IN = 9,

    UAC_IN_TDS = 16,     /* queued ahead, a packet and an event each */
    UAC_OUT_BATCHES = 4, /* of packets, an event for each batch */
    UAC_BATCH = 8,

    UAC_SET = 0x21, /* bmRequestType: to an interface, and an endpoint */
    UAC_GET = 0xa1,
    UAC_SET_EP = 0x22,
    UAC_GET_EP = 0xa2,
};

#define UAC_ARGS(more) "-device usb-isoav,id=av,bus=xhci.0,profile=av" more " "

typedef struct {
    uint64_t buf[UAC_IN_TDS], trb[UAC_IN_TDS];
    unsigned td;
} UacPipe;

typedef struct {
    Hcd *h;
    HcdDev *dev;
    uint64_t data; /* of control transfers */
    uint64_t epoch_uf;
    unsigned version; /* of the class */
    unsigned alternate[ISOAV_UAC_STREAMS], rate[ISOAV_UAC_STREAMS];
    UacPipe in, out, feedback;
    bool runs[32]; /* by DCI: its events are looked at */
    GByteArray *recorded;
    uint64_t sent;     /* samples of each channel */
    uint64_t fraction; /* of a sample that is due, as the feedback has it */
    uint32_t value;    /* the last feedback; 0: none yet */
    bool awaits_feedback;
    bool is_mute;      /* sends no more */
    bool is_greedy;    /* sends as much as fits */
    uint64_t first_uf; /* of the first recorded packet's event */
} Uac;

/* Configured; `dev` is addressed. */
Uac *uac_open(Hcd *h, HcdDev *dev);
void uac_close(Uac *u);

/* A class request; the code of the event that ended it. A STALL is cleared. */
unsigned uac_request(Uac *u, unsigned type, unsigned request, unsigned value,
                     unsigned index, void *data, unsigned bytes);
void uac_set_rate(Uac *u, unsigned stream, uint32_t rate);
unsigned uac_select(Uac *u, unsigned stream, unsigned alternate);
int64_t uac_counter(Uac *u, const char *stream, const char *name);

/* A new endpoint in this alternate; playback has the feedback's, too. */
void uac_start(Uac *u, unsigned stream, unsigned alternate);

/* So many milliseconds go by, and all streams go on. */
void uac_run(Uac *u, unsigned ms);

/* What was recorded is the tone, without a hole; the first sample's number. */
uint64_t uac_expect_tone(Uac *u);

/* The feedback, in parts per million of the nominal rate off it. */
double uac_feedback_ppm(Uac *u);

#endif
