/*
 * Guests that run: where they are written down, and how another command finds
 * the one that is meant.
 *
 *  1. $XDG_RUNTIME_DIR/isolab, or /tmp/isolab-UID without that variable, has
 *     a folder for each guest that `isolab run` started: "qmp", the socket
 *     for other commands; "vm.json", what it is; "lock". Only the user can
 *     enter it (mode 0700); somebody else's folder of that name is refused.
 *  2. The lock is held as long as that isolab lives. A folder whose lock is
 *     free is of one that was killed, and whoever finds it removes it.
 *  3. Entries are made and removed with the upper folder itself locked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_VM_H
#define ISOLAB_VM_H

#include "command.h"
#include "qmp.h"

typedef struct isolab_vm isolab_vm;

/* A new entry. The name is made from `kind`, and no other guest's. */
isolab_vm *isolab_vm_create(const char *kind, GError **error);
const char *isolab_vm_name(const isolab_vm *vm);
/* A socket that listens at "qmp", for a QEMU to inherit; -1 with an error. */
int isolab_vm_listen(const isolab_vm *vm, GError **error);
/* From now on it is seen. Adds name, pid and qmp to `about`. */
bool isolab_vm_announce(const isolab_vm *vm, JsonObject *about, GError **error);
/* Removes the entry and frees it. */
void isolab_vm_remove(isolab_vm *vm);

/* Those that are announced: JsonObject {name, pid, qmp, guest, out, ...}. */
GPtrArray *isolab_vm_list(GError **error);

/* The socket that a call means: its --qmp, its --vm, or the only guest. */
char *isolab_vm_socket(const isolab_call *call, GError **error);

/*
 * A connection to that guest, and the QOM path of its first ixhci. The caller
 * frees *controller. `controller` may be NULL.
 */
isolab_qmp *isolab_vm_connect(const isolab_call *call, char **controller,
                              GError **error);
/* The QOM path of the first ixhci; NULL with an error. */
char *isolab_vm_controller(isolab_qmp *q, GError **error);

#endif
