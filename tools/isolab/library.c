/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "library.h"

#include "command.h"
#include "place.h"

#include <string.h>
#include <unistd.h>

char *isolab_library_plan(const char *name)
{
    g_autofree char *file = g_strconcat(name, ".json", NULL);
    g_autofree char *folder = isolab_place(ISOLAB_PLACE_PLANS, NULL);
    g_autofree char *path = g_build_filename(folder, file, NULL);

    if (strchr(name, '/') || access(name, F_OK) == 0 ||
        access(path, R_OK) < 0) {
        return g_strdup(name);
    }
    return g_steal_pointer(&path);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void isolab_library_refuse(const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *folder = isolab_place(ISOLAB_PLACE_PLANS, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autofree char *list = NULL;
    const char *file;

    while (dir && (file = g_dir_read_name(dir))) {
        if (g_str_has_suffix(file, ".json")) {
            g_ptr_array_add(names,
                            g_strndup(file, strlen(file) - strlen(".json")));
        }
    }
    g_ptr_array_sort(names, compare);
    g_ptr_array_add(names, NULL);
    list = g_strjoinv(", ", (char **)names->pdata);
    g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                "Cannot read the fault plan %s; the library has %s.", name,
                list);
}
