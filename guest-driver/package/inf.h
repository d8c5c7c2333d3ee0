/*
 * An INF, read: sections of lines, each line a key and its fields.
 *
 *     ; a remark
 *     [Section]
 *     key = field, "a field, quoted", %String%
 *     field, field
 *
 * Names of sections and keys do not know upper from lower case. A line that
 * ends in a backslash goes on in the next. Strings (%name%) are put in by
 * inf_text(), not by the parser: a check wants to see them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PACKAGE_INF_H
#define ISOLAB_PACKAGE_INF_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct InfLine {
    unsigned number;   /* 1-based, of its first line in the file */
    char *key;         /* NULL: a line without "=" */
    GPtrArray *fields; /* char, owned, at least one; quotes taken off */
} InfLine;

typedef struct InfSection {
    unsigned number;
    char *name;
    GPtrArray *lines; /* InfLine, owned */
} InfSection;

typedef struct Inf {
    GPtrArray *sections;   /* InfSection, owned, in the file's order */
    GPtrArray *complaints; /* char, owned: "12: what is wrong", sentences */
} Inf;

/* What cannot be read is a complaint, and left out. */
void inf_parse(Inf *inf, const char *bytes, size_t length);
void inf_clear(Inf *inf);

/* A line of 0 is for what is nowhere. */
void inf_complain(Inf *inf, unsigned line, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

const InfSection *inf_section(const Inf *inf, const char *name);
const InfLine *inf_line(const InfSection *section, const char *key);

/* Field i, "" where there is none. */
const char *inf_field(const InfLine *line, guint i);

/* A field with its %strings% put in; owned by the caller. */
char *inf_text(const Inf *inf, const char *field);

/*
 * The section that Windows on AMD64 takes for an install section's name:
 * name.NTamd64, name.NT or name, with a suffix such as ".Services" after it.
 */
const InfSection *inf_install_section(const Inf *inf, const char *name,
                                      const char *suffix);

/* Calls back for each model of AMD64: its line is description = section, ids.
 */
typedef void (*InfModel)(void *opaque, const InfLine *model);
void inf_each_model(const Inf *inf, InfModel call, void *opaque);

/* DriverVer's date; false unless it is mm/dd/yyyy. */
bool inf_date(const Inf *inf, GDate *date);

#endif
