/*
 * isolab, the host's command. This file finds the command that a line of
 * words means, has it run, and says in one sentence why it could not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>

static int complain(const GError *error)
{
    fprintf(stderr, "isolab: %s\n", error->message);
    return error->domain == ISOLAB_ERROR ? error->code : ISOLAB_FAILED;
}

static int no_such(const isolab_command *const *table, const char *path,
                   const char *name)
{
    const char *guess = isolab_guess(table, name);

    fprintf(stderr, "isolab: there is no command '%s%s'", path, name);
    if (guess) {
        fprintf(stderr, "; did you mean '%s%s'?\n", path, guess);
    } else {
        fprintf(stderr, "; `isolab help` lists those that there are.\n");
    }
    return ISOLAB_USAGE;
}

static int show(char *text, FILE *to)
{
    fputs(text, to);
    g_free(text);
    return to == stdout ? ISOLAB_OK : ISOLAB_USAGE;
}

static int run_command(const isolab_command *command, const char *path,
                       char *const *words)
{
    g_autoptr(GError) error = NULL;
    isolab_call call = { NULL };
    bool help;
    int status;

    if (!isolab_parse(&call, command, words, &help, &error)) {
        status = complain(error);
    } else if (help) {
        status = show(isolab_usage_of(command, path), stdout);
    } else {
        status = command->run(&call, &error);
        status = error ? complain(error) : status;
    }
    isolab_call_clear(&call);
    return status;
}

static bool is_help(const char *word)
{
    return g_str_equal(word, "--help") || g_str_equal(word, "-h") ||
           g_str_equal(word, "help");
}

/* help COMMAND [VERB] */
static int help_on(char *const *words)
{
    const isolab_command *const *table = isolab_commands;
    const isolab_command *command = NULL;
    g_autoptr(GString) path = g_string_new(NULL);

    if (!*words) {
        return show(isolab_usage_all(), stdout);
    }
    for (; *words && table; words++) {
        command = isolab_find_command(table, *words);
        if (!command) {
            return no_such(table, path->str, *words);
        }
        g_string_append_printf(path, "%s%s", path->len ? " " : "", *words);
        table = command->verbs;
    }
    return show(isolab_usage_of(command, path->str), stdout);
}

static int run_verb(const isolab_command *family, char *const *words)
{
    g_autofree char *path = g_strdup_printf("%s ", family->name);
    g_autofree char *whole = NULL;
    const isolab_command *verb;

    if (!*words) {
        return show(isolab_usage_of(family, family->name), stderr);
    }
    if (is_help(*words)) {
        return show(isolab_usage_of(family, family->name), stdout);
    }
    verb = isolab_find_command(family->verbs, *words);
    if (!verb) {
        return no_such(family->verbs, path, *words);
    }
    whole = g_strdup_printf("%s%s", path, verb->name);
    return run_command(verb, whole, words + 1);
}

static int run_words(char *const *words)
{
    const isolab_command *command;

    if (!*words) {
        return show(isolab_usage_all(), stderr);
    }
    if (is_help(*words)) {
        return help_on(words + 1);
    }
    if (g_str_equal(*words, "--version")) {
        printf("isolab %s, for QEMU %s\n", ISOLAB_VERSION, ISOLAB_QEMU_VERSION);
        return ISOLAB_OK;
    }
    command = isolab_find_command(isolab_commands, *words);
    if (!command) {
        return no_such(isolab_commands, "", *words);
    }
    if (command->verbs) {
        return run_verb(command, words + 1);
    }
    return run_command(command, command->name, words + 1);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    /* who reads us may be gone: writing then fails, and that is enough */
    signal(SIGPIPE, SIG_IGN);
    return run_words(argc ? argv + 1 : argv);
}
