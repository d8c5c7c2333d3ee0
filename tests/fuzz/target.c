/*
 * The operations of an input (target.h). What the machine answers does not
 * matter; that it answers does, and that INIT works on it afterwards.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qtest/lib/debug.h"

#include "qtest/compat.h"
#include "plan.h"
#include "target.h"

#define DEVICES 5
#define STREAMS_LOG2 4
#define STREAMS (1 << STREAMS_LOG2)
#define NOWHERE 0x70000000u
#define BUFFER_BYTES 65536
#define RUNS_PER_INIT 8 /* INIT takes longer than an input */
#define OP_PLAN 250     /* from here on; below, operations[] */
#define MACHINE_ARGS                                                        \
    "-device usb-isoav,id=dev0,bus=xhci.0,port=1 "                          \
    "-device usb-kbd,id=dev1,bus=xhci.0,port=2 "                            \
    "-blockdev driver=null-co,node-name=disk,size=16777216,read-zeroes=on " \
    "-device usb-storage,id=dev2,bus=xhci.0,port=3,drive=disk "             \
    "-blockdev driver=null-co,node-name=more,size=16777216,read-zeroes=on " \
    "-device usb-uas,id=dev3,bus=xhci.0,port=4 "                            \
    "-device scsi-hd,bus=dev3.0,drive=more "                                \
    "-device usb-isoav,id=dev4,bus=xhci.0,port=5,profile=av,speed=high "    \
    "-chardev ringbuf,id=dbc,size=65536 "

/* USB2 ports come first, and so does what is not SuperSpeed. */
enum { AV = 2, STORAGE = 3, UAS = 4 };

struct FuzzTarget {
    Hcd *h;
    HcdDev *dev[DEVICES];
    unsigned runs;
    uint64_t heap; /* of the machine before an input */
    uint64_t buffer;
    uint64_t debug; /* the Debug Capability */
    bool is_plugged[DEVICES];
    const uint8_t *input;
    size_t left;
};

static uint32_t take(FuzzTarget *t, unsigned bytes)
{
    uint32_t value = 0;

    while (bytes--) {
        value = value << 8 | (t->left ? *t->input : 0);
        if (t->left) {
            t->input++;
            t->left--;
        }
    }
    return value;
}

static HcdDev *take_dev(FuzzTarget *t)
{
    return t->dev[take(t, 1) % DEVICES];
}

/* An endpoint that has a ring, most of the time. */
static unsigned take_dci(FuzzTarget *t, const HcdDev *dev)
{
    unsigned wanted = take(t, 1) % 32;

    for (unsigned i = 0; i < 31; i++) {
        unsigned dci = 1 + (wanted + i) % 31;

        if (dev->ring[dci].base) {
            return dci;
        }
    }
    return 1;
}

/* An address: a good one, the controller itself, nowhere, or anything. */
static uint64_t take_address(FuzzTarget *t)
{
    Hcd *h = t->h;

    switch (take(t, 1) % 10) {
    case 0:
        return h->bar + (take(t, 2) & ~3u);
    case 1:
        return NOWHERE + take(t, 2);
    case 2:
        return h->cmd.base + 16 * (take(t, 1) % 64);
    case 3:
        return h->evt.base + take(t, 2) % 4096;
    case 4:
        return t->dev[take(t, 1) % DEVICES]->out_ctx;
    case 5: {
        HcdDev *dev = take_dev(t);

        return dev->ring[take_dci(t, dev)].base + 16 * (take(t, 1) % 64);
    }
    case 6:
        return take(t, 4);
    default:
        return t->buffer + take(t, 2) % BUFFER_BYTES;
    }
}

