/*
 * Link power management (xHCI 1.2 §4.23.5, §5.4.9 to §5.4.11): L1 of USB2
 * ports, by software and by hardware, and what the registers keep. usb-puppet
 * is a device that knows LPM, usb-kbd one that does not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

/* PORTHLPMC: L1 timeout 00h is 128 us, others so many times 256 us. */
enum { IDLE_128_UF = 2, RESUME_BESL_4_UF = 4, RESUME_BESL_8_UF = 24 };

static uint64_t port_gpa(Hcd *h, unsigned port_id, unsigned reg)
{
    return h->bar + h->op + XHCI_PORT_SET + (port_id - 1) * XHCI_PORT_STRIDE +
           reg;
}

static uint32_t pmsc(Hcd *h, unsigned port_id)
{
    return qtest_readl(h->qts, port_gpa(h, port_id, XHCI_PORTPMSC));
}

static void set_pmsc(Hcd *h, const HcdDev *dev, unsigned besl, uint32_t flags)
{
    uint32_t value = xhci_set(flags, PORTPMSC_L1DS, dev->slot_id);

    qtest_writel(h->qts, port_gpa(h, dev->port_id, XHCI_PORTPMSC),
                 xhci_set(value, PORTPMSC_BESL, besl));
}

static unsigned pls(Hcd *h, const HcdDev *dev)
{
    return xhci_get(hcd_portsc(h, dev->port_id), PORTSC_PLS);
}

static void check_pls(Hcd *h, const HcdDev *dev, unsigned want,
                      const char *when)
{
    hcd_check(pls(h, dev) == want, "%s PLS is %u, expected %u", when,
              pls(h, dev), want);
}

static void write_pls(Hcd *h, const HcdDev *dev, unsigned to)
{
    hcd_portsc_write(h, dev->port_id, PORTSC_LWS | xhci_set(0, PORTSC_PLS, to));
}

static void settle(Hcd *h, const HcdDev *dev)
{
    hcd_portsc_clear(h, dev->port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
}

/* L1 is asked for: what becomes of it. */
static void check_l1s(Hcd *h, const HcdDev *dev, unsigned want)
{
    unsigned l1s;

    settle(h, dev);
    write_pls(h, dev, PLS_U2);
    l1s = xhci_get(pmsc(h, dev->port_id), PORTPMSC_L1S);
    hcd_check(l1s == want, "L1S is %u, expected %u", l1s, want);
    check_pls(h, dev, want == L1S_SUCCESS ? PLS_U2 : PLS_U0, "asked for L1");
    /* U0 to U0 is L1 Entry Reject; U0 to U2 is not on the list of PLC */
    hcd_check(!(hcd_portsc(h, dev->port_id) & PORTSC_PLC) ==
                  (want == L1S_SUCCESS),
              "PORTSC is %08x", hcd_portsc(h, dev->port_id));
}

/* xHCI 1.2 §5.4.9.2: each result that L1S has. */
static void port_17_l1_answers(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    HcdDev nobody = *dev;

    nobody.slot_id = dev->slot_id + 1;
    set_pmsc(h, &nobody, 4, 0);
    check_l1s(h, dev, L1S_TIMEOUT);
    set_pmsc(h, dev, 4, 0);
    hcd_puppet_answer(h, "hold");
    td_normal(h, dev, PUPPET_IN, .buf = hcd_alloc(h, 64, 64), .len = 64);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, 1);
    check_l1s(h, dev, L1S_NOT_YET);
    hcd_puppet_do(h, "release");
    hcd_step_uf(h, 2);
    check_l1s(h, dev, L1S_SUCCESS);
    hcd_finish(h);
}

static void port_17_l1_unknown(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    set_pmsc(h, dev, 4, 0);
    check_l1s(h, dev, L1S_NOT_SUPPORTED);
    hcd_finish(h);
}

/* usb-isoav's descriptors say that it knows L1. */
static void port_17_l1_isoav(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);

    set_pmsc(h, dev, 4, 0);
    check_l1s(h, dev, L1S_SUCCESS);
    hcd_finish(h);
}

static HcdDev *in_l1(Hcd *h, unsigned besl, uint32_t flags)
{
    HcdDev *dev = hcd_puppet_open(h);

    set_pmsc(h, dev, besl, flags);
    check_l1s(h, dev, L1S_SUCCESS);
    return dev;
}

/* The resume is over after `length` microframes, and not before. */
static void check_resume(Hcd *h, const HcdDev *dev, unsigned length)
{
    hcd_step_uf(h, length - 1);
    check_pls(h, dev, PLS_U2, "in the middle of the resume");
    hcd_step_uf(h, 1);
    check_pls(h, dev, PLS_U0, "after the resume");
    hcd_check(hcd_portsc(h, dev->port_id) & PORTSC_PLC, "PLC is 0");
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
}

