/*
 * usbhost: real devices in a virtual machine. This runs in the guest, where
 * usb-isoav and a disk are on a bus with a Linux driver, and starts a QEMU of
 * its own there: usb-host takes the devices through usbfs, ixhci or qemu-xhci
 * shows them, and the driver of the qtests plays the inner guest's part.
 *
 *   usbhost [--tap] [-p PATH]
 *
 *   AV_DESCRIPTORS, DISK_DESCRIPTORS  what sysfs has read from the devices
 *
 * The inner machine's clock is the guest's, as usb-host's devices do not wait
 * for one that a test steps. All TDs of a stream are therefore queued before
 * its doorbell rings, and looked at after it has ended.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "../qtest/lib/hcd.h"
#include "isolab/isoav.h"

enum {
    ALTERNATE = 1,
    IN_TDS = 512,
    IN_PACKETS = 256, /* of them, with data */
    OUT_TDS = 256,    /* 8 URBs of usb-host's */
    DISK_BYTES = 65536,
};

/* The disk begins with the numbers from `first` on, a line each. Each run
 * writes those that the next one reads. */
typedef struct {
    const char *controller;
    unsigned first;
} Run;

static const Run runs[] = { { "ixhci", 1 }, { "qemu-xhci", 2 } };

static void get_descriptor(Hcd *h, HcdDev *dev, unsigned type, uint8_t *to,
                           unsigned bytes)
{
    uint64_t buf = hcd_alloc_filled(h, bytes, 0xee);
    HcdSetup setup = {
        .type = 0x80, .request = 6, .value = type << 8, .length = bytes
    };

    hcd_expect_cc(hcd_control(h, dev, setup, buf), CC_SUCCESS);
    qtest_bufread(h->qts, buf, to, bytes);
}

/* The device descriptor and the first configuration's, to the byte. */
static void expect_descriptors(Hcd *h, HcdDev *dev, const char *variable)
{
    const char *path = g_getenv(variable);
    g_autofree char *text = NULL;
    uint8_t got[4096];
    gsize bytes;
    unsigned total;

    hcd_check(path && g_file_get_contents(path, &text, &bytes, NULL),
              "%s names no file of descriptors", variable);
    get_descriptor(h, dev, 1, got, 18);
    get_descriptor(h, dev, 2, got + 18, 9);
    total = isoav_get16(got + 18 + 2);
    hcd_check(18 + total <= MIN(bytes, sizeof(got)),
              "a configuration of %u bytes", total);
    get_descriptor(h, dev, 2, got + 18, total);
    hcd_check(memcmp(got, text, 18 + total) == 0,
              "the descriptors are not those of %s", path);
}

static void add_isoch(Hcd *h, HcdDev *dev, unsigned dci)
{
    unsigned bytes = hcd_isoav_packet_bytes(ALTERNATE);

    hcd_ep_add(h, dev, .dci = dci,
               .type = dci & 1 ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT,
               .mps = bytes, .esit = bytes, .trbs = IN_TDS + 2);
}

/* usb-host answers with nothing while none of its URBs has come back; what it
 * answers with is without a hole. */
static void isoch_in(Hcd *h, HcdDev *dev)
{
    unsigned bytes = hcd_isoav_packet_bytes(ALTERNATE), packets = 0;
    uint64_t buf[IN_TDS], trb[IN_TDS];

    for (unsigned i = 0; i < IN_TDS; i++) {
        buf[i] = hcd_alloc(h, bytes, 64);
        trb[i] = td_isoch(h, dev, ISOAV_IN, .buf = buf[i], .len = bytes,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    for (unsigned i = 0; i < IN_TDS; i++) {
        HcdEvent event =
            hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                          .cc2 = CC_SHORT_PACKET, .ptr = trb[i]);
        unsigned received = bytes - event.len;

        if (received == 0) {
            continue;
        }
        hcd_check(hcd_isoav_sequence(h, buf[i], received) == packets,
                  "packet %u has another number", packets);
        packets++;
    }
    hcd_step_uf(h, 8); /* Ring Overrun */
    hcd_event_drain(h);
    hcd_check(packets >= IN_PACKETS, "only %u packets came", packets);
    g_test_message("%u isochronous packets in, none lost", packets);
}

static void isoch_out(Hcd *h, HcdDev *dev)
{
    unsigned bytes = hcd_isoav_packet_bytes(ALTERNATE);
    uint64_t trb[OUT_TDS];

    for (unsigned i = 0; i < OUT_TDS; i++) {
        trb[i] = td_isoch(h, dev, ISOAV_OUT,
                          .buf = hcd_isoav_out_packet(h, i, bytes),
                          .len = bytes, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < OUT_TDS; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_OUT, .cc = CC_SUCCESS,
                      .ptr = trb[i]);
    }
    hcd_step_uf(h, OUT_TDS); /* what usb-host holds goes out; Ring Underrun */
    hcd_event_drain(h);
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_PACKETS_OUT) == OUT_TDS,
              "the device has received %" PRIu64 " packets",
              hcd_isoav_counter(h, dev, ISOAV_COUNT_PACKETS_OUT));
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT) == 0 &&
                  hcd_isoav_counter(h, dev, ISOAV_COUNT_LOST_OUT) == 0,
              "packets were damaged or lost");
}

