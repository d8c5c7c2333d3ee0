/*
 * Completion codes that a fault plan gives to TDs (xHCI 1.2 §4.10.2, §4.10.3,
 * Table 6-90), on each type and direction of endpoint that may have them: what
 * the driver sees, what the device has had, what becomes of the endpoint, and
 * that it works afterwards. Elsewhere the plan is refused.
 *
 * A row of the table is an action and its endpoints; each of them is a test.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"

#define ALL_BYTES UINT_MAX
#define PART 11 /* bytes, fewer than any TD has */

#define ON(ep) (1u << PUPPET_EP_##ep)
#define CONTROL (ON(CONTROL_IN) | ON(CONTROL_OUT))
#define BULK (ON(BULK_IN) | ON(BULK_OUT))
#define INTERRUPT (ON(INTERRUPT_IN) | ON(INTERRUPT_OUT))
#define ISOCH (ON(ISOCH_IN) | ON(ISOCH_OUT))
#define QUEUED (CONTROL | BULK | INTERRUPT)
#define EACH (QUEUED | ISOCH)
#define IN (ON(CONTROL_IN) | ON(BULK_IN) | ON(INTERRUPT_IN) | ON(ISOCH_IN))

typedef struct {
    const char *name;   /* that of the row, and how it is done */
    const char *action; /* what the rule does, and its parameters */
    unsigned cc;
    unsigned on;    /* endpoints */
    unsigned state; /* then; an isochronous one is never Halted */
    unsigned moved; /* bytes of the TD that count */
    bool unasked;   /* the device has not had the packet */
} code_row;

#define COMPLETE(code) "'action': 'complete', 'with': {'code': '" code "'}"
#define COMPLETE_WITH(code, bytes) \
    "'action': 'complete', 'with': {'code': '" code "', 'bytes': " #bytes "}"
#define SAYS(code) "'action': 'event-code', 'with': {'code': " code "}"
#define RUNS EP_STATE_RUNNING
#define HALTS EP_STATE_HALTED
#define ERRS EP_STATE_ERROR

static const code_row rows[] = {
    { "FP-00/event-code", SAYS("0"), 0, .on = EACH, .state = RUNS,
      .moved = ALL_BYTES },
    { "FP-02/complete", COMPLETE("data-buffer-error"), 2, .on = EACH,
      .state = HALTS },
    { "FP-02/in-part", COMPLETE_WITH("data-buffer-error", 11), 2, .on = EACH,
      .state = HALTS, .moved = PART },
    { "ISO-38/complete", COMPLETE("data-buffer-error"), 2, .on = ISOCH,
      .state = RUNS },
    { "FP-03/complete", COMPLETE("babble-detected"), 3, .on = IN,
      .state = HALTS },
    { "FP-03/babble", "'action': 'babble'", 3, .on = IN, .state = HALTS },
    { "FP-04/complete", COMPLETE("usb-transaction-error"), 4, .on = EACH,
      .state = HALTS },
    { "FP-04/silence", "'action': 'silence'", 4, .on = EACH, .state = HALTS,
      .unasked = true },
    { "FP-05/complete", COMPLETE("trb-error"), 5, .on = EACH, .state = ERRS },
    { "FP-06/complete", COMPLETE("stall-error"), 6, .on = QUEUED,
      .state = HALTS },
    { "FP-06/stall", "'action': 'stall'", 6, .on = QUEUED, .state = HALTS,
      .unasked = true },
    { "FP-10/complete", COMPLETE("invalid-stream-type"), 10, .on = BULK,
      .state = HALTS },
    { "FP-12/event-code", SAYS("'endpoint-not-enabled'"), 12, .on = EACH,
      .state = RUNS, .moved = ALL_BYTES },
    { "FP-13/complete", COMPLETE_WITH("short-packet", 11), 13, .on = IN,
      .state = RUNS, .moved = PART },
    { "FP-13/short", "'action': 'short', 'with': {'bytes': 11}", 13, .on = IN,
      .state = RUNS, .moved = PART },
    { "FP-13/nothing", "'action': 'short', 'with': {'bytes': 0}", 13, .on = IN,
      .state = RUNS },
    { "FP-18/complete", COMPLETE("bandwidth-overrun"), 18, .on = ISOCH,
      .state = RUNS, .moved = ALL_BYTES },
    { "FP-20/complete", COMPLETE("no-ping-response"), 20,
      .on = ISOCH | INTERRUPT, .state = HALTS },
    { "FP-22/complete", COMPLETE("incompatible-device"), 22, .on = EACH,
      .state = HALTS },
    { "FP-23/complete", COMPLETE("missed-service"), 23, .on = ISOCH,
      .state = RUNS, .unasked = true },
    { "FP-23/miss", "'action': 'miss'", 23, .on = ISOCH, .state = RUNS,
      .unasked = true },
    { "FP-31/complete", COMPLETE("isoch-buffer-overrun"), 31,
      .on = ON(ISOCH_IN), .state = RUNS, .moved = ALL_BYTES },
    { "FP-32/complete", COMPLETE("event-lost"), 32, .on = EACH,
      .state = HALTS },
    { "FP-33/complete", COMPLETE("undefined"), 33, .on = EACH, .state = HALTS },
    { "FP-33/event-code", SAYS("'undefined'"), 33, .on = EACH, .state = RUNS,
      .moved = ALL_BYTES },
    { "FP-34/complete", COMPLETE("invalid-stream-id"), 34, .on = BULK,
      .state = HALTS },
    { "FP-36/complete", COMPLETE("split-transaction"), 36, .on = EACH,
      .state = HALTS },
    { "FP-V1/complete", "'action': 'complete', 'with': {'code': 192}", 192,
      .on = EACH, .state = HALTS },
    { "FP-V2/event-code", SAYS("224"), 224, .on = EACH, .state = RUNS,
      .moved = ALL_BYTES },
};

