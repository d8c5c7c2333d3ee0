/*
 * isolab's command line (tools/isolab/options.c, usage.c), and QEMU's that
 * comes of it (guest.c).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "commands.h"
#include "place.h"
#include "run.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    isolab_call call;
    isolab_run_options *run;
    bool help;
    GError *error;
} parsed;

/* words: separated by '|'. False: a usage error. */
static bool parse(parsed *p, const isolab_command *command, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, "|", -1);
    bool fine;

    *p = (parsed){ .help = false };
    fine = isolab_parse(&p->call, command, list, &p->help, &p->error);
    p->run = p->call.options;
    return fine;
}

static void clear(parsed *p)
{
    isolab_call_clear(&p->call);
    g_clear_error(&p->error);
}

static void every_kind_of_value(void)
{
    parsed p;

    g_assert_true(parse(&p, &isolab_run,
                        "linux|--job|x|--seed=7|--set|A=1|--set|B=-2|--monitor|"
                        "--timeout|1.5|-o|dir|--json|-q|--qemu|-m|--|-smp|2"));
    g_assert_no_error(p.error);
    g_assert_cmpstr(p.run->job, ==, "x");
    g_assert_cmpint(p.run->seed, ==, 7);
    g_assert_cmpstr(p.run->set[0], ==, "A=1");
    g_assert_cmpstr(p.run->set[1], ==, "B=-2");
    g_assert_null(p.run->set[2]);
    g_assert_true(p.run->monitor);
    g_assert_false(p.run->disks);
    g_assert_cmpfloat(p.run->timeout, ==, 1.5);
    g_assert_cmpfloat(p.run->host_timeout, ==, 0);
    g_assert_cmpstr(p.run->out, ==, "dir");
    g_assert_cmpstr(p.run->qemu[0], ==, "-m");
    g_assert_true(p.call.json);
    g_assert_true(p.call.quiet);
    g_assert_cmpstr(p.call.operands[0], ==, "linux");
    g_assert_null(p.call.operands[1]);
    g_assert_cmpstr(p.call.rest[0], ==, "-smp");
    g_assert_cmpstr(p.call.rest[1], ==, "2");
    clear(&p);
}

/* "-odir" as getopt has it; but what follows an option is its value, whatever
 * it looks like. */
static void a_letter_and_its_value_in_one_word(void)
{
    parsed p;

    g_assert_true(parse(&p, &isolab_run, "linux|-odir|-q|--job|-ox"));
    g_assert_no_error(p.error);
    g_assert_cmpstr(p.run->out, ==, "dir");
    g_assert_true(p.call.quiet);
    g_assert_cmpstr(p.run->job, ==, "-ox");
    clear(&p);
    g_assert_true(parse(&p, &isolab_run, "linux|-o|-ox|--|-ox"));
    g_assert_no_error(p.error);
    g_assert_cmpstr(p.run->out, ==, "-ox");
    g_assert_cmpstr(p.call.rest[0], ==, "-ox");
    clear(&p);
}

static void nothing_given(void)
{
    parsed p;

    g_assert_true(parse(&p, &isolab_run,
                        ""
                        "linux"));
    g_assert_cmpint(p.run->seed, ==, 0);
    g_assert_cmpfloat(p.run->timeout, ==, 0);
    g_assert_null(p.run->job);
    g_assert_null(p.run->set);
    g_assert_null(p.call.rest);
    g_assert_false(p.call.json);
    clear(&p);
}

static void help_wins(void)
{
    parsed p;

    g_assert_true(parse(&p, &isolab_run, "linux|mac|--help"));
    g_assert_true(p.help);
    clear(&p);
}

typedef struct {
    const isolab_command *command;
    const char *words;
    const char *says;
} mistake;

static const mistake mistakes[] = {
    { &isolab_run, "--nonesuch", "--nonesuch" },
    { &isolab_run, "linux|--seed|x", "x" },
    { &isolab_run, "linux|--seed|0", "1 or more" },
    { &isolab_run, "linux|--seed|-3", "1 or more" },
    { &isolab_run, "linux|--timeout|0", "above 0" },
    { &isolab_run, "linux|--timeout|nan", "above 0" },
    { &isolab_run, "linux|--timeout|1e12", "above 0" },
    { &isolab_run, "linux|--job", "--job" },
    { &isolab_run, "linux|windows-driver", "one word too many" },
    { &isolab_ps, "x", "one word too many" },
    { &isolab_ps, "--|x", "nothing behind" },
    { &isolab_ps, "--qmp|x", "--qmp" },
    { &isolab_watch, "--count|-1", "1 or more" },
    { &isolab_watch, "--count|99999999999999999999", "9999" },
};

