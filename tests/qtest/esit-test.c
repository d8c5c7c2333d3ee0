/*
 * What one service interval carries (xHCI 1.2 §4.11.2.3, §4.14.2.1, §6.2.3):
 * payload, bursts, and TDs that are larger than either.
 *
 * SuperSpeed is a disk's: its bulk IN endpoint, configured as an isochronous
 * one, sends as many zeros as it is asked for. usb-isoav is of high speed and
 * sends what its alternate says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"
#include "isolab/isoav.h"

#define MPS 1024

/* TRB Transfer Length of the event, as hcd_expect_te wants it. */
static int64_t residue(uint32_t bytes, uint32_t moved)
{
    return bytes > moved ? (int64_t)(bytes - moved) : HCD_LEN_0;
}

/* A disk whose IN endpoint is isochronous, with data_bytes to be read. */
typedef struct {
    Hcd *h;
    HcdDev *dev;
} Disk;

static HcdEp disk_ep(unsigned burst, unsigned mult, unsigned esit)
{
    return (HcdEp){ .dci = MSD_IN,
                    .type = EP_TYPE_ISOCH_IN,
                    .mps = MPS,
                    .burst = burst,
                    .mult = mult,
                    .interval = 3,
                    .esit = esit };
}

static Disk disk_open(const char *args, const char *props, uint32_t usbcmd)
{
    g_autofree char *all = g_strconcat(MSD_ARGS, args, NULL);
    Disk disk = { .h = hcd_start(.args = all, .props = props,
                                 .usbcmd = usbcmd) };
    Hcd *h = disk.h;
    HcdDev *dev = disk.dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_check(dev->speed == SPEED_SUPER, "the disk came up at speed %u",
              dev->speed);
    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = MSD_OUT, .type = EP_TYPE_BULK_OUT, .mps = MPS,
               .burst = 15);
    return disk;
}

/* The disk has the data when some time has passed. */
static void disk_read(Disk *disk, uint32_t data_bytes)
{
    hcd_msd_command(disk->h, disk->dev, MSD_READ10, data_bytes);
    for (unsigned i = 0; i < 16; i++) {
        hcd_step_uf(disk->h, 8);
    }
}

/* A TD of `bytes` with these counts; its code is `cc`, `moved` bytes of it are
 * written and no more. */
static void disk_td(Disk *disk, HcdTd td, unsigned cc, uint32_t moved)
{
    Hcd *h = disk->h;
    uint32_t bytes = td.len;
    uint64_t buf = hcd_alloc_filled(h, bytes, 0xaa), trb;

    td.type = TRB_ISOCH;
    td.buf = buf;
    td.sia = true;
    td.ioc = true;
    trb = hcd_td(h, disk->dev, MSD_IN, td);
    hcd_ring_ep(h, disk->dev, MSD_IN);
    hcd_expect_te(h, .dev = disk->dev, .dci = MSD_IN, .cc = cc, .ptr = trb,
                  .len = residue(bytes, moved));
    hcd_check(hcd_mem_is(h, buf, moved, 0) &&
                  hcd_mem_is(h, buf + moved, bytes - moved + 64, 0xaa),
              "of a TD of %u bytes not the first %u were written", bytes,
              moved);
    hcd_expect_te(h, .dev = disk->dev, .dci = MSD_IN, .cc = CC_RING_OVERRUN);
}

static char *new_file(void)
{
    g_autoptr(GError) error = NULL;
    char *path = NULL;
    int fd = g_file_open_tmp("isolab-XXXXXX", &path, &error);

    g_assert_no_error(error);
    close(fd);
    return path;
}

/* How many TRBs the controller found to have wrong counts, so far. */
static unsigned complaints(const char *path)
{
    g_autofree char *text = NULL;
    unsigned n = 0;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    for (const char *at = text; (at = strstr(at, "ixhci_isoch_bursts")); at++) {
        n++;
    }
    return n;
}

typedef struct {
    unsigned bytes, tbc, tlbpc;
    unsigned cc;
} Bursts;

