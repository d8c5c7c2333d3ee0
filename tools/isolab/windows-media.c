/*
 * What is on a medium.
 *
 *  1. Windows media are UDF, with an ISO 9660 side that holds a readme.txt
 *     only; one that somebody has made anew may be ISO 9660 and Joliet alone.
 *     UDF is read by libudfread, the other by libarchive.
 *  2. A volume that can be read and has no sources/install.wim (.esd, .swm) is
 *     no Windows. One that cannot be read is not judged.
 *  3. A BIOS starts it by its El Torito boot record; without one it does not
 *     start at all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "windows-media.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <udfread/udfread.h>
#include <unistd.h>

#define SECTOR 2048
/* ECMA-119 and ECMA-167: both begin their descriptors here. */
#define FIRST_DESCRIPTOR 16
#define DESCRIPTORS 16
/* Files of an ISO 9660 volume that are looked at. */
#define ENTRIES_MAX 200000

typedef struct {
    bool iso9660;
    bool udf;
    bool boots; /* El Torito */
} volume;

/* What the volume has. */
typedef struct {
    char *install; /* path of the image, or NULL */
    bool listed;   /* the volume could be read */
    bool for_x64, for_x86, for_arm;
} contents;

static bool refuse(GError **error, const char *path, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool refuse(GError **error, const char *path, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list ap;

    va_start(ap, format);
    why = g_strdup_vprintf(format, ap);
    va_end(ap);
    g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE, "%s %s", path, why);
    return false;
}

static void warn(windows_media *m, const char *text)
{
    g_ptr_array_add(m->warnings, g_strdup(text));
}

static bool read_volume(const char *path, volume *v, GError **error)
{
    guint8 sector[SECTOR];
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return refuse(error, path, "cannot be read: %s.", g_strerror(errno));
    }
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        close(fd);
        return refuse(error, path, "is a folder; name the ISO file.");
    }
    for (unsigned i = 0; i < DESCRIPTORS; i++) {
        if (pread(fd, sector, SECTOR, (off_t)(FIRST_DESCRIPTOR + i) * SECTOR) !=
            SECTOR) {
            break;
        }
        v->iso9660 |= memcmp(sector + 1, "CD001", 5) == 0 && sector[0] == 1;
        v->udf |= memcmp(sector + 1, "NSR02", 5) == 0 ||
                  memcmp(sector + 1, "NSR03", 5) == 0;
        v->boots |= memcmp(sector, "\0CD001", 6) == 0 &&
                    memcmp(sector + 7, "EL TORITO SPECIFICATION", 23) == 0;
    }
    close(fd);
    if (!v->iso9660 && !v->udf) {
        return refuse(error, path,
                      "is not the image of a CD or DVD (neither ISO 9660 nor "
                      "UDF): name the ISO that Windows comes on.");
    }
    return true;
}

/* Where an image can be; the second are media for two architectures. */
static const char *const install_names[] = {
    "/sources/install.wim",     "/sources/install.esd",
    "/sources/install.swm",     "/x64/sources/install.esd",
    "/x64/sources/install.wim",
};

/* UDF tells case apart, Windows does not: the name as the folder has it. */
static char *find_name(UDFDIR *dir, const char *name)
{
    struct udfread_dirent entry;

    udfread_rewinddir(dir);
    for (unsigned i = 0; i < ENTRIES_MAX && udfread_readdir(dir, &entry); i++) {
        if (g_ascii_strcasecmp(entry.d_name, name) == 0) {
            return g_strdup(entry.d_name);
        }
    }
    return NULL;
}

/* NULL: there is no such file. path begins with '/'. */
static UDFFILE *udf_open(udfread *udf, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path + 1, "/", -1);
    UDFDIR *dir = udfread_opendir(udf, "/");
    UDFFILE *file = NULL;

    for (char **name = names; dir && *name; name++) {
        g_autofree char *found = find_name(dir, *name);
        UDFDIR *below = NULL;

        if (found && name[1]) {
            below = udfread_opendir_at(dir, found);
        } else if (found) {
            file = udfread_file_openat(dir, found);
        }
        udfread_closedir(dir);
        dir = below;
    }
    return file;
}

