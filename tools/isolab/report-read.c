/*
 * What a report is made of: the files of a run.
 *
 *  1. DIR is the folder of a run; in it are, each if there is one, the fault
 *     log, the capture, the driver's log, pictures and summaries under the
 *     names of the tables below. An option names another file.
 *  2. A file that an option names must be there and be right; so must one that
 *     is in DIR be right.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "report.h"

#include <string.h>
#include <unistd.h>

#include "command.h"
#include "driverlog.h"
#include "json.h"

/* Rule 1 */
static const char *const fault_logs[] = { "faults.jsonl", NULL };
static const char *const captures[] = { "capture.pcap", "bus.pcap", NULL };
static const char *const driver_logs[] = { "log.json", "packets.jsonl", NULL };
/* all of the kernel's messages, or those that were on the console */
static const char *const messages[] = { "dmesg.log", "guest.log", NULL };
static const char *const pictures[] = { "frames", ".", NULL };

/* The first of the names that there is in DIR, or NULL. */
static char *find(const char *dir, const char *const *names)
{
    for (; dir && *names; names++) {
        char *path = g_build_filename(dir, *names, NULL);

        if (access(path, R_OK) == 0) {
            return path;
        }
        g_free(path);
    }
    return NULL;
}

static char *given_or_found(const char *given, const char *dir,
                            const char *const *names)
{
    return given ? g_strdup(given) : find(dir, names);
}

static bool read_faults(report *r, const char *path, GError **error)
{
    r->has_faults = path;
    r->faults = path ? faultlog_read(path, error)
                     : g_array_new(FALSE, FALSE, sizeof(fault));
    return r->faults;
}

static bool read_bus(report *r, const char *path, GError **error)
{
    g_autoptr(pcap) file = NULL;

    if (!path) {
        return true;
    }
    file = pcap_open(path, error);
    r->bus = file ? bus_read(file, error) : NULL;
    return r->bus;
}

static bool add_witness(report *r, const char *path, GError **error)
{
    witness *w = driverlog_read(path, error);

    if (w) {
        g_ptr_array_add(r->witnesses, w);
    }
    return w;
}

static bool read_witnesses(report *r, const report_files *o, const char *dir,
                           GError **error)
{
    g_autofree char *found = find(dir, driver_logs);
    g_autofree char *said = find(dir, messages);

    for (char **path = o->driver_logs; path && *path; path++) {
        if (!add_witness(r, *path, error)) {
            return false;
        }
    }
    if (!o->driver_logs && found && !add_witness(r, found, error)) {
        return false;
    }
    if (!o->driver_logs && said) {
        if (!add_witness(r, said, error)) {
            return false;
        }
        ((witness *)r->witnesses->pdata[r->witnesses->len - 1])->partial =
            g_str_has_suffix(said, "guest.log");
    }
    if (r->bus) {
        g_ptr_array_add(r->witnesses, bus_witness(r->bus, true));
    }
    for (unsigned i = 0; i < r->witnesses->len; i++) {
        g_ptr_array_add(r->joins, join_new(r->faults, r->witnesses->pdata[i]));
    }
    return true;
}

static void free_frame(gpointer opaque)
{
    report_frame *frame = opaque;

    g_free(frame->name);
    g_bytes_unref(frame->png);
    g_free(frame);
}

static unsigned big32(const guint8 *at)
{
    return (unsigned)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

/* A PNG, as far as its first chunk says. False: it is none. */
static bool add_frame(report *r, const char *path, const char *name,
                      gsize *budget)
{
    static const guint8 magic[] = { 0x89, 'P', 'N', 'G', 13, 10, 26, 10 };
    report_frame *frame;
    g_autofree char *data = NULL;
    gsize bytes;

    if (!g_file_get_contents(path, &data, &bytes, NULL) || bytes < 33 ||
        memcmp(data, magic, sizeof(magic)) != 0 || bytes > *budget) {
        return false;
    }
    frame = g_new0(report_frame, 1);
    frame->name = g_strdup(name);
    frame->width = MIN(big32((guint8 *)data + 16), 16384);
    frame->height = MIN(big32((guint8 *)data + 20), 16384);
    frame->png = g_bytes_new_take(g_steal_pointer(&data), bytes);
    *budget -= bytes;
    g_ptr_array_add(r->frames, frame);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_pictures(const char *dir)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) folder = g_dir_open(dir, 0, NULL);
    const char *name;

    while (folder && (name = g_dir_read_name(folder))) {
        if (g_str_has_suffix(name, ".png")) {
            g_ptr_array_add(names, g_strdup(name));
        }
    }
    g_ptr_array_sort(names, compare_names);
    return names;
}

