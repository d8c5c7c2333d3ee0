/*
 * Transfer Descriptors, TRB by TRB (xHCI 1.2 §6.4.1), and control transfers
 * made of them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

static uint32_t flag(bool on, uint32_t bit)
{
    return on ? bit : 0;
}

uint64_t hcd_td(Hcd *h, HcdDev *dev, unsigned dci, HcdTd td)
{
    uint32_t dw2 = xhci_set(
        xhci_set(xhci_set(0, TRB_LENGTH, td.len), TRB_TD_SIZE, td.td_size),
        TRB_INTR, td.target);
    uint32_t dw3 = flag(td.isp, TRB_ISP) | flag(td.ch, TRB_CH) |
                   flag(td.ioc, TRB_IOC) | flag(td.idt, TRB_IDT) |
                   flag(td.ent, TRB_ENT) | flag(td.bei, TRB_BEI) |
                   flag(td.ns, TRB_NS);

    switch (td.type) {
    case TRB_ISOCH:
        dw3 |= flag(td.sia, TRB_SIA);
        dw3 = xhci_set(dw3, TRB_FRAME_ID, td.frame_id);
        if (td.ete) {
            dw2 = xhci_set(dw2, TRB_TD_SIZE, td.tbc);
        } else {
            dw3 = xhci_set(dw3, TRB_TBC, td.tbc);
        }
        dw3 = xhci_set(dw3, TRB_TLBPC, td.tlbpc);
        break;
    case TRB_SETUP_STAGE:
        dw3 = xhci_set(dw3, TRB_TRT, td.trt);
        break;
    case TRB_DATA_STAGE:
    case TRB_STATUS_STAGE:
        dw3 |= flag(td.in, TRB_DIR);
        break;
    }
    return hcd_ring_put(h, &dev->ring[dci],
                        hcd_trb_ptr(td.type, td.buf, dw2, dw3));
}

/* USB 2.0 §9.3 */
uint64_t hcd_setup_bytes(HcdSetup s)
{
    return s.type | s.request << 8 | (uint64_t)s.value << 16 |
           (uint64_t)s.index << 32 | (uint64_t)s.length << 48;
}

/* xHCI 1.2 §6.4.1.2.1: TRT says whether a Data Stage follows, and which. */
uint64_t td_setup(Hcd *h, HcdDev *dev, HcdSetup setup)
{
    unsigned trt = !setup.length       ? TRT_NONE
                   : setup.type & 0x80 ? TRT_IN
                                       : TRT_OUT;

    return hcd_td(h, dev, 1,
                  (HcdTd){ .type = TRB_SETUP_STAGE,
                           .buf = hcd_setup_bytes(setup),
                           .len = 8,
                           .idt = true,
                           .trt = trt });
}

unsigned hcd_control(Hcd *h, HcdDev *dev, HcdSetup setup, uint64_t buf)
{
    bool in = setup.length && (setup.type & 0x80);
    HcdEvent event;

    td_setup(h, dev, setup);
    if (setup.length) {
        td_data(h, dev, .buf = buf, .len = setup.length, .in = in);
    }
    td_status(h, dev, .in = !in, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    event = hcd_expect_te(h, .dev = dev, .dci = 1);
    return event.cc;
}

void hcd_set_configuration(Hcd *h, HcdDev *dev, unsigned value)
{
    HcdSetup setup = { .type = 0x00, .request = 9, .value = value };

    hcd_expect_cc(hcd_control(h, dev, setup, 0), CC_SUCCESS);
}
