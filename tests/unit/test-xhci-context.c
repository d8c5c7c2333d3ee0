/*
 * Endpoint and Slot Contexts as a driver writes them: every type at every DCI,
 * every Interval at every speed, packet sizes and bursts at their edges, each
 * field at its place in the words (CMD-16, CMD-24, CTX-01, ISO-04, ISO-44,
 * STR-01, EP-08).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/context.h"

enum { GOOD = 1, BAD = 17 }; /* Success, Parameter Error */
enum { FULL = 1, LOW, HIGH, SUPER };
enum { ISO_OUT = 1, BULK_OUT, INT_OUT, CONTROL, ISO_IN, BULK_IN, INT_IN };

/* An Endpoint Context that is legal unless a test makes it otherwise. */
typedef struct {
    unsigned type, dci, speed, interval, mps, burst, mult, cerr, pstreams;
    bool lsa;
    uint64_t dequeue;
    uint32_t payload, hcc1, hcc2;
} asked;

static bool is_isoch(unsigned type)
{
    return type == ISO_IN || type == ISO_OUT;
}

static bool is_periodic(unsigned type)
{
    return is_isoch(type) || type == INT_IN || type == INT_OUT;
}

static asked plain(unsigned type, unsigned speed)
{
    return (asked){ .type = type,
                    .dci = type == CONTROL  ? 1
                           : type > CONTROL ? 3
                                            : 2,
                    .speed = speed,
                    .interval = speed == FULL || speed == LOW ? 3 : 0,
                    .mps = 8,
                    .dequeue = 0x1001 };
}

/* xHCI 1.2 §6.2.3, Figure 6-3, by hand. */
static unsigned parse(ixhci_ep_config *out, const asked *a)
{
    ixhci_caps caps = { .hcc1 = a->hcc1, .hcc2 = a->hcc2 };
    const uint32_t words[IXHCI_CONTEXT_WORDS] = {
        a->mult << 8 | a->pstreams << 10 | (a->lsa ? 1u << 15 : 0) |
            a->interval << 16 | (a->payload >> 16) << 24,
        a->cerr << 1 | a->type << 3 | a->burst << 8 | a->mps << 16,
        (uint32_t)a->dequeue,
        a->dequeue >> 32,
        a->payload << 16 | 0xbeef, /* Average TRB Length: a hint */
    };

    return ixhci_context_parse_ep(out, words, a->dci, a->speed, &caps);
}

/* xHCI 1.2 §4.5.1: DCI 1 is control, then OUT is even and IN is odd. */
static void cmd_24_types(void)
{
    for (unsigned dci = 1; dci <= 31; dci++) {
        for (unsigned type = 0; type < 8; type++) {
            asked a = plain(type, HIGH);
            bool out = type >= ISO_OUT && type <= INT_OUT;
            bool in = type >= ISO_IN;
            ixhci_ep_config ep;

            a.dci = dci;
            g_assert_cmpuint(parse(&ep, &a), ==,
                             dci == 1       ? type == CONTROL ? GOOD : BAD
                             : dci % 2 == 0 ? out ? GOOD : BAD
                             : in           ? GOOD
                                            : BAD);
        }
    }
}

