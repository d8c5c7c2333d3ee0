/*
 * The two streams of the headset, without USB and without QEMU: packets in
 * and out, at microframes of the virtual clock.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_STREAM_H
#define ISOLAB_AV_UAC_STREAM_H

#include "hw/av/uac-clock.h"
#include "hw/av/uac-control.h"
#include "hw/av/uac-fifo.h"

/* What is counted, by stream. */
enum {
    ISOAV_UAC_PACKETS,
    ISOAV_UAC_BYTES,
    ISOAV_UAC_FRAMES,    /* samples of each channel */
    ISOAV_UAC_UNDERRUNS, /* the consumer found nothing: once a dry stretch */
    ISOAV_UAC_OVERRUNS,  /* frames that had no room, or came too late */
    ISOAV_UAC_BAD,       /* packets of half a frame, or too large */
    ISOAV_UAC_LATE,      /* packets more than an interval after the last */
    ISOAV_UAC_COUNTERS,
};

/* Who makes and takes samples: the device itself, by the virtual clock, or a
 * sound card of the host, at its own pace, through the FIFO. */
typedef struct {
    uint8_t alternate;
    bool has_card;
    bool is_running; /* capture: started; playback: the FIFO was filled once */
    uint32_t rate;   /* of what is in the FIFO */
    uint64_t start_uf;
    uint64_t last_uf; /* of the last packet; 0: none yet */
    uint64_t frames;  /* since start_uf: sent, or played */
    uint64_t index;   /* capture: of the first sample, in stream time */
    uint64_t counters[ISOAV_UAC_COUNTERS];
    isoav_uac_fifo fifo;
    /* playback: the most frames that the card's buffer had room for, and now;
     * of this voice, not migrated */
    uint32_t card_room, card_free;
} isoav_uac_stream;

typedef struct {
    isoav_uac_settings settings;
    isoav_uac_stream stream[ISOAV_UAC_STREAMS];
    isoav_uac_loop loop;
} isoav_uac_model;

void isoav_uac_reset(isoav_uac_model *m);

/* SET_INTERFACE to one of the streams. */
void isoav_uac_select(isoav_uac_model *m, unsigned stream, unsigned alternate);

/* The microphone's packet of this microframe; `epoch_uf` is where stream time
 * begins. The bytes that were written to `wire`, which has room for the
 * largest packet of the alternate. */
uint32_t isoav_uac_record(isoav_uac_model *m, uint64_t uf, uint64_t epoch_uf,
                          uint8_t *wire);

/* A packet for the headphones. */
void isoav_uac_play(isoav_uac_model *m, uint64_t uf, const uint8_t *wire,
                    uint32_t bytes);

/* The feedback endpoint's packet: the bytes of it. */
uint32_t isoav_uac_feedback_packet(const isoav_uac_model *m, bool full_speed,
                                   uint8_t *wire);

/* A sound card begins to take samples, for which it has so much room: is there
 * one? Then each that it takes; false: nothing is there for it. */
void isoav_uac_begin_take(isoav_uac_model *m, uint32_t frames);
bool isoav_uac_take(isoav_uac_model *m, isoav_uac_frame *frame);

/* The card is another one, with an empty buffer: after migration. */
void isoav_uac_change_card(isoav_uac_model *m);

/* What a sound card has recorded. */
void isoav_uac_give(isoav_uac_model *m, isoav_uac_frame frame);

/* Can this have come from the calls above? For migrated state. */
bool isoav_uac_is_sane(const isoav_uac_model *m);

#endif
