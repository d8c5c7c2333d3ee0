/*
 * The closed loop: every fault finds its packet and every bad packet its
 * fault; what does not is said, on either side.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <string.h>

#include "command.h"
#include "driverlog.h"
#include "effect.h"
#include "join.h"

#define OK 0x00000000u
#define BABBLE 0xc0000012u
#define XACT 0xc0000011u
#define NOT_ACCESSED 0xc0020000u
#define CANCELED 0xc0010000u
#define GONE 0xc0007000u
#define REQUEST_FAILED 0xc0000b00u

/* Two logs as they are written, and the join of them. */
typedef struct {
    GString *faults, *packets;
    uint64_t sequence, ordinal;
    uint32_t selection;
    GArray *parsed;
    witness *w;
    join *j;
} loop;

static loop *start(void)
{
    loop *l = g_new0(loop, 1);

    l->faults = g_string_new(NULL);
    l->packets = g_string_new(NULL);
    l->selection = 1;
    l->ordinal = 1;
    return l;
}

static void packet(loop *l, uint32_t status, uint32_t urb)
{
    g_string_append_printf(
        l->packets,
        "{\"sequence\":%" G_GUINT64_FORMAT ",\"selection\":%u,\"interface\":1,"
        "\"alternate\":1,\"endpoint\":1,\"direction\":\"in\",\"ordinal\":"
        "%" G_GUINT64_FORMAT
        ",\"start_frame\":10,\"packet\":0,\"status\":\"-\","
        "\"status_code\":\"%08x\",\"length\":192,\"urb_status\":\"-\","
        "\"urb_status_code\":\"%08x\"}\n",
        l->sequence++, l->selection, l->ordinal++, status, urb);
}

/* An URB of eight packets. */
static void urb(loop *l, const char *direction, uint32_t start_frame,
                uint32_t status, uint32_t urb_status)
{
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(
            l->packets,
            "{\"sequence\":%" G_GUINT64_FORMAT
            ",\"selection\":%u,\"endpoint\":1,\"direction\":\"%s\","
            "\"ordinal\":%" G_GUINT64_FORMAT
            ",\"start_frame\":%u,\"packet\":%u,\"status_code\":\"%08x\","
            "\"length\":192,\"urb_status_code\":\"%08x\"}\n",
            l->sequence++, l->selection, direction, l->ordinal++, start_frame,
            i, status, urb_status);
    }
}

static void good(loop *l, unsigned packets)
{
    while (packets--) {
        packet(l, OK, OK);
    }
}

static void select_again(loop *l)
{
    l->selection++;
    l->ordinal = 1;
}

/* A fault of the packet seam; rest: more members, or "". */
static void inject(loop *l, int64_t uf, uint64_t td, const char *action,
                   const char *rest)
{
    g_string_append_printf(
        l->faults,
        "{\"uf\":%" G_GINT64_FORMAT ",\"plan\":\"p\",\"rule\":\"r\",\"hit\":1,"
        "\"seam\":\"packet\",\"slot\":1,\"port\":5,\"dci\":3,\"endpoint\":1,"
        "\"direction\":\"in\",\"type\":\"isoch\",\"td\":%" G_GUINT64_FORMAT
        ",\"action\":\"%s\"%s}\n",
        uf, td, action, rest);
}

static const join *tie(loop *l)
{
    g_autoptr(GError) error = NULL;

    l->parsed =
        faultlog_parse(l->faults->str, l->faults->len, "faults", &error);
    g_assert_no_error(error);
    l->w = driverlog_parse(l->packets->str, l->packets->len, "log", &error);
    g_assert_no_error(error);
    l->j = join_new(l->parsed, l->w);
    return l->j;
}

static void stop(loop *l)
{
    g_string_free(l->faults, TRUE);
    g_string_free(l->packets, TRUE);
    g_array_unref(l->parsed);
    witness_free(l->w);
    join_free(l->j);
    g_free(l);
}

