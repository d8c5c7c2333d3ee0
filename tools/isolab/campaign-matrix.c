/*
 * The cells of a campaign: plans x seeds x alternates x guests x repeats.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "campaign.h"

#include <string.h>
#include <sys/stat.h>

#include "library.h"

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list ap;

    va_start(ap, format);
    text = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error_literal(error, ISOLAB_ERROR, ISOLAB_USAGE, text);
    return false;
}

static bool parse_number(const char *text, int64_t *value)
{
    guint64 number;

    if (!g_ascii_string_to_unsigned(text, 10, 0, INT32_MAX, &number, NULL)) {
        return false;
    }
    *value = (int64_t)number;
    return true;
}

/* "7" or "3-9" */
static bool add_range(GArray *to, const char *text)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    int64_t first, last;

    if (!ends[0] || !parse_number(ends[0], &first)) {
        return false;
    }
    last = first;
    if (ends[1] && !parse_number(ends[1], &last)) {
        return false;
    }
    if (last < first || last - first >= CAMPAIGN_CELLS_MAX) {
        return false;
    }
    for (; first <= last; first++) {
        g_array_append_val(to, first);
    }
    return true;
}

static bool has_twice(const GArray *list, int64_t *which)
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_int64_hash, g_int64_equal);

    for (unsigned i = 0; i < list->len; i++) {
        *which = g_array_index(list, int64_t, i);
        if (!g_hash_table_add(seen, &g_array_index(list, int64_t, i))) {
            return true;
        }
    }
    return false;
}

GArray *campaign_list(const char *text, bool count, const char *what,
                      GError **error)
{
    g_autoptr(GArray) list = g_array_new(FALSE, FALSE, sizeof(int64_t));
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    g_autofree char *upto = g_strdup_printf("1-%s", text);
    int64_t number;
    bool good = *text;

    if (count && parse_number(text, &number)) {
        good = add_range(list, upto);
    } else {
        for (char **part = parts; *part && good; part++) {
            good = add_range(list, *part) && list->len <= CAMPAIGN_CELLS_MAX;
        }
    }
    if (!good) {
        refuse(error, "--%s takes numbers and ranges such as 2,5-7, not %s.",
               what, *text ? text : "nothing");
        return NULL;
    }
    if (has_twice(list, &number)) {
        refuse(error, "--%s has %" G_GINT64_FORMAT " twice.", what, number);
        return NULL;
    }
    return g_steal_pointer(&list);
}

static void free_cell(gpointer opaque)
{
    campaign_cell *cell = opaque;

    g_free(cell->name);
    g_free(cell->plan);
    g_free(cell->plan_name);
    g_free(cell->guest);
    g_free(cell->key);
    g_free(cell);
}

/* loose-cable.json: "loose-cable", of what a folder's name should be made. */
static char *make_plan_name(const char *plan)
{
    char *name = g_path_get_basename(plan);

    if (g_str_has_suffix(name, ".json")) {
        name[strlen(name) - strlen(".json")] = '\0';
    }
    g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_", '-');
    return name;
}

/* A plan as the cells need it. */
typedef struct {
    char *path, *name, *text;
} plan_file;

static void free_plan(gpointer opaque)
{
    plan_file *plan = opaque;

    g_free(plan->path);
    g_free(plan->name);
    g_free(plan->text);
    g_free(plan);
}

static bool add_plan(GPtrArray *to, const char *path, GError **error)
{
    plan_file *plan = g_new0(plan_file, 1);
    g_autofree char *found = NULL;

    g_ptr_array_add(to, plan);
    plan->name = make_plan_name(path);
    for (unsigned i = 0; i + 1 < to->len; i++) {
        const plan_file *other = to->pdata[i];

        if (g_str_equal(other->name, plan->name)) {
            return refuse(error,
                          "Two plans are called %s; a cell's folder is named "
                          "by its plan.",
                          plan->name);
        }
    }
    if (g_str_equal(path, "none")) {
        return true;
    }
    found = isolab_library_plan(path);
    plan->path = g_canonicalize_filename(found, NULL);
    if (!g_file_get_contents(found, &plan->text, NULL, NULL)) {
        isolab_library_refuse(path, error);
        return false;
    }
    return true;
}

/* Rule 3: what a result depends on, as far as it can be known here. */
static char *make_key(const campaign_options *o, const campaign_cell *cell,
                      const char *plan_text)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autofree char *head =
        g_strdup_printf("%s\n%s\n%s\n%g\n%g\n%d\n", cell->name,
                        o->job ? o->job : "", o->run_with ? o->run_with : "",
                        o->timeout, o->host_timeout, o->capture);

    g_checksum_update(sum, (const guchar *)head, -1);
    for (char **set = o->set; set && *set; set++) {
        g_checksum_update(sum, (const guchar *)*set, -1);
        g_checksum_update(sum, (const guchar *)"\n", 1);
    }
    if (plan_text) {
        g_checksum_update(sum, (const guchar *)plan_text, -1);
    }
    return g_strdup(g_checksum_get_string(sum));
}

