/*
 * What a capability decides (xHCI 1.2 §5.3.6, §5.3.9): optional commands, which
 * work with it and are TRB Errors without it, and answers that only a
 * controller that says so may give.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include <glib/gstdio.h>

#include "lib/trace.h"

/* Evaluate Context with this Max Exit Latency; the code. */
static unsigned set_latency(Hcd *h, HcdDev *dev, unsigned latency_us)
{
    hcd_in_write(h, dev, 1, 1,
                 xhci_set(hcd_out_read(h, dev, 0, 1), SLOT_MAX_EXIT_LATENCY,
                          latency_us));
    hcd_in_write(h, dev, 1, 2, hcd_out_read(h, dev, 0, 2));
    return hcd_cmd_evaluate(h, dev, 1);
}

static unsigned latency(Hcd *h, HcdDev *dev)
{
    return xhci_get(hcd_out_read(h, dev, 0, 1), SLOT_MAX_EXIT_LATENCY);
}

/* xHCI 1.2 §4.23.5.2: no service interval is left to wake up in. */
static void cmd_27_evaluate(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);

    hcd_expect_cc(set_latency(h, dev, 1000), CC_SUCCESS);
    hcd_check(latency(h, dev) == 1000, "Max Exit Latency is %u",
              latency(h, dev));
    hcd_expect_cc(set_latency(h, dev, 1001), CC_MAX_EXIT_LATENCY_TOO_LARGE);
    hcd_check(latency(h, dev) == 1000, "a refused latency is in the context");
    hcd_finish(h);
}

