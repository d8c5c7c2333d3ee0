/*
 * isolab completion: scripts for bash and zsh, out of the table of commands.
 *
 * One list of words for each command and one rule for each option that takes a
 * value; the shell's own completion does the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

static bool takes_file(const isolab_option *o)
{
    return o->kind == ISOLAB_FILE;
}

static bool takes_folder(const isolab_option *o)
{
    return o->kind == ISOLAB_FOLDER;
}

static bool takes_text(const isolab_option *o)
{
    return o->kind != ISOLAB_FLAG && !takes_file(o) && !takes_folder(o);
}

typedef bool (*predicate)(const isolab_option *o);

/* "--a|--b" of the options that fit; empty: none. */
static void add_matching(GString *out, const isolab_option *o, predicate fits)
{
    for (; o && o->name; o++) {
        if (fits(o)) {
            g_string_append_printf(out, "%s--%s", out->len ? "|" : "", o->name);
        }
        if (fits(o) && o->letter) {
            g_string_append_printf(out, "|-%c", o->letter);
        }
    }
}

static char *matching(const isolab_command *c, predicate fits)
{
    GString *out = g_string_new(NULL);

    add_matching(out, c->options, fits);
    if (c->talks) {
        add_matching(out, isolab_talk_options, fits);
    }
    add_matching(out, isolab_common_options, fits);
    return g_string_free(out, FALSE);
}

static void add_names(GString *out, const isolab_option *o)
{
    for (; o && o->name; o++) {
        g_string_append_printf(out, " --%s", o->name);
    }
}

/* What may stand where a word begins. */
static char *words_of(const isolab_command *c)
{
    GString *out = g_string_new(c->choices ? c->choices : "");

    add_names(out, c->options);
    if (c->talks) {
        add_names(out, isolab_talk_options);
    }
    add_names(out, isolab_common_options);
    g_string_append(out, " --help");
    return g_string_free(out, FALSE);
}

static char *names_of(const isolab_command *const *table)
{
    GString *out = g_string_new(NULL);

    for (; *table; table++) {
        g_string_append_printf(out, "%s%s", out->len ? " " : "",
                               (*table)->name);
    }
    return g_string_free(out, FALSE);
}

static void put_values(const isolab_command *c, predicate fits,
                       const char *action)
{
    g_autofree char *options = matching(c, fits);

    if (*options) {
        printf("            %s)\n                %s\n                return\n"
               "                ;;\n",
               options, action);
    }
}

static void put_command(const isolab_command *c, const char *path)
{
    g_autofree char *words = words_of(c);

    printf("    \"%s\")\n        case $previous in\n", path);
    put_values(c, takes_file, "COMPREPLY=($(compgen -f -- \"$word\"))");
    put_values(c, takes_folder, "COMPREPLY=($(compgen -d -- \"$word\"))");
    put_values(c, takes_text, "COMPREPLY=()");
    printf("        esac\n"
           "        COMPREPLY=($(compgen -W \"%s\" -- \"$word\"))\n"
           "%s        ;;\n",
           words,
           c->takes_files ? "        COMPREPLY+=($(compgen -f -- \"$word\"))\n"
                          : "");
}

static void put_family(const isolab_command *c)
{
    g_autofree char *verbs = names_of(c->verbs);

    printf("    \"%s\" | \"%s \"*)\n"
           "        COMPREPLY=($(compgen -W \"%s --help\" -- \"$word\"))\n"
           "        ;;\n",
           c->name, c->name, verbs);
}

static char *families_of(const isolab_command *const *table)
{
    GString *out = g_string_new(NULL);

    for (; *table; table++) {
        if ((*table)->verbs) {
            g_string_append_printf(out, "%s%s", out->len ? " | " : "",
                                   (*table)->name);
        }
    }
    return g_string_free(out, FALSE);
}

/* The word that is completed is the last; before it are command and verb. */
static void put_bash(void)
{
    g_autofree char *names = names_of(isolab_commands);
    g_autofree char *families = families_of(isolab_commands);

    printf("# isolab's completion for bash; made by `isolab completion`.\n"
           "# shellcheck disable=SC2207\n"
           "_isolab() {\n"
           "    local word=${COMP_WORDS[COMP_CWORD]} path=\n"
           "    local previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
           "    if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
           "        path=${COMP_WORDS[1]}\n"
           "    fi\n"
           "    case $path in\n"
           "    %s)\n"
           "        if [ \"$COMP_CWORD\" -gt 2 ]; then\n"
           "            path=\"$path ${COMP_WORDS[2]}\"\n"
           "        fi\n"
           "        ;;\n"
           "    esac\n"
           "    case $path in\n"
           "    \"\" | help)\n"
           "        COMPREPLY=($(compgen -W \"%s help --help --version\" "
           "-- \"$word\"))\n"
           "        ;;\n",
           families, names);
    for (unsigned i = 0; isolab_commands[i]; i++) {
        const isolab_command *c = isolab_commands[i];

        for (unsigned v = 0; c->verbs && c->verbs[v]; v++) {
            g_autofree char *path =
                g_strdup_printf("%s %s", c->name, c->verbs[v]->name);

            put_command(c->verbs[v], path);
        }
        if (c->verbs) {
            put_family(c);
        } else {
            put_command(c, c->name);
        }
    }
    printf("    esac\n"
           "}\n"
           "complete -F _isolab isolab\n");
}

static int run(const isolab_call *call, GError **error)
{
    const char *shell = call->operands[0];

    if (g_str_equal(shell, "zsh")) {
        /* zsh runs bash's completions, with its own menus */
        printf("#compdef isolab\n"
               "autoload -U +X bashcompinit && bashcompinit\n");
    } else if (!g_str_equal(shell, "bash")) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "There is completion for bash and zsh, not for %s.", shell);
        return ISOLAB_USAGE;
    }
    put_bash();
    return ISOLAB_OK;
}

const isolab_command isolab_completion = {
    .name = "completion",
    .summary = "print the completion script of a shell",
    .operands = "bash|zsh",
    .about =
        "Prints a script that makes the shell complete isolab's commands,\n"
        "options and files.",
    .examples = "  $ . <(isolab completion bash)\n"
                "  # now; for always, in a folder that bash looks in:\n"
                "  $ isolab completion bash \\\n"
                "      >~/.local/share/bash-completion/completions/isolab\n"
                "  $ isolab completion zsh >~/.zfunc/_isolab\n",
    .choices = "bash zsh",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
