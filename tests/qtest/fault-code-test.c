/*
 * Completion codes that a fault plan gives to TDs (xHCI 1.2 §4.10.2, §4.10.3,
 * Table 6-90): what the driver sees, what becomes of the endpoint, and that it
 * works afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"

/* Of a TD; isochronous, what usb-puppet fills. */
#define BYTES 64
#define ISOCH_BYTES 192
#define ALL UINT_MAX

/* Endpoints of usb-puppet. */
static const HcdEp bulk_in = { .dci = PUPPET_IN,
                               .type = EP_TYPE_BULK_IN,
                               .mps = 512 };
static const HcdEp bulk_out = { .dci = PUPPET_OUT,
                                .type = EP_TYPE_BULK_OUT,
                                .mps = 512 };
static const HcdEp interrupt_in = { .dci = PUPPET_INT,
                                    .type = EP_TYPE_INTERRUPT_IN,
                                    .mps = 64,
                                    .interval = 3,
                                    .esit = 64 };
static const HcdEp isoch_in = { .dci = PUPPET_ISOCH_IN,
                                .type = EP_TYPE_ISOCH_IN,
                                .mps = 192,
                                .interval = 3,
                                .esit = 192 };
static const HcdEp isoch_out = { .dci = PUPPET_ISOCH_OUT,
                                 .type = EP_TYPE_ISOCH_OUT,
                                 .mps = 192,
                                 .interval = 3,
                                 .esit = 192 };

typedef struct {
    const char *name;
    const HcdEp *ep;
    const char *action; /* what the rule does, and its parameters */
    unsigned cc;
    unsigned state; /* of the endpoint then */
    unsigned moved; /* bytes of the TD that count */
} code_case;

#define COMPLETE(code) "'action': 'complete', 'with': {'code': '" code "'}"
#define RUNS EP_STATE_RUNNING
#define HALTS EP_STATE_HALTED

static const code_case codes[] = {
    { "FP-02/isoch-in", &isoch_in, COMPLETE("data-buffer-error"), 2, RUNS, 0 },
    { "FP-02/isoch-out", &isoch_out, COMPLETE("data-buffer-error"), 2, RUNS,
      0 },
    { "FP-02/bulk-out", &bulk_out, COMPLETE("data-buffer-error"), 2, HALTS, 0 },
    { "ISO-38/data-buffer-error", &isoch_in, COMPLETE("data-buffer-error"), 2,
      RUNS, 0 },
    { "FP-03/bulk-in", &bulk_in, "'action': 'babble'", 3, HALTS, 0 },
    { "FP-03/interrupt-in", &interrupt_in, "'action': 'babble'", 3, HALTS, 0 },
    { "FP-03/isoch-in", &isoch_in, COMPLETE("babble-detected"), 3, RUNS, 0 },
    { "FP-04/bulk-out", &bulk_out, "'action': 'silence'", 4, HALTS, 0 },
    { "FP-04/interrupt-in", &interrupt_in, COMPLETE("usb-transaction-error"), 4,
      HALTS, 0 },
    { "FP-04/isoch-in", &isoch_in, "'action': 'silence'", 4, RUNS, 0 },
    { "FP-05/bulk-in", &bulk_in, COMPLETE("trb-error"), 5, EP_STATE_ERROR, 0 },
    { "FP-05/isoch-out", &isoch_out, COMPLETE("trb-error"), 5, EP_STATE_ERROR,
      0 },
    { "FP-06/bulk-out", &bulk_out, "'action': 'stall'", 6, HALTS, 0 },
    { "FP-06/interrupt-in", &interrupt_in, COMPLETE("stall-error"), 6, HALTS,
      0 },
    { "FP-10/bulk-in", &bulk_in, COMPLETE("invalid-stream-type"), 10, HALTS,
      0 },
    { "FP-13/isoch-in", &isoch_in, "'action': 'short', 'with': {'bytes': 24}",
      13, RUNS, 24 },
    { "FP-13/bulk-in", &bulk_in, "'action': 'short', 'with': {'bytes': 0}", 13,
      RUNS, 0 },
    { "FP-18/isoch-out", &isoch_out, COMPLETE("bandwidth-overrun"), 18, RUNS,
      ALL },
    { "FP-20/no-ping-response", &isoch_in, COMPLETE("no-ping-response"), 20,
      RUNS, 0 },
    { "FP-20/interrupt", &interrupt_in, COMPLETE("no-ping-response"), 20, HALTS,
      0 },
    { "FP-22/transfer", &bulk_in, COMPLETE("incompatible-device"), 22, HALTS,
      0 },
    { "FP-31/isoch-in", &isoch_in, COMPLETE("isoch-buffer-overrun"), 31, RUNS,
      ALL },
    { "FP-32/transfer", &isoch_in, COMPLETE("event-lost"), 32, RUNS, 0 },
    { "FP-33/isoch-in", &isoch_in, COMPLETE("undefined"), 33, RUNS, 0 },
    { "FP-33/bulk-out", &bulk_out, COMPLETE("undefined"), 33, HALTS, 0 },
    { "FP-34/bulk-in", &bulk_in, COMPLETE("invalid-stream-id"), 34, HALTS, 0 },
    { "FP-36/isoch-out", &isoch_out, COMPLETE("split-transaction"), 36, RUNS,
      0 },
    { "FP-36/interrupt-in", &interrupt_in, COMPLETE("split-transaction"), 36,
      HALTS, 0 },
    { "FP-V1/vendor-error", &isoch_in,
      "'action': 'complete', 'with': {'code': 192}", 192, RUNS, 0 },
};

