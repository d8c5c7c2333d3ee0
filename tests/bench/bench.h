/*
 * Benchmarks: ixhci beside QEMU's own qemu-xhci, on the same QEMU, in one run.
 *
 * The rules that they keep:
 *
 *  1. Both controllers stand in machines of their own that live as long as
 *     the measurement, and are measured in turn, A B A B, so that what else
 *     the host does falls on both. A figure is the median of the samples, with
 *     the smallest and the largest; a ratio is that of each pair, and then the
 *     median.
 *  2. Cost is CPU time of the QEMU process, all its threads, user and system,
 *     in nanoseconds from its CPU-time clock. The wall clock is not used.
 *  3. What is measured is also checked: events, their codes and the device's
 *     own count of packets must be those of the work that was asked for.
 *  4. A row says what its target is and whether it is met. A target that is
 *     missed is a result, not an error; `--strict` makes it one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <time.h>

#include "../qtest/lib/hcd.h"

enum { BENCH_PAIRS_MAX = 64 };

/* The two sides of a pair, in the order in which they are measured. */
enum { BENCH_IXHCI, BENCH_QEMU, BENCH_SIDES };
extern const char *const bench_controllers[BENCH_SIDES];

typedef struct {
    double at[BENCH_PAIRS_MAX];
    unsigned count;
} BenchSeries;

typedef enum {
    BENCH_NO_TARGET,
    BENCH_RATIO_AT_MOST,
    BENCH_RATIO_AT_LEAST,
    BENCH_VALUE_AT_MOST, /* of ixhci */
} BenchTarget;

typedef struct {
    char *id;
    char *what;
    const char *unit;
    const char *against; /* what the second side is; NULL: qemu-xhci */
    BenchSeries side[BENCH_SIDES];
    BenchTarget kind;
    double target;
} BenchRow;

typedef struct {
    int pairs;
    GPtrArray *rows; /* BenchRow * */
} Bench;

/* report.c */
BenchRow *bench_row(Bench *b, const char *id, const char *unit,
                    const char *what, ...) G_GNUC_PRINTF(4, 5);
void bench_row_target(BenchRow *row, BenchTarget kind, double target);
void bench_add(BenchRow *row, unsigned side, double value);
double bench_median(double *at, unsigned count); /* sorts them */
void bench_say(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void bench_print(const Bench *b);
bool bench_write_json(const Bench *b, const char *path);
bool bench_targets_met(const Bench *b);

/* machine.c: a QEMU of which the CPU time can be read. With a clock of its
 * own (HcdOptions.own_clock) its CPU stands in HLT and the host's clock runs.
 */
typedef struct {
    Hcd *h;
    pid_t pid;
    clockid_t clock;
} BenchMachine;
void bench_wait(int64_t ns); /* of the host's time: HcdOptions.wait */
BenchMachine *bench_machine_start(HcdOptions options);
void bench_machine_finish(BenchMachine *m);
void bench_machine_pause(BenchMachine *m, bool on);
uint64_t bench_cpu_ns(const BenchMachine *m);
uint64_t bench_own_cpu_ns(void);
uint64_t bench_memory_bytes(const BenchMachine *m);
uint64_t bench_count_wakeups(Hcd *h, uint64_t microframes);
/* Takes what is on the event ring, all of which must be good, and adds it up:
 * Transfer Events by their DCI, Command Completion Events as number 0. A host
 * that is busy may miss ESITs where its own clock is the machine's. */
void bench_take_events(Hcd *h, uint64_t count[32]);

/* stream.c: an isochronous IN stream that needs no software to go on. */
enum { BENCH_STREAM_TDS = 64 };
uint64_t bench_buffer_stride(unsigned bytes);
typedef struct {
    BenchMachine *m;
    HcdDev *dev;
    unsigned tds;        /* in the ring */
    unsigned ioc_every;  /* TDs */
    uint64_t events[32]; /* taken so far, by DCI */
    uint64_t counters;   /* where the device's counters are read to */
    uint64_t packets;    /* the device's count */
} BenchStream;
typedef struct {
    double cpu_ns, wall_ns;
    uint64_t packets;
} BenchRun;
BenchStream *bench_stream_open(BenchMachine *m, unsigned alternate,
                               unsigned ioc_every);
void bench_stream_start(BenchStream *s);
uint64_t bench_stream_take(BenchStream *s); /* packets since the last call */
BenchRun bench_stream_run(BenchStream *s, uint64_t microframes);

/* The rows. */
void bench_isoch(Bench *b);
void bench_super(Bench *b);
void bench_wakeups(Bench *b);
void bench_idle(Bench *b);
void bench_commands(Bench *b);
void bench_bulk(Bench *b);
void bench_av(Bench *b);

#endif
