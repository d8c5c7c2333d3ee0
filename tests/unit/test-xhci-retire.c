/*
 * What a finished TD tells the driver: Transfer Events in order, with code,
 * length, ED, Interrupter Target and BEI, and where the endpoint stands then.
 * A row is a TD, how it ended, and every event of it
 * (RING-04 to RING-15, CTL-01 to CTL-04, EP-06, EP-07, ISO-20 to ISO-23,
 * ISO-33 to ISO-40, FP-03 to FP-36, EVT-12, EVT-13).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "guest-memory.h"
#include "hw/xhci/retire.h"

#define BASE UINT64_C(0x1234567890)
#define NEXT UINT64_C(0x1234569000)
#define PARAMETER UINT64_C(0xfedcba9876543210)

enum {
    OK = 1,
    BUFFER = 2,
    BABBLE = 3,
    USB = 4,
    TRB = 5,
    STALL = 6,
    SHORT = 13,
    BW_OVERRUN = 18,
    NO_PING = 20,
    MISSED = 23,
    ISO_OVERRUN = 31,
    SPLIT = 36,
};

/* Endpoint states, Table 6-8. */
enum { RUNNING = 1, HALTED = 2, ERROR = 4 };

/* A TD: letter, TRB Transfer Length and flags of each TRB. The letters are
 * those below; i is IOC, s ISP, e ENT, b BEI. */
static const struct {
    char letter;
    uint32_t dw3;
} letters[] = {
    { 'N', D3_NORMAL },     { 'S', D3_SETUP | D3_IDT },
    { 'D', D3_DATA },       { 'T', D3_STATUS },
    { 'I', D3_ISOCH },      { 'L', D3_LINK },
    { 'E', D3_EVENT_DATA }, { 'O', D3_NOOP },
    { '?', D3_TYPE(40) },   { 'i', D3_IOC },
    { 's', D3_ISP },        { 'e', D3_ENT },
    { 'b', D3_BEI },
};

/* How it ended; then its events: index of the TRB, with E the Event Data TRB of
 * that index, the code and the length. An endpoint that does not run on stands
 * at the TRB of the last event. */
typedef struct {
    const char *name;
    unsigned ep_type, cc;
    uint32_t moved;
    const char *td;
    unsigned state;
    const char *events;
} row;

