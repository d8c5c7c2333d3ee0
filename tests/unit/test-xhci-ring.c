/*
 * The ring walker: who owns a TRB, what a Link TRB does, and that nothing of a
 * ring of any shape is skipped, repeated or read ahead (CMD-01, CMD-02,
 * RING-02, RING-03).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"

/* xHCI 1.2 §5.4.5, §6.2.3: pointer in bits 63:4, cycle in bit 0. */
static const struct {
    uint64_t packed, dequeue, again;
    bool ccs;
} packs[] = {
    { 0, 0, 0, false },
    { 1, 0, 1, true },
    { 0x1000, 0x1000, 0x1000, false },
    { 0x1001, 0x1000, 0x1001, true },
    { 0x100e, 0x1000, 0x1000, false }, /* CS, CA, CRR are no address */
    { 0x100f, 0x1000, 0x1001, true },
    { 0x1011, 0x1010, 0x1011, true },
    { UINT64_C(0x123456789abcdef1), UINT64_C(0x123456789abcdef0),
      UINT64_C(0x123456789abcdef1), true },
    { UINT64_MAX, UINT64_MAX - 15, UINT64_MAX - 14, true },
    { UINT64_C(0x8000000000000000), UINT64_C(0x8000000000000000),
      UINT64_C(0x8000000000000000), false },
};

static void ring_02_packing(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(packs); i++) {
        ixhci_ring ring = ixhci_ring_at(packs[i].packed);

        g_assert_cmphex(ring.dequeue_gpa, ==, packs[i].dequeue);
        g_assert_cmpint(ring.ccs, ==, packs[i].ccs);
        g_assert_cmphex(ixhci_ring_pack(&ring), ==, packs[i].again);
    }
}

/* xHCI 1.2 §4.9.2: the TRB is the consumer's if its cycle bit equals CCS. */
static const struct {
    uint32_t dw3;
    bool ccs;
    ixhci_ring_result result;
} owners[] = {
    { 0x00000401, true, IXHCI_RING_TRB },
    { 0x00000400, true, IXHCI_RING_EMPTY },
    { 0x00000400, false, IXHCI_RING_TRB },
    { 0x00000401, false, IXHCI_RING_EMPTY },
    /* every other bit, with and without the one that counts */
    { 0xfffffffe, false, IXHCI_RING_TRB },
    { 0xfffffffe, true, IXHCI_RING_EMPTY },
    { 0xffffffff, true, IXHCI_RING_TRB },
    { 0xffffffff, false, IXHCI_RING_EMPTY },
    { 0, false, IXHCI_RING_TRB },
    { 0, true, IXHCI_RING_EMPTY },
};

static void cmd_01_cycle(void)
{
    guest_memory m;

    guest_memory_init(&m);
    for (size_t i = 0; i < G_N_ELEMENTS(owners); i++) {
        const xhci_trb put = { { 0x11111111, 0x22222222, 0x33333333,
                                 owners[i].dw3 } };
        ixhci_ring ring = { 0x1000, owners[i].ccs };
        xhci_trb trb = { { 0 } };

        m.loads = 0;
        guest_put(&m, 0x1000, put);
        g_assert_cmpint(ixhci_ring_fetch(&ring, guest_load, &m, &trb), ==,
                        owners[i].result);
        /* it was read once, as a whole, and nothing moved */
        g_assert_cmpuint(m.loads, ==, 1);
        g_assert_cmphex(m.last_gpa, ==, 0x1000);
        g_assert_cmpmem(&trb, sizeof(trb), &put, sizeof(put));
        g_assert_cmphex(ring.dequeue_gpa, ==, 0x1000);
        g_assert_cmpint(ring.ccs, ==, owners[i].ccs);
    }
    guest_memory_free(&m);
}

static void cmd_01_no_memory(void)
{
    ixhci_ring ring = { 0x2000, true };
    guest_memory m;
    xhci_trb trb;

    guest_memory_init(&m);
    g_assert_cmpint(ixhci_ring_fetch(&ring, guest_load, &m, &trb), ==,
                    IXHCI_RING_DMA_ERROR);
    g_assert_cmphex(ring.dequeue_gpa, ==, 0x2000);
    guest_memory_free(&m);
}

