/*
 * From TRBs to TDs: which TRB may stand where, what its fields add to the TD,
 * Link TRBs at every place, and the bounds of a walk (RING-01 to RING-04,
 * RING-11, RING-12, RING-15, CTL-01, CTL-02, CTL-05, ISO-07, ISO-31).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"
#include "hw/xhci/td.h"

#define BASE UINT64_C(0x10000)

typedef struct {
    guest_memory m;
    ixhci_td td;
    ixhci_ring ring;
    uint64_t end; /* where the next TRB is put */
} fixture;

static void setup(fixture *f)
{
    guest_memory_init(&f->m);
    ixhci_td_init(&f->td);
    f->ring = (ixhci_ring){ BASE, true };
    f->end = BASE;
}

static void teardown(fixture *f)
{
    ixhci_td_clear(&f->td);
    g_assert_null(f->td.trbs);
    guest_memory_free(&f->m);
}

static uint64_t put(fixture *f, uint32_t dw0, uint32_t dw2, uint32_t dw3)
{
    uint64_t at = f->end;

    guest_put(&f->m, at, (xhci_trb){ { dw0, 0, dw2, dw3 } });
    f->end += 16;
    return at;
}

/* What is behind belongs to the producer. */
static void put_end(fixture *f)
{
    guest_put(&f->m, f->end, (xhci_trb){ { 0 } });
}

static ixhci_td_verdict load(fixture *f, unsigned ep_type)
{
    return ixhci_td_load(&f->td, &f->ring, ep_type, guest_load, &f->m);
}

/*
 * xHCI 1.2 §4.11.2, §4.11.3: what has gone before, and which types may come
 * next. `types` has one bit for each TRB type; all TRBs before it are chained,
 * Setup Stage and, at the end of a data stage, `ended` TRBs are not.
 */
typedef struct {
    const char *name;
    unsigned ep_type;
    uint32_t before[3];
    uint64_t types;   /* legal with CH = 0 */
    uint64_t chained; /* legal with CH = 1 */
    bool more;        /* CH = 0 does not end it: a stage is to come */
} place;

#define BIT(type) (UINT64_C(1) << (type))
#define CHAINED (D3_C | D3_CH)
#define SETUP_OUT (D3_SETUP | D3_C | D3_IDT | 2u << 16)

static const place places[] = {
    { "bulk",
      BULK_IN,
      { 0 },
      BIT(1) | BIT(7) | BIT(8),
      BIT(1) | BIT(7) | BIT(8),
      false },
    { "interrupt",
      INT_OUT,
      { 0 },
      BIT(1) | BIT(7) | BIT(8),
      BIT(1) | BIT(7) | BIT(8),
      false },
    { "in a bulk TD",
      BULK_OUT,
      { D3_NORMAL | CHAINED },
      BIT(1) | BIT(7) | BIT(8),
      BIT(1) | BIT(7) | BIT(8),
      false },
    { "behind Event Data",
      BULK_OUT,
      { D3_NORMAL | CHAINED, D3_EVENT_DATA | CHAINED },
      BIT(1) | BIT(7) | BIT(8),
      BIT(1) | BIT(7) | BIT(8),
      false },
    { "isochronous", ISO_IN, { 0 }, BIT(5) | BIT(7) | BIT(8), BIT(5), false },
    { "isochronous OUT",
      ISO_OUT,
      { 0 },
      BIT(5) | BIT(7) | BIT(8),
      BIT(5),
      false },
    /* ISO-31: one Isoch TRB, then Normal ones */
    { "in an isochronous TD",
      ISO_OUT,
      { D3_ISOCH | CHAINED },
      BIT(1) | BIT(7) | BIT(8),
      BIT(1) | BIT(7) | BIT(8),
      false },
    /* a Setup Stage TD is one TRB: it must not be chained */
    { "control", CONTROL, { 0 }, BIT(8), 0, false },
    { "behind Setup", CONTROL, { SETUP_OUT }, BIT(4), BIT(4), false },
    { "behind Setup: data", CONTROL, { SETUP_OUT }, BIT(3), BIT(3), true },
    { "in a data stage",
      CONTROL,
      { SETUP_OUT, D3_DATA | CHAINED },
      BIT(1) | BIT(7),
      BIT(1) | BIT(7),
      true },
    { "behind a data stage",
      CONTROL,
      { SETUP_OUT, D3_DATA | D3_C },
      BIT(4),
      BIT(4),
      false },
    { "in a status stage",
      CONTROL,
      { SETUP_OUT, D3_STATUS | CHAINED },
      BIT(7),
      0,
      false },
    { "in a status stage behind data",
      CONTROL,
      { SETUP_OUT, D3_DATA | D3_C, D3_STATUS | CHAINED },
      BIT(7),
      0,
      false },
};

