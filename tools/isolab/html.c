/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "html.h"

#include <stdarg.h>

/* HTML has no control characters but these. */
static gboolean is_character(gunichar c)
{
    return c >= 0x20 ? c < 0x7f || c > 0x9f : c == '\n' || c == '\t';
}

static const char *entity_of(gunichar c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void html_text(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        const char *entity = entity_of(c);

        if (entity) {
            g_string_append(out, entity);
        } else {
            g_string_append_unichar(out, is_character(c) ? c : 0xfffd);
        }
    }
}

void html_printf(GString *out, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    html_text(out, text);
}

void html_cells(GString *out, const char *tag, ...)
{
    const char *text;
    va_list ap;

    va_start(ap, tag);
    while ((text = va_arg(ap, const char *))) {
        g_string_append_printf(out, "<%s>", tag);
        html_text(out, text);
        g_string_append_printf(out, "</%.*s>", 2, tag);
    }
    va_end(ap);
}

void html_json_text(GString *out, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    g_string_append_c(out, '"');
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (c < 0x20 || c == '"' || c == '\\' || c == '<' || c == '>' ||
            c == '&' || c == 0x2028 || c == 0x2029) {
            g_string_append_printf(out, "\\u%04x", c);
        } else {
            g_string_append_unichar(out, c);
        }
    }
    g_string_append_c(out, '"');
}

void html_data(GString *out, const char *type, const void *data, gsize bytes)
{
    g_autofree char *text = g_base64_encode(data, bytes);

    g_string_append_printf(out, "data:%s;base64,", type);
    g_string_append(out, text);
}
