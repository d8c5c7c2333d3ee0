/*
 * Where the frames of a camera come from.
 *
 * A source is asked for frame n, when it is due, in the format that was
 * started, as the camera's controls have it, and never blocks: what has no
 * frame in time repeats one. The pattern's frame n is a function of its number,
 * its format and the controls, and of nothing else.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_VSOURCE_H
#define ISOLAB_AV_VSOURCE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct isoav_vsource isoav_vsource;

enum {
    ISOAV_VIDEO_YUY2,
    ISOAV_VIDEO_MJPEG,
};

typedef struct {
    uint16_t width, height;
    uint32_t interval_100ns;
    int format;
} isoav_vformat;

/* What a host can turn; the neutral value in the comment. */
typedef struct {
    int brightness;     /* 0, of -100..100 */
    int contrast;       /* 100, of 0..200 */
    int saturation;     /* 100, of 0..200 */
    int hue;            /* 0 degrees, of -180..180 */
    int gamma;          /* 100 (1.0), of 40..300 */
    int exposure_100us; /* 100, of 1..1000; twice the time, twice the light */
    bool auto_exposure; /* exposure_100us does not count */
} isoav_vcontrols;

/* spec: "pattern". NULL: it cannot be opened, and *error says why in one
 * sentence (g_free). */
isoav_vsource *isoav_vsource_open(const char *spec, char **error);
void isoav_vsource_close(isoav_vsource *v);

/* A stream starts. False: the source cannot do that. */
bool isoav_vsource_start(isoav_vsource *v, const isoav_vformat *format);
void isoav_vsource_stop(isoav_vsource *v);

/* Frame n; its bytes stay until the next call. NULL: there is none. */
const uint8_t *isoav_vsource_frame(isoav_vsource *v, uint64_t n,
                                   const isoav_vcontrols *controls,
                                   uint32_t *bytes, bool *repeated);

#endif
