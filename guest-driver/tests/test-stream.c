/*
 * What a stream does with packets and reads: records, their order, reads of
 * any size, cancelled reads, a slow application.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rig.h"

static void test_records(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    g_assert_false(rig.read[0].irp.IsCompleted);
    rig_complete();
    rig_check_read(0, 0, 8);
    g_assert_cmpuint(rig_record(0, 0).start_frame, ==, 1000);
    rig_complete();
    rig_complete();
    rig_start_read(1, RIG_READ_BYTES);
    rig_check_read(1, 8, 16);
    rig_end();
}

static void test_ring_goes_on(void)
{
    unsigned i;

    rig_begin_started();
    for (i = 0; i < 50; i++) {
        g_assert_cmpuint(g_queue_get_length(&rig.bus), ==, 3);
        rig_complete();
        rig_start_read(0, RIG_READ_BYTES);
        rig_check_read(0, i * 8, 8);
    }
    g_assert_cmpuint(rig.submissions, ==, 53);
    g_assert_cmpuint(rig_stats().urbs, ==, 50);
    g_assert_cmpuint(rig_stats().packets, ==, 400);
    g_assert_cmpuint(rig_stats().xruns, ==, 0);
    g_assert_cmpuint(rig_stats().statuses, ==, 1);
    g_assert_cmpuint(rig_stats().status[0].packets, ==, 400);
    rig_end();
}

/* Only what fits, only whole records, the rest stays. */
static void test_small_reads(void)
{
    rig_begin_started();
    rig_complete();
    rig_start_read(0, 2080);
    rig_check_read(0, 0, 8);
    rig_complete();
    rig_start_read(0, 100); /* two records of 40 bytes */
    rig_check_read(0, 8, 2);
    rig_start_read(1, RIG_READ_BYTES);
    rig_check_read(1, 10, 6);
    rig_end();
}

static void test_reads_in_order(void)
{
    rig_begin_started();
    rig_start_read(0, 40);
    rig_start_read(1, RIG_READ_BYTES);
    rig_start_read(2, RIG_READ_BYTES);
    rig_complete();
    rig_check_read(0, 0, 1);
    rig_check_read(1, 1, 7);
    g_assert_false(rig.read[2].irp.IsCompleted);
    rig_complete();
    rig_check_read(2, 8, 8);
    rig_end();
}

static void test_read_too_small(void)
{
    rig_begin_started();
    rig_start_read(0, 39);
    rig_complete();
    rig_check_ended(0, STATUS_BUFFER_TOO_SMALL);
    g_assert_cmpuint(rig.read[0].irp.IoStatus.Information, ==, 0);
    rig_start_read(1, RIG_READ_BYTES);
    rig_check_read(1, 0, 8); /* nothing was lost */
    rig_end();
}

static void test_cancel_read(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig_start_read(1, RIG_READ_BYTES);
    g_assert_true(IoCancelIrp(&rig.read[0].irp));
    rig_check_ended(0, STATUS_CANCELLED);
    g_assert_cmpuint(host.irql, ==, PASSIVE_LEVEL);
    memset(&rig.read[0], 0xdd, sizeof(rig.read[0])); /* its owner may */
    rig_complete();
    rig_check_read(1, 0, 8);
    g_assert_false(IoCancelIrp(&rig.read[1].irp));
    rig_end();
}

static void test_cancelled_before_queued(void)
{
    rig_begin_started();
    memset(&rig.read[0], 0, sizeof(rig.read[0]));
    rig.read[0].irp.Cancel = TRUE;
    IoAcquireRemoveLock(&rig.device.RemoveLock, &rig.read[0].irp);
    g_assert_cmphex(
        StreamTransfer(rig.stream, &rig.read[0].irp, rig.read[0].data, 4096),
        ==, STATUS_PENDING);
    rig_check_ended(0, STATUS_CANCELLED);
    rig_end();
}

/*
 * The cancel routine has been taken by IoCancelIrp on another processor and
 * waits for the lock, while the queue gives reads out.
 */
static void test_cancel_races_with_service(void)
{
    PDRIVER_CANCEL routine;

    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig_start_read(1, RIG_READ_BYTES);
    rig.read[0].irp.Cancel = TRUE;
    routine = IoSetCancelRoutine(&rig.read[0].irp, NULL);
    rig_complete();
    g_assert_false(rig.read[0].irp.IsCompleted); /* the routine's */
    rig_check_read(1, 0, 8);
    host.irql = DISPATCH_LEVEL;
    rig.read[0].irp.CancelIrql = PASSIVE_LEVEL;
    routine(NULL, &rig.read[0].irp);
    rig_check_ended(0, STATUS_CANCELLED);
    rig_end();
}

