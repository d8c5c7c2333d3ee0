/*
 * The packet log: what it says of packets that came, came damaged, were
 * cancelled or never queued, and how it forgets.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rig.h"

static isoav_log_entry entries[64];
static isoav_log_part part;

static ULONG read_log(uint64_t from)
{
    return LogRead(&rig.device.Log, from, &part, entries,
                   G_N_ELEMENTS(entries));
}

/* Every field, against what the bus of the rig does. */
static void test_entries(void)
{
    ULONG i;

    rig_begin_started();
    g_assert_cmpuint(read_log(0), ==, 0);
    g_assert_cmpuint(part.size, ==, ISOAV_LOG_ENTRIES_DEFAULT);
    rig_complete();
    rig_complete();
    g_assert_cmpuint(read_log(0), ==, 16);
    g_assert_cmpuint(part.entries, ==, 16);
    g_assert_cmpuint(part.next, ==, 16);
    g_assert_cmpuint(part.end, ==, 16);
    g_assert_cmpuint(part.oldest, ==, 0);
    for (i = 0; i < 16; i++) {
        const isoav_log_entry expected = {
            .sequence = i,
            .ordinal = i + 1,
            .selection = 1,
            .alternate = 4,
            .endpoint = 0x81,
            .start_frame = 1000 + i / 8,
            .packet_index = i % 8,
            .length = 4 + i % 5,
        };

        g_assert_cmpmem(&entries[i], sizeof(expected), &expected,
                        sizeof(expected));
    }
    rig_end();
}

static void test_statuses(void)
{
    rig_begin_started();
    rig_complete_as(USBD_STATUS_ISOCH_REQUEST_FAILED, STATUS_SUCCESS,
                    USBD_STATUS_XACT_ERROR);
    g_assert_cmpuint(read_log(0), ==, 8);
    g_assert_cmphex(entries[7].packet_status, ==,
                    (ULONG)USBD_STATUS_XACT_ERROR);
    g_assert_cmphex(entries[7].urb_status, ==,
                    (ULONG)USBD_STATUS_ISOCH_REQUEST_FAILED);
    g_assert_cmpuint(entries[7].ordinal, ==, 8);
    g_assert_cmpuint(entries[7].length, ==, 0);
    rig_end();
}

/* A refused URB has one entry and takes no numbers from later packets. */
static void test_refused(void)
{
    rig_begin_started();
    rig_complete();
    rig_complete_as(USBD_STATUS_BAD_START_FRAME, STATUS_UNSUCCESSFUL, 0);
    rig_complete();
    g_assert_cmpuint(read_log(8), ==, 9);
    g_assert_cmpuint(entries[0].ordinal, ==, 0);
    g_assert_cmphex(entries[0].urb_status, ==,
                    (ULONG)USBD_STATUS_BAD_START_FRAME);
    g_assert_cmphex(entries[0].packet_status, ==,
                    (ULONG)USBD_STATUS_BAD_START_FRAME);
    g_assert_cmpuint(entries[1].ordinal, ==, 9);
    g_assert_cmpuint(entries[8].ordinal, ==, 16);
    rig_end();
}

/* The packets of cancelled URBs were queued: they have numbers. */
static void test_cancelled(void)
{
    rig_begin_started();
    rig_complete();
    rig_stop(STATUS_SUCCESS); /* three URBs were out */
    g_assert_cmpuint(read_log(0), ==, 32);
    g_assert_cmpuint(entries[8].ordinal, ==, 9);
    g_assert_cmpuint(entries[31].ordinal, ==, 32);
    g_assert_cmphex(entries[31].urb_status, ==, (ULONG)USBD_STATUS_CANCELED);
    rig_end();
}

static void test_selections(void)
{
    rig_begin_started();
    rig_complete();
    rig_stop(STATUS_SUCCESS);
    g_assert_cmphex(rig_start(rig_small_start()), ==, STATUS_SUCCESS);
    rig_complete();
    g_assert_cmpuint(read_log(32), ==, 8);
    g_assert_cmpuint(entries[0].selection, ==, 2);
    g_assert_cmpuint(entries[0].ordinal, ==, 1);
    rig_end();
}

/* The oldest go first; a reader that is behind is put forward. */
static void test_wraps(void)
{
    ULONG i;

    rig_begin_started();
    g_assert_cmphex(LogResize(&rig.device.Log, 64), ==, STATUS_SUCCESS);
    for (i = 0; i < 20; i++) {
        rig_complete(); /* 160 packets */
    }
    g_assert_cmpuint(read_log(0), ==, 64);
    g_assert_cmpuint(part.oldest, ==, 96);
    g_assert_cmpuint(entries[0].sequence, ==, 96);
    g_assert_cmpuint(entries[63].ordinal, ==, 160);
    g_assert_cmpuint(part.next, ==, 160);
    g_assert_cmpuint(read_log(part.next), ==, 0);
    g_assert_cmpuint(part.next, ==, 160);
    g_assert_cmpuint(read_log(UINT64_MAX), ==, 0);
    g_assert_cmpuint(part.next, ==, 160);
    rig_end();
}

static void test_resize(void)
{
    rig_begin_started();
    rig_complete();
    g_assert_cmphex(LogResize(&rig.device.Log, 63), ==,
                    STATUS_INVALID_PARAMETER);
    g_assert_cmphex(LogResize(&rig.device.Log, 262145), ==,
                    STATUS_INVALID_PARAMETER);
    host.fail_after = 1;
    g_assert_cmphex(LogResize(&rig.device.Log, 64), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    g_assert_cmpuint(read_log(0), ==, 8); /* the old one stays */
    g_assert_cmphex(LogResize(&rig.device.Log, 64), ==, STATUS_SUCCESS);
    g_assert_cmpuint(read_log(0), ==, 0);
    g_assert_cmpuint(part.oldest, ==, 8);
    g_assert_cmpuint(part.next, ==, 8); /* numbers go on */
    rig_complete();
    g_assert_cmpuint(read_log(8), ==, 8);
    g_assert_cmpuint(entries[0].sequence, ==, 8);
    g_assert_cmpuint(entries[0].ordinal, ==, 9);
    rig_end();
}

/* Before the first stream there is a log with nothing in it. */
static void test_not_begun(void)
{
    rig_begin();
    g_assert_cmpuint(read_log(0), ==, 0);
    g_assert_cmpuint(part.size, ==, 0);
    host.fail_after = 1;
    g_assert_cmphex(rig_start(rig_small_start()), ==,
                    STATUS_INSUFFICIENT_RESOURCES);
    rig_end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/log/entries", test_entries);
    g_test_add_func("/log/statuses", test_statuses);
    g_test_add_func("/log/refused", test_refused);
    g_test_add_func("/log/cancelled", test_cancelled);
    g_test_add_func("/log/selections", test_selections);
    g_test_add_func("/log/wraps", test_wraps);
    g_test_add_func("/log/resize", test_resize);
    g_test_add_func("/log/not-begun", test_not_begun);
    return g_test_run();
}
