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
    ALTERNATE = 3,
    IOC_EVERY = 64,
    STEPPED_UF = 2 * HCD_UF_PER_SECOND,
    REAL_UF = HCD_UF_PER_SECOND,
};

static void open_pair(BenchStream *streams[BENCH_SIDES], bool own_clock)
{
    for (unsigned i = 0; i < BENCH_SIDES; i++) {
        BenchMachine *m = bench_machine_start(
            (HcdOptions){ .controller = bench_controllers[i],
                          .args = ISOAV_ARGS,
                          .own_clock = own_clock,
                          .event_trbs = 4096 });

        streams[i] = bench_stream_open(m, ALTERNATE, IOC_EVERY);
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
    isoav_streams_select(streams, ISOAV_IFACE_TEST, ALTERNATE);
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
    open_pair(streams, false);
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
    open_pair(streams, true);
    measure_stream(b, row, delivered, streams, REAL_UF);
    close_pair(streams);
}

void bench_isoch(Bench *b)
{
    measure_stepped(b);
    measure_device(b);
    measure_real(b);
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
    open_pair(streams, false);
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
