/*
 * A driver that waits for interrupts, and a log of what it saw.
 *
 * What a controller does in its own time - serve ESITs in batches, move to
 * another machine - nobody may notice. So a scenario is played twice, with and
 * without, by a driver that looks at its event ring when an interrupt comes and
 * at nothing else, except where the scenario says so. What it saw, and when, is
 * written to a log, and the two logs must be equal. The data of a TD says in
 * which microframe it was served, so that is in the log as well.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_WATCH_H
#define TESTS_QTEST_LIB_WATCH_H

#include "iso.h"

#define WATCH_TDS 200
enum { WATCH_EVERY_UF = 1, WATCH_EVERY_FRAME = 4 }; /* alternates */

typedef struct {
    Hcd *h;
    HcdDev *dev;
    GString *log;
    uint64_t begin_uf;
    uint64_t migrate_uf; /* since begin_uf; 0: never */
    unsigned bytes;      /* of a packet */
    unsigned count;
    uint64_t trb[WATCH_TDS];
    uint64_t buf[WATCH_TDS];
} Watcher;

typedef struct {
    const char *name;
    unsigned alternate;
    unsigned usbcmd;
    bool unplugs; /* it ends with another machine than it began with */
    void (*play)(Watcher *w);
} Scenario;

void watch_run(Watcher *w, unsigned microframes);
void watch_look(Watcher *w);
void watch_queue(Watcher *w, unsigned dci, HcdTd td);
/* n TDs that ask for events; each `every`th for an interrupt as well. */
void watch_queue_row(Watcher *w, unsigned dci, unsigned n, unsigned every);
void watch_log_data(Watcher *w);

/* scenarios.c */
extern const Scenario watch_scenarios[];
extern const unsigned watch_scenario_count;
/* Plays it and returns the log. */
char *watch_play(const Scenario *s, const char *props, uint64_t migrate_uf);

#endif
