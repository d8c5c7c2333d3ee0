/*
 * The Debug Capability (xHCI 1.2 §7.6), with the test at both ends of the
 * cable.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <sys/socket.h>

#include "lib/debug.h"
#include "compat.h"

/* xHCI 1.2 §7.6.8. */
static void dbc_01_registers(void)
{
    static const struct {
        unsigned offset;
        uint32_t reset, kept;
    } rows[] = {
        { XHCI_DCDB, 0, 0 },
        { XHCI_DCERSTSZ, 0, 0xffff },
        { XHCI_DCERSTBA_LO, 0, 0xfffffff0 },
        { XHCI_DCERSTBA_HI, 0, 0xffffffff },
        { XHCI_DCERDP_LO, 0, 0xfffffff7 },
        { XHCI_DCERDP_HI, 0, 0xffffffff },
        { XHCI_DCST, 0, 0 },
        { XHCI_DCPORTSC, 0xa0, 0xa0 },
        { XHCI_DCCP_LO, 0, 0xfffffff0 },
        { XHCI_DCCP_HI, 0, 0xffffffff },
        { XHCI_DCDDI1, 0, 0xffff00ff },
        { XHCI_DCDDI2, 0, 0xffffffff },
    };
    Debug *d = dbg_start();

    hcd_check(dbg_reg(d, 0) == 0x0004000a, "DCID is %08x", dbg_reg(d, 0));
    hcd_check(dbg_reg(d, XHCI_DCCTRL) == 0, "DCCTRL is %08x",
              dbg_reg(d, XHCI_DCCTRL));
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        uint64_t gpa = d->base + rows[i].offset;

        hcd_check(dbg_reg(d, rows[i].offset) == rows[i].reset,
                  "register %02x resets to %08x", rows[i].offset,
                  dbg_reg(d, rows[i].offset));
        qtest_writew(d->h->qts, gpa, 0xffff);
        qtest_writeb(d->h->qts, gpa + 3, 0xff);
        hcd_check(dbg_reg(d, rows[i].offset) == rows[i].reset,
                  "a narrow write makes register %02x %08x", rows[i].offset,
                  dbg_reg(d, rows[i].offset));
        dbg_set_reg(d, rows[i].offset, 0xffffffff);
        hcd_check(dbg_reg(d, rows[i].offset) == rows[i].kept,
                  "register %02x keeps %08x", rows[i].offset,
                  dbg_reg(d, rows[i].offset));
    }
    dbg_set_reg(d, 0, 0xffffffff);
    hcd_check(dbg_reg(d, 0) == 0x0004000a, "DCID can be written");
    dbg_finish(d);
}

static void dbc_01_absent(void)
{
    Hcd *h = hcd_start(.args = "");

    hcd_check(!dbg_find(h), "nobody has asked for a Debug Capability");
    hcd_finish(h);
}

