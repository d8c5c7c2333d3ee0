/*
 * What hci-version changes: a controller of xHCI 1.0, 1.1 or 1.2 shows the
 * registers of its revision and behaves as they say. The images are written
 * out in full, so that a bit that is claimed too much or too little is seen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */

typedef struct {
    const char *version;
    const char *props;
    uint32_t caps[8]; /* offsets 00h to 1Ch, from reset */
    unsigned sbrn;
    uint32_t protocol2[4];
    uint32_t protocol3[5]; /* the last word only if PSIC is not 0 */
    uint32_t usbcmd;       /* of CME, ETE, TSC_EN and VTIOE */
    uint32_t config;       /* of U3E and CIE */
    bool has_ctc;
} Revision;

#define CAPS(version, hcc1, hcc2)                                             \
    {                                                                         \
        (version) << 16 | 0x40, 0x08001040, 0x00000041, 0, 0x02000000 | hcc1, \
            0x2000, 0x1000, hcc2                                              \
    }
/* xHCI 1.2 §7.2.2.1.3.2: HLC, and since 1.1 BLC */
#define PROTOCOL2(flags)                                 \
    {                                                    \
        0x02000402, 0x20425355, 0x00000401 | (flags), 0, \
    }

static const Revision revisions[] = {
    {
        .version = "1.0",
        .props = "hci-version=1.0",
        .caps = CAPS(0x0100u, 0x7101, 0),
        .sbrn = 0x30,
        .protocol2 = PROTOCOL2(XECP_HLC),
        .protocol3 = { 0x03000002, 0x20425355, 0x00000405, 0 },
    },
    {
        .version = "1.1",
        .props = "hci-version=1.1",
        .caps = CAPS(0x0110u, 0x7d03, 0x2d),
        .sbrn = 0x31,
        .protocol2 = PROTOCOL2(XECP_HLC | XECP_BLC),
        .protocol3 = { 0x03100002, 0x20425355, 0x10000405, 0, 0x00050134 },
        .config = CONFIG_U3E | CONFIG_CIE,
        .has_ctc = true,
    },
    {
        .version = "1.2",
        .props = "hci-version=1.2",
        .caps = CAPS(0x0120u, 0x7d03, 0x7f),
        .sbrn = 0x32,
        .protocol2 = PROTOCOL2(XECP_HLC | XECP_BLC),
        .protocol3 = { 0x03200002, 0x20425355, 0x10000405, 0, 0x00050134 },
        .usbcmd = USBCMD_CME | USBCMD_ETE,
        .config = CONFIG_U3E | CONFIG_CIE,
        .has_ctc = true,
    },
    {
        .version = "default",
        .caps = CAPS(0x0120u, 0x7d03, 0x7f),
        .sbrn = 0x32,
        .protocol2 = PROTOCOL2(XECP_HLC | XECP_BLC),
        .protocol3 = { 0x03200002, 0x20425355, 0x10000405, 0, 0x00050134 },
        .usbcmd = USBCMD_CME | USBCMD_ETE,
        .config = CONFIG_U3E | CONFIG_CIE,
        .has_ctc = true,
    },
};

static void check_words(Hcd *h, const char *what, uint32_t offset,
                        const uint32_t *want, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t value = hcd_cap_read(h, offset + 4 * i);

        hcd_check(value == want[i], "%s, word %u: %08x, expected %08x", what, i,
                  value, want[i]);
    }
}

/* The capability with this ID, the nth from 0; its offset. */
static uint32_t find_xcap(Hcd *h, unsigned id, unsigned nth)
{
    uint32_t offset = h->xecp;

    for (unsigned n = 0; n < 64; n++) {
        uint32_t header = hcd_cap_read(h, offset);

        if (xhci_get(header, XECP_ID) == id && nth-- == 0) {
            return offset;
        }
        if (!xhci_get(header, XECP_NEXT)) {
            break;
        }
        offset += 4 * xhci_get(header, XECP_NEXT);
    }
    hcd_fail(__FILE__, __LINE__, "no extended capability %u", id);
}

