/*
 * usb-isoav with profile "zero", as a controller's driver sees it: what
 * Linux's usbtest looks at only from far, and what it never tries, loopback.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "compat.h"

#define ZERO(more) "-device usb-isoav,id=zero,bus=xhci.0,profile=zero," more " "

enum {
    IN = 3, /* DCIs of 81h, 01h, 82h, 02h */
    OUT = 2,
    ISOCH_IN = 5,
    ISOCH_OUT = 4,
    SOURCE_SINK = 3, /* bConfigurationValue */
    LOOPBACK = 2,
    PACKET = 1024,
};

static HcdDev *open_bulk(Hcd *h, unsigned configuration)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    unsigned mps = dev->speed == SPEED_FULL   ? 64
                   : dev->speed == SPEED_HIGH ? 512
                                              : 1024;

    hcd_set_configuration(h, dev, configuration);
    hcd_ep_add(h, dev, .dci = IN, .type = EP_TYPE_BULK_IN, .mps = mps,
               .trbs = 256);
    hcd_ep_add(h, dev, .dci = OUT, .type = EP_TYPE_BULK_OUT, .mps = mps,
               .trbs = 256);
    return dev;
}

static uint64_t queue(Hcd *h, HcdDev *dev, unsigned dci, uint64_t buf,
                      uint32_t len)
{
    uint64_t trb = td_normal(h, dev, dci, .buf = buf, .len = len, .ioc = true);

    hcd_ring_ep(h, dev, dci);
    return trb;
}

/* One transfer, and how it ends. `len` is what is left over. */
static void transfer(Hcd *h, HcdDev *dev, unsigned dci, uint64_t buf,
                     uint32_t bytes, unsigned cc, int64_t len)
{
    uint64_t trb = queue(h, dev, dci, buf, bytes);

    hcd_expect_te(h, .dev = dev, .dci = dci, .cc = cc, .ptr = trb,
                  .len = len ? len : HCD_LEN_0);
}

static unsigned endpoint_request(Hcd *h, HcdDev *dev, unsigned request,
                                 unsigned value, unsigned address)
{
    HcdSetup setup = {
        .type = 0x02, .request = request, .value = value, .index = address
    };

    return hcd_control(h, dev, setup, 0);
}

static unsigned endpoint_status(Hcd *h, HcdDev *dev, unsigned address)
{
    uint64_t buf = hcd_alloc_filled(h, 2, 0xee);
    HcdSetup setup = { .type = 0x82, .index = address, .length = 2 };

    hcd_expect_cc(hcd_control(h, dev, setup, buf), CC_SUCCESS);
    return qtest_readw(h->qts, buf);
}

static uint64_t counted(Hcd *h, const char *endpoint, const char *counter)
{
    QDict *reply = qtest_qmp(
        h->qts, "{'execute': 'qom-get', 'arguments': "
                "{'path': '/machine/peripheral/zero', 'property': 'stats'}}");
    QDict *stats = qdict_get_qdict(reply, "return");
    uint64_t value =
        endpoint ? qdict_get_int(qdict_get_qdict(stats, endpoint), counter)
                 : qdict_get_int(stats, counter);

    qobject_unref(reply);
    return value;
}

/* The pattern begins anew with each packet of `mps` bytes. */
static void expect_mod63(Hcd *h, uint64_t buf, unsigned bytes, unsigned mps)
{
    g_autofree uint8_t *data = g_malloc(bytes);

    if (bytes) {
        qtest_bufread(h->qts, buf, data, bytes);
    }
    for (unsigned i = 0; i < bytes; i++) {
        hcd_check(data[i] == i % mps % 63, "byte %u is %02x", i, data[i]);
    }
}

typedef struct {
    const char *args;
    unsigned speed, mps;
} Speed;

static const Speed speeds[] = {
    { ZERO("pattern=1,speed=full"), SPEED_FULL, 64 },
    { ZERO("pattern=1"), SPEED_HIGH, 512 },
    { ZERO("pattern=1,speed=super"), SPEED_SUPER, 1024 },
};

