/*
 * Faults of events and the schedule, seen from the event ring
 * (xHCI 1.2 §4.9.4, §4.10.3).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"
#include "lib/iso.h"

enum { EVERY_FRAME = 4, TDS = 8 };

static IsoIn *start(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    hcd_event_drain(h);
    return in;
}

static void stream(IsoIn *in, unsigned n)
{
    iso_in_queue_sia(in, n);
    iso_in_doorbell(in);
}

/* The stream goes on: another row of TDs behind the doorbell. */
static void goes_on(IsoIn *in)
{
    unsigned first;

    fault_plan(in->h, "%s", "");
    hcd_step_uf(in->h, 400);
    hcd_event_drain(in->h);
    first = in->count;
    stream(in, 3);
    for (unsigned i = first; i < first + 3; i++) {
        iso_in_expect(in, i);
    }
    hcd_check(hcd_ep_state(in->h, in->dev, ISOAV_IN) == EP_STATE_RUNNING,
              "the endpoint is not Running");
    hcd_finish(in->h);
}

/* The TDs whose events come, in their order. */
static void expect_order(IsoIn *in, const int *order)
{
    for (; *order >= 0; order++) {
        hcd_expect_te(in->h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_SUCCESS,
                      .ptr = in->trb[*order], .len = HCD_LEN_0);
    }
}

typedef struct {
    const char *name, *action;
    int order[TDS + 3];
} order_case;

static const order_case orders[] = {
    { "EVT-16/dropped", "'drop-event'", { 0, 1, 3, 4, -1 } },
    { "EVT-16/duplicated", "'duplicate-event'", { 0, 1, 2, 2, 3, -1 } },
    { "EVT-16/late",
      "'delay-event', 'with': {'microframes': 12}",
      { 0, 1, 3, 2, 4, -1 } },
    { "EVT-16/reordered",
      "'reorder-event', 'with': {'behind': 2}",
      { 0, 1, 3, 4, 2, 5, -1 } },
};

static void order(const void *data)
{
    const order_case *c = data;
    IsoIn *in = start();

    fault_rule(in->h, "'where': {'event': 'transfer', 'td': 3}, 'action': %s",
               c->action);
    stream(in, TDS);
    expect_order(in, c->order);
    fault_expect(in->h, "'seam':'event'", 1);
    goes_on(in);
}

/* What is held back behind others is bounded by what comes: the plan's end
 * lets it go. */
static void flushed(void)
{
    IsoIn *in = start();
    static const int first[] = { 0, 1, -1 }, last[] = { 2, -1 };

    fault_rule(in->h, "'where': {'event': 'transfer', 'td': 3}, 'action': "
                      "'reorder-event', 'with': {'behind': 200}");
    stream(in, 3);
    expect_order(in, first);
    hcd_expect_te(in->h, .cc = CC_RING_OVERRUN);
    hcd_expect_quiet(in->h, 80);
    fault_plan(in->h, "%s", "");
    expect_order(in, last);
    goes_on(in);
}

/* R/S = 0: what was put off belongs to the life before. */
static void late_and_stopped(void)
{
    IsoIn *in = start();

    fault_rule(in->h, "'where': {'event': 'transfer', 'td': 3}, 'action': "
                      "'delay-event', 'with': {'microframes': 800}");
    stream(in, 3);
    expect_order(in, (const int[]){ 0, 1, -1 });
    hcd_step_uf(in->h, 80);
    hcd_event_drain(in->h);
    hcd_halt(in->h);
    hcd_run(in->h);
    hcd_event_drain(in->h);
    hcd_expect_quiet(in->h, 1600);
    goes_on(in);
}

/* xHCI 1.2 §4.9.4: [21], and then nothing until there is room again. */
static void ring_full(void)
{
    IsoIn *in = start();
    HcdEvent event;

    fault_rule(in->h, "'where': {'event': 'transfer', 'td': 3}, 'action': "
                      "'event-ring-full', 'with': {'microframes': 40}");
    stream(in, 20);
    expect_order(in, (const int[]){ 0, 1, -1 });
    event = hcd_expect_type(in->h, EVT_HOST_CONTROLLER);
    hcd_expect_cc(event.cc, CC_EVENT_RING_FULL);
    hcd_expect_quiet(in->h, 36);
    expect_order(in, (const int[]){ 2, -1 });
    for (unsigned i = 0; i < 4; i++) { /* ESITs that were lost meanwhile */
        hcd_expect_te(in->h, .dev = in->dev, .cc = CC_MISSED_SERVICE,
                      .ptr = in->trb[3 + i]);
    }
    goes_on(in);
}

