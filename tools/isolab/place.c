/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "place.h"

#include <string.h>
#include <unistd.h>

#include "command.h"

/* In a build folder, or of the sources (with a '/' at the front); installed. */
static const struct {
    const char *built, *installed;
} places[ISOLAB_PLACES] = {
    [ISOLAB_PLACE_LAUNCHER] = { "qemu-system-x86_64", ISOLAB_LAUNCHER },
    [ISOLAB_PLACE_KERNEL] = { "tests/guest/vmlinux",
                              ISOLAB_DATADIR "/guest/vmlinux" },
    [ISOLAB_PLACE_INITRD] = { "tests/guest/initramfs.img",
                              ISOLAB_DATADIR "/guest/initramfs.img" },
    [ISOLAB_PLACE_JOBS] = { ISOLAB_SOURCE "/tests/guest/jobs",
                            ISOLAB_DATADIR "/guest/jobs" },
    [ISOLAB_PLACE_PLANS] = { ISOLAB_SOURCE "/share/plans",
                             ISOLAB_DATADIR "/plans" },
    [ISOLAB_PLACE_DISC] = { "guest-driver/package/isoav.iso",
                            ISOLAB_DATADIR "/isoav.iso" },
};

char *isolab_place_beside(isolab_part part, const char *own, bool is_build)
{
    const char *built = places[part].built;
    g_autofree char *root = g_strdup(own);

    if (is_build) {
        return g_path_is_absolute(built) ? g_strdup(built)
                                         : g_build_filename(own, built, NULL);
    }
    if (!g_str_has_suffix(own, ISOLAB_BINDIR)) {
        return g_strdup(places[part].installed);
    }
    root[strlen(own) - strlen(ISOLAB_BINDIR)] = '\0'; /* rule 2 */
    return g_strconcat(root, places[part].installed, NULL);
}

char *isolab_place(isolab_part part, const char *build)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *own = self ? g_path_get_dirname(self) : g_strdup(".");
    g_autofree char *module = g_build_filename(own, "isolab-qemu.so", NULL);

    return build ? isolab_place_beside(part, build, true)
                 : isolab_place_beside(part, own, access(module, R_OK) == 0);
}

char *isolab_place_find(isolab_part part, const char *build, GError **error)
{
    char *path = isolab_place(part, build);

    if (access(path, R_OK) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_NO_END,
                    "%s is missing; `make` builds it and says at its start "
                    "what it needs, and --build names another build folder.",
                    path);
        g_clear_pointer(&path, g_free);
    }
    return path;
}