/* What the source sends, the sink takes; every length. */
static void source_sink(const void *data)
{
    static const unsigned lengths[] = { 0, 1, 63, 64, 511, 512, 1025, 5000 };
    const Speed *speed = data;
    Hcd *h = hcd_start(.args = speed->args);
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc_filled(h, 8192, 0xee), bytes = 0;

    hcd_check(dev->speed == speed->speed, "it came up at speed %u", dev->speed);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        qtest_memset(h->qts, buf, 0xee, 8192);
        transfer(h, dev, IN, buf, lengths[i], CC_SUCCESS, 0);
        expect_mod63(h, buf, lengths[i], speed->mps);
        hcd_check(qtest_readb(h->qts, buf + lengths[i]) == 0xee,
                  "a byte too many of %u", lengths[i]);
        transfer(h, dev, OUT, buf, lengths[i], CC_SUCCESS, 0);
        bytes += lengths[i];
    }
    hcd_check(counted(h, "bulk-in", "bytes") == bytes &&
                  counted(h, "bulk-out", "bytes") == bytes &&
                  counted(h, "bulk-out", "packets") == ARRAY_SIZE(lengths),
              "the counters are wrong");
    hcd_check(counted(h, "bulk-out", "bad") == 0, "the sink did not know it");
    hcd_finish(h);
}

/* A transfer that is not the pattern is taken; the next one finds a halt. */
static void wrong_data(void)
{
    Hcd *h = hcd_start(.args = ZERO("pattern=1"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xee);

    transfer(h, dev, OUT, buf, 64, CC_SUCCESS, 0);
    hcd_check(counted(h, "bulk-out", "bad") == 1, "the sink did not check");
    transfer(h, dev, OUT, buf, 64, CC_STALL_ERROR, 64);
    hcd_check(endpoint_status(h, dev, 0x01) == 1, "01h says it is not halted");
    hcd_finish(h);
}

/* USB 2.0 §9.4.5: a halt is set, seen, cleared, by request and otherwise. */
static void halts(void)
{
    Hcd *h = hcd_start(.args = ZERO("pattern=1"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc(h, 64, 64);
    HcdSetup set_interface = { .type = 0x01, .request = 11 };

    hcd_check(endpoint_status(h, dev, 0x81) == 0, "81h was born halted");
    hcd_expect_cc(endpoint_request(h, dev, 3, 0, 0x81), CC_SUCCESS);
    hcd_check(endpoint_status(h, dev, 0x81) == 1 &&
                  endpoint_status(h, dev, 0x01) == 0,
              "SET_FEATURE did not halt 81h alone");
    transfer(h, dev, IN, buf, 64, CC_STALL_ERROR, 64);
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, IN), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, IN);
    transfer(h, dev, IN, buf, 64, CC_STALL_ERROR, 64); /* still */
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, IN), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, IN);
    hcd_expect_cc(endpoint_request(h, dev, 1, 0, 0x81), CC_SUCCESS);
    transfer(h, dev, IN, buf, 64, CC_SUCCESS, 0);
    hcd_expect_cc(endpoint_request(h, dev, 3, 0, 0x81), CC_SUCCESS);
    hcd_expect_cc(hcd_control(h, dev, set_interface, 0), CC_SUCCESS);
    hcd_check(endpoint_status(h, dev, 0x81) == 0,
              "SET_INTERFACE left 81h halted");
    hcd_finish(h);
}

static void select_isoch(Hcd *h, HcdDev *dev)
{
    HcdSetup set_interface = { .type = 0x01, .request = 11, .value = 1 };

    hcd_expect_cc(hcd_control(h, dev, set_interface, 0), CC_SUCCESS);
}

