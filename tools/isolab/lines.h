/*
 * Files of JSON objects, one a line.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_LINES_H
#define ISOLAB_LINES_H

#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LINES_FILE_MAX (512u << 20)

/* For each object; false with an error ends the reading. */
typedef bool lines_object(JsonObject *object, uint32_t line, void *opaque,
                          GError **error);

/*
 * Empty lines are skipped. An error names the file and the line. Text after the
 * last line break that is no object is a line that was being written, and is
 * left out.
 */
bool lines_parse(const char *text, gsize bytes, const char *name,
                 lines_object *each, void *opaque, GError **error);

/* The whole of a file, which ends in NUL too; NULL with an error. */
char *lines_load(const char *path, gsize *bytes, GError **error);

/* An integer that may be written as text ("0xc0000011"). */
int64_t lines_int(JsonObject *object, const char *name, int64_t none);
/* Interned text, or "". */
const char *lines_text(JsonObject *object, const char *name);

#endif