static void op_register(FuzzTarget *t)
{
    static const uint16_t op_offsets[] = {
        XHCI_USBCMD,    XHCI_USBSTS,    XHCI_DNCTRL,
        XHCI_CRCR_LO,   XHCI_CRCR_HI,   XHCI_CONFIG,
        XHCI_DCBAAP_LO, XHCI_DCBAAP_HI, XHCI_PORT_SET,
    };
    unsigned which = take(t, 1) % G_N_ELEMENTS(op_offsets);
    uint32_t offset = op_offsets[which];
    uint32_t value = take(t, 4);

    if (offset == XHCI_PORT_SET) {
        offset += 16 * (take(t, 1) % t->h->max_ports) + 4 * (take(t, 1) % 4);
    }
    if (offset == XHCI_USBCMD && take(t, 1) % 4) {
        value = (value & ~(uint32_t)USBCMD_HCRST) | USBCMD_RS;
    }
    if (offset == XHCI_CRCR_LO || offset == XHCI_DCBAAP_LO) {
        value = take_address(t) | (value & 0xf);
    }
    hcd_op_write(t->h, offset, value);
}

/* The Debug Capability as a driver prepares it, on the rings of the disk. */
static void enable_debug(FuzzTarget *t)
{
    static const uint8_t types[] = { EP_TYPE_BULK_OUT, EP_TYPE_BULK_IN };
    QTestState *qts = t->h->qts;

    for (unsigned i = 0; i < G_N_ELEMENTS(types); i++) {
        uint64_t context = t->buffer + 64 * (i + 1);

        qtest_writel(qts, context + 4, xhci_set(0, EP_TYPE, types[i]));
        qtest_writeq(qts, context + 8,
                     t->dev[STORAGE]->ring[i ? 3 : 4].base | 1);
    }
    qtest_writel(qts, t->debug + XHCI_DCERSTSZ, 1);
    qtest_writeq(qts, t->debug + XHCI_DCERSTBA_LO, t->h->evt.erst);
    qtest_writeq(qts, t->debug + XHCI_DCERDP_LO, t->h->evt.base);
    qtest_writeq(qts, t->debug + XHCI_DCCP_LO, t->buffer);
    qtest_writel(qts, t->debug + XHCI_DCCTRL, DCCTRL_DCE | DCCTRL_LSE);
    hcd_step_uf(t->h, 200);
}

static void debug(FuzzTarget *t)
{
    unsigned what = take(t, 1), reg = 4 * (what / 4 % 16);

    switch (what % 4) {
    case 0:
        enable_debug(t);
        break;
    case 1:
        qtest_writel(t->h->qts, t->debug + XHCI_DCDB, take(t, 1) % 3 << 8);
        break;
    case 2:
        qtest_writel(t->h->qts, t->debug + reg, take(t, 4));
        break;
    default:
        qtest_writel(t->h->qts, t->debug + reg, take_address(t));
        break;
    }
}

static void op_interrupter(FuzzTarget *t)
{
    unsigned which = take(t, 1), reg;

    if (which >= 192) { /* one event ring is the Debug Capability's */
        debug(t);
        return;
    }
    reg = XHCI_INTR_STRIDE * (which % 4) + 4 * (take(t, 1) % 8);
    hcd_intr_write(t->h, reg,
                   take(t, 1) % 2 ? (uint32_t)take_address(t) : take(t, 4));
}

static void op_any_register(FuzzTarget *t)
{
    uint64_t gpa = t->h->bar + take(t, 2) % t->h->bar_size;
    uint32_t value = take(t, 4);

    switch (take(t, 1) % 6) {
    case 0:
        qtest_writeb(t->h->qts, gpa, value);
        break;
    case 1:
        qtest_writew(t->h->qts, gpa, value);
        break;
    case 2:
        qtest_writeq(t->h->qts, gpa & ~7ull, value | (uint64_t)value << 32);
        break;
    case 3:
        qtest_readl(t->h->qts, gpa & ~3ull);
        break;
    default:
        qtest_writel(t->h->qts, gpa & ~3ull, value);
        break;
    }
}

