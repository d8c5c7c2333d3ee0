/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "faultlog.h"

#include "command.h"
#include "lines.h"

static uint8_t address_of(int64_t endpoint, const char *direction)
{
    if (endpoint < 1 || endpoint > 15) {
        return 0;
    }
    return (uint8_t)endpoint | (g_str_equal(direction, "in") ? 0x80 : 0);
}

/* How long the action was to last, whatever its parameter is called. */
static int64_t span_of(JsonObject *o)
{
    static const char *const names[] = { "intervals", "microframes", "behind" };

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        int64_t span = lines_int(o, names[i], -1);

        if (span >= 0) {
            return span;
        }
    }
    return -1;
}

static bool take_fault(JsonObject *o, uint32_t line, void *opaque,
                       GError **error)
{
    GArray *faults = opaque;
    fault f = {
        .uf = lines_int(o, "uf", -1),
        .plan = lines_text(o, "plan"),
        .rule = lines_text(o, "rule"),
        .seam = lines_text(o, "seam"),
        .action = lines_text(o, "action"),
        .code_name = lines_text(o, "code-name"),
        .code = lines_int(o, "code", -1),
        .hit = lines_int(o, "hit", 0),
        .slot = lines_int(o, "slot", -1),
        .port = lines_int(o, "port", -1),
        .endpoint = lines_int(o, "endpoint", -1),
        .bytes = lines_int(o, "bytes", -1),
        .td = (uint64_t)MAX(lines_int(o, "td", 0), 0),
        .span = span_of(o),
        .isochronous = g_str_equal(lines_text(o, "type"), "isoch"),
        .line = line,
    };

    f.address = address_of(f.endpoint, lines_text(o, "direction"));
    if (f.uf < 0 || !*f.action) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "a fault needs \"uf\" and \"action\"");
        return false;
    }
    g_array_append_val(faults, f);
    return true;
}

GArray *faultlog_parse(const char *text, gsize bytes, const char *name,
                       GError **error)
{
    GArray *faults = g_array_new(FALSE, FALSE, sizeof(fault));

    if (!lines_parse(text, bytes, name, take_fault, faults, error)) {
        g_array_unref(faults);
        return NULL;
    }
    return faults;
}

GArray *faultlog_read(const char *path, GError **error)
{
    gsize bytes;
    g_autofree char *text = lines_load(path, &bytes, error);

    return text ? faultlog_parse(text, bytes, path, error) : NULL;
}
