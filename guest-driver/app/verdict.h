/*
 * What selftest says of its tests: TAP, or with --json one object.
 *
 * Pure: no Windows types.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_VERDICT_H
#define ISOAV_APP_VERDICT_H

#include <stdbool.h>
#include <stdio.h>

typedef struct {
    FILE *to;
    bool json;
    unsigned tests, failed; /* 0 to begin with */
} verdict;

/* A test has run; why is NULL if it passed, else a sentence. */
void verdict_test(verdict *v, const char *name, const char *why);

/* There are no more; why is NULL, or says why the rest did not run. */
void verdict_end(verdict *v, const char *why);

#endif
