/*
 * The life of a device, with memory that runs out at each allocation in turn.
 * Whatever fails says so; the same thing done again succeeds; nothing that goes
 * down asks for memory; and in the end nothing is left.
 *
 * SPDX-License-Identifier: MIT
 */
#include "whole.h"

static NTSTATUS start_device(void)
{
    return whole_pnp(IRP_MN_START_DEVICE);
}

/* As PnP does with a device that does not start. */
static void add_again(void)
{
    g_assert_cmphex(whole_pnp(IRP_MN_REMOVE_DEVICE), ==, STATUS_SUCCESS);
    host_check_clean();
    g_assert_cmphex(whole_add(), ==, STATUS_SUCCESS);
}

static NTSTATUS open_files(void)
{
    NTSTATUS status = STATUS_SUCCESS;
    unsigned i;

    for (i = 0; i < WHOLE_FILES && NT_SUCCESS(status); i++) {
        if (!whole.file[i].FsContext) {
            status = whole_file(IRP_MJ_CREATE, i);
        }
    }
    return status;
}

static NTSTATUS get_info(void)
{
    return whole_control(0, ISOAV_IOCTL_GET_INFO, NULL, 0, sizeof(isoav_info));
}

static NTSTATUS start_in(void)
{
    return whole_start(0, 0);
}

/* Whether streams run, both, with what they were started with. */
static NTSTATUS are_running(void)
{
    NTSTATUS status = STATUS_SUCCESS;
    unsigned i;

    for (i = 0; i < WHOLE_FILES; i++) {
        isoav_stats stats = whole_stats(i);

        if (stats.state != ISOAV_STATE_RUNNING || stats.frame_refusals) {
            status = STATUS_INSUFFICIENT_RESOURCES;
        }
    }
    return status;
}

static NTSTATUS start_out(void)
{
    NTSTATUS status = whole_start(1, ISOAV_START_FRAMES);

    return NT_SUCCESS(status) ? are_running() : status;
}

/* A stream without the frames that it asked for. */
static void stop_out(void)
{
    if (whole_stats(1).state == ISOAV_STATE_RUNNING) {
        g_assert_cmphex(whole_stop(1), ==, STATUS_SUCCESS);
    }
}

