/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "line.h"

#include "run.h"

void isolab_line_add_words(GPtrArray *line, const char *const *words)
{
    for (; *words; words++) {
        g_ptr_array_add(line, g_strdup(*words));
    }
}

void isolab_line_add_format(GPtrArray *line, const char *option,
                            const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(line, g_strdup(option));
    g_ptr_array_add(line, g_strdup_vprintf(format, ap));
    va_end(ap);
}

char *isolab_line_quote(const char *value)
{
    GString *quoted = g_string_new(value);

    g_string_replace(quoted, ",", ",,", 0);
    return g_string_free(quoted, FALSE);
}

void isolab_line_add_file(GPtrArray *line, const char *option,
                          const char *before, const char *folder,
                          const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *quoted = isolab_line_quote(path);

    isolab_line_add_format(line, option, "%s%s", before, quoted);
}

void isolab_line_add_control(GPtrArray *line)
{
    isolab_line_add(line, "-S", "-no-shutdown");
    isolab_line_add_format(line, "-chardev", "socket,id=isolab-own,fd=%d",
                           ISOLAB_FD_OWN);
    isolab_line_add(line, "-mon", "chardev=isolab-own,mode=control");
    isolab_line_add_format(line, "-chardev",
                           "socket,id=isolab,fd=%d,server=on,wait=off",
                           ISOLAB_FD_PUBLIC);
    isolab_line_add(line, "-mon", "chardev=isolab,mode=control");
}
