/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "expect.h"

#include "isolab/xhci.h"

#define IS(e) EFFECT_BIT(EFFECT_##e)

/* The stream was disturbed, and whoever drove it had to react. */
#define DISTURBED \
    (IS(MISSED) | IS(LOST) | IS(CANCELLED) | IS(RESET) | IS(OTHER) | IS(XACT))
/* The device or the controller was away. */
#define AWAY                                                                   \
    (IS(GONE) | IS(CANCELLED) | IS(RESET) | IS(XACT) | IS(MISSED) | IS(LOST) | \
     IS(OTHER) | IS(REFUSED) | IS(STALL))
/* An event or an interrupt was not as it should be; a driver that waits for a
 * command, or is not woken any more, takes the controller for dead. */
#define UNHEARD (DISTURBED | AWAY)
/* A command was not granted. */
#define NOT_GRANTED \
    (IS(REFUSED) | IS(OTHER) | IS(CANCELLED) | IS(RESET) | IS(GONE) | IS(XACT))

typedef struct {
    const char *action;
    expectation expect;
} row;

static const row table[] = {
    /* packet; "complete" and "event-code" are of their code, see below */
    { "short", { IS(SHORT), true, REACH_PACKET } },
    { "corrupt", { IS(DAMAGED), true, REACH_PACKET } },
    { "babble", { IS(OVERRUN), false, REACH_PACKET } },
    { "stall", { IS(STALL) | IS(XACT), false, REACH_PACKET } },
    { "silence", { IS(XACT), false, REACH_PACKET } },
    { "nak", { IS(MISSED) | IS(XACT), true, REACH_FOLLOWING } },
    { "delay", { IS(MISSED) | IS(LOST), true, REACH_FOLLOWING } },
    /* schedule */
    { "miss", { IS(MISSED) | IS(LOST), false, REACH_PACKET } },
    { "underrun", { IS(MISSED) | IS(LOST), true, REACH_STREAM } },
    { "overrun", { IS(MISSED) | IS(LOST), true, REACH_STREAM } },
    /* event */
    { "drop-event", { UNHEARD, false, REACH_STREAM } },
    { "event-lost", { UNHEARD, true, REACH_STREAM } },
    { "delay-event", { UNHEARD, true, REACH_STREAM } },
    { "duplicate-event", { UNHEARD, true, REACH_STREAM } },
    { "reorder-event", { UNHEARD, true, REACH_STREAM } },
    { "event-ring-full", { UNHEARD, true, REACH_BUS } },
    /* interrupt */
    { "lose-interrupt", { UNHEARD, true, REACH_BUS } },
    { "delay-interrupt", { UNHEARD, true, REACH_BUS } },
    { "double-interrupt", { EFFECT_NONE, true, REACH_BUS } },
    /* DMA, controller, registers */
    { "dma-read-error", { AWAY | IS(BUFFER), false, REACH_BUS } },
    { "dma-write-error", { AWAY | IS(BUFFER), false, REACH_BUS } },
    { "torn-trb", { DISTURBED, true, REACH_STREAM } },
    { "hse", { AWAY, false, REACH_BUS } },
    { "hce", { AWAY, false, REACH_BUS } },
    { "sre", { AWAY, true, REACH_BUS } },
    { "not-ready", { AWAY, true, REACH_BUS } },
    { "reset-hangs", { AWAY, true, REACH_BUS } },
    { "hcrst-hangs", { AWAY, true, REACH_BUS } },
    { "halt-hangs", { AWAY, true, REACH_BUS } },
    { "all-ones", { AWAY, true, REACH_BUS } },
    { "mfindex-jump", { DISTURBED | IS(REFUSED), true, REACH_BUS } },
    { "register-value", { AWAY, true, REACH_BUS } },
    /* command */
    { "command-code", { NOT_GRANTED, true, REACH_BUS } },
    { "command-hang", { NOT_GRANTED, true, REACH_BUS } },
    { "command-delay", { NOT_GRANTED, true, REACH_BUS } },
    /* port */
    { "unplug", { AWAY, false, REACH_BUS } },
    { "over-current", { AWAY, false, REACH_BUS } },
    { "link-inactive", { AWAY, false, REACH_BUS } },
    { "link-compliance", { AWAY, false, REACH_BUS } },
    { "reset-fails", { AWAY, true, REACH_BUS } },
    { "config-error", { AWAY, true, REACH_BUS } },
    { "port-error", { AWAY, true, REACH_BUS } },
};

