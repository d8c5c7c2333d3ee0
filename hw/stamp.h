/*
 * Does a QEMU binary belong to the source that this build was made from?
 *
 * QEMU gives every build a stamp, a hash over version, package version and
 * configure script, which its own modules carry and its binary contains. Two
 * QEMUs with the same stamp agree on every structure that a module shares
 * with them. The launcher asks before it starts QEMU, the module when it is
 * loaded. Compiled into both; QEMU's headers are not needed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_STAMP_H
#define ISOLAB_STAMP_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    ISOLAB_STAMP_SAME,
    ISOLAB_STAMP_OTHER,
    ISOLAB_STAMP_UNREADABLE, /* errno says why */
} isolab_stamp;

/* Whether the file has the stamp that this build was made for. */
isolab_stamp isolab_stamp_check(const char *path);

/*
 * What `path --version` says behind "version ": 7.2.22 (Debian 1:7.2+...).
 * False when it says nothing of the kind, as a program does that is no QEMU.
 */
bool isolab_stamp_version(const char *path, char *version, size_t size);

/* One sentence on stderr that names both versions; does not return. */
_Noreturn void isolab_stamp_refuse(const char *who, const char *path);

#endif