/* clang-format off */
static const row rows[] = {
    /* RING-05, RING-06: events for IOC, with length 0, in order */
    { "no IOC", BULK_IN, OK, 100, "N100", RUNNING, "" },
    { "IOC", BULK_IN, OK, 100, "N100i", RUNNING, "0:1:0" },
    { "IOC on each", BULK_OUT, OK, 30, "N10i N10i N10i", RUNNING,
      "0:1:0 1:1:0 2:1:0" },
    { "ISP is no IOC", BULK_IN, OK, 100, "N100s", RUNNING, "" },
    /* RING-11 */
    { "nothing to move", BULK_OUT, OK, 0, "N0i", RUNNING, "0:1:0" },
    /* RING-15, RING-04 */
    { "No-op", BULK_IN, OK, 0, "O9i", RUNNING, "0:1:0" },
    { "quiet No-op", BULK_IN, OK, 0, "O9", RUNNING, "" },
    { "Link", BULK_IN, OK, 100, "N50 L9i N50", RUNNING, "1:1:0" },
    /* RING-07 */
    { "short, ISP", BULK_IN, SHORT, 600, "N512s N512s N512s", RUNNING,
      "1:13:424" },
    { "short in the last", BULK_IN, SHORT, 1500, "N512s N512s N512s", RUNNING,
      "2:13:36" },
    { "short at a boundary", BULK_IN, SHORT, 512, "N512s N512s", RUNNING,
      "1:13:512" },
    { "IOC before it", BULK_IN, SHORT, 600, "N512i N512s", RUNNING,
      "0:1:0 1:13:424" },
    /* RING-08: two events for one short packet */
    { "short twice", BULK_IN, SHORT, 600, "N512s N512s N512is", RUNNING,
      "1:13:424 2:13:424" },
    /* RING-09 */
    { "short, IOC behind", BULK_IN, SHORT, 600, "N512 N512 N512i", RUNNING,
      "2:13:424" },
    { "short, ISP and IOC", BULK_IN, SHORT, 0, "N512is", RUNNING, "0:13:512" },
    { "short, IOC alone", BULK_IN, SHORT, 1, "N512i", RUNNING, "0:13:511" },
    { "short, nothing asked", BULK_IN, SHORT, 1, "N512", RUNNING, "" },
    { "short behind a TRB of nothing", BULK_IN, SHORT, 0, "N0s N512s", RUNNING,
      "1:13:512" },
    /* RING-13, RING-14 */
    { "Event Data", BULK_IN, OK, 1000, "N512 N488 E0i", RUNNING, "2E:1:1000" },
    { "Event Data, no IOC", BULK_IN, OK, 512, "N512 E0", RUNNING, "" },
    { "Event Data, short", BULK_IN, SHORT, 600, "N512 N512 E0i", RUNNING,
      "2E:13:600" },
    { "Event Data and ISP", BULK_IN, SHORT, 600, "N512s N512s E0i", RUNNING,
      "1:13:424 2E:13:600" },
    { "short, they say, and all moved", BULK_IN, SHORT, 512, "N512i", RUNNING,
      "0:1:0" },
    { "Event Data alone", ISO_IN, OK, 0, "E7i", RUNNING, "0E:1:0" },
    /* RING-17 */
    { "ENT changes nothing", BULK_IN, OK, 512, "N512e E0i", RUNNING,
      "1E:1:512" },
    /* EP-06: an error is told, asked or not, and nothing behind it has run */
    { "error", BULK_OUT, USB, 100, "N512", HALTED, "0:4:412" },
    { "error in the second", BULK_OUT, STALL, 600, "N512i N512i N512i", HALTED,
      "0:1:0 1:6:424" },
    { "babble, all moved", BULK_IN, BABBLE, 1024, "N512 N512 E0i", HALTED,
      "1:3:0" },
    { "split", INT_IN, SPLIT, 0, "N8i", HALTED, "0:36:8" },
    { "interrupt OUT", INT_OUT, USB, 0, "N8", HALTED, "0:4:8" },
    { "nothing to move, error", BULK_OUT, STALL, 0, "N0", HALTED, "0:6:0" },
    /* CTL-01 */
    { "control, no data", CONTROL, OK, 0, "S8 T0i", RUNNING, "1:1:0" },
    { "control, IOC on each", CONTROL, OK, 18, "S8i D18i T0i", RUNNING,
      "0:1:0 1:1:0 2:1:0" },
    /* CTL-02: Event Data of a stage; the SETUP bytes are not counted */
    { "control, Event Data", CONTROL, OK, 96, "S8 D64 N32 E0i T0i", RUNNING,
      "3E:1:96 4:1:0" },
    /* RING-14: the EDTLA is that of the Status Stage TD */
    { "control, Event Data of the status", CONTROL, OK, 64, "S8 D64 T0 E0i",
      RUNNING, "3E:1:0" },
    /* CTL-03: a short data stage does not colour the status stage */
    { "control, short", CONTROL, SHORT, 18, "S8 D64s T0i", RUNNING,
      "1:13:46 2:1:0" },
    { "control, short, quiet", CONTROL, SHORT, 18, "S8 D64 T0i", RUNNING,
      "2:1:0" },
    /* CTL-04: the stage that was stalled; Setup never is */
    { "control, stall, no data", CONTROL, STALL, 0, "S8i T0", HALTED,
      "0:1:0 1:6:0" },
    { "control, stall in the data", CONTROL, STALL, 8, "S8 D64 T0i", HALTED,
      "1:6:56" },
    { "control, error in a chained TRB", CONTROL, USB, 70, "S8 D64 N32 T0i",
      HALTED, "2:4:26" },
    /* ISO-33, ISO-34, ISO-40: runs on, and what is asked is told */
    { "isoch, short", ISO_IN, SHORT, 100, "I192i", RUNNING, "0:13:92" },
    { "isoch, nothing came", ISO_IN, SHORT, 0, "I192s", RUNNING, "0:13:192" },
    { "isoch, error", ISO_IN, USB, 0, "I192", RUNNING, "0:4:192" },
    { "isoch, error, IOC behind", ISO_IN, BABBLE, 100, "I192 N192 N192i",
      RUNNING, "0:3:92 2:3:92" },
    { "isoch, error, Event Data behind", ISO_OUT, BUFFER, 100, "I192 E0i",
      RUNNING, "0:2:92 1E:2:100" },
    { "isoch, error, ISP behind", ISO_IN, NO_PING, 0, "I192 N192s", RUNNING,
      "0:20:192" },
    { "isoch, overrun, all moved", ISO_IN, ISO_OVERRUN, 100, "I60 N40",
      RUNNING, "1:31:0" },
    { "isoch, truncated", ISO_OUT, BW_OVERRUN, 192, "I192 N208", RUNNING,
      "1:18:208" },
    { "isoch, stall", ISO_IN, STALL, 0, "I192", RUNNING, "0:6:192" },
    { "isoch, split", ISO_OUT, SPLIT, 0, "I192", RUNNING, "0:36:192" },
    { "isoch, zero-length, error", ISO_OUT, USB, 0, "I0", RUNNING, "0:4:0" },
    /* ISO-20 to ISO-23: nothing moved, each TD is told */
    { "missed", ISO_IN, MISSED, 0, "I192i", RUNNING, "0:23:192" },
    { "missed, nothing asked", ISO_IN, MISSED, 0, "I192 N100", RUNNING,
      "1:23:100" },
    { "missed, IOC on two", ISO_OUT, MISSED, 0, "I192i N10 N100i", RUNNING,
      "0:23:192 2:23:100" },
    { "missed, Event Data", ISO_IN, MISSED, 0, "I192 E0i", RUNNING, "1E:23:0" },
    { "missed, quiet Event Data", ISO_IN, MISSED, 0, "I192 E0", RUNNING,
      "1:23:0" },
    { "missed, ISP is no IOC", ISO_IN, MISSED, 0, "I192s N100", RUNNING,
      "1:23:100" },
    /* EP-07, ISO-39: the last one is to blame, the others have not run */
    { "TRB Error", BULK_IN, TRB, 0, "?100", ERROR, "0:5:0" },
    { "TRB Error in the second", ISO_IN, TRB, 0, "I100i I50i", ERROR,
      "1:5:50" },
    { "TRB Error, control", CONTROL, TRB, 0, "S8", ERROR, "0:5:0" },
};
/* clang-format on */