/* A row on one endpoint, which is set up and has had a TD. */
typedef struct {
    const code_row *row;
    const HcdPuppetEp *pe;
    unsigned which;
    Hcd *h;
    HcdDev *dev;
    unsigned base; /* TDs before the first */
    unsigned tries, state, moved;
} code_case;

static bool is_isoch(const code_case *c)
{
    return ISOCH & 1u << c->which;
}

static bool is_control(const code_case *c)
{
    return CONTROL & 1u << c->which;
}

static void expect_good(const code_case *c, uint64_t trb)
{
    hcd_expect_te(c->h, .dev = c->dev, .dci = c->pe->ep.dci, .cc = CC_SUCCESS,
                  .ptr = trb, .len = HCD_LEN_0);
}

/* The TD's trouble is at the TRB whose bytes are missing; a TRB Error of the
 * model's is at its last one. Then, of a control transfer that was but short,
 * comes the Status Stage (§4.10.1.1). */
static void expect_code(const code_case *c, const HcdPuppetTd *td)
{
    int64_t left = c->pe->bytes - c->moved;
    bool at_last = !left || c->state == ERRS;
    bool nameless = c->row->cc == CC_ENDPOINT_NOT_ENABLED; /* Table 6-90 */
    HcdEvent event = hcd_expect_te(
        c->h, .dev = c->dev, .dci = c->pe->ep.dci, .cc = c->row->cc,
        .ptr = nameless  ? 0
               : at_last ? td->last
                         : td->data,
        .len = !left || (at_last && is_control(c)) ? HCD_LEN_0 : left);

    hcd_check(event.cc == c->row->cc && (!nameless || !event.ptr), "%s",
              hcd_event_text(&event));
    if (c->row->cc == CC_SHORT_PACKET && is_control(c)) {
        expect_good(c, td->last);
    }
}

/* usb-puppet counts what it sends, and its descriptor is as it was. */
static void check_bytes(const code_case *c, const HcdPuppetTd *td,
                        const HcdPuppetTd *before)
{
    for (unsigned i = 0; c->pe->in && i < c->moved; i++) {
        uint8_t got = qtest_readb(c->h->qts, td->buf + i);
        uint8_t want = is_control(c) ? qtest_readb(c->h->qts, before->buf + i)
                                     : c->pe->bytes + i;

        hcd_check(got == want, "byte %u is %02x, expected %02x", i, got, want);
    }
    hcd_check(!c->pe->in ||
                  hcd_mem_is(c->h, td->buf + c->moved,
                             c->pe->bytes - c->moved + PUPPET_BEYOND, 0xaa),
              "more was written than has moved");
}

