/*
 * isolab windows: Microsoft's Windows, from its medium to a verdict.
 *
 *  1. What can be known to be wrong is said before anything is made: the
 *     medium, the disk, the edition, room, KVM.
 *  2. The folder --out remembers how far it came (windows-state.c): the same
 *     command again goes on, or says the verdict again.
 *  3. Windows' setup cannot go on after its machine was switched off. Without a
 *     saved machine it begins anew, on an empty disk; only a disk that we have
 *     made is ever emptied.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows.h"

#include "commands.h"
#include "json.h"

#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#define SIZE_GIB 64

static bool refuse(GError **error, const char *why)
{
    g_set_error_literal(error, ISOLAB_ERROR, ISOLAB_USAGE, why);
    return false;
}

static bool are_options_good(const windows_options *o, GError **error)
{
    if (!o->iso == !o->disk) {
        return refuse(error, "Say which Windows: --iso FILE to install it from "
                             "its medium, or --disk FILE where it is "
                             "installed.");
    }
    if (o->disk && (o->size || o->edition || o->key)) {
        return refuse(error, "--size, --edition and --key are for an "
                             "installation (--iso).");
    }
    if (o->key && !windows_is_key(o->key)) {
        return refuse(error, "--key is XXXXX-XXXXX-XXXXX-XXXXX-XXXXX, letters "
                             "and digits.");
    }
    return true;
}

static void say(const isolab_call *call, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static void say(const isolab_call *call, const char *format, ...)
{
    va_list ap;

    if (call->quiet) {
        return;
    }
    fputs("isolab: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
}

static bool is_size_good(const windows_options *o, const windows_media *media,
                         GError **error)
{
    int64_t gib = o->size ? o->size : SIZE_GIB;
    bool is_11 = windows_media_is_11(media);

    if (gib > 65536) {
        return refuse(error, "--size is in GiB, 65536 at most.");
    }
    if (gib * (1 << 30) < (is_11 ? WINDOWS_11_BYTES : WINDOWS_10_BYTES)) {
        return refuse(error, is_11 ? "--size is too small: Windows 11 needs "
                                     "60 GiB (64 GB)."
                                   : "--size is too small: Windows 10 needs 19 "
                                     "GiB (20 GB).");
    }
    return true;
}

/* Rule 1, for --iso. */
static windows_media *check_medium(const windows_options *o, unsigned *edition,
                                   GError **error)
{
    g_autoptr(windows_media) media = windows_media_check(o->iso, error);

    return media && windows_media_choose(media, o->edition, edition, error) &&
                   is_size_good(o, media, error)
               ? g_steal_pointer(&media)
               : NULL;
}

/* Before there is a folder. */
static bool check(const windows_options *o, GError **error)
{
    g_autoptr(windows_media) media = NULL;
    g_autofree char *format = NULL;
    unsigned edition;

    if (o->disk) {
        return windows_disk_check(o->disk, &format, error);
    }
    media = check_medium(o, &edition, error);
    return media;
}

static void tell_of(const isolab_call *call, const windows_media *media,
                    unsigned edition)
{
    const windows_options *o = call->options;

    for (unsigned i = 0; i < media->warnings->len; i++) {
        say(call, "%s: %s.", o->iso, (char *)media->warnings->pdata[i]);
    }
    for (unsigned i = 0; i < media->editions->len; i++) {
        const windows_edition *e = media->editions->pdata[i];

        if (e->index == edition && e->name) {
            say(call, "edition %u of the medium: %s (build %u).", e->index,
                e->name, e->build);
        }
    }
}

/* An empty disk, and the disc with the answers. Rule 3. */
static bool prepare_setup(const windows_options *o, const windows_bench *b,
                          windows_machine *m, unsigned edition, GError **error)
{
    g_autofree char *disk = windows_bench_path(b, WINDOWS_DISK);
    g_autofree char *disc = windows_bench_path(b, WINDOWS_DISC);

    g_unlink(disc); /* of an earlier try, with other answers */
    if ((edition != 1 || o->key) &&
        !windows_disc_make(m->disc, disc, edition, o->key, error)) {
        return false;
    }
    return windows_disk_make(disk, o->size ? o->size : SIZE_GIB, NULL, NULL,
                             error);
}