static void expect(const join *j, unsigned i, join_outcome outcome, int64_t row,
                   uint32_t rows)
{
    g_assert_cmpstr(join_outcome_name(join_at(j, i)->outcome), ==,
                    join_outcome_name(outcome));
    g_assert_cmpint(join_at(j, i)->row, ==, row);
    g_assert_cmpint(join_at(j, i)->rows, ==, rows);
}

/* The frames of five URBs, of which one is 4 late, across 2^32. */
static void urbs_with_a_jump(loop *l, const char *direction)
{
    urb(l, direction, 0xfffffffeu, OK, OK);
    urb(l, direction, 0xffffffffu, OK, OK);
    urb(l, direction, 0, OK, OK);
    urb(l, direction, 5, OK, OK);
    urb(l, direction, 6, OK, OK);
}

/* A hole in time that no packet tells of is a finding, or has a cause. */
static void test_start_frame(void)
{
    loop *l = start();
    const join *j;

    urbs_with_a_jump(l, "in");
    j = tie(l);
    g_assert_cmpuint(j->orphans->len, ==, 1);
    g_assert_cmpuint(g_array_index(j->orphans, join_orphan, 0).row, ==, 24);
    g_assert_cmpstr(witness_row(l->w, 24)->text, ==,
                    "StartFrame jumps by 4 frames");
    stop(l);

    l = start();
    urbs_with_a_jump(l, "in");
    inject(l, 100, 24, "nak", "");
    j = tie(l);
    expect(j, 0, JOIN_UNNOTICED, 23, 0);
    stop(l);

    l = start();
    urbs_with_a_jump(l, "in");
    inject(l, 100, 24, "drop-event", "");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 24, 1);
    g_assert_cmpuint(join_findings(j, false), ==, 0);
    stop(l);
}

/* What jumps and is no hole in time: rules 2 and 3, and an URB taken back. */
static void test_start_frame_no_hole(void)
{
    loop *l = start();

    urbs_with_a_jump(l, "out");
    g_assert_cmpuint(tie(l)->orphans->len, ==, 0);
    stop(l);

    l = start();
    urb(l, "in", 10, OK, OK);
    urb(l, "in", 11, OK, OK);
    urb(l, "in", 12, XACT, REQUEST_FAILED);
    urb(l, "in", 21, OK, OK);
    inject(l, 100, 17, "silence", "");
    for (unsigned td = 18; td <= 24; td++) {
        inject(l, 100, td, "silence", "");
    }
    g_assert_cmpuint(tie(l)->orphans->len, ==, 0);
    stop(l);

    l = start();
    urb(l, "in", 10, OK, OK);
    urb(l, "in", 11, OK, OK);
    urb(l, "in", 12, OK, OK);
    urb(l, "in", 15, NOT_ACCESSED, CANCELED);
    urb(l, "in", 14, NOT_ACCESSED, CANCELED);
    select_again(l);
    urb(l, "in", 99, OK, OK);
    g_assert_cmpuint(tie(l)->orphans->len, ==, 0);
    g_assert_cmphex(witness_row(l->w, 24)->effects, ==,
                    EFFECT_BIT(EFFECT_CANCELLED));
    stop(l);
}

static void test_closed(void)
{
    loop *l = start();
    const join *j;

    good(l, 9);
    packet(l, BABBLE, REQUEST_FAILED);
    good(l, 5);
    packet(l, XACT, OK);
    good(l, 1);
    inject(l, 1000, 10, "complete", ",\"code\":3");
    inject(l, 1006, 16, "silence", "");
    inject(l, 1007, 17, "delay", "");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 9, 1);
    expect(j, 1, JOIN_SEEN, 15, 1);
    expect(j, 2, JOIN_UNNOTICED, 16, 0);
    g_assert_cmphex(join_at(j, 0)->effects, ==, EFFECT_BIT(EFFECT_OVERRUN));
    g_assert_cmpint(join_at(j, 0)->recovered, ==, 1);
    g_assert_cmpint(join_findings(j, true), ==, 0);
    stop(l);
}

