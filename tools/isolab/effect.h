/*
 * What became of a packet, in words that a fault plan, a Windows driver and a
 * Linux driver have in common.
 *
 * The controller ends a TD with a completion code (xHCI 1.2 §6.4.5). Linux
 * makes an errno of it, Windows (and the bridge below isoav.sys) a USBD_STATUS;
 * both lose some of it, each in its own way. An *effect* is what is left in
 * all of them, one bit each, so that "may be this or that" is a mask.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_EFFECT_H
#define ISOLAB_EFFECT_H

#include <glib.h>
#include <stdint.h>

typedef enum {
    EFFECT_SHORT,     /* fewer bytes, and the driver calls that an error */
    EFFECT_OVERRUN,   /* more bytes than there was room for; babble */
    EFFECT_XACT,      /* no handshake, CRC, timeout */
    EFFECT_STALL,     /* the device refused */
    EFFECT_MISSED,    /* the packet's time went by without it */
    EFFECT_BUFFER,    /* the controller could not get at memory in time */
    EFFECT_BANDWIDTH, /* more than the bus holds */
    EFFECT_CANCELLED, /* taken back by the driver */
    EFFECT_GONE,      /* the device, or the controller, is away */
    EFFECT_OTHER,     /* an error that says no more than that */
    EFFECT_DAMAGED,   /* received, and the contents are wrong */
    EFFECT_LOST,      /* the driver found a hole before it */
    EFFECT_RESET,     /* port, device, stream or controller began anew */
    EFFECT_REFUSED,   /* a request or a command was not granted */
    EFFECTS,
} effect;

#define EFFECT_BIT(e) (1u << (e))
#define EFFECT_NONE 0u

/* "short", "overrun", ...; for tables, JSON and CSS. */
const char *effect_name(effect e);

/* The lowest of a mask; EFFECTS for none. */
effect effect_first(uint32_t mask);

/* The names of a mask, "ok" for none. The caller frees it. */
char *effect_names(uint32_t mask);

/* Masks of one bit, or EFFECT_NONE for success. */
uint32_t effect_of_usbd(uint32_t usbd_status);
uint32_t effect_of_errno(int negative_errno);
uint32_t effect_of_code(unsigned completion_code);

/* "XACT_ERROR" or "0xc0000011"; static or interned, never freed. */
const char *effect_usbd_text(uint32_t usbd_status);
/* "EPROTO" or "-71" */
const char *effect_errno_text(int negative_errno);
/* "USB Transaction Error" or "code 200" */
const char *effect_code_text(unsigned completion_code);

#endif
