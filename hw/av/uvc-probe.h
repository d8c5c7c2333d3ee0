/*
 * Stream negotiation of the UVC camera: the probe and commit controls, for
 * video and for still images (UVC 1.1 §4.3.1.1, §4.3.1.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_PROBE_H
#define ISOLAB_AV_UVC_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "hw/av/uvc-formats.h"

enum {
    ISOAV_UVC_PROBE_BYTES = 34,
    ISOAV_UVC_STILL_PROBE_BYTES = 11,
};

/* The fields that a host can choose, or that follow from them. */
typedef struct {
    uint16_t bmHint;
    uint8_t bFormatIndex, bFrameIndex;
    uint32_t dwFrameInterval;
    uint32_t dwMaxVideoFrameSize;
    uint32_t dwMaxPayloadTransferSize;
} isoav_uvc_probe;

/* A still image's. bCompressionIndex is 0: there is no choice. */
typedef struct {
    uint8_t bFormatIndex, bFrameIndex;
    uint32_t dwMaxVideoFrameSize;
    uint32_t dwMaxPayloadTransferSize;
} isoav_uvc_still_probe;

void isoav_uvc_probe_load(isoav_uvc_probe *p, const uint8_t *bytes);
void isoav_uvc_probe_store(uint8_t *bytes, const isoav_uvc_probe *p);

/* What is not supported becomes what is; the sizes are computed. */
void isoav_uvc_probe_settle(const isoav_uvc_speed *speed, isoav_uvc_probe *p);

/* Would settling leave it as it is? */
bool isoav_uvc_probe_is_settled(const isoav_uvc_speed *speed,
                                const isoav_uvc_probe *p);

isoav_uvc_probe isoav_uvc_probe_default(const isoav_uvc_speed *speed);

/* The same for still images. A still image goes with the video's payload. */
void isoav_uvc_still_load(isoav_uvc_still_probe *p, const uint8_t *bytes);
void isoav_uvc_still_store(uint8_t *bytes, const isoav_uvc_still_probe *p);
void isoav_uvc_still_settle(const isoav_uvc_speed *speed, uint32_t payload,
                            isoav_uvc_still_probe *p);
bool isoav_uvc_still_is_settled(const isoav_uvc_speed *speed, uint32_t payload,
                                const isoav_uvc_still_probe *p);

#endif
