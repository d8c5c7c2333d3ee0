/*
 * Where QEMU's interface for devices changed between the versions that the
 * module is built for: 7.2 (Debian 12) and 10.0 (Debian 13). The names here
 * are the newer ones where QEMU has a name for it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_COMPAT_H
#define ISOLAB_COMPAT_H

#include "qemu/osdep.h"

#include "hw/qdev-core.h"
#include "hw/qdev-properties.h"

/* 10.0: the headers of JSON objects moved. */
#if __has_include("qobject/qdict.h")
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#else
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qlist.h"
#endif

/* 10.0: what is of the whole machine has another folder. */
#if __has_include("system/runstate.h")
#include "system/runstate.h"
#include "system/system.h"
#else
#include "sysemu/runstate.h"
#include "sysemu/sysemu.h"
#endif

/*
 * An array of properties is ISOLABProperty[] and closes with
 * ISOLAB_PROPERTIES_END: since 10.0 it is constant and its length is known.
 */
#if QEMU_VERSION_MAJOR >= 10
typedef const Property ISOLABProperty;
#define ISOLAB_PROPERTIES_END
#else
typedef Property ISOLABProperty;
#define ISOLAB_PROPERTIES_END DEFINE_PROP_END_OF_LIST(),
#endif

/* 9.2: an ordinary reset function is set by a call. */
#if QEMU_VERSION_MAJOR < 9 || \
    (QEMU_VERSION_MAJOR == 9 && QEMU_VERSION_MINOR < 2)
static inline void device_class_set_legacy_reset(DeviceClass *dc,
                                                 void (*reset)(DeviceState *))
{
    dc->reset = reset;
}
#endif

#endif
