/*
 * What other host controller models got wrong, and this one must not: devices
 * that answer what no device should, contexts and numbers that are out of
 * range, devices that leave at the worst time. docs/regressions.md names the
 * test for each defect that is known of others; those that fit a requirement
 * of the specification are in the files for that, these are the rest.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"

#define SETTLE_UF 800

/* The end of each test: the controller works, with the old state or anew. */
static void check_alive(Hcd *h)
{
    hcd_event_drain(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_init(h);
    hcd_expect_cc(hcd_cmd_simple(h, CMD_NOOP, 0, 0, 0), CC_SUCCESS);
    hcd_finish(h);
}

/* A device's answer, and the completion codes that it must become. */
typedef struct {
    const char *answer;
    unsigned cc;    /* of a bulk or interrupt TD; 0: it waits */
    unsigned isoch; /* of an isochronous one: there is no waiting */
} answer_case;

static const answer_case answer_cases[] = {
    { "success", CC_SUCCESS, CC_SUCCESS },
    { "short", CC_SHORT_PACKET, CC_SHORT_PACKET },
    { "hold", 0, CC_USB_TRANSACTION_ERROR },
    { "nak", 0, CC_USB_TRANSACTION_ERROR },
    { "stall", CC_STALL_ERROR, CC_STALL_ERROR },
    { "babble", CC_BABBLE_DETECTED, CC_BABBLE_DETECTED },
    { "ioerror", CC_USB_TRANSACTION_ERROR, CC_USB_TRANSACTION_ERROR },
    { "nodev", CC_USB_TRANSACTION_ERROR, CC_USB_TRANSACTION_ERROR },
    { "unknown", CC_USB_TRANSACTION_ERROR, CC_USB_TRANSACTION_ERROR },
    { "positive", CC_USB_TRANSACTION_ERROR, CC_USB_TRANSACTION_ERROR },
};

/* What the context says of an endpoint; 81h is bulk in the device. */
static const HcdEp endpoint_cases[] = {
    { .dci = PUPPET_IN, .type = EP_TYPE_BULK_IN, .mps = 512 },
    { .dci = PUPPET_INT,
      .type = EP_TYPE_INTERRUPT_IN,
      .mps = 64,
      .interval = 3,
      .esit = 64 },
    { .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN, .mps = 64, .esit = 64 },
    { .dci = PUPPET_IN, .type = EP_TYPE_ISOCH_IN, .mps = 64, .esit = 64 },
    { .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_BULK_IN, .mps = 512 },
};

static const char *const endpoint_names[] = {
    "bulk", "interrupt", "isoch", "bulk-as-isoch", "isoch-as-bulk",
};

static uint64_t queue_64_bytes(Hcd *h, HcdDev *dev, const HcdEp *ep)
{
    bool isoch = ep->type == EP_TYPE_ISOCH_IN;

    return hcd_td(h, dev, ep->dci,
                  (HcdTd){ .type = isoch ? TRB_ISOCH : TRB_NORMAL,
                           .buf = hcd_alloc_filled(h, 64, 0xaa),
                           .len = 64,
                           .sia = isoch,
                           .ioc = true });
}

/* xHCI 1.2 §4.10.2: no answer is unexpected, no type contradicts QEMU. */
static void answers(const void *data)
{
    unsigned n = GPOINTER_TO_UINT(data);
    const answer_case *c = &answer_cases[n % ARRAY_SIZE(answer_cases)];
    const HcdEp *ep = &endpoint_cases[n / ARRAY_SIZE(answer_cases)];
    bool isoch = ep->type == EP_TYPE_ISOCH_IN;
    unsigned cc = isoch ? c->isoch : c->cc;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    bool good = cc == CC_SUCCESS || cc == CC_SHORT_PACKET;
    uint64_t trb;

    hcd_ep_add_with(h, dev, *ep);
    hcd_puppet_answer(h, c->answer);
    trb = queue_64_bytes(h, dev, ep);
    hcd_ring_ep(h, dev, ep->dci);
    if (cc) {
        hcd_expect_te(h, .dev = dev, .dci = ep->dci, .cc = cc, .ptr = trb);
    } else {
        hcd_expect_quiet(h, SETTLE_UF);
    }
    hcd_check(hcd_ep_state(h, dev, ep->dci) ==
                  (isoch || good || !cc ? EP_STATE_RUNNING : EP_STATE_HALTED),
              "after code %u the endpoint is in state %u", cc,
              hcd_ep_state(h, dev, ep->dci));
    if (isoch) {
        hcd_event_drain(h);
        hcd_step_uf(h, 16);
        hcd_event_drain(h);
        trb = queue_64_bytes(h, dev, ep);
        hcd_ring_ep(h, dev, ep->dci);
        hcd_expect_te(h, .dev = dev, .dci = ep->dci, .cc = cc, .ptr = trb);
    }
    check_alive(h);
}

/* Where an Interrupter Target stands, and how many interrupters there are. */
typedef struct {
    const char *name;
    const char *props;
    unsigned target;
} target_case;

static const target_case target_cases[] = {
    { "PEER/interrupter-16", "intrs=16", 16 },
    { "PEER/interrupter-1023", "intrs=16", 1023 },
    { "PEER/interrupter-1-of-1", "intrs=1", 1 },
    { "PEER/interrupter-without-ring", "intrs=16", 9 },
};

/* xHCI 1.2 §4.17.1, §6.4.1: events for nobody are dropped, the rest goes on;
 * a Slot Context that names no interrupter is refused. */
static void interrupter_targets(const void *data)
{
    const target_case *c = data;
    Hcd *h = hcd_start(.puppet = true, .props = c->props);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc(h, 64, 64), trb;
    bool exists = c->target < h->max_intrs;
    uint32_t slot = hcd_out_read(h, dev, 0, 2);

    hcd_ep_add_with(h, dev, endpoint_cases[2]);
    hcd_event_drain(h);
    td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true,
              .target = c->target);
    td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ch = true);
    td_event_data(h, dev, PUPPET_IN, .buf = 1, .ioc = true,
                  .target = c->target);
    td_noop(h, dev, PUPPET_IN, .ioc = true, .target = c->target);
    hcd_td(h, dev, PUPPET_IN,
           (HcdTd){ .type = TRB_LINK,
                    .buf = hcd_ring_next(&dev->ring[PUPPET_IN]) + 16,
                    .ioc = true,
                    .target = c->target });
    trb = td_normal(h, dev, PUPPET_IN, .buf = buf, .len = 64, .ioc = true);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_IN, .cc = CC_SUCCESS,
                  .ptr = trb);
    td_isoch(h, dev, PUPPET_ISOCH_IN, .buf = buf, .len = 64, .ioc = true,
             .sia = true, .target = c->target);
    hcd_ring_ep(h, dev, PUPPET_ISOCH_IN);
    hcd_expect_te(h, .dev = dev, .dci = PUPPET_ISOCH_IN, .cc = CC_RING_OVERRUN);
    hcd_in_write(h, dev, 1, 2, xhci_set(slot, SLOT_INTR, c->target));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 1),
                  exists ? CC_SUCCESS : CC_PARAMETER_ERROR);
    hcd_check(hcd_out_read(h, dev, 0, 2) ==
                  (exists ? xhci_set(slot, SLOT_INTR, c->target) : slot),
              "DW2 of the slot is %08x", hcd_out_read(h, dev, 0, 2));
    check_alive(h);
}