static void op_doorbell(FuzzTarget *t)
{
    unsigned slot = take(t, 1) % (DEVICES + 2);
    uint32_t target = take(t, 1) % 34;

    if (take(t, 1) % 8 == 0) {
        target |= take(t, 2) << 16;
    }
    qtest_writel(t->h->qts, t->h->bar + t->h->db + 4 * slot, target);
}

/* A TRB behind what is on the ring, and most of the time its owner's bell. */
static void op_transfer(FuzzTarget *t)
{
    static const uint8_t types[] = {
        TRB_NORMAL,       TRB_ISOCH, TRB_SETUP_STAGE, TRB_DATA_STAGE,
        TRB_STATUS_STAGE, TRB_LINK,  TRB_EVENT_DATA,  TRB_NOOP,
    };
    HcdDev *dev = take_dev(t);
    unsigned dci = take_dci(t, dev);
    unsigned type = take(t, 1);
    xhci_trb trb;

    type = type % 16 ? types[type % G_N_ELEMENTS(types)] : type / 16;
    trb = hcd_trb_ptr(type, take_address(t), take(t, 3), take(t, 2) & ~1u);
    if (type == TRB_ISOCH) {
        trb.dw[3] |= take(t, 1) % 3 ? TRB_SIA : take(t, 2) << 20;
    }
    if (type == TRB_SETUP_STAGE) {
        trb.dw[0] = take(t, 4);
        trb.dw[1] = take(t, 4);
        trb.dw[2] = 8;
        trb.dw[3] |= TRB_IDT;
    }
    hcd_ring_put(t->h, &dev->ring[dci], trb);
    if (take(t, 1) % 4) {
        unsigned stream = dev == t->dev[UAS] ? take(t, 1) % (STREAMS + 2) : 0;

        hcd_doorbell(t->h, dev->slot_id, dci | stream << 16);
    }
}

/* A stream's worth of isochronous TDs. */
static void op_stream(FuzzTarget *t)
{
    HcdDev *dev = t->dev[0];
    unsigned dci = take(t, 1) % 2 ? 5 : 4;
    unsigned n = 1 + take(t, 1) % 32, every = 1 + take(t, 1) % 16;
    uint32_t len = take(t, 2) % 4096;
    bool sia = take(t, 1) % 4;
    unsigned frame = hcd_frame(t->h) + take(t, 1) % 32;

    for (unsigned i = 0; i < n; i++) {
        HcdTd td = { .type = TRB_ISOCH,
                     .buf = t->buffer,
                     .len = len,
                     .sia = sia,
                     .frame_id = (frame + i / 8) & 0x7ff,
                     .ioc = true,
                     .bei = i % every != 0 };

        hcd_td(t->h, dev, dci, td);
    }
    hcd_ring_ep(t->h, dev, dci);
}

static void op_command(FuzzTarget *t)
{
    unsigned type = take(t, 1) % 4 ? 9 + take(t, 1) % 17 : take(t, 1) % 64;
    unsigned slot = take(t, 1) % (DEVICES + 2);
    unsigned dci = take(t, 1) % 32;
    uint32_t flags = take(t, 1) % 4 ? 0 : take(t, 2) & 0x3fe;
    xhci_trb trb = hcd_cmd_trb(type, slot, dci, flags);
    uint64_t pointer = take_address(t);

    if (take(t, 1) % 3 && slot >= 1 && slot <= DEVICES) {
        HcdDev *dev = t->dev[slot - 1];

        pointer = type == CMD_SET_TR_DEQUEUE && dev->ring[dci].base
                      ? hcd_ring_next(&dev->ring[dci]) | dev->ring[dci].pcs
                      : dev->in_ctx;
    }
    trb.dw[0] = (uint32_t)pointer;
    trb.dw[1] = pointer >> 32;
    hcd_cmd_post(t->h, trb);
    hcd_doorbell(t->h, 0, 0);
}