static char *make_name(const campaign_cell *cell)
{
    GString *name = g_string_new(NULL);

    g_string_append_printf(name, "%s.%s", cell->plan_name, cell->guest);
    if (cell->alternate >= 0) {
        g_string_append_printf(name, ".alt%" G_GINT64_FORMAT, cell->alternate);
    }
    g_string_append_printf(name, ".seed%" G_GINT64_FORMAT, cell->seed);
    if (cell->repeat > 1) {
        g_string_append_printf(name, ".r%u", cell->repeat);
    }
    return g_string_free(name, FALSE);
}

static void add_cell(GPtrArray *cells, const campaign_options *o,
                     const plan_file *plan, const char *guest,
                     int64_t alternate, int64_t seed, unsigned repeat)
{
    campaign_cell *cell = g_new0(campaign_cell, 1);

    cell->plan = g_strdup(plan->path);
    cell->plan_name = g_strdup(plan->name);
    cell->guest = g_strdup(guest);
    cell->alternate = alternate;
    cell->seed = seed;
    cell->repeat = repeat;
    cell->name = make_name(cell);
    cell->key = make_key(o, cell, plan->text);
    g_ptr_array_add(cells, cell);
}

static bool is_guest_good(const char *guest, GError **error)
{
    if (!*guest || strspn(guest, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS
                          "-_") != strlen(guest)) {
        return refuse(error, "--guests takes names such as linux and "
                             "windows-driver, with commas between.");
    }
    return true;
}

static GPtrArray *read_plans(char *const *names, GError **error)
{
    g_autoptr(GPtrArray) plans = g_ptr_array_new_with_free_func(free_plan);

    for (; *names; names++) {
        if (!add_plan(plans, *names, error)) {
            return NULL;
        }
    }
    return g_steal_pointer(&plans);
}

/* All repeats and seeds of a plan and a guest, for each alternate. */
static void add_cells(GPtrArray *cells, const campaign_options *o,
                      const plan_file *plan, const char *guest,
                      const GArray *alternates, const GArray *seeds)
{
    for (unsigned a = 0; a < alternates->len; a++) {
        for (unsigned s = 0; s < seeds->len; s++) {
            for (unsigned r = 1; r <= MAX(o->repeats, 1); r++) {
                add_cell(cells, o, plan, guest,
                         g_array_index(alternates, int64_t, a),
                         g_array_index(seeds, int64_t, s), r);
            }
        }
    }
}

GPtrArray *campaign_matrix(const campaign_options *o, char *const *names,
                           GError **error)
{
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(free_cell);
    g_autoptr(GPtrArray) plans = read_plans(names, error);
    g_autoptr(GArray) seeds = NULL;
    g_autoptr(GArray) alternates = NULL;
    g_auto(GStrv) guests =
        g_strsplit(o->guests ? o->guests : "windows-driver", ",", -1);
    int64_t own = -1;
    double all;

    if (!plans || !(seeds = campaign_list(o->seeds ? o->seeds : "1", true,
                                          "seeds", error))) {
        return NULL;
    }
    if (o->alternates) {
        alternates = campaign_list(o->alternates, false, "alternates", error);
    } else {
        alternates = g_array_new(FALSE, FALSE, sizeof(int64_t));
        g_array_append_val(alternates, own);
    }
    for (char **guest = guests; alternates && *guest; guest++) {
        if (!is_guest_good(*guest, error)) {
            return NULL;
        }
    }
    all = alternates ? (double)plans->len * seeds->len * alternates->len *
                           g_strv_length(guests) * (double)MAX(o->repeats, 1)
                     : 0;
    if (all > CAMPAIGN_CELLS_MAX) {
        refuse(error, "That would be %.0f cells; a campaign has at most %u.",
               all, CAMPAIGN_CELLS_MAX);
        return NULL;
    }
    for (unsigned p = 0; alternates && p < plans->len; p++) {
        for (char **guest = guests; *guest; guest++) {
            add_cells(cells, o, plans->pdata[p], *guest, alternates, seeds);
        }
    }
    return alternates ? g_steal_pointer(&cells) : NULL;
}

const campaign_cell *campaign_find(const GPtrArray *cells, const char *name)
{
    for (unsigned i = 0; i < cells->len; i++) {
        const campaign_cell *cell = cells->pdata[i];

        if (g_str_equal(cell->name, name)) {
            return cell;
        }
    }
    return NULL;
}

static void add_word(GPtrArray *words, const char *format, ...)
    G_GNUC_PRINTF(2, 3);

static void add_word(GPtrArray *words, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    g_ptr_array_add(words, g_strdup_vprintf(format, ap));
    va_end(ap);
}

static void add_option(GPtrArray *words, const char *name, const char *value)
{
    if (value) {
        add_word(words, "--%s", name);
        add_word(words, "%s", value);
    }
}

static void add_seconds(GPtrArray *words, const char *name, double value)
{
    g_autofree char *text = g_strdup_printf("%g", value);

    add_option(words, name, value > 0 ? text : NULL);
}

