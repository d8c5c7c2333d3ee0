/*
 * Operational registers: run, stop, reset, and the bits that only some writes
 * change (xHCI 1.2 §5.4).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

static void check_reset_image(Hcd *h)
{
    static const struct {
        const char *name;
        unsigned offset;
    } zero_op[] = {
        { "USBCMD", XHCI_USBCMD },       { "DNCTRL", XHCI_DNCTRL },
        { "CRCR", XHCI_CRCR_LO },        { "CRCR high", XHCI_CRCR_HI },
        { "DCBAAP", XHCI_DCBAAP_LO },    { "DCBAAP high", XHCI_DCBAAP_HI },
        { "CONFIG", XHCI_CONFIG },
    }, zero_intr[] = {
        { "IMAN", XHCI_IMAN },           { "ERSTSZ", XHCI_ERSTSZ },
        { "ERSTBA", XHCI_ERSTBA_LO },    { "ERSTBA high", XHCI_ERSTBA_HI },
        { "ERDP", XHCI_ERDP_LO },        { "ERDP high", XHCI_ERDP_HI },
    };
    uint32_t status = hcd_op_read(h, XHCI_USBSTS);

    for (unsigned i = 0; i < ARRAY_SIZE(zero_op); i++) {
        uint32_t value = hcd_op_read(h, zero_op[i].offset);

        hcd_check(value == 0, "after a reset %s is %08x", zero_op[i].name,
                  value);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(zero_intr); i++) {
        uint32_t value = hcd_intr_read(h, zero_intr[i].offset);

        hcd_check(value == 0, "after a reset %s is %08x", zero_intr[i].name,
                  value);
    }
    hcd_check(status & USBSTS_HCH, "after a reset USBSTS is %08x", status);
    hcd_check(!(status & (USBSTS_HSE | USBSTS_EINT | USBSTS_SRE | USBSTS_CNR |
                          USBSTS_HCE)),
              "after a reset USBSTS is %08x", status);
}

/* xHCI 1.2 §5.4: the image that HCRST leaves. */
static void op_01_reset_image(void)
{
    Hcd *h = hcd_start();

    hcd_op_write(h, XHCI_DNCTRL, 0xffff);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_halt(h);
    hcd_reset(h);
    check_reset_image(h);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1, §5.4.2 */
static void op_02_run_stop(void)
{
    Hcd *h = hcd_start();

    for (unsigned i = 0; i < 3; i++) {
        hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH),
                  "HCH is 1 while R/S is 1");
        hcd_halt(h);
        hcd_run(h);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1.1: halted within 16 ms, and then memory is left alone. */
static void op_03_halt_is_silent(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 65536, 0xaa);
    uint64_t cbw = hcd_msd_cbw(h, MSD_READ10, 65536);
    g_autofree uint8_t *before = g_malloc(4096), *after = g_malloc(4096);

    td_normal(h, dev, MSD_OUT, .buf = cbw, .len = MSD_CBW_BYTES, .ioc = true);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 65536, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_INTE);
    hcd_step_uf(h, 128);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH,
              "HCH is 0 16 ms after R/S = 0");
    qtest_bufread(h->qts, h->evt.base, before, 4096);
    for (unsigned i = 0; i < 100; i++) {
        hcd_step_uf(h, 80);
    }
    qtest_bufread(h->qts, h->evt.base, after, 4096);
    hcd_check(!memcmp(before, after, 4096),
              "an event was written while the controller was halted");
    hcd_finish(h);
}

/* xHCI 1.2 §5.6: doorbells need a running controller. */
static void op_04_doorbell_while_halted(void)
{
    Hcd *h = hcd_start();

    hcd_halt(h);
    hcd_event_drain(h);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 800);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1: HCRST disables slots and leaves PCI alone. */
static void op_05_reset_disables_slots(void)
{
    Hcd *h = hcd_start(.args = "-device usb-tablet,bus=xhci.0");
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint32_t bar = hcd_pci_read(h, 0x10);
    uint32_t msix = hcd_pci_read(h, h->msix_cap);

    hcd_halt(h);
    hcd_init(h);
    hcd_check(hcd_pci_read(h, 0x10) == bar, "HCRST changed BAR 0");
    hcd_check(hcd_pci_read(h, h->msix_cap) == msix, "HCRST changed MSI-X");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SLOT_NOT_ENABLED);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.2: CNR is not HCRST's business. */
