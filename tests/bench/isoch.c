/*
 * What an isochronous TD costs, and how often the controller wakes up for it:
 * 82h of usb-isoav, 3 x 1024 bytes in every microframe, an event every 8 ms.
 *
 * Twice, because the cost has two parts. With the clock stepped, QEMU goes
 * from timer to timer without leaving its loop: what is left is the work on
 * rings, packets and events. With the host's clock, on a machine whose CPU
 * stands in HLT, each timer also takes QEMU out of poll() and back.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"
#include "isolab/isoav.h"
#include "hw/av/streams.h"

enum {
    HIGH_ALTERNATE = 3,
    IOC_EVERY = 64,
    STEPPED_UF = 2 * HCD_UF_PER_SECOND,
    REAL_UF = HCD_UF_PER_SECOND,
    SUPER_UF = HCD_UF_PER_SECOND / 4,
};

static void open_pair(BenchStream *streams[BENCH_SIDES], unsigned alternate,
                      bool own_clock)
{
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        BenchMachine *m = bench_machine_start((HcdOptions){
            .controller = bench_controllers[i],
            .args = alternate == ISOAV_TEST_ALT_SUPER ? ISOAV_SUPER_ARGS
                                                      : ISOAV_ARGS,
            .own_clock = own_clock,
            .wait = own_clock ? bench_wait : NULL,
            .event_trbs = 4096 });

        streams[i] = bench_stream_open(m, alternate, IOC_EVERY);
    }
}

static void close_pair(BenchStream *streams[BENCH_SIDES])
{
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        bench_machine_finish(streams[i]->m);
        g_free(streams[i]);
    }
}

/* A time in which nothing streams: what the machine itself costs. */
static uint64_t measure_quiet(BenchMachine *m, uint64_t microframes)
{
    uint64_t began = bench_cpu_ns(m);

    hcd_step_uf(m->h, microframes);
    return bench_cpu_ns(m) - began;
}

static void measure_stream(Bench *b, BenchRow *row, BenchRow *delivered,
                           BenchStream *streams[BENCH_SIDES],
                           uint64_t microframes)
{
    double quiet[BENCH_SIDES];

    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        quiet[i] = measure_quiet(streams[i]->m, microframes);
        bench_stream_start(streams[i]);
        bench_machine_pause(streams[i]->m, true);
    }
    for (int n = 0; n < b->pairs; n++) {
        for (unsigned i = 0; i < BENCH_SIDES; i++) {
            BenchRun run;

            bench_machine_pause(streams[i]->m, false);
            run = bench_stream_run(streams[i], microframes);
            bench_machine_pause(streams[i]->m, true);

            bench_add(row, i, (run.cpu_ns - quiet[i]) / run.packets);
            if (delivered) {
                bench_add(delivered, i, 1e9 * run.packets / run.wall_ns);
            }
        }
    }
}

/* The device alone: what it takes to make its packets. */
static void measure_device(Bench *b)
{
    BenchRow *row =
        bench_row(b, "isoch-device", "ns",
                  "usb-isoav making and copying such a packet, alone");
    g_autofree isoav_streams *streams = g_new0(isoav_streams, 1);
    static uint8_t wire[ISOAV_PACKET_MAX];
    isoav_reply reply;

    isoav_streams_configure(streams, ISOAV_CONFIGURATION);
    isoav_streams_select(streams, ISOAV_IFACE_TEST, HIGH_ALTERNATE);
    for (int i = 0; i < b->pairs; i++) {
        uint64_t began = bench_own_cpu_ns();

        for (unsigned n = 0; n < STEPPED_UF; n++) {
            isoav_streams_send(streams, ISOAV_IFACE_TEST, n, &reply);
            memcpy(wire, reply.head, reply.head_bytes);
            memcpy(wire + reply.head_bytes, reply.payload, reply.payload_bytes);
        }
        bench_add(row, BENCH_IXHCI,
                  (double)(bench_own_cpu_ns() - began) / STEPPED_UF);
    }
}

