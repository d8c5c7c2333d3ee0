/*
 * The QEMU headers that the model needs, and what differs between versions.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_COMPAT_H
#define IXHCI_COMPAT_H

#include "qemu/osdep.h"

#include "hw/compat.h"

#include "hw/pci/msi.h"
#include "hw/pci/msix.h"
#include "hw/pci/pci.h"
#include "hw/qdev-properties-system.h"
#include "hw/qdev-properties.h"
#include "hw/usb.h"
#include "migration/vmstate.h"
#include "qapi/error.h"
#if __has_include("system/runstate.h")
#include "system/runstate.h"
#else
#include "sysemu/runstate.h"
#endif
#include "qemu/log.h"
#include "qemu/module.h"
#include "qemu/queue.h"
#include "qemu/timer.h"

#endif