static void op_06_cnr(void)
{
    Hcd *h = hcd_start(.halted = true);

    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
    for (unsigned n = 0; n < 16; n++) {
        hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_CNR),
                  "CNR is 1 after HCRST");
        hcd_step_uf(h, 1);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1: HCRST of a running controller; nothing may be left over. */
static void op_07_reset_while_running(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 65536, 0xaa);
    uint64_t cbw = hcd_msd_cbw(h, MSD_READ10, 65536);
    uint64_t old_ring = h->evt.base;
    g_autofree uint8_t *before = g_malloc(4096), *after = g_malloc(4096);

    td_normal(h, dev, MSD_OUT, .buf = cbw, .len = MSD_CBW_BYTES, .ioc = true);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 65536, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_reset(h);
    check_reset_image(h);
    qtest_bufread(h->qts, old_ring, before, 4096);
    for (unsigned i = 0; i < 30; i++) {
        hcd_step_uf(h, 800);
    }
    qtest_bufread(h->qts, old_ring, after, 4096);
    hcd_check(!memcmp(before, after, 4096), "an event after HCRST");
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.1: no light reset without LHRC; the bit is not there. */
static void op_08_light_reset(void)
{
    Hcd *h = hcd_start(.args = "-device usb-tablet,bus=xhci.0");
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint32_t portsc = hcd_portsc(h, dev->port_id);

    hcd_check(!(hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_LHRC),
              "LHRC is 1: this test is for a controller without");
    hcd_halt(h);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_LHCRST);
    hcd_check(hcd_op_read(h, XHCI_USBCMD) == 0, "USBCMD is %08x after LHCRST",
              hcd_op_read(h, XHCI_USBCMD));
    hcd_check(hcd_portsc(h, dev->port_id) == portsc,
              "PORTSC is %08x, it was %08x", hcd_portsc(h, dev->port_id),
              portsc);
    hcd_check(hcd_op_read(h, XHCI_DCBAAP_LO) == h->dcbaa,
              "LHCRST changed DCBAAP");
    h->cmd = hcd_ring_new(h, 16);
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.2: RW1C, and bits that ignore writes. */
static void op_09_status_rw1c(void)
{
    Hcd *h = hcd_start();
    uint32_t status;

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_EINT,
              "EINT is 0 after an event");
    hcd_op_write(h, XHCI_USBSTS, 0);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_EINT,
              "EINT went away when 0 was written");
    hcd_op_write(h, XHCI_USBSTS, USBSTS_EINT);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_EINT),
              "EINT is still 1 after a write of 1");
    hcd_op_write(h, XHCI_USBSTS, 0xffffffffu);
    status = hcd_op_read(h, XHCI_USBSTS);
    hcd_check(status == 0, "after a write of all ones USBSTS is %08x", status);
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.2: EINT does not follow IP. */
static void op_10_eint_and_ip(void)
{
    Hcd *h = hcd_start(.no_msix = true);

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_intr_write(h, XHCI_IMAN, IMAN_IP | IMAN_IE);
    hcd_check(!(hcd_intr_read(h, XHCI_IMAN) & IMAN_IP), "IP is not RW1C");
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_EINT,
              "clearing IP cleared EINT");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.3 */
