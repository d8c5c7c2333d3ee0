/*
 * DbgPrint: what the driver says goes to the bridge's log, where Wine would
 * drop it. The format is formatted by Wine's own routine, because Windows'
 * conversions differ from the C library's here.
 *
 * A driver under test may say "verifier: fail N": its allocation number N from
 * then on fails.
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

int __cdecl _vsnprintf(char *text, size_t bytes, const char *format,
                       __builtin_ms_va_list args);

static void print(const char *format, __builtin_ms_va_list args)
{
    char text[240];
    size_t length;

    _vsnprintf(text, sizeof(text) - 1, format, args);
    text[sizeof(text) - 1] = 0;
    length = strlen(text);
    if (length && text[length - 1] == '\n') {
        text[length - 1] = 0;
    }
    if (!strncmp(text, "verifier: fail ", 15)) {
        verify_pool_fail(atoi(text + 15));
        return;
    }
    bridge_log("driver says: %s", text);
}

static ULONG WINAPIV dbg_print(const char *format, ...)
{
    __builtin_ms_va_list args;

    __builtin_ms_va_start(args, format);
    print(format, args);
    __builtin_ms_va_end(args);
    return STATUS_SUCCESS;
}

static ULONG WINAPIV dbg_print_ex(ULONG component, ULONG level,
                                  const char *format, ...)
{
    __builtin_ms_va_list args;

    __builtin_ms_va_start(args, format);
    print(format, args);
    __builtin_ms_va_end(args);
    return STATUS_SUCCESS;
}

const ShimImport shim_print_imports[] = {
    { "DbgPrint", dbg_print },
    { "DbgPrintEx", dbg_print_ex },
    { NULL, NULL },
};
