/*
 * JSON that somebody else wrote: members of the type that we expect, or a
 * default. json-glib itself complains on standard error where a member is
 * missing or of another type.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_JSON_H
#define ISOLAB_JSON_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <inttypes.h>

/* NULL: no such member, or of another type. What is returned stays the
 * object's. `object` may be NULL. */
JsonNode *isolab_json_get(JsonObject *object, const char *name);
JsonObject *isolab_json_object(JsonObject *object, const char *name);
JsonArray *isolab_json_array(JsonObject *object, const char *name);
const char *isolab_json_text(JsonObject *object, const char *name);
int64_t isolab_json_int(JsonObject *object, const char *name, int64_t none);
bool isolab_json_bool(JsonObject *object, const char *name);
JsonObject *isolab_json_element(JsonArray *array, unsigned i);

/* An object from text; NULL with an error. The caller unrefs it. */
JsonObject *isolab_json_parse(const char *text, GError **error);

/* As text, on one line or on several. The caller frees it. */
char *isolab_json_line(JsonObject *object);
char *isolab_json_pretty(JsonObject *object);

/* Prints it, and a line break, to standard output. */
void isolab_json_print(JsonObject *object);

#endif
