/*
 * The machine as it is, in its own disk (a snapshot of QEMU's): what Ctrl-C in
 * the middle of Windows' setup leaves, because setup itself cannot go on after
 * its machine was switched off.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WINDOWS_SAVED_H
#define ISOLAB_WINDOWS_SAVED_H

#include "qmp.h"

/* Stops the machine and saves it. QEMU answers nothing while it writes the
 * machine's memory, for minutes if that is large: `is_enough` alone ends the
 * waiting, as in qmp.h. False with an error: nothing is saved. */
bool windows_saved_write(isolab_qmp *q, bool (*is_enough)(void *opaque),
                         void *opaque, GError **error);
/* Takes it out of the disk again, once it has been loaded. */
bool windows_saved_remove(isolab_qmp *q, bool (*is_enough)(void *opaque),
                          void *opaque, GError **error);

#endif
