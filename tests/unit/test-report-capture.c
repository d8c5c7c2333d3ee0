/*
 * Captures: what is in a pcap file comes out of it, in either byte order; a
 * file that is cut off or lies about its lengths does no harm; ordinals and
 * times of packets are those of the bus.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <errno.h>
#include <string.h>

#include "bus.h"
#include "capture.h"
#include "command.h"

#define EP1_IN 0x81
#define UF(n) ((int64_t)(n)*UF_NS)

static const usbmon_packet one_good[] = { { 0, 0, 192 } };

static capture_record isoch(char event, uint64_t id, int64_t uf)
{
    return (capture_record){ .ns = UF(uf),
                             .id = id,
                             .event = event,
                             .type = USBMON_ISOCH,
                             .address = EP1_IN,
                             .device = 3,
                             .interval = 1,
                             .length = 192,
                             .packets = one_good,
                             .count = 1 };
}

static void check_fields(bool big, bool nano)
{
    static const usbmon_packet packets[] = { { 0, 0, 100 },
                                             { -EPROTO, 1024, 7 } };
    capture c = { .big = big, .nano = nano };
    capture_record r = isoch('C', 0x1122334455667788, 40000);
    g_autoptr(pcap) p = NULL;
    usbmon_record got;

    r.status = -EXDEV;
    r.packets = packets;
    r.count = 2;
    capture_begin(&c, 220);
    capture_add(&c, &r);
    p = capture_read(&c, NULL);
    g_assert_nonnull(p);
    g_assert_true(pcap_next(p, &got, NULL));
    g_assert_cmphex(got.id, ==, 0x1122334455667788);
    g_assert_cmpint(got.ns, ==, UF(40000));
    g_assert_cmpint(got.event, ==, 'C');
    g_assert_cmpint(got.type, ==, USBMON_ISOCH);
    g_assert_cmphex(got.address, ==, EP1_IN);
    g_assert_cmpint(got.device, ==, 3);
    g_assert_cmpint(got.bus, ==, 1);
    g_assert_cmpint(got.status, ==, -EXDEV);
    g_assert_cmpint(got.length, ==, 192);
    g_assert_cmpint(got.interval, ==, 1);
    g_assert_null(got.setup);
    g_assert_cmpint(got.packets, ==, 2);
    g_assert_cmpint(pcap_packet(p, 1).status, ==, -EPROTO);
    g_assert_cmpint(pcap_packet(p, 1).offset, ==, 1024);
    g_assert_cmpint(pcap_packet(p, 1).length, ==, 7);
    g_assert_false(pcap_next(p, &got, NULL));
    g_assert_false(pcap_is_truncated(p));
}

static void test_fields(void)
{
    check_fields(false, false);
    check_fields(true, false);
    check_fields(false, true);
    check_fields(true, true);
}

static void expect_refused(const void *data, size_t bytes, const char *why)
{
    g_autoptr(GBytes) all = g_bytes_new(data, bytes);
    g_autoptr(GError) error = NULL;

    g_assert_null(pcap_new(all, "f", &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_USAGE);
    if (!strstr(error->message, why)) {
        g_error("\"%s\" does not say \"%s\"", error->message, why);
    }
}

static void test_other_files(void)
{
    static const uint8_t next_generation[32] = { 0x0a, 0x0d, 0x0d, 0x0a };
    capture c = { 0 };

    expect_refused("", 0, "no pcap file");
    expect_refused("PK\3\4", 4, "no pcap file");
    expect_refused(next_generation, sizeof(next_generation), "editcap");
    capture_begin(&c, 1);
    expect_refused(c.bytes->data, c.bytes->len, "link type 1");
    expect_refused(c.bytes->data, 23, "no pcap file");
    g_byte_array_unref(c.bytes);
}

/* Cut at any byte: whole records come out, nothing else happens. */
static void test_cut(void)
{
    capture c = { 0 };
    capture_record r = isoch('S', 1, 8);
    unsigned record;

    capture_begin(&c, 220);
    capture_add(&c, &r);
    record = c.bytes->len - 24;
    capture_add(&c, &r);
    for (unsigned cut = 24; cut <= c.bytes->len; cut++) {
        /* a copy of its own, so that a sanitizer sees its end */
        g_autoptr(GBytes) bytes = g_bytes_new(c.bytes->data, cut);
        g_autoptr(pcap) p = pcap_new(bytes, "f", NULL);
        g_autoptr(GError) error = NULL;
        unsigned records = 0;
        usbmon_record got;

        while (pcap_next(p, &got, &error)) {
            records++;
        }
        g_assert_no_error(error);
        g_assert_cmpint(records, ==, (cut - 24) / record);
        g_assert_cmpint(pcap_is_truncated(p), ==, (cut - 24) % record != 0);
    }
    g_byte_array_unref(c.bytes);
}

