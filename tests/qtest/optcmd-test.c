/*
 * Commands, and answers to commands, that a capability decides (xHCI 1.2
 * §4.6.12 to §4.6.18, §4.23.5.2): with it they work, without it they are TRB
 * Errors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

/* Evaluate Context with this Max Exit Latency; the code. */
static unsigned set_latency(Hcd *h, HcdDev *dev, unsigned latency_us)
{
    hcd_in_write(h, dev, 1, 1,
                 xhci_set(hcd_out_read(h, dev, 0, 1), SLOT_MAX_EXIT_LATENCY,
                          latency_us));
    hcd_in_write(h, dev, 1, 2, hcd_out_read(h, dev, 0, 2));
    return hcd_cmd_evaluate(h, dev, 1);
}

static unsigned latency(Hcd *h, HcdDev *dev)
{
    return xhci_get(hcd_out_read(h, dev, 0, 1), SLOT_MAX_EXIT_LATENCY);
}

/* xHCI 1.2 §4.23.5.2: no service interval is left to wake up in. */
static void cmd_27_evaluate(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    hcd_expect_cc(set_latency(h, dev, 1000), CC_SUCCESS);
    hcd_check(latency(h, dev) == 1000, "Max Exit Latency is %u",
              latency(h, dev));
    hcd_expect_cc(set_latency(h, dev, 1001), CC_MAX_EXIT_LATENCY_TOO_LARGE);
    hcd_check(latency(h, dev) == 1000, "a refused latency is in the context");
    hcd_finish(h);
}

/* xHCI 1.2 §4.23.5.2.2: CME makes Configure Endpoint look, too. */
static void cmd_27_configure(const void *data)
{
    uint32_t cme = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = KBD_ARGS, .usbcmd = cme);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    unsigned cc;

    hcd_set_configuration(h, dev, 1);
    hcd_expect_cc(set_latency(h, dev, 1001), CC_SUCCESS);
    hcd_ep_prepare(h, dev,
                   (HcdEp){ .dci = KBD_IN,
                            .type = EP_TYPE_INTERRUPT_IN,
                            .mps = 8,
                            .interval = KBD_INTERVAL,
                            .esit = 8 });
    cc = hcd_cmd_configure(h, dev, 1u << KBD_IN | 1, 0);
    hcd_expect_cc(cc, cme ? CC_MAX_EXIT_LATENCY_TOO_LARGE : CC_SUCCESS);
    hcd_check(hcd_ep_state(h, dev, KBD_IN) ==
                  (cme ? EP_STATE_DISABLED : EP_STATE_RUNNING),
              "after code %u the endpoint is in state %u", cc,
              hcd_ep_state(h, dev, KBD_IN));
    hcd_check(hcd_slot_state(h, dev) ==
                  (cme ? SLOT_STATE_ADDRESSED : SLOT_STATE_CONFIGURED),
              "after code %u the slot is in state %u", cc,
              hcd_slot_state(h, dev));
    if (cme) {
        hcd_expect_cc(set_latency(h, dev, 1000), CC_SUCCESS);
        hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << KBD_IN | 1, 0),
                      CC_SUCCESS);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("CMD-27/evaluate", cmd_27_evaluate);
    hcd_test_add_data("CMD-27/configure", cmd_27_configure,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("CMD-27/configure-cme", cmd_27_configure,
                      GUINT_TO_POINTER(USBCMD_CME));
    return hcd_test_main(argc, argv);
}
