/*
 * An entry of the driver's packet log as a line, for a person or a program.
 *
 * Pure: no Windows types.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_PACKETLOG_H
#define ISOAV_APP_PACKETLOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "isoav_ioctl.h"

/* Packet and URB went well. */
bool packetlog_is_good(const isoav_log_entry *entry);

/* The line that says what the columns of packetlog_text are. */
void packetlog_heading(FILE *to);
void packetlog_text(FILE *to, const isoav_log_entry *entry);

/*
 * One JSON object on one line. "endpoint" and "direction" are apart and
 * "ordinal" is the number of the TD, so that the lines can be joined with
 * those of a host controller's log.
 */
void packetlog_json(FILE *to, const isoav_log_entry *entry);

#endif
