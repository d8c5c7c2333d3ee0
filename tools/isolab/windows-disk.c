/*
 * The disk of a Windows guest, and the disc in its second drive.
 *
 * A person's own disk is never written: what its Windows changes goes into a
 * file over it. The disc is isoav.iso; another edition, or a product key, makes
 * a copy with another answer file, because Windows' setup takes the first
 * answer file that it finds.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows.h"

#include "json.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define GIB (1024.0 * 1024 * 1024)
/* What an installation takes, and what a report does, with updates. */
#define ROOM_TO_INSTALL (25 * GIB)
#define ROOM_TO_RUN (5 * GIB)
#define LONGEST_ANSWER 1000

/* Runs a program; what it printed, or NULL with an error that quotes it. */
static char *run_program(const char *const *words, const char *package,
                         GError **error)
{
    g_autofree char *found = g_find_program_in_path(words[0]);
    g_autoptr(GSubprocess) child = NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;

    if (!found) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is not installed; it is in the package %s.", words[0],
                    package);
        return NULL;
    }
    child = g_subprocess_newv(
        words, G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE,
        error);
    if (!child ||
        !g_subprocess_communicate_utf8(child, NULL, NULL, &out, &err, error)) {
        return NULL;
    }
    if (!g_subprocess_get_successful(child)) {
        g_strstrip(err);
        err[MIN(strlen(err), LONGEST_ANSWER)] = '\0';
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED, "%s", err);
        return NULL;
    }
    return g_steal_pointer(&out);
}

static bool refuse_disk(const char *path, GError **error)
{
    g_autofree char *said = g_strdup((*error)->message);

    g_clear_error(error);
    if (strstr(said, "lock")) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is in use by another QEMU; end that one first.", path);
    } else {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is not a disk that QEMU can use: %s", path, said);
    }
    return false;
}

bool windows_disk_check(const char *path, char **format, GError **error)
{
    const char *words[] = { "qemu-img", "info", "--output=json", path, NULL };
    g_autofree char *text = NULL;
    g_autoptr(JsonObject) info = NULL;
    GError *own = NULL;
    int64_t bytes;

    if (access(path, R_OK) < 0) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s cannot be read: %s.",
                    path, g_strerror(errno));
        return false;
    }
    text = run_program(words, "qemu-utils", &own);
    if (!text) {
        bool refused = own->code == ISOLAB_FAILED && refuse_disk(path, &own);

        g_propagate_error(error, own);
        return refused;
    }
    info = isolab_json_parse(text, error);
    if (!info) {
        return false;
    }
    bytes = isolab_json_int(info, "virtual-size", 0);
    if (bytes < WINDOWS_10_BYTES) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s has %.1f GiB; a disk with Windows 10 has 20 GB, with "
                    "Windows 11 64 GB, or more.",
                    path, bytes / GIB);
        return false;
    }
    *format = g_strdup(isolab_json_text(info, "format"));
    return *format;
}

bool windows_disk_make(const char *path, int64_t gib, const char *backing,
                       const char *format, GError **error)
{
    g_autofree char *size = g_strdup_printf("%" PRId64 "G", gib);
    g_autofree char *whole =
        backing ? g_canonicalize_filename(backing, NULL) : NULL;
    const char *empty[] = { "qemu-img", "create", "-q", "-f",
                            "qcow2",    path,     size, NULL };
    const char *over[] = { "qemu-img", "create", "-q",   "-f", "qcow2", "-b",
                           whole,      "-F",     format, path, NULL };
    g_autofree char *said = NULL;

    g_unlink(path);
    said = run_program(backing ? over : empty, "qemu-utils", error);
    if (!said) {
        g_prefix_error(error, "Cannot make %s: ", path);
    }
    return said;
}

char *windows_disk_room(const char *folder, bool from_disk)
{
    double wanted = from_disk ? ROOM_TO_RUN : ROOM_TO_INSTALL;
    struct statvfs fs;
    double room;

    if (statvfs(folder, &fs) < 0) {
        return NULL;
    }
    room = (double)fs.f_bavail * fs.f_frsize;
    return room < wanted
               ? g_strdup_printf("%s has room for %.1f GiB only, Windows will "
                                 "want %.0f",
                                 folder, room / GIB, wanted / GIB)
               : NULL;
}

/* XXXXX-XXXXX-XXXXX-XXXXX-XXXXX: nothing that XML would take otherwise */
bool windows_is_key(const char *key)
{
    return g_regex_match_simple("^([A-Za-z0-9]{5}-){4}[A-Za-z0-9]{5}$", key,
                                G_REGEX_DOLLAR_ENDONLY, 0);
}

/* The only place of `anchor` gets `by` in its place. */
static bool replace_one(GString *text, const char *anchor, const char *by,
                        GError **error)
{
    if (g_string_replace(text, anchor, by, 0) == 1) {
        return true;
    }
    g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                "The disc's answer file is not the one that isolab knows: %s "
                "is not in it once.",
                anchor);
    return false;
}

char *windows_answers(const char *text, unsigned edition, const char *key,
                      GError **error)
{
    static const char eula[] = "<AcceptEula>true</AcceptEula>";
    g_autofree char *value = g_strdup_printf("<Value>%u</Value>", edition);
    g_autofree char *product =
        key ? g_strdup_printf("%s\r\n        <ProductKey><Key>%s</Key>"
                              "<WillShowUI>OnError</WillShowUI></ProductKey>",
                              eula, key)
            : g_strdup(eula);
    GString *changed = g_string_new(text);

    if (!replace_one(changed, "<Value>1</Value>", value, error) ||
        !replace_one(changed, eula, product, error)) {
        g_string_free(changed, TRUE);
        return NULL;
    }
    return g_string_free(changed, FALSE);
}

static bool copy_disc(const char *from, const char *to, const char *answers,
                      GError **error)
{
    const char *words[] = { "xorriso", "-report_about",
                            "FAILURE", "-indev",
                            from,      "-outdev",
                            to,        "-joliet",
                            "on",      "-map",
                            answers,   "/Autounattend.xml",
                            "-commit", NULL };
    g_autofree char *said = NULL;

    g_unlink(to);
    said = run_program(words, "xorriso", error);
    return said;
}

static char *read_answers(const char *disc, const char *to, GError **error)
{
    const char *words[] = { "xorriso",
                            "-report_about",
                            "FAILURE",
                            "-osirrox",
                            "on",
                            "-indev",
                            disc,
                            "-extract",
                            "/Autounattend.xml",
                            to,
                            NULL };
    g_autofree char *said = run_program(words, "xorriso", error);
    char *text = NULL;

    return said && g_file_get_contents(to, &text, NULL, error) ? text : NULL;
}

bool windows_disc_make(const char *from, const char *to, unsigned edition,
                       const char *key, GError **error)
{
    g_autofree char *part = g_strconcat(to, ".xml", NULL);
    g_autofree char *text = NULL;
    g_autofree char *changed = NULL;
    bool made;

    g_unlink(part);
    text = read_answers(from, part, error);
    changed = text ? windows_answers(text, edition, key, error) : NULL;
    g_unlink(part); /* it was made for reading only */
    made = changed && g_file_set_contents(part, changed, -1, error) &&
           copy_disc(from, to, part, error);
    g_unlink(part);
    return made;
}