/* xHCI 1.2 §5.3, §7.2, §5.2.3 (CAP-02, CAP-05, XCAP-03, XCAP-04, PCI-02). */
static void cap_02_image(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.halted = true, .props = r->props);
    unsigned sbrn = hcd_pci_read(h, 0x60) & 0xff;

    for (unsigned round = 0; round < 2; round++) {
        check_words(h, "capability registers", 0, r->caps, 8);
        check_words(h, "protocol of USB2 ports",
                    find_xcap(h, XECP_SUPPORTED_PROTOCOL, 0), r->protocol2, 4);
        check_words(h, "protocol of USB3 ports",
                    find_xcap(h, XECP_SUPPORTED_PROTOCOL, 1), r->protocol3,
                    xhci_get(r->protocol3[2], XECP_PSIC) ? 5 : 4);
        for (unsigned i = 0; i < 0x40; i += 4) {
            hcd_cap_write(h, i, 0xffffffffu);
            hcd_cap_write(h, h->xecp + 8 + i, 0xffffffffu);
        }
        hcd_reset(h);
    }
    hcd_check(sbrn == r->sbrn, "SBRN is %02x, expected %02x", sbrn, r->sbrn);
    hcd_finish(h);
}

/* xHCI 1.2 §7.2.2.1.1: the IDs of a revision that names none of its own. */
static bool is_default_speed(unsigned revision, unsigned speed)
{
    switch (revision) {
    case 0x0200:
        return speed >= SPEED_FULL && speed <= SPEED_HIGH;
    case 0x0300:
        return speed == SPEED_SUPER;
    case 0x0310:
        return speed == SPEED_SUPER || speed == 5;
    default:
        return speed >= SPEED_SUPER && speed <= 7;
    }
}

/* A speed ID that a port with these words may show. */
static bool is_speed(const uint32_t *words, unsigned speed)
{
    unsigned psic = xhci_get(words[2], XECP_PSIC);

    for (unsigned i = 0; i < psic; i++) {
        if (xhci_get(words[4 + i], PSI_VALUE) == speed) {
            return true;
        }
    }
    return !psic && is_default_speed(xhci_get(words[0], XECP_REVISION), speed);
}

static bool is_of(const uint32_t *words, unsigned port_id)
{
    unsigned first = xhci_get(words[2], XECP_PORT_OFFSET);

    return port_id >= first &&
           port_id < first + xhci_get(words[2], XECP_PORT_COUNT);
}

/* xHCI 1.2 §7.2.2.1: the speed of a port is one that its protocol has. */
static void xcap_03_speeds(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.args = KBD_ARGS MSD_ARGS, .props = r->props);

    for (unsigned nth = 0; nth < 2; nth++) {
        unsigned port_id = hcd_port_connected(h, nth), speed;
        uint32_t words[8];

        hcd_port_reset(h, port_id);
        speed = xhci_get(hcd_portsc(h, port_id), PORTSC_SPEED);
        for (unsigned i = 0; i < 8; i++) {
            words[i] = hcd_cap_read(
                h, find_xcap(h, XECP_SUPPORTED_PROTOCOL, nth) + 4 * i);
        }
        hcd_check(is_of(words, port_id), "port %u is not of protocol %08x",
                  port_id, words[0]);
        hcd_check(is_speed(words, speed),
                  "port %u has speed %u, which protocol %08x does not have",
                  port_id, speed, words[0]);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §7.2.1: each speed that is named is a speed. */
static void xcap_04_speed_ids(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.halted = true, .props = r->props);
    uint32_t at = find_xcap(h, XECP_SUPPORTED_PROTOCOL, 1);
    unsigned psic = xhci_get(hcd_cap_read(h, at + 8), XECP_PSIC);

    hcd_check(psic || xhci_get(hcd_cap_read(h, at), XECP_REVISION) == 0x300,
              "5 Gb/s ports have the default speeds of revision %04x",
              xhci_get(hcd_cap_read(h, at), XECP_REVISION));
    for (unsigned i = 0; i < psic; i++) {
        uint32_t psi = hcd_cap_read(h, at + 16 + 4 * i);

        hcd_check(xhci_get(psi, PSI_VALUE) == SPEED_SUPER &&
                      xhci_get(psi, PSI_TYPE) == 0 &&
                      xhci_get(psi, PSI_LINK_PROTOCOL) == 0 &&
                      (psi & PSI_FULL_DUPLEX) &&
                      xhci_get(psi, PSI_EXPONENT) == PSI_GIGABITS &&
                      xhci_get(psi, PSI_MANTISSA) == 5,
                  "Protocol Speed ID %08x is not SuperSpeed, 5 Gb/s", psi);
    }
    hcd_finish(h);
}