/* A type that another row of the same place allows is not illegal there. */
static bool is_legal_elsewhere(const place *p, unsigned type, bool ch)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        const place *other = &places[i];

        if (other != p && other->ep_type == p->ep_type &&
            !memcmp(other->before, p->before, sizeof(p->before)) &&
            ((ch ? other->chained : other->types) & BIT(type))) {
            return true;
        }
    }
    return false;
}

static void check_place(const place *p, unsigned type, bool ch)
{
    bool legal = (ch ? p->chained : p->types) & BIT(type);
    unsigned before = 0;
    ixhci_td_verdict verdict;
    fixture f;
    uint64_t at;

    setup(&f);
    for (; before < G_N_ELEMENTS(p->before) && p->before[before]; before++) {
        put(&f, 0, before == 0 && p->ep_type == CONTROL ? 8 : 4,
            p->before[before]);
    }
    at = put(&f, 0, 0, D3_TYPE(type) | D3_C | (ch ? D3_CH : 0));
    put_end(&f);
    verdict = load(&f, p->ep_type);
    if (legal) {
        g_assert_cmpint(verdict, ==,
                        ch || p->more ? IXHCI_TD_PARTIAL : IXHCI_TD_READY);
    } else {
        g_assert_cmpint(verdict, ==, IXHCI_TD_BAD);
        /* EP-07: the one to blame is the last one kept */
        g_assert_cmphex(f.td.trbs[f.td.count - 1].gpa, ==, at);
        g_assert_cmphex(f.td.trbs[f.td.count - 1].trb.dw[3] & 0xfc00, ==,
                        D3_TYPE(type));
    }
    g_assert_cmpuint(f.td.count, ==, before + 1);
    teardown(&f);
}

/* Each of the 64 types at each place. A Link TRB has no place: it is followed;
 * a Setup Stage TRB that is none of ours has its own test. */
static void ep_07_types(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        const place *p = &places[i];

        g_test_message("%s", p->name);
        for (unsigned type = 0; type < 64; type++) {
            for (unsigned ch = 0; ch <= 1; ch++) {
                if (type != 6 && !is_legal_elsewhere(p, type, ch)) {
                    check_place(p, type, ch);
                }
            }
        }
    }
}

/* xHCI 1.2 §6.4.1.2.1: bmRequestType, bRequest, ... wLength; DW2, DW3. */
typedef struct {
    uint32_t dw0, dw1, dw2, dw3;
    bool good;
} setup_row;

static const setup_row setups[] = {
    { 0x01000680, 0x00120000, 8, 0x00030841, true },  /* TRT 3, IN */
    { 0x01000680, 0x00120000, 8, 0x00000841, true },  /* TRT 0: the device's */
    { 0x01000680, 0x00120000, 8, 0x00020841, false }, /* TRT 2, OUT */
    { 0x01000680, 0x00120000, 8, 0x00010841, false }, /* TRT 1 is reserved */
    { 0x00010900, 0x00000000, 8, 0x00000841, true },
    { 0x00010900, 0x00010000, 8, 0x00020841, true },
    { 0x00010900, 0x00010000, 8, 0x00030841, false },
    { 0x00010900, 0x00010000, 8, 0x00010841, false },
    { 0x01000680, 0x00120000, 8, 0x00030801, false }, /* no IDT */
    { 0x01000680, 0x00120000, 7, 0x00030841, false },
    { 0x01000680, 0x00120000, 9, 0x00030841, false },
    { 0x01000680, 0x00120000, 0, 0x00030841, false },
    { 0x01000680, 0x00120000, 0x10008, 0x00030841, false },
    { 0x01000680, 0x00120000, 0xffc00008, 0x00030841, true }, /* target */
    { 0x01000680, 0x00120000, 8, 0x00030861, true },          /* IOC */
};