static bool udf_has(udfread *udf, const char *path)
{
    UDFFILE *file = udf_open(udf, path);

    if (file) {
        udfread_file_close(file);
    }
    return file;
}

/* Rule 1. */
static bool udf_read_at(UDFFILE *file, guint64 offset, void *to, gsize bytes)
{
    guint8 *at = to;

    if (udfread_file_seek(file, offset, UDF_SEEK_SET) != (gint64)offset) {
        return false;
    }
    while (bytes) {
        ssize_t n = udfread_file_read(file, at, bytes);

        if (n <= 0) {
            return false;
        }
        at += n;
        bytes -= n;
    }
    return true;
}

static void read_editions(udfread *udf, const char *path, windows_media *m)
{
    UDFFILE *file = udf_open(udf, path);
    guint8 header[WINDOWS_WIM_HEADER_BYTES];
    guint64 offset, bytes;
    g_autofree guint8 *xml = NULL;

    if (!file) {
        return;
    }
    if (udf_read_at(file, 0, header, sizeof(header)) &&
        windows_wim_parse(header, &offset, &bytes)) {
        xml = g_malloc(bytes);
        if (udf_read_at(file, offset, xml, bytes)) {
            windows_wim_editions(xml, bytes, m->editions);
        }
    }
    udfread_file_close(file);
}

static void list_udf(const char *path, contents *c, windows_media *m)
{
    udfread *udf = udfread_init();
    UDFDIR *root;

    if (!udf || udfread_open(udf, path) < 0) {
        udfread_close(udf);
        return;
    }
    root = udfread_opendir(udf, "/");
    if (root) {
        udfread_closedir(root);
        c->listed = true;
        c->for_x64 = udf_has(udf, "/efi/boot/bootx64.efi");
        c->for_x86 = udf_has(udf, "/efi/boot/bootia32.efi");
        c->for_arm = udf_has(udf, "/efi/boot/bootaa64.efi");
    }
    for (size_t i = 0; i < G_N_ELEMENTS(install_names) && !c->install; i++) {
        if (udf_has(udf, install_names[i])) {
            c->install = g_strdup(install_names[i]);
            read_editions(udf, c->install, m);
        }
    }
    udfread_close(udf);
}

static bool is_named(const char *name, const char *wanted)
{
    return g_ascii_strcasecmp(name, wanted + 1) == 0;
}

static void note_entry(contents *c, const char *name)
{
    c->for_x64 |= is_named(name, "/efi/boot/bootx64.efi");
    c->for_x86 |= is_named(name, "/efi/boot/bootia32.efi");
    c->for_arm |= is_named(name, "/efi/boot/bootaa64.efi");
    for (size_t i = 0; i < G_N_ELEMENTS(install_names) && !c->install; i++) {
        if (is_named(name, install_names[i])) {
            c->install = g_strdup(install_names[i]);
        }
    }
}

static void list_iso9660(const char *path, contents *c)
{
    struct archive *a = archive_read_new();
    struct archive_entry *entry;
    int said = ARCHIVE_FATAL;

    archive_read_support_format_iso9660(a);
    if (archive_read_open_filename(a, path, SECTOR * 16) == ARCHIVE_OK) {
        for (unsigned i = 0; i < ENTRIES_MAX; i++) {
            said = archive_read_next_header(a, &entry);
            if (said != ARCHIVE_OK && said != ARCHIVE_WARN) {
                break;
            }
            if (archive_entry_pathname(entry)) {
                note_entry(c, archive_entry_pathname(entry));
            }
        }
    }
    c->listed = said == ARCHIVE_EOF;
    archive_read_free(a);
}

