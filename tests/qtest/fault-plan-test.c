/*
 * The plan of a controller: set, refused, read back, taken away; that there is
 * no trace of it without one; that it does the same twice; and that it goes on
 * where it was in another QEMU.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/fault.h"
#include "lib/iso.h"

enum { EVERY_FRAME = 4, TDS = 60 };

static void expect_seams(Hcd *h, const char *want)
{
    g_autofree char *seams = fault_get(h, "fault-seams");

    hcd_check(g_str_equal(seams, want), "the seams '%s' are wrapped, not '%s'",
              seams, want);
}

static void no_trace(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    g_autofree char *plan = fault_get(h, "fault-plan");

    hcd_check(!*plan, "there is a plan: %s", plan);
    expect_seams(h, "");
    fault_rule(h, "'action': 'drop-event'");
    expect_seams(h, "event register");
    fault_rule(h, "'action': 'silence'");
    expect_seams(h, "dma packet register");
    fault_plan(h, "{'rules': [{'action': 'miss'}, {'action': 'command-hang'}, "
                  "{'action': 'reset-fails'}, {'action': 'lose-interrupt'}]}");
    expect_seams(h, "schedule interrupt command port register");
    fault_plan(h, "%s", " \n");
    expect_seams(h, "");
    hcd_finish(h);
}

/* The old one stays, with its counters. */
static void refused(void)
{
    Hcd *h = hcd_start(.args = "");
    g_autofree char *plan = NULL;
    g_autofree char *why = NULL;

    hcd_event_drain(h);
    fault_rule(h, "'where': {'command': 'no-op'}, 'action': 'command-code', "
                  "'with': {'code': 33}");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_UNDEFINED);
    why = fault_refusal(h, "{'rules': [{'action': 'stall'},\n"
                           "  {'action': 'explode'}]}");
    hcd_check(strstr(why, "2:14: there is no action 'explode'"), "%s", why);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_UNDEFINED);
    plan = fault_get(h, "fault-plan");
    hcd_check(strstr(plan, "\"seen\":2,\"hits\":2"), "%s", plan);
    fault_plan(h, "%s", "");
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

static char *temp_file(const char *text)
{
    char *name = NULL;
    int fd = g_file_open_tmp("isolab-plan-XXXXXX", &name, NULL);

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert(g_file_set_contents(name, text, -1, NULL));
    return name;
}

/* From files, at start; what has fired is in the file at once. */
static void files(void)
{
    g_autofree char *plan =
        temp_file("{\"rules\": [{\"where\": {\"command\": \"no-op\"}, "
                  "\"action\": \"command-code\", \"with\": {\"code\": 33}}]}");
    g_autofree char *log = temp_file("first\n");
    g_autofree char *props =
        g_strdup_printf("fault-plan=%s,fault-log-file=%s", plan, log);
    g_autofree char *text = NULL;
    g_autofree char *why = NULL;
    Hcd *h = hcd_start(.args = "", .props = props);

    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_UNDEFINED);
    g_assert(g_file_get_contents(log, &text, NULL, NULL));
    hcd_check(g_str_has_prefix(text, "first\n{\"uf\":") &&
                  g_str_has_suffix(text, "}\n"),
              "%s", text);
    g_assert(g_file_set_contents(plan, "{\n \"rules\": 7}", -1, NULL));
    why = fault_refusal(h, plan);
    hcd_check(strstr(why, plan) && strstr(why, ":2:11: "), "%s", why);
    g_free(why);
    why = fault_refusal(h, "/nowhere/plan");
    hcd_check(strstr(why, "No such file"), "%s", why);
    g_unlink(plan);
    g_unlink(log);
    hcd_finish(h);
}