enum { TRBS_MOST = 12 };

typedef struct {
    ixhci_td_trb trbs[TRBS_MOST];
    ixhci_td td;
    ixhci_retired out;
    ixhci_outcome how;
    bool cycle;
} fixture;

static uint32_t dw3_of(char letter)
{
    for (size_t i = 0; i < G_N_ELEMENTS(letters); i++) {
        if (letters[i].letter == letter) {
            return letters[i].dw3;
        }
    }
    g_assert_not_reached();
}

/* A TD in memory: the Interrupter Target of TRB n is n + 1. */
static void setup(fixture *f, const char *text, unsigned ep_type, unsigned cc,
                  uint32_t moved)
{
    f->td = (ixhci_td){ .trbs = f->trbs, .next = { NEXT, !f->cycle } };
    f->how = (ixhci_outcome){
        .slot_id = 0x81, .dci = 5, .ep_type = ep_type, .cc = cc, .bytes = moved
    };
    while (*text) {
        unsigned n = f->td.count++;
        uint32_t dw3 = dw3_of(*text++) | (f->cycle ? D3_C : 0);
        uint32_t bytes = strtoul(text, (char **)&text, 10);

        while (*text && *text != ' ') {
            dw3 |= dw3_of(*text++);
        }
        text += *text == ' ';
        g_assert_cmpuint(n, <, TRBS_MOST);
        f->trbs[n].gpa = BASE + 16 * n;
        f->trbs[n].trb =
            (xhci_trb){ { (uint32_t)PARAMETER + n, (uint32_t)(PARAMETER >> 32),
                          bytes | (n + 1) << 22, dw3 } };
        f->td.bytes += ixhci_td_trb_bytes(&f->trbs[n].trb);
    }
}

