/*
 * What the program reads and writes: command line, pictures, summary.
 *
 * SPDX-License-Identifier: MIT
 */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "args.h"
#include "isolab/pattern.h"
#include "ntname.h"
#include "packetlog.h"
#include "png.h"
#include "report.h"
#include "usbdname.h"
#include "verdict.h"

/* --- arguments ---------------------------------------------------------------
 */

static args_options options;
static char error[ARGS_ERROR_BYTES];

/* Parses a line of words. */
static bool parse(const char *line)
{
    static char **words;

    g_strfreev(words);
    words = g_strsplit(line, " ", 0);
    return args_parse(&options, (int)g_strv_length(words), words, error);
}

static void test_args_capture(void)
{
    g_assert_true(parse("capture"));
    g_assert_cmpint(options.command, ==, COMMAND_CAPTURE);
    g_assert_cmpuint(options.frames, ==, 300);
    g_assert_cmpuint(options.width, ==, 0); /* choose_size's */
    g_assert_cmpuint(options.height, ==, 0);
    g_assert_cmpuint(options.fps, ==, 30);
    g_assert_cmpuint(options.alternate, ==, 0);
    g_assert_cmpuint(options.every, ==, 30);
    g_assert_null(options.out);
    g_assert_false(options.json);

    g_assert_true(parse("capture --frames 7 --width 1920 --height 1080 --fps 5 "
                        "--alt 5 --urbs 8 --packets 32 --out pics --every 2 "
                        "--device 1 --json --progress"));
    g_assert_cmpuint(options.frames, ==, 7);
    g_assert_cmpuint(options.width, ==, 1920);
    g_assert_cmpuint(options.height, ==, 1080);
    g_assert_cmpuint(options.fps, ==, 5);
    g_assert_cmpuint(options.alternate, ==, 5);
    g_assert_cmpuint(options.urbs, ==, 8);
    g_assert_cmpuint(options.packets, ==, 32);
    g_assert_cmpuint(options.every, ==, 2);
    g_assert_cmpuint(options.device, ==, 1);
    g_assert_cmpstr(options.out, ==, "pics");
    g_assert_true(options.json && options.progress);
}

static void test_args_log(void)
{
    g_assert_true(parse("log"));
    g_assert_cmpint(options.command, ==, COMMAND_LOG);
    g_assert_cmpuint(options.size, ==, 0);
    g_assert_false(options.errors);
    g_assert_true(parse("log --size 4096 --errors --device 2 --json"));
    g_assert_cmpuint(options.size, ==, 4096);
    g_assert_cmpuint(options.device, ==, 2);
    g_assert_true(options.errors && options.json);
}

static void test_args_files(void)
{
    g_assert_true(parse("play in.wav --record out.wav --json"));
    g_assert_cmpint(options.command, ==, COMMAND_PLAY);
    g_assert_cmpstr(options.file, ==, "in.wav");
    g_assert_cmpstr(options.record, ==, "out.wav");
    g_assert_cmpuint(options.alternate, ==, 0);
    g_assert_true(parse("loopback"));
    g_assert_cmpuint(options.alternate, ==, 1);
    g_assert_true(parse("selftest --only video --json"));
    g_assert_cmpstr(options.only, ==, "video");
    g_assert_true(options.json);
    g_assert_true(parse("loopback --count 99 --alt 2"));
    g_assert_cmpuint(options.count, ==, 99);
    g_assert_cmpuint(options.alternate, ==, 2);
    g_assert_true(parse("loopback"));
    g_assert_cmpuint(options.count, ==, 8192);
    g_assert_true(parse("capture --wav a.wav --count 99 --alt 3"));
    g_assert_cmpstr(options.wav, ==, "a.wav");
    g_assert_cmpuint(options.count, ==, 99);
    g_assert_cmpuint(options.alternate, ==, 3);
    g_assert_true(parse("capture --y4m a.y4m"));
    g_assert_cmpstr(options.y4m, ==, "a.y4m");
}