static void mistakes_are_said(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
        const mistake *m = &mistakes[i];
        parsed p;

        g_test_message("%s %s", m->command->name, m->words);
        g_assert_false(parse(&p, m->command, m->words));
        g_assert_error(p.error, ISOLAB_ERROR, ISOLAB_USAGE);
        g_assert_nonnull(strstr(p.error->message, m->says));
        g_assert_null(strchr(p.error->message, '\n'));
        clear(&p);
    }
}

static void guesses(void)
{
    g_assert_cmpstr(isolab_guess(isolab_commands, "falt"), ==, "fault");
    g_assert_cmpstr(isolab_guess(isolab_commands, "rnu"), ==, "run");
    g_assert_null(isolab_guess(isolab_commands, "frobnicate"));
    g_assert_null(isolab_guess(isolab_commands, ""));
}

static void check_lines(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line; line++) {
        if (g_utf8_strlen(*line, -1) > 79) {
            g_error("too wide: %s", *line);
        }
    }
}

/* Each row has what a help needs, and each option a text. */
static void check_command(const isolab_command *c, const char *path)
{
    g_autofree char *usage = isolab_usage_of(c, path);

    g_assert_nonnull(c->summary);
    g_assert_nonnull(c->about);
    g_assert_nonnull(c->examples);
    g_assert_true(!c->run == !!c->verbs);
    g_assert_true(g_str_has_suffix(c->examples, "\n"));
    check_lines(usage);
    for (const isolab_option *o = c->options; o && o->name; o++) {
        g_autofree char *name = g_strdup_printf("--%s", o->name);

        g_assert_nonnull(o->text);
        g_assert_true(o->kind == ISOLAB_FLAG || o->value);
        g_assert_cmpuint(o->offset, <, c->options_bytes);
        g_assert_nonnull(strstr(usage, name));
    }
    for (unsigned i = 0; c->verbs && c->verbs[i]; i++) {
        g_autofree char *verb =
            g_strdup_printf("%s %s", path, c->verbs[i]->name);

        g_assert_nonnull(strstr(usage, c->verbs[i]->summary));
        check_command(c->verbs[i], verb);
    }
}

static void every_command_has_help(void)
{
    g_autofree char *all = isolab_usage_all();

    check_lines(all);
    for (unsigned i = 0; isolab_commands[i]; i++) {
        g_assert_nonnull(strstr(all, isolab_commands[i]->summary));
        check_command(isolab_commands[i], isolab_commands[i]->name);
    }
}

/* The command line for a guest, as one string. */
static char *qemu_line(const isolab_guest *g, char *const *rest)
{
    g_auto(GStrv) words = isolab_guest_arguments(g, rest);

    return g_strjoinv("\n", words);
}

static void our_guest_counts_instructions(void)
{
    static char *devices[] = { "usb-isoav,profile=av", "usb-kbd,bus=xhci.0",
                               "none", NULL };
    static char *rest[] = { "-m", "1G", NULL };
    isolab_run_options o = { .devices = devices };
    isolab_guest g = {
        .kind = "linux",
        .is_ours = true,
        .options = &o,
        .files = { .kernel = "/k", .initrd = "/i" },
        .out = "/a,b",
        .controller = "ixhci,p2=2",
        .icount = "0",
        .seed = 5,
    };
    g_autofree char *line = qemu_line(&g, rest);

    g_assert_nonnull(strstr(line, "-icount\nshift=0,sleep=off\n"));
    g_assert_nonnull(strstr(line, "-seed\n5\n"));
    g_assert_nonnull(strstr(line, "-device\nixhci,p2=2,id=xhci\n"));
    g_assert_nonnull(
        strstr(line, "-device\nusb-isoav,profile=av,bus=xhci.0\n"));
    g_assert_nonnull(strstr(line, "-device\nusb-kbd,bus=xhci.0\n"));
    g_assert_null(strstr(line, "none,bus"));
    /* a comma in a file's name is doubled */
    g_assert_nonnull(strstr(line, "path=/a,,b/guest.log"));
    g_assert_nonnull(strstr(line, "-S\n"));
    /* the user's own come last, and win */
    g_assert_true(g_str_has_suffix(line, "-m\n1G"));
}

static void own_guest_has_the_hosts_time(void)
{
    isolab_run_options o = { .disk = "/d,1.qcow2", .snapshot = true };
    isolab_guest g = {
        .kind = "disk",
        .options = &o,
        .out = "/out",
        .controller = "ixhci",
        .seed = 1,
    };
    g_autofree char *line = qemu_line(&g, NULL);

    g_assert_null(strstr(line, "-icount"));
    g_assert_nonnull(strstr(line, "accel=kvm:tcg"));
    g_assert_nonnull(strstr(line, "-cpu\nmax"));
    g_assert_nonnull(strstr(line, "media=disk,file=/d,,1.qcow2"));
    g_assert_nonnull(strstr(line, "-snapshot"));
    g_assert_nonnull(strstr(line, "-device\nusb-isoav,bus=xhci.0"));
    g_assert_null(strstr(line, "-kernel"));
}