/* xHCI 1.2 Table 6-12, and what Interval is to other endpoints: nothing. */
static void iso_04_intervals(void)
{
    static const struct {
        unsigned speed, isoch_first, isoch_last, int_first, int_last;
    } legal[] = {
        { FULL, 3, 18, 3, 10 },
        { LOW, 3, 18, 3, 10 },
        { HIGH, 0, 15, 0, 15 },
        { SUPER, 0, 15, 0, 15 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(legal); i++) {
        for (unsigned type = 1; type < 8; type++) {
            for (unsigned interval = 0; interval < 256; interval++) {
                asked a = plain(type, legal[i].speed);
                unsigned first =
                    is_isoch(type) ? legal[i].isoch_first : legal[i].int_first;
                unsigned last =
                    is_isoch(type) ? legal[i].isoch_last : legal[i].int_last;
                bool good = !is_periodic(type) ||
                            (interval >= first && interval <= last);
                ixhci_ep_config ep;

                a.interval = interval;
                g_assert_cmpuint(parse(&ep, &a), ==, good ? GOOD : BAD);
                if (good) {
                    g_assert_cmpuint(ep.interval, ==,
                                     is_periodic(type) ? interval : 0);
                }
            }
        }
    }
}

/* USB 2.0 §5.5.3 to §5.8.3, USB 3.2 §8.12: the largest packet; 0 is for
 * isochronous endpoints. Bulk of high speed is let off: devices with 1024
 * bytes are about, and drivers go on with them. */
static void cmd_24_packet_sizes(void)
{
    static const struct {
        unsigned speed, type, most;
    } sizes[] = {
        { LOW, CONTROL, 8 },      { LOW, INT_IN, 8 },
        { FULL, CONTROL, 64 },    { FULL, BULK_OUT, 64 },
        { FULL, INT_OUT, 64 },    { FULL, ISO_IN, 1023 },
        { FULL, ISO_OUT, 1023 },  { HIGH, INT_IN, 1024 },
        { HIGH, ISO_IN, 1024 },   { HIGH, BULK_IN, 1024 },
        { SUPER, BULK_IN, 1024 }, { SUPER, INT_IN, 1024 },
        { SUPER, ISO_OUT, 1024 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (unsigned mps = 0; mps < 65536; mps += mps < 1100 ? 1 : 777) {
            asked a = plain(sizes[i].type, sizes[i].speed);
            bool good =
                mps <= sizes[i].most && (mps || is_isoch(sizes[i].type));
            ixhci_ep_config ep;

            a.mps = mps;
            g_assert_cmpuint(parse(&ep, &a), ==, good ? GOOD : BAD);
            if (good) {
                g_assert_cmpuint(ep.max_packet_size, ==, mps);
            }
        }
    }
}

/* xHCI 1.2 §6.2.3.4: Max Burst, its largest value and what comes of it. */
static void iso_44_bursts(void)
{
    static const struct {
        unsigned speed, type, most; /* 255: not looked at, and 0 */
    } bursts[] = {
        { SUPER, BULK_OUT, 15 }, { SUPER, BULK_IN, 15 }, { SUPER, ISO_IN, 15 },
        { SUPER, INT_OUT, 15 },  { HIGH, ISO_IN, 2 },    { HIGH, ISO_OUT, 2 },
        { HIGH, INT_IN, 2 },     { HIGH, INT_OUT, 2 },   { HIGH, BULK_IN, 255 },
        { FULL, ISO_IN, 255 },   { FULL, BULK_IN, 255 }, { LOW, INT_IN, 255 },
        { HIGH, CONTROL, 255 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(bursts); i++) {
        for (unsigned burst = 0; burst < 256; burst++) {
            asked a = plain(bursts[i].type, bursts[i].speed);
            bool good = burst <= bursts[i].most;
            ixhci_ep_config ep;

            a.burst = burst;
            g_assert_cmpuint(parse(&ep, &a), ==, good ? GOOD : BAD);
            if (good) {
                unsigned counts = bursts[i].most == 255 ? 0 : burst;

                g_assert_cmpuint(ep.max_burst, ==, counts);
                /* rule 3: no payload was said, so all that fits */
                g_assert_cmpuint(ep.max_esit_payload, ==, 8 * (counts + 1));
            }
        }
    }
}

/* Max ESIT Payload: isochronous endpoints are held to it, others are not. */
static void iso_43_payload(void)
{
    static const struct {
        unsigned type;
        uint32_t payload, taken; /* 0: refused */
    } rows[] = {
        { ISO_IN, 24, 24 }, { ISO_IN, 1, 1 },   { ISO_IN, 25, 0 },
        { INT_IN, 24, 24 }, { INT_IN, 25, 24 }, { INT_OUT, 65535, 24 },
        { INT_OUT, 8, 8 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        asked a = plain(rows[i].type, HIGH);
        ixhci_ep_config ep;

        a.burst = 2;
        a.payload = rows[i].payload;
        g_assert_cmpuint(parse(&ep, &a), ==, rows[i].taken ? GOOD : BAD);
        if (rows[i].taken) {
            g_assert_cmpuint(ep.max_esit_payload, ==, rows[i].taken);
        }
    }
}

/* xHCI 1.2 §6.2.3: MaxPStreams up to MaxPSASize, SuperSpeed bulk only. */
static void str_01_streams(void)
{
    for (unsigned type = 1; type < 8; type++) {
        for (unsigned speed = FULL; speed <= SUPER; speed++) {
            for (unsigned size = 0; size < 16; size++) {
                for (unsigned max = 0; max < 32; max++) {
                    asked a = plain(type, speed);
                    bool bulk = type == BULK_IN || type == BULK_OUT;
                    bool good =
                        max == 0 || (bulk && speed == SUPER && max <= size);
                    ixhci_ep_config ep;

                    a.pstreams = max;
                    a.lsa = max & 1;
                    a.hcc1 = size << 12 | 0xffff0fff;
                    g_assert_cmpuint(parse(&ep, &a), ==, good ? GOOD : BAD);
                    if (good) {
                        g_assert_cmpuint(ep.max_pstreams, ==, max);
                        g_assert_cmpint(ep.lsa, ==, max & 1);
                    }
                }
            }
        }
    }
}

/* xHCI 1.2 §6.2.3: CErr in DW1 2:1, TR Dequeue Pointer in DW2 and DW3. */
static void ep_08_fields(void)
{
    static const struct {
        uint64_t asked, taken; /* 0: refused */
    } pointers[] = {
        { 0x1001, 0x1001 },
        { 0x1000, 0x1000 },
        { 0x100f, 0x1001 }, /* bits 3:1 are reserved */
        { 0x10, 0x10 },
        { 1, 0 },
        { 0, 0 },
        { 0xf, 0 },
        { UINT64_C(0x100000000), UINT64_C(0x100000000) },
        { UINT64_MAX, UINT64_MAX - 14 },
    };
    ixhci_ep_config ep;

    for (size_t i = 0; i < G_N_ELEMENTS(pointers); i++) {
        asked a = plain(BULK_IN, HIGH);

        a.dequeue = pointers[i].asked;
        g_assert_cmpuint(parse(&ep, &a), ==, pointers[i].taken ? GOOD : BAD);
        if (pointers[i].taken) {
            g_assert_cmphex(ep.dequeue, ==, pointers[i].taken);
        }
    }
    for (unsigned cerr = 0; cerr < 4; cerr++) {
        asked a = plain(INT_OUT, FULL);

        a.cerr = cerr;
        g_assert_cmpuint(parse(&ep, &a), ==, GOOD);
        g_assert_cmpuint(ep.cerr, ==, cerr);
        g_assert_cmpuint(ep.type, ==, INT_OUT);
    }
}

/* Words of no meaning at all: what is accepted can be worked with. */
static void cmd_24_noise(void)
{
    GRand *rand = g_rand_new_with_seed(24);
    unsigned accepted = 0;

    for (unsigned i = 0; i < 300000; i++) {
        ixhci_caps caps = { .hcc1 = g_rand_int(rand),
                            .hcc2 = g_rand_int(rand) };
        uint32_t words[IXHCI_CONTEXT_WORDS];
        ixhci_ep_config ep;

        for (unsigned n = 0; n < IXHCI_CONTEXT_WORDS; n++) {
            words[n] = g_rand_int(rand);
        }
        words[0] &= 0xff0f83ff;
        words[1] &= 0x07ff0fff; /* or nothing is ever accepted */
        if (ixhci_context_parse_ep(&ep, words, 2 + i % 30, 1 + i % 4, &caps) !=
            GOOD) {
            continue;
        }
        accepted++;
        g_assert_cmpuint(ep.type, !=, CONTROL);
        g_assert_cmpuint(ep.interval, <=, 18);
        g_assert_cmpuint(ep.max_packet_size, <=, 1024);
        g_assert_cmpuint(ep.max_burst, <=, 15);
        g_assert_cmpuint(ep.mult, <=, 31);
        g_assert_cmpuint(ep.max_esit_payload, <=,
                         ep.max_packet_size * (ep.max_burst + 1) *
                             (ep.mult + 1));
        g_assert_cmpuint(ep.max_esit_payload, <=, 512 * 1024);
    }
    g_assert_cmpuint(accepted, >, 1000);
    g_rand_free(rand);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/CMD-24/types", cmd_24_types);
    g_test_add_func("/CMD-24/packet-sizes", cmd_24_packet_sizes);
    g_test_add_func("/CMD-24/noise", cmd_24_noise);
    g_test_add_func("/EP-08/fields", ep_08_fields);
    g_test_add_func("/ISO-04/intervals", iso_04_intervals);
    g_test_add_func("/ISO-43/payload", iso_43_payload);
    g_test_add_func("/ISO-44/bursts", iso_44_bursts);
    g_test_add_func("/STR-01/streams", str_01_streams);
    return g_test_run();
}