/* A word of an Input Context, mostly near what was there. */
static void op_context(FuzzTarget *t)
{
    HcdDev *dev = take_dev(t);
    unsigned index = take(t, 1) % 8, dw = take(t, 1) % 5;
    uint32_t old = hcd_in_read(t->h, dev, index, dw);
    uint32_t value = take(t, 4);

    hcd_in_write(t->h, dev, index, dw, take(t, 1) % 2 ? value : old ^ value);
}

static void op_memory(FuzzTarget *t)
{
    uint64_t gpa = take_address(t);

    if (gpa >= t->h->bar && gpa < t->h->bar + t->h->bar_size) {
        return; /* op_any_register */
    }
    qtest_writel(t->h->qts, gpa & ~3ull, take(t, 4));
}

static void op_step(FuzzTarget *t)
{
    unsigned n = take(t, 1);

    hcd_step_uf(t->h, n < 192 ? 1 + n % 32 : 1 + n * 8);
}

static void op_events(FuzzTarget *t)
{
    unsigned n = take(t, 1);

    t->h->evt.dequeue = (t->h->evt.dequeue + n) % t->h->evt.size;
    hcd_event_ack(t->h);
}

static void op_plug(FuzzTarget *t)
{
    static const char *const drivers[] = { "usb-isoav", "usb-kbd" };
    unsigned i = take(t, 1) % 2; /* a drive cannot be plugged in again */
    g_autofree char *id = g_strdup_printf("dev%u", i);
    g_autofree char *port = g_strdup_printf("%u", i + 1);
    QDict *answer;

    if (t->is_plugged[i]) {
        answer = qtest_qmp(t->h->qts,
                           "{ 'execute': 'device_del', 'arguments': { "
                           "'id': %s } }",
                           id);
    } else {
        answer = qtest_qmp(t->h->qts,
                           "{ 'execute': 'device_add', 'arguments': { "
                           "'driver': %s, 'id': %s, 'bus': 'xhci.0', "
                           "'port': %s } }",
                           drivers[i], id, port);
    }
    qobject_unref(answer);
    t->is_plugged[i] = !t->is_plugged[i];
}

/* A class request to the camera or the headset: one that may well be good. */
static void op_class(FuzzTarget *t)
{
    static const uint8_t requests[] = { 0x01, 0x02, 0x81, 0x82,
                                        0x83, 0x84, 0x85, 0x86 };
    unsigned what = take(t, 1);
    HcdSetup setup = {
        .type = (what & 1 ? 0xa1 : 0x21) + (what >> 1) % 2,
        .request = requests[take(t, 1) % G_N_ELEMENTS(requests)],
        .value = take(t, 1) % 16 << 8 | take(t, 1) % 4,
        .index = take(t, 1) % 16 << 8 | take(t, 1) % 5,
        .length = take(t, 1) % 64,
    };
    uint64_t data = t->buffer + take(t, 2) % BUFFER_BYTES;
    HcdDev *dev = t->dev[AV];

    td_setup(t->h, dev, setup);
    if (setup.length) {
        hcd_td(t->h, dev, 1,
               (HcdTd){ .type = TRB_DATA_STAGE,
                        .buf = data,
                        .len = setup.length,
                        .in = what & 1 });
    }
    hcd_td(t->h, dev, 1,
           (HcdTd){ .type = TRB_STATUS_STAGE,
                    .in = !(what & 1) || !setup.length,
                    .ioc = true });
    hcd_ring_ep(t->h, dev, 1);
}

static void op_key(FuzzTarget *t)
{
    if (t->is_plugged[1]) {
        hcd_kbd_key(t->h, take(t, 1) % 2);
    }
}

static void op_config(FuzzTarget *t)
{
    static const uint16_t offsets[] = { 0x04, 0x3c, 0x60, 0x90, 0x94, 0x98 };

    hcd_pci_write(t->h, offsets[take(t, 1) % G_N_ELEMENTS(offsets)],
                  take(t, 4) | (take(t, 1) % 4 ? 6 : 0));
}

