/*
 * The class requests of the UVC camera and the state that they change. No
 * QEMU, no clock: uvc.c asks, and acts upon what has changed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_UVC_CONTROL_H
#define ISOLAB_AV_UVC_CONTROL_H

#include "hw/av/setup.h"
#include "hw/av/uvc-probe.h"

/* bRequestErrorCode (UVC 1.1 §4.2.1.2) */
enum {
    ISOAV_UVC_NO_ERROR = 0,
    ISOAV_UVC_WRONG_STATE = 2,
    ISOAV_UVC_OUT_OF_RANGE = 4,
    ISOAV_UVC_INVALID_UNIT = 5,
    ISOAV_UVC_INVALID_CONTROL = 6,
    ISOAV_UVC_INVALID_REQUEST = 7,
};

/* bStreamErrorCode (UVC 1.1 §4.3.1.7) */
enum {
    ISOAV_UVC_STREAM_UNDERRUN = 2,      /* input buffer */
    ISOAV_UVC_STREAM_DISCONTINUITY = 3, /* of the data */
    ISOAV_UVC_STREAM_OVERRUN = 5,       /* output buffer */
};

/* Controls of the terminals and units, in the order of their table. */
typedef enum {
    ISOAV_UVC_BRIGHTNESS,
    ISOAV_UVC_CONTRAST,
    ISOAV_UVC_HUE,
    ISOAV_UVC_SATURATION,
    ISOAV_UVC_GAMMA,
    ISOAV_UVC_EXPOSURE_MODE,
    ISOAV_UVC_EXPOSURE_TIME,
    ISOAV_UVC_CONTROLS,
} isoav_uvc_control_id;

/* Auto-exposure modes that it has (UVC 1.1 §4.2.2.1.2). */
enum {
    ISOAV_UVC_EXPOSURE_MANUAL = 1 << 0,
    ISOAV_UVC_EXPOSURE_APERTURE_PRIORITY = 1 << 3,
};

/* bTrigger */
enum {
    ISOAV_UVC_TRIGGER_NORMAL = 0,
    ISOAV_UVC_TRIGGER_STILL = 1,
    ISOAV_UVC_TRIGGER_STILL_BULK = 2,
    ISOAV_UVC_TRIGGER_ABORT = 3,
};

/* Status packets that wait for the host; when all are, the oldest gives way. */
enum {
    ISOAV_UVC_STATUS_MAX = 8,
    ISOAV_UVC_STATUS_ROOM = 8, /* the longest has 6 bytes */
};

typedef struct {
    uint8_t bytes[ISOAV_UVC_STATUS_MAX][ISOAV_UVC_STATUS_ROOM];
    uint8_t lengths[ISOAV_UVC_STATUS_MAX];
    uint8_t first, count;
} isoav_uvc_status;

typedef struct {
    const isoav_uvc_speed *speed;
    int32_t values[ISOAV_UVC_CONTROLS];
    isoav_uvc_probe probe, commit;
    isoav_uvc_still_probe still_probe, still_commit;
    bool is_committed, is_still_committed;
    uint8_t alternate; /* of the VideoStreaming interface */
    uint8_t trigger;
    uint8_t request_error, stream_error;
    isoav_uvc_status status;
} isoav_uvc_model;

/* As after a reset: the host has negotiated nothing. */
void isoav_uvc_model_reset(isoav_uvc_model *m, const isoav_uvc_speed *speed);

/* A class request; the result is that of isoav_profile.handle_control. */
int isoav_uvc_request(isoav_uvc_model *m, const isoav_setup *setup,
                      uint8_t *data);

/* SET_INTERFACE for the VideoStreaming interface; false: it is refused. */
bool isoav_uvc_may_select(isoav_uvc_model *m, int alternate);

/* The still button of the camera was pressed, or released. */
void isoav_uvc_press(isoav_uvc_model *m, bool is_pressed);

/* The oldest status packet, which is taken; 0: none. */
uint8_t isoav_uvc_take_status(isoav_uvc_model *m, uint8_t *bytes);

bool isoav_uvc_values_are_sane(const int32_t *values);
bool isoav_uvc_model_is_sane(const isoav_uvc_model *m);

#endif
