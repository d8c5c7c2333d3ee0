/*
 * Times of link power management (hw/xhci/lpm.h), against the tables of xHCI
 * 1.2 §5.4.9.1, §5.4.11.2 and USB 2.0's LPM errata written out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib.h>

#include "hw/xhci/lpm.h"
#include "isolab/xhci.h"

static void test_usb3(void)
{
    static const struct {
        uint32_t pmsc;
        unsigned idle_us, state;
    } rows[] = {
        { 0x0000, 1000000, PLS_U0 }, { 0x007f, 126, PLS_U0 },
        { 0x007f, 127, PLS_U1 },     { 0x0080, 1000000, PLS_U0 },
        { 0x00ff, 1000000, PLS_U0 }, { 0x0100, 255, PLS_U0 },
        { 0x0100, 256, PLS_U2 },     { 0xfe00, 254 * 256, PLS_U2 },
        { 0xff00, 1000000, PLS_U0 }, { 0x0101, 256, PLS_U1 },
        { 0x0101, 257, PLS_U2 },     { 0x01ff, 256, PLS_U2 },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpuint(ixhci_lpm_usb3_state(rows[i].pmsc, rows[i].idle_us),
                         ==, rows[i].state);
    }
}

static void test_l1_timeout(void)
{
    /* 128 us, 256 us, 65280 us; the fields beside it do not count */
    g_assert_cmpuint(ixhci_lpm_l1_timeout_uf(0x3c03), ==, 2);
    g_assert_cmpuint(ixhci_lpm_l1_timeout_uf(1 << 2), ==, 3);
    g_assert_cmpuint(ixhci_lpm_l1_timeout_uf(0xff << 2), ==, 523);
}

static void test_resume(void)
{
    static const unsigned besl_us[] = { 125,  150,  200,  300,  400,  500,
                                        1000, 2000, 3000, 4000, 5000, 6000,
                                        7000, 8000, 9000, 10000 };

    for (unsigned i = 0; i < 16; i++) {
        unsigned hird_us = 50 + 75 * i;

        g_assert_cmpuint(ixhci_lpm_resume_uf(i << 4, 0, true, false), ==,
                         (besl_us[i] + 124) / 125);
        g_assert_cmpuint(ixhci_lpm_resume_uf(i << 4, 0, false, true), ==,
                         (hird_us + 124) / 125);
        /* BESLD with HIRDM 1, for what the hardware entered */
        g_assert_cmpuint(ixhci_lpm_resume_uf(0, i << 10 | 1, true, true), ==,
                         (besl_us[i] + 124) / 125);
        g_assert_cmpuint(ixhci_lpm_resume_uf(0, i << 10 | 1, true, false), ==,
                         1);
        g_assert_cmpuint(ixhci_lpm_resume_uf(0, i << 10, true, true), ==, 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/xhci/lpm/PORT-26/usb3", test_usb3);
    g_test_add_func("/xhci/lpm/PORT-26/l1-timeout", test_l1_timeout);
    g_test_add_func("/xhci/lpm/PORT-26/resume", test_resume);
    return g_test_run();
}