/* xHCI 1.2 §6.4.2.1, in hex: which TRB an event is of, and the rest of it. */
static void tell(GString *text, const ixhci_event *event)
{
    bool ed = event->trb.dw[3] & 4;
    uint64_t pointer = event->trb.dw[0] | (uint64_t)event->trb.dw[1] << 32;
    unsigned at = ed ? pointer - PARAMETER : (pointer - BASE) / 16;

    g_assert_cmphex(pointer, ==, ed ? PARAMETER + at : BASE + 16 * at);
    g_assert_cmphex(event->trb.dw[3], ==, 0x81058000 | (ed ? 4 : 0));
    g_assert_cmpuint(event->intr, ==, at + 1);
    g_string_append_printf(text, "%s%u%s:%u:%u", text->len ? " " : "", at,
                           ed ? "E" : "", event->trb.dw[2] >> 24,
                           event->trb.dw[2] & 0xffffff);
}

/* Retires what was set up and compares the events. */
static void check(fixture *f, const char *wanted, unsigned state)
{
    GString *text = g_string_new(NULL);

    ixhci_retire_td(&f->out, &f->td, &f->how);
    for (unsigned n = 0; n < f->out.count; n++) {
        tell(text, &f->out.events[n]);
    }
    g_assert_cmpstr(text->str, ==, wanted);
    g_assert_cmpuint(f->out.ep_state, ==, state);
    if (state == RUNNING) {
        g_assert_cmphex(f->out.ring.dequeue_gpa, ==, NEXT);
        g_assert_cmpint(f->out.ring.ccs, ==, !f->cycle);
    } else { /* CTX-05 */
        g_assert_cmphex(f->out.ring.dequeue_gpa, ==,
                        f->out.events[f->out.count - 1].trb.dw[0] |
                            BASE >> 32 << 32);
        g_assert_cmpint(f->out.ring.ccs, ==, f->cycle);
    }
    g_string_free(text, true);
}

static void ring_05_rows(void)
{
    fixture f = { .cycle = false };

    ixhci_retired_init(&f.out);
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(rows); i++) {
        const row *r = &rows[i / 2];

        f.cycle = i & 1;
        g_test_message("%s", r->name);
        setup(&f, r->td, r->ep_type, r->cc, r->moved);
        check(&f, r->events, r->state);
    }
    ixhci_retired_clear(&f.out);
    g_assert_null(f.out.events);
}

/*
 * The reference: each byte is put where it belongs, and then each TRB is asked
 * what it has to say. Normal, Isoch and Event Data TRBs.
 */
typedef struct {
    char type[TRBS_MOST];
    uint32_t size[TRBS_MOST], got[TRBS_MOST];
    bool ioc[TRBS_MOST], isp[TRBS_MOST];
    unsigned count;
} parts;

/* The TRB at which it went wrong; count if nowhere. */
static unsigned struck(const parts *p, unsigned cc)
{
    unsigned last = p->count;

    if (cc == OK) {
        return p->count;
    }
    for (unsigned n = 0; n < p->count; n++) {
        if (p->type[n] != 'E' && p->got[n] < p->size[n]) {
            return n;
        }
        last = p->type[n] == 'E' ? last : n;
    }
    return last;
}

static void reference(GString *text, parts *p, unsigned cc, uint32_t moved,
                      bool isoch)
{
    unsigned at = 0;

    for (uint32_t byte = 0; byte < moved; byte++) {
        while (p->type[at] == 'E' || p->got[at] == p->size[at]) {
            at++;
        }
        p->got[at]++;
    }
    unsigned bad = struck(p, cc);
    bool error = cc != OK && cc != SHORT;

    for (unsigned n = 0; n < p->count; n++) {
        unsigned says = n >= bad ? cc : OK;
        bool ed = p->type[n] == 'E', wanted = p->ioc[n];
        uint32_t length = n >= bad ? p->size[bad] - p->got[bad] : 0;

        if (ed) {
            length = 0;
            for (unsigned k = n; k-- > 0 && p->type[k] != 'E';) {
                length += p->got[k];
            }
        } else if (n == bad) {
            wanted = wanted || error || p->isp[n];
        }
        if (wanted) {
            g_string_append_printf(text, "%s%u%s:%u:%u", text->len ? " " : "",
                                   n, ed ? "E" : "", says, length);
        }
        if (n == bad && error && !isoch) {
            break;
        }
    }
}

