/*
 * See der.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "der.h"

#include <stdlib.h>
#include <string.h>

/* X.690 §8.1.3, §10.1: the shortest form. Returns how many bytes. */
static size_t encode_length(uint8_t bytes[5], size_t length)
{
    size_t count = 0;

    if (length < 0x80) {
        bytes[0] = (uint8_t)length;
        return 1;
    }
    for (size_t rest = length; rest; rest >>= 8) {
        count++;
    }
    g_assert(count <= 4);
    bytes[0] = (uint8_t)(0x80 | count);
    for (size_t i = 0; i < count; i++) {
        bytes[1 + i] = (uint8_t)(length >> (8 * (count - 1 - i)));
    }
    return count + 1;
}

size_t der_begin(GByteArray *out, uint8_t tag)
{
    g_byte_array_append(out, &tag, 1);
    return out->len;
}

void der_end(GByteArray *out, size_t begun)
{
    uint8_t bytes[5];
    size_t length = out->len - begun;
    size_t count = encode_length(bytes, length);

    g_byte_array_set_size(out, (guint)(out->len + count));
    memmove(out->data + begun + count, out->data + begun, length);
    memcpy(out->data + begun, bytes, count);
}

/* X.690 §11.6: as octets, the shorter one padded with zeros. */
static int compare_items(const void *left, const void *right)
{
    const DerItem *a = left;
    const DerItem *b = right;
    size_t common = MIN(a->size, b->size);
    int order = memcmp(a->start, b->start, common);

    return order ? order : (a->size > b->size) - (a->size < b->size);
}

void der_end_set(GByteArray *out, size_t begun)
{
    size_t length = out->len - begun;
    g_autofree uint8_t *copy = g_memdup2(out->data + begun, length);
    g_autoptr(GArray) items = g_array_new(FALSE, FALSE, sizeof(DerItem));
    DerCursor cursor = der_cursor(copy, length);
    DerItem item;
    uint8_t *at = out->data + begun;

    while (der_next(&cursor, &item)) {
        g_array_append_val(items, item);
    }
    g_assert(cursor.left == 0);
    if (items->len) {
        qsort(items->data, items->len, sizeof(DerItem), compare_items);
    }
    for (guint i = 0; i < items->len; i++) {
        const DerItem *sorted = &g_array_index(items, DerItem, i);

        memcpy(at, sorted->start, sorted->size);
        at += sorted->size;
    }
    der_end(out, begun);
}

void der_primitive(GByteArray *out, uint8_t tag, const void *bytes,
                   size_t length)
{
    size_t begun = der_begin(out, tag);

    if (length) {
        g_byte_array_append(out, bytes, (guint)length);
    }
    der_end(out, begun);
}

/* X.690 §8.3: two's complement, as short as it goes, never negative here. */
void der_integer(GByteArray *out, uint32_t value)
{
    uint8_t bytes[5] = { 0, (uint8_t)(value >> 24), (uint8_t)(value >> 16),
                         (uint8_t)(value >> 8), (uint8_t)value };
    size_t first = 0;

    while (first < 4 && bytes[first] == 0 && !(bytes[first + 1] & 0x80)) {
        first++;
    }
    der_primitive(out, DER_INTEGER, bytes + first, sizeof(bytes) - first);
}

void der_null(GByteArray *out)
{
    der_primitive(out, DER_NULL, NULL, 0);
}

/* X.690 §8.19.2: seven bits a byte, all but the last with the top bit. */
static void append_arc(GByteArray *out, uint64_t arc)
{
    uint8_t bytes[10];
    size_t first = sizeof(bytes) - 1;

    bytes[first] = arc & 0x7f;
    while (arc >>= 7) {
        bytes[--first] = (uint8_t)(0x80 | (arc & 0x7f));
    }
    g_byte_array_append(out, bytes + first, (guint)(sizeof(bytes) - first));
}

void der_oid(GByteArray *out, const char *dotted)
{
    g_auto(GStrv) arcs = g_strsplit(dotted, ".", -1);
    size_t begun = der_begin(out, DER_OID);

    g_assert(g_strv_length(arcs) >= 2);
    append_arc(out, 40 * g_ascii_strtoull(arcs[0], NULL, 10) +
                        g_ascii_strtoull(arcs[1], NULL, 10));
    for (char **arc = arcs + 2; *arc; arc++) {
        append_arc(out, g_ascii_strtoull(*arc, NULL, 10));
    }
    der_end(out, begun);
}

void der_bmp_string(GByteArray *out, const char *ascii)
{
    size_t begun = der_begin(out, DER_BMP_STRING);

    for (; *ascii; ascii++) {
        uint8_t unit[2] = { 0, (uint8_t)*ascii };

        g_byte_array_append(out, unit, sizeof(unit));
    }
    der_end(out, begun);
}

DerCursor der_cursor(const uint8_t *bytes, size_t length)
{
    return (DerCursor){ .at = bytes, .left = length };
}

DerCursor der_inside(const DerItem *item)
{
    return der_cursor(item->value, item->length);
}

/* The length at the cursor, which is past the tag; false for a bad one. */
static bool decode_length(const DerCursor *cursor, size_t *length,
                          size_t *header)
{
    const uint8_t *at = cursor->at;
    size_t count;

    if (cursor->left < 2) {
        return false;
    }
    *length = at[1];
    *header = 2;
    if (at[1] < 0x80) {
        return true;
    }
    count = at[1] & 0x7f;
    if (count == 0 || count > 4 || cursor->left < 2 + count) {
        return false;
    }
    *length = 0;
    for (size_t i = 0; i < count; i++) {
        *length = *length << 8 | at[2 + i];
    }
    *header = 2 + count;
    return at[2] != 0 && *length >= 0x80;
}

bool der_next(DerCursor *cursor, DerItem *item)
{
    size_t header;
    size_t length;

    if (!decode_length(cursor, &length, &header) ||
        (cursor->at[0] & 0x1f) == 0x1f || length > cursor->left - header) {
        return false;
    }
    *item = (DerItem){ .tag = cursor->at[0],
                       .value = cursor->at + header,
                       .length = length,
                       .start = cursor->at,
                       .size = header + length };
    cursor->at += item->size;
    cursor->left -= item->size;
    return true;
}

bool der_expect(DerCursor *cursor, uint8_t tag, DerItem *item)
{
    DerCursor before = *cursor;

    if (der_next(cursor, item) && item->tag == tag) {
        return true;
    }
    *cursor = before;
    return false;
}

bool der_is_oid(const DerItem *item, const char *dotted)
{
    g_autoptr(GByteArray) expected = g_byte_array_new();

    der_oid(expected, dotted);
    return item->size == expected->len &&
           memcmp(item->start, expected->data, expected->len) == 0;
}
