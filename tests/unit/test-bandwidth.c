/*
 * Periodic bandwidth in numbers: what an endpoint costs on each kind of bus,
 * how endpoints share units of time, and which domain is full (ISO-45, ISO-46).
 * The costs are worked by hand from USB 2.0 §5.6 to §5.8 and §11.18.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/bandwidth.h"

enum { PORT = 1, HUB = 3 };

typedef struct {
    unsigned type, speed, interval, mps, payload;
    unsigned tt_hub, tt_port;
} endpoint;

#define ISOCH(device, log2, bytes)                                             \
    {                                                                          \
        .type = EP_TYPE_ISOCH_IN, .speed = SPEED_##device, .interval = (log2), \
        .mps = (bytes), .payload = (bytes)                                     \
    }

/* Room for what an endpoint says, and what says it. */
typedef struct {
    ixhci_ep_config cfg[64];
    ixhci_share share[64];
    size_t count;
} bus;

static void add(bus *b, endpoint e)
{
    ixhci_ep_config *cfg = &b->cfg[b->count];

    g_assert_cmpuint(b->count, <, G_N_ELEMENTS(b->cfg));
    *cfg = (ixhci_ep_config){
        .type = e.type,
        .interval = e.interval,
        .max_packet_size = e.mps,
        .max_esit_payload = e.payload,
    };
    b->share[b->count++] = (ixhci_share){
        .domain = { PORT, e.tt_hub, e.tt_port, e.tt_hub ? 1 : 0 },
        .speed = e.speed,
        .in = e.type & 4,
        .cfg = cfg,
    };
}

static uint32_t bus_load(const bus *b, unsigned speed)
{
    return ixhci_bandwidth_bus_load(b->share, b->count, PORT, speed, true);
}

static uint32_t tt_load(const bus *b, unsigned hub, unsigned port)
{
    ixhci_domain domain = { PORT, hub, port, 1 };

    return ixhci_bandwidth_tt_load(b->share, b->count, &domain);
}

static unsigned judge(const bus *b, unsigned speed)
{
    return ixhci_bandwidth_judge(b->share, b->count,
                                 &b->share[b->count - 1].domain, speed);
}

typedef struct {
    const char *name;
    endpoint e;
    unsigned bus_speed;
    uint32_t bytes;
} cost_row;

static const cost_row costs[] = {
    /* 3 packets of 1024 bytes with 38 bytes of protocol each */
    { "high, 3 x 1024",
      { EP_TYPE_ISOCH_IN, SPEED_HIGH, 0, 1024, 3072, 0, 0 },
      SPEED_HIGH,
      3 * 1024 + 3 * 38 },
    { "high, interrupt",
      { EP_TYPE_INTERRUPT_IN, SPEED_HIGH, 3, 8, 8, 0, 0 },
      SPEED_HIGH,
      8 + 55 },
    { "full, isochronous",
      { EP_TYPE_ISOCH_IN, SPEED_FULL, 3, 1023, 1023, 0, 0 },
      SPEED_FULL,
      1023 + 9 },
    { "full, interrupt",
      { EP_TYPE_INTERRUPT_IN, SPEED_FULL, 3, 64, 64, 0, 0 },
      SPEED_FULL,
      64 + 13 },
    { "low, on a bus of its own",
      { EP_TYPE_INTERRUPT_IN, SPEED_LOW, 3, 8, 8, 0, 0 },
      SPEED_LOW,
      8 + 19 },
    { "low, on a full-speed bus",
      { EP_TYPE_INTERRUPT_IN, SPEED_LOW, 3, 8, 8, 0, 0 },
      SPEED_FULL,
      8 * (8 + 19) },
    { "super, 16 x 1024",
      { EP_TYPE_ISOCH_IN, SPEED_SUPER, 0, 1024, 16384, 0, 0 },
      SPEED_SUPER,
      16 * (1024 + 20) },
    { "super, the other direction",
      { EP_TYPE_ISOCH_OUT, SPEED_SUPER, 0, 1024, 16384, 0, 0 },
      SPEED_SUPER,
      0 },
    { "bulk is not periodic",
      { EP_TYPE_BULK_IN, SPEED_HIGH, 0, 512, 512, 0, 0 },
      SPEED_HIGH,
      0 },
    { "no packets, no division",
      { EP_TYPE_ISOCH_IN, SPEED_HIGH, 0, 0, 0, 0, 0 },
      SPEED_HIGH,
      0 },
    /* at most 188 bytes a microframe, a SPLIT token of 20 bytes */
    { "split, isochronous",
      { EP_TYPE_ISOCH_IN, SPEED_FULL, 3, 1023, 1023, HUB, 0 },
      SPEED_HIGH,
      188 + 38 + 20 },
    { "split, isochronous, small",
      { EP_TYPE_ISOCH_OUT, SPEED_FULL, 3, 64, 64, HUB, 0 },
      SPEED_HIGH,
      64 + 38 + 20 },
    { "split, interrupt: start and complete",
      { EP_TYPE_INTERRUPT_IN, SPEED_FULL, 6, 64, 64, HUB, 0 },
      SPEED_HIGH,
      64 + 2 * (55 + 20) },
};