static void guests_that_cannot_be(void)
{
    static const mistake rows[] = {
        { NULL, "", "which guest" },
        { NULL, "linux|--disk|x", "which guest" },
        { NULL, "mac", "no guest 'mac'" },
        { NULL, "--disk|/|--job|x", "--job" },
        { NULL, "linux|--icount|11", "--icount" },
        { NULL, "linux|--icount|on", "--icount" },
        { NULL, "linux|--controller|ixhci,id=x", "id=" },
        { NULL, "linux|--controller|qemu-xhci|--timeout|5", "--host-timeout" },
        { NULL, "linux|--job|nonesuch", "no job nonesuch" },
        { NULL, "linux|--build|/nowhere", "/nowhere/" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        isolab_guest g;
        parsed p;

        g_test_message("run %s", rows[i].words);
        g_assert_true(
            parse(&p, &isolab_run, *rows[i].words ? rows[i].words : "--quiet"));
        /* a build folder with all that has to be there */
        if (!p.run->build) {
            p.run->build = g_strdup(g_getenv("ISOLAB_FAKE_BUILD"));
        }
        g_assert_false(isolab_guest_init(&g, &p.call, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, rows[i].says));
        isolab_guest_clear(&g);
        clear(&p);
    }
}

static void touch(const char *folder, const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *upper = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(upper, 0700), ==, 0);
    g_assert_true(g_file_set_contents(path, "", 0, NULL));
}

static int remove_one(const char *path, const struct stat *st, int kind,
                      struct FTW *at)
{
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void consoles(void)
{
    g_autofree char *panic =
        isolab_console_panic("x\r\n[1.0] Kernel panic - not syncing\r\ny");

    g_assert_cmpint(isolab_console_end(""), ==, -1);
    g_assert_cmpint(isolab_console_end("isolab: end 0\r\n"), ==, 0);
    g_assert_cmpint(isolab_console_end("isolab: end 1\nisolab: end 12\n"), ==,
                    12);
    g_assert_cmpint(isolab_console_end("isolab: end \n"), ==, -1);
    g_assert_cmpstr(panic, ==, "Kernel panic - not syncing");
    g_assert_null(isolab_console_panic("all is well"));
}

static void assert_place(isolab_part part, const char *own, bool is_build,
                         const char *path)
{
    g_autofree char *said = isolab_place_beside(part, own, is_build);

    g_assert_cmpstr(said, ==, path);
}

/* In a build folder, in place, and with the whole of it moved. */
static void parts_have_their_places(void)
{
    assert_place(ISOLAB_PLACE_KERNEL, "/b", true, "/b/tests/guest/vmlinux");
    assert_place(ISOLAB_PLACE_PLANS, "/b", true, ISOLAB_SOURCE "/share/plans");
    assert_place(ISOLAB_PLACE_LAUNCHER, ISOLAB_BINDIR, false, ISOLAB_LAUNCHER);
    assert_place(ISOLAB_PLACE_DISC, "/moved" ISOLAB_BINDIR, false,
                 "/moved" ISOLAB_DATADIR "/isoav.iso");
    assert_place(ISOLAB_PLACE_JOBS, "/elsewhere", false,
                 ISOLAB_DATADIR "/guest/jobs");
}

int main(int argc, char **argv)
{
    g_autofree char *fake = g_dir_make_tmp("isolab-XXXXXX", NULL);
    int status;

    g_test_init(&argc, &argv, NULL);
    g_setenv("ISOLAB_FAKE_BUILD", fake, TRUE);
    touch(fake, "qemu-system-x86_64");
    touch(fake, "tests/guest/vmlinux");
    touch(fake, "tests/guest/initramfs.img");
    g_test_add_func("/tool/options/every_kind_of_value", every_kind_of_value);
    g_test_add_func("/tool/options/a_letter_and_its_value_in_one_word",
                    a_letter_and_its_value_in_one_word);
    g_test_add_func("/tool/options/nothing_given", nothing_given);
    g_test_add_func("/tool/options/help_wins", help_wins);
    g_test_add_func("/tool/options/mistakes_are_said", mistakes_are_said);
    g_test_add_func("/tool/options/guesses", guesses);
    g_test_add_func("/tool/options/every_command_has_help",
                    every_command_has_help);
    g_test_add_func("/tool/guest/our_guest_counts_instructions",
                    our_guest_counts_instructions);
    g_test_add_func("/tool/guest/own_guest_has_the_hosts_time",
                    own_guest_has_the_hosts_time);
    g_test_add_func("/tool/guest/guests_that_cannot_be", guests_that_cannot_be);
    g_test_add_func("/tool/place/parts_have_their_places",
                    parts_have_their_places);
    g_test_add_func("/tool/guest/consoles", consoles);
    status = g_test_run();
    remove_tree(fake);
    return status;
}
