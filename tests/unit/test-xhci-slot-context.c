/*
 * Slot Contexts as a driver writes them: each field at its place, the limits of
 * the controller, Route Strings, and whose TT a device may be behind (CMD-16,
 * CTX-01, ISO-46).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/context.h"

enum { GOOD = 1, BAD = 17 }; /* Success, Parameter Error */
enum { FULL = 1, LOW, HIGH, SUPER };

/* xHCI 1.2 §6.2.2, Figure 6-2: the words in hex. 8 ports, 4 interrupters. */
static const struct {
    const char *name;
    uint32_t dw0, dw1, dw2;
    unsigned cc;
    ixhci_slot_config wanted;
} slots[] = {
    { "plain",
      0x08300000,
      0x00010000,
      0,
      GOOD,
      { .speed = HIGH, .entries = 1, .root_port = 1 } },
    { "the last of everything",
      0xf84fffff,
      0x00080000,
      0x00c00000,
      GOOD,
      { .route = 0xfffff,
        .speed = SUPER,
        .entries = 31,
        .root_port = 8,
        .intr = 3 } },
    { "bits of other fields",
      0x0f300000,
      0xff01ffff,
      0x003fffff,
      GOOD,
      { .speed = HIGH, .entries = 1, .root_port = 1 } },
    { "route",
      0x08354321,
      0x00010000,
      0,
      GOOD,
      { .route = 0x54321, .speed = HIGH, .entries = 1, .root_port = 1 } },
    { "low speed behind a TT",
      0x08200021,
      0x00020000,
      0x0000027f,
      GOOD,
      { .route = 0x21,
        .speed = LOW,
        .entries = 1,
        .root_port = 2,
        .tt_hub = 0x7f,
        .tt_port = 2 } },
    { "full speed behind a TT",
      0x08100012,
      0x00020000,
      0x0040ff01,
      GOOD,
      { .route = 0x12,
        .speed = FULL,
        .entries = 1,
        .root_port = 2,
        .tt_hub = 1,
        .tt_port = 255,
        .intr = 1 } },
    { "high speed has no TT above it",
      0x08300012,
      0x00020000,
      0x00000201,
      GOOD,
      { .route = 0x12, .speed = HIGH, .entries = 1, .root_port = 2 } },
    { "port 0", 0x08300000, 0x00000000, 0, BAD, { 0 } },
    { "port 9", 0x08300000, 0x00090000, 0, BAD, { 0 } },
    { "port 255", 0x08300000, 0x00ff0000, 0, BAD, { 0 } },
    { "no entries", 0x00300000, 0x00010000, 0, BAD, { 0 } },
    { "speed 0", 0x08000000, 0x00010000, 0, BAD, { 0 } },
    { "speed 5", 0x08500000, 0x00010000, 0, BAD, { 0 } },
    { "speed 15", 0x08f00000, 0x00010000, 0, BAD, { 0 } },
    { "interrupter 4", 0x08300000, 0x00010000, 0x01000000, BAD, { 0 } },
    { "interrupter 1023", 0x08300000, 0x00010000, 0xffc00000, BAD, { 0 } },
};

static void ctx_01_slots(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(slots); i++) {
        const uint32_t words[IXHCI_CONTEXT_WORDS] = { slots[i].dw0,
                                                      slots[i].dw1,
                                                      slots[i].dw2 };
        const ixhci_slot_config *wanted = &slots[i].wanted;
        ixhci_slot_config out;

        g_test_message("%s", slots[i].name);
        g_assert_cmpuint(ixhci_context_parse_slot(&out, words, 8, 4), ==,
                         slots[i].cc);
        if (slots[i].cc == GOOD) {
            g_assert_cmphex(out.route, ==, wanted->route);
            g_assert_cmpuint(out.speed, ==, wanted->speed);
            g_assert_cmpuint(out.entries, ==, wanted->entries);
            g_assert_cmpuint(out.root_port, ==, wanted->root_port);
            g_assert_cmpuint(out.tt_hub, ==, wanted->tt_hub);
            g_assert_cmpuint(out.tt_port, ==, wanted->tt_port);
            g_assert_cmpuint(out.intr, ==, wanted->intr);
        }
    }
}

/* USB 2.0 §5.5.3, USB 3.2 §8.12.1: sizes of a default control endpoint. */
static void cmd_16_ep0_sizes(void)
{
    for (unsigned bytes = 0; bytes < 65536; bytes++) {
        bool small = bytes == 8 || bytes == 16 || bytes == 32 || bytes == 64;

        g_assert_cmpint(ixhci_context_ep0_size_is_legal(LOW, bytes), ==,
                        bytes == 8);
        g_assert_cmpint(ixhci_context_ep0_size_is_legal(FULL, bytes), ==,
                        small);
        g_assert_cmpint(ixhci_context_ep0_size_is_legal(HIGH, bytes), ==,
                        bytes == 64);
        g_assert_cmpint(ixhci_context_ep0_size_is_legal(SUPER, bytes), ==,
                        bytes == 512);
    }
}

