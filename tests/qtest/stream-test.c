/*
 * Streams (xHCI 1.2 §4.12, §6.2.4): many rings behind one bulk endpoint. The
 * device is usb-puppet at SuperSpeed, which has 16 streams and sends of each
 * nothing but its ID, so that a buffer says whose data it got.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/hcd.h"
#include "compat.h"

enum {
    BYTES = 64,
    IDS = 64,         /* that the tests give rings to */
    PSA_ENTRIES = 64, /* as many as the largest array that they use */
    WAIT_UF = 16,
};

/* A bulk IN endpoint with streams. */
typedef struct {
    Hcd *h;
    HcdDev *dev;
    uint64_t array;
    HcdRing ring[IDS];
    uint64_t trb[IDS]; /* the last that was queued */
    uint64_t buf[IDS];
} Streams;

#define PUPPET_SUPER "-device usb-puppet,id=puppet,bus=xhci.0,speed=super"

static void put_context(Streams *s, uint64_t array, unsigned index,
                        uint64_t pointer, unsigned sct)
{
    uint64_t at = array + 16 * index;

    qtest_writeq(s->h->qts, at, pointer | xhci_set(0, STREAM_SCT, sct));
    qtest_writeq(s->h->qts, at + 8, ~UINT64_C(0)); /* the controller's */
}

/* Gives a stream a ring, in the entry of an array. */
static void put_ring(Streams *s, unsigned id, uint64_t array, unsigned index,
                     unsigned sct)
{
    s->ring[id] = hcd_ring_new(s->h, 8);
    put_context(s, array, index, s->ring[id].base | 1, sct);
}

static unsigned configure(Streams *s, unsigned max_pstreams, bool lsa)
{
    Hcd *h = s->h;
    const unsigned index = PUPPET_IN + 1;

    hcd_ep_prepare(h, s->dev,
                   (HcdEp){ .dci = PUPPET_IN,
                            .type = EP_TYPE_BULK_IN,
                            .mps = s->dev->speed == SPEED_HIGH ? 512 : 1024 });
    hcd_in_write(h, s->dev, index, 0,
                 xhci_set(lsa ? EP_LSA : 0, EP_MAX_PSTREAMS, max_pstreams));
    hcd_in_write(h, s->dev, index, 2, s->array);
    hcd_in_write(h, s->dev, index, 3, s->array >> 32);
    return hcd_cmd_configure(h, s->dev, 1u << PUPPET_IN | 1, 0);
}

static Streams *begin(const char *props)
{
    Streams *s = g_new0(Streams, 1);

    s->h =
        hcd_start(.puppet_in_args = true, .args = PUPPET_SUPER, .props = props);
    s->dev = hcd_puppet_configured(s->h);
    s->array = hcd_alloc(s->h, 16 * PSA_ENTRIES, 4096);
    return s;
}

/* Linear, 8 entries: streams 1 to 7 have rings. */
static Streams *begin_linear(void)
{
    Streams *s = begin(NULL);

    for (unsigned id = 1; id < 8; id++) {
        put_ring(s, id, s->array, id, SCT_PRIMARY_RING);
    }
    hcd_expect_cc(configure(s, 2, true), CC_SUCCESS);
    return s;
}

static void end(Streams *s)
{
    hcd_finish(s->h);
    g_free(s);
}

static void ring(Streams *s, unsigned id)
{
    hcd_doorbell(s->h, s->dev->slot_id,
                 xhci_set(xhci_set(0, DB_TARGET, PUPPET_IN), DB_STREAM_ID, id));
}

static void queue(Streams *s, unsigned id)
{
    uint32_t dw2 = xhci_set(0, TRB_LENGTH, BYTES);

    s->buf[id] = hcd_alloc_filled(s->h, BYTES, 0xee);
    s->trb[id] = hcd_ring_put(
        s->h, &s->ring[id], hcd_trb_ptr(TRB_NORMAL, s->buf[id], dw2, TRB_IOC));
}

static void submit(Streams *s, unsigned id)
{
    queue(s, id);
    ring(s, id);
}

static void expect_data(Streams *s, unsigned id)
{
    hcd_expect_te(s->h, .dev = s->dev, .dci = PUPPET_IN, .ptr = s->trb[id],
                  .cc = CC_SUCCESS);
    hcd_check(hcd_mem_is(s->h, s->buf[id], BYTES, id),
              "the buffer of stream %u does not hold its data", id);
}