static void test_args_help(void)
{
    static const struct {
        const char *line;
        args_command topic;
    } rows[] = {
        { "--help", COMMAND_HELP },
        { "-h", COMMAND_HELP },
        { "help", COMMAND_HELP },
        { "help capture", COMMAND_CAPTURE },
        { "capture --help", COMMAND_CAPTURE },
        { "info --json -h", COMMAND_INFO },
        { "list --help", COMMAND_LIST },
        { "log --errors --help", COMMAND_LOG },
        { "help selftest", COMMAND_SELFTEST },
        { "play -h", COMMAND_PLAY },
        { "help loopback", COMMAND_LOOPBACK },
        { "help stats", COMMAND_STATS },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(parse(rows[i].line));
        g_assert_cmpint(options.command, ==, COMMAND_HELP);
        g_assert_cmpint(options.topic, ==, rows[i].topic);
    }
}

/* Each wrong line gets a sentence that names what is wrong. */
static void test_args_wrong(void)
{
    static const struct {
        const char *line, *named;
    } rows[] = {
        { "record", "record" },
        { "capture --frames", "--frames needs" },
        { "capture --out", "--out needs" },
        { "capture --frames 0", "\"0\"" },
        { "capture --frames -1", "\"-1\"" },
        { "capture --frames 1x", "\"1x\"" },
        { "capture --frames 4294967297", "4294967297" },
        { "capture --frames 99999999999999999999999", "--frames" },
        { "capture --frames 18446744073709551621", "--frames" }, /* 2^64 + 5 */
        { "capture --width 65", "multiple of 16" },
        { "capture --width 48", "from 64" },
        { "capture --height 1082", "1080" },
        { "capture --fps 61", "60" },
        { "capture --alt 6", "5" },
        { "capture --urbs 2", "3" },
        { "capture --packets 0", "from 1" },
        { "capture --packets 1025", "1024" },
        { "capture --colour", "--colour" },
        { "capture now", "now" },
        { "info --frames 3", "--frames" },
        { "list --device 1", "--device" },
        { "log --size 63", "from 64" },
        { "log --size 262145", "262144" },
        { "capture --errors", "--errors" },
        { "selftest --only", "--only needs" },
        { "capture --wav", "--wav needs" },
        { "capture --wav a.wav --frames 3", "--frames is for video" },
        { "capture --y4m a.y4m --wav a.wav", "--y4m is for video" },
        { "capture --progress --wav a.wav", "--progress is for video" },
        { "capture --count 8", "--count goes with --wav" },
        { "loopback --count 0", "\"0\"" },
        { "play a.wav b.wav", "b.wav" },
        { "info --only x", "--only" },
        { "list --progress", "--progress" },
        { "help me", "me" },
        { "help list capture", "capture" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].line);
        g_assert_false(parse(rows[i].line));
        g_assert_nonnull(strstr(error, rows[i].named));
    }
    g_assert_false(args_parse(&options, 0, NULL, error));
    g_assert_nonnull(strstr(error, "missing"));
}

/* --- pictures
 * ------------------------------------------------------------------ */

static uint32_t load32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 |
           p[3];
}

static void test_colours(void)
{
    static const struct {
        uint8_t y, u, v, rgb[3];
    } rows[] = {
        { 16, 128, 128, { 0, 0, 0 } },
        { 235, 128, 128, { 255, 255, 255 } },
        { 180, 128, 128, { 191, 191, 191 } }, /* the 75 % bars */
        { 162, 44, 142, { 192, 192, 0 } },
        { 131, 156, 44, { 0, 191, 191 } },
        { 112, 72, 58, { 0, 192, 0 } },
        { 84, 184, 198, { 191, 0, 192 } },
        { 65, 100, 212, { 191, 0, 1 } },
        { 35, 212, 114, { 0, 0, 191 } },
        { 0, 128, 128, { 0, 0, 0 } }, /* out of range */
        { 255, 128, 128, { 255, 255, 255 } },
    };
    unsigned i, c;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        const uint8_t yuy2[4] = { rows[i].y, rows[i].u, 16, rows[i].v };
        uint8_t rgb[6];

        png_yuy2_to_rgb(rgb, yuy2, 2);
        for (c = 0; c < 3; c++) {
            g_assert_cmpint(abs(rgb[c] - rows[i].rgb[c]), <=, 1);
        }
    }
}