/* USB 3.2 §8.9: four bits a tier, from the root on; 0 ends it. */
static void cmd_16_routes(void)
{
    static const struct {
        uint32_t route;
        unsigned tiers, ports[6];
    } routes[] = {
        { 0x00000, 0, { 0, 0, 0, 0, 0, 0 } },
        { 0x00001, 1, { 1, 0, 0, 0, 0, 0 } },
        { 0x0000f, 1, { 15, 0, 0, 0, 0, 0 } },
        { 0x00021, 2, { 1, 2, 0, 0, 0, 0 } },
        { 0x54321, 5, { 1, 2, 3, 4, 5, 0 } },
        { 0xfffff, 5, { 15, 15, 15, 15, 15, 0 } },
        { 0x00020, 0, { 0, 2, 0, 0, 0, 0 } },
        { 0x50321, 3, { 1, 2, 3, 0, 5, 0 } },
        { 0xffffffff, 5, { 15, 15, 15, 15, 15, 15 } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(routes); i++) {
        g_assert_cmpuint(ixhci_context_tiers(routes[i].route), ==,
                         routes[i].tiers);
        for (unsigned tier = 0; tier < 6; tier++) {
            g_assert_cmpuint(ixhci_context_hub_port(routes[i].route, tier), ==,
                             routes[i].ports[tier]);
        }
    }
}

/* xHCI 1.2 §6.2.2, Parent Hub Slot ID and Parent Port Number. */
static const struct {
    const char *name;
    ixhci_slot_config dev, hub;
    bool legal;
} tts[] = {
    { "a hub at the root port",
      { .route = 0x2, .root_port = 1, .tt_port = 2 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      true },
    { "a hub behind a hub",
      { .route = 0x32, .root_port = 1, .tt_port = 3 },
      { .route = 0x2, .root_port = 1, .speed = HIGH },
      true },
    { "a full-speed hub between them",
      { .route = 0x432, .root_port = 1, .tt_port = 3 },
      { .route = 0x2, .root_port = 1, .speed = HIGH },
      true },
    { "the last tier",
      { .route = 0x54321, .root_port = 1, .tt_port = 5 },
      { .route = 0x4321, .root_port = 1, .speed = HIGH },
      true },
    { "a port of the wrong hub on the path",
      { .route = 0x432, .root_port = 1, .tt_port = 4 },
      { .route = 0x2, .root_port = 1, .speed = HIGH },
      false },
    { "no high-speed hub",
      { .route = 0x2, .root_port = 1, .tt_port = 2 },
      { .route = 0, .root_port = 1, .speed = FULL },
      false },
    { "SuperSpeed",
      { .route = 0x2, .root_port = 1, .tt_port = 2 },
      { .route = 0, .root_port = 1, .speed = SUPER },
      false },
    { "another root port",
      { .route = 0x2, .root_port = 1, .tt_port = 2 },
      { .route = 0, .root_port = 2, .speed = HIGH },
      false },
    { "a hub beside the path",
      { .route = 0x32, .root_port = 1, .tt_port = 3 },
      { .route = 0x1, .root_port = 1, .speed = HIGH },
      false },
    { "a hub below the device",
      { .route = 0x2, .root_port = 1, .tt_port = 3 },
      { .route = 0x32, .root_port = 1, .speed = HIGH },
      false },
    { "the hub itself",
      { .route = 0x2, .root_port = 1, .tt_port = 0 },
      { .route = 0x2, .root_port = 1, .speed = HIGH },
      false },
    { "the last port that has a number of its own",
      { .route = 0xe, .root_port = 1, .tt_port = 14 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      true },
    /* USB 3.2 §8.9: 15 stands for the ports above it, too */
    { "port 15",
      { .route = 0xf, .root_port = 1, .tt_port = 15 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      true },
    { "port 16",
      { .route = 0xf, .root_port = 1, .tt_port = 16 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      true },
    { "port 255",
      { .route = 0xf, .root_port = 1, .tt_port = 255 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      true },
    { "port 15 of 14",
      { .route = 0xe, .root_port = 1, .tt_port = 15 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      false },
    { "port 14 of 15",
      { .route = 0xf, .root_port = 1, .tt_port = 14 },
      { .route = 0, .root_port = 1, .speed = HIGH },
      false },
};

static void iso_46_translators(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(tts); i++) {
        g_test_message("%s", tts[i].name);
        g_assert_cmpint(ixhci_context_tt_is_legal(&tts[i].dev, &tts[i].hub), ==,
                        tts[i].legal);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/CMD-16/ep0-sizes", cmd_16_ep0_sizes);
    g_test_add_func("/CMD-16/routes", cmd_16_routes);
    g_test_add_func("/CTX-01/slots", ctx_01_slots);
    g_test_add_func("/ISO-46/translators", iso_46_translators);
    return g_test_run();
}
