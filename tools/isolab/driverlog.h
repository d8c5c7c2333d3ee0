/*
 * What a driver says that it saw, in whichever form it says it:
 *
 *   {"sequence":0,"ordinal":1,...}   `isoav log --json`, a packet a line
 *   a pcap file                      usbmon, in the guest or by ixhci
 *   anything else                    the kernel's messages (dmesg) and what
 *                                    programs print: the lines that a table
 *                                    knows count, others do not
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_DRIVERLOG_H
#define ISOLAB_DRIVERLOG_H

#include "observation.h"

/* NULL with an error that names the file and the line or byte. */
witness *driverlog_read(const char *path, GError **error);

/* The same of text, which is not a pcap file. */
witness *driverlog_parse(const char *text, gsize bytes, const char *name,
                         GError **error);

/* messages.c: the kernel's messages and those of programs. */
witness *messages_parse(const char *text, gsize bytes, const char *name);

#endif
