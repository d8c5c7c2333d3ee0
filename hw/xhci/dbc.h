/*
 * The Debug Capability: its state (xHCI 1.2 §7.6). What it does is in dbc.c
 * (registers, port and debug host) and dbc-ring.c (endpoints and data).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_DBC_H
#define IXHCI_DBC_H

#include "compat.h"

#include "context.h"
#include "retire.h"

#include "chardev/char-fe.h"

/* Where its port is (§7.6.4, Figure 7-5), in the order of its life. */
typedef enum {
    IXHCI_DBC_OFF,
    IXHCI_DBC_DISABLED, /* PED was set to 0 */
    IXHCI_DBC_DISCONNECTED,
    IXHCI_DBC_ATTACHED, /* Enabled, before the host resets it */
    IXHCI_DBC_RESETTING,
    IXHCI_DBC_ENABLED,
    IXHCI_DBC_CONFIGURED,
    IXHCI_DBC_STATES,
} ixhci_dbc_state;

/* OUT goes from guest memory to the debug host, IN from it (§7.6.3.2). */
enum { IXHCI_DBC_OUT, IXHCI_DBC_IN, IXHCI_DBC_EPS };

typedef struct {
    uint8_t state; /* EP_STATE_* */
    bool rung;     /* its doorbell was, and the ring is not known to be empty */
    bool ready;    /* IN: the TD at hand is loaded and waits for data */
    uint32_t sent; /* OUT: bytes of the TD at hand that the host has */
    uint64_t unhalt_uf; /* when the host clears the halt, or NEVER */
    ixhci_ring ring;
    uint32_t words[IXHCI_CONTEXT_WORDS]; /* its context */
    ixhci_td td;
    ixhci_retired retired; /* scratch of the retire stage */
} ixhci_dbc_ep;

typedef struct {
    CharBackend chr;
    guint watch;     /* for room in the chardev, or 0 */
    uint8_t state;   /* ixhci_dbc_state */
    bool serving;    /* data is on its way: dbc-ring.c, rule 4 */
    uint32_t ctrl;   /* DCCTRL: LSE, HOT, HIT, DRC, DCE */
    uint32_t portsc; /* DCPORTSC */
    uint64_t dccp;
    uint32_t ddi[2];  /* DCDDI1, DCDDI2 */
    uint64_t next_uf; /* of the debug host's next step, or NEVER */
    uint64_t work_uf; /* data is left over for then, or NEVER */
    char *device;     /* what the host has read of it */
    ixhci_dbc_ep eps[IXHCI_DBC_EPS];
} ixhci_dbc;

#endif
