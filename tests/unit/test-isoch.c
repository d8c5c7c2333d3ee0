/*
 * What one service interval carries, in numbers: packets and bursts of a TD,
 * the payload that an Endpoint Context asks for, and the verdict on what a
 * device sent (ISO-36, ISO-37, ISO-41 to ISO-44).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/isoch.h"

/* xHCI 1.2 §4.11.2.3: worked by hand, from TD size to TLBPC. */
static const struct {
    uint32_t bytes, mps, burst;
    uint32_t tdpc, tbc, tlbpc;
} td_sizes[] = {
    { 0, 1024, 3, 1, 0, 0 },
    { 1, 1024, 3, 1, 0, 0 },
    { 1024, 1024, 3, 1, 0, 0 },
    { 1025, 1024, 3, 2, 0, 1 },
    { 4096, 1024, 3, 4, 0, 3 },
    { 4097, 1024, 3, 5, 1, 0 },
    { 5000, 1024, 3, 5, 1, 0 },
    { 8192, 1024, 3, 8, 1, 3 },
    { 12288, 1024, 3, 12, 2, 3 },
    { 49152, 1024, 15, 48, 2, 15 },
    { 32768, 1024, 0, 32, 31, 0 },
    { 524288, 1024, 15, 512, 31, 15 },
    { 3072, 1024, 2, 3, 0, 2 },
    { 2049, 1024, 2, 3, 0, 2 },
    { 1023, 1023, 0, 1, 0, 0 },
    { 192, 192, 0, 1, 0, 0 },
    { UINT32_MAX, 1, 0, UINT32_MAX, UINT32_MAX - 1, 0 },
    { 100, 0, 0, 1, 0, 0 }, /* no packet size: no division by it */
};

static void iso_41_packets(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(td_sizes); i++) {
        uint32_t packets =
            ixhci_isoch_packets(td_sizes[i].bytes, td_sizes[i].mps);

        g_assert_cmpuint(packets, ==, td_sizes[i].tdpc);
        g_assert_cmpuint(ixhci_isoch_burst_count(packets, td_sizes[i].burst),
                         ==, td_sizes[i].tbc);
        g_assert_cmpuint(ixhci_isoch_last_burst(packets, td_sizes[i].burst), ==,
                         td_sizes[i].tlbpc);
    }
}

/* The same, packet by packet and burst by burst. */
static void iso_41_counted(void)
{
    GRand *rand = g_rand_new_with_seed(41);

    for (unsigned i = 0; i < 20000; i++) {
        uint32_t bytes = g_rand_int_range(rand, 0, 50000);
        uint32_t mps = g_rand_int_range(rand, 1, 1025);
        uint32_t burst = g_rand_int_range(rand, 0, 16);
        uint32_t left = bytes, packets = 0, bursts = 0, in_burst = 0;

        do {
            if (in_burst == burst + 1) {
                in_burst = 0;
            }
            bursts += in_burst == 0;
            in_burst++;
            packets++;
            left -= left < mps ? left : mps;
        } while (left);
        g_assert_cmpuint(ixhci_isoch_packets(bytes, mps), ==, packets);
        g_assert_cmpuint(ixhci_isoch_burst_count(packets, burst), ==,
                         bursts - 1);
        g_assert_cmpuint(ixhci_isoch_last_burst(packets, burst), ==,
                         in_burst - 1);
    }
    g_rand_free(rand);
}

/* xHCI 1.2 §6.4.1.3, Isoch TRB: DW2 and DW3 in hex. */
static const struct {
    uint32_t bytes, burst;
    uint32_t dw2, dw3;
    bool ete, right;
} said[] = {
    { 12288, 3, 12288, 0x80031500, false, true }, /* TBC 2, TLBPC 3 */
    { 12288, 3, 12288, 0x80031480, false, false },
    { 12288, 3, 12288, 0x80021500, false, false },
    { 12288, 3, 12288 | 2u << 17, 0x80031400, true, true },
    { 12288, 3, 12288 | 2u << 17, 0x80031580, true, true }, /* 8:7 reserved */
    { 12288, 3, 12288, 0x80031500, true, false },
    { 12288, 3, 12288 | 31u << 17, 0x80031500, false, true }, /* TD Size */
    { 32768, 0, 32768 | 31u << 17, 0x80001400, true, true },
    { 32768, 0, 32768 | 30u << 17, 0x80001400, true, false },
    { 32768, 0, 32768, 0x80001580, false, false }, /* 2 bits are too few */
    { 0, 15, 0, 0x80001400, false, true },
};

