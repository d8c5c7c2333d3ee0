/*
 * The command line: what is asked for, or one sentence about what is wrong.
 *
 * Pure: no Windows types, no I/O but the printing of the help.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_ARGS_H
#define ISOAV_APP_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    COMMAND_HELP,
    COMMAND_LIST,
    COMMAND_INFO,
    COMMAND_CAPTURE,
    COMMAND_LOG,
    COMMAND_STATS,
    COMMAND_LOOPBACK,
    COMMAND_PLAY,
    COMMAND_SELFTEST,
} args_command;

typedef struct {
    args_command command;
    args_command topic; /* of COMMAND_HELP; COMMAND_HELP itself: overview */
    uint32_t device;    /* which one of several, from 0 */
    uint32_t frames;
    uint32_t width, height; /* 0: what goes through the bus */
    uint32_t fps;
    uint32_t alternate; /* 0: choose */
    uint32_t urbs;      /* 0: the driver's default */
    uint32_t packets;   /* 0: the driver's default */
    uint32_t every;     /* write every n-th frame */
    uint32_t count;     /* packets of a loopback */
    const char *file;   /* the WAV file of play */
    const char *record; /* where play writes what came back; NULL: nowhere */
    const char *wav;    /* capture of the test stream; NULL: of video */
    const char *video_option; /* the last one that only video has; or NULL */
    const char *y4m;          /* where capture writes a video; NULL: nowhere */
    const char *only; /* selftest: tests with this in their names; NULL: all */
    const char *out;  /* folder for pictures; NULL: write none */
    uint32_t size;    /* of the packet log, in entries; 0: leave it */
    bool errors;      /* only what went wrong */
    bool json;
    bool progress; /* also where nobody watches */
} args_options;

#define ARGS_ERROR_BYTES 160

/* argv without the program's name. False: error says why. */
bool args_parse(args_options *options, int argc, char **argv,
                char error[ARGS_ERROR_BYTES]);

void args_help(FILE *to, args_command topic);

#endif