/* A packet that was to fail and did not; one that failed as something else. */
static void test_findings(void)
{
    loop *l = start();
    const join *j;

    good(l, 2);
    packet(l, XACT, OK);
    inject(l, 1000, 1, "babble", "");
    inject(l, 1002, 3, "babble", "");
    j = tie(l);
    expect(j, 0, JOIN_MISSING, 0, 0);
    expect(j, 1, JOIN_WRONG, 2, 1);
    g_assert_cmpint(j->orphans->len, ==, 0);
    g_assert_cmpint(join_findings(j, false), ==, 2);
    stop(l);
}

/* Bad packets that nobody made bad: runs of one kind are one finding. */
static void test_orphans(void)
{
    loop *l = start();
    const join *j;

    good(l, 2);
    packet(l, XACT, OK);
    packet(l, XACT, OK);
    packet(l, NOT_ACCESSED, OK);
    good(l, 1);
    packet(l, NOT_ACCESSED, OK);
    j = tie(l);
    g_assert_cmpint(j->orphans->len, ==, 3);
    g_assert_cmpint(j->orphan_rows, ==, 4);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 0).row, ==, 2);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 0).rows, ==, 2);
    g_assert_cmpint(join_findings(j, false), ==, 3);
    stop(l);
}

/* A bad packet beside one that has a cause is none of an earlier row. */
static void test_orphan_beside(void)
{
    loop *l = start();
    const join *j;

    packet(l, XACT, OK);
    good(l, 3);
    packet(l, XACT, OK);
    packet(l, XACT, OK);
    inject(l, 1000, 5, "silence", "");
    j = tie(l);
    g_assert_cmpint(j->orphans->len, ==, 2);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 0).rows, ==, 1);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 1).row, ==, 5);
    stop(l);
}

/* A log with nothing in it says nothing of the device's end; the kernel's
 * messages do, and a storm of one message is one row. */
static void test_gone(void)
{
    static const char unplug[] =
        "{\"uf\":9,\"seam\":\"clock\",\"action\":\"unplug\"}\n";
    static const char lost[] = "{\"uf\":8,\"endpoint\":1,\"direction\":\"in\","
                               "\"td\":4,\"type\":\"isoch\",\"code\":32,"
                               "\"action\":\"complete\"}\n";
    loop *l = start();

    g_string_append(l->faults, unplug);
    expect(tie(l), 0, JOIN_UNRECORDED, -1, 0);
    stop(l);
    l = start();
    g_string_append(l->faults, lost);
    for (unsigned i = 0; i < 100; i++) {
        g_string_append_printf(l->packets,
                               "[%5u.%06u] xhci_hcd 0:0: ERROR Transfer event "
                               "TRB DMA ptr not part of current TD\n",
                               i, i);
    }
    g_string_append(l->packets, "[1.0] usb 1-1: USB disconnect, device number 2"
                                "\nusb 1-1: USB disconnect, device number 2\n");
    expect(tie(l), 0, JOIN_SEEN, 0, 100);
    g_assert_cmpint(l->j->orphans->len, ==, 1);
    g_assert_cmpint(l->j->orphan_rows, ==, 2);
    stop(l);
}

/* Packets that the driver took back at the end need no cause, and say nothing
 * about a fault; an URB that failed is not one that was taken back. */
static void test_taken_back(void)
{
    loop *l = start();
    const join *j;

    good(l, 2);
    packet(l, NOT_ACCESSED, CANCELED);
    packet(l, NOT_ACCESSED, CANCELED);
    packet(l, NOT_ACCESSED, REQUEST_FAILED);
    inject(l, 1000, 4, "babble", "");
    j = tie(l);
    expect(j, 0, JOIN_UNRECORDED, 3, 0);
    g_assert_cmpint(j->orphans->len, ==, 1);
    g_assert_cmpint(join_findings(j, false), ==, 1);
    g_assert_cmpint(join_findings(j, true), ==, 2);
    stop(l);
}

/* Ordinals begin anew; the second fault's packet is in the second selection. */
static void test_selections(void)
{
    loop *l = start();
    const join *j;

    good(l, 4);
    packet(l, BABBLE, OK);
    good(l, 5);
    select_again(l);
    good(l, 2);
    packet(l, XACT, OK);
    good(l, 5);
    inject(l, 1000, 5, "babble", "");
    inject(l, 3000, 3, "silence", "");
    inject(l, 3002, 5, "short", "");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 4, 1);
    expect(j, 1, JOIN_SEEN, 12, 1);
    expect(j, 2, JOIN_UNNOTICED, 14, 0);
    g_assert_cmpint(join_findings(j, true), ==, 0);
    stop(l);
}

