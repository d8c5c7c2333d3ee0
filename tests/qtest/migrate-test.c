/*
 * Migration in mid-stream: saved into a file, loaded by another QEMU, and no
 * packet is lost, doubled or late; a file that was damaged does no harm.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/watch.h"

/* Within the controller's section of a saved machine. */
#define SECTION_BYTES 5000

/* A scenario, and when it is interrupted. */
typedef struct {
    const Scenario *scenario;
    uint64_t uf;
} Moved;

/* Isochronous: the log is that of a machine that stayed where it was. */
static void same_log(const void *data)
{
    const Moved *moved = data;
    g_autofree char *stayed = watch_play(moved->scenario, NULL, 0);
    g_autofree char *went = watch_play(moved->scenario, NULL, moved->uf);

    hcd_check(strstr(stayed, "code"), "nothing was seen");
    hcd_check(g_str_equal(stayed, went), "stayed:\n%s\nwent:\n%s", stayed,
              went);
}

/* Interrupt: a TD waits for a device that has nothing to say. */
static void waiting_interrupt(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa), trb;

    trb = td_normal(h, dev, KBD_IN, .buf = buf, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_step_uf(h, 80);
    hcd_migrate(h);
    hcd_expect_quiet(h, 800);
    hcd_kbd_key(h, true);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS, .ptr = trb,
                  .len = HCD_LEN_0);
    hcd_finish(h);
}

/* In the second lap of a ring the cycle bit has the other value. */
static void second_lap(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    for (unsigned i = 0; i < 100; i++) {
        uint64_t trb = td_noop(h, dev, KBD_IN, .ioc = true);

        if (i == 80) {
            hcd_check(!dev->ring[KBD_IN].pcs, "the ring did not wrap");
            hcd_migrate(h);
        }
        hcd_ring_ep(h, dev, KBD_IN);
        hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_SUCCESS,
                      .ptr = trb);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.9.4: what is lost to a full event ring here is lost there. */
static void held_up(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .event_trbs = 16);
    IsoIn *in = iso_in_open(h, WATCH_EVERY_FRAME);
    unsigned events = 0, missed = 0;
    HcdEvent event;

    hcd_event_drain(h);
    iso_in_queue_sia(in, 40);
    h->keep_erdp = true;
    iso_in_doorbell(in);
    hcd_step_uf(h, 25 * 8);
    for (unsigned i = 0; i < 13; i++) {
        hcd_check(hcd_event_take(h, &event), "event %u is missing", i);
        events += event.type == EVT_TRANSFER;
    }
    hcd_event_ack(h); /* from now on the ESITs that passed are lost */
    hcd_migrate(h);
    h->keep_erdp = false;
    while (hcd_event_wait(h, 80, &event) && event.cc != CC_RING_OVERRUN) {
        events += event.type == EVT_TRANSFER;
        missed += event.cc == CC_MISSED_SERVICE;
    }
    hcd_check(events == 40 && missed >= 8 && missed <= 14,
              "%u events, %u TDs missed", events, missed);
    hcd_finish(h);
}

/* Bulk and control: half of a command on each side. */
static void bulk(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    uint64_t buf = hcd_alloc_filled(h, 512, 0xaa);

    hcd_msd_command(h, dev, MSD_READ10, 512);
    hcd_migrate(h);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 512, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SUCCESS,
                  .len = HCD_LEN_0);
    hcd_check(hcd_mem_is(h, buf, 512, 0), "the disk's zeroes did not arrive");
    hcd_msd_status(h, dev);
    hcd_set_configuration(h, dev, 1);
    hcd_finish(h);
}

/* A halted endpoint stays halted, and can be recovered there. */
static void halted(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    HcdSetup nonsense = { .type = 0x80, .request = 0x77 };

    hcd_expect_cc(hcd_control(h, dev, nonsense, 0), CC_STALL_ERROR);
    hcd_migrate(h);
    hcd_check(hcd_ep_state(h, dev, 1) == EP_STATE_HALTED, "EP0 is in state %u",
              hcd_ep_state(h, dev, 1));
    hcd_expect_cc(hcd_cmd_reset_ep(h, dev, 1), CC_SUCCESS);
    hcd_cmd_skip_all(h, dev, 1);
    hcd_set_configuration(h, dev, 1);
    hcd_finish(h);
}

