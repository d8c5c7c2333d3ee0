/*
 * Where the parts of isolab are: in the build folder, or where `make install`
 * has put them.
 *
 *  1. --build names a build folder. Without it, a program that has the module
 *     beside it is in one; a QEMU beside it may be anybody's.
 *  2. Otherwise it is installed, and the other parts are as far from it as the
 *     build has said; so an installation may be moved as a whole (DESTDIR).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_PLACE_H
#define ISOLAB_PLACE_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
    ISOLAB_PLACE_LAUNCHER, /* qemu-system-x86_64 */
    ISOLAB_PLACE_KERNEL,
    ISOLAB_PLACE_INITRD,
    ISOLAB_PLACE_JOBS,  /* a folder */
    ISOLAB_PLACE_PLANS, /* a folder */
    ISOLAB_PLACE_DISC,  /* isoav.iso */
    ISOLAB_PLACES,
} isolab_part;

/* build: NULL, or what --build says. Whether it is there is not looked at. The
 * caller frees. */
char *isolab_place(isolab_part part, const char *build);

/* The same; NULL with an error that says what to do, if it cannot be read. */
char *isolab_place_find(isolab_part part, const char *build, GError **error);

/* Where a part is for a program in the folder `own`. Pure. */
char *isolab_place_beside(isolab_part part, const char *own, bool is_build);

#endif
