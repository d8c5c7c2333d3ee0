/*
 * isolab watch, in parts: samples and their picture are pure functions of
 * JSON (watch-view.c); watch.c fetches and shows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WATCH_H
#define ISOLAB_WATCH_H

#include <json-glib/json-glib.h>
#include <stdbool.h>

/*
 * What --json prints: `now` and `before` are two values of ixhci's `stats`,
 * before may be NULL; plan is its fault-plan or NULL. Endpoints get
 * "tds-per-second" and "bytes-per-second", by the guest's clock; they are left
 * out where no time has passed. The caller unrefs.
 */
JsonObject *isolab_watch_sample(JsonObject *now, JsonObject *before,
                                JsonObject *plan);

/* A sample as lines of at most `width` columns, the last with a line break.
 * Blocks of Unicode with utf8, else ASCII. The caller frees. */
char *isolab_watch_view(JsonObject *sample, int width, bool utf8);

/* "24.6 M", four digits at most, for columns. The caller frees. */
char *isolab_watch_number(double number);

#endif
