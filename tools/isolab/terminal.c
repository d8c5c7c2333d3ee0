/*
 * The terminal. See terminal.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "terminal.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The alternate screen keeps what was on the user's; the cursor only blinks
 * in the way. */
#define BEGIN "\033[?1049h\033[?25l\033[2J"
#define END "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_TO_END_OF_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

bool isolab_terminal_is(int fd)
{
    return isatty(fd);
}

int isolab_terminal_width(int fd, int none)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col
                                                            : none;
}

int isolab_terminal_height(int fd, int none)
{
    struct winsize size;

    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row ? size.ws_row
                                                            : none;
}

void isolab_terminal_begin(void)
{
    fputs(BEGIN, stdout);
    fflush(stdout);
}

/* Over what is there, line by line, so that nothing flickers. */
void isolab_terminal_draw(const char *text)
{
    int lines = isolab_terminal_height(STDOUT_FILENO, 24) - 1;

    fputs(HOME, stdout);
    for (; *text && lines > 0; text++) {
        if (*text == '\n') {
            fputs(CLEAR_TO_END_OF_LINE, stdout);
            lines--;
        }
        putchar(*text);
    }
    fputs(CLEAR_BELOW, stdout);
    fflush(stdout);
}

void isolab_terminal_end(void)
{
    fputs(END, stdout);
    fflush(stdout);
}
