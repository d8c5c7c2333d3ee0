/*
 * From the words of a command line to a call. The tables are ours, so that
 * help and completion can read them; the parsing is GLib's.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "command.h"

#include <string.h>

GQuark isolab_error_quark(void)
{
    return g_quark_from_static_string("isolab-error");
}

const isolab_option isolab_common_options[] = {
    { "json", 0, ISOLAB_FLAG, offsetof(isolab_call, json), NULL,
      "print JSON, for programs", NULL },
    { "quiet", 'q', ISOLAB_FLAG, offsetof(isolab_call, quiet), NULL,
      "no progress", NULL },
    { .name = NULL },
};

const isolab_option isolab_talk_options[] = {
    { "qmp", 0, ISOLAB_FILE, offsetof(isolab_call, qmp), "SOCKET",
      "the QMP socket of a QEMU that isolab did not start", NULL },
    { "vm", 0, ISOLAB_TEXT, offsetof(isolab_call, vm), "NAME",
      "which guest, if several run (isolab ps)", NULL },
    { .name = NULL },
};

const isolab_command *isolab_find_command(const isolab_command *const *table,
                                          const char *name)
{
    for (; *table; table++) {
        if (g_str_equal((*table)->name, name)) {
            return *table;
        }
    }
    return NULL;
}

/* How many letters to change, add or leave out (Levenshtein). */
static unsigned distance(const char *a, const char *b)
{
    size_t width = strlen(b) + 1;
    g_autofree unsigned *row = g_new(unsigned, width);

    for (size_t j = 0; j < width; j++) {
        row[j] = j;
    }
    for (size_t i = 1; a[i - 1]; i++) {
        unsigned corner = row[0];

        row[0] = i;
        for (size_t j = 1; j < width; j++) {
            unsigned change = corner + (a[i - 1] != b[j - 1]);

            corner = row[j];
            row[j] = MIN(change, MIN(row[j - 1], row[j]) + 1);
        }
    }
    return row[width - 1];
}

const char *isolab_guess(const isolab_command *const *table, const char *name)
{
    const char *best = NULL;
    unsigned least = 3;

    if (!*name || strlen(name) > 32) {
        return NULL;
    }
    for (; *table; table++) {
        unsigned far = distance(name, (*table)->name);

        if (far < least) {
            least = far;
            best = (*table)->name;
        }
    }
    return best;
}

static const GOptionArg args[] = {
    [ISOLAB_FLAG] = G_OPTION_ARG_NONE,
    [ISOLAB_TEXT] = G_OPTION_ARG_STRING,
    [ISOLAB_TEXTS] = G_OPTION_ARG_STRING_ARRAY,
    [ISOLAB_FILE] = G_OPTION_ARG_FILENAME,
    [ISOLAB_FOLDER] = G_OPTION_ARG_FILENAME,
    [ISOLAB_NUMBER] = G_OPTION_ARG_INT64,
    [ISOLAB_SECONDS] = G_OPTION_ARG_DOUBLE,
};

/* What a number is until it is given; the parser makes 0 of it in the end. */
#define NOT_GIVEN INT64_MIN

/* GLib's flags are as large as an int, ours are a bool. */
typedef struct {
    gboolean flag;
    bool *to;
} flag_value;

typedef struct {
    GArray *entries; /* GOptionEntry */
    GPtrArray *flags;
} parser;

static void add_options(parser *p, const isolab_option *options, void *base)
{
    for (const isolab_option *o = options; o && o->name; o++) {
        void *to = (char *)base + o->offset;
        GOptionEntry entry = {
            .long_name = o->name,
            .short_name = o->letter,
            .arg = args[o->kind],
            .arg_data = to,
            .description = o->text,
            .arg_description = o->value,
        };

        if (o->kind == ISOLAB_NUMBER) {
            *(int64_t *)to = NOT_GIVEN;
        } else if (o->kind == ISOLAB_SECONDS) {
            *(double *)to = NOT_GIVEN;
        } else if (o->kind == ISOLAB_FLAG) {
            flag_value *flag = g_new0(flag_value, 1);

            flag->to = to;
            entry.arg_data = &flag->flag;
            g_ptr_array_add(p->flags, flag);
        }
        g_array_append_val(p->entries, entry);
    }
}

static bool is_number_good(const isolab_option *o, int64_t *number,
                           GError **error)
{
    if (*number == NOT_GIVEN) {
        *number = 0;
    } else if (*number < 1) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "--%s must be 1 or more, not %" PRId64 ".", o->name,
                    *number);
        return false;
    }
    return true;
}

static bool is_time_good(const isolab_option *o, double *seconds,
                         GError **error)
{
    if (*seconds == (double)NOT_GIVEN) {
        *seconds = 0;
    } else if (!(*seconds > 0 && *seconds <= 1e9)) { /* NaN, too */
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "--%s must be a number of seconds above 0.", o->name);
        return false;
    }
    return true;
}

static bool is_value_good(const isolab_option *o, void *base, GError **error)
{
    void *at = (char *)base + o->offset;
    const char *text;
    g_auto(GStrv) words = NULL;

    switch (o->kind) {
    case ISOLAB_NUMBER:
        return is_number_good(o, at, error);
    case ISOLAB_SECONDS:
        return is_time_good(o, at, error);
    case ISOLAB_TEXT:
        text = *(char **)at;
        words = o->choices ? g_strsplit(o->choices, " ", -1) : NULL;
        if (!words || !text || g_strv_contains((const char **)words, text)) {
            return true;
        }
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "--%s cannot be '%s'; it is one of: %s.", o->name, text,
                    o->choices);
        return false;
    default:
        return true;
    }
}

