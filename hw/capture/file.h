/*
 * The file of a capture: written in large pieces, and never waited for. What
 * cannot be written is an error that stays; nothing behind it is written, so
 * that the file has whole records up to there, and perhaps a part of one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_CAPTURE_FILE_H
#define ISOLAB_CAPTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct isolab_capture_file isolab_capture_file;

/* A file that is made anew, or a pipe that somebody reads. NULL: no, and
 * *error says why in one sentence (g_free). */
isolab_capture_file *isolab_capture_file_open(const char *path, char **error);

/* False: an error, now or before. */
bool isolab_capture_file_add(isolab_capture_file *f, const void *bytes,
                             size_t count);
bool isolab_capture_file_flush(isolab_capture_file *f);

/* NULL, or why it ended (g_free). */
char *isolab_capture_file_error(const isolab_capture_file *f);

/* Flushes, too. False: an error, now or before; f is freed either way. */
bool isolab_capture_file_close(isolab_capture_file *f);

#endif