/* Takes the file apart as PNG §5 says and compares each pixel. */
static void test_png(void)
{
    enum { W = 64, H = 48, ROW = W * 3 };
    static uint8_t yuy2[W * H * 2], rows[(ROW + 1) * H], rgb[ROW], above[ROW];
    uLongf unpacked = sizeof(rows);
    const uint8_t *at;
    uint8_t *png;
    size_t bytes;
    uint32_t x, y, length;

    isolab_pattern_fill(yuy2, W, H, 5, 333333);
    png = png_encode(yuy2, W, H, &bytes);
    g_assert_cmpmem(png, 8, "\x89PNG\r\n\x1a\n", 8);
    at = png + 8;
    g_assert_cmpuint(load32(at), ==, 13);
    g_assert_cmpmem(at + 4, 4, "IHDR", 4);
    g_assert_cmpuint(load32(at + 8), ==, W);
    g_assert_cmpuint(load32(at + 12), ==, H);
    g_assert_cmpmem(at + 16, 5, "\x08\x02\x00\x00\x00", 5);
    g_assert_cmphex(load32(at + 21), ==, crc32(0, at + 4, 17));
    at += 25;
    length = load32(at);
    g_assert_cmpmem(at + 4, 4, "IDAT", 4);
    g_assert_cmphex(load32(at + 8 + length), ==, crc32(0, at + 4, length + 4));
    g_assert_cmpint(uncompress(rows, &unpacked, at + 8, length), ==, Z_OK);
    g_assert_cmpuint(unpacked, ==, sizeof(rows));
    at += 12 + length;
    g_assert_cmpmem(at, 12, "\0\0\0\0IEND\xae\x42\x60\x82", 12);
    g_assert_cmpuint((size_t)(at + 12 - png), ==, bytes);

    for (y = 0; y < H; y++) {
        g_assert_cmpuint(rows[(ROW + 1) * y], ==, 2);
        png_yuy2_to_rgb(rgb, yuy2 + W * 2 * y, W);
        for (x = 0; x < ROW; x++) {
            above[x] = (uint8_t)(above[x] + rows[(ROW + 1) * y + 1 + x]);
            g_assert_cmphex(above[x], ==, rgb[x]);
        }
    }
    free(png);
}

/* --- summary
 * -------------------------------------------------------------------- */

static account packets;
static frame_assembler frames;

static report make_report(void)
{
    report r = { &packets, &frames, 30, 4, 2048, 1, NULL };

    memset(&packets, 0, sizeof(packets));
    memset(&frames, 0, sizeof(frames));
    packets.packets = 2660;
    packets.bytes = 4608000;
    packets.statuses = 1;
    packets.status[0].packets = 2660;
    frames.width = 640;
    frames.height = 360;
    frames.wanted = frames.complete = 10;
    frames.has_first = true;
    frames.last_number = 9;
    frames.last_uf = 2400;
    return r;
}

static char *print(void (*printer)(FILE *, const report *), const report *r)
{
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);

    printer(file, r);
    fclose(file);
    return text;
}

