/*
 * What v4lread, in the guest, and framecheck, on the host, say of a frame: its
 * size and a hash, so that ten seconds of video need not leave the guest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_GUEST_V4LREAD_H
#define TESTS_GUEST_V4LREAD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* FNV-1a, in words of 64 bits; the last one is filled up with zeros. */
static inline uint64_t frame_hash(const uint8_t *bytes, size_t count)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325), word;

    for (size_t i = 0; i < count; i += 8) {
        word = 0;
        memcpy(&word, bytes + i, count - i < 8 ? count - i : 8);
        hash = (hash ^ word) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

#endif
