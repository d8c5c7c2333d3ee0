/*
 * The walk of a TD over a ring: Link TRBs at every place, the bounds that keep
 * a ring without end from being walked for ever, and random rings against a
 * producer that keeps its own books (RING-01, RING-02, RING-04, CTX-05).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"
#include "hw/xhci/td.h"

#define A UINT64_C(0x10000)
#define B UINT64_C(0x20000)
#define C UINT64_C(0x30000)

static void put(guest_memory *m, uint64_t gpa, uint32_t dw2, uint32_t dw3)
{
    guest_put(m, gpa, (xhci_trb){ { 0, 0, dw2, dw3 } });
}

static ixhci_td_verdict load_at(ixhci_td *td, guest_memory *m, uint64_t gpa,
                                unsigned ep_type)
{
    ixhci_ring ring = { gpa, true };

    return ixhci_td_load(td, &ring, ep_type, guest_load, m);
}

/* RING-02: Links between TDs, without IOC, are stepped over. */
static void ring_02_between(void)
{
    guest_memory m;
    ixhci_td td;

    guest_memory_init(&m);
    ixhci_td_init(&td);
    guest_put_link(&m, A, B, D3_C | D3_TC);
    guest_put_link(&m, B, C, D3_CH); /* CH says nothing here */
    put(&m, C, 0, D3_C);
    /* an empty ring is behind them, and the cycle is the new one */
    g_assert_cmpint(load_at(&td, &m, A, BULK_IN), ==, IXHCI_TD_EMPTY);
    g_assert_cmphex(ixhci_ring_pack(&td.start), ==, C);
    put(&m, C, 100, D3_NORMAL);
    g_assert_cmpint(load_at(&td, &m, A, BULK_IN), ==, IXHCI_TD_READY);
    g_assert_cmpuint(td.count, ==, 1);
    g_assert_cmphex(td.trbs[0].gpa, ==, C);
    g_assert_cmphex(ixhci_ring_pack(&td.start), ==, C);
    g_assert_cmphex(ixhci_ring_pack(&td.next), ==, C + 16);
    ixhci_td_clear(&td);
    guest_memory_free(&m);
}

/* RING-02: inside a TD they are followed, and have no length. */
static void ring_02_inside(void)
{
    guest_memory m;
    ixhci_td td;

    guest_memory_init(&m);
    ixhci_td_init(&td);
    put(&m, A, 100, D3_NORMAL | D3_C | D3_CH);
    guest_put(&m, A + 16,
              (xhci_trb){ { (uint32_t)B, 0, 0x1ffff,
                            D3_LINK | D3_C | D3_CH | D3_TC } });
    put(&m, B, 50, D3_NORMAL);
    g_assert_cmpint(load_at(&td, &m, A, BULK_IN), ==, IXHCI_TD_READY);
    g_assert_cmpuint(td.count, ==, 3);
    g_assert_cmpuint(td.bytes, ==, 150);
    g_assert_cmphex(td.trbs[1].gpa, ==, A + 16);
    g_assert_cmphex(td.trbs[2].gpa, ==, B);
    g_assert_cmphex(ixhci_ring_pack(&td.start), ==, A | 1);
    g_assert_cmphex(ixhci_ring_pack(&td.next), ==, B + 16);
    ixhci_td_clear(&td);
    guest_memory_free(&m);
}

/* CTL-01: a ring may end between the stages of a control transfer. */
static void ctl_01_link_between_stages(void)
{
    guest_memory m;
    ixhci_td td;

    guest_memory_init(&m);
    ixhci_td_init(&td);
    put(&m, A, 8, D3_SETUP | D3_C | D3_IDT);
    guest_put_link(&m, A + 16, B, D3_C | D3_TC);
    g_assert_cmpint(load_at(&td, &m, A, CONTROL), ==, IXHCI_TD_DMA_ERROR);
    put(&m, B, 0, D3_STATUS | D3_C);
    g_assert_cmpint(load_at(&td, &m, A, CONTROL), ==, IXHCI_TD_PARTIAL);
    put(&m, B, 0, D3_STATUS);
    g_assert_cmpint(load_at(&td, &m, A, CONTROL), ==, IXHCI_TD_READY);
    g_assert_cmpuint(td.count, ==, 3);
    g_assert_cmphex(ixhci_ring_pack(&td.next), ==, B + 16);
    ixhci_td_clear(&td);
    guest_memory_free(&m);
}

/* xHCI 1.2 §4.11.5.1: what stands behind a Link TRB with IOC is another TD. */
static const struct {
    const char *name;
    unsigned ep_type;
    uint32_t behind;
} behinds[] = {
    { "nothing yet", BULK_IN, 0 },
    { "a TD", BULK_IN, D3_NORMAL | D3_C },
    { "a part of a TD", BULK_IN, D3_NORMAL | D3_C | D3_CH },
    { "nonsense", BULK_IN, D3_TYPE(40) | D3_C },
    { "an isochronous TD", ISO_OUT, D3_ISOCH | D3_C },
    { "a control transfer", CONTROL, D3_SETUP | D3_C },
};

