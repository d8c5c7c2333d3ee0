/*
 * ixhci's capture (hw/capture): what a test has put on the bus is in the file,
 * record by record, each in its microframe and with its own status.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "lib/iso.h"
#include "compat.h"

#include <glib/gstdio.h>

enum { EVERY_UF = 1, EVERY_FRAME = 4 }; /* alternates */
enum { ISOCH, INTERRUPT, CONTROL, BULK };
enum { HEAD = 64, DESCRIPTOR = 16 };

typedef struct {
    uint64_t id, uf;
    char type;
    unsigned xfer, ep, dev;
    bool has_setup;
    char data_flag;
    int32_t status; /* of an isochronous one, its descriptor's */
    uint32_t bytes;
    uint8_t setup[8];
    uint32_t interval, start_frame, flags;
    const uint8_t *data;
    uint32_t captured;
} Record;

typedef struct {
    char *path;
    uint8_t *bytes;
    size_t count, at;
    unsigned records;
} Capture;

static uint32_t word(const uint8_t *at)
{
    return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

static Capture *capture_new(void)
{
    Capture *c = g_new0(Capture, 1);

    c->path =
        g_strdup_printf("%s/isolab-capture-%d.pcap", g_get_tmp_dir(), getpid());
    g_unlink(c->path);
    return c;
}

static void capture_free(Capture *c)
{
    g_unlink(c->path);
    g_free(c->path);
    g_free(c->bytes);
    g_free(c);
}

/* NULL: it is done; otherwise why not (g_free). */
static char *set_capture(Hcd *h, const char *value)
{
    QDict *reply = qtest_qmp(
        h->qts,
        "{'execute': 'qom-set', 'arguments': {'path': "
        "'/machine/peripheral/xhci', 'property': 'capture', 'value': %s}}",
        value);
    char *why = NULL;

    if (qdict_haskey(reply, "error")) {
        why = g_strdup(qdict_get_str(qdict_get_qdict(reply, "error"), "desc"));
    }
    qobject_unref(reply);
    return why;
}

static void expect_capture(Hcd *h, const char *value)
{
    QDict *reply = qtest_qmp(
        h->qts, "{'execute': 'qom-get', 'arguments': {'path': "
                "'/machine/peripheral/xhci', 'property': 'capture'}}");

    g_assert_cmpstr(qdict_get_str(reply, "return"), ==, value);
    qobject_unref(reply);
}

static void start(Hcd *h, Capture *c)
{
    g_assert_null(set_capture(h, c->path));
    expect_capture(h, c->path);
}

/* The file's header is looked at here, too. */
static void open_file(Capture *c)
{
    static const uint8_t header[20] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 };

    g_assert_true(
        g_file_get_contents(c->path, (char **)&c->bytes, &c->count, NULL));
    g_assert_cmpuint(c->count, >=, 24);
    g_assert_cmpmem(c->bytes, 16, header, 16);
    g_assert_cmpuint(word(c->bytes + 20), ==, 220);
    c->at = 24;
}

static void stop(Hcd *h, Capture *c)
{
    g_assert_null(set_capture(h, ""));
    expect_capture(h, "");
    open_file(c);
}

static void check_times(const uint8_t *pcap, const uint8_t *at)
{
    hcd_check(word(pcap) == word(at + 16) && word(at + 20) == 0 &&
                  word(pcap + 4) == word(at + 24),
              "the two times of a record differ");
    hcd_check(word(pcap + 4) % 125 == 0, "%u us is in no microframe",
              word(pcap + 4));
}

/* An isochronous URB has one descriptor, of all its bytes. */
static const uint8_t *take_descriptor(Record *r, const uint8_t *at)
{
    int32_t urb_status = r->type == 'S' ? -115 : 0;

    hcd_check(r->status == urb_status, "the URB's status is %d", r->status);
    r->status = word(at);
    hcd_check(word(at + 4) == 0 && word(at + 8) == r->bytes &&
                  word(at + 12) == 0,
              "the descriptor has offset %u and length %u, the URB %u",
              word(at + 4), word(at + 8), r->bytes);
    hcd_check(word(r->setup) == (r->type == 'C' && r->status != 0) &&
                  word(r->setup + 4) == 1,
              "%u errors in %u descriptors", word(r->setup),
              word(r->setup + 4));
    return at + DESCRIPTOR;
}

