/*
 * Is this a Windows to install? What can be known of a medium before it is
 * started: its file systems (windows-media.c), and of its images what their
 * file says (windows-wim.c, pure).
 *
 * What is certainly wrong is an error; what is only unusual is a warning, and
 * goes on: no real medium is to be refused by a check that is too clever.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef ISOLAB_WINDOWS_MEDIA_H
#define ISOLAB_WINDOWS_MEDIA_H

#include "command.h"

/* An edition on a medium. */
typedef struct {
    unsigned index; /* from 1 */
    char *name;     /* "Windows 11 Pro" */
    int arch;       /* PROCESSOR_ARCHITECTURE_*: 0 x86, 9 x64, 12 ARM64; -1 */
    unsigned build; /* 0: not known */
} windows_edition;

#define WINDOWS_EDITIONS_MAX 64
#define WINDOWS_XML_MAX (4u << 20)
#define WINDOWS_BUILD_10 10240u
#define WINDOWS_BUILD_11 22000u

typedef struct {
    GPtrArray *editions; /* windows_edition; may be empty */
    GPtrArray *warnings; /* char *, whole sentences */
} windows_media;

/* NULL with an error: this is none. */
windows_media *windows_media_check(const char *path, GError **error);
void windows_media_free(windows_media *m);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(windows_media, windows_media_free)

/*
 * The edition that a person means by `name`: its number, or its name without
 * regard to case; NULL means the first. NULL with an error that lists them.
 * If the medium did not say what it has, a number is taken at its word.
 */
bool windows_media_choose(const windows_media *m, const char *name,
                          unsigned *index, GError **error);
/* Is what is to be installed Windows 11, or later? */
bool windows_media_is_11(const windows_media *m);

/*
 * The header of a WIM or ESD file: where its XML is. False: it is none, or its
 * XML is compressed or longer than WINDOWS_XML_MAX.
 */
#define WINDOWS_WIM_HEADER_BYTES 208
bool windows_wim_parse(const guint8 *header, guint64 *offset, guint64 *bytes);
/* UTF-16LE, as it is in the file. Adds to `editions`; what cannot be read is
 * left out. */
void windows_wim_editions(const guint8 *xml, gsize bytes, GPtrArray *editions);
GPtrArray *windows_wim_new_editions(void);

#endif
