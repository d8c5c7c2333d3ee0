/*
 * See inf.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "inf.h"

#include <stdarg.h>
#include <string.h>

static void free_line(void *pointer)
{
    InfLine *line = pointer;

    g_free(line->key);
    g_ptr_array_unref(line->fields);
    g_free(line);
}

static void free_section(void *pointer)
{
    InfSection *section = pointer;

    g_free(section->name);
    g_ptr_array_unref(section->lines);
    g_free(section);
}

void inf_clear(Inf *inf)
{
    g_ptr_array_unref(inf->sections);
    g_ptr_array_unref(inf->complaints);
}

void inf_complain(Inf *inf, unsigned line, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list arguments;

    va_start(arguments, format);
    text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_ptr_array_add(inf->complaints, line
                                         ? g_strdup_printf("%u: %s", line, text)
                                         : g_strdup(text));
}

/* --- parsing ---------------------------------------------------------------
 */

/* Cuts a remark off, and blanks; a semicolon in quotes begins none. */
static void trim_line(GString *text)
{
    bool quoted = false;

    for (gsize i = 0; i < text->len; i++) {
        if (text->str[i] == '"') {
            quoted = !quoted;
        } else if (text->str[i] == ';' && !quoted) {
            g_string_truncate(text, i);
        }
    }
    g_strstrip(text->str);
    text->len = strlen(text->str);
}

/* Where `wanted` is outside of quotes, or the end. */
static const char *find_bare(const char *text, char wanted)
{
    bool quoted = false;

    for (; *text && (quoted || *text != wanted); text++) {
        quoted ^= *text == '"';
    }
    return text;
}

/* A field without its quotes; two of them inside are one. */
static char *unquote(const char *text, gsize length)
{
    g_autofree char *copy = g_strndup(text, length);
    GString *field = g_string_new(NULL);
    bool quoted = false;

    g_strstrip(copy);
    for (const char *at = copy; *at; at++) {
        if (*at != '"') {
            g_string_append_c(field, *at);
        } else if (quoted && at[1] == '"') {
            g_string_append_c(field, *at++);
        } else {
            quoted = !quoted;
        }
    }
    return g_string_free(field, FALSE);
}

static void parse_line(Inf *inf, InfSection *section, const char *text,
                       unsigned number)
{
    InfLine *line = g_new0(InfLine, 1);
    const char *equals = find_bare(text, '=');
    unsigned quotes = 0;
    const char *end;

    for (const char *at = text; *at; at++) {
        quotes += *at == '"';
    }
    if (quotes % 2) {
        inf_complain(inf, number, "a quote is not closed");
    }
    line->number = number;
    line->fields = g_ptr_array_new_with_free_func(g_free);
    if (*equals) {
        line->key = unquote(text, (gsize)(equals - text));
        text = equals + 1;
    }
    do {
        end = find_bare(text, ',');
        g_ptr_array_add(line->fields, unquote(text, (gsize)(end - text)));
        text = end + 1;
    } while (*end);
    g_ptr_array_add(section->lines, line);
}

static InfSection *parse_header(Inf *inf, const char *text, unsigned number)
{
    const char *end = strchr(text, ']');
    InfSection *section;
    g_autofree char *name = NULL;

    if (!end || end[1]) {
        inf_complain(inf, number, "a section is [Name] and nothing else");
        return NULL;
    }
    name = g_strndup(text + 1, (gsize)(end - text - 1));
    if (inf_section(inf, name)) {
        inf_complain(inf, number, "the section [%s] is there twice", name);
    }
    section = g_new0(InfSection, 1);
    section->number = number;
    section->name = g_steal_pointer(&name);
    section->lines = g_ptr_array_new_with_free_func(free_line);
    g_ptr_array_add(inf->sections, section);
    return section;
}