static bool are_values_good(const isolab_option *options, void *base,
                            GError **error)
{
    for (const isolab_option *o = options; o && o->name; o++) {
        if (!is_value_good(o, base, error)) {
            return false;
        }
    }
    return true;
}

static bool are_operands_good(const isolab_call *call, GError **error)
{
    const isolab_command *c = call->command;
    unsigned count = g_strv_length(call->operands);

    if (count < c->min_operands) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s needs %s; `isolab help` has examples.", c->name,
                    c->operands);
        return false;
    }
    if (count > c->max_operands) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "'%s' is one word too many for %s.",
                    call->operands[c->max_operands], c->name);
        return false;
    }
    if (call->rest && !c->takes_rest) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s takes nothing behind \"--\".", c->name);
        return false;
    }
    return true;
}

static const isolab_option *find_option(const isolab_option *options,
                                        const char *word)
{
    for (const isolab_option *o = options; o && o->name; o++) {
        if (word[1] == '-' ? g_str_equal(word + 2, o->name)
                           : o->letter && o->letter == word[1]) {
            return o;
        }
    }
    return NULL;
}

/* Is `word` an option, by name or letter, that has a value? */
static bool takes_value(const isolab_command *c, const char *word)
{
    const isolab_option *o = NULL;

    if (word[0] == '-' && word[1]) {
        o = find_option(c->options, word);
        o = o ? o : find_option(isolab_common_options, word);
        o = o || !c->talks ? o : find_option(isolab_talk_options, word);
    }
    return o && o->kind != ISOLAB_FLAG;
}

/* The words before "--", with room for a name at the front, as GLib has it; and
 * "-j2" is two words, which GLib has not. */
static char **split(const isolab_command *c, char *const *words, char ***rest)
{
    GPtrArray *before = g_ptr_array_new();
    bool is_value = false;

    g_ptr_array_add(before, g_strdup("isolab"));
    for (; *words && !g_str_equal(*words, "--"); words++) {
        const char *word = *words;

        if (!is_value && word[0] == '-' && word[1] && word[1] != '-' &&
            word[2] && takes_value(c, word)) {
            g_ptr_array_add(before, g_strndup(word, 2));
            g_ptr_array_add(before, g_strdup(word + 2));
            continue;
        }
        g_ptr_array_add(before, g_strdup(word));
        is_value = !is_value && takes_value(c, word);
    }
    *rest = *words ? g_strdupv((char **)words + 1) : NULL;
    g_ptr_array_add(before, NULL);
    return (char **)g_ptr_array_free(before, FALSE);
}

bool isolab_parse(isolab_call *call, const isolab_command *command,
                  char *const *words, bool *help, GError **error)
{
    GOptionEntry help_entry = {
        "help", 'h', 0, G_OPTION_ARG_NONE, NULL, NULL, NULL,
    };
    gboolean wants_help = FALSE;
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) own = NULL;
    parser p = {
        .entries = g_array_new(TRUE, TRUE, sizeof(GOptionEntry)),
        .flags = g_ptr_array_new_with_free_func(g_free),
    };
    gboolean fine;

    *call = (isolab_call){
        .command = command,
        .options = g_malloc0(MAX(command->options_bytes, 1)),
    };
    help_entry.arg_data = &wants_help;
    g_array_append_val(p.entries, help_entry);
    add_options(&p, isolab_common_options, call);
    if (command->talks) {
        add_options(&p, isolab_talk_options, call);
    }
    add_options(&p, command->options, call->options);
    call->operands = split(command, words, &call->rest);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_add_main_entries(context, (GOptionEntry *)p.entries->data,
                                      NULL);
    fine = g_option_context_parse_strv(context, &call->operands, &own);
    for (unsigned i = 0; i < p.flags->len; i++) {
        flag_value *flag = p.flags->pdata[i];

        *flag->to = flag->flag;
    }
    g_ptr_array_unref(p.flags);
    g_array_unref(p.entries);
    *help = wants_help;
    if (wants_help) {
        return true;
    }
    if (!fine) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s; `isolab %s --help` lists the options.", own->message,
                    command->name);
        return false;
    }
    /* GLib leaves the name at the front */
    g_free(call->operands[0]);
    memmove(call->operands, call->operands + 1,
            g_strv_length(call->operands + 1) * sizeof(char *) +
                sizeof(char *));
    return are_values_good(isolab_common_options, call, error) &&
           are_values_good(command->options, call->options, error) &&
           are_operands_good(call, error);
}

void isolab_call_clear(isolab_call *call)
{
    const isolab_option *o = call->command ? call->command->options : NULL;

    for (; o && o->name; o++) {
        void *at = (char *)call->options + o->offset;

        switch (o->kind) {
        case ISOLAB_TEXT:
        case ISOLAB_FILE:
        case ISOLAB_FOLDER:
            g_free(*(char **)at);
            break;
        case ISOLAB_TEXTS:
            g_strfreev(*(char ***)at);
            break;
        default:
            break;
        }
    }
    g_free(call->options);
    g_strfreev(call->operands);
    g_strfreev(call->rest);
    g_free(call->qmp);
    g_free(call->vm);
    *call = (isolab_call){ NULL };
}