static bool next(Capture *c, Record *r)
{
    const uint8_t *pcap = c->bytes + c->at, *at = pcap + 16;
    uint32_t length;

    if (c->at == c->count) {
        return false;
    }
    g_assert_cmpuint(c->count - c->at, >=, 16 + HEAD);
    length = word(pcap + 8);
    g_assert_cmpuint(c->count - c->at, >=, 16 + length);
    g_assert_cmpuint(word(at + 36), ==, length - HEAD);
    check_times(pcap, at);
    *r = (Record){
        .id = word(at) | (uint64_t)word(at + 4) << 32,
        .uf = word(at + 16) * UINT64_C(8000) + word(at + 24) / 125,
        .type = at[8],
        .xfer = at[9],
        .ep = at[10],
        .dev = at[11],
        .has_setup = at[14] == 0,
        .data_flag = at[15],
        .status = word(at + 28),
        .bytes = word(at + 32),
        .interval = word(at + 48),
        .start_frame = word(at + 52),
        .flags = word(at + 56),
    };
    memcpy(r->setup, at + 40, 8);
    g_assert_cmpuint(word(at + 60), ==, r->xfer == ISOCH);
    r->data = r->xfer == ISOCH ? take_descriptor(r, at + HEAD) : at + HEAD;
    r->captured = at + length - r->data;
    c->at += 16 + length;
    c->records++;
    return true;
}

/* The next transfer: it begins and, nothing in between, ends. */
static void expect_pair_at(Capture *c, int line, Record *s, Record *e)
{
    if (!next(c, s) || !next(c, e)) {
        hcd_fail(__FILE__, line, "there are %u records and no more",
                 c->records);
    }
    if (s->type != 'S' || e->type != 'C' || s->id != e->id || !s->id ||
        s->ep != e->ep || s->dev != e->dev || s->xfer != e->xfer) {
        hcd_fail(__FILE__, line,
                 "record %u: %c, id %" PRIu64 ", endpoint %02x, "
                 "before %c, id %" PRIu64 ", endpoint %02x",
                 c->records, s->type, s->id, s->ep, e->type, e->id, e->ep);
    }
    g_assert_cmpint(s->status, ==, s->xfer == ISOCH ? -18 : -115);
    g_assert_cmpint(s->has_setup, ==, s->xfer == CONTROL);
    g_assert_false(e->has_setup);
    g_assert_cmphex(s->flags & 0x200, ==, s->ep & 0x80 ? 0x200 : 0);
}
#define expect_pair(c, s, e) expect_pair_at(c, __LINE__, s, e)

static void expect_no_more(Capture *c)
{
    Record r;

    hcd_check(!next(c, &r), "there is a record more: %c of endpoint %02x",
              r.type, r.ep);
}

static void expect_bytes(Hcd *h, const Record *r, uint64_t gpa, uint32_t bytes)
{
    g_autofree uint8_t *ideal = g_malloc(bytes + 1);

    qtest_bufread(h->qts, gpa, ideal, bytes + 1);
    g_assert_cmpuint(r->bytes, ==, bytes);
    g_assert_cmpint(r->data_flag, ==, 0);
    g_assert_cmpmem(r->data, r->captured, ideal, bytes);
}