static void ring_04_link_with_ioc(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(behinds); i++) {
        guest_memory m;
        ixhci_td td;

        g_test_message("%s", behinds[i].name);
        guest_memory_init(&m);
        ixhci_td_init(&td);
        guest_put_link(&m, A, B, D3_C);
        guest_put_link(&m, B, C, D3_C | D3_IOC);
        put(&m, C, 0, behinds[i].behind);
        g_assert_cmpint(load_at(&td, &m, A, behinds[i].ep_type), ==,
                        IXHCI_TD_READY);
        g_assert_cmpuint(td.count, ==, 1);
        g_assert_cmphex(td.trbs[0].gpa, ==, B);
        g_assert_false(td.has_data);
        g_assert_cmphex(td.start.dequeue_gpa, ==, B);
        g_assert_cmphex(td.next.dequeue_gpa, ==, C);
        ixhci_td_clear(&td);
        guest_memory_free(&m);
    }
}

/* Rings that never end: the verdict, and what the cycle of the blamed TRB is
 * in memory (CTX-05: DCS is the cycle of the TRB that it names). */
static void check_blamed(const ixhci_td *td, guest_memory *m, unsigned loads)
{
    const ixhci_td_trb *last = &td->trbs[td->count - 1];
    const xhci_trb *there = g_hash_table_lookup(m->trbs, &last->gpa);

    g_assert_cmpuint(m->loads, ==, loads);
    g_assert_nonnull(there);
    g_assert_cmpmem(&last->trb, 16, there, 16);
}

static void ctx_05_link_loops(void)
{
    static const unsigned ep_types[] = { BULK_IN, ISO_IN, CONTROL };

    for (unsigned n = 0; n < G_N_ELEMENTS(ep_types); n++) {
        unsigned bound = ep_types[n] == ISO_IN ? 128 : 4096;
        guest_memory m;
        ixhci_td td;

        guest_memory_init(&m);
        ixhci_td_init(&td);
        guest_put_link(&m, A, A, D3_C);
        g_assert_cmpint(load_at(&td, &m, A, ep_types[n]), ==, IXHCI_TD_BAD);
        g_assert_cmpuint(td.count, ==, 1);
        check_blamed(&td, &m, bound);
        /* two that toggle back and forth */
        m.loads = 0;
        guest_put_link(&m, A, B, D3_C | D3_TC);
        guest_put_link(&m, B, A, D3_TC);
        g_assert_cmpint(load_at(&td, &m, A, ep_types[n]), ==, IXHCI_TD_BAD);
        g_assert_cmpuint(td.count, ==, 1);
        check_blamed(&td, &m, bound);
        ixhci_td_clear(&td);
        guest_memory_free(&m);
    }
}

