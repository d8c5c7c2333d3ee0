/*
 * DER, as much of it as a catalog needs: a writer that appends to a byte
 * array, and a reader that walks elements of somebody else's and believes
 * nothing.
 *
 * What is constructed is opened, filled and closed; closing puts the length
 * in. A SET OF is closed by der_end_set(), which brings its elements into the
 * order that DER wants.
 *
 *     size_t sequence = der_begin(out, DER_SEQUENCE);
 *     der_oid(out, "1.2.840.113549.1.7.2");
 *     der_end(out, sequence);
 *
 * Sections are those of ITU-T X.690.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PACKAGE_DER_H
#define ISOLAB_PACKAGE_DER_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DER_INTEGER = 0x02,
    DER_BIT_STRING = 0x03,
    DER_OCTET_STRING = 0x04,
    DER_NULL = 0x05,
    DER_OID = 0x06,
    DER_UTC_TIME = 0x17,
    DER_BMP_STRING = 0x1e,
    DER_SEQUENCE = 0x30,
    DER_SET = 0x31,
};

/* Context-specific tags [n], n up to 30: one with elements, one with bytes. */
#define DER_CONTEXT(n) ((uint8_t)(0xa0 | (n)))
#define DER_CONTEXT_PRIMITIVE(n) ((uint8_t)(0x80 | (n)))

size_t der_begin(GByteArray *out, uint8_t tag);
void der_end(GByteArray *out, size_t begun);
void der_end_set(GByteArray *out, size_t begun);

void der_primitive(GByteArray *out, uint8_t tag, const void *bytes,
                   size_t length);
void der_integer(GByteArray *out, uint32_t value);
void der_null(GByteArray *out);

/* Dotted, at least two arcs, each below 2^32: a constant of ours. */
void der_oid(GByteArray *out, const char *dotted);

/* ASCII as BMPString, big endian without an end. */
void der_bmp_string(GByteArray *out, const char *ascii);

typedef struct DerItem {
    uint8_t tag;
    const uint8_t *value; /* `length` bytes */
    size_t length;
    const uint8_t *start; /* tag, length and value: `size` bytes */
    size_t size;
} DerItem;

typedef struct DerCursor {
    const uint8_t *at;
    size_t left;
} DerCursor;

DerCursor der_cursor(const uint8_t *bytes, size_t length);
DerCursor der_inside(const DerItem *item);

/*
 * The next element. False at the end, and where there is none: a tag of more
 * than one byte, an indefinite length or one longer than needed, an element
 * that does not fit.
 */
bool der_next(DerCursor *cursor, DerItem *item);

/* The next element, which must have this tag. */
bool der_expect(DerCursor *cursor, uint8_t tag, DerItem *item);

bool der_is_oid(const DerItem *item, const char *dotted);

#endif
