/*
 * usb-isohub and what is behind it: requests to its ports (USB 2.0 §11.24) and
 * the slots of devices whose packets go through it (xHCI 1.2 §4.3.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef TESTS_QTEST_LIB_HUB_H
#define TESTS_QTEST_LIB_HUB_H

#include "hcd.h"

#define HUB_ARGS "-device usb-isohub,id=hub,bus=xhci.0,port=1 "
#define HUB_MTT_ARGS "-device usb-isohub,id=hub,bus=xhci.0,port=1,mtt=on "

enum { HUB_STATUS = 3, HUB_PORTS = 4 }; /* DCI of 81h; ports by default */

/* USB 2.0 Table 11-17: features of ports. */
enum {
    HUB_PORT_ENABLE = 1,
    HUB_PORT_SUSPEND = 2,
    HUB_PORT_RESET = 4,
    HUB_PORT_POWER = 8,
    HUB_C_PORT_CONNECTION = 16,
    HUB_C_PORT_SUSPEND = 18,
    HUB_C_PORT_RESET = 20,
    HUB_PORT_TEST = 21,
    HUB_PORT_INDICATOR = 22,
};

/* USB 2.0 Tables 11-21 and 11-22: wPortStatus, and wPortChange above it. */
#define HUB_CONNECTION (1u << 0)
#define HUB_ENABLE (1u << 1)
#define HUB_SUSPEND (1u << 2)
#define HUB_RESET (1u << 4)
#define HUB_POWER (1u << 8)
#define HUB_LOW_SPEED (1u << 9)
#define HUB_HIGH_SPEED (1u << 10)
#define HUB_INDICATOR (1u << 12)
#define HUB_C_CONNECTION (1u << 16)
#define HUB_C_SUSPEND (1u << 18)
#define HUB_C_RESET (1u << 20)

/* The hub on the first connected root port, or at `port` of `parent`:
 * configured, and said to be a hub in its Slot Context; ports are not
 * powered. */
HcdDev *hub_open(Hcd *h);
HcdDev *hub_open_behind(Hcd *h, HcdDev *parent, unsigned port);
void hub_configure(Hcd *h, HcdDev *hub, unsigned ports, bool mtt);

unsigned hub_request(Hcd *h, HcdDev *hub, HcdSetup setup);
unsigned hub_set(Hcd *h, HcdDev *hub, unsigned port, unsigned feature);
unsigned hub_clear(Hcd *h, HcdDev *hub, unsigned port, unsigned feature);
uint32_t hub_status(Hcd *h, HcdDev *hub, unsigned port);

/* Powers the port, resets it and waits: a device is enabled. The speed. */
unsigned hub_port_enable(Hcd *h, HcdDev *hub, unsigned port);

/* usb-puppet at full speed behind port 2 of that hub, configured. */
#define HUB_PUPPET_AT(port) \
    "-device usb-puppet,id=puppet,bus=xhci.0,port=" port ",speed=full "
#define HUB_PUPPET_ARGS HUB_ARGS HUB_PUPPET_AT("1.2")
HcdDev *hub_puppet_configured(Hcd *h, HcdDev *hub);

/* A slot for the device at an enabled port, all that Address Device needs;
 * and one in the Addressed state. */
HcdDev *hub_child_ready(Hcd *h, HcdDev *hub, unsigned port);
HcdDev *hub_child_open(Hcd *h, HcdDev *hub, unsigned port);

#endif