static void ctl_05_setup(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(setups); i++) {
        const setup_row *row = &setups[i];
        uint8_t bytes[8];
        fixture f;

        for (unsigned b = 0; b < 8; b++) {
            bytes[b] = (b < 4 ? row->dw0 : row->dw1) >> (8 * (b % 4));
        }
        setup(&f);
        guest_put(&f.m, f.end,
                  (xhci_trb){ { row->dw0, row->dw1, row->dw2, row->dw3 } });
        f.end += 16;
        put(&f, 0, 0, D3_STATUS | D3_C);
        g_assert_cmpint(load(&f, CONTROL), ==,
                        row->good ? IXHCI_TD_READY : IXHCI_TD_BAD);
        g_assert_cmpuint(f.td.count, ==, row->good ? 2 : 1);
        g_assert_cmpmem(f.td.setup, 8, bytes, 8);
        g_assert_cmpint(f.td.dir_in, ==, bytes[0] >= 0x80);
        g_assert_true(f.td.has_data);
        g_assert_cmpuint(f.td.bytes, ==, 0);
        teardown(&f);
    }
}

/* xHCI 1.2 §4.11.2.2: a Setup Stage TD is one TRB. */
static void ctl_05_chained_setup(void)
{
    fixture f;

    setup(&f);
    put(&f, 0x80, 8, D3_SETUP | CHAINED | D3_IDT | 3u << 16);
    put(&f, 0, 18, D3_DATA | D3_C | D3_IN);
    put(&f, 0, 0, D3_STATUS | D3_C);
    g_assert_cmpint(load(&f, CONTROL), ==, IXHCI_TD_BAD);
    g_assert_cmpuint(f.td.count, ==, 1);
    teardown(&f);
}

/* xHCI 1.2 §6.4.1.2.2: DIR of the Data Stage is that of the SETUP bytes. */
static void ctl_05_data_direction(void)
{
    for (unsigned n = 0; n < 4; n++) {
        bool setup_in = n & 1, data_in = n & 2;
        fixture f;

        setup(&f);
        put(&f, setup_in ? 0x80 : 0, 8,
            D3_SETUP | D3_C | D3_IDT | (setup_in ? 3u : 2u) << 16);
        put(&f, 0, 18, D3_DATA | D3_C | (data_in ? D3_IN : 0));
        put(&f, 0, 0, D3_STATUS | D3_C | (setup_in ? 0 : D3_IN));
        g_assert_cmpint(load(&f, CONTROL), ==,
                        setup_in == data_in ? IXHCI_TD_READY : IXHCI_TD_BAD);
        g_assert_cmpuint(f.td.count, ==, setup_in == data_in ? 3 : 2);
        g_assert_cmpuint(f.td.bytes, ==, setup_in == data_in ? 18 : 0);
        teardown(&f);
    }
}

/* xHCI 1.2 §6.4.1.1: IDT takes up to 8 bytes, and only OUT. */
static const struct {
    unsigned ep_type;
    uint32_t type, bytes;
    bool good;
} immediates[] = {
    { BULK_OUT, D3_NORMAL, 0, true },
    { BULK_OUT, D3_NORMAL, 1, true },
    { BULK_OUT, D3_NORMAL, 8, true },
    { BULK_OUT, D3_NORMAL, 9, false },
    { BULK_IN, D3_NORMAL, 8, false },
    { BULK_IN, D3_NORMAL, 0, false },
    { INT_OUT, D3_NORMAL, 8, true },
    { INT_IN, D3_NORMAL, 8, false },
    { ISO_OUT, D3_ISOCH, 8, true },
    { ISO_OUT, D3_ISOCH, 9, false },
    { ISO_IN, D3_ISOCH, 8, false },
    { BULK_OUT, D3_NORMAL, 65536, false },
    /* no buffer, nothing immediate in it */
    { BULK_IN, D3_NOOP, 9, true },
    { BULK_IN, D3_EVENT_DATA, 9, true },
};

