/*
 * What a terminal is told: its width, one line of progress, the moves that a
 * live view makes. Plain ANSI (ECMA-48); nothing of it where output is no
 * terminal.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_TERMINAL_H
#define ISOLAB_TERMINAL_H

#include <stdbool.h>

/* Columns of what fd is; `none` if that is no terminal. */
int isolab_terminal_width(int fd, int none);
int isolab_terminal_height(int fd, int none);
bool isolab_terminal_is(int fd);

/* A live view: takes the whole screen, and gives it back. */
void isolab_terminal_begin(void);
void isolab_terminal_draw(const char *text);
void isolab_terminal_end(void);

#endif
