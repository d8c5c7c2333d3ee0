/*
 * Migration. For now the controller declares itself not migratable: a state
 * that would travel in part is worse than none, and QEMU says so in one
 * sentence when it is asked.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "core.h"

const VMStateDescription ixhci_vmstate = {
    .name = "ixhci",
    .unmigratable = 1,
};
