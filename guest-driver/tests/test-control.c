/*
 * How a stream starts and how it ends: parameters, missing memory and
 * bandwidth, stop, failure, a device that is held or gone.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rig.h"

static void test_stop(void)
{
    rig_begin_started();
    rig_complete();
    rig_stop(STATUS_SUCCESS);
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 abort alt0.0 ");
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_IDLE);
    g_assert_cmpuint(rig_stats().packets, ==, 8); /* not the aborted ones */
    rig_start_read(0, 40);
    rig_check_read(0, 0, 1); /* what came before can still be read */
    rig_start_read(0, RIG_READ_BYTES);
    rig_check_read(0, 1, 7);
    rig_start_read(0, RIG_READ_BYTES);
    rig_check_ended(0, STATUS_END_OF_FILE);
    rig_stop(STATUS_INVALID_DEVICE_STATE);
    rig_end();
}

static void test_stop_ends_waiting_read(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig_stop(STATUS_SUCCESS);
    rig_check_ended(0, STATUS_END_OF_FILE);
    rig_end();
}

/* URBs that finish in their own time while the pipe is being aborted. */
static void finish_all(void)
{
    while (!g_queue_is_empty(&rig.bus)) {
        rig_complete();
    }
}

static void test_stop_waits(void)
{
    rig_begin_started();
    rig.deaf = true;
    host.idle = finish_all;
    rig_stop(STATUS_SUCCESS);
    g_assert_cmpuint(rig.submissions, ==, 3); /* none again */
    g_assert_cmpuint(rig_stats().packets, ==, 24);
    rig_end();
}

/* Nothing in the first second; then what IoCancelIrp has marked. */
static void finish_cancelled(void)
{
    static bool is_second;

    if (is_second) {
        GList *link;

        for (link = rig.bus.head; link; link = link->next) {
            g_assert_true(((PIRP)link->data)->Cancel);
        }
        rig_cancel_all();
    }
    is_second = !is_second;
}

static void test_stop_cancels(void)
{
    rig_begin_started();
    rig.deaf = true;
    host.idle = finish_cancelled;
    rig_stop(STATUS_SUCCESS);
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 abort alt0.0 ");
    g_assert_nonnull(strstr(host.log->str, "outlive their aborted pipe"));
    g_string_truncate(host.log, 0);
    rig_end();
}

static void test_start_again(void)
{
    rig_begin_started();
    rig_complete();
    rig_stop(STATUS_SUCCESS);
    rig.started.packets = 8;
    g_assert_cmphex(rig_start(rig_small_start()), ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig_stats().packets, ==, 0);
    rig_start_read(0, RIG_READ_BYTES);
    g_assert_false(rig.read[0].irp.IsCompleted); /* the old records are gone */
    rig.number = 0;
    rig_complete();
    rig_check_read(0, 0, 8);
    rig_end();
}

static void test_start_twice(void)
{
    rig_begin_started();
    g_assert_cmphex(rig_start((isoav_start){ .alternate = 4 }), ==,
                    STATUS_INVALID_DEVICE_STATE);
    rig_end();
}

static void test_sharing(void)
{
    PSTREAM first;

    rig_begin_started();
    first = rig.stream;
    g_assert_cmphex(StreamCreate(&rig.device, &rig.stream), ==, STATUS_SUCCESS);
    g_assert_cmphex(rig_start((isoav_start){ .alternate = 4 }), ==,
                    STATUS_SHARING_VIOLATION);
    StreamClose(rig.stream);
    StreamDereference(rig.stream);
    rig.stream = first;
    rig_end();
}

