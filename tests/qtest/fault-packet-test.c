/*
 * Faults of packets that the driver need not notice, or notices late: NAK, an
 * answer that takes its time, fewer errors than CErr, bits that are turned over
 * (USB 2.0 §8.5.1; xHCI 1.2 §4.10.2).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"
#include "lib/iso.h"

#include "isolab/isoav.h"

#define BYTES 64

static uint64_t queue(Hcd *h, HcdDev *dev, uint64_t *buf)
{
    HcdPuppetTd td = hcd_puppet_queue(h, dev, PUPPET_EP_BULK_IN);

    *buf = td.buf;
    return td.last;
}

static void expect_good(Hcd *h, HcdDev *dev, uint64_t trb)
{
    hcd_expect_te(h, .dev = dev, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
}

/* usb-puppet sends a count: none of it is lost, none comes twice. */
static void expect_bytes(Hcd *h, uint64_t buf, unsigned first)
{
    uint8_t bytes[BYTES];

    qtest_memread(h->qts, buf, bytes, BYTES);
    for (unsigned i = 0; i < BYTES; i++) {
        hcd_check(bytes[i] == (uint8_t)(first + i),
                  "byte %u is %02x, expected %02x", i, bytes[i],
                  (uint8_t)(first + i));
    }
}

typedef struct {
    const char *action;
    unsigned ep;
} late_case;

/* Its data on both sides: of all but GET_DESCRIPTOR usb-puppet keeps count. */
static void check_late_data(Hcd *h, const late_case *c, const HcdPuppetTd *td)
{
    const HcdPuppetEp *pe = &hcd_puppet_eps[c->ep];

    for (unsigned i = 0; i < 3 && pe->in && c->ep != PUPPET_EP_CONTROL_IN;
         i++) {
        expect_bytes(h, td[i].buf, i * BYTES);
    }
    hcd_check(pe->in || hcd_puppet_count(h, "received") == 3 * BYTES,
              "the device has had %" PRIu64 " bytes",
              hcd_puppet_count(h, "received"));
    hcd_check(pe->ep.dci == 1 || hcd_puppet_count(h, "packets") == 3,
              "%" PRIu64 " packets", hcd_puppet_count(h, "packets"));
}

static void late(const void *data)
{
    const late_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open_ep(h, c->ep);
    unsigned dci = hcd_puppet_eps[c->ep].ep.dci;
    HcdPuppetTd td[3];
    uint64_t began, took;

    fault_rule(h,
               "'where': {'endpoint': %u, 'td': %u}, 'action': '%s', 'with': "
               "{'microframes': 80}",
               dci / 2, dci == 1 ? 3 : 2, c->action);
    for (unsigned i = 0; i < 3; i++) {
        td[i] = hcd_puppet_queue(h, dev, c->ep);
    }
    hcd_ring_ep(h, dev, dci);
    expect_good(h, dev, td[0].last);
    began = hcd_now_uf(h);
    expect_good(h, dev, td[1].last);
    took = hcd_now_uf(h) - began;
    hcd_check(took >= 79 && took <= 90, "it took %" PRIu64 " microframes",
              took);
    expect_good(h, dev, td[2].last);
    check_late_data(h, c, td);
    fault_expect(h, "'hit':1", 1);
    hcd_finish(h);
}

/* What waits for the device: all but isochronous endpoints. */
static void add_lates(const char *action)
{
    for (unsigned ep = 0; ep < PUPPET_EP_ISOCH_IN; ep++) {
        late_case *c = g_new0(late_case, 1);
        g_autofree char *name =
            g_strdup_printf("EP-08/%s/%s", action, hcd_puppet_eps[ep].name);

        *c = (late_case){ action, ep };
        hcd_test_add_data(name, late, c);
    }
}

/* The device keeps the packet, gives it back, and then the delay begins. */
static void late_async(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb, buf;

    fault_rule(h, "'where': {'td': 1, 'type': 'bulk'}, 'action': 'delay', "
                  "'with': {'microframes': 80}");
    hcd_puppet_answer(h, "hold");
    trb = queue(h, dev, &buf);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_quiet(h, 80);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "release");
    hcd_expect_quiet(h, 78);
    expect_good(h, dev, trb);
    expect_bytes(h, buf, 0);
    hcd_check(hcd_puppet_count(h, "packets") == 1,
              "the device was asked twice");
    hcd_finish(h);
}

