/*
 * QEMU's JSON objects: their headers moved in QEMU 10.0.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_QTEST_COMPAT_H
#define ISOLAB_QTEST_COMPAT_H

#if __has_include("qobject/qdict.h")
#include "qobject/qdict.h"
#include "qobject/qlist.h"
#else
#include "qapi/qmp/qdict.h"
#include "qapi/qmp/qlist.h"
#endif

#endif
