/*
 * usb-kbd: an interrupt endpoint that answers NAK until a key is pressed, and
 * so the way to have a TD that waits for as long as the test wants.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"

HcdDev *hcd_kbd_open(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN,
               .mps = KBD_REPORT_BYTES, .interval = KBD_INTERVAL,
               .esit = KBD_REPORT_BYTES);
    return dev;
}

/* One change of one key: one report. */
void hcd_kbd_key(Hcd *h, bool down)
{
    qtest_qmp_assert_success(
        h->qts,
        "{'execute': 'input-send-event', 'arguments': {'events': [{"
        " 'type': 'key', 'data': {'down': %i, 'key':"
        " {'type': 'qcode', 'data': 'a'}}}]}}",
        down);
}
