/*
 * ixhci's property `capture`: what passes over its bus, into a file.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_CAPTURE_CAPTURE_H
#define ISOLAB_CAPTURE_CAPTURE_H

#include "hw/xhci/core.h"

void ixhci_capture_class_init(ObjectClass *klass);
bool ixhci_capture_realize(IxhciState *x, Error **errp);
void ixhci_capture_exit(IxhciState *x);

#endif