/* Requests that fit nothing are refused. */
static void refused(void)
{
    static const HcdSetup wrong[] = {
        { .type = 0x00, .request = 9, .value = 1 },     /* no configuration 1 */
        { .type = 0x01, .request = 11, .value = 3 },    /* no alternate 3 */
        { .type = 0x02, .request = 3, .index = 0x84 },  /* no 84h */
        { .type = 0x02, .request = 3, .index = 0x82 },  /* not isochronous */
        { .type = 0x02, .request = 3, .index = 0x181 }, /* not an address */
        { .type = 0x02, .request = 3, .index = 0x81, .value = 1 },
        { .type = 0x80, .request = 6, .value = 0x0f00, .length = 5 }, /* BOS */
        { .type = 0x82, .request = 0, .index = 0x83, .length = 2 },
        { .type = 0x81, .request = 0, .index = 1, .length = 2 },
        { .type = 0xc0, .request = 0x5c, .index = 1, .length = 2 },
    };
    Hcd *h = hcd_start(.args = ZERO("speed=high"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc(h, 64, 64);

    select_isoch(h, dev);
    for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++) {
        unsigned cc = hcd_control(h, dev, wrong[i], buf);

        hcd_check(cc == CC_STALL_ERROR, "request %u: completion code %u", i,
                  cc);
        hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
        hcd_cmd_skip_all(h, dev, 1);
    }
    hcd_finish(h);
}

static void write_read(void)
{
    Hcd *h = hcd_start(.args = ZERO("speed=high"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t out = hcd_alloc_filled(h, 4096, 0x5a);
    uint64_t in = hcd_alloc_filled(h, 4096, 0);
    HcdSetup write = { .type = 0x40, .request = 0x5b, .length = 4096 };
    HcdSetup read = { .type = 0xc0, .request = 0x5c, .length = 4096 };

    hcd_expect_cc(hcd_control(h, dev, write, out), CC_SUCCESS);
    hcd_migrate(h);
    hcd_expect_cc(hcd_control(h, dev, read, in), CC_SUCCESS);
    hcd_check(hcd_mem_is(h, in, 4096, 0x5a), "something else came back");
    hcd_finish(h);
}

/* A packet each ESIT, both ways. */
static void isochronous(void)
{
    Hcd *h = hcd_start(.args = ZERO("pattern=1"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc_filled(h, 8 * PACKET, 0xee), in[8], out[8];

    hcd_ep_add(h, dev, .dci = ISOCH_IN, .type = EP_TYPE_ISOCH_IN, .mps = PACKET,
               .interval = 3, .esit = PACKET);
    hcd_ep_add(h, dev, .dci = ISOCH_OUT, .type = EP_TYPE_ISOCH_OUT,
               .mps = PACKET, .interval = 3, .esit = PACKET);
    select_isoch(h, dev);
    for (unsigned i = 0; i < 8; i++) {
        in[i] = td_isoch(h, dev, ISOCH_IN, .buf = buf + i * PACKET,
                         .len = PACKET, .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOCH_IN);
    for (unsigned i = 0; i < 8; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOCH_IN, .cc = CC_SUCCESS,
                      .ptr = in[i], .len = HCD_LEN_0);
        expect_mod63(h, buf + i * PACKET, PACKET, PACKET);
    }
    hcd_expect_te(h, .dev = dev, .dci = ISOCH_IN, .cc = CC_RING_OVERRUN);
    for (unsigned i = 0; i < 8; i++) {
        out[i] = td_isoch(h, dev, ISOCH_OUT, .buf = buf, .len = PACKET,
                          .sia = true, .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOCH_OUT);
    for (unsigned i = 0; i < 8; i++) {
        hcd_expect_te(h, .dev = dev, .dci = ISOCH_OUT, .cc = CC_SUCCESS,
                      .ptr = out[i]);
    }
    hcd_check(counted(h, "isoch-out", "packets") == 8 &&
                  counted(h, "isoch-out", "bytes") == 8 * PACKET &&
                  counted(h, "isoch-out", "bad") == 0,
              "the device took other packets than were sent");
    hcd_finish(h);
}

/* The device says NAK until there is something; transfers keep their ends. */
static void loopback(void)
{
    Hcd *h = hcd_start(.args = ZERO("speed=high"));
    HcdDev *dev = open_bulk(h, LOOPBACK);
    uint64_t out = hcd_alloc_filled(h, 4096, 0x5a);
    uint64_t in = hcd_alloc_filled(h, 4096, 0xee), trb;

    trb = queue(h, dev, IN, in, 4096);
    hcd_expect_quiet(h, 80);
    transfer(h, dev, OUT, out, 100, CC_SUCCESS, 0);
    hcd_expect_te(h, .dev = dev, .dci = IN, .cc = CC_SHORT_PACKET, .ptr = trb,
                  .len = 3996);
    hcd_check(hcd_mem_is(h, in, 100, 0x5a) &&
                  hcd_mem_is(h, in + 100, 3996, 0xee),
              "not the bytes that were sent came back");
    /* in two pieces, the second one the short end; then one of no bytes */
    transfer(h, dev, OUT, out, 1000, CC_SUCCESS, 0);
    transfer(h, dev, OUT, out, 0, CC_SUCCESS, 0);
    transfer(h, dev, IN, in, 512, CC_SUCCESS, 0);
    transfer(h, dev, IN, in, 512, CC_SHORT_PACKET, 24);
    transfer(h, dev, IN, in, 512, CC_SHORT_PACKET, 512);
    /* whole packets and their end are one transfer */
    transfer(h, dev, OUT, out, 512, CC_SUCCESS, 0);
    transfer(h, dev, OUT, out, 0, CC_SUCCESS, 0);
    transfer(h, dev, IN, in, 1024, CC_SHORT_PACKET, 512);
    trb = queue(h, dev, IN, in, 512);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* A queue that is full makes the host wait, and survives a migration. */
static void loopback_full(void)
{
    enum { TRANSFERS = 64 };
    Hcd *h = hcd_start(.args = ZERO("speed=high"));
    HcdDev *dev = open_bulk(h, LOOPBACK);
    uint64_t out = hcd_alloc(h, 128, 64), in = hcd_alloc_filled(h, 64, 0xee);
    uint64_t trb;

    for (unsigned i = 0; i < TRANSFERS; i++) {
        qtest_writeb(h->qts, out + i, i);
        transfer(h, dev, OUT, out + i, 1, CC_SUCCESS, 0);
    }
    qtest_writeb(h->qts, out + TRANSFERS, TRANSFERS);
    trb = queue(h, dev, OUT, out + TRANSFERS, 1);
    hcd_expect_quiet(h, 80);
    hcd_migrate(h);
    hcd_check(counted(h, NULL, "fifo-level") == TRANSFERS,
              "the queue was not migrated");
    queue(h, dev, IN, in, 64);
    hcd_expect_te(h, .dev = dev, .dci = IN, .cc = CC_SHORT_PACKET, .len = 63);
    hcd_expect_te(h, .dev = dev, .dci = OUT, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    for (unsigned i = 1; i <= TRANSFERS; i++) {
        transfer(h, dev, IN, in, 64, CC_SHORT_PACKET, 63);
        hcd_check(qtest_readb(h->qts, in) == i, "transfer %u brought %u", i,
                  qtest_readb(h->qts, in));
    }
    hcd_finish(h);
}

/* A halt and an alternate are in no descriptor, and travel. */
static void migrated_halt(void)
{
    Hcd *h = hcd_start(.args = ZERO("speed=high"));
    HcdDev *dev = open_bulk(h, SOURCE_SINK);
    uint64_t buf = hcd_alloc(h, 64, 64);

    select_isoch(h, dev);
    hcd_expect_cc(endpoint_request(h, dev, 3, 0, 0x01), CC_SUCCESS);
    hcd_migrate(h);
    hcd_check(endpoint_status(h, dev, 0x01) == 1 &&
                  endpoint_status(h, dev, 0x82) == 0,
              "the endpoints are others");
    transfer(h, dev, OUT, buf, 64, CC_STALL_ERROR, 64);
    hcd_finish(h);
}

typedef struct {
    const char *properties, *said;
} Refused;

static const Refused refusals[] = {
    { "'bus': 'xhci.0', 'profile': 'film'",
      "usb-isoav has no profile 'film', only 'vendor' 'zero' 'av'" },
    { "'bus': 'xhci.0', 'speed': 'warp'",
      "usb-isoav has no speed 'warp', only 'full', 'high' and 'super'" },
    { "'bus': 'xhci.0', 'pattern': 1",
      "property 'pattern' of usb-isoav is for profile 'zero' only" },
    { "'bus': 'xhci.0', 'profile': 'zero', 'pattern': 3",
      "usb-isoav has no pattern 3, only 0, 1 and 2" },
    { "'bus': 'super.0', 'port': '2'",
      "port 2 has no speed of usb-isoav with profile 'vendor' and speed "
      "'high'" },
};

static const char *const accepted[] = {
    "'bus': 'uhci.0', 'profile': 'zero', 'id': 'a'",
    "'bus': 'uhci.0', 'profile': 'vendor', 'id': 'e'",
    "'bus': 'ehci.0', 'profile': 'zero', 'id': 'b'",
    "'bus': 'ehci.0', 'profile': 'vendor', 'speed': 'super', 'id': 'c'",
    "'bus': 'qemu.0', 'profile': 'zero', 'speed': 'super', 'id': 'd'",
};

/* device_add with these properties; the error's text, or NULL. */
static char *add_device(Hcd *h, const char *properties)
{
    g_autofree char *command = g_strdup_printf(
        "{'execute': 'device_add', 'arguments': {'driver': 'usb-isoav', %s}}",
        properties);
    QDict *reply = qtest_qmp(h->qts, command);
    char *said = NULL;

    if (qdict_haskey(reply, "error")) {
        said = g_strdup(qdict_get_str(qdict_get_qdict(reply, "error"), "desc"));
    }
    qobject_unref(reply);
    return said;
}

/* What does not go together is refused in one sentence, and nothing else. */
static void wrong_properties(void)
{
    Hcd *h = hcd_start(.args = "-device piix3-usb-uhci,id=uhci "
                               "-device usb-ehci,id=ehci "
                               "-device qemu-xhci,id=qemu "
                               "-device qemu-xhci,id=super,p2=1,p3=2");

    for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
        g_autofree char *said = add_device(h, refusals[i].properties);

        hcd_check(g_strcmp0(said, refusals[i].said) == 0, "it said: %s",
                  said ? said : "nothing");
    }
    for (unsigned i = 0; i < ARRAY_SIZE(accepted); i++) {
        g_autofree char *said = add_device(h, accepted[i]);

        hcd_check(!said, "%s was refused: %s", accepted[i], said);
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(speeds); i++) {
        g_autofree char *name = g_strdup_printf(
            "zero source and sink at speed %u", speeds[i].speed);

        hcd_test_add_data(name, source_sink, &speeds[i]);
    }
    hcd_test_add("zero halts after wrong data", wrong_data);
    hcd_test_add("zero halts and clears halts", halts);
    hcd_test_add("zero refuses requests that fit nothing", refused);
    hcd_test_add("zero writes and reads a buffer", write_read);
    hcd_test_add("zero isochronous source and sink", isochronous);
    hcd_test_add("zero loops transfers back", loopback);
    hcd_test_add("zero makes a host wait for its queue", loopback_full);
    hcd_test_add("zero keeps a halt when it migrates", migrated_halt);
    hcd_test_add("isoav refuses what does not go together", wrong_properties);
    return hcd_test_main(argc, argv);
}