/* Lengths that contradict each other. */
static void test_lies(void)
{
    capture c = { 0 };
    capture_record r = isoch('C', 1, 8);
    g_autoptr(GError) error = NULL;
    g_autoptr(pcap) p = NULL;
    usbmon_record got;

    capture_begin(&c, 220);
    capture_add(&c, &r);
    /* ndesc says four thousand million, the record has room for one */
    memset(c.bytes->data + 24 + 16 + 60, 0xff, 4);
    capture_add(&c, &r);
    /* the second record is too short for its header */
    c.bytes->data[24 + 16 + 80 + 8] = 63;
    p = capture_read(&c, NULL);
    g_assert_true(pcap_next(p, &got, &error));
    g_assert_cmpint(got.packets, ==, 1);
    g_assert_false(pcap_next(p, &got, &error));
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_USAGE);
    g_assert_nonnull(strstr(error->message, "byte 120"));
}

/* Any byte may be anything. */
static void test_noise(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 3000; round++) {
        capture c = { .big = round & 1 };
        g_autoptr(GError) error = NULL;
        g_autoptr(pcap) p = NULL;

        capture_begin(&c, 220);
        for (unsigned i = 0; i < 4; i++) {
            capture_record r = isoch(i & 1 ? 'C' : 'S', i / 2, 8 + i);

            capture_add(&c, &r);
        }
        for (unsigned i = 0; i < 8; i++) {
            unsigned at =
                (unsigned)g_rand_int_range(random, 24, (int)c.bytes->len);

            c.bytes->data[at] = (uint8_t)g_rand_int(random);
        }
        p = capture_read(&c, NULL);
        bus_free(bus_read(p, &error));
    }
}

/* Ordinals from 1, anew with SET_INTERFACE; latency from 'S' to 'C'. */
static void test_ordinals(void)
{
    static const uint8_t select[8] = { 0x01, 11, 1, 0, 1, 0, 0, 0 };
    capture c = { 0 };
    capture_record r, control = { .ns = UF(50),
                                  .id = 99,
                                  .event = 'S',
                                  .type = USBMON_CONTROL,
                                  .device = 3,
                                  .setup = select };
    g_autoptr(bus) b = NULL;
    g_autoptr(pcap) p = NULL;
    g_autoptr(witness) w = NULL;

    capture_begin(&c, 220);
    for (unsigned i = 0; i < 3; i++) {
        r = isoch('S', i, 10);
        capture_add(&c, &r);
    }
    for (unsigned i = 0; i < 3; i++) {
        r = isoch('C', i, 20 + i);
        capture_add(&c, &r);
    }
    capture_add(&c, &control);
    r = isoch('S', 7, 60);
    capture_add(&c, &r);
    r = isoch('C', 7, 70);
    capture_add(&c, &r);
    p = capture_read(&c, NULL);
    b = bus_read(p, NULL);
    g_assert_cmpint(b->packets->len, ==, 5); /* and the control transfer */
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpint(bus_at(b, i)->ordinal, ==, i + 1);
        g_assert_cmpint(bus_at(b, i)->submit_ns, ==, UF(10));
        g_assert_cmpint(bus_at(b, i)->complete_ns, ==, UF(20 + i));
        g_assert_cmpint(bus_at(b, i)->selection, ==, 1);
    }
    g_assert_cmpint(bus_at(b, 4)->ordinal, ==, 1);
    g_assert_cmpint(bus_at(b, 4)->selection, ==, 2);
    w = bus_witness(b, true);
    g_assert_cmpint(w->rows->len, ==, 4);
    g_assert_cmpint(witness_row(w, 3)->uf, ==, 70);
}

