/*
 * See lint.h. A check reads the INF and complains; the table at the end has
 * them all. The rules are those of Microsoft's "Summary of INF Sections" and
 * of the pages on each directive.
 *
 * SPDX-License-Identifier: MIT
 */
#include "lint.h"

#include <stdbool.h>
#include <string.h>

/* A check's own complaint about a line. */
#define COMPLAIN(lint, line, ...) \
    inf_complain(&(lint)->inf, (line) ? (line)->number : 0, __VA_ARGS__)

static guint64 number_of(const char *text)
{
    char *end;
    guint64 value = g_ascii_strtoull(text, &end, 0);

    return *text && !*end ? value : G_MAXUINT64;
}

/* The section, or a complaint about the line that names it. */
static const InfSection *need_section(Lint *lint, const InfLine *from,
                                      const char *name)
{
    const InfSection *section = inf_section(&lint->inf, name);

    if (!section) {
        COMPLAIN(lint, from, "there is no section [%s]", name);
    }
    return section;
}

/* --- the file --------------------------------------------------------------
 */

static void check_text(Lint *lint)
{
    unsigned number = 1;

    for (gsize i = 0; i < lint->length; i++) {
        unsigned char byte = (unsigned char)lint->bytes[i];

        if (byte == '\n') {
            if (i == 0 || lint->bytes[i - 1] != '\r') {
                inf_complain(&lint->inf, number,
                             "the line does not end with CR and LF");
                return;
            }
            number++;
        } else if (byte > 126 || (byte < 32 && !strchr("\t\r", byte))) {
            inf_complain(&lint->inf, number, "byte %02Xh is not ASCII", byte);
            return;
        }
    }
    if (lint->length && lint->bytes[lint->length - 1] != '\n') {
        inf_complain(&lint->inf, number, "the last line has no end");
    }
}

static void check_version(Lint *lint)
{
    static const struct {
        const char *key;
        const char *pattern;
        const char *sentence;
    } rows[] = {
        { "Signature", "^\\$WINDOWS NT\\$$",
          "Signature is not \"$WINDOWS NT$\"" },
        { "Class", "^[A-Za-z0-9_]{1,31}$", "Class names no class" },
        { "ClassGuid",
          "^\\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\\}$",
          "ClassGuid is no GUID in braces" },
        { "Provider", ".", "there is no Provider" },
        { "CatalogFile", "^[^\\\\/]+\\.cat$",
          "without a CatalogFile the package counts as unsigned" },
        { "PnpLockdown", "^1$", "PnpLockdown is not 1" },
    };
    const InfSection *version = need_section(lint, NULL, "Version");
    const InfLine *line = inf_line(version, "DriverVer");
    GDate date;

    for (guint i = 0; version && i < G_N_ELEMENTS(rows); i++) {
        const InfLine *found = inf_line(version, rows[i].key);

        if (!g_regex_match_simple(rows[i].pattern, inf_field(found, 0), 0, 0)) {
            COMPLAIN(lint, found, "%s", rows[i].sentence);
        }
    }
    if (!version) {
        return;
    }
    g_date_clear(&date, 1);
    if (!inf_date(&lint->inf, &date)) {
        COMPLAIN(lint, line, "DriverVer has no date mm/dd/yyyy");
    }
    if (!g_regex_match_simple("^\\d+(\\.\\d+){3}$", inf_field(line, 1), 0, 0)) {
        COMPLAIN(lint, line, "DriverVer has no version w.x.y.z");
        return;
    }
    g_auto(GStrv) parts = g_strsplit(inf_field(line, 1), ".", -1);
    for (char **part = parts; *part; part++) {
        if (number_of(*part) > 65535) {
            COMPLAIN(lint, line, "DriverVer's %s is over 65535", *part);
        }
    }
}

/* --- what is installed -----------------------------------------------------
 */

/* DestinationDirs of a section of files: 12 is System32\drivers, 13 the store.
 */
static const char *destination_of(Lint *lint, const char *section)
{
    const InfSection *all = inf_section(&lint->inf, "DestinationDirs");
    const InfLine *own = inf_line(all, section);

    return inf_field(own ? own : inf_line(all, "DefaultDestDir"), 0);
}

