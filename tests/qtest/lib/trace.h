/*
 * QEMU's trace of one event, in a file that the test removes (g_unlink).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_TRACE_H
#define TESTS_QTEST_LIB_TRACE_H

#include "hcd.h"

/* `more` and what QEMU's command line needs; *log is the name of the file.
 * `event` is a name, or a pattern. */
char *hcd_trace_args(const char *more, const char *event, char **log);
char *hcd_trace_text(const char *log);
unsigned hcd_trace_count(const char *log, const char *word);

#endif
