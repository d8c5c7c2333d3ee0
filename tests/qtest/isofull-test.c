/*
 * Isochronous transfers at full speed: usb-isoav with speed=full on a root
 * port, one packet in a frame of eight microframes.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "isolab/isoav.h"

#define ISOAV_FULL_ARGS "-device usb-isoav,id=av,bus=xhci.0,speed=full "

/* xHCI 1.2 §6.2.3.6: bInterval 1 of a full-speed endpoint is 2^3 microframes */
enum { TDS = 6, INTERVAL = 3, FRAME_UF = 8 };

/* include/isolab/isoav.h, by alternate */
static const unsigned video_bytes[] = { 0, 192, 384, 512, 768, 1023 };
static const unsigned test_bytes[] = { 0, 96, 192, 1023, 512, 384 };

static unsigned add(Hcd *h, HcdDev *dev, unsigned dci, unsigned bytes)
{
    hcd_ep_prepare(
        h, dev,
        (HcdEp){ .dci = dci,
                 .type = dci & 1 ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT,
                 .mps = bytes,
                 .interval = INTERVAL,
                 .esit = bytes });
    return hcd_cmd_configure(h, dev, 1u << dci | 1, 0);
}

static void drop(Hcd *h, HcdDev *dev, unsigned dci)
{
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1, 1u << dci), CC_SUCCESS);
}

static unsigned select_alternate(Hcd *h, HcdDev *dev, unsigned iface,
                                 unsigned alternate)
{
    HcdSetup set_interface = {
        .type = 0x01, .request = 11, .value = alternate, .index = iface
    };

    return hcd_control(h, dev, set_interface, 0);
}

static HcdDev *open_full(Hcd *h)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_check(dev->speed == SPEED_FULL, "the device came up at speed %u",
              dev->speed);
    return dev;
}

/* TDs of an IN endpoint: each is filled, each is of its own frame. */
static void stream(Hcd *h, HcdDev *dev, unsigned dci, unsigned bytes)
{
    uint64_t buf[TDS], trb[TDS], first = 0;

    for (unsigned i = 0; i < TDS; i++) {
        buf[i] = hcd_alloc_filled(h, 1024, 0xaa);
        trb[i] = td_isoch(h, dev, dci, .buf = buf[i], .len = bytes, .sia = true,
                          .ioc = true);
    }
    hcd_ring_ep(h, dev, dci);
    for (unsigned i = 0; i < TDS; i++) {
        uint64_t uf;

        hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_SUCCESS,
                      .ptr = trb[i], .len = HCD_LEN_0, .limit_uf = 24);
        uf = hcd_isoav_microframe(h, buf[i], bytes);
        first = i ? first : uf;
        hcd_check(uf == first + i * FRAME_UF,
                  "TD %u has the packet of microframe %" PRIu64
                  ", the first one that of %" PRIu64,
                  i, uf, first);
        hcd_check(hcd_mem_is(h, buf[i] + bytes, 1024 - bytes, 0xaa),
                  "TD %u wrote behind its %u bytes", i, bytes);
    }
}

static void every_video_alternate(void)
{
    Hcd *h = hcd_start(.args = ISOAV_FULL_ARGS);
    HcdDev *dev = open_full(h);

    for (unsigned i = 1; i <= ISOAV_VIDEO_ALT_MAX; i++) {
        hcd_expect_cc(add(h, dev, ISOAV_VIDEO, video_bytes[i]), CC_SUCCESS);
        hcd_expect_cc(select_alternate(h, dev, ISOAV_IFACE_VIDEO, i),
                      CC_SUCCESS);
        stream(h, dev, ISOAV_VIDEO, video_bytes[i]);
        drop(h, dev, ISOAV_VIDEO);
    }
    hcd_finish(h);
}

/* USB 2.0 §5.6.3: nine tenths of a frame; 3 is too much in both directions. */
static void every_test_alternate(void)
{
    Hcd *h = hcd_start(.args = ISOAV_FULL_ARGS);
    HcdDev *dev = open_full(h);

    for (unsigned i = 1; i <= ISOAV_TEST_ALT_MAX; i++) {
        hcd_expect_cc(add(h, dev, ISOAV_IN, test_bytes[i]), CC_SUCCESS);
        hcd_expect_cc(add(h, dev, ISOAV_OUT, test_bytes[i]),
                      i == 3 ? CC_BANDWIDTH_ERROR : CC_SUCCESS);
        hcd_expect_cc(select_alternate(h, dev, ISOAV_IFACE_TEST, i),
                      CC_SUCCESS);
        stream(h, dev, ISOAV_IN, test_bytes[i]);
        drop(h, dev, ISOAV_IN);
        if (i != 3) {
            drop(h, dev, ISOAV_OUT);
        }
    }
    hcd_expect_cc(
        select_alternate(h, dev, ISOAV_IFACE_TEST, ISOAV_TEST_ALT_SUPER),
        CC_STALL_ERROR);
    hcd_finish(h);
}

/* What was sent is what arrived, each packet once. */
static void out(void)
{
    enum { ALTERNATE = 4 };
    unsigned most = test_bytes[ALTERNATE];
    Hcd *h = hcd_start(.args = ISOAV_FULL_ARGS);
    HcdDev *dev = open_full(h);
    uint64_t trb[TDS];

    hcd_expect_cc(add(h, dev, ISOAV_OUT, most), CC_SUCCESS);
    hcd_expect_cc(select_alternate(h, dev, ISOAV_IFACE_TEST, ALTERNATE),
                  CC_SUCCESS);
    for (unsigned i = 0; i < TDS; i++) {
        trb[i] =
            td_isoch(h, dev, ISOAV_OUT, .buf = hcd_isoav_out_packet(h, i, most),
                     .len = most, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < TDS; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_SUCCESS,
                      .ptr = trb[i], .limit_uf = 24);
    }
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_PACKETS_OUT) == TDS &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT) == 0 &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_LOST_OUT) == 0,
              "the device has %" PRIu64 " packets, %" PRIu64 " bad ones",
              hcd_isoav_counter(h, dev, ISOAV_COUNT_PACKETS_OUT),
              hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT));
    hcd_finish(h);
}

/* Saved in mid-stream; after it the device is still one of full speed. */
static void saved(void)
{
    Hcd *h = hcd_start(.args = ISOAV_FULL_ARGS);
    HcdDev *dev = open_full(h);

    hcd_expect_cc(add(h, dev, ISOAV_VIDEO, 1023), CC_SUCCESS);
    hcd_expect_cc(select_alternate(h, dev, ISOAV_IFACE_VIDEO, 5), CC_SUCCESS);
    stream(h, dev, ISOAV_VIDEO, 1023);
    hcd_migrate(h);
    stream(h, dev, ISOAV_VIDEO, 1023);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("ISO-44/full-speed/video", every_video_alternate);
    hcd_test_add("ISO-44/full-speed/test", every_test_alternate);
    hcd_test_add("ISO-44/full-speed/out", out);
    hcd_test_add("ISO-44/full-speed/saved", saved);
    return hcd_test_main(argc, argv);
}