/* xHCI 1.2 §7.6.4. */
static void dbc_02_port(void)
{
    static const struct {
        unsigned after;
        uint32_t portsc, ctrl;
    } steps[] = {
        { 0, 0x000000a0, 0x80000002 },
        { 7, 0x000000a0, 0x80000002 },
        { 1, 0x00021003, 0x80000002 }, /* Enabled, CSC */
        { 8, 0x00021131, 0x80000002 }, /* Reset */
        { 79, 0x00021131, 0x80000002 },
        { 1, 0x00221003, 0x80000002 }, /* Enabled, PRC */
        { 8, 0x00221003, 0x81000003 }, /* Configured, address 1 */
        { 8000, 0x00221003, 0x81000003 },
    };
    Debug *d = dbg_start();
    unsigned port_id = d->h->max_ports;
    uint32_t empty = hcd_portsc(d->h, port_id);
    HcdEvent event;

    dbg_enable(d);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        hcd_step_uf(d->h, steps[i].after);
        hcd_check(dbg_reg(d, XHCI_DCPORTSC) == steps[i].portsc &&
                      dbg_reg(d, XHCI_DCCTRL) == steps[i].ctrl,
                  "step %u: DCPORTSC is %08x, DCCTRL %08x", i,
                  dbg_reg(d, XHCI_DCPORTSC), dbg_reg(d, XHCI_DCCTRL));
    }
    hcd_check(dbg_reg(d, XHCI_DCST) == (port_id << 24 | DCST_ER),
              "DCST is %08x", dbg_reg(d, XHCI_DCST));
    event = dbg_next_event(d);
    hcd_check(event.type == EVT_PORT_STATUS_CHANGE &&
                  event.port_id == port_id && event.cc == CC_SUCCESS,
              "the event is: %s", hcd_event_text(&event));
    hcd_check(dbg_is_quiet(d),
              "an event for a change bit that is not the first");
    hcd_check(dbg_reg(d, XHCI_DCST) == port_id << 24, "DCST is %08x",
              dbg_reg(d, XHCI_DCST));
    hcd_check(hcd_portsc(d->h, port_id) == empty, "the root port is %08x",
              hcd_portsc(d->h, port_id));
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.3.2: across a Link TRB, in one TRB, in several, in 100 KiB. */
static void dbc_03_out(void)
{
    const unsigned size = 100000, at = 140;
    g_autofree char *want = g_malloc(at + size);
    Debug *d = dbg_start();
    uint64_t trb, buf;

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    for (unsigned i = 0; i < 70; i++) {
        memcpy(want + 2 * i, "ab", 2);
        trb = dbg_put(d, OUT, dbg_put_text(d, "ab"), 2, TRB_IOC);
        dbg_ring(d, OUT);
        dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    }
    for (unsigned i = 0; i < size; i++) {
        want[at + i] = i % 251;
    }
    buf = hcd_alloc(d->h, size, 65536);
    qtest_memwrite(d->h->qts, buf, want + at, size);
    dbg_put(d, OUT, buf, 5000, TRB_CH);
    dbg_put(d, OUT, buf + 5000, 60536, TRB_CH);
    trb = dbg_put(d, OUT, buf + 65536, size - 65536, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_check_file(d, want, at + size);
    dbg_finish(d);
}

/* A host that does not read has what it is owed when it does. */
static void dbc_03_slow_host(void)
{
    const unsigned size = 1 << 20;
    g_autofree uint8_t *got = g_malloc0(size);
    Debug *d = dbg_start(.socket = true);
    uint64_t buf = hcd_alloc_filled(d->h, 65536, 0x5a), trb = 0;
    size_t have = 0;

    dbg_enable(d);
    dbg_plug(d);
    dbg_configured(d);
    dbg_drain(d);
    for (unsigned i = 0; i < 14; i++) {
        dbg_put(d, OUT, buf, 65536, TRB_CH);
    }
    trb = dbg_put(d, OUT, buf, 65536, TRB_IOC);
    dbg_ring(d, OUT);
    hcd_check(dbg_is_quiet(d), "more is sent than a socket holds");
    while (have < 15 * 65536) {
        ssize_t now = recv(d->peer, got + have, MIN(7777, size - have), 0);

        hcd_check(now > 0, "the socket is closed");
        have += now;
        hcd_step_uf(d->h, 1);
    }
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    for (size_t i = 0; i < have; i++) {
        hcd_check(got[i] == 0x5a, "byte %zu is %02x", i, got[i]);
    }
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.3.2, and what is more than a TD takes the next. */
static void dbc_04_in(void)
{
    Debug *d = dbg_start(.socket = true);
    uint64_t first, second, buf = hcd_alloc_filled(d->h, 32, 0xaa);
    char text[16];

    dbg_enable(d);
    dbg_plug(d);
    dbg_configured(d);
    dbg_drain(d);
    hcd_check(send(d->peer, "0123456789", 10, 0) == 10, "nobody listens");
    hcd_check(dbg_is_quiet(d), "data without a TD");
    first = dbg_put(d, IN, buf, 4, TRB_IOC);
    second = dbg_put(d, IN, buf + 4, 16, TRB_IOC);
    dbg_ring(d, IN);
    dbg_expect_te(d, IN_DCI, first, CC_SUCCESS, 0);
    dbg_expect_te(d, IN_DCI, second, CC_SHORT_PACKET, 10);
    qtest_memread(d->h->qts, buf, text, 16);
    hcd_check(memcmp(text, "0123456789\xaa\xaa", 12) == 0, "got %.16s", text);
    first = dbg_put(d, IN, buf, 16, TRB_IOC);
    dbg_ring(d, IN);
    hcd_check(dbg_is_quiet(d), "an event without data");
    hcd_check(send(d->peer, "abc", 3, 0) == 3, "nobody listens");
    dbg_expect_te(d, IN_DCI, first, CC_SHORT_PACKET, 13);
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.8.2. */
static void dbc_05_doorbell(void)
{
    Debug *d = dbg_start(.socket = true);
    uint64_t trb;

    dbg_enable(d);
    dbg_put(d, OUT, dbg_put_text(d, "early"), 5, TRB_IOC);
    dbg_ring(d, OUT);
    hcd_check(dbg_is_quiet(d), "a TD ran while there is no host");
    dbg_plug(d);
    dbg_configured(d);
    dbg_unplug(d);
    hcd_check(
        dbg_becomes(d, XHCI_DCCTRL, DCCTRL_DCR | DCCTRL_DRC, DCCTRL_DRC, 1),
        "DCCTRL is %08x", dbg_reg(d, XHCI_DCCTRL));
    dbg_plug(d);
    hcd_check(dbg_becomes(d, XHCI_DCCTRL, DCCTRL_DCR, DCCTRL_DCR, 8),
              "DCCTRL is %08x", dbg_reg(d, XHCI_DCCTRL));
    dbg_drain(d);
    dbg_ring(d, OUT);
    dbg_ring(d, 7);
    hcd_check(dbg_is_quiet(d), "a TD ran while DRC is 1");
    dbg_configured(d);
    trb = d->ring[OUT].base;
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.8.4: the driver moves the dequeue pointer meanwhile. */
static void dbc_06_halt(void)
{
    Debug *d = dbg_start();
    uint64_t out = 0, trb;

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    out = d->contexts + 64;
    dbg_put(d, OUT, dbg_put_text(d, "skipped"), 7, TRB_IOC);
    trb = dbg_put(d, OUT, dbg_put_text(d, "sent"), 4, TRB_IOC);
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE | DCCTRL_HOT);
    hcd_check((dbg_reg(d, XHCI_DCCTRL) & (DCCTRL_HOT | DCCTRL_HIT)) ==
                  DCCTRL_HOT,
              "DCCTRL is %08x", dbg_reg(d, XHCI_DCCTRL));
    hcd_check((qtest_readl(d->h->qts, out) & 7) == EP_STATE_HALTED,
              "the endpoint is in state %u", qtest_readl(d->h->qts, out) & 7);
    hcd_check(qtest_readq(d->h->qts, out + 8) == (d->ring[OUT].base | 1),
              "the dequeue pointer is lost");
    dbg_ring(d, OUT);
    qtest_writeq(d->h->qts, out + 8, trb | 1);
    hcd_step_uf(d->h, 8);
    hcd_check(!(dbg_reg(d, XHCI_DCCTRL) & DCCTRL_HOT), "DCCTRL is %08x",
              dbg_reg(d, XHCI_DCCTRL));
    hcd_check((qtest_readl(d->h->qts, out) & 7) == EP_STATE_RUNNING,
              "the endpoint is in state %u", qtest_readl(d->h->qts, out) & 7);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_check_file(d, "sent", 4);
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.4. */
static void dbc_07_cable(void)
{
    Debug *d = dbg_start(.socket = true);
    HcdEvent event;

    dbg_enable(d);
    dbg_plug(d);
    dbg_configured(d);
    dbg_drain(d);
    dbg_unplug(d);
    hcd_check(dbg_becomes(d, XHCI_DCPORTSC, PORTSC_CCS, 0, 1),
              "it is still there");
    hcd_check((dbg_reg(d, XHCI_DCPORTSC) & (PORTSC_PED | PORTSC_CSC)) ==
                  PORTSC_CSC,
              "DCPORTSC is %08x", dbg_reg(d, XHCI_DCPORTSC));
    hcd_check(dbg_reg(d, XHCI_DCCTRL) == (DCCTRL_DCE | DCCTRL_LSE | DCCTRL_DRC),
              "DCCTRL is %08x", dbg_reg(d, XHCI_DCCTRL));
    event = dbg_next_event(d);
    hcd_check(event.type == EVT_PORT_STATUS_CHANGE, "the event is: %s",
              hcd_event_text(&event));
    dbg_plug(d);
    dbg_configured(d);
    dbg_finish(d);
}

static void dbc_07_disable(void)
{
    Debug *d = dbg_start();

    dbg_enable(d);
    dbg_configured(d);
    dbg_set_reg(d, XHCI_DCPORTSC, 0);
    hcd_check((dbg_reg(d, XHCI_DCPORTSC) & 0x1ff) == PLS_DISABLED << 5,
              "DCPORTSC is %08x", dbg_reg(d, XHCI_DCPORTSC));
    hcd_step_uf(d->h, 8000);
    hcd_check(!(dbg_reg(d, XHCI_DCCTRL) & DCCTRL_DCR), "a disabled port runs");
    dbg_set_reg(d, XHCI_DCPORTSC, PORTSC_PED);
    dbg_configured(d);
    dbg_finish(d);
}

/* xHCI 1.2 §7.6: what is the controller's, and what is not. */
static void dbc_08_resets(void)
{
    Debug *d = dbg_start();
    uint64_t trb;

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    hcd_halt(d->h);
    trb = dbg_put(d, OUT, dbg_put_text(d, "halted"), 6, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    hcd_reset(d->h);
    hcd_check(dbg_reg(d, XHCI_DCCTRL) & DCCTRL_DCR, "HCRST has ended it");
    trb = dbg_put(d, OUT, dbg_put_text(d, " reset"), 6, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_check_file(d, "halted reset", 12);
    dbg_set_reg(d, XHCI_DCCTRL, 0);
    hcd_check(dbg_reg(d, XHCI_DCCTRL) == 0 && dbg_reg(d, XHCI_DCPORTSC) == 0xa0,
              "DCCTRL is %08x, DCPORTSC %08x", dbg_reg(d, XHCI_DCCTRL),
              dbg_reg(d, XHCI_DCPORTSC));
    dbg_put(d, OUT, dbg_put_text(d, "off"), 3, TRB_IOC);
    dbg_ring(d, OUT);
    hcd_check(dbg_is_quiet(d), "it runs without DCE");
    qtest_qmp_assert_success(d->h->qts, "{ 'execute': 'system_reset' }");
    qtest_qmp_eventwait(d->h->qts, "RESET");
    hcd_pci_enable(d->h);
    hcd_check(dbg_reg(d, XHCI_DCDDI1) == 0 && dbg_reg(d, XHCI_DCCP_LO) == 0,
              "a chip reset leaves DCCP at %08x", dbg_reg(d, XHCI_DCCP_LO));
    dbg_finish(d);
}

/* xHCI 1.2 §4.9.4. */
static void dbc_09_full(void)
{
    g_autofree char *want = g_strnfill(40, 'x');
    Debug *d = dbg_start(.event_trbs = 16);
    unsigned transfers = 0, full = 0;
    HcdEvent event;

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    for (unsigned lap = 0; lap < 4; lap++) {
        for (unsigned i = 0; i < 10; i++) {
            dbg_put(d, OUT, dbg_put_text(d, "x"), 1, TRB_IOC);
        }
        dbg_ring(d, OUT);
    }
    /* the event of the 15th finds no room, and there is no 16th */
    hcd_check(dbg_file_bytes(d) == 15, "the host has %zu bytes",
              dbg_file_bytes(d));
    while (hcd_event_ring_take(d->h, &d->evt, &event)) {
        transfers += event.type == EVT_TRANSFER;
        full +=
            event.type == EVT_HOST_CONTROLLER && event.cc == CC_EVENT_RING_FULL;
        if (event.type == EVT_HOST_CONTROLLER) {
            dbg_ack(d);
            hcd_step_uf(d->h, 8);
        }
    }
    hcd_check(transfers == 40 && full >= 2, "%u events, full %u times",
              transfers, full);
    dbg_check_file(d, want, 40);
    dbg_finish(d);
}

/* Linux's driver says that its table has no segment, and has one. */
static void dbc_09_no_size(void)
{
    Debug *d = dbg_start();
    uint64_t trb;

    dbg_prepare(d);
    dbg_set_reg(d, XHCI_DCERSTSZ, 0);
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE);
    dbg_configured(d);
    dbg_drain(d);
    trb = dbg_put(d, OUT, dbg_put_text(d, "x"), 1, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_finish(d);
}

/* xHCI 1.2 §6.4.5, §7.6.9. */
static void dbc_10_bad_trb(void)
{
    Debug *d = dbg_start();
    uint64_t trb;

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    trb = hcd_ring_put(d->h, &d->ring[OUT],
                       hcd_trb_ptr(TRB_SETUP_STAGE, 0, 8, 0));
    dbg_put(d, OUT, dbg_put_text(d, "behind"), 6, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_TRB_ERROR, 0);
    dbg_ring(d, OUT);
    hcd_check(dbg_is_quiet(d), "it went on");
    hcd_check((qtest_readl(d->h->qts, d->contexts + 64) & 7) == EP_STATE_ERROR,
              "the endpoint is not in Error");
    dbg_finish(d);
}

/* Each of them is one thing that memory or a driver can do to it. */
static void dbc_10_ends(const void *data)
{
    const char *what = data;
    Debug *d = dbg_start();
    const uint64_t nowhere = 0xffffffff00000000ull;
    uint64_t out;

    dbg_prepare(d);
    out = d->contexts + 64;
    if (g_str_equal(what, "contexts")) {
        dbg_set_reg64(d, XHCI_DCCP_LO, nowhere);
    } else if (g_str_equal(what, "type")) {
        qtest_writel(d->h->qts, out + 4, xhci_set(0, EP_TYPE, EP_TYPE_CONTROL));
    } else if (g_str_equal(what, "ring")) {
        qtest_writeq(d->h->qts, out + 8, nowhere | 1);
    } else if (g_str_equal(what, "table")) {
        dbg_set_reg64(d, XHCI_DCERSTBA_LO, nowhere);
    } else if (g_str_equal(what, "event-ring")) {
        qtest_writeq(d->h->qts, d->evt.erst, nowhere);
    }
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE);
    hcd_step_uf(d->h, 800);
    dbg_put(d, OUT, g_str_equal(what, "data") ? nowhere : dbg_put_text(d, "x"),
            1, TRB_IOC);
    dbg_set_reg(d, XHCI_DCCTRL, dbg_reg(d, XHCI_DCCTRL) | DCCTRL_DRC);
    dbg_ring(d, OUT);
    hcd_check(dbg_reg(d, XHCI_DCCTRL) == 0, "%s: DCCTRL is %08x", what,
              dbg_reg(d, XHCI_DCCTRL));
    hcd_expect_cc(hcd_cmd_simple(d->h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    dbg_finish(d);
}

/* A ring of Link TRBs, and one of nothing but No-ops without an end. */
static void dbc_10_loops(void)
{
    Debug *d = dbg_start();

    dbg_enable(d);
    dbg_configured(d);
    dbg_drain(d);
    qtest_writeq(d->h->qts, d->ring[OUT].base, d->ring[OUT].base);
    qtest_writel(d->h->qts, d->ring[OUT].base + 12,
                 xhci_set(TRB_C, TRB_TYPE, TRB_LINK));
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, d->ring[OUT].base, CC_TRB_ERROR, 0);
    for (unsigned i = 0; i < DBG_RING_TRBS - 1; i++) {
        qtest_writel(d->h->qts, d->ring[IN].base + 16 * i + 12,
                     xhci_set(TRB_C, TRB_TYPE, TRB_NOOP));
    }
    qtest_writeq(d->h->qts, d->ring[IN].base + 16 * (DBG_RING_TRBS - 1),
                 d->ring[IN].base);
    qtest_writel(d->h->qts, d->ring[IN].base + 16 * (DBG_RING_TRBS - 1) + 12,
                 xhci_set(TRB_C, TRB_TYPE, TRB_LINK));
    dbg_ring(d, IN);
    hcd_step_uf(d->h, 8);
    hcd_expect_cc(hcd_cmd_simple(d->h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    dbg_finish(d);
}

/* xHCI 1.2 §7.6.9.1. */
static void dbc_11_device(void)
{
    const char *want = "1d6b:0010 release 0010 protocol 01 \"IsoLab\" "
                       "\"Bench\" \"0001\"";
    Debug *d = dbg_start();
    QDict *reply;

    dbg_enable(d);
    dbg_configured(d);
    reply = qtest_qmp(d->h->qts,
                      "{'execute': 'qom-get', 'arguments': {'path': "
                      "'/machine/peripheral/xhci', 'property': 'dbc-device'}}");
    hcd_check(g_strcmp0(qdict_get_try_str(reply, "return"), want) == 0,
              "the host sees: %s", qdict_get_try_str(reply, "return"));
    qobject_unref(reply);
    dbg_finish(d);
}

/* Configured, with a TD that nobody has rung for, and one halted. */
static void migration(void)
{
    Debug *d = dbg_start();
    uint64_t trb;

    dbg_enable(d);
    hcd_step_uf(d->h, DBG_ENUMERATED_UF - 20);
    hcd_migrate(d->h);
    dbg_configured(d);
    dbg_drain(d);
    trb = dbg_put(d, OUT, dbg_put_text(d, "here "), 5, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_set_reg(d, XHCI_DCCTRL, DCCTRL_DCE | DCCTRL_HIT);
    hcd_migrate(d->h);
    hcd_check(dbg_reg(d, XHCI_DCCTRL) & DCCTRL_HIT, "DCCTRL is %08x",
              dbg_reg(d, XHCI_DCCTRL));
    trb = dbg_put(d, OUT, dbg_put_text(d, "there"), 5, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_expect_te(d, OUT_DCI, trb, CC_SUCCESS, 0);
    dbg_check_file(d, "here there", 10);
    hcd_step_uf(d->h, 8);
    hcd_check(!(dbg_reg(d, XHCI_DCCTRL) & DCCTRL_HIT), "DCCTRL is %08x",
              dbg_reg(d, XHCI_DCCTRL));
    dbg_finish(d);
}

/* The controller is taken out while its host owes it room. The machine is one
 * whose firmware interface ejects what is in a slot (ACPI, port AE08h). */
static void unplugged(void)
{
    Debug *d = dbg_start(.socket = true, .machine = "pc");
    uint64_t buf = hcd_alloc_filled(d->h, 65536, 0x5a);
    QTestState *qts = d->h->qts;

    dbg_enable(d);
    dbg_plug(d);
    dbg_configured(d);
    for (unsigned i = 0; i < 15; i++) {
        dbg_put(d, OUT, buf, 65536, TRB_IOC);
    }
    dbg_put(d, IN, buf, 64, TRB_IOC);
    dbg_ring(d, OUT);
    dbg_ring(d, IN);
    hcd_step_uf(d->h, 8);
    qtest_qmp_assert_success(
        qts, "{'execute': 'device_del', 'arguments': {'id': 'xhci'}}");
    qtest_outl(qts, 0xae08, 1u << (d->h->devfn >> 3));
    qtest_qmp_eventwait(qts, "DEVICE_DELETED");
    hcd_check(send(d->peer, "late", 4, MSG_NOSIGNAL) != 0, "nothing was sent");
    dbg_unplug(d);
    for (unsigned i = 0; i < 8; i++) {
        qtest_clock_step(qts, HCD_UF_NS);
    }
    qtest_qmp_assert_success(qts, "{'execute': 'query-status'}");
    qtest_quit(qts);
    dbg_clear(d);
}

int main(int argc, char **argv)
{
    static const char *const ends[] = { "contexts", "type",       "ring",
                                        "table",    "event-ring", "data" };

    hcd_test_add("DBC-01/registers", dbc_01_registers);
    hcd_test_add("DBC-01/absent", dbc_01_absent);
    hcd_test_add("DBC-02/port", dbc_02_port);
    hcd_test_add("DBC-03/out", dbc_03_out);
    hcd_test_add("DBC-03/slow-host", dbc_03_slow_host);
    hcd_test_add("DBC-04/in", dbc_04_in);
    hcd_test_add("DBC-05/doorbell", dbc_05_doorbell);
    hcd_test_add("DBC-06/halt", dbc_06_halt);
    hcd_test_add("DBC-07/cable", dbc_07_cable);
    hcd_test_add("DBC-07/disable", dbc_07_disable);
    hcd_test_add("DBC-08/resets", dbc_08_resets);
    hcd_test_add("DBC-09/full", dbc_09_full);
    hcd_test_add("DBC-09/no-size", dbc_09_no_size);
    hcd_test_add("DBC-10/bad-trb", dbc_10_bad_trb);
    hcd_test_add("DBC-10/loops", dbc_10_loops);
    for (unsigned i = 0; i < ARRAY_SIZE(ends); i++) {
        g_autofree char *name = g_strconcat("DBC-10/", ends[i], NULL);

        hcd_test_add_data(name, dbc_10_ends, ends[i]);
    }
    hcd_test_add("DBC-11/device", dbc_11_device);
    hcd_test_add("migration/debug-capability", migration);
    hcd_test_add("unplug/debug-capability", unplugged);
    return hcd_test_main(argc, argv);
}
