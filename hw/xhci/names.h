/*
 * What the specification calls its numbers, in lower case and with hyphens:
 * "short-packet" for completion code 13. For people and programs at the host;
 * pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_NAMES_H
#define IXHCI_NAMES_H

/* Completion codes are 0 to this, less one (xHCI 1.2 Table 6-90). */
#define IXHCI_CODES 37

/* "undefined" for a number without a name. */
const char *ixhci_name_code(unsigned cc);        /* completion code */
const char *ixhci_name_ep_type(unsigned type);   /* "isoch", "bulk", ... */
const char *ixhci_name_ep_state(unsigned state); /* §4.8.3 */
const char *ixhci_name_speed(unsigned speed);    /* default Speed IDs */
const char *ixhci_name_link(unsigned pls);       /* Port Link State */

#endif
