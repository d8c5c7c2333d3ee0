/*
 * What a broken or hostile guest can write (rings that loop, pointers into
 * nowhere and into the controller itself, contexts that contradict the
 * device) may cost that guest its controller, never the process: QEMU stays
 * alive, answers, and after HCRST and INIT the controller works. The fuzz
 * tests take their random numbers from a seed, 1 to 8 unless
 * IXHCI_TEST_FUZZ_SEEDS gives another last one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define NOWHERE 0x70000000u /* no memory there */

/* The end of each test: time passes, then a fresh start must succeed. */
static void check_alive(Hcd *h)
{
    hcd_step_uf(h, 800);
    hcd_check(hcd_cap_read(h, XHCI_CAPLENGTH) != 0xffffffffu,
              "the registers are gone");
    hcd_pci_enable(h);
    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_step_uf(h, 160);
    hcd_pci_enable_msix(h);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

static xhci_trb link_to(uint64_t target, uint32_t flags)
{
    return hcd_trb_ptr(TRB_LINK, target, 0, flags);
}

static void use_command_ring(Hcd *h, uint64_t base)
{
    hcd_halt(h);
    hcd_op_write(h, XHCI_CRCR_LO, (uint32_t)base | CRCR_RCS);
    hcd_op_write(h, XHCI_CRCR_HI, base >> 32);
    hcd_run(h);
    hcd_doorbell(h, 0, 0);
}

/* A Link that names itself, and two that name each other. */
static void command_link_loop(void)
{
    Hcd *h = hcd_start();
    uint64_t ring = hcd_alloc(h, 4096, 4096);

    hcd_trb_store(h, ring, link_to(ring, TRB_C));
    use_command_ring(h, ring);
    hcd_step_uf(h, 80);
    hcd_init(h);
    hcd_trb_store(h, ring, link_to(ring + 64, TRB_C));
    hcd_trb_store(h, ring + 64, link_to(ring, TRB_C));
    use_command_ring(h, ring);
    check_alive(h);
}

/* A ring with no end: commands whose cycle never turns. */
static void command_endless(void)
{
    Hcd *h = hcd_start(.event_trbs = 16);
    uint64_t ring = hcd_alloc(h, 4096, 4096);

    hcd_trb_store(h, ring, hcd_trb_ptr(CMD_NOOP, 0, 0, TRB_C));
    hcd_trb_store(h, ring + 16, link_to(ring, TRB_C));
    use_command_ring(h, ring);
    for (unsigned i = 0; i < 40; i++) {
        hcd_step_uf(h, 1);
        hcd_event_drain(h);
    }
    check_alive(h);
}

/* On every kind of endpoint: loops of Links, of No-ops, of chained TRBs. */
static void transfer_loops(const void *data)
{
    unsigned dci = GPOINTER_TO_UINT(data);
    bool is_isoch = dci == ISOAV_IN;
    Hcd *h = hcd_start(.args = dci == MSD_OUT ? MSD_ARGS : ISOAV_ARGS);
    HcdDev *dev = dci == MSD_OUT ? hcd_msd_open(h) : hcd_isoav_open(h, 1);
    uint64_t ring = hcd_alloc(h, 4096, 4096), buf = hcd_alloc(h, 4096, 4096);
    unsigned type = is_isoch   ? TRB_ISOCH
                    : dci == 1 ? TRB_SETUP_STAGE
                               : TRB_NORMAL;
    uint32_t sia = is_isoch ? TRB_SIA : dci == 1 ? TRB_IDT : 0;
    const xhci_trb loops[][2] = {
        { link_to(ring, TRB_C), link_to(ring, TRB_C) },
        { link_to(ring, TRB_C | TRB_CH), link_to(ring, TRB_C | TRB_CH) },
        { hcd_trb_ptr(TRB_NOOP, 0, 0, TRB_C), link_to(ring, TRB_C) },
        { hcd_trb_ptr(TRB_EVENT_DATA, 0, 0, TRB_C), link_to(ring, TRB_C) },
        { hcd_trb_ptr(type, buf, 8, TRB_C | TRB_CH | sia),
          link_to(ring, TRB_C | TRB_CH) },
        { hcd_trb_ptr(TRB_NORMAL, buf, 0x1ffff, TRB_C | TRB_CH),
          link_to(ring, TRB_C | TRB_CH) },
        { hcd_trb_ptr(type, buf, 0, TRB_C | sia), link_to(ring, TRB_C) },
    };

    for (unsigned i = 0; i < ARRAY_SIZE(loops); i++) {
        hcd_cmd_stop(h, dev, dci);
        hcd_cmd_reset_ep(h, dev, dci);
        hcd_cmd_set_dequeue(h, dev, dci, ring, true);
        hcd_trb_store(h, ring, loops[i][0]);
        hcd_trb_store(h, ring + 16, loops[i][1]);
        hcd_ring_ep(h, dev, dci);
        for (unsigned n = 0; n < 40; n++) {
            hcd_step_uf(h, 1);
            hcd_event_drain(h);
        }
    }
    check_alive(h);
}

/* Every pointer register and pointer field into `where`. */
static void pointers_to(Hcd *h, uint64_t where)
{
    HcdDev *dev = hcd_kbd_open(h);
    uint64_t old = dev->in_ctx;

    td_normal(h, dev, KBD_IN, .buf = where, .len = 8, .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_kbd_key(h, true);
    hcd_step_uf(h, 40);
    hcd_cmd_post(h, hcd_trb_ptr(CMD_CONFIGURE_ENDPOINT, where, 0,
                                xhci_set(0, TRB_SLOT_ID, dev->slot_id)));
    hcd_cmd_post(h, hcd_trb_ptr(CMD_EVALUATE_CONTEXT, where, 0,
                                xhci_set(0, TRB_SLOT_ID, dev->slot_id)));
    hcd_cmd_post(h, hcd_trb_ptr(CMD_GET_PORT_BANDWIDTH, where, 0,
                                xhci_set(0, TRB_DEV_SPEED, 3)));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 40);
    dev->in_ctx = old;
    qtest_writeq(h->qts, h->dcbaa + 8 * dev->slot_id, where);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, 1, 0));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 40);
}