/* Events that had no room (§4.9.4) come when there is. */
static void full_event_ring(void)
{
    Hcd *h = hcd_start(.args = "", .event_trbs = 16);
    uint64_t trb[40];
    unsigned commands = 0;
    HcdEvent event;

    hcd_event_drain(h);
    for (unsigned i = 0; i < 40; i++) {
        trb[i] = hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    h->keep_erdp = true;
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 16);
    hcd_migrate(h);
    hcd_doorbell(h, 0, 0); /* nothing is fetched while the ring is full */
    h->keep_erdp = false;
    while (hcd_event_wait(h, 16, &event)) {
        if (event.type == EVT_COMMAND_COMPLETION) {
            hcd_check(event.ptr == trb[commands], "event %u is: %s", commands,
                      hcd_event_text(&event));
            commands++;
        }
    }
    hcd_check(commands == 40, "%u of 40 commands have an event", commands);
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.2: the interval that runs, runs on. */
static void moderation(void)
{
    Hcd *h = hcd_start(.args = "");
    uint64_t left;

    hcd_event_drain(h);
    hcd_intr_write(h, XHCI_IMOD, 4000);
    hcd_cmd(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_step_uf(h, 80);
    hcd_msix_take(h, 0);
    hcd_cmd(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_step_uf(h, 1);
    hcd_check(hcd_msix_take(h, 0), "no interrupt after a pause");
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 3);
    hcd_migrate(h);
    left = xhci_get(hcd_intr_read(h, XHCI_IMOD), IMOD_IMODC);
    hcd_check(left > 0 && left < 3000, "IMODC is %" PRIu64, left);
    hcd_check(!hcd_msix_take(h, 0), "an interrupt within the interval");
    hcd_step_uf(h, 8);
    hcd_check(hcd_msix_take(h, 0), "no interrupt after the interval");
    hcd_finish(h);
}

/* xHCI 1.2 §4.17.2: EHB still blocks; what is left in the ring when it is
 * cleared still interrupts. */
static void busy_handler(void)
{
    Hcd *h = hcd_start(.args = "");
    HcdEvent event;

    hcd_event_drain(h);
    hcd_step_uf(h, 80);
    hcd_msix_take(h, 0);
    h->keep_erdp = true;
    for (unsigned i = 0; i < 2; i++) {
        hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
        hcd_doorbell(h, 0, 0);
        hcd_step_uf(h, 1);
        hcd_check(hcd_msix_take(h, 0) == (i == 0), "interrupts after event %u",
                  i);
    }
    hcd_migrate(h);
    hcd_step_uf(h, 16);
    hcd_check(!hcd_msix_take(h, 0), "an interrupt while EHB is 1");
    hcd_check(hcd_event_take(h, &event), "there is no event");
    hcd_event_ack(h);
    hcd_step_uf(h, 16);
    hcd_check(hcd_msix_take(h, 0), "no interrupt for what is left");
    hcd_finish(h);
}

/* Ports keep their state and their changes. */
static void ports(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS, .halted = true);
    uint32_t portsc[8];

    for (unsigned i = 0; i < 8; i++) {
        portsc[i] = hcd_portsc(h, i + 1);
    }
    hcd_migrate(h);
    for (unsigned i = 0; i < 8; i++) {
        hcd_check(hcd_portsc(h, i + 1) == portsc[i],
                  "port %u: %08x, it was %08x", i + 1, hcd_portsc(h, i + 1),
                  portsc[i]);
    }
    hcd_finish(h);
}

/* What software has set in the extended capabilities, and the rest of them. */
static void extended_capabilities(void)
{
    Hcd *h = hcd_start(.args = "", .props = "csz=on,hci-version=1.1");
    uint32_t words[16];

    hcd_check(
        xhci_get(hcd_cap_read(h, h->xecp), XECP_ID) == XECP_LEGACY_SUPPORT,
        "the first extended capability is %08x", hcd_cap_read(h, h->xecp));
    hcd_cap_write(h, h->xecp, LEGSUP_OS_OWNED);
    hcd_cap_write(h, h->xecp + 4, 0x2011);
    for (unsigned i = 0; i < 16; i++) {
        words[i] = hcd_cap_read(h, h->xecp + 4 * i);
    }
    hcd_migrate(h);
    for (unsigned i = 0; i < 16; i++) {
        hcd_check(hcd_cap_read(h, h->xecp + 4 * i) == words[i],
                  "word %u: %08x, it was %08x", i,
                  hcd_cap_read(h, h->xecp + 4 * i), words[i]);
    }
    hcd_finish(h);
}

/* A machine with other properties does not take the state. */
static void other_machine(void)
{
    g_autofree char *name = g_strdup_printf("ixhci-other-%d", getpid());
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), name, NULL);
    Hcd *h = hcd_start(.args = "");

    hcd_save(h, file);
    h->options.props = "p2=2";
    hcd_check(!hcd_load(h, file), "it took the ports of another machine");
    g_unlink(file);
    qtest_quit(h->qts);
}

