/*
 * The Debug Capability from both ends of its cable (xHCI 1.2 §7.6): the driver
 * in the machine, and, through a chardev, the program at the host. A file is a
 * chardev that is always open; a socket can be plugged and unplugged.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_DEBUG_H
#define TESTS_QTEST_LIB_DEBUG_H

#include "hcd.h"

/* OUT goes to the host, IN comes from it. */
enum { OUT, IN, OUT_DCI = 2, IN_DCI = 3 };
enum { DBG_RING_TRBS = 64, DBG_ENUMERATED_UF = 8 + 8 + 80 + 8 };

typedef struct {
    Hcd *h;
    uint64_t base;
    HcdEventRing evt;
    HcdRing ring[2];
    uint64_t contexts;
    char *dir, *path;
    int peer; /* of a socket */
} Debug;

typedef struct {
    bool socket;
    unsigned event_trbs;
    const char *args, *machine;
} Cable;

uint32_t dbg_reg(Debug *d, unsigned offset);
void dbg_set_reg(Debug *d, unsigned offset, uint32_t value);
void dbg_set_reg64(Debug *d, unsigned offset, uint64_t value);
uint64_t dbg_find(Hcd *h); /* its address in BAR 0; 0: there is none */

/* A machine that has one. `clear` is the end of a test without its machine. */
Debug *dbg_start_with(Cable cable);
#define dbg_start(...) dbg_start_with((Cable){ __VA_ARGS__ })
void dbg_clear(Debug *d);
void dbg_finish(Debug *d);

/* The driver: contexts and registers, then DCE, then what the host makes of it.
 * A chardev is served between two commands of the test, and not at a known
 * one: dbg_becomes asks often enough, `step` microframes apart. */
void dbg_prepare(Debug *d);
void dbg_enable(Debug *d);
bool dbg_becomes(Debug *d, unsigned offset, uint32_t mask, uint32_t value,
                 unsigned step);
void dbg_configured(Debug *d);

/* Events, rings and data. */
void dbg_ack(Debug *d);
HcdEvent dbg_next_event(Debug *d);
bool dbg_is_quiet(Debug *d);
void dbg_drain(Debug *d);
uint64_t dbg_put(Debug *d, unsigned i, uint64_t buf, uint32_t len,
                 uint32_t flags);
void dbg_ring(Debug *d, unsigned i);
void dbg_expect_te(Debug *d, unsigned dci, uint64_t ptr, unsigned cc,
                   uint32_t len);

/* The host: what is in its file, and a socket's other end. */
size_t dbg_file_bytes(Debug *d);
void dbg_check_file(Debug *d, const char *want, size_t bytes);
uint64_t dbg_put_text(Debug *d, const char *text);
void dbg_plug(Debug *d);
void dbg_unplug(Debug *d);

#endif
