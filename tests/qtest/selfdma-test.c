/*
 * DMA that comes home. A guest may aim a buffer, a ring, a table, a context
 * or a message at the controller's own BAR. The access then returns as MMIO
 * in the middle of what caused it: from a doorbell, and, with an isochronous
 * stream, from the timer. The rule here is that such an echo is dropped:
 *
 *  - no register changes by it, no command runs, no reset happens,
 *  - the clock goes on, and QEMU with it,
 *  - after HCRST and INIT everything works.
 *
 * Each test is a way (what is aimed) and a place (where at).
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define MSIX_TABLE 0x4 /* in the capability: offset and BAR of the table */
#define MSIX_PBA 0x8
#define STREAM_TDS 60

/* What changes as a matter of course: not in the image. */
typedef struct {
    uint32_t usbcmd, dnctrl, config, dcbaap, erstsz, erstba;
    uint32_t portsc[32];
} Image;

static bool gave_up(Hcd *h)
{
    return hcd_op_read(h, XHCI_USBSTS) & (USBSTS_HSE | USBSTS_HCE);
}

static Image read_image(Hcd *h)
{
    Image image = {
        .usbcmd = hcd_op_read(h, XHCI_USBCMD),
        .dnctrl = hcd_op_read(h, XHCI_DNCTRL),
        .config = hcd_op_read(h, XHCI_CONFIG),
        .dcbaap = hcd_op_read(h, XHCI_DCBAAP_LO),
        .erstsz = hcd_intr_read(h, XHCI_ERSTSZ),
        .erstba = hcd_intr_read(h, XHCI_ERSTBA_LO),
    };

    for (unsigned port_id = 1; port_id <= h->max_ports; port_id++) {
        image.portsc[port_id] = hcd_portsc(h, port_id);
    }
    /* a failed access may stop the controller (xHCI 1.2 §4.10.2.6) */
    if (gave_up(h)) {
        image.usbcmd |= USBCMD_RS;
    }
    return image;
}

static void check_image(const Image *a, const Image *b)
{
    hcd_check(a->usbcmd == b->usbcmd, "USBCMD went from %08x to %08x",
              a->usbcmd, b->usbcmd);
    hcd_check(a->dnctrl == b->dnctrl && a->config == b->config &&
                  a->dcbaap == b->dcbaap,
              "DNCTRL, CONFIG and DCBAAP are %08x %08x %08x", b->dnctrl,
              b->config, b->dcbaap);
    hcd_check(a->erstsz == b->erstsz && a->erstba == b->erstba,
              "ERSTSZ and ERSTBA are %08x %08x", b->erstsz, b->erstba);
    for (unsigned i = 1; i < ARRAY_SIZE(a->portsc); i++) {
        hcd_check(a->portsc[i] == b->portsc[i],
                  "PORTSC %u went from %08x to %08x", i, a->portsc[i],
                  b->portsc[i]);
    }
}

typedef struct {
    const char *name;
    uint64_t (*gpa)(Hcd *h);
    uint32_t message; /* what would hurt there */
} place;

static uint64_t at_op(Hcd *h)
{
    return h->bar + h->op;
}

static uint64_t at_port(Hcd *h)
{
    return h->bar + h->op + XHCI_PORT_SET;
}

static uint64_t at_runtime(Hcd *h)
{
    return h->bar + h->rt;
}

static uint64_t at_doorbell(Hcd *h)
{
    return h->bar + h->db;
}

static uint64_t at_table(Hcd *h)
{
    return h->bar + (hcd_pci_read(h, h->msix_cap + MSIX_TABLE) & ~7u);
}

static uint64_t at_pba(Hcd *h)
{
    return h->bar + (hcd_pci_read(h, h->msix_cap + MSIX_PBA) & ~7u);
}

static const place places[] = {
    { "op", at_op, USBCMD_HCRST },          { "port", at_port, PORTSC_PED },
    { "runtime", at_runtime, 0xffffffffu }, { "doorbell", at_doorbell, 0 },
    { "msix-table", at_table, 0x12345678 }, { "msix-pba", at_pba, 0xffffffffu },
};

/* TDs of a stream: one per microframe, each with an event. */
static void queue_stream(Hcd *h, HcdDev *dev, unsigned dci, uint64_t buf)
{
    for (unsigned i = 0; i < STREAM_TDS; i++) {
        td_isoch(h, dev, dci, .buf = buf, .len = 192, .sia = true, .ioc = true);
    }
}

static uint64_t plain_buffer(Hcd *h)
{
    return hcd_alloc(h, 192, 64);
}

/* The ways. Each leaves streams queued and no doorbell rung. */

static HcdDev *data_in(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);

    queue_stream(h, dev, ISOAV_IN, p->gpa(h));
    return dev;
}

static HcdDev *data_out(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);

    queue_stream(h, dev, ISOAV_OUT, p->gpa(h));
    return dev;
}

static HcdDev *event_ring(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t erst = hcd_alloc(h, 16, 64);

    queue_stream(h, dev, ISOAV_IN, plain_buffer(h));
    qtest_writeq(h->qts, erst, p->gpa(h));
    qtest_writeq(h->qts, erst + 8, 64);
    hcd_intr_write(h, XHCI_ERDP_LO, p->gpa(h));
    hcd_intr_write(h, XHCI_ERSTBA_LO, erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    return dev;
}

static HcdDev *segment_table(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);

    queue_stream(h, dev, ISOAV_IN, plain_buffer(h));
    hcd_intr_write(h, XHCI_ERSTBA_LO, p->gpa(h));
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    return dev;
}

