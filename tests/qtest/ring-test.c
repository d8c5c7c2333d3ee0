/*
 * Transfer rings (xHCI 1.2 §4.9, §4.10.1, §4.11): how TRBs make a TD, which
 * of them get an event, and what its length says. usb-storage answers INQUIRY
 * with 36 bytes, which is short of any larger TD.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define INQUIRY_BYTES 36

/* Three TRBs of 20 bytes: 36 of 60 arrive, 4 are missing in the second. */
typedef struct {
    uint64_t buf;
    uint64_t trb[3];
} ShortTd;

static ShortTd queue_short(Hcd *h, HcdDev *dev, bool isp, bool ioc_last)
{
    ShortTd td = { .buf = hcd_alloc_filled(h, 60, 0xaa) };

    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        td.trb[i] =
            td_normal(h, dev, MSD_IN, .buf = td.buf + 20 * i, .len = 20,
                      .isp = isp, .ch = i < 2, .ioc = i == 2 && ioc_last);
    }
    return td;
}

static void check_inquiry(Hcd *h, uint64_t buf)
{
    char vendor[9] = { 0 };

    qtest_bufread(h->qts, buf + 8, vendor, 8);
    hcd_check(!strcmp(vendor, "QEMU    "), "INQUIRY says \"%s\"", vendor);
}

/* xHCI 1.2 §4.9.1: one transfer from several TRBs. */
static void ring_01_chain(const void *data)
{
    unsigned td_size = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t cbw = hcd_msd_cbw(h, MSD_INQUIRY, INQUIRY_BYTES);
    uint64_t buf = hcd_alloc_filled(h, INQUIRY_BYTES, 0xaa);
    uint64_t last;

    td_normal(h, dev, MSD_OUT, .buf = cbw, .len = 10, .ch = true,
              .td_size = td_size);
    td_normal(h, dev, MSD_OUT, .buf = cbw + 10, .len = 1, .ch = true,
              .td_size = td_size);
    last = td_normal(h, dev, MSD_OUT, .buf = cbw + 11, .len = 20, .ioc = true,
                     .td_size = td_size);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 7, .ch = true,
              .td_size = td_size);
    last = td_normal(h, dev, MSD_IN, .buf = buf + 7, .len = 29, .ioc = true,
                     .td_size = td_size);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    check_inquiry(h, buf);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.5.1: Links inside a TD and between two, both cycles. */
static void ring_02_links(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);

    hcd_expect_cc(hcd_cmd_stop(h, dev, MSD_IN), CC_SUCCESS);
    hcd_event_drain(h);
    dev->ring[MSD_IN] = hcd_ring_new(h, 6);
    hcd_cmd_skip_all(h, dev, MSD_IN);
    for (unsigned i = 0; i < 12; i++) {
        ShortTd td = queue_short(h, dev, false, true);

        hcd_ring_ep(h, dev, MSD_IN);
        hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                      .ptr = td.trb[2]);
        check_inquiry(h, td.buf);
        hcd_msd_status(h, dev);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.2: half a TD is no TD yet. */
