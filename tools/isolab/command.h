/*
 * isolab: what a command is.
 *
 *  1. A command is a row: its name, its options, the words of its help, a
 *     function. The parser, the help, the man page's test and the completion
 *     of two shells read the same row; nothing is said twice.
 *  2. A command either does something (run) or is a family of others (verbs,
 *     as `fault` is). A new one is a file with its row and a line in table.c.
 *  3. A function that fails sets a GError whose message is one sentence that
 *     says what to do, and whose code is the exit status (isolab_status).
 *     Nobody but main prints it, and nobody calls exit().
 *  4. Results go to standard output, JSON with --json; progress and errors to
 *     standard error.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_COMMAND_H
#define ISOLAB_COMMAND_H

#include <gio/gio.h>
#include <stdbool.h>
#include <stddef.h>
#include <inttypes.h>

/* Exit statuses. They are in the man page, and do not change. */
typedef enum {
    ISOLAB_OK = 0,
    ISOLAB_FAILED = 1,   /* done, and the answer is no */
    ISOLAB_USAGE = 2,    /* the command line, or a file it names */
    ISOLAB_NO_END = 3,   /* the guest did not start, or not end by itself */
    ISOLAB_NO_GUEST = 4, /* nothing runs that could be talked to */
    ISOLAB_INTERRUPTED = 130, /* Ctrl-C */
    ISOLAB_TERMINATED = 143,  /* SIGTERM */
} isolab_status;

#define ISOLAB_ERROR isolab_error_quark()
GQuark isolab_error_quark(void);

/* What the value of an option is; completion offers what fits. */
typedef enum {
    ISOLAB_FLAG,    /* bool: none */
    ISOLAB_TEXT,    /* char * */
    ISOLAB_TEXTS,   /* char **: the option may be repeated */
    ISOLAB_FILE,    /* char * */
    ISOLAB_FOLDER,  /* char * */
    ISOLAB_NUMBER,  /* int64_t, 1 or more; 0: not given */
    ISOLAB_SECONDS, /* double, above 0; 0: not given */
} isolab_kind;

typedef struct {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* 0: none */
    isolab_kind kind;
    size_t offset;       /* of its value in the command's options */
    const char *value;   /* the value's name in the help */
    const char *text;    /* what it does */
    const char *choices; /* words that the value can be; NULL: any */
} isolab_option;

typedef struct isolab_command isolab_command;

/* One call of a command. */
typedef struct {
    const isolab_command *command;
    void *options;   /* the command's own struct, filled in */
    char **operands; /* as many as the row allows; NULL ends them */
    char **rest;     /* behind "--"; NULL: no "--" */
    bool json;
    bool quiet;
    char *qmp; /* the socket of a QEMU; NULL: of the guest that runs */
    char *vm;  /* the guest's name, if several run */
} isolab_call;

struct isolab_command {
    const char *name;
    const char *summary;  /* for the list, one line */
    const char *operands; /* as the usage shows them; NULL: none */
    const char *about;    /* what a newcomer has to know, in lines */
    const char *examples; /* "$ command" and "# what it does" lines */
    const char *choices;  /* words that the first operand can be */
    bool takes_files;     /* operands name files */
    bool takes_rest;      /* "-- ARGUMENT..." goes on to QEMU */
    bool talks;           /* to a guest that runs: --qmp and --vm are for it */
    unsigned min_operands;
    unsigned max_operands;
    const isolab_option *options;
    size_t options_bytes;
    int (*run)(const isolab_call *call, GError **error);
    const isolab_command *const *verbs; /* NULL ends them */
};

/* table.c: all of them; NULL ends them */
extern const isolab_command *const isolab_commands[];

/* The options that every command has. */
extern const isolab_option isolab_common_options[];
extern const isolab_option isolab_talk_options[];

/* options.c */
const isolab_command *isolab_find_command(const isolab_command *const *table,
                                          const char *name);
/* The word of a table that name was most likely meant to be, or NULL. */
const char *isolab_guess(const isolab_command *const *table, const char *name);

/*
 * Takes the words behind the command's name. False with an error: a usage
 * error. *help is set when help was asked for, and nothing else is then looked
 * at.
 */
bool isolab_parse(isolab_call *call, const isolab_command *command,
                  char *const *words, bool *help, GError **error);
void isolab_call_clear(isolab_call *call);

/* usage.c: text for people. path: "fault add". Caller frees. */
char *isolab_usage_all(void);
char *isolab_usage_of(const isolab_command *command, const char *path);

#endif