/*
 * xhci_hcd says -EPROTO of a Stall Error on an isochronous endpoint, -ECOMM of
 * a Bandwidth Overrun, and -EPERM of others. Codes that it has no case for it
 * drops together with their TD, and then waits for that TD for good.
 */
static expectation of_code(int64_t code)
{
    expectation e = { EFFECT_NONE, false, REACH_PACKET };

    switch (code) {
    case CC_SUCCESS:
    case CC_SHORT_PACKET:
        e.legal = IS(SHORT);
        e.silent = true;
        break;
    case CC_RING_UNDERRUN:
    case CC_RING_OVERRUN:
        e = (expectation){ IS(MISSED) | IS(LOST), true, REACH_STREAM };
        break;
    case CC_STALL_ERROR:
        e.legal = IS(STALL) | IS(XACT);
        break;
    case CC_BANDWIDTH_OVERRUN:
        e.legal = IS(BANDWIDTH) | IS(BUFFER);
        break;
    case CC_BABBLE_DETECTED:
    case CC_ISOCH_BUFFER_OVERRUN:
    case CC_USB_TRANSACTION_ERROR:
        e.legal = effect_of_code((unsigned)code);
        break;
    case CC_MISSED_SERVICE:
        e.legal = IS(MISSED) | IS(LOST);
        break;
    case CC_TRB_ERROR: /* the endpoint is in its Error state */
        e = (expectation){ DISTURBED, false, REACH_STREAM };
        break;
    case CC_STOPPED:
    case CC_STOPPED_LENGTH_INVALID:
    case CC_STOPPED_SHORT_PACKET:
    case CC_EVENT_LOST:
        e = (expectation){ DISTURBED, true, REACH_STREAM };
        break;
    case CC_DATA_BUFFER_ERROR:
    case CC_INCOMPATIBLE_DEVICE:
    case CC_SPLIT_TRANSACTION:
        e.legal = IS(OTHER) | IS(XACT) | effect_of_code((unsigned)code);
        break;
    case CC_NO_PING_RESPONSE: /* xhci_hcd takes the TD for a missed one */
        e.legal = IS(XACT) | IS(MISSED);
        break;
    default: /* "Unknown event condition": the TD never ends, nor do others */
        e = (expectation){ DISTURBED, false, REACH_STREAM };
        break;
    }
    return e;
}

/* Above what a capture of the bus sees. */
static bool is_above_bus(const fault *f)
{
    return g_str_equal(f->seam, "event") || g_str_equal(f->seam, "interrupt");
}

static expectation of_action(const fault *f)
{
    if (g_str_equal(f->action, "complete") ||
        g_str_equal(f->action, "event-code")) {
        return of_code(f->code);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (g_str_equal(table[i].action, f->action)) {
            expectation e = table[i].expect;

            /* what is not about a packet has no packet to be seen on */
            e.silent |= e.reach != REACH_BUS && !f->td;
            return e;
        }
    }
    /* an action that this table does not know yet: anything goes */
    return (expectation){ ~0u, true, REACH_BUS };
}

/* What libusb, which is below isoav.sys in Wine, has one word for: a transfer
 * that failed. The bridge makes XACT_ERROR of it. */
#define BLURRED (IS(MISSED) | IS(BUFFER) | IS(BANDWIDTH) | IS(OTHER))

expectation expect_of(const fault *f, bool from_bus)
{
    expectation e = of_action(f);

    e.silent |= from_bus && is_above_bus(f);
    if (!from_bus && (e.legal & BLURRED)) {
        e.legal |= IS(XACT);
    }
    return e;
}
