/*
 * Save and restore (xHCI 1.2 §4.23.2): what no register shows comes back, and
 * only when it is what was saved.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"

enum { EVERY_FRAME = 4 }; /* alternate */

static void save_or_restore(Hcd *h, uint32_t bit)
{
    hcd_op_write(h, XHCI_USBCMD, hcd_op_read(h, XHCI_USBCMD) | bit);
    hcd_step_uf(h, 8);
    hcd_check(!(hcd_op_read(h, XHCI_USBCMD) & bit), "CSS or CRS reads 1");
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & (USBSTS_SSS | USBSTS_RSS)),
              "SSS or RSS is still 1");
}

static bool sre(Hcd *h)
{
    return hcd_op_read(h, XHCI_USBSTS) & USBSTS_SRE;
}

/* PWR-05: what the driver writes again, in its order. */
static void set_up_again(Hcd *h)
{
    hcd_op_write(h, XHCI_CONFIG, h->max_slots);
    hcd_op_write(h, XHCI_DCBAAP_LO, h->dcbaa);
    hcd_op_write(h, XHCI_DCBAAP_HI, 0);
    hcd_event_ring_init(h, 64);
    hcd_intr_write(h, XHCI_IMOD, 0);
    hcd_intr_write(h, XHCI_IMAN, IMAN_IE);
}

static void run_again(Hcd *h)
{
    h->cmd = hcd_ring_new(h, 64);
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_event_drain(h);
}

/* xHCI 1.2 §5.4.1: save while halted, and no other time. */
static void pwr_01_save(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);

    save_or_restore(h, USBCMD_CSS);
    hcd_check(!sre(h), "a save while running is an error");
    hcd_halt(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(sre(h), "a save while running saved something");
    save_or_restore(h, USBCMD_CSS);
    hcd_check(!sre(h), "PWR-04: a save does not clear SRE, or it failed");
    hcd_finish(h);
}

/* The whole cycle of a driver's suspend, with a reset in the middle. */
static void cycle(const char *props)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = props);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    uint32_t slot[4], ep[4];

    iso_in_queue_sia(in, 3);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 3; i++) {
        iso_in_expect(in, i);
    }
    hcd_step_uf(h, 80);
    hcd_halt(h);
    save_or_restore(h, USBCMD_CSS);
    for (unsigned i = 0; i < 4; i++) {
        slot[i] = hcd_out_read(h, in->dev, 0, i);
        ep[i] = hcd_out_read(h, in->dev, ISOAV_IN, i);
    }
    hcd_check((ep[2] & ~1u) == hcd_ring_next(&in->dev->ring[ISOAV_IN]),
              "PWR-07: the Output Context's dequeue pointer is %x", ep[2]);
    hcd_reset(h);
    set_up_again(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(!sre(h), "a good state was not restored");
    iso_in_queue_sia(in, 3);
    run_again(h);
    for (unsigned i = 0; i < 4; i++) {
        hcd_check(hcd_out_read(h, in->dev, 0, i) == slot[i] &&
                      hcd_out_read(h, in->dev, ISOAV_IN, i) == ep[i],
                  "dword %u of a context has changed", i);
    }
    /* the reset took the port down, and a port reset the device's settings:
     * it is set up again, the slot is not */
    hcd_port_reset(h, in->dev->port_id);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_set_configuration(h, in->dev, 1);
    hcd_isoav_select(h, in->dev, EVERY_FRAME);
    hcd_expect_quiet(h, 80);
    iso_in_doorbell(in);
    for (unsigned i = 3; i < 6; i++) {
        iso_in_expect(in, i);
    }
    hcd_finish(h);
}