static void test_bad_start(void)
{
    static const struct {
        isoav_start start;
        NTSTATUS status;
    } rows[] = {
        { { .alternate = 0 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 2 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 8, .alternate = 1 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 255, .alternate = 1 },
          STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .flags = 4 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .flags = 0x80 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .endpoint = 0x82 }, STATUS_INVALID_PARAMETER },
        { { .interface_number = 1,
            .endpoint = 0x03,
            .flags = ISOAV_START_FALL_BACK },
          STATUS_INVALID_PARAMETER },
        { { .interface_number = 1, .alternate = 4 }, STATUS_NOT_SUPPORTED },
        { { .alternate = 4, .urbs = 2 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .urbs = 33 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 12 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 1032 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .packets = 0xfffffff8 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .fifo_bytes = 1000 }, STATUS_INVALID_PARAMETER },
        { { .alternate = 4, .fifo_bytes = 0xffffffff },
          STATUS_INVALID_PARAMETER },
    };
    unsigned i;

    rig_begin();
    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("row %u", i);
        g_assert_cmphex(rig_start(rows[i].start), ==, rows[i].status);
    }
    g_assert_cmpstr(rig.events->str, ==, "");
    g_assert_cmpuint(rig.submissions, ==, 0);
    rig_end();
}

static void test_defaults(void)
{
    rig_begin();
    rig.started =
        (isoav_started){ 4, 64, 2048, 1, 2080, 4 << 20, 0, 4, 0x81, 0 };
    g_assert_cmphex(rig_start((isoav_start){ .alternate = 4 }), ==,
                    STATUS_SUCCESS);
    g_assert_cmpuint(rig.started.urbs, ==, 4);
    g_assert_cmpuint(rig.started.packets, ==, 64);
    g_assert_cmpuint(rig.started.fifo_bytes, ==, 4 << 20);
    g_assert_cmpuint(rig.submissions, ==, 4);
    rig_end();
}

static void test_no_bandwidth(void)
{
    rig_begin();
    rig.select_status = STATUS_INSUFFICIENT_RESOURCES;
    g_assert_cmphex(rig_start((isoav_start){ .alternate = 4 }), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 alt0.0 ");
    g_assert_cmphex(rig_stats().usbd_status, ==,
                    (ULONG)USBD_STATUS_NO_BANDWIDTH);
    g_assert_cmpint(rig.device.RemoveLock.Count, ==, 0);
    rig_end();
}

/* Memory runs out at each allocation in turn. */
static void test_no_memory(void)
{
    unsigned n;
    NTSTATUS status;

    for (n = 1;; n++) {
        rig_begin();
        rig.started =
            (isoav_started){ 3, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0 };
        host.fail_after = n;
        status = rig_start(rig_small_start());
        if (NT_SUCCESS(status)) {
            break;
        }
        g_assert_cmphex(status, ==, STATUS_INSUFFICIENT_RESOURCES);
        g_assert_cmpuint(rig.submissions, ==, 0);
        rig_end();
    }
    host.fail_after = 0;
    /* Log, FIFO, alternate 0, ring, abort, three URBs, IRPs and buffers. */
    g_assert_cmpuint(n, ==, 1 + 16);
    rig_end();
}

/* A driver below that fails at once, for ever: no recursion, and an end. */
static void test_inline_failure(void)
{
    rig_begin();
    rig.started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0 };
    rig.inline_fail = USBD_STATUS_BAD_START_FRAME;
    g_assert_cmphex(rig_start(rig_small_start()), ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig.submissions, ==, 17);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    while (host_run_work()) { /* a new ring, three times */
    }
    g_assert_cmpuint(rig.submissions, ==, 4 * 17);
    g_assert_cmpuint(rig_stats().restarts, ==, 3);
    g_assert_cmpuint(rig.deepest, ==, 1);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    g_assert_cmphex(rig_stats().usbd_status, ==,
                    (ULONG)USBD_STATUS_BAD_START_FRAME);
    rig_start_read(0, RIG_READ_BYTES);
    rig_check_ended(0, STATUS_DEVICE_DATA_ERROR);
    rig_stop(STATUS_SUCCESS);
    rig_end();
}

/*
 * A bus on which no time passes: an URB whose packets have all failed is no
 * refusal, but it cannot come back before a millisecond.
 */
static void test_no_time_passes(void)
{
    rig_begin();
    rig.started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0 };
    rig.inline_fail = USBD_STATUS_ISOCH_REQUEST_FAILED;
    g_assert_cmphex(rig_start(rig_small_start()), ==, STATUS_SUCCESS);
    g_assert_cmpuint(rig.submissions, ==, 65);
    g_assert_cmpuint(rig.deepest, ==, 1);
    g_assert_false(host_run_work());
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    rig_end();
}