static void check_bursts(Disk *disk, const char *log, const Bursts *rows,
                         unsigned count, bool ete)
{
    for (unsigned i = 0; i < count; i++) {
        const Bursts *row = &rows[i];

        disk_td(disk,
                (HcdTd){ .len = row->bytes,
                         .tbc = row->tbc,
                         .tlbpc = row->tlbpc,
                         .ete = ete },
                row->cc, row->bytes);
        hcd_check(complaints(log) == i,
                  "%u bytes in %u bursts, %u packets in the last: wrong?",
                  row->bytes, row->tbc + 1, row->tlbpc + 1);
        disk_td(disk,
                (HcdTd){ .len = row->bytes,
                         .tbc = row->tbc ^ 1,
                         .tlbpc = row->tlbpc,
                         .ete = ete },
                row->cc, row->bytes);
        hcd_check(complaints(log) == i + 1, "%u bytes in %u bursts: right?",
                  row->bytes, (row->tbc ^ 1) + 1);
    }
}

/* xHCI 1.2 §4.11.2.3: TBC and TLBPC, right and wrong; the bytes are the same.
 * A TD that ends inside a packet is one into which the device sends more. */
static void iso_41_bursts(void)
{
    static const Bursts rows[] = {
        { 1, 0, 0, CC_ISOCH_BUFFER_OVERRUN },
        { 1024, 0, 0, CC_SUCCESS },
        { 4096, 0, 3, CC_SUCCESS },
        { 12288, 2, 3, CC_SUCCESS },
        { 5000, 1, 0, CC_ISOCH_BUFFER_OVERRUN },
    };
    g_autofree char *log = new_file();
    g_autofree char *args =
        g_strdup_printf("-trace ixhci_isoch_bursts -D %s", log);
    Disk disk = disk_open(args, NULL, 0);

    hcd_ep_add_with(disk.h, disk.dev, disk_ep(3, 2, 12288));
    disk_read(&disk, 65536);
    check_bursts(&disk, log, rows, ARRAY_SIZE(rows), false);
    hcd_finish(disk.h);
    unlink(log);
}

/* xHCI 1.2 §6.4.1.3: with ETE TBC has 5 bits, where TD Size was. */
static void iso_42_ete(void)
{
    static const Bursts rows[] = {
        { 32768, 31, 0, CC_SUCCESS },
        { 17408, 16, 0, CC_SUCCESS },
        { 1024, 0, 0, CC_SUCCESS },
    };
    g_autofree char *log = new_file();
    g_autofree char *args =
        g_strdup_printf("-trace ixhci_isoch_bursts -D %s", log);
    Disk disk = disk_open(args, NULL, USBCMD_ETE);

    hcd_ep_add_with(disk.h, disk.dev, disk_ep(0, 0, 32768));
    disk_read(&disk, 131072);
    check_bursts(&disk, log, rows, ARRAY_SIZE(rows), true);
    hcd_finish(disk.h);
    unlink(log);
}

/* xHCI 1.2 §6.2.3: with LEC the bursts follow from the payload. */
static void iso_43_lec(void)
{
    Disk disk = disk_open("", NULL, 0);
    HcdEp ep = disk_ep(15, 0, 49152);

    hcd_ep_add_with(disk.h, disk.dev, ep);
    hcd_check(xhci_get(hcd_out_read(disk.h, disk.dev, MSD_IN, 4),
                       EP_MAX_ESIT_PAYLOAD_LO) == 49152,
              "Endpoint Context DW4 is %08x",
              hcd_out_read(disk.h, disk.dev, MSD_IN, 4));
    disk_read(&disk, 131072);
    disk_td(&disk, (HcdTd){ .len = 49152 }, CC_SUCCESS, 49152);
    disk_td(&disk, (HcdTd){ .len = 50000 }, CC_BANDWIDTH_OVERRUN, 49152);
    hcd_finish(disk.h);
}

/* Of 24 bits the upper ones count: 64 KiB are more than the bus has in a
 * microframe, or are carried; 576 KiB are more than 32 bursts. */
