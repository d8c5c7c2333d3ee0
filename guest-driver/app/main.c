/*
 * isoav.exe, a console program: see help.c for what it does.
 *
 *   args, help      what is asked for                      (pure)
 *   account         what happened to each packet           (pure)
 *   frame           packets to pictures                    (pure)
 *   choose          which alternate carries a format       (pure)
 *   png             pictures to files                      (pure)
 *   report          the summary                            (pure)
 *   usbdname        names of USBD_STATUS                   (pure)
 *   ntname          names of NTSTATUS                      (pure)
 *   packetlog       entries of the packet log              (pure)
 *   testdata        packets of the test streams            (pure)
 *   verdict         what selftest says                     (pure)
 *   wav             WAV and Y4M files                      (pure)
 *   device, stream  the driver's requests, one stream      (Windows)
 *   loop            out and back                           (Windows)
 *   capture, record, info,
 *   log, stats, loopback,
 *   selftest        the commands                           (Windows)
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

static int (*const commands[])(const args_options *options) = {
    [COMMAND_LIST] = app_list,       [COMMAND_INFO] = app_info,
    [COMMAND_CAPTURE] = app_capture, [COMMAND_LOG] = app_log,
    [COMMAND_STATS] = app_stats,     [COMMAND_LOOPBACK] = app_loopback,
    [COMMAND_PLAY] = app_play,       [COMMAND_SELFTEST] = app_selftest,
};

int main(int argc, char **argv)
{
    char error[ARGS_ERROR_BYTES];
    args_options options;

    /* One byte written is one byte in the file, as on other systems. */
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    if (!args_parse(&options, argc - 1, argv + 1, error)) {
        fprintf(stderr, "isoav: %s\n", error);
        return 2;
    }
    if (options.command == COMMAND_HELP) {
        args_help(stdout, options.topic);
        return 0;
    }
    return commands[options.command](&options);
}