/* One file of a section of files: it is on a disk, and in the folder. */
static void check_file(Lint *lint, const InfLine *line)
{
    const char *name = inf_field(line, 0);
    const InfSection *files = inf_section(&lint->inf, "SourceDisksFiles");
    const InfLine *source = inf_line(files, name);
    g_autofree char *path = NULL;

    if (!source) {
        COMPLAIN(lint, line, "%s is not in [SourceDisksFiles]", name);
        return;
    }
    if (!inf_line(inf_section(&lint->inf, "SourceDisksNames"),
                  inf_field(source, 0))) {
        COMPLAIN(lint, source, "disk %s is not in [SourceDisksNames]",
                 inf_field(source, 0));
    }
    path = g_build_filename(lint->folder ? lint->folder : "", name, NULL);
    if (lint->folder && !g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
        COMPLAIN(lint, line, "the package has no file %s", name);
    }
}

static void check_copy_files(Lint *lint, const InfSection *install)
{
    const InfLine *copy = inf_line(install, "CopyFiles");

    if (!copy) {
        inf_complain(&lint->inf, install->number, "[%s] copies no files",
                     install->name);
    }
    for (guint i = 0; copy && i < copy->fields->len; i++) {
        const char *name = inf_field(copy, i);
        const InfSection *files = need_section(lint, copy, name);
        const char *destination = destination_of(lint, name);

        if (strcmp(destination, "12") != 0 && strcmp(destination, "13") != 0) {
            COMPLAIN(lint, copy, "the destination of [%s] is not 12 or 13",
                     name);
        }
        for (guint j = 0; files && j < files->lines->len; j++) {
            check_file(lint, files->lines->pdata[j]);
        }
    }
}

