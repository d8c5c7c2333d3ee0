/*
 * Stream Context Arrays: which of 65536 Stream IDs leads to which Stream
 * Context, in one level and in two, and what is loaded on the way (STR-01 to
 * STR-04).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"
#include "hw/xhci/stream-context.h"

#define ARRAY UINT64_C(0x100000000)

enum { GOOD = 1, BAD_TYPE = 10, NO_MEMORY = 33, BAD_ID = 34 };

static unsigned find(guest_memory *m, ixhci_stream_place *place, unsigned max,
                     bool lsa, unsigned stream_id)
{
    const ixhci_stream_arrays arrays = { ARRAY, max, lsa };

    m->loads = 0;
    return ixhci_stream_find(place, &arrays, stream_id, guest_load, m);
}

/* xHCI 1.2 §6.2.4.1: DCS bit 0, SCT 3:1, the pointer 63:4. */
static void put_context(guest_memory *m, uint64_t gpa, uint64_t pointer,
                        unsigned sct, bool dcs)
{
    uint64_t both = pointer | sct << 1 | dcs;

    guest_put(m, gpa,
              (xhci_trb){
                  { (uint32_t)both, (uint32_t)(both >> 32), 0xffffff, ~0u } });
}

/* xHCI 1.2 §6.2.3: 2^(MaxPStreams + 1) entries. */
static void str_01_sizes(void)
{
    static const unsigned sizes[] = { 2,    4,     8,     16,   32,   64,
                                      128,  256,   512,   1024, 2048, 4096,
                                      8192, 16384, 32768, 65536 };

    for (unsigned max = 0; max < G_N_ELEMENTS(sizes); max++) {
        g_assert_cmpuint(ixhci_stream_primaries(max), ==, sizes[max]);
    }
    g_assert_cmpuint(IXHCI_STREAM_CONTEXT_BYTES, ==, 16);
}

/* STR-02, STR-04: with LSA the ID is the index. No ID is followed past the end
 * of the array, and nothing is loaded for one that is refused. */
static void str_02_linear(void)
{
    for (unsigned max = 1; max <= 15; max += 7) {
        unsigned entries = 2u << max;
        guest_memory m;

        guest_memory_init(&m);
        for (unsigned n = 0; n < entries; n++) {
            put_context(&m, ARRAY + 16 * n, (uint64_t)(n + 1) << 20, n % 8,
                        n & 1);
        }
        for (unsigned id = 0; id < 65536; id++) {
            bool good = id > 0 && id < entries && id < 0xfffe;
            ixhci_stream_place place;

            g_assert_cmpuint(find(&m, &place, max, true, id), ==,
                             good ? GOOD : BAD_ID);
            g_assert_cmpuint(m.loads, ==, good);
            if (good) {
                g_assert_cmphex(place.gpa, ==, ARRAY + 16 * id);
                g_assert_cmpuint(place.sct, ==, id % 8);
                g_assert_false(place.is_secondary);
                g_assert_cmphex(place.ring.dequeue_gpa, ==,
                                (uint64_t)(id + 1) << 20);
                g_assert_cmpint(place.ring.ccs, ==, id & 1);
            }
        }
        guest_memory_free(&m);
    }
}

/*
 * STR-03: two levels. Primary entry n has SCT n % 8, so that with 16 entries
 * there are two of each kind; the arrays that they point to are as long as
 * Table 6-13 says and are full.
 */
enum { MAX = 3, PRIMARIES = 16 };

static uint64_t secondary_of(unsigned primary)
{
    return UINT64_C(0x7000000000) + primary * 0x10000;
}

static unsigned secondary_size(unsigned sct)
{
    static const unsigned sizes[] = { 0, 0, 8, 16, 32, 64, 128, 256 };

    return sizes[sct];
}

static void fill_two_levels(guest_memory *m)
{
    for (unsigned p = 0; p < PRIMARIES; p++) {
        put_context(m, ARRAY + 16 * p, secondary_of(p), p % 8, true);
        for (unsigned s = 0; s < secondary_size(p % 8); s++) {
            put_context(m, secondary_of(p) + 16 * s,
                        (uint64_t)(s + 1) << 24 | p << 8, s % 8, s & 1);
        }
    }
}