static void event_lost(void)
{
    IsoIn *in = start();
    HcdEvent event;

    fault_rule(in->h, "'where': {'event': 'transfer', 'td': 3}, 'action': "
                      "'event-lost'");
    stream(in, TDS);
    expect_order(in, (const int[]){ 0, 1, -1 });
    event = hcd_expect_type(in->h, EVT_HOST_CONTROLLER);
    hcd_expect_cc(event.cc, CC_EVENT_LOST);
    expect_order(in, (const int[]){ 3, 4, -1 });
    goes_on(in);
}

typedef struct {
    const char *name, *code;
    unsigned cc;
} code_case;

static const code_case codes[] = {
    { "FP-33/event", "'undefined'", 33 },
    { "FP-V1/event", "200", 200 },
    { "FP-V2/event", "224", 224 },
};

static void event_code(const void *data)
{
    const code_case *c = data;
    IsoIn *in = start();

    fault_rule(in->h,
               "'where': {'event': 'transfer', 'td': 2}, 'action': "
               "'event-code', 'with': {'code': %s, 'length': 7}",
               c->code);
    stream(in, TDS);
    expect_order(in, (const int[]){ 0, -1 });
    hcd_expect_te(in->h, .dev = in->dev, .cc = c->cc, .ptr = in->trb[1],
                  .len = 7);
    expect_order(in, (const int[]){ 2, 3, -1 });
    goes_on(in);
}

/* xHCI 1.2 §4.6.9: SPC; the length is what has moved. */
static void stopped_short(void)
{
    IsoIn *in = start();
    Hcd *h = in->h;
    HcdEvent event;

    fault_rule(h, "'where': {'event': 'transfer', 'code': "
                  "'stopped-length-invalid'}, 'action': 'event-code', 'with': "
                  "{'code': 'stopped-short-packet', 'length': 100}");
    stream(in, 2);
    expect_order(in, (const int[]){ 0, 1, -1 });
    hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
    hcd_check(hcd_event_take(h, &event), "there is no event");
    if (event.cc == CC_RING_OVERRUN) {
        hcd_check(hcd_event_take(h, &event), "there is no event");
    }
    hcd_check(event.cc == CC_STOPPED_SHORT_PACKET && event.len == 100, "%s",
              hcd_event_text(&event));
    hcd_check(hcd_ep_state(h, in->dev, ISOAV_IN) == EP_STATE_STOPPED,
              "the endpoint is not Stopped");
    goes_on(in);
}

/* xHCI 1.2 §4.10.3.2: three ESITs, a TD and an event each. */
static void missed(void)
{
    IsoIn *in = start();
    uint64_t before, after;

    fault_rule(in->h, "'where': {'td': 3}, 'action': 'miss', 'with': "
                      "{'intervals': 3}");
    stream(in, TDS);
    iso_in_expect(in, 0);
    before = iso_in_expect(in, 1);
    for (unsigned i = 2; i < 5; i++) {
        iso_in_expect_missed(in, i);
    }
    after = iso_in_expect(in, 5);
    hcd_check(after - before == 4 * in->esit_uf,
              "%" PRIu64 " microframes between the good ones", after - before);
    fault_expect(in->h, "'action':'miss','code':23", 3);
    fault_expect(in->h, "'hit':1", 3);
    goes_on(in);
}

/* xHCI 1.2 §4.10.3.1: off the schedule, until a doorbell. */
static void xrun(void)
{
    IsoIn *in = start();

    fault_rule(in->h, "'where': {'td': 3}, 'when': {'count': 1}, 'action': "
                      "'complete', 'with': {'code': 'ring-overrun'}");
    stream(in, TDS);
    expect_order(in, (const int[]){ 0, 1, -1 });
    hcd_expect_te(in->h, .dev = in->dev, .cc = CC_RING_OVERRUN);
    hcd_expect_quiet(in->h, 80);
    iso_in_doorbell(in);
    expect_order(in, (const int[]){ 2, 3, -1 });
    goes_on(in);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        hcd_test_add_data(orders[i].name, order, &orders[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        hcd_test_add_data(codes[i].name, event_code, &codes[i]);
    }
    hcd_test_add("EVT-16/held-until-the-end", flushed);
    hcd_test_add("EVT-16/late-and-stopped", late_and_stopped);
    hcd_test_add("FP-21/ring-full", ring_full);
    hcd_test_add("FP-32/event-lost", event_lost);
    hcd_test_add("FP-28/stopped-short-packet", stopped_short);
    hcd_test_add("FP-23/three-intervals", missed);
    hcd_test_add("FP-15/off-the-schedule", xrun);
    return hcd_test_main(argc, argv);
}