static void test_close_ends_reads(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig_start_read(1, RIG_READ_BYTES);
    StreamCancelTransfers(rig.stream);
    StreamClose(rig.stream);
    g_assert_true(rig.read[0].irp.IsCompleted && rig.read[1].irp.IsCompleted);
    rig_check_ended(1, STATUS_CANCELLED);
    rig_end(); /* closing twice does no harm */
}

static void test_overflow(void)
{
    unsigned i, room = 65536 / 40;

    rig_begin_started();
    for (i = 0; i < 300; i++) {
        rig_complete();
    }
    g_assert_cmpuint(rig_stats().packets, ==, 2400);
    g_assert_cmpuint(rig_stats().overflow_packets, ==, 2400 - room);
    g_assert_cmpuint(rig_stats().fifo_bytes_used, ==, room * 40);
    rig_start_read(0, 65536);
    rig_check_read(0, 0, room);
    rig_complete();
    rig_start_read(0, RIG_READ_BYTES);
    rig_check_read(0, 2400, 8); /* the numbers tell what is gone */
    rig_end();
}

static void test_packet_status(void)
{
    isoav_record r;

    rig_begin_started();
    rig_complete_as(0, STATUS_SUCCESS, USBD_STATUS_XACT_ERROR);
    rig_start_read(0, RIG_READ_BYTES);
    r = rig_record(0, 0);
    g_assert_cmphex(r.packet_status, ==, (ULONG)USBD_STATUS_XACT_ERROR);
    g_assert_cmpuint(r.length, ==, 0);
    g_assert_cmpuint(r.record_bytes, ==, 32);
    rig_complete();
    g_assert_cmpuint(rig_stats().statuses, ==, 2);
    g_assert_cmphex(rig_stats().status[0].status, ==,
                    (ULONG)USBD_STATUS_XACT_ERROR);
    g_assert_cmpuint(rig_stats().status[0].packets, ==, 8);
    rig_end();
}

/* Every packet failed: the URB says so, the packets still count. */
static void test_request_failed(void)
{
    unsigned i;

    rig_begin_started();
    for (i = 0; i < 100; i++) {
        rig_complete_as(USBD_STATUS_ISOCH_REQUEST_FAILED, STATUS_UNSUCCESSFUL,
                        USBD_STATUS_XACT_ERROR);
    }
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(rig_stats().urbs_failed, ==, 100);
    g_assert_cmpuint(rig_stats().packets, ==, 800);
    rig_start_read(0, RIG_READ_BYTES);
    g_assert_cmphex(rig_record(0, 0).urb_status, ==,
                    (ULONG)USBD_STATUS_ISOCH_REQUEST_FAILED);
    rig_end();
}

static void test_oversized_length(void)
{
    struct _URB_ISOCH_TRANSFER *u;
    PIRP irp;

    rig_begin_started();
    irp = g_queue_pop_head(&rig.bus);
    u = &rig_urb(irp)->UrbIsochronousTransfer;
    u->IsoPacket[7].Length = 0xffffffff;
    host_complete_below(irp, STATUS_SUCCESS);
    rig_start_read(0, RIG_READ_BYTES);
    g_assert_cmphex(rig.read[0].irp.IoStatus.Status, ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig_record(0, 7 * 32).length, ==, 2048);
    rig_end();
}

static void test_xrun(void)
{
    rig_begin_started();
    rig_complete();
    rig_complete();
    rig.frame += 5;
    rig_complete();
    rig_complete();
    g_assert_cmpuint(rig_stats().xruns, ==, 1);
    g_assert_cmpuint(rig_stats().xrun_frames, ==, 5);
    rig_end();
}
int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stream/records", test_records);
    g_test_add_func("/stream/ring-goes-on", test_ring_goes_on);
    g_test_add_func("/stream/read/small", test_small_reads);
    g_test_add_func("/stream/read/in-order", test_reads_in_order);
    g_test_add_func("/stream/read/too-small", test_read_too_small);
    g_test_add_func("/stream/read/cancel", test_cancel_read);
    g_test_add_func("/stream/read/cancelled-before",
                    test_cancelled_before_queued);
    g_test_add_func("/stream/read/cancel-race", test_cancel_races_with_service);
    g_test_add_func("/stream/read/close", test_close_ends_reads);
    g_test_add_func("/stream/overflow", test_overflow);
    g_test_add_func("/stream/packet-status", test_packet_status);
    g_test_add_func("/stream/request-failed", test_request_failed);
    g_test_add_func("/stream/oversized-length", test_oversized_length);
    g_test_add_func("/stream/xrun", test_xrun);
    return g_test_run();
}