/* xHCI 1.2 §4.9.2, §6.4.4.1: one TRB on, or to where a Link TRB points. */
static const struct {
    xhci_trb trb;
    uint64_t from, to;
    bool ccs, then;
} steps[] = {
    { { { 0xdead0, 0xbeef, 0, D3_NORMAL | D3_C } },
      0x1000,
      0x1010,
      true,
      true },
    { { { 0xdead0, 0xbeef, 0, D3_NORMAL } }, 0x1ff0, 0x2000, false, false },
    /* ENT stands where a Link TRB has TC */
    { { { 0, 0, 0, D3_NORMAL | D3_ENT } }, 0x1000, 0x1010, false, false },
    { { { 0, 0, 0, D3_EVENT_DATA | D3_ENT | D3_C } }, 0x10, 0x20, true, true },
    { { { 0x3000, 0, 0, D3_LINK } }, 0x1000, 0x3000, false, false },
    { { { 0x3000, 0, 0, D3_LINK | D3_C } }, 0x1000, 0x3000, true, true },
    { { { 0x3000, 0, 0, D3_LINK | D3_TC } }, 0x1000, 0x3000, false, true },
    { { { 0x3000, 0, 0, D3_LINK | D3_TC | D3_C } },
      0x1000,
      0x3000,
      true,
      false },
    /* CMD-02: CH, IOC and the Interrupter Target change nothing */
    { { { 0x3000, 0, 0xffc00000, D3_LINK | D3_CH | D3_IOC } },
      0x1000,
      0x3000,
      true,
      true },
    /* 64 bits, and bits 3:0 are reserved */
    { { { 0xffffffff, 0x12345678, 0, D3_LINK } },
      0x1000,
      UINT64_C(0x12345678fffffff0),
      true,
      true },
    { { { 0x00000010, 0x80000000, 0, D3_LINK | D3_TC } },
      0,
      UINT64_C(0x8000000000000010),
      false,
      true },
    /* types next to Link, and Link with each other bit of the type field */
    { { { 0x3000, 0, 0, D3_TYPE(5) | D3_TC } }, 0x1000, 0x1010, true, true },
    { { { 0x3000, 0, 0, D3_TYPE(7) | D3_TC } }, 0x1000, 0x1010, true, true },
    { { { 0x3000, 0, 0, D3_TYPE(38) | D3_TC } }, 0x1000, 0x1010, true, true },
    { { { 0x3000, 0, 0, D3_TYPE(2) | D3_TC } }, 0x1000, 0x1010, true, true },
    { { { 0x3000, 0, 0, D3_LINK | 0xffff0000 } }, 0x1000, 0x3000, true, true },
    /* the end of the address space */
    { { { 0, 0, 0, D3_NORMAL } }, UINT64_MAX - 15, 0, true, true },
};

static void cmd_02_advance(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        ixhci_ring ring = { steps[i].from, steps[i].ccs };

        ixhci_ring_advance(&ring, &steps[i].trb);
        g_assert_cmphex(ring.dequeue_gpa, ==, steps[i].to);
        g_assert_cmpint(ring.ccs, ==, steps[i].then);
    }
}

static void ring_02_pointer(void)
{
    const xhci_trb trb = { { 0x89abcdef, 0x01234567, 0, 0 } };

    g_assert_cmphex(ixhci_trb_pointer(&trb), ==, UINT64_C(0x0123456789abcdef));
}

/*
 * A producer that keeps its own books: segments of any size and place, Link
 * TRBs of which any number toggle, and a Producer Cycle State (PCS).
 */
enum { SEGMENTS = 5, SEGMENT_TRBS = 9 };

typedef struct {
    guest_memory m;
    GRand *rand;
    unsigned segments;
    uint64_t base[SEGMENTS];
    unsigned size[SEGMENTS]; /* with the Link TRB */
    bool toggles[SEGMENTS];
    unsigned segment, index;
    bool pcs;
    uint32_t number; /* of the next TRB; it is in its DW0 */
} producer;