static bool prepare_disk(const windows_options *o, windows_bench *b,
                         GError **error)
{
    g_autofree char *disk = windows_bench_path(b, WINDOWS_DISK);
    g_autofree char *format = NULL;

    if (!windows_disk_check(o->disk, &format, error)) {
        return false;
    }
    if (access(disk, F_OK) < 0 &&
        !windows_disk_make(disk, 0, o->disk, format, error)) {
        return false;
    }
    b->phase = WINDOWS_DESKTOP;
    return true;
}

static bool prepare_iso(const isolab_call *call, windows_bench *b,
                        windows_machine *m, GError **error)
{
    const windows_options *o = call->options;
    unsigned edition;
    g_autoptr(windows_media) media = check_medium(o, &edition, error);

    if (!media) {
        return false;
    }
    tell_of(call, media, edition);
    if (b->saved) {
        return true;
    }
    if (b->phase == WINDOWS_SETUP) {
        say(call, "setup was switched off in the middle, and begins anew.");
    }
    return prepare_setup(o, b, m, edition, error);
}

/* What is to be there before QEMU starts. */
static bool prepare(const isolab_call *call, windows_bench *b,
                    windows_machine *m, GError **error)
{
    const windows_options *o = call->options;
    g_autofree char *disc = windows_bench_path(b, WINDOWS_DISC);

    if (o->disk
            ? !prepare_disk(o, b, error)
            : b->phase < WINDOWS_DESKTOP && !prepare_iso(call, b, m, error)) {
        return false;
    }
    if (access(disc, R_OK) == 0) {
        g_free(m->disc);
        m->disc = g_steal_pointer(&disc);
    }
    return true;
}

static void announce(const isolab_call *call, const windows_bench *b,
                     const windows_machine *m)
{
    g_autofree char *room = windows_disk_room(b->folder, b->from_disk);

    if (room) {
        say(call, "%s.", room);
    }
    say(call, "%s",
        m->kvm ? "KVM runs the machine: an installation takes about half an "
                 "hour, a report minutes."
               : "no KVM: the machine is emulated, and an installation takes "
                 "many hours.");
    if (b->saved) {
        say(call, "it goes on where it was saved.");
    } else if (b->from_disk) {
        say(call, "in Windows, in a command prompt of an administrator, type "
                  "D:\\report (D: being the disc ISOLAB).");
    }
}

static int say_verdict(const isolab_call *call, const windows_bench *b)
{
    JsonObject *v = b->verdict;
    const char *verdict = isolab_json_text(v, "verdict");
    JsonArray *reasons = isolab_json_array(v, "reasons");
    JsonObject *tests = isolab_json_object(v, "selftest");

    if (call->json) {
        isolab_json_print(v);
    } else {
        printf("%s", verdict ? verdict : "incomplete");
        if (tests) {
            printf("; isoav selftest: %" PRId64 " of %" PRId64 " tests passed",
                   isolab_json_int(tests, "passed", 0),
                   isolab_json_int(tests, "tests", 0));
        }
        printf("; results: %s/results\n", b->folder);
        for (unsigned i = 0; reasons && i < json_array_get_length(reasons);
             i++) {
            JsonNode *reason = json_array_get_element(reasons, i);

            if (JSON_NODE_HOLDS_VALUE(reason) && json_node_get_string(reason)) {
                printf("  %s\n", json_node_get_string(reason));
            }
        }
    }
    return g_strcmp0(verdict, "passed") == 0 ? ISOLAB_OK : ISOLAB_FAILED;
}