/* Some from the beginning to the end, as many as the page holds. */
static void read_frames(report *r, const char *dir)
{
    g_autoptr(GPtrArray) names = list_pictures(dir);
    gsize budget = REPORT_FRAME_BYTES_MAX;
    unsigned wanted = MIN(names->len, REPORT_FRAMES_MAX);

    for (unsigned i = 0; i < wanted; i++) {
        unsigned at = wanted > 1 ? i * (names->len - 1) / (wanted - 1) : 0;
        g_autofree char *path = g_build_filename(dir, names->pdata[at], NULL);

        add_frame(r, path, names->pdata[at], &budget);
    }
    r->frames_left = names->len - r->frames->len;
}

static bool find_frames(report *r, const report_files *o, const char *dir,
                        GError **error)
{
    if (o->frames && !g_file_test(o->frames, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s is no folder.",
                    o->frames);
        return false;
    }
    if (o->frames) {
        read_frames(r, o->frames);
        return true;
    }
    for (const char *const *name = pictures; dir && *name; name++) {
        g_autofree char *path = g_build_filename(dir, *name, NULL);

        if (!r->frames->len && g_file_test(path, G_FILE_TEST_IS_DIR)) {
            read_frames(r, path);
        }
    }
    return true;
}

/* A summary is an ornament: one that cannot be read is left out. */
static JsonObject *read_object(const char *dir, const char *name)
{
    g_autofree char *path = dir ? g_build_filename(dir, name, NULL) : NULL;
    g_autofree char *text = NULL;

    if (!path || !g_file_get_contents(path, &text, NULL, NULL)) {
        return NULL;
    }
    return isolab_json_parse(text, NULL);
}

static char *make_title(const report_files *o, const char *dir)
{
    g_autofree char *full = dir ? g_canonicalize_filename(dir, NULL) : NULL;
    g_autofree char *base = full ? g_path_get_basename(full) : NULL;

    return o->title ? g_strdup(o->title)
           : base   ? g_strdup_printf("IsoLab: %s", base)
                    : g_strdup("IsoLab report");
}

bool report_read(report *r, const report_files *o, const char *dir,
                 GError **error)
{
    g_autofree char *log = given_or_found(o->fault_log, dir, fault_logs);
    g_autofree char *capture = given_or_found(o->capture, dir, captures);

    *r = (report){
        .witnesses =
            g_ptr_array_new_with_free_func((GDestroyNotify)witness_free),
        .joins = g_ptr_array_new_with_free_func((GDestroyNotify)join_free),
        .frames = g_ptr_array_new_with_free_func(free_frame)
    };
    if (!dir && !log && !capture && !o->driver_logs) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "A report needs the folder of a run, or --capture, "
                    "--fault-log or --driver-log.");
        return false;
    }
    if (dir && !g_file_test(dir, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                    "%s is no folder of a run.", dir);
        return false;
    }
    r->title = make_title(o, dir);
    r->run = read_object(dir, "summary.json");
    r->capture = read_object(dir, "capture.json");
    return read_faults(r, log, error) && read_bus(r, capture, error) &&
           read_witnesses(r, o, dir, error) && find_frames(r, o, dir, error);
}

void report_clear(report *r)
{
    g_free(r->title);
    bus_free(r->bus);
    g_clear_pointer(&r->faults, g_array_unref);
    g_ptr_array_unref(r->joins);
    g_ptr_array_unref(r->witnesses);
    g_ptr_array_unref(r->frames);
    g_clear_pointer(&r->run, json_object_unref);
    g_clear_pointer(&r->capture, json_object_unref);
}
