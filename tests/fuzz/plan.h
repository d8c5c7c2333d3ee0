/*
 * Fault plans for the fuzzer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_PLAN_H
#define TESTS_FUZZ_PLAN_H

#include <stdint.h>

/* JSON; to be freed. */
char *fuzz_plan(uint32_t seed);

#endif