/* A short packet is good, and as long as the log says; 192 here. */
static void test_short(void)
{
    loop *l = start();
    const join *j;

    good(l, 3);
    inject(l, 1000, 1, "short", ",\"code\":13,\"bytes\":192");
    inject(l, 1001, 2, "short", ",\"code\":13,\"bytes\":12");
    inject(l, 1002, 3, "short", "");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 0, 1);
    expect(j, 1, JOIN_MISSING, 1, 0);
    expect(j, 2, JOIN_UNNOTICED, 2, 0);
    stop(l);
}

/* Missed intervals: those of the fault, and not one more. */
static void test_missed(void)
{
    loop *l = start();
    const join *j;

    good(l, 4);
    for (unsigned i = 0; i < 4; i++) {
        packet(l, NOT_ACCESSED, OK);
    }
    good(l, 5);
    inject(l, 1000, 5, "miss", "");
    inject(l, 1001, 6, "miss", "");
    inject(l, 1002, 7, "miss", "");
    j = tie(l);
    for (unsigned i = 0; i < 3; i++) {
        expect(j, i, JOIN_SEEN, 4 + i, 1);
        g_assert_cmpint(join_at(j, i)->recovered, ==, 4 - i);
    }
    g_assert_cmpint(j->orphans->len, ==, 1);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 0).row, ==, 7);
    stop(l);
}

/* The device is away: everything after it has that cause, nothing before. */
static void test_unplugged(void)
{
    loop *l = start();
    const join *j;

    good(l, 4);
    packet(l, BABBLE, OK);
    packet(l, XACT, OK);
    good(l, 4);
    packet(l, XACT, OK);
    packet(l, NOT_ACCESSED, GONE);
    packet(l, NOT_ACCESSED, GONE);
    inject(l, 1000, 5, "babble", "");
    inject(l, 1001, 6, "silence", "");
    g_string_append(l->faults, "{\"uf\":1010,\"plan\":\"p\",\"rule\":\"u\","
                               "\"seam\":\"port\",\"port\":5,"
                               "\"action\":\"unplug\"}\n");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 4, 1);
    expect(j, 1, JOIN_SEEN, 5, 1);
    expect(j, 2, JOIN_SEEN, 10, 3);
    g_assert_cmpint(join_at(j, 2)->recovered, ==, -1);
    g_assert_cmpint(join_findings(j, true), ==, 0);
    stop(l);
}

/* An endpoint of which the driver has no log; a log whose start is gone. */
static void test_unrecorded(void)
{
    loop *l = start();
    const join *j;

    l->sequence = 100;
    l->ordinal = 101;
    good(l, 4);
    inject(l, 1000, 5, "babble", "");
    g_string_append(l->faults,
                    "{\"uf\":1010,\"endpoint\":2,\"direction\":\"out\","
                    "\"td\":1,\"type\":\"bulk\",\"action\":\"stall\"}\n");
    j = tie(l);
    expect(j, 0, JOIN_UNRECORDED, -1, 0);
    expect(j, 1, JOIN_UNRECORDED, -1, 0);
    g_assert_cmpint(join_findings(j, false), ==, 0);
    g_assert_cmpint(join_findings(j, true), ==, 2);
    stop(l);
}

/* The log is there from the start, the packet is not in it. */
static void test_no_packet(void)
{
    loop *l = start();

    good(l, 4);
    inject(l, 1000, 5, "babble", "");
    expect(tie(l), 0, JOIN_MISSING, -1, 0);
    stop(l);
}

