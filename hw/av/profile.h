/*
 * What usb-isoav is to its host: a profile, one table of operations.
 *
 *  1. isoav.c is the USB device that all profiles share: properties, speeds,
 *     standard requests, halted endpoints, migration of what QEMU's USB core
 *     forgets. A profile says what is its own: descriptors, class and vendor
 *     requests, the data of its endpoints.
 *  2. An operation that a profile does not need is NULL, except handle_data.
 *  3. handle_data and handle_control see only what is legal: an endpoint of
 *     the present alternates that is not halted, a request that is not a
 *     standard one that isoav.c or QEMU has answered.
 *  4. The state of a profile is one struct, allocated with zeros before
 *     realize and freed after unrealize. Each profile migrates it in a
 *     subsection of its own, which isoav.c lists.
 *  5. A new profile: its files in hw/av/meson.build, its table in the list of
 *     isoav.c, at the end (the place is its number in a saved file).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_AV_PROFILE_H
#define ISOLAB_AV_PROFILE_H

#include "hw/usb.h"
#include "hw/usb/desc.h"
#include "migration/vmstate.h"

#include "hw/compat.h"
#include "hw/av/setup.h"

/* Values of the property `speed`; each means: that and slower ones. */
typedef enum {
    ISOAV_SPEED_FULL,
    ISOAV_SPEED_HIGH,
    ISOAV_SPEED_SUPER,
    ISOAV_SPEEDS,
} isoav_speed;

typedef struct ISOAVDevice ISOAVDevice;

typedef struct {
    const char *name;    /* property `profile` */
    const char *help;    /* what it is to its host */
    const char *product; /* as `info usb` names it */

    /* by the fastest speed; those of the slower ones are in each */
    const USBDesc *descriptors[ISOAV_SPEEDS];
    size_t state_bytes;

    /* Properties of its own, for the class that all profiles share. */
    void (*add_properties)(ObjectClass *klass);

    /* Checks properties. May set dev.usb_desc to descriptors of its own. */
    void (*realize)(ISOAVDevice *s, Error **errp);
    void (*unrealize)(ISOAVDevice *s);

    /* USB 2.0 §9.1.1.3: a bus reset, also before the first one. */
    void (*reset)(ISOAVDevice *s);

    /* Found to be legal; the present value selected again counts, too. */
    void (*set_configuration)(ISOAVDevice *s, int value);
    /* False: an alternate that is there cannot be selected now. NULL: it can.
     */
    bool (*may_select)(ISOAVDevice *s, int iface, int alternate);
    void (*set_interface)(ISOAVDevice *s, int iface, int alternate);

    /* CLEAR_FEATURE(ENDPOINT_HALT) on bEndpointAddress `address` */
    void (*clear_halt)(ISOAVDevice *s, int address);

    /*
     * A request: data holds the bytes of an OUT request, or receives those of
     * an IN one, wLength at most. Returns the bytes to send, 0 for an OUT
     * request, or ISOAV_CONTROL_STALL.
     */
    int (*handle_control)(ISOAVDevice *s, const isoav_setup *setup,
                          uint8_t *data);

    /* A token for endpoint number `nr`; p->status says how it ends. */
    void (*handle_data)(ISOAVDevice *s, int token, int nr, USBPacket *p);

    /* A packet that handle_data left with USB_RET_ASYNC will not be asked
     * for; an endpoint's queue has become empty after an error. */
    void (*cancel)(ISOAVDevice *s, USBPacket *p);
    void (*flush)(ISOAVDevice *s, USBEndpoint *ep);

    /* After loading: false refuses a state that cannot be (it may be damaged).
     * QEMU's configuration and alternates are already there. */
    bool (*post_load)(ISOAVDevice *s);

    /* The property `stats`: adds what has been counted. */
    void (*stats)(const ISOAVDevice *s, QDict *stats);
} isoav_profile;

/* vendor.c */
extern const isoav_profile isoav_profile_vendor;
extern const VMStateDescription isoav_vmstate_vendor;

/* zero.c */
extern const isoav_profile isoav_profile_zero;
extern const VMStateDescription isoav_vmstate_zero;

/* av.c */
extern const isoav_profile isoav_profile_av;
extern const VMStateDescription isoav_vmstate_av;

#endif
