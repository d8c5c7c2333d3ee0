/*
 * What a Windows guest's report comes to: a verdict, out of what it sent and
 * not of what it says of itself. Pure.
 *
 *  passed      installed; each test of `isoav selftest` ran and passed; the
 *              capture is perfect; nothing is missing or damaged
 *  failed      the report is there, and something of that is not so
 *  incomplete  what would decide it did not come whole
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WINDOWS_VERDICT_H
#define ISOLAB_WINDOWS_VERDICT_H

#include "windows-report.h"

#include <json-glib/json-glib.h>

/* TAP, as `isoav selftest` prints it. */
typedef struct {
    unsigned planned; /* "1..N"; 0: no plan */
    unsigned passed;
    unsigned failed;
    unsigned skipped; /* among the passed */
    char *first;      /* that failed, its line; NULL: none. The caller frees. */
} windows_tap;

windows_tap windows_tap_parse(const char *text, gsize bytes);
/* An object with "verdict", "reasons", "selftest", "capture", for the caller
 * to unref. */
JsonObject *windows_verdict(const windows_report *r);

#endif