/* Stopped while it is kept back: it goes on there, and nothing is doubled. */
static void stopped(const void *data)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb, buf;

    fault_rule(h,
               "'where': {'td': 1, 'type': 'bulk'}, 'action': '%s', 'with': "
               "{'microframes': 80}",
               (const char *)data);
    trb = queue(h, dev, &buf);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, 8);
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .cc = CC_STOPPED, .ptr = trb, .len = BYTES);
    hcd_check(hcd_ep_state(h, dev, PUPPET_IN) == EP_STATE_STOPPED,
              "the endpoint is in state %u", hcd_ep_state(h, dev, PUPPET_IN));
    hcd_step_uf(h, 16);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_quiet(h, 40);
    expect_good(h, dev, trb);
    expect_bytes(h, buf, 0);
    fault_expect(h, "'hit':1", 1);
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.9: stopped between TDs, and the length, which means nothing, is
 * a large one. The next TD is the one that was to come. */
static void stopped_between(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb[2], buf[2];

    fault_rule(h, "'where': {'event': 'transfer', 'code': "
                  "'stopped-length-invalid'}, 'action': 'event-code', 'with': "
                  "{'code': 'stopped-length-invalid', 'length': 16777215}");
    trb[0] = queue(h, dev, &buf[0]);
    hcd_ring_ep(h, dev, PUPPET_IN);
    expect_good(h, dev, trb[0]);
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
    trb[1] = queue(h, dev, &buf[1]);
    hcd_expect_te(h, .dev = dev, .cc = CC_STOPPED_LENGTH_INVALID, .ptr = trb[1],
                  .len = 16777215);
    hcd_check(hcd_ep_state(h, dev, PUPPET_IN) == EP_STATE_STOPPED,
              "the endpoint is in state %u", hcd_ep_state(h, dev, PUPPET_IN));
    fault_expect(h, "'action':'event-code'", 1);
    hcd_ring_ep(h, dev, PUPPET_IN);
    expect_good(h, dev, trb[1]);
    expect_bytes(h, buf[1], BYTES);
    hcd_finish(h);
}

/* The plan goes while a packet is late: its answer still arrives. */
static void plan_goes(const void *data)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    g_autofree char *seams = NULL;
    uint64_t trb[2], buf[2];

    fault_rule(h,
               "'where': {'td': 1, 'type': 'bulk'}, 'action': '%s', 'with': "
               "{'microframes': 8000}",
               (const char *)data);
    trb[0] = queue(h, dev, &buf[0]);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_quiet(h, 8);
    fault_plan(h, "%s", "");
    expect_good(h, dev, trb[0]);
    trb[1] = queue(h, dev, &buf[1]);
    hcd_ring_ep(h, dev, PUPPET_IN);
    expect_good(h, dev, trb[1]);
    expect_bytes(h, buf[0], 0);
    expect_bytes(h, buf[1], BYTES);
    seams = fault_get(h, "fault-seams");
    hcd_check(!*seams, "the seams %s are still wrapped", seams);
    hcd_finish(h);
}

/* Two failures of three: tried again, and nobody hears of it. */
static void below_cerr(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb, buf;

    fault_rule(h, "'where': {'td': 1, 'type': 'bulk'}, 'when': {'count': 2}, "
                  "'action': 'silence'");
    trb = queue(h, dev, &buf);
    hcd_ring_ep(h, dev, PUPPET_IN);
    expect_good(h, dev, trb);
    expect_bytes(h, buf, 0);
    fault_expect(h, "'action':'silence','code':4", 2);
    hcd_finish(h);
}

static void corrupt_in(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t trb[2], buf[2];

    fault_rule(h, "'where': {'td': 1, 'type': 'bulk'}, 'action': 'corrupt', "
                  "'with': {'offset': 5, 'xor': 129, 'bytes': 2}");
    trb[0] = queue(h, dev, &buf[0]);
    trb[1] = queue(h, dev, &buf[1]);
    hcd_ring_ep(h, dev, PUPPET_IN);
    expect_good(h, dev, trb[0]);
    expect_good(h, dev, trb[1]);
    hcd_check(qtest_readb(h->qts, buf[0] + 5) == (5 ^ 129) &&
                  qtest_readb(h->qts, buf[0] + 6) == (6 ^ 129),
              "the bytes are as they were");
    qtest_writeb(h->qts, buf[0] + 5, 5);
    qtest_writeb(h->qts, buf[0] + 6, 6);
    expect_bytes(h, buf[0], 0);
    expect_bytes(h, buf[1], BYTES);
    hcd_finish(h);
}

/* usb-isoav checks what it gets: one packet is bad, and guest memory is as it
 * was. */