/* xHCI 1.2 §4.17.3: with the pin, events of other rings assert it, too. */
static void pin_of_interrupter_1(void)
{
    enum { INTERRUPT_STATUS = 1 << 19 }; /* of PCI Status */
    Hcd *h = hcd_start(.puppet = true, .no_msix = true);
    HcdDev *dev = hcd_puppet_open(h);
    HcdEventRing ring = hcd_intr_n_open(h, 1, 64);
    HcdEvent event;

    hcd_event_drain(h);
    hcd_intr_write(h, XHCI_IMAN, IMAN_IE | IMAN_IP);
    hcd_intr_n_write(h, 1, XHCI_IMOD, 0);
    hcd_intr_n_write(h, 1, XHCI_IMAN, IMAN_IE);
    hcd_check(!(hcd_pci_read(h, 4) & INTERRUPT_STATUS), "the pin is asserted");
    td_noop(h, dev, PUPPET_IN, .ioc = true, .target = 1);
    hcd_ring_ep(h, dev, PUPPET_IN);
    hcd_step_uf(h, 8);
    hcd_check(hcd_event_ring_take(h, &ring, &event), "no event on ring 1");
    hcd_check(hcd_intr_n_read(h, 1, XHCI_IMAN) & IMAN_IP, "IP of 1 is clear");
    hcd_check(hcd_pci_read(h, 4) & INTERRUPT_STATUS,
              "an event on ring 1 does not assert the pin");
    hcd_intr_n_write(h, 1, XHCI_IMAN, IMAN_IE | IMAN_IP);
    hcd_intr_n_ack(h, 1, &ring);
    hcd_check(!(hcd_pci_read(h, 4) & INTERRUPT_STATUS),
              "the pin is asserted with nothing pending");
    check_alive(h);
}

