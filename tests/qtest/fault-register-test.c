/*
 * Faults of registers and of what they ask for (xHCI 1.2 §5.4, §4.2, §4.23.2):
 * a controller that is not ready, does not halt, does not reset, or is gone.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/fault.h"
#include "lib/iso.h"

static void works(Hcd *h)
{
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

static void works_after_reset(Hcd *h)
{
    hcd_reset(h);
    hcd_init(h);
    hcd_event_drain(h);
    works(h);
}

/* A rule that the next no-op sets off. */
static Hcd *start_with(const char *action)
{
    Hcd *h = hcd_start(.args = "");

    hcd_event_drain(h);
    fault_rule(h, "'where': {'command': 'no-op'}, 'action': %s", action);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_step_uf(h, 1);
    return h;
}

/* xHCI 1.2 §5.4.2, CNR: no register is written meanwhile. */
static void not_ready(void)
{
    Hcd *h = start_with("'not-ready', 'with': {'microframes': 40}");

    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_CNR, "CNR is 0");
    hcd_op_write(h, XHCI_DNCTRL, 2);
    hcd_check(hcd_op_read(h, XHCI_DNCTRL) == 0, "a register was written");
    hcd_step_uf(h, 48);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_CNR), "CNR is 1");
    hcd_op_write(h, XHCI_DNCTRL, 2);
    hcd_check(hcd_op_read(h, XHCI_DNCTRL) == 2, "DNCTRL is not written");
    works(h);
}

/* Surprise removal; it comes back as from power-on. */
static void all_ones(void)
{
    Hcd *h = start_with("'all-ones', 'with': {'microframes': 80}");

    hcd_check(hcd_op_read(h, XHCI_USBSTS) == UINT32_MAX &&
                  hcd_cap_read(h, XHCI_HCSPARAMS1) == UINT32_MAX,
              "USBSTS is %08x", hcd_op_read(h, XHCI_USBSTS));
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 40);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) == UINT32_MAX, "it is back early");
    hcd_step_uf(h, 48);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) == USBSTS_HCH, "USBSTS is %08x",
              hcd_op_read(h, XHCI_USBSTS));
    hcd_check(hcd_op_read(h, XHCI_CONFIG) == 0 &&
                  hcd_op_read(h, XHCI_DCBAAP_LO) == 0,
              "it is as it was");
    hcd_expect_quiet(h, 80);
    works_after_reset(h);
}

static void hcrst_hangs(void)
{
    Hcd *h = hcd_start(.args = "");

    hcd_event_drain(h);
    fault_rule(h, "'when': {'nth': 1}, 'action': 'hcrst-hangs', 'with': "
                  "{'microframes': 800}");
    hcd_halt(h);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
    hcd_step_uf(h, 700);
    hcd_check(hcd_op_read(h, XHCI_USBCMD) & USBCMD_HCRST, "HCRST is 0");
    hcd_check(hcd_op_read(h, XHCI_CONFIG) != 0, "CONFIG was reset at once");
    hcd_step_uf(h, 110);
    hcd_check(!(hcd_op_read(h, XHCI_USBCMD) & USBCMD_HCRST), "HCRST is 1");
    hcd_check(hcd_op_read(h, XHCI_CONFIG) == 0, "nothing was reset");
    fault_expect(h, "'register':'USBCMD','access':'write'", 1);
    works_after_reset(h);
}

/* For good: what is left is another machine, or another plan. */
static void hcrst_hangs_for_good(void)
{
    Hcd *h = hcd_start(.args = "");

    fault_rule(h, "'action': 'hcrst-hangs'");
    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
    hcd_step_uf(h, 80000);
    hcd_check(hcd_op_read(h, XHCI_USBCMD) & USBCMD_HCRST, "HCRST is 0");
    fault_plan(h, "%s", "");
    works_after_reset(h);
}