static void corrupt_out(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);
    uint64_t buf[3], trb[3];
    uint8_t before;

    hcd_isoav_select(h, dev, 1);
    hcd_isoav_add_ep(h, dev, 1, ISOAV_OUT);
    fault_rule(h, "'where': {'td': 2, 'type': 'isoch'}, 'action': 'corrupt', "
                  "'with': {'offset': 40}");
    for (unsigned i = 0; i < 3; i++) {
        buf[i] = hcd_isoav_out_packet(h, i, 192);
        trb[i] = td_isoch(h, dev, ISOAV_OUT, .buf = buf[i], .len = 192,
                          .sia = true, .ioc = true);
    }
    before = qtest_readb(h->qts, buf[1] + 40);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < 3; i++) {
        expect_good(h, dev, trb[i]);
    }
    hcd_check(qtest_readb(h->qts, buf[1] + 40) == before,
              "guest memory was changed");
    hcd_check(hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT) == 1,
              "%" PRIu64 " bad packets at the device",
              hcd_isoav_counter(h, dev, ISOAV_COUNT_BAD_OUT));
    fault_expect(h, "'action':'corrupt','bytes':1", 1);
    hcd_finish(h);
}

/* SET_ADDRESS belongs to a command. */
static void set_address(const void *data)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));

    fault_rule(h, "'where': {'slot': %u}, 'when': {'nth': 1}, 'action': '%s'",
               dev->slot_id, (const char *)data);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_USB_TRANSACTION_ERROR);
    hcd_check(hcd_slot_state(h, dev) == SLOT_STATE_ENABLED,
              "the slot is in state %u", hcd_slot_state(h, dev));
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* xHCI 1.2 §4.8.3: the driver resets EP0, and the device is asked again. */
static void clear_stall(Hcd *h, HcdDev *dev)
{
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_HALTED, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, 1);
}

/* A control transfer is one TD, of Setup, Data and Status Stage. */
static void control(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    HcdSetup get = { .type = 0x80, .request = 6, .value = 0x100, .length = 18 };
    uint64_t buf = hcd_alloc_filled(h, 18, 0xaa);

    fault_rule(h, "'where': {'endpoint': 0, 'trb': 'data'}, 'when': {'nth': "
                  "1}, 'action': 'stall'");
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_STALL_ERROR);
    clear_stall(h, dev);
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_SUCCESS);
    hcd_finish(h);
}

/* One request is meant: the others, even of the same name or for the same
 * interface, go to the device. */
static void request(const void *data)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_configured(h);
    HcdSetup select = {
        .type = 0x01, .request = 11, .value = 1, .index = ISOAV_IFACE_TEST
    };
    HcdSetup get = {
        .type = 0x81, .request = 10, .index = ISOAV_IFACE_TEST, .length = 1
    };
    HcdSetup descriptor = {
        .type = 0x80, .request = 6, .value = 0x100, .length = 18
    };
    uint64_t buf = hcd_alloc_filled(h, 18, 0xaa);

    fault_rule(h,
               "'where': {'request': {%s, 'wValue': [1, 255], 'wIndex': %u}}, "
               "'when': {'count': 2}, 'action': 'stall'",
               (const char *)data, ISOAV_IFACE_TEST);
    hcd_isoav_select(h, dev, 0);
    hcd_expect_cc(hcd_control(h, dev, descriptor, buf), CC_SUCCESS);
    for (unsigned i = 0; i < 2; i++) {
        hcd_expect_cc(hcd_control(h, dev, select, 0), CC_STALL_ERROR);
        clear_stall(h, dev);
        hcd_expect_cc(hcd_control(h, dev, get, buf), CC_SUCCESS);
        hcd_check(qtest_readb(h->qts, buf) == 0, "alternate %u was selected",
                  qtest_readb(h->qts, buf));
    }
    fault_expect(h, "'direction':'out','type':'control'", 2);
    hcd_isoav_select(h, dev, 1);
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_SUCCESS);
    hcd_check(qtest_readb(h->qts, buf) == 1, "alternate %u is selected",
              qtest_readb(h->qts, buf));
    hcd_finish(h);
}

/* One bRequest, of four types and recipients; the device knows the first. */
static const uint8_t six[] = { 0x80, 0x81, 0xa0, 0xc0 };

typedef struct {
    const char *name, *where;
    bool fires[G_N_ELEMENTS(six)];
} type_case;