typedef struct {
    const char *props;
    unsigned length; /* of the resume for BESL or HIRD 4 */
} Resume;

/* xHCI 1.2 §4.23.5.1.1: software ends L1; the host drives resume as long as
 * BESL says, or, before it, HIRD: 50 us + 4 x 75 us. */
static void port_17_l1_exit(const void *data)
{
    const Resume *row = data;
    Hcd *h = hcd_start(.puppet = true, .props = row->props);
    HcdDev *dev = in_l1(h, 4, 0);

    write_pls(h, dev, PLS_U3);
    check_pls(h, dev, PLS_U2, "U3 is not to be had from L1: ");
    write_pls(h, dev, PLS_U0);
    check_resume(h, dev, row->length);
    settle(h, dev);
    write_pls(h, dev, PLS_U3);
    check_pls(h, dev, PLS_U3, "in U3");
    hcd_finish(h);
}

/* A TD that is queued in L1 waits for its end. */
static void port_17_l1_held(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = in_l1(h, 8, 0);

    td_normal(h, dev, PUPPET_IN, .buf = hcd_alloc(h, 64, 64), .len = 64,
              .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    write_pls(h, dev, PLS_U0);
    check_resume(h, dev, RESUME_BESL_8_UF);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* USB 2.0 LPM: the device ends L1 if RWE let it. */
static void port_17_l1_wake(const void *data)
{
    bool rwe = data != NULL;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);

    hcd_puppet_answer(h, "nak");
    td_normal(h, dev, PUPPET_IN, .buf = hcd_alloc(h, 64, 64), .len = 64,
              .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, 2);
    set_pmsc(h, dev, 15, rwe ? PORTPMSC_RWE : 0);
    check_l1s(h, dev, L1S_SUCCESS);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "wake");
    hcd_step_uf(h, 2);
    check_pls(h, dev, rwe ? PLS_U0 : PLS_U2, "after the device's resume");
    hcd_check(!!(hcd_portsc(h, dev->port_id) & PORTSC_PLC) == rwe,
              "PORTSC is %08x", hcd_portsc(h, dev->port_id));
    if (rwe) {
        hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
        hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS);
    } else {
        hcd_expect_quiet(h, HCD_UF_PER_SECOND);
    }
    hcd_finish(h);
}

/* What else ends L1: a reset, and the end of the connection. */
static void port_17_l1_ends(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = in_l1(h, 15, 0);

    write_pls(h, dev, PLS_U0);
    hcd_portsc_write(h, dev->port_id, PORTSC_PR);
    hcd_step_uf(h, 800);
    check_pls(h, dev, PLS_U0, "after a reset");
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    check_pls(h, dev, PLS_U0, "long after a reset");
    hcd_finish(h);

    h = hcd_start(.puppet = true);
    dev = in_l1(h, 15, 0);
    write_pls(h, dev, PLS_U0);
    hcd_unplug(h, "puppet");
    check_pls(h, dev, PLS_RX_DETECT, "without a device");
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    check_pls(h, dev, PLS_RX_DETECT, "long without a device");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.9.2, HLE: an idle link is sent to L1; a packet ends that after
 * the resume, and nobody is told. */
static void port_26_hardware_lpm(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t before;

    settle(h, dev);
    set_pmsc(h, dev, 4, PORTPMSC_HLE | PORTPMSC_RWE);
    hcd_step_uf(h, IDLE_128_UF - 1);
    check_pls(h, dev, PLS_U0, "before the timeout");
    hcd_step_uf(h, 1);
    check_pls(h, dev, PLS_U2, "after the timeout");
    hcd_check(xhci_get(pmsc(h, dev->port_id), PORTPMSC_L1S) == L1S_SUCCESS,
              "PORTPMSC is %08x", pmsc(h, dev->port_id));
    write_pls(h, dev, PLS_U0);
    td_normal(h, dev, PUPPET_IN, .buf = hcd_alloc(h, 64, 64), .len = 64,
              .ioc = true);
    before = hcd_now_uf(h);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, RESUME_BESL_4_UF - 1);
    hcd_check(hcd_puppet_count(h, "packets") == 0, "a packet in L1");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS);
    hcd_check(hcd_now_uf(h) - before <= RESUME_BESL_4_UF + 1,
              "it took %" PRIu64 " microframes", hcd_now_uf(h) - before);
    check_pls(h, dev, PLS_U0, "after the packet");
    hcd_step_uf(h, 8);
    check_pls(h, dev, PLS_U2, "idle again");
    hcd_check(!(hcd_portsc(h, dev->port_id) & PORTSC_CHANGES), "PORTSC is %08x",
              hcd_portsc(h, dev->port_id));
    set_pmsc(h, dev, 4, 0);
    check_pls(h, dev, PLS_U0, "HLE is 0,");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.11.2: the L1 timeout, and BESLD where HIRDM says so. */