static void op_11_pagesize(void)
{
    Hcd *h = hcd_start(.halted = true);

    hcd_op_write(h, XHCI_PAGESIZE, 0xffffffffu);
    hcd_check(hcd_op_read(h, XHCI_PAGESIZE) == 1, "PAGESIZE is %08x",
              hcd_op_read(h, XHCI_PAGESIZE));
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.5: of CRCR only CRR can be read. */
static void op_12_crcr_reads(void)
{
    Hcd *h = hcd_start();
    uint32_t crcr = hcd_op_read(h, XHCI_CRCR_LO);

    hcd_check((crcr & ~0x30u) == 0, "before a doorbell CRCR is %08x", crcr);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    crcr = hcd_op_read(h, XHCI_CRCR_LO);
    hcd_check((crcr & ~0x30u) == CRCR_CRR, "after a doorbell CRCR is %08x",
              crcr);
    hcd_check(hcd_op_read(h, XHCI_CRCR_HI) == 0, "CRCR's high half is not 0");
    hcd_halt(h);
    crcr = hcd_op_read(h, XHCI_CRCR_LO);
    hcd_check((crcr & ~0x30u) == 0, "after R/S = 0 CRCR is %08x", crcr);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.5: CRR = 1 protects the pointer. */
static void op_13_crcr_writes(void)
{
    Hcd *h = hcd_start();
    HcdRing other;

    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    other = hcd_ring_new(h, 16);
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)other.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_halt(h);
    h->cmd = other;
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)other.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.7 */
static void op_14_max_slots_en(void)
{
    Hcd *h = hcd_start(.slots_en = 2);
    HcdEvent event;

    hcd_op_write(h, XHCI_DCBAAP_LO, hcd_op_read(h, XHCI_DCBAAP_LO) | 0x3f);
    hcd_check((hcd_op_read(h, XHCI_DCBAAP_LO) & 0x3f) == 0,
              "DCBAAP bits 5:0 read %02x",
              hcd_op_read(h, XHCI_DCBAAP_LO) & 0x3f);
    for (unsigned i = 0; i < 2; i++) {
        unsigned slot_id = hcd_cmd_enable_slot(h);

        hcd_check(slot_id <= 2, "slot %u with MaxSlotsEn = 2", slot_id);
    }
    event = hcd_cmd(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));
    hcd_expect_cc(event.cc, CC_NO_SLOTS_AVAILABLE);
    hcd_check(event.slot_id == 0, "code 9 with slot %u", event.slot_id);
    hcd_finish(h);
}

/* xHCI 1.2 §5.1: one quadword or two doublewords. */
static void op_15_quadword_access(void)
{
    Hcd *h = hcd_start();
    HcdRing ring;

    if (hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_AC64) {
        hcd_halt(h);
        ring = hcd_ring_new(h, 16);
        qtest_writeq(h->qts, h->bar + h->op + XHCI_CRCR_LO,
                     ring.base | CRCR_RCS);
        qtest_writeq(h->qts, h->bar + h->op + XHCI_DCBAAP_LO, h->dcbaa);
        h->cmd = ring;
        hcd_run(h);
    }
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_check(qtest_readq(h->qts, h->bar + h->op + XHCI_DCBAAP_LO) == h->dcbaa,
              "DCBAAP does not read back as a quadword");
    hcd_finish(h);
}

/* xHCI 1.2 §5.1: narrow writes must not corrupt the neighbours. */
static void op_16_narrow_access(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint64_t dcbaap = h->bar + h->op + XHCI_DCBAAP_LO;

    hcd_op_write(h, XHCI_DCBAAP_LO, 0x11223340);
    hcd_op_write(h, XHCI_DCBAAP_HI, 0x55667788);
    hcd_op_write(h, XHCI_CONFIG, 3);
    qtest_writeb(h->qts, dcbaap + 1, 0xff);
    qtest_writew(h->qts, dcbaap + 2, 0xffff);
    hcd_check(hcd_op_read(h, XHCI_DCBAAP_HI) == 0x55667788,
              "a narrow write to the low half changed the high half");
    hcd_check(hcd_op_read(h, XHCI_CONFIG) == 3,
              "a narrow write to DCBAAP changed CONFIG");
    hcd_finish(h);
}

