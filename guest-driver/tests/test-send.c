/*
 * OUT streams: from writes to packets, in order, whole, with nothing made up;
 * and two streams that share an interface.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rig.h"

static isoav_start out_start(void)
{
    return (isoav_start){ .interface_number = 1,
                          .alternate = 1,
                          .endpoint = 0x02,
                          .urbs = 3,
                          .packets = 8,
                          .fifo_bytes = 65536 };
}

static void begin_out(void)
{
    rig_begin();
    rig.started =
        (isoav_started){ 3, 8, 192, 1, 224, 65536, 32768, 1, 0x02, 0 };
    g_assert_cmphex(rig_start(out_start()), ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig.started.write_bytes, ==, 32768);
    g_assert_cmpuint(rig.submissions, ==, 0); /* there is nothing to send */
}

/* Writes `count` records; record n has n % 192 + 1 bytes of value n. */
static unsigned next_record;

static void write_records(unsigned i, unsigned count)
{
    ULONG at = 0;

    while (count--) {
        at = rig_put_record(i, at, next_record % 192 + 1, (UCHAR)next_record);
        next_record++;
    }
    rig_start_write(i, at);
}

/* The next URB on the bus has records first..first+7. */
static void check_urb_data(unsigned first)
{
    const struct _URB_ISOCH_TRANSFER *u =
        &rig_urb(g_queue_peek_head(&rig.bus))->UrbIsochronousTransfer;
    ULONG i, at = 0;

    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(u->IsoPacket[i].Offset, ==, at);
        g_assert_cmphex(((PUCHAR)u->TransferBuffer)[at], ==,
                        (UCHAR)(first + i));
        at += (first + i) % 192 + 1;
    }
    g_assert_cmpuint(u->TransferBufferLength, ==, at);
}

static void check_written(unsigned i)
{
    g_assert_true(rig.read[i].irp.IsCompleted);
    g_assert_cmphex(rig.read[i].irp.IoStatus.Status, ==, STATUS_SUCCESS);
}

static void test_write(void)
{
    begin_out();
    next_record = 0;
    write_records(0, 7);
    check_written(0);
    g_assert_cmpuint(rig.submissions, ==, 0); /* not an URB's worth */
    write_records(0, 1);
    g_assert_cmpuint(rig.submissions, ==, 1);
    check_urb_data(0);
    write_records(0, 30);
    g_assert_cmpuint(rig.submissions, ==, 3); /* all there are */
    rig_complete();
    g_assert_cmpuint(rig.submissions, ==, 4);
    check_urb_data(8);
    rig_complete();
    check_urb_data(16);
    rig_complete();
    check_urb_data(24);
    rig_complete();
    g_assert_cmpuint(rig.submissions, ==, 4); /* six records are left */
    g_assert_cmpuint(rig_stats().packets, ==, 32);
    g_assert_cmpuint(rig_stats().bytes, ==, 32 * 33 / 2);
    g_assert_cmpuint(rig_stats().statuses, ==, 1);
    g_assert_cmpuint(rig_stats().status[0].packets, ==, 32);
    rig_end();
}

/* It pauses, says so once for each time, and goes on. */
static void test_starves(void)
{
    begin_out();
    next_record = 0;
    g_assert_cmpuint(rig_stats().starved, ==, 0); /* nothing yet is no lack */
    write_records(0, 8);
    rig_complete();
    g_assert_cmpuint(rig_stats().starved, ==, 1);
    write_records(0, 4);
    g_assert_cmpuint(rig_stats().starved, ==, 1);
    rig.frame += 100;
    write_records(0, 4);
    rig_complete();
    g_assert_cmpuint(rig_stats().starved, ==, 2);
    g_assert_cmpuint(rig_stats().xruns, ==, 1);
    g_assert_cmpuint(rig_stats().xrun_frames, ==, 100);
    rig_end();
}