/* DISK_BYTES of numbers. */
static void numbers(unsigned first, char *to)
{
    g_autoptr(GString) text = g_string_new(NULL);

    while (text->len < DISK_BYTES) {
        g_string_append_printf(text, "%u\n", first++);
    }
    memcpy(to, text->str, DISK_BYTES);
}

static void bulk(Hcd *h, HcdDev *dev, unsigned dci, uint64_t buf)
{
    uint64_t trb =
        td_normal(h, dev, dci, .buf = buf, .len = DISK_BYTES, .ioc = true);

    hcd_ring_ep(h, dev, dci);
    hcd_expect_te(h, .dev = dev, .dci = dci, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_check(hcd_msd_status(h, dev) == 0, "the disk has refused");
}

static void disk(Hcd *h, HcdDev *dev, unsigned first)
{
    uint64_t buf = hcd_alloc(h, DISK_BYTES, DISK_BYTES);
    static char want[DISK_BYTES], got[DISK_BYTES];

    /* SPC-3 §5.7: it may say that it was reset, once. */
    hcd_msd_command(h, dev, MSD_TEST_UNIT_READY, 0);
    hcd_msd_status(h, dev);
    numbers(first, want);
    hcd_msd_command(h, dev, MSD_READ10, DISK_BYTES);
    bulk(h, dev, MSD_IN, buf);
    qtest_bufread(h->qts, buf, got, DISK_BYTES);
    for (unsigned i = 0; i < DISK_BYTES; i++) {
        hcd_check(got[i] == want[i], "byte %u of the disk is read as %02x", i,
                  (uint8_t)got[i]);
    }
    numbers(first + 1, want);
    qtest_bufwrite(h->qts, buf, want, DISK_BYTES);
    hcd_msd_command(h, dev, MSD_WRITE10, DISK_BYTES);
    bulk(h, dev, MSD_OUT, buf);
}

static void pass_through(const void *data)
{
    const Run *run = data;
    g_autofree char *rom = hcd_rom_halt();
    g_autofree char *args =
        g_strdup_printf("-accel tcg -bios %s -device usb-host,id=av,"
                        "bus=xhci.0,vendorid=%u,productid=%u",
                        rom, ISOAV_VENDOR_ID, ISOAV_PRODUCT_ID);
    Hcd *h = hcd_start(.controller = run->controller, .args = args,
                       .own_clock = true, .event_trbs = 2 * IN_TDS);
    HcdDev *dev = hcd_isoav_configured(h);

    unlink(rom);
    h->options.args = NULL;
    expect_descriptors(h, dev, "AV_DESCRIPTORS");
    add_isoch(h, dev, ISOAV_IN);
    add_isoch(h, dev, ISOAV_OUT);
    hcd_isoav_select(h, dev, ALTERNATE);
    isoch_in(h, dev);
    isoch_out(h, dev);
    hcd_unplug(h, "av");
    hcd_step_uf(h, 80);
    hcd_event_drain(h);

    qtest_qmp_device_add(h->qts, "usb-host", "disk",
                         "{'bus': 'xhci.0', 'vendorid': 18164, "
                         "'productid': 1}");
    hcd_step_uf(h, 80);
    dev = hcd_msd_open(h);
    expect_descriptors(h, dev, "DISK_DESCRIPTORS");
    disk(h, dev, run->first);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(runs); i++) {
        hcd_test_add_data(runs[i].controller, pass_through, &runs[i]);
    }
    return hcd_test_main(argc, argv);
}