/* A plan that has something at each seam of a stream. */
static const char stormy[] =
    "{'seed': %u, 'states': ['calm', 'storm'], 'rules': ["
    "{'name': 'late', 'where': {'event': 'transfer', 'td': [5, 40]}, 'when': "
    "{'every': 7}, 'action': 'delay-event', 'with': {'microframes': 20}},"
    "{'name': 'lost', 'where': {'event': 'transfer'}, 'when': {'probability': "
    "0.1}, 'action': 'drop-event'},"
    "{'name': 'miss', 'where': {'type': 'isoch'}, 'when': {'nth': 20}, "
    "'action': 'miss', 'with': {'intervals': 3}},"
    "{'name': 'cut', 'where': {'type': 'isoch'}, 'when': {'probability': 0.2, "
    "'state': 'calm'}, 'action': 'short', 'with': {'bytes': 50}, 'then': "
    "'storm'},"
    "{'name': 'none', 'where': {'type': 'isoch'}, 'when': {'probability': "
    "0.3, 'state': 'storm'}, 'action': 'silence', 'then': 'calm'},"
    "{'name': 'behind', 'where': {'event': 'transfer', 'td': 30}, 'action': "
    "'reorder-event', 'with': {'behind': 5}},"
    "{'name': 'edge', 'when': {'every': 9}, 'action': 'delay-interrupt', "
    "'with': {'microframes': 3}}]}";

/* The event log, the fault log and the read-back, as one text. */
static char *play(unsigned seed, uint64_t migrate_uf)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    GString *out = g_string_new(NULL);
    g_autofree char *log = NULL;
    g_autofree char *plan = NULL;
    HcdEvent event;

    hcd_event_drain(h);
    fault_plan(h, stormy, seed);
    iso_in_queue_sia(in, TDS);
    iso_in_doorbell(in);
    for (uint64_t uf = 0; uf < TDS * 8 + 80; uf++) {
        if (uf == migrate_uf) {
            hcd_migrate(h);
        }
        hcd_step_uf(h, 1);
        while (hcd_event_take(h, &event)) {
            g_string_append_printf(out, "%s\n", hcd_event_text(&event));
        }
    }
    log = fault_get(h, "fault-log");
    plan = fault_get(h, "fault-plan");
    g_string_append_printf(out, "%s%s\n", log, plan);
    hcd_finish(h);
    return g_string_free(out, FALSE);
}

/* 20 of 20 with ISOLAB_SOAK=1. */
static void twice(void)
{
    unsigned runs = g_getenv("ISOLAB_SOAK") ? 20 : 2;
    g_autofree char *first = play(1, UINT64_MAX);
    g_autofree char *other = play(2, UINT64_MAX);

    hcd_check(strstr(first, "\"rule\":\"none\"") &&
                  strstr(first, "\"rule\":\"lost\"") &&
                  strstr(first, "\"rule\":\"behind\""),
              "not all rules fired:\n%s", first);
    hcd_check(!g_str_equal(first, other), "the seed makes no difference");
    for (unsigned i = 1; i < runs; i++) {
        g_autofree char *again = play(1, UINT64_MAX);

        hcd_check(g_str_equal(first, again), "first:\n%s\nrun %u:\n%s", first,
                  i, again);
    }
}

/* Not one packet is lost or doubled beyond the plan. */
static void moved(const void *data)
{
    g_autofree char *stayed = play(1, UINT64_MAX);
    g_autofree char *went = play(1, GPOINTER_TO_UINT(data));

    hcd_check(g_str_equal(stayed, went), "stayed:\n%s\nwent:\n%s", stayed,
              went);
}

/* A packet that is kept back, moved meanwhile. */
static void moved_packet(const void *data)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, 64, 0xaa), trb;

    fault_rule(h,
               "'where': {'td': 1, 'type': 'bulk'}, 'action': '%s', 'with': "
               "{'microframes': 80}",
               (const char *)data);
    trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_quiet(h, 40);
    hcd_migrate(h);
    hcd_expect_quiet(h, 36);
    hcd_expect_te(h, .dev = dev, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    for (unsigned i = 0; i < 64; i++) {
        hcd_check(qtest_readb(h->qts, buf + i) == i, "byte %u is %02x", i,
                  qtest_readb(h->qts, buf + i));
    }
    fault_expect(h, "'hit':1", 1);
    hcd_finish(h);
}

/* A command that never ends does not end over there either; one that is late
 * does. */
