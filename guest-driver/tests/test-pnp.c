/*
 * What PnP and the power manager may send, at any point of a device's life:
 * what becomes of the request, of the streams, and of the device below.
 *
 * SPDX-License-Identifier: MIT
 */
#include "whole.h"

static void begin_started(void)
{
    unsigned i;

    whole_begin();
    g_assert_cmphex(whole_add(), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_START_DEVICE), ==, STATUS_SUCCESS);
    for (i = 0; i < WHOLE_FILES; i++) {
        g_assert_cmphex(whole_file(IRP_MJ_CREATE, i), ==, STATUS_SUCCESS);
    }
}

static void begin_streaming(void)
{
    begin_started();
    g_assert_cmphex(whole_start(0, 0), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_start(1, 0), ==, STATUS_SUCCESS);
    g_string_truncate(whole.events, 0);
}

static void check_states(ULONG state)
{
    g_assert_cmpuint(whole_stats(0).state, ==, state);
    g_assert_cmpuint(whole_stats(1).state, ==, state);
}

static void check_events(const char *expected)
{
    g_assert_cmpstr(whole.events->str, ==, expected);
    g_string_truncate(whole.events, 0);
}

static void close_files(void)
{
    unsigned i;

    for (i = 0; i < WHOLE_FILES; i++) {
        g_assert_cmphex(whole_file(IRP_MJ_CLEANUP, i), ==, STATUS_SUCCESS);
        g_assert_cmphex(whole_file(IRP_MJ_CLOSE, i), ==, STATUS_SUCCESS);
    }
}

static void end(void)
{
    if (whole.file[0].FsContext) {
        close_files();
    }
    g_assert_cmphex(whole_pnp(IRP_MN_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    whole_end();
}

/* The driver refuses what needs the device, and who wants to open it. */
static void check_refused(NTSTATUS status)
{
    FILE_OBJECT file = { 0 }, kept = whole.file[0];

    g_assert_cmphex(whole_set_format(), ==, status);
    whole.file[0] = file;
    g_assert_cmphex(whole_file(IRP_MJ_CREATE, 0), ==, status);
    g_assert_null(whole.file[0].FsContext);
    whole.file[0] = kept;
}

/* --- start ---------------------------------------------------------------- */

static void test_start(void)
{
    begin_started();
    check_events("pnp00 config ");
    g_assert_true(host.is_announced);
    g_assert_cmpint(host.power, ==, PowerDeviceD0);
    end();
}

/* The bus's own word for it, and nothing is sent to such a device. */
static void test_start_fails_below(void)
{
    whole_begin();
    g_assert_cmphex(whole_add(), ==, STATUS_SUCCESS);
    whole.pnp_status = STATUS_DEVICE_NOT_CONNECTED;
    g_assert_cmphex(whole_pnp(IRP_MN_START_DEVICE), ==,
                    STATUS_DEVICE_NOT_CONNECTED);
    check_events("pnp00 ");
    g_assert_false(host.is_announced);
    whole.pnp_status = STATUS_SUCCESS;
    end();
}

static void test_start_cannot_announce(void)
{
    whole_begin();
    g_assert_cmphex(whole_add(), ==, STATUS_SUCCESS);
    host.announce_status = STATUS_UNSUCCESSFUL;
    g_assert_cmphex(whole_pnp(IRP_MN_START_DEVICE), ==, STATUS_UNSUCCESSFUL);
    end();
}

/*
 * Over a stop and a start the interface stays on, so it is on already; that is
 * no status to end IRP_MN_START_DEVICE with.
 */
static void test_start_again(void)
{
    begin_streaming();
    g_assert_cmphex(whole_pnp(IRP_MN_QUERY_STOP_DEVICE), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_STOP_DEVICE), ==, STATUS_SUCCESS);
    check_states(ISOAV_STATE_HELD);
    check_refused(STATUS_DEVICE_NOT_READY);
    check_events("abort81 alt0.0 abort02 alt1.0 pnp05 unconfig pnp04 ");
    g_assert_true(host.is_announced);
    g_assert_cmphex(whole_pnp(IRP_MN_START_DEVICE), ==, STATUS_SUCCESS);
    check_events("pnp00 config alt0.1 alt1.1 ");
    check_states(ISOAV_STATE_RUNNING);
    g_assert_cmpuint(whole_stats(0).restarts, ==, 1);
    end();
}

/* A device that slept when it was stopped is in D0 when it has started. */
static void test_start_wakes(void)
{
    begin_streaming();
    g_assert_cmphex(whole_device_power(PowerDeviceD3), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_QUERY_STOP_DEVICE), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_STOP_DEVICE), ==, STATUS_SUCCESS);
    check_events("abort81 alt0.0 abort02 alt1.0 D3 pnp05 pnp04 ");
    g_assert_cmpint(host.power, ==, PowerDeviceD3);
    g_assert_cmphex(whole_pnp(IRP_MN_START_DEVICE), ==, STATUS_SUCCESS);
    g_assert_cmpint(host.power, ==, PowerDeviceD0);
    check_states(ISOAV_STATE_RUNNING);
    g_assert_cmphex(whole_stop(0), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_set_format(), ==, STATUS_SUCCESS);
    end();
}

