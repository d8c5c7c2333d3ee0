/*
 * Writing HTML: text from elsewhere (names of files, words of a driver, a
 * plan's rule) goes in as text, whatever is in it.
 *
 * Pure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_HTML_H
#define ISOLAB_HTML_H

#include <glib.h>

/* For the contents of an element and for a quoted attribute. What is no UTF-8
 * and what is no character of HTML becomes U+FFFD. */
void html_text(GString *out, const char *text);
void html_printf(GString *out, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Cells of a table, each escaped; NULL ends them. */
void html_cells(GString *out, const char *tag, ...) G_GNUC_NULL_TERMINATED;

/* A JSON string, quotes and all, that can stand in a <script>. */
void html_json_text(GString *out, const char *text);

/* "data:TYPE;base64,..." */
void html_data(GString *out, const char *type, const void *data, gsize bytes);

#endif
