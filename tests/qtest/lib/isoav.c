/*
 * usb-isoav's test interface: 82h sends packets that carry their number and
 * the microframe in which they were sent, which makes a buffer say when the
 * controller served it; 02h checks and counts what it receives.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "hcd.h"
#include "isolab/isoav.h"

static const struct {
    unsigned transactions, mps, interval;
} alternates[ISOAV_TEST_ALT_SUPER + 1] = {
    [1] = { 1, 192, 0 },  [2] = { 1, 1024, 0 },
    [3] = { 3, 1024, 0 }, [4] = { 1, 1024, 3 },
    [5] = { 2, 1024, 0 }, [6] = { 48, 1024, 0 }, /* with ISOAV_SUPER_ARGS */
};

unsigned hcd_isoav_packet_bytes(unsigned alternate)
{
    return alternates[alternate].transactions * alternates[alternate].mps;
}

void hcd_isoav_add_ep(Hcd *h, HcdDev *dev, unsigned alternate, unsigned dci)
{
    hcd_ep_add(h, dev, .dci = dci,
               .type = dci & 1 ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT,
               .mps = alternates[alternate].mps,
               .burst = MIN(alternates[alternate].transactions, 16) - 1,
               .mult = (alternates[alternate].transactions - 1) / 16,
               .interval = alternates[alternate].interval,
               .esit = hcd_isoav_packet_bytes(alternate), .trbs = 256);
}

/* Addressed and configured, no endpoint yet, every alternate 0. */
HcdDev *hcd_isoav_configured(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_check(dev->speed == SPEED_FULL || dev->speed == SPEED_HIGH ||
                  dev->speed == SPEED_SUPER,
              "usb-isoav came up at speed %u", dev->speed);
    hcd_set_configuration(h, dev, 1);
    return dev;
}

/* SET_INTERFACE: the device's half of opening a stream. */
void hcd_isoav_select(Hcd *h, HcdDev *dev, unsigned alternate)
{
    HcdSetup set_interface = { .type = 0x01,
                               .request = 11,
                               .value = alternate,
                               .index = ISOAV_IFACE_TEST };

    hcd_expect_cc(hcd_control(h, dev, set_interface, 0), CC_SUCCESS);
}

HcdDev *hcd_isoav_open_one(Hcd *h, unsigned alternate, unsigned dci)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_isoav_add_ep(h, dev, alternate, dci);
    hcd_isoav_select(h, dev, alternate);
    return dev;
}

HcdDev *hcd_isoav_open(Hcd *h, unsigned alternate)
{
    HcdDev *dev = hcd_isoav_configured(h);

    hcd_isoav_add_ep(h, dev, alternate, ISOAV_IN);
    hcd_isoav_add_ep(h, dev, alternate, ISOAV_OUT);
    hcd_isoav_select(h, dev, alternate);
    return dev;
}

/* IEEE 802.3, bit by bit. */
static uint32_t crc32(const uint8_t *bytes, size_t n, uint32_t crc)
{
    crc = ~crc;
    while (n--) {
        crc ^= *bytes++;
        for (unsigned bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
        }
    }
    return ~crc;
}

static isoav_packet load_packet(Hcd *h, uint64_t buf, uint32_t bytes)
{
    g_autofree uint8_t *wire = g_malloc(bytes);
    isoav_packet packet = { 0 };
    uint32_t crc;
    int verdict;

    qtest_bufread(h->qts, buf, wire, bytes);
    verdict = isoav_packet_load(&packet, wire, bytes);
    hcd_check(verdict == ISOAV_PACKET_OK,
              "a packet of %u bytes is broken: %d, it begins %02x %02x %02x",
              bytes, verdict, wire[0], wire[1], wire[2]);
    crc = crc32(wire, ISOAV_OFF_CRC, 0);
    crc = crc32(wire + ISOAV_HEADER_BYTES, packet.length, crc);
    hcd_check(crc == packet.crc, "the CRC of a packet is wrong");
    return packet;
}

uint64_t hcd_isoav_microframe(Hcd *h, uint64_t buf, uint32_t bytes)
{
    return load_packet(h, buf, bytes).microframe;
}

uint32_t hcd_isoav_sequence(Hcd *h, uint64_t buf, uint32_t bytes)
{
    return load_packet(h, buf, bytes).sequence;
}

/* A good packet for 02h in guest memory. */
uint64_t hcd_isoav_out_packet(Hcd *h, uint32_t sequence, uint32_t bytes)
{
    uint64_t gpa = hcd_alloc(h, bytes, 64);
    g_autofree uint8_t *wire = g_malloc(bytes);
    isoav_packet packet = {
        .version = ISOAV_PROTOCOL_VERSION,
        .stream = ISOAV_STREAM_TEST_OUT,
        .sequence = sequence,
        .length = bytes - ISOAV_HEADER_BYTES,
    };

    isoav_packet_store(wire, &packet);
    for (unsigned i = 0; i < packet.length; i++) {
        wire[ISOAV_HEADER_BYTES + i] = sequence + i;
    }
    isoav_put32(wire + ISOAV_OFF_CRC,
                crc32(wire + ISOAV_HEADER_BYTES, packet.length,
                      crc32(wire, ISOAV_OFF_CRC, 0)));
    qtest_bufwrite(h->qts, gpa, wire, bytes);
    return gpa;
}

uint64_t hcd_isoav_counter(Hcd *h, HcdDev *dev, unsigned counter)
{
    uint64_t buf = hcd_alloc_filled(h, ISOAV_COUNTERS_BYTES, 0);
    HcdSetup setup = { .type = 0xc1,
                       .request = ISOAV_REQ_COUNTERS,
                       .index = ISOAV_IFACE_TEST,
                       .length = ISOAV_COUNTERS_BYTES };

    hcd_expect_cc(hcd_control(h, dev, setup, buf), CC_SUCCESS);
    return qtest_readq(h->qts, buf + 8 * counter);
}
