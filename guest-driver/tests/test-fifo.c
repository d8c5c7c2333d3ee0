/*
 * The FIFO of records: whole records, in order, around the end of the memory,
 * nothing overwritten.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <string.h>

#include "fifo.h"

static uint8_t memory[4096 + 16];
static uint8_t buffer[8192];

static bool put(ISOAV_FIFO *fifo, uint32_t length, uint64_t number)
{
    isoav_record record = { .length = length, .packet_number = number };
    uint8_t data[2048];
    uint32_t i;

    for (i = 0; i < length; i++) {
        data[i] = (uint8_t)(number * 7 + i);
    }
    return FifoPut(fifo, &record, data);
}

/* The record at buffer + at is number `number` with `length` bytes. */
static uint32_t check(uint32_t at, uint32_t length, uint64_t number)
{
    isoav_record record;
    uint32_t i;

    memcpy(&record, buffer + at, sizeof(record));
    g_assert_cmpuint(record.record_bytes, ==, ISOAV_RECORD_BYTES(length));
    g_assert_cmpuint(record.record_bytes % 8, ==, 0);
    g_assert_cmpuint(record.length, ==, length);
    g_assert_cmpuint(record.packet_number, ==, number);
    for (i = 0; i < length; i++) {
        g_assert_cmphex(buffer[at + sizeof(record) + i], ==,
                        (uint8_t)(number * 7 + i));
    }
    for (i = sizeof(record) + length; i < record.record_bytes; i++) {
        g_assert_cmphex(buffer[at + i], ==, 0); /* padding */
    }
    return record.record_bytes;
}

static void test_record_layout(void)
{
    g_assert_cmpuint(sizeof(isoav_record), ==, 32);
    g_assert_cmpuint(offsetof(isoav_record, packet_number), ==, 24);
    g_assert_cmpuint(ISOAV_RECORD_BYTES(0), ==, 32);
    g_assert_cmpuint(ISOAV_RECORD_BYTES(1), ==, 40);
    g_assert_cmpuint(ISOAV_RECORD_BYTES(8), ==, 40);
    g_assert_cmpuint(ISOAV_RECORD_BYTES(3072), ==, 3104);
}

static void test_order(void)
{
    ISOAV_FIFO fifo;
    uint32_t at = 0, got;
    uint64_t i;

    memset(memory, 0xee, sizeof(memory));
    FifoInitialize(&fifo, memory, 4096);
    g_assert_true(FifoIsEmpty(&fifo));
    g_assert_cmpuint(FifoGet(&fifo, buffer, sizeof(buffer)), ==, 0);
    for (i = 0; i < 10; i++) {
        g_assert_true(put(&fifo, (uint32_t)i * 3, i));
    }
    got = FifoGet(&fifo, buffer, sizeof(buffer));
    for (i = 0; i < 10; i++) {
        at += check(at, (uint32_t)i * 3, i);
    }
    g_assert_cmpuint(at, ==, got);
    g_assert_true(FifoIsEmpty(&fifo));
}

/* A thousand records through a memory that holds a few. */
static void test_wrap(void)
{
    uint64_t in = 0, out = 0;
    ISOAV_FIFO fifo;

    FifoInitialize(&fifo, memory, 1000); /* not a multiple of 8 */
    g_assert_cmpuint(fifo.Bytes, ==, 1000);
    memset(memory + 1000, 0xee, 8);
    while (out < 1000) {
        uint32_t at = 0, got;

        while (put(&fifo, (uint32_t)(in * 37 % 200), in)) {
            in++;
        }
        got = FifoGet(&fifo, buffer, 500);
        while (at < got) {
            at += check(at, (uint32_t)(out * 37 % 200), out);
            out++;
        }
        g_assert_cmpuint(at, ==, got);
    }
    g_assert_cmphex(memory[1000], ==, 0xee);
}

static void test_full(void)
{
    ISOAV_FIFO fifo;

    FifoInitialize(&fifo, memory, 128);
    g_assert_true(put(&fifo, 32, 0));
    g_assert_true(put(&fifo, 32, 1)); /* exactly full */
    g_assert_cmpuint(fifo.Used, ==, 128);
    g_assert_false(put(&fifo, 0, 2));
    g_assert_cmpuint(FifoGet(&fifo, buffer, sizeof(buffer)), ==, 128);
    check(0, 32, 0);
    check(64, 32, 1);
    g_assert_false(put(&fifo, 128, 3)); /* can never fit */
    g_assert_true(FifoIsEmpty(&fifo));
}

static void test_whole_records_only(void)
{
    ISOAV_FIFO fifo;

    FifoInitialize(&fifo, memory, 4096);
    put(&fifo, 32, 0);
    put(&fifo, 32, 1);
    g_assert_cmpuint(FifoGet(&fifo, buffer, 63), ==, 0);
    g_assert_cmpuint(FifoGet(&fifo, buffer, 127), ==, 64);
    check(0, 32, 0);
    g_assert_cmpuint(FifoGet(&fifo, buffer, 64), ==, 64);
    check(0, 32, 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fifo/record-layout", test_record_layout);
    g_test_add_func("/fifo/order", test_order);
    g_test_add_func("/fifo/wrap", test_wrap);
    g_test_add_func("/fifo/full", test_full);
    g_test_add_func("/fifo/whole-records-only", test_whole_records_only);
    return g_test_run();
}