/* A data stage that has less room than wLength says, or none. */
typedef struct {
    const char *name;
    uint8_t type;   /* of the request */
    unsigned stage; /* bytes of the data stage */
    unsigned cc;    /* what the event says; a STALL is right, too */
} length_case;

static const length_case length_cases[] = {
    { "PEER/wlength-in-no-stage", 0x80, 0, CC_BABBLE_DETECTED },
    { "PEER/wlength-in-8-bytes", 0x80, 8, CC_BABBLE_DETECTED },
    { "PEER/wlength-out-no-stage", 0x40, 0, CC_STALL_ERROR },
    { "PEER/wlength-out-8-bytes", 0x40, 8, CC_STALL_ERROR },
};

/* USB 2.0 §8.5.3: wLength is the driver's claim, the TRBs are its memory. The
 * device would take as many bytes as it is said to get. */
static void wlength_beyond(const void *data)
{
    const length_case *c = data;
    bool in = c->type & 0x80;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_open(h);
    uint64_t buf = hcd_alloc_filled(h, 8, 0xaa);
    HcdEvent event;

    for (unsigned length = 9; length <= 0xffff; length = length * 2 + 1) {
        unsigned trt = !c->stage ? TRT_NONE : in ? TRT_IN : TRT_OUT;

        hcd_td(h, dev, 1,
               (HcdTd){
                   .type = TRB_SETUP_STAGE,
                   .buf = hcd_setup_bytes((HcdSetup){ .type = c->type,
                                                      .request = in ? 6 : 0x51,
                                                      .value = 0x200,
                                                      .length = length }),
                   .len = 8,
                   .idt = true,
                   .trt = trt });
        if (c->stage) {
            td_data(h, dev, .buf = buf, .len = c->stage, .in = in);
        }
        td_status(h, dev, .in = !in || !c->stage, .ioc = true);
        hcd_ring_ep(h, dev, 1);
        event = hcd_expect_te(h, .dev = dev, .dci = 1);
        hcd_check(event.cc == c->cc || event.cc == CC_STALL_ERROR,
                  "wLength %u: %s", length, hcd_event_text(&event));
        hcd_check(hcd_puppet_count(h, "received") == 0,
                  "wLength %u: the device received bytes", length);
        hcd_check(hcd_mem_is(h, buf + 8, 64, 0xaa),
                  "wLength %u: bytes behind the data stage were written",
                  length);
        hcd_cmd_reset_ep(h, dev, 1);
        hcd_cmd_stop(h, dev, 1);
        hcd_event_drain(h);
        hcd_cmd_skip_all(h, dev, 1);
    }
    check_alive(h);
}