static void port_26_hlpmc(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t gpa = port_gpa(h, dev->port_id, XHCI_PORTHLPMC);
    uint32_t value = xhci_set(1, PORTHLPMC_L1_TIMEOUT, 125); /* 32 ms */

    qtest_writel(h->qts, gpa, xhci_set(value, PORTHLPMC_BESLD, 8));
    set_pmsc(h, dev, 0, PORTPMSC_HLE);
    hcd_step_uf(h, 255);
    check_pls(h, dev, PLS_U0, "before the timeout");
    hcd_step_uf(h, 1);
    check_pls(h, dev, PLS_U2, "after the timeout");
    td_normal(h, dev, PUPPET_IN, .buf = hcd_alloc(h, 64, 64), .len = 64,
              .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, RESUME_BESL_8_UF - 1);
    hcd_check(hcd_puppet_count(h, "packets") == 0, "a packet in L1");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* Periodic packets find the link up, each in its microframe. */
static void port_26_hardware_lpm_isoch(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 192, .interval = 6, .esit = 192);
    set_pmsc(h, dev, 4, PORTPMSC_HLE);
    for (unsigned i = 0; i < 4; i++) {
        td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = hcd_alloc(h, 192, 64),
                 .len = 192, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    for (unsigned i = 0; i < 4; i++) {
        hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = CC_SUCCESS);
        hcd_step_uf(h, IDLE_128_UF + 1);
        check_pls(h, dev, PLS_U2, "between two packets");
    }
    hcd_finish(h);
}

/* L1 of either kind, and a resume that has begun, go on elsewhere. */
static void port_26_migration(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = in_l1(h, 8, PORTPMSC_RWE);

    hcd_migrate(h);
    check_pls(h, dev, PLS_U2, "elsewhere");
    write_pls(h, dev, PLS_U0);
    hcd_step_uf(h, 8);
    hcd_migrate(h);
    check_resume(h, dev, RESUME_BESL_8_UF - 8);
    set_pmsc(h, dev, 8, PORTPMSC_HLE);
    hcd_step_uf(h, 8);
    hcd_migrate(h);
    check_pls(h, dev, PLS_U2, "elsewhere, by hardware,");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.9.1, §5.4.10.1: PR sets the timeouts and the count to 0. */
static void port_26_reset_clears(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t errors = port_gpa(h, dev->port_id, XHCI_PORTLI);
    g_autofree char *event = g_strdup_printf("%u link-error", dev->port_id);

    qtest_writel(h->qts, port_gpa(h, dev->port_id, XHCI_PORTPMSC), 0x0a7f);
    qtest_qmp_assert_success(
        h->qts,
        "{'execute': 'qom-set', 'arguments': {'path': "
        "'/machine/peripheral/xhci', 'property': 'port-event', 'value': %s}}",
        event);
    hcd_check(qtest_readl(h->qts, errors) == 1, "PORTLI is %08x",
              qtest_readl(h->qts, errors));
    hcd_portsc_write(h, dev->port_id, PORTSC_WPR);
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    hcd_check(pmsc(h, dev->port_id) == 0, "PORTPMSC is %08x",
              pmsc(h, dev->port_id));
    hcd_check(qtest_readl(h->qts, errors) == 0, "PORTLI is %08x",
              qtest_readl(h->qts, errors));
    check_pls(h, dev, PLS_U0, "after the reset");
    hcd_finish(h);
}

static const Resume by_besl = { NULL, RESUME_BESL_4_UF };
static const Resume by_hird = { "hci-version=1.0", 3 };

int main(int argc, char **argv)
{
    hcd_test_add("PORT-17/l1-answers", port_17_l1_answers);
    hcd_test_add("PORT-17/l1-unknown", port_17_l1_unknown);
    hcd_test_add("PORT-17/l1-isoav", port_17_l1_isoav);
    hcd_test_add_data("PORT-17/l1-exit-besl", port_17_l1_exit, &by_besl);
    hcd_test_add_data("PORT-17/l1-exit-hird", port_17_l1_exit, &by_hird);
    hcd_test_add("PORT-17/l1-held", port_17_l1_held);
    hcd_test_add_data("PORT-17/l1-wake", port_17_l1_wake, &by_besl);
    hcd_test_add_data("PORT-17/l1-wake-not-asked-for", port_17_l1_wake, NULL);
    hcd_test_add("PORT-17/l1-ends", port_17_l1_ends);
    hcd_test_add("PORT-26/hardware-lpm", port_26_hardware_lpm);
    hcd_test_add("PORT-26/hardware-lpm-isoch", port_26_hardware_lpm_isoch);
    hcd_test_add("PORT-26/hlpmc", port_26_hlpmc);
    hcd_test_add("PORT-26/migration", port_26_migration);
    hcd_test_add("PORT-26/reset-clears", port_26_reset_clears);
    return hcd_test_main(argc, argv);
}