/* What an `isolab run` and an `isolab campaign --cell` have in common. */
static void add_common(GPtrArray *words, const campaign_options *o)
{
    g_autofree char *job = o->job && strchr(o->job, '/')
                               ? g_canonicalize_filename(o->job, NULL)
                               : g_strdup(o->job);
    g_autofree char *build =
        o->build ? g_canonicalize_filename(o->build, NULL) : NULL;

    add_option(words, "job", job);
    for (char **set = o->set; set && *set; set++) {
        add_option(words, "set", *set);
    }
    add_seconds(words, "timeout", o->timeout);
    add_seconds(words, "host-timeout", o->host_timeout);
    add_option(words, "build", build);
}

/* For a shell, later. A program that was built anew has " (deleted)" there. */
static char *own_program(void)
{
    char *path = g_file_read_link("/proc/self/exe", NULL);

    if (path && g_str_has_suffix(path, " (deleted)")) {
        path[strlen(path) - strlen(" (deleted)")] = '\0';
    }
    return path ? path : g_strdup("isolab");
}

char **campaign_run_words(const campaign_options *o, const campaign_cell *cell,
                          const char *out)
{
    GPtrArray *words = g_ptr_array_new();
    g_autofree char *seed = g_strdup_printf("%" G_GINT64_FORMAT, cell->seed);
    g_autofree char *capture = g_build_filename(out, "capture.pcap", NULL);

    /* this very program, even if another has its name by now */
    add_word(words, "%s", o->run_with ? o->run_with : "/proc/self/exe");
    add_word(words, "run");
    add_word(words, "%s", cell->guest);
    add_option(words, "fault-plan", cell->plan);
    add_option(words, "seed", seed);
    if (cell->alternate >= 0) {
        add_word(words, "--set");
        add_word(words, "ALTERNATE=%" G_GINT64_FORMAT, cell->alternate);
    }
    add_common(words, o);
    add_option(words, "capture", o->capture ? capture : NULL);
    add_option(words, "out", out);
    add_word(words, "--quiet");
    g_ptr_array_add(words, NULL);
    return (char **)g_ptr_array_free(words, FALSE);
}

/* The line that runs one cell, for any shell. */
static char *cell_command(const campaign_options *o, const campaign_cell *cell,
                          char *const *plans)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *out = g_canonicalize_filename(o->out, NULL);
    g_autofree char *repeats = g_strdup_printf("%" G_GINT64_FORMAT, o->repeats);
    GString *line = g_string_new(NULL);

    g_ptr_array_add(words, own_program());
    add_word(words, "campaign");
    for (; *plans; plans++) {
        g_autofree char *found = isolab_library_plan(*plans);
        g_autofree char *full = g_canonicalize_filename(found, NULL);

        add_word(words, "%s", g_str_equal(*plans, "none") ? "none" : full);
    }
    add_option(words, "seeds", o->seeds);
    add_option(words, "alternates", o->alternates);
    add_option(words, "guests", o->guests);
    add_option(words, "repeats", o->repeats > 1 ? repeats : NULL);
    add_common(words, o);
    add_option(words, "run-with", o->run_with);
    if (o->capture) {
        add_word(words, "--capture");
    }
    if (o->reports) {
        add_word(words, "--reports");
    }
    add_option(words, "out", out);
    add_option(words, "cell", cell->name);
    for (unsigned i = 0; i < words->len; i++) {
        g_autofree char *quoted = g_shell_quote(words->pdata[i]);

        g_string_append_printf(line, "%s%s", i ? " " : "", quoted);
    }
    return g_string_free(line, FALSE);
}

static bool write_script(const char *folder, const char *name, const char *text,
                         int mode, GError **error)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autoptr(GError) why = NULL;

    if (!g_file_set_contents_full(path, text, -1,
                                  G_FILE_SET_CONTENTS_CONSISTENT, mode, &why)) {
        g_set_error(error, ISOLAB_ERROR, ISOLAB_FAILED, "Cannot write %s: %s.",
                    path, why->message);
        return false;
    }
    return true;
}

bool campaign_emit(const campaign_options *o, const GPtrArray *cells,
                   char *const *plans, GError **error)
{
    g_autoptr(GString) jobs = g_string_new(NULL);
    g_autofree char *out = g_canonicalize_filename(o->out, NULL);
    g_autofree char *list = g_build_filename(out, "jobs.txt", NULL);
    g_autofree char *quoted = g_shell_quote(list);
    g_autofree char *array = g_strdup_printf(
        "#!/bin/sh\n"
        "#SBATCH --array=1-%u\n"
        "#SBATCH --cpus-per-task=1\n"
        "# sbatch array.sbatch: each task runs the line of its number\n"
        "line=$(sed -n \"${SLURM_ARRAY_TASK_ID}p\" %s)\n"
        "exec sh -c \"$line\"\n",
        cells->len, quoted);

    for (unsigned i = 0; i < cells->len; i++) {
        g_autofree char *line = cell_command(o, cells->pdata[i], plans);

        g_string_append_printf(jobs, "%s\n", line);
    }
    return write_script(out, "jobs.txt", jobs->str, 0644, error) &&
           write_script(out, "array.sbatch", array, 0755, error);
}
