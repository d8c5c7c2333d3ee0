/*
 * usb-storage as a source and sink of bulk transfers: Bulk-Only Transport, a
 * Command Block Wrapper out, data in, a Command Status Wrapper in. INQUIRY
 * answers with up to 36 bytes at once, READ(10) with blocks of zeros some
 * time later, an IN transfer with no command before it is a STALL.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"
#include "qemu/bswap.h"

HcdDev *hcd_msd_open(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    unsigned mps = dev->speed == SPEED_HIGH ? 512 : 1024;
    unsigned burst = dev->speed == SPEED_HIGH ? 0 : 15;

    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = MSD_IN, .type = EP_TYPE_BULK_IN, .mps = mps,
               .burst = burst);
    hcd_ep_add(h, dev, .dci = MSD_OUT, .type = EP_TYPE_BULK_OUT, .mps = mps,
               .burst = burst);
    return dev;
}

/* A wrapper in guest memory: opcode with data_bytes to come from the device, or
 * of MSD_WRITE10 to go there. */
uint64_t hcd_msd_cbw(Hcd *h, uint8_t opcode, uint32_t data_bytes)
{
    bool is_10 = opcode == MSD_READ10 || opcode == MSD_WRITE10;
    uint64_t gpa = hcd_alloc(h, MSD_CBW_BYTES, 64);
    uint8_t cbw[MSD_CBW_BYTES] = { 'U', 'S', 'B', 'C', 1, 2, 3, 4 };

    stl_le_p(cbw + 8, data_bytes);
    cbw[12] = opcode == MSD_WRITE10 ? 0 : 0x80;
    cbw[14] = is_10 ? 10 : 6;
    cbw[15] = opcode;
    if (is_10) {
        stw_be_p(cbw + 15 + 7, data_bytes / 512);
    } else {
        cbw[15 + 4] = data_bytes;
    }
    qtest_bufwrite(h->qts, gpa, cbw, sizeof(cbw));
    return gpa;
}

void hcd_msd_command(Hcd *h, HcdDev *dev, uint8_t opcode, uint32_t data_bytes)
{
    uint64_t cbw = hcd_msd_cbw(h, opcode, data_bytes);
    uint64_t trb = td_normal(h, dev, MSD_OUT, .buf = cbw, .len = MSD_CBW_BYTES,
                             .ioc = true);

    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
}

/* bCSWStatus: 0 for a command that has passed. */
unsigned hcd_msd_status(Hcd *h, HcdDev *dev)
{
    uint64_t csw = hcd_alloc_filled(h, MSD_CSW_BYTES, 0xee);
    uint64_t trb = td_normal(h, dev, MSD_IN, .buf = csw, .len = MSD_CSW_BYTES,
                             .ioc = true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_check(qtest_readl(h->qts, csw) == 0x53425355,
              "the status wrapper begins with %08x", qtest_readl(h->qts, csw));
    return qtest_readb(h->qts, csw + 12);
}
