/*
 * What the controller claims to be (xHCI 1.2 §5.3). Pure.
 *
 *  1. A revision of the specification is a row: its number, the capability
 *     bits that a controller of that revision shows, and the USB 3 revision of
 *     its ports. Properties add bits to the row; nothing takes one away.
 *  2. A bit is in a row only if the model does what it promises, or if the
 *     revision makes it mandatory and it promises something of a feature that
 *     is switched off (SEC without streams).
 *  3. Code that a capability decides looks at the bit and not at the revision;
 *     only what the revisions settled without a bit looks at hciversion.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_CAPS_H
#define IXHCI_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "isolab/xhci.h"

typedef struct {
    uint16_t hciversion;    /* BCD: 0120h */
    uint8_t usb3_minor;     /* BCD: 20h for USB 3.2 */
    uint32_t hcc1;          /* HCCPARAMS1 without xECP */
    uint32_t hcc2;          /* HCCPARAMS2 */
    uint32_t usb2_protocol; /* XECP_HLC, XECP_BLC: of the USB2 ports */
} ixhci_caps;

#define IXHCI_REVISIONS "1.0, 1.1 or 1.2"

/* False: there is no such revision. */
bool ixhci_caps_of_revision(ixhci_caps *caps, const char *name);

/*
 * xHCI 1.2 §4.10.3.1, §4.10.3.2: from 1.1 on the events of an xrun and of a
 * missed service say where on the ring they happened; before, the pointer is 0.
 */
static inline bool ixhci_caps_locates_misses(const ixhci_caps *caps)
{
    return caps->hciversion >= 0x0110;
}

#endif
