/*
 * CErr (xHCI 1.2 §4.10.2, §6.2.3): how often a transaction that fails is tried
 * before its endpoint halts, and when.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

static void check_ep(Hcd *h, HcdDev *dev, unsigned dci, unsigned want)
{
    hcd_check(hcd_ep_state(h, dev, dci) == want,
              "DCI %u is in state %u, expected %u", dci,
              hcd_ep_state(h, dev, dci), want);
}

static void check_tries(Hcd *h, unsigned want)
{
    uint64_t packets = hcd_puppet_count(h, "packets");

    hcd_check(packets == want, "%" PRIu64 " tries, expected %u", packets, want);
}

static HcdDev *open_with(Hcd *h, unsigned which, unsigned cerr)
{
    HcdEp ep = hcd_puppet_eps[which].ep;
    HcdDev *dev = hcd_puppet_configured(h);

    hcd_ep_prepare(h, dev, ep);
    hcd_in_write(h, dev, ep.dci + 1, 1,
                 xhci_set(hcd_in_read(h, dev, ep.dci + 1, 1), EP_CERR, cerr));
    hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << ep.dci | 1, 0), CC_SUCCESS);
    return dev;
}

static uint64_t queue(Hcd *h, HcdDev *dev, unsigned ep)
{
    uint64_t trb = hcd_puppet_queue(h, dev, ep).last;

    hcd_ring_ep(h, dev, hcd_puppet_eps[ep].ep.dci);
    return trb;
}

typedef struct {
    const char *name;
    unsigned ep;
    const char *answer;
    unsigned cerr;
} count_case;

static const count_case counts[] = {
    { "EP-08/in-1", PUPPET_EP_BULK_IN, "ioerror", 1 },
    { "EP-08/in-2", PUPPET_EP_BULK_IN, "ioerror", 2 },
    { "EP-08/in-3", PUPPET_EP_BULK_IN, "ioerror", 3 },
    { "EP-08/out-3", PUPPET_EP_BULK_OUT, "nodev", 3 },
    { "EP-08/interrupt-3", PUPPET_EP_INTERRUPT_IN, "ioerror", 3 },
    { "EP-08/unknown-status-3", PUPPET_EP_BULK_IN, "unknown", 3 },
};

/* That many errors in a row, each in the next microframe or ESIT, and then
 * Halted: the TD and what is behind it are not tried again. */
static void ep_08_count(const void *data)
{
    const count_case *c = data;
    unsigned apart = c->ep == PUPPET_EP_INTERRUPT_IN ? 8 : 1;
    unsigned dci = hcd_puppet_eps[c->ep].ep.dci;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, c->ep, c->cerr);
    uint64_t trb, began;
    HcdEvent event;

    hcd_puppet_answer(h, c->answer);
    trb = queue(h, dev, c->ep);
    queue(h, dev, c->ep);
    began = hcd_now_uf(h);
    event = hcd_expect_te(h, .dev = dev, .dci = dci, .ptr = trb,
                          .cc = CC_USB_TRANSACTION_ERROR, .len = 64);
    hcd_check(event.uf <= began + apart * c->cerr &&
                  event.uf + apart > began + apart * (c->cerr - 1),
              "%u tries took %" PRIu64 " microframes", c->cerr,
              event.uf - began);
    check_ep(h, dev, dci, EP_STATE_HALTED);
    hcd_expect_quiet(h, 800);
    check_tries(h, c->cerr);
    hcd_finish(h);
}

/* Success in time is success, and the next TD has all its tries again. */
static void ep_08_reload(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_BULK_IN, 3);

    for (unsigned i = 0; i < 4; i++) {
        uint64_t trb;

        hcd_puppet_answer(h, "ioerror");
        trb = queue(h, dev, PUPPET_EP_BULK_IN);
        hcd_expect_quiet(h, 1);
        check_tries(h, 3 * i + 2);
        hcd_puppet_answer(h, "success");
        hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS,
                      .ptr = trb, .len = HCD_LEN_0);
        check_tries(h, 3 * i + 3);
    }
    hcd_finish(h);
}

/* NAK is an answer, and no success: it neither counts nor reloads. */
static void ep_08_nak(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_INTERRUPT_IN, 2);
    uint64_t trb;

    hcd_puppet_answer(h, "ioerror");
    trb = queue(h, dev, PUPPET_EP_INTERRUPT_IN);
    hcd_step_uf(h, 7);
    hcd_puppet_answer(h, "nak");
    hcd_expect_quiet(h, 800);
    hcd_puppet_answer(h, "ioerror");
    hcd_puppet_do(h, "wake");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_INT, .ptr = trb,
                  .cc = CC_USB_TRANSACTION_ERROR);
    check_tries(h, 3); /* error, NAK, error */
    hcd_finish(h);
}

