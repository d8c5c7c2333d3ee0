/*
 * isoav selftest: runs the tests, one line of TAP each, and says why one
 * fails. Nothing of it depends on when it runs, but the device must be idle.
 *
 * SPDX-License-Identifier: MIT
 */
#include "selftest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "app.h"
#include "verdict.h"

const char *selftest_why(selftest *t, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(t->why, sizeof(t->why), format, args);
    va_end(args);
    return t->why;
}

const char *selftest_error(selftest *t, const char *what, DWORD got,
                           DWORD expected)
{
    char is[160], wanted[160];

    if (got == expected) {
        return NULL;
    }
    device_error(got, is);
    device_error(expected, wanted);
    return selftest_why(t, "%s: %s; expected: %s", what,
                        got ? is : "it is accepted",
                        expected ? wanted : "no error");
}

const char *selftest_open(selftest *t, unsigned n)
{
    return selftest_error(t, "open", stream_open(&t->s[n], t->index), 0);
}

const char *selftest_receive(selftest *t, unsigned n, uint8_t wire_stream,
                             uint32_t packets)
{
    stream *s = &t->s[n];
    isoav_record record;
    isoav_packet packet;
    account a;
    DWORD bytes, at;

    account_init(&a, wire_stream, s->started.period_uf);
    while (a.packets < packets) {
        TRY(selftest_error(
            t, "read", stream_read(s, t->in, STREAM_READ_BYTES, &bytes), 0));
        for (at = 0; at < bytes; at += record.record_bytes) {
            memcpy(&record, t->in + at, sizeof(record));
            CHECK(bytes - at >= sizeof(record) &&
                      record.record_bytes <= bytes - at &&
                      record.record_bytes == ISOAV_RECORD_BYTES(record.length),
                  "a record of %u bytes for %u bytes of data",
                  record.record_bytes, record.length);
            account_record(&a, &record, t->in + at + sizeof(record), &packet);
        }
    }
    CHECK(account_is_perfect(&a),
          "of %u packets %u failed, %u lost, %u damaged, %u late",
          (unsigned)a.packets, (unsigned)a.failed, (unsigned)a.lost,
          (unsigned)(a.bad_crc + a.bad_header), (unsigned)a.late);
    return NULL;
}

static const char *prepare(selftest *t)
{
    t->in = malloc(SELFTEST_DATA_BYTES);
    t->out = malloc(SELFTEST_DATA_BYTES);
    CHECK(t->in && t->out, "no memory");
    TRY(selftest_open(t, 0));
    return selftest_error(t, "info",
                          device_control(t->s[0].device, ISOAV_IOCTL_GET_INFO,
                                         NULL, 0, &t->info, sizeof(t->info)),
                          0);
}

static void close_all(selftest *t)
{
    unsigned i;

    for (i = 0; i < SELFTEST_STREAMS; i++) {
        stream_close(&t->s[i]);
    }
}

int app_selftest(const args_options *options)
{
    static const selftest_case *const groups[] = { selftest_requests,
                                                   selftest_video,
                                                   selftest_test };
    static selftest t;
    verdict v = { .to = stdout, .json = options->json };
    const selftest_case *test;
    const char *why;
    size_t i;

    t.index = options->device;
    why = prepare(&t);
    close_all(&t);
    if (why) {
        verdict_end(&v, why);
        return 1;
    }
    for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        for (test = groups[i]; test->name; test++) {
            if (options->only && !strstr(test->name, options->only)) {
                continue;
            }
            why = test->run(&t);
            close_all(&t);
            verdict_test(&v, test->name, why);
        }
    }
    free(t.in);
    free(t.out);
    if (v.tests == 0) {
        fprintf(stderr, "isoav: no test has \"%s\" in its name\n",
                options->only);
        return 2;
    }
    verdict_end(&v, NULL);
    return v.failed != 0;
}