static void test_report_json(void)
{
    report r = make_report();
    char *text = print(report_json, &r);

    g_assert_cmpstr(
        text, ==,
        "{\n"
        "  \"format\": {\"width\": 640, \"height\": 360, \"fps\": 30},\n"
        "  \"alternate\": {\"number\": 4, \"packet_bytes\": 2048, "
        "\"period_uf\": 1},\n"
        "  \"frames\": {\"asked\": 10, \"complete\": 10, \"damaged\": 0, "
        "\"mismatched\": 0, \"missing\": 0},\n"
        "  \"frames_per_second\": 30.000,\n"
        "  \"packets\": {\n"
        "    \"total\": 2660,\n"
        "    \"video_bytes\": 4608000,\n"
        "    \"status\": {\"SUCCESS\": 2660},\n"
        "    \"lost\": 0,\n    \"duplicated\": 0,\n    \"out_of_order\": 0,\n"
        "    \"late\": 0,\n    \"early\": 0,\n    \"bad_crc\": 0,\n"
        "    \"bad_header\": 0,\n    \"silent\": 0,\n    \"overflow\": 0,\n"
        "    \"restarts\": 0\n"
        "  },\n"
        "  \"perfect\": true\n"
        "}\n");
    free(text);
}

static void test_report_trouble(void)
{
    report r = make_report();
    char *text;

    r.trouble = "say \"no\"\n";
    packets.statuses = 3;
    packets.status[1] = (account_status){ 0xc0000011, 2 };
    packets.status[2] = (account_status){ 0x12345678, 1 };
    text = print(report_json, &r);
    g_assert_nonnull(strstr(text, "\"stopped\": \"say \\\"no\\\"\\u000a\""));
    g_assert_nonnull(strstr(text, "\"XACT_ERROR\": 2, \"12345678\": 1}"));
    g_assert_nonnull(strstr(text, "\"perfect\": false"));
    free(text);
    text = print(report_text, &r);
    g_assert_nonnull(strstr(text, "stopped  say \"no\""));
    g_assert_nonnull(strstr(text, "result   not perfect"));
    g_assert_nonnull(strstr(text, "XACT_ERROR"));
    free(text);
}

static void test_report_statuses(void)
{
    char text[REPORT_STATUSES_BYTES];
    account a = { .statuses = 0 };
    unsigned i;

    report_statuses(text, &a);
    g_assert_cmpstr(text, ==, "none yet");
    a.statuses = 2;
    a.status[0].packets = 300;
    a.status[1] = (account_status){ 0xc0000011, 2 };
    report_statuses(text, &a);
    g_assert_cmpstr(text, ==, "SUCCESS 300, XACT_ERROR 2");
    a.statuses = ACCOUNT_STATUSES;
    for (i = 0; i < ACCOUNT_STATUSES; i++) {
        a.status[i] = (account_status){ 0xc0020000, UINT64_MAX };
    }
    report_statuses(text, &a);
    g_assert_cmpuint(strlen(text), ==, REPORT_STATUSES_BYTES - 1);
}

/* Anything that is not zero spoils it. */
static void test_report_perfect(void)
{
    report r = make_report();
    uint64_t *const counters[] = {
        &packets.failed,       &packets.silent,   &packets.bad_header,
        &packets.bad_crc,      &packets.lost,     &packets.duplicated,
        &packets.out_of_order, &packets.late,     &packets.early,
        &packets.overflow,     &packets.restarts,
    };
    unsigned i;

    g_assert_true(report_is_perfect(&r));
    for (i = 0; i < G_N_ELEMENTS(counters); i++) {
        *counters[i] = 1;
        g_assert_false(report_is_perfect(&r));
        *counters[i] = 0;
    }
    frames.complete--;
    g_assert_false(report_is_perfect(&r));
}

static const isoav_log_entry log_entry = {
    .sequence = 1234567890123,
    .ordinal = 57,
    .selection = 2,
    .alternate = 4,
    .endpoint = 0x81,
    .start_frame = 4000,
    .packet_index = 3,
    .packet_status = 0xc0000012,
    .length = 17,
};