static void rings_to(Hcd *h, uint64_t where)
{
    uint64_t erst = hcd_alloc(h, 64, 64);

    hcd_init(h);
    use_command_ring(h, where);
    hcd_step_uf(h, 40);

    hcd_init(h);
    hcd_halt(h);
    hcd_op_write(h, XHCI_DCBAAP_LO, where);
    hcd_run(h);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_ENABLE_SLOT, 0, 0, 0));
    hcd_cmd_post(h, hcd_trb_ptr(CMD_ADDRESS_DEVICE, where, 0,
                                xhci_set(0, TRB_SLOT_ID, 1)));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 40);

    hcd_init(h);
    qtest_writeq(h->qts, erst, where);
    qtest_writeq(h->qts, erst + 8, 16);
    hcd_intr_write(h, XHCI_ERDP_LO, where);
    hcd_intr_write(h, XHCI_ERSTBA_LO, erst);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    for (unsigned i = 0; i < 30; i++) {
        hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
        hcd_doorbell(h, 0, 0);
        hcd_step_uf(h, 1);
    }

    hcd_init(h);
    hcd_intr_write(h, XHCI_ERSTBA_LO, where);
    hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
    hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 40);
}

typedef enum { TO_NOWHERE, TO_CAPS, TO_OP, TO_RUNTIME, TO_DOORBELL } Target;

static uint64_t target_gpa(Hcd *h, Target target)
{
    switch (target) {
    case TO_CAPS:
        return h->bar;
    case TO_OP:
        return h->bar + h->op;
    case TO_RUNTIME:
        return h->bar + h->rt;
    case TO_DOORBELL:
        return h->bar + h->db;
    default:
        return NOWHERE;
    }
}

/* DMA that fails, and DMA that comes back as MMIO of the controller. */
static void bad_pointers(const void *data)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    uint64_t where = target_gpa(h, GPOINTER_TO_UINT(data));

    pointers_to(h, where);
    rings_to(h, where);
    check_alive(h);
}