/* Endpoints that may move nothing, and TDs that want to move something. */
static void mps_0(const void *data)
{
    bool in = GPOINTER_TO_UINT(data);
    unsigned dci = in ? PUPPET_ISOCH_IN : PUPPET_ISOCH_OUT;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_puppet_configured(h);
    static const uint32_t lengths[] = { 0, 1, 192, 65536 };
    HcdEvent event;

    hcd_ep_add(h, dev, .dci = dci,
               .type = in ? EP_TYPE_ISOCH_IN : EP_TYPE_ISOCH_OUT, .mps = 0);
    for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++) {
        uint64_t buf = hcd_alloc_filled(h, 65536, 0xaa);
        uint64_t trb = td_isoch(h, dev, dci, .buf = buf, .len = lengths[i],
                                .sia = true, .ioc = true);

        hcd_ring_ep(h, dev, dci);
        event = hcd_expect_te(h, .dev = dev, .dci = dci, .ptr = trb);
        hcd_expect_cc(event.cc, lengths[i] ? CC_BANDWIDTH_OVERRUN : CC_SUCCESS);
        hcd_check(hcd_mem_is(h, buf, 65536, 0xaa), "data without packets");
        hcd_expect_te(h, .dev = dev, .dci = dci,
                      .cc = in ? CC_RING_OVERRUN : CC_RING_UNDERRUN);
    }
    hcd_check(!hcd_puppet_count(h, "sent") && !hcd_puppet_count(h, "received"),
              "bytes moved");
    check_alive(h);
}

/* xHCI 1.2 §6.2.3.1: a default endpoint has packets, of 8 bytes at least. */
static void mps_0_of_ep0(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = hcd_dev_ready(h, hcd_port_connected(h, 0));
    uint32_t dw1 = hcd_in_read(h, dev, 2, 1);

    hcd_in_write(h, dev, 2, 1, xhci_set(dw1, EP_MAX_PACKET_SIZE, 0));
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_PARAMETER_ERROR);
    hcd_in_write(h, dev, 2, 1, dw1);
    hcd_expect_cc(hcd_cmd_address(h, dev, 0), CC_SUCCESS);
    hcd_in_write(h, dev, 2, 1, xhci_set(dw1, EP_MAX_PACKET_SIZE, 0));
    hcd_expect_cc(hcd_cmd_evaluate(h, dev, 2), CC_PARAMETER_ERROR);
    check_alive(h);
}

/* A TD of several buffers, one of which is nowhere. */
static void scattered_nowhere(const void *data)
{
    unsigned bad = GPOINTER_TO_UINT(data);
    static const uint64_t nowhere[] = { 0x70000000,
                                        UINT64_C(0xffffffffffffff00),
                                        0x3ffffc0 /* the end of memory */ };
    static const unsigned dcis[] = { PUPPET_IN, PUPPET_OUT };
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev;

    for (unsigned i = 0; i < ARRAY_SIZE(nowhere) * ARRAY_SIZE(dcis); i++) {
        unsigned dci = dcis[i % 2];
        uint64_t buf;

        hcd_init(h);
        hcd_event_drain(h);
        dev = hcd_puppet_open(h);
        buf = hcd_alloc_filled(h, 4 * 256, 0xaa);
        for (unsigned k = 0; k < 4; k++) {
            td_normal(h, dev, dci, .buf = k == bad ? nowhere[i / 2] : buf,
                      .len = 256, .ch = k < 3, .ioc = k == 3);
        }
        hcd_ring_ep(h, dev, dci);
        hcd_step_uf(h, 8);
        hcd_check(hcd_op_read(h, XHCI_USBSTS) & USBSTS_HSE,
                  "no Host System Error for %" PRIx64, nowhere[i / 2]);
    }
    hcd_init(h);
    check_alive(h);
}

