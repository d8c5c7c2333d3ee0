/*
 * Is it a plan? With the loader that the controller has.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_FAULT_CHECK_H
#define ISOLAB_FAULT_CHECK_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * The plan that `text` is, or that the one rule that it is makes. `where`
 * names it in errors: "where:LINE:COLUMN: reason". The caller unrefs.
 */
JsonObject *isolab_fault_check(const char *where, const char *text,
                               GError **error);

#endif
