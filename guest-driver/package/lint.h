/*
 * The checks of inflint: what Windows wants of an INF, and what it would only
 * say at the target machine, in setupapi.dev.log.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PACKAGE_LINT_H
#define ISOLAB_PACKAGE_LINT_H

#include "inf.h"

typedef struct Lint {
    Inf inf;
    const char *bytes; /* of the file, `length` of them */
    gsize length;
    const char *folder;      /* where the package's files are, or NULL */
    const char *hardware_id; /* that a model must have, or NULL */
} Lint;

/* Parses and checks; what is wrong is in lint->inf.complaints. */
void lint_run(Lint *lint);

/* NULL, or what is wrong with a security descriptor in SDDL (sddl.c). */
const char *sddl_check(const char *text);

#endif