static void producer_init(producer *p, uint32_t seed)
{
    memset(p, 0, sizeof(*p));
    guest_memory_init(&p->m);
    p->rand = g_rand_new_with_seed(seed);
    p->segments = g_rand_int_range(p->rand, 1, SEGMENTS + 1);
    p->pcs = true;
    for (unsigned s = 0; s < p->segments; s++) {
        p->base[s] =
            ((uint64_t)g_rand_int(p->rand) << 32 | g_rand_int(p->rand) << 8) +
            s * 0x1000;
        p->size[s] = g_rand_int_range(p->rand, 2, SEGMENT_TRBS + 1);
        p->toggles[s] = g_rand_boolean(p->rand);
    }
    /* without an odd number of toggles old TRBs would look new */
    unsigned toggles = 0;
    for (unsigned s = 0; s < p->segments; s++) {
        toggles += p->toggles[s];
        for (unsigned i = 0; i < p->size[s]; i++) {
            /* what was there belongs to the producer */
            guest_put(&p->m, p->base[s] + 16 * i,
                      (xhci_trb){ { 0xffffffff, 0, 0,
                                    D3_NORMAL | (p->pcs ? 0 : D3_C) } });
        }
        p->pcs ^= p->toggles[s];
    }
    p->pcs = true;
    if (toggles % 2 == 0) {
        p->toggles[p->segments - 1] ^= true;
    }
}

static void producer_free(producer *p)
{
    g_rand_free(p->rand);
    guest_memory_free(&p->m);
}

static uint64_t producer_gpa(const producer *p)
{
    return p->base[p->segment] + 16 * p->index;
}

static void producer_push(producer *p)
{
    unsigned next = (p->segment + 1) % p->segments;

    guest_put(&p->m, producer_gpa(p),
              (xhci_trb){ { p->number++, g_rand_int(p->rand), 0,
                            D3_NORMAL | D3_ENT | (p->pcs ? D3_C : 0) } });
    if (++p->index == p->size[p->segment] - 1) {
        guest_put_link(&p->m, producer_gpa(p),
                       p->base[next] | g_rand_int_range(p->rand, 0, 16),
                       (p->toggles[p->segment] ? D3_TC : 0) |
                           (g_rand_boolean(p->rand) ? D3_CH : 0) |
                           (p->pcs ? D3_C : 0));
        p->pcs ^= p->toggles[p->segment];
        p->segment = next;
        p->index = 0;
    }
}

/* Takes everything that is there; the number that is expected next. */
static uint32_t consume(producer *p, ixhci_ring *ring, uint32_t expected)
{
    xhci_trb trb;

    while (ixhci_ring_fetch(ring, guest_load, &p->m, &trb) == IXHCI_RING_TRB) {
        if (!ixhci_trb_is_link(&trb)) {
            g_assert_cmpuint(trb.dw[0], ==, expected);
            expected++;
        }
        ixhci_ring_advance(ring, &trb);
    }
    return expected;
}

static void ring_02_random_rings(void)
{
    for (uint32_t seed = 1; seed <= 300; seed++) {
        producer p;
        uint32_t taken = 0;

        producer_init(&p, seed);
        ixhci_ring ring = { p.base[0], true };
        unsigned room = 0;
        for (unsigned s = 0; s < p.segments; s++) {
            room += p.size[s] - 1;
        }
        for (unsigned turn = 0; turn < 60; turn++) {
            /* less than a lap, or the producer overwrites what it owns not */
            for (unsigned n = g_rand_int_range(p.rand, 0, room); n; n--) {
                producer_push(&p);
            }
            taken = consume(&p, &ring, taken);
            g_assert_cmpuint(taken, ==, p.number);
            g_assert_cmphex(ring.dequeue_gpa, ==, producer_gpa(&p));
            g_assert_cmpint(ring.ccs, ==, p.pcs);
            /* RING-03: an empty ring stays where it is */
            g_assert_cmpuint(consume(&p, &ring, taken), ==, taken);
            g_assert_cmphex(ring.dequeue_gpa, ==, producer_gpa(&p));
        }
        producer_free(&p);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/CMD-01/cycle", cmd_01_cycle);
    g_test_add_func("/CMD-01/no-memory", cmd_01_no_memory);
    g_test_add_func("/CMD-02/advance", cmd_02_advance);
    g_test_add_func("/RING-02/packing", ring_02_packing);
    g_test_add_func("/RING-02/pointer", ring_02_pointer);
    g_test_add_func("/RING-02/random-rings", ring_02_random_rings);
    return g_test_run();
}