/* A write that has no room waits for it, and those behind it wait, too. */
static void test_write_waits(void)
{
    unsigned i, written = 0;
    ULONG at = 0;

    begin_out();
    for (;;) {
        for (at = 0; at + 224 <= 32768;) {
            at = rig_put_record(0, at, 192, (UCHAR)written);
        }
        rig_start_write(0, at);
        if (!rig.read[0].irp.IsCompleted) {
            break;
        }
        written++;
    }
    g_assert_cmpuint(written, ==, 2); /* 64 KiB, and what is on the bus */
    at = rig_put_record(1, 0, 1, 0xee);
    rig_start_write(1, at);
    g_assert_false(rig.read[1].irp.IsCompleted);
    for (i = 0; !rig.read[0].irp.IsCompleted; i++) {
        g_assert_cmpuint(i, <, 40);
        g_assert_false(rig.read[1].irp.IsCompleted); /* it came later */
        rig_complete();
    }
    check_written(0);
    check_written(1);
    rig_end();
}

static void test_cancel_write(void)
{
    unsigned i;
    ULONG at = 0;

    begin_out();
    while (at + 224 <= 32768) {
        at = rig_put_record(0, at, 192, 1);
    }
    for (i = 0; i < 3; i++) {
        rig_start_write(0, at);
    }
    g_assert_false(rig.read[0].irp.IsCompleted);
    g_assert_true(IoCancelIrp(&rig.read[0].irp));
    rig_check_ended(0, STATUS_CANCELLED);
    at = rig_put_record(1, 0, 1, 0xee);
    rig_start_write(1, at);
    rig_stop(STATUS_SUCCESS);
    rig_end();
}

/* All of a write or nothing of it. */
static void test_bad_writes(void)
{
    static const isoav_record rows[] = {
        { .record_bytes = 32, .length = 0 },
        { .record_bytes = 232, .length = 193 },
        { .record_bytes = 40, .length = 9 },
        { .record_bytes = 48, .length = 8 },
        { .record_bytes = 0, .length = 8 },
        { .record_bytes = 0xffffffff, .length = 8 },
        { .record_bytes = 0x40, .length = 0xffffffff },
        { .record_bytes = 224, .length = 192 }, /* past the end */
    };
    unsigned i;
    ULONG at = 0;

    begin_out();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        at = rig_put_record(0, 0, 8, 1);
        memcpy(rig.read[0].data + at, &rows[i], sizeof(rows[i]));
        rig_start_write(0, at + 40);
        rig_check_ended(0, STATUS_INVALID_PARAMETER);
    }
    rig_start_write(0, at + 31); /* half a header */
    rig_check_ended(0, STATUS_INVALID_PARAMETER);
    g_assert_cmpuint(rig_stats().fifo_bytes_used, ==, 0);
    rig_end();
}

static void test_stop_ends_writes(void)
{
    ULONG at = 0;
    unsigned i;

    begin_out();
    while (at + 224 <= 32768) {
        at = rig_put_record(0, at, 192, 1);
    }
    for (i = 0; i < 3; i++) {
        rig_start_write(0, at);
    }
    rig_stop(STATUS_SUCCESS);
    rig_check_ended(0, STATUS_END_OF_FILE);
    rig_start_write(1, at);
    rig_check_ended(1, STATUS_END_OF_FILE);
    g_assert_cmpstr(rig.events->str, ==, "alt1.1 abort alt1.0 ");
    rig_end();
}

/* A FIFO in which an URB and a write would not both fit. */
static void test_small_fifo(void)
{
    isoav_start start = out_start();

    rig_begin();
    start.packets = 160; /* x 224 > 32 KiB */
    g_assert_cmphex(rig_start(start), ==, STATUS_INVALID_PARAMETER);
    g_assert_cmpstr(rig.events->str, ==, "alt1.1 alt1.0 ");
    g_assert_cmpint(rig.device.RemoveLock.Count, ==, 0);
    rig_end();
}

static void test_log(void)
{
    isoav_log_entry entries[8];
    isoav_log_part part;
    ULONG i;

    begin_out();
    next_record = 0;
    write_records(0, 8);
    rig_complete();
    g_assert_cmpuint(LogRead(&rig.device.Log, 0, &part, entries, 8), ==, 8);
    for (i = 0; i < 8; i++) {
        g_assert_cmpuint(entries[i].ordinal, ==, i + 1);
        g_assert_cmpuint(entries[i].length, ==, i + 1);
        g_assert_cmphex(entries[i].endpoint, ==, 0x02);
    }
    rig_end();
}

