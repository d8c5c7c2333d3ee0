/*
 * Profile "av": a composite device of functions, a UVC camera and a UAC
 * headset. av.c holds them together; each function is a table of operations,
 * as a profile is (profile.h).
 *
 *  1. An interface, and an endpoint, belongs to one function. Requests to
 *     them, and their data, go to that function alone.
 *  2. Stream time is what sound and picture have in common. It begins, at 0,
 *     with the microframe in which the host configures the device
 *     (isoav_av_epoch_uf). Video frame n is due at n frame intervals of
 *     stream time; the sound beeps at each whole second of it, and the frame
 *     that is due next to it, earlier or later, is a flash. A stream that
 *     starts later starts with the first frame that is due by then, and not
 *     with frame 0.
 *  3. The state of a function is one struct, allocated with zeros before
 *     realize and freed after unrealize.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_AV_H
#define ISOLAB_AV_AV_H

#include "hw/av/av-ids.h"
#include "hw/av/profile.h"

#define ISOAV_AV_VENDOR_ID 0x46f4
#define ISOAV_AV_PRODUCT_ID 0x150b

/* Strings of the device descriptor and of the functions. */
enum {
    ISOAV_AV_STR_MANUFACTURER = 1,
    ISOAV_AV_STR_PRODUCT,
    ISOAV_AV_STR_SERIAL,
    ISOAV_AV_STR_CAMERA,
    ISOAV_AV_STR_HEADSET,
};

/* The operations of profile.h, for a part of the device; those that a function
 * does not need are NULL, except handle_control and handle_data. */
typedef struct {
    const char *name; /* of its part of the property `stats` */
    uint8_t first_iface, ifaces;
    uint8_t endpoints[4];         /* their addresses; 0: no more */
    size_t state_bytes, state_at; /* in isoav_av: a pointer to it */

    void (*add_properties)(ObjectClass *klass);
    void (*realize)(ISOAVDevice *s, Error **errp);
    void (*unrealize)(ISOAVDevice *s);
    void (*reset)(ISOAVDevice *s);
    void (*set_configuration)(ISOAVDevice *s, int value);
    bool (*may_select)(ISOAVDevice *s, int iface, int alternate);
    void (*set_interface)(ISOAVDevice *s, int iface, int alternate);
    void (*clear_halt)(ISOAVDevice *s, int address);
    int (*handle_control)(ISOAVDevice *s, const isoav_setup *setup,
                          uint8_t *data);
    void (*handle_data)(ISOAVDevice *s, int token, int nr, USBPacket *p);
    void (*cancel)(ISOAVDevice *s, USBPacket *p);
    bool (*post_load)(ISOAVDevice *s);
    void (*stats)(const ISOAVDevice *s, QDict *stats);
} av_function;

typedef struct isoav_uvc isoav_uvc;
typedef struct isoav_uac isoav_uac;

/* The profile's state. */
typedef struct {
    uint64_t epoch_uf; /* rule 2 */
    isoav_uvc *uvc;
    isoav_uac *uac;
} isoav_av;

uint64_t isoav_av_epoch_uf(const ISOAVDevice *s);

/* av-descriptors.c, by the fastest speed */
extern const USBDesc isoav_descriptors_av_full;
extern const USBDesc isoav_descriptors_av_high;
extern const USBDesc isoav_descriptors_av_super;

/* uvc.c */
extern const av_function isoav_uvc_function;
extern const VMStateDescription isoav_uvc_vmstate;

/* uac.c */
extern const av_function isoav_uac_function;
extern const VMStateDescription isoav_uac_vmstate;

#endif
