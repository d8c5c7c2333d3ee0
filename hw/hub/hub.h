/*
 * The QEMU side of usb-isohub.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_HUB_HUB_H
#define ISOLAB_HUB_HUB_H

#include "qemu/osdep.h"
#include "hw/usb.h"
#include "migration/vmstate.h"
#include "qemu/timer.h"

#include "hw/hub/ports.h"

typedef struct {
    USBDevice dev;
    uint32_t num_ports; /* property */
    bool mtt;           /* property: it can have a TT for each port */
    bool is_configured;
    bool is_halted;    /* the status change endpoint */
    uint8_t alternate; /* 1: a TT for each port */
    uint8_t change;    /* C_HUB_LOCAL_POWER, C_HUB_OVER_CURRENT */
    isohub_port ports[ISOHUB_PORTS_MAX];
    USBPort uports[ISOHUB_PORTS_MAX];
    USBEndpoint *status;
    QEMUTimer *timer;
} ISOHub;

#define TYPE_ISOHUB "usb-isohub"
DECLARE_INSTANCE_CHECKER(ISOHub, ISOHUB, TYPE_ISOHUB)

/* hub.c */
void isohub_happen(ISOHub *s, unsigned i, isohub_event event); /* to port i+1 */
void isohub_configure(ISOHub *s, bool on);
void isohub_notify(ISOHub *s);
void isohub_arm(ISOHub *s);

/* requests.c */
void isohub_handle_control(USBDevice *dev, USBPacket *p, int request, int value,
                           int index, int length, uint8_t *data);

/* vmstate.c */
extern const VMStateDescription isohub_vmstate;

#endif
