/*
 * What the isochronous tests share: a stream on usb-isoav, the current frame,
 * and the microframe in which the device says that it was served.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_ISO_H
#define TESTS_QTEST_LIB_ISO_H

#include "hcd.h"

/* A frame as software sees it (the ID) and as the clock has it. */
typedef struct {
    unsigned id;       /* MFINDEX 13:3 */
    uint64_t start_uf; /* when it began, on the virtual clock */
} IsoFrame;

IsoFrame iso_frame_now(Hcd *h);
unsigned iso_frame_id(IsoFrame frame, int distance);
uint64_t iso_frame_uf(IsoFrame frame, int distance);

/* An IN stream: TD i fills buffer i. */
typedef struct {
    Hcd *h;
    HcdDev *dev;
    unsigned bytes; /* of a packet */
    unsigned esit_uf;
    unsigned count;
    uint64_t buf[512];
    uint64_t trb[512];
} IsoIn;

IsoIn *iso_in_open(Hcd *h, unsigned alternate);
void iso_in_queue_frame(IsoIn *in, unsigned frame_id);
void iso_in_queue_sia(IsoIn *in, unsigned n);
void iso_in_doorbell(IsoIn *in);
/* The next event is TD i, received in full; the microframe it was served. */
uint64_t iso_in_expect_at(IsoIn *in, unsigned i, const char *file, int line);
#define iso_in_expect(in, i) iso_in_expect_at(in, i, __FILE__, __LINE__)
void iso_in_expect_missed_at(IsoIn *in, unsigned i, const char *file, int line);
#define iso_in_expect_missed(in, i) \
    iso_in_expect_missed_at(in, i, __FILE__, __LINE__)

#endif
