/*
 * The words that a person reads who asks for help, out of the commands' rows.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"

#include <string.h>

/* Where the second column of a list begins. */
#define COLUMN 26
#define WIDTH 79

/* Words of the second column, broken into lines. */
static void add_wrapped(GString *out, const char *text)
{
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    size_t at = COLUMN;

    for (char **word = words; *word; word++) {
        size_t length = g_utf8_strlen(*word, -1);

        if (word != words && at + 1 + length > WIDTH) {
            g_string_append_printf(out, "\n%*s", COLUMN, "");
            at = COLUMN;
        } else if (word != words) {
            g_string_append_c(out, ' ');
            at++;
        }
        g_string_append(out, *word);
        at += length;
    }
    g_string_append_c(out, '\n');
}

static void add_row(GString *out, const char *left, const char *right)
{
    int pad = COLUMN - 2 - (int)strlen(left);

    if (pad < 2) {
        g_string_append_printf(out, "  %s\n%*s", left, COLUMN, "");
    } else {
        g_string_append_printf(out, "  %s%*s", left, pad, "");
    }
    add_wrapped(out, right);
}

static void add_commands(GString *out, const isolab_command *const *table)
{
    for (; *table; table++) {
        add_row(out, (*table)->name, (*table)->summary);
    }
}

static void add_options(GString *out, const isolab_option *o)
{
    for (; o && o->name; o++) {
        g_autofree char *letter =
            o->letter ? g_strdup_printf("-%c, ", o->letter) : g_strdup("    ");
        g_autofree char *left =
            g_strdup_printf("%s--%s%s%s", letter, o->name, o->value ? " " : "",
                            o->value ? o->value : "");

        add_row(out, left, o->text);
    }
}

char *isolab_usage_all(void)
{
    GString *out = g_string_new(
        "usage: isolab COMMAND [OPTION]...\n"
        "\n"
        "A virtual bench for USB isochronous drivers: runs guests on the xHCI\n"
        "controller ixhci, makes faults happen there, shows what it does.\n"
        "\n"
        "commands:\n");

    add_commands(out, isolab_commands);
    add_row(out, "help COMMAND", "what it does, its options, examples");
    g_string_append(
        out,
        "\n"
        "first steps:\n"
        "  $ isolab run windows-driver --out first\n"
        "  # boots a guest whose driver isoav.sys takes ten seconds of\n"
        "  # video; in a second terminal, while it runs:\n"
        "  $ isolab watch\n"
        "  $ isolab fault add '{\"rules\": [{\"action\": \"babble\"}]}'\n"
        "\n"
        "exit status: 0 done, 1 failed, 2 usage, 3 the guest did not come\n"
        "to an end, 4 no guest runs. `man isolab` has all of it.\n");
    return g_string_free(out, FALSE);
}

char *isolab_usage_of(const isolab_command *command, const char *path)
{
    GString *out = g_string_new(NULL);

    if (command->verbs) {
        g_string_append_printf(out, "usage: isolab %s COMMAND [OPTION]...\n",
                               path);
    } else {
        g_string_append_printf(out, "usage: isolab %s [OPTION]...%s%s%s\n",
                               path, command->operands ? " " : "",
                               command->operands ? command->operands : "",
                               command->takes_rest ? " [-- ARGUMENT...]" : "");
    }
    g_string_append_printf(out, "\n%s\n", command->about);
    if (command->verbs) {
        g_string_append(out, "\ncommands:\n");
        add_commands(out, command->verbs);
    } else {
        g_string_append(out, "\noptions:\n");
        add_options(out, command->options);
        if (command->talks) {
            add_options(out, isolab_talk_options);
        }
        add_options(out, isolab_common_options);
        add_row(out, "-h, --help", "this text");
    }
    if (command->examples) {
        g_string_append_printf(out, "\nexamples:\n%s", command->examples);
    }
    return g_string_free(out, FALSE);
}
