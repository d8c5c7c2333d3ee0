/*
 * A command line for QEMU, word by word.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_LINE_H
#define ISOLAB_LINE_H

#include <glib.h>

void isolab_line_add_words(GPtrArray *line, const char *const *words);
#define isolab_line_add(line, ...) \
    isolab_line_add_words(line, (const char *const[]){ __VA_ARGS__, NULL })
void isolab_line_add_format(GPtrArray *line, const char *option,
                            const char *format, ...) G_GNUC_PRINTF(3, 4);
/* A value among others: QEMU wants a comma doubled. The caller frees. */
char *isolab_line_quote(const char *value);
/* option, and the words `before` with the path of folder/name behind them */
void isolab_line_add_file(GPtrArray *line, const char *option,
                          const char *before, const char *folder,
                          const char *name);
/* The two QMP sockets of process.c, and a machine that begins stopped and
 * does not end with its guest. */
void isolab_line_add_control(GPtrArray *line);

#endif
