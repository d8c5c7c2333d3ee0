/*
 * The table that the module and the fuzzer share.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_FUZZ_COVERAGE_H
#define TESTS_FUZZ_COVERAGE_H

#define FUZZ_COVERAGE_BYTES 65536

#endif