/* No log has the transfers of endpoint 0; a refusal may be in one. */
static void test_control(void)
{
    static const char stall[] =
        "{\"uf\":100,\"rule\":\"r\",\"seam\":\"packet\",\"slot\":1,"
        "\"port\":1,\"dci\":1,\"endpoint\":0,\"direction\":\"out\","
        "\"type\":\"control\",\"td\":21,\"action\":\"stall\",\"code\":6}\n";
    loop *l = start();

    g_string_append(l->faults, stall);
    good(l, 3);
    expect(tie(l), 0, JOIN_UNRECORDED, -1, 0);
    g_assert_cmpuint(join_findings(l->j, false), ==, 0);
    stop(l);
}

static void test_messages(void)
{
    loop *l = start();
    const join *j;

    g_string_append(l->packets,
                    "[    1.0] usb 2-1: new high-speed USB device number 2\n"
                    "[    2.0] uvcvideo 2-1:1.1: Non-zero status (-71) in "
                    "video completion handler.\n"
                    "[    3.0] usb 2-1: USB disconnect, device number 2\n"
                    "usbread: transfer ended with status 6\n");
    inject(l, 1000, 5, "silence", "");
    inject(l, 2000, 7, "babble", "");
    inject(l, 3000, 9, "silence", "");
    j = tie(l);
    expect(j, 0, JOIN_SEEN, 0, 1);
    expect(j, 1, JOIN_SEEN, 2, 1);
    g_assert_cmpuint(join_at(j, 0)->others, ==, 1); /* which silence? */
    g_assert_cmpuint(join_at(j, 1)->others, ==, 0);
    g_assert_cmpuint(join_at(j, 2)->others, ==, 0);
    g_assert_cmpint(j->orphans->len, ==, 1);
    g_assert_cmpint(
        witness_row(l->w, g_array_index(j->orphans, join_orphan, 0).row)->line,
        ==, 3);
    stop(l);
}

/* A capture of the bus has the faults' time: ordinals may be off (it began in
 * mid-stream), and another device may have the same endpoint. */
static void test_bus(void)
{
    g_autoptr(GArray) faults = g_array_new(FALSE, FALSE, sizeof(fault));
    g_autoptr(witness) w = witness_new("capture", true);
    g_autoptr(join) j = NULL;
    fault f = { .uf = 1007,
                .action = "babble",
                .seam = "packet",
                .code = -1,
                .span = -1,
                .slot = 2,
                .td = 500,
                .address = 0x81 };

    w->is_bus = true;
    for (unsigned i = 0; i < 40; i++) {
        observation row = { .uf = 1000 + i / 2,
                            .ordinal = i / 2 + 1,
                            .selection = 1,
                            .address = 0x81,
                            .device = 1 + i % 2,
                            .text = "" };

        row.effects = i == 15 || i == 16 ? EFFECT_BIT(EFFECT_OVERRUN) : 0;
        g_array_append_val(w->rows, row);
    }
    g_array_append_val(faults, f);
    f.seam = "event";
    f.action = "event-code";
    f.code = 4;
    f.uf = 1009;
    g_array_append_val(faults, f);
    f.uf = 1050;
    g_array_append_val(faults, f);
    j = join_new(faults, w);
    expect(j, 0, JOIN_SEEN, 15, 1);
    expect(j, 1, JOIN_UNNOTICED, 19, 0);
    expect(j, 2, JOIN_MISSING, -1, 0);
    g_assert_cmpint(j->orphans->len, ==, 1);
    g_assert_cmpint(g_array_index(j->orphans, join_orphan, 0).row, ==, 16);
}

