/* SPDX-License-Identifier: MIT */
#include "verify.h"

#include <stdio.h>

void verify_report(const char *format, ...)
{
    char text[200];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    bridge_log("verifier: %s", text);
}

VerifyBalance verify_balance(void)
{
    return (VerifyBalance){ shim_irql(), shim_owned_mutexes() };
}

void verify_check_balance(const char *what, VerifyBalance before)
{
    if (shim_irql() != before.irql) {
        verify_report("%s began at IRQL %u and ended at %u", what, before.irql,
                      shim_irql());
        shim_lower_irql(before.irql);
    }
    shim_check_no_lock(what);
    shim_check_mutexes(what, before.mutexes);
}
