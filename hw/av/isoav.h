/*
 * The QEMU side of usb-isoav, for its profiles.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_ISOAV_H
#define ISOLAB_AV_ISOAV_H

#include "hw/av/profile.h"

struct ISOAVDevice {
    USBDevice dev;
    const isoav_profile *profile;
    isoav_speed speed; /* the fastest that it may use */
    void *state;       /* the profile's */

    /* a property of one profile that was set, and whose it is */
    const char *owned_property;
    const isoav_profile *owner;

    uint8_t zero_pattern; /* property `pattern`, an isoav_zero_pattern */
    char *audiodev;       /* property; NULL: none */
    bool plays_tone;      /* property `audio-source` is `tone` */
    char *video_source;   /* property `video-source`; NULL: the default */

    /* by endpoint number, bit n: halted */
    uint16_t halted_in, halted_out;

    /* for migration: what QEMU's USB core does not save */
    uint8_t profile_id, speed_id;
    uint8_t configuration;
    uint8_t alternates[USB_MAX_INTERFACES];
};

#define TYPE_ISOAV "usb-isoav"
DECLARE_INSTANCE_CHECKER(ISOAVDevice, ISOAV, TYPE_ISOAV)

/* vmstate.c */
extern const VMStateDescription isoav_vmstate;

/* For the setter of a profile's own property: other profiles refuse it. */
void isoav_property_is_for(ISOAVDevice *s, const isoav_profile *profile,
                           const char *property);

/* The device halts an endpoint of its own (bulk or interrupt). */
void isoav_halt(ISOAVDevice *s, const USBEndpoint *ep);

/* Microframes since the machine was started. */
uint64_t isoav_clock_uf(void);

/* The microframe of a packet: what the controller says, or the clock. */
uint64_t isoav_packet_uf(const USBPacket *p);

/*
 * IN data, as much as there is room for. What does not fit is babble, which
 * is for the profile to say (USB 2.0 §8.7.4).
 */
void isoav_packet_put(USBPacket *p, const uint8_t *bytes, size_t count);

#endif
