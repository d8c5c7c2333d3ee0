/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lines.h"

#include <string.h>

#include "command.h"
#include "json.h"

char *lines_load(const char *path, gsize *bytes, GError **error)
{
    g_autoptr(GError) why = NULL;
    char *text;

    if (!g_file_get_contents(path, &text, bytes, &why)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "Cannot read %s: %s.",
                    path, why->message);
        return NULL;
    }
    if (*bytes > LINES_FILE_MAX) {
        g_free(text);
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is larger than a log can be (%u MiB).", path,
                    LINES_FILE_MAX >> 20);
        return NULL;
    }
    return text;
}

static JsonObject *parse_line(const char *line, gssize bytes, GError **error)
{
    g_autofree char *text = g_strndup(line, bytes);

    g_strstrip(text);
    return isolab_json_parse(text, error);
}

static bool is_blank(const char *line, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (!g_ascii_isspace(line[i])) {
            return false;
        }
    }
    return true;
}

bool lines_parse(const char *text, gsize bytes, const char *name,
                 lines_object *each, void *opaque, GError **error)
{
    const char *end = text + bytes;
    uint32_t number = 1;

    for (const char *line = text; line < end; number++) {
        const char *stop = memchr(line, '\n', end - line);
        size_t length = (stop ? stop : end) - line;
        g_autoptr(GError) why = NULL;

        if (!is_blank(line, length)) {
            g_autoptr(JsonObject) object =
                parse_line(line, (gssize)length, &why);

            if (!object && !stop) {
                return true;
            }
            if (!object || !each(object, number, opaque, &why)) {
                g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s:%u: %s.",
                            name, number, why->message);
                return false;
            }
        }
        line += length + 1;
    }
    return true;
}

int64_t lines_int(JsonObject *object, const char *name, int64_t none)
{
    const char *text = isolab_json_text(object, name);
    guint64 value;
    char *end;

    if (!text) {
        return isolab_json_int(object, name, none);
    }
    value = g_ascii_strtoull(text, &end, 0);
    return *text && !*end ? (int64_t)value : none;
}

const char *lines_text(JsonObject *object, const char *name)
{
    const char *text = isolab_json_text(object, name);

    return text ? g_intern_string(text) : "";
}