static bool is_isoch(const HcdEp *ep)
{
    return ep->type == EP_TYPE_ISOCH_IN || ep->type == EP_TYPE_ISOCH_OUT;
}

static unsigned td_bytes(const HcdEp *ep)
{
    return is_isoch(ep) ? ISOCH_BYTES : BYTES;
}

static uint64_t queue(Hcd *h, HcdDev *dev, const HcdEp *ep, uint64_t *buf)
{
    unsigned bytes = td_bytes(ep);

    *buf = hcd_alloc_filled(h, bytes, 0xaa);
    if (is_isoch(ep)) {
        return td_isoch(h, dev, ep->dci, .buf = *buf, .len = bytes, .sia = true,
                        .ioc = true);
    }
    return td_normal(h, dev, ep->dci, .buf = *buf, .len = bytes, .ioc = true);
}

static void expect_good(Hcd *h, HcdDev *dev, const HcdEp *ep, uint64_t trb)
{
    hcd_expect_te(h, .dev = dev, .dci = ep->dci, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
}

/* xHCI 1.2 §4.6.8, §4.6.10: what a driver does about each state. */
static void recover(Hcd *h, HcdDev *dev, const HcdEp *ep, unsigned state)
{
    uint64_t buf, trb;

    if (state == EP_STATE_HALTED) {
        hcd_expect_cc(hcd_cmd_reset_ep(h, dev, ep->dci), CC_SUCCESS);
    }
    hcd_cmd_skip_all(h, dev, ep->dci);
    trb = queue(h, dev, ep, &buf);
    hcd_ring_ep(h, dev, ep->dci);
    expect_good(h, dev, ep, trb);
}

static void code(const void *data)
{
    const code_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    unsigned moved = MIN(c->moved, td_bytes(c->ep));
    unsigned left = td_bytes(c->ep) - moved;
    unsigned tries = c->cc == 4 || c->cc == 36 ? 3 : 1;
    uint64_t trb[3], buf[3];

    tries = c->state == RUNS ? 1 : tries;
    hcd_ep_add_with(h, dev, *c->ep);
    fault_rule(h, "'where': {'slot': %u, 'td': 2}, %s", dev->slot_id,
               c->action);
    for (unsigned i = 0; i < 3; i++) {
        trb[i] = queue(h, dev, c->ep, &buf[i]);
    }
    hcd_ring_ep(h, dev, c->ep->dci);
    expect_good(h, dev, c->ep, trb[0]);
    hcd_expect_te(h, .dev = dev, .dci = c->ep->dci, .cc = c->cc, .ptr = trb[1],
                  .len = left ? (int64_t)left : HCD_LEN_0);
    hcd_check(hcd_ep_state(h, dev, c->ep->dci) == c->state,
              "the endpoint is in state %u, expected %u",
              hcd_ep_state(h, dev, c->ep->dci), c->state);
    if ((c->ep->type & 4) && left) {
        hcd_check(hcd_mem_is(h, buf[1] + moved, left, 0xaa),
                  "more was written than has moved");
    }
    fault_expect(h, "'td':2", tries);
    if (c->state == RUNS) {
        expect_good(h, dev, c->ep, trb[2]);
    } else {
        hcd_expect_quiet(h, 80);
        recover(h, dev, c->ep, c->state);
    }
    hcd_finish(h);
}

typedef struct {
    const char *name, *code;
    const HcdEp *ep;
    unsigned cc;
} dry_case;

static const dry_case drys[] = {
    { "FP-14/off-the-schedule", "ring-underrun", &isoch_out, CC_RING_UNDERRUN },
    { "FP-15/on-command", "ring-overrun", &isoch_in, CC_RING_OVERRUN },
};

/* xHCI 1.2 §4.10.3.1: a ring that is not empty is taken for empty. No TD is
 * named or lost; nothing is served until a doorbell. */
static void runs_dry(const void *data)
{
    const dry_case *c = data;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    uint64_t trb[4], buf;

    hcd_ep_add_with(h, dev, *c->ep);
    fault_rule(h,
               "'where': {'td': 3}, 'when': {'count': 1}, 'action': "
               "'complete', 'with': {'code': '%s'}",
               c->code);
    for (size_t i = 0; i < G_N_ELEMENTS(trb); i++) {
        trb[i] = queue(h, dev, c->ep, &buf);
    }
    hcd_ring_ep(h, dev, c->ep->dci);
    expect_good(h, dev, c->ep, trb[0]);
    expect_good(h, dev, c->ep, trb[1]);
    hcd_expect_te(h, .dev = dev, .dci = c->ep->dci, .cc = c->cc);
    hcd_check(hcd_ep_state(h, dev, c->ep->dci) == RUNS,
              "the endpoint is in state %u", hcd_ep_state(h, dev, c->ep->dci));
    hcd_expect_quiet(h, 80);
    fault_expect(h, "'seam':'schedule'", 1);
    hcd_ring_ep(h, dev, c->ep->dci);
    expect_good(h, dev, c->ep, trb[2]);
    expect_good(h, dev, c->ep, trb[3]);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        hcd_test_add_data(codes[i].name, code, &codes[i]);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(drys); i++) {
        hcd_test_add_data(drys[i].name, runs_dry, &drys[i]);
    }
    return hcd_test_main(argc, argv);
}
