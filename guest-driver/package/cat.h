/*
 * A catalog: the list of hashes by which Windows knows the files of a driver
 * package, and which is signed in place of them.
 *
 * It is a PKCS#7 SignedData (RFC 2315) whose content is a certificate trust
 * list, and looks like this:
 *
 *   ContentInfo
 *     1.2.840.113549.1.7.2
 *     [0] SignedData
 *       1, digest algorithms
 *       1.3.6.1.4.1.311.10.1, [0] trust list
 *         what for           { 1.3.6.1.4.1.311.12.1.1 }
 *         identifier         16 octets
 *         since              UTCTime
 *         how tags are made  { 1.3.6.1.4.1.311.12.1.3, NULL }: SHA-256
 *         members            { tag = hash, SET of attributes }, by tag
 *         [0] extensions     the systems, the hardware IDs
 *       certificates, signatures: none yet; osslsigncode adds them
 *
 * A member's attributes: its kind (311.12.2.3), its hash as in an embedded
 * signature (311.2.1.4), its name and the versions of Windows it is for
 * (311.12.2.1, names with values).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PACKAGE_CAT_H
#define ISOLAB_PACKAGE_CAT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "pehash.h"

typedef struct CatMember {
    char *name; /* without folders */
    bool is_pe; /* `hash` is pe_hash()'s, not flat_hash()'s */
    uint8_t hash[SHA256_BYTES];
} CatMember;

typedef struct Catalog {
    GPtrArray *members;      /* CatMember, owned */
    GPtrArray *hardware_ids; /* char, owned; lower case in the catalog */
    char since[14];          /* YYMMDDhhmmssZ */
} Catalog;

void cat_init(Catalog *cat);
void cat_clear(Catalog *cat);

/* Hashes a file. NULL, or what is wrong with it: half a sentence. */
const char *cat_add(Catalog *cat, const char *name, const uint8_t *bytes,
                    size_t length);

/* The unsigned catalog. The same members give the same bytes. */
GByteArray *cat_build(const Catalog *cat);

/*
 * Reads a catalog, signed or not, into an initialised one. False unless it is
 * of the form above: the member's hash is its tag, tags ascend, and each has
 * the attributes.
 */
bool cat_parse(Catalog *cat, const uint8_t *bytes, size_t length);

/* NULL, or what the catalog does not say about a file. */
const char *cat_check(const Catalog *cat, const CatMember *file);

#endif
