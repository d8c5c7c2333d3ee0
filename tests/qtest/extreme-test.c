/*
 * The largest controller and the smallest: the last port, slot and
 * interrupter work like the first, and where there is one of each, one is
 * enough (xHCI 1.2 §5.3.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"

#define LARGEST "p2=15,p3=15,intrs=16,slots=127"

/* The device descriptor, by a control transfer. */
static void check_control(Hcd *h, HcdDev *dev)
{
    HcdSetup setup = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };
    uint64_t buf = hcd_alloc_filled(h, 18, 0);

    hcd_expect_cc(hcd_control(h, dev, setup, buf), CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112,
              "the device descriptor begins with %04x",
              qtest_readw(h->qts, buf));
}

/* A USB2 and a USB3 device on the last connectors: ports 15 and 29. */
static void cap_03_last_ports(void)
{
    Hcd *h =
        hcd_start(.props = LARGEST,
                  .args =
                      "-blockdev driver=null-co,node-name=disk,read-zeroes=on "
                      "-device usb-storage,bus=xhci.0,port=14,drive=disk "
                      "-device usb-kbd,bus=xhci.0,port=15");
    HcdDev *kbd, *disk;

    hcd_check(h->max_ports == 30, "MaxPorts is %u", h->max_ports);
    hcd_check(hcd_port_connected(h, 0) == 15 && hcd_port_connected(h, 1) == 29,
              "devices are at ports %u and %u", hcd_port_connected(h, 0),
              hcd_port_connected(h, 1));
    kbd = hcd_dev_open(h, 15);
    disk = hcd_dev_open(h, 29);
    hcd_check(kbd->speed != SPEED_SUPER && disk->speed == SPEED_SUPER,
              "speeds %u and %u", kbd->speed, disk->speed);
    check_control(h, kbd);
    check_control(h, disk);
    hcd_finish(h);
}

/* All 127 slots at once; the device is in the last one. */
static void cap_03_last_slot(void)
{
    Hcd *h = hcd_start(.props = LARGEST, .args = ISOAV_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    HcdDev *dev;

    hcd_check(h->max_slots == 127, "MaxSlots is %u", h->max_slots);
    hcd_port_reset(h, port_id);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    for (unsigned i = 1; i < 127; i++) {
        hcd_check(hcd_cmd_enable_slot(h) == i, "slot %u is not the next", i);
    }
    dev = hcd_dev_new(h, port_id);
    hcd_check(dev->slot_id == 127, "the last slot is %u", dev->slot_id);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_ENABLE_SLOT, 0, 0, 0),
                  CC_NO_SLOTS_AVAILABLE);
    hcd_dev_prepare_address(h, dev);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    check_control(h, dev);
    hcd_set_configuration(h, dev, 1);
    hcd_isoav_add_ep(h, dev, 1, ISOAV_IN);
    hcd_isoav_select(h, dev, 1);
    td_isoch(h, dev, ISOAV_IN, .buf = hcd_alloc(h, 192, 64), .len = 192,
             .sia = true, .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS);
    hcd_finish(h);
}

/* One USB2 port, slot and interrupter. The port is named: into the last free
 * one QEMU puts a hub of its own. */
static void cap_03_one_usb2_port(void)
{
    Hcd *h = hcd_start(.props = "p2=1,p3=0,intrs=1,slots=1",
                       .args = "-device usb-kbd,bus=xhci.0,port=1");
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa), trb;

    hcd_check(dev->slot_id == 1 && dev->port_id == 1, "slot %u, port %u",
              dev->slot_id, dev->port_id);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_ENABLE_SLOT, 0, 0, 0),
                  CC_NO_SLOTS_AVAILABLE);
    /* an interrupter that this controller does not have */
    td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true, .target = 1);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_expect_quiet(h, 80);
    trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_msix_take(h, 0);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, false);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb);
    hcd_check(hcd_msix_take(h, 0), "no message from the only vector");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, 1, 0, 0), CC_SUCCESS);
    hcd_check(hcd_cmd_enable_slot(h) == 1, "the only slot is not free again");
    hcd_finish(h);
}

/* One USB3 port: a disk runs; a device that is slower has no place. */
static void cap_03_one_usb3_port(void)
{
    Hcd *h = hcd_start(.props = "p2=0,p3=1,intrs=1,slots=1", .args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 36, 0xaa);

    hcd_check(h->max_ports == 1 && hcd_port_protocol(h, 1) == 3,
              "MaxPorts is %u, port 1 is USB%u", h->max_ports,
              hcd_port_protocol(h, 1));
    hcd_check(dev->speed == SPEED_SUPER, "the disk came up at speed %u",
              dev->speed);
    hcd_msd_command(h, dev, MSD_INQUIRY, 36);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 36, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_msd_status(h, dev);
    hcd_finish(h);
}

/* Registers of ports and interrupters that are not there do not exist. */
static void cap_03_nothing_behind(void)
{
    Hcd *h = hcd_start(.props = "p2=1,p3=0,intrs=1,slots=1", .halted = true);

    for (unsigned i = 0; i < 4 * 29; i++) {
        unsigned offset = XHCI_PORT_SET + XHCI_PORT_STRIDE + 4 * i;

        hcd_op_write(h, offset, 0xffffffffu);
        hcd_check(hcd_op_read(h, offset) == 0, "register %03x reads %08x",
                  offset, hcd_op_read(h, offset));
    }
    for (unsigned i = 0; i < 8 * 15; i++) {
        unsigned offset = XHCI_INTR_SET + XHCI_INTR_STRIDE + 4 * i;

        hcd_rt_write(h, offset, 0xffffffffu);
        hcd_check(hcd_rt_read(h, offset) == 0, "runtime register %03x is %08x",
                  offset, hcd_rt_read(h, offset));
    }
    for (unsigned slot_id = 2; slot_id < 256; slot_id++) {
        hcd_doorbell(h, slot_id, 1);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("CAP-03/last-ports", cap_03_last_ports);
    hcd_test_add("CAP-03/last-slot", cap_03_last_slot);
    hcd_test_add("CAP-03/one-usb2-port", cap_03_one_usb2_port);
    hcd_test_add("CAP-03/one-usb3-port", cap_03_one_usb3_port);
    hcd_test_add("CAP-03/nothing-behind", cap_03_nothing_behind);
    return hcd_test_main(argc, argv);
}