/* The same from the isochronous timer: data, events and messages. */
static void dma_to_self_from_timer(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t doorbell = h->bar + h->db + 4 * dev->slot_id;
    uint32_t table = hcd_pci_read(h, h->msix_cap + 4) & ~7u;

    qtest_writel(h->qts, h->bar + table, doorbell);
    qtest_writel(h->qts, h->bar + table + 8, ISOAV_IN);
    for (unsigned i = 0; i < 16; i++) {
        td_isoch(h, dev, ISOAV_IN,
                 .buf = i % 2 ? doorbell : h->bar + h->op + XHCI_USBCMD,
                 .len = 192, .sia = true, .ioc = true);
        td_isoch(h, dev, ISOAV_OUT, .buf = h->bar, .len = 192, .sia = true,
                 .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    for (unsigned i = 0; i < 40; i++) {
        hcd_step_uf(h, 1);
    }
    check_alive(h);
}

/* Contexts that name another endpoint type than the device has. */
static void wrong_endpoint_type(const void *data)
{
    const HcdEp *ep = data;
    bool kbd = ep->dci == KBD_IN;
    Hcd *h = hcd_start(.args = kbd ? KBD_ARGS : ISOAV_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    bool isoch = ep->type == EP_TYPE_ISOCH_IN || ep->type == EP_TYPE_ISOCH_OUT;

    hcd_set_configuration(h, dev, 1);
    if (!kbd) {
        hcd_isoav_select(h, dev, 1);
    }
    hcd_ep_add_with(h, dev, *ep);
    for (unsigned i = 0; i < 20; i++) {
        hcd_td(h, dev, ep->dci,
               (HcdTd){ .type = isoch ? TRB_ISOCH : TRB_NORMAL,
                        .sia = isoch,
                        .buf = hcd_alloc(h, 192, 64),
                        .len = 192,
                        .ioc = true });
    }
    hcd_ring_ep(h, dev, ep->dci);
    for (unsigned i = 0; i < 100; i++) {
        hcd_step_uf(h, 8);
        hcd_event_drain(h);
    }
    hcd_cmd_stop(h, dev, ep->dci);
    hcd_event_drain(h);
    check_alive(h);
}

/* An isochronous TD to a device that NAKs ends with a code. */
static void isoch_nak_has_a_code(void)
{
    Hcd *h = hcd_start(.args = KBD_ARGS);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa), trb;

    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = KBD_IN, .type = EP_TYPE_ISOCH_IN, .mps = 8,
               .interval = 3, .esit = 8);
    trb = td_isoch(h, dev, KBD_IN, .buf = buf, .len = 8, .sia = true,
                   .ioc = true);
    hcd_ring_ep(h, dev, KBD_IN);
    hcd_expect_te(h, .dev = dev, .dci = KBD_IN, .cc = CC_USB_TRANSACTION_ERROR,
                  .ptr = trb);
    check_alive(h);
}

/* Every doorbell with every kind of target. */
static void doorbells(void)
{
    static const uint32_t targets[] = { 0,   1,       2,          31,        32,
                                        255, 0x10001, 0xffff0003, 0xffffffff };
    Hcd *h = hcd_start(.args = KBD_ARGS);

    hcd_kbd_open(h);
    for (unsigned slot_id = 0; slot_id < 256; slot_id++) {
        for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
            hcd_doorbell(h, slot_id, targets[i]);
        }
    }
    check_alive(h);
}

/* Event rings of sizes that are not allowed. */
static void event_ring_sizes(void)
{
    static const uint32_t sizes[] = { 0, 1, 2, 15, 4097, 0xffff, 0xffffffff };
    static const uint32_t counts[] = { 0, 1, 2, 0xffff, 0xffffffff };
    Hcd *h = hcd_start();
    uint64_t erst = hcd_alloc(h, 4096, 64);

    for (unsigned s = 0; s < ARRAY_SIZE(sizes); s++) {
        for (unsigned c = 0; c < ARRAY_SIZE(counts); c++) {
            hcd_init(h);
            for (unsigned i = 0; i < 4; i++) {
                qtest_writeq(h->qts, erst + 16 * i, h->evt.base);
                qtest_writeq(h->qts, erst + 16 * i + 8, sizes[s]);
            }
            hcd_intr_write(h, XHCI_ERSTSZ, counts[c]);
            hcd_intr_write(h, XHCI_ERDP_LO, ~0u);
            hcd_intr_write(h, XHCI_ERDP_HI, ~0u);
            hcd_intr_write(h, XHCI_ERSTBA_LO, erst);
            hcd_intr_write(h, XHCI_ERSTBA_HI, 0);
            for (unsigned i = 0; i < 8; i++) {
                hcd_cmd_post(h, hcd_cmd_trb(CMD_NOOP, 0, 0, 0));
            }
            hcd_doorbell(h, 0, 0);
            hcd_step_uf(h, 4);
        }
    }
    check_alive(h);
}

/* The device goes while everything it has is busy. */
static void unplug_while_streaming(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, 1);
    uint64_t buf = hcd_alloc(h, 4096, 64);

    for (unsigned i = 0; i < 100; i++) {
        td_isoch(h, dev, ISOAV_IN, .buf = buf, .len = 192, .sia = true,
                 .ioc = true);
        td_isoch(h, dev, ISOAV_OUT, .buf = buf, .len = 192, .sia = true,
                 .ioc = true);
    }
    hcd_ring_ep(h, dev, ISOAV_IN);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    hcd_step_uf(h, 10);
    hcd_unplug(h, "av");
    for (unsigned i = 0; i < 120; i++) {
        hcd_step_uf(h, 1);
        hcd_event_drain(h);
    }
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    check_alive(h);
}

