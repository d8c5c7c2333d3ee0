/*
 * inflint: says what is wrong with an INF, a line for each complaint.
 *
 *   inflint [--folder PACKAGE] [--hardware-id ID] isoav.inf
 *
 * The device that the INF must be for is that of isolab/isoav.h, unless
 * another is given. Exit status 1 when there was a complaint.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>

#include <isolab/isoav.h>

#include "lint.h"

static char *folder;
static char *hardware_id;
static char **files;

static const GOptionEntry options[] = {
    { "folder", 0, 0, G_OPTION_ARG_FILENAME, &folder,
      "where the files are that the INF names", "FOLDER" },
    { "hardware-id", 0, 0, G_OPTION_ARG_STRING, &hardware_id,
      "the device that the INF must be for", "ID" },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL,
      "INF" },
    { 0 },
};

static gboolean lint_file(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = NULL;
    Lint lint = { .folder = folder, .hardware_id = hardware_id };
    gboolean clean;

    if (!g_file_get_contents(name, &bytes, &lint.length, &error)) {
        fprintf(stderr, "inflint: %s\n", error->message);
        return FALSE;
    }
    lint.bytes = bytes;
    lint_run(&lint);
    for (guint i = 0; i < lint.inf.complaints->len; i++) {
        printf("%s:%s\n", name, (char *)lint.inf.complaints->pdata[i]);
    }
    clean = lint.inf.complaints->len == 0;
    inf_clear(&lint.inf);
    return clean;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || !files ||
        files[1]) {
        fprintf(stderr, "inflint: %s\n",
                error ? error->message : "name one INF");
        return 2;
    }
    if (!hardware_id) {
        hardware_id = g_strdup_printf("USB\\VID_%04X&PID_%04X", ISOAV_VENDOR_ID,
                                      ISOAV_PRODUCT_ID);
    }
    return lint_file(files[0]) ? 0 : 1;
}
