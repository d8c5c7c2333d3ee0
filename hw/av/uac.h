/*
 * The headset of profile "av": what descriptors, requests and streams of its
 * two audio streams have in common. USB Audio Class 2 at high and SuperSpeed,
 * class 1 at full speed, for hosts that know no other.
 *
 *     playback: USB -> IT 3 -> FU 5 -> OT 4 (headphones), clock 1
 *     capture:  IT 6 (microphone) -> FU 8 -> OT 7 -> USB, clock 2
 *
 * Both streams have two channels; alternate 1 has samples of 16 bits, 2 of 24
 * in three bytes; a packet is sent each millisecond.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UAC_H
#define ISOLAB_AV_UAC_H

#include <stdbool.h>
#include <stdint.h>

enum { ISOAV_UAC_PLAYBACK, ISOAV_UAC_CAPTURE, ISOAV_UAC_STREAMS };

/* Entities (UAC 2.0 §4.7.2); class 1 has the same without the clocks. */
enum {
    ISOAV_UAC_CLOCK = 1, /* + the stream */
    ISOAV_UAC_PLAYBACK_IN = 3,
    ISOAV_UAC_PLAYBACK_OUT = 4,
    ISOAV_UAC_PLAYBACK_UNIT = 5,
    ISOAV_UAC_CAPTURE_IN = 6,
    ISOAV_UAC_CAPTURE_OUT = 7,
    ISOAV_UAC_CAPTURE_UNIT = 8,
};

enum {
    ISOAV_UAC_CHANNELS = 2,
    ISOAV_UAC_RATES = 3,
    ISOAV_UAC_RATE_MAX = 96000,
    ISOAV_UAC_PACKETS_PER_S = 1000,
    ISOAV_UAC_UF_PER_PACKET = 8,
    /* one more than an even share: a host that makes up for its clock */
    ISOAV_UAC_PACKET_FRAMES = ISOAV_UAC_RATE_MAX / ISOAV_UAC_PACKETS_PER_S + 1,
};

/* The list of the rates, in Hz. */
#define ISOAV_UAC_RATE_LIST(X) X(44100) X(48000) X(96000)

/* By alternate setting; a frame is a sample of each channel. */
#define ISOAV_UAC_FRAME_BYTES(alternate) \
    (ISOAV_UAC_CHANNELS * ((alternate) == 2 ? 3 : 2))

/* Volume in units of 1/256 dB (UAC 2.0 §5.2.5.7.2). */
enum {
    ISOAV_UAC_VOLUME_MIN = -60 * 256,
    ISOAV_UAC_VOLUME_MAX = 0,
    ISOAV_UAC_VOLUME_RES = 128,
};

#endif
