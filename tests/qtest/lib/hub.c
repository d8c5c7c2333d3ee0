/*
 * Hubs for the tests.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hub.h"

enum { POWER_GOOD_UF = 5 * 8, RESET_UF = 25 * 8 };

/* xHCI 1.2 §6.2.2.2: Configure Endpoint makes a hub of the slot. */
void hub_configure(Hcd *h, HcdDev *hub, unsigned ports, bool mtt)
{
    for (unsigned dw = 0; dw < 4; dw++) {
        hcd_in_write(h, hub, 1, dw, hcd_out_read(h, hub, 0, dw));
    }
    hcd_in_write(h, hub, 1, 0,
                 (hcd_out_read(h, hub, 0, 0) & ~SLOT_MTT) | SLOT_HUB |
                     (mtt ? SLOT_MTT : 0));
    hcd_in_write(h, hub, 1, 1,
                 xhci_set(hcd_out_read(h, hub, 0, 1), SLOT_NUM_PORTS, ports));
    hcd_expect_cc(hcd_cmd_configure(h, hub, 1, 0), CC_SUCCESS);
}

static HcdDev *set_up(Hcd *h, HcdDev *hub)
{
    hcd_set_configuration(h, hub, 1);
    hub_configure(h, hub, HUB_PORTS, false);
    return hub;
}

HcdDev *hub_open(Hcd *h)
{
    return set_up(h, hcd_dev_open(h, hcd_port_connected(h, 0)));
}

HcdDev *hub_open_behind(Hcd *h, HcdDev *parent, unsigned port)
{
    hub_port_enable(h, parent, port);
    return set_up(h, hub_child_open(h, parent, port));
}

unsigned hub_request(Hcd *h, HcdDev *hub, HcdSetup setup)
{
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    unsigned cc = hcd_control(h, hub, setup, buf);

    if (cc == CC_STALL_ERROR) {
        hcd_expect_cc(hcd_cmd_reset_ep(h, hub, 1), CC_SUCCESS);
        hcd_cmd_skip_all(h, hub, 1);
    }
    return cc;
}

unsigned hub_set(Hcd *h, HcdDev *hub, unsigned port, unsigned feature)
{
    return hub_request(
        h, hub,
        (HcdSetup){
            .type = 0x23, .request = 3, .value = feature, .index = port });
}

unsigned hub_clear(Hcd *h, HcdDev *hub, unsigned port, unsigned feature)
{
    return hub_request(
        h, hub,
        (HcdSetup){
            .type = 0x23, .request = 1, .value = feature, .index = port });
}

uint32_t hub_status(Hcd *h, HcdDev *hub, unsigned port)
{
    uint64_t buf = hcd_alloc_filled(h, 4, 0xaa);
    HcdSetup setup = { .type = 0xa3, .request = 0, .index = port, .length = 4 };

    hcd_expect_cc(hcd_control(h, hub, setup, buf), CC_SUCCESS);
    return qtest_readl(h->qts, buf);
}

/* USB 2.0 §11.24.2.7.1: from wPortStatus to the Slot Context's Speed. */
static unsigned speed_of(uint32_t status)
{
    return status & HUB_LOW_SPEED    ? SPEED_LOW
           : status & HUB_HIGH_SPEED ? SPEED_HIGH
                                     : SPEED_FULL;
}

unsigned hub_port_enable(Hcd *h, HcdDev *hub, unsigned port)
{
    uint32_t status;

    hcd_expect_cc(hub_set(h, hub, port, HUB_PORT_POWER), CC_SUCCESS);
    hcd_step_uf(h, POWER_GOOD_UF);
    hcd_expect_cc(hub_set(h, hub, port, HUB_PORT_RESET), CC_SUCCESS);
    hcd_step_uf(h, RESET_UF);
    status = hub_status(h, hub, port);
    hcd_check((status & (HUB_ENABLE | HUB_RESET)) == HUB_ENABLE,
              "after a reset the status of port %u is %08x", port, status);
    hub_clear(h, hub, port, HUB_C_PORT_CONNECTION);
    hub_clear(h, hub, port, HUB_C_PORT_RESET);
    return speed_of(status);
}

/* xHCI 1.2 §8.9 of USB 3.2: four bits of the Route String for each tier. */
static uint32_t route_below(const HcdDev *hub, unsigned port)
{
    unsigned shift = 0;

    while (hub->route >> shift) {
        shift += 4;
    }
    return hub->route | port << shift;
}

HcdDev *hub_child_ready(Hcd *h, HcdDev *hub, unsigned port)
{
    HcdDev *dev = hcd_dev_new(h, hub->port_id);

    dev->speed = speed_of(hub_status(h, hub, port));
    dev->route = route_below(hub, port);
    if (dev->speed != SPEED_HIGH && hub->speed == SPEED_HIGH) {
        dev->tt_hub = hub->slot_id;
        dev->tt_port = port;
    } else if (dev->speed != SPEED_HIGH) {
        dev->tt_hub = hub->tt_hub;
        dev->tt_port = hub->tt_port;
    }
    hcd_dev_prepare_address(h, dev);
    return dev;
}

HcdDev *hub_child_open(Hcd *h, HcdDev *hub, unsigned port)
{
    HcdDev *dev = hub_child_ready(h, hub, port);

    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    return dev;
}

HcdDev *hub_puppet_configured(Hcd *h, HcdDev *hub)
{
    HcdDev *dev;

    hcd_check(hub_port_enable(h, hub, 2) == SPEED_FULL,
              "the device is not of full speed");
    dev = hub_child_open(h, hub, 2);
    hcd_set_configuration(h, dev, 1);
    return dev;
}