/* The registers as they were: no new ring. */
static void write_again(Hcd *h, uint64_t erdp)
{
    hcd_op_write(h, XHCI_USBCMD, USBCMD_INTE);
    hcd_op_write(h, XHCI_CONFIG, h->max_slots);
    hcd_op_write(h, XHCI_DCBAAP_LO, h->dcbaa);
    hcd_op_write(h, XHCI_DCBAAP_HI, 0);
    hcd_intr_write(h, XHCI_ERSTSZ, 1);
    hcd_intr_write(h, XHCI_ERSTBA_LO, h->evt.erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    hcd_intr_write(h, XHCI_ERDP_LO, erdp);
    hcd_intr_write(h, XHCI_ERDP_HI, 0);
    hcd_intr_write(h, XHCI_IMOD, 0);
    hcd_intr_write(h, XHCI_IMAN, IMAN_IE);
}

/*
 * PWR-05: registers as they were read before, as Linux writes them. The ring
 * goes on where it was, in its second round if that is where it was; what the
 * driver has not taken of it interrupts, and nothing else does.
 */
static void ring_goes_on(unsigned nops, unsigned left)
{
    Hcd *h = hcd_start(.args = "", .event_trbs = 16);
    uint64_t erdp;

    hcd_event_drain(h);
    for (unsigned i = 0; i < nops; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
        hcd_event_ack(h);
    }
    for (unsigned i = 0; i < left; i++) {
        hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    if (left) {
        hcd_doorbell(h, 0, 0);
        hcd_step_uf(h, 8);
    }
    hcd_halt(h);
    erdp = hcd_intr_read(h, XHCI_ERDP_LO) & ~0xfu;
    save_or_restore(h, USBCMD_CSS);
    hcd_msix_take(h, 0);
    hcd_reset(h);
    write_again(h, erdp);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(!sre(h), "a good state was not restored");
    hcd_op_write(h, XHCI_CRCR_LO, (h->cmd = hcd_ring_new(h, 64)).base | 1);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_check(!hcd_msix_take(h, 0), "an interrupt while it is halted");
    hcd_run(h);
    hcd_check(hcd_msix_take(h, 0) == (left > 0),
              "%u events were left, and the interrupt says otherwise", left);
    for (unsigned i = 0; i < left; i++) {
        HcdEvent event;

        hcd_check(hcd_event_take(h, &event) &&
                      event.type == EVT_COMMAND_COMPLETION,
                  "event %u of those that were left is not there", i);
    }
    hcd_event_drain(h);
    hcd_msix_take(h, 0);
    for (unsigned i = 0; i < 20; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
        hcd_event_ack(h);
        hcd_check(hcd_msix_take(h, 0), "no interrupt for event %u", i);
        hcd_check(!hcd_msix_take(h, 0), "a second interrupt for one event");
    }
    hcd_finish(h);
}

/* the first round and the second; nothing left, and events before a wrap */
static void pwr_05_ring(void)
{
    static const unsigned cases[][2] = { { 0, 0 },  { 3, 0 },  { 3, 2 },
                                         { 20, 0 }, { 14, 4 }, { 31, 1 } };

    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        ring_goes_on(cases[i][0], cases[i][1]);
    }
}

/* The same memory with a new ring in it, from its first TRB. */
static void pwr_05_ring_anew(void)
{
    Hcd *h = hcd_start(.args = "", .event_trbs = 16);

    hcd_event_drain(h);
    for (unsigned i = 0; i < 20; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    }
    hcd_halt(h);
    save_or_restore(h, USBCMD_CSS);
    hcd_reset(h);
    qtest_memset(h->qts, h->evt.base, 0, 16 * XHCI_TRB_BYTES);
    h->evt.dequeue = 0;
    h->evt.ccs = true;
    write_again(h, h->evt.base);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(!sre(h), "a good state was not restored");
    run_again(h);
    for (unsigned i = 0; i < 20; i++) {
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    }
    hcd_finish(h);
}

static void pwr_06_cycle(void)
{
    cycle(NULL);
}

static void pwr_06_cycle_scratchpads(void)
{
    cycle("scratchpads=2");
}

static void pwr_06_cycle_csz(void)
{
    cycle("csz=on,scratchpads=1");
}

/* xHCI 1.2 §4.23.2: there is nothing, or no longer, to restore. */
static void pwr_03_nothing_saved(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);

    hcd_halt(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(sre(h), "a restore of nothing was good");
    hcd_op_write(h, XHCI_USBSTS, USBSTS_SRE);
    hcd_check(!sre(h), "PWR-04: SRE is not RW1C");
    save_or_restore(h, USBCMD_CSS);
    hcd_run(h);
    hcd_halt(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(sre(h), "it ran after the save, and the restore was good");
    hcd_finish(h);
}

static void pwr_03_chip_reset(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);

    hcd_halt(h);
    save_or_restore(h, USBCMD_CSS);
    qtest_qmp_assert_success(h->qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(h->qts, "RESET");
    hcd_pci_enable(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(sre(h), "a restore after a chip reset was good");
    hcd_finish(h);
}

/* Each byte of the image in turn is another one: SRE, and a fresh start. */
static void pwr_03_corrupted(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .props = "scratchpads=1");
    uint64_t array, page;

    hcd_kbd_open(h);
    array = qtest_readq(h->qts, h->dcbaa);
    page = qtest_readq(h->qts, array);
    hcd_halt(h);
    for (unsigned at = 0; at < 144; at += 7) {
        uint8_t byte;

        save_or_restore(h, USBCMD_CSS);
        hcd_check(!sre(h), "the save failed");
        byte = qtest_readb(h->qts, page + at);
        qtest_writeb(h->qts, page + at, byte ^ 0x10);
        save_or_restore(h, USBCMD_CRS);
        hcd_check(sre(h), "byte %u is another one, and the restore was good",
                  at);
    }
    save_or_restore(h, USBCMD_CSS);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(!sre(h), "the image is whole again, and the restore failed");
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* More than one page holds: refused, and no other page is touched. */
static void pwr_03_scratchpads_too_small(void)
{
    Hcd *h = hcd_start(.args = "-device usb-kbd,bus=xhci.0 "
                               "-device usb-kbd,bus=xhci.0 "
                               "-device usb-kbd,bus=xhci.0 ",
                       .props = "scratchpads=1");
    uint64_t array = qtest_readq(h->qts, h->dcbaa);
    uint64_t other = hcd_alloc(h, 4096, 4096);

    for (unsigned i = 0; i < 3; i++) {
        HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, i));

        for (unsigned dci = 2; dci <= 31; dci++) {
            HcdEp ep = { .dci = dci,
                         .type = dci & 1 ? EP_TYPE_BULK_IN : EP_TYPE_BULK_OUT,
                         .mps = 64 };

            hcd_ep_prepare(h, dev, ep);
        }
        hcd_expect_cc(hcd_cmd_configure(h, dev, ~UINT32_C(2), 0), CC_SUCCESS);
    }
    qtest_memset(h->qts, other, 0xaa, 4096);
    qtest_writeq(h->qts, array + 8, other);
    hcd_halt(h);
    save_or_restore(h, USBCMD_CSS);
    hcd_check(sre(h), "it was saved into less than it takes");
    hcd_check(hcd_mem_is(h, other, 4096, 0xaa), "a page too many was used");
    hcd_finish(h);
}

/* Scratchpads that are not there. */
static void pwr_03_scratchpads_nowhere(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .props = "scratchpads=1");

    hcd_halt(h);
    qtest_writeq(h->qts, h->dcbaa, 0xffffffff00000000ull);
    save_or_restore(h, USBCMD_CSS);
    hcd_check(sre(h), "it was saved into nowhere");
    save_or_restore(h, USBCMD_CRS);
    hcd_check(sre(h), "it was restored from nowhere");
    hcd_init(h);
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.4: the count in two parts, and SPR only with a count. */
static void cap_04_scratchpads(const void *data)
{
    unsigned count = GPOINTER_TO_UINT(data);
    g_autofree char *props = g_strdup_printf("scratchpads=%u", count);
    Hcd *h = hcd_start(.args = "", .props = props, .halted = true);
    uint32_t params2 = hcd_cap_read(h, XHCI_HCSPARAMS2);
    unsigned said = xhci_get(params2, HCSPARAMS2_PADS_HI) << 5 |
                    xhci_get(params2, HCSPARAMS2_PADS_LO);

    hcd_check(said == count, "HCSPARAMS2 is %08x", params2);
    hcd_check(!!(params2 & HCSPARAMS2_SPR) == (count > 0), "HCSPARAMS2 is %08x",
              params2);
    hcd_init(h);
    hcd_finish(h);
}

/* It is asleep when it is moved to another machine. */
static void saved_and_moved(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    hcd_halt(h);
    save_or_restore(h, USBCMD_CSS);
    hcd_migrate(h);
    save_or_restore(h, USBCMD_CRS);
    hcd_check(!sre(h), "what was saved did not travel");
    hcd_run(h);
    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    static const unsigned counts[] = { 0, 1, 31, 32, 1023 };

    for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
        g_autofree char *name =
            g_strdup_printf("CAP-04/scratchpads-%u", counts[i]);

        hcd_test_add_data(name, cap_04_scratchpads,
                          GUINT_TO_POINTER(counts[i]));
    }
    hcd_test_add("PWR-01/save", pwr_01_save);
    hcd_test_add("PWR-03/PWR-04/nothing-saved", pwr_03_nothing_saved);
    hcd_test_add("PWR-03/chip-reset", pwr_03_chip_reset);
    hcd_test_add("PWR-03/corrupted", pwr_03_corrupted);
    hcd_test_add("PWR-03/scratchpads-too-small", pwr_03_scratchpads_too_small);
    hcd_test_add("PWR-03/scratchpads-nowhere", pwr_03_scratchpads_nowhere);
    hcd_test_add("PWR-02/PWR-05/PWR-06/PWR-07/cycle", pwr_06_cycle);
    hcd_test_add("PWR-05/event-ring-goes-on", pwr_05_ring);
    hcd_test_add("PWR-05/event-ring-anew", pwr_05_ring_anew);
    hcd_test_add("PWR-06/cycle-scratchpads", pwr_06_cycle_scratchpads);
    hcd_test_add("PWR-06/cycle-csz", pwr_06_cycle_csz);
    hcd_test_add("PWR-06/saved-and-moved", saved_and_moved);
    return hcd_test_main(argc, argv);
}