static void iso_42_fields(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        ixhci_td_trb trbs[] = {
            { .trb = { { 0, 0, 0, 0x00001821 } } }, /* Link with IOC */
            { .trb = { { 0, 0, said[i].dw2, said[i].dw3 } } },
            { .trb = { { 0, 0, 99, 0x000f0580 } } }, /* Normal */
        };
        ixhci_td td = { .trbs = trbs, .count = 3, .bytes = said[i].bytes };
        ixhci_ep_config ep = { .max_packet_size = 1024,
                               .max_burst = (uint8_t)said[i].burst };

        g_assert_cmpint(ixhci_isoch_says_bursts(&ep, &td, said[i].ete), ==,
                        said[i].right);
    }
}

/* An Endpoint Context of a periodic endpoint, as words. */
typedef struct {
    unsigned type, speed, interval, mps, burst, mult, esit_hi, esit_lo;
} Ask;

static unsigned parse(ixhci_ep_config *out, const Ask *ask, uint32_t hcc2)
{
    ixhci_caps caps = { .hcc2 = hcc2 };
    uint32_t words[IXHCI_CONTEXT_WORDS] = {
        ask->esit_hi << 24 | ask->interval << 16 | ask->mult << 8,
        ask->mps << 16 | ask->burst << 8 | ask->type << 3,
        0x1001,
        0,
        ask->esit_lo << 16,
    };

    return ixhci_context_parse_ep(out, words, ask->type & 4 ? 3 : 2, ask->speed,
                                  &caps);
}

#define SS_IN EP_TYPE_ISOCH_IN, SPEED_SUPER
#define HS_IN EP_TYPE_ISOCH_IN, SPEED_HIGH
#define FS_IN EP_TYPE_ISOCH_IN, SPEED_FULL

/* What is asked; what comes of it without LEC and with it. 0: refused. */
typedef struct {
    Ask ask;
    uint32_t payload, lec_payload;
    unsigned mult, lec_mult;
} Payload;

static const Payload payloads[] = {
    /* ISO-43: Mult is said, or follows from the payload */
    { { SS_IN, 0, 1024, 15, 2, 0, 49152 }, 49152, 49152, 2, 2 },
    { { SS_IN, 0, 1024, 15, 0, 0, 49152 }, 0, 49152, 0, 2 },
    { { SS_IN, 0, 1024, 15, 3, 0, 49152 }, 0, 49152, 0, 2 },
    { { SS_IN, 0, 1024, 3, 2, 0, 4096 }, 4096, 4096, 2, 0 },
    { { SS_IN, 0, 1024, 3, 1, 0, 4097 }, 4097, 4097, 1, 1 },
    { { SS_IN, 0, 1024, 0, 0, 0, 32768 }, 0, 32768, 0, 31 },
    { { SS_IN, 0, 1024, 0, 0, 0, 32769 }, 0, 0, 0, 0 },
    /* Hi counts with LEC only */
    { { SS_IN, 3, 1024, 15, 0, 1, 0 }, 16384, 65536, 0, 3 },
    { { SS_IN, 3, 1024, 15, 0, 1, 1024 }, 1024, 66560, 0, 4 },
    { { SS_IN, 3, 1024, 15, 0, 8, 0 }, 16384, 524288, 0, 31 },
    { { SS_IN, 3, 1024, 15, 0, 8, 1 }, 1, 0, 0, 0 },
    { { SS_IN, 3, 1024, 15, 0, 255, 65535 }, 0, 0, 0, 0 },
    /* 0 is what a firmware driver leaves */
    { { SS_IN, 0, 1024, 3, 1, 0, 0 }, 8192, 4096, 1, 0 },
    /* an interrupt endpoint has one burst */
    { { EP_TYPE_INTERRUPT_IN, SPEED_SUPER, 0, 1024, 2, 2, 0, 3072 },
      3072,
      3072,
      0,
      0 },
    /* ISO-44: up to three transactions, Mult is not for high speed */
    { { HS_IN, 0, 1024, 2, 0, 0, 3072 }, 3072, 3072, 0, 0 },
    { { HS_IN, 0, 1024, 2, 2, 0, 3072 }, 3072, 3072, 0, 0 },
    { { HS_IN, 0, 1024, 2, 0, 0, 3073 }, 0, 0, 0, 0 },
    { { HS_IN, 0, 1024, 1, 0, 0, 2049 }, 0, 0, 0, 0 },
    { { HS_IN, 0, 1024, 3, 0, 0, 3072 }, 0, 0, 0, 0 },
    { { HS_IN, 0, 1025, 0, 0, 0, 1025 }, 0, 0, 0, 0 },
    { { HS_IN, 0, 192, 0, 0, 0, 192 }, 192, 192, 0, 0 },
    { { FS_IN, 3, 1023, 0, 0, 0, 1023 }, 1023, 1023, 0, 0 },
    { { FS_IN, 3, 1024, 0, 0, 0, 1024 }, 0, 0, 0, 0 },
    { { FS_IN, 3, 1023, 2, 0, 0, 1024 }, 0, 0, 0, 0 },
};