static void check_secondary(const ixhci_stream_place *place, unsigned p,
                            unsigned s)
{
    g_assert_true(place->is_secondary);
    g_assert_cmphex(place->gpa, ==, secondary_of(p) + 16 * s);
    g_assert_cmphex(place->ring.dequeue_gpa, ==,
                    (uint64_t)(s + 1) << 24 | p << 8);
    g_assert_cmpint(place->ring.ccs, ==, s & 1);
    g_assert_cmpuint(place->sct, ==, s % 8);
}

static void str_03_two_levels(void)
{
    guest_memory m;

    guest_memory_init(&m);
    fill_two_levels(&m);
    for (unsigned id = 0; id < 65536; id++) {
        unsigned p = id & 0xf, s = id >> 4, sct = p % 8;
        ixhci_stream_place place = { 0 };
        unsigned cc = find(&m, &place, MAX, false, id);

        if (p == 0 || id >= 0xfffe) {
            g_assert_cmpuint(cc, ==, BAD_ID);
            g_assert_cmpuint(m.loads, ==, 0);
        } else if (sct < 2 && s == 0) {
            g_assert_cmpuint(cc, ==, GOOD);
            g_assert_cmpuint(m.loads, ==, 1);
            g_assert_false(place.is_secondary);
            g_assert_cmphex(place.gpa, ==, ARRAY + 16 * p);
            g_assert_cmpuint(place.sct, ==, sct);
        } else if (sct < 2) {
            g_assert_cmpuint(cc, ==, BAD_TYPE);
            g_assert_cmpuint(m.loads, ==, 1);
        } else if (s >= secondary_size(sct)) {
            g_assert_cmpuint(cc, ==, BAD_ID);
            g_assert_cmpuint(m.loads, ==, 1);
        } else {
            g_assert_cmpuint(cc, ==, GOOD);
            g_assert_cmpuint(m.loads, ==, 2);
            check_secondary(&place, p, s);
        }
    }
    guest_memory_free(&m);
}

/* Neither level is there. */
static void str_03_no_memory(void)
{
    ixhci_stream_place place;
    guest_memory m;

    guest_memory_init(&m);
    g_assert_cmpuint(find(&m, &place, MAX, true, 1), ==, NO_MEMORY);
    g_assert_cmpuint(find(&m, &place, MAX, false, 1), ==, NO_MEMORY);
    put_context(&m, ARRAY + 16, secondary_of(1), 2, true);
    g_assert_cmpuint(find(&m, &place, MAX, false, 0x11), ==, NO_MEMORY);
    g_assert_cmphex(m.last_gpa, ==, secondary_of(1) + 16);
    /* with LSA an SCT of 2 is what it is and leads nowhere */
    g_assert_cmpuint(find(&m, &place, MAX, true, 1), ==, GOOD);
    g_assert_cmpuint(place.sct, ==, 2);
    g_assert_cmpuint(m.loads, ==, 1);
    guest_memory_free(&m);
}

/* xHCI 1.2 Table 6-13: SCT 1 in a primary array, 0 in a secondary one. */
static void str_02_types(void)
{
    for (unsigned sct = 0; sct < 8; sct++) {
        ixhci_stream_place primary = { .is_secondary = false };
        ixhci_stream_place secondary = { .is_secondary = true };

        g_assert_cmpint(ixhci_stream_type_is_ring(&primary, sct), ==, sct == 1);
        g_assert_cmpint(ixhci_stream_type_is_ring(&secondary, sct), ==,
                        sct == 0);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/STR-01/sizes", str_01_sizes);
    g_test_add_func("/STR-02/linear", str_02_linear);
    g_test_add_func("/STR-02/types", str_02_types);
    g_test_add_func("/STR-03/two-levels", str_03_two_levels);
    g_test_add_func("/STR-03/no-memory", str_03_no_memory);
    return g_test_run();
}
