/*
 * strict=on (hw/xhci/strict.c): each rule is broken once and reported with its
 * section; a driver that breaks none is not reported at all.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"
#include "compat.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */

static char *log_of(Hcd *h)
{
    QDict *reply =
        qtest_qmp(h->qts, "{'execute': 'qom-get', 'arguments': {'path': "
                          "'/machine/peripheral/xhci', 'property': "
                          "'strict-log'}}");
    char *log = g_strdup(qdict_get_str(reply, "return"));

    qobject_unref(reply);
    return log;
}

typedef struct {
    const char *name;
    const char *report; /* how the only line begins */
    bool isoch;
    void (*offend)(Hcd *h, HcdDev *dev);
} Offence;

static void halted_doorbell(Hcd *h, HcdDev *dev)
{
    hcd_halt(h);
    hcd_doorbell(h, 0, 0);
}

static void command_target(Hcd *h, HcdDev *dev)
{
    hcd_doorbell(h, 0, 1);
}

static void no_target(Hcd *h, HcdDev *dev)
{
    hcd_doorbell(h, dev->slot_id, 32);
}

static void no_slot(Hcd *h, HcdDev *dev)
{
    hcd_doorbell(h, dev->slot_id + 1, 1);
}

static void no_endpoint(Hcd *h, HcdDev *dev)
{
    hcd_doorbell(h, dev->slot_id, 9);
}

static void halted_endpoint(Hcd *h, HcdDev *dev)
{
    hcd_expect_cc(
        hcd_control(h, dev, (HcdSetup){ .type = 0x80, .request = 0x77 }, 0),
        CC_STALL_ERROR);
    hcd_doorbell(h, dev->slot_id, 1);
}

static void doorbell_reserved(Hcd *h, HcdDev *dev)
{
    qtest_writel(h->qts, h->bar + h->db, 0x100);
}

static void doorbell_no_stream(Hcd *h, HcdDev *dev)
{
    hcd_doorbell(h, dev->slot_id, 1 | 5u << 16);
}

static void command_reserved(Hcd *h, HcdDev *dev)
{
    xhci_trb trb = hcd_cmd_trb(CMD_NOOP, 0, 0, 0);

    trb.dw[1] = 1;
    hcd_cmd(h, trb);
}

static void trb_reserved(Hcd *h, HcdDev *dev)
{
    hcd_td(h, dev, 1,
           (HcdTd){ .type = TRB_SETUP_STAGE,
                    .buf = hcd_setup_bytes(
                        (HcdSetup){ .type = 0, .request = 9, .value = 1 }),
                    .len = 8,
                    .idt = true,
                    .isp = true });
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    hcd_step_uf(h, 8);
}

static void one_isoch(Hcd *h, HcdDev *dev, HcdTd td)
{
    td.type = TRB_ISOCH;
    td.ioc = true;
    td.buf = td.buf ? td.buf : hcd_alloc_filled(h, 4096, 0xaa);
    td.len = td.len ? td.len : 192;
    hcd_td(h, dev, ISOAV_IN, td);
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_step_uf(h, 40);
}

static void trb_boundary(Hcd *h, HcdDev *dev)
{
    uint64_t area = hcd_alloc(h, 0x20000, 0x10000);

    one_isoch(h, dev, (HcdTd){ .buf = area + 0xffff, .sia = true });
}

static void trb_interrupter(Hcd *h, HcdDev *dev)
{
    one_isoch(h, dev, (HcdTd){ .target = 1000, .sia = true });
}

static void td_payload(Hcd *h, HcdDev *dev)
{
    one_isoch(h, dev, (HcdTd){ .len = 2000, .sia = true });
}

static void td_bursts(Hcd *h, HcdDev *dev)
{
    one_isoch(h, dev, (HcdTd){ .tbc = 1, .sia = true });
}

static void td_frame_id(Hcd *h, HcdDev *dev)
{
    hcd_step_uf(h, 800);
    one_isoch(h, dev, (HcdTd){ .frame_id = (hcd_frame(h) - 20) & 0x7ff });
}

static void register_narrow(Hcd *h, HcdDev *dev)
{
    qtest_writeb(h->qts, h->bar + h->op + XHCI_CONFIG, 1);
}

static void register_hcrst(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, XHCI_USBCMD, USBCMD_HCRST);
}

static void register_config(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, XHCI_CONFIG, 3);
}

static void register_crcr(Hcd *h, HcdDev *dev)
{
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
}