/* xHCI 1.2 §5.3.9 (CAP-09): no capability, no control bit. */
static void cap_09_control_bits(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.halted = true, .props = r->props);
    uint32_t all = USBCMD_CME | USBCMD_ETE | USBCMD_TSC_EN | USBCMD_VTIOE;
    uint32_t usbcmd, config;

    hcd_op_write(h, XHCI_USBCMD, all);
    usbcmd = hcd_op_read(h, XHCI_USBCMD);
    hcd_check(usbcmd == r->usbcmd, "USBCMD is %08x, expected %08x", usbcmd,
              r->usbcmd);
    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_check(hcd_op_read(h, XHCI_USBCMD) == 0, "USBCMD is %08x",
              hcd_op_read(h, XHCI_USBCMD));
    hcd_op_write(h, XHCI_CONFIG, 0xffffff00u);
    config = hcd_op_read(h, XHCI_CONFIG);
    hcd_check(config == r->config, "CONFIG is %08x, expected %08x", config,
              r->config);
    hcd_finish(h);
}

/* xHCI 1.2 §4.15.1: PLC at the end of a suspend, if U3E. */
static void port_13_u3_entry(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.args = KBD_ARGS, .props = r->props);
    unsigned port_id = hcd_port_connected(h, 0);
    bool plc;

    hcd_port_reset(h, port_id);
    hcd_op_write(h, XHCI_CONFIG, hcd_op_read(h, XHCI_CONFIG) | CONFIG_U3E);
    hcd_portsc_write(h, port_id, PORTSC_LWS | xhci_set(0, PORTSC_PLS, PLS_U3));
    hcd_step_uf(h, 800);
    hcd_check(xhci_get(hcd_portsc(h, port_id), PORTSC_PLS) == PLS_U3,
              "PORTSC is %08x, not U3", hcd_portsc(h, port_id));
    plc = hcd_portsc(h, port_id) & PORTSC_PLC;
    hcd_check(plc == !!(r->config & CONFIG_U3E), "PORTSC is %08x after U3",
              hcd_portsc(h, port_id));
    hcd_finish(h);
}

/* xHCI 1.2 §4.19.1.2.4.1: software enters Compliance only with CTC. */
static void port_17_compliance(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.props = r->props);
    unsigned want = r->has_ctc ? PLS_COMPLIANCE : PLS_RX_DETECT;
    unsigned pls;

    hcd_portsc_write(h, h->max_ports,
                     PORTSC_LWS | xhci_set(0, PORTSC_PLS, PLS_COMPLIANCE));
    pls = xhci_get(hcd_portsc(h, h->max_ports), PORTSC_PLS);
    hcd_check(pls == want, "link state %u, expected %u", pls, want);
    hcd_finish(h);
}

/* xHCI 1.2 §4.11.2.5: of a flow only the first Frame ID counts without CFC. */
static void iso_16_first_frame_id(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "hci-version=1.0");
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    IsoFrame now = iso_frame_now(h);

    iso_in_queue_frame(in, iso_frame_id(now, 10));
    iso_in_queue_frame(in, iso_frame_id(now, 11));
    iso_in_queue_frame(in, iso_frame_id(now, 14));
    iso_in_queue_frame(in, iso_frame_id(now, 3));
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t uf = iso_in_expect(in, i);

        hcd_check(uf == iso_frame_uf(now, 10 + i),
                  "TD %u ran at %" PRIu64 ", expected %" PRIu64, i, uf,
                  iso_frame_uf(now, 10 + i));
    }
    hcd_finish(h);
}

/* A missed service event of xHCI 1.0: no TRB, no length. */
static void expect_missed_row(Hcd *h, HcdDev *dev)
{
    HcdEvent event =
        hcd_expect_te(h, .dev = dev, .dci = ISOAV_IN, .cc = CC_MISSED_SERVICE,
                      .len = HCD_LEN_0, .limit_uf = 80);

    hcd_check(event.ptr == 0, "ISO-20: the event is: %s",
              hcd_event_text(&event));
}

/* xHCI 1.2 §4.10.3.2: before 1.1 one event stands for the TDs of a row. */
static void iso_21_row_of_missed_tds(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "hci-version=1.0");
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    for (unsigned round = 0; round < 2; round++) {
        unsigned base = 4 * round;
        IsoFrame now;

        hcd_step_uf(h, 400);
        now = iso_frame_now(h);
        for (int i = 0; i < 3; i++) {
            iso_in_queue_frame(in, iso_frame_id(now, i - 10));
        }
        iso_in_queue_frame(in, iso_frame_id(now, 10));
        iso_in_doorbell(in);
        expect_missed_row(h, in->dev);
        hcd_check(iso_in_expect(in, base + 3) == iso_frame_uf(now, 10),
                  "the TD after the missed ones ran in the wrong frame");
        for (unsigned i = 0; i < 3; i++) {
            hcd_check(hcd_mem_is(h, in->buf[base + i], in->bytes, 0xaa),
                      "a missed TD was served");
        }
        /* ISO-25: the event of the empty ring names nothing either */
        hcd_check(hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN,
                                .cc = CC_RING_OVERRUN, .len = HCD_LEN_0)
                          .ptr == 0,
                  "the pointer of the overrun is not 0");
    }
    hcd_finish(h);
}

