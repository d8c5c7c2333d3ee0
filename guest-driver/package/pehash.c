/*
 * See pehash.h. Offsets are those of the PE/COFF specification.
 *
 * SPDX-License-Identifier: MIT
 */
#include "pehash.h"

#include <glib.h>
#include <string.h>

enum {
    PE_OFFSET = 0x3c,        /* in the DOS header: where "PE\0\0" is */
    COFF_BYTES = 24,         /* that signature and the COFF header */
    CHECKSUM = 64,           /* in the optional header, PE32 and PE32+ */
    MAGIC_PE32 = 0x10b,      /* the data directories are at 96 */
    MAGIC_PE32_PLUS = 0x20b, /* at 112 */
    CERTIFICATE_TABLE = 4,   /* the number of the directory */
    DIRECTORY_BYTES = 8,
};

static uint32_t load16(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8;
}

static uint32_t load32(const uint8_t *bytes)
{
    return load16(bytes) | load16(bytes + 2) << 16;
}

bool pe_is_image(const uint8_t *bytes, size_t length)
{
    return length >= 2 && bytes[0] == 'M' && bytes[1] == 'Z';
}

/* The two places that are left out, and where the certificates begin. */
typedef struct PeLayout {
    size_t checksum;
    size_t directory;
    size_t end;
} PeLayout;

static const char *find_layout(const uint8_t *bytes, size_t length,
                               PeLayout *layout)
{
    size_t optional;
    size_t directories;
    uint32_t table;
    uint32_t table_bytes;

    if (length < PE_OFFSET + 4 || !pe_is_image(bytes, length)) {
        return "is no PE image";
    }
    optional = (size_t)load32(bytes + PE_OFFSET) + COFF_BYTES;
    if (optional + 2 > length ||
        memcmp(bytes + optional - COFF_BYTES, "PE\0\0", 4) != 0) {
        return "is a program for DOS and no PE image";
    }
    switch (load16(bytes + optional)) {
    case MAGIC_PE32:
        directories = optional + 96;
        break;
    case MAGIC_PE32_PLUS:
        directories = optional + 112;
        break;
    default:
        return "has an optional header that is neither PE32 nor PE32+";
    }
    layout->checksum = optional + CHECKSUM;
    layout->directory = directories + CERTIFICATE_TABLE * DIRECTORY_BYTES;
    if (layout->directory + DIRECTORY_BYTES > length ||
        load32(bytes + directories - 4) <= CERTIFICATE_TABLE) {
        return "has no place for a certificate table";
    }
    table = load32(bytes + layout->directory);
    table_bytes = load32(bytes + layout->directory + 4);
    layout->end = table ? table : length;
    if (table && ((size_t)table + table_bytes != length ||
                  table < layout->directory + DIRECTORY_BYTES)) {
        return "has a certificate table that is not at its end";
    }
    return NULL;
}

const char *pe_hash(const uint8_t *bytes, size_t length,
                    uint8_t hash[SHA256_BYTES])
{
    static const uint8_t zeros[8];
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    PeLayout at;
    const char *wrong = find_layout(bytes, length, &at);
    size_t after;
    gsize size = SHA256_BYTES;

    if (wrong) {
        return wrong;
    }
    after = at.directory + DIRECTORY_BYTES;
    g_checksum_update(sum, bytes, (gssize)at.checksum);
    g_checksum_update(sum, bytes + at.checksum + 4,
                      (gssize)(at.directory - at.checksum - 4));
    g_checksum_update(sum, bytes + after, (gssize)(at.end - after));
    /* The table begins at a multiple of eight: signing pads. */
    g_checksum_update(sum, zeros, (gssize)(-at.end & 7));
    g_checksum_get_digest(sum, hash, &size);
    return NULL;
}

void flat_hash(const uint8_t *bytes, size_t length, uint8_t hash[SHA256_BYTES])
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    gsize size = SHA256_BYTES;

    g_checksum_update(sum, bytes, (gssize)length);
    g_checksum_get_digest(sum, hash, &size);
}
