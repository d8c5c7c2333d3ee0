/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <stddef.h>
#include <string.h>

#include "isoav_ioctl.h"
#include "isolab/isoav.h"

#define FPS_MAX 60

/* An option that takes a number: a row each. */
typedef struct {
    const char *name;
    size_t offset; /* in args_options */
    uint32_t least;
    uint32_t most;
    uint32_t step;     /* the value is a multiple of it */
    unsigned commands; /* bit per args_command */
} number_option;

#define CAPTURE (1u << COMMAND_CAPTURE)
#define LOG (1u << COMMAND_LOG)
#define LOOPBACK (1u << COMMAND_LOOPBACK)
#define PLAY (1u << COMMAND_PLAY)
#define SELFTEST (1u << COMMAND_SELFTEST)
#define DEVICE                                                             \
    (1u << COMMAND_INFO | 1u << COMMAND_STATS | CAPTURE | LOG | LOOPBACK | \
     PLAY | SELFTEST)

static const number_option numbers[] = {
    { "--device", offsetof(args_options, device), 0, 99, 1, DEVICE },
    { "--frames", offsetof(args_options, frames), 1, 100000000, 1, CAPTURE },
    { "--width", offsetof(args_options, width), ISOAV_WIDTH_MIN,
      ISOAV_WIDTH_MAX, ISOAV_WIDTH_STEP, CAPTURE },
    { "--height", offsetof(args_options, height), ISOAV_HEIGHT_MIN,
      ISOAV_HEIGHT_MAX, ISOAV_HEIGHT_STEP, CAPTURE },
    { "--fps", offsetof(args_options, fps), 1, FPS_MAX, 1, CAPTURE },
    { "--alt", offsetof(args_options, alternate), 1, ISOAV_VIDEO_ALT_MAX, 1,
      CAPTURE | LOOPBACK | PLAY },
    { "--urbs", offsetof(args_options, urbs), ISOAV_URBS_MIN, ISOAV_URBS_MAX, 1,
      CAPTURE | LOOPBACK | PLAY },
    { "--count", offsetof(args_options, count), 1, 100000000, 1,
      LOOPBACK | CAPTURE },
    { "--packets", offsetof(args_options, packets), 1, ISOAV_PACKETS_MAX, 1,
      CAPTURE },
    { "--every", offsetof(args_options, every), 1, 100000000, 1, CAPTURE },
    { "--size", offsetof(args_options, size), ISOAV_LOG_ENTRIES_MIN,
      ISOAV_LOG_ENTRIES_MAX, 1, LOG },
};

static const char *const commands[] = {
    [COMMAND_HELP] = "help",         [COMMAND_LIST] = "list",
    [COMMAND_INFO] = "info",         [COMMAND_CAPTURE] = "capture",
    [COMMAND_LOG] = "log",           [COMMAND_STATS] = "stats",
    [COMMAND_LOOPBACK] = "loopback", [COMMAND_PLAY] = "play",
    [COMMAND_SELFTEST] = "selftest",
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static bool find_command(const char *name, args_command *command)
{
    size_t i;

    for (i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i]) == 0) {
            *command = (args_command)i;
            return true;
        }
    }
    return false;
}

/* Digits only; false also when the number does not fit 32 bits. */
static bool parse_number(const char *text, uint32_t *value)
{
    uint64_t number = 0;
    const char *at = text;

    for (; *at >= '0' && *at <= '9' && number <= UINT32_MAX; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *value = (uint32_t)number;
    return at != text && *at == '\0' && number <= UINT32_MAX;
}

static bool take_number(args_options *options, const number_option *row,
                        const char *text, char *error)
{
    uint32_t value;

    if (!parse_number(text, &value) || value < row->least ||
        value > row->most || value % row->step != 0) {
        if (row->step > 1) {
            snprintf(error, ARGS_ERROR_BYTES,
                     "%s takes a multiple of %u from %u to %u, not \"%.40s\"",
                     row->name, row->step, row->least, row->most, text);
        } else {
            snprintf(error, ARGS_ERROR_BYTES,
                     "%s takes a number from %u to %u, not \"%.40s\"",
                     row->name, row->least, row->most, text);
        }
        return false;
    }
    memcpy((char *)options + row->offset, &value, sizeof(value));
    return true;
}

/* An option that takes a text. */
static const struct {
    const char *name;
    size_t offset; /* in args_options */
    unsigned commands;
} texts[] = {
    { "--out", offsetof(args_options, out), CAPTURE },
    { "--wav", offsetof(args_options, wav), CAPTURE },
    { "--y4m", offsetof(args_options, y4m), CAPTURE },
    { "--record", offsetof(args_options, record), PLAY },
    { "--only", offsetof(args_options, only), SELFTEST },
};

static const char **find_text(args_options *options, const char *name)
{
    size_t i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(texts[i].name, name) == 0 &&
            (texts[i].commands & 1u << options->command)) {
            return (const char **)((char *)options + texts[i].offset);
        }
    }
    return NULL;
}

