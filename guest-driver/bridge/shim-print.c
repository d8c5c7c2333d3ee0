/*
 * DbgPrint: what the driver says goes to the bridge's log, where Wine would
 * drop it. The format is formatted by Wine's own routine, because Windows'
 * conversions differ from the C library's here.
 *
 * A driver under test may talk to the verifier; DbgPrint returns the answer:
 *
 *   "verifier: fail N"     its allocation number N from then on fails
 *   "verifier: blocks"     how many blocks of pool are allocated
 *   "verifier: said TEXT"  1 when the last line that was said has TEXT, and is
 *                          then forgotten; else 0
 *
 * SPDX-License-Identifier: MIT
 */
#include "verify.h"

#include <stdlib.h>
#include <string.h>

int __cdecl _vsnprintf(char *text, size_t bytes, const char *format,
                       __builtin_ms_va_list args);

static char last_said[240];

static ULONG answer(const char *question)
{
    if (!strncmp(question, "fail ", 5)) {
        verify_pool_fail(atoi(question + 5));
    } else if (!strcmp(question, "blocks")) {
        return verify_pool_counts().blocks;
    } else if (!strncmp(question, "said ", 5) &&
               strstr(last_said, question + 5)) {
        last_said[0] = 0;
        return 1;
    }
    return 0;
}

static ULONG print(const char *format, __builtin_ms_va_list args)
{
    char text[240];
    size_t length;

    _vsnprintf(text, sizeof(text) - 1, format, args);
    text[sizeof(text) - 1] = 0;
    length = strlen(text);
    if (length && text[length - 1] == '\n') {
        text[length - 1] = 0;
    }
    if (!strncmp(text, "verifier: ", 10)) {
        return answer(text + 10);
    }
    memcpy(last_said, text, sizeof(text));
    bridge_log("driver says: %s", text);
    return STATUS_SUCCESS;
}

static ULONG WINAPIV dbg_print(const char *format, ...)
{
    __builtin_ms_va_list args;
    ULONG status;

    __builtin_ms_va_start(args, format);
    status = print(format, args);
    __builtin_ms_va_end(args);
    return status;
}

static ULONG WINAPIV dbg_print_ex(ULONG component, ULONG level,
                                  const char *format, ...)
{
    __builtin_ms_va_list args;
    ULONG status;

    __builtin_ms_va_start(args, format);
    status = print(format, args);
    __builtin_ms_va_end(args);
    return status;
}

const ShimImport shim_print_imports[] = {
    { "DbgPrint", dbg_print },
    { "DbgPrintEx", dbg_print_ex },
    { NULL, NULL },
};
