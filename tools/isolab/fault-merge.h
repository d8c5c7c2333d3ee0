/*
 * Plans put together. Pure; what a plan is, hw/fault knows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_FAULT_MERGE_H
#define ISOLAB_FAULT_MERGE_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

/*
 * A plan with the rules of both, those of `running` first. States are those of
 * both; name, seed and the first state stay those of `running`. A rule of
 * `added` that has the name of another one is an error. The caller unrefs.
 */
JsonObject *isolab_fault_merge(JsonObject *running, JsonObject *added,
                               GError **error);

/* What a person gave: a plan, or one rule (it has an "action"), which becomes
 * a plan. The caller unrefs. */
JsonObject *isolab_fault_as_plan(JsonObject *given);

#endif