void inf_parse(Inf *inf, const char *bytes, size_t length)
{
    g_autofree char *copy = g_strndup(bytes, length);
    g_auto(GStrv) lines = g_strsplit(copy, "\n", -1);
    InfSection *section = NULL;

    inf->sections = g_ptr_array_new_with_free_func(free_section);
    inf->complaints = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; lines[i]; i++) {
        g_autoptr(GString) text = g_string_new(lines[i]);
        unsigned number = i + 1;

        trim_line(text);
        while (g_str_has_suffix(text->str, "\\") && lines[i + 1]) {
            g_string_truncate(text, text->len - 1);
            g_string_append(text, lines[++i]);
            trim_line(text);
        }
        if (text->str[0] == '[') {
            section = parse_header(inf, text->str, number);
        } else if (text->len && section) {
            parse_line(inf, section, text->str, number);
        } else if (text->len) {
            inf_complain(inf, number, "this line is in no section");
        }
    }
}

/* --- asking ----------------------------------------------------------------
 */

const InfSection *inf_section(const Inf *inf, const char *name)
{
    for (guint i = 0; i < inf->sections->len; i++) {
        const InfSection *section = inf->sections->pdata[i];

        if (g_ascii_strcasecmp(section->name, name) == 0) {
            return section;
        }
    }
    return NULL;
}

const InfLine *inf_line(const InfSection *section, const char *key)
{
    for (guint i = 0; section && i < section->lines->len; i++) {
        const InfLine *line = section->lines->pdata[i];

        if (line->key && g_ascii_strcasecmp(line->key, key) == 0) {
            return line;
        }
    }
    return NULL;
}

const char *inf_field(const InfLine *line, guint i)
{
    return line && i < line->fields->len ? line->fields->pdata[i] : "";
}

char *inf_text(const Inf *inf, const char *field)
{
    const InfSection *strings = inf_section(inf, "Strings");
    GString *text = g_string_new(NULL);

    while (*field) {
        const char *end = *field == '%' ? strchr(field + 1, '%') : NULL;
        g_autofree char *name =
            end ? g_strndup(field + 1, (gsize)(end - field - 1)) : NULL;
        const InfLine *line = name ? inf_line(strings, name) : NULL;

        if (line) {
            g_string_append(text, inf_field(line, 0));
            field = end + 1;
        } else {
            g_string_append_c(text, *field++);
        }
    }
    return g_string_free(text, FALSE);
}

const InfSection *inf_install_section(const Inf *inf, const char *name,
                                      const char *suffix)
{
    static const char *const decorations[] = { ".NTamd64", ".NT", "" };

    for (guint i = 0; i < G_N_ELEMENTS(decorations); i++) {
        g_autofree char *base = g_strconcat(name, decorations[i], NULL);
        g_autofree char *full = g_strconcat(base, suffix, NULL);

        if (inf_section(inf, base)) {
            return inf_section(inf, full);
        }
    }
    return NULL;
}

void inf_each_model(const Inf *inf, InfModel call, void *opaque)
{
    const InfSection *makers = inf_section(inf, "Manufacturer");

    for (guint i = 0; makers && i < makers->lines->len; i++) {
        g_autofree char *name = g_strconcat(
            inf_field(makers->lines->pdata[i], 0), ".NTamd64", NULL);
        const InfSection *models = inf_section(inf, name);

        for (guint j = 0; models && j < models->lines->len; j++) {
            call(opaque, models->lines->pdata[j]);
        }
    }
}

bool inf_date(const Inf *inf, GDate *date)
{
    const char *text =
        inf_field(inf_line(inf_section(inf, "Version"), "DriverVer"), 0);
    unsigned month;
    unsigned day;
    unsigned year;

    if (!g_regex_match_simple("^\\d\\d/\\d\\d/\\d{4}$", text, 0, 0)) {
        return false;
    }
    month = (unsigned)g_ascii_strtoull(text, NULL, 10);
    day = (unsigned)g_ascii_strtoull(text + 3, NULL, 10);
    year = (unsigned)g_ascii_strtoull(text + 6, NULL, 10);
    if (!g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year)) {
        return false;
    }
    g_date_set_dmy(date, (GDateDay)day, (GDateMonth)month, (GDateYear)year);
    return true;
}