static void reject_ring(void)
{
    unsigned i;

    for (i = 0; i < 17; i++) {
        rig_complete_as(USBD_STATUS_BAD_START_FRAME, STATUS_UNSUCCESSFUL, 0);
    }
}

/* A new ring goes on where the old one failed; a good packet clears the slate.
 */
static void test_recovery(void)
{
    unsigned i;

    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    for (i = 1; i <= 5; i++) {
        reject_ring();
        g_assert_true(host_run_work());
        g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
        g_assert_cmpuint(rig_stats().restarts, ==, i);
        g_assert_cmpuint(g_queue_get_length(&rig.bus), ==, 3);
        rig.number = (i - 1) * 8;
        rig_complete();
        rig_check_read(0, (i - 1) * 8, 8);
        rig_start_read(0, RIG_READ_BYTES);
    }
    rig_end();
}

/* Stopped, held or closed before the work item comes to it. */
static void test_recovery_too_late(void)
{
    rig_begin_started();
    reject_ring();
    rig_stop(STATUS_SUCCESS);
    g_assert_true(host_run_work());
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_IDLE);
    rig_end();

    rig_begin_started();
    reject_ring();
    rig.device.State = DeviceHeld;
    g_assert_true(host_run_work());
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_HELD);
    rig_end();

    rig_begin_started();
    reject_ring();
    DeviceLock(&rig.device);
    StreamsHold(&rig.device);
    DeviceUnlock(&rig.device);
    g_assert_true(host_run_work());
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_HELD);
    rig_end();
}

/* The largest alternate first, then what the bus has room for. */
static void test_fall_back(void)
{
    isoav_start start = rig_small_start();

    rig_begin();
    start.alternate = 0;
    start.flags = ISOAV_START_FALL_BACK;
    rig.most_alternate = 1;
    rig.started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536, 0, 1, 0x81, 0 };
    g_assert_cmphex(rig_start(start), ==, STATUS_SUCCESS);
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 alt0.0 alt0.3 alt0.0 alt0.1 ");
    g_assert_cmpuint(rig.started.alternate, ==, 1);
    rig_stop(STATUS_SUCCESS);
    start.flags = 0;
    start.alternate = 3; /* not asked for: not done */
    g_assert_cmphex(rig_start(start), ==, STATUS_INSUFFICIENT_RESOURCES);
    start.flags = ISOAV_START_FALL_BACK;
    rig.select_status = STATUS_INSUFFICIENT_RESOURCES;
    g_string_truncate(rig.events, 0);
    g_assert_cmphex(rig_start(start), ==, STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpstr(rig.events->str, ==, "alt0.3 alt0.0 alt0.1 alt0.0 ");
    rig_end();
}

static void start_with_frames(void)
{
    isoav_start start = rig_small_start();

    rig_begin();
    start.flags = ISOAV_START_FRAMES;
    rig.names_frames = true;
    rig.started = (isoav_started){ 3, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0 };
    g_assert_cmphex(rig_start(start), ==, STATUS_SUCCESS);
}

/* Eight frames from now, and one URB behind the other. */
static void test_named_frames(void)
{
    unsigned i;

    start_with_frames();
    for (i = 0; i < 10; i++) {
        g_assert_cmpuint(rig_urb(g_queue_peek_head(&rig.bus))
                             ->UrbIsochronousTransfer.StartFrame,
                         ==, 1008 + i);
        rig_complete();
    }
    g_assert_cmpuint(rig_stats().xruns, ==, 0);
    g_assert_cmpuint(rig_stats().frame_refusals, ==, 0);
    rig_end();
}

static void frames_refused_with(USBD_STATUS status)
{
    unsigned i;

    start_with_frames();
    rig_complete_as(status, STATUS_UNSUCCESSFUL, 0);
    g_assert_cmpuint(rig_stats().frame_refusals, ==, 1);
    rig_complete(); /* the two that were on their way */
    rig_complete();
    rig.names_frames = false;
    for (i = 0; i < 3; i++) {
        rig_complete(); /* whose flags the rig looks at */
    }
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    rig_end();
}