static void halt_hangs(void)
{
    Hcd *h = hcd_start(.args = "");

    hcd_event_drain(h);
    fault_rule(h, "'action': 'halt-hangs'");
    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_step_uf(h, 800);
    hcd_check(!(hcd_op_read(h, XHCI_USBCMD) & USBCMD_RS), "R/S is 1");
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH), "HCH is 1");
    works_after_reset(h);
}

/* xHCI 1.2 §4.23.2: SRE, and the driver starts afresh. */
static void restore_fails(void)
{
    Hcd *h = hcd_start(.args = "");

    hcd_halt(h);
    fault_rule(h, "'when': {'nth': 2}, 'action': 'sre'");
    hcd_op_write(h, XHCI_USBCMD, 0); /* asks for neither */
    hcd_op_write(h, XHCI_USBCMD, USBCMD_CSS);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_SRE), "SRE is 1");
    hcd_op_write(h, XHCI_USBCMD, USBCMD_CRS);
    hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_SRE, "SRE is 0");
    works_after_reset(h);
}

static void register_value(void)
{
    Hcd *h = hcd_start(.args = "");
    uint32_t portsc = hcd_portsc(h, 2);

    fault_rule(h, "'where': {'register': 'PORTSC', 'port': 2, 'access': "
                  "'read'}, 'when': {'every': 2}, 'action': 'register-value', "
                  "'with': {'value': 1, 'mask': 513}");
    hcd_check((portsc & (PORTSC_PP | PORTSC_CCS)) == PORTSC_PP,
              "PORTSC is %08x", portsc);
    hcd_check(hcd_portsc(h, 2) == portsc, "it is another at once");
    hcd_check(hcd_portsc(h, 2) == ((portsc & ~PORTSC_PP) | PORTSC_CCS),
              "it is not another");
    hcd_check(hcd_portsc(h, 1) == portsc, "another port's, too");
    fault_expect(h,
                 "'register':'PORTSC','access':'read','action':"
                 "'register-value','value':",
                 1);
    works(h);
}

/* Written as something else: the controller is not stopped. */
static void register_write(void)
{
    Hcd *h = hcd_start(.args = "");

    fault_rule(h, "'where': {'register': 'USBCMD', 'access': 'write'}, "
                  "'action': 'register-value', 'with': {'value': 1, 'mask': "
                  "1}");
    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_check(!(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH), "it was stopped");
    works(h);
}

/* xHCI 1.2 §4.14.2: the schedule jumps with its clock; SIA TDs stay in a row,
 * and Frame IDs are those of the new time. */
static void mfindex_jump(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, 4);
    unsigned before, after;
    uint64_t began;

    hcd_event_drain(h);
    fault_rule(h, "'where': {'td': 3, 'type': 'isoch'}, 'action': "
                  "'mfindex-jump', 'with': {'microframes': 1003}");
    iso_in_queue_sia(in, 6);
    before = hcd_mfindex(h);
    began = hcd_now_uf(h);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 6; i++) {
        iso_in_expect(in, i);
    }
    after = hcd_mfindex(h);
    hcd_check(((after - before) & MFINDEX_MASK) == hcd_now_uf(h) - began + 1003,
              "MFINDEX went from %u to %u in %" PRIu64, before, after,
              hcd_now_uf(h) - began);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    iso_in_queue_frame(in, iso_frame_id(iso_frame_now(h), 4));
    iso_in_doorbell(in);
    iso_in_expect(in, 6);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("OP-06/not-ready", not_ready);
    hcd_test_add("PWR-09/surprise-removal", all_ones);
    hcd_test_add("OP-05/hcrst-hangs", hcrst_hangs);
    hcd_test_add("OP-05/hcrst-hangs-for-good", hcrst_hangs_for_good);
    hcd_test_add("OP-03/halt-hangs", halt_hangs);
    hcd_test_add("PWR-02/restore-fails", restore_fails);
    hcd_test_add("PORT-11/register-value", register_value);
    hcd_test_add("OP-03/register-write", register_write);
    hcd_test_add("ISO-01/mfindex-jump", mfindex_jump);
    return hcd_test_main(argc, argv);
}