static void expect_failure(Streams *s, unsigned cc)
{
    HcdEvent event = hcd_expect_type(s->h, EVT_TRANSFER);

    hcd_check(event.cc == cc && event.dci == PUPPET_IN && event.ptr == 0,
              "code %u, DCI %u, pointer %" PRIx64 "; expected code %u and 0",
              event.cc, event.dci, event.ptr, cc);
}

static void expect_state(Streams *s, unsigned want)
{
    unsigned state = hcd_ep_state(s->h, s->dev, PUPPET_IN);

    hcd_check(state == want, "the endpoint is in state %u, expected %u", state,
              want);
}

static void transfer(Streams *s, unsigned id)
{
    submit(s, id);
    expect_data(s, id);
}

static void release(Streams *s, const char *id)
{
    qtest_qmp_assert_success(
        s->h->qts,
        "{'execute': 'qom-set', 'arguments': {'path': "
        "'/machine/peripheral/puppet', 'property': 'release-stream',"
        " 'value': %s}}",
        id);
    hcd_step_uf(s->h, 1);
}

static unsigned set_dequeue(Streams *s, unsigned id, uint64_t pointer,
                            unsigned sct)
{
    xhci_trb trb =
        hcd_cmd_trb(CMD_SET_TR_DEQUEUE, s->dev->slot_id, PUPPET_IN, 0);

    trb.dw[0] = xhci_set((uint32_t)pointer, TRB_SCT, sct);
    trb.dw[1] = pointer >> 32;
    trb.dw[2] = xhci_set(0, TRB_STREAM_ID, id);
    return hcd_cmd(s->h, trb).cc;
}

static void expect_context(Streams *s, uint64_t at, uint64_t pointer,
                           unsigned sct)
{
    uint64_t got = qtest_readq(s->h->qts, at);
    uint64_t want = pointer | xhci_set(0, STREAM_SCT, sct);
    uint32_t edtla = qtest_readl(s->h->qts, at + 8) & 0xffffff;

    hcd_check(got == want && edtla == 0,
              "the Stream Context at %" PRIx64 " is %" PRIx64
              ", Stopped EDTLA %u; expected %" PRIx64 " and 0",
              at, got, edtla, want);
}

static void str01_size(void)
{
    Streams *s = begin(NULL);
    unsigned size =
        xhci_get(hcd_cap_read(s->h, XHCI_HCCPARAMS1), HCC1_MAXPSASIZE);

    hcd_check(size >= 1, "MaxPSASize is 0: there are no streams");
    hcd_expect_cc(configure(s, size + 1, true), CC_PARAMETER_ERROR);
    expect_state(s, EP_STATE_DISABLED);
    hcd_expect_cc(configure(s, size, true), CC_SUCCESS);
    end(s);
}

static void str01_off(void)
{
    Streams *s = begin("streams=off");

    hcd_check(xhci_get(hcd_cap_read(s->h, XHCI_HCCPARAMS1), HCC1_MAXPSASIZE) ==
                  0,
              "MaxPSASize is not 0");
    hcd_expect_cc(configure(s, 1, true), CC_PARAMETER_ERROR);
    end(s);
}

/* §6.2.3: streams are of SuperSpeed bulk endpoints. */
static void str01_speed(void)
{
    Streams *s = g_new0(Streams, 1);

    s->h = hcd_start(.puppet = true);
    s->dev = hcd_puppet_configured(s->h);
    s->array = hcd_alloc(s->h, 16 * PSA_ENTRIES, 4096);
    hcd_expect_cc(configure(s, 1, true), CC_PARAMETER_ERROR);
    end(s);
}

static void str02_linear(void)
{
    Streams *s = begin_linear();

    for (unsigned id = 1; id < 8; id++) {
        transfer(s, id);
    }
    end(s);
}

