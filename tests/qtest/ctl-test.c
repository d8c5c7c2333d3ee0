/*
 * Control transfers (xHCI 1.2 §4.11.2.2): Setup, Data and Status Stage.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "isolab/isoav.h"

#define DESCRIPTOR_BYTES 18

static HcdSetup get_descriptor(unsigned length)
{
    return (HcdSetup){
        .type = 0x80, .request = 6, .value = 0x100, .length = length
    };
}

static HcdDev *open_kbd(Hcd *h)
{
    return hcd_dev_open(h, hcd_port_connected(h, 0));
}

/* xHCI 1.2 §4.11.2.2: IOC on the Status Stage alone: one event. */
static void ctl_01_one_event(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, DESCRIPTOR_BYTES, 0xaa);
    uint64_t status;

    td_setup(h, dev, get_descriptor(DESCRIPTOR_BYTES));
    td_data(h, dev, .buf = buf, .len = DESCRIPTOR_BYTES, .in = true);
    status = td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = status,
                  .len = HCD_LEN_0);
    hcd_expect_quiet(h, 80);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112, "no device descriptor");
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.2: a doorbell for each stage is as good. */
static void ctl_01_stage_by_stage(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, DESCRIPTOR_BYTES, 0xaa);
    uint64_t trb;

    td_setup(h, dev, get_descriptor(DESCRIPTOR_BYTES));
    hcd_ring_ep(h, dev, 1);
    hcd_expect_quiet(h, 8);
    trb = td_data(h, dev, .buf = buf, .len = DESCRIPTOR_BYTES, .in = true,
                  .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_step_uf(h, 8);
    td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = trb);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112, "no device descriptor");
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.2: a Data Stage of several TRBs, with Event Data. */
static void ctl_02_chained_data_stage(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, DESCRIPTOR_BYTES, 0xaa);
    uint64_t status;

    td_setup(h, dev, get_descriptor(DESCRIPTOR_BYTES));
    td_data(h, dev, .buf = buf, .len = 8, .in = true, .ch = true);
    td_normal(h, dev, 1, .buf = buf + 8, .len = 8, .ch = true);
    td_normal(h, dev, 1, .buf = buf + 16, .len = 2, .ch = true);
    td_event_data(h, dev, 1, .buf = 0x5555, .ioc = true);
    status = td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = 0x5555,
                  .len = DESCRIPTOR_BYTES, .ed = true);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = status,
                  .len = HCD_LEN_0);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112 &&
                  qtest_readb(h->qts, buf + 17) == 1,
              "no device descriptor");
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.2: Event Data behind the Status Stage. */
static void ctl_02_chained_status_stage(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, DESCRIPTOR_BYTES, 0xaa);

    td_setup(h, dev, get_descriptor(DESCRIPTOR_BYTES));
    td_data(h, dev, .buf = buf, .len = DESCRIPTOR_BYTES, .in = true);
    td_status(h, dev, .ch = true);
    td_event_data(h, dev, 1, .buf = 0x6666, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = 0x6666,
                  .ed = true);
    hcd_expect_quiet(h, 80);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112, "no device descriptor");
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.1.2.2: short data, then the Status Stage. */
static void ctl_03_short_data(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t trb, status;

    td_setup(h, dev, get_descriptor(64));
    trb = td_data(h, dev, .buf = buf, .len = 64, .in = true, .isp = true);
    status = td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SHORT_PACKET, .ptr = trb,
                  .len = 64 - DESCRIPTOR_BYTES);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = status,
                  .len = HCD_LEN_0);
    hcd_check(
        hcd_mem_is(h, buf + DESCRIPTOR_BYTES, 64 - DESCRIPTOR_BYTES, 0xaa),
        "bytes past the short packet were written");
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.2: the stage that was stalled is named. */
static void ctl_04_stall_in_data(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    HcdSetup unknown = { .type = 0xc0, .request = 0x77, .length = 8 };
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t trb;

    td_setup(h, dev, unknown);
    trb = td_data(h, dev, .buf = buf, .len = 8, .in = true);
    td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_STALL_ERROR, .ptr = trb);
    hcd_expect_quiet(h, 80);
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_HALTED, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_finish(h);
}