static void iso_45_costs(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(costs); i++) {
        bus b = { .count = 0 };

        g_test_message("%s", costs[i].name);
        add(&b, costs[i].e);
        g_assert_cmpuint(bus_load(&b, costs[i].bus_speed), ==, costs[i].bytes);
        g_assert_cmpuint(ixhci_bandwidth_bus_load(b.share, b.count, PORT + 1,
                                                  costs[i].bus_speed, true),
                         ==, 0);
    }
}

/* USB 2.0 §5.6.3, §5.6.4 */
static void iso_45_limits(void)
{
    g_assert_cmpuint(ixhci_bandwidth_limit(SPEED_HIGH), ==, 6000);
    g_assert_cmpuint(ixhci_bandwidth_limit(SPEED_FULL), ==, 1350);
    g_assert_cmpuint(ixhci_bandwidth_limit(SPEED_LOW), ==, 168);
    g_assert_cmpuint(ixhci_bandwidth_limit(SPEED_SUPER), ==, 56250);
    g_assert_cmpuint(ixhci_bandwidth_free(SPEED_HIGH, 0), ==, 80);
    g_assert_cmpuint(ixhci_bandwidth_free(SPEED_HIGH, 3186), ==, 37);
    g_assert_cmpuint(ixhci_bandwidth_free(SPEED_HIGH, 6000), ==, 0);
    g_assert_cmpuint(ixhci_bandwidth_free(SPEED_HIGH, UINT32_MAX), ==, 0);
    g_assert_cmpuint(ixhci_bandwidth_free(SPEED_FULL, 0), ==, 90);
}

/* The last that fits, and one more. */
static void iso_45_full_bus(void)
{
    const struct {
        endpoint e;
        unsigned bus_speed, fit;
    } rows[] = {
        { ISOCH(HIGH, 0, 1024), SPEED_HIGH, 5 }, /* 1062 bytes each */
        { ISOCH(FULL, 3, 1023), SPEED_FULL, 1 },
        { ISOCH(FULL, 3, 192), SPEED_FULL, 6 },     /* 201 */
        { ISOCH(SUPER, 0, 1024), SPEED_SUPER, 53 }, /* 1044 */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bus b = { .count = 0 };

        for (unsigned n = 0; n < rows[i].fit; n++) {
            add(&b, rows[i].e);
            g_assert_cmpuint(judge(&b, rows[i].bus_speed), ==, CC_SUCCESS);
        }
        add(&b, rows[i].e);
        g_assert_cmpuint(judge(&b, rows[i].bus_speed), ==, CC_BANDWIDTH_ERROR);
    }
}

/* Rule 3: isochronous ESITs meet, interrupt endpoints keep apart. */
static void iso_45_units(void)
{
    endpoint isoch = ISOCH(HIGH, 3, 1024);
    endpoint keys = { EP_TYPE_INTERRUPT_IN, SPEED_FULL, 6, 64, 64, 0, 0 };
    bus b = { .count = 0 };

    add(&b, isoch);
    add(&b, isoch);
    g_assert_cmpuint(bus_load(&b, SPEED_HIGH), ==, 2 * 1062);
    /* an ESIT of 8 frames: eight have a frame each, the ninth meets one */
    b.count = 0;
    for (unsigned i = 0; i < 8; i++) {
        add(&b, keys);
        g_assert_cmpuint(bus_load(&b, SPEED_FULL), ==, 77);
    }
    add(&b, keys);
    g_assert_cmpuint(bus_load(&b, SPEED_FULL), ==, 2 * 77);
    /* where isochronous ones are, there is least room */
    b.count = 0;
    add(&b, (endpoint)ISOCH(FULL, 4, 500));
    add(&b, keys);
    g_assert_cmpuint(bus_load(&b, SPEED_FULL), ==, 509);
    /* the most frequent has its choice first, whatever the order: every other
     * frame, and the rare ones in between */
    b.count = 0;
    keys.interval = 5;
    add(&b, keys);
    add(&b, keys);
    keys.interval = 4;
    add(&b, keys);
    g_assert_cmpuint(bus_load(&b, SPEED_FULL), ==, 77);
    /* an ESIT longer than the row of units */
    b.count = 0;
    keys.interval = 15;
    for (unsigned i = 0; i < 32; i++) {
        add(&b, keys);
    }
    g_assert_cmpuint(bus_load(&b, SPEED_FULL), ==, 77);
}

