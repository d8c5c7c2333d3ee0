/*
 * Root hub ports (xHCI 1.2 §4.19, §5.4.8): attach, reset, disable, power,
 * detach, and the event that reports them. A keyboard or tablet is a USB2
 * device at high speed, usb-storage comes up at SuperSpeed.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define TABLET_ARGS "-device usb-tablet,id=tablet,bus=xhci.0 "
#define SETTLE_UF 800 /* 100 ms: longer than a reset or link training takes */

#define check_bits(h, port_id, mask, value)                                    \
    do {                                                                       \
        uint32_t portsc_ = hcd_portsc(h, port_id);                             \
        hcd_check((portsc_ & (mask)) == (uint32_t)(value),                     \
                  "PORTSC of port %u is %08x; of the bits %08x expected %08x", \
                  port_id, portsc_, (uint32_t)(mask), (uint32_t)(value));      \
    } while (0)

static uint32_t pls(unsigned state)
{
    return xhci_set(0, PORTSC_PLS, state);
}

#define PLS_MASK 0x1e0u
#define SPEED_MASK 0x3c00u

static uint32_t speed(unsigned id)
{
    return xhci_set(0, PORTSC_SPEED, id);
}

static unsigned first_port(Hcd *h)
{
    unsigned port_id = hcd_port_connected(h, 0);

    hcd_check(port_id, "no port shows the device");
    return port_id;
}

