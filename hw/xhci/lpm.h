/*
 * Link power management: what the port registers say about time. Pure.
 *
 *  1. USB3: U1 is entered by a link that was idle for the U1 timeout, in
 *     microseconds; U2 by one that was in U1, or idle where U1 is off, for the
 *     U2 timeout, in units of 256 of them (xHCI 1.2 §5.4.9.1). 0 and FFh, and
 *     what is reserved, leave the link alone.
 *  2. USB2: with HLE a link that was idle for the L1 timeout of PORTHLPMC is
 *     sent to L1 (§5.4.11.2); PLS calls it U2.
 *  3. A link leaves L1 by a resume that the host drives as long as it has
 *     promised to the device: by HIRD, 50 us and 75 us more for each step, or,
 *     where BLC is set, by the BESL table of USB 2.0's LPM errata. HIRDM
 *     chooses BESLD, the deeper one, for L1 that the controller enters.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef IXHCI_LPM_H
#define IXHCI_LPM_H

#include <stdbool.h>
#include <stdint.h>

/* PLS_U0, PLS_U1 or PLS_U2 of a USB3 link that was idle so long (rule 1). */
unsigned ixhci_lpm_usb3_state(uint32_t portpmsc, uint64_t idle_us);

/* How long a USB2 link is idle before it goes to L1, in microframes. */
uint64_t ixhci_lpm_l1_timeout_uf(uint32_t porthlpmc);

/* How long the host drives resume, in microframes, at least 1 (rule 3).
 * `blc`: the fields are BESL; `by_hardware`: the controller had entered L1. */
uint64_t ixhci_lpm_resume_uf(uint32_t portpmsc, uint32_t porthlpmc, bool blc,
                             bool by_hardware);

#endif