static void test_frames_refused(void)
{
    frames_refused_with(USBD_STATUS_BAD_START_FRAME);
    frames_refused_with(USBD_STATUS_NOT_SUPPORTED);
}

/* All that was queued by then names a frame: refusals, but one cause. */
static void test_many_frames_refused(void)
{
    isoav_start start = rig_small_start();
    unsigned i;

    rig_begin();
    rig.started = (isoav_started){ 32, 8, 2048, 1, 2080, 65536, 0, 4, 0x81, 0 };
    rig.names_frames = true;
    start.flags = ISOAV_START_FRAMES;
    start.urbs = 32;
    g_assert_cmphex(rig_start(start), ==, STATUS_SUCCESS);
    for (i = 0; i < 32; i++) {
        rig_complete_as(USBD_STATUS_BAD_START_FRAME, STATUS_UNSUCCESSFUL, 0);
    }
    rig.names_frames = false;
    g_assert_cmpuint(rig_stats().frame_refusals, ==, 1);
    g_assert_cmpuint(rig_stats().urbs_failed, ==, 32);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_false(host_run_work());
    rig_complete(); /* one without a name */
    g_assert_cmpuint(rig_stats().packets, ==, 8);
    rig_end();
}

/* A few rejections are forgotten when an URB works again. */
static void test_rejections_forgotten(void)
{
    unsigned i, n;

    rig_begin_started();
    for (n = 0; n < 5; n++) {
        for (i = 0; i < 10; i++) {
            rig_complete_as(USBD_STATUS_BAD_START_FRAME, STATUS_UNSUCCESSFUL,
                            0);
        }
        rig_complete();
    }
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(rig_stats().urbs_failed, ==, 50);
    g_assert_cmpuint(rig_stats().packets, ==, 40);
    rig_end();
}

static void gone_with(USBD_STATUS usbd, NTSTATUS status, NTSTATUS expected)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig_complete_as(usbd, status, 0);
    g_assert_cmpuint(rig.submissions, ==, 3); /* never again */
    g_assert_true(rig.read[0].irp.IsCompleted);
    g_assert_cmphex(rig.read[0].irp.IoStatus.Status, ==, expected);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    rig_complete();
    g_assert_cmpuint(rig.submissions, ==, 3);
    rig_end();
}

static void test_gone(void)
{
    gone_with(USBD_STATUS_DEVICE_GONE, STATUS_UNSUCCESSFUL,
              STATUS_DEVICE_REMOVED);
    gone_with(0, STATUS_NO_SUCH_DEVICE, STATUS_DEVICE_REMOVED);
    gone_with(0, STATUS_DEVICE_NOT_CONNECTED, STATUS_DEVICE_REMOVED);
    gone_with(USBD_STATUS_CANCELED, STATUS_CANCELLED, STATUS_CANCELLED);
}

/* What the stream is meanwhile. */
static void hold_and_resume_as(unsigned state)
{
    DeviceLock(&rig.device);
    StreamsHold(&rig.device);
    rig.device.State = DeviceHeld;
    StreamsResume(&rig.device); /* not yet */
    g_assert_cmpuint(rig.submissions, ==, 3);
    g_assert_cmpuint(rig_stats().state, ==, state);
    rig.device.State = DeviceStarted;
    StreamsResume(&rig.device);
    DeviceUnlock(&rig.device);
}

static void hold_and_resume(void)
{
    hold_and_resume_as(ISOAV_STATE_HELD);
}

static void test_hold(void)
{
    rig_begin_started();
    rig_complete();
    rig.submissions = 3;
    rig_start_read(0, RIG_READ_BYTES);
    rig_start_read(1, RIG_READ_BYTES);
    hold_and_resume();
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 abort alt0.0 alt0.4 ");
    g_assert_false(rig.read[1].irp.IsCompleted); /* it just waits */
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmpuint(rig_stats().restarts, ==, 1);
    rig.frame += 1000;
    rig.number = 8;
    rig_complete();
    rig_check_read(1, 8, 8);
    g_assert_cmpuint(rig_stats().xruns, ==, 0); /* a restart is none */
    rig_end();
}