/* The same of a runtime and a doorbell register; narrow reads are parts. */
static void op_16_narrow_runtime(void)
{
    Hcd *h = hcd_start();
    uint64_t intr = h->bar + h->rt + XHCI_INTR_SET;
    uint32_t words[8];

    hcd_event_drain(h);
    for (unsigned i = 0; i < 8; i++) {
        words[i] = qtest_readl(h->qts, intr + 4 * i);
        hcd_check(qtest_readb(h->qts, intr + 4 * i + 1) ==
                          (words[i] >> 8 & 0xff) &&
                      qtest_readw(h->qts, intr + 4 * i + 2) == words[i] >> 16,
                  "word %u is %08x, and its parts are not", i, words[i]);
    }
    for (unsigned i = 0; i < 8; i++) {
        qtest_writeb(h->qts, intr + 4 * i + 1, 0xff);
        qtest_writew(h->qts, intr + 4 * i + 2, 0xffff);
        for (unsigned k = 0; k < 8; k++) {
            hcd_check(k == i || qtest_readl(h->qts, intr + 4 * k) == words[k],
                      "a narrow write to word %u changed word %u", i, k);
        }
        hcd_check(qtest_readl(h->qts, intr + 4 * i) == words[i],
                  "a narrow write to word %u had an effect", i);
    }
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    qtest_writeb(h->qts, h->bar + h->db + 4 + 3, 0);
    qtest_writew(h->qts, h->bar + h->db + 4, 0);
    hcd_expect_quiet(h, 80);
    hcd_doorbell(h, 0, 0);
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_finish(h);
}

/* xHCI 1.2 §4.24.1: after HCE only HCRST helps. A command ring that is one
 * Link to itself is what makes a model give up, if anything does. */
static void op_17_host_controller_error(void)
{
    Hcd *h = hcd_start();
    uint64_t ring = hcd_alloc(h, 64, 64);

    hcd_halt(h);
    hcd_trb_store(h, ring, hcd_trb_ptr(TRB_LINK, ring, 0, TRB_C));
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)ring | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    if (hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCE) {
        hcd_trb_store(h, ring, hcd_trb_ptr(CMD_NOOP, 0, 0, TRB_C));
        hcd_op_write(h, XHCI_USBSTS, 0xffffffffu);
        hcd_op_write(h, XHCI_USBCMD, USBCMD_RS | USBCMD_INTE);
        hcd_doorbell(h, 0, 0);
        hcd_expect_quiet(h, 800);
        hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCE,
                  "HCE went away without HCRST");
    }
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.2: memory that is not there is a Host System Error. */
static void op_18_host_system_error(void)
{
    Hcd *h = hcd_start();
    uint32_t status;

    hcd_halt(h);
    hcd_op_write(h, XHCI_CRCR_LO, 0x70000000u | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 160);
    status = hcd_op_read(h, XHCI_USBSTS);
    hcd_check((status & (USBSTS_HSE | USBSTS_HCH | USBSTS_HCE)) ==
                  (USBSTS_HSE | USBSTS_HCH),
              "USBSTS is %08x, expected HSE and HCH", status);
    hcd_check(!(hcd_op_read(h, XHCI_USBCMD) & USBCMD_RS),
              "R/S is still 1 after a Host System Error");
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("OP-01/reset-image", op_01_reset_image);
    hcd_test_add("OP-02/run-stop", op_02_run_stop);
    hcd_test_add("OP-03/halt-is-silent", op_03_halt_is_silent);
    hcd_test_add("OP-04/doorbell-while-halted", op_04_doorbell_while_halted);
    hcd_test_add("OP-05/reset-disables-slots", op_05_reset_disables_slots);
    hcd_test_add("OP-06/cnr", op_06_cnr);
    hcd_test_add("OP-07/reset-while-running", op_07_reset_while_running);
    hcd_test_add("OP-08/light-reset", op_08_light_reset);
    hcd_test_add("OP-09/status-rw1c", op_09_status_rw1c);
    hcd_test_add("OP-10/eint-and-ip", op_10_eint_and_ip);
    hcd_test_add("OP-11/pagesize", op_11_pagesize);
    hcd_test_add("OP-12/crcr-reads", op_12_crcr_reads);
    hcd_test_add("OP-13/crcr-writes", op_13_crcr_writes);
    hcd_test_add("OP-14/max-slots-en", op_14_max_slots_en);
    hcd_test_add("OP-15/quadword-access", op_15_quadword_access);
    hcd_test_add("OP-16/narrow-access", op_16_narrow_access);
    hcd_test_add("OP-16/narrow-runtime", op_16_narrow_runtime);
    hcd_test_add("OP-17/host-controller-error", op_17_host_controller_error);
    hcd_test_add("OP-18/host-system-error", op_18_host_system_error);
    return hcd_test_main(argc, argv);
}
