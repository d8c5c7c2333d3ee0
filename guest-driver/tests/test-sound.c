/*
 * What the program sends and writes besides pictures: packets of the test
 * streams, WAV files, Y4M files.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "testdata.h"
#include "wav.h"

/* --- packets ---------------------------------------------------------------
 */

static uint8_t buffer[8192];

static void test_packet(void)
{
    isoav_record record;
    isoav_packet packet;
    uint8_t *wire = buffer + sizeof(record);
    uint32_t end = testdata_put(buffer, 0, 300, NULL, 10), i;

    memcpy(&record, buffer, sizeof(record));
    g_assert_cmpuint(record.length, ==, 46);
    g_assert_cmpuint(record.record_bytes, ==, end);
    g_assert_cmpuint(end, ==, ISOAV_RECORD_BYTES(46));
    g_assert_true(testdata_is_right(wire, 46, &packet));
    g_assert_cmpuint(packet.sequence, ==, 300);
    g_assert_cmpuint(packet.stream, ==, ISOAV_STREAM_TEST_OUT);
    g_assert_cmpuint(wire[ISOAV_HEADER_BYTES], ==, 300 % 256);
    g_assert_cmpuint(wire[ISOAV_HEADER_BYTES + 9], ==, 309 % 256);
    for (i = 0; i < 46; i++) { /* any byte that changes is noticed */
        wire[i] ^= 1;
        g_assert_false(testdata_is_right(wire, 46, &packet));
        wire[i] ^= 1;
    }
    g_assert_false(testdata_is_right(wire, 45, &packet));
}

static void test_payload(void)
{
    static const uint8_t mine[3] = { 9, 8, 7 };
    isoav_packet packet;
    uint32_t first = testdata_put(buffer, 0, 0, mine, 3);
    uint32_t second = testdata_put(buffer, first, 1, NULL, 0);
    uint8_t *wire = buffer + sizeof(isoav_record);

    g_assert_cmpuint(second, ==, first + ISOAV_RECORD_BYTES(36));
    g_assert_cmpmem(wire + ISOAV_HEADER_BYTES, 3, mine, 3);
    g_assert_false(testdata_is_right(wire, 39, &packet)); /* no pattern */
    g_assert_true(testdata_has_crc(wire, &packet));
    g_assert_true(testdata_is_right(wire + first, 36, &packet));
}

/* --- WAV --------------------------------------------------------------------
 */

static const char *read_header(const void *data, size_t bytes,
                               wav_format *format)
{
    FILE *file = fmemopen((void *)data, bytes, "rb");
    const char *why = wav_read_header(file, format);

    fclose(file);
    return why;
}

static void test_wav(void)
{
    wav_format format = { 44100, 2, 16, 1000 }, back;
    uint8_t header[WAV_HEADER_BYTES];
    unsigned i;

    wav_header(header, &format);
    g_assert_null(read_header(header, sizeof(header), &back));
    g_assert_cmpmem(&back, sizeof(back), &format, sizeof(format));
    for (i = 1; i < sizeof(header); i++) {
        g_assert_nonnull(read_header(header, i, &back));
    }
    header[20] = 3; /* floating point */
    g_assert_nonnull(read_header(header, sizeof(header), &back));
}

/* Chunks that nobody knows are stepped over, also odd ones. */
static void test_wav_chunks(void)
{
    static const char odd[] = "LIST\003\000\000\000abc";
    wav_format format = { 8000, 1, 8, 4 }, back;
    uint8_t file[WAV_HEADER_BYTES + 12];

    wav_header(file, &format);
    memmove(file + 24, file + 12, WAV_HEADER_BYTES - 12);
    memcpy(file + 12, odd, 12);
    g_assert_null(read_header(file, sizeof(file), &back));
    g_assert_cmpuint(back.rate, ==, 8000);
    memcpy(file + 16, "\377\377\377\377", 4); /* past every end */
    g_assert_nonnull(read_header(file, sizeof(file), &back));
}

static void test_interval(void)
{
    wav_format format = { 44100, 2, 16, 0 };
    uint32_t rest = 0, bytes = 0, least = UINT32_MAX, most = 0, i;

    for (i = 0; i < 8000; i++) {
        uint32_t now = wav_interval_bytes(&format, 8000, &rest);

        g_assert_cmpuint(now % 4, ==, 0);
        least = MIN(least, now);
        most = MAX(most, now);
        bytes += now;
    }
    g_assert_cmpuint(bytes, ==, 44100 * 4);
    g_assert_cmpuint(least, ==, 20);
    g_assert_cmpuint(most, ==, 24);
}

static void test_y4m(void)
{
    static const uint8_t picture[] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);

    y4m_header(file, 2, 2, 333333);
    g_assert_true(y4m_picture(file, picture, 2, 2));
    fclose(file);
    g_assert_cmpmem(text, bytes,
                    "YUV4MPEG2 W2 H2 F10000000:333333 Ip A1:1 C422\nFRAME\n"
                    "\001\003\005\007\002\006\004\010",
                    46 + 6 + 8);
    free(text);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/testdata/packet", test_packet);
    g_test_add_func("/testdata/payload", test_payload);
    g_test_add_func("/wav/header", test_wav);
    g_test_add_func("/wav/chunks", test_wav_chunks);
    g_test_add_func("/wav/interval", test_interval);
    g_test_add_func("/y4m/picture", test_y4m);
    return g_test_run();
}