static void moved_command(const void *data)
{
    Hcd *h = hcd_start(.args = "");
    bool late = g_str_has_prefix(data, "'command-delay'");
    HcdEvent event;
    uint64_t trb;

    hcd_event_drain(h);
    fault_rule(h,
               "'where': {'command': 'no-op'}, 'when': {'nth': 1}, "
               "'action': %s",
               (const char *)data);
    trb = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 8);
    hcd_migrate(h);
    hcd_expect_quiet(h, 60);
    if (!late) {
        hcd_op_write(h, XHCI_CRCR_LO, CRCR_CA);
        hcd_op_write(h, XHCI_CRCR_HI, 0);
    }
    event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_check(event.ptr == trb &&
                  event.cc == (late ? CC_SUCCESS : CC_COMMAND_ABORTED),
              "%s", hcd_event_text(&event));
    if (!late) {
        event = hcd_expect_type(h, EVT_COMMAND_COMPLETION);
        hcd_expect_cc(event.cc, CC_COMMAND_RING_STOPPED);
    }
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* A ring that counts as full, and a device that is out. */
static void moved_rest(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    unsigned port_id = hcd_port_connected(h, 0);
    HcdEvent event;

    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_event_drain(h);
    fault_plan(h,
               "{'rules': [{'where': {'command': 'no-op'}, 'when': {'nth': 1}, "
               "'action': 'unplug', 'with': {'port': %u, 'microframes': 80}},"
               "{'where': {'event': 'command-completion'}, 'when': {'nth': 1}, "
               "'action': 'event-ring-full', 'with': {'microframes': 40}}]}",
               port_id);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    event = hcd_expect_type(h, EVT_HOST_CONTROLLER);
    hcd_expect_cc(event.cc, CC_EVENT_RING_FULL);
    hcd_expect_quiet(h, 20);
    hcd_migrate(h);
    hcd_expect_quiet(h, 16);
    hcd_expect_type(h, EVT_COMMAND_COMPLETION);
    hcd_expect_type(h, EVT_PORT_STATUS_CHANGE);
    hcd_portsc_clear(h, port_id, PORTSC_CHANGES);
    hcd_step_uf(h, 8);
    hcd_event_drain(h);
    hcd_check(!(hcd_portsc(h, port_id) & PORTSC_CCS), "the device is there");
    hcd_step_uf(h, 80);
    hcd_check(hcd_portsc(h, port_id) & PORTSC_CCS, "the device is not back");
    hcd_finish(h);
}

/* Unplug of the device with events and packets put off for it. */
static void unplug_with_laters(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    hcd_event_drain(h);
    fault_plan(h, "{'rules': [{'where': {'event': 'transfer'}, 'action': "
                  "'delay-event', 'with': {'microframes': 400}}]}");
    iso_in_queue_sia(in, 8);
    iso_in_doorbell(in);
    hcd_step_uf(h, 60);
    hcd_unplug(h, "av");
    hcd_step_uf(h, 8);
    hcd_cmd_simple(h, CMD_DISABLE_SLOT, in->dev->slot_id, 0, 0);
    hcd_step_uf(h, 800);
    hcd_event_drain(h);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("no-trace", no_trace);
    hcd_test_add("refused", refused);
    hcd_test_add("files", files);
    hcd_test_add("twice", twice);
    hcd_test_add_data("moved/early", moved, GUINT_TO_POINTER(30));
    hcd_test_add_data("moved/late-event", moved, GUINT_TO_POINTER(70));
    hcd_test_add_data("moved/in-a-miss", moved, GUINT_TO_POINTER(164));
    hcd_test_add_data("moved/behind", moved, GUINT_TO_POINTER(270));
    hcd_test_add_data("moved/nak", moved_packet, "nak");
    hcd_test_add_data("moved/delay", moved_packet, "delay");
    hcd_test_add_data("moved/command-hang", moved_command, "'command-hang'");
    hcd_test_add_data("moved/command-delay", moved_command,
                      "'command-delay', 'with': {'microframes': 80}");
    hcd_test_add("moved/ring-and-device", moved_rest);
    hcd_test_add("unplug-with-laters", unplug_with_laters);
    return hcd_test_main(argc, argv);
}