static bool has_arch(const windows_media *m, int arch)
{
    for (unsigned i = 0; i < m->editions->len; i++) {
        const windows_edition *e = m->editions->pdata[i];

        if (e->arch == arch || e->arch < 0) {
            return true;
        }
    }
    return !m->editions->len;
}

/* Rule 2. */
static bool judge(windows_media *m, const char *path, const volume *v,
                  const contents *c, GError **error)
{
    if (c->listed && !c->install) {
        return refuse(error, path,
                      "is not a Windows installation medium: it has no "
                      "sources/install.wim or install.esd.");
    }
    if (!has_arch(m, 9) ||
        (c->listed && !c->for_x64 && (c->for_arm || c->for_x86))) {
        return refuse(error, path,
                      "is Windows for another processor; the driver and the "
                      "virtual machine are x64.");
    }
    if (!v->boots) {
        return refuse(error, path,
                      "does not start a machine: it has no El Torito boot "
                      "record.");
    }
    if (!c->listed) {
        warn(m, "its file system could not be read, so that nobody has looked "
                "whether it is Windows");
    } else if (!m->editions->len) {
        warn(m, "its image does not say which editions it has");
    }
    for (unsigned i = 0; i < m->editions->len; i++) {
        const windows_edition *e = m->editions->pdata[i];

        if (e->build && e->build < WINDOWS_BUILD_10) {
            warn(m, "it is older than Windows 10, for which the package was "
                    "made");
            break;
        }
    }
    return true;
}

windows_media *windows_media_check(const char *path, GError **error)
{
    g_autoptr(windows_media) m = g_new0(windows_media, 1);
    volume v = { false };
    contents c = { NULL };
    bool good;

    m->editions = windows_wim_new_editions();
    m->warnings = g_ptr_array_new_with_free_func(g_free);
    if (!read_volume(path, &v, error)) {
        return NULL;
    }
    if (v.udf) {
        list_udf(path, &c, m);
    }
    if (v.iso9660 && !v.udf) {
        list_iso9660(path, &c);
    }
    good = judge(m, path, &v, &c, error);
    g_free(c.install);
    return good ? g_steal_pointer(&m) : NULL;
}

void windows_media_free(windows_media *m)
{
    if (m) {
        g_ptr_array_unref(m->editions);
        g_ptr_array_unref(m->warnings);
        g_free(m);
    }
}

bool windows_media_is_11(const windows_media *m)
{
    for (unsigned i = 0; m && i < m->editions->len; i++) {
        if (((windows_edition *)m->editions->pdata[i])->build >=
            WINDOWS_BUILD_11) {
            return true;
        }
    }
    return false;
}

static char *names_of(const windows_media *m)
{
    GString *names = g_string_new(NULL);

    for (unsigned i = 0; i < m->editions->len; i++) {
        const windows_edition *e = m->editions->pdata[i];

        g_string_append_printf(names, "%s%u (%s)", i ? ", " : "", e->index,
                               e->name ? e->name : "without a name");
    }
    return g_string_free(names, FALSE);
}

bool windows_media_choose(const windows_media *m, const char *name,
                          unsigned *index, GError **error)
{
    g_autofree char *names = names_of(m);
    guint64 number = 0;

    g_ascii_string_to_unsigned(name ? name : "1", 10, 1, 999, &number, NULL);
    *index = number;
    if (!m->editions->len && number) {
        return true;
    }
    for (unsigned i = 0; i < m->editions->len; i++) {
        const windows_edition *e = m->editions->pdata[i];

        if ((number && e->index == number) ||
            (name && e->name && g_ascii_strcasecmp(e->name, name) == 0)) {
            *index = e->index;
            return true;
        }
    }
    g_set_error(error, ISOLAB_ERROR, ISOLAB_USAGE,
                "The medium has no edition '%s'; it has %s.", name ? name : "1",
                *names ? names : "no list of them: give its number");
    return false;
}