/* A Stream Context that is no ring: the endpoint halts, and recovers. */
static void str02_type(const void *data)
{
    unsigned sct = GPOINTER_TO_UINT(data);
    Streams *s = begin_linear();

    put_context(s, s->array, 3, s->ring[3].base | 1, sct);
    submit(s, 3);
    expect_failure(s, CC_INVALID_STREAM_TYPE);
    expect_state(s, EP_STATE_HALTED);
    put_context(s, s->array, 3, s->ring[3].base | 1, SCT_PRIMARY_RING);
    hcd_expect_cc(hcd_cmd_reset_ep(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    transfer(s, 2);
    ring(s, 3);
    expect_data(s, 3);
    end(s);
}

/* 4 primary entries: 1 is a ring, 2 an array of 8, 3 one of 16. */
static Streams *begin_two_levels(uint64_t *of_8, uint64_t *of_16)
{
    Streams *s = begin(NULL);

    *of_8 = hcd_alloc(s->h, 16 * 8, 64);
    *of_16 = hcd_alloc(s->h, 16 * 16, 64);
    put_ring(s, 1, s->array, 1, SCT_PRIMARY_RING);
    put_context(s, s->array, 2, *of_8, SCT_SECONDARY_8);
    put_context(s, s->array, 3, *of_16, SCT_SECONDARY_8 + 1);
    for (unsigned index = 0; index < 8; index++) {
        put_ring(s, index * 4 + 2, *of_8, index, SCT_SECONDARY_RING);
    }
    for (unsigned index = 0; index < 16; index++) {
        put_ring(s, index * 4 + 3, *of_16, index, SCT_SECONDARY_RING);
    }
    hcd_expect_cc(configure(s, 1, false), CC_SUCCESS);
    return s;
}

static void str03_secondary(void)
{
    uint64_t of_8, of_16;
    Streams *s = begin_two_levels(&of_8, &of_16);
    static const unsigned ids[] = { 1, 2, 6, 14, 3, 7, 15 };

    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        transfer(s, ids[i]);
    }
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    expect_context(s, of_8 + 16 * 3, hcd_ring_next(&s->ring[14]) | 1,
                   SCT_SECONDARY_RING);
    end(s);
}

static void str03_bounds(void)
{
    uint64_t of_8, of_16;
    Streams *s = begin_two_levels(&of_8, &of_16);

    ring(s, 8 * 4 + 2);
    expect_failure(s, CC_INVALID_STREAM_ID);
    ring(s, 16 * 4 + 3);
    expect_failure(s, CC_INVALID_STREAM_ID);
    ring(s, 4); /* it leads to entry 0 */
    expect_failure(s, CC_INVALID_STREAM_ID);
    expect_state(s, EP_STATE_RUNNING);
    transfer(s, 6);
    ring(s, 4 + 1); /* behind a ring there is no array */
    expect_failure(s, CC_INVALID_STREAM_TYPE);
    end(s);
}

static void str03_type(void)
{
    uint64_t of_8, of_16;
    Streams *s = begin_two_levels(&of_8, &of_16);

    put_context(s, of_8, 1, s->ring[6].base | 1, SCT_PRIMARY_RING);
    submit(s, 6);
    expect_failure(s, CC_INVALID_STREAM_TYPE);
    expect_state(s, EP_STATE_HALTED);
    end(s);
}

static void str04_bad_id(void)
{
    static const unsigned ids[] = { 0, 8, 9, 0x100, 0xfffe, 0xffff };
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        ring(s, ids[i]);
        expect_failure(s, CC_INVALID_STREAM_ID);
    }
    expect_state(s, EP_STATE_RUNNING);
    release(s, "1");
    expect_data(s, 1);
    end(s);
}

/* §4.6.9: both are told, and every context is exact. */
static void str05_stop(void)
{
    Streams *s = begin_linear();

    transfer(s, 2);
    hcd_puppet_answer(s->h, "hold");
    submit(s, 5);
    submit(s, 3);
    hcd_step_uf(s->h, WAIT_UF);
    hcd_cmd_post(s->h,
                 hcd_cmd_trb(CMD_STOP_ENDPOINT, s->dev->slot_id, PUPPET_IN, 0));
    hcd_doorbell(s->h, 0, 0);
    hcd_expect_te(s->h, .dev = s->dev, .dci = PUPPET_IN, .ptr = s->trb[5],
                  .cc = CC_STOPPED, .len = BYTES);
    hcd_expect_te(s->h, .dev = s->dev, .dci = PUPPET_IN, .ptr = s->trb[3],
                  .cc = CC_STOPPED, .len = BYTES);
    hcd_expect_type(s->h, EVT_COMMAND_COMPLETION);
    expect_state(s, EP_STATE_STOPPED);
    expect_context(s, s->array + 16 * 5, s->trb[5] | 1, SCT_PRIMARY_RING);
    expect_context(s, s->array + 16 * 3, s->trb[3] | 1, SCT_PRIMARY_RING);
    expect_context(s, s->array + 16 * 2, hcd_ring_next(&s->ring[2]) | 1,
                   SCT_PRIMARY_RING);
    hcd_check(hcd_ep_dequeue(s->h, s->dev, PUPPET_IN) == s->array,
              "the Endpoint Context points elsewhere than to the array");
    end(s);
}

