/*
 * Power: PCI power management and wake-up, link power states, and what
 * happens to a port from outside (xHCI 1.2 §4.13, §4.15, §4.19, §4.23).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "compat.h"

#define SS_ARGS                                                             \
    "-blockdev driver=null-co,node-name=disk,size=16777216,read-zeroes=on " \
    "-device usb-storage,id=msd,bus=xhci.0,drive=disk "

enum {
    PMC = 2,
    PMCSR = 4,
    D3HOT = 3,
    PME_EN = 1 << 8,
    PME_STATUS = 1 << 15,
};

static bool happens(Hcd *h, unsigned port_id, const char *word)
{
    g_autofree char *value = g_strdup_printf("%u %s", port_id, word);
    QDict *reply =
        qtest_qmp(h->qts,
                  "{'execute': 'qom-set', 'arguments': {'path': "
                  "'/machine/peripheral/xhci', 'property': 'port-event', "
                  "'value': %s}}",
                  value);
    bool done = qdict_haskey(reply, "return");

    qobject_unref(reply);
    return done;
}

static uint32_t pmcsr(Hcd *h)
{
    return hcd_pci_read(h, hcd_pci_find_cap(h, 1) + PMCSR) & 0xffff;
}

static void pmcsr_write(Hcd *h, uint32_t value)
{
    hcd_pci_write(h, hcd_pci_find_cap(h, 1) + PMCSR, value);
}

static unsigned pls(Hcd *h, unsigned port_id)
{
    return xhci_get(hcd_portsc(h, port_id), PORTSC_PLS);
}

static uint64_t port_gpa(Hcd *h, unsigned port_id, unsigned reg)
{
    return h->bar + h->op + XHCI_PORT_SET + (port_id - 1) * XHCI_PORT_STRIDE +
           reg;
}

/* PCI PM 1.2 §3.2. */
static void pci_04_capability(void)
{
    Hcd *h = hcd_start(.args = "");
    unsigned cap = hcd_pci_find_cap(h, 1);
    uint32_t pmc;

    hcd_check(cap, "there is no power management capability");
    pmc = hcd_pci_read(h, cap) >> 16;
    hcd_check((pmc & 7) == 3, "PMC is %04x: not version 1.2", pmc);
    hcd_check(pmc & 1 << 14, "PMC is %04x: no PME from D3hot", pmc);
    hcd_halt(h);
    pmcsr_write(h, D3HOT);
    hcd_check((pmcsr(h) & 3) == D3HOT, "it does not go to D3hot");
    hcd_check(qtest_readl(h->qts, h->bar) == 0xffffffff,
              "registers answer in D3hot");
    qtest_writel(h->qts, h->bar + h->op + XHCI_CONFIG, 0);
    pmcsr_write(h, 0);
    hcd_check(hcd_op_read(h, XHCI_CONFIG) == h->max_slots,
              "CONFIG is %x: written in D3hot, or lost",
              hcd_op_read(h, XHCI_CONFIG));
    hcd_run(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* A system reset brings it back from D3hot. */
static void pci_04_reset(void)
{
    Hcd *h = hcd_start(.args = "");

    hcd_halt(h);
    pmcsr_write(h, D3HOT | PME_EN);
    qtest_qmp_assert_success(h->qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(h->qts, "RESET");
    hcd_check((pmcsr(h) & (3 | PME_EN)) == 0, "PMCSR is %x", pmcsr(h));
    hcd_pci_enable(h);
    hcd_pci_enable_msix(h);
    hcd_init(h);
    hcd_finish(h);
}

/* xHCI 1.2 §4.23.1: connect and disconnect wake if software asked for it. */
static void pwr_08_wake(const void *data)
{
    uint32_t enable = GPOINTER_TO_UINT(data);
    bool plugged = enable == PORTSC_WDE;
    Hcd *h =
        hcd_start(.args = plugged ? "-device usb-kbd,id=k,bus=xhci.0" : "");
    unsigned port_id = plugged ? hcd_port_connected(h, 0) : 1;

    for (unsigned i = 1; i <= h->max_ports; i++) {
        hcd_portsc_write(h, i, enable | PORTSC_CSC);
    }
    hcd_event_drain(h);
    hcd_halt(h);
    hcd_op_write(h, XHCI_USBSTS, USBSTS_PCD);
    pmcsr_write(h, D3HOT | PME_EN | PME_STATUS);
    hcd_step_uf(h, 80);
    hcd_check(!(pmcsr(h) & PME_STATUS), "PME_Status before anything happened");
    if (plugged) {
        hcd_unplug(h, "k");
    } else {
        hcd_plug(h, "usb-kbd", "k");
    }
    hcd_check(!!(pmcsr(h) & PME_STATUS) == (enable != 0), "PMCSR is %x",
              pmcsr(h));
    pmcsr_write(h, PME_STATUS);
    hcd_check(!(pmcsr(h) & PME_STATUS), "PME_Status is not RW1C");
    hcd_check(hcd_portsc(h, plugged ? port_id : hcd_port_connected(h, 0)) &
                  PORTSC_CSC,
              "CSC is not there after the resume");
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_PCD, "PCD is 0");
    hcd_finish(h);
}

/* xHCI 1.2 §4.15.2.1: the device resumes, software completes it. */
static void port_16_device_wake(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    unsigned port_id = dev->port_id;
    HcdSetup remote_wakeup = { .type = 0, .request = 3, .value = 1 };

    hcd_expect_cc(hcd_control(h, dev, remote_wakeup, 0), CC_SUCCESS);
    hcd_portsc_write(h, port_id, PORTSC_LWS | PLS_U3 << 5);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_check(pls(h, port_id) == PLS_U3, "PORTSC is %08x",
              hcd_portsc(h, port_id));
    hcd_kbd_key(h, true);
    hcd_step_uf(h, 8);
    hcd_check(pls(h, port_id) == PLS_RESUME &&
                  (hcd_portsc(h, port_id) & PORTSC_PLC),
              "PORTSC is %08x", hcd_portsc(h, port_id));
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    hcd_check(pls(h, port_id) == PLS_RESUME, "it went on by itself");
    hcd_portsc_clear(h, port_id, PORTSC_PLC);
    hcd_portsc_write(h, port_id, PORTSC_LWS | PLS_U0 << 5);
    hcd_step_uf(h, 80);
    hcd_check(pls(h, port_id) == PLS_U0 &&
                  (hcd_portsc(h, port_id) & PORTSC_PLC),
              "PORTSC is %08x", hcd_portsc(h, port_id));
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: OCC at both edges of OCA; the port loses its power. */
static void port_20_over_current(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    uint32_t portsc;

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    hcd_check(happens(h, port_id, "over-current"), "over-current is refused");
    portsc = hcd_portsc(h, port_id);
    hcd_check((portsc & PORTSC_OCA) && (portsc & PORTSC_OCC) &&
                  !(portsc & (PORTSC_PP | PORTSC_CCS | PORTSC_PED)),
              "PORTSC is %08x", portsc);
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_portsc_clear(h, port_id, PORTSC_OCC);
    hcd_portsc_write(h, port_id, PORTSC_PP);
    hcd_check(!(hcd_portsc(h, port_id) & PORTSC_PP),
              "it has power while it has over-current");
    hcd_check(happens(h, port_id, "over-current-gone"), "it does not end");
    portsc = hcd_portsc(h, port_id);
    hcd_check(!(portsc & PORTSC_OCA) && (portsc & PORTSC_OCC), "PORTSC is %08x",
              portsc);
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    qtest_writel(h->qts, port_gpa(h, port_id, XHCI_PORTSC),
                 PORTSC_PP | PORTSC_OCC);
    hcd_step_uf(h, 160);
    hcd_check(hcd_portsc(h, port_id) & PORTSC_CCS, "the device is not back");
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.2.6: Inactive, until a warm reset. */
static void port_21_link_error(void)
{
    Hcd *h = hcd_start(.args = SS_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    uint32_t portsc;

    hcd_step_uf(h, 80);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    hcd_check(happens(h, port_id, "link-error"), "a link error is refused");
    portsc = hcd_portsc(h, port_id);
    hcd_check(pls(h, port_id) == PLS_INACTIVE && (portsc & PORTSC_PLC) &&
                  !(portsc & (PORTSC_PED | PORTSC_PEC)),
              "PORTSC is %08x", portsc);
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_portsc_clear(h, port_id, PORTSC_PLC);
    hcd_portsc_write(h, port_id, PORTSC_LWS | PLS_U0 << 5);
    hcd_step_uf(h, 80);
    hcd_check(pls(h, port_id) == PLS_INACTIVE, "it left Inactive by a write");
    hcd_portsc_write(h, port_id, PORTSC_WPR);
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    portsc = hcd_portsc(h, port_id);
    hcd_check(pls(h, port_id) == PLS_U0 && (portsc & PORTSC_PED) &&
                  (portsc & PORTSC_WRC),
              "after the warm reset PORTSC is %08x", portsc);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    hcd_check(happens(h, port_id, "config-error") &&
                  (hcd_portsc(h, port_id) & PORTSC_CEC),
              "PORTSC is %08x", hcd_portsc(h, port_id));
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_finish(h);
}

/* What cannot happen, and what is no event, is refused. */
static void refusals(void)
{
    static const char *const words[] = { "link-error",        "config-error",
                                         "over-current-gone", "function-wake",
                                         "lightning",         "" };
    Hcd *h = hcd_start(.args = KBD_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    uint32_t portsc = hcd_portsc(h, port_id);

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        hcd_check(!happens(h, port_id, words[i]), "'%s' was accepted",
                  words[i]);
    }
    hcd_check(!happens(h, 0, "over-current") &&
                  !happens(h, h->max_ports + 1, "over-current"),
              "a port that is not there was accepted");
    hcd_check(hcd_portsc(h, port_id) == portsc, "PORTSC has changed");
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.9 to §5.4.11: RW fields keep what is written, others do not
 * change. */
static void port_26_power_registers(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS SS_ARGS);
    unsigned usb2 = hcd_port_connected(h, 0), usb3 = hcd_port_connected(h, 1);
    static const struct {
        unsigned usb, reg;
        uint32_t written, read;
    } rows[] = {
        { 3, XHCI_PORTPMSC, 0x0001ffff, 0x0001ffff },
        { 3, XHCI_PORTPMSC, 0xfffe1234, 0x00001234 },
        { 2, XHCI_PORTPMSC, 0x0001fff8, 0x0001fff8 },
        { 2, XHCI_PORTPMSC, 0x00000007, 0x00000000 },
        { 3, XHCI_PORTLI, 0xffffffff, 0x0000ffff },
        { 2, XHCI_PORTLI, 0xffffffff, 0x00000000 },
        { 3, XHCI_PORTHLPMC, 0xffffffff, 0x00000000 },
        { 2, XHCI_PORTHLPMC, 0xffffffff, 0x00003fff },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t gpa = port_gpa(h, rows[i].usb == 3 ? usb3 : usb2, rows[i].reg);

        qtest_writel(h->qts, gpa, rows[i].written);
        hcd_check(qtest_readl(h->qts, gpa) == rows[i].read,
                  "row %u: %08x was written, %08x is read", i, rows[i].written,
                  qtest_readl(h->qts, gpa));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.9.1: an idle link goes to U1, then U2; a packet ends it. */
static void port_26_u1_u2(void)
{
    Hcd *h = hcd_start(.args = SS_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t pmsc = port_gpa(h, dev->port_id, XHCI_PORTPMSC);

    hcd_step_uf(h, HCD_UF_PER_SECOND);
    hcd_check(pls(h, dev->port_id) == PLS_U0, "a link state nobody asked for");
    qtest_writel(h->qts, pmsc, 0x7f | 10 << 8); /* 127 us, 2.56 ms */
    hcd_set_configuration(h, dev, 1);
    hcd_check(pls(h, dev->port_id) == PLS_U0, "not in U0 after a transfer");
    hcd_step_uf(h, 3);
    hcd_check(pls(h, dev->port_id) == PLS_U1, "idle for 375 us it is in %u",
              pls(h, dev->port_id));
    hcd_step_uf(h, 30);
    hcd_check(pls(h, dev->port_id) == PLS_U2, "idle for 4 ms it is in %u",
              pls(h, dev->port_id));
    hcd_set_configuration(h, dev, 1);
    hcd_check(pls(h, dev->port_id) == PLS_U0, "not in U0 after a transfer");
    qtest_writel(h->qts, pmsc, 0xffff);
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    hcd_check(pls(h, dev->port_id) == PLS_U0, "FFh does not switch it off");
    hcd_finish(h);
}

/* xHCI 1.2 §4.13: an event only if DNCTRL asks for the type. */
static void pwr_10_device_notification(void)
{
    Hcd *h = hcd_start(.args = SS_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    HcdEvent event;

    hcd_check(!happens(h, dev->port_id, "function-wake"),
              "a notification that DNCTRL does not ask for");
    hcd_expect_quiet(h, 80);
    hcd_op_write(h, XHCI_DNCTRL, 1 << 1);
    hcd_check(happens(h, dev->port_id, "function-wake"), "it is refused");
    event = hcd_expect_type(h, EVT_DEVICE_NOTIFICATION);
    hcd_check(event.slot_id == dev->slot_id && event.cc == CC_SUCCESS &&
                  (event.trb.dw[0] >> 4 & 0xf) == 1,
              "the event is: %s", hcd_event_text(&event));
    hcd_finish(h);
}

/* xHCI 1.2 §4.24.1: after HCRST and INIT nothing of a host error is left. */
static void pwr_09_recovery(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    td_normal(h, dev, KBD_IN, .buf = 0xffffffff00000000ull, .len = 8,
              .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_step_uf(h, 80);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HSE, "USBSTS is %08x",
              hcd_op_read(h, XHCI_USBSTS));
    hcd_init(h);
    hcd_event_drain(h);
    dev = hcd_kbd_open(h);
    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, false);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("PCI-04/capability", pci_04_capability);
    hcd_test_add("PCI-04/reset", pci_04_reset);
    hcd_test_add_data("PWR-08/connect", pwr_08_wake,
                      GUINT_TO_POINTER(PORTSC_WCE));
    hcd_test_add_data("PWR-08/disconnect", pwr_08_wake,
                      GUINT_TO_POINTER(PORTSC_WDE));
    hcd_test_add_data("PWR-08/not-asked-for", pwr_08_wake, NULL);
    hcd_test_add("PWR-09/recovery", pwr_09_recovery);
    hcd_test_add("PWR-10/device-notification", pwr_10_device_notification);
    hcd_test_add("PORT-16/device-wake", port_16_device_wake);
    hcd_test_add("PORT-20/over-current", port_20_over_current);
    hcd_test_add("PORT-21/link-error", port_21_link_error);
    hcd_test_add("PORT-26/power-registers", port_26_power_registers);
    hcd_test_add("PORT-26/u1-u2", port_26_u1_u2);
    hcd_test_add("port-event/refusals", refusals);
    return hcd_test_main(argc, argv);
}