static void set_plan(FuzzTarget *t, const char *plan)
{
    qobject_unref(qtest_qmp(t->h->qts,
                            "{'execute': 'qom-set', 'arguments': {'path': "
                            "'/machine/peripheral/xhci', 'property': "
                            "'fault-plan', 'value': %s}}",
                            plan));
}

/* A fault plan; one that the loader refuses leaves the old one. */
static void op_plan(FuzzTarget *t)
{
    g_autofree char *plan = fuzz_plan(take(t, 2));

    set_plan(t, plan);
}

static void (*const operations[])(FuzzTarget *) = {
    op_transfer, op_transfer,     op_step,   op_step,    op_doorbell,
    op_command,  op_command,      op_stream, op_context, op_register,
    op_memory,   op_events,       op_key,    op_plug,    op_interrupter,
    op_config,   op_any_register, op_class,
};

/* Of all the streams of an endpoint the rings are one and the same. */
static void add_streams(FuzzTarget *t, HcdEp ep)
{
    uint64_t array = hcd_alloc(t->h, 16 * STREAMS, 64);
    HcdDev *dev = t->dev[UAS];
    unsigned index = ep.dci + 1;

    hcd_ep_prepare(t->h, dev, ep);
    for (unsigned i = 1; i < STREAMS; i++) {
        qtest_writeq(t->h->qts, array + 16 * i,
                     dev->ring[ep.dci].base | SCT_PRIMARY_RING << 1 | 1);
    }
    hcd_in_write(t->h, dev, index, 0,
                 xhci_set(EP_LSA, EP_MAX_PSTREAMS, STREAMS_LOG2 - 1));
    hcd_in_write(t->h, dev, index, 2, array);
    hcd_in_write(t->h, dev, index, 3, array >> 32);
    hcd_expect_cc(hcd_cmd_configure(t->h, dev, 1u << ep.dci | 1, 0),
                  CC_SUCCESS);
}

/* Everything as a driver has it that has found its devices. */
static void bring_up(FuzzTarget *t)
{
    static const HcdEp eps[] = {
        { .dci = 4, .type = EP_TYPE_ISOCH_OUT, .mps = 192, .esit = 192 },
        { .dci = 5, .type = EP_TYPE_ISOCH_IN, .mps = 192, .esit = 192 },
        { .dci = 3,
          .type = EP_TYPE_INTERRUPT_IN,
          .mps = 8,
          .interval = 3,
          .esit = 8 },
        { .dci = 3, .type = EP_TYPE_BULK_IN, .mps = 512 },
        { .dci = 4, .type = EP_TYPE_BULK_OUT, .mps = 512 },
        { .dci = 2, .type = EP_TYPE_BULK_OUT, .mps = 1024 },
        { .dci = 3,
          .type = EP_TYPE_INTERRUPT_IN,
          .mps = 16,
          .interval = 3,
          .esit = 16 },
        { .dci = 5, .type = EP_TYPE_ISOCH_IN, .mps = 1024, .esit = 1024 },
        { .dci = 6,
          .type = EP_TYPE_ISOCH_OUT,
          .mps = 388,
          .interval = 3,
          .esit = 388 },
        { .dci = 7,
          .type = EP_TYPE_ISOCH_IN,
          .mps = 4,
          .interval = 3,
          .esit = 4 },
        { .dci = 9,
          .type = EP_TYPE_ISOCH_IN,
          .mps = 388,
          .interval = 3,
          .esit = 388 },
    };
    /* status, data in, data out */
    static const HcdEp streams[] = {
        { .dci = 5, .type = EP_TYPE_BULK_IN, .mps = 1024, .burst = 15 },
        { .dci = 7, .type = EP_TYPE_BULK_IN, .mps = 1024, .burst = 15 },
        { .dci = 8, .type = EP_TYPE_BULK_OUT, .mps = 1024, .burst = 15 },
    };
    static const uint8_t owner[] = { 0,  0,  1,  STORAGE, STORAGE, UAS,
                                     AV, AV, AV, AV,      AV };
    HcdSetup alternate = { .type = 1, .request = 11, .value = 1, .index = 1 };

    for (unsigned i = 0; i < DEVICES; i++) {
        HcdDev *dev = hcd_dev_open(t->h, hcd_port_connected(t->h, i));

        t->dev[i] = dev;
        hcd_set_configuration(t->h, dev, 1);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(eps); i++) {
        HcdEp ep = eps[i];

        if (t->dev[owner[i]]->speed >= SPEED_SUPER) {
            ep.mps = 1024;
            ep.burst = 15;
        }
        hcd_ep_add_with(t->h, t->dev[owner[i]], ep);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(streams); i++) {
        add_streams(t, streams[i]);
    }
    hcd_expect_cc(hcd_control(t->h, t->dev[0], alternate, 0), CC_SUCCESS);
    for (alternate.index = 3; alternate.index <= 4; alternate.index++) {
        hcd_expect_cc(hcd_control(t->h, t->dev[AV], alternate, 0), CC_SUCCESS);
    }
}