static xhci_trb random_trb(GRand *rand, const uint64_t *places, unsigned n)
{
    uint64_t ptr = places[g_rand_int_range(rand, 0, n)] +
                   g_rand_int_range(rand, 0, 64) * 4;
    uint32_t dw2 = g_rand_int(rand), dw3 = g_rand_int(rand);

    if (g_rand_int_range(rand, 0, 4)) {
        dw2 = g_rand_int_range(rand, 0, 600);
    }
    if (g_rand_int_range(rand, 0, 4)) {
        dw3 = xhci_set(dw3, TRB_TYPE, g_rand_int_range(rand, 1, 9));
    }
    return (xhci_trb){ { (uint32_t)ptr, ptr >> 32, dw2, dw3 | TRB_C } };
}

static void fuzz_transfers(Hcd *h, HcdDev *dev, GRand *rand,
                           const uint64_t *places, unsigned n)
{
    static const unsigned dcis[] = { 1, ISOAV_IN, ISOAV_OUT };
    unsigned dci = dcis[g_rand_int_range(rand, 0, 3)];
    unsigned trbs = g_rand_int_range(rand, 1, 12);

    for (unsigned i = 0; i < trbs; i++) {
        hcd_trb_store(h, places[1] + 16 * i, random_trb(rand, places, n));
    }
    hcd_trb_store(h, places[1] + 16 * trbs, (xhci_trb){ { 0 } });
    hcd_cmd_post(h, hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, dci, 0));
    hcd_cmd_post(h, hcd_cmd_trb(CMD_RESET_ENDPOINT, dev->slot_id, dci, 0));
    hcd_cmd_post(h, hcd_trb_ptr(CMD_SET_TR_DEQUEUE, places[1] | 1, 0,
                                xhci_set(xhci_set(0, TRB_EP_ID, dci),
                                         TRB_SLOT_ID, dev->slot_id)));
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 1);
    hcd_ring_ep(h, dev, dci);
    hcd_step_uf(h, g_rand_int_range(rand, 1, 10));
}

static void fuzz_command(Hcd *h, HcdDev *dev, GRand *rand,
                         const uint64_t *places, unsigned n)
{
    xhci_trb trb = random_trb(rand, places, n);

    for (unsigned i = 0; i < 8; i++) {
        qtest_writel(h->qts, dev->in_ctx + 4 * g_rand_int_range(rand, 0, 64),
                     g_rand_int(rand));
    }
    if (g_rand_boolean(rand)) {
        trb.dw[0] = dev->in_ctx;
        trb.dw[1] = 0;
    }
    trb.dw[3] = xhci_set(trb.dw[3], TRB_TYPE, g_rand_int_range(rand, 9, 26));
    trb.dw[3] = xhci_set(trb.dw[3], TRB_SLOT_ID, g_rand_int_range(rand, 0, 4));
    hcd_cmd_post(h, trb);
    hcd_doorbell(h, 0, 0);
    hcd_step_uf(h, 1);
}

static void fuzz_register(Hcd *h, GRand *rand)
{
    uint32_t offset = g_rand_int_range(rand, 0, h->bar_size / 4) * 4;

    if (offset != h->op + XHCI_CRCR_LO && offset != h->op + XHCI_CRCR_HI) {
        hcd_cap_write(h, offset, g_rand_int(rand));
    }
}

/* Random TRBs, contexts and registers, from a seed: the same each time. */
static void fuzz(const void *data)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, 1);
    GRand *rand = g_rand_new_with_seed(GPOINTER_TO_UINT(data));
    const uint64_t places[] = {
        hcd_alloc(h, 8192, 4096),
        hcd_alloc(h, 4096, 4096),
        h->bar,
        h->bar + h->db,
        NOWHERE,
        dev->out_ctx,
        dev->in_ctx,
        h->evt.base,
        0,
        UINT64_C(0xfffffffffffff000),
    };

    for (unsigned round = 0; round < 300; round++) {
        switch (g_rand_int_range(rand, 0, 8)) {
        case 0:
            fuzz_register(h, rand);
            break;
        case 1:
        case 2:
            fuzz_command(h, dev, rand, places, ARRAY_SIZE(places));
            break;
        default:
            fuzz_transfers(h, dev, rand, places, ARRAY_SIZE(places));
        }
        if (round % 25 == 24 || (hcd_op_read(h, XHCI_USBSTS) & USBSTS_HCH)) {
            hcd_pci_enable(h);
            hcd_init(h);
            hcd_event_drain(h);
            dev = hcd_isoav_open(h, 1);
        }
        hcd_intr_write(h, XHCI_ERDP_LO, (uint32_t)h->evt.base | ERDP_EHB);
    }
    g_rand_free(rand);
    check_alive(h);
}

