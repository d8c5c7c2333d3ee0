/*
 * Where two folders of results part. Two runs of one cell give the same files,
 * byte for byte; the first difference, by the guest's time, is where to look.
 *
 *  1. Files are compared in the order of the table, then by name. Of those
 *     that differ, one whose difference has a time (a line with "uf", a
 *     record of a capture) goes before one that has none, an earlier one
 *     before a later.
 *  2. What the host adds is not a result: QEMU's standard error and a report.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "campaign.h"

#include <string.h>

#include "bus.h"
#include "json.h"
#include "lines.h"

#define DEPTH_MAX 4
#define WORDS_MAX 200 /* bytes of a line that are shown */

static const char *const first[] = { "faults.jsonl", "log.json", "capture.pcap",
                                     "guest.log" };
static const char *const ignored[] = { "qemu.err", "report.html" };

static bool is_ignored(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(ignored); i++) {
        if (g_str_equal(ignored[i], name)) {
            return true;
        }
    }
    return false;
}

/* Names of all files below root/below, as seen from root. */
static void list_files(const char *root, const char *below, unsigned depth,
                       GHashTable *names)
{
    g_autofree char *folder = g_build_filename(root, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *entry;

    while (dir && depth < DEPTH_MAX && (entry = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(folder, entry, NULL);
        char *name =
            *below ? g_build_filename(below, entry, NULL) : g_strdup(entry);

        if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
            list_files(root, name, depth + 1, names);
            g_free(name);
        } else if (is_ignored(name)) {
            g_free(name);
        } else {
            g_hash_table_add(names, name);
        }
    }
}

static unsigned rank(const char *name)
{
    unsigned i = 0;

    while (i < G_N_ELEMENTS(first) && !g_str_equal(first[i], name)) {
        i++;
    }
    return i;
}

static int compare_names(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    unsigned of_x = rank(x), of_y = rank(y);

    return of_x != of_y ? (of_x < of_y ? -1 : 1) : strcmp(x, y);
}

/* A file; no file is as an empty one. */
typedef struct {
    char *data;
    gsize bytes;
} content;

static content load(const char *root, const char *name)
{
    g_autofree char *path = g_build_filename(root, name, NULL);
    content c = { NULL, 0 };

    if (!g_file_get_contents(path, &c.data, &c.bytes, NULL)) {
        c.data = g_strdup("");
    }
    return c;
}

static bool is_text(const content *c)
{
    return !memchr(c->data, 0, MIN(c->bytes, 4096));
}

/* The line that byte `at` is in; empty behind the end. */
static char *line_at(const content *c, gsize at)
{
    gsize from = MIN(at, c->bytes), to;

    while (from > 0 && c->data[from - 1] != '\n') {
        from--;
    }
    for (to = from; to < c->bytes && c->data[to] != '\n'; to++) {
    }
    return g_utf8_make_valid(c->data + from, (gssize)(to - from));
}

static int64_t uf_of(const char *line)
{
    g_autoptr(JsonObject) o =
        *line == '{' ? isolab_json_parse(line, NULL) : NULL;

    return o ? lines_int(o, "uf", -1) : -1;
}

/* The time of the record of a capture that byte `at` is in. */
static int64_t record_uf(const content *c, gsize at)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(c->data, MIN(at, c->bytes));
    g_autoptr(pcap) p = pcap_new(bytes, "", NULL);
    usbmon_record record;
    int64_t uf = -1;

    while (p && pcap_next(p, &record, NULL)) {
        uf = record.ns / UF_NS;
    }
    return uf;
}

static void shorten(char **text)
{
    if (strlen(*text) > WORDS_MAX) {
        char *end = g_utf8_find_prev_char(*text, *text + WORDS_MAX);

        *(end ? end : *text) = '\0';
    }
}

static divergence *describe(const char *name, const content *a,
                            const content *b, gsize at)
{
    divergence *d = g_new0(divergence, 1);

    d->file = g_strdup(name);
    d->uf = -1;
    if (!is_text(a) || !is_text(b)) {
        d->place = (int64_t)at + 1;
        d->uf = pcap_is_magic(a->data, a->bytes) ? record_uf(a, at) : -1;
        d->ours = g_strdup("");
        d->theirs = g_strdup("");
        return d;
    }
    d->place = 1;
    for (gsize i = 0; i < at; i++) {
        d->place += a->data[i] == '\n';
    }
    d->ours = line_at(a, at);
    d->theirs = line_at(b, at);
    d->uf = uf_of(d->ours);
    if (uf_of(d->theirs) >= 0 && (d->uf < 0 || uf_of(d->theirs) < d->uf)) {
        d->uf = uf_of(d->theirs);
    }
    shorten(&d->ours);
    shorten(&d->theirs);
    return d;
}

static divergence *compare_files(const char *ours, const char *theirs,
                                 const char *name)
{
    content a = load(ours, name), b = load(theirs, name);
    divergence *d = NULL;
    gsize at = 0;

    if (a.bytes != b.bytes || memcmp(a.data, b.data, a.bytes) != 0) {
        while (at < MIN(a.bytes, b.bytes) && a.data[at] == b.data[at]) {
            at++;
        }
        d = describe(name, &a, &b, at);
    }
    g_free(a.data);
    g_free(b.data);
    return d;
}

/* Rule 1 */
static bool is_before(const divergence *d, const divergence *best)
{
    return !best || (d->uf >= 0 && (best->uf < 0 || d->uf < best->uf));
}

divergence *divergence_find(const char *ours, const char *theirs)
{
    g_autoptr(GHashTable) names =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree gpointer *list = NULL;
    divergence *best = NULL;
    guint count;

    list_files(ours, "", 0, names);
    list_files(theirs, "", 0, names);
    list = g_hash_table_get_keys_as_array(names, &count);
    qsort(list, count, sizeof(*list), compare_names);
    for (guint i = 0; i < count; i++) {
        divergence *d = compare_files(ours, theirs, list[i]);

        if (d && is_before(d, best)) {
            divergence_free(best);
            best = d;
        } else {
            divergence_free(d);
        }
    }
    return best;
}

void divergence_free(divergence *d)
{
    if (d) {
        g_free(d->file);
        g_free(d->ours);
        g_free(d->theirs);
        g_free(d);
    }
}