/* Each TD once; the one in the middle as often as it was tried, or not. */
static void check_device(const code_case *c)
{
    unsigned tds = 2 + (c->row->unasked ? 0 : c->tries);
    uint64_t bytes = hcd_puppet_count(c->h, c->pe->in ? "sent" : "received");

    if (c->which != PUPPET_EP_CONTROL_IN) { /* which it does not count */
        hcd_check(bytes == tds * c->pe->bytes,
                  "the device has had %" PRIu64 " bytes, expected %u", bytes,
                  tds * c->pe->bytes);
    }
}

static void check_state(const code_case *c, unsigned want)
{
    unsigned state = hcd_ep_state(c->h, c->dev, c->pe->ep.dci);

    hcd_check(state == want, "the endpoint is in state %u, expected %u", state,
              want);
}

/* xHCI 1.2 §4.6.8, §4.6.10: nothing moves it, until the driver does what it
 * must do about each state. */
static void recover(const code_case *c)
{
    unsigned dci = c->pe->ep.dci;
    HcdPuppetTd td;

    hcd_ring_ep(c->h, c->dev, dci);
    hcd_expect_quiet(c->h, 80);
    check_state(c, c->state);
    if (c->state == HALTS) {
        hcd_expect_cc(hcd_cmd_reset_ep(c->h, c->dev, dci), CC_SUCCESS);
    }
    hcd_cmd_skip_all(c->h, c->dev, dci);
    check_state(c, EP_STATE_STOPPED);
    td = hcd_puppet_queue(c->h, c->dev, c->which);
    hcd_ring_ep(c->h, c->dev, dci);
    expect_good(c, td.last);
    check_state(c, RUNS);
}

/* CErr is 3. What moved a part of its bytes has no second try. */
static unsigned tries_of(const code_case *c)
{
    return c->state == HALTS && !c->row->moved &&
                   (c->row->cc == CC_USB_TRANSACTION_ERROR ||
                    c->row->cc == CC_SPLIT_TRANSACTION)
               ? 3
               : 1;
}

static void settle(code_case *c)
{
    c->pe = &hcd_puppet_eps[c->which];
    c->moved = MIN(c->row->moved, c->pe->bytes);
    c->state = is_isoch(c) && c->row->state == HALTS ? RUNS : c->row->state;
    c->tries = tries_of(c);
    c->base = is_control(c) ? 1 : 0; /* SET_CONFIGURATION */
    c->h = hcd_start(.puppet = true);
    c->dev = hcd_puppet_open_ep(c->h, c->which);
    c->h->takes_zero = c->row->cc == CC_INVALID;
}

static void code(const void *data)
{
    const code_case *of = data;
    code_case c = { .row = of->row, .which = of->which };
    g_autofree char *line = NULL;
    HcdPuppetTd td[3];

    settle(&c);
    fault_rule(c.h, "'where': {'slot': %u, 'endpoint': %u, 'td': %u%s}, %s",
               c.dev->slot_id, c.pe->ep.dci / 2, c.base + 2,
               strstr(c.row->action, "event-code") ? ", 'event': 'transfer'"
                                                   : "",
               c.row->action);
    for (unsigned i = 0; i < 3; i++) {
        td[i] = hcd_puppet_queue(c.h, c.dev, c.which);
    }
    hcd_ring_ep(c.h, c.dev, c.pe->ep.dci);
    expect_good(&c, td[0].last);
    expect_code(&c, &td[1]);
    check_state(&c, c.state);
    check_bytes(&c, &td[1], &td[0]);
    line = g_strdup_printf("'td':%u,", c.base + 2);
    fault_expect(c.h, line, c.tries);
    if (c.state == RUNS) {
        expect_good(&c, td[2].last);
    } else {
        recover(&c);
    }
    check_device(&c);
    hcd_finish(c.h);
}