/* A stream: by one event for all, which is served in one batch, or by each. */
static void stream(const void *data)
{
    unsigned alternate = GPOINTER_TO_UINT(data) & 7;
    bool in_batch = GPOINTER_TO_UINT(data) & 8;
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, alternate);
    Capture *c = capture_new();
    Record s, e;
    uint64_t last = 0;

    start(h, c);
    for (unsigned i = 0; i < 20; i++) {
        in->buf[i] = hcd_alloc_filled(h, in->bytes, 0xaa);
        td_isoch(h, in->dev, ISOAV_IN, .buf = in->buf[i], .len = in->bytes,
                 .ioc = !in_batch || i == 19, .sia = true);
    }
    iso_in_doorbell(in);
    hcd_step_uf(h, 30 * in->esit_uf);
    stop(h, c);
    for (unsigned i = 0; i < 20; i++) {
        uint64_t uf = hcd_isoav_microframe(h, in->buf[i], in->bytes);

        expect_pair(c, &s, &e);
        g_assert_cmpuint(s.xfer, ==, ISOCH);
        g_assert_cmphex(s.ep, ==, 0x82);
        g_assert_cmpuint(s.dev, ==, in->dev->slot_id);
        g_assert_cmpuint(s.uf, ==, uf);
        g_assert_cmpuint(e.uf, ==, uf);
        g_assert_cmpuint(s.interval, ==, in->esit_uf);
        g_assert_cmpuint(e.interval, ==, in->esit_uf);
        g_assert_cmpuint(s.start_frame, ==, e.start_frame);
        g_assert_cmpuint((s.start_frame - hcd_mfindex(h)) & 0x3fff, ==,
                         (uf - hcd_now_uf(h)) & 0x3fff);
        g_assert_cmphex(s.flags, ==, 0x202);
        g_assert_cmpuint(s.bytes, ==, in->bytes);
        g_assert_cmpint(s.data_flag, ==, '<');
        g_assert_cmpint(e.status, ==, 0);
        expect_bytes(h, &e, in->buf[i], in->bytes);
        g_assert_true(i == 0 || uf == last + in->esit_uf);
        last = uf;
    }
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

