/*
 * The folder of a bench with Windows:
 *
 *   state.json   how far it has come, and with which medium
 *   win.qcow2    the disk, or, with --disk, what Windows has changed of it
 *   disc.iso     isoav.iso with answers of its own (--edition, --key)
 *   com1.txt     what the guest has said
 *   qemu.err     what QEMU has said
 *   screen.png   the screen, when time was up
 *   results/     what the guest has sent, and what the controller has counted
 *   lock         held while somebody works here
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define STATE "state.json"

static const char *const phases[] = {
    [WINDOWS_NEW] = "new",
    [WINDOWS_SETUP] = "setup",
    [WINDOWS_DESKTOP] = "desktop",
    [WINDOWS_DONE] = "done",
};

char *windows_bench_path(const windows_bench *b, const char *name)
{
    return g_build_filename(b->folder, name, NULL);
}

static bool make_folder(const windows_bench *b, GError **error)
{
    g_autofree char *state = windows_bench_path(b, STATE);
    g_autoptr(GDir) dir = NULL;

    if (g_mkdir_with_parents(b->folder, 0777) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Cannot make the folder %s: %s.", b->folder,
                    g_strerror(errno));
        return false;
    }
    dir = g_dir_open(b->folder, 0, error);
    if (!dir) {
        return false;
    }
    if (g_dir_read_name(dir) && access(state, F_OK) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s holds other things than a bench with Windows; name "
                    "another folder with --out.",
                    b->folder);
        return false;
    }
    return true;
}

static bool take_lock(windows_bench *b, GError **error)
{
    g_autofree char *path = windows_bench_path(b, "lock");

    b->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (b->lock >= 0 && flock(b->lock, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (b->lock >= 0 && errno == EWOULDBLOCK) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "Another isolab works in %s; let it end, or name another "
                    "folder with --out.",
                    b->folder);
    } else {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "Cannot write %s: %s.",
                    path, g_strerror(errno));
    }
    return false;
}

static bool find_phase(const char *name, windows_phase *phase)
{
    for (size_t i = 0; name && i < G_N_ELEMENTS(phases); i++) {
        if (g_str_equal(phases[i], name)) {
            *phase = i;
            return true;
        }
    }
    return false;
}

static bool take_state(windows_bench *b, JsonObject *state)
{
    JsonObject *verdict = isolab_json_object(state, "verdict");

    if (!find_phase(isolab_json_text(state, "phase"), &b->phase) ||
        !isolab_json_text(state, "medium") ||
        (b->phase == WINDOWS_DONE && !verdict)) {
        return false;
    }
    b->saved = isolab_json_bool(state, "saved");
    b->medium_in = isolab_json_bool(state, "medium-in");
    b->verdict = verdict ? json_object_ref(verdict) : NULL;
    return true;
}

static bool read_state(windows_bench *b, GError **error)
{
    g_autofree char *path = windows_bench_path(b, STATE);
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) state = NULL;

    if (access(path, F_OK) < 0) {
        return windows_bench_write(b, error);
    }
    if (g_file_get_contents(path, &text, NULL, NULL)) {
        state = isolab_json_parse(text, NULL);
    }
    if (!state || !take_state(b, state)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is not as isolab writes it; remove %s to begin anew.",
                    path, b->folder);
        return false;
    }
    if (isolab_json_bool(state, "from-disk") != b->from_disk ||
        !g_str_equal(isolab_json_text(state, "medium"), b->medium)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is the bench of %s; name another folder with --out, or "
                    "remove it.",
                    b->folder, isolab_json_text(state, "medium"));
        return false;
    }
    return true;
}

bool windows_bench_is_there(const windows_options *o)
{
    g_autofree char *path =
        g_build_filename(o->out ? o->out : WINDOWS_OUT, STATE, NULL);

    return access(path, F_OK) == 0;
}

windows_bench *windows_bench_open(const windows_options *o, GError **error)
{
    g_autoptr(windows_bench) b = g_new0(windows_bench, 1);

    b->lock = -1;
    b->folder = g_strdup(o->out ? o->out : WINDOWS_OUT);
    b->from_disk = o->disk;
    b->medium = g_canonicalize_filename(o->disk ? o->disk : o->iso, NULL);
    return make_folder(b, error) && take_lock(b, error) && read_state(b, error)
               ? g_steal_pointer(&b)
               : NULL;
}

bool windows_bench_write(const windows_bench *b, GError **error)
{
    g_autofree char *path = windows_bench_path(b, STATE);
    g_autofree char *text = NULL;
    g_autofree char *lines = NULL;
    g_autoptr(JsonObject) state = json_object_new();

    json_object_set_string_member(state, "medium", b->medium);
    json_object_set_boolean_member(state, "from-disk", b->from_disk);
    json_object_set_string_member(state, "phase", phases[b->phase]);
    json_object_set_boolean_member(state, "saved", b->saved);
    json_object_set_boolean_member(state, "medium-in", b->medium_in);
    if (b->verdict) {
        json_object_set_object_member(state, "verdict",
                                      json_object_ref(b->verdict));
    }
    text = isolab_json_pretty(state);
    lines = g_strconcat(text, "\n", NULL);
    return g_file_set_contents(path, lines, -1, error);
}

void windows_bench_close(windows_bench *b)
{
    if (!b) {
        return;
    }
    if (b->lock >= 0) {
        close(b->lock);
    }
    g_clear_pointer(&b->verdict, json_object_unref);
    g_free(b->folder);
    g_free(b->medium);
    g_free(b);
}