static int run(const isolab_call *call, GError **error)
{
    const windows_options *o = call->options;
    g_autoptr(windows_bench) b = NULL;
    windows_machine m = { NULL };
    int status = ISOLAB_USAGE;

    if (!are_options_good(o, error) ||
        (!windows_bench_is_there(o) && !check(o, error))) {
        return ISOLAB_USAGE;
    }
    b = windows_bench_open(o, error);
    if (b && b->phase == WINDOWS_DONE && !o->again) {
        return say_verdict(call, b);
    }
    if (b && windows_machine_init(&m, o, error) &&
        prepare(call, b, &m, error)) {
        announce(call, b, &m);
        status = windows_course(call, b, &m, error);
        if (b->phase == WINDOWS_DONE && status <= ISOLAB_FAILED) {
            status = say_verdict(call, b);
        }
    }
    windows_machine_clear(&m);
    return status;
}

#define AT(field) offsetof(windows_options, field)

static const isolab_option options[] = {
    { "iso", 0, ISOLAB_FILE, AT(iso), "FILE",
      "a Windows medium to install from", NULL },
    { "disk", 0, ISOLAB_FILE, AT(disk), "FILE",
      "a disk where Windows is installed; it is not written to", NULL },
    { "out", 'o', ISOLAB_FOLDER, AT(out), "DIR",
      "where everything goes (isolab-windows)", NULL },
    { "size", 0, ISOLAB_NUMBER, AT(size), "GIB",
      "of the disk that is made (64)", NULL },
    { "edition", 0, ISOLAB_TEXT, AT(edition), "NAME",
      "which one of the medium, by name or number (1)", NULL },
    { "key", 0, ISOLAB_TEXT, AT(key), "KEY",
      "a product key, where setup would ask for one", NULL },
    { "accel", 0, ISOLAB_TEXT, AT(accel), "NAME",
      "kvm or tcg (KVM, if there is any)", "kvm tcg" },
    { "again", 0, ISOLAB_FLAG, AT(again), NULL,
      "have a bench that has a verdict report once more", NULL },
    { "timeout", 0, ISOLAB_SECONDS, AT(timeout), "SECONDS",
      "end it after so long without progress (1800; emulated 7200)", NULL },
    { "host-timeout", 0, ISOLAB_SECONDS, AT(host_timeout), "SECONDS",
      "end it after so long in all", NULL },
    { "build", 0, ISOLAB_FOLDER, AT(build), "DIR",
      "the build folder to take QEMU and isoav.iso from", NULL },
    { .name = NULL },
};

const isolab_command isolab_windows = {
    .name = "windows",
    .summary = "install Windows, test the driver there, and judge",
    .operands = "--iso FILE|--disk FILE",
    .about =
        "Installs Windows 10 or 11 (x64) from your medium without a question,\n"
        "or starts a disk where it is installed; has it install isoav.sys,\n"
        "run `isoav selftest` and a capture; brings the results back over\n"
        "COM1, and says a verdict. docs/windows.md has all of it.\n"
        "\n"
        "The folder --out remembers how far it came. Ctrl-C saves the "
        "machine,\n"
        "and the same command goes on; once there is a verdict, it says it\n"
        "again. Your disk is never written: what its Windows changes is in "
        "the\n"
        "folder.",
    .examples =
        "  $ isolab windows --iso Win11.iso\n"
        "  # half an hour with KVM, many hours without\n"
        "  $ isolab windows --iso Win11.iso --edition \"Windows 11 Pro\" \\\n"
        "      -- -display none -vnc :1\n"
        "  # what follows \"--\" goes on to QEMU\n"
        "  $ isolab windows --disk win11.qcow2 -o mine\n"
        "  # and there: D:\\report in a command prompt of an administrator\n"
        "  $ isolab report isolab-windows/results\n"
        "  # the bus, and what the driver saw of it, on one page\n",
    .takes_rest = true,
    .options = options,
    .options_bytes = sizeof(windows_options),
    .run = run,
};