static const HcdEp isoch_kbd = {
    .dci = KBD_IN, .type = EP_TYPE_ISOCH_IN, .mps = 192, .esit = 192
};
static const HcdEp bulk_kbd = { .dci = KBD_IN,
                                .type = EP_TYPE_BULK_IN,
                                .mps = 512 };
static const HcdEp bulk_av = { .dci = ISOAV_IN,
                               .type = EP_TYPE_BULK_IN,
                               .mps = 512 };
static const HcdEp bulk_av_out = { .dci = ISOAV_OUT,
                                   .type = EP_TYPE_BULK_OUT,
                                   .mps = 512 };
static const HcdEp interrupt_av = { .dci = ISOAV_IN,
                                    .type = EP_TYPE_INTERRUPT_IN,
                                    .mps = 192,
                                    .interval = 3,
                                    .esit = 192 };
static const HcdEp absent = {
    .dci = 9, .type = EP_TYPE_ISOCH_IN, .mps = 192, .interval = 3, .esit = 192
};
static const HcdEp absent_out = {
    .dci = 30, .type = EP_TYPE_ISOCH_OUT, .mps = 192, .interval = 3, .esit = 192
};

int main(int argc, char **argv)
{
    static const char *targets[] = { "nowhere", "caps", "op", "runtime",
                                     "doorbell" };
    const char *seeds = g_getenv("IXHCI_TEST_FUZZ_SEEDS");
    unsigned last_seed = seeds ? strtoul(seeds, NULL, 0) : 8;

    hcd_test_add("HOSTILE/command-link-loop", command_link_loop);
    hcd_test_add("HOSTILE/command-endless", command_endless);
    hcd_test_add_data("HOSTILE/loops-bulk", transfer_loops,
                      GUINT_TO_POINTER(MSD_OUT));
    hcd_test_add_data("HOSTILE/loops-control", transfer_loops,
                      GUINT_TO_POINTER(1));
    hcd_test_add_data("HOSTILE/loops-isoch", transfer_loops,
                      GUINT_TO_POINTER(ISOAV_IN));
    for (unsigned i = 0; i < ARRAY_SIZE(targets); i++) {
        g_autofree char *name =
            g_strdup_printf("HOSTILE/pointers-to-%s", targets[i]);

        hcd_test_add_data(name, bad_pointers, GUINT_TO_POINTER(i));
    }
    hcd_test_add("HOSTILE/dma-to-self-from-timer", dma_to_self_from_timer);
    hcd_test_add_data("HOSTILE/isoch-context-on-kbd", wrong_endpoint_type,
                      &isoch_kbd);
    hcd_test_add_data("HOSTILE/bulk-context-on-kbd", wrong_endpoint_type,
                      &bulk_kbd);
    hcd_test_add_data("HOSTILE/bulk-context-on-isoch", wrong_endpoint_type,
                      &bulk_av);
    hcd_test_add_data("HOSTILE/bulk-context-on-isoch-out", wrong_endpoint_type,
                      &bulk_av_out);
    hcd_test_add_data("HOSTILE/interrupt-context-on-isoch", wrong_endpoint_type,
                      &interrupt_av);
    hcd_test_add_data("HOSTILE/absent-endpoint", wrong_endpoint_type, &absent);
    hcd_test_add_data("HOSTILE/absent-endpoint-out", wrong_endpoint_type,
                      &absent_out);
    hcd_test_add("HOSTILE/isoch-nak-has-a-code", isoch_nak_has_a_code);
    hcd_test_add("HOSTILE/doorbells", doorbells);
    hcd_test_add("HOSTILE/event-ring-sizes", event_ring_sizes);
    hcd_test_add("HOSTILE/unplug-while-streaming", unplug_while_streaming);
    for (unsigned seed = 1; seed <= last_seed; seed++) {
        g_autofree char *name = g_strdup_printf("HOSTILE/fuzz-%u", seed);

        hcd_test_add_data(name, fuzz, GUINT_TO_POINTER(seed));
    }
    return hcd_test_main(argc, argv);
}
