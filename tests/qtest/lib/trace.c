/*
 * What QEMU's trace says: of what leaves no trace in a guest, such as a message
 * that is sent twice to the same address.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "trace.h"

char *hcd_trace_args(const char *more, const char *event, char **log)
{
    g_autofree char *name = g_strdup_printf("ixhci-trace-%d", getpid());

    *log = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_unlink(*log);
    return g_strdup_printf("%s -trace %s -D %s", more, event, *log);
}

char *hcd_trace_text(const char *log)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
    return text;
}

unsigned hcd_trace_count(const char *log, const char *word)
{
    g_autofree char *text = hcd_trace_text(log);
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, word)); at++) {
        count++;
    }
    return count;
}