/* Stream arrays: pointers that lead back, into nowhere, into the BAR. */
static void stream_contexts(const void *data)
{
    bool lsa = GPOINTER_TO_UINT(data);
    static const unsigned sizes[] = { 1, 2, 7, 15 };
    static const unsigned ids[] = { 0, 1, 2, 5, 255, 0xffff };
    Hcd *h = hcd_start(.puppet = true);
    uint64_t array = hcd_alloc(h, 4096, 4096);

    for (unsigned i = 0; i < ARRAY_SIZE(sizes) * 3; i++) {
        const uint64_t at[] = { array, 0x70000000, h->bar + h->op };
        HcdDev *dev;
        uint32_t dw0;

        for (unsigned k = 0; k < 256; k++) {
            qtest_writeq(h->qts, array + 16 * k,
                         (k % 3 == 2 ? h->bar : array) | (k & 0xf));
            qtest_writeq(h->qts, array + 16 * k + 8, UINT64_MAX);
        }
        dev = hcd_puppet_configured(h);
        hcd_ep_prepare(h, dev, endpoint_cases[0]);
        dw0 = xhci_set(lsa ? EP_LSA : 0, EP_MAX_PSTREAMS, sizes[i / 3]);
        hcd_in_write(h, dev, PUPPET_IN + 1, 0, dw0);
        hcd_in_write(h, dev, PUPPET_IN + 1, 2, at[i % 3]);
        hcd_in_write(h, dev, PUPPET_IN + 1, 3, at[i % 3] >> 32);
        hcd_cmd_configure(h, dev, 1u << PUPPET_IN | 1, 0);
        for (unsigned k = 0; k < ARRAY_SIZE(ids); k++) {
            xhci_trb move =
                hcd_cmd_trb(CMD_SET_TR_DEQUEUE, dev->slot_id, PUPPET_IN, 0);

            hcd_doorbell(h, dev->slot_id, PUPPET_IN | ids[k] << 16);
            hcd_cmd_post(
                h, hcd_cmd_trb(CMD_STOP_ENDPOINT, dev->slot_id, PUPPET_IN, 0));
            move.dw[0] = (uint32_t)array | (k << 1) | 1;
            move.dw[2] = xhci_set(0, TRB_STREAM_ID, ids[k]);
            hcd_cmd_post(h, move);
            hcd_doorbell(h, 0, 0);
            hcd_step_uf(h, 4);
            hcd_event_drain(h);
            hcd_doorbell(h, dev->slot_id, PUPPET_IN | ids[k] << 16);
        }
        hcd_step_uf(h, 4);
        hcd_init(h);
    }
    check_alive(h);
}

/* usb-audio: full speed, 192 bytes a frame to 01h in alternate 1. */
enum { AUDIO_OUT = 2, AUDIO_BYTES = 192 };
#define AUDIO_ARGS                   \
    "-audiodev none,id=snd -device " \
    "usb-audio,id=audio,audiodev=snd,bus=xhci.0 "

static HcdDev *open_audio(Hcd *h)
{
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));

    hcd_set_configuration(h, dev, 1);
    hcd_ep_add(h, dev, .dci = AUDIO_OUT, .type = EP_TYPE_ISOCH_OUT,
               .mps = AUDIO_BYTES, .esit = AUDIO_BYTES, .interval = 3,
               .trbs = 256);
    return dev;
}