FuzzTarget *fuzz_target_start(void)
{
    FuzzTarget *t = g_new0(FuzzTarget, 1);

    t->h = hcd_start_with(
        (HcdOptions){ .args = MACHINE_ARGS, .props = "p2=5,p3=5,dbc=dbc" });
    t->debug = dbg_find(t->h);
    t->heap = t->h->heap;
    for (unsigned i = 0; i < DEVICES; i++) {
        t->is_plugged[i] = true;
    }
    return t;
}

/* Nothing would come of the next input. */
static bool is_dead(FuzzTarget *t)
{
    return hcd_op_read(t->h, XHCI_USBSTS) &
           (USBSTS_HCH | USBSTS_HSE | USBSTS_HCE);
}

/* INIT must work on whatever the last input left behind. */
static void begin(FuzzTarget *t)
{
    Hcd *h = t->h;

    for (unsigned i = 0; i < DEVICES; i++) {
        g_clear_pointer(&t->dev[i], g_free);
    }
    while (!g_queue_is_empty(&h->stash)) {
        g_free(g_queue_pop_head(&h->stash));
    }
    /* memory as a test finds it: zeros */
    qtest_memset(h->qts, t->heap, 0, h->heap - t->heap);
    h->heap = t->heap;
    h->keep_erdp = false;
    hcd_pci_enable(h);
    hcd_pci_enable_msix(h);
    hcd_op_write(h, XHCI_USBCMD, 0);
    hcd_step_uf(h, 160);
    hcd_init(h);
    hcd_event_drain(h);
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    bring_up(t);
    t->buffer = hcd_alloc(h, 2 * BUFFER_BYTES, 4096);
    h->keep_erdp = true;
}

static void finish(FuzzTarget *t)
{
    static const uint8_t again[] = { 0, 1 };

    hcd_step_uf(t->h, 100);
    set_plan(t, "");
    hcd_step_uf(t->h, 8);
    hcd_check(hcd_cap_read(t->h, XHCI_CAPLENGTH) != 0xffffffffu,
              "the registers are gone");
    for (unsigned i = 0; i < ARRAY_SIZE(again); i++) {
        t->input = &again[i];
        t->left = 1;
        if (!t->is_plugged[i]) {
            op_plug(t);
        }
    }
}

void fuzz_target_run(FuzzTarget *t, const uint8_t *input, size_t bytes)
{
    if (t->runs++ % RUNS_PER_INIT == 0 || is_dead(t)) {
        begin(t);
    }
    t->input = input;
    t->left = bytes;
    while (t->left) {
        unsigned op = take(t, 1);

        if (op >= OP_PLAN) {
            op_plan(t);
        } else {
            operations[op % G_N_ELEMENTS(operations)](t);
        }
    }
    finish(t);
}

void fuzz_target_stop(FuzzTarget *t)
{
    qtest_quit(t->h->qts);
    g_free(t->h);
    g_free(t);
}