static HcdDev *message(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);

    queue_stream(h, dev, ISOAV_IN, plain_buffer(h));
    hcd_event_drain(h);
    qtest_writel(h->qts, at_table(h), p->gpa(h));
    qtest_writel(h->qts, at_table(h) + 8, p->message);
    return dev;
}

static HcdDev *transfer_ring(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_isoav_open(h, 1);

    queue_stream(h, dev, ISOAV_IN, plain_buffer(h));
    hcd_ring_put(h, &dev->ring[ISOAV_IN],
                 hcd_trb_ptr(TRB_LINK, p->gpa(h), 0, 0));
    return dev;
}

/* More commands than one doorbell runs: the last one is the timer's. */
static void run_by_timer(Hcd *h, HcdDev *dev, unsigned type, uint32_t add)
{
    hcd_in_write(h, dev, 0, 0, 0);
    hcd_in_write(h, dev, 0, 1, add);
    for (unsigned i = 0; i < 300; i++) {
        hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    }
    hcd_cmd_post(h, hcd_trb_ptr(type, dev->in_ctx, 0,
                                xhci_set(0, TRB_SLOT_ID, dev->slot_id)));
    hcd_doorbell(h, 0, 0);
    for (unsigned i = 0; i < 8; i++) {
        hcd_step_uf(h, 1);
        hcd_event_drain(h);
    }
}

/* Written by commands, and when a bad TRB is found in the ring. */
static HcdDev *contexts(Hcd *h, const place *p)
{
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));

    hcd_halt(h);
    h->cmd = hcd_ring_new(h, 1024);
    hcd_op_write(h, XHCI_CRCR_LO, h->cmd.base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, 0);
    hcd_run(h);
    qtest_writeq(h->qts, h->dcbaa + 8 * dev->slot_id, p->gpa(h));
    run_by_timer(h, dev, CMD_ADDRESS_DEVICE, 3);
    if (gave_up(h)) {
        return dev;
    }
    hcd_set_configuration(h, dev, 1);
    hcd_ep_prepare(h, dev,
                   (HcdEp){ .dci = ISOAV_IN,
                            .type = EP_TYPE_ISOCH_IN,
                            .mps = 192,
                            .esit = 192 });
    run_by_timer(h, dev, CMD_CONFIGURE_ENDPOINT, 1u << ISOAV_IN | 1);
    hcd_isoav_select(h, dev, 1);
    td_isoch(h, dev, ISOAV_IN, .buf = plain_buffer(h), .len = 192, .sia = true);
    hcd_td(h, dev, ISOAV_IN, (HcdTd){ .type = 45 });
    return dev;
}

typedef struct {
    const char *name;
    HcdDev *(*aim)(Hcd *h, const place *p);
} way;

static const way ways[] = {
    { "data-in", data_in },       { "data-out", data_out },
    { "event-ring", event_ring }, { "segment-table", segment_table },
    { "message", message },       { "transfer-ring", transfer_ring },
    { "contexts", contexts },
};

/* A command that lies in the ring, and that nobody rings the doorbell for. */
static uint64_t lay_bait(Hcd *h)
{
    uint64_t bait = hcd_alloc_filled(h, 64, 0xaa);

    hcd_cmd_post(h, hcd_trb_ptr(CMD_GET_PORT_BANDWIDTH, bait, 0,
                                xhci_set(0, TRB_DEV_SPEED, SPEED_HIGH)));
    return bait;
}

static void step_and_look(Hcd *h)
{
    for (unsigned i = 0; i < STREAM_TDS; i++) {
        unsigned before = hcd_mfindex(h);

        hcd_step_uf(h, 1);
        hcd_check(hcd_mfindex(h) == ((before + 1) & MFINDEX_MASK),
                  "a microframe took MFINDEX from %04x to %04x", before,
                  hcd_mfindex(h));
    }
}

static void dma_to_self(const void *data)
{
    unsigned n = GPOINTER_TO_UINT(data);
    const way *w = &ways[n / ARRAY_SIZE(places)];
    const place *p = &places[n % ARRAY_SIZE(places)];
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = w->aim(h, p);
    uint64_t bait = lay_bait(h);
    Image before = read_image(h), after;

    hcd_ring_ep(h, dev, ISOAV_IN);
    if (dev->ring[ISOAV_OUT].size) {
        hcd_ring_ep(h, dev, ISOAV_OUT);
    }
    step_and_look(h);
    after = read_image(h);
    check_image(&before, &after);
    hcd_check(hcd_mem_is(h, bait, 64, 0xaa), "a command ran by itself");

    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_pci_enable_msix(h);
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    for (unsigned n = 0; n < ARRAY_SIZE(ways) * ARRAY_SIZE(places); n++) {
        g_autofree char *name =
            g_strdup_printf("DMA/%s-to-%s", ways[n / ARRAY_SIZE(places)].name,
                            places[n % ARRAY_SIZE(places)].name);

        hcd_test_add_data(name, dma_to_self, GUINT_TO_POINTER(n));
    }
    return hcd_test_main(argc, argv);
}
