/*
 * What a controller with nothing to do costs: wake-ups, and memory. Memory is
 * what the process has for itself (its private dirty pages) with many more
 * controllers than one, less that with one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"

#define IDLE_ARGS "-machine pit=off " KBD_ARGS MSD_ARGS ISOAV_ARGS
enum { IDLE_DEVICES = 3, IDLE_SECONDS = 10, MORE_CONTROLLERS = 16 };

/* Every device configured; a read of the keyboard waits for a key. */
static void configure_all(Hcd *h)
{
    for (unsigned i = 0; i < IDLE_DEVICES; i++) {
        HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, i));

        hcd_set_configuration(h, dev, 1);
        if (i == 0) {
            hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN,
                       .mps = KBD_REPORT_BYTES, .esit = KBD_REPORT_BYTES,
                       .interval = KBD_INTERVAL);
            td_normal(h, dev, KBD_IN, .buf = hcd_alloc(h, 64, 64),
                      .len = KBD_REPORT_BYTES, .ioc = true);
            hcd_ring_ep(h, dev, KBD_IN);
        }
    }
    hcd_step_uf(h, HCD_UF_PER_SECOND);
}

static void measure_wakeups(Bench *b)
{
    BenchRow *row = bench_row(b, "idle", "1/s",
                              "timer callbacks per second, %u devices "
                              "configured and idle",
                              IDLE_DEVICES);

    bench_row_target(row, BENCH_VALUE_AT_MOST, 0);
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        BenchMachine *m = bench_machine_start((HcdOptions){
            .controller = bench_controllers[i], .args = IDLE_ARGS });
        uint64_t count;

        configure_all(m->h);
        count = bench_count_wakeups(m->h, IDLE_SECONDS * HCD_UF_PER_SECOND);
        bench_add(row, i, (double)count / IDLE_SECONDS);
        bench_machine_finish(m);
    }
}

static uint64_t measure_memory(const char *controller, unsigned more)
{
    g_autoptr(GString) args = g_string_new(NULL);
    BenchMachine *m;
    uint64_t bytes;

    for (unsigned i = 0; i < more; i++) {
        g_string_append_printf(args, "-device %s ", controller);
    }
    m = bench_machine_start(
        (HcdOptions){ .controller = controller, .args = args->str });
    bytes = bench_memory_bytes(m);
    bench_machine_finish(m);
    return bytes;
}

static void measure_memories(Bench *b)
{
    BenchRow *row = bench_row(
        b, "memory", "KiB", "memory of a controller with 64 slots, no device");

    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        const char *name = bench_controllers[i];
        double bytes = (double)measure_memory(name, MORE_CONTROLLERS) -
                       measure_memory(name, 0);

        bench_add(row, i, bytes / MORE_CONTROLLERS / 1024);
    }
}

void bench_idle(Bench *b)
{
    bench_say("an idle controller");
    measure_wakeups(b);
    measure_memories(b);
}
