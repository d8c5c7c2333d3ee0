/*
 * Fault plans in tests: set, read back, and what they logged. In a plan that
 * is written here ' stands for ", so that C can be read.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_FAULT_H
#define TESTS_QTEST_LIB_FAULT_H

#include "hcd.h"

/* A plan of one rule, or the whole; it must be taken. "" clears. */
void fault_rule(Hcd *h, const char *format, ...) G_GNUC_PRINTF(2, 3);
void fault_plan(Hcd *h, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* It must be refused; why. */
char *fault_refusal(Hcd *h, const char *plan);
/* fault-plan, fault-log, fault-seams, fault-log-file. */
char *fault_get(Hcd *h, const char *property);
/* Lines of the log that have `text`, with ' for ". */
unsigned fault_count(Hcd *h, const char *text);
#define fault_expect(h, text, want)                                         \
    do {                                                                    \
        unsigned got_ = fault_count(h, text);                               \
        g_autofree char *log_ = fault_get(h, "fault-log");                  \
        hcd_check(got_ == (want), "%u lines with %s, expected %u, in:\n%s", \
                  got_, text, (unsigned)(want), log_);                      \
    } while (0)

#endif
