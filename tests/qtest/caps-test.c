/*
 * What the controller says of itself: capability registers, extended
 * capabilities and PCI configuration space. Nothing runs here. The checks are
 * of consistency: a number that promises something must fit the BAR, the
 * ports, and the numbers beside it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

/* Controllers of all sizes: what holds for one must hold for each. */
typedef struct {
    const char *name;
    const char *props;
} Shape;

static const Shape shapes[] = {
    { "default", NULL },
    { "largest", "p2=15,p3=15,intrs=16,slots=127" },
    { "one-usb2-port", "p2=1,p3=0,intrs=1,slots=1" },
    { "one-usb3-port", "p2=0,p3=1,intrs=1,slots=1,legacy=off" },
    { "of-1.0", "p2=3,p3=5,hci-version=1.0,csz=on" },
};

/* xHCI 1.2 §5.3: read only, and CAPLENGTH covers HCCPARAMS2. */
static void cap_01_read_only(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t before[8];

    hcd_check(h->op >= 0x20 || hcd_cap_read(h, XHCI_HCCPARAMS2) == 0,
              "CAPLENGTH is %02x and leaves HCCPARAMS2 out", h->op);
    for (unsigned i = 0; i < 8; i++) {
        before[i] = hcd_cap_read(h, 4 * i);
        hcd_cap_write(h, 4 * i, 0xffffffffu);
    }
    for (unsigned i = 0; i < 8; i++) {
        hcd_check(hcd_cap_read(h, 4 * i) == before[i],
                  "capability register %02x changed from %08x to %08x", 4 * i,
                  before[i], hcd_cap_read(h, 4 * i));
    }
    hcd_check(hcd_op_read(h, XHCI_PAGESIZE) == 1,
              "at CAPLENGTH + 8 is %08x, not PAGESIZE",
              hcd_op_read(h, XHCI_PAGESIZE));
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.2 */
static void cap_02_version(void)
{
    Hcd *h = hcd_start(.halted = true);
    unsigned version = hcd_cap_read(h, XHCI_CAPLENGTH) >> 16;

    hcd_check(version == 0x0120, "HCIVERSION is %04x, expected 0120", version);
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.3: MaxPorts is the highest port that a protocol names. */
static void cap_03_hcsparams1(const void *data)
{
    const Shape *shape = data;
    Hcd *h = hcd_start(.halted = true, .props = shape->props);

    hcd_check(h->max_slots >= 1, "MaxSlots is 0");
    hcd_check(h->max_intrs >= 1 && h->max_intrs <= 1024, "MaxIntrs is %u",
              h->max_intrs);
    hcd_check(hcd_port_protocol(h, h->max_ports),
              "no protocol names port %u, which is MaxPorts", h->max_ports);
    for (unsigned n = h->max_ports + 1; n < 256; n++) {
        hcd_check(!hcd_port_protocol(h, n),
                  "a protocol names port %u, MaxPorts is %u", n, h->max_ports);
    }
    hcd_check(hcd_portsc(h, h->max_ports) & PORTSC_PP,
              "PORTSC of port %u reads %08x", h->max_ports,
              hcd_portsc(h, h->max_ports));
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.4, §5.3.5 */
static void cap_04_hcsparams23(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t params2 = hcd_cap_read(h, XHCI_HCSPARAMS2);
    uint32_t params3 = hcd_cap_read(h, XHCI_HCSPARAMS3);
    unsigned scratchpads = (params2 >> 21 & 0x1f) << 5 | params2 >> 27;

    hcd_check(scratchpads || !(params2 & 1u << 26),
              "SPR is set and there are no scratchpads: %08x", params2);
    hcd_check((params3 & 0xff) <= 0x0a, "U1 Device Exit Latency: %08x",
              params3);
    hcd_check(params3 >> 16 <= 0x7ff, "U2 Device Exit Latency: %08x", params3);
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.6, §5.3.9, §4.23.2: what a controller of 1.1 on must have. */
static void cap_06_mandatory(void)
{
    Hcd *h = hcd_start(.halted = true);
    unsigned version = hcd_cap_read(h, XHCI_CAPLENGTH) >> 16;

    if (version >= 0x0110) {
        hcd_check(h->cfc, "HCIVERSION is %04x and CFC is 0", version);
        hcd_check(hcd_cap_read(h, XHCI_HCCPARAMS2) & HCC2_FSC,
                  "HCIVERSION is %04x and FSC is 0", version);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.6: with AC64 = 1 the high dword of a pointer counts. */
static void cap_07_64_bit_pointers(void)
{
    Hcd *h = hcd_start(.args = "-m 4096");
    uint64_t high = UINT64_C(1) << 32;
    HcdEvent event;

    if (!(hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_AC64)) {
        high = 0;
    }
    hcd_halt(h);
    h->cmd = hcd_ring_new(h, 16);
    h->cmd.base += high;
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, high ? high >> 32 : 0xdeadbeef);
    hcd_run(h);
    event = hcd_cmd(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_expect_cc(event.cc, CC_SUCCESS);
    hcd_finish(h);
}

typedef struct {
    const char *name;
    uint64_t start, end;
} Extent;

static void check_ranges(Hcd *h, const Extent *range, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        hcd_check(range[i].end <= h->bar_size,
                  "%s ends at %" PRIx64 ", the BAR at %" PRIx64, range[i].name,
                  range[i].end, h->bar_size);
        for (unsigned k = 0; k < i; k++) {
            hcd_check(range[i].end <= range[k].start ||
                          range[k].end <= range[i].start,
                      "%s and %s overlap", range[i].name, range[k].name);
        }
    }
}

/* The bytes from the first extended capability to the end of the last. */
static uint64_t xecp_end(Hcd *h)
{
    uint64_t offset = h->xecp, end = offset;

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);
        unsigned words =
            xhci_get(header, XECP_ID) == XECP_SUPPORTED_PROTOCOL
                ? 4 + xhci_get(hcd_cap_read(h, offset + 8), XECP_PSIC)
                : 2;

        end = MAX(end, offset + 4 * words);
        if (!xhci_get(header, XECP_NEXT)) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    return end;
}

/* xHCI 1.2 §5.3.7, §5.3.8: the register sets lie apart and inside BAR 0. */
static void cap_08_layout(const void *data)
{
    const Shape *shape = data;
    Hcd *h = hcd_start(.halted = true, .props = shape->props);
    uint32_t dboff = hcd_cap_read(h, XHCI_DBOFF);
    uint32_t rtsoff = hcd_cap_read(h, XHCI_RTSOFF);
    uint32_t table = hcd_pci_read(h, h->msix_cap + 4) & ~7u;
    uint32_t pba = hcd_pci_read(h, h->msix_cap + 8) & ~7u;
    unsigned vectors = (hcd_pci_read(h, h->msix_cap) >> 16 & 0x7ff) + 1;
    Extent range[] = {
        { "the capability registers", 0, 0x20 },
        { "the operational registers", h->op,
          h->op + XHCI_PORT_SET + XHCI_PORT_STRIDE * h->max_ports },
        { "the runtime registers", rtsoff,
          rtsoff + XHCI_INTR_SET + XHCI_INTR_STRIDE * h->max_intrs },
        { "the doorbells", dboff, dboff + 4 * (h->max_slots + 1) },
        { "the extended capabilities", h->xecp, xecp_end(h) },
        { "the MSI-X table", table, table + 16 * vectors },
        { "the MSI-X PBA", pba, pba + DIV_ROUND_UP(vectors, 64) * 8 },
    };

    hcd_check(!(dboff & 3) && !(rtsoff & 0x1f), "DBOFF %08x, RTSOFF %08x",
              dboff, rtsoff);
    check_ranges(h, range, ARRAY_SIZE(range));
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.9: a control bit is writable only with its capability. */
static void cap_09_control_bits(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t hcc2 = hcd_cap_read(h, XHCI_HCCPARAMS2);
    uint32_t config, usbcmd;

    hcd_op_write(h, XHCI_CONFIG, CONFIG_U3E | CONFIG_CIE);
    config = hcd_op_read(h, XHCI_CONFIG);
    hcd_op_write(h, XHCI_USBCMD, USBCMD_CME | USBCMD_ETE);
    usbcmd = hcd_op_read(h, XHCI_USBCMD);
    hcd_check(!!(config & CONFIG_U3E) == !!(hcc2 & HCC2_U3C),
              "CONFIG %08x, HCCPARAMS2 %08x: U3E", config, hcc2);
    hcd_check(!!(config & CONFIG_CIE) == !!(hcc2 & HCC2_CIC),
              "CONFIG %08x, HCCPARAMS2 %08x: CIE", config, hcc2);
    hcd_check(!!(usbcmd & USBCMD_CME) == !!(hcc2 & HCC2_CMC),
              "USBCMD %08x, HCCPARAMS2 %08x: CME", usbcmd, hcc2);
    hcd_check(!!(usbcmd & USBCMD_ETE) == !!(hcc2 & HCC2_ETC),
              "USBCMD %08x, HCCPARAMS2 %08x: ETE", usbcmd, hcc2);
    hcd_finish(h);
}

/* xHCI 1.2 §7: the list ends, inside the BAR. */
static void xcap_01_list_ends(const void *data)
{
    const Shape *shape = data;
    Hcd *h = hcd_start(.halted = true, .props = shape->props);
    uint64_t offset = h->xecp;
    unsigned steps = 0;

    hcd_check(offset, "xECP is 0, Supported Protocol is mandatory");
    while (offset) {
        uint32_t header;

        hcd_check(offset + 4 <= h->bar_size, "a capability at %" PRIx64,
                  offset);
        hcd_check(++steps <= 64, "the list of capabilities does not end");
        header = hcd_cap_read(h, offset);
        hcd_check(xhci_get(header, XECP_ID), "ID 0 at %" PRIx64, offset);
        offset = xhci_get(header, XECP_NEXT)
                     ? offset + 4 * xhci_get(header, XECP_NEXT)
                     : 0;
    }
    hcd_finish(h);
}

static void check_protocol(Hcd *h, uint32_t offset, uint8_t *owners)
{
    uint32_t header = hcd_cap_read(h, offset);
    uint32_t range = hcd_cap_read(h, offset + 8);
    unsigned major = header >> 24, minor = header >> 16 & 0xff;

    hcd_check(hcd_cap_read(h, offset + 4) == 0x20425355,
              "the name of a protocol is %08x, expected \"USB \"",
              hcd_cap_read(h, offset + 4));
    hcd_check(major == 2 || major == 3, "protocol revision %x.%02x", major,
              minor);
    hcd_check(major != 3 || minor == 0x00 || minor == 0x10 || minor == 0x20,
              "XCAP-03: protocol revision %x.%02x", major, minor);
    hcd_check((range & 0xff) >= 1, "a protocol begins at port 0");
    for (unsigned i = 0; i < (range >> 8 & 0xff); i++) {
        owners[(range + i) & 0xff]++;
    }
}

/* xHCI 1.2 §7.2: each port belongs to exactly one protocol. */
static void xcap_02_supported_protocols(const void *data)
{
    const Shape *shape = data;
    Hcd *h = hcd_start(.halted = true, .props = shape->props);
    uint32_t offset = h->xecp;
    uint8_t owners[256] = { 0 };

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);

        if (xhci_get(header, XECP_ID) == XECP_SUPPORTED_PROTOCOL) {
            check_protocol(h, offset, owners);
        }
        if (xhci_get(header, XECP_NEXT) == 0) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    for (unsigned port_id = 1; port_id < 256; port_id++) {
        hcd_check(owners[port_id] == (port_id <= h->max_ports),
                  "%u protocols name port %u", owners[port_id], port_id);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §7: nothing is listed that the model does not have. */
static void xcap_06_what_is_there(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t offset = h->xecp;

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);
        unsigned id = xhci_get(header, XECP_ID);

        hcd_check(id == XECP_LEGACY_SUPPORT || id == XECP_SUPPORTED_PROTOCOL,
                  "extended capability %u", id);
        if (!xhci_get(header, XECP_NEXT)) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    hcd_finish(h);
}

/* The USB Legacy Support capability, or 0. */
static uint32_t find_legacy(Hcd *h)
{
    uint32_t offset = h->xecp;

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);

        if (xhci_get(header, XECP_ID) == XECP_LEGACY_SUPPORT) {
            return offset;
        }
        if (!xhci_get(header, XECP_NEXT)) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    return 0;
}

/* xHCI 1.2 §4.22.1: firmware owns it, the system asks, firmware lets go. */
static void xcap_05_handover(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t legsup = find_legacy(h), value;

    hcd_check(legsup, "there is no USB Legacy Support capability");
    value = hcd_cap_read(h, legsup);
    hcd_check(!(value & (LEGSUP_BIOS_OWNED | LEGSUP_OS_OWNED)),
              "nobody has asked, and USBLEGSUP is %08x", value);
    hcd_cap_write(h, legsup, LEGSUP_BIOS_OWNED);
    hcd_check(hcd_cap_read(h, legsup) == (value | LEGSUP_BIOS_OWNED),
              "firmware has set its semaphore, and USBLEGSUP is %08x",
              hcd_cap_read(h, legsup));
    hcd_reset(h);
    hcd_check(hcd_cap_read(h, legsup) == (value | LEGSUP_BIOS_OWNED),
              "HCRST changed USBLEGSUP to %08x", hcd_cap_read(h, legsup));
    hcd_cap_write(h, legsup, hcd_cap_read(h, legsup) | LEGSUP_OS_OWNED);
    hcd_step_uf(h, HCD_UF_PER_SECOND);
    hcd_check(hcd_cap_read(h, legsup) == (value | LEGSUP_OS_OWNED),
              "a second after the system asked USBLEGSUP is %08x",
              hcd_cap_read(h, legsup));
    hcd_check(hcd_cap_read(h, legsup + 4) & LEGCTL_OWNER_CHANGED,
              "USBLEGCTLSTS is %08x after a change of owner",
              hcd_cap_read(h, legsup + 4));
    hcd_finish(h);
}

/* The semaphores are bytes: each side writes its own. */
static void xcap_05_bytes(void)
{
    Hcd *h = hcd_start(.halted = true);
    uint32_t legsup = find_legacy(h);

    hcd_check(legsup, "there is no USB Legacy Support capability");
    qtest_writeb(h->qts, h->bar + legsup + 2, 1);
    hcd_check(qtest_readb(h->qts, h->bar + legsup + 2) == 1,
              "byte 2 of USBLEGSUP does not hold the semaphore");
    qtest_writeb(h->qts, h->bar + legsup + 3, 1);
    hcd_check(qtest_readb(h->qts, h->bar + legsup + 2) == 0 &&
                  qtest_readb(h->qts, h->bar + legsup + 3) == 1,
              "USBLEGSUP is %08x", hcd_cap_read(h, legsup));
    qtest_writew(h->qts, h->bar + legsup + 4, 0xe011);
    hcd_check((hcd_cap_read(h, legsup + 4) & 0xffff) == 0xe011,
              "USBLEGCTLSTS is %08x", hcd_cap_read(h, legsup + 4));
    hcd_finish(h);
}

static void check_ctlsts(Hcd *h, uint32_t legsup, uint32_t want)
{
    uint32_t value = hcd_cap_read(h, legsup + 4);

    hcd_check(value == want, "USBLEGCTLSTS is %08x, expected %08x", value,
              want);
}

/* xHCI 1.2 §7.1.2: enables are stored, status is recorded and RW1C. */
static void xcap_05_control_status(void)
{
    Hcd *h = hcd_start();
    uint32_t legsup = find_legacy(h), bar = hcd_pci_read(h, 0x10);

    hcd_check(legsup, "there is no USB Legacy Support capability");
    hcd_op_write(h, XHCI_USBSTS, USBSTS_EINT);
    hcd_cap_write(h, legsup + 4, 0xffffffffu);
    check_ctlsts(h, legsup, 0x0000e011);
    hcd_pci_set_bus_master(h, true);
    check_ctlsts(h, legsup, 0x4000e011);
    hcd_pci_write(h, 0x10, bar);
    check_ctlsts(h, legsup, 0xc000e011);
    hcd_cap_write(h, legsup, LEGSUP_OS_OWNED);
    check_ctlsts(h, legsup, 0xe000e011);
    hcd_cap_write(h, legsup + 4, LEGCTL_PCI_COMMAND);
    check_ctlsts(h, legsup, 0xa0000000);
    hcd_cap_write(h, legsup + 4, LEGCTL_BAR | LEGCTL_OWNER_CHANGED);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    check_ctlsts(h, legsup, LEGCTL_EINT);
    hcd_op_write(h, XHCI_USBSTS, USBSTS_EINT);
    check_ctlsts(h, legsup, 0);
    hcd_finish(h);
}

static void xcap_05_absent(void)
{
    Hcd *h = hcd_start(.halted = true, .props = "legacy=off");

    hcd_check(h->xecp && !find_legacy(h),
              "legacy=off, and there is a USB Legacy Support capability");
    hcd_finish(h);
}

/* PCI 3.0 §6.2.5.1, xHCI 1.2 §5.2: the class is checked by hcd_start. */
static void pci_01_bus_master(void)
{
    Hcd *h = hcd_start();
    uint32_t bar = hcd_pci_read(h, 0x10);

    hcd_check(!(hcd_cap_read(h, XHCI_HCCPARAMS1) & HCC1_AC64) || (bar & 6) == 4,
              "AC64 is 1 and BAR 0 is not a 64-bit one: %08x", bar);
    hcd_pci_set_bus_master(h, false);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_expect_quiet(h, 80);
    hcd_check(!hcd_msix_take(h, 0), "a message without Bus Master Enable");
    hcd_pci_set_bus_master(h, true);
    h->may_be_dead = true; /* HSE is a legal answer to failed DMA */
    hcd_finish(h);
}

/* xHCI 1.2 §5.2.3, §5.2.4 */
static void pci_02_sbrn(void)
{
    Hcd *h = hcd_start(.halted = true);
    unsigned sbrn = hcd_pci_read(h, 0x60) & 0xff;

    hcd_check(sbrn == 0x30 || sbrn == 0x31 || sbrn == 0x32, "SBRN is %02x",
              sbrn);
    hcd_pci_write(h, 0x60, hcd_pci_read(h, 0x60) | 0xff);
    hcd_check((hcd_pci_read(h, 0x60) & 0xff) == sbrn, "SBRN is writable");
    hcd_finish(h);
}

static void pci_03_fladj(void)
{
    Hcd *h = hcd_start(.halted = true);
    unsigned fladj = hcd_pci_read(h, 0x60) >> 8 & 0x3f;

    hcd_check(fladj == 0x20, "FLADJ is %02x, expected 20", fladj);
    hcd_finish(h);
}

/* xHCI 1.2 §5.2.8: one message for one event, on vector 0. */
static void pci_05_msix(void)
{
    Hcd *h = hcd_start();

    hcd_msix_take(h, 0);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_check(hcd_msix_take(h, 0), "no message for an event");
    hcd_step_uf(h, 8);
    hcd_check(!hcd_msix_take(h, 0), "a second message for one event");
    hcd_finish(h);
}

/* A check of each of the shapes above. */
static void add_each(const char *name, void (*fn)(const void *))
{
    for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
        g_autofree char *path = g_strdup_printf("%s-%s", name, shapes[i].name);

        hcd_test_add_data(path, fn, &shapes[i]);
    }
}

int main(int argc, char **argv)
{
    hcd_test_add("CAP-01/read-only", cap_01_read_only);
    hcd_test_add("CAP-02/version", cap_02_version);
    add_each("CAP-03/hcsparams1", cap_03_hcsparams1);
    hcd_test_add("CAP-04/hcsparams2-3", cap_04_hcsparams23);
    hcd_test_add("CAP-06/mandatory-since-1.1", cap_06_mandatory);
    hcd_test_add("CAP-07/64-bit-pointers", cap_07_64_bit_pointers);
    add_each("CAP-08/layout", cap_08_layout);
    hcd_test_add("CAP-09/control-bits", cap_09_control_bits);
    add_each("XCAP-01/list-ends", xcap_01_list_ends);
    add_each("XCAP-02/supported-protocols", xcap_02_supported_protocols);
    hcd_test_add("XCAP-06/what-is-there", xcap_06_what_is_there);
    hcd_test_add("XCAP-05/handover", xcap_05_handover);
    hcd_test_add("XCAP-05/bytes", xcap_05_bytes);
    hcd_test_add("XCAP-05/control-status", xcap_05_control_status);
    hcd_test_add("XCAP-05/absent", xcap_05_absent);
    hcd_test_add("PCI-01/bus-master", pci_01_bus_master);
    hcd_test_add("PCI-02/sbrn", pci_02_sbrn);
    hcd_test_add("PCI-03/fladj", pci_03_fladj);
    hcd_test_add("PCI-05/msix", pci_05_msix);
    return hcd_test_main(argc, argv);
}