static void ring_06_random(void)
{
    static const unsigned codes[] = { OK, SHORT, USB, BABBLE, BW_OVERRUN };
    GRand *rand = g_rand_new_with_seed(6);
    fixture f = { .cycle = true };

    ixhci_retired_init(&f.out);
    for (unsigned i = 0; i < 30000; i++) {
        parts p = { .count = g_rand_int_range(rand, 1, TRBS_MOST) };
        unsigned cc = codes[g_rand_int_range(rand, 0, 5)];
        bool isoch = g_rand_boolean(rand);
        GString *td = g_string_new(NULL), *events = g_string_new(NULL);
        uint32_t total = 0, moved;

        for (unsigned n = 0; n < p.count; n++) {
            bool data = !n || g_rand_int_range(rand, 0, 4);

            p.type[n] = !data ? 'E' : !n && isoch ? 'I' : 'N';
            p.size[n] = data ? g_rand_int_range(rand, 0, 20) : 0;
            p.ioc[n] = g_rand_boolean(rand);
            p.isp[n] = data && g_rand_boolean(rand);
            total += p.size[n];
            g_string_append_printf(td, "%s%c%u%s%s", n ? " " : "", p.type[n],
                                   p.size[n], p.ioc[n] ? "i" : "",
                                   p.isp[n] ? "s" : "");
        }
        cc = cc == SHORT && !total ? OK : cc;
        moved = cc == OK ? total
                         : (uint32_t)g_rand_int_range(
                               rand, 0, total + (cc == SHORT ? 0 : 1));
        reference(events, &p, cc, moved, isoch);
        setup(&f, td->str, isoch ? ISO_IN : BULK_IN, cc, moved);
        check(&f, events->str,
              isoch || cc == OK || cc == SHORT ? RUNNING : HALTED);
        g_string_free(td, true);
        g_string_free(events, true);
    }
    ixhci_retired_clear(&f.out);
    g_rand_free(rand);
}

/* xHCI 1.2 §4.10.3.2 before 1.1: one event that names no TRB for a row. */
static void iso_21_missed_rows(void)
{
    fixture f = { .cycle = true };

    ixhci_retired_init(&f.out);
    setup(&f, "I192i N100i", ISO_IN, MISSED, 0);
    f.how.missed = IXHCI_MISSED_ROW;
    ixhci_retire_td(&f.out, &f.td, &f.how);
    g_assert_cmpuint(f.out.count, ==, 1);
    g_assert_cmphex(f.out.events[0].trb.dw[0], ==, 0);
    g_assert_cmphex(f.out.events[0].trb.dw[1], ==, 0);
    g_assert_cmphex(f.out.events[0].trb.dw[2], ==, 0x17000000);
    g_assert_cmphex(f.out.events[0].trb.dw[3], ==, 0x81058000);
    f.how.missed = IXHCI_MISSED_IN_ROW;
    check(&f, "", RUNNING);
    f.how.missed = IXHCI_MISSED_EACH;
    check(&f, "0:23:192 1:23:100", RUNNING);
    ixhci_retired_clear(&f.out);
}

/* xHCI 1.2 §4.17.5: BEI is that of the TRB whose event it is. */
static void evt_12_bei(void)
{
    static const unsigned codes[] = { OK, MISSED, USB };

    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        fixture f = { .cycle = true };

        ixhci_retired_init(&f.out);
        setup(&f, "I100ib N100i E0ib", ISO_IN, codes[i], 200);
        ixhci_retire_td(&f.out, &f.td, &f.how);
        g_assert_cmpuint(f.out.count, ==, 3);
        g_assert_true(f.out.events[0].bei);
        g_assert_false(f.out.events[1].bei);
        g_assert_true(f.out.events[2].bei);
        ixhci_retired_clear(&f.out);
    }
}