static void iso_43_lec_large(void)
{
    Disk disk = disk_open("", NULL, 0);
    HcdEp ep = disk_ep(15, 0, 65536);
    unsigned cc;

    hcd_ep_prepare(disk.h, disk.dev, ep);
    cc = hcd_cmd_configure(disk.h, disk.dev, 1u << MSD_IN | 1, 0);
    hcd_check(cc == CC_SUCCESS || cc == CC_BANDWIDTH_ERROR,
              "a payload of 65536 bytes: code %u", cc);
    if (cc == CC_SUCCESS) {
        disk_read(&disk, 65536);
        disk_td(&disk, (HcdTd){ .len = 65536 }, CC_SUCCESS, 65536);
        hcd_expect_cc(hcd_cmd_configure(disk.h, disk.dev, 1, 1u << MSD_IN),
                      CC_SUCCESS);
    }
    ep.esit = 589824;
    hcd_ep_prepare(disk.h, disk.dev, ep);
    hcd_expect_cc(hcd_cmd_configure(disk.h, disk.dev, 1u << MSD_IN | 1, 0),
                  CC_PARAMETER_ERROR);
    hcd_finish(disk.h);
}

/* xHCI 1.2 §6.2.3: without LEC software says Mult, and Hi is reserved. */
static void iso_43_no_lec(void)
{
    static const struct {
        unsigned burst, mult, esit, cc;
    } rows[] = {
        { 15, 0, 49152, CC_PARAMETER_ERROR },
        { 15, 3, 49152, CC_PARAMETER_ERROR },
        { 3, 1, 8193, CC_PARAMETER_ERROR },
        { 15, 2, 49152, CC_SUCCESS },
        { 3, 1, 0x10000 | 2048, CC_SUCCESS },
    };
    Disk disk = disk_open("", "hci-version=1.1", 0);
    uint32_t drop = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        hcd_ep_prepare(disk.h, disk.dev,
                       disk_ep(rows[i].burst, rows[i].mult, rows[i].esit));
        hcd_check(hcd_cmd_configure(disk.h, disk.dev, 1u << MSD_IN | 1, drop) ==
                      rows[i].cc,
                  "burst %u, Mult %u, payload %u: code is not %u",
                  rows[i].burst, rows[i].mult, rows[i].esit, rows[i].cc);
        drop = rows[i].cc == CC_SUCCESS ? 1u << MSD_IN : drop;
    }
    disk_read(&disk, 65536);
    disk_td(&disk, (HcdTd){ .len = 2048 }, CC_SUCCESS, 2048);
    disk_td(&disk, (HcdTd){ .len = 8192 }, CC_BANDWIDTH_OVERRUN, 2048);
    hcd_finish(disk.h);
}

/* usb-isoav at alternate, with an endpoint that the host describes itself. */
static HcdDev *open_as(Hcd *h, unsigned alternate, unsigned dci, unsigned mps,
                       unsigned esit)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_ep_add(h, dev, .dci = dci,
               .type = dci & 1 ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT,
               .mps = mps, .esit = esit, .interval = 3);
    hcd_isoav_select(h, dev, alternate);
    return dev;
}

/* One TD on usb-isoav, and what must come of it. */
typedef struct {
    unsigned alternate;
    unsigned mps, esit, td;
    unsigned cc;
    uint32_t moved;
} Transfer;

/* The device of alternate 1 sends 192 bytes, that of 2 sends 1024. */
static const Transfer babble = { 2, 192, 192, 100, CC_BABBLE_DETECTED, 100 };
static const Transfer past_payload = { 2,  1024, 300, 300, CC_BABBLE_DETECTED,
                                       300 };
static const Transfer within_packet = {
    1, 192, 192, 100, CC_ISOCH_BUFFER_OVERRUN, 100
};
static const Transfer short_first = { 1, 512, 300, 400, CC_SHORT_PACKET, 192 };
static const Transfer used_up = { 1, 512, 192, 400, CC_BANDWIDTH_OVERRUN, 192 };
static const Transfer cut_off = {
    2, 1024, 300, 1024, CC_BANDWIDTH_OVERRUN, 300
};