/* Held and resumed: what was written goes out behind the gap. */
static void test_hold(void)
{
    begin_out();
    next_record = 0;
    write_records(0, 7);
    DeviceLock(&rig.device);
    StreamsHold(&rig.device);
    StreamsResume(&rig.device);
    DeviceUnlock(&rig.device);
    write_records(0, 1);
    g_assert_cmpuint(rig.submissions, ==, 1);
    check_urb_data(0);
    rig_end();
}

/* --- two streams of an interface -------------------------------------------
 */

static void test_shared(void)
{
    isoav_start in = out_start();
    PSTREAM out, source;

    begin_out();
    out = rig.stream;
    g_assert_cmphex(StreamCreate(&rig.device, &source), ==, STATUS_SUCCESS);
    rig.stream = source;
    in.endpoint = 0x82;
    in.alternate = 4;
    in.packets = 0;
    g_assert_cmphex(rig_start(in), ==, STATUS_NOT_SUPPORTED); /* bInterval 5 */
    in.alternate = 1;
    in.packets = 8;
    in.endpoint = 0x02;
    g_assert_cmphex(rig_start(in), ==, STATUS_SHARING_VIOLATION);
    in.endpoint = 0x82;
    rig.started = (isoav_started){ 3, 8, 192, 1, 224, 65536, 0, 1, 0x82, 0 };
    g_assert_cmphex(rig_start(in), ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig.submissions, ==, 3);
    g_assert_cmpstr(rig.events->str, ==, "alt1.1 "); /* once */

    rig.stream = out; /* goes, and leaves the other one its alternate */
    rig_stop(STATUS_SUCCESS);
    g_assert_cmpstr(rig.events->str, ==, "alt1.1 abort ");
    rig_complete();
    g_assert_cmpuint(rig.submissions, ==, 4);

    rig.stream = source;
    rig_stop(STATUS_SUCCESS);
    g_assert_cmpstr(rig.events->str, ==, "alt1.1 abort abort alt1.0 ");
    StreamClose(out);
    StreamDereference(out);
    rig_end();
}

/* Ordinals go on for an endpoint that starts again in the same selection. */
static void test_shared_ordinals(void)
{
    isoav_start in = out_start();
    isoav_log_entry entry;
    isoav_log_part part;
    PSTREAM out, source;

    begin_out();
    out = rig.stream;
    g_assert_cmphex(StreamCreate(&rig.device, &source), ==, STATUS_SUCCESS);
    rig.stream = source;
    in.endpoint = 0x82;
    rig.started = (isoav_started){ 3, 8, 192, 1, 224, 65536, 0, 1, 0x82, 0 };
    g_assert_cmphex(rig_start(in), ==, STATUS_SUCCESS);
    rig_stop(STATUS_SUCCESS); /* 24 packets were queued */
    g_assert_cmphex(rig_start(in), ==, STATUS_SUCCESS);
    rig_complete();
    g_assert_cmpuint(LogRead(&rig.device.Log, 24, &part, &entry, 1), ==, 1);
    g_assert_cmpuint(entry.ordinal, ==, 25);
    g_assert_cmpuint(entry.selection, ==, 1);
    StreamClose(out);
    StreamDereference(out);
    rig_end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/send/write", test_write);
    g_test_add_func("/send/starves", test_starves);
    g_test_add_func("/send/write/waits", test_write_waits);
    g_test_add_func("/send/write/cancelled", test_cancel_write);
    g_test_add_func("/send/write/bad", test_bad_writes);
    g_test_add_func("/send/write/stopped", test_stop_ends_writes);
    g_test_add_func("/send/small-fifo", test_small_fifo);
    g_test_add_func("/send/log", test_log);
    g_test_add_func("/send/hold", test_hold);
    g_test_add_func("/send/shared", test_shared);
    g_test_add_func("/send/shared/ordinals", test_shared_ordinals);
    return g_test_run();
}