/* --- queries -------------------------------------------------------------- */

static void test_query_and_cancel(void)
{
    static const UCHAR minors[][2] = {
        { IRP_MN_QUERY_STOP_DEVICE, IRP_MN_CANCEL_STOP_DEVICE },
        { IRP_MN_QUERY_REMOVE_DEVICE, IRP_MN_CANCEL_REMOVE_DEVICE },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(minors); i++) {
        begin_streaming();
        g_assert_cmphex(whole_pnp(minors[i][0]), ==, STATUS_SUCCESS);
        check_states(ISOAV_STATE_HELD);
        check_refused(STATUS_DEVICE_NOT_READY);
        g_assert_cmpuint(whole.alternate[0] + whole.alternate[1], ==, 0);
        g_assert_cmphex(whole_pnp(minors[i][0]), ==, STATUS_SUCCESS);
        g_assert_cmphex(whole_pnp(minors[i][1]), ==, STATUS_SUCCESS);
        check_states(ISOAV_STATE_RUNNING);
        g_assert_cmphex(whole_pnp(minors[i][1]), ==, STATUS_SUCCESS);
        g_assert_cmpuint(whole_stats(0).restarts, ==, 1);
        end();
    }
}

/* Requests that say nothing to us go on as they came. */
static void test_forwards(void)
{
    begin_started();
    g_string_truncate(whole.events, 0);
    g_assert_cmphex(whole_pnp(IRP_MN_QUERY_CAPABILITIES), ==,
                    STATUS_NOT_SUPPORTED);
    check_events("pnp09 ");
    end();
}

/* --- removal -------------------------------------------------------------- */

/* A device that is not there any more gets nothing; who waits hears of it. */
static void test_surprise(void)
{
    begin_streaming();
    g_assert_cmphex(whole_transfer(0), ==, STATUS_PENDING);
    g_assert_cmphex(whole_pnp(IRP_MN_SURPRISE_REMOVAL), ==, STATUS_SUCCESS);
    g_assert_true(whole.transfer[0].IsCompleted);
    g_assert_cmphex(whole.transfer[0].IoStatus.Status, ==,
                    STATUS_DEVICE_REMOVED);
    check_events("abort81 abort02 pnp17 ");
    check_states(ISOAV_STATE_FAILED);
    check_refused(STATUS_DEVICE_REMOVED);
    g_assert_false(host.is_announced);
    g_assert_cmphex(whole_pnp(IRP_MN_SURPRISE_REMOVAL), ==, STATUS_SUCCESS);
    check_events("pnp17 ");
    end();
}

static void test_remove_in_each_state(void)
{
    static const UCHAR before[][2] = {
        { IRP_MN_QUERY_REMOVE_DEVICE, 0xff },
        { IRP_MN_QUERY_STOP_DEVICE, IRP_MN_STOP_DEVICE },
        { IRP_MN_QUERY_STOP_DEVICE, IRP_MN_SURPRISE_REMOVAL },
        { IRP_MN_SURPRISE_REMOVAL, 0xff },
    };
    unsigned i, n;

    whole_begin(); /* never started */
    g_assert_cmphex(whole_add(), ==, STATUS_SUCCESS);
    end();
    for (i = 0; i < G_N_ELEMENTS(before); i++) {
        begin_streaming();
        for (n = 0; n < 2 && before[i][n] != 0xff; n++) {
            g_assert_cmphex(whole_pnp(before[i][n]), ==, STATUS_SUCCESS);
        }
        end();
    }
}

/* --- power ---------------------------------------------------------------- */

/* Streams go down before the device sleeps, and come up after it has woken. */
static void test_sleep(void)
{
    begin_streaming();
    g_assert_cmphex(whole_device_power(PowerDeviceD3), ==, STATUS_SUCCESS);
    check_events("abort81 alt0.0 abort02 alt1.0 D3 ");
    check_states(ISOAV_STATE_HELD);
    check_refused(STATUS_DEVICE_NOT_READY);
    g_assert_cmpint(host.power, ==, PowerDeviceD3);
    g_assert_cmphex(whole_device_power(PowerDeviceD0), ==, STATUS_SUCCESS);
    check_events("D0 alt0.1 alt1.1 ");
    check_states(ISOAV_STATE_RUNNING);
    g_assert_cmpint(host.power, ==, PowerDeviceD0);
    end();
}

