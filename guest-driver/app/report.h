/*
 * The summary of a capture, for a person and for a program. All of it comes
 * from the stream itself; nothing depends on when or how fast this program
 * ran, so two equal streams give equal summaries.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_REPORT_H
#define ISOAV_APP_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "account.h"
#include "frame.h"

typedef struct {
    const account *packets;
    const frame_assembler *frames;
    uint32_t fps;
    uint32_t alternate;
    uint32_t packet_bytes; /* most bytes of a packet */
    uint32_t period_uf;
    const char *trouble; /* why the capture ended early; NULL: it did not */
} report;

/* Everything asked for came, and nothing else happened. */
bool report_is_perfect(const report *r);

void report_text(FILE *to, const report *r);
void report_json(FILE *to, const report *r);

#define REPORT_STATUSES_BYTES 160

/* How many packets of each USBD_STATUS: "SUCCESS 300, XACT_ERROR 2". */
void report_statuses(char text[REPORT_STATUSES_BYTES], const account *a);

/* A JSON string, with its quotes. */
void report_json_string(FILE *to, const char *text);

#endif