/* Another interface is selected while this one streams: it goes on counting;
 * a configuration begins anew in any case. */
static void test_selected(void)
{
    static const uint8_t select[8] = { 0x01, 11, 1, 0, 2, 0, 0, 0 };
    static const uint8_t configure[8] = { 0x00, 9, 1, 0, 0, 0, 0, 0 };
    capture c = { 0 };
    capture_record control = { .event = 'S',
                               .type = USBMON_CONTROL,
                               .device = 3 };
    g_autoptr(bus) b = NULL;
    g_autoptr(pcap) p = NULL;

    capture_begin(&c, 220);
    for (unsigned i = 0; i < 30; i++) {
        capture_record r = isoch('C', 100 + i, 10 + i);

        if (i == 10 || i == 20) {
            control.ns = r.ns;
            control.setup = i == 10 ? select : configure;
            capture_add(&c, &control);
        }
        capture_add(&c, &r);
    }
    p = capture_read(&c, NULL);
    b = bus_read(p, NULL);
    g_assert_cmpint(b->packets->len, ==, 32);
    g_assert_cmpint(bus_at(b, 11)->ordinal, ==, 11);
    g_assert_cmpint(bus_at(b, 11)->selection, ==, 1);
    g_assert_cmpint(bus_at(b, 22)->ordinal, ==, 1);
    g_assert_cmpint(bus_at(b, 22)->selection, ==, 2);
}

/* An URB of four packets: each has its own time, status and ordinal. */
static void test_urb(void)
{
    static const usbmon_packet packets[] = {
        { 0, 0, 192 }, { -EPROTO, 192, 0 }, { -EXDEV, 384, 0 }, { 0, 576, 10 }
    };
    capture c = { 0 };
    capture_record r = isoch('C', 1, 100);
    g_autoptr(bus) b = NULL;
    g_autoptr(pcap) p = NULL;
    const bus_lane *lane;
    g_autofree char *name = NULL;

    r.interval = 8;
    r.packets = packets;
    r.count = 4;
    capture_begin(&c, 220);
    capture_add(&c, &r);
    p = capture_read(&c, NULL);
    b = bus_read(p, NULL);
    g_assert_cmpint(b->packets->len, ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpint(bus_at(b, i)->complete_ns, ==, UF(100 - 8 * (3 - i)));
        g_assert_cmpint(bus_at(b, i)->status, ==, packets[i].status);
        g_assert_cmpint(bus_at(b, i)->bytes, ==, packets[i].length);
        g_assert_cmpint(bus_at(b, i)->submit_ns, ==, -1);
    }
    lane = bus_lane_at(b, 0);
    g_assert_cmpint(lane->packets, ==, 4);
    g_assert_cmpint(lane->failed, ==, 2);
    g_assert_cmpint(lane->bytes, ==, 202);
    g_assert_cmpint(lane->by_effect[EFFECT_XACT], ==, 1);
    g_assert_cmpint(lane->by_effect[EFFECT_MISSED], ==, 1);
    name = bus_lane_name(lane);
    g_assert_cmpstr(name, ==, "1.3 EP 1 IN isochronous");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/capture/fields", test_fields);
    g_test_add_func("/report/capture/other-files", test_other_files);
    g_test_add_func("/report/capture/cut", test_cut);
    g_test_add_func("/report/capture/lies", test_lies);
    g_test_add_func("/report/capture/noise", test_noise);
    g_test_add_func("/report/capture/ordinals", test_ordinals);
    g_test_add_func("/report/capture/selected", test_selected);
    g_test_add_func("/report/capture/urb", test_urb);
    return g_test_run();
}