static void test_wake_fails_below(void)
{
    begin_streaming();
    g_assert_cmphex(whole_device_power(PowerDeviceD3), ==, STATUS_SUCCESS);
    whole.power_status = STATUS_UNSUCCESSFUL;
    g_assert_cmphex(whole_device_power(PowerDeviceD0), ==, STATUS_UNSUCCESSFUL);
    check_states(ISOAV_STATE_HELD);
    check_refused(STATUS_DEVICE_NOT_READY);
    g_assert_cmpint(host.power, ==, PowerDeviceD3);
    whole.power_status = STATUS_SUCCESS;
    g_assert_cmphex(whole_device_power(PowerDeviceD0), ==, STATUS_SUCCESS);
    check_states(ISOAV_STATE_RUNNING);
    end();
}

/* The machine's sleep: we ask for the device's, which belongs to it. */
static void test_system_sleep(void)
{
    begin_streaming();
    g_assert_cmphex(whole_system_power(PowerSystemSleeping3), ==,
                    STATUS_SUCCESS);
    check_events("S3 abort81 alt0.0 abort02 alt1.0 D3 ");
    g_assert_cmphex(whole_system_power(PowerSystemWorking), ==, STATUS_SUCCESS);
    check_events("S0 D0 alt0.1 alt1.1 ");
    check_states(ISOAV_STATE_RUNNING);
    end();
}

/* A query while the device sleeps does not wake it, nor does the cancel. */
static void test_query_asleep(void)
{
    begin_streaming();
    g_assert_cmphex(whole_device_power(PowerDeviceD3), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_QUERY_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_pnp(IRP_MN_CANCEL_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    check_states(ISOAV_STATE_HELD);
    g_assert_cmphex(whole_pnp(IRP_MN_QUERY_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_device_power(PowerDeviceD0), ==, STATUS_SUCCESS);
    check_states(ISOAV_STATE_HELD);
    g_assert_cmphex(whole_pnp(IRP_MN_CANCEL_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    check_states(ISOAV_STATE_RUNNING);
    end();
}

/* --- clean-up ------------------------------------------------------------- */

/*
 * The handle has been closed, and a request through it is still to come: it
 * meets a file that does nothing any more. Close comes later.
 */
static void test_cleanup_first(void)
{
    begin_streaming();
    g_assert_cmphex(whole_transfer(0), ==, STATUS_PENDING);
    g_assert_cmphex(whole_file(IRP_MJ_CLEANUP, 0), ==, STATUS_SUCCESS);
    g_assert_true(whole.transfer[0].IsCompleted);
    g_assert_cmphex(whole.transfer[0].IoStatus.Status, ==, STATUS_CANCELLED);
    check_events("abort81 alt0.0 ");
    g_assert_cmpuint(whole_stats(1).state, ==, ISOAV_STATE_RUNNING);
    g_assert_cmphex(whole_start(0, 0), ==, STATUS_FILE_CLOSED);
    g_assert_cmphex(whole_transfer(0), ==, STATUS_PENDING);
    g_assert_cmphex(whole.transfer[0].IoStatus.Status, ==, STATUS_FILE_CLOSED);
    g_assert_cmphex(whole_device_power(PowerDeviceD3), ==, STATUS_SUCCESS);
    g_assert_cmphex(whole_device_power(PowerDeviceD0), ==, STATUS_SUCCESS);
    check_events("abort02 alt1.0 D3 D0 alt1.1 ");
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/pnp/start", test_start);
    g_test_add_func("/pnp/start-fails-below", test_start_fails_below);
    g_test_add_func("/pnp/start-cannot-announce", test_start_cannot_announce);
    g_test_add_func("/pnp/start-again", test_start_again);
    g_test_add_func("/pnp/start-wakes", test_start_wakes);
    g_test_add_func("/pnp/query-and-cancel", test_query_and_cancel);
    g_test_add_func("/pnp/forwards", test_forwards);
    g_test_add_func("/pnp/surprise", test_surprise);
    g_test_add_func("/pnp/remove-in-each-state", test_remove_in_each_state);
    g_test_add_func("/power/sleep", test_sleep);
    g_test_add_func("/power/wake-fails-below", test_wake_fails_below);
    g_test_add_func("/power/system-sleep", test_system_sleep);
    g_test_add_func("/power/query-asleep", test_query_asleep);
    g_test_add_func("/file/cleanup-first", test_cleanup_first);
    return g_test_run();
}