/* xHCI 1.2 §4.10.3.1: from 1.1 on it is the dequeue pointer. */
static void iso_25_pointer(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = "hci-version=1.1");
    IsoIn *in = iso_in_open(h, EVERY_FRAME);

    iso_in_queue_sia(in, 1);
    iso_in_doorbell(in);
    iso_in_expect(in, 0);
    hcd_expect_te(h, .dev = in->dev, .dci = ISOAV_IN, .cc = CC_RING_OVERRUN,
                  .ptr = hcd_ring_next(&in->dev->ring[ISOAV_IN]));
    hcd_finish(h);
}

/* A stream on a controller of each revision. */
static void iso_06_streams(const void *data)
{
    const Revision *r = data;
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = r->props);
    IsoIn *in = iso_in_open(h, EVERY_UF);
    uint64_t first;

    iso_in_queue_sia(in, 100);
    iso_in_doorbell(in);
    first = iso_in_expect(in, 0);
    for (unsigned i = 1; i < 100; i++) {
        hcd_check(iso_in_expect(in, i) == first + i, "TD %u is not in its ESIT",
                  i);
    }
    hcd_finish(h);
}

/* A word that is no property's value: one sentence, and QEMU ends. */
typedef struct {
    const char *props;
    const char *sentence;
} Refusal;

static const Refusal refusals[] = {
    { "hci-version=2.0", "hci-version must be 1.0, 1.1 or 1.2, not '2.0'" },
    { "hci-version=", "hci-version must be 1.0, 1.1 or 1.2, not ''" },
    { "hci-version=0120", "hci-version must be 1.0, 1.1 or 1.2, not '0120'" },
    { "p2=16", "p2 must be 0 to 15, not 16" },
    { "p3=16", "p3 must be 0 to 15, not 16" },
    { "p2=0,p3=0", "p2 and p3 are both 0: it needs a port" },
    { "slots=0", "slots must be 1 to 127, not 0" },
    { "slots=128", "slots must be 1 to 127, not 128" },
    { "intrs=0", "intrs must be 1 to 16, not 0" },
    { "intrs=17", "intrs must be 1 to 16, not 17" },
};

static void cap_02_refusals(void)
{
    const char *launcher = g_getenv("QTEST_QEMU_BINARY");

    for (unsigned i = 0; i < ARRAY_SIZE(refusals); i++) {
        g_autofree char *device =
            g_strdup_printf("ixhci,%s", refusals[i].props);
        const char *argv[] = { launcher, "-M",          "q35",      "-accel",
                               "qtest",  "-nodefaults", "-display", "none",
                               "-S",     "-device",     device,     NULL };
        g_autofree char *error = NULL;
        const char *said;
        int status;

        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, 0, NULL, NULL,
                                   NULL, &error, &status, NULL));
        hcd_check(status != 0, "%s: QEMU's status is 0", refusals[i].props);
        hcd_check(strstr(error, refusals[i].sentence), "%s: QEMU says: %s",
                  refusals[i].props, error);
        /* each line of QEMU's own begins with its name */
        said = strstr(error, "qemu-system");
        hcd_check(said && !strstr(said + 1, "\nqemu-system"),
                  "%s: more than one line: %s", refusals[i].props, error);
    }
}

static void add_each(const char *name, void (*fn)(const void *))
{
    for (unsigned i = 0; i < ARRAY_SIZE(revisions); i++) {
        g_autofree char *path =
            g_strdup_printf("%s-%s", name, revisions[i].version);

        hcd_test_add_data(path, fn, &revisions[i]);
    }
}

int main(int argc, char **argv)
{
    add_each("CAP-02/image", cap_02_image);
    hcd_test_add("CAP-02/refusals", cap_02_refusals);
    add_each("CAP-09/control-bits", cap_09_control_bits);
    add_each("XCAP-03/speeds", xcap_03_speeds);
    add_each("XCAP-04/speed-ids", xcap_04_speed_ids);
    add_each("PORT-13/u3-entry", port_13_u3_entry);
    add_each("PORT-17/compliance", port_17_compliance);
    add_each("ISO-06/streams", iso_06_streams);
    hcd_test_add("ISO-16/first-frame-id", iso_16_first_frame_id);
    hcd_test_add("ISO-21/row-of-missed-tds", iso_21_row_of_missed_tds);
    hcd_test_add("ISO-25/pointer", iso_25_pointer);
    return hcd_test_main(argc, argv);
}