static void test_hold_fails_to_resume(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig.select_status = STATUS_INSUFFICIENT_RESOURCES;
    hold_and_resume();
    rig_check_ended(0, STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    rig.select_status = STATUS_SUCCESS;
    hold_and_resume_as(ISOAV_STATE_FAILED); /* its reader has been told */
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    g_assert_true(g_queue_is_empty(&rig.bus));
    rig_start_read(1, RIG_READ_BYTES);
    rig_check_ended(1, STATUS_INSUFFICIENT_RESOURCES);
    rig_stop(STATUS_SUCCESS);
    rig_end();
}

/* So does one whose ring has given up. */
static void test_hold_of_failed(void)
{
    rig_begin_started();
    rig_complete_as(USBD_STATUS_CANCELED, STATUS_CANCELLED, 0);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    hold_and_resume_as(ISOAV_STATE_FAILED);
    g_assert_cmpuint(rig_stats().state, ==, ISOAV_STATE_FAILED);
    g_assert_true(g_queue_is_empty(&rig.bus));
    rig_stop(STATUS_SUCCESS);
    rig_end();
}

static void test_surprise_removal(void)
{
    rig_begin_started();
    rig_start_read(0, RIG_READ_BYTES);
    rig.device.State = DeviceGone;
    DeviceLock(&rig.device);
    StreamsEnd(&rig.device, STATUS_DEVICE_REMOVED);
    DeviceUnlock(&rig.device);
    g_assert_cmpstr(rig.events->str, ==, "alt0.4 abort "); /* no alternate 0 */
    rig_check_ended(0, STATUS_DEVICE_REMOVED);
    g_assert_cmpint(rig.device.RemoveLock.Count, ==, 0);
    rig_end();
}

/* The device is being removed: no stream gets going. */
static void test_removed_lock(void)
{
    rig_begin();
    rig.device.RemoveLock.Removed = 1;
    g_assert_cmphex(rig_start((isoav_start){ .alternate = 4 }), ==,
                    STATUS_DELETE_PENDING);
    g_assert_cmpstr(rig.events->str, ==, "");
    rig.device.RemoveLock.Removed = 0;
    rig_end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/control/stop", test_stop);
    g_test_add_func("/control/stop/waiting-read", test_stop_ends_waiting_read);
    g_test_add_func("/control/stop/waits", test_stop_waits);
    g_test_add_func("/control/stop/cancels", test_stop_cancels);
    g_test_add_func("/control/start/again", test_start_again);
    g_test_add_func("/control/start/twice", test_start_twice);
    g_test_add_func("/control/start/sharing", test_sharing);
    g_test_add_func("/control/start/bad", test_bad_start);
    g_test_add_func("/control/start/defaults", test_defaults);
    g_test_add_func("/control/start/no-bandwidth", test_no_bandwidth);
    g_test_add_func("/control/start/no-memory", test_no_memory);
    g_test_add_func("/control/start/removed", test_removed_lock);
    g_test_add_func("/control/fail/inline", test_inline_failure);
    g_test_add_func("/control/fail/no-time-passes", test_no_time_passes);
    g_test_add_func("/control/fail/recovery", test_recovery);
    g_test_add_func("/control/fail/recovery/too-late", test_recovery_too_late);
    g_test_add_func("/control/start/fall-back", test_fall_back);
    g_test_add_func("/control/start/frames", test_named_frames);
    g_test_add_func("/control/start/frames/refused", test_frames_refused);
    g_test_add_func("/control/start/frames/many-refused",
                    test_many_frames_refused);
    g_test_add_func("/control/fail/rejections", test_rejections_forgotten);
    g_test_add_func("/control/fail/gone", test_gone);
    g_test_add_func("/control/hold", test_hold);
    g_test_add_func("/control/hold/fails", test_hold_fails_to_resume);
    g_test_add_func("/control/hold/failed", test_hold_of_failed);
    g_test_add_func("/control/surprise-removal", test_surprise_removal);
    return g_test_run();
}
