/*
 * mkcat: makes the catalog of a driver package, and checks files against one.
 *
 *   mkcat --out isoav.cat isoav.inf isoav.sys
 *   mkcat --verify isoav.cat isoav.inf isoav.sys
 *   mkcat --hash isoav.sys
 *
 * The hardware IDs and the date come from the INF, which is one of the files.
 * --verify reads signed catalogs, too; whether the signature is good is for
 * osslsigncode to say.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <string.h>

#include "cat.h"
#include "inf.h"

static char *out_name;
static char *verify_name;
static gboolean only_hash;
static char **files;

static const GOptionEntry options[] = {
    { "out", 'o', 0, G_OPTION_ARG_FILENAME, &out_name,
      "write the catalog of FILES", "CATALOG" },
    { "verify", 'v', 0, G_OPTION_ARG_FILENAME, &verify_name,
      "hold FILES against a catalog", "CATALOG" },
    { "hash", 0, 0, G_OPTION_ARG_NONE, &only_hash,
      "print the hash of each of FILES", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &files, NULL,
      "FILES" },
    { 0 },
};

static bool complain(const char *name, const char *wrong)
{
    fprintf(stderr, "mkcat: %s %s\n", name, wrong);
    return false;
}

static bool load(const char *name, char **bytes, gsize *length)
{
    g_autoptr(GError) error = NULL;

    if (!g_file_get_contents(name, bytes, length, &error)) {
        fprintf(stderr, "mkcat: %s\n", error->message);
        return false;
    }
    return true;
}

static void add_hardware_ids(void *opaque, const InfLine *model)
{
    Catalog *cat = opaque;

    for (guint i = 1; i < model->fields->len; i++) {
        const char *id = inf_field(model, i);

        if (*id && !g_ptr_array_find_with_equal_func(cat->hardware_ids, id,
                                                     g_str_equal, NULL)) {
            g_ptr_array_add(cat->hardware_ids, g_strdup(id));
        }
    }
}

static bool read_inf(Catalog *cat, const char *name, const char *bytes,
                     gsize length)
{
    GDate date;
    Inf inf;
    bool good;

    inf_parse(&inf, bytes, length);
    g_date_clear(&date, 1);
    inf_each_model(&inf, add_hardware_ids, cat);
    good = cat->hardware_ids->len && inf_date(&inf, &date);
    if (good) {
        g_snprintf(cat->since, sizeof(cat->since), "%02u%02u%02u000000Z",
                   g_date_get_year(&date) % 100, g_date_get_month(&date),
                   g_date_get_day(&date));
    }
    inf_clear(&inf);
    return good || complain(name, "has no hardware ID or no DriverVer");
}

static bool is_inf(const char *name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);

    return g_str_has_suffix(lower, ".inf");
}

/* Hashes all files into the catalog; INFs are read as well. */
static bool add_files(Catalog *cat)
{
    for (char **name = files; *name; name++) {
        g_autofree char *bytes = NULL;
        gsize length;
        const char *wrong;

        if (!load(*name, &bytes, &length)) {
            return false;
        }
        wrong = cat_add(cat, *name, (const uint8_t *)bytes, length);
        if (wrong) {
            return complain(*name, wrong);
        }
        if (is_inf(*name) && !read_inf(cat, *name, bytes, length)) {
            return false;
        }
    }
    return true;
}

static bool print_hashes(const Catalog *cat)
{
    for (guint i = 0; i < cat->members->len; i++) {
        const CatMember *member = cat->members->pdata[i];

        for (guint j = 0; j < SHA256_BYTES; j++) {
            printf("%02x", member->hash[j]);
        }
        printf("  %s  %s\n", member->is_pe ? "PE" : "flat", member->name);
    }
    return true;
}

static bool write_catalog(const Catalog *cat)
{
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GError) error = NULL;

    if (!cat->hardware_ids->len) {
        return complain(out_name, "cannot be made without an INF");
    }
    bytes = cat_build(cat);
    if (!g_file_set_contents(out_name, (const char *)bytes->data, bytes->len,
                             &error)) {
        fprintf(stderr, "mkcat: %s\n", error->message);
        return false;
    }
    return true;
}

/* Files and catalog must speak of the same files, and of the same IDs. */
static bool verify(const Catalog *given)
{
    g_autofree char *bytes = NULL;
    gsize length;
    Catalog cat;
    bool good;

    if (!load(verify_name, &bytes, &length)) {
        return false;
    }
    cat_init(&cat);
    good = cat_parse(&cat, (const uint8_t *)bytes, length) ||
           complain(verify_name, "is no catalog of mkcat's form");
    for (guint i = 0; good && i < given->members->len; i++) {
        const CatMember *file = given->members->pdata[i];
        const char *wrong = cat_check(&cat, file);

        good = !wrong || complain(file->name, wrong);
    }
    if (good && cat.members->len != given->members->len) {
        good = complain(verify_name, "names files that were not given");
    }
    for (guint i = 0; good && i < given->hardware_ids->len; i++) {
        g_autofree char *id =
            g_ascii_strdown(given->hardware_ids->pdata[i], -1);

        good = g_ptr_array_find_with_equal_func(cat.hardware_ids, id,
                                                g_str_equal, NULL) ||
               complain(verify_name, "is for other hardware than the INF");
    }
    cat_clear(&cat);
    return good;
}

int main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    Catalog cat;
    bool good;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error)) {
        fprintf(stderr, "mkcat: %s\n", error->message);
        return 2;
    }
    if (!files || !!out_name + !!verify_name + !!only_hash != 1) {
        fprintf(stderr, "usage: mkcat --out CATALOG | --verify CATALOG | "
                        "--hash FILES...\n");
        return 2;
    }
    cat_init(&cat);
    good = add_files(&cat);
    if (good) {
        good = only_hash  ? print_hashes(&cat)
               : out_name ? write_catalog(&cat)
                          : verify(&cat);
    }
    cat_clear(&cat);
    return good ? 0 : 1;
}