static void test_packetlog(void)
{
    isoav_log_entry entry = log_entry;
    char *text = NULL;
    size_t bytes;
    FILE *file = open_memstream(&text, &bytes);

    packetlog_json(file, &entry);
    fflush(file);
    g_assert_cmpstr(
        text, ==,
        "{\"sequence\":1234567890123,\"selection\":2,\"interface\":0,"
        "\"alternate\":4,\"endpoint\":1,\"direction\":\"in\","
        "\"ordinal\":57,\"start_frame\":4000,\"packet\":3,"
        "\"status\":\"BABBLE_DETECTED\",\"status_code\":\"c0000012\","
        "\"length\":17,\"urb_status\":\"SUCCESS\","
        "\"urb_status_code\":\"00000000\"}\n");
    entry.endpoint = 0x02;
    packetlog_text(file, &entry);
    fclose(file);
    g_assert_nonnull(strstr(text, "0.4   2 out "));
    g_assert_nonnull(strstr(text, "BABBLE_DETECTED (SUCCESS)\n"));
    free(text);

    g_assert_false(packetlog_is_good(&entry));
    entry.packet_status = 0;
    g_assert_true(packetlog_is_good(&entry));
    entry.urb_status = 0xc0000b00;
    g_assert_false(packetlog_is_good(&entry));
}

static void test_status_names(void)
{
    g_assert_cmpstr(usbd_status_name(0), ==, "SUCCESS");
    g_assert_cmpstr(usbd_status_name(0xc0030000), ==, "ISO_TD_ERROR");
    g_assert_cmpstr(usbd_status_name(0xc0020000), ==, "ISO_NOT_ACCESSED_BY_HW");
    g_assert_null(usbd_status_name(0xc0fefefe));
    g_assert_cmpstr(usbd_status_meaning(0xc0030000), ==,
                    "the controller missed its interval");
    g_assert_cmpstr(usbd_status_meaning(0), ==, "");
    g_assert_cmpstr(usbd_status_meaning(0xc0fefefe), ==,
                    "a status without a name");
}

/* The NTSTATUS speaks, and where there is none of a name, the error does. */
static void test_nt_text(void)
{
    static const struct {
        uint32_t status, win32_error;
        const char *text;
    } rows[] = {
        { 0xc0000120, 995, "the transfer was cancelled (STATUS_CANCELLED)" },
        { 0xc000000e, 2,
          "the device has been removed (STATUS_NO_SUCH_DEVICE)" },
        { 0xc0000056, 5,
          "the device is being removed; plug it in again "
          "(STATUS_DELETE_PENDING)" },
        { 0, 87, "the device refuses these values (Windows error 87)" },
        { 0xc0fefefe, 87,
          "the device refuses these values (NTSTATUS C0FEFEFE, "
          "Windows error 87)" },
        { 0xc0fefefe, 317, "NTSTATUS C0FEFEFE, Windows error 317" },
        { 0, 1234, "Windows error 1234; net helpmsg 1234 says more" },
    };
    char text[160], little[8];
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmpstr(nt_status_text(text, sizeof(text), rows[i].status,
                                       rows[i].win32_error),
                        ==, rows[i].text);
    }
    nt_status_text(little, sizeof(little), 0xc0000120, 995);
    g_assert_cmpstr(little, ==, "the tra");
    g_assert_null(nt_status_name(0xc0fefefe));
}