static unsigned select_audio(Hcd *h, HcdDev *dev, unsigned alternate)
{
    HcdSetup set_interface = {
        .type = 0x01, .request = 11, .value = alternate, .index = 1
    };

    td_setup(h, dev, set_interface);
    td_status(h, dev, .in = true, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    return 1;
}

/* Volume and mute of feature unit 2, read and written. */
static unsigned ask_audio(Hcd *h, HcdDev *dev, unsigned i)
{
    bool in = i & 1, volume = i & 2;
    HcdSetup request = { .type = in ? 0xa1 : 0x21,
                         .request = in ? 0x81 : 0x01,
                         .value = volume ? 0x201 : 0x100,
                         .index = 0x200,
                         .length = volume ? 2 : 1 };

    td_setup(h, dev, request);
    td_data(h, dev, .buf = hcd_alloc_filled(h, 8, 0), .len = request.length,
            .in = in);
    td_status(h, dev, .in = !in, .ioc = true);
    hcd_ring_ep(h, dev, 1);
    return 1;
}

/* Sound goes on while the device is asked, muted and set; a frame in which
 * the alternate is 0 has a STALL from QEMU's device, and no consequence. */
static void audio_and_control(void)
{
    enum { FRAMES = 200 };
    Hcd *h = hcd_start(.args = AUDIO_ARGS);
    HcdDev *dev = open_audio(h);
    uint64_t buf = hcd_alloc_filled(h, AUDIO_BYTES, 0x11);
    unsigned sound = 0, stalled = 0, asked = 0, answered = 0;
    HcdEvent event;

    select_audio(h, dev, 1);
    hcd_expect_te(h, .dev = dev, .dci = 1, .cc = CC_SUCCESS);
    for (unsigned i = 0; i < FRAMES; i++) {
        td_isoch(h, dev, AUDIO_OUT, .buf = buf, .len = AUDIO_BYTES, .sia = true,
                 .ioc = true);
    }
    hcd_ring_ep(h, dev, AUDIO_OUT);
    for (unsigned i = 0; i < FRAMES + 2; i++) {
        asked += i % 20 == 7    ? select_audio(h, dev, 0)
                 : i % 20 == 11 ? select_audio(h, dev, 1)
                                : ask_audio(h, dev, i);
        hcd_step_uf(h, 8);
        while (hcd_event_take(h, &event)) {
            sound += event.dci == AUDIO_OUT && event.cc == CC_SUCCESS;
            stalled += event.dci == AUDIO_OUT && event.cc == CC_STALL_ERROR;
            answered += event.dci == 1 && event.cc == CC_SUCCESS;
        }
    }
    hcd_check(asked == answered, "%u requests, %u answers", asked, answered);
    hcd_check(sound + stalled == FRAMES && stalled >= 30 && stalled <= 50,
              "%u TDs were sent and %u stalled, of %u", sound, stalled, FRAMES);
    hcd_check(hcd_ep_state(h, dev, AUDIO_OUT) == EP_STATE_RUNNING,
              "the endpoint is in state %u", hcd_ep_state(h, dev, AUDIO_OUT));
    check_alive(h);
}

/* The sound card is pulled out while it plays and is being asked. */
static void audio_unplug(void)
{
    Hcd *h = hcd_start(.args = AUDIO_ARGS);
    HcdDev *dev = open_audio(h);
    uint64_t buf = hcd_alloc_filled(h, AUDIO_BYTES, 0x11);

    select_audio(h, dev, 1);
    for (unsigned i = 0; i < 100; i++) {
        td_isoch(h, dev, AUDIO_OUT, .buf = buf, .len = AUDIO_BYTES, .sia = true,
                 .ioc = true);
    }
    hcd_ring_ep(h, dev, AUDIO_OUT);
    hcd_step_uf(h, 40);
    ask_audio(h, dev, 3);
    hcd_unplug(h, "audio");
    for (unsigned i = 0; i < 8; i++) {
        ask_audio(h, dev, i);
        hcd_step_uf(h, 100);
        hcd_event_drain(h);
    }
    hcd_expect_cc(hcd_cmd_simple(h, CMD_DISABLE_SLOT, dev->slot_id, 0, 0),
                  CC_SUCCESS);
    check_alive(h);
}

static void add_answers(void)
{
    unsigned kinds = ARRAY_SIZE(answer_cases);

    for (unsigned n = 0; n < kinds * ARRAY_SIZE(endpoint_cases); n++) {
        g_autofree char *name =
            g_strdup_printf("PEER/%s-%s", endpoint_names[n / kinds],
                            answer_cases[n % kinds].answer);

        hcd_test_add_data(name, answers, GUINT_TO_POINTER(n));
    }
}

#define ADD_ALL(cases, fn)                               \
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {     \
        hcd_test_add_data(cases[i].name, fn, &cases[i]); \
    }

int main(int argc, char **argv)
{
    add_answers();
    ADD_ALL(target_cases, interrupter_targets);
    ADD_ALL(length_cases, wlength_beyond);
    hcd_test_add("PEER/pin-of-interrupter-1", pin_of_interrupter_1);
    hcd_test_add_data("PEER/mps-0-in", mps_0, GUINT_TO_POINTER(1));
    hcd_test_add_data("PEER/mps-0-out", mps_0, GUINT_TO_POINTER(0));
    hcd_test_add("PEER/mps-0-of-ep0", mps_0_of_ep0);
    hcd_test_add_data("PEER/scattered-nowhere-first", scattered_nowhere,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("PEER/scattered-nowhere-last", scattered_nowhere,
                      GUINT_TO_POINTER(3));
    hcd_test_add_data("PEER/stream-contexts-two-level", stream_contexts,
                      GUINT_TO_POINTER(0));
    hcd_test_add_data("PEER/stream-contexts-linear", stream_contexts,
                      GUINT_TO_POINTER(1));
    hcd_test_add("PEER/audio-and-control", audio_and_control);
    hcd_test_add("PEER/audio-unplug", audio_unplug);
    return hcd_test_main(argc, argv);
}