/* xHCI 1.2 §5.4.8: an empty port. */
static void port_01_empty(void)
{
    Hcd *h = hcd_start();

    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        check_bits(h, port_id, 0xffffffffu, PORTSC_PP | pls(PLS_RX_DETECT));
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.1: a USB2 device is connected, not enabled. */
static void port_02_usb2_attach(void)
{
    Hcd *h = hcd_start();
    unsigned port_id;

    hcd_plug(h, "usb-tablet", "tablet");
    hcd_step_uf(h, SETTLE_UF);
    port_id = first_port(h);
    hcd_check(hcd_port_protocol(h, port_id) == 2,
              "a high-speed device on port %u, protocol %u", port_id,
              hcd_port_protocol(h, port_id));
    check_bits(h, port_id, PORTSC_CCS | PORTSC_CSC | PORTSC_PED | PLS_MASK,
               PORTSC_CCS | PORTSC_CSC | pls(PLS_POLLING));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.1.4: a reset enables it. */
static void port_03_usb2_reset(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    for (unsigned n = 0; hcd_portsc(h, port_id) & PORTSC_PR; n++) {
        check_bits(h, port_id, PORTSC_PED | PORTSC_PRC, 0);
        hcd_check(n < SETTLE_UF, "PR is still 1 after 100 ms");
        hcd_step_uf(h, 1);
    }
    check_bits(h, port_id,
               PORTSC_CCS | PORTSC_PED | PORTSC_PRC | PORTSC_CSC | PLS_MASK |
                   SPEED_MASK,
               PORTSC_CCS | PORTSC_PED | PORTSC_PRC | pls(PLS_U0) |
                   speed(SPEED_HIGH));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.1: no device, no reset. */
static void port_04_reset_of_empty_port(void)
{
    Hcd *h = hcd_start();
    unsigned port_id = 1;

    while (hcd_port_protocol(h, port_id) != 2) {
        port_id++;
    }
    hcd_event_drain(h);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_expect_quiet(h, 8000);
    check_bits(h, port_id, PORTSC_PRC | PORTSC_PED | PORTSC_CCS, 0);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: PED written as 1 disables; that is no port error. */
static void port_05_disable(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    check_bits(h, port_id, PORTSC_PED, PORTSC_PED);
    hcd_portsc_write(h, port_id, PORTSC_PED);
    hcd_step_uf(h, 8);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_PED | PORTSC_PEC, PORTSC_CCS);
    hcd_finish(h);
}

static void check_psce(Hcd *h, unsigned port_id)
{
    HcdEvent event = hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);

    hcd_check(event.port_id == port_id, "the event names port %u, not %u",
              event.port_id, port_id);
    hcd_check(event.cc == CC_SUCCESS, "a port event with code %u", event.cc);
    hcd_check((event.trb.dw[0] & 0x00ffffff) == 0 && event.trb.dw[1] == 0 &&
                  event.len == 0,
              "reserved fields of a port event are not 0: %08x %08x %08x",
              event.trb.dw[0], event.trb.dw[1], event.trb.dw[2]);
}

/* xHCI 1.2 §4.19.1.1, §4.19.1.2: detach. */
static void port_06_detach(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    hcd_step_uf(h, 8);
    hcd_event_drain(h);
    hcd_unplug(h, "tablet");
    hcd_step_uf(h, 8);
    check_bits(h, port_id,
               PORTSC_CCS | PORTSC_CSC | PORTSC_PED | PORTSC_PR | PLS_MASK |
                   SPEED_MASK,
               PORTSC_CSC | pls(PLS_RX_DETECT));
    check_psce(h, port_id);
    hcd_expect_quiet(h, SETTLE_UF);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.2.4: SuperSpeed links train by themselves. */
static void port_07_usb3_attach(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id;

    hcd_step_uf(h, SETTLE_UF);
    port_id = first_port(h);
    hcd_check(hcd_port_protocol(h, port_id) == 3,
              "a SuperSpeed device on port %u, protocol %u", port_id,
              hcd_port_protocol(h, port_id));
    check_bits(h, port_id,
               PORTSC_CCS | PORTSC_PED | PORTSC_CSC | PLS_MASK | SPEED_MASK,
               PORTSC_CCS | PORTSC_PED | PORTSC_CSC | pls(PLS_U0) |
                   speed(SPEED_SUPER));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.5.1: PR on a USB3 port is a hot reset. */
static void port_08_hot_reset(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id = first_port(h);

    hcd_step_uf(h, SETTLE_UF);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id,
               PORTSC_PR | PORTSC_PED | PORTSC_PRC | PORTSC_WRC | PLS_MASK,
               PORTSC_PED | PORTSC_PRC | pls(PLS_U0));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.5.1: a warm reset is for USB3 ports. */
static void port_09_warm_reset(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS MSD_ARGS);
    unsigned usb2 = hcd_port_connected(h, 0), usb3 = hcd_port_connected(h, 1);

    hcd_step_uf(h, SETTLE_UF);
    if (hcd_port_protocol(h, usb2) == 3) {
        unsigned other = usb2;

        usb2 = usb3;
        usb3 = other;
    }
    hcd_portsc_clear(h, usb3, PORTSC_CHANGES);
    hcd_portsc_clear(h, usb2, PORTSC_CHANGES);
    hcd_portsc_write(h, usb3, PORTSC_WPR);
    hcd_portsc_write(h, usb2, PORTSC_WPR);
    check_bits(h, usb3, PORTSC_WPR, 0);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, usb3, PORTSC_PRC | PORTSC_WRC | PORTSC_PED,
               PORTSC_PRC | PORTSC_WRC | PORTSC_PED);
    check_bits(h, usb2, PORTSC_PRC | PORTSC_WRC | PORTSC_PED | PORTSC_PR, 0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.5: a reset that PP = 0 cuts short ends without a word. */
static void port_10_reset_cut_short(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);
    unsigned offset = XHCI_PORT_SET + XHCI_PORT_STRIDE * (port_id - 1);

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    if (hcd_portsc(h, port_id) & PORTSC_PR) {
        hcd_op_write(h, offset, 0);
        check_bits(h, port_id, PORTSC_PR | PORTSC_PED | PORTSC_CHANGES, 0);
        hcd_expect_quiet(h, SETTLE_UF);
        check_bits(h, port_id, PORTSC_PR | PORTSC_PED | PORTSC_CHANGES, 0);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: change bits clear one by one. */
static void port_11_change_bits(void)
{
    Hcd *h = hcd_start();
    unsigned port_id;

    hcd_plug(h, "usb-tablet", "tablet");
    hcd_step_uf(h, SETTLE_UF);
    port_id = first_port(h);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id, PORTSC_CSC | PORTSC_PRC, PORTSC_CSC | PORTSC_PRC);
    hcd_portsc_write(h, port_id, PORTSC_WCE | PORTSC_WDE);
    check_bits(h, port_id, PORTSC_CSC | PORTSC_PRC | PORTSC_WCE | PORTSC_WDE,
               PORTSC_CSC | PORTSC_PRC | PORTSC_WCE | PORTSC_WDE);
    hcd_portsc_clear(h, port_id, PORTSC_CSC);
    check_bits(h, port_id, PORTSC_CSC | PORTSC_PRC, PORTSC_PRC);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: PLS is written only with LWS. */
static void port_12_lws(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    hcd_portsc_write(h, port_id, pls(PLS_U3));
    hcd_step_uf(h, 8);
    check_bits(h, port_id, PLS_MASK | PORTSC_LWS, pls(PLS_U0));
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: suspend sets PLC only when CONFIG.U3E asks for it. */
static void port_13_suspend(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    hcd_portsc_write(h, port_id, pls(PLS_U3) | PORTSC_LWS);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id, PLS_MASK | PORTSC_LWS | PORTSC_PLC, pls(PLS_U3));
    hcd_finish(h);
}

/* xHCI 1.2 §4.15.2.2: a USB2 port resumes in two steps. */
static void port_14_usb2_resume(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    hcd_portsc_write(h, port_id, pls(PLS_U3) | PORTSC_LWS);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_portsc_write(h, port_id, pls(PLS_RESUME) | PORTSC_LWS);
    hcd_step_uf(h, 160);
    check_bits(h, port_id, PLS_MASK, pls(PLS_RESUME));
    hcd_portsc_write(h, port_id, pls(PLS_U0) | PORTSC_LWS);
    hcd_step_uf(h, 80);
    check_bits(h, port_id, PLS_MASK | PORTSC_PLC, pls(PLS_U0) | PORTSC_PLC);
    check_psce(h, port_id);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.15.2.2: a USB3 port in one. */
static void port_15_usb3_resume(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id = first_port(h);

    hcd_step_uf(h, SETTLE_UF);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_portsc_write(h, port_id, pls(PLS_U3) | PORTSC_LWS);
    hcd_step_uf(h, 80);
    check_bits(h, port_id, PLS_MASK | PORTSC_PLC, pls(PLS_U3));
    hcd_event_drain(h);
    hcd_portsc_write(h, port_id, pls(PLS_U0) | PORTSC_LWS);
    hcd_step_uf(h, 80);
    check_bits(h, port_id, PLS_MASK | PORTSC_PLC, pls(PLS_U0) | PORTSC_PLC);
    check_psce(h, port_id);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.8: link states that software may not ask for. */
static void port_17_pls_sweep(void)
{
    static const unsigned ignored[] = { 1, 4, 6, 7, 8, 9, 11, 12, 13, 14 };
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    hcd_port_reset(h, port_id);
    for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++) {
        hcd_portsc_write(h, port_id, pls(ignored[i]) | PORTSC_LWS);
        hcd_step_uf(h, 8);
        check_bits(h, port_id, PLS_MASK | PORTSC_PED, pls(PLS_U0) | PORTSC_PED);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.2.1: a disabled USB3 port stays so until RxDetect. */
static void port_18_usb3_disabled(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    unsigned port_id = first_port(h);

    hcd_step_uf(h, SETTLE_UF);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_portsc_write(h, port_id, PORTSC_PED);
    hcd_step_uf(h, 80);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_PED | PORTSC_PEC | PLS_MASK,
               pls(PLS_DISABLED));
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id, PORTSC_PED | PLS_MASK, pls(PLS_DISABLED));
    hcd_portsc_write(h, port_id, pls(PLS_RX_DETECT) | PORTSC_LWS);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id, PORTSC_CCS | PORTSC_PED | PLS_MASK,
               PORTSC_CCS | PORTSC_PED | pls(PLS_U0));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.4: PP gates the port. */
static void port_19_power(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);
    unsigned offset = XHCI_PORT_SET + XHCI_PORT_STRIDE * (port_id - 1);

    hcd_port_reset(h, port_id);
    hcd_op_write(h, offset, 0);
    hcd_step_uf(h, 160);
    check_bits(h, port_id,
               PORTSC_PP | PORTSC_CCS | PORTSC_PED | PORTSC_PR | PORTSC_CHANGES,
               0);
    hcd_op_write(h, offset, PORTSC_PP);
    hcd_step_uf(h, 160);
    check_bits(h, port_id, PORTSC_PP | PORTSC_CCS | PORTSC_CSC | PORTSC_PED,
               PORTSC_PP | PORTSC_CCS | PORTSC_CSC);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.2: an event when the OR of the change bits goes to 1. */
static void port_22_one_event(void)
{
    Hcd *h = hcd_start();
    unsigned port_id;

    hcd_plug(h, "usb-tablet", "tablet");
    hcd_step_uf(h, SETTLE_UF);
    port_id = first_port(h);
    check_psce(h, port_id);
    hcd_expect_quiet(h, 8);
    hcd_portsc_write(h, port_id, PORTSC_PR);
    hcd_step_uf(h, SETTLE_UF);
    check_bits(h, port_id, PORTSC_CSC | PORTSC_PRC, PORTSC_CSC | PORTSC_PRC);
    hcd_expect_quiet(h, 8);
    hcd_portsc_clear(h, port_id, PORTSC_CSC | PORTSC_PRC);
    hcd_unplug(h, "tablet");
    hcd_step_uf(h, 8);
    check_psce(h, port_id);
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.4: what happened while halted is told at R/S = 1. */
static void port_23_event_at_run(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned port_id = first_port(h);

    check_psce(h, port_id);
    hcd_expect_quiet(h, SETTLE_UF);
    hcd_finish(h);
}

/* xHCI 1.2 §5.4.2: PCD does not need a running controller. */
static void port_24_pcd(void)
{
    Hcd *h = hcd_start();

    hcd_halt(h);
    hcd_op_write(h, XHCI_USBSTS, USBSTS_PCD);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_PCD), "PCD is not RW1C");
    hcd_plug(h, "usb-tablet", "tablet");
    hcd_step_uf(h, SETTLE_UF);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_PCD,
              "PCD is 0 after a device was attached");
    hcd_op_write(h, XHCI_USBSTS, USBSTS_PCD);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_PCD), "PCD is not RW1C");
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.2.3: the layout, on a port other than 1. */
static void port_25_event_layout(void)
{
    Hcd *h = hcd_start(.args = TABLET_ARGS);
    unsigned first = first_port(h), second;

    hcd_portsc_clear(h, first, PORTSC_CHANGES);
    hcd_step_uf(h, 8);
    hcd_event_drain(h);
    hcd_plug(h, "usb-tablet", "second");
    hcd_step_uf(h, SETTLE_UF);
    second = hcd_port_connected(h, 1);
    hcd_check(second > 1, "the second device did not appear");
    check_psce(h, second == first ? hcd_port_connected(h, 0) : second);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("PORT-01/empty", port_01_empty);
    hcd_test_add("PORT-02/usb2-attach", port_02_usb2_attach);
    hcd_test_add("PORT-03/usb2-reset", port_03_usb2_reset);
    hcd_test_add("PORT-04/reset-of-empty-port", port_04_reset_of_empty_port);
    hcd_test_add("PORT-05/disable", port_05_disable);
    hcd_test_add("PORT-06/detach", port_06_detach);
    hcd_test_add("PORT-07/usb3-attach", port_07_usb3_attach);
    hcd_test_add("PORT-08/hot-reset", port_08_hot_reset);
    hcd_test_add("PORT-09/warm-reset", port_09_warm_reset);
    hcd_test_add("PORT-10/reset-cut-short", port_10_reset_cut_short);
    hcd_test_add("PORT-11/change-bits", port_11_change_bits);
    hcd_test_add("PORT-12/lws", port_12_lws);
    hcd_test_add("PORT-13/suspend", port_13_suspend);
    hcd_test_add("PORT-14/usb2-resume", port_14_usb2_resume);
    hcd_test_add("PORT-15/usb3-resume", port_15_usb3_resume);
    hcd_test_add("PORT-17/pls-sweep", port_17_pls_sweep);
    hcd_test_add("PORT-18/usb3-disabled", port_18_usb3_disabled);
    hcd_test_add("PORT-19/power", port_19_power);
    hcd_test_add("PORT-22/one-event", port_22_one_event);
    hcd_test_add("PORT-23/event-at-run", port_23_event_at_run);
    hcd_test_add("PORT-24/pcd", port_24_pcd);
    hcd_test_add("PORT-25/event-layout", port_25_event_layout);
    return hcd_test_main(argc, argv);
}