/* xHCI 1.2 §4.23.5.2.2: CME makes Configure Endpoint look, too. */
static void cmd_27_configure(const void *data)
{
    uint32_t cme = GPOINTER_TO_UINT(data);
    Hcd *h = hcd_start(.args = KBD_ARGS, .usbcmd = cme);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    unsigned cc;

    hcd_set_configuration(h, dev, 1);
    hcd_expect_cc(set_latency(h, dev, 1001), CC_SUCCESS);
    hcd_ep_prepare(h, dev,
                   (HcdEp){ .dci = KBD_IN,
                            .type = EP_TYPE_INTERRUPT_IN,
                            .mps = 8,
                            .interval = KBD_INTERVAL,
                            .esit = 8 });
    cc = hcd_cmd_configure(h, dev, 1u << KBD_IN | 1, 0);
    hcd_expect_cc(cc, cme ? CC_MAX_EXIT_LATENCY_TOO_LARGE : CC_SUCCESS);
    hcd_check(hcd_ep_state(h, dev, KBD_IN) ==
                  (cme ? EP_STATE_DISABLED : EP_STATE_RUNNING),
              "after code %u the endpoint is in state %u", cc,
              hcd_ep_state(h, dev, KBD_IN));
    hcd_check(hcd_slot_state(h, dev) ==
                  (cme ? SLOT_STATE_ADDRESSED : SLOT_STATE_CONFIGURED),
              "after code %u the slot is in state %u", cc,
              hcd_slot_state(h, dev));
    if (cme) {
        hcd_expect_cc(set_latency(h, dev, 1000), CC_SUCCESS);
        hcd_expect_cc(hcd_cmd_configure(h, dev, 1u << KBD_IN | 1, 0),
                      CC_SUCCESS);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.6.12 to §4.6.18: what is not advertised is a TRB Error, names
 * no slot, writes nothing, and the ring goes on. */
static void cmd_36_not_there(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t context = hcd_alloc_filled(h, 64, 0xaa);
    uint32_t hcc1 = hcd_cap_read(h, XHCI_HCCPARAMS1);
    uint32_t hcc2 = hcd_cap_read(h, XHCI_HCCPARAMS2);
    const struct {
        unsigned type;
        uint32_t advertised, dw3;
    } rows[] = {
        { CMD_FORCE_EVENT, 0, 1u << 16 }, /* needs I/O virtualization */
        { CMD_NEGOTIATE_BANDWIDTH, hcc1 & HCC1_BNC, dev->slot_id << 24 },
        { CMD_SET_LTV, hcc1 & HCC1_LTC, 0x0123u << 16 },
        { CMD_GET_EXTENDED_PROPERTY, hcc2 & HCC2_GSC, dev->slot_id << 24 },
        { CMD_SET_EXTENDED_PROPERTY, hcc2 & HCC2_GSC, dev->slot_id << 24 },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        xhci_trb trb = hcd_trb_ptr(rows[i].type, context, 0, rows[i].dw3);
        HcdEvent event;

        if (rows[i].advertised) {
            continue;
        }
        event = hcd_cmd(h, trb);
        hcd_check(event.cc == CC_TRB_ERROR, "command %u: code %u, expected 5",
                  rows[i].type, event.cc);
        hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    }
    hcd_check(hcd_mem_is(h, context, 64, 0xaa), "memory was written");
    hcd_finish(h);
}

static HcdEvent force_header(Hcd *h, unsigned port_id, unsigned type)
{
    xhci_trb trb = hcd_trb_ptr(CMD_FORCE_HEADER, 0x12345680u | type, 0x9abcdef0,
                               xhci_set(0, TRB_ROOT_PORT, port_id));

    return hcd_cmd(h, trb);
}

/* xHCI 1.2 §4.6.16: on the link of a USB3 port that is up, and nowhere else. */
static void cmd_36_force_header(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS MSD_ARGS);
    HcdDev *kbd = hcd_kbd_open(h);
    HcdDev *disk = hcd_dev_open(h, hcd_port_connected(h, 1));
    HcdEvent event;

    hcd_check(disk->speed == SPEED_SUPER, "the disk came up at speed %u",
              disk->speed);
    event = force_header(h, disk->port_id, USB3_LINK_MANAGEMENT);
    hcd_check(event.cc == CC_SUCCESS && event.slot_id == 0, "the event is: %s",
              hcd_event_text(&event));
    hcd_expect_cc(force_header(h, disk->port_id, USB3_TRANSACTION).cc,
                  CC_SUCCESS);
    hcd_expect_cc(force_header(h, disk->port_id, USB3_DATA).cc, CC_TRB_ERROR);
    hcd_expect_cc(force_header(h, kbd->port_id, USB3_LINK_MANAGEMENT).cc,
                  CC_TRB_ERROR);
    hcd_expect_cc(force_header(h, 0, USB3_LINK_MANAGEMENT).cc, CC_TRB_ERROR);
    hcd_expect_cc(force_header(h, h->max_ports + 1, USB3_LINK_MANAGEMENT).cc,
                  CC_TRB_ERROR);
    hcd_expect_cc(force_header(h, h->max_ports, USB3_LINK_MANAGEMENT).cc,
                  CC_USB_TRANSACTION_ERROR);
    hcd_check(hcd_portsc(h, disk->port_id) & PORTSC_PED,
              "PORTSC is %08x after it", hcd_portsc(h, disk->port_id));
    hcd_finish(h);
}

/* xHCI 1.2 §6.2.5.1: with CIE the Input Control Context says what is
 * configured; a controller tells whoever traces it. */
static void cap_09_configuration_information(const void *data)
{
    bool cie = GPOINTER_TO_UINT(data);
    g_autofree char *log = NULL;
    g_autofree char *args =
        hcd_trace_args(KBD_ARGS, "ixhci_configuration", &log);
    g_autofree char *text = NULL;
    Hcd *h = hcd_start(.args = args);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_halt(h);
    hcd_op_write(h, XHCI_CONFIG,
                 hcd_op_read(h, XHCI_CONFIG) | (cie ? CONFIG_CIE : 0));
    h->cmd = hcd_ring_new(h, 64);
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    hcd_in_write(h, dev, 0, 7, 0x00030201);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_INTERRUPT_IN, .mps = 8,
               .interval = KBD_INTERVAL, .esit = 8);
    text = hcd_trace_text(log);
    hcd_check(!!strstr(text, "configuration 1 interface 2 alternate 3") == cie,
              "CIE %u, and the log is: %s", cie, text);
    g_unlink(log);
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.6: after a short packet all Event Data TRBs of the TD, or the
 * first of them. */
static void cap_05_parse_all_event_data(void)
{
    Hcd *h = hcd_start(.args = MSD_ARGS);
    HcdDev *dev = hcd_msd_open(h);
    bool pae = hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_PAE;
    uint64_t buf = hcd_alloc_filled(h, 4096, 0xaa);

    hcd_msd_command(h, dev, MSD_INQUIRY, 36);
    td_normal(h, dev, MSD_IN, .buf = buf, .len = 1024, .ch = true);
    td_event_data(h, dev, MSD_IN, .buf = 0x1111, .ch = true, .ioc = true);
    td_normal(h, dev, MSD_IN, .buf = buf + 1024, .len = 1024, .ch = true);
    td_event_data(h, dev, MSD_IN, .buf = 0x2222, .ioc = true);
    hcd_ring_ep(h, dev, MSD_IN);
    hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                  .ptr = 0x1111, .len = 36, .ed = true);
    if (pae) {
        hcd_expect_te(h, .dev = dev, .dci = MSD_IN, .cc = CC_SHORT_PACKET,
                      .ptr = 0x2222, .len = HCD_LEN_0, .ed = true);
    }
    hcd_expect_quiet(h, 80);
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.6: port indicators are there, or their field reads 0. */
static void cap_05_port_indicators(void)
{
    Hcd *h = hcd_start();
    bool pind = hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_PIND;

    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        hcd_portsc_write(h, port_id, xhci_set(0, PORTSC_PIC, 2));
        hcd_check(xhci_get(hcd_portsc(h, port_id), PORTSC_PIC) ==
                      (pind ? 2u : 0u),
                  "PORTSC of port %u is %08x", port_id, hcd_portsc(h, port_id));
    }
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add("CMD-27/evaluate", cmd_27_evaluate);
    hcd_test_add_data("CMD-27/configure", cmd_27_configure,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("CMD-27/configure-cme", cmd_27_configure,
                      GUINT_TO_POINTER(USBCMD_CME));
    hcd_test_add("CMD-36/not-there", cmd_36_not_there);
    hcd_test_add("CMD-36/force-header", cmd_36_force_header);
    hcd_test_add("CAP-05/parse-all-event-data", cap_05_parse_all_event_data);
    hcd_test_add("CAP-05/port-indicators", cap_05_port_indicators);
    hcd_test_add_data("CAP-09/configuration-information",
                      cap_09_configuration_information, GUINT_TO_POINTER(1));
    hcd_test_add_data("CAP-09/no-configuration-information",
                      cap_09_configuration_information, GUINT_TO_POINTER(0));
    return hcd_test_main(argc, argv);
}
