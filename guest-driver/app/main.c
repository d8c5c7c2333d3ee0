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
 *   packetlog       entries of the packet log              (pure)
 *   device          the driver's requests                  (Windows)
 *   capture, info,
 *   log             the commands                           (Windows)
 *
 * SPDX-License-Identifier: MIT
 */
#include "app.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>

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
    switch (options.command) {
    case COMMAND_LIST:
        return app_list(&options);
    case COMMAND_INFO:
        return app_info(&options);
    case COMMAND_CAPTURE:
        return app_capture(&options);
    case COMMAND_LOG:
        return app_log(&options);
    default:
        args_help(stdout, options.topic);
        return 0;
    }
}
