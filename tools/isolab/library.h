/*
 * The plans of share/plans, by their names.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_LIBRARY_H
#define ISOLAB_LIBRARY_H

#include <glib.h>

/*
 * The path that NAME means: itself if there is such a file or it has a slash
 * in it, else NAME.json of the library, if that is there, else itself. The
 * caller frees it.
 */
char *isolab_library_plan(const char *name);

/* "There is no plan NAME", and what the library has. */
void isolab_library_refuse(const char *name, GError **error);

#endif