static endpoint behind(unsigned hub, unsigned port, unsigned type,
                       unsigned bytes)
{
    return (endpoint){ .type = type,
                       .speed = SPEED_FULL,
                       .interval = 3,
                       .mps = bytes,
                       .payload = bytes,
                       .tt_hub = hub,
                       .tt_port = port };
}

/* USB 2.0 §11.18.1: 188 bytes a microframe and direction, for all of a TT. */
static void iso_46_split_cap(void)
{
    const unsigned token = 38 + 20;
    bus b = { .count = 0 };

    for (unsigned i = 0; i < 3; i++) {
        add(&b, behind(HUB, 0, EP_TYPE_ISOCH_IN, 100));
    }
    g_assert_cmpuint(bus_load(&b, SPEED_HIGH), ==, 188 + 3 * token);
    add(&b, behind(HUB, 0, EP_TYPE_ISOCH_OUT, 100));
    g_assert_cmpuint(bus_load(&b, SPEED_HIGH), ==, 188 + 100 + 4 * token);
    add(&b, behind(HUB + 1, 0, EP_TYPE_ISOCH_IN, 100));
    g_assert_cmpuint(bus_load(&b, SPEED_HIGH), ==, 188 + 200 + 5 * token);
}

/* xHCI 1.2 §4.16.2: the TT is full, the bus before it is not; and a TT for
 * each port is a domain for each. */
static void iso_46_domains(void)
{
    bus b = { .count = 0 };

    add(&b, behind(HUB, 0, EP_TYPE_ISOCH_IN, 1023));
    g_assert_cmpuint(tt_load(&b, HUB, 0), ==, 1023 + 9 + 1);
    g_assert_cmpuint(judge(&b, SPEED_HIGH), ==, CC_SUCCESS);
    add(&b, behind(HUB, 0, EP_TYPE_ISOCH_OUT, 1023));
    g_assert_cmpuint(judge(&b, SPEED_HIGH), ==, CC_SECONDARY_BANDWIDTH);
    b.count = 0;
    for (unsigned port = 1; port <= 4; port++) {
        add(&b, behind(HUB, port, EP_TYPE_ISOCH_IN, 1023));
        g_assert_cmpuint(judge(&b, SPEED_HIGH), ==, CC_SUCCESS);
        g_assert_cmpuint(tt_load(&b, HUB, port), ==, 1033);
    }
    g_assert_cmpuint(tt_load(&b, HUB, 5), ==, 0);
    /* many TTs fill the bus that they share */
    for (unsigned hub = 10; judge(&b, SPEED_HIGH) == CC_SUCCESS; hub++) {
        add(&b, behind(hub, 0, EP_TYPE_ISOCH_IN, 1023));
    }
    g_assert_cmpuint(judge(&b, SPEED_HIGH), ==, CC_BANDWIDTH_ERROR);
    g_assert_cmpuint(b.count, ==, 6000 / 246 + 1);
}

/* A full bus elsewhere is no reason to refuse. */
static void iso_46_other_bus(void)
{
    ixhci_domain other = { PORT + 1, 0, 0, 0 };
    bus b = { .count = 0 };

    add(&b, (endpoint)ISOCH(HIGH, 0, 1024));
    b.cfg[0].max_esit_payload = 7000;
    g_assert_cmpuint(judge(&b, SPEED_HIGH), ==, CC_BANDWIDTH_ERROR);
    g_assert_cmpuint(
        ixhci_bandwidth_judge(b.share, b.count, &other, SPEED_HIGH), ==,
        CC_SUCCESS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ISO-45/costs", iso_45_costs);
    g_test_add_func("/ISO-45/limits", iso_45_limits);
    g_test_add_func("/ISO-45/full-bus", iso_45_full_bus);
    g_test_add_func("/ISO-45/units", iso_45_units);
    g_test_add_func("/ISO-46/split-cap", iso_46_split_cap);
    g_test_add_func("/ISO-46/domains", iso_46_domains);
    g_test_add_func("/ISO-46/other-bus", iso_46_other_bus);
    return g_test_run();
}
