/*
 * Registers, and INIT: from reset to R/S = 1 in the order that xHCI 1.2 §4.2
 * gives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

#define PATIENCE_UF 160 /* 20 ms: more than the 16 ms of xHCI 1.2 §5.4.1.1 */

uint32_t hcd_cap_read(Hcd *h, unsigned offset)
{
    return qtest_readl(h->qts, h->bar + offset);
}

void hcd_cap_write(Hcd *h, unsigned offset, uint32_t value)
{
    qtest_writel(h->qts, h->bar + offset, value);
}

uint32_t hcd_op_read(Hcd *h, unsigned offset)
{
    return hcd_cap_read(h, h->op + offset);
}

void hcd_op_write(Hcd *h, unsigned offset, uint32_t value)
{
    hcd_cap_write(h, h->op + offset, value);
}

uint32_t hcd_rt_read(Hcd *h, unsigned offset)
{
    return hcd_cap_read(h, h->rt + offset);
}

void hcd_rt_write(Hcd *h, unsigned offset, uint32_t value)
{
    hcd_cap_write(h, h->rt + offset, value);
}

/* Interrupter 0. */
uint32_t hcd_intr_read(Hcd *h, unsigned offset)
{
    return hcd_rt_read(h, XHCI_INTR_SET + offset);
}

void hcd_intr_write(Hcd *h, unsigned offset, uint32_t value)
{
    hcd_rt_write(h, XHCI_INTR_SET + offset, value);
}

void hcd_doorbell(Hcd *h, unsigned slot_id, unsigned target)
{
    hcd_cap_write(h, h->db + 4 * slot_id, target);
}

void hcd_ring_ep(Hcd *h, HcdDev *dev, unsigned dci)
{
    hcd_doorbell(h, dev->slot_id, dci);
}

unsigned hcd_mfindex(Hcd *h)
{
    return hcd_rt_read(h, XHCI_MFINDEX) & MFINDEX_MASK;
}

unsigned hcd_frame(Hcd *h)
{
    return hcd_mfindex(h) >> 3;
}

void hcd_read_capabilities(Hcd *h)
{
    uint32_t params1 = hcd_cap_read(h, XHCI_HCSPARAMS1);
    uint32_t params2 = hcd_cap_read(h, XHCI_HCSPARAMS2);
    uint32_t hcc = hcd_cap_read(h, XHCI_HCCPARAMS1);

    h->op = hcd_cap_read(h, XHCI_CAPLENGTH) & 0xff;
    h->rt = hcd_cap_read(h, XHCI_RTSOFF) & ~0x1fu;
    h->db = hcd_cap_read(h, XHCI_DBOFF) & ~0x3u;
    h->xecp = xhci_get(hcc, HCC1_XECP) * 4;
    h->max_slots = xhci_get(params1, HCSPARAMS1_MAXSLOTS);
    h->max_intrs = xhci_get(params1, HCSPARAMS1_MAXINTRS);
    h->max_ports = xhci_get(params1, HCSPARAMS1_MAXPORTS);
    h->ctx_bytes = hcc & HCC1_CSZ ? 64 : 32;
    h->cfc = hcc & HCC1_CFC;
    h->ist_uf = xhci_get(params2, HCSPARAMS2_IST);
    if (xhci_get(params2, HCSPARAMS2_IST_FRAMES)) {
        h->ist_uf *= 8;
    }
}

static void wait_op(Hcd *h, unsigned offset, uint32_t mask, uint32_t value,
                    const char *what)
{
    for (unsigned n = 0; n < PATIENCE_UF; n++) {
        if ((hcd_op_read(h, offset) & mask) == value) {
            return;
        }
        hcd_step_uf(h, 1);
    }
    hcd_fail(__FILE__, __LINE__, "%s: register %02x is still %08x after 20 ms",
             what, offset, hcd_op_read(h, offset));
}

void hcd_halt(Hcd *h)
{
    hcd_op_write(h, XHCI_USBCMD, hcd_op_read(h, XHCI_USBCMD) & ~USBCMD_RS);
    wait_op(h, XHCI_USBSTS, USBSTS_HCH, USBSTS_HCH, "R/S = 0, waiting for HCH");
}

void hcd_run(Hcd *h)
{
    hcd_op_write(h, XHCI_USBCMD, USBCMD_INTE | USBCMD_RS | h->options.usbcmd);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH),
              "HCH is still 1 after R/S = 1");
}

void hcd_reset(Hcd *h)
{
    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
    wait_op(h, XHCI_USBCMD, USBCMD_HCRST, 0, "waiting for HCRST = 0");
    wait_op(h, XHCI_USBSTS, USBSTS_CNR, 0, "waiting for CNR = 0");
}

/* xHCI 1.2 §4.20: as many pages as HCSPARAMS2 asks for, behind entry 0. */
static void give_scratchpads(Hcd *h)
{
    uint32_t params2 = hcd_cap_read(h, XHCI_HCSPARAMS2);
    unsigned count = (params2 >> 21 & 0x1f) << 5 | params2 >> 27;
    uint64_t array;

    if (count == 0) {
        return;
    }
    array = hcd_alloc(h, count * 8, 4096);
    for (unsigned i = 0; i < count; i++) {
        qtest_writeq(h->qts, array + 8 * i, hcd_alloc(h, 4096, 4096));
    }
    qtest_writeq(h->qts, h->dcbaa, array);
}

void hcd_init(Hcd *h)
{
    unsigned slots = h->options.slots_en ? h->options.slots_en : h->max_slots;

    hcd_halt(h);
    hcd_reset(h);
    hcd_op_write(h, XHCI_CONFIG, slots);
    h->dcbaa = hcd_alloc(h, 8 * 256, 4096);
    give_scratchpads(h);
    hcd_op_write(h, XHCI_DCBAAP_LO, h->dcbaa);
    hcd_op_write(h, XHCI_DCBAAP_HI, 0);
    h->cmd = hcd_ring_new(h, 64);
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_event_ring_init(h, h->options.event_trbs ? h->options.event_trbs : 256);
    hcd_intr_write(h, XHCI_IMOD, 0);
    hcd_intr_write(h, XHCI_IMAN, IMAN_IE);
    hcd_run(h);
}