static void ctl_04_stall_in_status(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    HcdSetup unknown = { .type = 0x40, .request = 0x77 };
    uint64_t status;

    td_setup(h, dev, unknown);
    status = td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_STALL_ERROR, .ptr = status);
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_HALTED, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.2: broken Setup TRBs hurt one endpoint at most. */
static void ctl_05_bad_setup(const void *data)
{
    const HcdTd *setup = data;
    Hcd *h = hcd_start(.args = KBD_ARGS "-device usb-tablet,bus=xhci.0");
    HcdDev *dev = open_kbd(h);
    HcdDev *other = hcd_dev_open(h, hcd_port_connected(h, 1));
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);

    hcd_td(h, dev, 1, *setup);
    td_data(h, dev, .buf = buf, .len = 8, .in = true);
    td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_control(h, other, get_descriptor(DESCRIPTOR_BYTES), buf),
                  CC_SUCCESS);
    hcd_check(qtest_readw(h->qts, buf) == 0x0112, "no device descriptor");
    hcd_finish(h);
}

/* wLength says 512, the Data Stage has room for 8: never more than 8. */
static void ctl_05_wlength_beyond_buffer(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = open_kbd(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);

    td_setup(h, dev, get_descriptor(512));
    td_data(h, dev, .buf = buf, .len = 8, .in = true, .ioc = true);
    td_status(h, dev, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1);
    hcd_event_drain(h);
    hcd_check(hcd_mem_is(h, buf + 8, 64, 0xaa),
              "bytes past the Data Stage's buffer were written");
    hcd_finish(h);
}

/* An OUT Data Stage, and one with Immediate Data (RING-12). */
static void ring_12_immediate_data(const void *data)
{
    bool idt = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_kbd(h);
    HcdSetup set = { .type = 0x41,
                     .request = ISOAV_REQ_FORMAT,
                     .index = ISOAV_IFACE_VIDEO,
                     .length = 8 };
    HcdSetup get = { .type = 0xc1,
                     .request = ISOAV_REQ_FORMAT,
                     .index = ISOAV_IFACE_VIDEO,
                     .length = 8 };
    uint64_t format = 320 | 240 << 16 | UINT64_C(666666) << 32;
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    uint64_t status;

    hcd_set_configuration(h, dev, 1);
    qtest_writeq(h->qts, buf, format);
    td_setup(h, dev, set);
    td_data(h, dev, .buf = idt ? format : buf, .len = 8, .idt = idt);
    status = td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = status);
    qtest_writeq(h->qts, buf, 0);
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_SUCCESS);
    hcd_check(qtest_readq(h->qts, buf) == format,
              "the device has %" PRIx64 ", it was sent %" PRIx64,
              qtest_readq(h->qts, buf), format);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    static HcdTd no_idt = {
        .type = TRB_SETUP_STAGE, .buf = 0x1000, .len = 8, .trt = TRT_IN
    };
    static HcdTd long_setup = {
        .type = TRB_SETUP_STAGE, .len = 16, .idt = true, .trt = TRT_IN
    };
    static HcdTd wrong_trt = {
        .type = TRB_SETUP_STAGE, .len = 8, .idt = true, .trt = TRT_OUT
    };

    long_setup.buf = wrong_trt.buf = hcd_setup_bytes(get_descriptor(8));
    hcd_test_add("CTL-01/one-event", ctl_01_one_event);
    hcd_test_add("CTL-01/stage-by-stage", ctl_01_stage_by_stage);
    hcd_test_add("CTL-02/chained-data-stage", ctl_02_chained_data_stage);
    hcd_test_add("CTL-02/chained-status-stage", ctl_02_chained_status_stage);
    hcd_test_add("CTL-03/short-data", ctl_03_short_data);
    hcd_test_add("CTL-04/stall-in-data", ctl_04_stall_in_data);
    hcd_test_add("CTL-04/stall-in-status", ctl_04_stall_in_status);
    hcd_test_add_data("CTL-05/no-idt", ctl_05_bad_setup, &no_idt);
    hcd_test_add_data("CTL-05/16-bytes", ctl_05_bad_setup, &long_setup);
    hcd_test_add_data("CTL-05/wrong-trt", ctl_05_bad_setup, &wrong_trt);
    hcd_test_add("CTL-05/wlength-beyond-buffer", ctl_05_wlength_beyond_buffer);
    hcd_test_add_data("RING-12/data-stage-out", ring_12_immediate_data,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("RING-12/immediate-data", ring_12_immediate_data,
                      GUINT_TO_POINTER(1));
    return hcd_test_main(argc, argv);
}