static const type_case types[] = {
    { "FP-33/request-of-standard-type",
      "'name': 'get-descriptor'",
      { true, true } },
    { "FP-33/request-to-interface",
      "'name': 'get-descriptor', 'bmRequestType': 129",
      { false, true } },
    { "FP-33/request-of-class",
      "'bmRequestType': 160, 'bRequest': 6",
      { false, false, true } },
    { "FP-33/request-of-vendor",
      "'bmRequestType': 192, 'bRequest': 6",
      { false, false, false, true } },
    { "FP-33/request-of-any-type",
      "'bRequest': 6",
      { true, true, true, true } },
};

/* USB 2.0 Table 9-2: bits 6:5 say whose request it is, and a name is that of
 * a standard one. */
static void request_type(const void *data)
{
    const type_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    uint64_t buf = hcd_alloc_filled(h, 18, 0xaa);
    unsigned hits = 0;

    fault_rule(h,
               "'where': {'request': {%s}}, 'action': 'complete', 'with': "
               "{'code': 'undefined'}",
               c->where);
    for (unsigned i = 0; i < G_N_ELEMENTS(six); i++) {
        HcdSetup get = {
            .type = six[i], .request = 6, .value = 0x100, .length = 18
        };
        unsigned cc = c->fires[i] ? CC_UNDEFINED
                      : i == 0    ? CC_SUCCESS
                                  : CC_STALL_ERROR;

        hcd_expect_cc(hcd_control(h, dev, get, buf), cc);
        if (cc != CC_SUCCESS) {
            clear_stall(h, dev);
        }
        hits += c->fires[i];
        fault_expect(h, "'action':'complete'", hits);
    }
    hcd_finish(h);
}

/* The event of a request has its keys too. */
static void request_event(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    HcdSetup get = { .type = 0x80, .request = 6, .value = 0x100, .length = 18 };
    HcdSetup config = { .type = 0x80, .request = 8, .length = 1 };
    uint64_t buf = hcd_alloc_filled(h, 18, 0xaa);

    fault_rule(h, "'where': {'event': 'transfer', 'request': {'name': "
                  "'get-descriptor', 'wLength': 18}}, 'when': {'count': 1}, "
                  "'action': 'event-code', 'with': {'code': 'undefined'}");
    hcd_expect_cc(hcd_control(h, dev, config, buf), CC_SUCCESS);
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_UNDEFINED);
    hcd_expect_cc(hcd_control(h, dev, get, buf), CC_SUCCESS);
    fault_expect(h, "'event':'transfer'", 1);
    fault_rule(h, "'where': {'event': 'transfer', 'request': {'bRequest': "
                  "6}}, 'action': 'drop-event'");
    hcd_expect_cc(hcd_cmd_stop(h, dev, 1), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_STOPPED_LENGTH_INVALID);
    fault_expect(h, "'action':'drop-event'", 0);
    hcd_finish(h);
}

/* The request that the controller itself makes. */
static void request_set_address(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));

    fault_rule(h, "'where': {'request': {'name': 'set-address'}}, 'when': "
                  "{'nth': 1}, 'action': 'silence'");
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_USB_TRANSACTION_ERROR);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    fault_expect(h, "'action':'silence'", 1);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    add_lates("nak");
    add_lates("delay");
    hcd_test_add("EP-08/delay-async", late_async);
    hcd_test_add_data("FP-26/stopped-in-nak", stopped, "nak");
    hcd_test_add_data("FP-26/stopped-in-delay", stopped, "delay");
    hcd_test_add("FP-27/stopped-between", stopped_between);
    hcd_test_add_data("EP-08/plan-goes-in-nak", plan_goes, "nak");
    hcd_test_add_data("EP-08/plan-goes-in-delay", plan_goes, "delay");
    hcd_test_add("EP-08/below-cerr", below_cerr);
    hcd_test_add("ISO-34/corrupt-in", corrupt_in);
    hcd_test_add("ISO-34/corrupt-out", corrupt_out);
    hcd_test_add_data("FP-04/set-address", set_address, "silence");
    hcd_test_add_data("FP-04/set-address-stalled", set_address, "stall");
    hcd_test_add("FP-06/control", control);
    hcd_test_add_data("FP-06/set-interface", request,
                      "'name': 'set-interface'");
    hcd_test_add_data("FP-06/request-numbers", request,
                      "'bmRequestType': 1, 'bRequest': 11");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        hcd_test_add_data(types[i].name, request_type, &types[i]);
    }
    hcd_test_add("FP-33/request-event", request_event);
    hcd_test_add("FP-04/request-set-address", request_set_address);
    return hcd_test_main(argc, argv);
}