static NTSTATUS stream(void)
{
    unsigned n;

    for (n = 0; n < 3; n++) {
        g_assert_cmphex(whole_transfer(0), ==, STATUS_PENDING);
        g_assert_cmphex(whole_transfer(1), ==, STATUS_PENDING);
        whole_complete();
        g_assert_true(whole.transfer[0].IsCompleted);
        g_assert_cmphex(whole.transfer[0].IoStatus.Status, ==, STATUS_SUCCESS);
        g_assert_cmpuint(whole.transfer[0].IoStatus.Information, >, 0);
        g_assert_true(whole.transfer[1].IsCompleted);
        g_assert_cmphex(whole.transfer[1].IoStatus.Status, ==, STATUS_SUCCESS);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS query_stop(void)
{
    return whole_pnp(IRP_MN_QUERY_STOP_DEVICE);
}

static NTSTATUS stop_device(void)
{
    return whole_pnp(IRP_MN_STOP_DEVICE);
}

/* What brings streams back; they may have failed although it succeeded. */
static NTSTATUS and_running(NTSTATUS status)
{
    return NT_SUCCESS(status) ? are_running() : status;
}

static NTSTATUS cancel_stop(void)
{
    return and_running(whole_pnp(IRP_MN_CANCEL_STOP_DEVICE));
}

/* It has started, too, when only its streams have not come back. */
static NTSTATUS start_again(void)
{
    return whole.configuration ? are_running() : and_running(start_device());
}

static NTSTATUS sleep_device(void)
{
    return whole_device_power(PowerDeviceD3);
}

static NTSTATUS wake_device(void)
{
    return and_running(whole_device_power(PowerDeviceD0));
}

static NTSTATUS sleep_system(void)
{
    return whole_system_power(PowerSystemSleeping3);
}

static NTSTATUS wake_system(void)
{
    return and_running(whole_system_power(PowerSystemWorking));
}

/* The streams that have failed are started again, by who reads and writes. */
static void start_failed(void)
{
    unsigned i;

    for (i = 0; i < WHOLE_FILES; i++) {
        isoav_stats stats = whole_stats(i);

        if (stats.state == ISOAV_STATE_FAILED || stats.frame_refusals) {
            g_assert_cmphex(whole_stop(i), ==, STATUS_SUCCESS);
            g_assert_cmphex(whole_start(i, i ? ISOAV_START_FRAMES : 0), ==,
                            STATUS_SUCCESS);
        }
    }
}

static NTSTATUS stop_streams(void)
{
    NTSTATUS status = whole_stop(0);

    return NT_SUCCESS(status) ? whole_stop(1) : status;
}

static NTSTATUS close_files(void)
{
    unsigned i;

    for (i = 0; i < WHOLE_FILES; i++) {
        g_assert_cmphex(whole_file(IRP_MJ_CLEANUP, i), ==, STATUS_SUCCESS);
        g_assert_cmphex(whole_file(IRP_MJ_CLOSE, i), ==, STATUS_SUCCESS);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS remove_device(void)
{
    return whole_pnp(IRP_MN_REMOVE_DEVICE);
}

typedef struct {
    const char *what;
    NTSTATUS (*run)(void);
    bool allocates;
    void (*mend)(void); /* after a failure, before it is done again */
} life_step;

static const life_step life[] = {
    { "add", whole_add, true, host_check_clean },
    { "start the device", start_device, true, add_again },
    { "open", open_files, true, NULL },
    { "get information", get_info, true, NULL },
    { "set the format", whole_set_format, true, NULL },
    { "start IN", start_in, true, NULL },
    { "start OUT", start_out, true, stop_out },
    { "stream", stream, false, NULL },
    { "query stop", query_stop, false, NULL },
    { "cancel stop", cancel_stop, true, start_failed },
    { "sleep", sleep_device, false, NULL },
    { "wake", wake_device, true, start_failed },
    { "the machine sleeps", sleep_system, true, NULL },
    { "the machine wakes", wake_system, true, start_failed },
    { "query stop", query_stop, false, NULL },
    { "stop the device", stop_device, false, NULL },
    { "start the device again", start_again, true, start_failed },
    { "stream", stream, false, NULL },
    { "stop the streams", stop_streams, false, NULL },
    { "set the format", whole_set_format, true, NULL },
    { "start IN again", start_in, true, NULL },
    { "start OUT again", start_out, true, stop_out },
    { "close in mid-stream", close_files, false, NULL },
    { "open again", open_files, true, NULL },
    { "set the format", whole_set_format, true, NULL },
    { "close", close_files, false, NULL },
    { "remove", remove_device, false, NULL },
};

/* An alternate setting is selected where a stream runs, and nowhere else. */
static void check_alternates(void)
{
    unsigned i;

    for (i = 0; i < WHOLE_FILES; i++) {
        bool runs = whole.file[i].FsContext &&
                    whole_stats(i).state == ISOAV_STATE_RUNNING;

        g_assert_cmpuint(whole.alternate[i], ==, runs);
    }
}

static void take_step(const life_step *step)
{
    unsigned attempts = host.attempts;
    bool was_to_come = host.fail_after != 0;
    NTSTATUS status = step->run();

    if (!step->allocates) {
        g_assert_cmpuint(host.attempts, ==, attempts);
    }
    check_alternates();
    if (was_to_come && !host.fail_after) {
        g_test_message("%s: %08x", step->what, (unsigned)status);
        g_assert_cmphex(status, ==, STATUS_INSUFFICIENT_RESOURCES);
        if (step->mend) {
            step->mend();
        }
        status = step->run();
    }
    g_assert_cmphex(status, ==, STATUS_SUCCESS);
}

static void test_each_allocation(void)
{
    unsigned n, i;
    bool failed;

    for (n = 1, failed = true; failed; n++) {
        g_test_message("allocation %u", n);
        whole_begin();
        host.fail_after = n;
        for (i = 0; i < G_N_ELEMENTS(life); i++) {
            take_step(&life[i]);
        }
        failed = !host.fail_after;
        whole_end();
    }
    g_assert_cmpuint(n, >, 100);
}

/*
 * From one moment on there is no memory at all, until everything has gone
 * down; then there is some again.
 */
static void test_none_on_the_way_down(void)
{
    static const life_step ways[] = {
        { "stop the streams", stop_streams, false, NULL },
        { "query stop", query_stop, false, NULL },
        { "sleep", sleep_device, false, NULL },
        { "close", close_files, false, NULL },
    };
    unsigned w, i;

    for (w = 0; w < G_N_ELEMENTS(ways); w++) {
        whole_begin();
        for (i = 0; life[i].run != stream; i++) {
            g_assert_cmphex(life[i].run(), ==, STATUS_SUCCESS);
        }
        host.is_out = true;
        g_assert_cmphex(ways[w].run(), ==, STATUS_SUCCESS);
        g_assert_true(g_queue_is_empty(&whole.bus));
        g_assert_cmpuint(whole.alternate[0], ==, 0);
        g_assert_cmpuint(whole.alternate[1], ==, 0);
        if (whole.file[0].FsContext) {
            close_files();
        }
        g_assert_cmphex(remove_device(), ==, STATUS_SUCCESS);
        host.is_out = false;
        whole_end();
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/memory/each-allocation", test_each_allocation);
    g_test_add_func("/memory/none-on-the-way-down", test_none_on_the_way_down);
    return g_test_run();
}
