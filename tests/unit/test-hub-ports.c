/*
 * The ports of usb-isohub: each state and event (USB 2.0 §11.5.1), what the
 * status words say of it (§11.24.2.7), and how long it lasts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/hub/ports.h"

#define MS UINT64_C(1000000)

/* By state: what each event leads to; '.' is: ignored. Columns are power on,
 * power off, attach, detach, reset, disable, suspend, resume, time. */
static const char *const transitions[ISOHUB_STATES] = {
    [ISOHUB_OFF] = "P........",          [ISOHUB_POWERING] = ".O......D",
    [ISOHUB_DISCONNECTED] = ".Od......", [ISOHUB_DISABLED] = ".O.DR....",
    [ISOHUB_RESETTING] = ".O.D.d..E",    [ISOHUB_ENABLED] = ".O.DRdS..",
    [ISOHUB_SUSPENDED] = ".O.DRd.r.",    [ISOHUB_RESUMING] = ".O.DRd..E",
};

static const char names[ISOHUB_STATES] = "OPDdRESr";

static void test_table(void)
{
    for (unsigned state = 0; state < ISOHUB_STATES; state++) {
        for (unsigned event = 0; event <= ISOHUB_TIME; event++) {
            isohub_port port = { .state = state, .due_ns = ISOHUB_NEVER };
            char want = transitions[state][event];
            bool means = isohub_port_event(&port, event, 0);

            g_assert_cmpint(means, ==, want != '.');
            g_assert_cmpint(names[port.state], ==,
                            want == '.' ? names[state] : want);
        }
    }
}

static const struct {
    unsigned state, speed;
    uint16_t status;
} words[] = {
    { ISOHUB_OFF, ISOHUB_HIGH, 0x0000 },
    { ISOHUB_POWERING, ISOHUB_LOW, 0x0100 },
    { ISOHUB_DISCONNECTED, ISOHUB_LOW, 0x0100 },
    { ISOHUB_DISABLED, ISOHUB_LOW, 0x0301 },
    { ISOHUB_DISABLED, ISOHUB_HIGH, 0x0101 },
    { ISOHUB_RESETTING, ISOHUB_HIGH, 0x0111 },
    { ISOHUB_ENABLED, ISOHUB_LOW, 0x0303 },
    { ISOHUB_ENABLED, ISOHUB_FULL, 0x0103 },
    { ISOHUB_ENABLED, ISOHUB_HIGH, 0x0503 },
    { ISOHUB_SUSPENDED, ISOHUB_HIGH, 0x0507 },
    { ISOHUB_RESUMING, ISOHUB_FULL, 0x0107 },
};

static void test_status(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        isohub_port port = { .state = words[i].state, .speed = words[i].speed };

        g_assert_cmphex(isohub_port_status(&port), ==, words[i].status);
        port.indicator = 2;
        g_assert_cmphex(isohub_port_status(&port), ==,
                        words[i].status |
                            (words[i].state == ISOHUB_OFF ? 0 : 0x1000));
    }
}

static void step(isohub_port *port, isohub_event event, uint64_t now_ns,
                 uint64_t due_ns, uint16_t change)
{
    g_assert_true(isohub_port_event(port, event, now_ns));
    g_assert_cmpuint(port->due_ns, ==, due_ns);
    g_assert_cmphex(port->change, ==, change);
}

/* A life, from power to power. */
static void test_life(void)
{
    isohub_port port;

    isohub_port_init(&port);
    step(&port, ISOHUB_POWER_ON, 5 * MS, 7 * MS, 0);
    step(&port, ISOHUB_TIME, 7 * MS, ISOHUB_NEVER, 0);
    step(&port, ISOHUB_ATTACH, 8 * MS, ISOHUB_NEVER, ISOHUB_C_CONNECTION);
    step(&port, ISOHUB_RESET, 10 * MS, 20 * MS, ISOHUB_C_CONNECTION);
    port.change = 0;
    step(&port, ISOHUB_TIME, 20 * MS, ISOHUB_NEVER, ISOHUB_C_RESET);
    port.change = 0;
    step(&port, ISOHUB_SUSPEND, 30 * MS, ISOHUB_NEVER, 0);
    step(&port, ISOHUB_RESUME, 40 * MS, 60 * MS, 0);
    step(&port, ISOHUB_TIME, 60 * MS, ISOHUB_NEVER, ISOHUB_C_SUSPEND);
    step(&port, ISOHUB_DISABLE, 61 * MS, ISOHUB_NEVER, ISOHUB_C_SUSPEND);
    step(&port, ISOHUB_DETACH, 62 * MS, ISOHUB_NEVER,
         ISOHUB_C_SUSPEND | ISOHUB_C_CONNECTION);
    step(&port, ISOHUB_POWER_OFF, 63 * MS, ISOHUB_NEVER, 0);
    g_assert_false(isohub_port_event(&port, ISOHUB_ATTACH, 64 * MS));
}

/* Nothing but an enabled port carries. */
static void test_carries(void)
{
    for (unsigned state = 0; state < ISOHUB_STATES; state++) {
        isohub_port port = { .state = state };

        g_assert_cmpint(isohub_port_carries(&port), ==,
                        state == ISOHUB_ENABLED);
    }
}

/* What may come in by migration. */
static void test_sane(void)
{
    isohub_port port;

    isohub_port_init(&port);
    g_assert_true(isohub_port_is_sane(&port));
    port.due_ns = 5;
    g_assert_false(isohub_port_is_sane(&port));
    port.state = ISOHUB_RESETTING;
    g_assert_true(isohub_port_is_sane(&port));
    port.due_ns = ISOHUB_NEVER;
    g_assert_false(isohub_port_is_sane(&port));
    isohub_port_init(&port);
    port.state = ISOHUB_STATES;
    g_assert_false(isohub_port_is_sane(&port));
    isohub_port_init(&port);
    port.speed = ISOHUB_HIGH + 1;
    g_assert_false(isohub_port_is_sane(&port));
    isohub_port_init(&port);
    port.indicator = 4;
    g_assert_false(isohub_port_is_sane(&port));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hub/ports/table", test_table);
    g_test_add_func("/hub/ports/status", test_status);
    g_test_add_func("/hub/ports/life", test_life);
    g_test_add_func("/hub/ports/carries", test_carries);
    g_test_add_func("/hub/ports/sane", test_sane);
    return g_test_run();
}
