/*
 * What a catalog says of a file: its SHA-256, and of a PE image the
 * Authenticode hash, which leaves out what signing changes (Microsoft's
 * "Windows Authenticode Portable Executable Signature Format"): the checksum,
 * the data directory's entry for the certificate table, and the table itself.
 * An image has the same hash before and after it is signed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOLAB_PACKAGE_PEHASH_H
#define ISOLAB_PACKAGE_PEHASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32

/* The bytes begin like a program of Windows; pe_hash() decides. */
bool pe_is_image(const uint8_t *bytes, size_t length);

/* NULL, or what is wrong with the image: half a sentence. */
const char *pe_hash(const uint8_t *bytes, size_t length,
                    uint8_t hash[SHA256_BYTES]);

void flat_hash(const uint8_t *bytes, size_t length, uint8_t hash[SHA256_BYTES]);

#endif
