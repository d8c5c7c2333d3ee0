/*
 * The look ahead: at which ESIT the guest next hears of an endpoint. Too late
 * would be an event that comes late, too early a wake-up for nothing; so the
 * answer is exact for each TD that a driver may queue, the last one of a row
 * of silent ones (ISO-06, ISO-15, ISO-24, EVT-12, RING-04).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"
#include "hw/xhci/ahead.h"

#define A UINT64_C(0x10000)
#define PAYLOAD 3072

typedef struct {
    guest_memory m;
    ixhci_flow flow;
    ixhci_ahead ahead;
    uint64_t end;
    bool pcs;
} fixture;

static void setup(fixture *f, unsigned ep_type, unsigned interval)
{
    memset(f, 0, sizeof(*f));
    guest_memory_init(&f->m);
    f->pcs = true;
    f->end = A;
    f->flow = (ixhci_flow){ .interval = interval, .in_flow = true };
    f->ahead = (ixhci_ahead){
        .ring = { A, true },
        .flow = &f->flow,
        .ep_type = ep_type,
        .max_esit_payload = PAYLOAD,
        .due_uf = 1024,
        .limit_uf = 1024 + (UINT64_C(64) << interval),
    };
}

static void teardown(fixture *f)
{
    guest_memory_free(&f->m);
}

static void put(fixture *f, uint32_t dw2, uint32_t dw3)
{
    guest_put(&f->m, f->end,
              (xhci_trb){ { 0, 0, dw2, dw3 | (f->pcs ? D3_C : 0) } });
    f->end += 16;
}

static void put_link(fixture *f, uint32_t dw3)
{
    uint64_t to = (f->end | 0xffff) + 1;

    guest_put_link(&f->m, f->end, to, dw3 | (f->pcs ? D3_C : 0));
    f->pcs ^= !!(dw3 & D3_TC);
    f->end = to;
}

/* ESITs from the one that is due to the one that is named. */
static uint64_t look(fixture *f)
{
    uint64_t uf = ixhci_ahead_event(&f->ahead, guest_load, &f->m);

    g_assert_cmpuint(uf, >=, f->ahead.due_uf);
    g_assert_cmpuint(uf, <=, f->ahead.limit_uf);
    g_assert_cmpuint((uf - f->ahead.due_uf) % (UINT64_C(1) << f->flow.interval),
                     ==, 0);
    return (uf - f->ahead.due_uf) >> f->flow.interval;
}

#define QUIET (D3_ISOCH | D3_SIA)

/* One TD among silent ones: up to four TRBs, and whether it is silent. */
typedef struct {
    const char *name;
    unsigned ep_type;
    struct {
        uint32_t dw2, dw3;
    } trbs[4];
    bool silent;
} row;

static const row rows[] = {
    { "nothing asked", ISO_IN, { { 192, QUIET } }, true },
    { "zero-length", ISO_OUT, { { 0, QUIET } }, true },
    { "IOC", ISO_IN, { { 192, QUIET | D3_IOC } }, false },
    { "IOC, OUT", ISO_OUT, { { 192, QUIET | D3_IOC } }, false },
    /* EVT-12: an event without an interrupt */
    { "IOC and BEI", ISO_IN, { { 192, QUIET | D3_IOC | D3_BEI } }, true },
    { "BEI alone", ISO_IN, { { 192, QUIET | D3_BEI } }, true },
    /* ISO-33: it may be short */
    { "ISP, IN", ISO_IN, { { 192, QUIET | D3_ISP } }, false },
    { "ISP, OUT", ISO_OUT, { { 192, QUIET | D3_ISP } }, true },
    { "ISP and BEI", ISO_IN, { { 192, QUIET | D3_ISP | D3_BEI } }, true },
    { "two TRBs",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 100, D3_NORMAL } },
      true },
    { "IOC on the second",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 100, D3_NORMAL | D3_IOC } },
      false },
    { "IOC on the first of two",
      ISO_IN,
      { { 192, QUIET | D3_CH | D3_IOC }, { 100, D3_NORMAL } },
      false },
    { "BEI on another TRB",
      ISO_IN,
      { { 192, QUIET | D3_CH | D3_BEI }, { 100, D3_NORMAL | D3_IOC } },
      false },
    { "Event Data without IOC",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 0, D3_EVENT_DATA } },
      true },
    { "Event Data with IOC",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 0, D3_EVENT_DATA | D3_IOC } },
      false },
    { "a No-op in it",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 0, D3_NOOP | D3_CH }, { 1, D3_NORMAL } },
      true },
    /* ISO-37: up to Max ESIT Payload, and not more */
    { "the payload",
      ISO_OUT,
      { { 3000, QUIET | D3_CH }, { 72, D3_NORMAL } },
      true },
    { "more than the payload",
      ISO_OUT,
      { { 3000, QUIET | D3_CH }, { 73, D3_NORMAL } },
      false },
    { "all of it in one TRB", ISO_OUT, { { 3072, QUIET } }, true },
    { "more in one TRB", ISO_OUT, { { 3073, QUIET } }, false },
    { "TD Size is no length", ISO_OUT, { { 0xfffe0c00, QUIET } }, true },
    /* a TD of its own, in no ESIT */
    { "No-op", ISO_IN, { { 0, D3_NOOP } }, false },
    { "Event Data alone", ISO_IN, { { 0, D3_EVENT_DATA } }, false },
    /* what is refused is a TRB Error at its ESIT (ISO-39) */
    { "reserved type", ISO_IN, { { 0, D3_TYPE(50) } }, false },
    { "Normal first", ISO_IN, { { 0, D3_NORMAL | D3_SIA } }, false },
    { "reserved type inside",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 0, D3_TYPE(50) } },
      false },
    { "type 0 inside", ISO_IN, { { 192, QUIET | D3_CH }, { 0, 0 } }, false },
    { "Isoch inside", ISO_IN, { { 192, QUIET | D3_CH }, { 0, QUIET } }, false },
    { "Setup inside",
      ISO_IN,
      { { 192, QUIET | D3_CH }, { 8, D3_SETUP } },
      false },
    { "IDT on IN", ISO_IN, { { 8, QUIET | D3_IDT } }, false },
    { "IDT inside",
      ISO_OUT,
      { { 192, QUIET | D3_CH }, { 9, D3_NORMAL | D3_IDT } },
      false },
};