static void measure_stepped(Bench *b)
{
    BenchStream *streams[BENCH_SIDES];
    BenchRow *row;

    bench_say("isochronous TDs, the clock stepped");
    row = bench_row(b, "isoch-stepped", "ns",
                    "host CPU per isochronous TD of 3 x 1024 bytes, clock "
                    "stepped");
    bench_row_target(row, BENCH_RATIO_AT_MOST, 0.33);
    open_pair(streams, HIGH_ALTERNATE, false);
    measure_stream(b, row, NULL, streams, STEPPED_UF);
    close_pair(streams);
}

static void measure_real(Bench *b)
{
    BenchStream *streams[BENCH_SIDES];
    BenchRow *row, *delivered;

    bench_say("isochronous TDs, the host's clock");
    row = bench_row(b, "isoch-real", "ns",
                    "host CPU per isochronous TD of 3 x 1024 bytes, real time");
    bench_row_target(row, BENCH_RATIO_AT_MOST, 0.33);
    delivered = bench_row(b, "isoch-delivered", "1/s",
                          "packets on the bus in a second of real time");
    open_pair(streams, HIGH_ALTERNATE, true);
    measure_stream(b, row, delivered, streams, REAL_UF);
    close_pair(streams);
}

void bench_isoch(Bench *b)
{
    measure_stepped(b);
    measure_device(b);
    measure_real(b);
}

/* A plain copy of as many bytes to as many buffers, of one that stays. */
static void measure_memcpy(BenchRow *row, unsigned bytes, int pairs)
{
    uint64_t stride = bench_buffer_stride(bytes);
    size_t all = BENCH_STREAM_TDS * stride;
    g_autofree uint8_t *from = g_malloc0(bytes);
    uint8_t *to = aligned_alloc(2 << 20, all);

    madvise(to, all, MADV_HUGEPAGE); /* as QEMU does for the guest's RAM */
    memset(to, 1, all);
    for (int n = 0; n < pairs; n++) {
        uint64_t began = bench_own_cpu_ns();

        for (unsigned i = 0; i < SUPER_UF; i++) {
            memcpy(to + i % BENCH_STREAM_TDS * stride, from, bytes);
            __asm__ volatile("" ::"r"(to) : "memory");
        }
        bench_add(row, BENCH_QEMU,
                  (double)(bench_own_cpu_ns() - began) / SUPER_UF);
    }
    free(to);
}

void bench_super(Bench *b)
{
    BenchStream *streams[BENCH_SIDES];
    BenchRow *row, *copy;

    bench_say("SuperSpeed isochronous TDs, the clock stepped");
    row = bench_row(b, "super-stepped", "ns",
                    "host CPU per isochronous TD of 48 KiB, clock stepped");
    copy = bench_row(b, "super-memcpy", "ns",
                     "the same beside memcpy (second figure) of 48 KiB");
    copy->against = "memcpy";
    bench_row_target(copy, BENCH_RATIO_AT_MOST, 2);
    open_pair(streams, ISOAV_TEST_ALT_SUPER, false);
    measure_stream(b, row, NULL, streams, SUPER_UF);
    close_pair(streams);
    copy->side[BENCH_IXHCI] = row->side[BENCH_IXHCI];
    measure_memcpy(copy, ISOAV_PACKET_MAX_SUPER, b->pairs);
}

void bench_wakeups(Bench *b)
{
    BenchStream *streams[BENCH_SIDES];
    BenchRow *row;

    bench_say("timer callbacks of a stream");
    row = bench_row(b, "wakeups", "1/s",
                    "timer callbacks per streamed second, an event every 8 ms");
    /* one by one: 8000 */
    bench_row_target(row, BENCH_VALUE_AT_MOST, HCD_UF_PER_SECOND / 8);
    open_pair(streams, HIGH_ALTERNATE, false);
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        uint64_t quiet =
            bench_count_wakeups(streams[i]->m->h, HCD_UF_PER_SECOND);
        uint64_t busy;

        bench_stream_start(streams[i]);
        busy = bench_count_wakeups(streams[i]->m->h, HCD_UF_PER_SECOND);
        bench_stream_take(streams[i]);
        bench_add(row, i, (double)busy - quiet);
    }
    close_pair(streams);
}