static void check_payload(const Payload *row, uint32_t hcc2, uint32_t payload,
                          unsigned mult)
{
    ixhci_ep_config ep;
    unsigned cc = parse(&ep, &row->ask, hcc2);

    g_assert_cmpuint(cc, ==, payload ? CC_SUCCESS : CC_PARAMETER_ERROR);
    if (payload) {
        g_assert_cmpuint(ep.max_esit_payload, ==, payload);
        g_assert_cmpuint(ep.mult, ==, mult);
    }
}

static void iso_43_payload(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(payloads); i++) {
        const Payload *row = &payloads[i];

        check_payload(row, 0, row->payload, row->mult);
        check_payload(row, HCC2_LEC, row->lec_payload, row->lec_mult);
    }
}

/* Rule 3 of isoch.h: what an IN device can send for a TD. */
static const struct {
    unsigned speed, mps, burst, mult;
    uint32_t payload, td, room;
} rooms[] = {
    { SPEED_HIGH, 1024, 2, 0, 3072, 100, 3072 },
    { SPEED_HIGH, 1024, 0, 0, 192, 192, 1024 },
    { SPEED_FULL, 1023, 0, 0, 1023, 1, 1023 },
    { SPEED_SUPER, 1024, 3, 2, 12288, 1, 1024 },
    { SPEED_SUPER, 1024, 3, 2, 12288, 5000, 5120 },
    { SPEED_SUPER, 1024, 3, 2, 12288, 12288, 12288 },
    { SPEED_SUPER, 1024, 3, 2, 5000, 12288, 5120 },
    { SPEED_SUPER, 1024, 3, 2, 12288, 0, 1024 },
    { SPEED_HIGH, 0, 0, 0, 0, 100, 0 },
};

static void iso_44_room(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rooms); i++) {
        ixhci_ep_config ep = {
            .max_packet_size = (uint16_t)rooms[i].mps,
            .max_burst = (uint8_t)rooms[i].burst,
            .mult = (uint8_t)rooms[i].mult,
            .max_esit_payload = rooms[i].payload,
        };

        g_assert_cmpuint(ixhci_isoch_room(&ep, rooms[i].speed, rooms[i].td), ==,
                         rooms[i].room);
    }
}

/* Rule 4 of isoch.h: Max ESIT Payload, TD, bytes; the code. */
static const struct {
    uint32_t payload, td, moved;
    unsigned cc;
} verdicts[] = {
    { 192, 192, 192, CC_SUCCESS },
    { 192, 192, 191, CC_SHORT_PACKET },
    { 192, 192, 0, CC_SHORT_PACKET },
    { 192, 0, 0, CC_SUCCESS },
    { 192, 100, 100, CC_SUCCESS },
    { 192, 100, 99, CC_SHORT_PACKET },
    { 192, 100, 101, CC_ISOCH_BUFFER_OVERRUN },
    { 192, 100, 192, CC_ISOCH_BUFFER_OVERRUN },
    { 192, 0, 1, CC_ISOCH_BUFFER_OVERRUN },
    { 192, 192, 193, CC_BABBLE_DETECTED },
    { 192, 400, 191, CC_SHORT_PACKET },
    { 192, 400, 192, CC_BANDWIDTH_OVERRUN },
    { 192, 400, 400, CC_BANDWIDTH_OVERRUN },
    { 192, 400, 401, CC_BABBLE_DETECTED },
};

static void iso_36_verdicts(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(verdicts); i++) {
        ixhci_ep_config ep = { .max_esit_payload = verdicts[i].payload };

        g_assert_cmpuint(
            ixhci_isoch_judge(&ep, verdicts[i].td, verdicts[i].moved), ==,
            verdicts[i].cc);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ISO-36/verdicts", iso_36_verdicts);
    g_test_add_func("/ISO-41/packets", iso_41_packets);
    g_test_add_func("/ISO-41/counted", iso_41_counted);
    g_test_add_func("/ISO-42/fields", iso_42_fields);
    g_test_add_func("/ISO-43/payload", iso_43_payload);
    g_test_add_func("/ISO-44/room", iso_44_room);
    return g_test_run();
}
