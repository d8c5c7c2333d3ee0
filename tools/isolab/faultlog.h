/*
 * The log of a fault plan: a JSON object a line, one for each firing, as
 * `fault-log` and `fault-log-file` of ixhci have it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_FAULTLOG_H
#define ISOLAB_FAULTLOG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t uf;       /* microframe of virtual time */
    const char *plan; /* texts are interned; "" where the line has none */
    const char *rule;
    const char *seam;
    const char *action;
    const char *code_name;
    int64_t code;                        /* completion code; -1: none */
    int64_t hit;                         /* of the rule, from 1 */
    int64_t slot, port, endpoint, bytes; /* -1: none */
    uint64_t td;                         /* 0: none */
    int64_t span;    /* packets or intervals that it was made to last; -1 */
    uint8_t address; /* endpoint, bit 7 set for IN; 0: none */
    bool isochronous;
    uint32_t line; /* of the file, from 1 */
} fault;

/* GArray of fault, in the order of the log. NULL with an error that names the
 * file and the line. A last line without its end (QEMU was killed) is left
 * out. */
GArray *faultlog_parse(const char *text, gsize bytes, const char *name,
                       GError **error);
GArray *faultlog_read(const char *path, GError **error);

#endif
