/*
 * SuperSpeed isochronous transfers: usb-isoav with speed=super.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "isolab/isoav.h"

enum { TDS = 12, BUFFER_BYTES = 65536 };

/* 16 packets in a burst, three bursts in an interval, every interval. */
static void super_speed(void)
{
    Hcd *h = hcd_start(.args = ISOAV_SUPER_ARGS);
    HcdDev *dev = hcd_isoav_open_one(h, ISOAV_TEST_ALT_SUPER, ISOAV_IN);
    uint64_t buf = hcd_alloc(h, TDS * BUFFER_BYTES, BUFFER_BYTES);
    uint64_t trb[TDS], first = 0;

    hcd_check(dev->speed == SPEED_SUPER, "the device came up at speed %u",
              dev->speed);
    for (unsigned i = 0; i < TDS; i++) {
        trb[i] =
            td_isoch(h, dev, ISOAV_IN, .buf = buf + i * BUFFER_BYTES,
                     .len = ISOAV_PACKET_MAX_SUPER, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < TDS; i++) {
        uint64_t at = buf + i * BUFFER_BYTES, uf;

        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                      .ptr = trb[i], .len = HCD_LEN_0);
        uf = hcd_isoav_microframe(h, at, ISOAV_PACKET_MAX_SUPER);
        first = first ? first : uf;
        hcd_check(uf == first + i &&
                      hcd_isoav_sequence(h, at, ISOAV_PACKET_MAX_SUPER) == i,
                  "TD %u has the packet of microframe %" PRIu64
                  ", the first one that of %" PRIu64,
                  i, uf, first);
    }
    hcd_finish(h);
}

/* On a bus that has no SuperSpeed it is the device that it always was. */
static void no_super_speed(void)
{
    Hcd *h = hcd_start(.args = ISOAV_SUPER_ARGS, .props = "p3=0");
    HcdDev *dev = hcd_isoav_configured(h);
    HcdSetup set_interface = { .type = 0x01,
                               .request = 11,
                               .value = ISOAV_TEST_ALT_SUPER,
                               .index = ISOAV_IFACE_TEST };

    hcd_check(dev->speed == SPEED_HIGH, "the device came up at speed %u",
              dev->speed);
    hcd_expect_cc(hcd_control(h, dev, set_interface, 0), CC_STALL_ERROR);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("ISO-43/super-speed", super_speed);
    hcd_test_add("ISO-43/no-super-speed", no_super_speed);
    return hcd_test_main(argc, argv);
}