static const Offence offences[] = {
    { "doorbell-while-halted", "xHCI 5.6: a doorbell is rung while", false,
      halted_doorbell },
    { "command-doorbell-target", "xHCI 5.6: doorbell 0 has", false,
      command_target },
    { "doorbell-target", "xHCI 5.6: a DB Target is not", false, no_target },
    { "doorbell-slot", "xHCI 4.7: the slot of", false, no_slot },
    { "doorbell-endpoint", "xHCI 4.7: the endpoint of", false, no_endpoint },
    { "doorbell-halted-endpoint", "xHCI 4.8.3: ", false, halted_endpoint },
    { "doorbell-reserved", "xHCI 5.6: reserved bits", false,
      doorbell_reserved },
    { "doorbell-no-streams", "xHCI 5.6: a doorbell has a Stream ID", false,
      doorbell_no_stream },
    { "command-reserved", "xHCI 6.4.3: reserved bits", false,
      command_reserved },
    { "trb-reserved", "xHCI 6.4.1: reserved bits", false, trb_reserved },
    { "trb-boundary", "xHCI 6.4.1: a TRB's data buffer crosses", true,
      trb_boundary },
    { "trb-interrupter", "xHCI 6.4.1: there is no such Interrupter", true,
      trb_interrupter },
    { "td-payload", "xHCI 4.14.2.1: a TD is larger", true, td_payload },
    { "td-bursts", "xHCI 4.11.2.3: TBC or TLBPC", true, td_bursts },
    { "td-frame-id", "xHCI 4.11.2.5: a Frame ID is not", true, td_frame_id },
    { "register-narrow", "xHCI 5.1: a register is not", false,
      register_narrow },
    { "register-hcrst", "xHCI 5.4.1: HCRST", false, register_hcrst },
    { "register-config", "xHCI 5.4.7: MaxSlotsEn", false, register_config },
    { "register-crcr", "xHCI 5.4.5: the Command Ring Pointer", false,
      register_crcr },
};

static void reported(const void *data)
{
    const Offence *o = data;
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "strict=on");
    HcdDev *dev = o->isoch ? hcd_isoav_open_one(h, EVERY_UF, ISOAV_IN)
                           : hcd_isoav_configured(h);
    g_autofree char *before = log_of(h), *after = NULL;

    hcd_check(!*before, "before the offence there is: %s", before);
    o->offend(h, dev);
    after = log_of(h);
    hcd_check(g_str_has_prefix(after, o->report), "the report is: %s", after);
    hcd_check(strchr(after, '\n') == after + strlen(after) - 1,
              "there is more than one report: %s", after);
    h->may_be_dead = true;
    hcd_finish(h);
}

/* A mistake in a stream is made again and again. */
static void not_for_ever(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "strict=on");
    g_autofree char *log = NULL;
    unsigned lines = 0;

    for (unsigned i = 0; i < 100; i++) {
        hcd_doorbell(h, 0, 1);
    }
    log = log_of(h);
    for (char *at = log; (at = strchr(at, '\n')); at++) {
        lines++;
    }
    hcd_check(lines == 8 && strstr(log, "counted only"),
              "%u reports of one rule", lines);
    hcd_finish(h);
}

/* What a good driver does, in every way that the tests know. */
static void silent(void)
{
    Hcd *h =
        hcd_start(.args = ISOAV_ARGS KBD_ARGS MSD_ARGS, .props = "strict=on");
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    g_autofree char *log = NULL;

    iso_in_queue_sia(in, 20);
    iso_in_doorbell(in);
    hcd_step_uf(h, 400);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_stop(h, in->dev, ISOAV_IN), CC_SUCCESS);
    hcd_cmd_skip_all(h, in->dev, ISOAV_IN);
    iso_in_queue_frame(in, iso_frame_id(iso_frame_now(h), 20));
    iso_in_doorbell(in);
    hcd_step_uf(h, 400);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_RESET_DEVICE, in->dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, in->dev->slot_id, 0, 0),
                  CC_SUCCESS);
    hcd_halt(h);
    hcd_init(h);
    log = log_of(h);
    hcd_check(!*log, "there is: %s", log);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < ARRAY_SIZE(offences); i++) {
        g_autofree char *name = g_strdup_printf("strict/%s", offences[i].name);

        hcd_test_add_data(name, reported, &offences[i]);
    }
    hcd_test_add("strict/not-for-ever", not_for_ever);
    hcd_test_add("strict/silent", silent);
    return hcd_test_main(argc, argv);
}