static void iso_06_rows(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned before = 0; before <= 3; before++) {
            fixture f;

            g_test_message("%s, %u before", rows[i].name, before);
            setup(&f, rows[i].ep_type, 0);
            for (unsigned n = 0; n < before; n++) {
                put(&f, 192, QUIET);
            }
            for (unsigned n = 0; n < 4; n++) {
                put(&f, rows[i].trbs[n].dw2, rows[i].trbs[n].dw3);
                if (!(rows[i].trbs[n].dw3 & D3_CH)) {
                    break;
                }
            }
            put(&f, 192, QUIET | D3_IOC);
            g_assert_cmpuint(look(&f), ==, before + rows[i].silent);
            teardown(&f);
        }
    }
}

/* ISO-15: a Frame ID that is not that of the ESIT makes a gap, or is late. */
static void iso_15_frame_ids(void)
{
    static const struct {
        unsigned interval, silent;
        bool first_only;
        unsigned ids[4]; /* of the TDs from frame 128 on */
    } cases[] = {
        { 3, 4, false, { 128, 129, 130, 131 } },
        { 3, 2, false, { 128, 129, 131, 132 } },
        { 3, 2, false, { 128, 129, 129, 130 } },
        { 3, 0, false, { 129, 130, 131, 132 } },
        { 3, 0, false, { 127, 128, 129, 130 } },
        { 2, 4, false, { 128, 128, 129, 129 } },
        { 2, 2, false, { 128, 128, 128, 129 } },
        { 0, 4, false, { 128, 128, 128, 128 } },
        { 4, 4, false, { 128, 130, 132, 134 } },
        /* without CFC they are not looked at */
        { 3, 4, true, { 1, 2, 3, 4 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        fixture f;

        setup(&f, ISO_OUT, cases[i].interval);
        f.flow.first_only = cases[i].first_only;
        for (unsigned n = 0; n < 4; n++) {
            put(&f, 192, D3_ISOCH | D3_FRAME(cases[i].ids[n]));
        }
        put(&f, 192, QUIET | D3_IOC);
        g_assert_cmpuint(look(&f), ==, cases[i].silent);
        teardown(&f);
    }
}

/* ISO-24: the ring ends, and somebody has to notice at that ESIT. */
static void iso_24_ends(void)
{
    for (unsigned how = 0; how < 4; how++) {
        fixture f;

        setup(&f, ISO_IN, 3);
        put(&f, 192, QUIET);
        put(&f, 192, QUIET);
        if (how == 1) { /* half a TD */
            put(&f, 192, QUIET | D3_CH);
        }
        if (how == 2) { /* behind a Link */
            put_link(&f, D3_TC);
        }
        f.pcs = !f.pcs;
        if (how != 3) { /* else: no memory there */
            put(&f, 192, QUIET);
        }
        g_assert_cmpuint(look(&f), ==, 2);
        teardown(&f);
    }
}

/* RING-04: a Link TRB is passed; with IOC it is heard of. */
static void ring_04_links(void)
{
    for (unsigned n = 0; n < 8; n++) {
        bool inside = n & 1, ioc = n & 2, toggle = n & 4;
        fixture f;

        setup(&f, ISO_IN, 0);
        put(&f, 192, QUIET);
        put(&f, 192, QUIET | (inside ? D3_CH : 0));
        put_link(&f, (toggle ? D3_TC : 0) | (ioc ? D3_IOC : 0) |
                         (inside ? D3_CH : 0));
        put(&f, 192, inside ? D3_NORMAL : QUIET);
        put(&f, 192, QUIET | D3_IOC);
        g_assert_cmpuint(look(&f), ==,
                         ioc ? (inside ? 1 : 2) : (inside ? 2 : 3));
        teardown(&f);
    }
}

/* The limit is one of time; rule 4 of ahead.h is one of TRBs. */
static void iso_06_limits(void)
{
    fixture f;

    setup(&f, ISO_IN, 0);
    for (unsigned n = 0; n < 1000; n++) {
        put(&f, 192, QUIET);
    }
    for (uint64_t limit = 0; limit < 20; limit++) {
        f.ahead.limit_uf = 1024 + limit;
        g_assert_cmpuint(look(&f), ==, limit);
    }
    f.ahead.limit_uf = 1024 + 5000;
    f.m.loads = 0;
    g_assert_cmpuint(look(&f), ==, 256);
    g_assert_cmpuint(f.m.loads, ==, 256);
    /* an ESIT that would end behind the limit is not looked at */
    f.flow.interval = 3;
    f.ahead.limit_uf = 1024 + 23;
    g_assert_cmpuint(look(&f), ==, 2);
    teardown(&f);
    /* Links that never end */
    setup(&f, ISO_IN, 0);
    put(&f, 192, QUIET);
    guest_put_link(&f.m, A + 16, A + 16, D3_C);
    f.m.loads = 0;
    g_assert_cmpuint(look(&f), ==, 1);
    g_assert_cmpuint(f.m.loads, ==, 256);
    teardown(&f);
    setup(&f, ISO_IN, 0);
    put(&f, 192, QUIET);
    guest_put(&f.m, A + 16, (xhci_trb){ { 0, 0, 0, QUIET | D3_C | D3_CH } });
    guest_put_link(&f.m, A + 32, A + 32, D3_C);
    g_assert_cmpuint(look(&f), ==, 1);
    teardown(&f);
}

/* A TD of more TRBs than the TD loader takes is refused at its ESIT. */
static void iso_39_long_td(void)
{
    for (unsigned count = 127; count <= 129; count++) {
        fixture f;

        setup(&f, ISO_IN, 0);
        put(&f, 0, QUIET);
        put(&f, 0, QUIET | D3_CH);
        for (unsigned n = 2; n < count; n++) {
            put(&f, 0, D3_NORMAL | D3_CH);
        }
        put(&f, 0, D3_NORMAL);
        put(&f, 0, QUIET | D3_IOC);
        g_assert_cmpuint(look(&f), ==, count <= 128 ? 2 : 1);
        teardown(&f);
    }
}

/* Rings of random TDs, Links between and in them; the producer counts. */
static bool random_td(fixture *f, GRand *rand, unsigned frame)
{
    bool in = f->ahead.ep_type == ISO_IN, silent = true;
    unsigned trbs = g_rand_int_range(rand, 1, 6);
    uint32_t total = 0;

    for (unsigned n = 0; n < trbs; n++) {
        uint32_t dw3 = n ? D3_NORMAL : D3_ISOCH | D3_FRAME(frame);
        uint32_t bytes = g_rand_int_range(rand, 0, 800);
        unsigned dice = g_rand_int_range(rand, 0, 60);

        total += bytes;
        dw3 |= n + 1 < trbs ? D3_CH : 0;
        if (dice < 3) {
            bool bei = dice == 0, isp = dice == 1;

            dw3 |= (isp ? D3_ISP : D3_IOC) | (bei ? D3_BEI : 0);
            silent = silent && (bei || (isp && !in));
        }
        if (g_rand_int_range(rand, 0, 8) == 0) {
            put_link(f, (n ? D3_CH : 0) | (g_rand_boolean(rand) ? D3_TC : 0));
        }
        put(f, bytes, dw3);
    }
    return silent && total <= PAYLOAD;
}

static void iso_06_random(void)
{
    for (uint32_t seed = 1; seed <= 2000; seed++) {
        GRand *rand = g_rand_new_with_seed(seed);
        bool all_silent = true;
        unsigned silent = 0;
        fixture f;

        setup(&f, g_rand_boolean(rand) ? ISO_IN : ISO_OUT,
              g_rand_int_range(rand, 0, 6));
        f.flow.base_uf = g_rand_int_range(rand, 0, 2) * 512;
        for (unsigned n = 0; n < 20; n++) {
            uint64_t uf = f.ahead.due_uf - f.flow.base_uf +
                          ((uint64_t)n << f.flow.interval);

            all_silent = random_td(&f, rand, uf / 8 % 2048) && all_silent;
            silent += all_silent;
        }
        f.pcs = !f.pcs;
        put(&f, 0, 0);
        g_assert_cmpuint(look(&f), ==, silent);
        g_rand_free(rand);
        teardown(&f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ISO-06/rows", iso_06_rows);
    g_test_add_func("/ISO-06/limits", iso_06_limits);
    g_test_add_func("/ISO-06/random", iso_06_random);
    g_test_add_func("/ISO-15/frame-ids", iso_15_frame_ids);
    g_test_add_func("/ISO-24/ends", iso_24_ends);
    g_test_add_func("/ISO-39/long-td", iso_39_long_td);
    g_test_add_func("/RING-04/links", ring_04_links);
    return g_test_run();
}