/* Bytes of the controller's section are changed, one by one, in a file that
 * is otherwise good: it is loaded or refused, and QEMU lives. */
static void damaged_file(const void *data)
{
    unsigned seed = GPOINTER_TO_UINT(data);
    g_autofree char *name = g_strdup_printf("ixhci-damaged-%d", getpid());
    g_autofree char *file = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_autoptr(GRand) dice = g_rand_new_with_seed(seed);
    g_autofree char *good = NULL;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, WATCH_EVERY_FRAME);
    gsize bytes, section;
    unsigned refused = 0;
    QTestState *qts;

    iso_in_queue_sia(in, 20);
    iso_in_doorbell(in);
    hcd_step_uf(h, 30);
    hcd_save(h, file);
    g_assert_true(g_file_get_contents(file, &good, &bytes, NULL));
    for (section = 0; memcmp(good + section, "/ixhci", 6); section++) {
        g_assert_cmpuint(section, <, bytes - SECTION_BYTES);
    }
    for (unsigned i = 0; i < 12; i++) {
        g_autofree char *bad = g_memdup2(good, bytes);

        for (unsigned k = 0; k < 4 * i + 4; k++) {
            bad[section + g_rand_int_range(dice, 6, SECTION_BYTES)] ^=
                1 << g_rand_int_range(dice, 0, 8);
        }
        g_assert_true(g_file_set_contents(file, bad, bytes, NULL));
        qts = hcd_load(h, file);
        if (qts) {
            qtest_clock_step(qts, 100 * HCD_UF_NS);
            qtest_quit(qts);
        } else {
            refused++;
        }
    }
    hcd_check(refused, "no file was refused: nothing was damaged");
    g_unlink(file);
    qtest_quit(h->qts);
}

static void add_same_logs(void)
{
    static const uint64_t when[] = { 5, 22, 61 };

    for (unsigned i = 0; i < watch_scenario_count; i++) {
        for (unsigned k = 0; k < ARRAY_SIZE(when); k++) {
            Moved moved = { &watch_scenarios[i], when[k] };
            g_autofree char *name =
                g_strdup_printf("migrate/same-log/%s-at-%" PRIu64,
                                watch_scenarios[i].name, when[k]);

            if (!watch_scenarios[i].unplugs) {
                hcd_test_add_data(name, same_log,
                                  g_memdup2(&moved, sizeof(moved)));
            }
        }
    }
}

int main(int argc, char **argv)
{
    add_same_logs();
    hcd_test_add("migrate/waiting-interrupt", waiting_interrupt);
    hcd_test_add("migrate/second-lap", second_lap);
    hcd_test_add("migrate/held-up", held_up);
    hcd_test_add("migrate/bulk", bulk);
    hcd_test_add("migrate/halted", halted);
    hcd_test_add("migrate/full-event-ring", full_event_ring);
    hcd_test_add("migrate/moderation", moderation);
    hcd_test_add("migrate/busy-handler", busy_handler);
    hcd_test_add("migrate/ports", ports);
    hcd_test_add("migrate/extended-capabilities", extended_capabilities);
    hcd_test_add("migrate/other-machine", other_machine);
    for (unsigned seed = 1; seed <= 3; seed++) {
        g_autofree char *name =
            g_strdup_printf("migrate/damaged-file-%u", seed);

        hcd_test_add_data(name, damaged_file, GUINT_TO_POINTER(seed));
    }
    return hcd_test_main(argc, argv);
}
