/*
 * An isochronous IN stream that goes on by itself: a transfer ring whose Link
 * TRB does not toggle the cycle bit, so that the consumer goes round it for
 * ever and finds each TD again. No software has to run while the stream does,
 * and the clock can be moved by as much as the event ring has room for.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "bench.h"
#include "isolab/isoav.h"
#include "qemu/bswap.h"

/* Buffers for 8 ms, as a driver of a camera keeps in flight. xHCI 1.2 §6.4.1: a
 * buffer does not cross a 64 KiB boundary. */
#define RING_TDS BENCH_STREAM_TDS

uint64_t bench_buffer_stride(unsigned bytes)
{
    return bytes > 4096 ? 65536 : bytes;
}

static void put_trb(uint8_t *at, uint64_t pointer, uint32_t dw2, uint32_t dw3)
{
    stq_le_p(at, pointer);
    stl_le_p(at + 8, dw2);
    stl_le_p(at + 12, dw3 | TRB_C);
}

static void fill_ring(BenchStream *s, unsigned bytes)
{
    Hcd *h = s->m->h;
    HcdRing *ring = &s->dev->ring[ISOAV_IN];
    uint64_t stride = bench_buffer_stride(bytes);
    uint64_t buffers = hcd_alloc(h, s->tds * stride, 65536);
    uint8_t wire[(RING_TDS + 1) * XHCI_TRB_BYTES];

    for (unsigned i = 0; i < s->tds; i++) {
        bool ioc = i % s->ioc_every == s->ioc_every - 1;

        put_trb(wire + i * XHCI_TRB_BYTES, buffers + i * stride,
                xhci_set(0, TRB_LENGTH, bytes),
                xhci_set(TRB_SIA | (ioc ? TRB_IOC : 0), TRB_TYPE, TRB_ISOCH));
    }
    put_trb(wire + s->tds * XHCI_TRB_BYTES, ring->base, 0,
            xhci_set(0, TRB_TYPE, TRB_LINK));
    qtest_bufwrite(h->qts, ring->base, wire, (s->tds + 1) * XHCI_TRB_BYTES);
}

BenchStream *bench_stream_open(BenchMachine *m, unsigned alternate,
                               unsigned ioc_every)
{
    BenchStream *s = g_new0(BenchStream, 1);

    s->m = m;
    s->tds = RING_TDS;
    s->ioc_every = ioc_every;
    s->dev = hcd_isoav_open_one(m->h, alternate, ISOAV_IN);
    s->counters = hcd_alloc(m->h, ISOAV_COUNTERS_BYTES, 64);
    fill_ring(s, hcd_isoav_packet_bytes(alternate));
    return s;
}

void bench_stream_start(BenchStream *s)
{
    hcd_ring_ep(s->m->h, s->dev, ISOAV_IN);
    bench_stream_run(s, 16);
}

/* Rule 3 of bench.h: each TD was on the bus, and the events came. */
/* The device's own count. Events of the stream may come in between. */
static uint64_t read_packets(BenchStream *s)
{
    Hcd *h = s->m->h;
    HcdSetup setup = { .type = 0xc1,
                       .request = ISOAV_REQ_COUNTERS,
                       .index = ISOAV_IFACE_TEST,
                       .length = ISOAV_COUNTERS_BYTES };
    uint64_t asked = s->events[1];

    td_setup(h, s->dev, setup);
    td_data(h, s->dev, .buf = s->counters, .len = setup.length, .in = true);
    td_status(h, s->dev, .ioc = true);
    hcd_ring_ep(h, s->dev, 1);
    while (s->events[1] == asked) {
        bench_take_events(h, s->events);
    }
    return qtest_readq(h->qts, s->counters + 8 * ISOAV_COUNT_PACKETS_IN);
}

uint64_t bench_stream_take(BenchStream *s)
{
    uint64_t before = s->packets, events;

    bench_take_events(s->m->h, s->events);
    s->packets = read_packets(s);
    events = s->events[ISOAV_IN];
    hcd_check(s->m->h->options.own_clock ||
                  (events + 1 >= s->packets / s->ioc_every &&
                   events <= s->packets / s->ioc_every + 1),
              "%" PRIu64 " events for %" PRIu64 " packets, one for each %u",
              events, s->packets, s->ioc_every);
    return s->packets - before;
}

BenchRun bench_stream_run(BenchStream *s, uint64_t microframes)
{
    uint64_t wall_us = g_get_monotonic_time();
    uint64_t began = bench_cpu_ns(s->m);
    BenchRun run;

    hcd_step_uf(s->m->h, microframes);
    run.cpu_ns = bench_cpu_ns(s->m) - began;
    run.wall_ns = 1000.0 * (g_get_monotonic_time() - wall_us);
    run.packets = bench_stream_take(s);
    if (!s->m->h->options.own_clock) {
        hcd_check(run.packets + 2 >= microframes &&
                      run.packets <= microframes + 2,
                  "%" PRIu64 " packets in %" PRIu64 " microframes", run.packets,
                  microframes);
    }
    return run;
}