/* Every NTSTATUS that the driver's files name has a text. */
static void test_nt_complete(void)
{
    static const char *const inner[] = { /* no program gets these */
                                         "STATUS_SUCCESS",
                                         "STATUS_PENDING",
                                         "STATUS_TIMEOUT",
                                         "STATUS_MORE_PROCESSING_REQUIRED",
                                         "STATUS_CONTINUE_COMPLETION",
                                         NULL
    };
    g_autofree char *folder =
        g_test_build_filename(G_TEST_DIST, "..", "driver", NULL);
    g_autofree char *table =
        g_test_build_filename(G_TEST_DIST, "..", "app", "ntname.c", NULL);
    g_autofree char *known = NULL;
    GRegex *word = g_regex_new("\\bSTATUS_[A-Z_]+\\b", 0, 0, NULL);
    GDir *files = g_dir_open(folder, 0, NULL);
    unsigned seen = 0;
    const char *name;

    g_assert_nonnull(files);
    g_assert_true(g_file_get_contents(table, &known, NULL, NULL));
    while ((name = g_dir_read_name(files))) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *text = NULL;
        GMatchInfo *match;

        if (!g_str_has_suffix(name, ".c")) {
            continue;
        }
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        g_regex_match(word, text, 0, &match);
        for (; g_match_info_matches(match); g_match_info_next(match, NULL)) {
            g_autofree char *status = g_match_info_fetch(match, 0);
            g_autofree char *quoted = g_strdup_printf("\"%s\"", status);

            seen++;
            if (!g_strv_contains(inner, status) && !strstr(known, quoted)) {
                g_test_message("%s: %s", name, status);
                g_test_fail();
            }
        }
        g_match_info_free(match);
    }
    g_assert_cmpuint(seen, >, 50);
    g_dir_close(files);
    g_regex_unref(word);
}

/* Three tests, the second failed; why the rest did not run, or NULL. */
static char *verdict_of(bool json, unsigned tests, const char *why)
{
    verdict v = { .json = json };
    char *text = NULL;
    size_t bytes;

    v.to = open_memstream(&text, &bytes);
    if (tests) {
        verdict_test(&v, "one", NULL);
        verdict_test(&v, "two", "it \"broke\"");
        verdict_test(&v, "three", NULL);
        g_assert_cmpuint(v.failed, ==, 1);
    }
    verdict_end(&v, why);
    fclose(v.to);
    return text;
}

static void test_verdict(void)
{
    static const struct {
        bool json;
        unsigned tests;
        const char *why, *text;
    } rows[] = {
        { false, 3, NULL,
          "ok 1 - one\nnot ok 2 - two\n# it \"broke\"\nok 3 - three\n1..3\n" },
        { false, 0, "no device", "Bail out! no device\n" },
        { true, 3, NULL,
          "{\"tests\": [\n"
          "  {\"number\": 1, \"name\": \"one\", \"ok\": true},\n"
          "  {\"number\": 2, \"name\": \"two\", \"ok\": false, "
          "\"why\": \"it \\\"broke\\\"\"},\n"
          "  {\"number\": 3, \"name\": \"three\", \"ok\": true}\n"
          "], \"passed\": 2, \"failed\": 1}\n" },
        { true, 0, "no device",
          "{\"tests\": [\n], \"passed\": 0, \"failed\": 0, \"stopped\": "
          "\"no device\"}\n" },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *text =
            verdict_of(rows[i].json, rows[i].tests, rows[i].why);

        g_assert_cmpstr(text, ==, rows[i].text);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/args/capture", test_args_capture);
    g_test_add_func("/args/log", test_args_log);
    g_test_add_func("/args/files", test_args_files);
    g_test_add_func("/args/help", test_args_help);
    g_test_add_func("/args/wrong", test_args_wrong);
    g_test_add_func("/png/colours", test_colours);
    g_test_add_func("/png/file", test_png);
    g_test_add_func("/report/json", test_report_json);
    g_test_add_func("/report/trouble", test_report_trouble);
    g_test_add_func("/report/statuses", test_report_statuses);
    g_test_add_func("/report/perfect", test_report_perfect);
    g_test_add_func("/log/lines", test_packetlog);
    g_test_add_func("/report/status-names", test_status_names);
    g_test_add_func("/nt/text", test_nt_text);
    g_test_add_func("/nt/complete", test_nt_complete);
    g_test_add_func("/selftest/verdict", test_verdict);
    return g_test_run();
}