/* Every action of the table, and one that it does not know. */
static void test_expectations(void)
{
    static const struct {
        const char *action;
        int64_t code;
        uint32_t legal;
        bool silent;
    } rows[] = {
        { "complete", 1, EFFECT_BIT(EFFECT_SHORT), true },
        { "complete", 3, EFFECT_BIT(EFFECT_OVERRUN), false },
        { "complete", 4, EFFECT_BIT(EFFECT_XACT), false },
        { "event-code", 31, EFFECT_BIT(EFFECT_OVERRUN), false },
        { "complete", 23,
          EFFECT_BIT(EFFECT_MISSED) | EFFECT_BIT(EFFECT_LOST) |
              EFFECT_BIT(EFFECT_XACT),
          false },
        { "complete", 33,
          EFFECT_BIT(EFFECT_MISSED) | EFFECT_BIT(EFFECT_LOST) |
              EFFECT_BIT(EFFECT_CANCELLED) | EFFECT_BIT(EFFECT_RESET) |
              EFFECT_BIT(EFFECT_OTHER) | EFFECT_BIT(EFFECT_XACT),
          false },
        { "stall", -1, EFFECT_BIT(EFFECT_STALL) | EFFECT_BIT(EFFECT_XACT),
          false },
        { "of-tomorrow", -1, ~0u, true },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        fault f = { .action = rows[i].action,
                    .seam = "packet",
                    .code = rows[i].code,
                    .td = 1,
                    .address = 0x81 };
        expectation e = expect_of(&f, false);

        g_assert_cmphex(e.legal, ==, rows[i].legal);
        g_assert_cmpint(e.silent, ==, rows[i].silent);
    }
}

static void expect_no_log(const char *text, bool driver, const char *why)
{
    g_autoptr(GError) error = NULL;

    if (driver) {
        g_assert_null(driverlog_parse(text, strlen(text), "log", &error));
    } else {
        g_assert_null(faultlog_parse(text, strlen(text), "log", &error));
    }
    g_assert_error(error, ISOLAB_ERROR, ISOLAB_USAGE);
    if (!strstr(error->message, why)) {
        g_error("\"%s\" does not say \"%s\"", error->message, why);
    }
}

static void test_bad_logs(void)
{
    static const char half[] = "{\"uf\":1,\"action\":\"stall\"}\n{\"uf\":2,";
    g_autoptr(GArray) faults = faultlog_parse(half, strlen(half), "log", NULL);

    /* the last line was being written */
    g_assert_cmpint(faults->len, ==, 1);
    expect_no_log("{\"uf\":1,\"action\":\"stall\"}\n\n{\"uf\":2,\n", false,
                  "log:3: ");
    expect_no_log("{\"uf\":1}\n", false, "log:1: a fault needs");
    expect_no_log("[1]\n", false, "log:1: not a JSON object");
    expect_no_log("{\"sequence\":0}\n", true, "log:1: not a line of");
    expect_no_log("{\"sequence\":0,\"ordinal\":1,\"endpoint\":16,"
                  "\"status_code\":\"00000000\","
                  "\"urb_status_code\":\"00000000\"}\n",
                  true, "log:1: not a line of");
}

/* The log of a device that came after the one that was pulled out. */
static void test_next_device(void)
{
    loop *l = start();

    inject(l, 100, 16, "unplug", "");
    inject(l, 900, 16, "unplug", "");
    good(l, 3);
    expect(tie(l), 0, JOIN_UNRECORDED, -1, 0);
    expect(l->j, 1, JOIN_UNRECORDED, -1, 0);
    stop(l);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report/join/closed", test_closed);
    g_test_add_func("/report/join/start-frame", test_start_frame);
    g_test_add_func("/report/join/start-frame-no-hole",
                    test_start_frame_no_hole);
    g_test_add_func("/report/join/findings", test_findings);
    g_test_add_func("/report/join/orphans", test_orphans);
    g_test_add_func("/report/join/orphan-beside", test_orphan_beside);
    g_test_add_func("/report/join/gone", test_gone);
    g_test_add_func("/report/join/taken-back", test_taken_back);
    g_test_add_func("/report/join/selections", test_selections);
    g_test_add_func("/report/join/short", test_short);
    g_test_add_func("/report/join/missed", test_missed);
    g_test_add_func("/report/join/unplugged", test_unplugged);
    g_test_add_func("/report/join/unrecorded", test_unrecorded);
    g_test_add_func("/report/join/no-packet", test_no_packet);
    g_test_add_func("/report/join/control", test_control);
    g_test_add_func("/report/join/next-device", test_next_device);
    g_test_add_func("/report/join/messages", test_messages);
    g_test_add_func("/report/join/bus", test_bus);
    g_test_add_func("/report/join/expectations", test_expectations);
    g_test_add_func("/report/join/bad-logs", test_bad_logs);
    return g_test_run();
}