static void str05_stop_idle(void)
{
    Streams *s = begin_linear();

    transfer(s, 4);
    hcd_cmd_post(s->h,
                 hcd_cmd_trb(CMD_STOP_ENDPOINT, s->dev->slot_id, PUPPET_IN, 0));
    hcd_doorbell(s->h, 0, 0);
    expect_failure(s, CC_STOPPED_LENGTH_INVALID);
    hcd_expect_type(s->h, EVT_COMMAND_COMPLETION);
    end(s);
}

static void str06_set_dequeue(void)
{
    Streams *s = begin_linear();
    uint64_t endpoint = hcd_ep_dequeue(s->h, s->dev, PUPPET_IN);

    hcd_puppet_answer(s->h, "hold");
    submit(s, 3);
    queue(s, 3);
    hcd_expect_cc(set_dequeue(s, 3, s->trb[3] | 1, SCT_PRIMARY_RING),
                  CC_CONTEXT_STATE_ERROR);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    hcd_event_drain(s->h);
    hcd_expect_cc(set_dequeue(s, 3, s->trb[3] | 1, SCT_PRIMARY_RING),
                  CC_SUCCESS);
    expect_context(s, s->array + 16 * 3, s->trb[3] | 1, SCT_PRIMARY_RING);
    hcd_check(hcd_ep_dequeue(s->h, s->dev, PUPPET_IN) == endpoint,
              "the Endpoint Context has changed");
    hcd_puppet_answer(s->h, "success");
    ring(s, 3);
    expect_data(s, 3);
    end(s);
}

/* Of a stream that was never rung, and what is refused. */
static void str06_refusals(void)
{
    Streams *s = begin_linear();
    uint64_t was = qtest_readq(s->h->qts, s->array + 16 * 6);
    uint64_t base = s->ring[6].base;

    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    hcd_event_drain(s->h);
    hcd_expect_cc(set_dequeue(s, 0, base | 1, SCT_PRIMARY_RING),
                  CC_INVALID_STREAM_ID);
    hcd_expect_cc(set_dequeue(s, 8, base | 1, SCT_PRIMARY_RING),
                  CC_INVALID_STREAM_ID);
    hcd_expect_cc(set_dequeue(s, 6, base | 1, SCT_SECONDARY_RING),
                  CC_INVALID_STREAM_TYPE);
    hcd_expect_cc(set_dequeue(s, 6, base | 1, SCT_SECONDARY_8),
                  CC_INVALID_STREAM_TYPE);
    hcd_check(qtest_readq(s->h->qts, s->array + 16 * 6) == was,
              "a refused command has changed the Stream Context");
    queue(s, 6);
    queue(s, 6);
    hcd_expect_cc(set_dequeue(s, 6, s->trb[6] | 1, SCT_PRIMARY_RING),
                  CC_SUCCESS);
    expect_context(s, s->array + 16 * 6, s->trb[6] | 1, SCT_PRIMARY_RING);
    ring(s, 6);
    expect_data(s, 6);
    end(s);
}

static void str07_interleave(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    submit(s, 2);
    submit(s, 7);
    release(s, "7");
    expect_data(s, 7);
    release(s, "1");
    expect_data(s, 1);
    submit(s, 7);
    release(s, "7");
    expect_data(s, 7);
    release(s, "2");
    expect_data(s, 2);
    end(s);
}

/* After a stop, a stream goes on at its own doorbell. */
static void str07_doorbells(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    submit(s, 2);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    hcd_event_drain(s->h);
    hcd_puppet_answer(s->h, "success");
    ring(s, 2);
    expect_data(s, 2);
    hcd_expect_quiet(s->h, 8 * WAIT_UF);
    ring(s, 1);
    expect_data(s, 1);
    end(s);
}