/* A TD that chains to itself, and one of exactly as many TRBs as are walked. */
static void ring_01_bounds(void)
{
    static const struct {
        unsigned ep_type, first, bound;
    } rows[] = {
        { BULK_IN, D3_NORMAL, 4096 },
        { ISO_OUT, D3_ISOCH, 128 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        guest_memory m;
        ixhci_td td;

        guest_memory_init(&m);
        ixhci_td_init(&td);
        put(&m, A, 1, rows[i].first | D3_C | D3_CH);
        for (unsigned n = 1; n < rows[i].bound; n++) {
            bool last = n == rows[i].bound - 1;

            put(&m, A + 16 * n, 1, D3_NORMAL | D3_C | (last ? 0 : D3_CH));
        }
        g_assert_cmpint(load_at(&td, &m, A, rows[i].ep_type), ==,
                        IXHCI_TD_READY);
        g_assert_cmpuint(td.count, ==, rows[i].bound);
        g_assert_cmpuint(td.bytes, ==, rows[i].bound);
        /* one more */
        m.loads = 0;
        put(&m, A + 16 * (rows[i].bound - 1), 1, D3_NORMAL | D3_C | D3_CH);
        put(&m, A + 16 * rows[i].bound, 1, D3_NORMAL | D3_C);
        g_assert_cmpint(load_at(&td, &m, A, rows[i].ep_type), ==, IXHCI_TD_BAD);
        check_blamed(&td, &m, rows[i].bound);
        /* round and round */
        m.loads = 0;
        guest_put_link(&m, A + 16, A + 32, D3_C);
        guest_put_link(&m, A + 32, A + 16, D3_C);
        g_assert_cmpint(load_at(&td, &m, A, rows[i].ep_type), ==, IXHCI_TD_BAD);
        check_blamed(&td, &m, rows[i].bound);
        ixhci_td_clear(&td);
        guest_memory_free(&m);
    }
}

/* 32 MiB in one TD are taken, a byte more is not. */
static void ring_01_bytes(void)
{
    for (unsigned more = 0; more <= 1; more++) {
        guest_memory m;
        ixhci_td td;

        guest_memory_init(&m);
        ixhci_td_init(&td);
        for (unsigned n = 0; n < 512; n++) {
            put(&m, A + 16 * n, 65536, D3_NORMAL | D3_C | D3_CH);
        }
        put(&m, A + 16 * 512, more, D3_NORMAL | D3_C);
        g_assert_cmpint(load_at(&td, &m, A, BULK_OUT), ==,
                        more ? IXHCI_TD_BAD : IXHCI_TD_READY);
        g_assert_cmpuint(td.bytes, ==, (32u << 20) + more);
        ixhci_td_clear(&td);
        guest_memory_free(&m);
    }
}

/* A producer's books: where the TRBs of a TD are, Link TRBs included. */
enum { RANDOM_TDS = 40 };

typedef struct {
    GArray *gpas;
    uint32_t bytes;
    bool has_data;
    uint64_t next; /* with the cycle in bit 0 */
} wanted;

typedef struct {
    guest_memory m;
    GRand *rand;
    uint64_t at;
    uint64_t segments;
    bool pcs;
} producer;

/* Links at random, each to a new segment. Those inside of a TD are kept, and
 * may have IOC; those between two are not kept. */
static void maybe_link(producer *p, wanted *w, bool inside)
{
    while (g_rand_int_range(p->rand, 0, 4) == 0) {
        uint64_t to = ++p->segments << 16;
        bool toggles = g_rand_boolean(p->rand);

        guest_put_link(&p->m, p->at, to,
                       (toggles ? D3_TC : 0) | (inside ? D3_CH : 0) |
                           (inside && g_rand_boolean(p->rand) ? D3_IOC : 0) |
                           (p->pcs ? D3_C : 0));
        if (inside) {
            g_array_append_val(w->gpas, p->at);
        }
        p->at = to;
        p->pcs ^= toggles;
    }
}

static void produce(producer *p, wanted *w)
{
    static const uint32_t types[] = { D3_NORMAL, D3_NORMAL, D3_EVENT_DATA,
                                      D3_NOOP };
    unsigned count = g_rand_int_range(p->rand, 1, 12);

    w->gpas = g_array_new(false, false, sizeof(uint64_t));
    maybe_link(p, w, false);
    for (unsigned i = 0; i < count; i++) {
        uint32_t type = types[g_rand_int_range(p->rand, 0, 4)];
        uint32_t bytes = g_rand_int_range(p->rand, 0, 65537);

        put(&p->m, p->at, bytes | 0x003e0000,
            type | (i + 1 < count ? D3_CH : 0) | (p->pcs ? D3_C : 0));
        if (type == D3_NORMAL) {
            w->bytes += bytes;
            w->has_data = true;
        }
        g_array_append_val(w->gpas, p->at);
        p->at += 16;
        if (i + 1 < count) {
            maybe_link(p, w, true);
        }
    }
    w->next = p->at | p->pcs;
}

static void check_wanted(const ixhci_td *td, const wanted *w)
{
    g_assert_cmpuint(td->count, ==, w->gpas->len);
    for (unsigned i = 0; i < td->count; i++) {
        g_assert_cmphex(td->trbs[i].gpa, ==,
                        g_array_index(w->gpas, uint64_t, i));
    }
    g_assert_cmpuint(td->bytes, ==, w->bytes);
    g_assert_cmpint(td->has_data, ==, w->has_data);
    g_assert_cmphex(td->start.dequeue_gpa, ==,
                    g_array_index(w->gpas, uint64_t, 0));
    g_assert_cmphex(ixhci_ring_pack(&td->next), ==, w->next);
}

static void ring_02_random_tds(void)
{
    for (uint32_t seed = 1; seed <= 100; seed++) {
        producer p = { .rand = g_rand_new_with_seed(seed), .pcs = true };
        wanted tds[RANDOM_TDS] = { 0 };
        ixhci_ring ring = { A, true };
        ixhci_td td;

        guest_memory_init(&p.m);
        ixhci_td_init(&td);
        p.at = A;
        p.segments = 1;
        for (unsigned i = 0; i < RANDOM_TDS; i++) {
            produce(&p, &tds[i]);
        }
        put(&p.m, p.at, 0, p.pcs ? 0 : D3_C);
        for (unsigned i = 0; i < RANDOM_TDS; i++) {
            g_assert_cmpint(
                ixhci_td_load(&td, &ring, BULK_IN, guest_load, &p.m), ==,
                IXHCI_TD_READY);
            check_wanted(&td, &tds[i]);
            ring = td.next;
            g_array_unref(tds[i].gpas);
        }
        g_assert_cmpint(ixhci_td_load(&td, &ring, BULK_IN, guest_load, &p.m),
                        ==, IXHCI_TD_EMPTY);
        ixhci_td_clear(&td);
        guest_memory_free(&p.m);
        g_rand_free(p.rand);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/CTL-01/link-between-stages", ctl_01_link_between_stages);
    g_test_add_func("/CTX-05/link-loops", ctx_05_link_loops);
    g_test_add_func("/RING-01/bounds", ring_01_bounds);
    g_test_add_func("/RING-01/bytes", ring_01_bytes);
    g_test_add_func("/RING-02/between", ring_02_between);
    g_test_add_func("/RING-02/inside", ring_02_inside);
    g_test_add_func("/RING-02/random-tds", ring_02_random_tds);
    g_test_add_func("/RING-04/link-with-ioc", ring_04_link_with_ioc);
    return g_test_run();
}
