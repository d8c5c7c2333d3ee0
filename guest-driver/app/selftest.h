/*
 * isoav selftest: what every file of tests sees.
 *
 * A test is a function that returns NULL when all is well, or one sentence.
 * It begins with nothing open and nothing streaming, and leaves the device so.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef ISOAV_APP_SELFTEST_H
#define ISOAV_APP_SELFTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "device.h"
#include "stream.h"

#define SELFTEST_STREAMS 3
#define SELFTEST_DATA_BYTES (1u << 20)

typedef struct {
    uint32_t index; /* of the device */
    isoav_info info;
    stream s[SELFTEST_STREAMS]; /* closed after each test */
    uint8_t *in, *out;          /* SELFTEST_DATA_BYTES each */
    char why[200];
} selftest;

typedef struct {
    const char *name;
    const char *(*run)(selftest *t);
} selftest_case;

/* Ended by a NULL name. */
extern const selftest_case selftest_requests[];
extern const selftest_case selftest_video[];
extern const selftest_case selftest_test[];

/* Fails the test with a formatted sentence. */
const char *selftest_why(selftest *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* NULL if `got` is `expected`, else a sentence with both by name. */
const char *selftest_error(selftest *t, const char *what, DWORD got,
                           DWORD expected);

/* Opens stream n. */
const char *selftest_open(selftest *t, unsigned n);

/* An IN stream's records until `packets` good ones have come, in order. */
const char *selftest_receive(selftest *t, unsigned n, uint8_t wire_stream,
                             uint32_t packets);

/* Goes on where it does not fail. */
#define TRY(expression)                  \
    do {                                 \
        const char *why_ = (expression); \
        if (why_) {                      \
            return why_;                 \
        }                                \
    } while (0)

#define CHECK(condition, ...)                    \
    do {                                         \
        if (!(condition)) {                      \
            return selftest_why(t, __VA_ARGS__); \
        }                                        \
    } while (0)

#endif
