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