static void add_codes(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        for (unsigned ep = 0; ep < PUPPET_EPS; ep++) {
            code_case *c = g_new0(code_case, 1);
            g_autofree char *name =
                g_strdup_printf("%s/%s", rows[i].name, hcd_puppet_eps[ep].name);

            *c = (code_case){ .row = &rows[i], .which = ep };
            if (rows[i].on & 1u << ep) {
                hcd_test_add_data(name, code, c);
            }
        }
    }
}

/* A rule for an endpoint that cannot have the code. */
static void expect_refusal(Hcd *h, const char *action, unsigned ep)
{
    static const char *const types[] = { "control", "bulk", "interrupt",
                                         "isoch" };
    g_autofree char *plan = g_strdup_printf(
        "{'rules': [{'where': {'type': '%s', 'direction': '%s'}, %s}]}",
        types[ep / 2], hcd_puppet_eps[ep].in ? "in" : "out", action);
    g_autofree char *why = fault_refusal(h, plan);

    hcd_check(strstr(why, "that cannot happen on") ||
                  strstr(why, "endpoints only"),
              "%s was refused: %s", plan, why);
}

static void refused(void)
{
    Hcd *h = hcd_start(.args = "");

    for (unsigned ep = 0; ep < PUPPET_EPS; ep++) {
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
            if (!(rows[i].on & 1u << ep) &&
                g_str_has_prefix(rows[i].name, "FP-")) {
                expect_refusal(h, rows[i].action, ep);
            }
        }
        if (ep != PUPPET_EP_ISOCH_OUT) {
            expect_refusal(h, COMPLETE("ring-underrun"), ep);
        }
        if (ep != PUPPET_EP_ISOCH_IN) {
            expect_refusal(h, COMPLETE("ring-overrun"), ep);
        }
    }
    hcd_finish(h);
}

typedef struct {
    const char *name, *code;
    unsigned ep;
    unsigned cc;
} dry_case;

static const dry_case drys[] = {
    { "FP-14/complete/isoch-out", "ring-underrun", PUPPET_EP_ISOCH_OUT,
      CC_RING_UNDERRUN },
    { "FP-15/complete/isoch-in", "ring-overrun", PUPPET_EP_ISOCH_IN,
      CC_RING_OVERRUN },
};

/* xHCI 1.2 §4.10.3.1: a ring that is not empty is taken for empty. No TD is
 * ended or lost: the pointer is where the next one is. Nothing is served until
 * a doorbell. */
static void runs_dry(const void *data)
{
    const dry_case *d = data;
    static const code_row none = { .unasked = true, .state = RUNS };
    code_case c = { .row = &none, .which = d->ep };
    HcdPuppetTd td[4];

    settle(&c);
    fault_rule(c.h,
               "'where': {'td': 3}, 'when': {'count': 1}, 'action': "
               "'complete', 'with': {'code': '%s'}",
               d->code);
    for (size_t i = 0; i < G_N_ELEMENTS(td); i++) {
        td[i] = hcd_puppet_queue(c.h, c.dev, d->ep);
    }
    hcd_ring_ep(c.h, c.dev, c.pe->ep.dci);
    expect_good(&c, td[0].last);
    expect_good(&c, td[1].last);
    hcd_expect_te(c.h, .dev = c.dev, .dci = c.pe->ep.dci, .cc = d->cc,
                  .ptr = td[2].last, .len = HCD_LEN_0);
    hcd_expect_quiet(c.h, 80);
    check_state(&c, RUNS);
    fault_expect(c.h, "'seam':'schedule'", 1);
    check_device(&c);
    hcd_ring_ep(c.h, c.dev, c.pe->ep.dci);
    expect_good(&c, td[2].last);
    expect_good(&c, td[3].last);
    hcd_finish(c.h);
}

int main(int argc, char **argv)
{
    add_codes();
    hcd_test_add("refused-elsewhere", refused);
    for (size_t i = 0; i < G_N_ELEMENTS(drys); i++) {
        hcd_test_add_data(drys[i].name, runs_dry, &drys[i]);
    }
    return hcd_test_main(argc, argv);
}
