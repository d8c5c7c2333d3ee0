/*
 * Commands: No Ops in batches. Most of what is measured is the way of a
 * doorbell to QEMU and back; doorbells that find no command are measured in
 * turn with the others, and the difference of the medians is what the commands
 * cost.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"
#include "qemu/bswap.h"

enum {
    BATCH = 250, /* qemu-xhci stops after 256 for one doorbell */
    DOORBELLS = 101,
};

/* A ring of BATCH commands and a Link, which is used up by each doorbell. */
typedef struct {
    BenchMachine *m;
    uint64_t ring;
    bool pcs;
} Commands;

static void use_ring(Commands *c)
{
    Hcd *h = c->m->h;

    c->ring = hcd_alloc(h, (BATCH + 1) * XHCI_TRB_BYTES, 8192);
    c->pcs = true;
    hcd_halt(h);
    hcd_op_write(h, XHCI_CRCR_LO, c->ring | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
}

static void fill_ring(Commands *c)
{
    uint8_t wire[(BATCH + 1) * XHCI_TRB_BYTES] = { 0 };
    uint32_t cycle = c->pcs ? TRB_C : 0;

    for (unsigned i = 0; i < BATCH; i++) {
        stl_le_p(wire + i * XHCI_TRB_BYTES + 12,
                 xhci_set(cycle, TRB_TYPE, CMD_NOOP));
    }
    stq_le_p(wire + BATCH * XHCI_TRB_BYTES, c->ring);
    stl_le_p(wire + BATCH * XHCI_TRB_BYTES + 12,
             xhci_set(cycle | TRB_TC, TRB_TYPE, TRB_LINK));
    qtest_bufwrite(c->m->h->qts, c->ring, wire, sizeof(wire));
    c->pcs = !c->pcs;
}

/* A doorbell, and time for what a controller leaves for later. */
static double ring_doorbell(Commands *c)
{
    uint64_t began = bench_cpu_ns(c->m);

    hcd_doorbell(c->m->h, 0, 0);
    hcd_step_uf(c->m->h, 8);
    return bench_cpu_ns(c->m) - began;
}

/* Commands a second of CPU time. */
static double measure(Commands *c)
{
    uint64_t count[32] = { 0 };
    double empty[DOORBELLS], full[DOORBELLS];

    for (unsigned i = 0; i < DOORBELLS; i++) {
        empty[i] = ring_doorbell(c);
        fill_ring(c);
        full[i] = ring_doorbell(c);
        bench_take_events(c->m->h, count);
    }
    hcd_check(count[0] == BATCH * DOORBELLS,
              "%" PRIu64 " completions for %u commands", count[0],
              BATCH * DOORBELLS);
    return BATCH * 1e9 /
           (bench_median(full, DOORBELLS) - bench_median(empty, DOORBELLS));
}

void bench_commands(Bench *b)
{
    Commands c[BENCH_SIDES];
    BenchRow *row = bench_row(
        b, "commands", "1/s",
        "No Op commands per second of host CPU, %u to a doorbell", BATCH);

    bench_say("commands");
    bench_row_target(row, BENCH_RATIO_AT_LEAST, 1.0);
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        c[i].m = bench_machine_start((HcdOptions){
            .controller = bench_controllers[i], .event_trbs = 4096 });
        use_ring(&c[i]);
        hcd_event_drain(c[i].m->h);
        measure(&c[i]);
    }
    for (int n = 0; n < b->pairs; n++) {
        for (unsigned i = 0; i < BENCH_SIDES; i++) {
            bench_add(row, i, measure(&c[i]));
        }
    }
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        bench_machine_finish(c[i].m);
    }
}