static void ring_12_immediate(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(immediates); i++) {
        fixture f;

        setup(&f);
        put(&f, 0, immediates[i].bytes, immediates[i].type | D3_C | D3_IDT);
        g_assert_cmpint(load(&f, immediates[i].ep_type), ==,
                        immediates[i].good ? IXHCI_TD_READY : IXHCI_TD_BAD);
        teardown(&f);
    }
}

static void ring_12_immediate_control(void)
{
    for (unsigned in = 0; in <= 1; in++) {
        fixture f;

        setup(&f);
        put(&f, in ? 0x80 : 0, 8,
            D3_SETUP | D3_C | D3_IDT | (in ? 3u : 2u) << 16);
        put(&f, 0, 4, D3_DATA | D3_C | D3_IDT | (in ? D3_IN : 0));
        put(&f, 0, 0, D3_STATUS | D3_C);
        g_assert_cmpint(load(&f, CONTROL), ==,
                        in ? IXHCI_TD_BAD : IXHCI_TD_READY);
        teardown(&f);
    }
}

/* DW2 in hex: length 16:0, TD Size 21:17, target 31:22; what it adds. */
static const struct {
    unsigned ep_type;
    uint32_t dw2, dw3;
    uint32_t bytes;
    bool has_data;
} lengths[] = {
    { BULK_IN, 0, D3_NORMAL, 0, true }, /* RING-11: a zero-length packet */
    { BULK_IN, 1, D3_NORMAL, 1, true },
    { BULK_IN, 0x00010000, D3_NORMAL, 65536, true },
    { BULK_IN, 0x0001ffff, D3_NORMAL, 131071, true },
    { BULK_IN, 0xfffe0000, D3_NORMAL, 0, true }, /* RING-16: TD Size 31 */
    { BULK_IN, 0x003e0005, D3_NORMAL, 5, true },
    { ISO_IN, 0x003e0005, D3_ISOCH, 5, true },
    { BULK_IN, 0x00000005, D3_NOOP, 0, false }, /* RING-15 */
    { BULK_IN, 0x00000005, D3_EVENT_DATA, 0, false },
    { ISO_IN, 0x00000005, D3_NOOP, 0, false },
    { CONTROL, 0x00000005, D3_NOOP, 0, false },
};

static void ring_01_lengths(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(lengths); i++) {
        fixture f;

        setup(&f);
        put(&f, 0, lengths[i].dw2, lengths[i].dw3 | D3_C);
        g_assert_cmpint(load(&f, lengths[i].ep_type), ==, IXHCI_TD_READY);
        g_assert_cmpuint(f.td.bytes, ==, lengths[i].bytes);
        g_assert_cmpint(f.td.has_data, ==, lengths[i].has_data);
        g_assert_cmpuint(ixhci_td_trb_bytes(&f.td.trbs[0].trb), ==,
                         lengths[i].bytes);
        g_assert_cmpint(ixhci_td_trb_has_buffer(&f.td.trbs[0].trb), ==,
                        lengths[i].has_data);
        g_assert_cmphex(f.td.start.dequeue_gpa, ==, BASE);
        g_assert_cmphex(f.td.next.dequeue_gpa, ==, BASE + 16);
        teardown(&f);
    }
}

/* xHCI 1.2 §6.4.1.3: SIA is bit 31, Frame ID 30:20. */
static void iso_07_frame_id(void)
{
    const struct {
        uint32_t dw3;
        bool sia;
        unsigned frame_id;
    } rows[] = {
        { 0x00001401, false, 0 },    { 0x80001401, true, 0 },
        { 0x7ff01401, false, 2047 }, { 0xfff01401, true, 2047 },
        { 0x00101401, false, 1 },    { 0x40001401, false, 1024 },
        { 0x000f1581, false, 0 }, /* TLBPC and TBC are no part of it */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        fixture f;

        setup(&f);
        put(&f, 0, 192, rows[i].dw3 | D3_CH);
        /* only the first TRB has them */
        put(&f, 0, 192, D3_NORMAL | D3_C | 0xfff00000 * !rows[i].sia);
        g_assert_cmpint(load(&f, ISO_IN), ==, IXHCI_TD_READY);
        g_assert_cmpint(f.td.sia, ==, rows[i].sia);
        g_assert_cmpuint(f.td.frame_id, ==, rows[i].frame_id);
        teardown(&f);
    }
}