/* CErr 0 is no limit: a try each microframe and no more, until it works. */
static void ep_08_no_limit(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_BULK_OUT, 0);
    uint64_t before, trb;

    hcd_puppet_answer(h, "ioerror");
    trb = queue(h, dev, PUPPET_EP_BULK_OUT);
    before = hcd_puppet_count(h, "packets");
    hcd_expect_quiet(h, 1000);
    hcd_check(hcd_puppet_count(h, "packets") - before == 1000,
              "%" PRIu64 " tries in 1000 microframes",
              hcd_puppet_count(h, "packets") - before);
    hcd_puppet_answer(h, "success");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_OUT, .cc = CC_SUCCESS,
                  .ptr = trb);
    /* and it can be stopped between two tries */
    hcd_puppet_answer(h, "ioerror");
    trb = queue(h, dev, PUPPET_EP_BULK_OUT);
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_OUT), CC_SUCCESS);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_OUT, .ptr = trb,
                  .cc = CC_STOPPED_LENGTH_INVALID, .cc2 = CC_STOPPED);
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* A device that answers later counts as one that answers at once. */
static void ep_08_held(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_BULK_IN, 3);
    uint64_t trb;

    hcd_puppet_answer(h, "hold");
    trb = queue(h, dev, PUPPET_EP_BULK_IN);
    for (unsigned i = 0; i < 3; i++) {
        hcd_expect_quiet(h, 10);
        hcd_check(hcd_puppet_holds(h), "the device has no packet");
        hcd_puppet_answer(h, "ioerror");
        hcd_puppet_do(h, "release");
        hcd_puppet_answer(h, "hold");
    }
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .ptr = trb,
                  .cc = CC_USB_TRANSACTION_ERROR);
    check_ep(h, dev, PUPPET_IN, EP_STATE_HALTED);
    hcd_finish(h);
}

/* Bytes that have moved cannot move once more: no second try. */
static void ep_08_broken(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_BULK_IN, 3);
    uint64_t trb;

    hcd_puppet_answer(h, "broken");
    trb = queue(h, dev, PUPPET_EP_BULK_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .ptr = trb,
                  .cc = CC_USB_TRANSACTION_ERROR, .len = 32);
    check_ep(h, dev, PUPPET_IN, EP_STATE_HALTED);
    check_tries(h, 1);
    hcd_finish(h);
}

/* Control: the whole transfer is tried again. */
static void ep_08_control(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    uint64_t setup, status;

    setup = td_setup(h, dev, (HcdSetup){ .type = 0x40, .request = 0x50 });
    status = td_status(h, dev, .in = true, .ioc = true);
    hcd_puppet_answer(h, "hold");
    hcd_ring_ep(h, dev, 1);
    for (unsigned i = 0; i < 2; i++) {
        hcd_expect_quiet(h, 10);
        hcd_puppet_answer(h, "ioerror");
        hcd_puppet_do(h, "release");
        hcd_puppet_answer(h, "hold");
    }
    hcd_expect_quiet(h, 10);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "release");
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS, .ptr = status);
    hcd_check(setup != status, "one TRB for two");
    hcd_finish(h);
}

/* An error in a row of three, then another machine: two are left. */
static void ep_08_migrated(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_with(h, PUPPET_EP_INTERRUPT_IN, 3);
    uint64_t trb;

    hcd_puppet_answer(h, "ioerror");
    trb = queue(h, dev, PUPPET_EP_INTERRUPT_IN);
    hcd_step_uf(h, 7);
    check_tries(h, 1);
    hcd_migrate(h);
    hcd_puppet_answer(h, "ioerror");
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_INT, .ptr = trb,
                  .cc = CC_USB_TRANSACTION_ERROR);
    check_tries(h, 2);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
        hcd_test_add_data(counts[i].name, ep_08_count, &counts[i]);
    }
    hcd_test_add("EP-08/reload", ep_08_reload);
    hcd_test_add("EP-08/nak", ep_08_nak);
    hcd_test_add("EP-08/no-limit", ep_08_no_limit);
    hcd_test_add("EP-08/held", ep_08_held);
    hcd_test_add("EP-08/broken", ep_08_broken);
    hcd_test_add("EP-08/control", ep_08_control);
    hcd_test_add("EP-08/migrated", ep_08_migrated);
    return hcd_test_main(argc, argv);
}