static void ring_03_half_a_td(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t cbw = hcd_msd_cbw(h, MSD_INQUIRY, INQUIRY_BYTES);
    uint64_t last;

    td_normal(h, dev, MSD_OUT, .buf = cbw, .len = 10, .ch = true);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_quiet(h, 80);
    last = td_normal(h, dev, MSD_OUT, .buf = cbw + 10, .len = 21, .ioc = true);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.7: as many events as IOC flags, in ring order. */
static void ring_06_ioc_on_each(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t cbw = hcd_msd_cbw(h, MSD_INQUIRY, INQUIRY_BYTES);
    uint64_t trb[4];

    for (unsigned i = 0; i < 4; i++) {
        trb[i] = td_normal(h, dev, MSD_OUT, .buf = cbw + 8 * i,
                           .len = i < 3 ? 8 : 7, .ch = i < 3, .ioc = true);
    }
    hcd_ring_ep(h, dev, MSD_OUT);
    for (unsigned i = 0; i < 4; i++) {
        hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS,
                      .ptr = trb[i], .len = HCD_LEN_0);
    }
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1: ISP, and nothing else. */
static void ring_07_short_with_isp(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    ShortTd td = queue_short(h, dev, true, false);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = td.trb[1], .len = 4);
    hcd_expect_quiet(h, 80);
    hcd_check(hcd_mem_is(h, td.buf + INQUIRY_BYTES, 60 - INQUIRY_BYTES, 0xaa),
              "bytes past the short packet were written");
    hcd_msd_status(h, dev);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1.2: two events for one short packet. */
static void ring_08_short_twice(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    ShortTd td = queue_short(h, dev, true, true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = td.trb[1], .len = 4);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = td.trb[2], .len = 4);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1.2: IOC on the last TRB alone. */
static void ring_09_short_with_ioc(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    ShortTd td = queue_short(h, dev, false, true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = td.trb[2], .len = 4);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1: ISP and IOC on the TRB that is short: one event. */
static void ring_09_isp_and_ioc(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t trb;

    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    trb = td_normal(h, dev, MSD_IN, .buf = buf, .len = 64, .isp = true,
                    .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = trb, .len = 64 - INQUIRY_BYTES);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.1.1: a short TD is no obstacle for the next. */
static void ring_10_next_td_runs(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    ShortTd td = queue_short(h, dev, true, false);
    uint64_t csw = hcd_alloc_filled(h, MSD_CSW_BYTES, 0xaa);
    uint64_t next = td_normal(h, dev, MSD_IN, .buf = csw, .len = MSD_CSW_BYTES,
                              .ioc = true);

    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = td.trb[1], .len = 4);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = next,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.1: a TD of length 0 is a transfer of length 0. */
static void ring_11_zero_length(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa);
    uint64_t trb;

    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    trb = td_normal(h, dev, MSD_IN, .buf = buf, .len = 0, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_check(hcd_mem_is(h, buf, 64, 0xaa), "a TD of length 0 moved data");
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.5.2: Event Data reports what the TD moved. */
static void ring_13_event_data(const void *data)
{
    bool ent = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, INQUIRY_BYTES, 0xaa);
    uint64_t cookie = UINT64_C(0x0123456789abcdef);

    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 20, .ch = true);
    td_normal(h, dev, MSD_IN, .buf = buf + 20, .len = 16, .ch = true,
              .ent = ent);
    td_event_data(h, dev, MSD_IN, .buf = cookie, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = cookie,
                  .len = INQUIRY_BYTES, .ed = true);
    hcd_expect_quiet(h, 80);
    check_inquiry(h, buf);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.5.2: with a short packet, and cleared for the next TD. */
static void ring_14_event_data_short(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 60, 0xaa);
    uint64_t csw = hcd_alloc_filled(h, MSD_CSW_BYTES, 0xaa);

    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    for (unsigned i = 0; i < 3; i++) {
        td_normal(h, dev, MSD_IN, .buf = buf + 20 * i, .len = 20, .ch = true);
    }
    td_event_data(h, dev, MSD_IN, .buf = 0x1111, .ioc = true);
    td_normal(h, dev, MSD_IN, .buf = csw, .len = MSD_CSW_BYTES, .ch = true);
    td_event_data(h, dev, MSD_IN, .buf = 0x2222, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = 0x1111, .len = INQUIRY_BYTES, .ed = true);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = 0x2222,
                  .len = MSD_CSW_BYTES, .ed = true);
    hcd_finish(h);
}

/* xHCI 1.2 §6.4.1.4: a No-op needs no bus; usb-storage would STALL. */
static void ring_15_no_op(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    static const unsigned dcis[] = { MSD_IN, MSD_OUT, 1 };

    for (unsigned i = 0; i < ARRAY_SIZE(dcis); i++) {
        uint64_t trb = td_noop(h, dev, dcis[i], .ioc = true);

        hcd_ring_ep(h, dev, dcis[i]);
        hcd_expect_te(h, .dev = dev, .dci = dcis[i], .cc = CC_SUCCESS,
                      .ptr = trb, .len = HCD_LEN_0);
    }
    hcd_msd_command(h, dev, MSD_INQUIRY, INQUIRY_BYTES);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.5.1: IOC on the Link that closes the ring. */
static void ring_04_ioc_on_link(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t cbw = hcd_msd_cbw(h, MSD_INQUIRY, INQUIRY_BYTES);
    HcdRing *ring = &dev->ring[MSD_OUT];
    HcdRing next = hcd_ring_new(h, 16);
    uint64_t link, trb;

    link = hcd_ring_put(h, ring, hcd_trb_ptr(TRB_LINK, next.base, 0, TRB_IOC));
    *ring = next;
    trb = td_normal(h, dev, MSD_OUT, .buf = cbw, .len = MSD_CBW_BYTES,
                    .ioc = true);
    hcd_ring_ep(h, dev, MSD_OUT);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS, .ptr = link);
    hcd_expect_te(h, .dev = dev, .dci = MSD_OUT, .cc = CC_SUCCESS, .ptr = trb);
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.1: a large TD that crosses 64 KB, and its guards. */
static void ring_05_large(void)
{
    enum { BYTES = 128 * 1024 };
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, BYTES, 0xaa);
    uint64_t last = 0;

    hcd_msd_command(h, dev, MSD_READ10, BYTES);
    for (unsigned done = 0; done < BYTES; done += 32768) {
        last =
            td_normal(h, dev, MSD_IN, .buf = buf + done, .len = 32768,
                      .ch = done + 32768 < BYTES, .ioc = done + 32768 == BYTES);
    }
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS, .ptr = last,
                  .len = HCD_LEN_0);
    hcd_check(hcd_mem_is(h, buf, BYTES, 0), "the data did not arrive in full");
    hcd_check(hcd_mem_is(h, buf - 64, 64, 0xaa) &&
                  hcd_mem_is(h, buf + BYTES, 64, 0xaa),
              "bytes around the buffer were written");
    hcd_msd_status(h, dev);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add_data("RING-01/chain", ring_01_chain, GUINT_TO_POINTER(0));
    hcd_test_add_data("RING-16/td-size-31", ring_01_chain,
                      GUINT_TO_POINTER(31));
    hcd_test_add("RING-02/links", ring_02_links);
    hcd_test_add("RING-03/half-a-td", ring_03_half_a_td);
    hcd_test_add("RING-04/ioc-on-link", ring_04_ioc_on_link);
    hcd_test_add("RING-05/large", ring_05_large);
    hcd_test_add("RING-06/ioc-on-each", ring_06_ioc_on_each);
    hcd_test_add("RING-07/short-with-isp", ring_07_short_with_isp);
    hcd_test_add("RING-08/short-twice", ring_08_short_twice);
    hcd_test_add("RING-09/short-with-ioc", ring_09_short_with_ioc);
    hcd_test_add("RING-09/isp-and-ioc", ring_09_isp_and_ioc);
    hcd_test_add("RING-10/next-td-runs", ring_10_next_td_runs);
    hcd_test_add("RING-11/zero-length", ring_11_zero_length);
    hcd_test_add_data("RING-13/event-data", ring_13_event_data,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("RING-17/ent", ring_13_event_data, GUINT_TO_POINTER(1));
    hcd_test_add("RING-14/event-data-short", ring_14_event_data_short);
    hcd_test_add("RING-15/no-op", ring_15_no_op);
    return hcd_test_main(argc, argv);
}