/* OUT: the data is where it begins. */
static void stream_out(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    HcdDev *dev = hcd_isoav_open(h, EVERY_UF);
    uint64_t buf = hcd_isoav_out_packet(h, 7, 100);
    Capture *c = capture_new();
    Record s, e;

    start(h, c);
    td_isoch(h, dev, ISOAV_OUT, .buf = buf, .len = 100, .sia = true,
             .ioc = true);
    hcd_ring_ep(h, dev, ISOAV_OUT);
    hcd_step_uf(h, 8);
    stop(h, c);
    expect_pair(c, &s, &e);
    g_assert_cmphex(s.ep, ==, 0x02);
    expect_bytes(h, &s, buf, 100);
    g_assert_cmpint(e.data_flag, ==, '>');
    g_assert_cmpint(e.status, ==, 0);
    g_assert_cmpuint(e.bytes, ==, 100);
    g_assert_cmpuint(e.captured, ==, 0);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

/* A TD whose frame has passed is not on the bus, and in the file. */
static void missed(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    Capture *c = capture_new();
    Record s, e;
    IsoFrame now;

    hcd_step_uf(h, 160);
    start(h, c);
    now = iso_frame_now(h);
    iso_in_queue_frame(in, iso_frame_id(now, -5));
    iso_in_queue_frame(in, iso_frame_id(now, 4));
    iso_in_doorbell(in);
    hcd_step_uf(h, 80);
    stop(h, c);
    expect_pair(c, &s, &e);
    g_assert_cmpint(e.status, ==, -18);
    g_assert_cmpuint(s.bytes, ==, in->bytes);
    g_assert_cmpuint(e.bytes, ==, 0);
    g_assert_cmpuint(e.captured, ==, 0);
    expect_pair(c, &s, &e);
    g_assert_cmpint(e.status, ==, 0);
    g_assert_cmpuint(e.uf, ==, iso_frame_uf(now, 4));
    g_assert_cmphex(e.flags, ==, 0x200);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

typedef struct {
    const char *name;
    const char *answer;
    bool isoch;
    unsigned len;
    int status;
    unsigned bytes; /* that have come */
} Answer;

/* The puppet fills the packet, with 1024 bytes, or comes half as far. */
static const Answer answers[] = {
    { "bulk-success", "success", false, 64, 0, 64 },
    { "bulk-short", "short", false, 64, 0, 32 },
    { "bulk-stall", "stall", false, 64, -32, 0 },
    { "bulk-babble", "babble", false, 64, -75, 0 },
    { "bulk-error", "ioerror", false, 64, -71, 0 },
    { "isoch-success", "success", true, 1024, 0, 1024 },
    { "isoch-short", "short", true, 1024, 0, 512 },
    { "isoch-buffer-overrun", "success", true, 64, -75, 64 },
    { "isoch-bandwidth-overrun", "success", true, 2048, -70, 1024 },
    { "isoch-stall", "stall", true, 1024, -71, 0 },
    { "isoch-babble", "babble", true, 1024, -75, 0 },
    { "isoch-error", "ioerror", true, 1024, -71, 0 },
    { "isoch-nak", "nak", true, 1024, -71, 0 },
    { "isoch-hold", "hold", true, 1024, -71, 0 },
};

static HcdDev *open_puppet(Hcd *h)
{
    HcdDev *dev = hcd_puppet_open(h);

    hcd_ep_add(h, dev, .dci = PUPPET_ISOCH_IN, .type = EP_TYPE_ISOCH_IN,
               .mps = 1024, .esit = 1024, .interval = 3);
    hcd_ep_add(h, dev, .dci = PUPPET_INT, .type = EP_TYPE_INTERRUPT_IN,
               .mps = 64, .esit = 64, .interval = 3);
    return dev;
}

static void answered(const void *data)
{
    const Answer *a = data;
    unsigned dci = a->isoch ? PUPPET_ISOCH_IN : PUPPET_IN;
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_puppet(h);
    uint64_t buf = hcd_alloc_filled(h, 2048, 0xaa);
    Capture *c = capture_new();
    Record s, e;

    start(h, c);
    hcd_puppet_answer(h, a->answer);
    hcd_td(h, dev, dci,
           (HcdTd){ .type = a->isoch ? TRB_ISOCH : TRB_NORMAL,
                    .buf = buf,
                    .len = a->len,
                    .sia = a->isoch,
                    .ioc = true });
    hcd_ring_ep(h, dev, dci);
    hcd_step_uf(h, 40);
    stop(h, c);
    /* tried again three times: one transfer */
    expect_pair(c, &s, &e);
    g_assert_cmpint(e.status, ==, a->status);
    g_assert_cmpuint(s.bytes, ==, a->len);
    expect_bytes(h, &e, buf, a->bytes);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

static uint64_t queue_bulk(Hcd *h, HcdDev *dev, unsigned dci, unsigned len)
{
    uint64_t buf = hcd_alloc_filled(h, len, 0xaa);

    td_normal(h, dev, dci, .buf = buf, .len = len, .ioc = true);
    hcd_ring_ep(h, dev, dci);
    return buf;
}

/* What the device keeps ends when it lets go, or is taken from it. */
static void kept(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_puppet(h);
    Capture *c = capture_new();
    uint64_t began, buf;
    Record s, e;

    start(h, c);
    hcd_puppet_answer(h, "hold");
    began = hcd_now_uf(h);
    buf = queue_bulk(h, dev, PUPPET_IN, 64);
    hcd_step_uf(h, 100);
    hcd_puppet_do(h, "release");
    hcd_step_uf(h, 1);
    queue_bulk(h, dev, PUPPET_IN, 64);
    hcd_step_uf(h, 10);
    hcd_expect_cc(hcd_cmd_stop(h, dev, PUPPET_IN), CC_SUCCESS);
    stop(h, c);
    expect_pair(c, &s, &e);
    g_assert_cmpuint(s.uf, ==, began);
    g_assert_cmpuint(e.uf, ==, began + 100);
    g_assert_cmpint(e.status, ==, 0);
    expect_bytes(h, &e, buf, 64);
    expect_pair(c, &s, &e);
    g_assert_cmpint(e.status, ==, -2);
    g_assert_cmpuint(e.bytes, ==, 0);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

/* NAK is no end; and what began before the capture is in it when it ends. */
static void asked_again(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_puppet(h);
    Capture *c = capture_new();
    uint64_t began, old, new;
    Record s, e;

    hcd_puppet_answer(h, "nak");
    old = queue_bulk(h, dev, PUPPET_INT, 8);
    hcd_step_uf(h, 50);
    start(h, c);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "wake");
    hcd_step_uf(h, 50);
    hcd_puppet_answer(h, "nak");
    began = hcd_now_uf(h);
    new = queue_bulk(h, dev, PUPPET_INT, 8);
    hcd_step_uf(h, 50);
    hcd_puppet_do(h, "wake");
    hcd_step_uf(h, 50);
    hcd_puppet_answer(h, "success");
    hcd_puppet_do(h, "wake");
    hcd_step_uf(h, 50);
    stop(h, c);
    expect_pair(c, &s, &e);
    g_assert_cmpuint(s.xfer, ==, INTERRUPT);
    g_assert_cmpuint(s.interval, ==, 8);
    g_assert_cmpuint(e.interval, ==, 8);
    g_assert_cmpuint(s.uf, ==, e.uf);
    expect_bytes(h, &e, old, 8);
    expect_pair(c, &s, &e);
    g_assert_cmpuint(s.uf, >=, began);
    g_assert_cmpuint(s.uf, <=, began + 8);
    g_assert_cmpuint(e.uf, >=, began + 100);
    expect_bytes(h, &e, new, 8);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

/* From the start, by a property, and to QEMU's end: nobody stops it. */
static void from_the_start(void)
{
    Capture *c = capture_new();
    g_autofree char *props = g_strdup_printf("capture=%s", c->path);
    Hcd *h = hcd_start(.args = ISOAV_ARGS, .props = props);
    HcdDev *dev = hcd_dev_open(h, hcd_port_connected(h, 0));
    unsigned slot_id = dev->slot_id;
    uint64_t buf = hcd_alloc_filled(h, 18, 0);
    uint8_t descriptor[18];
    bool has_descriptor = false, has_address = false;
    Record s, e;

    hcd_expect_cc(hcd_control(h, dev,
                              (HcdSetup){ .type = 0x80,
                                          .request = 6,
                                          .value = 0x100,
                                          .length = 18 },
                              buf),
                  CC_SUCCESS);
    qtest_bufread(h->qts, buf, descriptor, 18);
    hcd_finish(h);
    open_file(c);
    while (c->at < c->count) {
        expect_pair(c, &s, &e);
        g_assert_cmpuint(s.xfer, ==, CONTROL);
        if (s.setup[1] == 5) {
            /* SET_ADDRESS is the controller's own, to address 0 */
            g_assert_cmpuint(s.dev, ==, 0);
            g_assert_cmphex(s.ep, ==, 0);
            g_assert_cmpuint(s.setup[2], ==, slot_id);
            has_address = true;
        } else if (s.setup[1] == 6 && s.dev == slot_id && s.bytes == 18) {
            g_assert_cmphex(s.ep, ==, 0x80);
            g_assert_cmpmem(e.data, e.captured, descriptor, 18);
            has_descriptor = true;
        }
        g_assert_cmpint(e.status, ==, 0);
    }
    g_assert_true(has_address && has_descriptor);
    capture_free(c);
}

/* A record has its length, and as much of its data as there is room for. */
static void snapped(void)
{
    Hcd *h = hcd_start(.puppet = true, .props = "capture-snaplen=128");
    HcdDev *dev = open_puppet(h);
    Capture *c = capture_new();
    Record s, e;

    start(h, c);
    hcd_puppet_answer(h, "success");
    queue_bulk(h, dev, PUPPET_OUT, 1000);
    hcd_step_uf(h, 8);
    stop(h, c);
    g_assert_cmpuint(word(c->bytes + 16), ==, 128);
    g_assert_cmpuint(word(c->bytes + 24 + 8), ==, 128);
    g_assert_cmpuint(word(c->bytes + 24 + 12), ==, 64 + 1000);
    expect_pair(c, &s, &e);
    g_assert_cmpuint(s.bytes, ==, 1000);
    g_assert_cmpuint(s.captured, ==, 64);
    expect_no_more(c);
    capture_free(c);
    hcd_finish(h);
}

/* A disk that is full ends the capture; the machine goes on. */
static void disk_full(void)
{
    Hcd *h = hcd_start(.args = ISOAV_ARGS);
    IsoIn *in = iso_in_open(h, EVERY_FRAME);
    g_autofree char *why = NULL;

    g_assert_null(set_capture(h, "/dev/full"));
    expect_capture(h, "/dev/full");
    iso_in_queue_sia(in, 40);
    iso_in_doorbell(in);
    for (unsigned i = 0; i < 40; i++) {
        iso_in_expect(in, i);
    }
    hcd_step_uf(h, 80);
    hcd_event_drain(h);
    expect_capture(h, "/dev/full"); /* 47 KB: they wait to be written */
    iso_in_queue_sia(in, 40);
    iso_in_doorbell(in);
    for (unsigned i = 40; i < 80; i++) {
        iso_in_expect(in, i);
    }
    expect_capture(h, "");
    why = set_capture(h, "/nowhere/at/all");
    g_assert_cmpstr(why, ==,
                    "ixhci: /nowhere/at/all cannot be a capture: No such file "
                    "or directory");
    expect_capture(h, "");
    hcd_finish(h);
}

/* One file after the other; each has its own packets, whole. */
static void changed(void)
{
    Hcd *h = hcd_start(.puppet = true);
    HcdDev *dev = open_puppet(h);
    Capture *one = capture_new(), *two = capture_new();
    uint64_t buf;
    Record s, e;

    g_free(two->path);
    two->path = g_strconcat(one->path, "2", NULL);
    start(h, one);
    hcd_puppet_answer(h, "hold");
    queue_bulk(h, dev, PUPPET_IN, 16);
    start(h, two);
    open_file(one);
    g_assert_true(next(one, &s));
    g_assert_cmpint(s.type, ==, 'S');
    expect_no_more(one);
    hcd_puppet_do(h, "release");
    hcd_step_uf(h, 1);
    hcd_puppet_answer(h, "success");
    buf = queue_bulk(h, dev, PUPPET_IN, 16);
    hcd_step_uf(h, 1);
    stop(h, two);
    expect_pair(two, &s, &e);
    g_assert_cmpuint(e.bytes, ==, 16);
    expect_pair(two, &s, &e);
    expect_bytes(h, &e, buf, 16);
    expect_no_more(two);
    capture_free(one);
    capture_free(two);
    hcd_finish(h);
}

int main(int argc, char **argv)
{
    hcd_test_add_data("capture/stream", stream, GUINT_TO_POINTER(EVERY_UF));
    hcd_test_add_data("capture/stream-frames", stream,
                      GUINT_TO_POINTER(EVERY_FRAME));
    hcd_test_add_data("capture/stream-in-a-batch", stream,
                      GUINT_TO_POINTER(EVERY_UF | 8));
    hcd_test_add("capture/stream-out", stream_out);
    hcd_test_add("capture/missed", missed);
    for (unsigned i = 0; i < ARRAY_SIZE(answers); i++) {
        g_autofree char *name = g_strdup_printf("capture/%s", answers[i].name);

        hcd_test_add_data(name, answered, &answers[i]);
    }
    hcd_test_add("capture/kept", kept);
    hcd_test_add("capture/asked-again", asked_again);
    hcd_test_add("capture/from-the-start", from_the_start);
    hcd_test_add("capture/snapped", snapped);
    hcd_test_add("capture/disk-full", disk_full);
    hcd_test_add("capture/changed", changed);
    return hcd_test_main(argc, argv);
}
