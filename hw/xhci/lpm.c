/*
 * Times of link power management. The rules are in lpm.h.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lpm.h"

#include "isolab/xhci.h"

#define US_PER_UF 125

/* Rule 1. */
static bool is_timeout(unsigned value, unsigned last)
{
    return value >= 1 && value <= last;
}

unsigned ixhci_lpm_usb3_state(uint32_t portpmsc, uint64_t idle_us)
{
    unsigned u1 = xhci_get(portpmsc, PORTPMSC_U1_TIMEOUT);
    unsigned u2 = xhci_get(portpmsc, PORTPMSC_U2_TIMEOUT);
    bool has_u1 = is_timeout(u1, 0x7f);

    if (is_timeout(u2, 0xfe) && idle_us >= u2 * 256 + (has_u1 ? u1 : 0)) {
        return PLS_U2;
    }
    return has_u1 && idle_us >= u1 ? PLS_U1 : PLS_U0;
}

/* xHCI 1.2 §5.4.11.2: 00h is 128 us, others are so many times 256 us. */
uint64_t ixhci_lpm_l1_timeout_uf(uint32_t porthlpmc)
{
    unsigned value = xhci_get(porthlpmc, PORTHLPMC_L1_TIMEOUT);
    uint64_t us = value ? value * 256 : 128;

    return (us + US_PER_UF - 1) / US_PER_UF;
}

/* Rule 3. */
uint64_t ixhci_lpm_resume_uf(uint32_t portpmsc, uint32_t porthlpmc, bool blc,
                             bool by_hardware)
{
    static const uint16_t besl_us[] = { 125,  150,  200,  300,  400,  500,
                                        1000, 2000, 3000, 4000, 5000, 6000,
                                        7000, 8000, 9000, 10000 };
    unsigned value = xhci_get(portpmsc, PORTPMSC_BESL);
    uint64_t us = 50 + 75 * value;

    if (blc) {
        if (by_hardware && xhci_get(porthlpmc, PORTHLPMC_HIRDM) == 1) {
            value = xhci_get(porthlpmc, PORTHLPMC_BESLD);
        }
        us = besl_us[value];
    }
    return (us + US_PER_UF - 1) / US_PER_UF;
}