/* Nothing was loaded: nothing is told, and the endpoint runs on. */
static void ring_05_nothing(void)
{
    fixture f = { .cycle = true };

    ixhci_retired_init(&f.out);
    for (unsigned cc = OK; cc <= SPLIT; cc++) {
        setup(&f, "", BULK_IN, cc, 0);
        check(&f, "", RUNNING);
    }
    ixhci_retired_clear(&f.out);
}

/* xHCI 1.2 §4.11.5.2: 24 bits; §4.11.5.2 again: Event Data in mid-TD. */
static void ring_14_accumulator(void)
{
    enum { TRBS = 260 };
    ixhci_td_trb *trbs = g_new0(ixhci_td_trb, TRBS + 1);
    ixhci_td td = { .trbs = trbs, .count = TRBS + 1 };
    ixhci_outcome how = { .ep_type = BULK_OUT, .cc = OK };
    ixhci_retired out;

    for (unsigned n = 0; n < TRBS; n++) {
        trbs[n].trb.dw[2] = 65536;
        trbs[n].trb.dw[3] = D3_NORMAL | D3_CH;
        how.bytes += 65536;
    }
    trbs[TRBS].trb.dw[3] = D3_EVENT_DATA | D3_IOC;
    ixhci_retired_init(&out);
    ixhci_retire_td(&out, &td, &how);
    g_assert_cmpuint(out.count, ==, 1);
    g_assert_cmphex(out.events[0].trb.dw[2], ==, 0x01000000 | 4 * 65536);
    /* since the last Event Data TRB */
    trbs[100].trb.dw[3] = D3_EVENT_DATA | D3_IOC | D3_CH;
    how.bytes -= 65536;
    ixhci_retire_td(&out, &td, &how);
    g_assert_cmpuint(out.count, ==, 2);
    g_assert_cmphex(out.events[0].trb.dw[2], ==, 0x01000000 | 100 * 65536);
    g_assert_cmphex(out.events[1].trb.dw[2], ==, 0x01000000 | 159 * 65536);
    ixhci_retired_clear(&out);
    g_free(trbs);
}

/* xHCI 1.2 §6.4.2.1: each field at its place, and nothing beyond it. */
static void ring_05_fields(void)
{
    static const struct {
        uint64_t pointer;
        uint32_t length;
        unsigned cc;
        bool ed;
        unsigned slot, dci;
        xhci_trb trb;
    } fields[] = {
        { 0, 0, 1, false, 1, 1, { { 0, 0, 0x01000000, 0x01018000 } } },
        { UINT64_MAX,
          0xffffff,
          255,
          true,
          255,
          31,
          { { ~0u, ~0u, ~0u, 0xff1f8004 } } },
        { 0x123456780,
          0x1ffff,
          13,
          false,
          2,
          3,
          { { 0x23456780, 1, 0x0d01ffff, 0x02038000 } } },
        { 16,
          0x1000001,
          0x101,
          false,
          0x102,
          0x21,
          { { 16, 0, 0x01000001, 0x02018000 } } },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
        xhci_trb trb = ixhci_transfer_event(fields[i].pointer, fields[i].length,
                                            fields[i].cc, fields[i].ed,
                                            fields[i].slot, fields[i].dci);

        g_assert_cmpmem(&trb, sizeof(trb), &fields[i].trb, sizeof(trb));
    }
}

static void iso_34_types(void)
{
    for (unsigned type = 0; type < 8; type++) {
        bool isoch = type == ISO_IN || type == ISO_OUT;

        g_assert_cmpint(ixhci_ep_is_isoch(type), ==, isoch);
        g_assert_cmpint(ixhci_ep_is_periodic(type), ==,
                        isoch || type == INT_IN || type == INT_OUT);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/RING-05/rows", ring_05_rows);
    g_test_add_func("/RING-05/nothing", ring_05_nothing);
    g_test_add_func("/RING-06/random", ring_06_random);
    g_test_add_func("/RING-05/fields", ring_05_fields);
    g_test_add_func("/RING-14/accumulator", ring_14_accumulator);
    g_test_add_func("/EVT-12/bei", evt_12_bei);
    g_test_add_func("/ISO-21/missed-rows", iso_21_missed_rows);
    g_test_add_func("/ISO-34/types", iso_34_types);
    return g_test_run();
}