/* The driver that a service starts is one of the files, and where it lies. */
static bool is_copied(Lint *lint, const InfSection *install, const char *binary)
{
    const InfLine *copy = inf_line(install, "CopyFiles");

    for (guint i = 0; copy && i < copy->fields->len; i++) {
        const InfSection *files = inf_section(&lint->inf, inf_field(copy, i));
        const char *destination = destination_of(lint, inf_field(copy, i));

        for (guint j = 0; files && j < files->lines->len; j++) {
            g_autofree char *path =
                g_strdup_printf("%%%s%%\\%s", destination,
                                inf_field(files->lines->pdata[j], 0));

            if (g_ascii_strcasecmp(path, binary) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void check_service(Lint *lint, const InfSection *install,
                          const InfLine *add)
{
    static const struct {
        const char *key;
        unsigned value;
        const char *meaning;
    } rows[] = {
        { "ServiceType", 1, "a kernel driver" },
        { "StartType", 3, "started on demand" },
        { "ErrorControl", 1, "an error is logged, and the start goes on" },
    };
    const InfSection *service = need_section(lint, add, inf_field(add, 2));

    for (guint i = 0; service && i < G_N_ELEMENTS(rows); i++) {
        const InfLine *line = inf_line(service, rows[i].key);

        if (number_of(inf_field(line, 0)) != rows[i].value) {
            inf_complain(&lint->inf, line ? line->number : service->number,
                         "%s is not %u (%s)", rows[i].key, rows[i].value,
                         rows[i].meaning);
        }
    }
    if (service) {
        const InfLine *line = inf_line(service, "ServiceBinary");

        if (!is_copied(lint, install, inf_field(line, 0))) {
            inf_complain(&lint->inf, line ? line->number : service->number,
                         "ServiceBinary is no file that is copied");
        }
    }
}

static void check_services(Lint *lint, const InfSection *install,
                           const char *name)
{
    const InfSection *services =
        inf_install_section(&lint->inf, name, ".Services");
    const InfLine *add = inf_line(services, "AddService");
    guint64 flags = number_of(inf_field(add, 1));

    if (!add) {
        inf_complain(&lint->inf, install->number,
                     "[%s] has no AddService in its .Services", install->name);
        return;
    }
    /* SPSVCINST_ASSOCSERVICE: the device's function driver. */
    if (flags == G_MAXUINT64 || !(flags & 2)) {
        COMPLAIN(lint, add,
                 "AddService's flags do not have 2, so that the "
                 "device gets no driver");
    }
    check_service(lint, install, add);
}

/* One line of an AddReg section: HKR,,value,type,data. */
static void check_registry_line(Lint *lint, const InfLine *line, bool *security)
{
    const char *value = inf_field(line, 2);
    guint64 type = *inf_field(line, 3) ? number_of(inf_field(line, 3)) : 0;

    if (!g_regex_match_simple("^HK(R|CR|CU|LM|U)$", inf_field(line, 0), 0, 0)) {
        COMPLAIN(lint, line, "%s is no root of the registry",
                 inf_field(line, 0));
    }
    if (g_ascii_strcasecmp(value, "DeviceCharacteristics") == 0) {
        /* REG_DWORD; FILE_DEVICE_SECURE_OPEN. */
        if (type != 0x10001 || number_of(inf_field(line, 4)) != 0x100) {
            COMPLAIN(lint, line,
                     "DeviceCharacteristics is not 0x10001,0x100 "
                     "(FILE_DEVICE_SECURE_OPEN)");
        }
    } else if (g_ascii_strcasecmp(value, "Security") == 0) {
        const char *wrong = sddl_check(inf_field(line, 4));

        *security = true;
        if (type != 0) {
            COMPLAIN(lint, line, "Security is text, of type 0");
        }
        if (wrong) {
            COMPLAIN(lint, line, "Security is no SDDL: %s", wrong);
        }
    }
}

static void check_security(Lint *lint, const InfSection *install,
                           const char *name)
{
    const InfSection *hardware = inf_install_section(&lint->inf, name, ".HW");
    const InfLine *add = inf_line(hardware, "AddReg");
    bool security = false;

    for (guint i = 0; add && i < add->fields->len; i++) {
        const InfSection *values = need_section(lint, add, inf_field(add, i));

        for (guint j = 0; values && j < values->lines->len; j++) {
            check_registry_line(lint, values->lines->pdata[j], &security);
        }
    }
    if (!security) {
        inf_complain(&lint->inf, install->number,
                     "[%s] sets no Security in its .HW", install->name);
    }
}

static void check_model(void *opaque, const InfLine *model)
{
    Lint *lint = opaque;
    const char *name = inf_field(model, 0);
    const InfSection *install = inf_install_section(&lint->inf, name, "");
    bool found = !lint->hardware_id;

    if (model->fields->len < 2) {
        COMPLAIN(lint, model, "a model has a section and a hardware ID");
    }
    for (guint i = 1; i < model->fields->len; i++) {
        const char *id = inf_field(model, i);

        if (!g_regex_match_simple("^USB\\\\VID_[0-9A-F]{4}&PID_[0-9A-F]{4}"
                                  "(&REV_[0-9]{4})?(&MI_[0-9A-F]{2})?$",
                                  id, 0, 0)) {
            COMPLAIN(lint, model, "%s is no hardware ID of USB", id);
        }
        found |= lint->hardware_id && strcmp(id, lint->hardware_id) == 0;
    }
    if (!found) {
        COMPLAIN(lint, model, "the device is %s", lint->hardware_id);
    }
    if (!install) {
        COMPLAIN(lint, model, "there is no section [%s.NT] or [%s]", name,
                 name);
        return;
    }
    check_copy_files(lint, install);
    check_services(lint, install, name);
    check_security(lint, install, name);
}

static void check_models(Lint *lint)
{
    const InfSection *makers = need_section(lint, NULL, "Manufacturer");

    if (makers && !makers->lines->len) {
        inf_complain(&lint->inf, makers->number, "there is no manufacturer");
    }
    for (guint i = 0; makers && i < makers->lines->len; i++) {
        const InfLine *maker = makers->lines->pdata[i];
        g_autofree char *name =
            g_strconcat(inf_field(maker, 0), ".NTamd64", NULL);
        const InfSection *models = NULL;
        bool decorated = false;

        for (guint j = 1; j < maker->fields->len; j++) {
            decorated |=
                g_ascii_strcasecmp(inf_field(maker, j), "NTamd64") == 0;
        }
        if (!decorated) {
            COMPLAIN(lint, maker, "the models are not for NTamd64");
        } else {
            models = need_section(lint, maker, name);
        }
        if (models && !models->lines->len) {
            inf_complain(&lint->inf, models->number, "[%s] has no model", name);
        }
    }
    inf_each_model(&lint->inf, check_model, lint);
}

/* --- names -----------------------------------------------------------------
 */

/* Every %token% of a text, without those that are folders (%12%). */
static void each_token(Lint *lint, const InfLine *line, const char *text,
                       GHashTable *used)
{
    const InfSection *strings = inf_section(&lint->inf, "Strings");

    while ((text = strchr(text, '%'))) {
        const char *end = strchr(text + 1, '%');
        g_autofree char *token = NULL;

        if (!end) {
            COMPLAIN(lint, line, "a %% is not closed");
            return;
        }
        token = g_ascii_strdown(text + 1, end - text - 1);
        text = end + 1;
        if (!*token || number_of(token) != G_MAXUINT64) {
            continue;
        }
        if (!inf_line(strings, token)) {
            COMPLAIN(lint, line, "there is no string %%%s%%", token);
        }
        g_hash_table_add(used, g_steal_pointer(&token));
    }
}

static void check_strings(Lint *lint)
{
    g_autoptr(GHashTable) used =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    const InfSection *strings = inf_section(&lint->inf, "Strings");

    for (guint i = 0; i < lint->inf.sections->len; i++) {
        const InfSection *section = lint->inf.sections->pdata[i];

        for (guint j = 0; section != strings && j < section->lines->len; j++) {
            const InfLine *line = section->lines->pdata[j];

            if (line->key) {
                each_token(lint, line, line->key, used);
            }
            for (guint k = 0; k < line->fields->len; k++) {
                each_token(lint, line, inf_field(line, k), used);
            }
        }
    }
    for (guint i = 0; strings && i < strings->lines->len; i++) {
        const InfLine *line = strings->lines->pdata[i];
        g_autofree char *key = g_ascii_strdown(line->key ? line->key : "", -1);

        if (!g_hash_table_contains(used, key)) {
            COMPLAIN(lint, line, "nothing uses the string %%%s%%",
                     line->key ? line->key : "");
        }
    }
}

/* Does a field of the file name the section, or what it is a suffix of? */
static bool is_named(const Inf *inf, const char *name)
{
    g_autofree char *base = g_strdup(name);
    char *suffix;

    do {
        for (guint i = 0; i < inf->sections->len; i++) {
            const InfSection *section = inf->sections->pdata[i];

            for (guint j = 0; j < section->lines->len; j++) {
                const InfLine *line = section->lines->pdata[j];

                for (guint k = 0; k < line->fields->len; k++) {
                    if (g_ascii_strcasecmp(inf_field(line, k), base) == 0) {
                        return true;
                    }
                }
            }
        }
        suffix = strrchr(base, '.');
        if (suffix && !g_regex_match_simple("^\\.(NT(amd64)?|HW|Services)$",
                                            suffix, G_REGEX_CASELESS, 0)) {
            suffix = NULL;
        }
        if (suffix) {
            *suffix = 0;
        }
    } while (suffix);
    return false;
}

/* A section with a slip in its name is one that Windows never reads. */
static void check_sections(Lint *lint)
{
    static const char *const known[] = { "Version",          "SourceDisksNames",
                                         "SourceDisksFiles", "DestinationDirs",
                                         "Manufacturer",     "Strings" };

    for (guint i = 0; i < lint->inf.sections->len; i++) {
        const InfSection *section = lint->inf.sections->pdata[i];
        bool found = is_named(&lint->inf, section->name);

        for (guint j = 0; j < G_N_ELEMENTS(known); j++) {
            found |= g_ascii_strcasecmp(section->name, known[j]) == 0;
        }
        if (!found) {
            inf_complain(&lint->inf, section->number,
                         "nothing names the section [%s]", section->name);
        }
    }
}

void lint_run(Lint *lint)
{
    static void (*const checks[])(Lint *) = {
        check_text, check_version, check_models, check_strings, check_sections,
    };

    inf_parse(&lint->inf, lint->bytes, lint->length);
    for (guint i = 0; i < G_N_ELEMENTS(checks); i++) {
        checks[i](lint);
    }
}