static const number_option *find_number(const char *name, unsigned command)
{
    size_t i;

    for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (strcmp(numbers[i].name, name) == 0 &&
            (numbers[i].commands & 1u << command)) {
            return &numbers[i];
        }
    }
    return NULL;
}

/* Options of capture that mean nothing with --wav. */
static bool is_of_video(const char *name)
{
    static const char *const names[] = { "--frames", "--width",   "--height",
                                         "--fps",    "--every",   "--out",
                                         "--y4m",    "--progress" };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

/* Options without a value. False: it is none of them. */
static bool take_flag(args_options *options, const char *name)
{
    if (strcmp(name, "--json") == 0) {
        options->json = true;
    } else if (options->command == COMMAND_CAPTURE &&
               strcmp(name, "--progress") == 0) {
        options->progress = true;
    } else if (options->command == COMMAND_LOG &&
               strcmp(name, "--errors") == 0) {
        options->errors = true;
    } else if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        options->topic = options->command;
        options->command = COMMAND_HELP;
    } else {
        return false;
    }
    return true;
}

/* The option at argv[0]; the number of arguments it took, 0 on error. */
static int take_option(args_options *options, int argc, char **argv,
                       char *error)
{
    const number_option *row = find_number(argv[0], options->command);
    const char **text = find_text(options, argv[0]);

    if (is_of_video(argv[0])) {
        options->video_option = argv[0];
    }
    if (!row && !text) {
        if (take_flag(options, argv[0])) {
            return 1;
        }
        if (options->command == COMMAND_PLAY && !options->file &&
            argv[0][0] != '-') {
            options->file = argv[0];
            return 1;
        }
        snprintf(error, ARGS_ERROR_BYTES,
                 "%s has no option \"%.40s\"; see isoav %s --help",
                 commands[options->command], argv[0],
                 commands[options->command]);
        return 0;
    }
    if (argc < 2) {
        snprintf(error, ARGS_ERROR_BYTES, "%s needs a value", argv[0]);
        return 0;
    }
    if (text) {
        *text = argv[1];
        return 2;
    }
    return take_number(options, row, argv[1], error) ? 2 : 0;
}

static bool parse_help(args_options *options, int argc, char **argv,
                       char *error)
{
    options->command = COMMAND_HELP;
    options->topic = COMMAND_HELP;
    if (argc == 0 || (argc == 1 && find_command(argv[0], &options->topic))) {
        return true;
    }
    snprintf(error, ARGS_ERROR_BYTES, "there is no help on \"%.40s\"",
             argv[argc - 1]);
    return false;
}

/* What capture's options must be together. */
static bool check_capture(const args_options *options, char *error)
{
    if (options->wav && options->video_option) {
        snprintf(error, ARGS_ERROR_BYTES,
                 "%s is for video, and --wav takes the test stream",
                 options->video_option);
    } else if (!options->wav && options->count) {
        snprintf(error, ARGS_ERROR_BYTES,
                 "--count goes with --wav; video has --frames");
    }
    return !error[0];
}

bool args_parse(args_options *options, int argc, char **argv,
                char error[ARGS_ERROR_BYTES])
{
    memset(options, 0, sizeof(*options));
    options->frames = 300;
    options->fps = 30;
    options->every = 30;
    error[0] = '\0';
    if (argc == 0) {
        snprintf(error, ARGS_ERROR_BYTES,
                 "a command is missing: list, info, capture, play, loopback, "
                 "selftest, stats, log or help");
        return false;
    }
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 ||
        strcmp(argv[0], "help") == 0) {
        return parse_help(options, argc - 1, argv + 1, error);
    }
    if (!find_command(argv[0], &options->command)) {
        snprintf(error, ARGS_ERROR_BYTES,
                 "there is no command \"%.40s\"; see isoav --help", argv[0]);
        return false;
    }
    if (options->command == COMMAND_LOOPBACK) {
        options->alternate = 1;
    }
    argc--;
    argv++;
    while (argc > 0 && options->command != COMMAND_HELP) {
        int taken = take_option(options, argc, argv, error);

        if (taken == 0) {
            return false;
        }
        argc -= taken;
        argv += taken;
    }
    if (options->command == COMMAND_CAPTURE && !check_capture(options, error)) {
        return false;
    }
    if (!options->count) {
        options->count = 8192;
    }
    return true;
}