static void iso_36_transfer(const void *data)
{
    const Transfer *t = data;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_as(h, t->alternate, ISOAV_IN, t->mps, t->esit);
    uint64_t buf = hcd_alloc_filled(h, t->td, 0xaa), trb;

    for (unsigned i = 0; i < 2; i++) {
        trb = td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = t->td, .sia = true,
                       .ioc = true);
        hcd_ring_ep(h, dev, ISOAV_IN);
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = t->cc, .ptr = trb,
                      .len = residue(t->td, t->moved));
        hcd_check(hcd_mem_is(h, buf + t->moved, t->td - t->moved + 64, 0xaa),
                  "more than %u bytes were written", t->moved);
        hcd_check(hcd_ep_state(h, dev, ISOAV_IN) == EP_STATE_RUNNING,
                  "ISO-34: the endpoint is in state %u",
                  hcd_ep_state(h, dev, ISOAV_IN));
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_RING_OVERRUN);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.14.2.1: the TRB at which the payload is used up is the one. */
static void iso_37_offending_trb(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_as(h, 1, ISOAV_IN, 512, 192);
    uint64_t buf = hcd_alloc_filled(h, 400, 0xaa), second;

    td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true, .ch = true);
    second = td_normal(h, dev, ISOAV_IN, .buf = buf + 192, .len = 208);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_BANDWIDTH_OVERRUN,
                  .ptr = second, .len = 208);
    hcd_check(hcd_mem_is(h, buf + 192, 208, 0xaa),
              "more than Max ESIT Payload was moved");
    hcd_finish(h);
}

static void iso_37_out(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = open_as(h, 1, ISOAV_OUT, 192, 192);
    uint64_t large = hcd_isoav_out_packet(h, 0, 400);
    uint64_t good = hcd_isoav_out_packet(h, 1, 192), trb;

    trb = td_isoch(h, dev, ISOAV_OUT, .buf = large, .len = 400, .sia = true,
                   .ioc = true);
    td_isoch(h, dev, ISOAV_OUT, .buf = good, .len = 192, .sia = true,
             .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_BANDWIDTH_OVERRUN,
                  .ptr = trb, .len = 208);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_RING_UNDERRUN);
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_BYTES_OUT) == 384,
              "the device received %" PRIu64 " bytes, not twice 192",
              hcd_isoav_counter(h, dev, ISOAV_COUNT_BYTES_OUT));
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.3.4: what a high-speed endpoint may ask of a microframe. */
static void iso_44_limits(void)
{
    static const struct {
        unsigned burst, mult, esit, cc;
    } rows[] = {
        { 3, 0, 3072, CC_PARAMETER_ERROR },
        { 2, 0, 3073, CC_PARAMETER_ERROR },
        { 0, 0, 1025, CC_PARAMETER_ERROR },
        { 2, 0, 3072, CC_SUCCESS },
    };
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        hcd_ep_prepare(h, dev,
                       (HcdEp){ .dci = ISOAV_IN,
                                .type = EP_TYPE_ISOCH_IN,
                                .mps = 1024,
                                .burst = rows[i].burst,
                                .mult = rows[i].mult,
                                .esit = rows[i].esit });
        hcd_check(hcd_cmd_configure(h, dev, 1u << ISOAV_IN | 1, 0) ==
                      rows[i].cc,
                  "burst %u, payload %u: code is not %u", rows[i].burst,
                  rows[i].esit, rows[i].cc);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add_data("ISO-36/babble", iso_36_transfer, &babble);
    hcd_test_add_data("ISO-36/past-payload", iso_36_transfer, &past_payload);
    hcd_test_add_data("ISO-36/within-packet", iso_36_transfer, &within_packet);
    hcd_test_add_data("ISO-37/short-first", iso_36_transfer, &short_first);
    hcd_test_add_data("ISO-37/used-up", iso_36_transfer, &used_up);
    hcd_test_add_data("ISO-37/cut-off", iso_36_transfer, &cut_off);
    hcd_test_add("ISO-37/offending-trb", iso_37_offending_trb);
    hcd_test_add("ISO-37/out", iso_37_out);
    hcd_test_add("ISO-41/bursts", iso_41_bursts);
    hcd_test_add("ISO-42/ete", iso_42_ete);
    hcd_test_add("ISO-43/lec", iso_43_lec);
    hcd_test_add("ISO-43/lec-large", iso_43_lec_large);
    hcd_test_add("ISO-43/no-lec", iso_43_no_lec);
    hcd_test_add("ISO-44/limits", iso_44_limits);
    return hcd_test_main(argc, argv);
}