/* §4.8.3: one endpoint, one state. */
static void halt_of_all(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    submit(s, 2);
    hcd_puppet_answer(s->h, "stall");
    release(s, "2");
    hcd_expect_te(s->h, .dev = s->dev, .dci = PUPPET_IN, .ptr = s->trb[2],
                  .cc = CC_STALL_ERROR, .len = BYTES);
    expect_state(s, EP_STATE_HALTED);
    hcd_check(hcd_puppet_count(s->h, "cancelled") == 1,
              "the packet of the other stream is still with the device");
    ring(s, 1);
    hcd_expect_quiet(s->h, WAIT_UF);
    hcd_expect_cc(hcd_cmd_reset_ep(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    hcd_puppet_answer(s->h, "success");
    ring(s, 1);
    expect_data(s, 1);
    ring(s, 2);
    expect_data(s, 2);
    end(s);
}

static void wake_one(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "nak");
    submit(s, 1);
    submit(s, 2);
    hcd_puppet_answer(s->h, "success");
    hcd_puppet_do(s->h, "wake");
    hcd_step_uf(s->h, 1);
    expect_data(s, 2);
    hcd_expect_quiet(s->h, WAIT_UF);
    ring(s, 1);
    hcd_expect_quiet(s->h, WAIT_UF);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    hcd_event_drain(s->h);
    ring(s, 1);
    expect_data(s, 1);
    end(s);
}

/* Streams that the device has not are never started by it. */
static void unknown_to_device(void)
{
    Streams *s = begin(NULL);
    uint64_t packets;

    for (unsigned id = 1; id < 32; id++) {
        put_ring(s, id, s->array, id, SCT_PRIMARY_RING);
    }
    hcd_expect_cc(configure(s, 4, true), CC_SUCCESS);
    packets = hcd_puppet_count(s->h, "packets");
    submit(s, 17);
    hcd_expect_quiet(s->h, WAIT_UF);
    hcd_check(hcd_puppet_count(s->h, "packets") == packets,
              "the device got a packet of a stream that it has not");
    transfer(s, 16);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    end(s);
}

static void unplug(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    submit(s, 2);
    hcd_step_uf(s->h, WAIT_UF);
    hcd_unplug(s->h, "puppet");
    hcd_expect_type(s->h, EVT_PORT_STATUS_CHANGE);
    hcd_expect_te(s->h, .dev = s->dev, .dci = PUPPET_IN, .ptr = s->trb[1],
                  .cc = CC_USB_TRANSACTION_ERROR, .len = BYTES);
    hcd_event_drain(s->h);
    hcd_expect_cc(hcd_cmd_simple(s->h, CMD_DISABLE_SLOT, s->dev->slot_id, 0, 0),
                  CC_SUCCESS);
    end(s);
}

static void halt_controller(void)
{
    Streams *s = begin_linear();

    transfer(s, 2);
    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    hcd_halt(s->h);
    expect_context(s, s->array + 16 * 1, s->trb[1] | 1, SCT_PRIMARY_RING);
    expect_context(s, s->array + 16 * 2, hcd_ring_next(&s->ring[2]) | 1,
                   SCT_PRIMARY_RING);
    put_ring(s, 1, s->array, 1, SCT_PRIMARY_RING);
    hcd_run(s->h);
    hcd_puppet_answer(s->h, "success");
    transfer(s, 1);
    transfer(s, 2);
    end(s);
}

static void migrate(void)
{
    Streams *s = begin_linear();

    hcd_puppet_answer(s->h, "hold");
    submit(s, 1);
    submit(s, 2);
    hcd_puppet_answer(s->h, "success");
    transfer(s, 4);
    hcd_migrate(s->h);
    hcd_step_uf(s->h, WAIT_UF);
    expect_data(s, 1);
    expect_data(s, 2);
    transfer(s, 4);
    transfer(s, 7);
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    for (unsigned id = 1; id <= 4; id += id) {
        expect_context(s, s->array + 16 * id, hcd_ring_next(&s->ring[id]) | 1,
                       SCT_PRIMARY_RING);
    }
    end(s);
}

/* strict=on: what no array can have. */
static void strict(void)
{
    Streams *s = begin("strict=on");
    QDict *reply;
    const char *log;

    put_ring(s, 1, s->array, 1, SCT_PRIMARY_RING);
    hcd_expect_cc(configure(s, 1, false), CC_SUCCESS);
    transfer(s, 1);
    ring(s, 8);
    reply = qtest_qmp(s->h->qts,
                      "{'execute': 'qom-get', 'arguments': {'path': "
                      "'/machine/peripheral/xhci', 'property': 'strict-log'}}");
    log = qdict_get_str(reply, "return");
    hcd_check(strstr(log, "4.12") && !strchr(strchr(log, '\n') + 1, '\n'),
              "the log is not one line about a Stream ID: %s", log);
    qobject_unref(reply);
    end(s);
}

/* More waiting streams than the controller keeps: the last ones are told. */
static void no_room(void)
{
    enum { ENTRIES = 256, LAST = 4 * ENTRIES + 1 };
    Streams *s = begin(NULL);
    uint64_t at = hcd_alloc(s->h, 16 * ENTRIES, 64);
    unsigned refused = 0;
    HcdEvent event;

    put_ring(s, 1, at, 0, SCT_SECONDARY_RING);
    for (unsigned i = 0; i < ENTRIES; i++) {
        put_context(s, at, i, s->ring[1].base | 1, SCT_SECONDARY_RING);
    }
    for (unsigned i = 1; i < 8; i++) {
        put_context(s, s->array, i, at, SCT_SECONDARY_8 + 5);
    }
    hcd_expect_cc(configure(s, 2, false), CC_SUCCESS);
    queue(s, 1);
    for (unsigned id = 17; id < 17 + 8 * ENTRIES && id < 8 * ENTRIES; id++) {
        if (id % 8) {
            ring(s, id);
            refused += hcd_event_wait(s->h, 0, &event) &&
                       event.cc == CC_RESOURCE_ERROR;
        }
    }
    hcd_check(refused > 0, "as many streams wait as the driver likes");
    hcd_expect_cc(hcd_cmd_stop(s->h, s->dev, PUPPET_IN), CC_SUCCESS);
    end(s);
}

int main(int argc, char **argv)
{
    hcd_test_add("STR-01/maxpstreams-within-maxpsasize", str01_size);
    hcd_test_add("STR-01/streams-off", str01_off);
    hcd_test_add("STR-01/not-at-high-speed", str01_speed);
    hcd_test_add("STR-02/a-linear-array", str02_linear);
    hcd_test_add_data("STR-02/sct-0-10", str02_type, GUINT_TO_POINTER(0));
    hcd_test_add_data("STR-02/sct-2-10", str02_type, GUINT_TO_POINTER(2));
    hcd_test_add("STR-03/secondary-arrays", str03_secondary);
    hcd_test_add("STR-03/bounds-of-secondary-arrays", str03_bounds);
    hcd_test_add("STR-03/sct-in-a-secondary-array", str03_type);
    hcd_test_add_data("FP-10/the-endpoint-halts-and-recovers", str02_type,
                      GUINT_TO_POINTER(7));
    hcd_test_add("STR-04/a-bad-stream-id", str04_bad_id);
    hcd_test_add("FP-34/other-streams-go-on", str04_bad_id);
    hcd_test_add("STR-05/stop-with-two-in-flight", str05_stop);
    hcd_test_add("STR-05/stop-with-none", str05_stop_idle);
    hcd_test_add("STR-06/set-tr-dequeue-pointer", str06_set_dequeue);
    hcd_test_add("STR-06/refusals", str06_refusals);
    hcd_test_add("STR-07/streams-interleave", str07_interleave);
    hcd_test_add("STR-07/a-doorbell-for-each-after-a-stop", str07_doorbells);
    hcd_test_add("STR-05/a-stall-halts-all-streams", halt_of_all);
    hcd_test_add("STR-07/a-device-wakes-one-stream", wake_one);
    hcd_test_add("STR-04/streams-that-the-device-has-not", unknown_to_device);
    hcd_test_add("STR-07/unplugged", unplug);
    hcd_test_add("STR-05/the-controller-halts", halt_controller);
    hcd_test_add("STR-07/migrated", migrate);
    hcd_test_add("STR-04/strict", strict);
    hcd_test_add("STR-04/no-room-for-more", no_room);
    return hcd_test_main(argc, argv);
}