/* Nothing of one TD is left in the next one. */
static void ring_01_loaded_again(void)
{
    fixture f;

    setup(&f);
    put(&f, 0, 192, D3_ISOCH | D3_C | D3_SIA | D3_CH);
    put(&f, 0, 100, D3_NORMAL | D3_C);
    put(&f, 0, 0, D3_NOOP | D3_C);
    put_end(&f);
    g_assert_cmpint(load(&f, ISO_OUT), ==, IXHCI_TD_READY);
    g_assert_cmpuint(f.td.bytes, ==, 292);
    f.ring = f.td.next;
    g_assert_cmpint(load(&f, ISO_OUT), ==, IXHCI_TD_READY);
    g_assert_cmpuint(f.td.count, ==, 1);
    g_assert_cmpuint(f.td.bytes, ==, 0);
    g_assert_false(f.td.has_data);
    g_assert_false(f.td.sia);
    f.ring = f.td.next;
    g_assert_cmpint(load(&f, ISO_OUT), ==, IXHCI_TD_EMPTY);
    g_assert_cmpuint(f.td.count, ==, 0);
    teardown(&f);
}

/* RING-03: each prefix of a control transfer with a chained data stage. */
static void ring_03_partial(void)
{
    static const uint32_t whole[] = {
        SETUP_OUT,           D3_DATA | CHAINED,
        D3_NORMAL | CHAINED, D3_EVENT_DATA | D3_C,
        D3_STATUS | CHAINED, D3_EVENT_DATA | D3_C,
    };
    const unsigned count = G_N_ELEMENTS(whole);

    for (unsigned n = 0; n <= count; n++) {
        fixture f;

        setup(&f);
        for (unsigned i = 0; i < count; i++) {
            put(&f, 0, i == 0 ? 8 : 512, whole[i] ^ (i < n ? 0 : D3_C));
        }
        put_end(&f);
        g_assert_cmpint(load(&f, CONTROL), ==,
                        n == 0      ? IXHCI_TD_EMPTY
                        : n < count ? IXHCI_TD_PARTIAL
                                    : IXHCI_TD_READY);
        g_assert_cmphex(f.td.start.dequeue_gpa, ==, BASE);
        if (n == count) {
            g_assert_cmpuint(f.td.bytes, ==, 1024);
            g_assert_cmphex(f.td.next.dequeue_gpa, ==, f.end);
        }
        teardown(&f);
    }
}

static void ring_03_no_memory(void)
{
    fixture f;

    setup(&f);
    g_assert_cmpint(load(&f, BULK_OUT), ==, IXHCI_TD_DMA_ERROR);
    put(&f, 0, 4, D3_NORMAL | CHAINED);
    g_assert_cmpint(load(&f, BULK_OUT), ==, IXHCI_TD_DMA_ERROR);
    teardown(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/EP-07/types", ep_07_types);
    g_test_add_func("/RING-01/lengths", ring_01_lengths);
    g_test_add_func("/RING-01/loaded-again", ring_01_loaded_again);
    g_test_add_func("/RING-03/partial", ring_03_partial);
    g_test_add_func("/RING-03/no-memory", ring_03_no_memory);
    g_test_add_func("/RING-12/immediate", ring_12_immediate);
    g_test_add_func("/RING-12/immediate-control", ring_12_immediate_control);
    g_test_add_func("/CTL-05/setup", ctl_05_setup);
    g_test_add_func("/CTL-05/chained-setup", ctl_05_chained_setup);
    g_test_add_func("/CTL-05/data-direction", ctl_05_data_direction);
    g_test_add_func("/ISO-07/frame-id", iso_07_frame_id);
    return g_test_run();
}
