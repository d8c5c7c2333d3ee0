/*
 * A QEMU with one controller: its CPU time, its memory, its timers and its
 * events.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"
#include "qemu/bswap.h"

const char *const bench_controllers[BENCH_SIDES] = { "ixhci", "qemu-xhci" };

static pid_t read_pid(const char *path)
{
    g_autofree char *text = NULL;

    hcd_check(g_file_get_contents(path, &text, NULL, NULL),
              "QEMU has left no process ID in %s", path);
    return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

/* Nothing may disturb what is measured, not even a question. */
void bench_wait(int64_t ns)
{
    g_usleep(ns / 1000);
}

BenchMachine *bench_machine_start(HcdOptions options)
{
    BenchMachine *m = g_new0(BenchMachine, 1);
    g_autofree char *dir = g_dir_make_tmp("isolab-bench-XXXXXX", NULL);
    g_autofree char *pid = g_strdup_printf("%s/pid", dir);
    g_autofree char *rom = hcd_rom_halt();
    g_autofree char *own_clock = g_strdup_printf("-accel tcg -bios %s", rom);
    g_autofree char *args = g_strdup_printf("-pidfile %s %s %s", pid,
                                            options.own_clock ? own_clock : "",
                                            options.args ? options.args : "");

    options.args = args;
    m->h = hcd_start_with(options);
    m->h->options.args = NULL;
    m->pid = read_pid(pid);
    hcd_check(clock_getcpuclockid(m->pid, &m->clock) == 0,
              "process %d has no CPU-time clock", (int)m->pid);
    unlink(pid);
    unlink(rom);
    rmdir(dir);
    return m;
}

void bench_machine_finish(BenchMachine *m)
{
    hcd_finish(m->h);
    g_free(m);
}

static uint64_t read_clock(clockid_t clock)
{
    struct timespec t;

    hcd_check(clock_gettime(clock, &t) == 0, "the CPU time cannot be read");
    return t.tv_sec * UINT64_C(1000000000) + t.tv_nsec;
}

uint64_t bench_cpu_ns(const BenchMachine *m)
{
    return read_clock(m->clock);
}

uint64_t bench_own_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_memory_bytes(const BenchMachine *m)
{
    g_autofree char *path =
        g_strdup_printf("/proc/%d/smaps_rollup", (int)m->pid);
    g_autofree char *text = NULL;
    const char *key = "\nPrivate_Dirty:", *line;
    uint64_t kib;

    hcd_check(g_file_get_contents(path, &text, NULL, NULL), "%s cannot be read",
              path);
    line = strstr(text, key);
    kib = line ? g_ascii_strtoull(line + strlen(key), NULL, 10) : 0;
    hcd_check(kib, "%s does not tell private dirty pages", path);
    return kib * 1024;
}

/* IA-PC HPET 1.0a, 2.3: general configuration, main counter, timer 0. */
#define HPET_BASE 0xfed00000
#define HPET_CONFIG 0x10
#define HPET_COUNTER 0xf0
#define HPET_TIMER_CONFIG 0x100
#define HPET_TIMER_COMPARATOR 0x108
#define HPET_ENABLE (1u << 0)
#define HPET_TIMER_INTERRUPT (1u << 2)
#define HPET_TICK_NS 10

static void write_hpet(Hcd *h, unsigned offset, uint32_t value)
{
    qtest_writel(h->qts, HPET_BASE + offset, value);
}

/*
 * A deadline in the machine that is not the controller's, so that there is a
 * next one whatever the controller does: QEMU 10.0 takes a step to none for
 * an error.
 */
static void arm_last_deadline(Hcd *h, uint64_t ns_from_now)
{
    uint64_t ticks = ns_from_now / HPET_TICK_NS;

    hcd_check(ticks <= UINT32_MAX, "too long to count wake-ups");
    write_hpet(h, HPET_CONFIG, 0);
    write_hpet(h, HPET_COUNTER, 0);
    write_hpet(h, HPET_COUNTER + 4, 0);
    write_hpet(h, HPET_TIMER_CONFIG, HPET_TIMER_INTERRUPT);
    write_hpet(h, HPET_TIMER_COMPARATOR, ticks);
    write_hpet(h, HPET_TIMER_COMPARATOR + 4, 0);
    write_hpet(h, HPET_CONFIG, HPET_ENABLE);
}

/* The clock goes from one timer's deadline to the next: how many there are. */
uint64_t bench_count_wakeups(Hcd *h, uint64_t microframes)
{
    uint64_t end_ns = h->now_ns + microframes * HCD_UF_NS;
    uint64_t count = 0;

    arm_last_deadline(h, end_ns + HCD_UF_NS - h->now_ns);
    while (h->now_ns <= end_ns) {
        h->now_ns = qtest_clock_step_next(h->qts);
        count += h->now_ns <= end_ns;
    }
    hcd_step_to_uf(h, DIV_ROUND_UP(MAX(h->now_ns, end_ns), HCD_UF_NS));
    return count;
}

void bench_take_events(Hcd *h, uint64_t count[32])
{
    HcdEventRing *ring = &h->evt;
    g_autofree uint8_t *copy = g_malloc(ring->size * XHCI_TRB_BYTES);

    qtest_bufread(h->qts, ring->base, copy, ring->size * XHCI_TRB_BYTES);
    for (unsigned n = 0; n < ring->size; n++) {
        const uint8_t *trb = copy + ring->dequeue * XHCI_TRB_BYTES;
        uint32_t dw2 = ldl_le_p(trb + 8), dw3 = ldl_le_p(trb + 12);
        unsigned cc = xhci_get(dw2, EVT_CC);

        if (!!(dw3 & TRB_C) != ring->ccs) {
            break;
        }
        hcd_check(cc == CC_SUCCESS ||
                      (h->options.own_clock && cc == CC_MISSED_SERVICE),
                  "an event of type %u with code %u", xhci_get(dw3, TRB_TYPE),
                  cc);
        count[xhci_get(dw3, TRB_EP_ID)]++;
        if (++ring->dequeue == ring->size) {
            ring->dequeue = 0;
            ring->ccs = !ring->ccs;
        }
    }
    hcd_event_ack(h);
}

/* Its clock stands still meanwhile, and with it the machine. */
void bench_machine_pause(BenchMachine *m, bool on)
{
    qtest_qmp_assert_success(m->h->qts, on ? "{'execute': 'stop'}"
                                           : "{'execute': 'cont'}");
}
